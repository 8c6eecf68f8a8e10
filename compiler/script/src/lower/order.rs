//! `sort` with a comparison: by keys, where the comparison says what they are.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::SymbolId;
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::BinaryOperator;
use vgdc_mir::{Builtin, Helper, Inst, Math, Method, Mutation};

use super::calls::dotted;
use super::expr::Opd;
use super::{Lower, Name, Res, name_of, refuse};

/// How a comparison orders: by keys of the elements, upwards or downwards, as numbers or as texts.
struct Order<'a, 'w> {
    /// The key of an element, and the name that it has in there.
    key: &'w Expression<'a>,
    element: SymbolId,
    mode: f64,
}

impl<'a, 'w> Lower<'a, 'w> {
    /// `list.sort((a, b) => a.x - b.x)`: sorted by keys, so that it does not matter which elements are compared, and when.
    pub(super) fn sort(
        &mut self,
        call: &'w CallExpression<'a>,
        object: &'w Expression<'a>,
    ) -> Res<Opd> {
        let Some(order) = self.order(call) else {
            return refuse("an order of a rare kind", call.span.start);
        };
        let (slot, keys) = (self.b.slot(), self.b.row(2));
        let first = self.place(object)?;
        self.b.push(Inst::Copy {
            dst: slot,
            src: first,
        });
        self.only_arrays(slot);
        self.b.call(Helper::Array, [keys[0].into(), 0.into()]);
        let length = self.get(Opd::Slot(slot), "length")?;
        let length = self.unbox(length);
        let length = self.kept_num(length);
        self.counted(length, |lower, index| {
            lower.whole(|lower| lower.set_element(order.element, slot, index))?;
            lower.whole(|lower| {
                let key = lower.opd(order.key)?;
                let key = lower.own(key);
                lower.b.call(Helper::Push, [keys[0].into(), key.into()]);
                Ok(())
            })
        })?;
        let mode = self.b.constant(order.mode);
        self.b.push(Inst::Box {
            dst: keys[1],
            src: mode,
        });
        let receiver = match self.shared {
            true => slot.into(),
            // (nobody else may have the list, or it would be copied)
            false => {
                self.b.call(Helper::Clear, [slot.into()]);
                self.place(object)?
            }
        };
        let which = Mutation::SortBy as u32;
        let sorted = self.call_row(Helper::Mutate, Some(receiver), which, &keys);
        self.b.call(Helper::Clear, [slot.into()]);
        Ok(Opd::Temp(sorted))
    }

    /// The order that a comparison makes, where both its sides are the same of either element.
    fn order(&self, call: &'w CallExpression<'a>) -> Option<Order<'a, 'w>> {
        let (.., inner) = self.loop_of(call)?;
        let [a, b] = [inner.param(0)?, inner.param(1)?];
        let value = match (inner.value(), inner.statements()) {
            (Some(value), _) => value,
            (None, [Statement::ReturnStatement(statement)]) => statement.argument.as_ref()?,
            _ => return None,
        };
        let (left, right, mode) = match value.without_parentheses() {
            Expression::BinaryExpression(binary)
                if binary.operator == BinaryOperator::Subtraction =>
            {
                (&binary.left, &binary.right, 0.0)
            }
            Expression::CallExpression(call) => {
                let Expression::StaticMemberExpression(member) = &call.callee else {
                    return None;
                };
                let [argument] = call.arguments.as_slice() else {
                    return None;
                };
                let named = member.property.name == "localeCompare" && !member.optional;
                named.then_some((&member.object, argument.as_expression()?, 2.0))?
            }
            _ => return None,
        };
        if inner.params().len() != 2 || !inner.is_plain() {
            return None;
        }
        let same = |a, b| Some(self.pattern(left, a, b)? == self.pattern(right, b, a)?);
        let (element, down) = match (same(a, b), same(b, a)) {
            (Some(true), _) => (a, 0.0),
            (_, Some(true)) => (b, 1.0),
            _ => return None,
        };
        Some(Order {
            key: left,
            element,
            mode: mode + down,
        })
    }

    /// The text of an expression with a variable left out; `None` when there is the other one in it, or more than looking.
    fn pattern(
        &self,
        e: &'w Expression<'a>,
        own: SymbolId,
        other: SymbolId,
    ) -> Option<Vec<&'w str>> {
        struct Find<'s, 'a, 'w> {
            lower: &'s Lower<'a, 'w>,
            own: SymbolId,
            other: SymbolId,
            places: Vec<Span>,
            sound: bool,
        }
        impl<'a> Visit<'a> for Find<'_, 'a, '_> {
            fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
                match name_of(self.lower.scoping, self.lower.head, name) {
                    Name::Local(symbol) if symbol == self.own => self.places.push(name.span),
                    Name::Local(symbol) => self.sound &= symbol != self.other,
                    _ => {}
                }
            }
            fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
                let named = dotted(self.lower.scoping, self.lower.head, &call.callee);
                self.sound &= match (named, &call.callee) {
                    (Some(name), _) => {
                        Math::named(&name).is_some()
                            || Builtin::named(&name).is_some_and(|builtin| {
                                !matches!(builtin, Builtin::Random | Builtin::DateNow)
                            })
                    }
                    (None, Expression::StaticMemberExpression(member)) => {
                        Method::named(member.property.name.as_str()).is_some()
                    }
                    _ => false,
                };
                walk::walk_call_expression(self, call);
            }
            fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
                // (the time of an element, not the time that it is)
                self.sound &= !new.arguments.is_empty();
                walk::walk_new_expression(self, new);
            }
        }
        let mut find = Find {
            lower: self,
            own,
            other,
            places: Vec::new(),
            sound: !self.acts(e),
        };
        find.visit_expression(e);
        if !find.sound || find.places.is_empty() {
            return None;
        }
        let (mut parts, mut at) = (Vec::new(), e.span().start);
        for place in &find.places {
            parts.push(self.text.get(at as usize..place.start as usize)?);
            at = place.end;
        }
        parts.push(self.text.get(at as usize..e.span().end as usize)?);
        Some(parts)
    }
}
