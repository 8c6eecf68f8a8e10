//! What the state wants of this node, and that it comes about: which parts are there, and what each is to do.

use super::instance::{Goal, Instance, Key};
use super::manifests::manifest_of;
use super::{Node, lock};
use crate::state::State;
use crate::state::flows::{Flow, Stage};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether all is as it should be, besides when something changes.
const ROUND: Duration = Duration::from_secs(1);
/// A part that is about to go elsewhere, and has not gone after so long, stays.
const LEAVING: Duration = Duration::from_secs(30);
/// The share of a version whose predecessor still works on what it has.
pub const DRAINING: u8 = 0;
/// The share of a version that runs.
pub const RUNNING: u8 = 100;

/// What the parts of a version are to do.
pub fn goal(flow: &Flow, version: &str) -> Option<Goal> {
    let of = flow.versions.get(version)?;
    let next = flow
        .versions
        .values()
        .find(|it| it.stage == Stage::Switching);
    match (of.stage, next) {
        (Stage::Preparing, _) => Some(Goal::Held),
        (Stage::Switching, _) => Some(match of.share {
            DRAINING => Goal::Held,
            _ => Goal::Run,
        }),
        (Stage::Active, None) => Some(Goal::Run),
        (Stage::Active, Some(next)) => Some(match next.share {
            DRAINING => Goal::Drain,
            _ => Goal::Stop,
        }),
        (Stage::Stored | Stage::Retired | Stage::RolledBack, _) => None,
    }
}

/// What this node is to run.
fn wanted(node: &Node, state: &State) -> BTreeMap<Key, Goal> {
    let mut wanted = BTreeMap::new();
    for (name, version, part, owner) in state.flows.owned() {
        if owner.node != Some(node.id) {
            continue;
        }
        if let Some(goal) = state.flows.get(name).and_then(|flow| goal(flow, version)) {
            let key = Key {
                flow: name.to_owned(),
                version: version.to_owned(),
                part: part.to_owned(),
                epoch: owner.epoch,
            };
            let leaves = goal == Goal::Run && lock(&node.leaving).contains_key(&key);
            wanted.insert(key, if leaves { Goal::Leave } else { goal });
        }
    }
    wanted
}

/// Keeps the host at it, for ever.
pub async fn keep(node: Arc<Node>) {
    // (processes of an agent before this one whose parts are gone)
    let mut first = true;
    loop {
        let state = node.replica.local();
        // A replica that has not heard of the mesh yet knows nothing of parts: what runs goes on running.
        if state.nodes.contains_key(&node.id) {
            // (who wanted to have it elsewhere may have gone)
            lock(&node.leaving)
                .retain(|key, since| since.elapsed() < LEAVING && node.is_of_epoch(key));
            let wanted = wanted(&node, &state);
            look(&node, &state, &wanted);
            if std::mem::take(&mut first) {
                let names: Vec<String> = wanted.keys().map(Key::instance).collect();
                let node = node.clone();
                tokio::spawn(async move { node.supervisor.stop_all_but(&names).await });
            }
        }
        tokio::select! {
            () = node.woken.notified() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

fn look(node: &Arc<Node>, state: &State, wanted: &BTreeMap<Key, Goal>) {
    let mut instances = lock(&node.instances);
    for (key, it) in instances.iter() {
        let goal = wanted.get(key).copied().unwrap_or(Goal::End);
        it.goal.send_if_modified(|there| {
            let is_other = *there != goal;
            *there = goal;
            is_other
        });
    }
    for (key, goal) in wanted {
        if instances.contains_key(key) {
            continue;
        }
        // Of two epochs of one part, the old one ends before the new one begins: they share a folder.
        let is_same = |other: &Key| {
            (&other.flow, &other.version, &other.part) == (&key.flow, &key.version, &key.part)
        };
        if instances.keys().any(is_same) {
            continue;
        }
        let Some(version) = state.flows.version(&key.flow, &key.version) else {
            continue;
        };
        match manifest_of(node, version) {
            Ok(manifest) => {
                let came_running = *goal != Goal::Held;
                let it = Instance::start(node, key.clone(), manifest, *goal, came_running);
                instances.insert(key.clone(), it);
            }
            Err(why) => node.say(&format!("{} {} is not run: {why}", key.flow, key.version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::state::flows::Version;
    use serde_json::json;

    fn flow(stages: &[(&str, Stage, u8)]) -> Flow {
        let manifest = Manifest::new(&json!({"parts": [{"name": "a"}]})).expect("a manifest");
        let version = |stage: Stage, share: u8| Version {
            manifest: manifest.clone(),
            stage,
            share,
            parts: BTreeMap::new(),
        };
        Flow {
            versions: (stages.iter())
                .map(|(name, stage, share)| ((*name).to_owned(), version(*stage, *share)))
                .collect(),
            previous: None,
        }
    }

    #[test]
    fn the_old_version_drains_and_stops_before_the_new_one_runs() {
        let of = |stages: &[(&str, Stage, u8)]| {
            let flow = flow(stages);
            (goal(&flow, "old"), goal(&flow, "new"))
        };
        let old = ("old", Stage::Active, RUNNING);
        assert_eq!(of(&[old]), (Some(Goal::Run), None));
        assert_eq!(
            of(&[old, ("new", Stage::Preparing, 0)]),
            (Some(Goal::Run), Some(Goal::Held))
        );
        assert_eq!(
            of(&[old, ("new", Stage::Switching, DRAINING)]),
            (Some(Goal::Drain), Some(Goal::Held))
        );
        assert_eq!(
            of(&[old, ("new", Stage::Switching, RUNNING)]),
            (Some(Goal::Stop), Some(Goal::Run))
        );
        assert_eq!(
            of(&[("old", Stage::Retired, 0), ("new", Stage::Active, RUNNING)]),
            (None, Some(Goal::Run))
        );
        assert_eq!(
            of(&[old, ("new", Stage::RolledBack, 0)]),
            (Some(Goal::Run), None)
        );
    }
}
