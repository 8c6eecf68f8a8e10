//! **status** — receives the statuses that nodes set.
//!
//! The message has `msg.status`: `text`, `fill`, `shape` as the node gave them, and `source` (`id`, `type`, `name`). The scope
//! is the whole flow, the group in which the node stands, or chosen nodes.

use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties. The compiler reads them: it turns scopes into lists of listeners.
#[derive(Config)]
#[expect(dead_code, reason = "the compiler reads them, this node does not")]
pub struct StatusConfig {
    #[field(json = "null", kind = NodeIds, label = "Statuses of", empty_is_all = true)]
    scope: Value,
}

/// Passes on what it is told.
pub struct Status;

#[node(type = "status", category = "common", inputs = 0, outputs = 1, effect = Source, role = Status, types = "object{..}", color = "#94c1d0", icon = "status.svg")]
impl Node for Status {
    type Config = StatusConfig;

    fn new(_config: StatusConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Status)
    }
}

impl Process for Status {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn sends_the_status_with_its_source() {
        let flow = Flow::start(json!([
            { "id": "s", "type": "status", "scope": null, "wires": [["h"]] },
            { "id": "f", "type": "function", "func": "node.status({fill:'red',shape:'dot',text:7})", "wires": [] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("f", json!({}));
        let status = flow.one_received("h").get("status");
        assert_eq!(status.get("text"), "7".into());
        assert_eq!(status.get("fill"), "red".into());
        assert_eq!(status.get("source").get("id"), "f".into());
    }
}
