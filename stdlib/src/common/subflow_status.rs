//! **subflow-status** — the status output of a subflow: what arrives becomes the status of the instance.
//!
//! `msg.payload` as a text is the status' text; as an object with `fill`, `shape` or `text` (or an empty one) it is the
//! status; anything else is shown as text. Without a payload, `msg.status` is taken: what a status node inside sends.

use super::inspect::inspect;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// It has no properties.
#[derive(Config)]
pub struct SubflowStatusConfig {}

/// Tells the instance, its only target.
pub struct SubflowStatus {
    instance: Option<String>,
}

/// What the instance gets as an event.
pub(crate) struct NewStatus(pub(crate) Value);

#[node(type = "subflow-status", category = "subflows", inputs = 1, outputs = 0, effect = Io)]
impl Node for SubflowStatus {
    type Config = SubflowStatusConfig;

    fn new(
        SubflowStatusConfig {}: SubflowStatusConfig,
        cx: &mut Cx<'_>,
    ) -> Result<Self, NodeError> {
        let instance = cx.targets().first().map(|info| info.id.clone());
        Ok(SubflowStatus { instance })
    }
}

impl Process for SubflowStatus {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if let (Some(instance), Some(status)) = (&self.instance, status_of(&msg)) {
            cx.notify(instance, Box::new(NewStatus(status)));
        }
    }
}

/// The status that a message stands for; `None` when it has neither payload nor status.
fn status_of(msg: &Msg) -> Option<Value> {
    match msg.payload() {
        Value::Undefined => msg
            .get("status")
            .filter(|status| !status.is_undefined())
            .map(qualified),
        Value::Str(text) => Some(text_status(text)),
        Value::Object(object) if looks_like_a_status(object) => Some(msg.payload().clone()),
        other => Some(text_status(&shortened(&inspect(other, 2)))),
    }
}

fn looks_like_a_status(object: &Object) -> bool {
    object.is_empty()
        || ["text", "fill", "shape"]
            .iter()
            .any(|key| object.contains_key(key))
}

fn text_status(text: &str) -> Value {
    let mut status = Object::new();
    status.insert("text", text);
    Value::Object(status)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(32) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A status that names one of Node-RED's texts does so with the catalog's name.
fn qualified(status: &Value) -> Value {
    let mut status = status.clone();
    if let Value::Object(object) = &mut status
        && let Some(text) = object.get("text").and_then(Value::as_str)
        && text.starts_with("common.")
    {
        let text = format!("node-red:{text}");
        object.insert("text", text);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_core::value::json;

    fn msg(text: &str) -> Msg {
        match json::parse(text).map(Msg::try_from) {
            Ok(Ok(msg)) => msg,
            _ => panic!("not a message: {text}"),
        }
    }

    #[test]
    fn takes_its_status_from_what_it_gets() {
        let cases = [
            (r#"{"payload":"a"}"#, r#"{"text":"a"}"#),
            (r#"{"payload":{"fill":"red"}}"#, r#"{"fill":"red"}"#),
            (r#"{"payload":{}}"#, "{}"),
            (r#"{"payload":{"a":1}}"#, r#"{"text":"{ a: 1 }"}"#),
            (r#"{"payload":123}"#, r#"{"text":"123"}"#),
            (
                r#"{"status":{"text":"common.status.connected"}}"#,
                r#"{"text":"node-red:common.status.connected"}"#,
            ),
        ];
        for (given, expected) in cases {
            let expected = json::parse(expected).unwrap_or_default();
            assert_eq!(status_of(&msg(given)), Some(expected), "{given}");
        }
        assert!(status_of(&msg("{}")).is_none());
    }
}
