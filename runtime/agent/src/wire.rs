//! How replicas reach each other: a request, an answer. What the bytes mean is not the wire's concern, nor are time limits: who
//! calls drops the future.
//!
//! [`net`] is what agents use: streams between nodes that admit each other, encrypted. [`tcp`] is plain TCP without encryption, for one trusted
//! network and for tests; [`memory`] is within a process, with faults.

mod frames;
pub mod memory;
pub mod net;
pub mod tcp;

use crate::id::NodeId;
use bytes::Bytes;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// The longest request or answer, in bytes: 8 MiB.
pub const LONGEST_FRAME: usize = 8 << 20;

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Peer {
    /// Who.
    pub id: NodeId,
    /// Where, the best first; what they mean is the wire's.
    pub addresses: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireError {
    /// The request has not arrived.
    Unreachable(String),
    /// The request may have arrived.
    Lost(String),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Unreachable(why) => write!(f, "unreachable: {why}"),
            WireError::Lost(why) => write!(f, "no answer: {why}"),
        }
    }
}

impl std::error::Error for WireError {}

/// A call under way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Bytes, WireError>> + Send + 'a>>;
/// An answer being made.
pub type Answering = Pin<Box<dyn Future<Output = Bytes> + Send>>;

/// Calls others.
pub trait Wire: Send + Sync + 'static {
    /// Sends a request, and waits for the answer. Many may be under way to one peer.
    fn call<'a>(&'a self, to: &'a Peer, request: Bytes) -> Calling<'a>;
}

/// Answers others.
pub trait Serve: Send + Sync + 'static {
    /// Answers a request, whatever its bytes are.
    fn serve(self: Arc<Self>, request: Bytes) -> Answering;
}
