//! Arithmetic: on machine integers where registers are known to be whole.

use crate::emit::Emit;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use vgdc_mir::{Arith, Compare, Helper, Num};

impl Emit<'_> {
    pub(crate) fn arith(&mut self, op: Arith, dst: Num, a: Num, b: Num) {
        if op.is_bitwise() {
            return self.bitwise(op, dst, a, b);
        }
        if self.is_whole(dst)
            && let (Some(a), Some(b)) = (self.whole(a), self.whole(b))
        {
            let value = match op {
                Arith::Sub => self.b.ins().isub(a, b),
                _ => self.b.ins().iadd(a, b),
            };
            return self.set_num(dst, value);
        }
        let (a, b) = (self.num(a), self.num(b));
        let value = match op {
            Arith::Add => self.b.ins().fadd(a, b),
            Arith::Sub => self.b.ins().fsub(a, b),
            Arith::Mul => self.b.ins().fmul(a, b),
            _ => self.b.ins().fdiv(a, b),
        };
        self.set_num(dst, value);
    }

    fn bitwise(&mut self, op: Arith, dst: Num, a: Num, b: Num) {
        let (a, b) = (self.int_of(a), self.int_of(b));
        let value = match op {
            Arith::And => self.b.ins().band(a, b),
            Arith::Or => self.b.ins().bor(a, b),
            Arith::Xor => self.b.ins().bxor(a, b),
            _ => {
                let by = self.b.ins().band_imm_u(b, 31);
                match op {
                    Arith::Shl => self.b.ins().ishl(a, by),
                    Arith::Shr => self.b.ins().sshr(a, by),
                    _ => self.b.ins().ushr(a, by),
                }
            }
        };
        let wide = match op {
            Arith::UShr => self.b.ins().uextend(types::I64, value),
            _ => self.b.ins().sextend(types::I64, value),
        };
        self.set_whole(dst, wide);
    }

    /// Puts a whole number into a register of either kind.
    pub(crate) fn set_whole(&mut self, dst: Num, value: Value) {
        let value = match self.is_whole(dst) {
            true => value,
            false => self.b.ins().fcvt_from_sint(types::F64, value),
        };
        self.set_num(dst, value);
    }

    /// `ToInt32`: quick for what fits into 64 bits.
    fn int_of(&mut self, number: Num) -> Value {
        if let Some(whole) = self.whole(number) {
            return self.b.ins().ireduce(types::I32, whole);
        }
        let number = self.num(number);
        let size = self.b.ins().fabs(number);
        let limit = self.b.ins().f64const(9.0e18);
        let fits = self.b.ins().fcmp(FloatCC::LessThan, size, limit);
        self.choose(
            fits,
            types::I32,
            |emit| {
                let wide = emit.b.ins().fcvt_to_sint_sat(types::I64, number);
                emit.b.ins().ireduce(types::I32, wide)
            },
            |emit| {
                let found = emit.result(Helper::ToInt32, &[number]);
                emit.b.ins().fcvt_to_sint_sat(types::I32, found)
            },
        )
    }
}

pub(crate) fn whole_condition(compare: Compare) -> IntCC {
    match compare {
        Compare::Eq => IntCC::Equal,
        Compare::Lt => IntCC::SignedLessThan,
        Compare::Gt => IntCC::SignedGreaterThan,
        Compare::Le => IntCC::SignedLessThanOrEqual,
        Compare::Ge => IntCC::SignedGreaterThanOrEqual,
    }
}

pub(crate) fn condition(compare: Compare) -> FloatCC {
    match compare {
        Compare::Eq => FloatCC::Equal,

        Compare::Lt => FloatCC::LessThan,
        Compare::Gt => FloatCC::GreaterThan,
        Compare::Le => FloatCC::LessThanOrEqual,
        Compare::Ge => FloatCC::GreaterThanOrEqual,
    }
}
