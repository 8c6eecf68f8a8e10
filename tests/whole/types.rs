//! The types that are inferred hold: every message that comes along wires has the type that the compiler puts there. The same
//! bodies and flows as around, begun by inject nodes, whose messages have types.

use super::*;
use vgdc_driver::{Options, Session};
use vgdc_ir::Ty;
use vgdc_syntax::{FlowDoc, SourceMap};

/// Whether a value, as the control protocol writes it, has a type.
fn admits(ty: &Ty, value: &Value) -> bool {
    let is = |kind: Ty| kind.is(ty);
    match value {
        _ if ty.is_any() => true,
        Value::Null => is(Ty::NULL),
        Value::Bool(_) => is(Ty::BOOL),
        Value::String(_) => is(Ty::STRING),
        Value::Number(n) => match n.as_f64() {
            Some(n) if n.fract() == 0.0 && n.abs() < 2_147_483_648.0 => is(Ty::INT),
            _ => is(Ty::NUMBER),
        },
        Value::Array(items) => ty
            .element()
            .is_some_and(|of| items.iter().all(|item| admits(&of, item))),
        Value::Object(map) => match map.get("$type").and_then(Value::as_str) {
            Some("undefined") => is(Ty::UNDEFINED),
            Some("number") => is(Ty::NUMBER),
            Some("buffer") => is(Ty::BUFFER),
            Some("date") => is(Ty::DATE),
            Some(_) => ty.may_be(&Ty::OTHER) || !ty.minus(&Ty::any_object()).is_never(),
            None => {
                let (fields, _) = ty.fields();
                let undefined = json!({"$type": "undefined"});
                let of = |name: &str| map.get(name).unwrap_or(&undefined);
                let mut known = fields.map(|(name, ty)| (ty.clone(), of(name)));
                let more = map.iter().map(|(name, value)| (ty.field(name), value));
                ty.may_be_object() && known.all(|(ty, value)| admits(&ty, value)) && {
                    let mut more = more;
                    more.all(|(ty, value)| admits(&ty, value))
                }
            }
        },
    }
}

/// The type of what comes to each node.
fn types(flow: &Value) -> BTreeMap<String, Ty> {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", flow.to_string());
    let compiled = Session::new(vgdc_stdlib::specs(), Options::default()).compile(&doc);
    let ops = compiled.optimised.ops();
    ops.map(|(_, op)| (op.id.clone(), op.input.clone()))
        .collect()
}

/// The messages that came to nodes and do not have the type, as texts.
fn wrong(control: &Control, types: &BTreeMap<String, Ty>) -> (usize, Vec<String>) {
    let inputs = control
        .events
        .iter()
        .filter(|event| event["event"] == "input");
    let (mut count, mut found) = (0, Vec::new());
    for event in inputs {
        let node = event["node"].as_str().unwrap_or_default();
        let Some(ty) = types.get(node) else { continue };
        count += 1;
        // (what a button brings is not on a wire)
        if !admits(ty, &event["msg"]) && !node.starts_with("go") {
            found.push(format!("{node}: {ty}\n    {}", event["msg"]));
        }
    }
    (count, found)
}

/// An inject node whose messages are like this one.
fn inject(id: &str, message: &Value, to: &str) -> Value {
    let props = message.as_object().into_iter().flatten();
    let props = props.map(|(name, value)| json!({"p": name, "v": value.to_string(), "vt": "json"}));
    let props: Vec<Value> = props.collect();
    json!({"id": id, "type": "inject", "z": "t", "x": 1, "y": 1, "props": props, "repeat": "", "once": false, "wires": [[to]]})
}

/// The same body once for each message, each begun by a node of its own.
fn chains(body: &str, messages: &[Value]) -> Value {
    let mut flow = vec![
        json!({"id": "t", "type": "tab", "env": [{"name": "STEP", "value": "3", "type": "num"}]}),
    ];
    for (at, message) in messages.iter().enumerate() {
        let helper = |port: usize| format!("o{at}-{port}");
        let wires: Vec<_> = (0..4).map(|port| vec![helper(port)]).collect();
        flow.push(inject(&format!("go{at}"), message, &format!("f{at}")));
        flow.push(json!({"id": format!("f{at}"), "type": "function", "z": "t", "x": 1, "y": 1, "func": body, "outputs": 4, "wires": wires}));
        flow.extend(
            (0..4).map(|port| json!({"id": helper(port), "type": "helper", "z": "t", "wires": []})),
        );
    }
    Value::Array(flow)
}

/// Runs a flow by pressing buttons; gives how many messages were looked at, and those that are of another type.
fn pressed(control: &mut Control, flow: &Value, buttons: usize) -> (usize, Vec<String>) {
    control.good("deploy", json!({"flows": flow}));
    control.events.clear();
    for at in 0..buttons {
        control.ask("button", json!({"node": format!("go{at}")}));
        control.good("settle", json!({}));
    }
    wrong(control, &types(flow))
}

static TYPED: Mutex<Option<Control>> = Mutex::new(None);

fn with_control<T>(run: impl FnOnce(&mut Control) -> T) -> T {
    let mut control = TYPED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    run(control.get_or_insert_with(|| watching(Control::start(&[]))))
}

#[test]
fn messages_of_the_idioms_have_their_types() {
    let path = vgdc_tests::root().join("runtime/engine/tests/files/idioms.jsonl");
    let text = std::fs::read_to_string(path).expect("the idioms");
    let (mut count, mut all) = (0, Vec::new());
    with_control(|control| {
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).expect("JSON");
            let body = case["body"].as_str().expect("a body");
            if case.get("setup").is_some() || case.get("timeout").is_some() {
                continue;
            }
            let plain = |msg: &&Value| msg.is_object() && !msg.to_string().contains("$type");
            let messages = case["msgs"].as_array().into_iter().flatten();
            let messages: Vec<Value> = messages.filter(plain).cloned().collect();
            let (seen, wrong) = pressed(control, &chains(body, &messages), messages.len());
            count += seen;
            if !wrong.is_empty() {
                all.push(format!("{body}\n  {}", wrong.join("\n  ")));
            }
        }
    });
    assert!(all.is_empty(), "{}:\n{}", all.len(), all.join("\n"));
    assert!(count > 300, "{count} messages");
}

/// `VGDC_CORPUS=bodies.jsonl cargo test -p vgdc-tests --test differential types -- --ignored --nocapture`
#[test]
#[ignore = "needs a corpus of bodies, which is not in the repository"]
fn messages_of_a_corpus_have_their_types() {
    let path = std::env::var_os("VGDC_CORPUS").expect("VGDC_CORPUS names a file");
    let text = std::fs::read_to_string(path).expect("reads");
    let (mut count, mut all) = (0, 0);
    let plain = |msg: &Value| !msg.to_string().contains("$type");
    let messages: Vec<Value> = messages().into_iter().filter(plain).collect();
    with_control(|control| {
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).expect("JSON");
            let body = case["func"].as_str().expect("a body");
            if body.contains("while") {
                continue;
            }
            let (seen, wrong) = pressed(control, &chains(body, &messages), messages.len());
            count += seen;
            if !wrong.is_empty() {
                println!("{body}\n  {}\n-------", wrong.join("\n  "));
                all += 1;
            }
        }
    });
    println!("{count} messages, {all} bodies with wrong types");
    assert_eq!(all, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(250), max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_of_bodies_by_lot_have_their_types(body in bodies::body()) {
        let messages = [json!({"payload": 5}), json!({"payload": "x y", "x": {"n": [1], "k": 2}}), json!({"payload": {"k": 1}, "x": [0, "a"]}), json!({"payload": [1, 2]})];
        let (_, wrong) = with_control(|control| pressed(control, &chains(&body, &messages), messages.len()));
        prop_assert!(wrong.is_empty(), "{body}\n  {}", wrong.join("\n  "));
    }

    #[test]
    fn messages_of_flows_by_lot_have_their_types(draws in draws(), payloads in prop::collection::vec(prop_oneof![(0..7).prop_map(Value::from), Just(json!([1, 2])), Just(json!("1\n3")), Just(json!({"a": 1}))], 1..4)) {
        let mut flow = flow(&draws);
        let buttons = payloads.iter().enumerate().map(|(at, payload)| {
            inject(&format!("go{at}"), &json!({"payload": payload, "topic": "t"}), "n0")
        });
        flow.as_array_mut().expect("a list").extend(buttons);
        let (count, wrong) = with_control(|control| pressed(control, &flow, payloads.len()));
        prop_assert!(count > 0);
        prop_assert!(wrong.is_empty(), "{flow}\n  {}", wrong.join("\n  "));
    }
}

#[test]
fn every_node_of_the_library_says_what_can_be_read() {
    for spec in vgdc_stdlib::specs() {
        assert!(
            vgdc_middle::typing::is_readable(spec.types),
            "{}: {:?}",
            spec.ty,
            spec.types
        );
    }
}
