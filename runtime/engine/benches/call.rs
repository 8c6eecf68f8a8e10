//! What a call of a function node costs, by body and size of the message.

use std::rc::Rc;

use divan::{Bencher, black_box};
use vgdc_engine::{
    CallId, Engine, Function, FunctionSource, Host, JsError, Limits, LogLevel, Scope,
};
use vgdc_value::{ErrorValue, Msg, Value};

fn main() {
    divan::main();
}

/// A host that takes everything and does nothing.
struct Sink;

impl Host for Sink {
    fn send(&self, _: CallId, outputs: Vec<Vec<Msg>>, _: bool) {
        drop(black_box(outputs));
    }
    fn done(&self, _: CallId, _: Option<Msg>) {}
    fn fail(&self, _: CallId, _: JsError) {}
    fn error(&self, _: Value, _: Option<Value>) {}
    fn status(&self, _: Value) {}
    fn log(&self, _: LogLevel, _: Value) {}
    fn context_get(&self, _: Scope, _: &str, _: Option<&str>) -> Result<Value, ErrorValue> {
        Ok(Value::from(1))
    }
    fn context_set(&self, _: Scope, _: &str, _: Value, _: Option<&str>) -> Result<(), ErrorValue> {
        Ok(())
    }
    fn context_keys(&self, _: Scope, _: Option<&str>) -> Result<Vec<String>, ErrorValue> {
        Ok(Vec::new())
    }
    fn env_get(&self, _: &str) -> Value {
        Value::Undefined
    }
    fn set_timer(&self, _: u32, _: f64) {}
    fn clear_timer(&self, _: u32) {}
    fn now_ms(&self) -> f64 {
        0.0
    }
    fn console(&self, _: LogLevel, _: String) {}
}

/// Bodies as they are found in flows.
const BODIES: [(&str, &str); 7] = [
    ("pass on", "return msg;"),
    ("add", "msg.payload = msg.payload + 1; return msg;"),
    (
        "new object",
        "return {payload: msg.payload, topic: msg.topic};",
    ),
    ("nested write", "msg.data.f0 = msg.payload; return msg;"),
    ("send", "node.send(msg); return null;"),
    (
        "context",
        "let n = context.get('n') || 0; context.set('n', n + 1); msg.payload = n; return msg;",
    ),
    ("await", "await null; return msg;"),
];

/// A message of about this many bytes.
fn message(bytes: usize) -> Msg {
    let mut data = vgdc_value::Object::new();
    for field in 0..(bytes / 50).max(1) {
        data.insert(
            format!("f{field}").as_str(),
            "some forty characters of text in a field",
        );
    }
    let mut msg = Msg::new();
    msg.insert("_msgid", "0123456789abcdef");
    msg.insert("topic", "a/topic");
    msg.insert("payload", 1);
    msg.insert("data", Value::Object(data));
    msg
}

fn function(body: &str) -> (Engine, Function) {
    let engine = Engine::new(Limits::default()).expect("an engine");
    let source = FunctionSource {
        id: "f".into(),
        output_count: 1,
        func: body.into(),
        ..FunctionSource::default()
    };
    let function = engine.function(&source, Rc::new(Sink)).expect("a function");
    (engine, function)
}

fn calls(bencher: Bencher<'_, '_>, body: &str, bytes: usize) {
    let (_engine, function) = function(body);
    let msg = message(bytes);
    bencher.bench_local(|| function.call(black_box(msg.clone()), 1));
}

#[divan::bench(args = BODIES.map(|(name, _)| name))]
fn size_0_1_kb(bencher: Bencher<'_, '_>, name: &str) {
    calls(bencher, body(name), 100);
}

#[divan::bench(args = BODIES.map(|(name, _)| name))]
fn size_1_kb(bencher: Bencher<'_, '_>, name: &str) {
    calls(bencher, body(name), 1_000);
}

#[divan::bench(args = BODIES.map(|(name, _)| name))]
fn size_10_kb(bencher: Bencher<'_, '_>, name: &str) {
    calls(bencher, body(name), 10_000);
}

fn body(name: &str) -> &'static str {
    BODIES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("", |(_, body)| body)
}

#[divan::bench]
fn compile_a_function() -> Function {
    let (_engine, function) = function("msg.payload = msg.payload + 1; return msg;");
    function
}
