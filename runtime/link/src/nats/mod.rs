//! Links over NATS JetStream, for those who have a broker, or outgrow connections from machine to machine.
//!
//! A link is a stream of its own with one subject: work-queue retention (what is confirmed leaves the broker), on the broker's disk
//! where the link is durable, in its memory where it is fast, and full when it is full (nothing old is dropped for what is new). The ends
//! are the same state machines as on connections; what is done here is to stand in for the other side:
//!
//! - `send`: what the sender wants to write is published; the broker's acknowledgement is the receiver's. Each
//!   message names the one before it (`Nats-Expected-Last-Msg-Id`), so that one that was refused lets none behind it in; and has an id
//!   (`Nats-Msg-Id`: epoch, instance and number), so that one that is published again is not there twice.
//! - `receive`: a pull consumer that acknowledges each message when the receiver's consumer has confirmed it. A broker
//!   delivers again what was not, but behind what came later; so each session makes the consumer anew, which begins
//!   with the oldest message that was not acknowledged, and none is delivered again within a session.
//!
//! The payload of a message is a message as in frames (CBOR), `traceparent` and `tracestate` are headers.

mod receive;
mod send;

use crate::endpoint::{Inner, Log};
use crate::epoch::Position;
use crate::frame::Delivery;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self};
use async_nats::{Client, ConnectOptions};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

pub(crate) use receive::receive;
pub(crate) use send::send;

/// The longest message that a link over NATS takes, in bytes as CBOR. (A broker takes 1 MiB with its headers, unless
/// `max_payload` says otherwise.)
pub const MAX_NATS_MESSAGE: usize = 1_000_000;
/// How long the broker knows the ids of messages, so that one that is published again is not there twice. (Later ones the receiver drops.)
const DEDUPLICATED: Duration = Duration::from_secs(120);
/// How long a request to the broker, or an acknowledgement of its, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before a session is begun again: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Of a link's troubles is said one in so long.
const SAID_EVERY: Duration = Duration::from_secs(10);
/// How long an endpoint that ends waits for the last acknowledgements to be written.
pub(crate) const LAST: Duration = Duration::from_secs(1);
/// How much the broker keeps of a link: durable and fast.
const MOST_BYTES: (i64, i64) = (1 << 30, 64 << 20);

/// Where the broker is, and who one is there.
#[derive(Clone, Debug, Default)]
pub struct NatsConfig {
    /// Its servers: `nats://HOST:PORT` or `tls://HOST:PORT`, without names or passwords.
    pub servers: Vec<String>,
    /// The mesh's name: streams are called `VGDC_MESH_LINK`, subjects `vgdc.MESH.LINK`.
    pub mesh: String,
    /// How many servers of a cluster keep each message.
    pub replicas: usize,
    /// Who one is.
    pub credentials: NatsCredentials,
    /// Whether all must be encrypted. (With `tls://` it is anyway.)
    pub tls: bool,
    /// Certificates that the broker's is signed with, beside the system's.
    pub ca: Option<PathBuf>,
    /// One's own certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Who one is.
#[derive(Clone, Default)]
pub enum NatsCredentials {
    /// Nobody.
    #[default]
    None,
    /// A file of NATS's own (a JWT and a seed).
    File(PathBuf),
    /// A token.
    Token(String),
    /// A name and a password.
    Password(String, String),
}

impl std::fmt::Debug for NatsCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            NatsCredentials::None => "None",
            NatsCredentials::File(_) => "File(…)",
            NatsCredentials::Token(_) => "Token(…)",
            NatsCredentials::Password(..) => "Password(…)",
        })
    }
}

/// The connection to the broker, that all links of an endpoint share.
pub(crate) struct Nats {
    config: NatsConfig,
    client: OnceCell<Client>,
    log: Option<Log>,
}

fn broken(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

impl Nats {
    pub(crate) fn new(config: NatsConfig, log: Option<Log>) -> Nats {
        Nats {
            config,
            client: OnceCell::new(),
            log,
        }
    }

    fn log(&self, line: &str) {
        if let Some(log) = &self.log {
            log(line);
        }
    }

    async fn connect(&self) -> io::Result<Client> {
        let config = &self.config;
        let mut options = match &config.credentials {
            NatsCredentials::None => ConnectOptions::new(),
            NatsCredentials::File(file) => ConnectOptions::with_credentials_file(file)
                .await
                .map_err(|error| broken(format!("the credentials {}: {error}", file.display())))?,
            NatsCredentials::Token(token) => ConnectOptions::with_token(token.clone()),
            NatsCredentials::Password(name, password) => {
                ConnectOptions::with_user_and_password(name.clone(), password.clone())
            }
        };
        options = options
            .name(format!("vgdc {}", config.mesh))
            .connection_timeout(PATIENCE)
            .ping_interval(Duration::from_secs(2))
            .reconnect_delay_callback(|attempts| {
                let pause = BACKOFF.0 * 2_u32.pow(attempts.min(5) as u32);
                pause.min(BACKOFF.1)
            });
        if config.tls {
            options = options.require_tls(true);
        }
        if let Some(ca) = &config.ca {
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((certificate, key)) = &config.certificate {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        options
            .connect(config.servers.clone())
            .await
            .map_err(|error| broken(format!("{}: {error}", config.servers.join(", "))))
    }

    /// Waits until what was handed over has been written.
    async fn flush(&self) {
        if let Some(client) = self.client.get() {
            // (what cannot be written is known to nobody: it comes again)
            let _ = client.flush().await;
        }
    }

    /// The broker's streams; connects first, if that has not been done.
    async fn context(&self) -> io::Result<jetstream::Context> {
        let client = self.client.get_or_try_init(|| self.connect()).await?;
        Ok(ContextBuilder::new()
            .timeout(PATIENCE)
            .ack_timeout(PATIENCE)
            .max_ack_inflight(2 * send::MOST_UNCONFIRMED as usize)
            .build(client.clone()))
    }

    /// The stream of a link, made where there is none.
    async fn stream(
        &self,
        context: &jetstream::Context,
        link: &str,
        delivery: Delivery,
    ) -> io::Result<jetstream::stream::Stream> {
        let mesh = &self.config.mesh;
        let (storage, bytes) = match delivery {
            Delivery::Durable => (StorageType::File, MOST_BYTES.0),
            Delivery::Fast => (StorageType::Memory, MOST_BYTES.1),
        };
        let config = Config {
            name: stream_name(mesh, link),
            subjects: vec![subject(mesh, link)],
            description: Some(format!("link {link} of the mesh {mesh}")),
            retention: RetentionPolicy::WorkQueue,
            storage,
            max_bytes: bytes,
            discard: DiscardPolicy::New,
            duplicate_window: DEDUPLICATED,
            num_replicas: self.config.replicas.max(1),
            ..Config::default()
        };
        let made = context.get_or_create_stream(config).await;
        made.map_err(|error| broken(format!("the stream of link '{link}': {error}")))
    }
}

/// A part of a name that brokers take: letters, digits, `-`; all else as `_` and its bytes in hexadecimal. What would be too
/// long is cut, and ends in a hash (FNV-1a, 64 bits) of the whole.
fn plain(text: &str) -> String {
    const MOST: usize = 100;
    let mut plain = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => plain.push(char::from(byte)),
            byte => plain.push_str(&format!("_{byte:02x}")),
        }
    }
    if plain.len() > MOST {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
        plain.truncate(MOST - 16);
        plain.push_str(&format!("{hash:016x}"));
    }
    plain
}

fn stream_name(mesh: &str, link: &str) -> String {
    format!("VGDC_{}_{}", plain(mesh), plain(link))
}

fn subject(mesh: &str, link: &str) -> String {
    format!("vgdc.{}.{}", plain(mesh), plain(link))
}

/// A message's id: `EPOCH.INSTANCE.NUMBER`.
fn id_of(position: Position) -> String {
    format!(
        "{}.{}.{}",
        position.epoch, position.instance, position.sequence
    )
}

fn position_of(id: &str) -> Option<Position> {
    let mut parts = id.split('.').map(|part| part.parse().ok());
    let position = Position {
        epoch: parts.next()??,
        instance: parts.next()??,
        sequence: parts.next()??,
    };
    parts.next().is_none().then_some(position)
}

/// Waits before a session is begun again; false: the endpoint has ended.
async fn pause(inner: &Weak<Inner>, pause: &mut Duration) -> bool {
    let Some(mut stopped) = inner.upgrade().map(|inner| inner.stopping()) else {
        return false;
    };
    *pause = (*pause * 2).clamp(BACKOFF.0, BACKOFF.1);
    tokio::select! {
        () = tokio::time::sleep(*pause) => true,
        _ = stopped.wait_for(|stopped| *stopped) => false,
    }
}

/// Says why a session has ended, and that it goes on; not each time, where it ends again and again.
struct Trouble {
    nats: Arc<Nats>,
    link: String,
    said: bool,
    last: Option<Instant>,
}

impl Trouble {
    fn new(nats: Arc<Nats>, link: String) -> Trouble {
        Trouble {
            nats,
            link,
            said: false,
            last: None,
        }
    }

    fn is(&mut self, error: &io::Error) {
        if self.said || self.last.is_some_and(|last| last.elapsed() < SAID_EVERY) {
            return;
        }
        (self.said, self.last) = (true, Some(Instant::now()));
        let link = &self.link;
        self.nats
            .log(&format!("link '{link}' over NATS waits: {error}"));
    }

    fn is_over(&mut self) {
        if std::mem::take(&mut self.said) {
            let link = &self.link;
            self.nats.log(&format!("link '{link}' over NATS goes on"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_as_brokers_take() {
        assert_eq!(subject("plant", "a>b.c"), "vgdc.plant.a_3eb_2ec");
        assert_eq!(stream_name("p_1", "ä"), "VGDC_p_5f1__c3_a4");
        let long = |end: &str| stream_name("m", &("x".repeat(300) + end));
        assert!(long("a").len() < 120);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn ids_are_read() {
        let position = Position {
            epoch: 3,
            instance: 1 << 52,
            sequence: 7,
        };
        assert_eq!(position_of(&id_of(position)), Some(position));
        for bad in ["", "1.2", "1.2.x", "1.2.3.4"] {
            assert_eq!(position_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = NatsConfig {
            credentials: NatsCredentials::Token("secret".to_owned()),
            ..NatsConfig::default()
        };
        assert!(!format!("{config:?}").contains("secret"));
    }
}
