//! Events on their way to subscribers.
//!
//! An island's thread only puts an event into the queues of those who watch it; writing it as JSON happens where the
//! subscriber's queue is read. A queue that is full loses events, counts them, and says so.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, Weak};
use vgdc_core::{Event, EventKind, Kinds, Level, LogSink, OpInfo, Sink};
use vgdc_value::{Value, control};

/// Events that may wait for a subscriber before it loses some.
const QUEUE_LIMIT: usize = 100_000;

/// All subscribers. Is the runtime's [`Sink`].
#[derive(Default)]
pub struct Hub {
    subscribers: RwLock<Vec<Weak<Subscriber>>>,
}

/// One who reads events and answers.
pub struct Subscriber {
    outbox: Outbox,
    filter: RwLock<Filter>,
}

#[derive(Default)]
struct Filter {
    all: Kinds,
    nodes: HashMap<String, Kinds>,
}

enum Item {
    Line(String),
    Event(Box<Event>),
    Lagged(u64),
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    events: usize,
    lost: u64,
    closed: bool,
}

/// A subscriber's queue: answers, which are never lost, and events.
#[derive(Clone, Default)]
pub struct Outbox(Arc<(Mutex<Queue>, Condvar, tokio::sync::Notify)>);

impl Outbox {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.0.1.notify_one();
        self.0.2.notify_one();
    }

    /// Queues a line that is never lost.
    pub fn line(&self, line: String) {
        self.lock().items.push_back(Item::Line(line));
        self.wake();
    }

    fn event(&self, event: Event) {
        let mut queue = self.lock();
        if queue.events >= QUEUE_LIMIT {
            queue.lost += 1;
            return;
        }
        if queue.lost > 0 {
            let lost = std::mem::take(&mut queue.lost);
            queue.items.push_back(Item::Lagged(lost));
        }
        queue.events += 1;
        queue.items.push_back(Item::Event(Box::new(event)));
        drop(queue);
        self.wake();
    }

    /// No more is coming; what is queued can still be read.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake();
    }

    fn take(queue: &mut Queue) -> Vec<Item> {
        queue.events = 0;
        let mut items: Vec<Item> = queue.items.drain(..).collect();
        if queue.lost > 0 {
            items.push(Item::Lagged(std::mem::take(&mut queue.lost)));
        }
        items
    }

    /// The lines that wait, each ended by a newline; blocks until there are some. `None`: closed and all read.
    pub fn wait(&self) -> Option<String> {
        let mut queue = self.lock();
        loop {
            let items = Self::take(&mut queue);
            if !items.is_empty() {
                drop(queue);
                return Some(text_of(items));
            }
            if queue.closed {
                return None;
            }
            queue = self.0.1.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same for a task.
    pub async fn next(&self) -> Option<String> {
        loop {
            let notified = self.0.2.notified();
            {
                let mut queue = self.lock();
                let items = Self::take(&mut queue);
                if !items.is_empty() {
                    drop(queue);
                    return Some(text_of(items));
                }
                if queue.closed {
                    return None;
                }
            }
            notified.await;
        }
    }
}

fn text_of(items: Vec<Item>) -> String {
    let mut text = String::new();
    for item in items {
        match item {
            Item::Line(line) => text.push_str(&line),
            Item::Event(event) => write_event(&mut text, &event),
            Item::Lagged(lost) => {
                text.push_str(&format!("{{\"event\":\"lagged\",\"lost\":{lost}}}"))
            }
        }
        text.push('\n');
    }
    text
}

impl Hub {
    /// Adds a subscriber that watches nothing yet. It is forgotten when it is dropped.
    pub fn subscribe(&self) -> Arc<Subscriber> {
        let subscriber = Arc::new(Subscriber {
            outbox: Outbox::default(),
            filter: RwLock::default(),
        });
        let mut all = self
            .subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(&subscriber));
        subscriber
    }
}

impl Hub {
    /// True when nobody else subscribes.
    pub(crate) fn is_only(&self, subscriber: &Subscriber) -> bool {
        let all = self
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter_map(Weak::upgrade)
            .all(|known| std::ptr::eq(&*known, subscriber))
    }
}

impl Sink for Hub {
    fn event(&self, event: Event) {
        let subscribers = self
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let wanting: Vec<Arc<Subscriber>> = subscribers
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|s| s.wants(&event))
            .collect();
        if let Some((last, others)) = wanting.split_last() {
            for subscriber in others {
                subscriber.outbox.event(event.clone());
            }
            last.outbox.event(event);
        }
    }
}

/// Lines of the runtime itself (not of a node) reach subscribers too.
impl LogSink for Hub {
    fn log(&self, ts: f64, level: Level, node: Option<&OpInfo>, message: &Value) {
        // (nodes' lines come as events of theirs)
        if node.is_none() {
            self.event(Event {
                node: None,
                ts: ts.floor(),
                kind: EventKind::Log {
                    level,
                    message: message.clone(),
                },
            });
        }
    }
}

impl Subscriber {
    /// Where answers go and everything is read.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn wants(&self, event: &Event) -> bool {
        let filter = self.filter.read().unwrap_or_else(PoisonError::into_inner);
        let kinds = event.kind.kinds();
        let of_node = || {
            let node = event.node.as_ref()?;
            filter.nodes.get(&node.id)
        };
        filter.all.intersects(kinds) || of_node().is_some_and(|wanted| wanted.intersects(kinds))
    }

    pub(crate) fn watch(&self, nodes: Option<&[String]>, kinds: Kinds) {
        let mut filter = self.filter.write().unwrap_or_else(PoisonError::into_inner);
        match nodes {
            None => filter.all = filter.all.union(kinds),
            Some(ids) => {
                for id in ids {
                    let at = filter.nodes.entry(id.clone()).or_default();
                    *at = at.union(kinds);
                }
            }
        }
    }

    pub(crate) fn unwatch(&self, nodes: Option<&[String]>, kinds: Kinds) {
        let mut filter = self.filter.write().unwrap_or_else(PoisonError::into_inner);
        match nodes {
            None => {
                filter.all = filter.all.without(kinds);
                filter
                    .nodes
                    .values_mut()
                    .for_each(|at| *at = at.without(kinds));
            }
            Some(ids) => {
                for id in ids {
                    if let Some(at) = filter.nodes.get_mut(id) {
                        *at = at.without(kinds);
                    }
                }
            }
        }
        filter.nodes.retain(|_, kinds| *kinds != Kinds::NONE);
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An event as the control protocol's line has it, without the newline.
pub fn event_line(event: &Event) -> String {
    let mut line = String::new();
    write_event(&mut line, event);
    line
}

fn write_event(out: &mut String, event: &Event) {
    let name = match &event.kind {
        EventKind::Input { .. } => "input",
        EventKind::Send { .. } => "send",
        EventKind::Done { .. } => "done",
        EventKind::Error { .. } => "error",
        EventKind::Status { .. } => "status",
        EventKind::Log { .. } => "log",
        EventKind::Debug { .. } => "debug",
        EventKind::Lifecycle { .. } => "lifecycle",
    };
    let node = event
        .node
        .as_ref()
        .map_or_else(|| "null".to_owned(), |node| quoted(&node.id));
    out.push_str(&format!(
        "{{\"event\":\"{name}\",\"node\":{node},\"ts\":{}",
        event.ts
    ));
    let mut field = |name: &str, text: &str| {
        out.push_str(",\"");
        out.push_str(name);
        out.push_str("\":");
        out.push_str(text);
    };
    let value = |value: &Value| control::encode(value);
    let whole = |msg: &vgdc_value::Msg| control::encode(&Value::Object((**msg).clone()));
    match &event.kind {
        EventKind::Input { msg } | EventKind::Done { msg } => field("msg", &whole(msg)),
        EventKind::Send { output, msg } => {
            field("output", &output.to_string());
            field("msg", &whole(msg));
        }
        EventKind::Error {
            message,
            count,
            msg,
        } => {
            field("message", &value(message));
            if let Some(node) = &event.node {
                let name = node
                    .name
                    .as_deref()
                    .map(|name| format!(",\"name\":{}", quoted(name)))
                    .unwrap_or_default();
                field(
                    "source",
                    &format!(
                        "{{\"id\":{},\"type\":{}{name},\"count\":{count}}}",
                        quoted(&node.id),
                        quoted(&node.ty)
                    ),
                );
            }
            if let Some(msg) = msg {
                field("msg", &whole(msg));
            }
        }
        EventKind::Status { status } => field("status", &value(status)),
        EventKind::Log { level, message } => {
            field("level", &quoted(level.name()));
            field("message", &value(message));
            if let Some(node) = &event.node {
                field("path", &quoted(&node.path));
            }
        }
        EventKind::Debug {
            name,
            topic,
            property,
            value: shown,
            format,
        } => {
            // (what a debug node has not is left out, as Node-RED does)
            if !name.is_empty() {
                field("name", &quoted(name));
            }
            if !topic.is_undefined() {
                field("topic", &value(topic));
            }
            if !property.is_empty() {
                field("property", &quoted(property));
            }
            if let Some(node) = &event.node {
                field("path", &quoted(&node.path));
            }
            field("value", &value(shown));
            field("format", &quoted(format));
        }
        EventKind::Lifecycle { state, message } => {
            field("state", &quoted(state));
            field("message", &quoted(message));
        }
    }
    out.push('}');
}
