//! One process of the host, from its start to its end.

use crate::files::Private;
use crate::hear::{at, hear, kind, list, read_all, say};
use crate::place::Inner;
use crate::process::Started;
use crate::start::{Start, state_folder};
use crate::supervise::{Command, Wanted};
use crate::{contexts, part, process};
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vgdc_core::value::Value;
use vgdc_core::{DeployType, Level, NodeError, Told};

/// How long Node-RED and its packages may take to load, and flows to start.
const START: Duration = Duration::from_secs(120);
/// How often it is asked whether it lives.
const PING: Duration = Duration::from_secs(2);

/// How a session of the host ended.
pub(crate) enum End {
    /// Nothing is to run any more, or the program ends.
    Asked,
    /// Something else is to run that needs a new process.
    Anew,
    /// It failed.
    Failed(String),
    /// It cannot be started at all, as the settings and the machine are.
    Unable(String),
}

/// A running host.
struct Session {
    writer: OwnedWriteHalf,
    /// The socket takes no more for now.
    blocked: bool,
    number: u64,
    /// Whom the end of a deployment is told.
    deploying: Vec<(u64, Vec<oneshot::Sender<()>>)>,
    settling: Vec<(u64, oneshot::Sender<()>)>,
    last_pong: Instant,
    dropped: f64,
    up: bool,
}

/// Runs the host once, until it ends or something else is wanted.
pub(crate) async fn session(
    inner: &Arc<Inner>,
    wanted: &mut Wanted,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) -> End {
    let Some(shared) = inner.shared() else {
        return End::Asked;
    };
    let begun = Instant::now();
    let start = match Start::of(inner, &shared, None) {
        Ok(start) => start,
        Err(why) => return End::Unable(why),
    };
    let folder = match Private::new() {
        Ok(folder) => folder,
        Err(error) => return End::Failed(format!("no folder for its program: {error}")),
    };
    let state = state_folder(&start.user_dir, &inner.name);
    let state = state.unwrap_or_else(|| folder.path().to_owned());
    let Started {
        mut child,
        link,
        writer,
        line,
    } = match process::start(&start, &folder, &state) {
        Ok(started) => started,
        Err(why) => return End::Unable(why),
    };
    let for_line = inner.clone();
    let serving = std::thread::Builder::new()
        .name("host-contexts".into())
        .spawn(move || contexts::serve(line, &|| for_line.shared()));
    if let Err(error) = serving {
        return End::Failed(format!("no thread for contexts: {error}"));
    }
    let last_words = Rc::new(RefCell::new(VecDeque::new()));
    hear(inner, child.stdout.take(), &last_words);
    hear(inner, child.stderr.take(), &last_words);
    inner.outgoing().open(writer);
    let (reader, writer) = link.into_split();
    let (frames, mut heard) = mpsc::channel(64);
    tokio::task::spawn_local(read_all(inner.clone(), reader, frames));
    let mut session = Session {
        writer,
        blocked: false,
        number: 0,
        deploying: Vec::new(),
        settling: Vec::new(),
        last_pong: Instant::now(),
        dropped: 0.0,
        up: false,
    };
    let names = inner.new_process();
    let mut end = session
        .say(inner, &start.frame(&folder, &state, &names))
        .or_else(|| session.deploy(inner, wanted));
    let mut ping = tokio::time::interval(PING);
    while end.is_none() {
        end = tokio::select! {
            frame = heard.recv() => match frame {
                Some(frame) => session.heard(inner, &start, &folder, begun, frame),
                None => Some(End::Failed(ended(&mut child, &last_words).await)),
            },
            () = inner.wake.notified() => session.pump(inner),
            ready = session.writer.writable(), if session.blocked => match ready {
                Ok(()) => session.pump(inner),
                Err(error) => Some(broken(&error)),
            },
            _ = ping.tick() => session.ping(inner, &start, begun),
            command = commands.recv() => match command {
                Some(command) => session.command(inner, &start, wanted, command),
                None => Some(End::Asked),
            },
        };
    }
    inner.pages.remove(&inner.name);
    let end = end.unwrap_or(End::Asked);
    if matches!(end, End::Asked | End::Anew) {
        session
            .close(inner, &mut child, &mut heard, start.close)
            .await;
        // (what is on its way to a host that is to stop goes with it, as in Node-RED)
        inner.outgoing().lose();
    }
    let _ = child.kill().await;
    for (_, replies) in session.deploying.drain(..) {
        wanted.replies.extend(replies);
    }
    // (nothing is on its way in a process that is gone)
    drop(session.settling);
    end
}

/// Why the host ended.
async fn ended(child: &mut Child, last_words: &RefCell<VecDeque<String>>) -> String {
    let status = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
    let status = match status {
        Ok(Ok(status)) => how(status),
        _ => "its link broke".to_owned(),
    };
    // (what it wrote last is read by tasks of their own)
    tokio::time::sleep(Duration::from_millis(20)).await;
    let words: Vec<String> = last_words.borrow_mut().drain(..).collect();
    match words.is_empty() {
        true => status,
        false => format!("{status}; it said last:\n{}", words.join("\n")),
    }
}

fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(134), _) | (_, Some(6)) => "it ran out of memory or aborted".to_owned(),
        (Some(code), _) => format!("it ended with the code {code}"),
        (None, Some(signal)) => format!("it was killed by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

impl Session {
    /// Says something to the host, as soon as the socket takes it.
    fn say(&mut self, inner: &Inner, frame: &Json) -> Option<End> {
        let said = inner.outgoing().say(&frame.to_string());
        match said {
            Ok(()) => self.pump(inner),
            Err(error) => Some(broken(&error)),
        }
    }

    /// Writes what there is to write, as far as the socket takes it.
    fn pump(&mut self, inner: &Inner) -> Option<End> {
        let socket: &UnixStream = self.writer.as_ref();
        match socket.try_io(Interest::WRITABLE, || inner.outgoing().flush()) {
            Ok(()) => self.blocked = false,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
            Err(error) => return Some(broken(&error)),
        }
        None
    }

    /// Has the host run what is wanted.
    fn deploy(&mut self, inner: &Inner, wanted: &mut Wanted) -> Option<End> {
        let shared = inner.shared()?;
        self.number += 1;
        let mut deployment = part::part(&shared, &inner.name, &wanted.without);
        let ty = match wanted.ty {
            DeployType::Full => "full",
            DeployType::Flows => "flows",
            DeployType::Nodes => "nodes",
        };
        deployment.insert("type".to_owned(), ty.into());
        deployment.insert("number".to_owned(), self.number.into());
        deployment.insert("watched".to_owned(), inner.watched());
        self.deploying
            .push((self.number, std::mem::take(&mut wanted.replies)));
        self.say(inner, &json!(["deploy", deployment]))
    }

    fn ping(&mut self, inner: &Inner, start: &Start, begun: Instant) -> Option<End> {
        let quiet = self.last_pong.elapsed();
        if !self.up && begun.elapsed() > START {
            return Some(End::Failed(format!(
                "it was not ready after {} s",
                START.as_secs()
            )));
        }
        if self.up && quiet > start.timeout {
            let text = format!(
                "it has not answered for {} s: a node keeps it busy",
                quiet.as_secs()
            );
            return Some(End::Failed(text));
        }
        if self.up {
            return self.say(inner, &json!(["ping", 0]));
        }
        None
    }

    fn heard(
        &mut self,
        inner: &Inner,
        start: &Start,
        folder: &Private,
        begun: Instant,
        frame: Value,
    ) -> Option<End> {
        match kind(&frame) {
            "loaded" => {
                let loaded = at(&frame, 1);
                for set in list(&loaded.get("sets")) {
                    let error = set.get("error");
                    if let Some(error) = error.as_str() {
                        let text = format!(
                            "the package {} {} could not load {}: {error}",
                            set.get("module").to_js_string(),
                            set.get("version").to_js_string(),
                            set.get("name").to_js_string(),
                        );
                        say(inner, Level::Error, text);
                    }
                }
                if let Err(error) = inner.pages.add(&inner.name, folder.file("http.sock")) {
                    let text = format!("the packages' pages cannot be shown: {error}");
                    say(inner, Level::Error, text);
                }
            }
            "deployed" => {
                let number = at(&frame, 1).as_f64().unwrap_or_default() as u64;
                if !self.up {
                    self.up = true;
                    inner.outgoing().set_up();
                    self.last_pong = Instant::now();
                    say(
                        inner,
                        Level::Info,
                        format!(
                            "{} run in Node-RED {} on Node.js {} (ready after {} ms)",
                            inner.label(),
                            start.found.version,
                            start.found.node.version,
                            begun.elapsed().as_millis(),
                        ),
                    );
                    // (what waits is sent at the next turn)
                    inner.wake.notify_one();
                }
                self.deploying.retain_mut(|(deployed, replies)| {
                    let is_done = *deployed <= number;
                    if is_done {
                        for reply in replies.drain(..) {
                            // (whoever asked may have gone)
                            let _ = reply.send(());
                        }
                    }
                    !is_done
                });
            }
            "failed" => {
                // A node that could not start: the rest runs.
                let id = at(&frame, 1).as_str().unwrap_or_default();
                inner.tell(
                    id,
                    Told::Error(NodeError::from_value(at(&frame, 2).clone()), None),
                );
            }
            "settled" => {
                let number = at(&frame, 1).as_f64().unwrap_or_default() as u64;
                if let Some(at) = self.settling.iter().position(|(asked, _)| *asked == number) {
                    let _ = self.settling.swap_remove(at).1.send(());
                }
            }
            "pong" => {
                self.last_pong = Instant::now();
                let dropped = at(&frame, 2).get("dropped").as_f64().unwrap_or_default();
                if dropped > self.dropped {
                    let text = format!(
                        "packages' nodes send faster than the flows take it: {} messages are dropped",
                        dropped - self.dropped
                    );
                    say(inner, Level::Error, text);
                    self.dropped = dropped;
                }
            }
            "answer" => {
                // Any stand-in can give it: the response knows whom it answers.
                if let Some(id) = inner.ids().first() {
                    let told = Told::Answer(at(&frame, 1).clone(), at(&frame, 2).clone());
                    inner.tell(id, told);
                }
            }
            "crash" => {
                return Some(End::Failed(crash(
                    at(&frame, 1).as_str().unwrap_or_default(),
                )));
            }
            _ => {}
        }
        None
    }

    fn command(
        &mut self,
        inner: &Inner,
        start: &Start,
        wanted: &mut Wanted,
        command: Command,
    ) -> Option<End> {
        match command {
            Command::Deploy { ty, reply } => {
                wanted.ty = ty;
                wanted.without.clear();
                wanted.replies.push(reply);
                let shared = inner.shared()?;
                match Start::of(inner, &shared, Some(start)) {
                    Ok(now) if now == *start => {}
                    _ => {
                        wanted.ty = DeployType::Full;
                        return Some(End::Anew);
                    }
                }
                self.deploy(inner, wanted)
            }
            Command::Stop { nodes, reply } => {
                wanted.replies.push(reply);
                if let Some(nodes) = nodes {
                    wanted.without.extend(nodes);
                    wanted.ty = DeployType::Nodes;
                    return self.deploy(inner, wanted);
                }
                Some(End::Asked)
            }
            Command::Settle { reply } => {
                if !self.up {
                    let _ = reply.send(());
                    return None;
                }
                self.number += 1;
                self.settling.push((self.number, reply));
                let number = self.number;
                let settle = json!(["settle", number]).to_string();
                // (what was sent before is to have got there when it is answered)
                let said = inner.outgoing().say_last(&settle);
                match said {
                    Ok(()) => self.pump(inner),
                    Err(error) => Some(broken(&error)),
                }
            }
        }
    }

    /// Ends the host in order: its nodes close.
    async fn close(
        &mut self,
        inner: &Inner,
        child: &mut Child,
        heard: &mut mpsc::Receiver<Value>,
        within: Duration,
    ) {
        let ending = async {
            let mut end = self.say(inner, &json!(["stop", Map::new()]));
            while end.is_none() && self.blocked && self.writer.writable().await.is_ok() {
                end = self.pump(inner);
            }
            if end.is_none() {
                while let Some(frame) = heard.recv().await {
                    if kind(&frame) == "stopped" {
                        break;
                    }
                }
                let _ = child.wait().await;
            }
        };
        // (one that does not end is killed by the caller)
        let _ = tokio::time::timeout(within, ending).await;
    }
}

fn broken(error: &io::Error) -> End {
    End::Failed(format!("nothing can be said to it: {error}"))
}

/// What a crash is said as: the package that the innermost frame of the stack is of, and the stack.
fn crash(stack: &str) -> String {
    let package = stack.lines().find_map(|line| {
        let rest = &line[line.rfind("/node_modules/")? + "/node_modules/".len()..];
        let parts = if rest.starts_with('@') { 2 } else { 1 };
        Some(rest.split('/').take(parts).collect::<Vec<_>>().join("/"))
    });
    match package {
        Some(package) => format!("an error that nobody caught, in the package {package}: {stack}"),
        None => format!("an error that nobody caught: {stack}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_names_the_package() {
        let stack = "Error: no\n    at f (/u/node_modules/@a/b/c.js:1:2)\n    at g (/u/node_modules/d/e.js:1:2)";
        assert!(crash(stack).contains("in the package @a/b: Error: no"));
        assert!(crash("Error: no").starts_with("an error that nobody caught: Error"));
    }
}
