//! The receiving end of a link, as a state machine: no socket, no clock, no thread.
//!
//! Connections are told from one another by a number that who drives it gives them. What is delivered is *held* until the
//! consumer confirms it; the sender has credit for what the window does not hold, and on a durable link what is confirmed is
//! acknowledged. Since a connection keeps the order, all that is needed to drop what comes again is the number expected next:
//! the window of deduplication is the whole numbering, as far as the receiver remembers (or its consumer keeps,
//! [`ReceiverConfig::start`]) where it was.

use crate::epoch::Position;
use crate::frame::{Ack, Batch, Code, Credit, Delivery, Fault, Frame, Item, MAX_MESSAGE, Open};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a receiver behaves.
#[derive(Debug, Clone)]
pub struct ReceiverConfig {
    /// What the link promises; the sender must want the same.
    pub delivery: Delivery,
    /// How many messages it holds at most that the consumer has not confirmed.
    pub window_messages: u64,
    /// How many bytes of messages it holds at most; at least twice [`MAX_MESSAGE`], or a long message might never get credit.
    pub window_bytes: u64,
    /// It acknowledges when so many messages more are confirmed,
    pub ack_messages: u64,
    /// or so long after the first of them was.
    pub ack_delay: Duration,
    /// Where it goes on: the message that is expected next, when the consumer has kept that.
    pub start: Option<Position>,
}

impl Default for ReceiverConfig {
    fn default() -> ReceiverConfig {
        ReceiverConfig {
            delivery: Delivery::Fast,
            window_messages: 8192,
            window_bytes: 2 * MAX_MESSAGE as u64,
            ack_messages: 512,
            ack_delay: Duration::from_millis(5),
            start: None,
        }
    }
}

/// A message that has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// Which one it is.
    pub position: Position,
    /// For [`Receiver::confirm`].
    pub token: Token,
    /// The message.
    pub item: Item,
}

/// Says up to where a consumer is. Tokens are in the order of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// Counts the numberings that this receiver has met.
    generation: u64,
    sequence: u64,
}

/// Numberings that are remembered: those of owners before this one, of which some may come back with what they had not been told.
const MOST_PAST: usize = 64;

/// What a receiver has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiverStats {
    /// Messages delivered.
    pub delivered: u64,
    /// Messages dropped that had come before.
    pub duplicates: u64,
    /// Messages that were sent, or could not be sent any more, and did not come.
    pub lost: u64,
    /// Openings and batches refused.
    pub refused: u64,
}

#[derive(Debug)]
struct Attached {
    connection: u64,
    link: u32,
    given: Credit,
    used: Credit,
    /// What the last acknowledgement said was confirmed; `None`: there was none yet.
    told: Option<u64>,
}

/// The receiving end of a link.
#[derive(Debug)]
pub struct Receiver {
    config: ReceiverConfig,
    name: String,
    /// The message expected next.
    expected: Option<Position>,
    /// Where other numberings were when the next one began, the newest last.
    past: VecDeque<Position>,
    generation: u64,
    /// What is delivered and not confirmed: which one, how many bytes.
    held: VecDeque<(Token, usize)>,
    held_bytes: u64,
    attached: Option<Attached>,
    ack_due: Option<Instant>,
    closed: bool,
    stats: ReceiverStats,
}

/// Who is to be told that another has opened his link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// His connection.
    pub connection: u64,
    /// What he is to be told.
    pub fault: Fault,
}

impl Receiver {
    /// A receiver that no sender has met.
    pub fn new(name: impl Into<String>, mut config: ReceiverConfig) -> Receiver {
        config.window_messages = config.window_messages.max(1);
        config.window_bytes = config.window_bytes.max(2 * MAX_MESSAGE as u64);
        Receiver {
            expected: config.start,
            config,
            name: name.into(),
            past: VecDeque::new(),
            generation: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            attached: None,
            ack_due: None,
            closed: false,
            stats: ReceiverStats::default(),
        }
    }

    /// What it has done.
    pub fn stats(&self) -> ReceiverStats {
        self.stats
    }

    /// The message expected next.
    pub fn expected(&self) -> Option<Position> {
        self.expected
    }

    /// Whether a sender has it open.
    pub fn is_open(&self) -> bool {
        self.attached.is_some()
    }

    /// Whether the last sender closed it.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// A sender opens the link on a connection. Gives who had it before, if he is another one.
    ///
    /// # Errors
    /// It may not.
    pub fn opened(&mut self, connection: u64, open: &Open) -> Result<Option<Superseded>, Fault> {
        let refuse = |code, text: String| Fault {
            link: Some(open.link),
            code,
            text,
        };
        if open.delivery != self.config.delivery {
            self.stats.refused += 1;
            return Err(refuse(
                Code::Delivery,
                format!(
                    "link '{}' is {:?} at the receiver and {:?} at the sender: both must want the same",
                    self.name, self.config.delivery, open.delivery
                ),
            ));
        }
        let first = open.first;
        let mut superseded = None;
        match self.expected {
            Some(expected) if expected.epoch > first.epoch => {
                self.stats.refused += 1;
                let (known, its) = (expected.epoch, first.epoch);
                return Err(refuse(
                    Code::StaleEpoch,
                    format!(
                        "link '{}' is in epoch {known}; a sender of epoch {its} may send no more",
                        self.name
                    ),
                ));
            }
            // Where both sides have made a connection, what a sender said on the one that it has left may come after what it has said on the
            // other: its numbers of links say which was later.
            Some(expected)
                if expected.same_numbering(&first) && self.is_late(connection, open.link) =>
            {
                self.stats.refused += 1;
                let text = format!("link '{}' was opened on a later connection", self.name);
                return Err(refuse(Code::Superseded, text));
            }
            Some(expected) if expected.same_numbering(&first) => {
                self.goes_on(first, expected.sequence);
            }
            // The same outbox in the hands of the next owner: its numbering goes on.
            Some(expected) if expected.instance == first.instance => {
                superseded = Some(Code::StaleEpoch);
                self.goes_on(first, expected.sequence);
            }
            before => {
                superseded = before.map(|before| match before.epoch < first.epoch {
                    true => Code::StaleEpoch,
                    false => Code::Superseded,
                });
                if let Some(before) = before {
                    self.past.retain(|it| it.instance != before.instance);
                    self.past.push_back(before);
                    if self.past.len() > MOST_PAST {
                        self.past.pop_front();
                    }
                }
                let known = self.past.iter().find(|it| it.instance == first.instance);
                match known.map(|it| it.sequence) {
                    // An outbox comes back that was here before, with what nobody has told it was confirmed.
                    Some(sequence) => self.goes_on(first, sequence),
                    None => self.expected = Some(first),
                }
                self.generation += 1;
            }
        }
        let before = self.attached.replace(Attached {
            connection,
            link: open.link,
            given: Credit::default(),
            used: Credit::default(),
            told: None,
        });
        self.closed = false;
        let same = |before: &Attached| before.connection == connection && before.link == open.link;
        let before = before.filter(|before| !same(before)).zip(superseded);
        Ok(before.map(|(before, code)| Superseded {
            connection: before.connection,
            fault: Fault {
                link: Some(before.link),
                code,
                text: format!(
                    "link '{}' has been opened by another sender, of epoch {}",
                    self.name, first.epoch
                ),
            },
        }))
    }

    /// Whether the same sender has opened the link on another connection, with a number that it gave later.
    fn is_late(&self, connection: u64, link: u32) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|at| {
            at.connection != connection && (at.link.wrapping_sub(link) as i32) > 0
        })
    }

    /// A numbering goes on of which everything in front of `known` has come.
    fn goes_on(&mut self, first: Position, known: u64) {
        // (what is missing cannot be sent any more)
        self.stats.lost += first.sequence.saturating_sub(known);
        self.expected = Some(first.at(known.max(first.sequence)));
    }

    /// Messages come. New ones are delivered.
    ///
    /// # Errors
    /// They may not. A fault without a link is one of the connection, which must end.
    pub fn received(
        &mut self,
        connection: u64,
        batch: Batch,
        mut deliver: impl FnMut(Delivered),
    ) -> Result<(), Fault> {
        let (Some(expected), Some(attached)) = (&mut self.expected, &mut self.attached) else {
            return Ok(());
        };
        if attached.connection != connection || attached.link != batch.link {
            // (a sender that was told that it has been superseded, and had sent this before)
            self.stats.refused += 1;
            return Ok(());
        }
        if batch.epoch != expected.epoch {
            self.stats.refused += 1;
            return Err(Fault {
                link: Some(batch.link),
                code: Code::StaleEpoch,
                text: format!(
                    "link '{}' is in epoch {}; a batch of epoch {} is refused",
                    self.name, expected.epoch, batch.epoch
                ),
            });
        }
        let bytes: usize = batch.items.iter().map(|item| item.message.len()).sum();
        attached.used.messages += batch.items.len() as u64;
        attached.used.bytes += bytes as u64;
        if attached.used.messages > attached.given.messages
            || attached.used.bytes > attached.given.bytes
        {
            return Err(Fault::of_connection(
                Code::Credit,
                format!(
                    "more was sent on link '{}' than there was credit for",
                    self.name
                ),
            ));
        }
        if batch.first.checked_add(batch.items.len() as u64).is_none() {
            return Err(Fault::of_connection(
                Code::Protocol,
                "a sequence number overflows",
            ));
        }
        if batch.first > expected.sequence {
            let missing = batch.first - expected.sequence;
            if self.config.delivery == Delivery::Durable {
                let fault = Fault {
                    link: Some(batch.link),
                    code: Code::Gap,
                    text: format!(
                        "{missing} messages are missing on link '{}': open it again",
                        self.name
                    ),
                };
                self.attached = None;
                return Err(fault);
            }
            self.stats.lost += missing;
            expected.sequence = batch.first;
        }
        let known = (expected.sequence - batch.first).min(batch.items.len() as u64);
        self.stats.duplicates += known;
        for item in batch.items.into_iter().skip(known as usize) {
            let token = Token {
                generation: self.generation,
                sequence: expected.sequence,
            };
            self.held.push_back((token, item.message.len()));
            self.held_bytes += item.message.len() as u64;
            deliver(Delivered {
                position: *expected,
                token,
                item,
            });
            expected.sequence += 1;
            self.stats.delivered += 1;
        }
        Ok(())
    }

    /// The consumer has done with all messages up to this one.
    pub fn confirm(&mut self, token: Token, now: Instant) {
        let before = self.held.len();
        while let Some((held, bytes)) = self.held.front()
            && *held <= token
        {
            self.held_bytes -= *bytes as u64;
            self.held.pop_front();
        }
        if self.held.len() < before && self.config.delivery == Delivery::Durable {
            self.ack_due.get_or_insert(now + self.config.ack_delay);
        }
    }

    /// The token of a message of the numbering that is open, whether it was delivered now or before.
    #[cfg(feature = "nats")]
    pub(crate) fn token_at(&self, sequence: u64) -> Token {
        Token {
            generation: self.generation,
            sequence,
        }
    }

    /// Whether a message that has come, and all in front of it, are confirmed.
    #[cfg(feature = "nats")]
    pub(crate) fn is_confirmed(&self, token: Token) -> bool {
        self.held.front().is_none_or(|(held, _)| token < *held)
    }

    /// Bytes of messages that are delivered and not confirmed.
    #[cfg(feature = "nats")]
    pub(crate) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// All in front of this number is confirmed.
    fn confirmed(&self) -> u64 {
        let held = self
            .held
            .iter()
            .find(|(token, _)| token.generation == self.generation);
        match (held, self.expected) {
            (Some((token, _)), _) => token.sequence,
            (None, Some(expected)) => expected.sequence,
            (None, None) => 0,
        }
    }

    /// The sender closes the link.
    pub fn close(&mut self, connection: u64, link: u32) {
        if (self.attached.as_ref()).is_some_and(|a| a.connection == connection && a.link == link) {
            self.attached = None;
            self.closed = true;
        }
    }

    /// A connection is gone.
    pub fn disconnected(&mut self, connection: u64) {
        if self
            .attached
            .as_ref()
            .is_some_and(|a| a.connection == connection)
        {
            self.attached = None;
        }
    }

    /// Appends what is to be written now on a connection.
    pub fn poll(&mut self, connection: u64, now: Instant, out: &mut Vec<u8>) {
        let confirmed = self.confirmed();
        let Some(expected) = self.expected else {
            return;
        };
        let (window, ack_due) = (
            (self.config.window_messages, self.config.window_bytes),
            self.ack_due,
        );
        let held = (self.held.len() as u64, self.held_bytes);
        let Some(attached) = self
            .attached
            .as_mut()
            .filter(|a| a.connection == connection)
        else {
            return;
        };
        let due = match attached.told {
            None => true,
            // (what a fast sender has sent it has forgotten)
            Some(_) if self.config.delivery == Delivery::Fast => false,
            Some(told) => {
                confirmed - told.min(confirmed) >= self.config.ack_messages
                    || ack_due.is_some_and(|at| at <= now) && confirmed != told
            }
        };
        if due {
            Frame::Ack(Ack {
                link: attached.link,
                epoch: expected.epoch,
                confirmed,
                received: expected.sequence,
            })
            .encode(out);
            attached.told = Some(confirmed);
        }
        if due || ack_due.is_some_and(|at| at <= now) {
            self.ack_due = None;
        }
        let could = Credit {
            link: attached.link,
            messages: attached.used.messages + window.0.saturating_sub(held.0),
            bytes: attached.used.bytes + window.1.saturating_sub(held.1),
        };
        let (given, used) = (attached.given, attached.used);
        if worth(
            given.messages,
            used.messages,
            could.messages,
            window.0,
            held.0,
        ) || worth(given.bytes, used.bytes, could.bytes, window.1, held.1)
        {
            attached.given.messages = given.messages.max(could.messages);
            attached.given.bytes = given.bytes.max(could.bytes);
            let credit = Credit {
                link: attached.link,
                ..attached.given
            };
            Frame::Credit(credit).encode(out);
        }
    }

    /// Whether [`Receiver::poll`] or [`Receiver::deadline`] has something to say that it may not have had before what was
    /// confirmed last.
    pub fn wants(&self, now: Instant) -> bool {
        let Some(attached) = &self.attached else {
            return false;
        };
        let told = attached.told.unwrap_or(0);
        let began = self
            .ack_due
            .is_some_and(|due| due <= now || due == now + self.config.ack_delay);
        if began
            || self.ack_due.is_some()
                && self.confirmed() - told.min(self.confirmed()) >= self.config.ack_messages
        {
            return true;
        }
        let (given, used) = (attached.given, attached.used);
        let (messages, bytes) = (self.config.window_messages, self.config.window_bytes);
        let held = self.held.len() as u64;
        let could = (
            used.messages + messages.saturating_sub(held),
            used.bytes + bytes.saturating_sub(self.held_bytes),
        );
        worth(given.messages, used.messages, could.0, messages, held)
            || worth(given.bytes, used.bytes, could.1, bytes, self.held_bytes)
    }

    /// When [`Receiver::poll`] is to be called for a connection at the latest, if nothing else happens.
    pub fn deadline(&self, connection: u64) -> Option<Instant> {
        let attached = self.attached.as_ref();
        attached
            .filter(|attached| attached.connection == connection)
            .and(self.ack_due)
    }

    /// The connection on which it is open.
    pub fn connection(&self) -> Option<u64> {
        self.attached.as_ref().map(|attached| attached.connection)
    }
}

/// Whether more credit is worth a frame: when half of it is used, and there is a quarter more or all there can be. (Then a
/// sender whose next message takes up to half a window is never left without.)
fn worth(given: u64, used: u64, could: u64, window: u64, held: u64) -> bool {
    let more = could.saturating_sub(given);
    more > 0 && given - used <= window / 2 && (more >= window / 4 || held == 0)
}
