//! The links of a part of a flow to the parts on other machines, as nodes have them.
//!
//! All connections live on one thread; nodes hand messages over from their islands' threads, and get what comes as mails.

use crate::Options;
use crate::agent::ByAgent;
use crate::link_stats::{ReceivingLink, SendingLink};
use std::any::Any;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use vgdc_core::{
    Arrived, Level, LinkEnd, LinkService, Links, LogSink, Mailbox, NodeError, Outgoing, SpanContext,
};
use vgdc_link::frame::{Delivery, Trace};
use vgdc_link::{
    Endpoint, EndpointConfig, LinkReceiver, LinkSender, ReceiverConfig, ReceiverStats, SendError,
    SenderConfig, Token,
};
use vgdc_plan::MeshPart;
use vgdc_value::{Msg, Value};

/// Messages that wait beyond a link's own queue: what was on its way in the island when it filled up. Beyond, a message is an error.
const MOST_OVER: usize = 100_000;
/// Messages, and bytes of them, that wait on the disk for another machine before sources wait, too.
const MOST_ON_DISK: (usize, usize) = (100_000, 256 << 20);
/// The most messages that an island gets at once.
const MOST_AT_ONCE: usize = 256;
/// The longest time between attempts to reach another machine by the agent, which is here and knows when it is in vain.
const LATEST_BY_AGENT: Duration = Duration::from_millis(250);

/// The connections of a process, until it is dropped.
pub struct MeshLinks {
    shared: Arc<Shared>,
    thread: Mutex<Option<(oneshot::Sender<()>, std::thread::JoinHandle<()>)>>,
}

struct Shared {
    endpoint: Endpoint,
    tokio: Handle,
    /// Where outboxes are.
    data: PathBuf,
    /// Since when the part is this machine's.
    epoch: u64,
    /// Those that there are ways to; `None`: a broker knows all.
    peers: Option<Vec<String>>,
    log: Arc<dyn LogSink>,
    /// Whether nothing more is taken from other machines.
    paused: watch::Sender<bool>,
    /// For whoever asks how they are; those that are gone are left out.
    sending: Mutex<Vec<Weak<Out>>>,
    receiving: Mutex<Vec<Weak<In>>>,
}

fn alive<T>(all: &Mutex<Vec<Weak<T>>>) -> Vec<Arc<T>> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|end| end.strong_count() > 0);
    all.iter().filter_map(Weak::upgrade).collect()
}

fn keep<T>(all: &Mutex<Vec<Weak<T>>>, end: &Arc<T>) {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(Arc::downgrade(end));
}

impl MeshLinks {
    /// Listens, and connects to the other machines: by the ways of the agent, where the options name one.
    ///
    /// # Errors
    /// Nothing can be listened at, or an address is none; in words.
    pub fn start(
        part: &MeshPart,
        options: &Options,
        log: Arc<dyn LogSink>,
    ) -> Result<MeshLinks, String> {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| format!("cannot start links: {e}"))?;
        let mut config = EndpointConfig::new(&part.node);
        if options.agent.is_some() {
            config.backoff.1 = LATEST_BY_AGENT;
        }
        let told = log.clone();
        config.log = Some(Arc::new(move |line: &str| say(&*told, Level::Warn, line)));
        let endpoint = Endpoint::new(config).map_err(|e| e.to_string())?;
        let listen = options.listen_links.as_deref();
        let address = match options.agent {
            // (what comes is for the agent to take)
            Some(_) => listen,
            None => listen
                .or(part.listen.as_deref())
                .filter(|_| part.listen.is_some()),
        };
        if let Some(nats) = &part.nats {
            crate::nats::connect(&endpoint, part, nats)?;
        }
        tokio.block_on(async {
            if let Some(address) = address {
                let failed = |e| format!("cannot listen for links at {address}: {e}\n  `--listen-links ADDRESS:PORT` takes another one");
                let at = match address.starts_with("unix:") {
                    true => address.to_owned(),
                    false => format!("tcp://{address}"),
                };
                let at = endpoint.listen(&at).await.map_err(failed)?;
                say(&*log, Level::Info, &format!("Links to {} at {at}", part.node));
            }
            for (peer, address) in &part.peers {
                if let Some(door) = &options.agent {
                    let way = ByAgent {
                        door: door.into(),
                        instance: options.instance.clone(),
                        to: peer.clone(),
                    };
                    endpoint.connect_by(Some(peer), Arc::new(way));
                    continue;
                }
                let failed = |e| format!("cannot link to {peer} at {address}: {e}");
                endpoint.connect(Some(peer), &format!("tcp://{address}")).map_err(failed)?;
            }
            Ok::<(), String>(())
        })?;
        let shared = Arc::new(Shared {
            endpoint,
            tokio: tokio.handle().clone(),
            data: PathBuf::from(&options.data),
            epoch: options.epoch,
            peers: (part.nats.is_none()).then(|| part.peers.keys().cloned().collect()),
            log,
            paused: watch::Sender::new(false),
            sending: Mutex::default(),
            receiving: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("links".to_owned())
            // (whoever lets go of the other end means the same)
            .spawn(move || tokio.block_on(async move { stopped.await.unwrap_or_default() }))
            .map_err(|e| format!("cannot start links: {e}"))?;
        Ok(MeshLinks {
            shared,
            thread: Mutex::new(Some((stop, thread))),
        })
    }

    /// What nodes have of it.
    pub fn service(&self) -> LinkService {
        LinkService(Box::new(Ends(self.shared.clone())))
    }

    /// Takes nothing more from other machines, which keep it, or send it elsewhere. What was taken is worked on, and confirmed.
    pub fn pause(&self) {
        self.shared.paused.send_replace(true);
    }

    /// How the sending ends are.
    pub fn sending(&self) -> Vec<SendingLink> {
        let about = |out: Arc<Out>| {
            let stats = out.sender.stats();
            SendingLink {
                name: out.end.name.clone(),
                peer: out.end.peer.clone(),
                queued: out.sender.len() + out.waiting().messages.len(),
                open: out.sender.is_open(),
                sent: stats.sent,
                repeated: stats.repeated,
            }
        };
        alive(&self.shared.sending).into_iter().map(about).collect()
    }

    /// How the receiving ends are.
    pub fn receiving(&self) -> Vec<ReceivingLink> {
        let about = |at: Arc<In>| {
            let stats = *at.stats.lock().unwrap_or_else(PoisonError::into_inner);
            ReceivingLink {
                name: at.end.name.clone(),
                peer: at.end.peer.clone(),
                received: stats.delivered,
                lost: stats.lost,
                duplicates: stats.duplicates,
            }
        };
        alive(&self.shared.receiving)
            .into_iter()
            .map(about)
            .collect()
    }

    /// Sends what is left, for so long, and ends all connections. The nodes have stopped.
    pub async fn stop(&self, patience: Duration) {
        let shared = self.shared.clone();
        let ended = self
            .shared
            .tokio
            .spawn(async move { shared.endpoint.shutdown(patience).await });
        if let Ok(left @ 1..) = ended.await {
            let text = format!("{left} messages had not reached other machines");
            say(&*self.shared.log, Level::Warn, &text);
        }
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = thread {
            // (a thread that has ended needs no word)
            let _ = stop.send(());
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

fn say(log: &dyn LogSink, level: Level, text: &str) {
    let now = vgdc_core::Clock::Real.now_ms();
    log.log(now, level, None, &Value::from(text));
}

struct Ends(Arc<Shared>);

fn delivery(end: &LinkEnd) -> Delivery {
    match end.durable {
        true => Delivery::Durable,
        false => Delivery::Fast,
    }
}

impl Links for Ends {
    fn send_to(&self, end: &LinkEnd, mailbox: Mailbox) -> Result<Box<dyn Outgoing>, NodeError> {
        let shared = &self.0;
        if (shared.peers.as_ref()).is_some_and(|peers| !peers.contains(&end.peer)) {
            return Err(NodeError::new(format!(
                "this program knows no way to {}",
                end.peer
            )));
        }
        let mut config = SenderConfig {
            delivery: delivery(end),
            epoch: shared.epoch,
            ..SenderConfig::default()
        };
        if end.durable {
            (config.queue_messages, config.queue_bytes) = MOST_ON_DISK;
        }
        let outbox = end
            .durable
            .then(|| outbox(&shared.data, &end.name))
            .transpose()?;
        let _inside = shared.tokio.enter();
        let sender = shared
            .endpoint
            .sender(&end.peer, &end.name, config, outbox.as_deref())
            .map_err(|e| NodeError::new(format!("the link to {}: {e}", end.peer)))?;
        let out = Arc::new(Out {
            sender,
            waiting: Mutex::default(),
            mailbox,
            tokio: shared.tokio.clone(),
            end: end.clone(),
            log: shared.log.clone(),
        });
        keep(&shared.sending, &out);
        Ok(Box::new(Sending(out)))
    }

    fn receive_from(&self, end: &LinkEnd, mailbox: Mailbox) -> Result<Box<dyn Any>, NodeError> {
        let shared = &self.0;
        let config = ReceiverConfig {
            delivery: delivery(end),
            ..ReceiverConfig::default()
        };
        let _inside = shared.tokio.enter();
        let receiver = shared
            .endpoint
            .receiver(&end.name, config)
            .map_err(|e| NodeError::new(format!("the link from {}: {e}", end.peer)))?;
        let at = Arc::new(In {
            end: end.clone(),
            stats: Mutex::default(),
        });
        keep(&shared.receiving, &at);
        let log = shared.log.clone();
        let paused = shared.paused.subscribe();
        let task = (shared.tokio).spawn(receive(receiver, mailbox, log, at, paused));
        Ok(Box::new(Open(task.abort_handle())))
    }
}

/// The file that keeps what a durable link has not delivered.
fn outbox(data: &Path, link: &str) -> Result<PathBuf, NodeError> {
    let folder = data.join("links");
    std::fs::create_dir_all(&folder)
        .map_err(|e| NodeError::new(format!("cannot make {}: {e}", folder.display())))?;
    // (a link's name has characters that no file's name may have everywhere)
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '+'
        }
    };
    let name: String = link.chars().map(plain).collect();
    Ok(folder.join(format!("{name}.outbox")))
}

/// The end that sends.
struct Out {
    sender: LinkSender,
    waiting: Mutex<Waiting>,
    mailbox: Mailbox,
    tokio: Handle,
    end: LinkEnd,
    log: Arc<dyn LogSink>,
}

/// The end that receives.
struct In {
    end: LinkEnd,
    /// As of the last messages.
    stats: Mutex<ReceiverStats>,
}

/// What has no room in the link's queue.
#[derive(Default)]
struct Waiting {
    messages: VecDeque<(Msg, Option<SpanContext>)>,
    /// The island is told to slow down, and a task waits for room.
    held: bool,
}

struct Sending(Arc<Out>);

impl Outgoing for Sending {
    fn send(&mut self, msg: &Msg, trace: Option<SpanContext>) -> Result<(), NodeError> {
        let out = &self.0;
        let mut waiting = out.waiting();
        if waiting.messages.is_empty() {
            match out.sender.try_send(msg, sent(trace)) {
                Ok(()) if out.sender.has_room() => return Ok(()),
                Ok(()) => {}
                Err(SendError::Full) => waiting.messages.push_back((msg.clone(), trace)),
                Err(error) => return Err(NodeError::new(error.to_string())),
            }
        } else if waiting.messages.len() >= MOST_OVER {
            let text = format!(
                "{MOST_OVER} messages for {} wait: it does not keep up, or is away",
                out.end.peer
            );
            return Err(NodeError::new(text).with_code("link-busy"));
        } else {
            waiting.messages.push_back((msg.clone(), trace));
        }
        if !std::mem::replace(&mut waiting.held, true) {
            out.mailbox.hold();
            out.tokio.spawn(drain(out.clone()));
        }
        Ok(())
    }
}

/// Where in a trace a message is, as frames have it.
fn sent(trace: Option<SpanContext>) -> Option<Trace> {
    trace.map(|trace| Trace {
        parent: trace.traceparent().into(),
        state: "".into(),
    })
}

impl Out {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what waits as soon as there is room, and lets the island go on when nothing waits any longer.
async fn drain(out: Arc<Out>) {
    loop {
        out.sender.room().await;
        let mut waiting = out.waiting();
        while let Some((msg, trace)) = waiting.messages.pop_front() {
            match out.sender.try_send(&msg, sent(trace)) {
                Ok(()) => {}
                Err(SendError::Full) => {
                    waiting.messages.push_front((msg, trace));
                    break;
                }
                Err(error @ SendError::Value(_)) => {
                    let text = format!("a message for {} is lost: {error}", out.end.peer);
                    say(&*out.log, Level::Error, &text);
                }
                // (the link has ended)
                Err(error) => {
                    let left = waiting.messages.len() + 1;
                    let text = format!("{left} messages for {} are lost: {error}", out.end.peer);
                    say(&*out.log, Level::Error, &text);
                    waiting.messages.clear();
                }
            }
        }
        if waiting.messages.is_empty() {
            waiting.held = false;
            out.mailbox.release();
            return;
        }
    }
}

/// A link that is open as long as this lives.
struct Open(tokio::task::AbortHandle);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Hands on what comes, as far as the island has room.
async fn receive(
    mut receiver: LinkReceiver,
    mailbox: Mailbox,
    log: Arc<dyn LogSink>,
    at: Arc<In>,
    paused: watch::Receiver<bool>,
) {
    let (done, mut confirmed) = mpsc::unbounded_channel::<Token>();
    let mut changes = paused.clone();
    loop {
        let first = tokio::select! {
            first = receiver.recv(), if !*paused.borrow() => first,
            Ok(()) = changes.changed() => continue,
            Some(token) = confirmed.recv() => {
                receiver.confirm(token);
                continue;
            }
        };
        let mut last = first.token;
        let (mut msgs, mut next) = (Vec::new(), Some(first));
        while let Some(received) = next {
            last = received.token;
            match received.msg {
                Ok(msg) => {
                    let trace = received.trace;
                    let trace = trace.and_then(|trace| SpanContext::parse(&trace.parent));
                    msgs.push((msg, trace));
                }
                Err(error) => {
                    let text = format!(
                        "what {} sent over {} is no message: {error}",
                        at.end.peer, at.end.name
                    );
                    say(&*log, Level::Error, &text);
                }
            }
            next = match msgs.len() < MOST_AT_ONCE {
                true => receiver.try_recv(),
                false => None,
            };
        }
        *at.stats.lock().unwrap_or_else(PoisonError::into_inner) = receiver.stats();
        let done = done.clone();
        let taken = Box::new(move || {
            // (a link that is gone needs no word)
            let _ = done.send(last);
        });
        mailbox.queue_room().await;
        mailbox.post(Arrived { msgs, taken });
    }
}
