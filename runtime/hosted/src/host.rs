//! The host as the runtime sees it: one of its other places.

use crate::outgoing::Outgoing;
use crate::supervise::{Command, supervise};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{Notify, mpsc, oneshot};
use vgdc_core::elsewhere::Doing;
use vgdc_core::{DeployType, Elsewhere, Kinds, Mailbox, NodeError, Shared, Told};
use vgdc_http::HttpServer;
use vgdc_value::Msg;

/// What a host is given, where the settings do not say otherwise.
pub struct HostOptions {
    /// The folder with the packages: `node_modules`, `nodes`, `settings.js`. `None`: what the setting `host.userDir` says, else
    /// the working directory.
    pub user_dir: Option<PathBuf>,
    /// The listener that shows what packages have to show.
    pub http: Arc<HttpServer>,
}

/// What the threads share.
pub(crate) struct Inner {
    pub options: HostOptions,
    pub outgoing: Mutex<Outgoing>,
    /// Something waits to go.
    pub wake: Notify,
    stand_ins: Mutex<HashMap<String, Mailbox>>,
    /// How much came from the host.
    pub came: AtomicU64,
    /// What runs, for those who ask for contexts.
    pub shared: Mutex<Option<Arc<Shared>>>,
    /// The kinds of events that are watched, by node, as the host is told.
    watched: Mutex<Json>,
}

/// Runs the nodes of packages; see the crate. Nothing is started before a plan needs it.
pub struct Host {
    inner: Arc<Inner>,
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    commands: mpsc::UnboundedSender<Command>,
    handle: JoinHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub fn set_shared(&self, shared: Arc<Shared>) {
        let ids: std::collections::HashSet<&str> =
            shared.plan.ops.iter().map(|op| op.id.as_str()).collect();
        lock(&self.stand_ins).retain(|id, _| ids.contains(id.as_str()));
        *lock(&self.shared) = Some(shared.clone());
    }
}

impl Host {
    /// A host that does not run yet.
    pub fn new(options: HostOptions) -> Host {
        Host {
            inner: Arc::new(Inner {
                options,
                outgoing: Mutex::default(),
                wake: Notify::new(),
                stand_ins: Mutex::default(),
                came: AtomicU64::new(0),
                shared: Mutex::default(),
                watched: Mutex::new(json!({})),
            }),
            thread: Mutex::default(),
        }
    }

    /// Sends a command to the thread that looks after the host; the thread is started if need be.
    fn command<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<oneshot::Receiver<T>, String> {
        let (reply, answer) = oneshot::channel();
        let mut thread = lock(&self.thread);
        if thread.is_none() {
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
        if let Some(thread) = &*thread {
            thread
                .commands
                .send(make(reply))
                .map_err(|e| e.to_string())?;
        }
        Ok(answer)
    }

    fn is_idle(&self) -> bool {
        lock(&self.thread).is_none()
    }
}

impl Elsewhere for Host {
    fn attach(&self, id: &str, mailbox: Mailbox) {
        lock(&self.inner.stand_ins).insert(id.to_owned(), mailbox);
    }

    fn deliver(&self, id: &str, msg: &Msg, from: &Mailbox) -> Result<(), NodeError> {
        let is_written = {
            let mut outgoing = self.inner.outgoing();
            outgoing.add(id, msg, from)?;
            outgoing.flush_alone()
        };
        if !is_written {
            self.inner.wake.notify_one();
        }
        Ok(())
    }

    fn watch(&self, watched: &HashMap<String, Kinds>) {
        let told = [
            ("input", Kinds::INPUT),
            ("send", Kinds::SEND),
            ("done", Kinds::DONE),
        ];
        let names = |kinds: &Kinds| -> Vec<&str> {
            let theirs = told.iter().filter(|(_, kind)| kinds.intersects(*kind));
            theirs.map(|(name, _)| *name).collect()
        };
        let watched: Map<String, Json> = watched
            .iter()
            .map(|(id, kinds)| (id.clone(), names(kinds)))
            .filter(|(_, names)| !names.is_empty())
            .map(|(id, names)| (id, names.into()))
            .collect();
        let watched = Json::Object(watched);
        let before = std::mem::replace(&mut *lock(&self.inner.watched), watched.clone());
        if before != watched {
            // (a host that does not run yet is told with its first deployment; a frame is too long for no such list)
            let _ = self
                .inner
                .outgoing()
                .say(&json!(["watch", watched]).to_string());
            self.inner.wake.notify_one();
        }
    }

    fn deploy(&self, shared: Arc<Shared>, ty: DeployType) -> Doing<'_, ()> {
        Box::pin(async move {
            let log = shared.log.clone();
            self.inner.set_shared(shared);
            match self.command(|reply| Command::Deploy { ty, reply }) {
                // (an end without an answer is the end of the thread, which has said why)
                Ok(answer) => drop(answer.await),
                Err(why) => log.log(
                    0.0,
                    vgdc_core::Level::Error,
                    None,
                    &format!("no host can be started: {why}").into(),
                ),
            }
        })
    }

    fn stop(&self, nodes: Option<Vec<String>>) -> Doing<'_, ()> {
        Box::pin(async move {
            if !self.is_idle()
                && let Ok(answer) = self.command(|reply| Command::Stop { nodes, reply })
            {
                let _ = answer.await;
            }
        })
    }

    fn settle(&self) -> Doing<'_, u64> {
        Box::pin(async move {
            if !self.is_idle()
                && let Ok(answer) = self.command(|reply| Command::Settle { reply })
            {
                let _ = answer.await;
            }
            self.inner.came.load(Ordering::Relaxed)
        })
    }
}

impl Drop for Host {
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
