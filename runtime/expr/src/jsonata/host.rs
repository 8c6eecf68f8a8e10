//! The functions that Node-RED adds to JSONata, for the long way: `$flowContext`, `$globalContext`, `$env`, `$moment`,
//! `$clone`, and the methods of what these give.

use super::session::{self, Kept};
use super::{convert, errors};
use crate::CtxScope;
use crate::moment::{self, Moment};
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use vgdc_value::Value;

/// Before the name of a method when it is called as a function whose first argument is what it is called on. No expression
/// can name such a function itself.
pub(super) const METHOD: &str = "\u{0}";

type Result = std::result::Result<JValue, EvaluatorError>;

/// Registers what an expression uses; `methods`: the methods that it calls.
pub(super) fn register(
    evaluator: &mut Evaluator,
    methods: &[String],
) -> std::result::Result<(), EvaluatorError> {
    evaluator.register_fn("flowContext", |args: &[JValue]| {
        context(CtxScope::Flow, args)
    })?;
    evaluator.register_fn("globalContext", |args: &[JValue]| {
        context(CtxScope::Global, args)
    })?;
    evaluator.register_fn("env", |args: &[JValue]| {
        let value = args
            .first()
            .and_then(JValue::as_str)
            .and_then(|name| session::env(|env| env.env_get(name)));
        Ok(match value {
            None | Some(Value::Undefined) => JValue::string(""),
            Some(value) => convert::to(&value),
        })
    })?;
    // (values of an expression cannot be changed, so that one is as good as its copy)
    evaluator.register_fn("clone", |args: &[JValue]| match args.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(value @ (JValue::Array(_) | JValue::Object(_))) => Ok(value.clone()),
        Some(_) => {
            let index = Value::from(1);
            raise(errors::made(
                "T0410",
                &[
                    ("index", errors::Fill::Json(&index)),
                    ("token", errors::Fill::Text("clone")),
                ],
            ))
        }
    })?;
    evaluator.register_fn("moment", |args: &[JValue]| {
        let args: Vec<moment::Arg> = args.iter().map(argument).collect();
        Ok(convert::keep(Kept::Moment(moment::make(
            &args,
            session::now(),
        ))))
    })?;
    evaluator.register_fn_override("millis", |_: &[JValue]| Ok(JValue::Number(session::now())))?;
    for method in methods {
        let name = method.clone();
        evaluator.register_fn(format!("{METHOD}{method}"), move |args: &[JValue]| {
            call_method(&name, args)
        })?;
    }
    Ok(())
}

fn raise<T>(error: crate::ExprError) -> std::result::Result<T, EvaluatorError> {
    Err(EvaluatorError::EvaluationError(session::fail(error)))
}

fn context(scope: CtxScope, args: &[JValue]) -> Result {
    let key = args.first().and_then(JValue::as_str).unwrap_or_default();
    let store = args.get(1).and_then(JValue::as_str);
    match session::env(|env| env.context_get(scope, key, store)) {
        None => Ok(JValue::Undefined),
        Some(Ok(value)) => Ok(convert::to(&value)),
        Some(Err(error)) => raise(error),
    }
}

fn argument(value: &JValue) -> moment::Arg {
    match convert::kept(value) {
        Some(Kept::Moment(moment)) => moment::Arg::Moment(moment),
        Some(Kept::Value(Value::Date(ms))) => moment::Arg::Value(Value::Number(ms)),
        Some(Kept::Value(value)) => moment::Arg::Value(value),
        None => moment::Arg::Value(convert::from(value)),
    }
}

/// A method called on what `$moment` gave, a date or a buffer.
fn call_method(name: &str, args: &[JValue]) -> Result {
    let Some((on, args)) = args.split_first() else {
        return not_a_function();
    };
    let args: Vec<moment::Arg> = args.iter().map(argument).collect();
    let answer = match convert::kept(on) {
        Some(Kept::Moment(moment)) => moment.call(name, &args, session::now()),
        Some(Kept::Value(Value::Date(ms))) => of_date(name, ms),
        Some(Kept::Value(Value::Buffer(bytes))) if name == "toString" => {
            Some(of_buffer(&bytes, &args))
        }
        _ => None,
    };
    match answer {
        Some(moment::Answer::Moment(moment)) => Ok(convert::keep(Kept::Moment(moment))),
        Some(moment::Answer::Value(value)) => Ok(convert::to(&value)),
        None => not_a_function(),
    }
}

fn not_a_function() -> Result {
    raise(errors::made("T1006", &[]))
}

fn of_date(name: &str, ms: f64) -> Option<moment::Answer> {
    let moment = Moment::local(ms);
    let value = match name {
        "getTime" | "valueOf" => Value::Number(ms),
        "toISOString" | "toJSON" => vgdc_value::date::iso(ms).map_or(Value::Null, Value::from),
        "toString" => Value::from(vgdc_value::date::js_string(ms)),
        "getFullYear" => return moment.call("year", &[], session::now()),
        "getMonth" => return moment.call("month", &[], session::now()),
        "getDate" => return moment.call("date", &[], session::now()),
        "getDay" => return moment.call("day", &[], session::now()),
        "getHours" => return moment.call("hour", &[], session::now()),
        "getMinutes" => return moment.call("minute", &[], session::now()),
        "getSeconds" => return moment.call("second", &[], session::now()),
        "getMilliseconds" => return moment.call("millisecond", &[], session::now()),
        _ => return None,
    };
    Some(moment::Answer::Value(value))
}

fn of_buffer(bytes: &[u8], args: &[moment::Arg]) -> moment::Answer {
    let encoding = match args.first() {
        Some(moment::Arg::Value(Value::Str(encoding))) => encoding.to_lowercase(),
        _ => String::new(),
    };
    moment::Answer::Value(Value::from(match encoding.as_str() {
        "hex" => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
        "base64" => base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes),
        "latin1" | "binary" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }))
}

/// The names that are taken for methods when a step of a path calls them.
pub(super) fn is_method(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "getTime",
        "getFullYear",
        "getMonth",
        "getDate",
        "getDay",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    ];
    moment::METHODS.contains(&name) || OTHERS.contains(&name)
}
