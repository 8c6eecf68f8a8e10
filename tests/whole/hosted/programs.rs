//! Programs with nodes of packages: what goes along with them, and that they do what the flow does.

use super::{copy, tab, user_dir, wait_for, with_node};
use serde_json::json;
use std::process::Command;
use vgdc_tests::{Control, free_port, http, root, text, vgdc};

/// Builds a program of a flow with nodes in Node.js and runs it, without the folder that it was built from.
fn built(more: &[&str]) {
    let folder = user_dir();
    copy(
        &root().join("tests/whole/hosted/nodes"),
        &folder.path().join("nodes"),
        &["answerer.js", "answerer.html", "letters.txt"],
    );
    let flow = folder.path().join("flows.json");
    std::fs::write(&flow, tab(json!([
        {"id": "p", "type": "probe", "wires": [["f"], []]},
        {"id": "f", "type": "function", "func": "msg.payload = os.EOL + msg.payload; return msg;", "outputs": 1, "libs": [{"var": "os", "module": "os"}], "wires": [["g"]]},
        {"id": "g", "type": "function", "func": "msg.payload += '!'; return msg;", "outputs": 1, "wires": [["x"]]},
        {"id": "h", "type": "http in", "url": "/a/:way", "method": "get", "wires": [["a"]]},
        {"id": "a", "type": "answerer", "wires": [["r"]]},
        {"id": "r", "type": "http response", "wires": []},
        {"id": "x", "type": "helper", "wires": []},
    ])).to_string()).expect("is written");
    let to = tempfile::tempdir().expect("a folder");
    let app = to.path().join("app");
    let (flow, app) = (
        flow.to_str().expect("a path"),
        app.to_str().expect("a path"),
    );
    let args = [&["build", flow, "-o", app, "--observable"], more].concat();
    let out = with_node(vgdc(&args)).output().expect("vgdc starts");
    let said = text(&out.stderr);
    assert!(out.status.success(), "{said}");
    assert!(
        said.contains("f run in Node.js")
            && said.contains("app.host: ")
            && said.contains("needs Node.js (v22"),
        "{said}"
    );
    // The folder is all that it needs, beside Node.js.
    drop(folder);
    let mut command = with_node(Command::new(app));
    let port = free_port().to_string();
    command
        .env_remove("NODE_PATH")
        .args(["--control", "stdio", "--port", &port]);
    let mut control = Control::start_command(&mut command);
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    control.good(
        "receive",
        json!({"node": "p", "msg": {"payload": 1, "_msgid": "m"}}),
    );
    let came = wait_for(&mut control, |event| event["node"] == "x");
    assert_eq!(came["msg"], json!({"payload": "\n1!", "_msgid": "m"}));
    let address = format!("127.0.0.1:{port}");
    let ask = |way: &str| http(&address, "GET", &format!("/a/{way}"), "");
    assert_eq!(ask("send-status"), (418, "I'm a Teapot".to_owned()));
    assert_eq!(ask("sent-on"), (200, "sent on".to_owned()));
    assert_eq!(
        ask("send-file"),
        (200, "abcdefghijklmnopqrstuvwxyz\n".to_owned())
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_program_takes_its_packages_along() {
    built(&[]);
}

/// `cargo test --workspace --test hosted release -- --ignored`
#[test]
#[ignore = "compiles the runtime with optimisation, which takes minutes: run it by hand"]
fn a_release_program_takes_its_packages_along() {
    built(&["--release"]);
}
