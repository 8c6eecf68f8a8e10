//! How much goes through nodes and wires, told on the topic `vgdc/metrics` for as long as somebody listens.

use crate::comms::Board;
use crate::drive::Driver;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The topic.
pub(crate) const TOPIC: &str = "vgdc/metrics";
/// Time between two messages.
const EVERY: Duration = Duration::from_millis(250);

/// Tells it until the process ends.
pub(crate) async fn tell(board: Arc<Board>, driver: Arc<Driver>) {
    let mut before: Option<(Instant, Value)> = None;
    loop {
        if !board.is_wanted(TOPIC) {
            before = None;
            board.awaited(EVERY * 4).await;
            continue;
        }
        let (metrics, nodes) = (
            driver.ask("metrics", &[]).await,
            driver.ask("nodes", &[]).await,
        );
        let (Ok(metrics), Ok(nodes)) = (metrics, nodes) else {
            return;
        };
        let now = Instant::now();
        let metrics: Value = serde_json::from_str(&metrics).unwrap_or_default();
        let nodes: Value = serde_json::from_str(&nodes).unwrap_or_default();
        if let Some((then, old)) = &before {
            let seconds = now.duration_since(*then).as_secs_f64().max(1e-3);
            board.tell(TOPIC, &rates(old, &metrics, &nodes, seconds).to_string());
        }
        before = Some((now, metrics));
        tokio::time::sleep(EVERY).await;
    }
}

/// Messages a second of nodes and wires, and how long they take, from two counts.
fn rates(old: &Value, new: &Value, nodes: &Value, seconds: f64) -> Value {
    let counted = |count: &Value| count.as_u64().unwrap_or(0);
    let micros = |ns: &Value| ns.as_f64().map_or(Value::Null, |ns| json!(ns / 1000.0));
    let millis = |ns: &Value| ns.as_f64().map_or(Value::Null, |ns| json!(ns / 1e6));
    let (mut of_nodes, mut edges) = (Map::new(), Map::new());
    let empty = Map::new();
    let all = new["nodes"].as_object().unwrap_or(&empty);
    for (id, node) in all {
        let past = &old["nodes"][id];
        // (counts of a node that was started anew begin again)
        let rate =
            |name: &str| counted(&node[name]).saturating_sub(counted(&past[name])) as f64 / seconds;
        let times = &node["handling_ns"];
        let entry = json!({
            "rate": rate("in").max(rate("out")), "us": micros(&times["p50"]), "errors": counted(&node["errors"]),
        });
        of_nodes.insert(id.clone(), entry);
    }
    let listed: HashMap<&str, &Value> = nodes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    for (id, node) in &listed {
        let (now, past) = (
            &all.get(*id).unwrap_or(&Value::Null)["outputs"],
            &old["nodes"][*id]["outputs"],
        );
        for (port, wires) in node["wires"].as_array().into_iter().flatten().enumerate() {
            let rate = counted(&now[port]).saturating_sub(counted(&past[port])) as f64 / seconds;
            for to in wires
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let times = &all.get(to).unwrap_or(&Value::Null)["handling_ns"];
                let waiting = &all.get(to).unwrap_or(&Value::Null)["waiting"];
                let entry = json!({
                    "rate": rate, "p50": millis(&times["p50"]), "p99": millis(&times["p99"]), "queue": waiting,
                });
                edges.insert(format!("{id}:{port}:{to}"), entry);
            }
        }
    }
    json!({ "edges": edges, "nodes": of_nodes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_differences_of_counts() {
        let old = json!({"nodes": {"a": {"in": 0, "out": 10, "outputs": [10], "errors": 0}}});
        let new = json!({"nodes": {
            "a": {"in": 0, "out": 30, "outputs": [30], "errors": 1},
            "b": {"in": 5, "out": 0, "outputs": [], "errors": 0, "waiting": 3, "handling_ns": {"p50": 2000, "p99": 4000}},
        }});
        let nodes = json!([{"id": "a", "wires": [["b"]]}, {"id": "b", "wires": []}]);
        assert_eq!(
            rates(&old, &new, &nodes, 2.0),
            json!({
                "edges": {"a:0:b": {"rate": 10.0, "p50": 0.002, "p99": 0.004, "queue": 3}},
                "nodes": {
                    "a": {"rate": 10.0, "us": null, "errors": 1},
                    "b": {"rate": 2.5, "us": 2.0, "errors": 0},
                },
            })
        );
    }
}
