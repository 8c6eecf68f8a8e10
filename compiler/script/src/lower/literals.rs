//! Texts, objects and arrays as they are written.

use oxc_ast::ast::*;
use vgdc_mir::{Arg, Helper, Slot};

use super::expr::Opd;
use super::{Lower, Res, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    pub(super) fn text(&mut self, text: &str) -> Slot {
        let (dst, number) = (self.temp(), self.b.text(text));
        self.b.call(Helper::Text, [dst.into(), Arg::Const(number)]);
        dst
    }

    pub(super) fn template(&mut self, template: &'w TemplateLiteral<'a>) -> Res<Opd> {
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

    pub(super) fn append(&mut self, whole: &mut Option<Slot>, part: Slot) {
        match *whole {
            None => *whole = Some(part),
            Some(so_far) => self
                .b
                .call(Helper::Add, [so_far.into(), so_far.into(), part.into()]),
        }
    }

    pub(super) fn object(&mut self, object: &'w ObjectExpression<'a>) -> Res<Opd> {
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

    pub(super) fn property(&mut self, dst: Slot, property: &'w ObjectProperty<'a>) -> Res<()> {
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

    pub(super) fn array(&mut self, array: &'w ArrayExpression<'a>) -> Res<Opd> {
        self.array_with(array, false)
    }

    /// `holes`: nobody can tell a hole from what is undefined.
    pub(super) fn array_with(&mut self, array: &'w ArrayExpression<'a>, holes: bool) -> Res<Opd> {
        let dst = self.temp();
        self.b.call(
            Helper::Array,
            [dst.into(), Arg::Const(array.elements.len() as u32)],
        );
        for element in &array.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let opd = match self.items(&spread.argument)? {
                        Some(items) => items,
                        None => self.opd(&spread.argument)?,
                    };
                    let src = self.arg(opd);
                    self.b.call(Helper::SpreadArray, [dst.into(), src]);
                }
                ArrayExpressionElement::Elision(_) if holes => {
                    let value = self.own(Opd::Undefined);
                    self.b.call(Helper::Push, [dst.into(), value.into()]);
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
}
