//! The host's process: started with two sockets, and ended.

use crate::files::Private;
use crate::find::Found;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
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
/// Node.js cannot be run.
pub fn start(
    found: &Found,
    folder: &Private,
    work_dir: &std::path::Path,
    env: HashMap<OsString, OsString>,
    heap_mb: u32,
) -> io::Result<Started> {
    let (link, there_link) = UnixStream::pair()?;
    let (line, there_line) = UnixStream::pair()?;
    link.set_nonblocking(true)?;
    let writer = link.try_clone()?;
    let link = tokio::net::UnixStream::from_std(link)?;
    // (high numbers, so that neither is where the other one is to be)
    let high = |fd: UnixStream| rustix::io::fcntl_dupfd_cloexec(OwnedFd::from(fd), 10);
    let (there_link, there_line) = (high(there_link)?, high(there_line)?);
    let mut command = Command::new(&found.node.program);
    command
        .arg(format!("--max-old-space-size={heap_mb}"))
        .arg(folder.file("main.js"))
        .current_dir(work_dir)
        .env_clear()
        .envs(env)
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
    let child = command.spawn()?;
    drop((there_link, there_line));
    Ok(Started {
        child,
        link,
        writer,
        line,
    })
}
