//! What happened at nodes, kept while somebody wants it recorded: the control protocol's events, numbered, in a ring.

use crate::answer;
use crate::comms::Board;
use crate::drive::{Driver, Fields};
use crate::serve::{Asked, Editor};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

/// Events that are kept at most.
const MOST: usize = 10_000;
/// Bytes of their texts at most.
const BYTES: usize = 32 << 20;
/// Events in one answer, where it does not say how many.
const PAGE: usize = 500;
/// The topic on which it is told how far the recording is.
const TOPIC: &str = "vgdc/history";
/// Time between two messages of it.
const EVERY: Duration = Duration::from_millis(250);
/// What is watched for a recording alone; the rest is watched anyhow.
const WATCHED: &str = "[\"input\",\"send\",\"done\",\"error\"]";
/// What is recorded.
const KINDS: [&str; 6] = ["input", "send", "done", "error", "status", "debug"];

/// The recording.
#[derive(Default)]
pub(crate) struct History {
    on: AtomicBool,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The number of the last event.
    last: u64,
    /// Events that the runtime told too fast.
    lost: u64,
}

struct Entry {
    seq: u64,
    node: String,
    /// As the answer has it.
    text: String,
}

/// Which events are asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Wanted {
    node: Option<String>,
    after: Option<u64>,
    before: Option<u64>,
    limit: usize,
}

impl History {
    /// Takes an event of the control protocol down, as its line says it.
    pub(crate) fn event(&self, line: &str, fields: &Fields<'_>) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let text = |name: &str| {
            let raw = fields.get(name)?.get();
            serde_json::from_str::<String>(raw).ok()
        };
        let (Some(kind), node) = (text("event"), text("node")) else {
            return;
        };
        if kind == "lagged" {
            let lost = fields.get("lost").and_then(|raw| raw.get().parse().ok());
            self.ring().lost += lost.unwrap_or(0_u64);
            return;
        }
        let (Some(node), Some(rest)) = (node, line.strip_prefix("{\"event\":")) else {
            return;
        };
        if KINDS.contains(&kind.as_str()) {
            self.ring().push(node, rest);
        }
    }

    /// Takes down that a message was given to a node by hand: no wire explains it when the recording is played again. Gives its number.
    fn received(&self, node: &str, msg: &str) -> Option<u64> {
        self.on.load(Ordering::Relaxed).then(|| {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            let quoted = crate::drive::quoted(node);
            let rest = format!(
                "\"receive\",\"node\":{quoted},\"ts\":{},\"msg\":{msg}}}",
                now.as_millis()
            );
            self.ring().push(node.to_owned(), &rest)
        })
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Json {
        let ring = self.ring();
        json!({
            "recording": self.on.load(Ordering::Relaxed), "lost": ring.lost,
            "first": ring.entries.front().map(|it| it.seq), "last": ring.entries.back().map(|it| it.seq),
        })
    }

    /// The events from one to another, a JSON array.
    pub(crate) fn between(&self, from: Option<u64>, to: Option<u64>) -> String {
        let wanted = Wanted {
            after: from.map(|from| from.saturating_sub(1)),
            before: to.map(|to| to.saturating_add(1)),
            limit: MOST,
            node: None,
        };
        self.ring().events(&wanted)
    }
}

impl Ring {
    /// Gives its number.
    fn push(&mut self, node: String, rest: &str) -> u64 {
        self.last += 1;
        let text = format!("{{\"seq\":{},\"kind\":{rest}", self.last);
        self.bytes += text.len();
        self.entries.push_back(Entry {
            seq: self.last,
            node,
            text,
        });
        while self.entries.len() > MOST || (self.bytes > BYTES && self.entries.len() > 1) {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.text.len();
            }
        }
        self.last
    }

    fn forget(&mut self, seq: u64) {
        if let Ok(at) = self.entries.binary_search_by_key(&seq, |entry| entry.seq)
            && let Some(entry) = self.entries.remove(at)
        {
            self.bytes -= entry.text.len();
        }
    }

    /// With `after` the first ones, else the last.
    fn events(&self, wanted: &Wanted) -> String {
        let is_wanted = |entry: &&Entry| {
            // (a node in a subflow's instance is asked for by its own id, too)
            let is_node = wanted.node.as_ref().is_none_or(|node| {
                let inside = entry.node.strip_suffix(node.as_str());
                inside.is_some_and(|front| front.is_empty() || front.ends_with('-'))
            });
            is_node
                && wanted.after.is_none_or(|after| entry.seq > after)
                && wanted.before.is_none_or(|before| entry.seq < before)
        };
        let all = self.entries.iter().filter(is_wanted);
        let texts: Vec<&str> = match wanted.after {
            Some(_) => all
                .take(wanted.limit)
                .map(|entry| entry.text.as_str())
                .collect(),
            None => {
                let all: Vec<&str> = all.map(|entry| entry.text.as_str()).collect();
                all[all.len().saturating_sub(wanted.limit)..].to_vec()
            }
        };
        format!("[{}]", texts.join(","))
    }
}

/// `GET /vgdc/v1/history`.
pub(crate) fn get(editor: &Editor, asked: &Asked) -> Response {
    let number = |name: &str| match asked.value(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            let why = format!("`{name}` must be a number");
            answer::wrong(StatusCode::BAD_REQUEST, "invalid_query", &why)
        }),
    };
    let wanted = || {
        Ok(Wanted {
            node: asked.value("node").filter(|node| !node.is_empty()),
            after: number("after")?,
            before: number("before")?,
            limit: number("limit")?
                .map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(MOST))
                .min(MOST),
        })
    };
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let state = editor.history.state().to_string();
    let events = editor.history.ring().events(&wanted);
    let head = state.strip_suffix('}').unwrap_or(&state);
    answer::json(StatusCode::OK, format!("{head},\"events\":{events}}}"))
}

/// `POST /vgdc/v1/history`: `{recording?, clear?}`.
pub(crate) async fn post(editor: &Editor, asked: &Asked) -> Response {
    let body = match asked.json() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let history = &editor.history;
    if body.get("clear").truthy() {
        let mut ring = history.ring();
        ring.entries.clear();
        (ring.bytes, ring.lost) = (0, 0);
    }
    if let Value::Bool(on) = body.get("recording") {
        let was_on = history.on.swap(on, Ordering::Relaxed);
        if was_on != on {
            let op = if on { "watch" } else { "unwatch" };
            let fields = [("nodes", "\"*\""), ("events", WATCHED)];
            if let Err(refused) = editor.driver.ask(op, &fields).await {
                history.on.store(was_on, Ordering::Relaxed);
                return answer::wrong(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    &refused.code,
                    &refused.message,
                );
            }
        }
    }
    answer::ok(&history.state())
}

/// `POST /vgdc/v1/receive/:id`: `{msg}` comes to a node that runs.
pub(crate) async fn receive(editor: &Editor, id: &str, asked: &Asked) -> Response {
    let body = std::str::from_utf8(&asked.body).unwrap_or_default();
    let Ok(fields) = serde_json::from_str::<HashMap<&str, &RawValue>>(body) else {
        return answer::wrong(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "the body must be an object with `msg`",
        );
    };
    let node = crate::drive::quoted(id);
    let msg = fields.get("msg").map_or("{}", |msg| msg.get());
    let asked = [("node", node.as_str()), ("msg", msg)];
    // (before what comes of it)
    let taken_down = editor.history.received(id, msg);
    let received = editor.driver.ask("receive", &asked).await;
    if let (Err(_), Some(seq)) = (&received, taken_down) {
        editor.history.ring().forget(seq);
    }
    match received {
        Ok(_) => answer::empty(StatusCode::NO_CONTENT),
        Err(refused) if refused.code == "no-such-node" => {
            answer::wrong(StatusCode::NOT_FOUND, "not_found", &refused.message)
        }
        Err(refused) => answer::wrong(StatusCode::BAD_REQUEST, &refused.code, &refused.message),
    }
}

/// Tells how far the recording is, when that has changed, for as long as somebody listens.
pub(crate) async fn tell(history: Arc<History>, board: Arc<Board>, driver: Arc<Driver>) {
    let mut told = Json::Null;
    // (the runtime's end is the process's)
    while driver.is_alive() {
        if !board.is_wanted(TOPIC) {
            told = Json::Null;
            board.awaited(EVERY * 4).await;
            continue;
        }
        let state = history.state();
        if state != told {
            board.tell(TOPIC, &state.to_string());
            told = state;
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(history: &History, line: &str) {
        let fields: Fields<'_> = serde_json::from_str(line).expect("JSON");
        history.event(line, &fields);
    }

    fn texts(history: &History, wanted: &Wanted) -> Vec<u64> {
        let events = history.ring().events(wanted);
        let events: Vec<Json> = serde_json::from_str(&events).expect("JSON");
        events.iter().filter_map(|it| it["seq"].as_u64()).collect()
    }

    #[test]
    fn events_are_kept_while_they_are_recorded_and_found_by_node_and_number() {
        let history = History::default();
        happened(&history, r#"{"event":"input","node":"a","ts":1,"msg":{}}"#);
        assert_eq!(history.state()["last"], Json::Null);
        history.on.store(true, Ordering::Relaxed);
        for node in ["a", "b", "i-b", "a"] {
            let line = format!(r#"{{"event":"input","node":"{node}","ts":1,"msg":{{}}}}"#);
            happened(&history, &line);
        }
        happened(&history, r#"{"event":"log","node":"a","ts":1}"#);
        happened(&history, r#"{"event":"lagged","lost":3}"#);
        assert_eq!(
            history.state(),
            json!({"recording": true, "lost": 3, "first": 1, "last": 4})
        );
        let wanted = Wanted {
            limit: 10,
            ..Wanted::default()
        };
        let of = |node: &str| Wanted {
            node: Some(node.to_owned()),
            ..wanted.clone()
        };
        assert_eq!(texts(&history, &of("a")), [1, 4]);
        assert_eq!(texts(&history, &of("b")), [2, 3]);
        assert_eq!(texts(&history, &of("i-b")), [3]);
        let (after, before) = (Some(1), Some(4));
        let one = Wanted {
            limit: 1,
            ..wanted.clone()
        };
        assert_eq!(
            texts(
                &history,
                &Wanted {
                    after,
                    ..one.clone()
                }
            ),
            [2]
        );
        assert_eq!(texts(&history, &Wanted { before, ..one }), [3]);
        let first: Vec<Json> = serde_json::from_str(&history.between(None, Some(1))).expect("JSON");
        assert_eq!(
            first,
            [json!({"seq": 1, "kind": "input", "node": "a", "ts": 1, "msg": {}})]
        );
    }

    #[test]
    fn the_oldest_go_first() {
        let mut ring = Ring::default();
        for _ in 0..MOST + 5 {
            ring.push("a".to_owned(), "\"input\"}");
        }
        assert_eq!(ring.entries.front().map(|it| it.seq), Some(6));
        ring.push("a".to_owned(), &"x".repeat(BYTES));
        assert_eq!(ring.entries.len(), 1);
        assert!(ring.bytes > BYTES, "the last one stays, whatever its size");
    }
}
