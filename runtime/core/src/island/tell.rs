//! What operators say besides messages: events, errors and who catches them, statuses, log lines, that a message is finished.

use super::Island;
use crate::trace::TraceId;
use crate::{Event, EventKind, Kinds, Level, NodeError};
use vgdc_value::{Msg, Object, Value};

impl Island {
    /// Tells a watcher (the caller has seen that there is one).
    pub(crate) fn tell(&self, slot: u32, kind: EventKind) {
        let node = Some(self.slots[slot as usize].info.clone());
        self.shared.sink.event(Event {
            node,
            ts: self.shared.clock.now_ms().floor(),
            kind,
        });
    }

    pub(crate) fn wants_done(&self, slot: u32) -> bool {
        let at = &self.slots[slot as usize];
        !at.complete.is_empty() || at.watch.any(Kinds::DONE)
    }

    pub(crate) fn done(&mut self, slot: u32, msg: Msg) {
        if self.slots[slot as usize].watch.any(Kinds::DONE) {
            self.tell(slot, EventKind::Done { msg: msg.clone() });
        }
        for i in 0..self.slots[slot as usize].complete.len() {
            let to = self.slots[slot as usize].complete[i];
            let mut msg = msg.clone();
            let mut complete = Object::new();
            complete.insert("source", self.source(slot, None));
            msg.insert("complete", Value::Object(complete));
            self.receive_now(to, msg);
        }
    }

    fn source(&self, slot: u32, count: Option<u32>) -> Value {
        let info = &self.slots[slot as usize].info;
        let mut source = Object::new();
        source.insert("id", info.id.as_str());
        source.insert("type", info.ty.as_str());
        source.insert(
            "name",
            info.name.as_deref().map_or(Value::Undefined, Value::from),
        );
        if let Some(count) = count {
            source.insert("count", f64::from(count));
        }
        Value::Object(source)
    }

    /// A call of machine code has ended, well or by bailing out of something.
    pub(crate) fn called(&mut self, slot: u32, refused: Option<&'static str>) {
        let counters = &mut self.slots[slot as usize].counters;
        match refused {
            None => counters.finished += 1,
            Some(refused) => {
                counters.bailed += 1;
                counters.refused = refused;
                self.bailed_out(slot);
            }
        }
    }

    pub(crate) fn error(&mut self, slot: u32, error: NodeError, msg: Option<&Msg>) {
        self.slots[slot as usize].counters.errors += 1;
        if self.tracing.is_some() {
            self.traced_error(slot, &error, msg);
        }
        let count = msg.map_or(1, |msg| self.error_count(slot, msg));
        if self.slots[slot as usize].watch.any(Kinds::ERROR) {
            self.tell(
                slot,
                EventKind::Error {
                    message: error.value.clone(),
                    count,
                    msg: msg.cloned(),
                },
            );
        }
        let handled = match msg {
            Some(_) if count == 10 => {
                self.log(
                    slot,
                    Level::Warn,
                    Value::from("Message exceeded maximum number of catches"),
                );
                false
            }
            Some(msg) => self.tell_catchers(slot, &error, msg, count),
            None => false,
        };
        if !handled {
            let trace = msg
                .filter(|_| self.tracing.is_some())
                .and_then(TraceId::of_msg);
            self.log_of(slot, Level::Error, error.value, trace);
        }
    }

    /// How many times this message's error came from this very node.
    fn error_count(&self, slot: u32, msg: &Msg) -> u32 {
        let source = msg.get("error").map(|error| error.get("source"));
        match source {
            Some(source)
                if source.get("id").as_str()
                    == Some(self.slots[slot as usize].info.id.as_str()) =>
            {
                source.get("count").to_number() as u32 + 1
            }
            _ => 1,
        }
    }

    fn tell_catchers(&mut self, slot: u32, error: &NodeError, msg: &Msg, count: u32) -> bool {
        let mut handled_at_all = false;
        for chain in 0..self.slots[slot as usize].catch.len() {
            for level in 0..self.slots[slot as usize].catch[chain].len() {
                let mut handled = false;
                let mut by_uncaught = false;
                for i in 0..self.slots[slot as usize].catch[chain][level].len() {
                    let (to, uncaught) = self.slots[slot as usize].catch[chain][level][i];
                    if uncaught && !by_uncaught {
                        if handled {
                            continue;
                        }
                        by_uncaught = true;
                    }
                    let msg = self.error_message(slot, error, msg, count);
                    self.receive_now(to, msg);
                    handled = true;
                }
                if handled {
                    handled_at_all = true;
                    break;
                }
            }
        }
        handled_at_all
    }

    fn error_message(&self, slot: u32, error: &NodeError, msg: &Msg, count: u32) -> Msg {
        let mut msg = msg.clone();
        if let Some(before) = msg.get("error").cloned() {
            msg.insert("_error", before);
        }
        let mut told = Object::new();
        told.insert("message", error.text());
        told.insert("source", self.source(slot, Some(count)));
        if let Some(code) = &error.code {
            told.insert("code", code.as_str());
        }
        for key in ["code", "stack", "cause"] {
            let value = error.value.get(key);
            if !value.is_undefined() && !told.contains_key(key) {
                told.insert(key, value);
            }
        }
        if let Some(stack) = &error.stack {
            told.insert("stack", stack.as_str());
        }
        msg.insert("error", Value::Object(told));
        msg
    }

    pub(crate) fn status(&mut self, slot: u32, status: Value) {
        self.slots[slot as usize].has_set_status = true;
        let status = match status {
            Value::Object(_) => status,
            Value::Null | Value::Undefined => Value::Object(Object::new()),
            other => {
                let mut object = Object::new();
                object.insert("text", other.to_js_string());
                Value::Object(object)
            }
        };
        if self.slots[slot as usize].watch.any(Kinds::STATUS) {
            self.tell(
                slot,
                EventKind::Status {
                    status: status.clone(),
                },
            );
        }
        for chain in 0..self.slots[slot as usize].status.len() {
            for level in 0..self.slots[slot as usize].status[chain].len() {
                let listeners = self.slots[slot as usize].status[chain][level].len();
                for i in 0..listeners {
                    let (to, _) = self.slots[slot as usize].status[chain][level][i];
                    let mut told = match &status {
                        Value::Object(object) => object.clone(),
                        _ => Object::new(),
                    };
                    if let Some(text) = told.get("text").map(Value::to_js_string) {
                        told.insert("text", text);
                    }
                    told.insert("source", self.source(slot, None));
                    let mut msg = Msg::new();
                    msg.insert("status", Value::Object(told));
                    self.receive_now(to, msg);
                }
                if listeners > 0 {
                    break;
                }
            }
        }
    }

    pub(crate) fn log(&mut self, slot: u32, level: Level, message: Value) {
        self.log_of(slot, level, message, None);
    }

    /// What an operator says of the message of a trace; without one, of that which it has now.
    fn log_of(&mut self, slot: u32, level: Level, message: Value, trace: Option<TraceId>) {
        let trace = trace.or_else(|| self.current_trace(slot));
        let at = &self.slots[slot as usize];
        let now = self.shared.clock.now_ms();
        let log = &self.shared.log;
        log.log_about(now, level, &at.info, &message, trace);
        if at.watch.any(Kinds::LOG) {
            self.tell(slot, EventKind::Log { level, message });
        }
    }
}
