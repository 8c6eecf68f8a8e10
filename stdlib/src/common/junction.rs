//! **junction** — a point where wires meet: passes each message on unchanged. The compiler erases it.

use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// It has no properties.
#[derive(Config)]
pub struct JunctionConfig {}

/// Passes on what it gets.
pub struct Junction;

#[node(type = "junction", category = "common", inputs = 1, outputs = 1, effect = Pure, role = Junction, types = "msg")]
impl Node for Junction {
    type Config = JunctionConfig;

    fn new(JunctionConfig {}: JunctionConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Junction)
    }
}

impl Process for Junction {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn passes_messages_on() {
        let flow = Flow::start(json!([
            { "id": "j", "type": "junction", "wires": [["h", "h"]] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("j", json!({ "payload": 1 }));
        assert_eq!(flow.received("h").len(), 2);
        assert_eq!(flow.finished("j").len(), 1);
    }
}
