//! What a value must be like: values as they are written, and matchers (`$any`, `$is`, `$regex`, …) in them.

use crate::file::{FileError, value};
use serde_json::{Map, Value as Json};
use vgdc_value::{Object, Rare, Value, control};

/// What a value must be like.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    /// Anything at all, undefined included.
    Any,
    /// Not there, or undefined.
    Absent,
    /// A value that has no matchers in it and is no object or array.
    Same(Value),
    /// An object with these properties; with others too, when it is open.
    Object {
        fields: Vec<(String, Matcher)>,
        open: bool,
    },
    Array(Vec<Matcher>),
    /// An array with these in any order.
    Unordered(Vec<Matcher>),
    /// A value of this type.
    Is(String),
    /// A text in which the expression finds something.
    Regex(String, Box<regress::Regex>),
    /// A comparison with a number.
    Compare(&'static str, f64),
    /// A number not further away than that.
    Near(f64, f64),
    /// A text with this in it, or an array or object with such a part.
    Contains(Box<Matcher>),
    Length(Box<Matcher>),
    OneOf(Vec<Matcher>),
    All(Vec<Matcher>),
    Not(Box<Matcher>),
}

/// The matchers there are.
const KNOWN: &[&str] = &[
    "$any",
    "$absent",
    "$is",
    "$regex",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$near",
    "$contains",
    "$length",
    "$one_of",
    "$all",
    "$not",
    "$like",
    "$exactly",
    "$unordered",
];
/// The types that `$is` knows.
const TYPES: &[&str] = &[
    "undefined",
    "null",
    "boolean",
    "number",
    "integer",
    "string",
    "buffer",
    "date",
    "array",
    "object",
    "error",
    "map",
    "set",
    "bigint",
    "regexp",
    "function",
];

/// Where a value is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The way to it; empty for the value itself.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl Matcher {
    /// Reads what a value must be like. `open`: an object may have other properties than those named.
    ///
    /// # Errors
    /// An unknown matcher, or one with something that it cannot take.
    pub(crate) fn read(json: &Json, open: bool, line: u64) -> Result<Matcher, FileError> {
        let each = |list: &[Json]| -> Result<Vec<Matcher>, FileError> {
            list.iter()
                .map(|item| Matcher::read(item, false, line))
                .collect()
        };
        Ok(match json {
            Json::Object(map) if map.contains_key("$type") => Matcher::Same(value(json, line)?),
            Json::Object(map) if map.keys().any(|key| key.starts_with('$')) => matchers(map, line)?,
            Json::Object(map) => Matcher::Object {
                fields: map
                    .iter()
                    .map(|(key, field)| Ok((key.clone(), Matcher::read(field, false, line)?)))
                    .collect::<Result<_, FileError>>()?,
                open,
            },
            Json::Array(list) => Matcher::Array(each(list)?),
            plain => Matcher::Same(value(plain, line)?),
        })
    }

    /// Whether a value is like this.
    ///
    /// # Errors
    /// It is not: the first place where it differs.
    pub(crate) fn check(&self, got: &Value) -> Result<(), Mismatch> {
        let no = || Err(mismatch(self.to_string(), got));
        let when = |holds: bool| if holds { Ok(()) } else { no() };
        match self {
            Matcher::Any => Ok(()),
            Matcher::Absent => when(got.is_undefined()),
            Matcher::Same(value) => when(same(value, got)),
            Matcher::Is(ty) => when(is(got, ty)),
            Matcher::Regex(_, regex) => {
                when(got.as_str().is_some_and(|text| regex.find(text).is_some()))
            }
            Matcher::Compare(how, than) => when(number(got).is_some_and(|n| match *how {
                "$gt" => n > *than,
                "$gte" => n >= *than,
                "$lt" => n < *than,
                _ => n <= *than,
            })),
            Matcher::Near(near, far) => when(number(got).is_some_and(|n| (n - near).abs() <= *far)),
            Matcher::Contains(part) => when(contains(part, got)),
            Matcher::Length(length) => match length_of(got) {
                Some(n) => length
                    .check(&Value::Number(n as f64))
                    .map_err(|e| Mismatch {
                        path: format!("length{}", e.path),
                        ..e
                    }),
                None => no(),
            },
            Matcher::OneOf(some) => when(some.iter().any(|one| one.check(got).is_ok())),
            Matcher::All(all) => all.iter().try_for_each(|one| one.check(got)),
            Matcher::Not(other) => when(other.check(got).is_err()),
            Matcher::Object { fields, open } => match got {
                Value::Object(object) => object_is(fields, *open, object),
                _ => no(),
            },
            Matcher::Array(wanted) => match got {
                Value::Array(list) if list.len() == wanted.len() => {
                    let pairs = wanted.iter().zip(list.iter()).enumerate();
                    pairs.into_iter().try_for_each(|(index, (one, got))| {
                        one.check(got).map_err(|e| under(&format!("[{index}]"), e))
                    })
                }
                _ => no(),
            },
            Matcher::Unordered(wanted) => match got {
                Value::Array(list) => when(pairs_up(wanted, &list.iter().collect::<Vec<_>>())),
                _ => no(),
            },
        }
    }
}

/// The matchers of an object that has some: all must hold.
fn matchers(map: &Map<String, Json>, line: u64) -> Result<Matcher, FileError> {
    let mut all = map
        .iter()
        .map(|(name, with)| matcher(name, with, line))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(match all.len() {
        1 => all.remove(0),
        _ => Matcher::All(all),
    })
}

fn matcher(name: &str, with: &Json, line: u64) -> Result<Matcher, FileError> {
    let fail = |what: &str| {
        Err(FileError::new(
            line,
            format!("`{name}` takes {what}, not {with}"),
        ))
    };
    let list = || -> Result<Option<Vec<Matcher>>, FileError> {
        let Json::Array(list) = with else {
            return Ok(None);
        };
        let read = list.iter().map(|item| Matcher::read(item, false, line));
        read.collect::<Result<_, _>>().map(Some)
    };
    let inner = |open| Matcher::read(with, open, line);
    Ok(match name {
        "$any" => Matcher::Any,
        "$absent" => Matcher::Absent,
        "$like" => Matcher::read(with, true, line)?,
        "$exactly" => inner(false)?,
        "$not" => Matcher::Not(Box::new(inner(false)?)),
        "$contains" => Matcher::Contains(Box::new(inner(true)?)),
        "$length" => Matcher::Length(Box::new(inner(false)?)),
        "$is" => match with.as_str() {
            Some(ty) if TYPES.contains(&ty) => Matcher::Is(ty.to_owned()),
            _ => return fail(&format!("one of {}", TYPES.join(", "))),
        },
        "$regex" => {
            let Some(text) = with.as_str() else {
                return fail("a regular expression");
            };
            let (source, flags) = match text.strip_prefix('/').and_then(|t| t.rsplit_once('/')) {
                Some((source, flags)) => (source, flags),
                None => (text, ""),
            };
            match regress::Regex::with_flags(source, flags) {
                Ok(regex) => Matcher::Regex(text.to_owned(), Box::new(regex)),
                Err(why) => return fail(&format!("a regular expression ({why})")),
            }
        }
        "$gt" | "$gte" | "$lt" | "$lte" => {
            match (with.as_f64(), KNOWN.iter().find(|k| **k == name)) {
                (Some(than), Some(how)) => Matcher::Compare(how, than),
                _ => return fail("a number"),
            }
        }
        "$near" => match with.as_array().map(Vec::as_slice) {
            Some([near, far]) if near.is_number() && far.is_number() => Matcher::Near(
                near.as_f64().unwrap_or(f64::NAN),
                far.as_f64().unwrap_or(f64::NAN),
            ),
            _ => return fail("a number and how far away is near, as in [21.5, 0.1]"),
        },
        "$one_of" => match list()? {
            Some(some) => Matcher::OneOf(some),
            None => return fail("a list"),
        },
        "$all" => match list()? {
            Some(all) => Matcher::All(all),
            None => return fail("a list"),
        },
        "$unordered" => match list()? {
            Some(wanted) => Matcher::Unordered(wanted),
            None => return fail("a list"),
        },
        _ => {
            return Err(FileError::new(
                line,
                format!(
                    "there is no matcher \"{name}\" (there are {}); a property whose name begins with $ is written as {{$type: object, entries: [[\"{name}\", …]]}}",
                    KNOWN.join(", ")
                ),
            ));
        }
    })
}

fn mismatch(expected: String, got: &Value) -> Mismatch {
    Mismatch {
        path: String::new(),
        expected,
        got: shown(got),
    }
}

fn under(step: &str, inner: Mismatch) -> Mismatch {
    let path = match inner.path.as_str() {
        "" => step.to_owned(),
        rest if rest.starts_with('[') => format!("{step}{rest}"),
        rest => format!("{step}.{rest}"),
    };
    Mismatch { path, ..inner }
}

fn object_is(fields: &[(String, Matcher)], open: bool, object: &Object) -> Result<(), Mismatch> {
    for (key, field) in fields {
        let got = object.get(key).cloned().unwrap_or_default();
        field.check(&got).map_err(|e| under(key, e))?;
    }
    // (a property that is there and undefined is as one that is not)
    let other = |key: &str| !fields.iter().any(|(name, _)| name == key);
    let extra = object
        .iter()
        .find(|(key, value)| !value.is_undefined() && other(key.as_str()));
    match extra {
        Some((key, value)) if !open => {
            Err(under(key.as_str(), mismatch("nothing".to_owned(), value)))
        }
        _ => Ok(()),
    }
}

/// Equal in all parts; the number 0 is -0, too, unless -0 was asked for.
fn same(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Number(wanted), Value::Number(got)) => {
            (wanted == got
                && (*wanted != 0.0 || wanted.is_sign_positive() || got.is_sign_negative()))
                || (wanted.is_nan() && got.is_nan())
        }
        _ => wanted == got,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) | Value::Date(n) => Some(*n),
        _ => None,
    }
}

fn length_of(value: &Value) -> Option<usize> {
    Some(match value {
        Value::Str(text) => text.encode_utf16().count(),
        Value::Array(list) => list.len(),
        Value::Buffer(bytes) => bytes.len(),
        Value::Object(object) => object.len(),
        _ => return None,
    })
}

fn contains(part: &Matcher, got: &Value) -> bool {
    match (got, part) {
        (Value::Str(text), Matcher::Same(Value::Str(part))) => text.contains(&**part),
        (Value::Array(list), part) => list.iter().any(|item| part.check(item).is_ok()),
        // (an object: with such properties)
        (Value::Object(_), part) => part.check(got).is_ok(),
        _ => false,
    }
}

/// Whether each matcher has a value of its own (bipartite matching: greedy would fail where two fit one).
fn pairs_up(wanted: &[Matcher], got: &[&Value]) -> bool {
    fn place(
        one: usize,
        fits: &[Vec<usize>],
        taken: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        for &at in &fits[one] {
            if !std::mem::replace(&mut seen[at], true)
                && (taken[at].is_none_or(|other| place(other, fits, taken, seen)))
            {
                taken[at] = Some(one);
                return true;
            }
        }
        false
    }
    let fits: Vec<Vec<usize>> = wanted
        .iter()
        .map(|one| {
            (0..got.len())
                .filter(|&at| one.check(got[at]).is_ok())
                .collect()
        })
        .collect();
    let mut taken = vec![None; got.len()];
    wanted.len() == got.len()
        && (0..wanted.len()).all(|one| place(one, &fits, &mut taken, &mut vec![false; got.len()]))
}

fn is(value: &Value, ty: &str) -> bool {
    match value {
        Value::Undefined => ty == "undefined",
        Value::Null => ty == "null",
        Value::Bool(_) => ty == "boolean",
        Value::Number(n) => ty == "number" || (ty == "integer" && n.fract() == 0.0),
        Value::Str(_) => ty == "string",
        Value::Buffer(_) => ty == "buffer",
        Value::Date(_) => ty == "date",
        Value::Array(_) => ty == "array",
        Value::Object(_) => ty == "object",
        Value::Handle(_) => ty == "function",
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(_) => ty == "bigint",
            Rare::RegExp { .. } => ty == "regexp",
            Rare::Map(_) => ty == "map",
            Rare::Set(_) => ty == "set",
            Rare::Error(_) => ty == "error",
            Rare::Circular(_) => ty == "object",
        },
    }
}

/// The type of a value by `$is`.
pub(crate) fn type_of(value: &Value) -> &'static str {
    let known = TYPES.iter().find(|ty| **ty != "integer" && is(value, ty));
    known.copied().unwrap_or("object")
}

/// A value for people: as in the protocol, and not too long.
pub(crate) fn shown(value: &Value) -> String {
    if value.is_undefined() {
        return "nothing".to_owned();
    }
    let text = control::encode(value);
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |f: &mut std::fmt::Formatter<'_>, items: &[Matcher]| {
            f.write_str("[")?;
            for (index, item) in items.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                write!(f, "{comma}{item}")?;
            }
            f.write_str("]")
        };
        match self {
            Matcher::Any => f.write_str("anything"),
            Matcher::Absent => f.write_str("nothing"),
            Matcher::Same(value) => f.write_str(&shown(value)),
            Matcher::Is(ty) => write!(f, "a value of type {ty}"),
            Matcher::Regex(text, _) => write!(f, "a text that matches {text}"),
            Matcher::Compare(how, than) => {
                let sign = match *how {
                    "$gt" => ">",
                    "$gte" => "≥",
                    "$lt" => "<",
                    _ => "≤",
                };
                write!(f, "a number {sign} {than}")
            }
            Matcher::Near(near, far) => write!(f, "a number within {far} of {near}"),
            Matcher::Contains(part) => write!(f, "something that contains {part}"),
            Matcher::Length(length) => write!(f, "something of length {length}"),
            Matcher::OneOf(some) => {
                f.write_str("one of ")?;
                list(f, some)
            }
            Matcher::All(all) => {
                f.write_str("all of ")?;
                list(f, all)
            }
            Matcher::Not(other) => write!(f, "not {other}"),
            Matcher::Unordered(wanted) => {
                f.write_str("in any order ")?;
                list(f, wanted)
            }
            Matcher::Array(wanted) => list(f, wanted),
            Matcher::Object { fields, open } => {
                f.write_str("{")?;
                for (index, (key, field)) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{}:{field}", Json::from(key.as_str()))?;
                }
                f.write_str(if *open { ",…}" } else { "}" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(wanted: Json, got: &str) -> Result<(), String> {
        let matcher = Matcher::read(&wanted, true, 1).map_err(|e| e.message)?;
        let got = control::decode(got).expect("a value");
        let told = |e: Mismatch| format!("{}: {} / {}", e.path, e.expected, e.got);
        matcher.check(&got).map_err(told)
    }

    #[test]
    fn what_fits_fits() {
        for (wanted, got) in [
            (json!({"payload": 1}), r#"{"_msgid":"x","payload":1}"#),
            (json!({"payload": {"$any": true}}), r#"{"payload":null}"#),
            (json!({"topic": {"$absent": true}}), r#"{"payload":null}"#),
            (
                json!({"payload": {"$is": "integer", "$gte": 2, "$lt": 3}}),
                r#"{"payload":2}"#,
            ),
            (json!({"$regex": "^a.c$"}), r#""abc""#),
            (json!({"$regex": "/^A/i"}), r#""abc""#),
            (json!({"$near": [1.5, 0.2]}), "1.4"),
            (json!({"$contains": "b"}), r#""abc""#),
            (json!({"$contains": {"a": 1}}), r#"[1,{"a":1,"b":2}]"#),
            (json!({"$length": {"$gt": 1}}), r#""abc""#),
            (json!({"$one_of": [1, "x"]}), r#""x""#),
            (json!({"$not": {"$is": "string"}}), "1"),
            (
                json!({"payload": {"$like": {"a": 1}}}),
                r#"{"payload":{"a":1,"b":2}}"#,
            ),
            (json!({"$unordered": [{"$is": "number"}, 1]}), "[1,2]"),
            (
                json!({"$type": "buffer", "base64": "YQ=="}),
                r#"{"$type":"buffer","base64":"YQ=="}"#,
            ),
            (
                json!({"a": {"b": 1}}),
                r#"{"a":{"b":1,"c":{"$type":"undefined"}}}"#,
            ),
            (json!(0), r#"{"$type":"number","value":"-0"}"#),
            (
                json!({"$type": "number", "value": "NaN"}),
                r#"{"$type":"number","value":"NaN"}"#,
            ),
        ] {
            assert_eq!(check(wanted.clone(), got), Ok(()), "{wanted} {got}");
        }
    }

    #[test]
    fn what_does_not_is_told_at_its_place() {
        for (wanted, got, told) in [
            (
                json!({"payload": [1, {"a": 2}]}),
                r#"{"payload":[1,{"a":3}]}"#,
                "payload[1].a: 2 / 3",
            ),
            (
                json!({"payload": {"a": 1}}),
                r#"{"payload":{"a":1,"b":2}}"#,
                "payload.b: nothing / 2",
            ),
            (
                json!({"$exactly": {"a": 1}}),
                r#"{"a":1,"b":2}"#,
                "b: nothing / 2",
            ),
            (
                json!({"payload": "1"}),
                r#"{"payload":1}"#,
                "payload: \"1\" / 1",
            ),
            (json!([1, 2]), "[1]", ": [1,2] / [1]"),
            (json!({"$length": 2}), "[1]", "length: 2 / 1"),
            (
                json!({"$unordered": [1, 1]}),
                "[1,2]",
                ": in any order [1,1] / [1,2]",
            ),
            (
                json!({"$type": "number", "value": "-0"}),
                "0",
                ": {\"$type\":\"number\",\"value\":\"-0\"} / 0",
            ),
            (json!({"$absent": true}), "null", ": nothing / null"),
        ] {
            assert_eq!(
                check(wanted.clone(), got),
                Err(told.to_owned()),
                "{wanted} {got}"
            );
        }
    }

    #[test]
    fn matchers_that_cannot_be_are_refused() {
        for wrong in [
            json!({"$gt": "1"}),
            json!({"$is": "text"}),
            json!({"$regex": "("}),
            json!({"$near": [1]}),
            json!({"$big": 1}),
        ] {
            assert!(check(wrong.clone(), "1").is_err(), "{wrong}");
        }
    }
}
