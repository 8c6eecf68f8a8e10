//! What a deployment of parts of a flow restarts, and what is told of it: as Node-RED 5.0.7 does.

use serde_json::{Value, json};
use vgdc_tests::Control;

/// Two subflows, one of which has a status of its own; functions that set theirs; a status node that hears all.
fn flow(inner: &str, outer: &str) -> Value {
    let set =
        |text: &str, more: &str| format!("node.status({{text: '{text}'}}); return msg;{more}");
    json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "s", "type": "subflow", "name": "S", "in": [{"x": 1, "y": 1, "wires": [{"id": "in"}]}], "out": [], "status": {"x": 1, "y": 1, "wires": [{"id": "st", "port": 0}]}},
        {"id": "in", "type": "function", "z": "s", "x": 1, "y": 1, "func": set("inner", inner), "outputs": 1, "wires": [["st"]]},
        {"id": "st", "type": "change", "z": "s", "x": 1, "y": 1, "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "own", "tot": "str"}], "wires": [[]]},
        {"id": "s2", "type": "subflow", "name": "S2", "in": [{"x": 1, "y": 1, "wires": [{"id": "in2"}]}], "out": []},
        {"id": "in2", "type": "function", "z": "s2", "x": 1, "y": 1, "func": set("inner2", inner), "outputs": 1, "wires": [[]]},
        {"id": "i", "type": "subflow:s", "z": "t", "x": 1, "y": 1, "wires": []},
        {"id": "j", "type": "subflow:s2", "z": "t", "x": 1, "y": 1, "wires": []},
        {"id": "stn", "type": "status", "z": "t", "x": 1, "y": 1, "scope": null, "wires": [["h"]]},
        {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "func": set("f", outer), "outputs": 1, "wires": [[]]},
        {"id": "h", "type": "helper", "z": "t", "x": 1, "y": 1, "wires": []},
    ])
}

/// Whose statuses were told, and whose the status node heard.
fn told(control: &mut Control) -> (Vec<String>, Vec<String>) {
    control.good("settle", json!({}));
    let (mut told, mut heard) = (Vec::new(), Vec::new());
    for event in control.events.drain(..) {
        let line = |who: &Value, status: &Value| {
            let text = status["text"].as_str().unwrap_or("-");
            format!("{} {text}", who.as_str().unwrap_or_default())
        };
        match (event["event"].as_str(), event["node"].as_str()) {
            (Some("status"), _) => told.push(line(&event["node"], &event["status"])),
            (Some("input"), Some("h")) => {
                let status = &event["msg"]["status"];
                heard.push(line(&status["source"]["id"], status));
            }
            _ => {}
        }
    }
    told.sort();
    heard.sort();
    (told, heard)
}

#[test]
fn statuses_of_what_restarts_are_cleared_and_heard() {
    let mut control = Control::start(&[]);
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["status", "input"]}),
    );
    let set_all = |control: &mut Control| {
        for node in ["i", "j", "f"] {
            control.good("receive", json!({"node": node, "msg": {"payload": 1}}));
        }
        let (told, heard) = told(control);
        assert_eq!(told, ["f f", "i own", "i-in inner", "j-in2 inner2"]);
        assert_eq!(heard, ["f f", "i own", "j-in2 inner2"]);
    };
    let steps = [
        (flow("", ""), vec![], vec![]),
        (flow("", "\n"), vec!["f -"], vec!["f -"]),
        (
            flow("\n", "\n"),
            vec!["i -", "i-in -", "j -", "j-in2 -"],
            vec!["i -", "j -", "j-in2 -"],
        ),
    ];
    control.good("deploy", json!({"flows": flow("", "")}));
    for (flows, cleared, heard) in steps {
        set_all(&mut control);
        control.good("deploy", json!({"flows": flows, "type": "nodes"}));
        let now = told(&mut control);
        let texts = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(now, (texts(cleared), texts(heard)));
    }
    // (what is gone clears its status, too)
    set_all(&mut control);
    let mut fewer = flow("\n", "\n");
    let list = fewer.as_array_mut().expect("a list");
    list.retain(|node| node["id"] != "i" && node["id"] != "f");
    control.good("deploy", json!({"flows": fewer, "type": "nodes"}));
    let (told, heard) = told(&mut control);
    assert_eq!(told, ["f -", "i -", "i-in -"]);
    assert_eq!(heard, ["f -", "i -"]);
    assert_eq!(control.end(), Some(0));
}
