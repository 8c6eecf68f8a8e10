//! The named stores of a runtime, as `contextStorage` in Node-RED's settings names them.

use crate::{Memory, Scope};
use vgdc_value::{ErrorValue, Object, PathError, Value};

/// Why a context cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// The text.
    pub message: String,
    /// `INVALID_EXPR` for a malformed key.
    pub code: Option<&'static str>,
}

impl StoreError {
    fn new(message: impl Into<String>) -> StoreError {
        StoreError { message: message.into(), code: None }
    }
}

impl From<PathError> for StoreError {
    fn from(error: PathError) -> Self {
        let code = Some(error.code).filter(|code| !code.is_empty());
        StoreError { message: error.message, code }
    }
}

impl From<StoreError> for ErrorValue {
    fn from(error: StoreError) -> Self {
        let value = ErrorValue::new("Error", error.message);
        match error.code {
            Some(code) => value.with("code", code),
            None => value,
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

/// The stores, by name; one is the default.
pub struct Stores {
    named: Vec<(String, Memory)>,
    /// Index into `named`.
    default: usize,
    /// What `functionGlobalContext` puts under the global context: read where the store has nothing.
    seed: Object,
}

impl Stores {
    /// One store in memory, named `memory`.
    pub fn memory_only() -> Stores {
        Stores { named: vec![("memory".to_owned(), Memory::default())], default: 0, seed: Object::new() }
    }

    /// Stores by the settings `contextStorage` (`{NAME:{module,config}}`; `default` may name another) and
    /// `functionGlobalContext`.
    ///
    /// # Errors
    /// A module that is not there; a default that names no store.
    pub fn from_settings(settings: &Value) -> Result<Stores, StoreError> {
        let seed = settings.get("functionGlobalContext").as_object().cloned().unwrap_or_default();
        let Value::Object(wanted) = settings.get("contextStorage") else {
            return Ok(Stores { seed, ..Stores::memory_only() });
        };
        let mut named = Vec::new();
        let mut alias = None;
        for (name, store) in wanted.iter() {
            match store {
                Value::Str(other) if name.as_str() == "default" => alias = Some(other.to_string()),
                store => {
                    let module = store.get("module");
                    match module.as_str() {
                        Some("memory") => named.push((name.as_str().to_owned(), Memory::default())),
                        Some(module) => {
                            return Err(StoreError::new(format!(
                                "context store \"{name}\": the module \"{module}\" is not there yet: use \"memory\""
                            )));
                        }
                        None => return Err(StoreError::new(format!("Error loading context store: missing module property for context store '{name}'"))),
                    }
                }
            }
        }
        if named.is_empty() {
            return Ok(Stores { seed, ..Stores::memory_only() });
        }
        let place = |wanted: &str| named.iter().position(|(name, _)| name == wanted);
        let default = match &alias {
            Some(other) => {
                let unknown = || StoreError::new(format!("Error loading context store: Invalid default context store: '{other}'"));
                place(other).ok_or_else(unknown)?
            }
            None => place("default").unwrap_or(0),
        };
        Ok(Stores { named, default, seed })
    }

    /// The names of the stores.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// The store of a name. One that is unknown is the default one, as in Node-RED.
    fn store(&self, name: Option<&str>) -> &Memory {
        let found = name.and_then(|wanted| self.named.iter().position(|(name, _)| name == wanted));
        &self.named[found.unwrap_or(self.default)].1
    }

    /// Reads a key, a property path; `undefined` when there is nothing.
    ///
    /// # Errors
    /// A malformed key.
    pub fn get(&self, scope: &Scope, key: &str, store: Option<&str>) -> Result<Value, StoreError> {
        let found = self.store(store).get(scope, key)?;
        if found.is_undefined() && *scope == Scope::Global && !self.seed.is_empty() {
            let path = vgdc_value::Path::parse(key)?;
            return Ok(path.get(&Value::Object(self.seed.clone())).unwrap_or(Value::Undefined));
        }
        Ok(found)
    }

    /// Writes a key, a property path; `undefined` deletes.
    ///
    /// # Errors
    /// A malformed key, or a way through what is no object.
    pub fn set(&self, scope: &Scope, key: &str, value: Value, store: Option<&str>) -> Result<(), StoreError> {
        self.store(store).set(scope, key, value)
    }

    /// The names of what is there.
    ///
    /// # Errors
    /// None of the stores in memory; others may fail to read.
    pub fn keys(&self, scope: &Scope, store: Option<&str>) -> Result<Vec<String>, StoreError> {
        let mut keys = self.store(store).keys(scope);
        if *scope == Scope::Global {
            let seeded: Vec<String> = self.seed.keys().map(|key| key.as_str().to_owned()).filter(|key| !keys.contains(key)).collect();
            keys.splice(0..0, seeded);
        }
        Ok(keys)
    }

    /// Drops the scopes for which `keep` says no.
    pub fn retain(&self, keep: &dyn Fn(&Scope) -> bool) {
        self.named.iter().for_each(|(_, store)| store.retain(keep));
    }

    /// Writes what is to be kept; the stores are not used after.
    pub fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_chosen_by_name() {
        let settings = vgdc_value::json::parse(
            r#"{"contextStorage":{"a":{"module":"memory"},"b":{"module":"memory"},"default":"b"},"functionGlobalContext":{"seed":{"x":1}}}"#,
        );
        let stores = Stores::from_settings(&settings.expect("JSON")).expect("stores");
        let flow = Scope::Flow("f".into());
        stores.set(&flow, "n.m[0]", Value::from(1), None).expect("sets");
        assert_eq!(stores.get(&flow, "n.m[0]", Some("b")), Ok(Value::from(1)));
        assert_eq!(stores.get(&flow, "n", Some("a")), Ok(Value::Undefined));
        assert_eq!(stores.get(&flow, "n.gone.x", None), Ok(Value::Undefined));
        assert_eq!(stores.get(&Scope::Global, "seed.x", None), Ok(Value::from(1)));
        stores.set(&Scope::Global, "k", Value::from(2), None).expect("sets");
        assert_eq!(stores.keys(&Scope::Global, None), Ok(vec!["seed".to_owned(), "k".to_owned()]));
        assert_eq!(stores.get(&flow, "a[", None).map_err(|e| e.code), Err(Some("INVALID_EXPR")));
        stores.retain(&|scope| *scope == Scope::Global);
        assert_eq!(stores.keys(&flow, None), Ok(vec![]));
        assert!("flow:f".parse() == Ok(flow) && "x:y".parse::<Scope>().is_err());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let from = |text: &str| Stores::from_settings(&vgdc_value::json::parse(text).expect("JSON")).map(drop);
        assert!(from(r#"{"contextStorage":{"a":{}}}"#).is_err());
        assert!(from(r#"{"contextStorage":{"a":{"module":"memory"},"default":"c"}}"#).is_err());
    }
}
