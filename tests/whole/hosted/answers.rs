//! Packages' nodes that answer requests of native **http in** nodes: the same flow in Node-RED gives the same answers.

use super::{copy, npm, tab, with_node};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vgdc_tests::{Running, connect, free_port, http, root, vgdc};

/// Requests: method, path, headers, body.
const ASKED: &[(&str, &str, &str, &str)] = &[
    ("GET", "text", "", ""),
    ("HEAD", "text", "", ""),
    ("GET", "text", "If-None-Match: \"nothing\"", ""),
    ("GET", "object", "", ""),
    ("GET", "buffer", "", ""),
    ("GET", "nothing", "", ""),
    ("GET", "none", "", ""),
    ("GET", "truth", "", ""),
    ("GET", "json", "", ""),
    ("GET", "jsonp?callback=f.g", "", ""),
    ("GET", "send-status", "", ""),
    ("GET", "message", "", ""),
    ("GET", "cookie", "", ""),
    ("GET", "clear-cookie", "", ""),
    ("GET", "append", "", ""),
    ("GET", "set", "", ""),
    ("GET", "vary", "Origin: http://there", ""),
    ("GET", "type", "", ""),
    ("GET", "type-text", "", ""),
    ("GET", "attachment", "", ""),
    ("GET", "links", "", ""),
    ("GET", "location", "", ""),
    ("GET", "redirect", "Accept: text/html", ""),
    ("GET", "redirect", "Accept: image/png", ""),
    ("HEAD", "redirect-301", "", ""),
    ("GET", "back", "Referer: /before", ""),
    ("GET", "format", "Accept: application/json", ""),
    ("GET", "format", "Accept: text/*", ""),
    ("GET", "format", "Accept: image/png", ""),
    ("GET", "send-file", "", ""),
    ("HEAD", "send-file", "", ""),
    ("GET", "send-file", "Range: bytes=2-4", ""),
    ("GET", "send-file", "Range: bytes=900-", ""),
    (
        "GET",
        "send-file",
        "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
        "",
    ),
    ("GET", "no-file", "", ""),
    ("GET", "no-file-said", "", ""),
    ("GET", "relative-file", "", ""),
    ("GET", "folder", "", ""),
    ("GET", "download", "", ""),
    ("GET", "pieces", "", ""),
    ("GET", "write-head", "", ""),
    ("GET", "pipe", "", ""),
    ("HEAD", "pipe", "", ""),
    ("GET", "flush", "", ""),
    ("GET", "finish", "", ""),
    ("GET", "get?q=1", "", ""),
    ("GET", "twice", "", ""),
    ("GET", "bad-header", "", ""),
    ("GET", "bad-status", "", ""),
    ("GET", "sent-on", "", ""),
    ("GET", "wrapped", "", ""),
    ("GET", "set-and-wrapped", "", ""),
    ("GET", "offered", "", ""),
    ("GET", "offered-json", "", ""),
    ("GET", "request?a[b]=c", "X-Q: q", ""),
    (
        "POST",
        "request",
        "X-Q: ü\r\nX-Requested-With: XMLHttpRequest\r\nContent-Type: application/json",
        "{\"a\":1}",
    ),
    ("POST", "text", "If-None-Match: *", ""),
];

/// Says one request and gives status line, headers and body.
fn ask(address: &str, (method, path, headers, body): (&str, &str, &str, &str)) -> Value {
    let mut stream = connect(address);
    let headers = match headers {
        "" => String::new(),
        some => format!("{some}\r\n"),
    };
    let length = match method {
        "POST" => format!("Content-Length: {}\r\n", body.len()),
        _ => String::new(),
    };
    let text = format!(
        "{method} /a/{path} HTTP/1.1\r\nHost: here:1\r\nConnection: close\r\n{headers}{length}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    read(&answer)
}

/// An answer, without what is each server's own.
fn read(answer: &[u8]) -> Value {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or(answer.len());
    let head: String = answer[..end].iter().map(|byte| char::from(*byte)).collect();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default().to_owned();
    let mut headers = BTreeMap::<String, Vec<String>>::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        let name = name.to_lowercase();
        if !["date", "connection", "keep-alive"].contains(&name.as_str()) {
            headers.entry(name).or_default().push(value.to_owned());
        }
    }
    let mut body = answer.get(end + 4..).unwrap_or_default().to_vec();
    if headers.contains_key("transfer-encoding") {
        body = joined(&body);
    }
    let shown = match body.len() {
        0..1000 => String::from_utf8_lossy(&body).into_owned(),
        _ => format!(
            "{} bytes, {} together",
            body.len(),
            body.iter().map(|byte| u64::from(*byte)).sum::<u64>()
        ),
    };
    json!({"status": status, "headers": headers, "body": shown})
}

/// A body that came in chunks.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let size = usize::from_str_radix(size, 16).expect("a length");
        whole.extend(&rest[end + 2..end + 2 + size]);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    whole
}

/// Express's pages about errors have stacks in them elsewhere.
fn without_stacks(command: &mut Command) -> &mut Command {
    command.env("NODE_ENV", "production")
}

/// All answers, and what the node has seen.
fn answers(address: &str) -> Vec<Value> {
    let mut all: Vec<Value> = ASKED.iter().map(|asked| ask(address, *asked)).collect();
    // A client that leaves in the middle of an answer.
    let mut stream = connect(address);
    stream
        .write_all(b"GET /a/gone HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it reads");
    let mut some = [0; 300];
    let mut have = String::new();
    while !have.contains("begun") {
        let count = stream.read(&mut some).expect("it answers");
        have.push_str(&String::from_utf8_lossy(&some[..count]));
    }
    drop(stream);
    let until = Instant::now() + Duration::from_secs(20);
    let mut seen = Vec::new();
    while Instant::now() < until && !seen.iter().any(|line| line == "closed false") {
        std::thread::sleep(Duration::from_millis(20));
        let (_, body) = http(address, "GET", "/a/seen", "");
        seen.extend(serde_json::from_str::<Vec<Value>>(&body).expect("a list"));
    }
    all.push(seen.into());
    all
}

/// Node-RED itself, until it is dropped.
struct NodeRed(Child);

impl Drop for NodeRed {
    fn drop(&mut self) {
        // (it may have ended already)
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl NodeRed {
    fn start(user_dir: &Path, settings: &str) -> (NodeRed, String) {
        std::fs::write(user_dir.join("settings.js"), settings).expect("is written");
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = with_node(Command::new("node"));
        command
            .arg(npm().join("node_modules/node-red/red.js"))
            .arg("--userDir")
            .arg(user_dir)
            .args(["--port", address.rsplit(':').next().unwrap_or_default()])
            .arg("flows.json")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = NodeRed(
            without_stacks(&mut command)
                .spawn()
                .expect("Node.js starts"),
        );
        let until = Instant::now() + Duration::from_secs(60);
        let is_up = || {
            let stream = std::net::TcpStream::connect(&address).is_ok();
            stream && http(&address, "GET", "/a/seen", "").0 == 200
        };
        while !is_up() {
            assert!(Instant::now() < until, "Node-RED does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        (started, address)
    }
}

#[test]
fn a_response_of_a_native_node_is_express_s_own_there() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(
        &root().join("tests/whole/hosted/nodes"),
        &folder.path().join("nodes"),
        &["answerer.js", "answerer.html", "letters.txt"],
    );
    let flow = tab(json!([
        {"id": "g", "type": "http in", "url": "/a/:way", "method": "get", "wires": [["a"]]},
        {"id": "p", "type": "http in", "url": "/a/:way", "method": "post", "wires": [["a"]]},
        {"id": "a", "type": "answerer", "wires": [["r"]]},
        {"id": "r", "type": "http response", "headers": {"x-native": "1"}, "wires": []},
    ]));
    std::fs::write(folder.path().join("flows.json"), flow.to_string()).expect("is written");
    std::fs::write(
        folder.path().join("vgdc.toml"),
        "[settings.httpNodeCors]\norigin = \"http://there\"\n",
    )
    .expect("is written");
    let path = folder.path().to_str().expect("a path").to_owned();
    let mut running = Running::start(without_stacks(&mut with_node(vgdc(&[
        "run", &path, "--port", "0",
    ]))));
    let ours_at = running.address();
    let ours = answers(&ours_at);
    assert_eq!(running.stop("TERM"), Some(0));
    let said = running.rest();
    // (packages beside Node-RED would change answers to all requests)
    let settings = "module.exports = { nodesIncludes: ['answerer.js', '21-httpin.js'], uiHost: '127.0.0.1', disableEditor: true, httpNodeCors: { origin: 'http://there' }, logging: { console: { level: 'off' } } };";
    let (node_red, theirs_at) = NodeRed::start(folder.path(), settings);
    let theirs = answers(&theirs_at);
    drop(node_red);
    let both = ASKED.iter().zip(ours.iter().zip(&theirs));
    let differing: Vec<_> = both.filter(|(_, (ours, theirs))| ours != theirs).collect();
    assert!(differing.is_empty(), "ours, theirs: {differing:#?}");
    assert_eq!(ours.last(), theirs.last(), "what the node has seen");
    // (in the name of the node that got the request)
    for method in ["status", "set", "append", "cookie", "type", "send", "json"] {
        assert!(
            said.contains(&format!(
                "[http in:g] Deprecated call to msg.res.{method}\n"
            )),
            "{method}: {said}"
        );
    }
}
