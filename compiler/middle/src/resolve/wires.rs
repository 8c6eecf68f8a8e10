//! Connects operators along their wires.

use vgdc_ir::{EdgeKind, OpId, Part};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, NodeIx, codes};

use super::expand::Expansion;

/// Makes an edge of each wire. A wire to nowhere makes none; the reader has said so.
pub fn connect(doc: &FlowDoc, expansion: &mut Expansion, diagnostics: &mut Diagnostics) {
    let mut edges: Vec<(OpId, OpId, EdgeKind)> = Vec::new();
    for (id, op) in expansion.graph.ops() {
        for (port, wires) in op.wires.iter().enumerate() {
            let Ok(port) = u16::try_from(port) else {
                continue;
            };
            for wire in wires {
                let Some(to) = expansion.lookup.find(&expansion.graph, op.heard_in, wire) else {
                    continue;
                };
                edges.push((id, to, EdgeKind::Wire(port)));
                let target = expansion.graph.op(to);
                if target.disabled && !op.disabled && op.alias.is_none() {
                    diagnostics.push(into_disabled(doc, op, port, wire, target));
                }
            }
        }
        if let Part::SubflowStatus(instance) = &op.part {
            // The instance stands in the flow around the one that the status belongs to.
            let found = expansion.lookup.find(&expansion.graph, op.flow, instance);
            let instance = |&to: &OpId| expansion.graph.op(to).part == Part::SubflowInstance;
            edges.extend(
                found
                    .filter(instance)
                    .map(|to| (id, to, EdgeKind::SetStatus)),
            );
        }
    }
    for (from, to, kind) in edges {
        expansion.graph.connect(from, to, kind);
    }
}

fn into_disabled(
    doc: &FlowDoc,
    op: &vgdc_ir::Operator,
    port: u16,
    wire: &str,
    target: &vgdc_ir::Operator,
) -> Diagnostic {
    let message = format!(
        "output {} of `{}` is wired to `{}`, which is disabled",
        port + 1,
        op.label(),
        target.label()
    );
    let mut found = Diagnostic::note(codes::DANGLING_WIRE, message)
        .with_note("messages sent along it are dropped, as in Node-RED");
    if let Some(node) = doc.node(NodeIx(op.origin.node)) {
        found = found.with_node(node.node_ref());
        let output = node
            .wires()
            .get(usize::from(port))
            .cloned()
            .unwrap_or_default();
        let at = output.iter().position(|id| id == wire);
        if let Some(span) = at.and_then(|at| node.wire_span(usize::from(port), at)) {
            found = found.with_label(span, "this wire leads to a disabled node");
        }
    }
    found
}
