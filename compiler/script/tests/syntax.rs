//! What is JavaScript and what is not, as Node.js and our engine say.

use rquickjs::{CatchResultExt, Context, Runtime, context::EvalOptions};
use serde_json::Value;
use vgdc_script::{Phase, check_javascript};

const PHASES: [Phase; 3] = [Phase::Body, Phase::Setup, Phase::Close];

/// Texts, and for each phase whether Node.js 20 compiles them within Node-RED's wrapper (recorded).
fn cases() -> Vec<(String, [bool; 3])> {
    let lines = include_str!("files/syntax.jsonl").lines();
    let case = |line: &str| {
        let case: Value = serde_json::from_str(line).expect("a line is JSON");
        let node = |at: usize| {
            case["node"][at]
                .as_bool()
                .expect("says whether Node.js accepts it")
        };
        (
            case["text"].as_str().expect("has a text").to_owned(),
            [node(0), node(1), node(2)],
        )
    };
    lines.map(case).collect()
}

/// Texts that Node.js 20 refuses, and newer ones and our engine accept.
const NEWER: &[&str] = &[
    "/(?<a>b)|(?<a>c)/",
    "/(?i:a)/",
    "/(?-i:a)/",
    "/(?i-s:a)/",
    "using a = b",
    "await using a = b",
    "{ using a = b }",
    "for (using a of b) {}",
];

/// Where we differ from Node.js knowingly.
const DIFFERENT: &[&str] = &[
    // These close the function that Node-RED puts around them and open another.
    "}); (function(){",
    "}, function(){",
    "})(); (async function(){",
    // A name of Node-RED's own code around the text.
    "let __send__",
    // An assignment that fails when it runs; our engine refuses it, too.
    "f() = 1",
    "f()++",
    "for (f() in a) {}",
    "for (f() of a) {}",
    // `let` as a variable's name at the very end of the code.
    "let",
    "var let = 1; let",
];

/// Texts that our engine refuses although they are JavaScript: its own compiler says so when the node starts.
const NOT_IN_ENGINE: &[&str] = &["class A { get\n*a(){} }"];

#[test]
fn the_parser_agrees_with_node() {
    let mut wrong = Vec::new();
    for (text, node) in cases() {
        for (phase, node) in PHASES.into_iter().zip(node) {
            let ours = check_javascript(&text, phase);
            let expected = node
                || NEWER.contains(&text.as_str())
                    && !(phase == Phase::Close && text.starts_with("await"));
            if ours.is_ok() != expected && !DIFFERENT.contains(&text.as_str()) {
                wrong.push(format!(
                    "{phase:?} {text:?}: node says {node}, we say {:?}",
                    ours.map(drop).map_err(|e| e[0].message.clone())
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differences\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The engine's own question, as it puts it.
fn engine_accepts(context: &Context, text: &str, phase: Phase) -> bool {
    let head = match phase {
        Phase::Body => "async function(msg,node)",
        Phase::Setup => "async function(node)",
        Phase::Close => "function(node)",
    };
    context.with(|ctx| {
        let mut options = EvalOptions::default();
        options.strict = false;
        let code = format!("({head}{{;\n{text}\n}})");
        ctx.eval_with_options::<rquickjs::Value<'_>, _>(code, options)
            .catch(&ctx)
            .is_ok_and(|value| value.is_function())
    })
}

#[test]
fn the_engine_accepts_what_the_parser_does() {
    let runtime = Runtime::new().expect("an engine");
    let mut wrong = Vec::new();
    for (text, _) in cases() {
        for phase in PHASES {
            let context = Context::full(&runtime).expect("a context");
            let ours = check_javascript(&text, phase).is_ok();
            if ours
                && !engine_accepts(&context, &text, phase)
                && !NOT_IN_ENGINE.contains(&text.as_str())
            {
                wrong.push(format!("{phase:?} {text:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differences\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn errors_say_what_and_where() {
    let mut out = String::new();
    for text in [
        "var a = 1;\nreturn msg +;",
        "return msg }",
        "return msg;\n}\nfoo();",
        "if (x) {\n  return msg;\n",
        "node.send({payload: 1;",
        "msg.payload = 'it's';",
        "msg.payload = 'open;\nreturn msg;",
        "msg.payload = `open;\nreturn msg;",
        "let a = 1;\nlet b = 2, a = 3;",
        "let msg = {};",
        "const a;\nreturn a;",
        "break;",
        "if msg.payload { return msg; }",
        "import fs from 'fs';",
        "return /(/;",
        "é = 1;\n  é é",
        "}); (function(){",
        "@dec class A {}",
        "f() = 1",
        "/* open",
    ] {
        let errors = check_javascript(text, Phase::Body).expect_err(text);
        out.push_str(&format!("{text:?}\n"));
        for error in errors {
            out.push_str(&format!(
                "  {}:{} {:?} {}\n",
                error.line,
                error.column,
                &text[error.range.clone()],
                error.message
            ));
        }
    }
    insta::assert_snapshot!(out);
}
