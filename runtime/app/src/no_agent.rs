//! In the place of `agent.rs` in programs that are made without links.

use crate::Options;
use crate::steering::Steering;
use std::sync::Arc;
use vgdc_http::Listen;

/// Says that this program cannot belong to an agent.
///
/// # Errors
/// Where an agent is named.
pub fn attend(options: &Options, _steering: Arc<Steering>) -> Result<(), String> {
    match &options.agent {
        None => Ok(()),
        Some(_) => Err(
            "--agent is for the parts of a flow that `vgdc deploy` brings to their machines"
                .to_owned(),
        ),
    }
}

/// Where listening sockets come from: the system.
pub fn listen(_options: &Options) -> Listen {
    Listen::default()
}
