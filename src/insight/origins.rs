//! Why a wire has the type that it has: for each property of the messages on it, the nodes that it is so since.

use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vgdc_driver::Compiled;
use vgdc_ir::{EdgeKind, OpId};

/// Rounds over the flow at most: what goes in a circle more often is told as far as it is known.
const ROUNDS: usize = 4;
/// Properties of a message that are told at most.
const PROPERTIES: usize = 30;

/// By operator and output: the nodes, as drawn, that each property has its type from.
type Origins<'c> = HashMap<(OpId, usize), BTreeMap<&'c str, BTreeSet<&'c str>>>;

/// By wire (`source:port:target`, as drawn), by property: the ids of the nodes since which it has the type that it has there. A property that comes
/// to a node with the same type is not taken to be set anew by it.
pub(super) fn of_wires(compiled: &Compiled) -> Map<String, Json> {
    let graph = &compiled.optimised;
    let mut origins = Origins::new();
    for _ in 0..ROUNDS {
        let mut changed = false;
        for id in graph.op_ids() {
            let op = graph.op(*id);
            for (port, ty) in op.outputs.iter().enumerate() {
                let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
                for (name, own) in ty.fields().0.take(PROPERTIES) {
                    let mut since = BTreeSet::new();
                    for edge in graph.in_edges(*id) {
                        let EdgeKind::Wire(from) = edge.kind() else {
                            continue;
                        };
                        let from = from as usize;
                        let came = graph.op(edge.from).outputs.get(from);
                        let is_same = came.is_some_and(|came| {
                            let (mut fields, _) = came.fields();
                            fields.any(|(known, ty)| known == name && ty == own)
                        });
                        let known = origins.get(&(edge.from, from));
                        if let Some(known) = known.filter(|_| is_same).and_then(|it| it.get(name)) {
                            since.extend(known.iter().copied());
                        }
                    }
                    if since.is_empty() {
                        since.insert(op.source_id());
                    }
                    found.insert(name, since);
                }
                let at = origins.entry((*id, port)).or_default();
                changed |= *at != found;
                *at = found;
            }
        }
        if !changed {
            break;
        }
    }
    let mut wires = Map::new();
    for edge in graph.all_edges() {
        let EdgeKind::Wire(port) = edge.kind() else {
            continue;
        };
        let Some(found) = origins.get(&(edge.from, port as usize)) else {
            continue;
        };
        let (from, to) = (graph.op(edge.from), graph.op(edge.to));
        let key = format!("{}:{port}:{}", from.source_id(), to.source_id());
        if !found.is_empty() {
            wires.insert(key, json!(found));
        }
    }
    wires
}
