//! Tests with real programs: small shell scripts.

mod agents;
mod programs;

use super::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;
use tokio::time::timeout;

/// Longer than anything here takes, however busy the machine.
const LONG: Duration = Duration::from_secs(20);

/// A folder for a supervisor, and for scripts.
pub(super) struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub async fn open(&self) -> Supervisor {
        open(self.path()).await
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        let all = fs::read_dir(self.path().join("agent/instances")).expect("there");
        all.flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "json"))
            .count()
    }

    /// An instance that runs a shell script. What it waits and how often it is tried is short.
    pub fn script(&self, instance: &str, script: &str) -> Spec {
        spec(self.path(), instance, script)
    }
}

pub(super) async fn open(folder: &Path) -> Supervisor {
    Supervisor::open_with(&folder.join("agent"), &CgroupChoice::None)
        .await
        .expect("opened")
}

pub(super) fn spec(folder: &Path, instance: &str, script: &str) -> Spec {
    let program = folder.join(format!("{instance}.sh"));
    // (an older one may be running)
    let new = folder.join(format!("{instance}.new"));
    fs::write(&new, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("executable");
    fs::rename(&new, &program).expect("renamed");
    let mut spec = Spec::new(instance, program, folder.join(instance));
    spec.stop_patience = Duration::from_millis(300);
    spec.restart = Restart {
        first: Duration::from_millis(10),
        most: Duration::from_millis(40),
        crashes: 1_000,
        ..Restart::default()
    };
    spec
}

/// The next event of which something is made.
pub(super) async fn until<T>(
    events: &mut broadcast::Receiver<Event>,
    mut wanted: impl FnMut(&What) -> Option<T>,
) -> T {
    let found = async {
        loop {
            let event = events.recv().await.expect("an event");
            if let Some(found) = wanted(&event.what) {
                return found;
            }
        }
    };
    timeout(LONG, found).await.expect("it happens")
}

pub(super) fn exited(what: &What) -> Option<(Exit, Vec<String>)> {
    match what {
        What::Exited { exit, last_lines } => Some((*exit, last_lines.clone())),
        _ => None,
    }
}

pub(super) fn is_alive(pid: i32) -> bool {
    // (a zombie is not)
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// Waits until something is so.
pub(super) async fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let waited = async {
        while !so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(LONG, waited).await.is_ok(), "never: {what}");
}

/// The number that a script has written to a file.
pub(super) async fn number(path: &Path) -> i32 {
    let read = || fs::read_to_string(path).ok()?.trim().parse().ok();
    wait_for("a number in a file", || read().is_some()).await;
    read().expect("a number")
}
