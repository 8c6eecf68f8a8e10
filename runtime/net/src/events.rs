//! What happens on a net, for whoever listens.

use tokio::sync::broadcast;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A node is connected, both sides admit each other.
    Connected {
        /// Its key.
        key: [u8; 32],
        /// Where it was reached, or where it came from.
        address: String,
    },
    /// The last connection to a node that was connected is gone.
    Disconnected {
        /// Its key.
        key: [u8; 32],
        /// The other end of the last connection.
        address: String,
        /// Why it is gone.
        reason: Gone,
    },
    /// A node of this mesh answers on the subnet. Not necessarily one that is admitted, nor proven to have that key.
    Discovered {
        /// The key that it says it has.
        key: [u8; 32],
        /// Where it says that it listens.
        addresses: Vec<String>,
    },
    /// So many events came faster than they were taken, and are lost; ask [`Net::peers`](crate::Net::peers) for the state.
    Missed(u64),
}

/// Why a connection is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It broke, or the other side ended it; in words.
    Lost(String),
    /// This node ended it.
    Ended,
    /// The node is not admitted any more.
    Removed,
}

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(why) => write!(f, "connection lost: {why}"),
            Self::Ended => f.write_str("ended by this node"),
            Self::Removed => f.write_str("no longer admitted"),
        }
    }
}

/// The events of a net, from the moment it was asked for. Up to 1,024 wait to be taken.
#[derive(Debug)]
pub struct Events(pub(crate) broadcast::Receiver<Event>);

impl Events {
    /// The next event; none after the net has stopped.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(many)) => Some(Event::Missed(many)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
