//! The MQTT nodes against a real broker (mosquitto), where there is one.
#![cfg(test)]

use crate::testing::{Flow, Setup};
use serde_json::{Value as Json, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use vgdc_core::value::Value;

/// A broker of the test's own.
struct Mosquitto {
    child: Child,
    port: u16,
    ws: u16,
    dir: tempfile::TempDir,
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl Mosquitto {
    fn binary() -> Option<PathBuf> {
        let found = [
            "/usr/sbin/mosquitto",
            "/usr/bin/mosquitto",
            "/usr/local/sbin/mosquitto",
        ]
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
        if found.is_none() {
            println!("skipped: mosquitto is not installed");
        }
        found
    }

    fn start() -> Option<Mosquitto> {
        Mosquitto::at(free_port(), "")
    }

    fn at(port: u16, more: &str) -> Option<Mosquitto> {
        let binary = Mosquitto::binary()?;
        let dir = tempfile::tempdir().expect("a folder");
        let ws = free_port();
        let path = dir.path().join("mosquitto.conf");
        let mut file = std::fs::File::create(&path).expect("a file");
        let conf = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 5\nlistener {ws} 127.0.0.1\nprotocol websockets\n{more}\n"
        );
        file.write_all(conf.as_bytes()).expect("writes");
        let child = Command::new(binary)
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto");
        let broker = Mosquitto {
            child,
            port,
            ws,
            dir,
        };
        for _ in 0..500 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(broker);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!(
            "mosquitto does not listen (see {})",
            broker.dir.path().display()
        );
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A broker node, a node of each kind, and a node that takes what comes; `more` is put into them by id.
fn flow(port: u16, more: &[(&str, Json)]) -> Flow {
    flow_with(
        port,
        more,
        Setup {
            settings: json!({"mqttReconnectTime": 50}),
            ..Default::default()
        },
    )
}

fn flow_with(port: u16, more: &[(&str, Json)], setup: Setup) -> Flow {
    let mut nodes = json!([
        {"id": "t", "type": "tab"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": port.to_string(), "autoConnect": true},
        {"id": "in", "type": "mqtt in", "z": "t", "broker": "broker", "topic": "t/#", "datatype": "auto-detect", "wires": [["sink"]]},
        {"id": "out", "type": "mqtt out", "z": "t", "broker": "broker"},
        {"id": "sink", "type": "junction", "z": "t", "wires": [[]]},
        {"id": "catch", "type": "catch", "z": "t", "scope": null, "wires": [["caught"]]},
        {"id": "caught", "type": "junction", "z": "t", "wires": [[]]},
    ]);
    for (id, more) in more {
        let list = nodes.as_array_mut().expect("an array");
        let at = list.iter().position(|node| node["id"] == *id);
        match at {
            Some(at) => {
                for (key, value) in more.as_object().expect("an object") {
                    list[at][key] = value.clone();
                }
            }
            None => list.push(more.clone()),
        }
    }
    Flow::start_with(nodes, setup)
}

fn connected(flow: &Flow) {
    flow.wait_status("out", |status| {
        status.get("text").as_str() == Some("node-red:common.status.connected")
    });
    // (a subscription is made at once; the broker has it before what is published next)
}

fn text(value: &Value) -> String {
    vgdc_core::value::control::encode(value)
}

#[test]
fn what_is_published_comes_back_as_each_datatype_has_it() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    for version in [3, 4, 5] {
        for (datatype, payload, expected) in [
            ("auto", json!("{\"a\":1}"), r#""{\"a\":1}""#),
            ("auto-detect", json!({"a": 1}), r#"{"a":1}"#),
            ("auto-detect", json!("x"), r#""x""#),
            ("auto-detect", json!(12), "12"),
            ("utf8", json!({"a": 1}), r#""{\"a\":1}""#),
            ("json", json!("[1]"), "[1]"),
            ("base64", json!("abc"), r#""YWJj""#),
            (
                "buffer",
                json!("abc"),
                r#"{"$type":"buffer","base64":"YWJj"}"#,
            ),
            (
                "auto",
                json!({"$type": "buffer", "base64": "wMH1"}),
                r#"{"$type":"buffer","base64":"wMH1"}"#,
            ),
            (
                "auto",
                json!({"$type": "buffer", "base64": "AAE="}),
                r#"{"$type":"buffer","base64":"AAE="}"#,
            ),
        ] {
            for qos in [0, 1, 2] {
                if qos > 0 && datatype != "utf8" {
                    continue;
                }
                let flow = flow(
                    broker.port,
                    &[
                        ("broker", json!({"protocolVersion": version})),
                        ("in", json!({"datatype": datatype})),
                    ],
                );
                connected(&flow);
                flow.receive(
                    "out",
                    json!({"payload": payload, "topic": "t/x", "qos": qos}),
                );
                let got = &flow.wait_received("sink", 1)[0];
                assert_eq!(text(&got.get("payload")), expected, "{datatype}");
                assert_eq!(got.get("topic").as_str(), Some("t/x"));
                assert_eq!(got.get("_topic").as_str(), Some("t/x"));
                assert_eq!(got.get("qos").as_f64(), Some(f64::from(qos)));
                assert_eq!(got.get("retain").as_bool(), Some(false));
                assert_eq!(
                    flow.wait(|| Some(flow.finished("out")).filter(|done| !done.is_empty()))
                        .len(),
                    1
                );
            }
        }
    }
}

#[test]
fn mqtt_5_carries_what_it_has_more() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let flow = flow(
        broker.port,
        &[
            ("broker", json!({"protocolVersion": "5"})),
            ("in", json!({"datatype": "auto", "rap": true})),
        ],
    );
    connected(&flow);
    let sent = json!({
        "topic": "t/c", "payload": {"$type": "buffer", "base64": "eyJ2IjoxfQ=="}, "qos": 1, "retain": true, "responseTopic": "t/r",
        "userProperties": {"a": "b", "n": 1}, "contentType": "text/plain", "correlationData": {"$type": "buffer", "base64": "AQID"},
        "payloadFormatIndicator": true, "messageExpiryInterval": 2000,
    });
    flow.receive("out", sent);
    let got = &flow.wait_received("sink", 1)[0];
    let shown: Vec<String> = [
        "payload",
        "retain",
        "qos",
        "responseTopic",
        "userProperties",
        "contentType",
        "correlationData",
        "payloadFormatIndicator",
        "messageExpiryInterval",
    ]
    .iter()
    .map(|key| text(&got.get(key)))
    .collect();
    assert_eq!(
        shown,
        [
            r#""{\"v\":1}""#,
            "true",
            "1",
            r#""t/r""#,
            r#"{"a":"b","n":"1"}"#,
            r#""text/plain""#,
            r#"{"$type":"buffer","base64":"AQID"}"#,
            "true",
            "2000"
        ]
    );
    // an answer goes where it was asked for
    flow.receive(
        "out",
        json!({"payload": "answer", "responseTopic": "t/asked"}),
    );
    assert_eq!(
        flow.wait_received("sink", 2)[1].get("topic").as_str(),
        Some("t/asked")
    );
}

#[test]
fn media_types_decide_what_auto_means() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let flow = flow(broker.port, &[("broker", json!({"protocolVersion": 5}))]);
    connected(&flow);
    for (count, (media, payload, expected)) in [
        ("application/json", "{\"a\":1}", r#"{"a":1}"#),
        ("text/plain", "{\"a\":1}", r#""{\"a\":1}""#),
        ("image/png", "abc", r#"{"$type":"buffer","base64":"YWJj"}"#),
        ("x/y", "[1]", "[1]"),
    ]
    .into_iter()
    .enumerate()
    {
        flow.receive(
            "out",
            json!({"topic": "t/m", "payload": payload, "contentType": media}),
        );
        assert_eq!(
            text(&flow.wait_received("sink", count + 1)[count].get("payload")),
            expected,
            "{media}"
        );
    }
    flow.receive(
        "out",
        json!({"topic": "t/m", "payload": "{a", "contentType": "application/json"}),
    );
    let caught = &flow.wait_received("caught", 1)[0];
    assert_eq!(
        caught.get("error").get("message").as_str(),
        Some("Failed to parse JSON string")
    );
    assert_eq!(text(&caught.get("payload")), r#""{a""#);
}

#[test]
fn more_than_the_broker_takes_at_once_is_confirmed_in_time() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    for version in [4, 5] {
        let flow = flow(
            broker.port,
            &[("broker", json!({"protocolVersion": version}))],
        );
        connected(&flow);
        for n in 0..300 {
            flow.post(
                "out",
                json!({"topic": "t/n", "payload": n, "qos": 1 + n % 2}),
            );
        }
        flow.wait(|| (flow.finished("out").len() + flow.errors("out").len() == 300).then_some(()));
        // (mosquitto itself drops some of what a subscriber takes too slowly with so low a limit: confirmations are what counts)
        assert!(flow.errors("out").is_empty(), "MQTT {version}");
    }
}

#[test]
fn a_broker_that_comes_late_or_again_is_connected_to() {
    if Mosquitto::binary().is_none() {
        return;
    }
    let port = free_port();
    let flow = flow(port, &[]);
    assert_eq!(flow.state("broker"), "started");
    flow.wait_status("in", |status| {
        status.get("text").as_str() == Some("node-red:common.status.connecting")
    });
    flow.wait(|| {
        flow.logs("broker")
            .iter()
            .find(|(_, text)| {
                text.to_js_string()
                    .starts_with("Connection failed to broker: mqtt://127.0.0.1:")
            })
            .map(|_| ())
    });
    let broker = Mosquitto::at(port, "");
    connected(&flow);
    flow.receive("out", json!({"topic": "t/1", "payload": 1}));
    flow.wait_received("sink", 1);
    drop(broker);
    flow.wait_status("in", |status| {
        status.get("text").as_str() == Some("node-red:common.status.disconnected")
    });
    let before = flow.statuses("out").len();
    let _broker = Mosquitto::at(port, "");
    flow.wait(|| {
        flow.statuses("out")[before..]
            .iter()
            .any(|status| status.get("fill").as_str() == Some("green"))
            .then_some(())
    });
    flow.receive("out", json!({"topic": "t/2", "payload": 2}));
    assert_eq!(
        flow.wait_received("sink", 2)[1].get("payload").as_f64(),
        Some(2.0)
    );
}

#[test]
fn birth_close_and_will_are_published() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let watcher = flow(
        broker.port,
        &[
            ("broker", json!({"protocolVersion": 5})),
            ("in", json!({"topic": "#", "datatype": "utf8"})),
        ],
    );
    connected(&watcher);
    let mut flow = flow(
        broker.port,
        &[(
            "broker",
            json!({"protocolVersion": 5, "birthTopic": "b", "birthPayload": "born", "closeTopic": "c", "closePayload": "gone", "closeQos": "1",
                   "willTopic": "w", "willPayload": "dead", "willMsg": {"userProps": {"k": "v"}}}),
        )],
    );
    connected(&flow);
    let got = watcher.wait_received("sink", 1);
    assert_eq!(
        (got[0].get("topic").as_str(), got[0].get("payload").as_str()),
        (Some("b"), Some("born"))
    );
    flow.stop();
    let got = watcher.wait_received("sink", 2);
    assert_eq!(
        (got[1].get("topic").as_str(), got[1].get("payload").as_str()),
        (Some("c"), Some("gone"))
    );
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(
        watcher.received("sink").len(),
        2,
        "who disconnects in good order has no will"
    );
}

#[test]
fn dynamic_subscriptions_come_and_go() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let flow = flow(
        broker.port,
        &[
            ("broker", json!({"protocolVersion": 5})),
            ("in", json!({"topic": "", "inputs": 1})),
        ],
    );
    connected(&flow);
    flow.receive("in", json!({"action": "subscribe", "topic": ["t/a", {"topic": "t/b", "qos": 1, "datatype": "buffer"}]}));
    flow.receive("in", json!({"action": "getSubscriptions"}));
    let list = &flow.wait_received("sink", 1)[0];
    assert_eq!(
        text(&list.get("payload")),
        r#"[{"topic":"t/a","qos":2,"rh":0,"rap":true},{"topic":"t/b","qos":1,"datatype":"buffer","rh":0,"rap":true}]"#
    );
    flow.receive("out", json!({"topic": "t/a", "payload": "a"}));
    flow.receive("out", json!({"topic": "t/b", "payload": "b"}));
    let got = flow.wait_received("sink", 3);
    assert_eq!(got[1].get("payload").as_str(), Some("a"));
    assert_eq!(
        text(&got[2].get("payload")),
        r#"{"$type":"buffer","base64":"Yg=="}"#
    );
    flow.receive("in", json!({"action": "unsubscribe", "topic": "t/a"}));
    flow.receive("out", json!({"topic": "t/a", "payload": "x"}));
    flow.receive("out", json!({"topic": "t/b", "payload": "y"}));
    assert_eq!(
        flow.wait_received("sink", 4)[3].get("topic").as_str(),
        Some("t/b")
    );
    flow.receive("in", json!({"action": "unsubscribe", "topic": true}));
    let done = flow.finished("in");
    assert_eq!(text(&done[done.len() - 1].get("subscriptions")), "[]");
    for (msg, expected) in [
        (json!({"action": "x"}), "Invalid action specified"),
        (
            json!({"action": "subscribe"}),
            "msg.topic is missing or invalid",
        ),
        (
            json!({"action": "subscribe", "topic": "a#"}),
            "Invalid topic specified",
        ),
    ] {
        flow.receive("in", msg);
        let errors = flow.errors("in");
        assert_eq!(
            errors[errors.len() - 1].to_js_string(),
            format!("Error: {expected}")
        );
    }
}

#[test]
fn connections_are_made_and_ended_by_messages() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let flow = flow(
        broker.port,
        &[(
            "broker",
            json!({"autoConnect": false, "broker": "127.0.0.1", "port": "1"}),
        )],
    );
    flow.receive("out", json!({"topic": "t/a", "payload": "lost"}));
    assert!(flow.finished("out").is_empty());
    flow.post("out", json!({"action": "connect", "broker": {"broker": "127.0.0.1", "port": broker.port, "clientid": "me", "will": {"topic": "w"}}}));
    connected(&flow);
    flow.wait(|| (flow.finished("out").len() == 1).then_some(()));
    flow.receive("out", json!({"action": "connect"}));
    assert_eq!(flow.finished("out").len(), 2);
    flow.receive("out", json!({"action": "connect", "broker": {"port": 1}}));
    assert_eq!(
        flow.errors("out")[0].to_js_string(),
        "Error: Disconnect from broker before connecting"
    );
    flow.receive("out", json!({"topic": "t/a", "payload": "kept"}));
    assert_eq!(
        flow.wait_received("sink", 1)[0].get("payload").as_str(),
        Some("kept")
    );
    flow.post(
        "in",
        json!({"action": "connect", "broker": {"force": true, "clientid": "you"}}),
    );
    flow.wait(|| {
        flow.logs("broker")
            .iter()
            .find(|(_, text)| text.to_js_string().contains("you@mqtt://"))
            .map(|_| ())
    });
    flow.post("in", json!({"action": "disconnect"}));
    flow.wait(|| (flow.finished("in").len() == 2).then_some(()));
    assert_eq!(
        flow.statuses("out")
            .last()
            .map(|status| status.get("fill").to_js_string())
            .as_deref(),
        Some("red")
    );
}

#[test]
fn websockets_carry_mqtt() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let flow = flow(
        broker.port,
        &[(
            "broker",
            json!({"broker": format!("ws://127.0.0.1:{}/mqtt", broker.ws)}),
        )],
    );
    connected(&flow);
    flow.receive(
        "out",
        json!({"topic": "t/a", "payload": "x".repeat(200_000)}),
    );
    assert_eq!(
        flow.wait_received("sink", 1)[0]
            .get("payload")
            .as_str()
            .map(str::len),
        Some(200_000)
    );
}

#[test]
fn topics_that_cannot_be_used_are_told() {
    let flow = flow(
        1,
        &[
            ("in", json!({"topic": "a#"})),
            (
                "in2",
                json!({"id": "in2", "type": "mqtt in", "z": "t", "broker": "none", "topic": "a"}),
            ),
        ],
    );
    assert_eq!(
        flow.logs("in")[0],
        ("warn".to_owned(), Value::from("Invalid topic specified"))
    );
    assert_eq!(
        flow.errors("in2")[0].to_js_string(),
        "missing broker configuration"
    );
}
