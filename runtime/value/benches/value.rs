//! What the representation of values costs: reading, setting, cloning an object of about 1 KB. The figures to meet are in
//! the architecture's section on values: get 1.5 ns, set 3.5 ns, deep clone 730 ns, clone with one write and drop 61–73 ns.
//!
//!     cargo bench -p vgdc-value

use divan::{Bencher, black_box};
use std::collections::HashMap;
use vgdc_value::{Array, Key, Msg, Object, Path, Value, cbor, control, generate_id, json};

fn main() {
    divan::main();
}

/// About 1 KB of JSON: ten names, an object and an array of objects within.
const TEXT: &str = r#"{"_msgid":"8f3ab2c4d5e6f708","topic":"plant/hall-3/line-7/press-12/temperature","payload":{"id":"press-12",
"temperature":72.4,"pressure":3.81,"vibration":{"x":0.012,"y":0.034,"z":0.008},"state":"running","operator":"A. Example",
"started":1767323045678,"alarms":[],"tags":["press","hall-3","critical","metered"],"limits":{"low":10,"high":85,"alarm":95}},
"readings":[{"at":1767323045678,"value":72.4,"unit":"C"},{"at":1767323045778,"value":72.5,"unit":"C"},
{"at":1767323045878,"value":72.3,"unit":"C"},{"at":1767323045978,"value":72.6,"unit":"C"}],"qos":1,"retain":false,
"source":{"host":"gateway-3","port":1883,"protocol":"mqtt","client":"hall-3-collector"},"site":"Example works, hall 3",
"note":"the quick brown fox jumps over the lazy dog, and then once more, to make this message about as long as others are"}"#;

fn message() -> Value {
    json::parse(TEXT).unwrap_or_default()
}

fn object() -> Object {
    message().as_object().cloned().unwrap_or_default()
}

/// A copy that shares nothing, as Node-RED makes for each further wire.
fn deep_clone(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(deep_clone).collect::<Array>()),
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, value)| (key, deep_clone(value)))
                .collect(),
        ),
        Value::Str(text) => Value::from(&**text),
        other => other.clone(),
    }
}

#[divan::bench]
fn get_by_key(bencher: Bencher) {
    let (object, key) = (object(), Key::from("site"));
    bencher.bench_local(|| black_box(&object).get_key(black_box(&key)).is_some());
}

#[divan::bench]
fn get_by_text(bencher: Bencher) {
    let object = object();
    bencher.bench_local(|| black_box(&object).get(black_box("site")).is_some());
}

#[divan::bench]
fn get_from_a_hash_map_of_strings(bencher: Bencher) {
    let map: HashMap<String, Value> = object()
        .iter()
        .map(|(key, value)| (key.as_str().to_owned(), value.clone()))
        .collect();
    bencher.bench_local(|| black_box(&map).get(black_box("site")).is_some());
}

#[divan::bench]
fn get_by_path(bencher: Bencher) {
    let (object, path) = (
        object(),
        Path::parse("payload.vibration.y").unwrap_or_else(|_| Path::key("payload")),
    );
    bencher.bench_local(|| black_box(&path).get_ref(black_box(&object)).is_some());
}

#[divan::bench]
fn set_by_key(bencher: Bencher) {
    let (mut object, key) = (object(), Key::from("qos"));
    bencher.bench_local(|| black_box(&mut object).insert(black_box(&key), 2));
}

#[divan::bench]
fn set_by_text(bencher: Bencher) {
    let mut object = object();
    bencher.bench_local(|| black_box(&mut object).insert(black_box("qos"), 2));
}

#[divan::bench]
fn set_by_path(bencher: Bencher) {
    let (mut object, path) = (
        object(),
        Path::parse("payload.vibration.y").unwrap_or_else(|_| Path::key("payload")),
    );
    bencher.bench_local(|| black_box(&path).set(black_box(&mut object), Value::from(1), true));
}

#[divan::bench]
fn deep_clone_1_kb(bencher: Bencher) {
    let value = message();
    bencher.bench_local(|| deep_clone(black_box(&value)));
}

#[divan::bench]
fn clone_and_drop_1_kb(bencher: Bencher) {
    let value = message();
    bencher.bench_local(|| black_box(&value).clone());
}

#[divan::bench]
fn clone_write_once_drop_1_kb(bencher: Bencher) {
    let (object, key) = (object(), Key::from("qos"));
    bencher.bench_local(|| {
        let mut copy = black_box(&object).clone();
        copy.insert(&key, 2);
    });
}

#[divan::bench]
fn make_a_message() -> Msg {
    let mut msg = Msg::with_payload(black_box(7));
    msg.insert("topic", "t");
    msg.ensure_id();
    msg
}

#[divan::bench]
fn make_an_id() -> String {
    generate_id()
}

#[divan::bench]
fn parse_1_kb() -> Value {
    json::parse(black_box(TEXT)).unwrap_or_default()
}

#[divan::bench]
fn parse_1_kb_by_serde_json() -> serde_json::Value {
    serde_json::from_str(black_box(TEXT)).unwrap_or_default()
}

#[divan::bench]
fn stringify_1_kb(bencher: Bencher) {
    let value = message();
    bencher.bench_local(|| json::stringify(black_box(&value), 0));
}

#[divan::bench]
fn control_encode_1_kb(bencher: Bencher) {
    let value = message();
    bencher.bench_local(|| control::encode(black_box(&value)));
}

#[divan::bench]
fn cbor_encode_1_kb(bencher: Bencher) {
    let value = message();
    let mut bytes = Vec::new();
    bencher.bench_local(|| {
        bytes.clear();
        cbor::encode(black_box(&value), &mut bytes)
    });
}

#[divan::bench]
fn cbor_decode_1_kb(bencher: Bencher) {
    let mut bytes = Vec::new();
    cbor::encode(&message(), &mut bytes).expect("nothing in it stays here");
    bencher.bench_local(|| cbor::decode(black_box(&bytes)));
}

#[divan::bench]
fn compare_1_kb(bencher: Bencher) {
    let (one, other) = (message(), message());
    bencher.bench_local(|| black_box(&one).deep_eq(black_box(&other)));
}
