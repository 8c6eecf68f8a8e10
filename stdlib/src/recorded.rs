//! What Node-RED 5.0 did with a node, as data, and a test that this library does the same.
//!
//! A file in `tests/recorded/` is a list of cases: a node `n`, settings, the messages that it gets, and whether it
//! is stopped then; and what came of it: the messages that the nodes wired to it (`h1`, `h2` …) got, those it finished with,
//! its errors and its statuses. Values are in the control protocol's form; errors are without their stack, and numbers
//! of processes and generated ids are left out.

use crate::testing::{Flow, Setup};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use vgdc_core::value::{Value, control};

/// Runs all cases of a file and compares.
pub(crate) fn check(file: &str) {
    let cases: Vec<Json> = serde_json::from_str(file).expect("a list of cases");
    let failed: Vec<String> = cases.iter().filter_map(failure).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// What a case did otherwise, if anything.
fn failure(case: &Json) -> Option<String> {
    let outputs = case["node"]["wires"].as_array().map_or(0, Vec::len);
    let wired: Vec<String> = (1..=outputs).map(|number| format!("h{number}")).collect();
    let mut nodes = vec![case["node"].clone()];
    nodes.extend(wired.iter().map(|id| json!({ "id": id, "type": "helper" })));
    let setup = Setup {
        settings: case.get("settings").cloned().unwrap_or(json!({})),
        ..Default::default()
    };
    let mut flow = Flow::start_with(Json::Array(nodes), setup);
    for msg in list(&case["msgs"]) {
        flow.post("n", msg);
    }
    let wanted = expected(case, &wired);
    if case["stop"] == json!(true) {
        flow.settle();
        flow.stop();
    }
    // (what a process says comes later)
    let begin = Instant::now();
    while seen(&flow, &wired).len() < wanted.len() && begin.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(2));
    }
    if case["stop"] != json!(true) {
        flow.settle();
    }
    let seen = seen(&flow, &wired);
    (seen != wanted).then(|| {
        let (seen, wanted) = (seen.join("\n  "), wanted.join("\n  "));
        format!("{}\n  {seen}\ninstead of\n  {wanted}", case["name"])
    })
}

fn list(json: &Json) -> Vec<Json> {
    json.as_array().cloned().unwrap_or_default()
}

fn expected(case: &Json, wired: &[String]) -> Vec<String> {
    let lines = |what: &str, values: &Json| -> Vec<String> {
        list(values).iter().map(|value| line(what, value)).collect()
    };
    let mut all: Vec<String> = wired
        .iter()
        .flat_map(|id| lines(id, &case["received"][id]))
        .collect();
    for what in ["finished", "errors", "statuses"] {
        all.extend(lines(what, &case[what]));
    }
    all
}

fn seen(flow: &Flow, wired: &[String]) -> Vec<String> {
    let lines = |what: &str, values: Vec<Value>| -> Vec<String> {
        let encoded = values.iter().map(control::encode);
        let parsed = encoded.map(|text| serde_json::from_str(&text).unwrap_or_default());
        parsed
            .map(|value: Json| line(what, &cleaned(value)))
            .collect()
    };
    let mut all: Vec<String> = wired
        .iter()
        .flat_map(|id| lines(id, flow.received(id)))
        .collect();
    all.extend(lines("finished", flow.finished("n")));
    all.extend(lines("errors", flow.errors("n")));
    all.extend(lines("statuses", flow.statuses("n")));
    all
}

fn line(what: &str, value: &Json) -> String {
    format!("{what} {value}")
}

/// Without stacks, numbers of processes and generated ids.
fn cleaned(mut value: Json) -> Json {
    match &mut value {
        Json::Object(object) => {
            if object.get("$type") == Some(&json!("error")) {
                object.remove("stack");
            }
            object
                .values_mut()
                .for_each(|value| *value = cleaned(value.take()));
        }
        Json::Array(items) => items
            .iter_mut()
            .for_each(|value| *value = cleaned(value.take())),
        Json::String(text) => {
            let digits = |digits: &str, radix| digits.chars().all(|c| c.is_digit(radix));
            if text.strip_prefix("pid:").is_some_and(|pid| digits(pid, 10)) {
                *text = "pid".to_owned();
            } else if text.len() == 16 && digits(text, 16) {
                *text = "generated".to_owned();
            }
        }
        _ => {}
    }
    value
}
