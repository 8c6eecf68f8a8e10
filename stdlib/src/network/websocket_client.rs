//! **websocket-client** — a connection to a WebSocket server (`ws://`, `wss://`), for **websocket in** and **websocket out** nodes.
//!
//! It connects when the first node that uses it starts, and again 3 seconds after the connection was lost. *Send heartbeat*
//! pings the server and breaks the connection when it does not answer. *Send/Receive entire message* exchanges whole messages as
//! JSON; else only the payload is.

use super::ws_hub::{Form, HubNode};
use std::any::Any;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Closing, Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct WebsocketClientConfig {
    #[field(required = true, label = "URL", hint = "wss://host/path")]
    path: String,
    #[field(kind = ConfigRef("tls-config"), label = "TLS")]
    tls: String,
    #[field(json = "\"false\"", shown = Text, label = "Send and receive", choices = [("false", "The payload"), ("true", "The whole message")])]
    wholemsg: Value,
    #[field(json = "\"0\"", begin = "", kind = Number, label = "Heartbeat (seconds)")]
    hb: Value,
    #[field(label = "Subprotocol")]
    subprotocol: String,
    #[field(json = "[]", label = "Headers", items = super::http_client::HEADER)]
    headers: Vec<Value>,
}

/// The behaviour.
pub struct WebsocketClient(HubNode);

#[node(type = "websocket-client", category = "network", inputs = 0, outputs = 0, effect = Io, role = Config, text = First("path"))]
impl Node for WebsocketClient {
    type Config = WebsocketClientConfig;

    fn new(config: WebsocketClientConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let form = Form {
            path: config.path,
            whole: config.wholemsg,
            subprotocol: config.subprotocol,
            tls: config.tls,
            heartbeat: config.hb,
            headers: config.headers,
        };
        HubNode::new(form, cx).map(WebsocketClient)
    }
}

impl Process for WebsocketClient {
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
