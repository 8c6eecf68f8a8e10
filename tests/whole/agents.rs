//! Agents as processes: machines come into a mesh, flows are deployed, machines are lost, and what ran there runs elsewhere.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use vgdc_tests::{Running, free_port, http, program, root, text, vgdc, with_node};

/// How long anything may take, on a machine that does other work.
const PATIENCE: Duration = Duration::from_secs(60);

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Tries until there is something.
fn until<T>(what: &str, mut is: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = is() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A mesh whose machines are all this one.
struct Mesh {
    folder: tempfile::TempDir,
    hosts: Vec<Host>,
}

struct Host {
    name: String,
    data: PathBuf,
    /// (a path of a socket must be short)
    sockets: tempfile::TempDir,
    port: u16,
    agent: Option<Running>,
}

impl Host {
    fn start(&mut self, args: &[&str]) {
        let mut command = Command::new(program("vgdc-agent"));
        command
            .args([
                "--data",
                path(&self.data),
                "--sockets",
                path(self.sockets.path()),
            ])
            .args(["--no-mdns", "--name", &self.name])
            .args(["--listen", &format!("tcp://127.0.0.1:{}", self.port)])
            .args(args);
        let mut agent = Running::start(with_node(&mut command));
        agent.wait_for(&format!("node {} of mesh", self.name));
        self.agent = Some(agent);
    }

    /// The power fails: the agent and all that it runs.
    fn kill(&mut self) {
        let mut agent = self.agent.take().expect("it runs");
        agent.stop("KILL");
        for pid in processes_with(path(&self.data)) {
            // (it may have ended by itself)
            let _ = Command::new("kill").args(["-9", &pid]).output();
        }
    }
}

/// The processes that have a text among their arguments.
fn processes_with(part: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").expect("there are processes");
    let has = |entry: &std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(part)
    };
    all.flatten()
        .filter(has)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            name.bytes().all(|b| b.is_ascii_digit()) && *name != std::process::id().to_string()
        })
        .collect()
}

impl Drop for Mesh {
    fn drop(&mut self) {
        for host in &mut self.hosts {
            if let Some(mut agent) = host.agent.take() {
                agent.stop("TERM");
            }
        }
        for pid in processes_with(path(self.folder.path())) {
            let _ = Command::new("kill").args(["-9", &pid]).output();
        }
    }
}

impl Mesh {
    /// The first machine has the authority's key. Others have these labels.
    fn start(machines: &[(&str, &[&str])]) -> Mesh {
        let mut mesh = Mesh {
            folder: tempfile::tempdir().expect("a folder"),
            hosts: Vec::new(),
        };
        let mut token = String::new();
        for (name, labels) in machines {
            let mut host = Host {
                name: (*name).to_owned(),
                data: mesh.folder.path().join(name),
                sockets: tempfile::tempdir().expect("a folder"),
                port: free_port(),
                agent: None,
            };
            let labels = labels.iter().flat_map(|label| ["--label", label]);
            let mut args: Vec<&str> = labels.collect();
            match token.is_empty() {
                true => args.extend(["--mesh", "test"]),
                false => args.extend(["--join", &token]),
            }
            host.start(&args);
            mesh.hosts.push(host);
            if token.is_empty() {
                token = mesh.good(&["mesh", "token", "--uses", "9"]);
            }
        }
        mesh
    }

    fn host(&mut self, name: &str) -> &mut Host {
        let mut hosts = self.hosts.iter_mut();
        hosts
            .find(|host| host.name == name)
            .expect("there is such a machine")
    }

    /// Runs `vgdc` against an agent that runs: code, output, errors.
    fn vgdc(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let host = self.hosts.iter().find(|host| host.agent.is_some());
        self.at(&host.expect("a machine runs").name, args)
    }

    fn at(&self, host: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let host = self
            .hosts
            .iter()
            .find(|it| it.name == host)
            .expect("there is such a machine");
        let out = with_node(&mut vgdc(args))
            .env("VGDC_AGENT", host.sockets.path())
            .output()
            .expect("it runs");
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    }

    fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.vgdc(args);
        assert_eq!(code, Some(0), "{args:?}: {err}");
        out
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.good(&["mesh", "status", "--json"])).expect("JSON")
    }

    /// Where a part runs, if it does.
    fn place(&self, part: &str) -> Option<String> {
        let status = self.status();
        let mut parts = status["flows"]
            .as_array()?
            .iter()
            .flat_map(|flow| flow["parts"].as_array().into_iter().flatten());
        let it = parts.find(|it| it["part"] == part && it["phase"] == "running")?;
        it["node"].as_str().map(str::to_owned)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).expect("is written");
        path(&file).to_owned()
    }
}

fn node(id: &str, ty: &str, place: &str, more: Value, to: &[&str]) -> Value {
    let mut node = json!({"id": id, "type": ty, "z": "t", "name": id, "place": place, "x": 0, "y": 0, "wires": [to]});
    let fields = more.as_object().expect("an object").clone();
    node.as_object_mut().expect("an object").extend(fields);
    node
}

/// Numbers come to a door, are worked on by a worker, and are counted at the door.
fn numbers(version: u32, port: u16) -> String {
    let count = format!(
        "const all = flow.get('all') || {{}};\nall[msg.payload.n] = (all[msg.payload.n] || 0) + 1;\nflow.set('all', all);\nflow.set('by', msg.payload.by);\nreturn null; // {version}"
    );
    let flow = json!([
        {"id": "t", "type": "tab", "label": "numbers", "disabled": false, "info": "", "env": []},
        node("in", "tcp in", "door", json!({"server": "server", "host": "", "port": port.to_string(), "datamode": "stream",
            "datatype": "utf8", "newline": "\\n", "topic": "", "trim": false, "base64": false, "tls": ""}), &["work"]),
        node("work", "function", "label:worker", json!({"func": format!("msg.payload = {{n: Number(msg.payload), by: {version}}};\nreturn msg;"),
            "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": []}), &["count"]),
        node("count", "function", "door", json!({"func": count, "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "",
            "finalize": "", "libs": []}), &[]),
        node("ask", "http in", "door", json!({"url": "/counts", "method": "get", "upload": false, "swaggerDoc": ""}), &["read"]),
        node("read", "function", "door", json!({"func": "msg.payload = {all: flow.get('all') || {}, by: flow.get('by')};\nreturn msg;",
            "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": []}), &["answer"]),
        node("answer", "http response", "door", json!({"statusCode": "", "headers": {}}), &[])
    ]);
    flow.to_string()
}

/// What has been counted: how often each number came, and who worked on the last one.
fn counted(at: &str) -> Option<(Vec<(u32, u64)>, u64)> {
    let (status, body) = std::panic::catch_unwind(|| http(at, "GET", "/counts", "")).ok()?;
    if status != 200 {
        return None;
    }
    let counts: Value = serde_json::from_str(&body).ok()?;
    let mut all: Vec<(u32, u64)> = (counts["all"].as_object()?.iter())
        .filter_map(|(number, count)| Some((number.parse().ok()?, count.as_u64()?)))
        .collect();
    all.sort_unstable();
    Some((all, counts["by"].as_u64().unwrap_or_default()))
}

fn mesh_toml(port: u16) -> String {
    format!(
        "[nodes.door]\nargs = [\"--port\", \"{port}\"]\n[nodes.one]\n[nodes.two]\n\n[[link]]\ndelivery = \"durable\"\n"
    )
}

/// Sends numbers, each on a line, on a connection that is made again where it breaks.
struct Sender {
    port: u16,
    socket: Option<std::net::TcpStream>,
    /// How often nobody listened.
    refused: u32,
}

impl Sender {
    fn send(&mut self, number: u32) {
        use std::io::Write as _;
        let line = format!("{number}\n");
        until("somebody takes numbers", || {
            if self.socket.is_none() {
                let made = std::net::TcpStream::connect(("127.0.0.1", self.port));
                self.refused += u32::from(made.is_err());
                self.socket = made.ok();
            }
            let done = self.socket.as_mut()?.write_all(line.as_bytes());
            if done.is_err() {
                self.socket = None;
            }
            done.ok()
        });
    }
}

#[test]
fn a_flow_is_deployed_heals_moves_and_is_replaced() {
    let mut mesh = Mesh::start(&[("door", &[]), ("one", &["worker"]), ("two", &["worker"])]);
    let (port, web) = (free_port(), free_port());
    let at = format!("127.0.0.1:{web}");
    let toml = mesh.write("mesh.toml", &mesh_toml(web));
    let flow = mesh.write("numbers.json", &numbers(1, port));
    let plan = mesh.good(&["deploy", &flow, "--mesh", &toml, "--plan"]);
    assert!(plan.contains("starts; or "), "{plan}");
    assert_eq!(mesh.status()["flows"], json!([]));
    mesh.good(&["deploy", &flow, "--mesh", &toml]);

    let mut sender = Sender {
        port,
        socket: None,
        refused: 0,
    };
    for number in 0..50 {
        sender.send(number);
    }
    let whole = |to: u32| (0..to).map(|number| (number, 1)).collect::<Vec<_>>();
    let all_came = |to: u32| {
        until("all numbers are counted, each once", || {
            counted(&at).filter(|(all, _)| all.len() >= to as usize)
        })
    };
    assert_eq!(all_came(50), (whole(50), 1));

    // The worker's machine is lost: what comes meanwhile waits, and is worked on elsewhere.
    let status = mesh.status();
    let part = status["flows"][0]["parts"]
        .as_array()
        .expect("parts")
        .iter();
    let part = part
        .map(|it| it["part"].as_str().expect("a name").to_owned())
        .find(|name| name != "door");
    let part = part.expect("a worker's part");
    let before = mesh.place(&part).expect("it runs");
    let other = if before == "one" { "two" } else { "one" };
    mesh.host(&before).kill();
    for number in 50..100 {
        sender.send(number);
    }
    assert_eq!(all_came(100), (whole(100), 1));
    assert_eq!(until("it runs", || mesh.place(&part)), other);

    // The machine comes back, and gets the part back when it is asked to.
    mesh.host(&before).start(&[]);
    until("it is alive", || {
        let status = mesh.status();
        let nodes = status["nodes"].as_array()?.clone();
        nodes
            .iter()
            .find(|it| it["name"] == before && it["state"] == "alive")
            .map(|_| ())
    });
    mesh.good(&["mesh", "move", "numbers", &part, &before]);
    for number in 100..150 {
        sender.send(number);
    }
    assert_eq!(all_came(150), (whole(150), 1));
    assert_eq!(until("it runs", || mesh.place(&part)), before);

    // A new version takes over while numbers come.
    let flow = mesh.write("numbers.json", &numbers(2, port));
    let sending = std::thread::spawn(move || {
        for number in 150..400 {
            sender.send(number);
            std::thread::sleep(Duration::from_millis(4));
        }
        sender
    });
    mesh.good(&["deploy", &flow, "--mesh", &toml]);
    let mut sender = sending.join().expect("all were sent");
    // (a line that was on its way into a socket that closes is the sender's to send again; numbers that were taken are counted once)
    let (all, by) = until("the new version works", || {
        sender.send(400);
        counted(&at).filter(|(_, by)| *by == 2)
    });
    assert_eq!(by, 2);
    // (who connects while the versions change waits)
    assert_eq!(sender.refused, 0);
    assert!(
        all.iter()
            .all(|(number, count)| *count == 1 || *number == 400),
        "{all:?}"
    );

    // A version that cannot run changes nothing.
    let broken =
        numbers(3, port).replace("\"server\":\"server\"", "\"server\":\"server\",\"port2\":1");
    let flow = mesh.write("numbers.json", &broken);
    let bad = mesh.write(
        "bad.toml",
        &format!("{}\n", mesh_toml(web)).replace("\"--port\"", "\"--no-such-option\""),
    );
    let (code, _, err) = mesh.vgdc(&["deploy", &flow, "--mesh", &bad, "--patience", "30"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("rolled back") && err.contains("no-such-option"),
        "{err}"
    );
    until("the version before works", || {
        counted(&at).filter(|(_, by)| *by == 2)
    });
    assert_eq!(sender.refused, 0);

    // Drained for maintenance, and what was done is on record.
    mesh.good(&["mesh", "drain", &before]);
    assert_eq!(until("it runs", || mesh.place(&part)), other);
    let audit = mesh.good(&["mesh", "audit"]);
    assert!(
        audit.contains("drains node") && audit.contains("user "),
        "{audit}"
    );
    let logs = mesh.good(&["mesh", "logs", "numbers", "door"]);
    assert!(logs.contains("Started flows"), "{logs}");
    let links = mesh.good(&["mesh", "links"]);
    assert!(
        links.contains("durable") && links.contains("open"),
        "{links}"
    );

    mesh.good(&["mesh", "rollback", "numbers"]);
    until("the version before that works", || {
        sender.send(500);
        counted(&at).filter(|(_, by)| *by == 1)
    });
    mesh.good(&["mesh", "remove", "numbers"]);
    until("nothing is left", || {
        (mesh.status()["flows"] == json!([])).then_some(())
    });
    until("nobody listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port))
            .is_err()
            .then_some(())
    });
}

/// A node of a package, which works on numbers.
const PACKAGE: &str = "module.exports = RED => RED.nodes.registerType('worker', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => {
        msg.payload = { n: Number(msg.payload), by: Number(process.version.split('.')[0].slice(1)) };
        send(msg);
        done();
    });
});";

#[test]
fn a_part_with_nodes_of_packages_is_brought_to_where_node_js_is() {
    let mesh = Mesh::start(&[("door", &[]), ("side", &[])]);
    let (port, web) = (free_port(), free_port());
    let nodes = mesh.folder.path().join("nodes");
    std::fs::create_dir(&nodes).expect("is made");
    std::fs::write(nodes.join("worker.js"), PACKAGE).expect("is written");
    let about = "<script>RED.nodes.registerType('worker', {category: 'function', defaults: {}, inputs: 1, outputs: 1});</script>";
    std::fs::write(nodes.join("worker.html"), about).expect("is written");
    let mut flow: Value = serde_json::from_str(&numbers(1, port)).expect("JSON");
    let work = flow.as_array_mut().expect("nodes").iter_mut();
    let work = work.into_iter().find(|it| it["id"] == "work");
    *work.expect("is there") = node("work", "worker", "side", json!({}), &["count"]);
    let flow = mesh.write("numbers.json", &flow.to_string());
    let toml = mesh.write(
        "mesh.toml",
        &format!("[nodes.door]\nargs = [\"--port\", \"{web}\"]\n[nodes.side]\n"),
    );
    let said = mesh.good(&["deploy", &flow, "--mesh", &toml, "--plan"]);
    assert!(said.contains("side: starts"), "{said}");
    mesh.good(&["deploy", &flow, "--mesh", &toml]);
    let mut sender = Sender {
        port,
        socket: None,
        refused: 0,
    };
    for number in 0..20 {
        sender.send(number);
    }
    let whole: Vec<(u32, u64)> = (0..20).map(|number| (number, 1)).collect();
    let at = format!("127.0.0.1:{web}");
    let all = until("all numbers are counted", || {
        counted(&at).filter(|(all, _)| all.len() >= whole.len())
    });
    // (the runtime needs Node.js 22, which `.ci/npm` brings)
    assert_eq!(all, (whole, 22));
}

#[test]
fn credentials_go_to_who_may_need_them_and_nowhere_else() {
    let mut mesh = Mesh::start(&[
        ("door", &[]),
        ("one", &["worker"]),
        ("two", &["worker"]),
        ("other", &[]),
    ]);
    let (port, web) = (free_port(), free_port());
    let at = format!("127.0.0.1:{web}");
    let mut flow: Value = serde_json::from_str(&numbers(1, port)).expect("JSON");
    flow[0]["env"] = json!([{"name": "PIN", "type": "cred", "value": ""}]);
    let work = flow.as_array_mut().expect("nodes").iter_mut();
    let work = work.into_iter().find(|it| it["id"] == "work");
    work.expect("is there")["func"] =
        json!("return {payload: {n: Number(msg.payload), by: Number(env.get('PIN'))}};");
    let flow = mesh.write("numbers.json", &flow.to_string());
    const PIN: &str = "8315402";
    mesh.write(
        "numbers_cred.json",
        &json!({"t": {"PIN": PIN}, "gone": {"PIN": "1"}}).to_string(),
    );
    let toml = mesh.write("mesh.toml", &(mesh_toml(web) + "[nodes.other]\n"));
    // (which machines are there is part of what a version is made for)
    until("all four are there", || {
        let status = mesh.status();
        let nodes = status["nodes"].as_array()?;
        let all = nodes.len() == 4 && nodes.iter().all(|node| node["state"] == "alive");
        all.then_some(())
    });
    mesh.good(&["deploy", &flow, "--mesh", &toml]);
    let mut sender = Sender {
        port,
        socket: None,
        refused: 0,
    };
    let pin: u64 = PIN.parse().expect("a number");
    let by = |sender: &mut Sender| {
        until("the worker knows the secret", || {
            sender.send(7);
            counted(&at).filter(|(_, by)| *by == pin)
        })
    };
    by(&mut sender);
    let again = mesh.vgdc(&["deploy", &flow, "--mesh", &toml]);
    assert!(again.2.contains("is active already"), "{}", again.2);
    by(&mut sender);

    // The other worker has them already when it has to do the work.
    let secrets = |mesh: &Mesh, host: &str| {
        let host = mesh.hosts.iter().find(|it| it.name == host);
        let folder = host.expect("is there").data.join("secrets");
        std::fs::read_dir(folder).map_or(0, |files| files.count())
    };
    until("both workers have them", || {
        let has = ["one", "two"].map(|name| secrets(&mesh, name) == 1);
        (has == [true, true]).then_some(())
    });
    let before = ["one", "two"]
        .into_iter()
        .find(|name| {
            let status = mesh.status();
            let mut parts = status["flows"][0]["parts"]
                .as_array()
                .expect("parts")
                .iter();
            parts.any(|part| part["node"] == *name)
        })
        .expect("one works");
    mesh.host(before).kill();
    by(&mut sender);
    assert_eq!(secrets(&mesh, "other"), 0);

    // What all agree on, and what is kept of it, does not have them.
    let backup = path(&mesh.folder.path().join("backup")).to_owned();
    mesh.good(&["mesh", "backup", &backup]);
    let kept = std::fs::read_to_string(&backup).expect("a backup");
    assert!(kept.contains("secrets") && !kept.contains(PIN));
}

#[test]
fn strangers_stay_out_and_the_state_is_kept() {
    let mut mesh = Mesh::start(&[("a", &[]), ("b", &["gpio", "site=north"])]);
    let stranger = tempfile::tempdir().expect("a folder");
    let join = |token: &str| {
        let out = Command::new(program("vgdc-agent"))
            .args([
                "--data",
                path(stranger.path()),
                "--join",
                token,
                "--no-mdns",
            ])
            .args(["--listen", &format!("tcp://127.0.0.1:{}", free_port())])
            .output()
            .expect("it ends");
        (out.status.code(), text(&out.stderr))
    };
    let (code, err) = join("vgdc1.AAAA.AAAA");
    assert_eq!(code, Some(1));
    assert!(err.contains("no token"), "{err}");
    let token = mesh.good(&["mesh", "token"]);
    let audit = mesh.good(&["mesh", "audit", "--json"]);
    let audit: Value = serde_json::from_str(&audit).expect("JSON");
    let mut issued = audit
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|it| it["what"].as_str());
    let issued = issued
        .rfind(|what| what.contains("token"))
        .expect("it is on record");
    let id: String = issued
        .split(['"', ' '])
        .find(|word| word.len() == 12)
        .expect("an id")
        .to_owned();
    mesh.good(&["mesh", "revoke", &id]);
    let (code, err) = join(token.trim());
    assert_eq!(code, Some(1));
    assert!(err.contains("revoked"), "{err}");

    // Only where the authority's key is can a token be made.
    let (code, _, err) = mesh.at("b", &["mesh", "token"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("authority.key"), "{err}");
    let nodes = mesh.good(&["mesh", "nodes"]);
    assert!(nodes.contains("gpio site=north"), "{nodes}");

    // The state is the same after all have been started again, and a backup of it goes into a new mesh.
    let backup = path(&mesh.folder.path().join("backup")).to_owned();
    mesh.good(&["mesh", "backup", &backup]);
    let before = mesh.status();
    for host in &mut mesh.hosts {
        host.kill();
    }
    for host in &mut mesh.hosts {
        host.start(&[]);
    }
    let after = until("there is a leader", || {
        Some(mesh.status()).filter(|it| it["leader"].is_string())
    });
    assert_eq!(after["nodes"][1]["labels"], before["nodes"][1]["labels"]);
    let fresh = Mesh::start(&[("c", &[])]);
    // (it has issued a token, and so is not empty)
    let (code, _, err) = fresh.vgdc(&["mesh", "restore", &backup]);
    assert!(code == Some(1) && err.contains("not empty"), "{err}");
    fresh.good(&["mesh", "restore", &backup, "--replace"]);
    let nodes = fresh.good(&["mesh", "nodes"]);
    assert!(nodes.contains("gpio site=north"), "{nodes}");
    let (code, _, err) = fresh.vgdc(&["mesh", "restore", path(&root().join("Cargo.toml"))]);
    assert_eq!(code, Some(1));
    assert!(err.contains("backup"), "{err}");

    // What is not there is said.
    let (code, _, err) = mesh.vgdc(&["mesh", "logs", "x", "y"]);
    assert_eq!(
        (code, err.contains("none was deployed yet")),
        (Some(1), true),
        "{err}"
    );
    let (code, _, err) = mesh.vgdc(&["mesh", "drain", "z"]);
    assert_eq!(
        (code, err.contains("the mesh has a, b")),
        (Some(1), true),
        "{err}"
    );
    let out = vgdc(&["mesh", "status", "--agent", "/nowhere"])
        .output()
        .expect("it ends");
    assert!(text(&out.stderr).contains("`vgdc node` starts one"));
}
