//! The profile: what a program that ran with `--profile` counted and measured, and what the compiler decides by.
//!
//! One JSON object. It names the flow it was taken of by a hash ([`crate::Plan::hash`]), and each node by its id and
//! fingerprint, so that a reader can tell what has changed since.

use crate::Plan;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Version of this format; a reader refuses a profile of another one.
pub const FORMAT: u32 = 1;

/// What a run of a program cost, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Equal to [`FORMAT`]. (The name also says what kind of file this is.)
    #[serde(rename = "vgdc-profile")]
    pub format: u32,
    /// The version of vgdc that ran.
    pub vgdc: String,
    /// The program's name.
    pub program: String,
    /// [`Plan::hash`] of the flow.
    pub flow: String,
    /// How long the flow ran, in seconds.
    pub seconds: f64,
    /// Threads that islands ran on.
    pub workers: usize,
    /// The operators, in the plan's order.
    pub nodes: Vec<Node>,
    /// The wires, in the plan's order.
    pub wires: Vec<Wire>,
    /// Operators that ran as one function.
    pub regions: Vec<Region>,
    /// The islands, in the plan's order.
    pub islands: Vec<Island>,
}

/// An operator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The tab in which it stands, and the subflow instances below that.
    pub flow: String,
    /// Tells a node that has changed since.
    pub fingerprint: String,
    /// Messages handled.
    #[serde(rename = "in")]
    pub received: u64,
    /// Messages sent, for each output (before they are multiplied for its wires).
    #[serde(rename = "out")]
    pub sent: Vec<u64>,
    /// Errors raised.
    pub errors: u64,
    /// Messages that it sent and that were dropped because the queue was full.
    pub dropped: u64,
    /// Most messages that waited for it at one time.
    pub largest_queue: u64,
    /// What machine code did for it.
    pub code: Code,
    /// What the JavaScript engine did for it.
    pub engine: Engine,
    /// Nanoseconds from the beginning of its turns to their ends: what it hands on at once is in it.
    pub total_ns: u64,
    /// The same without what others did meanwhile.
    pub self_ns: u64,
}

/// Calls of machine code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// Calls.
    pub calls: u64,
    /// Calls that bailed out.
    pub bails: u64,
    /// Nanoseconds in it.
    pub ns: u64,
    /// Calls that came by each block that a branch leads to, by the blocks' numbers; only of code that was made with
    /// probes, as `vgdc run --profile` makes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blocks: BTreeMap<u32, u64>,
}

/// Calls of the JavaScript engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// Calls.
    pub calls: u64,
    /// Nanoseconds in it.
    pub ns: u64,
}

/// A wire, a link, or what is left of a junction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wire {
    /// The operator that sends.
    pub from: String,
    /// By which output.
    pub output: u32,
    /// The operator that receives.
    pub to: String,
    /// Messages that were sent along it.
    pub messages: u64,
}

/// Operators that ran as one function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Calls of the function.
    pub calls: u64,
    /// Nanoseconds in it.
    pub ns: u64,
    /// Its operators, the one where messages come in first.
    pub stages: Vec<Stage>,
}

/// An operator of a region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its id.
    pub node: String,
    /// Messages that came as far as here.
    pub reached: u64,
    /// Messages that came no farther and ended well here.
    pub ended: u64,
    /// Messages that bailed out here.
    pub bails: u64,
    /// This operator's share of the region's time.
    pub ns: u64,
}

/// Operators that share a queue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Island {
    /// How many operators it has.
    pub nodes: usize,
    /// Most deliveries that waited in its queue at one time.
    pub largest_queue: u64,
    /// Nanoseconds that its operators took.
    pub ns: u64,
}

/// Why a text is no profile that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileError {
    /// It is of another format version.
    Format(u32),
    /// It is JSON, but not a profile.
    Foreign,
    /// It does not parse.
    Damaged(String),
}

impl std::fmt::Display for ProfileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ProfileError::Format(found) => write!(
                f,
                "this profile has format {found}, this vgdc reads format {FORMAT}: take it again with `vgdc run FLOW --profile` of the same vgdc"
            ),
            ProfileError::Foreign => write!(
                f,
                "this is no profile: `vgdc run FLOW --profile` writes one (into FLOW.profile.json) when it is stopped"
            ),
            ProfileError::Damaged(what) => write!(
                f,
                "the profile is damaged: {what}: take it again with `vgdc run FLOW --profile`"
            ),
        }
    }
}

impl std::error::Error for ProfileError {}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// It is of another version, or damaged, or no profile at all.
    pub fn from_text(text: &str) -> Result<Profile, ProfileError> {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "vgdc-profile")]
            format: Option<u32>,
        }
        let damaged = |e: serde_json::Error| ProfileError::Damaged(e.to_string());
        // (a text that breaks off is damaged, and JSON that is something else is foreign)
        let json: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
        let head = Head::deserialize(&json).map_err(|_| ProfileError::Foreign)?;
        match head.format {
            None => Err(ProfileError::Foreign),
            Some(FORMAT) => serde_json::from_str(text).map_err(damaged),
            Some(other) => Err(ProfileError::Format(other)),
        }
    }

    /// Writes it.
    pub fn to_text(&self) -> String {
        // Cannot fail to be JSON: all keys are texts.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The nanoseconds that all nodes took.
    pub fn total_ns(&self) -> u64 {
        self.nodes.iter().map(|node| node.self_ns).sum()
    }
}

/// The wires of a plan, with what was sent along each: as much as its output sent. `sent` gives that by the operator's id.
pub fn wires(plan: &Plan, sent: &HashMap<&str, &[u64]>) -> Vec<Wire> {
    let mut wires = Vec::new();
    for op in &plan.ops {
        let of_op = sent.get(op.id.as_str()).copied().unwrap_or_default();
        for (output, port) in op.ports.iter().enumerate() {
            for edge in &port.edges {
                wires.push(Wire {
                    from: op.id.clone(),
                    output: output as u32,
                    to: plan.ops[edge.to as usize].id.clone(),
                    messages: of_op.get(output).copied().unwrap_or_default(),
                });
            }
        }
    }
    wires
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let profile = Profile {
            format: FORMAT,
            nodes: vec![Node {
                id: "a".to_owned(),
                sent: vec![1, 2],
                ..Node::default()
            }],
            ..Profile::default()
        };
        assert_eq!(Profile::from_text(&profile.to_text()), Ok(profile));
    }

    #[test]
    fn what_is_no_profile_is_told_apart() {
        let text = Profile {
            format: FORMAT,
            ..Profile::default()
        }
        .to_text();
        let half = &text[..text.len() / 2];
        assert!(matches!(
            Profile::from_text(half),
            Err(ProfileError::Damaged(_))
        ));
        assert_eq!(Profile::from_text("[]"), Err(ProfileError::Foreign));
        assert_eq!(Profile::from_text("{}"), Err(ProfileError::Foreign));
        assert_eq!(
            Profile::from_text("{\"vgdc-profile\": 7}"),
            Err(ProfileError::Format(7))
        );
        let without = "{\"vgdc-profile\": 1, \"nodes\": 5}";
        assert!(matches!(
            Profile::from_text(without),
            Err(ProfileError::Damaged(_))
        ));
    }
}
