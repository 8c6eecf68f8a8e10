//! A node's properties: which are kept, which ids in them change inside a subflow instance, and what its role makes of them.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use vgdc_ir::{Link, Listens, Part, Scope};
use vgdc_spec::{FieldKind, NodeSpec, Role};
use vgdc_syntax::{RawNode, flowdoc};

use crate::fingerprint::Fingerprint;

/// Ids of a template and what they are in an instance.
pub type IdMap<'a> = HashMap<&'a str, String>;

/// Properties that say where a node stands; they have fields of their own in an operator.
const STRUCTURAL: &[&str] = &["id", "type", "z", "g", "x", "y", "wires", "credentials"];

/// A node's properties for the plan: without the structural ones and without secrets.
pub fn of(node: RawNode<'_>, spec: Option<&NodeSpec>, ids: &IdMap<'_>) -> Map<String, Json> {
    let kind = |name: &str| {
        spec.and_then(|spec| spec.field(name))
            .map(|field| field.kind)
    };
    let mut props = Map::new();
    for (name, value) in node.props() {
        if STRUCTURAL.contains(&name.as_ref()) || kind(&name) == Some(FieldKind::Credential) {
            continue;
        }
        let mut value = value.to_serde();
        if !ids.is_empty() {
            remap(&mut value, kind(&name) == Some(FieldKind::NodeIds), ids);
        }
        props.insert(name.into_owned(), value);
    }
    props
}

/// The modules that code in a node uses, without versions.
pub fn modules(node: RawNode<'_>, spec: &NodeSpec) -> Vec<String> {
    let fields = spec.fields.iter();
    let fields = fields.filter(|field| field.kind == FieldKind::Modules);
    let lists = fields.filter_map(|field| Some(node.prop(field.name)?.to_serde()));
    let mut names = Vec::new();
    for list in lists {
        let entries = list.as_array().into_iter().flatten();
        let modules = entries.filter_map(|entry| entry.get("module")?.as_str());
        names.extend(modules.map(|module| {
            // (the first letter of a package in a scope is an `@`, too)
            let version = module.char_indices().skip(1).find(|(_, c)| *c == '@');
            module[..version.map_or(module.len(), |(at, _)| at)].to_owned()
        }));
    }
    names
}

/// Puts the instance's ids for those of the template, where Node-RED does: a property that is the id of an inner node, alone
/// or as the only element of an array. In properties that hold ids, all elements are ids.
fn remap(value: &mut Json, all: bool, ids: &IdMap<'_>) {
    match value {
        Json::String(id) => {
            if let Some(new) = ids.get(id.as_str()) {
                new.clone_into(id);
            }
        }
        Json::Array(list) if all || list.len() == 1 => {
            for item in list.iter_mut().filter(|item| item.is_string()) {
                remap(item, false, ids);
            }
        }
        _ => {}
    }
}

/// Whether a node of a template is in no group of an instance, though it is in one of the template. Node-RED gives a listening
/// node with a list of nodes the instance's ids in that list and nowhere else, so its group stays one that is not there: it hears
/// after those that are in groups nearby.
pub fn strays_from_its_group(node: RawNode<'_>, spec: Option<&NodeSpec>) -> bool {
    let listens =
        spec.is_some_and(|spec| matches!(spec.role, Role::Catch | Role::Status | Role::Complete));
    listens && matches!(node.scope(), flowdoc::Scope::Nodes(_))
}

/// A node's part in the graph, by its role. The names of properties here are those that [`Role`] speaks of.
pub fn part(node: RawNode<'_>, spec: Option<&NodeSpec>, ids: &IdMap<'_>) -> Part {
    let Some(spec) = spec else {
        return Part::Operator;
    };
    let link = |by_message| {
        Part::LinkOut(Link {
            links: links(node, ids),
            by_message,
        })
    };
    let text = |name: &str| {
        node.prop(name)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    match spec.role {
        // (of a stand-in the flow file says nothing; an answer has no part of its own in the graph)
        Role::Operator | Role::StandIn | Role::Answer | Role::Sender | Role::Receiver => {
            Part::Operator
        }
        Role::Config => Part::Config,
        Role::GlobalEnv => Part::GlobalEnv,
        Role::Catch => {
            let uncaught = node
                .prop("uncaught")
                .is_some_and(|value| value.as_bool() == Some(true));
            Part::Listener(Listens::Errors {
                scope: scope(node, ids),
                uncaught,
            })
        }
        Role::Status => Part::Listener(Listens::Statuses {
            scope: scope(node, ids),
        }),
        // A complete node without a list of nodes listens to none.
        Role::Complete => Part::Listener(Listens::Completions {
            scope: match scope(node, ids) {
                Scope::All | Scope::Group => Scope::Nodes(Vec::new()),
                nodes => nodes,
            },
        }),
        Role::LinkIn => Part::LinkIn(Link {
            links: links(node, ids),
            by_message: false,
        }),
        Role::LinkOut => link(text("mode") == "return"),
        Role::LinkCall => {
            let by_message = text("linkType") == "dynamic";
            Part::LinkCall(Link {
                links: links(node, ids),
                by_message,
            })
        }
        Role::Comment => Part::Comment,
        Role::Junction => Part::Junction,
        Role::SubflowInstance => Part::SubflowInstance,
    }
}

fn links(node: RawNode<'_>, ids: &IdMap<'_>) -> Vec<String> {
    let alone = node
        .prop("links")
        .and_then(|links| links.as_str())
        .map(|id| vec![id.into_owned()]);
    let links = alone.unwrap_or_else(|| node.links());
    links
        .into_iter()
        .map(|id| ids.get(id.as_str()).cloned().unwrap_or(id))
        .collect()
}

fn scope(node: RawNode<'_>, ids: &IdMap<'_>) -> Scope {
    match node.scope() {
        flowdoc::Scope::Tab => Scope::All,
        flowdoc::Scope::Group => Scope::Group,
        flowdoc::Scope::Nodes(nodes) if ids.is_empty() => Scope::Nodes(nodes),
        // Inside a subflow, what is not of the subflow is not listened to.
        flowdoc::Scope::Nodes(nodes) => Scope::Nodes(
            nodes
                .iter()
                .map(|id| ids.get(id.as_str()).cloned().unwrap_or_default())
                .collect(),
        ),
    }
}

/// Hash over a node's properties, except those in `without`; the order in which the file has them does not count.
pub fn fingerprint(node: RawNode<'_>, seed: Fingerprint, without: &[&str]) -> Fingerprint {
    let mut props: Vec<(String, String)> = node
        .props()
        .filter(|(name, _)| !without.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), value.to_serde().to_string()))
        .collect();
    props.sort();
    props
        .iter()
        .fold(seed, |hash, (name, value)| hash.with(name).with(value))
}
