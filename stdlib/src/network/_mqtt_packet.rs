//! MQTT messages as nodes have them, and topics: what may be published to, subscribed to, and what matches what.

use mqtt_protocol_core::mqtt::common::{ArcPayload, IntoPayload};
use mqtt_protocol_core::mqtt::packet::{
    ContentType, CorrelationData, MessageExpiryInterval, Packet, PayloadFormat,
    PayloadFormatIndicator, Properties, Property, Qos, ResponseTopic, TopicAlias, UserProperty,
    WillDelayInterval, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::prelude::PropertyValueAccess;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use vgdc_core::value::{Object, Value, json, number};

/// What MQTT 5 says about a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// Where an answer is wanted.
    pub response_topic: Option<String>,
    /// What the answer is to carry.
    pub correlation: Option<Vec<u8>>,
    /// The payload's media type.
    pub content_type: Option<String>,
    /// Seconds after which the broker forgets the message.
    pub expiry: Option<u32>,
    /// True: the payload is text.
    pub is_text: Option<bool>,
    /// A number that stands for the topic on this connection.
    pub topic_alias: Option<u16>,
    /// Seconds that the broker waits before it sends a will.
    pub will_delay: Option<u32>,
    /// Names and values.
    pub user: Vec<(String, String)>,
    /// The numbers of the subscriptions by which the message came.
    pub subscriptions: Vec<u32>,
}

impl Extras {
    /// As properties of a packet. What is too long for MQTT is an error.
    ///
    /// # Errors
    /// A text or buffer of more than 65,535 bytes.
    pub fn properties(&self) -> Result<Properties, MqttError> {
        let mut all: Vec<Property> = Vec::new();
        if let Some(text) = &self.response_topic {
            all.push(ResponseTopic::new(text.as_str())?.into());
        }
        if let Some(bytes) = &self.correlation {
            all.push(CorrelationData::new(bytes)?.into());
        }
        if let Some(text) = &self.content_type {
            all.push(ContentType::new(text.as_str())?.into());
        }
        if let Some(seconds) = self.expiry {
            all.push(MessageExpiryInterval::new(seconds)?.into());
        }
        if let Some(is_text) = self.is_text {
            let format = if is_text {
                PayloadFormat::String
            } else {
                PayloadFormat::Binary
            };
            all.push(PayloadFormatIndicator::new(format)?.into());
        }
        if let Some(alias) = self.topic_alias {
            all.push(TopicAlias::new(alias)?.into());
        }
        if let Some(seconds) = self.will_delay {
            all.push(WillDelayInterval::new(seconds)?.into());
        }
        for (key, value) in &self.user {
            all.push(UserProperty::new(key.as_str(), value.as_str())?.into());
        }
        Ok(all)
    }

    fn read(properties: &Properties) -> Extras {
        let mut extras = Extras::default();
        for property in properties {
            match property {
                Property::ResponseTopic(text) => {
                    extras.response_topic = Some(text.val().to_owned())
                }
                Property::CorrelationData(bytes) => extras.correlation = Some(bytes.val().to_vec()),
                Property::ContentType(text) => extras.content_type = Some(text.val().to_owned()),
                Property::MessageExpiryInterval(seconds) => extras.expiry = Some(seconds.val()),
                Property::PayloadFormatIndicator(_) => {
                    extras.is_text = property.as_u8().map(|format| format == 1)
                }
                Property::TopicAlias(alias) => extras.topic_alias = Some(alias.val()),
                Property::SubscriptionIdentifier(number) => extras.subscriptions.push(number.val()),
                Property::UserProperty(pair) => extras
                    .user
                    .push((pair.key().to_owned(), pair.val().to_owned())),
                _ => {}
            }
        }
        extras
    }
}

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The topic.
    pub topic: String,
    /// The bytes.
    pub payload: ArcPayload,
    /// Quality of service.
    pub qos: Qos,
    /// The broker is to keep it for later subscribers.
    pub retain: bool,
    /// What MQTT 5 adds; ignored by earlier versions.
    pub extras: Extras,
}

impl Publication {
    /// As a packet; `id` is needed for qualities of service above 0.
    ///
    /// # Errors
    /// Too long for MQTT, or a topic that cannot be published to.
    pub fn packet(&self, v5: bool, id: Option<u16>) -> Result<Packet, MqttError> {
        if !v5 {
            let mut builder = v3_1_1::Publish::builder()
                .topic_name(self.topic.as_str())?
                .qos(self.qos)
                .retain(self.retain);
            if let Some(id) = id {
                builder = builder.packet_id(id);
            }
            return Ok(builder.payload(self.payload.clone()).build()?.into());
        }
        let mut builder = v5_0::Publish::builder()
            .topic_name(self.topic.as_str())?
            .qos(self.qos)
            .retain(self.retain);
        if let Some(id) = id {
            builder = builder.packet_id(id);
        }
        let properties = self.extras.properties()?;
        if !properties.is_empty() {
            builder = builder.props(properties);
        }
        Ok(builder.payload(self.payload.clone()).build()?.into())
    }

    /// Bytes it takes, roughly.
    pub fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + 64
    }
}

/// A message that came.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The topic.
    pub topic: String,
    /// The bytes.
    pub payload: ArcPayload,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// It is one that the broker had kept.
    pub retain: bool,
    /// What MQTT 5 says about it; `None` in earlier versions.
    pub extras: Option<Box<Extras>>,
}

impl From<v3_1_1::Publish> for Arrived {
    fn from(packet: v3_1_1::Publish) -> Self {
        Arrived {
            topic: packet.topic_name().to_owned(),
            payload: packet.payload().clone(),
            qos: packet.qos() as u8,
            retain: packet.retain(),
            extras: None,
        }
    }
}

impl From<v5_0::Publish> for Arrived {
    fn from(packet: v5_0::Publish) -> Self {
        Arrived {
            topic: packet.topic_name().to_owned(),
            payload: packet.payload().clone(),
            qos: packet.qos() as u8,
            retain: packet.retain(),
            extras: Some(Box::new(Extras::read(&packet.props))),
        }
    }
}

/// What the payload of a message becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datatype {
    /// A buffer.
    Buffer,
    /// Base64 text.
    Base64,
    /// Text.
    Utf8,
    /// What the JSON text means; no JSON is an error.
    Json,
    /// Text when it is text, else a buffer.
    Auto,
    /// As `Auto`, and what the text means when it is JSON.
    AutoDetect,
}

impl Datatype {
    /// By the form's word.
    pub fn of(text: &str) -> Datatype {
        match text {
            "buffer" => Datatype::Buffer,
            "base64" => Datatype::Base64,
            "utf8" => Datatype::Utf8,
            "json" => Datatype::Json,
            "auto-detect" => Datatype::AutoDetect,
            _ => Datatype::Auto,
        }
    }
}

/// A quality of service from its number; others are 0.
pub fn qos(number: f64) -> Qos {
    match number {
        1.0 => Qos::AtLeastOnce,
        2.0 => Qos::ExactlyOnce,
        _ => Qos::AtMostOnce,
    }
}

/// What a payload is on the wire: buffers as they are, objects as JSON, nothing as nothing, all else as text.
///
/// # Errors
/// The object cannot be written as JSON.
pub fn payload(value: &Value) -> Result<ArcPayload, vgdc_core::NodeError> {
    Ok(match value {
        Value::Undefined | Value::Null => ().into_payload(),
        Value::Buffer(bytes) => (&**bytes).into_payload(),
        Value::Str(text) => (&**text).into_payload(),
        Value::Number(_) | Value::Bool(_) => value.to_js_string().into_payload(),
        other if other.type_of() == "object" => {
            let text = json::stringify(other, 0)
                .map_err(|e| vgdc_core::NodeError::from_value(e.into()))?;
            text.unwrap_or_default().into_payload()
        }
        other => other.to_js_string().into_payload(),
    })
}

/// A text property: only a text that is not empty counts.
pub fn text_property(from: &Object, key: &str) -> Option<String> {
    from.get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A whole number within limits, read as `parseInt` reads it.
pub fn int_property(from: &Object, key: &str, min: f64, max: f64) -> Option<f64> {
    let value = number::parse_float(&from.get(key)?.to_js_string()).trunc();
    (value >= min && value <= max).then_some(value)
}

/// True or false, or one of the words.
pub fn bool_property(from: &Object, key: &str) -> Option<bool> {
    match from.get(key)? {
        Value::Bool(value) => Some(*value),
        Value::Str(text) if &**text == "true" => Some(true),
        Value::Str(text) if &**text == "false" => Some(false),
        _ => None,
    }
}

/// A buffer, or what `Buffer.from` makes of a text or an array.
pub fn buffer_property(from: &Object, key: &str) -> Option<Vec<u8>> {
    match from.get(key)? {
        Value::Buffer(bytes) => Some(bytes.to_vec()),
        Value::Str(text) if !text.is_empty() => Some(text.as_bytes().to_vec()),
        Value::Array(items) => Some(
            items
                .iter()
                .map(|item| number::to_int32(item.to_number()) as u8)
                .collect(),
        ),
        _ => None,
    }
}

/// User properties: texts as they are, other values as JSON, what is nothing left out.
pub fn user_properties(value: Option<&Value>) -> Vec<(String, String)> {
    let Some(Value::Object(pairs)) = value else {
        return Vec::new();
    };
    let text = |value: &Value| match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Undefined | Value::Null => None,
        // (what cannot be written is left out, as in Node-RED)
        other => json::stringify(other, 0).ok().flatten(),
    };
    pairs
        .iter()
        .filter_map(|(key, value)| Some((key.as_str().to_owned(), text(value)?)))
        .collect()
}

/// True for a topic that can be published to.
pub fn is_publish_topic(topic: &str) -> bool {
    let forbidden = |c: char| {
        matches!(
            c,
            '+' | '#' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' | '\u{b}' | '\0'
        )
    };
    !topic.is_empty() && !topic.contains(forbidden)
}

/// True for a filter that can be subscribed to: `+` and `#` stand alone between slashes, `#` at the end.
pub fn is_subscription(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        let fits = match level {
            "+" => true,
            "#" => last,
            other => !other.contains(['+', '#']),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// A subscription's filter, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    levels: Vec<String>,
    /// `#` at the end: anything below, and the level itself.
    open: bool,
    all: bool,
}

impl Filter {
    /// Takes a filter apart; that of a shared subscription is what follows its name.
    pub fn parse(text: &str) -> Filter {
        let text = match text
            .strip_prefix("$share/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((_, filter)) => filter,
            None => text,
        };
        let mut levels: Vec<String> = text.split('/').map(str::to_owned).collect();
        let open = levels.len() > 1 && levels.last().is_some_and(|level| level == "#");
        if open {
            levels.pop();
        }
        Filter {
            levels,
            open,
            all: text == "#",
        }
    }

    /// True when messages of this topic come by this filter. A `+` is at least one character, as in Node-RED.
    pub fn matches(&self, topic: &str) -> bool {
        if self.all {
            return true;
        }
        let mut parts = topic.split('/');
        for level in &self.levels {
            match parts.next() {
                Some(part) if level == "+" && !part.is_empty() || part == level => {}
                _ => return false,
            }
        }
        self.open || parts.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_node_reds_do() {
        for (filter, topic, matches) in [
            ("#", "a/b", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("a/+", "a/b", true),
            ("a/+", "a/", false),
            ("a/+", "a/b/c", false),
            ("+/b", "a/b", true),
            ("+/+", "a/b", true),
            ("a.b", "axb", false),
            ("$share/x/a/+", "a/b", true),
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("+/#", "a", true),
        ] {
            assert_eq!(
                Filter::parse(filter).matches(topic),
                matches,
                "{filter} {topic}"
            );
        }
    }

    #[test]
    fn topics_are_checked() {
        for (topic, valid) in [
            ("#", true),
            ("a/#", true),
            ("a/#/b", false),
            ("a+", false),
            ("+/+/#", true),
            ("a#", false),
            ("", true),
            ("/", true),
        ] {
            assert_eq!(is_subscription(topic), valid, "{topic}");
        }
        for (topic, valid) in [
            ("a/b", true),
            ("", false),
            ("a/+", false),
            ("a\n", false),
            ("$SYS", true),
        ] {
            assert_eq!(is_publish_topic(topic), valid, "{topic}");
        }
    }
}
