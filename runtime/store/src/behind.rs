//! Writing behind: what changed is remembered, and written some time later by a thread that stores share the code of.
//!
//! A store that is killed loses at most what changed within its interval and while one write took. What cannot be written
//! stays remembered and is tried again after the next interval.

use crate::StoreError;
use crate::log::{Level, Log};
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A store that writes behind. `Item` names what is written as one: a file's scope, a row.
pub(crate) trait Writes: Send + Sync + 'static {
    type Item: Eq + Hash + Send + 'static;

    /// What it has to write.
    fn behind(&self) -> &Behind<Self::Item>;

    /// Writes these, and says which of them could not be written, and why.
    fn write_all(&self, items: HashSet<Self::Item>) -> Result<(), Unwritten<Self::Item>>;
}

/// What could not be written.
pub(crate) struct Unwritten<I> {
    pub(crate) items: Vec<I>,
    pub(crate) why: StoreError,
}

/// What a store has to write, and the thread that does it.
pub(crate) struct Behind<I> {
    interval: Duration,
    log: Log,
    pending: Mutex<Pending<I>>,
    wake: Condvar,
    /// Held while something is written, so that two writers do not cross.
    writing: Mutex<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Pending<I> {
    items: HashSet<I>,
    /// When they are to be written.
    due: Option<Instant>,
    closing: bool,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I: Eq + Hash> Behind<I> {
    pub(crate) fn new(interval: Duration, log: Log) -> Behind<I> {
        Behind {
            interval,
            log,
            pending: Mutex::new(Pending {
                items: HashSet::new(),
                due: None,
                closing: false,
            }),
            wake: Condvar::new(),
            writing: Mutex::new(()),
            thread: Mutex::new(None),
        }
    }

    /// Nothing is written by another while this is held.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        lock(&self.writing)
    }

    /// What is no longer to be written.
    pub(crate) fn forget(&self, keep: impl Fn(&I) -> bool) {
        lock(&self.pending).items.retain(|item| keep(item));
    }

    fn complain(&self, error: &StoreError) {
        self.log
            .say(Level::Error, format!("Error writing context: {error}"));
    }
}

/// Remembers that something is to be written; starts the thread that does it with the first.
pub(crate) fn changed<W: Writes>(store: &Arc<W>, item: W::Item) {
    let behind = store.behind();
    let mut pending = lock(&behind.pending);
    pending.items.insert(item);
    if pending.due.is_some() || pending.closing {
        return;
    }
    // (a time too far away to be told is never)
    pending.due = Instant::now().checked_add(behind.interval);
    behind.wake.notify_all();
    drop(pending);
    let mut thread = lock(&behind.thread);
    if thread.is_none() {
        let store = store.clone();
        let spawned = std::thread::Builder::new()
            .name("vgdc-context".to_owned())
            .spawn(move || write_when_due(&*store));
        match spawned {
            Ok(spawned) => *thread = Some(spawned),
            Err(error) => behind.complain(&StoreError::new(error.to_string())),
        }
    }
}

/// Writes what changed since it was last written.
pub(crate) fn flush<W: Writes>(store: &W) -> Result<(), StoreError> {
    let behind = store.behind();
    let _writing = behind.writing();
    let items = {
        let mut pending = lock(&behind.pending);
        pending.due = None;
        std::mem::take(&mut pending.items)
    };
    if items.is_empty() {
        return Ok(());
    }
    store.write_all(items).map_err(|unwritten| {
        lock(&behind.pending).items.extend(unwritten.items);
        unwritten.why
    })
}

/// Ends the thread, and writes what there is to write.
pub(crate) fn close<W: Writes>(store: &W) -> Result<(), StoreError> {
    let behind = store.behind();
    lock(&behind.pending).closing = true;
    behind.wake.notify_all();
    if let Some(thread) = lock(&behind.thread).take() {
        // (a writer that panicked has said so; what it left is written below)
        let _ = thread.join();
    }
    flush(store)
}

/// The same where nobody is left to be told.
pub(crate) fn close_at_last<W: Writes>(store: &W) {
    if let Err(error) = close(store) {
        store.behind().complain(&error);
    }
}

/// What the writing thread does until the store is closed.
fn write_when_due<W: Writes>(store: &W) {
    let behind = store.behind();
    let mut pending = lock(&behind.pending);
    while !pending.closing {
        let now = Instant::now();
        match pending.due {
            None => {
                pending = behind
                    .wake
                    .wait(pending)
                    .unwrap_or_else(PoisonError::into_inner)
            }
            Some(due) if due > now => {
                pending = behind
                    .wake
                    .wait_timeout(pending, due - now)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            Some(_) => {
                drop(pending);
                let written = flush(store);
                pending = lock(&behind.pending);
                if let Err(error) = written {
                    // (at least a second: an interval of nought must not make this a busy loop)
                    let pause = behind.interval.max(Duration::from_secs(1));
                    pending.due = pending.due.or_else(|| Instant::now().checked_add(pause));
                    drop(pending);
                    behind.complain(&error);
                    pending = lock(&behind.pending);
                }
            }
        }
    }
}
