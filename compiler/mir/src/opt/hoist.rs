//! **hoist** takes numbers that a loop does not change out of it.
//!
//! Before → after: `b1: n = ToNumber v2; …; jump b1` has the conversion before the loop. Legal: the slot is not written inside, and
//! bailing out earlier, or in vain, is always right: somebody else does it all then. Pays: a comparison and a memory access
//! each time around.

use super::loops::{self, Loop};
use crate::{Access, Arg, BlockId, Body, Inst, Num, Operand, Slot};
use std::collections::HashSet;

pub(super) fn run(body: &mut Body) {
    for found in loops::loops(body) {
        hoist(body, &found);
    }
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
    let count = hoisted.len();
    body.did
        .push(format!("hoist: numbers taken out of a loop: {count}"));
    let insts = hoisted.into_iter().map(|(_, inst)| inst).collect();
    loops::before(body, found, insts);
}
