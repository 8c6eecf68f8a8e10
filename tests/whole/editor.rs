//! `vgdc edit` as a user and as an intruder meet it: what the real Node-RED answered, held against it; who is let in; what becomes of the
//! flow file.

#[path = "editor/client.rs"]
mod client;
#[path = "editor/installs.rs"]
mod installs;

use client::{Comms, Editor, TOKEN};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const FLOWS: &str = r#"[
  {"id": "tab", "type": "tab", "label": "Flow"},
  { "id":"in", "type":"inject", "z":"tab", "name":"", "props":[{"p":"payload"}], "payload":"1", "payloadType":"num",
    "x": 110.0, "y":60, "wires": [["fn"]] },

  {"id": "fn", "type": "function", "z": "tab", "name": "double", "func": "msg.payload *= 2;\nreturn msg;", "outputs": 1, "x": 250, "y": 60, "wires": [["out"]], "10":"ten", "2":1.50},
  {"id": "out", "type": "debug", "z": "tab", "name": "", "active": true, "tosidebar": true, "complete": "payload", "targetType": "msg", "x": 400, "y": 60, "wires": []}
]
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("it is written");
        }
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}

fn with<'a>(flows: &'a mut Value, id: &str) -> &'a mut Value {
    let nodes = flows.as_array_mut().expect("an array");
    nodes
        .iter_mut()
        .find(|node| node["id"] == id)
        .expect("the node")
}

#[test]
fn it_answers_as_node_red_did() {
    let own = vgdc_tests::root().join("tests/conformance/editor/record.mjs");
    let played = Command::new("node")
        .arg(own)
        .arg("--node-red")
        .arg(vgdc_tests::npm())
        .arg("--vgdc")
        .arg(vgdc_tests::program("vgdc"))
        .output()
        .expect("node starts");
    let said = vgdc_tests::text(&played.stdout);
    assert!(
        played.status.success(),
        "{said}\n{}",
        vgdc_tests::text(&played.stderr)
    );
    assert!(said.contains("comms: 63 steps, 0 differ"), "{said}");
}

#[test]
fn nobody_is_let_in_without_a_token() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    for (method, path) in [
        ("GET", "/flows"),
        ("POST", "/flows"),
        ("GET", "/flows/state"),
        ("POST", "/flows/state"),
        ("GET", "/flow/tab"),
        ("POST", "/flow"),
        ("PUT", "/flow/tab"),
        ("DELETE", "/flow/tab"),
        ("GET", "/nodes"),
        ("GET", "/nodes/node-red"),
        ("GET", "/nodes/node-red/inject"),
        ("POST", "/nodes"),
        ("DELETE", "/nodes/x"),
        ("GET", "/settings"),
        ("GET", "/settings/user"),
        ("POST", "/settings/user"),
        ("GET", "/credentials/inject/in"),
        ("GET", "/context/global"),
        ("DELETE", "/context/global/x"),
        ("POST", "/inject/in"),
        ("POST", "/debug/out/disable"),
        ("POST", "/debug/disable"),
        ("GET", "/diagnostics"),
        ("GET", "/vgdc/v1/info"),
        ("GET", "/vgdc/v1/types"),
        ("POST", "/vgdc/v1/check"),
        ("GET", "/vgdc/v1/code/fn"),
        ("POST", "/vgdc/v1/plan"),
        ("POST", "/vgdc/v1/code/fn"),
        ("POST", "/vgdc/v1/preview"),
        ("GET", "/vgdc/v1/tests"),
        ("PUT", "/vgdc/v1/tests"),
        ("POST", "/vgdc/v1/tests/run"),
        ("POST", "/vgdc/v1/tests/record"),
        ("POST", "/vgdc/v1/replay"),
        ("GET", "/vgdc/v1/history"),
        ("POST", "/vgdc/v1/history"),
        ("POST", "/vgdc/v1/receive/fn"),
        ("GET", "/vgdc/v1/mesh"),
        ("PUT", "/vgdc/v1/mesh"),
        ("POST", "/vgdc/v1/mesh/place"),
    ] {
        for authorization in ["", "Bearer wrong", "Basic dTpw", "Bearer "] {
            let answer = editor.raw(method, path, &[("Authorization", authorization)], "[]");
            assert_eq!(
                answer.status, 401,
                "{method} {path} {authorization:?}: {answer:?}"
            );
        }
    }
    assert_eq!(folder.text("flows.json"), FLOWS);
    assert_eq!(editor.get("/flows").status, 200);
    let mut nobody = Comms::open(&editor, &[]).expect("who he is may be said later");
    nobody.say(json!({"subscribe": "notification/#"}));
    assert_eq!(nobody.wait_for("auth"), json!({"auth": "fail"}));
    let mut late = Comms::open(&editor, &[]).expect("who he is may be said later");
    late.say(json!({"auth": TOKEN}));
    assert_eq!(late.wait_for("auth"), json!({"auth": "ok"}));
}

#[test]
fn a_link_lets_a_browser_in_once() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let page = editor.raw("GET", "/", &[], "");
    assert_eq!((page.status, page.header("location")), (303, "/vgdc/login"));
    let path = editor
        .link
        .split_once(&editor.address)
        .map_or("", |(_, path)| path);
    let let_in = editor.raw("GET", path, &[], "");
    assert_eq!(let_in.status, 200, "{let_in:?}");
    let set = let_in.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let again = editor.raw("GET", path, &[], "");
    assert_eq!((again.status, again.header("set-cookie")), (403, ""));
    let cookie = set.split(';').next().unwrap_or_default();
    let own = format!("http://{}", editor.address);
    let page = editor.raw("GET", "/", &[("Cookie", cookie)], "");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'self'")
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(
        editor
            .raw("GET", "/flows", &[("Cookie", cookie)], "")
            .status,
        200
    );
    // (a cookie alone changes nothing: the browser must say that our own page asks)
    assert_eq!(
        editor
            .raw("POST", "/inject/in", &[("Cookie", cookie)], "")
            .status,
        401
    );
    let pressed = editor.raw(
        "POST",
        "/inject/in",
        &[("Cookie", cookie), ("Origin", &own)],
        "",
    );
    assert_eq!(pressed.status, 200, "{pressed:?}");
    let out = editor.raw(
        "POST",
        "/vgdc/logout",
        &[("Cookie", cookie), ("Origin", &own)],
        "",
    );
    assert_eq!(out.status, 303, "{out:?}");
    assert_eq!(
        editor
            .raw("GET", "/flows", &[("Cookie", cookie)], "")
            .status,
        401
    );
}

#[test]
fn pages_of_others_and_names_of_others_are_refused() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(
        &folder.path("flows.json"),
        &["--allow-host", "flows.example"],
    );
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://evil.example",
    ] {
        let answer = editor.ask("GET", "/flows", &[("Origin", origin)], "");
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
        let answer = editor.ask("POST", "/flows", &[("Origin", origin)], "[]");
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
        let bearer = format!("Bearer {TOKEN}");
        let opened = Comms::open(&editor, &[("Origin", origin), ("Authorization", &bearer)]);
        assert_eq!(
            opened.err().map(|answer| answer.status),
            Some(403),
            "{origin}"
        );
    }
    for (host, expected) in [
        ("evil.example", 421),
        ("", 421),
        ("flows.example:443", 200),
        ("localhost:1", 200),
    ] {
        assert_eq!(
            editor.ask("GET", "/flows", &[("Host", host)], "").status,
            expected,
            "{host}"
        );
    }
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(editor.ask("GET", "/flows", &foreign, "").status, 403);
    assert_eq!(folder.text("flows.json"), FLOWS);
}

#[test]
fn no_path_leads_out_and_no_body_is_too_large() {
    let folder = Folder::new(&[("flows.json", FLOWS), ("secret.txt", "do not read")]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    for path in [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/%2e%2e/flows.json",
        "//etc/passwd",
        "/flows.json",
        "/.vgdc",
        "/flows_cred.json",
        "/flows.vgdc.json",
    ] {
        let answer = editor.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(!answer.body.contains("do not read"));
    }
    for path in [
        "/context/flow/..%2f..%2fsecret/x",
        "/flow/..%2fsecret.txt",
        "/credentials/x/..%2f",
    ] {
        let answer = editor.get(path);
        assert!(
            !answer.body.contains("do not read") && answer.status < 500,
            "{path}: {answer:?}"
        );
    }
    for (body, expected) in [
        ("{", 400),
        ("[1]", 400),
        ("{}", 400),
        ("null", 400),
        ("[{\"id\":\"\",\"type\":\"x\"}]", 400),
    ] {
        let answer = editor.ask("POST", "/flows", &[], body);
        assert_eq!(answer.status, expected, "{body}: {answer:?}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(editor.ask("POST", "/flows", &[], &deep).status, 400);
    assert_eq!(folder.text("flows.json"), FLOWS);
    assert_eq!(editor.get("/flows").status, 200);
}

#[test]
fn who_guesses_has_to_wait() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let guess = |password: &str| {
        let body = json!({"client_id": "node-red-admin", "grant_type": "password", "username": "", "password": password});
        editor.raw(
            "POST",
            "/auth/token",
            &[("Content-Type", "application/json")],
            &body.to_string(),
        )
    };
    for _ in 0..5 {
        assert_eq!(guess("wrong").status, 403);
    }
    let refused = guess(TOKEN);
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(
        refused
            .header("retry-after")
            .parse::<u32>()
            .is_ok_and(|seconds| seconds <= 60)
    );
    // (who has the token already is not kept out by others' guesses)
    assert_eq!(editor.get("/flows").status, 200);
}

#[test]
fn saving_changes_what_was_edited_and_nothing_else() {
    for text in [
        FLOWS.to_owned(),
        FLOWS.replace('\n', "\r\n"),
        format!("\u{feff}{FLOWS}"),
    ] {
        let folder = Folder::new(&[("flows.json", &text)]);
        let editor = Editor::open(&folder.path("flows.json"), &[]);
        let (mut flows, rev) = editor.flows();
        let same = editor.deploy(&flows, &rev);
        assert_eq!(
            (same.status, same.json()["rev"].as_str()),
            (200, Some(rev.as_str()))
        );
        assert_eq!(folder.text("flows.json"), text, "nothing was edited");
        with(&mut flows, "fn")["name"] = "twice".into();
        with(&mut flows, "in")["x"] = 120.into();
        let changed = editor.deploy(&flows, &rev);
        assert_eq!(changed.status, 200, "{changed:?}");
        let expected = text
            .replace("\"double\"", "\"twice\"")
            .replace("110.0", "120");
        assert_eq!(folder.text("flows.json"), expected);
        let leftovers = std::fs::read_dir(folder.0.path()).expect("the folder");
        let names: Vec<_> = leftovers.flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["flows.json"], "nothing else is left behind");
    }
}

#[test]
fn what_somebody_else_wrote_is_not_overwritten() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let (flows, rev) = editor.flows();
    let theirs = FLOWS.replace("double", "theirs");
    std::fs::write(folder.path("flows.json"), &theirs).expect("it is written");
    let mut mine = flows.clone();
    with(&mut mine, "fn")["name"] = "mine".into();
    let refused = editor.deploy(&mine, &rev);
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (409, Some("version_mismatch"))
    );
    assert_eq!(folder.text("flows.json"), theirs);
    // (what is there now can be looked at, and changed)
    let (mut now, rev) = editor.flows();
    assert_eq!(with(&mut now, "fn")["name"], "theirs");
    with(&mut now, "fn")["name"] = "both".into();
    assert_eq!(editor.deploy(&now, &rev).status, 200);
    assert_eq!(folder.text("flows.json"), FLOWS.replace("double", "both"));
    std::fs::write(folder.path("flows.json"), "[{").expect("it is written");
    let refused = editor.deploy(&now, "");
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(folder.text("flows.json"), "[{");
}

#[test]
fn credentials_go_in_and_never_out() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let (mut flows, rev) = editor.flows();
    let broker = json!({"id": "mq", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": "1", "autoConnect": false,
        "credentials": {"user": "user-7f3a", "password": "hush-7f3a"}});
    flows.as_array_mut().expect("an array").push(broker);
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    let shown = editor.get("/credentials/mqtt-broker/mq").json();
    assert_eq!(shown, json!({"has_user": true, "has_password": true}));
    for path in [
        "/flows",
        "/flow/global",
        "/credentials/mqtt-broker/mq",
        "/credentials/tab/mq",
        "/diagnostics",
        "/settings",
        "/vgdc/v1/info",
        "/nodes",
    ] {
        assert!(!editor.get(path).body.contains("7f3a"), "{path}");
    }
    assert!(
        !editor
            .ask("POST", "/vgdc/v1/check", &[], "")
            .body
            .contains("7f3a")
    );
    for name in ["flows.json", "flows_cred.json"] {
        assert!(!folder.text(name).contains("7f3a"), "{name}");
    }
    assert!(folder.text("flows_cred.json").starts_with("{\"$\":\""));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(folder.path("flows_cred.json"))
            .expect("a file")
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    drop(editor);
    // (with another key the file is told to be unreadable, and is left as it is)
    let before = folder.text("flows_cred.json");
    std::fs::write(
        folder.path(".config.runtime.json"),
        r#"{"_credentialSecret":"another"}"#,
    )
    .expect("it is written");
    let mut process = vgdc_tests::Running::start(
        vgdc_tests::vgdc(&[
            "edit",
            &folder.path("flows.json").to_string_lossy(),
            "--port",
            "0",
            "--no-open",
        ])
        .env("VGDC_EDITOR_TOKEN", TOKEN),
    );
    let warned = process.wait_for("Warning:");
    assert!(
        warned.contains("cannot be decrypted") && !warned.contains("another"),
        "{warned}"
    );
    assert_eq!(folder.text("flows_cred.json"), before);
}

#[test]
fn a_flow_that_does_not_compile_can_be_mended() {
    let broken = FLOWS.replace("\"function\"", "\"no such type\"");
    let folder = Folder::new(&[("flows.json", &broken)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let said = editor.ask("POST", "/vgdc/v1/check", &[], "").json();
    let fault = &said["diagnostics"][0];
    assert_eq!(
        (&fault["level"], &fault["node"]),
        (&json!("error"), &json!("fn")),
        "{said}"
    );
    let bearer = format!("Bearer {TOKEN}");
    let mut comms = Comms::open(&editor, &[("Authorization", &bearer)]).expect("it opens");
    comms.say(json!({"subscribe": "notification/#"}));
    let state = comms.wait_for("notification/runtime-state");
    assert_eq!(state["data"]["types"], json!(["no such type"]), "{state}");
    comms.say(json!({"subscribe": ["debug", "vgdc/check"]}));
    std::thread::sleep(Duration::from_millis(100));
    let (mut flows, rev) = editor.flows();
    with(&mut flows, "fn")["type"] = "function".into();
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    assert_eq!(editor.ask("POST", "/inject/in", &[], "").status, 200);
    assert_eq!(comms.wait_for("debug")["data"]["msg"], "2");
    let checked = comms.wait_for("vgdc/check");
    assert_eq!(
        checked["data"]["nodes"]["fn"]["lane"], "native",
        "{checked}"
    );
    // (a subscription can be given back)
    comms.say(json!({"unsubscribe": "debug"}));
    comms.within(Duration::from_millis(200));
    assert_eq!(editor.ask("POST", "/inject/in", &[], "").status, 200);
    let came = comms.within(Duration::from_millis(400));
    assert!(!came.iter().any(|it| it["topic"] == "debug"), "{came:?}");
}

#[test]
fn the_compiler_says_what_only_it_knows() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    assert_eq!(editor.get("/vgdc/v1/info").json()["api"], 1);
    let types = editor.get("/vgdc/v1/types").json();
    let of = |ty: &str| {
        let all = types.as_array().expect("an array").iter();
        all.clone()
            .find(|it| it["type"] == ty)
            .unwrap_or_else(|| panic!("no {ty}"))
            .clone()
    };
    assert_eq!(of("inject")["button"], "inject");
    assert_eq!(of("switch")["outputs"], json!({"rules": "rules"}));
    assert_eq!(of("mqtt-broker")["category"], "config");
    let template = of("template");
    let fields = template["fields"].as_array().expect("fields").iter();
    let output = fields
        .clone()
        .find(|field| field["name"] == "output")
        .expect("output");
    assert_eq!(
        output["choices"][0],
        json!({"value": "str", "label": "Plain text"})
    );
    let checked = editor.ask("POST", "/vgdc/v1/check", &[], FLOWS).json();
    assert_eq!(checked["diagnostics"], json!([]), "{checked}");
    let wire = checked["wires"]["fn:0:out"].as_str().unwrap_or_default();
    assert!(wire.contains("payload: number"), "{checked}");
    let since = &checked["since"]["fn:0:out"];
    assert_eq!(since["payload"], json!(["fn"]), "{checked}");
    let fused = checked["nodes"]["fn"]["decisions"].to_string();
    assert!(
        fused.contains("fuse") && fused.contains("\"what\""),
        "{checked}"
    );
    let code = editor.get("/vgdc/v1/code/fn").json();
    let function = &code["functions"][0];
    let nodes = function["nodes"].as_array().expect("nodes");
    let of_fn = nodes.iter().position(|id| id == "fn").expect("it is there");
    for (text, lines) in [("rust", "rustLines"), ("mir", "mirLines")] {
        let text = function[text].as_str().expect("a text");
        let lines = function[lines].as_array().expect("a list");
        assert_eq!(text.lines().count(), lines.len(), "{code}");
        for line in [1, 2] {
            assert!(lines.contains(&json!([of_fn, line])), "{line}: {code}");
        }
        assert!(!text.contains("__line"), "{text}");
    }
    assert_eq!(editor.get("/vgdc/v1/code/nosuch").status, 404);
    assert_eq!(editor.get("/vgdc/v1/code/out").status, 422);
    let mesh = "[nodes.a]\naddress = \"127.0.0.1:7001\"\n[nodes.b]\naddress = \"127.0.0.1:7002\"\n[[pin]]\nnode = \"out\"\non = \"b\"\n";
    let plan = editor.ask(
        "POST",
        "/vgdc/v1/plan",
        &[],
        &json!({"mesh": mesh}).to_string(),
    );
    assert!(
        plan.status == 200 || plan.json()["diagnostics"].is_array(),
        "{plan:?}"
    );
    let wrong = editor.ask(
        "POST",
        "/vgdc/v1/plan",
        &[],
        &json!({"mesh": "["}).to_string(),
    );
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert!(wrong.json()["diagnostics"][0]["message"].is_string());
    let bearer = format!("Bearer {TOKEN}");
    let mut comms = Comms::open(&editor, &[("Authorization", &bearer)]).expect("it opens");
    comms.say(json!({"subscribe": "vgdc/metrics"}));
    let metrics = comms.wait_for("vgdc/metrics");
    assert!(
        metrics["data"]["edges"]["in:0:fn"]["rate"].is_number(),
        "{metrics}"
    );
}

#[test]
fn the_control_protocol_is_spoken_by_who_may_do_everything() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let bearer = format!("Bearer {TOKEN}");
    let path = "/vgdc/v1/control";
    let own = [("Authorization", bearer.as_str())];
    let mut control = Comms::open_at(&editor, path, &own).expect("it opens");
    press(&editor);
    control.say(json!({"id": 1, "op": "receive", "node": "fn", "msg": {"payload": 4}}));
    assert_eq!(control.wait_for("ok"), json!({"id": 1, "ok": true}));
    control.say(json!({"id": 2, "op": "settle"}));
    assert_eq!(control.wait_for("ok"), json!({"id": 2, "ok": true}));
    control.say(json!({"id": 3, "op": "metrics"}));
    assert_eq!(control.wait_for("ok")["result"]["nodes"]["fn"]["in"], 2);
    assert!(Comms::open_at(&editor, path, &[]).is_err());
    let page = [own[0], ("Origin", "http://elsewhere.example")];
    assert!(Comms::open_at(&editor, path, &page).is_err());
    assert_eq!(editor.get(path).status, 426);
}

/// Asks as a tool, with a JSON body; whatever it is answered.
fn post(editor: &Editor, path: &str, body: &Value) -> client::Answer {
    editor.ask("POST", path, &[], &body.to_string())
}

/// Presses the inject node, as soon as it runs: the link is printed before the flows have started.
fn press(editor: &Editor) {
    let until = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let pressed = post(editor, "/inject/in", &json!({}));
        if pressed.status == 200 {
            return;
        }
        assert!(std::time::Instant::now() < until, "{pressed:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_deployment_is_shown_before_it_is_one() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let (mut flows, rev) = editor.flows();
    with(&mut flows, "fn")["func"] = json!("context.set('n', 1);\nreturn msg;");
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    press(&editor);
    let mut edited = flows.clone();
    with(&mut edited, "out")["name"] = json!("shown");
    let more = json!({"id": "more", "type": "debug", "z": "tab", "x": 9, "y": 9, "complete": "true", "wires": []});
    edited.as_array_mut().expect("an array").push(more);
    let preview = |flows: &Value, ty: &str| {
        let body = json!({"flows": flows, "type": ty});
        post(&editor, "/vgdc/v1/preview", &body)
    };
    let nodes = preview(&edited, "nodes").json();
    assert_eq!(nodes["starts"], json!(["more"]), "{nodes}");
    assert_eq!(nodes["restarts"], json!(["out"]), "{nodes}");
    assert_eq!(nodes["keeps"], json!(["in", "fn"]), "{nodes}");
    assert_eq!(nodes["everything"], Value::Null);
    let all = preview(&edited, "flows").json();
    assert_eq!(all["restarts"], json!(["in", "fn", "out"]), "{all}");
    let full = preview(&edited, "full").json();
    assert!(full["everything"].is_string(), "{full}");
    edited
        .as_array_mut()
        .expect("an array")
        .retain(|node| node["id"] != "fn");
    with(&mut edited, "in")["wires"] = json!([["out"]]);
    let without = preview(&edited, "nodes").json();
    assert_eq!(without["stops"], json!(["fn"]), "{without}");
    assert_eq!(
        without["forgets"],
        json!([{"scope": "node:fn", "keys": ["n"]}])
    );
    with(&mut edited, "out")["type"] = json!("nosuch");
    let wrong = preview(&edited, "nodes");
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(wrong.json()["diagnostics"][0]["code"], "VG0100");
    assert_eq!(preview(&edited, "some").status, 400);
    // Nothing of it happened.
    assert_eq!(editor.flows().0, flows);
}

const TESTS: &str = "tests:\n  - name: one becomes two\n    steps:\n      - press: in\n      - expect: {out: {receives: [{payload: 2}]}}\n  - name: wrong\n    steps:\n      - press: in\n      - expect: {out: {receives: [{payload: 3}]}}\n";

#[test]
fn tests_run_on_what_is_drawn() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let none = editor.get("/vgdc/v1/tests").json();
    assert_eq!(
        (&none["file"], &none["text"]),
        (&json!("flows.test.yaml"), &Value::Null)
    );
    assert_eq!(post(&editor, "/vgdc/v1/tests/run", &json!({})).status, 422);
    let put = |text: &str, before: Option<&str>| {
        let body = json!({"text": text, "before": before}).to_string();
        editor.ask("PUT", "/vgdc/v1/tests", &[], &body)
    };
    let kept = put(TESTS, None);
    assert_eq!(
        kept.json()["tests"][1],
        json!({"name": "wrong", "line": 6, "skip": null}),
        "{kept:?}"
    );
    assert_eq!(folder.text("flows.test.yaml"), TESTS);
    assert_eq!(put("x", None).status, 409);
    let ran = post(&editor, "/vgdc/v1/tests/run", &json!({})).json();
    assert_eq!(
        (&ran["passed"], &ran["failed"]),
        (&json!(1), &json!(1)),
        "{ran}"
    );
    assert_eq!(ran["cases"][0]["outcome"], "passed");
    assert_eq!(ran["cases"][1]["failures"][0]["line"], 9, "{ran}");
    assert_eq!(ran["coverage"]["wires"]["in:0:fn"], true, "{ran}");
    let (mut flows, _) = editor.flows();
    with(&mut flows, "fn")["func"] = json!("msg.payload *= 3; return msg;");
    let one = json!({"flows": flows, "filter": "wrong"});
    let ran = post(&editor, "/vgdc/v1/tests/run", &one).json();
    assert_eq!(
        (&ran["passed"], &ran["failed"]),
        (&json!(1), &json!(0)),
        "{ran}"
    );
    let wrong = post(&editor, "/vgdc/v1/tests/run", &json!({"text": "tests: 1"}));
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.json()["problems"][0]["line"], 1, "{wrong:?}");
    let draft = json!({"text": ""});
    let drawn_up = post(&editor, "/vgdc/v1/tests/record", &draft).json();
    let text = drawn_up["text"].as_str().expect("a text");
    assert!(
        text.contains("press: \"in\"") && text.contains("payload: 2"),
        "{text}"
    );
}

#[test]
fn what_happened_is_kept_and_can_be_played_again() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let history = |query: &str| editor.get(&format!("/vgdc/v1/history{query}")).json();
    assert_eq!(history("")["recording"], false);
    assert_eq!(post(&editor, "/vgdc/v1/replay", &json!({})).status, 422);
    press(&editor);
    assert_eq!(history("")["events"], json!([]));
    post(&editor, "/vgdc/v1/history", &json!({"recording": true}));
    press(&editor);
    let by_hand = json!({"msg": {"payload": 21}});
    assert_eq!(post(&editor, "/vgdc/v1/receive/fn", &by_hand).status, 204);
    assert_eq!(
        post(&editor, "/vgdc/v1/receive/nosuch", &by_hand).status,
        404
    );
    let of_fn = || {
        let events = history("?node=fn")["events"].clone();
        let events = events.as_array().expect("a list").clone();
        let sent = events.iter().filter(|it| it["kind"] == "send");
        sent.map(|it| it["msg"]["payload"].clone())
            .collect::<Vec<_>>()
    };
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while of_fn().len() < 2 && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(of_fn(), [2, 42]);
    let state = post(&editor, "/vgdc/v1/history", &json!({"recording": false})).json();
    assert_eq!(state["recording"], false);
    let last = state["last"].as_u64().expect("a number");
    press(&editor);
    assert_eq!(history("")["last"], last);
    let page = history("?limit=2")["events"].clone();
    assert_eq!(page[1]["seq"], last);
    assert_eq!(editor.get("/vgdc/v1/history?after=x").status, 400);

    let same = post(&editor, "/vgdc/v1/replay", &json!({})).json();
    assert_eq!(same["inputs"], 2, "{same}");
    assert_eq!(same["differences"], json!([]), "{same}");
    assert!(same["same"].as_u64() >= Some(4), "{same}");
    let (mut flows, _) = editor.flows();
    with(&mut flows, "fn")["func"] = json!("msg.payload *= 3; return msg;");
    let other = post(&editor, "/vgdc/v1/replay", &json!({"flows": flows})).json();
    let found: Vec<_> = other["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| {
            (
                it["node"].as_str(),
                it["kind"].as_str(),
                it["path"].as_str(),
                it["replayed"]["msg"]["payload"].as_f64(),
            )
        })
        .collect();
    for wanted in [
        (Some("fn"), Some("send"), Some("payload"), Some(3.0)),
        (Some("fn"), Some("send"), Some("payload"), Some(63.0)),
        (Some("out"), Some("input"), Some("payload"), Some(3.0)),
    ] {
        assert!(found.contains(&wanted), "{wanted:?} in {found:?}");
    }
    assert_eq!(
        post(&editor, "/vgdc/v1/history", &json!({"clear": true})).json()["last"],
        Value::Null
    );
}

#[test]
fn packages_show_their_own_pages() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let write = |path: &str, text: &str| {
        let path = folder.path(&format!("node_modules/@s/p/{path}"));
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
        std::fs::write(path, text).expect("writes");
    };
    let about = r#"{"name": "@s/p", "version": "1.2.3", "node-red": {"nodes": {"one": "one.js"}}}"#;
    write("package.json", about);
    write("one.js", "RED.nodes.registerType('mine', X)");
    let page = "<script>RED.nodes.registerType('mine', {})</script>";
    write("one.html", page);
    write("locales/de/one.json", r#"{"a": "b"}"#);
    write("icons/i.svg", "<svg/>");
    write("resources/r.js", "1");
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let html = |path: &str| editor.ask("GET", path, &[("Accept", "text/html")], "");
    let all = html("/nodes");
    assert_eq!(all.header("content-type"), "text/html; charset=utf-8");
    assert!(
        all.body.contains("[red-module:@s/p/one]") && all.body.contains(page),
        "{all:?}"
    );
    assert!(html("/nodes/@s/p/one").body.contains(page));
    assert_eq!(html("/nodes/@s/p/two").status, 404);
    let set = editor.get("/nodes/@s/p/one").json();
    assert_eq!(set["types"], json!(["mine"]), "{set}");
    let words = editor.get("/nodes/messages?lng=de").json();
    assert_eq!(words, json!({"@s/p/one": {"a": "b"}}));
    let words = editor.get("/nodes/@s/p/one/messages?lng=de").json();
    assert_eq!(words, json!({"a": "b"}));
    let icons = editor.get("/icons").json();
    assert_eq!(icons, json!({"@s/p": ["i.svg"]}));
    // The frame has no origin and shows no cookie: files are given to it, all else is not.
    let frame = [("Origin", "null"), ("Sec-Fetch-Site", "cross-site")];
    for (path, ty) in [
        ("/icons/@s/p/i.svg", "image/svg+xml"),
        ("/resources/@s/p/r.js", "text/javascript; charset=utf-8"),
    ] {
        let file = editor.raw("GET", path, &frame, "");
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, ty),
            "{file:?}"
        );
        let loads = file.header("cross-origin-resource-policy");
        assert_eq!(loads, "cross-origin");
    }
    assert_eq!(editor.raw("GET", "/nodes/messages", &frame, "").status, 403);
    for path in [
        "/resources/@s/p/../package.json",
        "/resources/@s/p/..%2fpackage.json",
        "/resources/@s/q/r.js",
        "/icons/@s/p/none.svg",
        "/resources/@s/p",
    ] {
        let file = editor.raw("GET", path, &[], "");
        assert_eq!(file.status, 404, "{path}: {file:?}");
    }
}

#[test]
fn code_of_packages_gets_a_frame_of_its_own() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let frame = editor.get("/frame.html");
    // (without the pages, as a build without npm has it, there is no frame)
    if frame.status == 404 {
        assert!(editor.get("/").body.contains("npm"), "the page says so");
        return;
    }
    let policy = frame.header("content-security-policy");
    assert!(policy.starts_with("sandbox allow-scripts;"), "{policy}");
    assert!(policy.contains("connect-src 'none'"), "{policy}");
    assert_eq!(frame.header("x-frame-options"), "SAMEORIGIN");
    let page = editor.get("/");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
}

#[test]
fn a_mesh_file_is_edited_beside_the_flow() {
    let folder = Folder::new(&[("flows.json", FLOWS)]);
    let editor = Editor::open(&folder.path("flows.json"), &[]);
    let none = editor.get("/vgdc/v1/mesh").json();
    assert_eq!(
        (&none["file"], &none["text"]),
        (&json!("mesh.toml"), &Value::Null)
    );
    assert!(
        none["why"]
            .as_str()
            .is_some_and(|why| why.contains("no agent")),
        "{none}"
    );
    let mesh =
        "[nodes.a]\naddress = \"127.0.0.1:7001\"\n\n[nodes.b]\naddress = \"127.0.0.1:7002\"\n";
    let placed = post(
        &editor,
        "/vgdc/v1/mesh/place",
        &json!({"text": mesh, "nodes": ["out"], "on": "b"}),
    );
    let text = placed.json()["text"].as_str().expect("a text").to_owned();
    assert_eq!(
        text,
        format!("{mesh}\n[[place]]\nnodes = [\"out\"]\non = \"b\"\n")
    );
    let plan = post(&editor, "/vgdc/v1/plan", &json!({"mesh": text})).json();
    assert_eq!(plan["nodes"]["out"]["machine"], "b", "{plan}");
    let bare = text.replace("address", "# address");
    let plan = post(&editor, "/vgdc/v1/plan", &json!({"mesh": bare})).json();
    assert_eq!(plan["nodes"]["out"]["machine"], "b", "{plan}");
    let nowhere = post(
        &editor,
        "/vgdc/v1/mesh/place",
        &json!({"text": mesh, "nodes": ["out"], "on": "c"}),
    );
    assert_eq!(nowhere.status, 422, "{nowhere:?}");
    let put = json!({"text": text, "before": null}).to_string();
    assert_eq!(editor.ask("PUT", "/vgdc/v1/mesh", &[], &put).status, 204);
    assert_eq!(folder.text("mesh.toml"), text);
    assert_eq!(editor.ask("PUT", "/vgdc/v1/mesh", &[], &put).status, 409);
}

#[test]
fn a_flow_that_is_not_there_is_made_when_it_is_deployed() {
    let folder = Folder::new(&[]);
    let editor = Editor::open(&folder.path("new.json"), &[]);
    let (flows, rev) = editor.flows();
    assert_eq!(flows, json!([]));
    assert!(!folder.path("new.json").exists());
    let tab = json!([{"id": "t", "type": "tab", "label": "New"}]);
    assert_eq!(editor.deploy(&tab, &rev).status, 200);
    assert_eq!(
        folder.text("new.json"),
        "[\n    {\n        \"id\": \"t\",\n        \"type\": \"tab\",\n        \"label\": \"New\"\n    }\n]"
    );
}

#[test]
fn a_flow_that_is_text_stays_text() {
    let json_file = Folder::new(&[("flows.json", FLOWS)]);
    let (from, to) = (json_file.path("flows.json"), json_file.path("flow.flow"));
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let made = vgdc_tests::run(&["convert", &path(&from), "-o", &path(&to)]);
    assert!(made.status.success(), "{}", vgdc_tests::text(&made.stderr));
    let text = json_file.text("flow.flow");
    let editor = Editor::open(&to, &[]);
    let (mut flows, rev) = editor.flows();
    assert_eq!(editor.deploy(&flows, &rev).status, 200);
    assert_eq!(json_file.text("flow.flow"), text, "nothing was edited");
    with(&mut flows, "fn")["func"] = "msg.payload *= 3;\nreturn msg;".into();
    let changed = editor.deploy(&flows, &rev);
    assert_eq!(changed.status, 200, "{changed:?}");
    let now = json_file.text("flow.flow");
    assert!(now.contains("*= 3") && !now.starts_with('['), "{now}");
    let (again, _) = editor.flows();
    assert_eq!(again, flows);
}

#[test]
fn vgdc_run_serves_the_editor_beside_the_flows_own_pages() {
    let page = r#"[{"id":"t","type":"tab"},{"id":"a","type":"http in","z":"t","url":"/hello","method":"get","x":1,"y":1,"wires":[["b"]]},
        {"id":"b","type":"http response","z":"t","x":1,"y":1,"wires":[]}]"#;
    let folder = Folder::new(&[("flows.json", page)]);
    let flow = folder.path("flows.json").to_string_lossy().into_owned();
    let mut editor = Editor::of(vgdc_tests::Running::start(
        vgdc_tests::vgdc(&["run", &flow, "--editor", "--port", "0"])
            .env("VGDC_EDITOR_TOKEN", TOKEN),
    ));
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while editor.raw("GET", "/hello", &[], "").status != 200 {
        assert!(std::time::Instant::now() < until, "the flow answers");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(editor.raw("GET", "/flows", &[], "").status, 401);
    assert_eq!(editor.get("/flows").status, 200);
    assert_eq!(editor.process.stop("TERM"), Some(0));
}
