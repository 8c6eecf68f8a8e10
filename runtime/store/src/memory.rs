//! The `memory` module: context that lives as long as the process.

use crate::{Scope, StoreError};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vgdc_value::{Object, Path, Value};

/// Context in memory.
#[derive(Default)]
pub struct Memory {
    scopes: Mutex<HashMap<Scope, Object>>,
}

/// A key that is one name needs no parsing.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$')
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, HashMap<Scope, Object>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a key, a property path; `undefined` when there is nothing, also on the way.
    ///
    /// # Errors
    /// A malformed key.
    pub fn get(&self, scope: &Scope, key: &str) -> Result<Value, StoreError> {
        if is_plain(key) {
            return Ok(self.lock().get(scope).and_then(|all| all.get(key)).cloned().unwrap_or(Value::Undefined));
        }
        let path = Path::parse(key).map_err(StoreError::from)?;
        let all = self.lock().get(scope).cloned();
        Ok(all.and_then(|all| path.get(&Value::Object(all)).ok()).unwrap_or(Value::Undefined))
    }

    /// Writes a key, a property path; objects on the way are made; `undefined` deletes.
    ///
    /// # Errors
    /// A malformed key, or a way through what is no object.
    pub fn set(&self, scope: &Scope, key: &str, value: Value) -> Result<(), StoreError> {
        let mut scopes = self.lock();
        let all = scopes.entry(scope.clone()).or_default();
        if is_plain(key) {
            if value.is_undefined() {
                all.remove(key);
            } else {
                all.insert(key, value);
            }
            return Ok(());
        }
        let path = Path::parse(key).map_err(StoreError::from)?;
        path.set(all, value, true).map(drop).map_err(StoreError::from)
    }

    /// The names of what is there.
    pub fn keys(&self, scope: &Scope) -> Vec<String> {
        let scopes = self.lock();
        scopes.get(scope).map(|all| all.keys().map(|key| key.as_str().to_owned()).collect()).unwrap_or_default()
    }

    /// Drops the scopes for which `keep` says no.
    pub fn retain(&self, keep: &dyn Fn(&Scope) -> bool) {
        self.lock().retain(|scope, _| keep(scope));
    }
}
