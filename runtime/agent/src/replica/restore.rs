//! Takes backups of the control state, and puts them back.

use super::{ProposeError, ReadError, Replica};
use crate::id::Blob;
use crate::raft;
use crate::state::restore::{LONGEST_PIECE, RestoreCommand};
use crate::state::{Command, Reply, format};
use bytes::Bytes;
use std::fmt;

/// Why a backup was not taken or put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreError {
    /// The state could not be read for certain.
    Unread(ReadError),
    /// The backup is none, is damaged, or says what cannot be; in words.
    Backup(String),
    /// The group refuses it, or could not be reached; nothing was changed unless it says so.
    Proposal(ProposeError),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Unread(why) => why.fmt(f),
            RestoreError::Backup(why) => f.write_str(why),
            RestoreError::Proposal(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

impl Replica {
    /// The whole control state, with all that was acknowledged, in the form of [`format`](mod@format).
    ///
    /// # Errors
    /// No majority could be reached; a state that is too long.
    pub async fn backup(&self) -> Result<Vec<u8>, RestoreError> {
        let state = self.certain().await.map_err(RestoreError::Unread)?;
        let written = raft::blocking(move || format::write_backup(&state)).await;
        written.map_err(|e| RestoreError::Backup(e.0))
    }

    /// Puts a backup in the place of the control state, as a whole or not at all. `force` lets it take the place of flows, shared
    /// values and tokens that are there. Nodes that are in the mesh stay.
    ///
    /// # Errors
    /// A backup that is none or damaged, a mesh that is not empty, no majority.
    pub async fn restore(
        &self,
        by: &str,
        backup: &[u8],
        force: bool,
    ) -> Result<Reply, RestoreError> {
        let backup = Bytes::copy_from_slice(backup);
        let checked = backup.clone();
        // (so that a bad one costs the group nothing)
        let read = raft::blocking(move || format::read_backup(&checked).map(drop)).await;
        read.map_err(|e| RestoreError::Backup(e.0))?;
        let id = format!("{}/{:08x}", self.id(), crc32fast::hash(&backup));
        let ask = async |command| {
            let asked = self.propose(by, Command::Restore(command)).await;
            asked.map_err(RestoreError::Proposal)
        };
        ask(RestoreCommand::Begin {
            id: id.clone(),
            bytes: backup.len() as u64,
            force,
        })
        .await?;
        let mut offset = 0;
        while offset < backup.len() {
            let end = (offset + LONGEST_PIECE).min(backup.len());
            let piece = Blob(backup.slice(offset..end));
            ask(RestoreCommand::Piece {
                id: id.clone(),
                offset: offset as u64,
                bytes: piece,
            })
            .await?;
            offset = end;
        }
        ask(RestoreCommand::Finish { id }).await
    }
}
