//! Each example is built into a program and run as a process over real sockets.

#[path = "examples/programs.rs"]
mod programs;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use vgdc_tests::{Running, connect, free_port, http, root, run, text};

fn build(example: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().join(example);
    let flow = root().join("examples").join(example).join("flows.json");
    let built = run(&[
        "build",
        &flow.to_string_lossy(),
        "-o",
        &app.to_string_lossy(),
    ]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    (folder, app)
}

#[test]
fn http_api() {
    let (_folder, app) = build("http-api");
    let mut running = Running::start(Command::new(app).args(["--port", "0"]));
    let at = running.address();
    let ask = |method: &str, path: &str, body: &str| {
        let (status, body) = http(&at, method, path, body);
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap_or_else(|e| panic!("{e}: {body}")),
        )
    };
    let first = json!({"id": 1, "title": "read the README", "done": true});
    assert_eq!(ask("GET", "/todos", ""), (200, json!([first])));
    let second = json!({"id": 2, "title": "x", "done": false});
    assert_eq!(ask("POST", "/todos", "{\"title\":\"x\"}"), (201, second));
    assert_eq!(ask("DELETE", "/todos/2", "").1["done"], true);
    assert_eq!(ask("GET", "/todos?done=false", ""), (200, json!([])));
    assert_eq!(
        ask("GET", "/todos/9", ""),
        (404, json!({"error": "no such to-do"}))
    );
    assert_eq!(ask("POST", "/todos", "{}").0, 400);
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn tcp_pipeline() {
    let (_folder, app) = build("tcp-pipeline");
    let port = free_port();
    let mut running = Running::start(Command::new(app).env("TCP_PORT", port.to_string()));
    running.wait_for("listening on port");
    let mut stream = connect(&format!("127.0.0.1:{port}"));
    let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    for seq in 0..100 {
        writeln!(
            stream,
            "{}",
            json!({"kind": "temperature", "value": 20, "seq": seq})
        )
        .expect("it reads");
    }
    for (seq, line) in lines.take(100).enumerate() {
        let answer: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        assert_eq!(
            answer,
            json!({"kind": "temperature", "seq": seq + 1, "reading": 20, "unit": "C", "fahrenheit": 68, "high": false})
        );
    }
    assert_eq!(running.stop("INT"), Some(0));
}

#[test]
fn csv_batch() {
    let (folder, app) = build("csv-batch");
    let report = folder.path().join("out/report.csv");
    let orders = root().join("examples/csv-batch/orders.csv");
    let mut running = Running::start(
        Command::new(app)
            .env("ORDERS", &orders)
            .env("REPORT", &report),
    );
    running.wait_for("customer,total");
    let written = std::fs::read_to_string(&report).expect("the report is there");
    assert_eq!(
        written,
        "customer,total\nAda,42.5\nGrace,42\n\"Hopper, Inc.\",7.25\n"
    );
    assert_eq!(running.stop("TERM"), Some(0));
}

/// A broker of the machine's mosquitto on a free port.
struct Broker {
    child: std::process::Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Broker {
    fn start() -> Broker {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let config = folder.path().join("mosquitto.conf");
        std::fs::write(
            &config,
            format!("listener {port} 127.0.0.1\nallow_anonymous true\n"),
        )
        .expect("writes");
        let found = [
            "/usr/sbin/mosquitto",
            "/usr/local/sbin/mosquitto",
            "/usr/bin/mosquitto",
        ]
        .into_iter()
        .find(|p| std::path::Path::new(p).exists());
        let broker = found.expect("mosquitto is installed (.ci/run does it)");
        let child = Command::new(broker)
            .arg("-c")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        drop(connect(&format!("127.0.0.1:{port}")));
        Broker {
            child,
            port,
            _folder: folder,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One packet of MQTT 3.1.1 with texts of less than 128 bytes.
fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).expect("a short packet");
    assert!(length < 128);
    [&[kind, length], body].concat()
}

fn field(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn mqtt_alerts() {
    use std::io::Read;
    let broker = Broker::start();
    let (_folder, app) = build("mqtt-alerts");
    let mut client = connect(&format!("127.0.0.1:{}", broker.port));
    client
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .expect("a timeout");
    let connect_body = [&field("MQTT")[..], &[4, 2, 0, 60], &field("test")].concat();
    let subscribe = [&[0, 1][..], &field("alerts/#"), &[0]].concat();
    client
        .write_all(&packet(0x10, &connect_body))
        .and_then(|()| client.write_all(&packet(0x82, &subscribe)))
        .expect("writes");
    let mut read = |what: u8| loop {
        let mut head = [0; 2];
        client.read_exact(&mut head).expect("a packet");
        let mut body = vec![0; head[1].into()];
        client.read_exact(&mut body).expect("its body");
        if head[0] & 0xf0 == what {
            return body;
        }
    };
    read(0x90);
    let mut running = Running::start(
        Command::new(app)
            .env("MQTT_HOST", "127.0.0.1")
            .env("MQTT_PORT", broker.port.to_string()),
    );
    let text_of = |body: Vec<u8>| {
        let length = usize::from(body[0]) << 8 | usize::from(body[1]);
        (
            String::from_utf8_lossy(&body[2..2 + length]).into_owned(),
            String::from_utf8_lossy(&body[2 + length..]).into_owned(),
        )
    };
    let pair = |topic: &str, payload: &str| (topic.to_owned(), payload.to_owned());
    assert_eq!(text_of(read(0x30)), pair("alerts/service", "online"));
    let mut sensor = connect(&format!("127.0.0.1:{}", broker.port));
    sensor
        .write_all(&packet(
            0x10,
            &[&field("MQTT")[..], &[4, 2, 0, 60], &field("sensor")].concat(),
        ))
        .expect("writes");
    for value in [20, 31, 35, 25] {
        let body = [
            &field("sensors/boiler/temperature")[..],
            json!({ "value": value }).to_string().as_bytes(),
        ]
        .concat();
        sensor.write_all(&packet(0x30, &body)).expect("writes");
    }
    for expected in [
        "boiler is ok at 20 degrees",
        "boiler is high at 31 degrees",
        "boiler is ok at 25 degrees",
    ] {
        assert_eq!(text_of(read(0x30)), pair("alerts/boiler", expected));
    }
    assert_eq!(running.stop("TERM"), Some(0));
    assert_eq!(text_of(read(0x30)), pair("alerts/service", "offline"));
}

/// Functions behind `http in` read a request in machine code.
#[test]
fn requests_are_read_by_machine_code() {
    let mut control = vgdc_tests::Control::start(&[]);
    let func = "const r = msg.req;\nmsg.payload = {q: r.query.a, p: Number(msg.req.params.id) + 1, m: r.method, h: msg.req.headers['x-none'] || 'none', c: msg.req.query.none === undefined};\nreturn msg;";
    let flow = json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "in", "type": "http in", "z": "t", "url": "/a/:id", "method": "get", "wires": [["fn"]]},
        {"id": "fn", "type": "function", "z": "t", "func": func, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "http response", "z": "t", "wires": []}
    ]);
    control.good("deploy", json!({"flows": flow}));
    let url = control.good("info", json!({}))["http"]["url"].clone();
    let at = url
        .as_str()
        .unwrap_or_default()
        .trim_start_matches("http://")
        .to_owned();
    let answer = http(&at, "GET", "/a/7?a=x%20y", "");
    assert_eq!(
        (
            answer.0,
            serde_json::from_str::<Value>(&answer.1).expect("JSON")
        ),
        (
            200,
            json!({"q": "x y", "p": 8, "m": "GET", "h": "none", "c": true})
        )
    );
    let code = control.good("metrics", json!({}))["nodes"]["fn"]["code"].clone();
    assert_eq!(code["finished"], 1, "{code}");
    assert_eq!(code["bailed"], 0, "{code}");
    assert_eq!(control.end(), Some(0));
}
