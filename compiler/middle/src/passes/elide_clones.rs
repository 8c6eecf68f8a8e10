//! **elide_clones** gives the message itself to the last edge of each output; the edges before it get clones.
//!
//! Before → after: `a → b (clone), c (clone)` becomes `a → b (clone), c (moved)`.
//! Legal: always. Node-RED gives the message itself to the first wire. Here values are copied when they are written, so no
//! operator sees what another does to its message later, and it does not matter which edge gets the one and which a clone.
//! Pays: always: an output with one edge costs no clone at all.
//! Tests: below; the driver's `tests/flows/fan_out.json`.

use vgdc_ir::{EdgeId, Graph};

use crate::trace::Trace;

const NAME: &str = "elide_clones";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    let mut moved: Vec<EdgeId> = Vec::new();
    for (id, op) in graph.ops() {
        let edges: Vec<_> = graph
            .out_edges(id)
            .into_iter()
            .filter(|edge| edge.kind().port().is_some())
            .collect();
        let before = moved.len();
        for (at, edge) in edges.iter().enumerate() {
            let next = edges.get(at + 1).and_then(|next| next.kind().port());
            if next != edge.kind().port() {
                moved.push(edge.id);
            }
        }
        if moved.len() > before {
            let clones = edges.len() - (moved.len() - before);
            let what = match edges.len() {
                1 => "its wire takes the message itself".to_owned(),
                wires => format!("{wires} wires for {clones} clones"),
            };
            trace.did(NAME, op, what);
        }
    }
    for id in moved {
        if let Some(edge) = graph.edge_mut(id) {
            edge.moved = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::{EdgeKind, Part::Operator as Plain};

    #[test]
    fn the_last_edge_of_each_output_takes_the_message() {
        let ops = [("a", Plain), ("b", Plain), ("c", Plain)];
        let sketch = Sketch::new(&ops).wires(&[("a", "b"), ("a", "c")]);
        let mut sketch =
            sketch
                .edge("a", "b", EdgeKind::Wire(1))
                .edge("a", "c", EdgeKind::Complete);
        run(&mut sketch.graph, &mut Trace::default());
        let moved: Vec<bool> = sketch
            .graph
            .all_edges()
            .map(|edge| edge.edge.moved)
            .collect();
        assert_eq!(moved, [false, true, true, false]);
    }
}
