//! Bytes and texts: what `Buffer`, `TextEncoder` and `TextDecoder` are made of.

use super::{Call, Entry};
use crate::export::bytes;
use crate::raw::{self, JsResult, Val, qjs};

pub(super) const ENTRIES: &[Entry] = &[
    ("encode", 2, encode),
    ("decode", 4, decode),
    ("byteLength", 2, byte_length),
    ("compare", 2, compare),
    ("indexOf", 4, index_of),
    ("isBytes", 1, |call| {
        Ok(call
            .ctx
            .own(raw::boolean(bytes(call.ctx, call.arg(0)).is_some())))
    }),
    ("validUtf8", 1, valid_utf8),
];

/// An encoding that `Buffer` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Latin1,
    Ascii,
    Utf16,
    Hex,
    Base64,
    Base64Url,
}

impl Encoding {
    fn named(name: &str) -> Option<Encoding> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf-8" => Encoding::Utf8,
            "latin1" | "binary" => Encoding::Latin1,
            "ascii" => Encoding::Ascii,
            "ucs2" | "ucs-2" | "utf16le" | "utf-16le" => Encoding::Utf16,
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            "base64url" => Encoding::Base64Url,
            _ => return None,
        })
    }
}

/// The encoding in this argument, UTF-8 when it is not given.
fn encoding(call: &Call<'_>, at: usize) -> JsResult<Encoding> {
    if raw::is_nullish(call.arg(at)) {
        return Ok(Encoding::Utf8);
    }
    let name = call.text(at)?;
    if name.is_empty() {
        return Ok(Encoding::Utf8);
    }
    Encoding::named(&name).ok_or_else(|| {
        call.ctx
            .throw_named(c"TypeError", &format!("Unknown encoding: {name}"))
    })
}

/// `encode(text, encoding)`: a plain `Uint8Array`.
fn encode(call: &Call<'_>) -> JsResult<Val> {
    let data = encoded(call)?;
    // SAFETY: pointer and length describe `data`, which QuickJS copies.
    call.ctx.check(unsafe {
        qjs::JS_NewUint8ArrayCopy(call.ctx.raw(), data.as_ptr(), data.len() as qjs::size_t)
    })
}

fn encoded(call: &Call<'_>) -> JsResult<Vec<u8>> {
    let units = || call.ctx.utf16(call.arg(0));
    Ok(match encoding(call, 1)? {
        Encoding::Utf8 => call.text(0)?.into_bytes(),
        Encoding::Latin1 | Encoding::Ascii => units()?.into_iter().map(|unit| unit as u8).collect(),
        Encoding::Utf16 => units()?.into_iter().flat_map(u16::to_le_bytes).collect(),
        Encoding::Hex => from_hex(&units()?),
        Encoding::Base64 | Encoding::Base64Url => from_base64(&units()?),
    })
}

fn byte_length(call: &Call<'_>) -> JsResult<Val> {
    let len = encoded(call)?.len();
    Ok(call.ctx.own(raw::number(len as f64)))
}

/// Pairs of digits up to the first that is none.
fn from_hex(units: &[u16]) -> Vec<u8> {
    let digit = |unit: u16| char::from_u32(u32::from(unit)).and_then(|c| c.to_digit(16));
    units
        .chunks_exact(2)
        .map_while(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

/// Both alphabets, other characters skipped, up to the first `=`.
fn from_base64(units: &[u16]) -> Vec<u8> {
    let value = |unit: u16| -> Option<u32> {
        let c = u8::try_from(unit).ok()?;
        Some(u32::from(match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        }))
    };
    let mut out = Vec::with_capacity(units.len() / 4 * 3 + 3);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for sextet in units
        .iter()
        .take_while(|&&unit| unit != u16::from(b'='))
        .filter_map(|&unit| value(unit))
    {
        group = group << 6 | sextet;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((group >> bits) as u8);
        }
    }
    out
}

fn to_base64(data: &[u8], url: bool) -> String {
    let alphabet: &[u8; 64] = match url {
        true => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        false => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    };
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |group, &byte| group << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(
                    alphabet[(group >> (18 - 6 * place)) as usize & 63],
                ));
            } else if !url {
                out.push('=');
            }
        }
    }
    out
}

/// `decode(bytes, encoding, start, end)`: a text.
fn decode(call: &Call<'_>) -> JsResult<Val> {
    let ctx = call.ctx;
    let encoding = encoding(call, 1)?;
    let (start, end) = (call.number(2)?, call.number(3)?);
    let Some(data) = bytes(ctx, call.arg(0)) else {
        return Err(ctx.throw_named(c"TypeError", "argument must be a buffer"));
    };
    let clamp = |at: f64| {
        if at > 0.0 {
            (at as usize).min(data.len())
        } else {
            0
        }
    };
    let data = data.get(clamp(start)..clamp(end)).unwrap_or_default();
    match encoding {
        Encoding::Utf8 => ctx.string(&String::from_utf8_lossy(data)),
        Encoding::Latin1 => {
            ctx.string_utf16(&data.iter().map(|&byte| u16::from(byte)).collect::<Vec<_>>())
        }
        Encoding::Ascii => ctx.string_utf16(
            &data
                .iter()
                .map(|&byte| u16::from(byte & 0x7f))
                .collect::<Vec<_>>(),
        ),
        Encoding::Utf16 => ctx.string_utf16(
            &data
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect::<Vec<_>>(),
        ),
        Encoding::Hex => {
            let digits = b"0123456789abcdef";
            let text: String = data
                .iter()
                .flat_map(|byte| [byte >> 4, byte & 15])
                .map(|digit| char::from(digits[usize::from(digit)]))
                .collect();
            ctx.string(&text)
        }
        Encoding::Base64 => ctx.string(&to_base64(data, false)),
        Encoding::Base64Url => ctx.string(&to_base64(data, true)),
    }
}

fn valid_utf8(call: &Call<'_>) -> JsResult<Val> {
    let valid = bytes(call.ctx, call.arg(0)).is_some_and(|data| std::str::from_utf8(data).is_ok());
    Ok(call.ctx.own(raw::boolean(valid)))
}

/// Which of two byte sequences comes first: -1, 0, 1.
fn compare(call: &Call<'_>) -> JsResult<Val> {
    let (Some(a), Some(b)) = (bytes(call.ctx, call.arg(0)), bytes(call.ctx, call.arg(1))) else {
        return Err(call
            .ctx
            .throw_named(c"TypeError", "arguments must be buffers"));
    };
    let order = (*a).cmp(&*b) as i32;
    Ok(call.ctx.own(raw::number(f64::from(order))))
}

/// `indexOf(bytes, needle, from, backwards)`; -1 when there is none.
fn index_of(call: &Call<'_>) -> JsResult<Val> {
    let (from, backwards) = (call.number(2)?, call.ctx.truthy(call.arg(3)));
    let (Some(data), Some(needle)) = (bytes(call.ctx, call.arg(0)), bytes(call.ctx, call.arg(1)))
    else {
        return Err(call
            .ctx
            .throw_named(c"TypeError", "arguments must be buffers"));
    };
    let found = find(data, needle, from, backwards);
    Ok(call
        .ctx
        .own(raw::number(found.map_or(-1.0, |at| at as f64))))
}

fn find(data: &[u8], needle: &[u8], from: f64, backwards: bool) -> Option<usize> {
    let last = data.len().checked_sub(needle.len())?;
    let from = if from > 0.0 { from as usize } else { 0 };
    let fits = |&at: &usize| data[at..].starts_with(needle);
    if backwards {
        (0..=from.min(last)).rev().find(fits)
    } else {
        (from..=last).find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn base64_goes_both_ways() {
        for data in [&b""[..], b"a", b"ab", b"abc", b"\xff\xfe\xfd\xfc"] {
            assert_eq!(from_base64(&units(&to_base64(data, false))), data);
            assert_eq!(from_base64(&units(&to_base64(data, true))), data);
        }
        assert_eq!(to_base64(b"a", false), "YQ==");
        assert_eq!(to_base64(b"\xff\xef", true), "_-8");
        assert_eq!(from_base64(&units("Y W\nJj=ignored")), b"abc");
    }

    #[test]
    fn hex_stops_at_the_first_other_character() {
        assert_eq!(from_hex(&units("0aFfxx11")), [0x0a, 0xff]);
        assert_eq!(from_hex(&units("abc")), [0xab]);
    }

    #[test]
    fn needles_are_found_from_both_ends() {
        assert_eq!(find(b"abcabc", b"bc", 0.0, false), Some(1));
        assert_eq!(find(b"abcabc", b"bc", 2.0, false), Some(4));
        assert_eq!(find(b"abcabc", b"bc", 9.0, true), Some(4));
        assert_eq!(find(b"ab", b"abc", 0.0, false), None);
    }
}
