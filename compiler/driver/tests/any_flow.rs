//! Whatever the flow file holds, compiling ends with a plan that is in order: ids that meet by chance, groups and subflows inside
//! themselves, wires and scopes to anything, values of any type in any property.

mod nodes;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use vgdc_driver::{Options, Session, Stage, explain};
use vgdc_syntax::{FlowDoc, SourceMap};

const IDS: &[&str] = &[
    "a", "b", "c", "d", "1", "2", "t", "u", "s", "s2", "g", "h", "a:status", "a-b", "",
];

fn id() -> impl Strategy<Value = String> {
    prop::sample::select(IDS).prop_map(str::to_owned)
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        (-2..70000i64).prop_map(|n| json!(n)),
        id().prop_map(|id| json!(id)),
        prop::sample::select(
            &[
                "${A}",
                "$(B)",
                "$parent.A",
                "flow",
                "group",
                "dynamic",
                "return",
                "env"
            ][..]
        )
        .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            vec(
                (
                    prop::sample::select(&["id", "port", "wires", "p", "pt"][..]),
                    inner
                ),
                0..3
            )
            .prop_map(|entries| Json::Object(
                entries
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect()
            )),
        ]
    })
}

fn ports() -> impl Strategy<Value = Json> {
    let wire = (id(), 0..4usize).prop_map(|(id, port)| json!({"id": id, "port": port}));
    vec(
        vec(wire, 0..3).prop_map(|wires| json!({"wires": wires})),
        0..3,
    )
    .prop_map(Json::from)
}

fn env() -> impl Strategy<Value = Json> {
    let names = prop::sample::select(&["A", "B", "server", "$parent.A"][..]);
    let types = prop::sample::select(&["str", "env", "cred", "conf-type", "jsonata", "num"][..]);
    let var = (
        names.clone(),
        types,
        prop_oneof![names.prop_map(|name| json!(name)), any_json()],
    )
        .prop_map(|(name, ty, value)| json!({"name": name, "type": ty, "value": value}));
    vec(var, 0..3).prop_map(Json::from)
}

fn object() -> impl Strategy<Value = Json> {
    let types: Vec<String> = nodes::SPECS
        .iter()
        .map(|spec| spec.ty.to_owned())
        .chain(
            [
                "tab",
                "group",
                "subflow",
                "subflow",
                "subflow:s",
                "subflow:s2",
                "subflow:",
                "nothing",
            ]
            .map(str::to_owned),
        )
        .collect();
    let shape = (
        id(),
        prop::sample::select(types),
        proptest::option::weighted(0.85, id()),
        proptest::option::weighted(0.4, id()),
    );
    let wiring = vec(vec(id(), 0..3), 0..3);
    let structural = (wiring, ports(), ports(), env(), any::<[bool; 4]>());
    let names = [
        "scope",
        "links",
        "mode",
        "linkType",
        "server",
        "d",
        "disabled",
        "rules",
        "value",
        "valueType",
        "uncaught",
        "status",
        "x",
        "wires",
    ];
    let others = vec((prop::sample::select(names.to_vec()), any_json()), 0..4);
    (shape, structural, others).prop_map(
        |(
            (id, ty, z, g),
            (wires, inputs, outputs, env, [place, with_env, status, scope]),
            others,
        )| {
            let mut node = Map::new();
            let mut put = |name: &str, value: Json| drop(node.insert(name.to_owned(), value));
            put("id", id.clone().into());
            put("type", ty.clone().into());
            if let Some(z) = z {
                put("z", z.into());
            }
            if let Some(g) = g {
                put("g", g.into());
            }
            if place {
                put("x", 1.into());
                put("y", 1.into());
            }
            if with_env {
                put("env", env);
            }
            if ty == "subflow" {
                if status {
                    put(
                        "status",
                        outputs.get(0).cloned().unwrap_or(json!({"wires": []})),
                    );
                }
                put("in", inputs);
                put("out", outputs);
            }
            if scope {
                put("scope", json!([id, "a", "b"]));
            }
            put("wires", json!(wires));
            for (name, value) in others {
                put(name, value);
            }
            Json::Object(node)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_flow_compiles_to_a_plan_in_order(flow in vec(object(), 0..14), unobserved in any::<bool>(), optimise in any::<bool>()) {
        let mut sources = SourceMap::new();
        let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", Json::from(flow).to_string());
        let session = Session::new(nodes::SPECS.iter(), Options { optimise, deploy_mode: unobserved });
        let session = if unobserved { session.unobserved() } else { session };
        // In debug builds the verifier stops at the pass that breaks something.
        let compiled = session.compile(&doc);
        prop_assert_eq!(compiled.plan.verify(), Ok(()));
        prop_assert_eq!(vgdc_plan::Plan::from_bytes(&compiled.plan.to_bytes()), Ok(compiled.plan.clone()));
        let text = compiled.text(&doc, Stage::Opt);
        let again = vgdc_ir::text::parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(vgdc_ir::text::print(&again), text);
        for (_, stage) in Stage::ALL {
            let _ = compiled.text(&doc, *stage);
        }
        let _ = explain(&compiled, None);
        prop_assert_eq!(session.compile(&doc).plan.to_bytes(), compiled.plan.to_bytes());
    }
}
