//! Reads values, without recursion: what is not complete yet is on a stack.

use super::{LISTS, NAMES, WireError, tag};
use crate::nest::MAX_DEPTH;
use crate::{Array, ErrorValue, Handle, Key, Object, PathSegment, Rare, Str, Value, bigint};
use std::sync::Arc;

/// Reads a value from the beginning of the bytes; gives how many it took.
///
/// # Errors
/// The bytes are cut short, are no value, or one that is nested too deep.
pub fn decode(bytes: &[u8]) -> Result<(Value, usize), WireError> {
    let mut reader = Reader {
        bytes,
        at: 0,
        frames: Vec::new(),
        values: Vec::new(),
        lists: Vec::new(),
    };
    loop {
        reader.value()?;
        reader.close_full()?;
        if reader.frames.is_empty() {
            break;
        }
    }
    Ok((reader.values.pop().unwrap_or_default(), reader.at))
}

/// What is made of the values that follow.
enum Frame {
    Array,
    Set,
    Map,
    Object(Arc<[Key]>),
    Error(ErrorValue, Arc<[Key]>),
}

struct Open {
    frame: Frame,
    /// Where its values begin on their stack, and how many they are.
    begin: usize,
    count: usize,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    frames: Vec<Open>,
    values: Vec<Value>,
    lists: Vec<Arc<[Key]>>,
}

const CUT: WireError = WireError("a value is cut short");

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], WireError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..count).ok_or(CUT)?;
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        self.take(1)?.first().copied().ok_or(CUT)
    }

    fn leb(&mut self) -> Result<u64, WireError> {
        let mut n = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(WireError("a length is too long"))
    }

    fn length(&mut self) -> Result<usize, WireError> {
        usize::try_from(self.leb()?).map_err(|_| WireError("a length is too long"))
    }

    /// How many items follow. Each takes at least a byte, so that a wrong length is found before room is made for it.
    fn count(&mut self) -> Result<usize, WireError> {
        let count = self.length()?;
        if count > self.bytes.len() - self.at {
            Err(CUT)
        } else {
            Ok(count)
        }
    }

    fn text(&mut self) -> Result<&'b str, WireError> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| WireError("a text is not UTF-8"))
    }

    fn number(&mut self) -> Result<f64, WireError> {
        let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| CUT)?;
        Ok(f64::from_le_bytes(bytes))
    }

    /// Reads a whole value onto the stack, or opens what holds others.
    fn value(&mut self) -> Result<(), WireError> {
        let value = match self.byte()? {
            tag::UNDEFINED => Value::Undefined,
            tag::NULL => Value::Null,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::NUMBER => Value::Number(self.number()?),
            tag::WHOLE => {
                let n = self.leb()?;
                Value::Number(((n >> 1) as i64 ^ -((n & 1) as i64)) as f64)
            }
            tag::TEXT => Value::from(self.text()?),
            tag::BUFFER => {
                let length = self.length()?;
                Value::from(self.take(length)?.to_vec())
            }
            tag::DATE => Value::Date(self.number()?),
            tag::BIGINT => {
                let digits =
                    bigint::parse(self.text()?).ok_or(WireError("a big integer is not digits"))?;
                Value::Rare(Arc::new(Rare::BigInt(digits)))
            }
            tag::REGEXP => {
                let (source, flags) = (self.text()?.to_owned(), self.text()?.to_owned());
                Value::Rare(Arc::new(Rare::RegExp { source, flags }))
            }
            tag::CIRCULAR => self.circular()?,
            tag::HANDLE => {
                let (kind, id) = (self.text()?, self.text()?);
                Value::Handle(Handle::lookup(id).unwrap_or_else(|| Handle::foreign(kind, id)))
            }
            other => return self.open(other),
        };
        self.values.push(value);
        Ok(())
    }

    fn open(&mut self, tag: u8) -> Result<(), WireError> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(WireError("a value is nested too deep"));
        }
        let (frame, count) = match tag {
            tag::ARRAY => (Frame::Array, self.count()?),
            tag::SET => (Frame::Set, self.count()?),
            tag::MAP => (Frame::Map, self.count()?.saturating_mul(2)),
            tag::OBJECT => {
                let names = self.names()?;
                let count = names.len();
                (Frame::Object(names), count)
            }
            tag::ERROR => {
                let (name, message, stack) = (self.text()?, self.text()?, self.text()?);
                let names = self.names()?;
                let count = names.len();
                let texts = (Str::from(name), Str::from(message), Str::from(stack));
                let error = ErrorValue {
                    name: texts.0,
                    message: texts.1,
                    stack: texts.2,
                    properties: Object::new(),
                };
                (Frame::Error(error, names), count)
            }
            _ => return Err(WireError("an unknown kind of value")),
        };
        self.frames.push(Open {
            frame,
            begin: self.values.len(),
            count,
        });
        Ok(())
    }

    /// Closes what has all its values, from the inside out.
    fn close_full(&mut self) -> Result<(), WireError> {
        while let Some(open) = self.frames.last() {
            if self.values.len() - open.begin < open.count {
                break;
            }
            let Some(open) = self.frames.pop() else { break };
            let value = close(open.frame, self.values.drain(open.begin..))?;
            self.values.push(value);
        }
        Ok(())
    }

    fn names(&mut self) -> Result<Arc<[Key]>, WireError> {
        match self.length()? {
            0 => {
                let count = self.count()?;
                let names = (0..count)
                    .map(|_| self.text().map(Key::data))
                    .collect::<Result<Arc<[Key]>, _>>()?;
                if self.lists.len() < LISTS && count <= NAMES {
                    self.lists.push(names.clone());
                }
                Ok(names)
            }
            list => self
                .lists
                .get(list - 1)
                .cloned()
                .ok_or(WireError("an object refers to names that were not met")),
        }
    }

    fn circular(&mut self) -> Result<Value, WireError> {
        let count = self.count()?;
        let segment = |reader: &mut Self| match reader.byte()? {
            0 => reader.text().map(|name| PathSegment::Key(Key::data(name))),
            1 => reader.length().map(PathSegment::Index),
            _ => Err(WireError("an unknown kind of segment")),
        };
        let path = (0..count)
            .map(|_| segment(self))
            .collect::<Result<_, _>>()?;
        Ok(Value::Rare(Arc::new(Rare::Circular(path))))
    }
}

fn close(
    frame: Frame,
    mut values: impl ExactSizeIterator<Item = Value>,
) -> Result<Value, WireError> {
    Ok(match frame {
        Frame::Array => Value::Array(values.collect::<Array>()),
        Frame::Set => Value::Rare(Arc::new(Rare::Set(values.collect()))),
        Frame::Map => {
            let pairs = std::iter::from_fn(|| values.next().zip(values.next()));
            Value::Rare(Arc::new(Rare::Map(pairs.collect())))
        }
        Frame::Object(names) => Value::Object(Object::of_data(names.iter().cloned(), values)),
        Frame::Error(mut error, names) => {
            error.properties = Object::of_data(names.iter().cloned(), values);
            Value::from(error)
        }
    })
}
