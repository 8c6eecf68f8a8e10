//! Answers of Node-RED's own context module, recorded by `runtime/expr/tests/facts/record.js`, compared with ours.

use std::str::FromStr;
use vgdc_store::{Scope, Stores, parent_key, parse_store_key};
use vgdc_value::{Value, control, json};

/// A flow's context reaches those around it by `$parent`; `inner` is in `outer`. Stores know nothing of flows, so that
/// whoever asks them follows the way, as here.
fn followed<'k>(
    scope: &Scope,
    key: &'k str,
    store: Option<&'k str>,
) -> Option<(Scope, &'k str, Option<&'k str>)> {
    let (named, inner) = if key.is_empty() {
        (None, key)
    } else {
        parse_store_key(key)
    };
    let store = store.or(named);
    match (scope, parent_key(inner)) {
        (Scope::Flow(_), Some((1, rest))) if **scope_id(scope) == *"inner" && !rest.is_empty() => {
            Some((Scope::Flow("outer".into()), rest, store))
        }
        (Scope::Flow(_), Some(_)) => None,
        _ => Some((scope.clone(), key, store)),
    }
}

fn scope_id(scope: &Scope) -> &std::sync::Arc<str> {
    match scope {
        Scope::Flow(id) | Scope::Node(id) => id,
        Scope::Global => unreachable!("asked for flows only"),
    }
}

fn step(stores: &Stores, step: &[Value]) -> String {
    let text = |n: usize| step.get(n).and_then(Value::as_str);
    let scope = Scope::from_str(text(1).expect("a scope")).expect("a scope");
    let value = |n: usize| control::from_json(step[n].clone()).expect("a value");
    let answer = match text(0) {
        Some("keys") => stores
            .keys(&scope, text(2))
            .map(|keys| Value::Array(keys.iter().map(Value::from).collect())),
        Some("get") => match followed(&scope, text(2).expect("a key"), text(3)) {
            Some((scope, key, store)) => stores.get(&scope, key, store),
            None => Ok(Value::Undefined),
        },
        _ => match followed(&scope, text(2).expect("a key"), text(4)) {
            Some((scope, key, store)) => stores
                .set(&scope, key, value(3), store)
                .map(|()| Value::Undefined),
            None => Ok(Value::Undefined),
        },
    };
    match answer {
        Ok(value) => format!("[true,{}]", control::encode(&value)),
        Err(error) => {
            let code = error
                .code
                .map(|code| format!(",\"code\":\"{code}\""))
                .unwrap_or_default();
            format!(
                "[false,{{\"message\":{}{code}}}]",
                json::stringify(&Value::from(error.message), 0)
                    .expect("a text")
                    .expect("a text")
            )
        }
    }
}

#[test]
fn contexts_answer_as_node_reds_do() {
    let mut wrong = Vec::new();
    for line in include_str!("facts.jsonl").lines() {
        let case = json::parse(line).expect("a line is JSON");
        if case.get("kind").as_str() == Some("key") {
            let (store, key) = case
                .get("text")
                .as_str()
                .map(parse_store_key)
                .map(|(s, k)| (Value::from(s), Value::from(k)))
                .expect("a text");
            assert_eq!(
                (store, key),
                (
                    case.get("result").get("store"),
                    case.get("result").get("key")
                ),
                "{line}"
            );
            continue;
        }
        let settings = r#"{"functionGlobalContext":{"seed":{"x":1},"shadow":"seed"},
            "contextStorage":{"memory":{"module":"memory"},"other":{"module":"memory"},"default":"memory"}}"#;
        let stores = Stores::from_settings(&json::parse(settings).expect("JSON")).expect("stores");
        let (steps, results) = (case.get("steps"), case.get("result"));
        for (asked, wanted) in steps
            .as_array()
            .expect("steps")
            .iter()
            .zip(results.as_array().expect("results").iter())
        {
            let got = step(&stores, asked.as_array().expect("a step"));
            let wanted = json::stringify(wanted, 0).expect("JSON").expect("JSON");
            if got != wanted {
                wrong.push(format!("{asked:?}\n  wanted {wanted}\n  got    {got}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
