//! Names by content: BLAKE3 hashes of chunks, files and descriptions.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The BLAKE3 hash (256 bits) of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(*blake3::hash(bytes).as_bytes())
    }

    /// What has been hashed so far.
    pub(super) fn finished(hasher: &blake3::Hasher) -> Hash {
        Hash(*hasher.finalize().as_bytes())
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits, small ones.
    pub(super) fn from_hex(text: &str) -> Option<Hash> {
        let pairs = text.as_bytes().as_chunks::<2>();
        if pairs.0.len() != 32
            || !pairs.1.is_empty()
            || text.bytes().any(|b| b.is_ascii_uppercase())
        {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(pairs.0) {
            let high = char::from(pair[0]).to_digit(16)?;
            // (two digits are less than 256)
            *byte = (high * 16 + char::from(pair[1]).to_digit(16)?) as u8;
        }
        Some(Hash(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    /// As text where people read it, else as its bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        use serde::de::Error;
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Hash::from_hex(&text).ok_or_else(|| D::Error::custom("a hash is 64 hexadecimal digits"))
        } else {
            let bytes = Bytes::deserialize(deserializer)?;
            let hash = <[u8; 32]>::try_from(bytes.as_ref());
            hash.map(Hash)
                .map_err(|_| D::Error::custom("a hash has 32 bytes"))
        }
    }
}

/// The name of an artifact: the hash of the canonical bytes of its description. As text `b3-` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactId(pub Hash);

/// A text that is no name of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidArtifactId(String);

impl FromStr for ArtifactId {
    type Err = InvalidArtifactId;

    fn from_str(text: &str) -> Result<ArtifactId, InvalidArtifactId> {
        let hash = text.strip_prefix("b3-").and_then(Hash::from_hex);
        hash.map(ArtifactId)
            .ok_or_else(|| InvalidArtifactId(text.chars().take(80).collect()))
    }
}

impl fmt::Display for ArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b3-{}", self.0)
    }
}

impl fmt::Debug for ArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for InvalidArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no name of an artifact: that is `b3-` and 64 hexadecimal digits",
            self.0
        )
    }
}

impl std::error::Error for InvalidArtifactId {}

impl Serialize for ArtifactId {
    /// As text where people read it, else as its bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ArtifactId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ArtifactId, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            Hash::deserialize(deserializer).map(ArtifactId)
        }
    }
}
