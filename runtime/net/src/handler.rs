//! What happens on one connection: the greeting, streams that are opened and streams that arrive.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::StreamProtocol;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, Stream, StreamUpgradeError, SubstreamProtocol,
};
use tokio::sync::oneshot;

use crate::error::ErrorKind;
use crate::hello::{self, Fault, Hello};
use crate::shared::{Key, Shared};
use crate::stream::{Load, NetStream};

/// How long a greeting, or agreeing on a stream's protocol, may take.
const GREETING: Duration = Duration::from_secs(5);
/// Greetings at a time on one connection, of both directions.
const GREETINGS: usize = 4;
/// How long what a peer is offered may be remembered. (The set is asked for whenever bytes arrive.)
const REMEMBERED: Duration = Duration::from_secs(1);

/// What a connection is told to do.
pub(crate) enum ToHandler {
    Hello,
    Open {
        protocol: StreamProtocol,
        reply: Reply,
    },
}

pub(crate) type Reply = oneshot::Sender<Result<NetStream, Fault>>;

impl fmt::Debug for ToHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello => f.write_str("Hello"),
            Self::Open { protocol, .. } => write!(f, "Open({protocol})"),
        }
    }
}

/// What a connection tells.
#[derive(Debug)]
pub(crate) struct Greeted(pub Result<Hello, Fault>);

/// Why a stream was asked for.
pub(crate) enum Purpose {
    Hello,
    Open {
        protocol: StreamProtocol,
        reply: Reply,
        counted: crate::stream::Permit,
    },
}

/// A choice of protocols. Agreeing on one is all; what is spoken is its user's matter.
pub(crate) struct Offer(Arc<[StreamProtocol]>);

pub(crate) struct Names {
    names: Arc<[StreamProtocol]>,
    at: usize,
}

impl Iterator for Names {
    type Item = StreamProtocol;

    fn next(&mut self) -> Option<StreamProtocol> {
        let name = self.names.get(self.at)?.clone();
        self.at += 1;
        Some(name)
    }
}

impl UpgradeInfo for Offer {
    type Info = StreamProtocol;
    type InfoIter = Names;

    fn protocol_info(&self) -> Names {
        Names {
            names: self.0.clone(),
            at: 0,
        }
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok((stream, name)))
    }
}

impl OutboundUpgrade<Stream> for Offer {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}

type Greeting = Pin<Box<dyn Future<Output = Result<Hello, Fault>> + Send>>;

/// What was offered last, and when.
struct Offered {
    version: u64,
    at: Instant,
    names: Arc<[StreamProtocol]>,
}

pub(crate) struct Handler {
    shared: Arc<Shared>,
    key: Key,
    load: Arc<Load>,
    offered: RefCell<Offered>,
    wanted: VecDeque<(StreamProtocol, Purpose)>,
    greetings: Vec<Greeting>,
    said: VecDeque<Greeted>,
}

impl Handler {
    /// The handler of a new connection; `speaks` is the side that greets first.
    pub fn new(shared: Arc<Shared>, key: Key, load: Arc<Load>, speaks: bool) -> Self {
        let offered = Offered {
            version: shared.version(),
            at: Instant::now(),
            names: shared.offered(&key),
        };
        let mut handler = Self {
            shared,
            key,
            load,
            offered: RefCell::new(offered),
            wanted: VecDeque::new(),
            greetings: Vec::new(),
            said: VecDeque::new(),
        };
        if speaks {
            handler.greet();
        }
        handler
    }

    fn greet(&mut self) {
        self.wanted
            .push_back((StreamProtocol::new(hello::PROTOCOL), Purpose::Hello));
    }

    /// Lets a greeting run on a stream, first or second to speak.
    fn run_greeting(&mut self, stream: Stream, first: bool) {
        if self.greetings.len() >= GREETINGS {
            return;
        }
        // (greetings are not counted as the peer's streams: they have a limit of their own)
        let Some(counted) = Arc::new(Load::default()).take(1) else {
            return;
        };
        let stream = NetStream::new(stream, counted);
        let own = self.shared.hello(&self.key);
        self.greetings.push(Box::pin(async move {
            let both = async {
                if first {
                    hello::speak(stream, own).await
                } else {
                    hello::answer(stream, own).await
                }
            };
            tokio::time::timeout(GREETING, both)
                .await
                .unwrap_or_else(|_| {
                    Err(Fault {
                        kind: ErrorKind::Timeout,
                        why: "it did not greet in time".to_owned(),
                    })
                })
        }));
    }

    fn arrived(&mut self, stream: Stream, name: &StreamProtocol) {
        if name.as_ref() == hello::PROTOCOL {
            return self.run_greeting(stream, false);
        }
        let protocol = self.shared.plain(name);
        // (asked anew: what was offered may be a second old)
        if !self.shared.may(&self.key, protocol) {
            return;
        }
        let taker = self.shared.taker(protocol);
        let counted = self.load.take(self.shared.limits.streams_a_peer);
        if let (Some(taker), Some(counted)) = (taker, counted) {
            // (where the backlog is full the stream is dropped, which the other side sees as its end)
            let _ = taker.try_send((self.key, NetStream::new(stream, counted)));
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = ToHandler;
    type ToBehaviour = Greeted;
    type InboundProtocol = Offer;
    type OutboundProtocol = Offer;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Purpose;

    fn listen_protocol(&self) -> SubstreamProtocol<Offer> {
        let mut offered = self.offered.borrow_mut();
        let version = self.shared.version();
        if offered.version != version || offered.at.elapsed() > REMEMBERED {
            *offered = Offered {
                version,
                at: Instant::now(),
                names: self.shared.offered(&self.key),
            };
        }
        SubstreamProtocol::new(Offer(offered.names.clone()), ()).with_timeout(GREETING)
    }

    fn connection_keep_alive(&self) -> bool {
        // (the behaviour ends connections, the handler never does)
        true
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Offer, Purpose, Greeted>> {
        let mut at = 0;
        while at < self.greetings.len() {
            match self.greetings[at].as_mut().poll(cx) {
                Poll::Ready(result) => {
                    drop(self.greetings.swap_remove(at));
                    self.said.push_back(Greeted(result));
                }
                Poll::Pending => at += 1,
            }
        }
        if let Some(said) = self.said.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(said));
        }
        if let Some((name, purpose)) = self.wanted.pop_front() {
            let protocol =
                SubstreamProtocol::new(Offer(Arc::new([name])), purpose).with_timeout(GREETING);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, told: ToHandler) {
        match told {
            ToHandler::Hello => self.greet(),
            ToHandler::Open { protocol, reply } => {
                match self.load.take(self.shared.limits.streams_a_peer) {
                    Some(counted) => self.wanted.push_back((
                        protocol.clone(),
                        Purpose::Open {
                            protocol,
                            reply,
                            counted,
                        },
                    )),
                    None => {
                        let why = format!(
                            "it has {} streams open already, which is the limit",
                            self.shared.limits.streams_a_peer
                        );
                        let _ = reply.send(Err(Fault {
                            kind: ErrorKind::Limit,
                            why,
                        }));
                    }
                }
            }
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Offer, Offer, (), Purpose>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, name),
                ..
            }) => self.arrived(stream, &name),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                info,
            }) => match info {
                Purpose::Hello => self.run_greeting(stream, true),
                Purpose::Open { reply, counted, .. } => {
                    let _ = reply.send(Ok(NetStream::new(stream, counted)));
                }
            },
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                let (kind, why) = match error {
                    StreamUpgradeError::Timeout => (
                        ErrorKind::Timeout,
                        format!("it did not answer within {} s", GREETING.as_secs()),
                    ),
                    StreamUpgradeError::NegotiationFailed => (ErrorKind::NoProtocol, String::new()),
                    StreamUpgradeError::Io(e) => {
                        (ErrorKind::Closed, format!("the connection ended ({e})"))
                    }
                    StreamUpgradeError::Apply(never) => match never {},
                };
                match info {
                    Purpose::Hello => {
                        let why = match kind {
                            ErrorKind::NoProtocol => "it is no node of vgdc".to_owned(),
                            _ => why,
                        };
                        self.said.push_back(Greeted(Err(Fault { kind, why })));
                    }
                    Purpose::Open {
                        protocol, reply, ..
                    } => {
                        let why = match kind {
                            ErrorKind::NoProtocol => {
                                format!("it does not serve {}", self.shared.plain(&protocol))
                            }
                            _ => why,
                        };
                        let _ = reply.send(Err(Fault { kind, why }));
                    }
                }
            }
            _ => {}
        }
    }
}
