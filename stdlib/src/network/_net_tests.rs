//! The HTTP, WebSocket and TCP nodes against each other, over real sockets.
#![cfg(test)]

use crate::testing::{Flow, Setup};
use serde_json::{Value as Json, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use vgdc_core::value::{Value, control::encode};

/// A certificate for `localhost` and its key, as PEM, made anew: nobody else trusts it.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Nodes on a tab with two ends: what is sent arrives at `sink`, what is caught at `caught`.
fn flow_with(nodes: Json, setup: Setup) -> Flow {
    let mut all = json!([
        {"id": "t", "type": "tab"},
        {"id": "sink", "type": "junction", "z": "t", "wires": [[]]},
        {"id": "catch", "type": "catch", "z": "t", "scope": null, "wires": [["caught"]]},
        {"id": "caught", "type": "junction", "z": "t", "wires": [[]]},
    ]);
    for node in nodes.as_array().expect("an array") {
        let mut node = node.clone();
        node["z"] = json!("t");
        all.as_array_mut().expect("an array").push(node);
    }
    Flow::start_with(all, setup)
}

fn flow(nodes: Json) -> Flow {
    flow_with(nodes, Setup::default())
}

// ----------------------------------------------------------------------------------------------------- HTTP

/// Routes that answer what they were asked, and an `http request` node, `n`.
fn http(config: Json) -> Flow {
    http_with(config, Setup::default())
}

fn http_with(config: Json, setup: Setup) -> Flow {
    let mut node = json!({"id": "n", "type": "http request", "method": "use", "ret": "obj", "wires": [["sink"]]});
    for (key, value) in config.as_object().expect("an object") {
        node[key] = value.clone();
    }
    let show = "msg.payload = {method: msg.req.method, url: msg.req.url, headers: msg.req.headers, body: msg.req.body, \
                cookies: msg.req.cookies}; msg.headers = {}; return msg;";
    let nodes = json!([
        node,
        {"id": "get", "type": "http in", "method": "get", "url": "/show/*", "wires": [["show"]]},
        {"id": "post", "type": "http in", "method": "post", "url": "/show/*", "wires": [["show"]]},
        {"id": "put", "type": "http in", "method": "put", "url": "/show/*", "wires": [["show"]]},
        {"id": "show", "type": "function", "func": show, "outputs": 1, "wires": [["answer"]]},
        {"id": "answer", "type": "http response"},
        {"id": "away", "type": "http in", "method": "post", "url": "/away", "wires": [["gone"]]},
        {"id": "gone", "type": "http response", "statusCode": "302", "headers": {"location": "/show/there", "set-cookie": "c=1; Path=/"}},
        {"id": "loop", "type": "http in", "method": "get", "url": "/loop", "wires": [["again"]]},
        {"id": "again", "type": "http response", "statusCode": "307", "headers": {"location": "/loop"}},
        {"id": "text", "type": "http in", "method": "get", "url": "/text", "wires": [["plain"]]},
        {"id": "plain", "type": "template", "field": "payload", "template": "{no json", "wires": [["answer"]]},
        {"id": "silent", "type": "http in", "method": "get", "url": "/silent", "wires": [[]]},
        {"id": "upload", "type": "http in", "method": "post", "url": "/upload", "upload": true, "wires": [["files"]]},
        {"id": "files", "type": "function", "outputs": 1,
            "func": "msg.payload = {body: msg.payload, files: msg.req.files}; msg.headers = {}; return msg;", "wires": [["answer"]]},
    ]);
    flow_with(nodes, setup)
}

fn ask(flow: &Flow, path: &str, mut msg: Json) -> Value {
    let before = flow.received("sink").len();
    msg["url"] = json!(format!("http://localhost:{}{path}", flow.http_port()));
    flow.post("n", msg);
    flow.wait_received("sink", before + 1)[before].clone()
}

#[test]
fn requests_carry_the_payload_as_its_type_wants() {
    let flow = http(json!({}));
    let form = "application/x-www-form-urlencoded";
    for (method, payload, headers, body, ty) in [
        (
            "POST",
            json!("text"),
            json!({}),
            r#""text""#,
            Value::Undefined,
        ),
        (
            "POST",
            json!({"a": 1}),
            json!({}),
            r#"{"a":1}"#,
            Value::from("application/json"),
        ),
        (
            "PUT",
            json!(12),
            json!({"content-type": "text/plain"}),
            r#""12""#,
            Value::from("text/plain"),
        ),
        (
            "POST",
            json!({"a": ["x", "y"]}),
            json!({"content-type": form}),
            r#"{"a":["x","y"]}"#,
            Value::from(form),
        ),
    ] {
        let got = ask(
            &flow,
            "/show/x",
            json!({"method": method, "payload": payload, "headers": headers}),
        );
        assert_eq!(got.get("statusCode").as_f64(), Some(200.0), "{method}");
        let answer = got.get("payload");
        assert_eq!(answer.get("method").as_str(), Some(method));
        assert_eq!(encode(&answer.get("body")), body, "{method}");
        assert_eq!(answer.get("headers").get("content-type"), ty);
    }
}

#[test]
fn answers_have_their_parts() {
    let flow = http(json!({"ret": "txt", "method": "GET"}));
    let got = ask(&flow, "/text?q=1", json!({"payload": "x", "topic": "t"}));
    assert_eq!(got.get("payload").as_str(), Some("{no json"));
    assert_eq!(got.get("topic").as_str(), Some("t"));
    assert_eq!(
        got.get("responseUrl").to_js_string(),
        format!("http://localhost:{}/text?q=1", flow.http_port())
    );
    assert_eq!(encode(&got.get("redirectList")), "[]");
    assert_eq!(got.get("retry").as_f64(), Some(0.0));
    assert!(
        got.get("headers")
            .get("x-node-red-request-node")
            .as_str()
            .is_some_and(|sum| sum.len() >= 8)
    );
    let texts: Vec<String> = flow.statuses("n").iter().map(encode).collect();
    assert_eq!(
        texts,
        [
            r#"{"fill":"blue","shape":"dot","text":"httpin.status.requesting"}"#,
            "{}"
        ]
    );
    let flow = http(json!({"ret": "bin", "method": "GET"}));
    assert_eq!(
        ask(&flow, "/text", json!({}))
            .get("payload")
            .as_buffer()
            .map(|b| b.len()),
        Some(8)
    );
    let flow = http(json!({"ret": "obj", "method": "GET"}));
    assert_eq!(
        ask(&flow, "/text", json!({})).get("payload").as_str(),
        Some("{no json")
    );
    assert_eq!(flow.logs("n")[0].1.to_js_string(), "JSON parse error");
}

#[test]
fn redirects_are_followed_with_their_cookies() {
    let flow = http(json!({}));
    let sent = json!({"method": "POST", "payload": "x", "cookies": {"own": "a b"}, "headers": {"Authorization": "secret"}});
    let got = ask(&flow, "/away", sent);
    let answer = got.get("payload");
    assert_eq!(
        (answer.get("method").as_str(), answer.get("url").as_str()),
        (Some("POST"), Some("/show/there"))
    );
    assert_eq!(encode(&answer.get("cookies")), r#"{"own":"a b","c":"1"}"#);
    assert_eq!(
        answer.get("headers").get("authorization").as_str(),
        Some("secret")
    );
    assert_eq!(
        encode(&got.get("redirectList")),
        r#"[{"location":"/show/there","cookies":{"c":{"Path":"/","value":"1"}}}]"#
    );
    let got = ask(
        &flow,
        "/away",
        json!({"method": "POST", "payload": "x", "followRedirects": false}),
    );
    assert_eq!(got.get("statusCode").as_f64(), Some(302.0));
    assert_eq!(
        encode(&got.get("responseCookies")),
        r#"{"c":{"Path":"/","value":"1"}}"#
    );
    let got = ask(&flow, "/loop", json!({"method": "GET"}));
    assert_eq!(
        got.get("statusCode").as_str(),
        Some("ERR_TOO_MANY_REDIRECTS")
    );
}

#[test]
fn the_payload_of_a_get_goes_where_it_is_wanted() {
    for (paytoqs, path, payload, url) in [
        (
            "query",
            "/show/a?x=1",
            json!({"b": [1, 2], "c": "ä"}),
            "/show/a?x=1&b=1&b=2&c=%C3%A4",
        ),
        ("query", "/show/a", json!({"b": 1}), "/show/a?b=1"),
        (
            "ignore",
            "/show/a?p=5%&q=%20",
            json!({"b": 1}),
            "/show/a?p=5%25&q=%20",
        ),
    ] {
        let flow = http(json!({"paytoqs": paytoqs, "method": "GET"}));
        assert_eq!(
            ask(&flow, path, json!({"payload": payload}))
                .get("payload")
                .get("url")
                .as_str(),
            Some(url)
        );
    }
    let flow = http(json!({"paytoqs": "query", "method": "GET"}));
    flow.receive("n", json!({"url": "localhost/x", "payload": "no object"}));
    assert_eq!(flow.errors("n")[0].to_js_string(), "Invalid payload");
}

#[test]
fn files_are_uploaded() {
    let flow =
        http(json!({"headers": [{"keyType": "Content-Type", "valueType": "multipart/form-data"}]}));
    let file =
        json!({"value": {"$type": "buffer", "base64": "YWI="}, "options": {"filename": "f.txt"}});
    let got = ask(
        &flow,
        "/upload",
        json!({"method": "POST", "payload": {"file": file, "other": 1}}),
    );
    let answer = got.get("payload");
    assert_eq!(encode(&answer.get("body")), r#"{"other":"1"}"#);
    let file = answer.get("files").get("0");
    assert_eq!(
        (
            file.get("originalname").as_str(),
            file.get("mimetype").as_str()
        ),
        (Some("f.txt"), Some("text/plain"))
    );
    assert_eq!(file.get("size").as_f64(), Some(2.0));
}

#[test]
fn secrets_become_authorization() {
    for (auth, secrets, expected) in [
        ("basic", json!({"user": "u", "password": "p"}), "Basic dTpw"),
        ("bearer", json!({"password": "t"}), "Bearer t"),
        ("", json!({"user": "u"}), "Basic dTo="),
    ] {
        let setup = Setup {
            credentials: json!({"n": secrets}),
            ..Default::default()
        };
        let flow = http_with(json!({"authType": auth}), setup);
        let got = ask(&flow, "/show/x", json!({"method": "GET"}));
        assert_eq!(
            got.get("payload")
                .get("headers")
                .get("authorization")
                .as_str(),
            Some(expected)
        );
    }
}

#[test]
fn what_goes_wrong_is_told() {
    let flow = http(json!({"url": ""}));
    let port = free_port();
    flow.post(
        "n",
        json!({"url": format!("http://127.0.0.1:{port}/"), "payload": 1}),
    );
    let got = &flow.wait_received("sink", 1)[0];
    assert_eq!(got.get("statusCode").as_str(), Some("ECONNREFUSED"));
    let expected =
        format!("RequestError: connect ECONNREFUSED 127.0.0.1:{port} : http://127.0.0.1:{port}/");
    assert_eq!(got.get("payload").to_js_string(), expected);
    let caught = &flow.wait_received("caught", 1)[0];
    assert_eq!(
        caught.get("error").get("code").as_str(),
        Some("ECONNREFUSED")
    );
    assert_eq!(
        flow.statuses("n")
            .last()
            .map(|status| status.get("text").to_js_string())
            .as_deref(),
        Some("ECONNREFUSED")
    );
    let got = ask(
        &flow,
        "/silent",
        json!({"method": "GET", "requestTimeout": 30}),
    );
    assert_eq!(got.get("statusCode").as_str(), Some("ETIMEDOUT"));
    assert_eq!(
        flow.errors("n")[1].to_js_string(),
        "no response from server"
    );
    for (url, expected) in [
        ("", "No url specified"),
        ("http://a b/", "TypeError: Invalid URL"),
    ] {
        flow.receive("n", json!({"url": url}));
        assert_eq!(
            flow.errors("n").last().map(Value::to_js_string).as_deref(),
            Some(expected)
        );
    }
    flow.receive("n", json!({"url": "ftp://x"}));
    let last = flow
        .logs("n")
        .last()
        .map(|(level, text)| (level.clone(), text.to_js_string()));
    assert_eq!(
        last,
        Some(("warn".into(), "non-http transport requested".into()))
    );
    let flow = http(json!({"senderr": true}));
    flow.post("n", json!({"url": format!("127.0.0.1:{port}")}));
    flow.wait_received("caught", 1);
    flow.settle();
    assert!(flow.received("sink").is_empty());
}

#[test]
fn browsers_of_other_origins_are_let_in_when_they_may() {
    let setup = Setup {
        settings: json!({"httpNodeCors": {"origin": "*", "methods": "GET"}}),
        ..Default::default()
    };
    let flow = http_with(json!({}), setup);
    for (method, status) in [("OPTIONS", "204"), ("GET", "200")] {
        let mut peer = TcpStream::connect(("127.0.0.1", flow.http_port())).expect("connects");
        let request = format!(
            "{method} /text HTTP/1.1\r\nHost: x\r\nOrigin: http://o\r\nConnection: close\r\n\r\n"
        );
        peer.write_all(request.as_bytes()).expect("writes");
        let mut answer = String::new();
        peer.read_to_string(&mut answer).expect("reads");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(
            answer.contains("Access-Control-Allow-Origin: *"),
            "{answer}"
        );
    }
}

// ----------------------------------------------------------------------------------------------------- WebSocket

fn websocket(whole: bool, port: u16) -> Flow {
    let whole = whole.to_string();
    flow(json!([
        {"id": "server", "type": "websocket-listener", "path": "/ws", "wholemsg": whole},
        {"id": "client", "type": "websocket-client", "path": format!("ws://127.0.0.1:{port}/ws"), "wholemsg": whole,
            "subprotocol": "a, b", "hb": "1"},
        {"id": "sin", "type": "websocket in", "server": "server", "wires": [["echo"]]},
        {"id": "echo", "type": "websocket out", "server": "server"},
        {"id": "cin", "type": "websocket in", "client": "client", "wires": [["sink"]]},
        {"id": "n", "type": "websocket out", "client": "client"},
    ]))
}

/// The listener's port has to be in the flow before it is known: a first flow finds a free one, to which a second one connects.
fn echo(whole: bool) -> (Flow, Flow) {
    let server = websocket(whole, 1);
    let client = websocket(whole, server.http_port());
    client.wait_status("n", |status| {
        status.get("event").as_str() == Some("connect")
    });
    (server, client)
}

/// What a client that got it from a listener is to send on must not be an answer to that very connection.
fn send(client: &Flow, payload: Json) {
    client.receive("n", json!({"payload": payload}));
}

#[test]
fn payloads_go_over_a_websocket_and_back() {
    let (server, client) = echo(false);
    for (count, (payload, expected)) in [
        (json!("text"), r#""text""#),
        (json!({"a": 1}), r#""{\"a\":1}""#),
        (
            json!({"$type": "buffer", "base64": "AAE="}),
            r#"{"$type":"buffer","base64":"AAE="}"#,
        ),
        (json!(7), r#""7""#),
    ]
    .into_iter()
    .enumerate()
    {
        send(&client, payload);
        assert_eq!(
            encode(&client.wait_received("sink", count + 1)[count].get("payload")),
            expected
        );
    }
    let status = server.wait_status("sin", |status| {
        status.get("event").as_str() == Some("connect")
    });
    assert_eq!(
        (
            status.get("text").as_str(),
            status.get("_session").get("type").as_str()
        ),
        (Some("connected 1"), Some("websocket"))
    );
    drop(client);
    let status = server.wait_status("sin", |status| {
        status.get("event").as_str() == Some("disconnect")
    });
    assert_eq!(
        status.get("text").as_str(),
        Some("common.status.disconnected")
    );
}

#[test]
fn whole_messages_go_over_a_websocket() {
    let (_server, client) = echo(true);
    client.receive(
        "n",
        json!({"_msgid": "m", "payload": {"a": 1}, "other": [1]}),
    );
    let got = &client.wait_received("sink", 1)[0];
    assert_eq!(
        (
            encode(&got.get("payload")).as_str(),
            encode(&got.get("other")).as_str()
        ),
        (r#"{"a":1}"#, "[1]")
    );
    assert_eq!(got.get("_session").get("type").as_str(), Some("websocket"));
}

#[test]
fn large_messages_and_many_go_through() {
    let (_server, client) = echo(false);
    client.post("n", json!({"payload": "x".repeat(3 << 20)}));
    for n in 0..500 {
        client.post("n", json!({"payload": n.to_string()}));
    }
    let got = client.wait_received("sink", 501);
    assert_eq!(got[0].get("payload").as_str().map(str::len), Some(3 << 20));
    assert_eq!(got[500].get("payload").as_str(), Some("499"));
}

#[test]
fn a_path_belongs_to_one_listener() {
    let flow = flow(json!([
        {"id": "a", "type": "websocket-listener", "path": "/ws"},
        {"id": "b", "type": "websocket-listener", "path": "ws"},
        {"id": "c", "type": "websocket in"},
    ]));
    assert_eq!(
        flow.errors("b")[0].to_js_string(),
        "Cannot have two WebSocket listeners on the same path: ws"
    );
    assert_eq!(
        flow.errors("c")[0].to_js_string(),
        "Missing server configuration"
    );
    let mut peer = TcpStream::connect(("127.0.0.1", flow.http_port())).expect("connects");
    peer.write_all(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .expect("writes");
    let mut answer = [0; 12];
    peer.read_exact(&mut answer).expect("reads");
    assert_eq!(&answer, b"HTTP/1.1 400");
}

// ----------------------------------------------------------------------------------------------------- TCP

#[test]
fn a_tcp_server_takes_lines_and_answers() {
    let port = free_port();
    let flow = flow(json!([
        {"id": "in", "type": "tcp in", "server": "server", "port": port.to_string(), "datamode": "stream", "datatype": "utf8",
            "newline": "\\n", "topic": "t", "wires": [["sink", "out"]]},
        {"id": "out", "type": "tcp out", "beserver": "reply"},
    ]));
    let mut peer = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    peer.write_all(b"one\ntwo\nrest").expect("writes");
    let got = flow.wait_received("sink", 2);
    assert_eq!(
        (got[0].get("payload").as_str(), got[0].get("topic").as_str()),
        (Some("one"), Some("t"))
    );
    assert_eq!(got[0].get("ip").as_str(), Some("::ffff:127.0.0.1"));
    let mut answer = [0; 6];
    peer.read_exact(&mut answer).expect("reads");
    assert_eq!(&answer, b"onetwo");
    peer.shutdown(std::net::Shutdown::Write).expect("ends");
    assert_eq!(
        flow.wait_received("sink", 3)[2].get("payload").as_str(),
        Some("rest")
    );
    flow.wait_status("in", |status| {
        status.get("event").as_str() == Some("disconnect")
    });
    let mut rest = String::new();
    peer.read_to_string(&mut rest).expect("reads");
    assert_eq!(rest, "");
}

#[test]
fn what_is_wished_for_ends_a_connection() {
    let port = free_port();
    let flow = flow(json!([
        {"id": "in", "type": "tcp in", "server": "server", "port": port.to_string(), "datatype": "utf8", "wires": [["sink"]]},
        {"id": "out", "type": "tcp out", "beserver": "reply"},
    ]));
    let mut peer = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    peer.write_all(b"x").expect("writes");
    let session = encode(&flow.wait_received("sink", 1)[0].get("_session"));
    let session: Json = serde_json::from_str(&session).expect("JSON");
    flow.receive("out", json!({"payload": "y", "_session": session}));
    let mut answer = [0; 1];
    peer.read_exact(&mut answer).expect("reads");
    assert_eq!(&answer, b"y");
    flow.receive("out", json!({"reset": true, "_session": session}));
    let mut rest = Vec::new();
    // (an end or a break, both will do)
    let _ = peer.read_to_end(&mut rest);
    assert!(rest.is_empty());
    flow.wait_status("in", |status| {
        status.get("event").as_str() == Some("disconnect")
    });
}

#[test]
fn a_tcp_client_connects_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let setup = Setup {
        settings: json!({"socketReconnectTime": 20}),
        ..Default::default()
    };
    let nodes = json!([
        {"id": "in", "type": "tcp in", "server": "client", "host": "127.0.0.1", "port": port.to_string(), "datamode": "single",
            "datatype": "utf8", "wires": [["sink"]]},
    ]);
    let flow = flow_with(nodes, setup);
    for round in 0..2 {
        let (mut peer, _) = listener.accept().expect("a connection");
        peer.write_all(b"hello").expect("writes");
        drop(peer);
        assert_eq!(
            flow.wait_received("sink", round + 1)[round]
                .get("payload")
                .as_str(),
            Some("hello")
        );
    }
}

#[test]
fn a_tcp_client_may_end_after_each_message() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let flow = flow(
        json!([{"id": "out", "type": "tcp out", "beserver": "client", "host": "127.0.0.1", "port": port.to_string(), "end": true}]),
    );
    for round in 0..2 {
        let (mut peer, _) = listener.accept().expect("a connection");
        let green = |status: &&Value| status.get("fill").as_str() == Some("green");
        flow.wait(|| {
            (flow.statuses("out").iter().filter(green).count() == round + 1).then_some(())
        });
        flow.receive(
            "out",
            json!({"payload": {"$type": "buffer", "base64": "aGk="}}),
        );
        let mut text = String::new();
        peer.read_to_string(&mut text).expect("reads");
        assert_eq!(text, "hi");
    }
}

/// A server that answers each connection with these bytes, each time something has come.
fn answering(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for peer in listener.incoming() {
            let mut peer = peer.expect("a connection");
            std::thread::spawn(move || {
                let mut buffer = [0; 1024];
                while matches!(peer.read(&mut buffer), Ok(count) if count > 0) {
                    if peer.write_all(bytes).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn answers_over_tcp_end_as_the_form_says() {
    let port = answering(b"abc\ndef\n");
    for (config, count, expected) in [
        (
            json!({"out": "time", "splitc": "30", "ret": "string"}),
            1,
            r#""abc\ndef\n""#,
        ),
        (
            json!({"out": "char", "splitc": "\\n", "ret": "string"}),
            1,
            r#""abc\n""#,
        ),
        (
            json!({"out": "count", "splitc": "5", "ret": "buffer"}),
            1,
            r#"{"$type":"buffer","base64":"YWJjCmQ="}"#,
        ),
        (
            json!({"out": "sit", "splitc": " ", "ret": "string"}),
            1,
            r#""abc\ndef\n""#,
        ),
        (
            json!({"out": "sit", "splitc": " ", "ret": "string", "newline": "\\n"}),
            2,
            r#""abc""#,
        ),
    ] {
        let mut node = json!({"id": "n", "type": "tcp request", "server": "127.0.0.1", "port": port.to_string(), "wires": [["sink"]]});
        for (key, value) in config.as_object().expect("an object") {
            node[key] = value.clone();
        }
        let flow = flow(json!([node]));
        flow.receive("n", json!({"payload": "x", "topic": "t"}));
        let got = flow.wait_received("sink", count);
        assert_eq!(encode(&got[0].get("payload")), expected, "{config}");
        assert_eq!(got[0].get("topic").as_str(), Some("t"));
        assert_eq!(flow.finished("n").len(), 1);
    }
}

#[test]
fn a_tcp_server_that_is_not_there_is_an_error() {
    let port = free_port();
    let flow = flow(json!([{"id": "n", "type": "tcp request", "out": "sit", "wires": [["sink"]]}]));
    flow.post(
        "n",
        json!({"payload": "x", "host": "127.0.0.1", "port": port}),
    );
    let caught = &flow.wait_received("caught", 1)[0];
    assert_eq!(
        caught.get("error").get("message").to_js_string(),
        format!("connect failed 127.0.0.1:{port}")
    );
    flow.receive("n", json!({"payload": "x"}));
    assert_eq!(
        flow.logs("n")
            .last()
            .map(|(_, text)| text.to_js_string())
            .as_deref(),
        Some("Host and/or port not set")
    );
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("[::]:0")
        .or_else(|_| TcpListener::bind("0.0.0.0:0"))
        .expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let flow =
        flow(json!([{"id": "in", "type": "tcp in", "server": "server", "port": port.to_string()}]));
    let expected = format!(
        "unable to listen on port {port}, error: Error: listen EADDRINUSE: address already in use :::{port}"
    );
    assert_eq!(flow.errors("in")[0].to_js_string(), expected);
}

// ----------------------------------------------------------------------------------------------------- TLS

#[test]
fn tls_is_spoken_and_checked() {
    let port = free_port();
    let (cert, key) = certificate();
    let secrets = json!({"own": {"certdata": cert, "keydata": key}, "trusting": {"cadata": cert}});
    let setup = Setup {
        credentials: secrets,
        settings: json!({"socketReconnectTime": 50}),
        ..Default::default()
    };
    let client = |id: &str, tls: &str| json!({"id": id, "type": "tcp out", "beserver": "client", "host": "127.0.0.1", "port": port.to_string(), "tls": tls});
    let nodes = json!([
        {"id": "own", "type": "tls-config", "verifyservercert": true},
        {"id": "trusting", "type": "tls-config", "verifyservercert": true, "servername": "localhost"},
        {"id": "strict", "type": "tls-config", "verifyservercert": true},
        {"id": "lax", "type": "tls-config", "verifyservercert": false},
        {"id": "in", "type": "tcp in", "server": "server", "port": port.to_string(), "datatype": "utf8", "tls": "own", "wires": [["sink", "back"]]},
        {"id": "back", "type": "tcp out", "beserver": "reply"},
        client("good", "trusting"),
        client("careless", "lax"),
        client("bad", "strict"),
        {"id": "ask", "type": "tcp request", "server": "127.0.0.1", "port": port.to_string(), "out": "count", "splitc": "5",
            "ret": "string", "tls": "strict", "wires": [["answer"]]},
        {"id": "answer", "type": "junction", "wires": [[]]},
    ]);
    let flow = flow_with(nodes, setup);
    for (count, node) in ["good", "careless"].into_iter().enumerate() {
        flow.wait_status(node, |status| status.get("fill").as_str() == Some("green"));
        flow.receive(node, json!({"payload": node}));
        assert_eq!(
            flow.wait_received("sink", count + 1)[count]
                .get("payload")
                .as_str(),
            Some(node)
        );
    }
    flow.receive("ask", json!({"payload": "asked"}));
    assert_eq!(
        flow.wait_received("answer", 1)[0].get("payload").as_str(),
        Some("asked")
    );
    flow.wait(|| {
        flow.logs("bad")
            .iter()
            .any(|(_, text)| text.to_js_string().contains("certificate"))
            .then_some(())
    });
    assert!(
        flow.statuses("bad")
            .iter()
            .all(|status| status.get("fill").as_str() != Some("green"))
    );
}

#[test]
fn half_a_certificate_is_an_error() {
    let setup = Setup {
        credentials: json!({"a": {"certdata": certificate().0}}),
        ..Default::default()
    };
    let nodes = json!([{"id": "a", "type": "tls-config"}, {"id": "b", "type": "tls-config", "cert": "/not/there", "key": "/not/there"}]);
    let flow = flow_with(nodes, setup);
    assert_eq!(
        flow.errors("a")[0].to_js_string(),
        "No certificate/key file provided"
    );
    assert_eq!(
        flow.errors("b")[0].to_js_string(),
        "Error: ENOENT: no such file or directory, open '/not/there'"
    );
}
