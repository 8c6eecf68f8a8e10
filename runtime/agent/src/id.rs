//! Names that the mesh gives: nodes, requests, blobs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The longest name of anything in the control state, in bytes: nodes, flows, versions, parts, labels, stores.
pub const LONGEST_NAME: usize = 128;

/// Who a node is: its ed25519 public key (RFC 8032), as text 64 hexadecimal digits. That the one who says so holds the key is for
/// the transport to check; here it is only a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NodeId([u8; 32]);

/// A text that is no name of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNodeId(String);

impl NodeId {
    /// Nobody: what the consensus algorithm's records say before there is a leader. No node has this key.
    pub const NOBODY: NodeId = NodeId([0; 32]);

    /// The node with this public key.
    pub const fn from_key(key: [u8; 32]) -> NodeId {
        NodeId(key)
    }

    /// The public key.
    pub const fn key(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(text: &str) -> Result<NodeId, InvalidNodeId> {
        let invalid = || InvalidNodeId(text.chars().take(80).collect());
        let digits = text.as_bytes().as_chunks::<2>();
        let mut key = [0; 32];
        if digits.0.len() != key.len() || !digits.1.is_empty() {
            return Err(invalid());
        }
        for (byte, digits) in key.iter_mut().zip(digits.0) {
            let digit = |at: usize| char::from(digits[at]).to_digit(16).ok_or_else(invalid);
            // (two digits are less than 256)
            *byte = (digit(0)? * 16 + digit(1)?) as u8;
        }
        Ok(NodeId(key))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for InvalidNodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no name of a node: that is its public key, 64 hexadecimal digits",
            self.0
        )
    }
}

impl std::error::Error for InvalidNodeId {}

impl Serialize for NodeId {
    /// As text where people read it, else as its bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NodeId, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            let bytes = Bytes::deserialize(deserializer)?;
            let key = <[u8; 32]>::try_from(bytes.as_ref());
            key.map(NodeId)
                .map_err(|_| serde::de::Error::custom("a public key has 32 bytes"))
        }
    }
}

/// Which request this is: the same one, sent again, has the same id, so that it is done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId {
    /// A number that a proposer draws when it starts.
    pub session: u64,
    /// The how-manieth request of the session; the first is 1.
    pub number: u64,
    /// All requests of the session with smaller numbers have been answered or given up: they will not be asked for again, and
    /// must not be done any more.
    pub settled: u64,
}

/// Bytes that nobody here looks into. In text they are base64; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Blob(pub Bytes);

impl Blob {
    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<Bytes>> From<T> for Blob {
    fn from(bytes: T) -> Blob {
        Blob(bytes.into())
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&BASE64.encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let bytes = BASE64.decode(text).map_err(serde::de::Error::custom)?;
            Ok(bytes.into())
        } else {
            Bytes::deserialize(deserializer).map(Blob)
        }
    }
}
