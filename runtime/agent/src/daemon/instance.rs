//! One part that is this node's, from fetching its bundle to the end of its process: it is brought to where the state of the mesh wants it.

use super::Node;
use super::programs::Program;
use crate::artifacts::{ArtifactId, Signed, Statement};
use crate::supervise::{self, Spec};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use vgdc_door::admin::Phase;
use vgdc_door::manifest::{FlowManifest, PartManifest};

/// How often a program is asked how it does.
const ROUND: Duration = Duration::from_millis(250);
/// While something is to happen to it, it is asked more often.
const SHORT_ROUND: Duration = Duration::from_millis(20);
/// How long a program may take to answer how it does.
const ANSWER: Duration = Duration::from_secs(2);
/// So many times without an answer, and it is taken for stuck and is killed.
const MOST_SILENT: u32 = 5;
/// A program that has not been ready once after so many new starts has failed.
const HOPELESS: u64 = 2;
/// How long starting or stopping flows may take.
const ACT: Duration = Duration::from_secs(20);
/// How long a program that has to go gets to work on what it has.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait before something that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a single part may go on running after the majority was last certain that it is this node's.
pub const LEASE: Duration = Duration::from_millis(1_500);
/// A single part is stopped when so much of the lease is left.
const MARGIN: Duration = Duration::from_millis(400);
/// How long the next owner of a single part waits: the lease, and more than two clocks can differ in that time.
const LEASE_OVER: Duration = Duration::from_millis(1_650);

/// What a part is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// Be ready.
    Held,
    /// Run.
    Run,
    /// Take nothing more from outside, and work on what is there.
    Drain,
    /// The same, and take nothing from other machines either: another one is about to have the part.
    Leave,
    /// Stop, and be ready to run again.
    Stop,
    /// End.
    End,
}

/// Which part it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The flow.
    pub flow: String,
    /// The version.
    pub version: String,
    /// The part.
    pub part: String,
    /// Since which epoch it is this node's.
    pub epoch: u64,
}

impl Key {
    /// A name for it that files may have.
    pub fn instance(&self) -> String {
        let version = self.version.get(..8).unwrap_or(&self.version);
        format!(
            "{}.{}.{version}.{}",
            plain(&self.flow),
            plain(&self.part),
            self.epoch
        )
    }

    /// The folder that the part keeps, whatever its version.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from("flows")
            .join(plain(&self.flow))
            .join(plain(&self.part))
    }
}

/// A name as files may have it: 48 bytes at most, and no two names have the same.
pub fn plain(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match name.len() <= 48 && name.chars().all(fits) && !name.is_empty() {
        true => name.to_owned(),
        false => {
            let head: String = name.chars().filter(|c| fits(*c)).take(30).collect();
            format!("{head}_{}", &blake3::hash(name.as_bytes()).to_hex()[..12])
        }
    }
}

/// How it does, for whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How far it is.
    pub phase: Phase,
    /// More in words.
    pub detail: String,
    /// Its process.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u64,
    /// How its links are, as it says itself.
    pub links: Json,
}

/// A part of this node's.
pub struct Instance {
    /// Which.
    pub key: Key,
    /// The manifest that it stands in.
    pub manifest: Arc<FlowManifest>,
    /// What it is to do.
    pub goal: watch::Sender<Goal>,
    report: Mutex<Report>,
}

impl Instance {
    /// Begins to bring it to where it is wanted. `came_running`: it ran elsewhere until now, as far as is known.
    pub fn start(
        node: &Arc<Node>,
        key: Key,
        manifest: Arc<FlowManifest>,
        goal: Goal,
        came_running: bool,
    ) -> Arc<Instance> {
        let instance = Arc::new(Instance {
            key,
            manifest,
            goal: watch::Sender::new(goal),
            report: Mutex::default(),
        });
        let runner = Runner {
            node: node.clone(),
            it: instance.clone(),
            name: instance.key.instance(),
            free_at: came_running.then(|| Instant::now() + LEASE_OVER),
            sure: None,
            silent: 0,
            was_ready: false,
            asked_to: None,
        };
        tokio::spawn(runner.run());
        instance
    }

    /// How it does.
    pub fn report(&self) -> Report {
        self.report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn tell(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn part(&self) -> Option<&PartManifest> {
        self.manifest.part(&self.key.part)
    }
}

struct Runner {
    node: Arc<Node>,
    it: Arc<Instance>,
    name: String,
    /// When a single part that was elsewhere may run here.
    free_at: Option<Instant>,
    /// Of a single part: until when it may run.
    sure: Option<Instant>,
    silent: u32,
    /// It has answered once.
    was_ready: bool,
    /// What the process of this number was told last.
    asked_to: Option<(u32, Goal)>,
}

impl Runner {
    async fn run(mut self) {
        let mut goal = self.it.goal.subscribe();
        // (a process that an agent before this one started is there already)
        while !self.node.supervisor.is_there(&self.name) {
            if *goal.borrow_and_update() == Goal::End {
                self.node.ended(&self.it.key);
                return;
            }
            match self.bring().await {
                Ok(()) => break,
                Err(why) => {
                    self.node.say(&format!("{}: {why}", self.name));
                    self.it.tell(|report| {
                        (report.phase, report.detail) = (Phase::Failed, why);
                    });
                    // (what is asked for may change meanwhile)
                    let _ = tokio::time::timeout(AGAIN, goal.changed()).await;
                }
            }
        }
        let mut programs = self.node.programs.changes();
        let mut exits = self.node.supervisor.changes();
        loop {
            let wanted = *goal.borrow_and_update();
            if wanted == Goal::End {
                break;
            }
            let busy = self.step(wanted).await;
            let pause = match busy {
                true => SHORT_ROUND,
                false => ROUND,
            };
            tokio::select! {
                _ = goal.changed() => {}
                _ = programs.changed() => {}
                _ = exits.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.end().await;
        self.node.ended(&self.it.key);
    }

    /// Fetches the bundle and starts the process.
    async fn bring(&self) -> Result<(), String> {
        let key = &self.it.key;
        let part = self.it.part().ok_or("the manifest does not have it")?;
        let target = vgdc_door::target();
        let program = part.programs.get(&target).ok_or_else(|| {
            let there: Vec<&str> = part.programs.keys().map(String::as_str).collect();
            format!(
                "it was compiled for {}, and this machine is {target}",
                there.join(", ")
            )
        })?;
        let id: ArtifactId = program
            .artifact
            .parse()
            .map_err(|_| "its bundle has no name")?;
        self.it.tell(|report| report.phase = Phase::Fetching);
        self.node.fetch(&id).await?;
        self.it.tell(|report| report.phase = Phase::Starting);
        let signed = Signed {
            statement: Statement {
                artifact: id,
                flow: key.flow.clone(),
                part: key.part.clone(),
                version: key.version.clone(),
                target,
            },
            by: self.node.authority,
            signature: hex(&program.signature).ok_or("its signature is no signature")?,
        };
        let trusted = signed.verify(&*self.node).map_err(|e| e.to_string())?;
        let store = self.node.store.clone();
        let unpacked = tokio::task::spawn_blocking(move || store.unpack(&trusted));
        let unpacked = unpacked.await.map_err(|e| e.to_string())?;
        let unpacked = unpacked.map_err(|e| e.to_string())?;
        let folder = self.node.data.join(key.folder());
        std::fs::create_dir_all(&folder)
            .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        let log = self.node.log_of(&key.flow, &key.part);
        if let Some(logs) = log.parent() {
            std::fs::create_dir_all(logs)
                .map_err(|e| format!("cannot make {}: {e}", logs.display()))?;
        }
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let mut args = part.args.clone();
        if let Some(name) = &part.secrets {
            let file = self.node.secrets(name).await?;
            args.extend(["--credentials".to_owned(), text(&file)]);
        }
        args.extend([
            "--agent".to_owned(),
            text(&self.node.door),
            "--instance".to_owned(),
            self.name.clone(),
            "--epoch".to_owned(),
            key.epoch.to_string(),
            "--listen-links".to_owned(),
            format!("unix:{}", text(&self.node.links_of(&self.name))),
            "--data".to_owned(),
            text(&folder.join("data")),
        ]);
        let spec = Spec {
            args,
            log,
            limits: supervise::Limits {
                memory: part.memory,
                ..supervise::Limits::default()
            },
            stop_patience: DRAIN,
            ..Spec::new(&self.name, unpacked.program, folder)
        };
        self.node.supervisor.start(spec).await
    }

    /// Looks at the program, and takes it a step towards where it is wanted. True: there is more to be done soon.
    async fn step(&mut self, wanted: Goal) -> bool {
        let about = self.node.supervisor.about(&self.name);
        self.it.tell(|report| {
            (report.pid, report.restarts) = (about.pid, about.restarts);
        });
        if let Some((phase, detail)) = about.away {
            // (what has never been ready, and ends again and again, will not be)
            let phase = match !self.was_ready && about.restarts >= HOPELESS {
                true => Phase::Failed,
                false => phase,
            };
            self.it
                .tell(|report| (report.phase, report.detail) = (phase, detail));
            return false;
        }
        let Some(program) = self.node.programs.get(&self.name) else {
            self.it
                .tell(|report| (report.phase, report.detail) = (Phase::Starting, String::new()));
            return true;
        };
        let answer = match self.is_single() {
            true => MARGIN,
            false => ANSWER,
        };
        let health = match program.ask("health", answer).await {
            Ok(health) => health,
            Err(why) => return self.is_silent(&why).await,
        };
        (self.silent, self.was_ready) = (0, true);
        let links = health["links"].clone();
        let phase = match (health["phase"].as_str(), health["idle"].as_bool()) {
            (Some("held"), _) => Phase::Held,
            (Some("running"), _) => Phase::Running,
            (Some("draining"), Some(true)) => Phase::Drained,
            (Some("draining"), _) => Phase::Draining,
            (Some("stopped"), _) => Phase::Stopped,
            _ => Phase::Unknown,
        };
        self.it.tell(|report| {
            // (why it would not start is known until it does)
            if report.phase != Phase::Failed || phase == Phase::Running {
                (report.phase, report.detail) = (phase, String::new());
            }
            report.links = links;
        });
        let may_run = self.may_run(wanted, &program).await;
        // (two versions share a folder, with outboxes in it, and ports)
        let may_start = may_run && !self.node.runs_another_version(&self.it.key);
        match (wanted, phase) {
            (Goal::Run, Phase::Held | Phase::Stopped | Phase::Draining | Phase::Drained)
                if may_start =>
            {
                self.act(&program, "start", wanted).await
            }
            (Goal::Run, Phase::Running) if !may_run => self.act(&program, "halt", Goal::Stop).await,
            (Goal::Drain, Phase::Running) => self.act(&program, "drain", wanted).await,
            (Goal::Leave, Phase::Running) => self.act(&program, "leave", wanted).await,
            (Goal::Leave, Phase::Draining) => true,
            (Goal::Stop, Phase::Running | Phase::Draining | Phase::Drained) => {
                self.act(&program, "halt", wanted).await
            }
            (Goal::Drain, Phase::Draining) => true,
            (Goal::Run, _) => !may_start,
            _ => false,
        }
    }

    fn is_single(&self) -> bool {
        self.it.part().is_some_and(|part| part.single)
    }

    async fn act(&mut self, program: &Arc<Program>, op: &str, to: Goal) -> bool {
        self.asked_to = Some((program.pid, to));
        let hurry = self.is_single() && to == Goal::Stop;
        let told = program.ask(op, if hurry { MARGIN } else { ACT }).await;
        if hurry && told.is_err() {
            self.node.supervisor.kill(&self.name);
        }
        match told {
            Ok(_) => self.it.tell(|report| report.detail = String::new()),
            Err(why) => {
                self.node
                    .say(&format!("{}: `{op}` failed: {why}", self.name));
                self.it
                    .tell(|report| (report.phase, report.detail) = (Phase::Failed, why));
                tokio::time::sleep(AGAIN).await;
            }
        }
        true
    }

    async fn is_silent(&mut self, why: &str) -> bool {
        self.silent += 1;
        let is_over = self.is_single()
            && self
                .sure
                .is_none_or(|until| until < Instant::now() + MARGIN);
        if self.silent >= MOST_SILENT || is_over {
            self.silent = 0;
            self.node
                .say(&format!("{} is stuck ({why}), and is killed", self.name));
            self.node.supervisor.kill(&self.name);
        }
        self.it
            .tell(|report| report.detail = format!("it does not answer: {why}"));
        true
    }

    /// Whether it may run now. A part that is single may as long as a majority was certain, a moment ago, that it is this node's.
    async fn may_run(&mut self, wanted: Goal, program: &Arc<Program>) -> bool {
        if !self.is_single() || wanted != Goal::Run {
            return true;
        }
        if self.free_at.is_some_and(|at| at > Instant::now()) {
            return false;
        }
        let now = Instant::now();
        let asked = tokio::time::timeout(MARGIN, self.node.is_certainly_ours(&self.it.key));
        if asked.await == Ok(true) {
            self.sure = Some(now + LEASE);
        }
        let left = self
            .sure
            .map(|until| until.saturating_duration_since(Instant::now()));
        let may = left.is_some_and(|left| left > MARGIN);
        if !may && self.asked_to == Some((program.pid, Goal::Run)) {
            let text = format!(
                "{}: no majority is certain that it may run here: it stops",
                self.name
            );
            self.node.say(&text);
        }
        may
    }

    /// Lets it work on what it has, and ends it.
    async fn end(&mut self) {
        // (where it is another's by now, nobody takes anything from here any more)
        if let Some(program) = self.node.programs.get(&self.name)
            && self.node.is_of_epoch(&self.it.key)
        {
            self.it.tell(|report| {
                if report.phase == Phase::Running {
                    report.phase = Phase::Draining;
                }
            });
            let until = Instant::now() + DRAIN;
            // (one that does not do so ends all the same)
            let _ = program.ask("drain", ACT).await;
            while Instant::now() < until {
                match program.ask("health", ANSWER).await {
                    Ok(health) if health["phase"] == "draining" && health["idle"] == false => {}
                    _ => break,
                }
                tokio::time::sleep(SHORT_ROUND).await;
            }
        }
        self.node.supervisor.stop(&self.name).await;
        // (there is none where it listened for nothing)
        let _ = std::fs::remove_file(self.node.links_of(&self.name));
    }
}

/// Bytes of hexadecimal digits.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

/// Hexadecimal digits of bytes.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_plain_and_differ() {
        assert_eq!(plain("valves-1"), "valves-1");
        let odd = ["a/b", "a b", "../x", "", "ab", &"x".repeat(200)];
        let names: std::collections::HashSet<String> = odd.iter().map(|name| plain(name)).collect();
        assert_eq!(names.len(), odd.len());
        assert!(
            names
                .iter()
                .all(|name| name.len() <= 48 && !name.contains('/'))
        );
    }

    #[test]
    fn hexadecimal_digits_come_back() {
        assert_eq!(hex(&to_hex(&[0, 1, 255])), Some(vec![0, 1, 255]));
        assert_eq!((hex("0"), hex("zz")), (None, None));
    }
}
