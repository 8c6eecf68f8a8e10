//! Cases of the nodes here as data: what the real Node-RED did with a message.
#![cfg(test)]

use crate::testing::Flow;
use serde_json::{Value as Json, json};
use vgdc_core::value::{Value, control::encode};

/// The node's properties, the message, and what Node-RED did: the messages it sent, and what it said.
pub type Case = (&'static str, &'static str, &'static str);

fn told(prefix: &str, value: &Value) -> Json {
    json!(format!("{prefix}: {}", value.to_js_string()))
}

fn plain(value: &Value) -> Json {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("_msgid");
        // (the id of the parts of a message is the message's)
        if let Some(parts) = object.get_mut("parts").and_then(Value::as_object_mut) {
            parts.remove("id");
        }
    }
    serde_json::from_str(&encode(&value)).expect("JSON")
}

/// Runs the cases, a flow for each set of properties; all that differ are told. `page` stands in messages where they say `@PAGE@`.
pub fn check(ty: &str, page: &str, cases: &[Case]) {
    let page = json!(page).to_string();
    let mut wrong = Vec::new();
    for chunk in cases.chunk_by(|one, other| one.0 == other.0) {
        let mut node: Json = serde_json::from_str(chunk[0].0).expect("properties");
        for (key, value) in [("id", json!("n")), ("type", json!(ty)), ("z", json!("t"))] {
            node[key] = value;
        }
        node["wires"] = json!([["sink"]]);
        let sink = json!({"id": "sink", "type": "junction", "z": "t", "wires": [[]]});
        let flow = Flow::start(json!([{"id": "t", "type": "tab"}, node, sink]));
        let (mut sent, mut failed, mut logged, mut done) = (0, 0, 0, 0);
        for (_, msg, expected) in chunk {
            let whole = msg.replace("@PAGE@", page.trim_matches('"'));
            flow.receive("n", serde_json::from_str(&whole).expect("a message"));
            let mut got: Vec<Json> = Vec::new();
            let all = flow.received("sink");
            got.extend(all[sent..].iter().map(plain));
            sent = all.len();
            let all = flow.errors("n");
            got.extend(all[failed..].iter().map(|error| told("error", error)));
            failed = all.len();
            let all: Vec<_> = flow
                .logs("n")
                .into_iter()
                .filter(|(level, _)| level == "warn")
                .collect();
            got.extend(all[logged..].iter().map(|(_, text)| told("warn", text)));
            logged = all.len();
            let all = flow.finished("n").len();
            got.extend((done..all).map(|_| json!("done")));
            done = all;
            let got = Json::from(got);
            let wanted: Json = serde_json::from_str(expected).expect("what is expected");
            // (as texts, since the order of properties counts)
            let (got, wanted) = (got.to_string(), wanted.to_string());
            if got != wanted {
                wrong.push(format!("{msg}\n  got      {got}\n  expected {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
