//! How anything outside of an island's turn reaches it: the nodes' own tasks, other threads, the control side.

use crate::island::Island;
use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::sync::oneshot;

/// A request that an island carries out in its own time, since it may have to wait.
pub(crate) enum Request {
    /// Stop these nodes (all when `None`); `removed` tells which of them are gone for good.
    Stop {
        ids: Option<Vec<String>>,
        removed: Vec<String>,
        reply: oneshot::Sender<()>,
    },
    /// Take over a new plan: start what is new, rewire what stays.
    Update {
        update: Box<crate::island::Update>,
        reply: oneshot::Sender<crate::island::Started>,
    },
    /// Tell when nothing is queued or being handled; the answer is how much was handled so far.
    Settle { reply: oneshot::Sender<u64> },
    /// The island ends.
    End,
}

/// What lies in a mailbox.
pub enum Mail {
    /// For one operator, unless it was restarted since.
    Event {
        /// The operator's slot.
        slot: u32,
        /// The start of it that is meant.
        generation: u32,
        /// What its `event` gets.
        event: Box<dyn Any + Send>,
        /// This ends a piece of work that `settle` waits for.
        ends_work: bool,
    },
    /// Something to do with the island at once.
    Call(Box<dyn FnOnce(&mut Island) + Send>),
    /// (see `Request`)
    #[allow(private_interfaces)]
    Request(Request),
}

/// The shared side of an island's mailbox.
#[derive(Default)]
pub struct MailboxShared {
    mails: Mutex<VecDeque<Mail>>,
    wake: Notify,
    /// Deliveries that wait in the island's queue and mails that wait here.
    load: AtomicUsize,
    /// Messages that operators have handed to another place, which has not taken them yet.
    away: AtomicUsize,
    room: Notify,
    limit: usize,
}

impl MailboxShared {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(MailboxShared {
            limit,
            ..Default::default()
        })
    }

    /// Puts a mail in.
    pub fn put(&self, mail: Mail) {
        self.load.fetch_add(1, Ordering::Relaxed);
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(mail);
        self.wake.notify_one();
    }

    /// Waits until the island has room for more.
    pub async fn room(&self) {
        self.wait(|| self.load.load(Ordering::Relaxed) + self.away.load(Ordering::Relaxed))
            .await;
    }

    async fn wait(&self, load: impl Fn() -> usize) {
        loop {
            let notified = self.room.notified();
            if load() < self.limit {
                return;
            }
            notified.await;
        }
    }

    pub(crate) fn take_all(&self, into: &mut VecDeque<Mail>) {
        debug_assert!(into.is_empty());
        std::mem::swap(
            &mut *self.mails.lock().unwrap_or_else(PoisonError::into_inner),
            into,
        );
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// The island says how much waits in its queue, and lets sources go on when there is room again.
    pub(crate) fn report(&self, queued: usize) {
        let waiting = self
            .mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        let before = self.load.swap(queued + waiting, Ordering::Relaxed);
        if before >= self.limit || queued + waiting < self.limit {
            self.room.notify_waiters();
        }
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// The address of one start of one operator. Can be given to any task or thread.
#[derive(Clone)]
pub struct Mailbox {
    pub(crate) shared: Arc<MailboxShared>,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl Mailbox {
    /// Posts an event without waiting. For what is rare or must not wait; a source of messages uses [`Mailbox::send`].
    pub fn post<E: Any + Send>(&self, event: E) {
        self.shared.put(Mail::Event {
            slot: self.slot,
            generation: self.generation,
            event: Box::new(event),
            ends_work: false,
        });
    }

    /// Posts an event once the island has room: this is how sources are slowed.
    pub async fn send<E: Any + Send>(&self, event: E) {
        self.shared.room().await;
        self.post(event);
    }

    /// Waits until the island has room for more, so that a source can stop reading before it has anything to post.
    pub async fn room(&self) {
        self.shared.room().await;
    }

    /// The same for what comes from another place: what is on its way to there does not count, or neither would go on.
    pub async fn queue_room(&self) {
        let shared = &self.shared;
        shared.wait(|| shared.load.load(Ordering::Relaxed)).await;
    }

    /// Whether both lead to the same island.
    pub fn is_of_island_of(&self, other: &Mailbox) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// A message has been handed to another place: as long as it waits there, it counts as one that waits here.
    pub fn gone(&self) {
        self.shared.away.fetch_add(1, Ordering::Relaxed);
    }

    /// The other place has taken so many.
    pub fn arrived(&self, count: usize) {
        self.shared.away.fetch_sub(count, Ordering::Relaxed);
        self.shared.room.notify_waiters();
    }

    /// The other place takes no more for now: until [`Mailbox::release`] the island's sources wait.
    pub fn hold(&self) {
        let limit = self.shared.limit;
        self.shared.away.fetch_add(limit, Ordering::Relaxed);
    }

    /// The other place takes more.
    pub fn release(&self) {
        self.arrived(self.shared.limit);
    }

    pub(crate) fn post_result(&self, event: Box<dyn Any + Send>) {
        self.shared.put(Mail::Event {
            slot: self.slot,
            generation: self.generation,
            event,
            ends_work: true,
        });
    }
}
