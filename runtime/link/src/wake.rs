//! How the ends of links tell the session that carries them that there is something to write.

use crate::frame::Fault;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A lock that a panic elsewhere does not take away.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An end of a link, by its number on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// One that sends from here.
    Sender(u32),
    /// One that sends from there.
    Receiver(u32),
}

#[derive(Default)]
pub(crate) struct Ready {
    pub(crate) ends: Vec<End>,
    /// What other sessions have to say on this connection.
    pub(crate) faults: Vec<Fault>,
    /// There are new senders.
    pub(crate) senders: bool,
    pub(crate) stop: bool,
}

/// What a session shares with the ends that it carries.
pub(crate) struct Wake {
    pub(crate) connection: u64,
    ready: Mutex<Ready>,
    notify: Notify,
}

impl Wake {
    pub(crate) fn new(connection: u64) -> Wake {
        Wake {
            connection,
            ready: Mutex::default(),
            notify: Notify::new(),
        }
    }

    fn tell(&self, what: impl FnOnce(&mut Ready)) {
        what(&mut lock(&self.ready));
        self.notify.notify_one();
    }

    /// An end has something to write, or to be looked at. (Whoever calls it sees to it that this is once an end.)
    pub(crate) fn end(&self, end: End) {
        self.tell(|ready| ready.ends.push(end));
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.tell(|ready| ready.faults.push(fault));
    }

    pub(crate) fn senders(&self) {
        self.tell(|ready| ready.senders = true);
    }

    pub(crate) fn stop(&self) {
        self.tell(|ready| ready.stop = true);
    }

    /// All that was told since the last time.
    pub(crate) fn take(&self, into: &mut Ready) {
        let mut ready = lock(&self.ready);
        into.ends.append(&mut ready.ends);
        into.faults.append(&mut ready.faults);
        into.senders |= std::mem::take(&mut ready.senders);
        into.stop |= ready.stop;
    }

    pub(crate) async fn told(&self) {
        self.notify.notified().await;
    }
}
