//! In the place of `traces.rs` in programs that are made without traces.

use std::sync::Arc;
use vgdc_core::LogSink;
use vgdc_core::trace::{NoSpans, SpanSink};

pub use crate::trace_options::TraceOptions;

/// There is none.
pub enum Exporter {}

impl Exporter {
    /// Says that this program cannot send traces.
    ///
    /// # Errors
    /// Always.
    pub fn start(
        _options: &TraceOptions,
        _program: &str,
        _version: &str,
        _part: Option<(&str, &str)>,
        _log: Arc<dyn LogSink>,
    ) -> Result<Exporter, String> {
        Err("--traces: this program was made without traces".to_owned())
    }

    /// There is none.
    pub fn sink(&self) -> Arc<dyn SpanSink> {
        Arc::new(NoSpans)
    }

    /// There is nothing to stop.
    pub async fn stop(self) {}
}
