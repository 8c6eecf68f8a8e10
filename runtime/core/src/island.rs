//! An island: operators that share a queue and a thread.
//!
//! Delivery is a FIFO queue of (operator, message). Handling one delivery appends its sends to the end. Between turns of
//! the queue the island lets timers fire, reads its mailbox and gives its nodes' I/O tasks their time, so that a busy
//! operator starves none of them.

mod life;
mod tell;

use crate::clock::VirtualClock;
use crate::event::WatchFlags;
use crate::mailbox::{Mail, Mailbox, MailboxShared, Request};
use crate::native::Region;
use crate::profile::{Measured, Profiler};
use crate::trace::Tracing;
use crate::{Cx, EventKind, Kinds, Level, NodeError, OpInfo, Process, Shared};
use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use vgdc_plan::OpIndex;
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
    /// Messages that wait for it now, in its island's queue.
    pub waiting: u64,
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
            waiting: 0,
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
    /// It has set a status since it started.
    pub(crate) has_set_status: bool,
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
    /// Timers are being fired.
    fires: bool,
    mailbox: Arc<MailboxShared>,
    pub(crate) published: HashMap<String, Vec<Rc<dyn Any>>>,
    locals: HashMap<TypeId, Rc<dyn Any>>,
    pub(crate) in_flight: usize,
    pub(crate) starting: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    settling: Vec<oneshot::Sender<u64>>,
    /// To be called when nothing is queued any more.
    pub(crate) when_quiet: Vec<Box<dyn FnOnce()>>,
    pub(crate) handled: u64,
    generation: u32,
    close_timeout: Duration,
    told_full: Option<Instant>,
    /// There is one where a profile is taken.
    pub(crate) profiler: Option<Box<Profiler>>,
    /// There is one where messages are followed.
    pub(crate) tracing: Option<Box<Tracing>>,
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
            fires: false,
            mailbox,
            published: HashMap::new(),
            locals: HashMap::new(),
            in_flight: 0,
            starting: Vec::new(),
            settling: Vec::new(),
            when_quiet: Vec::new(),
            handled: 0,
            generation: 0,
            close_timeout,
            told_full: None,
            profiler: profiled.then(Box::default),
            tracing: None,
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
            for told in std::mem::take(&mut self.when_quiet) {
                told();
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
                if self.tracing.is_some() {
                    self.traced_came(slot, &msg);
                }
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

    /// Fires all timers that are due. What they send waits until all have fired, as in Node.js, where whoever is fused has to
    /// wait, too: one timer's node may read a context that another's message changes.
    fn fire_timers(&mut self) {
        let now = self.shared.clock.now();
        self.fires = true;
        while let Some((slot, timer)) = self.timers.pop_due(now) {
            self.with_process(slot, |process, cx| process.timer(cx, timer));
        }
        self.fires = false;
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
        if self.tracing.is_some() {
            let _ = self.span_of(slot, &msg);
        }
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
        if self.tracing.is_some() {
            for msg in &msgs {
                let _ = self.span_of(slot, msg);
            }
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
        if fused && !self.fires {
            self.handle(to, msg);
        } else if self.queue.len() < HARD_QUEUE_LIMIT {
            self.enqueue(to, msg);
        } else {
            self.drop_message(from);
        }
    }

    fn enqueue(&mut self, slot: u32, msg: Msg) {
        if self.tracing.is_some() {
            self.traced_waits(slot, &msg);
        }
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
        if self.tracing.is_some() && self.is_followed(&msg) {
            // (each operator has a time of its own, then)
            return self.handle_alone(slot, msg);
        }
        let region = &mut self.slots[slot as usize].region;
        match region.take_if(|region| region.is_ready()) {
            Some(region) => {
                let traced = self.turn_begins(slot, Some(&msg));
                region.run(self, msg);
                self.turn_ends(traced);
            }
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
        let traced = self.turn_begins(slot, Some(&msg));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            process.input(&mut Cx { island: self, slot }, msg)
        }));
        self.leave(turn, true);
        self.give_back(slot, process);
        if let Err(panic) = outcome {
            self.panicked(slot, panic);
        }
        self.turn_ends(traced);
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
        let traced = self.turn_begins(slot, None);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            turn(process.as_mut(), &mut Cx { island: self, slot })
        }));
        self.leave(entered, false);
        self.give_back(slot, process);
        if let Err(panic) = outcome {
            self.panicked(slot, panic);
        }
        self.turn_ends(traced);
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
}
