//! An island: operators that share a queue and a thread.
//!
//! Delivery is a FIFO queue of (operator, message). Handling one delivery appends its sends to the end. Between turns of
//! the queue the island lets timers fire, reads its mailbox and gives its nodes' I/O tasks their time, so that a busy
//! operator starves none of them.

use crate::clock::VirtualClock;
use crate::event::WatchFlags;
use crate::mailbox::{Mail, Mailbox, MailboxShared, Request};
use crate::native::{Region, regions};
use crate::profile::{Measured, Profiler};
use crate::shared::NodeEnv;
use crate::{Cx, Event, EventKind, Kinds, Level, NodeError, OpInfo, Process, Shared};
use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use vgdc_plan::{Chain, OpIndex, Plan};
use vgdc_value::{Msg, Object, Value};

/// Deliveries in one turn, before timers, mails and tasks are looked at again.
const TURN: usize = 256;
/// Deliveries at one time of a virtual clock, before the island's mailbox is looked at again.
const LONGEST_TURNS: usize = 100_000;
/// A queue that grows past this many deliveries drops what is sent further, counts it and says so. Sources are slowed long
/// before (see `RuntimeOptions::queue_limit`): only a loop that multiplies its messages comes here.
pub const HARD_QUEUE_LIMIT: usize = 500_000;
/// Bytes, roughly, that may wait in a queue before the same happens; looked at each time the queue has doubled.
const NANOS_SAMPLED: u64 = 64;

/// What is delivered to an operator.
pub(crate) enum Work {
    /// A message.
    Msg(Msg),
    /// An event from another operator.
    Event(Box<dyn Any>),
}

/// Whether an operator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was created.
    Started,
    /// It could not start.
    Failed,
    /// It was stopped by the control side.
    Stopped,
}

/// What is counted at an operator.
#[derive(Debug, Clone)]
pub struct Counters {
    /// Messages handled.
    pub received: u64,
    /// Messages sent, per output (before fan-out).
    pub sent: Vec<u64>,
    /// Errors raised.
    pub errors: u64,
    /// Messages dropped because the queue was full.
    pub dropped: u64,
    /// Calls that machine code finished.
    pub finished: u64,
    /// Calls that machine code bailed out of.
    pub bailed: u64,
    /// What it bailed out of the last time; empty where the code says so itself.
    pub refused: &'static str,
    /// Handling times: bucket `n` counts those of 2^n to 2^(n+1) nanoseconds; one message in 64 is measured.
    pub nanos: [u64; 40],
}

impl Counters {
    #[inline]
    pub(crate) fn sent(&mut self, output: usize, count: u64) {
        if self.sent.len() <= output {
            self.sent.resize(output + 1, 0);
        }
        self.sent[output] += count;
    }
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            received: 0,
            sent: Vec::new(),
            errors: 0,
            dropped: 0,
            finished: 0,
            bailed: 0,
            refused: "",
            nanos: [0; 40],
        }
    }
}

pub(crate) struct Slot {
    pub(crate) info: Arc<OpInfo>,
    pub(crate) op: OpIndex,
    fingerprint: String,
    pub(crate) props: Object,
    pub(crate) ports: Vec<Vec<(u32, bool)>>,
    catch: Vec<Vec<Vec<(u32, bool)>>>,
    status: Vec<Vec<Vec<(u32, bool)>>>,
    complete: Vec<u32>,
    pub(crate) targets: Vec<u32>,
    pub(crate) watch: Arc<WatchFlags>,
    process: Option<Box<dyn Process>>,
    /// Handles messages in the place of the process, when this is the first operator of a region.
    pub(crate) region: Option<Box<Region>>,
    pub(crate) state: State,
    generation: u32,
    pub(crate) counters: Counters,
    /// What a profile measures, in a program that takes one.
    pub(crate) measured: Option<Box<Measured>>,
    pub(crate) tasks: Vec<tokio::task::AbortHandle>,
    pub(crate) works: usize,
}

/// A new plan for an island.
pub(crate) struct Update {
    pub(crate) shared: Arc<Shared>,
    /// The operators of the plan that are this island's, in the order in which they start.
    pub(crate) ops: Vec<OpIndex>,
    /// Ids of running nodes that stay as they are.
    pub(crate) keep: HashSet<String>,
    /// Watched kinds by node id.
    pub(crate) watch: HashMap<String, Kinds>,
}

/// What became of an update.
#[derive(Debug, Default)]
pub(crate) struct Started {
    pub(crate) states: Vec<(String, State)>,
}

/// (see the module)
pub struct Island {
    pub(crate) shared: Arc<Shared>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) index: HashMap<String, u32>,
    pub(crate) queue: VecDeque<(u32, Work)>,
    pub(crate) timers: crate::timers::Timers,
    mailbox: Arc<MailboxShared>,
    pub(crate) published: HashMap<String, Vec<Rc<dyn Any>>>,
    locals: HashMap<TypeId, Rc<dyn Any>>,
    pub(crate) in_flight: usize,
    pub(crate) starting: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    settling: Vec<oneshot::Sender<u64>>,
    pub(crate) handled: u64,
    generation: u32,
    close_timeout: Duration,
    told_full: Option<Instant>,
    /// There is one where a profile is taken.
    pub(crate) profiler: Option<Box<Profiler>>,
}

impl Island {
    pub(crate) fn new(
        shared: Arc<Shared>,
        mailbox: Arc<MailboxShared>,
        close_timeout: Duration,
        profiled: bool,
    ) -> Self {
        Island {
            shared,
            slots: Vec::new(),
            index: HashMap::new(),
            queue: VecDeque::new(),
            timers: Default::default(),
            mailbox,
            published: HashMap::new(),
            locals: HashMap::new(),
            in_flight: 0,
            starting: Vec::new(),
            settling: Vec::new(),
            handled: 0,
            generation: 0,
            close_timeout,
            told_full: None,
            profiler: profiled.then(Box::default),
        }
    }

    /// The island's life, until it is told to end.
    pub(crate) async fn run(mut self) {
        let mut mails = VecDeque::new();
        loop {
            self.mailbox.take_all(&mut mails);
            while let Some(mail) = mails.pop_front() {
                match mail {
                    Mail::Event {
                        slot,
                        generation,
                        event,
                        ends_work,
                    } => self.event(slot, generation, event, ends_work),
                    Mail::Call(call) => call(&mut self),
                    Mail::Request(Request::End) => {
                        self.stop(None, &[]).await;
                        return;
                    }
                    Mail::Request(request) => self.request(request).await,
                }
            }
            self.fire_timers();
            for _ in 0..TURN {
                if !self.next_delivery() {
                    break;
                }
            }
            self.mailbox.report(self.queue.len());
            if !self.queue.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            self.answer_settling();
            match self.timers.next_due() {
                // (a clock that stands still brings no timer nearer: whoever moves it says so)
                Some(due) if !self.shared.clock.is_virtual() => {
                    let wait = due.saturating_duration_since(Instant::now());
                    // (a timer's own resolution is a millisecond: the last part is waited for by yielding)
                    let _ = tokio::time::timeout(wait, self.mailbox.woken()).await;
                }
                Some(due) if due <= self.shared.clock.now() => {}
                _ => self.mailbox.woken().await,
            }
        }
    }

    /// Takes the next delivery out of the queue and makes it; false when there is none.
    #[inline]
    fn next_delivery(&mut self) -> bool {
        match self.queue.pop_front() {
            Some((slot, Work::Msg(msg))) => {
                self.waited(slot);
                self.handle(slot, msg);
            }
            Some((slot, Work::Event(event))) => {
                self.with_process(slot, |process, cx| process.event(cx, event));
            }
            None => return false,
        }
        true
    }

    async fn request(&mut self, request: Request) {
        // Whoever asked may have gone away: then nobody wants the answer.
        match request {
            Request::Stop {
                ids,
                removed,
                reply,
            } => {
                self.stop(ids, &removed).await;
                let _ = reply.send(());
            }
            Request::Update { update, reply } => {
                let started = self.update(*update).await;
                let _ = reply.send(started);
            }
            Request::Settle { reply } => self.settling.push(reply),
            Request::End => {}
        }
    }

    fn answer_settling(&mut self) {
        if self.in_flight > 0
            || !self.mailbox.is_empty()
            || self
                .timers
                .next_due()
                .is_some_and(|due| due <= self.shared.clock.now())
        {
            return;
        }
        for reply in self.settling.drain(..) {
            let _ = reply.send(self.handled);
        }
    }

    /// Moves a virtual clock from one of its own timers to the next, as long as they are due by `bound` and nobody else has
    /// anything to do: neither a node's task or another program, for whose work `settle` waits, nor another island.
    pub(crate) fn advance(
        &mut self,
        clock: &VirtualClock,
        bound: Instant,
        others: &[Arc<MailboxShared>],
    ) {
        while let Some(due) = self.timers.next_due()
            && due <= bound
        {
            clock.move_to(due);
            self.fire_timers();
            let mut turns = 0;
            while turns < LONGEST_TURNS && self.next_delivery() {
                turns += 1;
            }
            let quiet = self.queue.is_empty() && self.in_flight == 0 && self.mailbox.is_empty();
            if !quiet || others.iter().any(|other| !other.is_empty()) {
                return;
            }
        }
    }

    fn fire_timers(&mut self) {
        let now = self.shared.clock.now();
        while let Some((slot, timer)) = self.timers.pop_due(now) {
            self.with_process(slot, |process, cx| process.timer(cx, timer));
        }
    }

    fn event(&mut self, slot: u32, generation: u32, event: Box<dyn Any + Send>, ends_work: bool) {
        if ends_work {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        // (a partial deploy may have given a node that stayed another slot)
        let right = |at: &Slot| at.generation == generation;
        let slot = match self.slots.get(slot as usize) {
            Some(at) if right(at) => slot,
            _ => match self.slots.iter().position(right) {
                Some(slot) => slot as u32,
                None => return,
            },
        };
        if ends_work {
            let at = &mut self.slots[slot as usize];
            at.works = at.works.saturating_sub(1);
        }
        self.with_process(slot, |process, cx| process.event(cx, event));
    }

    // ------------------------------------------------------------------------------------------------- delivery

    pub(crate) fn send(&mut self, slot: u32, output: usize, mut msg: Msg) {
        msg.ensure_id();
        let at = &mut self.slots[slot as usize];
        at.counters.sent(output, 1);
        if at.watch.any(Kinds::SEND) {
            let msg = msg.clone();
            self.tell(slot, EventKind::Send { output, msg });
        }
        let count = match self.slots[slot as usize].ports.get(output) {
            Some(edges) => edges.len(),
            None => return,
        };
        // The last edge takes the message itself: values are copied on write, so it does not matter which one does.
        for i in 1..count {
            let edge = self.slots[slot as usize].ports[output][i - 1];
            self.deliver(slot, edge, msg.clone());
        }
        if count > 0 {
            let edge = self.slots[slot as usize].ports[output][count - 1];
            self.deliver(slot, edge, msg);
        }
    }

    /// Sends several messages from one output: each wire gets all of them before the next wire gets any, as in Node-RED.
    pub(crate) fn send_list(&mut self, slot: u32, output: usize, mut msgs: Vec<Msg>) {
        let edges = self.slots[slot as usize]
            .ports
            .get(output)
            .map_or(0, Vec::len);
        if msgs.len() == 1 || edges <= 1 {
            for msg in msgs {
                self.send(slot, output, msg);
            }
            return;
        }
        for msg in &mut msgs {
            msg.ensure_id();
        }
        let at = &mut self.slots[slot as usize];
        at.counters.sent(output, msgs.len() as u64);
        if at.watch.any(Kinds::SEND) {
            for msg in &msgs {
                self.tell(
                    slot,
                    EventKind::Send {
                        output,
                        msg: msg.clone(),
                    },
                );
            }
        }
        for i in 0..edges {
            let edge = self.slots[slot as usize].ports[output][i];
            for msg in &msgs {
                self.deliver(slot, edge, msg.clone());
            }
        }
    }

    fn deliver(&mut self, from: u32, (to, fused): (u32, bool), msg: Msg) {
        if fused {
            self.handle(to, msg);
        } else if self.queue.len() < HARD_QUEUE_LIMIT {
            self.enqueue(to, msg);
        } else {
            self.drop_message(from);
        }
    }

    fn enqueue(&mut self, slot: u32, msg: Msg) {
        self.queue.push_back((slot, Work::Msg(msg)));
        self.waits(slot);
    }

    fn drop_message(&mut self, from: u32) {
        self.slots[from as usize].counters.dropped += 1;
        let now = Instant::now();
        if self
            .told_full
            .is_none_or(|told| now - told > Duration::from_secs(1))
        {
            self.told_full = Some(now);
            let text = format!(
                "{HARD_QUEUE_LIMIT} messages are waiting: what this node sends is dropped until there is room (is there a loop that multiplies messages?)"
            );
            self.log(from, Level::Error, Value::from(text));
        }
    }

    /// Hands a message to an operator: the heart of it all.
    pub(crate) fn handle(&mut self, slot: u32, msg: Msg) {
        let region = &mut self.slots[slot as usize].region;
        match region.take_if(|region| region.is_ready()) {
            Some(region) => region.run(self, msg),
            None => self.handle_alone(slot, msg),
        }
    }

    /// Hands a message to an operator's own process.
    pub(crate) fn handle_alone(&mut self, slot: u32, msg: Msg) {
        let at = &mut self.slots[slot as usize];
        if at.process.is_none() {
            // The operator is in the middle of a turn (it sent to itself, at once): its turn comes later. One that does not
            // run takes nothing.
            if at.state == State::Started {
                self.enqueue(slot, msg);
            }
            return;
        }
        self.handled += 1;
        at.counters.received += 1;
        let sampled = at.counters.received.is_multiple_of(NANOS_SAMPLED);
        if at.watch.any(Kinds::INPUT) {
            let msg = msg.clone();
            self.tell(slot, EventKind::Input { msg });
        }
        if !sampled {
            return self.input(slot, msg);
        }
        let begin = Instant::now();
        self.input(slot, msg);
        let bucket = (begin.elapsed().as_nanos().max(1).ilog2() as usize).min(39);
        self.slots[slot as usize].counters.nanos[bucket] += 1;
    }

    #[inline]
    fn input(&mut self, slot: u32, msg: Msg) {
        let Some(mut process) = self.slots[slot as usize].process.take() else {
            return;
        };
        let turn = self.enter(slot);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            process.input(&mut Cx { island: self, slot }, msg)
        }));
        self.leave(turn, true);
        self.give_back(slot, process);
        if let Err(panic) = outcome {
            self.panicked(slot, panic);
        }
    }

    pub(crate) fn with_process(
        &mut self,
        slot: u32,
        turn: impl FnOnce(&mut dyn Process, &mut Cx<'_>),
    ) {
        let Some(mut process) = self
            .slots
            .get_mut(slot as usize)
            .and_then(|at| at.process.take())
        else {
            return;
        };
        self.handled += 1;
        let entered = self.enter(slot);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            turn(process.as_mut(), &mut Cx { island: self, slot })
        }));
        self.leave(entered, false);
        self.give_back(slot, process);
        if let Err(panic) = outcome {
            self.panicked(slot, panic);
        }
    }

    #[inline]
    fn give_back(&mut self, slot: u32, process: Box<dyn Process>) {
        self.slots[slot as usize].process = Some(process);
    }

    fn panicked(&mut self, slot: u32, panic: Box<dyn Any + Send>) {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown panic".to_owned());
        let error =
            NodeError::new(format!("internal error in this node: {text}")).with_code("panic");
        self.error(slot, error, Some(&Msg::new()));
    }

    /// Delivers a message at once, as Node-RED's `receive` does; an operator that is in the middle of a turn gets it later.
    pub(crate) fn receive_now(&mut self, slot: u32, mut msg: Msg) {
        msg.ensure_id();
        self.handle(slot, msg);
    }

    // ------------------------------------------------------------------------------------------------- what nodes say

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
            self.log(slot, Level::Error, error.value);
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
        let at = &self.slots[slot as usize];
        self.shared
            .log
            .log(self.shared.clock.now_ms(), level, Some(&at.info), &message);
        if at.watch.any(Kinds::LOG) {
            self.tell(slot, EventKind::Log { level, message });
        }
    }

    pub(crate) fn local<T: Any>(&mut self, make: impl FnOnce() -> T) -> Rc<T> {
        let entry = self
            .locals
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Rc::new(make()));
        match entry.clone().downcast() {
            Ok(local) => local,
            Err(_) => unreachable!("the table is keyed by type"),
        }
    }

    pub(crate) fn mailbox_of(&self, slot: u32) -> Mailbox {
        Mailbox {
            shared: self.mailbox.clone(),
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    /// The slot of a node that runs.
    pub(crate) fn running(&self, id: &str) -> Option<u32> {
        self.index
            .get(id)
            .copied()
            .filter(|&slot| self.slots[slot as usize].state == State::Started)
    }

    // ------------------------------------------------------------------------------------------------- life

    async fn stop(&mut self, ids: Option<Vec<String>>, removed: &[String]) {
        let slots: Vec<u32> = match &ids {
            None => (0..self.slots.len() as u32).rev().collect(),
            Some(ids) => ids
                .iter()
                .filter_map(|id| self.index.get(id).copied())
                .collect(),
        };
        let mut closing = Vec::new();
        for &slot in &slots {
            let at = &self.slots[slot as usize];
            if at.state != State::Started {
                continue;
            }
            let gone = removed.contains(&at.info.id);
            let mut waits = None;
            self.with_process(slot, |process, cx| waits = process.close(cx, gone));
            closing.extend(waits);
            self.end(slot);
        }
        if closing.is_empty() {
            return;
        }
        let all = async {
            for wait in closing {
                wait.await;
            }
        };
        if tokio::time::timeout(self.close_timeout, all).await.is_err() {
            let text = format!(
                "nodes took longer than {} s to stop",
                self.close_timeout.as_secs_f64()
            );
            self.shared.log.log(
                self.shared.clock.now_ms(),
                Level::Warn,
                None,
                &Value::from(text),
            );
        }
    }

    fn end(&mut self, slot: u32) {
        // (each may have this operator in it; the next plan brings them back)
        self.each_region(|region, slots| region.count(slots));
        self.slots.iter_mut().for_each(|at| at.region = None);
        self.timers.clear_all(slot);
        self.queue.retain(|(to, _)| *to != slot);
        let at = &mut self.slots[slot as usize];
        at.process = None;
        at.state = State::Stopped;
        at.generation = u32::MAX;
        if let Some(measured) = &mut at.measured {
            measured.nothing_waits();
        }
        self.in_flight = self.in_flight.saturating_sub(at.works);
        at.works = 0;
        for task in at.tasks.drain(..) {
            task.abort();
        }
        let id = at.info.id.clone();
        self.published.remove(&id);
        if self.slots[slot as usize].watch.any(Kinds::LIFECYCLE) {
            self.tell(
                slot,
                EventKind::Lifecycle {
                    state: "stopped",
                    message: String::new(),
                },
            );
        }
    }

    /// Takes over a plan: what is not kept has been stopped before.
    async fn update(&mut self, update: Update) -> Started {
        self.shared = update.shared;
        let plan = self.shared.plan.clone();
        self.each_region(|region, slots| region.count(slots));
        let mut old: HashMap<String, Slot> = self
            .slots
            .drain(..)
            .map(|slot| (slot.info.id.clone(), slot))
            .collect();
        let old_ids: Vec<String> = {
            let mut ids: Vec<(&String, &u32)> = self.index.iter().collect();
            ids.sort_by_key(|(_, slot)| **slot);
            ids.into_iter().map(|(id, _)| id.clone()).collect()
        };
        let numbers: HashMap<OpIndex, u32> = update
            .ops
            .iter()
            .enumerate()
            .map(|(slot, op)| (*op, slot as u32))
            .collect();
        self.index = update
            .ops
            .iter()
            .enumerate()
            .map(|(slot, op)| (plan.ops[*op as usize].id.clone(), slot as u32))
            .collect();
        let mut fresh = Vec::new();
        for (slot, &op) in update.ops.iter().enumerate() {
            let planned = &plan.ops[op as usize];
            let kept = old
                .remove(&planned.id)
                .filter(|slot| update.keep.contains(&slot.info.id) && slot.state == State::Started);
            let kinds = update.watch.get(&planned.id).copied().unwrap_or_default();
            if kept.is_none() {
                fresh.push(slot as u32);
            }
            let slot = self.slot_for(op, &plan, &numbers, kept, kinds);
            self.slots.push(slot);
        }
        self.move_queue(&old_ids);
        for &slot in &fresh {
            self.start(slot);
        }
        for task in std::mem::take(&mut self.starting) {
            task.await;
        }
        for &slot in &fresh {
            self.with_process(slot, |process, cx| process.started(cx));
        }
        for (first, region) in regions(self, &numbers) {
            self.slots[first as usize].region = Some(Box::new(region));
        }
        Started {
            states: self
                .slots
                .iter()
                .map(|slot| (slot.info.id.clone(), slot.state))
                .collect(),
        }
    }

    /// What waits for nodes that stay goes on waiting for them; timers likewise.
    fn move_queue(&mut self, old_ids: &[String]) {
        let moved: Vec<Option<u32>> = old_ids
            .iter()
            .map(|id| self.index.get(id).copied())
            .collect();
        let new = |slot: u32| moved.get(slot as usize).copied().flatten();
        let queue = std::mem::take(&mut self.queue);
        self.queue = queue
            .into_iter()
            .filter_map(|(slot, work)| Some((new(slot)?, work)))
            .collect();
        self.timers.renumber(new);
    }

    fn slot_for(
        &mut self,
        op: OpIndex,
        plan: &Plan,
        numbers: &HashMap<OpIndex, u32>,
        kept: Option<Slot>,
        kinds: Kinds,
    ) -> Slot {
        let planned = &plan.ops[op as usize];
        let number = |op: &OpIndex| numbers.get(op).copied();
        let chains = |chains: &[Chain]| -> Vec<Vec<Vec<(u32, bool)>>> {
            let level = |level: &Vec<vgdc_plan::Listener>| {
                level
                    .iter()
                    .filter_map(|l| Some((number(&l.op)?, l.uncaught)))
                    .collect()
            };
            chains
                .iter()
                .map(|chain| chain.levels.iter().map(level).collect())
                .collect()
        };
        let ports = planned.ports.iter();
        let ports = ports
            .map(|port| {
                port.edges
                    .iter()
                    .filter_map(|edge| Some((number(&edge.to)?, edge.fused)))
                    .collect()
            })
            .collect();
        let catch = chains(&planned.catch);
        let status = chains(&planned.status);
        let complete = planned.complete.iter().filter_map(number).collect();
        let targets = planned.targets.iter().filter_map(number).collect();
        if let Some(mut slot) = kept {
            slot.watch.set(kinds);
            (slot.op, slot.ports, slot.catch, slot.status) = (op, ports, catch, status);
            (slot.complete, slot.targets) = (complete, targets);
            slot.region = None;
            return slot;
        }
        self.generation += 1;
        let watch = Arc::new(WatchFlags::default());
        watch.set(kinds);
        let path = plan
            .flows
            .get(planned.flow as usize)
            .map_or("global", |flow| flow.path.as_str());
        let info = Arc::new(OpInfo {
            id: planned.id.clone(),
            ty: planned.ty.clone(),
            name: planned.name.clone(),
            z: planned.z.clone(),
            alias: planned.alias.clone(),
            path: path.to_owned(),
        });
        let env = NodeEnv::new(self.shared.clone(), op);
        let mut props: Object = planned
            .props
            .iter()
            .map(|(key, value)| (key.as_str(), Value::from_json(value)))
            .collect();
        for value in props.values_mut() {
            vgdc_expr::substitute_env(value, &env);
        }
        Slot {
            info,
            op,
            fingerprint: planned.fingerprint.clone(),
            props,
            ports,
            catch,
            status,
            complete,
            targets,
            watch,
            process: None,
            region: None,
            state: State::Failed,
            generation: self.generation,
            counters: Counters::default(),
            measured: self.profiler.is_some().then(Box::default),
            tasks: Vec::new(),
            works: 0,
        }
    }

    fn start(&mut self, slot: u32) {
        let planned = &self.shared.plan.ops[self.slots[slot as usize].op as usize];
        let ty = planned.process_type().to_owned();
        let made = match self.shared.registry.get(&ty) {
            None => Err(NodeError::new(format!(
                "this runtime has no node type \"{ty}\""
            ))),
            Some(def) => catch_unwind(AssertUnwindSafe(|| {
                (def.create)(&mut Cx { island: self, slot })
            }))
            .unwrap_or_else(|_| {
                Err(NodeError::new("internal error while starting this node").with_code("panic"))
            }),
        };
        let (state, message) = match made {
            Ok(process) => {
                let at = &mut self.slots[slot as usize];
                at.process = Some(process);
                at.state = State::Started;
                ("started", String::new())
            }
            Err(error) => {
                self.timers.clear_all(slot);
                let text = error.text();
                self.error(slot, error, None);
                ("failed", text)
            }
        };
        if self.slots[slot as usize].watch.any(Kinds::LIFECYCLE) {
            self.tell(slot, EventKind::Lifecycle { state, message });
        }
    }

    pub(crate) fn set_watch(&mut self, watch: &HashMap<String, Kinds>) {
        for slot in &self.slots {
            slot.watch
                .set(watch.get(&slot.info.id).copied().unwrap_or_default());
        }
        self.each_region(|region, slots| region.look(slots));
    }

    fn each_region(&mut self, mut f: impl FnMut(&mut Region, &mut [Slot])) {
        for slot in 0..self.slots.len() {
            if let Some(mut region) = self.slots[slot].region.take() {
                f(&mut region, &mut self.slots);
                self.slots[slot].region = Some(region);
            }
        }
    }

    pub(crate) fn counters(&mut self) -> Vec<(String, Counters)> {
        self.each_region(|region, slots| region.count(slots));
        self.slots
            .iter()
            .map(|slot| (slot.info.id.clone(), slot.counters.clone()))
            .collect()
    }

    /// The fingerprint under which a running node was started.
    pub(crate) fn fingerprints(&self) -> Vec<(String, String)> {
        let running = self
            .slots
            .iter()
            .filter(|slot| slot.state == State::Started);
        running
            .map(|slot| (slot.info.id.clone(), slot.fingerprint.clone()))
            .collect()
    }
}
