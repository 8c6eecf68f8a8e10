//! Run-time expressions that need no JavaScript engine: typed inputs, JSONata, mustache, environment strings.
//!
//! Everything is parsed once and evaluated many times. What an expression can reach besides the message is behind [`Env`].

mod env;
mod jsonata;
mod moment;
pub mod mustache;
mod typed;

pub use env::{env_property, substitute_env};
pub use jsonata::{Jsonata, direct as plain};
pub use moment::zone_at;
pub use mustache::Template;
pub use typed::{ContextKey, Target, TypedValue, parse_context_key};

use vgdc_value::{ErrorValue, Value};

/// The two context scopes that expressions name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CtxScope {
    /// The flow's context.
    Flow,
    /// The global context.
    Global,
}

/// What an expression can reach besides the message.
pub trait Env {
    /// Reads from context; `undefined` when there is nothing.
    ///
    /// # Errors
    /// As the store's.
    fn context_get(
        &self,
        scope: CtxScope,
        key: &str,
        store: Option<&str>,
    ) -> Result<Value, ErrorValue>;

    /// Writes to context; `undefined` deletes.
    ///
    /// # Errors
    /// As the store's.
    fn context_set(
        &self,
        scope: CtxScope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue>;

    /// An environment variable; `undefined` when there is none.
    fn env_get(&self, name: &str) -> Value;

    /// Milliseconds since the epoch.
    fn now_ms(&self) -> f64;
}

/// Why an expression cannot be parsed or evaluated: a JavaScript error, with a `code` where Node-RED's has one.
pub type ExprError = ErrorValue;

/// An error with a text and no more.
fn error(message: impl Into<String>) -> ExprError {
    ErrorValue::new("Error", message.into())
}

#[cfg(test)]
mod testing {
    use super::*;
    use std::cell::RefCell;
    use vgdc_value::{Msg, Object};

    /// Context in two objects, one variable.
    #[derive(Default)]
    pub struct Fake(pub RefCell<Object>);

    impl Env for Fake {
        fn context_get(
            &self,
            scope: CtxScope,
            key: &str,
            store: Option<&str>,
        ) -> Result<Value, ErrorValue> {
            let key = format!("{scope:?}/{}/{key}", store.unwrap_or("default"));
            Ok(self
                .0
                .borrow()
                .get(&key)
                .cloned()
                .unwrap_or(Value::Undefined))
        }
        fn context_set(
            &self,
            scope: CtxScope,
            key: &str,
            value: Value,
            store: Option<&str>,
        ) -> Result<(), ErrorValue> {
            let key = format!("{scope:?}/{}/{key}", store.unwrap_or("default"));
            self.0.borrow_mut().insert(key, value);
            Ok(())
        }
        fn env_get(&self, name: &str) -> Value {
            match name {
                "NAME" => Value::from("vgdc"),
                "N" => Value::from(7),
                _ => Value::Undefined,
            }
        }
        fn now_ms(&self) -> f64 {
            1_767_323_045_678.0
        }
    }

    pub fn msg(text: &str) -> Msg {
        Msg::try_from(vgdc_value::control::decode(text).expect("a value")).expect("an object")
    }
}
