//! Each construct of a flow file through all stages: the graph, the graph after the passes with what they did, the plan.
//!
//! `cargo insta review` (or `INSTA_UPDATE=always`) takes what has changed on purpose.

mod nodes;

use vgdc_driver::{Options, Session, Stage, explain};
use vgdc_syntax::render::{self, TextOptions};
use vgdc_syntax::{FlowDoc, SourceMap};

fn stages(name: &str, flow: &str, unobserved: bool) {
    let mut sources = SourceMap::new();
    let (doc, mut diagnostics) = FlowDoc::parse(&mut sources, format!("{name}.json"), flow);
    let session = Session::new(nodes::SPECS.iter(), Options::default());
    let session = if unobserved {
        session.unobserved()
    } else {
        session
    };
    let compiled = session.compile(&doc);
    diagnostics.append(compiled.diagnostics.clone());
    let said = render::text(&diagnostics, &sources, &TextOptions::default());
    let opt = format!(
        "{said}{}\n{}",
        explain(&compiled, None),
        compiled.text(&doc, Stage::Opt)
    );
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("{name}.graph"), compiled.text(&doc, Stage::Graph));
        insta::assert_snapshot!(format!("{name}.opt"), opt);
        insta::assert_snapshot!(format!("{name}.plan"), compiled.text(&doc, Stage::Plan));
    });
    // The text form is read back as the same graph.
    let again = vgdc_ir::text::parse(&compiled.text(&doc, Stage::Opt)).unwrap();
    assert_eq!(
        vgdc_ir::text::print(&again),
        compiled.text(&doc, Stage::Opt)
    );
    // The oracle's plan has the same operators, all in one queue, none fused.
    let plain = Options {
        optimise: false,
        ..Options::default()
    };
    let plan = Session::new(nodes::SPECS.iter(), plain).compile(&doc).plan;
    assert!(plan.islands.len() <= 1);
    assert!(
        plan.ops
            .iter()
            .flat_map(|op| &op.ports)
            .flat_map(|port| &port.edges)
            .all(|edge| !edge.fused)
    );
    if !unobserved {
        let ids =
            |plan: &vgdc_plan::Plan| plan.ops.iter().map(|op| op.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&plan), ids(&compiled.plan));
    }
}

macro_rules! flows {
    ($($name:ident $unobserved:literal)*) => {$(
        #[test]
        fn $name() {
            let flow = include_str!(concat!("flows/", stringify!($name), ".json"));
            stages(stringify!($name), flow, $unobserved);
        }
    )*};
}

flows! {
    fan_out false
    links false
    scopes false
    groups false
    config false
    subflow false
    subflow_scopes false
    disabled false
    artifact true
    context false
    fuse false
    bad false
    loose false
}

#[test]
fn pictures_of_a_subflow() {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(
        &mut sources,
        "subflow.json",
        include_str!("flows/subflow.json"),
    );
    let compiled = Session::new(nodes::SPECS.iter(), Options::default()).compile(&doc);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("subflow.mermaid", compiled.text(&doc, Stage::Mermaid));
        insta::assert_snapshot!("subflow.dot", compiled.text(&doc, Stage::Dot));
        insta::assert_snapshot!("subflow.manifest", compiled.text(&doc, Stage::Manifest));
    });
}
