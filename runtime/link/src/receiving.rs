//! The receiving end of a link as programs have it.

use crate::endpoint::Inner;
use crate::epoch::Position;
use crate::frame::{Code, Delivery, Fault, Trace};
use crate::receiver::{Delivered, Receiver, ReceiverStats, Token};
use crate::wake::{End, Wake, lock};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;
use tokio::sync::Notify;
use vgdc_value::{Msg, cbor, cbor::CborError};

pub(crate) struct ReceiverState {
    pub(crate) machine: Receiver,
    /// Delivered, not yet fetched by the program.
    pub(crate) arrived: VecDeque<Delivered>,
    pub(crate) attached: Option<(Arc<Wake>, u32)>,
    /// The session has been told, and has not looked yet.
    pub(crate) told: bool,
}

impl ReceiverState {
    fn tell(&mut self) {
        if let Some((wake, link)) = &self.attached
            && !self.told
        {
            self.told = true;
            wake.end(End::Receiver(*link));
        }
    }
}

/// What a session and the program share of a receiver.
pub(crate) struct ReceiverEnd {
    pub(crate) state: Mutex<ReceiverState>,
    /// There are messages, or a sender has come or gone.
    pub(crate) changed: Notify,
}

/// A message that has come.
#[derive(Debug)]
pub struct Received {
    /// The message.
    ///
    /// # Errors
    /// What came is none. (It has its place and is confirmed as any other.)
    pub msg: Result<Msg, CborError>,
    /// Where in a trace it belongs.
    pub trace: Option<Trace>,
    /// Which one it is. A consumer that keeps where it is keeps [`Received::next`].
    pub position: Position,
    /// For [`LinkReceiver::confirm`].
    pub token: Token,
}

impl Received {
    /// The message that is expected when this one is done.
    pub fn next(&self) -> Position {
        self.position.at(self.position.sequence + 1)
    }
}

impl From<Delivered> for Received {
    fn from(delivered: Delivered) -> Received {
        Received {
            msg: cbor::decode_msg(&delivered.item.message),
            trace: delivered.item.trace.map(|trace| *trace),
            position: delivered.position,
            token: delivered.token,
        }
    }
}

/// The receiving end of a link. Dropped, it is gone: its sender keeps trying.
pub struct LinkReceiver {
    pub(crate) name: String,
    pub(crate) end: Arc<ReceiverEnd>,
    /// Fetched from what is shared.
    pub(crate) fetched: VecDeque<Delivered>,
    pub(crate) inner: Weak<Inner>,
    pub(crate) delivery: Delivery,
    pub(crate) made: Instant,
}

impl LinkReceiver {
    /// The next message, if there is one.
    pub fn try_recv(&mut self) -> Option<Received> {
        if self.fetched.is_empty() {
            std::mem::swap(&mut self.fetched, &mut lock(&self.end.state).arrived);
        }
        self.fetched.pop_front().map(Received::from)
    }

    /// The next message. Can be given up while it waits; nothing is lost.
    pub async fn recv(&mut self) -> Received {
        if let Some(received) = self.try_recv() {
            return received;
        }
        let end = self.end.clone();
        loop {
            let mut changed = std::pin::pin!(end.changed.notified());
            changed.as_mut().enable();
            if let Some(received) = self.try_recv() {
                return received;
            }
            changed.await;
        }
    }

    /// Says that all messages up to this one are done with: the sender gets credit for more, and on a durable link forgets
    /// them. A consumer that never says so gets a window full of messages.
    pub fn confirm(&self, token: Token) {
        // (the time is asked for where something hangs on it)
        let now = match self.delivery {
            Delivery::Fast => self.made,
            Delivery::Durable => Instant::now(),
        };
        let mut state = lock(&self.end.state);
        state.machine.confirm(token, now);
        if state.machine.wants(now) {
            state.tell();
        }
    }

    /// Whether a sender has it open.
    pub fn is_open(&self) -> bool {
        lock(&self.end.state).machine.is_open()
    }

    /// Whether the last sender closed it, so that nothing more comes from him.
    pub fn is_closed(&self) -> bool {
        lock(&self.end.state).machine.is_closed()
    }

    /// The message that is expected next.
    pub fn expected(&self) -> Option<Position> {
        lock(&self.end.state).machine.expected()
    }

    /// What it has done.
    pub fn stats(&self) -> ReceiverStats {
        lock(&self.end.state).machine.stats()
    }
}

impl Drop for LinkReceiver {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.upgrade() {
            inner.forget_receiver(&self.name);
        }
        let attached = lock(&self.end.state).attached.take();
        if let Some((wake, link)) = attached {
            wake.fault(Fault {
                link: Some(link),
                code: Code::UnknownLink,
                text: format!("there is no receiver of link '{}' any more", self.name),
            });
        }
    }
}
