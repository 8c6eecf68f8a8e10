//! Nodes of Node-RED packages: no test starts Node.js for them. Whoever has one in a flow is told the stub to write.

use crate::names::find;
use crate::stub::{STRUCTURE, named};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use vgdc_core::Registry;

/// The flow without configuration nodes that only nodes of packages can use.
///
/// # Errors
/// There are nodes that nothing here can run: lines that say which, and how to give them stubs.
pub(crate) fn left_out(
    nodes: Vec<Json>,
    registry: &Registry,
    packages: &BTreeMap<String, String>,
) -> Result<Vec<Json>, Vec<String>> {
    let (ours, theirs) = partition(&nodes, registry);
    let without_stub: Vec<&&Json> = theirs.iter().filter(|node| is_on_canvas(node)).collect();
    if without_stub.is_empty() {
        return Ok(ours.into_iter().cloned().collect());
    }
    let all = named(&nodes);
    let mut lines = vec!["given:".to_owned(), "  stub:".to_owned()];
    for node in without_stub {
        let (id, ty) = (
            node["id"].as_str().unwrap_or_default(),
            node["type"].as_str().unwrap_or_default(),
        );
        let name = node["name"].as_str().filter(|name| !name.is_empty());
        let is_found = |name: &&str| find(&all, name, 0).is_ok_and(|found| found.id == id);
        let meant = name.filter(is_found).unwrap_or(id);
        let passes = node["wires"].as_array().is_some_and(|all| !all.is_empty());
        let stub = if passes { "{send: {}}" } else { "{}" };
        let mut line = format!("    {}: {stub}  # {ty}", key(meant));
        if let Some(name) = name.filter(|name| *name != meant) {
            let _ = write!(line, " \"{}\"", name.escape_debug());
        }
        match packages.get(ty) {
            Some(package) => drop(write!(line, ", of {package}")),
            None if ty == "function" => line.push_str(", which uses modules of Node.js"),
            None => line.push_str(", a type that is not known here"),
        }
        lines.push(line);
    }
    Err(lines)
}

/// The flow without configuration nodes that only nodes of packages can use; and which of its other nodes nothing here can run.
pub(crate) fn parted(nodes: &[Json], registry: &Registry) -> (Vec<Json>, Vec<String>) {
    let (_, theirs) = partition(nodes, registry);
    let ids = |nodes: &mut dyn Iterator<Item = &&Json>| -> Vec<String> {
        nodes
            .filter_map(|node| Some(node["id"].as_str()?.to_owned()))
            .collect()
    };
    let configs = ids(&mut theirs.iter().filter(|node| !is_on_canvas(node)));
    let away = ids(&mut theirs.iter().filter(|node| is_on_canvas(node)));
    let is_left = |node: &&Json| {
        let id = node["id"].as_str().unwrap_or_default();
        !configs.iter().any(|config| config == id)
    };
    (nodes.iter().filter(is_left).cloned().collect(), away)
}

fn is_on_canvas(node: &Json) -> bool {
    node.get("x").is_some() && node.get("y").is_some()
}

/// Nodes that run here, or not at all, and those that only Node.js could run.
fn partition<'n>(nodes: &'n [Json], registry: &Registry) -> (Vec<&'n Json>, Vec<&'n Json>) {
    let off: HashSet<&str> = nodes
        .iter()
        .filter(|node| node["disabled"] == true)
        .filter_map(|node| node["id"].as_str())
        .collect();
    let is_off =
        |node: &Json| node["d"] == true || node["z"].as_str().is_some_and(|z| off.contains(z));
    let runs = |node: &Json| {
        let ty = node["type"].as_str().unwrap_or_default();
        let is_ours =
            STRUCTURE.contains(&ty) || ty.starts_with("subflow:") || registry.get(ty).is_some();
        is_ours && !uses_modules(node)
    };
    nodes.iter().partition(|node| runs(node) || is_off(node))
}

/// A function that Node-RED gives modules.
fn uses_modules(node: &Json) -> bool {
    let has_name = |lib: &Json| lib["var"].as_str().is_some_and(|name| !name.is_empty());
    let libs = node["libs"].as_array();
    node["type"] == "function" && libs.is_some_and(|libs| libs.iter().any(has_name))
}

/// A name as a key of YAML.
fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = |c: char| c.is_ascii_alphabetic();
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    match name.starts_with(begins)
        && name.chars().all(is_plain)
        && !words.contains(&name.to_lowercase().as_str())
    {
        true => name.to_owned(),
        false => json!(name).to_string(),
    }
}
