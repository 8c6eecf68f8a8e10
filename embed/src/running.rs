//! A flow that runs: what goes in, what comes out, what is seen of it.

use crate::Error;
use serde::Serialize;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{RwLock, mpsc};
use vgdc_core::{Event, EventKind, Kinds, Level, LogSink, Mailbox, OpInfo, Runtime, Sink};
use vgdc_http::HttpServer;
use vgdc_stdlib::common::ends::{Ends, Given};
use vgdc_value::{FromMsg, IntoMsg, Msg, Value};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives something to all who still listen. An island never waits for them: who is full does not get it.
fn offer<T>(listeners: &mut Vec<mpsc::Sender<T>>, make: impl Fn() -> T) {
    listeners.retain(|listener| {
        let offered = listener.try_send(make());
        !matches!(offered, Err(mpsc::error::TrySendError::Closed(_)))
    });
}

/// The most messages of a watched node, or log lines, that wait for somebody; further ones are left out.
const MOST: usize = 10_000;

/// A flow that runs. Dropped, it stops; [`Running::stop`] lets its nodes close first.
pub struct Running {
    runtime: RwLock<Option<Runtime>>,
    ends: Arc<Ends>,
    watched: Arc<Watched>,
    logged: Arc<Logged>,
    http: Arc<HttpServer>,
    /// Ids by names; of two nodes of one name the first in the flow.
    names: HashMap<String, String>,
}

impl Running {
    pub(crate) fn new(
        runtime: Runtime,
        ends: Arc<Ends>,
        watched: Arc<Watched>,
        logged: Arc<Logged>,
        http: Arc<HttpServer>,
    ) -> Running {
        let mut names = HashMap::new();
        for node in runtime.nodes() {
            if let Some(name) = node.name {
                names.entry(name).or_insert_with(|| node.id.clone());
            }
            // (a text that names no flow is the flow `main`)
            if let Some(short) = node.id.strip_prefix("main.") {
                names
                    .entry(short.to_owned())
                    .or_insert_with(|| node.id.clone());
            }
            names.insert(node.id.clone(), node.id);
        }
        Running {
            runtime: RwLock::new(Some(runtime)),
            ends,
            watched,
            logged,
            http,
            names,
        }
    }

    fn id_of(&self, node: &str) -> Result<&str, Error> {
        let id = self.names.get(node);
        id.map(String::as_str)
            .ok_or_else(|| Error::NoNode(node.to_owned()))
    }

    /// The way to the **program in** of this name.
    ///
    /// # Errors
    /// The flow has none.
    pub fn input(&self, name: &str) -> Result<Input, Error> {
        match self.ends.input(name) {
            Some(mailbox) => Ok(Input {
                mailbox,
                ends: self.ends.clone(),
                name: name.into(),
            }),
            None => Err(Error::NoNode(name.to_owned())),
        }
    }

    /// What comes to the **program out** of this name from now on, as this type ([`Msg`] for whole messages).
    #[must_use = "what nobody takes slows the flow down"]
    pub fn output<T: FromMsg>(&self, name: &str) -> Output<T> {
        Output {
            from: Channel::End(self.ends.subscribe(name)),
            types: PhantomData,
        }
    }

    /// Sends something through the flow and waits for what comes of it: the first message at the **program out** `output` with the id of
    /// the one that was put into the **program in** `input`. For requests (docs/flow-macro.md shows one of axum's).
    ///
    /// # Errors
    /// There is no such input, what came is of another type, or nothing came in time.
    pub async fn ask<T: FromMsg>(
        &self,
        input: &str,
        output: &str,
        payload: impl IntoMsg,
        within: Duration,
    ) -> Result<T, Error> {
        let input = self.input(input)?;
        let mut answers = self.output::<Msg>(output);
        let mut msg = Msg::new();
        msg.ensure_id();
        let id = msg.id().map(str::to_owned);
        payload.put_into(&mut msg)?;
        input.send(msg).await?;
        let answered = async {
            while let Some(answer) = answers.next().await {
                let answer = answer?;
                if answer.id() == id.as_deref() {
                    return Ok(T::from_msg(&answer)?);
                }
            }
            Err(Error::Stopped)
        };
        match tokio::time::timeout(within, answered).await {
            Ok(answered) => answered,
            Err(_) => Err(Error::TimedOut),
        }
    }

    /// Hands something to a node, by its id or name, as if it had come along a wire. Waits while the flow is busy.
    ///
    /// # Errors
    /// There is no such node, or the flow has stopped.
    pub async fn receive(&self, node: &str, payload: impl IntoMsg) -> Result<(), Error> {
        let id = self.id_of(node)?;
        let mut msg = Msg::new();
        payload.put_into(&mut msg)?;
        let runtime = self.runtime.read().await;
        let runtime = runtime.as_ref().ok_or(Error::Stopped)?;
        Ok(runtime.receive(id, Some(msg)).await?)
    }

    /// What comes to a node from now on, by its id or name. Nothing is slowed by who watches: beyond 10,000 messages that wait, further ones
    /// are left out.
    ///
    /// # Errors
    /// There is no such node, or the flow has stopped.
    pub async fn watch<T: FromMsg>(&self, node: &str) -> Result<Output<T>, Error> {
        let id = self.id_of(node)?.to_owned();
        let (sender, receiver) = mpsc::channel(MOST);
        lock(&self.watched.0)
            .entry(id.clone())
            .or_default()
            .push(sender);
        let mut runtime = self.runtime.write().await;
        let runtime = runtime.as_mut().ok_or(Error::Stopped)?;
        runtime.watch(Some(&[id]), Kinds::INPUT).await;
        Ok(Output {
            from: Channel::Watched(receiver),
            types: PhantomData,
        })
    }

    /// What nodes log from now on.
    pub fn logs(&self) -> mpsc::Receiver<Log> {
        let (sender, receiver) = mpsc::channel(MOST);
        lock(&self.logged.listeners).push(sender);
        receiver
    }

    /// What the nodes have done so far.
    ///
    /// # Errors
    /// The flow has stopped.
    pub async fn metrics(&self) -> Result<Metrics, Error> {
        let runtime = self.runtime.read().await;
        let runtime = runtime.as_ref().ok_or(Error::Stopped)?;
        let nodes = runtime.metrics().await.into_iter().map(|(id, counters)| {
            let metrics = NodeMetrics {
                received: counters.received,
                sent: counters.sent,
                errors: counters.errors,
                dropped: counters.dropped,
            };
            (id, metrics)
        });
        Ok(Metrics {
            nodes: nodes.collect(),
        })
    }

    /// Where its **http in** nodes are, if it has any.
    pub fn address(&self) -> Option<SocketAddr> {
        self.http.local_addr()
    }

    /// Waits until all that has been put in is worked off. Timers may be pending.
    pub async fn settle(&self) {
        if let Some(runtime) = &*self.runtime.read().await {
            runtime.settle().await;
        }
    }

    /// Waits until all that has been put in is worked off, and stops then: the end of a batch.
    pub async fn finish(&self) {
        self.settle().await;
        self.stop().await;
    }

    /// Stops: nodes close, and threads end. What still waits is dropped.
    pub async fn stop(&self) {
        let runtime = self.runtime.write().await.take();
        if let Some(runtime) = runtime {
            runtime.shutdown().await;
        }
        self.ends.close();
        lock(&self.watched.0).clear();
        lock(&self.logged.listeners).clear();
        self.http.stop();
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

/// The way into a flow. Can be cloned, and given to any task or thread.
#[derive(Clone)]
pub struct Input {
    mailbox: Mailbox,
    ends: Arc<Ends>,
    name: Arc<str>,
}

impl Input {
    /// Sends a payload, or a [`Msg`], once the flow has room for it.
    ///
    /// # Errors
    /// It cannot be written as a value, or the flow has stopped.
    pub async fn send(&self, payload: impl IntoMsg) -> Result<(), Error> {
        let msg = message(payload)?;
        self.room().await?;
        self.mailbox.post(msg);
        Ok(())
    }

    /// Sends many at once: cheaper than one after the other.
    ///
    /// # Errors
    /// As [`Input::send`]; none is sent then.
    pub async fn send_all<T: IntoMsg>(
        &self,
        payloads: impl IntoIterator<Item = T>,
    ) -> Result<(), Error> {
        let messages: Vec<Msg> = payloads
            .into_iter()
            .map(message)
            .collect::<Result<_, _>>()?;
        self.room().await?;
        self.mailbox.post(messages);
        Ok(())
    }

    async fn room(&self) -> Result<(), Error> {
        let mut changes = self.ends.changes();
        loop {
            if self.ends.input(&self.name).is_none() {
                return Err(Error::Stopped);
            }
            tokio::select! {
                () = self.mailbox.room() => return Ok(()),
                changed = changes.changed() => changed.map_err(|_| Error::Stopped)?,
            }
        }
    }
}

fn message(payload: impl IntoMsg) -> Result<Msg, Error> {
    let mut msg = Msg::new();
    payload.put_into(&mut msg)?;
    Ok(msg)
}

/// What comes out of a flow.
pub struct Output<T> {
    from: Channel,
    types: PhantomData<fn() -> T>,
}

enum Channel {
    End(mpsc::UnboundedReceiver<Given>),
    Watched(mpsc::Receiver<Msg>),
}

impl<T: FromMsg> Output<T> {
    /// The next one; `None` when the flow has stopped.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        let msg = match &mut self.from {
            Channel::End(messages) => messages.recv().await?.take(),
            Channel::Watched(messages) => messages.recv().await?,
        };
        Some(T::from_msg(&msg).map_err(Error::from))
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// How grave.
    pub level: Level,
    /// The id of the node; `None` for what the flow itself says.
    pub node: Option<String>,
    /// What.
    pub message: String,
}

/// What the nodes of a flow have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// By the nodes' ids.
    pub nodes: HashMap<String, NodeMetrics>,
}

/// What a node has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NodeMetrics {
    /// Messages that came.
    pub received: u64,
    /// Messages that it sent, by output.
    pub sent: Vec<u64>,
    /// Errors that it raised.
    pub errors: u64,
    /// Messages that were dropped because a queue was full.
    pub dropped: u64,
}

/// Who watches nodes, by their ids.
#[derive(Default)]
pub(crate) struct Watched(Mutex<HashMap<String, Vec<mpsc::Sender<Msg>>>>);

impl Sink for Watched {
    fn event(&self, event: Event) {
        if let (EventKind::Input { msg }, Some(node)) = (event.kind, event.node)
            && let Some(watchers) = lock(&self.0).get_mut(&node.id)
        {
            offer(watchers, || msg.clone());
        }
    }
}

/// Who listens to the log, and the errors of the start.
#[derive(Default)]
pub(crate) struct Logged {
    listeners: Mutex<Vec<mpsc::Sender<Log>>>,
    /// Errors until the flow has started; `None` from then on.
    errors: Mutex<Option<Vec<Log>>>,
}

impl Logged {
    /// Keeps errors from now on.
    pub fn begin(&self) {
        *lock(&self.errors) = Some(Vec::new());
    }

    /// The errors since the beginning; none are kept any more.
    pub fn end(&self) -> Vec<Log> {
        lock(&self.errors).take().unwrap_or_default()
    }
}

impl LogSink for Logged {
    fn log(&self, _ts: f64, level: Level, node: Option<&OpInfo>, message: &Value) {
        let log = || Log {
            level,
            node: node.map(|node| node.id.clone()),
            message: match message {
                Value::Str(text) => text.to_string(),
                other => other.to_js_string(),
            },
        };
        if level <= Level::Error
            && let Some(errors) = &mut *lock(&self.errors)
        {
            errors.push(log());
        }
        offer(&mut lock(&self.listeners), log);
    }
}
