//! UTF-7 as `iconv-lite` writes it: letters, digits and `'(),-./:?` and white space as they are, the rest in base64.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};

/// Base64 without padding, of which the last bits may be anything.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_direct(c: char) -> bool {
    c.is_ascii_alphanumeric() || "'(),-./:? \n\r\t".contains(c)
}

/// Text as bytes.
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_same = |other: char| is_direct(other) == is_direct(c);
        let end = rest.find(|other| !is_same(other)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        if is_direct(c) {
            out.push_str(part);
        } else if part == "+" {
            out.push_str("+-");
        } else {
            let bytes: Vec<u8> = part.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push_str(&format!("+{}-", ENGINE.encode(bytes)));
        }
    }
    out.into_bytes()
}

/// Bytes as text.
pub fn decode(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte != b'+' {
            // (what is none of the seven bits is no character)
            out.push(if byte.is_ascii() {
                char::from(*byte)
            } else {
                '\u{fffd}'
            });
            continue;
        }
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let length = bytes[at..]
            .iter()
            .take_while(|byte| is_base64(byte))
            .count();
        let part = &bytes[at..at + length];
        at += length;
        let ended = bytes.get(at) == Some(&b'-');
        if part.is_empty() && ended {
            out.push('+');
        }
        // (a length that no bytes have loses its last letter)
        let whole = part.len() - usize::from(part.len() % 4 == 1);
        let units: Vec<u16> = ENGINE
            .decode(&part[..whole])
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        out.push_str(&String::from_utf16_lossy(&units));
        at += usize::from(ended);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (text, written) in [
            ("a\u{e4}\u{df}\u{20ac}", "a+AOQA3yCs-"),
            ("1+1 = 2", "1+-1 +AD0- 2"),
            ("\u{1f600}", "+2D3eAA-"),
        ] {
            assert_eq!(encode(text), written.as_bytes());
            assert_eq!(decode(written.as_bytes()), text);
        }
    }
}
