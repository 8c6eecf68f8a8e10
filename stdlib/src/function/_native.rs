//! The function node's texts as machine code: what they do is kept until the call has ended well.

use std::time::Duration;
use vgdc_core::shared::NodeEnv;
use vgdc_core::store;
use vgdc_core::value::{Key, Msg, Object, Path, Value};
use vgdc_core::{Cx, Level, NodeError, OpInfo};
use vgdc_native::{Host, Native, Outcome, Scope};

/// Calls after which a function that bails out more often than not is left to the engine.
const TRIAL: u32 = 100;

/// A text that runs as machine code, with the engine behind it.
pub struct Compiled {
    native: Native,
    limit: Duration,
    calls: u32,
    bails: u32,
}

/// What a call did, in order.
enum Act {
    Send(Vec<Vec<Msg>>),
    Status(Value),
    Log(Level, Value),
    Error(Value, Option<Value>),
}

/// A value for a context, to be stored when the call has ended well.
struct Write {
    scope: Scope,
    key: String,
    store: Option<String>,
    value: Value,
}

impl Compiled {
    /// The machine code of a property, if the plan has it and it can be run.
    pub fn new(cx: &Cx<'_>, property: &str, limit: Duration) -> Option<Compiled> {
        let native = cx.native(property)?;
        Some(Compiled {
            native,
            limit,
            calls: 0,
            bails: 0,
        })
    }

    /// Whether it is worth trying.
    pub fn pays(&self) -> bool {
        self.calls < TRIAL || self.bails * 2 < self.calls
    }

    /// Handles a message; gives it back when the engine has to do it, and nothing has happened.
    pub fn call(&mut self, cx: &mut Cx<'_>, env: &NodeEnv, msg: Msg) -> Option<Msg> {
        let kept = (!self.native.is_pristine()).then(|| msg.clone());
        if self.calls == u32::MAX {
            (self.calls, self.bails) = (self.calls / 2, self.bails / 2);
        }
        self.calls += 1;
        let info = cx.info();
        let mut world = World {
            env,
            msgid: msg.get_key(&Key::MSGID).cloned().unwrap_or_default(),
            info,
            acts: Vec::new(),
            writes: Vec::new(),
        };
        let returned = match self.native.call(msg, &mut world, self.limit) {
            Outcome::Returned(value) => value,
            Outcome::BailedOut(msg) => {
                self.bails += 1;
                return Some(kept.unwrap_or_else(|| Msg::try_from(msg).unwrap_or_default()));
            }
        };
        let outputs = match (world.messages(returned), kept.as_ref()) {
            (Some(outputs), _) => outputs,
            (None, Some(_)) => {
                self.bails += 1;
                return kept;
            }
            // (it returned the message or nothing)
            (None, None) => Outputs::Nothing,
        };
        let World { acts, writes, .. } = world;
        for (at, write) in writes.into_iter().enumerate() {
            if let Err(error) = write.store(env) {
                if at == 0 && kept.is_some() {
                    return kept;
                }
                cx.error(NodeError::from_value(error.into()), None);
            }
        }
        for act in acts {
            match act {
                Act::Send(outputs) => cx.send_all(outputs),
                Act::Status(status) => cx.status(status),
                Act::Log(level, value) => cx.log(level, value),
                Act::Error(value, msg) => {
                    let msg = msg.and_then(|msg| Msg::try_from(msg).ok());
                    cx.error(NodeError::from_value(value), msg.as_ref());
                }
            }
        }
        match outputs {
            Outputs::Nothing => {}
            Outputs::One(msg) => cx.send(0, msg),
            Outputs::Many(outputs) => cx.send_all(outputs),
        }
        None
    }
}

impl Write {
    fn store(self, env: &NodeEnv) -> Result<(), vgdc_core::value::ErrorValue> {
        let store = self.store.as_deref();
        match self.scope {
            Scope::Flow => env.flow_set(&self.key, self.value, store),
            scope => env.set(&scope_of(env, scope), &self.key, self.value, store),
        }
    }
}

fn scope_of(env: &NodeEnv, scope: Scope) -> store::Scope {
    match scope {
        Scope::Node => env.node_scope().clone(),
        Scope::Flow => env.flow().clone(),
        Scope::Global => store::Scope::Global,
    }
}

/// What a text returned, as messages.
enum Outputs {
    Nothing,
    One(Msg),
    Many(Vec<Vec<Msg>>),
}

struct World<'c> {
    env: &'c NodeEnv,
    /// The id of the message that is handled: what is sent gets it.
    msgid: Value,
    info: &'c OpInfo,
    acts: Vec<Act>,
    writes: Vec<Write>,
}

impl World<'_> {
    /// Messages for the outputs; `None` where something is no message, which Node-RED has words for.
    fn messages(&self, value: Value) -> Option<Outputs> {
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
        if self.msgid.is_undefined() {
            msg.remove("_msgid");
            msg.ensure_id();
        } else if msg
            .get_key(&Key::MSGID)
            .is_none_or(|own| !own.strict_eq(&self.msgid))
        {
            msg.insert(Key::MSGID, self.msgid.clone());
        }
        msg
    }
}

/// The first part of a key: keys that differ in it have nothing to do with each other.
fn first_part(key: &str) -> &str {
    &key[..key.find(['.', '[']).unwrap_or(key.len())]
}

impl Host for World<'_> {
    fn send(&mut self, messages: &Value) -> bool {
        let outputs = match self.messages(messages.clone()) {
            Some(Outputs::Nothing) => return true,
            Some(Outputs::One(msg)) => vec![vec![msg]],
            Some(Outputs::Many(outputs)) => outputs,
            None => return false,
        };
        self.acts.push(Act::Send(outputs));
        true
    }

    fn status(&mut self, status: Value) -> bool {
        self.acts.push(Act::Status(match status {
            // A text, a number or a truth is short for an object with it as its text.
            Value::Str(_) | Value::Number(_) | Value::Bool(_) => {
                let mut object = Object::new();
                object.insert("text", status.to_str());
                Value::Object(object)
            }
            status => status,
        }));
        true
    }

    fn log(&mut self, level: vgdc_native::Level, value: Value) -> bool {
        self.acts.push(Act::Log(
            match level {
                vgdc_native::Level::Warn => Level::Warn,
                vgdc_native::Level::Info => Level::Info,
                vgdc_native::Level::Debug => Level::Debug,
                vgdc_native::Level::Trace => Level::Trace,
            },
            value,
        ));
        true
    }

    fn error(&mut self, value: Value, msg: Option<Value>) -> bool {
        self.acts.push(Act::Error(value, msg));
        true
    }

    fn context_get(&mut self, scope: Scope, key: &str, store: Option<&str>) -> Option<Value> {
        for write in self
            .writes
            .iter()
            .rev()
            .filter(|write| write.scope == scope)
        {
            if write.key == key && write.store.as_deref() == store {
                return Some(write.value.clone());
            }
            if first_part(&write.key) == first_part(key) {
                return None;
            }
        }
        match scope {
            Scope::Flow => self.env.flow_get(key, store).ok(),
            scope => self.env.get(&scope_of(self.env, scope), key, store).ok(),
        }
    }

    fn context_set(&mut self, scope: Scope, key: &str, value: Value, store: Option<&str>) -> bool {
        // (what cannot be stored is an error of the call, which the engine words)
        let name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let plain = !key.is_empty() && key.bytes().all(name);
        if !plain && (key.is_empty() || key.starts_with(['#', '$']) || Path::parse(key).is_err()) {
            return false;
        }
        self.writes.push(Write {
            scope,
            key: key.to_owned(),
            store: store.map(str::to_owned),
            value,
        });
        true
    }

    fn env(&mut self, name: &str) -> Value {
        self.env.env(name)
    }

    fn id(&self) -> &str {
        &self.info.id
    }

    fn name(&self) -> &str {
        self.info.name.as_deref().unwrap_or_default()
    }

    fn now_ms(&self) -> f64 {
        self.env.shared().clock.now_ms()
    }
}
