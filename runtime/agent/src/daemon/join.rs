//! How a node comes into its mesh, and how it lets others in.
//!
//! The first one makes the mesh, and with it the key pair of its authority, which signs permissions to join and what may run. Others bring
//! such a permission: they dial a node that it names, are let in as strangers to this one protocol, and show it. The state counts its uses.

use super::config::{Coming, LISTEN, NodeConfig, Remembered};
use super::token::Token;
use super::{MOST_VOTERS, Node, capacity, lines, lock, now_ms};
use crate::id::NodeId;
use crate::state::Command;
use crate::state::nodes::NodeCommand;
use crate::wire::Peer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vgdc_net::{Identity, Net, NetError, NetStream};

/// The protocol's name: the one that strangers may speak.
pub const PROTOCOL: &str = "/vgdc/join/1";
/// How long an answer may take: the state is written by a majority.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a node that has been let in tries to have the state.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a node that comes says.
#[derive(Debug, Serialize, Deserialize)]
struct Knock {
    token: String,
    name: String,
    labels: BTreeMap<String, String>,
    addresses: Vec<String>,
    processors: f64,
}

/// What it is answered.
#[derive(Debug, Serialize, Deserialize)]
enum Let {
    /// It is in; all nodes.
    In(BTreeMap<String, Vec<String>>),
    /// It is not; why.
    Out(String),
}

/// The key pair of the mesh's authority, where this node has it.
///
/// # Errors
/// The file is damaged.
pub fn authority(data: &Path) -> Result<Option<Identity>, String> {
    let file = data.join("authority.key");
    match file.exists() {
        true => Identity::load_or_create(&file)
            .map(Some)
            .map_err(|e| e.to_string()),
        false => Ok(None),
    }
}

fn name_of_host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "node".to_owned(),
        name => name.to_owned(),
    }
}

/// What the node is, as it was before or as it is told now; and the token that it comes with, where it needs one.
///
/// # Errors
/// It belongs to another mesh, or to none and is not told to which; a token that is none; options that cannot be used.
pub fn prepare(
    config: &NodeConfig,
    identity: &Identity,
) -> Result<(Remembered, Option<Token>), String> {
    let there = Remembered::load(&config.data)?;
    let folder = config.data.display();
    let new = |mesh: String, authority: String| Remembered {
        mesh,
        authority,
        name: name_of_host(),
        listen: vec![LISTEN.to_owned()],
        peers: Vec::new(),
        labels: BTreeMap::new(),
        processors: std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64),
        mdns: true,
        contacts: BTreeMap::new(),
        joined: false,
        incarnation: 0,
    };
    let is_of = |there: &Remembered, mesh: &str| match there.mesh == mesh {
        true => Ok(()),
        false => Err(format!(
            "{folder} belongs to mesh {:?}: take another folder (--data) for {mesh:?}",
            there.mesh
        )),
    };
    let (mut remembered, token) = match (&config.coming, there) {
        (Coming::Found(mesh), Some(there)) => {
            is_of(&there, mesh)?;
            (there, None)
        }
        (Coming::Found(mesh), None) => {
            let key = Identity::load_or_create(&config.data.join("authority.key"));
            let key = key.map_err(|e| e.to_string())?.key();
            let mut new = new(mesh.clone(), NodeId::from_key(key).to_string());
            let own = NodeId::from_key(identity.key()).to_string();
            new.contacts.insert(own, Vec::new());
            (new, None)
        }
        (Coming::Join(text), there) => {
            let token = Token::read(text)?;
            let mut remembered = match there {
                Some(there) => {
                    is_of(&there, &token.mesh)?;
                    there
                }
                None => new(token.mesh.clone(), token.authority.clone()),
            };
            remembered.contacts.extend(token.ask.iter().cloned());
            let token = (!remembered.joined).then_some(token);
            (remembered, token)
        }
        (Coming::Return, Some(there)) => (there, None),
        (Coming::Return, None) => {
            return Err(format!(
                "{folder} belongs to no mesh yet\n  `vgdc node --mesh NAME` makes one; `vgdc node --join TOKEN` joins one (`vgdc mesh token` on a node of it gives the token)"
            ));
        }
    };
    remembered.told(&config.told)?;
    remembered.incarnation = now_ms().max(remembered.incarnation + 1);
    remembered.save(&config.data)?;
    Ok((remembered, token))
}

/// Comes into the mesh: makes its group, joins it, or is a member already.
///
/// # Errors
/// It is not let in, or nobody who could let it in answers.
pub async fn come(node: &Arc<Node>, coming: &Coming, token: Option<Token>) -> Result<(), String> {
    if lock(&node.remembered).joined {
        return Ok(());
    }
    match (coming, token) {
        (Coming::Found(_), _) => found(node).await,
        (Coming::Join(text), Some(token)) => {
            knock(node, text, &token).await?;
            enter(node).await
        }
        // It was let in before, and did not get further.
        _ => enter(node).await,
    }?;
    let remembered = {
        let mut remembered = lock(&node.remembered);
        remembered.joined = true;
        remembered.clone()
    };
    remembered.save(&node.data)
}

async fn found(node: &Arc<Node>) -> Result<(), String> {
    // (an earlier attempt may have come as far as this)
    let made = node.replica.bootstrap().await;
    if node.replica.metrics().voters.is_empty() {
        made.map_err(|e| e.to_string())?;
    }
    let admit = {
        let remembered = lock(&node.remembered);
        NodeCommand::Admit {
            id: node.id,
            name: remembered.name.clone(),
            labels: remembered.all_labels(),
            addresses: node.net.addresses(),
            capacity: capacity(remembered.processors),
            token: None,
        }
    };
    let by = format!("node {}", node.name);
    let admitted = node.replica.propose(&by, Command::Node(admit)).await;
    match node.replica.local().nodes.contains_key(&node.id) {
        true => Ok(()),
        false => admitted.map(|_| ()).map_err(|e| e.to_string()),
    }
}

/// Shows the token to a node that it names.
async fn knock(node: &Arc<Node>, text: &str, token: &Token) -> Result<(), String> {
    let knock = {
        let remembered = lock(&node.remembered);
        Knock {
            token: text.to_owned(),
            name: remembered.name.clone(),
            labels: remembered.all_labels(),
            addresses: node.net.addresses(),
            processors: remembered.processors,
        }
    };
    let mut why = "the token names no node".to_owned();
    for (key, addresses) in &token.ask {
        let Some(expected) = super::token::key(key) else {
            continue;
        };
        let asked = async {
            let opened = node.net.open(&expected, addresses, PROTOCOL).await;
            let mut stream = opened.map_err(|e| e.to_string())?;
            let wrote = lines::write(&mut stream, &knock).await;
            wrote.map_err(|e| e.to_string())?;
            lines::read::<Let>(&mut stream, ANSWER).await
        };
        match asked.await {
            Ok(Let::In(all)) => {
                let remembered = {
                    let mut remembered = lock(&node.remembered);
                    remembered.contacts.extend(all);
                    remembered.clone()
                };
                node.admit_contacts(&remembered);
                return remembered.save(&node.data);
            }
            Ok(Let::Out(reason)) => {
                return Err(format!("the mesh does not let this node in: {reason}"));
            }
            Err(error) => why = error,
        }
    }
    Err(format!("nobody who could let this node in answers: {why}"))
}

/// Becomes a member of the group that has the state.
async fn enter(node: &Arc<Node>) -> Result<(), String> {
    let contacts = lock(&node.remembered).contacts.clone();
    let via: Vec<Peer> = (contacts.into_iter())
        .filter_map(|(key, addresses)| {
            let id: NodeId = key.parse().ok()?;
            (id != node.id).then_some(Peer { id, addresses })
        })
        .collect();
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let entered = async {
            node.replica.follow(&via).await.map_err(|e| e.to_string())?;
            if node.replica.metrics().voters.len() < MOST_VOTERS {
                node.replica.join(&via).await.map_err(|e| e.to_string())?;
            }
            Ok::<(), String>(())
        };
        match entered.await {
            Ok(()) => return Ok(()),
            Err(why) if tokio::time::Instant::now() >= until => {
                return Err(format!("the mesh's state cannot be had: {why}"));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Lets in those who show a token, until the net ends.
///
/// # Errors
/// The protocol is served already.
pub async fn serve(net: &Net, node: Arc<Node>) -> Result<(), NetError> {
    let mut incoming = net.serve(PROTOCOL)?;
    while let Some((key, stream)) = incoming.next().await {
        tokio::spawn(answer(node.clone(), NodeId::from_key(key), stream));
    }
    Ok(())
}

async fn answer(node: Arc<Node>, who: NodeId, mut stream: NetStream) {
    let told = match lines::read::<Knock>(&mut stream, ANSWER).await {
        Ok(knock) => match let_in(&node, who, knock).await {
            Ok(all) => Let::In(all),
            Err(why) => Let::Out(why),
        },
        Err(why) => Let::Out(why),
    };
    if let Let::Out(why) = &told {
        node.say(&format!("{who} is not let in: {why}"));
    }
    // (who does not wait for it knocks again)
    let _ = lines::write(&mut stream, &told).await;
}

async fn let_in(
    node: &Arc<Node>,
    who: NodeId,
    knock: Knock,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let token = Token::read(&knock.token)?;
    let (mesh, authority) = {
        let remembered = lock(&node.remembered);
        (remembered.mesh.clone(), remembered.authority.clone())
    };
    if token.authority != authority || token.mesh != mesh {
        return Err(format!("its token is for another mesh, {:?}", token.mesh));
    }
    let is_in = node.replica.local().nodes.contains_key(&who);
    if !is_in {
        if !(knock.processors > 0.0 && knock.processors <= 4_096.0) {
            return Err("it has no number of processors".to_owned());
        }
        let admit = NodeCommand::Admit {
            id: who,
            name: knock.name,
            labels: knock.labels,
            addresses: knock.addresses,
            capacity: capacity(knock.processors),
            token: Some(token.id.clone()),
        };
        let by = format!("token {}", token.id);
        let admitted = node.replica.propose(&by, Command::Node(admit)).await;
        admitted.map_err(|e| e.to_string())?;
    }
    let state = node.replica.local();
    let all = state.nodes.iter();
    Ok(all
        .map(|(id, it)| (id.to_string(), it.addresses.clone()))
        .collect())
}

impl Node {
    /// Makes a token.
    ///
    /// # Errors
    /// This node does not have the authority's key; no majority.
    pub async fn make_token(&self, by: &str, uses: u32, seconds: u64) -> Result<String, String> {
        let signer = self.signer()?;
        let mut id = [0; 6];
        getrandom::fill(&mut id).map_err(|e| format!("no randomness: {e}"))?;
        let id = super::instance::to_hex(&id);
        let command = crate::state::tokens::TokenCommand::Issue {
            id: id.clone(),
            expires_at: now_ms().saturating_add(seconds.saturating_mul(1_000)),
            uses,
        };
        let issued = self.replica.propose(by, Command::Token(command)).await;
        issued.map_err(|e| e.to_string())?;
        let (mesh, authority) = {
            let remembered = lock(&self.remembered);
            (remembered.mesh.clone(), remembered.authority.clone())
        };
        let alive = self.alive();
        let ask = alive.iter().take(3).chain([&self.id]);
        let mut ask: Vec<(String, Vec<String>)> = ask
            .map(|id| (id.to_string(), self.addresses_of(id)))
            .collect();
        ask.dedup();
        Ok(Token {
            mesh,
            authority,
            id,
            ask,
        }
        .sign(signer))
    }

    /// The key pair of the mesh's authority.
    ///
    /// # Errors
    /// This node does not have it.
    pub fn signer(&self) -> Result<&Identity, String> {
        self.signer.as_ref().ok_or_else(|| {
            "this node does not have the key of the mesh's authority (authority.key in its folder): only where that is can nodes be let in and flows be deployed".to_owned()
        })
    }
}
