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
    #[field(label = "Server", required = true)]
    broker: String,
    #[field(json = "\"1883\"", kind = Number, label = "Port")]
    port: Value,
    #[field(label = "Client ID")]
    clientid: String,
    #[field(name = "autoConnect", default = true, label = "Connect automatically")]
    auto_connect: bool,
    #[field(default = false, label = "Use TLS")]
    usetls: bool,
    #[field(kind = ConfigRef("tls-config"), label = "TLS Configuration")]
    tls: String,
    #[field(name = "protocolVersion", json = "4", kind = Number, label = "Protocol")]
    protocol_version: Value,
    #[field(json = "60", kind = Number, label = "Keep Alive")]
    keepalive: Value,
    #[field(default = true, label = "Use clean session")]
    cleansession: bool,
    #[field(
        name = "autoUnsubscribe",
        default = true,
        label = "Automatically unsubscribe when disconnecting"
    )]
    auto_unsubscribe: bool,
    #[field(name = "userProps", json = "\"\"", label = "User Properties")]
    user_props: Value,
    #[field(name = "sessionExpiry", json = "\"\"", kind = Number, label = "Session Expiry (secs)")]
    session_expiry: Value,
    #[field(
        name = "birthTopic",
        label = "Message sent on connection (birth message)"
    )]
    birth_topic: String,
    #[field(name = "birthPayload", json = "null", kind = Text)]
    birth_payload: Value,
    #[field(name = "birthQos", json = "null", kind = Number)]
    birth_qos: Value,
    #[field(name = "birthRetain", json = "null", kind = Bool)]
    birth_retain: Value,
    #[field(name = "birthMsg", json = "{}")]
    birth_msg: Value,
    #[field(
        name = "closeTopic",
        label = "Message sent before disconnecting (close message)"
    )]
    close_topic: String,
    #[field(name = "closePayload", json = "null", kind = Text)]
    close_payload: Value,
    #[field(name = "closeQos", json = "null", kind = Number)]
    close_qos: Value,
    #[field(name = "closeRetain", json = "null", kind = Bool)]
    close_retain: Value,
    #[field(name = "closeMsg", json = "{}")]
    close_msg: Value,
    #[field(
        name = "willTopic",
        label = "Message sent on an unexpected disconnection (will message)"
    )]
    will_topic: String,
    #[field(name = "willPayload", json = "null", kind = Text)]
    will_payload: Value,
    #[field(name = "willQos", json = "null", kind = Number)]
    will_qos: Value,
    #[field(name = "willRetain", json = "null", kind = Bool)]
    will_retain: Value,
    #[field(name = "willMsg", json = "{}")]
    will_msg: Value,
    #[field(kind = Credential, label = "Username")]
    user: String,
    #[field(kind = Credential, label = "Password")]
    password: String,
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
