//! **order** puts configuration nodes before those that refer to them; all else starts in the order in which it stood.
//!
//! Before → after: `user, config` becomes `config, user`.
//! Legal: always; the order in which nodes start is Node-RED's: the global flow, then each tab, in each the configuration nodes
//! first. In a circle of configuration nodes one has to be first.
//! Pays: always; a plan's users find their configuration nodes started.
//! Tests: below.

use vgdc_ir::{EdgeKind, Graph, OpId};

use crate::trace::Trace;

const NAME: &str = "order";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    let mut placed = vec![false; graph.op_bound()];
    let mut order: Vec<OpId> = Vec::with_capacity(graph.op_count());
    for &id in graph.op_ids() {
        place(graph, id, &mut placed, &mut order);
    }
    for (&before, &after) in graph.op_ids().iter().zip(&order) {
        if before != after {
            trace.did(
                NAME,
                graph.op(after),
                format!("starts before `{}`", graph.op(before).label()),
            );
            break;
        }
    }
    graph.set_order(order);
}

/// Places an operator after all that it refers to. The chain of references is walked without recursion: it is the user's.
fn place(graph: &Graph, id: OpId, placed: &mut [bool], order: &mut Vec<OpId>) {
    let mut stack = vec![(id, false)];
    while let Some((at, ready)) = stack.pop() {
        if ready {
            order.push(at);
            continue;
        }
        if std::mem::replace(&mut placed[at.index()], true) {
            continue;
        }
        stack.push((at, true));
        let edges = graph.out_edges(at);
        let configs = edges
            .iter()
            .rev()
            .filter(|edge| edge.kind() == EdgeKind::Config);
        stack.extend(configs.map(|edge| (edge.to, false)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::{Config, Operator as Plain};

    #[test]
    fn configuration_comes_before_its_users_and_all_else_stays() {
        let ops = [
            ("a", Plain),
            ("b", Plain),
            ("x", Config),
            ("y", Config),
            ("z", Config),
        ];
        let config = EdgeKind::Config;
        let mut sketch = Sketch::new(&ops)
            .edge("b", "y", config)
            .edge("y", "x", config);
        run(&mut sketch.graph, &mut Trace::default());
        assert_eq!(sketch.ids(), ["a", "x", "y", "b", "z"]);
    }

    #[test]
    fn a_circle_comes_to_an_end() {
        let config = EdgeKind::Config;
        let ops = [("x", Config), ("y", Config)];
        let mut sketch = Sketch::new(&ops)
            .edge("x", "y", config)
            .edge("y", "x", config);
        run(&mut sketch.graph, &mut Trace::default());
        assert_eq!(sketch.ids(), ["y", "x"]);
    }
}
