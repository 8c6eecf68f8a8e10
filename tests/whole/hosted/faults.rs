//! Packages that do not fit the machine, and messages that are too much: what is said of them, and that the rest runs.

use super::devices::answered;
use super::{control, tab, user_dir, wait_for, wait_for_log, with_node};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use vgdc_tests::{Running, vgdc};

/// A package in a user folder, with one file of nodes of the type of its name.
fn package(user_dir: &Path, name: &str, more: Value, code: &str) {
    let folder = user_dir.join("node_modules").join(name);
    std::fs::create_dir_all(&folder).expect("is made");
    let mut described = json!({"name": name, "version": "1.0.0", "license": "MIT", "node-red": {"nodes": {"n": "n.js"}}});
    for (key, value) in more.as_object().into_iter().flatten() {
        described[key] = value.clone();
    }
    std::fs::write(folder.join("package.json"), described.to_string()).expect("is written");
    let page = format!("<script>RED.nodes.registerType('{name}', {{}});</script>");
    std::fs::write(folder.join("n.html"), page).expect("is written");
    let code = format!(
        "{code}\nmodule.exports = (RED) => RED.nodes.registerType('{name}', function (config) {{ RED.nodes.createNode(this, config); this.on('input', (msg) => this.send(msg)); }});"
    );
    std::fs::write(folder.join("n.js"), code).expect("is written");
}

#[test]
fn packages_that_do_not_fit_the_machine_are_told_with_what_mends_it() {
    let folder = user_dir();
    let at = folder.path();
    package(at, "broken-build", json!({}), "require('./build.node');");
    std::fs::write(
        at.join("node_modules/broken-build/build.node"),
        "no program",
    )
    .expect("is written");
    package(
        at,
        "no-build",
        json!({}),
        "throw new Error('Could not locate the bindings file. Tried: …');",
    );
    package(
        at,
        "newer-node",
        json!({"engines": {"node": ">=99"}}),
        "structuredCloneOfTomorrow();",
    );
    package(at, "wants-newer", json!({"engines": {"node": ">=98"}}), "");
    package(
        at,
        "newer-red",
        json!({"node-red": {"version": ">=99.1.0", "nodes": {"n": "n.js"}}}),
        "",
    );
    let names = [
        "broken-build",
        "no-build",
        "newer-node",
        "wants-newer",
        "newer-red",
    ];
    let mut nodes: Vec<Value> = names
        .iter()
        .map(|name| json!({"id": name, "type": name, "wires": [["x"]]}))
        .collect();
    nodes.push(json!({"id": "x", "type": "helper", "wires": []}));
    let mut control = control(at);
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["input", "log", "error"]}),
    );
    control.good("deploy", json!({"flows": tab(nodes.into())}));
    let version = "v22.";
    for (name, parts) in [
        (
            "broken-build",
            vec![
                "could not load",
                "build.node",
                "native part is not built for this machine's Node.js",
                "run `npm rebuild broken-build` in ",
            ],
        ),
        (
            "no-build",
            vec![
                "could not load",
                "Could not locate the bindings file",
                "run `npm rebuild no-build` in ",
            ],
        ),
        (
            "newer-node",
            vec![
                "could not load",
                "structuredCloneOfTomorrow is not defined",
                "wants Node.js >=99, and this is",
                version,
            ],
        ),
        (
            "wants-newer",
            vec![
                "the package wants-newer wants Node.js >=98, and this is",
                version,
            ],
        ),
        (
            "newer-red",
            vec!["it wants Node-RED >=99.1.0, and this is 5."],
        ),
    ] {
        let said = wait_for(&mut control, |event| {
            let text = event["message"].as_str().unwrap_or_default();
            event["event"] == "log" && text.contains(name) && text.contains(parts[0])
        });
        let said = said["message"].as_str().unwrap_or_default();
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    for name in ["broken-build", "no-build", "newer-node", "newer-red"] {
        wait_for(&mut control, |event| {
            let text = format!("the node type {name} is not there");
            event["node"] == name
                && event["message"]
                    .as_str()
                    .is_some_and(|said| said.contains(&text))
        });
    }
    // (one that only says so may well work)
    assert_eq!(
        answered(&mut control, "wants-newer", json!({"payload": 1}))["payload"],
        1
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_message_of_100_mb_goes_there_and_back() {
    let folder = user_dir();
    let mut control = control(folder.path());
    let flow = tab(json!([
        {"id": "f", "type": "function", "func": "msg.payload = 'ä'.repeat(50 << 20); return msg;", "outputs": 1, "wires": [["p"]]},
        {"id": "p", "type": "probe", "wires": [["g"], []]},
        {"id": "g", "type": "function", "func": "msg.payload = msg.payload.length; return msg;", "outputs": 1, "wires": [["x"]]},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    control.good("deploy", json!({"flows": flow}));
    assert_eq!(answered(&mut control, "f", json!({}))["payload"], 50 << 20);
    assert_eq!(control.end(), Some(0));
}

#[test]
fn what_a_flood_drops_is_counted() {
    let folder = user_dir();
    let mut control = control(folder.path());
    let flow = tab(json!([
        {"id": "p", "type": "probe", "wires": [["slow"], []]},
        {"id": "slow", "type": "function", "outputs": 1, "wires": [["x"]],
         "func": "if (msg.text) { const end = Date.now() + 20; while (Date.now() < end); return null; } return msg;"},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good("watch", json!({"nodes": "*", "events": ["log", "input"]}));
    control.good("deploy", json!({"flows": flow}));
    control.events.clear();
    control.good(
        "receive",
        json!({"node": "p", "msg": {"do": "flood", "count": 300}}),
    );
    let said = wait_for_log(&mut control, "packages' nodes send faster");
    assert!(said.ends_with(" messages are dropped"), "{said}");
    assert_eq!(
        answered(&mut control, "p", json!({"payload": "after"}))["payload"],
        "after"
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn who_is_told_to_stop_while_a_package_loads_stops_after_that_and_the_second_time_at_once() {
    let folder = user_dir();
    let loads = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);";
    package(folder.path(), "slow-package", json!({}), loads);
    let nodes = json!([{"id": "x", "type": "slow-package", "wires": [[]]}]);
    let flow = folder.path().join("flows.json");
    std::fs::write(&flow, tab(nodes).to_string()).expect("is written");
    let loading = || {
        let command = vgdc(&["run", flow.to_str().expect("a path"), "--port", "0"]);
        let mut running = Running::start(&mut with_node(command));
        let until = Instant::now() + Duration::from_secs(20);
        while running.children().is_empty() {
            assert!(Instant::now() < until, "no Node.js was started");
            std::thread::sleep(Duration::from_millis(10));
        }
        running.tell("TERM");
        running.wait_for("Stopping as soon as the flows have started");
        running
    };
    let mut patient = loading();
    patient.wait_for("Started flows");
    patient.wait_for("Stopping flows");
    assert_eq!(patient.stop("CONT"), Some(0));
    assert_eq!(loading().stop("TERM"), Some(1));
}
