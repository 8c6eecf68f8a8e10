//! Over TCP: frames of a length (4 bytes, big-endian), the number of the call (8 bytes, big-endian; of the length, too) and the
//! request or the answer. Answers come in any order; number 0 is no call's, and says that the server is there. One connection a peer; each side closes one that says what it must not.

use super::{Calling, LONGEST_FRAME, Peer, Serve, Wire, WireError};
use crate::id::NodeId;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

/// How long to wait for a connection to one address.
const CONNECT: Duration = Duration::from_secs(1);
/// A connection on which calls wait and nothing comes for so long is given up: the network is cut.
const SILENCE: Duration = Duration::from_secs(4);
/// How often a server says that it is there, while an answer is being made and nobody asks anything else.
const SIGN: Duration = Duration::from_secs(1);
/// The number of a frame that is no answer, but only says so.
const NO_CALL: u64 = 0;
/// The most calls under way on a connection, and the most requests of one peer that are served at a time.
const MOST_CALLS: usize = 1_024;
/// The most connections that are served at a time.
const MOST_CONNECTIONS: usize = 1_024;
/// How much is written at a time, at most, unless one frame is longer.
const WRITE: usize = 256 << 10;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls over TCP.
#[derive(Default)]
pub struct TcpWire {
    lines: Mutex<HashMap<NodeId, Arc<Line>>>,
}

/// The connection to a peer, if there is one.
#[derive(Default)]
struct Line {
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
}

struct Connection {
    number: AtomicU64,
    frames: mpsc::Sender<(u64, Bytes)>,
    waiting: Arc<Waiting>,
    task: AbortHandle,
    addresses: Vec<String>,
}

#[derive(Default)]
struct Waiting(Mutex<HashMap<u64, oneshot::Sender<Bytes>>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TcpWire {
    /// A wire without connections.
    pub fn new() -> TcpWire {
        TcpWire::default()
    }

    async fn connection(&self, to: &Peer) -> Result<Arc<Connection>, WireError> {
        let line = lock(&self.lines).entry(to.id).or_default().clone();
        let mut there = line.connection.lock().await;
        if let Some(connection) = &*there
            && !connection.frames.is_closed()
            && connection.addresses == to.addresses
        {
            return Ok(connection.clone());
        }
        *there = None;
        let mut why = "it has no address".to_owned();
        for address in &to.addresses {
            match timeout(CONNECT, TcpStream::connect(address.as_str())).await {
                Ok(Ok(stream)) => {
                    let connection = Arc::new(Connection::new(stream, to.addresses.clone()));
                    *there = Some(connection.clone());
                    return Ok(connection);
                }
                Ok(Err(e)) => why = format!("{address}: {e}"),
                Err(_) => why = format!("{address}: no connection within {} s", CONNECT.as_secs()),
            }
        }
        Err(WireError::Unreachable(format!("node {} ({why})", to.id)))
    }
}

impl Wire for TcpWire {
    fn call<'a>(&'a self, to: &'a Peer, request: Bytes) -> Calling<'a> {
        Box::pin(async move {
            if request.len() > LONGEST_FRAME {
                return Err(WireError::Unreachable(format!(
                    "a request of {} bytes: the limit is {LONGEST_FRAME}",
                    request.len()
                )));
            }
            let connection = self.connection(to).await?;
            let number = connection.number.fetch_add(1, Ordering::Relaxed);
            let (answer, answered) = oneshot::channel();
            {
                let mut waiting = lock(&connection.waiting.0);
                waiting.retain(|_, call| !call.is_closed());
                if waiting.len() >= MOST_CALLS {
                    return Err(WireError::Unreachable(format!(
                        "{MOST_CALLS} calls to node {} are under way",
                        to.id
                    )));
                }
                waiting.insert(number, answer);
            }
            let closed = || format!("the connection to node {} was closed", to.id);
            if connection.frames.send((number, request)).await.is_err() {
                return Err(WireError::Unreachable(closed()));
            }
            answered.await.map_err(|_| WireError::Lost(closed()))
        })
    }
}

impl Connection {
    fn new(stream: TcpStream, addresses: Vec<String>) -> Connection {
        // (a peer that cannot have it has its delays)
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let (frames, to_write) = mpsc::channel(MOST_CALLS);
        let waiting = Arc::<Waiting>::default();
        let calls = waiting.clone();
        let task = tokio::spawn(async move {
            // (whichever ends ends the other: nobody would hear of answers, or could ask)
            tokio::select! {
                () = read_answers(read, &calls) => {}
                () = write_frames(write, to_write) => {}
            }
            // Who waits is told so by the sender that is gone. No more can come: `frames` is closed already.
            lock(&calls.0).clear();
        });
        let task = task.abort_handle();
        Connection {
            number: AtomicU64::new(NO_CALL + 1),
            frames,
            waiting,
            task,
            addresses,
        }
    }
}

async fn read_answers(mut read: OwnedReadHalf, waiting: &Waiting) {
    let mut buffer = BytesMut::new();
    loop {
        match timeout(SILENCE, read_frame(&mut read, &mut buffer)).await {
            Ok(Some((number, answer))) => {
                if let Some(call) = lock(&waiting.0).remove(&number) {
                    // (nobody waits any more where the caller's time was up)
                    let _ = call.send(answer);
                }
            }
            Ok(None) => return,
            Err(_) if lock(&waiting.0).is_empty() => {}
            Err(_) => return,
        }
    }
}

/// The next frame. What has been read of it stays in the buffer when the future is dropped.
async fn read_frame(read: &mut OwnedReadHalf, buffer: &mut BytesMut) -> Option<(u64, Bytes)> {
    loop {
        if let Some(head) = buffer.first_chunk::<4>() {
            let length = u32::from_be_bytes(*head) as usize;
            if !(8..=LONGEST_FRAME + 8).contains(&length) {
                return None;
            }
            if buffer.len() >= 4 + length {
                buffer.advance(4);
                let mut frame = buffer.split_to(length).freeze();
                return Some((frame.get_u64(), frame));
            }
            buffer.reserve(4 + length - buffer.len());
        }
        match read.read_buf(buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn write_frames(mut write: OwnedWriteHalf, mut frames: mpsc::Receiver<(u64, Bytes)>) {
    let mut buffer = BytesMut::new();
    while let Some(frame) = frames.recv().await {
        let mut next = Some(frame);
        while let Some((number, bytes)) = next {
            // (no frame is longer than 8 MiB, so the length is a u32)
            buffer.put_u32((bytes.len() + 8) as u32);
            buffer.put_u64(number);
            buffer.put_slice(&bytes);
            next = if buffer.len() < WRITE {
                frames.try_recv().ok()
            } else {
                None
            };
        }
        if write.write_all(&buffer).await.is_err() {
            return;
        }
        buffer.clear();
    }
}

/// Answers over TCP, until it is dropped.
pub struct TcpServer {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl TcpServer {
    /// Listens at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// An address that cannot be listened at.
    pub async fn listen(address: &str, to: Arc<dyn Serve>) -> std::io::Result<TcpServer> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, to)).abort_handle();
        Ok(TcpServer { address, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TcpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, to: Arc<dyn Serve>) {
    // (a set of tasks ends them all when it is dropped, so also when this one is aborted)
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, to.clone()));
            }
            // No descriptors are left, or the like: that passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, to: Arc<dyn Serve>) {
    let _ = stream.set_nodelay(true);
    let (mut read, write) = stream.into_split();
    let (answers, to_write) = mpsc::channel(MOST_CALLS);
    let room = Arc::new(Semaphore::new(MOST_CALLS));
    let mut tasks = JoinSet::new();
    tasks.spawn(write_frames(write, to_write));
    let mut buffer = BytesMut::new();
    loop {
        let (number, request) = match timeout(SIGN, read_frame(&mut read, &mut buffer)).await {
            Ok(Some(asked)) => asked,
            Ok(None) => return,
            Err(_) => {
                if room.available_permits() < MOST_CALLS {
                    // (where there is no room, something else is about to be sent)
                    let _ = answers.try_send((NO_CALL, Bytes::new()));
                }
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        let Ok(permit) = room.clone().acquire_owned().await else {
            return;
        };
        let (answer, answers) = (to.clone().serve(request), answers.clone());
        tasks.spawn(async move {
            let answer = answer.await;
            if answer.len() <= LONGEST_FRAME {
                // (an answer that nobody can be sent any more)
                let _ = answers.send((number, answer)).await;
            }
            drop(permit);
        });
    }
}
