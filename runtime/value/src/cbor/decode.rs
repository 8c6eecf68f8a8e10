//! Reads values, without recursion: what is not complete yet is on a stack.

use super::{CborError, MAX_BIGINT, MAX_DEPTH, MAX_SAFE, kind, tag};
use crate::{Array, ErrorValue, Key, Msg, Object, PathSegment, Rare, Str, Value, bigint, date};
use minicbor::data::Type;
use minicbor::decode::Decoder;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

/// Reads a value from the beginning of the bytes; gives how many it took.
///
/// # Errors
/// The bytes are cut short, are no value, or one that is nested too deep.
pub fn decode(bytes: &[u8]) -> Result<(Value, usize), CborError> {
    // (a message makes no stacks of its own: those of the thread's last one are there, unless a value's drop decodes another)
    let Stacks(frames, values, keys) = STACKS.take();
    let mut reader = Reader {
        from: Decoder::new(bytes),
        frames,
        values,
        keys,
    };
    let result = reader.whole();
    reader.frames.clear();
    reader.values.clear();
    reader.keys.clear();
    if reader.values.capacity().max(reader.keys.capacity()) <= KEPT {
        STACKS.set(Stacks(reader.frames, reader.values, reader.keys));
    }
    result
}

#[derive(Default)]
struct Stacks(Vec<Open>, Vec<Value>, Vec<Key>);

thread_local! {
    static STACKS: Cell<Stacks> = Cell::default();
}

/// Stacks that grew beyond this are given back.
const KEPT: usize = 1024;

/// Reads a message, which takes all the bytes.
///
/// # Errors
/// As [`decode`]; the value is no object; something follows it.
pub fn decode_msg(bytes: &[u8]) -> Result<Msg, CborError> {
    let (value, read) = decode(bytes)?;
    let wrong = |message: &'static str, at| CborError {
        message: message.into(),
        at: Some(at),
    };
    if read != bytes.len() {
        return Err(wrong("something follows the message", read));
    }
    if let Some(error) = value.as_error() {
        return Ok(Msg::from(Object::of_error(error)));
    }
    Msg::try_from(value).map_err(|_| wrong("a message is not a map", 0))
}

/// The first bits of a text.
const TEXT: u8 = 3;

const INDEFINITE: &str = "an item has indefinite length, which links do not carry";

/// What is made of the values that follow.
enum Frame {
    Array,
    Set,
    Map,
    Object,
    Error(ErrorValue),
}

struct Open {
    frame: Frame,
    /// Where its values begin on their stack, and how many they are.
    begin: usize,
    count: usize,
}

struct Reader<'b> {
    from: Decoder<'b>,
    frames: Vec<Open>,
    values: Vec<Value>,
    /// The names of the objects that are open, the innermost last.
    keys: Vec<Key>,
}

impl<'b> Reader<'b> {
    fn whole(&mut self) -> Result<(Value, usize), CborError> {
        loop {
            self.next()?;
            self.close_full();
            if self.frames.is_empty() {
                break;
            }
        }
        let value = self.values.pop().unwrap_or_default();
        Ok((value, self.from.position()))
    }

    /// The kind of the next item: its first three bits.
    fn major(&self) -> Option<u8> {
        self.from
            .input()
            .get(self.from.position())
            .map(|byte| byte >> 5)
    }

    fn wrong<T>(&self, message: impl Into<Cow<'static, str>>) -> Result<T, CborError> {
        Err(CborError {
            message: message.into(),
            at: Some(self.from.position()),
        })
    }

    fn rest(&self) -> &'b [u8] {
        (self.from.input().get(self.from.position()..)).unwrap_or_default()
    }

    /// What minicbor says, in words that do not change with its version.
    fn told<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, CborError> {
        let at = self.from.position();
        read(&mut self.from).map_err(|error| CborError {
            message: if error.is_end_of_input() {
                "a value is cut short".into()
            } else {
                "the bytes are not the CBOR that is expected here".into()
            },
            at: Some(error.position().unwrap_or(at)),
        })
    }

    /// How many items follow. Each takes at least `size` bytes, so that a wrong length is found before room is made for it.
    fn count(&self, count: Option<u64>, size: usize) -> Result<usize, CborError> {
        let Some(count) = count else {
            return self.wrong(INDEFINITE);
        };
        match usize::try_from(count) {
            Ok(count) if count <= self.rest().len() / size => Ok(count),
            _ => self.wrong("a value is cut short"),
        }
    }

    /// The values of what surrounds the next value: a name stands in front of those of objects.
    fn next(&mut self) -> Result<(), CborError> {
        if let Some(Open {
            frame: Frame::Object | Frame::Error(_),
            ..
        }) = self.frames.last()
        {
            let key = self.key()?;
            self.keys.push(key);
        }
        self.value()
    }

    fn key(&mut self) -> Result<Key, CborError> {
        if self.major() == Some(TEXT) {
            return self.text().map(Key::data);
        }
        match self.told(|from| from.datatype())? {
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64 => {
                let n = self.told(|from| from.int())?;
                Ok(Key::data(&i128::from(n).to_string()))
            }
            _ => self.wrong(
                "a key of a map is neither a text nor an integer (only those of tag 259 may be)",
            ),
        }
    }

    fn text(&mut self) -> Result<&'b str, CborError> {
        if self.major() != Some(TEXT) {
            return self.wrong(match self.major() {
                None => "a value is cut short",
                Some(_) => "a text is expected here",
            });
        }
        let begin = self.from.position();
        self.from.str().map_err(|error| {
            let message = if error.is_end_of_input() {
                "a value is cut short"
            } else if self.from.input().get(begin) == Some(&0x7f) {
                INDEFINITE
            } else {
                "a text is not UTF-8"
            };
            CborError {
                message: message.into(),
                at: Some(begin),
            }
        })
    }

    fn bytes(&mut self) -> Result<&'b [u8], CborError> {
        match self.told(|from| from.datatype())? {
            Type::Bytes => self.told(|from| from.bytes()),
            _ => self.wrong("a byte string is expected here"),
        }
    }

    fn number(&mut self) -> Result<f64, CborError> {
        match self.told(|from| from.datatype())? {
            Type::F16 => self.half(),
            Type::F32 => self.told(|from| from.f32()).map(f64::from),
            Type::F64 => self.told(|from| from.f64()),
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Int => {
                let n = self.told(|from| from.int())?;
                Ok(i128::from(n) as f64)
            }
            _ => self.wrong("a number is expected here"),
        }
    }

    /// RFC 8949, appendix D: one bit of sign, five of exponent, ten of mantissa.
    fn half(&mut self) -> Result<f64, CborError> {
        let Some([_, high, low]) = self.rest().first_chunk() else {
            return self.wrong("a value is cut short");
        };
        self.from.set_position(self.from.position() + 3);
        let bits = u16::from_be_bytes([*high, *low]);
        let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
        let magnitude = match exponent {
            0 => mantissa * 2_f64.powi(-24),
            31 if mantissa == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
        };
        Ok(if bits & 0x8000 == 0 {
            magnitude
        } else {
            -magnitude
        })
    }

    /// Reads a whole value onto the stack, or opens what holds others.
    fn value(&mut self) -> Result<(), CborError> {
        if self.major() == Some(TEXT) {
            let value = Value::from(self.text()?);
            self.values.push(value);
            return Ok(());
        }
        let value = match self.told(|from| from.datatype())? {
            Type::Undefined => self
                .told(|from| from.undefined())
                .map(|()| Value::Undefined)?,
            Type::Null => self.told(|from| from.null()).map(|()| Value::Null)?,
            Type::Bool => Value::Bool(self.told(|from| from.bool())?),
            Type::F16 | Type::F32 | Type::F64 => Value::Number(self.number()?),
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Int => self.integer()?,
            Type::String => Value::from(self.text()?),
            Type::Bytes => Value::from(self.bytes()?.to_vec()),
            Type::Array => {
                let count = self.told(|from| from.array())?;
                let count = self.count(count, 1)?;
                return self.open(Frame::Array, count);
            }
            Type::Map => {
                let count = self.told(|from| from.map())?;
                let count = self.count(count, 2)?;
                return self.open(Frame::Object, count);
            }
            Type::Tag => return self.tagged(),
            Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef => {
                return self.wrong(INDEFINITE);
            }
            Type::Simple | Type::Break | Type::Unknown(_) => {
                return self.wrong("an unknown kind of CBOR item");
            }
        };
        self.values.push(value);
        Ok(())
    }

    fn integer(&mut self) -> Result<Value, CborError> {
        let n = i128::from(self.told(|from| from.int())?);
        Ok(if n.unsigned_abs() <= MAX_SAFE as u128 {
            Value::Number(n as f64)
        } else {
            Value::Rare(Arc::new(Rare::BigInt(n.to_string())))
        })
    }

    fn tagged(&mut self) -> Result<(), CborError> {
        let number = self.told(|from| from.tag())?.as_u64();
        let value = match number {
            // (only in front of all, so that they cannot be nested)
            tag::SELF_DESCRIBED if self.from.position() == 3 => return self.value(),
            tag::DATE => Value::Date((self.number()? * 1000.0).round()),
            tag::DATE_TEXT => {
                let text = self.text()?;
                let ms = date::parse(text);
                if ms.is_nan() {
                    return self.wrong("a date is not written as in RFC 3339");
                }
                Value::Date(ms)
            }
            tag::BIG | tag::BIG_NEGATIVE => self.big_integer(number == tag::BIG_NEGATIVE)?,
            tag::BYTES => Value::from(self.bytes()?.to_vec()),
            tag::SET => {
                if self.told(|from| from.datatype())? != Type::Array {
                    return self.wrong("a set is no array");
                }
                let count = self.told(|from| from.array())?;
                let count = self.count(count, 1)?;
                return self.open(Frame::Set, count);
            }
            tag::MAP => {
                if self.told(|from| from.datatype())? != Type::Map {
                    return self.wrong("tag 259 is not in front of a map");
                }
                let count = self.told(|from| from.map())?;
                let count = self.count(count, 2)?;
                return self.open(Frame::Map, 2 * count);
            }
            tag::OBJECT => return self.typed(),
            other => return self.wrong(format!("tag {other} is not one that links carry")),
        };
        self.values.push(value);
        Ok(())
    }

    fn big_integer(&mut self, negative: bool) -> Result<Value, CborError> {
        let bytes = self.bytes()?;
        if bytes.len() > MAX_BIGINT {
            return self.wrong(format!("a big integer is longer than {MAX_BIGINT} bytes"));
        }
        let mut bytes = bytes.to_vec();
        if negative {
            // -1 - n is meant
            let mut carry = true;
            for byte in bytes.iter_mut().rev() {
                (*byte, carry) = byte.overflowing_add(u8::from(carry));
            }
            if carry {
                bytes.insert(0, 1);
            }
        }
        let digits = bigint::from_bytes(negative, &bytes);
        Ok(Value::Rare(Arc::new(Rare::BigInt(digits))))
    }

    /// `[name, parts…]` behind tag 27.
    fn typed(&mut self) -> Result<(), CborError> {
        if self.told(|from| from.datatype())? != Type::Array {
            return self.wrong("tag 27 is not in front of an array");
        }
        let count = self.told(|from| from.array())?;
        let count = self.count(count, 1)?;
        if count == 0 {
            return self.wrong("tag 27 is in front of an empty array");
        }
        let value = match (self.text()?, count - 1) {
            (kind::DATE, 1) => Value::Date(self.number()?),
            (kind::REGEXP, 2) => {
                let (source, flags) = (self.text()?.to_owned(), self.text()?.to_owned());
                Value::Rare(Arc::new(Rare::RegExp { source, flags }))
            }
            (kind::CIRCULAR, 1) => self.circular()?,
            (kind::ERROR, 4) => {
                let (name, message, stack) = (self.text()?, self.text()?, self.text()?);
                let error = ErrorValue {
                    name: Str::from(name),
                    message: Str::from(message),
                    stack: Str::from(stack),
                    properties: Object::new(),
                };
                if self.told(|from| from.datatype())? != Type::Map {
                    return self.wrong("the properties of an error are no map");
                }
                let count = self.told(|from| from.map())?;
                let count = self.count(count, 2)?;
                return self.open(Frame::Error(error), count);
            }
            // (as libraries write JavaScript's errors)
            (name, 1) if name.ends_with("Error") => {
                let name = name.to_owned();
                Value::from(ErrorValue::new(&name, self.text()?))
            }
            (name, parts) => {
                return self.wrong(format!(
                    "'{}' with {parts} parts is no type that links carry",
                    name.chars().take(40).collect::<String>()
                ));
            }
        };
        self.values.push(value);
        Ok(())
    }

    fn circular(&mut self) -> Result<Value, CborError> {
        if self.told(|from| from.datatype())? != Type::Array {
            return self.wrong("a path is no array");
        }
        let count = self.told(|from| from.array())?;
        let mut path = Vec::new();
        for _ in 0..self.count(count, 1)? {
            path.push(match self.told(|from| from.datatype())? {
                Type::String => PathSegment::Key(Key::data(self.text()?)),
                _ => PathSegment::Index(self.told(|from| from.u32())? as usize),
            });
        }
        Ok(Value::Rare(Arc::new(Rare::Circular(path))))
    }

    fn open(&mut self, frame: Frame, count: usize) -> Result<(), CborError> {
        if self.frames.len() >= MAX_DEPTH {
            return self.wrong(format!("a value is nested deeper than {MAX_DEPTH}"));
        }
        self.frames.push(Open {
            frame,
            begin: self.values.len(),
            count,
        });
        Ok(())
    }

    /// Closes what has all its values, from the inside out.
    fn close_full(&mut self) {
        while let Some(open) = self.frames.last() {
            if self.values.len() - open.begin < open.count {
                break;
            }
            let Some(open) = self.frames.pop() else { break };
            let value = self.close(open);
            self.values.push(value);
        }
    }

    fn close(&mut self, open: Open) -> Value {
        let mut values = self.values.drain(open.begin..);
        match open.frame {
            Frame::Array => Value::Array(values.collect::<Array>()),
            Frame::Set => Value::Rare(Arc::new(Rare::Set(values.collect()))),
            Frame::Map => {
                let pairs = std::iter::from_fn(|| values.next().zip(values.next()));
                Value::Rare(Arc::new(Rare::Map(pairs.collect())))
            }
            Frame::Object => {
                let first = self.keys.len() - open.count;
                Value::Object(Object::of_data(self.keys.drain(first..), values))
            }
            Frame::Error(mut error) => {
                let first = self.keys.len() - open.count;
                error.properties = Object::of_data(self.keys.drain(first..), values);
                Value::from(error)
            }
        }
    }
}
