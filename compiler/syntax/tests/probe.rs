//! probe
use vgdc_syntax::*;
fn show(text: &str) {
    let mut m = SourceMap::new();
    let (_d, ds) = FlowDoc::parse(&mut m, "flows.json", text);
    println!(
        "{}=======",
        render::text(
            &ds,
            &m,
            &render::TextOptions {
                limit: Some(6),
                ..Default::default()
            }
        )
    );
}
#[test]
fn probe() {
    show("[{\"id\":\"a\",}]");
    show("[\n  {\"id\": \"a\" \"type\": 3}\n");
    show("");
    show("[{\"id\":\"a\",\"type\":\"tab\",\"a\":'x'}, // c\n {\"id\":1");
    show(&format!("[{{\"id\":\"t\",\"type\":\"tab\"}},{}{{\"id\":\"n\",\"type\":\"function\",\"z\":\"t\",\"x\":1,\"y\":2,\"credentials\":{{\"p\":\"geheim\"}},\"wires\":[[\"zzz\"]]}},{{\"id\":\"n\",\"type\":\"function\",\"z\":\"t\",\"x\":1,\"y\":2,\"wires\":[[\"zzz\"]]}}]", "{\"id\":\"c\",\"type\":\"comment\",\"z\":\"q\",\"info\":\"é\"},".repeat(3)).replacen("\"c\"","\"d\"",2));
    let mut m = SourceMap::new();
    let (d, _) = FlowDoc::parse(
        &mut m,
        "flows.json",
        r#"[{"id":"f1","type":"function","name":"Make alarm","func":"const a = 1;\nconst x = (1;\nreturn msg;\n","z":"t"}]"#,
    );
    let n = d.by_id("f1").unwrap();
    let r = 25..26;
    let ds = Diagnostics::from_iter([Diagnostic::error(
        codes::BAD_JAVASCRIPT,
        "expected `)`, found `;`",
    )
    .with_node(n.node_ref())
    .with_body(n.body_pos("func", r.clone()).unwrap())
    .with_label(n.body_span("func", r).unwrap(), "here")
    .with_fix("close the bracket")
    .with_note("hello")]);
    println!(
        "{}",
        render::text(
            &ds,
            &m,
            &render::TextOptions {
                color: false,
                limit: None
            }
        )
    );
    println!("{}", render::json(&ds, &m));
}
