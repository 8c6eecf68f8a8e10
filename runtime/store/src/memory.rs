//! The `memory` module: context that lives as long as the process.

use crate::{Scope, Store, StoreError, key};
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vgdc_value::{Object, Value};

/// Scopes are spread over this many locks, so that islands on different cores seldom wait for each other.
const SHARDS: usize = 16;

type Shard = HashMap<Scope, Object, FxBuildHasher>;

/// Context in memory.
#[derive(Default)]
pub struct Memory {
    shards: [Mutex<Shard>; SHARDS],
}

impl Memory {
    fn shard(&self, scope: &Scope) -> MutexGuard<'_, Shard> {
        // (the upper bits: the map within the shard uses the lower ones)
        let place = (FxBuildHasher.hash_one(scope) >> 48) as usize % SHARDS;
        lock(&self.shards[place])
    }

    /// All there is in a scope.
    pub fn whole(&self, scope: &Scope) -> Option<Object> {
        self.shard(scope).get(scope).cloned()
    }

    /// All scopes that have something.
    pub fn scopes(&self) -> Vec<(Scope, Object)> {
        let of = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            let all = shard
                .iter()
                .map(|(scope, all)| (scope.clone(), all.clone()));
            all.collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(of).collect()
    }

    /// Puts a whole scope in place of what is there.
    pub fn replace(&self, scope: Scope, all: Object) {
        self.shard(&scope).insert(scope, all);
    }
}

/// Whoever panicked while holding the lock left whole values behind: there is nothing to repair.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for Memory {
    fn memory(&self) -> Option<&Memory> {
        Some(self)
    }

    fn get(&self, scope: &Scope, key: &str) -> Result<Value, StoreError> {
        match self.shard(scope).get(scope) {
            Some(all) => key::read(all, key).map_err(Into::into),
            None => Ok(Value::Undefined),
        }
    }

    fn set(&self, scope: &Scope, key: &str, value: Value) -> Result<(), StoreError> {
        let mut shard = self.shard(scope);
        let all = match shard.get_mut(scope) {
            Some(all) => all,
            None => shard.entry(scope.clone()).or_default(),
        };
        key::write(all, key, value).map_err(Into::into)
    }

    fn keys(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        let shard = self.shard(scope);
        // (Node-RED hides these names of its own global object)
        let hidden =
            |name: &&str| *scope == Scope::Global && matches!(*name, "get" | "set" | "keys");
        let names = shard.get(scope).map(|all| {
            all.keys()
                .map(|key| key.as_str())
                .filter(|name| !hidden(name))
                .map(str::to_owned)
                .collect()
        });
        Ok(names.unwrap_or_default())
    }

    fn delete(&self, scope: &Scope) -> Result<(), StoreError> {
        self.shard(scope).remove(scope);
        Ok(())
    }

    fn retain(&self, keep: &dyn Fn(&Scope) -> bool) -> Result<(), StoreError> {
        for shard in &self.shards {
            lock(shard).retain(|scope, _| *scope == Scope::Global || keep(scope));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_do_not_lose_each_others_scopes() {
        let memory = Memory::default();
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let memory = &memory;
                threads.spawn(move || {
                    for n in 0..100 {
                        let scope = Scope::Node(format!("{thread}-{n}").into());
                        memory.set(&scope, "a.b", Value::from(n)).expect("sets");
                    }
                });
            }
        });
        for thread in 0..4 {
            for n in 0..100 {
                assert_eq!(
                    memory.get(&Scope::Node(format!("{thread}-{n}").into()), "a.b"),
                    Ok(Value::from(n))
                );
            }
        }
        memory
            .set(&Scope::Global, "keys", Value::from(1))
            .expect("sets");
        memory
            .set(&Scope::Global, "k", Value::from(1))
            .expect("sets");
        memory.retain(&|_| false).expect("retains");
        assert_eq!(memory.keys(&Scope::Global), Ok(vec!["k".to_owned()]));
        assert_eq!(memory.keys(&Scope::Node("0-0".into())), Ok(vec![]));
    }
}
