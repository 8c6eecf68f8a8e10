//! Operators: arithmetic, comparisons, and those that decide which of two expressions is evaluated.

use oxc_ast::ast::*;
use oxc_syntax::operator::{BinaryOperator, LogicalOperator, UnaryOperator};
use vgdc_mir::{Arg, Arith, Builtin, Compare, Flag, Helper, Inst, Math, Num, Terminator};

use super::expr::Opd;
use super::types::Ty;
use super::{Lower, Name, Res, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    pub(super) fn not(&mut self, src: Flag) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Not { dst, src });
        dst
    }

    pub(super) fn unary(&mut self, unary: &'w UnaryExpression<'a>) -> Res<Opd> {
        match unary.operator {
            UnaryOperator::LogicalNot => {
                let src = self.flag(&unary.argument)?;
                Ok(Opd::Flag(self.not(src)))
            }
            UnaryOperator::UnaryPlus => Ok(Opd::Num(self.num(&unary.argument)?)),
            UnaryOperator::UnaryNegation => {
                let src = self.num(&unary.argument)?;
                let dst = self.b.num();
                self.b.push(Inst::Unary {
                    op: vgdc_mir::Unary::Neg,
                    dst,
                    src,
                });
                Ok(Opd::Num(dst))
            }
            UnaryOperator::BitwiseNot => {
                let a = self.num(&unary.argument)?;
                let b = self.b.constant(-1.0);
                Ok(Opd::Num(self.arith(Arith::Xor, a, b)))
            }
            UnaryOperator::Typeof => {
                if let Expression::Identifier(name) = &unary.argument
                    && matches!(self.name(name), Name::World(_))
                    && name.name != "undefined"
                {
                    return refuse("`typeof` of a name that may not be there", unary.span.start);
                }
                let opd = self.opd(&unary.argument)?;
                let (src, dst) = (self.arg(opd), self.temp());
                self.b.call(Helper::TypeOf, [dst.into(), src]);
                Ok(Opd::Temp(dst))
            }
            UnaryOperator::Void => {
                self.opd(&unary.argument)?;
                Ok(Opd::Undefined)
            }
            UnaryOperator::Delete => self.delete(unary),
        }
    }

    pub(super) fn arith(&mut self, op: Arith, a: Num, b: Num) -> Num {
        let dst = self.b.num();
        self.b.push(Inst::Arith { op, dst, a, b });
        dst
    }

    pub(super) fn math2(&mut self, math: Math, a: Num, b: Num) -> Num {
        let dst = self.b.num();
        let args = vec![a.into(), b.into(), Arg::Const(math as u32)];
        self.b.push(Inst::Calc {
            helper: Helper::Math2,
            dst,
            args,
        });
        dst
    }

    pub(super) fn binary(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
        use BinaryOperator as Op;
        match binary.operator {
            Op::Equality | Op::Inequality | Op::StrictEquality | Op::StrictInequality => {
                return self.equality(binary);
            }
            Op::LessThan | Op::GreaterThan | Op::LessEqualThan | Op::GreaterEqualThan => {
                return self.comparison(binary);
            }
            Op::In => {
                let (key, object) = self.pair(&binary.left, &binary.right)?;
                let args = vec![self.arg(key), self.arg(object)];
                return Ok(Opd::Flag(self.ask(Helper::Has, args)));
            }
            Op::Instanceof => return self.instance(binary),
            _ => {}
        }
        let (left, right) = self.pair(&binary.left, &binary.right)?;
        Ok(self.combine(binary.operator, left, right))
    }

    /// `value instanceof Date`: certain of what is no object.
    fn instance(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
        let known = match &binary.right {
            Expression::Identifier(name) => matches!(
                self.name(name),
                Name::World(
                    "Date"
                        | "Array"
                        | "Object"
                        | "String"
                        | "Number"
                        | "Boolean"
                        | "Error"
                        | "Buffer"
                )
            ),
            _ => false,
        };
        if !known {
            return refuse("`instanceof`", binary.span.start);
        }
        let row = self.b.row(1);
        let opd = self.opd(&binary.left)?;
        self.store(opd, row[0]);
        let which = Builtin::Instance as u32;
        let told = self.call_row(Helper::Builtin, None, which, &row);
        Ok(Opd::Flag(self.truth(Opd::Temp(told))))
    }

    pub(super) fn ask(&mut self, helper: Helper, args: Vec<Arg>) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Ask { helper, dst, args });
        dst
    }

    /// An operator that is no comparison, on operands that are there.
    pub(super) fn combine(&mut self, operator: BinaryOperator, left: Opd, right: Opd) -> Opd {
        use BinaryOperator as Op;
        if operator == Op::Addition && !(is_number(left) && is_number(right)) {
            let (a, b) = (self.arg(left), self.arg(right));
            let dst = self.temp();
            self.b.call(Helper::Add, [dst.into(), a, b]);
            return Opd::Temp(dst);
        }
        let (a, b) = (self.unbox(left), self.unbox(right));
        let arith = match operator {
            Op::Addition => Arith::Add,
            Op::Subtraction => Arith::Sub,
            Op::Multiplication => Arith::Mul,
            Op::Division => Arith::Div,
            Op::BitwiseAnd => Arith::And,
            Op::BitwiseOR => Arith::Or,
            Op::BitwiseXOR => Arith::Xor,
            Op::ShiftLeft => Arith::Shl,
            Op::ShiftRight => Arith::Shr,
            Op::ShiftRightZeroFill => Arith::UShr,
            Op::Exponential => return Opd::Num(self.math2(Math::Pow, a, b)),
            _ => return Opd::Num(self.math2(Math::Remainder, a, b)),
        };
        Opd::Num(self.arith(arith, a, b))
    }

    pub(super) fn equality(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
        use BinaryOperator as Op;
        let strict = matches!(binary.operator, Op::StrictEquality | Op::StrictInequality);
        let negated = matches!(binary.operator, Op::Inequality | Op::StrictInequality);
        let (left, right) = self.pair(&binary.left, &binary.right)?;
        let flag = self.equal(left, right, strict);
        Ok(Opd::Flag(if negated { self.not(flag) } else { flag }))
    }

    pub(super) fn equal(&mut self, left: Opd, right: Opd, strict: bool) -> Flag {
        match (left, right) {
            (Opd::Num(a), Opd::Num(b)) => {
                let dst = self.b.flag();
                self.b.push(Inst::Compare {
                    op: Compare::Eq,
                    dst,
                    a,
                    b,
                });
                dst
            }
            (other, Opd::Undefined) | (Opd::Undefined, other) if strict => {
                let (src, dst) = (self.arg(other), self.b.flag());
                self.b.push(Inst::IsUndefined { dst, src });
                dst
            }
            (other, Opd::Undefined | Opd::Null) | (Opd::Undefined | Opd::Null, other)
                if !strict =>
            {
                let (src, dst) = (self.arg(other), self.b.flag());
                self.b.push(Inst::Nullish { dst, src });
                dst
            }
            (left, right) => {
                let args = vec![self.arg(left), self.arg(right)];
                let helper = if strict {
                    Helper::StrictEqual
                } else {
                    Helper::LooseEqual
                };
                self.ask(helper, args)
            }
        }
    }

    pub(super) fn comparison(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
        use BinaryOperator as Op;
        let (op, mode) = match binary.operator {
            Op::LessThan => (Compare::Lt, 0),
            Op::GreaterThan => (Compare::Gt, 1),
            Op::LessEqualThan => (Compare::Le, 2),
            _ => (Compare::Ge, 3),
        };
        let (left, right) = self.pair(&binary.left, &binary.right)?;
        // (with a number on one side both are numbers to compare)
        if is_number(left) || is_number(right) {
            let (a, b, dst) = (self.unbox(left), self.unbox(right), self.b.flag());
            self.b.push(Inst::Compare { op, dst, a, b });
            return Ok(Opd::Flag(dst));
        }
        let args = vec![self.arg(left), self.arg(right), Arg::Const(mode)];
        Ok(Opd::Flag(self.ask(Helper::Less, args)))
    }

    /// Evaluates an expression into a register or slot for its type, which other ways to the same place share.
    pub(super) fn into(&mut self, e: &'w Expression<'a>, dst: Opd) -> Res<()> {
        let opd = self.opd(e)?;
        match dst {
            Opd::Num(dst) => {
                let src = self.unbox(opd);
                self.b.push(Inst::MoveNum { dst, src });
            }
            Opd::Flag(dst) => {
                let src = self.truth(opd);
                self.b.push(Inst::MoveFlag { dst, src });
            }
            Opd::Temp(dst) => self.store(opd, dst),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn place_for(&mut self, ty: Ty) -> Opd {
        match ty {
            Ty::Num => Opd::Num(self.b.num()),
            Ty::Flag => Opd::Flag(self.b.flag()),
            Ty::Prim | Ty::Any => Opd::Temp(self.temp()),
        }
    }

    pub(super) fn logical(&mut self, logical: &'w LogicalExpression<'a>) -> Res<Opd> {
        let ty = match (self.ty(&logical.left), self.ty(&logical.right)) {
            (left, right) if left == right => left,
            _ => Ty::Any,
        };
        let dst = self.place_for(ty);
        self.into(&logical.left, dst)?;
        let (more, end) = (self.b.block(), self.b.block());
        self.decide(logical.operator, dst, more, end);
        self.b.switch_to(more);
        self.branch(|lower| lower.into(&logical.right, dst));
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(dst)
    }

    /// Branches to `more` where a logical operator needs its right side.
    pub(super) fn decide(
        &mut self,
        operator: LogicalOperator,
        value: Opd,
        more: vgdc_mir::BlockId,
        end: vgdc_mir::BlockId,
    ) {
        let flag = match operator {
            LogicalOperator::Coalesce => {
                let (src, dst) = (self.arg(value), self.b.flag());
                self.b.push(Inst::Nullish { dst, src });
                dst
            }
            _ => self.truth(value),
        };
        self.b.end(match operator {
            LogicalOperator::Or => Terminator::Branch(flag, end, more),
            LogicalOperator::And | LogicalOperator::Coalesce => Terminator::Branch(flag, more, end),
        });
    }

    pub(super) fn conditional(&mut self, conditional: &'w ConditionalExpression<'a>) -> Res<Opd> {
        let ty = match (
            self.ty(&conditional.consequent),
            self.ty(&conditional.alternate),
        ) {
            (yes, no) if yes == no => yes,
            _ => Ty::Any,
        };
        let dst = self.place_for(ty);
        let flag = self.flag(&conditional.test)?;
        let (yes, no, end) = (self.b.block(), self.b.block(), self.b.block());
        self.b.end(Terminator::Branch(flag, yes, no));
        for (block, e) in [(yes, &conditional.consequent), (no, &conditional.alternate)] {
            self.b.switch_to(block);
            self.branch(|lower| lower.into(e, dst));
            self.b.jump(end);
        }
        self.b.switch_to(end);
        Ok(dst)
    }
}

fn is_number(opd: Opd) -> bool {
    matches!(opd, Opd::Num(_) | Opd::Flag(_))
}
