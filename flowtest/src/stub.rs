//! Nodes that reach out of the process are replaced before the flow is compiled.
//!
//! A stub is a function node in the place of the other: so it is wired, caught, watched and counted as any node is.

use crate::file::{FileError, Stub, span, value};
use crate::names::{Named, find};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use vgdc_value::{Rare, Value};

/// Types that talk to other programs, machines or files. (`http in` is none: tests ask it by `request`.)
pub const OUTSIDE: &[&str] = &[
    "mqtt in",
    "mqtt out",
    "tcp in",
    "tcp out",
    "tcp request",
    "udp in",
    "udp out",
    "websocket in",
    "websocket out",
    "http request",
    "exec",
    "file",
    "file in",
    "watch",
];

/// Types that are part of the flow's structure, and cannot be replaced.
pub(crate) const STRUCTURE: &[&str] = &["tab", "subflow", "group", "comment", "global-config"];

/// The nodes of a flow file, to be named.
pub(crate) fn named(flow: &[Json]) -> Vec<Named> {
    let text = |node: &Json, key: &str| node.get(key).and_then(Json::as_str).map(str::to_owned);
    let named = flow.iter().filter_map(|node| {
        let name = text(node, "label").or_else(|| text(node, "name"))?;
        Some((node["id"].as_str()?, name))
    });
    let names: HashMap<&str, String> = named.collect();
    let called = |id: &str| names.get(id).cloned();
    let all = flow.iter().filter_map(|node| {
        let (id, ty) = (text(node, "id")?, text(node, "type")?);
        let z = text(node, "z");
        let places = z.iter().cloned().chain(z.as_deref().and_then(called));
        Some(Named {
            name: text(node, "name")
                .or_else(|| text(node, "label"))
                .filter(|name| !name.is_empty()),
            id,
            places: places.collect(),
            what: ty,
        })
    });
    all.collect()
}

/// The flow with stubs in the place of nodes.
///
/// # Errors
/// A stub for a node that is not there, or that cannot be replaced, or that says too little or too much.
pub(crate) fn replaced(
    flow: &[Json],
    stubs: &BTreeMap<String, serde_saphyr::Spanned<Stub>>,
    real: &[serde_saphyr::Spanned<String>],
) -> Result<Vec<Json>, FileError> {
    let all = named(flow);
    let mut kept = HashSet::new();
    for meant in real {
        match all.iter().any(|named| named.what == meant.value) {
            true => kept.extend(
                all.iter()
                    .filter(|named| named.what == meant.value)
                    .map(|named| named.id.as_str()),
            ),
            false => drop(
                kept.insert(
                    find(&all, &meant.value, meant.referenced.line())?
                        .id
                        .as_str(),
                ),
            ),
        }
    }
    let mut given: BTreeMap<&str, (&Stub, u64)> = BTreeMap::new();
    for (meant, stub) in stubs {
        let line = stub.referenced.line();
        let named = find(&all, meant, line)?;
        if STRUCTURE.contains(&named.what.as_str()) || named.what.starts_with("subflow:") {
            return Err(FileError::new(
                line,
                format!(
                    "\"{meant}\" is a {}: only a node can have a stub",
                    named.what
                ),
            ));
        }
        given.insert(&named.id, (&stub.value, line));
    }
    let with_stub = flow.iter().map(|node| {
        let (id, ty) = (
            node["id"].as_str().unwrap_or(""),
            node["type"].as_str().unwrap_or(""),
        );
        Ok(match given.get(id) {
            Some((stub, line)) => function(node, &code(stub, *line)?),
            None if OUTSIDE.contains(&ty) && !kept.contains(id) => silent(node),
            None => node.clone(),
        })
    });
    with_stub.collect()
}

/// A node that takes messages, and that is all, in the place of a node.
pub(crate) fn silent(node: &Json) -> Json {
    function(node, "return null;")
}

/// A function node with this text in the place of a node.
fn function(node: &Json, code: &str) -> Json {
    let mut made = Map::new();
    for key in ["id", "z", "g", "name", "x", "y", "d", "wires"] {
        if let Some(value) = node.get(key) {
            made.insert(key.to_owned(), value.clone());
        }
    }
    made.insert("type".to_owned(), json!("function"));
    made.insert("func".to_owned(), json!(code));
    made.insert(
        "outputs".to_owned(),
        json!(node["wires"].as_array().map_or(0, Vec::len)),
    );
    Json::Object(made)
}

/// The function node's text that does what a stub says.
fn code(stub: &Stub, line: u64) -> Result<String, FileError> {
    let ways = [
        stub.send.is_some(),
        stub.outputs.is_some(),
        stub.in_turn.is_some(),
        stub.error.is_some(),
        stub.function.is_some(),
    ];
    if ways.iter().filter(|there| **there).count() > 1 {
        return Err(FileError::new(
            line,
            "a stub does one of send, outputs, in_turn, error, function",
        ));
    }
    let laid_over = |json: &Json| -> Result<String, FileError> {
        match json {
            Json::Null => Ok("null".to_owned()),
            Json::Object(_) => Ok(format!(
                "Object.assign(RED.util.cloneMessage(msg), {})",
                literal(&value(json, line)?)
            )),
            other => Err(FileError::new(
                line,
                format!("a message is an object with properties such as payload, not {other}"),
            )),
        }
    };
    let list = |list: &[Json]| -> Result<String, FileError> {
        let each: Result<Vec<String>, FileError> = list.iter().map(laid_over).collect();
        Ok(each?.join(", "))
    };
    let act = if let Some(text) = &stub.function {
        if stub.after.is_some() {
            return Err(FileError::new(
                line,
                "`after` goes with the other kinds of stub: a function has setTimeout",
            ));
        }
        return Ok(text.clone());
    } else if let Some(text) = &stub.error {
        format!("node.error({}, msg);", json!(text))
    } else if let Some(msg) = &stub.send {
        format!("node.send({});", laid_over(msg)?)
    } else if let Some(outputs) = &stub.outputs {
        format!("node.send([{}]);", list(outputs)?)
    } else if let Some(turns) = &stub.in_turn {
        if turns.is_empty() {
            return Err(FileError::new(line, "`in_turn` is empty"));
        }
        format!(
            "const turns = [{}];\nconst turn = context.get('turn') || 0;\ncontext.set('turn', turn + 1);\nnode.send(turns[Math.min(turn, turns.length - 1)]);",
            list(turns)?
        )
    } else {
        String::new()
    };
    Ok(match &stub.after {
        // (`node.done` ends the message when the stub has acted: a complete node hears of it then)
        Some(after) => format!(
            "setTimeout(() => {{\n{act}\nnode.done();\n}}, {});",
            span(after, line)?.as_secs_f64() * 1000.0
        ),
        None => format!("{act}\nnode.done();"),
    })
}

/// A value as JavaScript.
fn literal(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined".to_owned(),
        Value::Number(n) if n.is_nan() => "NaN".to_owned(),
        Value::Number(n) if *n == 0.0 && n.is_sign_negative() => "-0".to_owned(),
        Value::Number(n) if n.is_infinite() => format!("({n})").replace("inf", "Infinity"),
        Value::Date(ms) => format!("new Date({})", literal(&Value::Number(*ms))),
        Value::Buffer(_) => {
            let json: Json =
                serde_json::from_str(&vgdc_value::control::encode(value)).unwrap_or_default();
            format!("Buffer.from({}, 'base64')", json["base64"])
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let fields = object.iter().map(|(key, value)| {
                // (computed, so that __proto__ is a name as others are)
                format!("[{}]: {}", json!(key.as_str()), literal(value))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(digits) => format!("{digits}n"),
            Rare::RegExp { source, flags } => {
                format!("new RegExp({}, {})", json!(source), json!(flags))
            }
            Rare::Map(entries) => {
                let pairs: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("[{}, {}]", literal(key), literal(value)))
                    .collect();
                format!("new Map([{}])", pairs.join(", "))
            }
            Rare::Set(values) => {
                let items: Vec<String> = values.iter().map(literal).collect();
                format!("new Set([{}])", items.join(", "))
            }
            Rare::Error(error) => format!(
                "Object.assign(new Error({}), {{name: {}}})",
                json!(&*error.message),
                json!(&*error.name)
            ),
            Rare::Circular(_) => "undefined".to_owned(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Handle(_) => {
            vgdc_value::control::encode(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stub(yaml: &str) -> Stub {
        serde_saphyr::from_str(yaml).expect(yaml)
    }

    #[test]
    fn what_a_stub_does_becomes_a_text() {
        let of = |yaml: &str| code(&stub(yaml), 3).map_err(|e| e.to_string());
        assert_eq!(
            of("send: {payload: [1, {$type: buffer, base64: YQ==}]}"),
            Ok("node.send(Object.assign(RED.util.cloneMessage(msg), {[\"payload\"]: [1, Buffer.from(\"YQ==\", 'base64')]}));\nnode.done();".to_owned())
        );
        assert_eq!(
            of("outputs: [null, {a: {$type: undefined}}]"),
            Ok("node.send([null, Object.assign(RED.util.cloneMessage(msg), {[\"a\"]: undefined})]);\nnode.done();".to_owned())
        );
        assert_eq!(
            of("{error: no, after: 2s}"),
            Ok("setTimeout(() => {\nnode.error(\"no\", msg);\nnode.done();\n}, 2000);".to_owned())
        );
        assert_eq!(of("{}"), Ok("\nnode.done();".to_owned()));
        for wrong in [
            "{error: a, send: {}}",
            "send: 5",
            "in_turn: []",
            "{function: a, after: 1}",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_reaches_outside_is_replaced_unless_it_is_wanted() {
        let flow = [
            json!({"id": "t", "type": "tab", "label": "T"}),
            json!({"id": "a", "type": "mqtt in", "z": "t", "name": "A", "topic": "x", "wires": [["b"]]}),
            json!({"id": "b", "type": "file", "z": "t", "wires": [["c"]]}),
            json!({"id": "c", "type": "nobody knows", "z": "t", "wires": [[], []]}),
        ];
        let types = |given: &str, real: &str| {
            let stubs = serde_saphyr::from_str(given).expect(given);
            let real: Vec<_> = serde_saphyr::from_str(real).expect(real);
            let made = replaced(&flow, &stubs, &real).map_err(|e| e.message)?;
            let types = made
                .iter()
                .map(|node| node["type"].as_str().unwrap_or("").to_owned());
            Ok::<_, String>(types.collect::<Vec<_>>())
        };
        assert_eq!(
            types("{}", "[]"),
            Ok(["tab", "function", "function", "nobody knows"]
                .map(str::to_owned)
                .to_vec())
        );
        assert_eq!(
            types("{c: {}}", "[file]"),
            Ok(["tab", "function", "file", "function"]
                .map(str::to_owned)
                .to_vec())
        );
        assert!(types("{T: {}}", "[]").is_err_and(|e| e.contains("is a tab")));
        assert!(types("{X: {}}", "[]").is_err());
        assert!(types("{}", "[Y]").is_err());
    }
}
