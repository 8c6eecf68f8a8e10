//! **file** — writes `msg.payload` to a file: at its end, in its place, or deletes the file.
//!
//! The file's name is a text, a property of the message, a JSONata expression or an environment variable. A line end can be
//! added to each payload (`appendNewline`), and folders made where they are missing (`createDir`). `overwriteFile` is `false` (at its
//! end), `true` or `delete`. Objects are written as JSON, buffers as they are, text in
//! the encoding that is chosen (or in that of `msg.encoding`).
//!
//! Messages are written in their order and sent on when they have been. What cannot be written is an error to catch.

use super::encoding::Encoding;
use super::fs::{FsError, place};
use std::any::Any;
use std::collections::VecDeque;
use std::fs::{File as Open, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use vgdc_core::value::{Buffer, ErrorValue, Msg, Object, Value, json};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, Process, TimerId};
use vgdc_expr::TypedValue;
use vgdc_macros_node::{Config, node};

/// Messages that may wait for a slow disk; what comes beyond is an error.
const LIMIT: usize = 100_000;
/// Messages that are written in one piece of work.
const BATCH: usize = 256;
/// How long a stopping node waits for the disk.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// The form's properties.
#[derive(Config)]
pub struct FileConfig {
    #[field(kind = Typed("filenameType"), label = "File", types = ["str", "msg", "jsonata", "env"])]
    filename: String,
    #[field(name = "filenameType", begin = "str")]
    filename_type: String,
    #[field(name = "overwriteFile", default = "false", label = "Action", choices = [("false", "Append"), ("true", "Overwrite"), ("delete", "Delete")])]
    overwrite: String,
    #[field(
        name = "appendNewline",
        default = false,
        begin = true,
        label = "A new line after each"
    )]
    append_newline: bool,
    #[field(name = "createDir", default = false, label = "Create the folder")]
    create_dir: bool,
    #[field(default = "none", label = "Encoding", choices = [("none", "As the text is"), ("setbymsg", "By msg.encoding"), ("utf8", "UTF-8"), ("latin1", "Latin 1"), ("utf16le", "UTF-16"), ("base64", "Base64"), ("hex", "Hexadecimal")])]
    encoding: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Append,
    /// Append, and keep the file open for the next message.
    AppendOpen,
    Overwrite,
    Delete,
}

/// A file's name, by its type; flows of old have none.
pub struct FileName(pub Result<TypedValue, NodeError>, &'static str);

impl FileName {
    /// Parses it.
    pub fn parse(text: &str, ty: &str) -> FileName {
        let (text, ty) = match (ty, text) {
            ("", "") => ("filename", "msg"),
            ("", text) => (text, "str"),
            (ty, text) => (text, ty),
        };
        let known = ["str", "msg", "env", "jsonata"]
            .into_iter()
            .find(|known| *known == ty)
            .unwrap_or("other");
        FileName(
            TypedValue::parse(ty, text).map_err(|e| NodeError::from_value(e.into())),
            known,
        )
    }

    /// The name for a message; empty when there is none.
    ///
    /// # Errors
    /// The expression's.
    pub fn of(&self, cx: &Cx<'_>, msg: &Msg) -> Result<String, NodeError> {
        let typed = self.0.as_ref().map_err(Clone::clone)?;
        let value = typed
            .eval(&cx.env(), msg)
            .map_err(|e| NodeError::from_value(e.into()))?;
        Ok(if value.is_nullish() {
            String::new()
        } else {
            value.to_js_string()
        })
    }
}

/// The behaviour.
pub struct File {
    config: FileConfig,
    name: FileName,
    action: Action,
    encoding: Option<Result<Encoding, String>>,
    queue: VecDeque<Msg>,
    /// The work that is under way will tell here.
    running: Option<mpsc::Receiver<Batch>>,
    kept: Option<Kept>,
}

/// A file that is kept open, and what it is in the file system.
struct Kept {
    file: Open,
    inode: Option<u64>,
}

/// One message to write.
struct Job {
    msg: Msg,
    path: PathBuf,
    shown: String,
    bytes: Buffer,
}

/// What became of messages.
struct Batch {
    kept: Option<Kept>,
    done: Vec<(Job, Result<(), String>)>,
}

/// Work is done; the batch is in the channel.
struct Ready;

#[node(type = "file", category = "storage", inputs = 1, outputs = 1, effect = Io, types = "msg{filename: string}", text = First("filename"), color = "burlywood", icon = "file-out.svg", label = "write file")]
impl Node for File {
    type Config = FileConfig;

    fn new(config: FileConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let name = FileName::parse(&config.filename, &config.filename_type);
        let stays = matches!(name.1, "str" | "env");
        let action = match config.overwrite.as_str() {
            "delete" => Action::Delete,
            "true" => Action::Overwrite,
            _ if stays && !config.filename.is_empty() => Action::AppendOpen,
            _ => Action::Append,
        };
        let encoding = match config.encoding.as_str() {
            "setbymsg" => None,
            "" => Some(Encoding::of("none")),
            name => Some(Encoding::of(name)),
        };
        Ok(File {
            config,
            name,
            action,
            encoding,
            queue: VecDeque::new(),
            running: None,
            kept: None,
        })
    }
}

impl File {
    /// Begins to write what waits, when nothing is being written.
    fn go_on(&mut self, cx: &mut Cx<'_>) {
        if self.running.is_some() {
            return;
        }
        let jobs = self.jobs(cx);
        if jobs.is_empty() {
            return;
        }
        let (sender, receiver) = mpsc::channel();
        self.running = Some(receiver);
        let (action, create_dir, kept) = (self.action, self.config.create_dir, self.kept.take());
        // (begun here and not in the task: a node that is closed before its task's first turn waits for what is written)
        let work = tokio::task::spawn_blocking(move || {
            // (a node that is gone wants no answer)
            let _ = sender.send(write_all(jobs, action, create_dir, kept));
        });
        cx.work(async move {
            // (a panic in there closes the channel, which is seen below)
            let _ = work.await;
            Ready
        });
    }

    /// What can be written now, in order; messages that write nothing are finished with at once, when it is their turn.
    fn jobs(&mut self, cx: &mut Cx<'_>) -> Vec<Job> {
        let mut jobs = Vec::new();
        while jobs.len() < BATCH {
            let Some(msg) = self.queue.pop_front() else {
                break;
            };
            match self.prepare(cx, msg) {
                Ok(job) => jobs.push(job),
                Err(unwritten) if jobs.is_empty() => unwritten.finish(cx),
                Err(unwritten) => {
                    // (its turn comes when those before it are written)
                    self.queue.push_front(unwritten.msg);
                    break;
                }
            }
        }
        jobs
    }

    fn prepare(&self, cx: &mut Cx<'_>, mut msg: Msg) -> Result<Job, Unwritten> {
        let name = match self.name.of(cx, &msg) {
            Ok(name) => name,
            Err(error) => {
                return Err(Unwritten {
                    msg,
                    error: Some(error),
                    warning: None,
                    thrown: false,
                });
            }
        };
        msg.insert("filename", name.as_str());
        if name.is_empty() {
            return Err(Unwritten {
                msg,
                error: None,
                warning: Some("No filename specified"),
                thrown: false,
            });
        }
        let path = place(cx, &name);
        if self.action == Action::Delete {
            return Ok(Job {
                msg,
                path,
                shown: name,
                bytes: Buffer::from(Vec::new()),
            });
        }
        if msg.payload().is_undefined() {
            return Err(Unwritten {
                msg,
                error: None,
                warning: None,
                thrown: false,
            });
        }
        match self.bytes(&msg) {
            Ok(bytes) => Ok(Job {
                msg,
                path,
                shown: name,
                bytes,
            }),
            Err(error) => Err(Unwritten {
                msg,
                error: Some(error),
                warning: None,
                thrown: true,
            }),
        }
    }

    fn bytes(&self, msg: &Msg) -> Result<Buffer, NodeError> {
        if msg.get("parts").is_some_and(Value::is_nullish) {
            let kind = msg
                .get("parts")
                .map(Value::to_js_string)
                .unwrap_or_default();
            let message = format!("Cannot read properties of {kind} (reading 'type')");
            return Err(NodeError::from_value(
                ErrorValue::new("TypeError", message).into(),
            ));
        }
        let by_msg;
        let encoding = match &self.encoding {
            Some(encoding) => encoding,
            None => {
                let name = msg
                    .get("encoding")
                    .filter(|name| name.truthy())
                    .map_or_else(|| "none".to_owned(), Value::to_js_string);
                by_msg = Encoding::of(&name);
                &by_msg
            }
        };
        let encoding = encoding
            .as_ref()
            .map_err(|why| NodeError::from_value(ErrorValue::new("Error", why.as_str()).into()))?;
        let payload = msg.payload();
        let mut text = match payload {
            Value::Buffer(_) => String::new(),
            Value::Str(text) => text.to_string(),
            Value::Number(_) | Value::Bool(_) => payload.to_js_string(),
            other => json::stringify(other, 0)
                .map_err(|e| NodeError::from_value(e.into()))?
                .unwrap_or_default(),
        };
        if self.config.append_newline && !is_last_part(msg) {
            text.push('\n');
        }
        Ok(encoding.bytes(payload, || text))
    }

    fn written(&mut self, cx: &mut Cx<'_>, batch: Batch) {
        self.kept = batch.kept;
        for (job, result) in batch.done {
            let Job { msg, shown, .. } = job;
            let completion = cx.completion(&msg);
            match result {
                Ok(()) => {
                    if self.action == Action::Delete {
                        cx.log(Level::Debug, format!("deleted file: {shown}"));
                    }
                    cx.send(0, msg);
                }
                Err(why) => cx.error(why, Some(&msg)),
            }
            cx.done(completion);
        }
    }
}

/// A message that writes nothing.
struct Unwritten {
    msg: Msg,
    error: Option<NodeError>,
    warning: Option<&'static str>,
    /// It was thrown: the node never says that it is done with the message.
    thrown: bool,
}

impl Unwritten {
    fn finish(self, cx: &mut Cx<'_>) {
        if let Some(warning) = self.warning {
            cx.warn(warning);
        }
        if let Some(error) = self.error {
            cx.error(error, Some(&self.msg));
        }
        if !self.thrown {
            cx.done_with(&self.msg);
        }
    }
}

/// True for the last part of a text that was split: it ends as it is.
fn is_last_part(msg: &Msg) -> bool {
    msg.get("parts").is_some_and(|parts| {
        parts.get("type").as_str() == Some("string")
            && parts.get("count").to_number() == parts.get("index").to_number() + 1.0
    })
}

impl Process for File {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if self.queue.len() >= LIMIT {
            return cx.error(
                format!("{LIMIT} messages are waiting for the disk: this one is not written"),
                Some(&msg),
            );
        }
        let shows_name = self.config.filename.is_empty()
            && !self.config.filename_type.is_empty()
            && self.running.is_none()
            && self.name.of(cx, &msg).is_ok();
        self.queue.push_back(msg);
        self.go_on(cx);
        if shows_name {
            cx.set_timer(Duration::from_millis(333));
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if !event.is::<Ready>() {
            return;
        }
        let batch = self.running.take().and_then(|running| running.recv().ok());
        match batch {
            Some(batch) => self.written(cx, batch),
            None => cx.error("internal error while writing a file", None),
        }
        self.go_on(cx);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, _: TimerId) {
        cx.status(grey(""));
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        // What was taken is written before the node stops, and goes on its way: the only moment when it waits for the disk.
        if let Some(batch) = self
            .running
            .take()
            .and_then(|running| running.recv_timeout(CLOSE_LIMIT).ok())
        {
            self.written(cx, batch);
        }
        while !self.queue.is_empty() {
            let jobs = self.jobs(cx);
            if !jobs.is_empty() {
                let batch = write_all(jobs, self.action, self.config.create_dir, self.kept.take());
                self.written(cx, batch);
            }
        }
        self.kept = None;
        cx.status(Value::Undefined);
        None
    }
}

/// A status that shows a file's name, though it may have none.
pub fn grey(text: &str) -> Object {
    [("fill", "grey"), ("shape", "dot"), ("text", text)]
        .into_iter()
        .collect()
}

fn write_all(jobs: Vec<Job>, action: Action, create_dir: bool, mut kept: Option<Kept>) -> Batch {
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        let result = write(&job, action, create_dir, &mut kept);
        done.push((job, result));
    }
    Batch { kept, done }
}

fn write(
    job: &Job,
    action: Action,
    create_dir: bool,
    kept: &mut Option<Kept>,
) -> Result<(), String> {
    let path = job.path.as_path();
    if action == Action::Delete {
        let removed = std::fs::remove_file(path);
        return removed.map_err(|e| {
            format!(
                "failed to delete file: {}",
                FsError::at(&e, "unlink", path).text()
            )
        });
    }
    if create_dir && let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        let made = std::fs::create_dir_all(dir);
        made.map_err(|e| {
            format!(
                "failed to create file: {}",
                FsError::at(&e, "mkdir", dir).text()
            )
        })?;
    }
    if action == Action::Overwrite {
        let failed = |error: FsError| format!("failed to write to file: {}", error.text());
        let mut file = Open::create(path).map_err(|e| failed(FsError::at(&e, "open", path)))?;
        return file
            .write_all(&job.bytes)
            .map_err(|e| failed(FsError::of(&e, "write")));
    }
    append(job, action, kept).map_err(|error| format!("failed to append to file: {}", error.text()))
}

fn append(job: &Job, action: Action, kept: &mut Option<Kept>) -> Result<(), FsError> {
    let path = job.path.as_path();
    // A file that was deleted or replaced meanwhile is opened anew.
    if kept.as_ref().is_some_and(|kept| {
        kept.inode.is_none() || kept.inode != inode(std::fs::metadata(path).ok())
    }) {
        *kept = None;
    }
    let open = match kept {
        Some(open) => open,
        None => {
            let file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|e| FsError::at(&e, "open", path))?;
            let inode = inode(file.metadata().ok());
            kept.insert(Kept { file, inode })
        }
    };
    let written = open
        .file
        .write_all(&job.bytes)
        .map_err(|e| FsError::of(&e, "write"));
    if action == Action::Append || written.is_err() {
        *kept = None;
    }
    written
}

#[cfg(unix)]
fn inode(metadata: Option<std::fs::Metadata>) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    metadata.map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn inode(metadata: Option<std::fs::Metadata>) -> Option<u64> {
    // (the time of creation tells as much)
    let created = metadata?.created().ok()?;
    created
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .map(|since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::{Value as Json, json};

    fn flow(config: Json) -> Flow {
        let mut node = json!({"id": "n", "type": "file", "z": "t", "overwriteFile": "false", "wires": [["sink"]]});
        for (key, value) in config.as_object().expect("an object") {
            node[key] = value.clone();
        }
        Flow::start(json!([
            {"id": "t", "type": "tab"}, node, {"id": "sink", "type": "junction", "z": "t", "wires": [[]]},
            {"id": "c", "type": "catch", "z": "t", "scope": null, "wires": [["caught"]]}, {"id": "caught", "type": "junction", "z": "t", "wires": [[]]},
        ]))
    }

    #[test]
    fn payloads_are_appended_and_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a").join("b.txt");
        let name = path.to_str().expect("a name");
        for (overwrite, name_type, expected) in [
            ("false", "str", "1\ntwo\n{\"a\":1}\n"),
            ("false", "msg", "1\ntwo\n{\"a\":1}\n"),
            ("true", "str", "{\"a\":1}\n"),
        ] {
            let filename = if name_type == "msg" { "where" } else { name };
            let flow = flow(
                json!({"filename": filename, "filenameType": name_type, "appendNewline": true, "overwriteFile": overwrite, "createDir": true}),
            );
            for payload in [json!(1), json!("two"), json!({"a": 1})] {
                flow.post("n", json!({"payload": payload, "where": name}));
            }
            let got = flow.wait_received("sink", 3);
            assert_eq!(got[0].get("filename").as_str(), Some(name));
            flow.settle();
            assert_eq!(
                std::fs::read_to_string(&path).expect("a file"),
                expected,
                "{overwrite} {name_type}"
            );
            assert_eq!(flow.finished("n").len(), 3);
            drop(flow);
            std::fs::remove_file(&path).expect("a file");
        }
    }

    #[test]
    fn a_file_that_went_away_is_made_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("f");
        let flow = flow(json!({"filename": path.to_str(), "filenameType": "str"}));
        flow.receive("n", json!({"payload": "a"}));
        std::fs::remove_file(&path).expect("a file");
        flow.receive("n", json!({"payload": "b"}));
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "b");
    }

    #[test]
    fn files_are_deleted() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("f");
        std::fs::write(&path, "x").expect("writes");
        let flow = flow(
            json!({"filename": path.to_str(), "filenameType": "str", "overwriteFile": "delete"}),
        );
        flow.receive("n", json!({"payload": "a"}));
        assert!(!path.exists());
        flow.receive("n", json!({"payload": "a"}));
        let expected = format!(
            "failed to delete file: Error: ENOENT: no such file or directory, unlink '{}'",
            path.display()
        );
        assert_eq!(flow.errors("n")[0].to_js_string(), expected);
        assert_eq!(
            (flow.received("sink").len(), flow.finished("n").len()),
            (1, 2)
        );
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let flow = flow(json!({"filename": "/dev/full", "filenameType": "str"}));
        flow.receive("n", json!({"payload": "a"}));
        let caught = flow.one_received("caught");
        assert_eq!(
            caught.get("error").get("message").as_str(),
            Some("failed to append to file: Error: ENOSPC: no space left on device, write")
        );
        let flow = self::flow(
            json!({"filename": "/nowhere/at/all", "filenameType": "str", "overwriteFile": "true"}),
        );
        flow.receive("n", json!({"payload": "a"}));
        let expected = "failed to write to file: Error: ENOENT: no such file or directory, open '/nowhere/at/all'";
        assert_eq!(flow.errors("n")[0].to_js_string(), expected);
        let flow = self::flow(json!({}));
        flow.receive("n", json!({"payload": "a"}));
        assert_eq!(flow.logs("n")[0].1.to_js_string(), "No filename specified");
        assert_eq!(flow.finished("n").len(), 1);
    }

    #[test]
    fn a_stopping_node_writes_what_it_has_taken() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut flow =
            flow(json!({"filename": "name", "filenameType": "msg", "overwriteFile": "true"}));
        for n in 0..20 {
            let name = dir.path().join(n.to_string());
            flow.post(
                "n",
                json!({"payload": "x".repeat(100_000), "name": name.to_str()}),
            );
        }
        flow.wait(|| (flow.received("n").len() == 20).then_some(()));
        flow.stop();
        let all = std::fs::read_dir(dir.path()).expect("a folder").count();
        assert_eq!(all, 20);
    }
}
