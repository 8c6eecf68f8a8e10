//! The verifier: a good graph passes; each invariant that is broken is named.

use vgdc_ir::verify::{Stage, verify};
use vgdc_ir::{Graph, text::parse};

/// Two flows, a config node, an operator, a listener: nothing wrong.
const GOOD: &str = r#"vgdc graph 1
env e0
env e1 parent=e0
flow f0 "global" global path="global" env=e0
flow f1 "t" tab path="t" env=e1
group g0 "g" flow=f1 env=e1
op o0 "cfg" "c" flow=f0 heard-in=f0 env=e0 effect=io part="config" origin=0@0..0
op o1 "a" "w" flow=f1 heard-in=f1 env=e1 group=g0 effect=pure part="operator" origin=0@0..0
  out any
  edge wire 0 -> o2 fused
  edge wire 0 -> o3 moved
  edge catch 0.0 -> o4
  edge config -> o0
op o2 "b" "w" flow=f1 heard-in=f1 env=e1 effect=pure part="operator" origin=0@0..0
op o3 "c" "w" flow=f1 heard-in=f1 env=e1 effect=pure part="operator" origin=0@0..0
op o4 "d" "k" flow=f1 heard-in=f1 env=e1 effect=pure part={"listener":{"to":"errors","scope":"all","uncaught":false}} origin=0@0..0
"#;

fn broken(from: &str, to: &str) -> Vec<u8> {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from} is not in the graph");
    let graph: Graph = parse(&text).unwrap();
    verify(&graph, Stage::Normal)
        .unwrap_err()
        .iter()
        .map(|fault| fault.invariant)
        .collect()
}

#[test]
fn a_good_graph_passes() {
    verify(&parse(GOOD).unwrap(), Stage::Normal).unwrap();
}

#[test]
fn each_broken_invariant_is_named() {
    assert_eq!(broken("env=e1 group=g0", "env=e7 group=g0"), [1]);
    assert_eq!(broken("path=\"t\" env=e1", "path=\"t\" env=e7"), [1]);
    assert_eq!(broken("env e1 parent=e0", "env e1 parent=e1"), [2]);
    assert_eq!(broken("env e1 parent=e0", "env e1"), [2]);
    assert_eq!(broken("\"t\" tab", "\"t\" tab parent=f0"), [3]);
    assert_eq!(broken("\"t\" tab", "\"t\" subflow parent=f1"), [3]);
    assert_eq!(
        broken(
            "group g0 \"g\" flow=f1 env=e1",
            "group g0 \"g\" flow=f1 env=e1 parent=g0"
        ),
        [4]
    );
    assert_eq!(broken("op o3 \"c\"", "op o3 \"b\""), [5]);
    assert_eq!(broken("wire 0 -> o3 moved", "wire 1 -> o3 moved"), [6]);
    assert_eq!(broken("config -> o0", "config -> o3"), [7, 13]);
    assert_eq!(broken("catch 0.0 -> o4", "catch 0.0 -> o3"), [8]);
    assert_eq!(broken("wire 0 -> o3 moved", "link 0 -> o3 moved"), [9]);
    assert_eq!(broken("wire 0 -> o3 moved", "call -> o3"), [9]);
    assert_eq!(broken("wire 0 -> o3 moved", "wire 0 -> o2"), [10]);
    assert_eq!(broken("wire 0 -> o2 fused", "wire 0 -> o1 fused"), [10, 10]);
    assert_eq!(
        broken("wire 0 -> o2 fused", "wire 0 -> o2 fused moved"),
        [11]
    );
    assert_eq!(
        broken("origin=0@0..0\nop o4", "origin=0@0..0 disabled\nop o4"),
        [12]
    );
}

#[test]
fn circles_of_configuration_operators_have_no_order() {
    let text = GOOD.replacen("op o1", "  edge config -> o0\nop o1", 1);
    verify(&parse(&text).unwrap(), Stage::Normal).unwrap();
}

#[test]
fn a_row_of_fused_edges_ends() {
    let mut text =
        String::from("vgdc graph 1\nenv e0\nflow f0 \"global\" global path=\"global\" env=e0\n");
    let op = |at: usize| {
        format!(
            "op o{at} \"{at}\" \"w\" flow=f0 heard-in=f0 env=e0 effect=pure part=\"operator\" origin=0@0..0\n  out any\n"
        )
    };
    for at in 0..66 {
        text += &op(at);
        if at < 65 {
            text += &format!("  edge wire 0 -> o{} fused\n", at + 1);
        }
    }
    let faults = verify(&parse(&text).unwrap(), Stage::Normal).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].invariant, 10);
}
