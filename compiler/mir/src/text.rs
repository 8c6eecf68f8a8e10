//! The text form of a function: what `vgdc emit --stage mir` prints.

use crate::{Arg, Block, BlockId, Body, Helper, Inst, Kind, Terminator};
use std::fmt;

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Slot(slot) => write!(f, "v{}", slot.0),
            Arg::Addr(addr) => write!(f, "&{}", addr.0),
            Arg::Num(num) => write!(f, "n{}", num.0),
            Arg::Const(constant) => write!(f, "#{constant}"),
        }
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, block) in self.blocks.iter().enumerate() {
            let cold = match self.cold.contains(&BlockId(number as u32)) {
                true => " // cold",
                false => "",
            };
            writeln!(f, "b{number}:{cold}")?;
            self.block(f, block)?;
        }
        Ok(())
    }
}

impl Body {
    fn block(&self, f: &mut fmt::Formatter<'_>, block: &Block) -> fmt::Result {
        for inst in &block.insts {
            write!(f, "  ")?;
            self.inst(f, inst)?;
            writeln!(f)?;
        }
        match &block.end {
            Terminator::Bail => writeln!(f, "  bail"),
            Terminator::Jump(to) => writeln!(f, "  jump b{}", to.0),
            Terminator::Branch(flag, yes, no) => {
                writeln!(f, "  if f{} b{} else b{}", flag.0, yes.0, no.0)
            }
            Terminator::Return(slot) => writeln!(f, "  return v{}", slot.0),
            Terminator::Send(port) => writeln!(f, "  send {port}"),
        }
    }

    fn inst(&self, f: &mut fmt::Formatter<'_>, inst: &Inst) -> fmt::Result {
        match inst {
            Inst::Stage { number } => write!(f, "stage {number}"),
            Inst::Line { line } => write!(f, "line {line}"),
            Inst::View { slot } => write!(f, "view v{}", slot.0),
            Inst::Num { dst, value } => write!(f, "n{} = {value:?}", dst.0),
            Inst::MoveNum { dst, src } => write!(f, "n{} = n{}", dst.0, src.0),
            Inst::Arith { op, dst, a, b } => write!(f, "n{} = {op:?} n{}, n{}", dst.0, a.0, b.0),
            Inst::Unary { op, dst, src } => write!(f, "n{} = {op:?} n{}", dst.0, src.0),
            Inst::Flag { dst, value } => write!(f, "f{} = {value}", dst.0),
            Inst::MoveFlag { dst, src } => write!(f, "f{} = f{}", dst.0, src.0),
            Inst::Not { dst, src } => write!(f, "f{} = Not f{}", dst.0, src.0),
            Inst::Compare { op, dst, a, b } => write!(f, "f{} = {op:?} n{}, n{}", dst.0, a.0, b.0),
            Inst::NumTruthy { dst, src } => write!(f, "f{} = Truthy n{}", dst.0, src.0),
            Inst::FlagNum { dst, src } => write!(f, "n{} = f{}", dst.0, src.0),
            Inst::Box { dst, src } => write!(f, "v{} = n{}", dst.0, src.0),
            Inst::BoxFlag { dst, src } => write!(f, "v{} = f{}", dst.0, src.0),
            Inst::Undefined { dst } => write!(f, "v{} = undefined", dst.0),
            Inst::Null { dst } => write!(f, "v{} = null", dst.0),
            Inst::ToNumber { dst, src } => write!(f, "n{} = ToNumber {src}", dst.0),
            Inst::Truthy { dst, src } => write!(f, "f{} = Truthy {src}", dst.0),
            Inst::Nullish { dst, src } => write!(f, "f{} = Nullish {src}", dst.0),
            Inst::IsUndefined { dst, src } => write!(f, "f{} = IsUndefined {src}", dst.0),
            Inst::Expect { src, kind } => write!(f, "expect {kind:?} {src}"),
            Inst::Copy { dst, src } => write!(f, "v{} = {src}", dst.0),
            Inst::Get { dst, base, key, .. } => {
                write!(f, "&{} = {base}.{}", dst.0, self.keys[*key as usize])
            }
            Inst::Do { helper, args } => self.call(f, *helper, args),
            Inst::Ask { helper, dst, args } => {
                write!(f, "f{} = ", dst.0)?;
                self.call(f, *helper, args)
            }
            Inst::Calc { helper, dst, args } => {
                write!(f, "n{} = ", dst.0)?;
                self.call(f, *helper, args)
            }
            Inst::Find { helper, dst, args } => {
                write!(f, "&{} = ", dst.0)?;
                self.call(f, *helper, args)
            }
        }
    }

    fn call(&self, f: &mut fmt::Formatter<'_>, helper: Helper, args: &[Arg]) -> fmt::Result {
        write!(f, "{helper:?}")?;
        for (at, (arg, kind)) in args.iter().zip(helper.parameters()).enumerate() {
            write!(f, "{}", if at == 0 { " " } else { ", " })?;
            match (kind, arg) {
                (Kind::Text, Arg::Const(text)) => write!(f, "{:?}", self.texts[*text as usize])?,
                (Kind::Value, Arg::Const(value)) => {
                    write!(f, "{}", self.values[*value as usize])?;
                }
                (Kind::Key, Arg::Const(key)) => write!(f, ".{}", self.keys[*key as usize])?,
                _ => write!(f, "{arg}")?,
            }
        }
        Ok(())
    }
}
