//! Real packages from npm against the real things that they are for.

use super::{control, npm, tab, wait_for, with_node};
use serde_json::{Value, json};
use std::process::Command;
use vgdc_tests::{Control, Running, free_port, root};

/// Hands a message over and waits for what comes to `x`.
pub fn answered(control: &mut Control, node: &str, msg: Value) -> Value {
    control.events.clear();
    control.good("receive", json!({"node": node, "msg": msg}));
    let came = wait_for(control, |event| {
        event["node"] == "x" && event["event"] == "input"
    });
    came["msg"].clone()
}

/// Waits until a node shows a status with this text.
fn shown(control: &mut Control, node: &str, wanted: &str) {
    wait_for(control, |event| {
        event["node"] == node && event["status"]["text"] == wanted
    });
}

#[test]
fn a_modbus_device_is_read_and_written() {
    let port = free_port();
    let mut command = with_node(Command::new("node"));
    command.arg(root().join("tests/whole/hosted/modbus.js"));
    let mut device = Running::start(command.arg(port.to_string()));
    device.wait_for("the device listens");
    let mut control = control(&npm());
    let read = |address: u16| json!({"payload": {"dataType": "HoldingRegister", "address": address, "quantity": 3, "interval": 3_600_000}});
    let flow = tab(json!([
        {"id": "d", "type": "modbustcp-server", "host": "127.0.0.1", "port": port, "unit_id": "1", "reconnecttimeout": "", "z": "", "x": null},
        {"id": "i", "type": "inject", "props": [{"p": "payload"}], "payload": read(5)["payload"].to_string(), "payloadType": "json", "wires": [["r"]]},
        {"id": "r", "type": "modbustcp-read", "name": "read", "topic": "", "dataType": "HoldingRegister", "adr": "0", "quantity": "1", "rate": "0", "rateUnit": "s",
         "server": "d", "ieeeType": "off", "ieeeBE": true, "wires": [["f"]]},
        {"id": "f", "type": "function", "func": "msg.payload = msg.payload.map((value) => value + 1); return msg;", "outputs": 1, "wires": [["x"]]},
        {"id": "g", "type": "function", "func": "msg.payload = msg.payload.map((value) => value * 2); return msg;", "outputs": 1, "wires": [["w"]]},
        {"id": "w", "type": "modbustcp-write", "name": "write", "topic": "", "dataType": "HoldingRegisters", "adr": "6", "server": "d", "wires": []},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good(
        "watch",
        json!({"nodes": ["r", "w", "x"], "events": ["input", "status", "log"]}),
    );
    control.good("deploy", json!({"flows": flow}));
    shown(&mut control, "r", "Connected");
    shown(&mut control, "w", "Ready");
    control.events.clear();
    control.good("button", json!({"node": "i"}));
    let came = wait_for(&mut control, |event| event["node"] == "x");
    assert_eq!(came["msg"]["payload"], json!([51, 61, 71]));
    control.good(
        "receive",
        json!({"node": "g", "msg": {"payload": [4, 32767]}}),
    );
    shown(&mut control, "w", "Successfully Written");
    let came = answered(&mut control, "r", read(5));
    assert_eq!(came["payload"], json!([51, 9, 65535]));
    // The other end is gone: it is said, and the rest goes on.
    device.stop("KILL");
    shown(&mut control, "r", "Disconnected");
    assert_eq!(
        answered(&mut control, "f", json!({"payload": [1]}))["payload"],
        json!([2])
    );
    control.good("receive", json!({"node": "g", "msg": {"payload": [1]}}));
    let failed = wait_for(&mut control, |event| event["level"] == "error");
    assert!(
        failed["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("write: {")),
        "{failed}"
    );
    assert_eq!(control.end(), Some(0));
}

#[test]
fn a_database_is_filled_and_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("facts.db");
    let mut control = control(&npm());
    let sqlite = |id: &str, to: &str| json!({"id": id, "type": "sqlite", "mydb": "db", "sqlquery": "msg.topic", "sql": "", "wires": [[to]]});
    let flow = tab(json!([
        {"id": "db", "type": "sqlitedb", "db": file.to_str(), "mode": "RWC", "z": "", "x": null},
        {"id": "create", "type": "function", "outputs": 1, "wires": [["s1"]], "func": "msg.topic = 'CREATE TABLE facts (n REAL, t TEXT, e, b BLOB)'; return msg;"},
        sqlite("s1", "insert"),
        {"id": "insert", "type": "function", "outputs": 1, "wires": [["s2"]],
         "func": "return [[{topic: 'INSERT INTO facts VALUES ($a, $b, $c, $d)', payload: [1.5, 'ä', null, Buffer.from([0, 255])], last: false}, {topic: 'INSERT INTO facts VALUES ($a, $b, $c, $d)', payload: [-2, '', 'x', null], last: true}]];"},
        sqlite("s2", "only"),
        {"id": "only", "type": "switch", "property": "last", "propertyType": "msg", "rules": [{"t": "true"}], "checkall": "true", "outputs": 1, "wires": [["ask"]]},
        {"id": "ask", "type": "function", "outputs": 1, "wires": [["s3"]], "func": "msg.topic = 'SELECT * FROM facts ORDER BY n DESC'; msg.payload = []; return msg;"},
        sqlite("s3", "check"),
        {"id": "check", "type": "function", "outputs": 1, "wires": [["x"]],
         "func": "const rows = msg.payload; msg.payload = {rows, count: rows.length, sum: rows.reduce((sum, row) => sum + row.n, 0), bytes: Buffer.isBuffer(rows[0].b)}; return msg;"},
        sqlite("s4", "x"),
        {"id": "c", "type": "catch", "scope": null, "wires": [["x"]]},
        {"id": "x", "type": "helper", "wires": []},
    ]));
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    control.good("deploy", json!({"flows": flow}));
    let came = answered(&mut control, "create", json!({"payload": []}));
    let rows = json!([
        {"n": 1.5, "t": "ä", "e": null, "b": {"$type": "buffer", "base64": "AP8="}},
        {"n": -2, "t": "", "e": "x", "b": null},
    ]);
    assert_eq!(
        came["payload"],
        json!({"rows": rows, "count": 2, "sum": -0.5, "bytes": true})
    );
    let came = answered(
        &mut control,
        "s4",
        json!({"topic": "SELECT * FROM nowhere", "payload": "kept"}),
    );
    assert_eq!(
        came["error"]["message"],
        "Error: SQLITE_ERROR: no such table: nowhere"
    );
    assert_eq!(
        (&came["error"]["code"], &came["payload"]),
        (&json!("SQLITE_ERROR"), &json!("kept"))
    );
    assert_eq!(came["error"]["source"]["id"], "s4");
    assert_eq!(control.end(), Some(0));
}
