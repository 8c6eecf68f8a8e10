//! The receiving end over NATS: a pull consumer; a message is acknowledged to the broker when the receiver's consumer has confirmed it.

use super::{Nats, Trouble, broken, pause, position_of};
use crate::endpoint::Inner;
use crate::frame::{Batch, Code, Delivery, Item, Open, Trace};
use crate::receiver::Token;
use crate::receiving::ReceiverEnd;
use crate::wake::{Ready, Wake, lock};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::{self, AckKind};
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The consumer's name: a stream has one.
const CONSUMER: &str = "receiver";
/// Messages that the broker delivers beyond those that are acknowledged.
const MOST_UNACKNOWLEDGED: i64 = 4096;
/// Messages that are asked for at once.
const MOST_AT_ONCE: usize = 256;
/// Bytes that are held for a consumer that has not confirmed them, before more is fetched.
const MOST_HELD: u64 = 8 << 20;
/// How long the broker waits for an acknowledgement before it delivers again, behind later messages. (Sessions see to that, in order.)
const NEVER_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// How often the broker says that it is there while it has nothing.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often is looked for what was confirmed.
const LOOK: Duration = Duration::from_millis(2);
/// Its number in a session: there is one link in each.
const LINK: u32 = 1;

struct Session<'a> {
    inner: Weak<Inner>,
    end: &'a Arc<ReceiverEnd>,
    wake: Arc<Wake>,
    name: String,
    delivery: Delivery,
    /// Whether a sender's numbering has been opened in this session.
    opened: bool,
    /// Not acknowledged to the broker, in order.
    unacknowledged: VecDeque<(Token, Acker)>,
}

/// Carries a receiver until it or the endpoint is gone.
pub(crate) async fn receive(
    inner: Weak<Inner>,
    nats: Arc<Nats>,
    name: String,
    delivery: Delivery,
    end: Weak<ReceiverEnd>,
) {
    let mut wait = Duration::ZERO;
    let mut trouble = Trouble::new(nats.clone(), name.clone());
    loop {
        let Some((current, alive)) = inner.upgrade().zip(end.upgrade()) else {
            return;
        };
        let mut stopped = current.stopping();
        let wake = Arc::new(current.new_session());
        drop(current);
        let mut session = Session {
            inner: inner.clone(),
            end: &alive,
            wake: wake.clone(),
            name: name.clone(),
            delivery,
            opened: false,
            unacknowledged: VecDeque::new(),
        };
        let begun = Instant::now();
        let result = tokio::select! {
            result = session.run(&nats, &mut trouble) => Some(result),
            _ = stopped.wait_for(|stopped| *stopped) => None,
        };
        if !matches!(result, Some(Err(_))) {
            // (the broker is to know what was confirmed last, or it comes again; a broker that is away cannot)
            let last = async {
                if session.acknowledge().await.is_ok() {
                    nats.flush().await;
                }
            };
            let _ = tokio::time::timeout(super::LAST, last).await;
        }
        drop(session);
        {
            let mut state = lock(&alive.state);
            state.machine.disconnected(wake.connection);
            if (state.attached.as_ref()).is_some_and(|(at, _)| Arc::ptr_eq(at, &wake)) {
                state.attached = None;
                state.told = false;
            }
        }
        alive.changed.notify_waiters();
        drop(alive);
        match result {
            None | Some(Ok(())) => return,
            Some(Err(error)) => trouble.is(&error),
        }
        if begun.elapsed() > super::PATIENCE {
            wait = Duration::ZERO;
        }
        if !pause(&inner, &mut wait).await {
            return;
        }
    }
}

impl Session<'_> {
    async fn run(&mut self, nats: &Nats, trouble: &mut Trouble) -> io::Result<()> {
        let context = nats.context().await?;
        let stream = nats.stream(&context, &self.name, self.delivery).await?;
        // (one that is not there need not go)
        let _ = stream.delete_consumer(CONSUMER).await;
        let config = pull::Config {
            durable_name: Some(CONSUMER.to_owned()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: NEVER_AGAIN,
            max_ack_pending: MOST_UNACKNOWLEDGED,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await;
        let consumer = consumer.map_err(|e| broken(format!("the consumer: {e}")))?;
        let mut messages = consumer
            .stream()
            .max_messages_per_batch(MOST_AT_ONCE)
            .heartbeat(HEARTBEAT)
            .expires(HEARTBEAT * 30)
            .messages()
            .await
            .map_err(|e| broken(format!("the consumer: {e}")))?;
        trouble.is_over();
        {
            let mut state = lock(&self.end.state);
            state.attached = Some((self.wake.clone(), LINK));
            state.told = false;
        }
        loop {
            // (of another task is the confirming: it is looked at, since what it says is not said at once)
            let (held, gone) = self.acknowledge().await?;
            if gone {
                return Ok(());
            }
            let waits = !self.unacknowledged.is_empty();
            tokio::select! {
                message = messages.next(), if held < MOST_HELD => {
                    let message = message.ok_or_else(|| broken("the consumer has ended"))?;
                    let message = message.map_err(|e| broken(format!("the consumer: {e}")))?;
                    self.message(message)?;
                }
                () = self.wake.told() => {}
                () = tokio::time::sleep(LOOK), if waits => {}
            }
        }
    }

    /// Acknowledges to the broker what has been confirmed. Gives how many bytes are held, and whether nobody is there to confirm any more.
    async fn acknowledge(&mut self) -> io::Result<(u64, bool)> {
        self.wake.take(&mut Ready::default());
        let (done, held) = {
            let mut state = lock(&self.end.state);
            state.told = false;
            let mut out = Vec::new();
            // (what it would write to its peer: here it only forgets that it was to)
            state
                .machine
                .poll(self.wake.connection, Instant::now(), &mut out);
            let waiting = self.unacknowledged.iter();
            let done = waiting.take_while(|(token, _)| state.machine.is_confirmed(*token));
            (done.count(), state.machine.held_bytes())
        };
        for (_, acker) in self.unacknowledged.drain(..done) {
            let told = acker.ack().await;
            told.map_err(|e| broken(format!("an acknowledgement: {e}")))?;
        }
        let own = self
            .inner
            .upgrade()
            .and_then(|inner| inner.receiver_end(&self.name));
        let gone = own.is_none_or(|own| !Arc::ptr_eq(&own, self.end));
        Ok((held, gone))
    }

    /// Delivers a message.
    fn message(&mut self, message: jetstream::Message) -> io::Result<()> {
        let header = |name: &str| {
            let value = message.headers.as_ref()?.get(name)?;
            Some(value.as_str().to_owned())
        };
        let position = header("Nats-Msg-Id").and_then(|id| position_of(&id));
        let trace = header("traceparent").map(|parent| {
            Box::new(Trace {
                parent: parent.into(),
                state: header("tracestate").unwrap_or_default().into(),
            })
        });
        let (message, acker) = message.split();
        let Some(position) = position else {
            // (somebody else has put it there; it would stand in the way for good)
            return self.refuse(acker);
        };
        let item = Item {
            message: message.payload,
            trace,
        };
        let mut state = lock(&self.end.state);
        let state = &mut *state;
        let connection = self.wake.connection;
        let mut again = true;
        loop {
            let expected = state.machine.expected();
            let same = expected.is_some_and(|expected| expected.same_numbering(&position));
            if !self.opened || !same {
                let open = Open {
                    link: LINK,
                    name: self.name.clone(),
                    first: position,
                    delivery: self.delivery,
                };
                match state.machine.opened(connection, &open) {
                    Ok(_) => self.opened = true,
                    Err(fault) if fault.code == Code::StaleEpoch => return self.refuse(acker),
                    Err(fault) => return Err(broken(fault.text)),
                }
            }
            // (credit, as it would be given to a peer)
            let mut out = Vec::new();
            state.machine.poll(connection, Instant::now(), &mut out);
            let batch = Batch {
                link: LINK,
                epoch: position.epoch,
                first: position.sequence,
                items: vec![item.clone()],
            };
            let arrived = &mut state.arrived;
            match state
                .machine
                .received(connection, batch, |delivered| arrived.push_back(delivered))
            {
                Ok(()) => break,
                // (what is missing the broker does not have: it is counted as lost by whoever opens behind it)
                Err(fault) if fault.code == Code::Gap && std::mem::take(&mut again) => {
                    self.opened = false;
                }
                Err(fault) => return Err(broken(fault.text)),
            }
        }
        let token = state.machine.token_at(position.sequence);
        self.unacknowledged.push_back((token, acker));
        self.end.changed.notify_waiters();
        Ok(())
    }

    /// Has the broker forget a message that nobody takes.
    fn refuse(&mut self, acker: Acker) -> io::Result<()> {
        tokio::spawn(async move {
            // (one that is not forgotten comes again, and is refused again)
            let _ = acker.ack_with(AckKind::Term).await;
        });
        Ok(())
    }
}
