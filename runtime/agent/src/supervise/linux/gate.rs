//! Starting a program so that no program runs that nobody knows of: the child stops at a gate before it executes anything, until its
//! identity is on the disk, its limits are set and it is in its cgroup. If the agent dies before that, the child ends at the gate.

use super::cgroup::Group;
use super::process::{MARK, identity_of};
use crate::supervise::SuperviseError;
use crate::supervise::record::Identity;
use crate::supervise::spec::Spec;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, getpid, pidfd_open, prlimit, setsid};
use std::fs::{self, File};
use std::io::{self, PipeReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// What a program gets of the agent's environment.
const INHERITED: [&str; 8] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
const GO: u8 = 1;
const LEAVE: u8 = 0;

/// Starts a program, which has its output appended to the log. `known` is given its identity before it executes anything, and may
/// refuse. Blocks.
pub(in crate::supervise) fn launch(
    spec: &Spec,
    mark: &str,
    log: File,
    group: Option<&Group>,
    known: impl FnOnce(&Identity) -> Result<(), SuperviseError>,
) -> Result<(Pid, OwnedFd), SuperviseError> {
    let cannot = |e: &io::Error| SuperviseError::CannotStart(why(&spec.program, e));
    check_program(&spec.program)?;
    fs::create_dir_all(&spec.folder)
        .map_err(|e| crate::supervise::record::io("make the folder", &spec.folder, &e))?;
    let (mut from_child, to_agent) = io::pipe().map_err(|e| cannot(&e))?;
    let (at_gate, mut gate) = io::pipe().map_err(|e| cannot(&e))?;
    let agent = pidfd_open(getpid(), PidfdFlags::empty()).map_err(|e| cannot(&e.into()))?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .current_dir(&spec.folder)
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .envs(&spec.env)
        .env(MARK, mark)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(|e| cannot(&e))?)
        .stderr(log);
    // SAFETY: between fork and exec of a process with threads only async-signal-safe calls are allowed: no memory is allocated, no lock
    // is taken. `at_the_gate` makes system calls on descriptors that the closure owns, and nothing else.
    unsafe {
        command.pre_exec(move || at_the_gate(&to_agent, &at_gate, &agent));
    }
    thread::scope(|scope| {
        // It returns when the child has executed the program, or could not: after the gate has been opened or closed.
        let spawning = scope.spawn(move || {
            let spawned = command.spawn();
            // (its end of the pipe: else nothing would tell below that there is no child)
            drop(command);
            spawned.map(drop)
        });
        let mut pid = [0; 4];
        let admitted = match from_child.read_exact(&mut pid) {
            Ok(()) => Some(admit(spec, i32::from_ne_bytes(pid), group, known)),
            // The child has ended before the gate, and `spawn` knows why.
            Err(_) => None,
        };
        let word = match &admitted {
            Some(Ok(_)) => GO,
            Some(Err(_)) | None => LEAVE,
        };
        // (nobody reads it where there is no child)
        let _ = gate.write_all(&[word]);
        let spawned = spawning
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that starts it panicked")));
        match (admitted, spawned) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(cannot(&error)),
            (Some(Ok(process)), Ok(())) => Ok(process),
            (None, Ok(())) => Err(cannot(&io::Error::other("it left the gate unseen"))),
        }
    })
}

/// In the child: says its number, and waits until the agent says what to do, or has ended.
fn at_the_gate(to_agent: &io::PipeWriter, gate: &PipeReader, agent: &OwnedFd) -> io::Result<()> {
    // A session and a process group of its own: no signal of a terminal reaches it.
    setsid()?;
    let pid = getpid().as_raw_nonzero().get().to_ne_bytes();
    // (4 bytes go into a pipe at once)
    rustix::io::write(to_agent, &pid)?;
    loop {
        let mut ready = [
            PollFd::new(gate, PollFlags::IN),
            PollFd::new(agent, PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
            Ok(_) => {}
        }
        if ready[0].revents().is_empty() {
            // The agent is gone.
            return Err(io::Error::from(rustix::io::Errno::CANCELED));
        }
        let mut word = [LEAVE];
        match rustix::io::read(gate, &mut word) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(1) if word[0] == GO => return Ok(()),
            _ => return Err(io::Error::from(rustix::io::Errno::CANCELED)),
        }
    }
}

/// While the child waits: limits, cgroup, and what has to be known of it.
fn admit(
    spec: &Spec,
    pid: i32,
    group: Option<&Group>,
    known: impl FnOnce(&Identity) -> Result<(), SuperviseError>,
) -> Result<(Pid, OwnedFd), SuperviseError> {
    let cannot = |e: io::Error| SuperviseError::CannotStart(why(&spec.program, &e));
    let pid =
        Pid::from_raw(pid).ok_or_else(|| cannot(io::Error::other("a child without a number")))?;
    // (our child, not waited for: the number is its own)
    let fd = pidfd_open(pid, PidfdFlags::empty()).map_err(|e| cannot(e.into()))?;
    if let Some(group) = group {
        group.attach(pid.as_raw_nonzero().get())?;
    }
    let limit = |resource, value: Option<u64>| match value {
        Some(value) => {
            let both = Rlimit {
                current: Some(value),
                maximum: Some(value),
            };
            let set = prlimit(Some(pid), resource, both);
            set.map(drop).map_err(|e| {
                SuperviseError::CannotStart(format!(
                    "a limit of {value} cannot be set ({e}): it may be more than the agent has itself"
                ))
            })
        }
        None => Ok(()),
    };
    limit(Resource::Nofile, spec.limits.files)?;
    if !group.is_some_and(Group::holds_memory) {
        // What a process writes to, but not what it only reserves, which engines do by the gigabyte.
        limit(Resource::Data, spec.limits.memory)?;
    }
    known(&identity_of(pid)?)?;
    Ok((pid, fd))
}

/// Whether the kernel could execute a file. The C library hands what the kernel does not know to a shell, so that has to be found out
/// beforehand.
fn check_program(program: &Path) -> Result<(), SuperviseError> {
    let cannot = |e: &io::Error| SuperviseError::CannotStart(why(program, e));
    let found = fs::metadata(program).map_err(|e| cannot(&e))?;
    if !found.is_file() {
        return Err(SuperviseError::CannotStart(format!(
            "{} is no file",
            program.display()
        )));
    }
    if found.permissions().mode() & 0o111 == 0 {
        return Err(cannot(&io::ErrorKind::PermissionDenied.into()));
    }
    let mut head = Vec::new();
    // (what may be executed need not be readable: then the kernel says what it thinks of it)
    if File::open(program)
        .and_then(|file| file.take(20).read_to_end(&mut head))
        .is_err()
    {
        return Ok(());
    }
    let runs = match &head[..] {
        [b'#', b'!', ..] => true,
        [0x7f, b'E', b'L', b'F', class, order, ..] if head.len() == 20 => {
            let machine = if *order == 2 {
                u16::from_be_bytes([head[18], head[19]])
            } else {
                u16::from_le_bytes([head[18], head[19]])
            };
            is_native(*class, machine)
        }
        _ => false,
    };
    if runs || has_interpreters() {
        Ok(())
    } else {
        Err(cannot(&rustix::io::Errno::NOEXEC.into()))
    }
}

/// Whether an ELF file (class: 1 is 32 bits, 2 is 64; machine: the `e_machine` of the ELF specification) is for this processor.
fn is_native(class: u8, machine: u16) -> bool {
    match std::env::consts::ARCH {
        "x86_64" => matches!((class, machine), (2, 62) | (1, 3)),
        "x86" => (class, machine) == (1, 3),
        "aarch64" => matches!((class, machine), (2, 183) | (1, 40)),
        "arm" => (class, machine) == (1, 40),
        "riscv64" => (class, machine) == (2, 243),
        // (of others, the kernel says it)
        _ => true,
    }
}

/// Whether the kernel has been told of interpreters for other files (an emulator, mostly).
fn has_interpreters() -> bool {
    fs::read_dir("/proc/sys/fs/binfmt_misc").is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name() != "register" && entry.file_name() != "status")
    })
}

/// Why a program cannot be started, and what to do about it.
fn why(program: &Path, error: &io::Error) -> String {
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound if Path::new(&program.to_string()).exists() => format!(
            "{program} cannot be started: what it needs to run is not here (an interpreter, or the dynamic linker of another C library)"
        ),
        io::ErrorKind::NotFound => format!("{program} cannot be started: there is no such file"),
        io::ErrorKind::PermissionDenied => format!(
            "{program} cannot be started: it is not executable, or its folder or file system does not allow it"
        ),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => format!(
            "{program} cannot be started: it is no program for this machine, {} (ENOEXEC): compile it for this target",
            std::env::consts::ARCH
        ),
        _ => format!("{program} cannot be started: {error}"),
    }
}
