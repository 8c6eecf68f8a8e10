//! **unknown** — stands for a node whose type is not there. It takes messages and does nothing with them.
//!
//! Other types that no one provides are errors of the compiler; this one exists in Node-RED under its own name.

use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// It has no properties of its own.
#[derive(Config)]
pub struct UnknownConfig {}

/// Nothing.
pub struct Unknown;

#[node(type = "unknown", category = "unknown", inputs = 1, outputs = 1, effect = Io)]
impl Node for Unknown {
    type Config = UnknownConfig;

    fn new(UnknownConfig {}: UnknownConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Unknown)
    }
}

impl Process for Unknown {
    fn input(&mut self, _cx: &mut Cx<'_>, _msg: Msg) {}
}
