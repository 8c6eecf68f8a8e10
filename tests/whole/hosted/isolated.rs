//! Packages with processes of their own, and what limits a process.

use super::{npm, tab, with_node};
use serde_json::{Value, json};
use std::path::Path;
use vgdc_tests::{Control, Running, http, text, vgdc};

/// A package with one type of node, which does what messages say, and a page; `more` is added to its script.
fn package(user_dir: &Path, name: &str, more: &str) {
    let folder = user_dir.join("node_modules").join(name);
    std::fs::create_dir_all(&folder).expect("is made");
    let about = json!({"name": name, "version": "1.0.0", "license": "MIT", "node-red": {"nodes": {"x": "x.js"}}});
    std::fs::write(folder.join("package.json"), about.to_string()).expect("is written");
    let script = format!(
        "module.exports = (RED) => {{
           const lent = new (require('node:events'))();
           RED.nodes.registerType('{name}', function (config) {{
             RED.nodes.createNode(this, config);
             this.on('input', (msg, send, done) => {{
               const {{ crash, write, lend, context }} = msg.payload ?? {{}};
               if (crash) process.nextTick(() => {{ throw new Error('of {name}'); }});
               if (lend === '{name}') msg.lent = lent;
               if (context) this.context().flow.set('{name}', process.pid);
               msg.same = {{ ...msg.same, {name}: msg.lent === lent }};
               (msg.pids ??= {{}}).{name} = process.pid;
               try {{
                 if (write) require('node:fs').writeFileSync(write, 'x');
               }} catch (error) {{
                 return done(error);
               }}
               send(msg);
               done();
             }});
           }});
           RED.httpNode.post('/{name}', (req, res) => {{
             let body = '';
             req.on('data', (part) => {{ body += part; }}).on('end', () => res.send(body));
           }});
           RED.nodes.registerType('{name}-in', function (config) {{
             RED.nodes.createNode(this, config);
             RED.httpNode.get('/{name}-in', (req, res) => this.send({{ req, res: {{ _res: res }}, payload: '{name}' }}));
           }});
           {more}
         }};"
    );
    std::fs::write(folder.join("x.js"), script).expect("is written");
    std::fs::write(folder.join("x.html"), "").expect("is written");
}

fn host(user_dir: &Path, settings: &str) {
    let text = format!("[settings.host]\n{settings}\n");
    std::fs::write(user_dir.join("vgdc.toml"), text).expect("is written");
}

fn write_flow(user_dir: &Path, nodes: Value) {
    std::fs::write(user_dir.join("flows.json"), tab(nodes).to_string()).expect("is written");
}

fn start(user_dir: &Path) -> Control {
    let flow = user_dir.join("flows.json");
    let flow = flow.to_str().expect("a path");
    let command = vgdc(&["run", flow, "--control", "stdio"]);
    Control::start_command(&mut with_node(command))
}

/// The message that comes to `x` for one that `a` gets.
fn through(control: &mut Control, payload: Value) -> Value {
    control.events.clear();
    control.good(
        "receive",
        json!({"node": "a", "msg": {"payload": payload, "_msgid": "m"}}),
    );
    let came = super::wait_for(control, |event| event["node"] == "x");
    came["msg"].clone()
}

fn chain() -> Value {
    json!([
        {"id": "a", "type": "one", "wires": [["b"]]},
        {"id": "b", "type": "two", "wires": [["c"]]},
        {"id": "c", "type": "one", "wires": [["d"]]},
        {"id": "d", "type": "three", "cfg": "k", "wires": [["x"]]},
        {"id": "k", "type": "two-config"},
        {"id": "x", "type": "helper", "wires": []},
    ])
}

fn packages() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    package(folder.path(), "one", "");
    let config = "RED.nodes.registerType('two-config', function (config) { RED.nodes.createNode(this, config); });";
    package(folder.path(), "two", config);
    package(folder.path(), "three", "");
    folder
}

/// A flow's nodes; configuration nodes have no place on the canvas.
fn with_configs(nodes: Value) -> Value {
    let mut flow = tab(nodes);
    for node in flow.as_array_mut().expect("a list") {
        if node["type"] == "two-config" {
            let node = node.as_object_mut().expect("an object");
            for key in ["x", "y", "z"] {
                node.remove(key);
            }
        }
    }
    flow
}

#[test]
fn each_package_has_its_own_process() {
    let folder = packages();
    host(folder.path(), "isolate = true");
    let flow = with_configs(chain());
    std::fs::write(folder.path().join("flows.json"), flow.to_string()).expect("is written");
    let mut control = start(folder.path());
    control.good("watch", json!({"nodes": "*", "events": ["input", "log"]}));
    let came = through(&mut control, json!({"lend": "one", "context": true}));
    let (one, two) = (came["pids"]["one"].clone(), came["pids"]["two"].clone());
    assert_ne!(one, two);
    assert_eq!(
        came["pids"]["three"], two,
        "they share a configuration node"
    );
    // A thing of one goes through the other, which knows no such thing, and is what it was when it comes back.
    assert_eq!(
        came["same"],
        json!({"one": true, "two": false, "three": false})
    );
    for (key, pid) in [("one", &one), ("two", &two)] {
        let seen = control.good("context.get", json!({"scope": "flow:t", "key": key}));
        assert_eq!(seen, *pid);
    }
    // One that crashes leaves the others alone.
    control.good(
        "receive",
        json!({"node": "a", "msg": {"payload": {"crash": true}}}),
    );
    let log = super::wait_for_log(&mut control, "the host of one failed");
    assert!(log.contains("in the package one: Error: of one"), "{log}");
    let came = through(&mut control, json!({}));
    assert_ne!(came["pids"]["one"], one);
    assert_eq!(came["pids"]["two"], two);
    assert_eq!(control.end(), Some(0));
}

#[test]
fn pages_of_all_processes_are_under_the_programs_port() {
    let folder = packages();
    host(folder.path(), "isolate = [\"two\"]");
    write_flow(
        folder.path(),
        json!([
            {"id": "a", "type": "one", "wires": [[]]},
            {"id": "one-in", "type": "one-in", "wires": [["r"]]},
            {"id": "two-in", "type": "two-in", "wires": [["r"]]},
            {"id": "h", "type": "http in", "url": "/own", "method": "get", "wires": [["r"]]},
            {"id": "r", "type": "http response", "wires": []},
        ]),
    );
    let flow = folder.path().to_str().expect("a path").to_owned();
    let mut running = Running::start(&mut with_node(vgdc(&["run", &flow, "--port", "0"])));
    let address = running.address();
    for name in ["one", "two"] {
        let answer = http(&address, "POST", &format!("/{name}"), "what is said");
        assert_eq!(answer, (200, "what is said".to_owned()));
        let answer = http(&address, "GET", &format!("/{name}-in"), "");
        assert_eq!(answer, (200, name.to_owned()));
    }
    assert_eq!(http(&address, "GET", "/own", "").0, 200);
    assert_eq!(http(&address, "GET", "/nobody", "").0, 404);
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn a_process_has_no_more_rights_than_it_is_given() {
    let folder = packages();
    let (allowed, other) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let name = |folder: &Path, file: &str| folder.join(file).to_str().expect("a path").to_owned();
    let modules = npm().join("node_modules");
    host(
        folder.path(),
        &format!(
            "writes = [{:?}]\nreads = [{:?}, {:?}]",
            allowed.path(),
            other.path(),
            modules
        ),
    );
    write_flow(
        folder.path(),
        json!([
            {"id": "a", "type": "one", "wires": [["x"]]},
            {"id": "k", "type": "catch", "scope": null, "wires": [["x"]]},
            {"id": "x", "type": "helper", "wires": []},
        ]),
    );
    let mut control = start(folder.path());
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    let came = through(&mut control, json!({"write": name(allowed.path(), "f")}));
    assert_eq!(came["error"], Value::Null, "{came}");
    assert!(allowed.path().join("f").exists());
    for folder in [other.path(), folder.path()] {
        let came = through(&mut control, json!({"write": name(folder, "f")}));
        let said = came["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains("EACCES"), "{came}");
        assert!(!folder.join("f").exists());
    }
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_process_has_the_rights_of_the_user_who_is_named() {
    let folder = packages();
    let state = folder.path().join("flows.json");
    write_flow(
        folder.path(),
        json!([{"id": "a", "type": "one", "wires": [[]]}]),
    );
    let flow = state.to_str().expect("a path");
    host(folder.path(), "user = \"no-such-user\"");
    let mut running = Running::start(&mut with_node(vgdc(&[
        "run", flow, "--port", "0", "--log", "json",
    ])));
    let line = running.wait_for("cannot be started");
    assert!(
        line.contains("there is no user no-such-user on this system"),
        "{line}"
    );
    assert_eq!(running.stop("TERM"), Some(0));

    // `nobody` is in every system; what he may not look into is the test's own folder, so others may.
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("is changed");
    host(folder.path(), "user = \"nobody\"");
    let mut running = Running::start(&mut with_node(vgdc(&[
        "run", flow, "--port", "0", "--log", "json",
    ])));
    let line = running.wait_for("packages' nodes");
    let is_root = std::fs::metadata("/proc/self").expect("is there").uid() == 0;
    // (npm may have put Node.js where only its owner looks)
    let as_nobody = std::process::Command::new("setpriv")
        .args(["--reuid=nobody", "--clear-groups"])
        .arg(npm().join("node_modules/node/bin/node"))
        .arg("--version")
        .output();
    let expected = match (is_root, as_nobody.is_ok_and(|out| out.status.success())) {
        (false, _) => "only a program of root's can give it",
        (true, true) => "packages' nodes run in Node-RED",
        (true, false) => "the host of packages' nodes",
    };
    assert!(line.contains(expected), "{line}");
    if expected.starts_with("packages' nodes run") {
        let owner = |pid: u32| std::fs::metadata(format!("/proc/{pid}")).map(|about| about.uid());
        let owners: Vec<u32> = running
            .children()
            .into_iter()
            .filter_map(|pid| owner(pid).ok())
            .collect();
        assert!(!owners.is_empty() && !owners.contains(&0), "{owners:?}");
    }
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn what_lies_between_runs_there_too() {
    let folder = packages();
    write_flow(
        folder.path(),
        json!([
            {"id": "i", "type": "inject", "once": true, "onceDelay": 0.1, "props": [{"p": "payload", "v": "{\"a\":1}", "vt": "json"}], "wires": [["a"]]},
            {"id": "a", "type": "one", "wires": [["b"]]},
            {"id": "b", "type": "change", "rules": [{"t": "set", "p": "payload.b", "pt": "msg", "to": "2", "tot": "num"}], "wires": [["j"]]},
            {"id": "j", "type": "json", "property": "payload", "action": "", "wires": [["c"]]},
            {"id": "c", "type": "one", "wires": [["x"]]},
            {"id": "x", "type": "debug", "console": true, "tosidebar": false, "complete": "payload", "targetType": "msg", "active": true, "wires": []},
        ]),
    );
    let flow = folder.path().join("flows.json");
    let flow = flow.to_str().expect("a path");
    let out = vgdc_tests::run(&["explain", flow, "--program"]);
    let said = text(&out.stdout);
    assert_eq!(
        said.matches("runs in node.js: all that is wired to it does")
            .count(),
        2,
        "{said}"
    );
    let app = folder.path().join("app");
    let app = app.to_str().expect("a path");
    let built = with_node(vgdc(&["build", flow, "-o", app])).output();
    assert!(built.expect("vgdc starts").status.success());
    let mut command = with_node(std::process::Command::new(app));
    let mut running = Running::start(command.args(["--port", "0", "--log", "json"]));
    let line = running.wait_for("\\\"b\\\":2");
    assert!(line.contains("{\\\"a\\\":1,\\\"b\\\":2}"), "{line}");
    assert_eq!(running.stop("TERM"), Some(0));
}
