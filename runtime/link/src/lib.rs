//! Edges of a flow that leave a process.
//!
//! Where a flow is partitioned, each edge that is cut becomes a *link*: a sender in one process, a receiver in another one,
//! order kept. All links speak one protocol (`docs/link-protocol.md`).

mod epoch;
pub mod frame;
mod receiver;
mod sender;

pub use epoch::{Position, new_instance};
pub use receiver::{Delivered, Receiver, ReceiverConfig, ReceiverStats, Superseded, Token};
pub use sender::{Refused, Sender, SenderConfig, SenderStats};

#[cfg(test)]
mod network;
