//! Requests and answers on a stream of bytes: frames of a length (4 bytes, big-endian), the number of the call (8 bytes, big-endian; of the
//! length, too) and the request or the answer. Answers come in any order; number 0 is no call's, and says that the server is there. One
//! stream a peer; each side closes one that says what it must not.

use super::{LONGEST_FRAME, Peer, Serve, WireError};
use crate::id::NodeId;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

/// A connection on which calls wait and nothing comes for so long is given up: the network is cut.
const SILENCE: Duration = Duration::from_secs(4);
/// How often a server says that it is there, while an answer is being made and nobody asks anything else.
const SIGN: Duration = Duration::from_secs(1);
/// The number of a frame that is no answer, but only says so.
const NO_CALL: u64 = 0;
/// The most calls under way on a connection, and the most requests of one peer that are served at a time.
const MOST_CALLS: usize = 1_024;
/// How much is written at a time, at most, unless one frame is longer.
const WRITE: usize = 256 << 10;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Streams to peers: one each, made when it is needed.
#[derive(Default)]
pub(super) struct Lines {
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

impl Lines {
    async fn connection<S: Stream>(
        &self,
        to: &Peer,
        connect: impl Future<Output = Result<S, String>>,
    ) -> Result<Arc<Connection>, WireError> {
        let line = lock(&self.lines).entry(to.id).or_default().clone();
        let mut there = line.connection.lock().await;
        if let Some(connection) = &*there
            && !connection.frames.is_closed()
            && connection.addresses == to.addresses
        {
            return Ok(connection.clone());
        }
        *there = None;
        match connect.await {
            Ok(stream) => {
                let connection = Arc::new(Connection::new(stream, to.addresses.clone()));
                *there = Some(connection.clone());
                Ok(connection)
            }
            Err(why) => Err(WireError::Unreachable(format!("node {} ({why})", to.id))),
        }
    }

    /// Calls a peer; `connect` makes a stream where there is none.
    pub(super) async fn call<S: Stream>(
        &self,
        to: &Peer,
        request: Bytes,
        connect: impl Future<Output = Result<S, String>>,
    ) -> Result<Bytes, WireError> {
        if request.len() > LONGEST_FRAME {
            return Err(WireError::Unreachable(format!(
                "a request of {} bytes: the limit is {LONGEST_FRAME}",
                request.len()
            )));
        }
        let connection = self.connection(to, connect).await?;
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
    }
}

impl Connection {
    fn new(stream: impl Stream, addresses: Vec<String>) -> Connection {
        let (read, write) = tokio::io::split(stream);
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

async fn read_answers(mut read: impl AsyncRead + Unpin, waiting: &Waiting) {
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
async fn read_frame(
    read: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> Option<(u64, Bytes)> {
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

async fn write_frames(
    mut write: impl AsyncWrite + Unpin,
    mut frames: mpsc::Receiver<(u64, Bytes)>,
) {
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
        if write.write_all(&buffer).await.is_err() || write.flush().await.is_err() {
            return;
        }
        buffer.clear();
    }
}

/// Answers what comes on a stream, to its end.
pub(super) async fn serve(stream: impl Stream, to: Arc<dyn Serve>) {
    let (mut read, write) = tokio::io::split(stream);
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
