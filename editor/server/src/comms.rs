//! What is told to whoever looks: messages by topic on a WebSocket, in Node-RED's form, in batches. Some topics keep their last message
//! for those who come later.
//!
//! Differently from Node-RED a connection gets what it has subscribed to, and can give a subscription back.

use crate::auth::{Access, Auth};
use crate::drive::Fields;
use crate::encode;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use vgdc_http::hyper_util::rt::TokioIo;
use vgdc_value::{Object, Value, control, json};

/// Messages in one frame at most.
const BATCH: usize = 50;
/// Time between two frames.
const PAUSE: Duration = Duration::from_millis(50);
/// After so long without a message a heartbeat is sent.
const IDLE: Duration = Duration::from_secs(15);
/// Messages that may wait for a connection before it loses some.
const QUEUE: usize = 5_000;
/// Letters and elements of a value that are shown, where the settings say nothing.
const SHOWN: usize = 1000;
/// The largest message that a client may send.
const LARGEST: usize = 64 * 1024;

/// What is told, and to whom.
pub(crate) struct Board {
    /// The last messages of topics that keep theirs, in the order in which the topics first came.
    retained: Mutex<Vec<(String, String)>>,
    connections: Mutex<Vec<Weak<Connection>>>,
    /// What is known of nodes, for what is told of them.
    nodes: Mutex<HashMap<String, About>>,
    shown: usize,
    changed: Notify,
}

/// What is known of a node.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    /// Its type.
    pub ty: String,
    /// Its name.
    pub name: Option<String>,
}

/// One who listens.
struct Connection {
    patterns: Mutex<Vec<String>>,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<String>,
    lost: u64,
}

impl Board {
    pub(crate) fn new(shown: Option<usize>) -> Board {
        Board {
            retained: Mutex::default(),
            connections: Mutex::default(),
            nodes: Mutex::default(),
            shown: shown.unwrap_or(SHOWN),
            changed: Notify::new(),
        }
    }

    /// Tells something once.
    pub(crate) fn tell(&self, topic: &str, data: &str) {
        self.retained().retain(|(kept, _)| kept != topic);
        self.send(topic, data);
    }

    /// Tells something that holds until something else is told.
    pub(crate) fn retain(&self, topic: &str, data: serde_json::Value) {
        self.retain_text(topic, &data.to_string());
    }

    fn retain_text(&self, topic: &str, data: &str) {
        {
            let mut retained = self.retained();
            match retained.iter_mut().find(|(kept, _)| kept == topic) {
                Some((_, kept)) => data.clone_into(kept),
                None => retained.push((topic.to_owned(), data.to_owned())),
            }
        }
        self.send(topic, data);
    }

    /// No node has a status any more.
    pub(crate) fn clear_statuses(&self) {
        let statuses: Vec<String> = {
            let retained = self.retained();
            let topics = retained.iter().map(|(topic, _)| topic);
            topics
                .filter(|topic| topic.starts_with("status/"))
                .cloned()
                .collect()
        };
        statuses.iter().for_each(|topic| self.tell(topic, "{}"));
    }

    /// Takes down what nodes there are.
    pub(crate) fn know(&self, nodes: HashMap<String, About>) {
        *self.nodes.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    /// What is known of a node; one that stands in a subflow's instance runs under the instance's id and its own.
    fn about(&self, id: &str) -> About {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let own = || id.rsplit_once('-').and_then(|(_, own)| nodes.get(own));
        nodes.get(id).or_else(own).cloned().unwrap_or_default()
    }

    /// Whether anybody listens to a topic.
    pub(crate) fn is_wanted(&self, topic: &str) -> bool {
        self.all().iter().any(|connection| connection.wants(topic))
    }

    /// Waits until connections have subscribed, or for so long: one that subscribed between a question and this wait is seen then.
    pub(crate) async fn awaited(&self, most: Duration) {
        // (either will do)
        let _ = tokio::time::timeout(most, self.changed.notified()).await;
    }

    fn send(&self, topic: &str, data: &str) {
        let message = format!(
            "{{\"topic\":{},\"data\":{data}}}",
            crate::drive::quoted(topic)
        );
        for connection in self
            .all()
            .iter()
            .filter(|connection| connection.wants(topic))
        {
            connection.queue(&message);
        }
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        let connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections.iter().filter_map(Weak::upgrade).collect()
    }

    fn retained(&self) -> std::sync::MutexGuard<'_, Vec<(String, String)>> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Arc<Connection> {
        let connection = Arc::new(Connection {
            patterns: Mutex::default(),
            queue: Mutex::default(),
            wake: Notify::new(),
        });
        let mut all = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(&connection));
        connection
    }

    fn subscribe(&self, connection: &Connection, pattern: &str) {
        {
            let mut patterns = connection.patterns();
            // (as many as an editor can have use for)
            if patterns.len() < 1000 && !patterns.iter().any(|known| known == pattern) {
                patterns.push(pattern.to_owned());
            }
        }
        for (topic, data) in self
            .retained()
            .iter()
            .filter(|(topic, _)| matches(pattern, topic))
        {
            let topic = crate::drive::quoted(topic);
            connection.queue(&format!("{{\"topic\":{topic},\"data\":{data}}}"));
        }
        self.changed.notify_waiters();
    }

    /// Tells of an event of the control protocol.
    pub(crate) fn event(&self, fields: &Fields<'_>) {
        let raw = |name: &str| fields.get(name).map(|value| value.get());
        let text = |name: &str| raw(name).and_then(|raw| serde_json::from_str::<String>(raw).ok());
        let value = |name: &str| raw(name).and_then(|raw| control::decode(raw).ok());
        let Some(id) = text("node") else { return };
        let path = text("path");
        // (the last part of a path is the flow, or the instance of a subflow, that the node is on)
        let z = path.as_deref().filter(|path| *path != "global");
        let z = z.map(|path| path.rsplit('/').next().unwrap_or(path).to_owned());
        match text("event").as_deref() {
            Some("status") => self.status(&id, &value("status").unwrap_or_default()),
            Some("debug") if self.is_wanted("debug") => {
                let mut data = Object::new();
                data.insert("id", id);
                for (name, known) in [("z", z), ("path", path), ("name", text("name"))] {
                    if let Some(known) = known {
                        data.insert(name, known);
                    }
                }
                for name in ["topic", "property"] {
                    if let Some(value) = value(name) {
                        data.insert(name, value);
                    }
                }
                self.show(data, &value("value").unwrap_or_default());
            }
            Some("log") if self.is_wanted("debug") => {
                let level = match text("level").as_deref() {
                    Some("warn") => 30.0,
                    Some("error") => 20.0,
                    _ => return,
                };
                let about = self.about(&id);
                let shown = encode::shown(&value("message").unwrap_or_default(), self.shown);
                let mut data = Object::new();
                data.insert("level", level);
                data.insert("id", id);
                data.insert("type", about.ty);
                data.insert("msg", shown.msg);
                for (name, known) in [("z", z), ("name", about.name), ("path", path)] {
                    if let Some(known) = known {
                        data.insert(name, known);
                    }
                }
                data.insert("timestamp", value("ts").unwrap_or_default());
                data.insert("format", shown.format);
                self.tell_value("debug", Value::Object(data));
            }
            Some("lifecycle") if text("state").as_deref() == Some("stopped") => {
                self.status(&id, &Value::Undefined);
            }
            _ => {}
        }
    }

    fn show(&self, mut data: Object, value: &Value) {
        for (name, part) in &encode::shown(value, self.shown).into_object() {
            data.insert(name, part.clone());
        }
        self.tell_value("debug", Value::Object(data));
    }

    fn tell_value(&self, topic: &str, value: Value) {
        if let Ok(Some(text)) = json::stringify(&value, 0) {
            self.tell(topic, &text);
        }
    }

    /// A node's status: it is kept for as long as it says anything.
    fn status(&self, id: &str, status: &Value) {
        let topic = format!("status/{id}");
        let parts = ["text", "fill", "shape"].map(|name| (name, status.get(name)));
        if !parts.iter().any(|(_, value)| value.truthy()) {
            let was_kept = self.retained().iter().any(|(kept, _)| *kept == topic);
            if was_kept {
                self.tell(&topic, "{}");
            }
            return;
        }
        let said = parts.into_iter().filter(|(_, value)| !value.is_undefined());
        let data: Object = said.collect();
        if let Ok(Some(text)) = json::stringify(&Value::Object(data), 0) {
            self.retain_text(&topic, &text);
        }
    }
}

impl Connection {
    fn patterns(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.patterns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wants(&self, topic: &str) -> bool {
        self.patterns()
            .iter()
            .any(|pattern| matches(pattern, topic))
    }

    fn queue(&self, message: &str) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.messages.len() >= QUEUE {
            queue.messages.pop_front();
            queue.lost += 1;
        }
        queue.messages.push_back(message.to_owned());
        drop(queue);
        self.wake.notify_one();
    }

    /// The next frame: an array of messages; `None` when there are none.
    fn take(&self) -> Option<String> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Vec::new();
        if queue.lost > 0 {
            let lost = std::mem::take(&mut queue.lost);
            batch.push(format!(
                "{{\"topic\":\"vgdc/lagged\",\"data\":{{\"lost\":{lost}}}}}"
            ));
        }
        while batch.len() < BATCH
            && let Some(message) = queue.messages.pop_front()
        {
            batch.push(message);
        }
        (!batch.is_empty()).then(|| format!("[{}]", batch.join(",")))
    }
}

/// Whether a topic is one of those that a pattern means: `+` stands for one part, `/#` at the end for all that begins so.
fn matches(pattern: &str, topic: &str) -> bool {
    let (pattern, open) = match pattern.strip_suffix("/#") {
        Some(front) => (front, true),
        None => (pattern, pattern == "#"),
    };
    if open && pattern == "#" {
        return true;
    }
    let mut parts = topic.split('/');
    for wanted in pattern.split('/') {
        match parts.next() {
            Some(part) if wanted == "+" || wanted == part => {}
            _ => return false,
        }
    }
    open || parts.next().is_none()
}

/// What a client says.
#[derive(Debug, PartialEq)]
enum Said {
    Auth(String),
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    Other,
}

fn said(text: &str) -> Option<Said> {
    let message: serde_json::Value = serde_json::from_str(text).ok()?;
    let texts = |value: &serde_json::Value| -> Option<Vec<String>> {
        match value {
            serde_json::Value::String(one) => Some(vec![one.clone()]),
            serde_json::Value::Array(all) => all
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
    };
    Some(match &message {
        serde_json::Value::Object(fields) => {
            if let Some(token) = fields.get("auth").and_then(|it| it.as_str()) {
                Said::Auth(token.to_owned())
            } else if let Some(topics) = fields.get("subscribe").and_then(texts) {
                Said::Subscribe(topics)
            } else if let Some(topics) = fields.get("unsubscribe").and_then(texts) {
                Said::Unsubscribe(topics)
            } else {
                Said::Other
            }
        }
        _ => return None,
    })
}

/// Speaks with a client until it goes, or its session ends.
pub(crate) async fn converse(
    upgraded: vgdc_http::hyper::upgrade::Upgraded,
    board: Arc<Board>,
    auth: Arc<Auth>,
    mut access: Option<Access>,
) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    let socket =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (mut write, mut read) = socket.split();
    let connection = board.connect();
    let mut idle = tokio::time::interval(IDLE);
    idle.tick().await;
    let mut last = tokio::time::Instant::now();
    let is_let_in =
        |access: &Option<Access>| access.as_ref().is_some_and(|it| it.may("status.read"));
    loop {
        tokio::select! {
            message = read.next() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => continue,
                };
                // (what is no message is none, as in Node-RED)
                let Some(said) = said(&text) else { continue };
                if let Said::Auth(token) = &said {
                    access = auth.of_token(token);
                    if !is_let_in(&access) {
                        break refuse(&mut write).await;
                    }
                    if write.send(Message::text(json!({"auth": "ok"}).to_string())).await.is_err() {
                        break;
                    }
                    continue;
                }
                if !is_let_in(&access) {
                    access = auth.of_nobody();
                    if !is_let_in(&access) {
                        break refuse(&mut write).await;
                    }
                }
                match said {
                    Said::Subscribe(topics) => topics.iter().for_each(|topic| board.subscribe(&connection, topic)),
                    Said::Unsubscribe(topics) => {
                        connection.patterns().retain(|known| !topics.contains(known));
                        board.changed.notify_waiters();
                    }
                    Said::Auth(_) | Said::Other => {}
                }
            }
            () = connection.wake.notified() => {
                tokio::time::sleep(PAUSE).await;
                let Some(frame) = connection.take() else { continue };
                if write.send(Message::text(frame)).await.is_err() {
                    break;
                }
                last = tokio::time::Instant::now();
                // (what did not fit comes in the next frame)
                connection.wake.notify_one();
            }
            _ = idle.tick() => {
                if access.as_ref().is_some_and(|access| !auth.still_holds(access)) {
                    break refuse(&mut write).await;
                }
                let beat = json!([{"topic": "hb", "data": vgdc_core::Clock::Real.now_ms().floor()}]);
                if last.elapsed() >= IDLE && is_let_in(&access) && write.send(Message::text(beat.to_string())).await.is_err() {
                    break;
                }
            }
        }
    }
    drop(connection);
    board.changed.notify_waiters();
}

/// Says that the client is not let in, and ends the conversation. (A client that has gone need not hear it.)
async fn refuse<S>(write: &mut S)
where
    S: futures_util::Sink<Message> + Unpin,
{
    let _ = write
        .send(Message::text(json!({"auth": "fail"}).to_string()))
        .await;
    let _ = write.send(Message::Close(None)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_topics() {
        for (pattern, topic, expected) in [
            ("debug", "debug", true),
            ("debug", "debugger", false),
            ("status/#", "status/a", true),
            ("status/#", "status", true),
            ("status/#", "statuses/a", false),
            ("status/+", "status/a", true),
            ("status/+", "status/a/b", false),
            ("notification/#", "notification/runtime-state", true),
            ("#", "x/y", true),
            ("a/+/c", "a/b/c", true),
            ("a.b", "aXb", false),
        ] {
            assert_eq!(matches(pattern, topic), expected, "{pattern} {topic}");
        }
    }

    #[test]
    fn who_comes_later_is_told_what_holds_and_no_more_than_he_wants() {
        let board = Board::new(None);
        board.retain("notification/runtime-state", json!({"state": "start"}));
        board.retain("status/a", json!({"text": "x"}));
        board.tell("status/a", "{}");
        let connection = board.connect();
        board.subscribe(&connection, "notification/#");
        board.subscribe(&connection, "status/#");
        board.tell("debug", "1");
        assert_eq!(
            connection.take().as_deref(),
            Some(r#"[{"topic":"notification/runtime-state","data":{"state":"start"}}]"#)
        );
        assert_eq!(connection.take(), None);
    }

    #[test]
    fn a_frame_has_fifty_messages_and_a_slow_client_is_told_what_it_lost() {
        let board = Board::new(None);
        let connection = board.connect();
        board.subscribe(&connection, "debug");
        for number in 0..QUEUE + 7 {
            board.tell("debug", &number.to_string());
        }
        let frame = connection.take().expect("a frame");
        let frame: serde_json::Value = serde_json::from_str(&frame).expect("JSON");
        assert_eq!(frame.as_array().map(Vec::len), Some(BATCH));
        assert_eq!(
            frame[0],
            json!({"topic": "vgdc/lagged", "data": {"lost": 7}})
        );
        assert_eq!(frame[1]["data"], 7);
    }

    #[test]
    fn what_clients_say_is_understood_or_passed_over() {
        assert_eq!(said(r#"{"auth":"t"}"#), Some(Said::Auth("t".into())));
        assert_eq!(
            said(r#"{"subscribe":"a"}"#),
            Some(Said::Subscribe(vec!["a".into()]))
        );
        assert_eq!(
            said(r#"{"unsubscribe":["a","b"]}"#),
            Some(Said::Unsubscribe(vec!["a".into(), "b".into()]))
        );
        assert_eq!(said(r#"{"topic":"x"}"#), Some(Said::Other));
        for text in ["", "{", "[]", "1"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
