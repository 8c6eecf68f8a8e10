//! **filter** (type `rbe`) — lets a message through only when its value has changed (`rbe`, `rbei`), or by how much it has
//! (`deadband`, `deadbandEq`, `narrowband`, `narrowbandEq`; a gap ending in `%` is relative).
//!
//! Values are remembered per topic (`topi`) unless *Apply mode separately for each topic* (`septopics`) is off. `msg.reset`
//! forgets them: that of its topic, or all where it has none.
//!
//! - `rbe`, `rbei`: a value unlike the one before; `rbei` keeps the first one back;
//! - `deadband`, `deadbandEq`: a number that is more than `gap` (or just as much) away from the one before;
//! - `narrowband`, `narrowbandEq`: a number that is less than `gap` (or, of `narrowband`, just as much) away; `start` is
//!   what the first is held against.
//!
//! The one before is the last that passed, or with `inout` `in` the last that came. What is no number gets the warning
//! `no number found in payload`. No message is told to be finished with, as in Node-RED: complete nodes hear nothing of
//! this node.

use super::property::Property;
use std::collections::HashMap;
use vgdc_core::value::{Msg, Object, Value, number};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct FilterConfig {
    #[field(default = "rbe", label = "Mode", choices = [("rbe", "Block unless the value changes"), ("rbei", "Block unless it changes (not the first)"), ("deadband", "Block unless it changes by more than"), ("deadbandEq", "Block unless it changes by at least"), ("narrowband", "Block if it changes by more than"), ("narrowbandEq", "Block if it changes by at least")])]
    func: String,
    #[field(default = "", label = "Change", hint = "a number, or a number and %", when = [not("func", "rbe", "rbei")])]
    gap: String,
    #[field(default = "", label = "Start value", when = [is("func", "narrowband", "narrowbandEq")])]
    start: String,
    #[field(default = "out", label = "Compared with", when = [not("func", "rbe", "rbei")], choices = [("in", "Last input"), ("out", "Last output that was sent")])]
    inout: String,
    #[field(default = "payload", kind = MsgPath, filled = true, label = "Property")]
    property: String,
    #[field(default = true, label = "Each topic by itself")]
    septopics: bool,
    #[field(default = "topic", kind = MsgPath, filled = true, label = "Topic in", when = [is("septopics", true)])]
    topi: String,
}

/// The behaviour.
pub struct Filter {
    func: String,
    gap: f64,
    percent: bool,
    /// What a band begins from; `None`: the first value.
    start: Option<f64>,
    by_input: bool,
    septopics: bool,
    property: Property,
    topic: Property,
    previous: HashMap<String, Value>,
}

#[node(type = "rbe", category = "function", inputs = 1, outputs = 1, effect = State, types = "msg", waits = true, color = "#e2d96e", icon = "rbe.png", label = "filter")]
impl Node for Filter {
    type Config = FilterConfig;

    fn new(config: FilterConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let gap = config.gap.trim();
        let percent = gap.ends_with('%');
        Ok(Filter {
            percent,
            gap: if percent {
                number::parse_float(gap)
            } else {
                number::parse(gap)
            },
            start: (!config.start.is_empty()).then(|| number::parse(&config.start)),
            by_input: config.inout == "in",
            septopics: config.septopics,
            property: Property::parse(&config.property, "payload"),
            topic: Property::parse(&config.topi, "topic"),
            func: if config.func.is_empty() {
                "rbe".to_owned()
            } else {
                config.func
            },
            previous: HashMap::new(),
        })
    }
}

impl Filter {
    /// By exception: whether the value differs from the one before.
    fn changed(&mut self, topic: String, value: Value) -> bool {
        let before = self.previous.get(&topic);
        let first_is_silent = self.func == "rbei" && before.is_none();
        let same = if value.type_of() == "object" {
            let empty = Value::Object(Object::new());
            let before = before
                .filter(|before| before.type_of() == "object")
                .unwrap_or(&empty);
            value.deep_eq(before)
        } else {
            before.unwrap_or(&Value::Undefined).strict_eq(&value)
        };
        if same {
            // (an object that is no news still takes the place of what was no object)
            if before.is_none_or(|before| before.type_of() != "object")
                && value.type_of() == "object"
            {
                self.previous.insert(topic, Value::Object(Object::new()));
            }
            return false;
        }
        self.previous.insert(topic, value);
        !first_is_silent
    }

    /// By how much the value differs from the one before.
    fn outside(&mut self, topic: String, n: f64) -> bool {
        let narrow = self.func.starts_with("narrowband");
        let mut before = self.previous.get(&topic).map(Value::to_number);
        if before.is_none() && narrow {
            before = Some(self.start.unwrap_or(n));
        }
        let gap = match (self.percent, before) {
            (true, Some(before)) => {
                let gap = (before * self.gap / 100.0).abs();
                if gap.is_nan() { 0.0 } else { gap }
            }
            (true, None) => 0.0,
            (false, _) => self.gap,
        };
        let before = before.unwrap_or(n - gap - 1.0);
        let distance = (n - before).abs();
        let passes = if distance == gap {
            self.func == "deadbandEq" || self.func == "narrowband"
        } else if distance > gap {
            self.func.starts_with("deadband")
        } else {
            distance < gap && narrow
        };
        let kept = if passes || self.by_input { n } else { before };
        self.previous.insert(topic, Value::Number(kept));
        passes
    }
}

impl Process for Filter {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        // (what cannot be read counts as missing)
        let topic = self.topic.get(&msg).unwrap_or(Value::Undefined);
        if msg.contains_key("reset") {
            match topic
                .as_str()
                .filter(|topic| self.septopics && !topic.is_empty())
            {
                Some(_) => drop(self.previous.remove(&msg.topic().to_js_string())),
                None => self.previous.clear(),
            }
        }
        let value = self.property.get(&msg).unwrap_or(Value::Undefined);
        let key = if self.septopics && topic.truthy() {
            topic.to_js_string()
        } else {
            "_no_topic".to_owned()
        };
        let passes = if value.is_undefined() {
            false
        } else if self.func.starts_with("rbe") {
            self.changed(key, value)
        } else {
            let n = number::parse_float(&value.to_js_string());
            if n.is_nan() {
                cx.warn("no number found in payload");
                false
            } else {
                self.outside(key, n)
            }
        };
        // (Node-RED's filter never tells that it has finished with a message, so complete nodes hear nothing of it)
        if passes {
            cx.send(0, msg);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(func: &str, gap: f64, percent: bool) -> Filter {
        Filter {
            func: func.into(),
            gap,
            percent,
            start: None,
            by_input: false,
            septopics: true,
            property: Property::parse("", "payload"),
            topic: Property::parse("", "topic"),
            previous: HashMap::new(),
        }
    }

    #[test]
    fn changes_pass() {
        let mut rbe = filter("rbe", 0.0, false);
        let passed: Vec<bool> = [1, 1, 2, 1]
            .into_iter()
            .map(|n| rbe.changed("t".into(), Value::from(n)))
            .collect();
        assert_eq!(passed, [true, false, true, true]);
        let mut rbei = filter("rbei", 0.0, false);
        assert!(
            !rbei.changed("t".into(), Value::from(1)) && rbei.changed("t".into(), Value::from(2))
        );
        let mut dead = filter("deadband", 10.0, false);
        let passed: Vec<bool> = [0.0, 2.0, 10.0, 11.0, 20.0, 22.0]
            .into_iter()
            .map(|n| dead.outside("t".into(), n))
            .collect();
        assert_eq!(passed, [true, false, false, true, false, true]);
    }
}
