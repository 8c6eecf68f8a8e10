//! Answers of Node-RED's own libraries, recorded by `facts/record.js`, compared with ours.
//!
//! What is known to differ stands in [`KNOWN`] with its reason; a case there that stops differing fails the test too, so
//! that the list stays true.

use std::collections::HashMap;
use std::sync::Arc;
use vgdc_expr::{CtxScope, Env, ExprError, Template, TypedValue};
use vgdc_store::{Scope, Stores};
use vgdc_value::{ErrorValue, Msg, Value, control, json};

/// Cases (type of the input, or `template`; text) whose answer differs, and why.
const KNOWN: &[(&str, &str, &str)] = &[
    ("template", "{{constructor}}", PROTOTYPE),
    ("template", "{{toString}}|", PROTOTYPE),
    ("template", "{{payload.toString}}|", PROTOTYPE),
    ("template", "{{payload.constructor.name}}|", PROTOTYPE),
    ("template", "{{__proto__}}|", PROTOTYPE),
    ("template", "{{hasOwnProperty}}|", PROTOTYPE),
    (
        "jsonata",
        "payload.x[0..1]",
        "jsonata-core takes ranges without brackets",
    ),
    (
        "jsonata",
        "payload.x[1]..3",
        "jsonata-core takes ranges without brackets",
    ),
    (
        "jsonata",
        "payload[",
        "jsonata-core says that the expression ends, not what is expected",
    ),
    (
        "jsonata",
        "'\\u00",
        "jsonata-core looks at escapes before it looks for the end",
    ),
    ("jsonata", "**", "the bytes of a buffer are not visited"),
    (
        "jsonata",
        "|payload|{'s':'new'}|",
        "a function has no value outside of an expression",
    ),
    (
        "jsonata",
        "$moment(1711843200000).tz('Europe/Berlin').hour(2).format()",
        CLOCK_CHANGE,
    ),
    (
        "jsonata",
        "$moment(1729994400000).tz('Europe/Berlin').hour(2).format()",
        CLOCK_CHANGE,
    ),
];

const PROTOTYPE: &str = "a property of JavaScript's prototypes";
const CLOCK_CHANGE: &str = "an hour that clocks leap over or show twice";

/// The context and environment that `record.js` has.
struct Recorded {
    stores: Stores,
    flow: Scope,
}

impl Recorded {
    fn new() -> Recorded {
        let settings = r#"{"contextStorage":{"memory":{"module":"memory"},"file":{"module":"memory"},"default":"memory"}}"#;
        let stores = Stores::from_settings(&json::parse(settings).expect("JSON")).expect("stores");
        let flow = Scope::Flow(Arc::from("flow"));
        for (scope, store, key, value) in [
            (&flow, None, "a", "1"),
            (&flow, None, "s", "\"f<\\n\""),
            (&flow, None, "o", r#"{"x":[1,2],"k k":3}"#),
            (&flow, None, "list", r#"{"k":3}"#),
            (&flow, Some("file"), "a", "\"in file\""),
            (&Scope::Global, None, "b", "2"),
            (&Scope::Global, None, "fn", "null"),
            (&Scope::Global, Some("file"), "b", "\"global in file\""),
        ] {
            stores
                .set(scope, key, json::parse(value).expect("JSON"), store)
                .expect("sets");
        }
        Recorded { stores, flow }
    }

    fn scope(&self, scope: CtxScope) -> &Scope {
        match scope {
            CtxScope::Flow => &self.flow,
            CtxScope::Global => &Scope::Global,
        }
    }
}

impl Env for Recorded {
    fn context_get(
        &self,
        scope: CtxScope,
        key: &str,
        store: Option<&str>,
    ) -> Result<Value, ErrorValue> {
        // (the flow has no parent: what is asked of it is not there)
        if key.starts_with("$parent") {
            return Ok(Value::Undefined);
        }
        self.stores
            .get(self.scope(scope), key, store)
            .map_err(Into::into)
    }
    fn context_set(
        &self,
        scope: CtxScope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue> {
        self.stores
            .set(self.scope(scope), key, value, store)
            .map_err(Into::into)
    }
    fn env_get(&self, name: &str) -> Value {
        let json = match name {
            "NAME" => "\"vgdc\"",
            "N" => "7",
            "EMPTY" => "\"\"",
            "NUL" => "null",
            "T" => "true",
            "OBJ" => r#"{"x":1}"#,
            "A B" => "\"spaced\"",
            "NR_NODE_ID" => "\"node\"",
            "NR_NODE_NAME" => "\"a name\"",
            "NR_NODE_PATH" => "\"flow/node\"",
            _ => return Value::Undefined,
        };
        json::parse(json).expect("JSON")
    }
    fn now_ms(&self) -> f64 {
        1_767_323_045_678.0
    }
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case.as_object()
        .and_then(|case| case.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn ask(case: &Value, msg: &Msg, env: &Recorded) -> Result<Value, ExprError> {
    match text(case, "kind") {
        "typed" => TypedValue::parse(text(case, "type"), text(case, "text"))?.eval(env, msg),
        "template" => {
            let for_json = case.get("json").truthy();
            Template::parse(text(case, "text"))?
                .render(env, msg, for_json)
                .map(Value::from)
        }
        other => panic!("a case of an unknown kind: {other}"),
    }
}

/// An error as the file has it: its text, and its code if any. (V8's JSON errors end with line and column since Node 22.)
fn shown(error: &ExprError, with_code: bool) -> String {
    let message = match error.message.find(" (line ") {
        Some(at) if error.message.contains("JSON at position") => &error.message[..at],
        _ => &error.message,
    };
    // (the template node passes texts on, without codes)
    let code = error
        .properties
        .get("code")
        .filter(|code| with_code && !code.is_undefined());
    format!(
        "{message} {}",
        code.map(control::encode).unwrap_or_default()
    )
}

fn compare(name: &str, file: &str) {
    let (mut shared, mut wrong, mut count) = (HashMap::new(), Vec::new(), 0);
    for line in file.lines().filter(|line| !line.is_empty()) {
        let case = json::parse(line).expect("a line is JSON");
        // (not `control::decode`: answers are compared in their written form)
        let message = |value: &Value| {
            let value = if value.is_undefined() {
                Value::Object(Default::default())
            } else {
                value.clone()
            };
            Msg::try_from(control::from_json(value).expect("a message")).expect("an object")
        };
        if text(&case, "kind") == "msg" {
            shared.insert(text(&case, "name").to_owned(), message(&case.get("msg")));
            continue;
        }
        let msg = shared
            .get(text(&case, "with"))
            .cloned()
            .unwrap_or_else(|| message(&case.get("msg")));
        let got = match ask(&case, &msg, &Recorded::new()) {
            Ok(value) => control::encode(&value),
            Err(error) => format!("error: {}", shown(&error, name == "typed")),
        };
        let wanted = match case.get("error") {
            Value::Object(error) => {
                let code = error
                    .get("code")
                    .map(|code| json::stringify(code, 0).expect("a text").expect("a text"));
                format!(
                    "error: {} {}",
                    error
                        .get("message")
                        .cloned()
                        .unwrap_or_default()
                        .to_js_string(),
                    code.unwrap_or_default()
                )
            }
            _ => json::stringify(&case.get("result"), 0)
                .expect("JSON")
                .expect("JSON"),
        };
        count += 1;
        let sort = if text(&case, "kind") == "typed" {
            text(&case, "type")
        } else {
            text(&case, "kind")
        };
        let known = KNOWN
            .iter()
            .any(|(kind, known, _)| *kind == sort && *known == text(&case, "text"));
        if (got == wanted) == known {
            wrong.push(format!(
                "{} {:?}\n  wanted {wanted}\n  got    {got}",
                text(&case, "type"),
                text(&case, "text")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{name}: {} of {count} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn typed_inputs() {
    compare("typed", include_str!("facts/typed.jsonl"));
}

#[test]
fn times() {
    compare("typed", include_str!("facts/moment.jsonl"));
}

#[test]
fn templates() {
    compare("template", include_str!("facts/template.jsonl"));
}
