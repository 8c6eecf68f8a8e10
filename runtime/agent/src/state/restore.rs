//! Puts a backup in the place of the state. A backup is longer than one entry of the log may be, so it comes in pieces, and takes
//! its place with one last command, as a whole or not at all.

use super::command::{Refusal, Why, named};
use super::format::{self, LONGEST_BACKUP};
use super::{Accepted, Event, State};
use crate::id::Blob;
use serde::{Deserialize, Serialize};

/// The longest piece, in bytes: 256 KiB.
pub const LONGEST_PIECE: usize = 256 << 10;

/// What can be asked about restoring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestoreCommand {
    /// Begins; what was begun before and not finished is forgotten.
    Begin {
        /// What this attempt is called, so that two at a time do not mix.
        id: String,
        /// How long the backup is, in bytes.
        bytes: u64,
        /// Whether it may take the place of flows, shared values and tokens that are there.
        force: bool,
    },
    /// The next piece.
    Piece {
        /// The attempt.
        id: String,
        /// Where in the backup it begins.
        offset: u64,
        /// At most [`LONGEST_PIECE`] bytes.
        bytes: Blob,
    },
    /// Puts it in the place of the state.
    Finish {
        /// The attempt.
        id: String,
    },
}

/// What of a backup has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Restoring {
    id: String,
    bytes: u64,
    force: bool,
    arrived: u64,
    pieces: Vec<Blob>,
}

impl State {
    pub(super) fn restore(&mut self, command: &RestoreCommand) -> Result<Accepted, Refusal> {
        match command {
            RestoreCommand::Begin { id, bytes, force } => {
                named("the id of an attempt", id)?;
                if *bytes > LONGEST_BACKUP {
                    return Err(Refusal::new(
                        Why::Limit,
                        format!("a backup of {bytes} bytes: the limit is {LONGEST_BACKUP}"),
                    ));
                }
                self.replaceable(*force)?;
                self.restoring = Some(Restoring {
                    id: id.clone(),
                    bytes: *bytes,
                    force: *force,
                    arrived: 0,
                    pieces: Vec::new(),
                });
                Ok(Accepted::silent())
            }
            RestoreCommand::Piece { id, offset, bytes } => {
                let of = self.attempt(id)?;
                let end = of.arrived + bytes.len() as u64;
                if *offset != of.arrived || bytes.len() > LONGEST_PIECE || end > of.bytes {
                    return Err(Refusal::new(
                        Why::Invalid,
                        format!(
                            "a piece of {} bytes at {offset} does not fit: {} of {} bytes have arrived, and a piece has at most {LONGEST_PIECE}",
                            bytes.len(),
                            of.arrived,
                            of.bytes
                        ),
                    ));
                }
                of.pieces.push(bytes.clone());
                of.arrived = end;
                Ok(Accepted::silent())
            }
            RestoreCommand::Finish { id } => {
                let of = self.attempt(id)?;
                if of.arrived < of.bytes {
                    return Err(Refusal::new(
                        Why::Invalid,
                        format!(
                            "only {} of {} bytes of the backup have arrived",
                            of.arrived, of.bytes
                        ),
                    ));
                }
                let (force, bytes) = (of.force, of.bytes);
                let whole: Vec<u8> = of
                    .pieces
                    .iter()
                    .flat_map(|piece| piece.0.iter().copied())
                    .collect();
                let restored =
                    format::read_backup(&whole).map_err(|e| Refusal::new(Why::Invalid, e))?;
                // (somebody may have put something there since it began)
                self.replaceable(force)?;
                self.replace(restored);
                Ok(Accepted::done(Event::Restored { bytes }))
            }
        }
    }

    fn attempt(&mut self, id: &str) -> Result<&mut Restoring, Refusal> {
        match &mut self.restoring {
            Some(of) if of.id == id => Ok(of),
            _ => Err(Refusal::new(
                Why::Stale,
                format!("attempt {id:?} was never begun, or another was begun since: begin again"),
            )),
        }
    }

    fn replaceable(&self, force: bool) -> Result<(), Refusal> {
        if force || self.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            Why::Conflict,
            "the mesh is not empty: it has flows, shared values or tokens, which the backup would take the place of; say that it may, \
             or restore into a new mesh",
        ))
    }

    /// Nodes that are here stay as they are; those of the backup come to them, since its parts are theirs. Revision and epoch go
    /// on from the greater, so that whoever acts for an old epoch stays fenced off.
    fn replace(&mut self, restored: State) {
        let here = std::mem::take(&mut self.nodes);
        let sessions = std::mem::take(&mut self.sessions);
        let audit = std::mem::take(&mut self.audit);
        let (revision, epoch) = (
            self.revision.max(restored.revision),
            self.epoch.max(restored.epoch),
        );
        *self = State {
            revision,
            epoch,
            sessions,
            restoring: None,
            ..restored
        };
        self.audit.merge(audit);
        for (id, node) in here {
            // (two machines may not have one name: the one of the backup, which is not here, gets its id behind it)
            for (other, known) in &mut self.nodes {
                if *other != id && known.name == node.name {
                    let short: String = other.to_string().chars().take(16).collect();
                    let room = crate::id::LONGEST_NAME - 17;
                    let cut = (0..=room.min(known.name.len()))
                        .rev()
                        .find(|at| known.name.is_char_boundary(*at));
                    known.name.truncate(cut.unwrap_or(0));
                    known.name = format!("{}~{short}", known.name);
                }
            }
            self.nodes.insert(id, node);
        }
    }
}
