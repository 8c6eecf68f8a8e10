//! One task for each instance: starts its program, sees it end, starts it again, stops it.

use super::SuperviseError;
use super::backoff::{Backoff, Next};
use super::event::{Event, Exit, State, Status, What};
use super::log::Log;
use super::platform::{Cgroups, Group, Process, kill_marked, launch};
use super::record::{Record, Records};
use super::steps::step;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// How many lines of its log are told when a program ends.
const LAST_LINES: usize = 20;
/// How long a killed program may need to be gone.
const GONE: Duration = Duration::from_secs(10);

/// What all keepers need.
#[derive(Clone)]
pub(super) struct Common {
    pub records: Records,
    pub cgroups: Arc<Cgroups>,
    pub events: broadcast::Sender<Event>,
    /// Held for as long as anything could start a program.
    pub lock: Arc<File>,
}

/// Asks a keeper to stop its program.
pub(super) struct Stop {
    /// With SIGTERM and patience first.
    pub drain: bool,
    pub done: oneshot::Sender<Result<(), SuperviseError>>,
}

/// A keeper, seen from outside.
pub(super) struct Kept {
    pub stops: mpsc::Sender<Stop>,
    pub status: Arc<Mutex<Status>>,
    pub log: Arc<Log>,
    pub record: Record,
    pub task: tokio::task::AbortHandle,
}

/// The task's own.
pub(super) struct Keeper {
    common: Common,
    record: Record,
    log: Arc<Log>,
    status: Arc<Mutex<Status>>,
    stops: mpsc::Receiver<Stop>,
    backoff: Backoff,
    began: Instant,
    running: Option<Arc<Running>>,
}

struct Running {
    process: Process,
    group: Option<Group>,
}

/// What ended the wait for a program.
enum Woken {
    Ended,
    Stop(Option<Stop>),
}

impl Keeper {
    /// A keeper of an instance that does not run, and what it is reached by.
    pub fn new(common: Common, record: Record) -> (Keeper, mpsc::Sender<Stop>) {
        let spec = &record.spec;
        let status = Status {
            instance: spec.instance.clone(),
            state: State::Waiting,
            restarts: 0,
            last_exit: None,
            not_held: common.cgroups.not_held(&spec.limits),
            program: spec.program.clone(),
            log: spec.log.clone(),
        };
        let (stop, stops) = mpsc::channel(4);
        let keeper = Keeper {
            log: Arc::new(Log::new(&spec.log, spec.log_limit)),
            status: Arc::new(Mutex::new(status)),
            backoff: Backoff::default(),
            began: Instant::now(),
            running: None,
            common,
            record,
            stops,
        };
        (keeper, stop)
    }

    /// Lets it run by itself.
    pub fn detach(self, stops: mpsc::Sender<Stop>) -> Kept {
        let (status, log, record) = (self.status.clone(), self.log.clone(), self.record.clone());
        let task = tokio::spawn(self.keep()).abort_handle();
        Kept {
            stops,
            status,
            log,
            record,
            task,
        }
    }

    /// Which instance.
    pub fn instance(&self) -> String {
        self.record.spec.instance.clone()
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, what: What) {
        let instance = self.record.spec.instance.clone();
        // (nobody may be watching)
        let _ = self.common.events.send(Event { instance, what });
    }

    /// Starts the program.
    pub async fn start(&mut self) -> Result<i32, SuperviseError> {
        // What may be left of an earlier start must not run beside it: also of one whose record was written and no more.
        let (mark, mut record) = (
            self.record.mark.clone(),
            Record::new(self.record.spec.clone())?,
        );
        let (common, log) = (self.common.clone(), self.log.clone());
        let group_before = self.record.cgroup.clone();
        let launched = tokio::task::spawn_blocking(move || {
            let _lock = &common.lock;
            kill_marked(&mark);
            if let Some(group) = group_before.and_then(|path| common.cgroups.again(&path)) {
                group.kill();
            }
            let spec = record.spec.clone();
            let group = common.cgroups.make(&spec.instance, &spec.limits)?;
            record.cgroup = group.as_ref().map(|group| group.path().to_owned());
            step("intent");
            common.records.write(&record)?;
            step("launch");
            let mark = record.mark.clone();
            let launched = launch(&spec, &mark, log.append()?, group.as_ref(), |identity| {
                record.process = Some(identity.clone());
                step("identity");
                common.records.write(&record)?;
                step("gate");
                Ok(())
            });
            let (pid, fd) = launched.inspect_err(|_| {
                if let Some(group) = &group {
                    group.remove();
                }
            })?;
            Ok((record, group, pid, fd))
        })
        .await
        .unwrap_or_else(|e| Err(SuperviseError::Io(format!("a thread ended: {e}"))))?;
        let (record, group, pid, fd) = launched;
        step("started");
        self.record = record;
        let process = Process::new(pid, fd)
            .map_err(|e| SuperviseError::Io(format!("a process cannot be watched: {e}")))?;
        Ok(self.runs(process, group, |pid, not_held| What::Started {
            pid,
            not_held,
        }))
    }

    /// Goes on with the program of a record, if it still runs.
    pub fn find(&mut self) -> bool {
        let Some(process) = self.record.process.as_ref().and_then(Process::find) else {
            return false;
        };
        let cgroup = self.record.cgroup.as_ref();
        let group = cgroup.and_then(|path| self.common.cgroups.again(path));
        let pid = self.runs(process, group, |pid, _| What::Found { pid });
        if self.record.stopping {
            self.status().state = State::Stopping { pid };
        }
        true
    }

    /// It ran when the last agent saw it, and does not any more.
    pub fn has_ended_unseen(&mut self) -> bool {
        let ended = self.record.process.is_some();
        if ended {
            let exit = Exit {
                ended: super::Ended::Unknown,
                out_of_memory: false,
            };
            self.told_of_end(exit, Vec::new());
        }
        ended
    }

    fn runs(
        &mut self,
        process: Process,
        group: Option<Group>,
        what: impl FnOnce(i32, Vec<String>) -> What,
    ) -> i32 {
        let pid = process.pid();
        self.running = Some(Arc::new(Running { process, group }));
        self.began = Instant::now();
        let not_held = {
            let mut status = self.status();
            status.state = State::Running { pid };
            status.not_held.clone()
        };
        self.tell(what(pid, not_held));
        pid
    }

    /// Keeps it running until it is stopped.
    async fn keep(mut self) {
        if self.record.stopping {
            // An earlier agent was asked for it, and did not come to its end.
            let stopped = self.stop(true).await;
            self.status().state = State::Waiting;
            return self.close(stopped.is_ok());
        }
        let birth = Instant::now();
        loop {
            if self.record.stopping && self.running.is_none() {
                // It was killed, could not be waited for, and has gone now.
                let stopped = self.stop(false).await;
                return self.close(stopped.is_ok());
            }
            let woken = match self.running {
                Some(_) => self.until_ended().await,
                None => self.until_restarted(birth).await,
            };
            match woken {
                Woken::Ended => {}
                Woken::Stop(None) => return,
                Woken::Stop(Some(stop)) => {
                    let stopped = self.stop(stop.drain).await;
                    let gone = stopped.is_ok();
                    if gone {
                        self.close(true);
                    }
                    let _ = stop.done.send(stopped);
                    if gone {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until the program ends, or is to be stopped.
    async fn until_ended(&mut self) -> Woken {
        let steady = self.began + self.record.spec.restart.within;
        loop {
            let Some(running) = &self.running else {
                return Woken::Ended;
            };
            tokio::select! {
                () = running.process.exited() => {
                    self.end().await;
                    return Woken::Ended;
                }
                stop = self.stops.recv() => return Woken::Stop(stop),
                () = tokio::time::sleep_until(steady), if self.backoff.is_shaken() => {
                    self.backoff.steady();
                    self.tell(What::RunningAgain);
                }
            }
        }
    }

    /// Waits as long as it has to after an end, then starts it.
    async fn until_restarted(&mut self, birth: Instant) -> Woken {
        let next = self
            .backoff
            .ended(&self.record.spec.restart, birth.elapsed(), lot());
        let wait = match next {
            Next::Restart(after) => {
                self.status().state = State::Waiting;
                self.tell(What::Restarting { after });
                after
            }
            Next::CircuitOpen(open) => {
                self.status().state = State::CircuitOpen;
                self.tell(What::CircuitOpen { open });
                open
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            stop = self.stops.recv() => return Woken::Stop(stop),
        }
        self.status().restarts += 1;
        if let Err(error) = self.start().await {
            self.tell(What::CannotStart {
                why: error.to_string(),
            });
        }
        Woken::Ended
    }

    /// The program has ended: so does all that it has started.
    async fn end(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let (mark, log) = (self.record.mark.clone(), self.log.clone());
        let seen = tokio::task::spawn_blocking(move || {
            // (before its number is given back)
            running.process.kill_all(&mark, running.group.as_ref());
            let exit = Exit {
                ended: running.process.ended(),
                out_of_memory: running.group.as_ref().is_some_and(Group::ran_out_of_memory),
            };
            if let Some(group) = &running.group {
                group.remove();
            }
            // (that it ended has to be told, also where its log cannot be read)
            (exit, log.tail(LAST_LINES).unwrap_or_default())
        });
        if let Ok((exit, last_lines)) = seen.await {
            self.told_of_end(exit, last_lines);
        }
    }

    fn told_of_end(&mut self, exit: Exit, last_lines: Vec<String>) {
        self.status().last_exit = Some(exit);
        self.tell(What::Exited { exit, last_lines });
    }

    /// Stops the program. When this returns, nothing of it runs.
    async fn stop(&mut self, drain: bool) -> Result<(), SuperviseError> {
        // First on the disk, so that nobody starts it again who comes after us. (Where that fails, there is still the end of the record.)
        step("stop");
        self.record.stopping = true;
        let (common, record) = (self.common.clone(), self.record.clone());
        let _ = tokio::task::spawn_blocking(move || common.records.write(&record)).await;
        step("terminate");
        if let Some(running) = self.running.clone() {
            let pid = running.process.pid();
            self.status().state = State::Stopping { pid };
            if drain {
                running.process.terminate();
                let patience = self.record.spec.stop_patience;
                // (whether it went by itself or not, all of it is killed next)
                let _ = timeout(patience, running.process.exited()).await;
            }
            let (killed, mark) = (running.clone(), self.record.mark.clone());
            let kill = move || killed.process.kill_all(&mark, killed.group.as_ref());
            let _ = tokio::task::spawn_blocking(kill).await;
            if timeout(GONE, running.process.exited()).await.is_err() {
                return Err(SuperviseError::Io(format!(
                    "{:?} (process {pid}) was killed and is still there after {} s: it waits for a device or a file system in the kernel; try again",
                    self.record.spec.instance,
                    GONE.as_secs()
                )));
            }
            self.end().await;
        }
        let (common, record) = (self.common.clone(), self.record.clone());
        let removed = tokio::task::spawn_blocking(move || {
            kill_marked(&record.mark);
            step("remove");
            common.records.remove(&record.spec.instance)?;
            step("removed");
            Ok(())
        })
        .await;
        removed.unwrap_or_else(|e| Err(SuperviseError::Io(format!("a thread ended: {e}"))))
    }

    fn close(&self, stopped: bool) {
        self.log.close();
        if stopped {
            self.tell(What::Stopped);
        }
    }
}

/// A number from 0 to 1.
fn lot() -> f64 {
    let mut bytes = [0; 4];
    // (without lots, all wait for as long as they would at most)
    if getrandom::fill(&mut bytes).is_err() {
        return 0.0;
    }
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
