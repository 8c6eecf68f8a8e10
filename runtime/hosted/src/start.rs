//! What a process of the host is started with.

use crate::files::Private;
use crate::find::Found;
use crate::limits::Limits;
use crate::part;
use crate::place::Inner;
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use vgdc_core::Shared;
use vgdc_core::value::Value;

/// How long the host may take to stop, beyond what its nodes may take to close.
const STOP: Duration = Duration::from_secs(2);

/// What a process of the host was started with: something else needs another process.
#[derive(PartialEq, Clone)]
pub(crate) struct Start {
    pub found: Found,
    /// What the settings name: Node.js, and the folder of Node-RED's runtime.
    named: (Option<PathBuf>, Option<PathBuf>),
    pub user_dir: PathBuf,
    packages: Vec<String>,
    /// When each of them was installed: code that is loaded stays what it was, so another version needs another process.
    installed: Vec<Option<SystemTime>>,
    types: BTreeSet<String>,
    settings: Json,
    stores: Vec<String>,
    default_store: String,
    pub env: HashMap<OsString, OsString>,
    pub heap_mb: u32,
    pub limits: Limits,
    pub timeout: Duration,
    pub close: Duration,
}

impl Start {
    /// What the deployment needs. Node.js is not looked for again where it would be looked for as `before`.
    pub fn of(inner: &Inner, shared: &Shared, before: Option<&Start>) -> Result<Start, String> {
        let host = shared.setting("host");
        let path = |name: &str| {
            host.get(name)
                .as_str()
                .filter(|text| !text.is_empty())
                .map(PathBuf::from)
        };
        let number = |name: &str, default: f64| {
            host.get(name)
                .as_f64()
                .filter(|n| *n > 0.0)
                .unwrap_or(default)
        };
        let user_dir = inner.user_dir.clone().or_else(|| path("userDir"));
        let user_dir = user_dir.unwrap_or_else(|| PathBuf::from("."));
        let user_dir = user_dir
            .canonicalize()
            .map_err(|e| format!("{}: {e}", user_dir.display()))?;
        let named = (path("node"), path("nodeRed"));
        let found = match before {
            Some(before) if before.named == named && before.user_dir == user_dir => {
                before.found.clone()
            }
            _ => Found::look(named.0.as_deref(), named.1.as_deref(), &user_dir)?,
        };
        let mut settings = shared.settings.clone();
        // (those are the program's own)
        for own in ["contextStorage", "credentialSecret", "logging", "host"] {
            settings.remove(own);
        }
        let close = shared
            .setting("nodeCloseTimeout")
            .as_f64()
            .filter(|ms| *ms > 0.0)
            .unwrap_or(15_000.0);
        let packages = inner.packages();
        Ok(Start {
            found,
            named,
            installed: packages.iter().map(|it| installed(&user_dir, it)).collect(),
            user_dir,
            packages,
            types: part::types(&shared.plan, &inner.name),
            settings: part::plain(&Value::Object(settings)),
            stores: shared.stores.names().map(str::to_owned).collect(),
            default_store: shared.stores.default_name().to_owned(),
            env: shared.env.process_all(),
            heap_mb: number("memory", 1024.0) as u32,
            limits: Limits::of(&host)?,
            timeout: Duration::from_secs_f64(number("timeout", 30.0)),
            close: Duration::from_secs_f64(close / 1e3) + STOP,
        })
    }

    pub fn frame(&self, folder: &Private, state: &std::path::Path, names: &str) -> Json {
        let settings_file = self.user_dir.join("settings.js");
        json!(["start", {
            "runtime": self.found.runtime,
            "userDir": self.user_dir,
            "settingsFile": settings_file.is_file().then_some(settings_file),
            "settings": self.settings,
            "packages": self.packages,
            "types": self.types,
            "stores": self.stores,
            "defaultStore": self.default_store,
            "socket": folder.file("http.sock"),
            "state": state,
            "names": names,
        }])
    }
}

fn installed(user_dir: &Path, package: &str) -> Option<SystemTime> {
    let about = user_dir
        .join("node_modules")
        .join(package)
        .join("package.json");
    std::fs::metadata(about).ok()?.modified().ok()
}

/// Where Node-RED's own settings are kept for a place.
pub(crate) fn state_folder(user_dir: &std::path::Path, place: &str) -> Option<PathBuf> {
    // (a place of one package is named `node.js/PACKAGE`)
    let name = match place.split_once('/') {
        Some((_, package)) => format!("host-{}", package.replace('/', "-")),
        None => "host".to_owned(),
    };
    let folder = user_dir.join(".vgdc").join(name);
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}
