//! The typed view of nodes.

use vgdc_syntax::flowdoc::{PortRef, Scope};
use vgdc_syntax::{NodeKind, NodeSpan};

use crate::{open, parse};

fn port(node: &str, port: usize) -> PortRef {
    PortRef {
        node: node.to_owned(),
        port,
    }
}

#[test]
fn structural_fields_are_read() {
    let (doc, _, sources) = open("indent4.json");
    let node = doc.by_id("fn1").unwrap();
    assert_eq!(
        (node.id(), node.ty(), node.z(), node.g(), node.name()),
        ("fn1", "function", Some("tab1"), Some("grp1"), "too hot?")
    );
    assert_eq!(
        (node.x(), node.y(), node.d(), node.l()),
        (Some(320.0), Some(100.0), false, None)
    );
    assert_eq!(node.wires(), [vec!["dbg1".to_owned()], vec![]]);
    assert_eq!(sources.slice(node.wire_span(0, 0).unwrap()), "\"dbg1\"");
    assert_eq!(node.prop("outputs").unwrap().as_f64(), Some(2.0));
    assert_eq!(
        node.props()
            .map(|(name, _)| name.into_owned())
            .take(4)
            .collect::<Vec<_>>(),
        ["id", "type", "z", "g"]
    );
    assert!(node.text().starts_with('{') && node.text().ends_with('}'));
    assert_eq!(sources.slice(node.span()), node.text());
    let tab = doc.by_id("tab1").unwrap();
    assert_eq!(
        (tab.kind(), tab.name(), tab.disabled()),
        (NodeKind::Tab, "Boiler room", false)
    );
    assert_eq!(tab.info(), "Reads the boiler.\n\nTwo lines.");
    let env = tab.env();
    assert_eq!(
        (
            env[0].name().as_ref(),
            env[0].ty().as_ref(),
            env[0].value().unwrap().as_str().unwrap().as_ref()
        ),
        ("LIMIT", "num", "70")
    );
    let group = doc.by_id("grp1").unwrap();
    assert_eq!(
        (group.kind(), group.members(), group.y()),
        (
            NodeKind::Group,
            vec!["fn1".to_owned(), "dbg1".to_owned()],
            Some(51.5)
        )
    );
    assert_eq!(doc.by_id("cfg1").unwrap().kind(), NodeKind::Config);
    assert_eq!(doc.by_id("dbg1").unwrap().kind(), NodeKind::Node);
}

#[test]
fn subflows_links_and_scopes_are_read() {
    let (doc, diagnostics, _) = open("subflow.json");
    assert!(diagnostics.is_empty());
    let def = doc.by_id("sf").unwrap();
    assert_eq!(def.kind(), NodeKind::SubflowDef);
    assert_eq!(def.subflow_in(), [vec![port("in1", 0)]]);
    assert_eq!(def.subflow_out(), [vec![port("in1", 0), port("sf", 0)]]);
    assert_eq!(def.subflow_status(), Some(vec![port("in1", 1)]));
    assert!(def.env()[0].ui().is_some());
    let instance = doc.by_id("i1").unwrap();
    assert_eq!(
        (instance.kind(), instance.d()),
        (NodeKind::SubflowInstance("sf"), true)
    );
    assert_eq!(
        doc.by_id("c1").unwrap().scope(),
        Scope::Nodes(vec!["i1".to_owned()])
    );
    assert_eq!(doc.by_id("c1").unwrap().l(), Some(false));
    assert_eq!(doc.by_id("c2").unwrap().scope(), Scope::Group);
    assert_eq!(doc.by_id("c3").unwrap().scope(), Scope::Tab);
    assert_eq!(doc.by_id("l1").unwrap().links(), ["l2"]);
    let (doc, _, _) = parse(
        r#"[{"id":"a","type":"link call","links":"l2"},{"id":"b","type":"link call","links":""}]"#,
    );
    assert_eq!(doc.by_id("a").unwrap().links(), ["l2"]);
    assert!(doc.by_id("b").unwrap().links().is_empty());
}

#[test]
fn of_duplicate_ids_the_last_counts() {
    let (doc, _, _) = open("duplicates.json");
    assert_eq!(doc.by_id("a").unwrap().name(), "other tab");
    let shadowed: Vec<_> = doc
        .nodes()
        .filter(|node| node.is_shadowed())
        .map(|node| node.name())
        .collect();
    assert_eq!(shadowed, ["first"], "the one on the other tab runs as well");
    assert_eq!(
        doc.by_id("k").unwrap().name(),
        "new",
        "of duplicate keys the last counts"
    );
}

#[test]
fn numbers_and_keys_keep_their_spelling() {
    let (doc, _, _) = open("numbers-and-keys.json");
    let node = doc.by_id("n").unwrap();
    let names: Vec<_> = node.props().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(
        &names[5..10],
        ["10", "9", "-1", "01", "a"],
        "keys stay in the order of the file"
    );
    let text = |name: &str| node.prop(name).unwrap().text();
    assert_eq!(
        (text("b"), text("c"), text("a"), text("y")),
        ("1.0", "1e3", "-0", "12345678901234567890")
    );
    let value = |name: &str| node.prop(name).unwrap().as_f64().unwrap();
    assert_eq!(
        (value("b"), value("d"), value("e"), value("f")),
        (1.0, 1e-7, f64::INFINITY, 1.0)
    );
    assert!(value("a").is_sign_negative());
    assert_eq!(node.prop("").unwrap().as_str().unwrap(), "empty key");
    let json = node.json().to_serde();
    assert_eq!(
        (
            json["b"].to_string(),
            json["c"].to_string(),
            json["y"].to_string()
        ),
        (
            "1".to_owned(),
            "1000".to_owned(),
            "1.2345678901234567e+19".to_owned()
        )
    );
    assert_eq!(
        doc.by_id("7").unwrap().wires(),
        [["7", "7"]],
        "a number does as an id"
    );
}

#[test]
fn escaped_names_are_the_same_names() {
    let (doc, _, _) = open("escapes.json");
    let tab = doc.by_id("t").unwrap();
    assert_eq!(
        (tab.kind(), tab.name()),
        (NodeKind::Tab, "Über 😀 / \"quoted\" \\ \u{8}\u{c}\n\r\t")
    );
    assert_eq!(
        tab.prop("lone").unwrap().as_str().unwrap(),
        "\u{fffd} \u{fffd}x"
    );
    assert_eq!(doc.by_id("f").unwrap().ty(), "function");
}

#[test]
fn places_in_a_body_lead_to_the_file() {
    let (doc, _, sources) = open("escapes.json");
    let node = doc.by_id("f").unwrap();
    let body = node.prop("func").unwrap().as_str().unwrap().into_owned();
    let at = body.find("msg").unwrap();
    let place = doc.locate(&node.node_span("func", at..at + 3)).unwrap();
    assert_eq!((place.body.line, place.body.column), (3, 10));
    assert_eq!(sources.slice(place.span), "msg");
    let accent = body.find('é').unwrap();
    assert_eq!(
        sources.slice(node.body_span("func", accent..accent + 2).unwrap()),
        "\\u00e9"
    );
    let gone = NodeSpan {
        node: "zz".into(),
        property: "func".into(),
        start: 0,
        end: 0,
    };
    assert_eq!(doc.locate(&gone), None);
    assert_eq!(node.body_pos("x", 0..1), None, "a number has no body");
    let (doc, _, sources) =
        parse(r#"[{"id":"a","type":"switch","rules":[{"t":"regex","v":"a\\d("}]}]"#);
    let node = doc.by_id("a").unwrap();
    assert_eq!(
        sources.slice(node.body_span("rules.0.v", 3..4).unwrap()),
        "("
    );
}
