//! Real packages from npm.

use super::{control, npm, tab, with_node};
use serde_json::{Value, json};
use std::process::Command;
use vgdc_tests::{Running, text, vgdc};

/// Hands messages to `p` and gives what came to `x`.
fn answers(flow: Value, messages: &[Value]) -> Vec<Value> {
    let mut control = control(&npm());
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    control.good("deploy", json!({"flows": flow}));
    for msg in messages {
        control.good("receive", json!({"node": "p", "msg": msg}));
        control.good("settle", json!({}));
    }
    let came = control
        .events
        .iter()
        .map(|event| event["msg"]["payload"].clone())
        .collect();
    assert_eq!(control.end(), Some(0));
    came
}

#[test]
fn random_numbers() {
    let flow = tab(json!([
        {"id": "p", "type": "random", "low": "3", "high": "5", "inte": "true", "property": "payload", "wires": [["x"]]},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    let came = answers(flow, &vec![json!({}); 20]);
    assert_eq!(came.len(), 20);
    assert!(
        came.iter().all(|number| number
            .as_u64()
            .is_some_and(|number| (3..=5).contains(&number))),
        "{came:?}"
    );
}

#[test]
fn moments() {
    let flow = tab(json!([
        {"id": "p", "type": "moment", "input": "payload", "inputType": "msg", "inTz": "Etc/UTC", "adjAmount": 1, "adjType": "days", "adjDir": "add",
         "format": "YYYY-MM-DD HH:mm", "locale": "en", "output": "payload", "outputType": "msg", "outTz": "Europe/Berlin", "topic": "", "wires": [["x"]]},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    let came = answers(
        flow,
        &[json!({"payload": {"$type": "date", "iso": "2026-07-01T10:00:00.000Z"}})],
    );
    assert_eq!(came, [json!("2026-07-02 12:00")]);
}

/// A button leads to a native function and that to a widget: pressed in Chromium, whose page shows the answer.
fn press(flow: &Value, path: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flows.json");
    std::fs::write(&file, flow.to_string()).expect("is written");
    let (file, user_dir) = (file.to_str().expect("a path"), npm());
    let args = [
        "run",
        file,
        "--port",
        "0",
        "--user-dir",
        user_dir.to_str().expect("a path"),
    ];
    let mut running = Running::start(&mut with_node(vgdc(&args)));
    let address = running.address();
    let mut browser = with_node(Command::new("node"));
    browser.arg(vgdc_tests::root().join("tests/whole/hosted/press.js"));
    browser.args([&format!("http://{address}/{path}"), "press", "42"]);
    let out = browser.output().expect("Node.js starts");
    assert!(
        out.status.success(),
        "{}{}",
        text(&out.stdout),
        text(&out.stderr)
    );
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn the_first_dashboard() {
    let flow = tab(json!([
        {"id": "b", "type": "ui_button", "group": "g1", "order": 1, "label": "press", "payload": "7", "payloadType": "num", "topicType": "str", "wires": [["f"]]},
        {"id": "f", "type": "function", "func": "msg.payload *= 6; return msg;", "outputs": 1, "wires": [["w"]]},
        {"id": "w", "type": "ui_text", "group": "g1", "order": 2, "label": "answer", "format": "{{msg.payload}}", "layout": "row-spread", "wires": []},
    ]));
    let mut nodes = flow.as_array().cloned().unwrap_or_default();
    nodes.extend([
        json!({"id": "home", "type": "ui_tab", "name": "Home", "icon": "dashboard"}),
        json!({"id": "g1", "type": "ui_group", "name": "Group", "tab": "home", "order": 1, "disp": true, "width": "6"}),
    ]);
    press(&nodes.into(), "ui/");
}

#[test]
fn the_second_dashboard() {
    let flow = serde_json::from_str(include_str!("dashboard-2.json")).expect("a flow");
    press(&flow, "dashboard/page1");
}
