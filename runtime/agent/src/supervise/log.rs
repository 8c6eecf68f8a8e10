//! The log of a program: a file that it appends to itself, so that it needs no agent to write.
//!
//! It is rotated by size into `NAME.1`. The program holds the file open, so a renamed file would go on growing: what is at its beginning
//! is copied away, then cut off in place. Where the file system can take blocks out of a file (ext4, XFS), nothing is lost; elsewhere the file
//! is truncated, and what is written between the copy and that, is.

use super::SuperviseError;
use super::record::io;
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{self as std_io, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most that is read for [`tail`](Log::tail), in bytes.
const MOST_TAIL: u64 = 1 << 20;
/// How often who follows a log looks whether there is more.
const LOOK: Duration = Duration::from_millis(100);
/// How much who follows is given at a time, in bytes.
const PIECE: u64 = 64 << 10;
/// What is cut off a file is a multiple of this, in bytes: the block of most file systems.
const BLOCK: u64 = 4_096;

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    limit: u64,
    /// How many bytes have been cut off the file's beginning.
    cut: Mutex<u64>,
    closed: AtomicBool,
}

impl Log {
    pub fn new(path: &Path, limit: u64) -> Log {
        Log {
            path: path.to_owned(),
            limit,
            cut: Mutex::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// The file, to be appended to.
    pub fn append(&self) -> Result<File, SuperviseError> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|e| io("make the folder", folder, &e))?;
        }
        File::options()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(|e| io("open", &self.path, &e))
    }

    /// Nobody writes to it any more: who follows it comes to an end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether the program has been stopped.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn old(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".1");
        name.into()
    }

    /// Whether it has become too long.
    pub fn is_over(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.len() > self.limit)
    }

    /// Copies what it has to the second file, which loses what it had, and cuts it off.
    pub fn rotate(&self) -> Result<(), SuperviseError> {
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |e: std_io::Error| io("rotate", &self.path, &e);
        let file = File::options()
            .read(true)
            .write(true)
            .open(&self.path)
            .map_err(at)?;
        let size = file.metadata().map_err(at)?.len();
        if size <= self.limit {
            return Ok(());
        }
        // (the last block stays: a file cannot be cut off to its end)
        let whole = (size - 1) / BLOCK * BLOCK;
        let old = self.old();
        let mut copy = self.copy(&file, whole).map_err(at);
        let gone = if copy.is_ok() && collapse(&file, whole) {
            whole
        } else {
            let size = file.metadata().map_err(at)?.len();
            if copy.is_ok() {
                copy = self.copy(&file, size).map_err(at);
            }
            // Even if there was no room for a copy: the disk must not be filled.
            file.set_len(0).map_err(at)?;
            size
        };
        *cut += gone;
        if copy.is_err() {
            let _ = fs::remove_file(&old);
        }
        copy
    }

    /// Copies what comes before `end`, the newest part if it is over the limit.
    fn copy(&self, mut file: &File, end: u64) -> std_io::Result<()> {
        let from = end.saturating_sub(self.limit);
        file.seek(SeekFrom::Start(from))?;
        let mut copy = File::create(self.old())?;
        std_io::copy(&mut file.take(end - from), &mut copy).map(drop)
    }

    /// The last lines, of both files; at most 1 MiB.
    pub fn tail(&self, lines: usize) -> Result<Vec<String>, SuperviseError> {
        let _still = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = end_of(&self.path, MOST_TAIL).map_err(|e| io("read", &self.path, &e))?;
        let count = text.iter().filter(|byte| **byte == b'\n').count();
        let room = MOST_TAIL - text.len() as u64;
        if count <= lines && room > 0 {
            let old = self.old();
            let mut before = end_of(&old, room).map_err(|e| io("read", &old, &e))?;
            before.append(&mut text);
            text = before;
        }
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        if text.is_empty() || lines == 0 {
            return Ok(Vec::new());
        }
        let mut all: Vec<String> = text
            .rsplit(|byte| *byte == b'\n')
            .take(lines)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        all.reverse();
        Ok(all)
    }

    /// What stands at `from` of all that was ever logged here, and where it really began; nothing at the end.
    fn read_at(&self, from: u64) -> std_io::Result<(u64, Vec<u8>)> {
        let cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let from = from.max(*cut);
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from - *cut))?;
        let mut bytes = Vec::new();
        file.take(PIECE).read_to_end(&mut bytes)?;
        Ok((from, bytes))
    }
}

/// The end of a file; nothing where there is none.
fn end_of(path: &Path, most: u64) -> std_io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std_io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes the first bytes out of a file, while others append to it. `false`: this file system cannot.
#[cfg(target_os = "linux")]
fn collapse(file: &File, bytes: u64) -> bool {
    use rustix::fs::{FallocateFlags, fallocate};
    bytes > 0 && fallocate(file, FallocateFlags::COLLAPSE_RANGE, 0, bytes).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn collapse(_: &File, _: u64) -> bool {
    false
}

/// Goes along with a log.
#[derive(Debug)]
pub struct Follow {
    log: Arc<Log>,
    at: u64,
}

impl Follow {
    /// From now on.
    pub(super) fn new(log: Arc<Log>) -> Follow {
        let cut = *log.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let length = fs::metadata(&log.path).map_or(0, |found| found.len());
        Follow {
            at: cut + length,
            log,
        }
    }

    /// The next bytes, when there are some; `None` when the program has been stopped and all has been read. What was rotated away before
    /// it could be read is left out.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SuperviseError> {
        loop {
            let closed = self.log.is_closed();
            let (from, bytes) = self
                .log
                .read_at(self.at)
                .map_err(|e| io("read", &self.log.path, &e))?;
            if !bytes.is_empty() {
                self.at = from + bytes.len() as u64;
                return Ok(Some(bytes.into()));
            }
            if closed {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn a_log_is_rotated_and_read_over_both_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        let log = Arc::new(Log::new(&path, 64 << 10));
        let mut file = log.append().expect("opened");
        let mut follow = Follow::new(log.clone());
        let (mut written, mut followed) = (Vec::new(), Vec::new());
        for number in 0..20_000 {
            let line = format!("line {number}\n");
            file.write_all(line.as_bytes()).expect("written");
            written.extend(line.into_bytes());
            if number % 1_000 == 999 {
                while followed.len() < written.len() {
                    let next = follow.next().await.expect("read").expect("more");
                    followed.extend(next);
                }
                if log.is_over() {
                    log.rotate().expect("rotated");
                    assert!(!log.is_over());
                }
            }
        }
        assert!(followed == written, "who follows sees all");
        log.close();
        assert_eq!(follow.next().await, Ok(None));
        let both = fs::metadata(&path).expect("there").len()
            + fs::metadata(log.old()).expect("there").len();
        assert!(both <= 2 * (64 << 10) + 16_000, "{both}");
        let tail = log.tail(5_000).expect("read");
        let expected: Vec<String> = (15_000..20_000).map(|n| format!("line {n}")).collect();
        assert_eq!(tail, expected);
        assert_eq!(log.tail(2).expect("read"), ["line 19998", "line 19999"]);
        assert_eq!(
            Log::new(&folder.path().join("none"), 1).tail(3),
            Ok(Vec::new())
        );
    }
}
