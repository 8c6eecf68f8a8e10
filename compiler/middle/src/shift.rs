//! When is it the same whether an operator handles a message at once, inside the send, or when its turn in the queue comes?
//!
//! That is the question of `fuse` and of `erase_junctions`: both take a turn of the queue out of the ways that lead through some
//! edges into one operator B. Call what B can reach, B itself included, *below*; call the senders of those edges and all that can
//! lead to them, and whatever these reach without the edges, *beside*.
//!
//! Take one event from outside (a timer, a socket, a request), come to a queue that is empty. All messages that follow come from
//! it. If nothing is both below and beside, every message that arrives below went through exactly one turn less than before, and
//! every message beside went through as many as before. The queue is first in, first out, so it works in rounds, and within a
//! round in the order of the round before: taking one round from all that is below changes no order among what is below, nor
//! among what is beside. Each operator is in one of the two, so each sees the same messages in the same order.
//!
//! What two operators share besides messages must be in one of the two as a whole, too: a context key, or a configuration node
//! through which both act on the world. So: if an operator below and one beside share something, it is not the same.
//!
//! Edges to catch, status and complete nodes, calls and returns take no turn; that changes nothing above: rounds are counted
//! along turns. An operator that sends later (a timer, an answer from a socket) makes an event from outside.
//!
//! # Loops
//!
//! On a loop everything is both below and beside. It is the same nevertheless when the loop is a simple one, whatever leads to it
//! leads there by one way (and what else it leads to has nothing to do with the loop), and nothing that the loop leads to comes
//! together again: then all that an event brings goes around in step, each
//! message comes to each operator once a lap, always by the same way, and in the order in which it entered. Taking turns out makes
//! the laps shorter and changes no order, as long as one turn is left (all edges of the loop have to take one), which is where the loop is entered: two ways lead there.
//! What is on the loop or behind it may share nothing with another of all these operators.
//!
//! `tests/fuse.rs` holds this against a simulation of the queue on random graphs.

use std::collections::{HashMap, HashSet};

use vgdc_ir::{EdgeId, EdgeKind, EdgeRef, Graph, OpId, Part};
use vgdc_spec::Effect;

use crate::islands;
use crate::keys::ContextUse;

/// Who can lead to whom, and who shares what; made once for a graph, and valid while its edges stay.
pub struct Ways {
    out: Vec<Vec<(EdgeId, OpId)>>,
    into: Vec<Vec<(EdgeId, OpId)>>,
    /// The edges that take a turn of the queue.
    turns: HashSet<EdgeId>,
    /// For each operator, the numbers of the things that it shares with others.
    shares: Vec<Vec<u32>>,
    /// How many operators the searches have looked at.
    steps: usize,
}

/// Why a turn cannot be taken out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// This operator is reached both through the edges and around them.
    Around(OpId),
    /// These two share context or a configuration node, and one of them is reached around the edges.
    Shared(OpId, OpId),
}

impl Ways {
    /// Looks at a graph.
    pub fn new(graph: &Graph, uses: &HashMap<OpId, ContextUse>) -> Ways {
        let bound = graph.op_bound();
        let mut ways = Ways {
            out: vec![Vec::new(); bound],
            into: vec![Vec::new(); bound],
            turns: HashSet::new(),
            shares: vec![Vec::new(); bound],
            steps: 0,
        };
        for edge in graph.all_edges() {
            if edge.kind().port().is_some() {
                ways.turns.insert(edge.id);
            }
            for (id, to) in leads_to(graph, &edge) {
                ways.out[edge.from.index()].push((id, to));
                ways.into[to.index()].push((id, edge.from));
            }
        }
        for (number, users) in shared(graph, uses).into_iter().enumerate() {
            for user in users {
                ways.shares[user.index()].push(number as u32);
            }
        }
        ways
    }

    /// How many ways lead out of an operator.
    pub fn out_count(&self, op: OpId) -> usize {
        self.out[op.index()].len()
    }

    /// How many ways lead into an operator.
    pub fn in_count(&self, op: OpId) -> usize {
        self.into[op.index()].len()
    }

    /// Whether an operator shares context or a configuration node with another.
    pub fn shares_something(&self, op: OpId) -> bool {
        !self.shares[op.index()].is_empty()
    }

    /// How much work the questions so far took: operators looked at.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Whether it is the same if `op` handles what comes along `edges` at once; `senders` are where these edges leave.
    pub fn same_at_once(
        &mut self,
        op: OpId,
        edges: &[EdgeId],
        senders: &[OpId],
    ) -> Result<(), Obstacle> {
        let below = self.reach(&[op], |_| true, false);
        let above = self.reach(senders, |_| true, true);
        let starts: Vec<OpId> = members(&above).collect();
        let beside = self.reach(&starts, |edge| !edges.contains(&edge), false);
        if let Some(both) = members(&below).find(|op| beside[op.index()]) {
            return match edges {
                [_] if self.in_step(&below, &above) => Ok(()),
                _ => Err(Obstacle::Around(both)),
            };
        }
        self.sharing(&below, &beside)
    }

    /// Whether an edge is on a simple loop on which everything goes around in step; see the head of this file.
    fn in_step(&mut self, below: &[bool], above: &[bool]) -> bool {
        let on_loop = |op: OpId| below[op.index()] && above[op.index()];
        let all = |op: OpId| below[op.index()] || above[op.index()];
        let (mut entered, mut aside) = (false, Vec::new());
        for op in (0..below.len() as u32).map(OpId).filter(|op| all(*op)) {
            let into = self.into[op.index()].iter().map(|(_, from)| *from);
            let out = self.out[op.index()].iter().map(|(_, to)| *to);
            let fine = if on_loop(op) {
                entered |= into.clone().any(|from| !on_loop(from));
                let around = self.out[op.index()].iter().filter(|(_, to)| on_loop(*to));
                into.filter(|from| on_loop(*from)).count() == 1
                    && around.clone().count() == 1
                    && around.clone().all(|(edge, _)| self.turns.contains(edge))
            } else if below[op.index()] {
                into.filter(|from| below[from.index()]).count() == 1
            } else {
                aside.extend(out.clone().filter(|to| !all(*to)));
                out.filter(|to| all(*to)).count() == 1
                    && self.out[op.index()]
                        .iter()
                        .all(|(_, to)| !all(*to) || above[to.index()])
            };
            if !fine {
                return false;
            }
        }
        let aside = self.reach(&aside, |_| true, false);
        if !entered || members(&aside).any(all) {
            return false;
        }
        let held = |set: &[bool], but: &[bool]| -> Vec<u32> {
            let ops = members(set).filter(|op| !but[op.index()]);
            ops.flat_map(|op| self.shares[op.index()].iter().copied())
                .collect()
        };
        let nobody = vec![false; below.len()];
        let mut inside = held(below, &nobody);
        let count = inside.len();
        inside.sort_unstable();
        inside.dedup();
        let outside = [held(above, below), held(&aside, &nobody)];
        inside.len() == count
            && !outside
                .iter()
                .flatten()
                .any(|thing| inside.binary_search(thing).is_ok())
    }

    fn sharing(&self, below: &[bool], beside: &[bool]) -> Result<(), Obstacle> {
        let mut holders: HashMap<u32, OpId> = HashMap::new();
        for op in members(below) {
            for &thing in &self.shares[op.index()] {
                holders.entry(thing).or_insert(op);
            }
        }
        if holders.is_empty() {
            return Ok(());
        }
        for op in members(beside) {
            if let Some(&other) = self.shares[op.index()]
                .iter()
                .find_map(|thing| holders.get(thing))
            {
                return Err(Obstacle::Shared(other, op));
            }
        }
        Ok(())
    }

    /// What can be reached, the starts included, along the edges that may be taken.
    fn reach(&mut self, starts: &[OpId], takes: impl Fn(EdgeId) -> bool, back: bool) -> Vec<bool> {
        let table = if back { &self.into } else { &self.out };
        let mut seen = vec![false; table.len()];
        let mut todo = Vec::new();
        for &start in starts {
            seen[start.index()] = true;
            todo.push(start);
        }
        while let Some(at) = todo.pop() {
            self.steps += 1;
            for &(edge, to) in &table[at.index()] {
                if !seen[to.index()] && takes(edge) {
                    seen[to.index()] = true;
                    todo.push(to);
                }
            }
        }
        seen
    }
}

fn members(set: &[bool]) -> impl Iterator<Item = OpId> {
    set.iter()
        .enumerate()
        .filter(|(_, there)| **there)
        .map(|(at, _)| OpId(at as u32))
}

/// Where what goes along an edge comes, if anything ever does: what only passes messages on raises no errors and has no status.
/// The status of a subflow instance comes to those who listen to the instance, not to the instance.
fn leads_to(graph: &Graph, edge: &EdgeRef<'_>) -> Vec<(EdgeId, OpId)> {
    let from = &graph.op(edge.from).part;
    let passes_on = matches!(
        from,
        Part::Junction
            | Part::LinkIn(_)
            | Part::LinkOut(_)
            | Part::Comment
            | Part::Listener(_)
            | Part::SubflowInstance
    );
    match edge.kind() {
        EdgeKind::Config => Vec::new(),
        EdgeKind::Catch(_) | EdgeKind::Status(_) if passes_on => Vec::new(),
        EdgeKind::SetStatus => {
            let edges = graph.out_edges(edge.to);
            let statuses = edges
                .iter()
                .filter(|edge| matches!(edge.kind(), EdgeKind::Status(_)));
            statuses.map(|status| (edge.id, status.to)).collect()
        }
        _ => vec![(edge.id, edge.to)],
    }
}

/// Sets of operators that share something besides messages.
fn shared(graph: &Graph, uses: &HashMap<OpId, ContextUse>) -> Vec<Vec<OpId>> {
    let mut sets: Vec<Vec<OpId>> = Vec::new();
    let contexts = islands::contexts(graph, uses);
    for sharing in contexts.values() {
        // An unknown key may be any of them.
        sets.extend(
            sharing
                .keys
                .values()
                .map(|users| users.iter().chain(&sharing.any).copied().collect()),
        );
        sets.push(sharing.any.clone());
    }
    for (id, op) in graph.ops().filter(|(_, op)| op.part.is_config()) {
        let acts = |effect| matches!(effect, Effect::Io | Effect::State);
        let users = graph.in_edges(id);
        let users = users
            .iter()
            .filter(|edge| edge.kind() == EdgeKind::Config)
            .map(|edge| edge.from);
        let mut users: Vec<OpId> = users.filter(|&user| acts(graph.op(user).effect)).collect();
        users.extend(acts(op.effect).then_some(id));
        sets.push(users);
    }
    sets.retain(|set| set.len() > 1);
    sets
}
