//! The `mesh` module: context that programs on several machines share. Whoever runs the process says by [`provide`] who keeps it; here are
//! paths into values, and values as bytes.
//!
//! A plain key is written as a whole. A path into a value is a read, a change and a write that is refused where the value has changed
//! meanwhile, again and again until it is not: so no two writers undo what the other has done.

use crate::{Scope, Store, StoreError, key};
use std::sync::{Arc, OnceLock};
use vgdc_value::{Object, Value, cbor};

/// How often a path is written before it is said that others are always quicker.
const ATTEMPTS: u32 = 100;

/// Who keeps shared values: bytes by scope, store and key. Calls return when it is done, which may take a round trip to other machines.
pub trait Keeper: Send + Sync {
    /// A value. `certain`: the newest one, wherever it was written; else one that may be a little old, and is there at once.
    ///
    /// # Errors
    /// In words; where a majority of machines is needed and cannot be reached.
    fn get(
        &self,
        scope: &str,
        store: &str,
        key: &str,
        certain: bool,
    ) -> Result<Option<Vec<u8>>, String>;

    /// Gives a key a value, or takes it away.
    ///
    /// # Errors
    /// As [`Keeper::get`]; a value that is too large.
    fn set(&self, scope: &str, store: &str, key: &str, value: Option<&[u8]>) -> Result<(), String>;

    /// Gives a key a value if it has the one that is expected. False: it has another one.
    ///
    /// # Errors
    /// As [`Keeper::set`].
    fn swap(
        &self,
        scope: &str,
        store: &str,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, String>;

    /// The keys of a scope.
    ///
    /// # Errors
    /// As [`Keeper::get`].
    fn keys(&self, scope: &str, store: &str) -> Result<Vec<String>, String>;

    /// Takes all keys of a scope away.
    ///
    /// # Errors
    /// As [`Keeper::set`].
    fn clear(&self, scope: &str, store: &str) -> Result<(), String>;
}

static KEEPER: OnceLock<Arc<dyn Keeper>> = OnceLock::new();

/// Says who keeps the shared values of this process. The first counts.
pub fn provide(keeper: Arc<dyn Keeper>) {
    // (one that was there already stays)
    let _ = KEEPER.set(keeper);
}

/// Shared context.
pub struct Shared {
    name: String,
    keeper: Arc<dyn Keeper>,
    /// Whether reads have to see what was written anywhere before.
    certain: bool,
}

impl Shared {
    pub(crate) fn open(name: &str, config: &Value) -> Result<Shared, StoreError> {
        let certain = match config.get("read") {
            Value::Undefined => false,
            Value::Str(text) if &*text == "cached" => false,
            Value::Str(text) if &*text == "certain" => true,
            other => {
                return Err(StoreError::new(format!(
                    "Context store '{name}': `read` is '{}': write \"cached\" or \"certain\"",
                    other.to_js_string()
                )));
            }
        };
        let keeper = KEEPER.get().ok_or_else(|| {
            StoreError::new(format!(
                "Context store '{name}': the module mesh is for flows that `vgdc deploy` brings to a mesh; nobody keeps shared values here"
            ))
        })?;
        Ok(Shared::kept_by(name, keeper.clone(), certain))
    }

    fn kept_by(name: &str, keeper: Arc<dyn Keeper>, certain: bool) -> Shared {
        Shared {
            name: name.to_owned(),
            keeper,
            certain,
        }
    }

    fn read(
        &self,
        scope: &Scope,
        root: &str,
        certain: bool,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self
            .keeper
            .get(&scope.to_string(), &self.name, root, certain);
        found.map_err(StoreError::new)
    }
}

fn encoded(value: &Value) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let done = cbor::encode(value, &mut bytes);
    done.map_err(|e| StoreError::new(format!("this cannot be shared: {e}")))?;
    Ok(bytes)
}

fn decoded(bytes: &[u8]) -> Result<Value, StoreError> {
    let value = cbor::decode(bytes);
    value
        .map(|(value, _)| value)
        .map_err(|e| StoreError::new(format!("a shared value is damaged: {e}")))
}

/// An object with this one key, if there is something.
fn holding(root: &str, bytes: Option<&[u8]>) -> Result<Object, StoreError> {
    let mut all = Object::default();
    if let Some(bytes) = bytes {
        all.insert(root, decoded(bytes)?);
    }
    Ok(all)
}

/// The key under which a path's value is kept.
fn root(key: &str) -> Result<String, StoreError> {
    key::root(key)?.ok_or_else(|| {
        StoreError::new(format!(
            "'{key}' cannot be shared: what it begins with is not known"
        ))
    })
}

impl Store for Shared {
    fn get(&self, scope: &Scope, key: &str) -> Result<Value, StoreError> {
        let root = root(key)?;
        let bytes = self.read(scope, &root, self.certain)?;
        key::read(&holding(&root, bytes.as_deref())?, key).map_err(Into::into)
    }

    fn set(&self, scope: &Scope, key: &str, value: Value) -> Result<(), StoreError> {
        let (root, of) = (root(key)?, scope.to_string());
        if root.as_str() == key {
            let bytes = (!value.is_undefined())
                .then(|| encoded(&value))
                .transpose()?;
            let set = self.keeper.set(&of, &self.name, &root, bytes.as_deref());
            return set.map_err(StoreError::new);
        }
        for _ in 0..ATTEMPTS {
            let before = self.read(scope, &root, true)?;
            let mut all = holding(&root, before.as_deref())?;
            key::write(&mut all, key, value.clone())?;
            let Some(after) = all.get(&root) else {
                return Ok(());
            };
            let after = encoded(after)?;
            if before.as_deref() == Some(&after[..]) {
                return Ok(());
            }
            let swapped = self
                .keeper
                .swap(&of, &self.name, &root, before.as_deref(), &after);
            if swapped.map_err(StoreError::new)? {
                return Ok(());
            }
        }
        Err(StoreError::new(format!(
            "'{key}' was not written: others were quicker {ATTEMPTS} times"
        )))
    }

    fn keys(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        let keys = self.keeper.keys(&scope.to_string(), &self.name);
        keys.map_err(StoreError::new)
    }

    fn delete(&self, scope: &Scope) -> Result<(), StoreError> {
        let cleared = self.keeper.clear(&scope.to_string(), &self.name);
        cleared.map_err(StoreError::new)
    }

    /// (What this program has no nodes of another one may have.)
    fn retain(&self, _keep: &dyn Fn(&Scope) -> bool) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    #[derive(Default)]
    struct Kept(Mutex<BTreeMap<(String, String, String), Vec<u8>>>);

    impl Kept {
        fn with<T>(
            &self,
            act: impl FnOnce(&mut BTreeMap<(String, String, String), Vec<u8>>) -> T,
        ) -> T {
            act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }

    fn place(scope: &str, store: &str, key: &str) -> (String, String, String) {
        (scope.to_owned(), store.to_owned(), key.to_owned())
    }

    impl Keeper for Kept {
        fn get(
            &self,
            scope: &str,
            store: &str,
            key: &str,
            _: bool,
        ) -> Result<Option<Vec<u8>>, String> {
            Ok(self.with(|all| all.get(&place(scope, store, key)).cloned()))
        }

        fn set(
            &self,
            scope: &str,
            store: &str,
            key: &str,
            value: Option<&[u8]>,
        ) -> Result<(), String> {
            self.with(|all| match value {
                Some(value) => drop(all.insert(place(scope, store, key), value.to_vec())),
                None => drop(all.remove(&place(scope, store, key))),
            });
            Ok(())
        }

        fn swap(
            &self,
            scope: &str,
            store: &str,
            key: &str,
            expected: Option<&[u8]>,
            value: &[u8],
        ) -> Result<bool, String> {
            self.with(|all| {
                let at = place(scope, store, key);
                let is_it = all.get(&at).map(Vec::as_slice) == expected;
                if is_it {
                    all.insert(at, value.to_vec());
                }
                Ok(is_it)
            })
        }

        fn keys(&self, scope: &str, store: &str) -> Result<Vec<String>, String> {
            Ok(self.with(|all| {
                let keys = all.keys().filter(|(s, t, _)| s == scope && t == store);
                keys.map(|(.., key)| key.clone()).collect()
            }))
        }

        fn clear(&self, scope: &str, store: &str) -> Result<(), String> {
            self.with(|all| all.retain(|(s, t, _), _| s != scope || t != store));
            Ok(())
        }
    }

    #[test]
    fn paths_into_shared_values_are_written_by_many_and_nothing_is_undone() {
        let kept = Arc::new(Kept::default());
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let store = Shared::kept_by("mesh", kept.clone(), false);
                threads.spawn(move || {
                    for n in 0..20 {
                        let key = format!("counts.t{thread}_{n}");
                        store
                            .set(&Scope::Global, &key, Value::from(n))
                            .expect("set");
                    }
                });
            }
        });
        let store = Shared::kept_by("mesh", kept, true);
        for thread in 0..4 {
            for n in 0..20 {
                let key = format!("counts.t{thread}_{n}");
                assert_eq!(store.get(&Scope::Global, &key), Ok(Value::from(n)), "{key}");
            }
        }
        assert_eq!(store.keys(&Scope::Global), Ok(vec!["counts".to_owned()]));
        store
            .set(&Scope::Global, "counts", Value::Undefined)
            .expect("taken away");
        assert_eq!(store.get(&Scope::Global, "counts"), Ok(Value::Undefined));
        assert_eq!(store.get(&Scope::Global, "counts.x"), Ok(Value::Undefined));
        assert!(store.set(&Scope::Global, "a..b", Value::from(1)).is_err());
    }

    #[test]
    fn without_a_keeper_the_module_says_what_it_is_for() {
        let opened = Shared::open("m", &Value::Undefined);
        assert!(opened.is_err_and(|e| e.message.contains("vgdc deploy")));
    }
}
