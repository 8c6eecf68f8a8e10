//! Bad input: a clear error, the right exit code, no panic.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use vgdc_tests::{Control, run, text};

/// Checks a text and gives what is said; it must exit with this code.
fn check(flow: &[u8], code: i32) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows.json");
    std::fs::write(&path, flow).expect("writes");
    let checked = run(&["check", &path.to_string_lossy()]);
    let said = text(&checked.stderr);
    assert_eq!(checked.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn check_flow(nodes: Value, code: i32) -> String {
    check(nodes.to_string().as_bytes(), code)
}

fn node(id: &str, ty: &str, more: Value) -> Value {
    let mut node = json!({"id": id, "type": ty, "z": "t", "x": 1, "y": 1, "wires": [[]]});
    for (key, value) in more.as_object().into_iter().flatten() {
        node[key] = value.clone();
    }
    node
}

fn tab() -> Value {
    json!({"id": "t", "type": "tab", "label": "T"})
}

#[test]
fn files_that_are_no_flows() {
    assert!(check(b"not json", 1).contains("VG0001"));
    assert!(check(b"[{\"id\":\"a\",\"type\":\"tab\"", 1).contains("VG0002"));
    check(b"", 1);
    check(b"{\"a\":1}", 1);
    check(b"[1, 2, null]", 1);
    check(b"\xff\xfe", 1);
    check("[".repeat(100_000).as_bytes(), 1);
    let missing = run(&["check", "/no/such/flows.json"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("/no/such/flows.json"));
}

#[test]
fn a_file_of_100_mb_is_read() {
    let filler = "x".repeat(1 << 20);
    let mut flow = String::from("[{\"id\":\"t\",\"type\":\"tab\"}");
    for n in 0..100 {
        flow.push_str(&format!(",{{\"id\":\"c{n}\",\"type\":\"comment\",\"z\":\"t\",\"x\":1,\"y\":1,\"info\":\"{filler}\",\"wires\":[]}}"));
    }
    flow.push(']');
    assert!(check(flow.as_bytes(), 0).contains("101 nodes"));
}

#[test]
fn flows_that_cannot_be_compiled() {
    let unknown = check_flow(
        json!([tab(), node("n", "no-such-type", json!({"name": "N"}))]),
        1,
    );
    assert!(unknown.contains("no-such-type") && unknown.contains('N'));
    let sub = json!([tab(), {"id": "s", "type": "subflow", "name": "S", "in": [], "out": []},
        {"id": "i", "type": "subflow:s", "z": "s", "x": 1, "y": 1, "wires": []}, node("u", "subflow:s", json!({}))]);
    assert!(check_flow(sub, 1).contains("VG0103"));
    check_flow(json!([tab(), node("n", "subflow:gone", json!({}))]), 1);
}

#[test]
fn faults_inside_nodes_are_placed() {
    let said = check_flow(
        json!([
            tab(),
            node(
                "f",
                "function",
                json!({"name": "Sum", "func": "let a = 1;\nreturn a +;", "outputs": 1})
            )
        ]),
        1,
    );
    assert!(said.contains("Sum") && said.contains("2:"), "{said}");
    check_flow(
        json!([
            tab(),
            node(
                "c",
                "change",
                json!({"rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "a[", "tot": "jsonata"}]})
            )
        ]),
        1,
    );
    check_flow(
        json!([
            tab(),
            node(
                "c",
                "change",
                json!({"rules": [{"t": "change", "p": "payload", "pt": "msg", "from": "(", "fromt": "re", "to": "", "tot": "str"}]})
            )
        ]),
        1,
    );
}

#[test]
fn what_node_red_would_start_is_a_warning() {
    let wire = check_flow(
        json!([tab(), node("c", "debug", json!({"wires": [["gone"]]}))]),
        0,
    );
    assert!(wire.contains("gone"), "{wire}");
    check_flow(
        json!([
            tab(),
            node("m", "mqtt in", json!({"broker": "gone", "topic": "a"}))
        ]),
        0,
    );
    check_flow(
        json!([{"id": "n", "type": "debug", "z": "gone", "x": 1, "y": 1, "wires": []}]),
        0,
    );
}

#[test]
fn a_port_in_use_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let flow = vgdc_tests::root().join("examples/http-api/flows.json");
    let ran = run(&["run", &flow.to_string_lossy(), "--port", &port]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(text(&ran.stderr).contains(&format!("127.0.0.1:{port}")));
}

#[test]
fn unreadable_credentials_are_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows.json");
    std::fs::write(&path, "[]").expect("writes");
    std::fs::write(folder.path().join("flows_cred.json"), "{\"$\":\"00\"").expect("writes");
    let ran = run(&["check", &path.to_string_lossy()]);
    assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
}

#[test]
fn a_loop_without_a_pause_leaves_control_answering() {
    let mut control = Control::start(&[]);
    let function = |id: &str, func: &str, to: Value| {
        node(
            id,
            "function",
            json!({"func": func, "outputs": 1, "wires": [to]}),
        )
    };
    control.good("deploy", json!({"flows": [tab(), function("a", "return msg", json!(["b"])), function("b", "return msg", json!(["a"]))]}));
    control.good("receive", json!({"node": "a", "msg": {"payload": 1}}));
    let begin = Instant::now();
    for _ in 0..20 {
        control.good("info", json!({}));
        control.good("metrics", json!({}));
    }
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "control was starved"
    );
    let handled = control.good("metrics", json!({}))["nodes"]["a"]["in"].as_u64();
    assert!(
        handled.is_some_and(|n| n > 100),
        "the loop runs: {handled:?}"
    );
    control.good("stop", json!({}));
    assert_eq!(control.end(), Some(0));
}

#[test]
fn an_endless_function_is_stopped_and_others_go_on() {
    let mut control = Control::start(&[]);
    let function = |z: &str, id: &str, func: &str, timeout: f64| json!({"id": id, "type": "function", "z": z, "x": 1, "y": 1, "func": func, "outputs": 1, "timeout": timeout, "wires": [[]]});
    control.good("watch", json!({"nodes": "*", "events": ["error", "done"]}));
    control.good("deploy", json!({"flows": [tab(), {"id": "u", "type": "tab"}, function("t", "endless", "while (true) {}", 0.3), function("u", "other", "return msg", 0.0)]}));
    control.good("receive", json!({"node": "endless", "msg": {}}));
    control.good("receive", json!({"node": "other", "msg": {}}));
    control.wait_for(|event| event["event"] == "done" && event["node"] == "other");
    control.wait_for(|event| event["event"] == "error" && event["node"] == "endless");
    assert_eq!(control.end(), Some(0));
}

#[test]
fn requests_that_make_no_sense_are_refused_and_change_nothing() {
    let mut control = Control::start(&[]);
    control.good(
        "deploy",
        json!({"flows": [tab(), node("h", "helper", json!({}))]}),
    );
    for (op, fields, code) in [
        ("no-such", json!({}), "unknown-op"),
        ("receive", json!({"node": "gone"}), "no-such-node"),
        ("receive", json!({"node": "h", "msg": 5}), "bad-field"),
        (
            "watch",
            json!({"nodes": "*", "events": ["nothing"]}),
            "bad-field",
        ),
        ("deploy", json!({"flows": {}}), "bad-field"),
        (
            "deploy",
            json!({"flows": [node("x", "no-such-type", json!({}))]}),
            "invalid-flows",
        ),
        (
            "context.get",
            json!({"scope": "x", "key": "a"}),
            "bad-field",
        ),
        ("button", json!({"node": "h"}), "no-button"),
    ] {
        let answer = control.ask(op, fields);
        assert_eq!(
            (&answer["ok"], &answer["error"]["code"]),
            (&json!(false), &json!(code)),
            "{answer}"
        );
    }
    let nodes = control.good("nodes", json!({}));
    assert_eq!(nodes.as_array().map(Vec::len), Some(1));
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_full_disk_is_told_to_the_flow_which_goes_on() {
    let mut control = Control::start(&[]);
    control.good("watch", json!({"nodes": "*", "events": ["error", "input"]}));
    let file = json!({"filename": "/dev/full", "filenameType": "str", "overwriteFile": "false", "wires": [["after"]]});
    let nodes = [
        tab(),
        node("file", "file", file),
        node("after", "helper", json!({})),
        node(
            "catch",
            "catch",
            json!({"scope": null, "wires": [["told"]]}),
        ),
        node("told", "helper", json!({})),
    ];
    control.good("deploy", json!({"flows": nodes}));
    for _ in 0..2 {
        control.good(
            "receive",
            json!({"node": "file", "msg": {"payload": "line"}}),
        );
        let told = control.wait_for(|event| event["event"] == "input" && event["node"] == "told");
        let message = told["msg"]["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("ENOSPC"), "{message}");
        control.events.clear();
    }
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_broker_that_is_down_is_shown_and_tried_again() {
    let port = vgdc_tests::free_port();
    let mut control = Control::start(&[]);
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["status", "log", "input"]}),
    );
    let broker = json!({"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": port.to_string(), "autoConnect": true});
    let nodes = [
        tab(),
        broker,
        node("out", "mqtt out", json!({"broker": "b", "topic": "x"})),
        node("other", "helper", json!({})),
    ];
    let settings = json!({"mqttReconnectTime": 50});
    control.good("deploy", json!({"flows": nodes, "settings": settings}));
    control.wait_for(|event| event["node"] == "out" && event["status"]["shape"] == "ring");
    // Somebody listens now, so it is seen that it tries again.
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    listener.accept().expect("it comes again");
    control.good("receive", json!({"node": "other", "msg": {}}));
    control.wait_for(|event| event["event"] == "input" && event["node"] == "other");
    assert_eq!(control.end(), Some(0));
}
