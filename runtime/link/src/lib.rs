//! Edges of a flow that leave a process.
//!
//! Where a flow is partitioned, each edge that is cut becomes a *link*: a sender in one process, a receiver in another one,
//! order kept. All links speak one protocol (`docs/link-protocol.md`).

mod endpoint;
mod epoch;
pub mod frame;
mod handshake;
mod keeper;
#[cfg(feature = "nats")]
mod nats;
mod outbox;
mod receiver;
mod receiving;
mod sender;
mod sending;
mod session;
pub mod transport;
mod wake;

pub use endpoint::{Endpoint, EndpointConfig, Log};
pub use epoch::{Position, new_instance};
#[cfg(feature = "nats")]
pub use nats::{MAX_NATS_MESSAGE, NatsConfig, NatsCredentials};
pub use outbox::Outbox;
pub use receiver::{Delivered, Receiver, ReceiverConfig, ReceiverStats, Superseded, Token};
pub use receiving::{LinkReceiver, Received};
pub use sender::{Refused, Sender, SenderConfig, SenderStats};
pub use sending::{LinkSender, SendError};

#[cfg(test)]
mod network;
