//! **mqtt-broker** — the connection to an MQTT broker, shared by **mqtt in** and **mqtt out** nodes.
//!
//! It speaks MQTT 3.1, 3.1.1 and 5 over TCP, TLS (`mqtts://`) and WebSockets (`ws://`, `wss://`). It connects when the first
//! node that uses it starts (unless *connect automatically* is off), and again after the setting `mqttReconnectTime`
//! (15 seconds) when the connection is lost. Messages can be published when it connects, before it disconnects, and by the
//! broker when it vanishes (birth, close and will message).
//!
//! A broker that is down is no failure: the nodes show that they are connecting.

use super::mqtt_client::{Client, Log, ShowSoon};
use super::mqtt_options::Options;
use super::tls::Tls;
use std::any::Any;
use std::rc::Rc;
use std::time::Duration;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties. Most are read by `Options`, since a `connect` action may override them.
#[derive(Config)]
#[allow(dead_code)] // (see above: the compiler needs their kinds)
pub struct MqttBrokerConfig {
    #[field(
        required = true,
        label = "Server",
        hint = "host, or ws://host:port/path"
    )]
    broker: String,
    #[field(json = "\"1883\"", begin = 1883, kind = Number, label = "Port")]
    port: Value,
    #[field(name = "autoConnect", default = true, label = "Connect at the start")]
    auto_connect: bool,
    #[field(default = false, label = "Use TLS")]
    usetls: bool,
    #[field(kind = ConfigRef("tls-config"), label = "TLS", when = [is("usetls", true)])]
    tls: String,
    #[field(name = "protocolVersion", json = "4", kind = Number, shown = Text, label = "Protocol", choices = [("3", "MQTT 3.1 (old)"), ("4", "MQTT 3.1.1"), ("5", "MQTT 5")])]
    protocol_version: Value,
    #[field(label = "Client id", hint = "empty: a generated one")]
    clientid: String,
    #[field(json = "60", kind = Number, label = "Keep alive (seconds)")]
    keepalive: Value,
    #[field(default = true, label = "Clean session")]
    cleansession: bool,
    #[field(kind = Credential, label = "User name", legible = true)]
    user: String,
    #[field(kind = Credential, label = "Password")]
    password: String,
    #[field(name = "birthTopic", label = "Topic when connected")]
    birth_topic: String,
    #[field(name = "birthPayload", json = "null", begin = "", kind = Text, label = "Payload when connected")]
    birth_payload: Value,
    #[field(name = "birthQos", json = "null", begin = "0", kind = Number, shown = Text, label = "QoS when connected", choices = [("0", "0"), ("1", "1"), ("2", "2")])]
    birth_qos: Value,
    #[field(name = "birthRetain", json = "null", begin = "false", kind = Bool, shown = Text, label = "Retain when connected", choices = [("false", "No"), ("true", "Yes")])]
    birth_retain: Value,
    #[field(name = "closeTopic", label = "Topic before disconnecting")]
    close_topic: String,
    #[field(name = "closePayload", json = "null", begin = "", kind = Text, label = "Payload before disconnecting")]
    close_payload: Value,
    #[field(name = "closeQos", json = "null", begin = "0", kind = Number, shown = Text, label = "QoS before disconnecting", choices = [("0", "0"), ("1", "1"), ("2", "2")])]
    close_qos: Value,
    #[field(name = "closeRetain", json = "null", begin = "false", kind = Bool, shown = Text, label = "Retain before disconnecting", choices = [("false", "No"), ("true", "Yes")])]
    close_retain: Value,
    #[field(name = "willTopic", label = "Last will: topic")]
    will_topic: String,
    #[field(name = "willPayload", json = "null", begin = "", kind = Text, label = "Last will: payload")]
    will_payload: Value,
    #[field(name = "willQos", json = "null", begin = "0", kind = Number, shown = Text, label = "Last will: QoS", choices = [("0", "0"), ("1", "1"), ("2", "2")])]
    will_qos: Value,
    #[field(name = "willRetain", json = "null", begin = "false", kind = Bool, shown = Text, label = "Last will: retain", choices = [("false", "No"), ("true", "Yes")])]
    will_retain: Value,
    #[field(
        name = "autoUnsubscribe",
        default = true,
        label = "Unsubscribe when disconnecting"
    )]
    auto_unsubscribe: bool,
    #[field(name = "userProps", json = "\"\"", shown = Text, label = "User properties")]
    user_props: Value,
    #[field(name = "sessionExpiry", json = "\"\"", begin = 0, kind = Number, label = "Session expiry (seconds)")]
    session_expiry: Value,
    #[field(default = false, kind = Bool, hidden = true)]
    _verifyservercert: (),
    #[field(default = false, kind = Bool, hidden = true)]
    _compatmode: (),
    #[field(name = "birthMsg", json = "{}", hidden = true)]
    birth_msg: Value,
    #[field(name = "closeMsg", json = "{}", hidden = true)]
    close_msg: Value,
    #[field(name = "willMsg", json = "{}", hidden = true)]
    will_msg: Value,
}

/// The behaviour.
pub struct MqttBroker {
    client: Rc<Client>,
}

#[node(type = "mqtt-broker", category = "network", inputs = 0, outputs = 0, effect = Io, role = Config, copies = Unless("clientid"), text = First("broker"))]
impl Node for MqttBroker {
    type Config = MqttBrokerConfig;

    fn new(config: MqttBrokerConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let secrets = cx.credentials();
        let (options, warned) = Options::new(cx.props(), &secrets);
        if warned {
            cx.warn("No client ID set, using clean session");
        }
        let tls = cx.config::<Tls>(&config.tls);
        let period = cx.setting("mqttReconnectTime").to_number();
        let period = Duration::from_secs_f64(if period > 0.0 {
            (period / 1000.0).min(86_400.0)
        } else {
            15.0
        });
        let client = Rc::new(Client::new(
            cx.id().to_owned(),
            cx.mailbox(),
            options,
            tls,
            secrets,
            period,
        ));
        cx.publish(client.clone());
        Ok(MqttBroker { client })
    }
}

impl Process for MqttBroker {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        match event.downcast::<Log>() {
            Ok(log) if log.0 == Level::Error => cx.error(log.1, None),
            Ok(log) => cx.log(log.0, log.1),
            Err(event) if event.is::<ShowSoon>() => drop(cx.set_timer(Duration::from_millis(1))),
            Err(_) => {}
        }
    }

    fn timer(&mut self, _: &mut Cx<'_>, _: TimerId) {
        self.client.show_all();
    }

    fn close(&mut self, _: &mut Cx<'_>, _: bool) -> Closing {
        let ended = self.client.disconnect()?;
        // (the link may have ended before)
        Some(Box::pin(async move { drop(ended.await) }))
    }
}
