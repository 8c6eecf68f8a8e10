//! Objects that have two names.
//!
//! `let p = msg.payload; p.x = 1` changes `msg.payload` in JavaScript. Where values are copied on write it would not. So all
//! places are looked at from which an object is copied into another, and all changes of what is inside objects. If a change
//! can come after a copy and concern the same object, then either the new name is a variable that stays the other name of
//! one place as long as it lives, and is taken for that place; or the text is refused.
//!
//! What is sent or returned is copied by the engine, too. A context holds the object itself: what is read from one, changed,
//! and stored there again is as if it had been changed there; anything else is refused.

use std::collections::HashMap;

use oxc_ast::ast::*;
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::{AssignmentOperator, UnaryOperator};
use vgdc_mir::{Builtin, Mutation};

use super::callback::{Functions, Inner, Loop, loop_with};
use super::calls::dotted;
use super::language::handed_over;
use super::types::{Ty, Types, names_of};
use super::{Name, Res, name_of, refuse};
use crate::javascript::parse::Parsed;

/// What a variable is another name of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alias<'a, 'w> {
    /// The place that it is declared with.
    Place(&'w Expression<'a>),
    /// The element, in a loop over the elements of this.
    Element(&'w Expression<'a>),
}

impl<'a, 'w> Alias<'a, 'w> {
    fn of(self) -> &'w Expression<'a> {
        match self {
            Alias::Place(e) | Alias::Element(e) => e,
        }
    }
}

/// A step from an object to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Any,
}

impl Step {
    fn meets(&self, other: &Step) -> bool {
        matches!((self, other), (Step::Any, _) | (_, Step::Any)) || self == other
    }
}

/// What holds an object.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Root {
    Msg,
    Local(SymbolId),
    /// A context, by the name of its scope and the key: `*` where the key is not known.
    Context(&'static str, String),
}

impl Root {
    fn is(&self, other: &Root) -> bool {
        match (self, other) {
            (Root::Context(a, x), Root::Context(b, y)) => {
                a == b && (x == "*" || y == "*" || first_part(x) == first_part(y))
            }
            _ => self == other,
        }
    }
}

/// The first part of a context's key: keys that differ in it have nothing to do with each other.
fn first_part(key: &str) -> &str {
    &key[..key.find(['.', '[']).unwrap_or(key.len())]
}

/// A variable, and a way from it into what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    root: Root,
    path: Vec<Step>,
}

impl Place {
    /// Whether this one is the other, or inside it.
    fn is_in(&self, outer: &Place) -> bool {
        self.root.is(&outer.root)
            && self.path.len() >= outer.path.len()
            && outer.path.iter().zip(&self.path).all(|(a, b)| a.meets(b))
    }

    fn step(mut self, step: Step) -> Place {
        self.path.push(step);
        self
    }
}

/// An object gets a further name.
struct Copied<'a, 'w> {
    from: Place,
    to: Place,
    /// The object of which a property is set; none where a variable is.
    holder: Option<Place>,
    at: u32,
    loops: Vec<Span>,
    /// It is on every way through the text.
    sure: bool,
    /// The variable is declared by this: with what, and in which block.
    declares: Option<(SymbolId, Alias<'a, 'w>, Span)>,
}

/// What is inside an object changes.
#[derive(Clone)]
struct Change {
    /// The object.
    object: Place,
    /// What of it is set, as a place.
    target: Place,
    at: u32,
    loops: Vec<Span>,
    /// The assigned expression, where it is one place.
    value: Option<Place>,
}

/// Finds the variables that are to be taken for the places from which they are set.
///
/// # Errors
/// An object is changed that has another name.
pub(crate) fn resolve<'a, 'w>(
    parsed: &Parsed<'a, 'w>,
    types: &Types,
    functions: &Functions<'a, 'w>,
) -> Res<HashMap<SymbolId, Alias<'a, 'w>>> {
    let mut look = Look {
        scoping: parsed.scoping,
        head: parsed.head,
        types,
        copies: Vec::new(),
        changes: Vec::new(),
        writes: Vec::new(),
        functions,
        loops: Vec::new(),
        blocks: vec![Span::new(0, u32::MAX)],
        conditions: 0,
        holder: None,
        returns: Vec::new(),
        gets: Vec::new(),
        declared: HashMap::new(),
        opaque: None,
    };
    for statement in parsed.statements {
        look.statement(statement);
    }
    if let Some(at) = look.opaque {
        return refuse("parameters that are more than names", at);
    }
    let mut aliases: HashMap<SymbolId, (Alias<'a, 'w>, Place)> = HashMap::new();

    loop {
        let conflict = look.copies.iter().find_map(|copied| {
            if let Some((symbol, ..)) = copied.declares
                && aliases.contains_key(&symbol)
            {
                return None;
            }
            let change = look
                .changes
                .iter()
                .find(|change| look.conflict(copied, change, &aliases))?;
            (!look.is_stored(copied, &aliases)).then_some((copied, change))
        });
        let Some((copied, change)) = conflict else {
            break;
        };
        let Some((symbol, init, block)) = copied.declares else {
            return refuse("an object with two names that is changed", change.at);
        };
        if !look.stays(symbol, copied, block, &aliases) {
            return refuse("an object with two names that is changed", change.at);
        }
        let from = real(&copied.from, &aliases);
        aliases.insert(symbol, (init, from));
    }
    let circular = look.copies.iter().find(|copied| {
        let holder = copied.holder.as_ref().map(|holder| real(holder, &aliases));
        holder.is_some_and(|holder| holder.is_in(&real(&copied.from, &aliases)))
    });
    if let Some(copied) = circular {
        return refuse("an object inside itself", copied.at);
    }
    Ok(aliases
        .into_iter()
        .map(|(symbol, (init, _))| (symbol, init))
        .collect())
}

/// The place that a place is when variables that are other names are taken for what they name.
fn real(place: &Place, aliases: &HashMap<SymbolId, (Alias<'_, '_>, Place)>) -> Place {
    let mut place = place.clone();
    // (a name is of what was there before it, so that this ends; each is followed once)
    for _ in 0..=aliases.len() {
        let named = match &place.root {
            Root::Local(symbol) => aliases.get(symbol).map(|(_, named)| named),
            _ => None,
        };
        let Some(named) = named else {
            break;
        };
        place = Place {
            root: named.root.clone(),
            path: named.path.iter().chain(&place.path).cloned().collect(),
        };
    }
    place
}

struct Look<'a, 'w, 't> {
    scoping: &'w Scoping,
    head: u32,
    types: &'t Types,
    copies: Vec<Copied<'a, 'w>>,
    changes: Vec<Change>,
    /// Assignments to variables.
    writes: Vec<(Root, u32)>,
    /// Functions of the text. Where there are any, what stands first need not come first.
    functions: &'t Functions<'a, 'w>,
    loops: Vec<Span>,
    blocks: Vec<Span>,
    /// The object of which a property is being set.
    holder: Option<Place>,
    /// How many conditions, loops and tries are around.
    conditions: u32,
    /// Where the text returns.
    returns: Vec<u32>,
    /// Where contexts are read.
    gets: Vec<(Place, u32)>,
    /// Variables and the blocks in which they are given their first value.
    declared: HashMap<SymbolId, Span>,
    /// Where something is that is not followed.
    opaque: Option<u32>,
}

impl<'a, 'w> Look<'a, 'w, '_> {
    /// Whether a change may concern an object that has got another name before.
    fn conflict(
        &self,
        copied: &Copied<'a, 'w>,
        change: &Change,
        aliases: &HashMap<SymbolId, (Alias<'a, 'w>, Place)>,
    ) -> bool {
        let object = real(&change.object, aliases);
        let [from, to] = [&copied.from, &copied.to].map(|place| real(place, aliases));
        [from, to].iter().any(|name| {
            if !object.is_in(name) {
                return false;
            }
            if change.at > copied.at || !self.functions.is_empty() {
                return true;
            }
            // In a loop what stands before comes after, unless the object is a new one each time around.
            copied.loops.iter().any(|around| {
                let block = match &object.root {
                    Root::Local(symbol) => self.declared.get(symbol),
                    _ => None,
                };
                let renewed = block.is_some_and(|block| {
                    around.start <= block.start && block.end <= around.end && around != block
                });
                change.loops.contains(around) && !renewed
            })
        })
    }

    /// Whether what is changed after it was read from a context is stored there again, on every way, before anybody looks.
    fn is_stored(
        &self,
        copied: &Copied<'a, 'w>,
        aliases: &HashMap<SymbolId, (Alias<'a, 'w>, Place)>,
    ) -> bool {
        let (Root::Context(_, key), Root::Local(symbol)) = (&copied.from.root, &copied.to.root)
        else {
            return false;
        };
        // (with functions in the text, what stands first need not come first)
        if key == "*" || !copied.to.path.is_empty() || !self.functions.is_empty() {
            return false;
        }
        // Nobody else has the object: it is read once, and nothing else is stored there.
        let read = self
            .gets
            .iter()
            .filter(|(place, _)| place.root.is(&copied.from.root))
            .count();
        let foreign = self
            .copies
            .iter()
            .any(|other| other.to.root.is(&copied.from.root) && other.from.root != copied.to.root);
        if read != 1 || foreign {
            return false;
        }
        let changes = || {
            self.changes
                .iter()
                .filter(|change| self.conflict(copied, change, aliases))
        };
        let Some(first) = changes().map(|change| change.at).min() else {
            return true;
        };
        let last = changes().map(|change| change.at).max().unwrap_or(first);
        let own = self
            .writes
            .iter()
            .filter(|(root, _)| *root == Root::Local(*symbol))
            .count();
        self.copies.iter().any(|stored| {
            let same = stored.sure
                && stored.to == copied.from
                && stored.from.root == Root::Local(*symbol)
                && stored.from.path.is_empty()
                && stored.at > last
                && own == 1;
            let within = |at: u32| first < at && at < stored.at;
            same && !self.returns.iter().any(|at| within(*at))
        })
    }

    /// Whether a variable stays the name of the place from which it is declared, for as long as it lives.
    fn stays(
        &self,
        symbol: SymbolId,
        copied: &Copied<'a, 'w>,
        block: Span,
        aliases: &HashMap<SymbolId, (Alias<'a, 'w>, Place)>,
    ) -> bool {
        let named = real(&copied.from, aliases);
        // (what a function of the text does may happen anywhere)
        let within = |at: u32| !self.functions.is_empty() || block.start <= at && at <= block.end;
        // (written once, where it is declared, and what it names is not written while it lives)
        let own = self
            .writes
            .iter()
            .filter(|(root, _)| *root == Root::Local(symbol))
            .count();
        let root_stays = !self
            .writes
            .iter()
            .any(|(root, at)| *root == named.root && within(*at) && *at != copied.at);
        let ways_stay = !self.changes.iter().any(|change| {
            let target = real(&change.target, aliases);
            let itself = change.value.as_ref().is_some_and(|value| {
                value.root == Root::Local(symbol) && value.path.is_empty() && target == named
            });
            within(change.at) && named.is_in(&target) && !itself
        });
        let keys_stay = self.indices(copied).is_some_and(|indices| {
            indices.iter().all(|index| {
                let mut writes = self.writes.iter();
                !writes.any(|(root, at)| *root == Root::Local(*index) && within(*at))
            })
        });
        own == 1
            && root_stays
            && ways_stay
            && keys_stay
            && !self.types.unset.contains(&symbol)
            && self.declared.get(&symbol) == Some(&block)
    }

    /// The variables in the computed keys of what a copy is made from; `None` when there is more than variables.
    fn indices(&self, copied: &Copied<'a, 'w>) -> Option<Vec<SymbolId>> {
        let mut found = Vec::new();
        let mut at = copied.declares.as_ref()?.1.of();
        loop {
            at = match at {
                Expression::ParenthesizedExpression(inner) => &inner.expression,
                Expression::StaticMemberExpression(member) if !member.optional => &member.object,
                Expression::ComputedMemberExpression(member) if !member.optional => {
                    match &member.expression {
                        Expression::StringLiteral(_) | Expression::NumericLiteral(_) => {}
                        Expression::Identifier(name) => {
                            match name_of(self.scoping, self.head, name) {
                                Name::Local(symbol) => found.push(symbol),
                                _ => return None,
                            }
                        }
                        _ => return None,
                    }
                    &member.object
                }
                Expression::Identifier(_) => return Some(found),
                _ => return None,
            };
        }
    }

    fn variable(&self, name: &IdentifierReference<'a>) -> Option<Place> {
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

    fn member(&self, member: &StaticMemberExpression<'a>) -> Option<Place> {
        let step = Step::Key(member.property.name.to_string());
        Some(self.place(&member.object)?.step(step))
    }

    fn computed(&self, member: &ComputedMemberExpression<'a>) -> Option<Place> {
        let step = match &member.expression {
            Expression::StringLiteral(text) => Step::Key(text.value.to_string()),
            _ => Step::Any,
        };
        Some(self.place(&member.object)?.step(step))
    }

    /// The place that an expression is.
    fn place(&self, e: &Expression<'a>) -> Option<Place> {
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
    fn sources(&self, e: &'w Expression<'a>, found: &mut Vec<Place>) {
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
    fn parts(&self, e: &'w Expression<'a>, found: &mut Vec<Place>) {
        match e {
            Expression::ParenthesizedExpression(inner) => self.parts(&inner.expression, found),
            Expression::ConditionalExpression(conditional) => {
                self.parts(&conditional.consequent, found);
                self.parts(&conditional.alternate, found);
            }
            Expression::LogicalExpression(logical) => {
                self.parts(&logical.left, found);
                self.parts(&logical.right, found);
            }
            Expression::ObjectExpression(object) => {
                for property in &object.properties {
                    match property {
                        ObjectPropertyKind::ObjectProperty(property) => {
                            self.values(&property.value, found)
                        }
                        ObjectPropertyKind::SpreadProperty(spread) => {
                            self.parts(&spread.argument, found)
                        }
                    }
                }
            }
            Expression::ArrayExpression(array) => {
                for element in &array.elements {
                    match element {
                        ArrayExpressionElement::SpreadElement(spread) => {
                            self.parts(&spread.argument, found)
                        }
                        other => {
                            if let Some(element) = other.as_expression() {
                                self.values(element, found);
                            }
                        }
                    }
                }
            }
            other => {
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

    /// The places whose objects may be the value of an expression, or anywhere inside it.
    fn values(&self, e: &'w Expression<'a>, found: &mut Vec<Place>) {
        self.sources(e, found);
        if self.place(e).is_none() {
            self.parts(e, found);
        }
    }

    /// Whether the value of an expression may be an object.
    fn gives_objects(&self, e: &Expression<'a>) -> bool {
        self.types.expr(self.scoping, self.head, e) == Ty::Any
    }

    fn loop_of(&self, call: &'w CallExpression<'a>) -> Option<Loop<'a, 'w>> {
        loop_with(call, self.functions, self.scoping, self.head)
    }

    /// The function of the text that is called.
    fn called(&self, call: &'w CallExpression<'a>) -> Option<Inner<'a, 'w>> {
        let Expression::Identifier(name) = &call.callee else {
            return None;
        };
        match name_of(self.scoping, self.head, name) {
            Name::Local(symbol) => self.functions.get(&symbol).copied(),
            _ => None,
        }
    }

    fn target(&self, target: &AssignmentTarget<'a>) -> Option<Place> {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(name) => self.variable(name),
            AssignmentTarget::StaticMemberExpression(member) => self.member(member),
            AssignmentTarget::ComputedMemberExpression(member) => self.computed(member),
            _ => None,
        }
    }

    /// Notes that the value of an expression is put into a place, and what is inside a literal with it.
    fn put(
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
    fn inside(&mut self, e: &'w Expression<'a>, to: &Place, at: u32) {
        match e {
            Expression::CallExpression(call) => {
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
            Expression::ParenthesizedExpression(inner) => self.inside(&inner.expression, to, at),
            Expression::ConditionalExpression(conditional) => {
                self.inside(&conditional.consequent, to, at);
                self.inside(&conditional.alternate, to, at);
            }
            Expression::LogicalExpression(logical) => {
                self.inside(&logical.left, to, at);
                self.inside(&logical.right, to, at);
            }
            Expression::ObjectExpression(object) => {
                for property in &object.properties {
                    match property {
                        ObjectPropertyKind::ObjectProperty(property) => {
                            let step = match property.key.static_name() {
                                Some(name) if !property.computed => Step::Key(name.to_string()),
                                _ => Step::Any,
                            };
                            self.put(&property.value, &to.clone().step(step), at, None);
                        }
                        ObjectPropertyKind::SpreadProperty(spread) => {
                            self.spread(&spread.argument, to, at)
                        }
                    }
                }
            }
            Expression::ArrayExpression(array) => {
                for element in &array.elements {
                    match element {
                        ArrayExpressionElement::SpreadElement(spread) => {
                            self.spread(&spread.argument, to, at)
                        }
                        ArrayExpressionElement::Elision(_) => {}
                        other => {
                            if let Some(element) = other.as_expression() {
                                self.put(element, &to.clone().step(Step::Any), at, None);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn spread(&mut self, e: &'w Expression<'a>, to: &Place, at: u32) {
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

    fn change(&mut self, target: Place, at: u32, value: Option<Place>) {
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

    fn statement(&mut self, statement: &'w Statement<'a>) {
        Walker { look: self }.walk_statement(statement);
    }
}

/// The context that a call reads (`false`) or writes (`true`).
fn context(name: &str, call: &CallExpression<'_>) -> Option<(Place, bool)> {
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

/// The walk over statements, by hand: the visitor of the library gives no references that live as long as the tree.
struct Walker<'a, 'w, 't, 'l> {
    look: &'l mut Look<'a, 'w, 't>,
}

impl<'a, 'w> Walker<'a, 'w, '_, '_> {
    fn block(&mut self, span: Span, statements: &'w [Statement<'a>]) {
        self.look.blocks.push(span);
        for statement in statements {
            self.walk_statement(statement);
        }
        self.look.blocks.pop();
    }

    /// Something that is not on every way.
    fn perhaps(&mut self, walk: impl FnOnce(&mut Self)) {
        self.look.conditions += 1;
        walk(self);
        self.look.conditions -= 1;
    }

    fn looped(&mut self, span: Span, walk: impl FnOnce(&mut Self)) {
        self.look.conditions += 1;
        self.look.loops.push(span);
        self.look.blocks.push(span);
        walk(self);
        self.look.blocks.pop();
        self.look.loops.pop();
        self.look.conditions -= 1;
    }

    fn walk_statement(&mut self, statement: &'w Statement<'a>) {
        match statement {
            Statement::VariableDeclaration(declaration) => self.declaration(declaration),
            Statement::ExpressionStatement(expression) => self.expression(&expression.expression),
            Statement::BlockStatement(block) => self.block(block.span, &block.body),
            Statement::IfStatement(statement) => {
                self.expression(&statement.test);
                self.perhaps(|walker| {
                    walker.walk_statement(&statement.consequent);
                    if let Some(alternate) = &statement.alternate {
                        walker.walk_statement(alternate);
                    }
                });
            }
            Statement::ForStatement(of) => self.looped(of.span, |walker| {
                match &of.init {
                    Some(ForStatementInit::VariableDeclaration(declaration)) => {
                        walker.declaration(declaration)
                    }
                    Some(init) => {
                        if let Some(init) = init.as_expression() {
                            walker.expression(init);
                        }
                    }
                    None => {}
                }
                for part in [&of.test, &of.update].into_iter().flatten() {
                    walker.expression(part);
                }
                walker.walk_statement(&of.body);
            }),
            Statement::ForOfStatement(of) => self.looped(of.span, |walker| {
                walker.expression(&of.right);
                // (the elements of what is gone through get another name)
                if let ForStatementLeft::VariableDeclaration(declaration) = &of.left {
                    let lexical = declaration.kind != VariableDeclarationKind::Var;
                    for declarator in &declaration.declarations {
                        if let BindingPattern::BindingIdentifier(name) = &declarator.id
                            && let Some(symbol) = name.symbol_id.get()
                        {
                            walker.element(
                                symbol,
                                &of.right,
                                of.span,
                                declarator.span.start,
                                lexical,
                            );
                        } else {
                            // (what is inside the elements gets names)
                            walker.only_names(&declarator.id);
                            for symbol in names_of(&declarator.id).unwrap_or_default() {
                                walker.element(
                                    symbol,
                                    &of.right,
                                    of.span,
                                    declarator.span.start,
                                    false,
                                );
                            }
                        }
                    }
                }
                walker.walk_statement(&of.body);
            }),
            Statement::ForInStatement(of) => self.looped(of.span, |walker| {
                walker.expression(&of.right);
                walker.walk_statement(&of.body);
            }),
            Statement::WhileStatement(of) => self.looped(of.span, |walker| {
                walker.expression(&of.test);
                walker.walk_statement(&of.body);
            }),
            Statement::DoWhileStatement(of) => self.looped(of.span, |walker| {
                walker.walk_statement(&of.body);
                walker.expression(&of.test);
            }),
            Statement::SwitchStatement(of) => {
                self.expression(&of.discriminant);
                self.perhaps(|walker| {
                    for case in &of.cases {
                        if let Some(test) = &case.test {
                            walker.expression(test);
                        }
                        walker.block(case.span, &case.consequent);
                    }
                });
            }
            Statement::LabeledStatement(labeled) => {
                self.perhaps(|walker| walker.walk_statement(&labeled.body))
            }
            Statement::ReturnStatement(statement) => {
                self.look.returns.push(statement.span.start);
                if let Some(argument) = &statement.argument {
                    self.expression(argument);
                }
            }
            Statement::TryStatement(of) => {
                self.block(of.block.span, &of.block.body);
                if let Some(finalizer) = &of.finalizer {
                    self.block(finalizer.span, &finalizer.body);
                }
            }
            Statement::FunctionDeclaration(function) => {
                let symbol = function.id.as_ref().and_then(|name| name.symbol_id.get());
                if let Some(inner) =
                    symbol.and_then(|symbol| self.look.functions.get(&symbol).copied())
                {
                    self.inner(inner);
                }
            }
            // (others are refused when they are lowered)
            _ => {}
        }
    }

    fn declaration(&mut self, declaration: &'w VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            if let (false, Some(init)) = (
                matches!(declarator.id, BindingPattern::BindingIdentifier(_)),
                &declarator.init,
            ) {
                self.pattern(declarator, init);
                continue;
            }
            let (BindingPattern::BindingIdentifier(name), Some(init)) =
                (&declarator.id, &declarator.init)
            else {
                continue;
            };
            let Some(symbol) = name.symbol_id.get() else {
                continue;
            };
            if let Some(inner) = self.look.functions.get(&symbol).copied() {
                self.inner(inner);
                continue;
            }
            self.expression(init);
            let block = self.look.blocks.last().copied().unwrap_or_default();
            let lexical = declaration.kind != VariableDeclarationKind::Var;
            // A `var` that is used outside of its block is declared in none.
            let first = !self.look.declared.contains_key(&symbol);
            if first {
                self.look.declared.insert(symbol, block);
            }
            let at = declarator.span.end;
            let is_msg = self.look.scoping.symbol_span(symbol).start < self.look.head;
            let declares = (lexical || self.look.blocks.len() == 1) && first && !is_msg;
            let root = if is_msg {
                Root::Msg
            } else {
                Root::Local(symbol)
            };
            let to = Place {
                root: root.clone(),
                path: Vec::new(),
            };
            self.look.put(
                init,
                &to,
                at,
                declares.then_some((symbol, Alias::Place(init), block)),
            );
            self.look.writes.push((root, at));
        }
    }

    /// Patterns inside patterns, and objects by default, are not followed.
    fn only_names(&mut self, pattern: &'w BindingPattern<'a>) {
        let parts: Vec<&BindingPattern<'a>> = match pattern {
            BindingPattern::ObjectPattern(object) => {
                let values = object.properties.iter().map(|property| &property.value);
                values.collect()
            }
            BindingPattern::ArrayPattern(array) => {
                if array.rest.is_some() {
                    self.look.opaque.get_or_insert(array.span.start);
                }
                array.elements.iter().flatten().collect()
            }
            _ => Vec::new(),
        };
        for part in parts {
            let plain = match part {
                BindingPattern::BindingIdentifier(_) => true,
                BindingPattern::AssignmentPattern(with) => {
                    !self.look.gives_objects(&with.right)
                        && matches!(with.left, BindingPattern::BindingIdentifier(_))
                }
                _ => false,
            };
            if !plain {
                self.look.opaque.get_or_insert(pattern.span().start);
            }
        }
    }

    /// What is inside an object gets names.
    fn pattern(&mut self, declarator: &'w VariableDeclarator<'a>, init: &'w Expression<'a>) {
        self.expression(init);
        self.only_names(&declarator.id);
        let mut sources = Vec::new();
        self.look.parts(init, &mut sources);
        let at = declarator.span.end;
        for symbol in names_of(&declarator.id).unwrap_or_default() {
            let block = self.look.blocks.last().copied().unwrap_or_default();
            self.look.declared.entry(symbol).or_insert(block);
            self.look.writes.push((Root::Local(symbol), at));
            for from in &sources {
                self.look.copies.push(Copied {
                    from: from.clone(),
                    to: Place {
                        root: Root::Local(symbol),
                        path: Vec::new(),
                    },
                    holder: None,
                    at,
                    loops: self.look.loops.clone(),
                    sure: false,
                    declares: None,
                });
            }
        }
    }

    /// Finds assignments and calls in an expression.
    fn expression(&mut self, e: &'w Expression<'a>) {
        match e {
            Expression::ParenthesizedExpression(inner) => self.expression(&inner.expression),
            Expression::AssignmentExpression(assign) => {
                self.expression(&assign.right);
                self.target_keys(&assign.left);
                let Some(target) = self.look.target(&assign.left) else {
                    return;
                };
                // (it happens when the right side is there)
                let at = assign.span.end;
                // Arithmetic gives no object.
                if assign.operator == AssignmentOperator::Assign || assign.operator.is_logical() {
                    self.look.holder = (!target.path.is_empty()).then(|| {
                        let mut holder = target.clone();
                        holder.path.pop();
                        holder
                    });
                    self.look.put(&assign.right, &target, at, None);
                    self.look.holder = None;
                }
                if target.path.is_empty() {
                    self.look.writes.push((target.root.clone(), at));
                }
                let value = self.look.place(&assign.right);
                self.look.change(target, at, value);
            }
            Expression::UpdateExpression(update) => match &update.argument {
                SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                    if let Name::Local(symbol) = name_of(self.look.scoping, self.look.head, name) {
                        self.look
                            .writes
                            .push((Root::Local(symbol), update.span.end));
                    }
                }
                SimpleAssignmentTarget::StaticMemberExpression(member) => {
                    if let Some(object) = self.look.place(&member.object) {
                        self.look.change(
                            object.step(Step::Key(member.property.name.to_string())),
                            update.span.end,
                            None,
                        );
                    }
                }
                SimpleAssignmentTarget::ComputedMemberExpression(member) => {
                    if let Some(object) = self.look.place(&member.object) {
                        self.look
                            .change(object.step(Step::Any), update.span.end, None);
                    }
                }
                _ => {}
            },
            Expression::UnaryExpression(unary) => {
                self.expression(&unary.argument);
                if unary.operator == UnaryOperator::Delete
                    && let Some(target) = self.look.place(&unary.argument)
                {
                    self.look.change(target, unary.span.end, None);
                }
            }
            Expression::BinaryExpression(binary) => {
                self.expression(&binary.left);
                self.expression(&binary.right);
            }
            Expression::LogicalExpression(logical) => {
                self.expression(&logical.left);
                self.perhaps(|walker| walker.expression(&logical.right));
            }
            Expression::ConditionalExpression(conditional) => {
                self.expression(&conditional.test);
                self.perhaps(|walker| {
                    walker.expression(&conditional.consequent);
                    walker.expression(&conditional.alternate);
                });
            }
            Expression::SequenceExpression(list) => {
                list.expressions.iter().for_each(|e| self.expression(e))
            }
            Expression::TemplateLiteral(template) => {
                template.expressions.iter().for_each(|e| self.expression(e))
            }
            Expression::StaticMemberExpression(member) => self.expression(&member.object),
            Expression::ComputedMemberExpression(member) => {
                self.expression(&member.object);
                self.expression(&member.expression);
            }
            Expression::ObjectExpression(object) => {
                for property in &object.properties {
                    match property {
                        ObjectPropertyKind::ObjectProperty(property) => {
                            self.expression(&property.value)
                        }
                        ObjectPropertyKind::SpreadProperty(spread) => {
                            self.expression(&spread.argument)
                        }
                    }
                }
            }
            Expression::ArrayExpression(array) => {
                for element in &array.elements {
                    match element {
                        ArrayExpressionElement::SpreadElement(spread) => {
                            self.expression(&spread.argument)
                        }
                        other => {
                            if let Some(element) = other.as_expression() {
                                self.expression(element);
                            }
                        }
                    }
                }
            }
            Expression::CallExpression(call) => self.call(call),
            Expression::NewExpression(new) => {
                for argument in &new.arguments {
                    if let Some(argument) = argument.as_expression() {
                        self.expression(argument);
                    }
                }
            }
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => self.call(call),
                ChainElement::StaticMemberExpression(member) => self.expression(&member.object),
                ChainElement::ComputedMemberExpression(member) => {
                    self.expression(&member.object);
                    self.expression(&member.expression);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn target_keys(&mut self, target: &'w AssignmentTarget<'a>) {
        match target {
            AssignmentTarget::StaticMemberExpression(member) => self.expression(&member.object),
            AssignmentTarget::ComputedMemberExpression(member) => {
                self.expression(&member.object);
                self.expression(&member.expression);
            }
            _ => {}
        }
    }

    /// A function that is put in: what it is called with gets the names of its parameters.
    fn inner(&mut self, inner: Inner<'a, 'w>) {
        if inner.dead {
            return;
        }
        self.looped(inner.span, |walker| {
            inner
                .statements()
                .iter()
                .for_each(|statement| walker.walk_statement(statement));
            if let Some(value) = inner.value() {
                walker.expression(value);
            }
        });
    }

    /// The variable that is the elements of something, one after the other.
    fn element(
        &mut self,
        symbol: SymbolId,
        list: &'w Expression<'a>,
        block: Span,
        at: u32,
        lexical: bool,
    ) {
        self.look.declared.entry(symbol).or_insert(block);
        self.look.writes.push((Root::Local(symbol), at));
        let Some(from) = self.look.place(list) else {
            let mut parts = Vec::new();
            self.look.parts(list, &mut parts);
            for from in parts {
                self.look.copies.push(Copied {
                    from,
                    to: Place {
                        root: Root::Local(symbol),
                        path: Vec::new(),
                    },
                    holder: None,
                    at,
                    loops: self.look.loops.clone(),
                    sure: false,
                    declares: None,
                });
            }
            return;
        };
        self.look.copies.push(Copied {
            from: from.step(Step::Any),
            to: Place {
                root: Root::Local(symbol),
                path: Vec::new(),
            },
            holder: None,
            at,
            loops: self.look.loops.clone(),
            sure: false,
            declares: lexical.then_some((symbol, Alias::Element(list), block)),
        });
    }

    fn parameter(&mut self, inner: Inner<'a, 'w>, number: usize, from: Place, at: u32) {
        if let Some(symbol) = inner.param(number) {
            self.look.copies.push(Copied {
                from,
                to: Place {
                    root: Root::Local(symbol),
                    path: Vec::new(),
                },
                holder: None,
                at,
                loops: self.look.loops.clone(),
                sure: false,
                declares: None,
            });
        }
    }

    /// Parameters that are more than names: what they are is not followed.
    fn opaque(&mut self, inner: Inner<'a, 'w>) {
        if !inner.is_plain() {
            self.look.opaque.get_or_insert(inner.span.start);
        }
    }

    fn call(&mut self, call: &'w CallExpression<'a>) {
        let at = call.span.start;
        if let Some(inner) = self.look.called(call) {
            self.opaque(inner);
            for (number, argument) in call.arguments.iter().enumerate() {
                let mut sources = Vec::new();
                if let Some(e) = argument.as_expression() {
                    self.look.values(e, &mut sources);
                }
                sources
                    .into_iter()
                    .for_each(|from| self.parameter(inner, number, from, at));
            }
        }
        if let Some((name, receiver, inner)) = self.look.loop_of(call) {
            self.opaque(inner);
            self.expression(receiver);
            let first = usize::from(name == "reduce");
            if let Some(symbol) = inner.param(first) {
                self.element(symbol, receiver, inner.span, at, true);
            }
            if let Some(list) = self.look.place(receiver) {
                self.parameter(inner, first + 2, list, at);
            }
            if first == 1 {
                // What is given first, and what the function gives, is what it gets.
                let init = call.arguments.get(1).and_then(|init| init.as_expression());
                for e in inner.results().into_iter().chain(init) {
                    let mut sources = Vec::new();
                    self.look.values(e, &mut sources);
                    let own = inner.param(0);
                    sources.retain(|from| Some(&from.root) != own.map(Root::Local).as_ref());
                    sources
                        .into_iter()
                        .for_each(|from| self.parameter(inner, 0, from, at));
                }
            }
            self.inner(inner);
            if let Some(init) = call.arguments.get(1).and_then(|init| init.as_expression()) {
                self.expression(init);
            }
            if name != "sort" {
                return;
            }
        }
        let name = dotted(self.look.scoping, self.look.head, &call.callee);
        // (what is done to arguments, and in functions that are no loops over what has a name)
        let changes = match name.as_deref() {
            Some("RED.util.setMessageProperty") => true,
            Some("Object.assign") => {
                !matches!(call.arguments.first(), Some(Argument::ObjectExpression(_)))
            }
            _ => false,
        };
        let hidden = changes || handed_over(self.look.scoping, self.look.head, call).is_some();
        if hidden {
            self.look.opaque.get_or_insert(at);
        }
        if let Some((place, write)) = name.as_deref().and_then(|name| context(name, call)) {
            let at = call.span.end;
            match call
                .arguments
                .get(1)
                .and_then(|value| value.as_expression())
            {
                Some(value) if write => self.look.put(value, &place, at, None),
                _ => self.look.gets.push((place, at)),
            }
        }
        if let Expression::StaticMemberExpression(member) = &call.callee {
            self.expression(&member.object);
            if member.property.name == "fill" {
                // (every element is the same object then)
                let objects = call.arguments.iter().any(|argument| {
                    argument
                        .as_expression()
                        .is_none_or(|e| self.look.gives_objects(e))
                });
                if objects {
                    self.look.opaque.get_or_insert(at);
                }
            }
            if Mutation::named(member.property.name.as_str()).is_some()
                && let Some(receiver) = self.look.place(&member.object)
            {
                let at = call.span.end;
                self.look.holder = Some(receiver.clone());
                let element = receiver.step(Step::Any);
                for argument in &call.arguments {
                    if let Some(argument) = argument.as_expression() {
                        self.look.put(argument, &element, at, None);
                    }
                }
                self.look.holder = None;
                self.look.change(element, at, None);
            }
        }
        for argument in &call.arguments {
            match argument {
                Argument::SpreadElement(spread) => self.expression(&spread.argument),
                other => {
                    if let Some(argument) = other.as_expression() {
                        self.expression(argument);
                    }
                }
            }
        }
    }
}
