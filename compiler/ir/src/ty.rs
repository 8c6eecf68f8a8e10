//! Types of what travels along wires. Nothing is inferred yet: every port is [`Ty::Any`].

use std::fmt;
use std::str::FromStr;

/// The type of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Ty {
    /// Anything: what is not known.
    #[default]
    Any,
    /// `undefined`.
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool,
    /// A whole number of 32 bits; a part of [`Ty::Number`].
    Int,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A buffer of bytes.
    Buffer,
    /// A date.
    Date,
    /// An array of one type.
    Array(Box<Ty>),
    /// An object with known fields; `open` when it may have others too.
    Object {
        /// The fields that are known, by name.
        fields: Vec<(String, Ty)>,
        /// Whether there may be others.
        open: bool,
    },
    /// Something that lives in the runtime, such as an HTTP response; the text says what kind.
    Handle(String),
}

const WORDS: &[(&str, Ty)] = &[
    ("any", Ty::Any),
    ("undefined", Ty::Undefined),
    ("null", Ty::Null),
    ("bool", Ty::Bool),
    ("int32", Ty::Int),
    ("number", Ty::Number),
    ("string", Ty::Text),
    ("buffer", Ty::Buffer),
    ("date", Ty::Date),
];

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Array(of) => write!(f, "array<{of}>"),
            Ty::Handle(kind) => write!(f, "handle({})", serde_json::Value::from(kind.as_str())),
            Ty::Object { fields, open } => {
                f.write_str("object{")?;
                for (at, (name, ty)) in fields.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {ty}", serde_json::Value::from(name.as_str()))?;
                }
                f.write_str(match (open, fields.is_empty()) {
                    (true, true) => "..}",
                    (true, false) => ", ..}",
                    (false, _) => "}",
                })
            }
            plain => {
                let word = WORDS.iter().find(|(_, ty)| ty == plain);
                f.write_str(word.map_or("any", |(word, _)| word))
            }
        }
    }
}

/// A text that is no type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadType(pub String);

impl fmt::Display for BadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a type", self.0)
    }
}

impl std::error::Error for BadType {}

impl FromStr for Ty {
    type Err = BadType;

    fn from_str(text: &str) -> Result<Ty, BadType> {
        let mut rest = text;
        match (read(&mut rest, 0), rest.trim()) {
            (Some(ty), "") => Ok(ty),
            _ => Err(BadType(text.to_owned())),
        }
    }
}

/// How deep a type may be nested when it is read.
const DEPTH: u32 = 64;

fn read(rest: &mut &str, depth: u32) -> Option<Ty> {
    let text = rest.trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    *rest = after;
    if depth > DEPTH {
        return None;
    }
    match word {
        "array" => {
            skip(rest, "<")?;
            let of = read(rest, depth + 1)?;
            skip(rest, ">")?;
            Some(Ty::Array(Box::new(of)))
        }
        "handle" => {
            skip(rest, "(")?;
            let kind = read_text(rest)?;
            skip(rest, ")")?;
            Some(Ty::Handle(kind))
        }
        "object" => {
            skip(rest, "{")?;
            read_fields(rest, depth)
        }
        _ => WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, ty)| ty.clone()),
    }
}

fn read_fields(rest: &mut &str, depth: u32) -> Option<Ty> {
    let (mut fields, mut open) = (Vec::new(), false);
    while skip(rest, "}").is_none() {
        if skip(rest, "..").is_some() {
            open = true;
            continue;
        }
        let name = read_text(rest)?;
        skip(rest, ":")?;
        fields.push((name, read(rest, depth + 1)?));
        // A comma, or the end in the next round.
        if skip(rest, ",").is_none() && !rest.trim_start().starts_with('}') {
            return None;
        }
    }
    Some(Ty::Object { fields, open })
}

fn read_text(rest: &mut &str) -> Option<String> {
    let text = rest.trim_start();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    *rest = text.get(values.byte_offset()..)?;
    Some(value)
}

fn skip(rest: &mut &str, token: &str) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(token)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_written() {
        for text in [
            "any",
            "int32",
            "array<array<string>>",
            "handle(\"http response\")",
            "object{}",
            "object{..}",
            "object{\"a\": number, \"b c\": array<date>, ..}",
        ] {
            let ty: Ty = text.parse().unwrap();
            assert_eq!(ty.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [
            "",
            "text",
            "array<any",
            "object{\"a\" any}",
            "any any",
            "object{\"a\": any \"b\": any}",
        ] {
            assert!(text.parse::<Ty>().is_err(), "{text}");
        }
        let deep = "array<".repeat(10_000);
        assert!(deep.parse::<Ty>().is_err());
    }
}
