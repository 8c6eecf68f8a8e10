//! Log lines: what nodes and the runtime say to whoever reads the program's output.

use crate::OpInfo;
use crate::trace::TraceId;
use vgdc_value::Value;

/// Node-RED's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Level {
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    /// Node-RED's name of the level.
    pub fn name(self) -> &'static str {
        match self {
            Level::Fatal => "fatal",
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }

    /// The level with this name.
    pub fn by_name(name: &str) -> Option<Level> {
        [
            Level::Fatal,
            Level::Error,
            Level::Warn,
            Level::Info,
            Level::Debug,
            Level::Trace,
        ]
        .into_iter()
        .find(|level| level.name() == name)
    }
}

impl From<vgdc_store::Level> for Level {
    fn from(level: vgdc_store::Level) -> Self {
        match level {
            vgdc_store::Level::Error => Level::Error,
            vgdc_store::Level::Warn => Level::Warn,
            vgdc_store::Level::Info => Level::Info,
        }
    }
}

/// Where log lines go. Called on the islands' threads.
pub trait LogSink: Send + Sync {
    /// Writes one line. `ts` is in milliseconds since the epoch.
    fn log(&self, ts: f64, level: Level, node: Option<&OpInfo>, message: &Value);

    /// As [`LogSink::log`], what a node says, about the message of this trace where it has one and that is looked at.
    fn log_about(
        &self,
        ts: f64,
        level: Level,
        node: &OpInfo,
        message: &Value,
        trace: Option<TraceId>,
    ) {
        let _ = trace;
        self.log(ts, level, Some(node), message);
    }
}

/// Discards everything.
pub struct NoLog;

impl LogSink for NoLog {
    fn log(&self, _: f64, _: Level, _: Option<&OpInfo>, _: &Value) {}
}
