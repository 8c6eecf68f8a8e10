//! **mqtt in** — subscribes to a topic of an MQTT broker and sends the messages that come.
//!
//! Messages have `topic`, `payload`, `qos` and `retain`; with MQTT 5 also `responseTopic`, `correlationData`, `contentType`,
//! `messageExpiryInterval`, `payloadFormatIndicator` and `userProperties`. The payload is a buffer, text, base64 text or what
//! a JSON text means; *auto-detect* finds out which.
//!
//! With *dynamic subscription* the node has an input: `msg.action` is `subscribe` or `unsubscribe` (with `msg.topic`: a topic,
//! an object with `topic`, `qos`, `nl`, `rap`, `rh`, `datatype`, or an array of these), `getSubscriptions`, `connect` or
//! `disconnect`.

use super::mqtt_client::{ActionDone, Client, Delivery, LeftBehind, Shown};
use super::mqtt_packet::{Arrived, Datatype, bool_property, int_property, is_subscription, qos};
use super::mqtt_session::Subscribe;
use super::tcp::encode_base64;
use super::web::is_text;
use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, Msg, Object, Value, json};
use vgdc_core::{Closing, Completion, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct MqttInConfig {
    #[field(kind = ConfigRef("mqtt-broker"), required = true, label = "Server")]
    broker: String,
    #[field(label = "Topic")]
    topic: String,
    #[field(json = "\"2\"", kind = Number, shown = Text, label = "QoS", choices = [("0", "0"), ("1", "1"), ("2", "2")])]
    qos: Value,
    #[field(default = "utf8", begin = "auto-detect", label = "Output", choices = [("auto-detect", "Text, buffer or parsed JSON, as it comes"), ("auto", "Text or buffer"), ("buffer", "A buffer"), ("utf8", "A text"), ("json", "Parsed JSON"), ("base64", "A Base64 text")])]
    datatype: String,
    #[field(json = "null", begin = false, kind = Bool, label = "No messages of one's own (MQTT 5)")]
    nl: Value,
    #[field(json = "null", begin = true, kind = Bool, label = "Keep the retain flag (MQTT 5)")]
    rap: Value,
    #[field(json = "null", begin = 0, kind = Number, shown = Text, label = "Retained messages (MQTT 5)", choices = [("0", "Always"), ("1", "Only of a new subscription"), ("2", "Never")])]
    rh: Value,
    #[field(json = "0", kind = Number, hidden = true)]
    inputs: Value,
}

/// The behaviour.
pub struct MqttIn {
    client: Option<Rc<Client>>,
    topic: String,
    dynamic: bool,
    datatype: Datatype,
    local: bool,
    /// The dynamic subscriptions, by topic, as they were asked for.
    subscriptions: Object,
    actions: Actions,
}

/// Actions that wait for the connection.
#[derive(Default)]
pub struct Actions {
    waiting: HashMap<u64, Completion>,
    next: u64,
}

impl Actions {
    /// Connects, as `msg.action: "connect"` wants it.
    pub fn connect(&mut self, cx: &mut Cx<'_>, client: &Rc<Client>, msg: &Msg) {
        let given = match msg.get("broker") {
            Some(Value::Object(given)) => Some(given.clone()),
            _ => None,
        };
        if !client.can_connect() {
            match given {
                None => return cx.done_with(msg),
                Some(given) if given.get("force").is_some_and(Value::truthy) => {
                    let tell = (cx.mailbox(), self.wait(cx, msg));
                    let client = client.clone();
                    let ended = client.disconnect();
                    return drop(tokio::task::spawn_local(async move {
                        if let Some(ended) = ended {
                            // (it has ended in any case)
                            let _ = ended.await;
                        }
                        client.update(&given);
                        client.connect(Some(tell));
                    }));
                }
                Some(_) => {
                    return cx.error("Error: Disconnect from broker before connecting", Some(msg));
                }
            }
        }
        if let Some(given) = given {
            client.update(&given);
        }
        let token = self.wait(cx, msg);
        client.connect(Some((cx.mailbox(), token)));
    }

    /// Disconnects, as `msg.action: "disconnect"` wants it.
    pub fn disconnect(&mut self, cx: &mut Cx<'_>, client: &Rc<Client>, msg: &Msg) {
        match client.disconnect() {
            None => cx.done_with(msg),
            Some(ended) => {
                let (mailbox, token) = (cx.mailbox(), self.wait(cx, msg));
                drop(tokio::task::spawn_local(async move {
                    // (it has ended in any case)
                    let _ = ended.await;
                    mailbox.post(ActionDone { token });
                }));
            }
        }
    }

    fn wait(&mut self, cx: &Cx<'_>, msg: &Msg) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next, cx.completion(msg));
        self.next
    }

    /// An action has ended.
    pub fn done(&mut self, cx: &mut Cx<'_>, done: &ActionDone) {
        if let Some(completion) = self.waiting.remove(&done.token) {
            cx.done(completion);
        }
    }
}

#[node(type = "mqtt in", category = "network", inputs = 1, outputs = 1, effect = Source, types = types, text = First("topic"), color = "#d8bfd8", icon = "bridge.svg")]
impl Node for MqttIn {
    type Config = MqttInConfig;

    fn new(config: MqttInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let dynamic = config.inputs.to_number() == 1.0;
        let mut node = MqttIn {
            client: None,
            topic: config.topic.clone(),
            dynamic,
            datatype: Datatype::of(&config.datatype),
            local: false,
            subscriptions: Object::new(),
            actions: Actions::default(),
        };
        if !dynamic && !is_subscription(&config.topic) {
            cx.warn("Invalid topic specified");
            return Ok(node);
        }
        let Some(client) = cx.config::<Client>(&config.broker) else {
            cx.error("missing broker configuration", None);
            return Ok(node);
        };
        show(cx, Shown::Disconnected);
        if config.topic.is_empty() && !dynamic {
            cx.error("topic not defined", None);
            return Ok(node);
        }
        client.register(cx.id(), cx.mailbox());
        node.local = client.is_local();
        if !dynamic {
            subscribe(
                cx,
                &client,
                &config.topic,
                how(&config, client.v5()),
                node.datatype,
            );
        }
        if client.is_connected() {
            show(cx, Shown::Connected);
        }
        node.client = Some(client);
        Ok(node)
    }
}

/// What comes from the broker; with subscriptions that messages make, also what they ask for.
fn types(t: &mut dyn Typing) {
    let dynamic = !matches!(t.text("inputs").as_str(), "" | "0");
    let payload = match t.text("datatype").as_str() {
        _ if dynamic => "any",
        "utf8" | "base64" => "string",
        "buffer" => "buffer",
        _ => "any",
    };
    if dynamic {
        let (topic, list) = (t.ty("string"), t.ty("any"));
        t.set("topic", topic);
        t.set("payload", list);
        t.send(0);
    }
    let message = t.ty(&format!(
        "object{{topic: string, payload: {payload}, qos: number, retain: bool, responseTopic: any, correlationData: any, \
         contentType: any, messageExpiryInterval: any, payloadFormatIndicator: any, userProperties: any, _topic: any}}"
    ));
    t.set_message(message);
    t.send(0);
}

/// Shows the state of the connection.
pub fn show(cx: &mut Cx<'_>, shown: Shown) {
    let (fill, shape, text) = shown.parts();
    cx.set_status(fill, shape, text);
}

fn how(config: &MqttInConfig, v5: bool) -> Subscribe {
    let number = vgdc_core::value::number::parse_float(&config.qos.to_js_string()).trunc();
    let quality = qos(if (0.0..=2.0).contains(&number) {
        number
    } else {
        2.0
    });
    let mut form = Object::new();
    for (key, value) in [("nl", &config.nl), ("rap", &config.rap), ("rh", &config.rh)] {
        if !value.is_nullish() {
            form.insert(key, value.clone());
        }
    }
    Subscribe {
        qos: Some(quality),
        no_local: bool_property(&form, "nl").filter(|_| v5),
        retain_as_published: bool_property(&form, "rap").filter(|_| v5),
        retain_handling: v5.then(|| int_property(&form, "rh", 0.0, 2.0).unwrap_or(0.0) as u8),
    }
}

/// Subscribes; what this node left behind at another broker ends.
fn subscribe(
    cx: &mut Cx<'_>,
    client: &Rc<Client>,
    topic: &str,
    how: Subscribe,
    datatype: Datatype,
) {
    let left = cx.local(LeftBehind::default);
    for (topic, broker) in left.0.borrow_mut().remove(cx.id()).unwrap_or_default() {
        if broker != client.id
            && let Some(other) = cx.config::<Client>(&broker)
        {
            other.unsubscribe(&topic, cx.id(), true);
        }
    }
    client.subscribe(topic, how, datatype, cx.id(), cx.mailbox());
}

impl MqttIn {
    fn change(&mut self, cx: &mut Cx<'_>, client: &Rc<Client>, mut msg: Msg, subscribing: bool) {
        let wanted: Vec<Value> = match msg.get("topic") {
            Some(Value::Bool(true)) if !subscribing => {
                self.subscriptions.values().cloned().collect()
            }
            Some(Value::Array(items)) => items.to_vec(),
            Some(one @ (Value::Str(_) | Value::Object(_))) => vec![one.clone()],
            _ => return cx.error("Error: msg.topic is missing or invalid", Some(&msg)),
        };
        let mut changes = Vec::new();
        for one in wanted {
            let given = match one {
                Value::Str(topic) => [("topic", Value::Str(topic))].into_iter().collect(),
                Value::Object(given) => given,
                _ => Object::new(),
            };
            let topic = given
                .get("topic")
                .filter(|topic| topic.truthy())
                .map(Value::to_js_string)
                .unwrap_or_default();
            if topic.is_empty() || !is_subscription(&topic) {
                return cx.error("Error: Invalid topic specified", Some(&msg));
            }
            changes.push((topic, given));
        }
        for (topic, given) in changes {
            if self.subscriptions.remove(&topic).is_some() || !subscribing {
                client.unsubscribe(&topic, cx.id(), true);
            }
            if subscribing {
                let (how, datatype, kept) = self.dynamic(given, client.v5());
                subscribe(cx, client, &topic, how, datatype);
                self.subscriptions.insert(topic.as_str(), kept);
            }
        }
        msg.insert("subscriptions", self.list());
        cx.done_with(&msg);
    }

    fn list(&self) -> Value {
        Value::Array(self.subscriptions.values().cloned().collect::<Array>())
    }

    /// How a dynamic subscription is made, and how it is listed.
    fn dynamic(&self, mut given: Object, v5: bool) -> (Subscribe, Datatype, Object) {
        let quality = match given.contains_key("qos") {
            true => int_property(&given, "qos", 0.0, 2.0),
            false => Some(2.0),
        };
        given.insert("qos", quality);
        let mut how = Subscribe {
            qos: quality.map(qos),
            no_local: None,
            retain_as_published: None,
            retain_handling: None,
        };
        if v5 {
            let handling = match given.contains_key("rh") {
                true => int_property(&given, "rh", 0.0, 2.0),
                false => Some(0.0),
            };
            given.insert("rh", handling);
            how.retain_handling = handling.map(|handling| handling as u8);
            how.retain_as_published = match given.get("rap") {
                None | Some(Value::Null | Value::Undefined) => Some(true),
                Some(_) => bool_property(&given, "rap"),
            };
            given.insert("rap", how.retain_as_published);
            how.no_local = bool_property(&given, "nl");
            match how.no_local {
                Some(no_local) => drop(given.insert("nl", no_local)),
                None => drop(given.remove("nl")),
            }
        }
        let datatype = given
            .get("datatype")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty());
        (how, datatype.map_or(self.datatype, Datatype::of), given)
    }

    fn deliver(&self, cx: &mut Cx<'_>, Delivery { datatype, arrived }: Delivery) {
        let bytes = arrived.payload.as_slice();
        let payload = match decode(datatype, &arrived) {
            Ok(payload) => payload,
            Err((why, as_text)) => {
                let payload = if as_text {
                    lossy(bytes)
                } else {
                    Value::from(bytes.to_vec())
                };
                let mut msg = Msg::with_payload(payload);
                msg.insert("topic", arrived.topic.as_str());
                msg.insert("qos", f64::from(arrived.qos));
                msg.insert("retain", arrived.retain);
                return cx.error(why, Some(&msg));
            }
        };
        let mut msg = Msg::new();
        msg.insert("topic", arrived.topic.as_str());
        msg.insert("payload", payload);
        msg.insert("qos", f64::from(arrived.qos));
        msg.insert("retain", arrived.retain);
        if let Some(extras) = &arrived.extras {
            let text = |text: &Option<String>| {
                text.as_deref()
                    .filter(|text| !text.is_empty())
                    .map(Value::from)
            };
            let user: Object = user_values(&extras.user);
            for (key, value) in [
                ("responseTopic", text(&extras.response_topic)),
                (
                    "correlationData",
                    extras.correlation.clone().map(Value::from),
                ),
                ("contentType", text(&extras.content_type)),
                (
                    "messageExpiryInterval",
                    extras.expiry.map(|seconds| Value::from(f64::from(seconds))),
                ),
                ("payloadFormatIndicator", extras.is_text.map(Value::from)),
                (
                    "userProperties",
                    (!user.is_empty()).then_some(Value::Object(user)),
                ),
            ] {
                if let Some(value) = value {
                    msg.insert(key, value);
                }
            }
        }
        if self.local {
            msg.insert("_topic", arrived.topic);
        }
        cx.send(0, msg);
    }
}

/// User properties; a name that comes more than once has the JSON text of an array.
fn user_values(pairs: &[(String, String)]) -> Object {
    let mut object = Object::new();
    for (key, _) in pairs {
        if object.contains_key(key) {
            continue;
        }
        let values: Array = pairs
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| Value::from(value.as_str()))
            .collect();
        let value = match &*values {
            [one] => one.clone(),
            // (an array of texts can always be written)
            _ => Value::from(
                json::stringify(&Value::Array(values), 0)
                    .ok()
                    .flatten()
                    .unwrap_or_default(),
            ),
        };
        object.insert(key.as_str(), value);
    }
    object
}

fn lossy(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// The text that bytes are, if they are one.
fn text_of(bytes: &[u8]) -> Option<&str> {
    if is_text(bytes) {
        std::str::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// A payload as it is wanted; else why it cannot be had, and whether the error shows it as text.
fn decode(datatype: Datatype, arrived: &Arrived) -> Result<Value, (&'static str, bool)> {
    const NO_JSON: &str = "Failed to parse JSON string";
    let bytes = arrived.payload.as_slice();
    let extras = arrived.extras.as_deref();
    let said_text = extras.and_then(|extras| extras.is_text) == Some(true);
    let buffer = || Value::from(bytes.to_vec());
    let text = || {
        if said_text {
            Some(String::from_utf8_lossy(bytes))
        } else {
            text_of(bytes).map(Into::into)
        }
    };
    let guess = || match text() {
        Some(text) if datatype == Datatype::AutoDetect => {
            json::parse(&text).unwrap_or_else(|_| Value::from(&*text))
        }
        Some(text) => Value::from(&*text),
        None => buffer(),
    };
    match datatype {
        Datatype::Buffer => Ok(buffer()),
        Datatype::Base64 => Ok(Value::from(encode_base64(bytes))),
        Datatype::Utf8 => Ok(lossy(bytes)),
        Datatype::Json => match text() {
            Some(text) => json::parse(&text).map_err(|_| (NO_JSON, false)),
            None => Err(("Invalid JSON string", false)),
        },
        Datatype::Auto | Datatype::AutoDetect => {
            let media = extras
                .and_then(|extras| extras.content_type.as_deref())
                .unwrap_or_default()
                .to_lowercase();
            match media.as_str() {
                "text/css" | "text/html" | "text/plain" | "application/xml" => Ok(lossy(bytes)),
                "application/json" => {
                    let text = lossy(bytes);
                    let parsed = json::parse(text.as_str().unwrap_or_default())
                        .map_err(|_| (NO_JSON, true))?;
                    Ok(if datatype == Datatype::AutoDetect {
                        parsed
                    } else {
                        text
                    })
                }
                media if BINARY.contains(&media) => Ok(buffer()),
                _ => Ok(guess()),
            }
        }
    }
}

/// Media types that are known to be no text.
const BINARY: [&str; 15] = [
    "application/octet-stream",
    "application/pdf",
    "application/x-gtar",
    "application/x-gzip",
    "application/zip",
    "audio/aac",
    "audio/ac3",
    "audio/basic",
    "audio/mp4",
    "audio/ogg",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/tiff",
    "image/png",
];

impl Process for MqttIn {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let Some(client) = self.client.clone() else {
            return;
        };
        match msg.get("action").and_then(Value::as_str) {
            Some("connect") => self.actions.connect(cx, &client, &msg),
            Some("disconnect") => self.actions.disconnect(cx, &client, &msg),
            Some("subscribe") => self.change(cx, &client, msg, true),
            Some("unsubscribe") => self.change(cx, &client, msg, false),
            Some("getSubscriptions") => {
                msg.insert("topic", "subscriptions");
                msg.set_payload(self.list());
                cx.send_done(msg);
            }
            _ => cx.error("Error: Invalid action specified", Some(&msg)),
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let event = match event.downcast::<Delivery>() {
            Ok(delivery) => return self.deliver(cx, *delivery),
            Err(event) => event,
        };
        if let Some(shown) = event.downcast_ref::<Shown>() {
            show(cx, *shown);
        } else if let Some(done) = event.downcast_ref::<ActionDone>() {
            self.actions.done(cx, done);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, removed: bool) -> Closing {
        let client = self.client.take()?;
        let topics: Vec<String> = match self.dynamic {
            true => self
                .subscriptions
                .keys()
                .map(|topic| topic.as_str().to_owned())
                .collect(),
            false => vec![self.topic.clone()],
        };
        for topic in topics {
            if let Some(left) = client.unsubscribe(&topic, cx.id(), removed) {
                cx.local(LeftBehind::default)
                    .0
                    .borrow_mut()
                    .entry(cx.id().to_owned())
                    .or_default()
                    .push(left);
            }
        }
        show(cx, Shown::Disconnected);
        let ended = client.deregister(cx.id(), removed)?;
        // (the link may have ended before)
        Some(Box::pin(async move { drop(ended.await) }))
    }
}
