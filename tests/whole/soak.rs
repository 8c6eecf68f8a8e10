//! Memory stays what it is, however many messages have come by.
//!
//! `VGDC_SOAK=10000000` says how many; where nothing is said, few enough for every day. The program is the one beside the
//! test's own.

use serde_json::json;
use vgdc_tests::Control;

/// Messages that go round at the same time.
const ROUND: u64 = 16;

/// A bit of everything that keeps state: contexts, split and join, sort, batch, a filter, a delay node's queue, triggers that
/// are extended, statuses, catch and complete nodes, templates, JSON, a subflow, links.
fn flow() -> serde_json::Value {
    json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "s", "type": "subflow", "name": "S", "in": [{"wires": [{"id": "s1"}]}], "out": [{"wires": [{"id": "s1", "port": 0}]}], "env": [{"name": "BY", "type": "num", "value": "2"}]},
        {"id": "s1", "type": "function", "z": "s", "func": "msg.twice = msg.n * env.get('BY'); context.set('last', msg); return msg;", "outputs": 1, "wires": [[]]},
        {"id": "gen", "type": "function", "z": "t", "func": "const n = (flow.get('n') || 0) + 1; flow.set('n', n);\nif (n > flow.get('until')) return null;\nreturn {n, topic: 't' + n % 7, payload: {list: [n, n + 1, n + 2, 'x' + n], text: 'number ' + n}};", "outputs": 1, "wires": [["sub", "loop"]]},
        {"id": "loop", "type": "link out", "z": "t", "mode": "link", "links": ["back"], "wires": []},
        {"id": "back", "type": "link in", "z": "t", "links": ["loop"], "wires": [["later"]]},
        {"id": "later", "type": "function", "z": "t", "func": "return msg;", "outputs": 1, "wires": [["gen"]]},
        {"id": "sub", "type": "subflow:s", "z": "t", "wires": [["json", "split", "filter", "bad", "trigger", "batch"]]},
        {"id": "json", "type": "json", "z": "t", "property": "payload", "action": "str", "wires": [["parse"]]},
        {"id": "parse", "type": "json", "z": "t", "property": "payload", "action": "obj", "wires": [["template"]]},
        {"id": "template", "type": "template", "z": "t", "field": "payload", "template": "{{payload.text}} {{flow.n}}", "wires": [["end"]]},
        {"id": "split", "type": "split", "z": "t", "property": "payload.list", "arraySplt": 1, "arraySpltType": "len", "wires": [["join", "sort"]]},
        {"id": "join", "type": "join", "z": "t", "mode": "auto", "wires": [["end"]]},
        {"id": "sort", "type": "sort", "z": "t", "order": "ascending", "target": "payload", "targetType": "seq", "seqKey": "payload", "seqKeyType": "msg", "wires": [["end"]]},
        {"id": "batch", "type": "batch", "z": "t", "mode": "count", "count": 10, "overlap": 2, "wires": [["end"]]},
        {"id": "filter", "type": "rbe", "z": "t", "func": "rbe", "septopics": true, "property": "payload.text", "wires": [["status"]]},
        {"id": "status", "type": "function", "z": "t", "func": "if (msg.n % 100 === 0) node.status({text: 'at ' + msg.n}); global.set('k' + msg.n % 50, msg.payload); return msg;", "outputs": 1, "wires": [["end"]]},
        {"id": "bad", "type": "function", "z": "t", "func": "if (msg.n % 10 === 0) throw new Error('tenth ' + msg.n); return null;", "outputs": 1, "wires": [[]]},
        {"id": "catch", "type": "catch", "z": "t", "scope": null, "wires": [["end"]]},
        {"id": "complete", "type": "complete", "z": "t", "scope": ["json"], "wires": [["end"]]},
        {"id": "trigger", "type": "trigger", "z": "t", "op1": "1", "op2": "0", "op1type": "str", "op2type": "str", "duration": "5", "extend": true, "units": "ms", "bytopic": "topic", "topic": "topic", "wires": [["end"]]},
        {"id": "end", "type": "helper", "z": "t", "wires": []}
    ])
}

/// The memory that a process has in use, in kilobytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next());
    kilobytes
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

#[test]
fn memory_is_flat() {
    let all: u64 = match std::env::var("VGDC_SOAK") {
        Ok(text) => text.parse().expect("VGDC_SOAK is a number of messages"),
        Err(_) => 40_000,
    };
    let mut control = Control::start(&[]);
    control.good("deploy", json!({"flows": flow()}));
    let value = json!({"scope": "flow:t", "key": "until", "value": all});
    control.good("context.set", value);
    for _ in 0..ROUND {
        control.good("receive", json!({"node": "gen"}));
    }
    let (mut early, mut told, mut last) = (0, 0, 0);
    let mut stuck = std::time::Instant::now();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let n = control.good("context.get", json!({"scope": "flow:t", "key": "n"}));
        let n = n.as_u64().unwrap_or(0).min(all + ROUND);
        if n > last {
            (last, stuck) = (n, std::time::Instant::now());
        }
        assert!(
            stuck.elapsed().as_secs() < 60,
            "nothing has gone on after {n}"
        );
        // (tables have their size, and what is seldom has been seen, after a quarter)
        if early == 0 && n > all / 4 {
            early = resident(control.pid());
        }
        if n / (all / 10) > told {
            told = n / (all / 10);
            println!("{n} messages: {} kB", resident(control.pid()));
        }
        if n >= all + ROUND {
            break;
        }
    }
    let late = resident(control.pid());
    let counted = control.good("metrics", json!({}));
    assert_eq!(counted["nodes"]["sub"]["in"], all);
    println!("{all} messages: {early} kB after a quarter, {late} kB at the end");
    assert!(
        late < early + early / 4 + 2048,
        "it grew from {early} kB to {late} kB"
    );
    assert_eq!(control.end(), Some(0));
}
