//! The frames of the link protocol; `docs/link-protocol.md` is their specification.
//!
//! A frame is its length (`u32`, little-endian, without these four bytes) and a CBOR array: the kind, then the fields of that
//! kind by position. Fields behind those that are known here are skipped, so that a later version may add some; kinds from
//! [`SKIPPABLE`] on may be skipped as a whole.

mod read;
mod write;

pub(crate) use read::decode_item;
pub use read::{Reader, decode};
pub(crate) use write::{encode_batch, encode_item};

use crate::epoch::Position;
use bytes::Bytes;
use vgdc_value::Object;

/// The oldest and the newest version of the protocol that this side speaks.
pub const VERSIONS: (u32, u32) = (1, 1);
/// How long a frame may be, in bytes, without its length.
pub const MAX_FRAME: usize = MAX_MESSAGE + 64 * 1024;
/// How long a message may be, in bytes as CBOR.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// How many messages a batch holds at most.
pub const MAX_BATCH: usize = 65_536;
/// Frames of kinds from here on are skipped by who does not know them.
pub const SKIPPABLE: u64 = 128;
/// How long the name of a node or a link may be, in bytes.
pub const MAX_NAME: usize = 512;
/// How long the text of a fault may be, in bytes; longer ones are cut.
pub const MAX_TEXT: usize = 4096;
/// How long each part of a trace context may be, in bytes. (W3C: 55 and 512.)
pub const MAX_TRACE: usize = 512;

mod kind {
    pub(super) const HELLO: u64 = 0;
    pub(super) const WELCOME: u64 = 1;
    pub(super) const OPEN: u64 = 2;
    pub(super) const BATCH: u64 = 3;
    pub(super) const ACK: u64 = 4;
    pub(super) const CREDIT: u64 = 5;
    pub(super) const CLOSE: u64 = 6;
    pub(super) const FAULT: u64 = 7;
    pub(super) const PING: u64 = 8;
    pub(super) const PONG: u64 = 9;
}

/// What a link promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// At most once: what was sent when a connection broke may be lost, and is counted.
    #[default]
    Fast,
    /// At least once, and once within an epoch: kept by the sender until the receiver's consumer has confirmed it.
    Durable,
}

/// The W3C trace context that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// `traceparent`.
    pub parent: Box<str>,
    /// `tracestate`; empty where there is none.
    pub state: Box<str>,
}

/// A message in a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The message as CBOR.
    pub message: Bytes,
    /// Where in a trace it belongs.
    pub trace: Option<Box<Trace>>,
}

/// The first frame of who made the connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// The versions that it speaks: the oldest and the newest.
    pub versions: (u32, u32),
    /// Who it is.
    pub node: String,
    /// What else it can. Nothing has a meaning yet.
    pub can: Object,
}

/// The first frame of who took the connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Welcome {
    /// The version that is spoken from now on.
    pub version: u32,
    /// Who it is.
    pub node: String,
    /// What else it can. Nothing has a meaning yet.
    pub can: Object,
}

/// A sender begins a link on this connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The number that the sender gives the link on this connection.
    pub link: u32,
    /// The link's name.
    pub name: String,
    /// Whose numbering it is, and the number of the first message that the sender can still send.
    pub first: Position,
    /// What the link promises.
    pub delivery: Delivery,
}

/// Messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The link, as its sender numbers it.
    pub link: u32,
    /// The sender's epoch.
    pub epoch: u64,
    /// The number of the first message; the others follow without gap.
    pub first: u64,
    /// The messages.
    pub items: Vec<Item>,
}

/// How far a receiver is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The link, as its sender numbers it.
    pub link: u32,
    /// The sender's epoch.
    pub epoch: u64,
    /// All messages in front of this one are confirmed: the sender forgets them.
    pub confirmed: u64,
    /// All messages in front of this one have arrived: the sender need not send them again to this receiver.
    pub received: u64,
}

/// How much a sender may have sent since it opened the link, on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Credit {
    /// The link, as its sender numbers it.
    pub link: u32,
    /// Messages in all.
    pub messages: u64,
    /// Bytes of messages in all.
    pub bytes: u64,
}

/// Something is wrong. Without a link: with the connection, which ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The link, as its sender numbers it.
    pub link: Option<u32>,
    /// What it is.
    pub code: Code,
    /// What it is, for people.
    pub text: String,
}

/// What a fault is about, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Code {
    /// Bytes that are no frame, or a frame where none of its kind belongs.
    Protocol = 1,
    /// No version that both speak.
    Version = 2,
    /// There is no receiver of that name (yet): the sender tries again.
    UnknownLink = 3,
    /// A newer epoch of the link is known: the sender may never send again.
    StaleEpoch = 4,
    /// The link was opened by somebody else in the same epoch.
    Superseded = 5,
    /// Messages are missing: the sender opens the link again.
    Gap = 6,
    /// More was sent than there was credit for.
    Credit = 7,
    /// The receiver wants another delivery than the sender.
    Delivery = 8,
    /// Who says it ends.
    Leaving = 9,
    /// The other side is not who was expected, or not welcome.
    Refused = 10,
    /// Of a later version.
    Other = 0,
}

impl Code {
    /// The code with this number.
    pub fn of(number: u64) -> Code {
        match number {
            1 => Code::Protocol,
            2 => Code::Version,
            3 => Code::UnknownLink,
            4 => Code::StaleEpoch,
            5 => Code::Superseded,
            6 => Code::Gap,
            7 => Code::Credit,
            8 => Code::Delivery,
            9 => Code::Leaving,
            10 => Code::Refused,
            _ => Code::Other,
        }
    }
}

/// A frame.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // their contents say it
pub enum Frame {
    Hello(Hello),
    Welcome(Welcome),
    Open(Open),
    Batch(Batch),
    Ack(Ack),
    Credit(Credit),
    /// The sender ends the link; without a link, all of the connection: nothing follows.
    Close(Option<u32>),
    Fault(Fault),
    /// To be answered with the same number.
    Ping(u64),
    Pong(u64),
    /// Of a kind that may be skipped.
    Skipped(u64),
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameError {
    /// What is wrong.
    pub message: String,
}

impl FrameError {
    fn new(message: impl Into<String>) -> FrameError {
        FrameError {
            message: message.into(),
        }
    }
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FrameError {}

/// The version to speak with somebody who speaks these, if there is one.
pub fn agree(theirs: (u32, u32)) -> Option<u32> {
    let newest = VERSIONS.1.min(theirs.1);
    (newest >= VERSIONS.0 && newest >= theirs.0).then_some(newest)
}

#[cfg(test)]
mod tests;
