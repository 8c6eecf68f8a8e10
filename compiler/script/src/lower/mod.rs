//! From the code of a function node to the middle representation (`vgdc-mir`), or to the reason why not.
//!
//! Meaning: what comes out does, for every message, what the text does in the engine, or bails out before anybody could
//! have seen anything of it. So a construct is lowered only as far as its meaning is certain, and the rest is refused or
//! bails: exceptions, values of rare types, methods that a type has and this does not know.
//!
//! Objects are copied on write in vgdc and shared in JavaScript. What that may change is found by [`alias`], which makes one
//! name of the two where it can. Where it cannot the text is lowered to code that works on references to objects, as
//! JavaScript does: slower, and exact without any proof.

mod alias;
mod callback;
mod calls;
mod changes;
mod collections;
mod effects;
mod expr;
mod handed;
mod implicit;
mod language;
mod literals;
mod members;
mod operators;
mod order;
mod patterns;
mod regexes;
mod stmt;
mod types;

use std::collections::HashMap;

use alias::Alias;
use callback::Functions;
use handed::Handed;
use oxc_ast::ast::IdentifierReference;
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::Span;
use vgdc_mir::{BlockId, Body, Builder, Flag, Num, Slot};

use crate::javascript::parse::{self, Parsed};

/// Why a text is left to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The construct that decided, as a noun.
    pub construct: String,
    /// Its line in the text, from 1.
    pub line: u32,
}

/// Lowers the text that runs for each message.
///
/// # Errors
/// It has something that is left to the engine, or is no JavaScript.
pub fn lower(text: &str) -> Result<Body, Refusal> {
    lower_for(text, false)
}

/// The same; with `lines`, each statement's code says of which line it is made ([`vgdc_mir::Inst::Line`]).
///
/// # Errors
/// As there.
pub fn lower_for(text: &str, lines: bool) -> Result<Body, Refusal> {
    match implicit::declared(text) {
        Some((declared, names)) => lower_with(&declared, &names, lines),
        None => lower_with(text, &[], lines),
    }
}

/// Lowers a text in which these variables are declared that it does not declare itself.
fn lower_with(text: &str, names: &[String], lines: bool) -> Result<Body, Refusal> {
    let lowered = parse::with_body(text, |parsed| {
        let line = |at: u32| line_of(parsed.whole, parsed.head, at);
        let body = body(&parsed, names, lines).map(|(mut body, left)| {
            body.globals = names.to_vec();
            body.left = left
                .into_iter()
                .map(|refused| (refused.construct, line(refused.at)))
                .collect();
            body
        });
        body.map_err(|refused| Refusal {
            construct: refused.construct,
            line: line(refused.at),
        })
    });
    lowered.unwrap_or_else(|| {
        Err(Refusal {
            construct: "a text that is no JavaScript".to_owned(),
            line: 1,
        })
    })
}

/// The line of a place in a text that begins at `head`.
fn line_of(whole: &str, head: u32, at: u32) -> u32 {
    let before = &whole[head as usize..(at.max(head)) as usize];
    before.matches('\n').count() as u32 + 1
}

/// A function, and what of its text is left to the engine.
type Made = (Body, Vec<Refused>);

fn body(parsed: &Parsed<'_, '_>, implicit: &[String], lines: bool) -> Res<Made> {
    let (functions, handed) = callback::functions(parsed)?;
    let types = types::infer(parsed, &functions, &handed)?;
    implicit::check(parsed, &types, implicit)?;
    let aliases = match handed.hides() {
        true => refuse("a function that is handed over", parsed.head),
        false => alias::resolve(parsed, &types, &functions),
    };
    let known = (functions, handed);
    let by_values = match aliases {
        Ok(aliases) => with(parsed, known.clone(), types.clone(), Some(aliases), lines),
        Err(refused) => Err(refused),
    };
    match by_values {
        Ok(made) if made.1.is_empty() => Ok(made),
        // (where less is left with references they are worth it)
        other => match (with(parsed, known, types, None, lines), other) {
            (Ok(shared), Ok(values)) if shared.1.len() >= values.1.len() => Ok(values),
            (Ok(shared), _) => Ok(shared),
            (Err(_), Ok(values)) => Ok(values),
            (Err(refused), Err(_)) => Err(refused),
        },
    }
}

/// With values where no object is changed that has two names, else (`None`) with references.
fn with<'a, 'w>(
    parsed: &Parsed<'a, 'w>,
    (functions, handed): (Functions<'a, 'w>, Handed),
    types: types::Types,
    aliases: Option<HashMap<SymbolId, Alias<'a, 'w>>>,
    lines: bool,
) -> Res<Made> {
    let shared = aliases.is_none();
    let mut lower = Lower {
        b: Builder::new(),
        lines,
        shared,
        scoping: parsed.scoping,
        head: parsed.head,
        text: parsed.whole,
        types,
        aliases: aliases.unwrap_or_default(),
        elements: HashMap::new(),
        locals: HashMap::new(),
        targets: Vec::new(),
        temps: Vec::new(),
        returns: Vec::new(),
        functions,
        handed,
        collections: collections::find(parsed),
        inside: Vec::new(),
        label: None,
        left: Vec::new(),
    };
    if shared {
        lower.b.share();
    }
    lower.declare();
    lower.statements(parsed.statements)?;
    lower.return_nothing();
    Ok((lower.b.finish(), lower.left))
}

/// Something that is left to the engine.
pub(crate) struct Refused {
    construct: String,
    at: u32,
}

type Res<T> = Result<T, Refused>;

fn refuse<T>(construct: impl Into<String>, at: u32) -> Res<T> {
    Err(Refused {
        construct: construct.into(),
        at,
    })
}

/// Where a variable is kept.
#[derive(Debug, Clone, Copy)]
enum Local {
    Num(Num),
    Flag(Flag),
    Slot(Slot),
}

/// Where `break` and `continue` lead.
struct Target<'a> {
    label: Option<&'a str>,
    end: BlockId,
    /// `None` for a switch and a labelled block.
    next: Option<BlockId>,
    /// A plain `break` ends it: loops and switches.
    plain: bool,
}

struct Lower<'a, 'w> {
    b: Builder,
    /// It says which line is lowered.
    lines: bool,
    /// Slots hold references to objects.
    shared: bool,
    scoping: &'w Scoping,
    head: u32,
    /// The text with what is around it.
    text: &'w str,
    types: types::Types,
    /// Variables that are another name of a place.
    aliases: HashMap<SymbolId, Alias<'a, 'w>>,
    /// Where the loops are whose elements have a name.
    elements: HashMap<SymbolId, Num>,
    locals: HashMap<SymbolId, Local>,
    targets: Vec<Target<'a>>,
    /// Slots of intermediate values of the statement at hand.
    temps: Vec<Slot>,
    /// Where `return` leads, and with its value into which slot, in the functions that are being put in.
    returns: Vec<(BlockId, Slot)>,
    /// Functions of the text, by their names.
    functions: Functions<'a, 'w>,
    /// Parameters that stand for functions.
    handed: Handed,
    /// Variables that hold a map or a set of the text.
    collections: HashMap<SymbolId, collections::Kind>,
    /// Functions that are being put in: none of them again, or there would be no end.
    inside: Vec<Span>,
    /// The label of the statement that comes.
    label: Option<&'a str>,
    /// What was found in branches that are left to the engine.
    left: Vec<Refused>,
}

/// What a name stands for.
pub(crate) enum Name<'s> {
    /// A variable of the text.
    Local(SymbolId),
    /// The message.
    Msg,
    /// `node`.
    Node,
    /// Something of the world around.
    World(&'s str),
}

/// What a name stands for. The parameters of the function around the text are declared before it.
fn name_of<'s>(scoping: &Scoping, head: u32, name: &'s IdentifierReference<'_>) -> Name<'s> {
    let symbol = name
        .reference_id
        .get()
        .and_then(|id| scoping.get_reference(id).symbol_id());
    match symbol {
        Some(symbol) if scoping.symbol_span(symbol).start >= head => Name::Local(symbol),
        Some(_) if name.name == "msg" => Name::Msg,
        Some(_) if name.name == "node" => Name::Node,
        _ => Name::World(name.name.as_str()),
    }
}

#[cfg(test)]
mod tests;
