//! The sending end over NATS: what it wants to write is published, the broker's acknowledgements are its peer's.

use super::{Nats, PATIENCE, Trouble, broken, id_of, pause, subject};
use crate::endpoint::Inner;
use crate::epoch::Position;
use crate::frame::{Ack, Batch, Credit, Delivery, Frame, Reader};
use crate::sending::SenderEnd;
use crate::wake::{Ready, Wake, lock};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self};
use std::collections::VecDeque;
use std::future::IntoFuture;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Messages that are published and not acknowledged, and bytes of them.
pub(crate) const MOST_UNCONFIRMED: u64 = 1024;
const MOST_BYTES: u64 = 16 << 20;
/// Its number in a session: there is one link in each.
const LINK: u32 = 1;

type Waits = Pin<Box<<PublishAckFuture as IntoFuture>::IntoFuture>>;

struct Session<'a> {
    end: &'a SenderEnd,
    wake: Arc<Wake>,
    context: jetstream::Context,
    subject: String,
    /// The numbering, and what the first message of the session that has been published was.
    at: Position,
    /// Published, in order: up to which number, how many bytes.
    unconfirmed: VecDeque<(u64, u64, Waits)>,
    /// The id of the message that was published last in this session.
    last: Option<String>,
    credit: Credit,
}

/// Carries a sender until it is closed, has ended, or the endpoint ends.
pub(crate) async fn send(inner: Weak<Inner>, nats: Arc<Nats>, peer: String, end: Weak<SenderEnd>) {
    let mut wait = Duration::ZERO;
    let Some(name) = end
        .upgrade()
        .map(|end| lock(&end.state).machine.name().to_owned())
    else {
        return;
    };
    let mut trouble = Trouble::new(nats.clone(), name);
    loop {
        let Some((current, alive)) = inner.upgrade().zip(end.upgrade()) else {
            return;
        };
        let wake = Arc::new(current.new_session());
        let stopped = current.stopping();
        let confirmed = || lock(&alive.state).machine.stats().confirmed;
        let (before, begun) = (confirmed(), Instant::now());
        let result = session(&nats, &alive, &wake, &mut trouble, stopped).await;
        let progress = confirmed() > before;
        let closed = {
            let mut state = lock(&alive.state);
            if state.is_carried_by(&wake) {
                state.machine.disconnected();
                state.attached = None;
                state.told = false;
            }
            state.machine.is_closed() || state.machine.ended().is_some()
        };
        alive.changed.notify_waiters();
        if closed || result.is_ok() {
            if closed {
                current.forget_sender(&peer, &alive);
            }
            return;
        }
        drop((current, alive));
        if let Err(error) = result {
            trouble.is(&error);
        }
        // (a broker that is full takes some now and then)
        if progress || begun.elapsed() > PATIENCE {
            wait = Duration::ZERO;
        }
        if !pause(&inner, &mut wait).await {
            return;
        }
    }
}

async fn session(
    nats: &Nats,
    end: &SenderEnd,
    wake: &Arc<Wake>,
    trouble: &mut Trouble,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) -> io::Result<()> {
    let delivery = lock(&end.state).machine.delivery();
    let link = trouble.link.clone();
    let context = nats.context().await?;
    nats.stream(&context, &link, delivery).await?;
    let at = {
        let mut state = lock(&end.state);
        state.machine.connected(LINK);
        state.attached = Some((wake.clone(), LINK));
        state.told = true;
        state.machine.front()
    };
    let mut session = Session {
        end,
        wake: wake.clone(),
        context,
        subject: subject(&nats.config.mesh, &link),
        at,
        unconfirmed: VecDeque::new(),
        last: None,
        credit: Credit {
            link: LINK,
            messages: MOST_UNCONFIRMED,
            bytes: MOST_BYTES,
        },
    };
    loop {
        let (deadline, more) = session.publish().await?;
        if lock(&end.state).machine.is_closed() || *stopped.borrow() {
            return Ok(());
        }
        let until = deadline.map_or(Duration::from_secs(3600), |at| {
            at.saturating_duration_since(Instant::now())
        });
        let next = async {
            match session.unconfirmed.front_mut() {
                Some((_, _, ack)) => ack.as_mut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ack = next => {
                ack.map_err(|error| broken(format!("the broker did not take a message: {error}")))?;
                trouble.is_over();
                session.acknowledged(delivery)?;
            }
            () = wake.told() => {}
            () = tokio::time::sleep(until) => {}
            // (what may be published now)
            () = std::future::ready(()), if more => {}
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        }
    }
}

impl Session<'_> {
    /// Publishes what the sender has to write. Gives when it wants to be asked again, and whether it has more.
    async fn publish(&mut self) -> io::Result<(Option<Instant>, bool)> {
        self.wake.take(&mut Ready::default());
        let mut out = Vec::new();
        let (deadline, more) = {
            let mut state = lock(&self.end.state);
            state.told = false;
            let more = state
                .machine
                .poll(Instant::now(), &mut out, MOST_BYTES as usize);
            state.told = more;
            (state.machine.deadline(), more)
        };
        self.end.changed.notify_waiters();
        let mut reader = Reader::default();
        reader.buffer().extend_from_slice(&out);
        while let Some(frame) = reader.frame().map_err(broken)? {
            match frame {
                Frame::Open(open) => {
                    self.at = open.first;
                    let mut state = lock(&self.end.state);
                    // (whatever was published before and is not acknowledged is published again: the broker knows its id)
                    let sequence = open.first.sequence;
                    let opened = state.machine.acknowledged(Ack {
                        link: LINK,
                        epoch: open.first.epoch,
                        confirmed: sequence,
                        received: sequence,
                    });
                    opened.map_err(|fault| broken(fault.text))?;
                    state.machine.credited(self.credit);
                    state.tell();
                }
                Frame::Batch(batch) => self.batch(batch).await?,
                _ => {}
            }
        }
        Ok((deadline, more))
    }

    async fn batch(&mut self, batch: Batch) -> io::Result<()> {
        for (sequence, item) in (batch.first..).zip(batch.items) {
            let id = id_of(self.at.at(sequence));
            let bytes = item.message.len() as u64;
            let mut message = PublishMessage::build()
                .payload(item.message)
                .message_id(&id);
            if let Some(last) = &self.last {
                message = message.expected_last_message_id(last);
            }
            if let Some(trace) = &item.trace {
                message = message.header("traceparent", &*trace.parent);
                if !trace.state.is_empty() {
                    message = message.header("tracestate", &*trace.state);
                }
            }
            let sent = self.context.send_publish(self.subject.clone(), message);
            // (what cannot be handed to a connection that is away waits)
            let sent = tokio::time::timeout(PATIENCE, sent).await;
            let sent = sent.map_err(|_| broken("the broker is away"))?;
            let ack = sent.map_err(|error| broken(format!("a message cannot be sent: {error}")))?;
            self.unconfirmed
                .push_back((sequence + 1, bytes, Box::pin(ack.into_future())));
            self.last = Some(id);
        }
        Ok(())
    }

    /// The broker has the first message that was not acknowledged.
    fn acknowledged(&mut self, delivery: Delivery) -> io::Result<()> {
        let Some((next, bytes, _)) = self.unconfirmed.pop_front() else {
            return Ok(());
        };
        self.credit.messages += 1;
        self.credit.bytes += bytes;
        if delivery == Delivery::Durable {
            let ack = Ack {
                link: LINK,
                epoch: self.at.epoch,
                confirmed: next,
                received: next,
            };
            let done = self.end.acknowledged(lock(&self.end.state), ack);
            done.map_err(|fault| broken(fault.text))?;
        }
        let mut state = lock(&self.end.state);
        state.machine.credited(self.credit);
        state.tell();
        Ok(())
    }
}
