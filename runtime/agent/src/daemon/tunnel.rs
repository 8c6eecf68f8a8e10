//! The ways of links between machines: a program asks its agent for a part, the agent asks the agent of the part's owner, and from then on
//! both hand bytes on. What is in them is the programs' business.
//!
//! Who may: the owner of the sending part, for as long as it is. When a part gets another owner, or another epoch, the ways from it and to
//! it end; the programs ask anew and are led to where it is now. So an owner that has not noticed yet reaches nobody any more.

use super::Node;
use super::instance::Key;
use super::lines;
use crate::id::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use vgdc_door::Answer;
use vgdc_net::{Net, NetError, NetStream};

/// The protocol's name.
const PROTOCOL: &str = "/vgdc/link/1";
/// How long the other agent may take to answer.
const ANSWER: Duration = Duration::from_secs(3);
/// How long this agent waits for news that the other one has already.
const NEWS: Duration = Duration::from_secs(1);
/// Bytes that are taken at a time.
const BUFFER: usize = 128 << 10;
/// Ways that come from others, at a time.
const MOST: usize = 4_096;

/// What the other agent is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Way {
    flow: String,
    version: String,
    from: String,
    epoch: u64,
    to: String,
}

/// The ways that are open here.
#[derive(Default)]
pub struct Ways {
    number: AtomicU64,
    open: Mutex<HashMap<u64, Open>>,
}

struct Open {
    from: Key,
    to: Key,
    /// Dropped, it ends the way.
    _end: oneshot::Sender<()>,
}

impl Ways {
    /// How many are open.
    pub fn len(&self) -> usize {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Ends those whose ends are no longer where they were. `holds`: whether a part is still at that epoch.
    pub fn recheck(&self, holds: impl Fn(&Key) -> bool) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, way| holds(&way.from) && holds(&way.to));
    }

    async fn carry<A, B>(&self, from: Key, to: Key, mut a: A, mut b: B)
    where
        A: AsyncRead + AsyncWrite + Unpin,
        B: AsyncRead + AsyncWrite + Unpin,
    {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (end, ended) = oneshot::channel();
        let way = Open {
            from,
            to,
            _end: end,
        };
        let open = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open().insert(number, way);
        tokio::select! {
            // (either side hanging up is how each way ends)
            _ = copy_bidirectional_with_sizes(&mut a, &mut b, BUFFER, BUFFER) => {}
            _ = ended => {}
        }
        open().remove(&number);
    }
}

impl Node {
    /// Who owns a part of a version, and since when.
    fn owner(&self, flow: &str, version: &str, part: &str) -> Option<(NodeId, Key)> {
        let state = self.replica.local();
        let owner = state.flows.version(flow, version)?.parts.get(part)?;
        let key = Key {
            flow: flow.to_owned(),
            version: version.to_owned(),
            part: part.to_owned(),
            epoch: owner.epoch,
        };
        Some((owner.node?, key))
    }

    /// Leads a program of this host to a part.
    pub async fn lead(&self, instance: &str, to: &str, mut program: UnixStream) {
        let found = self.way(instance, to).await;
        let answer = match &found {
            Ok(_) => Answer::Ok {},
            Err(why) => Answer::Error(why.clone()),
        };
        let told = lines::write(&mut program, &answer).await;
        match (found, told) {
            (Ok((from, to, End::Here(socket))), Ok(())) => {
                self.ways.carry(from, to, program, socket).await;
            }
            (Ok((from, to, End::There(stream))), Ok(())) => {
                self.ways.carry(from, to, program, stream).await;
            }
            // (who asked has heard why, or has gone)
            _ => {}
        }
    }

    async fn way(&self, instance: &str, to: &str) -> Result<(Key, Key, End), String> {
        let from = self
            .instance(instance)
            .ok_or("this agent knows no such program")?;
        let (from, part) = (from.key.clone(), to);
        let (owner, to) = self
            .owner(&from.flow, &from.version, part)
            .ok_or_else(|| format!("no node has {part}"))?;
        if owner == self.id {
            let socket = self.socket_of(&to).await?;
            return Ok((from, to, End::Here(socket)));
        }
        let opened = self
            .net
            .open(owner.key(), &self.addresses_of(&owner), PROTOCOL)
            .await;
        let mut stream = opened.map_err(|e| e.to_string())?;
        let way = Way {
            flow: from.flow.clone(),
            version: from.version.clone(),
            from: from.part.clone(),
            epoch: from.epoch,
            to: part.to_owned(),
        };
        lines::write(&mut stream, &way)
            .await
            .map_err(|e| e.to_string())?;
        match lines::read::<Answer>(&mut stream, ANSWER).await? {
            Answer::Ok {} => Ok((from, to, End::There(stream))),
            Answer::Error(why) => Err(why),
        }
    }

    async fn socket_of(&self, part: &Key) -> Result<UnixStream, String> {
        let path = self.links_of(&part.instance());
        let connected = UnixStream::connect(&path).await;
        connected.map_err(|e| format!("{} is not ready: {e}", part.part))
    }

    /// Takes a way that another agent asks for.
    async fn take(&self, peer: [u8; 32], mut stream: NetStream) {
        let taken = async {
            let way: Way = lines::read(&mut stream, ANSWER).await?;
            self.may(&peer, &way).await
        };
        match taken.await {
            Ok((from, to, socket)) => {
                if lines::write(&mut stream, &Answer::Ok {}).await.is_ok() {
                    self.ways.carry(from, to, stream, socket).await;
                }
            }
            Err(why) => {
                // (who asked may have gone)
                let _ = lines::write(&mut stream, &Answer::Error(why)).await;
            }
        }
    }

    /// Whether a node may send to a part of this one's, and the part's socket.
    async fn may(&self, peer: &[u8; 32], way: &Way) -> Result<(Key, Key, UnixStream), String> {
        // (the other one may know of an assignment that has not arrived here)
        let mut news = self.replica.watch(self.replica.local().revision);
        let deadline = tokio::time::Instant::now() + NEWS;
        let (owner, from) = loop {
            let known = self.owner(&way.flow, &way.version, &way.from);
            match known {
                Some((owner, from)) if from.epoch >= way.epoch => break (owner, from),
                _ if tokio::time::timeout_at(deadline, news.next())
                    .await
                    .is_ok_and(|news| news.is_some()) => {}
                _ => {
                    return Err(format!(
                        "it is not known here that {} has epoch {}",
                        way.from, way.epoch
                    ));
                }
            }
        };
        if owner.key() != peer || from.epoch != way.epoch {
            return Err(format!(
                "fenced: {} belongs to another node since epoch {}",
                way.from, from.epoch
            ));
        }
        let (owner, to) = self
            .owner(&way.flow, &way.version, &way.to)
            .ok_or_else(|| format!("no node has {}", way.to))?;
        if owner != self.id {
            return Err(format!("{} is not here", way.to));
        }
        let socket = self.socket_of(&to).await?;
        Ok((from, to, socket))
    }
}

enum End {
    Here(UnixStream),
    There(NetStream),
}

/// Takes the ways that others ask for, until the net ends.
///
/// # Errors
/// The protocol is served already.
pub async fn serve(net: &Net, node: Arc<Node>) -> Result<(), NetError> {
    let mut incoming = net.serve(PROTOCOL)?;
    let mut ways = JoinSet::new();
    while let Some((peer, stream)) = incoming.next().await {
        while ways.try_join_next().is_some() {}
        if ways.len() >= MOST {
            // (a stream that is dropped is closed, and asked for again)
            continue;
        }
        let node = node.clone();
        ways.spawn(async move { node.take(peer, stream).await });
    }
    Ok(())
}
