//! What waits to go to the host, and whose it is.

use std::collections::{HashMap, VecDeque};
use vgdc_core::{Mailbox, NodeError};
use vgdc_value::{Handle, Msg, Value, control};

/// The most messages that may wait, and the most bytes: beyond, a message is an error of the node that it is for. Islands slow
/// their sources long before; only what nodes make of few messages gets here.
const MOST_MESSAGES: usize = 100_000;
const MOST_BYTES: usize = 256 << 20;

/// Messages on their way to the host.
#[derive(Default)]
pub struct Outgoing {
    /// Why there is no host that takes messages, when there is none and will be none for now.
    pub down: Option<String>,
    /// Those that wait, as the items of a JSON array.
    items: String,
    count: usize,
    /// The islands that they are of, in their order.
    waiting: VecDeque<(Mailbox, usize)>,
    /// Those that were sent and that the host has not given to its nodes yet.
    sent: VecDeque<(Mailbox, usize)>,
    /// What the host knows by name, as long as it may ask for it.
    lent: HashMap<String, Handle>,
}

impl Outgoing {
    /// Adds a message.
    ///
    /// # Errors
    /// There is no host, or too much waits.
    pub fn add(&mut self, id: &str, msg: &Msg, from: &Mailbox) -> Result<(), NodeError> {
        if let Some(why) = &self.down {
            return Err(NodeError::new(why.as_str()).with_code("host-down"));
        }
        if self.count >= MOST_MESSAGES || self.items.len() >= MOST_BYTES {
            let text = format!(
                "the host of this node takes no more: {} messages ({} MB) wait for it",
                self.count,
                self.items.len() >> 20
            );
            return Err(NodeError::new(text).with_code("host-busy"));
        }
        if !self.items.is_empty() {
            self.items.push(',');
        }
        self.items.push('[');
        control::encode_into(&mut self.items, &Value::from(id));
        self.items.push(',');
        let start = self.items.len();
        let value = Value::Object((**msg).clone());
        control::encode_into(&mut self.items, &value);
        if self.items[start..].contains("{\"$type\":\"handle\"") {
            self.lend(&value);
        }
        self.items.push(']');
        self.count += 1;
        count(&mut self.waiting, from, 1);
        from.gone();
        Ok(())
    }

    /// Holds what the host is told the name of.
    fn lend(&mut self, value: &Value) {
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            match value {
                Value::Handle(handle) => {
                    drop(self.lent.insert(handle.id().to_owned(), handle.clone()))
                }
                Value::Array(items) => todo.extend(items.iter()),
                Value::Object(object) => todo.extend(object.iter().map(|(_, value)| value)),
                _ => {}
            }
        }
    }

    /// The host holds these no longer.
    pub fn give_back(&mut self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            self.lent.remove(&id);
        }
    }

    /// The frame of all that waits, if anything does.
    pub fn take(&mut self) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        let frame = format!("[\"in\",[{}]]", self.items);
        self.items.clear();
        // (one flood must not hold its memory for ever)
        self.items.shrink_to(1 << 20);
        self.count = 0;
        for (mailbox, messages) in self.waiting.drain(..) {
            count(&mut self.sent, &mailbox, messages);
        }
        Some(frame)
    }

    /// The host has given so many messages to its nodes.
    pub fn acknowledge(&mut self, mut messages: usize) {
        while messages > 0
            && let Some((mailbox, most)) = self.sent.front_mut()
        {
            let now = messages.min(*most);
            mailbox.arrived(now);
            messages -= now;
            *most -= now;
            if *most == 0 {
                self.sent.pop_front();
            }
        }
    }

    /// The host is gone. Gives how many messages went with it; those that wait are for the next one.
    pub fn lose(&mut self) -> usize {
        self.lent.clear();
        let lost = self.sent.iter().map(|(_, count)| count).sum();
        self.acknowledge(lost);
        lost
    }

    /// There will be no host for now: nothing waits any longer. Gives how many messages did.
    pub fn drop_waiting(&mut self) -> usize {
        let dropped = self.count;
        self.items = String::new();
        self.count = 0;
        for (mailbox, messages) in self.waiting.drain(..) {
            mailbox.arrived(messages);
        }
        dropped
    }
}

fn count(list: &mut VecDeque<(Mailbox, usize)>, mailbox: &Mailbox, messages: usize) {
    match list.back_mut() {
        Some((last, count)) if last.is_of_island_of(mailbox) => *count += messages,
        _ => list.push_back((mailbox.clone(), messages)),
    }
}
