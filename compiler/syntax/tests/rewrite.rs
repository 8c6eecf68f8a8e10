//! Flow files that are brought to what somebody made of them: whatever they look like, what says the same keeps its bytes, and what is written
//! says what it should.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vgdc_syntax::{FlowDoc, SourceMap};

/// How a file is laid out.
#[derive(Clone, Debug)]
struct Manner {
    indent: Option<&'static str>,
    newline: &'static str,
    gap: &'static str,
    mark: bool,
    end: &'static str,
}

fn manner() -> impl Strategy<Value = Manner> {
    (
        prop_oneof![
            Just(None),
            Just(Some("  ")),
            Just(Some("    ")),
            Just(Some("\t"))
        ],
        prop_oneof![Just("\n"), Just("\r\n")],
        prop_oneof![Just(""), Just(" ")],
        any::<bool>(),
        prop_oneof![Just(""), Just("\n"), Just("\r\n")],
    )
        .prop_map(|(indent, newline, gap, mark, end)| Manner {
            indent,
            newline,
            gap,
            mark,
            end,
        })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        "[a-zé😀\"\\\\\n/]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c0-9]{1,2}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn node() -> impl Strategy<Value = Value> {
    (
        "[a-h]",
        prop::collection::vec(("[p-s0-9]{1,2}", value()), 0..5),
    )
        .prop_map(|(id, members)| {
            let mut node = Map::from_iter([
                ("id".to_owned(), json!(id)),
                ("type".to_owned(), json!("t")),
            ]);
            node.extend(members);
            Value::Object(node)
        })
}

fn write(out: &mut String, value: &Value, manner: &Manner, depth: usize) {
    let (open, close, members): (_, _, Vec<(Option<&String>, &Value)>) = match value {
        Value::Array(all) => ('[', ']', all.iter().map(|one| (None, one)).collect()),
        Value::Object(all) => (
            '{',
            '}',
            all.iter().map(|(key, one)| (Some(key), one)).collect(),
        ),
        scalar => return out.push_str(&scalar.to_string()),
    };
    let line = |out: &mut String, depth: usize| {
        if let Some(indent) = manner.indent {
            out.push_str(manner.newline);
            out.push_str(&indent.repeat(depth));
        }
    };
    out.push(open);
    for (at, (key, member)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
            if manner.indent.is_none() {
                out.push_str(manner.gap);
            }
        }
        line(out, depth + 1);
        if let Some(key) = key {
            out.push_str(&format!("{}:{}", json!(key), manner.gap));
        }
        write(out, member, manner, depth + 1);
    }
    if !members.is_empty() {
        line(out, depth);
    }
    out.push(close);
}

fn text(nodes: &[Value], manner: &Manner) -> String {
    let mut out = if manner.mark {
        "\u{feff}".to_owned()
    } else {
        String::new()
    };
    write(&mut out, &Value::from(nodes.to_vec()), manner, 0);
    out.push_str(manner.end);
    out
}

fn doc(text: &str) -> FlowDoc {
    FlowDoc::parse(&mut SourceMap::new(), "flows.json", text).0
}

fn read(text: &str) -> Value {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("it is JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_nobody_edited_keeps_its_bytes(nodes in prop::collection::vec(node(), 0..6), manner in manner()) {
        let before = text(&nodes, &manner);
        let same = Value::from(nodes).to_string();
        prop_assert_eq!(doc(&before).rewritten(&same).expect("it is rewritten"), before);
    }

    #[test]
    fn what_is_written_says_what_it_should(
        before in prop::collection::vec(node(), 0..6), after in prop::collection::vec(node(), 0..6), manner in manner(),
    ) {
        let old = text(&before, &manner);
        let new = doc(&old).rewritten(&Value::from(after.clone()).to_string()).expect("it is rewritten");
        prop_assert_eq!(read(&new), Value::from(after));
        prop_assert_eq!(new.starts_with('\u{feff}'), manner.mark);
        let end = format!("]{}", manner.end);
        prop_assert!(new.ends_with(&end));
    }

    #[test]
    fn one_edited_node_leaves_the_others_as_they_are(
        mut nodes in prop::collection::vec(node(), 1..6), manner in manner(), at in 0usize..6, new in value(),
    ) {
        for (number, node) in nodes.iter_mut().enumerate() {
            node["id"] = json!(format!("n{number}"));
        }
        let at = at % nodes.len();
        let before = text(&nodes, &manner);
        nodes[at]["edited"] = new;
        let after = doc(&before).rewritten(&Value::from(nodes.clone()).to_string()).expect("it is rewritten");
        prop_assert_eq!(read(&after), Value::from(nodes.clone()));
        let (before, after) = (doc(&before), doc(&after));
        for (number, _) in nodes.iter().enumerate().filter(|(number, _)| *number != at) {
            let id = format!("n{number}");
            let texts = [&before, &after].map(|doc| doc.by_id(&id).map(|node| node.text().to_owned()));
            prop_assert_eq!(&texts[0], &texts[1]);
        }
        // in a file that is laid out evenly, the edited node is laid out as the whole would be
        prop_assert_eq!(after.to_text(), text(&nodes, &manner));
    }
}
