//! The `localfilesystem` module: context in JSON files, in the layout that Node-RED has, so that either can take over from
//! the other:
//!
//! ```text
//! BASE/global/global.json      BASE/FLOW/flow.json      BASE/FLOW/NODE.json
//! ```
//!
//! By default all is read when the store is opened and kept in memory; what changed is written after `flushInterval`, and
//! when the store is closed. Each file is written beside its place, synced, and moved there. With `cache: false` each
//! access reads or writes its file. A write that fails is logged and tried again after the next interval.

use crate::behind::{self, Behind, Unwritten, Writes};
use crate::log::Log;
use crate::{Memory, Scope, Store, StoreError, key};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vgdc_value::{Object, Value, json};

/// What `config` of the module says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesConfig {
    /// The folder that stores have their own in.
    pub dir: PathBuf,
    /// The folder that the files lie in.
    pub base: PathBuf,
    /// All is kept in memory, and written some time after it changed.
    pub cache: bool,
    /// How long after a change it is written.
    pub flush_interval: Duration,
}

impl FilesConfig {
    /// Reads `config`, with Node-RED's defaults: `dir` (else `userDir` of the settings, else `NODE_RED_HOME`, else
    /// `~/.node-red`), in it the folder `base` (`context`); `cache` true; `flushInterval` 30 (seconds).
    pub fn from_settings(config: &Value, settings: &Value) -> FilesConfig {
        let text = |value: Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let dir = text(config.get("dir"))
            .or_else(|| text(settings.get("userDir")))
            .map_or_else(home, PathBuf::from);
        let seconds = match config.get("flushInterval") {
            Value::Undefined => 30.0,
            other => other.to_number().max(0.0),
        };
        FilesConfig {
            base: dir.join(text(config.get("base")).unwrap_or_else(|| "context".to_owned())),
            dir,
            cache: matches!(config.get("cache"), Value::Undefined) || config.get("cache").truthy(),
            flush_interval: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        }
    }
}

/// The folder that Node-RED keeps its things in when nothing says another.
fn home() -> PathBuf {
    let var = |name: &str| {
        std::env::var_os(name)
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from)
    };
    match var("NODE_RED_HOME").filter(|dir| dir.join(".config.json").exists()) {
        Some(dir) => dir,
        None => var("HOME")
            .or_else(|| var("USERPROFILE"))
            .unwrap_or_default()
            .join(".node-red"),
    }
}

/// Which flow a node is in.
pub(crate) type FlowOf = Arc<dyn Fn(&str) -> Option<Arc<str>> + Send + Sync>;

/// Context in files.
pub struct Files {
    inner: Arc<Inner>,
}

struct Inner {
    config: FilesConfig,
    /// What the files hold. A node's scope is here `NODE:FLOW`, as Node-RED names it; a node without a flow (a config node)
    /// is kept as if it were one.
    cache: Memory,
    /// The scopes that nodes' contexts have in `cache`, by the node's id.
    nodes: RwLock<Nodes>,
    /// The scopes whose files are to be written.
    behind: Behind<Scope>,
}

#[derive(Default)]
struct Nodes {
    flow_of: Option<FlowOf>,
    /// The folders in which nodes' files were found.
    found: HashMap<String, Arc<str>>,
    known: HashMap<Arc<str>, Scope>,
}

impl Files {
    /// Opens the store: makes its folder, or reads what is there.
    ///
    /// # Errors
    /// A folder that cannot be made or read; a file that is no JSON.
    pub(crate) fn open(config: FilesConfig, log: Log) -> Result<Files, StoreError> {
        let inner = Inner {
            behind: Behind::new(config.flush_interval, log),
            config,
            cache: Memory::default(),
            nodes: RwLock::default(),
        };
        std::fs::create_dir_all(&inner.config.base).map_err(|e| failed(&inner.config.base, &e))?;
        inner.clear_away();
        if inner.config.cache {
            inner.load()?;
        }
        Ok(Files {
            inner: Arc::new(inner),
        })
    }

    /// Sets which flow a node is in.
    pub(crate) fn set_flow_of(&self, flow_of: FlowOf) {
        let mut nodes = self
            .inner
            .nodes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        nodes.flow_of = Some(flow_of);
        nodes.known.clear();
    }
}

impl Store for Files {
    fn get(&self, scope: &Scope, key: &str) -> Result<Value, StoreError> {
        let scope = self.inner.own(scope);
        if self.inner.config.cache {
            return self.inner.cache.get(&scope, key);
        }
        Ok(key::read(
            &self.inner.read(&scope)?.unwrap_or_default(),
            key,
        )?)
    }

    fn set(&self, scope: &Scope, key: &str, value: Value) -> Result<(), StoreError> {
        let scope = self.inner.own(scope);
        if self.inner.config.cache {
            self.inner.cache.set(&scope, key, value)?;
            behind::changed(&self.inner, scope);
            return Ok(());
        }
        let _writing = self.inner.behind.writing();
        let mut all = self.inner.read(&scope)?.unwrap_or_default();
        key::write(&mut all, key, value)?;
        self.inner.write(&scope, all)
    }

    fn keys(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        let scope = self.inner.own(scope);
        if self.inner.config.cache {
            return self.inner.cache.keys(&scope);
        }
        Ok(self
            .inner
            .read(&scope)?
            .unwrap_or_default()
            .keys()
            .map(|key| key.as_str().to_owned())
            .collect())
    }

    fn delete(&self, scope: &Scope) -> Result<(), StoreError> {
        let scope = self.inner.own(scope);
        let _writing = self.inner.behind.writing();
        self.inner.behind.forget(|pending| *pending != scope);
        self.inner.cache.delete(&scope)?;
        let file = self.inner.place(&scope);
        removed(&file, std::fs::remove_file(&file))
    }

    fn retain(&self, keep: &dyn Fn(&Scope) -> bool) -> Result<(), StoreError> {
        let _writing = self.inner.behind.writing();
        let keep = |scope: &Scope| self.inner.is_kept(scope, keep);
        self.inner.behind.forget(keep);
        self.inner.cache.retain(&keep)?;
        for (scope, file) in self.inner.list()? {
            if !keep(&scope) {
                removed(&file, std::fs::remove_file(&file))?;
                // (a folder goes with its last file; one that is not empty stays, which is no error)
                let _ = file.parent().map(std::fs::remove_dir);
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        behind::flush(&*self.inner)
    }

    fn close(&self) -> Result<(), StoreError> {
        behind::close(&*self.inner)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        behind::close_at_last(&*self.inner);
    }
}

impl Writes for Inner {
    type Item = Scope;

    fn behind(&self) -> &Behind<Scope> {
        &self.behind
    }

    fn write_all(&self, scopes: HashSet<Scope>) -> Result<(), Unwritten<Scope>> {
        let (mut items, mut first) = (Vec::new(), None);
        for scope in scopes {
            if let Err(error) = self.write(&scope, self.cache.whole(&scope).unwrap_or_default()) {
                items.push(scope);
                first.get_or_insert(error);
            }
        }
        match first {
            Some(why) => Err(Unwritten { items, why }),
            None => Ok(()),
        }
    }
}

impl Inner {
    /// The scope as it is kept here; see `cache`.
    fn own(&self, scope: &Scope) -> Scope {
        let Scope::Node(id) = scope else {
            return scope.clone();
        };
        if let Some(known) = self
            .nodes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .known
            .get(id)
        {
            return known.clone();
        }
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let flow = match &nodes.flow_of {
            Some(flow_of) => flow_of(id),
            None => nodes.found.get(&**id).cloned(),
        };
        let own = match flow {
            Some(flow) => Scope::Node(format!("{id}:{flow}").into()),
            None => Scope::Flow(id.clone()),
        };
        nodes.known.insert(id.clone(), own.clone());
        own
    }

    fn is_kept(&self, own: &Scope, keep: &dyn Fn(&Scope) -> bool) -> bool {
        match own {
            Scope::Global => true,
            Scope::Flow(id) => keep(own) || keep(&Scope::Node(id.clone())),
            Scope::Node(both) => match both.rsplit_once(':') {
                Some((node, flow)) => {
                    keep(&Scope::Flow(flow.into())) && keep(&Scope::Node(node.into()))
                }
                None => keep(own),
            },
        }
    }

    /// The file of a scope.
    fn place(&self, own: &Scope) -> PathBuf {
        let base = &self.config.base;
        match own {
            Scope::Global => base.join("global").join("global.json"),
            Scope::Flow(id) => base.join(file_name(id)).join("flow.json"),
            Scope::Node(both) => {
                let (node, flow) = both.rsplit_once(':').unwrap_or((both, both));
                base.join(file_name(flow))
                    .join(format!("{}.json", file_name(node)))
            }
        }
    }

    /// The files that are there, and the scopes that they hold.
    fn list(&self) -> Result<Vec<(Scope, PathBuf)>, StoreError> {
        let base = &self.config.base;
        let mut all = Vec::new();
        for folder in entries(base)? {
            let Some(name) = name_of(&folder).filter(|name| !name.starts_with('.')) else {
                continue;
            };
            if !folder.is_dir() {
                continue;
            }
            for file in entries(&folder)? {
                let Some(stem) =
                    name_of(&file).and_then(|name| name.strip_suffix(".json").map(id_of))
                else {
                    continue;
                };
                let flow = id_of(&name);
                let scope = match (flow.as_str(), stem.as_str()) {
                    ("global", _) => Scope::Global,
                    (flow, "flow") => Scope::Flow(flow.into()),
                    (flow, node) => Scope::Node(format!("{node}:{flow}").into()),
                };
                all.push((scope, file));
            }
        }
        Ok(all)
    }

    /// Removes what a process left that was killed while it wrote. (Files that cannot be removed are in nobody's way.)
    fn clear_away(&self) {
        let folders = entries(&self.config.base).unwrap_or_default();
        let files = folders
            .iter()
            .filter(|folder| folder.is_dir())
            .flat_map(|folder| entries(folder).unwrap_or_default());
        for file in files {
            if name_of(&file).is_some_and(|name| is_left_over(&name)) {
                let _ = std::fs::remove_file(&file);
            }
        }
    }

    fn load(&self) -> Result<(), StoreError> {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        for (scope, file) in self.list()? {
            if let Some(all) = parse(&file)? {
                if let Scope::Node(both) = &scope
                    && let Some((node, flow)) = both.rsplit_once(':')
                {
                    nodes.found.insert(node.to_owned(), flow.into());
                }
                self.cache.replace(scope, all);
            }
        }
        Ok(())
    }

    fn read(&self, own: &Scope) -> Result<Option<Object>, StoreError> {
        parse(&self.place(own))
    }

    fn write(&self, own: &Scope, all: Object) -> Result<(), StoreError> {
        let text =
            json::stringify(&Value::Object(all), 4).map_err(|e| StoreError::new(e.to_string()))?;
        let file = self.place(own);
        write_whole(&file, &text.unwrap_or_else(|| "{}".to_owned())).map_err(|e| failed(&file, &e))
    }
}

fn failed(at: &Path, error: &std::io::Error) -> StoreError {
    StoreError::new(format!("{}: {error}", at.display()))
}

/// A removal that found nothing has done its work.
fn removed(file: &Path, result: std::io::Result<()>) -> Result<(), StoreError> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(file, &error)),
        _ => Ok(()),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(folder, &error)),
        Ok(mut all) => {
            all.sort();
            Ok(all)
        }
    }
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
}

/// An id as a file's name. Node-RED's ids are names already; whatever could lead out of the folder is escaped.
fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (place, c) in id.char_indices() {
        match c {
            '/' | '\\' | '\0' | '%' => name.push_str(&format!("%{:02X}", c as u32)),
            '.' if place == 0 => name.push_str("%2E"),
            c => name.push(c),
        }
    }
    name
}

/// The id that a file's name stands for.
fn id_of(name: &str) -> String {
    let mut id = name.to_owned();
    for (escaped, c) in [
        ("%2F", "/"),
        ("%5C", "\\"),
        ("%00", "\0"),
        ("%2E", "."),
        ("%25", "%"),
    ] {
        id = id.replace(escaped, c);
    }
    id
}

fn parse(file: &Path) -> Result<Option<Object>, StoreError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(file, &error)),
    };
    if text.is_empty() {
        return Ok(Some(Object::new()));
    }
    match json::parse(&text) {
        Ok(Value::Object(all)) => Ok(Some(all)),
        _ => Err(StoreError::new(format!(
            "Invalid JSON in context file '{}'",
            file.display()
        ))),
    }
}

/// Whether a file is one that was being written: `NAME.json.MILLISECONDS.tmp`.
fn is_left_over(name: &str) -> bool {
    let middle = name
        .strip_suffix(".tmp")
        .and_then(|name| name.rsplit_once(".json."));
    middle.is_some_and(|(_, when)| !when.is_empty() && when.bytes().all(|b| b.is_ascii_digit()))
}

/// Writes a file so that, whatever happens, either the old or the new one is there.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{now}.tmp"));
    let beside = PathBuf::from(beside);
    let written = std::fs::File::create(&beside).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&beside, file));
    if moved.is_ok()
        && let Some(folder) = file.parent()
    {
        // The new name, too, is to be there when the machine comes back. (A file system that knows no such thing has it so.)
        let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    if moved.is_err() {
        // (what could not be written is of no use; if it cannot be removed either, the first error is the one to tell)
        let _ = std::fs::remove_file(&beside);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn open(base: &Path, cache: bool, seconds: u64) -> Files {
        let config = FilesConfig {
            dir: base.to_owned(),
            base: base.to_owned(),
            cache,
            flush_interval: Duration::from_secs(seconds),
        };
        Files::open(config, Log::default()).expect("opens")
    }

    fn in_flow(store: &Files) {
        store.set_flow_of(Arc::new(|node: &str| (node == "n").then(|| Arc::from("f"))));
    }

    fn scopes() -> [(Scope, &'static str); 4] {
        let (flow, node, config) = (
            Scope::Flow("f".into()),
            Scope::Node("n".into()),
            Scope::Node("c".into()),
        );
        [
            (Scope::Global, "global/global.json"),
            (flow, "f/flow.json"),
            (node, "f/n.json"),
            (config, "c/flow.json"),
        ]
    }

    #[test]
    fn files_lie_where_node_red_has_them_and_are_read_again() {
        for cache in [true, false] {
            let dir = tempfile::tempdir().expect("a folder");
            let base = dir.path().join("context");
            let store = open(&base, cache, 3600);
            in_flow(&store);
            for (scope, _) in scopes() {
                store
                    .set(&scope, "a.b", Value::from(scope.to_string()))
                    .expect("sets");
            }
            store.close().expect("closes");
            for (scope, file) in scopes() {
                let text = std::fs::read_to_string(base.join(file)).expect(file);
                assert_eq!(
                    text,
                    format!("{{\n    \"a\": {{\n        \"b\": \"{scope}\"\n    }}\n}}"),
                    "{file}"
                );
            }
            let again = open(&base, cache, 3600);
            in_flow(&again);
            for (scope, file) in scopes() {
                assert_eq!(
                    again.get(&scope, "a.b"),
                    Ok(Value::from(scope.to_string())),
                    "{file}"
                );
                assert_eq!(again.keys(&scope), Ok(vec!["a".to_owned()]), "{file}");
            }
            again
                .retain(&|scope| *scope != Scope::Node("n".into()))
                .expect("retains");
            assert!(!base.join("f/n.json").exists() && base.join("f/flow.json").exists());
            again.retain(&|_| false).expect("retains");
            assert!(!base.join("f").exists() && base.join("global/global.json").exists());
            again.delete(&Scope::Global).expect("deletes");
            assert!(!base.join("global/global.json").exists());
        }
    }

    #[test]
    fn what_changed_is_written_after_the_interval() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = open(dir.path(), true, 0);
        let file = dir.path().join("global/global.json");
        for n in [1, 2] {
            store
                .set(&Scope::Global, "a", Value::from(n))
                .expect("sets");
            let expected = format!("{{\n    \"a\": {n}\n}}");
            let end = Instant::now() + Duration::from_secs(20);
            while std::fs::read_to_string(&file).ok().as_ref() != Some(&expected) {
                assert!(Instant::now() < end, "it was never written");
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let leftovers = entries(&dir.path().join("global")).expect("entries");
        assert_eq!(leftovers, [file], "nothing is left beside the file");
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_away() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("f")).expect("a folder");
        for name in [
            "flow.json",
            "flow.json.1764470000000.tmp",
            "n.json..tmp",
            "n.json.x1.tmp",
        ] {
            std::fs::write(dir.path().join("f").join(name), "{}").expect("writes");
        }
        open(dir.path(), true, 3600);
        let left = entries(&dir.path().join("f")).expect("entries");
        let left: Vec<_> = left.iter().filter_map(|file| name_of(file)).collect();
        assert_eq!(left, ["flow.json", "n.json..tmp", "n.json.x1.tmp"]);
    }

    #[test]
    fn a_file_that_is_no_json_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("f")).expect("a folder");
        let file = dir.path().join("f/flow.json");
        for (text, good) in [("{", false), ("[1]", false), ("", true), ("{}", true)] {
            std::fs::write(&file, text).expect("writes");
            let config = FilesConfig {
                dir: dir.path().to_owned(),
                base: dir.path().to_owned(),
                cache: true,
                flush_interval: Duration::ZERO,
            };
            let opened = Files::open(config, Log::default())
                .map(drop)
                .map_err(|e| e.message);
            let expected = format!("Invalid JSON in context file '{}'", file.display());
            assert_eq!(opened, if good { Ok(()) } else { Err(expected) }, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_and_tried_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = open(dir.path(), true, 3600);
        // a file stands where the folder should be
        std::fs::write(dir.path().join("f"), "").expect("writes");
        store
            .set(&Scope::Flow("f".into()), "a", Value::from(1))
            .expect("sets");
        assert!(store.flush().is_err());
        std::fs::remove_file(dir.path().join("f")).expect("removes");
        store.flush().expect("it is written now");
        assert!(dir.path().join("f/flow.json").exists());
    }

    #[test]
    fn ids_do_not_lead_out_of_the_folder() {
        for (id, name) in [
            ("../x", "%2E.%2Fx"),
            ("a.b", "a.b"),
            ("..", "%2E."),
            ("a\\b%", "a%5Cb%25"),
            ("8f1c-2", "8f1c-2"),
        ] {
            assert_eq!(file_name(id), name);
            assert_eq!(id_of(name), id);
        }
    }

    #[test]
    fn settings_have_node_reds_defaults() {
        let from = |config: &str, settings: &str| {
            let value = |text: &str| json::parse(text).expect("JSON");
            FilesConfig::from_settings(&value(config), &value(settings))
        };
        let config = from("{}", r#"{"userDir":"/u"}"#);
        assert_eq!(
            config,
            FilesConfig {
                dir: "/u".into(),
                base: "/u/context".into(),
                cache: true,
                flush_interval: Duration::from_secs(30)
            }
        );
        let config = from(
            r#"{"dir":"/d","base":"b","cache":false,"flushInterval":-1}"#,
            r#"{"userDir":"/u"}"#,
        );
        assert_eq!(
            config,
            FilesConfig {
                dir: "/d".into(),
                base: "/d/b".into(),
                cache: false,
                flush_interval: Duration::ZERO
            }
        );
    }
}
