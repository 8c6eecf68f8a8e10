//! The supervisor, as parts of this node need it.

use crate::supervise::{Spec, State, Supervisor, What};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{broadcast, watch};
use vgdc_door::admin::Phase;

/// Processes of this host.
pub struct Processes {
    supervisor: Supervisor,
    changes: watch::Sender<u64>,
    /// The last lines of those that have ended.
    words: Arc<Mutex<HashMap<String, String>>>,
}

/// How it is with one.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Its process.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u64,
    /// Where it does not run: what it is doing instead, and why.
    pub away: Option<(Phase, String)>,
}

impl Processes {
    /// Finds those that an agent before this one has started.
    ///
    /// # Errors
    /// Another agent has the folder, or it cannot be read.
    pub async fn open(folder: &Path) -> Result<Processes, String> {
        let supervisor = Supervisor::open(folder).await.map_err(|e| e.to_string())?;
        let (changes, words) = (
            watch::Sender::new(0),
            Arc::<Mutex<HashMap<_, _>>>::default(),
        );
        let mut events = supervisor.watch();
        let (told, kept) = (changes.clone(), words.clone());
        tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => {
                        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                        match event.what {
                            What::Exited { exit, last_lines } => {
                                let last =
                                    last_lines.iter().rev().find(|line| !line.trim().is_empty());
                                let text = match last {
                                    Some(line) => format!("{exit}: {line}"),
                                    None => exit.to_string(),
                                };
                                kept.insert(event.instance, text);
                            }
                            What::CannotStart { why } => drop(kept.insert(event.instance, why)),
                            What::Stopped => drop(kept.remove(&event.instance)),
                            _ => {}
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                }
                told.send_modify(|count| *count += 1);
            }
        });
        Ok(Processes {
            supervisor,
            changes,
            words,
        })
    }

    /// Told when something has happened to one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether one is known by that name.
    pub fn is_there(&self, instance: &str) -> bool {
        self.supervisor
            .list()
            .iter()
            .any(|it| it.instance == instance)
    }

    /// How it is with one.
    pub fn about(&self, instance: &str) -> About {
        let all = self.supervisor.list();
        let Some(status) = all.into_iter().find(|it| it.instance == instance) else {
            return About {
                away: Some((Phase::Failed, "its process is gone".to_owned())),
                ..About::default()
            };
        };
        let why = || {
            let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
            words.get(instance).cloned().unwrap_or_default()
        };
        let (pid, away) = match status.state {
            State::Running { pid } => (u32::try_from(pid).ok(), None),
            State::CircuitOpen => (
                None,
                Some((Phase::Failed, format!("it ended too often: {}", why()))),
            ),
            _ => (None, Some((Phase::Waiting, why()))),
        };
        About {
            pid,
            restarts: status.restarts,
            away,
        }
    }

    /// Starts one.
    ///
    /// # Errors
    /// It cannot be started; in words.
    pub async fn start(&self, spec: Spec) -> Result<(), String> {
        let started = self.supervisor.start(spec).await;
        started.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Ends one for good: it gets its time to stop.
    pub async fn stop(&self, instance: &str) {
        // (one that is not there has ended)
        let _ = self.supervisor.stop(instance, true).await;
    }

    /// Kills the process of one at once; it is started again.
    pub fn kill(&self, instance: &str) {
        if let Some(pid) = self.about(instance).pid
            && let Some(pid) = i32::try_from(pid)
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        {
            // (one that has ended meanwhile needs no signal)
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    /// Ends all but these: what an agent before this one has started, and nobody wants any more.
    pub async fn stop_all_but(&self, wanted: &[String]) {
        for it in self.supervisor.list() {
            if !wanted.contains(&it.instance) {
                self.stop(&it.instance).await;
            }
        }
    }
}
