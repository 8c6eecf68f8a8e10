//! **join_places** has nodes run in one place that share a configuration node, where packages have places of their own.
//!
//! Before → after: `a` (in the place of package A) refers to the configuration node `c` (of package B): all nodes of A and B are in
//! one place, the first of the two by name.
//! Legal: always; places differ in what they share and in nothing that a flow can see.
//! Pays: it must run. A configuration node holds what is one thing (a connection, a page), and a node reaches for it directly.
//! Tests: below; `tests/whole/hosted.rs` (`isolated`).

use std::collections::BTreeMap;

use vgdc_ir::{EdgeKind, Graph, OpId};

use crate::trace::Trace;

const NAME: &str = "join_places";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    // For each place, the one that it is a part of; a place of its own otherwise.
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    let edges = graph
        .all_edges()
        .filter(|edge| edge.kind() == EdgeKind::Config);
    for edge in edges {
        let places = (
            graph.op(edge.from).place.as_deref(),
            graph.op(edge.to).place.as_deref(),
        );
        if let (Some(one), Some(other)) = places {
            let (one, other) = (root(&joined, one), root(&joined, other));
            if one != other {
                joined.insert(one.clone().max(other.clone()), one.min(other));
            }
        }
    }
    let ids: Vec<OpId> = graph.op_ids().to_vec();
    for id in ids {
        let Some(place) = graph.op(id).place.clone() else {
            continue;
        };
        let now = root(&joined, &place);
        if now != place {
            let text = format!(
                "runs in {now} and not in {place}: nodes of both share a configuration node"
            );
            trace.did(NAME, graph.op(id), text);
            graph.op_mut(id).place = Some(now);
        }
    }
}

fn root(joined: &BTreeMap<String, String>, place: &str) -> String {
    let mut place = place;
    while let Some(next) = joined.get(place) {
        place = next;
    }
    place.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::{Config, Operator as Plain};

    #[test]
    fn users_of_a_configuration_node_are_where_it_is() {
        let ops = [("a", Plain), ("c", Config), ("d", Plain), ("e", Plain)];
        let mut sketch = Sketch::new(&ops).edge("a", "c", EdgeKind::Config);
        for (id, place) in [("a", "n/q"), ("c", "n/p"), ("d", "n/q"), ("e", "n/z")] {
            let op = sketch.op(id);
            sketch.graph.op_mut(op).place = Some(place.to_owned());
        }
        let mut trace = Trace::default();
        run(&mut sketch.graph, &mut trace);
        let places: Vec<_> = (sketch.graph.ops())
            .map(|(_, op)| op.place.as_deref().unwrap_or_default())
            .collect();
        assert_eq!(places, ["n/p", "n/p", "n/p", "n/z"]);
        assert_eq!(trace.of("d").count(), 1);
    }
}
