//! **websocket out** — sends over a WebSocket connection: to the client that `msg._session` names, else to all.
//!
//! Text and buffers are sent as they are, other payloads as text, objects as JSON; or the whole message is, as JSON.

use super::ws_hub::{Event, Hub, show};
use std::any::Any;
use std::rc::Rc;
use tokio_tungstenite::tungstenite::Message;
use vgdc_core::value::{Msg, Value, json};
use vgdc_core::{Closing, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct WebsocketOutConfig {
    #[field(kind = ConfigRef("websocket-listener"), label = "Listen on")]
    server: String,
    #[field(kind = ConfigRef("websocket-client"), label = "or connect to")]
    client: String,
}

/// The behaviour.
pub struct WebsocketOut {
    hub: Option<Rc<Hub>>,
}

#[node(type = "websocket out", category = "network", inputs = 1, outputs = 0, effect = Io, color = "#d7d7a0", icon = "white-globe.svg")]
impl Node for WebsocketOut {
    type Config = WebsocketOutConfig;

    fn new(config: WebsocketOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let hub = Hub::chosen(&config.server, &config.client, cx);
        if let Some(hub) = &hub {
            hub.watch(cx.id(), cx.mailbox());
        }
        Ok(WebsocketOut { hub })
    }
}

/// What is sent; `None` when there is nothing to send.
fn message(msg: &Msg, whole: bool) -> Result<Option<Message>, NodeError> {
    let text =
        |value: &Value| json::stringify(value, 0).map_err(|e| NodeError::from_value(e.into()));
    if whole {
        let mut all = msg.clone();
        all.remove("_session");
        return Ok(text(&all.into_value())?.map(Message::text));
    }
    if !msg.contains_key("payload") {
        return Ok(None);
    }
    Ok(match msg.payload() {
        Value::Buffer(bytes) => Some(Message::binary(bytes.to_vec())),
        Value::Str(string) if string.is_empty() => None,
        Value::Str(string) => Some(Message::text(&**string)),
        other if other.type_of() == "object" => text(other)?.map(Message::text),
        other => Some(Message::text(other.to_js_string())),
    })
}

impl Process for WebsocketOut {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let Some(hub) = &self.hub else { return };
        match message(&msg, hub.whole) {
            Ok(Some(message)) => {
                let session = msg
                    .get("_session")
                    .filter(|session| session.get("type").as_str() == Some("websocket"));
                match session {
                    Some(session) => hub.reply(&session.get("id").to_js_string(), message),
                    None => hub.broadcast(message),
                }
                cx.done_with(&msg);
            }
            Ok(None) => cx.done_with(&msg),
            Err(error) => cx.error(error, Some(&msg)),
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Ok(event) = event.downcast::<Event>() {
            show(cx, &event);
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
