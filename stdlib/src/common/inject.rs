//! **inject** — begins messages: when its button is pressed, once after the start, at an interval, or at times of day.
//!
//! Each of its properties sets a property of the message: a text, number, boolean, JSON, buffer, timestamp, JSONata
//! expression, environment variable, or what the flow or global context holds. They are set in order: a JSONata expression
//! sees those before it.
//!
//! *Interval between times* and *at a specific time* are cron expressions in the machine's time zone; seconds, `L`, `W` and `#`
//! can be used when they are typed in by hand.
//!
//! `repeat` is the interval in seconds, at most 2,147,483 (else `Interval too large` is told, and `crontab` counts);
//! `crontab` counts where there is no interval. With `once` the first message comes after `onceDelay` seconds (0.1).
//! `props` has the properties as `p`, `v`, `vt`; without it, flows from before there were several have `payload`,
//! `payloadType` and `topic`.
//!
//! A property that cannot be set is an error to catch, with what is wrong with all of them; nothing is sent then.

use super::cron::Schedule;
use vgdc_core::spec::FieldSpec;
use vgdc_core::spec::Typing;
use vgdc_core::value::{ErrorValue, Msg, Object, Path, Value};
use vgdc_core::{Cx, Level, Node, NodeError, Process, TimerId};
use vgdc_expr::TypedValue;
use vgdc_macros_node::{Config, fields, node};

/// A property of the message, in forms.
const PROPERTY: &[FieldSpec] = fields![
    (name = "p", kind = MsgPath, label = "msg.", required = true),
    (
        name = "v",
        kind = Typed("vt"),
        label = "Value",
        types = [
            "str", "num", "bool", "json", "bin", "date", "jsonata", "env", "msg", "flow", "global"
        ]
    ),
    (name = "vt", default = "str", hidden = true),
];

/// The form's properties. `payload`, `payloadType` and `topic` are those of flows written before `props`.
#[derive(Config)]
pub struct InjectConfig {
    #[field(json = "null", begin_json = "[{\"p\":\"payload\"},{\"p\":\"topic\",\"vt\":\"str\"}]", label = "Properties", items = PROPERTY)]
    props: Value,
    #[field(default = false, label = "Inject once after the start")]
    once: bool,
    #[field(name = "onceDelay", json = "0.1", shown = Number, label = "after (seconds)", when = [is("once", true)])]
    once_delay: Value,
    #[field(json = "\"\"", shown = Number, label = "Repeat every (seconds)", hint = "empty: not")]
    repeat: Value,
    #[field(
        default = "",
        label = "or at times (cron)",
        hint = "minute hour day month weekday"
    )]
    crontab: String,
    #[field(json = "null", begin = "", hidden = true)]
    topic: Value,
    #[field(json = "null", begin = "", kind = Typed("payloadType"), types = ["flow", "global", "str", "num", "bool", "json", "bin", "date", "jsonata", "env"], hidden = true)]
    payload: Value,
    #[field(name = "payloadType", json = "null", begin = "date", hidden = true)]
    payload_type: Value,
}

/// The longest interval that Node-RED's timers can take, in seconds.
const LONGEST: f64 = 2_147_483.0;

/// The behaviour.
pub struct Inject {
    props: Vec<Prop>,
    repeat: Repeat,
    /// The timer that begins a message: the delayed first one, the next of the interval or of the schedule.
    timer: Option<TimerId>,
    /// When it is due, in milliseconds since the epoch.
    due: f64,
    /// It is the first one.
    first: bool,
}

enum Repeat {
    Never,
    /// Milliseconds.
    Every(f64),
    At(Box<Schedule>),
}

/// One property to set. What is wrong with it is said when a message is begun.
struct Prop {
    path: Result<Path, String>,
    value: Result<TypedValue, String>,
    jsonata: bool,
}

#[node(type = "inject", category = "common", inputs = 0, outputs = 1, effect = Source, types = types, text = Properties, color = "#a6bbcf", icon = "inject.svg", button = Inject)]
impl Node for Inject {
    type Config = InjectConfig;

    fn new(config: InjectConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let props = props_of(&config);
        for prop in props.iter().filter(|prop| text_of(prop, "vt") == "jsonata") {
            if let Err(error) = TypedValue::parse("jsonata", &text_of(prop, "v")) {
                cx.error(
                    format!("Invalid JSONata expression: {}", error.message),
                    None,
                );
            }
        }
        let repeat = repeat_of(&config, cx)?;
        let props = props.iter().filter_map(Prop::read).collect();
        let mut inject = Inject {
            props,
            repeat,
            timer: None,
            due: 0.0,
            first: config.once,
        };
        if config.once {
            let delay = if config.once_delay.truthy() {
                config.once_delay.to_number()
            } else {
                0.1
            };
            // (1 ms is the least that Node.js waits)
            inject.timer = Some(cx.set_timer_ms((delay * 1000.0).max(1.0)));
        } else {
            inject.arm(cx);
        }
        Ok(inject)
    }
}

/// Its properties, in their order. (What a button brings along is not on the wires.)
fn types(t: &mut dyn Typing) {
    let (given, own) = (t.message(), t.ty("object{}"));
    let message = t.either(given, own);
    t.set_message(message);
    let (props, list) = (t.literal("props"), t.ty("array<any>"));
    if !t.may_be(props, list) {
        old_properties(t, true, true);
    }
    for at in 0..t.count("props") {
        let path = t.text(&format!("props.{at}.p"));
        let kind = t.text(&format!("props.{at}.vt"));
        match (
            path.as_str(),
            kind.as_str(),
            t.has(&format!("props.{at}.v")),
        ) {
            ("payload", _, false) => old_properties(t, true, false),
            ("topic", "str", false) => old_properties(t, false, true),
            _ => {
                let text = t.text(&format!("props.{at}.v"));
                set_typed(t, &path, &kind, &text);
            }
        }
    }
    t.send(0);
}

fn old_properties(t: &mut dyn Typing, payload: bool, topic: bool) {
    if payload {
        let (kind, text) = (t.text("payloadType"), t.text("payload"));
        set_typed(t, "payload", &kind, &text);
    }
    if topic {
        let text = t.text("topic");
        set_typed(t, "topic", "str", &text);
    }
}

fn set_typed(t: &mut dyn Typing, path: &str, kind: &str, text: &str) {
    let kind = if kind.is_empty() { "str" } else { kind };
    let nothing = kind == "jsonata" && text.is_empty();
    if !path.is_empty() && !nothing {
        let ty = t.typed(kind, text);
        t.set(path, ty);
    }
}

fn repeat_of(config: &InjectConfig, cx: &mut Cx<'_>) -> Result<Repeat, NodeError> {
    let seconds = match config.repeat.truthy() {
        true => config.repeat.to_number(),
        false => 0.0,
    };
    if seconds > LONGEST {
        cx.error("Interval too large", None);
    } else if seconds > 0.0 {
        let ms = seconds * 1000.0;
        cx.log(
            Level::Debug,
            format!("repeat = {}", Value::from(ms).to_js_string()),
        );
        return Ok(Repeat::Every(ms.max(1.0)));
    }
    if config.crontab.is_empty() {
        return Ok(Repeat::Never);
    }
    cx.log(Level::Debug, format!("crontab = {}", config.crontab));
    Ok(Repeat::At(Box::new(Schedule::parse(&config.crontab)?)))
}

/// The properties to set, as objects with `p`, `v` and `vt`; those of old flows in the same form.
fn props_of(config: &InjectConfig) -> Vec<Object> {
    let Value::Array(props) = &config.props else {
        let payload = prop("payload", &config.payload, &config.payload_type);
        return vec![payload, prop("topic", &config.topic, &Value::from("str"))];
    };
    let objects = props.iter().filter_map(Value::as_object);
    objects
        .map(|given| {
            match (
                text_of(given, "p").as_str(),
                text_of(given, "vt").as_str(),
                given.contains_key("v"),
            ) {
                ("payload", _, false) => prop("payload", &config.payload, &config.payload_type),
                ("topic", "str", false) => prop("topic", &config.topic, &Value::from("str")),
                _ => given.clone(),
            }
        })
        .collect()
}

fn prop(p: &str, v: &Value, vt: &Value) -> Object {
    let mut prop = Object::new();
    prop.insert("p", p);
    for (key, value) in [("v", v), ("vt", vt)] {
        if !value.is_nullish() {
            prop.insert(key, value.clone());
        }
    }
    prop
}

fn text_of(object: &Object, key: &str) -> String {
    object
        .get(key)
        .filter(|value| !value.is_nullish())
        .map(Value::to_js_string)
        .unwrap_or_default()
}

impl Prop {
    /// Reads a property; `None` when there is nothing to set.
    fn read(prop: &Object) -> Option<Prop> {
        let (path, text) = (text_of(prop, "p"), text_of(prop, "v"));
        let ty = match text_of(prop, "vt") {
            ty if ty.is_empty() => "str".to_owned(),
            ty => ty,
        };
        let jsonata = ty == "jsonata";
        if path.is_empty() || (jsonata && text.is_empty()) {
            return None;
        }
        let told = |error: ErrorValue| {
            if jsonata {
                error.message.to_string()
            } else {
                error.to_string()
            }
        };
        Some(Prop {
            path: Path::parse(&path).map_err(|error| format!("Error: {}", error.message)),
            value: TypedValue::parse(&ty, &text).map_err(told),
            jsonata,
        })
    }

    fn set(&self, cx: &Cx<'_>, msg: &mut Msg) -> Result<(), String> {
        let value = self.value.as_ref().map_err(Clone::clone)?;
        let value = value
            .eval(&cx.env(), msg)
            .map_err(|error| match self.jsonata {
                true => format!("Invalid JSONata expression: {}", error.message),
                false => error.to_string(),
            })?;
        let path = self.path.as_ref().map_err(Clone::clone)?;
        let set = |msg: &mut Msg, value| {
            path.set(msg, value, true)
                .map_err(|error| format!("Error: {}", error.message))
        };
        if value.is_undefined() {
            // (the way to what is not there is made all the same)
            set(msg, Value::Null)?;
        }
        set(msg, value)?;
        Ok(())
    }
}

impl Inject {
    /// Sets the timer for the next message by interval or schedule.
    fn arm(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now_ms();
        self.timer = match &self.repeat {
            Repeat::Never => None,
            Repeat::Every(ms) => {
                // (from when this one was due, so that intervals do not drift; after a long stop, from now)
                let from = if self.due > 0.0 && (now - self.due) < *ms {
                    self.due
                } else {
                    now
                };
                self.due = from + ms;
                Some(cx.set_timer_ms((self.due - now).max(0.0)))
            }
            Repeat::At(schedule) => schedule.next_after(now).map(|due| {
                self.due = due;
                // (a time further away than timers reach is waited for in parts)
                cx.set_timer_ms((due - now).clamp(0.0, LONGEST * 1000.0))
            }),
        };
    }

    fn begin(&mut self, cx: &mut Cx<'_>, mut msg: Msg, props: Option<Vec<Prop>>) {
        let mut errors = Vec::new();
        for prop in props.as_ref().unwrap_or(&self.props) {
            if let Err(error) = prop.set(cx, &mut msg) {
                errors.push(error);
            }
        }
        if errors.is_empty() {
            msg.ensure_id();
            cx.send_done(msg);
        } else {
            cx.error(errors.join("; "), Some(&msg));
        }
    }
}

impl Process for Inject {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let given = msg.remove("__user_inject_props__");
        let props = match &given {
            Some(Value::Array(props)) => Some(
                props
                    .iter()
                    .filter_map(Value::as_object)
                    .filter_map(Prop::read)
                    .collect(),
            ),
            _ => None,
        };
        self.begin(cx, msg, props);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        if self.timer != Some(timer) {
            return;
        }
        let waited_in_parts =
            !self.first && matches!(self.repeat, Repeat::At(_)) && cx.now_ms() < self.due;
        if !waited_in_parts {
            self.first = false;
            // (it gets its id when it is sent, as the last of its properties)
            self.begin(cx, Msg::new(), None);
        }
        self.arm(cx);
    }

    fn button(&mut self, cx: &mut Cx<'_>, msg: Option<Value>) -> Result<(), NodeError> {
        let mut msg = match msg {
            None | Some(Value::Undefined | Value::Null) => Msg::new(),
            Some(value) => Msg::try_from(value).map_err(|_| {
                NodeError::new("the message of a button must be an object").with_code("bad-field")
            })?,
        };
        msg.ensure_id();
        self.input(cx, msg);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::{Value as Json, json};
    use vgdc_core::value::Value;

    fn injected(inject: Json) -> Value {
        let flow = Flow::start(json!([inject, { "id": "h", "type": "helper" }]));
        flow.button("i", None);
        flow.one_received("h")
    }

    fn with_props(props: Json) -> Json {
        json!({ "id": "i", "type": "inject", "props": props, "payload": "p", "payloadType": "str", "topic": "t", "wires": [["h"]] })
    }

    #[test]
    fn sets_properties_by_their_types() {
        let got = injected(with_props(json!([
            { "p": "payload" }, { "p": "topic", "vt": "str" },
            { "p": "n", "v": "12.5", "vt": "num" }, { "p": "b", "v": "true", "vt": "bool" },
            { "p": "j", "v": "{\"a\":[1]}", "vt": "json" }, { "p": "deep.x[1]", "v": "y", "vt": "str" },
            { "p": "twice", "v": "n * 2", "vt": "jsonata" }, { "p": "none", "v": "", "vt": "jsonata" },
        ])));
        assert_eq!(got.get("payload"), "p".into());
        assert_eq!(got.get("topic"), "t".into());
        assert_eq!(got.get("n"), 12.5.into());
        assert_eq!(got.get("b"), true.into());
        assert_eq!(got.get("j").get("a").get("0"), 1.into());
        assert_eq!(got.get("deep").get("x").get("1"), "y".into());
        assert_eq!(got.get("twice"), 25.into());
        assert!(got.get("none").is_undefined());
        assert!(got.get("_msgid").as_str().is_some());
    }

    #[test]
    fn knows_flows_from_before_props() {
        let got = injected(
            json!({ "id": "i", "type": "inject", "payload": "7", "payloadType": "num", "topic": "t", "wires": [["h"]] }),
        );
        assert_eq!(
            (got.get("payload"), got.get("topic")),
            (7.into(), "t".into())
        );
    }

    #[test]
    fn a_button_can_bring_its_own_properties() {
        let flow = Flow::start(
            json!([with_props(json!([{ "p": "payload" }])), { "id": "h", "type": "helper" }]),
        );
        flow.button(
            "i",
            Some(json!({ "__user_inject_props__": [{ "p": "topic", "v": "own", "vt": "str" }] })),
        );
        let got = flow.one_received("h");
        assert_eq!(
            (got.get("topic"), got.get("payload")),
            ("own".into(), Value::Undefined)
        );
        assert!(got.get("__user_inject_props__").is_undefined());
    }

    #[test]
    fn raises_all_its_errors_as_one() {
        let flow = Flow::start(json!([
            with_props(json!([{ "p": "payload", "v": "{", "vt": "json" }, { "p": "a", "v": "$nope()", "vt": "jsonata" }])),
            { "id": "h", "type": "helper" },
        ]));
        flow.button("i", None);
        let errors = flow.errors("i");
        assert_eq!(errors.len(), 1, "{errors:?}");
        let text = errors[0].to_js_string();
        assert!(
            text.starts_with("SyntaxError: ") && text.contains("; Invalid JSONata expression: "),
            "{text}"
        );
        assert!(flow.received("h").is_empty());
    }

    #[test]
    fn begins_by_itself_once_and_at_an_interval() {
        let flow = Flow::start(json!([
            { "id": "i", "type": "inject", "once": true, "onceDelay": 0.01, "repeat": "0.02", "props": [{ "p": "payload", "v": "1", "vt": "num" }], "wires": [["h"]] },
            { "id": "h", "type": "helper" },
        ]));
        assert_eq!(flow.wait_received("h", 3).len(), 3);
    }

    #[test]
    fn begins_on_schedule() {
        let flow = Flow::start(json!([
            { "id": "i", "type": "inject", "crontab": "* * * * * *", "props": [{ "p": "payload", "v": "1", "vt": "num" }], "wires": [["h"]] },
            { "id": "h", "type": "helper" },
        ]));
        assert_eq!(flow.wait_received("h", 1).len(), 1);
    }

    #[test]
    fn refuses_bad_times() {
        let flow = Flow::start(json!([
            { "id": "long", "type": "inject", "repeat": "2147484", "wires": [] },
            { "id": "cron", "type": "inject", "crontab": "99 * * * *", "wires": [] },
        ]));
        assert_eq!(flow.errors("long"), ["Interval too large".into()]);
        assert_eq!(flow.state("long"), "started");
        assert_eq!(flow.state("cron"), "failed");
    }
}
