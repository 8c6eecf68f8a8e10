//! What there is to say of a flow while it is drawn: diagnostics, the types of wires, where each node runs and why, where messages are cloned.

use super::fixes::Drawn;
use super::origins;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vgdc_driver::{Compiled, Session};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, SourceMap};

/// The answer of `POST /vgdc/v1/check`.
pub(super) fn checked(
    session: &Session,
    doc: &FlowDoc,
    mut said: Diagnostics,
    sources: &SourceMap,
    drawn: &Drawn<'_>,
) -> Json {
    if doc.is_faulty() {
        return answer(&said, sources, drawn, None);
    }
    let mut compiled = session.compile(doc);
    said.append(std::mem::take(&mut compiled.diagnostics));
    answer(&said, sources, drawn, Some(&compiled))
}

fn answer(
    said: &Diagnostics,
    sources: &SourceMap,
    drawn: &Drawn<'_>,
    compiled: Option<&Compiled>,
) -> Json {
    let diagnostics = said.iter().map(|d| {
        let mut told = described(d, sources);
        told["fixes"] = drawn.fixes(d).into();
        told
    });
    json!({
        "diagnostics": diagnostics.collect::<Vec<_>>(), "wires": compiled.map(wires).unwrap_or_default(),
        "since": compiled.map(origins::of_wires).unwrap_or_default(), "nodes": compiled.map(nodes).unwrap_or_default(),
        "clones": compiled.map(clones).unwrap_or_default(),
    })
}

/// Where each node runs and why, and what the passes did with it.
fn nodes(compiled: &Compiled) -> Map<String, Json> {
    let mut nodes = lanes(compiled);
    let all = compiled.graph.ops().chain(compiled.optimised.ops());
    let drawn: HashMap<&str, &str> = all.map(|(_, op)| (&*op.id, op.source_id())).collect();
    let mut told: HashMap<&str, (&str, Vec<Json>)> = HashMap::new();
    // (what a type is and since when is told of wires)
    let entries = compiled.trace.entries().iter();
    for entry in entries.filter(|entry| entry.pass != "infer_types") {
        let node = drawn.get(&*entry.node).copied().unwrap_or(&entry.node);
        let (instance, list) = told.entry(node).or_insert((&entry.node, Vec::new()));
        // (of a subflow's instances the first is told)
        if *instance == entry.node {
            list.push(json!({"pass": entry.pass, "done": entry.fired, "what": entry.what}));
        }
    }
    for (node, (_, list)) in told {
        if let Some(about) = nodes.get_mut(node) {
            about["decisions"] = list.into();
        }
    }
    nodes
}

/// A diagnostic as the editor shows it: at a node, and where that is known at a place in one of its properties.
pub(super) fn described(diagnostic: &Diagnostic, sources: &SourceMap) -> Json {
    let place = diagnostic
        .span()
        .map(|span| sources.line_col(span.source, span.start));
    let (property, line, column) = match &diagnostic.body {
        Some(body) => (Some(&body.property), Some(body.line), Some(body.column)),
        None => (None, None, None),
    };
    json!({
        "code": diagnostic.code, "level": diagnostic.level, "title": diagnostic.code.title(), "message": diagnostic.message,
        "node": diagnostic.node.as_ref().map(|node| &node.id), "property": property, "line": line, "column": column,
        "help": diagnostic.fix, "notes": diagnostic.notes, "fixes": [],
        "file": place.map(|at| json!({"line": at.line, "column": at.column})),
    })
}

/// The type of what goes along each wire, as far as it is known; by node as the user drew it, so that of a subflow's instances those count
/// that agree.
fn wires(compiled: &Compiled) -> Map<String, Json> {
    let mut types: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (_, op) in compiled.optimised.ops() {
        for (port, wired) in op.wires.iter().enumerate() {
            let Some(ty) = op.outputs.get(port).map(ToString::to_string) else {
                continue;
            };
            let inside = op
                .alias
                .is_some()
                .then(|| op.id.strip_suffix(op.source_id()))
                .flatten();
            for to in wired {
                let to = inside
                    .and_then(|front| to.strip_prefix(front))
                    .unwrap_or(to);
                let key = format!("{}:{port}:{to}", op.source_id());
                types
                    .entry(key)
                    .and_modify(|known| {
                        if known.as_ref() != Some(&ty) {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| Some(ty.clone()));
            }
        }
    }
    let known = types
        .into_iter()
        .filter_map(|(key, ty)| Some((key, ty?.into())));
    known.collect()
}

/// Where each node runs, and why: as machine code or in the library's Rust (`native`), in the JavaScript engine, or in Node.js (`foreign`).
fn lanes(compiled: &Compiled) -> Map<String, Json> {
    let mut lanes: BTreeMap<String, (&str, String)> = BTreeMap::new();
    let texts: HashMap<usize, Vec<_>> =
        compiled
            .lowered
            .texts
            .iter()
            .fold(HashMap::new(), |mut all, text| {
                all.entry(text.op).or_insert_with(Vec::new).push(text);
                all
            });
    let codes: HashMap<usize, _> = compiled
        .lowered
        .nodes
        .iter()
        .map(|node| (node.op, &node.code))
        .collect();
    for (at, op) in compiled.plan.ops.iter().enumerate() {
        let id = op.alias.as_deref().unwrap_or(&op.id).to_owned();
        let lane = match (&op.away, texts.get(&at), codes.get(&at)) {
            (Some(away), ..) => ("foreign", format!("runs in Node.js ({})", away.place)),
            (None, Some(texts), _) => {
                let left = texts
                    .iter()
                    .find_map(|text| Some((text.property, text.function.as_ref().err()?)));
                match left {
                    Some((property, why)) => (
                        "engine",
                        format!(
                            "`{property}` runs in the JavaScript engine because of {} in line {}",
                            why.construct, why.line
                        ),
                    ),
                    None => ("native", "its code is machine code".to_owned()),
                }
            }
            (None, None, Some(Ok(_))) => ("native", "is machine code".to_owned()),
            (None, None, Some(Err(why))) => (
                "native",
                format!("runs in vgdc's own code; no machine code is made of it because of {why}"),
            ),
            (None, None, None) => ("native", "runs in vgdc's own code".to_owned()),
        };
        // (of a subflow's instances the slowest is told)
        let rank = |lane: &str| {
            ["native", "engine", "foreign"]
                .iter()
                .position(|known| *known == lane)
        };
        match lanes.get(&id) {
            Some(known) if rank(known.0) >= rank(lane.0) => {}
            _ => {
                lanes.insert(id, lane);
            }
        }
    }
    let shown = lanes
        .into_iter()
        .map(|(id, (lane, why))| (id, json!({"lane": lane, "why": why})));
    shown.collect()
}

/// The wires along which a message goes that is cloned for it.
fn clones(compiled: &Compiled) -> BTreeSet<String> {
    let graph = &compiled.optimised;
    let cloned = graph.all_edges().filter(|edge| !edge.edge.moved);
    let wires = cloned.filter_map(|edge| match edge.kind() {
        vgdc_ir::EdgeKind::Wire(port) => Some(format!(
            "{}:{port}:{}",
            graph.op(edge.from).source_id(),
            graph.op(edge.to).source_id()
        )),
        _ => None,
    });
    wires.collect()
}
