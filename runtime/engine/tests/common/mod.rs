//! A host that writes down everything, and helpers to run bodies.
#![allow(dead_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use vgdc_engine::{
    CallId, Completion, Engine, Function, FunctionSource, Host, JsError, Limits, LogLevel, Scope,
};
use vgdc_value::{ErrorValue, Msg, Object, Path, Rare, Value, control};

/// Remembers what the code did.
#[derive(Default)]
pub struct Recorder {
    /// Everything, in order, as short texts.
    pub events: RefCell<Vec<String>>,
    /// The messages sent, by output.
    pub sent: RefCell<Vec<Vec<Vec<Msg>>>>,
    pub timers: RefCell<BTreeMap<u32, f64>>,
    pub contexts: RefCell<[Object; 3]>,
    pub clock: Cell<f64>,
    pub links: RefCell<Vec<(u32, Msg)>>,
}

impl Recorder {
    fn note(&self, text: String) {
        self.events.borrow_mut().push(text);
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.borrow_mut())
    }
}

pub fn show(value: &Value) -> String {
    control::encode(value)
}

/// Texts and errors as they read, everything else as the control protocol writes it.
fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Rare(rare) if matches!(**rare, Rare::Error(_)) => value.to_js_string(),
        _ => show(value),
    }
}

fn slot(scope: Scope) -> usize {
    match scope {
        Scope::Node => 0,
        Scope::Flow => 1,
        Scope::Global => 2,
    }
}

impl Host for Recorder {
    fn send(&self, _call: CallId, outputs: Vec<Vec<Msg>>, _clone: bool) {
        for (output, msgs) in outputs.iter().enumerate() {
            for msg in msgs {
                self.note(format!("send {output} {}", show(&msg.clone().into_value())));
            }
        }
        self.sent.borrow_mut().push(outputs);
    }
    fn done(&self, _call: CallId, msg: Option<Msg>) {
        self.note(format!(
            "done{}",
            msg.map(|msg| format!(" {}", show(&msg.into_value())))
                .unwrap_or_default()
        ));
    }
    fn fail(&self, _call: CallId, error: JsError) {
        self.note(format!("error {}", error.message));
    }
    fn error(&self, value: Value, _msg: Option<Value>) {
        self.note(format!("error {}", text(&value)));
    }
    fn status(&self, status: Value) {
        self.note(format!("status {}", show(&status)));
    }
    fn log(&self, level: LogLevel, value: Value) {
        self.note(format!(
            "log {} {}",
            format!("{level:?}").to_lowercase(),
            text(&value)
        ));
    }
    fn context_get(
        &self,
        scope: Scope,
        key: &str,
        _store: Option<&str>,
    ) -> Result<Value, ErrorValue> {
        let root = Value::Object(self.contexts.borrow()[slot(scope)].clone());
        let path = Path::parse(key).map_err(|error| plain(&error.to_string()))?;
        Ok(path.get(&root).unwrap_or(Value::Undefined))
    }
    fn context_set(
        &self,
        scope: Scope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue> {
        if store == Some("broken") {
            return Err(plain("broken store"));
        }
        let path = Path::parse(key).map_err(|error| plain(&error.to_string()))?;
        let _ = path.set(&mut self.contexts.borrow_mut()[slot(scope)], value, true);
        Ok(())
    }
    fn context_keys(&self, scope: Scope, _store: Option<&str>) -> Result<Vec<String>, ErrorValue> {
        Ok(self.contexts.borrow()[slot(scope)]
            .keys()
            .map(|key| key.as_str().to_owned())
            .collect())
    }
    fn env_get(&self, name: &str) -> Value {
        match name {
            "PLACE" => Value::from("here"),
            "NR_NODE_NAME" => Value::from(""),
            _ => Value::Undefined,
        }
    }
    fn set_timer(&self, id: u32, after_ms: f64) {
        self.timers
            .borrow_mut()
            .insert(id, self.clock.get() + after_ms);
    }
    fn clear_timer(&self, id: u32) {
        self.timers.borrow_mut().remove(&id);
    }
    fn now_ms(&self) -> f64 {
        self.clock.get()
    }
    fn console(&self, level: LogLevel, text: String) {
        self.note(format!("console {level:?} {text}"));
    }
    fn link_call(
        &self,
        request: u32,
        target: &str,
        msg: Msg,
        timeout_ms: f64,
    ) -> Result<(), ErrorValue> {
        self.note(format!("linkcall {target} {timeout_ms}"));
        self.links.borrow_mut().push((request, msg));
        Ok(())
    }
    fn setup_done(&self, result: Result<(), JsError>) {
        self.note(format!(
            "setup {}",
            result.map_or_else(|error| error.message, |()| "done".to_owned())
        ));
    }
    fn close_done(&self) {
        self.note("closed".to_owned());
    }
}

pub fn plain(message: &str) -> ErrorValue {
    ErrorValue {
        name: "Error".into(),
        message: message.into(),
        stack: "".into(),
        properties: Object::new(),
    }
}

/// A function node under test.
pub struct Bench {
    pub engine: Engine,
    pub function: Function,
    pub host: Rc<Recorder>,
}

pub fn limits() -> Limits {
    Limits {
        memory_bytes: 64 << 20,
        stack_bytes: 512 << 10,
        call_ms: 300,
    }
}

pub fn source(func: &str) -> FunctionSource {
    FunctionSource {
        id: "f1".into(),
        name: "".into(),
        z: "flow".into(),
        path: "flow".into(),
        output_count: 1,
        func: func.into(),
        ..Default::default()
    }
}

pub fn bench_of(source: &FunctionSource) -> Bench {
    let engine = Engine::new(limits()).expect("engine");
    let host = Rc::new(Recorder {
        clock: Cell::new(1_700_000_000_000.0),
        ..Recorder::default()
    });
    let function = engine
        .function(source, host.clone())
        .unwrap_or_else(|error| panic!("{error}: {}", source.func));
    Bench {
        engine,
        function,
        host,
    }
}

pub fn bench(func: &str) -> Bench {
    bench_of(&source(func))
}

pub fn msg(text: &str) -> Msg {
    let mut msg =
        Msg::try_from(control::decode(text).unwrap_or_else(|error| panic!("{error}: {text}")))
            .expect("an object");
    if msg.id().is_none() {
        msg.insert("_msgid", "m");
    }
    msg
}

impl Bench {
    /// Calls with a message and gives all that happened.
    pub fn call(&self, text: &str) -> Vec<String> {
        match self.function.call(msg(text), 7) {
            Completion::Done(_) => {}
            Completion::Pending => self.host.note("pending".to_owned()),
            Completion::Failed(error) => self.host.note(format!("failed {}", error.message)),
        }
        self.host.take()
    }

    /// Moves the clock, running the timers on the way.
    pub fn advance(&self, ms: f64) {
        let until = self.host.clock.get() + ms;
        loop {
            let next = self
                .host
                .timers
                .borrow()
                .iter()
                .map(|(id, at)| (*at, *id))
                .min_by(|a, b| a.partial_cmp(b).expect("numbers"));
            let Some((at, id)) = next.filter(|(at, _)| *at <= until) else {
                break;
            };
            self.host.timers.borrow_mut().remove(&id);
            self.host.clock.set(at.max(self.host.clock.get()));
            self.function.fire_timer(id);
        }
        self.host.clock.set(until);
    }
}
