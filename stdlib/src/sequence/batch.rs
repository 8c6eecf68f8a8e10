//! **batch** — makes sequences of messages: of so many, of those that come within a time, or one of several by their topics.
//!
//! - *number of messages*: so many are a sequence; the last of them (*overlap*) also begin the next. If `msg.parts` are
//!   honoured, the last message of a sequence completes one, too;
//! - *time interval*: what came within the interval is a sequence; if nothing came, an empty message can be sent;
//! - *concatenate sequences*: one sequence of each topic, in the order of the topics, become one.
//!
//! `msg.reset` forgets what waits. At most `nodeMessageBufferMaxLength` messages wait, if that setting is given.

use super::delimiter::type_error;
use super::order::ByName;
use crate::common::limits::most_waiting;
use std::collections::VecDeque;
use vgdc_core::spec::FieldSpec;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value, generate_id};
use vgdc_core::{Closing, Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, fields, node};

/// A topic, in forms.
const TOPIC: &[FieldSpec] = fields![(name = "topic", label = "Topic", required = true),];

/// The form's properties.
#[derive(Config)]
pub struct BatchConfig {
    #[field(default = "count", label = "Mode", choices = [("count", "By number of messages"), ("interval", "By time"), ("concat", "Concatenate sequences")])]
    mode: String,
    #[field(json = "1", begin = 10, kind = Number, label = "Messages", when = [is("mode", "count")])]
    count: Value,
    #[field(json = "0", kind = Number, label = "Overlap", when = [is("mode", "count")])]
    overlap: Value,
    #[field(json = "0", begin = 10, kind = Number, label = "Interval (seconds)", when = [is("mode", "interval")])]
    interval: Value,
    #[field(name = "allowEmptySequence", json = "false", shown = Bool, label = "Send an empty message when none came", when = [is("mode", "interval")])]
    allow_empty: Value,
    #[field(json = "[]", begin_json = "[{\"topic\":\"\"}]", label = "Topics", when = [is("mode", "concat")], items = TOPIC)]
    topics: Vec<Value>,
    #[field(name = "honourParts", json = "false", shown = Bool, label = "Use msg.parts")]
    honour_parts: Value,
}

/// What ends a sequence.
enum Mode {
    Count {
        count: f64,
        overlap: f64,
        honour_parts: bool,
        /// The last message of a sequence has come.
        ended: bool,
    },
    Interval {
        ms: f64,
        timer: Option<TimerId>,
        allow_empty: bool,
    },
    Concat(Vec<Value>),
    /// The form makes no sense (the node has said so); messages are left lying.
    Nothing,
}

/// The sequences of a topic, by their ids.
#[derive(Default)]
struct Topic {
    groups: ByName<Group>,
    /// The ids in the order in which the sequences began.
    ids: VecDeque<String>,
}

/// A sequence to be concatenated.
struct Group {
    count: Value,
    msgs: Vec<Msg>,
}

/// The behaviour.
pub struct Batch {
    mode: Mode,
    pending: Vec<Msg>,
    topics: ByName<Topic>,
    /// How many messages came since something was sent or forgotten. (Node-RED's count of them: what overlaps is not in it, and
    /// it falls below nothing where a topic is named twice.)
    waiting: i64,
    max_kept: i64,
}

const TOO_MANY: &str = "too many pending messages in batch node";

#[node(type = "batch", category = "sequence", inputs = 1, outputs = 1, effect = State, types = types, waits = true, color = "#e2d96e", icon = "batch.svg")]
impl Node for Batch {
    type Config = BatchConfig;

    fn new(config: BatchConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let or = |value: &Value, default: f64| match value.truthy() {
            true => value.to_number(),
            false => default,
        };
        let mode = match config.mode.as_str() {
            "count" | "" => {
                let (count, overlap) = (or(&config.count, 1.0), or(&config.overlap, 0.0));
                if count <= overlap {
                    cx.error("Invalid count and overlap", None);
                    Mode::Nothing
                } else {
                    Mode::Count {
                        count,
                        overlap,
                        honour_parts: config.honour_parts.truthy(),
                        ended: false,
                    }
                }
            }
            "interval" => {
                let ms = or(&config.interval, 0.0) * 1000.0;
                Mode::Interval {
                    ms,
                    timer: interval(cx, ms),
                    allow_empty: config.allow_empty.truthy(),
                }
            }
            "concat" => Mode::Concat(config.topics.iter().map(|row| row.get("topic")).collect()),
            _ => {
                cx.error("unexpected mode", None);
                Mode::Nothing
            }
        };
        Ok(Batch {
            mode,
            pending: Vec::new(),
            topics: ByName::default(),
            waiting: 0,
            max_kept: i64::try_from(most_waiting(cx)).unwrap_or(i64::MAX),
        })
    }
}

/// Messages are what they were, with another place in a sequence.
fn types(t: &mut dyn Typing) {
    if t.text("mode") == "interval" {
        // (the empty message)
        let any = t.ty("object{..}");
        t.set_message(any);
    } else {
        let parts = t.ty("object{..}");
        t.set("parts", parts);
    }
    t.send(0);
}

/// The timer of an interval; none where there is no time.
fn interval(cx: &mut Cx<'_>, ms: f64) -> Option<TimerId> {
    // (`setInterval` knows nothing shorter than a millisecond)
    (ms > 0.0).then(|| cx.set_timer_ms(ms.max(1.0)))
}

/// Whether a message is the last of its sequence: `index + 1 === count`, which two texts can fulfil, too.
fn is_last(msg: &Msg) -> Result<bool, NodeError> {
    let Some(parts) = msg.get("parts") else {
        return Ok(false);
    };
    if parts.is_nullish() {
        let what = parts.to_js_string();
        return Err(type_error(format!(
            "Cannot read properties of {what} (reading 'index')"
        )));
    }
    Ok(match (parts.get("index"), parts.get("count")) {
        (Value::Str(index), Value::Str(count)) => format!("{index}1") == *count,
        (Value::Str(_), _) => false,
        (index, Value::Number(count)) => !index.is_object() && index.to_number() + 1.0 == count,
        _ => false,
    })
}

/// Puts a message into a sequence.
fn place(msg: &mut Msg, id: &Value, index: usize, count: usize) -> Result<(), NodeError> {
    if !msg.contains_key("parts") {
        msg.insert("parts", Object::new());
    }
    match msg.get_mut("parts") {
        Some(Value::Object(parts)) => {
            parts.insert("id", id.clone());
            parts.insert("index", index);
            parts.insert("count", count);
            Ok(())
        }
        Some(odd) if odd.is_nullish() => {
            let what = odd.to_js_string();
            Err(type_error(format!(
                "Cannot set properties of {what} (setting 'id')"
            )))
        }
        // (arrays and the like take names in JavaScript, which nobody sees then)
        Some(odd) if odd.is_object() => Ok(()),
        Some(odd) => {
            let (ty, text) = (odd.type_of(), odd.to_js_string());
            Err(type_error(format!(
                "Cannot create property 'id' on {ty} '{text}'"
            )))
        }
        None => Ok(()),
    }
}

/// Sends messages as one sequence. `keep` leaves them as they are, since they will be sent again or are told of as they came.
fn send_sequence(cx: &mut Cx<'_>, msgs: &mut [Msg], keep: bool) -> Result<(), NodeError> {
    let count = msgs.len();
    let id = msgs
        .first()
        .and_then(|msg| msg.get("_msgid").cloned())
        .unwrap_or_default();
    for (index, msg) in msgs.iter_mut().enumerate() {
        let mut sent = msg.clone();
        place(&mut sent, &id, index, count)?;
        if !keep {
            *msg = sent.clone();
        }
        cx.send(0, sent);
    }
    Ok(())
}

impl Batch {
    /// Forgets what waits; the node has finished with it.
    fn forget(&mut self, cx: &mut Cx<'_>) {
        self.waiting = 0;
        std::mem::take(&mut self.pending)
            .iter()
            .for_each(|msg| cx.done_with(msg));
        let topics = std::mem::take(&mut self.topics).into_values().into_iter();
        let groups = topics.flat_map(|topic| topic.groups.into_values());
        groups
            .flat_map(|group| group.msgs)
            .for_each(|msg| cx.done_with(&msg));
    }

    /// Forgets everything when there is too much of it; the last message gets the error.
    fn limit(&mut self, cx: &mut Cx<'_>) {
        if self.waiting <= self.max_kept {
            return;
        }
        if let Some(last) = self.pending.pop() {
            cx.error(TOO_MANY, Some(&last));
        }
        self.forget(cx);
    }

    fn count(&mut self, cx: &mut Cx<'_>, msg: Msg) -> Result<(), NodeError> {
        let Mode::Count {
            count,
            overlap,
            honour_parts,
            ended,
        } = &mut self.mode
        else {
            return Ok(());
        };
        if *honour_parts && is_last(&msg)? {
            *ended = true;
        }
        let (overlap, is_full) = (
            *overlap,
            *count == (self.pending.len() + 1) as f64 || *ended,
        );
        self.pending.push(msg);
        self.waiting += 1;
        if is_full {
            send_sequence(cx, &mut self.pending, overlap > 0.0)?;
            let finished = self.pending.len() as f64 - overlap;
            for (at, msg) in self.pending.iter().enumerate() {
                if (at as f64) < finished {
                    cx.done_with(msg);
                }
            }
            if overlap < 0.0 {
                return Err(type_error(
                    "Cannot read properties of undefined (reading 'done')",
                ));
            }
            // `slice(-overlap)`: a part of one is nothing, and from nothing on is everything
            let kept = match overlap.trunc() {
                _ if overlap == 0.0 => 0,
                0.0 => self.pending.len(),
                some => some as usize,
            };
            let first = self.pending.len().saturating_sub(kept);
            self.pending.drain(..first);
            self.waiting = 0;
            if let Mode::Count { ended, .. } = &mut self.mode {
                *ended = false;
            }
        }
        self.limit(cx);
        Ok(())
    }

    /// The interval is over.
    fn send_interval(&mut self, cx: &mut Cx<'_>) -> Result<(), NodeError> {
        let Mode::Interval {
            ms,
            timer,
            allow_empty,
        } = &mut self.mode
        else {
            return Ok(());
        };
        *timer = interval(cx, *ms);
        self.waiting = 0;
        if !self.pending.is_empty() {
            let mut msgs = std::mem::take(&mut self.pending);
            send_sequence(cx, &mut msgs, false)?;
            msgs.iter().for_each(|msg| cx.done_with(msg));
        } else if *allow_empty {
            let mut msg = Msg::with_payload(Value::Null);
            place(&mut msg, &Value::from(generate_id()), 0, 1)?;
            cx.send(0, msg);
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------- concatenation

    fn concat(&mut self, cx: &mut Cx<'_>, msg: Msg) -> Result<(), NodeError> {
        let Mode::Concat(wanted) = &self.mode else {
            return Ok(());
        };
        let topic = msg.topic();
        if !wanted.iter().any(|wanted| wanted.strict_eq(topic)) {
            return Ok(());
        }
        let parts = match msg.get("parts") {
            Some(Value::Object(parts)) if parts.contains_key("index") => parts,
            Some(odd) if odd.is_nullish() => {
                let what = odd.to_js_string();
                return Err(type_error(format!(
                    "Cannot read properties of {what} (reading 'hasOwnProperty')"
                )));
            }
            _ => return Err("no parts property in message".into()),
        };
        let (Some(id), Some(count)) = (parts.get("id"), parts.get("count")) else {
            return Err("no parts property in message".into());
        };
        let (id, topic) = (id.to_js_string(), topic.to_js_string());
        let count = count.clone();
        let topic = self.topics.entry(&topic, Topic::default);
        if topic.groups.get(&id).is_none() {
            topic.ids.push_back(id.clone());
        }
        let group = topic.groups.entry(&id, || Group {
            count: Value::Undefined,
            msgs: Vec::new(),
        });
        if group.count.is_undefined() {
            group.count = count;
        }
        group.msgs.push(msg.clone());
        self.waiting += 1;
        if self.waiting > self.max_kept {
            self.overflow(cx, &msg);
            // (what the message has completed is sent nevertheless)
            let mut forgotten = std::mem::take(&mut self.topics);
            return self.join(cx, &mut forgotten);
        }
        let mut topics = std::mem::take(&mut self.topics);
        let joined = self.join(cx, &mut topics);
        self.topics = topics;
        joined
    }

    /// Too much waits. Node-RED tells of the message that was too much by `msg.id`, which hardly any message has, so that all
    /// that wait get the error.
    fn overflow(&mut self, cx: &mut Cx<'_>, last: &Msg) {
        let id = |msg: &Msg| msg.get("id").cloned().unwrap_or_default();
        let topics = self.topics.values().into_iter();
        let groups = topics.flat_map(|topic| topic.groups.values());
        for msg in groups.flat_map(|group| &group.msgs) {
            if id(msg).strict_eq(&id(last)) {
                cx.error(TOO_MANY, Some(msg));
            } else {
                cx.done_with(msg);
            }
        }
        self.waiting = 0;
    }

    /// Sends a sequence when there is one of each topic.
    fn join(&mut self, cx: &mut Cx<'_>, topics: &mut ByName<Topic>) -> Result<(), NodeError> {
        let Mode::Concat(wanted) = &self.mode else {
            return Ok(());
        };
        let names: Vec<String> = wanted.iter().map(Value::to_js_string).collect();
        let mut msgs = Vec::new();
        for name in &names {
            let Some(topic) = topics.get(name) else {
                return Ok(());
            };
            let first = topic.ids.front().and_then(|id| topic.groups.get(id));
            match first {
                Some(group) if group.count.as_f64() == Some(group.msgs.len() as f64) => {
                    msgs.extend_from_slice(&group.msgs);
                }
                _ => return Ok(()),
            }
        }
        // (a topic that is named twice loses two sequences)
        for topic in &names {
            if let Some(topic) = topics.get_mut(topic)
                && let Some(id) = topic.ids.pop_front()
            {
                topic.groups.remove(&id);
            }
        }
        send_sequence(cx, &mut msgs, true)?;
        msgs.iter().for_each(|msg| cx.done_with(msg));
        self.waiting -= msgs.len() as i64;
        Ok(())
    }
}

impl Process for Batch {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if msg.contains_key("reset") && !matches!(self.mode, Mode::Nothing) {
            self.forget(cx);
            cx.done_with(&msg);
            if let Mode::Interval { ms, timer, .. } = &mut self.mode {
                if let Some(timer) = timer.take() {
                    cx.clear_timer(timer);
                }
                *timer = interval(cx, *ms);
            }
            return;
        }
        let told = msg.clone();
        let outcome = match self.mode {
            Mode::Count { .. } => self.count(cx, msg),
            Mode::Interval { .. } => {
                self.pending.push(msg);
                self.waiting += 1;
                self.limit(cx);
                Ok(())
            }
            Mode::Concat(_) => self.concat(cx, msg),
            Mode::Nothing => Ok(()),
        };
        if let Err(error) = outcome {
            cx.error(error, Some(&told));
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, _: TimerId) {
        if let Err(error) = self.send_interval(cx) {
            cx.error(error, None);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        self.forget(cx);
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;
    use vgdc_core::value::Value;

    #[test]
    fn an_interval_that_brings_nothing_is_an_empty_message() {
        let flow = Flow::start(json!([
            { "id": "b", "type": "batch", "mode": "interval", "interval": "0.05", "allowEmptySequence": true, "wires": [["h"]] },
            { "id": "h", "type": "helper" },
        ]));
        flow.post("b", json!({ "_msgid": "one", "payload": 1 }));
        flow.post(
            "b",
            json!({ "_msgid": "two", "payload": 2, "parts": { "key": "k" } }),
        );
        let got = flow.wait_received("h", 3);
        let empty = got.iter().position(|msg| msg.get("payload").is_null());
        let full: Vec<&Value> = got
            .iter()
            .filter(|msg| !msg.get("payload").is_null())
            .collect();
        let empty = &got[empty.expect("an empty message")];
        assert_eq!(empty.get("parts").get("count"), 1.into());
        assert_ne!(empty.get("parts").get("id"), empty.get("_msgid"));
        assert_eq!(full[0].get("parts").get("id"), "one".into());
        assert_eq!(full[1].get("parts").get("index"), 1.into());
        assert_eq!(full[1].get("parts").get("key"), "k".into());
        assert_eq!(flow.finished("b").len(), 2);
    }

    #[test]
    fn a_reset_begins_the_interval_anew() {
        let mut flow = Flow::start(json!([
            { "id": "b", "type": "batch", "mode": "interval", "interval": 3600, "wires": [["h"]] },
            { "id": "h", "type": "helper" },
        ]));
        flow.receive("b", json!({ "payload": 1 }));
        flow.receive("b", json!({ "reset": 1 }));
        flow.receive("b", json!({ "payload": 2 }));
        assert_eq!(flow.finished("b").len(), 2);
        flow.stop();
        assert_eq!(flow.finished("b").len(), 3);
        assert!(flow.received("h").is_empty());
    }
}
