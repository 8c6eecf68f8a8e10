//! Other places: what runs operators of a plan that this process only stands in for.
//!
//! The core knows neither what such a place is nor how it is reached. The node that stands in for one that runs there hands
//! its messages to [`Elsewhere`], and is told by [`Told`] what the node there does: it sends, raises, sets and logs that in
//! its own name, so that wires, catch, status and complete nodes, watchers and counters are as for any other node.

use crate::{DeployType, Kinds, Level, Mailbox, NodeError, Shared};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use vgdc_value::{Msg, Value};

/// A future that may go to another thread.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The other places of a runtime.
pub trait Elsewhere: Send + Sync {
    /// The stand-in for a node that runs in these places has started; from now on it is told of the node.
    fn attach(&self, id: &str, places: &[String], mailbox: Mailbox);

    /// Takes a message for a node over.
    ///
    /// # Errors
    /// The place does not run, or too much waits for it; the message is not taken. A node in several places gets a message in
    /// the one that it carries something of.
    fn deliver(&self, id: &str, msg: &Msg, from: &Mailbox) -> Result<(), NodeError>;

    /// The stand-ins run: the nodes are to. Answers when they do, or when it is known that they will not for now.
    fn deploy(&self, shared: Arc<Shared>, ty: DeployType) -> Doing<'_, ()>;

    /// The kinds of events that somebody watches at nodes there, of those that the stand-in does not see: it is to be told of
    /// what stays there, too ([`Told::Sent`], [`Told::Came`]), and of all messages that they have finished with.
    fn watch(&self, watched: &HashMap<String, Kinds>);

    /// These nodes are to stop (all when `None`). Answers when they have.
    fn stop(&self, nodes: Option<Vec<String>>) -> Doing<'_, ()>;

    /// Answers when nothing is on its way there; with how much came from there so far.
    fn settle(&self) -> Doing<'_, u64>;
}

/// What a stand-in hears of its node.
pub enum Told {
    /// It sent a message.
    Send {
        /// From this output.
        output: usize,
        /// The message.
        msg: Msg,
    },
    /// It sent a message to nobody but nodes that run there: watchers are told of it.
    Sent {
        /// From this output.
        output: usize,
        /// The message.
        msg: Msg,
    },
    /// A message came to it from a node that runs there: watchers are told of it.
    Came(Msg),
    /// It has finished with a message.
    Done(Msg),
    /// It raised an error, with the message that caused it where there was one.
    Error(NodeError, Option<Msg>),
    /// It answers a request: the response, and an object with `status`, `headers` (pairs) and `body` (a buffer).
    Answer(Value, Value),
    /// It set its status.
    Status(Value),
    /// It wrote to the log.
    Log(Level, Value),
}
