//! What a measured process says on its standard error and output: kept, so that a fault can be explained.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStderr, ChildStdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// Lines that are kept.
const KEPT: usize = 200;
/// Lines that are shown.
const SHOWN: usize = 15;

type Kept = Arc<Mutex<VecDeque<(Instant, String)>>>;

/// The last lines, each with the time at which it came.
pub struct Log {
    lines: Kept,
    readers: Vec<JoinHandle<()>>,
}

impl Log {
    /// Reads these to their ends, each on a thread.
    pub fn of(errors: Option<ChildStderr>, output: Option<ChildStdout>) -> Log {
        let lines = Kept::default();
        let errors = errors.map(|stream| read(stream, lines.clone()));
        let output = output.map(|stream| read(stream, lines.clone()));
        Log {
            lines,
            readers: errors.into_iter().chain(output).collect(),
        }
    }

    /// (a reader that panicked left lines that are still good)
    fn lines(&self) -> MutexGuard<'_, VecDeque<(Instant, String)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a line with this text came, if one did.
    pub fn said(&self, text: &str) -> Option<Instant> {
        let lines = self.lines();
        lines
            .iter()
            .find(|(_, line)| line.contains(text))
            .map(|(at, _)| *at)
    }

    /// The last lines, once the process has closed its outputs.
    pub fn tail_when_over(self) -> String {
        for reader in self.readers {
            // (it does not panic)
            let _ = reader.join();
        }
        tail(&self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A fault with the last lines.
    pub fn explain(&self, why: &str) -> String {
        let tail = tail(&self.lines());
        match tail.is_empty() {
            true => why.to_owned(),
            false => format!("{why}; what it said last:\n{tail}"),
        }
    }
}

fn read(stream: impl Read + Send + 'static, lines: Kept) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        // (read on to the end, whatever the bytes are: a full pipe would stop the process)
        while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == KEPT {
                lines.pop_front();
            }
            lines.push_back((Instant::now(), text));
        }
    })
}

fn tail(lines: &VecDeque<(Instant, String)>) -> String {
    let skipped = lines.len().saturating_sub(SHOWN);
    let shown = lines.iter().skip(skipped);
    shown
        .map(|(_, line)| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let lines = Kept::default();
        let text: String = (0..300).map(|n| format!("line {n}\n")).collect();
        let reader = read(std::io::Cursor::new(text), lines.clone());
        let log = Log {
            lines,
            readers: vec![reader],
        };
        let tail = log.tail_when_over();
        assert_eq!(tail.lines().count(), SHOWN);
        assert!(tail.ends_with("line 299"));
    }
}
