//! Values as CBOR (RFC 8949), for links to other processes: lossless, and plain enough that a CBOR library of another
//! language reads what is common without being told anything.
//!
//! | value | CBOR |
//! | --- | --- |
//! | undefined, null, booleans | their simple values |
//! | number | an integer where it is whole and at most 2^53 - 1 in magnitude (but not -0), else a float of 64 bits |
//! | text, buffer | text string, byte string |
//! | array, object | array, map with text keys; the order of the keys is kept |
//! | date | tag 1 (seconds since 1970), or `27(["Date", milliseconds])` where seconds cannot hold it (the invalid date: NaN) |
//! | big integer | tag 2 or 3, however small it is; up to [`MAX_BIGINT`] bytes |
//! | set, map | tag 258 with an array, tag 259 with a map |
//! | regular expression | `27(["RegExp", source, flags])` |
//! | error | `27(["Error", name, message, stack, {further properties}])` |
//! | circular | `27(["vgdc.Circular", [name or index, …]])` |
//!
//! Tag 27 is registered for objects of a named type with its parts. What is read besides, since libraries write it: floats
//! of 16 and 32 bits, integers beyond 2^53 (as big integers), integers as keys of objects (as their digits), dates as texts
//! (tag 0), bytes under tag 64, errors as `27([name, message])` with a name that ends in `Error`, and tag 55799 in front of anything. What is not read: items of indefinite length, other tags,
//! values nested deeper than [`MAX_DEPTH`]. A handle lives in its process: it is not written, and the error says where it is.

mod decode;
mod encode;

pub use crate::nest::MAX_DEPTH;
pub use decode::{decode, decode_msg};
pub use encode::{encode, encode_msg};

use std::borrow::Cow;

/// How many bytes a big integer has at most (its digits take time with the square of that).
pub const MAX_BIGINT: usize = 16 * 1024;

/// The largest magnitude of a number that is written as an integer: 2^53 - 1, JavaScript's `MAX_SAFE_INTEGER`.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

mod tag {
    pub(super) const DATE_TEXT: u64 = 0;
    pub(super) const DATE: u64 = 1;
    pub(super) const BIG: u64 = 2;
    pub(super) const BIG_NEGATIVE: u64 = 3;
    pub(super) const OBJECT: u64 = 27;
    pub(super) const BYTES: u64 = 64;
    pub(super) const SET: u64 = 258;
    pub(super) const MAP: u64 = 259;
    pub(super) const SELF_DESCRIBED: u64 = 55_799;
}

/// The type names under tag 27.
mod kind {
    pub(super) const DATE: &str = "Date";
    pub(super) const REGEXP: &str = "RegExp";
    pub(super) const ERROR: &str = "Error";
    pub(super) const CIRCULAR: &str = "vgdc.Circular";
}

/// Why a value cannot be written, or bytes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CborError {
    /// What is wrong.
    pub message: Cow<'static, str>,
    /// Where in the bytes that were to be read.
    pub at: Option<usize>,
}

impl std::fmt::Display for CborError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match self.at {
            Some(at) => write!(f, " (at byte {at})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CborError {}

#[cfg(test)]
mod tests;
