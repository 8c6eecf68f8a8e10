//! What a version of a flow is made of, as `vgdc deploy` says it to the mesh.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A version of a flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowManifest {
    /// The flow's name.
    pub flow: String,
    /// The mesh that it is for.
    pub mesh: String,
    /// Which vgdc made it.
    pub vgdc: String,
    /// Its parts. No two have one name.
    pub parts: Vec<PartManifest>,
    /// What goes between them.
    pub links: Vec<LinkManifest>,
    /// Seconds until it has to run, else all goes back.
    pub patience: u64,
}

/// A part: one program, which one node runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartManifest {
    /// Its name.
    pub name: String,
    /// The names of the nodes that may run it, the preferred one first.
    pub on: Vec<String>,
    /// At no time may two nodes run it, not even where the network is cut in two and neither knows of the other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    /// Parts that must not run on the same node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<String>,
    /// How many processors it keeps busy, as was predicted.
    pub processors: f64,
    /// Whether it needs Node.js.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub node_js: bool,
    /// By target triple, the name of the program's bundle.
    pub programs: BTreeMap<String, Program>,
    /// The program's options, such as `--port 8080`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The name of its credentials, where it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<String>,
    /// The most memory that it may have, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The names of its nodes, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}

/// A bundle with a program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The bundle's name: the hash of what is in it.
    pub artifact: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// What the mesh's authority says of it: an ed25519 signature, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

/// A link between two parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkManifest {
    /// The link's name.
    pub name: String,
    /// The part that sends.
    pub from: String,
    /// The part that receives.
    pub to: String,
    /// Whether messages are kept on the disk until the receiver has them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
}

impl FlowManifest {
    /// A part.
    pub fn part(&self, name: &str) -> Option<&PartManifest> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The bundles of all parts.
    pub fn artifacts(&self) -> impl Iterator<Item = &str> {
        let programs = self.parts.iter().flat_map(|part| part.programs.values());
        programs.map(|program| program.artifact.as_str())
    }

    /// Its text, of which a signature is made: the same manifest has the same bytes.
    pub fn text(&self) -> String {
        // (there is nothing in it that JSON cannot say but a load that is no number, which is null then)
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A manifest with the signature of the mesh's authority.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignedManifest {
    /// What is signed.
    #[serde(flatten)]
    pub manifest: FlowManifest,
    /// The ed25519 signature of [`FlowManifest::text`], as hexadecimal digits.
    pub signature: String,
}
