//! A user's flow as a case: where messages come in, what they are, and how they are brought there.

use crate::case::{Case, Drive, Pace, Port, Source};
use crate::figure::Kind;
use crate::load::Entry;
use crate::{http, instrument};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Connections of a flood over HTTP.
const CONNECTIONS: usize = 32;

/// What a user asks of his flow.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The flow file.
    pub path: PathBuf,
    /// Its nodes.
    pub nodes: Vec<Value>,
    /// The node that gets the messages.
    pub node: Option<String>,
    /// The message.
    pub message: Option<Value>,
    /// The recorded load, which takes the place of both.
    pub load: Vec<Entry>,
    /// Messages a second.
    pub rate: Option<f64>,
    /// Where messages end.
    pub until: Vec<String>,
    /// True when a target takes part that does not speak the control protocol.
    pub counted: bool,
}

/// Node and message of each number.
type Messages = Arc<dyn Fn(u64) -> (String, Value) + Send + Sync>;

/// The case.
///
/// # Errors
/// It cannot be driven so; the text says what to do.
pub fn case(asked: &Asked) -> Result<Case, String> {
    let (messages, entries) = messages(asked)?;
    if let Some(id) = asked.until.iter().find(|id| node(asked, id).is_none()) {
        return Err(format!("--until {id}: the flow has no such node"));
    }
    let pace = match (asked.rate, asked.load.is_empty()) {
        (_, false) => Pace::Recorded(times(&asked.load)),
        (Some(rate), _) => Pace::Rate(rate),
        (None, _) => Pace::Half,
    };
    let title = title(asked, &entries, &pace);
    let drive = drive(asked, messages, entries)?;
    if let (Drive::Receive { entries, .. }, true) = (&drive, asked.counted) {
        return counted(asked, entries, title);
    }
    Ok(Case {
        name: "flow".to_owned(),
        title,
        drive,
        flow: Source::File(asked.path.clone()),
        flood: pace == Pace::Half,
        pace,
        figures: vec![
            Kind::Rate,
            Kind::P50,
            Kind::P99,
            Kind::P999,
            Kind::Cpu,
            Kind::MemoryIdle,
            Kind::MemoryLoad,
            Kind::Start,
            Kind::Build,
        ],
    })
}

/// The case for targets of which one does not speak the control protocol.
fn counted(asked: &Asked, entries: &BTreeSet<String>, title: String) -> Result<Case, String> {
    if asked.rate.is_some() || !asked.load.is_empty() {
        return Err(
            "Node-RED has no control protocol: leave out --rate and --load, or choose an `http in` or `tcp in` node with --node"
                .to_owned(),
        );
    }
    let entry = entries.first().and_then(|id| node(asked, id));
    let entry = entry.ok_or("the flow has no such node")?;
    let ends = match asked.until.is_empty() {
        true => ends_behind(asked, entry),
        false => asked.until.clone(),
    };
    let message = match asked.message.clone().or_else(|| injected(entry)) {
        Some(message) => message.to_string(),
        None => "{ payload: i, topic: \"vgdc-bench\" }".to_owned(),
    };
    Ok(Case {
        name: "flow".to_owned(),
        title: format!("{title}, counted by nodes that were added"),
        flow: Source::Nodes(instrument::add_counters(
            &asked.nodes,
            entry,
            &ends,
            &message,
        )),
        drive: Drive::Counted,
        flood: true,
        pace: Pace::None,
        figures: vec![
            Kind::Rate,
            Kind::Cpu,
            Kind::MemoryIdle,
            Kind::MemoryLoad,
            Kind::Start,
            Kind::Build,
        ],
    })
}

/// The nodes behind this one with no wire that leads on.
fn ends_behind(asked: &Asked, entry: &Value) -> Vec<String> {
    let next = |of: &Value| -> Vec<String> {
        let wires = of["wires"].as_array().into_iter().flatten();
        let wires = wires.flat_map(|ids| ids.as_array().into_iter().flatten());
        let links = of["links"].as_array().filter(|_| is_type(of, "link out"));
        let all = wires.chain(links.into_iter().flatten());
        all.filter_map(|id| id.as_str().map(str::to_owned))
            .collect()
    };
    let id = entry["id"].as_str().unwrap_or_default().to_owned();
    let (mut seen, mut todo, mut ends) = (BTreeSet::from([id.clone()]), vec![id], Vec::new());
    while let Some(at) = todo.pop() {
        let Some(of) = node(asked, &at) else { continue };
        let to = next(of);
        if to.is_empty() {
            ends.push(at);
        }
        todo.extend(to.into_iter().filter(|id| seen.insert(id.clone())));
    }
    ends
}

/// What tells one load of one flow from another.
fn title(asked: &Asked, entries: &BTreeSet<String>, pace: &Pace) -> String {
    let entries = Vec::from_iter(entries.iter().map(String::as_str)).join(", ");
    let load = match pace {
        Pace::Rate(rate) => format!("at {rate}/s"),
        Pace::Recorded(times) => format!("{} recorded ones", times.len()),
        Pace::Half | Pace::None => "as fast as it takes them".to_owned(),
    };
    format!("{}: messages to {entries}, {load}", asked.path.display())
}

/// The times of a load, counted from its first message.
fn times(load: &[Entry]) -> Vec<Duration> {
    let first = load.first().map_or(Duration::ZERO, |entry| entry.at);
    load.iter()
        .map(|entry| entry.at.saturating_sub(first))
        .collect()
}

fn node<'a>(asked: &'a Asked, id: &str) -> Option<&'a Value> {
    asked.nodes.iter().find(|node| node["id"] == id)
}

fn messages(asked: &Asked) -> Result<(Messages, BTreeSet<String>), String> {
    if !asked.load.is_empty() {
        let entries: BTreeSet<String> = asked.load.iter().map(|e| e.node.clone()).collect();
        if let Some(id) = entries.iter().find(|id| node(asked, id).is_none()) {
            return Err(format!(
                "the load names node {id}, which the flow does not have"
            ));
        }
        let load = asked.load.clone();
        let messages = move |number| {
            let entry = &load[(number % load.len() as u64) as usize];
            (entry.node.clone(), entry.msg.clone())
        };
        return Ok((Arc::new(messages), entries));
    }
    let entry = match &asked.node {
        Some(id) if node(asked, id).is_some() => id.clone(),
        Some(id) => {
            return Err(format!(
                "--node {id}: the flow has no such node{}",
                candidates(asked)
            ));
        }
        None => only_entry(asked)?,
    };
    let pressed = node(asked, &entry).and_then(injected);
    let (id, message) = (entry.clone(), asked.message.clone().or(pressed));
    let messages = move |number| {
        let message = message.clone();
        let message = message.unwrap_or_else(|| json!({"payload": number, "topic": "vgdc-bench"}));
        (id.clone(), message)
    };
    Ok((Arc::new(messages), BTreeSet::from([entry])))
}

/// The message of an inject node, where all of its properties are plain values; none, where it depends on something.
fn injected(node: &Value) -> Option<Value> {
    let props = node["props"]
        .as_array()
        .filter(|_| is_type(node, "inject"))?;
    let mut msg = serde_json::Map::new();
    for prop in props {
        let name = prop["p"]
            .as_str()
            .filter(|name| !name.contains(['.', '[']))?;
        // (an inject node keeps the values of these two where it had them before it had properties)
        let (value, ty) = match (prop.get("vt").is_some(), name) {
            (true, _) => (&prop["v"], &prop["vt"]),
            (false, "payload") => (&node["payload"], &node["payloadType"]),
            (false, "topic") => (&node["topic"], &Value::Null),
            (false, _) => return None,
        };
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let value = match ty.as_str().unwrap_or("str") {
            "str" => Value::from(text),
            "num" | "bool" | "json" => serde_json::from_str(&text).ok()?,
            _ => return None,
        };
        msg.insert(name.to_owned(), value);
    }
    msg.contains_key("payload").then_some(Value::Object(msg))
}

fn is_type(node: &Value, ty: &str) -> bool {
    node["type"] == ty && node["d"] != true
}

fn listens(node: &Value) -> bool {
    is_type(node, "http in") || (is_type(node, "tcp in") && node["server"] == "server")
}

/// The node with which the flow begins, where that is plain: its one listener, else its one inject node.
fn only_entry(asked: &Asked) -> Result<String, String> {
    let listeners: Vec<&Value> = asked.nodes.iter().filter(|n| listens(n)).collect();
    let injects = || {
        asked
            .nodes
            .iter()
            .filter(|n| is_type(n, "inject"))
            .collect()
    };
    let found: Vec<&Value> = match listeners.is_empty() {
        true => injects(),
        false => listeners,
    };
    match found.as_slice() {
        [only] => Ok(only["id"].as_str().unwrap_or_default().to_owned()),
        _ => Err(format!(
            "name the node that is to get the messages with --node ID{}",
            candidates(asked)
        )),
    }
}

/// The nodes that could be meant, for a fault's text.
fn candidates(asked: &Asked) -> String {
    let wired: BTreeSet<&str> = asked
        .nodes
        .iter()
        .flat_map(|node| node["wires"].as_array().into_iter().flatten())
        .flat_map(|ids| {
            ids.as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
        })
        .collect();
    let is_start = |node: &&Value| {
        if ["catch", "status", "complete"]
            .iter()
            .any(|ty| node["type"] == *ty)
        {
            return false;
        }
        let wires = node["wires"].as_array();
        let sends = wires.is_some_and(|w| !w.is_empty());
        sends && node["id"].as_str().is_some_and(|id| !wired.contains(id))
    };
    let named = |node: &Value| {
        let name = node["name"].as_str().filter(|name| !name.is_empty());
        let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let id = node["id"].as_str().unwrap_or_default();
        format!(
            "\n  {id}  {}{name}",
            node["type"].as_str().unwrap_or_default()
        )
    };
    let found: String = asked
        .nodes
        .iter()
        .filter(is_start)
        .take(20)
        .map(named)
        .collect();
    match found.is_empty() {
        true => String::new(),
        false => format!("; it begins with{found}"),
    }
}

fn drive(asked: &Asked, messages: Messages, entries: BTreeSet<String>) -> Result<Drive, String> {
    let of = |id: &String| node(asked, id).cloned().unwrap_or_default();
    let nodes: Vec<Value> = entries.iter().map(of).collect();
    if let Some(node) = nodes.iter().find(|node| is_type(node, "tcp in")) {
        if nodes.len() > 1 {
            return Err("a recorded load can have only one `tcp in` node, and no other".to_owned());
        }
        return tcp(node, messages);
    }
    let web: Vec<Value> = nodes
        .iter()
        .filter(|n| is_type(n, "http in"))
        .cloned()
        .collect();
    match web.len() {
        0 => Ok(Drive::Receive {
            messages,
            senders: nodes
                .iter()
                .filter(|node| is_type(node, "inject"))
                .filter_map(|node| node["id"].as_str().map(str::to_owned))
                .collect(),
            entries,
            ends: asked.until.clone(),
        }),
        n if n < nodes.len() => Err(
            "a recorded load goes either to `http in` nodes or to others, not to both".to_owned(),
        ),
        _ => Ok(Drive::Http {
            requests: Arc::new(move |number| {
                let (id, msg) = messages(number);
                let of = web.iter().find(|node| node["id"] == *id);
                request(of.unwrap_or(&Value::Null), &msg["payload"])
            }),
            connections: CONNECTIONS,
        }),
    }
}

/// The request to an `http in` node that makes this payload.
fn request(node: &Value, payload: &Value) -> Vec<u8> {
    let method = node["method"].as_str().unwrap_or("get").to_uppercase();
    let url = node["url"].as_str().unwrap_or("/");
    let mut path: String = url
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            if part.starts_with(':') {
                "/1".to_owned()
            } else {
                format!("/{part}")
            }
        })
        .collect();
    if path.is_empty() {
        path.push('/');
    }
    if method != "GET" {
        let body = plain(payload);
        return http::request("localhost", &method, &path, Some(&body));
    }
    let query = payload.as_object().into_iter().flatten();
    let query = query.map(|(name, value)| format!("{}={}", escaped(name), escaped(&plain(value))));
    let query = query.collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    http::request("localhost", &method, &path, None)
}

/// A text as it is, another value as JSON.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn tcp(node: &Value, messages: Messages) -> Result<Drive, String> {
    let id = &node["id"];
    if node["server"] != "server" {
        return Err(format!(
            "the `tcp in` node {id} connects to others: only one that listens can be driven"
        ));
    }
    let text = plain(&node["port"]);
    let variable = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let port = match (variable, text.parse()) {
        (Some(name), _) => Port::Variable(name.to_owned()),
        (None, Ok(port)) => Port::Fixed(port),
        (None, Err(_)) => {
            return Err(format!(
                "the `tcp in` node {id} has the port \"{text}\", which is no port"
            ));
        }
    };
    let newline = node["newline"].as_str().filter(|text| !text.is_empty());
    let newline = newline
        .unwrap_or("\n")
        .replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\t", "\t");
    Ok(Drive::Tcp {
        port,
        pieces: Arc::new(move |number| {
            let (_, msg) = messages(number);
            (plain(&msg["payload"]) + &newline).into_bytes()
        }),
        end: b'\n',
        check: Arc::new(|_, _| true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(nodes: Value) -> Asked {
        Asked {
            nodes: nodes.as_array().cloned().unwrap_or_default(),
            ..Asked::default()
        }
    }

    #[test]
    fn the_one_listener_or_inject_node_is_found() {
        let inject = json!({"id": "i", "type": "inject", "wires": [["f"]]});
        let function = json!({"id": "f", "type": "function", "wires": [[]]});
        let web =
            json!({"id": "h", "type": "http in", "method": "get", "url": "/x", "wires": [["f"]]});
        let found = |nodes| only_entry(&asked(nodes));
        assert_eq!(found(json!([inject, function])), Ok("i".to_owned()));
        assert_eq!(found(json!([inject, web, function])), Ok("h".to_owned()));
        let why = found(json!([inject, inject, function])).expect_err("two");
        assert!(why.contains("--node") && why.contains("i  inject"), "{why}");
        assert!(found(json!([function])).is_err());
    }

    #[test]
    fn what_the_flow_lacks_is_said() {
        let mut of = asked(json!([{"id": "i", "type": "inject", "wires": [[]]}]));
        of.node = Some("x".to_owned());
        assert!(case(&of).is_err_and(|why| why.contains("--node x")));
        of.node = None;
        of.until = vec!["y".to_owned()];
        assert!(case(&of).is_err_and(|why| why.contains("--until y")));
        of.load = crate::load::parse("{\"node\":\"z\",\"at_ms\":0}").expect("a load");
        assert!(case(&of).is_err_and(|why| why.contains("node z")));
    }

    #[test]
    fn where_one_target_has_no_control_protocol_the_ends_are_counted() {
        let mut of = asked(json!([
            {"id": "i", "type": "inject", "z": "t", "wires": [["f"]]}, {"id": "f", "type": "function", "wires": [["l", "d"]]},
            {"id": "l", "type": "link out", "links": ["m"], "wires": []}, {"id": "m", "type": "link in", "wires": [["x"]]},
            {"id": "x", "type": "debug", "wires": []}, {"id": "d", "type": "debug", "wires": []}
        ]));
        of.counted = true;
        assert_eq!(ends_behind(&of, &of.nodes[0]), ["d", "x"]);
        let made = case(&of).expect("a case");
        assert!(matches!(
            (&made.drive, &made.pace),
            (Drive::Counted, Pace::None)
        ));
        of.rate = Some(5.0);
        assert!(case(&of).is_err_and(|why| why.contains("--rate")));
    }

    #[test]
    fn an_inject_nodes_plain_message_is_sent() {
        let of = |props: Value, payload: &str, ty: &str| {
            injected(
                &json!({"type": "inject", "props": props, "payload": payload, "payloadType": ty, "topic": "t"}),
            )
        };
        let both = json!([{"p": "payload"}, {"p": "topic", "vt": "str", "v": "x"}]);
        assert_eq!(
            of(both, "5", "num"),
            Some(json!({"payload": 5, "topic": "x"}))
        );
        let alone = json!([{"p": "payload"}]);
        assert_eq!(
            of(alone.clone(), "{\"a\":1}", "json"),
            Some(json!({"payload": {"a": 1}}))
        );
        assert_eq!(of(alone.clone(), "", "date"), None);
        assert_eq!(of(alone, "{", "json"), None);
        assert_eq!(of(json!([]), "5", "num"), None);
    }

    #[test]
    fn requests_are_made_of_payloads() {
        let get = json!({"method": "get", "url": "/a/:id/b"});
        let text = |node: &Value, payload: Value| {
            let bytes = request(node, &payload);
            String::from_utf8(bytes).expect("text")
        };
        let made = text(&get, json!({"q": "x y", "n": 5}));
        assert!(
            made.starts_with("GET /a/1/b?q=x%20y&n=5 HTTP/1.1\r\n"),
            "{made}"
        );
        assert!(text(&get, json!(1)).starts_with("GET /a/1/b HTTP"));
        let post = json!({"method": "post", "url": "/"});
        let made = text(&post, json!({"n": 5}));
        assert!(made.starts_with("POST / HTTP") && made.ends_with("{\"n\":5}"));
    }

    #[test]
    fn a_tcp_listener_is_driven_on_its_port() {
        let port = |port: Value| {
            let node = json!({"id": "t", "type": "tcp in", "server": "server", "port": port, "newline": "\\n"});
            match tcp(
                &node,
                Arc::new(|n| (String::new(), json!({"payload": {"n": n}}))),
            ) {
                Ok(Drive::Tcp { port, pieces, .. }) => Ok((port, pieces(3))),
                Ok(_) => Err("another way".to_owned()),
                Err(why) => Err(why),
            }
        };
        let line = b"{\"n\":3}\n".to_vec();
        assert_eq!(port(json!("9000")), Ok((Port::Fixed(9000), line.clone())));
        assert_eq!(
            port(json!("${P}")),
            Ok((Port::Variable("P".to_owned()), line))
        );
        assert!(port(json!("x")).is_err());
    }

    #[test]
    fn recorded_times_count_from_the_first() {
        let text = "{\"node\":\"i\",\"at_ms\":100}\n{\"node\":\"i\",\"at_ms\":150}";
        let load = crate::load::parse(text).expect("a load");
        assert_eq!(times(&load), [Duration::ZERO, Duration::from_millis(50)]);
    }
}
