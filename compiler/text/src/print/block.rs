//! Flows, subflows and groups.

use super::node::{documentation, member, variable};
use super::{Printer, Thing, said};
use crate::lower::json::{Out, OutKind};
use crate::names::is_name;
use crate::{COMMENTS, literal};
use std::collections::{HashMap, HashSet};
use vgdc_syntax::NodeKind;

/// What a block begins with.
struct Head {
    attrs: Vec<String>,
    docs: String,
    env: String,
}

impl Printer<'_, '_> {
    pub(super) fn container(&mut self, at: usize) {
        let Some(thing) = self.thing(at) else { return };
        let is_subflow = matches!(thing.raw.kind(), NodeKind::SubflowDef);
        let Some(name) = self.names.of(at).map(str::to_owned) else {
            return;
        };
        let label = if is_subflow { "name" } else { "label" };
        let mut covered = vec!["id", "type"];
        let default = |name: &str, json: &str| {
            thing
                .get(name)
                .is_none_or(|own| said::same(own, &Out::of_json(json)))
        };
        let disabled = if is_subflow { "d" } else { "disabled" };
        if default(disabled, "false") && !is_subflow {
            covered.push(disabled);
        }
        let ports = if is_subflow { self.ports(at) } else { None };
        if is_subflow {
            let known = [
                ("category", "\"\""),
                ("meta", "{}"),
                ("color", "\"#DDAA99\""),
            ];
            covered.extend(
                known
                    .iter()
                    .filter(|(name, json)| default(name, json))
                    .map(|(name, _)| *name),
            );
            if ports.is_some() {
                covered.extend(["in", "out", "status"]);
            }
        }
        let mut head = self.head(at, &name, disabled, &mut covered, &[label], None);
        let before = thing.comments("before");
        let (after, end) = (thing.comments("after"), thing.comments("end"));
        let text = match thing.get(label).and_then(Out::as_text) {
            Some(own) if own == name => String::new(),
            Some(own) => format!(" {}", literal::quoted(own)),
            None => String::new(),
        };
        if thing.get(label).is_some_and(|own| own.as_text().is_none()) || thing.get(label).is_none()
        {
            // (a label that is missing, or no text)
            let own = thing
                .get(label)
                .map_or_else(|| "null".to_owned(), |own| self.value(own, false, None));
            head.attrs
                .push(format!("#[prop({}, {own})]", literal::quoted(label)));
        }
        let wires = thing
            .get(COMMENTS)
            .and_then(said::comments_of_wires)
            .unwrap_or_default();
        let members: Vec<usize> = (0..self.things.len())
            .filter(|other| {
                self.thing(*other)
                    .is_some_and(|other| other.container == Some(at))
            })
            .collect();
        let keyword = if is_subflow { "subflow" } else { "flow" };
        self.comment_lines(&before);
        self.out.push_str(&head.docs);
        self.attributes(&head.attrs);
        self.line(&format!("{keyword} {name}{text}{} {{", head.env));
        self.members(at, &name, &members);
        self.out.push('\n');
        let nodes: Vec<usize> = members
            .iter()
            .copied()
            .filter(|at| {
                self.thing(*at)
                    .is_some_and(|thing| !matches!(thing.raw.kind(), NodeKind::Group))
            })
            .collect();
        if let Some(ports) = &ports {
            for line in ports {
                self.line(line);
            }
        }
        self.wire_all(&nodes);
        for (before, after) in wires {
            self.comment_lines(&before);
            self.comment_lines(&after);
        }
        self.comment_lines(&end);
        self.line("}");
        self.comments_behind(&after);
    }

    fn attributes(&mut self, attrs: &[String]) {
        if !attrs.is_empty() {
            self.line(&attrs.join(" "));
        }
    }

    /// Attributes, documentation and variables of a block.
    fn head(
        &self,
        at: usize,
        own_id: &str,
        disabled: &str,
        covered: &mut Vec<&'static str>,
        labels: &[&'static str],
        container: Option<usize>,
    ) -> Head {
        let mut head = Head {
            attrs: Vec::new(),
            docs: String::new(),
            env: String::new(),
        };
        let Some(thing) = self.thing(at) else {
            return head;
        };
        covered.extend(labels);
        if thing.id() != own_id {
            head.attrs
                .push(format!("#[id = {}]", literal::quoted(thing.id())));
        }
        if thing
            .get(disabled)
            .is_some_and(|own| own.to_json() == "true")
        {
            head.attrs.push("#[disabled]".to_owned());
            covered.push(match disabled {
                "d" => "d",
                _ => "disabled",
            });
        }
        if let Some(info) = thing.get("info") {
            match documentation(info) {
                Some(docs) => {
                    head.docs = docs;
                    covered.push("info");
                }
                None if info.as_text() == Some("") && container.is_none() => covered.push("info"),
                None => {}
            }
        }
        if let Some(env) = self.env_text(thing) {
            covered.push("env");
            if !env.is_empty() {
                head.env = format!(" ({env})");
            }
        }
        for (name, value) in &thing.props {
            if covered.contains(&name.as_str()) || name == COMMENTS && said::are_comments(value) {
                continue;
            }
            let names = name == "nodes";
            head.attrs.push(format!(
                "#[prop({}, {})]",
                literal::quoted(name),
                self.value(value, names, container)
            ));
        }
        head
    }

    /// The variables of a block; `None` where they cannot be said so.
    fn env_text(&self, thing: &Thing<'_>) -> Option<String> {
        let Some(env) = thing.get("env") else {
            return Some(String::new());
        };
        let is_group = matches!(thing.raw.kind(), NodeKind::Group);
        let OutKind::List(entries) = &env.kind else {
            return None;
        };
        if entries.is_empty() {
            return (!is_group).then(String::new);
        }
        let list: Option<Vec<String>> = entries.iter().map(variable).collect();
        let list = list?.join(", ");
        said::variables(&list).filter(|said| said::same(said, env))?;
        Some(list)
    }

    /// Whether the variables of a subflow are said in the language's own words, so that instances can name them.
    pub(super) fn env_is_sayable(&self, at: usize) -> bool {
        self.thing(at)
            .is_some_and(|thing| self.env_text(thing).is_some())
    }

    /// The nodes and groups of a flow, in the order of the file; groups whose nodes stand together are blocks.
    fn members(&mut self, flow: usize, prefix: &str, members: &[usize]) {
        let is_group = |printer: &Self, at: usize| {
            printer
                .thing(at)
                .is_some_and(|thing| matches!(thing.raw.kind(), NodeKind::Group))
        };
        let groups: Vec<usize> = members
            .iter()
            .copied()
            .filter(|at| is_group(self, *at))
            .collect();
        let nodes: Vec<usize> = members
            .iter()
            .copied()
            .filter(|at| !is_group(self, *at))
            .collect();
        for group in &groups {
            if !self.is_together(*group, Some(flow)) {
                self.group_head(*group, prefix, flow);
                self.end_of_group(*group);
            }
        }
        let mut open: Vec<usize> = Vec::new();
        for at in nodes {
            let way: Vec<usize> = self
                .way(at, flow)
                .into_iter()
                .filter(|group| self.is_together(*group, Some(flow)))
                .collect();
            let same = open.iter().zip(&way).take_while(|(a, b)| a == b).count();
            while open.len() > same {
                if let Some(group) = open.pop() {
                    self.end_of_group(group);
                }
            }
            for group in way.into_iter().skip(same) {
                self.group_head(group, prefix, flow);
                open.push(group);
            }
            self.node(at, Some(prefix));
        }
        while let Some(group) = open.pop() {
            self.end_of_group(group);
        }
    }

    fn group_head(&mut self, at: usize, prefix: &str, flow: usize) {
        let (Some(thing), Some(name)) = (self.thing(at), self.names.of(at).map(str::to_owned))
        else {
            return;
        };
        let mut covered = vec!["id", "type", "z"];
        let outer = thing
            .get("g")
            .and_then(Out::as_text)
            .and_then(|id| self.group_in(id, Some(flow)));
        let mut attrs = Vec::new();
        if let Some(outer) = outer.filter(|outer| *outer != at) {
            covered.push("g");
            if !(self.is_together(outer, Some(flow)) && self.is_together(at, Some(flow))) {
                attrs.push(format!(
                    "#[group({})]",
                    self.names.of(outer).unwrap_or_default()
                ));
            }
        }
        if thing
            .get("style")
            .is_none_or(|style| said::same(style, &Out::of_json("{\"label\":true}")))
        {
            covered.push("style");
        }
        let number = |name: &str| {
            thing
                .get(name)
                .map(Out::to_json)
                .filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
        };
        let numbers: Option<Vec<String>> = ["x", "y", "w", "h"].into_iter().map(number).collect();
        let mut place = String::new();
        if let Some(own) = thing
            .get("place")
            .and_then(Out::as_text)
            .filter(|own| is_name(own))
        {
            covered.push("place");
            place.push_str(&format!(" {own}"));
        }
        if let Some(numbers) = numbers {
            covered.extend(["x", "y", "w", "h"]);
            place.push_str(&format!(" ({})", numbers.join(", ")));
        }
        if self.has_all_members(at, flow) {
            covered.push("nodes");
        }
        let is_labelled = thing
            .get("name")
            .is_none_or(|label| label.as_text().is_some());
        let labels: &[&'static str] = if is_labelled { &["name"] } else { &[] };
        let label = match thing.get("name").and_then(Out::as_text) {
            Some(label) if label == name => String::new(),
            Some(label) => format!(" {}", literal::quoted(label)),
            None => " \"\"".to_owned(),
        };
        let head = self.head(
            at,
            &format!("{prefix}.{name}"),
            "d",
            &mut covered,
            labels,
            Some(flow),
        );
        let before = thing.comments("before");
        attrs.extend(head.attrs);
        self.comment_lines(&before);
        self.out.push_str(&head.docs);
        let at_text = if place.is_empty() {
            String::new()
        } else {
            format!(" at{place}")
        };
        self.attributes(&attrs);
        self.line(&format!("group {name}{label}{}{at_text} {{", head.env));
    }

    fn end_of_group(&mut self, at: usize) {
        let (end, after) = match self.thing(at) {
            Some(thing) => (thing.comments("end"), thing.comments("after")),
            None => return,
        };
        self.comment_lines(&end);
        self.line("}");
        self.comments_behind(&after);
    }

    /// The groups around an object, the outermost first.
    fn way(&self, at: usize, flow: usize) -> Vec<usize> {
        let mut way = Vec::new();
        let mut next = at;
        while let Some(group) = self
            .thing(next)
            .and_then(|thing| self.group_in(thing.get("g")?.as_text()?, Some(flow)))
        {
            // (groups that are in each other)
            if way.contains(&group) || group == at {
                break;
            }
            way.push(group);
            next = group;
        }
        way.reverse();
        way
    }

    /// Whether the nodes of a group stand together in the file, and what is around it does, too.
    pub(super) fn is_together(&self, group: usize, flow: Option<usize>) -> bool {
        flow.is_some() && self.together.contains(&group)
    }

    /// The groups whose nodes stand together.
    pub(super) fn find_together(&self) -> HashSet<usize> {
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        let mut inside: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, thing) in self.things.iter().enumerate() {
            let Some(flow) = thing
                .container
                .filter(|_| !matches!(thing.raw.kind(), NodeKind::Group))
            else {
                continue;
            };
            let number = numbers.entry(flow).or_default();
            for group in self.way(at, flow) {
                inside.entry(group).or_default().push(*number);
            }
            *number += 1;
        }
        let is_row = |all: &[usize]| {
            all.windows(2)
                .all(|pair| matches!(pair, [a, b] if *b == a + 1))
        };
        let is_circle = |group: usize| {
            let Some(flow) = self.thing(group).and_then(|thing| thing.container) else {
                return true;
            };
            self.way(group, flow)
                .iter()
                .any(|outer| self.way(*outer, flow).contains(&group))
        };
        inside
            .into_iter()
            .filter(|(group, all)| is_row(all) && !is_circle(*group))
            .map(|(group, _)| group)
            .collect()
    }

    /// Whether the group's list of members is that of those that say so themselves.
    fn has_all_members(&self, group: usize, flow: usize) -> bool {
        let Some(thing) = self.thing(group) else {
            return false;
        };
        let Some(list) = thing.get("nodes") else {
            return false;
        };
        let OutKind::List(ids) = &list.kind else {
            return false;
        };
        let mut listed: Vec<&str> = ids.iter().filter_map(Out::as_text).collect();
        let mut own: Vec<&str> = self
            .things
            .iter()
            .filter(|other| {
                other.container == Some(flow)
                    && other.get("g").and_then(Out::as_text) == Some(thing.id())
            })
            .map(|other| other.id())
            .collect();
        let all_are_texts = listed.len() == ids.len();
        listed.sort_unstable();
        own.sort_unstable();
        all_are_texts && listed == own
    }

    /// The ports of a subflow as statements; `None` where they cannot be said so.
    fn ports(&self, at: usize) -> Option<Vec<String>> {
        let thing = self.thing(at)?;
        let mut lines = Vec::new();
        let list = |name: &str| match thing.get(name).map(|out| &out.kind) {
            None => Some(&[][..]),
            Some(OutKind::List(all)) => Some(all.as_slice()),
            Some(_) => None,
        };
        let place = |port: &Out| {
            let number = |name: &str| {
                member(port, name)
                    .map(Out::to_json)
                    .filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
            };
            Some(format!("({}, {})", number("x")?, number("y")?))
        };
        let has_only = |port: &Out, names: &[&str]| matches!(&port.kind, OutKind::Map(all) if all.len() == names.len() && all.iter().all(|(name, _)| names.contains(&name.as_str())));
        let (ins, outs) = (list("in")?, list("out")?);
        if ins.len() > 1 || thing.get("in").is_none() || thing.get("out").is_none() {
            return None;
        }
        if let Some(port) = ins.first() {
            has_only(port, &["x", "y", "wires"]).then_some(())?;
            lines.push(format!("in at {};", place(port)?));
        }
        let mut sources = Vec::new();
        let mut feeds = |port: &Out, name: &str, lines: &mut Vec<String>| -> Option<()> {
            has_only(port, &["x", "y", "wires"]).then_some(())?;
            lines.push(format!("{name} at {};", place(port)?));
            for wire in member(port, "wires")?.elements() {
                has_only(wire, &["id", "port"]).then_some(())?;
                let (id, number) = (
                    member(wire, "id")?.as_text()?,
                    member(wire, "port")?.to_json(),
                );
                let number: usize = number.parse().ok()?;
                let source = match id == thing.id() {
                    true if number == 0 => "in".to_owned(),
                    true => return None,
                    false => {
                        let from = self.find(id, Some(at)).filter(|from| {
                            self.thing(*from)
                                .is_some_and(|thing| thing.container == Some(at))
                        })?;
                        let is_node = self.thing(from).is_some_and(|thing| {
                            !thing.is_config() && !matches!(thing.raw.kind(), NodeKind::Group)
                        });
                        let outputs = self
                            .thing(from)
                            .and_then(|thing| thing.get("wires"))
                            .map_or(0, |wires| wires.elements().len());
                        (is_node && number < outputs).then_some(())?;
                        let name = self.names.of(from)?;
                        if number > 0 {
                            format!("{name}.{number}")
                        } else {
                            name.to_owned()
                        }
                    }
                };
                sources.push(format!("{source} -> {name};"));
            }
            Some(())
        };
        for (number, port) in outs.iter().enumerate() {
            let name = if number == 0 {
                "out".to_owned()
            } else {
                format!("out.{number}")
            };
            feeds(port, &name, &mut lines)?;
        }
        if let Some(status) = thing.get("status") {
            feeds(status, "out.status", &mut lines)?;
        }
        if let Some(port) = ins.first() {
            let wires = member(port, "wires")?;
            let ids: Option<Vec<&str>> = wires
                .elements()
                .iter()
                .map(|wire| {
                    has_only(wire, &["id"])
                        .then(|| member(wire, "id")?.as_text())
                        .flatten()
                })
                .collect();
            let targets = self.nodes_text(ids?.into_iter(), Some(at));
            if !targets.is_empty() {
                lines.push(format!("in -> {targets};"));
            }
        }
        lines.extend(sources);
        Some(lines)
    }
}
