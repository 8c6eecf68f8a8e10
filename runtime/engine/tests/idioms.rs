//! What function bodies do, case by case, against what real Node-RED 5 was seen doing with them.
//!
//! `files/idioms.jsonl` holds a case a line: the texts, the messages, and the events of the reference runner (`expect`; errors
//! as `Name: message`). Where this engine differs knowingly, `ours` says how and `why` says why.

mod common;

use std::rc::Rc;

use common::{Recorder, bench_of, msg, source};
use serde_json::{Value as Json, json};
use vgdc_engine::{Completion, Engine, FunctionSource};

const CASES: &str = include_str!("files/idioms.jsonl");

fn texts(case: &Json, name: &str) -> Vec<String> {
    let list = case[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name} is a list in {case}"));
    list.iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

fn function_of(case: &Json) -> FunctionSource {
    FunctionSource {
        output_count: case["outputs"].as_u64().unwrap_or(1) as usize,
        initialize: case["setup"].as_str().unwrap_or_default().to_owned(),
        timeout_s: case["timeout"].as_f64().unwrap_or(0.0),
        ..source(case["body"].as_str().expect("a body"))
    }
}

/// Runs a case as a function node would, and gives its events in the reference's words.
fn run(case: &Json) -> Vec<String> {
    let source = function_of(case);
    let engine = Engine::new(common::limits()).expect("an engine");
    let host = Rc::new(Recorder::default());
    host.clock.set(1_700_000_000_000.0);
    if let Err(error) = engine.function(&source, host) {
        return vec![format!("error {}", error.message)];
    }
    let bench = bench_of(&source);
    if let Completion::Failed(error) = bench.function.setup() {
        return vec![format!("error {}", error.message)];
    }
    for (call, text) in case["msgs"]
        .as_array()
        .expect("messages")
        .iter()
        .enumerate()
    {
        match bench.function.call(msg(&text.to_string()), call as u64 + 1) {
            Completion::Done(_) => bench.host.events.borrow_mut().push("done".to_owned()),
            Completion::Pending => {}
            Completion::Failed(error) => bench
                .host
                .events
                .borrow_mut()
                .push(format!("error {}", error.message)),
        }
    }
    bench.advance(1000.0);
    bench.host.take()
}

/// Ids that differ from run to run, made the same.
fn normal(line: &str) -> String {
    let Some((head, text)) = line
        .split_once('{')
        .map(|(head, rest)| (head, format!("{{{rest}")))
    else {
        return line.to_owned();
    };
    let Ok(mut value) = serde_json::from_str::<Json>(&text) else {
        return line.to_owned();
    };
    blur(&mut value);
    format!("{head}{value}")
}

fn blur(value: &mut Json) {
    match value {
        Json::Object(map) => {
            if map.get("$type") == Some(&json!("handle")) {
                map.insert("id".to_owned(), json!("*"));
            }
            if map.get("$type") == Some(&json!("error")) {
                map.remove("stack");
            }
            for (key, value) in map.iter_mut() {
                if key == "_msgid" && value.as_str().is_some_and(|id| id.len() == 16) {
                    *value = json!("*");
                }
                blur(value);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(blur),
        _ => {}
    }
}

#[test]
fn bodies_do_what_they_do_in_node_red() {
    let only = std::env::var("CASE").ok();
    let mut wrong = Vec::new();
    for line in CASES.lines() {
        let case: Json = serde_json::from_str(line).expect("a case");
        if only
            .as_ref()
            .is_some_and(|only| !line.contains(only.as_str()))
        {
            continue;
        }
        let wanted = texts(
            &case,
            if case.get("ours").is_some() {
                "ours"
            } else {
                "expect"
            },
        );
        let wanted: Vec<String> = wanted.iter().map(|line| normal(line)).collect();
        let got: Vec<String> = run(&case).iter().map(|line| normal(line)).collect();
        if got != wanted {
            wrong.push(format!(
                "{}\n  wanted {wanted:#?}\n  got    {got:#?}",
                case["body"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_known_difference_has_a_reason() {
    let cases: Vec<Json> = CASES
        .lines()
        .map(|line| serde_json::from_str(line).expect("a case"))
        .collect();
    assert!(cases.len() >= 350);
    for case in &cases {
        assert_eq!(
            case.get("ours").is_some(),
            case["why"].is_string(),
            "{case}"
        );
        assert_ne!(case.get("ours"), case.get("expect"), "{case}");
    }
}
