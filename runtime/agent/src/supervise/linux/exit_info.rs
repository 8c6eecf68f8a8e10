//! How a process ended that is not our child: the kernel keeps that with the pidfd (`PIDFD_GET_INFO` with `PIDFD_INFO_EXIT`, since Linux 6.15;
//! `include/uapi/linux/pidfd.h`).

use crate::supervise::event::Ended;
use rustix::fd::{AsFd, OwnedFd};
use rustix::ioctl::{Updater, ioctl, opcode};
use std::thread;
use std::time::Duration;

/// The bit that asks for, and says that there is, a status of the end.
const EXIT: u64 = 1 << 3;
/// How often to look, and how long to wait in between: the status is there when the parent has taken it, which is init by now.
const LOOKS: u32 = 100;
const WAIT: Duration = Duration::from_millis(1);

/// `struct pidfd_info`, its first version: 64 bytes.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    /// pid, tgid, ppid, then real, effective, saved and file system's user and group.
    numbers: [u32; 11],
    /// As `wait` gives it.
    exit_code: i32,
}

const GET_INFO: rustix::ioctl::Opcode = opcode::read_write::<PidfdInfo>(0xff, 11);

/// How the process ended, after it has. Blocks for a tenth of a second at most.
pub(super) fn of(pidfd: &OwnedFd) -> Ended {
    for _ in 0..LOOKS {
        let mut info = PidfdInfo {
            mask: EXIT,
            ..PidfdInfo::default()
        };
        // SAFETY: the number is that of `PIDFD_GET_INFO` with the size of this structure, which the kernel fills in and which any bytes
        // are a value of; a descriptor of another kind, or an older kernel, refuses it.
        let asked = unsafe { ioctl(pidfd.as_fd(), Updater::<GET_INFO, _>::new(&mut info)) };
        match asked {
            Ok(()) if info.mask & EXIT != 0 => return status(info.exit_code),
            // (it is a process that has ended, so what is missing is only that its parent looks)
            Ok(()) => thread::sleep(WAIT),
            Err(_) => return Ended::Unknown,
        }
    }
    Ended::Unknown
}

/// What a status of `wait` says of a process that has ended.
fn status(status: i32) -> Ended {
    match status & 0x7f {
        0 => Ended::Code((status >> 8) & 0xff),
        signal => Ended::Signal(signal),
    }
}
