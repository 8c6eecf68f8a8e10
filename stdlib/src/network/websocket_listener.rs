//! **websocket-listener** — a path at which WebSocket clients connect, for **websocket in** and **websocket out** nodes.
//!
//! The path is relative to the setting `httpNodeRoot`. *Send/Receive entire message* exchanges whole messages as JSON; else only
//! the payload is.

use super::ws_hub::{Form, HubNode};
use std::any::Any;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Closing, Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct WebsocketListenerConfig {
    #[field(required = true, label = "Path")]
    path: String,
    #[field(json = "\"false\"", shown = Text, label = "Send and receive", choices = [("false", "The payload"), ("true", "The whole message")])]
    wholemsg: Value,
}

/// The behaviour.
pub struct WebsocketListener(HubNode);

#[node(type = "websocket-listener", category = "network", inputs = 0, outputs = 0, effect = Io, role = Config, text = First("path"))]
impl Node for WebsocketListener {
    type Config = WebsocketListenerConfig;

    fn new(config: WebsocketListenerConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let form = Form {
            path: config.path,
            whole: config.wholemsg,
            subprotocol: String::new(),
            tls: String::new(),
            heartbeat: Value::Undefined,
            headers: Vec::new(),
        };
        HubNode::new(form, cx).map(WebsocketListener)
    }
}

impl Process for WebsocketListener {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        self.0.event(cx, event);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        self.0.timer(cx, timer);
    }

    fn close(&mut self, cx: &mut Cx<'_>, removed: bool) -> Closing {
        self.0.close(cx, removed)
    }
}
