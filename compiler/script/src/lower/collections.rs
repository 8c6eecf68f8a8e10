//! `Map` and `Set`: where a variable holds nothing but one that the text makes itself, its methods are known.
//!
//! They live in the heap of a call that works on references. What is gone through is a list of what is in them at that time:
//! a loop whose body may change a collection is refused.

use std::collections::HashMap;

use oxc_ast::AstKind;
use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::SymbolId;
use oxc_span::GetSpan;
use vgdc_mir::{Builtin, Helper};

use super::callback::Inner;
use super::expr::{Key, Opd};
use super::{Lower, Name, Res, name_of, refuse};
use crate::javascript::parse::Parsed;

/// What a collection is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Set,
    Map,
}

impl Kind {
    fn named(name: &str) -> Option<Kind> {
        match name {
            "Set" => Some(Kind::Set),
            "Map" => Some(Kind::Map),
            _ => None,
        }
    }

    /// What a method of it is, and how many arguments that has.
    fn method(self, name: &str) -> Option<(Builtin, usize)> {
        Some(match (self, name) {
            (Kind::Set, "add") => (Builtin::SetAdd, 1),
            (Kind::Map, "set") => (Builtin::MapSet, 2),
            (Kind::Map, "get") => (Builtin::MapGet, 1),
            (_, "has") => (Builtin::SetHas, 1),
            (_, "delete") => (Builtin::SetDelete, 1),
            (_, "clear") => (Builtin::SetClear, 0),
            _ => return None,
        })
    }
}

/// The variables that hold a collection from their declaration on, and nothing else.
pub(super) fn find(parsed: &Parsed<'_, '_>) -> HashMap<SymbolId, Kind> {
    let declared = parsed.nodes.iter().filter_map(|node| {
        let AstKind::VariableDeclarator(declarator) = node.kind() else {
            return None;
        };
        let (BindingPattern::BindingIdentifier(name), Some(Expression::NewExpression(new))) =
            (&declarator.id, &declarator.init)
        else {
            return None;
        };
        let Expression::Identifier(class) = &new.callee else {
            return None;
        };
        let Name::World(class) = name_of(parsed.scoping, parsed.head, class) else {
            return None;
        };
        let symbol = name.symbol_id.get()?;
        let mut uses = parsed.scoping.get_resolved_references(symbol);
        let own = parsed.scoping.symbol_span(symbol).start >= parsed.head;
        let once = parsed.scoping.symbol_redeclarations(symbol).is_empty();
        let stays = own && once && !uses.any(|reference| reference.is_write());
        Some((symbol, Kind::named(class).filter(|_| stays)?))
    });
    declared.collect()
}

impl<'a, 'w> Lower<'a, 'w> {
    /// What an expression makes or names, if it is a collection of the text.
    fn collection(&self, e: &Expression<'a>) -> Option<Kind> {
        match e {
            Expression::ParenthesizedExpression(inner) => self.collection(&inner.expression),
            Expression::Identifier(name) => match name_of(self.scoping, self.head, name) {
                Name::Local(symbol) => self.collections.get(&symbol).copied(),
                _ => None,
            },
            Expression::NewExpression(new) => match &new.callee {
                Expression::Identifier(name) => match name_of(self.scoping, self.head, name) {
                    Name::World(class) => Kind::named(class),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// `new Set(…)`, `new Map(…)`; `None` for anything else.
    pub(super) fn new_collection(
        &mut self,
        new: &'w NewExpression<'a>,
        name: &str,
    ) -> Res<Option<Opd>> {
        let Some(kind) = Kind::named(name) else {
            return Ok(None);
        };
        if !self.shared {
            return refuse(format!("`new {name}`"), new.span.start);
        }
        let row = self.b.row(new.arguments.len());
        match new.arguments.as_slice() {
            [] => {}
            [argument] => {
                let Some(e) = argument.as_expression() else {
                    return refuse("a spread argument", argument.span().start);
                };
                let opd = match self.items(e)? {
                    Some(items) => items,
                    None => self.opd(e)?,
                };
                self.store(opd, row[0]);
            }
            _ => return refuse(format!("`new {name}`"), new.span.start),
        }
        let which = match kind {
            Kind::Set => Builtin::NewSet,
            Kind::Map => Builtin::NewMap,
        };
        Ok(Some(Opd::Temp(self.call_row(
            Helper::Builtin,
            None,
            which as u32,
            &row,
        ))))
    }

    /// Asks a collection, or changes it.
    fn on_collection(&mut self, e: &'w Expression<'a>, which: Builtin) -> Res<Opd> {
        let row = self.b.row(1);
        let opd = self.opd(e)?;
        self.store(opd, row[0]);
        Ok(Opd::Temp(self.call_row(
            Helper::Builtin,
            None,
            which as u32,
            &row,
        )))
    }

    /// `set.size`; `None` for a property of anything else.
    pub(super) fn size(&mut self, member: &'w StaticMemberExpression<'a>) -> Res<Option<Opd>> {
        match self.collection(&member.object) {
            Some(_) if member.property.name == "size" => self
                .on_collection(&member.object, Builtin::SetSize)
                .map(Some),
            Some(_) => refuse(
                format!("`{}` of a collection", member.property.name),
                member.span.start,
            ),
            None => Ok(None),
        }
    }

    /// What is gone through where an expression is gone through, as a list of its own; `None` for what is no collection.
    pub(super) fn items(&mut self, e: &'w Expression<'a>) -> Res<Option<Opd>> {
        if let Some(kind) = self.collection(e) {
            let which = match kind {
                Kind::Set => Builtin::SetKeys,
                Kind::Map => Builtin::SetEntries,
            };
            return self.on_collection(e, which).map(Some);
        }
        let Expression::CallExpression(call) = e else {
            return Ok(None);
        };
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return Ok(None);
        };
        if self.collection(&member.object).is_none() || member.optional || call.optional {
            return Ok(None);
        }
        let which = match member.property.name.as_str() {
            "keys" => Builtin::SetKeys,
            "values" => Builtin::SetValues,
            "entries" => Builtin::SetEntries,
            _ => return Ok(None),
        };
        self.on_collection(&member.object, which).map(Some)
    }

    /// A call of a method of a collection; `None` for any other.
    pub(super) fn call_collection(&mut self, call: &'w CallExpression<'a>) -> Res<Option<Opd>> {
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return Ok(None);
        };
        let Some(kind) = self.collection(&member.object).filter(|_| !member.optional) else {
            return Ok(None);
        };
        let (at, name) = (call.span.start, member.property.name.as_str());
        if let ("forEach", Some((.., inner))) = (name, self.loop_of(call)) {
            return self.each_of(&member.object, inner, at).map(Some);
        }
        let Some((which, count)) = kind.method(name) else {
            return refuse(format!("`{name}()` of a collection"), at);
        };
        if call.arguments.len() != count {
            return refuse(format!("`{name}()` of a collection"), at);
        }
        let row = self.b.row(count + 1);
        let opd = self.opd(&member.object)?;
        self.store(opd, row[0]);
        for (argument, slot) in call.arguments.iter().zip(&row[1..]) {
            let Some(e) = argument.as_expression() else {
                return refuse("a spread argument", argument.span().start);
            };
            let opd = self.opd(e)?;
            self.store(opd, *slot);
        }
        Ok(Some(Opd::Temp(self.call_row(
            Helper::Builtin,
            None,
            which as u32,
            &row,
        ))))
    }

    /// `map.forEach((value, key) => …)`
    fn each_of(&mut self, e: &'w Expression<'a>, inner: Inner<'a, 'w>, at: u32) -> Res<Opd> {
        let mut changes = Changes(false);
        inner
            .statements()
            .iter()
            .for_each(|of| changes.visit_statement(of));
        if let Some(value) = inner.value() {
            changes.visit_expression(value);
        }
        if changes.0 || inner.params().len() > 2 {
            return refuse("a loop that changes what it goes through", at);
        }
        let (keys, values, result) = (self.b.slot(), self.b.slot(), self.temp());
        for (slot, which) in [(keys, Builtin::SetKeys), (values, Builtin::SetValues)] {
            let list = self.on_collection(e, which)?;
            self.store(list, slot);
        }
        let length = self.get(Opd::Slot(keys), "length")?;
        let length = self.unbox(length);
        let length = self.kept_num(length);
        self.counted(length, |lower, index| {
            lower.whole(|lower| {
                for (number, list) in [values, keys].into_iter().enumerate() {
                    let value = lower.read(Opd::Slot(list), &Key::Index(index))?;
                    lower.set_param(inner, number, value)?;
                }
                Ok(())
            })?;
            lower.whole(|lower| lower.put_in(inner, result))
        })?;
        for slot in [keys, values] {
            self.b.call(Helper::Clear, [slot.into()]);
        }
        Ok(Opd::Undefined)
    }

    /// Whether a loop over something may change a collection that it goes through.
    pub(super) fn changes_collection(&self, body: &Statement<'a>) -> bool {
        let mut changes = Changes(false);
        changes.visit_statement(body);
        changes.0
    }
}

/// Looks for what may change a collection, whichever it is.
struct Changes(bool);

impl<'a> Visit<'a> for Changes {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.0 |= match &call.callee {
            Expression::StaticMemberExpression(member) => matches!(
                member.property.name.as_str(),
                "add" | "set" | "delete" | "clear"
            ),
            // (a function of the text may do anything)
            _ => true,
        };
        walk::walk_call_expression(self, call);
    }
}
