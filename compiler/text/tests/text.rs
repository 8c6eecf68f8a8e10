//! What texts become, what is wrong with them, and that nothing makes the reader panic.

use proptest::prelude::*;
use vgdc_spec::{Effect, FieldKind, FieldSpec, NodeSpec, Outputs, Role, Text, Types};
use vgdc_syntax::{FlowDoc, SourceMap};
use vgdc_text::{Nodes, format, print, read};

const fn field(name: &'static str, kind: FieldKind, default: &'static str) -> FieldSpec {
    FieldSpec {
        name,
        kind,
        default,
        label: "",
        required: false,
        choices: &[],
        types: &[],
        form: vgdc_spec::Form::PLAIN,
    }
}

const fn spec(ty: &'static str, ports: (u8, Outputs), fields: &'static [FieldSpec]) -> NodeSpec {
    NodeSpec {
        ty,
        category: "test",
        inputs: ports.0,
        outputs: ports.1,
        role: Role::Operator,
        effect: Effect::State,
        fields,
        form: fields,
        types: Types::Unknown,
        needs: &[],
        text: Text::Plain,
        waits: false,
        copies: vgdc_spec::Copies::No,
        look: vgdc_spec::Look::PLAIN,
    }
}

static NODES: &[NodeSpec] = &[
    NodeSpec {
        role: Role::Config,
        ..spec(
            "far-server",
            (0, Outputs::Fixed(0)),
            &[
                field("host", FieldKind::Text, "\"\""),
                field("port", FieldKind::Number, "80"),
                field("password", FieldKind::Credential, "\"\""),
            ],
        )
    },
    NodeSpec {
        text: Text::First("topic"),
        effect: Effect::Source,
        ..spec(
            "far in",
            (0, Outputs::Fixed(1)),
            &[
                field("topic", FieldKind::Text, "\"\""),
                field("server", FieldKind::ConfigRef("far-server"), "\"\""),
                field("retain", FieldKind::Bool, "false"),
            ],
        )
    },
    spec(
        "sink",
        (1, Outputs::Fixed(0)),
        &[
            field("value", FieldKind::Typed("valueType"), "\"payload\""),
            field("valueType", FieldKind::Text, "\"msg\""),
            field("scope", FieldKind::NodeIds, "null"),
        ],
    ),
    NodeSpec {
        text: Text::First("code"),
        ..spec(
            "work",
            (1, Outputs::Field("outputs")),
            &[
                field("code", FieldKind::JavaScript, "\"\""),
                field("outputs", FieldKind::Number, "1"),
            ],
        )
    },
    NodeSpec {
        waits: true,
        ..spec("pause", (1, Outputs::Fixed(1)), &[])
    },
    NodeSpec {
        text: Text::Conditions,
        ..spec(
            "route",
            (1, Outputs::Rules("rules")),
            &[
                field("property", FieldKind::Typed("propertyType"), "\"payload\""),
                field("propertyType", FieldKind::Text, "\"msg\""),
                field("rules", FieldKind::Json, "[]"),
            ],
        )
    },
    NodeSpec {
        text: Text::Assignments,
        ..spec(
            "edit",
            (1, Outputs::Fixed(1)),
            &[field("rules", FieldKind::Json, "null")],
        )
    },
    NodeSpec {
        text: Text::Properties,
        ..spec(
            "begin",
            (0, Outputs::Fixed(1)),
            &[
                field("props", FieldKind::Json, "null"),
                field("payload", FieldKind::Typed("payloadType"), "null"),
                field("payloadType", FieldKind::Json, "null"),
                field("topic", FieldKind::Json, "null"),
            ],
        )
    },
];

struct Known;

impl Nodes for Known {
    fn spec(&self, ty: &str) -> Option<&'static NodeSpec> {
        NODES.iter().find(|spec| spec.ty == ty)
    }

    fn types(&self) -> Vec<&str> {
        NODES
            .iter()
            .map(|spec| spec.ty)
            .chain(["of-a-package"])
            .collect()
    }
}

/// What is wrong with a text: line, column, code, message, and what helps.
fn faults(text: &str) -> Vec<String> {
    let mut sources = SourceMap::new();
    let read = read(&mut sources, "x.flow", text, &Known);
    let one = |d: &vgdc_syntax::Diagnostic| {
        let at = d
            .span()
            .map(|span| sources.line_col(span.source, span.start));
        let at = at.map_or_else(String::new, |at| format!("{}:{} ", at.line, at.column));
        let fix = d
            .fix
            .as_ref()
            .map(|fix| format!(" ({fix})"))
            .unwrap_or_default();
        format!("{at}{} {}{fix}", d.code, d.message)
    };
    read.diagnostics.iter().map(one).collect()
}

fn json(text: &str) -> serde_json::Value {
    let mut sources = SourceMap::new();
    let read = read(&mut sources, "x.flow", text, &Known);
    assert!(!read.diagnostics.has_errors(), "{text}: {:?}", faults(text));
    serde_json::from_str(&read.json).expect("it is JSON")
}

/// The node with an id.
fn node(json: &serde_json::Value, id: &str) -> serde_json::Value {
    let all = json.as_array().expect("an array");
    all.iter()
        .find(|node| node["id"] == id)
        .cloned()
        .unwrap_or_else(|| panic!("{id} in {json:#}"))
}

const WHOLE: &str = r##"
// The far side.
let far = far_server(host = "example.org"); // one for all

/// Says what is too hot.
///
/// And what is not.
flow heating "The heating" (limit = 30, name = env("HOST"), #[prop("ui", { icon: "x" })] list = [1, "a"]) {
    let sensor = far_in("sensors/+", server = far, retain = true) at (120, 80);
    let all = sink(value = msg.x["y z"][0]) at (700, 80);

    // Both.
    sensor -> (route(payload.temp > env("x"), else) { hot -> all, else -> sink() }, other.entry);
    sensor -> route(msg.payload) {
        "on" -> all,
        10..=20 -> (work("return msg") -> all, "gone"),
        matches "^a" ignoring case -> (),
        not empty -> all,
        else -> work(outputs = 2, r#"
            if (a) {
                return [msg, null];
            }
        "#) { 1 -> all },
    };
    begin(msg.payload = 5, msg.topic = "t", msg.x = flow.y) -> edit(
        msg.payload = msg.topic,
        delete flow.x,
        move msg.a to msg.b,
        replace "a" with true in global("odd path"),
    ) -> small(size = 2);
    group "Kitchen" at gateway (10, 20, 300, 100) {
        #[id = "abc"] #[disabled]
        let p = pause();
        group inner { of_a_package(node = p, "odd key" = { a: sensor, b: [null, -0.50] }); }
    }
    #[group(inner)]
    #[outputs(3)]
    let strange = "some-type"(x1 = 1);
    strange.2 -> p;
    // last
}
flow other { let entry = sink("value" = "x", name = "An entry"); }
subflow small (size = 1) {
    in -> work("") -> out;
    in -> out.2;
    out.status at (5, 6);
    work("x") -> out.status;
}
// the end
"##;

#[test]
fn a_text_becomes_a_flow_file() {
    let whole = WHOLE;
    let mut sources = SourceMap::new();
    let read = read(&mut sources, "x.flow", whole, &Known);
    assert_eq!(faults(whole), [""; 0]);
    insta::assert_snapshot!("whole.json", read.json);
    let (doc, _) = FlowDoc::parse(&mut sources, "x.json", read.json.clone());
    let printed = print::print(&doc, &Known).expect("it is written");
    insta::assert_snapshot!("whole.flow", printed);
    assert_eq!(
        json(&printed),
        json(whole).clone_with_comments_of(&printed),
        "what was printed is the same flow"
    );
    insta::assert_snapshot!(
        "whole.formatted.flow",
        format::format(whole).expect("it is laid out")
    );
}

trait Comments {
    fn clone_with_comments_of(&self, printed: &str) -> serde_json::Value;
}

impl Comments for serde_json::Value {
    /// Without what a second way of writing cannot keep: whose statement a comment about wires stands at, labels made of the
    /// names of arms.
    fn clone_with_comments_of(&self, printed: &str) -> serde_json::Value {
        let other = json(printed);
        let mut own = self.clone();
        for node in own.as_array_mut().expect("an array") {
            let id = node["id"].as_str().expect("an id").to_owned();
            let there = other
                .as_array()
                .expect("an array")
                .iter()
                .find(|other| other["id"] == id.as_str());
            let there = there.unwrap_or_else(|| panic!("{id} is gone"));
            for part in ["_comments"] {
                match there.get(part) {
                    Some(value) => node[part] = value.clone(),
                    None => {
                        node.as_object_mut().expect("an object").remove(part);
                    }
                }
            }
        }
        // (groups first, then nodes: their order among each other is kept)
        let ids: Vec<_> = other
            .as_array()
            .expect("an array")
            .iter()
            .map(|node| node["id"].clone())
            .collect();
        own.as_array_mut()
            .expect("an array")
            .sort_by_key(|node| ids.iter().position(|id| *id == node["id"]));
        own
    }
}

#[test]
fn values_are_what_they_are_written_as() {
    for (args, wanted) in [
        (
            r#""a" = 1.50, "b" = -0, "c" = 0x10, "d" = 1_000, "e" = 1e3"#,
            r#"{"a":1.50,"b":-0,"c":16,"d":1000,"e":1e3}"#,
        ),
        (
            r#""a" = [true, null, "x", {"b c": 1}]"#,
            r#"{"a":[true,null,"x",{"b c":1}]}"#,
        ),
        (
            r#"value = msg.a.b["c d"][0].e"#,
            r#"{"value":"a.b[\"c d\"][0].e","valueType":"msg"}"#,
        ),
        (r#"value = flow.a"#, r#"{"value":"a","valueType":"flow"}"#),
        (r#"value = 5"#, r#"{"value":"5","valueType":"num"}"#),
        (r#"value = true"#, r#"{"value":"true","valueType":"bool"}"#),
        (
            r#"value = "msg.a""#,
            r#"{"value":"msg.a","valueType":"str"}"#,
        ),
        (r#"value = date()"#, r#"{"value":"","valueType":"date"}"#),
        (
            r#"value = {a: [1]}"#,
            r#"{"value":"{\"a\":[1]}","valueType":"json"}"#,
        ),
        (r#""value" = "x""#, r#"{"value":"x","valueType":"msg"}"#),
        (
            r#""valueType" = "jsonata", value = "x""#,
            r#"{"value":"x","valueType":"jsonata"}"#,
        ),
        (
            r#"scope = [s, f.s, "raw"]"#,
            r#"{"scope":["f.s","f.s","raw"]}"#,
        ),
        (r#"scope = s"#, r#"{"scope":["f.s"]}"#),
    ] {
        let all = json(&format!("flow f {{ let s = sink({args}); }}"));
        let wanted: serde_json::Value = serde_json::from_str(wanted).expect("JSON");
        for (name, value) in wanted.as_object().expect("an object") {
            assert_eq!(&node(&all, "f.s")[name], value, "{args}: {name}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let mut wrong = Vec::new();
    for (text, wanted) in [
        (
            "flow f { let a = snik(); }",
            "1:18 VG0100 there is no node type `snik` (did you mean `sink`?)",
        ),
        (
            "flow f { a -> sink; let a = pause(); }",
            "1:15 VG0053 there is no node `sink` (a new node is written `sink()`)",
        ),
        (
            "flow f { let alarm = pause(); alarn -> sink(); }",
            "1:31 VG0053 there is no node `alarn` (did you mean `alarm`?)",
        ),
        (
            "flow f { let a = far_in(retian = true); }",
            "1:25 VG0051 the far in node has no option `retian` (did you mean `retain`?)",
        ),
        (
            "flow f { let a = far_in(\"x\", topic = \"y\"); }",
            "1:25 VG0052 `topic` is given twice",
        ),
        (
            "flow f { let a = far_in(retain = true, retain = 1); }",
            "1:40 VG0052 `retain` is given twice",
        ),
        (
            "flow f { let a = far_in(server = 5); }",
            "1:34 VG0056 `server` takes the name of a configuration node",
        ),
        (
            "flow f { let a = far_in(topic = 5); }",
            "1:33 VG0056 `topic` takes a text in quotes",
        ),
        (
            "flow f { let a = far_in(retain = 5); }",
            "1:34 VG0056 `retain` takes true or false",
        ),
        (
            "flow f { let a = far_in(server = nobody); }",
            "1:34 VG0053 there is no node `nobody`",
        ),
        (
            "flow f { let a = pause(5); }",
            "1:24 VG0051 this argument of the pause has no name (write `property = value`)",
        ),
        (
            "flow f { let a = sink(value = payload); }",
            "1:31 VG0056 `payload` is no value (a property of the message is `msg.payload`, a text stands in quotes)",
        ),
        (
            "flow f { let a = pause(); let a = sink(); }",
            "1:31 VG0054 the name `a` is given twice (give one of them another name)",
        ),
        (
            "flow f { let a = sink(); a -> a; }",
            "1:26 VG0055 the sink node has no output",
        ),
        (
            "flow f { let a = pause(); a.1 -> a; }",
            "1:27 VG0055 the pause node has one output, 0, and no output 1",
        ),
        (
            "flow f { let a = work(outputs = 2); a.2 -> a; }",
            "1:37 VG0055 the work node has the outputs 0 to 1, and no output 2",
        ),
        (
            "flow f { pause() -> far_in(); }",
            "1:21 VG0055 the far in node has no input",
        ),
        (
            "flow f { s() -> sink(); } subflow s { pause() -> out; }",
            "",
        ),
        (
            "flow f { pause() -> s(); } subflow s { pause() -> out; }",
            "1:21 VG0055 the subflow s has no input",
        ),
        (
            "flow f { s(sise = 1); } subflow s (size = 2) {}",
            "1:12 VG0051 the subflow has no variable `sise` (did you mean `size`?)",
        ),
        (
            "flow f { let a = work(); a.left -> a; }",
            "1:26 VG0055 the work node has no output with the label `left`",
        ),
        (
            "flow f { route(msg.a, > 1) { hot -> sink(), cold -> sink() }; }",
            "1:45 VG0055 there is no condition that `cold` could be the name of (each arm with a name is one of the conditions in the \
             parentheses, in their order)",
        ),
        (
            "flow f { route(msg.a > 1, msg.b > 1); }",
            "1:27 VG0052 this node looks at another property already",
        ),
        (
            "flow f { let a = work(\"\") ; a -> a; }",
            "1:34 VG0058 from `f.a` on messages come back here, and nothing on the way waits (put a node that waits into the circle, \
             unless one of its nodes lets messages out of it)",
        ),
        ("flow f { let a = pause() ; a -> work(\"\") -> a; }", ""),
        (
            "flow f { let a = work(\"setTimeout(() => node.send(msg), 9)\") ; a -> a; }",
            "",
        ),
        (
            "flow f { let a = pause() a -> a; }",
            "1:26 VG0050 expected `;`",
        ),
        (
            "flow f { a -> ; }",
            "1:15 VG0050 expected a node: its name, or its type with `(…)`",
        ),
        (
            "flow f { let a = pause(x = ); }",
            "1:28 VG0050 unexpected end of input, expected a value",
        ),
        ("flow f ( ", "1:8 VG0050 `(` is never closed"),
        (
            "let a = pause(); a -> a;",
            "1:18 VG0057 nodes are connected inside of a flow (write it between the braces of `flow NAME { … }`)",
        ),
        (
            "flow f { flow g {} }",
            "1:10 VG0057 a flow cannot stand inside of another one",
        ),
        (
            "//! x\nlet a = pause();",
            "1:1 VG0050 `//!` describes nothing here: `///` stands before what it describes",
        ),
        ("group g {}", "1:1 VG0057 a group stands inside of a flow"),
        (
            "flow f { #[colour] let a = pause(); }",
            "1:10 VG0057 `#[colour]` says nothing here",
        ),
        (
            "flow f { let a = pause(); a -> |m| { m } -> sink(); }",
            "1:32 VG0057 Rust code is for `flow!` in a Rust program only (in a file, say it with a node of the library)",
        ),
        (
            "flow f { let a = pause(); a -> @x::y(1, 2) -> sink(); }",
            "1:32 VG0057 Rust code is for `flow!` in a Rust program only (in a file, say it with a node of the library)",
        ),
        (
            "let s = far_server(password = \"x\");",
            "1:31 VG0056 `password` is a secret, which does not stand in a flow (secrets are kept in the credentials file beside the flow)",
        ),
        (
            "flow f { let msg = pause(); }",
            "1:14 VG0050 `msg` is a word of the language and cannot be a name",
        ),
        (
            "flow f { let a = sink(id = \"x\"); }",
            "1:23 VG0051 `id` is no option (the id is said by `#[id = \"…\"]`, the type by the word before the parenthesis)",
        ),
        (
            "subflow s { out -> pause(); }",
            "1:13 VG0055 messages leave through `out`, and none come from there",
        ),
        (
            "subflow s { pause() -> in; }",
            "1:24 VG0055 messages come in through `in`, and none can be sent there",
        ),
        (
            "flow f { \"nobody\" -> sink(); }",
            "1:10 VG0053 there is no node with the id `nobody`",
        ),
    ] {
        let found = faults(text);
        let wanted: Vec<&str> = [wanted]
            .into_iter()
            .filter(|wanted| !wanted.is_empty())
            .collect();
        if found != wanted {
            wrong.push(format!("{text}\n  {found:?}\n  {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_run_tells_all_faults() {
    let text = "flow f {\n    let a = snik();\n    let b = far_in(retian = 1, topic = 5)\n    b -> nobody -> ;\n    b -> sink();\n}\nflow g { pause() -> pause( }\n";
    // (a bracket that is not closed is all that can be said)
    assert_eq!(faults(text).len(), 1);
    let text = text.replace("pause( }", "pause(= 1) }");
    assert_eq!(
        faults(&text),
        [
            "2:13 VG0100 there is no node type `snik` (did you mean `sink`?)",
            "3:20 VG0051 the far in node has no option `retian` (did you mean `retain`?)",
            "3:40 VG0056 `topic` takes a text in quotes",
            "4:5 VG0050 expected `;`",
            "4:20 VG0050 expected a node: its name, or its type with `(…)`",
            "7:27 VG0050 expected a value",
            "7:32 VG0050 unexpected end of input, expected `;`",
        ]
    );
}

#[test]
fn what_comes_after_points_into_the_text() {
    let text = "flow f {\n    let a = work(r#\"\n        let x = 1;\n        x +;\n    \"#);\n}\n";
    let mut sources = SourceMap::new();
    let read = read(&mut sources, "x.flow", text, &Known);
    let (doc, _) = FlowDoc::parse(&mut sources, "x.json", read.json);
    let a = doc.by_id("f.a").expect("the node");
    let at = a
        .prop("code")
        .and_then(|code| code.as_str())
        .and_then(|code| code.find("+;"))
        .expect("the sign");
    let span = a
        .body_span("code", at..at + 1)
        .expect("a place in the JSON");
    let found = read
        .origins
        .find(span.start, span.end)
        .expect("a place in the text");
    assert_eq!(sources.slice(found), "+");
    let at = sources.line_col(found.source, found.start);
    assert_eq!((at.line, at.column), (4, 11));
    let text = "flow f { let a = sink(value = jsonata(r#\"é + \"#)); }";
    let read_again = vgdc_text::read(&mut sources, "y.flow", text, &Known);
    let (other, _) = FlowDoc::parse(&mut sources, "y.json", read_again.json);
    let span = other
        .by_id("f.a")
        .and_then(|a| a.body_span("value", 3..4))
        .expect("a place");
    let found = read_again
        .origins
        .find(span.start, span.end)
        .expect("a place in the text");
    assert_eq!(
        sources.slice(found),
        "+",
        "behind the word for the type, too"
    );
    // a property that nobody wrote is the node
    let span = a.prop("outputs").expect("made").span();
    let found = read
        .origins
        .find(span.start, span.end)
        .expect("a place in the text");
    assert!(sources.slice(found).starts_with("let a = work("));
}

#[test]
fn secrets_are_not_shown() {
    let text =
        "let s = far_server(port = \"x\", credentials = { password: \"geheim\" }, prot = 1);";
    let mut sources = SourceMap::new();
    let read = read(&mut sources, "x.flow", text, &Known);
    let shown = vgdc_syntax::render::text(&read.diagnostics, &sources, &Default::default());
    assert!(
        shown.contains("prot") && !shown.contains("geheim"),
        "{shown}"
    );
}

#[test]
fn comments_come_back() {
    let text = "// before\nlet s = far_server(/* inside */ port = 5); // behind\n\n// of the flow\nflow f { // head\n    let a = pause(); // of a\n    // wires\n    a -> sink();\n    // end\n} // after\n";
    let mut sources = SourceMap::new();
    let first = read(&mut sources, "x.flow", text, &Known);
    let (doc, _) = FlowDoc::parse(&mut sources, "x.json", first.json);
    let printed = print::print(&doc, &Known).expect("it is written");
    for comment in [
        "// before",
        "/* inside */",
        "// behind",
        "// of the flow",
        "// head",
        "// of a",
        "// wires",
        "// end",
        "// after",
    ] {
        assert_eq!(printed.matches(comment).count(), 1, "{comment}:\n{printed}");
    }
    let second = read(&mut sources, "y.flow", &printed, &Known);
    let (doc, _) = FlowDoc::parse(&mut sources, "y.json", second.json);
    assert_eq!(print::print(&doc, &Known).expect("it is written"), printed);
}

#[test]
fn attributes_are_what_words_cannot_say() {
    let all = json(
        "#[canvas] let s = far_server();\n#[config] let p = pause();\n#[disabled] flow f {\n\
         #[at(5, -6.5)] #[disabled] pause() -> #[id = \"x\"] #[at(1, 2)] sink();\n\
         pause() at (3, 4) -> work() { 0 -> sink() at (7, 8) };\n\
         #[outputs(3)] let q = \"odd\"();\n#[config] let c = sink();\n}",
    );
    for (id, wanted) in [
        ("s", r#"{"x":140,"y":60}"#),
        ("p", r#"{"x":null,"wires":null}"#),
        ("f", r#"{"disabled":true,"label":"f"}"#),
        ("f.pause1", r#"{"x":5,"y":-6.5,"d":true,"wires":[["x"]]}"#),
        ("x", r#"{"x":1,"y":2}"#),
        ("f.pause2", r#"{"x":3,"y":4,"wires":[["f.work1"]]}"#),
        ("f.work1", r#"{"wires":[["f.sink1"]]}"#),
        ("f.sink1", r#"{"x":7,"y":8}"#),
        ("f.q", r#"{"wires":[[],[],[]]}"#),
        ("f.c", r#"{"z":"f","x":null,"wires":null}"#),
    ] {
        let wanted: serde_json::Value = serde_json::from_str(wanted).expect("JSON");
        let found = node(&all, id);
        for (name, value) in wanted.as_object().expect("an object") {
            assert_eq!(&found[name], value, "{id}: {name}");
        }
    }
}

#[test]
fn rust_code_becomes_nodes_where_somebody_knows_how() {
    struct Macro(std::cell::Cell<u32>);
    impl Nodes for Macro {
        fn spec(&self, ty: &str) -> Option<&'static NodeSpec> {
            Known.spec(ty)
        }
        fn types(&self) -> Vec<&str> {
            Known.types()
        }
        fn rust(&self, _: &syn::Expr) -> Option<String> {
            self.0.set(self.0.get() + 1);
            Some(format!("rust {}", self.0.get()))
        }
    }
    let text = "flow f { let a = pause(); a -> |m: X| -> Option<Y> { g(m) } -> async move |m| { m } -> @x::f(1, b) -> sink(); }";
    let tokens: proc_macro2::TokenStream = text.parse().expect("tokens");
    let (file, faults) = vgdc_text::parse::parse(tokens);
    assert!(faults.is_empty(), "{faults:?}");
    let lowered =
        vgdc_text::lower::lower(&file, &Macro(std::cell::Cell::new(0)), &Default::default());
    assert!(lowered.faults.is_empty(), "{:?}", lowered.faults);
    let all: serde_json::Value = serde_json::from_str(&lowered.json).expect("JSON");
    let chain = ["f.a", "f.rust_11", "f.rust_21", "f.rust_31", "f.sink1"];
    for pair in chain.windows(2) {
        assert_eq!(
            node(&all, pair[0])["wires"],
            serde_json::json!([[pair[1]]]),
            "{all:#}"
        );
    }
}

#[test]
fn what_is_deep_is_no_danger() {
    for (open, close) in [("[", "]"), ("{ a: ", "}")] {
        let deep = |n: usize| format!("let a = \"b\"(x = {}1{});", open.repeat(n), close.repeat(n));
        survives(&deep(60));
        assert_eq!(faults(&deep(60)), [""; 0]);
        assert!(faults(&deep(90))[0].contains("VG0004"));
    }
    survives(&format!(
        "flow f {{ {}a{} }}",
        "(".repeat(60),
        ")".repeat(60)
    ));
    survives(&format!(
        "flow f {{ {} {} }}",
        "group {".repeat(60),
        "}".repeat(60)
    ));
    survives(&format!(
        "flow f {{ {}{} }}",
        "a -> b { c -> ".repeat(60),
        "}".repeat(60)
    ));
    // a flow file may have deeper values than a text
    let json = format!(
        "[{{\"id\":\"a\",\"type\":\"b\",\"x\":{}{}}}]",
        "[".repeat(400),
        "]".repeat(400)
    );
    let (doc, said) = FlowDoc::parse(&mut SourceMap::new(), "x.json", json);
    assert!(!said.has_errors());
    assert!(print::print(&doc, &Known).is_err());
}

/// Reads and lays out; whatever it is, that ends, and what was laid out stays as it is.
fn survives(text: &str) {
    let mut sources = SourceMap::new();
    let read = read(&mut sources, "x.flow", text, &Known);
    let (doc, said) = FlowDoc::parse(&mut sources, "x.json", read.json.clone());
    assert!(!said.has_errors(), "{text}\n{}", read.json);
    let _ = print::print(&doc, &Known);
    if let Ok(once) = format::format(text) {
        assert_eq!(
            format::format(&once).expect("it is still a text"),
            once,
            "laid out twice: {text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_that_is_cut_or_changed_never_panics(
        cut in 0usize..3000, length in 0usize..60, with in "[-a-z0-9(){}\\[\\]\"#|.,;=>:/* \n\\\\é]{0,6}",
    ) {
        let boundary = |mut at: usize| { at = at.min(WHOLE.len()); while !WHOLE.is_char_boundary(at) { at -= 1; } at };
        let (from, to) = (boundary(cut), boundary(cut + length));
        survives(&format!("{}{with}{}", &WHOLE[..from], &WHOLE[to..]));
        survives(&WHOLE[..from]);
    }

    #[test]
    fn tokens_in_any_order_never_panic(order in prop::collection::vec(0usize..200, 0..60)) {
        let words: Vec<&str> = WHOLE.split_inclusive([' ', '(', ')', ';', '{', '}', '.', '\n']).collect();
        let text: String = order.iter().map(|at| words[at % words.len()]).collect();
        survives(&text);
    }

    #[test]
    fn any_blanks_between_tokens_are_laid_out_alike(seed in any::<u64>()) {
        // Line breaks where they mean nothing: after commas, opening brackets and arrows.
        let mut state = seed;
        let mut text = String::new();
        let whole: String = WHOLE.lines().filter(|line| !line.contains("//")).collect::<Vec<_>>().join("\n");
        let (before, rest) = whole.split_once("let sensor").expect("it is there");
        let mut in_text = false;
        for c in rest.chars() {
            text.push(c);
            in_text ^= c == '"';
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            if !in_text && matches!(c, ',' | '(' | '[') && state >> 60 == 0 {
                text.push_str("\n      ");
            }
        }
        let changed = format!("{before}let sensor{text}");
        prop_assert_eq!(format::format(&whole).ok(), format::format(&changed).ok());
    }
}
