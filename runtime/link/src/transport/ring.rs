//! Streams within the process: two rings of bytes, one in each direction, under a name.

use super::{BoxFuture, BoxStream, Listener, Transport};
use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

/// Bytes in each direction.
const SIZE: usize = 256 * 1024;
/// How many streams wait to be taken.
const WAITING: usize = 128;

/// Who listens, by name.
fn table() -> MutexGuard<'static, HashMap<String, Sender<DuplexStream>>> {
    static TABLE: LazyLock<Mutex<HashMap<String, Sender<DuplexStream>>>> =
        LazyLock::new(Mutex::default);
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Ring {
    name: String,
}

impl Ring {
    pub(super) fn to(name: &str) -> Ring {
        Ring {
            name: name.to_owned(),
        }
    }
}

impl Transport for Ring {
    fn connect(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async {
            let listening = table().get(&self.name).cloned();
            let (here, there) = tokio::io::duplex(SIZE);
            let refused = |why| {
                let text = format!("cannot connect to ring:{}: {why}", self.name);
                io::Error::new(io::ErrorKind::ConnectionRefused, text)
            };
            let listening = listening.ok_or_else(|| refused("nobody listens"))?;
            match listening.try_send(there) {
                Ok(()) => Ok(Box::new(here) as BoxStream),
                Err(TrySendError::Full(_)) => Err(refused("too many wait to be taken")),
                Err(TrySendError::Closed(_)) => Err(refused("nobody listens")),
            }
        })
    }

    fn describe(&self) -> String {
        format!("ring:{}", self.name)
    }
}

pub(super) struct RingAt {
    name: String,
    streams: Receiver<DuplexStream>,
}

impl RingAt {
    pub(super) fn bind(name: &str) -> io::Result<RingAt> {
        let mut table = table();
        if table.contains_key(name) {
            let text = format!("cannot listen on ring:{name}: somebody does already");
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        let (sender, streams) = mpsc::channel(WAITING);
        table.insert(name.to_owned(), sender);
        Ok(RingAt {
            name: name.to_owned(),
            streams,
        })
    }
}

impl Listener for RingAt {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async {
            // (the table has a sender as long as this lives)
            let stream = self.streams.recv().await;
            let stream = stream.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn address(&self) -> String {
        format!("ring:{}", self.name)
    }
}

impl Drop for RingAt {
    fn drop(&mut self) {
        table().remove(&self.name);
    }
}
