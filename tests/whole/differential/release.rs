//! Functions that LLVM compiled (`vgdc build --release`) against the engine and against Cranelift's machine code: one
//! program with all of them, so that rustc runs once.
//!
//! ```sh
//! cargo test -p vgdc-tests --test differential release:: -- --ignored --nocapture
//! ```
//!
//! `VGDC_LOT=5000` takes more bodies by lot, `VGDC_CORPUS=bodies.jsonl` those of a corpus, too.

use super::fuzz::{Case, kept, lot_of_messages, lowered};
use super::{SHOWN, Story, bodies, delivered, messages, varies};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::process::Command;
use vgdc_tests::{Control, root, run, text};

/// A body and the messages that it gets.
struct Try {
    body: String,
    messages: Vec<Value>,
}

/// The recorded idioms.
fn idioms() -> Vec<Try> {
    let path = root().join("runtime/engine/tests/files/idioms.jsonl");
    let text = std::fs::read_to_string(path).expect("the idioms");
    let mut all = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let body = case["body"].as_str().expect("a body");
        if varies(body) || case.get("setup").is_some() || case.get("timeout").is_some() {
            continue;
        }
        let plain = |msg: &&Value| msg.is_object() && msg.get("$type").is_none();
        let own = case["msgs"].as_array().into_iter().flatten();
        all.push(Try {
            body: body.to_owned(),
            messages: own.filter(plain).cloned().chain(messages()).collect(),
        });
    }
    all
}

fn number(variable: &str, usual: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Bodies by lot, the same each time, and those that were found once.
fn lot() -> Vec<Try> {
    let mut runner = TestRunner::deterministic();
    let mut all: Vec<String> = (0..number("VGDC_LOT", 1000))
        .map(|_| {
            let tree = bodies::body().new_tree(&mut runner);
            tree.expect("draws").current()
        })
        .collect();
    all.extend(kept().into_iter().filter_map(|(_, case)| match case {
        Case::Body(body) => Some(body),
        Case::Flow(..) => None,
    }));
    all.into_iter()
        .map(|body| Try {
            body,
            messages: lot_of_messages(),
        })
        .collect()
}

/// The bodies of a corpus, if there is one.
fn corpus() -> Vec<Try> {
    let Some(path) = std::env::var_os("VGDC_CORPUS") else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).expect("reads");
    let mut all = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let body = case["func"].as_str().expect("a body").to_owned();
        if !varies(&body) && !body.contains("while") {
            all.push(Try {
                body,
                messages: messages(),
            });
        }
    }
    all
}

/// A flow of one tab a body; the first one has this number.
fn flow(first: usize, tries: &[Try]) -> Value {
    let mut all = Vec::new();
    for (at, Try { body, .. }) in (first..).zip(tries) {
        let tab = format!("t{at}");
        let ends: Vec<String> = (0..4).map(|end| format!("n{at}o{end}")).collect();
        all.push(json!({"id": tab, "type": "tab", "env": [{"name": "STEP", "value": "3", "type": "num"}]}));
        all.push(json!({"id": format!("n{at}"), "type": "function", "name": "F", "z": tab, "x": 1, "y": 1, "func": body, "outputs": 4, "wires": ends.iter().map(|end| [end]).collect::<Vec<_>>()}));
        all.extend(
            ends.iter()
                .map(|end| json!({"id": end, "type": "helper", "z": tab, "wires": []})),
        );
    }
    Value::Array(all)
}

/// What each body does with its messages.
fn stories(control: &mut Control, first: usize, tries: &[Try]) -> Vec<Story> {
    control.good("watch", json!({"nodes": "*", "events": SHOWN}));
    let story =
        |(at, Try { messages, .. }): (usize, &Try)| delivered(control, &format!("n{at}"), messages);
    (first..).zip(tries).map(story).collect()
}

#[test]
#[ignore = "compiles hundreds of functions with LLVM, which takes minutes: run it by hand"]
fn functions_that_llvm_compiled_do_what_the_engine_does() {
    let mut tries = idioms();
    tries.extend(lot());
    tries.extend(corpus());
    // (whatever runs in the engine anyhow shows nothing)
    let texts: Vec<String> = tries.iter().map(|one| one.body.clone()).collect();
    let mut is_native = texts
        .chunks(200)
        .flat_map(lowered)
        .collect::<Vec<_>>()
        .into_iter();
    tries.retain(|_| is_native.next() == Some(true));
    assert!(tries.len() > 150, "{} are machine code", tries.len());
    let flow = flow(0, &tries);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows.json");
    std::fs::write(&path, flow.to_string()).expect("writes");
    let app = folder.path().join("app");
    let (path, out) = (path.to_string_lossy(), app.to_string_lossy());
    let built = run(&["build", "--release", "--observable", &path, "-o", &out]);
    assert!(built.status.success(), "{}", text(&built.stderr));

    // (a few at a time: a request has ten seconds, and a busy machine takes longer to deploy hundreds of functions)
    let [engine, cranelift] = [&["--target", "interp"][..], &[]].map(|args| {
        let mut control = Control::start(args);
        let told = tries.chunks(100).enumerate().flat_map(|(chunk, some)| {
            let first = chunk * 100;
            control.good("deploy", json!({"flows": self::flow(first, some)}));
            control.events.clear();
            stories(&mut control, first, some)
        });
        told.collect::<Vec<_>>()
    });
    let mut command = Command::new(&app);
    let mut program = Control::start_command(command.args(["--control", "stdio"]));
    let llvm = stories(&mut program, 0, &tries);
    assert_eq!(program.end(), Some(0));

    let mut wrong = Vec::new();
    for (at, Try { body, .. }) in tries.iter().enumerate() {
        for (name, found) in [("Cranelift", &cranelift[at]), ("LLVM", &llvm[at])] {
            if found != &engine[at] {
                wrong.push(format!("{name}: {body}\n  {:?}\n  {found:?}", engine[at]));
            }
        }
    }
    println!("{} bodies, {} differ", tries.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
