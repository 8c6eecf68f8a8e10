//! Expressions: what they give, where it is, and in which order things happen.

use oxc_ast::ast::*;
use oxc_span::GetSpan;
use oxc_syntax::operator::{LogicalOperator, UnaryOperator};
use vgdc_mir::{Arg, Flag, Helper, Host, Inst, MSG, Mutation, Num, Slot, Terminator};

use super::alias::Alias;
use super::callback::{Functions, Inner, loop_with};
use super::calls::dotted;
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
    pub(super) fn kept(&mut self, opd: Opd) -> Opd {
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
    pub(super) fn pair(
        &mut self,
        left: &'w Expression<'a>,
        right: &'w Expression<'a>,
    ) -> Res<(Opd, Opd)> {
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
                self.branch(|lower| {
                    let src = lower.flag(&logical.right)?;
                    lower.b.push(Inst::MoveFlag { dst, src });
                    Ok(())
                });
                self.b.jump(end);
                self.b.switch_to(end);
                Ok(dst)
            }
            Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
                let src = self.flag(&unary.argument)?;
                Ok(self.not(src))
            }
            // (`if (x => 0)`, where `>=` was meant: nobody calls the function, and it is there)
            Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => {
                let dst = self.b.flag();
                self.b.push(Inst::Flag { dst, value: true });
                Ok(dst)
            }
            // (what the node has is there: `if (global.keys)`)
            Expression::StaticMemberExpression(_) if self.is_of_the_node(e) => {
                let dst = self.b.flag();
                self.b.push(Inst::Flag { dst, value: true });
                Ok(dst)
            }
            _ => {
                let opd = self.opd(e)?;
                Ok(self.truth(opd))
            }
        }
    }

    /// Whether an expression is a function that every node has.
    fn is_of_the_node(&self, e: &Expression<'a>) -> bool {
        dotted(self.scoping, self.head, e)
            .and_then(|name| Host::named(&name))
            .is_some_and(|host| !matches!(host, Host::NodeId | Host::NodeName))
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
                    ObjectPropertyKind::ObjectProperty(property) => {
                        let key = property.key.as_expression().filter(|_| property.computed);
                        key.is_some_and(acts) || acts(&property.value)
                    }
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
                    (callee, None) => Inner::of(callee).is_some(),
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
