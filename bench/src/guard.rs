//! What a measurement leaves behind if nobody cleans up: processes and temporary folders. Each is removed when its owner is
//! dropped, and all of them when the bench is told to stop (Ctrl-C, SIGTERM).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

/// What is there now.
struct Live {
    groups: Vec<u32>,
    folders: Vec<PathBuf>,
}

static LIVE: Mutex<Live> = Mutex::new(Live {
    groups: Vec::new(),
    folders: Vec::new(),
});

/// (a thread that panicked while it held this left a list that is still good)
fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on SIGINT and SIGTERM end the bench with everything it started. Exit code 130 or 143 then.
pub fn clean_up_on_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            if let Some(code) = until_signal(ready) {
                let all = live();
                all.groups.iter().for_each(|group| kill_group(*group));
                for folder in &all.folders {
                    // (what is gone already needs no removal)
                    let _ = std::fs::remove_dir_all(folder);
                }
                // `all` stays locked: nothing new is started while the process ends.
                std::process::exit(code);
            }
        });
        // What is begun next is cleaned up for certain; where no signal can be waited for, it is begun all the same.
        let _ = is_ready.recv();
    });
}

/// Waits for a signal; `None` when none can be waited for.
///
/// `ready` is told, or dropped, before the wait begins.
fn until_signal(ready: std::sync::mpsc::Sender<()>) -> Option<i32> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).ok()?;
        let mut terminate = signal(SignalKind::terminate()).ok()?;
        // (nobody needs to be there any more)
        let _ = ready.send(());
        tokio::select! {
            _ = interrupt.recv() => Some(130),
            _ = terminate.recv() => Some(143),
        }
    })
}

/// Ends a process and all that it started.
fn kill_group(group: u32) {
    // (`kill` of the shell: there is no safe way to it in the standard library)
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -s KILL -- -{group}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A process in a group of its own, ended with that group when it is dropped.
pub struct Process {
    child: Child,
    /// When it was started.
    pub begun: Instant,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// It cannot be started; the text names the program.
    pub fn start(command: &mut Command) -> Result<Process, String> {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
        // Started and listed under one lock, so that a signal finds either nothing or all of it.
        let mut all = live();
        let begun = Instant::now();
        let child = command.spawn().map_err(|e| {
            format!(
                "cannot start {}: {e}",
                Path::new(command.get_program()).display()
            )
        })?;
        all.groups.push(child.id());
        Ok(Process { child, begun })
    }

    /// The process itself, to take its input and output.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it ends by itself, at most this long.
    pub fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + at_most;
        loop {
            match self.ended() {
                None if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                ended => return ended,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut all = live();
        kill_group(self.child.id());
        // (it may have ended before)
        let _ = self.child.kill();
        let _ = self.child.wait();
        all.groups.retain(|group| *group != self.child.id());
    }
}

/// A temporary folder, removed with what is in it when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Folder, String> {
        use std::os::unix::fs::DirBuilderExt;
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("vgdc-bench-{}-{number}", std::process::id()));
        let mut all = live();
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|e| format!("cannot make the temporary folder {}: {e}", path.display()))?;
        all.folders.push(path.clone());
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut all = live();
        // (what is gone already needs no removal)
        let _ = std::fs::remove_dir_all(&self.0);
        all.folders.retain(|folder| *folder != self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner() {
        let folder = Folder::new().expect("a folder");
        let path = folder.path().to_owned();
        std::fs::write(path.join("f"), "x").expect("writes");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_process_goes_with_its_owner_and_with_what_it_started() {
        let mut process = Process::start(
            Command::new("sh")
                .args(["-c", "sleep 100 & echo $!; wait"])
                .stdout(Stdio::piped()),
        )
        .expect("starts");
        let mut line = String::new();
        let output = process.child().stdout.take().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)
            .expect("it says its child's number");
        drop(process);
        // (an orphan is reaped by somebody else, when that one gets to it)
        let is_gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", line.trim()));
            stat.is_err() || stat.is_ok_and(|s| s.contains(") Z "))
        };
        let until = Instant::now() + Duration::from_secs(10);
        while !is_gone() {
            assert!(Instant::now() < until, "{line} lives");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let why = Process::start(&mut Command::new("/no/such/program")).err();
        assert!(why.is_some_and(|why| why.contains("/no/such/program")));
    }
}
