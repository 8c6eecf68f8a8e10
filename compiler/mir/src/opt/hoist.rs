//! **hoist** takes numbers that a loop does not change out of it.
//!
//! Before → after: `b1: n = ToNumber v2; …; jump b1` has the conversion before the loop. Legal: the slot is not written inside, nor,
//! where slots hold references, any object: the number that `[3]` is becomes another one when somebody pops its element. And
//! bailing out earlier, or in vain, is always right: somebody else does it all then. Pays: a comparison and a memory access
//! each time around.

use super::loops::{self, Loop};
use crate::{Access, Arg, BlockId, Body, Helper, Inst, Num, Operand, Slot};
use std::collections::HashSet;

pub(super) fn run(body: &mut Body) {
    for found in loops::loops(body) {
        if !body.shared || found.insts(body).all(leaves_objects) {
            hoist(body, &found);
        }
    }
}

/// Whether an instruction is known to change no object that references lead to.
fn leaves_objects(inst: &Inst) -> bool {
    let helper = match inst {
        Inst::Do { helper, .. }
        | Inst::Ask { helper, .. }
        | Inst::Calc { helper, .. }
        | Inst::Find { helper, .. } => *helper,
        _ => return true,
    };
    matches!(
        helper,
        Helper::Tick
            | Helper::Clear
            | Helper::Move
            | Helper::Text
            | Helper::Add
            | Helper::GetIndex
            | Helper::Less
            | Helper::StrictEqual
            | Helper::LooseEqual
            | Helper::Math2
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Compare, MSG, Terminator};

    /// `do { n = Number(list); other.pop() } while (n < n)`, where the two may lead to the same array.
    fn body(shared: bool, pops: bool) -> Body {
        let mut b = Builder::new();
        let [list, other, popped, scratch] = std::array::from_fn(|_| b.slot());
        let (number, flag) = (b.num(), b.flag());
        let (inside, end) = (b.block(), b.block());
        b.jump(inside);
        b.switch_to(inside);
        b.push(Inst::ToNumber {
            dst: number,
            src: list.into(),
        });
        if pops {
            let args = [
                popped.into(),
                other.into(),
                scratch.into(),
                1.into(),
                0.into(),
            ];
            b.call(Helper::Mutate, args.to_vec());
        }
        b.push(Inst::Compare {
            op: Compare::Lt,
            dst: flag,
            a: number,
            b: number,
        });
        b.end(Terminator::Branch(flag, inside, end));
        b.switch_to(end);
        b.end(Terminator::Return(MSG));
        let mut body = b.finish();
        body.shared = shared;
        run(&mut body);
        body
    }

    #[test]
    fn what_another_reference_may_change_is_asked_for_each_time() {
        for (shared, pops, hoisted) in [
            (false, true, true),
            (true, false, true),
            (true, true, false),
        ] {
            let body = body(shared, pops);
            assert_eq!(!body.did.is_empty(), hoisted, "{body}");
        }
    }
}
