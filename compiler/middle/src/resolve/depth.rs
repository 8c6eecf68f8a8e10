//! Refuses properties that are nested too deeply: a plan is read by a parser that takes no more than 128 levels, so a program made
//! of such a flow would not start.

use serde_json::Value as Json;
use vgdc_ir::Graph;
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, NodeIx, codes};

/// The most arrays and objects inside each other in a property.
pub const DEEPEST: usize = 100;

/// Reports properties and variables that are nested too deeply.
pub fn check(doc: &FlowDoc, graph: &Graph, diagnostics: &mut Diagnostics) {
    for (_, op) in graph.ops() {
        for (name, _) in op
            .props
            .iter()
            .filter(|(_, value)| is_deeper(value, DEEPEST))
        {
            let message = format!(
                "the property `{name}` of `{}` is nested more than {DEEPEST} levels deep",
                op.label()
            );
            let mut found = Diagnostic::error(codes::NOT_SUPPORTED, message);
            if let Some(node) = doc.node(NodeIx(op.origin.node)) {
                found = found.with_node(node.node_ref());
            }
            diagnostics.push(found);
        }
    }
    for var in graph.envs().iter().flat_map(|scope| &scope.vars) {
        if is_deeper(&var.value, DEEPEST) {
            let message = format!(
                "the variable `{}` is nested more than {DEEPEST} levels deep",
                var.name
            );
            diagnostics.push(Diagnostic::error(codes::NOT_SUPPORTED, message));
        }
    }
}

fn is_deeper(value: &Json, levels: usize) -> bool {
    match value {
        Json::Array(_) | Json::Object(_) if levels == 0 => true,
        Json::Array(list) => list.iter().any(|item| is_deeper(item, levels - 1)),
        Json::Object(map) => map.values().any(|item| is_deeper(item, levels - 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn levels_are_counted() {
        assert!(!is_deeper(&json!({"a": [1]}), 2));
        assert!(is_deeper(&json!({"a": [1, {}]}), 2));
        assert!(!is_deeper(&json!(1), 0));
    }
}
