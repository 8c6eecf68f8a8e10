//! Typed inputs: a text and what it means, as Node-RED's `evaluateNodeProperty` has it.

use crate::{CtxScope, Env, ExprError, Jsonata, env_property, error, moment};
use std::borrow::Cow;
use std::sync::Arc;
use vgdc_value::{ErrorValue, Msg, Path, PathError, Rare, Value, date, json, number};

/// A typed input, parsed.
#[derive(Debug)]
pub enum TypedValue {
    /// The same for every message.
    Constant(Value),
    /// A property of the message.
    Msg(Path),
    /// A context key.
    Context(ContextKey),
    /// An environment variable, or a text with some in it.
    Env(String),
    /// The time, in the named format.
    Date(String),
    /// A JSONata expression.
    Jsonata(Box<Jsonata>),
    /// The whole message (an empty path where Node-RED allows one).
    WholeMsg,
}

/// Splits `#:(store)::key`.
pub fn parse_context_key(text: &str) -> (Option<&str>, &str) {
    match text
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"))
    {
        Some((store, key)) if !store.is_empty() && !store.contains(char::is_whitespace) => {
            (Some(store), key)
        }
        _ => (None, text),
    }
}

fn path_error(error: PathError) -> ExprError {
    let name = if error.code.is_empty() {
        "TypeError"
    } else {
        "Error"
    };
    let value = ErrorValue::new(name, error.message);
    if error.code.is_empty() {
        value
    } else {
        value.with("code", error.code)
    }
}

impl TypedValue {
    /// Parses an input. An unknown type means the text itself, as in Node-RED.
    ///
    /// # Errors
    /// The text does not fit its type (no JSON, a malformed path or expression).
    pub fn parse(ty: &str, text: &str) -> Result<TypedValue, ExprError> {
        let constant = |value: Value| Ok(TypedValue::Constant(value));
        match ty {
            "num" => constant(Value::Number(number::parse(text))),
            "bool" => constant(Value::Bool(text.eq_ignore_ascii_case("true"))),
            "json" => {
                constant(json::parse(text).map_err(|e| ErrorValue::new("SyntaxError", e.message))?)
            }
            "re" => constant(regexp(text)?),
            "bin" => constant(buffer(text)?),
            "date" => Ok(TypedValue::Date(text.to_owned())),
            "msg" => Path::parse(text.strip_prefix("msg.").unwrap_or(text))
                .map(TypedValue::Msg)
                .map_err(path_error),
            "flow" | "global" => {
                let scope = if ty == "flow" {
                    CtxScope::Flow
                } else {
                    CtxScope::Global
                };
                ContextKey::parse(scope, text).map(TypedValue::Context)
            }
            "env" => Ok(TypedValue::Env(text.to_owned())),
            "jsonata" => Jsonata::compile(text).map(|expr| TypedValue::Jsonata(Box::new(expr))),
            _ => constant(Value::from(text)),
        }
    }

    /// Evaluates it for a message.
    ///
    /// # Errors
    /// A path that leads through nothing, a store's error, an expression's.
    pub fn eval(&self, env: &dyn Env, msg: &Msg) -> Result<Value, ExprError> {
        match self {
            TypedValue::Constant(value) => Ok(value.clone()),
            TypedValue::Msg(path) => path.get_in(msg).map_err(path_error),
            TypedValue::Context(key) => key.get(env, msg),
            TypedValue::Env(text) => Ok(env_property(text, env)),
            TypedValue::Date(format) => Ok(match format.as_str() {
                "" => Value::Number(env.now_ms().floor()),
                "object" => Value::Date(env.now_ms().floor()),
                "iso" => date::iso(env.now_ms().floor()).map_or(Value::Null, Value::from),
                format => Value::from(moment::format(env.now_ms(), format)),
            }),
            TypedValue::Jsonata(expr) => expr.eval(env, msg),
            TypedValue::WholeMsg => Ok(msg.to_value()),
        }
    }

    /// True when it is the same for every message.
    pub fn is_constant(&self) -> bool {
        matches!(self, TypedValue::Constant(_))
    }
}

/// A key of flow or global context.
#[derive(Debug)]
pub struct ContextKey {
    scope: CtxScope,
    /// Without the store.
    key: String,
    store: Option<String>,
    /// The key as a path, when parts of it are read from the message (`a[msg.topic]`).
    nested: Option<Path>,
}

impl ContextKey {
    fn parse(scope: CtxScope, text: &str) -> Result<ContextKey, ExprError> {
        let (store, key) = parse_context_key(text);
        let nested = key
            .contains("[msg")
            .then(|| Path::parse(key).map_err(path_error))
            .transpose()?;
        Ok(ContextKey {
            scope,
            key: key.to_owned(),
            store: store.map(str::to_owned),
            nested,
        })
    }

    /// Whose context it is.
    #[must_use]
    pub fn scope(&self) -> CtxScope {
        self.scope
    }

    /// The key, without the store.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The store, where one is named.
    #[must_use]
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Whether parts of the key are read from the message.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.nested.is_some()
    }

    /// The key with the parts that are read from the message put in.
    fn resolved(&self, msg: &Msg) -> Result<Cow<'_, str>, ExprError> {
        match &self.nested {
            None => Ok(Cow::Borrowed(&self.key)),
            Some(path) => match path.resolve(msg) {
                Ok(path) => Ok(Cow::Owned(path.to_string())),
                Err(error) => Err(path_error(error)),
            },
        }
    }

    fn get(&self, env: &dyn Env, msg: &Msg) -> Result<Value, ExprError> {
        env.context_get(self.scope, &self.resolved(msg)?, self.store.as_deref())
    }

    fn set(&self, env: &dyn Env, msg: &Msg, value: Value) -> Result<(), ExprError> {
        let key = self.resolved(msg)?;
        env.context_set(self.scope, &key, value, self.store.as_deref())
    }
}

/// A text as a regular expression; its source as JavaScript shows it.
fn regexp(text: &str) -> Result<Value, ExprError> {
    if let Err(wrong) = regress::Regex::new(text) {
        return Err(ErrorValue::new(
            "SyntaxError",
            format!(
                "Invalid regular expression: /{text}/: {}",
                v8_text(&wrong.text)
            ),
        ));
    }
    let mut source = String::with_capacity(text.len());
    let (mut escaped, mut in_class) = (false, false);
    for c in text.chars() {
        match c {
            '/' if !escaped && !in_class => source.push_str("\\/"),
            '\n' => source.push_str(if escaped { "n" } else { "\\n" }),
            '\r' => source.push_str(if escaped { "r" } else { "\\r" }),
            c => source.push(c),
        }
        match c {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    if source.is_empty() {
        source.push_str("(?:)");
    }
    Ok(Value::Rare(Arc::new(Rare::RegExp {
        source,
        flags: String::new(),
    })))
}

/// What is wrong with a regular expression, in V8's words where they are known.
fn v8_text(said: &str) -> &str {
    match said {
        "Unbalanced bracket" => "Unterminated character class",
        "Unbalanced parenthesis" => "Unterminated group",
        "Invalid quantifier" | "Quantifier not applicable" => "Nothing to repeat",
        other => other,
    }
}

/// A JSON array of bytes, or a JSON text, as a buffer.
fn buffer(text: &str) -> Result<Value, ExprError> {
    match json::parse(text).map_err(|e| ErrorValue::new("SyntaxError", e.message))? {
        Value::Array(items) => {
            let bytes: Vec<u8> = items
                .iter()
                .map(|item| number::to_int32(item.to_number()) as u8)
                .collect();
            Ok(Value::from(bytes))
        }
        Value::Str(text) => Ok(Value::from(text.as_bytes().to_vec())),
        _ => Err(error("Not string or array").with("code", "INVALID_BUFFER_DATA")),
    }
}

/// Where a node puts a value: a property of the message, or a context key.
#[derive(Debug)]
pub enum Target {
    /// A property of the message.
    Msg(Path),
    /// A context key.
    Context(ContextKey),
}

impl Target {
    /// Parses a target of type `msg`, `flow` or `global`.
    ///
    /// # Errors
    /// A malformed path.
    pub fn parse(ty: &str, text: &str) -> Result<Target, ExprError> {
        match TypedValue::parse(
            if matches!(ty, "flow" | "global") {
                ty
            } else {
                "msg"
            },
            text,
        )? {
            TypedValue::Context(key) => Ok(Target::Context(key)),
            TypedValue::Msg(path) => Ok(Target::Msg(path)),
            _ => Err(error("a value can be put into msg, flow or global")),
        }
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// As [`TypedValue::eval`].
    pub fn get(&self, env: &dyn Env, msg: &Msg) -> Result<Value, ExprError> {
        match self {
            Target::Msg(path) => path.get_in(msg).map_err(path_error),
            Target::Context(key) => key.get(env, msg),
        }
    }

    /// Puts a value there (`undefined` deletes); missing objects on the way are made. False when the way is not there.
    ///
    /// # Errors
    /// A step through what is no object, or the store's error.
    pub fn set(&self, env: &dyn Env, msg: &mut Msg, value: Value) -> Result<bool, ExprError> {
        match self {
            Target::Msg(path) => path.set(msg, value, true).map_err(path_error),
            Target::Context(key) => key.set(env, msg, value).map(|()| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, msg};

    #[test]
    fn inputs_mean_what_their_type_says() {
        let env = Fake::default();
        env.context_set(CtxScope::Flow, "a", Value::from(1), None)
            .expect("sets");
        env.context_set(CtxScope::Global, "b", Value::from(2), Some("file"))
            .expect("sets");
        env.context_set(CtxScope::Flow, "list[\"k\"]", Value::from(3), None)
            .expect("sets");
        let msg = msg(r#"{"payload":{"x":[1,2]},"topic":"k"}"#);
        for (ty, text, expected) in [
            ("str", "x", "\"x\""),
            ("num", "0x10", "16"),
            ("bool", "True", "true"),
            ("json", "{\"a\":1}", "{\"a\":1}"),
            (
                "bin",
                "[104,105]",
                "{\"$type\":\"buffer\",\"base64\":\"aGk=\"}",
            ),
            ("msg", "payload.x[1]", "2"),
            ("msg", "payload.y", "{\"$type\":\"undefined\"}"),
            ("flow", "a", "1"),
            ("global", "#:(file)::b", "2"),
            ("env", "N", "7"),
            ("date", "", "1767323045678"),
            ("date", "iso", "\"2026-01-02T03:04:05.678Z\""),
            ("jsonata", "payload.x[0] + 1", "2"),
            ("other", "x", "\"x\""),
        ] {
            let value = TypedValue::parse(ty, text)
                .and_then(|typed| typed.eval(&env, &msg))
                .expect(text);
            assert_eq!(vgdc_value::control::encode(&value), expected, "{ty} {text}");
        }
        assert!(TypedValue::parse("json", "{").is_err() && TypedValue::parse("msg", "a.").is_err());
        assert!(TypedValue::parse("jsonata", "a[").is_err());
    }
}
