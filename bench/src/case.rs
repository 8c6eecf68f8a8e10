//! A case: a flow, how it is driven, and which figures it gives.

use crate::drive::Content;
use crate::drive::tcp::Check;
use crate::figure::Kind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// The environment variable in which flows of the suite find the port that they are to take, or to connect to.
pub const PORT_VARIABLE: &str = "BENCH_PORT";

/// A case.
pub struct Case {
    /// Its name: `--only` chooses by it.
    pub name: String,
    /// What it does.
    pub title: String,
    /// Its flow.
    pub flow: Source,
    /// How it is driven.
    pub drive: Drive,
    /// True when it is driven as fast as it takes messages.
    pub flood: bool,
    /// Whether, and how, messages come at a pace.
    pub pace: Pace,
    /// What is reported of what is measured.
    pub figures: Vec<Kind>,
}

/// Where a flow comes from.
pub enum Source {
    /// A user's file, with what lies beside it.
    File(PathBuf),
    /// Nodes that the bench writes into a file of its own.
    Nodes(Vec<Value>),
}

/// The pace of messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// There is none.
    None,
    /// So many a second.
    Rate(f64),
    /// Half of what the flow takes at most, but no more than 1,000 a second.
    Half,
    /// At recorded times.
    Recorded(Vec<Duration>),
}

/// A TCP port that a flow listens on.
#[derive(Debug, Clone, PartialEq)]
pub enum Port {
    /// This one.
    Fixed(u16),
    /// The one in this environment variable.
    Variable(String),
}

/// A way to drive a flow; see [`crate::drive`].
pub enum Drive {
    /// It fires once after its start and says this text in its log.
    Start(&'static str),
    /// It drives itself.
    Own,
    /// An end-point that was added has messages made, and ends are counted.
    Counted,
    /// Requests to its HTTP listener, on so many connections.
    Http {
        /// The requests.
        requests: Content<Vec<u8>>,
        /// Connections of a flood.
        connections: usize,
    },
    /// Pieces to its TCP listener.
    Tcp {
        /// Where it listens.
        port: Port,
        /// The pieces.
        pieces: Content<Vec<u8>>,
        /// The byte that an answer ends with.
        end: u8,
        /// Whether an answer is right.
        check: Check,
    },
    /// Messages through a broker.
    Mqtt {
        /// The topic that the flow subscribes to.
        to: &'static str,
        /// The topic that it publishes on.
        from: &'static str,
    },
    /// Messages through the control protocol.
    Receive {
        /// Node and message.
        messages: Content<(String, Value)>,
        /// The nodes among them.
        entries: BTreeSet<String>,
        /// Those of the nodes that send the messages, since no wire leads to them (inject nodes); the others receive them.
        senders: BTreeSet<String>,
        /// Where messages end; empty: where no wire leads on.
        ends: Vec<String>,
    },
}
