//! Regions: chains of nodes that become one function do what the nodes do one by one. Flows by lot run in the oracle and
//! optimised; nobody watches the nodes inside, since that would take them apart.

#[path = "regions/release.rs"]
mod release;

use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Mutex;
use vgdc_tests::{Control, Story, by_node, cases};

/// Texts of function nodes: all ways to end, all that can be asked of a node, what bails out.
const BODIES: [&str; 30] = [
    "msg.payload = msg.payload + 1;\nreturn msg;",
    "msg.n = (msg.n || 0) + 1;\nreturn msg;",
    "return { payload: msg.payload, topic: 'new' };",
    "return null;",
    "if (msg.payload > 2) return [null, msg];\nreturn msg;",
    "return [[msg, { payload: 1 }], null];",
    "delete msg.topic;\nreturn msg;",
    "msg._msgid = 'other';\nreturn msg;",
    "node.send({ payload: 'sent' });\nreturn msg;",
    "node.warn(msg.payload);\nreturn msg;",
    "node.error('said', msg);\nreturn msg;",
    "node.status({ text: String(msg.topic) });\nreturn msg;",
    "flow.set('k', (flow.get('k') || 0) + 1);\nmsg.k = flow.get('k');\nreturn msg;",
    "context.set('c', msg.payload);\nmsg.c = context.get('c');\nreturn msg;",
    "global.set('g', msg.topic);\nreturn msg;",
    "throw new Error('boom');",
    "if (typeof msg.payload === 'string') throw new Error('text');\nmsg.payload = [msg.payload];\nreturn msg;",
    "return 5;",
    "msg.payload.x = 1;\nreturn msg;",
    "const p = msg.payload;\nmsg.list = [p, p];\nreturn msg;",
    "msg.payload = JSON.stringify(msg.payload);\nreturn msg;",
    "let s = 0;\nfor (let i = 0; i < 5; i++) s += i;\nmsg.sum = s;\nreturn msg;",
    "const a = Array.isArray(msg.payload) ? msg.payload : [];\nlet t = 0;\nfor (let i = 0; i < a.length; i++) t += a[i];\nmsg.t = t;\na.push(t);\nmsg.a = a;\nreturn msg;",
    "const out = [];\nfor (let i = 3; i > 0; i--) out.push(i);\nout[1] = msg.topic;\nout[5 - 2] = 0;\nmsg.payload = out;\nreturn msg;",
    "msg.payload = { a: msg.payload, b: { c: 1 } };\nreturn msg;",
    "msg[msg.topic] = 1;\nreturn msg;",
    "if (msg.payload) { return msg; }",
    "msg.payload = (msg.payload | 0) >>> 1;\nreturn msg;",
    "msg.name = node.name + env.get('NR_NODE_ID');\nreturn msg;",
    "msg.payload = new Map();\nreturn msg;",
];

fn rule(kind: u8) -> Value {
    let set = |p: &str, to: Value, tot: &str| json!({"t": "set", "p": p, "pt": "msg", "to": to, "tot": tot});
    match kind {
        0 => set("payload", json!("text"), "str"),
        1 => set("payload", json!("7"), "num"),
        2 => set("p1", json!("payload"), "msg"),
        3 => set("payload.y", json!("topic"), "msg"),
        4 => set("payload", json!("{\"a\":[1,2],\"b\":null}"), "json"),
        5 => set("flag", json!("true"), "bool"),
        6 => json!({"t": "move", "p": "payload", "pt": "msg", "to": "moved", "tot": "msg"}),
        7 => json!({"t": "move", "p": "p1", "pt": "msg", "to": "payload", "tot": "msg"}),
        8 => json!({"t": "delete", "p": "topic", "pt": "msg"}),
        9 => json!({"t": "delete", "p": "payload.a", "pt": "msg"}),
        10 => json!({"t": "set", "p": "k", "pt": "flow", "to": "payload", "tot": "msg"}),
        11 => set("fromflow", json!("k"), "flow"),
        12 => {
            json!({"t": "change", "p": "topic", "pt": "msg", "from": "t", "fromt": "str", "to": "u", "tot": "str"})
        }
        13 => set("payload", json!("missing.way"), "msg"),
        14 => set("payload[0]", json!("1"), "num"),
        15 => json!({"t": "move", "p": "payload.a", "pt": "msg", "to": "payload", "tot": "msg"}),
        17 => {
            json!({"t": "change", "p": "payload", "pt": "msg", "from": "e", "fromt": "str", "to": "payload", "tot": "msg"})
        }
        18 => {
            json!({"t": "change", "p": "payload", "pt": "msg", "from": "(\\w)\\d*", "fromt": "re", "to": "<$1>", "tot": "str"})
        }
        19 => {
            json!({"t": "change", "p": "payload", "pt": "msg", "from": "7", "fromt": "num", "to": "seven", "tot": "str"})
        }
        20 => {
            json!({"t": "change", "p": "payload", "pt": "msg", "from": "true", "fromt": "bool", "to": "false", "tot": "bool"})
        }
        21 => {
            json!({"t": "change", "p": "payload", "pt": "msg", "from": "topic", "fromt": "msg", "to": "true", "tot": "bool"})
        }
        22 => json!({"t": "delete", "p": "k", "pt": "flow"}),
        25 => set("id", json!("NR_NODE_ID"), "env"),
        26 => set("payload", json!("MISSING"), "env"),
        23 => json!({"t": "move", "p": "k", "pt": "flow", "to": "payload", "tot": "msg"}),
        24 => json!({"t": "move", "p": "payload", "pt": "msg", "to": "k", "tot": "flow"}),
        _ => set("payload", json!("[1,2]"), "bin"),
    }
}

fn test(kind: u8) -> Value {
    match kind {
        0 => json!({"t": "eq", "v": "7", "vt": "num"}),
        1 => json!({"t": "eq", "v": "text", "vt": "str"}),
        2 => json!({"t": "lt", "v": "3", "vt": "num"}),
        3 => json!({"t": "gte", "v": "3", "vt": "num"}),
        4 => json!({"t": "btwn", "v": "5", "vt": "num", "v2": "1", "v2t": "num"}),
        5 => json!({"t": "null"}),
        6 => json!({"t": "nnull"}),
        7 => json!({"t": "true"}),
        8 => json!({"t": "neq", "v": "topic", "vt": "msg"}),
        9 => json!({"t": "cont", "v": "e", "vt": "str"}),
        11 => json!({"t": "jsonata_exp", "v": "payload.a > 1 or topic = 't'", "vt": "jsonata"}),
        12 => json!({"t": "eq", "v": "$length(topic) + 6", "vt": "jsonata"}),
        13 => json!({"t": "cont", "v": "topic", "vt": "msg"}),
        14 => json!({"t": "regex", "v": "^[a-f]+X", "vt": "str", "case": true}),
        15 => json!({"t": "regex", "v": "\\d|t", "vt": "re", "case": false}),
        16 => json!({"t": "empty"}),
        17 => json!({"t": "nempty"}),
        18..=24 => {
            let types = [
                "string",
                "number",
                "boolean",
                "array",
                "object",
                "null",
                "undefined",
            ];
            json!({"t": "istype", "v": types[kind as usize - 18], "vt": types[kind as usize - 18]})
        }
        25 => json!({"t": "eq", "v": "NR_NODE_ID", "vt": "env"}),
        // (many of these in one node are a table)
        30..=36 => {
            let texts = ["text", "7", "", "true", "1,2,3", "<&>", "text"];
            json!({"t": "eq", "v": texts[kind as usize - 30], "vt": "str"})
        }
        _ => json!({"t": "else"}),
    }
}

/// Templates: names in the message and beside it, sections over all that there is, what is escaped and what is not.
const TEMPLATES: [&str; 20] = [
    "plain text",
    "a {{payload}} b",
    "{{{payload}}}{{&topic}}",
    "{{payload.a}} and {{payload.a.a}}",
    "{{payload.length}}{{payload.0}}",
    "{{#payload}}[{{.}}]{{/payload}}",
    "{{#payload}}<{{a}} {{topic}}>{{/payload}}{{^payload}}none{{/payload}}",
    "{{#payload.b}}{{.}}{{#topic}}-{{payload.a}}{{/topic}}{{/payload.b}}",
    "{{! nothing }}{{missing}}{{missing.way}}|{{payload.missing.way}}",
    "{\"x\": \"{{payload}}\", \"t\": \"{{topic}}\"}",
    "[{{#list}}{{.}},{{/list}}0]",
    "{{{payload}}}",
    "{{flow.k}} {{global.g}} {{env.NR_NODE_ID}} {{flow.nothing}}",
    "{{#list}}{{a}}{{#.}}{{.}}{{/.}}{{/list}}",
    "{{#flag}}{{payload}}{{.}}{{/flag}}",
    "{{#flag}}{{topic}}{{/flag}}{{^flag}}{{topic}}{{/flag}}",
    "{{#flow.k}}{{x}}{{payload.a}}{{/flow.k}}",
    "{{payload.constructor}}{{payload.toString}}{{_msgid}}",
    "{{#a}}{{payload}}{{/a}}{{^a.b}}&{{k}}{{/a.b}}",
    "<b>{{payload.x}}</b>\n{{#payload}}\n {{#a}}{{a}}{{c}}{{/a}}\n{{/payload}}\n",
];

/// Expressions: all operators, on what is there and what is not.
const EXPRESSIONS: [&str; 40] = [
    "payload",
    "payload.a",
    "payload.a.a",
    "payload + 1",
    "payload * 2 - n / 3",
    "payload % 3",
    "-payload",
    "payload & \"-\" & topic",
    "payload.a & payload.b & 1.50",
    "payload > 3",
    "payload.a <= n",
    "topic < \"u\"",
    "payload = 7",
    "payload != topic",
    "payload.a = {\"a\": 5}",
    "payload > 2 ? \"more\" : \"less\"",
    "payload ? topic",
    "payload and topic",
    "payload.a or $not(topic)",
    "$string(payload)",
    "$number(payload)",
    "$length(payload)",
    "$uppercase(topic) & $lowercase(payload)",
    "$substring(payload, 1, 2)",
    "$exists(payload.a) and $not(payload.b)",
    "$round(payload / 3, 2)",
    "$floor(payload / 2) + $ceil(payload / 2) + $abs(payload)",
    "$sum(payload) + $count(payload)",
    "{\"p\": payload, \"q\": missing, \"r\": {\"t\": topic & n}}",
    "[payload, topic, missing]",
    "($x := payload; $y := $x & \"!\"; [$x, $y])",
    "topic in [\"t\", \"u\"]",
    "$flowContext(\"k\")",
    "msg.payload",
    "msg.payload.a & msg.topic",
    "$max(payload) - $min(payload.b)",
    "payload[0]",
    "$.payload.a",
    "$split(topic, \"t\")",
    "1 / payload > 0",
];

fn range(kind: u8) -> Value {
    let action = ["scale", "clamp", "drop", "roll"][kind as usize % 4];
    let (minin, maxin, minout, maxout) = match kind / 8 {
        0 => ("0", "5", "0", "10.5"),
        1 => ("4", "-1", "-1", "1"),
        _ => ("1", "1", "0", "x"),
    };
    json!({"type": "range", "action": action, "round": kind & 4 != 0, "property": "payload",
        "minin": minin, "maxin": maxin, "minout": minout, "maxout": maxout})
}

fn template(text: usize, kind: u8) -> Value {
    let (output, syntax) = match kind {
        0..=3 => ("str", "mustache"),
        4 => ("json", "mustache"),
        5 => ("str", "plain"),
        6 => ("json", "plain"),
        _ => ("yaml", "mustache"),
    };
    let (field, field_type) = match kind {
        1 => ("text", "msg"),
        2 => ("payload.y", "msg"),
        3 => ("k", "flow"),
        _ => ("payload", "msg"),
    };
    json!({"type": "template", "template": TEMPLATES[text], "output": output, "syntax": syntax,
        "field": field, "fieldType": field_type, "format": "handlebars"})
}

fn expression(text: usize, kind: u8) -> Value {
    let (p, pt) = match kind {
        0 => ("x", "msg"),
        1 => ("k", "flow"),
        _ => ("payload", "msg"),
    };
    json!({"t": "set", "p": p, "pt": pt, "to": EXPRESSIONS[text], "tot": "jsonata"})
}

#[derive(Clone, Debug)]
enum Draw {
    Function(usize),
    Change(Vec<u8>),
    Switch(Vec<u8>, bool, bool),
    Json(u8),
    Range(u8),
    Template(usize, u8),
    Expressions(Vec<(usize, u8)>),
    /// On the value of an expression.
    Decide(usize, Vec<u8>, bool),
}

fn draw() -> impl Strategy<Value = Draw> {
    prop_oneof![
        4 => (0..BODIES.len()).prop_map(Draw::Function),
        3 => prop::collection::vec(0..28u8, 1..4).prop_map(Draw::Change),
        2 => (prop::collection::vec(0..27u8, 1..4), any::<bool>(), any::<bool>())
            .prop_map(|(tests, all, nested)| Draw::Switch(tests, all, nested)),
        1 => (prop::collection::vec(30..38u8, 4..8), any::<bool>(), any::<bool>())
            .prop_map(|(tests, all, nested)| Draw::Switch(tests, all, nested)),
        1 => (0..3u8).prop_map(Draw::Json),
        1 => (0..24u8).prop_map(Draw::Range),
        3 => (0..TEMPLATES.len(), 0..8u8).prop_map(|(text, kind)| Draw::Template(text, kind)),
        3 => prop::collection::vec((0..EXPRESSIONS.len(), 0..4u8), 1..3)
            .prop_map(Draw::Expressions),
        1 => (0..EXPRESSIONS.len(), prop::collection::vec(0..27u8, 1..4), any::<bool>())
            .prop_map(|(text, tests, all)| Draw::Decide(text, tests, all)),
    ]
}

/// A chain; every further output leads to an end of its own, and so does what is caught.
fn flow(draws: &[Draw], catches: bool) -> Value {
    let mut nodes = vec![
        json!({"id": "tab", "type": "tab", "label": "t"}),
        json!({"id": "last", "type": "helper", "z": "tab", "wires": []}),
        json!({"id": "side", "type": "helper", "z": "tab", "wires": []}),
        json!({"id": "caught", "type": "helper", "z": "tab", "wires": []}),
    ];
    if catches {
        nodes.push(json!({"id": "catch", "type": "catch", "z": "tab", "scope": null, "uncaught": false, "wires": [["caught"]]}));
    }
    for (at, draw) in draws.iter().enumerate() {
        let next = match at + 1 == draws.len() {
            true => "last".to_owned(),
            false => format!("n{}", at + 1),
        };
        let (id, name) = (format!("n{at}"), format!("node {at}"));
        let mut node = match draw {
            Draw::Function(body) => {
                json!({"type": "function", "func": BODIES[*body], "outputs": 2})
            }
            Draw::Change(rules) => {
                let rules: Vec<Value> = rules.iter().map(|kind| rule(*kind)).collect();
                json!({"type": "change", "rules": rules})
            }
            Draw::Switch(tests, all, nested) => {
                let rules: Vec<Value> = tests.iter().map(|kind| test(*kind)).collect();
                let property = if *nested { "payload.a" } else { "payload" };
                json!({"type": "switch", "property": property, "propertyType": "msg", "rules": rules, "checkall": all.to_string(), "repair": false})
            }
            Draw::Json(action) => {
                let action = ["", "obj", "str"][*action as usize];
                json!({"type": "json", "property": "payload", "action": action, "pretty": false})
            }
            Draw::Range(kind) => range(*kind),
            Draw::Template(text, kind) => template(*text, *kind),
            Draw::Expressions(texts) => {
                let rules: Vec<Value> = texts
                    .iter()
                    .map(|(text, kind)| expression(*text, *kind))
                    .collect();
                json!({"type": "change", "rules": rules})
            }
            Draw::Decide(text, tests, all) => {
                let rules: Vec<Value> = tests.iter().map(|kind| test(*kind)).collect();
                json!({"type": "switch", "property": EXPRESSIONS[*text], "propertyType": "jsonata", "rules": rules, "checkall": all.to_string(), "repair": false})
            }
        };
        let outputs = match draw {
            Draw::Function(_) => 2,
            Draw::Switch(tests, ..) | Draw::Decide(_, tests, _) => tests.len(),
            _ => 1,
        };
        // (which output of a switch goes on is drawn with it)
        let on = match draw {
            Draw::Switch(tests, ..) | Draw::Decide(_, tests, _) => tests.len() / 2,
            _ => 0,
        };
        let wires: Vec<Value> = (0..outputs)
            .map(|output| match output == on {
                true => json!([next]),
                false => json!(["side"]),
            })
            .collect();
        (node["id"], node["name"], node["z"], node["wires"]) =
            (json!(id), json!(name), json!("tab"), json!(wires));
        nodes.push(node);
    }
    Value::Array(nodes)
}

/// Ids that were made, times and stacks differ; ids that were given do not.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "ts" | "stack"))
            .map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("_msgid", Some(id)) if id.len() > 5 => (key.clone(), json!("made")),
                _ => (key.clone(), comparable(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(comparable).collect(),
        other => other.clone(),
    }
}

fn story(control: &mut Control, flow: &Value, payloads: &[Value]) -> (Story, Value) {
    control.good("deploy", json!({"flows": flow}));
    let story = told(control, "n0", payloads);
    let metrics = control.good("metrics", json!({}));
    (story, counts(&metrics))
}

/// What happens when the first node of a chain receives these.
fn told(control: &mut Control, first: &str, payloads: &[Value]) -> Story {
    control.events.clear();
    for (number, payload) in payloads.iter().enumerate() {
        let msg = json!({"payload": payload, "topic": "t", "_msgid": format!("m{number}")});
        control.good("receive", json!({"node": first, "msg": msg}));
        control.good("settle", json!({}));
    }
    by_node(&control.events, comparable)
}

/// What was counted at the nodes, without times.
fn counts(metrics: &Value) -> Value {
    let counted = ["in", "out", "errors", "dropped"];
    let nodes = metrics["nodes"].as_object().cloned().unwrap_or_default();
    nodes
        .into_iter()
        .map(|(id, node)| {
            let kept = counted.map(|name| (name.to_owned(), node[name].clone()));
            (id, Value::Object(kept.into_iter().collect()))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn watching(mut control: Control) -> Control {
    let ends = json!(["last", "side", "caught"]);
    control.good("watch", json!({"nodes": ends, "events": ["input"]}));
    control.good(
        "watch",
        json!({"nodes": "*", "events": ["error", "status", "log"]}),
    );
    control
}

fn payload() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-2..9).prop_map(Value::from),
        Just(json!("text")),
        Just(json!("7")),
        Just(json!("{\"a\":1}")),
        Just(json!([1, 2, 3])),
        Just(json!({"a": 1, "b": [true]})),
        Just(json!({"a": {"a": 5}})),
        Just(json!({"a": [{"a": "<&>"}, {"a": null, "c": "c\n"}], "b": "tail / '\"'", "x": false})),
        Just(json!([{"a": 1.5}, {"a": [2, 3]}, null, "e\tt"])),
        Just(json!(1e21)),
        Just(json!(0.1)),
        Just(json!("")),
        Just(json!([])),
        Just(json!([[1], "€😀"])),
        Just(json!(true)),
        Just(Value::Null),
    ]
}

static RUNNING: Mutex<Option<[Control; 2]>> = Mutex::new(None);

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(250), max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn regions_do_what_their_nodes_do(
        draws in prop::collection::vec(draw(), 1..7),
        catches in any::<bool>(),
        payloads in prop::collection::vec(payload(), 1..5),
    ) {
        let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let [oracle, optimised] = running.get_or_insert_with(|| {
            [&["--target", "interp"][..], &[]].map(|args| watching(Control::start(args)))
        });
        let flow = flow(&draws, catches);
        let (expected, counted) = story(oracle, &flow, &payloads);
        let (found, count) = story(optimised, &flow, &payloads);
        prop_assert_eq!(expected, found, "{} {:?}", flow, payloads);
        prop_assert_eq!(counted, count, "{} {:?}", flow, payloads);
    }
}
