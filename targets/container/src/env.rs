//! Which environment variables a plan uses that the flow does not define itself: those have to be given to the program.
//!
//! Properties mention them as a text that is nothing but `${NAME}` or `$(NAME)`, as a typed input of type `env` (a name, or a text
//! with `${NAME}` in it), and in texts of code: `env.get("NAME")`, JSONata's `$env("NAME")`, mustache's `{{env.NAME}}`. A name that
//! code puts together while it runs is not seen.

use serde_json::Value as Json;
use std::collections::BTreeSet;
use vgdc_plan::{EnvIndex, EnvVar, Plan};

/// Names of variables that the process has to have, of those that a variable of a process can have.
pub fn variables(plan: &Plan) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    for op in &plan.ops {
        let mut mentioned = BTreeSet::new();
        for value in op.props.values() {
            mentions(value, &mut mentioned);
        }
        typed(&op.props, &mut mentioned);
        let open = |name: &String| defined(plan, Some(op.env), name).is_none();
        wanted.extend(mentioned.into_iter().filter(open));
    }
    for (index, scope) in plan.env.iter().enumerate() {
        for var in &scope.vars {
            let mut mentioned = BTreeSet::new();
            of_variable(var, &mut mentioned);
            let here = var.scope.unwrap_or(index as EnvIndex);
            // (a variable that is made of one by its own name means that of the level above)
            let from = |name: &String| match *name == var.name && here as usize == index {
                true => scope.parent,
                false => Some(here),
            };
            let open = |name: &String| defined(plan, from(name), name).is_none();
            wanted.extend(mentioned.into_iter().filter(open));
        }
    }
    wanted.retain(|name| is_name(name));
    wanted
}

/// Whether a process can be given a variable by this name everywhere; and those that any process has are not asked for.
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    let first = letters.next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !["HOME", "PATH", "HOSTNAME", "PWD"].contains(&name)
        // (what the runtime says itself)
        && !name.starts_with("NR_")
}

/// What the flow itself gives a variable, seen from a scope: the text of its value where that is constant, else nothing within.
pub fn defined<'a>(
    plan: &'a Plan,
    mut at: Option<EnvIndex>,
    name: &str,
) -> Option<Option<&'a str>> {
    // (a plan that was verified has no circle; one that was not ends here all the same)
    for _ in 0..=plan.env.len() {
        let scope = plan.env.get(at? as usize)?;
        if let Some(var) = scope.vars.iter().find(|var| var.name == name) {
            let constant = ["str", "num"].contains(&&*var.ty);
            return Some(var.value.as_str().filter(|_| constant));
        }
        if let Some((_, value)) = scope.builtin.iter().find(|(builtin, _)| builtin == name) {
            return Some(Some(value));
        }
        at = scope.parent;
    }
    None
}

/// The name in a text that is nothing but a reference.
pub fn reference(text: &str) -> Option<&str> {
    let inside = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    let name = inside("${", "}").or_else(|| inside("$(", ")"))?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| own(name))
}

/// A name without the word that asks the level above for it.
fn own(name: &str) -> &str {
    name.strip_prefix("$parent.").unwrap_or(name)
}

/// What the value of a variable of the flow is made of.
fn of_variable(var: &EnvVar, into: &mut BTreeSet<String>) {
    match (&*var.ty, var.value.as_str()) {
        ("env", Some(text)) => of_env_type(text, into),
        ("jsonata", Some(text)) => in_code(text, into),
        _ => {}
    }
}

/// What a typed input of type `env` names.
fn of_env_type(text: &str, into: &mut BTreeSet<String>) {
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find("${") {
        let inner = &rest[at + 2..];
        let Some(end) = inner.find('}') else { break };
        found = true;
        into.insert(own(&inner[..end]).to_owned());
        rest = &inner[end + 1..];
    }
    if !found {
        into.insert(own(text).to_owned());
    }
}

/// What a property mentions, at any depth.
fn mentions(value: &Json, into: &mut BTreeSet<String>) {
    match value {
        Json::String(text) => match reference(text) {
            Some(name) => {
                into.insert(name.to_owned());
            }
            None => in_code(text, into),
        },
        Json::Array(items) => items.iter().for_each(|item| mentions(item, into)),
        Json::Object(object) => {
            object.values().for_each(|item| mentions(item, into));
            typed(object, into);
        }
        _ => {}
    }
}

/// What typed inputs of type `env` among these properties name. The property that has the type is the other's with `Type` or `t`
/// behind it (`payloadType`, `vt`), or `type` beside `value`.
fn typed(object: &serde_json::Map<String, Json>, into: &mut BTreeSet<String>) {
    let types = object.iter().filter(|(_, ty)| **ty == "env");
    for (key, _) in types {
        let of = match &**key {
            "type" => Some("value"),
            key => key.strip_suffix("Type").or_else(|| key.strip_suffix('t')),
        };
        let text = of.and_then(|key| object.get(key)?.as_str());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            of_env_type(text, into);
        }
    }
}

/// What code and templates ask for by a name that stands there.
fn in_code(text: &str, into: &mut BTreeSet<String>) {
    for call in ["env.get(", "$env("] {
        for (at, _) in text.match_indices(call) {
            let rest = text[at + call.len()..].trim_start();
            let quote = rest.chars().next().filter(|c| "'\"`".contains(*c));
            let name = quote.and_then(|quote| rest[1..].split_once(quote));
            if let Some((name, _)) = name {
                into.insert(own(name).to_owned());
            }
        }
    }
    for (at, _) in text.match_indices("{{") {
        let rest = text[at..].trim_start_matches(|c: char| "{&#^".contains(c) || c.is_whitespace());
        if let Some(name) = rest.strip_prefix("env.") {
            let end = name.find(|c: char| c == '}' || c.is_whitespace());
            into.insert(name[..end.unwrap_or(name.len())].to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vgdc_plan::{EnvScope, Op};

    fn plan(props: Json, env: Vec<EnvScope>) -> Plan {
        let op = Op {
            props: props.as_object().cloned().unwrap_or_default(),
            ..Op::default()
        };
        Plan {
            ops: vec![op],
            env,
            ..Plan::default()
        }
    }

    fn found(props: Json) -> Vec<String> {
        let plan = plan(props, vec![EnvScope::default()]);
        variables(&plan).into_iter().collect()
    }

    #[test]
    fn all_ways_to_mention_a_variable_are_seen() {
        assert_eq!(found(json!({ "port": "${A}", "host": "$(B)" })), ["A", "B"]);
        assert_eq!(found(json!({ "port": "x${A}" })), [""; 0]);
        assert_eq!(
            found(json!({ "payload": "A", "payloadType": "env" })),
            ["A"]
        );
        let rules = json!({ "rules": [{ "v": "x${A}y${$parent.B}", "vt": "env" }, { "to": "C", "tot": "env" }] });
        assert_eq!(found(rules), ["A", "B", "C"]);
        assert_eq!(
            found(json!({ "props": [{ "value": "A", "type": "env" }] })),
            ["A"]
        );
        assert_eq!(
            found(json!({ "func": "return env.get('A') + env.get( \"B\" ) + env.get(c)" })),
            ["A", "B"]
        );
        assert_eq!(found(json!({ "property": "$env(\"A\")" })), ["A"]);
        assert_eq!(
            found(json!({ "template": "{{env.A}} {{{ env.B }}} {{env.C" })),
            ["A", "B", "C"]
        );
    }

    #[test]
    fn names_that_no_process_can_be_given_are_left_out() {
        let odd = json!({ "a": "${A-B}", "b": "${1}", "c": "${NR_NODE_ID}", "d": "${Ü}", "e": "${HOME}" });
        assert_eq!(found(odd), [""; 0]);
    }

    #[test]
    fn what_the_flow_defines_is_not_asked_for() {
        let var = |name: &str, ty: &str, value: &str| EnvVar {
            name: name.to_owned(),
            ty: ty.to_owned(),
            value: json!(value),
            scope: None,
        };
        let scope = EnvScope {
            vars: vec![
                var("A", "str", "1"),
                var("B", "env", "B"),
                var("C", "env", "A"),
            ],
            builtin: vec![("D".to_owned(), "d".to_owned())],
            ..EnvScope::default()
        };
        let plan = plan(
            json!({ "x": "${A}", "y": "${D}", "z": "${E}" }),
            vec![scope],
        );
        let found: Vec<_> = variables(&plan).into_iter().collect();
        assert_eq!(found, ["B", "E"]);
        assert_eq!(defined(&plan, Some(0), "A"), Some(Some("1")));
        assert_eq!(defined(&plan, Some(0), "B"), Some(None));
        assert_eq!(defined(&plan, Some(0), "E"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[${}()'\"a-zé .=]{0,40}|.*") {
            let props = json!({ "a": text, "b": { "v": text, "vt": "env" } });
            for name in found(props) {
                proptest::prop_assert!(is_name(&name));
            }
        }
    }
}
