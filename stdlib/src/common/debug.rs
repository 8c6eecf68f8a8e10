//! **debug** — shows a property of messages, whole messages, or the result of a JSONata expression: in the sidebar (an event
//! of the control protocol), on the console (the log), or as the node's own status.
//!
//! The status can show the same value, another property, another JSONata expression, or a count of messages. With the same
//! value, a message that carries an error or a status is shown as such.
//!
//! `complete` is the property (empty or `false`: the payload), `true` for the whole message, or an expression
//! (`targetType`: `jsonata`). `active` off silences the sidebar alone. `statusType` is `auto` (the same value),
//! `counter`, `msg` or `jsonata`, of `statusVal`. A status has at most `debugStatusLength` characters (32 unless that
//! setting is given); a value with `fill`, `shape` and `text` is shown as that status. An expression that cannot be read
//! keeps the node from starting; one that fails is an error.

use super::inspect::{cut, inspect, inspect_with};
use std::sync::Arc;
use vgdc_core::value::{Handle, Msg, Object, Path, PathSegment, Rare, Value};
use vgdc_core::{Closing, Cx, EventKind, Level, Node, NodeError, Process, TimerId};
use vgdc_expr::TypedValue;
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct DebugConfig {
    #[field(default = "", label = "Name")]
    name: String,
    #[field(default = "false", kind = Typed("targetType"), label = "Output", types = ["msg", "full", "jsonata"], optional = true)]
    complete: String,
    #[field(name = "targetType", default = "")]
    target_type: String,
    #[field(default = true, label = "Show in the debug panel")]
    tosidebar: bool,
    #[field(default = false, label = "Write to the system console")]
    console: bool,
    #[field(default = false, label = "Show as the node's status")]
    tostatus: bool,
    #[field(name = "statusVal", default = "", kind = Typed("statusType"), label = "Status", when = [is("tostatus", true)], types = ["auto", "counter", "msg", "jsonata"], optional = true)]
    status_val: String,
    #[field(name = "statusType", default = "auto")]
    status_type: String,
    #[field(default = true, label = "Switched on")]
    active: bool,
}

/// The behaviour.
pub struct Debug {
    name: String,
    active: bool,
    sidebar: bool,
    console: bool,
    /// What is logged is coloured.
    colors: bool,
    output: Output,
    status: Option<Status>,
    /// Kept for the texts of errors, as Node-RED gives them.
    expression: String,
}

/// What is shown.
enum Output {
    Whole,
    Property(Property),
    Jsonata(TypedValue),
}

/// A property; one that cannot be read shows as undefined.
struct Property {
    text: String,
    path: Option<Path>,
}

impl Property {
    fn new(text: &str) -> Property {
        Property {
            text: text.to_owned(),
            path: Path::parse(text).ok(),
        }
    }

    fn of(&self, msg: &Msg) -> Value {
        let Some(path) = &self.path else {
            return Value::Undefined;
        };
        let mut value = path.get(&msg.to_value()).unwrap_or_default();
        if has_circles(&value) {
            rebase_circles(&mut value, path.segments());
        }
        value
    }
}

/// True when an object inside this value is inside itself.
fn has_circles(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(has_circles),
        Value::Array(items) => items.iter().any(has_circles),
        Value::Rare(rare) => matches!(**rare, Rare::Circular(_)),
        _ => false,
    }
}

/// Circles are told by the path from the outermost value: for a property shown by itself that is the property.
fn rebase_circles(value: &mut Value, base: &[PathSegment]) {
    match value {
        Value::Object(object) => object
            .values_mut()
            .for_each(|value| rebase_circles(value, base)),
        Value::Array(items) => items
            .make_mut()
            .iter_mut()
            .for_each(|value| rebase_circles(value, base)),
        Value::Rare(rare) => {
            if let Rare::Circular(path) = Arc::make_mut(rare)
                && path.starts_with(base)
            {
                path.drain(..base.len());
            }
        }
        _ => {}
    }
}

/// What the status shows.
struct Status {
    kind: StatusKind,
    /// UTF-16 units that are shown.
    length: usize,
    /// The status that was set last.
    shown: Option<Value>,
}

enum StatusKind {
    /// The output; of a whole message, its payload.
    Auto,
    Property(Property),
    Jsonata(TypedValue),
    Counter(Counter),
}

/// Counts messages; while they come quickly, the count is shown only when they pause.
struct Counter {
    count: u64,
    last: f64,
    pause: Option<TimerId>,
}

#[node(type = "debug", category = "common", inputs = 1, outputs = 0, effect = Io, types = "msg", text = First("complete"), color = "#87a980", icon = "debug.svg", button = Toggle)]
impl Node for Debug {
    type Config = DebugConfig;

    fn new(config: DebugConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        if config.tostatus {
            cx.set_status("grey", "ring", "");
        }
        if config.status_type == "counter" {
            show_count(cx, 0);
        } else {
            let parts = [("fill", ""), ("shape", ""), ("text", "")];
            cx.status(Value::Object(parts.into_iter().collect::<Object>()));
        }
        let invalid = || NodeError::new(format!("Invalid JSONata expression: {}", config.complete));
        let parse = |text: &str| TypedValue::parse("jsonata", text).map_err(|_| invalid());
        let complete = match config.complete.as_str() {
            "" | "false" => "payload",
            complete => complete,
        };
        let output = match complete {
            _ if config.target_type == "jsonata" && !config.complete.is_empty() => {
                Output::Jsonata(parse(&config.complete)?)
            }
            "true" => Output::Whole,
            property => Output::Property(Property::new(property)),
        };
        let kind = match config.status_type.as_str() {
            "auto" => StatusKind::Auto,
            "counter" => StatusKind::Counter(Counter {
                count: 0,
                last: cx.now_ms(),
                pause: None,
            }),
            "jsonata" if !config.status_val.is_empty() => {
                StatusKind::Jsonata(parse(&config.status_val)?)
            }
            _ if config.status_val.is_empty() => StatusKind::Property(Property::new(complete)),
            _ => StatusKind::Property(Property::new(&config.status_val)),
        };
        let length = cx
            .setting("debugStatusLength")
            .as_f64()
            .filter(|length| *length >= 1.0)
            .unwrap_or(32.0) as usize;
        Ok(Debug {
            active: config.active,
            colors: cx.setting("debugUseColors").truthy(),
            sidebar: config.tosidebar,
            console: config.console,
            output,
            status: config.tostatus.then_some(Status {
                kind,
                length,
                shown: None,
            }),
            expression: config.complete,
            name: config.name,
        })
    }
}

impl Debug {
    /// What is shown of a message.
    ///
    /// # Errors
    /// The JSONata expression fails.
    fn output(&self, cx: &Cx<'_>, msg: &Msg) -> Result<Value, NodeError> {
        match &self.output {
            Output::Whole => Ok(msg.to_value()),
            Output::Property(property) => Ok(property.of(msg)),
            Output::Jsonata(expression) => self.evaluate(expression, cx, msg),
        }
    }

    fn evaluate(
        &self,
        expression: &TypedValue,
        cx: &Cx<'_>,
        msg: &Msg,
    ) -> Result<Value, NodeError> {
        let failed = |_| NodeError::new(format!("Invalid JSONata expression: {}", self.expression));
        expression.eval(&cx.env(), msg).map_err(failed)
    }

    fn show_status(&mut self, cx: &mut Cx<'_>, msg: &Msg) {
        let value = match self.status.as_mut().map(|status| &mut status.kind) {
            None => return,
            Some(StatusKind::Counter(counter)) => return counter.add(cx),
            Some(StatusKind::Property(property)) => Ok(property.of(msg)),
            Some(StatusKind::Auto) => match &self.output {
                Output::Whole => Ok(msg.payload().clone()),
                _ => self.output(cx, msg),
            },
            Some(StatusKind::Jsonata(_)) => match &self.status {
                Some(Status {
                    kind: StatusKind::Jsonata(expression),
                    ..
                }) => self.evaluate(expression, cx, msg),
                _ => return,
            },
        };
        match (value, &mut self.status) {
            (Ok(value), Some(status)) => status.show(cx, msg, &value),
            (Ok(_), None) => {}
            (Err(error), _) => cx.error(error, None),
        }
    }

    fn log(&self, cx: &mut Cx<'_>, value: &Value) {
        if !self.console {
            return;
        }
        let text = match value {
            Value::Str(text) if text.contains('\n') => format!("\n{text}"),
            Value::Str(text) => text.to_string(),
            value if value.type_of() == "object" => {
                format!("\n{}", inspect_with(value, 10, self.colors))
            }
            value => inspect_with(value, 2, self.colors),
        };
        cx.log(Level::Info, text);
    }

    fn show(&self, cx: &mut Cx<'_>, msg: &Msg, value: Value) {
        if !(self.active && self.sidebar) {
            return;
        }
        cx.debug(|| EventKind::Debug {
            name: self.name.clone(),
            topic: msg.topic().clone(),
            property: match &self.output {
                Output::Property(property) => property.text.clone(),
                Output::Whole | Output::Jsonata(_) => String::new(),
            },
            format: format_of(&value),
            value,
        });
    }
}

impl Status {
    fn is_expression(&self) -> bool {
        matches!(self.kind, StatusKind::Jsonata(_))
    }

    fn show(&mut self, cx: &mut Cx<'_>, msg: &Msg, value: &Value) {
        let (mut fill, mut shape) = (Value::from("grey"), Value::from("dot"));
        let mut text = match value {
            Value::Str(text) => text.to_string(),
            value => inspect(value, 2),
        };
        let part = |key: &str| Some(value.get(key)).filter(Value::truthy);
        if value.is_object()
            && let (Some(own_fill), Some(own_shape), Some(own_text)) =
                (part("fill"), part("shape"), part("text"))
        {
            (fill, shape, text) = (own_fill, own_shape, own_text.to_js_string());
        }
        if let StatusKind::Auto = self.kind {
            if let Some(error) = msg.get("error") {
                (fill, text) = ("red".into(), error.get("message").to_js_string());
            }
            if let Some(status) = msg.get("status") {
                let or = |key: &str, other: &str| {
                    Some(status.get(key))
                        .filter(Value::truthy)
                        .unwrap_or(other.into())
                };
                (fill, shape, text) = (
                    or("fill", "grey"),
                    or("shape", "ring"),
                    or("text", "").to_js_string(),
                );
            }
        }
        if let (shown, true) = cut(&text, self.length) {
            text = format!("{shown}...");
        }
        let status: Object = [
            ("fill", fill),
            ("shape", shape),
            ("text", Value::from(text)),
        ]
        .into_iter()
        .collect();
        let status = Value::Object(status);
        if self.shown.as_ref().is_none_or(|shown| !shown.same(&status)) {
            cx.status(status.clone());
            self.shown = Some(status);
        }
    }
}

impl Counter {
    fn add(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now_ms();
        let since = now - self.last;
        self.last = now;
        self.count += 1;
        if since > 100.0 {
            return show_count(cx, self.count);
        }
        if let Some(pause) = self.pause.take() {
            cx.clear_timer(pause);
        }
        self.pause = Some(cx.set_timer_ms(200.0));
    }
}

fn show_count(cx: &mut Cx<'_>, count: u64) {
    let parts = [
        ("fill", Value::from("blue")),
        ("shape", "ring".into()),
        ("text", Value::Number(count as f64)),
    ];
    cx.status(Value::Object(parts.into_iter().collect::<Object>()));
}

/// What kind of value it is, as Node-RED's sidebar names it.
fn format_of(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Str(text) => format!("string[{}]", text.encode_utf16().count()),
        Value::Buffer(bytes) => format!("buffer[{}]", bytes.len()),
        Value::Date(_) => "Date".to_owned(),
        Value::Array(items) => format!("array[{}]", items.len()),
        Value::Object(_) => "Object".to_owned(),
        Value::Handle(handle) => format_of_handle(handle).to_owned(),
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(_) => "bigint".to_owned(),
            Rare::RegExp { .. } => "regexp".to_owned(),
            Rare::Map(_) => "map".to_owned(),
            Rare::Set(values) => format!("set[{}]", values.len()),
            Rare::Error(_) => "error".to_owned(),
            Rare::Circular(_) => "Object".to_owned(),
        },
    }
}

fn format_of_handle(handle: &Handle) -> &'static str {
    match handle.kind() {
        "function" => "function",
        _ => "Object",
    }
}

impl Process for Debug {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        // (a status node that listens to this very node would go on for ever)
        let source = msg
            .get("status")
            .map(|status| status.get("source").get("id"));
        if source.is_some_and(|id| id.as_str() == Some(cx.id())) {
            return cx.done_with(&msg);
        }
        // (Node-RED evaluates expressions later; a value that is one, too, comes after the status)
        let is_late = !matches!(self.output, Output::Jsonata(_))
            && self.status.as_ref().is_some_and(Status::is_expression);
        if !is_late {
            self.show_status(cx, &msg);
        }
        match self.output(cx, &msg) {
            Ok(value) => {
                self.log(cx, &value);
                self.show(cx, &msg, value);
                cx.done_with(&msg);
            }
            Err(error) => cx.error(error, None),
        }
        if is_late {
            self.show_status(cx, &msg);
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        if let Some(Status {
            kind: StatusKind::Counter(counter),
            ..
        }) = &mut self.status
            && counter.pause == Some(timer)
        {
            counter.pause = None;
            show_count(cx, counter.count);
        }
    }

    fn activate(&mut self, _cx: &mut Cx<'_>, active: bool) {
        self.active = active;
    }

    fn close(&mut self, cx: &mut Cx<'_>, _removed: bool) -> Closing {
        if self.status.is_some() {
            cx.status(Value::Object(Object::new()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::{Value as Json, json};
    use vgdc_core::value::Value;

    fn flow(mut debug: Json) -> Flow {
        debug["id"] = "d".into();
        debug["type"] = "debug".into();
        Flow::start(json!([debug]))
    }

    fn shown(debug: Json, msg: Json) -> (String, String, Value) {
        let flow = flow(debug);
        flow.receive("d", msg);
        match flow.debugs("d").as_slice() {
            [one] => one.clone(),
            other => panic!("expected one value, got {other:?}"),
        }
    }

    #[test]
    fn names_the_format_of_what_it_shows() {
        let cases = [
            (json!("test"), "string[4]"),
            (json!("😀"), "string[2]"),
            (json!(1), "number"),
            (json!(true), "boolean"),
            (Json::Null, "null"),
            (json!([1, 2]), "array[2]"),
            (json!({ "a": 1 }), "Object"),
            (json!({ "$type": "buffer", "base64": "AQID" }), "buffer[3]"),
            (json!({ "$type": "undefined" }), "undefined"),
            (json!({ "$type": "set", "values": [1, 2] }), "set[2]"),
            (json!({ "$type": "map", "entries": [] }), "map"),
            (
                json!({ "$type": "date", "iso": "2026-01-02T03:04:05.678Z" }),
                "Date",
            ),
            (
                json!({ "$type": "regexp", "source": "a", "flags": "" }),
                "regexp",
            ),
            (
                json!({ "$type": "error", "name": "Error", "message": "m", "stack": "" }),
                "error",
            ),
        ];
        for (payload, format) in cases {
            let (property, got, _) = shown(json!({}), json!({ "payload": payload }));
            assert_eq!(
                (property.as_str(), got.as_str()),
                ("payload", format),
                "{payload}"
            );
        }
    }

    #[test]
    fn shows_a_property_a_message_or_an_expression() {
        let msg = json!({ "_msgid": "1", "payload": "p", "a": { "b": 2 } });
        assert_eq!(
            shown(json!({ "complete": "a.b" }), msg.clone()),
            ("a.b".into(), "number".into(), 2.into())
        );
        assert_eq!(
            shown(json!({ "complete": "no.such.thing" }), msg.clone()).1,
            "undefined"
        );
        let (property, format, value) = shown(json!({ "complete": "true" }), msg.clone());
        assert_eq!((property.as_str(), format.as_str()), ("", "Object"));
        assert_eq!(value.get("a").get("b"), 2.into());
        let expression = json!({ "complete": "\"<\" & payload & \">\"", "targetType": "jsonata" });
        assert_eq!(
            shown(expression, msg),
            ("".into(), "string[3]".into(), "<p>".into())
        );
    }

    #[test]
    fn tells_circles_from_the_property_that_it_shows() {
        let circular = |path: Json| json!({ "$type": "circular", "path": path });
        let msg = json!({ "_msgid": "1", "payload": { "a": { "o": circular(json!(["payload", "a"])) } } });
        let (_, _, value) = shown(json!({ "complete": "payload.a" }), msg);
        let expected = json!({ "o": circular(json!([])) }).to_string();
        assert_eq!(vgdc_core::value::control::encode(&value), expected);
    }

    #[test]
    fn can_be_switched_off_and_on() {
        let flow = flow(json!({ "active": false }));
        flow.receive("d", json!({ "payload": 1 }));
        assert!(flow.debugs("d").is_empty());
        flow.activate("d", true);
        flow.receive("d", json!({ "payload": 2 }));
        assert_eq!(flow.debugs("d").len(), 1);
    }

    #[test]
    fn writes_to_the_console() {
        let cases = [
            (json!("one line"), "one line"),
            (json!("two\nlines"), "\ntwo\nlines"),
            (json!({ "type": "foo" }), "\n{ type: 'foo' }"),
            (Json::Null, "\nnull"),
            (json!(5), "5"),
        ];
        for (payload, expected) in cases {
            let flow = flow(json!({ "console": "true" }));
            flow.receive("d", json!({ "payload": payload }));
            assert_eq!(flow.logs("d"), [("info".to_owned(), expected.into())]);
        }
    }

    #[test]
    fn shows_what_it_gets_as_its_status() {
        let long = "x".repeat(40);
        let cases = [
            (
                json!({}),
                json!({ "payload": "hi" }),
                ("grey", "dot", "hi".to_owned()),
            ),
            (
                json!({}),
                json!({ "payload": { "a": 1 } }),
                ("grey", "dot", "{ a: 1 }".to_owned()),
            ),
            (
                json!({}),
                json!({ "payload": long }),
                ("grey", "dot", format!("{}...", "x".repeat(32))),
            ),
            (
                json!({ "complete": "true" }),
                json!({ "payload": 4 }),
                ("grey", "dot", "4".to_owned()),
            ),
            (
                json!({}),
                json!({ "payload": { "fill": "red", "shape": "ring", "text": "own" } }),
                ("red", "ring", "own".to_owned()),
            ),
            (
                json!({}),
                json!({ "payload": 1, "error": { "message": "bad" } }),
                ("red", "dot", "bad".to_owned()),
            ),
            (
                json!({}),
                json!({ "payload": 1, "status": { "text": "st" } }),
                ("grey", "ring", "st".to_owned()),
            ),
            (
                json!({ "statusType": "msg", "statusVal": "topic" }),
                json!({ "payload": 1, "topic": "t" }),
                ("grey", "dot", "t".to_owned()),
            ),
            (
                json!({ "statusType": "jsonata", "statusVal": "payload + 1" }),
                json!({ "payload": 1 }),
                ("grey", "dot", "2".to_owned()),
            ),
        ];
        for (mut debug, msg, (fill, shape, text)) in cases {
            debug["tostatus"] = true.into();
            let flow = flow(debug.clone());
            flow.receive("d", msg);
            let last = flow.statuses("d").last().cloned().unwrap_or_default();
            assert_eq!(last.get("fill"), fill.into(), "{debug}");
            assert_eq!(last.get("shape"), shape.into(), "{debug}");
            assert_eq!(last.get("text"), text.into(), "{debug}");
        }
    }

    #[test]
    fn counts_messages() {
        let flow = flow(json!({ "tostatus": true, "statusType": "counter" }));
        for n in 0..3 {
            flow.receive("d", json!({ "payload": n }));
        }
        let last = flow.wait_status("d", |status| status.get("text") == 3.into());
        assert_eq!(last.get("fill"), "blue".into());
    }

    #[test]
    fn does_not_answer_its_own_status() {
        let flow = flow(json!({}));
        flow.receive(
            "d",
            json!({ "payload": 1, "status": { "text": "", "source": { "id": "d" } } }),
        );
        assert!(flow.debugs("d").is_empty());
    }

    #[test]
    fn fails_to_start_with_a_bad_expression() {
        let flow = flow(json!({ "complete": "(", "targetType": "jsonata" }));
        assert_eq!(flow.errors("d"), ["Invalid JSONata expression: (".into()]);
    }
}
