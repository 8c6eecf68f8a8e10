//! The host's process: started with two sockets, and ended.

use crate::files::Private;
use crate::limits::Prepared;
use crate::start::Start;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// The descriptors that the host's program counts on.
const LINK: i32 = 3;
const LINE: i32 = 4;

/// A host that has been started.
pub struct Started {
    /// The process; killed when this is dropped.
    pub child: Child,
    /// The link.
    pub link: tokio::net::UnixStream,
    /// The same, to be written to by any thread; it does not block.
    pub writer: UnixStream,
    /// The line for contexts.
    pub line: UnixStream,
}

/// Starts the host's program.
///
/// # Errors
/// Node.js cannot be run, or not with the limits that it is to have.
pub fn start(start: &Start, folder: &Private, state: &Path) -> Result<Started, String> {
    let limits = limits(start, folder, state)?;
    let program = start.found.node.program.display();
    spawn(start, folder, limits).map_err(|error| format!("{program} cannot be started: {error}"))
}

/// What it may do, its own folders handed over to whom it is of.
fn limits(start: &Start, folder: &Private, state: &Path) -> Result<Prepared, String> {
    let program = &start.found.node.program;
    let program = program.canonicalize().unwrap_or_else(|_| program.clone());
    // (Node.js's own modules lie beside the folder of the program, and Node-RED's beside its package)
    let around = program.parent().and_then(Path::parent);
    let beside = start.found.runtime.parent();
    let seen = [around, beside, Some(&*start.user_dir)];
    let seen: Vec<&Path> = seen.into_iter().flatten().collect();
    let own = [folder.path(), state];
    let prepared = start.limits.prepare(&own, &seen)?;
    for folder in own {
        prepared
            .give(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(prepared)
}

fn spawn(start: &Start, folder: &Private, limits: Prepared) -> io::Result<Started> {
    let (link, there_link) = UnixStream::pair()?;
    let (line, there_line) = UnixStream::pair()?;
    link.set_nonblocking(true)?;
    let writer = link.try_clone()?;
    let link = tokio::net::UnixStream::from_std(link)?;
    // (high numbers, so that neither is where the other one is to be)
    let high = |fd: UnixStream| rustix::io::fcntl_dupfd_cloexec(OwnedFd::from(fd), 10);
    let (there_link, there_line) = (high(there_link)?, high(there_line)?);
    let mut command = Command::new(&start.found.node.program);
    command
        .arg(format!("--max-old-space-size={}", start.heap_mb))
        .arg(folder.file("main.js"))
        .current_dir(&start.user_dir)
        .env_clear()
        .envs(start.env.clone())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // (an interrupt from the terminal is for the program, which ends its host itself)
        .process_group(0);
    let (link_fd, line_fd) = (there_link.as_raw_fd(), there_line.as_raw_fd());
    // SAFETY: between fork and exec only `dup2` is called, which is async-signal-safe; both descriptors are open until after
    // `spawn`, since this function owns them.
    unsafe {
        command.pre_exec(move || {
            for (from, to) in [(link_fd, LINK), (line_fd, LINE)] {
                if libc::dup2(from, to) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    limits.apply(command.as_std_mut());
    let child = command.spawn()?;
    drop((there_link, there_line));
    Ok(Started {
        child,
        link,
        writer,
        line,
    })
}
