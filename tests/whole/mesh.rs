//! A flow over several machines: parts of it as processes, with real links between them.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use vgdc_tests::{Control, Running, by_node, cases, connect, free_port, http, root, run, text};

fn said(args: &[&str]) -> (Option<i32>, String, String) {
    let out = run(args);
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("is written");
    path(&file).to_owned()
}

/// A `mesh.toml` with machines at free ports, and what else it says.
fn mesh(folder: &Path, machines: &[&str], more: &str) -> String {
    let nodes = machines
        .iter()
        .map(|name| format!("[nodes.{name}]\naddress = \"127.0.0.1:{}\"\n", free_port()));
    write(folder, "mesh.toml", &(nodes.collect::<String>() + more))
}

/// Tries until it is so.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_example() {
    let folder = tempfile::tempdir().expect("a folder");
    let example = root().join("examples/mesh");
    let text = std::fs::read_to_string(example.join("mesh.toml")).expect("is there");
    let text = ["7401", "7402"].iter().fold(text, |text, port| {
        text.replace(port, &free_port().to_string())
    });
    let mesh = write(folder.path(), "mesh.toml", &text);
    let (code, plan, err) = said(&["plan", path(&example), "--mesh", &mesh]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        plan.contains("gateway → office: to remember (function)"),
        "{plan}"
    );
    let out = folder.path().join("out");
    let (code, _, err) = said(&["build", path(&example), "--mesh", &mesh, "-o", path(&out)]);
    assert_eq!(code, Some(0), "{err}");

    let sensors = free_port();
    let operations = format!("127.0.0.1:{}", free_port());
    let start = |name: &str| {
        let mut command = Command::new(out.join(name));
        command
            .args(["--port", "0", "--data", path(&folder.path().join(name))])
            .args(["--metrics", &operations])
            .env("SENSOR_PORT", sensors.to_string());
        let mut running = Running::start(&mut command);
        running.wait_for("Started flows");
        running
    };
    let mut gateway = start("gateway");
    let mut socket = connect(&format!("127.0.0.1:{sensors}"));
    let mut send = |line: &str| writeln!(socket, "{line}").expect("it reads");
    // (the office is not there yet: what it is to know waits on the disk)
    send(r#"{"machine":"press","celsius":71}"#);
    send(r#"{"machine":"mill","celsius":20}"#);
    let mut office = start_with_address(&out, folder.path(), "office");
    let ask = |office: &Office, what: &str| http(&office.address, "GET", what, "");
    until("what was kept comes", || {
        ask(&office, "/hot") == (200, r#"{"press":71}"#.into())
    });
    send("no JSON");
    until("an error is caught elsewhere", || {
        ask(&office, "/faults") == (200, r#"{"faults":1}"#.into())
    });
    let (status, metrics) = http(&operations, "GET", "/metrics", "");
    assert_eq!(status, 200);
    for line in [
        "vgdc_node_received_total{node=\"plant.read\",type=\"json\",name=\"read\"} 3",
        "vgdc_link_open{link=\"gateway>plant.remember\",peer=\"office\"} 1",
        "vgdc_link_sent_total{link=\"gateway>plant.remember\",peer=\"office\"} 1",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(http(&operations, "GET", probe, "").0, 200);
    }
    office.running.stop("KILL");
    send(r#"{"machine":"oven","celsius":300}"#);
    send(r#"{"machine":"oven","celsius":310}"#);
    let mut office = start_with_address(&out, folder.path(), "office");
    until("what was sent meanwhile comes", || {
        ask(&office, "/hot") == (200, r#"{"oven":310}"#.into())
    });
    assert_eq!(office.running.stop("TERM"), Some(0));
    assert_eq!(gateway.stop("TERM"), Some(0));
}

struct Office {
    running: Running,
    address: String,
}

fn start_with_address(out: &Path, data: &Path, name: &str) -> Office {
    let mut command = Command::new(out.join(name));
    let mut running =
        Running::start(command.args(["--port", "0", "--data", path(&data.join(name))]));
    let address = running.address();
    Office { running, address }
}

#[test]
fn what_runs_the_parts_is_written_beside_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let example = root().join("examples/mesh");
    let mesh = std::fs::read_to_string(example.join("mesh.toml")).expect("is there");
    let mesh = mesh.replace("127.0.0.1:7402", "office.plant.svc:7402");
    let build = |mesh: &str, out: &str| {
        let mesh = write(folder.path(), "mesh.toml", mesh);
        let out = folder.path().join(out);
        let kinds = ["docker", "kubernetes", "systemd"];
        let kinds = kinds.iter().flat_map(|kind| ["--container", kind]);
        let common = ["build", path(&example), "--mesh", &mesh, "-o", path(&out)];
        said(&common.into_iter().chain(kinds).collect::<Vec<_>>())
    };
    let (code, _, err) = build(&mesh, "out");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("the variable SENSOR_PORT says which TCP port"),
        "{err}"
    );
    let out = folder.path().join("out");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect("was written");
    assert!(read("gateway.Dockerfile").contains("COPY gateway /app/gateway"));
    let compose = read("compose.yaml");
    for part in ["\"gateway-data\"", "${SENSOR_PORT?", "\"office.plant.svc\""] {
        assert!(compose.contains(part), "{part}: {compose}");
    }
    assert!(read("kubernetes/gateway.yaml").contains("kind: StatefulSet"));
    assert!(read("kubernetes/office.yaml").contains("kind: Deployment"));
    assert!(read("systemd/vgdc-plant-gateway.service").contains("--data ${STATE_DIRECTORY}"));

    let (code, _, err) = build(&mesh.replace("plant", "Plant"), "bad");
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("\"Plant\", cannot be used with --container docker"),
        "{err}"
    );
}

#[test]
fn what_is_wrong_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = json!([
        {"id": "t", "type": "tab"},
        {"id": "a", "z": "t", "x": 1, "y": 1, "type": "function", "name": "first", "func": "flow.set('k', 1); return msg;", "wires": [["b"]]},
        {"id": "b", "z": "t", "x": 1, "y": 1, "type": "function", "name": "second", "func": "return flow.get('k');", "wires": [[]]},
    ]);
    let flow = write(folder.path(), "flows.json", &flow.to_string());
    let plan = |text: &str| {
        let mesh = write(folder.path(), "mesh.toml", text);
        let (code, out, err) = said(&["plan", &flow, "--mesh", &mesh]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        err
    };
    let two = "[nodes.one]\naddress = \"a:1\"\n[nodes.two]\n";
    let err = plan(&format!(
        "{two}[[place]]\nnodes = \"first\"\non = \"one\"\n[[place]]\nnodes = \"second\"\non = \"two\"\n"
    ));
    for part in [
        "VG0340",
        "`first` and `second` cannot run on one machine, and have to",
        "`first` may run on one, by a [[place]] of mesh.toml",
        "stay together: both use `flow.k`",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
    assert!(plan("nodes = 7").contains("VG0042"));
    assert!(plan("").contains("the mesh has no nodes"));
    let mesh = path(&folder.path().join("none.toml")).to_owned();
    let (code, _, err) = said(&[
        "build",
        &flow,
        "--mesh",
        &mesh,
        "-o",
        path(&folder.path().join("out")),
    ]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("none.toml") && err.contains("nothing was built"),
        "{err}"
    );
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_machine_that_links_lead_to_has_an_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = json!([
        {"id": "t", "type": "tab"},
        {"id": "a", "z": "t", "x": 1, "y": 1, "type": "change", "rules": [], "wires": [["b"]]},
        {"id": "b", "z": "t", "x": 1, "y": 1, "type": "change", "rules": [], "wires": [[]]},
    ]);
    let flow = write(folder.path(), "flows.json", &flow.to_string());
    let text = "[nodes.one]\n[nodes.two]\n[[apart]]\nnodes = [\"a\", \"b\"]\n";
    let mesh = write(folder.path(), "mesh.toml", text);
    let (code, _, err) = said(&["plan", &flow, "--mesh", &mesh]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("VG0343") && err.contains("which has no address"),
        "{err}"
    );
}

const MACHINES: [&str; 3] = ["one", "two", "three"];

/// A node of a tree: what it is, which node and output it hangs on, and where it runs.
type Draw = (u8, u8, u8, u8);

fn code(at: usize, kind: u8) -> String {
    let begin = format!("msg.path = (msg.path || []).concat('n{at}');");
    let end = match kind % 5 {
        0 => "return [msg, null];",
        1 => "return msg.count % 2 ? [msg, null] : [null, msg];",
        2 => "if (msg.count % 3 === 0) throw new Error('three'); return [msg, msg];",
        3 => {
            "node.send([msg, null]); node.send([null, {payload: Buffer.from(String(msg.count)), count: msg.count, path: msg.path}]);"
        }
        _ => {
            "msg.payload = { was: msg.payload, at: new Date(msg.count), none: undefined, nan: NaN }; return [msg, msg];"
        }
    };
    format!("{begin} {end}")
}

/// A flow that is a tree, so that each node hears one sender: then the order of all that it hears is certain.
fn tree(draws: &[Draw]) -> Value {
    let mut nodes = vec![json!({"id": "t", "type": "tab"})];
    let hang = |at: usize, output: u8| -> Vec<String> {
        let hung = draws.iter().enumerate().skip(1);
        hung.filter(|(number, (_, on, port, _))| {
            usize::from(*on) % number == at && port % 2 == output
        })
        .map(|(number, _)| format!("n{number}"))
        .collect()
    };
    for (at, (kind, ..)) in draws.iter().enumerate() {
        let wires = [hang(at, 0), hang(at, 1)];
        let mut node = match kind % 8 {
            0..=4 => json!({"type": "function", "func": code(at, *kind), "outputs": 2}),
            5 => json!({"type": "switch", "property": "count", "outputs": 2, "checkall": "true",
                "rules": [{"t": "lt", "v": "10", "vt": "num"}, {"t": "else"}]}),
            6 => {
                json!({"type": "change", "rules": [{"t": "set", "p": format!("by.n{at}"), "pt": "msg", "to": "count", "tot": "msg"}]})
            }
            _ => json!({"type": "junction"}),
        };
        // (a change and a junction have one output)
        node["wires"] = match kind % 8 {
            6.. => json!([wires[0].iter().chain(&wires[1]).collect::<Vec<_>>()]),
            _ => json!(wires),
        };
        node["id"] = format!("n{at}").into();
        node["z"] = "t".into();
        (node["x"], node["y"]) = (1.into(), 1.into());
        nodes.push(node);
        // A catch node of its own, somewhere.
        if kind % 5 == 2 && kind % 8 < 5 {
            nodes.push(json!({"id": format!("c{at}"), "type": "catch", "scope": [format!("n{at}")], "z": "t", "x": 1, "y": 1, "wires": [[]]}));
        }
    }
    Value::Array(nodes)
}

fn machine_of(node: &str, draws: &[Draw]) -> usize {
    let number: usize = node[1..].parse().expect("a number");
    let (_, _, _, machine) = draws[number];
    // (what catches is at the next machine)
    (usize::from(machine) + usize::from(node.starts_with('c'))) % MACHINES.len()
}

/// What does not differ from run to run.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "_msgid" | "id" | "ts" | "stack"));
            kept.map(|(key, value)| (key.clone(), comparable(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(comparable).collect(),
        other => other.clone(),
    }
}

/// What each node heard, in its order.
fn heard(events: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let inputs: Vec<Value> = events
        .iter()
        .filter(|event| event["event"] == "input")
        .cloned()
        .collect();
    by_node(&inputs, comparable)
}

const MESSAGES: usize = 40;

fn drive(control: &mut Control) {
    for count in 0..MESSAGES {
        control.good(
            "receive",
            json!({"node": "n0", "msg": {"payload": "x".repeat(count * 10), "count": count}}),
        );
    }
    control.good("settle", json!({}));
}

/// The parts together do what the whole does: each node hears the same messages in the same order.
/// `more` is what `mesh.toml` says besides.
fn same(draws: &[Draw], more: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = tree(draws);
    let nodes: Vec<String> = (flow.as_array().into_iter().flatten().skip(1))
        .map(|node| node["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    let file = write(folder.path(), "flows.json", &flow.to_string());
    let mut whole = Control::start(&[&file]);
    whole.good("watch", json!({"nodes": "*", "events": ["input"]}));
    drive(&mut whole);
    let expected = heard(&whole.events);
    assert_eq!(whole.end(), Some(0));

    let rules = nodes.iter().map(|node| {
        let machine = MACHINES[machine_of(node, draws)];
        format!("[[place]]\nnodes = \"{node}\"\non = \"{machine}\"\n")
    });
    let mesh = mesh(
        folder.path(),
        &MACHINES,
        &(rules.collect::<String>() + more),
    );
    let out = folder.path().join("out");
    let args = [
        "build",
        &file,
        "--mesh",
        &mesh,
        "-o",
        path(&out),
        "--observable",
    ];
    let (code, _, err) = said(&args);
    assert_eq!(code, Some(0), "{err}");
    let mut parts: BTreeMap<usize, Control> = BTreeMap::new();
    for (machine, name) in MACHINES.iter().enumerate() {
        if out.join(name).exists() {
            let data = folder.path().join(name);
            let mut command = Command::new(out.join(name));
            let mut part =
                Control::start_command(command.args(["--control", "stdio", "--data", path(&data)]));
            part.good("watch", json!({"nodes": "*", "events": ["input"]}));
            parts.insert(machine, part);
        }
    }
    let first = machine_of("n0", draws);
    drive(parts.get_mut(&first).expect("n0 is somewhere"));
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let mut found = BTreeMap::new();
        for (machine, part) in &mut parts {
            part.good("settle", json!({}));
            // (where a node is stood in for, it is heard, too)
            let here = heard(&part.events).into_iter();
            found.extend(
                here.filter(|(node, _)| !node.contains('>') && machine_of(node, draws) == *machine),
            );
        }
        if found == expected {
            break;
        }
        assert!(
            Instant::now() < end,
            "{flow:#}\n{draws:?}\n{:#?}\n{:#?}",
            expected,
            found
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    // (nothing comes twice)
    std::thread::sleep(Duration::from_millis(50));
    for (machine, mut part) in parts {
        part.good("settle", json!({}));
        let here = heard(&part.events).into_iter();
        let here: BTreeMap<_, _> = here
            .filter(|(node, _)| !node.contains('>') && machine_of(node, draws) == machine)
            .collect();
        for (node, messages) in here {
            assert_eq!(messages, expected[&node], "{node}");
        }
        assert_eq!(part.end(), Some(0));
    }
}

#[test]
fn parts_together_do_what_the_whole_does() {
    let draws = prop::collection::vec((0u8..40, 0u8..40, 0u8..2, 0u8..3), 3..14);
    let config = ProptestConfig {
        cases: cases(6),
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&draws, |draws| {
            same(&draws, "");
            Ok(())
        })
        .expect("they do");
}

#[test]
fn parts_together_do_what_the_whole_does_over_a_broker() {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let mut command = Command::new(nats_server());
    command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string()]);
    command.args(["-sd", path(folder.path())]);
    let _server = Running::start(&mut command);
    until("the broker listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let of = |delivery: &str| {
        format!(
            "[transport]\nkind = \"nats\"\nservers = [\"nats://127.0.0.1:{port}\"]\n[[link]]\ndelivery = \"{delivery}\"\n"
        )
    };
    // (a stream belongs to a link's name, and goes on where it was: so each mesh has other links)
    let fast = [(1, 0, 0, 0), (2, 0, 0, 1), (4, 1, 0, 2), (6, 1, 1, 0)];
    same(&fast, &of("fast"));
    let durable = [(0, 0, 0, 2), (3, 0, 0, 1), (5, 1, 1, 2), (0, 2, 0, 0)];
    same(&durable, &of("durable"));
}

/// Debian's is where only root looks.
fn nats_server() -> &'static str {
    let there = ["/usr/sbin/nats-server", "/usr/local/bin/nats-server"];
    let found = there.into_iter().find(|file| Path::new(file).exists());
    found.unwrap_or("nats-server")
}
