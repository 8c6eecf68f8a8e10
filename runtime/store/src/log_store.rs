//! A log of entries, named cells and one snapshot in one SQLite file: what a consensus algorithm keeps on the disk.
//!
//! ```text
//! entries(position INTEGER PRIMARY KEY, sum INTEGER, bytes BLOB)     one a log entry, numbered without holes
//! cells(name TEXT PRIMARY KEY, sum INTEGER, bytes BLOB)              a vote, a position, …
//! snapshot(slot INTEGER PRIMARY KEY, sum INTEGER, about BLOB, bytes BLOB)   at most one, in slot 0
//! ```
//!
//! `sum` is the CRC-32 (IEEE 802.3) of the row's bytes: SQLite finds pages that cannot be right, and not a changed byte in a
//! value. The store knows nothing of what the bytes mean. One store at a time may have a file: while it is open, it holds a lock on
//! the empty file beside it (`NAME.lock`), which the system gives back when the process ends, however it ends.
//!
//! [`LogStore::write`] does all that it is given, or nothing. What is [`Durability::Synced`] is on the disk when it returns
//! (write-ahead log, `synchronous = FULL`) and survives the machine's loss of power; what is [`Durability::Relaxed`] survives the
//! death of the process, and is on the disk with the next write that is synced.

use crate::StoreError;
use crate::database::{damaged, told};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The newest form of the tables that this version reads and writes (`PRAGMA user_version`).
const FORM: i64 = 1;

/// What errors call it.
const WHAT: &str = "replicated log";

/// How long to wait for another connection that has the file, for example a copying tool.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest single value, 512 MiB: well below SQLite's own limit of 1 GB for a row.
pub const LONGEST_VALUE: usize = 512 << 20;

/// When a write is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the call returns.
    Synced,
    /// Some time later. Until then a loss of power may take it back; the end of the process does not.
    Relaxed,
}

/// A part of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write<'a> {
    /// Puts an entry at a position; one that is there is replaced.
    Entry {
        /// Its position, at most `i64::MAX`.
        at: u64,
        /// What it says.
        bytes: &'a [u8],
    },
    /// Removes the entries from this position on, itself included.
    TruncateFrom(u64),
    /// Removes the entries up to this position, itself included.
    PurgeTo(u64),
    /// Sets a cell; without bytes, removes it.
    Cell {
        /// Its name.
        name: &'a str,
        /// What it says.
        bytes: Option<&'a [u8]>,
    },
    /// Puts a snapshot in the place of the one that is there.
    Snapshot {
        /// What is said of it, to be read without the whole.
        about: &'a [u8],
        /// The snapshot.
        bytes: &'a [u8],
    },
}

/// A snapshot: what is said of it, and itself.
pub type Snapshot = (Vec<u8>, Vec<u8>);

/// A log, cells and a snapshot in one file. All methods block on the disk, and may be called from any thread; reads do not wait
/// for writes.
pub struct LogStore {
    file: PathBuf,
    writer: Mutex<Writer>,
    reader: Mutex<Connection>,
    /// Held for as long as the store is open.
    _only: std::fs::File,
}

struct Writer {
    database: Connection,
    durability: Durability,
}

impl LogStore {
    /// Opens a file, or makes it; `application` is what its `PRAGMA application_id` says, by which a program knows its own.
    ///
    /// # Errors
    /// A file that cannot be made, is in use, is damaged, is another program's, or is of a newer form. None is changed.
    pub fn open(file: &Path, application: i32) -> Result<LogStore, StoreError> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| {
                StoreError::new(format!(
                    "cannot make the folder of '{}': {e}",
                    file.display()
                ))
            })?;
        }
        let only = only(file)?;
        let database = prepare(file, application)?;
        let failed = |e: rusqlite::Error| told(WHAT, file, &e);
        let reader = Connection::open(file).map_err(failed)?;
        reader.busy_timeout(PATIENCE).map_err(failed)?;
        Ok(LogStore {
            file: file.to_owned(),
            writer: Mutex::new(Writer {
                database,
                durability: Durability::Synced,
            }),
            reader: Mutex::new(reader),
            _only: only,
        })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Does all of it in the order given, or nothing.
    ///
    /// # Errors
    /// A value longer than [`LONGEST_VALUE`], a position past `i64::MAX`, a disk that is full or fails.
    pub fn write(&self, parts: &[Write<'_>], durability: Durability) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let failed = |e: rusqlite::Error| told(WHAT, &self.file, &e);
        if writer.durability != durability {
            let level = match durability {
                Durability::Synced => "full",
                // In WAL mode: no sync at the commit, one before a checkpoint, so that the file is never torn.
                Durability::Relaxed => "normal",
            };
            writer
                .database
                .pragma_update(None, "synchronous", level)
                .map_err(failed)?;
            writer.durability = durability;
        }
        let transaction = writer
            .database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        for part in parts {
            self.write_part(&transaction, part)?;
        }
        transaction.commit().map_err(failed)
    }

    fn write_part(&self, database: &Connection, part: &Write<'_>) -> Result<(), StoreError> {
        let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
            database
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute(values))
                .map_err(|e| told(WHAT, &self.file, &e))
        };
        match *part {
            Write::Entry { at, bytes } => {
                let at = self.position(at)?;
                self.fits(bytes)?;
                run(
                    "INSERT OR REPLACE INTO entries (position, sum, bytes) VALUES (?1, ?2, ?3)",
                    &[&at, &sum(bytes), &bytes],
                )
            }
            Write::TruncateFrom(at) => {
                run("DELETE FROM entries WHERE position >= ?1", &[&self.position(at)?])
            }
            Write::PurgeTo(at) => {
                run("DELETE FROM entries WHERE position <= ?1", &[&self.position(at)?])
            }
            Write::Cell { name, bytes: Some(bytes) } => {
                self.fits(bytes)?;
                run(
                    "INSERT OR REPLACE INTO cells (name, sum, bytes) VALUES (?1, ?2, ?3)",
                    &[&name, &sum(bytes), &bytes],
                )
            }
            Write::Cell { name, bytes: None } => run("DELETE FROM cells WHERE name = ?1", &[&name]),
            Write::Snapshot { about, bytes } => {
                self.fits(bytes)?;
                run(
                    "INSERT OR REPLACE INTO snapshot (slot, sum, about, bytes) VALUES (0, ?1, ?2, ?3)",
                    &[&sum_of(&[about, bytes]), &about, &bytes],
                )
            }
        }
        .map(drop)
    }

    fn position(&self, at: u64) -> Result<i64, StoreError> {
        i64::try_from(at).map_err(|_| {
            StoreError::new(format!(
                "position {at} is past what '{}' can hold",
                self.file.display()
            ))
        })
    }

    fn fits(&self, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() <= LONGEST_VALUE {
            return Ok(());
        }
        Err(StoreError::new(format!(
            "a value of {} bytes is too long for '{}': the limit is {LONGEST_VALUE}",
            bytes.len(),
            self.file.display()
        )))
    }

    /// Entries from `from` up to `to`, itself excluded, in order. It ends early once they hold `bytes` together; the first is
    /// always there, if any is.
    ///
    /// # Errors
    /// A file that cannot be read, or an entry that is not what was written.
    pub fn entries(
        &self,
        from: u64,
        to: u64,
        bytes: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let clamped = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let failed = |e: rusqlite::Error| told(WHAT, &self.file, &e);
        let database = lock(&self.reader);
        let mut statement = database
            .prepare_cached(
                "SELECT position, sum, bytes FROM entries WHERE position >= ?1 AND position < ?2 ORDER BY position",
            )
            .map_err(failed)?;
        let mut rows = statement
            .query((clamped(from), clamped(to)))
            .map_err(failed)?;
        let (mut all, mut size) = (Vec::new(), 0usize);
        while let Some(row) = rows.next().map_err(failed)? {
            let (at, entry) = self.entry(row)?;
            size = size.saturating_add(entry.len());
            if size > bytes && !all.is_empty() {
                break;
            }
            all.push((at, entry));
        }
        Ok(all)
    }

    /// The last entry.
    ///
    /// # Errors
    /// As [`LogStore::entries`].
    pub fn last(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let failed = |e: rusqlite::Error| told(WHAT, &self.file, &e);
        let database = lock(&self.reader);
        let mut statement = database
            .prepare_cached(
                "SELECT position, sum, bytes FROM entries ORDER BY position DESC LIMIT 1",
            )
            .map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        rows.next()
            .map_err(failed)?
            .map(|row| self.entry(row))
            .transpose()
    }

    fn entry(&self, row: &rusqlite::Row<'_>) -> Result<(u64, Vec<u8>), StoreError> {
        let failed = |e: rusqlite::Error| told(WHAT, &self.file, &e);
        let at: i64 = row.get(0).map_err(failed)?;
        let (expected, bytes): (i64, Vec<u8>) =
            (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
        if sum(&bytes) != expected {
            return Err(damaged(
                WHAT,
                &self.file,
                &format!("entry {at} is not what was written"),
            ));
        }
        Ok((at.cast_unsigned(), bytes))
    }

    /// What a cell says.
    ///
    /// # Errors
    /// A file that cannot be read, or a cell that is not what was written.
    pub fn cell(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = lock(&self.reader)
            .prepare_cached("SELECT sum, bytes FROM cells WHERE name = ?1")
            .and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
                };
                statement.query_row([name], read).optional()
            })
            .map_err(|e| told(WHAT, &self.file, &e))?;
        match found {
            Some((expected, bytes)) if sum(&bytes) != expected => Err(damaged(
                WHAT,
                &self.file,
                &format!("the cell {name:?} is not what was written"),
            )),
            found => Ok(found.map(|(_, bytes)| bytes)),
        }
    }

    /// The snapshot: what is said of it, and itself.
    ///
    /// # Errors
    /// A file that cannot be read, or a snapshot that is not what was written.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        let found = lock(&self.reader)
            .prepare_cached("SELECT sum, about, bytes FROM snapshot WHERE slot = 0")
            .and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, Vec<u8>>(1)?,
                        row.get::<_, Vec<u8>>(2)?,
                    ))
                };
                statement.query_row([], read).optional()
            })
            .map_err(|e| told(WHAT, &self.file, &e))?;
        match found {
            Some((expected, about, bytes)) if sum_of(&[&about, &bytes]) != expected => Err(
                damaged(WHAT, &self.file, "the snapshot is not what was written"),
            ),
            found => Ok(found.map(|(_, about, bytes)| (about, bytes))),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // (a transaction that a panic ended has been taken back)
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sum(bytes: &[u8]) -> i64 {
    i64::from(crc32fast::hash(bytes))
}

fn sum_of(parts: &[&[u8]]) -> i64 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    i64::from(hasher.finalize())
}

/// Takes the lock that makes this store the only one of the file.
fn only(file: &Path) -> Result<std::fs::File, StoreError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let failed = |why: &dyn std::fmt::Display| {
        StoreError::new(format!(
            "'{}' cannot be locked ({why}): mind the rights of its folder",
            file.display()
        ))
    };
    let lock = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(|e| failed(&e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::new(format!(
            "'{}' is in use by another program: end it, or name another file",
            file.display()
        ))),
        Err(std::fs::TryLockError::Error(e)) => Err(failed(&e)),
    }
}

/// The connection that writes, with the tables there.
fn prepare(file: &Path, application: i32) -> Result<Connection, StoreError> {
    let failed = |e: rusqlite::Error| told(WHAT, file, &e);
    let mut database = Connection::open(file).map_err(failed)?;
    database.busy_timeout(PATIENCE).map_err(failed)?;
    let number = |pragma: &str| {
        database
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(failed)
    };
    let tables: i64 = database
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
        .map_err(failed)?;
    let (owner, form) = (number("application_id")?, number("user_version")?);
    if tables > 0 && owner != i64::from(application) {
        return Err(StoreError::new(format!(
            "the SQLite database '{}' belongs to another program: name another file",
            file.display()
        )));
    }
    if tables > 0 && form != FORM {
        return Err(StoreError::new(format!(
            "'{}' is of form {form}, and this version reads form {FORM}: use the version that made it, or name another file",
            file.display()
        )));
    }
    let sound: String = database
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if sound != "ok" {
        return Err(damaged(WHAT, file, &sound));
    }
    database
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
        .map_err(failed)?;
    database
        .pragma_update(None, "synchronous", "full")
        .map_err(failed)?;
    if tables == 0 {
        let make = |database: &mut Connection| -> rusqlite::Result<()> {
            let making = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            making.execute_batch(
                "CREATE TABLE entries (position INTEGER PRIMARY KEY, sum INTEGER NOT NULL, bytes BLOB NOT NULL);
                 CREATE TABLE cells (name TEXT PRIMARY KEY, sum INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;
                 CREATE TABLE snapshot (slot INTEGER PRIMARY KEY, sum INTEGER NOT NULL, about BLOB NOT NULL, bytes BLOB NOT NULL);",
            )?;
            making.pragma_update(None, "application_id", application)?;
            making.pragma_update(None, "user_version", FORM)?;
            making.commit()
        };
        make(&mut database).map_err(failed)?;
    }
    Ok(database)
}

#[cfg(test)]
mod tests;
