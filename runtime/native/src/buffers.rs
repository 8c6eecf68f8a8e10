//! Buffers: making them, and numbers in their bytes. `None` is a bail-out: what is out of range is an exception.

use crate::ops;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vgdc_plan::native::{Method, Mutation};
use vgdc_value::{Buffer, Value, number};

/// Larger buffers are left to the engine.
const LARGEST: f64 = 16_777_216.0;

/// `Buffer.from` of a list of bytes, of bytes, or of a text.
pub(crate) fn from(args: &[Value]) -> Option<Value> {
    let bytes: Vec<u8> = match args {
        [Value::Array(items)] => {
            let bytes: Option<Vec<u8>> = items
                .iter()
                .map(|item| Some(number::to_uint32(ops::to_number(item)?) as u8))
                .collect();
            bytes?
        }
        [Value::Buffer(bytes)] => bytes.to_vec(),
        [Value::Str(text)] => text.as_bytes().to_vec(),
        [Value::Str(text), Value::Str(encoding)] => match &**encoding {
            "utf8" | "utf-8" => text.as_bytes().to_vec(),
            "hex" => {
                let plain =
                    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
                let pairs = text.as_bytes().chunks(2).filter(|_| plain);
                let bytes: Vec<u8> = pairs
                    .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
                    .collect();
                plain.then_some(bytes)?
            }
            // (what is not written as it should be is left to the engine)
            "base64" => STANDARD.decode(&**text).ok()?,
            "ascii" | "latin1" | "binary" if text.is_ascii() => text.as_bytes().to_vec(),
            _ => return None,
        },
        _ => return None,
    };
    Some(Value::Buffer(Buffer::from(bytes)))
}

/// `Buffer.alloc`
pub(crate) fn alloc(args: &[Value]) -> Option<Value> {
    let (Value::Number(size), fill) = (args.first()?, args.get(1)) else {
        return None;
    };
    let fill = match fill {
        None | Some(Value::Undefined) => 0,
        Some(Value::Number(n)) => number::to_uint32(*n) as u8,
        Some(_) => return None,
    };
    let fits = (0.0..=LARGEST).contains(size) && size.trunc() == *size && args.len() <= 2;
    fits.then(|| Value::Buffer(Buffer::from(vec![fill; *size as usize])))
}

/// `Buffer.concat`
pub(crate) fn concat(args: &[Value]) -> Option<Value> {
    let [Value::Array(items)] = args else {
        return None;
    };
    let mut whole = Vec::new();
    for item in items {
        whole.extend_from_slice(item.as_buffer()?);
    }
    Some(Value::Buffer(Buffer::from(whole)))
}

/// `Buffer.byteLength`
pub(crate) fn length(args: &[Value]) -> Option<Value> {
    match args {
        [Value::Str(text)] => Some(Value::from(text.len())),
        [Value::Str(text), Value::Str(encoding)] if matches!(&**encoding, "utf8" | "utf-8") => {
            Some(Value::from(text.len()))
        }
        [Value::Buffer(bytes)] => Some(Value::from(bytes.len())),
        _ => None,
    }
}

/// Calls a method of a buffer that changes nothing.
pub(crate) fn method(which: Method, bytes: &Buffer, args: &[Value]) -> Option<Value> {
    if which == Method::ToString {
        return text(bytes, args);
    }
    let (size, read): (usize, fn([u8; 8]) -> f64) = match which {
        Method::ReadUInt8 => (1, |b| f64::from(b[0])),
        Method::ReadInt8 => (1, |b| f64::from(b[0] as i8)),
        Method::ReadUInt16LE => (2, |b| f64::from(u16::from_le_bytes([b[0], b[1]]))),
        Method::ReadUInt16BE => (2, |b| f64::from(u16::from_be_bytes([b[0], b[1]]))),
        Method::ReadInt16LE => (2, |b| f64::from(i16::from_le_bytes([b[0], b[1]]))),
        Method::ReadInt16BE => (2, |b| f64::from(i16::from_be_bytes([b[0], b[1]]))),
        Method::ReadUInt32LE => (4, |b| f64::from(u32::from_le_bytes(four(b)))),
        Method::ReadUInt32BE => (4, |b| f64::from(u32::from_be_bytes(four(b)))),
        Method::ReadInt32LE => (4, |b| f64::from(i32::from_le_bytes(four(b)))),
        Method::ReadInt32BE => (4, |b| f64::from(i32::from_be_bytes(four(b)))),
        Method::ReadFloatLE => (4, |b| f64::from(f32::from_le_bytes(four(b)))),
        Method::ReadFloatBE => (4, |b| f64::from(f32::from_be_bytes(four(b)))),
        Method::ReadDoubleLE => (8, f64::from_le_bytes),
        Method::ReadDoubleBE => (8, f64::from_be_bytes),
        _ => return None,
    };
    let at = offset(args.first())?;
    let part = bytes.get(at..at.checked_add(size)?)?;
    let mut all = [0; 8];
    all[..size].copy_from_slice(part);
    Some(Value::Number(read(all)))
}

fn four(bytes: [u8; 8]) -> [u8; 4] {
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

fn offset(given: Option<&Value>) -> Option<usize> {
    match given {
        None | Some(Value::Undefined) => Some(0),
        Some(Value::Number(n)) => ops::index_of(*n),
        Some(_) => None,
    }
}

/// `toString` of a buffer, as a whole.
fn text(bytes: &Buffer, args: &[Value]) -> Option<Value> {
    let encoding = match args {
        [] | [Value::Undefined] => "utf8",
        [Value::Str(encoding)] => encoding,
        _ => return None,
    };
    Some(match encoding {
        "utf8" | "utf-8" => Value::from(String::from_utf8_lossy(bytes).into_owned()),
        "hex" => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            Value::from(digits.collect::<String>())
        }
        "base64" => Value::from(STANDARD.encode(&**bytes)),
        "latin1" | "binary" => {
            Value::from(bytes.iter().map(|b| char::from(*b)).collect::<String>())
        }
        "ascii" => Value::from(
            bytes
                .iter()
                .map(|b| char::from(*b & 127))
                .collect::<String>(),
        ),
        _ => return None,
    })
}

/// Writes a number into the bytes of a buffer; gives the place behind it.
pub(crate) fn write(which: Mutation, bytes: &mut Buffer, args: &[Value]) -> Option<Value> {
    let (Value::Number(value), at) = (args.first()?, offset(args.get(1))?) else {
        return None;
    };
    let whole = |least: f64, most: f64| {
        let fits = (least..=most).contains(value);
        fits.then_some(value.trunc())
    };
    let small = |n: Option<f64>| Some(n? as i64);
    let mut all = [0; 8];
    let size = match which {
        Mutation::WriteUInt8 => put(&mut all, &(small(whole(0.0, 255.0))? as u8).to_le_bytes()),
        Mutation::WriteInt8 => put(
            &mut all,
            &(small(whole(-128.0, 127.0))? as i8).to_le_bytes(),
        ),
        Mutation::WriteUInt16LE => put(
            &mut all,
            &(small(whole(0.0, 65_535.0))? as u16).to_le_bytes(),
        ),
        Mutation::WriteUInt16BE => put(
            &mut all,
            &(small(whole(0.0, 65_535.0))? as u16).to_be_bytes(),
        ),
        Mutation::WriteInt16LE => put(
            &mut all,
            &(small(whole(-32_768.0, 32_767.0))? as i16).to_le_bytes(),
        ),
        Mutation::WriteInt16BE => put(
            &mut all,
            &(small(whole(-32_768.0, 32_767.0))? as i16).to_be_bytes(),
        ),
        Mutation::WriteUInt32LE => put(
            &mut all,
            &(small(whole(0.0, f64::from(u32::MAX)))? as u32).to_le_bytes(),
        ),
        Mutation::WriteUInt32BE => put(
            &mut all,
            &(small(whole(0.0, f64::from(u32::MAX)))? as u32).to_be_bytes(),
        ),
        Mutation::WriteInt32LE => put(
            &mut all,
            &(small(whole(f64::from(i32::MIN), f64::from(i32::MAX)))? as i32).to_le_bytes(),
        ),
        Mutation::WriteInt32BE => put(
            &mut all,
            &(small(whole(f64::from(i32::MIN), f64::from(i32::MAX)))? as i32).to_be_bytes(),
        ),
        Mutation::WriteFloatLE => put(&mut all, &(*value as f32).to_le_bytes()),
        Mutation::WriteFloatBE => put(&mut all, &(*value as f32).to_be_bytes()),
        Mutation::WriteDoubleLE => put(&mut all, &value.to_le_bytes()),
        Mutation::WriteDoubleBE => put(&mut all, &value.to_be_bytes()),
        _ => return None,
    };
    let end = at.checked_add(size)?;
    if end > bytes.len() {
        return None;
    }
    bytes.make_mut()[at..end].copy_from_slice(&all[..size]);
    Some(Value::from(end))
}

fn put(all: &mut [u8; 8], bytes: &[u8]) -> usize {
    all[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_and_read() {
        let mut bytes = Buffer::from(vec![0; 4]);
        let written = write(
            Mutation::WriteInt16LE,
            &mut bytes,
            &[Value::from(-2), Value::from(1)],
        );
        assert_eq!(written, Some(Value::from(3)));
        assert_eq!(&*bytes, [0, 254, 255, 0]);
        let read = |which, at: i32| method(which, &bytes, &[Value::from(at)]);
        assert_eq!(read(Method::ReadInt16LE, 1), Some(Value::from(-2)));
        assert_eq!(read(Method::ReadUInt16BE, 1), Some(Value::from(65_279)));
        assert_eq!(read(Method::ReadUInt32BE, 1), None);
        assert!(write(Mutation::WriteUInt8, &mut bytes, &[Value::from(256)]).is_none());
    }

    #[test]
    fn texts_become_bytes_and_come_back() {
        let made = |text: &str, encoding: &str| from(&[Value::from(text), Value::from(encoding)]);
        let text = |bytes: &Value, encoding: &str| {
            let bytes = bytes.as_buffer().expect("bytes");
            method(Method::ToString, bytes, &[Value::from(encoding)])
        };
        let bytes = made("ä", "utf8").expect("bytes");
        assert_eq!(text(&bytes, "hex"), Some(Value::from("c3a4")));
        assert_eq!(text(&bytes, "latin1"), Some(Value::from("Ã¤")));
        assert_eq!(made("c3a4", "hex"), Some(bytes.clone()));
        assert_eq!(made("w6Q=", "base64"), Some(bytes));
        assert_eq!(made("c3a", "hex"), None);
    }
}
