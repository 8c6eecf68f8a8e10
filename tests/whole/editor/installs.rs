//! Installing packages while a flow is edited: with the real npm, out of a registry of this test's own.

use super::client::{Answer, Comms, Editor, TOKEN};
use super::{FLOWS, Folder};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use vgdc_tests::{Running, vgdc, with_node};

/// What npm asks for packages, with two versions of one that has nodes, and one that has none.
struct Registry {
    url: String,
    _folder: tempfile::TempDir,
}

impl Registry {
    fn start() -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let folder = tempfile::tempdir().expect("a folder");
        let mut versions = Vec::new();
        for (name, version, has_nodes) in [
            ("acme-nodes", "1.0.0", true),
            ("acme-nodes", "2.0.0", true),
            ("acme-plain", "1.0.0", false),
        ] {
            let mut about = json!({"name": name, "version": version, "license": "MIT"});
            if has_nodes {
                about["node-red"] = json!({"nodes": {"acme": "acme.js"}});
            }
            let whole = folder.path().join(format!("{name}-{version}"));
            let package = whole.join("package");
            std::fs::create_dir_all(&package).expect("is made");
            let code = format!(
                "module.exports = (RED) => RED.nodes.registerType('acme', function (config) {{ RED.nodes.createNode(this, config); this.on('input', (msg) => this.send({{ ...msg, payload: `${{msg.payload}} by {version}` }})); }});"
            );
            for (file, text) in [
                ("package.json", about.to_string()),
                ("acme.js", code),
                (
                    "acme.html",
                    "<script>RED.nodes.registerType('acme', {})</script>".to_owned(),
                ),
            ] {
                std::fs::write(package.join(file), text).expect("is written");
            }
            let archive = whole.with_extension(format!("{version}.tgz"));
            let made = Command::new("tar")
                .arg("czf")
                .arg(&archive)
                .arg("-C")
                .arg(&whole)
                .arg("package")
                .status();
            assert!(made.expect("tar starts").success());
            let bytes = std::fs::read(archive).expect("is there");
            versions.push((about, bytes));
        }
        let own = url.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &own, &versions);
            }
        });
        Registry {
            url,
            _folder: folder,
        }
    }
}

fn answer(mut stream: TcpStream, url: &str, versions: &[(Value, Vec<u8>)]) {
    let mut lines = BufReader::new(stream.try_clone().expect("is cloned")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    while lines
        .next()
        .and_then(Result::ok)
        .is_some_and(|line| !line.is_empty())
    {}
    let label = |about: &Value| format!("{}-{}", text(about, "name"), text(about, "version"));
    let archive = path.strip_prefix("/archives/");
    let (status, body) = match archive {
        Some(name) => {
            let found = versions.iter().find(|(about, _)| label(about) == name);
            (
                "200 OK",
                found.map_or_else(Vec::new, |(_, bytes)| bytes.clone()),
            )
        }
        None => {
            let name = path.trim_start_matches('/');
            let own = versions
                .iter()
                .filter(|(about, _)| text(about, "name") == name);
            let own = own.map(|(about, _)| {
                let mut about = about.clone();
                about["dist"] = json!({"tarball": format!("{url}/archives/{}", label(&about))});
                (text(&about, "version"), about)
            });
            let own: Vec<(String, Value)> = own.collect();
            match own.last() {
                None => (
                    "404 Not Found",
                    json!({"error": "not_found"}).to_string().into_bytes(),
                ),
                Some((newest, _)) => {
                    let tags = json!({"latest": newest});
                    let own: serde_json::Map<String, Value> = own.iter().cloned().collect();
                    let about = json!({"name": name, "dist-tags": tags, "versions": own});
                    ("200 OK", about.to_string().into_bytes())
                }
            }
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // (npm may hang up early)
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body));
}

fn text(about: &Value, key: &str) -> String {
    about[key].as_str().unwrap_or_default().to_owned()
}

fn open(folder: &Folder, registry: &Registry) -> Editor {
    let flow = folder.path("flows.json");
    let flow = flow.to_str().expect("a path");
    let mut command = vgdc(&["edit", flow, "--port", "0", "--no-open"]);
    command.env("VGDC_EDITOR_TOKEN", TOKEN);
    Editor::of(Running::start(of_registry(&mut command, folder, registry)))
}

/// Has npm ask the test's registry, and nobody else.
fn of_registry<'c>(
    command: &'c mut Command,
    folder: &Folder,
    registry: &Registry,
) -> &'c mut Command {
    with_node(command)
        .env("npm_config_registry", &registry.url)
        .env("npm_config_cache", folder.path("npm-cache"))
        .env("npm_config_update_notifier", "false")
}

fn install(editor: &Editor, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/json")];
    editor.ask("POST", "/nodes", &headers, &body.to_string())
}

fn said(answer: &Answer) -> (u16, String) {
    (answer.status, text(&answer.json(), "code"))
}

#[test]
fn a_package_is_installed_used_and_removed_while_the_flow_runs() {
    let registry = Registry::start();
    let folder = Folder::new(&[("flows.json", FLOWS), ("vgdc.toml", "# mine\n")]);
    let editor = open(&folder, &registry);
    let settings = editor.get("/settings").json();
    assert_eq!(
        settings["externalModules"]["palette"],
        json!({"allowUpload": false})
    );
    let bearer = format!("Bearer {TOKEN}");
    let mut comms = Comms::open(&editor, &[("Authorization", &bearer)]).expect("it opens");
    comms.say(json!({"subscribe": "notification/node/#"}));
    comms.say(json!({"subscribe": "debug"}));
    let added = install(
        &editor,
        &json!({"module": "acme-nodes", "version": "1.0.0"}),
    );
    assert_eq!(added.status, 200, "{added:?}");
    let set = json!({
        "id": "acme-nodes/acme", "name": "acme", "types": ["acme"], "enabled": true, "local": true, "user": true,
        "module": "acme-nodes", "version": "1.0.0",
    });
    assert_eq!(
        added.json(),
        json!({"name": "acme-nodes", "version": "1.0.0", "local": true, "user": true, "nodes": [set]})
    );
    assert_eq!(
        comms.wait_for("notification/node/added")["data"],
        json!([set])
    );
    assert_eq!(
        folder.text("vgdc.toml"),
        "# mine\n\n[packages]\nacme-nodes = \"1.0.0\"\n"
    );
    let types = editor.get("/vgdc/v1/types").json();
    assert!(
        types
            .as_array()
            .expect("types")
            .iter()
            .any(|ty| ty["type"] == "acme")
    );

    // It is used without another start.
    let (mut flows, rev) = editor.flows();
    super::with(&mut flows, "fn")["type"] = "acme".into();
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    assert_eq!(editor.ask("POST", "/inject/in", &[], "").status, 200);
    assert_eq!(comms.wait_for("debug")["data"]["msg"], "1 by 1.0.0");

    // Once more, in use, in another version.
    let again = install(&editor, &json!({"module": "acme-nodes"}));
    assert_eq!(said(&again), (400, "module_already_loaded".to_owned()));
    let used = editor.ask("DELETE", "/nodes/acme-nodes", &[], "");
    assert_eq!(said(&used), (400, "type_in_use".to_owned()));
    let newer = install(
        &editor,
        &json!({"module": "acme-nodes", "version": "2.0.0"}),
    );
    assert_eq!(
        (newer.status, text(&newer.json(), "version")),
        (200, "2.0.0".to_owned())
    );

    let (mut flows, rev) = editor.flows();
    super::with(&mut flows, "out")["name"] = "newer".into();
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    assert_eq!(editor.ask("POST", "/inject/in", &[], "").status, 200);
    assert_eq!(comms.wait_for("debug")["data"]["msg"], "1 by 2.0.0");

    let (mut flows, rev) = editor.flows();
    super::with(&mut flows, "fn")["type"] = "function".into();
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    assert_eq!(
        editor.ask("DELETE", "/nodes/acme-nodes", &[], "").status,
        204
    );
    let gone = comms.within(std::time::Duration::from_millis(300));
    let gone = gone
        .iter()
        .rfind(|it| it["topic"] == "notification/node/removed");
    assert_eq!(gone.expect("it is told")["data"][0]["version"], "2.0.0");
    assert_eq!(editor.get("/nodes/acme-nodes").status, 404);
    assert_eq!(folder.text("vgdc.toml"), "# mine\n\n[packages]\n");
    let twice = editor.ask("DELETE", "/nodes/acme-nodes", &[], "");
    assert_eq!(said(&twice), (404, "not_found".to_owned()));
}

#[test]
fn what_cannot_be_installed_is_said_and_changes_nothing() {
    let registry = Registry::start();
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = open(&folder, &registry);
    for (body, status, code) in [
        (json!({}), 400, "invalid_request"),
        (json!({"module": 1}), 400, "invalid_request"),
        (json!({"module": "--global"}), 400, "invalid_module_name"),
        (
            json!({"module": "../acme-nodes"}),
            400,
            "invalid_module_name",
        ),
        (
            json!({"module": "a", "version": "file:/tmp/x"}),
            400,
            "invalid_request",
        ),
        (
            json!({"module": "a", "url": "http://x/y.tgz"}),
            400,
            "invalid_module_url",
        ),
        (json!({"module": "acme-none"}), 404, "404"),
        (
            json!({"module": "acme-nodes", "version": "9.9.9"}),
            404,
            "404",
        ),
        (json!({"module": "acme-plain"}), 400, "install_failed"),
    ] {
        let answer = install(&editor, &body);
        assert_eq!(
            said(&answer),
            (status, code.to_owned()),
            "{body}: {answer:?}"
        );
    }
    assert!(!folder.path("node_modules/acme-plain").exists());
    assert!(!folder.path("vgdc.toml").exists());
    let plain = install(&editor, &json!({"module": "acme-plain"})).json();
    assert!(
        text(&plain, "message").contains("no nodes of Node-RED"),
        "{plain}"
    );

    // An unknown type whose package is known is offered with it.
    let (mut flows, _) = editor.flows();
    super::with(&mut flows, "fn")["type"] = "random".into();
    let checked = super::post(&editor, "/vgdc/v1/check", &json!({"flows": flows})).json();
    assert_eq!(
        checked["diagnostics"][0]["fixes"][0],
        json!({"title": "Install node-red-node-random", "install": "node-red-node-random", "edits": []}),
        "{checked}"
    );
}

#[test]
fn settings_can_forbid_installing() {
    for setting in [
        "{ allowInstall = false }",
        "{ allowList = [\"acme-*\"] }",
        "{ denyList = [\"x\"] }",
    ] {
        let registry = Registry::start();
        let toml = format!("[settings]\nexternalModules = {{ palette = {setting} }}\n");
        let folder = Folder::new(&[("flows.json", FLOWS), ("vgdc.toml", &toml)]);
        let editor = open(&folder, &registry);
        let answer = install(&editor, &json!({"module": "acme-nodes"}));
        assert_eq!(
            said(&answer),
            (400, "install_not_allowed".to_owned()),
            "{setting}"
        );
        let palette = editor.get("/settings").json()["externalModules"]["palette"].clone();
        assert_eq!(palette["allowInstall"], json!(false), "{setting}");
        let answer = editor.ask("DELETE", "/nodes/acme-nodes", &[], "");
        assert_eq!(
            said(&answer),
            (400, "install_not_allowed".to_owned()),
            "{setting}"
        );
    }
}

#[test]
fn the_command_line_installs_and_removes() {
    let registry = Registry::start();
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let at = folder.path("");
    let run = |args: &[&str]| {
        let args = [args, &["--user-dir", at.to_str().expect("a path")]].concat();
        let mut command = vgdc(&args);
        let out = of_registry(&mut command, &folder, &registry)
            .output()
            .expect("it starts");
        (out.status.code(), vgdc_tests::text(&out.stderr))
    };
    let (code, told) = run(&["add", "acme-nodes@1"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("the package acme-nodes 1.0.0 (MIT): acme"),
        "{told}"
    );
    assert_eq!(
        folder.text("vgdc.toml"),
        "[packages]\nacme-nodes = \"1.0.0\"\n"
    );
    // (elsewhere, by what is written down)
    std::fs::remove_dir_all(folder.path("node_modules")).expect("is removed");
    assert_eq!(run(&["add"]).0, Some(0));
    assert!(folder.path("node_modules/acme-nodes/acme.js").exists());
    assert_eq!(run(&["remove", "acme-nodes"]).0, Some(0));
    assert!(!folder.path("node_modules/acme-nodes").exists());
    let (code, told) = run(&["remove", "acme-nodes"]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains("the package acme-nodes is not installed in"),
        "{told}"
    );
    let (code, told) = run(&["add", "acme-none"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("E404"), "{told}");
}
