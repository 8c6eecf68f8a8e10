//! How the state is written down.
//!
//! **Snapshot** (for replicas): 8 bytes `VGDCMESH`, the format's number (2 bytes, big-endian), the CRC-32 of the rest (4 bytes,
//! big-endian), then the state as CBOR.
//!
//! **Backup** (for people): a line of JSON, `{"vgdc_mesh_backup":1,"revision":…,"bytes":…,"crc32":"…"}`, then as many bytes of
//! indented JSON as it says. Shared values are base64 in it. What only a running mesh needs (who asked what) is left out.

use super::State;
use crate::codec;
use serde::{Deserialize, Serialize};

/// The newest format of snapshots and backups that this version writes and reads.
pub const FORMAT: u16 = 1;
/// The longest backup, in bytes: 192 MiB: what mesh context and manifests can have, in JSON, and more.
pub const LONGEST_BACKUP: u64 = 192 << 20;

const MAGIC: &[u8; 8] = b"VGDCMESH";
const HEADER: usize = MAGIC.len() + 2 + 4;

/// The state as a snapshot.
///
/// # Errors
/// A state that CBOR has no form for, which none is; in words.
pub fn write_snapshot(state: &State) -> Result<Vec<u8>, String> {
    let body = codec::encode(state)?;
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Reads a snapshot.
///
/// # Errors
/// Bytes that are none, are damaged, or are of a newer format; in words.
pub fn read_snapshot(bytes: &[u8]) -> Result<State, String> {
    let Some((header, body)) = bytes.split_at_checked(HEADER) else {
        return Err(format!(
            "a snapshot of {} bytes is none: it was cut off",
            bytes.len()
        ));
    };
    let (magic, rest) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err("this is no snapshot of a mesh: it does not begin as one".into());
    }
    let [a, b, sum @ ..] = rest else {
        return Err("this is no snapshot of a mesh: its header is cut off".into());
    };
    readable(u64::from(u16::from_be_bytes([*a, *b])), "snapshot")?;
    if crc32fast::hash(body).to_be_bytes() != *sum {
        return Err("the snapshot is damaged: its checksum is another".into());
    }
    codec::decode(body).map_err(|e| format!("the snapshot is {e}"))
}

fn readable(format: u64, what: &str) -> Result<(), String> {
    if format == u64::from(FORMAT) {
        return Ok(());
    }
    Err(format!(
        "the {what} is of format {format}, and this version reads format {FORMAT}: use the version that wrote it"
    ))
}

#[derive(Serialize, Deserialize)]
struct Head {
    vgdc_mesh_backup: u64,
    revision: u64,
    bytes: u64,
    crc32: String,
}

/// The state as a backup.
///
/// # Errors
/// A state that JSON has no form for, which none is, or one that is too long; in words.
pub fn write_backup(state: &State) -> Result<Vec<u8>, String> {
    let mut body = serde_json::to_vec_pretty(&Portable::of(state))
        .map_err(|e| format!("cannot be written as JSON: {e}"))?;
    body.push(b'\n');
    let head = Head {
        vgdc_mesh_backup: u64::from(FORMAT),
        revision: state.revision,
        bytes: body.len() as u64,
        crc32: format!("{:08x}", crc32fast::hash(&body)),
    };
    let mut bytes =
        serde_json::to_vec(&head).map_err(|e| format!("cannot be written as JSON: {e}"))?;
    bytes.push(b'\n');
    bytes.append(&mut body);
    if bytes.len() as u64 > LONGEST_BACKUP {
        return Err(format!(
            "a backup of {} bytes: the limit is {LONGEST_BACKUP}",
            bytes.len()
        ));
    }
    Ok(bytes)
}

/// Reads a backup.
///
/// # Errors
/// Bytes that are none, are damaged, are of another format, or say what no mesh could have come to; in words.
pub fn read_backup(bytes: &[u8]) -> Result<State, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => {
            return Err("this is no backup of a mesh: it has no first line that says so".into());
        }
    };
    let head: Head = serde_json::from_slice(head)
        .map_err(|e| format!("this is no backup of a mesh: its first line is not one's ({e})"))?;
    readable(head.vgdc_mesh_backup, "backup")?;
    if body.len() as u64 != head.bytes {
        return Err(format!(
            "the backup is cut off: {} of {} bytes are there",
            body.len(),
            head.bytes
        ));
    }
    let sum = format!("{:08x}", crc32fast::hash(body));
    if sum != head.crc32 {
        return Err(format!(
            "the backup is damaged, or was edited: its checksum is {sum}, and should be {}; whoever edits it writes the new one into \
             the first line",
            head.crc32
        ));
    }
    let state: Portable<'static> =
        serde_json::from_slice(body).map_err(|e| format!("the backup cannot be read: {e}"))?;
    let state = state.into_state();
    state
        .check()
        .map_err(|e| format!("the backup says what cannot be: {e}"))?;
    Ok(state)
}

macro_rules! portable {
    ($($field:ident: $of:ty),*) => {
        /// What of a state outlives the mesh.
        #[derive(Serialize, Deserialize)]
        struct Portable<'a> {
            $($field: std::borrow::Cow<'a, $of>,)*
        }

        impl Portable<'_> {
            fn of(state: &State) -> Portable<'_> {
                Portable { $($field: std::borrow::Cow::Borrowed(&state.$field),)* }
            }

            fn into_state(self) -> State {
                State { $($field: self.$field.into_owned(),)* ..State::default() }
            }
        }
    };
}

portable! {
    revision: u64, epoch: u64, nodes: super::nodes::Nodes, flows: super::flows::Flows, context: super::context::Context,
    tokens: super::tokens::Tokens, audit: super::audit::Audit
}

impl State {
    /// Checks what holds of every state that commands lead to.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn check(&self) -> Result<(), String> {
        use super::flows::Stage;
        let mut epochs = std::collections::BTreeSet::new();
        for (flow, version, part, owner) in self.flows.owned() {
            if owner.epoch > self.epoch {
                return Err(format!(
                    "part {part:?} of {flow:?} {version} has an epoch that was never given"
                ));
            }
            if owner.epoch > 0 && !epochs.insert(owner.epoch) {
                return Err(format!("two parts have the epoch {}", owner.epoch));
            }
            if owner.node.is_some() && owner.epoch == 0 {
                return Err(format!(
                    "part {part:?} of {flow:?} {version} has an owner and no epoch"
                ));
            }
            if let Some(node) = &owner.node
                && !self.nodes.contains_key(node)
            {
                return Err(format!(
                    "part {part:?} of {flow:?} {version} is of node {node}, which is not in the mesh"
                ));
            }
        }
        for (name, flow) in self.flows.iter() {
            let at = |wanted: &[Stage]| {
                flow.versions
                    .values()
                    .filter(|v| wanted.contains(&v.stage))
                    .count()
            };
            if at(&[Stage::Active]) > 1 || at(&[Stage::Preparing, Stage::Switching]) > 1 {
                return Err(format!("flow {name:?} has two versions at one stage"));
            }
            for (hash, version) in &flow.versions {
                let mut named = version.manifest.parts()?;
                named.sort();
                if !named.iter().eq(version.parts.keys()) {
                    return Err(format!(
                        "the parts of {name:?} {hash} are not those of its manifest"
                    ));
                }
            }
        }
        if self.context.bytes() > super::context::MOST_BYTES {
            return Err(format!("mesh context has {} bytes", self.context.bytes()));
        }
        Ok(())
    }
}
