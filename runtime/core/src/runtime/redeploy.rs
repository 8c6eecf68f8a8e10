//! What a deployment leaves running, and where.

use super::{DeployType, Runtime, ask, request};
use crate::mailbox::Request;
use std::collections::{HashMap, HashSet};
use vgdc_plan::Plan;

pub(super) struct Layout {
    /// For each island of the plan, the running island that goes on as it.
    pub islands: Vec<Option<usize>>,
    pub keep: HashSet<String>,
}

impl Runtime {
    /// The nodes that a partial deploy leaves running.
    pub(super) async fn unchanged(&self, plan: &Plan, ty: DeployType) -> HashSet<String> {
        let mut running: HashMap<String, String> = HashMap::new();
        for island in &self.islands {
            running.extend(
                ask(&island.mailbox, |island| island.fingerprints())
                    .await
                    .unwrap_or_default(),
            );
        }
        let same = |op: &vgdc_plan::Op| running.get(&op.id) == Some(&op.fingerprint);
        let mut keep: HashSet<&str> = plan
            .ops
            .iter()
            .filter(|op| same(op))
            .map(|op| op.id.as_str())
            .collect();
        if ty == DeployType::Flows {
            let before: HashMap<&str, &vgdc_plan::Op> = self
                .plan
                .ops
                .iter()
                .map(|op| (op.id.as_str(), op))
                .collect();
            let now: HashSet<&str> = plan.ops.iter().map(|op| op.id.as_str()).collect();
            let rewired = |op: &vgdc_plan::Op| {
                before
                    .get(op.id.as_str())
                    .is_none_or(|old| old.wires != op.wires)
            };
            let touched = plan
                .ops
                .iter()
                .filter(|op| !keep.contains(op.id.as_str()) || rewired(op));
            let gone = self
                .plan
                .ops
                .iter()
                .filter(|op| !now.contains(op.id.as_str()));
            let flows: HashSet<Option<&str>> = touched
                .chain(gone)
                .map(|op| op.z.as_deref())
                .filter(Option::is_some)
                .collect();
            keep.retain(|id| {
                before
                    .get(id)
                    .is_none_or(|op| !flows.contains(&op.z.as_deref()))
            });
        }
        // A node whose configuration node restarts must restart: it holds what that offered.
        loop {
            let stale: Vec<&str> = plan
                .ops
                .iter()
                .filter(|op| keep.contains(op.id.as_str()))
                .filter(|op| {
                    op.configs
                        .iter()
                        .any(|&config| !keep.contains(plan.ops[config as usize].id.as_str()))
                })
                .map(|op| op.id.as_str())
                .collect();
            if stale.is_empty() {
                break;
            }
            for id in stale {
                keep.remove(id);
            }
        }
        keep.into_iter().map(str::to_owned).collect()
    }

    /// Which running island goes on as which of the new plan's. Processes cannot leave their thread: a node that would
    /// have to is restarted.
    pub(super) fn layout(&self, plan: &Plan, keep: &HashSet<String>) -> Layout {
        let mut taken = HashSet::new();
        let mut layout = Layout {
            islands: Vec::new(),
            keep: HashSet::new(),
        };
        for ops in &plan.islands {
            let kept: Vec<&String> = ops
                .iter()
                .map(|&op| &plan.ops[op as usize].id)
                .filter(|id| keep.contains(*id))
                .collect();
            let mut votes: HashMap<usize, usize> = HashMap::new();
            for id in &kept {
                if let Some((island, _)) = self.nodes.get(*id)
                    && !taken.contains(island)
                {
                    *votes.entry(*island).or_default() += 1;
                }
            }
            let best = votes
                .into_iter()
                .max_by_key(|&(island, votes)| (votes, std::cmp::Reverse(island)))
                .map(|(island, _)| island);
            if let Some(best) = best {
                taken.insert(best);
                let stays = |id: &&&String| {
                    self.nodes
                        .get(**id)
                        .is_some_and(|(island, _)| *island == best)
                };
                layout
                    .keep
                    .extend(kept.iter().filter(stays).map(|id| (*id).clone()));
            }
            layout.islands.push(best);
        }
        layout
    }

    pub(super) async fn stop_all_but(&mut self, keep: &HashSet<String>, plan: &Plan) {
        let now: HashSet<&str> = plan.ops.iter().map(|op| op.id.as_str()).collect();
        let mut replies = Vec::new();
        for island in &self.islands {
            let ids: Vec<String> = island
                .ids
                .iter()
                .filter(|id| !keep.contains(*id))
                .cloned()
                .collect();
            let removed = ids
                .iter()
                .filter(|id| !now.contains(id.as_str()))
                .cloned()
                .collect();
            replies.push(request(&island.mailbox, |reply| Request::Stop {
                ids: Some(ids),
                removed,
                reply,
            }));
        }
        for reply in replies {
            let _ = reply.await;
        }
    }
}
