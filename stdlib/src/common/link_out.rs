//! **link out** — where virtual wires begin: sends to every link in that it is linked with, or, in the mode *return*, back to
//! the link call node (or function) that the message comes from.
//!
//! `msg._event` is set to `node:` and this node's id. In the mode *return* (`mode`: `return`) the way back is taken out
//! of the message, innermost call first; a message that nobody called with is dropped with the warning `Missing return
//! node information`.

use super::links::{Returned, forget_callers, pop_caller};
use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties. The compiler reads the links: they are wires to it.
#[derive(Config)]
pub struct LinkOutConfig {
    #[field(default = "link", label = "Mode", choices = [("link", "Send to link nodes"), ("return", "Return to the calling node")])]
    mode: String,
    #[expect(dead_code, reason = "the compiler makes wires of them")]
    #[field(json = "[]", kind = NodeIds, label = "Links", when = [not("mode", "return")], node_types = ["link in"])]
    links: Vec<String>,
}

/// The behaviour.
pub struct LinkOut {
    mode: Mode,
    /// What the message says of where it was last.
    event: String,
}

enum Mode {
    Link,
    Return,
    /// A mode that the form does not offer: Node-RED's node then does nothing.
    None,
}

#[node(type = "link out", category = "common", inputs = 1, outputs = 1, effect = Pure, role = LinkOut, types = "msg{_event: string}", text = First("links"), color = "#dddddd", icon = "link-out.svg")]
impl Node for LinkOut {
    type Config = LinkOutConfig;

    fn new(config: LinkOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mode = match config.mode.as_str() {
            "" | "link" => Mode::Link,
            "return" => Mode::Return,
            _ => Mode::None,
        };
        Ok(LinkOut {
            mode,
            event: format!("node:{}", cx.id()),
        })
    }
}

impl LinkOut {
    fn give_back(&self, cx: &mut Cx<'_>, mut msg: Msg) {
        let caller = pop_caller(&mut msg);
        if caller.is_some() {
            forget_callers(&mut msg);
        }
        let completion = cx.completion(&msg);
        let returned = match caller {
            Some((call, node)) => cx.notify(&node, Box::new(Returned { call, msg })),
            None => false,
        };
        if !returned {
            cx.warn("Missing return node information");
        }
        cx.done(completion);
    }
}

impl Process for LinkOut {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        msg.insert("_event", self.event.as_str());
        match self.mode {
            Mode::Link => cx.send_done(msg),
            Mode::Return => self.give_back(cx, msg),
            Mode::None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn sends_to_every_link_in_it_is_linked_with() {
        let flow = Flow::start(json!([
            { "id": "out", "type": "link out", "links": ["a", "b"] },
            { "id": "a", "type": "link in", "wires": [["h"]] },
            { "id": "b", "type": "link in", "wires": [["h"]] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("out", json!({ "payload": 1 }));
        let got = flow.received("h");
        assert_eq!(got.len(), 2);
        assert!(got.iter().all(|msg| msg.get("_event") == "node:out".into()));
    }

    #[test]
    fn a_mode_that_there_is_not_does_nothing() {
        let flow = Flow::start(json!([
            { "id": "out", "type": "link out", "mode": "other", "links": ["a"] },
            { "id": "a", "type": "link in", "wires": [] },
        ]));
        flow.receive("out", json!({ "payload": 1 }));
        assert!(flow.received("a").is_empty() && flow.finished("out").is_empty());
    }
}
