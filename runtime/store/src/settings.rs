//! `contextStorage` of Node-RED's settings: which stores there are. Error texts are Node-RED's.

use crate::log::{Level, Log};
use crate::{Files, FilesConfig, Memory, Store, StoreError};
use std::sync::Arc;
use vgdc_value::{Object, Value};

/// A store and the name it goes by.
pub(crate) type Named = (String, Arc<dyn Store>);

/// The stores, and which of them is the default one.
pub(crate) struct Opened {
    pub(crate) named: Vec<Named>,
    pub(crate) default: usize,
    /// Those which are kept in files, for what only concerns them.
    pub(crate) files: Vec<Arc<Files>>,
    /// The settings name stores; else there is but the one in memory.
    pub(crate) configured: bool,
}

/// One store in memory, by the name that Node-RED gives it.
pub(crate) fn memory_only() -> Opened {
    Opened {
        named: vec![("memory".to_owned(), Arc::new(Memory::default()))],
        default: 0,
        files: Vec::new(),
        configured: false,
    }
}

/// Opens the stores that `contextStorage` names.
pub(crate) fn open(settings: &Value, log: &Log) -> Result<Opened, StoreError> {
    let wrapped = |e: StoreError| {
        StoreError::new(format!("Error loading context store: Error: {}", e.message))
    };
    match settings.get("contextStorage") {
        Value::Object(wanted) if !wanted.is_empty() => {
            open_all(&wanted, settings, log).map_err(wrapped)
        }
        _ => {
            log.say(Level::Info, store_line("default", "memory"));
            Ok(memory_only())
        }
    }
}

fn open_all(wanted: &Object, settings: &Value, log: &Log) -> Result<Opened, StoreError> {
    let mut opened = Opened {
        named: Vec::new(),
        default: 0,
        files: Vec::new(),
        configured: true,
    };
    let mut alias = None;
    for (name, store) in wanted.iter() {
        let name = name.as_str();
        // (Node-RED keeps this name to itself)
        if name == "_" {
            continue;
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(StoreError::new(format!(
                "Invalid context store name: '{name}'"
            )));
        }
        match store {
            Value::Str(other) if name == "default" => {
                if &**other == "default" || !wanted.contains_key(other) {
                    return Err(StoreError::new(format!(
                        "Default context store unknown: '{other}'"
                    )));
                }
                alias = Some(other.to_string());
            }
            store => open_one(&mut opened, name, store, settings, log)?,
        }
    }
    if opened.named.is_empty() {
        return Ok(memory_only());
    }
    let place = |wanted: &str| opened.named.iter().position(|(name, _)| name == wanted);
    opened.default = place(alias.as_deref().unwrap_or("default")).unwrap_or(0);
    Ok(opened)
}

fn open_one(
    opened: &mut Opened,
    name: &str,
    store: &Value,
    settings: &Value,
    log: &Log,
) -> Result<(), StoreError> {
    let module = store.get("module");
    let module = match &module {
        Value::Undefined => {
            return Err(StoreError::new(format!(
                "Context store '{name}' missing 'module' option"
            )));
        }
        module => module.to_js_string(),
    };
    match module.as_str() {
        "memory" => opened
            .named
            .push((name.to_owned(), Arc::new(Memory::default()))),
        "localfilesystem" => {
            let files = Arc::new(Files::open(
                FilesConfig::from_settings(&store.get("config"), settings),
                log.clone(),
            )?);
            opened.files.push(files.clone());
            opened.named.push((name.to_owned(), files));
        }
        "mesh" => {
            let store = crate::Shared::open(name, &store.get("config"))?;
            opened.named.push((name.to_owned(), Arc::new(store)));
        }
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let config = crate::SqliteConfig::from_settings(&store.get("config"), settings);
            let database = crate::Sqlite::open(config, log.clone())?;
            opened.named.push((name.to_owned(), Arc::new(database)));
        }
        #[cfg(not(feature = "sqlite"))]
        "sqlite" => {
            return Err(StoreError::new(format!(
                "Context store '{name}': this program was built without SQLite, since its settings named no such store then"
            )));
        }
        other => {
            return Err(StoreError::new(format!(
                "Error loading context store '{other}': Error: Cannot find module './{other}'"
            )));
        }
    }
    log.say(Level::Info, store_line(name, &module));
    Ok(())
}

fn store_line(name: &str, module: &str) -> String {
    format!("Context store  : '{name}' [module={module}]")
}
