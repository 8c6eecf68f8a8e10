//! JSONata expressions over messages, with the functions that Node-RED adds: `$flowContext`, `$globalContext`, `$env`,
//! `$moment`, `$clone`.
//!
//! The language is the crate `jsonata-core`. Only those properties of a message that an expression can reach are converted
//! to its values; what JSON cannot say (buffers, dates, handles) passes through as it is.
//!
//! Limits: an evaluation may take 10 s and build sequences of 10 million items; nesting ends at the crate's own limit.

use crate::{CtxScope, Env, ExprError, error, moment};
use indexmap::IndexMap;
use jsonata_core::Expression;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::value::JValue;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use vgdc_value::{Key, Msg, Object, Value};

const TIMEOUT_MS: u64 = 10_000;
const MAX_SEQUENCE: usize = 10_000_000;

/// The property under which a value stands that JSON cannot say.
const FOREIGN: &str = "\u{0}vgdc";

/// A parsed expression.
pub struct Jsonata {
    expression: Expression,
    /// The expression names `msg`: Node-RED's older form, in which the message is a property of the input.
    legacy: bool,
    /// It calls a function of Node-RED's.
    host: bool,
    /// Top-level properties that it can reach; `None`: any.
    reaches: Option<HashSet<String>>,
}

impl std::fmt::Debug for Jsonata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jsonata").field("legacy", &self.legacy).field("reaches", &self.reaches).finish_non_exhaustive()
    }
}

fn options() -> EvaluatorOptions {
    EvaluatorOptions { timeout_ms: Some(TIMEOUT_MS), max_sequence_length: Some(MAX_SEQUENCE), ..EvaluatorOptions::default() }
}

impl Jsonata {
    /// Parses an expression.
    ///
    /// # Errors
    /// The parser's text.
    pub fn compile(text: &str) -> Result<Jsonata, ExprError> {
        let expression = Expression::compile(text).map_err(|e| coded(&e.display_message()))?;
        let words = words(text);
        let host = ["flowContext", "globalContext", "env", "moment", "clone"].iter().any(|name| text.contains(&format!("${name}")));
        Ok(Jsonata { expression, legacy: names_msg(text), host, reaches: words })
    }

    /// Evaluates it on a message.
    ///
    /// # Errors
    /// The evaluator's text and code.
    pub fn eval(&self, env: &dyn Env, msg: &Msg) -> Result<Value, ExprError> {
        self.eval_value(env, &msg.to_value(), self.reaches.as_ref().filter(|_| !self.legacy))
    }

    /// Evaluates it on any value, with variables (`$I`, `$A` …) bound.
    ///
    /// # Errors
    /// The evaluator's text and code.
    pub fn eval_with(&self, env: &dyn Env, input: &Value, variables: &[(&str, Value)]) -> Result<Value, ExprError> {
        let mut foreign = Vec::new();
        let mut context = Context::new();
        for (name, value) in variables {
            context.bind((*name).to_owned(), to_jsonata(value, &mut foreign));
        }
        let data = self.input(input, None, &mut foreign);
        let found = self.run(env, context, &data)?;
        Ok(from_jsonata(&found, &foreign))
    }

    fn eval_value(&self, env: &dyn Env, input: &Value, only: Option<&HashSet<String>>) -> Result<Value, ExprError> {
        let mut foreign = Vec::new();
        let data = self.input(input, only, &mut foreign);
        let found = if self.host {
            self.run(env, Context::new(), &data)?
        } else {
            self.expression.evaluate_with_options(&data, options()).map_err(failed)?
        };
        Ok(from_jsonata(&found, &foreign))
    }

    fn input(&self, input: &Value, only: Option<&HashSet<String>>, foreign: &mut Vec<Value>) -> JValue {
        let data = match (only, input) {
            (Some(only), Value::Object(object)) => {
                let reached = object.iter().filter(|(key, value)| !value.is_undefined() && only.contains(key.as_str()));
                JValue::object(reached.map(|(key, value)| (key.as_str().to_owned(), to_jsonata(value, foreign))).collect())
            }
            _ => to_jsonata(input, foreign),
        };
        if !self.legacy {
            return data;
        }
        JValue::object(IndexMap::from([("msg".to_owned(), data)]))
    }

    fn run(&self, env: &dyn Env, context: Context, data: &JValue) -> Result<JValue, ExprError> {
        let mut evaluator = Evaluator::with_options(context, options());
        register(&mut evaluator).map_err(failed)?;
        CURRENT.with(|current| {
            // SAFETY: the pointer is read only by the functions registered above, which run only within the call of
            // `evaluate` below, while `env` is borrowed; the guard takes it away before that ends, in a panic too.
            let erased: *const (dyn Env + 'static) = unsafe { std::mem::transmute(std::ptr::from_ref::<dyn Env + '_>(env)) };
            let _guard = Restore { current, before: current.replace(Some(erased)) };
            evaluator.evaluate(self.expression.ast(), data).map_err(failed)
        })
    }
}

thread_local! {
    /// The environment of the evaluation that runs on this thread.
    static CURRENT: Cell<Option<*const dyn Env>> = const { Cell::new(None) };
    /// Values which a function of Node-RED's gave and JSON cannot say.
    static GIVEN: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

struct Restore<'c> {
    current: &'c Cell<Option<*const dyn Env>>,
    before: Option<*const dyn Env>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.current.set(self.before);
    }
}

/// Runs something with the environment of the current evaluation.
fn with_env<T>(act: impl FnOnce(&dyn Env) -> T) -> Option<T> {
    let pointer = CURRENT.with(Cell::get)?;
    // SAFETY: set by `Jsonata::run` for the time in which the environment is borrowed; see there.
    Some(act(unsafe { &*pointer }))
}

fn register(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    let context = |scope: CtxScope| {
        move |args: &[JValue]| {
            let key = args.first().and_then(JValue::as_str).unwrap_or_default();
            let store = args.get(1).and_then(JValue::as_str);
            let value = with_env(|env| env.context_get(scope, key, store)).unwrap_or(Ok(Value::Undefined));
            let value = value.map_err(|e| EvaluatorError::EvaluationError(e.message.to_string()))?;
            Ok(given(&value))
        }
    };
    evaluator.register_fn("flowContext", context(CtxScope::Flow))?;
    evaluator.register_fn("globalContext", context(CtxScope::Global))?;
    evaluator.register_fn("env", |args: &[JValue]| {
        let name = args.first().and_then(JValue::as_str).unwrap_or_default();
        let value = with_env(|env| env.env_get(name)).unwrap_or(Value::Undefined);
        Ok(if value.is_undefined() { JValue::string("") } else { given(&value) })
    })?;
    evaluator.register_fn("clone", |args: &[JValue]| Ok(args.first().cloned().unwrap_or(JValue::Undefined)))?;
    evaluator.register_fn("moment", |args: &[JValue]| {
        let ms = match args.first() {
            Some(JValue::Number(ms)) => *ms,
            Some(JValue::String(text)) => vgdc_value::date::parse(text),
            _ => with_env(|env| env.now_ms()).unwrap_or(f64::NAN),
        };
        // (moment.js gives an object with methods; here it is its text)
        Ok(JValue::string(moment::format(ms, "YYYY-MM-DDTHH:mm:ssZ")))
    })
}

fn given(value: &Value) -> JValue {
    GIVEN.with_borrow_mut(|foreign| to_jsonata_at(value, foreign, true))
}

fn to_jsonata(value: &Value, foreign: &mut Vec<Value>) -> JValue {
    to_jsonata_at(value, foreign, false)
}

fn to_jsonata_at(value: &Value, foreign: &mut Vec<Value>, given: bool) -> JValue {
    match value {
        Value::Undefined => JValue::Undefined,
        Value::Null => JValue::Null,
        Value::Bool(b) => JValue::Bool(*b),
        Value::Number(n) => JValue::Number(*n),
        Value::Str(text) => JValue::string(&**text),
        Value::Array(items) => JValue::array(items.iter().map(|item| to_jsonata_at(item, foreign, given)).collect()),
        Value::Object(object) => {
            let entries = object.iter().filter(|(_, value)| !value.is_undefined());
            JValue::object(entries.map(|(key, value)| (key.as_str().to_owned(), to_jsonata_at(value, foreign, given))).collect())
        }
        // What can be read of it is readable, the thing itself comes back as it was.
        Value::Handle(handle) => {
            let mut map = match handle.props() {
                Value::Object(props) => {
                    props.iter().map(|(key, value)| (key.as_str().to_owned(), to_jsonata_at(value, foreign, given))).collect()
                }
                _ => IndexMap::new(),
            };
            map.insert(FOREIGN.to_owned(), keep(value, foreign, given));
            JValue::object(map)
        }
        Value::Buffer(_) | Value::Date(_) | Value::Rare(_) => {
            JValue::object(IndexMap::from([(FOREIGN.to_owned(), keep(value, foreign, given))]))
        }
    }
}

fn keep(value: &Value, foreign: &mut Vec<Value>, given: bool) -> JValue {
    foreign.push(value.clone());
    let number = foreign.len() as f64;
    JValue::Number(if given { -number } else { number })
}

fn from_jsonata(value: &JValue, foreign: &[Value]) -> Value {
    let found = convert_back(value, foreign);
    GIVEN.with_borrow_mut(Vec::clear);
    found
}

fn convert_back(value: &JValue, foreign: &[Value]) -> Value {
    match value {
        JValue::Null => Value::Null,
        JValue::Bool(b) => Value::Bool(*b),
        JValue::Number(n) => Value::Number(*n),
        JValue::String(text) => Value::from(&**text),
        JValue::Array(items) => Value::from(items.iter().map(|item| convert_back(item, foreign)).collect::<Vec<_>>()),
        JValue::Object(map) => match map.get(FOREIGN) {
            Some(JValue::Number(n)) if *n > 0.0 => foreign.get(*n as usize - 1).cloned().unwrap_or(Value::Undefined),
            Some(JValue::Number(n)) => GIVEN.with_borrow(|given| given.get(-n as usize - 1).cloned().unwrap_or(Value::Undefined)),
            _ => Value::Object(map.iter().map(|(key, value)| (Key::from(key), convert_back(value, foreign))).collect::<Object>()),
        },
        // (functions and regular expressions have no value outside of an expression)
        _ => Value::Undefined,
    }
}

fn failed(error: EvaluatorError) -> ExprError {
    coded(error.message())
}

/// `T2001: text` as an error with that code.
fn coded(message: &str) -> ExprError {
    let message = message.strip_prefix("Parse error: ").unwrap_or(message);
    match jsonata_core::evaluator::error_code_prefix(message) {
        Some(code) => error(message[code.len()..].trim_start_matches(':').trim()).with("code", code),
        None => error(message),
    }
}

/// Node-RED's test for an expression of the older form.
fn names_msg(text: &str) -> bool {
    let other = |c: char, dot: bool| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '"') || dot && c == '.');
    text.match_indices("msg").any(|(at, _)| {
        let before = text[..at].chars().next_back().is_none_or(|c| other(c, true));
        let after = text[at + 3..].chars().next().is_none_or(|c| other(c, false));
        before && after
    })
}

/// The names in an expression, unless it can reach what it does not name: by `$`, `$$`, a wildcard, a transform.
fn words(text: &str) -> Option<HashSet<String>> {
    let chars: Vec<char> = text.chars().collect();
    let mut words = HashSet::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if c == '"' || c == '\'' || c == '`' {
            let end = (at + 1..chars.len()).find(|&i| chars[i] == c && chars[i - 1] != '\\')?;
            words.insert(chars[at + 1..end].iter().collect());
            at = end + 1;
        } else if c == '$' {
            let next = chars.get(at + 1).copied().unwrap_or(' ');
            if !is_word(next) {
                return None;
            }
            let end = (at + 1..chars.len()).find(|&i| !is_word(chars[i])).unwrap_or(chars.len());
            let name: String = chars[at + 1..end].iter().collect();
            if matches!(name.as_str(), "eval" | "lookup" | "keys" | "spread" | "each" | "sift" | "merge") {
                return None;
            }
            at = end;
        } else if matches!(c, '*' | '|' | '%') {
            return None;
        } else if is_word(c) {
            let end = (at..chars.len()).find(|&i| !is_word(chars[i])).unwrap_or(chars.len());
            words.insert(chars[at..end].iter().collect());
            at = end;
        } else {
            at += 1;
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, msg};

    fn eval(text: &str, input: &str) -> Result<String, String> {
        let env = Fake::default();
        env.context_set(CtxScope::Flow, "a", Value::from(5), None).map_err(|e| e.to_string())?;
        let value = Jsonata::compile(text).and_then(|expr| expr.eval(&env, &msg(input)));
        value.map(|value| vgdc_value::control::encode(&value)).map_err(|e| e.message.to_string())
    }

    #[test]
    fn messages_are_queried() {
        for (text, expected) in [
            ("payload.n * 2", "4"),
            ("$sum(payload.list)", "6"),
            ("payload.list[$ > 1]", "[2,3]"),
            ("msg.payload.n", "2"),
            ("payload.gone", "{\"$type\":\"undefined\"}"),
            ("$flowContext('a') + 1", "6"),
            ("$env('NAME') & '!'", "\"vgdc!\""),
            ("$env('GONE')", "\"\""),
            ("{'b': buf}", "{\"b\":{\"$type\":\"buffer\",\"base64\":\"aGk=\"}}"),
            ("buf", "{\"$type\":\"buffer\",\"base64\":\"aGk=\"}"),
            ("$clone(payload).n", "2"),
            ("$keys($)", "[\"payload\",\"buf\"]"),
        ] {
            let input = r#"{"payload":{"n":2,"list":[1,2,3]},"buf":{"$type":"buffer","base64":"aGk="}}"#;
            assert_eq!(eval(text, input), Ok(expected.to_owned()), "{text}");
        }
        assert!(eval("payload + 'x'", r#"{"payload":"a"}"#).is_err());
        assert!(Jsonata::compile("a[").is_err());
    }

    #[test]
    fn variables_are_bound() {
        let expr = Jsonata::compile("$A + payload * $I").expect("parses");
        let value = expr.eval_with(&Fake::default(), &msg(r#"{"payload":3}"#).to_value(), &[("A", Value::from(1)), ("I", Value::from(2))]);
        assert_eq!(value.expect("evaluates"), Value::from(7));
    }

    #[test]
    fn an_endless_expression_ends() {
        assert!(eval("($f := function($n) { $f($n + 1) + 1 }; $f(1))", "{}").is_err());
    }
}
