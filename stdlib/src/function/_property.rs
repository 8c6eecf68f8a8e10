//! A node's "property" field: where in the message it reads and writes.

use vgdc_core::NodeError;
use vgdc_core::value::{ErrorValue, Msg, Path, PathError, Value};

/// A property expression. One that cannot be read is an error of each message, as in Node-RED, not of the start.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) path: Result<Path, PathError>,
}

impl Property {
    /// Reads an expression; an empty one stands for `default`.
    pub(crate) fn parse(text: &str, default: &str) -> Property {
        let text = if text.is_empty() { default } else { text };
        Property {
            path: Path::parse(text.strip_prefix("msg.").unwrap_or(text)),
        }
    }

    /// The value there; undefined when the last step leads nowhere.
    ///
    /// # Errors
    /// What `RED.util.getMessageProperty` throws.
    pub(crate) fn get(&self, msg: &Msg) -> Result<Value, NodeError> {
        self.path()?.get_in(msg).map_err(thrown)
    }

    /// Puts a value there; false when something in its way is no object.
    ///
    /// # Errors
    /// What `RED.util.setMessageProperty` throws.
    pub(crate) fn set(&self, msg: &mut Msg, value: Value) -> Result<bool, NodeError> {
        let create = !value.is_undefined();
        self.path()?.set(msg, value, create).map_err(thrown)
    }

    fn path(&self) -> Result<&Path, NodeError> {
        self.path.as_ref().map_err(|error| thrown(error.clone()))
    }
}

/// An `Error` with a code for an expression that cannot be read, else the `TypeError` of a step that cannot be taken.
fn thrown(error: PathError) -> NodeError {
    let value = if error.code.is_empty() {
        ErrorValue::new("TypeError", error.message)
    } else {
        ErrorValue::new("Error", error.message).with("code", error.code)
    };
    NodeError::from_value(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_says_so_when_it_is_used() {
        let mut msg = Msg::with_payload(5);
        assert_eq!(
            Property::parse("", "payload").get(&msg).ok(),
            Some(Value::from(5))
        );
        let text = |property: &str| {
            Property::parse(property, "payload")
                .get(&msg)
                .map_err(|error| error.text())
        };
        assert_eq!(
            text("a..b"),
            Err("Error: Invalid property expression: unexpected . at position 2".to_owned())
        );
        assert_eq!(
            text("x.y"),
            Err("TypeError: Cannot read properties of undefined (reading 'y')".to_owned())
        );
        assert_eq!(
            Property::parse("msg.payload", "").get(&msg).ok(),
            Some(Value::from(5))
        );
        assert_eq!(
            Property::parse("x.y", "")
                .set(&mut msg, Value::from(1))
                .ok(),
            Some(true)
        );
        assert_eq!(msg.get("x").map(|x| x.get("y")), Some(Value::from(1)));
    }
}
