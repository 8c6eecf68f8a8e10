//! **program out** — hands messages to the program that has the flow in it.
//!
//! A program that uses `flow!` gets them by the node's name: `running.output::<Alert>("alerts")`. All that have asked get each message;
//! where none has, nothing becomes of it. A program that takes them slower than they come slows the flow's sources. (Node-RED has no
//! such node.)

use crate::common::ends::Ends;
use std::sync::Arc;
use vgdc_core::value::Msg;
use vgdc_core::{Cx, Mailbox, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct ProgramOutConfig {
    #[field(default = "", label = "Name")]
    name: String,
}

/// Hands messages over.
pub struct ProgramOut {
    name: String,
    ends: Arc<Ends>,
    mailbox: Mailbox,
}

#[node(type = "program out", category = "common", inputs = 1, outputs = 0, effect = Io, text = First("name"))]
impl Node for ProgramOut {
    type Config = ProgramOutConfig;

    fn new(config: ProgramOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(ProgramOut {
            name: config.name,
            ends: cx.services().get_or_insert(Ends::default),
            mailbox: cx.mailbox(),
        })
    }
}

impl Process for ProgramOut {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        self.ends.give(&self.name, &msg, &self.mailbox);
        cx.done_with(&msg);
    }
}
