//! The thread that writes a durable link's outbox: what was taken since the last time in one transaction, then it may be sent.

use crate::frame::Item;
use crate::outbox::Outbox;
use crate::sending::SenderEnd;
use crate::wake::lock;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vgdc_store::StoreError;

/// How long after a write that failed it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// What is confirmed is taken out of the outbox with the next messages, or after so long,
const IDLE: Duration = Duration::from_millis(200);
/// or when it is so many messages.
const MANY: u64 = 4096;

struct State {
    /// Taken, not on the disk.
    pending: Vec<Item>,
    /// Being written.
    writing: usize,
    /// Messages that are taken and not confirmed, and their bytes.
    count: usize,
    bytes: usize,
    taken: u64,
    persisted: u64,
    failed: Option<StoreError>,
    /// What is in front of this number is confirmed, of this one out of the outbox.
    confirmed: u64,
    removed: u64,
    closing: bool,
    stopping: bool,
}

/// Keeps a durable link's messages.
pub(crate) struct Keeper {
    state: Arc<(Mutex<State>, Condvar)>,
    most: (usize, usize),
    end: Arc<OnceLock<Weak<SenderEnd>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Keeper {
    /// Starts the thread. `count` messages of `bytes` are in the outbox already, the first with the number `front`; `most`
    /// there may be.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        outbox: Outbox,
        front: u64,
        (count, bytes): (usize, usize),
        most: (usize, usize),
    ) -> std::io::Result<Keeper> {
        let state = State {
            pending: Vec::new(),
            writing: 0,
            count,
            bytes,
            taken: 0,
            persisted: 0,
            failed: None,
            confirmed: front,
            removed: front,
            closing: false,
            stopping: false,
        };
        let state = Arc::new((Mutex::new(state), Condvar::new()));
        let end = Arc::new(OnceLock::new());
        let thread = Writer {
            state: state.clone(),
            end: end.clone(),
            outbox,
        };
        let thread = std::thread::Builder::new()
            .name("link outbox".to_owned())
            .spawn(move || thread.run())?;
        Ok(Keeper {
            state,
            most,
            end,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Says whose messages they are.
    pub(crate) fn belongs_to(&self, end: &Arc<SenderEnd>) {
        let _ = self.end.set(Arc::downgrade(end));
    }

    /// Takes a message; without room, gives it back; `None`: closed.
    pub(crate) fn take(&self, item: Item) -> Result<(), Option<Item>> {
        let mut state = lock(&self.state.0);
        if state.closing || state.stopping {
            return Err(None);
        }
        let length = item.message.len();
        if state.count >= self.most.0 || state.bytes >= self.most.1 {
            return Err(Some(item));
        }
        state.count += 1;
        state.bytes += length;
        state.taken += 1;
        state.pending.push(item);
        if state.pending.len() == 1 {
            self.state.1.notify_one();
        }
        Ok(())
    }

    pub(crate) fn room(&self) -> bool {
        let state = lock(&self.state.0);
        state.count < self.most.0 && state.bytes < self.most.1
    }

    /// How many messages were taken.
    pub(crate) fn taken(&self) -> u64 {
        lock(&self.state.0).taken
    }

    /// Whether the first so many that were taken are on the disk.
    pub(crate) fn persisted(&self, taken: u64) -> Result<bool, StoreError> {
        let state = lock(&self.state.0);
        match &state.failed {
            _ if state.persisted >= taken => Ok(true),
            Some(error) => Err(error.clone()),
            None => Ok(false),
        }
    }

    pub(crate) fn pending(&self) -> usize {
        let state = lock(&self.state.0);
        state.pending.len() + state.writing
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.pending() == 0
    }

    /// What is in front of this number is confirmed: so many messages fewer, so many bytes.
    pub(crate) fn confirmed(&self, front: u64, messages: usize, bytes: usize) {
        let mut state = lock(&self.state.0);
        state.count = state.count.saturating_sub(messages);
        state.bytes = state.bytes.saturating_sub(bytes);
        state.confirmed = front;
        if front - state.removed >= MANY || state.removed + messages as u64 == front {
            self.state.1.notify_one();
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.state.0).closing = true;
        self.state.1.notify_one();
    }
}

impl Keeper {
    fn stop(&self) {
        lock(&self.state.0).stopping = true;
        self.state.1.notify_one();
    }

    /// Writes what was taken, and lets go of the file. Waits for that.
    pub(crate) fn finish(&self) {
        self.stop();
        if let Some(thread) = lock(&self.thread).take() {
            // (a thread that panicked has let go, too)
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Writer {
    state: Arc<(Mutex<State>, Condvar)>,
    end: Arc<OnceLock<Weak<SenderEnd>>>,
    outbox: Outbox,
}

impl Writer {
    fn run(mut self) {
        let mut closed = false;
        let mut last = Instant::now();
        loop {
            let (pending, confirmed, closing) = self.wait(closed, last);
            let mut failed = None;
            // (first what makes room)
            let removed = self.outbox.confirmed(confirmed);
            last = Instant::now();
            match removed {
                Ok(()) => lock(&self.state.0).removed = confirmed,
                Err(error) => failed = Some(error),
            }
            if !pending.is_empty() {
                match self.outbox.append(&pending) {
                    Ok(_) => self.send(pending),
                    Err(error) => {
                        failed = Some(error.into());
                        self.give_back(pending);
                    }
                }
            }
            let trouble = failed.is_some();
            let stopping = {
                let mut state = lock(&self.state.0);
                state.failed = failed;
                state.stopping
            };
            if stopping {
                // (what could not be written now was never said to be)
                return;
            }
            let Some(end) = self.end.get().and_then(Weak::upgrade) else {
                // (nobody is left whose messages they are: they stay in the outbox)
                return;
            };
            if trouble {
                end.changed.notify_waiters();
                drop(end);
                std::thread::sleep(AGAIN);
                continue;
            }
            let mut state = lock(&end.state);
            if closing && !closed && lock(&self.state.0).pending.is_empty() {
                closed = true;
                state.machine.close();
                state.tell();
            }
            // (of a link that has ended what was taken is still to be kept)
            let ended = state.machine.is_closed();
            drop(state);
            end.changed.notify_waiters();
            if ended {
                return;
            }
        }
    }

    /// Waits until there is something to do: messages, confirmations, or the end.
    fn wait(&self, closed: bool, last: Instant) -> (Vec<Item>, u64, bool) {
        let (mutex, condition) = &*self.state;
        let mut state = lock(mutex);
        loop {
            let now = Instant::now();
            let waiting = state.confirmed > state.removed;
            let due = waiting && (state.confirmed - state.removed >= MANY || now >= last + IDLE);
            let ending = state.stopping || state.closing && !closed;
            if !state.pending.is_empty() || due || ending {
                let pending = std::mem::take(&mut state.pending);
                state.writing = pending.len();
                return (pending, state.confirmed, state.closing);
            }
            let patience = if waiting { IDLE } else { AGAIN };
            let waited = condition.wait_timeout(state, patience);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What is on the disk may be sent.
    fn send(&self, pending: Vec<Item>) {
        let count = pending.len();
        if let Some(end) = self.end.get().and_then(Weak::upgrade) {
            let mut state = lock(&end.state);
            for item in pending {
                // (the keeper counts, so there is room; a link that has ended keeps what is left in the outbox)
                let _ = state.machine.push(item, Instant::now);
            }
            state.tell();
        }
        let mut state = lock(&self.state.0);
        state.writing = 0;
        state.persisted += count as u64;
    }

    fn give_back(&self, pending: Vec<Item>) {
        let mut state = lock(&self.state.0);
        let later = std::mem::replace(&mut state.pending, pending);
        state.pending.extend(later);
        state.writing = 0;
    }
}
