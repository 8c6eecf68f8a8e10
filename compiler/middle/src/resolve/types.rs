//! Reports node types that are not known: each type once, all of them.

use vgdc_ir::{Graph, Operator, Part};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, Level, NodeIx, NodeKind, codes};

use crate::registry::Registry;

/// Reports every type that the registry does not have. One that only disabled nodes have is a warning: they do not run.
pub fn check(doc: &FlowDoc, registry: &Registry, graph: &Graph, diagnostics: &mut Diagnostics) {
    let mut unknown: Vec<(&str, Vec<&Operator>)> = Vec::new();
    for (_, op) in graph.ops() {
        if registry.get(op.process_type()).is_some() || !comes_from_the_registry(doc, op) {
            continue;
        }
        match unknown.iter_mut().find(|(ty, _)| *ty == op.ty) {
            Some((_, ops)) => ops.push(op),
            None => unknown.push((&op.ty, vec![op])),
        }
    }
    for (ty, mut ops) in unknown {
        // Nodes of a template come once for each instance.
        let mut seen = std::collections::HashSet::new();
        let runs = ops.iter().any(|op| !op.disabled);
        ops.retain(|op| seen.insert(op.origin.node));
        diagnostics.push(report(doc, ty, &ops, runs));
    }
}

/// Subflow instances are the compiler's own, and those of an unknown subflow are reported as that.
fn comes_from_the_registry(doc: &FlowDoc, op: &Operator) -> bool {
    let instance = || {
        let node = doc.node(NodeIx(op.origin.node));
        node.is_some_and(|node| matches!(node.kind(), NodeKind::SubflowInstance(_)))
    };
    !matches!(op.part, Part::SubflowStatus(_) | Part::SubflowInstance) && !instance()
}

fn report(doc: &FlowDoc, ty: &str, ops: &[&Operator], runs: bool) -> Diagnostic {
    let count = match ops.len() {
        1 => "one node has".to_owned(),
        n => format!("{n} nodes have"),
    };
    let level = if runs { Level::Error } else { Level::Warning };
    let mut found = Diagnostic::new(
        level,
        codes::UNKNOWN_TYPE,
        format!("{count} the type `{ty}`, which is not known here"),
    );
    for op in ops {
        let Some(node) = doc.node(NodeIx(op.origin.node)) else {
            continue;
        };
        if found.node.is_none() {
            found = found.with_node(node.node_ref());
        }
        if let Some(value) = node.prop("type") {
            found = found.with_label(value.span(), "");
        }
    }
    if !runs {
        found = found.with_note("all of them are disabled, so the flow runs without them");
    }
    found
}
