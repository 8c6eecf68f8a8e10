//! Whatever a text is: nothing panics, and positions lie in it.

use proptest::prelude::*;
use vgdc_script::{
    Phase, ScriptError, TextKind, check_javascript, check_regex, check_text, context_uses,
};

const KINDS: [TextKind; 12] = [
    TextKind::JavaScript(Phase::Body),
    TextKind::JavaScript(Phase::Close),
    TextKind::Jsonata,
    TextKind::Mustache,
    TextKind::MsgPath,
    TextKind::FlowKey,
    TextKind::GlobalKey,
    TextKind::Regex,
    TextKind::Json,
    TextKind::Number,
    TextKind::Bool,
    TextKind::Bytes,
];

fn lies_in(error: &ScriptError, text: &str) -> bool {
    text.get(error.range.clone()).is_some()
        && error.line >= 1
        && error.column >= 1
        && error.line as usize <= text.matches('\n').count() + 1
}

fn look_at(text: &str) {
    for kind in KINDS {
        for error in check_text(kind, text) {
            assert!(lies_in(&error, text), "{kind:?} {text:?}: {error:?}");
        }
        let _ = context_uses(kind, text);
    }
    let _ = check_regex(text, text);
}

/// Texts made of pieces of the languages: they get further than characters at random.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "flow",
        ".get(",
        "global",
        "context",
        "\"a\"",
        "'b'",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "}}",
        "{{{",
        "}}}",
        ";",
        "\n",
        " ",
        "=>",
        "=",
        "+",
        "-",
        "/",
        "*",
        "?",
        ":",
        ",",
        ".",
        "...",
        "`",
        "${",
        "await ",
        "async ",
        "function",
        "return ",
        "let ",
        "const ",
        "class ",
        "new ",
        "this",
        "node.done()",
        "msg",
        "payload",
        "$flowContext(",
        "$$",
        "$eval(",
        "|",
        "^",
        "<",
        ">",
        "&",
        "%",
        "#",
        "@",
        "~>",
        "1",
        "0x",
        "1n",
        "\\u0061",
        "\\",
        "é",
        "😀",
        "\u{2028}",
        "/*",
        "*/",
        "//",
        "<!--",
        "-->",
        "#:(file)::",
        "${A}",
        "if",
        "else",
        "for",
        "of",
        "in",
        "yield",
        "static",
        "get ",
        "set ",
        "with(",
        "eval",
        "constructor",
        "typeof ",
        "delete ",
        "import",
        "null",
        "true",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_looked_at(text in "\\PC{0,60}") {
        look_at(&text);
    }

    #[test]
    fn any_text_of_pieces_is_looked_at(text in pieces()) {
        look_at(&text);
    }

    #[test]
    fn a_part_of_a_body_is_looked_at(start in 0_usize..8000, length in 0_usize..400) {
        let bodies = include_str!("files/bodies.txt");
        let start = bodies.floor_char_boundary(start.min(bodies.len()));
        let end = bodies.floor_char_boundary((start + length).min(bodies.len()));
        look_at(&bodies[start..end]);
    }
}

/// Nesting as deep as a text of some hundred kilobytes can be does not overflow the stack.
#[test]
fn deep_texts_are_looked_at() {
    for piece in [
        "(",
        "[",
        "{",
        "!",
        "-",
        "a+",
        "a.",
        "a(",
        "a[",
        "a?b:",
        "a=>",
        "x=",
        "if(a)",
        "for(;;)",
        "new ",
        "typeof ",
        "`${",
        "a,",
        "{a:",
        "[a]=",
        "async()=>",
        "function f(){",
        "class A{a=",
        "a?.",
        "else if(a){}",
        "a**",
        "a:",
        "do ",
        "with(a)",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let _ = check_javascript(&text, Phase::Body);
    }
    for (open, middle, close) in [
        ("(", "a", ")"),
        ("[", "", "]"),
        ("{", "", "}"),
        ("f(", "", ")"),
        ("(()=>{", "", "})()"),
        ("if(a){", "", "}"),
        ("a?", "b", ":c"),
        ("!", "a", ""),
        ("a+", "a", ""),
        ("`${", "a", "}`"),
        ("if(a){}else ", "{}", ""),
    ] {
        let text = format!("{}{middle}{}", open.repeat(10_000), close.repeat(10_000));
        let _ = check_javascript(&text, Phase::Body);
    }
}
