//! Destructuring: names that get what is inside a value.

use oxc_ast::ast::*;
use oxc_span::GetSpan;
use vgdc_mir::{Arg, Helper, Inst, Method, Terminator};

use super::expr::{Key, Opd, is_inherited};
use super::{Lower, Res, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    /// Gives the names of a pattern what is inside a value.
    pub(super) fn bind(&mut self, pattern: &'w BindingPattern<'a>, value: Opd) -> Res<()> {
        let base = Opd::Slot(self.own(value));
        match pattern {
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let at = property.span.start;
                    let Some(key) = property.key.static_name().filter(|_| !property.computed)
                    else {
                        return refuse("destructuring of a rare kind", at);
                    };
                    if is_inherited(&key) {
                        return refuse(format!("`{key}` as a value"), at);
                    }
                    let value = self.get(base, &key)?;
                    self.bind_name(&property.value, value)?;
                }
                Ok(())
            }
            BindingPattern::ArrayPattern(array) => {
                let Opd::Slot(list) = base else {
                    return refuse("destructuring of a rare kind", array.span.start);
                };
                self.only_arrays(list);
                if let Some(rest) = &array.rest {
                    // (first, since the names may be those of what is taken apart)
                    let from = self.b.constant(array.elements.len() as f64);
                    let (row, dst) = (self.b.slot(), self.temp());
                    self.b.push(Inst::Box {
                        dst: row,
                        src: from,
                    });
                    let slice = Arg::Const(Method::Slice as u32);
                    let args = [dst.into(), list.into(), row.into(), slice, 1.into()];
                    self.b.call(Helper::Method, args);
                    self.bind_name(&rest.argument, Opd::Temp(dst))?;
                }
                for (at, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let index = self.b.constant(at as f64);
                        let value = self.read(base, &Key::Index(index))?;
                        self.bind_name(element, value)?;
                    }
                }
                Ok(())
            }
            other => refuse("destructuring of a rare kind", other.span().start),
        }
    }

    /// Gives a name its value, or where that is undefined what stands behind the `=`.
    pub(super) fn bind_name(&mut self, pattern: &'w BindingPattern<'a>, value: Opd) -> Res<()> {
        match pattern {
            BindingPattern::AssignmentPattern(with) => {
                self.bind_with(&with.left, Some(&with.right), value)
            }
            name => self.bind_with(name, None, value),
        }
    }

    /// Gives the names of a pattern, or a name, a value, or where that is undefined the default.
    pub(super) fn bind_with(
        &mut self,
        pattern: &'w BindingPattern<'a>,
        default: Option<&'w Expression<'a>>,
        value: Opd,
    ) -> Res<()> {
        let BindingPattern::BindingIdentifier(name) = pattern else {
            let Some(default) = default else {
                return self.bind(pattern, value);
            };
            let whole = self.temp();
            self.store(value, whole);
            let (missing, end) = (self.b.block(), self.b.block());
            let dst = self.b.flag();
            let src = whole.into();
            self.b.push(Inst::IsUndefined { dst, src });
            self.b.end(Terminator::Branch(dst, missing, end));
            self.b.switch_to(missing);
            let instead = self.opd(default)?;
            self.store(instead, whole);
            self.b.jump(end);
            self.b.switch_to(end);
            return self.bind(pattern, Opd::Slot(whole));
        };
        let local = name
            .symbol_id
            .get()
            .and_then(|symbol| self.locals.get(&symbol));
        let Some(local) = local.copied() else {
            return refuse("destructuring of a rare kind", pattern.span().start);
        };
        let Some(default) = default else {
            self.set_local(local, value);
            return Ok(());
        };
        let value = Opd::Slot(self.own(value));
        let (src, dst) = (self.arg(value), self.b.flag());
        self.b.push(Inst::IsUndefined { dst, src });
        let [missing, there, end] = std::array::from_fn(|_| self.b.block());
        self.b.end(Terminator::Branch(dst, missing, there));
        self.b.switch_to(missing);
        let instead = self.opd(default)?;
        self.set_local(local, instead);
        self.b.jump(end);
        self.b.switch_to(there);
        self.set_local(local, value);
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(())
    }
}
