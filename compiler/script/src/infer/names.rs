//! What names stand for, and what is known of the functions that every body has around it.

use oxc_ast::ast::*;
use oxc_semantic::{Scoping, SymbolId};
use vgdc_ir::Ty;

/// The variable that a name stands for; `None` for something of the world around.
pub(super) fn symbol(scoping: &Scoping, name: &IdentifierReference<'_>) -> Option<SymbolId> {
    let id = name.reference_id.get()?;
    scoping.get_reference(id).symbol_id()
}

/// Where the text begins: the parameters of the function around it are declared before.
const HEAD: u32 = "(async function(msg,node){;\n".len() as u32;

/// Whether a name is the body's `node`.
pub(super) fn is_node(scoping: &Scoping, name: &IdentifierReference<'_>) -> bool {
    name.name == "node"
        && symbol(scoping, name).is_some_and(|symbol| scoping.symbol_span(symbol).start < HEAD)
}

/// The variable that holds the message.
pub(super) fn message(scoping: &Scoping) -> Option<SymbolId> {
    let mut all = scoping.symbol_ids();
    all.find(|symbol| {
        scoping.symbol_span(*symbol).start < HEAD && scoping.symbol_name(*symbol) == "msg"
    })
}

/// What is called.
pub(super) enum Callee<'a, 'w> {
    /// A method of `node`.
    Node(&'w str),
    /// Something of the world around, by its dotted name.
    World(String),
    /// A method of a value.
    Method(&'w Expression<'a>, &'w str),
    /// Something else.
    Other,
}

/// What a callee is.
pub(super) fn callee<'a, 'w>(scoping: &Scoping, e: &'w Expression<'a>) -> Callee<'a, 'w> {
    match e {
        Expression::ParenthesizedExpression(inner) => callee(scoping, &inner.expression),
        Expression::Identifier(name) if symbol(scoping, name).is_none() => {
            Callee::World(name.name.to_string())
        }
        Expression::StaticMemberExpression(member) => {
            let name = member.property.name.as_str();
            if let Expression::Identifier(of) = &member.object
                && is_node(scoping, of)
            {
                return Callee::Node(name);
            }
            match dotted(scoping, &member.object) {
                Some(path) => Callee::World(format!("{path}.{name}")),
                None => Callee::Method(&member.object, name),
            }
        }
        _ => Callee::Other,
    }
}

/// `Math`, `RED.util`: names of the world around that stand for more than a value.
fn dotted(scoping: &Scoping, e: &Expression<'_>) -> Option<String> {
    match e {
        Expression::Identifier(name) if symbol(scoping, name).is_none() => {
            Some(name.name.to_string())
        }
        Expression::StaticMemberExpression(member) => {
            let of = dotted(scoping, &member.object)?;
            Some(format!("{of}.{}", member.property.name))
        }
        _ => None,
    }
}

/// Methods of `node` that change nothing that the body can see.
pub(super) const NODE: &[&str] = &[
    "send", "done", "status", "log", "warn", "error", "debug", "trace", "on",
];

/// Functions that change nothing that the body can see and keep nothing of what they are given, and what they give.
const FUNCTIONS: &[(&str, &str)] = &[
    ("Number", "number"),
    ("parseInt", "number"),
    ("parseFloat", "number"),
    ("Number.parseInt", "number"),
    ("Number.parseFloat", "number"),
    ("Number.isInteger", "bool"),
    ("Number.isFinite", "bool"),
    ("Number.isNaN", "bool"),
    ("isNaN", "bool"),
    ("isFinite", "bool"),
    ("Boolean", "bool"),
    ("String", "string"),
    ("String.fromCharCode", "string"),
    ("Array.isArray", "bool"),
    ("Buffer.isBuffer", "bool"),
    ("Buffer.from", "buffer"),
    ("Buffer.alloc", "buffer"),
    ("Buffer.concat", "buffer"),
    ("JSON.parse", "any"),
    ("JSON.stringify", "string | undefined"),
    ("Object.keys", "array<string>"),
    ("Date.now", "number"),
    ("Date.parse", "number"),
    ("encodeURIComponent", "string"),
    ("decodeURIComponent", "string"),
    ("encodeURI", "string"),
    ("decodeURI", "string"),
    ("flow.get", "any"),
    ("global.get", "any"),
    ("context.get", "any"),
    ("context.flow.get", "any"),
    ("context.global.get", "any"),
    ("flow.keys", "any"),
    ("global.keys", "any"),
    ("context.keys", "any"),
    ("env.get", "any"),
    ("clearTimeout", "undefined"),
    ("clearInterval", "undefined"),
];

/// Functions that keep what they are given, and change nothing.
const KEEPERS: &[&str] = &[
    "flow.set",
    "global.set",
    "context.set",
    "context.flow.set",
    "context.global.set",
];

/// What a function of the world around gives, if it changes nothing and keeps nothing.
pub(super) fn given_by(path: &str) -> Option<Ty> {
    if let Some(name) = path.strip_prefix("Math.") {
        return (!name.is_empty()).then_some(Ty::NUMBER);
    }
    if path.starts_with("console.") {
        return Some(Ty::UNDEFINED);
    }
    let found = FUNCTIONS.iter().find(|(name, _)| *name == path);
    found.map(|(_, ty)| ty.parse().unwrap_or_default())
}

/// Whether a function keeps what it is given, and changes nothing.
pub(super) fn keeps(path: &str) -> bool {
    KEEPERS.contains(&path)
}

/// Functions that run a function later, when the body has come to its end.
pub(super) fn runs_later(path: &str) -> bool {
    matches!(path, "setTimeout" | "setInterval" | "setImmediate")
}

/// Whether a call inside a function is no reason to fear for objects outside it.
pub(super) fn is_harmless(path: &str) -> bool {
    given_by(path).is_some() || keeps(path) || runs_later(path) || path == "RED.util.cloneMessage"
}

/// Methods of strings, numbers, dates, buffers and arrays that change nothing and keep nothing.
const METHODS: &[&str] = &[
    "toString",
    "toFixed",
    "toPrecision",
    "toExponential",
    "toUpperCase",
    "toLowerCase",
    "trim",
    "trimStart",
    "trimEnd",
    "split",
    "slice",
    "substring",
    "substr",
    "charAt",
    "charCodeAt",
    "codePointAt",
    "indexOf",
    "lastIndexOf",
    "includes",
    "startsWith",
    "endsWith",
    "match",
    "matchAll",
    "replace",
    "replaceAll",
    "padStart",
    "padEnd",
    "repeat",
    "concat",
    "localeCompare",
    "search",
    "join",
    "map",
    "filter",
    "find",
    "findIndex",
    "some",
    "every",
    "reduce",
    "reduceRight",
    "forEach",
    "flat",
    "keys",
    "values",
    "entries",
    "at",
    "getTime",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDay",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "getTimezoneOffset",
    "getUTCFullYear",
    "getUTCMonth",
    "getUTCDate",
    "getUTCDay",
    "getUTCHours",
    "getUTCMinutes",
    "getUTCSeconds",
    "valueOf",
    "toISOString",
    "toLocaleString",
    "toLocaleDateString",
    "toLocaleTimeString",
    "toDateString",
    "toTimeString",
    "toUTCString",
    "hasOwnProperty",
    "test",
    "exec",
    "readUInt8",
    "readInt8",
    "readUInt16BE",
    "readUInt16LE",
    "readInt16BE",
    "readInt16LE",
    "readUInt32BE",
    "readUInt32LE",
    "readInt32BE",
    "readInt32LE",
    "readFloatBE",
    "readFloatLE",
    "readDoubleBE",
    "readDoubleLE",
];

/// Whether a method of this name changes nothing, as far as the language's own are concerned.
pub(super) fn changes_nothing(name: &str) -> bool {
    METHODS.contains(&name)
}

/// What a method of a value of this type gives, where it is known to be the language's own; it changes nothing and keeps
/// nothing, but may call a function that it is given.
pub(super) fn given_by_method(of: &Ty, name: &str) -> Option<Ty> {
    if of.is_never() || !METHODS.contains(&name) {
        return None;
    }
    if of.is(&Ty::STRING) {
        return Some(match name {
            "split" => Ty::array(Ty::STRING),
            "indexOf" | "lastIndexOf" | "search" | "localeCompare" | "charCodeAt" => Ty::NUMBER,
            "includes" | "startsWith" | "endsWith" => Ty::BOOL,
            "toString" | "valueOf" | "toUpperCase" | "toLowerCase" | "trim" | "trimStart"
            | "trimEnd" | "slice" | "substring" | "substr" | "charAt" | "replace"
            | "replaceAll" | "padStart" | "padEnd" | "repeat" | "concat" => Ty::STRING,
            _ => Ty::ANY,
        });
    }
    if of.is(&Ty::NUMBER) {
        return Some(match name {
            "toString" | "toFixed" | "toPrecision" | "toExponential" | "toLocaleString" => {
                Ty::STRING
            }
            _ => Ty::ANY,
        });
    }
    if of.is(&Ty::DATE) {
        return Some(match name {
            "toString" | "toISOString" | "toLocaleString" | "toLocaleDateString"
            | "toLocaleTimeString" | "toDateString" | "toTimeString" | "toUTCString" => Ty::STRING,
            _ if name.starts_with("get") || name == "valueOf" => Ty::NUMBER,
            _ => Ty::ANY,
        });
    }
    if of.is(&Ty::BUFFER) {
        return Some(match name {
            "toString" => Ty::STRING,
            _ if name.starts_with("read") => Ty::NUMBER,
            _ => Ty::ANY,
        });
    }
    let element = of.element().filter(|_| of.is(&Ty::array(Ty::ANY)))?;
    Some(match name {
        "join" | "toString" => Ty::STRING,
        "indexOf" | "lastIndexOf" | "findIndex" => Ty::NUMBER,
        "includes" | "some" | "every" => Ty::BOOL,
        "forEach" => Ty::UNDEFINED,
        "slice" | "filter" => Ty::array(element),
        "find" | "at" => element.join(&Ty::UNDEFINED),
        "map" => Ty::array(Ty::ANY),
        _ => Ty::ANY,
    })
}

/// What `new` makes, if nothing is changed or kept by it.
pub(super) fn made_by_new(scoping: &Scoping, new: &NewExpression<'_>) -> Option<Ty> {
    let Expression::Identifier(name) = &new.callee else {
        return None;
    };
    if symbol(scoping, name).is_some() {
        return None;
    }
    match name.name.as_str() {
        "Date" => Some(Ty::DATE),
        "Error" | "TypeError" | "RangeError" | "RegExp" => Some(Ty::ANY),
        _ => None,
    }
}
