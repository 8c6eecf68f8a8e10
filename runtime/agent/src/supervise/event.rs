//! What is told of programs.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Somehow: it ended while no agent was there, or was started by another agent, and the kernel is older than 6.15.
    Unknown,
}

/// The end of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// How.
    pub ended: Ended,
    /// The kernel killed it since its limit of memory was reached. (Known where a cgroup held it.)
    pub out_of_memory: bool,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ended {
            Ended::Code(code) => write!(f, "ended with code {code}")?,
            Ended::Signal(signal) => write!(f, "ended by signal {signal}")?,
            Ended::Unknown => write!(f, "ended")?,
        }
        if self.out_of_memory {
            write!(f, ", out of memory: it reached its limit")?;
        }
        Ok(())
    }
}

/// Something happened to a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// To which.
    pub instance: String,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// It was started.
    Started {
        /// Its process.
        pid: i32,
        /// Limits that nothing holds on this host, and why.
        not_held: Vec<String>,
    },
    /// It ran already when the supervisor was opened, and goes on.
    Found {
        /// Its process.
        pid: i32,
    },
    /// It ended.
    Exited {
        /// How.
        exit: Exit,
        /// The last lines of its log.
        last_lines: Vec<String>,
    },
    /// It could not be started again.
    CannotStart {
        /// Why, in words.
        why: String,
    },
    /// It will start again.
    Restarting {
        /// After this wait.
        after: Duration,
    },
    /// It ended too often: it is left alone for so long, then tried once.
    CircuitOpen {
        /// For how long.
        open: Duration,
    },
    /// After it had ended, it has run for [`Restart::within`](super::Restart::within).
    RunningAgain,
    /// It was stopped, and will not start again by itself.
    Stopped,
}

/// How it is with a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Which.
    pub instance: String,
    /// What it is doing.
    pub state: State,
    /// How often it was started again since the supervisor was opened.
    pub restarts: u64,
    /// How it last ended.
    pub last_exit: Option<Exit>,
    /// Limits that nothing holds on this host, and why.
    pub not_held: Vec<String>,
    /// The file that was started.
    pub program: PathBuf,
    /// Its log.
    pub log: PathBuf,
}

/// What a program is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running {
        /// Its process.
        pid: i32,
    },
    /// It ended, and will start again after a wait.
    Waiting,
    /// It ended too often, and is left alone for now.
    CircuitOpen,
    /// It has been asked to stop, and has not ended yet.
    Stopping {
        /// Its process.
        pid: i32,
    },
}
