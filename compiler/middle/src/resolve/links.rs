//! Reports links and scopes that name what is not there.

use std::collections::{HashMap, HashSet};

use vgdc_ir::{Link, Operator, Part, Scope};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, NodeIx, codes};

use super::expand::Expansion;

/// Reports what is wrong with link nodes and with scopes. In Node-RED such a link leads nowhere and such a scope hears nothing.
pub fn check(doc: &FlowDoc, expansion: &Expansion, diagnostics: &mut Diagnostics) {
    // Nodes of a template once, however many instances it has.
    let mut seen = HashSet::new();
    let mut calls_by_name = false;
    for (_, op) in expansion.graph.ops().filter(|(_, op)| !op.disabled) {
        if !seen.insert(op.origin.node) {
            continue;
        }
        match &op.part {
            Part::LinkOut(link) if !link.by_message => links(doc, expansion, op, link, diagnostics),
            Part::LinkCall(link) if !link.by_message => {
                links(doc, expansion, op, link, diagnostics);
                if link.links.is_empty() {
                    let message = format!("the link call `{}` has no target", op.label());
                    diagnostics.push(about(doc, op, codes::LINK_TARGET_MISSING, message, "links"));
                }
            }
            Part::LinkCall(_) => calls_by_name = true,
            Part::Listener(listens) => {
                if let Scope::Nodes(ids) = listens.scope() {
                    scope(doc, expansion, op, ids, diagnostics);
                }
            }
            _ => {}
        }
    }
    if calls_by_name {
        same_names(doc, expansion, diagnostics);
    }
}

fn links(
    doc: &FlowDoc,
    expansion: &Expansion,
    op: &Operator,
    link: &Link,
    diagnostics: &mut Diagnostics,
) {
    for id in &link.links {
        let graph = &expansion.graph;
        let found = expansion
            .lookup
            .find(graph, op.heard_in, id)
            .map(|to| graph.op(to));
        let calls = matches!(op.part, Part::LinkCall(_));
        let problem = match found {
            None => "which does not exist",
            Some(to) if calls && !matches!(to.part, Part::LinkIn(_)) => "which is no link-in",
            Some(to) if !calls && crosses_border(expansion, op, to) => {
                "which is on the other side of a subflow's border"
            }
            Some(_) => continue,
        };
        let message = format!("`{}` is linked with `{id}`, {problem}", op.label());
        diagnostics.push(about(doc, op, codes::LINK_TARGET_MISSING, message, "links"));
    }
}

/// Whether one of two operators is inside a subflow instance that the other is not in.
fn crosses_border(expansion: &Expansion, a: &Operator, b: &Operator) -> bool {
    let inside = |op: &Operator| expansion.graph.flows()[op.flow.index()].kind.is_subflow();
    a.flow != b.flow && (inside(a) || inside(b))
}

fn scope(
    doc: &FlowDoc,
    expansion: &Expansion,
    op: &Operator,
    ids: &[String],
    diagnostics: &mut Diagnostics,
) {
    let missing = |id: &&String| {
        expansion
            .lookup
            .find(&expansion.graph, op.heard_in, id)
            .is_none()
    };
    for id in ids.iter().filter(missing) {
        // Inside a subflow, an id that is not of the subflow is no id at all.
        let named = if id.is_empty() {
            String::new()
        } else {
            format!(" `{id}`")
        };
        let message = format!(
            "`{}` listens to a node{named} that does not exist",
            op.label()
        );
        diagnostics.push(about(doc, op, codes::UNKNOWN_SCOPE, message, "scope"));
    }
}

/// Two link-ins of one flow with one name: a link call that names them in a message finds none of them.
fn same_names(doc: &FlowDoc, expansion: &Expansion, diagnostics: &mut Diagnostics) {
    let mut first: HashMap<(u32, &str), &Operator> = HashMap::new();
    let mut told = HashSet::new();
    for (_, op) in expansion.graph.ops().filter(|(_, op)| !op.disabled) {
        let (Part::LinkIn(_), Some(name)) = (&op.part, op.name.as_deref()) else {
            continue;
        };
        let Some(other) = first.insert((op.heard_in.0, name), op) else {
            continue;
        };
        if told.insert(op.origin.node) {
            let message = format!("two link-ins of one flow have the name `{name}`");
            diagnostics.push(
                about(doc, op, codes::LINK_NAME_AMBIGUOUS, message, "name")
                    .with_note(format!("the other one is `{}`", other.source_id()))
                    .with_note("a link call whose messages say this name finds none of them"),
            );
        }
    }
}

fn about(
    doc: &FlowDoc,
    op: &Operator,
    code: vgdc_syntax::Code,
    message: String,
    property: &str,
) -> Diagnostic {
    let mut found = Diagnostic::warning(code, message);
    if let Some(node) = doc.node(NodeIx(op.origin.node)) {
        found = found.with_node(node.node_ref());
        let value = node.prop(property);
        found = found.with_label(value.map_or_else(|| node.span(), |value| value.span()), "");
    }
    found
}
