//! What waits to go to the host, and whose it is; and the writing end of the link.
//!
//! Whoever hands a message over writes it himself where nothing else is on its way: a thread that would have to be woken for
//! it costs more than all the rest. As soon as the host has something to do, messages gather, and go in batches.

use crate::link;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
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
    wire: Option<Wire>,
}

/// The writing end of the link.
struct Wire {
    socket: UnixStream,
    /// What the socket has not taken yet, from `written` on.
    bytes: Vec<u8>,
    written: usize,
    /// The host takes messages.
    up: bool,
}

impl Wire {
    /// Writes as much as the socket takes.
    fn flush(&mut self) -> io::Result<()> {
        while self.written < self.bytes.len() {
            match self.socket.write(&self.bytes[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes.clear();
        // (one flood must not hold its memory for ever)
        self.bytes.shrink_to(1 << 20);
        self.written = 0;
        Ok(())
    }
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

    /// There is a host; it is told what to do by [`Outgoing::say`], and takes no messages yet. The socket does not block.
    pub fn open(&mut self, socket: UnixStream) {
        self.wire = Some(Wire {
            socket,
            bytes: Vec::new(),
            written: 0,
            up: false,
        });
    }

    /// The host takes messages.
    pub fn set_up(&mut self) {
        if let Some(wire) = &mut self.wire {
            wire.up = true;
        }
    }

    /// Adds a frame to what is to be written, after what is written already and before the messages that wait.
    ///
    /// # Errors
    /// It is longer than a frame can be.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        match &mut self.wire {
            Some(wire) => link::append(&mut wire.bytes, text),
            None => Ok(()),
        }
    }

    /// The same, behind the messages that wait.
    ///
    /// # Errors
    /// It is longer than a frame can be.
    pub fn say_last(&mut self, text: &str) -> io::Result<()> {
        if self.count > 0 && self.wire.as_ref().is_some_and(|wire| wire.up) {
            let frame = self.take();
            self.say(&frame)?;
        }
        self.say(text)
    }

    /// Writes what there is to write, messages too when the host takes them.
    ///
    /// # Errors
    /// `WouldBlock`: the socket takes no more for now. Others: the link is broken.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(wire) = &mut self.wire {
            wire.flush()?;
            if !wire.up || self.count == 0 {
                break;
            }
            let frame = self.take();
            self.say(&frame)?;
        }
        Ok(())
    }

    /// Writes what has just been added, if nothing else is on its way. False: somebody has to see to it that it is written.
    pub fn flush_alone(&mut self) -> bool {
        let is_alone = |wire: &Wire| wire.up && wire.bytes.is_empty();
        if !self.sent.is_empty() || !self.wire.as_ref().is_some_and(is_alone) {
            return false;
        }
        // (what is wrong with the link is found by whom it is left to)
        self.flush().is_ok()
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

    /// The frame of all that waits.
    fn take(&mut self) -> String {
        let frame = format!("[\"in\",[{}]]", self.items);
        self.items.clear();
        // (one flood must not hold its memory for ever)
        self.items.shrink_to(1 << 20);
        self.count = 0;
        for (mailbox, messages) in self.waiting.drain(..) {
            count(&mut self.sent, &mailbox, messages);
        }
        frame
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

    /// The host is gone, or goes. Gives how many messages went with it; those that wait are for the next one.
    pub fn lose(&mut self) -> usize {
        self.lent.clear();
        self.wire = None;
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
