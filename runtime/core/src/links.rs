//! Links: how the parts of a flow that run on different machines reach each other.
//!
//! The core knows neither how messages travel nor where the other machines are. The node that stands in for one elsewhere hands its
//! messages to an [`Outgoing`]; the one that stands before a node here gets what was sent to it as [`Arrived`].

use crate::{Mailbox, NodeError, SpanContext};
use std::any::Any;
use vgdc_value::Msg;

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEnd {
    /// The link's name: the same at both ends, and no other link of the mesh has it.
    pub name: String,
    /// The name of the machine at the other end.
    pub peer: String,
    /// Whether messages are kept on disk until the other end has them.
    pub durable: bool,
}

/// The links of a process.
pub trait Links: Send + Sync {
    /// Opens the end that sends. As long as messages wait to go, they count as waiting in the island of `mailbox`, so that its
    /// sources slow down.
    ///
    /// # Errors
    /// There is no such machine, or what keeps messages on disk cannot be opened.
    fn send_to(&self, end: &LinkEnd, mailbox: Mailbox) -> Result<Box<dyn Outgoing>, NodeError>;

    /// Opens the end that receives: what comes is posted to `mailbox` as [`Arrived`]. The link is open as long as what is given lives.
    ///
    /// # Errors
    /// Nothing can be listened for.
    fn receive_from(&self, end: &LinkEnd, mailbox: Mailbox) -> Result<Box<dyn Any>, NodeError>;
}

/// The end of a link that sends.
pub trait Outgoing {
    /// Sends a message, behind all that were sent before. `trace`: where in a trace it is, if it is followed.
    ///
    /// # Errors
    /// The message cannot travel, or too many wait; it is not sent.
    fn send(&mut self, msg: &Msg, trace: Option<SpanContext>) -> Result<(), NodeError>;
}

/// Messages that came over a link, in the order in which they were sent.
pub struct Arrived {
    /// The messages, with where in a trace the other end said they are.
    pub msgs: Vec<(Msg, Option<SpanContext>)>,
    /// To be called when the island has worked on them: then the other end may forget them.
    pub taken: Box<dyn FnOnce() + Send>,
}

/// The links, as one of the runtime's services.
pub struct LinkService(pub Box<dyn Links>);
