//! Expressions: what they give, where it is, and in which order things happen.

use oxc_ast::ast::*;
use oxc_span::GetSpan;
use oxc_syntax::operator::{
    AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator, UpdateOperator,
};
use vgdc_mir::{
    Arg, Arith, Compare, Flag, Helper, Inst, MSG, Math, Mutation, Num, Slot, Terminator,
};

use super::alias::Alias;
use super::callback::{Functions, Inner, loop_with};
use super::language::handed_over;
use super::types::Ty;
use super::{Local, Lower, Name, Res, name_of, refuse};

/// What an expression gave, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opd {
    /// A number in a register that nobody else writes, or writes only after this has been used.
    Num(Num),
    Flag(Flag),
    /// A variable's slot.
    Slot(Slot),
    /// A slot of its own.
    Temp(Slot),
    /// A value inside another one, until something changes.
    Addr(vgdc_mir::Addr),
    Undefined,
    Null,
}

/// Names that JavaScript finds on prototypes: read as a property, they are functions.
const INHERITED: [&str; 12] = [
    "constructor",
    "toString",
    "valueOf",
    "toLocaleString",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "__proto__",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

/// Whether every object has a property of this name. (What only arrays, texts and so on have, they bail out of when they run.)
pub(super) fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name)
}

impl<'a, 'w> Lower<'a, 'w> {
    pub(super) fn name(&self, name: &'w IdentifierReference<'a>) -> Name<'w> {
        name_of(self.scoping, self.head, name)
    }

    pub(super) fn ty(&self, e: &Expression<'a>) -> Ty {
        self.types.expr(self.scoping, self.head, e)
    }

    /// A slot for an intermediate value; emptied at the end of the statement.
    pub(super) fn temp(&mut self) -> Slot {
        let slot = self.b.temp();
        self.temps.push(slot);
        slot
    }

    /// An operand as the argument of a helper.
    pub(super) fn arg(&mut self, opd: Opd) -> Arg {
        match opd {
            Opd::Slot(slot) | Opd::Temp(slot) => slot.into(),
            Opd::Addr(addr) => addr.into(),
            other => self.own(other).into(),
        }
    }

    /// An operand in a slot of its own, from which it can be moved.
    pub(super) fn own(&mut self, opd: Opd) -> Slot {
        if let Opd::Temp(slot) = opd {
            return slot;
        }
        let dst = self.temp();
        self.store(opd, dst);
        dst
    }

    /// Puts an operand into a slot.
    pub(super) fn store(&mut self, opd: Opd, dst: Slot) {
        let inst = match opd {
            Opd::Num(src) => Inst::Box { dst, src },
            Opd::Flag(src) => Inst::BoxFlag { dst, src },
            Opd::Slot(src) if src == dst => return,
            Opd::Slot(src) => Inst::Copy {
                dst,
                src: src.into(),
            },
            Opd::Addr(src) => Inst::Copy {
                dst,
                src: src.into(),
            },
            Opd::Temp(src) => Inst::Do {
                helper: Helper::Move,
                args: vec![dst.into(), src.into()],
            },
            Opd::Undefined => Inst::Undefined { dst },
            Opd::Null => Inst::Null { dst },
        };
        self.b.push(inst);
    }

    /// An operand that stays what it is when something else is done before it is used.
    fn kept(&mut self, opd: Opd) -> Opd {
        match opd {
            Opd::Num(src) => {
                let dst = self.b.num();
                self.b.push(Inst::MoveNum { dst, src });
                Opd::Num(dst)
            }
            Opd::Flag(src) => {
                let dst = self.b.flag();
                self.b.push(Inst::MoveFlag { dst, src });
                Opd::Flag(dst)
            }
            Opd::Slot(_) | Opd::Addr(_) => Opd::Temp(self.own(opd)),
            other => other,
        }
    }

    /// Two operands, from left to right.
    fn pair(&mut self, left: &'w Expression<'a>, right: &'w Expression<'a>) -> Res<(Opd, Opd)> {
        let mut a = self.opd(left)?;
        if self.acts(right) {
            a = self.kept(a);
        }
        Ok((a, self.opd(right)?))
    }

    pub(super) fn unbox(&mut self, opd: Opd) -> Num {
        let src = match opd {
            Opd::Num(num) => return num,
            Opd::Flag(src) => {
                let dst = self.b.num();
                self.b.push(Inst::FlagNum { dst, src });
                return dst;
            }
            Opd::Undefined => return self.b.constant(f64::NAN),
            Opd::Null => return self.b.constant(0.0),
            Opd::Slot(slot) | Opd::Temp(slot) => slot.into(),
            Opd::Addr(addr) => addr.into(),
        };
        let dst = self.b.num();
        self.b.push(Inst::ToNumber { dst, src });
        dst
    }

    pub(super) fn truth(&mut self, opd: Opd) -> Flag {
        let dst = self.b.flag();
        let inst = match opd {
            Opd::Flag(flag) => return flag,
            Opd::Num(src) => Inst::NumTruthy { dst, src },
            Opd::Undefined | Opd::Null => Inst::Flag { dst, value: false },
            Opd::Slot(slot) | Opd::Temp(slot) => Inst::Truthy {
                dst,
                src: slot.into(),
            },
            Opd::Addr(addr) => Inst::Truthy {
                dst,
                src: addr.into(),
            },
        };
        self.b.push(inst);
        dst
    }

    pub(super) fn num(&mut self, e: &'w Expression<'a>) -> Res<Num> {
        let opd = self.opd(e)?;
        Ok(self.unbox(opd))
    }

    /// Whether an expression is truthy.
    pub(super) fn flag(&mut self, e: &'w Expression<'a>) -> Res<Flag> {
        match e {
            Expression::ParenthesizedExpression(inner) => self.flag(&inner.expression),
            Expression::LogicalExpression(logical)
                if logical.operator != LogicalOperator::Coalesce =>
            {
                let dst = self.b.flag();
                let left = self.flag(&logical.left)?;
                self.b.push(Inst::MoveFlag { dst, src: left });
                let (more, end) = (self.b.block(), self.b.block());
                self.b.end(match logical.operator {
                    LogicalOperator::And => Terminator::Branch(dst, more, end),
                    _ => Terminator::Branch(dst, end, more),
                });
                self.b.switch_to(more);
                let right = self.flag(&logical.right)?;
                self.b.push(Inst::MoveFlag { dst, src: right });
                self.b.jump(end);
                self.b.switch_to(end);
                Ok(dst)
            }
            Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
                let src = self.flag(&unary.argument)?;
                Ok(self.not(src))
            }
            _ => {
                let opd = self.opd(e)?;
                Ok(self.truth(opd))
            }
        }
    }

    fn not(&mut self, src: Flag) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Not { dst, src });
        dst
    }

    /// The function of a loop that a call is.
    fn loop_of_any<'x>(&self, call: &'x CallExpression<'a>) -> Option<Inner<'a, 'x>>
    where
        'w: 'x,
    {
        let functions: &Functions<'a, 'x> = &self.functions;
        loop_with(call, functions, self.scoping, self.head)
            .map(|(.., inner)| inner)
            .or_else(|| handed_over(self.scoping, self.head, call))
    }

    /// Whether evaluating an expression can change a variable or what is inside one.
    pub(super) fn acts(&self, e: &Expression<'a>) -> bool {
        let acts = |e: &Expression<'a>| self.acts(e);
        let argument = |argument: &Argument<'a>| match argument {
            Argument::SpreadElement(spread) => self.acts(&spread.argument),
            other => other.as_expression().is_some_and(|e| self.acts(e)),
        };
        match e {
            Expression::AssignmentExpression(_) | Expression::UpdateExpression(_) => true,
            Expression::ParenthesizedExpression(inner) => acts(&inner.expression),
            Expression::UnaryExpression(unary) => {
                unary.operator == UnaryOperator::Delete || acts(&unary.argument)
            }
            Expression::BinaryExpression(binary) => acts(&binary.left) || acts(&binary.right),
            Expression::LogicalExpression(logical) => acts(&logical.left) || acts(&logical.right),
            Expression::ConditionalExpression(c) => {
                acts(&c.test) || acts(&c.consequent) || acts(&c.alternate)
            }
            Expression::SequenceExpression(list) => list.expressions.iter().any(acts),
            Expression::TemplateLiteral(template) => template.expressions.iter().any(acts),
            Expression::StaticMemberExpression(member) => acts(&member.object),
            Expression::ComputedMemberExpression(member) => {
                acts(&member.object) || acts(&member.expression)
            }
            Expression::ArrayExpression(array) => {
                array.elements.iter().any(|element| match element {
                    ArrayExpressionElement::SpreadElement(spread) => self.acts(&spread.argument),
                    other => other.as_expression().is_some_and(|e| self.acts(e)),
                })
            }
            Expression::ObjectExpression(object) => {
                object.properties.iter().any(|property| match property {
                    ObjectPropertyKind::ObjectProperty(property) => self.acts(&property.value),
                    ObjectPropertyKind::SpreadProperty(spread) => self.acts(&spread.argument),
                })
            }
            Expression::CallExpression(call) => {
                let mutates = match &call.callee {
                    Expression::StaticMemberExpression(member) => {
                        Mutation::named(member.property.name.as_str()).is_some()
                            || acts(&member.object)
                    }
                    _ => false,
                };
                // (a function of the text may change anything; one that is handed over changes what it says)
                let inner = match (&call.callee, self.loop_of_any(call)) {
                    (Expression::Identifier(name), _) => {
                        matches!(name_of(self.scoping, self.head, name), Name::Local(_))
                    }
                    (_, Some(inner)) => self.acts_inside(inner),
                    _ => false,
                };
                mutates || inner || call.arguments.iter().any(argument)
            }
            Expression::NewExpression(new) => new.arguments.iter().any(argument),
            Expression::ChainExpression(_) => true,
            _ => false,
        }
    }

    /// Evaluates an expression.
    pub(super) fn opd(&mut self, e: &'w Expression<'a>) -> Res<Opd> {
        let at = e.span().start;
        match e {
            Expression::ParenthesizedExpression(inner) => self.opd(&inner.expression),
            Expression::BooleanLiteral(literal) => {
                let dst = self.b.flag();
                self.b.push(Inst::Flag {
                    dst,
                    value: literal.value,
                });
                Ok(Opd::Flag(dst))
            }
            Expression::NullLiteral(_) => Ok(Opd::Null),
            Expression::NumericLiteral(literal) => Ok(Opd::Num(self.b.constant(literal.value))),
            Expression::StringLiteral(literal) => {
                if literal.lone_surrogates {
                    return refuse("a text with half a pair of surrogates", at);
                }
                Ok(Opd::Temp(self.text(literal.value.as_str())))
            }
            Expression::TemplateLiteral(template) => self.template(template),
            Expression::Identifier(name) => self.variable(name),
            Expression::StaticMemberExpression(member) => {
                if member.optional {
                    return refuse("an optional chain", at);
                }
                self.static_member(member)
            }
            Expression::ComputedMemberExpression(member) => {
                if member.optional {
                    return refuse("an optional chain", at);
                }
                self.computed_member(member)
            }
            Expression::ChainExpression(chain) => self.chain(chain),
            Expression::UnaryExpression(unary) => self.unary(unary),
            Expression::BinaryExpression(binary) => self.binary(binary),
            Expression::LogicalExpression(logical) => self.logical(logical),
            Expression::ConditionalExpression(conditional) => self.conditional(conditional),
            Expression::AssignmentExpression(assign) => self.assign(assign, true),
            Expression::UpdateExpression(update) => self.update(update),
            Expression::SequenceExpression(list) => {
                let mut last = Opd::Undefined;
                for e in &list.expressions {
                    last = self.opd(e)?;
                }
                Ok(last)
            }
            Expression::ObjectExpression(object) => self.object(object),
            Expression::ArrayExpression(array) => self.array(array),
            Expression::CallExpression(call) => self.call(call),
            Expression::NewExpression(new) => self.new_object(new),
            Expression::RegExpLiteral(literal) => self.regex(literal),
            Expression::ArrowFunctionExpression(_) => refuse("a closure", at),
            Expression::FunctionExpression(_) => refuse("a function of its own", at),
            Expression::ClassExpression(_) => refuse("a class", at),
            Expression::AwaitExpression(_) => refuse("`await`", at),
            Expression::ThisExpression(_) => refuse("`this`", at),
            Expression::BigIntLiteral(_) => refuse("a bigint", at),
            _ => refuse("an expression of a rare kind", at),
        }
    }

    pub(super) fn text(&mut self, text: &str) -> Slot {
        let (dst, number) = (self.temp(), self.b.text(text));
        self.b.call(Helper::Text, [dst.into(), Arg::Const(number)]);
        dst
    }

    fn template(&mut self, template: &'w TemplateLiteral<'a>) -> Res<Opd> {
        let mut whole: Option<Slot> = None;
        for (at, quasi) in template.quasis.iter().enumerate() {
            let Some(cooked) = quasi
                .value
                .cooked
                .as_ref()
                .filter(|_| !quasi.lone_surrogates)
            else {
                return refuse("a text with half a pair of surrogates", quasi.span.start);
            };
            if at == 0 || !cooked.is_empty() {
                let part = self.text(cooked.as_str());
                self.append(&mut whole, part);
            }
            if let Some(e) = template.expressions.get(at) {
                let opd = self.opd(e)?;
                let src = self.arg(opd);
                let part = self.temp();
                self.b.call(Helper::ToText, [part.into(), src]);
                self.append(&mut whole, part);
            }
        }
        Ok(whole.map_or(Opd::Undefined, Opd::Temp))
    }

    fn append(&mut self, whole: &mut Option<Slot>, part: Slot) {
        match *whole {
            None => *whole = Some(part),
            Some(so_far) => self
                .b
                .call(Helper::Add, [so_far.into(), so_far.into(), part.into()]),
        }
    }

    fn variable(&mut self, name: &'w IdentifierReference<'a>) -> Res<Opd> {
        match self.name(name) {
            Name::Msg => Ok(Opd::Slot(MSG)),
            Name::Local(symbol) => {
                match (self.aliases.get(&symbol).copied(), self.locals.get(&symbol)) {
                    (Some(Alias::Place(place)), _) => self.opd(place),
                    (Some(Alias::Element(list)), _) => {
                        let Some(index) = self.elements.get(&symbol).copied() else {
                            return refuse("an element outside of its loop", name.span.start);
                        };
                        let list = self.opd(list)?;
                        self.read(list, &Key::Index(index))
                    }
                    (None, Some(Local::Num(num))) => Ok(Opd::Num(*num)),
                    (None, Some(Local::Flag(flag))) => Ok(Opd::Flag(*flag)),
                    (None, Some(Local::Slot(slot))) => Ok(Opd::Slot(*slot)),
                    (None, None) => refuse("a function as a value", name.span.start),
                }
            }
            Name::World("undefined") => Ok(Opd::Undefined),
            Name::World("NaN") => Ok(Opd::Num(self.b.constant(f64::NAN))),
            Name::World("Infinity") => Ok(Opd::Num(self.b.constant(f64::INFINITY))),
            Name::Node => refuse("`node` as a value", name.span.start),
            Name::World(name_) => refuse(format!("`{name_}` as a value"), name.span.start),
        }
    }

    fn static_member(&mut self, member: &'w StaticMemberExpression<'a>) -> Res<Opd> {
        if let Some(name) = self.world_member(member)? {
            return Ok(name);
        }
        let key = member.property.name.as_str();
        if is_inherited(key) {
            return refuse(format!("`{key}` as a value"), member.span.start);
        }
        let base = self.opd(&member.object)?;
        self.get(base, key)
    }

    pub(super) fn get(&mut self, base: Opd, key: &str) -> Res<Opd> {
        let base = self.arg(base);
        let (scratch, dst) = (self.temp(), self.b.addr());
        let (key, cache) = (self.b.key(key), self.b.cache());
        self.b.push(Inst::Get {
            dst,
            base,
            scratch,
            key,
            cache,
        });
        Ok(Opd::Addr(dst))
    }

    fn computed_member(&mut self, member: &'w ComputedMemberExpression<'a>) -> Res<Opd> {
        if let Expression::StringLiteral(key) = &member.expression
            && !key.lone_surrogates
        {
            if is_inherited(key.value.as_str()) {
                return refuse(format!("`{}` as a value", key.value), member.span.start);
            }
            let base = self.opd(&member.object)?;
            return self.get(base, key.value.as_str());
        }
        let (base, key) = self.pair(&member.object, &member.expression)?;
        let key = match key {
            Opd::Num(index) => Key::Index(index),
            key => Key::Value(self.arg(key)),
        };
        self.read(base, &key)
    }

    /// `a?.b.c`: undefined as soon as what stands before a `?.` is nullish.
    fn chain(&mut self, chain: &'w ChainExpression<'a>) -> Res<Opd> {
        let dst = self.temp();
        let (none, end) = (self.b.block(), self.b.block());
        let opd = match &chain.expression {
            ChainElement::StaticMemberExpression(member) => self.link_static(member, none)?,
            ChainElement::ComputedMemberExpression(member) => self.link_computed(member, none)?,
            _ => return refuse("an optional call", chain.span.start),
        };
        self.store(opd, dst);
        self.b.jump(end);
        self.b.switch_to(none);
        self.b.push(Inst::Undefined { dst });
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(Opd::Temp(dst))
    }

    fn link(&mut self, e: &'w Expression<'a>, none: vgdc_mir::BlockId) -> Res<Opd> {
        match e {
            Expression::StaticMemberExpression(member) => self.link_static(member, none),
            Expression::ComputedMemberExpression(member) => self.link_computed(member, none),
            other => self.opd(other),
        }
    }

    fn stop_at_none(&mut self, base: Opd, none: vgdc_mir::BlockId) -> Opd {
        let src = self.arg(base);
        let (flag, more) = (self.b.flag(), self.b.block());
        self.b.push(Inst::Nullish { dst: flag, src });
        self.b.end(Terminator::Branch(flag, none, more));
        self.b.switch_to(more);
        base
    }

    fn link_static(
        &mut self,
        member: &'w StaticMemberExpression<'a>,
        none: vgdc_mir::BlockId,
    ) -> Res<Opd> {
        let key = member.property.name.as_str();
        if is_inherited(key) {
            return refuse(format!("`{key}` as a value"), member.span.start);
        }
        let mut base = self.link(&member.object, none)?;
        if member.optional {
            base = self.stop_at_none(base, none);
        }
        self.get(base, key)
    }

    fn link_computed(
        &mut self,
        member: &'w ComputedMemberExpression<'a>,
        none: vgdc_mir::BlockId,
    ) -> Res<Opd> {
        if self.acts(&member.expression) {
            return refuse("a computed key that changes something", member.span.start);
        }
        let mut base = self.link(&member.object, none)?;
        if member.optional {
            base = self.stop_at_none(base, none);
        }
        let key = match self.opd(&member.expression)? {
            Opd::Num(index) => Key::Index(index),
            key => Key::Value(self.arg(key)),
        };
        self.read(base, &key)
    }

    fn unary(&mut self, unary: &'w UnaryExpression<'a>) -> Res<Opd> {
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

    fn delete(&mut self, unary: &'w UnaryExpression<'a>) -> Res<Opd> {
        match &unary.argument {
            Expression::StaticMemberExpression(member) => {
                let base = self.place(&member.object)?;
                let key = self.b.key(member.property.name.as_str());
                self.b.call(Helper::Delete, [base, Arg::Const(key)]);
            }
            Expression::ComputedMemberExpression(member) => {
                let first = match self.shared {
                    true => {
                        let value = self.opd(&member.object)?;
                        Some(Arg::Slot(self.own(value)))
                    }
                    false => None,
                };
                let key = self.opd(&member.expression)?;
                let key = Arg::Slot(self.own(key));
                let base = match first {
                    Some(base) => base,
                    None => self.place(&member.object)?,
                };
                self.b.call(Helper::DeleteValue, [base, key]);
            }
            _ => return refuse("`delete` of a variable", unary.span.start),
        }
        let dst = self.b.flag();
        self.b.push(Inst::Flag { dst, value: true });
        Ok(Opd::Flag(dst))
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

    fn binary(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
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
            Op::Instanceof => return refuse("`instanceof`", binary.span.start),
            _ => {}
        }
        let (left, right) = self.pair(&binary.left, &binary.right)?;
        Ok(self.combine(binary.operator, left, right))
    }

    fn ask(&mut self, helper: Helper, args: Vec<Arg>) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Ask { helper, dst, args });
        dst
    }

    /// An operator that is no comparison, on operands that are there.
    fn combine(&mut self, operator: BinaryOperator, left: Opd, right: Opd) -> Opd {
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

    fn equality(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
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

    fn comparison(&mut self, binary: &'w BinaryExpression<'a>) -> Res<Opd> {
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
    fn into(&mut self, e: &'w Expression<'a>, dst: Opd) -> Res<()> {
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

    fn place_for(&mut self, ty: Ty) -> Opd {
        match ty {
            Ty::Num => Opd::Num(self.b.num()),
            Ty::Flag => Opd::Flag(self.b.flag()),
            Ty::Prim | Ty::Any => Opd::Temp(self.temp()),
        }
    }

    fn logical(&mut self, logical: &'w LogicalExpression<'a>) -> Res<Opd> {
        let ty = match (self.ty(&logical.left), self.ty(&logical.right)) {
            (left, right) if left == right => left,
            _ => Ty::Any,
        };
        let dst = self.place_for(ty);
        self.into(&logical.left, dst)?;
        let (more, end) = (self.b.block(), self.b.block());
        self.decide(logical.operator, dst, more, end);
        self.b.switch_to(more);
        self.into(&logical.right, dst)?;
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(dst)
    }

    /// Branches to `more` where a logical operator needs its right side.
    fn decide(
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

    fn conditional(&mut self, conditional: &'w ConditionalExpression<'a>) -> Res<Opd> {
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
            self.into(e, dst)?;
            self.b.jump(end);
        }
        self.b.switch_to(end);
        Ok(dst)
    }

    fn object(&mut self, object: &'w ObjectExpression<'a>) -> Res<Opd> {
        let dst = self.temp();
        let room = object.properties.len() as u32;
        self.b.call(Helper::Object, [dst.into(), Arg::Const(room)]);
        for property in &object.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => self.property(dst, property)?,
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let opd = self.opd(&spread.argument)?;
                    let src = self.arg(opd);
                    self.b.call(Helper::SpreadObject, [dst.into(), src]);
                }
            }
        }
        Ok(Opd::Temp(dst))
    }

    fn property(&mut self, dst: Slot, property: &'w ObjectProperty<'a>) -> Res<()> {
        let at = property.span.start;
        if property.method || property.kind != PropertyKind::Init {
            return refuse("a method in an object", at);
        }
        if property.computed {
            let PropertyKey::StringLiteral(_) = &property.key else {
                let Some(key) = property.key.as_expression() else {
                    return refuse("a private name", at);
                };
                let key = self.opd(key)?;
                let key = self.own(key);
                let value = self.opd(&property.value)?;
                let value = self.own(value);
                self.b
                    .call(Helper::SetValue, [dst.into(), key.into(), value.into()]);
                return Ok(());
            };
        }
        let Some(name) = property.key.static_name() else {
            return refuse("a name of a rare kind", at);
        };
        if name == "__proto__" {
            return refuse("`__proto__`", at);
        }
        let value = self.opd(&property.value)?;
        let value = self.own(value);
        let (key, cache) = (self.b.key(&name), self.b.set_cache());
        self.b.call(
            Helper::Set,
            [dst.into(), value.into(), Arg::Const(key), Arg::Const(cache)],
        );
        Ok(())
    }

    fn array(&mut self, array: &'w ArrayExpression<'a>) -> Res<Opd> {
        let dst = self.temp();
        self.b.call(
            Helper::Array,
            [dst.into(), Arg::Const(array.elements.len() as u32)],
        );
        for element in &array.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let opd = self.opd(&spread.argument)?;
                    let src = self.arg(opd);
                    self.b.call(Helper::SpreadArray, [dst.into(), src]);
                }
                ArrayExpressionElement::Elision(elision) => {
                    return refuse("a hole in an array", elision.span.start);
                }
                other => {
                    let Some(e) = other.as_expression() else {
                        return refuse("an element of a rare kind", array.span.start);
                    };
                    let value = self.opd(e)?;
                    let value = self.own(value);
                    self.b.call(Helper::Push, [dst.into(), value.into()]);
                }
            }
        }
        Ok(Opd::Temp(dst))
    }

    /// The address of a value for changing what is in it.
    pub(super) fn place(&mut self, e: &'w Expression<'a>) -> Res<Arg> {
        let at = e.span().start;
        if self.shared {
            let value = self.opd(e)?;
            return Ok(self.arg(value));
        }
        match e {
            Expression::ParenthesizedExpression(inner) => self.place(&inner.expression),
            Expression::Identifier(name) => match self.name(name) {
                Name::Msg => Ok(MSG.into()),
                Name::Local(symbol) => {
                    match (self.aliases.get(&symbol).copied(), self.locals.get(&symbol)) {
                        (Some(Alias::Place(place)), _) => self.place(place),
                        (Some(Alias::Element(list)), _) => {
                            let Some(index) = self.elements.get(&symbol).copied() else {
                                return refuse("an element outside of its loop", at);
                            };
                            let base = self.place(list)?;
                            let dst = self.b.addr();
                            self.b.push(Inst::Find {
                                helper: Helper::PlaceIndex,
                                dst,
                                args: vec![base, index.into()],
                            });
                            Ok(dst.into())
                        }
                        (None, Some(Local::Slot(slot))) => Ok((*slot).into()),
                        _ => refuse("a property of a number", at),
                    }
                }
                _ => refuse(format!("a change of `{}`", name.name), at),
            },
            Expression::StaticMemberExpression(member) if !member.optional => {
                let key = member.property.name.as_str();
                if is_inherited(key) {
                    return refuse(format!("a change of `{key}`"), at);
                }
                let base = self.place(&member.object)?;
                let (dst, key) = (self.b.addr(), self.b.key(key));
                self.b.push(Inst::Find {
                    helper: Helper::Place,
                    dst,
                    args: vec![base, Arg::Const(key)],
                });
                Ok(dst.into())
            }
            Expression::ComputedMemberExpression(member) if !member.optional => {
                let key = self.simple_key(&member.expression)?;
                let base = self.place(&member.object)?;
                let dst = self.b.addr();
                let (helper, args) = match key {
                    Opd::Num(index) => (Helper::PlaceIndex, vec![base, index.into()]),
                    key => (Helper::PlaceValue, vec![base, self.arg(key)]),
                };
                self.b.push(Inst::Find { helper, dst, args });
                Ok(dst.into())
            }
            fresh if self.is_fresh(fresh) => {
                let value = self.opd(fresh)?;
                Ok(self.own(value).into())
            }
            _ => refuse("a change of a value without a name", at),
        }
    }

    /// A computed key that changes nothing and that nothing changes between here and its use.
    fn simple_key(&mut self, e: &'w Expression<'a>) -> Res<Opd> {
        if self.acts(e) {
            return refuse("a computed key that changes something", e.span().start);
        }
        match self.opd(e)? {
            Opd::Addr(addr) => Ok(Opd::Temp(self.own(Opd::Addr(addr)))),
            other => Ok(other),
        }
    }

    /// `used`: somebody wants the value of the assignment.
    pub(super) fn assign(&mut self, assign: &'w AssignmentExpression<'a>, used: bool) -> Res<Opd> {
        let at = assign.span.start;
        match &assign.left {
            AssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.assign_variable(assign, name)
            }
            AssignmentTarget::StaticMemberExpression(member) => {
                let key = member.property.name.as_str();
                if key == "__proto__" || key == "length" {
                    return refuse(format!("a change of `{key}`"), at);
                }
                self.assign_member(assign, &member.object, Member::Key(key), used)
            }
            AssignmentTarget::ComputedMemberExpression(member) => match &member.expression {
                Expression::StringLiteral(key) if !key.lone_surrogates => {
                    if matches!(key.value.as_str(), "__proto__" | "length") {
                        return refuse(format!("a change of `{}`", key.value), at);
                    }
                    self.assign_member(
                        assign,
                        &member.object,
                        Member::Key(key.value.as_str()),
                        used,
                    )
                }
                key => self.assign_member(assign, &member.object, Member::Computed(key), used),
            },
            _ => refuse("destructuring", at),
        }
    }

    fn assign_variable(
        &mut self,
        assign: &'w AssignmentExpression<'a>,
        name: &'w IdentifierReference<'a>,
    ) -> Res<Opd> {
        let at = assign.span.start;
        let local = match self.name(name) {
            Name::Local(symbol) if self.aliases.contains_key(&symbol) => {
                return refuse("a second value of another name", at);
            }
            Name::Local(symbol) if self.scoping.symbol_flags(symbol).is_const_variable() => {
                return refuse("an assignment to a constant", at);
            }
            Name::Local(symbol) => self.locals.get(&symbol).copied(),
            Name::Msg => Some(Local::Slot(MSG)),
            _ => return refuse(format!("an assignment to `{}`", name.name), at),
        };
        let Some(local) = local else {
            return refuse("a variable of a rare kind", at);
        };
        let current = match local {
            Local::Num(num) => Opd::Num(num),
            Local::Flag(flag) => Opd::Flag(flag),
            Local::Slot(slot) => Opd::Slot(slot),
        };
        if let Some(operator) = assign.operator.to_logical_operator() {
            let (more, end) = (self.b.block(), self.b.block());
            self.decide(operator, current, more, end);
            self.b.switch_to(more);
            let value = self.opd(&assign.right)?;
            self.set_local(local, value);
            self.b.jump(end);
            self.b.switch_to(end);
            return Ok(current);
        }
        let value = match assign.operator.to_binary_operator() {
            None => self.opd(&assign.right)?,
            Some(operator) => {
                let before = if self.acts(&assign.right) {
                    self.kept(current)
                } else {
                    current
                };
                let right = self.opd(&assign.right)?;
                self.combine(operator, before, right)
            }
        };
        self.set_local(local, value);
        Ok(current)
    }

    pub(super) fn set_local(&mut self, local: Local, value: Opd) {
        match local {
            Local::Num(dst) => {
                let src = self.unbox(value);
                self.b.push(Inst::MoveNum { dst, src });
            }
            Local::Flag(dst) => {
                let src = self.truth(value);
                self.b.push(Inst::MoveFlag { dst, src });
            }
            Local::Slot(dst) => self.store(value, dst),
        }
    }

    fn assign_member(
        &mut self,
        assign: &'w AssignmentExpression<'a>,
        object: &'w Expression<'a>,
        member: Member<'a, 'w>,
        used: bool,
    ) -> Res<Opd> {
        let at = assign.span.start;
        if self.is_itself(assign) {
            return self.opd(&assign.right);
        }
        // (a reference stays what it is, whatever the right side does; a value would not be the object that is changed)
        let target = match self.shared {
            true => {
                let base = self.opd(object)?;
                Some(self.own(base))
            }
            false => None,
        };
        let key = match member {
            Member::Key(name) => Key::Name(name),
            Member::Computed(e) => {
                // (evaluated before the right side, as the language says)
                let opd = self.opd(e)?;
                match opd {
                    Opd::Num(_) => match self.kept(opd) {
                        Opd::Num(index) => Key::Index(index),
                        other => Key::Value(self.own(other).into()),
                    },
                    other => Key::Value(self.own(other).into()),
                }
            }
        };
        if !self.shared && self.changes_root(&assign.right, object) {
            return refuse("an assignment inside another one", at);
        }
        let value = match (
            assign.operator.to_binary_operator(),
            assign.operator.to_logical_operator(),
        ) {
            (None, None) => self.opd(&assign.right)?,
            (Some(operator), _) => {
                let base = match target {
                    Some(slot) => Opd::Slot(slot),
                    None => self.opd(object)?,
                };
                let current = self.read(base, &key)?;
                let before = if self.acts(&assign.right) {
                    self.kept(current)
                } else {
                    current
                };
                let right = self.opd(&assign.right)?;
                self.combine(operator, before, right)
            }
            (None, Some(_)) => return refuse("a logical assignment to a property", at),
        };
        let value = self.own(value);
        let result = match used {
            true => {
                let copy = self.temp();
                self.b.push(Inst::Copy {
                    dst: copy,
                    src: value.into(),
                });
                Opd::Temp(copy)
            }
            false => Opd::Undefined,
        };
        let base = match target {
            Some(slot) => slot.into(),
            None => self.place(object)?,
        };
        self.write(base, &key, value);
        Ok(result)
    }

    /// `msg.payload = p` where `p` is another name of `msg.payload`: nothing happens.
    fn is_itself(&self, assign: &AssignmentExpression<'a>) -> bool {
        let Expression::Identifier(name) = &assign.right else {
            return false;
        };
        if assign.operator != AssignmentOperator::Assign {
            return false;
        }
        let Name::Local(symbol) = name_of(self.scoping, self.head, name) else {
            return false;
        };
        let Some(Alias::Place(place)) = self.aliases.get(&symbol) else {
            return false;
        };
        match (&assign.left, place) {
            (
                AssignmentTarget::StaticMemberExpression(target),
                Expression::StaticMemberExpression(place),
            ) => {
                target.property.name == place.property.name
                    && same_path(&target.object, &place.object)
            }
            _ => false,
        }
    }

    /// Whether evaluating an expression assigns to the variable at the root of a place.
    pub(super) fn changes_root(&self, e: &Expression<'a>, place: &Expression<'a>) -> bool {
        // (an assignment to any variable is taken for one; assignments to properties cannot move the root)
        self.acts(e) && !only_properties(e) && !matches!(place, Expression::ThisExpression(_))
    }

    pub(super) fn read(&mut self, base: Opd, key: &Key<'w>) -> Res<Opd> {
        let (helper, args, dst) = match key {
            Key::Name(name) => return self.get(base, name),
            Key::Index(index) => {
                let (base, scratch) = (self.arg(base), self.temp());
                (
                    Helper::GetIndex,
                    vec![base, scratch.into(), (*index).into()],
                    self.b.addr(),
                )
            }
            Key::Value(key) => {
                let (base, scratch) = (self.arg(base), self.temp());
                (
                    Helper::GetValue,
                    vec![base, *key, scratch.into()],
                    self.b.addr(),
                )
            }
        };
        self.b.push(Inst::Find { helper, dst, args });
        Ok(Opd::Addr(dst))
    }

    fn write(&mut self, base: Arg, key: &Key<'w>, value: Slot) {
        match key {
            Key::Name(name) => {
                let (key, cache) = (self.b.key(name), self.b.set_cache());
                self.b.call(
                    Helper::Set,
                    [base, value.into(), Arg::Const(key), Arg::Const(cache)],
                );
            }
            Key::Index(index) => self
                .b
                .call(Helper::SetIndex, [base, value.into(), (*index).into()]),
            Key::Value(key) => self.b.call(Helper::SetValue, [base, *key, value.into()]),
        }
    }

    fn update(&mut self, update: &'w UpdateExpression<'a>) -> Res<Opd> {
        let at = update.span.start;
        let op = match update.operator {
            UpdateOperator::Increment => Arith::Add,
            UpdateOperator::Decrement => Arith::Sub,
        };
        let step = |lower: &mut Self, before: Num| {
            let one = lower.b.constant(1.0);
            lower.arith(op, before, one)
        };
        let (object, key) = match &update.argument {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                let local = match self.name(name) {
                    Name::Local(symbol) if self.aliases.contains_key(&symbol) => None,
                    Name::Local(symbol)
                        if self.scoping.symbol_flags(symbol).is_const_variable() =>
                    {
                        None
                    }
                    Name::Local(symbol) => self.locals.get(&symbol).copied(),
                    _ => None,
                };
                let (before, local) = match local {
                    Some(local @ Local::Num(num)) => match self.kept(Opd::Num(num)) {
                        Opd::Num(before) => (before, local),
                        _ => (num, local),
                    },
                    Some(local @ Local::Slot(slot)) => (self.unbox(Opd::Slot(slot)), local),
                    _ => return refuse(format!("a change of `{}`", name.name), at),
                };
                let after = step(self, before);
                self.set_local(local, Opd::Num(after));
                return Ok(Opd::Num(if update.prefix { after } else { before }));
            }
            SimpleAssignmentTarget::StaticMemberExpression(member) => {
                let key = member.property.name.as_str();
                if key == "length" || is_inherited(key) {
                    return refuse(format!("a change of `{key}`"), at);
                }
                (&member.object, Key::Name(key))
            }
            SimpleAssignmentTarget::ComputedMemberExpression(member) => {
                let key = match self.simple_key(&member.expression)? {
                    Opd::Num(index) => Key::Index(index),
                    other => Key::Value(self.own(other).into()),
                };
                (&member.object, key)
            }
            _ => return refuse("a target of a rare kind", at),
        };
        let mut base = self.opd(object)?;
        if self.shared {
            base = Opd::Slot(self.own(base));
        }
        let current = self.read(base, &key)?;
        let before = self.unbox(current);
        let after = step(self, before);
        let value = self.own(Opd::Num(after));
        let base = match base {
            Opd::Slot(slot) if self.shared => slot.into(),
            _ => self.place(object)?,
        };
        self.write(base, &key, value);
        Ok(Opd::Num(if update.prefix { after } else { before }))
    }

    /// A member of something of the world around; `None` where the object is a value.
    fn world_member(&mut self, member: &'w StaticMemberExpression<'a>) -> Res<Option<Opd>> {
        let Expression::Identifier(name) = &member.object else {
            return Ok(None);
        };
        if matches!(self.name(name), Name::Msg | Name::Local(_)) {
            return Ok(None);
        }
        self.constant_member(
            name.name.as_str(),
            member.property.name.as_str(),
            member.span.start,
        )
        .map(Some)
    }
}

/// A key as it is written.
pub(super) enum Member<'a, 'w> {
    Key(&'w str),
    Computed(&'w Expression<'a>),
}

/// A key that has been evaluated.
pub(super) enum Key<'w> {
    Name(&'w str),
    Index(Num),
    Value(Arg),
}

fn is_number(opd: Opd) -> bool {
    matches!(opd, Opd::Num(_) | Opd::Flag(_))
}

/// Whether two expressions are the same way from the same variable.
fn same_path(a: &Expression<'_>, b: &Expression<'_>) -> bool {
    match (a, b) {
        (Expression::Identifier(a), Expression::Identifier(b)) => a.name == b.name,
        (Expression::StaticMemberExpression(a), Expression::StaticMemberExpression(b)) => {
            a.property.name == b.property.name && same_path(&a.object, &b.object)
        }
        _ => false,
    }
}

/// Whether all that an expression changes are properties by constant names.
fn only_properties(e: &Expression<'_>) -> bool {
    match e {
        Expression::ParenthesizedExpression(inner) => only_properties(&inner.expression),
        Expression::AssignmentExpression(assign) => {
            matches!(assign.left, AssignmentTarget::StaticMemberExpression(_))
                && only_properties(&assign.right)
        }
        Expression::NumericLiteral(_)
        | Expression::StringLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_)
        | Expression::Identifier(_) => true,
        Expression::StaticMemberExpression(member) => only_properties(&member.object),
        // Calls that change their receiver do not assign to variables.
        Expression::CallExpression(call) => {
            let callee = match &call.callee {
                Expression::StaticMemberExpression(member) => only_properties(&member.object),
                _ => false,
            };
            callee
                && call
                    .arguments
                    .iter()
                    .all(|argument| argument.as_expression().is_some_and(only_properties))
        }
        Expression::ChainExpression(_) => true,
        _ => false,
    }
}
