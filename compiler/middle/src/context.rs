//! Which context keys an operator uses: what decides, besides wires, who shares a queue.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json};
use vgdc_ir::{Graph, OpId};
use vgdc_spec::{FieldKind, NodeSpec};

use crate::registry::Registry;

/// Keys of one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// These, by the first part of their paths.
    Known(BTreeSet<String>),
    /// Not known: any.
    All,
}

impl Default for Keys {
    fn default() -> Self {
        Keys::Known(BTreeSet::new())
    }
}

impl Keys {
    /// Whether no key at all is used.
    pub fn is_empty(&self) -> bool {
        matches!(self, Keys::Known(names) if names.is_empty())
    }

    /// Adds a key.
    pub fn add(&mut self, key: impl Into<String>) {
        if let Keys::Known(names) = self {
            names.insert(key.into());
        }
    }

    /// Adds all keys of another use.
    pub fn merge(&mut self, other: Keys) {
        match (&mut *self, other) {
            (Keys::Known(mine), Keys::Known(theirs)) => mine.extend(theirs),
            _ => *self = Keys::All,
        }
    }
}

/// The contexts that an operator shares with others. Its own, which no other can reach, does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextUse {
    /// Keys of its flow's context.
    pub flow: Keys,
    /// Keys of the global context.
    pub global: Keys,
}

impl ContextUse {
    /// Any key of both contexts.
    pub fn all() -> ContextUse {
        ContextUse {
            flow: Keys::All,
            global: Keys::All,
        }
    }

    /// Whether it uses neither.
    pub fn is_empty(&self) -> bool {
        self.flow.is_empty() && self.global.is_empty()
    }

    /// Adds another use.
    pub fn merge(&mut self, other: ContextUse) {
        self.flow.merge(other.flow);
        self.global.merge(other.global);
    }

    /// Whether it may reach the contexts of the flows around a subflow instance.
    pub(crate) fn reaches_out(&self) -> bool {
        match &self.flow {
            Keys::All => true,
            Keys::Known(names) => names.iter().any(|name| name.starts_with('$')),
        }
    }
}

/// In which language a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScriptKind {
    /// The body of a JavaScript function.
    JavaScript,
    /// A JSONata expression.
    Jsonata,
    /// A mustache template.
    Mustache,
}

/// What the compiler asks about scripts. The answers come from another crate; this one knows no language.
pub trait ScriptInfo {
    /// Which context keys a script uses.
    fn context_uses(&self, kind: ScriptKind, text: &str) -> ContextUse;
}

/// Knows nothing of scripts: what speaks of a context uses all of it.
pub struct NoScripts;

impl ScriptInfo for NoScripts {
    fn context_uses(&self, _: ScriptKind, text: &str) -> ContextUse {
        let all_if = |found: bool| if found { Keys::All } else { Keys::default() };
        let computed = text.contains("context[");
        ContextUse {
            flow: all_if(computed || text.contains("flow")),
            global: all_if(computed || text.contains("global")),
        }
    }
}

/// The context uses of all operators that have any.
pub fn uses(
    graph: &Graph,
    registry: &Registry,
    scripts: &dyn ScriptInfo,
) -> HashMap<OpId, ContextUse> {
    let mut found = HashMap::new();
    for (id, op) in graph.ops() {
        let Some(spec) = registry.get(op.process_type()) else {
            continue;
        };
        let used = of(&op.props, spec, scripts);
        if !used.is_empty() {
            found.insert(id, used);
        }
    }
    found
}

/// The context uses that a node's properties show.
pub fn of(props: &Map<String, Json>, spec: &NodeSpec, scripts: &dyn ScriptInfo) -> ContextUse {
    let mut used = ContextUse::default();
    for field in spec.fields {
        let Some(value) = props.get(field.name) else {
            continue;
        };
        match field.kind {
            FieldKind::JavaScript => script(ScriptKind::JavaScript, value, scripts, &mut used),
            FieldKind::Jsonata => script(ScriptKind::Jsonata, value, scripts, &mut used),
            FieldKind::Mustache => script(ScriptKind::Mustache, value, scripts, &mut used),
            FieldKind::Typed(ty) => {
                let ty = props.get(ty).and_then(Json::as_str).unwrap_or_default();
                typed(ty, Some(value), scripts, &mut used);
            }
            FieldKind::Json => nested(value, scripts, &mut used, DEPTH),
            _ => {}
        }
    }
    used
}

fn script(kind: ScriptKind, value: &Json, scripts: &dyn ScriptInfo, used: &mut ContextUse) {
    if let Some(text) = value.as_str() {
        used.merge(scripts.context_uses(kind, text));
    }
}

/// A typed input: a value with the name of its type.
fn typed(ty: &str, value: Option<&Json>, scripts: &dyn ScriptInfo, used: &mut ContextUse) {
    let text = value.and_then(Json::as_str);
    match (ty, text) {
        ("flow", text) => used.flow.merge(text.map_or(Keys::All, key)),
        ("global", text) => used.global.merge(text.map_or(Keys::All, key)),
        ("jsonata", Some(text)) => used.merge(scripts.context_uses(ScriptKind::Jsonata, text)),
        ("jsonata", None) => used.merge(ContextUse::all()),
        _ => {}
    }
}

/// The key that a path begins with. `#:(store)::path` names a store; the same key of two stores counts as one.
fn key(path: &str) -> Keys {
    let path = path
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"))
        .map_or(path, |(_, path)| path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let name = path[..end].trim();
    // A path that begins with brackets, or asks the flow around, is left to what is not known.
    if name.is_empty() || name.starts_with('$') {
        return Keys::All;
    }
    Keys::Known(BTreeSet::from([name.to_owned()]))
}

/// How deep structured properties are looked into; what is deeper counts as using everything.
const DEPTH: u32 = 16;

/// Structured data whose shape only its node knows. By Node-RED's custom a typed input is two properties of an object, and the
/// one with the type is named after the other: `pt` after `p`, `tot` after `to`, `valueType` after `value`, and `type` next to
/// `value`. Where the other is not found, all keys may be used.
fn nested(value: &Json, scripts: &dyn ScriptInfo, used: &mut ContextUse, depth: u32) {
    if depth == 0 {
        return used.merge(ContextUse::all());
    }
    match value {
        Json::Array(list) => list
            .iter()
            .for_each(|item| nested(item, scripts, used, depth - 1)),
        Json::Object(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(ty) => typed(ty, partner(name, map), scripts, used),
                    None => nested(value, scripts, used, depth - 1),
                }
            }
        }
        _ => {}
    }
}

fn partner<'a>(name: &str, map: &'a Map<String, Json>) -> Option<&'a Json> {
    let stem = name.strip_suffix("Type").or_else(|| name.strip_suffix('t'));
    let stem = stem.filter(|stem| !stem.is_empty());
    let own = stem.and_then(|stem| map.get(stem));
    own.or_else(|| {
        (name == "type" || name == "vt")
            .then(|| map.get("value").or_else(|| map.get("v")))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn in_rules(value: Json) -> ContextUse {
        let mut used = ContextUse::default();
        nested(&value, &NoScripts, &mut used, DEPTH);
        used
    }

    fn known(names: &[&str]) -> Keys {
        Keys::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn rules_name_their_keys() {
        let used = in_rules(json!([
            {"t": "set", "p": "count.of[0]", "pt": "flow", "to": "#:(file)::total", "tot": "global"},
            {"t": "eq", "v": "limit", "vt": "flow", "v2": "", "v2t": "str"},
        ]));
        assert_eq!(used.flow, known(&["count", "limit"]));
        assert_eq!(used.global, known(&["total"]));
    }

    #[test]
    fn a_type_without_a_value_may_be_any_key() {
        assert_eq!(in_rules(json!([{"kind": "flow"}])).flow, Keys::All);
        assert_eq!(
            in_rules(json!({"p": "[\"a\"]", "pt": "global"})).global,
            Keys::All
        );
    }

    #[test]
    fn scripts_that_speak_of_a_context_use_all_of_it() {
        let used = NoScripts.context_uses(ScriptKind::JavaScript, "return flow.get('a')");
        assert_eq!((used.flow, used.global), (Keys::All, Keys::default()));
    }
}
