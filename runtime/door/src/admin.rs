//! What people ask of an agent, by `vgdc mesh …` and `vgdc deploy`: a request a line, its answer a line. Before the answer to a
//! deployment there are lines that say how far it is.

use crate::manifest::FlowManifest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Ask {
    /// How the mesh does: [`Status`].
    Status {},
    /// The links: an array of [`LinkStatus`].
    Links {},
    /// The last lines of a part's log: an array of texts.
    Logs {
        /// The flow.
        flow: String,
        /// The part.
        part: String,
        /// How many.
        lines: usize,
    },
    /// A permission to join: a text.
    Token {
        /// How many nodes may come with it.
        uses: u32,
        /// For how many seconds.
        seconds: u64,
    },
    /// Takes a permission back.
    Revoke {
        /// Its id: the part of the token before the last dot says it, and the audit log.
        token: String,
    },
    /// Takes a program, and what goes with it, into the agent's store; gives its name, a text.
    Import {
        /// A file; or a folder, of which all is taken.
        from: PathBuf,
        /// In a folder, the file that is run.
        program: Option<String>,
    },
    /// Keeps credentials of a part that is about to be deployed; gives their name, a text.
    Secrets {
        /// By node id.
        credentials: serde_json::Map<String, serde_json::Value>,
    },
    /// Rolls a version of a flow out; gives the version's name, a text.
    Deploy {
        /// What it is made of, without signatures. All bundles are there.
        manifest: FlowManifest,
        /// Which part goes where at first, by the names of nodes.
        places: BTreeMap<String, String>,
    },
    /// Takes a flow out of the mesh.
    Remove {
        /// The flow.
        flow: String,
    },
    /// Makes the version before the active one active again.
    Rollback {
        /// The flow.
        flow: String,
    },
    /// Moves a part.
    Move {
        /// The flow.
        flow: String,
        /// The part.
        part: String,
        /// The node's name.
        to: String,
    },
    /// Moves all parts of a node away that can be elsewhere, and gives it no new ones.
    Drain {
        /// The node's name.
        node: String,
    },
    /// Lets a node have parts again.
    Undrain {
        /// The node's name.
        node: String,
    },
    /// Puts a node out of the mesh.
    Forget {
        /// The node's name.
        node: String,
    },
    /// The whole control state as a text.
    Backup {},
    /// Puts a backup in the place of the state.
    Restore {
        /// What [`Ask::Backup`] gave.
        backup: String,
        /// Whether what is there may be replaced.
        replace: bool,
    },
    /// Who changed what: an array of [`Change`].
    Audit {
        /// After this revision.
        after: u64,
        /// How many.
        most: usize,
    },
}

/// An answer, or a line before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The answer.
    Done(serde_json::Value),
    /// It was not done; why, and what mends it.
    Error(String),
    /// How far it is; the answer comes later.
    Note(String),
}

/// How the mesh does, as one of its agents sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The mesh's name.
    pub mesh: String,
    /// The name of the node that says so.
    pub node: String,
    /// Whether it holds the key of the mesh's authority, and so can deploy and admit.
    pub authority: bool,
    /// Who leads, if a majority is there.
    pub leader: Option<String>,
    /// The state's revision.
    pub revision: u64,
    /// The nodes, by name.
    pub nodes: Vec<NodeStatus>,
    /// The flows, by name.
    pub flows: Vec<FlowStatus>,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Its public key.
    pub id: String,
    /// `alive`, `suspect` or `down`.
    pub state: String,
    /// What it is in the group that agrees on the state: `leader`, `voter` or `follower`.
    pub role: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where it is reached.
    pub addresses: Vec<String>,
    /// Whether it is given no parts.
    pub draining: bool,
    /// Processors that flows may use.
    pub processors: f64,
    /// What its programs are compiled for.
    pub target: String,
    /// Whether it has Node.js.
    pub node_js: bool,
    /// The agent's version, where it answers.
    pub version: String,
    /// How many parts are its.
    pub parts: usize,
    /// How long it takes to answer the node that says so, to there and back, in microseconds; nothing where that was not measured.
    #[serde(default)]
    pub rtt_us: Option<u64>,
}

/// A flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowStatus {
    /// Its name.
    pub flow: String,
    /// The version that has the traffic.
    pub active: Option<String>,
    /// The version that is on its way, and how far.
    pub underway: Option<(String, String)>,
    /// The parts of both.
    pub parts: Vec<PartStatus>,
}

/// A part of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartStatus {
    /// The flow.
    pub flow: String,
    /// The version.
    pub version: String,
    /// The part.
    pub part: String,
    /// Whose it is, by name.
    pub node: Option<String>,
    /// Since which epoch.
    pub epoch: u64,
    /// How it does there.
    pub phase: Phase,
    /// More in words, such as why it failed.
    pub detail: String,
    /// Its process.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u64,
}

/// How a program does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody who knows has answered.
    #[default]
    Unknown,
    /// Its bundle is being fetched.
    Fetching,
    /// Its process starts.
    Starting,
    /// It is ready, and waits for the word to begin.
    Held,
    /// Its flows run.
    Running,
    /// Its sources have stopped, and it works on what it has.
    Draining,
    /// It has nothing left to do.
    Drained,
    /// Its flows have stopped; the process is there.
    Stopped,
    /// It ended, and is started again after a while.
    Waiting,
    /// It cannot run.
    Failed,
}

impl Phase {
    /// In a word, for people.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Unknown => "unknown",
            Phase::Fetching => "fetching",
            Phase::Starting => "starting",
            Phase::Held => "held",
            Phase::Running => "running",
            Phase::Draining => "draining",
            Phase::Drained => "drained",
            Phase::Stopped => "stopped",
            Phase::Waiting => "waiting",
            Phase::Failed => "failed",
        }
    }
}

/// A link between two parts that run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// The flow.
    pub flow: String,
    /// The part that sends, and its node.
    pub from: (String, Option<String>),
    /// The part that receives, and its node.
    pub to: (String, Option<String>),
    /// The link's name.
    pub name: String,
    /// Whether messages are kept on the disk.
    pub durable: bool,
    /// Whether it is open; nothing where the sender's agent does not answer.
    pub open: Option<bool>,
    /// Messages that wait.
    pub queued: u64,
    /// Messages sent, repetitions too.
    pub sent: u64,
    /// Messages sent again.
    pub repeated: u64,
}

/// A change of the control state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The state's revision with it.
    pub revision: u64,
    /// When: milliseconds since 1970-01-01 UTC, by the clock of who asked for it.
    pub at: u64,
    /// Who.
    pub by: String,
    /// What, in words.
    pub what: String,
}
