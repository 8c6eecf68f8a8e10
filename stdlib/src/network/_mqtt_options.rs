//! What an `mqtt-broker` node connects with: from its properties, and from what a `connect` action overrides.

use super::mqtt_packet::{
    Extras, Publication, bool_property, buffer_property, int_property, payload, qos, text_property,
    user_properties,
};
use super::mqtt_session::Protocol;
use mqtt_protocol_core::mqtt::packet::{
    Packet, Properties, Property, RequestProblemInformation, RequestResponseInformation,
    SessionExpiryInterval, UserProperty, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::MqttError;
use std::time::Duration;
use vgdc_core::value::{Object, Value, generate_id, json};

/// The properties that a `connect` action may override.
const OVERRIDES: [&str; 15] = [
    "url",
    "broker",
    "port",
    "clientid",
    "autoConnect",
    "usetls",
    "verifyservercert",
    "compatmode",
    "protocolVersion",
    "keepalive",
    "cleansession",
    "autoUnsubscribe",
    "topicAliasMaximum",
    "maximumPacketSize",
    "receiveMaximum",
];

/// What the broker is connected with.
#[derive(Debug, Clone)]
pub struct Options {
    props: Object,
    /// Where: `mqtt://host:1883`, with other schemes for TLS and WebSockets.
    pub url: String,
    /// The client's name as configured; empty: one is made up.
    pub client_id: String,
    sent_client_id: String,
    /// The protocol's version.
    pub protocol: Protocol,
    keep_alive: u16,
    clean: bool,
    /// Subscriptions end with the node.
    pub auto_unsubscribe: bool,
    /// Connect as soon as a node uses the broker.
    pub auto_connect: bool,
    /// The server's certificate is checked, where no `tls-config` node says.
    pub verify: bool,
    /// TLS is switched on in the form.
    pub use_tls: bool,
    user: Option<String>,
    password: Option<String>,
    user_properties: Vec<(String, String)>,
    session_expiry: Option<u32>,
    /// Published when connected.
    pub birth: Option<Publication>,
    /// Published before disconnecting.
    pub close: Option<Publication>,
    will: Option<Publication>,
}

impl Options {
    /// From the node's properties and secrets. The second is true when a clean session is used for want of a client id.
    pub fn new(props: &Object, secrets: &Object) -> (Options, bool) {
        let mut options = Options {
            props: Object::new(),
            url: String::new(),
            client_id: String::new(),
            sent_client_id: String::new(),
            protocol: Protocol::V4,
            keep_alive: 60,
            clean: true,
            auto_unsubscribe: true,
            auto_connect: true,
            verify: false,
            use_tls: false,
            user: None,
            password: None,
            user_properties: Vec::new(),
            session_expiry: None,
            birth: None,
            close: None,
            will: None,
        };
        options.birth = last_words(props, "birth");
        options.close = last_words(props, "close");
        options.will = last_words(props, "will");
        for key in OVERRIDES {
            options
                .props
                .insert(key, props.get(key).cloned().unwrap_or(Value::Undefined));
        }
        options.take_session(props);
        let warned = options.settle(secrets);
        (options, warned)
    }

    /// Takes over what a `connect` action brings. True when a clean session is used for want of a client id.
    pub fn update(&mut self, given: &Object, secrets: &Object) -> bool {
        for (name, slot) in [
            ("birth", &mut self.birth),
            ("close", &mut self.close),
            ("will", &mut self.will),
        ] {
            if let Some(value) = given.get(name) {
                let empty = Object::new();
                let words = value.as_object().unwrap_or(&empty);
                *slot = message(words, words.get("properties"));
            }
        }
        for key in OVERRIDES {
            if let Some(value) = given.get(key) {
                self.props.insert(key, value.clone());
            }
        }
        self.take_session(given);
        let warned = self.settle(secrets);
        for (key, slot) in [
            ("username", &mut self.user),
            ("password", &mut self.password),
        ] {
            if let Some(value) = given.get(key) {
                *slot = Some(value)
                    .filter(|value| value.truthy())
                    .map(Value::to_js_string);
            }
        }
        warned
    }

    fn take_session(&mut self, from: &Object) {
        if let Some(value) = from.get("userProperties").or_else(|| from.get("userProps")) {
            self.user_properties = user_properties(Some(&parsed(value)));
        }
        for key in ["sessionExpiry", "sessionExpiryInterval"] {
            if from.contains_key(key) {
                self.session_expiry =
                    int_property(from, key, 1.0, f64::from(u32::MAX)).map(|seconds| seconds as u32);
                return;
            }
        }
    }

    /// Works out the rest from the raw properties.
    fn settle(&mut self, secrets: &Object) -> bool {
        let text = |key: &str| {
            self.props
                .get(key)
                .filter(|value| value.truthy())
                .map(Value::to_js_string)
                .unwrap_or_default()
        };
        let is = |key: &str| {
            matches!(self.props.get(key), Some(Value::Bool(true))) || text(key) == "true"
        };
        let number = |key: &str| {
            self.props
                .get(key)
                .map(Value::to_number)
                .filter(|n| !n.is_nan())
        };
        self.client_id = text("clientid");
        self.use_tls = self.props.get("usetls").is_some_and(Value::truthy);
        self.verify = is("verifyservercert");
        self.keep_alive = number("keepalive").unwrap_or(60.0).clamp(0.0, 65535.0) as u16;
        self.auto_connect = !matches!(self.props.get("autoConnect"), Some(Value::Bool(false)))
            && text("autoConnect") != "false";
        self.auto_unsubscribe =
            !matches!(self.props.get("autoUnsubscribe"), Some(Value::Bool(false)));
        let clean = self
            .props
            .get("cleansession")
            .is_none_or(|value| value.is_undefined() || value.truthy());
        self.protocol = if is("compatmode") || number("protocolVersion") == Some(3.0) {
            Protocol::V3
        } else if number("protocolVersion") == Some(5.0) {
            Protocol::V5
        } else {
            Protocol::V4
        };
        let (url, broker) = (text("url"), text("broker"));
        self.url = if !url.is_empty() {
            url
        } else if broker.contains("://") {
            broker
        } else {
            let scheme = if self.use_tls { "mqtts" } else { "mqtt" };
            let port = Some(text("port"))
                .filter(|port| !port.is_empty() && !broker.is_empty())
                .unwrap_or_else(|| "1883".to_owned());
            match broker.as_str() {
                "" => format!("{scheme}://localhost:{port}"),
                v6 if v6.parse::<std::net::Ipv6Addr>().is_ok() => {
                    format!("{scheme}://[{v6}]:{port}")
                }
                host => format!("{scheme}://{host}:{port}"),
            }
        };
        let secret = |key: &str| {
            secrets
                .get(key)
                .filter(|value| value.truthy())
                .map(Value::to_js_string)
        };
        (self.user, self.password) = (secret("user"), secret("password"));
        self.sent_client_id = match self.client_id.as_str() {
            "" => format!("nodered{}", generate_id()),
            id => id.to_owned(),
        };
        self.clean = clean || self.client_id.is_empty();
        self.clean && !clean
    }

    /// The name of the broker for logs.
    pub fn name(&self) -> String {
        let at = if self.client_id.is_empty() { "" } else { "@" };
        format!("{}{at}{}", self.client_id, self.url)
    }

    /// True when a message's topic is repeated in `_topic`.
    pub fn is_local(&self) -> bool {
        matches!(
            self.props.get("broker").and_then(Value::as_str),
            Some("localhost" | "127.0.0.1")
        )
    }

    /// How long the connection may be silent; zero: for ever.
    pub fn keep_alive(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_alive))
    }

    /// The CONNECT packet. Secrets in the URL are used where there are no others.
    ///
    /// # Errors
    /// Something is too long for MQTT, or a password without a user name in MQTT 3.1.1.
    pub fn packet(
        &self,
        url_user: Option<&str>,
        url_password: Option<&str>,
    ) -> Result<Packet, MqttError> {
        let user = self.user.as_deref().or(url_user);
        let password = self.password.as_deref().or(url_password);
        if self.protocol != Protocol::V5 {
            let builder = v3_1_1::Connect::builder().client_id(self.sent_client_id.as_str())?;
            let mut builder = builder
                .clean_session(self.clean)
                .keep_alive(self.keep_alive);
            if let Some(will) = &self.will {
                builder = builder.will_message(
                    will.topic.as_str(),
                    will.payload.as_slice().to_vec(),
                    will.qos,
                    will.retain,
                )?;
            }
            if let Some(user) = user {
                builder = builder.user_name(user)?;
                if let Some(password) = password {
                    builder = builder.password(password)?;
                }
            }
            return Ok(builder.build()?.into());
        }
        let builder = v5_0::Connect::builder().client_id(self.sent_client_id.as_str())?;
        let mut builder = builder
            .clean_start(self.clean)
            .keep_alive(self.keep_alive)
            .props(self.properties()?);
        if let Some(will) = &self.will {
            builder = builder.will_message(
                will.topic.as_str(),
                will.payload.as_slice().to_vec(),
                will.qos,
                will.retain,
            )?;
            builder = builder.will_props(will.extras.properties()?);
        }
        if let Some(user) = user {
            builder = builder.user_name(user)?;
        }
        if let Some(password) = password {
            builder = builder.password(password)?;
        }
        Ok(builder.build()?.into())
    }

    fn properties(&self) -> Result<Properties, MqttError> {
        let mut all: Vec<Property> = vec![
            RequestResponseInformation::new(1)?.into(),
            RequestProblemInformation::new(1)?.into(),
        ];
        if let Some(seconds) = self.session_expiry {
            all.push(SessionExpiryInterval::new(seconds)?.into());
        }
        for (key, value) in &self.user_properties {
            all.push(UserProperty::new(key.as_str(), value.as_str())?.into());
        }
        Ok(all)
    }
}

/// User properties come as an object or as its JSON text.
fn parsed(value: &Value) -> Value {
    match value {
        Value::Str(text) if text.trim_start_matches(' ').starts_with('{') => {
            json::parse(text).unwrap_or(Value::Undefined)
        }
        other => other.clone(),
    }
}

/// A birth, close or will message of the form.
fn last_words(props: &Object, name: &str) -> Option<Publication> {
    let mut words = Object::new();
    for (key, from) in [
        ("topic", "Topic"),
        ("payload", "Payload"),
        ("qos", "Qos"),
        ("retain", "Retain"),
    ] {
        if let Some(value) = props.get(&format!("{name}{from}")) {
            words.insert(key, value.clone());
        }
    }
    message(&words, props.get(&format!("{name}Msg")))
}

fn message(words: &Object, extras: Option<&Value>) -> Option<Publication> {
    let topic = words
        .get("topic")
        .filter(|topic| topic.truthy())?
        .to_js_string();
    let body = words
        .get("payload")
        .filter(|payload| payload.truthy())
        .unwrap_or(&Value::Undefined);
    let retain = bool_property(words, "retain") == Some(true);
    let number = words
        .get("qos")
        .filter(|qos| qos.truthy())
        .map_or(0.0, Value::to_number);
    let extras = extras
        .and_then(Value::as_object)
        .map(extras_of)
        .unwrap_or_default();
    // (what cannot be written as JSON has no bytes)
    let payload = payload(body).ok()?;
    Some(Publication {
        topic,
        payload,
        qos: qos(number),
        retain,
        extras,
    })
}

/// The MQTT 5 part, whose names in the form are shorter than elsewhere.
fn extras_of(from: &Object) -> Extras {
    let mut from = from.clone();
    for (short, long) in [
        ("respTopic", "responseTopic"),
        ("correl", "correlationData"),
        ("expiry", "messageExpiryInterval"),
        ("delay", "willDelayInterval"),
        ("userProps", "userProperties"),
    ] {
        if let Some(value) = from.get(short).cloned() {
            from.insert(long, value);
        }
    }
    let seconds = |key: &str| {
        int_property(&from, key, 0.0, f64::from(u32::MAX)).map(|seconds| seconds as u32)
    };
    Extras {
        response_topic: text_property(&from, "responseTopic"),
        correlation: buffer_property(&from, "correlationData"),
        content_type: text_property(&from, "contentType"),
        expiry: seconds("messageExpiryInterval"),
        will_delay: seconds("willDelayInterval"),
        user: user_properties(from.get("userProperties").map(parsed).as_ref()),
        ..Extras::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Options {
        let props = json::parse(text).expect("JSON");
        Options::new(props.as_object().expect("an object"), &Object::new()).0
    }

    #[test]
    fn the_url_is_put_together_as_in_node_red() {
        for (props, url) in [
            (r#"{"broker":"h","port":"1884"}"#, "mqtt://h:1884"),
            (
                r#"{"broker":"h","port":8883,"usetls":true}"#,
                "mqtts://h:8883",
            ),
            (r#"{"broker":"h"}"#, "mqtt://h:1883"),
            (r#"{"broker":"","port":"1"}"#, "mqtt://localhost:1883"),
            (r#"{"broker":"::1","port":"1"}"#, "mqtt://[::1]:1"),
            (r#"{"broker":"ws://h/x"}"#, "ws://h/x"),
            (r#"{"url":"tcp://u:1","broker":"h"}"#, "tcp://u:1"),
        ] {
            assert_eq!(options(props).url, url, "{props}");
        }
    }

    #[test]
    fn without_a_client_id_the_session_is_clean() {
        let props = json::parse(r#"{"broker":"h","cleansession":false}"#).expect("JSON");
        let (options, warned) = Options::new(props.as_object().expect("an object"), &Object::new());
        assert!(warned && options.clean && options.sent_client_id.starts_with("nodered"));
    }

    #[test]
    fn last_words_carry_their_properties() {
        let options = options(
            r#"{"broker":"h","protocolVersion":5,"willTopic":"a","willPayload":"b","willQos":"2","willRetain":"true",
                "willMsg":{"contentType":"x","userProps":"{\"k\":\"v\"}","respTopic":"r","correl":"c","expiry":"20","delay":3}}"#,
        );
        let will = options.will.expect("a will");
        assert_eq!(
            (will.topic.as_str(), will.qos as u8, will.retain),
            ("a", 2, true)
        );
        assert_eq!(will.extras.user, [("k".to_owned(), "v".to_owned())]);
        assert_eq!(
            (
                will.extras.expiry,
                will.extras.will_delay,
                will.extras.correlation
            ),
            (Some(20), Some(3), Some(b"c".to_vec()))
        );
    }
}
