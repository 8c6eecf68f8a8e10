//! **join** — puts a sequence of messages together into one.
//!
//! - *automatic*: by `msg.parts`, as **split** made it;
//! - *manual*: into a text, a buffer, an array, an object keyed by a property, or a merged object; after so many parts, a
//!   time, or a message with `msg.complete`;
//! - *reduce*: by a JSONata expression over the parts (`$A` the result so far, `$I` the index, `$N` the count).
//!
//! `msg.reset` forgets the parts that wait, `msg.restartTimeout` begins the time anew. At most
//! `nodeMessageBufferMaxLength` messages wait to be reduced, if that setting is given.

use super::delimiter::{bytes_of, unescape};
use super::order;
use std::collections::HashMap;
use vgdc_core::shared::NodeEnv;
use vgdc_core::value::{Array, Key, Msg, Object, Path, Value, json};
use vgdc_core::{Closing, Completion, Cx, Node, NodeError, Process, TimerId};
use vgdc_expr::{Jsonata, TypedValue};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct JoinConfig {
    #[field(default = "auto", label = "Mode")]
    mode: String,
    #[field(default = "array", label = "to create")]
    build: String,
    #[field(default = "payload", label = "Combine each")]
    property: String,
    #[field(name = "propertyType", default = "msg")]
    property_type: String,
    #[field(default = "topic", kind = MsgPath, label = "using the value of")]
    key: String,
    #[field(default = "", label = "joined using")]
    joiner: String,
    #[field(name = "joinerType", default = "str")]
    joiner_type: String,
    #[field(json = "true")]
    useparts: Value,
    #[field(json = "false")]
    accumulate: Value,
    #[field(json = "\"\"", kind = Number, label = "After a timeout following the first message")]
    timeout: Value,
    #[field(json = "null", kind = Number, label = "After a number of message parts")]
    count: Value,
    #[field(name = "reduceRight", default = false)]
    reduce_right: bool,
    #[field(name = "reduceExp", default = "", label = "Reduce exp")]
    reduce_exp: String,
    #[field(name = "reduceInit", default = "", kind = Typed("reduceInitType"), label = "Initial value")]
    reduce_init: String,
    #[field(name = "reduceInitType", default = "")]
    reduce_init_type: String,
    #[field(name = "reduceFixup", default = "", label = "Fix-up exp")]
    reduce_fixup: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Auto,
    Custom,
    Reduce,
}

/// What binds texts or buffers.
#[derive(Clone)]
enum Joiner {
    Text(String),
    Bytes(Vec<u8>),
    None,
}

struct Reduce {
    step: Jsonata,
    fixup: Option<Jsonata>,
    init: TypedValue,
    right: bool,
}

/// The parts of a sequence to be reduced.
struct Gathered {
    count: Option<f64>,
    msgs: Vec<(Msg, Completion)>,
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
    joiner: Joiner,
    array_length: f64,
    property: Path,
    timer: Option<TimerId>,
    dones: Vec<Completion>,
}

/// The behaviour.
pub struct Join {
    mode: Mode,
    build: String,
    property: Path,
    property_text: String,
    whole: bool,
    key: Path,
    key_text: String,
    joiner: Joiner,
    use_parts: bool,
    accumulate: bool,
    timer_ms: f64,
    count: f64,
    count_is_empty: bool,
    /// `None` in reduce mode: the node is invalid (it has said so).
    reduce: Option<Reduce>,
    groups: HashMap<String, Group>,
    gathered: HashMap<String, Gathered>,
    waiting: usize,
    max_kept: usize,
    env: NodeEnv,
}

#[node(type = "join", category = "sequence", inputs = 1, outputs = 1, effect = State, types = "object{..}")]
impl Node for Join {
    type Config = JoinConfig;

    fn new(config: JoinConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mode = match config.mode.as_str() {
            "custom" => Mode::Custom,
            "reduce" => Mode::Reduce,
            _ => Mode::Auto,
        };
        let joiner = match config.joiner_type.as_str() {
            "bin" => match json::parse(if config.joiner.is_empty() {
                "[]"
            } else {
                &config.joiner
            }) {
                Ok(Value::Array(items)) => Joiner::Bytes(bytes_of(&items)),
                Ok(_) => return Err(NodeError::new("Error: not an array")),
                Err(error) => {
                    return Err(NodeError::new(format!("SyntaxError: {}", error.message)));
                }
            },
            _ => Joiner::Text(unescape(&config.joiner)),
        };
        let whole = config.property_type == "full";
        let or = |text: &str, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text.to_owned()
            }
        };
        let path = |text: &str| Path::parse(text).map_err(|e| NodeError::new(e.message));
        let property_text = if whole {
            "payload".to_owned()
        } else {
            or(&config.property, "payload")
        };
        let key_text = or(&config.key, "topic");
        let mut reduce = None;
        if mode == Mode::Reduce {
            match Reduce::new(&config) {
                Ok(made) => reduce = Some(made),
                Err(why) => cx.error(format!("Invalid JSONata expression: {why}"), None),
            }
        }
        let timeout = config.timeout.to_number();
        let count = config.count.to_number();
        let max_kept = cx.setting("nodeMessageBufferMaxLength").to_number();
        Ok(Join {
            mode,
            build: or(&config.build, "array"),
            property: path(&property_text)?,
            property_text,
            whole,
            key: path(&key_text)?,
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
            groups: HashMap::new(),
            gathered: HashMap::new(),
            waiting: 0,
            max_kept: if max_kept > 0.0 {
                max_kept as usize
            } else {
                usize::MAX
            },
            env: cx.env(),
        })
    }
}

impl Reduce {
    fn new(config: &JoinConfig) -> Result<Reduce, String> {
        let compile = |text: &str| Jsonata::compile(text).map_err(|e| e.message.to_string());
        Ok(Reduce {
            step: compile(&config.reduce_exp)?,
            fixup: (!config.reduce_fixup.is_empty())
                .then(|| compile(&config.reduce_fixup))
                .transpose()?,
            init: TypedValue::parse(&config.reduce_init_type, &config.reduce_init)
                .map_err(|e| e.message.to_string())?,
            right: config.reduce_right,
        })
    }

    fn run(
        &self,
        env: &NodeEnv,
        msgs: &[(Msg, Completion)],
        count: f64,
    ) -> Result<Value, NodeError> {
        let failed = |e: vgdc_expr::ExprError| {
            NodeError::new(format!("Invalid JSONata expression: {}", e.message))
        };
        let mut so_far = self.init.eval(env, &Msg::new()).unwrap_or(Value::Undefined);
        for (msg, _) in msgs {
            let index = msg
                .get("parts")
                .map_or(Value::Undefined, |parts| parts.get("index"));
            let variables = [("I", index), ("N", Value::Number(count)), ("A", so_far)];
            so_far = self
                .step
                .eval_with(env, &msg.to_value(), &variables)
                .map_err(failed)?;
        }
        if let Some(fixup) = &self.fixup {
            let variables = [("N", Value::Number(count)), ("A", so_far)];
            so_far = fixup
                .eval_with(env, &Value::Object(Object::new()), &variables)
                .map_err(failed)?;
        }
        Ok(so_far)
    }
}

impl Join {
    // ------------------------------------------------------------------------------------------------- reduce

    fn reduce(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if self.reduce.is_none() {
            return;
        }
        let Some(parts) = msg.get("parts").cloned() else {
            return cx.send_done(msg);
        };
        let id = parts.get("id").to_js_string();
        let count = Some(parts.get("count"))
            .filter(|count| !count.is_undefined())
            .map(|count| count.to_number());
        let completion = cx.completion(&msg);
        let gathered = self.gathered.entry(id.clone()).or_insert_with(|| Gathered {
            count: None,
            msgs: Vec::new(),
        });
        gathered.count = gathered.count.or(count);
        gathered.msgs.push((msg.clone(), completion));
        self.waiting += 1;
        if gathered.count == Some(gathered.msgs.len() as f64)
            && let Some(complete) = self.gathered.remove(&id)
        {
            self.waiting = self.waiting.saturating_sub(complete.msgs.len());
            return self.reduce_group(cx, complete);
        }
        if self.waiting > self.max_kept {
            self.waiting = 0;
            for (known, completion) in std::mem::take(&mut self.gathered)
                .into_values()
                .flat_map(|group| group.msgs)
            {
                if known.id() != msg.id() {
                    cx.done(completion);
                }
            }
            cx.error("too many pending messages in join node", Some(&msg));
        }
    }

    fn reduce_group(&mut self, cx: &mut Cx<'_>, group: Gathered) {
        let Some(reduce) = &self.reduce else { return };
        let Gathered { count, mut msgs } = group;
        let index = |msg: &Msg| {
            msg.get("parts")
                .map_or(f64::NAN, |parts| parts.get("index").to_number())
        };
        msgs = order::sort(msgs, |(a, _), (b, _)| match reduce.right {
            true => index(a) > index(b),
            false => index(a) < index(b),
        });
        let outcome = reduce.run(&self.env, &msgs, count.unwrap_or(f64::NAN));
        let last = msgs.last().map(|(msg, _)| msg.clone());
        match (outcome, last) {
            (Ok(result), Some(mut msg)) => {
                msg.set_payload(result);
                cx.send(0, msg);
                msgs.into_iter()
                    .for_each(|(_, completion)| cx.done(completion));
            }
            (Err(error), Some(msg)) => {
                msgs.pop();
                msgs.into_iter()
                    .for_each(|(_, completion)| cx.done(completion));
                cx.error(error, Some(&msg));
            }
            _ => {}
        }
    }

    // ------------------------------------------------------------------------------------------------- join

    fn read(path: &Path, msg: &Msg) -> Result<Value, NodeError> {
        path.get_in(msg).map_err(|e| NodeError::new(e.message))
    }

    fn join(&mut self, cx: &mut Cx<'_>, mut msg: Msg) -> Result<(), NodeError> {
        let mut property = if self.whole {
            msg.to_value()
        } else {
            match Self::read(&self.property, &msg) {
                Ok(value) => value,
                Err(_) => {
                    cx.warn(format!("Message property {} not found", self.property_text));
                    cx.done_with(&msg);
                    return Ok(());
                }
            }
        };
        let part = |msg: &Msg, key: &str| {
            msg.get("parts")
                .map_or(Value::Undefined, |parts| parts.get(key))
        };
        if self.mode == Mode::Auto && part(&msg, "id").is_undefined() {
            if msg.contains_key("reset") {
                self.groups.clear();
            } else {
                cx.warn("Message missing msg.parts property - cannot join in 'auto' mode");
            }
            cx.done_with(&msg);
            return Ok(());
        }
        if self.mode == Mode::Custom && !self.use_parts && msg.contains_key("parts") {
            match part(&msg, "parts") {
                Value::Undefined => drop(msg.remove("parts")),
                outer => {
                    let mut parts = Object::new();
                    parts.insert("parts", outer);
                    msg.insert("parts", parts);
                }
            }
        }
        let mut id = "_".to_owned();
        let (kind, mut target, joiner, key, array_length, index, path);
        if self.mode == Mode::Auto {
            id = part(&msg, "id").to_js_string();
            kind = part(&msg, "type").to_js_string();
            target = part(&msg, "count").to_number();
            joiner = match part(&msg, "ch") {
                Value::Undefined => Joiner::None,
                Value::Array(items) => Joiner::Bytes(bytes_of(&items)),
                other => Joiner::Text(other.to_js_string()),
            };
            key = part(&msg, "key");
            array_length = part(&msg, "len").to_number();
            index = part(&msg, "index").to_number();
            let name = part(&msg, "property");
            let name = if name.truthy() {
                name.to_js_string()
            } else {
                "payload".to_owned()
            };
            path = Path::parse(&name).map_err(|e| NodeError::new(e.message))?;
            property = Self::read(&path, &msg)?;
        } else {
            kind = self.build.clone();
            target = self.count;
            joiner = self.joiner.clone();
            (array_length, index) = (f64::NAN, f64::NAN);
            path = self.property.clone();
            if self.count_is_empty && msg.contains_key("parts") {
                let count = part(&msg, "count").to_number();
                target = if count.is_nan() { 0.0 } else { count };
                if !part(&msg, "id").is_undefined() {
                    id = part(&msg, "id").to_js_string();
                }
            }
            key = if kind == "object" {
                Self::read(&self.key, &msg)?
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
        if !self.groups.contains_key(&id) {
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
            self.groups.insert(id.clone(), group);
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
            group.dones.pop();
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
        let mut msg = group.msg.clone();
        let value = group.value();
        let property = group.property.clone();
        if ends {
            self.groups.remove(id);
        } else if let Some(group) = self.groups.get_mut(id) {
            group.msg.remove("complete");
        }
        property
            .set(&mut msg, value?, true)
            .map_err(|e| NodeError::new(e.message))?;
        match msg.get("parts").map(|parts| parts.get("parts")) {
            Some(outer) if !outer.is_undefined() => drop(msg.insert("parts", outer)),
            Some(_) => drop(msg.remove("parts")),
            None => {}
        }
        msg.remove("complete");
        cx.send(0, msg);
        dones.into_iter().for_each(|completion| cx.done(completion));
        Ok(())
    }
}

impl Group {
    /// Takes a part. False: what is to be merged is no object.
    fn add(&mut self, kind: &str, key: &Value, index: f64, value: Value) -> bool {
        match &mut self.payload {
            Payload::Keyed(object) if kind == "merged" => {
                let Value::Object(more) = &value else {
                    return false;
                };
                let entries = more.iter().filter(|(key, _)| key.as_str() != "_msgid");
                object.extend(entries.map(|(key, value)| (key.clone(), value.clone())));
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
                if items[at].is_none() {
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
                let joiner = match &self.joiner {
                    Joiner::Text(text) => text.clone(),
                    Joiner::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Joiner::None => String::new(),
                };
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
                    Joiner::Text(text) => text.as_bytes(),
                    Joiner::Bytes(bytes) => bytes,
                    Joiner::None => &[],
                };
                let mut out = Vec::new();
                for (number, item) in items.enumerate() {
                    if number > 0 {
                        out.extend_from_slice(joiner);
                    }
                    match &item {
                        Value::Buffer(bytes) => out.extend_from_slice(bytes),
                        Value::Array(bytes) => out.extend(bytes_of(bytes)),
                        other => out.extend_from_slice(other.to_js_string().as_bytes()),
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

impl Process for Join {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if self.mode == Mode::Reduce {
            return self.reduce(cx, msg);
        }
        let told = msg.clone();
        if let Err(error) = self.join(cx, msg) {
            cx.error(error, Some(&told));
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let id = self
            .groups
            .iter()
            .find(|(_, group)| group.timer == Some(timer))
            .map(|(id, _)| id.clone());
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
