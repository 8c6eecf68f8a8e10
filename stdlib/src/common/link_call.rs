//! **link call** — sends a message to a link in and waits for it to come back from a link out in the mode *return*.
//!
//! The link in is chosen in the form, or by `msg.target`: an id, or a name that is unique in the flow, else unique outside of
//! subflows. Without an answer in time the error `timeout` is raised with the message as it was sent.

use super::links::{self, Returned, push_caller};
use std::any::Any;
use std::collections::HashMap;
use vgdc_core::value::{ErrorValue, Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct LinkCallConfig {
    #[field(name = "linkType", default = "static", label = "Link", choices = [("static", "Fixed"), ("dynamic", "By msg.target")])]
    link_type: String,
    #[field(json = "[]", kind = NodeIds, label = "Links", when = [not("linkType", "dynamic")], node_types = ["link in"])]
    links: Vec<String>,
    #[field(default = "30", kind = Number, label = "Timeout (seconds)")]
    timeout: String,
}

/// The behaviour.
pub struct LinkCall {
    target: String,
    dynamic: bool,
    /// Milliseconds.
    timeout: f64,
    calls: HashMap<String, Call>,
}

/// A message that is on its way.
struct Call {
    /// As it was sent, for the error.
    msg: Msg,
    timer: TimerId,
}

#[node(type = "link call", category = "common", inputs = 1, outputs = 1, effect = State, role = LinkCall, types = "object{..}", text = First("links"), color = "#dddddd", icon = "link-call.svg")]
impl Node for LinkCall {
    type Config = LinkCallConfig;

    fn new(config: LinkCallConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let LinkCallConfig {
            links,
            link_type,
            timeout,
        } = config;
        let seconds =
            vgdc_core::value::number::parse_float(if timeout.is_empty() { "30" } else { &timeout });
        Ok(LinkCall {
            target: links.into_iter().next().unwrap_or_default(),
            dynamic: link_type == "dynamic",
            timeout: if seconds.is_nan() {
                30_000.0
            } else {
                seconds * 1000.0
            },
            calls: HashMap::new(),
        })
    }
}

impl LinkCall {
    fn target(&self, msg: &Msg) -> String {
        match self.dynamic {
            true => {
                let target = msg.get("target").filter(|target| target.truthy());
                target.map(Value::to_js_string).unwrap_or_default()
            }
            false => self.target.clone(),
        }
    }
}

impl Process for LinkCall {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let target = match links::find(cx, &self.target(&msg), self.dynamic) {
            Ok(target) => target,
            Err(text) => {
                let error = ErrorValue::new("Error", text);
                return cx.error(NodeError::from_value(error.into()), Some(&msg));
            }
        };
        // (Node-RED keeps it with the list of callers that it was about to be put on)
        if !msg.get("_linkSource").is_some_and(Value::truthy) {
            msg.insert("_linkSource", Vec::<Value>::new());
        }
        let kept = msg.clone();
        let call = push_caller(&mut msg, cx.id());
        let timer = cx.set_timer_ms(self.timeout);
        self.calls.insert(call, Call { msg: kept, timer });
        cx.deliver(&target.id, msg);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let Ok(returned) = event.downcast::<Returned>() else {
            return;
        };
        let Returned { call, msg } = *returned;
        match self.calls.remove(&call) {
            Some(call) => {
                cx.clear_timer(call.timer);
                // (what is finished with is the message as it came back: along wires it stays the same one)
                cx.send_done(msg);
            }
            // (a second answer, or one that comes too late)
            None => cx.send(0, msg),
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let late = self
            .calls
            .iter()
            .find(|(_, call)| call.timer == timer)
            .map(|(id, _)| id.clone());
        if let Some(call) = late.and_then(|id| self.calls.remove(&id)) {
            cx.error("timeout", Some(&call.msg));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::{Value as Json, json};
    use vgdc_core::value::Value;

    fn subroutine(call: Json) -> Json {
        json!([
            call,
            { "id": "in", "type": "link in", "name": "double", "wires": [["f"]] },
            { "id": "f", "type": "function", "func": "msg.payload *= 2; return msg", "wires": [["out"]] },
            { "id": "out", "type": "link out", "mode": "return", "wires": [] },
            { "id": "c", "type": "catch", "scope": ["call"], "wires": [["caught"]] },
            { "id": "h", "type": "helper" },
            { "id": "caught", "type": "helper" },
        ])
    }

    #[test]
    fn calls_and_gets_the_answer() {
        let calls = [
            (
                json!({ "id": "call", "type": "link call", "links": ["in"], "wires": [["h"]] }),
                json!({ "payload": 4 }),
            ),
            (
                json!({ "id": "call", "type": "link call", "linkType": "dynamic", "wires": [["h"]] }),
                json!({ "payload": 4, "target": "double" }),
            ),
        ];
        for (call, msg) in calls {
            let flow = Flow::start(subroutine(call));
            flow.receive("call", msg);
            let got = flow.one_received("h");
            assert_eq!(got.get("payload"), 8.into());
            assert_eq!(got.get("_linkSource"), Value::Undefined);
        }
    }

    #[test]
    fn raises_an_error_when_nothing_comes_back_or_nobody_is_there() {
        let flow = Flow::start(json!([
            { "id": "call", "type": "link call", "links": ["in"], "timeout": "0.02", "wires": [["h"]] },
            { "id": "in", "type": "link in", "wires": [["h"]] },
            { "id": "c", "type": "catch", "scope": ["call"], "wires": [["caught"]] },
            { "id": "h", "type": "helper" },
            { "id": "caught", "type": "helper" },
        ]));
        flow.receive("call", json!({ "payload": 1 }));
        let caught = flow.wait_received("caught", 1);
        assert_eq!(caught[0].get("error").get("message"), "timeout".into());
        assert_eq!(caught[0].get("_linkSource"), Vec::<Value>::new().into());

        let flow = Flow::start(subroutine(
            json!({ "id": "call", "type": "link call", "linkType": "dynamic", "wires": [["h"]] }),
        ));
        flow.receive("call", json!({ "payload": 1, "target": "nobody" }));
        let text = flow
            .one_received("caught")
            .get("error")
            .get("message")
            .to_js_string();
        assert_eq!(text, "Error: target link-in node 'nobody' not found");
    }

    #[test]
    fn a_return_without_a_caller_is_a_warning() {
        let flow = Flow::start(
            json!([{ "id": "out", "type": "link out", "mode": "return", "wires": [] }]),
        );
        flow.receive("out", json!({ "payload": 1 }));
        assert_eq!(
            flow.logs("out"),
            [("warn".to_owned(), "Missing return node information".into())]
        );
    }
}
