//! What a function node's code can reach outside itself: the interface that the node implements.

use vgdc_value::{ErrorValue, Msg, Value};

use crate::error::JsError;

/// Names one handled message, chosen by the node. 0 is never given to a call: it means "no message" (setup, close).
pub type CallId = u64;

/// Whose context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The node's own (`context`).
    Node,
    /// The flow's or subflow instance's (`flow`).
    Flow,
    /// The one of all flows (`global`).
    Global,
}

/// How important a logged value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// `console.error`.
    Error,
    /// `node.warn`, `console.warn`.
    Warn,
    /// `node.log`, `console.log`, `console.info`.
    Info,
    /// `node.debug`, `console.debug`.
    Debug,
    /// `node.trace`, `console.trace`.
    Trace,
}

/// A time zone at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its own name, whatever the case in which it was asked for.
    pub name: String,
    /// Seconds east of Greenwich.
    pub seconds: i32,
    /// What its time is called then: `CEST`, `-03`.
    pub abbreviation: String,
}

/// The world outside a function node's code.
///
/// Every method runs on the engine's thread, while JavaScript is running: a host must not call back into the same
/// [`Function`](crate::Function) from inside them; it queues instead.
pub trait Host {
    /// `node.send`, and what a body returned: one list an output, `_msgid` set, null entries dropped. Trailing outputs may be
    /// missing and outputs may be empty. `clone` is false for `node.send(msg, false)` and for returned messages.
    fn send(&self, call: CallId, outputs: Vec<Vec<Msg>>, clone: bool);

    /// `node.done()`, or an asynchronous body that finished. `msg` is the message as the body left it, when
    /// [`FunctionSource::keep_message`](crate::FunctionSource::keep_message) asks for it.
    fn done(&self, call: CallId, msg: Option<Msg>);

    /// `node.done(err)`, or an asynchronous body that rejected: Node-RED's `done(err)`.
    fn fail(&self, call: CallId, error: JsError);

    /// `node.error(value, msg)`, errors of timers, and messages that are none. `msg` only when it is an object.
    fn error(&self, value: Value, msg: Option<Value>);

    /// `node.status(status)` with the value as the body gave it; an empty object on close when a status was set.
    fn status(&self, status: Value);

    /// `node.log`, `node.warn`, `node.debug`, `node.trace`.
    fn log(&self, level: LogLevel, value: Value);

    /// Reads a context value. `key` is a property path, possibly beginning with `$parent.`; no `store` means the default one.
    ///
    /// # Errors
    /// What Node-RED throws for the key or store; it is thrown in the body.
    fn context_get(
        &self,
        scope: Scope,
        key: &str,
        store: Option<&str>,
    ) -> Result<Value, ErrorValue>;

    /// Writes a context value; `Undefined` deletes it.
    ///
    /// # Errors
    /// As for [`Host::context_get`].
    fn context_set(
        &self,
        scope: Scope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue>;

    /// The keys of a context.
    ///
    /// # Errors
    /// As for [`Host::context_get`].
    fn context_keys(&self, scope: Scope, store: Option<&str>) -> Result<Vec<String>, ErrorValue>;

    /// True when the store gives out its objects themselves, so that changing one changes the store (Node-RED's memory store).
    /// The engine then writes changed objects back when the code that changed them has run.
    fn context_is_live(&self, _store: Option<&str>) -> bool {
        true
    }

    /// `env.get(name)`.
    fn env_get(&self, name: &str) -> Value;

    /// Parses a JSONata expression and, with an input, evaluates it with these variables.
    ///
    /// # Errors
    /// The expression's; it is thrown in the body.
    fn jsonata(
        &self,
        _text: &str,
        _input: Option<&Value>,
        _variables: &[(&str, Value)],
    ) -> Result<Value, ErrorValue> {
        Err(crate::error::plain_error(
            "JSONata expressions cannot be evaluated here",
        ))
    }

    /// Asks for [`Function::fire_timer`](crate::Function::fire_timer) once, after this many milliseconds (0: as soon as the
    /// queue allows, for `setImmediate`). Intervals are armed anew by the engine.
    fn set_timer(&self, id: u32, after_ms: f64);

    /// Takes a timer back.
    fn clear_timer(&self, id: u32);

    /// Milliseconds since the epoch by the runtime's clock (which may be virtual), for `Date`.
    fn now_ms(&self) -> f64;

    /// What a time zone's clocks show at a time (milliseconds since the epoch), for `Intl`; `None` for a name that is none.
    fn zone(&self, _name: &str, _at_ms: f64) -> Option<Zone> {
        None
    }

    /// What the body wrote to the console.
    fn console(&self, level: LogLevel, text: String);

    /// `node.linkcall(target, msg, options)`: to be answered with [`Function::link_reply`](crate::Function::link_reply).
    ///
    /// # Errors
    /// Why the call cannot be made; the promise given to the body rejects with it.
    fn link_call(
        &self,
        _request: u32,
        _target: &str,
        _msg: Msg,
        _timeout_ms: f64,
    ) -> Result<(), ErrorValue> {
        Err(crate::error::plain_error(
            "Error target 'link in' node not found",
        ))
    }

    /// Says how an asynchronous setup ended; only after [`Function::setup`](crate::Function::setup) returned `Pending`.
    fn setup_done(&self, _result: Result<(), JsError>) {}

    /// Says that all asynchronous close listeners have called back; only after
    /// [`Function::close`](crate::Function::close) returned false.
    fn close_done(&self) {}
}
