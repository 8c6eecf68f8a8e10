//! A journal: records appended at the end and taken away at the beginning, in one SQLite database.
//!
//! ```text
//! journal(position INTEGER PRIMARY KEY, record BLOB)      positions have no gaps
//! mark(name TEXT PRIMARY KEY, value BLOB)                 what its owner notes beside; `next`: the position of the next record
//! ```
//!
//! Write-ahead logging with `synchronous = FULL`: what [`Journal::append`] has returned from is on the disk, whatever happens
//! to the program or the machine (as far as the disk keeps its word). A transaction costs a wait for the disk, however many
//! records it has, so append many at once. A journal has one owner: a second one is refused.

use crate::StoreError;
use crate::database::{damaged, told};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `PRAGMA application_id` says of our journals: "vgdj".
const APPLICATION: i64 = 0x7667_646a;
/// What `PRAGMA user_version` says: the form of the tables.
const FORM: i64 = 1;
/// How long to wait for another program that has the database.
const PATIENCE: Duration = Duration::from_secs(2);
const WHAT: &str = "journal";
/// The mark that says the position of the next record.
const NEXT: &str = "next";

/// Where a journal is and how large it may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// The database.
    pub file: PathBuf,
    /// How many records it holds at most.
    pub max_records: u64,
    /// How many bytes its records have at most together. (The file is larger, by some bytes a record and what is not used.)
    pub max_bytes: u64,
}

impl JournalConfig {
    /// A journal in this file: a million records, a gibibyte.
    pub fn new(file: impl Into<PathBuf>) -> JournalConfig {
        JournalConfig {
            file: file.into(),
            max_records: 1_000_000,
            max_bytes: 1 << 30,
        }
    }
}

/// Why records were not appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalError {
    /// They would not be within the limits. Nothing was appended.
    Full(StoreError),
    /// The database cannot be written. Nothing was appended.
    Failed(StoreError),
}

impl std::fmt::Display for JournalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (JournalError::Full(error) | JournalError::Failed(error)) = self;
        error.fmt(f)
    }
}

impl std::error::Error for JournalError {}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> StoreError {
        let (JournalError::Full(error) | JournalError::Failed(error)) = error;
        error
    }
}

/// A journal that is open.
pub struct Journal {
    config: JournalConfig,
    database: Connection,
    /// The positions of the first record and of the one that will be next.
    first: u64,
    next: u64,
    bytes: u64,
}

impl Journal {
    /// Opens the journal, or makes it (and its folder).
    ///
    /// # Errors
    /// A file that cannot be made, has an owner, is damaged, or is something else.
    pub fn open(config: JournalConfig) -> Result<Journal, StoreError> {
        let file = &config.file;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| {
                StoreError::new(format!(
                    "cannot make the folder of the journal '{}': {e}",
                    file.display()
                ))
            })?;
        }
        let database = prepared(file).map_err(|e| told(WHAT, file, &e))??;
        let sound: String = database
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|e| told(WHAT, file, &e))?;
        if sound != "ok" {
            return Err(damaged(WHAT, file, &sound));
        }
        let (first, count, bytes) = database
            .query_row(
                "SELECT min(position), count(*), coalesce(sum(length(record)), 0) FROM journal",
                [],
                |row| {
                    Ok((
                        row.get::<_, Option<i64>>(0)?,
                        row.get::<_, i64>(1)?,
                        row.get::<_, i64>(2)?,
                    ))
                },
            )
            .map_err(|e| told(WHAT, file, &e))?;
        let mut journal = Journal {
            first: 0,
            next: 0,
            bytes: unsigned(bytes),
            database,
            config,
        };
        journal.next = match journal.mark(NEXT)?.as_deref().map(<[u8; 8]>::try_from) {
            Some(Ok(next)) => u64::from_le_bytes(next),
            _ => {
                return Err(damaged(
                    WHAT,
                    &journal.config.file,
                    "it does not say where it ends",
                ));
            }
        };
        journal.first = first.map_or(journal.next, unsigned);
        if journal.first.checked_add(unsigned(count)) != Some(journal.next) {
            return Err(damaged(
                WHAT,
                &journal.config.file,
                "records are missing in it",
            ));
        }
        Ok(journal)
    }

    /// The position of the first record; where there is none, of the next one.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The position that the next record gets.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// How many bytes its records have together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.config.file
    }

    /// Appends records, all or none; gives the position of the first. When it returns they are on the disk.
    ///
    /// # Errors
    /// They are too many; the database cannot be written.
    pub fn append<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<u64, JournalError> {
        let more: u64 = records
            .iter()
            .map(|record| record.as_ref().len() as u64)
            .sum();
        let count = self.next - self.first + records.len() as u64;
        let (max_records, max_bytes) = (self.config.max_records, self.config.max_bytes);
        if count > max_records || self.bytes + more > max_bytes {
            return Err(JournalError::Full(StoreError::new(format!(
                "the journal '{}' is full: it may hold {max_records} records and {max_bytes} bytes, and would hold {count} and {}; \
                 wait until some are taken out, or raise the limits",
                self.config.file.display(),
                self.bytes + more
            ))));
        }
        let (position, end) = (self.next, self.next + records.len() as u64);
        self.within(|transaction| {
            let mut insert = transaction
                .prepare_cached("INSERT INTO journal (position, record) VALUES (?1, ?2)")?;
            for (position, record) in (position..).zip(records) {
                insert.execute((signed(position), record.as_ref()))?;
            }
            put(transaction, NEXT, &end.to_le_bytes())
        })
        .map_err(JournalError::Failed)?;
        (self.next, self.bytes) = (end, self.bytes + more);
        Ok(position)
    }

    /// Records from a position on (or from the first one, if that is later), `most` of them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn read(&self, from: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
            let mut statement = self.database.prepare_cached(
                "SELECT position, record FROM journal WHERE position >= ?1 ORDER BY position LIMIT ?2",
            )?;
            let rows = statement.query_map((signed(from), signed(most as u64)), |row| {
                Ok((unsigned(row.get(0)?), row.get(1)?))
            })?;
            rows.collect()
        };
        read().map_err(|e| told(WHAT, &self.config.file, &e))
    }

    /// Takes away all records in front of a position.
    ///
    /// # Errors
    /// The database cannot be written. Then nothing was taken away.
    pub fn truncate(&mut self, to: u64) -> Result<(), StoreError> {
        let to = to.min(self.next);
        if to <= self.first {
            return Ok(());
        }
        let freed: u64 = self.within(|transaction| {
            let freed = transaction
                .prepare_cached(
                    "SELECT coalesce(sum(length(record)), 0) FROM journal WHERE position < ?1",
                )?
                .query_row([signed(to)], |row| row.get(0).map(unsigned))?;
            transaction
                .prepare_cached("DELETE FROM journal WHERE position < ?1")?
                .execute([signed(to)])?;
            Ok(freed)
        })?;
        (self.first, self.bytes) = (to, self.bytes.saturating_sub(freed));
        Ok(())
    }

    /// What was noted under a name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn mark(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.database
            .prepare_cached("SELECT value FROM mark WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
            .map_err(|e| told(WHAT, &self.config.file, &e))
    }

    /// Notes something under a name; when it returns, it is on the disk.
    ///
    /// # Errors
    /// The database cannot be written, or the name is the journal's own (`next`).
    pub fn set_mark(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        if name == NEXT {
            return Err(StoreError::new(
                "the mark `next` is the journal's own: take another name",
            ));
        }
        self.within(|transaction| put(transaction, name, value))
    }

    /// Does something as a whole, or not at all.
    fn within<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let run = |database: &mut Connection| -> rusqlite::Result<T> {
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // (a transaction that is dropped is taken back)
            let result = act(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run(&mut self.database).map_err(|e| told(WHAT, &self.config.file, &e))
    }
}

/// As SQLite's integers; positions do not get that far.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn put(transaction: &Transaction<'_>, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO mark (name, value) VALUES (?1, ?2)")?
        .execute((name, value))
        .map(drop)
}

/// The connection, with the tables there. The inner error is of a database that is somebody else's.
fn prepared(file: &Path) -> rusqlite::Result<Result<Connection, StoreError>> {
    let mut database = Connection::open(file)?;
    database.busy_timeout(PATIENCE)?;
    // One owner: the lock is taken with the first access, and kept. (That also spares a file and a lock a transaction.)
    database.pragma_update(None, "locking_mode", "exclusive")?;
    let number =
        |pragma: &str| database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 =
        database.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let (application, form) = (number("application_id")?, number("user_version")?);
    if tables > 0 && (application, form) != (APPLICATION, FORM) {
        return Ok(Err(StoreError::new(format!(
            "the SQLite database '{}' is no journal of this version: name another file",
            file.display()
        ))));
    }
    database.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    // What has been committed is on the disk, whatever happens to the machine.
    database.pragma_update(None, "synchronous", "full")?;
    let making = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if tables == 0 {
        making.execute_batch(
            "CREATE TABLE journal (position INTEGER PRIMARY KEY, record BLOB NOT NULL);
             CREATE TABLE mark (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
        )?;
        put(&making, NEXT, &0_u64.to_le_bytes())?;
        making.pragma_update(None, "application_id", APPLICATION)?;
        making.pragma_update(None, "user_version", FORM)?;
    }
    making.commit()?;
    Ok(Ok(database))
}

#[cfg(test)]
mod tests;
