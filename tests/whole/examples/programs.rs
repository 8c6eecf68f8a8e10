//! The Rust programs with flows in them (`examples/programs`).

use super::{Broker, field, packet};
use std::io::Write;
use std::process::{Command, Stdio};
use vgdc_tests::{Running, connect, http, program, text};

#[test]
fn closures() {
    let out = Command::new(program("closures")).output().expect("it runs");
    assert_eq!(
        text(&out.stdout),
        "alert 1: boiler is 44.5 too hot\nalert 2: roof is 8.2 too hot\n"
    );
    assert!(out.status.success());
}

#[test]
fn nodes_of_ones_own_crate() {
    let out = Command::new(program("own_nodes"))
        .output()
        .expect("it runs");
    assert_eq!(text(&out.stdout), "about 10 kg\nabout 15 kg\nabout 30 kg\n");
    assert!(out.status.success());
}

#[test]
fn a_batch() {
    let mut child = Command::new(program("batch"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("its input is piped");
    let rows = (0..5000).map(|n| format!("{},1\n", if n % 5 == 0 { "a" } else { "b" }));
    let file: String = ["customer,amount\n".to_owned(), "c,many\n".to_owned()]
        .into_iter()
        .chain(rows)
        .collect();
    input.write_all(file.as_bytes()).expect("it reads");
    drop(input);
    let out = child.wait_with_output().expect("it ends");
    assert_eq!(text(&out.stdout), "a 1000\nb 4000\n");
    let said = text(&out.stderr);
    assert!(
        said.contains("payload.amount: invalid type: string \"many\", expected f64"),
        "{said}"
    );
}

#[test]
fn a_web_server() {
    let mut running = Running::start(Command::new(program("web")).arg("127.0.0.1:0"));
    let line = running.wait_for("listening on http://");
    let address = line.rsplit("http://").next().unwrap_or_default().to_owned();
    for (celsius, advice) in [(35, "open a window"), (5, "close the window")] {
        let reading = format!(r#"{{"sensor":"kitchen","celsius":{celsius}}}"#);
        let answer = http(&address, "POST", "/readings", &reading);
        let expected = format!(r#"{{"sensor":"kitchen","advice":"{advice}"}}"#);
        assert_eq!(answer, (200, expected));
    }
    let (status, metrics) = http(&address, "GET", "/metrics", "");
    assert_eq!(status, 200);
    assert!(
        metrics.contains(r#""main.colder":{"received":1"#),
        "{metrics}"
    );
    assert_eq!(running.stop("INT"), Some(0));
}

#[test]
fn mqtt_to_sqlite() {
    let broker = Broker::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut client = connect(&format!("127.0.0.1:{}", broker.port));
    let hello = [&field("MQTT")[..], &[4, 2, 0, 60], &field("test")].concat();
    // (what is retained comes whenever the program subscribes)
    let retained = |topic: &str, payload: &str| {
        packet(0x31, &[&field(topic)[..], payload.as_bytes()].concat())
    };
    client
        .write_all(&packet(0x10, &hello))
        .and_then(|()| client.write_all(&retained("sensors/kitchen/temp", r#"{"celsius":21.5}"#)))
        .and_then(|()| client.write_all(&retained("sensors/roof/temp", r#"{"celsius":"warm"}"#)))
        .expect("the broker reads");
    let file = folder.path().join("readings.db");
    let mut running = Running::start(
        Command::new(program("mqtt_to_sqlite"))
            .args(["127.0.0.1", &broker.port.to_string()])
            .arg(&file),
    );
    running.wait_for("kitchen 21.5");
    assert_eq!(running.stop("INT"), Some(0));
    let written = std::fs::read(&file).expect("a database");
    assert!(written.starts_with(b"SQLite format 3"));
    assert!(written.windows(7).any(|bytes| bytes == b"kitchen"));
}
