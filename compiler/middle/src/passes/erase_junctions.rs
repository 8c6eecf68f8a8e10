//! **erase_junctions** wires what leads into a junction straight to what the junction leads to.
//!
//! Before → after: `a → j → b, c` becomes `a → b, c`, in the place that `j` had among the wires of `a`; `j` stays, cut off.
//! Legal: when nobody looks at single nodes of the running program (what went through `j` is no longer seen there), no complete node
//! listens to `j`, and a turn of the queue can be taken out of all ways into `j`; see [`crate::shift`].
//! Pays: always, unless wires multiply: a junction between many and many is kept.
//! Tests: below; `tests/fuse.rs` (a simulation of the queue); the driver's `tests/flows/artifact.json`.

use std::collections::HashMap;

use vgdc_ir::{EdgeId, EdgeKind, Graph, OpId, Part};

use crate::keys::ContextUse;
use crate::shift::Ways;
use crate::trace::Trace;

const NAME: &str = "erase_junctions";

/// The most wires that come in the place of one junction's, when there are more than it has.
const MOST_WIRES: usize = 32;

/// Runs the pass.
pub fn run(graph: &mut Graph, uses: &HashMap<OpId, ContextUse>, trace: &mut Trace) {
    let is_junction = |id: &OpId| graph.op(*id).part == Part::Junction;
    let junctions: Vec<OpId> = graph.op_ids().iter().copied().filter(is_junction).collect();
    for junction in junctions {
        match erase(graph, uses, junction) {
            Ok(0) => {}
            Ok(wires) => trace.did(
                NAME,
                graph.op(junction),
                format!("wired past, with {wires} wires"),
            ),
            Err(why) => trace.left(NAME, graph.op(junction), why),
        }
    }
}

fn erase(
    graph: &mut Graph,
    uses: &HashMap<OpId, ContextUse>,
    junction: OpId,
) -> Result<usize, &'static str> {
    let (mut edges, mut senders): (Vec<EdgeId>, Vec<OpId>) = (Vec::new(), Vec::new());
    for edge in graph.in_edges(junction) {
        if edge.kind().port().is_none() {
            return Err("kept: more than wires lead to it");
        }
        edges.push(edge.id);
        senders.push(edge.from);
    }
    let out = graph.out_edges(junction);
    if out.iter().any(|edge| edge.kind() == EdgeKind::Complete) {
        return Err("kept: a complete node listens to it");
    }
    let targets: Vec<OpId> = out
        .iter()
        .filter(|edge| edge.kind().port() == Some(0))
        .map(|edge| edge.to)
        .collect();
    let wires = edges.len() * targets.len();
    if wires > MOST_WIRES.max(edges.len() + targets.len()) {
        return Err("kept: wires between many and many would multiply");
    }
    Ways::new(graph, uses)
        .same_at_once(junction, &edges, &senders)
        .map_err(|_| "kept: messages would come in another order without it")?;
    senders.sort_unstable();
    senders.dedup();
    for sender in senders {
        wire_past(graph, sender, junction, &targets);
    }
    Ok(wires)
}

fn wire_past(graph: &mut Graph, sender: OpId, junction: OpId, targets: &[OpId]) {
    let mut ports: Vec<(u16, Vec<(OpId, EdgeKind)>)> = Vec::new();
    for edge in graph.out_edges(sender) {
        let Some(port) = edge.kind().port() else {
            continue;
        };
        if ports.last().is_none_or(|(last, _)| *last != port) {
            ports.push((port, Vec::new()));
        }
        let Some((_, wires)) = ports.last_mut() else {
            continue;
        };
        if edge.to == junction {
            wires.extend(targets.iter().map(|&to| (to, edge.kind())));
        } else {
            wires.push((edge.to, edge.kind()));
        }
    }
    for (port, wires) in ports {
        graph.rewire(sender, port, wires);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::{Junction, Operator as Plain};

    fn erased(ops: &[(&str, Part)], wires: &[(&str, &str)]) -> Vec<String> {
        let mut sketch = Sketch::new(ops).wires(wires);
        run(&mut sketch.graph, &HashMap::new(), &mut Trace::default());
        sketch.edges()
    }

    #[test]
    fn targets_come_in_the_place_of_the_junction() {
        let ops = [
            ("a", Plain),
            ("j", Junction),
            ("b", Plain),
            ("c", Plain),
            ("d", Plain),
        ];
        let wires = [("a", "b"), ("a", "j"), ("a", "d"), ("j", "c")];
        let edges = ["a wire b", "a wire c", "a wire d", "j wire c"];
        assert_eq!(erased(&ops, &wires), edges);
    }

    #[test]
    fn a_junction_stays_where_the_order_would_change() {
        // What comes by way of `b` would be overtaken.
        let ops = [("a", Plain), ("b", Plain), ("j", Junction), ("c", Plain)];
        let wires = [("a", "b"), ("b", "c"), ("a", "j"), ("j", "c")];
        assert_eq!(
            erased(&ops, &wires),
            ["a wire b", "a wire j", "b wire c", "j wire c"]
        );
    }

    #[test]
    fn a_junction_that_leads_to_itself_stays() {
        let ops = [("a", Plain), ("j", Junction)];
        assert_eq!(
            erased(&ops, &[("a", "j"), ("j", "j")]),
            ["a wire j", "j wire j"]
        );
    }

    #[test]
    fn a_junction_that_is_listened_to_stays() {
        let ops = [("a", Plain), ("j", Junction), ("b", Plain)];
        let sketch = Sketch::new(&ops).wires(&[("a", "j")]);
        let mut sketch = sketch.edge("j", "b", EdgeKind::Complete);
        let mut trace = Trace::default();
        run(&mut sketch.graph, &HashMap::new(), &mut trace);
        assert_eq!(sketch.edges(), ["a wire j", "j complete b"]);
        assert_eq!(trace.of("j").filter(|entry| !entry.fired).count(), 1);
    }
}
