//! How things fail: the engine itself, compiling a body, running it.

use std::fmt;

use vgdc_value::{ErrorValue, Msg, Object, Str, Value};

/// The engine could not be made: memory for it was refused.
#[derive(Debug)]
pub struct EngineError(pub(crate) String);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the JavaScript engine could not be started: {}", self.0)
    }
}

impl std::error::Error for EngineError {}

/// Which of a function node's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// "On Start" (`initialize`).
    Setup,
    /// "On Message" (`func`).
    Body,
    /// "On Stop" (`finalize`).
    Close,
}

/// A text that is no JavaScript.
#[derive(Debug, Clone)]
pub struct CompileError {
    /// As Node-RED logs it: `SyntaxError: Unexpected token '}' (body:line 3)`.
    pub message: String,
    /// Line in the text as the user wrote it, from 1; 0 when unknown.
    pub line: u32,
    /// Column in that line, from 1; 0 when unknown.
    pub column: u32,
    /// Which text.
    pub phase: Phase,
    /// The error as a value, for `node.error`.
    pub value: Value,
}

impl CompileError {
    /// The same error where the text begins this many lines further down.
    pub(crate) fn moved(mut self, lines: u32) -> Self {
        if self.line > 0 {
            self.line += lines;
        }
        self
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CompileError {}

/// What code threw, as Node-RED hands it to `done(err)`.
#[derive(Debug, Clone)]
pub struct JsError {
    /// A [`vgdc_value::Rare::Error`] for errors (its message as Node-RED rewrites it), else a text.
    pub value: Value,
    /// As it is logged: `TypeError: x is not a function`.
    pub message: String,
    /// Line in the text as the user wrote it, from 1; 0 when unknown.
    pub line: u32,
    /// Column in that line, from 1; 0 when unknown.
    pub column: u32,
    /// The message as the code left it, with `msg.error` set as Node-RED sets it; None when there is no message.
    pub msg: Option<Msg>,
}

impl fmt::Display for JsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsError {}

/// An `Error` without a stack.
pub(crate) fn plain_error(message: &str) -> ErrorValue {
    ErrorValue {
        name: Str::from("Error"),
        message: Str::from(message),
        stack: Str::from(""),
        properties: Object::new(),
    }
}
