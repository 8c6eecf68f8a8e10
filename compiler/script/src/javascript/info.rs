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
}
