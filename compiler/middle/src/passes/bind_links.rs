//! **bind_links** makes edges of virtual wires.
//!
//! Before → after: `link out(links: [x])`, `x: link in` becomes an edge from one to the other; a link call gets an edge to
//! each link-in that it may call, and each link-out that returns gets one to the link calls that can be waiting for it.
//! Legal: always; it says in edges what the properties say. The rules are Node-RED's: a link-out leads where it or the
//! link-in at the other end says so, in the order of the file; links do not pass the border of a subflow instance; a static call
//! finds its target by id, a dynamic one any link-in that a message can name; code finds those whose ids or names it says, any
//! where they are computed.
//! Pays: always; and it must run, since nothing after it looks at `links`.
//! Tests: below; the driver's `tests/flows/links.json`.

use std::collections::HashMap;

use vgdc_ir::{EdgeKind, FlowId, Graph, OpId, Operator, Part};

use crate::keys::Keys;
use crate::trace::Trace;

const NAME: &str = "bind_links";

/// Runs the pass. `scripts`: the link-ins that operators call from their code, by id or by name.
pub fn run(graph: &mut Graph, scripts: &HashMap<OpId, Keys>, trace: &mut Trace) {
    let by_id: HashMap<(Option<FlowId>, String), OpId> = graph
        .ops()
        .map(|(id, op)| ((border(graph, op), op.id.clone()), id))
        .collect();
    bind_outs(graph, &by_id, trace);
    bind_calls(graph, scripts, trace);
}

/// The subflow instance whose border links of this operator do not pass.
fn border(graph: &Graph, op: &Operator) -> Option<FlowId> {
    graph.flows()[op.flow.index()]
        .kind
        .is_subflow()
        .then_some(op.flow)
}

fn bind_outs(
    graph: &mut Graph,
    by_id: &HashMap<(Option<FlowId>, String), OpId>,
    trace: &mut Trace,
) {
    let mut found: Vec<(OpId, Vec<String>)> = Vec::new();
    let mut at: HashMap<OpId, usize> = HashMap::new();
    let mut in_file_order: Vec<(OpId, &Operator)> = graph.ops().collect();
    in_file_order.sort_by_key(|(_, op)| op.origin.node);
    for (id, op) in in_file_order {
        let here = border(graph, op);
        let mut bind = |from: OpId, to: &str| {
            let slot = *at.entry(from).or_insert_with(|| {
                found.push((from, Vec::new()));
                found.len() - 1
            });
            let targets = &mut found[slot].1;
            if !targets.iter().any(|known| known == to) {
                targets.push(to.to_owned());
            }
        };
        match &op.part {
            Part::LinkIn(link) => {
                let outs = link
                    .links
                    .iter()
                    .filter_map(|out| by_id.get(&(here, out.clone())));
                for &out in outs.filter(|&&out| matches!(graph.op(out).part, Part::LinkOut(_))) {
                    bind(out, &op.id);
                }
            }
            Part::LinkOut(link) => link.links.iter().for_each(|to| bind(id, to)),
            _ => {}
        }
    }
    for (from, mut targets) in found {
        crate::resolve::in_js_order(&mut targets, |id| id);
        let here = border(graph, graph.op(from));
        let to: Vec<OpId> = targets
            .iter()
            .filter_map(|id| by_id.get(&(here, id.clone())).copied())
            .collect();
        set_links(graph, from, &to, trace);
    }
}

fn set_links(graph: &mut Graph, from: OpId, to: &[OpId], trace: &mut Trace) {
    let Part::LinkOut(link) = &graph.op(from).part else {
        return;
    };
    // One that returns sends to its caller, and along no wire.
    let returns = link.by_message;
    let ids: Vec<String> = to.iter().map(|&id| graph.op(id).id.clone()).collect();
    let edges = to
        .iter()
        .filter(|_| !returns)
        .map(|&id| (id, EdgeKind::Link(0)));
    graph.rewire(from, 0, edges);
    let op = graph.op_mut(from);
    if op.outputs.is_empty() {
        op.outputs.push(vgdc_ir::Ty::ANY);
    }
    op.wires = vec![ids];
    if !to.is_empty() && !returns {
        let names: Vec<String> = to
            .iter()
            .map(|&id| format!("`{}`", graph.op(id).label()))
            .collect();
        trace.did(
            NAME,
            graph.op(from),
            format!("linked to {}", names.join(", ")),
        );
    }
}

fn bind_calls(graph: &mut Graph, scripts: &HashMap<OpId, Keys>, trace: &mut Trace) {
    let part = |pick: fn(&Part) -> bool| -> Vec<OpId> {
        graph
            .ops()
            .filter(|(_, op)| pick(&op.part))
            .map(|(id, _)| id)
            .collect()
    };
    let ins = part(|part| matches!(part, Part::LinkIn(_)));
    let mut calls = part(|part| matches!(part, Part::LinkCall(_)));
    let returns = part(|part| matches!(part, Part::LinkOut(link) if link.by_message));
    let by_id: HashMap<String, OpId> = ins
        .iter()
        .map(|&id| (graph.op(id).id.clone(), id))
        .collect();
    for &call in &calls {
        let Part::LinkCall(link) = &graph.op(call).part else {
            continue;
        };
        let targets: Vec<OpId> = if link.by_message {
            ins.clone()
        } else {
            link.links
                .first()
                .and_then(|id| by_id.get(id))
                .copied()
                .into_iter()
                .collect()
        };
        trace.did(
            NAME,
            graph.op(call),
            match link.by_message {
                true => format!(
                    "calls what each message names, of {} link-ins",
                    targets.len()
                ),
                false => format!("calls {} link-in", targets.len()),
            },
        );
        for to in targets {
            graph.connect(call, to, EdgeKind::Call);
        }
    }
    let in_code: Vec<OpId> = (graph.ops().map(|(id, _)| id))
        .filter(|id| scripts.contains_key(id))
        .collect();
    for &call in &in_code {
        let called = ins.iter().copied().filter(|&to| {
            let link_in = graph.op(to);
            let named = |name: &String| scripts[&call].may_be(name);
            named(&link_in.id) || link_in.name.as_ref().is_some_and(named)
        });
        let targets: Vec<OpId> = called.collect();
        let text = format!("its code calls {} link-in", targets.len());
        trace.did(NAME, graph.op(call), text);
        for to in targets {
            graph.connect(call, to, EdgeKind::Call);
        }
    }
    calls.extend(in_code);
    bind_returns(graph, &calls, &returns);
}

/// A link-out that returns can answer the calls from which a message can come to it. A call waits for what its target sends
/// on, so what another call inside there passes on counts too: all is looked at until nothing is added.
fn bind_returns(graph: &mut Graph, calls: &[OpId], returns: &[OpId]) {
    loop {
        let mut fresh: Vec<(OpId, OpId)> = Vec::new();
        for &call in calls {
            let reached = reach(graph, call);
            for &out in returns.iter().filter(|out| reached[out.index()]) {
                let known = graph
                    .out_edges(out)
                    .iter()
                    .any(|edge| edge.kind() == EdgeKind::Return && edge.to == call);
                if !known {
                    fresh.push((out, call));
                }
            }
        }
        if fresh.is_empty() {
            return;
        }
        for (out, call) in fresh {
            graph.connect(out, call, EdgeKind::Return);
        }
    }
}

fn reach(graph: &Graph, from: OpId) -> Vec<bool> {
    let mut seen = vec![false; graph.op_bound()];
    let mut todo = vec![from];
    while let Some(at) = todo.pop() {
        for edge in graph
            .out_edges(at)
            .iter()
            .filter(|edge| edge.kind() != EdgeKind::Config)
        {
            if !std::mem::replace(&mut seen[edge.to.index()], true) {
                todo.push(edge.to);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::{FlowKind, Link};

    fn link(ids: &[&str], by_message: bool) -> Link {
        Link {
            links: ids.iter().map(|id| (*id).to_owned()).collect(),
            by_message,
        }
    }

    #[test]
    fn a_link_may_be_said_at_either_end() {
        let mut sketch = Sketch::new(&[
            ("out", Part::LinkOut(link(&["2", "b", "gone"], false))),
            ("a", Part::LinkIn(link(&["out"], false))),
            ("b", Part::LinkIn(link(&["out"], false))),
            ("2", Part::LinkIn(link(&[], false))),
        ]);
        run(&mut sketch.graph, &HashMap::new(), &mut Trace::default());
        // In the order of the file, but for ids that are numbers.
        assert_eq!(sketch.edges(), ["out link 2", "out link b", "out link a"]);
        assert_eq!(sketch.graph.op(sketch.op("out")).wires, [["2", "b", "a"]]);
    }

    #[test]
    fn code_calls_the_link_ins_that_it_names() {
        let sketch = Sketch::new(&[
            ("code", Part::Operator),
            ("any", Part::Operator),
            ("a", Part::LinkIn(link(&[], false))),
            ("b", Part::LinkIn(link(&[], false))),
            ("back", Part::LinkOut(link(&[], true))),
        ]);
        let mut sketch = sketch.wires(&[("a", "back")]);
        let names = Keys::Known(["b".to_owned(), "nowhere".to_owned()].into());
        let calls = HashMap::from([(sketch.op("code"), names), (sketch.op("any"), Keys::All)]);
        run(&mut sketch.graph, &calls, &mut Trace::default());
        assert_eq!(
            sketch.edges(),
            [
                "code call b",
                "any call a",
                "any call b",
                "a wire back",
                "back return any"
            ]
        );
    }

    #[test]
    fn links_stay_inside_a_subflow() {
        let mut sketch = Sketch::new(&[
            ("out", Part::LinkOut(link(&["in"], false))),
            ("in", Part::LinkIn(link(&["out"], false))),
        ]);
        let flow = vgdc_ir::Flow {
            kind: FlowKind::Subflow,
            ..sketch.graph.flows()[1].clone()
        };
        let flow = sketch.graph.add_flow(flow);
        let inside = sketch.op("in");
        sketch.graph.op_mut(inside).flow = flow;
        run(&mut sketch.graph, &HashMap::new(), &mut Trace::default());
        assert!(sketch.edges().is_empty());
    }

    #[test]
    fn returns_find_the_calls_that_wait_also_through_other_calls() {
        // `outer` calls `in1`, behind which `inner` calls `in2`; what comes back to `inner` goes on to `back1`.
        let sketch = Sketch::new(&[
            ("outer", Part::LinkCall(link(&["in1"], false))),
            ("inner", Part::LinkCall(link(&["in2"], false))),
            ("any", Part::LinkCall(link(&[], true))),
            ("in1", Part::LinkIn(link(&[], false))),
            ("in2", Part::LinkIn(link(&[], false))),
            ("back1", Part::LinkOut(link(&[], true))),
            ("back2", Part::LinkOut(link(&[], true))),
        ]);
        let mut sketch = sketch.wires(&[("in1", "inner"), ("in2", "back2"), ("inner", "back1")]);
        run(&mut sketch.graph, &HashMap::new(), &mut Trace::default());
        let edges = sketch.edges();
        let of = |start: &str| {
            edges
                .iter()
                .filter(|edge| edge.starts_with(start))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(of("any"), ["any call in1", "any call in2"]);
        assert_eq!(
            of("back1"),
            [
                "back1 return outer",
                "back1 return inner",
                "back1 return any"
            ]
        );
        assert_eq!(
            of("back2"),
            [
                "back2 return outer",
                "back2 return inner",
                "back2 return any"
            ]
        );
    }
}
