//! The machines that a flow may be spread over: how they do, and what rules say where nodes are to be.

use super::Compiler;
use crate::folder_of;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};
use vgdc_door::admin::{Ask, LinkStatus, NodeStatus, Status};
use vgdc_door::client::{Client, door};
use vgdc_editor::{Placed, Places};
use vgdc_syntax::mesh::MeshNode;
use vgdc_syntax::{FlowDoc, Mesh, SourceMap};

/// The usual name of a mesh file.
const FILE: &str = "mesh.toml";

/// The nodes of a mesh that can have parts of programs compiled here, as the compiler knows machines.
pub fn machines(status: &Status) -> Vec<MeshNode> {
    status
        .nodes
        .iter()
        .filter(|it| fits(it))
        .map(about)
        .collect()
}

/// Whether a node of a mesh can have parts of programs that are compiled here.
pub fn fits(node: &NodeStatus) -> bool {
    node.state != "down" && !node.draining && node.target == vgdc_door::target()
}

fn about(node: &NodeStatus) -> MeshNode {
    MeshNode {
        name: node.name.clone(),
        address: None,
        labels: (node.labels.iter())
            .map(|(key, value)| match value.as_str() {
                "true" => key.clone(),
                value => format!("{key}={value}"),
            })
            .collect(),
        capacity: node.processors,
        node_js: node.node_js,
        args: Vec::new(),
        memory_mb: None,
    }
}

/// What the agent of this machine says of its mesh.
///
/// # Errors
/// There is none, or it does not say.
pub(super) fn status() -> Result<(Status, Vec<LinkStatus>), String> {
    let mut agent = Client::connect(&door(None))?;
    let status = agent.ask(&Ask::Status {}, |_| {})?;
    let links = agent.ask(&Ask::Links {}, |_| {})?;
    Ok((status, links))
}

impl Places for Compiler {
    fn mesh_file(&self) -> PathBuf {
        folder_of(&self.path).join(FILE)
    }

    fn mesh_status(&self) -> Result<Json, String> {
        let (status, links) = status()?;
        let mut told = json!(status);
        told["links"] = json!(links);
        Ok(told)
    }

    fn place(
        &self,
        text: &str,
        flows: &str,
        placed: &Placed,
        on: Option<&str>,
    ) -> Result<String, String> {
        let (doc, _, _) = self.doc(flows);
        let mut file: DocumentMut = text.parse().map_err(|e| format!("{FILE}: {e}"))?;
        let rules = file
            .entry("place")
            .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(rules) = rules.as_array_of_tables_mut() else {
            return Err(format!("{FILE}: `place` must be written as [[place]]"));
        };
        forget(rules, placed, &|id| name_of(&doc, id));
        if let Some(machine) = on {
            add(rules, placed, machine);
        }
        if rules.is_empty() {
            file.remove("place");
        }
        let text = file.to_string();
        let (mesh, said) = self.mesh(&mut SourceMap::new(), &text);
        if let Some(fault) = said.iter().find(|d| d.level == vgdc_syntax::Level::Error) {
            return Err(fault.message.clone());
        }
        match on.filter(|on| mesh.nodes.iter().all(|node| node.name != **on)) {
            Some(on) => Err(format!("there is no machine \"{on}\" in {FILE}")),
            None => Ok(text),
        }
    }
}

impl Compiler {
    /// A mesh file's machines: as the agent of this machine knows them, where there is one and it knows all that the file names. A file without
    /// addresses is one for machines with agents.
    pub(super) fn mesh(
        &self,
        sources: &mut SourceMap,
        text: &str,
    ) -> (Mesh, vgdc_syntax::Diagnostics) {
        let there = status().ok().map(|(status, _)| machines(&status));
        let there = there.filter(|there| {
            let (_, said) = Mesh::parse_for(&mut SourceMap::new(), FILE, text, Some(there));
            !said.has_errors()
        });
        let (mut mesh, said) = Mesh::parse_for(sources, FILE, text, there.as_deref());
        mesh.agents |= mesh.nodes.iter().all(|node| node.address.is_none());
        (mesh, said)
    }
}

fn name_of(doc: &FlowDoc, id: &str) -> Option<String> {
    let node = doc.nodes().find(|node| node.id() == id)?;
    Some(node.name().to_owned()).filter(|name| !name.is_empty())
}

/// The key of a rule under which these stand, and their ids.
fn key(placed: &Placed) -> (&'static str, Vec<&str>) {
    match placed {
        Placed::Nodes(ids) => ("nodes", ids.iter().map(String::as_str).collect()),
        Placed::Group(id) => ("group", vec![id]),
        Placed::Flow(id) => ("flow", vec![id]),
    }
}

/// Takes these out of all rules, however they are named there. Rules that are about nothing any more go.
fn forget(rules: &mut ArrayOfTables, placed: &Placed, name_of: &dyn Fn(&str) -> Option<String>) {
    let (key, ids) = key(placed);
    let names: Vec<String> = ids.iter().filter_map(|id| name_of(id)).collect();
    let is_meant = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        ids.contains(&text) || names.iter().any(|name| name == text)
    };
    let emptied = |rule: &mut Table| match rule.get_mut(key).and_then(Item::as_value_mut) {
        Some(Value::Array(list)) => {
            let before = list.len();
            list.retain(|value| !is_meant(value));
            if list.len() < before {
                list.fmt();
            }
            list.is_empty() && before > 0
        }
        Some(one) => is_meant(one),
        None => false,
    };
    let empty: Vec<bool> = rules.iter_mut().map(emptied).collect();
    for at in (0..empty.len()).rev().filter(|at| empty[*at]) {
        rules.remove(at);
    }
}

/// Adds a rule; nodes join one that is about nodes and the same machine already.
fn add(rules: &mut ArrayOfTables, placed: &Placed, machine: &str) {
    let (key, ids) = key(placed);
    if key == "nodes" {
        let joined = rules.iter_mut().find_map(|rule| {
            let is_same = rule.get("on").and_then(Item::as_str) == Some(machine);
            let has_more = rule.iter().any(|(key, _)| key != "nodes" && key != "on");
            rule.get_mut("nodes")
                .and_then(Item::as_array_mut)
                .filter(|_| is_same && !has_more)
        });
        if let Some(list) = joined {
            list.extend(ids);
            return;
        }
    }
    let mut rule = Table::new();
    rule[key] = match ids.as_slice() {
        [one] if key != "nodes" => value(*one),
        ids => value(ids.iter().copied().collect::<Array>()),
    };
    rule["on"] = value(machine);
    rules.push(rule);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use vgdc_driver::Options;

    const FLOWS: &str = r#"[{"id":"t","type":"tab","label":"T"},
        {"id":"a","type":"debug","z":"t","name":"A","x":1,"y":1,"wires":[]},
        {"id":"b","type":"debug","z":"t","name":"B","x":1,"y":2,"wires":[]},
        {"id":"g","type":"group","z":"t","name":"G","nodes":["a","b"]}]"#;

    fn placed(text: &str, placed: &Placed, on: Option<&str>) -> Result<String, String> {
        let compiler = Compiler::new(Path::new("f.json"), Default::default(), Options::default());
        compiler.place(text, FLOWS, placed, on)
    }

    fn nodes(ids: &[&str]) -> Placed {
        Placed::Nodes(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn rules_come_go_and_move_and_all_else_stays() {
        let bare = "# ours\n[nodes.one]\n[nodes.two] # the second\n";
        let once = placed(bare, &nodes(&["a"]), Some("one")).expect("placed");
        assert_eq!(
            once,
            format!("{bare}\n[[place]]\nnodes = [\"a\"]\non = \"one\"\n")
        );
        let both = placed(&once, &nodes(&["b"]), Some("one")).expect("placed");
        assert!(both.contains("nodes = [\"a\", \"b\"]"), "{both}");
        let moved = placed(&both, &nodes(&["a"]), Some("two")).expect("placed");
        assert!(moved.contains("nodes = [\"b\"]\non = \"one\""), "{moved}");
        assert!(moved.contains("nodes = [\"a\"]\non = \"two\""), "{moved}");
        let none = placed(&moved, &nodes(&["a", "b"]), None).expect("placed");
        assert_eq!(none.trim(), bare.trim());
        let group = placed(bare, &Placed::Group("g".to_owned()), Some("two")).expect("placed");
        assert!(group.contains("group = \"g\"\non = \"two\""), "{group}");
    }

    #[test]
    fn a_rule_that_names_a_node_by_its_name_is_found() {
        let named = "[nodes.one]\n[nodes.two]\n[[place]]\nnodes = \"A\"\non = \"one\"\n";
        let moved = placed(named, &nodes(&["a"]), Some("two")).expect("placed");
        assert!(!moved.contains("\"A\""), "{moved}");
        assert!(moved.contains("nodes = [\"a\"]\non = \"two\""), "{moved}");
    }

    #[test]
    fn what_cannot_be_is_told() {
        let bare = "[nodes.one]\n";
        let error = placed(bare, &nodes(&["a"]), Some("three")).expect_err("no such machine");
        assert!(error.contains("three"), "{error}");
        let error = placed("[nodes.one", &nodes(&["a"]), None).expect_err("no TOML");
        assert!(error.contains("mesh.toml"), "{error}");
    }
}
