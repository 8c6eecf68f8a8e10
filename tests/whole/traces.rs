//! A message on its way over two machines, as an OpenTelemetry collector and the log see it.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use vgdc_tests::{Running, free_port, http, run, text};

/// A span as it came, with what its resource says of it.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    instance: String,
    name: String,
    kind: SpanKind,
    trace: String,
    id: String,
    parent: String,
    node: String,
    error: Option<String>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|pair| pair.key == name);
    match found.and_then(|pair| pair.value.as_ref()?.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        _ => String::new(),
    }
}

/// A collector that takes what the specification of OTLP says, and nothing else.
fn collector(spans: Sender<Span>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a request");
                match line.trim_end() {
                    "" => break,
                    line => lines.push(line.to_owned()),
                }
            }
            assert_eq!(lines[0], "POST /v1/traces HTTP/1.1");
            let header = |name: &str| {
                let of = |line: &String| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name)
                        .then(|| value.trim().to_owned())
                };
                lines[1..].iter().find_map(of)
            };
            assert_eq!(
                header("content-type").as_deref(),
                Some("application/x-protobuf")
            );
            assert_eq!(header("host"), Some(address.to_string()));
            let length = header("content-length").expect("a length");
            let mut body = vec![0; length.parse().expect("a number")];
            reader.read_exact(&mut body).expect("a body");
            let request = ExportTraceServiceRequest::decode(&*body).expect("a request in protobuf");
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            reader.get_mut().write_all(answer).expect("is answered");
            for of in request.resource_spans {
                let resource = of.resource.expect("who it is").attributes;
                for span in of.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
                    assert!(matches!(span.parent_span_id.len(), 0 | 8));
                    assert!(span.start_time_unix_nano > 1_600_000_000_000_000_000);
                    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
                    let error = span
                        .status
                        .as_ref()
                        .filter(|s| s.code() == StatusCode::Error);
                    let span = Span {
                        service: attribute(&resource, "service.name"),
                        instance: attribute(&resource, "service.instance.id"),
                        kind: span.kind(),
                        trace: hex(&span.trace_id),
                        id: hex(&span.span_id),
                        parent: hex(&span.parent_span_id),
                        node: attribute(&span.attributes, "vgdc.node.id"),
                        error: error.map(|status| status.message.clone()),
                        name: span.name,
                    };
                    if spans.send(span).is_err() {
                        return;
                    }
                }
            }
        }
    });
    format!("http://{address}")
}

/// Spans until there are so many.
fn take(spans: &Receiver<Span>, count: usize) -> Vec<Span> {
    let end = Instant::now() + Duration::from_secs(30);
    let mut all = Vec::new();
    while all.len() < count {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(span) = spans.recv_timeout(left) else {
            panic!("{count} spans were to come, and these came: {all:#?}");
        };
        all.push(span);
    }
    all
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("is written");
    path(&file).to_owned()
}

fn flow() -> Value {
    json!([
        { "id": "tab", "type": "tab", "label": "plant" },
        { "id": "in", "type": "http in", "z": "tab", "name": "ask", "url": "/ask", "method": "get", "wires": [["out", "tidy"]] },
        { "id": "out", "type": "http response", "z": "tab", "name": "answer", "wires": [] },
        { "id": "tidy", "type": "change", "z": "tab", "name": "tidy",
          "rules": [{ "t": "set", "p": "payload", "pt": "msg", "to": "1", "tot": "num" }], "wires": [["think"]] },
        { "id": "think", "type": "function", "z": "tab", "name": "think",
          "func": "node.error('no luck', msg); return msg;", "outputs": 1, "wires": [["last"]] },
        { "id": "last", "type": "debug", "z": "tab", "name": "last", "active": true, "complete": "payload", "wires": [] },
    ])
}

#[test]
fn a_message_is_followed_over_two_machines() {
    let folder = tempfile::tempdir().expect("a folder");
    let flows = write(folder.path(), "flows.json", &flow().to_string());
    let mesh = format!(
        "name = \"plant\"\n[nodes.gateway]\naddress = \"127.0.0.1:{}\"\n[nodes.office]\naddress = \"127.0.0.1:{}\"\n\
         [[place]]\nnodes = [\"in\", \"out\", \"tidy\"]\non = \"gateway\"\n\
         [[place]]\nnodes = [\"think\", \"last\"]\non = \"office\"\n",
        free_port(),
        free_port()
    );
    let mesh = write(folder.path(), "mesh.toml", &mesh);
    let out = folder.path().join("out");
    let built = run(&["build", &flows, "--mesh", &mesh, "-o", path(&out)]);
    assert!(built.status.success(), "{}", text(&built.stderr));

    let (send, spans) = channel();
    let url = collector(send);
    let start = |name: &str| {
        let mut command = Command::new(out.join(name));
        command.args([
            "--port",
            "0",
            "--log",
            "json",
            "--data",
            path(&folder.path().join(name)),
        ]);
        command.args(["--traces", &url, "--trace-share", "1"]);
        Running::start(&mut command)
    };
    let mut office = start("office");
    office.wait_for("Started flows");
    let mut gateway = start("gateway");
    let line = gateway.wait_for("Listening on http://");
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(line["mesh_node"], "gateway");
    let said = line["message"].as_str().expect("a text");
    let address = said.trim_start_matches("Listening on http://").to_owned();
    gateway.wait_for("Started flows");

    assert_eq!(http(&address, "GET", "/ask", "").0, 200);
    let all = take(&spans, 7);
    let log = office.wait_for("no luck");
    let of = |node: &str, kind: SpanKind| {
        let mut found = all
            .iter()
            .filter(|span| span.node == node && span.kind == kind);
        match (found.next(), found.next()) {
            (Some(span), None) => span,
            _ => panic!("one span of {node}, {kind:?}: {all:#?}"),
        }
    };
    let asked = of("in", SpanKind::Internal);
    let answer = of("out", SpanKind::Internal);
    let tidy = of("tidy", SpanKind::Internal);
    let sent = of("think", SpanKind::Producer);
    let think = of("think", SpanKind::Internal);
    let last = of("last", SpanKind::Internal);
    let came = all.iter().find(|span| span.kind == SpanKind::Consumer);
    let came = came.expect("what came over the link");
    assert!(all.iter().all(|span| span.trace == asked.trace), "{all:#?}");
    assert!(all.iter().all(|span| span.service == "plant"), "{all:#?}");
    for (span, parent) in [
        (answer, asked),
        (tidy, asked),
        (sent, tidy),
        (came, sent),
        (think, came),
        (last, think),
    ] {
        assert_eq!(span.parent, parent.id, "{span:#?}\n{parent:#?}");
    }
    assert_eq!(asked.parent, "");
    assert_eq!(asked.name, "ask");
    for span in [asked, answer, tidy, sent] {
        assert_eq!(span.instance, "gateway");
    }
    for span in [came, think, last] {
        assert_eq!(span.instance, "office");
    }
    assert_eq!(think.error.as_deref(), Some("no luck"));
    assert_eq!(all.iter().filter(|span| span.error.is_some()).count(), 1);

    let log: Value = serde_json::from_str(&log).expect("a line of JSON");
    for (key, value) in [
        ("trace", asked.trace.as_str()),
        ("node", "think"),
        ("flow", "tab"),
        ("mesh_node", "office"),
        ("level", "error"),
    ] {
        assert_eq!(log[key], value, "{log}");
    }
    assert_eq!(gateway.stop("TERM"), Some(0));
    assert_eq!(office.stop("TERM"), Some(0));
}

#[test]
fn what_a_node_sends_later_comes_of_its_turn_with_the_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let change = |id: &str, to: &str| {
        json!({ "id": id, "type": "change", "z": "tab",
          "rules": [{ "t": "set", "p": id, "pt": "msg", "to": "1", "tot": "num" }], "wires": [[to]] })
    };
    let flows = json!([
        { "id": "tab", "type": "tab", "label": "t" },
        { "id": "in", "type": "http in", "z": "tab", "url": "/ask", "method": "get", "wires": [["wait"]] },
        { "id": "wait", "type": "delay", "z": "tab", "pauseType": "delay", "timeout": "5",
          "timeoutUnits": "milliseconds", "wires": [["one"]] },
        change("one", "two"),
        change("two", "out"),
        { "id": "out", "type": "http response", "z": "tab", "wires": [] },
    ]);
    let flows = write(folder.path(), "flows.json", &flows.to_string());
    let app = folder.path().join("app");
    let built = run(&["build", &flows, "-o", path(&app)]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let (send, spans) = channel();
    let mut command = Command::new(&app);
    command.args(["--port", "0", "--traces", &collector(send)]);
    command.args(["--trace-share", "1"]);
    command.env("OTEL_SERVICE_NAME", "pump");
    let mut running = Running::start(&mut command);
    let address = running.address();
    assert_eq!(http(&address, "GET", "/ask", "").0, 200);
    let mut all = take(&spans, 6);
    // (the two changes are one function, which messages that are followed do not go through)
    let mut before = String::new();
    for node in ["in", "wait", "wait", "one", "two", "out"] {
        let next = all
            .iter()
            .position(|span| span.node == node && span.parent == before);
        let Some(next) = next else {
            panic!("no span of {node} comes of {before}: {all:#?}");
        };
        let span = all.remove(next);
        assert_eq!((&*span.service, &*span.instance), ("pump", ""));
        before = span.id;
    }
    // (nobody follows what is not of the share)
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn a_collector_that_is_away_is_said_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let flows = json!([
        { "id": "tab", "type": "tab", "label": "t" },
        { "id": "in", "type": "http in", "z": "tab", "url": "/ask", "method": "get", "wires": [["out"]] },
        { "id": "out", "type": "http response", "z": "tab", "wires": [] },
    ]);
    let flows = write(folder.path(), "flows.json", &flows.to_string());
    let app = folder.path().join("app");
    let built = run(&["build", &flows, "-o", path(&app)]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let mut command = Command::new(&app);
    // (nobody listens there, and the variables are as good as the option)
    command
        .args(["--port", "0"])
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{}", free_port()),
        )
        .env("OTEL_TRACES_SAMPLER", "always_on");
    let mut running = Running::start(&mut command);
    let address = running.address();
    for _ in 0..50 {
        assert_eq!(http(&address, "GET", "/ask", "").0, 200);
    }
    running.wait_for("The collector does not take traces");
    assert_eq!(running.stop("TERM"), Some(0));
    let rest = running.rest();
    assert!(rest.contains("100 spans of traces are lost"), "{rest}");
}

#[test]
fn options_that_cannot_be_used_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let flows = write(folder.path(), "flows.json", "[]");
    let app = folder.path().join("app");
    assert!(run(&["build", &flows, "-o", path(&app)]).status.success());
    for (option, value, said) in [
        (
            "--traces",
            "collector:4318",
            "such as http://127.0.0.1:4318",
        ),
        ("--trace-share", "2", "from 0 to 1"),
    ] {
        let ended = Command::new(&app).args([option, value]).output();
        let ended = ended.expect("it runs");
        assert!(!ended.status.success());
        assert!(
            text(&ended.stderr).contains(said),
            "{}",
            text(&ended.stderr)
        );
    }
}
