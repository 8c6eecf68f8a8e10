//! One place: the host that runs the nodes of it, and what the threads that have to do with it share.

use crate::outgoing::Outgoing;
use crate::pages::Pages;
use crate::supervise::{Command, supervise};
use serde_json::{Map, Value as Json, json};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{Notify, mpsc, oneshot};
use vgdc_core::{Mailbox, Shared, Told};
use vgdc_plan::Op;
use vgdc_value::{Msg, Value};

/// The number of the next process, of all places: names of things that are lent begin with it.
static PROCESSES: AtomicU64 = AtomicU64::new(1);

/// What the threads share.
pub(crate) struct Inner {
    /// The place's name.
    pub name: String,
    /// The folder with the packages, where it is named.
    pub user_dir: Option<PathBuf>,
    pub pages: Arc<Pages>,
    pub outgoing: Mutex<Outgoing>,
    /// Something waits to go.
    pub wake: Notify,
    stand_ins: Mutex<HashMap<String, Mailbox>>,
    /// How much came from the host.
    pub came: AtomicU64,
    /// What runs, for those who ask for contexts.
    shared: Mutex<Option<Arc<Shared>>>,
    /// The number of the process that runs or ran last.
    process: AtomicU64,
    /// The kinds of events that are watched, by node, as the host is told.
    watched: Mutex<Json>,
}

/// A place: nothing is started before a plan needs it.
pub(crate) struct Place {
    pub inner: Arc<Inner>,
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    commands: mpsc::UnboundedSender<Command>,
    handle: JoinHandle<()>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an operator runs in a place, too or only.
pub(crate) fn runs_in(op: &Op, place: &str) -> bool {
    let is_away = op.away.as_ref().is_some_and(|away| away.place == place);
    is_away || op.twins.iter().any(|twin| twin == place)
}

impl Inner {
    pub fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        lock(&self.outgoing)
    }

    /// The stand-in for a node.
    pub fn stand_in(&self, id: &str) -> Option<Mailbox> {
        lock(&self.stand_ins).get(id).cloned()
    }

    /// Tells the stand-in of a node; one that has gone is told nothing.
    pub fn tell(&self, id: &str, told: Told) {
        self.came.fetch_add(1, Ordering::Relaxed);
        if let Some(mailbox) = self.stand_in(id) {
            mailbox.post(told);
        }
    }

    /// All nodes that there are stand-ins for.
    pub fn ids(&self) -> Vec<String> {
        lock(&self.stand_ins).keys().cloned().collect()
    }

    /// The kinds of events that are watched, by node.
    pub fn watched(&self) -> Json {
        lock(&self.watched).clone()
    }

    pub fn shared(&self) -> Option<Arc<Shared>> {
        lock(&self.shared).clone()
    }

    /// The packages that are loaded there.
    pub fn packages(&self) -> Vec<String> {
        let shared = self.shared();
        let place = shared.iter().flat_map(|shared| &shared.plan.places);
        let mut place = place.filter(|place| place.name == self.name);
        place
            .next()
            .map(|place| place.packages.clone())
            .unwrap_or_default()
    }

    /// What the place is called in the log.
    pub fn label(&self) -> String {
        let places = self.shared().map_or(0, |shared| shared.plan.places.len());
        let packages = self.packages();
        match (places, packages.is_empty()) {
            (0 | 1, _) => "packages' nodes".to_owned(),
            (_, true) => "functions with modules".to_owned(),
            (_, false) => packages.join(", "),
        }
    }

    fn set_shared(&self, shared: Arc<Shared>) {
        let here = shared.plan.ops.iter().filter(|op| runs_in(op, &self.name));
        let ids: HashSet<&str> = here.map(|op| op.id.as_str()).collect();
        lock(&self.stand_ins).retain(|id, _| ids.contains(id.as_str()));
        *lock(&self.shared) = Some(shared.clone());
    }

    /// A process starts. Gives how the names of what it lends begin: no other process has it.
    pub fn new_process(&self) -> String {
        let number = PROCESSES.fetch_add(1, Ordering::Relaxed);
        self.process.store(number, Ordering::Relaxed);
        format!("{number}.")
    }

    /// Whether a message carries something that the process of this place has lent.
    pub fn has_lent_to(&self, msg: &Msg) -> bool {
        let own = format!("{}.", self.process.load(Ordering::Relaxed));
        carries(&Value::Object((**msg).clone()), &own)
    }
}

fn carries(value: &Value, prefix: &str) -> bool {
    match value {
        Value::Handle(handle) => handle.id().starts_with(prefix),
        Value::Array(items) => items.iter().any(|item| carries(item, prefix)),
        Value::Object(object) => object.iter().any(|(_, value)| carries(value, prefix)),
        _ => false,
    }
}

impl Place {
    /// A place whose host does not run yet.
    pub fn new(name: &str, user_dir: Option<PathBuf>, pages: Arc<Pages>) -> Place {
        Place {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                user_dir,
                pages,
                outgoing: Mutex::default(),
                wake: Notify::new(),
                stand_ins: Mutex::default(),
                came: AtomicU64::new(0),
                shared: Mutex::default(),
                process: AtomicU64::new(0),
                watched: Mutex::new(json!({})),
            }),
            thread: Mutex::default(),
        }
    }

    pub fn attach(&self, id: &str, mailbox: Mailbox) {
        lock(&self.inner.stand_ins).insert(id.to_owned(), mailbox);
    }

    /// What is watched from now on.
    pub fn watch(&self, watched: &Map<String, Json>) {
        let watched = Json::Object(watched.clone());
        let before = std::mem::replace(&mut *lock(&self.inner.watched), watched.clone());
        if before != watched {
            // (a host that does not run yet is told with its first deployment; a frame is too long for no such list)
            let frame = json!(["watch", watched]).to_string();
            let _ = self.inner.outgoing().say(&frame);
            self.inner.wake.notify_one();
        }
    }

    /// Nodes have stopped: nothing is told to their stand-ins any more.
    pub fn detach(&self, ids: &[String]) {
        let mut stand_ins = lock(&self.inner.stand_ins);
        for id in ids {
            stand_ins.remove(id);
        }
    }

    /// What is to run from now on. False: nothing of it here.
    pub fn set_shared(&self, shared: &Arc<Shared>) -> bool {
        self.inner.set_shared(shared.clone());
        shared
            .plan
            .places
            .iter()
            .any(|place| place.name == self.inner.name)
    }

    /// Sends a command to the thread that looks after the host, and waits for what it answers. `start` says whether the thread
    /// is started if need be; without it there is nothing to command.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub async fn command(
        &self,
        start: bool,
        make: impl FnOnce(oneshot::Sender<()>) -> Command,
    ) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        if self.send(start, make(reply))? {
            // (an end without an answer is the end of the thread, which has said why)
            let _ = answer.await;
        }
        Ok(())
    }

    fn send(&self, start: bool, command: Command) -> Result<bool, String> {
        let mut thread = lock(&self.thread);
        if thread.is_none() && start {
            let (commands, received) = mpsc::unbounded_channel();
            let inner = self.inner.clone();
            let tokio = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|e| e.to_string())?;
            let handle = std::thread::Builder::new()
                .name("host".into())
                .spawn(move || {
                    let local = tokio::task::LocalSet::new();
                    local.block_on(&tokio, supervise(inner, received));
                })
                .map_err(|e| e.to_string())?;
            *thread = Some(Thread { commands, handle });
        }
        let Some(thread) = &*thread else {
            return Ok(false);
        };
        thread.commands.send(command).map_err(|e| e.to_string())?;
        Ok(true)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let thread = lock(&self.thread).take();
        if let Some(Thread { commands, handle }) = thread {
            // Without one who could command, it ends the process and itself.
            drop(commands);
            // (a thread that panicked has said so)
            let _ = handle.join();
        }
    }
}
