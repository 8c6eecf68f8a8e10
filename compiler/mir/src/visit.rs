//! What an instruction is about: its registers and constants, one after the other.

use crate::{Addr, Arg, Flag, Helper, Inst, Kind, Num, Slot};

/// A register or a constant that an instruction names.
#[derive(Debug)]
#[allow(missing_docs)] // the names say it
pub enum Operand<'i> {
    Slot(&'i mut Slot),
    Num(&'i mut Num),
    Flag(&'i mut Flag),
    Addr(&'i mut Addr),
    Key(&'i mut u32),
    Text(&'i mut u32),
    Value(&'i mut u32),
    Cache(&'i mut u32),
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read,
    /// It gets another value.
    Write,
    /// A helper has its address, and may do either.
    Lend,
}

impl Inst {
    /// Whether the values whose addresses it gives to a helper are only looked at, but for a scratch slot, which is not among
    /// those that are lent then.
    pub fn lends_nothing(&self) -> bool {
        match self {
            Inst::Ask { helper, .. } => *helper != Helper::Identify,
            Inst::Calc { .. } => true,
            Inst::Find { helper, .. } => {
                matches!(helper, Helper::GetIndex | Helper::GetValue | Helper::Field)
            }
            _ => false,
        }
    }

    /// Calls with each slot that may have another value afterwards.
    pub fn writes(&self, mut f: impl FnMut(Slot)) {
        let reads_only = self.lends_nothing();
        self.clone().operands(|operand, access| {
            if let (Operand::Slot(slot), true) = (operand, access.may_write(reads_only)) {
                f(*slot);
            }
        });
        // (of slots side by side only the first is an operand)
        let Inst::Do { helper, args } = self else {
            return;
        };
        if let Some((first, count)) = helper.row()
            && let (Some(Arg::Slot(first)), Some(Arg::Const(count))) =
                (args.get(first), args.get(count))
        {
            (first.0..first.0 + count).for_each(|slot| f(Slot(slot)));
        }
    }

    /// Shows every operand. Those that are written come last.
    pub fn operands(&mut self, mut f: impl FnMut(Operand<'_>, Access)) {
        use Access::{Read, Write};
        use Operand as O;
        match self {
            Inst::Stage { .. } | Inst::Line { .. } => {}
            Inst::View { slot } => f(O::Slot(slot), Read),
            Inst::Num { dst, .. } => f(O::Num(dst), Write),
            Inst::MoveNum { dst, src } | Inst::Unary { dst, src, .. } => {
                f(O::Num(src), Read);
                f(O::Num(dst), Write);
            }
            Inst::Arith { dst, a, b, .. } => {
                f(O::Num(a), Read);
                f(O::Num(b), Read);
                f(O::Num(dst), Write);
            }
            Inst::Flag { dst, .. } => f(O::Flag(dst), Write),
            Inst::MoveFlag { dst, src } | Inst::Not { dst, src } => {
                f(O::Flag(src), Read);
                f(O::Flag(dst), Write);
            }
            Inst::Compare { dst, a, b, .. } => {
                f(O::Num(a), Read);
                f(O::Num(b), Read);
                f(O::Flag(dst), Write);
            }
            Inst::NumTruthy { dst, src } => {
                f(O::Num(src), Read);
                f(O::Flag(dst), Write);
            }
            Inst::FlagNum { dst, src } => {
                f(O::Flag(src), Read);
                f(O::Num(dst), Write);
            }
            Inst::Box { dst, src } => {
                f(O::Num(src), Read);
                f(O::Slot(dst), Write);
            }
            Inst::BoxFlag { dst, src } => {
                f(O::Flag(src), Read);
                f(O::Slot(dst), Write);
            }
            Inst::Undefined { dst } | Inst::Null { dst } => f(O::Slot(dst), Write),
            Inst::ToNumber { dst, src } => {
                of_arg(src, Read, &mut f);
                f(O::Num(dst), Write);
            }
            Inst::Truthy { dst, src }
            | Inst::Nullish { dst, src }
            | Inst::IsUndefined { dst, src } => {
                of_arg(src, Read, &mut f);
                f(O::Flag(dst), Write);
            }
            Inst::Expect { src, .. } => of_arg(src, Read, &mut f),
            Inst::Copy { dst, src } => {
                of_arg(src, Read, &mut f);
                f(O::Slot(dst), Write);
            }
            Inst::Get {
                dst,
                base,
                scratch,
                key,
                cache,
            } => {
                of_arg(base, Read, &mut f);
                f(O::Key(key), Read);
                f(O::Cache(cache), Read);
                f(O::Slot(scratch), Write);
                f(O::Addr(dst), Write);
            }
            Inst::Do { helper, args } => of_args(*helper, args, &mut f),
            Inst::Ask { helper, dst, args } => {
                of_args(*helper, args, &mut f);
                f(O::Flag(dst), Write);
            }
            Inst::Calc { helper, dst, args } => {
                of_args(*helper, args, &mut f);
                f(O::Num(dst), Write);
            }
            Inst::Find { helper, dst, args } => {
                of_args(*helper, args, &mut f);
                f(O::Addr(dst), Write);
            }
        }
    }
}

impl Access {
    fn may_write(self, reads_only: bool) -> bool {
        match self {
            Access::Read => false,
            Access::Write => true,
            Access::Lend => !reads_only,
        }
    }
}

fn of_arg(arg: &mut Arg, access: Access, f: &mut impl FnMut(Operand<'_>, Access)) {
    match arg {
        Arg::Slot(slot) => f(Operand::Slot(slot), access),
        Arg::Addr(addr) => f(Operand::Addr(addr), Access::Read),
        Arg::Num(num) => f(Operand::Num(num), Access::Read),
        Arg::Const(_) => {}
    }
}

fn of_args(helper: Helper, args: &mut [Arg], f: &mut impl FnMut(Operand<'_>, Access)) {
    let scratch = helper.scratch();
    for (at, (arg, kind)) in args.iter_mut().zip(helper.parameters()).enumerate() {
        match (kind, arg) {
            (Kind::Key, Arg::Const(key)) => f(Operand::Key(key), Access::Read),
            (Kind::Text, Arg::Const(text)) => f(Operand::Text(text), Access::Read),
            (Kind::Value, Arg::Const(value)) => f(Operand::Value(value), Access::Read),
            (Kind::Cache, Arg::Const(cache)) => f(Operand::Cache(cache), Access::Read),
            (_, arg) if scratch == Some(at) => of_arg(arg, Access::Write, f),
            (_, arg) => of_arg(arg, Access::Lend, f),
        }
    }
}
