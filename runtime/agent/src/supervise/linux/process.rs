//! A process that is not mistaken for another one: a pidfd, and when it began.

use super::cgroup::Group;
use super::exit_info;
use crate::supervise::SuperviseError;
use crate::supervise::event::Ended;
use crate::supervise::record::Identity;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open,
    pidfd_send_signal, waitid,
};
use std::fs;
use std::io;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The variable with the word that all processes of a start have in their environment.
pub(in crate::supervise) const MARK: &str = "VGDC_INSTANCE_MARK";
/// How often the processes of an instance are looked for that go on starting others while they are killed.
const SWEEPS: usize = 20;

/// A process that runs, or has ended and not been looked at.
#[derive(Debug)]
pub(in crate::supervise) struct Process {
    fd: AsyncFd<OwnedFd>,
    pid: Pid,
}

impl Process {
    /// Watches a process.
    pub fn new(pid: Pid, fd: OwnedFd) -> io::Result<Process> {
        // SAFETY: an `OwnedFd` is open and the same until it is dropped, and the `AsyncFd` owns it; nothing closes it by its number.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
        Ok(Process {
            fd: fd.map_err(io::Error::from)?,
            pid,
        })
    }

    /// The process of a record, if it is still there, and still that one.
    pub fn find(identity: &Identity) -> Option<Process> {
        let pid = Pid::from_raw(identity.pid)?;
        // First the handle, which stays with one process; if that one began when ours did, it is ours.
        let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        if identity_of(pid).is_ok_and(|found| found == *identity) {
            Process::new(pid, fd).ok()
        } else {
            None
        }
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until it has ended.
    pub async fn exited(&self) {
        // (a pidfd is readable from then on; should the reactor be gone, the runtime is, too)
        if self.fd.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Asks it to stop: SIGTERM.
    pub fn terminate(&self) {
        // (if it has ended, it need not be asked)
        let _ = pidfd_send_signal(self.fd.get_ref(), Signal::TERM);
    }

    /// Kills it and all that it has started: its cgroup, its process group, and whatever has its mark.
    pub fn kill_all(&self, mark: &str, group: Option<&Group>) {
        if let Some(group) = group {
            group.kill();
        }
        let _ = pidfd_send_signal(self.fd.get_ref(), Signal::KILL);
        // As long as a child of ours has not been waited for, nobody else can have its number.
        if waitid(
            WaitId::PidFd(self.fd.get_ref().as_fd()),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT,
        )
        .is_ok()
        {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        kill_marked(mark);
    }

    /// How it ended, after it has. It gives its number back with this.
    pub fn ended(&self) -> Ended {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(self.fd.get_ref().as_fd()), options) {
            Ok(Some(status)) => status
                .exit_status()
                .map(Ended::Code)
                .or_else(|| status.terminating_signal().map(Ended::Signal))
                .unwrap_or(Ended::Unknown),
            // Somebody else's child: an earlier agent's.
            Ok(None) | Err(_) => exit_info::of(self.fd.get_ref()),
        }
    }
}

/// Kills all processes that have this mark in their environment, wherever they have gone.
pub(in crate::supervise) fn kill_marked(mark: &str) {
    let marked = format!("{MARK}={mark}");
    for _ in 0..SWEEPS {
        let mut found = false;
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            let Some(pid) = pid.and_then(Pid::from_raw) else {
                continue;
            };
            // (most are others': they are not opened)
            if !has_mark(pid, marked.as_bytes()) {
                continue;
            }
            // It may have ended meanwhile, and its number be another's: looked at again behind the handle.
            let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else {
                continue;
            };
            if has_mark(pid, marked.as_bytes()) && pidfd_send_signal(&fd, Signal::KILL).is_ok() {
                found = true;
            }
        }
        if !found {
            return;
        }
    }
}

/// Whether a process has a variable in its environment. (That of one that has ended is empty.)
fn has_mark(pid: Pid, marked: &[u8]) -> bool {
    let path = format!("/proc/{}/environ", pid.as_raw_nonzero());
    fs::read(path).is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == marked))
}

/// What tells a process from all others.
pub(super) fn identity_of(pid: Pid) -> Result<Identity, SuperviseError> {
    let pid = pid.as_raw_nonzero().get();
    let io = |what: &str, e: &io::Error| {
        SuperviseError::Io(format!("cannot read {what}: {e}; is /proc mounted?"))
    };
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(|e| io(&path, &e))?;
    // The name of the program, which may have anything in it, stands in parentheses; the state, field 3, follows.
    let started = stat
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.split_ascii_whitespace().nth(22 - 3)?.parse().ok())
        .ok_or_else(|| SuperviseError::Io(format!("{path} has not the form of Linux")))?;
    let boot = "/proc/sys/kernel/random/boot_id";
    let boot = fs::read_to_string(boot).map_err(|e| io(boot, &e))?;
    let namespace = "/proc/self/ns/pid";
    let namespace = fs::read_link(namespace).map_err(|e| io(namespace, &e))?;
    Ok(Identity {
        pid,
        namespace: namespace.display().to_string(),
        started,
        boot: boot.trim().to_owned(),
    })
}
