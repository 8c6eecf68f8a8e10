//! The setting `logging.console.metrics`: a line for each message that a node gets, sends or is done with, and for the memory
//! of the process, as Node-RED writes them.

use crate::Console;
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::{Clock, Event, EventKind, Kinds, Sink};
use vgdc_probe::Hub;
use vgdc_value::{Msg, Value};

/// What of nodes is logged.
pub(crate) const KINDS: Kinds = Kinds::INPUT.union(Kinds::SEND).union(Kinds::DONE);

/// Logs what passes, and hands it on.
pub(crate) struct Metered {
    pub(crate) hub: Arc<Hub>,
    pub(crate) console: Arc<Console>,
}

impl Sink for Metered {
    fn event(&self, event: Event) {
        if let Some(node) = &event.node {
            let log = |what: &str, msg: &Msg| {
                let name = format!("node.{}.{what}", node.ty);
                let id = msg.get("_msgid").cloned().unwrap_or_default();
                self.console
                    .metric(event.ts, Some(&node.id), &name, Some(&id), None);
            };
            match &event.kind {
                EventKind::Input { msg } => log("receive", msg),
                EventKind::Send { msg, .. } => log("send", msg),
                EventKind::Done { msg } => log("done", msg),
                _ => {}
            }
        }
        self.hub.event(event);
    }
}

/// Logs how much memory the process has, for as long as it runs.
pub(crate) async fn memory(console: Arc<Console>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Some(bytes) = resident() {
            let now = Clock::Real.now_ms();
            let value = Value::from(bytes as f64);
            console.metric(now, None, "runtime.memory.rss", None, Some(&value));
        }
    }
}

/// Bytes of memory that the process has, where the system tells.
pub(crate) fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
