//! A hash that stays the same from run to run, build to build and machine to machine: FNV-1a of 128 bits.
//!
//! It tells a changed node from an unchanged one, so it need not withstand an attacker.

use std::fmt;

/// A hash being made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(u128);

const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint(BASIS)
    }
}

impl Fingerprint {
    /// With a text mixed in; two texts in a row differ from one that is both.
    #[must_use]
    pub fn with(mut self, text: &str) -> Fingerprint {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(PRIME);
        }
        self
    }

    /// With another fingerprint mixed in.
    #[must_use]
    pub fn and(self, other: Fingerprint) -> Fingerprint {
        self.with(&other.to_string())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_and_keeps_texts_apart() {
        assert_eq!(
            Fingerprint::default().to_string(),
            "6c62272e07bb014262b821756295c58d"
        );
        let ab_c = Fingerprint::default().with("ab").with("c");
        let a_bc = Fingerprint::default().with("a").with("bc");
        assert_ne!(ab_c, a_bc);
    }
}
