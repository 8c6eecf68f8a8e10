//! What happened: taken from the runtime's events, and given out to expectations once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use vgdc_core::{Event, EventKind, Level, Sink};
use vgdc_value::{Object, Rare, Value};

/// Takes events on the islands' threads.
#[derive(Default)]
pub(crate) struct Seen {
    events: Mutex<Vec<Event>>,
}

impl Sink for Seen {
    fn event(&self, event: Event) {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }
}

impl Seen {
    /// What has come since the last call.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A kind of thing that happens at a node, as a test file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum What {
    Receives,
    Sends,
    Status,
    Errors,
    Debug,
    Logs,
    Done,
}

/// What happened at nodes, in order.
#[derive(Default)]
pub(crate) struct Observed {
    /// Each with its output, which means something for what is sent only.
    happened: HashMap<(String, What), Vec<(usize, Value)>>,
    /// How much of it an expectation has looked at.
    looked_at: HashMap<(String, What), usize>,
    /// Errors that nothing caught: the node and the text.
    pub uncaught: Vec<(String, String)>,
}

impl Observed {
    /// Takes over what the sink has got.
    pub(crate) fn take(&mut self, seen: &Seen) {
        for Event { node, kind, .. } in seen.take() {
            let Some(node) = node else { continue };
            let (what, output, value) = match kind {
                EventKind::Input { msg } => (What::Receives, 0, msg.into_value()),
                EventKind::Send { output, msg } => (What::Sends, output, msg.into_value()),
                EventKind::Done { msg } => (What::Done, 0, msg.into_value()),
                EventKind::Error { message, .. } => (What::Errors, 0, message),
                EventKind::Status { status } => (What::Status, 0, status),
                EventKind::Debug { value, .. } => (What::Debug, 0, value),
                EventKind::Log { level, message } => {
                    if level <= Level::Error {
                        self.uncaught.push((node.id.clone(), text_of(&message)));
                    }
                    let mut entry = Object::new();
                    entry.insert("level", level.name());
                    entry.insert("message", message);
                    (What::Logs, 0, Value::Object(entry))
                }
                EventKind::Lifecycle { .. } => continue,
            };
            let key = (node.id.clone(), what);
            self.happened.entry(key).or_default().push((output, value));
        }
    }

    /// What has happened since the last look, each with its output; from now on it has been looked at.
    pub(crate) fn since(&mut self, node: &str, what: What) -> &[(usize, Value)] {
        let key = (node.to_owned(), what);
        let Some(all) = self.happened.get(&key) else {
            return &[];
        };
        let from = self.looked_at.insert(key, all.len()).unwrap_or(0);
        &all[from..]
    }

    /// All that happened.
    pub(crate) fn all(&self, node: &str, what: What) -> &[(usize, Value)] {
        let key = (node.to_owned(), what);
        self.happened.get(&key).map_or(&[], Vec::as_slice)
    }
}

/// What a raised value says: an error's message, a text itself, other values as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Rare(rare) => match &**rare {
            Rare::Error(error) => error.message.to_string(),
            _ => crate::matcher::shown(value),
        },
        other => crate::matcher::shown(other),
    }
}
