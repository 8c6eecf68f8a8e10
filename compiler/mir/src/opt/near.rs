//! **near** brings the conversion to a number to the place where the value was found.
//!
//! Before → after: `&0 = GetIndex v1 n0; &1 = GetIndex v2 n1; n2 = ToNumber &0` has the conversion behind the first. Legal: the
//! address is that of the same value in between, or none any more; bailing out earlier is always right; and nobody asks for
//! the register in between. Pays: a backend can find an element and look whether it is a number in one go, without an address.

use crate::{Access, Arg, Body, Inst, Operand};

pub(super) fn run(body: &mut Body) {
    for block in &mut body.blocks {
        for at in 0..block.insts.len() {
            let Inst::ToNumber {
                dst,
                src: Arg::Addr(from),
            } = block.insts[at]
            else {
                continue;
            };
            let found = block.insts[..at].iter().rposition(|inst| {
                matches!(inst, Inst::Find { dst, .. } | Inst::Get { dst, .. } if *dst == from)
            });
            let Some(found) = found else { continue };
            let mut asked = false;
            for inst in &block.insts[found + 1..at] {
                inst.clone().operands(|operand, _: Access| {
                    asked |= matches!(operand, Operand::Num(num) if *num == dst);
                });
            }
            if !asked {
                block.insts[found + 1..=at].rotate_right(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arith, Builder, Helper, MSG, Terminator};

    #[test]
    fn conversions_come_right_behind_what_they_convert_unless_the_register_is_asked_for() {
        for asked in [false, true] {
            let mut b = Builder::new();
            let (scratch, index, one, other) = (b.temp(), b.constant(0.0), b.num(), b.num());
            let dst = b.addr();
            b.push(Inst::Find {
                helper: Helper::GetIndex,
                dst,
                args: vec![MSG.into(), scratch.into(), index.into()],
            });
            b.push(Inst::Arith {
                op: Arith::Sub,
                dst: other,
                a: index,
                b: if asked { one } else { index },
            });
            b.push(Inst::ToNumber {
                dst: one,
                src: dst.into(),
            });
            b.end(Terminator::Return(MSG));
            let mut body = b.finish();
            run(&mut body);
            let at = (body.blocks[0].insts.iter())
                .position(|inst| matches!(inst, Inst::ToNumber { .. }));
            assert_eq!(at, Some(if asked { 3 } else { 2 }), "{body}");
        }
    }
}
