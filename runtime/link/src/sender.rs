//! The sending end of a link, as a state machine: no socket, no clock, no thread. Who drives it passes the time in, hands it
//! what arrives for it, and writes what [`Sender::poll`] gives.

use crate::epoch::Position;
use crate::frame::{
    Ack, Code, Credit, Delivery, Fault, Frame, Item, MAX_BATCH, MAX_MESSAGE, Open, encode_batch,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a sender behaves.
#[derive(Debug, Clone)]
pub struct SenderConfig {
    /// What the link promises.
    pub delivery: Delivery,
    /// The owner's epoch.
    pub epoch: u64,
    /// How many messages wait at most: to be sent, and on a durable link to be confirmed.
    pub queue_messages: usize,
    /// There is room as long as fewer bytes of messages wait. (So there may be this and a message.)
    pub queue_bytes: usize,
    /// How long a message may be, in bytes as CBOR: at most [`MAX_MESSAGE`].
    pub max_message: usize,
    /// A batch is sent when it has so many bytes.
    pub batch_bytes: usize,
    /// A batch is sent when it has so many messages.
    pub batch_messages: usize,
    /// A batch that is smaller is sent when its first message has waited so long. Zero: whatever is there is sent at once,
    /// so that batches are what came while the last one was written. (The timers of sessions have a millisecond's grain.)
    pub linger: Duration,
    /// How long to wait before a link is opened again that the other side does not know, or not yet.
    pub retry: Duration,
}

impl Default for SenderConfig {
    fn default() -> SenderConfig {
        SenderConfig {
            delivery: Delivery::Fast,
            epoch: 0,
            queue_messages: 10_000,
            queue_bytes: 32 << 20,
            max_message: MAX_MESSAGE,
            batch_bytes: 32 << 10,
            batch_messages: 1024,
            linger: Duration::ZERO,
            retry: Duration::from_millis(200),
        }
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// No room: wait until there is.
    Full(Item),
    /// Longer than the link carries: its length in bytes, and the longest.
    TooLong(usize, usize),
    /// The link was closed on this side.
    Closed,
    /// The other side does not want it, and never will.
    Fault(Fault),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Full(_) => {
                f.write_str("the link's queue is full: the other side does not keep up, or is away")
            }
            Refused::TooLong(length, most) => write!(
                f,
                "a message of {length} bytes is longer than the {most} that a link carries: send it in parts"
            ),
            Refused::Closed => f.write_str("the link is closed"),
            Refused::Fault(fault) => write!(f, "the link has ended: {}", fault.text),
        }
    }
}

impl std::error::Error for Refused {}

/// What a sender has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderStats {
    /// Messages taken.
    pub taken: u64,
    /// Messages sent, repetitions too.
    pub sent: u64,
    /// Messages of those sent that were repeated after a connection broke.
    pub repeated: u64,
    /// Messages of a durable link that are confirmed.
    pub confirmed: u64,
    /// Batches sent.
    pub batches: u64,
}

#[derive(Debug)]
enum State {
    /// No connection.
    Away,
    /// To be opened at this time; `None`: now.
    ToOpen(Option<Instant>),
    /// Opened; the other side has not said where it is.
    Opening,
    Open,
}

/// The sending end of a link.
#[derive(Debug)]
pub struct Sender {
    config: SenderConfig,
    name: String,
    instance: u64,
    /// Fast: what is to be sent. Durable: what is not confirmed; the first `sent` of it were sent on this connection.
    queue: VecDeque<Item>,
    bytes: usize,
    sent: usize,
    sent_bytes: usize,
    /// The number of the queue's first message.
    front: u64,
    /// Where the highest number that was ever sent ends.
    high: u64,
    state: State,
    link: u32,
    credit: Credit,
    used: Credit,
    /// Since when there has been something to send.
    waiting: Option<Instant>,
    flush: bool,
    closing: bool,
    closed: bool,
    ended: Option<Fault>,
    stats: SenderStats,
}

impl Sender {
    /// A sender that begins to number (fast: `instance` is new), or goes on: `first` is the number of the first of the
    /// messages in the outbox.
    pub fn new(
        name: impl Into<String>,
        config: SenderConfig,
        instance: u64,
        first: u64,
        outbox: impl IntoIterator<Item = Item>,
    ) -> Sender {
        let queue: VecDeque<Item> = outbox.into_iter().collect();
        Sender {
            bytes: queue.iter().map(|item| item.message.len()).sum(),
            high: first,
            queue,
            config,
            name: name.into(),
            instance,
            sent: 0,
            sent_bytes: 0,
            front: first,
            state: State::Away,
            link: 0,
            credit: Credit::default(),
            used: Credit::default(),
            waiting: None,
            flush: false,
            closing: false,
            closed: false,
            ended: None,
            stats: SenderStats::default(),
        }
    }

    /// The link's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it promises.
    pub fn delivery(&self) -> Delivery {
        self.config.delivery
    }

    /// What it has done.
    pub fn stats(&self) -> SenderStats {
        self.stats
    }

    /// The first message that is still kept: fast, not sent; durable, not confirmed.
    pub fn front(&self) -> Position {
        Position {
            epoch: self.config.epoch,
            instance: self.instance,
            sequence: self.front,
        }
    }

    /// How many messages are kept.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// How many bytes of messages are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether no message is kept.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether there is room for a message.
    pub fn room(&self) -> bool {
        self.queue.len() < self.config.queue_messages && self.bytes < self.config.queue_bytes
    }

    /// Whether the other side has taken the link on a connection that stands.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Why it has ended for good.
    pub fn ended(&self) -> Option<&Fault> {
        self.ended.as_ref()
    }

    /// Whether it has done all that it will, after [`Sender::close`]: all is sent (durable: and confirmed), or it has ended.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether a message would be taken now, were it not for room.
    ///
    /// # Errors
    /// It would not.
    pub fn check(&self, length: usize) -> Result<(), Refused> {
        if let Some(fault) = &self.ended {
            return Err(Refused::Fault(fault.clone()));
        }
        if self.closing {
            return Err(Refused::Closed);
        }
        let most = self.config.max_message.min(MAX_MESSAGE);
        if length > most {
            return Err(Refused::TooLong(length, most));
        }
        Ok(())
    }

    /// Takes a message; gives its number. (Of a durable link: when it is in the outbox.) The time is asked for where it counts:
    /// for the first message that lingers.
    ///
    /// # Errors
    /// There is no room, or never will be.
    pub fn push(&mut self, item: Item, now: impl FnOnce() -> Instant) -> Result<u64, Refused> {
        let length = item.message.len();
        self.check(length)?;
        if !self.room() {
            return Err(Refused::Full(item));
        }
        if !self.config.linger.is_zero() {
            self.waiting.get_or_insert_with(now);
        }
        self.bytes += length;
        self.queue.push_back(item);
        self.stats.taken += 1;
        Ok(self.next() - 1)
    }

    /// The number that the next message gets.
    pub fn next(&self) -> u64 {
        self.front + self.queue.len() as u64
    }

    /// Sends what is there without waiting for more.
    pub fn flush(&mut self) {
        self.flush = true;
    }

    /// Takes no more; what is there is sent, and confirmed, then the link is closed.
    pub fn close(&mut self) {
        self.closing = true;
        self.flush = true;
        self.close_away();
    }

    /// Without a connection nobody has to be told that nothing is left; and who has ended will never send what is.
    fn close_away(&mut self) {
        let away = matches!(self.state, State::Away);
        if self.closing && (self.ended.is_some() || away && self.queue.is_empty()) {
            self.closed = true;
        }
    }

    /// There is a connection, on which the link has this number.
    pub fn connected(&mut self, link: u32) {
        self.link = link;
        self.away();
        if self.ended.is_none() && !self.closed {
            self.state = State::ToOpen(None);
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.away();
        self.close_away();
    }

    fn away(&mut self) {
        self.state = State::Away;
        self.sent = 0;
        self.sent_bytes = 0;
    }

    /// The other side says how far it is.
    ///
    /// # Errors
    /// That cannot be.
    pub fn acknowledged(&mut self, ack: Ack) -> Result<(), Fault> {
        if ack.epoch != self.config.epoch || matches!(self.state, State::Away | State::ToOpen(_)) {
            return Ok(());
        }
        let opening = matches!(self.state, State::Opening);
        if self.config.delivery == Delivery::Durable {
            let known = match opening {
                true => self.next(),
                false => self.front + self.sent as u64,
            };
            if ack.confirmed > known || ack.received > known {
                return Err(self.beyond(ack, known));
            }
            self.forget(ack.confirmed);
            if opening {
                let received = ack.received.saturating_sub(self.front) as usize;
                self.sent = received.min(self.queue.len());
                let sent = self.queue.iter().take(self.sent);
                self.sent_bytes = sent.map(|item| item.message.len()).sum();
            }
        }
        if opening {
            self.state = State::Open;
        }
        Ok(())
    }

    /// The other side has more than was sent: of an outbox that is older than what was sent from it (put back from a copy).
    fn beyond(&mut self, ack: Ack, known: u64) -> Fault {
        let fault = Fault {
            link: Some(self.link),
            code: Code::Gap,
            text: format!(
                "the receiver of link '{}' has messages up to {} of this numbering and the sender only up to {known}: the outbox \
                 is older than the last one used; give the link a new epoch",
                self.name, ack.received
            ),
        };
        self.ended = Some(fault.clone());
        self.disconnected();
        fault
    }

    /// Forgets what is in front of this number.
    fn forget(&mut self, confirmed: u64) {
        while self.front < confirmed {
            let Some(item) = self.queue.pop_front() else {
                break;
            };
            self.front += 1;
            self.bytes -= item.message.len();
            self.stats.confirmed += 1;
            if self.sent > 0 {
                self.sent -= 1;
                self.sent_bytes -= item.message.len();
            }
        }
    }

    /// The other side says how much may be sent.
    pub fn credited(&mut self, credit: Credit) {
        if matches!(self.state, State::Opening | State::Open) {
            // (it never takes back what it gave)
            self.credit.messages = self.credit.messages.max(credit.messages);
            self.credit.bytes = self.credit.bytes.max(credit.bytes);
        }
    }

    /// The other side refuses the link, or something of it.
    pub fn faulted(&mut self, fault: Fault, now: Instant) {
        if matches!(self.state, State::Away) {
            return;
        }
        self.away();
        match fault.code {
            Code::StaleEpoch | Code::Delivery => {
                self.ended = Some(fault);
                self.close_away();
            }
            Code::Gap => self.state = State::ToOpen(None),
            // (Who is superseded tries again, too: it may have been an opening of an earlier sender that came late. That two
            // live ones never take turns is what epochs are for.)
            _ => self.state = State::ToOpen(Some(now + self.config.retry)),
        }
    }

    /// How many messages of the queue the next batch takes, when it is time for one.
    fn batch(&self, now: Instant) -> usize {
        let most = (self.queue.len() - self.sent)
            .min(self.config.batch_messages.clamp(1, MAX_BATCH))
            .min((self.credit.messages - self.used.messages) as usize);
        let (mut count, mut bytes) = (0, 0);
        let room = self.credit.bytes - self.used.bytes;
        for item in self.queue.iter().skip(self.sent).take(most) {
            let more = bytes + item.message.len();
            if more as u64 > room || count > 0 && more > self.config.batch_bytes {
                break;
            }
            (count, bytes) = (count + 1, more);
        }
        let full = count == self.config.batch_messages
            || self.bytes - self.sent_bytes >= self.config.batch_bytes;
        let due = full || self.flush || self.linger_ends().is_none_or(|end| end <= now);
        if due { count } else { 0 }
    }

    fn linger_ends(&self) -> Option<Instant> {
        match self.config.linger.is_zero() {
            true => None,
            false => self.waiting.map(|since| since + self.config.linger),
        }
    }

    /// Appends what is to be written now, until there are `enough` bytes. True: there is more that could be written at once.
    pub fn poll(&mut self, now: Instant, out: &mut Vec<u8>, enough: usize) -> bool {
        match self.state {
            State::ToOpen(at) if at.is_none_or(|at| at <= now) => self.open(out),
            State::Open => {}
            _ => return false,
        }
        while self.is_open() && self.queue.len() > self.sent {
            if out.len() >= enough {
                return true;
            }
            match self.batch(now) {
                0 => break,
                count => self.write(count, now, out),
            }
        }
        if self.closing && !self.closed && self.is_open() && self.queue.is_empty() {
            Frame::Close(Some(self.link)).encode(out);
            self.closed = true;
            self.away();
        }
        false
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        let open = Open {
            link: self.link,
            name: self.name.clone(),
            first: self.front(),
            delivery: self.config.delivery,
        };
        Frame::Open(open).encode(out);
        (self.credit, self.used) = Default::default();
        self.state = State::Opening;
    }

    fn write(&mut self, count: usize, now: Instant, out: &mut Vec<u8>) {
        let first = self.front + self.sent as u64;
        let items = self.queue.range(self.sent..self.sent + count);
        let bytes: usize = items.clone().map(|item| item.message.len()).sum();
        encode_batch(out, self.link, self.config.epoch, first, items);
        self.used.messages += count as u64;
        self.used.bytes += bytes as u64;
        self.stats.sent += count as u64;
        self.stats.batches += 1;
        let end = first + count as u64;
        self.stats.repeated += self.high.min(end).saturating_sub(first);
        self.high = self.high.max(end);
        match self.config.delivery {
            Delivery::Fast => {
                self.queue.drain(..count);
                self.bytes -= bytes;
                self.front = end;
            }
            Delivery::Durable => {
                self.sent += count;
                self.sent_bytes += bytes;
            }
        }
        if self.queue.len() == self.sent {
            self.waiting = None;
            self.flush = self.closing;
        } else {
            self.waiting = Some(now);
        }
    }

    /// When [`Sender::poll`] is to be called at the latest, if nothing else happens.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::ToOpen(at) => at,
            State::Open if self.queue.len() > self.sent && self.has_credit() => self.linger_ends(),
            _ => None,
        }
    }

    fn has_credit(&self) -> bool {
        let next = self
            .queue
            .get(self.sent)
            .map_or(0, |item| item.message.len() as u64);
        self.used.messages < self.credit.messages && self.used.bytes + next <= self.credit.bytes
    }
}
