//! Nodes of Node-RED packages: what goes over the cut between the program and the Node.js process beside it, and what happens
//! when that process fails.
//!
//! The nodes are those of `hosted/nodes`, in real Node-RED, which `.ci/npm` installs.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use vgdc_tests::{Control, Running, http, npm, root, text, vgdc};

#[path = "hosted/answers.rs"]
mod answers;
#[path = "hosted/devices.rs"]
mod devices;
#[path = "hosted/faults.rs"]
mod faults;
#[path = "hosted/isolated.rs"]
mod isolated;
#[path = "hosted/packages.rs"]
mod packages;
#[path = "hosted/programs.rs"]
mod programs;
#[path = "hosted/watched.rs"]
mod watched;

/// A command that finds Node.js and Node-RED.
fn with_node(mut command: Command) -> Command {
    vgdc_tests::with_node(&mut command).env("PROCESS", "of the process");
    command
}

/// A user folder with the nodes of this test.
fn user_dir() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(
        &root().join("tests/whole/hosted/nodes"),
        &folder.path().join("nodes"),
        &["probe.js", "probe.html"],
    );
    folder
}

fn copy(from: &Path, to: &Path, names: &[&str]) {
    std::fs::create_dir_all(to).expect("is made");
    for name in names {
        std::fs::copy(from.join(name), to.join(name)).expect("is copied");
    }
}

fn control(user_dir: &Path) -> Control {
    let user_dir = user_dir.to_str().expect("a path");
    let command = vgdc(&["run", "--control", "stdio", "--user-dir", user_dir]);
    Control::start_command(&mut with_node(command))
}

/// A tab with these nodes, each of which has a place on the canvas.
fn tab(nodes: Value) -> Value {
    let mut all = vec![
        json!({"id": "t", "type": "tab", "label": "Tab", "env": [{"name": "A", "value": "of the tab", "type": "str"}]}),
    ];
    for mut node in nodes.as_array().cloned().unwrap_or_default() {
        if node.get("z").is_none() {
            node["z"] = "t".into();
        }
        if node.get("x").is_none() {
            (node["x"], node["y"]) = (1.into(), 1.into());
        }
        all.push(node);
    }
    all.into()
}

/// A conversation with a flow of one probe, which is wired to `x`, and everything about both watched.
fn probe(user_dir: &Path) -> Control {
    let mut control = control(user_dir);
    let flow = tab(json!([
        {"id": "p", "type": "probe", "name": "P", "tag": "${A}", "wires": [["x"], ["y"]]},
        {"id": "x", "type": "helper", "wires": []},
        {"id": "y", "type": "helper", "wires": []},
    ]));
    control.good("watch", json!({"nodes": ["p", "x", "y"], "events": "*"}));
    control.good("deploy", json!({"flows": flow, "settings": {"contextStorage": {"first": {"module": "memory"}, "second": {"module": "memory"}}}}));
    control.events.clear();
    control
}

/// Hands a message over and gives what events of a kind came of it, from this node.
fn told(control: &mut Control, msg: Value, node: &str, kind: &str) -> Vec<Value> {
    control.events.clear();
    control.good("receive", json!({"node": "p", "msg": msg}));
    control.good("settle", json!({}));
    let wanted = |event: &&Value| event["node"] == node && event["event"] == kind;
    control.events.iter().filter(wanted).cloned().collect()
}

/// The one message that came to `x`.
fn came(control: &mut Control, msg: Value) -> Value {
    let events = told(control, msg, "x", "input");
    assert_eq!(events.len(), 1, "{:#?}", control.events);
    events[0]["msg"].clone()
}

#[test]
fn what_goes_over_the_cut_and_back_is_what_it_was() {
    let folder = user_dir();
    let mut control = probe(folder.path());
    let deep = (0..50).fold(json!("x"), |inner, _| json!({"a": [inner]}));
    let values = json!({
        "_msgid": "mine", "topic": "ü \u{1f600} \u{0}\n", "nothing": null, "yes": true, "empty": {}, "none": [], "deep": deep,
        "numbers": [0, -1.5e-7, 1e21, {"$type": "number", "value": "NaN"}, {"$type": "number", "value": "-0"}, {"$type": "number", "value": "-Infinity"}],
        "undefined": {"$type": "undefined"}, "buffer": {"$type": "buffer", "base64": "AP9hYg=="}, "no date": {"$type": "date", "iso": null},
        "date": {"$type": "date", "iso": "2026-01-02T03:04:05.678Z"}, "big": {"$type": "bigint", "value": "-12345678901234567890"},
        "re": {"$type": "regexp", "source": "a+b", "flags": "gi"}, "map": {"$type": "map", "entries": [["k", {"$type": "undefined"}], [{"a": 1}, []]]},
        "set": {"$type": "set", "values": [1, "a", {"$type": "buffer", "base64": ""}]},
        "error": {"$type": "error", "name": "TypeError", "message": "m", "stack": "s", "properties": {"code": "E", "in": [1]}},
        "typed": {"$type": "object", "entries": [["$type", "mine"], ["x", [1]]]},
        "payload": [{"z": 1, "a": {"$type": "undefined"}, "m": [[], [{}]]}],
    });
    let back = came(&mut control, values.clone());
    assert_eq!(
        back.to_string(),
        values.to_string(),
        "the order of keys, too"
    );

    // What cannot leave its side is lent, and is the same when it comes back.
    let lent = came(&mut control, json!({"do": "lend"}));
    assert_eq!(lent["thing"]["$type"], "handle");
    assert_eq!(lent["thing"]["kind"], "EventEmitter");
    assert_eq!(lent["point"], json!({"x": 3}), "data of a class is data");
    let back = came(&mut control, json!({"do": "lent", "thing": lent["thing"]}));
    assert_eq!(back["same"], true);
    assert_eq!(control.end(), Some(0));
}

#[test]
fn messages_keep_their_order_and_their_ids() {
    let folder = user_dir();
    let mut control = control(folder.path());
    let flow = tab(json!([
        {"id": "f", "type": "function", "func": "for (let i = 0; i < msg.payload; i++) node.send({payload: i});", "outputs": 1, "wires": [["p", "q"]]},
        {"id": "p", "type": "probe", "wires": [["q", "c"], []]},
        {"id": "q", "type": "probe", "wires": [["c"], []]},
        {"id": "c", "type": "function", "outputs": 0, "wires": [],
         "func": "const all = flow.get('all') ?? []; all.push(msg._msgid + ':' + msg.payload); flow.set('all', all);"},
    ]));
    control.good("deploy", json!({"flows": flow}));
    control.good(
        "receive",
        json!({"node": "f", "msg": {"payload": 3000, "_msgid": "m"}}),
    );
    control.good("settle", json!({}));
    let all = control.good("context.get", json!({"scope": "flow:t", "key": "all"}));
    let all: Vec<&str> = all
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // Each comes from p, from q by f, and from q by p.
    assert_eq!(all.len(), 9000);
    let mut seen = std::collections::HashMap::new();
    for text in &all {
        *seen.entry(*text).or_insert(0) += 1;
    }
    assert!(
        seen.iter().all(|(_, count)| *count == 3),
        "none is lost, none comes twice"
    );
    assert!(seen.contains_key("m:2999"), "{:?}", seen.keys().next());

    // One wire keeps its order.
    let flow = tab(json!([
        {"id": "p", "type": "probe", "wires": [["c"], ["d"]]},
        {"id": "c", "type": "function", "outputs": 0, "wires": [], "func": "const all = flow.get('wire') ?? []; all.push(msg.payload); flow.set('wire', all);"},
        {"id": "d", "type": "helper", "wires": []},
    ]));
    control.good("deploy", json!({"flows": flow}));
    control.good("watch", json!({"nodes": ["c", "d"], "events": ["input"]}));
    control.good(
        "receive",
        json!({"node": "p", "msg": {"do": "many", "count": 5000}}),
    );
    control.good("settle", json!({}));
    let all = control.good("context.get", json!({"scope": "flow:t", "key": "wire"}));
    assert_eq!(all, json!((0..5000).collect::<Vec<_>>()));
    control.events.clear();
    control.good(
        "receive",
        json!({"node": "p", "msg": {"do": "both", "_msgid": "id"}}),
    );
    control.good("settle", json!({}));
    let came: Vec<&Value> = control.events.iter().map(|event| &event["msg"]).collect();
    assert_eq!(
        came[1],
        &json!({"payload": "second", "of": "id", "_msgid": "id"})
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn what_a_node_says_is_said_in_its_name() {
    let folder = user_dir();
    let mut control = probe(folder.path());
    let statuses = told(&mut control, json!({"do": "status"}), "p", "status");
    let statuses: Vec<&Value> = statuses.iter().map(|event| &event["status"]).collect();
    assert_eq!(
        statuses,
        [
            &json!({"fill": "blue", "shape": "ring", "text": "7"}),
            &json!({"text": "short"}),
            &json!({})
        ]
    );

    let lines = told(&mut control, json!({"do": "log"}), "p", "log");
    let lines: Vec<Value> = lines
        .iter()
        .map(|event| json!([event["level"], event["message"], event["path"]]))
        .collect();
    let expected = [
        ("info", json!("one")),
        ("warn", json!({"two": 2})),
        ("error", json!("three")),
        ("debug", json!("four")),
    ];
    assert_eq!(
        lines,
        expected.map(|(level, message)| json!([level, message, "t"]))
    );

    let done = told(
        &mut control,
        json!({"payload": 1, "_msgid": "d"}),
        "p",
        "done",
    );
    assert_eq!(done.len(), 1, "{done:#?}");
    assert_eq!(done[0]["msg"], json!({"payload": 1, "_msgid": "d"}));

    let flow = tab(json!([
        {"id": "p", "type": "probe", "name": "P", "wires": [[], []]},
        {"id": "k", "type": "complete", "scope": ["p"], "wires": [["x"]]},
        {"id": "c", "type": "catch", "scope": ["p"], "wires": [["x"]]},
        {"id": "s", "type": "status", "scope": null, "wires": [["y"]]},
        {"id": "x", "type": "helper", "wires": []},
        {"id": "y", "type": "helper", "wires": []},
    ]));
    control.good("deploy", json!({"flows": flow}));
    let done = came(&mut control, json!({"payload": 1, "_msgid": "d"}));
    let source = json!({"id": "p", "type": "probe", "name": "P"});
    assert_eq!(
        done,
        json!({"payload": 1, "_msgid": "d", "complete": {"source": source}})
    );
    let caught = came(&mut control, json!({"do": "fail", "_msgid": "e"}));
    assert_eq!(caught["error"]["message"], "TypeError: failed");
    assert_eq!(caught["error"]["code"], "EFAIL");
    assert_eq!(
        caught["error"]["source"],
        json!({"id": "p", "type": "probe", "name": "P", "count": 1})
    );
    assert!(
        caught["error"]["stack"]
            .as_str()
            .is_some_and(|stack| stack.contains("probe.js"))
    );
    // (an error that a node raises and then says that it has finished: both are told, as in Node-RED)
    let raised = told(&mut control, json!({"do": "raise"}), "x", "input");
    let texts: Vec<&Value> = raised
        .iter()
        .map(|event| &event["msg"]["error"]["message"])
        .collect();
    assert_eq!(texts, [&json!("raised"), &Value::Null]);
    let heard = told(&mut control, json!({"do": "status"}), "y", "input");
    assert_eq!(
        heard[1]["msg"]["status"],
        json!({"text": "short", "source": source})
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn contexts_are_the_same_on_both_sides() {
    let folder = user_dir();
    let mut control = control(folder.path());
    let flow = json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "sub", "type": "subflow", "name": "S", "in": [{"x": 1, "y": 1, "wires": [{"id": "in"}]}], "out": [{"x": 1, "y": 1, "wires": [{"id": "p", "port": 0}]}]},
        {"id": "in", "type": "function", "z": "sub", "x": 1, "y": 1, "outputs": 1, "wires": [["p"]],
         "func": "flow.set('native', 'here'); flow.set('$parent.outer', 'around'); global.set('x', 0, 'second'); return msg;"},
        {"id": "p", "type": "probe", "z": "sub", "x": 1, "y": 1, "wires": [[], []]},
        {"id": "i", "type": "subflow:sub", "z": "t", "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "outputs": 1, "wires": [["x"]],
         "func": "msg.y = global.get('y', 'second'); msg.x = global.get('x', 'second'); return msg;"},
        {"id": "x", "type": "helper", "z": "t", "x": 1, "y": 1, "wires": []},
    ]);
    control.good("watch", json!({"nodes": "*", "events": ["input", "error"]}));
    control.good("deploy", json!({"flows": flow, "settings": {"contextStorage": {"first": {"module": "memory"}, "second": {"module": "memory"}}}}));
    for n in 1..=2 {
        control.events.clear();
        control.good("receive", json!({"node": "i", "msg": {"do": "contexts"}}));
        control.good("settle", json!({}));
        let came = control
            .events
            .iter()
            .find(|event| event["node"] == "x")
            .expect("it comes");
        assert_eq!(came["msg"]["x"], 1);
        assert_eq!(came["msg"]["y"], 2);
        assert_eq!(
            came["msg"]["seen"],
            json!({
                "native": "here", "n": n, "deep": 1, "both": [1, 2], "keys": ["native", "a"], "parent": "around", "unknown": {"$type": "undefined"},
                "error": ["INVALID_EXPR", "Invalid property expression: unterminated expression"], "callback": [null, "here"],
            })
        );
    }
    let deep = control.good("context.get", json!({"scope": "flow:i", "key": "a.b.deep"}));
    assert_eq!(
        deep,
        json!([1, {"$type": "undefined"}, {"$type": "date", "iso": "1970-01-01T00:00:00.000Z"}])
    );
    assert_eq!(
        control.good("context.get", json!({"scope": "node:i-p", "key": "n"})),
        2
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn nodes_have_their_environment_credentials_and_configuration() {
    let folder = user_dir();
    let mut control = control(folder.path());
    let env = |name: &str, value: &str| json!({"name": name, "value": value, "type": "str"});
    let flow = json!([
        {"id": "t", "type": "tab", "label": "Tab", "env": [env("A", "tab"), {"name": "G", "value": "{\"j\":1}", "type": "json"}]},
        {"id": "g", "type": "group", "z": "t", "name": "Group", "nodes": ["p"], "env": [env("A", "group")]},
        {"id": "cfg", "type": "probe-config", "host": "${PROCESS}"},
        {"id": "p", "type": "probe", "z": "t", "g": "g", "x": 1, "y": 1, "name": "P", "tag": "${A}", "cfg": "cfg", "wires": [["x"], []]},
        {"id": "sub", "type": "subflow", "name": "S", "env": [env("A", "template"), env("ONLY", "t")], "in": [{"x": 1, "y": 1, "wires": [{"id": "q"}]}], "out": [{"x": 1, "y": 1, "wires": [{"id": "q", "port": 0}]}]},
        {"id": "inner", "type": "probe-config", "z": "sub", "host": "${ONLY}"},
        {"id": "q", "type": "probe", "z": "sub", "x": 1, "y": 1, "tag": "${ONLY}", "cfg": "inner", "wires": [[], []]},
        {"id": "i", "type": "subflow:sub", "z": "t", "x": 1, "y": 1, "env": [env("A", "instance")], "wires": [["x"]]},
        {"id": "x", "type": "helper", "z": "t", "x": 1, "y": 1, "wires": []},
    ]);
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    let credentials = json!({"cfg": {"key": "secret ${A}"}, "inner": {"key": "inner secret"}});
    control.good("deploy", json!({"flows": flow, "credentials": credentials}));
    let ask = |control: &mut Control, node: &str| {
        control.events.clear();
        control.good("receive", json!({"node": node, "msg": {"do": "self"}}));
        control.good("settle", json!({}));
        control.events[0]["msg"]["self"].clone()
    };
    let own = ask(&mut control, "p");
    assert_eq!(own["tag"], "group");
    assert_eq!(
        (&own["host"], &own["key"]),
        (&json!("of the process"), &json!("secret ${A}"))
    );
    assert_eq!(
        own["env"],
        json!({"A": "group", "$parent.A": "tab", "G": {"j": 1}, "PROCESS": "of the process", "NR_NODE_ID": "p", "NR_FLOW_ID": "t",
            "NR_FLOW_NAME": "Tab", "NR_GROUP_NAME": "Group", "NR_SUBFLOW_ID": ""})
    );
    let inner = ask(&mut control, "i");
    assert_eq!(
        (&inner["id"], &inner["z"], &inner["tag"]),
        (&json!("i-q"), &json!("i"), &json!("t"))
    );
    assert_eq!(
        (&inner["host"], &inner["key"]),
        (&json!("t"), &json!("inner secret"))
    );
    assert_eq!(
        (
            &inner["env"]["A"],
            &inner["env"]["$parent.A"],
            &inner["env"]["NR_SUBFLOW_ID"]
        ),
        (&json!("instance"), &json!("tab"), &json!("i"))
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_partial_deploy_restarts_what_has_changed() {
    let folder = user_dir();
    let mut control = control(folder.path());
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    let flow = |tag: &str, more: bool| {
        let mut nodes = vec![
            json!({"id": "p", "type": "probe", "wires": [["x"], []]}),
            json!({"id": "q", "type": "probe", "tag": tag, "wires": [["x"], []]}),
            json!({"id": "x", "type": "helper", "wires": []}),
        ];
        if more {
            nodes.push(json!({"id": "r", "type": "probe", "wires": [["x"], []]}));
        }
        tab(nodes.into())
    };
    let starts = |control: &mut Control, node: &str| {
        control.events.clear();
        control.good("receive", json!({"node": node, "msg": {"do": "self"}}));
        control.good("settle", json!({}));
        control.events[0]["msg"]["self"]["starts"].as_u64()
    };
    let closed = |control: &mut Control, node: &str| {
        let key = format!("closed_{node}");
        control.good("context.get", json!({"scope": "global", "key": key}))
    };
    control.good("deploy", json!({"flows": flow("a", true)}));
    assert_eq!(
        (starts(&mut control, "p"), starts(&mut control, "r")),
        (Some(1), Some(1))
    );
    control.good(
        "deploy",
        json!({"flows": flow("b", false), "type": "nodes"}),
    );
    assert_eq!(
        (starts(&mut control, "p"), starts(&mut control, "q")),
        (Some(1), Some(2))
    );
    assert_eq!(
        (closed(&mut control, "q"), closed(&mut control, "r")),
        (json!(false), json!(true))
    );
    assert_eq!(closed(&mut control, "p"), json!({"$type": "undefined"}));
    control.good("stop", json!({"nodes": ["p"]}));
    assert_eq!(
        control.bad("receive", json!({"node": "p"}))["code"],
        "no-such-node"
    );
    assert_eq!(starts(&mut control, "q"), Some(2));
    control.good("deploy", json!({"flows": flow("b", false)}));
    assert_eq!(starts(&mut control, "q"), Some(3));
    // A flow without such nodes, for which there is no host; and one with them again.
    control.good(
        "deploy",
        json!({"flows": tab(json!([{"id": "x", "type": "helper", "wires": []}]))}),
    );
    control.good("deploy", json!({"flows": flow("b", false)}));
    assert_eq!(starts(&mut control, "q"), Some(1));
    assert_eq!(control.end(), Some(0));
}

#[test]
fn pages_and_sockets_of_packages_are_under_the_programs_port() {
    let folder = user_dir();
    let mut flow = tab(json!([
        {"id": "p", "type": "probe", "wires": [[], []]},
        {"id": "h", "type": "http in", "url": "/own", "method": "get", "wires": [["r"]]},
        {"id": "r", "type": "http response", "headers": {"x-ours": "1"}, "wires": []},
        {"id": "h2", "type": "http in", "url": "/answered", "method": "post", "wires": [["g"]]},
        {"id": "g", "type": "function", "func": "msg.do = 'answer'; return msg;", "outputs": 1, "wires": [["p"]]},
        {"id": "pi", "type": "probe-in", "url": "/theirs/:id", "wires": [["f"]]},
        {"id": "f", "type": "function", "func": "msg.payload = {got: msg.payload, url: msg.req.url}; msg.statusCode = 202; return msg;", "outputs": 1, "wires": [["r"]]},
    ]));
    // (an answer may come to any of those that are told of nodes there)
    let more = (0..20).map(|n| json!({"id": format!("r{n}"), "type": "http response", "z": "t", "x": 1, "y": 1, "wires": []}));
    flow.as_array_mut().expect("a list").extend(more);
    std::fs::write(folder.path().join("flows.json"), flow.to_string()).expect("is written");
    let flow = folder.path().to_str().expect("a path").to_owned();
    let mut running = Running::start(&mut with_node(vgdc(&["run", &flow, "--port", "0"])));
    let address = running.address();
    assert_eq!(
        http(&address, "GET", "/probe/admin", ""),
        (200, "admin".to_owned())
    );
    let answer = http(&address, "POST", "/probe/node/7?x=1", "what is said");
    assert_eq!(answer, (201, "WHAT IS SAID".to_owned()));
    assert_eq!(http(&address, "GET", "/own", "").0, 200);
    // A native node has got the request, and a package's answers it.
    let answer = http(&address, "POST", "/answered?q=1", "{}");
    assert_eq!(
        answer,
        (
            203,
            r#"{"q":"1","type":"application/json","method":"POST"}"#.to_owned()
        )
    );
    // A package's node has got the request, and a native one answers it.
    let (status, body) = http(&address, "GET", "/theirs/1?a=b", "");
    assert_eq!((status, body.as_str()), (202, r#"{"got":{"a":"b"}}"#));
    assert!(
        http(&address, "GET", "/nobody", "")
            .1
            .contains("Cannot GET /nobody")
    );
    for admin in ["/flows", "/nodes", "/settings", "/auth/token"] {
        assert_eq!(
            http(&address, "GET", admin, "").0,
            404,
            "there is no admin API: {admin}"
        );
    }
    let mut socket = vgdc_tests::connect(&address);
    socket
        .write_all(
            b"GET /probe/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .expect("is sent");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    assert!(text(&head).starts_with("HTTP/1.1 101"));
    socket.write_all(b"hello").expect("is sent");
    let mut echo = [0; 5];
    socket.read_exact(&mut echo).expect("comes back");
    assert_eq!(&echo, b"hello");
    assert_eq!(running.stop("TERM"), Some(0));
}

/// How long a host that was killed may take to be there again, on a machine that does other work.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until an event is there for which `wanted` holds.
fn wait_for(control: &mut Control, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(found) = control.events.iter().find(|event| wanted(event)) {
            return found.clone();
        }
        control.good("info", json!({}));
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the event did not come; these did: {:#?}", control.events);
}

/// Waits until the probe's status has this text.
fn wait_for_status(control: &mut Control, wanted: &str) {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if control
            .events
            .iter()
            .any(|event| event["node"] == "p" && event["status"]["text"] == wanted)
        {
            return;
        }
        control.good("info", json!({}));
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no status {wanted}: {:#?}", control.events);
}

/// Waits until a log line of the runtime itself has this in it.
fn wait_for_log(control: &mut Control, wanted: &str) -> String {
    let found = wait_for(control, |event| {
        event["event"] == "log"
            && event["message"]
                .as_str()
                .is_some_and(|text| text.contains(wanted))
    });
    found["message"].as_str().unwrap_or_default().to_owned()
}

fn faulty(user_dir: &Path, host: Value) -> Control {
    let mut control = control(user_dir);
    let flow = tab(json!([
        {"id": "p", "type": "probe", "wires": [["x"], []]},
        {"id": "x", "type": "helper", "wires": []},
        {"id": "native", "type": "change", "rules": [], "wires": [["x"]]},
    ]));
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["input", "status", "log", "error"]}),
    );
    control.good("deploy", json!({"flows": flow, "settings": {"host": host}}));
    control
}

#[test]
fn a_host_that_crashes_is_started_again_and_the_rest_runs() {
    let folder = user_dir();
    let mut control = faulty(folder.path(), json!({}));
    control.good("receive", json!({"node": "p", "msg": {"do": "crash"}}));
    wait_for_status(&mut control, "host restarts");
    let said = wait_for_log(&mut control, "the host of packages' nodes failed");
    assert!(
        said.contains("an error that nobody caught: Error: crashed on purpose")
            && said.contains("probe.js"),
        "{said}"
    );
    assert!(said.contains("it is started again in 1 s"), "{said}");
    // What comes while it is away waits for it.
    control.good("receive", json!({"node": "p", "msg": {"payload": "later"}}));
    control.good(
        "receive",
        json!({"node": "native", "msg": {"payload": "now"}}),
    );
    wait_for(&mut control, |event| {
        event["node"] == "x" && event["msg"]["payload"] == "now"
    });
    wait_for(&mut control, |event| {
        event["node"] == "x" && event["msg"]["payload"] == "later"
    });
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_host_that_hangs_or_leaks_is_started_again() {
    let folder = user_dir();
    let mut control = faulty(folder.path(), json!({"timeout": 1.5, "memory": 64}));
    control.good("receive", json!({"node": "p", "msg": {"do": "hang"}}));
    let said = wait_for_log(&mut control, "the host of packages' nodes failed");
    assert!(said.contains("a node keeps it busy"), "{said}");
    control.good("receive", json!({"node": "p", "msg": {"payload": 1}}));
    wait_for(&mut control, |event| {
        event["node"] == "x" && event["event"] == "input"
    });
    control.events.clear();
    control.good("receive", json!({"node": "p", "msg": {"do": "leak"}}));
    let said = wait_for_log(&mut control, "the host of packages' nodes failed");
    assert!(said.contains("it ran out of memory"), "{said}");
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_crash_loop_ends_and_its_messages_are_errors() {
    let folder = user_dir();
    copy(
        &root().join("tests/whole/hosted/nodes"),
        &folder.path().join("nodes"),
        &["loop.js", "loop.html"],
    );
    let mut control = control(folder.path());
    let flow = tab(json!([
        {"id": "p", "type": "crash-loop", "wires": []},
        {"id": "c", "type": "catch", "scope": null, "wires": [["x"]]},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["input", "status", "log", "error"]}),
    );
    control.good("deploy", json!({"flows": flow}));
    wait_for_status(&mut control, "host failed");
    control.good("receive", json!({"node": "p", "msg": {"payload": 1}}));
    let caught = wait_for(&mut control, |event| event["node"] == "x");
    let why = caught["msg"]["error"]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        why.starts_with("the host of this node fails again and again"),
        "{why}"
    );
    assert_eq!(caught["msg"]["error"]["code"], "host-down");
    assert_eq!(control.end(), Some(0));
}

#[test]
fn what_is_bad_about_packages_is_said_and_the_rest_runs() {
    let folder = user_dir();
    let nodes = root().join("tests/whole/hosted/nodes");
    copy(
        &nodes,
        &folder.path().join("nodes"),
        &["thrower.js", "thrower.html"],
    );
    let mut control = control(folder.path());
    let flow = tab(json!([
        {"id": "p", "type": "probe", "wires": [["x"], []]},
        {"id": "z", "type": "thrower", "wires": []},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["input", "log", "error"]}),
    );
    control.good("deploy", json!({"flows": flow}));
    let said = wait_for_log(&mut control, "could not load");
    assert!(
        said.contains("thrower") && said.contains("Error: thrown at load"),
        "{said}"
    );
    let error = wait_for(&mut control, |event| {
        event["node"] == "z" && event["event"] == "error"
    });
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("the node type thrower is not there")),
        "{error}"
    );
    control.good("receive", json!({"node": "p", "msg": {"payload": 1}}));
    wait_for(&mut control, |event| event["node"] == "x");
    // One that never says that it has finished holds nothing up.
    for _ in 0..100 {
        control.good("receive", json!({"node": "p", "msg": {"do": "never"}}));
    }
    control.events.clear();
    control.good("receive", json!({"node": "p", "msg": {"payload": 2}}));
    control.good("settle", json!({}));
    assert_eq!(control.events[1]["msg"]["payload"], 2);
    // One that floods: what is dropped is said, the program lives.
    control.good(
        "receive",
        json!({"node": "p", "msg": {"do": "flood", "count": 300}}),
    );
    control.good("settle", json!({}));
    control.good("receive", json!({"node": "p", "msg": {"payload": "after"}}));
    wait_for(&mut control, |event| {
        event["node"] == "x" && event["msg"]["payload"] == "after"
    });
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_missing_node_js_is_said_with_what_mends_it() {
    let folder = user_dir();
    let flow = folder.path().join("flows.json");
    std::fs::write(
        &flow,
        tab(json!([{"id": "p", "type": "probe", "wires": [[], []]}])).to_string(),
    )
    .expect("is written");
    let flow = flow.to_str().expect("a path");
    for (node, expected) in [
        ("/nowhere/node", "cannot run /nowhere/node"),
        ("/bin/true", "packages' nodes need Node.js 18 or later"),
    ] {
        std::fs::write(
            folder.path().join("vgdc.toml"),
            format!("[settings.host]\nnode = \"{node}\"\n"),
        )
        .expect("is written");
        let mut running = Running::start(&mut vgdc(&["run", flow, "--port", "0", "--log", "json"]));
        let line = running.wait_for("the host of packages' nodes cannot be started");
        assert!(line.contains(expected), "{line}");
        assert_eq!(running.stop("TERM"), Some(0));
    }
}

#[test]
fn two_packages_with_one_type_and_a_broken_one_are_told() {
    let folder = user_dir();
    let package = |name: &str, json: &str| {
        let folder = folder.path().join("node_modules").join(name);
        std::fs::create_dir_all(&folder).expect("is made");
        std::fs::write(folder.join("package.json"), json).expect("is written");
        std::fs::write(folder.join("x.js"), "RED.nodes.registerType('probe', 1)")
            .expect("is written");
    };
    package(
        "other",
        r#"{"name":"other","version":"1.0.0","license":"MIT","node-red":{"nodes":{"x":"x.js"}}}"#,
    );
    package("broken", "{");
    std::fs::write(
        folder.path().join("flows.json"),
        tab(json!([{"id": "p", "type": "probe", "wires": [[], []]}])).to_string(),
    )
    .expect("is written");
    let out = vgdc_tests::run(&["check", folder.path().to_str().expect("a path")]);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{said}");
    for part in [
        "VG0330",
        "`probe`: nodes of the file ",
        "VG0331",
        "broken/package.json cannot be read",
        "VG0332",
        "the node type `probe` is in probe.js and in other: that of probe.js is taken",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
