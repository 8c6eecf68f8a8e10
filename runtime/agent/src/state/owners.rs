//! Who owns which part: one node, since an epoch. Whoever decides on it names the epoch that he replaces, so that of two who decide
//! at the same time, one is refused.

use super::command::{Refusal, Reply, Why};
use super::flows::{FlowCommand, Ownership};
use super::{Accepted, Event, State};
use crate::id::NodeId;

impl State {
    pub(super) fn change_flows(&mut self, command: &FlowCommand) -> Result<Accepted, Refusal> {
        match command {
            FlowCommand::PutVersion {
                flow,
                version,
                manifest,
            } => self.flows.put(flow, version, manifest),
            FlowCommand::RemoveVersion { flow, version } => {
                self.flows.remove_version(flow, version)
            }
            FlowCommand::Remove { flow } => self.flows.remove(flow),
            FlowCommand::Rollout {
                flow,
                version,
                from,
                to,
                share,
            } => self.flows.roll(flow, version, *from, *to, *share),
            FlowCommand::Assign {
                flow,
                version,
                part,
                node,
                replaces,
            } => self.assign(flow, version, part, node.as_ref(), *replaces),
        }
    }

    fn assign(
        &mut self,
        flow: &str,
        version: &str,
        part: &str,
        node: Option<&NodeId>,
        replaces: u64,
    ) -> Result<Accepted, Refusal> {
        let of = self.flows.of_version(flow, version)?;
        let stage = of.stage;
        let Some(owner) = of.parts.get_mut(part) else {
            return Err(Refusal::new(
                Why::Unknown,
                format!(
                    "version {version} of {flow:?} has no part {part:?}: its manifest names all"
                ),
            ));
        };
        if owner.epoch != replaces {
            return Err(Refusal::new(
                Why::Stale,
                format!(
                    "part {part:?} of {flow:?} {version} is at epoch {}, no longer {replaces}: somebody else has assigned it; look again",
                    owner.epoch
                ),
            ));
        }
        if let Some(node) = node {
            let there = self.nodes.get(node).ok_or_else(|| {
                Refusal::new(
                    Why::Unknown,
                    format!("there is no node {node} in the mesh: admit it first"),
                )
            })?;
            if there.draining {
                return Err(Refusal::new(
                    Why::Conflict,
                    format!(
                        "node {node} ({:?}) is draining: choose another, or undrain it first",
                        there.name
                    ),
                ));
            }
            if !stage.runs() {
                return Err(Refusal::new(
                    Why::Conflict,
                    format!("version {version} of {flow:?} is {stage}: prepare it first"),
                ));
            }
        } else if owner.node.is_none() {
            return Err(Refusal::new(
                Why::Conflict,
                format!("part {part:?} of {flow:?} {version} has no owner already"),
            ));
        }
        self.epoch += 1;
        let epoch = self.epoch;
        *owner = Ownership {
            node: node.cloned(),
            epoch,
        };
        let (flow, version, part) = (flow.to_owned(), version.to_owned(), part.to_owned());
        let event = match node.cloned() {
            Some(node) => Event::PartAssigned {
                flow,
                version,
                part,
                node,
                epoch,
            },
            None => Event::PartReleased {
                flow,
                version,
                part,
                epoch,
            },
        };
        Ok(Accepted::with(Reply::Assigned { epoch }, event))
    }
}
