//! The UDP nodes, with real sockets on free ports.
#![cfg(test)]

use crate::testing::Flow;
use serde_json::{Value as Json, json};
use std::net::UdpSocket;
use std::time::Duration;
use vgdc_core::value::control::encode;

fn peer(address: &str) -> (UdpSocket, u16) {
    let socket = UdpSocket::bind(address).expect("a socket");
    let patience = Some(Duration::from_secs(10));
    socket.set_read_timeout(patience).expect("a timeout");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

fn free_port() -> u16 {
    peer("0.0.0.0:0").1
}

fn flow(nodes: &[Json]) -> Flow {
    let mut all = vec![
        json!({"id": "t", "type": "tab"}),
        json!({"id": "sink", "type": "junction", "z": "t", "wires": [[]]}),
    ];
    for node in nodes {
        let mut node = node.clone();
        node["z"] = json!("t");
        node["wires"] = json!([["sink"]]);
        all.push(node);
    }
    Flow::start(Json::from(all))
}

fn got(socket: &UdpSocket) -> (Vec<u8>, u16) {
    let mut buffer = [0; 100];
    let (length, from) = socket.recv_from(&mut buffer).expect("a datagram");
    (buffer[..length].to_vec(), from.port())
}

fn warnings(flow: &Flow) -> Vec<String> {
    let logs = flow
        .logs("n")
        .into_iter()
        .filter(|(level, _)| level == "warn");
    logs.map(|(_, text)| text.to_js_string()).collect()
}

#[test]
fn a_datagram_is_a_message() {
    for (ipv, datatype, to, ip, payload) in [
        (
            "udp4",
            "buffer",
            "127.0.0.1",
            "127.0.0.1",
            r#"{"$type":"buffer","base64":"aP8="}"#,
        ),
        ("udp4", "utf8", "127.0.0.1", "127.0.0.1", "\"h\u{fffd}\""),
        (
            "udp6",
            "base64",
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "\"aP8=\"",
        ),
        ("udp6", "base64", "[::1]", "::1", "\"aP8=\""),
    ] {
        let port = free_port();
        let flow = flow(&[
            json!({"id": "n", "type": "udp in", "port": port.to_string(), "ipv": ipv, "datatype": datatype}),
        ]);
        let (socket, own) = peer(if to == "[::1]" {
            "[::1]:0"
        } else {
            "127.0.0.1:0"
        });
        socket
            .send_to(&[0x68, 0xff], format!("{to}:{port}"))
            .expect("sends");
        let msg = &flow.wait_received("sink", 1)[0];
        assert_eq!(encode(&msg.get("payload")), payload);
        assert_eq!(msg.get("ip").as_str(), Some(ip));
        assert_eq!(msg.get("port").as_f64(), Some(f64::from(own)));
        assert_eq!(msg.get("fromip").as_str(), Some(&*format!("{ip}:{own}")));
    }
}

#[test]
fn nodes_with_one_port_share_its_socket() {
    let port = free_port();
    let (socket, there) = peer("127.0.0.1:0");
    let mut flow = flow(&[
        json!({"id": "n", "type": "udp in", "port": port, "datatype": "utf8"}),
        json!({"id": "m", "type": "udp in", "port": port.to_string(), "datatype": "utf8"}),
        json!({"id": "o", "type": "udp out", "addr": "127.0.0.1", "port": there, "outport": port, "multicast": "false"}),
    ]);
    socket.send_to(b"x", ("127.0.0.1", port)).expect("sends");
    flow.wait_received("sink", 2);
    let used = format!("udp: port {port} already in use");
    assert!(
        flow.logs("m")
            .iter()
            .any(|(_, text)| text.as_str() == Some(&used))
    );
    flow.receive("o", json!({"payload": "y"}));
    assert_eq!(got(&socket), (b"y".to_vec(), port));
    // (when the nodes have stopped, the port is free again)
    flow.stop();
    let bind = || UdpSocket::bind(("0.0.0.0", port)).ok();
    assert!(flow.wait(bind).local_addr().is_ok());
}

#[test]
fn what_is_sent_is_bytes() {
    let (socket, port) = peer("127.0.0.1:0");
    let cases: [(bool, Json, &[u8]); 8] = [
        (false, json!("h\u{e9}"), "h\u{e9}".as_bytes()),
        (false, json!(5), b"5"),
        (false, json!({"a": 1}), b"[object Object]"),
        (false, json!({"$type": "buffer", "base64": "aGk="}), b"hi"),
        (false, json!([1, 2]), b"1,2"),
        (true, json!("aGk="), b"hi"),
        (true, json!("a-_"), &[0x6b, 0xef]),
        (true, json!([1, 300]), &[1, 44]),
    ];
    for (base64, payload, expected) in cases {
        let flow = flow(&[
            json!({"id": "n", "type": "udp out", "addr": "127.0.0.1", "port": port,
            "multicast": "false", "base64": base64}),
        ]);
        flow.receive("n", json!({"payload": payload}));
        assert_eq!(got(&socket).0, expected, "{payload}");
        assert_eq!(flow.finished("n").len(), 1);
    }
}

#[test]
fn where_to_can_stand_in_the_message() {
    let (socket, port) = peer("127.0.0.1:0");
    let flow = flow(&[json!({"id": "n", "type": "udp out", "multicast": "false"})]);
    for (ip, at) in [
        ("127.0.0.1", json!(port)),
        ("127.0.0.1", json!(port.to_string())),
        ("localhost", json!(port)),
    ] {
        flow.receive("n", json!({"payload": "x", "ip": ip, "port": at}));
        assert_eq!(got(&socket).0, b"x");
    }
    for (msg, expected) in [
        (json!({"payload": "x"}), "udp: ip address not set"),
        (
            json!({"payload": "x", "ip": "127.0.0.1"}),
            "udp: port not set",
        ),
        (
            json!({"payload": "x", "ip": "127.0.0.1", "port": 0}),
            "udp: port not set",
        ),
        (
            json!({"payload": "x", "ip": "127.0.0.1", "port": "abc"}),
            "udp: port number not valid",
        ),
        (
            json!({"payload": "x", "ip": "127.0.0.1", "port": 70_000}),
            "udp: port number not valid",
        ),
    ] {
        flow.receive("n", msg);
        assert_eq!(warnings(&flow).last().map(String::as_str), Some(expected));
    }
    // (a message without a payload is not even finished with)
    let before = flow.finished("n").len();
    flow.receive("n", json!({"ip": "127.0.0.1"}));
    assert_eq!(flow.finished("n").len(), before);
}

#[test]
fn what_cannot_be_sent_is_an_error() {
    let flow = flow(&[json!({"id": "n", "type": "udp out", "multicast": "false"})]);
    for (payload, ip, port, expected) in [
        (
            json!("x"),
            json!("::1"),
            json!(9),
            "udp : Error: send EINVAL ::1:9",
        ),
        (
            json!("y".repeat(70_000)),
            json!("127.0.0.1"),
            json!(9),
            "udp : Error: send EMSGSIZE 127.0.0.1:9",
        ),
        (
            json!("x"),
            json!("255.255.255.255"),
            json!(9),
            "udp : Error: send EACCES 255.255.255.255:9",
        ),
        (
            json!("x"),
            json!("127.0.0.1"),
            json!(1.5),
            "RangeError: Port should be > 0 and < 65536. Received type number (1.5).",
        ),
        (
            json!("x"),
            json!(5),
            json!(9),
            "TypeError: The \"address\" argument must be of type string. Received type number (5)",
        ),
    ] {
        flow.receive("n", json!({"payload": payload, "ip": ip, "port": port}));
        let errors = flow.errors("n");
        assert_eq!(
            errors.last().map(|error| error.to_js_string()).as_deref(),
            Some(expected)
        );
    }
}

#[test]
fn groups_are_joined_and_everybody_is_reached() {
    let port = free_port();
    let listening = flow(&[
        json!({"id": "n", "type": "udp in", "port": port, "multicast": "true",
        "group": "239.1.2.3", "iface": "lo", "datatype": "utf8"}),
    ]);
    assert_eq!(
        encode(&listening.wait_status("n", |_| true)),
        r#"{"text":"lo : 127.0.0.1"}"#
    );
    let (socket, _) = peer("127.0.0.1:0");
    let options = socket2::SockRef::from(&socket);
    options
        .set_multicast_if_v4(&[127, 0, 0, 1].into())
        .expect("an interface");
    socket.send_to(b"mc", ("239.1.2.3", port)).expect("sends");
    assert_eq!(
        listening.wait_received("sink", 1)[0]
            .get("payload")
            .as_str(),
        Some("mc")
    );
    for (group, expected) in [
        ("1.2.3.4", "error: -22"),
        ("abc", "error: -22"),
        ("", "error: "),
    ] {
        let port = free_port();
        let flow = flow(&[
            json!({"id": "n", "type": "udp in", "port": port, "multicast": "true", "group": group}),
        ]);
        assert_eq!(flow.errors("n")[0].to_js_string(), expected);
    }
    let (socket, there) = peer("0.0.0.0:0");
    let sending = flow(&[
        json!({"id": "n", "type": "udp out", "addr": "127.255.255.255", "port": there,
        "multicast": "board"}),
    ]);
    sending.receive("n", json!({"payload": "all"}));
    assert_eq!(got(&socket).0, b"all");
}

#[test]
fn an_interface_that_is_not_there_is_warned_of() {
    let flow = flow(&[json!({"id": "n", "type": "udp in", "port": free_port(), "iface": "nope"})]);
    assert_eq!(warnings(&flow), ["udp: interface nope not found"]);
}
