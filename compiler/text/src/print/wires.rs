//! Wires as statements: what leads on from one node to the next alone is one statement.

use super::{Printer, said};
use crate::lower::json::Out;
use crate::{COMMENTS, literal};
use std::collections::HashSet;

impl Printer<'_, '_> {
    /// Writes the wires of nodes that have not said them themselves.
    pub(super) fn wire_all(&mut self, nodes: &[usize]) {
        let mut done: HashSet<(usize, usize)> = HashSet::new();
        for at in nodes {
            let Some(thing) = self.thing(*at) else {
                continue;
            };
            let container = thing.container;
            let mut comments = thing
                .get(COMMENTS)
                .and_then(said::comments_of_wires)
                .unwrap_or_default()
                .into_iter();
            let mut has_statement = false;
            if !thing.is_config() && self.has_plain_wires(thing) && !self.has_arms(*at) {
                let count = thing.get("wires").map_or(0, |wires| wires.elements().len());
                for port in 0..count {
                    if done.contains(&(*at, port)) || self.targets(*at, port, container).is_empty()
                    {
                        continue;
                    }
                    let text = self.chain(*at, port, container, &mut done);
                    let (before, after) = comments.next().unwrap_or_default();
                    self.comment_lines(&before);
                    self.line(&format!("{text};"));
                    self.comments_behind(&after);
                    has_statement = true;
                }
            }
            // (comments at statements that are part of others now)
            let left: Vec<String> = comments
                .flat_map(|(before, after)| before.into_iter().chain(after))
                .collect();
            match has_statement {
                true if left.is_empty() => {}
                _ => self.comment_lines(&left),
            }
        }
    }

    fn chain(
        &self,
        at: usize,
        port: usize,
        container: Option<usize>,
        done: &mut HashSet<(usize, usize)>,
    ) -> String {
        let mut text = self.name_in(at, container).unwrap_or_default();
        if port > 0 {
            text.push_str(&format!(".{port}"));
        }
        let (mut from, mut port) = (at, port);
        loop {
            done.insert((from, port));
            let targets = self.targets(from, port, container);
            text.push_str(&format!(" -> {targets}"));
            let Some(next) = self
                .only_target(from, port)
                .filter(|next| self.goes_on(*next, container))
            else {
                return text;
            };
            if done.contains(&(next, 0)) {
                return text;
            }
            (from, port) = (next, 0);
        }
    }

    /// Whether a node's wires can stand in the statement that leads to it: it has wires at its first output alone.
    fn goes_on(&self, at: usize, container: Option<usize>) -> bool {
        let Some(thing) = self.thing(at) else {
            return false;
        };
        let has_comments = thing
            .get(COMMENTS)
            .and_then(said::comments_of_wires)
            .is_some_and(|all| !all.is_empty());
        let outputs = thing.get("wires").map(Out::elements).unwrap_or_default();
        let used = outputs
            .iter()
            .filter(|output| !output.elements().is_empty())
            .count();
        thing.container == container
            && !has_comments
            && used == 1
            && !thing.is_config()
            && self.has_plain_wires(thing)
            && !self.has_arms(at)
            && !self.targets(at, 0, container).is_empty()
            && self.takes_input(at)
    }

    fn only_target(&self, at: usize, port: usize) -> Option<usize> {
        let thing = self.thing(at)?;
        match thing.get("wires")?.elements().get(port)?.elements() {
            [one] => self.find(one.as_text()?, thing.container),
            _ => None,
        }
    }

    /// Whether the language lets wires lead to a node by its name.
    fn takes_input(&self, at: usize) -> bool {
        use vgdc_syntax::NodeKind;
        let Some(thing) = self.thing(at) else {
            return false;
        };
        if thing.is_config() {
            return false;
        }
        match thing.raw.kind() {
            NodeKind::Node => self
                .nodes
                .spec(thing.raw.ty())
                .is_none_or(|spec| spec.inputs > 0 && !spec.is_config()),
            NodeKind::SubflowInstance(id) => {
                let subflow = self.things.iter().find(|other| {
                    matches!(other.raw.kind(), NodeKind::SubflowDef) && other.id() == id
                });
                subflow.is_none_or(|subflow| {
                    subflow
                        .get("in")
                        .is_some_and(|ports| !ports.elements().is_empty())
                })
            }
            _ => false,
        }
    }

    /// Where an output leads; nothing where it leads nowhere.
    pub(super) fn targets(&self, at: usize, port: usize, container: Option<usize>) -> String {
        let wires = self.thing(at).and_then(|thing| thing.get("wires"));
        let ids = wires
            .and_then(|wires| wires.elements().get(port))
            .map(Out::elements)
            .unwrap_or_default();
        self.nodes_text(ids.iter().filter_map(Out::as_text), container)
    }

    /// Nodes side by side.
    pub(super) fn nodes_text<'i>(
        &self,
        ids: impl Iterator<Item = &'i str>,
        container: Option<usize>,
    ) -> String {
        let all: Vec<String> = ids.map(|id| self.node_name(id, container)).collect();
        match all.as_slice() {
            [one] => one.clone(),
            [] => String::new(),
            _ => format!("({})", all.join(", ")),
        }
    }

    /// A node by its name, or by its id where a name would not do.
    pub(super) fn node_name(&self, id: &str, container: Option<usize>) -> String {
        let found = self.find(id, container).filter(|at| self.takes_input(*at));
        let name = found.and_then(|at| self.name_in(at, container));
        name.unwrap_or_else(|| literal::quoted(id))
    }
}
