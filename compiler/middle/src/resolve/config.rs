//! Connects operators to the configuration nodes that they refer to.

use std::collections::HashSet;

use serde_json::Value as Json;
use vgdc_ir::{EdgeKind, OpId, Operator};
use vgdc_spec::FieldKind;
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, NodeIx, codes};

use super::env;
use super::expand::Expansion;
use crate::registry::Registry;

/// Makes an edge of each reference to a configuration node: by Node-RED's rule any property whose value is its id. A field
/// that should name one and does not is reported; such a node starts, with none.
pub fn connect(
    doc: &FlowDoc,
    registry: &Registry,
    expansion: &mut Expansion,
    diagnostics: &mut Diagnostics,
) {
    let mut edges: Vec<(OpId, OpId)> = Vec::new();
    let mut told = HashSet::new();
    for (id, op) in expansion.graph.ops() {
        let mut seen = HashSet::new();
        for value in op.props.values() {
            let found = id_in(value).and_then(|name| target(expansion, op, name));
            if let Some(to) = found.filter(|&to| to != id && seen.insert(to)) {
                edges.push((id, to));
            }
        }
        if !op.disabled {
            check(doc, registry, expansion, op, &mut told, diagnostics);
        }
    }
    for (from, to) in edges {
        expansion.graph.connect(from, to, EdgeKind::Config);
    }
}

/// The id that a property may be.
fn id_in(value: &Json) -> Option<&str> {
    let alone = match value {
        Json::Array(list) if list.len() == 1 => list.first()?,
        other => other,
    };
    alone.as_str().filter(|id| !id.is_empty())
}

/// The configuration node that a property's text names, by id or by a variable that holds its id.
fn target(expansion: &Expansion, op: &Operator, text: &str) -> Option<OpId> {
    let find = |id: &str| {
        let to = expansion.lookup.find(&expansion.graph, op.heard_in, id)?;
        expansion.graph.op(to).part.is_config().then_some(to)
    };
    find(text).or_else(|| {
        let name = env::reference(text)?;
        find(&env::known_text(&expansion.graph, op.env, name)?)
    })
}

fn check(
    doc: &FlowDoc,
    registry: &Registry,
    expansion: &Expansion,
    op: &Operator,
    told: &mut HashSet<(u32, &'static str)>,
    diagnostics: &mut Diagnostics,
) {
    let Some(spec) = registry.get(&op.ty) else {
        return;
    };
    for field in spec.fields {
        let FieldKind::ConfigRef(wanted) = field.kind else {
            continue;
        };
        let Some(text) = op.props.get(field.name).and_then(id_in) else {
            continue;
        };
        let fault = match target(expansion, op, text).map(|to| expansion.graph.op(to)) {
            // What a variable holds may be known at the start only.
            None if env::reference(text).is_some() => continue,
            None => Fault::Missing,
            Some(found) if found.disabled => Fault::Disabled,
            Some(found) if !wanted.is_empty() && found.ty != wanted => {
                Fault::Type(found.ty.clone())
            }
            Some(_) => continue,
        };
        // Once for a template, however many instances it has.
        if told.insert((op.origin.node, field.name)) {
            diagnostics.push(report(doc, op, field.name, text, wanted, fault));
        }
    }
}

enum Fault {
    Missing,
    Disabled,
    Type(String),
}

fn report(
    doc: &FlowDoc,
    op: &Operator,
    field: &str,
    id: &str,
    wanted: &str,
    fault: Fault,
) -> Diagnostic {
    let label = op.label();
    let (code, message, text) = match fault {
        Fault::Missing => (
            codes::MISSING_CONFIG_NODE,
            format!("`{label}` refers to the {wanted} node `{id}`, which does not exist"),
            "no config node has this id",
        ),
        Fault::Disabled => (
            codes::MISSING_CONFIG_NODE,
            format!("`{label}` refers to the {wanted} node `{id}`, which is disabled"),
            "this config node is disabled",
        ),
        Fault::Type(ty) => (
            codes::WRONG_CONFIG_TYPE,
            format!(
                "`{label}` refers to `{id}`, which is a {ty} node; a {wanted} node is expected"
            ),
            "a config node of another type",
        ),
    };
    let mut found =
        Diagnostic::warning(code, message).with_note("the node starts without it, as in Node-RED");
    if let Some(node) = doc.node(NodeIx(op.origin.node)) {
        found = found.with_node(node.node_ref());
        if let Some(value) = node.prop(field) {
            found = found.with_label(value.span(), text);
        }
    }
    found
}
