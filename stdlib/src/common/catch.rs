//! **catch** — receives the errors that nodes raise.
//!
//! The message is the one that the failing node was handling, with `msg.error` added: `message`, `source` (`id`, `type`,
//! `name`, `count`), and where known `code`, `stack` and `cause`.
//!
//! The scope is the whole flow, the group in which the node stands, or chosen nodes. *Ignore errors handled by other catch
//! nodes* makes it the last resort. An error that no node catches goes to the subflow instance's flow, and at last to the log.

use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties. The compiler reads them: it turns scopes into lists of listeners.
#[derive(Config)]
#[expect(dead_code, reason = "the compiler reads them, this node does not")]
pub struct CatchConfig {
    #[field(json = "null", kind = NodeIds, label = "Catch errors of", empty_is_all = true)]
    scope: Value,
    #[field(
        default = false,
        label = "Only errors that no other catch node handles"
    )]
    uncaught: bool,
}

/// Passes on what it is told.
pub struct Catch;

#[node(type = "catch", category = "common", inputs = 0, outputs = 1, effect = Source, role = Catch, types = "object{..}", color = "#e49191", icon = "alert.svg")]
impl Node for Catch {
    type Config = CatchConfig;

    fn new(_config: CatchConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Catch)
    }
}

impl Process for Catch {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn sends_the_message_with_its_error() {
        let flow = Flow::start(json!([
            { "id": "c", "type": "catch", "scope": null, "wires": [["h"]] },
            { "id": "f", "type": "function", "func": "node.error('boom', msg)", "wires": [] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("f", json!({ "payload": 1 }));
        let got = flow.one_received("h");
        assert_eq!(got.get("payload"), 1.into());
        let error = got.get("error");
        assert_eq!(error.get("message"), "boom".into());
        assert_eq!(error.get("source").get("id"), "f".into());
        assert_eq!(error.get("source").get("type"), "function".into());
        assert_eq!(error.get("source").get("count"), 1.into());
    }

    #[test]
    fn one_for_uncaught_errors_gives_way_to_another() {
        let flow = Flow::start(json!([
            { "id": "last", "type": "catch", "scope": null, "uncaught": true, "wires": [["h1"]] },
            { "id": "first", "type": "catch", "scope": ["f"], "wires": [["h2"]] },
            { "id": "f", "type": "function", "func": "throw new Error('boom')", "wires": [] },
            { "id": "h1", "type": "helper" },
            { "id": "h2", "type": "helper" },
        ]));
        flow.receive("f", json!({}));
        assert_eq!(flow.received("h1").len(), 0);
        assert_eq!(flow.received("h2").len(), 1);
    }
}
