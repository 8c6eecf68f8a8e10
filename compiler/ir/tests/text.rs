//! The text form: what was written is read back, whatever the graph; and what is no graph is refused with a line.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, json};
use vgdc_ir::text::{parse, print};
use vgdc_ir::{
    EdgeKind, EnvId, EnvScope, EnvVar, Flow, FlowId, FlowKind, Graph, Group, Heard, Link, Listens,
    OpId, Operator, Origin, Part, Scope, Ty,
};
use vgdc_spec::Effect;

/// Texts that a user may have given: with quotes, blanks, signs of the text form itself.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}",
        any::<String>(),
        Just("edge wire 0 -> o1\n\" = \u{2028}".to_owned())
    ]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<f64>()
            .prop_filter("JSON has no others", |n| n.is_finite())
            .prop_map(|n| json!(n)),
        any::<i64>().prop_map(|n| json!(n)),
        text().prop_map(|t| json!(t)),
        vec(text(), 0..3).prop_map(|list| json!({"a": list, "b c": {}})),
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::All),
        Just(Scope::Group),
        vec(text(), 0..3).prop_map(Scope::Nodes)
    ]
}

fn part() -> impl Strategy<Value = Part> {
    let link = || {
        (vec(text(), 0..2), any::<bool>())
            .prop_map(|(links, by_message)| Link { links, by_message })
    };
    prop_oneof![
        Just(Part::Operator),
        Just(Part::Config),
        Just(Part::GlobalEnv),
        Just(Part::Comment),
        Just(Part::Junction),
        Just(Part::SubflowInstance),
        text().prop_map(Part::SubflowStatus),
        link().prop_map(Part::LinkIn),
        link().prop_map(Part::LinkOut),
        link().prop_map(Part::LinkCall),
        (scope(), any::<bool>())
            .prop_map(|(scope, uncaught)| Part::Listener(Listens::Errors { scope, uncaught })),
        scope().prop_map(|scope| Part::Listener(Listens::Statuses { scope })),
        scope().prop_map(|scope| Part::Listener(Listens::Completions { scope })),
    ]
}

fn ty() -> impl Strategy<Value = Ty> {
    let leaf = prop_oneof![
        Just(Ty::ANY),
        Just(Ty::INT),
        Just(Ty::DATE),
        text().prop_map(|kind| Ty::handle(&kind))
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Ty::array),
            (vec((text(), inner), 0..3), any::<bool>())
                .prop_map(|(fields, open)| Ty::object(fields, open)),
        ]
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    let effect = prop_oneof![
        Just(Effect::Pure),
        Just(Effect::State),
        Just(Effect::Source),
        Just(Effect::Io)
    ];
    let texts = (
        text(),
        text(),
        proptest::option::of(text()),
        proptest::option::of(text()),
    );
    let wiring = (vec(vec(text(), 0..3), 0..3), ty(), vec(ty(), 0..3));
    (
        texts,
        part(),
        effect,
        wiring,
        vec((text(), value()), 0..3),
        any::<bool>(),
        any::<u32>(),
    )
        .prop_map(
            |(
                (id, ty, alias, name),
                part,
                effect,
                (wires, input, outputs),
                props,
                disabled,
                number,
            )| Operator {
                id,
                ty,
                process: name.clone(),
                place: alias.clone(),
                z: alias.clone(),
                g: name.clone(),
                alias,
                name,
                flow: FlowId(0),
                heard_in: FlowId(1),
                group: disabled.then_some(vgdc_ir::GroupId(0)),
                env: EnvId(1),
                part,
                effect,
                props: props.into_iter().collect::<Map<_, _>>(),
                wires,
                input,
                outputs,
                disabled,
                fingerprint: format!("{number:x}"),
                origin: Origin {
                    node: number,
                    start: number / 2,
                    end: number,
                },
            },
        )
}

fn kind() -> impl Strategy<Value = EdgeKind> {
    let heard = || {
        (any::<u16>(), any::<u16>(), any::<bool>()).prop_map(|(chain, level, uncaught)| Heard {
            chain,
            level,
            uncaught,
        })
    };
    prop_oneof![
        any::<u16>().prop_map(EdgeKind::Wire),
        (0..3u16).prop_map(EdgeKind::Link),
        heard().prop_map(EdgeKind::Catch),
        heard().prop_map(|heard| EdgeKind::Status(Heard {
            uncaught: false,
            ..heard
        })),
        Just(EdgeKind::Complete),
        Just(EdgeKind::Config),
        Just(EdgeKind::Call),
        Just(EdgeKind::Return),
        Just(EdgeKind::SetStatus),
    ]
}

fn graph() -> impl Strategy<Value = Graph> {
    let var = (text(), text(), value(), any::<bool>());
    let edges = vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            kind(),
            any::<bool>(),
            any::<bool>(),
        ),
        0..12,
    );
    (
        vec(operator(), 1..6),
        edges,
        vec(var, 0..3),
        text(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(ops, edges, vars, label, gone)| {
            let mut graph = Graph::new();
            graph.add_env(EnvScope::default());
            graph.add_env(EnvScope {
                parent: Some(EnvId(0)),
                outer: Some(EnvId(0)),
                vars: vars
                    .into_iter()
                    .map(|(name, ty, value, there)| EnvVar {
                        name,
                        ty,
                        value,
                        scope: there.then_some(EnvId(0)),
                    })
                    .collect(),
                builtin: vec![("NR_FLOW_NAME".into(), label.clone())],
                credentials_of: Some(label.clone()),
            });
            for (kind, parent) in [
                (FlowKind::Global, None),
                (FlowKind::SubflowWithStatus, Some(FlowId(0))),
            ] {
                graph.add_flow(Flow {
                    id: label.clone(),
                    label: label.clone(),
                    kind,
                    parent,
                    path: label.clone(),
                    env: EnvId(1),
                });
            }
            graph.add_group(Group {
                id: label,
                flow: FlowId(1),
                parent: None,
                env: EnvId(1),
            });
            let ids: Vec<OpId> = ops.into_iter().map(|op| graph.add_op(op)).collect();
            for (from, to, kind, fused, moved) in edges {
                let id = graph.connect(*from.get(&ids), *to.get(&ids), kind);
                let edge = graph.edge_mut(id).unwrap();
                (edge.fused, edge.moved) = (fused, moved);
            }
            // A gap in the numbers, and another order than that of the numbers.
            graph.remove_ops(&[*gone.get(&ids)]);
            graph.set_order(ids.into_iter().rev());
            graph
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_read_back(graph in graph()) {
        let text = print(&graph);
        let again = parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&print(&again), &text);
        let ops = |graph: &Graph| graph.ops().map(|(_, op)| op.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ops(&again), ops(&graph));
        prop_assert_eq!(again.envs(), graph.envs());
        prop_assert_eq!(again.flows(), graph.flows());
        prop_assert_eq!(again.groups(), graph.groups());
        prop_assert_eq!(again.edge_count(), graph.edge_count());
    }

    #[test]
    fn any_text_is_a_graph_or_an_error(graph in graph(), at in any::<prop::sample::Index>(), put in text()) {
        let mut text = print(&graph);
        let at = at.index(text.len());
        let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.insert_str(at, &put);
        if let Ok(again) = parse(&text) {
            // Looks everything up: an index to nowhere must not get this far.
            let _ = vgdc_ir::verify::verify(&again, vgdc_ir::verify::Stage::Normal);
            let _ = print(&again);
        }
    }
}

#[test]
fn an_error_names_the_line_and_what_it_expects() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(error(""), "line 1: expected `vgdc graph 1`");
    assert_eq!(
        error("vgdc graph 2\n"),
        "line 1: expected `vgdc graph 1`, env, flow, group or op"
    );
    assert_eq!(
        error("vgdc graph 1\nenv e1\n"),
        "line 2: expected `env eN parent=eN …`"
    );
    let op = "vgdc graph 1\nop o0 \"a\" \"t\" flow=f0 heard-in=f0 env=e0 effect=pure part=\"operator\" origin=0@0..0\n";
    assert!(parse(op).is_ok());
    assert_eq!(
        error(&format!("{op}  edge wire 0 -> o1\n")),
        "line 3: expected an operator that is there"
    );
    assert_eq!(
        error(&format!("{op}  edge wire -> o0\n")),
        "line 3: expected `edge KIND [PLACE] -> oN`"
    );
}
