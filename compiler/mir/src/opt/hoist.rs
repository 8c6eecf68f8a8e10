//! **hoist** takes numbers that a loop does not change out of it.
//!
//! Before → after: `b1: n = ToNumber v2; …; jump b1` has the conversion before the loop. Legal: the slot is not written inside, and
//! bailing out earlier, or in vain, is always right: somebody else does it all then. Pays: a comparison and a memory access
//! each time around.

use crate::{Access, Arg, Block, BlockId, Body, Inst, Num, Operand, Slot, Terminator};
use std::collections::HashSet;

pub(super) fn run(body: &mut Body) {
    // (from the inner loops to the outer ones: what was hoisted once may go further)
    let mut loops = loops(body);
    loops.sort_by_key(|found| found.blocks.len());
    for found in loops {
        hoist(body, &found);
    }
}

struct Loop {
    head: BlockId,
    blocks: HashSet<BlockId>,
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

/// Loops with one head that all their blocks are reached through.
fn loops(body: &Body) -> Vec<Loop> {
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
    found
}

fn hoist(body: &mut Body, found: &Loop) {
    let mut written: HashSet<Slot> = HashSet::new();
    let mut defined: Vec<u32> = vec![0; body.nums as usize];
    for (at, block) in body.blocks.iter().enumerate() {
        let inside = found.blocks.contains(&BlockId(at as u32));
        for inst in &block.insts {
            if inside {
                inst.writes(|slot| {
                    written.insert(slot);
                });
            }
            inst.clone().operands(|operand, access| {
                if let (Operand::Num(num), Access::Write) = (operand, access) {
                    defined[num.0 as usize] += 1;
                }
            });
        }
    }
    let mut hoisted = Vec::new();
    let once = |num: &Num| defined[num.0 as usize] == 1;
    for block in &found.blocks {
        let insts = &mut body.blocks[block.0 as usize].insts;
        insts.retain(|inst| match inst {
            Inst::ToNumber {
                dst,
                src: Arg::Slot(slot),
            } if once(dst) && !written.contains(slot) => {
                hoisted.push((block.0, inst.clone()));
                false
            }
            _ => true,
        });
    }
    if hoisted.is_empty() {
        return;
    }
    hoisted.sort_by_key(|(block, _)| *block);
    let before = BlockId(body.blocks.len() as u32);
    body.blocks.push(Block {
        insts: hoisted.into_iter().map(|(_, inst)| inst).collect(),
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
