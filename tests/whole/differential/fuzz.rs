//! The generators run by lot for as long as one likes, and the cases that they found stay.
//!
//! ```sh
//! VGDC_FUZZ_SECONDS=600 cargo test -p vgdc-tests --test differential fuzz::for_a_time -- --ignored --nocapture
//! ```
//!
//! A case in which machine code and the engine (or an optimised flow and the oracle) disagree is made as small as proptest
//! can, and written into `tests/fuzz`: commit it with what mends it. Every test run repeats what is there.

use super::{Story, bodies, both, deployed, draws, engine_and_native, flow, messages, watching};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use vgdc_tests::{Control, run, text};

/// How many bodies are drawn at a time.
const BATCH: usize = 200;
/// For so many bodies there is a flow.
const BODIES: usize = 8;
/// How often a case is made smaller.
const SMALLER: u32 = 400;

/// Something to be held against each other.
#[derive(Clone, Debug)]
pub enum Case {
    Body(String),
    Flow(Value, Vec<Value>),
}

impl Case {
    fn json(&self) -> Value {
        match self {
            Case::Body(body) => json!({"body": body}),
            Case::Flow(flow, payloads) => json!({"flow": flow, "payloads": payloads}),
        }
    }

    fn of(json: &Value) -> Case {
        match json["body"].as_str() {
            Some(body) => Case::Body(body.to_owned()),
            None => {
                let payloads = json["payloads"].as_array().cloned().unwrap_or_default();
                Case::Flow(json["flow"].clone(), payloads)
            }
        }
    }
}

/// Messages for bodies by lot.
pub fn lot_of_messages() -> Vec<Value> {
    let mut all = vec![
        json!({"payload": 5}),
        json!({"payload": "x y", "x": {"n": [1], "k": 2}}),
        json!({"payload": {"k": 1}, "x": [0, "a"]}),
        json!({"payload": [1, 2]}),
        json!({"payload": {"$type": "number", "value": "NaN"}, "x": {"$type": "number", "value": "-0"}}),
    ];
    all.extend(messages().into_iter().take(2));
    all
}

/// Two processes for bodies and two for flows.
struct Processes {
    bodies: [Control; 2],
    flows: [Control; 2],
}

impl Processes {
    fn start() -> Processes {
        Processes {
            bodies: engine_and_native(),
            flows: [&["--target", "interp"][..], &[]].map(|args| watching(Control::start(args))),
        }
    }

    fn stories(&mut self, case: &Case) -> [Story; 2] {
        match case {
            Case::Body(body) => both(&mut self.bodies, body, &lot_of_messages()),
            Case::Flow(flow, payloads) => {
                let [oracle, optimised] = &mut self.flows;
                [
                    deployed(oracle, flow, payloads),
                    deployed(optimised, flow, payloads),
                ]
            }
        }
    }

    /// How a case goes wrong, if it does. A process that does not answer any more is wrong, and started anew.
    fn fault(&mut self, case: &Case) -> Option<String> {
        match catch_unwind(AssertUnwindSafe(|| self.stories(case))) {
            Ok([one, other]) => (one != other).then(|| format!("{one:#?}\n{other:#?}")),
            Err(_) => {
                *self = Processes::start();
                Some("a process does not answer".to_owned())
            }
        }
    }
}

fn folder() -> PathBuf {
    vgdc_tests::root().join("tests/fuzz")
}

/// The cases that were found, with the names of their files.
pub fn kept() -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder()).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let text = std::fs::read_to_string(&path).expect("reads");
            let json: Value = serde_json::from_str(&text).expect("JSON");
            let name = entry.file_name().to_string_lossy().into_owned();
            cases.push((name, Case::of(&json)));
        }
    }
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    cases
}

/// Writes a case, under a name that is made of it.
fn keep(case: &Case) -> PathBuf {
    let text = format!("{:#}\n", case.json());
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder().join(format!("{hash:016x}.json"));
    std::fs::create_dir_all(folder()).expect("writes");
    std::fs::write(&path, text).expect("writes");
    path
}

/// How many of these bodies become machine code, as `vgdc explain` says.
pub fn lowered(bodies: &[String]) -> Vec<bool> {
    let flow: Vec<Value> = std::iter::once(json!({"id": "t", "type": "tab"}))
        .chain(bodies.iter().enumerate().map(|(at, body)| {
            json!({"id": format!("n{at}"), "type": "function", "z": "t", "x": 1, "y": 1, "func": body, "outputs": 1, "wires": [[]]})
        }))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows.json");
    std::fs::write(&path, Value::Array(flow).to_string()).expect("writes");
    let told = text(&run(&["explain", &path.to_string_lossy()]).stdout);
    (0..bodies.len())
        .map(|at| {
            let ends = [
                format!("n{at}: `func` is machine code"),
                format!("(n{at}): `func` is machine code"),
            ];
            told.lines().any(|line| {
                let line = line.trim_start_matches([' ', '+']);
                line == ends[0] || line.ends_with(&ends[1])
            })
        })
        .collect()
}

#[test]
fn what_was_found_once_is_right_now() {
    let cases = kept();
    if cases.is_empty() {
        return;
    }
    let mut processes = Processes::start();
    let faults: Vec<String> = cases
        .iter()
        .filter_map(|(name, case)| Some(format!("{name}: {}", processes.fault(case)?)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn it_is_told_which_bodies_become_machine_code() {
    let bodies = [
        "return msg;",
        "return class {};",
        "msg.payload = 1; return msg;",
    ];
    assert_eq!(lowered(&bodies.map(str::to_owned)), [true, false, true]);
}

#[test]
#[ignore = "runs for as long as VGDC_FUZZ_SECONDS says"]
fn for_a_time() {
    let seconds = std::env::var("VGDC_FUZZ_SECONDS").ok();
    let seconds: u64 = seconds
        .and_then(|text| text.parse().ok())
        .expect("VGDC_FUZZ_SECONDS is a number");
    let until = Instant::now() + Duration::from_secs(seconds);
    let seed: [u8; 32] = std::array::from_fn(|_| rand_byte());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let body = bodies::body().prop_map(Case::Body).boxed();
    let payload = prop_oneof![
        (0..7).prop_map(Value::from),
        Just(json!([1, 2])),
        Just(json!("1\n3")),
        Just(json!({"a": 1}))
    ];
    let whole = (draws(), prop::collection::vec(payload, 1..4))
        .prop_map(|(draws, payloads)| Case::Flow(flow(&draws), payloads))
        .boxed();
    let mut processes = Processes::start();
    let mut count = Count::default();
    let mut faults = Vec::new();
    let mut told = Instant::now();
    while Instant::now() < until {
        let mut draw =
            |strategy: &BoxedStrategy<Case>| strategy.new_tree(&mut runner).expect("draws");
        let mut trees: Vec<_> = (0..BATCH).map(|_| draw(&body)).collect();
        let texts: Vec<String> = trees
            .iter()
            .map(|tree| match tree.current() {
                Case::Body(text) => text,
                Case::Flow(..) => String::new(),
            })
            .collect();
        // (whatever runs in the engine anyhow shows nothing)
        let mut is_native = lowered(&texts).into_iter();
        trees.retain(|_| is_native.next() == Some(true));
        count.drawn += texts.len();
        count.native += trees.len();
        let flows: Vec<_> = (0..trees.len().div_ceil(BODIES))
            .map(|_| draw(&whole))
            .collect();
        count.flows += flows.len();
        for mut tree in trees.into_iter().chain(flows) {
            let case = tree.current();
            let Some(fault) = processes.fault(&case) else {
                continue;
            };
            // (what came before may have had a part in it: it does not have one in what is kept)
            processes = Processes::start();
            let path = match processes.fault(&case) {
                Some(_) => keep(&smallest(&mut processes, tree.as_mut(), case)),
                None => {
                    println!("differed once, and not in new processes: {fault}");
                    keep(&case)
                }
            };
            println!("differs: {}", path.display());
            faults.push(path);
            processes = Processes::start();
        }
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!("{count}, {} differ", faults.len());
        }
    }
    println!("{seconds} s: {count}, {} differ", faults.len());
    assert!(faults.is_empty(), "{faults:#?}");
}

/// What has been tried.
#[derive(Default)]
struct Count {
    drawn: usize,
    native: usize,
    flows: usize,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Count {
            drawn,
            native,
            flows,
        } = self;
        write!(
            f,
            "{} cases: {native} bodies that become machine code (of {drawn} drawn), {flows} flows",
            native + flows
        )
    }
}

/// Makes a case that goes wrong smaller, as long as it does.
fn smallest(
    processes: &mut Processes,
    tree: &mut dyn ValueTree<Value = Case>,
    mut worst: Case,
) -> Case {
    for _ in 0..SMALLER {
        if !tree.simplify() {
            break;
        }
        let mut case = tree.current();
        while processes.fault(&case).is_none() {
            if !tree.complicate() {
                return worst;
            }
            case = tree.current();
        }
        worst = case;
    }
    worst
}

/// Another one each time.
fn rand_byte() -> u8 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0) as u8
}
