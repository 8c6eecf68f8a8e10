//! The hash of property names: quick for short texts, and different in each process, so that nobody who sends messages
//! can prepare names that all fall into one place.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const TAIL: u64 = 0xd6e8_feb8_6659_fd93;

fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().hash_one(SPREAD))
}

/// Multiplies to 128 bits and folds the halves together.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Fewer than eight bytes as a number. (Texts that differ give different numbers, together with their length.)
#[inline]
fn word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    }
    match *bytes {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a, b, c, ..] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
    }
}

/// The hash of a text.
#[inline]
pub(crate) fn text(text: &str) -> u64 {
    let mut state = seed() ^ (text.len() as u64).wrapping_mul(TAIL);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for eight in words {
        state = fold(state ^ u64::from_le_bytes(*eight), SPREAD);
    }
    fold(state ^ word(rest), TAIL)
}

/// A place in a table of `1 << bits` places for a pair of numbers.
#[inline]
pub(crate) fn pair(a: u32, b: u32, bits: u32) -> usize {
    let mixed = ((u64::from(a) << 32) | u64::from(b)).wrapping_mul(SPREAD);
    (mixed >> (64 - bits)) as usize
}
