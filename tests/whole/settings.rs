//! Settings of Node-RED in `vgdc.toml`, each seen through a flow that runs.

use base64::Engine;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use vgdc_tests::{Control, Running, connect, free_port, run, text, vgdc};

/// The hash of "pw", as `node-red admin hash-pw` makes it.
const HASH: &str = "$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2";

/// A folder with a flow and a `vgdc.toml`.
struct Project(tempfile::TempDir);

impl Project {
    fn new(toml: &str, nodes: Value) -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        let mut flow = vec![json!({"id": "t", "type": "tab"})];
        flow.extend(nodes.as_array().expect("nodes").iter().cloned());
        std::fs::write(
            folder.path().join("flows.json"),
            Value::from(flow).to_string(),
        )
        .expect("writes");
        std::fs::write(folder.path().join("vgdc.toml"), toml).expect("writes");
        Project(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn flow(&self) -> String {
        self.path().to_string_lossy().into_owned()
    }

    fn start(&self) -> Running {
        Running::start(&mut vgdc(&["run", &self.flow()]))
    }

    /// The same on a free port, which it gives.
    fn serve(&self) -> (Running, String) {
        let mut running = Running::start(&mut vgdc(&["run", &self.flow(), "--port", "0"]));
        let address = running.address();
        (running, address)
    }
}

fn node(id: &str, ty: &str, more: Value, wires: Value) -> Value {
    let mut node = json!({"id": id, "type": ty, "z": "t", "x": 1, "y": 1, "wires": wires});
    for (name, value) in more.as_object().expect("an object") {
        node[name] = value.clone();
    }
    node
}

/// Sends a message at the start.
fn inject(to: &str) -> Value {
    let more = json!({"once": true, "onceDelay": 0.05, "repeat": "", "crontab": "", "props": [{"p": "payload"}], "payload": "", "payloadType": "str"});
    node("i", "inject", more, json!([[to]]))
}

fn function(id: &str, code: &str, wires: Value) -> Value {
    node(id, "function", json!({"func": code, "outputs": 1}), wires)
}

/// `GET /hello` tells of the request.
fn hello() -> Value {
    let code = "msg.payload = {url: msg.req.url, base: msg.req.baseUrl, whole: msg.req.originalUrl, protocol: msg.req.protocol, secure: msg.req.secure}; return msg;";
    json!([
        node(
            "h",
            "http in",
            json!({"url": "/hello", "method": "get"}),
            json!([["f"]])
        ),
        node(
            "p",
            "http in",
            json!({"url": "/post", "method": "post"}),
            json!([["f"]])
        ),
        function("f", code, json!([["r"]])),
        node("r", "http response", json!({}), json!([])),
    ])
}

/// An answer: its status, its headers in lower case, its body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn ask(address: &str, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = connect(address);
    let mut text = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("{answer}")),
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

fn get(address: &str, path: &str) -> Answer {
    ask(address, &format!("GET {path}"), &[], "")
}

fn basic(user: &str, password: &str) -> String {
    let text = format!("{user}:{password}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

#[test]
fn passwords_and_roots() {
    let toml = format!(
        "[settings]\nhttpNodeRoot = \"api\"\nhttpNodeAuth = {{ user = \"u\", pass = \"{HASH}\" }}\nhttpServerOptions = {{ x-powered-by = true }}\n"
    );
    let (_running, address) = Project::new(&toml, hello()).serve();
    let answer = get(&address, "/api/hello");
    assert_eq!((answer.status, &*answer.body), (401, "Unauthorized"));
    assert!(
        answer
            .head
            .contains("www-authenticate: basic realm=\"authorization required\"")
    );
    assert!(answer.head.contains("x-powered-by: express"));
    let with = |user: &str, password: &str, path: &str| {
        let authorization = basic(user, password);
        ask(
            &address,
            &format!("GET {path}"),
            &[("Authorization", &authorization)],
            "",
        )
    };
    assert_eq!(with("u", "wrong", "/api/hello").status, 401);
    assert_eq!(with("x", "pw", "/api/hello").status, 401);
    assert_eq!(with("u", "pw", "/api/none").status, 404);
    assert_eq!(
        get(&address, "/api/none").status,
        401,
        "nobody learns what there is"
    );
    assert_eq!(get(&address, "/hello").status, 404);
    let answer = with("u", "pw", "/api/hello?a=1");
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(
        body,
        json!({"url": "/hello?a=1", "base": "/api", "whole": "/api/hello?a=1", "protocol": "http", "secure": false})
    );
}

#[test]
fn the_old_names_and_what_holds_for_all_folders() {
    let project = Project::new("", hello());
    std::fs::write(project.path().join("x.txt"), "x").expect("writes");
    let toml = format!(
        "[settings]\nhttpAuth = {{ user = \"u\", pass = \"${{VGDC_TEST_HASH}}\" }}\nhttpStatic = {:?}\nhttpStaticCors = {{ origin = \"http://a\" }}\n",
        project.path()
    );
    std::fs::write(project.path().join("vgdc.toml"), toml).expect("writes");
    let mut command = vgdc(&["run", &project.flow(), "--port", "0"]);
    let mut running = Running::start(command.env("VGDC_TEST_HASH", HASH));
    let address = running.address();
    assert_eq!(get(&address, "/hello").status, 401);
    // (the nodes' root is that of the files, too)
    assert_eq!(get(&address, "/x.txt").status, 401);
    let authorization = basic("u", "pw");
    let answer = ask(
        &address,
        "GET /x.txt",
        &[("Authorization", &authorization)],
        "",
    );
    assert_eq!((answer.status, &*answer.body), (200, "x"));
    assert!(
        answer
            .head
            .contains("access-control-allow-origin: http://a")
    );
}

#[test]
fn no_root_means_no_answers() {
    let nodes = hello();
    let project = Project::new("[settings]\nhttpRoot = false\n", nodes);
    let mut running = project.start();
    running.wait_for("Cannot create http-in node when httpNodeRoot set to false");
}

#[test]
fn folders_of_files() {
    let files = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(files.path().join("sub")).expect("makes");
    std::fs::write(files.path().join("sub/a.txt"), "a").expect("writes");
    std::fs::write(files.path().join("index.html"), "<p>").expect("writes");
    let folder = files.path();
    let toml = format!(
        "[settings]\nhttpStatic = [{{ path = {folder:?}, root = \"all\", cors = {{ origin = \"*\" }} }}, \
         {{ path = {:?}, root = \"/sub/\", options = {{ maxAge = \"1h\" }} }}]\nhttpStaticRoot = \"/st/\"\n\
         httpStaticAuth = {{ user = \"s\", pass = \"{HASH}\" }}\n",
        folder.join("sub")
    );
    // (no node has a route: the files are enough for the server to be there)
    let (_running, address) = Project::new(&toml, json!([])).serve();
    assert_eq!(get(&address, "/st/all/").status, 401);
    let authorization = basic("s", "pw");
    let with = |request: &str| ask(&address, request, &[("Authorization", &authorization)], "");
    let answer = with("GET /st/all/");
    assert_eq!((answer.status, &*answer.body), (200, "<p>"));
    assert!(answer.head.contains("access-control-allow-origin: *"));
    assert_eq!(with("GET /st/all").status, 301);
    let answer = with("GET /st/sub/a.txt");
    assert_eq!((answer.status, &*answer.body), (200, "a"));
    assert!(answer.head.contains("cache-control: public, max-age=3600"));
    assert_eq!(with("GET /st/sub/b.txt").status, 404);
    assert_eq!(with("POST /st/sub/a.txt").status, 404);
    assert_eq!(ask(&address, "OPTIONS /st/all/x", &[], "").status, 204);
}

#[test]
fn a_relative_folder_begins_at_the_working_folder() {
    let project = Project::new("[settings]\nhttpStatic = \"public\"\n", json!([]));
    std::fs::create_dir(project.path().join("public")).expect("makes");
    std::fs::write(project.path().join("public/x.json"), "{}").expect("writes");
    let mut running =
        Running::start(vgdc(&["run", ".", "--port", "0"]).current_dir(project.path()));
    let address = running.address();
    assert_eq!(get(&address, "/x.json").body, "{}");
}

#[test]
fn a_certificate_makes_it_https() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let port = free_port();
    // the flow asks itself, so that both ends are seen
    let code =
        "node.warn('answered ' + msg.statusCode + ' ' + JSON.stringify(msg.payload)); return msg;";
    let mut nodes = hello().as_array().expect("nodes").clone();
    nodes.extend([
        inject("q"),
        node("q", "http request", json!({"method": "GET", "ret": "obj", "url": format!("https://localhost:{port}/hello"), "tls": "c"}), json!([["w"]])),
        json!({"id": "c", "type": "tls-config", "verifyservercert": false}),
        function("w", code, json!([[]])),
    ]);
    let project = Project::new("", nodes.into());
    let file = |name: &str, content: &str| {
        let path = project.path().join(name);
        std::fs::write(&path, content).expect("writes");
        path
    };
    let (cert, key) = (
        file("cert.pem", &own.cert.pem()),
        file("key.pem", &own.signing_key.serialize_pem()),
    );
    file(
        "vgdc.toml",
        &format!(
            "[http]\nport = {port}\n[settings]\nhttps = {{ cert = {cert:?}, key = {key:?} }}\n"
        ),
    );
    let mut running = project.start();
    running.wait_for(&format!("Listening on https://127.0.0.1:{port}"));
    let line = running.wait_for("answered ");
    assert!(
        line.contains("answered 200") && line.contains("\"protocol\":\"https\",\"secure\":true"),
        "{line}"
    );
    // a program that others get holds the names of the files, and no key
    let app = project.path().join("app");
    let built = run(&["build", &project.flow(), "-o", &app.to_string_lossy()]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    drop(running);
    let mut running = Running::start(&mut std::process::Command::new(&app));
    running.wait_for(&format!("Listening on https://127.0.0.1:{port}"));
    file(
        "vgdc.toml",
        &format!(
            "[settings]\nhttps = {{ cert = {cert:?}, key = {:?} }}\n",
            own.signing_key.serialize_pem()
        ),
    );
    let built = run(&["build", &project.flow(), "-o", &app.to_string_lossy()]);
    let said = text(&built.stderr);
    assert!(
        !built.status.success() && said.contains("`key` of the setting `https` is a secret"),
        "{said}"
    );
    assert!(!said.contains("BEGIN"), "{said}");
}

#[test]
fn what_cannot_be_used_keeps_the_program_from_starting() {
    for (toml, expected) in [
        (
            "[settings]\nhttps = { cert = \"/nosuch\", key = \"/nosuch\" }\n",
            "the setting https: cannot read `cert` from /nosuch",
        ),
        (
            "[settings]\nhttpNodeAuth = { user = \"u\", pass = \"open\" }\n",
            "the setting httpNodeAuth: `pass` must be the bcrypt hash",
        ),
        (
            "[settings]\nsocketTimeout = \"${VGDC_NO_SUCH}\"\n",
            "the environment variable VGDC_NO_SUCH is not set",
        ),
        (
            "[http]\nport = \"${VGDC_NO_SUCH:-x}\"\n",
            "the setting uiPort: \"x\" is no number",
        ),
        (
            "[context.a]\nmodule = \"sqlite\"\nconfig = { file = \"/proc/nosuch/x\" }\n",
            "Error loading context store: Error: ",
        ),
        (
            "flow = \"${VGDC_NO_SUCH}\"\n",
            "`flow` in vgdc.toml: the environment variable VGDC_NO_SUCH is not set",
        ),
        (
            "[context.a]\nmodule = \"sqlit\"\n",
            "there is no kind of context store `sqlit`",
        ),
    ] {
        let project = Project::new(toml, json!([]));
        let ended = run(&["run", &project.flow()]);
        let said = text(&ended.stderr);
        assert!(
            ended.status.code() == Some(1) && said.contains(expected),
            "{toml}: {said}"
        );
        assert!(!said.contains("open\""), "{said}");
    }
}

#[test]
fn programs_have_their_settings_and_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let toml = format!(
        "[http]\nport = \"${{VGDC_TEST_PORT:-0}}\"\n[settings]\nfunctionGlobalContext = {{ who = \"${{VGDC_TEST_WHO:-nobody}}\", n = [1] }}\n\
         [context.default]\nmodule = \"sqlite\"\nconfig = {{ dir = {:?}, file = \"c.db\", flushInterval = 0 }}\n\
         [context.m]\nmodule = \"memory\"\n",
        folder.path()
    );
    let code = "flow.set('n', (flow.get('n') || 0) + 1); flow.set('x', 1, 'm'); node.warn('I am ' + global.get('who') + global.get('n')[0] + ' ' + flow.get('n') + flow.keys('m')); return msg;";
    let project = Project::new(
        &toml,
        json!([inject("f"), function("f", code, json!([[]]))]),
    );
    let app = folder.path().join("app");
    let built = run(&["build", &project.flow(), "-o", &app.to_string_lossy()]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let mut first = Running::start(&mut std::process::Command::new(&app));
    first.wait_for("Context store  : 'default' [module=sqlite]");
    first.wait_for("I am nobody1 1x");
    first.stop("TERM");
    let mut second = Running::start(std::process::Command::new(&app).env("VGDC_TEST_WHO", "me"));
    second.wait_for("I am me1 2x");
    second.stop("TERM");
    assert!(folder.path().join("c.db").is_file());
}

#[test]
fn what_is_logged() {
    let nodes = || {
        json!([
            inject("f"),
            function(
                "f",
                "node.warn('a warning'); node.trace('a trace'); node.error('an error'); return msg;",
                json!([[]])
            ),
        ])
    };
    let all = |toml: &str, args: &[&str]| {
        let project = Project::new(toml, nodes());
        let flow = project.flow();
        let mut arguments = vec!["run", &flow];
        arguments.extend(args);
        let mut running = Running::start(&mut vgdc(&arguments));
        std::thread::sleep(Duration::from_millis(600));
        running.stop("TERM");
        running.rest()
    };
    let said = all("[settings.logging.console]\nlevel = \"error\"\n", &[]);
    assert!(
        said.contains("an error") && !said.contains("a warning"),
        "{said}"
    );
    let said = all(
        "[settings.logging.console]\nlevel = \"error\"\n",
        &["--log-level", "trace"],
    );
    assert!(said.contains("a trace"), "{said}");
    let said = all(
        "[settings.logging.console]\nlevel = \"off\"\nmetrics = true\n[settings]\nruntimeMetricInterval = 100\n",
        &[],
    );
    assert!(!said.contains("an error"), "{said}");
    for expected in [
        "\"nodeid\":\"i\",\"event\":\"node.inject.send\",\"msgid\":\"",
        "\"nodeid\":\"f\",\"event\":\"node.function.receive\",\"msgid\":\"",
        "\"nodeid\":\"f\",\"event\":\"node.function.done\"",
        "[metric] {\"level\":99,\"event\":\"runtime.memory.rss\",\"value\":",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let said = all(
        "[settings.logging.console]\nmetrics = true\n",
        &["--log", "json"],
    );
    let metric = said
        .lines()
        .find(|line| line.contains("function.receive"))
        .expect("a line");
    let metric: Value = serde_json::from_str(metric).expect("JSON");
    assert_eq!(
        (&metric["level"], &metric["nodeid"]),
        (&json!("metric"), &json!("f"))
    );
}

#[test]
fn variables_that_flows_do_not_see() {
    let code =
        "node.warn('seen ' + env.get('VGDC_TEST_A') + ' ' + env.get('VGDC_TEST_B')); return msg;";
    let project = Project::new(
        "[settings]\nenvVarExcludes = [\"VGDC_TEST_A\"]\n",
        json!([inject("f"), function("f", code, json!([[]]))]),
    );
    let mut command = vgdc(&["run", &project.flow()]);
    let mut running = Running::start(command.env("VGDC_TEST_A", "a").env("VGDC_TEST_B", "b"));
    running.wait_for("seen undefined b");
}

#[test]
fn a_connection_that_nobody_upgrades_is_closed() {
    let project = Project::new("[settings]\ninboundWebSocketTimeout = 300\n", hello());
    let (_running, address) = project.serve();
    let begin = Instant::now();
    let mut stream = connect(&address);
    let request = "GET /nosuch HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    // (an end or a reset, but no word)
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(text(&answer), "");
    let took = begin.elapsed();
    assert!(
        took >= Duration::from_millis(290) && took < Duration::from_secs(4),
        "{took:?}"
    );
}

/// What one message at the start makes a function say.
fn said(settings: &str, nodes: Value, word: &str) -> String {
    let project = Project::new(&format!("[settings]\n{settings}\n"), nodes);
    let line = project.start().wait_for(word);
    line.split(word)
        .nth(1)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[test]
fn settings_of_single_nodes() {
    // functionGlobalContext, exportGlobalContextKeys
    let keys = || {
        json!([
            inject("f"),
            function(
                "f",
                "node.warn('keys ' + global.keys() + global.get('a').b); return msg;",
                json!([[]])
            )
        ])
    };
    assert_eq!(
        said("functionGlobalContext = { a = { b = 1 } }", keys(), "keys "),
        "a1"
    );
    assert_eq!(
        said(
            "functionGlobalContext = { a = { b = 1 } }\nexportGlobalContextKeys = false",
            keys(),
            "keys "
        ),
        "1"
    );

    // globalFunctionTimeout
    let endless = json!([inject("f"), function("f", "while (true) {}", json!([[]]))]);
    let line = said("globalFunctionTimeout = 0.2", endless, "[function:f] ");
    assert!(line.contains("timed out"), "{line}");

    // functionExternalModules
    let more = json!({"func": "return msg", "outputs": 1, "libs": [{"var": "os", "module": "os"}]});
    let line = said(
        "functionExternalModules = false",
        json!([node("f", "function", more, json!([[]]))]),
        "[function:f] ",
    );
    assert!(
        line.contains("not allowed to load external modules"),
        "{line}"
    );

    // fileWorkingDirectory
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("x.txt"), "from the file").expect("writes");
    let read = json!({"filename": "x.txt", "filenameType": "str", "format": "utf8", "encoding": "none", "allProps": false, "sendError": false});
    let nodes = json!([
        inject("r"),
        node("r", "file in", read, json!([["f"]])),
        function(
            "f",
            "node.warn('read ' + msg.payload); return msg;",
            json!([[]])
        )
    ]);
    assert_eq!(
        said(
            &format!("fileWorkingDirectory = {:?}", folder.path()),
            nodes,
            "read "
        ),
        "from the file"
    );

    // nodeMessageBufferMaxLength
    let batch = json!({"mode": "count", "count": "5", "overlap": "0", "interval": "10", "allowEmptySequence": false, "topics": []});
    let nodes = json!([
        inject("s"),
        function(
            "s",
            "return [[1, 2, 3, 4].map(n => ({payload: n}))];",
            json!([["b"]])
        ),
        node("b", "batch", batch, json!([[]])),
    ]);
    assert_eq!(
        said("nodeMessageBufferMaxLength = 2", nodes, "[batch:b] "),
        "too many pending messages in batch node"
    );

    // execMaxBufferSize
    let exec = json!({"command": "head -c 5000 /dev/zero", "addpay": "", "append": "", "useSpawn": "false", "timer": "", "oldrc": false});
    let nodes = json!([
        inject("e"),
        node("e", "exec", exec, json!([[], [], ["f"]])),
        function(
            "f",
            "node.warn('ended ' + JSON.stringify(msg.payload)); return msg;",
            json!([[]])
        ),
    ]);
    let line = said("execMaxBufferSize = 1000", nodes, "ended ");
    assert!(line.contains("maxBuffer"), "{line}");

    // debugUseColors
    let debug = json!({"active": true, "tosidebar": false, "console": true, "tostatus": false, "complete": "payload", "targetType": "msg"});
    let nodes = || {
        json!([
            inject("s"),
            function(
                "s",
                "return {payload: {a: 1, b: 'x', c: true, d: null, e: undefined}};",
                json!([["d"]])
            ),
            node("d", "debug", debug.clone(), json!([]))
        ])
    };
    let line = said("debugUseColors = true", nodes(), "{ a:");
    assert_eq!(
        line,
        "\u{1b}[33m1\u{1b}[39m, b: \u{1b}[32m'x'\u{1b}[39m, c: \u{1b}[31mtrue\u{1b}[39m, d: \u{1b}[1mnull\u{1b}[22m, e: \u{1b}[90mundefined\u{1b}[39m }"
    );
    assert_eq!(
        said("debugUseColors = false", nodes(), "{ a:"),
        "1, b: 'x', c: true, d: null, e: undefined }"
    );

    // httpRequestTimeout
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let port = listener.local_addr().expect("an address").port();
    let request =
        json!({"method": "GET", "ret": "txt", "url": format!("http://127.0.0.1:{port}/")});
    let nodes = json!([inject("q"), node("q", "http request", request, json!([[]]))]);
    assert_eq!(
        said("httpRequestTimeout = 200", nodes, "[http request:q] "),
        "no response from server"
    );
}

#[test]
fn settings_of_connections() {
    // debugStatusLength, by the control protocol
    let mut control = Control::start(&[]);
    let debug = json!({"active": true, "tosidebar": false, "console": false, "tostatus": true, "complete": "payload", "targetType": "msg", "statusVal": "payload", "statusType": "auto"});
    let nodes = |more: Value| {
        let mut all = vec![json!({"id": "t", "type": "tab"})];
        all.extend(more.as_array().expect("nodes").iter().cloned());
        Value::from(all)
    };
    control.good("watch", json!({"nodes": "*", "events": ["status"]}));
    control.good("deploy", json!({"flows": nodes(json!([node("d", "debug", debug, json!([]))])), "settings": {"debugStatusLength": 4}}));
    control.good(
        "receive",
        json!({"node": "d", "msg": {"payload": "abcdefgh"}}),
    );
    control.wait_for(|event| event["status"]["text"] == "abcd...");

    // apiMaxLength and httpNodeCors
    let project = Project::new(
        "[settings]\napiMaxLength = \"10b\"\nhttpNodeCors = { origin = \"http://a\", methods = \"GET\" }\n",
        hello(),
    );
    let (_running, address) = project.serve();
    assert_eq!(
        ask(
            &address,
            "POST /post",
            &[("Content-Type", "text/plain")],
            "0123456789"
        )
        .status,
        200
    );
    assert_eq!(
        ask(
            &address,
            "POST /post",
            &[("Content-Type", "text/plain")],
            "0123456789a"
        )
        .status,
        500
    );
    let answer = ask(&address, "OPTIONS /hello", &[("Origin", "http://b")], "");
    assert!(
        answer
            .head
            .contains("access-control-allow-origin: http://a"),
        "{}",
        answer.head
    );

    // socketTimeout: a server's connection on which nothing comes is closed
    let port = free_port();
    let tcp = json!({"server": "server", "host": "", "port": port.to_string(), "datamode": "stream", "datatype": "buffer", "newline": "", "topic": "", "trim": false, "base64": false, "tls": ""});
    let project = Project::new(
        "[settings]\nsocketTimeout = 200\n",
        json!([node("s", "tcp in", tcp, json!([[]]))]),
    );
    let _running = project.start();
    let mut stream = connect(&format!("127.0.0.1:{port}"));
    stream
        .set_read_timeout(Some(Duration::from_secs(8)))
        .expect("sets");
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).expect("it is closed"), 0);

    // socketReconnectTime: a client that found nobody comes again
    let port = free_port();
    let tcp = json!({"server": "client", "host": "127.0.0.1", "port": port.to_string(), "datamode": "stream", "datatype": "buffer", "newline": "", "topic": "", "trim": false, "base64": false, "tls": ""});
    let project = Project::new(
        "[settings]\nsocketReconnectTime = 100\n",
        json!([node("s", "tcp in", tcp, json!([[]]))]),
    );
    let _running = project.start();
    std::thread::sleep(Duration::from_millis(500));
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("listens");
    let begin = Instant::now();
    listener.accept().expect("it comes");
    assert!(begin.elapsed() < Duration::from_secs(5));

    // mqttReconnectTime: the same of a broker's
    let port = free_port();
    let broker = json!({"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": port.to_string(), "clientid": "", "autoConnect": true, "usetls": false, "protocolVersion": "4", "keepalive": "60", "cleansession": true});
    let mqtt = json!({"topic": "a", "qos": "0", "datatype": "auto", "broker": "b"});
    let project = Project::new(
        "[settings]\nmqttReconnectTime = 100\n",
        json!([broker, node("m", "mqtt in", mqtt, json!([[]]))]),
    );
    let _running = project.start();
    std::thread::sleep(Duration::from_millis(500));
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("listens");
    let begin = Instant::now();
    listener.accept().expect("it comes");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn settings_of_the_process_are_not_deployed() {
    let mut control = Control::start(&[]);
    let flows = json!([{"id": "t", "type": "tab"}]);
    let result = control.good(
        "deploy",
        json!({"flows": flows, "settings": {"https": {}, "httpNodeRoot": "/x", "nosuch": 1}}),
    );
    let said = result["diagnostics"].to_string();
    assert!(
        said.contains("unknown setting \\\"nosuch\\\"") || said.contains("unknown setting"),
        "{said}"
    );
    assert!(
        said.contains("the setting \\\"https\\\" is read when the program starts")
            || said.contains("is read when the program starts"),
        "{said}"
    );
    assert!(!said.contains("httpNodeRoot"), "{said}");
}

#[test]
fn what_is_imported_runs() {
    let project = Project::new("", hello());
    std::fs::remove_file(project.path().join("vgdc.toml")).expect("removes");
    let settings = "module.exports = {\n  flowFile: 'flows.json', uiPort: 0,\n  httpNodeRoot: '/red',\n  httpNodeMiddleware: (a, b, next) => next(),\n};\n";
    let file = project.path().join("settings.js");
    std::fs::write(&file, settings).expect("writes");
    let imported = run(&["import", &file.to_string_lossy()]);
    let said = text(&imported.stderr);
    assert!(
        imported.status.success()
            && said.contains("settings.js:4: not imported: httpNodeMiddleware: a function"),
        "{said}"
    );
    let mut running = project.start();
    let address = running.address();
    assert_eq!(get(&address, "/red/hello").status, 200);
    let again = run(&["import", &file.to_string_lossy()]);
    assert!(again.status.code() == Some(1) && text(&again.stderr).contains("--force"));
}

/// The table of docs/settings.md, made of the list.
fn table() -> String {
    use vgdc_plan::settings::{Place, SETTINGS};
    let mut table = String::from(
        "| settings.js | vgdc.toml | without it | what it does, or why it does nothing |\n| --- | --- | --- | --- |\n",
    );
    for setting in SETTINGS {
        let (place, default) = match setting.place {
            Place::Settings => (format!("`[settings]` {}", setting.name), setting.default),
            Place::Key(path) => (format!("`{path}`"), setting.default),
            Place::Editor => ("— (the editor's)".to_owned(), ""),
            Place::Never => ("— (cannot be)".to_owned(), ""),
        };
        let cell = |text: &str| text.replace('|', "\\|");
        table += &format!(
            "| `{}` | {place} | {} | {} |\n",
            setting.name,
            cell(default),
            cell(setting.about)
        );
    }
    table
}

#[test]
fn the_page_has_the_list() {
    let path = vgdc_tests::root().join("docs/settings.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let mark = "cargo test --test settings -->\n";
    let (head, made) = page.split_once(mark).expect("the page has its mark");
    if std::env::var_os("VGDC_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{mark}{}", table())).expect("writes");
    } else {
        assert_eq!(made, table(), "VGDC_BLESS=1 writes the table anew");
    }
}
