//! Edits change one node's text, in the file's own manner.

use serde_json::{Value, json};
use vgdc_syntax::{EditError, FlowDoc, NodeIx, SourceMap};

use crate::{all, open, parse};

fn set(name: &str, id: &str, path: &[&str], value: Value) -> String {
    let (doc, _, _) = open(name);
    let mut edit = doc.edit();
    edit.set_property(doc.by_id(id).unwrap().ix(), path, &value)
        .unwrap();
    edit.to_text()
}

/// The lines that differ, old and new.
fn changes(name: &str, new: &str) -> String {
    let old = open(name).0.to_text().to_owned();
    let (old, new): (Vec<_>, Vec<_>) = (old.split('\n').collect(), new.split('\n').collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let same_end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count()
        .min(old.len().min(new.len()) - same_start);
    let part = |lines: &[&str], sign| {
        lines[same_start..lines.len() - same_end]
            .iter()
            .map(|line| format!("{sign}{line}\n"))
            .collect::<String>()
    };
    (part(&old, '-') + &part(&new, '+'))
        .replace('\r', "␍")
        .replace('\t', "⇥")
}

#[test]
fn values_are_replaced_in_the_manner_of_the_file() {
    insta::assert_snapshot!(changes(
        "indent4.json",
        &set("indent4.json", "inj1", &["wires"], json!([["fn1", "dbg1"]]))
    ));
    insta::assert_snapshot!(changes(
        "crlf.json",
        &set("crlf.json", "inj1", &["extra"], json!({"a": [1.0]}))
    ));
    insta::assert_snapshot!(changes(
        "tabs.json",
        &set("tabs.json", "dbg1", &["wires", "0"], json!(["inj1"]))
    ));
    insta::assert_snapshot!(changes(
        "hand.json",
        &set("hand.json", "a", &["name"], json!("new"))
    ));
    insta::assert_snapshot!(changes(
        "hand.json",
        &set("hand.json", "b", &["x"], json!(12.5))
    ));
    insta::assert_snapshot!(
        changes(
            "python-style.json",
            &set("python-style.json", "cfg1", &["tls"], json!([1, 2]))
        )
        .lines()
        .last()
        .unwrap()
        .rsplit_once("cfg1")
        .unwrap()
        .1
    );
    insta::assert_snapshot!(changes(
        "node-a-line.json",
        &set("node-a-line.json", "cfg1", &["tls", "a"], json!(true))
    ));
}

#[test]
fn an_edit_touches_one_node_in_every_file() {
    for (name, bytes) in all("flows") {
        let text = String::from_utf8(bytes).unwrap();
        let (doc, _, _) = parse(&text);
        for node in doc.nodes() {
            let mut edit = doc.edit();
            edit.set_property(node.ix(), &["probe", "deep"], &json!([1, {"a": "b"}]))
                .unwrap();
            let mut sources = SourceMap::new();
            let (new, _) = edit.finish(&mut sources, "new");
            let span = node.span().range();
            let edited = new.node(node.ix()).unwrap();
            assert_eq!(
                new.to_text()
                    .strip_prefix(&text[..span.start])
                    .and_then(|rest| rest.strip_suffix(&text[span.end..])),
                Some(edited.text()),
                "{name}"
            );
            assert_eq!(
                edited
                    .json()
                    .at_path(&["probe", "deep"])
                    .unwrap()
                    .to_serde(),
                json!([1, {"a": "b"}])
            );
            let mut back = new.edit();
            assert!(back.remove_property(node.ix(), &["probe"]).unwrap());
            assert_eq!(
                back.to_text(),
                text,
                "{name}: adding and removing gives the same bytes"
            );
        }
    }
}

#[test]
fn nodes_are_added_and_removed() {
    let added = |name: &str| {
        let (doc, _, _) = open(name);
        let mut edit = doc.edit();
        edit.add(&json!({"id": "z1", "type": "tab", "env": []}))
            .unwrap();
        edit.add(&json!({"id": "z2", "type": "debug", "x": 1.5}))
            .unwrap();
        let text = edit.to_text();
        let (new, diagnostics, _) = parse(&text);
        assert!(!diagnostics.has_errors(), "{text}");
        assert_eq!(new.nodes().len(), doc.nodes().len() + 2, "{name}");
        text
    };
    for (name, _) in all("flows") {
        added(&name);
    }
    insta::assert_snapshot!(added("empty-array.json"));
    insta::assert_snapshot!(changes("indent2.json", &added("indent2.json")));
    insta::assert_snapshot!(changes("node-a-line.json", &added("node-a-line.json")));
    let (doc, _, _) = open("hand.json");
    let without = |ids: &[&str]| {
        let mut edit = doc.edit();
        for id in ids {
            edit.remove(doc.by_id(id).unwrap().ix()).unwrap();
        }
        edit.to_text()
    };
    insta::assert_snapshot!(without(&["a"]));
    insta::assert_snapshot!(without(&["t", "b"]));
    assert_eq!(without(&["t", "a", "b"]).trim(), "[]");
}

#[test]
fn several_changes_of_one_node_add_up() {
    let (doc, _, _) = parse(r#"[{"id":"a","type":"tab"},{"id":"b","type":"tab"}]"#);
    let (a, b) = (NodeIx(0), NodeIx(1));
    let mut edit = doc.edit();
    edit.set_property(a, &["label"], &json!("one")).unwrap();
    edit.set_property(a, &["label"], &json!("two")).unwrap();
    edit.set_property(a, &["env", "0"], &json!(1))
        .unwrap_or_else(|error| panic!("{error}"));
    edit.remove_property(b, &["type"]).unwrap();
    assert!(!edit.remove_property(b, &["type"]).unwrap());
    assert_eq!(
        edit.to_text(),
        r#"[{"id":"a","type":"tab","label":"two","env":{"0":1}},{"id":"b"}]"#
    );
    edit.remove(a).unwrap();
    assert_eq!(
        edit.set_property(a, &["label"], &json!(1)),
        Err(EditError::NoSuchNode(a))
    );
    assert_eq!(edit.to_text(), r#"[{"id":"b"}]"#);
}

#[test]
fn what_cannot_be_edited_is_refused() {
    let (doc, _, _) = parse(r#"[{"id":"a","type":"tab"},]"#);
    assert_eq!(doc.edit().remove(NodeIx(0)), Err(EditError::Faulty));
    assert_eq!(
        doc.edit().add(&json!({"id": "a", "type": "tab"})),
        Err(EditError::Faulty)
    );
    let (doc, _, _) = open("compact.json");
    assert_eq!(
        doc.edit().remove(NodeIx(99)),
        Err(EditError::NoSuchNode(NodeIx(99)))
    );
    assert_eq!(
        doc.edit().add(&json!({"id": "a"})),
        Err(EditError::NotANode)
    );
    assert!(matches!(
        doc.edit().set_property(NodeIx(0), &[], &json!(1)),
        Err(EditError::Path(_))
    ));
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "x", "{}");
    assert_eq!(doc.edit().to_text(), "{}");
}
