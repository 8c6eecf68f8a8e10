//! Both ends of a link on a network that does its worst: connections break at any byte, one side notices before the other,
//! what was on its way arrives late, ends start again from what they have kept. Whatever happens, what a link promises holds.

use crate::frame::{Code, Credit, Delivery, Frame, Item, Reader};
use crate::{Delivered, Position, Receiver, ReceiverConfig, Sender, SenderConfig};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
enum Step {
    /// The program sends so many messages, each so long.
    Push(usize, usize),
    /// The sender writes to its connection.
    Write,
    /// So many bytes arrive of a connection, to the receiver.
    There(usize, usize),
    /// So many bytes arrive of a connection, at the sender.
    Back(usize, usize),
    /// The connection breaks, both notice.
    Break,
    /// The sender makes a new connection; the receiver has not noticed that the old one is gone.
    Anew,
    /// The consumer has done with so many messages.
    Confirm(usize),
    /// Time passes (in milliseconds).
    Pass(u64),
    RestartSender,
    RestartReceiver,
}

fn steps(restarts: u32) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_usize..9, 4_usize..60).prop_map(|(count, size)| Step::Push(count, size)),
        8 => Just(Step::Write),
        8 => (0_usize..4, 1_usize..400).prop_map(|(which, bytes)| Step::There(which, bytes)),
        8 => (0_usize..4, 1_usize..200).prop_map(|(which, bytes)| Step::Back(which, bytes)),
        1 => Just(Step::Break),
        2 => Just(Step::Anew),
        6 => (1_usize..9).prop_map(Step::Confirm),
        3 => (0_u64..30).prop_map(Step::Pass),
        restarts => Just(Step::RestartSender),
        restarts => Just(Step::RestartReceiver),
    ];
    proptest::collection::vec(step, 0..160)
}

/// A connection: what is on its way in both directions, and whether each side still has it.
struct Connection {
    number: u64,
    there: VecDeque<u8>,
    back: VecDeque<u8>,
    to_receiver: Reader,
    to_sender: Reader,
    /// As the network counts it: what the sender has been given and has used.
    given: Credit,
    used: Credit,
    monitor: Reader,
    receiver_has_it: bool,
}

struct World {
    delivery: Delivery,
    now: Instant,
    sender: Sender,
    receiver: Receiver,
    instance: u64,
    connections: Vec<Connection>,
    /// Whether the sender has the last connection.
    connected: bool,
    numbers: u64,
    pushed: u32,
    /// What was sent: of a durable link, what the outbox holds.
    outbox: Vec<Item>,
    pending: VecDeque<Delivered>,
    processed: Vec<u32>,
    kept: Option<Position>,
}

fn sender_config(delivery: Delivery, linger: Duration) -> SenderConfig {
    SenderConfig {
        delivery,
        queue_messages: 50,
        batch_bytes: 100,
        batch_messages: 5,
        linger,
        ..SenderConfig::default()
    }
}

fn receiver_config(delivery: Delivery, start: Option<Position>) -> ReceiverConfig {
    ReceiverConfig {
        delivery,
        window_messages: 12,
        ack_messages: 4,
        start,
        ..ReceiverConfig::default()
    }
}

fn content(item: &Item) -> u32 {
    u32::from_le_bytes(*item.message.first_chunk().expect("four bytes"))
}

impl World {
    fn new(delivery: Delivery, linger: Duration) -> World {
        World {
            delivery,
            now: Instant::now(),
            sender: Sender::new("l", sender_config(delivery, linger), 1, 0, []),
            receiver: Receiver::new("l", receiver_config(delivery, None)),
            instance: 1,
            connections: Vec::new(),
            connected: false,
            numbers: 0,
            pushed: 0,
            outbox: Vec::new(),
            pending: VecDeque::new(),
            processed: Vec::new(),
            kept: None,
        }
    }

    fn connect(&mut self) {
        self.numbers += 1;
        self.connections.push(Connection {
            number: self.numbers,
            there: VecDeque::new(),
            back: VecDeque::new(),
            to_receiver: Reader::default(),
            to_sender: Reader::default(),
            given: Credit::default(),
            used: Credit::default(),
            monitor: Reader::default(),
            receiver_has_it: true,
        });
        if self.connections.len() > 4 {
            let gone = self.connections.remove(0);
            self.receiver.disconnected(gone.number);
        }
        self.sender.connected(7);
        self.connected = true;
    }

    fn push(&mut self, size: usize) {
        let mut message = self.pushed.to_le_bytes().to_vec();
        message.resize(size, 0);
        let item = Item {
            message: message.into(),
            trace: None,
        };
        if self.sender.push(item.clone(), || self.now).is_ok() {
            self.pushed += 1;
            self.outbox.push(item);
        }
    }

    fn write(&mut self) {
        if !self.connected {
            return;
        }
        let Some(connection) = self.connections.last_mut() else {
            return;
        };
        let mut out = Vec::new();
        while self.sender.poll(self.now, &mut out, 150) {
            connection.watch(&out);
            connection.there.extend(out.drain(..));
        }
        connection.watch(&out);
        connection.there.extend(out);
    }

    fn there(&mut self, which: usize, bytes: usize) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(which) else {
            return;
        };
        let bytes = bytes.min(connection.there.len());
        if !connection.receiver_has_it {
            connection.there.drain(..bytes);
            return;
        }
        let arrived: Vec<u8> = connection.there.drain(..bytes).collect();
        connection.to_receiver.buffer().extend_from_slice(&arrived);
        let (mut out, mut told) = (Vec::new(), None);
        while let Some(frame) = connection.to_receiver.frame().expect("frames") {
            let fault = match frame {
                Frame::Open(open) => match self.receiver.opened(connection.number, &open) {
                    Ok(superseded) => {
                        told = superseded;
                        None
                    }
                    Err(fault) => Some(fault),
                },
                Frame::Batch(batch) => {
                    let pending = &mut self.pending;
                    let deliver = |delivered| pending.push_back(delivered);
                    self.receiver
                        .received(connection.number, batch, deliver)
                        .err()
                }
                Frame::Close(Some(link)) => {
                    self.receiver.close(connection.number, link);
                    None
                }
                other => panic!("{other:?}"),
            };
            if let Some(fault) = fault {
                assert!(fault.link.is_some(), "{fault:?}");
                Frame::Fault(fault).encode(&mut out);
            }
            self.receiver.poll(connection.number, now, &mut out);
        }
        connection.back.extend(out);
        if let Some(told) = told
            && let Some(other) = (self.connections.iter_mut()).find(|c| c.number == told.connection)
        {
            let mut out = Vec::new();
            Frame::Fault(told.fault).encode(&mut out);
            other.back.extend(out);
        }
    }

    fn back(&mut self, which: usize, bytes: usize) {
        let last = which + 1 == self.connections.len() && self.connected;
        let Some(connection) = self.connections.get_mut(which) else {
            return;
        };
        let bytes = bytes.min(connection.back.len());
        let arrived: Vec<u8> = connection.back.drain(..bytes).collect();
        if !last {
            return;
        }
        connection.to_sender.buffer().extend_from_slice(&arrived);
        while let Some(frame) = connection.to_sender.frame().expect("frames") {
            match frame {
                Frame::Ack(ack) => self.sender.acknowledged(ack).expect("it can be"),
                Frame::Credit(credit) => {
                    connection.given = credit;
                    self.sender.credited(credit);
                }
                Frame::Fault(fault) => {
                    assert!(
                        fault.code != Code::Gap && fault.code != Code::StaleEpoch,
                        "{fault:?}"
                    );
                    self.sender.faulted(fault, self.now);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn confirm(&mut self, count: usize) {
        for _ in 0..count {
            let Some(delivered) = self.pending.pop_front() else {
                break;
            };
            self.processed.push(content(&delivered.item));
            let next = delivered.position.sequence + 1;
            self.kept = Some(delivered.position.at(next));
            self.receiver.confirm(delivered.token, self.now);
        }
        self.answer();
    }

    /// The receiver writes what is due.
    fn answer(&mut self) {
        for connection in self.connections.iter_mut().filter(|c| c.receiver_has_it) {
            let mut out = Vec::new();
            self.receiver.poll(connection.number, self.now, &mut out);
            connection.back.extend(out);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push(count, size) => (0..count).for_each(|_| self.push(size)),
            Step::Write => self.write(),
            Step::There(which, bytes) => self.there(which, bytes),
            Step::Back(which, bytes) => self.back(which, bytes),
            Step::Break => {
                for connection in self.connections.drain(..) {
                    self.receiver.disconnected(connection.number);
                }
                self.sender.disconnected();
                self.connected = false;
            }
            Step::Anew => {
                self.sender.disconnected();
                self.connect();
            }
            Step::Confirm(count) => self.confirm(count),
            Step::Pass(ms) => {
                self.now += Duration::from_millis(ms);
                self.answer();
            }
            Step::RestartSender => {
                // (what is confirmed is out of the outbox)
                let front = self.sender.front().sequence;
                self.connected = false;
                let config = sender_config(self.delivery, Duration::ZERO);
                self.sender = match self.delivery {
                    Delivery::Durable => {
                        let left = self.outbox.iter().skip(front as usize).cloned();
                        Sender::new("l", config, self.instance, front, left.collect::<Vec<_>>())
                    }
                    Delivery::Fast => {
                        self.instance += 1;
                        Sender::new("l", config, self.instance, 0, [])
                    }
                };
            }
            Step::RestartReceiver => {
                for connection in &mut self.connections {
                    connection.receiver_has_it = false;
                    connection.back.clear();
                }
                self.sender.disconnected();
                self.connected = false;
                self.pending.clear();
                self.receiver = Receiver::new("l", receiver_config(self.delivery, self.kept));
            }
        }
    }

    /// All is well from now on: everything arrives.
    fn heal(&mut self) {
        self.step(Step::Anew);
        for _ in 0..400 {
            self.now += Duration::from_millis(50);
            self.write();
            for which in 0..self.connections.len() {
                self.there(which, usize::MAX);
            }
            self.confirm(5);
            for which in 0..self.connections.len() {
                self.back(which, usize::MAX);
            }
            if self.sender.is_empty() && self.pending.is_empty() {
                break;
            }
        }
    }
}

impl Connection {
    /// Counts what the sender writes, and holds it against what it was given.
    fn watch(&mut self, out: &[u8]) {
        self.monitor.buffer().extend_from_slice(out);
        while let Some(frame) = self.monitor.frame().expect("frames") {
            match frame {
                Frame::Open(_) => (self.given, self.used) = Default::default(),
                Frame::Batch(batch) => {
                    self.used.messages += batch.items.len() as u64;
                    let bytes: usize = batch.items.iter().map(|item| item.message.len()).sum();
                    self.used.bytes += bytes as u64;
                    assert!(
                        self.used.messages <= self.given.messages,
                        "credit is exceeded"
                    );
                    assert!(self.used.bytes <= self.given.bytes, "credit is exceeded");
                }
                _ => {}
            }
        }
    }
}

proptest! {
    // (PROPTEST_CASES asks for more)
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(1500)))]

    #[test]
    fn a_durable_link_loses_nothing_and_repeats_nothing(steps in steps(1), linger in 0_u64..2) {
        let mut world = World::new(Delivery::Durable, Duration::from_millis(linger * 20));
        world.connect();
        for step in steps {
            world.step(step);
        }
        world.heal();
        prop_assert!(world.sender.is_empty(), "all is confirmed");
        let wanted: Vec<u32> = (0..world.pushed).collect();
        prop_assert_eq!(world.processed, wanted);
        prop_assert_eq!(world.receiver.stats().lost, 0);
    }

    #[test]
    fn a_fast_link_keeps_the_order_and_counts_what_it_loses(steps in steps(0), linger in 0_u64..2) {
        let mut world = World::new(Delivery::Fast, Duration::from_millis(linger * 20));
        // (what was sent before a receiver first met a sender is in no account)
        world.connect();
        world.write();
        world.there(0, usize::MAX);
        for step in steps {
            world.step(step);
        }
        world.heal();
        // (the last messages may have been on a connection that broke: the next opening says so)
        world.step(Step::Anew);
        world.heal();
        prop_assert!(world.processed.is_sorted_by(|a, b| a < b), "{:?}", world.processed);
        let stats = world.receiver.stats();
        prop_assert_eq!(stats.delivered, world.processed.len() as u64);
        prop_assert_eq!(stats.delivered + stats.lost, u64::from(world.pushed));
        prop_assert_eq!(stats.duplicates, 0);
    }

    #[test]
    fn a_fast_link_survives_restarts(steps in steps(1)) {
        let mut world = World::new(Delivery::Fast, Duration::ZERO);
        for step in steps {
            world.step(step);
        }
        world.heal();
        prop_assert!(world.processed.is_sorted_by(|a, b| a < b), "{:?}", world.processed);
        prop_assert!(world.sender.is_empty());
    }
}

fn durable_receiver() -> Receiver {
    Receiver::new("l", receiver_config(Delivery::Durable, None))
}

/// A sender opens the link on a connection.
fn open(
    receiver: &mut Receiver,
    connection: u64,
    epoch: u64,
    instance: u64,
) -> Result<Option<crate::Superseded>, crate::frame::Fault> {
    let first = Position {
        epoch,
        instance,
        sequence: 0,
    };
    let open = crate::frame::Open {
        link: 1,
        name: "l".into(),
        first,
        delivery: Delivery::Durable,
    };
    let superseded = receiver.opened(connection, &open)?;
    receiver.poll(connection, Instant::now(), &mut Vec::new());
    Ok(superseded)
}

fn batch(epoch: u64, first: u64) -> crate::frame::Batch {
    let item = Item {
        message: vec![0; 4].into(),
        trace: None,
    };
    crate::frame::Batch {
        link: 1,
        epoch,
        first,
        items: vec![item],
    }
}

#[test]
fn an_old_owner_is_fenced() {
    let mut receiver = durable_receiver();
    assert_eq!(open(&mut receiver, 1, 3, 1), Ok(None));
    let mut got = 0;
    assert_eq!(receiver.received(1, batch(3, 0), |_| got += 1), Ok(()));
    // the part moves: its new owner begins again
    let superseded = open(&mut receiver, 2, 4, 9)
        .expect("it may")
        .expect("the old owner is told");
    assert_eq!(
        (superseded.connection, superseded.fault.code),
        (1, Code::StaleEpoch)
    );
    assert_eq!(receiver.received(2, batch(4, 0), |_| got += 1), Ok(()));
    assert_eq!(got, 2, "the numbering began again");
    // the old owner, on the connection that it has, and on a new one
    assert_eq!(receiver.received(1, batch(3, 1), |_| got += 1), Ok(()));
    let fault = open(&mut receiver, 3, 3, 1).expect_err("it is fenced");
    assert_eq!(fault.code, Code::StaleEpoch);
    let fault = receiver
        .received(2, batch(3, 1), |_| got += 1)
        .expect_err("of the old epoch");
    assert_eq!(fault.code, Code::StaleEpoch);
    assert_eq!((got, receiver.stats().refused), (2, 3));
}

#[test]
fn an_outbox_goes_on_under_the_next_epoch_and_comes_back_later() {
    let mut receiver = durable_receiver();
    let mut got = 0;
    assert_eq!(open(&mut receiver, 1, 3, 1), Ok(None));
    assert_eq!(receiver.received(1, batch(3, 0), |_| got += 1), Ok(()));
    // The same outbox in another process, which was not told that the message was confirmed.
    assert!(open(&mut receiver, 2, 4, 1).is_ok());
    assert_eq!(receiver.received(2, batch(4, 0), |_| got += 1), Ok(()));
    assert_eq!((got, receiver.stats().duplicates), (1, 1));
    // Another one in between; then it comes back.
    assert!(open(&mut receiver, 3, 5, 2).is_ok());
    assert_eq!(receiver.received(3, batch(5, 0), |_| got += 1), Ok(()));
    assert!(open(&mut receiver, 4, 6, 1).is_ok());
    assert_eq!(receiver.received(4, batch(6, 0), |_| got += 1), Ok(()));
    assert_eq!(receiver.received(4, batch(6, 1), |_| got += 1), Ok(()));
    assert_eq!((got, receiver.stats().duplicates), (3, 2));
}

#[test]
fn an_opening_that_comes_late_takes_a_link_from_nobody() {
    let mut receiver = durable_receiver();
    let opening = |link: u32| crate::frame::Open {
        link,
        name: "l".into(),
        first: Position {
            epoch: 3,
            instance: 1,
            sequence: 0,
        },
        delivery: Delivery::Durable,
    };
    // The sender has moved from connection 1 to connection 2, and what it said on 1 comes last.
    assert_eq!(receiver.opened(2, &opening(8)), Ok(None));
    let fault = receiver.opened(1, &opening(7)).expect_err("it is too late");
    assert_eq!((fault.code, fault.link), (Code::Superseded, Some(7)));
    assert_eq!(receiver.connection(), Some(2));
    // It moves again; and a connection that is gone is no reason to wait.
    assert_eq!(receiver.opened(1, &opening(9)), Ok(None));
    receiver.disconnected(1);
    assert_eq!(receiver.opened(2, &opening(8)), Ok(None));
}

#[test]
fn two_owners_of_one_epoch_are_told_apart() {
    let mut receiver = durable_receiver();
    assert_eq!(open(&mut receiver, 1, 3, 1), Ok(None));
    let superseded = open(&mut receiver, 2, 3, 2)
        .expect("it may")
        .expect("the other is told");
    assert_eq!(
        (superseded.connection, superseded.fault.code),
        (1, Code::Superseded)
    );
    // the same sender on a new connection is no other one
    assert_eq!(open(&mut receiver, 3, 3, 2), Ok(None));
}

#[test]
fn a_gap_on_a_durable_link_is_a_fault() {
    let mut receiver = durable_receiver();
    assert_eq!(open(&mut receiver, 1, 0, 1), Ok(None));
    let fault = receiver
        .received(1, batch(0, 5), |_| ())
        .expect_err("0 to 4 are missing");
    assert_eq!((fault.code, fault.link), (Code::Gap, Some(1)));
    assert_eq!(open(&mut receiver, 1, 0, 1), Ok(None));
    assert_eq!(receiver.received(1, batch(0, 0), |_| ()), Ok(()));
    assert_eq!(receiver.stats().delivered, 1);
}

#[test]
fn a_sender_that_ignores_credit_is_put_off() {
    let mut receiver = durable_receiver();
    assert_eq!(open(&mut receiver, 1, 0, 1), Ok(None));
    let result = (0..13).try_for_each(|n| receiver.received(1, batch(0, n), |_| ()));
    let fault = result.expect_err("the window is 12");
    assert_eq!((fault.code, fault.link), (Code::Credit, None));
}

#[test]
fn an_outbox_older_than_what_was_sent_ends_the_link() {
    let config = sender_config(Delivery::Durable, Duration::ZERO);
    let mut sender = Sender::new("l", config, 1, 0, []);
    sender.connected(1);
    sender.poll(Instant::now(), &mut Vec::new(), 100);
    let ack = crate::frame::Ack {
        link: 1,
        epoch: 0,
        confirmed: 9,
        received: 9,
    };
    assert_eq!(
        sender.acknowledged(ack).map_err(|fault| fault.code),
        Err(Code::Gap)
    );
    assert!(sender.ended().is_some());
}
