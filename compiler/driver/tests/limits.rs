//! Flows that are large or deep by design: what they would make is bounded, and said.

mod nodes;

use std::fmt::Write as _;

use vgdc_driver::{Compiled, Options, Session};
use vgdc_syntax::{FlowDoc, SourceMap, codes};

fn compile(flow: &str) -> Compiled {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", flow);
    Session::new(nodes::SPECS.iter(), Options::default()).compile(&doc)
}

fn only_error(compiled: &Compiled) -> &str {
    let mut errors = compiled
        .diagnostics
        .iter()
        .filter(|found| found.level == vgdc_syntax::Level::Error);
    let error = errors.next().unwrap();
    assert!(errors.next().is_none(), "{:?}", compiled.diagnostics);
    assert_eq!(error.code, codes::NOT_SUPPORTED);
    &error.message
}

#[test]
fn a_thousand_subflows_inside_each_other_are_refused() {
    let mut flow = String::from(
        r#"[{"id":"t","type":"tab"},{"id":"i","type":"subflow:s0","z":"t","x":1,"y":1,"wires":[]}"#,
    );
    for at in 0..1000 {
        let next = at + 1;
        let _ = write!(
            flow,
            r#",{{"id":"s{at}","type":"subflow","in":[],"out":[]}},{{"id":"n{at}","type":"subflow:s{next}","z":"s{at}","x":1,"y":1,"wires":[]}}"#
        );
    }
    flow.push_str(r#",{"id":"s1000","type":"subflow","in":[],"out":[]}]"#);
    assert_eq!(
        only_error(&compile(&flow)),
        "more than 100 subflows are inside each other"
    );
}

#[test]
fn subflows_that_multiply_are_refused() {
    // Ten instances of a template with ten instances, six times over.
    let mut flow = String::from(r#"[{"id":"t","type":"tab"}"#);
    for at in 0..6 {
        let z = if at == 0 {
            "t".to_owned()
        } else {
            format!("s{at}")
        };
        let next = at + 1;
        let _ = write!(
            flow,
            r#",{{"id":"s{next}","type":"subflow","in":[],"out":[]}}"#
        );
        for number in 0..10 {
            let _ = write!(
                flow,
                r#",{{"id":"n{at}_{number}","type":"subflow:s{next}","z":"{z}","x":1,"y":1,"wires":[]}}"#
            );
        }
    }
    flow.push(']');
    // Only the expansion itself is of interest: so many operators take a debug build a while to do the rest.
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", flow);
    let mut diagnostics = vgdc_syntax::Diagnostics::new();
    let registry = vgdc_driver::Registry::new(nodes::SPECS.iter());
    let graph = vgdc_middle::resolve(&doc, &registry, &mut diagnostics);
    assert!(graph.op_count() <= 200_000);
    assert!(
        diagnostics
            .iter()
            .any(|found| found.code == codes::NOT_SUPPORTED)
    );
}

#[test]
fn a_property_that_no_plan_can_hold_is_refused() {
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let flow = format!(
        r#"[{{"id":"t","type":"tab"}},{{"id":"a","type":"work","z":"t","x":1,"y":1,"rules":{deep},"wires":[]}}]"#
    );
    assert_eq!(
        only_error(&compile(&flow)),
        "the property `rules` of `a` is nested more than 100 levels deep"
    );
    let deepest = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let compiled = compile(&flow.replace(&deep, &deepest));
    assert!(compiled.diagnostics.is_empty());
    assert_eq!(
        vgdc_plan::Plan::from_bytes(&compiled.plan.to_bytes()).as_ref(),
        Ok(&compiled.plan)
    );
}

#[test]
fn ten_thousand_nodes_compile() {
    // A chain, a fan-out, and a tab where everything comes together and one node hears of all errors.
    let mut flow = String::from(
        r#"[{"id":"t","type":"tab"},{"id":"u","type":"tab"},{"id":"end","type":"sink","z":"u","x":1,"y":1,"wires":[]},{"id":"c","type":"errors","z":"u","x":1,"y":1,"scope":null,"wires":[["end"]]}"#,
    );
    for at in 0..5000 {
        let next = at + 1;
        let _ = write!(
            flow,
            r#",{{"id":"n{at}","type":"work","z":"t","x":1,"y":1,"wires":[["n{next}"]]}}"#
        );
        let _ = write!(
            flow,
            r#",{{"id":"m{at}","type":"work","z":"u","x":1,"y":1,"wires":[["end","m{next}"]]}}"#
        );
    }
    flow.push(']');
    let compiled = compile(&flow);
    let fused = compiled
        .optimised
        .all_edges()
        .filter(|edge| edge.edge.fused)
        .count();
    assert!(fused > 4900, "{fused} edges are fused");
}
