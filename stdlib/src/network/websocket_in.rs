//! **websocket in** — sends what comes over a WebSocket connection.
//!
//! The message has `payload` (text, or a buffer for binary messages), or is the whole message that was sent as JSON; and
//! `_session`, by which a **websocket out** node answers the very client.

use super::ws_hub::{Event, Hub, session, show, whole};
use std::any::Any;
use std::rc::Rc;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Closing, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct WebsocketInConfig {
    #[field(kind = ConfigRef("websocket-listener"), label = "Listen on")]
    server: String,
    #[field(kind = ConfigRef("websocket-client"), label = "or connect to")]
    client: String,
}

/// The behaviour.
pub struct WebsocketIn {
    hub: Option<Rc<Hub>>,
}

#[node(type = "websocket in", category = "network", inputs = 0, outputs = 1, effect = Source, types = "object{..}", color = "#d7d7a0", icon = "white-globe.svg")]
impl Node for WebsocketIn {
    type Config = WebsocketInConfig;

    fn new(config: WebsocketInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let hub = Hub::chosen(&config.server, &config.client, cx);
        if let Some(hub) = &hub {
            hub.register_input(cx.id(), cx.mailbox());
        }
        Ok(WebsocketIn { hub })
    }
}

impl WebsocketIn {
    fn message(&self, cx: &mut Cx<'_>, id: &str, data: Value) {
        let value = match self.hub.as_ref().is_some_and(|hub| hub.whole) {
            true => whole(&data),
            false => Value::Object([("payload", data)].into_iter().collect()),
        };
        let list = match value {
            Value::Object(object) => return self.send(cx, object, id),
            // (an array is messages, as everywhere: the first output's are the first element)
            Value::Array(items) => items.first().cloned().unwrap_or(Value::Undefined),
            _ => return,
        };
        match list {
            Value::Object(object) => cx.send(0, Msg::from(object)),
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_object)
                .for_each(|object| cx.send(0, Msg::from(object.clone()))),
            Value::Undefined | Value::Null => {}
            other => {
                let kind = other.type_of();
                cx.error(format!("Node tried to send a message of type {kind}"), None);
            }
        }
    }

    fn send(&self, cx: &mut Cx<'_>, mut object: Object, id: &str) {
        object.insert("_session", session(id));
        cx.send(0, Msg::from(object));
    }
}

impl Process for WebsocketIn {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let Ok(event) = event.downcast::<Event>() else {
            return;
        };
        match *event {
            Event::Message { id, data } => self.message(cx, &id, data),
            other => show(cx, &other),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        if let Some(hub) = &self.hub {
            hub.remove(cx.id());
        }
        cx.status(Value::Undefined);
        None
    }
}
