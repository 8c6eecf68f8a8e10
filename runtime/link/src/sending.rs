//! The sending end of a link as programs have it.

use crate::frame::{Ack, Delivery, Fault, Item, Trace};
use crate::keeper::Keeper;
use crate::sender::{Refused, Sender, SenderStats};
use crate::wake::{End, Wake, lock};
use bytes::Bytes;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;
use tokio::sync::Notify;
use vgdc_store::StoreError;
use vgdc_value::{Msg, cbor, cbor::CborError};

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum SendError {
    /// There is something in it that cannot leave the process.
    Value(CborError),
    /// No room: wait with [`LinkSender::room`].
    Full,
    /// The link does not take it, and never will.
    Refused(Refused),
}

impl std::fmt::Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SendError::Value(error) => error.fmt(f),
            SendError::Full => {
                f.write_str("the link's queue is full: the other side does not keep up, or is away")
            }
            SendError::Refused(refused) => refused.fmt(f),
        }
    }
}

impl std::error::Error for SendError {}

pub(crate) struct SenderState {
    pub(crate) machine: Sender,
    pub(crate) attached: Option<(Arc<Wake>, u32)>,
    /// The session has been told, and has not looked yet.
    pub(crate) told: bool,
}

impl SenderState {
    /// Whether it is this session that carries it. (An older one may not have noticed that it has ended.)
    pub(crate) fn is_carried_by(&self, session: &Arc<Wake>) -> bool {
        let wake = self.attached.as_ref().map(|(wake, _)| wake);
        wake.is_some_and(|wake| Arc::ptr_eq(wake, session))
    }

    /// Tells the session to look.
    pub(crate) fn tell(&mut self) {
        if let Some((wake, link)) = &self.attached
            && !self.told
        {
            self.told = true;
            wake.end(End::Sender(*link));
        }
    }
}

/// What a session and the program share of a sender.
pub(crate) struct SenderEnd {
    pub(crate) state: Mutex<SenderState>,
    /// There is room again, or all has been sent, or the link has ended.
    pub(crate) changed: Notify,
    pub(crate) keeper: Option<Keeper>,
}

impl SenderEnd {
    /// Takes a message that is encoded; a full queue gives it back.
    fn take(&self, item: Item) -> Result<(), (SendError, Option<Item>)> {
        let refused = |refused| match refused {
            Refused::Full(item) => (SendError::Full, Some(item)),
            other => (SendError::Refused(other), None),
        };
        let mut state = lock(&self.state);
        match &self.keeper {
            None => {
                state.machine.push(item, Instant::now).map_err(refused)?;
                state.tell();
                Ok(())
            }
            Some(keeper) => {
                state.machine.check(item.message.len()).map_err(refused)?;
                drop(state);
                keeper.take(item).map_err(|back| match back {
                    Some(item) => (SendError::Full, Some(item)),
                    None => (SendError::Refused(Refused::Closed), None),
                })
            }
        }
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A scratch buffer that grew beyond this is given back.
const SCRATCH_KEPT: usize = 1 << 20;

fn encoded(msg: &Msg) -> Result<Bytes, SendError> {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        let done = cbor::encode_msg(msg, scratch).map_err(SendError::Value);
        let bytes = done.map(|()| Bytes::copy_from_slice(scratch));
        if scratch.capacity() > SCRATCH_KEPT {
            *scratch = Vec::new();
        }
        bytes
    })
}

/// The sending end of a link. When it is dropped the link is closed, after what was taken has been sent.
pub struct LinkSender {
    pub(crate) end: Arc<SenderEnd>,
}

impl LinkSender {
    /// Takes a message, or says that there is no room. On a durable link it is not yet on the disk then: see
    /// [`LinkSender::persisted`].
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn try_send(&self, msg: &Msg, trace: Option<Trace>) -> Result<(), SendError> {
        let item = Item {
            message: encoded(msg)?,
            trace: trace.map(Box::new),
        };
        self.end.take(item).map_err(|(error, _)| error)
    }

    /// Takes a message; waits for room.
    ///
    /// # Errors
    /// As [`LinkSender::try_send`], but never that there is no room.
    pub async fn send(&self, msg: &Msg, trace: Option<Trace>) -> Result<(), SendError> {
        let mut item = Item {
            message: encoded(msg)?,
            trace: trace.map(Box::new),
        };
        loop {
            match self.end.take(item) {
                Ok(()) => return Ok(()),
                Err((_, Some(back))) => item = back,
                Err((error, None)) => return Err(error),
            }
            self.room().await;
        }
    }

    /// Waits until there is room for a message. (Sources ask before they read on.)
    pub async fn room(&self) {
        self.until(|end| {
            let state = lock(&end.state);
            let room = match &end.keeper {
                Some(keeper) => keeper.room(),
                None => state.machine.room(),
            };
            room || state.machine.ended().is_some()
        })
        .await;
    }

    /// Whether there is room for a message now.
    pub fn has_room(&self) -> bool {
        match &self.end.keeper {
            Some(keeper) => keeper.room(),
            None => lock(&self.end.state).machine.room(),
        }
    }

    /// Waits until what was taken is on the disk. On a fast link there is nothing to wait for.
    ///
    /// # Errors
    /// The outbox cannot be written: with the file and what mends it. It is tried again each second.
    pub async fn persisted(&self) -> Result<(), StoreError> {
        let Some(keeper) = &self.end.keeper else {
            return Ok(());
        };
        let taken = keeper.taken();
        let mut result = Ok(());
        self.until(|_| match keeper.persisted(taken) {
            Ok(done) => done,
            Err(error) => {
                result = Err(error);
                true
            }
        })
        .await;
        result
    }

    /// Sends what is there without lingering for more.
    pub fn flush(&self) {
        let mut state = lock(&self.end.state);
        state.machine.flush();
        state.tell();
    }

    /// Waits until all that was taken has been sent, and on a durable link confirmed.
    ///
    /// # Errors
    /// The link has ended: the other side does not want it.
    pub async fn drained(&self) -> Result<(), Fault> {
        let mut result = Ok(());
        self.until(|end| {
            if end.keeper.as_ref().is_some_and(|keeper| !keeper.is_idle()) {
                return false;
            }
            let state = lock(&end.state);
            if let Some(fault) = state.machine.ended() {
                result = Err(fault.clone());
                return true;
            }
            state.machine.is_empty()
        })
        .await;
        result
    }

    async fn until(&self, mut done: impl FnMut(&SenderEnd) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.end.changed.notified());
            // (from here on nothing is missed)
            changed.as_mut().enable();
            if done(&self.end) {
                return;
            }
            changed.await;
        }
    }

    /// Takes no more. What is there is sent, and confirmed, then the link is closed.
    pub fn close(&self) {
        self.end.close();
    }

    /// Whether the receiver has taken the link on a connection that stands.
    pub fn is_open(&self) -> bool {
        lock(&self.end.state).machine.is_open()
    }

    /// Whether all has been sent after [`LinkSender::close`].
    pub fn is_closed(&self) -> bool {
        lock(&self.end.state).machine.is_closed()
    }

    /// Why the link has ended for good.
    pub fn ended(&self) -> Option<Fault> {
        lock(&self.end.state).machine.ended().cloned()
    }

    /// What it promises.
    pub fn delivery(&self) -> Delivery {
        lock(&self.end.state).machine.delivery()
    }

    /// How many messages are kept: fast, not sent; durable, not confirmed.
    pub fn len(&self) -> usize {
        let pending = self.end.keeper.as_ref().map_or(0, Keeper::pending);
        lock(&self.end.state).machine.len() + pending
    }

    /// Whether no message is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it has done.
    pub fn stats(&self) -> SenderStats {
        lock(&self.end.state).machine.stats()
    }
}

impl SenderEnd {
    /// The other side says how far it is. `state` is this end's.
    ///
    /// # Errors
    /// That cannot be.
    pub(crate) fn acknowledged(
        &self,
        mut state: MutexGuard<'_, SenderState>,
        ack: Ack,
    ) -> Result<(), Fault> {
        let before = (state.machine.front().sequence, state.machine.bytes());
        let result = state.machine.acknowledged(ack);
        let (front, bytes) = (state.machine.front().sequence, state.machine.bytes());
        if let Some(keeper) = &self.keeper
            && front > before.0
        {
            keeper.confirmed(front, (front - before.0) as usize, before.1 - bytes);
        }
        state.tell();
        drop(state);
        self.changed.notify_waiters();
        result
    }

    pub(crate) fn close(&self) {
        match &self.keeper {
            // (what it has not written yet comes first)
            Some(keeper) => {
                keeper.close();
                let mut state = lock(&self.state);
                if state.machine.ended().is_some() {
                    state.machine.close();
                }
            }
            None => {
                let mut state = lock(&self.state);
                state.machine.close();
                state.tell();
                drop(state);
                self.changed.notify_waiters();
            }
        }
    }
}

impl Drop for LinkSender {
    fn drop(&mut self) {
        self.end.close();
    }
}
