//! What a program has to do with the agent of its machine: it is there to be steered, and its links go by the agent's ways.

use crate::Options;
use crate::steering::Steering;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use vgdc_core::store::shared::{self, Keeper};
use vgdc_door::context::{Ask, Told};
use vgdc_door::{Answer, Hello, LONGEST_LINE, What};
use vgdc_http::Listen;
use vgdc_link::transport::{BoxFuture, BoxStream, Transport};

/// How long to wait before the agent is looked for again: it may be about to be started anew.
const AGAIN: Duration = Duration::from_millis(100);
/// How long an agent may take to answer. The way to another machine is part of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shared values, by the agent: one connection, a request at a time.
struct ByDoor {
    door: PathBuf,
    instance: String,
    connection: Mutex<Option<Connection>>,
}

type Connection = (
    std::io::BufReader<std::os::unix::net::UnixStream>,
    std::os::unix::net::UnixStream,
);

impl ByDoor {
    fn ask(&self, ask: &Ask) -> Result<Told, String> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A connection that an agent before this one has left behind is found to be broken once. What was written then may have been
        // done, so only what does no harm twice is asked again.
        for again in [matches!(ask, Ask::Get { .. } | Ask::Keys { .. }), false] {
            let mut open = match connection.take() {
                Some(open) => open,
                None => {
                    let what = What::Context {
                        instance: self.instance.clone(),
                    };
                    vgdc_door::client::open(&self.door, what)?
                }
            };
            let mut line = String::new();
            let asked = (open.1.write_all(vgdc_door::line(ask).as_bytes()))
                .and_then(|()| open.0.read_line(&mut line));
            match asked {
                Ok(1..) => {
                    *connection = Some(open);
                    return match serde_json::from_str(&line) {
                        Ok(Told::Error(why)) => Err(why),
                        Ok(told) => Ok(told),
                        Err(e) => Err(format!("the agent's answer cannot be read: {e}")),
                    };
                }
                _ if again => {}
                _ => return Err("the agent hung up; whether it was done is not known".to_owned()),
            }
        }
        Err("the agent hung up".to_owned())
    }
}

fn encode64(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes)
}

fn decode64(text: &str) -> Result<Vec<u8>, String> {
    let bytes = BASE64.decode(text);
    bytes.map_err(|e| format!("the agent's answer is no base64: {e}"))
}

fn other() -> String {
    "the agent answered something else".to_owned()
}

impl Keeper for ByDoor {
    fn get(
        &self,
        scope: &str,
        store: &str,
        key: &str,
        certain: bool,
    ) -> Result<Option<Vec<u8>>, String> {
        let ask = Ask::Get {
            scope: scope.to_owned(),
            store: store.to_owned(),
            key: key.to_owned(),
            certain,
        };
        match self.ask(&ask)? {
            Told::Value(None) => Ok(None),
            Told::Value(Some(text)) => decode64(&text).map(Some),
            _ => Err(other()),
        }
    }

    fn set(&self, scope: &str, store: &str, key: &str, value: Option<&[u8]>) -> Result<(), String> {
        let ask = Ask::Set {
            scope: scope.to_owned(),
            store: store.to_owned(),
            key: key.to_owned(),
            value: value.map(encode64),
        };
        match self.ask(&ask)? {
            Told::Done {} => Ok(()),
            _ => Err(other()),
        }
    }

    fn swap(
        &self,
        scope: &str,
        store: &str,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, String> {
        let ask = Ask::Swap {
            scope: scope.to_owned(),
            store: store.to_owned(),
            key: key.to_owned(),
            expected: expected.map(encode64),
            value: encode64(value),
        };
        match self.ask(&ask)? {
            Told::Done {} => Ok(true),
            Told::Stale {} => Ok(false),
            _ => Err(other()),
        }
    }

    fn keys(&self, scope: &str, store: &str) -> Result<Vec<String>, String> {
        let ask = Ask::Keys {
            scope: scope.to_owned(),
            store: store.to_owned(),
        };
        match self.ask(&ask)? {
            Told::Keys(keys) => Ok(keys),
            _ => Err(other()),
        }
    }

    fn clear(&self, scope: &str, store: &str) -> Result<(), String> {
        let ask = Ask::Clear {
            scope: scope.to_owned(),
            store: store.to_owned(),
        };
        match self.ask(&ask)? {
            Told::Done {} => Ok(()),
            _ => Err(other()),
        }
    }
}

/// Lets the agent steer, for as long as the process is there.
///
/// # Errors
/// None where there are links.
pub fn attend(options: &Options, steering: Arc<Steering>) -> Result<(), String> {
    if let Some(door) = &options.agent {
        let (door, instance) = (PathBuf::from(door), options.instance.clone());
        shared::provide(Arc::new(ByDoor {
            door: door.clone(),
            instance: instance.clone(),
            connection: Mutex::default(),
        }));
        tokio::spawn(async move {
            loop {
                let what = What::Program {
                    instance: instance.clone(),
                    pid: std::process::id(),
                };
                // (an agent that is away comes back; what runs goes on running until then)
                if let Ok(stream) = enter(&door, what).await {
                    converse(stream, &steering).await;
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
    Ok(())
}

/// Where listening sockets come from: the agent, which keeps them while one program takes over from another. A port that is any free one is
/// nobody's after this process.
pub fn listen(options: &Options) -> Listen {
    let Some(door) = options.agent.as_ref().map(PathBuf::from) else {
        return Listen::default();
    };
    let instance = options.instance.clone();
    Listen::new(move |address| match address.port() {
        0 => Listen::default().at(address),
        _ => vgdc_door::client::listen(&door, &instance, address),
    })
}

/// Opens a connection to the agent for a purpose.
async fn enter(door: &PathBuf, what: What) -> std::io::Result<UnixStream> {
    let enter = async {
        let mut stream = UnixStream::connect(door).await?;
        stream.write_all(Hello::new(what).line().as_bytes()).await?;
        // (byte by byte: what follows the line is not ours to read)
        let (mut line, mut byte) = (Vec::new(), [0]);
        while byte != *b"\n" {
            if stream.read(&mut byte).await? == 0 || line.len() >= LONGEST_LINE {
                return Err(std::io::Error::other("the agent hung up"));
            }
            line.extend(byte);
        }
        Answer::read(&String::from_utf8_lossy(&line)).map_err(std::io::Error::other)?;
        Ok(stream)
    };
    match tokio::time::timeout(PATIENCE, enter).await {
        Ok(entered) => entered,
        Err(_) => Err(std::io::Error::other("the agent does not answer")),
    }
}

/// Answers what the agent asks, until it goes.
async fn converse(stream: UnixStream, steering: &Steering) {
    let subscriber = steering.hub.subscribe();
    let outbox = subscriber.outbox().clone();
    let (read, mut write) = stream.into_split();
    let writer = tokio::spawn(async move {
        while let Some(lines) = outbox.next().await {
            if write.write_all(lines.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let (mut read, mut line) = (BufReader::new(read), String::new());
    while read.read_line(&mut line).await.is_ok_and(|bytes| bytes > 0) {
        steering.line(&subscriber, line.trim_end()).await;
        line.clear();
    }
    subscriber.outbox().close();
    // (the writer ends with the connection or with its last line)
    let _ = writer.await;
}

/// The way to another part that the agent knows.
pub struct ByAgent {
    /// The agent's door.
    pub door: PathBuf,
    /// What the agent calls this program.
    pub instance: String,
    /// The part.
    pub to: String,
}

impl Transport for ByAgent {
    fn connect(&self) -> BoxFuture<'_, std::io::Result<BoxStream>> {
        Box::pin(async {
            let what = What::Link {
                instance: self.instance.clone(),
                to: self.to.clone(),
            };
            Ok(Box::new(enter(&self.door, what).await?) as BoxStream)
        })
    }

    fn describe(&self) -> String {
        format!("{} by the agent at {}", self.to, self.door.display())
    }
}
