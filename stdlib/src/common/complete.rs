//! **complete** — is told when chosen nodes have finished with a message.
//!
//! The message is the one that was handled, as the node left it, with `msg.complete.source` (`id`, `type`, `name`) added.
//!
//! `scope` has the ids of the nodes. Only nodes of the same flow are listened to; `uncaught` is kept for old flows and
//! has no effect.

use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties. The compiler reads them: it turns scopes into lists of listeners.
#[derive(Config)]
#[expect(dead_code, reason = "the compiler reads them, this node does not")]
pub struct CompleteConfig {
    #[field(json = "[]", kind = NodeIds, label = "Messages that are done by")]
    scope: Value,
    #[field(default = false, hidden = true)]
    uncaught: bool,
}

/// Passes on what it is told.
pub struct Complete;

#[node(type = "complete", category = "common", inputs = 0, outputs = 1, effect = Source, role = Complete, types = "object{..}", color = "#c0edc0", icon = "alert.svg")]
impl Node for Complete {
    type Config = CompleteConfig;

    fn new(_config: CompleteConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Complete)
    }
}

impl Process for Complete {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn sends_the_message_as_the_node_left_it() {
        let flow = Flow::start(json!([
            { "id": "c", "type": "complete", "scope": ["f"], "wires": [["h"]] },
            { "id": "f", "type": "function", "func": "msg.payload += 1; return null", "wires": [] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("f", json!({ "payload": 1 }));
        let got = flow.one_received("h");
        assert_eq!(got.get("payload"), 2.into());
        assert_eq!(got.get("complete").get("source").get("id"), "f".into());
    }
}
