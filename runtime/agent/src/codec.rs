//! How records become bytes: CBOR (RFC 8949), by serde. It says itself what it holds, so a later version can add fields, and
//! keeps every number and byte as it is.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deep what is read may be nested. (A manifest is text here, so nothing of ours is deeper.)
const DEEPEST: usize = 64;

/// The bytes of a record.
///
/// # Errors
/// A record that CBOR has no form for, which none of ours is; in words.
pub fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(128);
    ciborium::into_writer(record, &mut bytes)
        .map_err(|e| format!("cannot be written as CBOR: {e}"))?;
    Ok(bytes)
}

/// Reads a record; all bytes are its own.
///
/// # Errors
/// Bytes that are not such a record; in words.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut left = bytes;
    let record = ciborium::de::from_reader_with_recursion_limit(&mut left, DEEPEST)
        .map_err(|e| format!("not the CBOR of what was expected: {e}"))?;
    if left.is_empty() {
        Ok(record)
    } else {
        Err(format!("{} bytes stand behind the record", left.len()))
    }
}
