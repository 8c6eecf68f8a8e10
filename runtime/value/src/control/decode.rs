//! Reads the `$type` forms.

use crate::{
    Array, ErrorValue, Handle, Key, Object, PathSegment, Rare, Str, Value, bigint, date, number,
};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::sync::Arc;

/// Turns the forms in plain JSON into what they stand for, at most `depth` deep.
pub(super) fn from_json(plain: Value, depth: usize) -> Result<Value, String> {
    if depth == 0 && plain.is_object() {
        return Err("a value is nested too deep".to_owned());
    }
    match plain {
        Value::Array(items) => {
            let items = items
                .into_vec()
                .into_iter()
                .map(|item| from_json(item, depth - 1));
            Ok(Value::Array(items.collect::<Result<Array, _>>()?))
        }
        Value::Object(mut object) => {
            for value in object.values_mut() {
                *value = from_json(std::mem::take(value), depth - 1)?;
            }
            finish(object)
        }
        other => Ok(other),
    }
}

/// What an object stands for in which the inner ones are read already.
pub(super) fn finish(object: Object) -> Result<Value, String> {
    match object.get("$type") {
        None => Ok(Value::Object(object)),
        Some(Value::Str(ty)) => Form {
            ty,
            object: &object,
        }
        .read(),
        Some(_) => Err("a $type must be a text".to_owned()),
    }
}

/// An object with a `$type`.
struct Form<'o> {
    ty: &'o Str,
    object: &'o Object,
}

impl Form<'_> {
    fn read(&self) -> Result<Value, String> {
        Ok(match &**self.ty {
            "undefined" => Value::Undefined,
            "buffer" => self.buffer()?,
            "date" => self.date()?,
            "number" => self.number()?,
            "bigint" => self.bigint()?,
            "regexp" => {
                let (source, flags) = (
                    self.text("source")?.to_owned(),
                    self.text("flags")?.to_owned(),
                );
                rare(Rare::RegExp { source, flags })
            }
            "map" => rare(Rare::Map(self.pairs("entries")?)),
            "set" => rare(Rare::Set(self.array("values")?.to_vec())),
            "error" => Value::from(self.error()),
            "handle" => {
                let (kind, id) = (self.text("kind")?, self.text("id")?);
                Value::Handle(Handle::lookup(id).unwrap_or_else(|| Handle::foreign(kind, id)))
            }
            "circular" => rare(Rare::Circular(
                self.array("path")?.iter().map(segment).collect(),
            )),
            "object" => {
                let entries = self.pairs("entries")?.into_iter();
                Value::Object(
                    entries
                        .map(|(key, value)| (Key::data(&key.to_str()), value))
                        .collect(),
                )
            }
            other => return Err(format!("unknown $type \"{other}\" in a value")),
        })
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        let text = self.object.get(name).and_then(Value::as_str);
        text.ok_or_else(|| format!("a value of $type \"{}\" needs the text \"{name}\"", self.ty))
    }

    fn array(&self, name: &str) -> Result<&Array, String> {
        let array = self.object.get(name).and_then(Value::as_array);
        array.ok_or_else(|| {
            format!(
                "a value of $type \"{}\" needs the array \"{name}\"",
                self.ty
            )
        })
    }

    fn pairs(&self, name: &str) -> Result<Vec<(Value, Value)>, String> {
        let pair = |item: &Value| match item.as_array().map(|pair| &**pair) {
            Some([key, value]) => Ok((key.clone(), value.clone())),
            _ => Err(format!(
                "\"{name}\" of a value of $type \"{}\" must hold pairs",
                self.ty
            )),
        };
        self.array(name)?.iter().map(pair).collect()
    }

    fn buffer(&self) -> Result<Value, String> {
        // (as Node.js, padding may be left out)
        const CONFIG: GeneralPurposeConfig =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
        let bytes = BASE64.decode(self.text("base64")?);
        bytes
            .map(Value::from)
            .map_err(|error| format!("a buffer's base64 cannot be read: {error}"))
    }

    fn date(&self) -> Result<Value, String> {
        match self.object.get("iso") {
            Some(Value::Str(iso)) => Ok(Value::Date(date::parse(iso))),
            Some(Value::Null) => Ok(Value::Date(f64::NAN)),
            _ => Err("a date's iso must be a text or null".to_owned()),
        }
    }

    fn number(&self) -> Result<Value, String> {
        // ("-0" is read as such)
        Ok(Value::Number(number::parse(self.text("value")?)))
    }

    fn bigint(&self) -> Result<Value, String> {
        let text = self.text("value")?;
        let digits = bigint::parse(text).ok_or_else(|| format!("a bigint cannot be \"{text}\""))?;
        Ok(rare(Rare::BigInt(digits)))
    }

    fn error(&self) -> ErrorValue {
        let text = |name: &str| self.object.get(name).map(Value::to_str);
        let name = text("name").unwrap_or_else(|| "Error".into());
        let mut error = ErrorValue::new(&name, text("message").unwrap_or_default());
        if let Some(stack) = text("stack") {
            error.stack = stack;
        }
        if let Some(Value::Object(properties)) = self.object.get("properties") {
            error.properties = properties.clone();
        }
        error
    }
}

fn rare(rare: Rare) -> Value {
    Value::Rare(Arc::new(rare))
}

fn segment(value: &Value) -> PathSegment {
    match value {
        Value::Number(n) if *n >= 0.0 => PathSegment::Index(*n as usize),
        other => PathSegment::Key(Key::data(&other.to_str())),
    }
}
