//! What changes variables and what is inside objects: assignments, `++`, `delete`, and the places that they change.

use oxc_ast::ast::*;
use oxc_span::GetSpan;
use oxc_syntax::operator::{AssignmentOperator, UpdateOperator};
use vgdc_mir::{Arg, Arith, Helper, Inst, MSG, Num, Slot};

use super::alias::Alias;
use super::expr::{Key, Member, Opd, is_inherited};
use super::{Local, Lower, Name, Res, name_of, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    pub(super) fn delete(&mut self, unary: &'w UnaryExpression<'a>) -> Res<Opd> {
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
    pub(super) fn simple_key(&mut self, e: &'w Expression<'a>) -> Res<Opd> {
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

    pub(super) fn assign_variable(
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
            Local::Slot(dst) => {
                if dst == MSG {
                    self.b.replaces_message();
                }
                self.store(value, dst);
            }
        }
    }

    pub(super) fn assign_member(
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
    pub(super) fn is_itself(&self, assign: &AssignmentExpression<'a>) -> bool {
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

    pub(super) fn write(&mut self, base: Arg, key: &Key<'w>, value: Slot) {
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

    pub(super) fn update(&mut self, update: &'w UpdateExpression<'a>) -> Res<Opd> {
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
