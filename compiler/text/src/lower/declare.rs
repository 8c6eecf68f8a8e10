//! What there is in a text: flows, groups and nodes, with their names, types and ids.

use super::json::{Out, OutKind};
use super::props::{Props, misplaced};
use super::{Container, Draft, Group, Lower, Target};
use crate::ast::*;
use crate::fault::{Fault, nearest};
use crate::names::slug;
use proc_macro2::Span;
use std::collections::HashSet;
use vgdc_syntax::codes;

/// Words that no node can be named by, since they mean something.
const RESERVED: &[&str] = &[
    "msg", "flow", "global", "let", "subflow", "group", "else", "true", "false", "null",
];

/// Where statements stand.
#[derive(Clone, Copy, Default)]
struct Place {
    container: Option<usize>,
    group: Option<usize>,
}

impl<'a> Lower<'a, '_> {
    pub(super) fn declare(&mut self, file: &'a File) {
        // (an instance may stand before its subflow)
        for item in &file.items {
            match &item.kind {
                ItemKind::Flow(block) => self.container(item, block, false),
                ItemKind::Subflow(block) => self.container(item, block, true),
                _ => {}
            }
        }
        let mut next = 0;
        for item in &file.items {
            match &item.kind {
                ItemKind::Flow(block) | ItemKind::Subflow(block) => {
                    let place = Place {
                        container: Some(next),
                        group: None,
                    };
                    next += 1;
                    for inner in &block.items {
                        self.declare_item(inner, place);
                    }
                }
                _ => self.declare_item(item, Place::default()),
            }
        }
        self.name_all();
    }

    fn container(&mut self, item: &'a Item, block: &'a Block, is_subflow: bool) {
        let word = if is_subflow { "subflow" } else { "flow" };
        if let Some(at) = &block.at {
            self.faults.push(Fault::error(
                at.span,
                codes::TEXT_MISPLACED,
                format!("a {word} has no place"),
            ));
        }
        if let Some(place) = &block.place {
            self.faults.push(Fault::error(
                place.span,
                codes::TEXT_MISPLACED,
                format!("a {word} has no place"),
            ));
        }
        let at = self.containers.len();
        let label = block
            .label
            .as_ref()
            .map(|label| slug(&label.value))
            .filter(|name| !name.is_empty());
        let made = || {
            let taken = |name: &str| {
                self.containers
                    .iter()
                    .any(|other| other.name.as_deref() == Some(name))
            };
            let base = label.clone().unwrap_or_else(|| word.to_owned());
            (1..)
                .map(|n| {
                    if n == 1 {
                        base.clone()
                    } else {
                        format!("{base}{n}")
                    }
                })
                .find(|name| !taken(name))
        };
        let name = block
            .name
            .as_ref()
            .map(|name| name.text.clone())
            .or_else(made);
        if let Some(own) = &block.name {
            self.define(own, Target::Container(at), None);
        }
        let (mut id, mut id_span) = (name.clone().unwrap_or_default(), block.keyword);
        for attr in &item.attrs {
            if let Some((own, span)) = attr.id() {
                (id, id_span) = (own.to_owned(), span);
                continue;
            }
            match (attr.name.text.as_str(), &attr.kind) {
                ("doc" | "disabled" | "prop" | "outputs" | "inputs", _) => {}
                _ => self.faults.push(misplaced(attr)),
            }
        }
        let (mut has_input, mut outs) = (false, Vec::new());
        if is_subflow {
            let count = |name: &str| {
                item.attrs
                    .iter()
                    .find(|attr| attr.name.text == name)
                    .and_then(count_of)
            };
            let said = |name: &str| item.attrs.iter().find_map(|attr| ports_of(attr, name));
            has_input = count("inputs")
                .or(said("in"))
                .is_some_and(|count| count > 0);
            outs.resize_with(count("outputs").or(said("out")).unwrap_or(0), Vec::new);
        }
        self.containers.push(Container {
            is_subflow,
            name,
            id,
            id_span,
            item,
            block,
            names: Default::default(),
            name_list: Vec::new(),
            input: Vec::new(),
            has_input,
            outs,
            status: None,
            ports: Default::default(),
            comments: Vec::new(),
        });
    }

    /// Gives a name its meaning.
    fn define(&mut self, name: &'a Name, target: Target, container: Option<usize>) {
        if RESERVED.contains(&name.text.as_str()) {
            let message = format!(
                "`{}` is a word of the language and cannot be a name",
                name.text
            );
            self.faults
                .push(Fault::error(name.span, codes::TEXT_SYNTAX, message));
        }
        let taken = match container {
            None => {
                self.top_list.push(&name.text);
                self.top.insert(&name.text, target)
            }
            Some(at) => self.containers.get_mut(at).and_then(|container| {
                container.name_list.push(&name.text);
                container.names.insert(&name.text, target)
            }),
        };
        let Some(taken) = taken else { return };
        let earlier = match taken {
            Target::Node(at) => self
                .drafts
                .get(at)
                .and_then(|draft| draft.name.map(|name| name.span)),
            Target::Group(at) => self
                .groups
                .get(at)
                .and_then(|group| group.block.name.as_ref().map(|name| name.span)),
            Target::Container(at) => self
                .containers
                .get(at)
                .and_then(|container| container.block.name.as_ref().map(|name| name.span)),
        };
        let message = format!("the name `{}` is given twice", name.text);
        let mut fault = Fault::error(name.span, codes::TEXT_NAME_TWICE, message);
        if let Some(earlier) = earlier {
            fault = fault.with_other(earlier, "the earlier one");
        }
        self.faults
            .push(fault.with_fix("give one of them another name"));
    }

    fn declare_item(&mut self, item: &'a Item, place: Place) {
        match &item.kind {
            ItemKind::Let(name, element) => {
                let is_rust =
                    matches!(element.kind, ElementKind::Closure(_) | ElementKind::Rust(_));
                if !is_rust && !matches!(element.kind, ElementKind::Call(..)) {
                    let message = "expected the type of the node with `(…)`";
                    self.faults
                        .push(Fault::error(element.span, codes::TEXT_SYNTAX, message));
                    self.inside(element, place);
                    return;
                }
                let at = self.drafts.len();
                self.draft(element, Some(name), &item.attrs, place, item.span);
                if self.drafts.len() == at {
                    // (Rust code where there can be none)
                    return self.inside(element, place);
                }
                self.define(name, Target::Node(at), place.container);
                self.declare_arms(element, place);
            }
            ItemKind::Chain(chain) => {
                for attr in &item.attrs {
                    // (an attribute before a chain is that of its first node)
                    let first = chain.steps.first().and_then(|step| step.branches.first());
                    let makes = matches!(first, Some(Branch::Element(element)) if matches!(element.kind, ElementKind::Call(..)));
                    if !makes {
                        self.faults.push(misplaced(attr));
                    }
                }
                if place.container.is_none() {
                    let span = chain.steps.first().map_or(item.span, |step| step.span);
                    let message = "nodes are connected inside of a flow";
                    self.faults.push(
                        Fault::error(span, codes::TEXT_MISPLACED, message)
                            .with_fix("write it between the braces of `flow NAME { … }`"),
                    );
                    return;
                }
                self.declare_chain(chain, place, Some(&item.attrs));
            }
            ItemKind::Group(block) => match place.container {
                Some(container) => self.group(item, block, container, place),
                None => {
                    let message = "a group stands inside of a flow";
                    self.faults
                        .push(Fault::error(block.keyword, codes::TEXT_MISPLACED, message));
                }
            },
            ItemKind::Flow(block) | ItemKind::Subflow(block) => {
                let message = "a flow cannot stand inside of another one";
                self.faults
                    .push(Fault::error(block.keyword, codes::TEXT_MISPLACED, message));
            }
        }
    }

    fn group(&mut self, item: &'a Item, block: &'a Block, container: usize, place: Place) {
        let at = self.groups.len();
        let (mut id, mut outer_name) = (String::new(), None);
        for attr in &item.attrs {
            if let Some((own, _)) = attr.id() {
                own.clone_into(&mut id);
                continue;
            }
            match (attr.name.text.as_str(), &attr.kind) {
                ("group", AttrKind::List(values)) => outer_name = self.group_name(attr, values),
                ("doc" | "prop" | "disabled", _) => {}
                _ => self.faults.push(misplaced(attr)),
            }
        }
        self.groups.push(Group {
            container,
            outer: place.group,
            outer_name,
            id,
            item,
            block,
            members: Vec::new(),
            nodes: Vec::new(),
            comments: Vec::new(),
        });
        if let Some(name) = &block.name {
            self.define(name, Target::Group(at), Some(container));
        }
        for inner in &block.items {
            self.declare_item(
                inner,
                Place {
                    container: Some(container),
                    group: Some(at),
                },
            );
        }
    }

    fn group_name(&mut self, attr: &'a Attr, values: &'a [Value]) -> Option<&'a Name> {
        match values {
            [
                Value {
                    kind: ValueKind::Path(path),
                    ..
                },
            ] if path.rest.is_empty() => Some(&path.head),
            _ => {
                self.faults.push(misplaced(attr));
                None
            }
        }
    }

    fn declare_chain(&mut self, chain: &'a Chain, place: Place, attrs: Option<&'a [Attr]>) {
        let mut attrs = attrs;
        for branch in chain.steps.iter().flat_map(|step| &step.branches) {
            match branch {
                Branch::Element(element) => {
                    let own = attrs.take().unwrap_or(&[]);
                    if element.as_path().is_none() && !matches!(element.kind, ElementKind::Id(_)) {
                        self.draft(element, None, own, place, element.span);
                    } else {
                        for attr in &element.attrs {
                            self.faults.push(misplaced(attr));
                        }
                    }
                    self.inside(element, place);
                }
                Branch::Chain(chain) => self.declare_chain(chain, place, None),
            }
        }
    }

    fn inside(&mut self, element: &'a Element, place: Place) {
        match &element.kind {
            ElementKind::Closure(_) | ElementKind::Rust(_)
                if !self.made.contains_key(&std::ptr::from_ref(element)) =>
            {
                let span = element.span;
                let message = "Rust code is for `flow!` in a Rust program only";
                self.faults.push(
                    Fault::error(span, codes::TEXT_MISPLACED, message)
                        .with_fix("in a file, say it with a node of the library"),
                );
            }
            _ => {}
        }
        self.declare_arms(element, place);
    }

    fn declare_arms(&mut self, element: &'a Element, place: Place) {
        for chain in element
            .arms
            .iter()
            .flatten()
            .filter_map(|arm| arm.to.as_ref())
        {
            self.declare_chain(chain, place, None);
        }
    }

    fn draft(
        &mut self,
        element: &'a Element,
        name: Option<&'a Name>,
        outer: &'a [Attr],
        place: Place,
        span: Span,
    ) {
        let (args, ty_span, (json, spec, instance)): (&[Arg], _, _) = match &element.kind {
            ElementKind::Call(ty, args) => (args, ty.span, self.type_of(ty)),
            ElementKind::Closure(code) | ElementKind::Rust(code) => {
                match self.nodes.rust(&code.0) {
                    Some(ty) => {
                        let spec = self.nodes.spec(&ty);
                        (&[], element.span, (ty, spec, None))
                    }
                    None => return,
                }
            }
            ElementKind::Path(_) | ElementKind::Id(_) => return,
        };
        let mut draft = Draft {
            container: place.container,
            group: place.group,
            group_name: None,
            name,
            id: String::new(),
            id_span: name.map_or(ty_span, |name| name.span),
            ty: json,
            ty_span,
            spec,
            instance,
            args,
            arms: element.arms.as_deref(),
            is_config: spec.map_or(place.container.is_none(), |spec| spec.is_config()),
            disabled: false,
            info: None,
            at: None,
            props: Props::default(),
            outputs: None,
            wires: Vec::new(),
            span,
            comments: Vec::new(),
        };
        let numbers = |numbers: &[String]| match numbers {
            [x, y] => Some((x.clone(), y.clone())),
            _ => None,
        };
        let mut docs: Vec<&Attr> = Vec::new();
        for attr in outer.iter().chain(&element.attrs) {
            if let Some((own, span)) = attr.id() {
                (draft.id, draft.id_span) = (own.to_owned(), span);
                continue;
            }
            match (attr.name.text.as_str(), &attr.kind) {
                ("doc", AttrKind::Equals(_)) => docs.push(attr),
                ("disabled", AttrKind::Plain) => draft.disabled = true,
                ("config", AttrKind::Plain) => draft.is_config = true,
                ("canvas", AttrKind::Plain) => draft.is_config = false,
                ("outputs", AttrKind::List(_)) => match count_of(attr) {
                    Some(count) => draft.outputs = Some(count),
                    None => self.faults.push(misplaced(attr)),
                },
                ("group", AttrKind::List(values)) => {
                    draft.group_name = self.group_name(attr, values)
                }
                ("at", AttrKind::List(values)) => {
                    let read: Vec<String> = values.iter().filter_map(digits).collect();
                    draft.at = numbers(&read);
                    if draft.at.is_none() {
                        self.faults.push(misplaced(attr));
                    }
                }
                _ => self.faults.push(misplaced(attr)),
            }
        }
        draft.info = documentation(&docs);
        if let Some(at) = &element.at {
            draft.at = numbers(&at.numbers);
            if draft.at.is_none() {
                let message = "a node's place is `at (x, y)`";
                self.faults
                    .push(Fault::error(at.span, codes::TEXT_SYNTAX, message));
            }
        }
        let at = self.drafts.len();
        self.drafts.push(draft);
        self.made.insert(element, at);
    }

    /// The type that a word stands for: a subflow, or one of the known types.
    fn type_of(
        &mut self,
        ty: &TypeName,
    ) -> (String, Option<&'static vgdc_spec::NodeSpec>, Option<usize>) {
        if ty.quoted {
            return (ty.text.clone(), self.nodes.spec(&ty.text), None);
        }
        let is_it = |container: &Container<'_>| {
            container.is_subflow && container.name.as_deref() == Some(&ty.text)
        };
        if let Some(at) = self.containers.iter().position(is_it) {
            let id = self
                .containers
                .get(at)
                .map_or("", |container| &container.id);
            return (format!("subflow:{id}"), None, Some(at));
        }
        let found = self
            .nodes
            .types()
            .into_iter()
            .find(|known| crate::names::word(known) == ty.text);
        if let Some(known) = found {
            return (known.to_owned(), self.nodes.spec(known), None);
        }
        let words: Vec<String> = self
            .nodes
            .types()
            .into_iter()
            .map(crate::names::word)
            .collect();
        let subflows = self
            .containers
            .iter()
            .filter(|container| container.is_subflow);
        let known = words
            .iter()
            .map(String::as_str)
            .chain(subflows.filter_map(|subflow| subflow.name.as_deref()));
        let fix = nearest(&ty.text, known).unwrap_or_else(|| {
            "a type that vgdc does not know is written in quotes, as in the flow file: \"some-type\"(…)".to_owned()
        });
        let message = format!("there is no node type `{}`", ty.text);
        self.faults
            .push(Fault::error(ty.span, codes::UNKNOWN_TYPE, message).with_fix(fix));
        (ty.text.clone(), None, None)
    }

    /// Gives ids to what has none, and finds groups by their names.
    fn name_all(&mut self) {
        let mut taken: HashSet<String> = self.drafts.iter().map(|draft| draft.id.clone()).collect();
        taken.extend(self.containers.iter().map(|container| container.id.clone()));
        taken.extend(self.groups.iter().map(|group| group.id.clone()));
        let prefixes: Vec<String> = self
            .containers
            .iter()
            .map(|container| format!("{}.", container.name.as_deref().unwrap_or("flow")))
            .collect();
        let prefix = |container: Option<usize>| {
            container
                .and_then(|at| prefixes.get(at))
                .map_or("", String::as_str)
        };
        for draft in &mut self.drafts {
            if let (true, Some(name)) = (draft.id.is_empty(), draft.name) {
                draft.id = format!("{}{}", prefix(draft.container), name.text);
                taken.insert(draft.id.clone());
            }
        }
        for group in &mut self.groups {
            if let (true, Some(name)) = (group.id.is_empty(), &group.block.name) {
                group.id = format!("{}{}", prefix(Some(group.container)), name.text);
                taken.insert(group.id.clone());
            }
        }
        let mut counts: std::collections::HashMap<String, usize> = Default::default();
        let mut free = |base: String| loop {
            let count = counts.entry(base.clone()).or_default();
            *count += 1;
            let id = format!("{base}{count}");
            if taken.insert(id.clone()) {
                return id;
            }
        };
        for draft in &mut self.drafts {
            if draft.id.is_empty() {
                let word = match draft
                    .instance
                    .and_then(|at| self.containers.get(at)?.name.clone())
                {
                    Some(name) => name,
                    None => crate::names::word(&draft.ty),
                };
                draft.id = free(format!("{}{word}", prefix(draft.container)));
            }
        }
        for group in &mut self.groups {
            if group.id.is_empty() {
                group.id = free(format!("{}group", prefix(Some(group.container))));
            }
        }
        for at in 0..self.drafts.len() {
            let Some(draft) = self.drafts.get(at) else {
                continue;
            };
            let (container, name, id) = (draft.container, draft.group_name, draft.id.clone());
            let group = self
                .group_of(container, name)
                .or(self.drafts.get(at).and_then(|draft| draft.group));
            if let Some(draft) = self.drafts.get_mut(at) {
                draft.group = group;
            }
            if let Some(group) = group.and_then(|group| self.groups.get_mut(group)) {
                group.members.push(id);
                group.nodes.push(at);
            }
        }
        for at in 0..self.groups.len() {
            let Some(group) = self.groups.get(at) else {
                continue;
            };
            let (container, name, id) = (group.container, group.outer_name, group.id.clone());
            let outer = self
                .group_of(Some(container), name)
                .or(self.groups.get(at).and_then(|group| group.outer));
            if let Some(group) = self.groups.get_mut(at) {
                group.outer = outer;
            }
            if let Some(group) = outer.and_then(|outer| self.groups.get_mut(outer)) {
                group.members.push(id);
            }
        }
    }

    fn group_of(&mut self, container: Option<usize>, name: Option<&'a Name>) -> Option<usize> {
        let name = name?;
        let container = self.containers.get(container?)?;
        match container.names.get(name.text.as_str()) {
            Some(Target::Group(at)) => Some(*at),
            _ => {
                let groups = container.name_list.iter().copied();
                let groups = groups
                    .filter(|name| matches!(container.names.get(name), Some(Target::Group(_))));
                let fix = nearest(&name.text, groups);
                let message = format!("there is no group `{}` in this flow", name.text);
                self.faults.push(
                    Fault::error(name.span, codes::TEXT_UNKNOWN_NAME, message).with_fix_if(fix),
                );
                None
            }
        }
    }
}

fn digits(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Number(digits) => Some(digits.clone()),
        _ => None,
    }
}

/// The number in `#[outputs(n)]`.
pub(super) fn count_of(attr: &Attr) -> Option<usize> {
    let AttrKind::List(values) = &attr.kind else {
        return None;
    };
    match values.as_slice() {
        [value] => digits(value)?.parse().ok().filter(|count| *count <= 10_000),
        _ => None,
    }
}

/// How many ports `#[prop("in", […])]` says that there are.
fn ports_of(attr: &Attr, side: &str) -> Option<usize> {
    match (attr.name.text.as_str(), &attr.kind) {
        ("prop", AttrKind::List(values)) => match values.as_slice() {
            [
                Value {
                    kind: ValueKind::Text(name),
                    ..
                },
                Value {
                    kind: ValueKind::List(ports),
                    ..
                },
            ] if name.value == side => Some(ports.len()),
            _ => None,
        },
        _ => None,
    }
}

/// The text of documentation comments.
pub(super) fn documentation(docs: &[&Attr]) -> Option<Out> {
    let (first, last) = (docs.first()?, docs.last()?);
    let lines: Vec<String> = docs
        .iter()
        .filter_map(|attr| match &attr.kind {
            AttrKind::Equals(Value {
                kind: ValueKind::Text(text),
                ..
            }) => Some(text.value.as_str()),
            _ => None,
        })
        .flat_map(|text| text.split('\n'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect();
    let kind = OutKind::Text(lines.join("\n"), Vec::new());
    Some(Out {
        kind,
        span: Some(crate::fault::join(first.span, last.span)),
    })
}
