//! Messages.

use crate::{Key, Object, Value};
use std::ops::{Deref, DerefMut};

/// A message: an object that by habit has `payload`, `topic` and `_msgid`.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Msg(Object);

impl Msg {
    /// An empty message.
    pub fn new() -> Msg {
        Msg::default()
    }

    /// A message with a payload.
    pub fn with_payload(payload: impl Into<Value>) -> Msg {
        let mut msg = Msg::new();
        msg.insert(Key::PAYLOAD, payload);
        msg
    }

    /// The payload; undefined when there is none.
    pub fn payload(&self) -> &Value {
        self.0.get_key(&Key::PAYLOAD).unwrap_or(&Value::Undefined)
    }

    /// Sets the payload.
    pub fn set_payload(&mut self, payload: impl Into<Value>) {
        self.0.insert(Key::PAYLOAD, payload);
    }

    /// The topic; undefined when there is none.
    pub fn topic(&self) -> &Value {
        self.0.get_key(&Key::TOPIC).unwrap_or(&Value::Undefined)
    }

    /// The message's id.
    pub fn id(&self) -> Option<&str> {
        self.0.get_key(&Key::MSGID).and_then(Value::as_str)
    }

    /// Gives it an id, when it has none (or one that JavaScript takes for none).
    pub fn ensure_id(&mut self) {
        if !self.0.get_key(&Key::MSGID).is_some_and(Value::truthy) {
            self.0.insert(Key::MSGID, crate::generate_id_str());
        }
    }

    /// The message as an object.
    pub fn into_object(self) -> Object {
        self.0
    }

    /// The message as a value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// The message as a value; shares its properties.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

impl Deref for Msg {
    type Target = Object;
    fn deref(&self) -> &Object {
        &self.0
    }
}

impl DerefMut for Msg {
    fn deref_mut(&mut self) -> &mut Object {
        &mut self.0
    }
}

impl From<Object> for Msg {
    fn from(object: Object) -> Self {
        Msg(object)
    }
}

impl From<Msg> for Value {
    fn from(msg: Msg) -> Self {
        Value::Object(msg.0)
    }
}

impl TryFrom<Value> for Msg {
    type Error = Value;
    /// Only a plain object can be a message; anything else comes back.
    fn try_from(value: Value) -> Result<Self, Value> {
        match value {
            Value::Object(object) => Ok(Msg(object)),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gets_an_id_once() {
        let mut msg = Msg::with_payload(7);
        assert_eq!(
            (msg.payload(), msg.topic(), msg.id()),
            (&Value::from(7), &Value::Undefined, None)
        );
        msg.ensure_id();
        let id = msg.id().map(str::to_owned);
        msg.ensure_id();
        assert!(id.is_some() && msg.id() == id.as_deref());
        assert_eq!(Msg::try_from(msg.to_value()), Ok(msg));
        assert_eq!(Msg::try_from(Value::from(1)), Err(Value::from(1)));
    }
}
