//! An artifact: a copy of the runner with a plan appended.
//!
//! Layout: the runner's bytes, the plan as JSON, the plan's length as a little-endian `u64`, then [`MAGIC`]. An executable
//! file may have anything behind its last segment, so the loader does not mind.

use crate::{Plan, PlanError};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The last eight bytes of an artifact.
pub const MAGIC: &[u8; 8] = b"VGDCART1";

/// The bytes of an artifact.
pub fn attach(runner: &[u8], plan: &Plan) -> Vec<u8> {
    let plan = plan.to_bytes();
    let mut bytes = Vec::with_capacity(runner.len() + plan.len() + 16);
    bytes.extend_from_slice(runner);
    bytes.extend_from_slice(&plan);
    bytes.extend_from_slice(&(plan.len() as u64).to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    bytes
}

/// The plan in a file; `None` when the file is no artifact (a bare runner).
///
/// # Errors
/// The file cannot be read, or its plan is damaged.
pub fn read(path: &Path) -> Result<Option<Plan>, PlanError> {
    let damaged = |e: std::io::Error| PlanError::Damaged(format!("{}: {e}", path.display()));
    let mut file = std::fs::File::open(path).map_err(damaged)?;
    let size = file.seek(SeekFrom::End(0)).map_err(damaged)?;
    if size < 16 {
        return Ok(None);
    }
    let mut tail = [0; 16];
    file.seek(SeekFrom::Start(size - 16)).map_err(damaged)?;
    file.read_exact(&mut tail).map_err(damaged)?;
    let (length, magic) = tail.split_at(8);
    if magic != MAGIC {
        return Ok(None);
    }
    let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
    let start = (size - 16).checked_sub(length);
    let start =
        start.ok_or_else(|| PlanError::Damaged(format!("{} is cut short", path.display())))?;
    let mut plan = vec![0; length as usize];
    file.seek(SeekFrom::Start(start)).map_err(damaged)?;
    file.read_exact(&mut plan).map_err(damaged)?;
    Plan::from_bytes(&plan).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_attached_is_read() {
        let dir = std::env::temp_dir().join(format!("vgdc-artifact-{}", std::process::id()));
        let plan = Plan {
            format: crate::FORMAT,
            env: vec![Default::default()],
            ..Default::default()
        };
        std::fs::write(&dir, attach(b"runner", &plan)).expect("writes");
        assert_eq!(read(&dir), Ok(Some(plan)));
        std::fs::write(&dir, b"a bare runner, longer than a tail").expect("writes");
        assert_eq!(read(&dir), Ok(None));
        std::fs::remove_file(&dir).expect("removes");
    }
}
