//! What SQLite says when something is wrong, in words that name the file and a way out.

use crate::StoreError;
use rusqlite::ErrorCode;
use std::path::Path;

/// What SQLite says of a database; `what` it is in a word or two.
pub(crate) fn told(what: &str, file: &Path, error: &rusqlite::Error) -> StoreError {
    let file_name = file.display();
    let code = error.sqlite_error_code();
    StoreError::new(match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            return damaged(what, file, &error.to_string());
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "the {what} '{file_name}' is locked by another program ({error}): end what uses it, or name another `file`"
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => format!(
            "the {what} '{file_name}' cannot be opened for writing ({error}): mind the rights of the file and its folder"
        ),
        Some(ErrorCode::DiskFull) => {
            format!("the {what} '{file_name}' cannot grow: the disk is full ({error})")
        }
        Some(ErrorCode::SystemIoFailure) => format!(
            "the {what} '{file_name}' cannot be read or written: the disk fails, or the file may not grow ({error}): mind the machine's log"
        ),
        _ => format!("the {what} '{file_name}': {error}"),
    })
}

/// Of a database that cannot be read.
pub(crate) fn damaged(what: &str, file: &Path, why: &str) -> StoreError {
    StoreError::new(format!(
        "the {what} '{}' is damaged, or no SQLite database ({why}): nothing in it was changed; put a copy in its place, or move \
         it away, and a new one is made",
        file.display()
    ))
}
