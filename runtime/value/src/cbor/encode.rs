//! Writes values, without recursion: what has more to come is on a stack.

use super::{CborError, MAX_BIGINT, MAX_DEPTH, MAX_SAFE, kind, tag};
use crate::object::Iter;
use crate::{ErrorValue, Msg, Object, PathSegment, Rare, Value, bigint};
use minicbor::data::Tag;
use minicbor::encode::{Encoder, Error};
use std::convert::Infallible;
use std::slice;

/// Appends a value.
///
/// # Errors
/// There is a handle in it, or a big integer that is too long, or it is nested too deep. Then nothing is appended.
pub fn encode(value: &Value, out: &mut Vec<u8>) -> Result<(), CborError> {
    let length = out.len();
    whole(out, |writer| writer.value(value)).map_err(|wrong| {
        out.truncate(length);
        wrong.told(value)
    })
}

/// Appends a message.
///
/// # Errors
/// As [`encode`].
pub fn encode_msg(msg: &Msg, out: &mut Vec<u8>) -> Result<(), CborError> {
    let length = out.len();
    whole(out, |writer| writer.object(msg)).map_err(|wrong| {
        out.truncate(length);
        wrong.told(&msg.to_value())
    })
}

fn whole<'v>(
    out: &mut Vec<u8>,
    first: impl FnOnce(&mut Writer<'_, 'v>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let mut writer = Writer {
        out: Encoder::new(out),
        frames: Vec::new(),
    };
    first(&mut writer)?;
    while let Some(frame) = writer.frames.last_mut() {
        match frame {
            Frame::List(items) => match items.next() {
                Some(value) => writer.value(value)?,
                None => drop(writer.frames.pop()),
            },
            Frame::Object(items) => match items.next() {
                Some((key, value)) => {
                    done(writer.out.str(key.as_str()));
                    writer.value(value)?;
                }
                None => drop(writer.frames.pop()),
            },
            Frame::Pairs(items, rest) => match rest.take() {
                Some(value) => writer.value(value)?,
                None => match items.next() {
                    Some((key, value)) => {
                        *rest = Some(value);
                        writer.value(key)?;
                    }
                    None => drop(writer.frames.pop()),
                },
            },
        }
    }
    Ok(())
}

/// Writing to memory does not fail.
fn done<T>(_: Result<T, Error<Infallible>>) {}

enum Wrong {
    Handle,
    TooDeep,
    BigInt,
}

impl Wrong {
    fn told(self, value: &Value) -> CborError {
        let message = match self {
            Wrong::Handle => handle(value),
            Wrong::TooDeep => format!(
                "the value is nested deeper than {MAX_DEPTH}, which no link carries: make it flatter, or send a part of it"
            ),
            Wrong::BigInt => format!("a big integer is longer than {MAX_BIGINT} bytes"),
        };
        CborError {
            message: message.into(),
            at: None,
        }
    }
}

/// Which handle it is that cannot leave. (Looked for only now, so that writing need not keep the way.)
fn handle(value: &Value) -> String {
    let mut todo = vec![(String::new(), value)];
    while let Some((path, value)) = todo.pop() {
        let mut within = |name: &dyn std::fmt::Display, value| {
            let dot = if path.is_empty() { "" } else { "." };
            todo.push((format!("{path}{dot}{name}"), value));
        };
        match value {
            Value::Handle(handle) => {
                let whose = if path.is_empty() { "the value" } else { &path };
                return format!(
                    "'{whose}' is a {}, which lives in its process and cannot be sent to another one: delete it before",
                    handle.kind()
                );
            }
            Value::Array(items) => {
                (items.iter().enumerate()).for_each(|(at, item)| within(&at, item));
            }
            Value::Object(object) => {
                (object.iter()).for_each(|(key, value)| within(&key.as_str(), value));
            }
            Value::Rare(rare) => match &**rare {
                Rare::Set(values) => values.iter().for_each(|value| within(&"(set)", value)),
                Rare::Map(pairs) => (pairs.iter().flat_map(|(key, value)| [key, value]))
                    .for_each(|value| within(&"(map)", value)),
                Rare::Error(error) => {
                    (error.properties.iter()).for_each(|(key, value)| within(&key.as_str(), value))
                }
                _ => {}
            },
            _ => {}
        }
    }
    "a handle cannot be sent to another process".to_owned()
}

enum Frame<'v> {
    List(slice::Iter<'v, Value>),
    Object(Iter<'v>),
    Pairs(slice::Iter<'v, (Value, Value)>, Option<&'v Value>),
}

struct Writer<'o, 'v> {
    out: Encoder<&'o mut Vec<u8>>,
    frames: Vec<Frame<'v>>,
}

impl<'v> Writer<'_, 'v> {
    fn open(&mut self, frame: Frame<'v>) -> Result<(), Wrong> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Wrong::TooDeep);
        }
        self.frames.push(frame);
        Ok(())
    }

    fn tag(&mut self, number: u64) {
        done(self.out.tag(Tag::new(number)));
    }

    /// The beginning of `27([name, …])`.
    fn typed(&mut self, name: &str, parts: u64) {
        self.tag(tag::OBJECT);
        done(self.out.array(1 + parts));
        done(self.out.str(name));
    }

    /// Writes a value, of what holds others the beginning.
    fn value(&mut self, value: &'v Value) -> Result<(), Wrong> {
        match value {
            Value::Undefined => done(self.out.undefined()),
            Value::Null => done(self.out.null()),
            Value::Bool(b) => done(self.out.bool(*b)),
            Value::Number(n) => self.number(*n),
            Value::Str(text) => done(self.out.str(text)),
            Value::Buffer(bytes) => done(self.out.bytes(bytes)),
            Value::Date(ms) => self.date(*ms),
            Value::Array(items) => {
                done(self.out.array(items.len() as u64));
                self.open(Frame::List(items.iter()))?;
            }
            Value::Object(object) => self.object(object)?,
            Value::Handle(_) => return Err(Wrong::Handle),
            Value::Rare(rare) => self.rare(rare)?,
        }
        Ok(())
    }

    fn number(&mut self, n: f64) {
        let whole = n as i64;
        // (not -0, which is no whole number that could be told from 0)
        if n.abs() <= MAX_SAFE && (whole as f64).to_bits() == n.to_bits() {
            done(self.out.i64(whole));
        } else {
            done(self.out.f64(n));
        }
    }

    fn date(&mut self, ms: f64) {
        let seconds = ms / 1000.0;
        if !ms.is_nan() && (seconds * 1000.0).round().to_bits() == ms.to_bits() {
            self.tag(tag::DATE);
            self.number(seconds);
        } else {
            self.typed(kind::DATE, 1);
            done(self.out.f64(ms));
        }
    }

    fn object(&mut self, object: &'v Object) -> Result<(), Wrong> {
        if object.is_error() {
            return self.error_object(object);
        }
        done(self.out.map(object.len() as u64));
        self.open(Frame::Object(object.iter()))
    }

    /// An object that stands for an error: `name`, `message` and `stack` are its first three properties.
    fn error_object(&mut self, object: &'v Object) -> Result<(), Wrong> {
        self.typed(kind::ERROR, 4);
        let mut items = object.iter();
        for (_, value) in items.by_ref().take(3) {
            // (a flow may have put something else there)
            match value.as_str() {
                Some(text) => done(self.out.str(text)),
                None => done(self.out.str("")),
            }
        }
        done(self.out.map(object.len().saturating_sub(3) as u64));
        self.open(Frame::Object(items))
    }

    fn rare(&mut self, rare: &'v Rare) -> Result<(), Wrong> {
        match rare {
            Rare::BigInt(digits) => self.big_integer(digits),
            Rare::RegExp { source, flags } => {
                self.typed(kind::REGEXP, 2);
                done(self.out.str(source));
                done(self.out.str(flags));
                Ok(())
            }
            Rare::Map(pairs) => {
                self.tag(tag::MAP);
                done(self.out.map(pairs.len() as u64));
                self.open(Frame::Pairs(pairs.iter(), None))
            }
            Rare::Set(values) => {
                self.tag(tag::SET);
                done(self.out.array(values.len() as u64));
                self.open(Frame::List(values.iter()))
            }
            Rare::Error(error) => self.error(error),
            Rare::Circular(path) => {
                self.circular(path);
                Ok(())
            }
        }
    }

    fn error(&mut self, error: &'v ErrorValue) -> Result<(), Wrong> {
        self.typed(kind::ERROR, 4);
        for text in [&error.name, &error.message, &error.stack] {
            done(self.out.str(text));
        }
        done(self.out.map(error.properties.len() as u64));
        self.open(Frame::Object(error.properties.iter()))
    }

    /// -1 - n stands for a negative one.
    fn big_integer(&mut self, digits: &str) -> Result<(), Wrong> {
        // (a byte holds between two and three digits)
        if digits.len() > 3 * MAX_BIGINT {
            return Err(Wrong::BigInt);
        }
        let (negative, mut bytes) = bigint::to_bytes(digits);
        if bytes.len() > MAX_BIGINT {
            return Err(Wrong::BigInt);
        }
        if negative {
            for byte in bytes.iter_mut().rev() {
                let (less, borrowed) = byte.overflowing_sub(1);
                *byte = less;
                if !borrowed {
                    break;
                }
            }
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.tag(if negative {
            tag::BIG_NEGATIVE
        } else {
            tag::BIG
        });
        done(self.out.bytes(&bytes[zeros..]));
        Ok(())
    }

    fn circular(&mut self, path: &[PathSegment]) {
        self.typed(kind::CIRCULAR, 1);
        done(self.out.array(path.len() as u64));
        for segment in path {
            match segment {
                PathSegment::Key(key) => done(self.out.str(key.as_str())),
                PathSegment::Nested(path) => done(self.out.str(&path.to_string())),
                PathSegment::Index(index) => done(self.out.u64(*index as u64)),
            }
        }
    }
}
