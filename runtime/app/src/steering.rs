//! Starting and stopping the flows of a program that stays: the whole of the control protocol, and what only the agent of a mesh asks.
//!
//! | `op` | |
//! | --- | --- |
//! | `start` | starts the flows, if they do not run |
//! | `drain` | stops what messages come from, and the listener; the rest works on what it has |
//! | `leave` | the same, and takes nothing more from other machines: another one is about to have the part |
//! | `halt` | stops the flows; they may be started again |
//! | `health` | `{"phase", "idle", "url", "links": […]}`: see [`Phase`]; `idle`: nothing is queued, handled or on its way |

use crate::Options;
use crate::link_stats::SendingLink;
use crate::links::MeshLinks;
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vgdc_core::island::State;
use vgdc_core::{Deployment, LogSink, Runtime, Services};
use vgdc_http::HttpServer;
use vgdc_plan::{MeshPart, Plan};
use vgdc_probe::{Control, Hub, Subscriber};

/// What has not settled after so long is not idle. Meanwhile nothing else is answered.
const MOMENT: Duration = Duration::from_millis(30);
/// How long after the flows have started what only that needed is let go of.
const SETTLED: Duration = Duration::from_millis(200);
/// How long a listener is tried for that another program may be about to let go of.
const PORT: (u32, Duration) = (100, Duration::from_millis(20));

/// What the types of a link's ends begin with.
const LINK: &str = "mesh ";
/// How long flows that are halted have to send what is left. (They have been drained before, where there was time for that.)
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How the flows of a program are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// They have not started.
    Held,
    /// They run.
    Running,
    /// No messages come from outside any more.
    Draining,
    /// They have stopped.
    Stopped,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Phase::Held => "held",
            Phase::Running => "running",
            Phase::Draining => "draining",
            Phase::Stopped => "stopped",
        }
    }
}

/// The flows of a program.
pub struct Steering {
    /// The runtime that they are in.
    pub control: Arc<Control>,
    /// What it tells.
    pub hub: Arc<Hub>,
    /// The listener for their requests.
    pub http: Arc<HttpServer>,
    /// Whether that is needed even where no node asks for it.
    pub listens: bool,
    /// What links the flows have, and how the program was called; where nodes find them.
    way: Option<(MeshPart, Options)>,
    services: Arc<Services>,
    /// The links, while the flows run.
    links: Mutex<Option<Arc<MeshLinks>>>,
    /// Where the log goes.
    pub log: Arc<dyn LogSink>,
    /// The file in which contexts that are in memory go from one process of a part to the next.
    contexts: Option<PathBuf>,
    deployment: Mutex<Deployment>,
    sources: Vec<String>,
    phase: AtomicU8,
}

impl Steering {
    /// For flows that do not run yet.
    pub fn new(
        control: Arc<Control>,
        hub: Arc<Hub>,
        (http, listens): (Arc<HttpServer>, bool),
        (services, options): (Arc<Services>, &Options),
        log: Arc<dyn LogSink>,
        deployment: Deployment,
    ) -> Steering {
        Steering {
            control,
            hub,
            http,
            listens,
            way: (deployment.plan.as_ref())
                .and_then(|plan| plan.mesh.clone())
                .map(|part| (part, options.clone())),
            services,
            links: Mutex::default(),
            log,
            // (only an agent starts one process of a part after the other)
            contexts: (options.agent.as_ref()).map(|_| Path::new(&options.data).join("contexts")),
            sources: deployment.plan.as_ref().map(sources).unwrap_or_default(),
            deployment: Mutex::new(deployment),
            phase: AtomicU8::new(Phase::Held as u8),
        }
    }

    /// How they are.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            1 => Phase::Running,
            2 => Phase::Draining,
            3 => Phase::Stopped,
            _ => Phase::Held,
        }
    }

    fn becomes(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// The process is about to stop them.
    pub fn ends(&self) {
        self.becomes(Phase::Stopped);
    }

    /// Starts the flows.
    ///
    /// # Errors
    /// A listener that cannot be had, or flows that do not start; in words. They do not run then.
    pub async fn start(&self) -> Result<(), String> {
        match self.phase() {
            Phase::Running => return Ok(()),
            Phase::Draining => self.halt().await?,
            Phase::Held | Phase::Stopped => {}
        }
        self.listen().await?;
        self.link().await?;
        let mut deployment = {
            let kept = self.deployment.lock();
            kept.unwrap_or_else(PoisonError::into_inner).clone()
        };
        if self.phase() == Phase::Held {
            deployment.contexts = self
                .contexts
                .as_ref()
                .and_then(|file| std::fs::read(file).ok());
        }
        let started = self
            .control
            .with_runtime(async |runtime: &mut Runtime| runtime.deploy(deployment).await);
        started.await.unwrap_or(Ok(0)).map_err(|e| e.to_string())?;
        self.becomes(Phase::Running);
        if let Some(why) = self.without_link().await {
            self.halt().await?;
            return Err(why);
        }
        if let Some(addr) = self.http.local_addr() {
            self.say(&format!("Listening on {}://{addr}", self.http.scheme()));
        }
        self.say("Started flows");
        tokio::spawn(async {
            tokio::time::sleep(SETTLED).await;
            crate::memory::let_go_of_start();
        });
        Ok(())
    }

    /// Opens the links.
    async fn link(&self) -> Result<(), String> {
        let Some((part, options)) = self.way.clone() else {
            return Ok(());
        };
        let log = self.log.clone();
        // (a thread of its own, since a runtime is started in it)
        let started = tokio::task::spawn_blocking(move || MeshLinks::start(&part, &options, log));
        let links = Arc::new(started.await.map_err(|e| e.to_string())??);
        self.services.insert(Arc::new(links.service()));
        *self.links.lock().unwrap_or_else(PoisonError::into_inner) = Some(links);
        Ok(())
    }

    /// The links, while the flows run.
    pub fn links(&self) -> Option<Arc<MeshLinks>> {
        let links = self.links.lock();
        links.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends what is left in the links, for so long, and ends them; their outboxes are free then. The nodes have stopped.
    pub async fn unlink(&self, patience: Duration) {
        let links = self
            .links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(links) = links {
            links.stop(patience).await;
        }
    }

    /// The end of a link that has not started, if there is one: without it messages would be lost.
    async fn without_link(&self) -> Option<String> {
        let nodes = self
            .control
            .with_runtime(async |runtime: &mut Runtime| runtime.nodes())
            .await;
        let mut nodes = nodes.into_iter().flatten();
        let failed = nodes.find(|node| node.ty.starts_with(LINK) && node.state == State::Failed)?;
        Some(format!(
            "the link at {} could not be opened; its log says why",
            failed.name.as_deref().unwrap_or(&failed.id)
        ))
    }

    /// Has the listener, where it is needed at once. Another program that is about to stop may still have it.
    async fn listen(&self) -> Result<(), String> {
        let (times, pause) = PORT;
        for _ in 1..times {
            match self.listens.then(|| self.http.bind()) {
                Some(Err(error)) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Some(Err(error)) => return Err(error.to_string()),
                Some(Ok(_)) | None => return Ok(()),
            }
            tokio::time::sleep(pause).await;
        }
        let last = self.http.bind().map_err(|error| error.to_string());
        last.map(|_| ())
    }

    /// Stops what messages come from.
    async fn drain(&self) -> Result<(), String> {
        if self.phase() != Phase::Running {
            return Ok(());
        }
        self.becomes(Phase::Draining);
        self.say("Draining flows");
        let http = self.http.clone();
        // (requests that are being answered get a moment)
        tokio::task::spawn_blocking(move || http.stop());
        let stopped = self.control.with_runtime(async |runtime: &mut Runtime| {
            let there: HashSet<String> = runtime.nodes().into_iter().map(|node| node.id).collect();
            let sources = self.sources.iter().filter(|id| there.contains(*id));
            let sources: Vec<String> = sources.cloned().collect();
            runtime.stop(Some(&sources)).await
        });
        stopped.await.unwrap_or(Ok(())).map_err(|e| e.to_string())
    }

    /// Stops all.
    async fn halt(&self) -> Result<(), String> {
        if matches!(self.phase(), Phase::Held | Phase::Stopped) {
            return Ok(());
        }
        self.becomes(Phase::Stopped);
        self.say("Stopping flows");
        let http = self.http.clone();
        tokio::task::spawn_blocking(move || http.stop());
        let stopped = self.control.with_runtime(async |runtime: &mut Runtime| {
            let stopped = runtime.stop(None).await;
            stopped.map(|()| runtime.stores().in_memory())
        });
        let contexts = stopped.await.unwrap_or_else(|| Ok(Vec::new()));
        self.unlink(LAST_WORDS).await;
        let contexts = contexts.map_err(|e| e.to_string())?;
        if let Some(file) = &self.contexts {
            let written = (file.parent().map_or(Ok(()), std::fs::create_dir_all))
                .and_then(|()| crate::whole::write(file, &contexts, 0o600));
            if let Err(error) = written {
                self.say(&format!(
                    "contexts in memory are lost for the next version: {error}"
                ));
            }
        }
        Ok(())
    }

    async fn health(&self) -> Json {
        let links = self.links().map(|links| links.sending());
        let links = links.unwrap_or_default();
        let settled = self
            .control
            .with_runtime(async |runtime: &mut Runtime| {
                tokio::time::timeout(MOMENT, runtime.settle()).await.is_ok()
            })
            .await;
        let idle = settled == Some(true) && links.iter().all(|link| link.queued == 0);
        let about = |link: &SendingLink| {
            json!({"name": link.name, "peer": link.peer, "queued": link.queued, "open": link.open,
                   "sent": link.sent, "repeated": link.repeated})
        };
        let url = self.http.local_addr();
        json!({
            "phase": self.phase().word(),
            "idle": idle,
            "url": url.map(|at| format!("{}://{at}", self.http.scheme())),
            "links": links.iter().map(about).collect::<Vec<_>>(),
        })
    }

    /// Carries out one line of the agent's; the answer goes to the subscriber's outbox.
    pub async fn line(&self, subscriber: &Subscriber, line: &str) {
        let request: Json = serde_json::from_str(line).unwrap_or_default();
        let done = match request["op"].as_str() {
            Some("start") => self.start().await.map(|()| Json::Null),
            Some("drain") => self.drain().await.map(|()| Json::Null),
            Some("leave") => {
                if let Some(links) = self.links() {
                    links.pause();
                }
                self.drain().await.map(|()| Json::Null)
            }
            Some("halt") => self.halt().await.map(|()| Json::Null),
            Some("health") => Ok(self.health().await),
            _ => return self.control.line(subscriber, line).await,
        };
        let id = &request["id"];
        let answer = match done {
            Ok(Json::Null) => json!({"id": id, "ok": true}),
            Ok(result) => json!({"id": id, "ok": true, "result": result}),
            Err(why) => {
                json!({"id": id, "ok": false, "error": {"code": "failed", "message": why, "diagnostics": []}})
            }
        };
        subscriber.outbox().line(answer.to_string());
    }

    fn say(&self, text: &str) {
        let now = vgdc_core::Clock::Real.now_ms();
        let text = vgdc_value::Value::from(text);
        self.log.log(now, vgdc_core::Level::Info, None, &text);
    }
}

/// Where messages come from: what no other operator sends to, tells of anything, or refers to, and that is no end of a link.
fn sources(plan: &Plan) -> Vec<String> {
    let mut reached = HashSet::new();
    for op in &plan.ops {
        let edges = op.ports.iter().flat_map(|port| &port.edges);
        reached.extend(edges.map(|edge| edge.to));
        let chains = op.catch.iter().chain(&op.status);
        let listeners = chains.flat_map(|chain| chain.levels.iter().flatten());
        reached.extend(listeners.map(|listener| listener.op));
        reached.extend(&op.complete);
        reached.extend(&op.targets);
        reached.extend(&op.configs);
    }
    let ops = (0_u32..).zip(&plan.ops);
    let first = ops.filter(|(at, op)| !reached.contains(at) && !op.ty.starts_with(LINK));
    first.map(|(_, op)| op.id.clone()).collect()
}
