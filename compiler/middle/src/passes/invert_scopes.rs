//! **invert_scopes** gives each operator the list of those that hear of its errors, statuses and completions.
//!
//! Before → after: `catch(scope: all)` and `a`, `b` of its tab become edges `a → catch`, `b → catch`; with this no one searches
//! when an error is raised, and where none listens nothing is paid.
//! Legal: always; it says in edges what the scopes say. The rules are Node-RED's, to the letter:
//! * The listeners of a flow hear of the operators of that flow; when none of them takes it, those of the flow around a
//!   subflow instance do, with the instance in the place of the operator. Statuses stop at an instance whose template has a
//!   status output.
//! * A scope may be a list of nodes, or the listener's group; among those that hear, the nearest by groups come first. Of the
//!   catch nodes, those with a scope come before those without, and those for uncaught errors last.
//! * What a global configuration node raises is raised once for each node that uses it.
//! * Complete nodes hear of nodes of their own flow, by id; never of a subflow instance.
//!
//! Pays: always; and it must run, since nothing after it looks at scopes.
//! Tests: below; the driver's `tests/flows/scopes.json`, `groups.json`, `subflow_scopes.json`.

use std::collections::HashMap;

use vgdc_ir::{
    EdgeKind, FlowId, FlowKind, Graph, GroupId, Heard, Listens, OpId, Operator, Part, Scope,
};

use crate::trace::Trace;

const NAME: &str = "invert_scopes";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    let ears = Ears::new(graph);
    if ears.is_empty() {
        return;
    }
    let mut edges: Vec<(OpId, OpId, EdgeKind)> = Vec::new();
    for (id, op) in graph.ops() {
        for (chain, start) in starts(graph, id, op).into_iter().enumerate() {
            ears.chain(graph, Hears::Errors, chain, start, id, &mut edges);
            ears.chain(graph, Hears::Statuses, chain, start, id, &mut edges);
        }
    }
    completions(graph, &mut edges);
    let mut heard = vec![0_usize; graph.op_bound()];
    for (from, to, kind) in edges {
        heard[from.index()] += 1;
        graph.connect(from, to, kind);
    }
    for (id, op) in graph.ops() {
        match heard[id.index()] {
            0 => {}
            1 => trace.did(NAME, op, "heard by 1 listener"),
            count => trace.did(NAME, op, format!("heard by {count} listeners")),
        }
    }
}

/// The operators in whose place an operator's errors are raised: itself, or the users of a global configuration node.
fn starts(graph: &Graph, id: OpId, op: &Operator) -> Vec<OpId> {
    let global = graph.flows()[op.heard_in.index()].kind == FlowKind::Global;
    if !(op.part.is_config() && global) {
        return vec![id];
    }
    let users = graph.in_edges(id);
    let users = users
        .iter()
        .filter(|edge| edge.kind() == EdgeKind::Config)
        .map(|edge| edge.from);
    users
        .filter(|&user| !graph.op(user).part.is_config())
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    Errors,
    Statuses,
}

/// The catch and status nodes of each flow, and the operators that stand for subflow instances.
struct Ears {
    errors: HashMap<FlowId, Vec<OpId>>,
    statuses: HashMap<FlowId, Vec<OpId>>,
    instances: HashMap<String, OpId>,
    listening: bool,
}

impl Ears {
    fn new(graph: &Graph) -> Ears {
        let mut ears = Ears {
            errors: HashMap::new(),
            statuses: HashMap::new(),
            instances: HashMap::new(),
            listening: false,
        };
        for (id, op) in graph.ops() {
            match &op.part {
                Part::Listener(Listens::Errors { .. }) => {
                    ears.errors.entry(op.heard_in).or_default().push(id)
                }
                Part::Listener(Listens::Statuses { .. }) => {
                    ears.statuses.entry(op.heard_in).or_default().push(id)
                }
                Part::SubflowInstance => drop(ears.instances.insert(op.id.clone(), id)),
                _ => {}
            }
            ears.listening |= matches!(op.part, Part::Listener(_));
        }
        for list in ears.errors.values_mut() {
            list.sort_by_key(|&id| catch_rank(graph.op(id)));
        }
        ears
    }

    fn is_empty(&self) -> bool {
        !self.listening
    }

    /// Adds one chain of levels to the edges of `from`, as if `reporting` had raised it.
    fn chain(
        &self,
        graph: &Graph,
        what: Hears,
        chain: usize,
        reporting: OpId,
        from: OpId,
        edges: &mut Vec<(OpId, OpId, EdgeKind)>,
    ) {
        let Ok(chain) = u16::try_from(chain) else {
            return;
        };
        let (mut reporting, mut level) = (reporting, 0);
        loop {
            let flow_id = graph.op(reporting).heard_in;
            let flow = &graph.flows()[flow_id.index()];
            let found = self.level(graph, what, flow_id, graph.op(reporting));
            for (to, uncaught) in &found {
                let heard = Heard {
                    chain,
                    level,
                    uncaught: *uncaught,
                };
                let kind = if what == Hears::Errors {
                    EdgeKind::Catch(heard)
                } else {
                    EdgeKind::Status(heard)
                };
                edges.push((from, *to, kind));
            }
            // Levels without listeners are no levels.
            level += u16::from(!found.is_empty());
            let stops = what == Hears::Statuses && flow.kind == FlowKind::SubflowWithStatus;
            match self.instances.get(&flow.id) {
                Some(&instance) if flow.kind.is_subflow() && !stops => reporting = instance,
                _ => return,
            }
        }
    }

    /// The listeners of a flow that hear of an operator, nearest first; and whether each takes only what no other has handled.
    fn level(
        &self,
        graph: &Graph,
        what: Hears,
        flow: FlowId,
        reporting: &Operator,
    ) -> Vec<(OpId, bool)> {
        let table = if what == Hears::Errors {
            &self.errors
        } else {
            &self.statuses
        };
        let listeners = table.get(&flow).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<(u32, OpId, bool)> = Vec::new();
        for &id in listeners {
            let listener = graph.op(id);
            let Part::Listener(listens) = &listener.part else {
                continue;
            };
            let uncaught = matches!(listens, Listens::Errors { uncaught: true, .. });
            if let Some(distance) = distance(graph, listener, listens, reporting) {
                found.push((distance, id, uncaught));
            }
        }
        found.sort_by_key(|(distance, ..)| *distance);
        found
            .into_iter()
            .map(|(_, id, uncaught)| (id, uncaught))
            .collect()
    }
}

/// Those with a scope, those without, those for what is left.
fn catch_rank(op: &Operator) -> u8 {
    match &op.part {
        Part::Listener(Listens::Errors {
            scope: Scope::All,
            uncaught,
        }) => 1 + u8::from(*uncaught),
        _ => 0,
    }
}

/// How many groups lie between a listener and an operator, if it hears of it.
fn distance(
    graph: &Graph,
    listener: &Operator,
    listens: &Listens,
    reporting: &Operator,
) -> Option<u32> {
    let of_group = *listens.scope() == Scope::Group && listener.g.is_some();
    if of_group && reporting.g.is_none() {
        return None;
    }
    if matches!(listens.scope(), Scope::Nodes(ids) if !ids.contains(&reporting.id))
        || filtered_out(listener, listens, &reporting.id)
    {
        return None;
    }
    let mut distance = 0;
    let mut at: Option<GroupId> = reporting.group;
    while let Some(group) = at.and_then(|id| graph.groups().get(id.index())) {
        if Some(&group.id) == listener.g.as_ref() {
            return Some(distance);
        }
        distance += 1;
        at = group.parent;
    }
    (!of_group).then_some(distance)
}

/// A status node does not hear of a node that it is wired to.
fn filtered_out(listener: &Operator, listens: &Listens, id: &str) -> bool {
    matches!(listens, Listens::Statuses { scope: Scope::Nodes(ids) } if !without_wired(ids, &listener.wires).iter().any(|kept| kept == id))
}

/// A list of nodes without those that the listener is wired to. Node-RED takes an element out while it walks the list, and so
/// passes over the one that comes after it: of two such nodes in a row the second stays.
fn without_wired(ids: &[String], wires: &[Vec<String>]) -> Vec<String> {
    let mut kept = ids.to_vec();
    let mut at = 0;
    while at < kept.len() {
        if wires.iter().flatten().any(|wire| *wire == kept[at]) {
            kept.remove(at);
        }
        at += 1;
    }
    kept
}

fn completions(graph: &Graph, edges: &mut Vec<(OpId, OpId, EdgeKind)>) {
    let mut found: HashMap<(FlowId, String), Vec<OpId>> = HashMap::new();
    for (id, op) in graph.ops() {
        if let Part::Listener(Listens::Completions {
            scope: Scope::Nodes(ids),
        }) = &op.part
        {
            for of in without_wired(ids, &op.wires) {
                found.entry((op.heard_in, of)).or_default().push(id);
            }
        }
    }
    if found.is_empty() {
        return;
    }
    for (id, op) in graph
        .ops()
        .filter(|(_, op)| op.part != Part::SubflowInstance)
    {
        let listeners = found.get(&(op.heard_in, op.id.clone()));
        edges.extend(
            listeners
                .into_iter()
                .flatten()
                .map(|&to| (id, to, EdgeKind::Complete)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::{Config, Operator as Plain};

    fn catches(scope: Scope, uncaught: bool) -> Part {
        Part::Listener(Listens::Errors { scope, uncaught })
    }

    fn nodes(ids: &[&str]) -> Scope {
        Scope::Nodes(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn those_with_a_scope_come_first_and_those_for_the_rest_last() {
        let mut sketch = Sketch::new(&[
            ("a", Plain),
            ("rest", catches(Scope::All, true)),
            ("all", catches(Scope::All, false)),
            ("some", catches(nodes(&["a"]), false)),
        ]);
        run(&mut sketch.graph, &mut Trace::default());
        let edges = sketch.edges();
        assert_eq!(edges[..3], ["a catch some", "a catch all", "a catch rest"]);
    }

    #[test]
    fn a_global_configuration_node_is_raised_for_each_user() {
        let sketch = Sketch::new(&[
            ("a", Plain),
            ("b", Plain),
            ("c", catches(nodes(&["b", "cfg"]), false)),
            ("cfg", Config),
        ]);
        let config = EdgeKind::Config;
        let mut sketch = sketch.edge("b", "cfg", config).edge("a", "cfg", config);
        let cfg = sketch.op("cfg");
        let op = sketch.graph.op_mut(cfg);
        (op.flow, op.heard_in) = (FlowId(0), FlowId(0));
        run(&mut sketch.graph, &mut Trace::default());
        // As if `b` had raised it; `a` is not in the scope, nor is it asked whether the node itself is.
        assert_eq!(
            sketch.edges(),
            ["a config cfg", "b catch c", "b config cfg", "cfg catch c"]
        );
    }

    #[test]
    fn a_complete_node_passes_over_the_one_after_a_wired_one() {
        let ids = ["a", "b", "c"].map(str::to_owned);
        let wires = [vec!["a".to_owned(), "b".to_owned()]];
        assert_eq!(without_wired(&ids, &wires), ["b", "c"]);
    }
}
