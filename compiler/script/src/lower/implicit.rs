//! Variables that a text sets and does not declare: in JavaScript they are properties of the global object.
//!
//! Where each of them has a value of the same call whenever it is read, nobody can tell it from a variable of the text: such
//! a text is lowered as if it began with their declaration. What an earlier call left in one, or the text that runs when the
//! node starts, is never looked at then.

use oxc_semantic::SymbolId;
use oxc_span::GetSpan;

use super::types::Types;
use super::{Res, refuse};
use crate::javascript::parse::{self, Parsed};

/// Names that the world around has: to set one of them is to change the world.
const WORLD: [&str; 60] = [
    "node",
    "context",
    "flow",
    "global",
    "env",
    "RED",
    "console",
    "Buffer",
    "globalThis",
    "msg",
    "util",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
    "promisify",
    "fs",
    "process",
    "require",
    "module",
    "exports",
    "__msg__",
    "__node__",
    "results",
    "arguments",
    "undefined",
    "NaN",
    "Infinity",
    "Object",
    "Array",
    "String",
    "Number",
    "Boolean",
    "Symbol",
    "Math",
    "JSON",
    "Date",
    "RegExp",
    "Map",
    "Set",
    "Promise",
    "Proxy",
    "Reflect",
    "Intl",
    "BigInt",
    "Error",
    "Function",
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "escape",
    "unescape",
    "eval",
    "URL",
    "TextEncoder",
    "TextDecoder",
    "queueMicrotask",
];

/// A text with the declarations that it lacks, on its first line, and their names; `None` when it lacks none.
pub(super) fn declared(text: &str) -> Option<(String, Vec<String>)> {
    // (in strict code such an assignment is an error)
    if text.contains("use strict") {
        return None;
    }
    let names = parse::with_body(text, |parsed| {
        let mut names: Vec<String> = parsed
            .scoping
            .root_unresolved_references()
            .iter()
            .filter(|(name, uses)| {
                let mut uses = uses.iter();
                !WORLD.contains(&name.as_str())
                    && uses.any(|id| parsed.scoping.get_reference(*id).is_write())
            })
            .map(|(name, _)| name.to_string())
            .collect();
        names.sort();
        names
    })?;
    (!names.is_empty()).then(|| (format!("var {};{text}", names.join(",")), names))
}

/// Refuses a text that may read one of these names before it has set it.
pub(super) fn check(parsed: &Parsed<'_, '_>, types: &Types, names: &[String]) -> Res<()> {
    let is_read_first = |symbol: &&SymbolId| {
        let name = parsed.scoping.symbol_name(**symbol);
        let at = parsed.scoping.symbol_span(**symbol).start;
        // (`var a,b;` stands where the text begins)
        let added =
            at < parsed.head + 6 + names.iter().map(|name| name.len() as u32 + 1).sum::<u32>();
        added && names.iter().any(|known| known == name)
    };
    match types.unset.iter().find(is_read_first) {
        Some(symbol) => {
            let first = parsed
                .scoping
                .get_resolved_references(*symbol)
                .map(|reference| {
                    parsed
                        .nodes
                        .get_node(reference.node_id())
                        .kind()
                        .span()
                        .start
                })
                .min();
            let name = parsed.scoping.symbol_name(*symbol);
            refuse(
                format!("an assignment to `{name}`"),
                first.unwrap_or(parsed.head),
            )
        }
        None => Ok(()),
    }
}
