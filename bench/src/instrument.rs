//! What the bench adds to a flow, on all targets alike, where one of them does not speak the control protocol: HTTP
//! end-points, which every target has. One tells how many messages were counted, when. The other starts a flow that drives
//! itself, as if its inject node were pressed, or has messages made.
//!
//! A flow of the suite counts by itself: now and then it sets the global context's `vgdc_bench` to `{n, t}`: messages so far, and the
//! time in milliseconds. The rate between two such counts does not depend on when they are asked for. In a user's flow, a `complete` node for the nodes where messages end does.

use serde_json::{Value, json};

/// The path that starts the flow.
pub const START: &str = "/vgdc-bench/start";
/// The path that has messages made: `{"n": how many}`.
pub const SEND: &str = "/vgdc-bench/send";
/// The path that tells the count.
pub const COUNT: &str = "/vgdc-bench/count";

/// A count: messages so far, and when (milliseconds).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// Messages.
    pub n: f64,
    /// Milliseconds of the clock.
    pub t: f64,
}

impl Count {
    /// Reads what the end-point says.
    ///
    /// # Errors
    /// It is no count.
    pub fn read(body: &str) -> Result<Count, String> {
        let value: Value =
            serde_json::from_str(body).map_err(|e| format!("not a count ({e}): {body}"))?;
        match (value["n"].as_f64(), value["t"].as_f64()) {
            (Some(n), Some(t)) => Ok(Count { n, t }),
            _ => Err(format!("not a count: {body}")),
        }
    }
}

fn function(z: &Value, id: &str, func: &str, wires: Value) -> Value {
    json!({"id": id, "type": "function", "z": z, "name": "", "func": func, "outputs": wires.as_array().map_or(1, Vec::len),
        "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [], "x": 100, "y": 400, "wires": wires})
}

fn end_point(z: &Value, id: &str, method: &str, url: &str, to: &str) -> Value {
    json!({"id": id, "type": "http in", "z": z, "name": "", "url": url, "method": method, "upload": false,
        "swaggerDoc": "", "x": 100, "y": 400, "wires": [[to]]})
}

/// The end-point that tells the count, and the answer that others go to as well.
fn count_end_point(z: &Value) -> [Value; 3] {
    [
        end_point(z, "vgdc-bench-count", "get", COUNT, "vgdc-bench-tell"),
        function(
            z,
            "vgdc-bench-tell",
            "msg.payload = global.get(\"vgdc_bench\") || { n: 0, t: Date.now() };\nreturn msg;",
            json!([["vgdc-bench-answer"]]),
        ),
        json!({"id": "vgdc-bench-answer", "type": "http response", "z": z, "name": "", "statusCode": "", "headers": {},
            "x": 300, "y": 400, "wires": []}),
    ]
}

/// A flow that drives itself, with the end-points.
///
/// # Errors
/// It has no inject node to press.
pub fn add(flow: &[Value]) -> Result<Vec<Value>, String> {
    let inject = flow
        .iter()
        .find(|node| node["type"] == "inject")
        .ok_or("the flow has no inject node that could start it")?;
    let (z, first) = (&inject["z"], &inject["wires"][0]);
    let mut all = flow.to_vec();
    all.extend([
        end_point(z, "vgdc-bench-start", "get", START, "vgdc-bench-press"),
        function(
            z,
            "vgdc-bench-press",
            "msg.payload = { ok: true };\nreturn [{ payload: 0 }, msg];",
            json!([first, ["vgdc-bench-answer"]]),
        ),
    ]);
    all.extend(count_end_point(z));
    Ok(all)
}

/// A user's flow with the end-points: messages are made for node `entry` (for what it is wired to, when it is an inject
/// node), which count when `ends` have done with them. `message` is JavaScript for message `i`.
pub fn add_counters(flow: &[Value], entry: &Value, ends: &[String], message: &str) -> Vec<Value> {
    let z = &entry["z"];
    let to = match entry["type"] == "inject" {
        true => entry["wires"][0].clone(),
        false => json!([entry["id"]]),
    };
    let make = format!(
        "for (let i = 0; i < msg.payload.n; i++) node.send([{message}, null]);\nmsg.payload = {{ ok: true }};\nreturn [null, msg];"
    );
    let mut all = flow.to_vec();
    all.extend([
        end_point(z, "vgdc-bench-send", "post", SEND, "vgdc-bench-make"),
        function(z, "vgdc-bench-make", &make, json!([to, ["vgdc-bench-answer"]])),
        json!({"id": "vgdc-bench-done", "type": "complete", "z": z, "name": "", "scope": ends, "uncaught": false,
            "x": 100, "y": 400, "wires": [["vgdc-bench-add"]]}),
        function(
            z,
            "vgdc-bench-add",
            "const n = (context.get(\"n\") || 0) + 1;\ncontext.set(\"n\", n);\nglobal.set(\"vgdc_bench\", { n, t: Date.now() });",
            json!([[]]),
        ),
    ]);
    all.extend(count_end_point(z));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_points_are_wired_to_what_the_inject_node_is_wired_to() {
        let flow = vec![json!({"id": "i", "type": "inject", "z": "t", "wires": [["a", "b"]]})];
        let added = add(&flow).expect("it has an inject node");
        let press = added.iter().find(|n| n["id"] == "vgdc-bench-press");
        let press = press.expect("it is added");
        assert_eq!(press["wires"], json!([["a", "b"], ["vgdc-bench-answer"]]));
        assert_eq!((&press["outputs"], &press["z"]), (&json!(2), &json!("t")));
        assert!(add(&[]).is_err());
    }

    #[test]
    fn made_messages_go_to_the_entry_and_count_at_the_ends() {
        let entry = json!({"id": "e", "type": "function", "z": "t", "wires": [[]]});
        let added = add_counters(
            std::slice::from_ref(&entry),
            &entry,
            &["e".to_owned()],
            "{ payload: i }",
        );
        let by_id = |id: &str| {
            added
                .iter()
                .find(|n| n["id"] == id)
                .cloned()
                .unwrap_or_default()
        };
        assert_eq!(by_id("vgdc-bench-make")["wires"][0], json!(["e"]));
        assert_eq!(by_id("vgdc-bench-done")["scope"], json!(["e"]));
        let inject = json!({"id": "i", "type": "inject", "z": "t", "wires": [["a"]]});
        let added = add_counters(&[], &inject, &[], "{}");
        assert_eq!(added[1]["wires"][0], json!(["a"]));
    }

    #[test]
    fn counts_are_read() {
        assert_eq!(
            Count::read("{\"n\":5,\"t\":10.5}"),
            Ok(Count { n: 5.0, t: 10.5 })
        );
        assert!(Count::read("[]").is_err());
        assert!(Count::read("x").is_err());
    }
}
