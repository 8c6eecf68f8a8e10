//! The `sqlite` module: context in one SQLite database, a row for each name of a scope.
//!
//! ```text
//! context(scope TEXT, key TEXT, value TEXT)      scope: `global`, `flow:ID`, `node:ID`; value: JSON
//! ```
//!
//! By default all is read when the store is opened and kept in memory; the rows that changed are written after
//! `flushInterval`, and when the store is closed, in one transaction that is on the disk when it ends. With `cache: false`
//! each access reads or writes its row, and what was set has been written. Other programs may read the database meanwhile.
//! A write that fails is logged and tried again after the next interval.

use crate::behind::{self, Behind, Unwritten, Writes, lock};
use crate::database;
use crate::log::Log;
use crate::{FilesConfig, Memory, Scope, Store, StoreError, key};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vgdc_value::{Object, Value, json};

/// What `PRAGMA application_id` says of our databases: "vgdc".
const APPLICATION: i64 = 0x7667_6463;
/// What `PRAGMA user_version` says: the form of the table.
const FORM: i64 = 1;
/// How long to wait for another program that has the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// What `config` of the module says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteConfig {
    /// The database.
    pub file: PathBuf,
    /// All is kept in memory, and written some time after it changed.
    pub cache: bool,
    /// How long after a change it is written.
    pub flush_interval: Duration,
}

impl SqliteConfig {
    /// Reads `config`: `file` (`context.sqlite`) in the folder that `localfilesystem` would have its own in (`dir`, else
    /// `userDir` of the settings, else Node-RED's); `cache` and `flushInterval` as there.
    pub fn from_settings(config: &Value, settings: &Value) -> SqliteConfig {
        let files = FilesConfig::from_settings(config, settings);
        let file = config.get("file");
        let file = file
            .as_str()
            .filter(|file| !file.is_empty())
            .unwrap_or("context.sqlite");
        SqliteConfig {
            file: files.dir.join(file),
            cache: files.cache,
            flush_interval: files.flush_interval,
        }
    }
}

/// Context in a SQLite database.
pub struct Sqlite {
    inner: Arc<Inner>,
}

/// A row to write; without a name, all rows of the scope.
type Row = (Scope, Option<Arc<str>>);

struct Inner {
    config: SqliteConfig,
    database: Mutex<Connection>,
    /// What the database holds, and will hold.
    cache: Memory,
    behind: Behind<Row>,
}

impl Sqlite {
    /// Opens the store: makes the database, or reads what is there.
    ///
    /// # Errors
    /// A file that cannot be made, is locked, is damaged, or is something else.
    pub(crate) fn open(config: SqliteConfig, log: Log) -> Result<Sqlite, StoreError> {
        let file = &config.file;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| {
                StoreError::new(format!(
                    "cannot make the folder of the context database '{}': {e}",
                    file.display()
                ))
            })?;
        }
        let database = prepared(file).map_err(|e| told(file, &e))?;
        let database = database?;
        let cache = Memory::default();
        if config.cache {
            for (scope, all) in read_all(&database, file)? {
                cache.replace(scope, all);
            }
        }
        Ok(Sqlite {
            inner: Arc::new(Inner {
                behind: Behind::new(config.flush_interval, log),
                database: Mutex::new(database),
                cache,
                config,
            }),
        })
    }
}

/// The connection, with the table there. The inner error is of a database that is somebody else's.
fn prepared(file: &Path) -> rusqlite::Result<Result<Connection, StoreError>> {
    let mut database = Connection::open(file)?;
    database.busy_timeout(PATIENCE)?;
    let number = |database: &Connection, pragma: &str| {
        database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
    };
    let tables: i64 =
        database.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let (application, form) = (
        number(&database, "application_id")?,
        number(&database, "user_version")?,
    );
    if tables > 0 && application != APPLICATION {
        return Ok(Err(StoreError::new(format!(
            "the SQLite database '{}' is no context store: it belongs to another program; name another `file`",
            file.display()
        ))));
    }
    if tables > 0 && form != FORM {
        return Ok(Err(StoreError::new(format!(
            "the context database '{}' is of form {form}, and this version reads form {FORM}: use the version that made it, \
             or name another `file`",
            file.display()
        ))));
    }
    // (only where it changes something: it needs the database for itself)
    let mode: String = database.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        database
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    }
    // What has been committed is on the disk, whatever happens to the machine.
    database.pragma_update(None, "synchronous", "full")?;
    if tables == 0 {
        let making = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        making.execute_batch(
            "CREATE TABLE IF NOT EXISTS context (scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (scope, key))",
        )?;
        making.pragma_update(None, "application_id", APPLICATION)?;
        making.pragma_update(None, "user_version", FORM)?;
        making.commit()?;
    }
    Ok(Ok(database))
}

/// All rows, by scope, in the order in which they came.
fn read_all(database: &Connection, file: &Path) -> Result<Vec<(Scope, Object)>, StoreError> {
    let failed = |e: rusqlite::Error| told(file, &e);
    let sound: String = database
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if sound != "ok" {
        return Err(damaged(file, &sound));
    }
    let mut all: Vec<(Scope, Object)> = Vec::new();
    let mut places = HashMap::new();
    let mut statement = database
        .prepare("SELECT scope, key, value FROM context ORDER BY rowid")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let text = |n: usize| row.get::<_, String>(n).map_err(failed);
        let (scope, key, value) = (text(0)?, text(1)?, text(2)?);
        // (whoever put it there may keep it)
        let Ok(scope) = scope.parse::<Scope>() else {
            continue;
        };
        let value = parsed(file, &scope, &key, &value)?;
        let place = *places.entry(scope.clone()).or_insert_with(|| {
            all.push((scope, Object::new()));
            all.len() - 1
        });
        all[place].1.insert(key.as_str(), value);
    }
    Ok(all)
}

fn parsed(file: &Path, scope: &Scope, key: &str, text: &str) -> Result<Value, StoreError> {
    json::parse(text).map_err(|_| {
        StoreError::new(format!(
            "Invalid JSON in the context database '{}': scope {scope}, key {key:?}",
            file.display()
        ))
    })
}

/// What SQLite says, with the file and a way out.
fn told(file: &Path, error: &rusqlite::Error) -> StoreError {
    database::told("context database", file, error)
}

fn damaged(file: &Path, why: &str) -> StoreError {
    database::damaged("context database", file, why)
}

impl Store for Sqlite {
    fn get(&self, scope: &Scope, key: &str) -> Result<Value, StoreError> {
        if self.inner.config.cache {
            return self.inner.cache.get(scope, key);
        }
        let some = match key::root(key)? {
            Some(root) => self.inner.row(&lock(&self.inner.database), scope, &root)?,
            None => self.inner.rows(&lock(&self.inner.database), scope)?,
        };
        Ok(key::read(&some, key)?)
    }

    fn set(&self, scope: &Scope, key: &str, value: Value) -> Result<(), StoreError> {
        let root = key::root(key)?;
        if self.inner.config.cache {
            self.inner.cache.set(scope, key, value)?;
            behind::changed(&self.inner, (scope.clone(), root.map(Arc::from)));
            return Ok(());
        }
        self.inner.within(|transaction| {
            let mut some = match &root {
                Some(root) => self.inner.row(transaction, scope, root)?,
                None => self.inner.rows(transaction, scope)?,
            };
            key::write(&mut some, key, value)?;
            match &root {
                Some(root) => self.inner.put(transaction, scope, root, some.get(root)),
                None => self.inner.put_all(transaction, scope, &some),
            }
        })
    }

    fn keys(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        if self.inner.config.cache {
            return self.inner.cache.keys(scope);
        }
        let all = self.inner.rows(&lock(&self.inner.database), scope)?;
        Ok(all.keys().map(|key| key.as_str().to_owned()).collect())
    }

    fn delete(&self, scope: &Scope) -> Result<(), StoreError> {
        let _writing = self.inner.behind.writing();
        self.inner.behind.forget(|(of, _)| of != scope);
        self.inner.cache.delete(scope)?;
        self.inner
            .within(|transaction| self.inner.put_all(transaction, scope, &Object::new()))
    }

    fn retain(&self, keep: &dyn Fn(&Scope) -> bool) -> Result<(), StoreError> {
        let _writing = self.inner.behind.writing();
        let keep = |scope: &Scope| *scope == Scope::Global || keep(scope);
        self.inner.behind.forget(|(scope, _)| keep(scope));
        self.inner.cache.retain(&keep)?;
        let scopes = self.inner.scopes(&lock(&self.inner.database))?;
        let gone: Vec<_> = scopes.iter().filter(|scope| !keep(scope)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.inner.within(|transaction| {
            gone.iter()
                .try_for_each(|scope| self.inner.put_all(transaction, scope, &Object::new()))
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        behind::flush(&*self.inner)
    }

    fn close(&self) -> Result<(), StoreError> {
        behind::close(&*self.inner)?;
        // Where another program reads, what is in the log stays there, which is as good.
        let _ =
            lock(&self.inner.database).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        behind::close_at_last(&*self.inner);
    }
}

impl Writes for Inner {
    type Item = Row;

    fn behind(&self) -> &Behind<Row> {
        &self.behind
    }

    fn write_all(&self, rows: HashSet<Row>) -> Result<(), Unwritten<Row>> {
        let mut by_scope: HashMap<&Scope, HashSet<Option<&str>>> = HashMap::new();
        for (scope, key) in &rows {
            by_scope.entry(scope).or_default().insert(key.as_deref());
        }
        let written = self.within(|transaction| {
            by_scope.iter().try_for_each(|(scope, keys)| {
                let all = self.cache.whole(scope).unwrap_or_default();
                if keys.contains(&None) {
                    return self.put_all(transaction, scope, &all);
                }
                // (in the order of the names, so that new rows are in it, too)
                let changed = all
                    .iter()
                    .filter(|(key, _)| keys.contains(&Some(key.as_str())));
                for (key, value) in changed {
                    self.put(transaction, scope, key.as_str(), Some(value))?;
                }
                let gone = keys.iter().flatten().filter(|key| !all.contains_key(key));
                gone.into_iter()
                    .try_for_each(|key| self.put(transaction, scope, key, None))
            })
        });
        written.map_err(|why| Unwritten {
            items: rows.into_iter().collect(),
            why,
        })
    }
}

impl Inner {
    /// Does something as a whole, or not at all.
    fn within(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut database = lock(&self.database);
        let failed = |e: rusqlite::Error| told(&self.config.file, &e);
        let transaction = database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        // (a transaction that is dropped is taken back)
        act(&transaction)?;
        transaction.commit().map_err(failed)
    }

    /// One row, as an object that has no other name.
    fn row(&self, database: &Connection, scope: &Scope, key: &str) -> Result<Object, StoreError> {
        let found = database
            .prepare_cached("SELECT value FROM context WHERE scope = ?1 AND key = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row((scope.to_string(), key), |row| row.get::<_, String>(0))
                    .optional()
            })
            .map_err(|e| told(&self.config.file, &e))?;
        let mut all = Object::new();
        if let Some(text) = found {
            all.insert(key, parsed(&self.config.file, scope, key, &text)?);
        }
        Ok(all)
    }

    /// All rows of a scope.
    fn rows(&self, database: &Connection, scope: &Scope) -> Result<Object, StoreError> {
        let failed = |e: rusqlite::Error| told(&self.config.file, &e);
        let mut statement = database
            .prepare_cached("SELECT key, value FROM context WHERE scope = ?1 ORDER BY rowid")
            .map_err(failed)?;
        let mut rows = statement.query([scope.to_string()]).map_err(failed)?;
        let mut all = Object::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let text = |n: usize| row.get::<_, String>(n).map_err(failed);
            let key = text(0)?;
            let value = parsed(&self.config.file, scope, &key, &text(1)?)?;
            all.insert(key.as_str(), value);
        }
        Ok(all)
    }

    fn scopes(&self, database: &Connection) -> Result<Vec<Scope>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = database.prepare_cached("SELECT DISTINCT scope FROM context")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        let all = read().map_err(|e| told(&self.config.file, &e))?;
        Ok(all.iter().filter_map(|scope| scope.parse().ok()).collect())
    }

    /// Writes a row; what JSON has no text for is not there.
    fn put(
        &self,
        database: &Connection,
        scope: &Scope,
        key: &str,
        value: Option<&Value>,
    ) -> Result<(), StoreError> {
        let text = match value {
            Some(value) => json::stringify(value, 0).map_err(|e| StoreError::new(e.to_string()))?,
            None => None,
        };
        let scope = scope.to_string();
        // (a row that is written again keeps its place in the order of the names)
        let done = match text {
            Some(text) => database
                .prepare_cached(
                    "INSERT INTO context (scope, key, value) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value",
                )
                .and_then(|mut statement| statement.execute((scope, key, text))),
            None => database
                .prepare_cached("DELETE FROM context WHERE scope = ?1 AND key = ?2")
                .and_then(|mut statement| statement.execute((scope, key))),
        };
        done.map(drop).map_err(|e| told(&self.config.file, &e))
    }

    /// Puts these rows in the place of all rows of a scope.
    fn put_all(
        &self,
        database: &Connection,
        scope: &Scope,
        all: &Object,
    ) -> Result<(), StoreError> {
        database
            .prepare_cached("DELETE FROM context WHERE scope = ?1")
            .and_then(|mut statement| statement.execute([scope.to_string()]))
            .map_err(|e| told(&self.config.file, &e))?;
        all.iter()
            .try_for_each(|(key, value)| self.put(database, scope, key.as_str(), Some(value)))
    }
}

#[cfg(test)]
mod tests;
