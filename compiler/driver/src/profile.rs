//! What a profile says of a flow, and what the compiler does about it.
//!
//! A profile changes how quick a program is and never what it does. Each decision is an entry of the trace, under the name
//! of this module:
//! * Code that no message came to, or that bailed out every time, is not made: the engine, or the node itself, does it all.
//! * Where a node's file can make its code by how often each output is taken (`vgdc_mir::NodeLowering`), it does.
//! * Blocks that lead only to outputs that were never taken, or to a bail-out that never happened, are cold.
//! * The plan says what each island costs, and the runtime spreads them over its threads by that.

use std::collections::{BTreeSet, HashMap, HashSet};

use vgdc_ir::{Graph, Operator};
use vgdc_middle::Trace;
use vgdc_middle::plan::{fingerprints, flow_hash};
use vgdc_mir::{BlockId, Body, Inst, Terminator};
use vgdc_plan::Plan;
use vgdc_plan::profile::{Node, Profile};
use vgdc_syntax::{Diagnostic, Diagnostics, codes};

use crate::native::Lowered;

/// The name under which what a profile decided stands in the trace.
pub const NAME: &str = "profile";
/// Calls, or messages, of which fewer say nothing.
const FEW: u64 = 10;
/// Nodes that are named where all cannot be.
const NAMED: usize = 10;

/// What is known of how a flow is used.
#[derive(Clone, Default)]
pub(crate) struct Usage {
    /// By id, the nodes that are as they were when the profile was taken.
    nodes: HashMap<String, Node>,
    /// The messages that they got.
    messages: u64,
    /// Whether blocks of code have the numbers that they had then.
    same_blocks: bool,
    /// Whether this is for a run that takes a profile.
    probes: bool,
}

impl Usage {
    /// What a profile says of a normalised graph; `resolved` is the graph from which that was made. What does not fit is told.
    pub(crate) fn of(
        profile: &Profile,
        resolved: &Graph,
        graph: &Graph,
        diagnostics: &mut Diagnostics,
    ) -> Usage {
        let hashes: HashMap<&str, String> = (fingerprints(graph).into_iter())
            .map(|(id, hash)| (graph.op(id).id.as_str(), hash))
            .collect();
        let same = |node: &Node| hashes.get(node.id.as_str()) == Some(&node.fingerprint);
        let nodes: HashMap<String, Node> = (profile.nodes.iter())
            .filter(|node| same(node))
            .map(|node| (node.id.clone(), node.clone()))
            .collect();
        if profile.flow != flow_hash(resolved) {
            if nodes.is_empty() {
                let text = format!(
                    "the profile is of another flow: none of its {} nodes ({}) is in this one",
                    profile.nodes.len(),
                    profile.program
                );
                diagnostics.push(
                    Diagnostic::error(codes::PROFILE_FOREIGN, text)
                        .with_note("take one of this flow: `vgdc run FLOW --profile=FILE`"),
                );
                return Usage::default();
            }
            diagnostics.push(changed(profile, graph, &nodes));
        }
        Usage {
            messages: nodes.values().map(|node| node.received).sum(),
            same_blocks: profile.vgdc == env!("CARGO_PKG_VERSION"),
            probes: false,
            nodes,
        }
    }

    /// For a run that takes a profile, or not.
    pub(crate) fn with_probes(mut self, probes: bool) -> Usage {
        self.probes = probes;
        self
    }

    /// Lets code leave marks where it comes by, if that is wanted.
    pub(crate) fn probe(&self, body: &mut Body) {
        if self.probes {
            vgdc_mir::probe(body);
        }
    }

    /// Whether calls of a node's code were counted by blocks, and none came by this one.
    fn is_passed_by(&self, node: &Node, block: u32) -> bool {
        self.same_blocks && node.code.calls >= FEW && node.code.blocks.get(&block) == Some(&0)
    }

    /// How many messages left by each output of a node; nothing where nothing is known of it.
    pub(crate) fn sent(&self, node: &str) -> &[u64] {
        self.nodes.get(node).map_or(&[], |node| &node.sent)
    }

    /// Why no code is to be made of a node.
    pub(crate) fn why_no_code(&self, node: &str) -> Option<String> {
        let node = self.nodes.get(node)?;
        let code = &node.code;
        // (a run in which next to nothing happened says nothing of what did not happen)
        if node.received == 0 && self.messages >= FEW {
            return Some("no message came to it".to_owned());
        }
        (code.calls >= FEW && code.bails == code.calls)
            .then(|| format!("all {} calls of its code bailed out", code.calls))
    }

    /// Tells the plan what its islands cost.
    pub(crate) fn load(&self, plan: &mut Plan) {
        if self.messages < FEW || plan.islands.len() < 2 {
            return;
        }
        let cost = |op: &u32| {
            let node = plan.ops.get(*op as usize);
            node.and_then(|op| self.nodes.get(&op.id))
                .map_or(0, |node| node.self_ns)
        };
        plan.loads = (plan.islands.iter())
            .map(|ops| ops.iter().map(cost).sum())
            .collect();
    }

    /// Marks the blocks of functions to which no message came.
    pub(crate) fn cool(
        &self,
        plan: &Plan,
        lowered: &mut Lowered,
        ops: &[&Operator],
        trace: &mut Trace,
    ) {
        if self.nodes.is_empty() {
            return;
        }
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); lowered.bodies.len()];
        for text in &lowered.texts {
            if let Ok(number) = text.function {
                users[number as usize].push(text.op);
            }
        }
        let id = |op: usize| plan.ops[op].id.as_str();
        // (a text is a stage by itself, for all the nodes that have it)
        for (number, users) in users.iter().enumerate() {
            let nodes: Option<Vec<&Node>> =
                users.iter().map(|op| self.nodes.get(id(*op))).collect();
            let Some(nodes) = nodes.filter(|nodes| !nodes.is_empty()) else {
                continue;
            };
            let bails = |node: &&Node| node.code.bails > 0 || node.code.calls < FEW;
            let bailed_out = nodes.iter().any(bails);
            let body = &mut lowered.bodies[number];
            body.cold = cold_blocks(body, |_, block, end| {
                *end == Terminator::Bail && !bailed_out
                    || nodes.iter().all(|node| self.is_passed_by(node, block))
            });
            told(body, "its code", ops[users[0]], trace);
        }
        for region in &plan.regions {
            let by_use = &lowered.by_use;
            let node = |stage: u32| {
                let op = region.stages.get(stage as usize)?.op as usize;
                // (code in another order has other blocks)
                Some((self.nodes.get(id(op))?, !by_use.contains(&op)))
            };
            let body = &mut lowered.bodies[region.function as usize];
            body.cold = cold_blocks(body, |stage, block, end| {
                let Some((node, same)) = node(stage) else {
                    return false;
                };
                if same && self.is_passed_by(node, block) {
                    return true;
                }
                match end {
                    _ if node.code.calls < FEW => false,
                    Terminator::Bail => node.code.bails == 0,
                    Terminator::Send(port) => {
                        node.sent.get(*port as usize).is_none_or(|sent| *sent == 0)
                    }
                    _ => false,
                }
            });
            let what = "the function that begins with it";
            told(body, what, ops[region.stages[0].op as usize], trace);
        }
    }
}

fn told(body: &Body, what: &str, op: &Operator, trace: &mut Trace) {
    if !body.cold.is_empty() {
        let text = format!(
            "{} of the {} blocks of {what} are cold: no message took them",
            body.cold.len(),
            body.blocks.len()
        );
        trace.did(NAME, op, text);
    }
}

/// The blocks that are never come to, and those that lead to nothing else. `is_never` says that of a block of a stage, by its
/// number in the code of that stage, and its end.
fn cold_blocks(body: &Body, is_never: impl Fn(u32, u32, &Terminator) -> bool) -> BTreeSet<BlockId> {
    let mut cold = vec![false; body.blocks.len()];
    // (the blocks of a stage stand together, behind the one that names it; a function that is no region is one stage)
    let (mut stage, mut first) = (0, 0);
    for (at, block) in body.blocks.iter().enumerate() {
        if let Some(Inst::Stage { number }) = block.insts.first() {
            (stage, first) = (*number, at + 1);
            continue;
        }
        cold[at] = is_never(stage, (at - first) as u32, &block.end);
    }
    loop {
        let mut changed = false;
        for (at, block) in body.blocks.iter().enumerate() {
            let mut next = block.end.successors().peekable();
            if !cold[at] && next.peek().is_some() && next.all(|to| cold[to.0 as usize]) {
                (cold[at], changed) = (true, true);
            }
        }
        if !changed {
            break;
        }
    }
    // (all of it would say nothing)
    match cold.first() {
        Some(false) => (0..cold.len() as u32)
            .filter(|at| cold[*at as usize])
            .map(BlockId)
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// Says which nodes are not as they were.
fn changed(profile: &Profile, graph: &Graph, same: &HashMap<String, Node>) -> Diagnostic {
    let now: HashMap<&str, &str> = (graph.ops())
        .map(|(_, op)| (op.id.as_str(), op.label()))
        .collect();
    let then: HashSet<&str> = profile.nodes.iter().map(|node| node.id.as_str()).collect();
    let label = |id: &str| match now.get(id) {
        Some(label) if *label != id => format!("{label} ({id})"),
        _ => id.to_owned(),
    };
    let other: Vec<String> = (profile.nodes.iter())
        .filter(|node| now.contains_key(node.id.as_str()) && !same.contains_key(&node.id))
        .map(|node| label(&node.id))
        .collect();
    let fresh: Vec<String> = (graph.ops())
        .filter(|(_, op)| !then.contains(op.id.as_str()))
        .map(|(_, op)| label(&op.id))
        .collect();
    let gone: Vec<String> = (profile.nodes.iter())
        .filter(|node| !now.contains_key(node.id.as_str()))
        .map(|node| node.id.clone())
        .collect();
    let text = match other.is_empty() && fresh.is_empty() && gone.is_empty() {
        true => "the wires of the flow have changed since its profile was taken",
        false => "the flow has changed since its profile was taken",
    };
    let mut warning = Diagnostic::warning(codes::PROFILE_STALE, text);
    for (what, nodes) in [("changed", other), ("new", fresh), ("gone", gone)] {
        if !nodes.is_empty() {
            warning = warning.with_note(format!("{what}: {}", listed(&nodes)));
        }
    }
    warning
}

fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named = names[..names.len() - more].join(", ");
    match more {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_mir::{Builder, MSG};

    #[test]
    fn what_leads_only_to_cold_ends_is_cold() {
        // b0 → b1 | b2;  b1 → b3;  b2: send 0;  b3: send 1
        let mut b = Builder::new();
        let [one, two, three] = std::array::from_fn(|_| b.block());
        let flag = b.flag();
        b.branch(flag, one, two);
        b.switch_to(one);
        b.jump(three);
        b.switch_to(two);
        b.end(Terminator::Send(0));
        b.switch_to(three);
        b.end(Terminator::Send(1));
        let body = b.finish();
        let cold = cold_blocks(&body, |_, _, end| *end == Terminator::Send(1));
        assert_eq!(cold, BTreeSet::from([one, three]));
        let all = cold_blocks(&body, |_, _, end| matches!(end, Terminator::Send(_)));
        let passed_by = cold_blocks(&body, |_, block, _| block == 2);
        assert_eq!(passed_by, BTreeSet::from([two]));
        assert!(all.is_empty(), "where everything is cold, nothing is");
    }

    #[test]
    fn a_loop_that_ends_nowhere_is_not_cold() {
        let mut b = Builder::new();
        let [turn, end] = std::array::from_fn(|_| b.block());
        let flag = b.flag();
        b.branch(flag, turn, end);
        b.switch_to(turn);
        b.jump(turn);
        b.switch_to(end);
        b.end(Terminator::Return(MSG));
        let cold = cold_blocks(&b.finish(), |_, _, end| matches!(end, Terminator::Bail));
        assert!(cold.is_empty());
    }

    #[test]
    fn code_is_left_out_only_where_it_never_helps() {
        let node = |received, calls, bails| Node {
            id: "n".to_owned(),
            received,
            code: vgdc_plan::profile::Code {
                calls,
                bails,
                ns: 1,
                ..Default::default()
            },
            ..Node::default()
        };
        let why = |node: Node| {
            let nodes = HashMap::from([("n".to_owned(), node)]);
            let usage = Usage {
                nodes,
                messages: 20,
                ..Usage::default()
            };
            usage.why_no_code("n")
        };
        assert_eq!(why(node(20, 20, 19)), None);
        assert_eq!(why(node(3, 3, 3)), None, "too few to tell");
        assert!(why(node(20, 20, 20)).is_some_and(|why| why.contains("all 20 calls")));
        assert!(why(node(0, 0, 0)).is_some_and(|why| why.contains("no message")));
        assert_eq!(Usage::default().why_no_code("n"), None);
        let nodes = HashMap::from([("n".to_owned(), node(0, 0, 0))]);
        let idle = Usage {
            nodes,
            messages: 9,
            ..Usage::default()
        };
        assert_eq!(idle.why_no_code("n"), None, "hardly anything happened");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert!(listed(&names).ends_with("9 and 2 more"));
        assert_eq!(listed(&names[..2]), "0, 1");
    }
}
