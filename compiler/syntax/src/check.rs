//! Checks that need nothing but the document: ids, containers, wires.
//!
//! All of this runs in Node-RED without a word, so it is warnings; each says what Node-RED makes of it.

use std::collections::HashMap;

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::flowdoc::{FlowDoc, NodeKind, RawNode, opening};
use crate::json::Json;
use crate::source::Span;

/// Reports what is odd about the structure of a document.
pub(crate) fn check(doc: &FlowDoc, diagnostics: &mut Diagnostics) {
    duplicate_ids(doc, diagnostics);
    containers(doc, diagnostics);
    for node in doc.nodes() {
        group(doc, node, diagnostics);
        if node.is_on_canvas() && !node.is_shadowed() {
            wires(doc, node, diagnostics);
        }
        env(node, diagnostics);
    }
}

fn duplicate_ids(doc: &FlowDoc, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, RawNode<'_>> = HashMap::with_capacity(doc.nodes().len());
    for node in doc.nodes() {
        let Some(first) = seen.insert(node.id(), node) else {
            continue;
        };
        let mut diagnostic = Diagnostic::warning(
            codes::DUPLICATE_ID,
            format!("two objects have the id `{}`", node.id()),
        )
        .with_node(node.node_ref())
        .with_label(id_span(node), "the later one")
        .with_label(id_span(first), "the earlier one");
        diagnostic = if first.is_shadowed() {
            diagnostic.with_note("the later one takes the place of the earlier one, as in Node-RED")
        } else {
            diagnostic
                .with_note("both run, as in Node-RED; what refers to the id finds the later one")
        };
        diagnostics.push(diagnostic.with_fix("give one of them another id"));
    }
}

/// Nodes on a tab that does not exist, or on none. Exports of nodes without their tab are common: one warning a tab says all.
fn containers(doc: &FlowDoc, diagnostics: &mut Diagnostics) {
    let mut dangling: Vec<(RawNode<'_>, &str, usize)> = Vec::new();
    let mut place_of: HashMap<(&str, &str), usize> = HashMap::new();
    for node in doc.nodes() {
        let Some(z) = node.z() else {
            no_tab(node, diagnostics);
            continue;
        };
        let kind = doc.by_id(z).map(RawNode::kind);
        if matches!(kind, Some(NodeKind::Tab | NodeKind::SubflowDef)) {
            continue;
        }
        let fate = fate_without_tab(node);
        let place = *place_of.entry((z, fate)).or_insert(dangling.len());
        match dangling.get_mut(place) {
            Some((_, _, count)) => *count += 1,
            None => dangling.push((node, fate, 1)),
        }
    }
    for (node, fate, count) in dangling {
        let others = match count {
            1 => String::new(),
            2 => " (and one more like it)".to_owned(),
            more => format!(" (and {} more like it)", more - 1),
        };
        let z = node.z().unwrap_or_default();
        let message = format!(
            "{} is on the tab `{z}`, which does not exist{others}",
            named(node)
        );
        diagnostics.push(
            Diagnostic::warning(codes::DANGLING_Z, message)
                .with_node(node.node_ref())
                .with_label(prop_span(node, "z"), "no tab or subflow has this id")
                .with_note(fate),
        );
    }
}

/// What Node-RED makes of a node whose tab does not exist.
fn fate_without_tab(node: RawNode<'_>) -> &'static str {
    match node.kind() {
        NodeKind::Group => "such a group is ignored, as in Node-RED",
        NodeKind::Node | NodeKind::SubflowInstance(_) => {
            "as in Node-RED, such nodes run, on a tab without a name that is made up for them"
        }
        _ => "as in Node-RED, it is taken for a global config node",
    }
}

fn no_tab(node: RawNode<'_>, diagnostics: &mut Diagnostics) {
    if node.is_on_canvas() && is_node(node) {
        let message = format!("{} is on no tab and will not run", named(node));
        diagnostics.push(
            Diagnostic::warning(codes::DANGLING_Z, message)
                .with_node(node.node_ref())
                .with_label(
                    opening(node.json()),
                    "this node has a place on the canvas, and no `z`",
                )
                .with_note("Node-RED runs only nodes that are on a tab"),
        );
    }
}

fn group(doc: &FlowDoc, node: RawNode<'_>, diagnostics: &mut Diagnostics) {
    let Some(g) = node.g() else { return };
    if doc
        .by_id(g)
        .is_some_and(|group| group.kind() == NodeKind::Group)
    {
        return;
    }
    let note = match node.kind() {
        // Its start waits for the outer group for ever (`Flow.start`, read in 5.0.4).
        NodeKind::Group => {
            "it is taken for a group of its own; Node-RED 5 hangs at the start of such a flow"
        }
        _ => "it runs as if it were in no group, as in Node-RED",
    };
    diagnostics.push(
        Diagnostic::warning(
            codes::DANGLING_GROUP,
            format!(
                "{} is in the group `{g}`, which does not exist",
                named(node)
            ),
        )
        .with_node(node.node_ref())
        .with_label(prop_span(node, "g"), "no group has this id")
        .with_note(note),
    );
}

fn wires(doc: &FlowDoc, node: RawNode<'_>, diagnostics: &mut Diagnostics) {
    let Some(wires) = node.prop("wires").filter(|_| is_node(node)) else {
        return;
    };
    if !wires.is_array() || wires.elements().any(|output| !output.is_array()) {
        let message = format!("the wires of {} are not an array of arrays", named(node));
        diagnostics.push(
            Diagnostic::warning(codes::BAD_FIELD, message)
                .with_node(node.node_ref())
                .with_label(wires.span(), "expected one array of ids for each output"),
        );
    }
    for (output, wire) in wires
        .elements()
        .enumerate()
        .flat_map(|(at, output)| output.elements().map(move |wire| (at, wire)))
    {
        let target = wire.scalar_text();
        let found = target.as_ref().and_then(|id| doc.by_id(id));
        let problem = match found.map(RawNode::kind) {
            None => "does not exist",
            Some(NodeKind::Tab | NodeKind::Group | NodeKind::SubflowDef) => "is not a node",
            Some(_) => continue,
        };
        let target = target.unwrap_or_else(|| wire.text().into());
        let message = format!(
            "output {} of {} is wired to `{target}`, which {problem}",
            output + 1,
            named(node)
        );
        diagnostics.push(
            Diagnostic::warning(codes::DANGLING_WIRE, message)
                .with_node(node.node_ref())
                .with_label(wire.span(), "this wire leads to nowhere")
                .with_note("messages sent along it are dropped, as in Node-RED"),
        );
    }
}

fn env(node: RawNode<'_>, diagnostics: &mut Diagnostics) {
    let scoped = matches!(
        node.kind(),
        NodeKind::Tab | NodeKind::Group | NodeKind::SubflowDef | NodeKind::SubflowInstance(_)
    );
    let Some(env) = node.prop("env").filter(|_| scoped) else {
        return;
    };
    if !env.is_array() || env.elements().any(|entry| !entry.is_object()) {
        diagnostics.push(
            Diagnostic::warning(
                codes::BAD_FIELD,
                format!("the `env` of {} is not an array of objects", named(node)),
            )
            .with_node(node.node_ref())
            .with_label(
                env.span(),
                "expected objects with `name`, `type` and `value`",
            ),
        );
    }
}

fn is_node(node: RawNode<'_>) -> bool {
    matches!(node.kind(), NodeKind::Node | NodeKind::SubflowInstance(_))
}

/// A node as messages call it.
fn named(node: RawNode<'_>) -> String {
    let name = if node.name().is_empty() {
        node.id()
    } else {
        node.name()
    };
    let what = match node.kind() {
        NodeKind::Tab | NodeKind::Group | NodeKind::SubflowDef => "",
        NodeKind::Config => " config node",
        NodeKind::Node | NodeKind::SubflowInstance(_) => " node",
    };
    format!("the {}{what} `{name}`", node.ty())
}

fn id_span(node: RawNode<'_>) -> Span {
    prop_span(node, "id")
}

fn prop_span(node: RawNode<'_>, name: &str) -> Span {
    node.prop(name)
        .map_or_else(|| opening(node.json()), Json::span)
}
