//! **watch** — tells of changes to files and folders: what has been created or changed (`update`) and what is gone (`remove`).
//!
//! Several paths are separated by commas; folders can be watched with all that is in them. A message has the path as payload
//! and `filename`, the bare name as `file`, the `event`, the `type` of what is there, and a file's `size`. Changes of one name
//! within 200 ms are one message.

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::any::Any;
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vgdc_core::value::{ErrorValue, Msg, Value};
use vgdc_core::{Closing, Cx, Mailbox, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(200);

/// The form's properties.
#[derive(Config)]
pub struct WatchConfig {
    #[field(
        default = "",
        required = true,
        label = "Files",
        hint = "separated by commas"
    )]
    files: String,
    #[field(json = "\"\"", shown = Bool, label = "Folders in folders, too")]
    recursive: Value,
}

/// The behaviour.
pub struct Watch {
    topic: String,
    targets: Vec<Target>,
    /// Messages that are sent at once, each of them once, as several paths can lead to the same file.
    ready: Vec<(&'static str, String)>,
    flush: Option<TimerId>,
}

/// A path that is watched.
struct Target {
    seen: Arc<Seen>,
    gathering: Option<TimerId>,
    /// Watches as long as it is kept.
    _watcher: RecommendedWatcher,
}

/// What has been seen since messages were sent last.
#[derive(Default)]
struct Seen(Mutex<Gathered>);

#[derive(Default)]
struct Gathered {
    /// Names that have changed, in the order in which they were first seen, and how often.
    names: Vec<(String, usize)>,
    /// Folders that are new in one that is watched with all that is in it. What was in them at once, the system has not told of.
    folders: Vec<String>,
}

/// A path that is not there.
struct Missing(String);

/// Something has changed at the target of this number.
struct Changed(usize);

#[node(
    type = "watch",
    category = "storage",
    inputs = 0,
    outputs = 1,
    effect = Source,
    types = "object{payload: string, topic: string, file: string, filename: string, event: string, size: any, type: string}", text = First("files"), color = "burlywood", icon = "watch.svg")]
impl Node for Watch {
    type Config = WatchConfig;

    fn new(config: WatchConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mut files: Vec<&str> = config.files.split(',').map(str::trim).collect();
        let topic = match files.as_slice() {
            [one] => (*one).to_owned(),
            all => {
                let all: Vec<Value> = all.iter().map(|file| Value::from(*file)).collect();
                let text = vgdc_core::value::json::stringify(&Value::from(all), 0);
                text.ok().flatten().unwrap_or_default()
            }
        };
        let mut node = Watch {
            topic,
            targets: Vec::new(),
            ready: Vec::new(),
            flush: None,
        };
        let mut known = std::collections::HashSet::new();
        files.retain(|file| known.insert(*file));
        for file in files {
            match watch(
                file,
                config.recursive.truthy(),
                node.targets.len(),
                cx.mailbox(),
            ) {
                Ok(target) => node.targets.extend(target),
                // (told when all nodes are there: some may catch it)
                Err(why) => cx.mailbox().post(Missing(why)),
            }
        }
        Ok(node)
    }
}

/// Begins to watch a path; nothing where it is neither file nor folder.
fn watch(
    path: &str,
    recursive: bool,
    number: usize,
    mailbox: Mailbox,
) -> Result<Option<Target>, String> {
    let Ok(there) = std::fs::metadata(path) else {
        return Err(format!("{path} does not exist."));
    };
    // (a file is watched by the folder that it is in, so that it can come back)
    let (folder, only) = match there {
        there if there.is_file() => (joined(path, ".."), Some(absolute(path))),
        there if there.is_dir() => (path.to_owned(), None),
        _ => return Ok(None),
    };
    let deep = recursive && only.is_none();
    let mode = match deep {
        true => RecursiveMode::Recursive,
        false => RecursiveMode::NonRecursive,
    };
    let root = absolute(&folder);
    let seen = Arc::new(Seen::default());
    let told = {
        let (seen, root, folder) = (seen.clone(), root.clone(), folder.clone());
        move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !is_change(&event.kind) {
                return;
            }
            for path in &event.paths {
                if only.as_ref().is_some_and(|only| only != path) {
                    continue;
                }
                let Some(name) = shown(&folder, &root, path) else {
                    continue;
                };
                let is_folder =
                    || std::fs::symlink_metadata(path).is_ok_and(|there| there.is_dir());
                if deep && is_metadata(&event.kind) && is_folder() {
                    continue;
                }
                let is_new = deep && !matches!(event.kind, EventKind::Remove(_)) && is_folder();
                if seen.add(name, is_new) {
                    mailbox.post(Changed(number));
                }
            }
        }
    };
    let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
        watcher.watch(&root, mode)?;
        Ok(watcher)
    });
    match watcher {
        Ok(watcher) => Ok(Some(Target {
            seen,
            gathering: None,
            _watcher: watcher,
        })),
        Err(error) => Err(match error.kind {
            notify::ErrorKind::Io(error) => {
                let why = super::fs::FsError::at(&error, "watch", Path::new(&folder)).text();
                why.strip_prefix("Error: ")
                    .map_or(why.clone(), str::to_owned)
            }
            notify::ErrorKind::MaxFilesWatch => {
                format!(
                    "ENOSPC: System limit for number of file watchers reached, watch '{folder}'"
                )
            }
            _ => format!("{error}, watch '{folder}'"),
        }),
    }
}

/// What Node.js tells of: not of reading and closing.
fn is_change(kind: &EventKind) -> bool {
    use notify::event::{ModifyKind, RenameMode};
    match kind {
        EventKind::Access(_) => false,
        // (both ends of it have been told of)
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => false,
        _ => true,
    }
}

/// Of folders inside of a folder that is watched with all that is in it, Node-RED does not hear that.
fn is_metadata(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Modify(notify::event::ModifyKind::Metadata(_))
    )
}

/// The path of something in a folder, as the folder is written in the node.
fn shown(folder: &str, root: &Path, path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root).ok()?;
    // (of the folder itself the system gives its bare name, which Node-RED takes for something in it)
    let name = match inside.as_os_str().is_empty() {
        true => Path::new(root.file_name()?),
        false => inside,
    };
    Some(joined(folder, &name.to_string_lossy()))
}

/// How deep folders are looked into.
const DEEPEST: usize = 100;

impl Gathered {
    fn note(&mut self, name: String) {
        match self.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, times)) => *times += 1,
            None => self.names.push((name, 1)),
        }
    }

    fn note_inside(&mut self, folder: &str, depth: usize) {
        // (what cannot be read, or is gone again, has nothing to tell)
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut entries: Vec<_> = entries.map(|entry| (entry.file_name(), entry)).collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, entry) in entries {
            let name = joined(folder, &name.to_string_lossy());
            if !self.names.iter().any(|(known, _)| *known == name) {
                self.note(name.clone());
            }
            let is_folder = entry.file_type().is_ok_and(|ty| ty.is_dir());
            if is_folder && depth < DEEPEST {
                self.note_inside(&name, depth + 1);
            }
        }
    }
}

impl Seen {
    /// Notes a name; true when it is the first.
    fn add(&self, name: String, new_folder: bool) -> bool {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = gathered.names.is_empty();
        if new_folder {
            gathered.folders.push(name.clone());
        }
        gathered.note(name);
        first
    }

    /// What has gathered: names, each with what has happened to it.
    fn take(&self) -> Vec<(&'static str, String)> {
        let mut gathered =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in std::mem::take(&mut gathered.folders) {
            gathered.note_inside(&folder, 0);
        }
        let names = gathered.names;
        let is_there = |name: &str| Path::new(name).exists();
        let bare = |name: &str| {
            let name = name.strip_suffix('~').unwrap_or(name);
            name.strip_prefix(".#").unwrap_or(name).to_owned()
        };
        // (editors that save write to other files for a moment; those are not told of)
        let is_special =
            |name: &String| name.ends_with('~') || name.starts_with(".#") || name == "##";
        let mut times: HashMap<String, usize> = HashMap::new();
        for (name, count) in &names {
            *times.entry(bare(name)).or_default() += count;
        }
        let twice = times.values().any(|count| *count > 1);
        let only_there = twice && names.iter().any(|(name, _)| is_special(name));
        let mut events = Vec::new();
        for (name, _) in names {
            match is_there(&name) {
                true => events.push(("update", name)),
                false if only_there => {}
                false => events.push(("remove", name)),
            }
        }
        events
    }
}

fn absolute(path: &str) -> PathBuf {
    normal(&std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)))
}

/// Without `.` and `..`, as far as they can be taken out.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            part => out.push(part),
        }
    }
    out
}

/// As `path.join` does it.
fn joined(folder: &str, name: &str) -> String {
    let path = normal(&Path::new(folder).join(name));
    match path.to_string_lossy() {
        empty if empty.is_empty() => ".".to_owned(),
        path => path.into_owned(),
    }
}

/// What is there, in the words of the node.
fn kind_of(there: &Metadata) -> &'static str {
    if there.is_file() {
        return "file";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let ty = there.file_type();
        let special = [
            (ty.is_block_device(), "blockdevice"),
            (ty.is_char_device(), "characterdevice"),
            (ty.is_socket(), "socket"),
            (ty.is_fifo(), "fifo"),
        ];
        if let Some((_, name)) = special.into_iter().find(|(is, _)| *is) {
            return name;
        }
    }
    if there.is_dir() { "directory" } else { "n/a" }
}

impl Watch {
    fn message(&self, event: &str, name: String) -> Msg {
        let there = std::fs::metadata(&name).ok();
        let file = name
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let mut msg = Msg::with_payload(name.as_str());
        msg.insert("topic", self.topic.as_str());
        msg.insert("file", file);
        msg.insert("filename", name.as_str());
        msg.insert("event", event);
        if let Some(there) = there.as_ref().filter(|there| there.is_file()) {
            msg.insert("size", there.len());
        }
        msg.insert("type", there.as_ref().map_or("none", kind_of));
        msg
    }
}

impl Process for Watch {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let event = match event.downcast::<Missing>() {
            Ok(missing) => {
                let error = ErrorValue::new("Error", missing.0);
                let error = NodeError::from_value(error.into());
                return cx.error(error, Some(&Msg::with_payload("")));
            }
            Err(event) => event,
        };
        let Ok(changed) = event.downcast::<Changed>() else {
            return;
        };
        if let Some(target) = self.targets.get_mut(changed.0)
            && target.gathering.is_none()
        {
            target.gathering = Some(cx.set_timer(GATHER));
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        if self.flush == Some(timer) {
            self.flush = None;
            for (event, name) in std::mem::take(&mut self.ready) {
                let msg = self.message(event, name);
                cx.send(0, msg);
            }
            return;
        }
        let gathered = self
            .targets
            .iter_mut()
            .find(|target| target.gathering == Some(timer));
        let Some(target) = gathered else {
            return;
        };
        target.gathering = None;
        for event in target.seen.take() {
            if !self.ready.contains(&event) {
                self.ready.push(event);
            }
        }
        if self.flush.is_none() && !self.ready.is_empty() {
            self.flush = Some(cx.set_timer(Duration::from_millis(1)));
        }
    }

    fn close(&mut self, _: &mut Cx<'_>, _: bool) -> Closing {
        self.targets.clear();
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::{Value as Json, json};
    use std::path::Path;
    use vgdc_core::value::{Value, control::encode};

    fn flow(files: &str, recursive: bool) -> Flow {
        Flow::start(json!([
            {"id": "t", "type": "tab"},
            {"id": "n", "type": "watch", "z": "t", "files": files, "recursive": recursive, "wires": [["sink"]]},
            {"id": "sink", "type": "junction", "z": "t", "wires": [[]]},
        ]))
    }

    /// A folder with a file `f` and a folder `s`.
    fn folder() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().to_str().expect("a name").to_owned();
        std::fs::write(dir.path().join("f"), "").expect("writes");
        std::fs::create_dir(dir.path().join("s")).expect("a folder");
        (dir, path)
    }

    /// What a message tells: the path without the folder, the event, the type, the size.
    fn told(msg: &Value, folder: &str) -> Json {
        let name = msg.get("payload").to_js_string();
        let size = serde_json::from_str(&encode(&msg.get("size"))).expect("JSON");
        let size: Json = if msg.get("size").is_undefined() {
            Json::Null
        } else {
            size
        };
        let name = name.strip_prefix(folder).unwrap_or(&name);
        json!([
            name,
            msg.get("event").to_js_string(),
            msg.get("type").to_js_string(),
            size
        ])
    }

    /// A change, and what is told of it.
    type Change<'a> = (&'a dyn Fn(&Path), Json);

    /// What is told of some changes: each is made when the messages of the one before it have come.
    fn all_told(watched: &str, recursive: bool, changes: &[Change<'_>]) {
        let (dir, path) = folder();
        let flow = flow(&watched.replace("DIR", &path), recursive);
        let mut before = 0;
        for (change, expected) in changes {
            change(dir.path());
            let expected = expected.as_array().expect("an array");
            let all = flow.wait_received("sink", before + expected.len());
            let got: Vec<Json> = all[before..].iter().map(|msg| told(msg, &path)).collect();
            assert_eq!(&got, expected);
            before += expected.len();
        }
        assert_eq!(flow.received("sink").len(), before);
    }

    #[test]
    fn what_happens_in_a_folder_is_told() {
        let write = |dir: &Path| std::fs::write(dir.join("x"), "ab").expect("writes");
        let remove = |dir: &Path| std::fs::remove_file(dir.join("x")).expect("removes");
        let make = |dir: &Path| std::fs::create_dir(dir.join("n")).expect("a folder");
        let inside = |dir: &Path| {
            std::fs::write(dir.join("s/y"), "a").expect("writes");
            std::fs::rename(dir.join("f"), dir.join("g")).expect("renames");
        };
        all_told(
            "DIR",
            false,
            &[
                (&write, json!([["/x", "update", "file", 2]])),
                (&remove, json!([["/x", "remove", "none", null]])),
                (&make, json!([["/n", "update", "directory", null]])),
                (
                    &inside,
                    json!([["/f", "remove", "none", null], ["/g", "update", "file", 0]]),
                ),
            ],
        );
    }

    #[test]
    fn folders_are_watched_with_all_that_is_in_them() {
        let inside = |dir: &Path| std::fs::write(dir.join("s/y"), "a").expect("writes");
        let deep = |dir: &Path| {
            std::fs::create_dir_all(dir.join("p/q")).expect("folders");
            std::fs::write(dir.join("p/q/z"), "abc").expect("writes");
        };
        let later = |dir: &Path| std::fs::write(dir.join("p/q/z"), "abcd").expect("writes");
        all_told(
            "DIR",
            true,
            &[
                (&inside, json!([["/s/y", "update", "file", 1]])),
                (
                    &deep,
                    json!([
                        ["/p", "update", "directory", null],
                        ["/p/q", "update", "directory", null],
                        ["/p/q/z", "update", "file", 3]
                    ]),
                ),
                (&later, json!([["/p/q/z", "update", "file", 4]])),
            ],
        );
    }

    #[test]
    fn a_file_is_told_of_even_when_it_comes_back() {
        let other = |dir: &Path| {
            std::fs::write(dir.join("other"), "a").expect("writes");
            std::fs::remove_file(dir.join("f")).expect("removes");
        };
        let again = |dir: &Path| std::fs::write(dir.join("f"), "abc").expect("writes");
        let by_editor = |dir: &Path| {
            std::fs::write(dir.join("t"), "ab").expect("writes");
            std::fs::rename(dir.join("t"), dir.join("f")).expect("renames");
        };
        all_told(
            "DIR/f",
            false,
            &[
                (&other, json!([["/f", "remove", "none", null]])),
                (&again, json!([["/f", "update", "file", 3]])),
                (&by_editor, json!([["/f", "update", "file", 2]])),
            ],
        );
    }

    #[test]
    fn several_paths_tell_of_a_change_once() {
        let (dir, path) = folder();
        let flow = flow(&format!("{path}/f , {path}"), false);
        std::fs::write(dir.path().join("f"), "a").expect("writes");
        let got = flow.wait_received("sink", 1);
        assert_eq!(
            encode(&got[0].get("topic")),
            format!(r#""[\"{path}/f\",\"{path}\"]""#)
        );
        assert_eq!(got[0].get("file").as_str(), Some("f"));
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(flow.received("sink").len(), 1);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for (files, expected) in [
            ("/not/there", "Error: /not/there does not exist."),
            ("", "Error:  does not exist."),
        ] {
            let errors = flow(files, false).errors("n");
            assert_eq!(errors[0].to_js_string(), expected);
        }
    }
}
