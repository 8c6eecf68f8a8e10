//! What is to run, and within which limits.

use super::SuperviseError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The longest name of an instance, in bytes.
pub const LONGEST_INSTANCE: usize = 128;
/// The least a log is rotated at, in bytes.
pub const SMALLEST_LOG: u64 = 64 << 10;

/// A program that is to run until it is stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What it is called: letters, digits, `.`, `_`, `-`; at most 128 bytes. Files are named after it.
    pub instance: String,
    /// The file to be executed, by an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, besides what the agent's has of `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ`, `TMPDIR`, `SSL_CERT_FILE`, `SSL_CERT_DIR`.
    pub env: BTreeMap<String, String>,
    /// Where it works and has its data, by an absolute path; it is made if it is not there.
    pub folder: PathBuf,
    /// The file that its output and its errors are appended to, by an absolute path.
    pub log: PathBuf,
    /// How long the log may become before it is rotated, in bytes. There are two files, so it takes about twice as much.
    pub log_limit: u64,
    /// What it may use.
    pub limits: Limits,
    /// How long it may take to stop after SIGTERM, before all its processes are killed.
    pub stop_patience: Duration,
    /// What happens when it ends by itself.
    pub restart: Restart,
}

impl Spec {
    /// A program without arguments, limits and data of its own: it works in `folder`, and logs to `folder`/`instance`.log.
    pub fn new(instance: &str, program: PathBuf, folder: PathBuf) -> Spec {
        Spec {
            instance: instance.to_owned(),
            program,
            args: Vec::new(),
            env: BTreeMap::new(),
            log: folder.join(format!("{instance}.log")),
            folder,
            log_limit: 16 << 20,
            limits: Limits::default(),
            stop_patience: Duration::from_secs(10),
            restart: Restart::default(),
        }
    }
}

/// What a program with all its processes may use. `None` is as much as there is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, in bytes. Beyond it, the program is killed (by cgroup), or gets no more (by rlimit, each process for itself).
    pub memory: Option<u64>,
    /// Processors; 0.5 is half of one's time.
    pub cpu: Option<f64>,
    /// Open files, of each process.
    pub files: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
}

/// What happens when a program ends that nobody has stopped. It starts again, after a time that doubles from `first` to `most`; after
/// too many ends in too short a time it is left alone for longer, then tried once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// The wait after the first end.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// How much of a wait may be left out by lot, 0 to 1: so that what ended at once does not start at once.
    pub jitter: f64,
    /// So many ends …
    pub crashes: u32,
    /// … in so short a time open the circuit. Who runs for so long without ending is steady: its waits begin at `first` again.
    pub within: Duration,
    /// How long the circuit stays open, before one trial. A trial that ends before it is steady opens it again.
    pub open: Duration,
}

impl Default for Restart {
    /// 100 ms to 30 s, a fifth by lot; 8 ends in 60 s, then 5 minutes.
    fn default() -> Restart {
        Restart {
            first: Duration::from_millis(100),
            most: Duration::from_secs(30),
            jitter: 0.2,
            crashes: 8,
            within: Duration::from_secs(60),
            open: Duration::from_secs(300),
        }
    }
}

impl Spec {
    /// Whether it can be tried.
    pub(super) fn check(&self) -> Result<(), SuperviseError> {
        let invalid = |why: String| {
            Err(SuperviseError::Invalid(format!(
                "{:?}: {why}",
                self.instance.chars().take(80).collect::<String>()
            )))
        };
        if !is_instance(&self.instance) {
            return invalid(format!(
                "an instance is called by letters, digits, `.`, `_` and `-`, does not begin with `.`, and has 1 to {LONGEST_INSTANCE} bytes"
            ));
        }
        for (what, path) in [
            ("program", &self.program),
            ("folder", &self.folder),
            ("log", &self.log),
        ] {
            if !path.is_absolute() || path.to_str().is_none_or(|path| path.contains('\0')) {
                return invalid(format!(
                    "its {what} {} is not an absolute path in UTF-8",
                    path.display()
                ));
            }
        }
        if self.args.iter().any(|arg| arg.contains('\0')) {
            return invalid("an argument has a zero byte in it".into());
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return invalid(format!("{name:?} is no variable of an environment"));
            }
        }
        let limits = &self.limits;
        let zero = [limits.memory, limits.files, limits.processes].contains(&Some(0));
        if zero
            || limits
                .cpu
                .is_some_and(|cpu| !(0.01..=4_096.0).contains(&cpu))
        {
            return invalid(
                "a limit is 1 at least, or 0.01 to 4096 processors: leave out what is not limited"
                    .into(),
            );
        }
        if self.log_limit < SMALLEST_LOG {
            return invalid(format!("a log has {SMALLEST_LOG} bytes at least"));
        }
        let restart = &self.restart;
        if !(0.0..=1.0).contains(&restart.jitter)
            || restart.crashes == 0
            || restart.first > restart.most
        {
            return invalid(
                "restart: jitter is 0 to 1, crashes 1 at least, and first not more than most"
                    .into(),
            );
        }
        Ok(())
    }
}

/// Whether files can be named after it.
pub(super) fn is_instance(text: &str) -> bool {
    (1..=LONGEST_INSTANCE).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
