//! The command line as a user meets it.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use vgdc_tests::{Control, Running, program, root, run, text};

fn example() -> String {
    root()
        .join("examples/http-api/flows.json")
        .to_string_lossy()
        .into_owned()
}

fn write(folder: &Path, name: &str, flow: &Value) -> String {
    let path = folder.join(name);
    std::fs::write(&path, flow.to_string()).expect("writes");
    path.to_string_lossy().into_owned()
}

#[test]
fn every_example_checks_without_errors() {
    for name in ["http-api", "mqtt-alerts", "tcp-pipeline", "csv-batch"] {
        let checked = run(&[
            "check",
            &root().join("examples").join(name).to_string_lossy(),
        ]);
        assert!(
            checked.status.success(),
            "{name}: {}",
            text(&checked.stderr)
        );
    }
}

#[test]
fn stages_are_printed_and_are_the_same_each_time() {
    let doc = run(&["emit", &example(), "--stage", "doc"]);
    assert_eq!(
        text(&doc.stdout),
        std::fs::read_to_string(example()).expect("the example")
    );
    for stage in [
        "graph", "opt", "plan", "mir", "clif", "manifest", "mermaid", "dot",
    ] {
        let [first, second] = [0, 1].map(|_| run(&["emit", &example(), "--stage", stage]));
        assert!(
            first.status.success() && !first.stdout.is_empty(),
            "{stage}"
        );
        assert_eq!(first.stdout, second.stdout, "{stage}");
    }
    assert!(text(&run(&["explain", &example()]).stdout).contains("island 0"));
    assert!(text(&run(&["explain", "VG0001"]).stdout).starts_with("VG0001"));
    assert_eq!(run(&["explain", "VG9999"]).status.code(), Some(1));
}

#[test]
fn an_artifact_is_one_file_that_says_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
    for app in [&first, &second] {
        let built = run(&["build", &example(), "-o", &app.to_string_lossy()]);
        assert!(built.status.success(), "{}", text(&built.stderr));
    }
    assert_eq!(
        std::fs::read(&first).expect("an artifact"),
        std::fs::read(&second).expect("an artifact")
    );
    let manifest = Command::new(&first)
        .arg("--manifest")
        .output()
        .expect("it starts");
    let manifest: Value = serde_json::from_slice(&manifest.stdout).expect("JSON");
    assert!(
        manifest["ops"]
            .as_array()
            .is_some_and(|ops| ops.len() >= 10)
    );
    let bare = Command::new(program("vgdc-runner"))
        .output()
        .expect("it starts");
    assert_eq!(bare.status.code(), Some(2));
    let unknown = Command::new(&first)
        .arg("--prot")
        .output()
        .expect("it starts");
    assert_eq!(
        (
            unknown.status.code(),
            text(&unknown.stderr).contains("--help")
        ),
        (Some(2), true)
    );
}

#[test]
fn nothing_is_built_of_a_flow_with_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = write(
        folder.path(),
        "f.json",
        &json!([{"id": "t", "type": "tab"}, {"id": "n", "type": "no-such", "z": "t", "x": 1, "y": 1, "wires": []}]),
    );
    let app = folder.path().join("app");
    let built = run(&["build", &flow, "-o", &app.to_string_lossy()]);
    assert_eq!(built.status.code(), Some(1));
    assert!(text(&built.stderr).contains("no-such"));
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        1,
        "no file was left"
    );
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    for place in ["/proc/app", "/dev/full/app", "/"] {
        let built = run(&["build", &example(), "-o", place]);
        assert_eq!(built.status.code(), Some(1), "{place}");
    }
}

#[test]
fn saving_the_file_reloads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = |payload: &str| {
        json!([
            {"id": "t", "type": "tab"},
            {"id": "i", "type": "inject", "z": "t", "x": 1, "y": 1, "once": true, "onceDelay": 0.1, "repeat": "", "crontab": "",
             "props": [{"p": "payload"}], "payload": payload, "payloadType": "str", "wires": [["f"]]},
            {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "func": "node.warn('got ' + msg.payload)", "outputs": 1, "wires": [[]]},
        ])
    };
    let path = write(folder.path(), "flows.json", &flow("one"));
    let mut running = Running::start(&mut vgdc_tests::vgdc(&["run", &path, "--watch"]));
    running.wait_for("got one");
    std::thread::sleep(std::time::Duration::from_millis(300));
    write(folder.path(), "flows.json", &flow("two"));
    running.wait_for("got two");
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn log_lines_can_be_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(
        folder.path(),
        "flows.json",
        &json!([
            {"id": "t", "type": "tab"},
            {"id": "i", "type": "inject", "z": "t", "x": 1, "y": 1, "once": true, "onceDelay": 0, "props": [], "wires": [["f"]]},
            {"id": "f", "type": "function", "name": "F", "z": "t", "x": 1, "y": 1, "func": "node.error('bad')", "outputs": 1, "wires": [[]]},
        ]),
    );
    let mut running = Running::start(&mut vgdc_tests::vgdc(&["run", &path, "--log", "json"]));
    let line: Value = serde_json::from_str(&running.wait_for("bad")).expect("JSON");
    assert_eq!(
        (&line["level"], &line["id"], &line["name"], &line["message"]),
        (&json!("error"), &json!("f"), &json!("F"), &json!("bad"))
    );
}

#[test]
fn an_artifact_takes_secrets_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = json!([
        {"id": "t", "type": "tab", "env": [{"name": "PASS", "type": "cred", "value": ""}]},
        {"id": "i", "type": "inject", "z": "t", "x": 1, "y": 1, "once": true, "onceDelay": 0.01, "props": [], "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "func": "node.warn('it is ' + env.get('PASS'))", "outputs": 1, "wires": [[]]},
    ]);
    let path = write(folder.path(), "flows.json", &flow);
    let app = folder.path().join("app");
    let built = run(&["build", &path, "-o", &app.to_string_lossy()]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let secrets = write(
        folder.path(),
        "secrets.json",
        &json!({"t": {"PASS": "sesame"}}),
    );
    Running::start(Command::new(&app).args(["--credentials", &secrets])).wait_for("it is sesame");
    let encrypted = write(folder.path(), "encrypted.json", &json!({"$": "00"}));
    let refused = Command::new(&app)
        .args(["--credentials", &encrypted])
        .output()
        .expect("it starts");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("damaged"));
}

#[test]
fn what_is_started_hears_signals_that_vgdc_was_told_to_ignore() {
    let flow = json!([
        {"id": "t", "type": "tab"},
        {"id": "e", "type": "exec", "z": "t", "command": "sleep 60", "addpay": "", "append": "", "useSpawn": "true", "timer": "", "oldrc": false, "wires": [[], [], ["end"]]},
        {"id": "end", "type": "helper", "z": "t", "wires": []},
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "flows.json", &flow);
    // (as under nohup, or behind `&` in a script)
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap "" HUP INT TERM; exec "$0" "$@""#]);
    shell.arg(program("vgdc"));
    shell.args(["run", &path, "--control", "stdio"]);
    let mut control = Control::start_command(&mut shell);
    control.good("watch", json!({"nodes": ["end"], "events": ["input"]}));
    control.good("receive", json!({"node": "e", "msg": {"payload": ""}}));
    control.good("receive", json!({"node": "e", "msg": {"kill": "SIGTERM"}}));
    let ended = control.wait_for(|event| event["node"] == "end");
    assert_eq!(
        ended["msg"]["payload"],
        json!({"code": null, "signal": "SIGTERM"})
    );
}
