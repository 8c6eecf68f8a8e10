//! What is known about a function node's code once it is parsed.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::keys::{ContextUses, Keys};

/// What is known about a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JsInfo {
    /// The contexts that it uses.
    pub context: ContextUses,
    /// Names of environment variables that it reads.
    pub env: Keys,
    /// Names of link-in nodes that it calls (`node.linkcall`).
    pub link_calls: Keys,
    /// It says itself when it has finished a message, by Node-RED's own test for a call of `node.done()`.
    pub calls_done: bool,
    /// It calls `node.send`, or hands `node` on so that it can be called.
    pub calls_send: bool,
    /// It returns a value, perhaps a message to send on.
    pub returns_value: bool,
    /// It may still be at work when it has returned: it awaits, makes promises or sets timers.
    pub async_: bool,
    /// It makes code from texts (`eval`, `new Function`, `with`): what is said here may be incomplete, except for contexts.
    pub dynamic: bool,
    /// Modules that it asks for (`require("name")`), with their places in the text.
    pub requires: Vec<(String, Range<usize>)>,
    /// Variables that it uses without declaring them and that no function node has: of its libraries, or set by itself.
    pub free: BTreeSet<String>,
    /// What it is made of as far as compiling it is concerned, in the order of the text, each once.
    pub features: Vec<Feature>,
}

/// A construct that matters for how a text can be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// What it is, as a noun: `a closure`, `the method splice`.
    pub name: String,
    /// What it takes.
    pub support: Support,
    /// The line of the text where it first appears, from 1.
    pub line: u32,
}

/// What a construct takes (architecture, "Function nodes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// Compiles into instructions of its own: context accesses and calls of the node.
    Native,
    /// Compiles into calls of the runtime.
    Helper,
    /// Is left to the engine.
    Engine,
}

/// How a text could be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tier {
    /// Scalars, properties, literals, control flow, simple context and node calls.
    Native,
    /// With helpers of the runtime: closures, arrays, strings, dates, regular expressions, try.
    Helpers,
    /// Only by the engine: the construct that decided, and its line (from 1).
    Engine {
        /// What it is.
        construct: String,
        /// The line in the text.
        line: u32,
    },
}

/// How a text could be compiled: as its most demanding construct demands.
pub fn tier(info: &JsInfo) -> Tier {
    match info
        .features
        .iter()
        .find(|feature| feature.support == Support::Engine)
    {
        Some(feature) => Tier::Engine {
            construct: feature.name.clone(),
            line: feature.line,
        },
        None if info
            .features
            .iter()
            .any(|feature| feature.support == Support::Helper) =>
        {
            Tier::Helpers
        }
        None => Tier::Native,
    }
}
