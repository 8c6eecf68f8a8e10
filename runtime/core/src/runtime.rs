//! A running deployment, seen from outside: deploy, stop, deliver, watch, ask.
//!
//! The islands run on worker threads; everything here is a request to them through their mailboxes.

mod redeploy;
mod time;

use crate::env::EnvTable;
use crate::island::{Counters, Island, Started, State, Update};
use crate::mailbox::{Mail, MailboxShared, Request};
use crate::trace::Tracing;
use crate::{Clock, Elsewhere, Kinds, LogSink, NodeError, Registry, Services, Shared, Sink, place};
use redeploy::Layout;
pub use redeploy::Preview;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use vgdc_plan::Plan;
use vgdc_store::Stores;
use vgdc_value::{Msg, Object, Value};

/// How a runtime is set up.
pub struct RuntimeOptions {
    /// The behaviours.
    pub registry: Registry,
    /// What the process offers to nodes.
    pub services: Arc<Services>,
    /// Takes events.
    pub sink: Arc<dyn Sink>,
    /// Takes log lines.
    pub log: Arc<dyn LogSink>,
    /// Worker threads at most; 0 means as many as there are cores.
    pub workers: usize,
    /// Deliveries that may wait in an island before its sources are slowed.
    pub queue_limit: usize,
    /// How long closing nodes may take where the setting `nodeCloseTimeout` does not say; 15 s in Node-RED.
    pub close_timeout: Duration,
    /// Functions of the plan that are linked into this program.
    pub linked: &'static [vgdc_native::linked::Linked],
    /// Whether nodes are measured, for [`Runtime::profile`].
    pub profile: bool,
    /// What is to be known of messages' ways, and by whom; `None`: nothing.
    pub traces: Option<crate::Traces>,
    /// The clock that the nodes see.
    pub clock: Clock,
    /// The other places that operators of a plan may run in.
    pub elsewhere: Option<Arc<dyn Elsewhere>>,
}

impl RuntimeOptions {
    /// Options with the defaults, nobody watching and nothing logged.
    pub fn new(registry: Registry) -> Self {
        RuntimeOptions {
            registry,
            services: Arc::default(),
            sink: Arc::new(crate::event::NoSink),
            log: Arc::new(crate::log::NoLog),
            workers: 0,
            queue_limit: 1000,
            close_timeout: Duration::from_secs(15),
            linked: &[],
            profile: false,
            traces: None,
            clock: Clock::Real,
            elsewhere: None,
        }
    }
}

/// What a deploy restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeployType {
    /// Everything.
    #[default]
    Full,
    /// The flows in which something changed.
    Flows,
    /// The nodes that changed.
    Nodes,
}

/// What is to run.
#[derive(Clone, Default)]
pub struct Deployment {
    /// The compiled flows; `None` keeps the flows that run.
    pub plan: Option<Plan>,
    /// Secrets by node id; `None` keeps those that are held.
    pub credentials: Option<HashMap<String, Object>>,
    /// Variables set over the process's (`None`: hidden); absent keeps those that are held.
    pub env: Option<HashMap<String, Option<String>>>,
    /// Static settings; absent keeps those that are held.
    pub settings: Option<Object>,
    /// What is restarted.
    pub ty: DeployType,
    /// Contexts that another process had in memory, as [`vgdc_store::Stores::in_memory`] gave them; nothing where that is no matter.
    pub contexts: Option<Vec<u8>>,
}

/// Why a request was refused. `code` is the control protocol's.
#[derive(Debug, Clone)]
pub struct RuntimeError {
    /// A machine-readable code: `no-such-node`, `bad-field`, …
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl RuntimeError {
    /// An error with a code and a text.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        RuntimeError {
            code: code.into(),
            message: message.into(),
        }
    }

    fn no_such_node(id: &str) -> Self {
        RuntimeError::new("no-such-node", format!("no node \"{id}\" runs"))
    }
}

impl std::fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RuntimeError {}

impl From<NodeError> for RuntimeError {
    fn from(error: NodeError) -> Self {
        RuntimeError::new(error.code.as_deref().unwrap_or("failed"), error.text())
    }
}

/// A node that runs, or that failed to start.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // as in control-protocol.md, `nodes`
pub struct NodeStatus {
    pub id: String,
    pub ty: String,
    pub z: Option<String>,
    pub name: Option<String>,
    pub wires: Vec<Vec<String>>,
    pub state: State,
}

type Spawn = Box<dyn FnOnce() + Send>;

/// A thread that runs islands.
struct Worker {
    spawn: mpsc::UnboundedSender<Spawn>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(number: usize) -> std::io::Result<Worker> {
        let (spawn, mut jobs) = mpsc::unbounded_channel::<Spawn>();
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name(format!("island-{number}"))
            .stack_size(8 << 20)
            .spawn(move || {
                let local = tokio::task::LocalSet::new();
                local.block_on(&tokio, async {
                    while let Some(job) = jobs.recv().await {
                        job();
                    }
                });
                // Islands whose end was asked for finish here.
                let _ = tokio
                    .block_on(async { tokio::time::timeout(Duration::from_secs(1), local).await });
            })?;
        Ok(Worker {
            spawn,
            thread: Some(thread),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (closed, _) = mpsc::unbounded_channel();
        self.spawn = closed;
        if let Some(thread) = self.thread.take() {
            // A worker whose thread panicked has said so on stderr already.
            let _ = thread.join();
        }
    }
}

struct Running {
    mailbox: Arc<MailboxShared>,
    /// The thread that it runs on.
    worker: usize,
    ids: HashSet<String>,
}

/// A runtime: holds one deployment at a time.
pub struct Runtime {
    options: RuntimeOptions,
    workers: Vec<Worker>,
    next_worker: usize,
    islands: Vec<Running>,
    /// The island (an index into `islands`) and state of each node.
    nodes: HashMap<String, (usize, State)>,
    plan: Arc<Plan>,
    stores: Arc<Stores>,
    credentials: Arc<HashMap<String, Object>>,
    env: HashMap<String, Option<String>>,
    settings: Object,
    watch: HashMap<String, Kinds>,
    watch_all: Kinds,
    /// When the flows started that run.
    since: Instant,
}

impl Runtime {
    /// A runtime with nothing deployed.
    pub fn new(options: RuntimeOptions) -> Self {
        Runtime {
            options,
            workers: Vec::new(),
            next_worker: 0,
            islands: Vec::new(),
            nodes: HashMap::new(),
            plan: Arc::new(Plan {
                env: vec![Default::default()],
                ..Default::default()
            }),
            stores: Arc::new(Stores::memory_only()),
            credentials: Arc::default(),
            env: HashMap::new(),
            settings: Object::new(),
            watch: HashMap::new(),
            watch_all: Kinds::NONE,
            since: Instant::now(),
        }
    }

    /// The services given at the start.
    pub fn services(&self) -> &Arc<Services> {
        &self.options.services
    }

    /// What runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The context stores.
    pub fn stores(&self) -> &Arc<Stores> {
        &self.stores
    }

    /// Puts flows in place of what runs. Answered once every node has started. Gives the number of nodes that run.
    ///
    /// # Errors
    /// A damaged plan, settings that cannot be used, or no thread to run on; what runs goes on then. A node that cannot start is no error here: it raises its own.
    pub async fn deploy(&mut self, deployment: Deployment) -> Result<usize, RuntimeError> {
        if let Some(plan) = &deployment.plan {
            let verified = plan.verify();
            verified.map_err(|e| RuntimeError::new("bad-plan", e.to_string()))?;
        }
        let everything = self.restarts_all(&deployment).is_some();
        let plan = deployment.plan.map_or_else(|| self.plan.clone(), Arc::new);
        if let Some(env) = deployment.env {
            self.env = env;
        }
        let mut new_stores = None;
        if let Some(settings) = deployment.settings
            && !Value::Object(settings.clone()).same(&Value::Object(self.settings.clone()))
        {
            let changed = |key: &str| {
                let value =
                    |settings: &Object| settings.get(key).cloned().unwrap_or(Value::Undefined);
                !value(&settings).same(&value(&self.settings))
            };
            if [
                "contextStorage",
                "functionGlobalContext",
                "exportGlobalContextKeys",
                "userDir",
            ]
            .into_iter()
            .any(changed)
            {
                // (the new ones may be where the old ones are, and are to find there what these hold)
                self.stores.flush();
                let stores = Stores::from_settings(&Value::Object(settings.clone()));
                new_stores =
                    Some(stores.map_err(|e| RuntimeError::new("bad-settings", e.to_string()))?);
            }
            self.settings = settings;
        }
        match deployment.credentials {
            Some(given) if deployment.ty == DeployType::Full => self.credentials = Arc::new(given),
            Some(given) => {
                let mut all = (*self.credentials).clone();
                all.extend(given);
                self.credentials = Arc::new(all);
            }
            None if deployment.ty == DeployType::Full => self.credentials = Arc::default(),
            None => {}
        }
        let keep = if everything {
            HashSet::new()
        } else {
            self.unchanged(&plan, deployment.ty).await
        };
        let layout = self.layout(&plan, &keep);
        let there = is_away(&self.plan) || is_away(&plan);
        // (it sees itself what has changed, and stops what it has to)
        let elsewhere = self.options.elsewhere.clone().filter(|_| there);
        self.stop_all_but(&layout.keep, &plan).await;
        if let Some(stores) = new_stores {
            self.stores.close();
            // What nodes still set while they stopped is there only now, so they are opened again; what could be opened a
            // moment ago is good enough should that fail.
            drop(std::mem::take(&mut self.stores));
            let again = Stores::from_settings(&Value::Object(self.settings.clone()));
            self.stores = Arc::new(again.unwrap_or(stores));
        }
        if let Some(contexts) = &deployment.contexts {
            let brought = self.stores.bring(contexts);
            brought.map_err(|e| RuntimeError::new("bad-contexts", e.to_string()))?;
        }
        self.stores.retain(&redeploy::active(&plan));
        let (count, shared) = self.start(plan, layout).await?;
        match elsewhere {
            Some(elsewhere) if is_away(&shared.plan) => {
                let ty = if everything {
                    DeployType::Full
                } else {
                    deployment.ty
                };
                self.watch_elsewhere(&shared.plan);
                elsewhere.deploy(shared, ty).await;
            }
            Some(elsewhere) => elsewhere.stop(None).await,
            None => {}
        }
        Ok(count)
    }

    /// Loads the plan's machine code. What cannot be run is told; the engine does it all then.
    fn code_of(&self, plan: &Plan) -> Option<Arc<vgdc_native::Memory>> {
        match vgdc_native::Memory::new(plan.code.as_ref()?, self.options.linked) {
            Ok(memory) => Some(Arc::new(memory)),
            Err(error) => {
                let text = format!("{error}: functions run in the JavaScript engine");
                let now = self.options.clock.now_ms();
                self.options
                    .log
                    .log(now, crate::Level::Warn, None, &Value::from(text));
                None
            }
        }
    }

    async fn start(
        &mut self,
        plan: Arc<Plan>,
        layout: Layout,
    ) -> Result<(usize, Arc<Shared>), RuntimeError> {
        self.plan = plan.clone();
        let flows: HashMap<String, Arc<str>> = (plan.ops.iter())
            .filter_map(|op| Some((op.id.clone(), Arc::from(op.z.as_deref()?))))
            .collect();
        let (log, clock) = (self.options.log.clone(), self.options.clock.clone());
        self.stores.set_log(move |level, text| {
            log.log(clock.now_ms(), level.into(), None, &Value::from(text));
        });
        self.stores
            .set_flow_of(move |node| flows.get(node).cloned());
        let shared = Arc::new(Shared {
            env: EnvTable::new(
                plan.clone(),
                self.env.clone(),
                self.credentials.clone(),
                self.options.clock.clone(),
            )
            .without(
                self.settings
                    .get("envVarExcludes")
                    .unwrap_or(&Value::Undefined),
            ),
            plan: plan.clone(),
            registry: self.options.registry.clone(),
            stores: self.stores.clone(),
            settings: self.settings.clone(),
            credentials: self.credentials.clone(),
            services: self.options.services.clone(),
            sink: self.options.sink.clone(),
            log: self.options.log.clone(),
            clock: self.options.clock.clone(),
            elsewhere: self.options.elsewhere.clone(),
            code: self.code_of(&plan),
        });
        let mut old: Vec<Option<Running>> = std::mem::take(&mut self.islands)
            .into_iter()
            .map(Some)
            .collect();
        self.nodes.clear();
        if layout.keep.is_empty() {
            self.since = Instant::now();
        }
        let given: Vec<Option<usize>> = (layout.islands.iter())
            .map(|from| Some(old.get((*from)?)?.as_ref()?.worker))
            .collect();
        let places = place::longest_first(&plan.loads, &given, self.most_workers());
        let mut replies = Vec::new();
        let islands = layout.islands.into_iter().zip(places);
        for (ops, (from, place)) in plan.islands.iter().zip(islands) {
            let ids: HashSet<String> = ops
                .iter()
                .map(|&op| plan.ops[op as usize].id.clone())
                .collect();
            let running = from.and_then(|from| old.get_mut(from).and_then(Option::take));
            let (mailbox, worker) = match running {
                Some(running) => (running.mailbox, running.worker),
                None => self.new_island(shared.clone(), place)?,
            };
            let update = Update {
                shared: shared.clone(),
                ops: ops.clone(),
                keep: layout.keep.clone(),
                watch: ids
                    .iter()
                    .map(|id| (id.clone(), self.watched(id)))
                    .collect(),
            };
            replies.push(request(&mailbox, |reply| Request::Update {
                update: Box::new(update),
                reply,
            }));
            self.islands.push(Running {
                mailbox,
                worker,
                ids,
            });
        }
        for running in old.into_iter().flatten() {
            running.mailbox.put(Mail::Request(Request::End));
        }
        for (island, reply) in replies.into_iter().enumerate() {
            let started: Started = reply
                .await
                .map_err(|_| RuntimeError::new("failed", "a worker thread ended"))?;
            self.nodes.extend(
                started
                    .states
                    .into_iter()
                    .map(|(id, state)| (id, (island, state))),
            );
        }
        let started = |(_, state): &&(usize, State)| *state == State::Started;
        Ok((self.nodes.values().filter(started).count(), shared))
    }

    /// How many threads there may be.
    fn most_workers(&self) -> usize {
        match self.options.workers {
            // (so that what happens at one time happens in one order, each time)
            _ if self.options.clock.is_virtual() => 1,
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }

    /// Starts an island, on this thread or on the next in turn.
    fn new_island(
        &mut self,
        shared: Arc<Shared>,
        place: Option<usize>,
    ) -> Result<(Arc<MailboxShared>, usize), RuntimeError> {
        let most = self.most_workers();
        let wanted = place.map_or(self.workers.len() + 1, |place| place + 1);
        while self.workers.len() < wanted.min(most) {
            let worker = Worker::start(self.workers.len());
            self.workers.push(
                worker.map_err(|e| {
                    RuntimeError::new("failed", format!("cannot start a thread: {e}"))
                })?,
            );
        }
        let worker = place.unwrap_or(self.next_worker) % self.workers.len();
        self.next_worker += 1;
        let mailbox = MailboxShared::new(self.options.queue_limit);
        let named = shared.setting("nodeCloseTimeout").as_f64();
        let named = named
            .filter(|millis| *millis > 0.0)
            .and_then(|millis| Duration::try_from_secs_f64(millis / 1e3).ok());
        let close_timeout = named.unwrap_or(self.options.close_timeout);
        let given = mailbox.clone();
        let profiled = self.options.profile;
        let traces = self.options.traces.clone();
        let job: Spawn = Box::new(move || {
            let mut island = Island::new(shared, given, close_timeout, profiled);
            island.tracing = traces.map(|traces| Box::new(Tracing::new(&traces)));
            tokio::task::spawn_local(island.run());
        });
        match self.workers[worker].spawn.send(job) {
            Ok(()) => Ok((mailbox, worker)),
            Err(_) => Err(RuntimeError::new("failed", "a worker thread ended")),
        }
    }

    /// Stops these nodes (all when `None`) and keeps the process and the context.
    ///
    /// # Errors
    /// A node that does not run; then none is stopped.
    pub async fn stop(&mut self, nodes: Option<&[String]>) -> Result<(), RuntimeError> {
        if let Some(ids) = nodes {
            for id in ids {
                self.island_of(id)?;
            }
        }
        if let Some(elsewhere) = self
            .options
            .elsewhere
            .as_ref()
            .filter(|_| is_away(&self.plan))
        {
            elsewhere.stop(nodes.map(<[String]>::to_vec)).await;
        }
        let mut replies = Vec::new();
        for island in &self.islands {
            let ids = nodes.map(|ids| {
                ids.iter()
                    .filter(|id| island.ids.contains(*id))
                    .cloned()
                    .collect()
            });
            replies.push(request(&island.mailbox, |reply| Request::Stop {
                ids,
                removed: Vec::new(),
                reply,
            }));
        }
        for reply in replies {
            let _ = reply.await;
        }
        match nodes {
            Some(ids) => self.nodes.retain(|id, _| !ids.contains(id)),
            None => self.nodes.clear(),
        }
        Ok(())
    }

    /// Stops everything and ends the threads. The stores are flushed.
    pub async fn shutdown(mut self) {
        // (without names there is nothing that could be unknown)
        let _ = self.stop(None).await;
        for island in self.islands.drain(..) {
            island.mailbox.put(Mail::Request(Request::End));
        }
        self.stores.close();
        let workers = std::mem::take(&mut self.workers);
        let _ = tokio::task::spawn_blocking(move || drop(workers)).await;
    }

    /// The nodes that run and those that failed to start, in the plan's order.
    pub fn nodes(&self) -> Vec<NodeStatus> {
        let listed = self.plan.ops.iter().filter_map(|op| {
            let (_, state) = self.nodes.get(&op.id)?;
            Some(NodeStatus {
                id: op.id.clone(),
                ty: op.ty.clone(),
                z: op.z.clone(),
                name: op.name.clone(),
                wires: op.wires.clone(),
                state: *state,
            })
        });
        listed.collect()
    }

    fn island_of(&self, id: &str) -> Result<&Running, RuntimeError> {
        match self.nodes.get(id) {
            Some((island, State::Started)) => self
                .islands
                .get(*island)
                .ok_or_else(|| RuntimeError::no_such_node(id)),
            _ => Err(RuntimeError::no_such_node(id)),
        }
    }

    async fn at_node<T: Send + 'static>(
        &self,
        id: &str,
        act: impl FnOnce(&mut Island, u32) -> T + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let running = self.island_of(id)?;
        let (name, wanted) = (id.to_owned(), id.to_owned());
        let answer = ask(&running.mailbox, move |island| {
            let slot = island.running(&name)?;
            Some(act(island, slot))
        });
        answer
            .await
            .flatten()
            .ok_or_else(|| RuntimeError::no_such_node(&wanted))
    }

    /// Delivers a message to a node's input, as if it had come along a wire; waits for room in the queue first.
    ///
    /// # Errors
    /// The node does not run.
    pub async fn receive(&self, node: &str, msg: Option<Msg>) -> Result<(), RuntimeError> {
        self.island_of(node)?.mailbox.room().await;
        self.at_node(node, |island, slot| {
            let mut msg = msg.unwrap_or_default();
            msg.ensure_id();
            island
                .queue
                .push_back((slot, crate::island::Work::Msg(msg)));
        })
        .await
    }

    /// Sends from a node's outputs what a function node may return: a message, an array per output, arrays of messages.
    ///
    /// # Errors
    /// The node does not run.
    pub async fn send(&self, node: &str, value: Value) -> Result<(), RuntimeError> {
        self.island_of(node)?.mailbox.room().await;
        self.at_node(node, |island, slot| {
            let mut cx = crate::Cx { island, slot };
            match outputs_of(value) {
                Ok(outputs) => cx.send_all(outputs),
                Err(error) => cx.error(error, None),
            }
        })
        .await
    }

    /// Presses a node's button.
    ///
    /// # Errors
    /// The node does not run or has none.
    pub async fn button(&self, node: &str, msg: Option<Value>) -> Result<(), RuntimeError> {
        let pressed = self.at_node(node, |island, slot| {
            let mut outcome = Ok(());
            island.with_process(slot, |process, cx| outcome = process.button(cx, msg));
            outcome
        });
        pressed.await?.map_err(Into::into)
    }

    /// Switches debug nodes on or off.
    ///
    /// # Errors
    /// A node does not run; then none is switched.
    pub async fn activate(&self, nodes: &[String], active: bool) -> Result<(), RuntimeError> {
        for id in nodes {
            self.island_of(id)?;
        }
        for id in nodes {
            self.at_node(id, move |island, slot| {
                island.with_process(slot, |process, cx| process.activate(cx, active))
            })
            .await?;
        }
        Ok(())
    }

    /// The kinds of event that are wanted of what the runtime itself says.
    pub fn watched_of_runtime(&self) -> Kinds {
        self.watch_all
    }

    fn watched(&self, id: &str) -> Kinds {
        self.watch_all
            .union(self.watch.get(id).copied().unwrap_or_default())
    }

    /// Subscribes to events of these nodes (`None`: of all), in addition to what is watched.
    pub async fn watch(&mut self, nodes: Option<&[String]>, kinds: Kinds) {
        match nodes {
            None => self.watch_all = self.watch_all.union(kinds),
            Some(ids) => {
                for id in ids {
                    let at = self.watch.entry(id.clone()).or_default();
                    *at = at.union(kinds);
                }
            }
        }
        self.set_watch().await;
    }

    /// Takes subscriptions back. For all nodes, those of single nodes go too.
    pub async fn unwatch(&mut self, nodes: Option<&[String]>, kinds: Kinds) {
        match nodes {
            None => {
                self.watch_all = self.watch_all.without(kinds);
                for at in self.watch.values_mut() {
                    *at = at.without(kinds);
                }
            }
            Some(ids) => {
                for id in ids {
                    if let Some(at) = self.watch.get_mut(id) {
                        *at = at.without(kinds);
                    }
                }
            }
        }
        self.watch.retain(|_, kinds| *kinds != Kinds::NONE);
        self.set_watch().await;
    }

    /// Tells other places what is watched at nodes there.
    fn watch_elsewhere(&self, plan: &Plan) {
        let Some(elsewhere) = &self.options.elsewhere else {
            return;
        };
        let away = plan.ops.iter().filter(|op| op.away.is_some());
        let watched = away.map(|op| (op.id.clone(), self.watched(&op.id)));
        elsewhere.watch(&watched.filter(|(_, kinds)| *kinds != Kinds::NONE).collect());
    }

    async fn set_watch(&self) {
        self.watch_elsewhere(&self.plan);
        let mut done = Vec::new();
        for running in &self.islands {
            let watch: HashMap<String, Kinds> = running
                .ids
                .iter()
                .map(|id| (id.clone(), self.watched(id)))
                .collect();
            done.push(ask(&running.mailbox, move |island| {
                island.set_watch(&watch)
            }));
        }
        for answer in done {
            let _ = answer.await;
        }
    }

    /// The counters of every node.
    pub async fn metrics(&self) -> Vec<(String, Counters)> {
        let mut all = Vec::new();
        for running in &self.islands {
            all.extend(
                ask(&running.mailbox, |island| island.counters())
                    .await
                    .unwrap_or_default(),
            );
        }
        all
    }

    /// What the nodes cost so far; `None` in a program that takes no profile. What is lost with a node that a deployment
    /// restarts or takes out is not in it.
    pub async fn profile(
        &self,
        program: &str,
        version: &str,
    ) -> Option<vgdc_plan::profile::Profile> {
        if !self.options.profile {
            return None;
        }
        let mut parts = Vec::new();
        for running in &self.islands {
            parts.extend(ask(&running.mailbox, |island| island.profile()).await);
        }
        let mut profile = crate::profile::together(&self.plan, parts);
        profile.vgdc = version.to_owned();
        profile.program = program.to_owned();
        profile.seconds = self.since.elapsed().as_secs_f64();
        profile.workers = self.workers.len();
        Some(profile)
    }
}

/// Whether operators of a plan run in other places.
fn is_away(plan: &Plan) -> bool {
    plan.ops.iter().any(|op| op.away.is_some())
}

fn request<T>(
    mailbox: &MailboxShared,
    make: impl FnOnce(oneshot::Sender<T>) -> Request,
) -> oneshot::Receiver<T> {
    let (reply, answer) = oneshot::channel();
    mailbox.put(Mail::Request(make(reply)));
    answer
}

/// Runs something on an island's thread and brings its result.
async fn ask<T: Send + 'static>(
    mailbox: &MailboxShared,
    act: impl FnOnce(&mut Island) -> T + Send + 'static,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    mailbox.put(Mail::Call(Box::new(move |island| {
        // (whoever asked may have gone)
        let _ = reply.send(act(island));
    })));
    answer.await.ok()
}

/// What a function node may return, as lists of messages per output.
///
/// # Errors
/// Something in it is neither a message nor nothing; the text is Node-RED's.
pub fn outputs_of(value: Value) -> Result<Vec<Vec<Msg>>, NodeError> {
    let outputs = match value {
        Value::Null | Value::Undefined => return Ok(Vec::new()),
        Value::Array(outputs) => outputs.into_vec(),
        single => vec![single],
    };
    outputs
        .into_iter()
        .map(|output| match output {
            Value::Array(msgs) => msgs.into_vec().into_iter().filter_map(message_of).collect(),
            single => message_of(single).into_iter().collect(),
        })
        .collect()
}

fn message_of(value: Value) -> Option<Result<Msg, NodeError>> {
    match value {
        Value::Null | Value::Undefined => None,
        value => {
            let ty = value.type_of();
            Some(Msg::try_from(value).map_err(|_| {
                NodeError::new(format!("Function tried to send a message of type {ty}"))
            }))
        }
    }
}
