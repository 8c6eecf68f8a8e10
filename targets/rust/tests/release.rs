//! The generated code against the plan it was made of: once compiled into this test, once built by cargo as a program.

use serde_json::json;
use std::path::Path;
use vgdc_mir::{Arg, Arith, Body, Builder, Helper, Inst, Kind, MSG, Math, Terminator};
use vgdc_plan::native::Code;
use vgdc_plan::{Chain, Edge, EnvScope, EnvVar, FORMAT, Flow, Listener, Op, Plan, Port};

/// What [`vgdc_target_rust::emit`] gives for [`plan`]. `VGDC_BLESS=1` writes it anew.
#[rustfmt::skip]
#[allow(clippy::needless_update)]
#[path = "golden/flow.rs"]
mod golden;

fn edge(to: u32) -> Port {
    Port {
        edges: vec![Edge { to, fused: to == 3 }],
    }
}

fn op(id: &str, ty: &str, props: serde_json::Value) -> Op {
    let props = props.as_object().cloned().unwrap_or_default();
    Op {
        id: id.to_owned(),
        ty: ty.to_owned(),
        z: Some("tab".to_owned()),
        flow: 1,
        env: 1,
        props,
        ..Op::default()
    }
}

/// Something of everything a plan can have, and texts that a source file cannot hold as they are.
fn plan() -> Plan {
    let listener = Chain {
        levels: vec![
            vec![Listener {
                op: 2,
                uncaught: true,
            }],
            Vec::new(),
        ],
    };
    let inject = json!({"once": true, "onceDelay": 0.1, "repeat": "", "crontab": "", "props": [{"p": "payload"}], "payload": "7", "payloadType": "num"});
    let rules = json!({"rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "\"#\"##\r\n\u{202e}", "tot": "str"}]});
    let mut change = op("n2", "change", rules);
    change.name = Some("say \"hi\"\n// \u{202e}then".to_owned());
    change.ports = vec![edge(3)];
    change.wires = vec![vec!["n4".to_owned()]];
    change.catch = vec![listener.clone()];
    change.status = vec![listener];
    change.complete = vec![2];
    change.targets = vec![0, 3];
    change.configs = vec![2];
    change.native = [("func".to_owned(), 1), ("initialize".to_owned(), 0)].into();
    change.fingerprint = "f00".to_owned();
    let debug = json!({"active": true, "tosidebar": true, "complete": "payload", "targetType": "msg", "n": [1.5, -0.0, 1e300, null]});
    let start = Op {
        ports: vec![edge(1), Port::default()],
        name: Some(String::new()),
        ..op("n1", "inject", inject)
    };
    let catch = Op {
        g: Some("group".to_owned()),
        ..op("n3", "catch", json!({}))
    };
    let end = Op {
        alias: Some("n4".to_owned()),
        process: Some("debug".to_owned()),
        ..op("i-n4", "subflow:x", debug)
    };
    let variable = EnvVar {
        name: "SPEED".to_owned(),
        ty: "num".to_owned(),
        value: json!({"a": ["1"]}),
        scope: Some(0),
    };
    let inner = EnvScope {
        parent: Some(0),
        outer: Some(0),
        vars: vec![variable],
        builtin: vec![("NR_FLOW_ID".to_owned(), "tab".to_owned())],
        credentials_of: Some("tab".to_owned()),
    };
    let global = Flow {
        id: "global".to_owned(),
        path: "global".to_owned(),
        ..Flow::default()
    };
    let tab = Flow {
        id: "tab".to_owned(),
        label: "A \u{7} tab".to_owned(),
        parent: Some(0),
        path: "tab".to_owned(),
        env: 1,
    };
    Plan {
        format: FORMAT,
        ops: vec![start, change, catch, end],
        hash: "0f".to_owned(),
        islands: vec![vec![0, 1, 2, 3]],
        loads: vec![7],
        flows: vec![global, tab],
        env: vec![EnvScope::default(), inner],
        code: Some(Code::linked(
            bodies().iter().map(|body| body.function(0)).collect(),
        )),
        regions: Vec::new(),
        places: Vec::new(),
        mesh: None,
        settings: Default::default(),
    }
}

/// A function with a loop over a list, one that uses every helper, and one that has a loop with two entrances.
fn bodies() -> [Body; 3] {
    [sum(), everything(), tangled()]
}

fn sum() -> Body {
    let mut b = Builder::new();
    let (list, scratch, sum, at) = (b.slot(), b.slot(), b.num(), b.num());
    let (key, length) = (b.key("payload"), b.key("length"));
    let (found, caches) = (b.addr(), [b.cache(), b.cache()]);
    b.push(Inst::Get {
        dst: found,
        base: MSG.into(),
        scratch,
        key,
        cache: caches[0],
    });
    b.push(Inst::Copy {
        dst: list,
        src: found.into(),
    });
    for (dst, value) in [(sum, -0.0), (at, 0.0)] {
        b.push(Inst::Num { dst, value });
    }
    let [test, turn, end] = std::array::from_fn(|_| b.block());
    b.jump(test);
    b.switch_to(test);
    b.call(Helper::Tick, []);
    let (found, count, more) = (b.addr(), b.num(), b.flag());
    b.push(Inst::Get {
        dst: found,
        base: list.into(),
        scratch,
        key: length,
        cache: caches[1],
    });
    b.push(Inst::ToNumber {
        dst: count,
        src: found.into(),
    });
    b.push(Inst::Compare {
        op: vgdc_mir::Compare::Lt,
        dst: more,
        a: at,
        b: count,
    });
    b.end(Terminator::Branch(more, turn, end));
    b.switch_to(turn);
    let (found, value, one, next) = (b.addr(), b.num(), b.constant(1.0), b.num());
    b.push(Inst::Find {
        helper: Helper::GetIndex,
        dst: found,
        args: vec![list.into(), scratch.into(), at.into()],
    });
    b.push(Inst::ToNumber {
        dst: value,
        src: found.into(),
    });
    for (dst, a, by) in [(sum, sum, value), (next, at, one)] {
        b.push(Inst::Arith {
            op: Arith::Add,
            dst,
            a,
            b: by,
        });
    }
    b.call(Helper::Clear, [scratch.into()]);
    b.push(Inst::MoveNum { dst: at, src: next });
    b.jump(test);
    b.switch_to(end);
    b.push(Inst::Box {
        dst: scratch,
        src: sum,
    });
    b.end(Terminator::Return(scratch));
    let mut body = b.finish();
    // (as a profile may say of any block: it changes no meaning)
    body.cold.insert(end);
    body
}

fn everything() -> Body {
    let mut b = Builder::new();
    let slots = b.row(4);
    let (key, _, text, _) = (b.key("k"), b.cache(), b.text("\"\n"), b.addr());
    b.push(Inst::Stage { number: 1 });
    let numbers = [f64::NAN, f64::NEG_INFINITY, -1e300, 7.0].map(|value| b.constant(value));
    for helper in Helper::ALL.iter().copied() {
        let (mut slot, mut number) = (slots.iter(), numbers.iter());
        let mut args: Vec<Arg> = (helper.parameters().iter())
            .filter_map(|kind| match kind {
                Kind::Address => slot.next().map(|slot| (*slot).into()),
                Kind::Number => number.next().map(|number| (*number).into()),
                _ => Some(Arg::Const(key + text)),
            })
            .collect();
        match helper {
            Helper::Math1 => {
                for math in &Math::ALL[..Math::Pow as usize] {
                    let dst = b.num();
                    args[1] = Arg::Const(*math as u32);
                    let args = args.clone();
                    b.push(Inst::Calc { helper, dst, args });
                }
                continue;
            }
            Helper::Math2 => {
                for math in &Math::ALL[Math::Pow as usize..] {
                    let dst = b.num();
                    args[2] = Arg::Const(*math as u32);
                    let args = args.clone();
                    b.push(Inst::Calc { helper, dst, args });
                }
                continue;
            }
            _ => {}
        }
        match helper.result() {
            Kind::Flag => {
                let dst = b.flag();
                b.push(Inst::Ask { helper, dst, args });
            }
            Kind::Number => {
                let dst = b.num();
                b.push(Inst::Calc { helper, dst, args });
            }
            Kind::Found => {
                let dst = b.addr();
                b.push(Inst::Find { helper, dst, args });
            }
            _ => b.push(Inst::Do { helper, args }),
        }
    }
    b.end(Terminator::Bail);
    b.finish()
}

fn tangled() -> Body {
    let mut b = Builder::new();
    let flag = b.flag();
    let [one, other, end] = std::array::from_fn(|_| b.block());
    b.push(Inst::Truthy {
        dst: flag,
        src: MSG.into(),
    });
    b.end(Terminator::Branch(flag, one, other));
    b.switch_to(one);
    b.jump(other);
    b.switch_to(other);
    b.end(Terminator::Branch(flag, one, end));
    b.switch_to(end);
    b.end(Terminator::Send(1));
    b.finish()
}

#[test]
fn the_emitted_text_is_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/flow.rs");
    let text = vgdc_target_rust::emit(&plan(), &bodies(), &Default::default());
    if std::env::var_os("VGDC_BLESS").is_some() {
        std::fs::write(&path, &text).expect("writes");
    }
    let golden = std::fs::read_to_string(&path).expect("reads");
    assert_eq!(text, golden, "VGDC_BLESS=1 writes the file anew");
    assert_eq!(
        text,
        vgdc_target_rust::emit(&plan(), &bodies(), &Default::default()),
        "the same from run to run"
    );
}

#[test]
fn the_emitted_code_gives_the_plan() {
    assert_eq!(plan().verify(), Ok(()));
    let made = golden::plan().expect("reads its JSON");
    assert_eq!(made, plan());
    assert_eq!(made.to_bytes(), plan().to_bytes());
    let types: Vec<_> = golden::NODES.iter().map(|def| def.spec.ty).collect();
    assert_eq!(types, ["catch", "change", "debug", "inject"]);
    assert_eq!(golden::LINKED.len(), bodies().len());
}

#[test]
fn a_node_of_an_unknown_type_is_told_and_nothing_is_written() {
    let mut plan = plan();
    plan.ops[1].ty = "no such node".to_owned();
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("app");
    let error = vgdc_target_rust::build(
        &plan,
        &bodies(),
        &Default::default(),
        "pump",
        &out,
        &mut |_| {},
    )
    .expect_err("cannot be built");
    insta::assert_snapshot!(error, @r#"
    a node is of an unknown type
      node n2 "say \"hi\"\n// \u{202e}then": this vgdc has no node type "no such node"
    "#);
    assert!(!out.exists());
}

#[test]
#[ignore = "compiles the runtime with optimisation, which takes minutes: run it by hand"]
fn a_program_is_built_and_runs_its_flow() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("pump");
    let mut lines = Vec::new();
    let report = vgdc_target_rust::build(
        &plan(),
        &bodies(),
        &Default::default(),
        "pump",
        &out,
        &mut |line| lines.push(line.to_owned()),
    );
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    println!("{report:?}\n{}", lines.join("\n"));
    assert_eq!(report.types, 4);
    assert_eq!(
        std::fs::metadata(&out).expect("is there").len(),
        report.bytes
    );
    let manifest = std::process::Command::new(&out)
        .arg("--manifest")
        .output()
        .expect("runs")
        .stdout;
    assert_eq!(Plan::from_bytes(&manifest), Ok(plan()));
    let control = std::process::Command::new(&out)
        .args(["--control", "stdio"])
        .output()
        .expect("runs");
    assert!(
        control.status.success(),
        "{}",
        String::from_utf8_lossy(&control.stderr)
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("lists").count(),
        1,
        "nothing else is left beside it"
    );
}
