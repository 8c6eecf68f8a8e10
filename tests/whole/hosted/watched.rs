//! What is told of nodes there to those who watch, though nothing on this side listens.

use super::{control, tab, user_dir};
use serde_json::{Value, json};
use vgdc_tests::Control;

/// The events of a turn: kind, node, and of what.
fn told(control: &mut Control, msg: Value) -> Vec<Value> {
    control.events.clear();
    control.good("receive", json!({"node": "p", "msg": msg}));
    control.good("settle", json!({}));
    let line = |event: &Value| {
        let kind = event["event"].as_str().unwrap_or_default();
        let output = match kind {
            "send" => event["output"].clone(),
            _ => Value::Null,
        };
        json!([
            kind,
            event["node"],
            output,
            event["msg"]["payload"],
            event["msg"]["_msgid"]
        ])
    };
    let mut all: Vec<Value> = control.events.iter().map(line).collect();
    // (nodes there and here go on at the same time)
    all.sort_by_key(|line| {
        (
            line[1].to_string(),
            line[0].to_string(),
            line[2].to_string(),
        )
    });
    all
}

#[test]
fn what_stays_there_is_told_to_those_who_watch() {
    let folder = user_dir();
    let mut control = control(folder.path());
    let flow = tab(json!([
        {"id": "p", "type": "probe", "wires": [["q"], ["q", "x"]]},
        {"id": "q", "type": "probe", "wires": [[], []]},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good("deploy", json!({"flows": flow}));
    let both = json!({"do": "both", "payload": "first", "_msgid": "m"});
    assert_eq!(told(&mut control, both.clone()), Vec::<Value>::new());
    let kinds = json!(["input", "send", "done"]);
    control.good("watch", json!({"nodes": ["p", "q"], "events": kinds}));
    let line = |kind: &str, node: &str, output: Value, payload: &str| {
        json!([kind, node, output, payload, "m"])
    };
    let second = |kind: &str, node: &str, output: Value| line(kind, node, output, "second");
    // (the first message makes q do the same again)
    let q = [
        line("done", "q", Value::Null, "first"),
        line("done", "q", Value::Null, "second"),
        line("input", "q", Value::Null, "first"),
        line("input", "q", Value::Null, "second"),
        line("send", "q", json!(0), "first"),
        line("send", "q", json!(0), "second"),
        // (Node-RED gives what goes nowhere no id)
        json!(["send", "q", 1, "second", null]),
    ];
    let p = [
        line("done", "p", Value::Null, "first"),
        line("input", "p", Value::Null, "first"),
        line("send", "p", json!(0), "first"),
        second("send", "p", json!(1)),
    ];
    let all = told(&mut control, both.clone());
    let expected: Vec<Value> = p.iter().chain(&q).cloned().collect();
    assert_eq!(all, expected, "{all:#?}");
    // Others are not told of.
    control.good(
        "unwatch",
        json!({"nodes": ["p"], "events": ["send", "done"]}),
    );
    control.good("unwatch", json!({"nodes": ["q"], "events": ["send"]}));
    let all = told(&mut control, both.clone());
    assert_eq!(all, [&p[1..2], &q[..4]].concat(), "{all:#?}");
    control.good("unwatch", json!({"nodes": "*", "events": "*"}));
    assert_eq!(told(&mut control, both), Vec::<Value>::new());
    assert_eq!(control.end(), Some(0));
}
