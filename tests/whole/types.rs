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

/// The type of what comes to the node `end`, and the codes of what is warned of, with the node and the line.
fn checked(mut flow: Value) -> (String, Vec<String>) {
    for node in flow.as_array_mut().into_iter().flatten() {
        for (name, value) in [("z", json!("t")), ("x", json!(1)), ("y", json!(1))] {
            let map = node.as_object_mut().expect("a node");
            map.entry(name).or_insert(value);
        }
    }
    let tab = json!({"id": "t", "type": "tab"});
    flow.as_array_mut().expect("a list").push(tab);
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", flow.to_string());
    let compiled = Session::new(vgdc_stdlib::specs(), Options::default()).compile(&doc);
    let mut ops = compiled.optimised.ops();
    let end = ops.find(|(_, op)| op.id == "end");
    let warnings = compiled.diagnostics.iter().filter(|found| {
        (120..130).contains(&found.code.number()) || (210..220).contains(&found.code.number())
    });
    let warnings = warnings.map(|found| {
        let node = found.node.as_ref().map_or("", |node| node.id.as_str());
        let line = found.body.as_ref().map_or(0, |body| body.line);
        format!("{} {node} {line}: {}", found.code, found.message)
    });
    (
        end.map(|(_, op)| op.input.to_string()).unwrap_or_default(),
        warnings.collect(),
    )
}

/// An inject node, one other node, and the end.
fn through(message: &Value, mut node: Value) -> (String, Vec<String>) {
    node["id"] = "n".into();
    if node.get("wires").is_none() {
        node["wires"] = json!([["end"]]);
    }
    checked(json!([inject("go", message, "n"), node, {"id": "end", "type": "helper", "wires": []}]))
}

#[test]
fn nodes_of_the_library_say_what_they_do() {
    let message = json!({"payload": 5, "topic": "t"});
    let rules = |rules: Value| json!({"type": "change", "rules": rules});
    let switch = |rule: Value| json!({"type": "switch", "property": "payload", "propertyType": "msg", "rules": [rule], "checkall": "true"});
    let cases = [
        (
            json!({"type": "junction"}),
            "object{_msgid: string, payload: int32, topic: string}",
        ),
        (
            json!({"type": "template", "template": "x", "output": "str", "syntax": "mustache", "field": "payload", "fieldType": "msg"}),
            "object{_msgid: string, payload: string, topic: string}",
        ),
        (
            json!({"type": "range", "property": "payload"}),
            "object{_msgid: string, payload: number, topic: string}",
        ),
        (
            rules(json!([{"t": "set", "p": "a.b", "pt": "msg", "to": "true", "tot": "bool"}])),
            "object{_msgid: string, a: object{b: bool} | undefined, payload: int32, topic: string}",
        ),
        (
            rules(json!([{"t": "move", "p": "payload", "pt": "msg", "to": "old", "tot": "msg"}])),
            "object{_msgid: string, old: int32, topic: string}",
        ),
        (
            rules(json!([{"t": "delete", "p": "topic", "pt": "msg"}])),
            "object{_msgid: string, payload: int32}",
        ),
        (
            rules(
                json!([{"t": "change", "p": "topic", "pt": "msg", "from": "t", "fromt": "str", "to": "1", "tot": "num"}]),
            ),
            "object{_msgid: string, payload: int32, topic: int32 | string}",
        ),
        (
            switch(json!({"t": "istype", "v": "number", "vt": "number"})),
            "object{_msgid: string, payload: int32, topic: string}",
        ),
        (
            switch(json!({"t": "istype", "v": "string", "vt": "string"})),
            "never",
        ),
        (switch(json!({"t": "null"})), "never"),
        (
            json!({"type": "function", "func": "return {payload: msg.payload > 3, n: msg.payload};", "outputs": 1}),
            "object{_msgid: string, n: int32, payload: bool}",
        ),
        (
            json!({"type": "json", "property": "payload", "action": "str"}),
            "object{_msgid: string, payload: int32 | string, schema: any, schemaError: any, topic: string}",
        ),
        (
            json!({"type": "delay"}),
            "object{_msgid: string, flush: any, payload: int32, reset: any, toFront: any, topic: string}",
        ),
        (json!({"type": "no such node"}), "object{..}"),
    ];
    for (node, expected) in cases {
        let (ty, warnings) = through(&message, node.clone());
        assert_eq!(ty, expected, "{node}");
        assert_eq!(warnings, [""; 0], "{node}");
    }
}

#[test]
fn what_goes_wrong_with_every_message_is_told() {
    let message = json!({"payload": 5});
    let function = |func: &str| json!({"type": "function", "func": func, "outputs": 1});
    let cases = [
        (
            json!({"type": "http response", "wires": []}),
            "VG0120 n 0: no message that comes here has `msg.res`: there is no request to answer",
        ),
        (
            function("let a = 1;\nreturn {payload: msg.payload.split(',')};"),
            "VG0210 n 2: `msg.payload` is always a number here, so calling `split` of it fails",
        ),
        (
            function("return {payload: msg.data.x};"),
            "VG0210 n 1: `msg.data` is always undefined here, so reading `x` of it fails",
        ),
        (
            json!({"type": "change", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "paylaod", "tot": "msg"}]}),
            "VG0121 n 1: no message that comes here has `msg.paylaod`",
        ),
    ];
    for (node, expected) in cases {
        assert_eq!(through(&message, node.clone()).1, [expected], "{node}");
    }
    let object = through(
        &json!({"payload": {"a": 1}}),
        function("return {payload: msg.payload * 2};"),
    );
    assert_eq!(
        object.1,
        ["VG0211 n 1: `msg.payload` is always an object here, so calculating with it gives NaN"]
    );
}

#[test]
fn a_request_is_followed_to_its_answer() {
    let request =
        json!({"id": "in", "type": "http in", "method": "post", "url": "/a", "wires": [["f"]]});
    let answer = json!({"id": "end", "type": "http response", "wires": []});
    let with = |func: &str, more: Value| {
        let function =
            json!({"id": "f", "type": "function", "func": func, "outputs": 1, "wires": [["end"]]});
        checked(json!([request, function, answer, more]))
    };
    let nothing = json!({"id": "c", "type": "comment"});
    let (ty, warnings) = with("msg.payload = 'ok'; return msg;", nothing.clone());
    let expected = "object{_msgid: string, payload: string, req: handle(\"IncomingMessage\"), res: handle(\"ServerResponse\")}";
    assert_eq!((ty.as_str(), warnings.len()), (expected, 0));
    let (_, dropped) = with("return {payload: 'ok'};", nothing);
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    // Another way in brings what is needed, or may.
    let (_, mixed) = with(
        "return {payload: 'ok'};",
        json!({"id": "any", "type": "link in", "links": [], "wires": [["end"]]}),
    );
    assert_eq!(mixed.len(), 1, "nothing leads into that link: {mixed:?}");
    let (_, mixed) = with(
        "return {payload: 'ok'};",
        json!({"id": "any", "type": "catch", "scope": null, "wires": [["end"]]}),
    );
    assert_eq!(mixed, [""; 0]);
}

#[test]
fn a_template_is_warned_of_when_all_its_instances_fail() {
    let flow = |second: &str| {
        json!([
            {"id": "s", "type": "subflow", "z": "", "in": [{"wires": [{"id": "f"}]}], "out": []},
            {"id": "f", "type": "function", "z": "s", "func": "return {payload: msg.payload.trim()};", "outputs": 1, "wires": [[]]},
            {"id": "one", "type": "subflow:s", "wires": []},
            {"id": "two", "type": "subflow:s", "wires": []},
            inject("go1", &json!({"payload": 1}), "one"),
            inject("go2", &json!({"payload": second}), "two"),
        ])
    };
    assert_eq!(checked(flow("text")).1, [""; 0]);
    let mut wrong = flow("");
    wrong[5] = inject("go2", &json!({"payload": 2.5}), "two");
    assert_eq!(checked(wrong).1.len(), 1);
}
