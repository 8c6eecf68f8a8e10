//! What a node can do while it has its turn.

use crate::island::{Island, Work};
use crate::mailbox::Mailbox;
use crate::shared::NodeEnv;
use crate::{EventKind, Kinds, Level, NodeError, OpInfo, Services, Shared, TimerId, Told};
use std::any::Any;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vgdc_value::{Msg, Object, Value};

/// A node's turn: the way to send, to finish, to raise errors, to set timers, to reach what is around it.
pub struct Cx<'a> {
    pub(crate) island: &'a mut Island,
    pub(crate) slot: u32,
}

/// A message that a node has not finished with, kept only when somebody wants to know of its end.
#[derive(Debug, Default)]
pub struct Completion(pub(crate) Option<Msg>);

impl Cx<'_> {
    /// Has something called when the island has worked on all that is queued: what the node has sent, and what came of it. (What a node
    /// waits for elsewhere, an HTTP request or a timer, is not queued.)
    pub fn when_quiet(&mut self, told: impl FnOnce() + 'static) {
        self.island.when_quiet.push(Box::new(told));
    }

    /// The facts about this node.
    pub fn info(&self) -> &Arc<OpInfo> {
        &self.island.slots[self.slot as usize].info
    }

    /// Where the node stands among all nodes: who came first in the flow has the smaller number.
    pub fn order(&self) -> u32 {
        self.island.slots[self.slot as usize].op
    }

    /// The node's id.
    pub fn id(&self) -> &str {
        &self.info().id
    }

    /// The other places that the node runs in, too or only.
    pub fn other_places(&self) -> Vec<String> {
        let op = self.island.slots[self.slot as usize].op as usize;
        let Some(op) = self.island.shared.plan.ops.get(op) else {
            return Vec::new();
        };
        let away = op.away.iter().map(|away| away.place.clone());
        away.chain(op.twins.iter().cloned()).collect()
    }

    /// The node's properties, environment variables put in.
    pub fn props(&self) -> &Object {
        &self.island.slots[self.slot as usize].props
    }

    /// The node's secrets, environment variables put in.
    pub fn credentials(&self) -> Object {
        let info = self.info();
        let secrets = self.shared().credentials(&info.id, info.alias.as_deref());
        let env = self.env();
        let mut value = Value::Object(secrets);
        vgdc_expr::substitute_env(&mut value, &env);
        match value {
            Value::Object(object) => object,
            _ => Object::new(),
        }
    }

    /// What all nodes of the deployment share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.island.shared
    }

    /// What the process offers.
    pub fn services(&self) -> &Arc<Services> {
        &self.island.shared.services
    }

    /// A static setting by Node-RED's name; undefined when not set.
    pub fn setting(&self, name: &str) -> Value {
        self.island.shared.setting(name)
    }

    /// This node's view of context and environment; can be kept.
    pub fn env(&self) -> NodeEnv {
        let shared = self.island.shared.clone();
        NodeEnv::new(shared, self.island.slots[self.slot as usize].op)
    }

    /// The machine code of the text in a property, if there is any that can be run.
    pub fn native(&self, property: &str) -> Option<vgdc_native::Native> {
        let shared = &self.island.shared;
        let op = shared
            .plan
            .ops
            .get(self.island.slots[self.slot as usize].op as usize)?;
        let number = op.native.get(property)?;
        vgdc_native::Native::new(shared.code.as_ref()?, shared.plan.code.as_ref()?, *number).ok()
    }

    /// The time on the runtime's monotonic clock: what a node measures durations by.
    pub fn now(&self) -> Instant {
        self.island.shared.clock.now()
    }

    /// Milliseconds since the epoch, by the runtime's clock.
    pub fn now_ms(&self) -> f64 {
        self.island.shared.clock.now_ms()
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.island.slots[self.slot as usize].ports.len()
    }

    /// True when an output has a wire.
    pub fn is_wired(&self, output: usize) -> bool {
        self.island.slots[self.slot as usize]
            .ports
            .get(output)
            .is_some_and(|edges| !edges.is_empty())
    }

    // ------------------------------------------------------------------------------------------------- messages

    /// Sends a message from an output. It gets an id when it has none.
    pub fn send(&mut self, output: usize, msg: Msg) {
        self.island.send(self.slot, output, msg);
    }

    /// Sends lists of messages, one list an output, as one call of Node-RED's `send` does: those without an id share one.
    pub fn send_all(&mut self, mut outputs: Vec<Vec<Msg>>) {
        let id_of = |msg: &Msg| msg.get("_msgid").filter(|id| id.truthy()).cloned();
        let mut known = outputs.iter().flatten().find_map(id_of);
        for msg in outputs.iter_mut().flatten() {
            if id_of(msg).is_none() {
                let id = known.get_or_insert_with(|| Value::from(vgdc_value::generate_id()));
                msg.insert("_msgid", id.clone());
            }
        }
        for (output, msgs) in outputs.into_iter().enumerate() {
            self.island.send_list(self.slot, output, msgs);
        }
    }

    /// Sends a message from the first output and finishes with it: what most nodes end with.
    pub fn send_done(&mut self, msg: Msg) {
        let completion = self.completion(&msg);
        self.send(0, msg);
        self.done(completion);
    }

    /// Keeps what is needed to finish with a message later. Costs nothing when nobody listens.
    pub fn completion(&self, msg: &Msg) -> Completion {
        Completion(self.island.wants_done(self.slot).then(|| msg.clone()))
    }

    /// True when somebody wants to know when this node has finished with a message.
    pub fn wants_done(&self) -> bool {
        self.island.wants_done(self.slot)
    }

    /// The node has finished with a message.
    pub fn done(&mut self, completion: Completion) {
        if let Some(msg) = completion.0 {
            self.island.done(self.slot, msg);
        }
    }

    /// The node has finished with this message.
    pub fn done_with(&mut self, msg: &Msg) {
        if self.island.wants_done(self.slot) {
            self.island.done(self.slot, msg.clone());
        }
    }

    /// Raises an error. With the message that caused it, catch nodes are told; what none of them handles is logged.
    pub fn error(&mut self, error: impl Into<NodeError>, msg: Option<&Msg>) {
        self.island.error(self.slot, error.into(), msg);
    }

    /// Sets the node's status: `{fill, shape, text}`, an empty object to clear it, or a text.
    pub fn status(&mut self, status: impl Into<Value>) {
        self.island.status(self.slot, status.into());
    }

    /// Whether the node has set a status since it started, by its process or by its machine code.
    #[must_use]
    pub fn has_set_status(&self) -> bool {
        self.island.slots[self.slot as usize].has_set_status
    }

    /// Tells of an event, where it is watched.
    fn show(&mut self, kind: EventKind) {
        let watch = &self.island.slots[self.slot as usize].watch;
        if watch.any(kind.kinds()) {
            self.island.tell(self.slot, kind);
        }
    }

    /// Sets a status from its three parts; an empty part is left out.
    pub fn set_status(&mut self, fill: &str, shape: &str, text: &str) {
        let mut status = Object::new();
        for (key, part) in [("fill", fill), ("shape", shape), ("text", text)] {
            if !part.is_empty() {
                status.insert(key, part);
            }
        }
        self.status(Value::Object(status));
    }

    /// Writes to the log.
    pub fn log(&mut self, level: Level, message: impl Into<Value>) {
        self.island.log(self.slot, level, message.into());
    }

    /// Writes a warning to the log.
    pub fn warn(&mut self, message: impl Into<Value>) {
        self.log(Level::Warn, message);
    }

    /// Shows a value in the debug sidebar (an event for whoever watches); `make` is called only when somebody does.
    pub fn debug(&mut self, make: impl FnOnce() -> EventKind) {
        if self.island.slots[self.slot as usize]
            .watch
            .any(Kinds::DEBUG)
        {
            let kind = make();
            self.island.tell(self.slot, kind);
        }
    }

    // ------------------------------------------------------------------------------------------------- other places

    /// Hands a message over to the node in another place that this one stands in for, or that is its twin there.
    pub fn hand_over(&mut self, msg: &Msg, mailbox: &Mailbox) {
        let elsewhere = self.shared().elsewhere.clone();
        if let Some(Err(error)) = elsewhere.map(|there| there.deliver(self.id(), msg, mailbox)) {
            self.error(error, Some(msg));
        }
    }

    /// Does in this node's name what a node in another place did.
    pub fn do_told(&mut self, told: Told) {
        match told {
            Told::Send { output, msg } => self.send(output, msg),
            Told::Sent { output, msg } => self.show(EventKind::Send { output, msg }),
            Told::Came(msg) => self.show(EventKind::Input { msg }),
            Told::Done(msg) => self.done_with(&msg),
            Told::Error(error, msg) => self.error(error, msg.as_ref()),
            Told::Status(status) => self.status(status),
            // (the core knows no responses)
            Told::Answer(..) => {}
            Told::Log(level, message) => self.log(level, message),
        }
    }

    // ------------------------------------------------------------------------------------------------- time and tasks

    /// Sets a timer; [`crate::Process::timer`] is called when it is due.
    pub fn set_timer(&mut self, after: Duration) -> TimerId {
        let now = self.island.shared.clock.now();
        self.island.timers.set(self.slot, now, after)
    }

    /// Sets a timer by JavaScript's measure: milliseconds; negative and NaN are 0, as is what does not fit.
    pub fn set_timer_ms(&mut self, after_ms: f64) -> TimerId {
        // (setTimeout turns what does not fit into 32 bits into 1 ms)
        let ms = if after_ms.is_nan() || after_ms < 0.0 {
            0.0
        } else if after_ms > 2_147_483_647.0 {
            1.0
        } else {
            after_ms
        };
        self.set_timer(Duration::from_secs_f64(ms / 1000.0))
    }

    /// Takes a timer back.
    pub fn clear_timer(&mut self, timer: TimerId) {
        self.island.timers.clear(timer);
    }

    /// The address under which this start of the node can be reached from tasks and threads.
    pub fn mailbox(&self) -> Mailbox {
        self.island.mailbox_of(self.slot)
    }

    /// Runs a service task of the node (a socket's reader) on the island's thread; it ends when the node closes.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        let handle = tokio::task::spawn_local(task);
        self.island.slots[self.slot as usize]
            .tasks
            .push(handle.abort_handle());
    }

    /// Runs a piece of work (a file read, an HTTP request) whose result comes to [`crate::Process::event`]. `settle` waits for it.
    pub fn work<E: Any + Send>(&mut self, task: impl Future<Output = E> + 'static) {
        let mailbox = self.mailbox();
        self.island.in_flight += 1;
        let handle = tokio::task::spawn_local(async move {
            let result = task.await;
            mailbox.post_result(Box::new(result));
        });
        let slot = &mut self.island.slots[self.slot as usize];
        slot.tasks.retain(|task| !task.is_finished());
        slot.tasks.push(handle.abort_handle());
        slot.works += 1;
    }

    /// Makes the deployment wait for this before it is called started (a listener that binds).
    pub fn before_started(&mut self, task: impl Future<Output = ()> + 'static) {
        self.island.starting.push(Box::pin(task));
    }

    // ------------------------------------------------------------------------------------------------- other nodes

    /// Offers something to the nodes that refer to this configuration node.
    pub fn publish<T: Any>(&mut self, value: Rc<T>) {
        let id = self.id().to_owned();
        self.island.published.entry(id).or_default().push(value);
    }

    /// What a configuration node offers; `None` when there is no such node or it could not start.
    pub fn config<T: Any>(&self, id: &str) -> Option<Rc<T>> {
        let offered = self.island.published.get(id)?;
        offered
            .iter()
            .find_map(|any| any.clone().downcast::<T>().ok())
    }

    /// Something that all nodes of this island share, made when first asked for (a JavaScript engine).
    pub fn local<T: Any>(&mut self, make: impl FnOnce() -> T) -> Rc<T> {
        self.island.local(make)
    }

    /// Ids, names and flows of the operators that this one may address by id (a link call's targets).
    pub fn targets(&self) -> Vec<Arc<OpInfo>> {
        let slots = &self.island.slots;
        slots[self.slot as usize]
            .targets
            .iter()
            .map(|&t| slots[t as usize].info.clone())
            .collect()
    }

    /// Delivers a message to another operator of the island, as if along a wire but at once. False when it does not run.
    pub fn deliver(&mut self, id: &str, msg: Msg) -> bool {
        match self.island.index.get(id) {
            Some(&slot) => {
                self.island.receive_now(slot, msg);
                true
            }
            None => false,
        }
    }

    /// Queues an event for another operator of the island; it arrives in its `event`. False when it does not run.
    pub fn notify(&mut self, id: &str, event: Box<dyn Any>) -> bool {
        match self.island.index.get(id) {
            Some(&slot) => {
                self.island.queue.push_back((slot, Work::Event(event)));
                true
            }
            None => false,
        }
    }
}
