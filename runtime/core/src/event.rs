//! What a running flow tells the outside: the events of the control protocol, before they are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use vgdc_value::{Msg, Value};

/// The constant facts about an operator that events and logs carry.
#[derive(Debug, Clone, Default)]
pub struct OpInfo {
    /// The node's id.
    pub id: String,
    /// Its type as the user sees it.
    pub ty: String,
    /// Its name, when it has one.
    pub name: Option<String>,
    /// The tab or subflow instance it is in.
    pub z: Option<String>,
    /// Inside a subflow instance, its id in the template.
    pub alias: Option<String>,
    /// Where it stands: the flow's id (`global` outside any), then `/` and each subflow instance.
    pub path: String,
}

/// A set of event kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(pub u16);

#[allow(missing_docs)] // the names are the protocol's
impl Kinds {
    pub const NONE: Kinds = Kinds(0);
    pub const INPUT: Kinds = Kinds(1);
    pub const SEND: Kinds = Kinds(2);
    pub const DONE: Kinds = Kinds(4);
    pub const ERROR: Kinds = Kinds(8);
    pub const STATUS: Kinds = Kinds(16);
    pub const LOG: Kinds = Kinds(32);
    pub const DEBUG: Kinds = Kinds(64);
    pub const LINK: Kinds = Kinds(128);
    pub const LIFECYCLE: Kinds = Kinds(256);
    pub const ALL: Kinds = Kinds(511);

    /// The kind with this protocol name.
    pub fn by_name(name: &str) -> Option<Kinds> {
        Some(match name {
            "input" => Kinds::INPUT,
            "send" => Kinds::SEND,
            "done" => Kinds::DONE,
            "error" => Kinds::ERROR,
            "status" => Kinds::STATUS,
            "log" => Kinds::LOG,
            "debug" => Kinds::DEBUG,
            "link" => Kinds::LINK,
            "lifecycle" => Kinds::LIFECYCLE,
            _ => return None,
        })
    }

    /// True when the sets share a kind.
    pub fn intersects(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    pub const fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// This set without the other's kinds.
    pub fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }
}

/// The kinds that are watched at one operator; read on every message, written by the control side.
#[derive(Debug, Default)]
pub struct WatchFlags(AtomicU16);

impl WatchFlags {
    /// True when one of the kinds is watched.
    #[inline]
    pub fn any(&self, kinds: Kinds) -> bool {
        self.0.load(Ordering::Relaxed) & kinds.0 != 0
    }

    /// Replaces the watched kinds.
    pub fn set(&self, kinds: Kinds) {
        self.0.store(kinds.0, Ordering::Relaxed);
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// The operator; `None` for what the runtime itself says.
    pub node: Option<Arc<OpInfo>>,
    /// Milliseconds since the epoch.
    pub ts: f64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. The fields are those of the control protocol's events.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // as in control-protocol.md, "Events"
pub enum EventKind {
    Input {
        msg: Msg,
    },
    Send {
        output: usize,
        msg: Msg,
    },
    Done {
        msg: Msg,
    },
    Error {
        message: Value,
        count: u32,
        msg: Option<Msg>,
    },
    Status {
        status: Value,
    },
    Log {
        level: crate::Level,
        message: Value,
    },
    Debug {
        name: String,
        topic: Value,
        property: String,
        value: Value,
        format: String,
    },
    Lifecycle {
        state: &'static str,
        message: String,
    },
}

impl EventKind {
    /// The kind as a set of one.
    pub fn kinds(&self) -> Kinds {
        match self {
            EventKind::Input { .. } => Kinds::INPUT,
            EventKind::Send { .. } => Kinds::SEND,
            EventKind::Done { .. } => Kinds::DONE,
            EventKind::Error { .. } => Kinds::ERROR,
            EventKind::Status { .. } => Kinds::STATUS,
            EventKind::Log { .. } => Kinds::LOG,
            EventKind::Debug { .. } => Kinds::DEBUG,
            EventKind::Lifecycle { .. } => Kinds::LIFECYCLE,
        }
    }
}

/// Takes events. Called on the islands' threads: it must not block, and must drop (and count) rather than wait.
pub trait Sink: Send + Sync {
    /// Something happened that is watched.
    fn event(&self, event: Event);
}

/// A sink that nobody listens to.
pub struct NoSink;

impl Sink for NoSink {
    fn event(&self, _: Event) {}
}
