//! What the bench adds to a flow that drives itself, on all targets alike: an HTTP end-point that presses the flow's inject
//! node, and one that tells how many messages were counted, when. Node-RED has no control protocol; this is what every
//! target has.
//!
//! The flow counts by itself: now and then it sets the global context's `vgdc_bench` to `{n, t}`: messages so far, and the
//! time in milliseconds. The rate between two such counts does not depend on when they are asked for.

use serde_json::{Value, json};

/// The path that starts the flow.
pub const START: &str = "/vgdc-bench/start";
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

/// The flow with the end-points.
///
/// # Errors
/// It has no inject node to press.
pub fn add(flow: &[Value]) -> Result<Vec<Value>, String> {
    let inject = flow
        .iter()
        .find(|node| node["type"] == "inject")
        .ok_or("the flow has no inject node that could start it")?;
    let (z, first) = (&inject["z"], &inject["wires"][0]);
    let function = |id: &str, func: &str, wires: Value| {
        json!({"id": id, "type": "function", "z": z, "name": "", "func": func, "outputs": wires.as_array().map_or(1, Vec::len),
            "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [], "x": 100, "y": 400, "wires": wires})
    };
    let end_point = |id: &str, url: &str, to: &str| {
        json!({"id": id, "type": "http in", "z": z, "name": "", "url": url, "method": "get", "upload": false,
            "swaggerDoc": "", "x": 100, "y": 400, "wires": [[to]]})
    };
    let mut all = flow.to_vec();
    all.extend([
        end_point("vgdc-bench-start", START, "vgdc-bench-press"),
        function(
            "vgdc-bench-press",
            "msg.payload = { ok: true };\nreturn [{ payload: 0 }, msg];",
            json!([first, ["vgdc-bench-answer"]]),
        ),
        end_point("vgdc-bench-count", COUNT, "vgdc-bench-tell"),
        function(
            "vgdc-bench-tell",
            "msg.payload = global.get(\"vgdc_bench\") || { n: 0, t: Date.now() };\nreturn msg;",
            json!([["vgdc-bench-answer"]]),
        ),
        json!({"id": "vgdc-bench-answer", "type": "http response", "z": z, "name": "", "statusCode": "", "headers": {},
            "x": 300, "y": 400, "wires": []}),
    ]);
    Ok(all)
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
    fn counts_are_read() {
        assert_eq!(
            Count::read("{\"n\":5,\"t\":10.5}"),
            Ok(Count { n: 5.0, t: 10.5 })
        );
        assert!(Count::read("[]").is_err());
        assert!(Count::read("x").is_err());
    }
}
