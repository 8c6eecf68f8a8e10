//! What an expression is about: the places that it is, and those whose objects it may give or have inside.

use std::collections::HashMap;

use oxc_ast::ast::*;
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::Span;
use vgdc_mir::Builtin;

use super::walk::Walker;
use super::{Alias, Change, Copied, Place, Root, Step};
use crate::lower::callback::{Functions, Inner, Loop, loop_with};
use crate::lower::calls::dotted;
use crate::lower::types::{Ty, Types};
use crate::lower::{Name, name_of};

pub(super) struct Look<'a, 'w, 't> {
    pub(super) scoping: &'w Scoping,
    pub(super) head: u32,
    pub(super) types: &'t Types,
    pub(super) copies: Vec<Copied<'a, 'w>>,
    pub(super) changes: Vec<Change>,
    /// Assignments to variables.
    pub(super) writes: Vec<(Root, u32)>,
    /// Functions of the text. Where there are any, what stands first need not come first.
    pub(super) functions: &'t Functions<'a, 'w>,
    pub(super) loops: Vec<Span>,
    pub(super) blocks: Vec<Span>,
    /// The object of which a property is being set.
    pub(super) holder: Option<Place>,
    /// How many conditions, loops and tries are around.
    pub(super) conditions: u32,
    /// Where the text returns.
    pub(super) returns: Vec<u32>,
    /// Where contexts are read.
    pub(super) gets: Vec<(Place, u32)>,
    /// Variables and the blocks in which they are given their first value.
    pub(super) declared: HashMap<SymbolId, Span>,
    /// Where something is that is not followed.
    pub(super) opaque: Option<u32>,
}

impl<'a, 'w> Look<'a, 'w, '_> {
    pub(super) fn variable(&self, name: &IdentifierReference<'a>) -> Option<Place> {
        let root = match name_of(self.scoping, self.head, name) {
            Name::Local(symbol) => Root::Local(symbol),
            Name::Msg => Root::Msg,
            _ => return None,
        };
        Some(Place {
            root,
            path: Vec::new(),
        })
    }

    pub(super) fn member(&self, member: &StaticMemberExpression<'a>) -> Option<Place> {
        let step = Step::Key(member.property.name.to_string());
        Some(self.place(&member.object)?.step(step))
    }

    pub(super) fn computed(&self, member: &ComputedMemberExpression<'a>) -> Option<Place> {
        let step = match &member.expression {
            Expression::StringLiteral(text) => Step::Key(text.value.to_string()),
            _ => Step::Any,
        };
        Some(self.place(&member.object)?.step(step))
    }

    /// The place that an expression is.
    pub(super) fn place(&self, e: &Expression<'a>) -> Option<Place> {
        match e {
            Expression::ParenthesizedExpression(inner) => self.place(&inner.expression),
            Expression::Identifier(name) => self.variable(name),
            Expression::StaticMemberExpression(member) => self.member(member),
            Expression::ComputedMemberExpression(member) => self.computed(member),
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => self.member(member),
                ChainElement::ComputedMemberExpression(member) => self.computed(member),
                _ => None,
            },
            _ => None,
        }
    }

    /// The places whose objects the value of an expression may be.
    pub(super) fn sources(&self, e: &'w Expression<'a>, found: &mut Vec<Place>) {
        if self.types.expr(self.scoping, self.head, e) != Ty::Any {
            return;
        }
        if let Some(place) = self.place(e) {
            return found.push(place);
        }
        match e {
            Expression::ParenthesizedExpression(inner) => self.sources(&inner.expression, found),
            Expression::ConditionalExpression(conditional) => {
                self.sources(&conditional.consequent, found);
                self.sources(&conditional.alternate, found);
            }
            Expression::LogicalExpression(logical) => {
                self.sources(&logical.left, found);
                self.sources(&logical.right, found);
            }
            Expression::SequenceExpression(list) => {
                if let Some(last) = list.expressions.last() {
                    self.sources(last, found);
                }
            }
            Expression::AssignmentExpression(assign) => {
                self.sources(&assign.right, found);
                if let Some(target) = self.target(&assign.left) {
                    found.push(target);
                }
            }
            // (of a literal, or of what a call gave)
            Expression::StaticMemberExpression(member) => self.values(&member.object, found),
            Expression::ComputedMemberExpression(member) => self.values(&member.object, found),
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => self.values(&member.object, found),
                ChainElement::ComputedMemberExpression(member) => {
                    self.values(&member.object, found)
                }
                _ => {}
            },
            // What is inside the receiver or an argument may be in the result.
            Expression::CallExpression(call) => {
                if let Some(inner) = self
                    .called(call)
                    .or_else(|| self.loop_of(call).map(|(.., inner)| inner))
                {
                    inner
                        .results()
                        .into_iter()
                        .for_each(|result| self.values(result, found));
                }
                let name = dotted(self.scoping, self.head, &call.callee);
                if let Some((place, false)) = name.as_deref().and_then(|name| context(name, call)) {
                    return found.push(place);
                }
                let fresh = name
                    .as_deref()
                    .and_then(Builtin::named)
                    .is_some_and(|builtin| {
                        !matches!(
                            builtin,
                            Builtin::ObjectValues
                                | Builtin::ObjectEntries
                                | Builtin::ObjectAssign
                                | Builtin::ObjectFromEntries
                                | Builtin::ArrayFrom
                        )
                    });
                if fresh {
                    return;
                }
                if let Expression::StaticMemberExpression(member) = &call.callee {
                    match self.place(&member.object) {
                        Some(receiver) => {
                            found.push(receiver.clone().step(Step::Any));
                            if matches!(member.property.name.as_str(), "reverse" | "sort" | "fill")
                            {
                                found.push(receiver);
                            }
                        }
                        None => self.values(&member.object, found),
                    }
                }
                for argument in call
                    .arguments
                    .iter()
                    .filter_map(|argument| argument.as_expression())
                {
                    match self.place(argument) {
                        Some(place) => found.extend([place.clone(), place.step(Step::Any)]),
                        None if Inner::of(argument).is_some() => {}
                        None => self.values(argument, found),
                    }
                }
            }
            _ => {}
        }
    }

    /// The places whose objects may be directly inside the value of an expression.
    pub(super) fn parts(&self, e: &'w Expression<'a>, found: &mut Vec<Place>) {
        for piece in pieces(e) {
            match piece {
                Piece::Value(_, value) => self.values(value, found),
                Piece::Spread(spread) => self.parts(spread, found),
                Piece::Other(other) => {
                    let mut whole = Vec::new();
                    self.sources(other, &mut whole);
                    if matches!(other, Expression::CallExpression(_)) {
                        // (what a call gives may have been inside its receiver, or has it inside)
                        found.extend(whole.iter().cloned());
                    }
                    found.extend(whole.into_iter().map(|place| place.step(Step::Any)));
                }
            }
        }
    }

    /// The places whose objects may be the value of an expression, or anywhere inside it.
    pub(super) fn values(&self, e: &'w Expression<'a>, found: &mut Vec<Place>) {
        self.sources(e, found);
        if self.place(e).is_none() {
            self.parts(e, found);
        }
    }

    /// Whether the value of an expression may be an object.
    pub(super) fn gives_objects(&self, e: &Expression<'a>) -> bool {
        self.types.expr(self.scoping, self.head, e) == Ty::Any
    }

    pub(super) fn loop_of(&self, call: &'w CallExpression<'a>) -> Option<Loop<'a, 'w>> {
        loop_with(call, self.functions, self.scoping, self.head)
    }

    /// The function of the text that is called.
    pub(super) fn called(&self, call: &'w CallExpression<'a>) -> Option<Inner<'a, 'w>> {
        let Expression::Identifier(name) = &call.callee else {
            return None;
        };
        match name_of(self.scoping, self.head, name) {
            Name::Local(symbol) => self.functions.get(&symbol).copied(),
            _ => None,
        }
    }

    pub(super) fn target(&self, target: &AssignmentTarget<'a>) -> Option<Place> {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(name) => self.variable(name),
            AssignmentTarget::StaticMemberExpression(member) => self.member(member),
            AssignmentTarget::ComputedMemberExpression(member) => self.computed(member),
            _ => None,
        }
    }

    /// Notes that the value of an expression is put into a place, and what is inside a literal with it.
    pub(super) fn put(
        &mut self,
        e: &'w Expression<'a>,
        to: &Place,
        at: u32,
        declares: Option<(SymbolId, Alias<'a, 'w>, Span)>,
    ) {
        let mut sources = Vec::new();
        self.sources(e, &mut sources);
        // (an alias names one place, and nothing but a place)
        let declares = declares.filter(|_| sources.len() == 1 && self.place(e).is_some());
        // (`msg.payload = msg.payload.data`: what had the object before is gone)
        let moved = |from: &Place| {
            from.path.len() > to.path.len() && from.is_in(to) && !from.path.contains(&Step::Any)
        };
        for from in sources.into_iter().filter(|from| !moved(from)) {
            self.copies.push(Copied {
                from,
                to: to.clone(),
                holder: self.holder.clone(),
                at,
                loops: self.loops.clone(),
                sure: self.conditions == 0,
                declares,
            });
        }
        self.inside(e, to, at);
    }

    /// What is inside literals in an expression that is put into a place.
    pub(super) fn inside(&mut self, e: &'w Expression<'a>, to: &Place, at: u32) {
        for piece in pieces(e) {
            match piece {
                Piece::Value(step, value) => self.put(value, &to.clone().step(step), at, None),
                Piece::Spread(spread) => self.spread(spread, to, at),
                Piece::Other(Expression::CallExpression(call)) => {
                    if let Some((.., inner)) = self.loop_of(call) {
                        let element = to.clone().step(Step::Any);
                        inner
                            .results()
                            .into_iter()
                            .for_each(|result| self.put(result, &element, at, None));
                    }
                    if let Some(inner) = self.called(call) {
                        inner
                            .results()
                            .into_iter()
                            .for_each(|result| self.inside(result, to, at));
                    }
                }
                Piece::Other(_) => {}
            }
        }
    }

    pub(super) fn spread(&mut self, e: &'w Expression<'a>, to: &Place, at: u32) {
        let mut parts = Vec::new();
        self.parts(e, &mut parts);
        for from in parts {
            self.copies.push(Copied {
                from,
                to: to.clone().step(Step::Any),
                holder: self.holder.clone(),
                at,
                loops: self.loops.clone(),
                sure: self.conditions == 0,
                declares: None,
            });
        }
    }

    pub(super) fn change(&mut self, target: Place, at: u32, value: Option<Place>) {
        if target.path.is_empty() {
            return;
        }
        let mut object = target.clone();
        object.path.pop();
        self.changes.push(Change {
            object,
            target,
            at,
            loops: self.loops.clone(),
            value,
        });
    }

    pub(super) fn statement(&mut self, statement: &'w Statement<'a>) {
        Walker { look: self }.walk_statement(statement);
    }
}

/// What the value of an expression is made of, as far as literals say it.
enum Piece<'a, 'w> {
    /// A property or an element.
    Value(Step, &'w Expression<'a>),
    /// `...value`
    Spread(&'w Expression<'a>),
    /// What is no literal: the value itself.
    Other(&'w Expression<'a>),
}

fn pieces<'a, 'w>(e: &'w Expression<'a>) -> Vec<Piece<'a, 'w>> {
    fn add<'a, 'w>(e: &'w Expression<'a>, found: &mut Vec<Piece<'a, 'w>>) {
        match e {
            Expression::ParenthesizedExpression(inner) => add(&inner.expression, found),
            Expression::ConditionalExpression(conditional) => {
                add(&conditional.consequent, found);
                add(&conditional.alternate, found);
            }
            Expression::LogicalExpression(logical) => {
                add(&logical.left, found);
                add(&logical.right, found);
            }
            Expression::ObjectExpression(object) => {
                found.extend(object.properties.iter().map(|property| match property {
                    ObjectPropertyKind::ObjectProperty(property) => {
                        let step = match property.key.static_name() {
                            Some(name) if !property.computed => Step::Key(name.to_string()),
                            _ => Step::Any,
                        };
                        Piece::Value(step, &property.value)
                    }
                    ObjectPropertyKind::SpreadProperty(spread) => Piece::Spread(&spread.argument),
                }));
            }
            Expression::ArrayExpression(array) => {
                found.extend(array.elements.iter().filter_map(|element| match element {
                    ArrayExpressionElement::SpreadElement(spread) => {
                        Some(Piece::Spread(&spread.argument))
                    }
                    other => Some(Piece::Value(Step::Any, other.as_expression()?)),
                }));
            }
            other => found.push(Piece::Other(other)),
        }
    }
    let mut found = Vec::new();
    add(e, &mut found);
    found
}

/// The context that a call reads (`false`) or writes (`true`).
pub(super) fn context(name: &str, call: &CallExpression<'_>) -> Option<(Place, bool)> {
    let (scope, write) = match name {
        "context.get" => ("node", false),
        "context.set" => ("node", true),
        "flow.get" => ("flow", false),
        "flow.set" => ("flow", true),
        "global.get" => ("global", false),
        "global.set" => ("global", true),
        _ => return None,
    };
    let key = match call.arguments.first() {
        Some(Argument::StringLiteral(key)) => key.value.to_string(),
        _ => "*".to_owned(),
    };
    let place = Place {
        root: Root::Context(scope, key),
        path: Vec::new(),
    };
    Some((place, write))
}
