//! Context stores: what `node`, `flow` and `global` context is kept in.
//!
//! [`Stores`] holds the named stores of a runtime, each a [`Store`]: [`Memory`], [`Files`] (Node-RED's
//! `localfilesystem`), [`Shared`] (kept by a mesh), or `Sqlite` where the feature `sqlite` is on. With it comes [`log_store`],
//! too, which is no context store: what a consensus algorithm keeps on the disk. Values are shared, copied on write, and a read of a plain key allocates nothing.

mod behind;
#[cfg(feature = "sqlite")]
mod database;
mod error;
mod files;
#[cfg(feature = "sqlite")]
mod journal;
mod key;
mod log;
#[cfg(feature = "sqlite")]
pub mod log_store;
mod memory;
mod scope;
mod settings;
pub mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stores;

pub use error::StoreError;
pub use files::{Files, FilesConfig};
#[cfg(feature = "sqlite")]
pub use journal::{Journal, JournalConfig, JournalError};
pub use key::{parent_key, parse_store_key};
pub use log::Level;
pub use memory::Memory;
pub use scope::{Scope, UnknownScope};
pub use shared::Shared;
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteConfig};
pub use stores::Stores;

use vgdc_value::Value;

/// Somewhere context is kept. Keys are property paths, as in Node-RED: `a`, `a.b[0]`.
///
/// All methods may be called from any thread, and return when the work is done.
pub trait Store: Send + Sync {
    /// Reads a key; `undefined` when there is nothing, also on the way to it.
    ///
    /// # Errors
    /// A malformed key; a store that cannot be read.
    fn get(&self, scope: &Scope, key: &str) -> Result<Value, StoreError>;

    /// Writes a key; objects and arrays on the way are made, `undefined` deletes. Where the way leads through what is
    /// neither, nothing is written, as in Node-RED.
    ///
    /// # Errors
    /// A malformed key; a store that cannot be written.
    fn set(&self, scope: &Scope, key: &str, value: Value) -> Result<(), StoreError>;

    /// The names of what is there, in the order in which JavaScript lists them.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn keys(&self, scope: &Scope) -> Result<Vec<String>, StoreError>;

    /// Forgets a scope.
    ///
    /// # Errors
    /// A store that cannot be written.
    fn delete(&self, scope: &Scope) -> Result<(), StoreError>;

    /// Forgets the scopes for which `keep` says no. Global context is always kept.
    ///
    /// # Errors
    /// A store that cannot be written.
    fn retain(&self, keep: &dyn Fn(&Scope) -> bool) -> Result<(), StoreError>;

    /// The store, where it is one in memory.
    fn memory(&self) -> Option<&Memory> {
        None
    }

    /// Writes what is to be kept, now.
    ///
    /// # Errors
    /// A store that cannot be written; what was not written is tried again at the next occasion.
    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes what is to be kept; the store is not used after.
    ///
    /// # Errors
    /// As [`Store::flush`].
    fn close(&self) -> Result<(), StoreError> {
        self.flush()
    }
}
