//! Values as the control protocol writes them (`docs/control-protocol.md`, "Values"): JSON, and an object with `$type` for
//! what JSON cannot say.

use crate::json::quote_into;
use crate::{ErrorValue, Handle, Key, Object, PathSegment, Rare, Value, date, json, number};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// A value as a JSON text.
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    encode_into(&mut out, value);
    out
}

/// Appends a value as a JSON text.
pub fn encode_into(out: &mut String, value: &Value) {
    match value {
        Value::Undefined => out.push_str("{\"$type\":\"undefined\"}"),
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) if n.is_finite() && !(*n == 0.0 && n.is_sign_negative()) => {
            out.push_str(&number::to_js_string(*n))
        }
        Value::Number(n) => {
            let text = if *n == 0.0 {
                "-0".to_owned()
            } else {
                number::to_js_string(*n)
            };
            out.push_str(&format!("{{\"$type\":\"number\",\"value\":\"{text}\"}}"));
        }
        Value::Str(text) => quote_into(out, text),
        Value::Buffer(bytes) => {
            out.push_str("{\"$type\":\"buffer\",\"base64\":\"");
            STANDARD.encode_string(&**bytes, out);
            out.push_str("\"}");
        }
        Value::Date(ms) => {
            out.push_str("{\"$type\":\"date\",\"iso\":");
            match date::iso(*ms) {
                Some(text) => quote_into(out, &text),
                None => out.push_str("null"),
            }
            out.push('}');
        }
        Value::Array(items) => list(out, items.iter()),
        Value::Object(object) if object.contains_key("$type") => {
            out.push_str("{\"$type\":\"object\",\"entries\":[");
            for (i, (key, value)) in object.iter().enumerate() {
                out.push_str(if i > 0 { ",[" } else { "[" });
                quote_into(out, key.as_str());
                out.push(',');
                encode_into(out, value);
                out.push(']');
            }
            out.push_str("]}");
        }
        Value::Object(object) => entries(out, object),
        Value::Handle(handle) => {
            out.push_str("{\"$type\":\"handle\",\"kind\":");
            quote_into(out, handle.kind());
            out.push_str(",\"id\":");
            quote_into(out, handle.id());
            out.push('}');
        }
        Value::Rare(rare) => encode_rare(out, rare),
    }
}

fn list<'a>(out: &mut String, items: impl Iterator<Item = &'a Value>) {
    out.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        encode_into(out, item);
    }
    out.push(']');
}

fn entries(out: &mut String, object: &Object) {
    out.push('{');
    for (i, (key, value)) in object.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        quote_into(out, key.as_str());
        out.push(':');
        encode_into(out, value);
    }
    out.push('}');
}

fn encode_rare(out: &mut String, rare: &Rare) {
    match rare {
        Rare::BigInt(digits) => {
            out.push_str(&format!("{{\"$type\":\"bigint\",\"value\":\"{digits}\"}}"))
        }
        Rare::RegExp { source, flags } => {
            out.push_str("{\"$type\":\"regexp\",\"source\":");
            quote_into(out, source);
            out.push_str(",\"flags\":");
            quote_into(out, flags);
            out.push('}');
        }
        Rare::Map(pairs) => {
            out.push_str("{\"$type\":\"map\",\"entries\":[");
            for (i, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if i > 0 { ",[" } else { "[" });
                encode_into(out, key);
                out.push(',');
                encode_into(out, value);
                out.push(']');
            }
            out.push_str("]}");
        }
        Rare::Set(values) => {
            out.push_str("{\"$type\":\"set\",\"values\":");
            list(out, values.iter());
            out.push('}');
        }
        Rare::Error(error) => {
            out.push_str("{\"$type\":\"error\"");
            for (name, text) in [
                ("name", &error.name),
                ("message", &error.message),
                ("stack", &error.stack),
            ] {
                out.push_str(&format!(",\"{name}\":"));
                quote_into(out, text);
            }
            if !error.properties.is_empty() {
                out.push_str(",\"properties\":");
                entries(out, &error.properties);
            }
            out.push('}');
        }
        Rare::Circular(path) => {
            out.push_str("{\"$type\":\"circular\",\"path\":[");
            for (i, segment) in path.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                match segment {
                    PathSegment::Key(key) => quote_into(out, key.as_str()),
                    PathSegment::Index(index) => out.push_str(&index.to_string()),
                    PathSegment::Nested(path) => quote_into(out, &path.to_string()),
                }
            }
            out.push_str("]}");
        }
    }
}

/// Reads a value.
///
/// # Errors
/// The text is no JSON, or an object with a `$type` is not of its form.
pub fn decode(text: &str) -> Result<Value, json::JsonError> {
    let plain = json::parse(text)?;
    from_json(plain).map_err(|message| json::JsonError {
        message,
        position: 0,
    })
}

/// Turns the `$type` forms in plain JSON into what they stand for.
///
/// # Errors
/// An object with a `$type` is not of its form.
pub fn from_json(plain: Value) -> Result<Value, String> {
    match plain {
        Value::Array(items) => Ok(Value::Array(
            items
                .into_vec()
                .into_iter()
                .map(from_json)
                .collect::<Result<_, _>>()?,
        )),
        Value::Object(object) => match object.get("$type") {
            None => {
                let pairs = object
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), from_json(value.clone())?)));
                Ok(Value::Object(pairs.collect::<Result<Object, String>>()?))
            }
            Some(Value::Str(ty)) => typed(ty, &object),
            Some(_) => Err("a $type must be a text".to_owned()),
        },
        other => Ok(other),
    }
}

fn typed(ty: &str, object: &Object) -> Result<Value, String> {
    let text = |name: &str| match object.get(name) {
        Some(Value::Str(text)) => Ok(text.to_string()),
        _ => Err(format!(
            "a value of $type \"{ty}\" needs the text \"{name}\""
        )),
    };
    let array = |name: &str| match object.get(name) {
        Some(Value::Array(items)) => Ok(items.clone()),
        _ => Err(format!(
            "a value of $type \"{ty}\" needs the array \"{name}\""
        )),
    };
    let pairs = |name: &str| -> Result<Vec<(Value, Value)>, String> {
        let each = array(name)?.into_vec().into_iter().map(|pair| match pair {
            Value::Array(pair) if pair.len() == 2 => {
                Ok((pair[0].clone(), from_json(pair[1].clone())?))
            }
            _ => Err(format!("\"{name}\" of a {ty} must hold pairs")),
        });
        each.collect()
    };
    let rare = |rare: Rare| Value::Rare(Arc::new(rare));
    Ok(match ty {
        "undefined" => Value::Undefined,
        "buffer" => {
            let bytes = STANDARD
                .decode(text("base64")?)
                .map_err(|e| format!("a buffer's base64 cannot be read: {e}"))?;
            Value::from(bytes)
        }
        "date" => match object.get("iso") {
            Some(Value::Str(iso)) => Value::Date(date::parse(iso)),
            _ => Value::Date(f64::NAN),
        },
        "number" => match text("value")?.as_str() {
            "-0" => Value::Number(-0.0),
            other => Value::Number(number::parse(other)),
        },
        "bigint" => rare(Rare::BigInt(text("value")?)),
        "regexp" => rare(Rare::RegExp {
            source: text("source")?,
            flags: text("flags")?,
        }),
        "map" => {
            let decoded = pairs("entries")?
                .into_iter()
                .map(|(key, value)| Ok((from_json(key)?, value)));
            rare(Rare::Map(decoded.collect::<Result<_, String>>()?))
        }
        "set" => rare(Rare::Set(
            array("values")?
                .into_vec()
                .into_iter()
                .map(from_json)
                .collect::<Result<_, _>>()?,
        )),
        "error" => {
            let properties = match object.get("properties") {
                Some(properties) => from_json(properties.clone())?,
                None => Value::Undefined,
            };
            let optional = |name: &str| object.get(name).map(Value::to_str).unwrap_or_default();
            Value::from(ErrorValue {
                name: optional("name"),
                message: optional("message"),
                stack: optional("stack"),
                properties: properties.as_object().cloned().unwrap_or_default(),
            })
        }
        "handle" => {
            let (kind, id) = (text("kind")?, text("id")?);
            Value::Handle(Handle::lookup(&id).unwrap_or_else(|| Handle::foreign(&kind, &id)))
        }
        "circular" => {
            let path = array("path")?;
            let segments = path.iter().map(|segment| match segment {
                Value::Number(n) => PathSegment::Index(*n as usize),
                other => PathSegment::Key(Key::from(other.to_js_string())),
            });
            rare(Rare::Circular(segments.collect()))
        }
        "object" => {
            let entries = pairs("entries")?
                .into_iter()
                .map(|(key, value)| (Key::from(key.to_js_string()), value));
            Value::Object(entries.collect())
        }
        other => return Err(format!("unknown $type \"{other}\" in a value")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_comes_and_goes() {
        for text in [
            r#"{"a":[1,"x",null,true,{"$type":"undefined"}]}"#,
            r#"{"$type":"buffer","base64":"YWI="}"#,
            r#"{"$type":"date","iso":"2026-01-02T03:04:05.678Z"}"#,
            r#"{"$type":"date","iso":null}"#,
            r#"{"$type":"number","value":"NaN"}"#,
            r#"{"$type":"number","value":"-0"}"#,
            r#"{"$type":"bigint","value":"123"}"#,
            r#"{"$type":"regexp","source":"a","flags":"g"}"#,
            r#"{"$type":"map","entries":[["k",{"$type":"undefined"}]]}"#,
            r#"{"$type":"set","values":[1,"a"]}"#,
            r#"{"$type":"error","name":"TypeError","message":"no","stack":"s","properties":{"code":"E"}}"#,
            r#"{"$type":"circular","path":["a",0]}"#,
            r#"{"$type":"handle","kind":"socket","id":"other7"}"#,
            r#"{"$type":"object","entries":[["$type","mine"],["x",1]]}"#,
        ] {
            assert_eq!(encode(&decode(text).expect(text)), text);
        }
        assert!(decode(r#"{"$type":"no such"}"#).is_err());
    }
}
