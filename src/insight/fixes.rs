//! What mends a fault of a drawn flow at a press: changes of properties, or nodes that go. Each is one that a person could well mean; where
//! nobody can know what was meant there is none.

use super::spec;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use vgdc_spec::FieldKind;
use vgdc_syntax::{Diagnostic, codes};

/// Configuration nodes that are offered for one property at most.
const OFFERED: usize = 4;

/// The nodes of a flow, by id.
pub(super) struct Drawn<'f> {
    nodes: HashMap<&'f str, &'f Json>,
    /// In the order of the file.
    all: &'f [Json],
}

impl<'f> Drawn<'f> {
    pub(super) fn new(flows: &'f Json) -> Drawn<'f> {
        let all = flows.as_array().map(Vec::as_slice).unwrap_or_default();
        let nodes = all
            .iter()
            .filter_map(|node| Some((node["id"].as_str()?, node)));
        Drawn {
            nodes: nodes.collect(),
            all,
        }
    }

    /// The fixes of a diagnostic, as `POST /vgdc/v1/check` has them.
    pub(super) fn fixes(&self, diagnostic: &Diagnostic) -> Vec<Json> {
        let id = diagnostic.node.as_ref().map(|node| &*node.id);
        // (inside a subflow's instance the template's node is what is drawn)
        let own = |id: &'_ str| id.rsplit_once('-').and_then(|(_, own)| self.nodes.get(own));
        let node = id.and_then(|id| self.nodes.get(id).or_else(|| own(id)));
        let Some(node) = node.copied() else {
            return Vec::new();
        };
        match diagnostic.code {
            codes::DANGLING_WIRE => self.without_wires(node),
            codes::DANGLING_Z => self.elsewhere(node),
            codes::DANGLING_GROUP => vec![fix(
                "Take it out of the group that is not there",
                node,
                json!({"unset": ["g"]}),
            )],
            codes::UNKNOWN_TYPE => self.unknown(node),
            codes::UNKNOWN_SUBFLOW => vec![remove("Remove this instance", node)],
            codes::MISSING_CONFIG_NODE | codes::WRONG_CONFIG_TYPE => self.configs(node),
            codes::LINK_TARGET_MISSING => {
                self.without_missing(node, "links", "Remove links to what is not there")
            }
            codes::UNKNOWN_SCOPE => {
                self.without_missing(node, "scope", "Listen only to nodes that are there")
            }
            _ => Vec::new(),
        }
    }

    fn is_there(&self, id: &Json) -> bool {
        id.as_str().is_some_and(|id| self.nodes.contains_key(id))
    }

    fn without_wires(&self, node: &Json) -> Vec<Json> {
        let Some(wires) = node["wires"].as_array() else {
            return Vec::new();
        };
        let kept = wires.iter().map(|port| {
            let to = port.as_array().map(Vec::as_slice).unwrap_or_default();
            let there = to.iter().filter(|id| self.is_there(id));
            there.cloned().collect::<Vec<Json>>()
        });
        let kept: Vec<Vec<Json>> = kept.collect();
        let title = "Remove the wire that leads to nowhere";
        vec![fix(title, node, json!({"set": {"wires": kept}}))]
    }

    fn without_missing(&self, node: &Json, property: &str, title: &str) -> Vec<Json> {
        let Some(list) = node[property].as_array() else {
            return Vec::new();
        };
        let kept: Vec<&Json> = list.iter().filter(|id| self.is_there(id)).collect();
        vec![fix(title, node, json!({"set": {property: kept}}))]
    }

    fn elsewhere(&self, node: &Json) -> Vec<Json> {
        let tab = self.all.iter().find(|it| it["type"] == "tab");
        let moved = tab.map(|tab| {
            let name = tab["label"].as_str().unwrap_or_default();
            let title = format!("Put it on the flow \"{name}\"");
            fix(&title, node, json!({"set": {"z": tab["id"]}}))
        });
        let gone = remove("Remove it", node);
        moved.into_iter().chain([gone]).collect()
    }

    fn unknown(&self, node: &Json) -> Vec<Json> {
        let ty = node["type"].as_str().unwrap_or_default();
        let near = vgdc_stdlib::specs()
            .map(|spec| (distance(ty, spec.ty), spec.ty))
            .filter(|(distance, known)| *distance <= 2 && *distance * 2 < known.len())
            .min();
        let renamed = near.map(|(_, known)| {
            let title = format!("Make it a \"{known}\" node");
            fix(&title, node, json!({"set": {"type": known}}))
        });
        let package = vgdc_packages::package_with(ty);
        let installed = package.map(|package| {
            json!({"title": format!("Install {package}"), "install": package, "edits": []})
        });
        let gone = remove("Remove this node", node);
        let all = installed.into_iter().chain(renamed).chain([gone]);
        all.collect()
    }

    /// Configuration nodes of the right type, for each property that has none such.
    fn configs(&self, node: &Json) -> Vec<Json> {
        let spec = node["type"].as_str().and_then(spec);
        let fields = spec.map(|spec| spec.fields.iter()).into_iter().flatten();
        let mut fixes = Vec::new();
        for field in fields {
            let FieldKind::ConfigRef(ty) = field.kind else {
                continue;
            };
            let chosen = node[field.name].as_str().and_then(|id| self.nodes.get(id));
            if chosen.is_some_and(|chosen| chosen["type"] == ty) {
                continue;
            }
            let fitting = self.all.iter().filter(|it| it["type"] == ty);
            fixes.extend(fitting.take(OFFERED).map(|config| {
                let name = config["name"].as_str().filter(|name| !name.is_empty());
                let name = name.or_else(|| config["id"].as_str()).unwrap_or_default();
                let title = format!("Use the {ty} \"{name}\"");
                fix(&title, node, json!({"set": {field.name: config["id"]}}))
            }));
        }
        fixes
    }
}

fn fix(title: &str, node: &Json, mut edit: Json) -> Json {
    edit["node"] = node["id"].clone();
    json!({"title": title, "edits": [edit]})
}

fn remove(title: &str, node: &Json) -> Json {
    fix(title, node, json!({"remove": true}))
}

/// How many letters have to be put in, taken out or changed to make one word of another (Levenshtein's distance).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = before + usize::from(from != *to);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::Compiler;
    use std::path::Path;
    use vgdc_driver::Options;
    use vgdc_editor::Insight;

    /// What the fixes of a flow's faults are called, and the edits of the first of each.
    fn fixes(flows: &Json) -> Vec<(String, Vec<Json>)> {
        let compiler = Compiler::new(Path::new("f.json"), Default::default(), Options::default());
        let checked = compiler.check(&flows.to_string());
        let all = checked["diagnostics"].as_array().expect("a list").iter();
        let fixes = all.map(|it| {
            let code = it["code"].as_str().unwrap_or_default().to_owned();
            (code, it["fixes"].as_array().cloned().unwrap_or_default())
        });
        fixes.filter(|(_, fixes)| !fixes.is_empty()).collect()
    }

    #[test]
    fn faults_are_mended_by_their_fixes() {
        let mut flows = json!([
            {"id": "t", "type": "tab", "label": "One"},
            {"id": "a", "type": "inject", "z": "t", "g": "nogroup", "x": 1, "y": 1, "props": [], "wires": [["b", "gone"]]},
            {"id": "b", "type": "debgu", "z": "t", "x": 1, "y": 1, "wires": []},
            {"id": "c", "type": "debug", "z": "nowhere", "x": 1, "y": 1, "wires": []},
            {"id": "m", "type": "mqtt in", "z": "t", "x": 1, "y": 1, "broker": "lost", "topic": "x", "wires": [[]]},
            {"id": "k", "type": "mqtt-broker", "name": "ours", "broker": "127.0.0.1", "port": "1883"},
            {"id": "l", "type": "link out", "z": "t", "x": 1, "y": 1, "mode": "link", "links": ["gone"], "wires": []},
            {"id": "s", "type": "catch", "z": "t", "x": 1, "y": 1, "scope": ["a", "gone"], "wires": [[]]},
            {"id": "i", "type": "subflow:none", "z": "t", "x": 1, "y": 1, "wires": []},
        ]);
        let before = fixes(&flows);
        let known: Vec<&str> = before.iter().map(|(code, _)| code.as_str()).collect();
        for code in [
            "VG0015", "VG0016", "VG0017", "VG0100", "VG0101", "VG0102", "VG0104", "VG0108",
        ] {
            assert!(known.contains(&code), "{code} in {before:?}");
        }
        let nodes = flows.as_array_mut().expect("an array");
        for (_, fixes) in &before {
            for edit in fixes[0]["edits"].as_array().expect("edits") {
                let at = nodes.iter().position(|node| node["id"] == edit["node"]);
                let at = at.expect("the node");
                if edit["remove"] == true {
                    nodes.remove(at);
                    continue;
                }
                for (name, value) in edit["set"].as_object().into_iter().flatten() {
                    nodes[at][name] = value.clone();
                }
                for name in edit["unset"].as_array().into_iter().flatten() {
                    let node = nodes[at].as_object_mut().expect("an object");
                    node.shift_remove(name.as_str().expect("a name"));
                }
            }
        }
        assert_eq!(fixes(&flows), [], "{flows:#}");
        assert_eq!(flows[2]["type"], "debug");
        assert_eq!(flows[4]["broker"], "k");
    }

    #[test]
    fn words_are_near_or_far() {
        assert_eq!(distance("debgu", "debug"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
