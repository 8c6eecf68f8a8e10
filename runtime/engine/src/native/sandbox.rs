//! Helpers of the sandbox's libraries that fit nowhere else: loading them, console, env, copies, ids, paths, error texts.

use vgdc_value::{Path, PathSegment, Value, generate_id, json};

use super::{Call, Entry};
use crate::error::Phase;
use crate::export::export_tracked;
use crate::host::LogLevel;
use crate::import::{import, import_error};
use crate::libs::Lib;
use crate::raw::{self, Ctx, JsResult, Val};
use crate::texts::{self, Code};

pub(super) const ENTRIES: &[Entry] = &[
    ("load", 1, load),
    ("console", 2, console),
    ("envGet", 1, env_get),
    ("info", 1, info),
    ("now", 0, now),
    ("zone", 2, zone),
    ("clone", 1, clone),
    ("generateId", 0, new_id),
    ("parsePath", 1, parse_path),
    ("jsonata", 1, jsonata),
    ("evaluateJsonata", 3, evaluate_jsonata),
    ("jsonError", 1, json_error),
    ("explain", 4, explain),
];

/// A library's value: `load("buffer")`.
fn load(call: &Call<'_>) -> JsResult<Val> {
    let name = call.text(0)?;
    match Lib::named(&name) {
        Some(lib) => call.realm().lib(call.ctx, lib),
        None => Err(call.ctx.throw_error(&format!("no library {name}"))),
    }
}

/// `console(level, text)` with the level's number.
fn console(call: &Call<'_>) -> JsResult<Val> {
    let level = match call.number(0)? as i32 {
        0 => LogLevel::Error,
        1 => LogLevel::Warn,
        2 => LogLevel::Info,
        3 => LogLevel::Debug,
        _ => LogLevel::Trace,
    };
    let text = call.text(1)?;
    if let Some(host) = call.realm().host_if_open() {
        host.console(level, text);
    }
    Ok(call.ctx.undefined())
}

fn env_get(call: &Call<'_>) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    let value = host.env_get(&call.text(0)?);
    import(call.ctx, call.inner, &value)
}

/// What the node is: `info("id")`.
fn info(call: &Call<'_>) -> JsResult<Val> {
    let realm = call.realm();
    match call.text(0)?.as_str() {
        "id" => call.ctx.string(&realm.info.id),
        "name" => call.ctx.string(&realm.info.name),
        "path" => call.ctx.string(&realm.info.path),
        _ => Ok(call.ctx.undefined()),
    }
}

fn now(call: &Call<'_>) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    Ok(call.ctx.own(raw::number(host.now_ms().trunc())))
}

/// `zone(name, ms)`: the zone's own name, its seconds east of Greenwich and what its time is called then, if there is such a zone.
fn zone(call: &Call<'_>) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    let found = host.zone(&call.text(0)?, call.number(1)?);
    let value = found.map_or(Value::Undefined, |zone| {
        let seconds = f64::from(zone.seconds);
        Value::from(vec![
            Value::from(zone.name),
            Value::from(seconds),
            Value::from(zone.abbreviation),
        ])
    });
    import(call.ctx, call.inner, &value)
}

/// A deep copy, which costs nothing until one of the two is changed. Undefined when the value has parts that only a copy made in
/// JavaScript keeps (prototypes of classes).
fn clone(call: &Call<'_>) -> JsResult<Val> {
    let (value, lossy) = export_tracked(call.ctx, call.inner, call.arg(0), None)?;
    if lossy {
        Ok(call.ctx.undefined())
    } else {
        import(call.ctx, call.inner, &value)
    }
}

fn new_id(call: &Call<'_>) -> JsResult<Val> {
    call.ctx.string(&generate_id())
}

/// A property expression as an array of keys, indices and, for nested expressions, arrays.
fn parse_path(call: &Call<'_>) -> JsResult<Val> {
    match Path::parse(&call.text(0)?) {
        Ok(path) => import(call.ctx, call.inner, &path_value(&path)),
        Err(error) => {
            let mut value = crate::error::plain_error(&error.to_string());
            value.properties.insert("code", "INVALID_EXPR");
            let error = import_error(call.ctx, call.inner, &value)?;
            Err(call.ctx.throw(error))
        }
    }
}

fn path_value(path: &Path) -> Value {
    let part = |segment: &PathSegment| match segment {
        PathSegment::Key(key) => Value::from(key.as_str()),
        PathSegment::Index(index) => Value::from(*index),
        PathSegment::Nested(path) => path_value(path),
    };
    Value::from(path.segments().iter().map(part).collect::<Vec<_>>())
}

/// Throws what is wrong with a JSONata expression.
fn jsonata(call: &Call<'_>) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    match host.jsonata(&call.text(0)?, None, &[]) {
        Ok(_) => Ok(call.ctx.undefined()),
        Err(error) => thrown(call, &error),
    }
}

/// `evaluateJsonata(text, input, variables)`: the expression's value.
fn evaluate_jsonata(call: &Call<'_>) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    let (input, _) = export_tracked(call.ctx, call.inner, call.arg(1), None)?;
    let (variables, _) = export_tracked(call.ctx, call.inner, call.arg(2), None)?;
    let variables = variables.as_object().cloned().unwrap_or_default();
    let variables: Vec<(&str, Value)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    match host.jsonata(&call.text(0)?, Some(&input), &variables) {
        Ok(value) => import(call.ctx, call.inner, &value),
        Err(error) => thrown(call, &error),
    }
}

fn thrown(call: &Call<'_>, error: &vgdc_value::ErrorValue) -> JsResult<Val> {
    let error = import_error(call.ctx, call.inner, error)?;
    Err(call.ctx.throw(error))
}

/// What V8 says about a text that is no JSON; undefined when it is JSON.
fn json_error(call: &Call<'_>) -> JsResult<Val> {
    match json::parse(&call.text(0)?) {
        Ok(_) => Ok(call.ctx.undefined()),
        Err(error) => call.ctx.string(&error.message),
    }
}

/// `explain(message, file, line, column)`: the message in V8's words, or undefined when it needs none.
fn explain(call: &Call<'_>) -> JsResult<Val> {
    let message = call.text(0)?;
    let text = explanation(call.ctx, call, &message)?;
    text.map_or_else(|| Ok(call.ctx.undefined()), |text| call.ctx.string(&text))
}

fn explanation(ctx: Ctx, call: &Call<'_>, message: &str) -> JsResult<Option<String>> {
    let file = call.text(1)?;
    let (line, column) = (
        ctx.number_of(call.arg(2))? as u32,
        ctx.number_of(call.arg(3))? as u32,
    );
    let phase = match file.strip_prefix("Function node") {
        Some(rest) if rest.starts_with(" setup:") => Phase::Setup,
        Some(rest) if rest.starts_with(" cleanup:") => Phase::Close,
        Some(_) => Phase::Body,
        None => return Ok(texts::runtime(message, None)),
    };
    let Some(realm) = call.inner.current() else {
        return Ok(texts::runtime(message, None));
    };
    let text = match phase {
        Phase::Setup => &realm.info.texts[0],
        Phase::Body => &realm.info.texts[1],
        Phase::Close => &realm.info.texts[2],
    };
    Ok(texts::runtime(
        message,
        Code::at(text, line.saturating_sub(1), column),
    ))
}
