//! Which context keys an operator uses: what decides, besides wires, who shares a queue.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json};
use vgdc_ir::{Graph, OpId};
use vgdc_spec::NodeSpec;

use crate::keys::{ANY_STORE, ContextUse, Keys};
use crate::registry::Registry;
use crate::scripts::ScriptInfo;
use crate::typed::{self, Content, ScriptKind};

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
    typed::visit(props, spec, &mut |_, content| {
        add(&mut used, content, scripts)
    });
    used
}

fn add(used: &mut ContextUse, content: Content<'_>, scripts: &dyn ScriptInfo) {
    match content {
        Content::Script(kind, text) => used.merge(scripts.context_uses(kind, text)),
        Content::Typed("flow", text) => {
            used.flow.merge(text.map_or(Keys::All, key));
            used.stores.insert(text.map_or(ANY_STORE, store).to_owned());
        }
        Content::Typed("global", text) => {
            used.global.merge(text.map_or(Keys::All, key));
            used.stores.insert(text.map_or(ANY_STORE, store).to_owned());
        }
        Content::Typed("jsonata", Some(text)) => {
            used.merge(scripts.context_uses(ScriptKind::Jsonata, text));
        }
        // An expression that is not there to be read.
        Content::Typed("jsonata", None) | Content::Unknown => used.merge(ContextUse::all()),
        Content::Typed(..) => {}
    }
}

/// The store that a path names; an empty text for the default one.
fn store(path: &str) -> &str {
    let named = path
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"));
    named.map_or("", |(store, _)| store)
}

/// The key that a path begins with. `#:(store)::path` names a store; the same key of two stores counts as one.
fn key(path: &str) -> Keys {
    let store = path
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"));
    let path = store.map_or(path, |(_, path)| path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let name = path[..end].trim();
    // A path that begins with brackets, or asks the flow around, is left to what is not known.
    if name.is_empty() || name.starts_with('$') {
        return Keys::All;
    }
    Keys::Known(BTreeSet::from([name.to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripts::NoScripts;
    use serde_json::json;
    use vgdc_spec::{Effect, FieldKind, FieldSpec, Outputs, Role, Types};

    static SPEC: NodeSpec = NodeSpec {
        ty: "any",
        category: "test",
        inputs: 1,
        outputs: Outputs::Fixed(1),
        role: Role::Operator,
        effect: Effect::Pure,
        types: Types::Unknown,
        needs: &[],
        text: vgdc_spec::Text::Plain,
        waits: false,
        copies: vgdc_spec::Copies::No,
        look: vgdc_spec::Look::PLAIN,
        form: &[],
        fields: &[FieldSpec {
            name: "rules",
            kind: FieldKind::Json,
            default: "[]",
            label: "",
            required: false,
            choices: &[],
            types: &[],
            form: vgdc_spec::Form::PLAIN,
        }],
    };

    fn in_rules(rules: Json) -> ContextUse {
        of(
            &Map::from_iter([("rules".to_owned(), rules)]),
            &SPEC,
            &NoScripts,
        )
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
    fn what_is_too_deep_may_be_anything() {
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(in_rules(deep), ContextUse::all());
    }
}
