//! **trigger** — when a message arrives, sends one thing at once and, after a time without `msg.reset`, another: a
//! time-out, a debounce, a watchdog. A negative duration sends the first thing again and again until it is reset.
//!
//! `extend` begins the time anew with each message; with `overrideDelay`, `msg.delay` (milliseconds) says how long;
//! `bytopic` keeps topics apart; the second thing can leave by a second output.
//!
//! `op1` and `op2` are what is sent (`op1type`, `op2type`): a typed value, a text with `{{…}}` from the message, `pay`
//! the message as it came, `payl` the latest message, `nul` nothing. The time is `duration` in `units` (`ms`, `s`,
//! `min`, `hr`); 0 waits for a reset, and nothing follows. `msg.reset`, or a payload that is the text `reset`, ends it.
//! `bytopic` is `all` or `topic` (the property in `topic`). While something is to come the status is a blue dot, with
//! the number of topics where there are several.

use super::property::Property;
use std::collections::HashMap;
use vgdc_core::shared::NodeEnv;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value, number};
use vgdc_core::{Closing, Cx, Node, NodeError, Process, TimerId};
use vgdc_expr::{Template, TypedValue};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TriggerConfig {
    #[field(default = "1", kind = Typed("op1type"), label = "Send", types = ["str", "num", "bool", "json", "bin", "date", "env", "pay", "flow", "global", "nul"], type_map = [("val", "str")], optional = true)]
    op1: String,
    #[field(default = "str")]
    op1type: String,
    #[field(default = "250", kind = Number, filled = true, label = "then wait for", hint = "0 waits until it is reset; less than 0 sends again at intervals")]
    duration: Value,
    #[field(default = "ms", label = "Unit", choices = [("ms", "Milliseconds"), ("s", "Seconds"), ("min", "Minutes"), ("hr", "Hours")])]
    units: String,
    #[field(json = "\"false\"", shown = Bool, label = "Each new message begins the wait anew")]
    extend: Value,
    #[field(
        name = "overrideDelay",
        default = false,
        label = "msg.delay may override the wait"
    )]
    override_delay: bool,
    #[field(default = "0", kind = Typed("op2type"), label = "then send", types = ["str", "num", "bool", "json", "bin", "date", "env", "pay", "payl", "flow", "global", "nul"], type_map = [("val", "str")], optional = true)]
    op2: String,
    #[field(default = "str")]
    op2type: String,
    #[field(default = "", label = "Reset when msg.payload is")]
    reset: String,
    #[field(default = "all", label = "Handle", choices = [("all", "All messages together"), ("topic", "Each topic by itself")])]
    bytopic: String,
    #[field(default = "topic", kind = MsgPath, filled = true, label = "Topic in", when = [is("bytopic", "topic")])]
    topic: String,
    #[field(json = "1", shown = Number, label = "Second message", choices = [("1", "to the same output"), ("2", "to a second output")])]
    outputs: Value,
}

/// What is sent.
enum What {
    /// The message as it came.
    Payload,
    /// The latest message.
    Latest,
    Nothing,
    Template(Template),
    Typed(TypedValue, Kind),
    /// What cannot be read: an error of each message, as in Node-RED.
    Broken(vgdc_expr::ExprError),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Date,
    Context,
    Other,
}

/// A topic for which something is to come.
struct Active {
    timer: Option<TimerId>,
    /// What is sent when the time is over.
    then: Value,
    /// The message that began it, or extended it.
    msg: Msg,
    extended: bool,
}

/// The behaviour.
pub struct Trigger {
    first: What,
    second: What,
    second_output: bool,
    topic: Property,
    by_topic: bool,
    extend: bool,
    override_delay: bool,
    looping: bool,
    duration_ms: f64,
    reset: String,
    active: HashMap<String, Active>,
    latest: HashMap<String, Msg>,
    env: NodeEnv,
}

impl What {
    fn parse(text: &str, ty: &str) -> What {
        let ty = match (ty, text) {
            ("val", "true" | "false") => "bool",
            ("val", "null") => "null",
            ("val", _) => "str",
            (ty, _) => ty,
        };
        let typed = |ty: &str, text: &str, kind| match TypedValue::parse(ty, text) {
            Ok(value) => What::Typed(value, kind),
            Err(why) => What::Broken(why),
        };
        match ty {
            "pay" => What::Payload,
            "payl" => What::Latest,
            "nul" => What::Nothing,
            "null" => What::Typed(TypedValue::Constant(Value::Null), Kind::Other),
            "str" if text.contains("{{") => match Template::parse(text) {
                Ok(template) => What::Template(template),
                Err(why) => What::Broken(why),
            },
            "date" => {
                let format = if matches!(text, "0" | "1") { "" } else { text };
                typed("date", format, Kind::Date)
            }
            "flow" | "global" => typed(ty, text, Kind::Context),
            "num" if number::parse(text).is_nan() => {
                What::Typed(TypedValue::Constant(Value::Number(f64::NAN)), Kind::Other)
            }
            ty => typed(ty, text, Kind::Other),
        }
    }
}

#[node(type = "trigger", category = "function", inputs = 1, outputs = field("outputs"), effect = State, types = types, waits = true, color = "#e6e0f8", icon = "trigger.svg")]
impl Node for Trigger {
    type Config = TriggerConfig;

    fn new(config: TriggerConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let or = |text: &str, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text.to_owned()
            }
        };
        let given = number::parse_float(&config.duration.to_js_string());
        let given = if given.is_nan() { 250.0 } else { given };
        let unit = match config.units.as_str() {
            "s" => 1000.0,
            "min" => 60_000.0,
            "hr" => 3_600_000.0,
            _ => 1.0,
        };
        let looping = given < 0.0;
        Ok(Trigger {
            first: What::parse(&or(&config.op1, "1"), &or(&config.op1type, "str")),
            second: What::parse(&or(&config.op2, "0"), &or(&config.op2type, "str")),
            second_output: config.outputs.to_number() == 2.0,
            topic: Property::parse(&config.topic, "topic"),
            by_topic: or(&config.bytopic, "all") != "all",
            extend: !looping
                && (config.extend.as_str() == Some("true")
                    || matches!(config.extend, Value::Bool(true))),
            override_delay: config.override_delay,
            looping,
            duration_ms: given.abs() * unit,
            reset: config.reset,
            active: HashMap::new(),
            latest: HashMap::new(),
            env: cx.env(),
        })
    }
}

/// The message with one payload, later with the other.
fn types(t: &mut dyn Typing) {
    let mut payload = t.ty("never");
    for (what, kind, usual) in [("op1", "op1type", "1"), ("op2", "op2type", "0")] {
        let text = match t.text(what) {
            text if text.is_empty() => usual.to_owned(),
            text => text,
        };
        let one = match t.text(kind).as_str() {
            "nul" => continue,
            "pay" | "payl" => t.get("payload"),
            "val" => t.ty("bool | null | string"),
            "null" => t.ty("null"),
            "" | "str" => t.ty("string"),
            "date" if matches!(text.as_str(), "0" | "1") => t.ty("number"),
            "date" => {
                // (a loop sends the time as a number)
                let (shown, number) = (t.typed("date", &text), t.ty("number"));
                t.either(shown, number)
            }
            kind => t.typed(kind, &text),
        };
        payload = t.either(payload, one);
    }
    t.set("payload", payload);
    for output in 0..t.outputs() {
        t.send(output);
    }
}

impl Trigger {
    fn show(&self, cx: &mut Cx<'_>) {
        let mut status = Object::new();
        if !self.active.is_empty() {
            status.insert("fill", "blue");
            status.insert("shape", "dot");
        }
        if self.active.len() > 1 {
            status.insert("text", self.active.len());
        }
        cx.status(status);
    }

    fn topic_of(&self, msg: &Msg) -> Result<String, NodeError> {
        let topic = self.topic.get(msg)?;
        Ok(if self.by_topic && topic.truthy() {
            topic.to_js_string()
        } else {
            "_none".to_owned()
        })
    }

    fn is_reset(&self, msg: &Msg) -> bool {
        let payload = msg.payload();
        msg.contains_key("reset")
            || !self.reset.is_empty()
                && !payload.is_nullish()
                && payload.to_js_string() == self.reset
    }

    fn value(&self, what: &What, msg: &Msg) -> Result<Value, NodeError> {
        let value = match what {
            What::Template(template) => Ok(Value::from(template.render_plain(&msg.to_value()))),
            What::Typed(typed, _) => typed.eval(&self.env, msg),
            What::Broken(why) => Err(why.clone()),
            What::Payload | What::Latest | What::Nothing => return Ok(msg.payload().clone()),
        };
        value.map_err(|e| NodeError::from_value(e.into()))
    }

    fn handle(&mut self, cx: &mut Cx<'_>, msg: Msg) -> Result<(), (NodeError, Msg)> {
        let topic = match self.topic_of(&msg) {
            Ok(topic) => topic,
            Err(error) => return Err((error, msg)),
        };
        if self.is_reset(&msg) {
            if let Some(active) = self.active.remove(&topic)
                && let Some(timer) = active.timer
            {
                cx.clear_timer(timer);
            }
            self.show(cx);
            cx.done_with(&msg);
            return Ok(());
        }
        if matches!(self.second, What::Latest) {
            self.latest.insert(topic.clone(), msg.clone());
        }
        let given = msg
            .get("delay")
            .filter(|_| self.override_delay)
            .map(|delay| number::parse_float(&delay.to_js_string()));
        let delay = given
            .filter(|delay| !delay.is_nan())
            .unwrap_or(self.duration_ms);
        if !self.active.contains_key(&topic) || self.looping {
            self.begin(cx, topic, delay, msg)
        } else {
            if self.extend && delay > 0.0 {
                self.prolong(cx, &topic, delay, &msg);
            }
            cx.done_with(&msg);
            Ok(())
        }
    }

    fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        topic: String,
        delay: f64,
        mut msg: Msg,
    ) -> Result<(), (NodeError, Msg)> {
        let then = match &self.second {
            What::Nothing => Ok(Value::Undefined),
            what => self.value(what, &msg),
        };
        let then = match then {
            Ok(then) => then,
            Err(error) => return Err((error, msg)),
        };
        if matches!(
            self.first,
            What::Template(_) | What::Typed(..) | What::Broken(_)
        ) {
            match self.value(&self.first, &msg) {
                Ok(value) => msg.set_payload(value),
                Err(error) => return Err((error, msg)),
            }
        }
        if let Some(old) = self.active.remove(&topic)
            && let Some(timer) = old.timer
        {
            cx.clear_timer(timer);
        }
        let silent = matches!(self.first, What::Nothing);
        let timer = (delay != 0.0 && !(self.looping && silent)).then(|| cx.set_timer_ms(delay));
        self.active.insert(
            topic,
            Active {
                timer,
                then,
                msg: msg.clone(),
                extended: false,
            },
        );
        cx.done_with(&msg);
        self.show(cx);
        if !silent {
            cx.send(0, msg);
        }
        Ok(())
    }

    fn prolong(&mut self, cx: &mut Cx<'_>, topic: &str, delay: f64, msg: &Msg) {
        let latest = matches!(self.second, What::Latest);
        let Some(active) = self.active.get_mut(topic) else {
            return;
        };
        if latest {
            active.then = msg.payload().clone();
        }
        if let Some(timer) = active.timer.take() {
            cx.clear_timer(timer);
        }
        active.timer = Some(cx.set_timer_ms(delay));
        active.msg = msg.clone();
        active.extended = true;
    }

    fn again(&mut self, cx: &mut Cx<'_>, topic: &str) {
        let delay = self.duration_ms;
        let date = matches!(self.first, What::Typed(_, Kind::Date));
        let Some(active) = self.active.get_mut(topic) else {
            return;
        };
        active.timer = Some(cx.set_timer_ms(delay));
        let mut msg = active.msg.clone();
        if date {
            msg.set_payload(cx.now_ms().floor());
        }
        cx.send(0, msg);
    }

    fn over(&mut self, cx: &mut Cx<'_>, topic: &str) {
        let Some(active) = self.active.remove(topic) else {
            return;
        };
        let output = usize::from(self.second_output);
        let Active {
            mut then,
            mut msg,
            extended,
            ..
        } = active;
        let fresh = match &self.second {
            What::Typed(_, Kind::Context) => true,
            What::Typed(_, Kind::Date) => !extended,
            _ => false,
        };
        if fresh {
            match self.value(&self.second, &msg) {
                Ok(value) => then = value,
                Err(error) => return cx.error(error, None),
            }
        }
        let sent = match &self.second {
            What::Nothing => None,
            What::Latest if !extended => self.latest.remove(topic),
            _ => {
                msg.set_payload(then);
                Some(msg)
            }
        };
        // (an extended time tells of its end before it sends)
        if extended {
            self.show(cx);
        }
        if let Some(msg) = sent {
            cx.send(output, msg);
        }
        if !extended {
            self.show(cx);
        }
    }
}

impl Process for Trigger {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if let Err((error, msg)) = self.handle(cx, msg) {
            cx.error(error, Some(&msg));
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let topic = self
            .active
            .iter()
            .find(|(_, active)| active.timer == Some(timer))
            .map(|(topic, _)| topic.clone());
        let Some(topic) = topic else { return };
        if self.looping {
            self.again(cx, &topic)
        } else {
            self.over(cx, &topic)
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        self.active.clear();
        self.show(cx);
        None
    }
}
