//! What a node is told when it starts, and what it remembers of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The label that says what a node's programs are compiled for.
pub const TARGET: &str = "vgdc/target";
/// The label of nodes that have Node.js.
pub const NODE_JS: &str = "vgdc/node-js";
/// The label that says the agent's version.
pub const VERSION: &str = "vgdc/version";
/// The label of a node whose agent was stopped, and is probably about to be started again.
pub const AWAY: &str = "vgdc/away";
/// What labels of the agent's own begin with.
pub const OWN: &str = "vgdc/";
/// What is listened at where nothing else is said.
pub const LISTEN: &str = "tcp://0.0.0.0:7400";

/// How a node comes into its mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coming {
    /// It makes a mesh of this name.
    Found(String),
    /// It joins by a token.
    Join(String),
    /// It belongs to one already.
    Return,
}

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Where it keeps all that outlives it.
    pub data: PathBuf,
    /// The folder of its sockets; their names must not be longer than 100 bytes.
    pub sockets: PathBuf,
    /// How it comes in.
    pub coming: Coming,
    /// What else it is told; what is not said stays as it was.
    pub told: Told,
    /// Where metrics are answered.
    pub metrics: Option<SocketAddr>,
    /// How long a node that is down is waited for before its parts go elsewhere.
    pub failover_after: Duration,
}

/// What a node may be told anew at each start.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Its name.
    pub name: Option<String>,
    /// Where it listens.
    pub listen: Vec<String>,
    /// Where others are.
    pub peers: Vec<String>,
    /// Its labels: `key=value` or `key`.
    pub labels: Option<Vec<String>>,
    /// Processors that flows may use.
    pub processors: Option<f64>,
    /// Whether others on the subnet are looked for.
    pub mdns: Option<bool>,
}

/// What a node remembers: `node.json` in its folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Remembered {
    /// The mesh's name.
    pub mesh: String,
    /// The public key of its authority, in hexadecimal digits.
    pub authority: String,
    /// The node's name.
    pub name: String,
    /// Where it listens.
    pub listen: Vec<String>,
    /// Where others are: addresses that were told.
    pub peers: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Processors that flows may use.
    pub processors: f64,
    /// Whether others on the subnet are looked for.
    pub mdns: bool,
    /// Nodes that were there when it joined, by their keys: it admits them as long as it has no state of its own.
    pub contacts: BTreeMap<String, Vec<String>>,
    /// Whether it is known to belong to the group: where not, it asks again.
    pub joined: bool,
    /// Which of its lives this is: the milliseconds since 1970, and more than the last one had, whatever the clock says.
    #[serde(default)]
    pub incarnation: u64,
}

impl Remembered {
    fn file(data: &Path) -> PathBuf {
        data.join("node.json")
    }

    /// What is remembered, if anything.
    ///
    /// # Errors
    /// A file that cannot be read, or is damaged.
    pub fn load(data: &Path) -> Result<Option<Remembered>, String> {
        let file = Remembered::file(data);
        match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
                format!(
                    "{} is damaged: {e}\n  restore it from a backup, or move the folder away and join anew",
                    file.display()
                )
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("cannot read {}: {e}", file.display())),
        }
    }

    /// Remembers it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, data: &Path) -> Result<(), String> {
        let file = Remembered::file(data);
        let text = serde_json::to_vec_pretty(self).map_err(|e| e.to_string())?;
        write_whole(&file, &text).map_err(|e| format!("cannot write {}: {e}", file.display()))
    }

    /// Takes over what was told.
    ///
    /// # Errors
    /// A label that is none, or a load that is no number of processors.
    pub fn told(&mut self, told: &Told) -> Result<(), String> {
        if let Some(name) = &told.name {
            self.name.clone_from(name);
        }
        if !told.listen.is_empty() {
            self.listen.clone_from(&told.listen);
        }
        if !told.peers.is_empty() {
            self.peers.clone_from(&told.peers);
        }
        if let Some(mdns) = told.mdns {
            self.mdns = mdns;
        }
        if let Some(processors) = told.processors {
            if !(processors > 0.0 && processors <= 4_096.0) {
                return Err(format!(
                    "--capacity {processors}: a number of processors, above 0 and up to 4096"
                ));
            }
            self.processors = processors;
        }
        if let Some(labels) = &told.labels {
            self.labels = BTreeMap::new();
            for label in labels {
                let (key, value) = label.split_once('=').unwrap_or((label, "true"));
                if key.is_empty() || value.is_empty() || key.starts_with(OWN) {
                    return Err(format!(
                        "--label {label}: write KEY or KEY=VALUE; keys that begin with {OWN} are the agent's own"
                    ));
                }
                self.labels.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }

    /// The labels with those of the agent's own.
    pub fn all_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert(TARGET.to_owned(), vgdc_door::target());
        labels.insert(VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        if has_node_js() {
            labels.insert(NODE_JS.to_owned(), "true".to_owned());
        }
        labels
    }
}

/// Whether there is a `node` among the commands.
fn has_node_js() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("node").is_file())
}

/// Writes a file beside its place and puts it there: whoever reads finds the old one or the new one.
///
/// # Errors
/// It cannot be written; what was there is as it was.
pub fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let part = file.with_extension("part");
    let mut out = std::fs::File::create(&part)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    std::fs::rename(&part, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_replaces_what_was_remembered() {
        let mut remembered = Remembered {
            mesh: "plant".into(),
            authority: String::new(),
            name: "a".into(),
            listen: vec![LISTEN.into()],
            peers: Vec::new(),
            labels: BTreeMap::new(),
            processors: 1.0,
            mdns: true,
            contacts: BTreeMap::new(),
            joined: false,
            incarnation: 0,
        };
        let told = Told {
            labels: Some(vec!["gpio".into(), "site=north".into()]),
            processors: Some(0.5),
            ..Told::default()
        };
        remembered.told(&told).expect("it is fine");
        assert_eq!(
            remembered.labels.get("gpio").map(String::as_str),
            Some("true")
        );
        assert_eq!(
            remembered.labels.get("site").map(String::as_str),
            Some("north")
        );
        assert_eq!(
            (remembered.processors, remembered.name.as_str()),
            (0.5, "a")
        );
        for wrong in ["=x", "x=", "vgdc/target=z80"] {
            let told = Told {
                labels: Some(vec![wrong.into()]),
                ..Told::default()
            };
            assert!(remembered.told(&told).is_err(), "{wrong}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        assert!(
            Remembered::load(folder.path())
                .expect("nothing there")
                .is_none()
        );
        remembered.save(folder.path()).expect("saved");
        let again = Remembered::load(folder.path())
            .expect("read")
            .expect("there");
        assert_eq!(again.labels, remembered.labels);
        std::fs::write(folder.path().join("node.json"), "{").expect("written");
        assert!(Remembered::load(folder.path()).is_err_and(|e| e.contains("damaged")));
    }
}
