//! What the compiler asks about scripts. The answers come from another crate; this one knows no language.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use vgdc_ir::{Graph, OpId, Operator, Ty};
use vgdc_syntax::{Code, Diagnostic, Diagnostics, FlowDoc, Level, NodeIx};

use crate::keys::{ContextUse, Keys};
use crate::passes::infer_types::Finding;
use crate::registry::Registry;
use crate::typed::{self, Content, ScriptKind};

/// Answers questions about scripts.
pub trait ScriptInfo {
    /// Which context keys a script uses.
    fn context_uses(&self, kind: ScriptKind, text: &str) -> ContextUse;

    /// Ids or names of the link-in nodes that a script calls.
    fn link_calls(&self, kind: ScriptKind, text: &str) -> Keys {
        match kind {
            ScriptKind::JavaScript(_) if text.contains("linkcall") => Keys::All,
            _ => Keys::default(),
        }
    }

    /// The types of what a script sends to each output, when it is called with a message of this type.
    fn infer(&self, kind: ScriptKind, text: &str, message: &Ty, outputs: usize) -> ScriptTypes {
        let _ = (kind, text, message);
        ScriptTypes {
            outputs: vec![Ty::any_object(); outputs],
            faults: Vec::new(),
        }
    }

    /// What is wrong with a script; nothing, where it is not known.
    fn check(&self, kind: ScriptKind, text: &str) -> Vec<ScriptFault> {
        let _ = (kind, text);
        Vec::new()
    }
}

/// What is known of a script's types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptTypes {
    /// The type of what it sends to each output.
    pub outputs: Vec<Ty>,
    /// What is certain to go wrong with every message.
    pub faults: Vec<ScriptFault>,
}

/// Something wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFault {
    /// Which kind of problem.
    pub code: Code,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// Where, in bytes of the script.
    pub range: Range<usize>,
}

/// Knows nothing of scripts: what speaks of a context uses all of it.
pub struct NoScripts;

impl ScriptInfo for NoScripts {
    fn context_uses(&self, kind: ScriptKind, text: &str) -> ContextUse {
        if matches!(
            kind,
            ScriptKind::Path | ScriptKind::Json | ScriptKind::Regex
        ) {
            return ContextUse::default();
        }
        let all_if = |found: bool| if found { Keys::All } else { Keys::default() };
        let computed = text.contains("context[");
        ContextUse {
            flow: all_if(computed || text.contains("flow")),
            global: all_if(computed || text.contains("global")),
            stores: std::collections::BTreeSet::from([crate::keys::ANY_STORE.to_owned()]),
        }
    }
}

/// Reports what is wrong with the scripts of nodes that run: errors, or in `deploy_mode` warnings, since there such a node
/// does not start and the others do.
pub fn check(
    doc: &FlowDoc,
    registry: &Registry,
    graph: &Graph,
    scripts: &dyn ScriptInfo,
    deploy_mode: bool,
    diagnostics: &mut Diagnostics,
) {
    let level = if deploy_mode {
        Level::Warning
    } else {
        Level::Error
    };
    // Nodes of a template once, however many instances it has.
    let mut seen = HashSet::new();
    for (_, op) in graph.ops().filter(|(_, op)| !op.disabled) {
        let Some(spec) = registry.get(op.process_type()) else {
            continue;
        };
        if !seen.insert(op.origin.node) {
            continue;
        }
        typed::visit(&op.props, spec, &mut |path, content| {
            let Some((kind, text)) = script(content) else {
                return;
            };
            for fault in scripts.check(kind, text) {
                let mut found = report(doc, op, path, fault, level);
                if deploy_mode {
                    found = found.with_note("this node will fail to start; the others run");
                }
                diagnostics.push(found);
            }
        });
    }
}

/// Reports what types show to fail, as warnings. What is found in a subflow's template is reported once, and only when it fails
/// in all instances.
pub fn warn(doc: &FlowDoc, graph: &Graph, found: &[Finding], diagnostics: &mut Diagnostics) {
    let mut instances: HashMap<u32, usize> = HashMap::new();
    for (_, op) in graph.ops() {
        *instances.entry(op.origin.node).or_default() += 1;
    }
    let place = |finding: &Finding| {
        let fault = &finding.fault;
        let node = graph.op(finding.op).origin.node;
        (node, finding.path.clone(), fault.code, fault.range.clone())
    };
    let mut counts = HashMap::new();
    for finding in found {
        *counts.entry(place(finding)).or_default() += 1_usize;
    }
    for finding in found {
        let place = place(finding);
        let node = place.0;
        // (once only, so it is taken out)
        if counts.remove(&place) != instances.get(&node).copied() {
            continue;
        }
        let op = graph.op(finding.op);
        diagnostics.push(match &finding.path {
            Some(path) => report(doc, op, path, finding.fault.clone(), Level::Warning),
            None => whole(doc, op, &finding.fault),
        });
    }
}

/// A fault of a node as a whole.
fn whole(doc: &FlowDoc, op: &Operator, fault: &ScriptFault) -> Diagnostic {
    let found = Diagnostic::warning(fault.code, fault.message.clone());
    let Some(node) = doc.node(NodeIx(op.origin.node)) else {
        return found;
    };
    let found = found.with_node(node.node_ref());
    match node.prop("type") {
        Some(ty) => found.with_label(ty.span(), ""),
        None => found,
    }
}

/// The link-ins that each operator's scripts call, of those that call any.
pub fn link_calls(
    graph: &Graph,
    registry: &Registry,
    scripts: &dyn ScriptInfo,
) -> HashMap<OpId, Keys> {
    let mut found = HashMap::new();
    for (id, op) in graph.ops() {
        let Some(spec) = registry.get(op.process_type()) else {
            continue;
        };
        let mut calls = Keys::default();
        typed::visit(&op.props, spec, &mut |_, content| {
            if let Content::Script(kind, text) = content {
                calls.merge(scripts.link_calls(kind, text));
            }
        });
        if !calls.is_empty() {
            found.insert(id, calls);
        }
    }
    found
}

fn script(content: Content<'_>) -> Option<(ScriptKind, &str)> {
    let (kind, text) = match content {
        Content::Script(kind, text) => (kind, text),
        Content::Typed(ty, Some(text)) => match ty {
            "jsonata" => (ScriptKind::Jsonata, text),
            "json" => (ScriptKind::Json, text),
            "re" => (ScriptKind::Regex, text),
            "msg" | "flow" | "global" => (ScriptKind::Path, text),
            _ => return None,
        },
        Content::Typed(_, None) | Content::Unknown => return None,
    };
    // A variable's text is known when the flow starts.
    let from_env = crate::resolve::env_reference(text).is_some();
    (!text.is_empty() && !from_env).then_some((kind, text))
}

fn report(
    doc: &FlowDoc,
    op: &Operator,
    path: &str,
    fault: ScriptFault,
    level: Level,
) -> Diagnostic {
    let mut found = Diagnostic::new(level, fault.code, fault.message);
    let Some(node) = doc.node(NodeIx(op.origin.node)) else {
        return found;
    };
    found = found.with_node(node.node_ref());
    if let Some(span) = node.body_span(path, fault.range.clone()) {
        found = found.with_label(span, "");
    }
    match node.body_pos(path, fault.range) {
        Some(place) => found.with_body(place),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_speak_of_a_context_use_all_of_it() {
        let used = NoScripts.context_uses(ScriptKind::JavaScript("func"), "return flow.get('a')");
        assert_eq!((used.flow, used.global), (Keys::All, Keys::default()));
        assert!(
            NoScripts
                .context_uses(ScriptKind::Path, "flow.a")
                .is_empty()
        );
    }
}
