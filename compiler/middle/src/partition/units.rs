//! Operators that cannot be apart.

use std::collections::{BTreeSet, HashMap, HashSet};

use vgdc_ir::{EdgeKind, Graph, OpId};
use vgdc_spec::{Copies, Role};

use crate::islands;
use crate::keys::ContextUse;
use crate::registry::Registry;

/// What keeps two operators together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// They refer to this configuration node, or one of them is it.
    Config(String),
    /// A call and its answer go both ways between them.
    Call,
    /// One sets the status of the subflow instance that the other stands for.
    Status,
    /// Both use this key of a context, or may use it.
    Context(String),
    /// A thing that cannot leave its process goes from one to the other.
    Handle,
    /// A rule says so.
    Rule,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Config(name) => write!(f, "both use the configuration node `{name}`"),
            Reason::Call => write!(f, "one calls the other and waits for the answer"),
            Reason::Status => write!(f, "one sets the other's status"),
            Reason::Context(key) => write!(f, "both use {key}"),
            Reason::Handle => write!(
                f,
                "what one hands to the other, such as the response to a request, cannot leave its process"
            ),
            Reason::Rule => write!(f, "a rule of mesh.toml keeps them together"),
        }
    }
}

/// All units of a graph.
pub struct Units {
    /// Each with its operators, in the order of the graph.
    pub sets: Vec<Vec<OpId>>,
    /// The number of each operator's unit.
    pub of: HashMap<OpId, usize>,
    /// What keeps operators together.
    pub bonds: Vec<(OpId, OpId, Reason)>,
}

impl Units {
    /// What connects two operators of one unit: the bonds on a shortest way.
    pub fn way(&self, from: OpId, to: OpId) -> Vec<&(OpId, OpId, Reason)> {
        let mut came: HashMap<OpId, usize> = HashMap::new();
        let (mut seen, mut row) = (HashSet::from([from]), vec![from]);
        while !row.is_empty() && !seen.contains(&to) {
            let mut next = Vec::new();
            for at in row {
                for (number, (a, b, _)) in self.bonds.iter().enumerate() {
                    let other = match at {
                        _ if *a == at => *b,
                        _ if *b == at => *a,
                        _ => continue,
                    };
                    if seen.insert(other) {
                        came.insert(other, number);
                        next.push(other);
                    }
                }
            }
            row = next;
        }
        let (mut at, mut way) = (to, Vec::new());
        while at != from
            && let Some(bond) = came.get(&at).and_then(|number| self.bonds.get(*number))
        {
            way.push(bond);
            at = if bond.0 == at { bond.1 } else { bond.0 };
        }
        way.reverse();
        way
    }
}

/// Whether each machine may have a copy of a configuration node.
pub(super) fn is_copied(graph: &Graph, registry: &Registry, id: OpId) -> bool {
    let op = graph.op(id);
    // (variables for all are data)
    if op.part.role() == Role::GlobalEnv {
        return true;
    }
    let copies = registry
        .get(op.process_type())
        .map_or(Copies::No, |spec| spec.copies);
    op.part.is_config()
        && match copies {
            Copies::No => false,
            Copies::Yes => true,
            Copies::Unless(field) => op
                .props
                .get(field)
                .is_none_or(|value| value.is_null() || value.as_str() == Some("")),
        }
}

/// Finds the units.
pub fn find(
    graph: &Graph,
    registry: &Registry,
    uses: &HashMap<OpId, ContextUse>,
    together: &[(OpId, OpId)],
    shared: &BTreeSet<String>,
) -> Units {
    // (what is in stores that all machines share keeps nobody together)
    let uses = uses.iter().filter(|(_, used)| !used.is_in(shared));
    let uses: HashMap<OpId, ContextUse> = uses.map(|(id, used)| (*id, used.clone())).collect();
    let mut bonds: Vec<(OpId, OpId, Reason)> = Vec::new();
    for edge in graph.all_edges() {
        let reason = match edge.kind() {
            EdgeKind::Config if !is_copied(graph, registry, edge.to) => {
                Reason::Config(graph.op(edge.to).label().to_owned())
            }
            EdgeKind::Call | EdgeKind::Return => Reason::Call,
            EdgeKind::SetStatus => Reason::Status,
            _ => continue,
        };
        bonds.push((edge.from, edge.to, reason));
    }
    for (flow, sharing) in islands::contexts(graph, &uses) {
        let context = match flow {
            Some(_) => "flow",
            None => "global",
        };
        let mut keys: Vec<_> = sharing.keys.iter().collect();
        keys.sort();
        for (key, users) in keys {
            let reason = Reason::Context(format!("`{context}.{key}`"));
            let pairs = users.iter().zip(users.iter().skip(1));
            bonds.extend(pairs.map(|(a, b)| (*a, *b, reason.clone())));
            // (who may use any key may use this one)
            let any = sharing.any.first().zip(users.first());
            bonds.extend(any.map(|(a, b)| (*a, *b, reason)));
        }
        let reason = Reason::Context(format!("any key of the {context} context"));
        let pairs = sharing.any.iter().zip(sharing.any.iter().skip(1));
        bonds.extend(pairs.map(|(a, b)| (*a, *b, reason.clone())));
    }
    bonds.extend(handles(graph, registry));
    bonds.extend(together.iter().map(|(a, b)| (*a, *b, Reason::Rule)));
    // (the order in which the tables above are walked is not the same each time)
    bonds.sort_by_key(|(a, b, _)| (*a, *b));
    gather(graph, registry, bonds)
}

/// All that lies between what gives a thing of the process and who answers it.
fn handles(graph: &Graph, registry: &Registry) -> Vec<(OpId, OpId, Reason)> {
    let gives = |id: &OpId| graph.op(*id).outputs.iter().any(|ty| ty.has_handle());
    let answers = |id: &OpId| {
        let spec = registry.get(graph.op(*id).process_type());
        spec.is_some_and(|spec| spec.role == Role::Answer)
    };
    let begins = graph.op_ids().iter().copied().filter(gives);
    let after = reach(begins.collect(), |id| {
        let edges = graph.out_edges(id);
        let edges = edges.iter().filter(|edge| carries(edge.kind()));
        edges.map(|edge| edge.to).collect()
    });
    let ends = graph.op_ids().iter().copied().filter(answers);
    let before = reach(ends.collect(), |id| {
        let edges = graph.in_edges(id);
        let edges = edges.iter().filter(|edge| carries(edge.kind()));
        edges.map(|edge| edge.from).collect()
    });
    let between = |id: &OpId| after.contains(id) && before.contains(id);
    let edges = graph.all_edges().filter(|edge| carries(edge.kind()));
    edges
        .filter(|edge| between(&edge.from) && between(&edge.to))
        .map(|edge| (edge.from, edge.to, Reason::Handle))
        .collect()
}

/// Whether messages go along an edge.
pub(super) fn carries(kind: EdgeKind) -> bool {
    kind != EdgeKind::Config
}

fn reach(begin: Vec<OpId>, next: impl Fn(OpId) -> Vec<OpId>) -> HashSet<OpId> {
    let (mut seen, mut todo) = (HashSet::new(), begin);
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            todo.extend(next(id));
        }
    }
    seen
}

fn gather(graph: &Graph, registry: &Registry, bonds: Vec<(OpId, OpId, Reason)>) -> Units {
    let mut sets: Vec<Vec<OpId>> = Vec::new();
    let mut of: HashMap<OpId, usize> = HashMap::new();
    let mut next: HashMap<OpId, Vec<OpId>> = HashMap::new();
    for (a, b, _) in &bonds {
        next.entry(*a).or_default().push(*b);
        next.entry(*b).or_default().push(*a);
    }
    for &id in graph.op_ids() {
        if of.contains_key(&id) || is_copied(graph, registry, id) {
            continue;
        }
        let members = reach(vec![id], |id| next.get(&id).cloned().unwrap_or_default());
        let ordered = graph.op_ids().iter().filter(|id| members.contains(id));
        let set: Vec<OpId> = ordered.copied().collect();
        of.extend(set.iter().map(|id| (*id, sets.len())));
        sets.push(set);
    }
    Units { sets, of, bonds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::{Config, Operator as Plain};
    use vgdc_spec::NodeSpec;

    fn sets(
        sketch: &Sketch,
        uses: &HashMap<OpId, ContextUse>,
        spec: &'static NodeSpec,
    ) -> Vec<String> {
        let registry = Registry::new([spec]);
        let units = find(&sketch.graph, &registry, uses, &[], &BTreeSet::new());
        let name = |id: &OpId| sketch.graph.op(*id).id.clone();
        let sets = units.sets.iter();
        sets.map(|set| set.iter().map(name).collect::<Vec<_>>().join(" "))
            .collect()
    }

    static ANY: NodeSpec = NodeSpec::unknown("any");
    static COPIED: NodeSpec = NodeSpec {
        copies: Copies::Unless("clientid"),
        ..NodeSpec::unknown("any")
    };

    #[test]
    fn a_wire_can_be_cut_and_a_configuration_node_cannot() {
        let ops = [("c", Config), ("a", Plain), ("b", Plain), ("d", Plain)];
        let sketch = Sketch::new(&ops)
            .wires(&[("a", "b"), ("b", "d")])
            .edge("a", "c", EdgeKind::Config)
            .edge("d", "c", EdgeKind::Config);
        assert_eq!(sets(&sketch, &HashMap::new(), &ANY), ["c a d", "b"]);
        // (each machine has a copy)
        assert_eq!(sets(&sketch, &HashMap::new(), &COPIED), ["a", "b", "d"]);
    }

    #[test]
    fn a_copy_has_no_name_of_its_own() {
        let ops = [("c", Config), ("a", Plain)];
        let mut sketch = Sketch::new(&ops).edge("a", "c", EdgeKind::Config);
        let c = sketch.op("c");
        let props = &mut sketch.graph.op_mut(c).props;
        props.insert("clientid".to_owned(), "me".into());
        assert_eq!(sets(&sketch, &HashMap::new(), &COPIED), ["c a"]);
    }

    #[test]
    fn who_shares_a_key_of_a_context_stays_together() {
        let sketch = Sketch::new(&[("a", Plain), ("b", Plain), ("c", Plain), ("d", Plain)]);
        let key = |name: &str| ContextUse {
            flow: {
                let mut keys = Keys::default();
                keys.add(name);
                keys
            },
            ..ContextUse::default()
        };
        let mut uses = HashMap::from([
            (sketch.op("a"), key("x")),
            (sketch.op("b"), key("y")),
            (sketch.op("c"), key("x")),
        ]);
        assert_eq!(sets(&sketch, &uses, &ANY), ["a c", "b", "d"]);
        uses.insert(sketch.op("d"), ContextUse::all());
        assert_eq!(sets(&sketch, &uses, &ANY), ["a b c d"]);
    }

    #[test]
    fn a_request_is_answered_where_it_came() {
        static ANSWER: NodeSpec = NodeSpec {
            role: Role::Answer,
            ..NodeSpec::unknown("answer")
        };
        let ops = [("in", Plain), ("f", Plain), ("out", Plain), ("log", Plain)];
        let mut sketch = Sketch::new(&ops).wires(&[("in", "f"), ("f", "out"), ("f", "log")]);
        let (begin, end) = (sketch.op("in"), sketch.op("out"));
        let handle = vgdc_ir::Ty::object([("res", vgdc_ir::Ty::handle("response"))], true);
        sketch.graph.op_mut(begin).outputs = vec![handle];
        sketch.graph.op_mut(end).ty = "answer".to_owned();
        let registry = Registry::new([&ANY, &ANSWER]);
        let units = find(
            &sketch.graph,
            &registry,
            &HashMap::new(),
            &[],
            &BTreeSet::new(),
        );
        let name = |id: &OpId| sketch.graph.op(*id).id.clone();
        let first: Vec<String> = units.sets[0].iter().map(name).collect();
        assert_eq!(first, ["in", "f", "out"]);
        let way = units.way(begin, end);
        assert_eq!(way.len(), 2);
        assert_eq!(way[0].2, Reason::Handle);
    }
}
