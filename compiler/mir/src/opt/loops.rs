//! Loops of a function, and a place before them.

use crate::{Block, BlockId, Body, Inst, Terminator};
use std::collections::HashSet;

/// A loop: its head, and all blocks that come back there.
pub(super) struct Loop {
    pub(super) head: BlockId,
    pub(super) blocks: HashSet<BlockId>,
}

impl Loop {
    /// The instructions inside, as the body is now.
    pub(super) fn insts<'b>(&self, body: &'b Body) -> impl Iterator<Item = &'b Inst> {
        self.blocks
            .iter()
            .flat_map(|block| &body.blocks[block.0 as usize].insts)
    }
}

fn predecessors(body: &Body) -> Vec<Vec<BlockId>> {
    let mut into = vec![Vec::new(); body.blocks.len()];
    for (at, block) in body.blocks.iter().enumerate() {
        for to in block.end.successors() {
            into[to.0 as usize].push(BlockId(at as u32));
        }
    }
    into
}

/// Loops with one head that all their blocks are reached through; inner ones before those around them.
pub(super) fn loops(body: &Body) -> Vec<Loop> {
    let into = predecessors(body);
    let count = body.blocks.len();
    // Back edges, as a walk in depth finds them.
    let (mut state, mut back) = (vec![0u8; count], Vec::new());
    let mut stack = vec![(
        BlockId(0),
        body.blocks[0].end.successors().collect::<Vec<_>>(),
    )];
    state[0] = 1;
    while let Some((at, next)) = stack.last_mut() {
        let at = *at;
        match next.pop() {
            Some(to) => match state[to.0 as usize] {
                0 => {
                    state[to.0 as usize] = 1;
                    let next = body.blocks[to.0 as usize].end.successors().collect();
                    stack.push((to, next));
                }
                1 => back.push((at, to)),
                _ => {}
            },
            None => {
                state[at.0 as usize] = 2;
                stack.pop();
            }
        }
    }
    let mut found: Vec<Loop> = Vec::new();
    for (from, head) in back {
        let mut blocks = HashSet::from([head]);
        let mut todo = vec![from];
        while let Some(at) = todo.pop() {
            if blocks.insert(at) {
                todo.extend(&into[at.0 as usize]);
            }
        }
        match found.iter_mut().find(|known| known.head == head) {
            Some(known) => known.blocks.extend(blocks),
            None => found.push(Loop { head, blocks }),
        }
    }
    // (the first block is inside only when the loop can be entered elsewhere than at its head)
    found.retain(|found| {
        found.head != BlockId(0)
            && found.blocks.iter().all(|block| {
                *block == found.head
                    || into[block.0 as usize]
                        .iter()
                        .all(|from| found.blocks.contains(from))
            })
            && !found.blocks.contains(&BlockId(0))
    });
    found.sort_by_key(|found| found.blocks.len());
    found
}

/// The blocks of all loops that have none of these blocks.
pub fn loops_without(body: &Body, blocks: &HashSet<BlockId>) -> HashSet<BlockId> {
    let found = loops(body).into_iter();
    found
        .filter(|found| found.blocks.is_disjoint(blocks))
        .flat_map(|found| found.blocks)
        .collect()
}

/// Adds a block that is gone through each time the loop is entered.
pub(super) fn before(body: &mut Body, found: &Loop, insts: Vec<Inst>) {
    let before = BlockId(body.blocks.len() as u32);
    body.blocks.push(Block {
        insts,
        end: Terminator::Jump(found.head),
    });
    let lead = |to: &mut BlockId| {
        if *to == found.head {
            *to = before;
        }
    };
    for (at, block) in body.blocks.iter_mut().enumerate() {
        let at = BlockId(at as u32);
        if at == before || found.blocks.contains(&at) {
            continue;
        }
        match &mut block.end {
            Terminator::Jump(to) => lead(to),
            Terminator::Branch(_, yes, no) => {
                lead(yes);
                lead(no);
            }
            _ => {}
        }
    }
}
