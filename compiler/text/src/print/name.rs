//! Names for all objects of a flow file.

use super::{Thing, is_container};
use crate::Nodes;
use crate::names::{is_name, slug, word};
use std::collections::{HashMap, HashSet};
use vgdc_syntax::NodeKind;

/// Words that cannot be names, or would be hard to read as such.
const AVOIDED: &[&str] = &[
    "msg", "flow", "global", "let", "subflow", "group", "else", "true", "false", "null", "in",
    "out", "at", "not", "empty", "delete", "move", "replace", "async", "status",
];

/// The names of objects, by their numbers.
pub struct Names {
    of: HashMap<usize, String>,
}

impl Names {
    /// Gives each object a name: no two in one flow, or outside of flows, have the same, and none in a flow has that of
    /// something outside.
    pub fn assign(things: &[Thing<'_>], nodes: &dyn Nodes) -> Names {
        let mut of: HashMap<usize, String> = HashMap::new();
        let types: HashSet<String> = nodes.types().into_iter().map(word).collect();
        let mut top = Taken::default();
        for (at, thing) in things.iter().enumerate() {
            if thing.container.is_some() {
                continue;
            }
            let kind = thing.raw.kind();
            let own = Some(thing.id())
                .filter(|id| is_name(id) && !is_made_up(id))
                .map(str::to_owned);
            let label = slug(thing.raw.name());
            let (label, fallback) = match kind {
                NodeKind::Tab => (label, "flow".to_owned()),
                NodeKind::SubflowDef => (label, "subflow".to_owned()),
                _ => (label, word(thing.raw.ty())),
            };
            // (a subflow of a type's name would take the type's place)
            let is_free = |name: &str| kind != NodeKind::SubflowDef || !types.contains(name);
            of.insert(at, top.take(own, label, &fallback, is_free));
        }
        let mut inside: HashMap<usize, Taken> = HashMap::new();
        for (at, thing) in things.iter().enumerate() {
            let Some(container) = thing.container else {
                continue;
            };
            let flow = of.get(&container).cloned().unwrap_or_default();
            let own = thing
                .id()
                .strip_prefix(&flow)
                .and_then(|rest| rest.strip_prefix('.'));
            let own = own.filter(|name| is_name(name)).map(str::to_owned);
            let fallback = match thing.raw.kind() {
                NodeKind::Group => "group".to_owned(),
                NodeKind::SubflowInstance(id) => {
                    let of_it = things
                        .iter()
                        .position(|thing| is_container(thing.raw) && thing.id() == id);
                    of_it
                        .and_then(|at| of.get(&at).cloned())
                        .unwrap_or_else(|| "subflow".to_owned())
                }
                _ => word(thing.raw.ty()),
            };
            let taken = inside.entry(container).or_default();
            let name = taken.take(own, slug(thing.raw.name()), &fallback, |name| {
                !top.names.contains(name)
            });
            of.insert(at, name);
        }
        Names { of }
    }

    /// The name of an object.
    pub fn of(&self, at: usize) -> Option<&str> {
        self.of.get(&at).map(String::as_str)
    }
}

#[derive(Default)]
struct Taken {
    names: HashSet<String>,
    counts: HashMap<String, usize>,
}

impl Taken {
    fn take(
        &mut self,
        own: Option<String>,
        label: String,
        fallback: &str,
        is_free: impl Fn(&str) -> bool,
    ) -> String {
        let is_free = |name: &str, names: &HashSet<String>| {
            !names.contains(name) && !AVOIDED.contains(&name) && is_name(name) && is_free(name)
        };
        if let Some(own) = own.filter(|own| is_free(own, &self.names)) {
            self.names.insert(own.clone());
            return own;
        }
        let has_label = is_name(&label);
        if has_label && is_free(&label, &self.names) {
            self.names.insert(label.clone());
            return label;
        }
        let base = match has_label {
            true => label,
            // (what no word can be made of is a node all the same)
            false => Some(fallback.to_owned())
                .filter(|word| is_name(word))
                .unwrap_or_else(|| "node".to_owned()),
        };
        let count = self
            .counts
            .entry(base.clone())
            .or_insert(usize::from(has_label));
        loop {
            *count += 1;
            let name = format!("{base}{count}");
            if is_free(&name, &self.names) {
                self.names.insert(name.clone());
                return name;
            }
        }
    }
}

/// Whether an id is one of those that editors make up, and no word.
fn is_made_up(id: &str) -> bool {
    let is_hex = id.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex && id.len() >= 6
}
