//! Objects that have two names.
//!
//! `let p = msg.payload; p.x = 1` changes `msg.payload` in JavaScript. Where values are copied on write it would not. So all
//! places are looked at from which an object is copied into another, and all changes of what is inside objects. If a change
//! can come after a copy and concern the same object, then either the new name is a variable that stays the other name of
//! one place as long as it lives, and is taken for that place; or the text is refused.
//!
//! What is sent or returned is copied by the engine, too. A context holds the object itself: what is read from one, changed,
//! and stored there again is as if it had been changed there; anything else is refused.

mod look;
mod walk;

use std::collections::HashMap;

use oxc_ast::ast::*;
use oxc_semantic::SymbolId;
use oxc_span::Span;

use super::callback::Functions;
use super::types::Types;
use super::{Name, Res, name_of, refuse};
use crate::javascript::parse::Parsed;
use look::Look;

/// What a variable is another name of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alias<'a, 'w> {
    /// The place that it is declared with.
    Place(&'w Expression<'a>),
    /// The element, in a loop over the elements of this.
    Element(&'w Expression<'a>),
}

impl<'a, 'w> Alias<'a, 'w> {
    pub(super) fn of(self) -> &'w Expression<'a> {
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
    pub(super) fn meets(&self, other: &Step) -> bool {
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
    pub(super) fn is(&self, other: &Root) -> bool {
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
    pub(super) fn is_in(&self, outer: &Place) -> bool {
        self.root.is(&outer.root)
            && self.path.len() >= outer.path.len()
            && outer.path.iter().zip(&self.path).all(|(a, b)| a.meets(b))
    }

    pub(super) fn step(mut self, step: Step) -> Place {
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

impl<'a, 'w> Look<'a, 'w, '_> {
    /// Whether a change may concern an object that has got another name before.
    pub(super) fn conflict(
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
    pub(super) fn is_stored(
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
    pub(super) fn stays(
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
    pub(super) fn indices(&self, copied: &Copied<'a, 'w>) -> Option<Vec<SymbolId>> {
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
}
