//! **fuse** lets an operator handle a message inside the send that brings it, without a turn of the queue.
//!
//! Before → after: `a → b` becomes `a ⇒ b`; a chain of operators becomes one region that runs like one function.
//! Legal: when it is the only way into `b`, `b` is not reached from what leads to `a` (or `a` itself) by any other way, and the
//! same holds of all that `b` reaches; and when none of these shares context or a configuration node with what is reached around the
//! edge. Why that is enough is in [`crate::shift`].
//! Pays: always: a turn of the queue costs more than a call. A region is at most [`LONGEST`] edges deep, since each is a call
//! within a call, and since nothing else gets a turn meanwhile.
//! Tests: `tests/fuse.rs` (a simulation of the queue, and cases); the driver's `tests/flows/fuse.json`.

use std::collections::{HashMap, HashSet};

use vgdc_ir::verify::LONGEST;
use vgdc_ir::{EdgeId, Graph, OpId, Part};

use crate::keys::ContextUse;
use crate::shift::{Obstacle, Ways};
use crate::trace::Trace;

const NAME: &str = "fuse";

/// The most work that is spent on one graph, in operators looked at: a second or so. What comes after it is not fused.
const MOST_STEPS: usize = 100_000_000;

/// Runs the pass.
pub fn run(graph: &mut Graph, uses: &HashMap<OpId, ContextUse>, trace: &mut Trace) {
    let mut ways = Ways::new(graph, uses);
    let mut regions = Regions::new(graph.op_bound());
    let mut legal: HashSet<OpId> = HashSet::new();
    let mut fused: Vec<EdgeId> = Vec::new();
    for from in graph.op_ids().to_vec() {
        for edge in graph.out_edges(from) {
            if edge.kind().port().is_none() {
                continue;
            }
            let (id, to) = (edge.id, edge.to);
            let listens = matches!(graph.op(to).part, Part::Listener(_));
            match judge(&mut ways, &legal, (id, from, to), listens) {
                Ok(()) => {
                    legal.insert(to);
                    if regions.join(from, to) {
                        trace.did(
                            NAME,
                            graph.op(from),
                            format!("hands what it sends straight to `{}`", graph.op(to).label()),
                        );
                        fused.push(id);
                    } else {
                        trace.left(
                            NAME,
                            graph.op(from),
                            format!(
                                "`{}` begins a new region: {LONGEST} in a row are enough",
                                graph.op(to).label()
                            ),
                        );
                    }
                }
                Err(why) => trace.left(
                    NAME,
                    graph.op(from),
                    format!(
                        "not fused with `{}`: {}",
                        graph.op(to).label(),
                        why.say(graph)
                    ),
                ),
            }
        }
    }
    for id in fused {
        if let Some(edge) = graph.edge_mut(id) {
            edge.fused = true;
        }
    }
}

/// Why two operators are not fused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    Itself,
    Listens,
    OtherWays(usize),
    Obstacle(Obstacle),
    TooMuchWork,
}

impl Why {
    fn say(self, graph: &Graph) -> String {
        let name = |id: OpId| format!("`{}`", graph.op(id).label());
        match self {
            Why::Itself => "a node cannot run inside itself".into(),
            Why::Listens => "it listens to other nodes".into(),
            Why::OtherWays(count) => format!("{count} ways lead to it"),
            Why::Obstacle(Obstacle::Around(op)) => {
                format!(
                    "messages also reach {} another way, and would come there in another order",
                    name(op)
                )
            }
            Why::Obstacle(Obstacle::Shared(below, beside)) => {
                format!(
                    "{} and {} share context or a configuration node, and would use it in another order",
                    name(below),
                    name(beside)
                )
            }
            Why::TooMuchWork => "this flow is too large to look at every pair".into(),
        }
    }
}

fn judge(
    ways: &mut Ways,
    legal: &HashSet<OpId>,
    (edge, from, to): (EdgeId, OpId, OpId),
    listens: bool,
) -> Result<(), Why> {
    if from == to {
        return Err(Why::Itself);
    }
    if listens {
        return Err(Why::Listens);
    }
    if ways.in_count(to) != 1 {
        return Err(Why::OtherWays(ways.in_count(to)));
    }
    // In a chain the answer for one edge is the answer for the next: what was below still is, but for `from`, which has one way
    // in and one way out and shares nothing.
    let in_chain =
        ways.in_count(from) == 1 && ways.out_count(from) == 1 && !ways.shares_something(from);
    if in_chain && legal.contains(&from) {
        return Ok(());
    }
    if ways.steps() > MOST_STEPS {
        return Err(Why::TooMuchWork);
    }
    ways.same_at_once(to, &[edge], &[from])
        .map_err(Why::Obstacle)
}

/// The fused edges so far: how many lie above and below each operator.
struct Regions {
    above: Vec<Option<OpId>>,
    depth_below: Vec<usize>,
}

impl Regions {
    fn new(bound: usize) -> Regions {
        Regions {
            above: vec![None; bound],
            depth_below: vec![0; bound],
        }
    }

    fn path_up(&self, from: OpId) -> impl Iterator<Item = OpId> {
        std::iter::successors(Some(from), |op| self.above[op.index()])
    }

    /// Adds an edge, unless that makes too many in a row.
    fn join(&mut self, from: OpId, to: OpId) -> bool {
        let up: Vec<OpId> = self.path_up(from).collect();
        // The path holds one operator more than edges: with the new edge it is their number.
        if up.len() + self.depth_below[to.index()] > LONGEST {
            return false;
        }
        self.above[to.index()] = Some(from);
        let mut depth = self.depth_below[to.index()];
        for op in up {
            depth += 1;
            let below = &mut self.depth_below[op.index()];
            *below = depth.max(*below);
            depth = *below;
        }
        true
    }
}
