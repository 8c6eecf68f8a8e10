//! **join** — puts a sequence of messages together into one.
//!
//! - *automatic*: by `msg.parts`, as **split** made it;
//! - *manual*: into a text, a buffer, an array, an object keyed by a property, or a merged object; after so many parts, a
//!   time, or a message with `msg.complete`;
//! - *reduce*: by a JSONata expression over the parts (`$A` the result so far, `$I` the index, `$N` the count).
//!
//! `msg.reset` forgets the parts that wait, `msg.restartTimeout` begins the time anew. At most
//! `nodeMessageBufferMaxLength` messages wait to be reduced, if that setting is given.
//!
//! `property` is what is taken of each message (`propertyType` `full`: all of it); `build` is `string`, `buffer`,
//! `array`, `object` or `merged`. `joiner` goes between texts and buffers, an array of bytes where `joinerType` is
//! `bin`; `key` is the property that names a part. `count` and `timeout` (seconds) say when it is sent; with
//! `accumulate` the parts are kept, and what they make is sent again with every part that follows, until `msg.complete`.
//! `useparts` off leaves what the parts say of themselves aside.
//!
//! `reduceExp` is applied part by part (`reduceRight`: from the last), beginning with `reduceInit`; `reduceFixup` makes
//! the result of it.
//!
//! A message without `parts` in the mode *automatic*, and what cannot be merged, get a warning; what cannot be joined to
//! a buffer is an error to catch.

use super::delimiter::{bytes_of, type_error, unescape, wrong_type};
use super::order::ByName;
use super::reduce::{Form, Reduce};
use crate::common::inspect::cut;
use crate::function::property::Property;
use vgdc_core::value::{Array, ErrorValue, Key, Msg, Object, Value, json};
use vgdc_core::{Closing, Completion, Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct JoinConfig {
    #[field(default = "auto", label = "Mode", choices = [("auto", "Automatic"), ("custom", "Manual"), ("reduce", "Reduce a sequence")])]
    mode: String,
    #[field(default = "payload", shown = Typed("propertyType"), label = "Combine", when = [is("mode", "custom")], types = ["msg", "full"])]
    property: String,
    #[field(name = "propertyType", default = "msg")]
    property_type: String,
    #[field(default = "array", begin = "object", label = "to", when = [is("mode", "custom")], choices = [("string", "A text"), ("buffer", "A buffer"), ("array", "An array"), ("object", "An object"), ("merged", "A merged object")])]
    build: String,
    #[field(default = "topic", kind = MsgPath, label = "with the key in", when = [is("mode", "custom"), is("build", "object")])]
    key: String,
    #[field(default = "", begin = "\\n", shown = Typed("joinerType"), label = "joined with", when = [is("mode", "custom"), is("build", "string", "buffer")], types = ["str", "bin"])]
    joiner: String,
    #[field(name = "joinerType", default = "str")]
    joiner_type: String,
    #[field(json = "null", begin = "", kind = Number, label = "Send after this many messages", when = [is("mode", "custom")])]
    count: Value,
    #[field(json = "false", shown = Bool, label = "and each one that follows", when = [is("mode", "custom"), is("build", "object", "merged")])]
    accumulate: Value,
    #[field(json = "\"\"", kind = Number, label = "Send after (seconds)", when = [is("mode", "custom")])]
    timeout: Value,
    #[field(json = "true", begin = false, shown = Bool, label = "Use msg.parts", when = [is("mode", "custom")])]
    useparts: Value,
    #[field(name = "reduceExp", default = "", shown = Jsonata, label = "Reduce with", when = [is("mode", "reduce")])]
    reduce_exp: String,
    #[field(name = "reduceInit", default = "", kind = Typed("reduceInitType"), label = "Initial value", when = [is("mode", "reduce")], types = ["str", "num", "bool", "json", "bin", "date", "jsonata", "env", "flow", "global"], optional = true)]
    reduce_init: String,
    #[field(name = "reduceInitType", default = "")]
    reduce_init_type: String,
    #[field(name = "reduceRight", default = false, label = "From the last to the first", when = [is("mode", "reduce")])]
    reduce_right: bool,
    #[field(name = "reduceFixup", default = "", shown = Jsonata, label = "Finally", when = [is("mode", "reduce")])]
    reduce_fixup: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Auto,
    Custom,
    Reduce,
    /// What the form does not know: as *manual*, but `msg.parts` is always used.
    Other,
}

enum Payload {
    Keyed(Object),
    /// By index; `None` where a part has not come.
    Listed(Vec<Option<Value>>),
}

/// A sequence to be joined.
struct Group {
    kind: String,
    payload: Payload,
    current: usize,
    target: f64,
    msg: Msg,
    /// What binds texts or buffers; what it is not made for is told at the end.
    joiner: Value,
    array_length: f64,
    property: String,
    timer: Option<TimerId>,
    dones: Vec<Completion>,
}

/// The behaviour.
pub struct Join {
    mode: Mode,
    build: String,
    property: String,
    whole: bool,
    key: Property,
    key_text: String,
    joiner: Value,
    use_parts: bool,
    accumulate: bool,
    timer_ms: f64,
    count: f64,
    count_is_empty: bool,
    /// `None` in reduce mode: the node is invalid (it has said so).
    reduce: Option<Reduce>,
    groups: ByName<Group>,
}

#[node(type = "join", category = "sequence", inputs = 1, outputs = 1, effect = State, types = "object{..}", waits = true, color = "#e2d96e", icon = "join.svg")]
impl Node for Join {
    type Config = JoinConfig;

    fn new(config: JoinConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mode = match config.mode.as_str() {
            "custom" => Mode::Custom,
            "reduce" => Mode::Reduce,
            "auto" | "" => Mode::Auto,
            _ => Mode::Other,
        };
        let wrong = |name, why: &str| NodeError::from_value(ErrorValue::new(name, why).into());
        let joiner = match config.joiner_type.as_str() {
            "bin" => match json::parse(if config.joiner.is_empty() {
                "[]"
            } else {
                &config.joiner
            }) {
                Ok(Value::Array(items)) => Value::from(bytes_of(&items)),
                Ok(_) => return Err(wrong("Error", "not an array")),
                Err(error) => return Err(wrong("SyntaxError", &error.message)),
            },
            "str" | "" => Value::from(unescape(&config.joiner)),
            _ => Value::from(config.joiner.as_str()),
        };
        let whole = config.property_type == "full";
        let or = |text: &str, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text.to_owned()
            }
        };
        let key_text = or(&config.key, "topic");
        let mut reduce = None;
        if mode == Mode::Reduce {
            let init = cx.props().contains_key("reduceInit");
            let form = Form {
                step: &config.reduce_exp,
                fixup: &config.reduce_fixup,
                init: init.then_some((&config.reduce_init_type, &config.reduce_init)),
                right: config.reduce_right,
            };
            match Reduce::new(&form, cx) {
                Ok(made) => reduce = Some(made),
                Err(error) => cx.error(error, None),
            }
        }
        let timeout = config.timeout.to_number();
        let count = config.count.to_number();
        Ok(Join {
            mode,
            build: or(&config.build, "array"),
            property: if whole {
                "payload".to_owned()
            } else {
                or(&config.property, "payload")
            },
            whole,
            key: Property::parse(&key_text, "topic"),
            key_text,
            joiner,
            use_parts: config.useparts.truthy(),
            accumulate: matches!(config.accumulate, Value::Bool(true)),
            timer_ms: if mode == Mode::Auto || timeout.is_nan() {
                0.0
            } else {
                timeout * 1000.0
            },
            count: if count.is_nan() { 0.0 } else { count },
            count_is_empty: config.count.as_str() == Some(""),
            reduce,
            groups: ByName::default(),
        })
    }
}

/// A part of what says where a message is in its sequence.
fn part(msg: &Msg, key: &str) -> Value {
    msg.get("parts")
        .map_or(Value::Undefined, |parts| parts.get(key))
}

/// Whether the message says such a thing of itself.
fn has_part(msg: &Msg, key: &str) -> bool {
    matches!(msg.get("parts"), Some(Value::Object(parts)) if parts.contains_key(key))
}

impl Join {
    fn join(&mut self, cx: &mut Cx<'_>, mut msg: Msg) -> Result<(), NodeError> {
        let mut property = if self.whole {
            msg.to_value()
        } else {
            match Property::parse(&self.property, "payload").get(&msg) {
                Ok(value) => value,
                Err(_) => {
                    cx.warn(format!("Message property {} not found", self.property));
                    cx.done_with(&msg);
                    return Ok(());
                }
            }
        };
        if let Some(parts) = msg.get("parts").filter(|parts| parts.is_nullish()) {
            let what = parts.to_js_string();
            let asked = match self.mode {
                Mode::Auto => Some("hasOwnProperty"),
                Mode::Custom if !self.use_parts => Some("hasOwnProperty"),
                _ => self.count_is_empty.then_some("count"),
            };
            if let Some(asked) = asked {
                let why = format!("Cannot read properties of {what} (reading '{asked}')");
                return Err(type_error(why));
            }
        }
        if self.mode == Mode::Auto && !has_part(&msg, "id") {
            if msg.contains_key("reset") {
                self.groups = ByName::default();
            } else {
                cx.warn("Message missing msg.parts property - cannot join in 'auto' mode");
            }
            cx.done_with(&msg);
            return Ok(());
        }
        if self.mode == Mode::Custom && !self.use_parts && msg.contains_key("parts") {
            if has_part(&msg, "parts") {
                let mut parts = Object::new();
                parts.insert("parts", part(&msg, "parts"));
                msg.insert("parts", parts);
            } else {
                msg.remove("parts");
            }
            if self.whole {
                // (the message that is put in has lost them, too)
                property = msg.to_value();
            }
        }
        let mut id = "_".to_owned();
        let (kind, mut target, joiner, key, array_length, index, path);
        if self.mode == Mode::Auto {
            id = part(&msg, "id").to_js_string();
            kind = part(&msg, "type").to_js_string();
            target = part(&msg, "count").to_number();
            joiner = part(&msg, "ch");
            key = part(&msg, "key");
            array_length = part(&msg, "len").to_number();
            index = part(&msg, "index").to_number();
            let name = part(&msg, "property");
            path = if name.truthy() {
                name.to_js_string()
            } else {
                "payload".to_owned()
            };
            property = Property::parse(&path, "payload").get(&msg)?;
        } else {
            kind = self.build.clone();
            target = self.count;
            joiner = self.joiner.clone();
            (array_length, index) = (f64::NAN, f64::NAN);
            path = self.property.clone();
            if self.count_is_empty && msg.contains_key("parts") {
                let count = part(&msg, "count").to_number();
                target = if count.is_nan() { 0.0 } else { count };
                if has_part(&msg, "id") {
                    id = part(&msg, "id").to_js_string();
                }
            }
            key = if kind == "object" {
                self.key.get(&msg)?
            } else {
                Value::Undefined
            };
        }
        if msg.contains_key("restartTimeout")
            && let Some(group) = self.groups.get_mut(&id)
        {
            if let Some(timer) = group.timer.take() {
                cx.clear_timer(timer);
            }
            if self.timer_ms > 0.0 {
                group.timer = Some(cx.set_timer_ms(self.timer_ms));
            }
        }
        if msg.contains_key("reset") {
            if let Some(group) = self.groups.remove(&id) {
                if let Some(timer) = group.timer {
                    cx.clear_timer(timer);
                }
                group
                    .dones
                    .into_iter()
                    .for_each(|completion| cx.done(completion));
            }
            cx.done_with(&msg);
            return Ok(());
        }
        if kind == "object" && (key.is_nullish() || key.as_str() == Some("")) {
            self.without_key(cx, &id, &msg);
            cx.done_with(&msg);
            return Ok(());
        }
        if self.groups.get(&id).is_none() {
            let keyed = kind == "object" || kind == "merged";
            let timer = (self.timer_ms > 0.0).then(|| cx.set_timer_ms(self.timer_ms));
            let payload = if keyed {
                Payload::Keyed(Object::new())
            } else {
                Payload::Listed(Vec::new())
            };
            let group_kind = if keyed {
                "object".to_owned()
            } else {
                kind.clone()
            };
            let group = Group {
                kind: group_kind,
                payload,
                current: 0,
                target,
                msg: msg.clone(),
                joiner,
                array_length,
                property: path,
                timer,
                dones: Vec::new(),
            };
            self.groups.entry(&id, || group);
        }
        let completion = cx.completion(&msg);
        let Some(group) = self.groups.get_mut(&id) else {
            return Ok(());
        };
        group.dones.push(completion);
        if kind == "buffer"
            && !matches!(
                property,
                Value::Undefined | Value::Buffer(_) | Value::Str(_) | Value::Array(_)
            )
        {
            return Err(NodeError::new(format!(
                "Cannot join {} to buffer",
                property.type_of()
            )));
        }
        if !group.add(&kind, &key, index, property) && !msg.contains_key("complete") {
            cx.warn("Cannot merge non-object types");
        }
        group
            .msg
            .extend(msg.iter().map(|(key, value)| (key.clone(), value.clone())));
        if msg.contains_key("parts") {
            if group.target.is_nan() || group.target == 0.0 {
                group.target = part(&msg, "count").to_number();
            }
            target = group.target;
        } else {
            target = if group.target.is_nan() {
                target
            } else {
                group.target
            };
        }
        if target > 0.0 && group.current as f64 >= target || msg.contains_key("complete") {
            self.complete(cx, &id)?;
        }
        Ok(())
    }

    fn without_key(&mut self, cx: &mut Cx<'_>, id: &str, msg: &Msg) {
        if self.mode == Mode::Auto {
            return cx.warn("Message missing 'msg.parts.key' property - cannot add to object");
        }
        match (msg.get("complete"), self.groups.get_mut(id)) {
            (Some(complete), Some(group)) => {
                group.msg.insert("complete", complete.clone());
                if let Err(error) = self.complete(cx, id) {
                    cx.error(error, Some(msg));
                }
            }
            (Some(_), None) => {}
            (None, _) => cx.warn(format!(
                "Message missing key property 'msg.{}' - cannot add to object",
                self.key_text
            )),
        }
    }

    fn complete(&mut self, cx: &mut Cx<'_>, id: &str) -> Result<(), NodeError> {
        let Some(group) = self.groups.get_mut(id) else {
            return Ok(());
        };
        if let Some(timer) = group.timer.take() {
            cx.clear_timer(timer);
        }
        let dones = std::mem::take(&mut group.dones);
        let ends =
            self.mode == Mode::Auto || !self.accumulate || group.msg.contains_key("complete");
        let value = group.value();
        let sent = value.and_then(|value| group.sent(value));
        if ends {
            self.groups.remove(id);
        }
        cx.send(0, sent?);
        dones.into_iter().for_each(|completion| cx.done(completion));
        Ok(())
    }
}

impl Group {
    /// The message that is sent with what the parts are together. (What they are is kept where parts go on being taken.)
    fn sent(&mut self, value: Value) -> Result<Msg, NodeError> {
        Property::parse(&self.property, "payload").set(&mut self.msg, value)?;
        if has_part(&self.msg, "parts") {
            let outer = part(&self.msg, "parts");
            self.msg.insert("parts", outer);
        } else {
            self.msg.remove("parts");
        }
        self.msg.remove("complete");
        Ok(self.msg.clone())
    }

    /// Takes a part. False: what is to be merged is no object.
    fn add(&mut self, kind: &str, key: &Value, index: f64, value: Value) -> bool {
        match &mut self.payload {
            Payload::Keyed(object) if kind == "merged" => {
                match &value {
                    Value::Object(more) => {
                        let entries = more.iter().filter(|(key, _)| key.as_str() != "_msgid");
                        object.extend(entries.map(|(key, value)| (key.clone(), value.clone())));
                    }
                    Value::Buffer(bytes) => {
                        for (at, byte) in bytes.iter().enumerate() {
                            object.insert(Key::data(&at.to_string()), f64::from(*byte));
                        }
                    }
                    // (what else JavaScript calls an object has no members)
                    other if other.is_null() || other.is_object() && other.as_array().is_none() => {
                    }
                    _ => return false,
                }
                self.current = object.len();
            }
            Payload::Keyed(object) => {
                object.insert(Key::from(key.to_js_string()), value);
                self.current = object.len();
            }
            // (an index that no sequence of ours has is put at the end)
            Payload::Listed(items) if (0.0..10_000_000.0).contains(&index) => {
                let at = index as usize;
                if at >= items.len() {
                    items.resize(at + 1, None);
                }
                if items[at].as_ref().is_none_or(Value::is_nullish) {
                    self.current += 1;
                }
                items[at] = Some(value);
            }
            Payload::Listed(items) if !value.is_undefined() => {
                items.push(Some(value));
                self.current += 1;
            }
            Payload::Listed(_) => {}
        }
        true
    }

    fn value(&self) -> Result<Value, NodeError> {
        let items = match &self.payload {
            Payload::Keyed(object) => return Ok(Value::Object(object.clone())),
            Payload::Listed(items) => items
                .iter()
                .map(|item| item.clone().unwrap_or(Value::Undefined)),
        };
        match self.kind.as_str() {
            "string" => {
                if self.joiner.is_nullish() {
                    let what = self.joiner.to_js_string();
                    let why = format!("Cannot read properties of {what} (reading 'toString')");
                    return Err(type_error(why));
                }
                let joiner = self.joiner.to_js_string();
                let texts: Vec<String> = items
                    .map(|item| {
                        if item.is_nullish() {
                            String::new()
                        } else {
                            item.to_js_string()
                        }
                    })
                    .collect();
                Ok(Value::from(texts.join(&joiner)))
            }
            "buffer" => {
                let joiner = match &self.joiner {
                    Value::Undefined => None,
                    joiner => Some(bytes(joiner)?),
                };
                let mut out = Vec::new();
                for (number, item) in items.enumerate() {
                    if number > 0
                        && let Some(joiner) = &joiner
                    {
                        out.extend_from_slice(joiner);
                    }
                    match (&item, &joiner) {
                        (Value::Buffer(bytes), _) => out.extend_from_slice(bytes),
                        (other, Some(_)) => out.extend(bytes(other)?),
                        (other, None) => {
                            return Err(wrong_type(format!(
                                "The \"list[{number}]\" argument must be an instance of Buffer or Uint8Array. Received {}",
                                received(other)
                            )));
                        }
                    }
                }
                Ok(Value::from(out))
            }
            // Pieces of more than one element are put one after the other.
            "array" if self.array_length > 1.0 => {
                let all = items.flat_map(|item| match item {
                    Value::Array(items) => items.into_vec(),
                    single => vec![single],
                });
                Ok(Value::Array(all.collect::<Array>()))
            }
            _ => Ok(Value::Array(items.collect::<Array>())),
        }
    }
}

/// What `Buffer.from` makes of a value.
fn bytes(value: &Value) -> Result<Vec<u8>, NodeError> {
    match value {
        Value::Buffer(bytes) => Ok(bytes.to_vec()),
        Value::Str(text) => Ok(text.as_bytes().to_vec()),
        Value::Array(items) => Ok(bytes_of(items)),
        other => Err(wrong_type(format!(
            "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received {}",
            received(other)
        ))),
    }
}

/// A value as Node.js names it where it has no use for it.
fn received(value: &Value) -> String {
    match value {
        Value::Undefined | Value::Null => value.to_js_string(),
        Value::Array(_) => "an instance of Array".to_owned(),
        Value::Object(_) => "an instance of Object".to_owned(),
        Value::Str(text) => {
            let (start, more) = cut(text, 25);
            let more = if more { "..." } else { "" };
            format!("type string ('{start}{more}')")
        }
        other => format!("type {} ({})", other.type_of(), other.to_js_string()),
    }
}

impl Process for Join {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if self.mode == Mode::Reduce {
            if let Some(reduce) = &mut self.reduce {
                reduce.take(cx, msg);
            }
            return;
        }
        let told = msg.clone();
        if let Err(error) = self.join(cx, msg) {
            cx.error(error, Some(&told));
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let id = self.groups.find(|group| group.timer == Some(timer));
        if let Some(id) = id
            && let Err(error) = self.complete(cx, &id)
        {
            cx.error(error, None);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        for group in std::mem::take(&mut self.groups).into_values() {
            group
                .dones
                .into_iter()
                .for_each(|completion| cx.done(completion));
        }
        None
    }
}
