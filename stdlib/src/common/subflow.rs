//! **subflow** — an instance of a subflow: passes what it gets on to the nodes inside.
//!
//! The nodes inside are operators of their own, wired to the instance's outputs by the compiler. A subflow with a status
//! output sets the instance's status from the messages that arrive there; the instance clears it when it stops.

use super::subflow_status::NewStatus;
use std::any::Any;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Closing, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// An instance's own properties are its variables, which the compiler reads.
#[derive(Config)]
#[expect(dead_code, reason = "the compiler reads them, this node does not")]
pub struct SubflowConfig {
    #[field(json = "[]", label = "Properties")]
    env: Value,
}

/// Passes on what it gets. It never says that it has finished with a message, as in Node-RED.
pub struct Subflow;

#[node(type = "subflow", category = "subflows", inputs = 1, outputs = 1, effect = Pure, role = SubflowInstance, types = "msg")]
impl Node for Subflow {
    type Config = SubflowConfig;

    fn new(_config: SubflowConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Subflow)
    }
}

impl Process for Subflow {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send(0, msg);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Ok(status) = event.downcast::<NewStatus>() {
            cx.status(status.0);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _removed: bool) -> Closing {
        cx.status(Value::Object(Object::new()));
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;
    use vgdc_core::value::Value;

    #[test]
    fn passes_messages_in_without_finishing_and_clears_its_status() {
        let mut flow = Flow::start(json!([
            { "id": "s", "type": "subflow", "wires": [["h"]] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("s", json!({ "payload": 1 }));
        assert_eq!(flow.one_received("h").get("payload"), 1.into());
        assert!(flow.finished("s").is_empty());
        flow.stop();
        assert_eq!(
            flow.statuses("s").last().map(|status| status.get("text")),
            Some(Value::Undefined)
        );
    }
}
