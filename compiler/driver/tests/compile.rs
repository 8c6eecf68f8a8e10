//! From a flow file to a plan, with node tables of the test's own.

mod nodes;

use vgdc_driver::{Compiled, Options, Session};
use vgdc_syntax::{FlowDoc, SourceMap};

fn compile(flow: &str, options: Options) -> Compiled {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", flow);
    Session::new(nodes::SPECS.iter(), options).compile(&doc)
}

#[test]
fn a_tab_with_wires_links_config_and_catch_becomes_a_plan() {
    let flow = r#"[
        {"id":"t","type":"tab","label":"Main"},
        {"id":"cfg","type":"server","z":""},
        {"id":"a","type":"source","z":"t","x":1,"y":1,"server":"cfg","wires":[["b","out"]]},
        {"id":"b","type":"work","z":"t","x":1,"y":1,"wires":[[]]},
        {"id":"out","type":"exit","z":"t","x":1,"y":1,"links":["in"],"wires":[]},
        {"id":"in","type":"entry","z":"t","x":1,"y":1,"links":["out"],"wires":[["b"]]},
        {"id":"c","type":"errors","z":"t","x":1,"y":1,"scope":null,"uncaught":false,"wires":[[]]},
        {"id":"lone","type":"work","z":"t","x":1,"y":1,"wires":[[]]}
    ]"#;
    let compiled = compile(flow, Options::default());
    assert!(
        compiled.diagnostics.is_empty(),
        "{:?}",
        compiled.diagnostics
    );
    compiled.plan.verify().unwrap();
    let ids: Vec<&str> = compiled.plan.ops.iter().map(|op| op.id.as_str()).collect();
    assert_eq!(ids, ["cfg", "a", "b", "out", "in", "c", "lone"]);
    let a = &compiled.plan.ops[1];
    assert_eq!(
        a.ports[0]
            .edges
            .iter()
            .map(|edge| edge.to)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    assert_eq!(a.configs, [0]);
    assert_eq!(a.catch[0].levels[0][0].op, 5);
    assert_eq!(compiled.plan.ops[3].ports[0].edges[0].to, 4);
    assert_eq!(compiled.plan.flows[1].path, "t");
    assert_eq!(
        compiled.plan.to_bytes(),
        compile(flow, Options::default()).plan.to_bytes()
    );
}
