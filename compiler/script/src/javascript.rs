//! The code of function nodes, parsed by oxc as what Node-RED makes of it: the inside of a function in sloppy mode.

mod contexts;
mod info;
mod names;
pub(crate) mod parse;
mod visit;

pub use info::JsInfo;

use crate::ScriptError;

/// Which of a function node's texts it is: what it may await, and which variables it has by birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// What runs for each message: in an asynchronous function of `msg`.
    Body,
    /// What runs at start: in an asynchronous function.
    Setup,
    /// What runs at the end: in a function that cannot await.
    Close,
}

impl Phase {
    /// The phase of a function node's property: `initialize`, `finalize`; else the body.
    pub fn of_property(name: &str) -> Phase {
        match name {
            "initialize" => Phase::Setup,
            "finalize" => Phase::Close,
            _ => Phase::Body,
        }
    }

    /// What stands before the text, up to its first line. The semicolon keeps a first `"use strict"` from being a directive:
    /// before it Node-RED declares `node`. That one is a parameter here, which forbids the same redeclarations.
    fn head(self) -> &'static str {
        match self {
            Phase::Body => "(async function(msg,node){;\n",
            Phase::Setup => "(async function(node){;\n",
            Phase::Close => "(function(node){;\n",
        }
    }
}

/// Parses the code of a function node.
///
/// # Errors
/// What is not JavaScript: all that Node-RED would log as a syntax error when it starts the node.
pub fn check_javascript(text: &str, phase: Phase) -> Result<JsInfo, Vec<ScriptError>> {
    parse::check(text, phase)
}
