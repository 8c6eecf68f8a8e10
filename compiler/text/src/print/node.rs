//! A node as a statement.

use super::value::{key, string, typed};
use super::{Printer, Thing, is_container, said};
use crate::lower::json::{Out, OutKind};
use crate::lower::props::{self, COMMON, Props};
use crate::lower::rules::SINGLE_RULE;
use crate::names::{is_name, word};
use crate::{COMMENTS, ast, lex, literal, parse};
use vgdc_spec::text::{CONDITIONS, DELETE, MOVE, REPLACE, SET, Takes};
use vgdc_spec::{FieldKind, NodeSpec, Outputs, Role, Text as Form};
use vgdc_syntax::NodeKind;

/// What becomes the arguments of a node, and what of it is said already.
struct Args {
    unnamed: Vec<String>,
    /// With what they are sorted by, so that a text does not hang on the order of properties in the flow file.
    named: Vec<(usize, String)>,
    said: Vec<String>,
    /// Conditions that can stand before the arrows of arms.
    conditions: Option<Vec<String>>,
}

/// What properties that the type does not know are sorted by.
const OTHERS: usize = 10_000;

impl Args {
    fn new() -> Args {
        Args {
            unnamed: Vec::new(),
            named: Vec::new(),
            said: Vec::new(),
            conditions: None,
        }
    }

    /// All arguments. One text of several lines stands behind all others, where it is easier to read.
    fn list(&mut self) -> String {
        self.named.sort_by_key(|(rank, _)| *rank);
        let named = self.named.iter().map(|(_, text)| text.clone());
        let mut list: Vec<String> = self.unnamed.iter().cloned().chain(named).collect();
        let blocks: Vec<usize> = list
            .iter()
            .enumerate()
            .filter(|(_, arg)| arg.contains('\n'))
            .map(|(at, _)| at)
            .collect();
        if let [block] = blocks.as_slice()
            && (*block >= self.unnamed.len() || self.unnamed.len() == 1)
        {
            let block = list.remove(*block);
            list.push(block);
        }
        list.join(", ")
    }

    fn has(&self, name: &str) -> bool {
        self.said.iter().any(|said| said == name)
    }

    fn cover(&mut self, names: &[&str]) {
        self.said
            .extend(names.iter().map(|name| (*name).to_owned()));
    }
}

impl Printer<'_, '_> {
    /// Writes a node. `prefix` is that of the ids of nodes beside it which have none of their own.
    pub(super) fn node(&mut self, at: usize, prefix: Option<&str>) {
        let Some(text) = self.node_text(at, prefix) else {
            return;
        };
        let before = self
            .thing(at)
            .map(|thing| thing.comments("before"))
            .unwrap_or_default();
        let after = self
            .thing(at)
            .map(|thing| thing.comments("after"))
            .unwrap_or_default();
        self.comment_lines(&before);
        self.line(&text);
        self.comments_behind(&after);
    }

    fn node_text(&self, at: usize, prefix: Option<&str>) -> Option<String> {
        let thing = self.thing(at)?;
        let container = thing.container;
        let name = self.names.of(at)?;
        let spec = self.nodes.spec(thing.raw.ty());
        let instance = match thing.raw.kind() {
            NodeKind::SubflowInstance(id) => {
                let is_it = |other: &Thing<'_>| {
                    matches!(other.raw.kind(), NodeKind::SubflowDef) && other.id() == id
                };
                self.things.iter().position(is_it)
            }
            _ => None,
        };
        let mut args = Args::new();
        args.cover(&[
            "id", "type", "wires", "x", "y", "z", "g", "d", "name", "info",
        ]);
        let mut attrs = Vec::new();
        let mut out = String::new();
        if let Some(docs) = thing.get("info").and_then(documentation) {
            out.push_str(&docs);
        } else {
            args.said.retain(|name| name != "info");
        }
        let own_id = format!(
            "{}{name}",
            prefix
                .map(|prefix| format!("{prefix}."))
                .unwrap_or_default()
        );
        if thing.id() != own_id {
            attrs.push(format!("#[id = {}]", literal::quoted(thing.id())));
        }
        self.place_args(thing, spec, &mut args, &mut attrs);
        match thing.get("name").and_then(Out::as_text) {
            Some("")
                if instance.is_some() || spec.is_some_and(|spec| spec.role != Role::Junction) => {}
            Some(label) => args.named.push((0, format!("name = {}", string(label)))),
            None => args.said.retain(|name| name != "name"),
        }
        match (spec, instance) {
            (Some(spec), _) => self.known(thing, spec, &mut args),
            (None, Some(of)) => self.variables(thing, of, &mut args),
            (None, None) => {}
        }
        self.others(thing, spec, instance.is_some(), &mut args);
        let ty = match instance {
            Some(of) => self.names.of(of)?.to_owned(),
            None => self.type_text(thing.raw.ty()),
        };
        for attr in &attrs {
            out.push_str(attr);
            out.push(' ');
        }
        out.push_str(&format!("let {name} = {ty}({})", args.list()));
        if !thing.is_config() && self.has_place(thing) {
            let number = |name: &str| thing.get(name).map(Out::to_json).unwrap_or_default();
            out.push_str(&format!(" at ({}, {})", number("x"), number("y")));
        }
        if let Some(conditions) = args.conditions {
            let arms: Vec<String> = conditions
                .iter()
                .enumerate()
                .map(|(port, condition)| {
                    let targets = self.targets(at, port, container);
                    format!(
                        "{condition} -> {}",
                        if targets.is_empty() {
                            "()".to_owned()
                        } else {
                            targets
                        }
                    )
                })
                .collect();
            out.push_str(&format!(" {{ {} }}", arms.join(", ")));
        }
        out.push(';');
        Some(out)
    }

    fn type_text(&self, ty: &str) -> String {
        let own = word(ty);
        let found = self
            .nodes
            .types()
            .into_iter()
            .find(|known| word(known) == own);
        let is_subflow = self.things.iter().enumerate().any(|(at, thing)| {
            matches!(thing.raw.kind(), NodeKind::SubflowDef) && self.names.of(at) == Some(&own)
        });
        match found == Some(ty) && is_name(&own) && !is_subflow {
            true => own,
            false => literal::quoted(ty),
        }
    }

    fn has_place(&self, thing: &Thing<'_>) -> bool {
        let has_number = |name: &str| thing.get(name).is_some_and(is_number);
        has_number("x") && has_number("y")
    }

    /// Whether the wires are what Node-RED writes, so that statements can say them.
    pub(super) fn has_plain_wires(&self, thing: &Thing<'_>) -> bool {
        match thing.get("wires") {
            None => true,
            Some(out) => {
                let all = |out: &Out| matches!(&out.kind, OutKind::List(ids) if ids.iter().all(|id| id.as_text().is_some()));
                matches!(&out.kind, OutKind::List(outputs) if outputs.iter().all(all))
            }
        }
    }

    /// What is not said by where the statement stands.
    fn place_args(
        &self,
        thing: &Thing<'_>,
        spec: Option<&'static NodeSpec>,
        args: &mut Args,
        attrs: &mut Vec<String>,
    ) {
        if let Some(out) = thing.get("d") {
            match out.to_json().as_str() {
                "true" => attrs.push("#[disabled]".to_owned()),
                _ => args.said.retain(|name| name != "d"),
            }
        }
        let is_config = thing.is_config();
        if is_config != spec.map_or(thing.container.is_none(), NodeSpec::is_config) {
            attrs.push(if is_config { "#[config]" } else { "#[canvas]" }.to_owned());
        }
        if is_config || !self.has_place(thing) {
            args.said.retain(|name| name != "x" && name != "y");
        }
        if is_config || thing.container.is_none() || !self.has_plain_wires(thing) {
            args.said.retain(|name| name != "wires");
        } else if let Some(wires) = thing.get("wires") {
            let count = wires.elements().len();
            let used = wires
                .elements()
                .iter()
                .rposition(|output| !output.elements().is_empty())
                .map_or(0, |at| at + 1);
            if count != self.expected_outputs(thing, spec).unwrap_or(used) {
                attrs.push(format!("#[outputs({count})]"));
            }
        }
        if thing.container.is_none() {
            args.said.retain(|name| name != "z");
        }
        if let Some(group) = thing.get("g") {
            match group
                .as_text()
                .and_then(|id| self.group_in(id, thing.container))
            {
                Some(group) if !self.is_together(group, thing.container) => {
                    attrs.push(format!(
                        "#[group({})]",
                        self.names.of(group).unwrap_or_default()
                    ));
                }
                Some(_) => {}
                None => args.said.retain(|name| name != "g"),
            }
        }
    }

    /// How many outputs a node has if nothing is said.
    fn expected_outputs(
        &self,
        thing: &Thing<'_>,
        spec: Option<&'static NodeSpec>,
    ) -> Option<usize> {
        if let NodeKind::SubflowInstance(id) = thing.raw.kind() {
            let is_it = |other: &&Thing<'_>| {
                matches!(other.raw.kind(), NodeKind::SubflowDef) && other.id() == id
            };
            let subflow = self.things.iter().find(is_it)?;
            return Some(subflow.get("out").map_or(0, |out| out.elements().len()));
        }
        let spec = spec?;
        let mut all = Props {
            list: thing.props.clone(),
            ports: Vec::new(),
        };
        props::complete(spec, &mut all);
        Some(props::outputs(spec, &all))
    }

    /// A node of a known type: what its form can say without names, and what is typed.
    fn known(&self, thing: &Thing<'_>, spec: &'static NodeSpec, args: &mut Args) {
        match spec.text {
            Form::Plain => {}
            Form::First(name) => {
                let is_default = self.is_default(thing, spec, name);
                if let (false, Some(value), Some(field)) =
                    (is_default, thing.get(name), spec.field(name))
                {
                    let (text, covered) = match field.kind {
                        FieldKind::Typed(ty) => {
                            match (value.as_text(), thing.get(ty).and_then(Out::as_text)) {
                                (Some(text), Some(kind)) => (typed(text, kind), vec![name, ty]),
                                _ => (None, vec![]),
                            }
                        }
                        FieldKind::ConfigRef(_) | FieldKind::NodeIds => {
                            let names = is_reference(field.kind, value);
                            let text = self.value(value, names, thing.container);
                            if accepts(field, &text) {
                                args.unnamed.push(text);
                                args.cover(&[name]);
                            }
                            return;
                        }
                        _ => (Some(self.value(value, false, None)), vec![name]),
                    };
                    if let Some(text) = text.filter(|text| self.means(thing, spec, text, &covered))
                    {
                        // (the name of a node is not its first argument)
                        if name == "name" {
                            args.named.retain(|(_, arg)| !arg.starts_with("name = "));
                        }
                        args.unnamed.push(text);
                        args.cover(&covered);
                    }
                }
            }
            Form::Conditions => self.conditions(thing, spec, args),
            Form::Assignments => {
                let rules = thing.get("rules").map(Out::elements).unwrap_or_default();
                let list: Option<Vec<String>> = rules.iter().map(assignment).collect();
                let covered = ["rules", "action", "property", "from", "to", "reg"];
                self.all_or_nothing(thing, spec, args, list, &covered);
                // (beside a list, which is written as it stands, the properties of a single rule are made)
                if matches!(
                    thing.get("rules").map(|rules| &rules.kind),
                    Some(OutKind::List(_))
                ) {
                    let dead = SINGLE_RULE.iter().filter(|(name, json)| {
                        thing
                            .get(name)
                            .is_some_and(|own| said::same(own, &Out::of_json(json)))
                    });
                    let dead: Vec<&str> = dead.map(|(name, _)| *name).collect();
                    args.cover(&dead);
                }
            }
            Form::Properties => {
                let list = thing.get("props").map(Out::elements).unwrap_or_default();
                let get = |name: &str| thing.get(name).and_then(Out::as_text);
                let list: Option<Vec<String>> =
                    list.iter().map(|prop| property(prop, &get)).collect();
                let covered = ["props", "payload", "payloadType", "topic"];
                if self.means(thing, spec, "", &covered) {
                    args.cover(&covered);
                } else if thing.get("props").is_some() {
                    self.all_or_nothing(thing, spec, args, list, &covered);
                } else if covered.iter().all(|name| thing.get(name).is_none()) {
                    // (without anything it would be what the editor makes)
                    args.named.push((1, "props = null".to_owned()));
                }
            }
        }
        for (rank, field) in spec.fields.iter().enumerate() {
            let FieldKind::Typed(ty) = field.kind else {
                continue;
            };
            if args.has(field.name) || args.has(ty) {
                continue;
            }
            if self.is_default(thing, spec, field.name) && self.is_default(thing, spec, ty) {
                args.cover(&[field.name, ty]);
                continue;
            }
            let (Some(value), Some(kind)) =
                (own_text(thing, spec, field.name), own_text(thing, spec, ty))
            else {
                continue;
            };
            let text = typed(&value, &kind).map(|text| format!("{} = {text}", field.name));
            if let Some(text) = text.filter(|text| self.means(thing, spec, text, &[field.name, ty]))
            {
                args.named.push((10 + rank, text));
                args.cover(&[field.name, ty]);
            }
        }
    }

    fn all_or_nothing(
        &self,
        thing: &Thing<'_>,
        spec: &'static NodeSpec,
        args: &mut Args,
        list: Option<Vec<String>>,
        covered: &[&str],
    ) {
        let Some(list) = list.filter(|list| !list.is_empty()) else {
            return;
        };
        if self.means(thing, spec, &list.join(", "), covered) {
            args.unnamed.extend(list);
            args.cover(covered);
        }
    }

    /// Whether arguments mean what the node has, of these properties. One that the node lacks may be anything: it says nothing
    /// beside the others.
    fn means(
        &self,
        thing: &Thing<'_>,
        spec: &'static NodeSpec,
        text: &str,
        covered: &[&str],
    ) -> bool {
        let Some(mut said) = said::props(spec, text) else {
            return false;
        };
        if said
            .list
            .iter()
            .any(|(name, _)| !covered.contains(&name.as_str()))
        {
            return false;
        }
        props::complete(spec, &mut said);
        let main = covered.first().copied().unwrap_or_default();
        covered
            .iter()
            .all(|name| match (thing.get(name), said.get(name)) {
                (Some(own), Some(said)) => said::same(own, said),
                (None, None) => true,
                (None, Some(said)) => {
                    let default = spec.field(name).filter(|field| field.default != "null");
                    *name != main
                        || default
                            .is_some_and(|field| said::same(said, &Out::of_json(field.default)))
                }
                (Some(_), None) => false,
            })
    }

    /// Whether a property is what a node has if nothing is said.
    fn is_default(&self, thing: &Thing<'_>, spec: &'static NodeSpec, name: &str) -> bool {
        let Some(own) = thing.get(name) else {
            return true;
        };
        match spec.field(name) {
            Some(field) => field.default != "null" && said::same(own, &Out::of_json(field.default)),
            None => match spec.outputs {
                Outputs::Rules(rules) if name == "outputs" => {
                    let count = thing.get(rules).map_or(0, |rules| rules.elements().len());
                    said::same(own, &Out::raw(count.to_string()))
                }
                _ => false,
            },
        }
    }

    fn conditions(&self, thing: &Thing<'_>, spec: &'static NodeSpec, args: &mut Args) {
        let get = |name: &str| own_text(thing, spec, name);
        let property = match (get("property"), get("propertyType")) {
            (Some(text), Some(ty)) => {
                typed(&text, &ty).filter(|text| !text.starts_with('"') && !text.starts_with("r#"))
            }
            _ => None,
        };
        let covered = ["property", "propertyType"];
        let Some(property) = property.filter(|text| self.means(thing, spec, text, &covered)) else {
            return;
        };
        let rules = thing.get("rules").map(Out::elements).unwrap_or_default();
        let list: Option<Vec<String>> = rules.iter().map(condition).collect();
        let is_once = |list: &Vec<String>| list.iter().filter(|rule| *rule == "else").count() < 2;
        let is_said = |list: &Vec<String>| {
            let text = format!("{property}, {}", list.join(", "));
            self.means(thing, spec, &text, &["rules", "property", "propertyType"])
        };
        args.unnamed.insert(0, property.clone());
        args.cover(&covered);
        let Some(list) = list
            .filter(|list| !list.is_empty() && is_once(list))
            .filter(is_said)
        else {
            return;
        };
        args.cover(&["rules"]);
        let outputs = thing.get("wires").map_or(0, |wires| wires.elements().len());
        let has_own_wires =
            thing.container.is_some() && self.has_plain_wires(thing) && !thing.is_config();
        match has_own_wires && outputs == list.len() {
            true => args.conditions = Some(list),
            false => args.unnamed.extend(list),
        }
    }

    /// Whether the wires of a node stand in its own statement.
    pub(super) fn has_arms(&self, at: usize) -> bool {
        let Some(thing) = self.thing(at) else {
            return false;
        };
        let Some(spec) = self
            .nodes
            .spec(thing.raw.ty())
            .filter(|spec| spec.text == Form::Conditions)
        else {
            return false;
        };
        let mut args = Args::new();
        self.conditions(thing, spec, &mut args);
        args.conditions.is_some()
    }

    /// Values of a subflow's variables.
    fn variables(&self, thing: &Thing<'_>, of: usize, args: &mut Args) {
        let own = thing.get("env");
        if own.is_none_or(|env| env.elements().is_empty() && matches!(env.kind, OutKind::List(_))) {
            args.cover(&["env"]);
            return;
        }
        let Some(own) = own else { return };
        let subflow = self.thing(of).and_then(|subflow| subflow.get("env"));
        let known: Vec<&str> = subflow
            .map(Out::elements)
            .unwrap_or_default()
            .iter()
            .filter_map(|entry| member(entry, "name")?.as_text())
            .collect();
        let list: Option<Vec<String>> = own
            .elements()
            .iter()
            .map(|entry| {
                let name = member(entry, "name")?.as_text()?;
                let plain = is_name(name)
                    && known.contains(&name)
                    && !COMMON.contains(&name)
                    && name != "env";
                plain
                    .then(|| variable(entry))
                    .flatten()
                    .filter(|text| !text.starts_with('#'))
            })
            .collect();
        let Some(list) = list else { return };
        if said::variables(&list.join(", ")).is_some_and(|said| said::same(&said, own))
            && self.env_is_sayable(of)
        {
            args.named.extend(list.into_iter().map(|text| (5, text)));
            args.cover(&["env"]);
        }
    }

    /// Everything that is left, as it stands.
    fn others(
        &self,
        thing: &Thing<'_>,
        spec: Option<&'static NodeSpec>,
        is_instance: bool,
        args: &mut Args,
    ) {
        let structural = ["id", "type", "z", "g", "d", "x", "y", "wires"];
        let is_structural = |name: &str| structural.contains(&name);
        let (mut last, first): (Vec<_>, Vec<_>) = thing
            .props
            .iter()
            .partition(|(name, _)| is_structural(name));
        last.sort_by_key(|(name, _)| structural.iter().position(|known| known == name));
        for (name, value) in first.into_iter().chain(last) {
            if args.has(name) || spec.is_some_and(|spec| self.is_default(thing, spec, name)) {
                continue;
            }
            if name == COMMENTS && said::are_comments(value) {
                continue;
            }
            let field = spec.and_then(|spec| spec.field(name));
            let is_reference = match (spec, field) {
                (Some(_), Some(field)) => is_reference(field.kind, value),
                (Some(_), None) => false,
                (None, _) => !is_instance,
            };
            let is_common = COMMON.contains(&name.as_str());
            let text = self.value(value, is_reference && !is_common, thing.container);
            let bare = !is_structural(name)
                && is_name(name)
                && match (spec, field) {
                    (Some(_), Some(field)) => {
                        !matches!(field.kind, FieldKind::Typed(_) | FieldKind::Credential)
                            && accepts(field, &text)
                    }
                    (Some(_), None) => is_common,
                    (None, _) => !is_instance || is_common || name == "env",
                };
            let key = if bare {
                name.clone()
            } else {
                literal::quoted(name)
            };
            let known =
                spec.and_then(|spec| spec.fields.iter().position(|field| field.name == name));
            let rank = known.map_or(OTHERS + usize::from(is_structural(name)), |rank| 10 + rank);
            args.named.push((rank, format!("{key} = {text}")));
        }
    }

    /// The group with an id, if it is one of a flow's.
    pub(super) fn group_in(&self, id: &str, container: Option<usize>) -> Option<usize> {
        let at = self.find(id, container)?;
        let thing = self.thing(at)?;
        let is_group = matches!(thing.raw.kind(), NodeKind::Group) && thing.container == container;
        (is_group && container.is_some() && !is_container(thing.raw)).then_some(at)
    }
}

/// The text of a property, or what a node has if nothing is said.
fn own_text(thing: &Thing<'_>, spec: &NodeSpec, name: &str) -> Option<String> {
    match thing.get(name) {
        Some(own) => own.as_text().map(str::to_owned),
        None => Out::of_json(spec.field(name)?.default)
            .as_text()
            .map(str::to_owned),
    }
}

/// Whether ids in a value are names in the text. (A name where a list is meant would become a list.)
fn is_reference(kind: FieldKind, value: &Out) -> bool {
    match kind {
        FieldKind::ConfigRef(_) => true,
        FieldKind::NodeIds => matches!(value.kind, OutKind::List(_)),
        _ => false,
    }
}

/// Whether a field takes a value, by its text.
fn accepts(field: &vgdc_spec::FieldSpec, text: &str) -> bool {
    let read = lex::tokens(&format!("x = {text}"))
        .ok()
        .and_then(parse::args);
    let value = read.and_then(|mut args| args.pop()).map(|arg| arg.kind);
    matches!(value, Some(ast::ArgKind::Named(_, value)) if props::refuses(field, &value).is_none() && !matches!(value.kind, ast::ValueKind::Path(ref path) if path.head.text == "msg"))
}

fn is_number(out: &Out) -> bool {
    matches!(&out.kind, OutKind::Raw(text) if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
}

/// A member of an object.
pub(super) fn member<'o>(object: &'o Out, name: &str) -> Option<&'o Out> {
    match &object.kind {
        OutKind::Map(members) => members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, out)| out),
        _ => None,
    }
}

/// A documentation comment for a node's or flow's description; `None` where it cannot be one.
pub(super) fn documentation(info: &Out) -> Option<String> {
    let text = info.as_text().filter(|text| !text.is_empty())?;
    let is_plain = |c: char| c != '\r' && (c == '\t' || c == '\n' || !c.is_control());
    // (blanks at the end of a line are not kept, and an empty line at the end is hard to see)
    let is_kept = |line: &str| line.trim_end() == line;
    if !text.chars().all(is_plain) || !text.split('\n').all(is_kept) {
        return None;
    }
    let line = |line: &str| {
        if line.is_empty() {
            "///\n".to_owned()
        } else {
            format!("/// {line}\n")
        }
    };
    Some(text.split('\n').map(line).collect())
}

/// A variable in the language's own words.
pub(super) fn variable(entry: &Out) -> Option<String> {
    let OutKind::Map(members) = &entry.kind else {
        return None;
    };
    let text = |name: &str| member(entry, name).and_then(Out::as_text);
    let value = typed(text("value")?, text("type")?)?;
    let mut out = String::new();
    for (name, value) in members {
        if !matches!(name.as_str(), "name" | "value" | "type") {
            let plain = plain(value);
            out.push_str(&format!("#[prop({}, {plain})] ", literal::quoted(name)));
        }
    }
    Some(format!("{out}{} = {value}", key(text("name")?)))
}

/// A value without names in it.
fn plain(out: &Out) -> String {
    match &out.kind {
        OutKind::Raw(text) => text.clone(),
        OutKind::Text(text, _) => string(text),
        OutKind::List(all) => format!("[{}]", all.iter().map(plain).collect::<Vec<_>>().join(", ")),
        OutKind::Map(all) if all.is_empty() => "{}".to_owned(),
        OutKind::Map(all) => {
            let all: Vec<String> = all
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), plain(value)))
                .collect();
            format!("{{ {} }}", all.join(", "))
        }
    }
}

/// An element of `rules` as a condition.
fn condition(rule: &Out) -> Option<String> {
    let text = |name: &str| member(rule, name).and_then(Out::as_text);
    let kind = CONDITIONS.iter().find(|kind| Some(kind.t) == text("t"))?;
    Some(match kind.takes {
        Takes::Nothing => kind.sign.to_owned(),
        Takes::Kind | Takes::Expression => format!("{} {}", kind.sign, string(text("v")?)),
        Takes::Pattern => {
            let any_case = member(rule, "case").is_some_and(|case| case.to_json() == "true");
            format!(
                "{} {}{}",
                kind.sign,
                string(text("v")?),
                if any_case { " ignoring case" } else { "" }
            )
        }
        Takes::Value => {
            let value = typed(text("v")?, text("vt")?)?;
            // (texts and numbers need no sign)
            let is_bare = kind.sign == "==" && matches!(text("vt"), Some("str" | "num"));
            if is_bare {
                value
            } else {
                format!("{} {value}", kind.sign)
            }
        }
        Takes::Span => {
            let (from, to) = (
                typed(text("v")?, text("vt")?)?,
                typed(text("v2")?, text("v2t")?)?,
            );
            match kind.sign {
                "..=" => format!("{from}..={to}"),
                sign => format!("{sign} {from}..{to}"),
            }
        }
    })
}

/// An element of `rules` as a change.
fn assignment(rule: &Out) -> Option<String> {
    let text = |name: &str| member(rule, name).and_then(Out::as_text);
    let place = typed(text("p")?, text("pt")?)?;
    let to = || typed(text("to")?, text("tot")?);
    Some(match text("t")? {
        SET => format!("{place} = {}", to()?),
        DELETE => format!("delete {place}"),
        MOVE => format!("move {place} to {}", to()?),
        REPLACE => format!(
            "replace {} with {} in {place}",
            typed(text("from")?, text("fromt")?)?,
            to()?
        ),
        _ => return None,
    })
}

/// An element of `props` as a property of a message.
fn property<'o>(prop: &'o Out, get: &dyn Fn(&str) -> Option<&'o str>) -> Option<String> {
    let text = |name: &str| member(prop, name).and_then(Out::as_text);
    let name = text("p")?;
    let value = match (name, text("v")) {
        ("payload", None) => typed(get("payload")?, get("payloadType")?)?,
        ("topic", None) => string(get("topic")?),
        (_, value) => typed(value?, text("vt")?)?,
    };
    Some(format!("{} = {value}", typed(name, "msg")?))
}
