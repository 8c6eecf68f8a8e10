//! The control protocol (`docs/control-protocol.md`): through it everything outside a running flow talks to it.
//!
//! [`Hub`] turns the runtime's events into lines for each subscriber; [`Control`] carries out requests. Neither knows the
//! transport: standard input and output, a WebSocket, a test.

mod control;
mod hub;
mod request;

pub use control::{Compiled, Control, Deployer, Identity, Refusal};
pub use hub::{Hub, Outbox, Subscriber, event_line};
