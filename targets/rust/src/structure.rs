//! From basic blocks to statements: loops, conditions and blocks that are left early, as Rust has them.
//!
//! Every way through the blocks is a way through the statements, and no variable says where to go on: LLVM sees the loops
//! that the author wrote. The blocks form a tree (each block below the one that every way to it leads through); a block to
//! which several ways lead comes behind what leads to it, in a labelled block that those ways break out of. That works for
//! every graph whose loops have one entrance. JavaScript has no other, but whoever makes the middle representation may:
//! such a graph is refused ([`Structure::of`]), and runs as a loop around a `match`.

use std::collections::BTreeSet;
use vgdc_mir::{BlockId, Body, Flag, Slot, Terminator};

/// What a function does, in order. What follows a statement that never comes to its end is not there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stmt {
    /// The instructions of a block.
    Block(BlockId),
    /// What follows is hardly ever come to.
    Cold,
    /// `if flag { … } else { … }`
    If(Flag, Vec<Stmt>, Vec<Stmt>),
    /// `'label: { … }`
    Labelled(BlockId, Vec<Stmt>),
    /// `'label: loop { … }`, or without the label.
    Loop(BlockId, Vec<Stmt>),
    /// Leaves a labelled block.
    Break(BlockId),
    /// Begins a loop anew.
    Continue(BlockId),
    /// The call ends well.
    Return(Slot),
    /// The call ends well: the message leaves by this output.
    Send(u32),
    /// The call bails out.
    Bail,
}

/// A function as statements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Structure {
    /// What it does.
    pub stmts: Vec<Stmt>,
    /// Labels that are needed.
    pub labels: BTreeSet<BlockId>,
}

impl Structure {
    /// The statements of a function. `None` when one of its loops has several entrances.
    pub fn of(body: &Body) -> Option<Structure> {
        let graph = Graph::of(body)?;
        let mut make = Make {
            body,
            graph: &graph,
            labels: BTreeSet::new(),
        };
        let mut stmts = Vec::new();
        make.tree(0, Next::Nothing, &mut stmts);
        Some(Structure {
            stmts,
            labels: make.labels,
        })
    }
}

/// Whether what stands behind these statements is never reached.
pub(crate) fn diverge(stmts: &[Stmt]) -> bool {
    match stmts.last() {
        None | Some(Stmt::Block(_) | Stmt::Cold | Stmt::Labelled(..)) => false,
        Some(Stmt::If(_, yes, no)) => diverge(yes) && diverge(no),
        Some(
            Stmt::Loop(..)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::Return(_)
            | Stmt::Send(_)
            | Stmt::Bail,
        ) => true,
    }
}

/// The blocks that can be reached, by their numbers in reverse postorder.
struct Graph {
    /// The blocks, in that order.
    blocks: Vec<BlockId>,
    /// Where each goes on.
    next: Vec<Vec<usize>>,
    /// Whether some way leads back to it.
    is_header: Vec<bool>,
    /// Whether it stands behind a labelled block.
    is_labelled: Vec<bool>,
    /// What stands behind it, ascending: inside of the loop that it begins, and after that loop.
    inside: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
}

impl Graph {
    fn of(body: &Body) -> Option<Graph> {
        let blocks = body.reached();
        let mut number = vec![usize::MAX; body.blocks.len()];
        for (at, block) in blocks.iter().enumerate() {
            number[block.0 as usize] = at;
        }
        let next: Vec<Vec<usize>> = blocks
            .iter()
            .map(|block| {
                let to = body.blocks[block.0 as usize].end.successors();
                to.map(|to| number[to.0 as usize]).collect()
            })
            .collect();
        let count = blocks.len();
        let mut before = vec![Vec::new(); count];
        for (at, to) in next.iter().enumerate() {
            to.iter().for_each(|&to| before[to].push(at));
        }
        let above = dominators(&before);
        let dominates = |one: usize, mut other: usize| {
            while other > one {
                other = above[other];
            }
            other == one
        };
        // The blocks of each loop: from which a way leads back to its header without going through that.
        let mut loops = vec![BTreeSet::new(); count];
        for (at, to) in next.iter().enumerate() {
            for &header in to.iter().filter(|&&to| to <= at) {
                if !dominates(header, at) {
                    return None;
                }
                let members: &mut BTreeSet<usize> = &mut loops[header];
                members.insert(header);
                let mut todo = vec![at];
                while let Some(at) = todo.pop() {
                    if members.insert(at) {
                        todo.extend(&before[at]);
                    }
                }
            }
        }
        let mut graph = Graph {
            blocks,
            next,
            is_header: loops.iter().map(|members| !members.is_empty()).collect(),
            is_labelled: vec![false; count],
            inside: vec![Vec::new(); count],
            after: vec![Vec::new(); count],
        };
        for at in 1..count {
            let up = above[at];
            let forward = before[at].iter().filter(|&&from| from < at).count();
            // (headers of outer loops come first)
            let left = (0..=up)
                .find(|&header| loops[header].contains(&up) && !loops[header].contains(&at));
            if let Some(header) = left {
                graph.is_labelled[at] = true;
                graph.after[header].push(at);
            } else if forward > 1 {
                graph.is_labelled[at] = true;
                graph.inside[up].push(at);
            }
        }
        Some(graph)
    }
}

/// Above each block the nearest one that every way to it leads through, by "A Simple, Fast Dominance Algorithm" (Cooper,
/// Harvey, Kennedy).
fn dominators(before: &[Vec<usize>]) -> Vec<usize> {
    let mut above = vec![usize::MAX; before.len()];
    above[0] = 0;
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for at in 1..before.len() {
            let mut known = before[at]
                .iter()
                .copied()
                .filter(|&from| above[from] != usize::MAX);
            let first = known.next().unwrap_or(0);
            let found = known.fold(first, |mut one, mut other| {
                while one != other {
                    if one > other {
                        one = above[one];
                    } else {
                        other = above[other];
                    }
                }
                one
            });
            changed |= std::mem::replace(&mut above[at], found) != found;
        }
    }
    above
}

/// Where control goes at the end of a piece of text.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// The text may not come to its end.
    Nothing,
    /// To this block, whose text follows.
    Block(usize),
    /// To the beginning of the loop.
    Again(usize),
}

struct Make<'b> {
    body: &'b Body,
    graph: &'b Graph,
    labels: BTreeSet<BlockId>,
}

impl Make<'_> {
    /// The text of a block and of all below it.
    fn tree(&mut self, at: usize, next: Next, into: &mut Vec<Stmt>) {
        let graph = self.graph;
        if !graph.is_header[at] {
            return self.rows(at, &graph.inside[at], next, into, Make::block);
        }
        self.rows(at, &graph.after[at], next, into, |make, at, _, into| {
            let mut inner = Vec::new();
            let again = Next::Again(at);
            make.rows(at, &graph.inside[at], again, &mut inner, Make::block);
            into.push(Stmt::Loop(graph.blocks[at], inner));
        });
    }

    /// A text, and behind it one after the other the blocks that it and they lead to.
    fn rows(
        &mut self,
        at: usize,
        behind: &[usize],
        next: Next,
        into: &mut Vec<Stmt>,
        first: impl FnOnce(&mut Self, usize, Next, &mut Vec<Stmt>),
    ) {
        let next_of = |row: usize| behind.get(row).map_or(next, |&block| Next::Block(block));
        let mut text = Vec::new();
        first(self, at, next_of(0), &mut text);
        for (row, &block) in behind.iter().enumerate() {
            let label = self.graph.blocks[block];
            if self.labels.contains(&label) {
                text = vec![Stmt::Labelled(label, text)];
            }
            self.tree(block, next_of(row + 1), &mut text);
        }
        into.append(&mut text);
    }

    /// The text of one block and its end.
    fn block(&mut self, at: usize, next: Next, into: &mut Vec<Stmt>) {
        let id = self.graph.blocks[at];
        let block = &self.body.blocks[id.0 as usize];
        if self.body.cold.contains(&id) {
            into.push(Stmt::Cold);
        }
        if !block.insts.is_empty() {
            into.push(Stmt::Block(id));
        }
        let to = &self.graph.next[at];
        match &block.end {
            Terminator::Bail => into.push(Stmt::Bail),
            Terminator::Return(slot) => into.push(Stmt::Return(*slot)),
            Terminator::Send(port) => into.push(Stmt::Send(*port)),
            Terminator::Jump(_) => self.go(at, to[0], next, into),
            Terminator::Branch(flag, ..) => {
                let (mut yes, mut no) = (Vec::new(), Vec::new());
                self.go(at, to[0], next, &mut yes);
                self.go(at, to[1], next, &mut no);
                // (what follows a branch that is left needs no block of its own)
                let (after_yes, after_no) = (diverge(&yes), diverge(&no));
                if after_yes {
                    into.push(Stmt::If(*flag, yes, Vec::new()));
                    into.append(&mut no);
                } else if after_no {
                    into.push(Stmt::If(*flag, Vec::new(), no));
                    into.append(&mut yes);
                } else {
                    into.push(Stmt::If(*flag, yes, no));
                }
            }
        }
    }

    /// Goes on at a block.
    fn go(&mut self, from: usize, to: usize, next: Next, into: &mut Vec<Stmt>) {
        let label = self.graph.blocks[to];
        if to <= from {
            if next != Next::Again(to) {
                self.labels.insert(label);
                into.push(Stmt::Continue(label));
            }
        } else if !self.graph.is_labelled[to] {
            self.tree(to, next, into);
        } else if next != Next::Block(to) {
            self.labels.insert(label);
            into.push(Stmt::Break(label));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_mir::{Builder, MSG};

    /// A graph of blocks: where each leads, with a flag of its own where there are two ways.
    fn body(edges: &[&[u32]]) -> Body {
        let mut b = Builder::new();
        let blocks: Vec<BlockId> = std::iter::once(BlockId(0))
            .chain((1..edges.len()).map(|_| b.block()))
            .collect();
        for (block, to) in blocks.iter().zip(edges) {
            b.switch_to(*block);
            let flag = b.flag();
            b.end(match to {
                [] => Terminator::Return(MSG),
                [to] => Terminator::Jump(BlockId(*to)),
                [yes, no, ..] => Terminator::Branch(flag, BlockId(*yes), BlockId(*no)),
            });
        }
        b.finish()
    }

    /// Walks through statements, asking which way to take, and tells the branches that it came by.
    fn walk(structure: &Structure, mut way: impl FnMut() -> bool) -> Vec<u32> {
        enum End {
            Through,
            Break(BlockId),
            Continue(BlockId),
            Over,
        }
        fn run(stmts: &[Stmt], way: &mut dyn FnMut() -> bool, seen: &mut Vec<u32>) -> End {
            let mut turns = 0;
            for stmt in stmts {
                let end = match stmt {
                    Stmt::Block(_) | Stmt::Cold => End::Through,
                    Stmt::If(flag, yes, no) => {
                        seen.push(flag.0);
                        run(if way() { yes } else { no }, way, seen)
                    }
                    Stmt::Labelled(label, inner) => match run(inner, way, seen) {
                        End::Break(to) if to == *label => End::Through,
                        end => end,
                    },
                    Stmt::Loop(label, inner) => loop {
                        match run(inner, way, seen) {
                            End::Through => {}
                            End::Continue(to) if to == *label => {}
                            end => break end,
                        }
                        turns += 1;
                        if seen.len() > 200 || turns > 500 {
                            return End::Over;
                        }
                    },
                    Stmt::Break(label) => End::Break(*label),
                    Stmt::Continue(label) => End::Continue(*label),
                    Stmt::Return(_) | Stmt::Send(_) | Stmt::Bail => End::Over,
                };
                if !matches!(end, End::Through) || seen.len() > 200 {
                    return end;
                }
            }
            End::Through
        }
        let mut seen = Vec::new();
        run(&structure.stmts, &mut way, &mut seen);
        seen
    }

    /// The same through the blocks.
    fn jump(body: &Body, mut way: impl FnMut() -> bool) -> Vec<u32> {
        let (mut at, mut seen, mut steps) = (BlockId(0), Vec::new(), 0);
        while seen.len() <= 200 && steps < 5000 {
            steps += 1;
            at = match &body.blocks[at.0 as usize].end {
                Terminator::Jump(to) => *to,
                Terminator::Branch(flag, yes, no) => {
                    seen.push(flag.0);
                    if way() { *yes } else { *no }
                }
                _ => break,
            };
        }
        seen
    }

    /// Numbers by lot, the same from run to run.
    fn lot(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 16
        }
    }

    #[test]
    fn a_loop_is_a_loop() {
        let structure = Structure::of(&body(&[&[1], &[2, 3], &[1], &[]])).expect("is reducible");
        assert_eq!(
            structure.stmts,
            [
                Stmt::Labelled(
                    BlockId(3),
                    vec![Stmt::Loop(
                        BlockId(1),
                        vec![Stmt::If(Flag(1), vec![], vec![Stmt::Break(BlockId(3))])]
                    )]
                ),
                Stmt::Return(MSG)
            ]
        );
    }

    #[test]
    fn a_loop_with_two_entrances_is_refused() {
        assert!(Structure::of(&body(&[&[1, 2], &[2, 3], &[1], &[]])).is_none());
    }

    #[test]
    fn every_way_through_blocks_drawn_by_lot_is_one_through_the_statements() {
        let mut structured = 0;
        for seed in 1..4000 {
            let mut next = lot(seed);
            let count = 2 + next() % 12;
            let edges: Vec<Vec<u32>> = (0..count)
                .map(|_| {
                    let ways = next() % 5 % 3;
                    (0..ways).map(|_| (next() % count) as u32).collect()
                })
                .collect();
            let edges: Vec<&[u32]> = edges.iter().map(Vec::as_slice).collect();
            let body = body(&edges);
            let Some(structure) = Structure::of(&body) else {
                continue;
            };
            structured += 1;
            for seed in 1..20 {
                let (mut one, mut other) = (lot(seed), lot(seed));
                let expected = jump(&body, || one() % 2 == 0);
                let mut found = walk(&structure, || other() % 2 == 0);
                // (an endless loop without a branch is given up)
                found.truncate(expected.len());
                assert_eq!(found, expected, "{edges:?}\n{structure:?}");
            }
        }
        assert!(structured > 1000, "{structured} graphs were reducible");
    }
}
