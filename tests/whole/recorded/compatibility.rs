//! docs/compatibility.md, made of the recorded cases and of what Node-RED's own specs gave (`tests/conformance/specs.json`).

use crate::case::Case;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Node types whose spec files do not bear their names.
const SPECS: [(&str, &[&str]); 8] = [
    ("httprequest", &["http request"]),
    ("mqtt", &["mqtt in", "mqtt out"]),
    ("websocket", &["websocket in", "websocket out"]),
    ("tcpin", &["tcp in"]),
    ("tcprequest", &["tcp request"]),
    ("udpin", &["udp in"]),
    ("udpout", &["udp out"]),
    ("link", &["link in", "link out", "link call"]),
];

#[derive(Default)]
struct Row {
    recorded: usize,
    differ: usize,
    rows: BTreeSet<String>,
    drawn: usize,
    specs: (u64, u64),
}

/// The page.
pub fn page(cases: &[Case], drawn: &[Case], specs: &Json) -> String {
    let mut types: BTreeMap<String, Row> = BTreeMap::new();
    for spec in vgdc_stdlib::specs() {
        types.entry(spec.ty.to_owned()).or_default();
    }
    for case in cases {
        for ty in types_of(case) {
            let row = types.entry(ty).or_default();
            row.recorded += 1;
            row.differ += usize::from(case.differs.is_some());
            row.rows.extend(case.differs.clone());
        }
    }
    for ty in drawn.iter().flat_map(types_of) {
        types.entry(ty).or_default().drawn += 1;
    }
    for spec in specs.as_array().into_iter().flatten() {
        let name = spec[0].as_str().unwrap_or_default();
        let (passed, all) = (spec[1].as_u64().unwrap_or(0), spec[2].as_u64().unwrap_or(0));
        for ty in spec_types(name) {
            let row = types.entry(ty).or_default();
            row.specs = (row.specs.0 + passed, row.specs.1 + all);
        }
    }
    let mut text = String::from(
        "# Compatibility\n\nMade by a test (`VGDC_BLESS=1 cargo test -p vgdc-tests --test recorded compatibility`). *Recorded* are \
         cases with what the real Node-RED 5.0.7\nanswered (`tests/conformance`), which the suite replays: a case is one \
         configuration with its messages, and counts for every type in it.\n*Drawn* are recorded cases that were drawn by lot. \
         *Specs* are the cases of Node-RED's own specs ([conformance.md](conformance.md)).\n\
         Differences are rows of [differences.md](differences.md).\n\n\
         | type | recorded | drawn | specs | known differences |\n| --- | --- | --- | --- | --- |\n",
    );
    let of = |passed: String, all: usize| match all {
        0 => "–".to_owned(),
        all => format!("{passed} of {all}"),
    };
    for (ty, row) in &types {
        let rows: Vec<String> = row.rows.iter().cloned().collect();
        let _ = writeln!(
            text,
            "| `{ty}` | {} | {} | {} | {} |",
            of((row.recorded - row.differ).to_string(), row.recorded),
            of(row.drawn.to_string(), row.drawn),
            of(row.specs.0.to_string(), row.specs.1 as usize),
            rows.join("; "),
        );
    }
    let differ = cases.iter().filter(|case| case.differs.is_some()).count();
    let (passed, all) = specs
        .as_array()
        .into_iter()
        .flatten()
        .fold((0, 0), |sum, spec| {
            (
                sum.0 + spec[1].as_u64().unwrap_or(0),
                sum.1 + spec[2].as_u64().unwrap_or(0),
            )
        });
    let steps: usize = cases.iter().map(|case| case.steps.len()).sum();
    let _ = writeln!(
        text,
        "\nIn all {} of {} recorded cases ({steps} messages), {} drawn ones, and {passed} of {all} cases of Node-RED's specs.",
        cases.len() - differ,
        cases.len(),
        drawn.len(),
    );
    text
}

fn types_of(case: &Case) -> BTreeSet<String> {
    let of = |node: &Json| {
        let ty = node["type"].as_str().unwrap_or_default();
        let ty = ty.split(':').next().unwrap_or_default();
        Some(ty.to_owned()).filter(|ty| !matches!(ty.as_str(), "helper" | "tab" | "group"))
    };
    match &case.node {
        Some(node) => of(&Json::Object(node.clone())).into_iter().collect(),
        None => case.flow.iter().filter_map(of).collect(),
    }
}

fn spec_types(path: &str) -> Vec<String> {
    let file = path.rsplit('/').next().unwrap_or_default();
    let name = file.trim_end_matches("_spec.js").to_lowercase();
    let name = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    // (one spec file speaks of several types)
    let more: &[&str] = match name {
        "file" => &["file", "file in"],
        "split" => &["split", "join"],
        name => match SPECS.iter().find(|(spec, _)| *spec == name) {
            Some((_, types)) => types,
            None => return vec![name.to_owned()],
        },
    };
    more.iter().map(|ty| (*ty).to_owned()).collect()
}
