//! The text of an encrypted credentials file (`{"$": "…"}`): 32 hexadecimal digits of the initial vector, then base64 of
//! AES-256 in counter mode over the JSON of an object; the key is the SHA-256 of the secret. There is no checksum: a wrong
//! secret shows only in that the result is no JSON. (Format: Node-RED 5.0.4, `runtime/lib/nodes/credentials.js`.)

use aes::cipher::{KeyIvInit, StreamCipher};
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// An encrypted credentials text, taken apart.
pub struct Encrypted {
    vector: [u8; 16],
    data: Vec<u8>,
}

impl Encrypted {
    /// Takes the text apart; `None` when it is damaged.
    pub fn parse(text: &str) -> Option<Encrypted> {
        let (vector, data) = (text.get(..32)?, text.get(32..)?);
        let mut bytes = [0; 16];
        for (byte, digits) in bytes.iter_mut().zip(vector.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        // Node's decoder, with which the file was meant to be read, minds neither padding nor white space nor the alphabet for URLs.
        let lenient = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let plain: String = data
            .chars()
            .filter(|c| !c.is_ascii_whitespace())
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect();
        let data = GeneralPurpose::new(&alphabet::STANDARD, lenient)
            .decode(plain)
            .ok()?;
        Some(Encrypted {
            vector: bytes,
            data,
        })
    }

    /// The text of a file with this JSON in it, as Node-RED writes it. The vector must be drawn anew for each text.
    pub fn encrypt(json: &str, secret: &Secret, vector: [u8; 16]) -> String {
        let key = Sha256::digest(secret.expose().as_bytes());
        let mut cipher = ctr::Ctr128BE::<aes::Aes256>::new(&key, &vector.into());
        let mut data = json.as_bytes().to_vec();
        cipher.apply_keystream(&mut data);
        let hex: String = vector.iter().map(|byte| format!("{byte:02x}")).collect();
        hex + &base64::engine::general_purpose::STANDARD.encode(data)
    }

    /// What is inside, if the secret fits.
    pub fn decrypt<T: DeserializeOwned>(&self, secret: &Secret) -> Option<T> {
        let key = Sha256::digest(secret.expose().as_bytes());
        let mut cipher = ctr::Ctr128BE::<aes::Aes256>::new(&key, &self.vector.into());
        let mut text = self.data.clone();
        cipher.apply_keystream(&mut text);
        // The error is dropped on purpose: it would quote the text, and says nothing but that the secret does not fit.
        serde_json::from_slice(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_is_read_with_the_same_secret_alone() {
        let json = r#"{"a":{"password":"ß😀"}}"#;
        let text = Encrypted::encrypt(json, &Secret::new("key"), [7; 16]);
        assert!(text.starts_with(&"07".repeat(16)) && !text.contains("password"));
        let parts = Encrypted::parse(&text).expect("it is whole");
        let read: serde_json::Value = parts.decrypt(&Secret::new("key")).expect("it fits");
        assert_eq!(read.to_string(), json);
        assert!(
            parts
                .decrypt::<serde_json::Value>(&Secret::new("other"))
                .is_none()
        );
    }
}
