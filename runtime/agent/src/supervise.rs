//! The programs of a host: started, watched, started again, stopped. They do not hang on the agent: it may end, be killed or be replaced
//! while they run, and the next one finds them and goes on.
//!
//! A [`Supervisor`] has a folder with a small file for each instance. How a program is started so that it is never started twice, what
//! is on the disk, and what limits hold where, is in docs/mesh-artifacts.md.

mod backoff;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod event;
mod keeper;
#[cfg(target_os = "linux")]
mod linux;
mod log;
mod record;
mod spec;
mod steps;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub use event::{Ended, Event, Exit, State, Status, What};
pub use log::Follow;
pub use spec::{LONGEST_INSTANCE, Limits, Restart, SMALLEST_LOG, Spec};

#[cfg(not(target_os = "linux"))]
use elsewhere as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use keeper::{Common, Keeper, Kept, Stop};
use log::Log;
use platform::Cgroups;
use record::{Record, Records, io};
use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};
use tokio::time::{Instant, sleep};

/// How many events wait for one who watches; who is slower is told that he missed some.
const EVENTS: usize = 1_024;
/// How often logs are measured.
const MEASURE: Duration = Duration::from_millis(250);
/// How long to wait for the lock of an agent that is ending. (A child that has not begun yet holds it, too, for a moment.)
const LOCK: Duration = Duration::from_secs(3);

/// Why something with a program did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuperviseError {
    /// What was asked for cannot be.
    Invalid(String),
    /// The program cannot be started.
    CannotStart(String),
    /// There is such an instance, and it is another program or has other limits: stop it first.
    Exists(String),
    /// The instance is being stopped: start it when that is done.
    Stopping(String),
    /// There is no such instance.
    Unknown(String),
    /// This host's disk or system.
    Io(String),
}

impl fmt::Display for SuperviseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SuperviseError::Exists(instance) => write!(
                f,
                "there is an instance {instance:?} that is another program, or has other limits: stop it first"
            ),
            SuperviseError::Stopping(instance) => {
                write!(
                    f,
                    "instance {instance:?} is being stopped: start it when that is done"
                )
            }
            SuperviseError::Unknown(instance) => write!(f, "there is no instance {instance:?}"),
            SuperviseError::Invalid(why)
            | SuperviseError::CannotStart(why)
            | SuperviseError::Io(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SuperviseError {}

/// Where the limits of programs are held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CgroupChoice {
    /// In the cgroup (version 2) that the agent is in, if it may make others below it.
    #[default]
    Own,
    /// Below this one.
    At(PathBuf),
    /// In none: rlimits alone.
    None,
}

/// A program that was started, or ran already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    /// Which.
    pub instance: String,
    /// Its process; `None` while it waits to be started again.
    pub pid: Option<i32>,
    /// Limits that nothing holds on this host, and why.
    pub not_held: Vec<String>,
}

/// The programs of a host. Cheap to clone. When the last one is dropped, the programs go on without being watched.
#[derive(Clone)]
pub struct Supervisor(Arc<Shared>);

struct Shared {
    common: Common,
    kept: Mutex<HashMap<String, Kept>>,
    /// What happened while it was opened, for the first who watches.
    first: Mutex<Option<broadcast::Receiver<Event>>>,
    /// One start at a time.
    starting: Arc<tokio::sync::Mutex<()>>,
    logs: tokio::task::AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.logs.abort();
        for kept in lock(&self.kept).values() {
            kept.task.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Supervisor {
    /// Opens the supervisor of a folder, which is made where there is none: programs that run are found, those that ended meanwhile are
    /// started again, and stops that were begun are brought to their end. Runs in a tokio runtime with time and I/O.
    ///
    /// # Errors
    /// A folder that another agent has, a record that cannot be read, another system than Linux.
    pub async fn open(folder: &Path) -> Result<Supervisor, SuperviseError> {
        Supervisor::open_with(folder, &CgroupChoice::Own).await
    }

    /// As [`open`](Supervisor::open), with a choice of where limits are held.
    ///
    /// # Errors
    /// As there.
    pub async fn open_with(
        folder: &Path,
        cgroup: &CgroupChoice,
    ) -> Result<Supervisor, SuperviseError> {
        fs::create_dir_all(folder).map_err(|e| io("make the folder", folder, &e))?;
        let file = lock_of(folder).await?;
        let records = Records::open(folder.join("instances"))?;
        let all = records.all()?;
        let whole = fs::canonicalize(folder).map_err(|e| io("look at", folder, &e))?;
        let hash = blake3::hash(whole.as_os_str().as_encoded_bytes()).to_hex();
        let cgroups = match cgroup {
            CgroupChoice::Own => Cgroups::find(&hash[..8]),
            CgroupChoice::At(base) => Cgroups::at(base, &hash[..8]),
            CgroupChoice::None => Cgroups::none("the agent was told to use none"),
        };
        let (events, first) = broadcast::channel(EVENTS);
        let common = Common {
            records,
            cgroups: Arc::new(cgroups),
            events,
            lock: Arc::new(file),
        };
        let mut kept = HashMap::new();
        for record in all {
            let instance = record.spec.instance.clone();
            let stopping = record.stopping;
            let (mut keeper, stops) = Keeper::new(common.clone(), record);
            if !keeper.find() && !keeper.has_ended_unseen() && !stopping {
                // An agent ended before it had started it.
                if let Err(error) = keeper.start().await {
                    let what = What::CannotStart {
                        why: error.to_string(),
                    };
                    let instance = instance.clone();
                    let _ = common.events.send(Event { instance, what });
                }
            }
            kept.insert(instance, keeper.detach(stops));
        }
        Ok(Supervisor(Arc::new_cyclic(|shared| Shared {
            common,
            kept: Mutex::new(kept),
            first: Mutex::new(Some(first)),
            starting: Arc::default(),
            logs: tokio::spawn(look_after_logs(shared.clone())).abort_handle(),
        })))
    }

    /// Starts a program, and keeps it running until it is [stopped](Supervisor::stop). An instance that is there already with the same
    /// specification is left as it is.
    ///
    /// # Errors
    /// A specification that cannot be, an instance that is another program, a program that cannot be started: then nothing of it is kept.
    pub async fn start(&self, spec: Spec) -> Result<Handle, SuperviseError> {
        spec.check()?;
        let one = self.0.starting.clone().lock_owned().await;
        let instance = spec.instance.clone();
        if let Some(kept) = lock(&self.0.kept).get(&instance)
            && !kept.log.is_closed()
        {
            if kept.record.spec != spec {
                return Err(SuperviseError::Exists(instance));
            }
            let status = lock(&kept.status).clone();
            if let State::Stopping { .. } = status.state {
                return Err(SuperviseError::Stopping(instance));
            }
            return Ok(handle(&status));
        }
        let common = self.0.common.clone();
        // It goes on where whoever asked gives up waiting: else a program could run without a keeper.
        let starting = tokio::spawn(async move {
            let (mut keeper, stops) = Keeper::new(common.clone(), Record::new(spec)?);
            match keeper.start().await {
                Ok(_) => Ok(keeper.detach(stops)),
                Err(error) => {
                    // (why it cannot be started matters more)
                    let _ = common.records.remove(&keeper.instance());
                    Err(error)
                }
            }
        });
        let shared = self.0.clone();
        let kept = tokio::spawn(async move {
            let _one = one;
            let kept = starting
                .await
                .unwrap_or_else(|e| Err(SuperviseError::Io(format!("a task ended: {e}"))))?;
            let status = lock(&kept.status).clone();
            lock(&shared.kept).insert(status.instance.clone(), kept);
            Ok(handle(&status))
        });
        kept.await
            .unwrap_or_else(|e| Err(SuperviseError::Io(format!("a task ended: {e}"))))
    }

    /// Stops an instance for good. With `drain`, it gets SIGTERM and has its [`Spec::stop_patience`]; then, or at once without, all its
    /// processes are killed. When this returns, nothing of it runs.
    ///
    /// # Errors
    /// An instance that is not there; one that cannot be killed, since it waits in the kernel (try again).
    pub async fn stop(&self, instance: &str, drain: bool) -> Result<(), SuperviseError> {
        let unknown = || SuperviseError::Unknown(instance.to_owned());
        let stops = lock(&self.0.kept)
            .get(instance)
            .map(|kept| kept.stops.clone())
            .ok_or_else(unknown)?;
        let (done, answer) = oneshot::channel();
        // (whoever stopped it first has been waited for)
        stops
            .send(Stop { drain, done })
            .await
            .map_err(|_| unknown())?;
        answer.await.map_err(|_| unknown())?
    }

    /// What happens from now on; who watches first is told what has happened since it was opened, too. Who is told that he missed some
    /// looks at [`list`](Supervisor::list).
    pub fn watch(&self) -> broadcast::Receiver<Event> {
        let first = lock(&self.0.first).take();
        first.unwrap_or_else(|| self.0.common.events.subscribe())
    }

    /// All instances that have not been stopped, by name.
    pub fn list(&self) -> Vec<Status> {
        let mut kept = lock(&self.0.kept);
        kept.retain(|_, kept| !kept.log.is_closed());
        let mut all: Vec<Status> = kept
            .values()
            .map(|kept| lock(&kept.status).clone())
            .collect();
        all.sort_by(|a, b| a.instance.cmp(&b.instance));
        all
    }

    fn log(&self, instance: &str) -> Result<Arc<Log>, SuperviseError> {
        lock(&self.0.kept)
            .get(instance)
            .map(|kept| kept.log.clone())
            .ok_or_else(|| SuperviseError::Unknown(instance.to_owned()))
    }

    /// The last lines of an instance's log, at most 1 MiB. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// An instance that is not there, a log that cannot be read.
    pub fn tail(&self, instance: &str, lines: usize) -> Result<Vec<String>, SuperviseError> {
        self.log(instance)?.tail(lines)
    }

    /// What is written to an instance's log from now on.
    ///
    /// # Errors
    /// An instance that is not there.
    pub fn follow(&self, instance: &str) -> Result<Follow, SuperviseError> {
        self.log(instance).map(Follow::new)
    }
}

/// The last lines of a program's log, at most 1 MiB, whether it is there or not. Blocks for as long as the disk takes.
///
/// # Errors
/// A log that is not there, or cannot be read.
pub fn tail(log: &Path, lines: usize) -> Result<Vec<String>, SuperviseError> {
    Log::new(log, SMALLEST_LOG).tail(lines)
}

fn handle(status: &Status) -> Handle {
    Handle {
        instance: status.instance.clone(),
        pid: match status.state {
            State::Running { pid } | State::Stopping { pid } => Some(pid),
            State::Waiting | State::CircuitOpen => None,
        },
        not_held: status.not_held.clone(),
    }
}

/// The folder's lock, which one process has.
async fn lock_of(folder: &Path) -> Result<File, SuperviseError> {
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| io("open", &path, &e))?;
    let until = Instant::now() + LOCK;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                sleep(Duration::from_millis(10)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(SuperviseError::Io(format!(
                    "another agent looks after the programs of {}: one agent a folder",
                    folder.display()
                )));
            }
            Err(TryLockError::Error(e)) => return Err(io("lock", &path, &e)),
        }
    }
}

/// Rotates logs that have become too long.
async fn look_after_logs(shared: std::sync::Weak<Shared>) {
    loop {
        sleep(MEASURE).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let logs: Vec<Arc<Log>> = lock(&shared.kept)
            .values()
            .map(|kept| kept.log.clone())
            .collect();
        drop(shared);
        let rotated = tokio::task::spawn_blocking(move || {
            for log in logs.iter().filter(|log| log.is_over()) {
                // (a disk without room for the copy: the log has been cut off all the same)
                let _ = log.rotate();
            }
        });
        // (a runtime that ends)
        if rotated.await.is_err() {
            return;
        }
    }
}
