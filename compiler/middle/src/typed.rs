//! What the texts in a node's properties mean, as far as the node's table says: scripts, typed inputs, paths.

use serde_json::{Map, Value as Json};
use vgdc_spec::{FieldKind, NodeSpec};

/// In which language a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScriptKind {
    /// The body of a JavaScript function: which property of its node it is decides what it may do.
    JavaScript(&'static str),
    /// A JSONata expression.
    Jsonata,
    /// A mustache template.
    Mustache,
    /// A property path, such as `payload.a["b c"]`; of a context perhaps with a store before it.
    Path,
    /// JSON.
    Json,
    /// A regular expression.
    Regex,
}

/// A text that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A text in a language.
    Script(ScriptKind, &'a str),
    /// A typed input: the name of its type, and its text, if it has one.
    Typed(&'a str, Option<&'a str>),
    /// Too deep to look into: anything.
    Unknown,
}

/// Gives all texts that mean something, each with the path to it: a property's name, or a dotted path into a structured one.
pub fn visit<'a>(
    props: &'a Map<String, Json>,
    spec: &NodeSpec,
    give: &mut dyn FnMut(&str, Content<'a>),
) {
    for field in spec.fields {
        let Some(value) = props.get(field.name) else {
            continue;
        };
        let mut script = |kind| {
            if let Some(text) = value.as_str() {
                give(field.name, Content::Script(kind, text));
            }
        };
        match field.kind {
            FieldKind::JavaScript => script(ScriptKind::JavaScript(field.name)),
            FieldKind::Jsonata => script(ScriptKind::Jsonata),
            FieldKind::Mustache => script(ScriptKind::Mustache),
            FieldKind::MsgPath => script(ScriptKind::Path),
            FieldKind::Typed(ty) => {
                let ty = props.get(ty).and_then(Json::as_str).unwrap_or_default();
                give(field.name, Content::Typed(ty, value.as_str()));
            }
            FieldKind::Json => nested(field.name, value, DEPTH, give),
            _ => {}
        }
    }
}

/// How deep structured properties are looked into.
const DEPTH: u32 = 16;

/// Structured data whose shape only its node knows. By Node-RED's custom a typed input is two properties of an object, and the
/// one with the type is named after the other: `pt` after `p`, `tot` after `to`, `valueType` after `value`, and `type` or `vt`
/// next to `value`.
fn nested<'a>(path: &str, value: &'a Json, depth: u32, give: &mut dyn FnMut(&str, Content<'a>)) {
    if depth == 0 {
        return give(path, Content::Unknown);
    }
    match value {
        Json::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                nested(&format!("{path}.{at}"), item, depth - 1, give);
            }
        }
        Json::Object(map) => {
            for (name, value) in map {
                let Some(ty) = value.as_str() else {
                    nested(&format!("{path}.{name}"), value, depth - 1, give);
                    continue;
                };
                let (at, text) = match partner(name, map) {
                    Some((partner, value)) => (partner, value.as_str()),
                    None => (name.as_str(), None),
                };
                give(&format!("{path}.{at}"), Content::Typed(ty, text));
            }
        }
        _ => {}
    }
}

fn partner<'a>(name: &str, map: &'a Map<String, Json>) -> Option<(&'a str, &'a Json)> {
    let entry = |name: &str| {
        map.get_key_value(name)
            .map(|(name, value)| (name.as_str(), value))
    };
    let stem = name.strip_suffix("Type").or_else(|| name.strip_suffix('t'));
    let own = stem.filter(|stem| !stem.is_empty()).and_then(entry);
    let beside = || matches!(name, "type" | "vt").then(|| entry("value"))?;
    own.or_else(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_typed_inputs() {
        let rules = json!([{"t": "set", "p": "a", "pt": "flow"}, {"type": "num", "value": "1"}]);
        let mut found = Vec::new();
        nested("rules", &rules, DEPTH, &mut |path, content| {
            found.push(format!("{path} {content:?}"))
        });
        assert_eq!(
            found,
            [
                "rules.0.t Typed(\"set\", None)",
                "rules.0.p Typed(\"a\", None)",
                "rules.0.p Typed(\"flow\", Some(\"a\"))",
                "rules.1.value Typed(\"num\", Some(\"1\"))",
                "rules.1.value Typed(\"1\", None)",
            ]
        );
    }
}
