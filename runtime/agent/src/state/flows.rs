//! Flows: their versions, how far each is rolled out, and which node owns which part.

use super::command::{Refusal, Why, named, room};
use super::{Accepted, Event};
use crate::id::NodeId;
use crate::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The most flows of a mesh.
pub const MOST_FLOWS: usize = 1_024;
/// The most versions of a flow that are kept.
pub const MOST_VERSIONS: usize = 32;
/// All manifests together, in bytes: 64 MiB.
pub const MOST_MANIFEST_BYTES: usize = 64 << 20;

/// All flows by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flows(BTreeMap<String, Flow>);

/// A flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its versions, by their hashes.
    pub versions: BTreeMap<String, Version>,
    /// The version that was active before the one that is, to which a rollback leads.
    pub previous: Option<String>,
}

/// A version of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its parts and links.
    pub manifest: Manifest,
    /// How far it is.
    pub stage: Stage,
    /// Its share of the traffic in per cent. The active version has what the other leaves.
    pub share: u8,
    /// Its parts, by their names in the manifest.
    pub parts: BTreeMap<String, Ownership>,
}

/// Whose a part is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The one node that may run it.
    pub node: Option<NodeId>,
    /// Since which epoch. Of a part that was never assigned, 0.
    pub epoch: u64,
}

/// How far a version is rolled out. At most one version of a flow is active, and at most one other is on its way.
///
/// ```text
/// Stored ─▶ Preparing ─▶ Switching ─▶ Active ─▶ Retired        back to Preparing from Retired and RolledBack
///               └────────────┴──────────┴─────▶ RolledBack
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// It is known, and runs nowhere.
    Stored,
    /// Its parts start beside those of the active version.
    Preparing,
    /// It has a share of the traffic.
    Switching,
    /// It has the traffic. The version that was active before is retired.
    Active,
    /// It was active; its parts end when they have drained.
    Retired,
    /// It was given up. If it was active, the version before it is active again, if it is still there.
    RolledBack,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Stored => "stored",
            Stage::Preparing => "preparing",
            Stage::Switching => "switching",
            Stage::Active => "active",
            Stage::Retired => "retired",
            Stage::RolledBack => "rolled back",
        })
    }
}

impl Stage {
    /// Its parts may be given to nodes.
    pub fn runs(self) -> bool {
        matches!(self, Stage::Preparing | Stage::Switching | Stage::Active)
    }

    fn may_become(self, to: Stage) -> bool {
        use Stage::{Active, Preparing, Retired, RolledBack, Stored, Switching};
        matches!(
            (self, to),
            (Stored | Retired | RolledBack, Preparing)
                | (Preparing | Switching, Switching | RolledBack)
                | (Switching, Active)
                | (Active, Retired | RolledBack)
        )
    }
}

/// What can be asked about flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowCommand {
    /// Makes a version known. The same again is no error.
    PutVersion {
        /// The flow's name; a new one makes the flow.
        flow: String,
        /// The version's hash.
        version: String,
        /// Its parts and links.
        manifest: Manifest,
    },
    /// Forgets a version that runs nowhere.
    RemoveVersion {
        /// The flow.
        flow: String,
        /// The version.
        version: String,
    },
    /// Forgets a flow that runs nowhere, with all its versions.
    Remove {
        /// The flow.
        flow: String,
    },
    /// Gives a part to a node, or to none: compare and set. The answer has the new epoch.
    Assign {
        /// The flow.
        flow: String,
        /// The version.
        version: String,
        /// The part.
        part: String,
        /// To whom; to nobody, where the part is to end.
        node: Option<NodeId>,
        /// The epoch of the ownership that this replaces, 0 where there was none. If it is another by now, this is refused as
        /// stale.
        replaces: u64,
    },
    /// Takes a version from one stage to another: compare and set.
    Rollout {
        /// The flow.
        flow: String,
        /// The version.
        version: String,
        /// The stage that it is at. If it is another by now, this is refused as stale.
        from: Stage,
        /// The stage that it gets to.
        to: Stage,
        /// Its share of the traffic in per cent, while it is [`Stage::Switching`].
        share: u8,
    },
}

impl Flows {
    /// A flow.
    pub fn get(&self, flow: &str) -> Option<&Flow> {
        self.0.get(flow)
    }

    /// A version of a flow.
    pub fn version(&self, flow: &str, version: &str) -> Option<&Version> {
        self.0.get(flow)?.versions.get(version)
    }

    /// All flows, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Flow)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a node owns: flow, version, part.
    pub fn owned_by<'a>(
        &'a self,
        node: &'a NodeId,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        self.owned()
            .filter(move |(.., owner)| owner.node.as_ref() == Some(node))
            .map(|(f, v, p, _)| (f, v, p))
    }

    /// All parts that ever had an owner: flow, version, part, ownership.
    pub fn owned(&self) -> impl Iterator<Item = (&str, &str, &str, &Ownership)> {
        self.0.iter().flat_map(|(name, flow)| {
            flow.versions.iter().flat_map(move |(hash, version)| {
                version
                    .parts
                    .iter()
                    .map(move |(part, owner)| (name.as_str(), hash.as_str(), part.as_str(), owner))
            })
        })
    }

    fn of(&mut self, flow: &str) -> Result<&mut Flow, Refusal> {
        self.0.get_mut(flow).ok_or_else(|| no_flow(flow))
    }

    pub(super) fn of_version(
        &mut self,
        flow: &str,
        version: &str,
    ) -> Result<&mut Version, Refusal> {
        let of = self.of(flow)?;
        of.versions.get_mut(version).ok_or_else(|| {
            Refusal::new(
                Why::Unknown,
                format!("flow {flow:?} has no version {version}: put it first"),
            )
        })
    }

    pub(super) fn put(
        &mut self,
        flow: &str,
        version: &str,
        manifest: &Manifest,
    ) -> Result<Accepted, Refusal> {
        named("a flow's name", flow)?;
        named("a version's hash", version)?;
        let parts = manifest
            .parts()
            .map_err(|e| Refusal::new(Why::Invalid, e))?;
        parts
            .iter()
            .try_for_each(|part| named("a part's name", part))?;
        match self.version(flow, version) {
            Some(there) if there.manifest == *manifest => return Ok(Accepted::silent()),
            Some(_) => {
                return Err(Refusal::new(
                    Why::Exists,
                    format!(
                        "version {version} of {flow:?} has another manifest: a version never changes"
                    ),
                ));
            }
            None => {}
        }
        match self.0.get(flow) {
            Some(there) => room(
                "versions of this flow",
                there.versions.len(),
                MOST_VERSIONS,
                "remove one first",
            )?,
            None => room("flows", self.0.len(), MOST_FLOWS, "remove one first")?,
        }
        let bytes: usize = self
            .0
            .values()
            .flat_map(|flow| flow.versions.values())
            .map(|v| v.manifest.len())
            .sum();
        if bytes + manifest.len() > MOST_MANIFEST_BYTES {
            return Err(Refusal::new(
                Why::Limit,
                format!(
                    "the manifests would have more than {MOST_MANIFEST_BYTES} bytes together: remove versions first"
                ),
            ));
        }
        let new = Version {
            manifest: manifest.clone(),
            stage: Stage::Stored,
            share: 0,
            parts: parts
                .into_iter()
                .map(|part| (part, Ownership::default()))
                .collect(),
        };
        self.0
            .entry(flow.to_owned())
            .or_default()
            .versions
            .insert(version.to_owned(), new);
        Ok(Accepted::done(Event::VersionPut {
            flow: flow.to_owned(),
            version: version.to_owned(),
        }))
    }

    pub(super) fn remove_version(
        &mut self,
        flow: &str,
        version: &str,
    ) -> Result<Accepted, Refusal> {
        self.of_version(flow, version)?.idle(flow, version)?;
        let of = self.of(flow)?;
        of.versions.remove(version);
        if of.previous.as_deref() == Some(version) {
            of.previous = None;
        }
        if of.versions.is_empty() {
            self.0.remove(flow);
        }
        Ok(Accepted::done(Event::VersionRemoved {
            flow: flow.to_owned(),
            version: version.to_owned(),
        }))
    }

    pub(super) fn remove(&mut self, flow: &str) -> Result<Accepted, Refusal> {
        let of = self.of(flow)?;
        of.versions
            .iter()
            .try_for_each(|(hash, version)| version.idle(flow, hash))?;
        self.0.remove(flow);
        Ok(Accepted::done(Event::FlowRemoved {
            flow: flow.to_owned(),
        }))
    }

    pub(super) fn roll(
        &mut self,
        flow: &str,
        version: &str,
        from: Stage,
        to: Stage,
        share: u8,
    ) -> Result<Accepted, Refusal> {
        let there = self.of_version(flow, version)?.stage;
        if there != from {
            return Err(Refusal::new(
                Why::Stale,
                format!(
                    "version {version} of {flow:?} is {there}, no longer {from}: somebody else has moved it; look again"
                ),
            ));
        }
        if !from.may_become(to) {
            return Err(Refusal::new(
                Why::Conflict,
                format!("a version that is {from} cannot become {to}"),
            ));
        }
        if share > 100 {
            return Err(Refusal::new(
                Why::Invalid,
                format!("a share of {share} %: it is 0 to 100"),
            ));
        }
        let of = self.of(flow)?;
        let underway = |v: &Version| matches!(v.stage, Stage::Preparing | Stage::Switching);
        if to == Stage::Preparing
            && let Some((other, _)) = of.versions.iter().find(|(_, v)| underway(v))
        {
            return Err(Refusal::new(
                Why::Conflict,
                format!(
                    "version {other} of {flow:?} is on its way: finish it, or roll it back first"
                ),
            ));
        }
        let active = of
            .versions
            .iter()
            .find(|(_, v)| v.stage == Stage::Active)
            .map(|(hash, _)| hash.clone());
        if to == Stage::Active {
            if let Some(before) = active.as_ref().and_then(|hash| of.versions.get_mut(hash)) {
                (before.stage, before.share) = (Stage::Retired, 0);
            }
            of.previous = active;
        } else if from == Stage::Active
            && to == Stage::RolledBack
            && let Some(before) = of
                .previous
                .take()
                .and_then(|hash| of.versions.get_mut(&hash))
            && before.stage == Stage::Retired
        {
            (before.stage, before.share) = (Stage::Active, 100);
        }
        if to == Stage::Preparing && of.previous.as_deref() == Some(version) {
            of.previous = None;
        }
        let share = match to {
            Stage::Switching => share,
            Stage::Active => 100,
            _ => 0,
        };
        let this = self.of_version(flow, version)?;
        (this.stage, this.share) = (to, share);
        Ok(Accepted::done(Event::Rollout {
            flow: flow.to_owned(),
            version: version.to_owned(),
            stage: to,
            share,
        }))
    }
}

impl Version {
    /// Refuses unless it runs nowhere.
    fn idle(&self, flow: &str, version: &str) -> Result<(), Refusal> {
        if self.stage.runs() {
            return Err(Refusal::new(
                Why::Conflict,
                format!(
                    "version {version} of {flow:?} is {}: retire it, or roll it back first",
                    self.stage
                ),
            ));
        }
        match self
            .parts
            .iter()
            .find_map(|(part, owner)| Some((part, owner.node.as_ref()?)))
        {
            Some((part, node)) => Err(Refusal::new(
                Why::Conflict,
                format!(
                    "part {part:?} of {flow:?} {version} is still node {node}'s: release it first"
                ),
            )),
            None => Ok(()),
        }
    }
}

fn no_flow(flow: &str) -> Refusal {
    Refusal::new(
        Why::Unknown,
        format!("there is no flow {flow:?}: put a version of it first"),
    )
}
