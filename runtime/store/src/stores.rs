//! The named stores of a runtime.

use crate::files::FlowOf;
use crate::log::{Level, Log};
use crate::settings::{self, Named, Opened};
use crate::{Files, Scope, Store, StoreError, key, parent_key, parse_store_key};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use vgdc_value::{Object, Value, cbor};

/// The stores, by name; one is the default.
///
/// A key may name its store itself (`#:(file)::a`); the argument `store` goes before it. A name that is unknown means the
/// default store, as in Node-RED. A key of a flow further out (`$parent.a`) is for the caller to follow with [`parent_key`];
/// one that gets here names nothing.
pub struct Stores {
    named: Vec<Named>,
    /// Index into `named`.
    default: usize,
    files: Vec<Arc<Files>>,
    configured: bool,
    /// What `functionGlobalContext` puts under the global context: read where the store has nothing.
    seed: Object,
    /// The names of the seed are among the keys of the global context.
    seed_is_listed: bool,
    log: Log,
    /// Names that were complained about.
    unknown: Mutex<HashSet<String>>,
}

impl Default for Stores {
    fn default() -> Self {
        Stores::memory_only()
    }
}

impl Stores {
    /// One store in memory, named `memory`.
    pub fn memory_only() -> Stores {
        Stores::new(settings::memory_only(), Object::new(), true, Log::default())
    }

    /// Stores by Node-RED's settings: `contextStorage` (`{NAME:{module,config}}`; a text under `default` names another;
    /// modules `memory`, `localfilesystem` and, where it is built in, `sqlite`), `functionGlobalContext`, `exportGlobalContextKeys`, `userDir`.
    ///
    /// # Errors
    /// A module that is not there, a default that names no store, a file that cannot be read; the texts are Node-RED's.
    pub fn from_settings(settings: &Value) -> Result<Stores, StoreError> {
        let seed = settings
            .get("functionGlobalContext")
            .as_object()
            .cloned()
            .unwrap_or_default();
        let log = Log::default();
        let opened = settings::open(settings, &log)?;
        Ok(Stores::new(
            opened,
            seed,
            settings.get("exportGlobalContextKeys").as_bool() != Some(false),
            log,
        ))
    }

    fn new(opened: Opened, seed: Object, seed_is_listed: bool, log: Log) -> Stores {
        let Opened {
            named,
            default,
            files,
            configured,
        } = opened;
        Stores {
            named,
            default,
            files,
            configured,
            seed,
            seed_is_listed,
            log,
            unknown: Mutex::default(),
        }
    }

    /// Where lines go that nobody asked for; those that were said before come at once.
    pub fn set_log(&self, sink: impl Fn(Level, &str) + Send + Sync + 'static) {
        self.log.listen(Arc::new(sink));
    }

    /// Tells which flow a node is in: Node-RED's files of a node's context lie in its flow's folder. To be called before
    /// nodes start, at each deploy.
    pub fn set_flow_of(&self, flow_of: impl Fn(&str) -> Option<Arc<str>> + Send + Sync + 'static) {
        let flow_of: FlowOf = Arc::new(flow_of);
        self.files
            .iter()
            .for_each(|store| store.set_flow_of(flow_of.clone()));
    }

    /// What the stores in memory hold, as bytes for another process (CBOR: by store, by scope). Values that cannot leave their process, such
    /// as functions, are left out.
    pub fn in_memory(&self) -> Vec<u8> {
        let mut stores = Object::new();
        for (name, store) in &self.named {
            let Some(memory) = store.memory() else {
                continue;
            };
            let mut scopes = Object::new();
            for (scope, all) in memory.scopes() {
                let mut kept = Object::new();
                for (key, value) in all.iter() {
                    if cbor::encode(value, &mut Vec::new()).is_ok() {
                        kept.insert(key.as_str(), value.clone());
                    }
                }
                scopes.insert(&*scope.to_string(), Value::Object(kept));
            }
            stores.insert(name.as_str(), Value::Object(scopes));
        }
        let mut bytes = Vec::new();
        // (each value has been tried; a whole that is too deep all the same is left behind)
        if cbor::encode(&Value::Object(stores), &mut bytes).is_err() {
            bytes.clear();
        }
        bytes
    }

    /// Takes over what [`Stores::in_memory`] gave, in the place of what the stores in memory have of those scopes.
    ///
    /// # Errors
    /// Bytes that are damaged; nothing is taken over then.
    pub fn bring(&self, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let damaged = |e: cbor::CborError| {
            StoreError::new(format!("contexts of another process are damaged: {e}"))
        };
        let (all, _) = cbor::decode(bytes).map_err(damaged)?;
        for (name, store) in &self.named {
            let Some(memory) = store.memory() else {
                continue;
            };
            let scopes = all.get(name);
            for (scope, kept) in scopes.as_object().into_iter().flat_map(Object::iter) {
                if let (Ok(scope), Value::Object(kept)) = (scope.as_str().parse(), kept) {
                    memory.replace(scope, kept.clone());
                }
            }
        }
        Ok(())
    }

    /// The names of the stores.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// The name of the default store.
    pub fn default_name(&self) -> &str {
        self.named
            .get(self.default)
            .map_or("memory", |(name, _)| name)
    }

    /// Splits `#:(store)::key`; see [`parse_store_key`].
    pub fn parse_store_key(text: &str) -> (Option<&str>, &str) {
        parse_store_key(text)
    }

    fn store(&self, name: Option<&str>) -> &dyn Store {
        let default = &*self.named[self.default].1;
        let Some(wanted) = name.filter(|name| !name.is_empty() && *name != "_") else {
            return default;
        };
        match self.named.iter().find(|(name, _)| name == wanted) {
            Some((_, store)) => &**store,
            None => {
                self.complain(wanted);
                default
            }
        }
    }

    fn complain(&self, name: &str) {
        let mut known = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < 1000 && known.insert(name.to_owned()) {
            drop(known);
            self.log.say(
                Level::Warn,
                format!("Unknown context store '{name}' specified. Using default store."),
            );
        }
    }

    /// The store and the key that a key and a store's name mean together. None: the key leads to a flow further out
    /// ([`parent_key`]), and whoever asks has found no such flow, so that there is nothing.
    fn meant<'k>(
        &self,
        key: &'k str,
        store: Option<&'k str>,
    ) -> Result<Option<(&dyn Store, &'k str)>, StoreError> {
        if key.is_empty() {
            return Err(StoreError::new("Invalid context key"));
        }
        let (named, key) = if key.starts_with('#') {
            parse_store_key(key)
        } else {
            (None, key)
        };
        if key.starts_with('$') && parent_key(key).is_some() {
            return Ok(None);
        }
        Ok(Some((
            self.store(store.filter(|store| !store.is_empty()).or(named)),
            key,
        )))
    }

    /// Reads a key, a property path; `undefined` when there is nothing.
    ///
    /// # Errors
    /// A malformed key; the store's.
    pub fn get(&self, scope: &Scope, key: &str, store: Option<&str>) -> Result<Value, StoreError> {
        let Some((store, key)) = self.meant(key, store)? else {
            return Ok(Value::Undefined);
        };
        let found = store.get(scope, key)?;
        if found.is_undefined() && *scope == Scope::Global && !self.seed.is_empty() {
            return key::read(&self.seed, key).map_err(Into::into);
        }
        Ok(found)
    }

    /// Writes a key, a property path; `undefined` deletes.
    ///
    /// # Errors
    /// A malformed key; the store's.
    pub fn set(
        &self,
        scope: &Scope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), StoreError> {
        match self.meant(key, store)? {
            Some((store, key)) => store.set(scope, key, value),
            None => Ok(()),
        }
    }

    /// The names of what is there.
    ///
    /// # Errors
    /// The store's.
    pub fn keys(&self, scope: &Scope, store: Option<&str>) -> Result<Vec<String>, StoreError> {
        let keys = self.store(store).keys(scope)?;
        if *scope != Scope::Global || self.seed.is_empty() || !self.seed_is_listed {
            return Ok(keys);
        }
        let mut all: Vec<String> = self
            .seed
            .keys()
            .map(|key| key.as_str().to_owned())
            .collect();
        all.extend(keys.into_iter().filter(|key| !self.seed.contains_key(key)));
        Ok(all)
    }

    /// Forgets a scope. As in Node-RED, stores that the settings name keep nodes' and flows' context until
    /// [`Stores::retain`].
    ///
    /// # Errors
    /// The stores'.
    pub fn drop_scope(&self, scope: &Scope) -> Result<(), StoreError> {
        if self.configured && *scope != Scope::Global {
            return Ok(());
        }
        self.named
            .iter()
            .try_for_each(|(_, store)| store.delete(scope))
    }

    /// Forgets the scopes for which `active` says no; global context stays. What fails is logged.
    pub fn retain(&self, active: &dyn Fn(&Scope) -> bool) {
        self.each(|store| store.retain(active));
    }

    /// Writes what is to be kept, now. What fails is logged.
    pub fn flush(&self) {
        self.each(|store| store.flush());
    }

    /// Writes what is to be kept; the stores are not used after. What fails is logged.
    pub fn close(&self) {
        self.each(|store| store.close());
    }

    fn each(&self, act: impl Fn(&dyn Store) -> Result<(), StoreError>) {
        for (_, store) in &self.named {
            if let Err(error) = act(&**store) {
                self.log
                    .say(Level::Error, format!("Error writing context: {error}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Result<Stores, StoreError> {
        Stores::from_settings(&vgdc_value::json::parse(text).expect("JSON"))
    }

    #[test]
    fn stores_are_chosen_by_name() {
        let stores = from(
            r#"{"contextStorage":{"a":{"module":"memory"},"b":{"module":"memory"},"default":"b"}}"#,
        )
        .expect("stores");
        assert_eq!(
            (stores.names().collect::<Vec<_>>(), stores.default_name()),
            (vec!["a", "b"], "b")
        );
        let flow = Scope::Flow("f".into());
        stores
            .set(&flow, "n.m[0]", Value::from(1), None)
            .expect("sets");
        assert_eq!(stores.get(&flow, "n.m[0]", Some("b")), Ok(Value::from(1)));
        assert_eq!(stores.get(&flow, "#:(b)::n.m[0]", None), Ok(Value::from(1)));
        assert_eq!(
            stores.get(&flow, "#:(b)::n.m[0]", Some("a")),
            Ok(Value::Undefined)
        );
        assert_eq!(stores.get(&flow, "n", Some("a")), Ok(Value::Undefined));
        stores.drop_scope(&flow).expect("drops");
        assert_eq!(
            stores.keys(&flow, None),
            Ok(vec!["n".to_owned()]),
            "stores that the settings name keep it"
        );
        stores.retain(&|scope| *scope == Scope::Global);
        assert_eq!(stores.keys(&flow, None), Ok(vec![]));
        let first = from(r#"{"contextStorage":{"a":{"module":"memory"},"b":{"module":"memory"}}}"#)
            .expect("stores");
        assert_eq!(first.default_name(), "a");
        let named =
            from(r#"{"contextStorage":{"a":{"module":"memory"},"default":{"module":"memory"}}}"#)
                .expect("stores");
        assert_eq!(named.default_name(), "default");
    }

    #[test]
    fn unknown_names_are_said_once() {
        let stores = Stores::memory_only();
        let said = Arc::new(Mutex::new(Vec::new()));
        stores
            .set(&Scope::Global, "a", Value::from(1), Some("memory"))
            .expect("sets");
        assert_eq!(
            stores.get(&Scope::Global, "a", Some("nosuch")),
            Ok(Value::from(1))
        );
        let lines = said.clone();
        stores
            .set_log(move |level, text| lines.lock().expect("lock").push((level, text.to_owned())));
        assert_eq!(
            stores.keys(&Scope::Global, Some("nosuch")),
            Ok(vec!["a".to_owned()])
        );
        let expected = "Unknown context store 'nosuch' specified. Using default store.".to_owned();
        assert_eq!(*said.lock().expect("lock"), [(Level::Warn, expected)]);
    }

    #[test]
    fn the_seed_of_the_global_context_may_be_hidden() {
        let stores = from(r#"{"functionGlobalContext":{"lib":1},"exportGlobalContextKeys":false}"#)
            .expect("stores");
        assert_eq!(stores.get(&Scope::Global, "lib", None), Ok(Value::from(1)));
        assert_eq!(stores.keys(&Scope::Global, None), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, expected) in [
            (
                r#"{"contextStorage":{"a":{}}}"#,
                "Context store 'a' missing 'module' option",
            ),
            (
                r#"{"contextStorage":{"a":{"module":"memory"},"default":"c"}}"#,
                "Default context store unknown: 'c'",
            ),
            (
                r#"{"contextStorage":{"a-b":{"module":"memory"}}}"#,
                "Invalid context store name: 'a-b'",
            ),
            (
                r#"{"contextStorage":{"a":{"module":"redis"}}}"#,
                "Error loading context store 'redis': Error: Cannot find module './redis'",
            ),
        ] {
            let message = from(text).map(drop).map_err(|e| e.message);
            assert_eq!(
                message,
                Err(format!("Error loading context store: Error: {expected}")),
                "{text}"
            );
        }
        assert_eq!(
            from(r#"{"contextStorage":{}}"#).map(|s| s.default_name().to_owned()),
            Ok("memory".to_owned())
        );
        assert_eq!(
            from(r#"{"contextStorage":{"_":{}}}"#).map(|s| s.default_name().to_owned()),
            Ok("memory".to_owned())
        );
    }
}
