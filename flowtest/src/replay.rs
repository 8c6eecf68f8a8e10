//! A recording is played again, into the same flow or into another version of it: what came into the flow comes again at its time, and what
//! comes of it is held against what came of it then.
//!
//! What comes in are messages out of nodes that nothing in the flow feeds (an inject node, a listener) and out of nodes that reach out of
//! the process; in the place of these stand stubs, so that nothing comes in besides. Contexts begin empty, since what was in them when the
//! recording began is not in it. The clock begins with the recording, and stands still between its events.

use crate::coverage::fed;
use crate::observed::Seen;
use crate::run::runtime;
use crate::stub::{self, OUTSIDE};
use crate::{Failure, Flow, Runner, hosted};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::plan::Plan;
use vgdc_core::{Clock, Deployment, Kinds, Runtime, RuntimeOptions, Services};
use vgdc_http::HttpServer;
use vgdc_value::{Msg, Value, control};

/// What is compared, in the words of the control protocol's events, with the field that counts.
const COMPARED: [(&str, &str); 5] = [
    ("input", "msg"),
    ("send", "msg"),
    ("status", "status"),
    ("error", "message"),
    ("debug", "value"),
];
/// What answers whoever is outside: it has nobody to answer.
const ANSWERS: &str = "http response";
/// Differences that are told at most.
const MOST: usize = 1_000;

type Settled = Result<(), Failure>;

/// An event of a recording: the control protocol's, with `seq`, and `kind` for `event`.
type Recorded = Map<String, Json>;

/// What came of it.
#[derive(Debug, Default)]
pub struct Replay {
    /// How many messages came in again.
    pub inputs: usize,
    /// What happened, in the form of the recording.
    pub events: Vec<Json>,
    /// How many events were the same.
    pub same: usize,
    /// What was not.
    pub differences: Vec<Difference>,
    /// What has to be known to read this, for people.
    pub notes: Vec<String>,
}

/// Something that came out otherwise.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// The node.
    pub node: String,
    /// The event's kind.
    pub kind: String,
    /// The how-manieth event of this kind at this node, from 0.
    pub at: usize,
    /// The event then.
    pub recorded: Option<Json>,
    /// The event now.
    pub replayed: Option<Json>,
    /// Where they first differ.
    pub path: Option<String>,
}

impl Difference {
    /// As JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "node": self.node, "kind": self.kind, "at": self.at, "recorded": self.recorded, "replayed": self.replayed, "path": self.path,
        })
    }
}

/// Plays events again, a JSON array in the order in which they happened.
///
/// # Errors
/// They are no recording, or the flow cannot be run.
pub fn replay(runner: &Runner<'_>, flow: &Flow, events: &str) -> Result<Replay, Failure> {
    let events: Vec<Recorded> = serde_json::from_str(events)
        .map_err(|e| Failure::new(0, format!("this is no recording: {e}")))?;
    let tokio = runtime().map_err(|why| Failure::new(0, format!("cannot start: {why}")))?;
    tokio.block_on(played(runner, flow, &events))
}

async fn played(runner: &Runner<'_>, flow: &Flow, events: &[Recorded]) -> Result<Replay, Failure> {
    let outside: HashSet<String> = flow
        .nodes
        .iter()
        .filter(|node| {
            let ty = node["type"].as_str().unwrap_or_default();
            OUTSIDE.contains(&ty) || ty == ANSWERS
        })
        .filter_map(|node| Some(node["id"].as_str()?.to_owned()))
        .collect();
    let (nodes, away) = hosted::parted(&flow.nodes, &runner.registry);
    let outside: HashSet<String> = outside.into_iter().chain(away).collect();
    let sources = sources(runner, &nodes, &outside)?;
    let replaced: HashSet<&str> = sources.iter().chain(&outside).map(String::as_str).collect();
    let plan = runner.compiled(silenced(&nodes, &replaced), 0)?;
    let own = |op: &vgdc_core::plan::Op| op.alias.clone().unwrap_or_else(|| op.id.clone());
    let is_replaced: HashMap<&str, bool> = plan
        .ops
        .iter()
        .map(|op| (op.id.as_str(), replaced.contains(own(op).as_str())))
        .collect();
    let mut replay = Replay::default();
    let begin = events.first().map_or(0.0, ts);
    let seen = Arc::new(Seen::default());
    let mut runtime = started(runner, flow, &plan, seen.clone(), begin).await?;
    // (what a start makes of itself was before the recording)
    drop(seen.take());
    let limit = runner.limit;
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    let mut now = begin;
    let outcome = async {
        for event in events {
            let (kind, node) = (text(event, "kind"), text(event, "node"));
            let comes_in = kind == "receive"
                || (kind == "send" && is_replaced.get(node).copied().unwrap_or(true));
            if !comes_in {
                continue;
            }
            if !is_replaced.contains_key(node) {
                gone.insert(node);
                continue;
            }
            advance(&mut runtime, &mut now, ts(event), limit).await?;
            let msg = value(event, "msg")?;
            let refused = |why: vgdc_core::RuntimeError| Failure::new(0, why.to_string());
            if kind == "receive" {
                let msg = Msg::try_from(msg)
                    .map_err(|_| Failure::new(0, "a recorded message is no object"))?;
                runtime.receive(node, Some(msg)).await.map_err(refused)?;
            } else {
                let output = event.get("output").and_then(Json::as_u64).unwrap_or(0);
                let mut sent = vec![Value::Null; usize::try_from(output).unwrap_or(0) + 1];
                if let Some(last) = sent.last_mut() {
                    *last = Value::from(vec![msg]);
                }
                runtime
                    .send(node, Value::from(sent))
                    .await
                    .map_err(refused)?;
            }
            replay.inputs += 1;
            settled(&runtime, limit).await?;
        }
        let end = events.last().map_or(begin, ts);
        advance(&mut runtime, &mut now, end, limit).await
    };
    let outcome = outcome.await;
    for (at, event) in seen.take().iter().enumerate() {
        let line = vgdc_probe::event_line(event);
        let Some(rest) = line.strip_prefix("{\"event\":") else {
            continue;
        };
        let numbered = format!("{{\"seq\":{},\"kind\":{rest}", at + 1);
        // (what the control protocol writes is JSON)
        replay
            .events
            .extend(serde_json::from_str::<Json>(&numbered));
    }
    // (what does not end in time is left to itself)
    let _ = tokio::time::timeout(limit, runtime.shutdown()).await;
    outcome?;
    compare(&mut replay, events, &|id| {
        is_replaced.get(id).copied().unwrap_or(false)
    });
    notes(&mut replay, flow, &replaced, &gone);
    Ok(replay)
}

/// The flow with nodes that take messages, and do nothing, in the place of these.
fn silenced(nodes: &[Json], replaced: &HashSet<&str>) -> String {
    let is_replaced = |node: &Json| node["id"].as_str().is_some_and(|id| replaced.contains(id));
    let nodes = nodes.iter().map(|node| match is_replaced(node) {
        true => stub::silent(node),
        false => node.clone(),
    });
    Json::Array(nodes.collect()).to_string()
}

/// The nodes, by the ids that they are drawn with, that nothing in the flow feeds.
fn sources(
    runner: &Runner<'_>,
    nodes: &[Json],
    outside: &HashSet<String>,
) -> Result<HashSet<String>, Failure> {
    let replaced = outside.iter().map(String::as_str).collect();
    let plan = runner.compiled(silenced(nodes, &replaced), 0)?;
    let free = plan.ops.iter().zip(fed(&plan)).filter(|(op, fed)| {
        let sends = op.ports.iter().any(|port| !port.edges.is_empty()) || !op.targets.is_empty();
        !fed && sends
    });
    let drawn: HashSet<&str> = nodes
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let ids = free.map(|(op, _)| op.alias.clone().unwrap_or_else(|| op.id.clone()));
    // (what the compiler put in is not the user's)
    Ok(ids.filter(|id| drawn.contains(id.as_str())).collect())
}

async fn started(
    runner: &Runner<'_>,
    flow: &Flow,
    plan: &Arc<Plan>,
    seen: Arc<Seen>,
    begin: f64,
) -> Result<Runtime, Failure> {
    let services = Arc::new(Services::default());
    services.insert(Arc::new(HttpServer::new(([127, 0, 0, 1], 0).into())));
    let mut runtime = Runtime::new(RuntimeOptions {
        services,
        sink: seen,
        clock: Clock::starting_at(begin),
        ..RuntimeOptions::new(runner.registry.clone())
    });
    runtime.watch(None, Kinds::ALL).await;
    let deployment = Deployment {
        plan: Some((**plan).clone()),
        settings: Some(crate::live::in_memory(flow.settings.clone())),
        credentials: Some(flow.credentials.clone()),
        ..Deployment::default()
    };
    match tokio::time::timeout(runner.limit, runtime.deploy(deployment)).await {
        Ok(Ok(_)) => {}
        Ok(Err(why)) => {
            return Err(Failure::new(
                0,
                format!("the flow cannot be started: {why}"),
            ));
        }
        Err(_) => {
            let message = format!("the flow did not start within {:?}", runner.limit);
            return Err(Failure::new(0, message));
        }
    }
    settled(&runtime, runner.limit).await?;
    Ok(runtime)
}

async fn settled(runtime: &Runtime, limit: Duration) -> Settled {
    let settled = tokio::time::timeout(limit, runtime.settle()).await;
    settled.map_err(|_| {
        let message = format!(
            "the flow did not come to rest within {limit:?}: is there a loop, or does it wait for another program?"
        );
        Failure::new(0, message)
    })
}

async fn advance(runtime: &mut Runtime, now: &mut f64, to: f64, limit: Duration) -> Settled {
    if to <= *now {
        return Ok(());
    }
    // (both are milliseconds since 1970)
    let by = Duration::from_secs_f64((to - *now) / 1000.0);
    *now = to;
    match tokio::time::timeout(limit, runtime.advance(by)).await {
        Ok(moved) => moved.map_err(|why| Failure::new(0, why.to_string())),
        Err(_) => {
            let message = format!("the flow did not come to rest within {limit:?}");
            Err(Failure::new(0, message))
        }
    }
}

fn text<'e>(event: &'e Recorded, name: &str) -> &'e str {
    event.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn ts(event: &Recorded) -> f64 {
    event.get("ts").and_then(Json::as_f64).unwrap_or_default()
}

fn value(event: &Recorded, name: &str) -> Result<Value, Failure> {
    let raw = event.get(name).map_or("{}".to_owned(), Json::to_string);
    control::decode(&raw).map_err(|e| Failure::new(0, format!("a recorded value: {e}")))
}

/// Holds what happened now against what happened then, node by node and kind by kind.
fn compare(replay: &mut Replay, recorded: &[Recorded], is_replaced: &dyn Fn(&str) -> bool) {
    type Lists<'e> = BTreeMap<(String, &'static str), Vec<&'e Recorded>>;
    fn lists<'e>(
        events: impl Iterator<Item = &'e Recorded>,
        is_replaced: &dyn Fn(&str) -> bool,
    ) -> Lists<'e> {
        let mut lists = Lists::new();
        for event in events {
            let (kind, node) = (text(event, "kind"), text(event, "node"));
            let compared = COMPARED.iter().find(|(known, _)| *known == kind);
            // (a stub does nothing but take messages)
            let Some((kind, _)) =
                compared.filter(|(kind, _)| *kind == "input" || !is_replaced(node))
            else {
                continue;
            };
            let list = lists.entry((node.to_owned(), *kind)).or_default();
            list.push(event);
        }
        lists
    }
    let events = replay.events.iter().filter_map(Json::as_object);
    let (then, now) = (
        lists(recorded.iter(), is_replaced),
        lists(events, is_replaced),
    );
    let mut differences = Vec::new();
    let mut same = 0;
    let keys: BTreeSet<&(String, &str)> = then.keys().chain(now.keys()).collect();
    for key in keys {
        let list = |lists: &'_ Lists<'_>| lists.get(key).map_or(0, Vec::len);
        let field = COMPARED.iter().find(|(kind, _)| *kind == key.1);
        let field = field.map_or("", |(_, field)| *field);
        for at in 0..list(&then).max(list(&now)) {
            let one = then.get(key).and_then(|list| list.get(at)).copied();
            let other = now.get(key).and_then(|list| list.get(at)).copied();
            let path = match (one, other) {
                (Some(one), Some(other)) => {
                    let ports = one.get("output") == other.get("output");
                    let path = difference(
                        one.get(field).unwrap_or(&Json::Null),
                        other.get(field).unwrap_or(&Json::Null),
                    );
                    match (ports, path) {
                        (true, None) => {
                            same += 1;
                            continue;
                        }
                        (false, _) => Some("output".to_owned()),
                        (true, Some(path)) => Some(path),
                    }
                }
                _ => None,
            };
            let whole = |event: Option<&Recorded>| event.map(|it| Json::Object(it.clone()));
            differences.push(Difference {
                node: key.0.clone(),
                kind: key.1.to_owned(),
                at,
                recorded: whole(one),
                replayed: whole(other),
                path,
            });
        }
    }
    if differences.len() > MOST {
        replay.notes.push(format!(
            "{} differences; the first {MOST} are told",
            differences.len()
        ));
        differences.truncate(MOST);
    }
    (replay.same, replay.differences) = (same, differences);
}

/// Where two values first differ; `None`: nowhere that counts. Ids of messages are new each time, and what lives in a process is another one.
fn difference(one: &Json, other: &Json) -> Option<String> {
    fn inner(one: &Json, other: &Json, path: &str) -> Option<String> {
        let is_handle = |it: &Json| it["$type"] == "handle";
        match (one, other) {
            (Json::Object(a), Json::Object(b)) => {
                if is_handle(one) && is_handle(other) {
                    return None;
                }
                let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                names
                    .into_iter()
                    .filter(|name| !path.is_empty() || *name != "_msgid")
                    .find_map(|name| {
                        let path = match path {
                            "" => name.clone(),
                            path => format!("{path}.{name}"),
                        };
                        match (a.get(name), b.get(name)) {
                            (Some(one), Some(other)) => inner(one, other, &path),
                            _ => Some(path),
                        }
                    })
            }
            (Json::Array(a), Json::Array(b)) => {
                let pairs = a.iter().zip(b).enumerate();
                pairs
                    .into_iter()
                    .find_map(|(at, (one, other))| inner(one, other, &format!("{path}[{at}]")))
                    .or_else(|| (a.len() != b.len()).then(|| format!("{path}.length")))
            }
            (Json::Number(a), Json::Number(b)) if a.as_f64() == b.as_f64() => None,
            _ => (one != other).then(|| path.to_owned()),
        }
    }
    inner(one, other, "")
}

fn notes(replay: &mut Replay, flow: &Flow, replaced: &HashSet<&str>, gone: &BTreeSet<&str>) {
    let names: HashMap<&str, &str> = flow
        .nodes
        .iter()
        .filter_map(|node| {
            let name = node["name"].as_str().filter(|name| !name.is_empty());
            let id = node["id"].as_str()?;
            Some((id, name.unwrap_or(id)))
        })
        .collect();
    let listed = |ids: &mut dyn Iterator<Item = &str>| {
        let mut all: Vec<&str> = ids.map(|id| names.get(id).copied().unwrap_or(id)).collect();
        all.sort_unstable();
        all.join(", ")
    };
    if !replaced.is_empty() {
        let list = listed(&mut replaced.iter().copied());
        replay.notes.push(format!(
            "replaced, so that only what was recorded comes in and nothing goes out: {list}"
        ));
    }
    if !gone.is_empty() {
        let list = listed(&mut gone.iter().copied());
        replay.notes.push(format!(
            "messages came out of nodes that are not in this flow, and were left out: {list}"
        ));
    }
    replay
        .notes
        .push("contexts were empty at the beginning; random numbers and ids are others".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_differ_where_it_counts() {
        let differs = |one: Json, other: Json| difference(&one, &other);
        assert_eq!(
            differs(
                json!({"_msgid": "1", "a": 1}),
                json!({"_msgid": "2", "a": 1.0})
            ),
            None
        );
        assert_eq!(
            differs(json!({"a": {"b": [1, 2]}}), json!({"a": {"b": [1, 3]}})),
            Some("a.b[1]".to_owned())
        );
        assert_eq!(
            differs(json!({"a": [1]}), json!({"a": [1, 2]})),
            Some("a.length".to_owned())
        );
        assert_eq!(differs(json!({"a": 1}), json!({})), Some("a".to_owned()));
        let handle = |id: &str| json!({"res": {"$type": "handle", "kind": "response", "id": id}});
        assert_eq!(differs(handle("1"), handle("2")), None);
        assert_eq!(
            differs(json!({"p": {"_msgid": 1}}), json!({"p": {"_msgid": 2}})),
            Some("p._msgid".to_owned())
        );
    }
}
