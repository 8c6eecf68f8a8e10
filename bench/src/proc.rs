//! What the kernel says of a process: CPU time (`/proc/PID/stat`, finer in `/proc/PID/task/*/schedstat`) and resident memory
//! (`/proc/PID/status`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A tick of `/proc/PID/stat`: the kernel's interface fixes it at a hundredth of a second.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process has used so far, by all its threads.
///
/// # Errors
/// The process has ended.
pub fn cpu(pid: u32) -> Result<Duration, String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_err(|e| format!("the measured process has ended (/proc/{pid}/stat: {e})"))?;
    let coarse =
        parse_cpu(&text).ok_or_else(|| format!("/proc/{pid}/stat is not as expected: {text}"))?;
    // Nanoseconds instead of hundredths of a second, but without the threads that have ended: good as long as it is no less.
    let fine = fine_cpu(pid);
    Ok(if fine + TICK * 2 >= coarse {
        fine
    } else {
        coarse
    })
}

/// What the scheduler has counted for the threads that live.
fn fine_cpu(pid: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ')
            .next()?
            .parse()
            .ok()
            .map(Duration::from_nanos)
    };
    threads.into_iter().flatten().flatten().filter_map(of).sum()
}

fn parse_cpu(stat: &str) -> Option<Duration> {
    // (the name, in parentheses, may hold anything)
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user.checked_add(system)?)
}

/// Resident memory in bytes.
///
/// # Errors
/// The process has ended.
pub fn resident(pid: u32) -> Result<u64, String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|e| format!("the measured process has ended (/proc/{pid}/status: {e})"))?;
    parse_resident(&text).ok_or_else(|| format!("/proc/{pid}/status has no VmRSS"))
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Watches a process's memory on a thread of its own and keeps the most.
pub struct Peak {
    most: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peak {
    /// Begins to watch.
    pub fn of(pid: u32) -> Peak {
        let (most, over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (kept, ends) = (most.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                // (a process that has ended is noticed by who drives it)
                kept.fetch_max(resident(pid).unwrap_or(0), Ordering::Relaxed);
                std::thread::park_timeout(Duration::from_millis(50));
            }
        });
        Peak {
            most,
            over,
            thread: Some(thread),
        }
    }

    /// The most so far, in bytes.
    pub fn bytes(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

impl Drop for Peak {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // (it cannot panic)
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_read() {
        let stat = "12 (a ) b) S 1 12 12 0 -1 4194304 500 0 0 0 123 45 0 0 20 0 3 0 100 1000 200";
        assert_eq!(parse_cpu(stat), Some(Duration::from_millis(1680)));
        assert_eq!(parse_cpu("12 (a"), None);
        let status = "Name:\tx\nVmHWM:\t    9000 kB\nVmRSS:\t    5120 kB\n";
        assert_eq!(parse_resident(status), Some(5 * 1024 * 1024));
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_is_seen() {
        let own = std::process::id();
        assert!(cpu(own).is_ok());
        let peak = Peak::of(own);
        while peak.bytes() == 0 {
            std::thread::yield_now();
        }
        assert!(resident(own).is_ok_and(|bytes| bytes > 100_000));
    }
}
