//! The embedded JavaScript engine (QuickJS-ng) behind one trait, for Node-RED's function nodes.
//!
//! An [`Engine`] belongs to one thread. [`Engine::function`] compiles a function node into a context of its own; the
//! [`Function`] is then called with messages. What its code reaches outside itself goes through a [`Host`], which the node
//! implements. Messages are not converted: JavaScript sees them through a lazy wrapper and gives back the same value where it
//! changed nothing.
//!
//! Invariant: nothing outside this crate knows of QuickJS, and nothing in here knows of flows, wires or stores.

mod atoms;
mod engine;
mod error;
mod export;
mod failure;
mod function;
mod heap;
mod host;
mod import;
mod libs;
mod message;
mod native;
mod raw;
mod realm;
mod refs;
mod scan;
mod texts;

pub use engine::{Engine, Limits, MemoryUse};
pub use error::{CompileError, EngineError, JsError, Phase};
pub use function::{Completion, Function, FunctionSource};
pub use host::{CallId, Host, LogLevel, Scope, Zone};
