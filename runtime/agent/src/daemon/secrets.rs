//! The credentials of parts. They go from agent to agent, encrypted as all that does, to those nodes alone that may run the part, and lie
//! there in a folder that only the agent's user can read. In the replicated state, and so in its backups, is only their name.
//!
//! The name is the hash of what is in the file. A salt in it, which only who has the authority's key can make, keeps anybody from trying out
//! passwords by the name; the same credentials get the same salt, so that deploying them again is no other version.

use super::manifests::manifest_of;
use super::peers::{self, Ask, Told};
use super::{Node, config};
use crate::id::NodeId;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;
use vgdc_net::Identity;

/// The longest credentials of a part, as JSON: 1 MiB.
const LONGEST: usize = 1 << 20;
/// The entry with the salt: no node has such an id.
const SALT: &str = "vgdc:salt";
/// A file that no version names is removed when it is so old: before that, its version may be about to be deployed.
const FORGOTTEN: Duration = Duration::from_secs(3_600);

fn is_name(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn name_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn salted(signer: &Identity, mut credentials: Map<String, Json>) -> String {
    let plain = Json::from(credentials.clone()).to_string();
    let signed = signer.sign(format!("vgdc salt 1\0{plain}").as_bytes());
    let salt = blake3::hash(&signed).to_hex().to_string();
    credentials.insert(SALT.to_owned(), json!({ "salt": salt }));
    Json::from(credentials).to_string()
}

impl Node {
    fn secrets_folder(&self) -> PathBuf {
        self.data.join("secrets")
    }

    /// Keeps the credentials of a part that is about to be deployed, and gives their name.
    ///
    /// # Errors
    /// They are too long, or cannot be written.
    pub fn keep_secrets(&self, credentials: Map<String, Json>) -> Result<String, String> {
        let text = salted(self.signer()?, credentials);
        if text.len() > LONGEST {
            return Err(format!(
                "the credentials of a part have {} bytes: the limit is {LONGEST}; give the file on the host by `args = [\"--credentials\", …]`",
                text.len()
            ));
        }
        self.write_secrets(&text)
    }

    fn write_secrets(&self, text: &str) -> Result<String, String> {
        let (folder, name) = (self.secrets_folder(), name_of(text));
        let mut private = std::fs::DirBuilder::new();
        let made = private.recursive(true).mode(0o700).create(&folder);
        made.and_then(|()| config::write_whole(&folder.join(&name), text.as_bytes()))
            .map_err(|e| format!("cannot keep credentials in {}: {e}", folder.display()))?;
        Ok(name)
    }

    /// Whether credentials of this name are here. (Their bytes are checked when they are used.)
    pub fn has_secrets(&self, name: &str) -> bool {
        is_name(name) && self.secrets_folder().join(name).is_file()
    }

    /// What is kept under a name, if it is whole.
    fn read_secrets(&self, name: &str) -> Option<String> {
        if !is_name(name) {
            return None;
        }
        let text = std::fs::read_to_string(self.secrets_folder().join(name)).ok()?;
        (name_of(&text) == name).then_some(text)
    }

    /// The file with credentials, which is fetched from another node where it is not here.
    ///
    /// # Errors
    /// Nobody who answers has it.
    pub async fn secrets(&self, name: &str) -> Result<PathBuf, String> {
        if !is_name(name) {
            return Err("its credentials have no name".to_owned());
        }
        let file = self.secrets_folder().join(name);
        if self.read_secrets(name).is_some() {
            return Ok(file);
        }
        let mut why = "no other node answers".to_owned();
        let question = Ask::Secrets {
            name: name.to_owned(),
        };
        for peer in self.alive().into_iter().filter(|peer| *peer != self.id) {
            match peers::ask(self, &peer, &question).await {
                Ok(Told::Secrets(text)) if name_of(&text) == name => {
                    self.write_secrets(&text)?;
                    return Ok(file);
                }
                Ok(Told::Error(other)) | Err(other) => {
                    why = format!("{}: {other}", self.name_of(&peer));
                }
                Ok(_) => why = format!("{} gave others", self.name_of(&peer)),
            }
        }
        Err(format!(
            "its credentials cannot be had ({why}): deploy the flow again"
        ))
    }

    /// What a node that asks for credentials is told: only one that may run a part with them gets them.
    pub fn tell_secrets(&self, name: &str, whom: &NodeId) -> Told {
        let state = self.replica.local();
        let asks = state.nodes.get(whom).map(|node| node.name.as_str());
        let versions = state
            .flows
            .iter()
            .flat_map(|(_, flow)| flow.versions.values());
        let manifests = versions.filter_map(|version| manifest_of(self, version).ok());
        let may = asks.is_some_and(|asks| {
            manifests.into_iter().any(|manifest| {
                let mut parts = manifest.parts.iter();
                parts.any(|part| {
                    part.secrets.as_deref() == Some(name) && part.on.iter().any(|on| on == asks)
                })
            })
        });
        match may.then(|| self.read_secrets(name)) {
            Some(Some(text)) => Told::Secrets(text),
            Some(None) => Told::Error("it does not have them".to_owned()),
            None => Told::Error("no part with them is to run there".to_owned()),
        }
    }

    /// Removes what no version needs any more.
    ///
    /// # Errors
    /// The folder cannot be read, or a file cannot be removed.
    pub fn forget_secrets(&self, kept: &BTreeSet<String>) -> std::io::Result<()> {
        let there = match std::fs::read_dir(self.secrets_folder()) {
            Ok(there) => there,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for file in there {
            let file = file?;
            let is_kept = file
                .file_name()
                .to_str()
                .is_some_and(|name| kept.contains(name));
            let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
            if !is_kept && age > FORGOTTEN {
                std::fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_nothing_without_the_key_and_stays_the_same_with_it() {
        let credentials = || Map::from_iter([("b".to_owned(), json!({"password": "1234"}))]);
        let (one, other) = (Identity::generate(), Identity::generate());
        let text = salted(&one, credentials());
        assert_eq!(salted(&one, credentials()), text);
        assert_ne!(name_of(&salted(&other, credentials())), name_of(&text));
        let read: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["b"]["password"], "1234");
        assert!(is_name(&name_of(&text)) && !is_name("../authority.key") && !is_name(""));
    }
}
