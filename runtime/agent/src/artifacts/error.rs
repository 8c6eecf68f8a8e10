//! Why something with an artifact did not work.

use std::fmt;
use std::io;
use std::path::Path;

/// Why not. Each says in words what is wrong and, where there is a way, how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactError {
    /// A file or folder of this host cannot be read or written.
    Io(String),
    /// The disk, the quota or what the store may hold is used up. What was begun has been taken back.
    Full(String),
    /// What should become an artifact cannot be one, or goes over a limit.
    Refused(String),
    /// The store does not have it.
    Missing(String),
    /// Bytes on this host's disk are not those that were stored.
    Damaged(String),
    /// Nobody whom the mesh trusts has signed it.
    Untrusted(String),
    /// The peer sent what it must not: bytes with another hash than their name, a message out of turn.
    Lied(String),
    /// The peer refuses, or does not have it.
    Denied(String),
    /// The connection ended or fell silent. What has arrived is kept: ask again, or ask somebody else.
    Broken(String),
}

impl ArtifactError {
    /// What an error of the operating system means that came while `doing` something with `path`.
    pub(super) fn io(doing: &str, path: &Path, error: &io::Error) -> ArtifactError {
        let text = format!("cannot {doing} {}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => ArtifactError::Full(format!(
                "{text}; make room, or let the store be collected, and try again"
            )),
            _ => ArtifactError::Io(text),
        }
    }
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactError::Io(why) | ArtifactError::Full(why) | ArtifactError::Missing(why) => {
                f.write_str(why)
            }
            ArtifactError::Refused(why) => write!(f, "no artifact: {why}"),
            ArtifactError::Damaged(why) => write!(f, "damaged: {why}"),
            ArtifactError::Untrusted(why) => write!(f, "not trusted: {why}"),
            ArtifactError::Lied(why) => write!(f, "the peer lied: {why}"),
            ArtifactError::Denied(why) => write!(f, "the peer refused: {why}"),
            ArtifactError::Broken(why) => write!(f, "broken off: {why}"),
        }
    }
}

impl std::error::Error for ArtifactError {}
