//! Environment variables in properties: `${NAME}` and `$(NAME)`.

use crate::Env;
use vgdc_value::Value;

/// The name in a text that is nothing but `${NAME}` or `$(NAME)`.
fn whole_reference(text: &str) -> Option<&str> {
    let inner = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let inner = inner.or_else(|| {
        text.strip_prefix("$(")
            .and_then(|rest| rest.strip_suffix(')'))
    })?;
    (!inner.is_empty() && !inner.chars().any(char::is_whitespace)).then_some(inner)
}

/// Puts variables into a property, in arrays and objects too: a text that is nothing but a reference takes the variable's
/// value; what names no variable stays as it is.
pub fn substitute_env(value: &mut Value, env: &dyn Env) {
    match value {
        Value::Str(text) => {
            let Some(name) = whole_reference(text) else {
                return;
            };
            let found = env.env_get(name);
            if !found.is_undefined() {
                *value = found;
            }
        }
        Value::Array(items) if items.iter().any(mentions) => {
            items
                .make_mut()
                .iter_mut()
                .for_each(|item| substitute_env(item, env));
        }
        Value::Object(object) if object.values().any(mentions) => {
            object
                .values_mut()
                .for_each(|item| substitute_env(item, env));
        }
        _ => {}
    }
}

/// True when there may be a reference in it (so that what has none stays shared).
fn mentions(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.starts_with('$'),
        Value::Array(items) => items.iter().any(mentions),
        Value::Object(object) => object.values().any(mentions),
        _ => false,
    }
}

/// The value of a typed input of type `env`: a name, `${NAME}`, or a text with references in it. What is not there is the
/// empty text.
pub fn env_property(text: &str, env: &dyn Env) -> Value {
    let or_empty = |value: Value| {
        if value.is_undefined() {
            Value::from("")
        } else {
            value
        }
    };
    if let Some(name) = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        && !name.is_empty()
        && !name.contains('}')
    {
        return or_empty(env.env_get(name));
    }
    if !has_reference(text) {
        return or_empty(env.env_get(text));
    }
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(at) = rest.find("${") {
        let inner = &rest[at + 2..];
        match inner.find('}') {
            Some(end) if end > 0 => {
                out.push_str(&rest[..at]);
                let found = env.env_get(&inner[..end]);
                if !found.is_undefined() {
                    out.push_str(&found.to_js_string());
                }
                rest = &inner[end + 1..];
            }
            // (nothing to replace here: go on behind the `$`)
            Some(_) => {
                out.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
            None => break,
        }
    }
    out.push_str(rest);
    Value::from(out)
}

/// True when a text is not a name but holds references: `${`, then something without white space up to a `}`.
fn has_reference(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let inner = &text[at + 2..];
        let run = &inner[..inner.find(char::is_whitespace).unwrap_or(inner.len())];
        run.rfind('}').is_some_and(|end| end > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fake;

    #[test]
    fn references_are_replaced() {
        let env = Fake::default();
        for (text, expected) in [
            ("NAME", Value::from("vgdc")),
            ("${N}", Value::from(7)),
            ("a${NAME}-${N}b", Value::from("avgdc-7b")),
            ("a${GONE}b", Value::from("ab")),
            ("GONE", Value::from("")),
        ] {
            assert_eq!(env_property(text, &env), expected, "{text}");
        }
        let mut value = vgdc_value::json::parse(
            r#"{"a":["${NAME}",{"b":"$(N)"}],"c":"x${NAME}","d":"${GONE}"}"#,
        )
        .expect("JSON");
        substitute_env(&mut value, &env);
        assert_eq!(
            vgdc_value::control::encode(&value),
            r#"{"a":["vgdc",{"b":7}],"c":"x${NAME}","d":"${GONE}"}"#
        );
    }
}
