//! What code finds around it. What it does there is kept back until the call has ended well: if it bails out, nobody has
//! seen any of it.

use crate::shared::NodeEnv;
use crate::{Cx, Level, NodeError, OpInfo};
use std::sync::Arc;
use vgdc_native::{Host, Scope};
use vgdc_value::{ErrorValue, Key, Msg, Object, Path, Value};

/// Where a stage runs: its operator's names, contexts and environment.
pub(super) struct Place {
    pub(super) env: NodeEnv,
    pub(super) info: Arc<OpInfo>,
}

/// What a stage did.
pub(super) enum Act {
    /// From the first output.
    SendOne(Msg),
    Send(Vec<Vec<Msg>>),
    Status(Value),
    Log(Level, Value),
    Error(Value, Option<Value>),
}

/// A value for a context.
struct Write {
    stage: u32,
    scope: Scope,
    key: String,
    store: Option<String>,
    value: Value,
}

impl Act {
    pub(super) fn perform(self, cx: &mut Cx<'_>) {
        match self {
            Act::SendOne(msg) => cx.send(0, msg),
            Act::Send(outputs) => cx.send_all(outputs),
            Act::Status(status) => cx.status(status),
            Act::Log(level, value) => cx.log(level, value),
            Act::Error(value, msg) => {
                let msg = msg.and_then(|msg| Msg::try_from(msg).ok());
                cx.error(NodeError::from_value(value), msg.as_ref());
            }
        }
    }
}

/// What a text returned, as messages.
pub(super) enum Outputs {
    Nothing,
    One(Msg),
    Many(Vec<Vec<Msg>>),
}

impl Outputs {
    pub(super) fn send(self, cx: &mut Cx<'_>) {
        match self {
            Outputs::Nothing => {}
            Outputs::One(msg) => cx.send(0, msg),
            Outputs::Many(outputs) => cx.send_all(outputs),
        }
    }
}

/// The world of a call.
pub(super) struct World<'c> {
    /// One for each stage.
    places: &'c [Place],
    /// The stage that runs.
    stage: u32,
    /// The id of the message that is handled: what is sent gets it.
    pub(super) msgid: Value,
    acts: Vec<(u32, Act)>,
    writes: Vec<Write>,
}

/// What a call did, in order.
#[derive(Default)]
pub(super) struct Deeds {
    pub(super) acts: Vec<(u32, Act)>,
    writes: Vec<Write>,
}

impl Deeds {
    /// Forgets what this stage did, and those after it.
    pub(super) fn forget_from(&mut self, stage: u32) {
        self.acts.retain(|(of, _)| *of < stage);
        self.writes.retain(|write| write.stage < stage);
    }

    /// Stores the values for contexts. Gives the errors, each with its stage; with `or_nothing` nothing was stored when the
    /// first one fails.
    ///
    /// # Errors
    /// `or_nothing`, and the first one failed.
    pub(super) fn store(
        &mut self,
        places: &[Place],
        or_nothing: bool,
    ) -> Result<Vec<(u32, ErrorValue)>, ()> {
        let mut errors = Vec::new();
        for (at, write) in self.writes.drain(..).enumerate() {
            let stage = write.stage;
            if let Err(error) = write.store(&places[stage as usize].env) {
                if at == 0 && or_nothing {
                    return Err(());
                }
                errors.push((stage, error));
            }
        }
        Ok(errors)
    }
}

impl Write {
    fn store(self, env: &NodeEnv) -> Result<(), ErrorValue> {
        let store = self.store.as_deref();
        match self.scope {
            Scope::Flow => env.flow_set(&self.key, self.value, store),
            scope => env.set(&scope_of(env, scope), &self.key, self.value, store),
        }
    }
}

fn scope_of(env: &NodeEnv, scope: Scope) -> vgdc_store::Scope {
    match scope {
        Scope::Node => env.node_scope().clone(),
        Scope::Flow => env.flow().clone(),
        Scope::Global => vgdc_store::Scope::Global,
    }
}

impl<'c> World<'c> {
    /// The world of a call with this message.
    pub(super) fn new(places: &'c [Place], msg: &Msg) -> World<'c> {
        World {
            places,
            stage: 0,
            msgid: msg.get_key(&Key::MSGID).cloned().unwrap_or_default(),
            acts: Vec::new(),
            writes: Vec::new(),
        }
    }

    pub(super) fn into_deeds(self) -> Deeds {
        Deeds {
            acts: self.acts,
            writes: self.writes,
        }
    }

    fn place(&self) -> &'c Place {
        &self.places[self.stage as usize]
    }

    fn did(&mut self, act: Act) -> bool {
        self.acts.push((self.stage, act));
        true
    }
    /// Messages for the outputs; `None` where something is no message, which Node-RED has words for.
    pub(super) fn messages(&self, value: Value) -> Option<Outputs> {
        match value {
            Value::Undefined | Value::Null => Some(Outputs::Nothing),
            Value::Object(object) => Some(Outputs::One(self.identified(object))),
            Value::Array(entries) => {
                let outputs: Option<Vec<Vec<Msg>>> =
                    entries.iter().map(|entry| self.output(entry)).collect();
                let outputs = outputs?;
                match outputs.iter().all(Vec::is_empty) {
                    true => Some(Outputs::Nothing),
                    false => Some(Outputs::Many(outputs)),
                }
            }
            _ => None,
        }
    }

    fn output(&self, entry: &Value) -> Option<Vec<Msg>> {
        match entry {
            Value::Object(object) => Some(vec![self.identified(object.clone())]),
            Value::Array(list) => {
                let mut messages = Vec::with_capacity(list.len());
                for value in list.iter() {
                    match value {
                        Value::Undefined | Value::Null => {}
                        Value::Object(object) => messages.push(self.identified(object.clone())),
                        _ => return None,
                    }
                }
                Some(messages)
            }
            other if !other.truthy() => Some(Vec::new()),
            _ => None,
        }
    }

    fn identified(&self, object: Object) -> Msg {
        let mut msg = Msg::from(object);
        give_id(&mut msg, &self.msgid);
        msg
    }
}

/// Gives a message an id; one that is undefined stands for a new one.
fn give_id(msg: &mut Msg, id: &Value) {
    if id.is_undefined() {
        msg.remove("_msgid");
        msg.ensure_id();
    } else if msg
        .get_key(&Key::MSGID)
        .is_none_or(|own| !own.strict_eq(id))
    {
        msg.insert(Key::MSGID, id.clone());
    }
}

/// The first part of a key: keys that differ in it have nothing to do with each other.
fn first_part(key: &str) -> &str {
    &key[..key.find(['.', '[']).unwrap_or(key.len())]
}

impl Host for World<'_> {
    fn enter(&mut self, stage: u32) {
        self.stage = stage.min(self.places.len() as u32 - 1);
    }

    fn identify(&mut self, value: &mut Value, id: Value) -> bool {
        match Msg::try_from(std::mem::take(value)) {
            Ok(mut msg) => {
                give_id(&mut msg, &id);
                *value = msg.into_value();
                true
            }
            Err(other) => {
                *value = other;
                false
            }
        }
    }

    fn send(&mut self, messages: Value) -> bool {
        match self.messages(messages) {
            Some(Outputs::Nothing) => true,
            Some(Outputs::One(msg)) => self.did(Act::SendOne(msg)),
            Some(Outputs::Many(outputs)) => self.did(Act::Send(outputs)),
            None => false,
        }
    }

    fn status(&mut self, status: Value) -> bool {
        self.did(Act::Status(match status {
            // A text, a number or a truth is short for an object with it as its text.
            Value::Str(_) | Value::Number(_) | Value::Bool(_) => {
                let mut object = Object::new();
                object.insert("text", status.to_str());
                Value::Object(object)
            }
            status => status,
        }))
    }

    fn log(&mut self, level: vgdc_native::Level, value: Value) -> bool {
        self.did(Act::Log(
            match level {
                vgdc_native::Level::Warn => Level::Warn,
                vgdc_native::Level::Info => Level::Info,
                vgdc_native::Level::Debug => Level::Debug,
                vgdc_native::Level::Trace => Level::Trace,
            },
            value,
        ))
    }

    fn error(&mut self, value: Value, msg: Option<Value>) -> bool {
        self.did(Act::Error(value, msg))
    }

    fn context_get(&mut self, scope: Scope, key: &str, store: Option<&str>) -> Option<Value> {
        for write in self.writes.iter().rev().filter(|write| {
            write.scope == scope && (scope != Scope::Node || write.stage == self.stage)
        }) {
            if write.key == key && write.store.as_deref() == store {
                return Some(write.value.clone());
            }
            if first_part(&write.key) == first_part(key) {
                return None;
            }
        }
        let env = &self.place().env;
        match scope {
            Scope::Flow => env.flow_get(key, store).ok(),
            scope => env.get(&scope_of(env, scope), key, store).ok(),
        }
    }

    fn context_keys(&mut self, scope: Scope, store: Option<&str>) -> Option<Vec<String>> {
        // (what has been kept back may be new there, or gone)
        if self.writes.iter().any(|write| write.scope == scope) {
            return None;
        }
        let env = &self.place().env;
        let stores = &env.shared().stores;
        stores.keys(&scope_of(env, scope), store).ok()
    }

    fn context_set(&mut self, scope: Scope, key: &str, value: Value, store: Option<&str>) -> bool {
        // (what cannot be stored is an error of the call, which the engine words)
        let name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let plain = !key.is_empty() && key.bytes().all(name);
        if !plain && (key.is_empty() || key.starts_with(['#', '$']) || Path::parse(key).is_err()) {
            return false;
        }
        self.writes.push(Write {
            stage: self.stage,
            scope,
            key: key.to_owned(),
            store: store.map(str::to_owned),
            value,
        });
        true
    }

    fn env(&mut self, name: &str) -> Value {
        self.place().env.env(name)
    }

    fn id(&self) -> &str {
        &self.place().info.id
    }

    fn name(&self) -> &str {
        self.place().info.name.as_deref().unwrap_or_default()
    }

    fn now_ms(&self) -> f64 {
        self.place().env.shared().clock.now_ms()
    }
}
