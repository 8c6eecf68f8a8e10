//! Reading properties: by constant and computed keys, and in optional chains.

use oxc_ast::ast::*;
use vgdc_mir::{Arg, Helper, Inst, Method, Mutation, Terminator};

use super::expr::{Key, Opd, is_inherited};
use super::{Lower, Name, Res, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    pub(super) fn static_member(&mut self, member: &'w StaticMemberExpression<'a>) -> Res<Opd> {
        if let Some(name) = self.world_member(member)? {
            return Ok(name);
        }
        if let Some(size) = self.size(member)? {
            return Ok(size);
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
        let scratch = self.temp();
        Ok(Opd::Addr(self.b.get(base, key, scratch)))
    }

    pub(super) fn computed_member(&mut self, member: &'w ComputedMemberExpression<'a>) -> Res<Opd> {
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
    pub(super) fn chain(&mut self, chain: &'w ChainExpression<'a>) -> Res<Opd> {
        let dst = self.temp();
        let (none, end) = (self.b.block(), self.b.block());
        let opd = match &chain.expression {
            ChainElement::StaticMemberExpression(member) => self.link_static(member, none)?,
            ChainElement::ComputedMemberExpression(member) => self.link_computed(member, none)?,
            ChainElement::CallExpression(call) => self.link_call(call, none)?,
            _ => return refuse("an optional chain of a rare kind", chain.span.start),
        };
        self.store(opd, dst);
        self.b.jump(end);
        self.b.switch_to(none);
        self.b.push(Inst::Undefined { dst });
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(Opd::Temp(dst))
    }

    pub(super) fn link(&mut self, e: &'w Expression<'a>, none: vgdc_mir::BlockId) -> Res<Opd> {
        match e {
            Expression::StaticMemberExpression(member) => self.link_static(member, none),
            Expression::ComputedMemberExpression(member) => self.link_computed(member, none),
            Expression::CallExpression(call) if is_optional(&call.callee) => {
                self.link_call(call, none)
            }
            other => self.opd(other),
        }
    }

    /// `a?.method(…)`
    fn link_call(&mut self, call: &'w CallExpression<'a>, none: vgdc_mir::BlockId) -> Res<Opd> {
        let at = call.span.start;
        let (Expression::StaticMemberExpression(member), false) = (&call.callee, call.optional)
        else {
            return refuse("an optional call", at);
        };
        if self.loop_of(call).is_some() {
            return match self.call_loop(call, Some(none))? {
                Some(value) => Ok(value),
                None => refuse("an optional call", at),
            };
        }
        let name = member.property.name.as_str();
        // (what is changed has to be the object itself)
        let (helper, which) = match (Method::named(name), Mutation::named(name)) {
            (Some(method), _) => (Helper::Method, method as u32),
            (None, Some(mutation)) if self.shared => (Helper::Mutate, mutation as u32),
            _ => return refuse("an optional call", at),
        };
        let rare = matches!(name, "sort" | "replace" | "replaceAll");
        if rare && call.arguments.iter().any(is_function) {
            return refuse("an optional call", at);
        }
        let mut base = self.link(&member.object, none)?;
        if member.optional {
            base = self.stop_at_none(base, none);
        }
        let receiver = Arg::Slot(self.own(base));
        let row = self.arguments(&call.arguments)?;
        Ok(Opd::Temp(self.call_row(
            helper,
            Some(receiver),
            which,
            &row,
        )))
    }

    pub(super) fn stop_at_none(&mut self, base: Opd, none: vgdc_mir::BlockId) -> Opd {
        let src = self.arg(base);
        let (flag, more) = (self.b.flag(), self.b.block());
        self.b.push(Inst::Nullish { dst: flag, src });
        self.b.end(Terminator::Branch(flag, none, more));
        self.b.switch_to(more);
        base
    }

    pub(super) fn link_static(
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

    pub(super) fn link_computed(
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

    /// A member of something of the world around; `None` where the object is a value.
    pub(super) fn world_member(
        &mut self,
        member: &'w StaticMemberExpression<'a>,
    ) -> Res<Option<Opd>> {
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

/// Whether there is a `?.` in a chain.
fn is_optional(e: &Expression<'_>) -> bool {
    match e {
        Expression::StaticMemberExpression(member) => {
            member.optional || is_optional(&member.object)
        }
        Expression::ComputedMemberExpression(member) => {
            member.optional || is_optional(&member.object)
        }
        Expression::CallExpression(call) => call.optional || is_optional(&call.callee),
        _ => false,
    }
}

fn is_function(argument: &Argument<'_>) -> bool {
    matches!(
        argument,
        Argument::ArrowFunctionExpression(_)
            | Argument::FunctionExpression(_)
            | Argument::Identifier(_)
    )
}
