//! What people ask, through the door. Who may open the door, the system says; in whose name something is done, the user that asks.

use super::config::{NODE_JS, OWN, TARGET, VERSION};
use super::instance::to_hex;
use super::manifests::manifest_of;
use super::peers::{self, ask_all};
use super::{Node, lines, lock};
use crate::artifacts::{ArtifactId, Kind, Signer, Statement};
use crate::id::NodeId;
use crate::manifest::Manifest;
use crate::replica::{Consistency, MemberChange, Role};
use crate::state::flows::{FlowCommand, Stage};
use crate::state::nodes::NodeCommand;
use crate::state::tokens::TokenCommand;
use crate::state::{Answer, Command, Query, Reply, State};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use vgdc_door::admin::{
    self, Ask, FlowStatus, LinkStatus, NodeStatus, PartStatus, Phase, Status, Told,
};
use vgdc_door::manifest::{FlowManifest, SignedManifest};
use vgdc_net::Identity;
use vgdc_net::membership::MemberState;

/// How long a part that moves is waited for at each step.
const MOVE: Duration = Duration::from_secs(20);
/// How often it is looked how far something is.
const LOOK: Duration = Duration::from_millis(30);
/// The most lines of a log that are given at once.
const MOST_LINES: usize = 10_000;

type Done = Result<Json, String>;
type Notes = mpsc::UnboundedSender<String>;

/// Signs in the name of the mesh's authority.
struct Authority<'a>(&'a Identity);

impl Signer for Authority<'_> {
    fn key(&self) -> [u8; 32] {
        self.0.key()
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes)
    }
}

/// Carries a connection to its end.
pub async fn serve(node: &Arc<Node>, stream: UnixStream) {
    let user = stream.peer_cred().map(|who| who.uid());
    let by = match user {
        Ok(uid) => format!("user {uid} at {}", node.name),
        Err(_) => format!("somebody at {}", node.name),
    };
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(line) = lines::next(&mut read).await {
        let (notes, mut noted) = mpsc::unbounded_channel();
        let answering = async {
            match serde_json::from_str(&line) {
                Ok(ask) => answer(node, &by, ask, &notes).await,
                Err(e) => Err(format!("not a request that this agent knows: {e}")),
            }
        };
        tokio::pin!(answering);
        let told = loop {
            tokio::select! {
                told = &mut answering => break told,
                Some(text) = noted.recv() => {
                    let line = vgdc_door::line(&Told::Note(text));
                    // (who asked may have gone; what he asked for is done all the same)
                    let _ = write.write_all(line.as_bytes()).await;
                }
            }
        };
        let mut text = String::new();
        while let Ok(note) = noted.try_recv() {
            text += &vgdc_door::line(&Told::Note(note));
        }
        text += &match told {
            Ok(value) => vgdc_door::line(&Told::Done(value)),
            Err(why) => vgdc_door::line(&Told::Error(why)),
        };
        if write.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn propose(node: &Node, by: &str, command: Command) -> Result<Reply, String> {
    let done = node.replica.propose(by, command).await;
    done.map_err(|e| e.to_string())
}

fn value(it: impl serde::Serialize) -> Done {
    serde_json::to_value(it).map_err(|e| e.to_string())
}

async fn answer(node: &Arc<Node>, by: &str, ask: Ask, notes: &Notes) -> Done {
    match ask {
        Ask::Status {} => value(status(node).await),
        Ask::Links {} => value(links(node).await),
        Ask::Logs { flow, part, lines } => logs(node, &flow, &part, lines.min(MOST_LINES)).await,
        Ask::Token { uses, seconds } => node.make_token(by, uses, seconds).await.map(Json::from),
        Ask::Revoke { token } => {
            let command = TokenCommand::Revoke { id: token };
            propose(node, by, Command::Token(command)).await?;
            Ok(Json::Null)
        }
        Ask::Import { from, program } => {
            let store = node.store.clone();
            let kind = match program {
                Some(program) => Kind::Folder { program },
                None => Kind::Program,
            };
            let imported = tokio::task::spawn_blocking(move || store.import(&from, &kind));
            let id = imported.await.map_err(|e| e.to_string())?;
            id.map(|id| Json::from(id.to_string()))
                .map_err(|e| e.to_string())
        }
        Ask::Secrets { credentials } => node.keep_secrets(credentials).map(Json::from),
        Ask::Deploy { manifest, places } => deploy(node, by, manifest, &places, notes).await,
        Ask::Remove { flow } => remove(node, by, &flow).await,
        Ask::Rollback { flow } => rollback(node, by, &flow).await,
        Ask::Move { flow, part, to } => {
            let to = node.named(&to)?;
            let key = active_part(&node.replica.local(), &flow, &part)?;
            relocate(node, by, &key, Some(to), notes)
                .await
                .map(|()| Json::Null)
        }
        Ask::Drain { node: name } => drain(node, by, &name, notes).await,
        Ask::Undrain { node: name } => {
            let id = node.named(&name)?;
            propose(node, by, Command::Node(NodeCommand::Undrain { id })).await?;
            Ok(Json::Null)
        }
        Ask::Forget { node: name } => forget(node, by, &name).await,
        Ask::Backup {} => {
            let backup = node.replica.backup().await.map_err(|e| e.to_string())?;
            String::from_utf8(backup)
                .map(Json::from)
                .map_err(|_| "the backup is no text".to_owned())
        }
        Ask::Restore { backup, replace } => {
            let restored = node.replica.restore(by, backup.as_bytes(), replace).await;
            restored.map(|_| Json::Null).map_err(|e| e.to_string())
        }
        Ask::Audit { after, most } => {
            let read = node
                .replica
                .read(&Query::Audit { after, most }, Consistency::Local)
                .await;
            let Answer::Audit(changes) = read.map_err(|e| e.to_string())?.answer else {
                return Err("the audit log cannot be read".to_owned());
            };
            let about = |change: crate::state::Change| admin::Change {
                revision: change.revision,
                at: change.at,
                by: change.by,
                what: change.event.to_string(),
            };
            value(changes.into_iter().map(about).collect::<Vec<_>>())
        }
    }
}

/// How the mesh does, as this node sees it.
async fn status(node: &Arc<Node>) -> Status {
    let (state, metrics) = (node.replica.local(), node.replica.metrics());
    let told = ask_all(node, node.alive(), peers::Ask::Parts).await;
    let mut parts: Vec<PartStatus> = Vec::new();
    for (_, told) in told {
        if let peers::Told::Parts(all) = told {
            parts.extend(all);
        }
    }
    let leader = metrics
        .leader
        .filter(|id| node.state_of(id) != MemberState::Down);
    let about = |(id, it): (&NodeId, &crate::state::nodes::Node)| NodeStatus {
        name: it.name.clone(),
        id: id.to_string(),
        state: match node.state_of(id) {
            MemberState::Alive => "alive",
            MemberState::Suspect => "suspect",
            MemberState::Down => "down",
        }
        .to_owned(),
        role: match () {
            () if leader == Some(*id) => "leader",
            () if metrics.voters.contains(id) => "voter",
            () => "follower",
        }
        .to_owned(),
        labels: (it.labels.iter())
            .filter(|(key, _)| !key.starts_with(OWN))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        addresses: it.addresses.clone(),
        draining: it.draining,
        processors: f64::from(it.capacity.millicores) / 1_000.0,
        target: it.labels.get(TARGET).cloned().unwrap_or_default(),
        node_js: it.labels.contains_key(NODE_JS),
        version: it.labels.get(VERSION).cloned().unwrap_or_default(),
        parts: state.flows.owned_by(id).count(),
        rtt_us: node.round_trip(id).map(|it| it.as_micros() as u64),
    };
    let mut nodes: Vec<NodeStatus> = state.nodes.iter().map(about).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Status {
        mesh: lock(&node.remembered).mesh.clone(),
        node: node.name.clone(),
        authority: node.signer.is_some(),
        leader: leader.map(|id| node.name_of(&id)),
        revision: state.revision,
        nodes,
        flows: flows(node, &state, &parts),
    }
}

fn flows(node: &Node, state: &State, told: &[PartStatus]) -> Vec<FlowStatus> {
    let about = |(name, flow): (&String, &crate::state::flows::Flow)| {
        let mut parts = Vec::new();
        for (hash, version) in flow.versions.iter().filter(|(_, it)| it.stage.runs()) {
            for (part, owner) in &version.parts {
                let said = told.iter().find(|it| {
                    (&it.flow, &it.version, &it.part, it.epoch) == (name, hash, part, owner.epoch)
                });
                parts.push(PartStatus {
                    flow: name.clone(),
                    version: hash.clone(),
                    part: part.clone(),
                    node: owner.node.map(|id| node.name_of(&id)),
                    epoch: owner.epoch,
                    ..said.cloned().unwrap_or_default()
                });
            }
        }
        let at = |is: fn(Stage) -> bool| flow.versions.iter().find(move |(_, it)| is(it.stage));
        let underway = at(|stage| matches!(stage, Stage::Preparing | Stage::Switching));
        FlowStatus {
            flow: name.clone(),
            active: at(|stage| stage == Stage::Active).map(|(hash, _)| hash.clone()),
            underway: underway.map(|(hash, it)| (hash.clone(), it.stage.to_string())),
            parts,
        }
    };
    state.flows.iter().map(about).collect()
}

async fn links(node: &Arc<Node>) -> Vec<LinkStatus> {
    let state = node.replica.local();
    let mut said: Vec<LinkStatus> = Vec::new();
    for (_, told) in ask_all(node, node.alive(), peers::Ask::Links).await {
        if let peers::Told::Links(all) = told {
            said.extend(all);
        }
    }
    let mut links = Vec::new();
    for (name, flow) in state.flows.iter() {
        for version in flow
            .versions
            .values()
            .filter(|it| it.stage == Stage::Active)
        {
            let Ok(manifest) = manifest_of(node, version) else {
                continue;
            };
            let owner = |part: &str| {
                let owner = version.parts.get(part)?.node?;
                Some(node.name_of(&owner))
            };
            for link in &manifest.links {
                let (from, to) = (owner(&link.from), owner(&link.to));
                let known = said.iter().find(|it| {
                    (&it.flow, &it.name, &it.from.0, &it.from.1)
                        == (name, &link.name, &link.from, &from)
                });
                links.push(LinkStatus {
                    flow: name.clone(),
                    from: (link.from.clone(), from),
                    to: (link.to.clone(), to),
                    name: link.name.clone(),
                    durable: link.durable,
                    ..known.cloned().unwrap_or_default()
                });
            }
        }
    }
    links
}

async fn logs(node: &Arc<Node>, flow: &str, part: &str, lines: usize) -> Done {
    let key = active_part(&node.replica.local(), flow, part)?;
    let owner = key
        .owner
        .ok_or_else(|| format!("{part} of {flow} runs nowhere"))?;
    let ask = peers::Ask::Logs {
        flow: flow.to_owned(),
        part: part.to_owned(),
        lines,
    };
    match peers::ask(node, &owner, &ask).await? {
        peers::Told::Logs(lines) => value(lines),
        peers::Told::Error(why) => Err(why),
        _ => Err("an answer to something else came".to_owned()),
    }
}

/// A part of a version, as the state has it.
struct Owned {
    flow: String,
    version: String,
    part: String,
    owner: Option<NodeId>,
    epoch: u64,
}

fn active_part(state: &State, flow: &str, part: &str) -> Result<Owned, String> {
    let known = state.flows.get(flow).ok_or_else(|| {
        let names: Vec<&str> = state.flows.iter().map(|(name, _)| name.as_str()).collect();
        match names.is_empty() {
            true => format!("there is no flow {flow:?}: none was deployed yet"),
            false => format!(
                "there is no flow {flow:?}: the mesh has {}",
                names.join(", ")
            ),
        }
    })?;
    let runs = |stage: Stage| stage == Stage::Active || stage.runs();
    let versions = known.versions.iter().filter(|(_, it)| runs(it.stage));
    let (version, it) = versions
        .max_by_key(|(_, it)| it.stage)
        .ok_or_else(|| format!("no version of {flow} runs"))?;
    let owner = it.parts.get(part).ok_or_else(|| {
        let names: Vec<&str> = it.parts.keys().map(String::as_str).collect();
        format!("{flow} has no part {part:?}: it has {}", names.join(", "))
    })?;
    Ok(Owned {
        flow: flow.to_owned(),
        version: version.clone(),
        part: part.to_owned(),
        owner: owner.node,
        epoch: owner.epoch,
    })
}

/// Rolls a version out, and waits until it runs, or everything is as it was.
async fn deploy(
    node: &Arc<Node>,
    by: &str,
    mut manifest: FlowManifest,
    places: &BTreeMap<String, String>,
    notes: &Notes,
) -> Done {
    let signer = node.signer()?;
    let mesh = lock(&node.remembered).mesh.clone();
    if manifest.mesh != mesh {
        return Err(format!(
            "it was made for mesh {:?}, and this is {mesh:?}",
            manifest.mesh
        ));
    }
    for artifact in manifest.artifacts() {
        let known = artifact
            .parse()
            .is_ok_and(|id: ArtifactId| node.store.contains(&id));
        if !known {
            return Err(format!(
                "the bundle {artifact} is not in this agent's store: import it first"
            ));
        }
    }
    let places = placed(node, &manifest, places)?;
    let version = blake3::hash(manifest.text().as_bytes()).to_hex();
    let version = version.get(..16).unwrap_or_default().to_owned();
    let flow = manifest.flow.clone();
    for part in &mut manifest.parts {
        for (target, program) in &mut part.programs {
            let statement = Statement {
                artifact: program
                    .artifact
                    .parse()
                    .map_err(|_| "a bundle without a name")?,
                flow: flow.clone(),
                part: part.name.clone(),
                version: version.clone(),
                target: target.clone(),
            };
            let signed = statement
                .sign(&Authority(signer))
                .map_err(|e| e.to_string())?;
            program.signature = to_hex(&signed.signature);
        }
    }
    let signature = to_hex(&signer.sign(manifest.text().as_bytes()));
    let signed = value(SignedManifest {
        manifest,
        signature,
    })?;
    let stored = Manifest::new(&signed)?;
    let flow_command = async |command| propose(node, by, Command::Flow(command)).await;
    let before = node.replica.certain().await.map_err(|e| e.to_string())?;
    let stage = before.flows.version(&flow, &version).map(|it| it.stage);
    if stage == Some(Stage::Active) {
        // (of a note nobody takes, nothing depends)
        let _ = notes.send(format!("{flow} {version} is active already"));
        return Ok(version.into());
    }
    if stage.is_none() {
        let command = FlowCommand::PutVersion {
            flow: flow.clone(),
            version: version.clone(),
            manifest: stored,
        };
        flow_command(command).await?;
    }
    flow_command(FlowCommand::Rollout {
        flow: flow.clone(),
        version: version.clone(),
        from: stage.unwrap_or(Stage::Stored),
        to: Stage::Preparing,
        share: 0,
    })
    .await?;
    for (part, to) in places {
        let state = node.replica.certain().await.map_err(|e| e.to_string())?;
        let owner = state
            .flows
            .version(&flow, &version)
            .and_then(|it| it.parts.get(&part));
        let command = FlowCommand::Assign {
            flow: flow.clone(),
            version: version.clone(),
            part,
            node: Some(to),
            replaces: owner.map_or(0, |owner| owner.epoch),
        };
        if owner.is_none_or(|owner| owner.node.is_none()) {
            // (the leader may have been quicker; then that is where it is)
            let _ = flow_command(command).await;
        }
    }
    watch(node, &flow, &version, notes).await
}

/// Where each part begins.
fn placed(
    node: &Node,
    manifest: &FlowManifest,
    places: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, NodeId>, String> {
    let mut placed = BTreeMap::new();
    for part in &manifest.parts {
        let name = places
            .get(&part.name)
            .or_else(|| part.on.first())
            .ok_or_else(|| format!("part {} may run nowhere", part.name))?;
        let id = node.named(name)?;
        if node.state_of(&id) == MemberState::Down {
            return Err(format!(
                "{name} is down, and {} is to run there: deploy when it is back, or without it",
                part.name
            ));
        }
        let state = node.replica.local();
        if state.nodes.get(&id).is_some_and(|it| it.draining) {
            return Err(format!(
                "{name} is being drained: `vgdc mesh undrain {name}` lets it have parts"
            ));
        }
        placed.insert(part.name.clone(), id);
    }
    Ok(placed)
}

/// Says how far a version is, until it runs or has been given up.
async fn watch(node: &Arc<Node>, flow: &str, version: &str, notes: &Notes) -> Done {
    let mut said: BTreeSet<String> = BTreeSet::new();
    let mut failed = Vec::new();
    let mut say = |text: String| {
        if said.insert(text.clone()) {
            // (who asked may have gone)
            let _ = notes.send(text);
        }
    };
    loop {
        let state = node.replica.local();
        let it = state.flows.version(flow, version);
        let it = it.ok_or_else(|| format!("{flow} {version} was removed"))?;
        let owners: BTreeSet<NodeId> = it.parts.values().filter_map(|owner| owner.node).collect();
        let told = ask_all(node, owners.into_iter().collect(), peers::Ask::Parts).await;
        let parts = told.into_iter().filter_map(|(_, told)| match told {
            peers::Told::Parts(parts) => Some(parts),
            _ => None,
        });
        for part in parts
            .flatten()
            .filter(|part| (part.flow.as_str(), part.version.as_str()) == (flow, version))
        {
            let at = part.node.as_deref().unwrap_or_default();
            if !part.detail.is_empty() {
                failed.push(format!("{} at {at}: {}", part.part, part.detail));
            }
            if !matches!(
                part.phase,
                Phase::Unknown | Phase::Draining | Phase::Stopped
            ) {
                say(format!("{} at {at}: {}", part.part, part.phase.word()));
            }
        }
        match it.stage {
            Stage::Active => return Ok(version.into()),
            Stage::RolledBack => {
                let why = match why(node, flow, version).await.or(failed.pop()) {
                    Some(why) => format!(": {why}"),
                    None => String::new(),
                };
                return Err(format!(
                    "{flow} {version} was rolled back{why}; what ran before runs again"
                ));
            }
            Stage::Retired => {
                return Err(format!("{flow} {version} was replaced by another version"));
            }
            Stage::Stored | Stage::Preparing | Stage::Switching => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Why a version was rolled back, by the leader.
async fn why(node: &Arc<Node>, flow: &str, version: &str) -> Option<String> {
    let ask = peers::Ask::Why {
        flow: flow.to_owned(),
        version: version.to_owned(),
    };
    let leader = node.replica.metrics().leader?;
    match peers::ask(node, &leader, &ask).await {
        Ok(peers::Told::Why(why)) => why,
        _ => None,
    }
}

async fn remove(node: &Arc<Node>, by: &str, flow: &str) -> Done {
    let state = node.replica.certain().await.map_err(|e| e.to_string())?;
    let known = state.flows.get(flow);
    let known = known.ok_or_else(|| format!("there is no flow {flow:?}"))?;
    for (version, it) in known.versions.iter().filter(|(_, it)| it.stage.runs()) {
        let to = match it.stage {
            Stage::Active => Stage::Retired,
            _ => Stage::RolledBack,
        };
        let command = FlowCommand::Rollout {
            flow: flow.to_owned(),
            version: version.clone(),
            from: it.stage,
            to,
            share: 0,
        };
        propose(node, by, Command::Flow(command)).await?;
    }
    let until = Instant::now() + MOVE;
    loop {
        // (the leader takes its parts away first)
        let command = FlowCommand::Remove {
            flow: flow.to_owned(),
        };
        match propose(node, by, Command::Flow(command)).await {
            Ok(_) => return Ok(Json::Null),
            Err(why) if Instant::now() > until => return Err(why),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

async fn rollback(node: &Arc<Node>, by: &str, flow: &str) -> Done {
    let state = node.replica.certain().await.map_err(|e| e.to_string())?;
    let known = state.flows.get(flow);
    let known = known.ok_or_else(|| format!("there is no flow {flow:?}"))?;
    let runs = known.versions.iter().filter(|(_, it)| it.stage.runs());
    let (version, it) = runs
        .min_by_key(|(_, it)| it.stage)
        .ok_or_else(|| format!("no version of {flow} runs"))?;
    let previous = known.previous.clone();
    if it.stage == Stage::Active && previous.is_none() {
        return Err(format!(
            "there is no version of {flow} before {version}: `vgdc mesh remove {flow}` takes it out"
        ));
    }
    let command = FlowCommand::Rollout {
        flow: flow.to_owned(),
        version: version.clone(),
        from: it.stage,
        to: Stage::RolledBack,
        share: 0,
    };
    propose(node, by, Command::Flow(command)).await?;
    Ok(previous.into())
}

/// Takes a part to another node: to the one that is named, or to one that is chosen. It ends where it is before it begins elsewhere.
async fn relocate(
    node: &Arc<Node>,
    by: &str,
    it: &Owned,
    to: Option<NodeId>,
    notes: &Notes,
) -> Result<(), String> {
    let state = node.replica.certain().await.map_err(|e| e.to_string())?;
    let version = state.flows.version(&it.flow, &it.version);
    let version = version.ok_or_else(|| format!("{} {} is gone", it.flow, it.version))?;
    let manifest = manifest_of(node, version)?;
    let part = manifest.part(&it.part);
    let part = part.ok_or_else(|| format!("the manifest has no part {}", it.part))?;
    let answers = |id: &NodeId| {
        let wanted = match &to {
            Some(to) => id == to,
            None => Some(*id) != it.owner,
        };
        wanted && node.state_of(id) != MemberState::Down
    };
    let load = super::placement::loads([(version, &*manifest)].into_iter());
    // (that it is apart from itself is no reason)
    let chosen = super::placement::choose(&state, &manifest, version, part, answers, &load);
    let chosen = chosen.ok_or_else(|| match to {
        Some(to) => format!(
            "{} cannot run at {}: it may run on {}, where that answers, is not drained, has its program's target, and nothing that it must be apart from",
            it.part,
            node.name_of(&to),
            part.on.join(", ")
        ),
        None => format!("{} can run nowhere else", it.part),
    })?;
    if it.owner == Some(chosen) {
        return Ok(());
    }
    let assign = async |to: Option<NodeId>, replaces: u64| {
        let command = FlowCommand::Assign {
            flow: it.flow.clone(),
            version: it.version.clone(),
            part: it.part.clone(),
            node: to,
            replaces,
        };
        match propose(node, by, Command::Flow(command)).await? {
            Reply::Assigned { epoch } => Ok(epoch),
            Reply::Done { .. } => Err("an answer to something else came".to_owned()),
        }
    };
    // (of a note nobody takes, nothing depends)
    let _ = notes.send(format!(
        "{}: {} → {}",
        it.part,
        it.owner
            .map_or_else(|| "nobody".to_owned(), |id| node.name_of(&id)),
        node.name_of(&chosen)
    ));
    let alive = it
        .owner
        .filter(|owner| node.state_of(owner) != MemberState::Down);
    if let Some(owner) = &alive {
        leave(node, owner, it).await?;
    }
    let epoch = match alive {
        Some(_) if part.single => {
            let epoch = assign(None, it.epoch).await?;
            let until = Instant::now() + MOVE;
            while runs_at(node, alive, it).await && Instant::now() < until {
                tokio::time::sleep(LOOK).await;
            }
            epoch
        }
        // Where nobody runs it, the old owner, if it comes back, is fenced off.
        _ => it.epoch,
    };
    let epoch = match assign(Some(chosen), epoch).await {
        Ok(epoch) => epoch,
        // The leader has found it without an owner, and was quicker: it is somewhere.
        Err(_) if part.single => return Ok(()),
        Err(why) => return Err(why),
    };
    let until = Instant::now() + MOVE;
    loop {
        let phase = phase_at(node, &chosen, it, epoch).await;
        match phase {
            Some((Phase::Running | Phase::Held, _)) => return Ok(()),
            Some((Phase::Failed, why)) => {
                return Err(format!(
                    "{} does not run at {}: {why}",
                    it.part,
                    node.name_of(&chosen)
                ));
            }
            _ if Instant::now() > until => {
                return Err(format!(
                    "{} does not run at {} yet",
                    it.part,
                    node.name_of(&chosen)
                ));
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Has a part work on what it has, and waits for that, so that nothing stays behind in its outboxes.
async fn leave(node: &Arc<Node>, owner: &NodeId, it: &Owned) -> Result<(), String> {
    let ask = peers::Ask::Leave {
        flow: it.flow.clone(),
        version: it.version.clone(),
        part: it.part.clone(),
        epoch: it.epoch,
    };
    peers::ask(node, owner, &ask).await?;
    let until = Instant::now() + super::instance::DRAIN;
    loop {
        match phase_at(node, owner, it, it.epoch).await {
            Some((Phase::Running | Phase::Draining, _)) if Instant::now() < until => {}
            // (one that does not come to an end leaves what it has behind)
            _ => return Ok(()),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn runs_at(node: &Arc<Node>, owner: Option<NodeId>, it: &Owned) -> bool {
    match owner {
        Some(owner) => phase_at(node, &owner, it, it.epoch).await.is_some(),
        None => false,
    }
}

/// How a part does at a node; nothing where it is not there, or the node does not answer.
async fn phase_at(
    node: &Arc<Node>,
    at: &NodeId,
    it: &Owned,
    epoch: u64,
) -> Option<(Phase, String)> {
    let told = peers::ask(node, at, &peers::Ask::Parts).await.ok()?;
    let peers::Told::Parts(parts) = told else {
        return None;
    };
    let is_it = |part: &PartStatus| {
        (&part.flow, &part.version, &part.part, part.epoch)
            == (&it.flow, &it.version, &it.part, epoch)
    };
    parts
        .into_iter()
        .find(is_it)
        .map(|part| (part.phase, part.detail))
}

async fn drain(node: &Arc<Node>, by: &str, name: &str, notes: &Notes) -> Done {
    let id = node.named(name)?;
    let state = node.replica.certain().await.map_err(|e| e.to_string())?;
    if !state.nodes.get(&id).is_some_and(|it| it.draining) {
        propose(node, by, Command::Node(NodeCommand::Drain { id })).await?;
    }
    let mut stay = Vec::new();
    let owned: Vec<Owned> = (state.flows.owned())
        .filter(|(flow, version, _, owner)| {
            let runs = state
                .flows
                .version(flow, version)
                .is_some_and(|it| it.stage.runs());
            runs && owner.node == Some(id)
        })
        .map(|(flow, version, part, owner)| Owned {
            flow: flow.to_owned(),
            version: version.to_owned(),
            part: part.to_owned(),
            owner: owner.node,
            epoch: owner.epoch,
        })
        .collect();
    for it in owned {
        if let Err(why) = relocate(node, by, &it, None, notes).await {
            stay.push(format!("{}/{}: {why}", it.flow, it.part));
        }
    }
    value(stay)
}

async fn forget(node: &Arc<Node>, by: &str, name: &str) -> Done {
    let id = node.named(name)?;
    if id == node.id {
        return Err(format!(
            "{name} is this node itself: ask another one to forget it"
        ));
    }
    let state = node.replica.certain().await.map_err(|e| e.to_string())?;
    // What it owns and nobody else can have runs nowhere any more.
    for (flow, version, part, owner) in state.flows.owned() {
        if owner.node == Some(id) {
            let command = FlowCommand::Assign {
                flow: flow.to_owned(),
                version: version.to_owned(),
                part: part.to_owned(),
                node: None,
                replaces: owner.epoch,
            };
            propose(node, by, Command::Flow(command)).await?;
        }
    }
    let metrics = node.replica.metrics();
    if metrics.role != Role::Stopped
        && (metrics.voters.contains(&id) || metrics.learners.contains(&id))
    {
        let changed = node.replica.change(MemberChange::Remove(id)).await;
        changed.map_err(|e| e.to_string())?;
    }
    propose(node, by, Command::Node(NodeCommand::Remove { id })).await?;
    Ok(json!(id.to_string()))
}
