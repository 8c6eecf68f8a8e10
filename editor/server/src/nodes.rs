//! `/nodes`: what node types there are, by what they come from.

use crate::answer;
use crate::insight::NodeSet;
use crate::serve::Editor;
use serde_json::{Value as Json, json};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;

pub(crate) fn described(set: &NodeSet) -> Json {
    json!({
        "id": format!("{}/{}", set.module, set.name), "name": set.name, "types": set.types, "enabled": true, "local": set.user,
        "user": set.user, "module": set.module, "version": set.version,
    })
}

/// `GET /nodes`.
pub(crate) fn list(editor: &Editor) -> Response {
    let sets: Vec<Json> = editor.insight.node_sets().iter().map(described).collect();
    answer::ok(&sets.into())
}

/// `GET /nodes/:module`.
pub(crate) fn module(editor: &Editor, module: &str) -> Response {
    match of_module(module, &editor.insight.node_sets()) {
        None => answer::wrong(StatusCode::NOT_FOUND, "not_found", "Module not found"),
        Some(described) => answer::ok(&described),
    }
}

/// A package, as Node-RED describes it.
pub(crate) fn of_module(module: &str, sets: &[NodeSet]) -> Option<Json> {
    let own: Vec<&NodeSet> = sets.iter().filter(|set| set.module == module).collect();
    let first = own.first()?;
    let nodes: Vec<Json> = own.iter().map(|set| described(set)).collect();
    Some(json!({
        "name": module, "version": first.version, "local": first.user, "user": first.user, "nodes": nodes,
    }))
}

/// `GET /nodes/:module/:set`.
pub(crate) fn set(editor: &Editor, module: &str, name: &str) -> Response {
    let sets = editor.insight.node_sets();
    match sets
        .iter()
        .find(|set| set.module == module && set.name == name)
    {
        Some(set) => answer::ok(&described(set)),
        None => answer::wrong(StatusCode::NOT_FOUND, "not_found", "Node not found"),
    }
}
