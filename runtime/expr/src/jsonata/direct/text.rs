//! Values as texts, and the order of texts.

use super::{Answer, Stop};
use crate::jsonata::errors;
use std::cmp::Ordering;
use std::fmt::Write;
use vgdc_value::{Value, json, number};

/// How deep a value may be nested that is written here.
const MAX_DEPTH: usize = 100;

/// Appends a value as `$string` gives it; nothing for undefined.
pub(super) fn append(out: &mut String, value: &Value) -> Answer<()> {
    match value {
        Value::Undefined => Ok(()),
        Value::Str(text) => {
            out.push_str(text);
            Ok(())
        }
        Value::Number(n) if !n.is_finite() => Err(Stop::Raise(errors::made("D3001", &[]))),
        other => write(out, other, 0),
    }
}

fn write(out: &mut String, value: &Value, depth: usize) -> Answer<()> {
    if depth > MAX_DEPTH {
        return Err(Stop::Leave);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => push_number(out, *n),
        Value::Str(text) => json::quote_into(out, text),
        Value::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                match item {
                    Value::Undefined => out.push_str("null"),
                    item => write(out, item, depth + 1)?,
                }
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            let mut first = true;
            for (key, value) in object.iter().filter(|(_, value)| !value.is_undefined()) {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                json::quote_into(out, key.as_str());
                out.push(':');
                write(out, value, depth + 1)?;
            }
            out.push('}');
        }
        _ => return Err(Stop::Leave),
    }
    Ok(())
}

/// A number with 15 significant digits, as JSON has it.
fn push_number(out: &mut String, n: f64) {
    if n.fract() == 0.0 && n.abs() < 1e15 {
        // (a write to a text cannot fail)
        let _ = write!(out, "{}", n as i64);
        return;
    }
    if !n.is_finite() {
        out.push_str("null");
        return;
    }
    let rounded = format!("{n:.14e}").parse().unwrap_or(n);
    out.push_str(&number::to_js_string(rounded));
}

/// JavaScript's order of texts: by UTF-16 units.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() || b.is_ascii() {
        return a.cmp(b);
    }
    a.encode_utf16().cmp(b.encode_utf16())
}
