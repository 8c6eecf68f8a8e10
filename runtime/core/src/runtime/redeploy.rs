//! What a deployment leaves running, and where.

use super::{DeployType, Deployment, Runtime, RuntimeError, ask, request};
use crate::mailbox::Request;
use std::collections::{HashMap, HashSet};
use vgdc_plan::Plan;
use vgdc_store::Scope;
use vgdc_value::Value;

/// What a deployment would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Nodes that are new, or do not run now.
    pub starts: Vec<String>,
    /// Nodes that run, and would be stopped and started.
    pub restarts: Vec<String>,
    /// Nodes that run, and would be stopped for good.
    pub stops: Vec<String>,
    /// Nodes that would not notice.
    pub keeps: Vec<String>,
    /// Why everything would be restarted, if it would.
    pub everything: Option<&'static str>,
    /// Contexts that would be forgotten, with the names of what is in them.
    pub forgets: Vec<(Scope, Vec<String>)>,
}

pub(super) struct Layout {
    /// For each island of the plan, the running island that goes on as it.
    pub islands: Vec<Option<usize>>,
    pub keep: HashSet<String>,
}

impl Runtime {
    /// What a deployment would do to what runs now.
    ///
    /// # Errors
    /// A damaged plan.
    pub async fn preview(&self, deployment: &Deployment) -> Result<Preview, RuntimeError> {
        let plan = deployment.plan.as_ref().unwrap_or(&self.plan);
        plan.verify()
            .map_err(|e| RuntimeError::new("bad-plan", e.to_string()))?;
        let everything = self.restarts_all(deployment);
        let keep = match everything {
            Some(_) => HashSet::new(),
            None => self.unchanged(plan, deployment.ty).await,
        };
        let keep = self.layout(plan, &keep).keep;
        let mut preview = Preview {
            everything,
            ..Preview::default()
        };
        for op in &plan.ops {
            let list = match (keep.contains(&op.id), self.nodes.contains_key(&op.id)) {
                (true, _) => &mut preview.keeps,
                (false, true) => &mut preview.restarts,
                (false, false) => &mut preview.starts,
            };
            list.push(op.id.clone());
        }
        let now: HashSet<&str> = plan.ops.iter().map(|op| op.id.as_str()).collect();
        let runs = self.plan.ops.iter().map(|op| &op.id);
        let gone = runs.filter(|id| self.nodes.contains_key(*id) && !now.contains(id.as_str()));
        preview.stops = gone.cloned().collect();
        let is_active = active(plan);
        let flows = self.plan.flows.iter();
        let flows = flows.map(|flow| Scope::Flow(flow.id.as_str().into()));
        let nodes = self.plan.ops.iter();
        let nodes = nodes.map(|op| Scope::Node(op.id.as_str().into()));
        for scope in flows.chain(nodes).filter(|scope| !is_active(scope)) {
            let mut keys = Vec::new();
            for store in self.stores.names() {
                // (what cannot be read is told when it is dropped)
                keys.extend(self.stores.keys(&scope, Some(store)).unwrap_or_default());
            }
            if !keys.is_empty() {
                preview.forgets.push((scope, keys));
            }
        }
        Ok(preview)
    }

    /// Why a deployment restarts all nodes, if it does.
    pub(super) fn restarts_all(&self, deployment: &Deployment) -> Option<&'static str> {
        if deployment.ty == DeployType::Full {
            return Some("all flows are deployed");
        }
        if (deployment.env.as_ref()).is_some_and(|env| *env != self.env) {
            return Some("environment variables have changed");
        }
        let settings = deployment.settings.as_ref().is_some_and(|settings| {
            !Value::Object(settings.clone()).same(&Value::Object(self.settings.clone()))
        });
        settings.then_some("settings have changed")
    }

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

/// Whether a scope of contexts is one of a plan's; the global one is all plans'.
pub(super) fn active(plan: &Plan) -> impl Fn(&Scope) -> bool + use<> {
    let nodes: HashSet<String> = plan.ops.iter().map(|op| op.id.clone()).collect();
    let flows: HashSet<String> = plan.flows.iter().map(|flow| flow.id.clone()).collect();
    move |scope| match scope {
        Scope::Global => true,
        Scope::Flow(id) => flows.contains(&**id),
        Scope::Node(id) => nodes.contains(&**id),
    }
}
