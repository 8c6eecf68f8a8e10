//! What the leader of the group does for all: takes versions that are on their way from stage to stage, and gives parts of lost nodes to others.

use super::config::AWAY;
use super::local::RUNNING;
use super::manifests::manifest_of;
use super::peers::{Ask, Told, ask_all};
use super::placement::{choose, loads};
use super::rollout::{Next, Underway, next};
use super::{Node, lock};
use crate::id::NodeId;
use crate::state::flows::{FlowCommand, Stage, Version};
use crate::state::{Command, State};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vgdc_door::admin::{PartStatus, Phase};
use vgdc_door::manifest::FlowManifest;
use vgdc_net::membership::MemberState;

/// How often it is looked, while versions are on their way.
const SHORT: Duration = Duration::from_millis(30);
/// How often it is looked else.
const LONG: Duration = Duration::from_millis(100);
/// How long an agent that was stopped may take to be there again: its programs run meanwhile.
const RESTART: Duration = Duration::from_secs(3);
/// So many reasons for roll-backs are remembered.
const REASONS: usize = 100;
/// A version that is over is forgotten, where a flow has more than so many.
const KEPT: usize = 4;

/// What a leader remembers between two looks. A new one begins anew, which costs time only.
#[derive(Default)]
struct Memory {
    /// Versions on their way: since when they are, and since when at this stage and share.
    underway: BTreeMap<(String, String), Seen>,
    /// Nodes that are down, and since when.
    down: BTreeMap<NodeId, Instant>,
}

struct Seen {
    begun: Instant,
    at: (Stage, u8),
    since: Instant,
    running: Option<Instant>,
}

/// Does the leader's work whenever this node leads, for ever.
pub async fn lead(node: Arc<Node>) {
    let mut memory = Memory::default();
    loop {
        let mut busy = false;
        if node.leads() {
            busy = look(&node, &mut memory).await;
        } else {
            memory = Memory::default();
        }
        tokio::time::sleep(if busy { SHORT } else { LONG }).await;
    }
}

/// Looks once. True: something is on its way.
async fn look(node: &Arc<Node>, memory: &mut Memory) -> bool {
    let state = node.replica.local();
    remember_who_is_down(node, &state, memory);
    let mut manifests: BTreeMap<(&str, &str), Arc<FlowManifest>> = BTreeMap::new();
    for (name, flow) in state.flows.iter() {
        for (hash, version) in flow
            .versions
            .iter()
            .filter(|(_, version)| version.stage.runs())
        {
            match manifest_of(node, version) {
                Ok(manifest) => drop(manifests.insert((name, hash), manifest)),
                Err(why) if version.stage != Stage::Active => {
                    back(node, name, hash, version.stage, &why).await;
                }
                // (its parts do not run; who looks at their logs is told)
                Err(_) => {}
            }
        }
    }
    place(node, &state, &manifests, memory).await;
    let busy = roll(node, &state, &manifests, memory).await;
    clean(node, &state).await;
    busy
}

fn remember_who_is_down(node: &Node, state: &State, memory: &mut Memory) {
    for id in state.nodes.keys() {
        if node.state_of(id) == MemberState::Down {
            memory.down.entry(*id).or_insert_with(Instant::now);
        } else {
            memory.down.remove(id);
        }
    }
    memory.down.retain(|id, _| state.nodes.contains_key(id));
}

async fn propose(node: &Node, command: FlowCommand) -> Result<(), String> {
    let by = format!("leader {}", node.name);
    let done = node.replica.propose(&by, Command::Flow(command)).await;
    done.map(|_| ()).map_err(|e| e.to_string())
}

async fn back(node: &Node, flow: &str, version: &str, from: Stage, why: &str) {
    node.say(&format!("{flow} {version} is rolled back: {why}"));
    {
        let mut reasons = lock(&node.reasons);
        reasons.push_back((flow.to_owned(), version.to_owned(), why.to_owned()));
        if reasons.len() > REASONS {
            reasons.pop_front();
        }
    }
    let command = FlowCommand::Rollout {
        flow: flow.to_owned(),
        version: version.to_owned(),
        from,
        to: Stage::RolledBack,
        share: 0,
    };
    // (where somebody else was first, the next look decides anew)
    let _ = propose(node, command).await;
}

/// Gives parts an owner that have none, or whose owner is lost.
async fn place(
    node: &Node,
    state: &State,
    manifests: &BTreeMap<(&str, &str), Arc<FlowManifest>>,
    memory: &Memory,
) {
    let answers = |id: &NodeId| !memory.down.contains_key(id);
    let patience = |id: &NodeId| {
        let known = state.nodes.get(id);
        match known.is_some_and(|known| known.labels.contains_key(AWAY)) {
            true => node.failover_after.max(RESTART),
            false => node.failover_after,
        }
    };
    let is_lost = |id: &NodeId| match memory.down.get(id) {
        Some(since) => since.elapsed() >= patience(id),
        None => !state.nodes.contains_key(id),
    };
    for ((flow, hash), manifest) in manifests {
        let Some(version) = state.flows.version(flow, hash) else {
            continue;
        };
        for part in &manifest.parts {
            let Some(owner) = version.parts.get(&part.name) else {
                continue;
            };
            if owner.node.as_ref().is_some_and(|id| !is_lost(id)) {
                continue;
            }
            let versions = manifests.iter().filter_map(|((flow, hash), manifest)| {
                Some((state.flows.version(flow, hash)?, &**manifest))
            });
            let load = loads(versions);
            let chosen = choose(state, manifest, version, part, answers, &load);
            let Some(chosen) = chosen.filter(|chosen| owner.node != Some(*chosen)) else {
                continue;
            };
            let (to, from) = (
                node.name_of(&chosen),
                owner.node.map(|id| node.name_of(&id)),
            );
            node.say(&format!(
                "{flow}/{}: {} → {to}",
                part.name,
                from.as_deref().unwrap_or("nobody")
            ));
            let command = FlowCommand::Assign {
                flow: (*flow).to_owned(),
                version: (*hash).to_owned(),
                part: part.name.clone(),
                node: Some(chosen),
                replaces: owner.epoch,
            };
            if let Err(why) = propose(node, command).await {
                node.say(&format!("{flow}/{}: {why}", part.name));
            }
            // What comes next is decided upon what this has changed.
            return;
        }
    }
}

/// How the parts of a version do, by what their owners say.
fn phases(
    version: &Version,
    told: &[PartStatus],
    flow: &str,
    hash: &str,
) -> Vec<(String, Phase, String)> {
    let of = |(part, owner): (&String, &crate::state::flows::Ownership)| {
        let found = told.iter().find(|it| {
            (it.flow.as_str(), it.version.as_str(), &it.part, it.epoch)
                == (flow, hash, part, owner.epoch)
        });
        match found {
            Some(it) => (part.clone(), it.phase, it.detail.clone()),
            None => (part.clone(), Phase::Unknown, String::new()),
        }
    };
    version.parts.iter().map(of).collect()
}

/// Takes versions that are on their way a stage further, or back.
async fn roll(
    node: &Arc<Node>,
    state: &State,
    manifests: &BTreeMap<(&str, &str), Arc<FlowManifest>>,
    memory: &mut Memory,
) -> bool {
    let underway: Vec<(&str, &str, &Version)> = (state.flows.iter())
        .flat_map(|(name, flow)| {
            let versions = flow.versions.iter();
            versions.map(move |(hash, version)| (name.as_str(), hash.as_str(), version))
        })
        .filter(|(_, _, version)| matches!(version.stage, Stage::Preparing | Stage::Switching))
        .collect();
    memory.underway.retain(|(flow, hash), _| {
        underway
            .iter()
            .any(|(name, version, _)| (name, version) == (&flow.as_str(), &hash.as_str()))
    });
    if underway.is_empty() {
        return false;
    }
    let owners = state.flows.owned().filter_map(|(.., owner)| owner.node);
    let owners: BTreeSet<NodeId> = owners
        .filter(|id| node.state_of(id) != MemberState::Down)
        .collect();
    let told = ask_all(node, owners.into_iter().collect(), Ask::Parts).await;
    let told: Vec<PartStatus> = (told.into_iter())
        .filter_map(|(_, told)| match told {
            Told::Parts(parts) => Some(parts),
            _ => None,
        })
        .flatten()
        .collect();
    for (flow, hash, version) in underway {
        let Some(manifest) = manifests.get(&(flow, hash)) else {
            continue;
        };
        let at = (version.stage, version.share);
        let now = Instant::now();
        let key = (flow.to_owned(), hash.to_owned());
        let seen = memory.underway.entry(key).or_insert(Seen {
            begun: now,
            at,
            since: now,
            running: None,
        });
        if seen.at != at {
            (seen.at, seen.since, seen.running) = (at, now, None);
        }
        let parts = phases(version, &told, flow, hash);
        match parts.iter().all(|(_, phase, _)| *phase == Phase::Running) {
            true => drop(seen.running.get_or_insert(now)),
            false => seen.running = None,
        }
        let all = state.flows.get(flow).map(|flow| &flow.versions);
        let active = all.and_then(|all| all.iter().find(|(_, it)| it.stage == Stage::Active));
        let before = active.map(|(hash, it)| phases(it, &told, flow, hash));
        let before = before.unwrap_or_default().into_iter();
        let it = Underway {
            stage: version.stage,
            share: version.share,
            parts,
            before: before.map(|(_, phase, _)| phase).collect(),
            since: seen.since.elapsed(),
            running: seen.running.map(|since| since.elapsed()),
            patience: Duration::from_secs(manifest.patience),
            took: seen.begun.elapsed(),
        };
        match next(&it) {
            Next::Wait => {}
            Next::Back(why) => back(node, flow, hash, version.stage, &why).await,
            Next::To(to, share) => {
                let command = FlowCommand::Rollout {
                    flow: flow.to_owned(),
                    version: hash.to_owned(),
                    from: version.stage,
                    to,
                    share,
                };
                // (where somebody else was first, the next look decides anew)
                let _ = propose(node, command).await;
                if (to, share) == (Stage::Active, RUNNING) {
                    node.say(&format!("{flow} {hash} is active"));
                }
            }
        }
    }
    true
}

/// Takes parts away from versions that are over, and forgets the oldest of those: one thing a look.
async fn clean(node: &Node, state: &State) {
    for (name, hash, part, owner) in state.flows.owned() {
        let version = state.flows.version(name, hash);
        if owner.node.is_some() && version.is_some_and(|version| !version.stage.runs()) {
            let command = FlowCommand::Assign {
                flow: name.to_owned(),
                version: hash.to_owned(),
                part: part.to_owned(),
                node: None,
                replaces: owner.epoch,
            };
            let _ = propose(node, command).await;
            return;
        }
    }
    for (name, flow) in state
        .flows
        .iter()
        .filter(|(_, flow)| flow.versions.len() > KEPT)
    {
        let is_over = |version: &Version| {
            !version.stage.runs() && version.parts.values().all(|owner| owner.node.is_none())
        };
        let epoch = |version: &Version| version.parts.values().map(|owner| owner.epoch).max();
        let over = flow
            .versions
            .iter()
            .filter(|(hash, version)| is_over(version) && flow.previous.as_ref() != Some(*hash));
        if let Some((hash, _)) = over.min_by_key(|(_, version)| epoch(version)) {
            let command = FlowCommand::RemoveVersion {
                flow: name.clone(),
                version: hash.clone(),
            };
            let _ = propose(node, command).await;
            return;
        }
    }
}
