//! Regions that LLVM compiled (`vgdc build --release`): one program with many chains, held against the oracle.
//!
//! ```sh
//! cargo test --workspace --test regions release:: -- --ignored --nocapture
//! ```
//!
//! `VGDC_LOT=300` takes more chains.

use super::{counts, draw, flow, payload, told};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::process::Command;
use vgdc_tests::{Control, run, text};

/// A chain of its own tab, and what its first node gets.
struct Chain {
    nodes: Vec<Value>,
    payloads: Vec<Value>,
}

/// The same each time.
fn chains() -> Vec<Chain> {
    let asked = std::env::var("VGDC_LOT").ok();
    let count = asked.and_then(|count| count.parse().ok()).unwrap_or(60);
    let drawn = (
        proptest::collection::vec(draw(), 2..7),
        proptest::bool::ANY,
        proptest::collection::vec(payload(), 2..6),
    );
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|at| {
            let tree = drawn.new_tree(&mut runner).expect("draws");
            let (draws, catches, payloads) = tree.current();
            let nodes = flow(&draws, catches);
            let nodes = nodes.as_array().into_iter().flatten();
            Chain {
                nodes: nodes.map(|node| renamed(node, at)).collect(),
                payloads,
            }
        })
        .collect()
}

/// The id of a node in the chain with this number.
fn id(at: usize, id: &str) -> String {
    format!("c{at}-{id}")
}

fn renamed(node: &Value, at: usize) -> Value {
    let name = |value: &Value| value.as_str().map(|name| json!(id(at, name)));
    let mut node = node.clone();
    for field in ["id", "z"] {
        if let Some(new) = name(&node[field]) {
            node[field] = new;
        }
    }
    for target in node["wires"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_array_mut)
        .flatten()
    {
        *target = name(target).expect("an id");
    }
    node
}

/// What all chains do, one after the other, and what was counted.
fn all(mut control: Control, chains: &[Chain], deployed: Option<&Value>) -> (Vec<Value>, Value) {
    if let Some(flows) = deployed {
        control.good("deploy", json!({"flows": flows}));
    }
    let ends: Vec<String> = (0..chains.len())
        .flat_map(|at| ["last", "side", "caught"].map(|end| id(at, end)))
        .collect();
    control.good("watch", json!({"nodes": ends, "events": ["input"]}));
    let said = json!({"nodes": "*", "events": ["error", "status", "log"]});
    control.good("watch", said);
    let stories = chains
        .iter()
        .enumerate()
        .map(|(at, chain)| json!(told(&mut control, &id(at, "n0"), &chain.payloads)))
        .collect();
    let metrics = control.good("metrics", json!({}));
    assert_eq!(control.end(), Some(0));
    (stories, counts(&metrics))
}

#[test]
#[ignore = "compiles dozens of regions with LLVM, which takes minutes: run it by hand"]
fn regions_that_llvm_compiled_do_what_their_nodes_do() {
    let chains = chains();
    let flows: Value = chains
        .iter()
        .flat_map(|chain| chain.nodes.clone())
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows.json");
    std::fs::write(&path, flows.to_string()).expect("writes");
    let app = folder.path().join("app");
    let (path, out) = (path.to_string_lossy(), app.to_string_lossy());
    let built = run(&["build", "--release", "--observable", &path, "-o", &out]);
    assert!(built.status.success(), "{}", text(&built.stderr));

    let (expected, counted) = all(
        Control::start(&["--target", "interp"]),
        &chains,
        Some(&flows),
    );
    let program = Control::start_command(Command::new(&app).args(["--control", "stdio"]));
    let (found, count) = all(program, &chains, None);
    let mut wrong = Vec::new();
    for (at, chain) in chains.iter().enumerate() {
        if expected[at] != found[at] {
            let Chain { nodes, payloads } = chain;
            wrong.push(format!(
                "{}\n  {payloads:?}\n  {}\n  {}",
                json!(nodes),
                expected[at],
                found[at]
            ));
        }
    }
    println!("{} chains, {} differ", chains.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counted, count);
}
