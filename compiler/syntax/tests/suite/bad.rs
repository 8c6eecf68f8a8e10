//! Bad input: each file in `tests/files/bad` has its diagnostics as text and as JSON in a snapshot, and always a document.

use std::fmt::Write;
use std::time::{Duration, Instant};

use vgdc_syntax::{Diagnostics, FlowDoc, Limits, SourceMap, codes, render};

use crate::{all, messages, parse};

#[test]
fn bad_files_are_explained() {
    for (name, bytes) in all("bad") {
        let mut sources = SourceMap::new();
        let (doc, diagnostics) = FlowDoc::parse_bytes(&mut sources, name.as_str(), bytes);
        assert!(diagnostics.has_errors(), "{name}");
        let mut shown = render::text(&diagnostics, &sources, &render::TextOptions::default());
        let _ = write!(shown, "=== {} nodes", doc.nodes().len());
        insta::assert_snapshot!(format!("bad-{}", name.trim_end_matches(".json")), shown);
    }
}

#[test]
fn the_json_form_has_every_field() {
    let (_, diagnostics, sources) = parse(
        "[{\"id\":\"t\",\"type\":\"tab\"},\n{\"id\":\"é\",\"type\":\"debug\",\"z\":\"t\",\"x\":1,\"y\":1,\"wires\":[[\"gone\"]]},]",
    );
    let json = render::json(&diagnostics, &sources);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn a_fault_in_a_function_body_is_shown_in_the_body_and_in_the_file() {
    let text = "[{\"id\":\"f1\",\"type\":\"function\",\"name\":\"Make alarm\",\"func\":\"const é = 1;\\nconst x = (\\u0031;\\nreturn msg;\\n\",\"z\":\"t\"},{\"id\":\"t\",\"type\":\"tab\"}]";
    let (doc, none, sources) = parse(text);
    assert!(none.is_empty());
    let node = doc.by_id("f1").unwrap();
    let body = node.prop("func").unwrap().as_str().unwrap();
    let at = body.find(";\nreturn").unwrap();
    let place = doc.locate(&node.node_span("func", at..at + 1)).unwrap();
    assert_eq!((place.body.line, place.body.column), (2, 13));
    assert_eq!(&text[place.span.range()], ";");
    let diagnostics = Diagnostics::from_iter([vgdc_syntax::Diagnostic::error(
        codes::BAD_JAVASCRIPT,
        "expected `)`, found `;`",
    )
    .with_node(node.node_ref())
    .with_body(place.body)
    .with_label(place.span, "a bracket is open")
    .with_fix("close the bracket")]);
    insta::assert_snapshot!(render::text(
        &diagnostics,
        &sources,
        &render::TextOptions::default()
    ));
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&render::json(&diagnostics, &sources)).unwrap()
    );
}

#[test]
fn deep_nesting_is_refused_without_a_deep_stack() {
    let deep = "[".repeat(200_000);
    let (doc, diagnostics, _) = parse(&deep);
    assert_eq!(doc.nodes().len(), 0);
    assert_eq!(diagnostics.iter().next().unwrap().code, codes::TOO_DEEP);
    let closed = format!(
        "[{{\"id\":\"a\",\"type\":\"tab\",\"deep\":{}{}}},{{\"id\":\"b\",\"type\":\"tab\"}}]",
        "{\"x\":[".repeat(400),
        "]}".repeat(400)
    );
    let (doc, diagnostics, _) = parse(&closed);
    assert_eq!(
        messages(&diagnostics),
        ["VG0004 arrays and objects are nested more than 512 deep"]
    );
    assert_eq!(doc.nodes().len(), 2, "what follows is still read");
    let allowed = format!(
        "[{{\"id\":\"a\",\"type\":\"tab\",\"deep\":{}{}}}]",
        "[".repeat(510),
        "]".repeat(510)
    );
    let (_, diagnostics, _) = parse(&allowed);
    assert!(diagnostics.is_empty());
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let mut sources = SourceMap::new();
    let limits = Limits {
        max_bytes: 10,
        ..Limits::default()
    };
    let (doc, diagnostics) = FlowDoc::parse_with(&mut sources, "big.json", "[          ]", &limits);
    assert_eq!(
        messages(&diagnostics),
        ["VG0003 the file has 12 bytes, and at most 10 are read"]
    );
    assert_eq!((doc.nodes().len(), doc.to_text()), (0, ""));
    assert!(
        render::text(&diagnostics, &sources, &render::TextOptions::default())
            .contains("big.json:1:1")
    );
}

#[test]
fn a_file_on_the_disk_is_read_or_its_fault_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.json");
    let mut sources = SourceMap::new();
    let (_, diagnostics) = FlowDoc::read_file(&mut sources, &path);
    assert!(
        messages(&diagnostics)[0].starts_with("VG0008 cannot read "),
        "{:?}",
        messages(&diagnostics)
    );
    std::fs::write(&path, "[{\"id\":\"a\",\"type\":\"tab\"}]").unwrap();
    let (doc, diagnostics) = FlowDoc::read_file(&mut sources, &path);
    assert!(diagnostics.is_empty() && doc.by_id("a").is_some());
    // A file with a hole takes no room on the disk, and none in memory when it is refused by its size.
    std::fs::File::create(&path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let (_, diagnostics) = FlowDoc::read_file(&mut sources, &path);
    assert_eq!(
        messages(&diagnostics),
        ["VG0003 the file has 1099511627776 bytes, and at most 268435456 are read"]
    );
}

#[test]
fn a_hundred_megabytes_on_one_line_with_many_faults_are_no_trouble() {
    // Debug builds are slow, so a tenth of it here; the time is linear.
    let node = r#"{"id":"a","type":"debug","z":"gone","name":"Ümläut","x":1,"y":2,"wires":[["nowhere"]]},"#;
    let mut text = String::from("[");
    text.push_str(&node.repeat(10_000_000 / node.len()));
    text.push_str("{\"id\":\"b\"}]");
    let start = Instant::now();
    let (doc, diagnostics, sources) = parse(&text);
    let shown = render::text(
        &diagnostics,
        &sources,
        &render::TextOptions {
            limit: Some(100),
            ..Default::default()
        },
    );
    assert!(doc.nodes().len() > 100_000 && diagnostics.has_errors());
    assert!(
        shown.len() < 200_000 && shown.starts_with("error[VG0013]"),
        "errors come first"
    );
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn secrets_are_not_shown() {
    let text = r#"[{"id":"a","type":"debug","credentials":{"password":"sesame-9000"},"x":1,"y":1,"z":"t","wires":[["gone"]]},{"id":"t","type":"tab"}]"#;
    let (doc, diagnostics, sources) = parse(text);
    let shown = render::text(&diagnostics, &sources, &render::TextOptions::default());
    assert!(
        shown.contains("VG0015") && shown.contains("\"credentials\":***"),
        "{shown}"
    );
    let debug = format!(
        "{doc:?}{sources:?}{:?}{:?}",
        doc.by_id("a"),
        doc.by_id("a").unwrap().json()
    );
    for printed in [
        shown,
        render::json(&diagnostics, &sources).to_string(),
        format!("{diagnostics:?}"),
        debug,
    ] {
        assert!(!printed.contains("sesame"), "{printed}");
    }
    for text in [
        r#"[{"id":"a","type":"x","credentials":{"password":sesame-9000}}]"#,
        r#"[{"id":"a","type":"x","credentials":{"password":"sesame-9000"#,
        r#"[{"id":"a","type":"x","credentials":{'password':'sesame-9000'},}]"#,
        r#"[?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,{"id":"a","credentials":{"password":"sesame-9000"}}]"#,
    ] {
        let (_, diagnostics, sources) = parse(text);
        assert!(diagnostics.has_errors());
        let shown = render::text(&diagnostics, &sources, &render::TextOptions::default());
        let json = render::json(&diagnostics, &sources).to_string();
        assert!(
            !shown.contains("sesame") && !json.contains("sesame"),
            "{shown}"
        );
    }
}
