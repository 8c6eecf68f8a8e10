//! Environment scopes: which variables each level has, and what is known of their values before the flow starts.

use std::collections::BTreeSet;

use vgdc_ir::{EnvId, EnvScope, EnvVar, Graph};
use vgdc_syntax::flowdoc::EnvEntry;
use vgdc_syntax::{Json, RawNode};

/// The variables of a node's `env`.
///
/// `own` is the scope in which the values of the level are evaluated, and `around` the one outside of it. A variable of type
/// `env` that names itself means the one further out, as in Node-RED, and is written so.
pub fn vars(node: RawNode<'_>, own: EnvId, around: Option<EnvId>) -> Vec<EnvVar> {
    let entries = node.env().into_iter();
    entries.map(|entry| var(entry, own, around)).collect()
}

/// The variables of a subflow's instance or template: without a secret, one that is secret has no value there.
pub fn instance_vars(node: RawNode<'_>, own: EnvId, around: EnvId) -> Vec<EnvVar> {
    let mut vars = vars(node, own, Some(around));
    for var in vars.iter_mut().filter(|var| var.ty == "cred") {
        var.value = serde_json::Value::Null;
    }
    vars
}

fn var(entry: EnvEntry<'_>, own: EnvId, around: Option<EnvId>) -> EnvVar {
    let (name, ty) = (entry.name().into_owned(), entry.ty().into_owned());
    let said = entry
        .value()
        .map_or(serde_json::Value::Null, Json::to_serde);
    let mut value = match ty.as_str() {
        // (a secret has no place in a plan; an empty text is what there is without one)
        "cred" if said.as_str() != Some("") => serde_json::Value::Null,
        _ => said,
    };
    let scope = match ty.as_str() {
        "env" | "jsonata" => Some(own),
        // What names a configuration node is looked up past its level.
        "conf-type" if value.as_str().and_then(reference).is_some() => around,
        _ => None,
    };
    if ty == "env" && value.as_str() == Some(&name) {
        value = format!("$parent.{name}").into();
    }
    EnvVar {
        name,
        ty,
        value,
        scope,
    }
}

/// A level for a container, which will be the scope `own`: its variables over those of `parent`.
pub fn level(node: RawNode<'_>, own: EnvId, parent: EnvId, builtin: &[(&str, &str)]) -> EnvScope {
    let vars = vars(node, own, Some(parent));
    EnvScope {
        parent: Some(parent),
        outer: None,
        credentials_of: credentials_of(&vars, node.id()),
        vars,
        builtin: builtin
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// The node whose credentials the level needs, if it needs any.
pub fn credentials_of(vars: &[EnvVar], id: &str) -> Option<String> {
    vars.iter()
        .any(|var| var.ty == "cred")
        .then(|| id.to_owned())
}

/// The name in `${NAME}` or `$(NAME)`, when the text is that and nothing else.
pub fn reference(text: &str) -> Option<&str> {
    let inner = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| {
            text.strip_prefix("$(")
                .and_then(|rest| rest.strip_suffix(')'))
        })?;
    (!inner.is_empty() && !inner.contains(char::is_whitespace)).then_some(inner)
}

/// How many variables that name other variables are followed.
const HOPS: u32 = 64;

/// The text that a name stands for, when the flow file alone says it.
pub fn known_text(graph: &Graph, scope: EnvId, name: &str) -> Option<String> {
    look_up(graph, scope, name, HOPS)
}

fn look_up(graph: &Graph, scope: EnvId, name: &str, hops: u32) -> Option<String> {
    if hops == 0 {
        return None;
    }
    let level = graph.envs().get(scope.index())?;
    if let Some(rest) = name.strip_prefix("$parent.") {
        return look_up(graph, level.outer.or(level.parent)?, rest, hops - 1);
    }
    if let Some((_, value)) = level.builtin.iter().find(|(known, _)| known == name) {
        return Some(value.clone());
    }
    let Some(var) = level.vars.iter().rev().find(|var| var.name == name) else {
        return look_up(graph, level.parent?, name, hops - 1);
    };
    let text = var.value.as_str()?;
    match (var.ty.as_str(), reference(text)) {
        ("env", inner) => look_up(
            graph,
            var.scope.unwrap_or(scope),
            inner.unwrap_or(text),
            hops - 1,
        ),
        ("conf-type", Some(inner)) => look_up(graph, var.scope.or(level.parent)?, inner, hops - 1),
        ("str" | "conf-type" | "", _) => Some(text.to_owned()),
        _ => None,
    }
}

/// The names that whole properties ask for and that no level defines: at run time the process is asked.
pub fn unknown_names(graph: &Graph) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, op) in graph.ops() {
        for value in op.props.values() {
            collect(graph, op.env, value, &mut names);
        }
    }
    for (at, scope) in graph.envs().iter().enumerate() {
        for var in scope.vars.iter().filter(|var| var.ty == "env") {
            let text = var.value.as_str().unwrap_or_default();
            let scope = var.scope.unwrap_or(EnvId(at as u32));
            note(graph, scope, reference(text).unwrap_or(text), &mut names);
        }
    }
    names
}

fn collect(graph: &Graph, scope: EnvId, value: &serde_json::Value, names: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => {
            if let Some(name) = reference(text) {
                note(graph, scope, name, names);
            }
        }
        serde_json::Value::Array(list) => list
            .iter()
            .for_each(|item| collect(graph, scope, item, names)),
        serde_json::Value::Object(map) => map
            .values()
            .for_each(|item| collect(graph, scope, item, names)),
        _ => {}
    }
}

/// Notes a name that is one, is not the node's own, and is defined on no level.
fn note(graph: &Graph, scope: EnvId, name: &str, names: &mut BTreeSet<String>) {
    let name = name.trim_start_matches("$parent.");
    let is_name = !name.is_empty() && !name.contains(['$', '{', ' ']);
    let own = name.starts_with("NR_NODE_");
    if is_name && !own && !defines(graph, scope, name) {
        names.insert(name.to_owned());
    }
}

fn defines(graph: &Graph, scope: EnvId, name: &str) -> bool {
    let mut at = graph.envs().get(scope.index());
    while let Some(level) = at {
        let known = level.vars.iter().any(|var| var.name == name)
            || level.builtin.iter().any(|(known, _)| known == name);
        if known {
            return true;
        }
        at = level
            .parent
            .and_then(|parent| graph.envs().get(parent.index()));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_whole_texts() {
        assert_eq!(reference("${A}"), Some("A"));
        assert_eq!(reference("$(A)"), Some("A"));
        assert_eq!(reference("x${A}"), None);
        assert_eq!(reference("${A B}"), None);
        assert_eq!(reference("${}"), None);
        assert_eq!(reference("${A)"), None);
    }

    #[test]
    fn a_variable_that_names_itself_in_a_circle_is_not_known() {
        let mut graph = Graph::new();
        let var = |name: &str, value: &str| EnvVar {
            name: name.into(),
            ty: "env".into(),
            value: value.into(),
            scope: None,
        };
        let scope = graph.add_env(EnvScope {
            vars: vec![var("A", "B"), var("B", "A")],
            ..EnvScope::default()
        });
        assert_eq!(known_text(&graph, scope, "A"), None);
    }
}
