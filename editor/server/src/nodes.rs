//! `/nodes`: what node types there are, by what they come from.

use crate::answer;
use crate::insight::NodeSet;
use crate::serve::Editor;
use crate::v1::compile;
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
pub(crate) async fn list(editor: &Editor) -> Response {
    match sets(editor).await {
        Ok(sets) => answer::ok(&sets.iter().map(described).collect()),
        Err(refusal) => refusal,
    }
}

/// All that there are. Packages may have come or gone: the disk is asked.
pub(crate) async fn sets(editor: &Editor) -> Result<Vec<NodeSet>, Response> {
    compile(editor, |insight| insight.node_sets()).await
}

/// `GET /nodes/:module`.
pub(crate) async fn module(editor: &Editor, module: &str) -> Response {
    match sets(editor).await.map(|sets| of_module(module, &sets)) {
        Ok(Some(described)) => answer::ok(&described),
        Ok(None) => answer::wrong(StatusCode::NOT_FOUND, "not_found", "Module not found"),
        Err(refusal) => refusal,
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
pub(crate) async fn set(editor: &Editor, module: &str, name: &str) -> Response {
    let is_it = |set: &&NodeSet| set.module == module && set.name == name;
    match sets(editor).await {
        Ok(sets) => match sets.iter().find(is_it) {
            Some(set) => answer::ok(&described(set)),
            None => answer::wrong(StatusCode::NOT_FOUND, "not_found", "Node not found"),
        },
        Err(refusal) => refusal,
    }
}
