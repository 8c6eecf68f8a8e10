//! Character encodings of files: text to bytes and back, under the names that Node-RED's form offers.
//!
//! Single-byte sets are in `charsets.txt`, those of East Asia are `encoding_rs`'s, the rest are Node.js's own. A character that
//! an encoding does not have becomes `?`.

use super::utf7;
use encoding_rs::{EncoderResult, Encoding as Multibyte};
use std::collections::HashMap;
use vgdc_core::value::{Buffer, Value};

/// A way to write text as bytes.
pub enum Encoding {
    /// UTF-8. With `true`, a byte order mark at the front is dropped.
    Utf8(bool),
    /// UTF-16, low byte first; with `true`, high byte first.
    Utf16(bool),
    /// UTF-16 with a mark at the front that says how; without one it is guessed.
    Utf16Marked,
    /// UTF-7.
    Utf7,
    /// UTF-32, low byte first; with `true`, high byte first.
    Utf32(bool),
    /// One byte a code unit, the high one lost.
    Binary,
    /// The text is base64.
    Base64,
    /// The text is hexadecimal.
    Hex,
    /// One byte a character.
    Single(Box<Single>),
    /// One or more bytes a character.
    Multi(&'static Multibyte),
}

/// A single-byte character set.
pub struct Single {
    decode: Vec<char>,
    encode: HashMap<char, u8>,
}

impl Encoding {
    /// The encoding of this name; `none` is UTF-8.
    ///
    /// # Errors
    /// The words of `iconv-lite` for a name that it does not know.
    pub fn of(name: &str) -> Result<Encoding, String> {
        let plain = |text: &str| {
            text.to_lowercase()
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
        };
        let short = plain(name);
        Ok(match short.as_str() {
            "none" => Encoding::Utf8(false),
            "utf8" | "unicode11utf8" => Encoding::Utf8(true),
            "ucs2" | "utf16le" => Encoding::Utf16(false),
            "utf16" => Encoding::Utf16Marked,
            "utf7" | "unicode11utf7" => Encoding::Utf7,
            "utf16be" => Encoding::Utf16(true),
            "utf32le" | "ucs4le" | "utf32" | "ucs4" => Encoding::Utf32(false),
            "utf32be" | "ucs4be" => Encoding::Utf32(true),
            "binary" => Encoding::Binary,
            "base64" => Encoding::Base64,
            "hex" => Encoding::Hex,
            _ => match (multibyte(&short), Single::of(&short)) {
                (Some(multi), _) => Encoding::Multi(multi),
                (None, Some(single)) => Encoding::Single(Box::new(single)),
                (None, None) => {
                    return Err(format!(
                        "Encoding not recognized: '{name}' (searched as: '{short}')"
                    ));
                }
            },
        })
    }

    /// True when the line end is one byte 10 that is part of no other character.
    pub fn has_ascii_lines(&self) -> bool {
        !matches!(
            self,
            Encoding::Utf16(_)
                | Encoding::Utf16Marked
                | Encoding::Utf32(_)
                | Encoding::Base64
                | Encoding::Hex
        )
    }

    /// Text as bytes.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        match self {
            Encoding::Utf8(_) => text.as_bytes().to_vec(),
            Encoding::Utf16(high) => text
                .encode_utf16()
                .flat_map(|unit| {
                    if *high {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect(),
            Encoding::Utf16Marked => Encoding::Utf16(false).encode(&format!("\u{feff}{text}")),
            Encoding::Utf7 => utf7::encode(text),
            Encoding::Utf32(high) => text
                .chars()
                .flat_map(|c| {
                    if *high {
                        u32::from(c).to_be_bytes()
                    } else {
                        u32::from(c).to_le_bytes()
                    }
                })
                .collect(),
            Encoding::Binary => text.encode_utf16().map(|unit| unit as u8).collect(),
            Encoding::Base64 => crate::network::tcp::decode_base64(text),
            Encoding::Hex => from_hex(text),
            Encoding::Single(single) => text
                .chars()
                .flat_map(|c| match single.encode.get(&c) {
                    Some(byte) => vec![*byte],
                    // (one for each half of a pair of surrogates)
                    None => vec![b'?'; c.len_utf16()],
                })
                .collect(),
            Encoding::Multi(multi) => encode_multi(multi, text),
        }
    }

    /// Bytes as text; what is no character becomes U+FFFD.
    pub fn decode(&self, bytes: &[u8]) -> String {
        match self {
            Encoding::Utf8(strip) => {
                let bytes = if *strip {
                    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
                } else {
                    bytes
                };
                String::from_utf8_lossy(bytes).into_owned()
            }
            Encoding::Utf16(high) => {
                let unit = |pair: &[u8]| {
                    if *high {
                        u16::from_be_bytes([pair[0], pair[1]])
                    } else {
                        u16::from_le_bytes([pair[0], pair[1]])
                    }
                };
                let units: Vec<u16> = bytes.chunks_exact(2).map(unit).collect();
                String::from_utf16_lossy(units.strip_prefix(&[0xfeff]).unwrap_or(&units))
            }
            Encoding::Utf16Marked => Encoding::Utf16(is_high_first(bytes)).decode(bytes),
            Encoding::Utf7 => utf7::decode(bytes),
            Encoding::Utf32(high) => {
                let point = |four: &[u8]| {
                    let four = [four[0], four[1], four[2], four[3]];
                    if *high {
                        u32::from_be_bytes(four)
                    } else {
                        u32::from_le_bytes(four)
                    }
                };
                let chars: String = bytes
                    .chunks_exact(4)
                    .map(|four| char::from_u32(point(four)).unwrap_or('\u{fffd}'))
                    .collect();
                chars
                    .strip_prefix('\u{feff}')
                    .map(str::to_owned)
                    .unwrap_or(chars)
            }
            Encoding::Binary => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Encoding::Base64 => crate::network::tcp::encode_base64(bytes),
            Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Single(single) => bytes
                .iter()
                .map(|byte| single.decode[usize::from(*byte)])
                .collect(),
            Encoding::Multi(multi) => multi.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }

    /// A payload as bytes: buffers as they are when there is no encoding, text encoded.
    pub fn bytes(&self, payload: &Value, text: impl FnOnce() -> String) -> Buffer {
        match (payload, self) {
            (Value::Buffer(bytes), Encoding::Utf8(false)) => bytes.clone(),
            (Value::Buffer(bytes), _) => Buffer::from(self.encode(&String::from_utf8_lossy(bytes))),
            _ => Buffer::from(self.encode(&text())),
        }
    }
}

/// Whether UTF-16 has the high byte first: by its mark, or by where the zeros of plain text are.
fn is_high_first(bytes: &[u8]) -> bool {
    match bytes {
        [0xfe, 0xff, ..] => return true,
        [0xff, 0xfe, ..] => return false,
        _ => {}
    }
    let pairs = bytes.chunks_exact(2).take(100);
    let (mut low, mut high) = (0, 0);
    for pair in pairs {
        low += usize::from(pair[1] == 0 && pair[0] != 0);
        high += usize::from(pair[0] == 0 && pair[1] != 0);
    }
    high > low
}

/// The East Asian encodings, by the names of `iconv-lite`.
fn multibyte(short: &str) -> Option<&'static Multibyte> {
    Some(match short {
        "shiftjis" | "csshiftjis" | "mskanji" | "sjis" | "windows31j" | "ms31j" | "xsjis"
        | "windows932" | "ms932" | "cp932" | "932" => encoding_rs::SHIFT_JIS,
        "eucjp" => encoding_rs::EUC_JP,
        "gb2312" | "gb231280" | "gb23121980" | "csgb2312" | "csiso58gb231280" | "euccn"
        | "windows936" | "ms936" | "936" | "cp936" | "gbk" | "xgbk" | "isoir58" | "chinese" => {
            encoding_rs::GBK
        }
        "gb18030" => encoding_rs::GB18030,
        "windows949" | "ms949" | "949" | "cp949" | "cseuckr" | "csksc56011987" | "euckr"
        | "isoir149" | "korean" | "ksc56011987" | "ksc56011989" | "ksc5601" => encoding_rs::EUC_KR,
        "windows950" | "ms950" | "950" | "cp950" | "big5" | "big5hkscs" | "cnbig5" | "csbig5"
        | "xxbig5" => encoding_rs::BIG5,
        _ => return None,
    })
}

fn encode_multi(multi: &'static Multibyte, text: &str) -> Vec<u8> {
    let mut encoder = multi.new_encoder();
    let mut out = Vec::with_capacity(text.len() * 2 + 16);
    let mut rest = text;
    loop {
        out.reserve(rest.len() * 2 + 16);
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return out,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(_) => out.push(b'?'),
        }
    }
}

/// Pairs of digits, up to the first that is none, as `Buffer.from(text, 'hex')` reads them.
fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    text.as_bytes().chunks_exact(2).map_while(pair).collect()
}

impl Single {
    fn of(short: &str) -> Option<Single> {
        let lines = include_str!("charsets.txt")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let mut parts = lines
            .map(|line| line.splitn(3, '|'))
            .find_map(|mut parts| {
                let names = parts.next()?;
                names.split(',').any(|name| name == short).then_some(parts)
            })?;
        let mut decode: Vec<char> = (0..0x80u8).map(char::from).collect();
        for (byte, point) in parts
            .next()?
            .split(',')
            .filter_map(|pair| pair.split_once('='))
        {
            let at = usize::from_str_radix(byte, 16).ok()?;
            *decode.get_mut(at)? = char::from_u32(u32::from_str_radix(point, 16).ok()?)?;
        }
        let mut high = parts.next()?.chars();
        while let Some(c) = high.next() {
            let real = match c {
                '\\' => match high.next()? {
                    '-' => '\u{fffd}',
                    first => {
                        let digits: String =
                            [first].into_iter().chain(high.by_ref().take(3)).collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                },
                c => c,
            };
            decode.push(real);
        }
        if decode.len() != 256 {
            return None;
        }
        // (of bytes with the same character, the last one is written, as iconv-lite has it)
        let encode = decode
            .iter()
            .enumerate()
            .filter(|(_, c)| **c != '\u{fffd}')
            .map(|(byte, c)| (*c, byte as u8))
            .collect();
        Some(Single { decode, encode })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_set_is_whole() {
        let lines = include_str!("charsets.txt")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for line in lines {
            let name = line.split([',', '|']).next().expect("a name");
            assert!(Single::of(name).is_some(), "{name}");
            count += 1;
        }
        assert_eq!(count, 80);
    }

    #[test]
    fn text_becomes_bytes_and_text_again() {
        for (name, text, bytes) in [
            ("none", "aé", &b"a\xc3\xa9"[..]),
            ("ucs2", "aé", b"a\0\xe9\0"),
            ("utf-16be", "aé", b"\0a\0\xe9"),
            ("binary", "aé", b"a\xe9"),
            ("base64", "YWI=", b"ab"),
            ("hex", "6162", b"ab"),
            ("Shift_JIS", "\u{3042}", b"\x82\xa0"),
            ("EUC-JP", "\u{3042}", b"\xa4\xa2"),
            ("Windows936", "\u{4e2d}", b"\xd6\xd0"),
            ("KS_C_5601", "\u{d55c}", b"\xc7\xd1"),
            ("Big5-HKSCS", "\u{4e2d}", b"\xa4\xa4"),
            ("cp437", "é", b"\x82"),
            ("ISO-8859-15", "€", b"\xa4"),
            ("koi8-r", "\u{434}", b"\xc4"),
            ("iso646jp", "¥", b"\x5c"),
            ("macroman", "é", b"\x8e"),
        ] {
            let encoding = Encoding::of(name).expect(name);
            assert_eq!(encoding.encode(text), bytes, "{name}");
            assert_eq!(encoding.decode(bytes), text, "{name}");
        }
        assert_eq!(
            Encoding::of("cp437").expect("known").encode("\u{3042}"),
            b"?"
        );
        assert_eq!(
            Encoding::of("ISO-8859-12").err().as_deref(),
            Some("Encoding not recognized: 'ISO-8859-12' (searched as: 'iso885912')")
        );
    }
}
