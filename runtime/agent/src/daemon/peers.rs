//! What agents ask each other, besides what replicas do: a stream a question, a line each way.

use super::Node;
use super::lines;
use crate::id::NodeId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vgdc_door::admin::{LinkStatus, PartStatus};
use vgdc_net::{Net, NetError, NetStream};

/// The protocol's name.
const PROTOCOL: &str = "/vgdc/agent/1";
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(1);
/// Streams of others that are answered at a time.
const MOST: usize = 256;

/// A question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    /// How the parts of that node do.
    Parts,
    /// How the links do that its parts send over.
    Links,
    /// A part is about to go elsewhere: it is to work on what it has, and take nothing more.
    Leave {
        /// The flow.
        flow: String,
        /// The version.
        version: String,
        /// The part.
        part: String,
        /// Since which epoch it is there.
        epoch: u64,
    },
    /// Why a version was rolled back.
    Why {
        /// The flow.
        flow: String,
        /// The version.
        version: String,
    },
    /// The credentials of a part that may run at the node that asks.
    Secrets {
        /// Their name.
        name: String,
    },
    /// The last lines of a part's log.
    Logs {
        /// The flow.
        flow: String,
        /// The part.
        part: String,
        /// How many.
        lines: usize,
    },
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Told {
    /// To [`Ask::Parts`].
    Parts(Vec<PartStatus>),
    /// To [`Ask::Links`].
    Links(Vec<LinkStatus>),
    /// To [`Ask::Secrets`].
    Secrets(String),
    /// To [`Ask::Logs`].
    Logs(Vec<String>),
    /// To [`Ask::Leave`].
    Done,
    /// To [`Ask::Why`]; nothing where it was somebody else's decision.
    Why(Option<String>),
    /// There is none; why.
    Error(String),
}

/// Asks a node.
///
/// # Errors
/// It cannot be reached, or does not answer; in words.
pub async fn ask(node: &Node, whom: &NodeId, question: &Ask) -> Result<Told, String> {
    if *whom == node.id {
        return Ok(node.tell(question, whom));
    }
    let asked = async {
        let addresses = node.addresses_of(whom);
        let opened = node.net.open(whom.key(), &addresses, PROTOCOL).await;
        let mut stream = opened.map_err(|e| e.to_string())?;
        let wrote = lines::write(&mut stream, question).await;
        wrote.map_err(|e| e.to_string())?;
        lines::read(&mut tokio::io::BufReader::new(stream), ANSWER).await
    };
    let told = tokio::time::timeout(ANSWER, asked).await;
    told.map_err(|_| "it does not answer".to_owned())?
}

/// Asks several at once; those that do not answer are left out.
pub async fn ask_all(node: &Arc<Node>, whom: Vec<NodeId>, question: Ask) -> Vec<(NodeId, Told)> {
    let mut asking = JoinSet::new();
    for id in whom {
        let (node, question) = (node.clone(), question.clone());
        asking.spawn(async move { (id, ask(&node, &id, &question).await) });
    }
    let mut told = Vec::new();
    while let Some(answer) = asking.join_next().await {
        if let Ok((id, Ok(answer))) = answer {
            told.push((id, answer));
        }
    }
    told.sort_by_key(|(id, _)| *id);
    told
}

/// Answers others, until the net ends.
///
/// # Errors
/// The protocol is served already.
pub async fn serve(net: &Net, node: Arc<Node>) -> Result<(), NetError> {
    let mut incoming = net.serve(PROTOCOL)?;
    let mut answering = JoinSet::new();
    while let Some((peer, stream)) = incoming.next().await {
        while answering.try_join_next().is_some() {}
        if answering.len() >= MOST {
            answering.join_next().await;
        }
        answering.spawn(answer(node.clone(), NodeId::from_key(peer), stream));
    }
    Ok(())
}

async fn answer(node: Arc<Node>, peer: NodeId, mut stream: NetStream) {
    let told = match lines::read::<Ask>(&mut stream, ANSWER).await {
        Ok(question) => node.tell(&question, &peer),
        Err(why) => Told::Error(why),
    };
    // (whoever does not wait for it needs none)
    let _ = lines::write(&mut stream, &told).await;
}
