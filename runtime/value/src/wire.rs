//! A compact binary form of values, for links.
//!
//! One tag byte, then the value: numbers as 8 bytes little-endian, lengths as LEB128, texts as UTF-8.

use crate::{ErrorValue, Key, Object, Rare, Value, control};
use std::sync::Arc;

/// How deep values may be nested.
const MAX_DEPTH: usize = 512;

/// Why bytes are no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError(pub &'static str);

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WireError {}

fn put_len(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_object(out: &mut Vec<u8>, object: &Object) {
    put_len(out, object.len());
    for (key, value) in object.iter() {
        put_text(out, key.as_str());
        encode(value, out);
    }
}

/// Appends a value.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Undefined => out.push(0),
        Value::Null => out.push(1),
        Value::Bool(false) => out.push(2),
        Value::Bool(true) => out.push(3),
        Value::Number(n) => {
            out.push(4);
            out.extend_from_slice(&n.to_le_bytes());
        }
        Value::Str(text) => {
            out.push(5);
            put_text(out, text);
        }
        Value::Buffer(bytes) => {
            out.push(6);
            put_len(out, bytes.len());
            out.extend_from_slice(bytes);
        }
        Value::Date(ms) => {
            out.push(7);
            out.extend_from_slice(&ms.to_le_bytes());
        }
        Value::Array(items) => {
            out.push(8);
            put_len(out, items.len());
            items.iter().for_each(|item| encode(item, out));
        }
        Value::Object(object) => {
            out.push(9);
            put_object(out, object);
        }
        Value::Rare(rare) => match &**rare {
            Rare::Error(error) => {
                out.push(10);
                put_text(out, &error.name);
                put_text(out, &error.message);
                put_text(out, &error.stack);
                put_object(out, &error.properties);
            }
            Rare::Map(pairs) => {
                out.push(11);
                put_len(out, pairs.len());
                for (key, value) in pairs {
                    encode(key, out);
                    encode(value, out);
                }
            }
            Rare::Set(values) => {
                out.push(12);
                put_len(out, values.len());
                values.iter().for_each(|value| encode(value, out));
            }
            // The seldom rest travels as the control protocol writes it.
            _ => put_control(out, value),
        },
        Value::Handle(_) => put_control(out, value),
    }
}

fn put_control(out: &mut Vec<u8>, value: &Value) {
    out.push(13);
    put_text(out, &control::encode(value));
}

/// Reads a value from the beginning of the bytes; gives how many it took.
///
/// # Errors
/// The bytes are cut short or are no value.
pub fn decode(bytes: &[u8]) -> Result<(Value, usize), WireError> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    Ok((value, reader.at))
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], WireError> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len())
            .ok_or(WireError("a value is cut short"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn len(&mut self) -> Result<usize, WireError> {
        let (mut n, mut shift) = (0usize, 0);
        loop {
            let byte = self.take(1)?[0];
            n |= ((byte & 0x7f) as usize)
                .checked_shl(shift)
                .ok_or(WireError("a length is too long"))?;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
            shift += 7;
            if shift > 56 {
                return Err(WireError("a length is too long"));
            }
        }
    }

    fn text(&mut self) -> Result<&'b str, WireError> {
        let len = self.len()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| WireError("a text is not UTF-8"))
    }

    fn number(&mut self) -> Result<f64, WireError> {
        let bytes = self.take(8)?;
        Ok(f64::from_le_bytes(
            bytes
                .try_into()
                .map_err(|_| WireError("a value is cut short"))?,
        ))
    }

    fn object(&mut self, depth: usize) -> Result<Object, WireError> {
        let len = self.len()?;
        let mut object = Object::new();
        for _ in 0..len {
            let key = Key::from(self.text()?);
            object.insert(key, self.value(depth + 1)?);
        }
        Ok(object)
    }

    fn value(&mut self, depth: usize) -> Result<Value, WireError> {
        if depth > MAX_DEPTH {
            return Err(WireError("a value is nested too deep"));
        }
        let list = |reader: &mut Self| -> Result<Vec<Value>, WireError> {
            let len = reader.len()?;
            (0..len).map(|_| reader.value(depth + 1)).collect()
        };
        Ok(match self.take(1)?[0] {
            0 => Value::Undefined,
            1 => Value::Null,
            2 => Value::Bool(false),
            3 => Value::Bool(true),
            4 => Value::Number(self.number()?),
            5 => Value::from(self.text()?),
            6 => {
                let len = self.len()?;
                Value::from(self.take(len)?.to_vec())
            }
            7 => Value::Date(self.number()?),
            8 => Value::from(list(self)?),
            9 => Value::Object(self.object(depth)?),
            10 => Value::from(ErrorValue {
                name: self.text()?.into(),
                message: self.text()?.into(),
                stack: self.text()?.into(),
                properties: self.object(depth)?,
            }),
            11 => {
                let len = self.len()?;
                let pairs = (0..len).map(|_| Ok((self.value(depth + 1)?, self.value(depth + 1)?)));
                Value::Rare(Arc::new(Rare::Map(
                    pairs.collect::<Result<_, WireError>>()?,
                )))
            }
            12 => Value::Rare(Arc::new(Rare::Set(list(self)?))),
            13 => control::decode(self.text()?).map_err(|_| WireError("a value cannot be read"))?,
            _ => return Err(WireError("an unknown kind of value")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = r#"{"a":[1,{"$type":"number","value":"-0"},"x",null,true,{"$type":"undefined"}],"b":{"$type":"buffer","base64":"YWI="},
            "d":{"$type":"date","iso":null},"e":{"$type":"error","name":"E","message":"m","stack":"s","properties":{"code":1}},
            "m":{"$type":"map","entries":[[1,2]]},"s":{"$type":"set","values":["x"]},"r":{"$type":"regexp","source":"a","flags":"i"}}"#;
        let value = control::decode(text).expect("decodes");
        let mut bytes = Vec::new();
        encode(&value, &mut bytes);
        let (back, read) = decode(&bytes).expect("reads");
        assert!(back.same(&value) && read == bytes.len());
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err());
        }
    }
}
