//! In the place of `links.rs` in programs that are made without links.

use crate::Options;
use crate::link_stats::{ReceivingLink, SendingLink};
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::{LinkService, LogSink};
use vgdc_plan::MeshPart;

/// There are none.
pub enum MeshLinks {}

impl MeshLinks {
    /// Says that this program cannot have links.
    ///
    /// # Errors
    /// Always.
    pub fn start(
        part: &MeshPart,
        _options: &Options,
        _log: Arc<dyn LogSink>,
    ) -> Result<MeshLinks, String> {
        let node = &part.node;
        Err(format!(
            "this is the part of a flow for {node}, and the program has no links to the others: build it with `vgdc build --mesh`"
        ))
    }

    /// There is none.
    pub fn service(&self) -> LinkService {
        match *self {}
    }

    /// There is nothing to pause.
    pub fn pause(&self) {
        match *self {}
    }

    /// There are none.
    pub fn sending(&self) -> Vec<SendingLink> {
        match *self {}
    }

    /// There are none.
    pub fn receiving(&self) -> Vec<ReceivingLink> {
        match *self {}
    }

    /// There is nothing to stop.
    pub async fn stop(&self, _patience: Duration) {
        match *self {}
    }
}
