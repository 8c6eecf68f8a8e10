//! **helper** — takes any message and does nothing: an end, or a beginning, for tests and tools of the control protocol.
//!
//! It can be watched like every node, and the request `send` sends from its outputs, of which it has as many as are wired.

use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// It has no properties of its own.
#[derive(Config)]
pub struct HelperConfig {}

/// Nothing.
pub struct Helper;

// (an effect that no pass may drop: what arrives here is what somebody watches)
#[node(type = "helper", category = "common", inputs = 1, outputs = 1, effect = Io)]
impl Node for Helper {
    type Config = HelperConfig;

    fn new(HelperConfig {}: HelperConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Helper)
    }
}

impl Process for Helper {
    fn input(&mut self, _cx: &mut Cx<'_>, _msg: Msg) {}
}
