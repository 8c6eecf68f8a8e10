//! What holds for every flow file and for every sequence of bytes.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use vgdc_syntax::{Diagnostics, FlowDoc, NodeIx, SourceMap, render};

/// JSON as it is spelled: the strings are source text.
#[derive(Clone, Debug)]
enum Tree {
    Word(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// How a file is laid out.
#[derive(Clone, Debug)]
struct Layout {
    indent: Option<&'static str>,
    newline: &'static str,
    colon: &'static str,
    mark: bool,
    /// White space to strew in where there is no indentation.
    strewn: Vec<&'static str>,
}

fn layout() -> impl Strategy<Value = Layout> {
    let indent = select(vec![
        None,
        None,
        Some("  "),
        Some("    "),
        Some("\t"),
        Some(""),
    ]);
    let space = select(vec!["", "", "", " ", "\n", "\r\n", "\t", "  \n "]);
    (
        indent,
        select(vec!["\n", "\r\n"]),
        select(vec![":", ": ", " :", " : "]),
        any::<bool>(),
        prop::collection::vec(space, 0..20),
    )
        .prop_map(|(indent, newline, colon, mark, strewn)| Layout {
            indent,
            newline,
            colon,
            mark,
            strewn,
        })
}

struct Writer<'l> {
    layout: &'l Layout,
    out: String,
    strewn: usize,
}

impl Writer<'_> {
    fn file(tree: &Tree, layout: &Layout) -> String {
        let mut writer = Writer {
            layout,
            out: String::new(),
            strewn: 0,
        };
        if layout.mark {
            writer.out.push('\u{feff}');
        }
        writer.tree(tree, 0);
        writer.gap(0);
        writer.out
    }

    fn gap(&mut self, depth: usize) {
        match self.layout.indent {
            Some(step) => {
                self.out.push_str(self.layout.newline);
                self.out.push_str(&step.repeat(depth));
            }
            None if !self.layout.strewn.is_empty() => {
                self.out
                    .push_str(self.layout.strewn[self.strewn % self.layout.strewn.len()]);
                self.strewn += 1;
            }
            None => {}
        }
    }

    fn tree(&mut self, tree: &Tree, depth: usize) {
        let (open, close, length) = match tree {
            Tree::Word(word) => return self.out.push_str(word),
            Tree::Array(list) => ('[', ']', list.len()),
            Tree::Object(map) => ('{', '}', map.len()),
        };
        self.out.push(open);
        for at in 0..length {
            if at > 0 {
                self.out.push(',');
            }
            self.gap(depth + 1);
            match tree {
                Tree::Object(map) => {
                    self.out.push_str(&map[at].0);
                    self.out.push_str(self.layout.colon);
                    self.tree(&map[at].1, depth + 1);
                }
                Tree::Array(list) => self.tree(&list[at], depth + 1),
                Tree::Word(_) => {}
            }
        }
        if length > 0 {
            self.gap(depth);
        }
        self.out.push(close);
    }
}

/// A string literal: plain, or with escapes of every kind.
fn literal() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9 _.:/{}\\[\\],]{0,6}",
        1 => "[à-ý€😀]{1,3}",
        1 => select(vec!["\\n", "\\t", "\\\"", "\\\\", "\\/", "\\u00e9", "\\u0041", "\\ud83d\\ude00", "\\u0000", "\\r\\n"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn word() -> impl Strategy<Value = Tree> {
    let numbers = vec![
        "0",
        "-0",
        "1.0",
        "1e3",
        "-12.50",
        "310.66668701171875",
        "12345678901234567890",
        "1E-7",
        "0.1e+1",
    ];
    prop_oneof![
        literal().prop_map(Tree::Word),
        select(numbers).prop_map(|text| Tree::Word(text.to_owned())),
        select(vec!["true", "false", "null"]).prop_map(|text| Tree::Word(text.to_owned())),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        // None of the structural names, which a later duplicate would take the place of.
        3 => "\"k[a-z]{0,4}\"",
        1 => select(vec!["\"10\"", "\"9\"", "\"-1\"", "\"01\"", "\"\"", "\"__proto__\"", "\"n\\u0061me\"", "\"ключ\""]).prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Tree> {
    word().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::Array),
            prop::collection::vec((key(), inner), 0..4).prop_map(Tree::Object),
        ]
    })
}

/// A node: ids from a small set, so that some are there twice and some wires dangle.
fn node() -> impl Strategy<Value = Tree> {
    let id = || select(vec!["a", "b", "c", "d", "e", "1", "2"]).prop_map(|id| format!("\"{id}\""));
    let ty = select(vec![
        "tab",
        "group",
        "subflow",
        "debug",
        "function",
        "subflow:a",
        "mqtt-broker",
    ]);
    let wires = prop::collection::vec(prop::collection::vec(id(), 0..3), 0..3);
    let place = prop::option::of((
        select(vec!["1", "90.5", "310.66668701171875"]),
        select(vec!["2", "-3.25"]),
    ));
    (
        id(),
        ty,
        prop::option::of(id()),
        place,
        wires,
        prop::collection::vec((key(), value()), 0..4),
    )
        .prop_map(|(id, ty, z, place, wires, more)| {
            let word = |text: &str| Tree::Word(text.to_owned());
            let quoted = |text: &str| format!("\"{text}\"");
            let mut members = vec![
                (quoted("id"), Tree::Word(id)),
                (quoted("type"), Tree::Word(quoted(ty))),
            ];
            members.extend(z.map(|z| (quoted("z"), Tree::Word(z))));
            members.extend(more);
            if let Some((x, y)) = place {
                members.extend([(quoted("x"), word(x)), (quoted("y"), word(y))]);
            }
            let wires = wires
                .into_iter()
                .map(|output| Tree::Array(output.into_iter().map(Tree::Word).collect()))
                .collect();
            members.push((quoted("wires"), Tree::Array(wires)));
            Tree::Object(members)
        })
}

/// A flow file in any form and layout, and how many nodes it has.
fn flow_file() -> impl Strategy<Value = (String, usize)> {
    (prop::collection::vec(node(), 0..6), any::<bool>(), layout()).prop_map(
        |(nodes, wrapped, layout)| {
            let count = nodes.len();
            let array = Tree::Array(nodes);
            let tree = if wrapped {
                Tree::Object(vec![
                    ("\"flows\"".to_owned(), array),
                    ("\"rev\"".to_owned(), Tree::Word("\"1\"".to_owned())),
                ])
            } else {
                array
            };
            (Writer::file(&tree, &layout), count)
        },
    )
}

fn parse(bytes: &[u8]) -> (FlowDoc, Diagnostics, SourceMap) {
    let mut sources = SourceMap::new();
    let (doc, diagnostics) = FlowDoc::parse_bytes(&mut sources, "flows.json", bytes.to_vec());
    (doc, diagnostics, sources)
}

/// Does all with a document that the compiler would do: whatever the input was, nothing panics and all places are in the text.
fn exercise(doc: &FlowDoc, diagnostics: &Diagnostics, sources: &SourceMap) {
    let text = doc.to_text();
    for diagnostic in diagnostics {
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "{diagnostic:?}");
        }
        assert!(!diagnostic.message.is_empty());
    }
    let shown = render::text(diagnostics, sources, &render::TextOptions::default());
    assert_eq!(shown.is_empty(), diagnostics.is_empty());
    let json = render::json(diagnostics, sources);
    assert_eq!(
        json["diagnostics"].as_array().map(Vec::len),
        Some(diagnostics.len())
    );
    for node in doc.nodes() {
        assert_eq!(sources.slice(node.span()), node.text());
        let _ = (
            node.wires(),
            node.env(),
            node.kind(),
            node.subflow_in(),
            node.scope(),
            node.json().to_serde(),
        );
        assert_eq!(
            doc.by_id(node.id()).map(|found| found.id()),
            Some(node.id())
        );
    }
}

/// `serde_json`'s value with every number as a double, as JavaScript and [`vgdc_syntax::Json::to_serde`] have them.
fn as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(list) => list.into_iter().map(as_doubles).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, as_doubles(value)))
            .collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_flow_file_is_written_back_byte_for_byte((text, count) in flow_file()) {
        let (doc, diagnostics, sources) = parse(text.as_bytes());
        prop_assert!(!diagnostics.has_errors(), "{:?}", diagnostics);
        prop_assert_eq!(doc.to_text(), &text);
        prop_assert_eq!(doc.edit().to_text(), &text[..]);
        prop_assert_eq!(doc.nodes().len(), count);
        exercise(&doc, &diagnostics, &sources);
    }

    #[test]
    fn values_are_those_of_another_reader((text, _) in flow_file()) {
        let (doc, _, _) = parse(text.as_bytes());
        let expected: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        prop_assert_eq!(as_doubles(doc.json().root().to_serde()), as_doubles(expected));
    }

    #[test]
    fn an_edit_touches_one_node((text, count) in flow_file(), pick in any::<prop::sample::Index>(), number in any::<i32>()) {
        if count == 0 {
            return Ok(());
        }
        let (doc, _, _) = parse(text.as_bytes());
        let ix = NodeIx(pick.index(count) as u32);
        let value = serde_json::json!({ "set": [number, "é\n"] });
        let mut edit = doc.edit();
        edit.set_property(ix, &["probe"], &value).unwrap();
        let mut sources = SourceMap::new();
        let (new, diagnostics) = edit.finish(&mut sources, "new");
        prop_assert!(!diagnostics.has_errors());
        let span = doc.node(ix).unwrap().span().range();
        let edited = new.node(ix).unwrap();
        prop_assert_eq!(new.to_text().strip_prefix(&text[..span.start]).and_then(|rest| rest.strip_suffix(&text[span.end..])), Some(edited.text()));
        prop_assert_eq!(edited.prop("probe").unwrap().to_serde(), value);
        let before: Vec<_> = doc.node(ix).unwrap().props().filter(|(name, _)| name != "probe").map(|(name, value)| (name.into_owned(), value.text())).collect();
        let after: Vec<_> = edited.props().filter(|(name, _)| name != "probe").map(|(name, value)| (name.into_owned(), value.text())).collect();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn nodes_are_removed_one_by_one((text, count) in flow_file(), keep in prop::collection::vec(any::<bool>(), 6)) {
        let (doc, _, _) = parse(text.as_bytes());
        let mut edit = doc.edit();
        for at in (0..count).filter(|&at| !keep[at]) {
            edit.remove(NodeIx(at as u32)).unwrap();
        }
        let mut sources = SourceMap::new();
        let (new, diagnostics) = edit.finish(&mut sources, "new");
        prop_assert!(!diagnostics.has_errors());
        let kept: Vec<_> = doc.nodes().enumerate().filter(|(at, _)| keep[*at]).map(|(_, node)| node.text()).collect();
        prop_assert_eq!(new.nodes().map(|node| node.text()).collect::<Vec<_>>(), kept);
    }

    #[test]
    fn a_cut_file_is_always_told((text, _) in flow_file(), cut in any::<prop::sample::Index>()) {
        let whole = text.trim_end().len();
        let (doc, diagnostics, sources) = parse(&text.as_bytes()[..cut.index(whole)]);
        prop_assert!(diagnostics.has_errors());
        exercise(&doc, &diagnostics, &sources);
    }

    #[test]
    fn a_damaged_file_is_read_as_far_as_it_goes((text, _) in flow_file(), at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..3), gone in 0usize..4) {
        let mut damaged = text.into_bytes();
        let at = at.index(damaged.len());
        let end = (at + gone).min(damaged.len());
        damaged.splice(at..end, bytes);
        let (doc, diagnostics, sources) = parse(&damaged);
        if let Ok(text) = std::str::from_utf8(&damaged) {
            // Surrogates are left out: the other reader refuses half of a pair, JavaScript does not.
            if !text.contains("\\u") {
                let other = serde_json::from_str::<Value>(text.strip_prefix('\u{feff}').unwrap_or(text));
                let ours = diagnostics.iter().any(|found| found.code.number() < 5);
                let out_of_range = other.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
                prop_assert!(out_of_range || ours == other.is_err(), "{:?} {:?}", text, diagnostics);
            }
        } else {
            prop_assert!(diagnostics.has_errors());
        }
        exercise(&doc, &diagnostics, &sources);
    }

    #[test]
    fn any_bytes_at_all_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (doc, diagnostics, sources) = parse(&bytes);
        exercise(&doc, &diagnostics, &sources);
    }

    #[test]
    fn any_heap_of_tokens_is_read(tokens in prop::collection::vec(select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"id\"", "\"type\"", "'", "\\", "\\u", "\\ud800", "1", "-", ".", "e", "true", "nul", "//", "/*", "*/", "\n", " ", "é", "\u{feff}", "\0",
    ]), 0..60)) {
        let text = tokens.concat();
        let (doc, diagnostics, sources) = parse(text.as_bytes());
        prop_assert_eq!(doc.to_text(), &text);
        exercise(&doc, &diagnostics, &sources);
    }

    #[test]
    fn places_in_a_decoded_string_lead_to_its_literal(literal in literal()) {
        let text = format!("[{{\"id\":\"a\",\"type\":\"t\",\"body\":{literal}}}]");
        let (doc, _, sources) = parse(text.as_bytes());
        let node = doc.by_id("a").unwrap();
        let body = node.prop("body").unwrap().as_str().unwrap().into_owned();
        for (at, character) in body.char_indices() {
            let span = node.body_span("body", at..at + character.len_utf8()).unwrap();
            let piece = format!("\"{}\"", sources.slice(span));
            prop_assert_eq!(vgdc_syntax::json::decode(&piece), character.to_string());
        }
    }
}
