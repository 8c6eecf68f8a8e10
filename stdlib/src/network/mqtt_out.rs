//! **mqtt out** — publishes messages to an MQTT broker.
//!
//! `msg.payload` is published to the node's topic, or to `msg.topic`; buffers as they are, objects as JSON, other values as
//! text. `msg.qos` and `msg.retain` count where the node leaves them open. With MQTT 5: `responseTopic`, `correlationData`,
//! `contentType`, `messageExpiryInterval`, `userProperties`, `topicAlias`, `payloadFormatIndicator`.
//!
//! `msg.action` `connect` (with options in `msg.broker`) or `disconnect` controls the connection.

use super::mqtt_client::{ActionDone, Client, Shown};
use super::mqtt_in::{Actions, show};
use super::mqtt_packet::{
    Extras, Publication, bool_property, buffer_property, int_property, is_publish_topic, payload,
    qos, text_property, user_properties,
};
use super::mqtt_session::{Ack, Published};
use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use vgdc_core::value::{Msg, Value, json};
use vgdc_core::{Closing, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct MqttOutConfig {
    #[field(kind = ConfigRef("mqtt-broker"), required = true, label = "Server")]
    broker: String,
    #[field(label = "Topic", hint = "empty: msg.topic")]
    topic: String,
    #[field(json = "\"\"", kind = Number, shown = Text, label = "QoS", choices = [("", "As the message says"), ("0", "0"), ("1", "1"), ("2", "2")])]
    qos: Value,
    #[field(json = "\"\"", kind = Bool, shown = Text, label = "Retain", choices = [("", "As the message says"), ("false", "No"), ("true", "Yes")])]
    retain: Value,
    #[field(name = "respTopic", label = "Response topic")]
    resp_topic: String,
    #[field(name = "contentType", label = "Content type")]
    content_type: String,
    #[field(json = "\"\"", kind = Number, label = "Expiry (seconds)")]
    expiry: Value,
    #[field(name = "userProps", json = "\"\"", shown = Text, label = "User properties")]
    user_props: Value,
    #[field(json = "\"\"", shown = Text, label = "Correlation data")]
    correl: Value,
}

/// The behaviour.
pub struct MqttOut {
    client: Option<Rc<Client>>,
    config: MqttOutConfig,
    user: Option<Vec<(String, String)>>,
    /// Messages that the broker has not confirmed yet.
    waiting: HashMap<u64, Msg>,
    next: u64,
    /// The topics that numbers stand for on this connection.
    aliases: HashMap<u16, String>,
    actions: Actions,
}

#[node(type = "mqtt out", category = "network", inputs = 1, outputs = 0, effect = Io, text = First("topic"), color = "#d8bfd8", icon = "bridge.svg")]
impl Node for MqttOut {
    type Config = MqttOutConfig;

    fn new(config: MqttOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let user = match &config.user_props {
            Value::Str(text) if text.trim_start_matches(' ').starts_with('{') => {
                json::parse(text).ok()
            }
            _ => None,
        };
        let user = user
            .map(|value| user_properties(Some(&value)))
            .filter(|pairs| !pairs.is_empty());
        let client = cx.config::<Client>(&config.broker);
        match &client {
            None => cx.error("missing broker configuration", None),
            Some(client) => {
                show(cx, Shown::Disconnected);
                if client.is_connected() {
                    show(cx, Shown::Connected);
                }
                client.register(cx.id(), cx.mailbox());
            }
        }
        Ok(MqttOut {
            client,
            config,
            user,
            waiting: HashMap::new(),
            next: 0,
            aliases: HashMap::new(),
            actions: Actions::default(),
        })
    }
}

impl MqttOut {
    fn publish(&mut self, cx: &mut Cx<'_>, client: &Rc<Client>, msg: Msg) {
        if !msg.contains_key("payload") {
            return cx.done_with(&msg);
        }
        if !client.is_connected() {
            // (as in Node-RED, nothing happens: the message is neither kept nor finished with)
            return;
        }
        match self.publication(client, &msg) {
            Ok(Some(publication)) => self.send(cx, client, publication, msg),
            Ok(None) => cx.warn("Error: Invalid topic specified"),
            Err(error) => cx.error(error, Some(&msg)),
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, client: &Rc<Client>, publication: Publication, msg: Msg) {
        self.next += 1;
        let ack = Ack {
            mailbox: cx.mailbox(),
            token: self.next,
        };
        match client.publish(publication, Some(ack)) {
            Ok(Some(true)) => cx.done_with(&msg),
            Ok(Some(false)) => drop(self.waiting.insert(self.next, msg)),
            Ok(None) => {}
            Err(why) => cx.error(format!("Error: {why}"), Some(&msg)),
        }
    }

    /// What is published; `None` when there is no topic to publish to.
    fn publication(
        &mut self,
        client: &Client,
        msg: &Msg,
    ) -> Result<Option<Publication>, NodeError> {
        let v5 = client.v5();
        let quality = match self.config.qos.truthy() {
            true => self.config.qos.to_number(),
            false => quality_of(msg.get("qos")),
        };
        let retain = if self.config.retain.truthy() {
            &self.config.retain
        } else {
            msg.get("retain").unwrap_or(&Value::Undefined)
        };
        let retain = *retain == Value::Bool(true) || retain.as_str() == Some("true");
        let mut topic = match self.config.topic.as_str() {
            "" => msg.topic().as_str().unwrap_or_default().to_owned(),
            topic => topic.to_owned(),
        };
        let mut extras = Extras::default();
        let mut fits = is_publish_topic(&topic);
        if v5 {
            extras = self.extras(client, msg);
            if !fits && topic.is_empty() && !msg.topic().truthy() {
                // an answer: where it was asked for
                topic = extras.response_topic.take().unwrap_or_default();
                fits = is_publish_topic(&topic);
            }
        }
        if !fits {
            return Ok(None);
        }
        if let Some(alias) = extras.topic_alias {
            match self.aliases.get(&alias) {
                Some(known) if *known == topic => topic.clear(),
                _ => drop(self.aliases.insert(alias, topic.clone())),
            }
        }
        Ok(Some(Publication {
            topic,
            payload: payload(msg.payload())?,
            qos: qos(quality),
            retain,
            extras,
        }))
    }

    /// The MQTT 5 part: the node's own properties come before the message's.
    fn extras(&self, client: &Client, msg: &Msg) -> Extras {
        let config = &self.config;
        let own = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let seconds = |from| {
            int_property(from, "messageExpiryInterval", 0.0, f64::from(u32::MAX))
                .map(|seconds| seconds as u32)
        };
        let expiry = match config.expiry.truthy() {
            true => seconds(
                &[("messageExpiryInterval", config.expiry.clone())]
                    .into_iter()
                    .collect(),
            ),
            false => seconds(msg),
        };
        let correlation = match config.correl.truthy() {
            true => buffer_property(
                &[("correlationData", config.correl.clone())]
                    .into_iter()
                    .collect(),
                "correlationData",
            ),
            false => buffer_property(msg, "correlationData"),
        };
        let highest = f64::from(client.server().topic_alias_maximum);
        Extras {
            response_topic: own(&config.resp_topic).or_else(|| text_property(msg, "responseTopic")),
            correlation,
            content_type: own(&config.content_type).or_else(|| text_property(msg, "contentType")),
            expiry,
            is_text: bool_property(msg, "payloadFormatIndicator"),
            topic_alias: int_property(msg, "topicAlias", 1.0, highest).map(|alias| alias as u16),
            user: self
                .user
                .clone()
                .unwrap_or_else(|| user_properties(msg.get("userProperties"))),
            ..Extras::default()
        }
    }
}

/// The quality of service that a message asks for; what is none of the three is 0.
fn quality_of(value: Option<&Value>) -> f64 {
    let number = value.filter(|value| value.truthy()).map_or(0.0, |value| {
        vgdc_core::value::number::parse_float(&value.to_js_string())
    });
    if [1.0, 2.0].contains(&number.trunc()) {
        number.trunc()
    } else {
        0.0
    }
}

impl Process for MqttOut {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let Some(client) = self.client.clone() else {
            return;
        };
        match msg.get("action").filter(|action| action.truthy()) {
            None => self.publish(cx, &client, msg),
            Some(action) => match action.as_str() {
                Some("connect") => self.actions.connect(cx, &client, &msg),
                Some("disconnect") => self.actions.disconnect(cx, &client, &msg),
                _ => cx.error("Error: Invalid action specified", Some(&msg)),
            },
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Some(published) = event.downcast_ref::<Published>() {
            let Some(msg) = self.waiting.remove(&published.token) else {
                return;
            };
            match &published.error {
                None => cx.done_with(&msg),
                Some(why) => cx.error(why.as_str(), Some(&msg)),
            }
        } else if let Some(shown) = event.downcast_ref::<Shown>() {
            if *shown == Shown::Connected {
                // (numbers stand for topics on one connection only)
                self.aliases.clear();
            }
            show(cx, *shown);
        } else if let Some(done) = event.downcast_ref::<ActionDone>() {
            self.actions.done(cx, done);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, removed: bool) -> Closing {
        let client = self.client.take()?;
        show(cx, Shown::Disconnected);
        let ended = client.deregister(cx.id(), removed)?;
        // (the link may have ended before)
        Some(Box::pin(async move { drop(ended.await) }))
    }
}
