//! JSONata expressions over messages, with the functions that Node-RED adds: `$flowContext`, `$globalContext`, `$env`,
//! `$moment`, `$clone`.
//!
//! Plain expressions are evaluated on messages as they are ([`direct`]). The rest goes the long way by the crate
//! `jsonata-core`: those properties of a message that an expression can reach are converted to its values, the result is
//! converted back, and what JSON cannot say (buffers, dates, handles) passes through as it is.
//!
//! Limits: an evaluation by the crate may take 10 s (D1012), build sequences of 10 million items (D2015) and nest to the
//! crate's own limit (U1001). Plain expressions always end: they have no recursion and no loops but over lists.

mod convert;
pub mod direct;
mod errors;
mod host;
mod rewrite;
mod session;

use crate::{Env, ExprError, error};
use direct::{Program, Stop};
use jsonata_core::Expression;
use jsonata_core::evaluator::{
    Context, Evaluator, EvaluatorError, EvaluatorOptions, error_code_prefix,
};
use jsonata_core::value::JValue;
use rewrite::Uses;
use vgdc_value::{Msg, Object, Value};

const TIMEOUT_MS: u64 = 10_000;
const MAX_SEQUENCE: usize = 10_000_000;

/// A parsed expression.
pub struct Jsonata {
    direct: Option<Program>,
    expression: Expression,
    uses: Uses,
    /// The expression names `msg`: Node-RED's older form, in which the message is a property of the input.
    legacy: bool,
}

impl std::fmt::Debug for Jsonata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jsonata")
            .field("direct", &self.direct)
            .field("legacy", &self.legacy)
            .field("uses", &self.uses)
            .finish()
    }
}

fn options() -> EvaluatorOptions {
    EvaluatorOptions {
        timeout_ms: Some(TIMEOUT_MS),
        max_sequence_length: Some(MAX_SEQUENCE),
        ..EvaluatorOptions::default()
    }
}

impl Jsonata {
    /// Parses an expression.
    ///
    /// # Errors
    /// It is malformed; text and `code` are JSONata's.
    pub fn compile(text: &str) -> Result<Jsonata, ExprError> {
        let parsed = Expression::compile(text).map_err(|e| not_parsed(&e.to_string()))?;
        let mut ast = parsed.ast().clone();
        let direct = Program::compile(&ast);
        let uses = rewrite::rewrite(&mut ast);
        Ok(Jsonata {
            direct,
            expression: Expression::from_ast(ast),
            uses,
            legacy: names_msg(text),
        })
    }

    /// Evaluates it on a message.
    ///
    /// # Errors
    /// The expression's; text and `code` are JSONata's.
    pub fn eval(&self, env: &dyn Env, msg: &Msg) -> Result<Value, ExprError> {
        self.eval_with(env, &msg.to_value(), &[])
    }

    /// Evaluates it on any value, with variables (`$I`, `$A` …) bound.
    ///
    /// # Errors
    /// As [`Jsonata::eval`].
    pub fn eval_with(
        &self,
        env: &dyn Env,
        input: &Value,
        variables: &[(&str, Value)],
    ) -> Result<Value, ExprError> {
        if !self.legacy {
            return self.eval_on(env, input, variables);
        }
        let mut whole = Object::with_capacity(1);
        whole.insert("msg", input.clone());
        self.eval_on(env, &Value::Object(whole), variables)
    }

    fn eval_on(
        &self,
        env: &dyn Env,
        input: &Value,
        variables: &[(&str, Value)],
    ) -> Result<Value, ExprError> {
        match self
            .direct
            .as_ref()
            .map(|program| program.run(env, input, variables))
        {
            Some(Ok(value)) => Ok(value),
            Some(Err(Stop::Raise(error))) => Err(error),
            Some(Err(Stop::Leave)) | None => {
                session::with(env, || self.eval_by_crate(input, variables))
            }
        }
    }

    fn eval_by_crate(
        &self,
        input: &Value,
        variables: &[(&str, Value)],
    ) -> Result<Value, ExprError> {
        let data = convert::input(input, self.uses.reaches.as_ref());
        let found = if self.uses.host || !variables.is_empty() {
            self.run(&data, variables)
        } else {
            self.expression.evaluate_with_options(&data, options())
        };
        found
            .map(|found| convert::from(&found))
            .map_err(|error| self.failed(&error))
    }

    fn run(&self, data: &JValue, variables: &[(&str, Value)]) -> Result<JValue, EvaluatorError> {
        let mut context = Context::new();
        for (name, value) in variables {
            context.bind((*name).to_owned(), convert::to(value));
        }
        let mut evaluator = Evaluator::with_options(context, options());
        host::register(&mut evaluator, &self.uses.methods)?;
        evaluator.evaluate(self.expression.ast(), data)
    }

    fn failed(&self, failed: &EvaluatorError) -> ExprError {
        let text = failed.message();
        session::failed(text).unwrap_or_else(|| coded(text, &self.uses.functions))
    }

    /// The expression, if it is plain; true when the message is to be found in it as its property `msg`.
    pub fn plain(&self) -> Option<(&direct::Node, bool)> {
        self.direct
            .as_ref()
            .map(|program| (program.node(), self.legacy))
    }

    /// True when it is evaluated on messages as they are, without converting them, unless they hold something unusual.
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }
}

/// `T2001: text` as an error with that code. (The crate says of a lambda's own signature what it is about first.)
fn coded(text: &str, functions: &[String]) -> ExprError {
    let text = text
        .strip_prefix("Signature validation failed: ")
        .filter(|rest| error_code_prefix(rest).is_some())
        .unwrap_or(text);
    match error_code_prefix(text) {
        Some(code) => errors::said(code, text[code.len() + 1..].trim(), functions),
        None => error(text),
    }
}

/// A parser's error: the code stands somewhere after the parser's own words.
fn not_parsed(text: &str) -> ExprError {
    // (the one error of JSONata's that the crate gives no code)
    if text.ends_with("Unclosed comment") {
        return errors::made("S0106", &[]);
    }
    let starts = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| error_code_prefix(&text[*at..]).is_some());
    coded(&text[starts.unwrap_or(0)..], &[])
}

/// Node-RED's test for an expression of the older form.
fn names_msg(text: &str) -> bool {
    let other = |c: char, dot: bool| {
        !(c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '"') || dot && c == '.')
    };
    text.match_indices("msg").any(|(at, _)| {
        let before = text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| other(c, true));
        let after = text[at + 3..]
            .chars()
            .next()
            .is_none_or(|c| other(c, false));
        before && after
    })
}
