//! Where a flow would be cut over the machines of a mesh.

use super::check::described;
use serde_json::{Map, Value as Json, json};
use vgdc_driver::Session;
use vgdc_syntax::{Diagnostics, FlowDoc, Mesh, SourceMap};

/// The answer of `POST /vgdc/v1/plan`: which node runs where and why, what goes over the cut, how busy machines are.
pub(super) fn cut(
    session: &Session,
    doc: &FlowDoc,
    mut said: Diagnostics,
    mesh: &Mesh,
    sources: &SourceMap,
) -> Result<Json, Json> {
    let fault = |said: &Diagnostics, sources: &SourceMap| {
        json!({
            "code": "no_plan", "message": "no plan was made",
            "diagnostics": said.iter().map(|d| described(d, sources)).collect::<Vec<_>>(),
        })
    };
    if said.has_errors() {
        return Err(fault(&said, sources));
    }
    let mut cut = session.compile_mesh(doc, mesh);
    said.append(std::mem::take(&mut cut.diagnostics));
    if said.has_errors() {
        return Err(fault(&said, sources));
    }
    let name = |machine: usize| {
        mesh.nodes
            .get(machine)
            .map_or("", |node| node.name.as_str())
    };
    let mut nodes = Map::new();
    for (op, machine) in &cut.assignment.of {
        let at = json!({"machine": name(*machine), "why": cut.assignment.ruled.get(op)});
        nodes.insert(cut.graph.op(*op).source_id().to_owned(), at);
    }
    nodes.sort_keys();
    let links = cut.links.iter().map(|link| {
        let senders = link.senders.iter().map(|(op, _)| cut.graph.op(*op).source_id());
        json!({
            "name": link.name, "from": name(link.from), "to": name(link.to), "node": cut.graph.op(link.op).source_id(),
            "senders": senders.collect::<Vec<_>>(),
        })
    });
    let machines = mesh
        .nodes
        .iter()
        .enumerate()
        .map(|(at, node)| json!({"name": node.name, "load": cut.prediction.load.get(at)}));
    Ok(json!({
        "nodes": nodes, "links": links.collect::<Vec<_>>(), "machines": machines.collect::<Vec<_>>(),
        "longestMs": cut.prediction.longest_ms, "exact": cut.assignment.exact, "text": cut.text(mesh),
        "diagnostics": said.iter().map(|d| described(d, sources)).collect::<Vec<_>>(),
    }))
}
