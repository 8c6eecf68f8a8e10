//! **hosted** — stands in for a node that runs in another place: a node of a Node-RED package, in Node.js.
//!
//! What it gets goes there. What the node does there, this one does here in its name: it sends, raises errors, sets its
//! status, finishes with messages, logs.

use crate::network::http_in;
use std::any::Any;
use vgdc_core::value::Msg;
use vgdc_core::{Cx, Mailbox, Node, NodeError, Process, Told};
use vgdc_macros_node::{Config, node};

/// The properties are the node's own, and are read where it runs.
#[derive(Config)]
pub struct HostedConfig {}

/// Passes on both ways.
pub struct Hosted {
    mailbox: Mailbox,
}

#[node(type = "hosted", category = "common", inputs = 1, outputs = 1, effect = Io, role = StandIn)]
impl Node for Hosted {
    type Config = HostedConfig;

    fn new(_config: HostedConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mailbox = cx.mailbox();
        match &cx.shared().elsewhere {
            Some(elsewhere) => {
                elsewhere.attach(cx.id(), &cx.other_places(), mailbox.clone());
            }
            None => {
                let text = format!("this program runs no nodes of the type {}", cx.info().ty);
                return Err(NodeError::new(text));
            }
        }
        Ok(Hosted { mailbox })
    }
}

impl Process for Hosted {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.hand_over(&msg, &self.mailbox);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Ok(told) = event.downcast::<Told>() {
            do_told(cx, *told);
        }
    }
}

/// Does in a node's name what the one in the other place did. Whichever node is told of an answer gives it: the response knows
/// whom it answers.
pub fn do_told(cx: &mut Cx<'_>, told: Told) {
    match told {
        Told::Answer(response, answer) => {
            if let Err(why) = http_in::answer(&response, &answer) {
                cx.error(why, None);
            }
        }
        told => cx.do_told(told),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn without_another_place_it_does_not_start() {
        let flow = Flow::start(json!([{ "id": "s", "type": "hosted", "wires": [[]] }]));
        assert!(
            flow.errors("s")[0]
                .to_js_string()
                .contains("runs no nodes of the type hosted")
        );
    }
}
