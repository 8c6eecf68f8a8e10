//! How stores get artifacts from each other, over one stream of bytes that reaches a known peer. Frames are a length (4 bytes, big-endian)
//! and CBOR. Who opens the stream [`Ask`]s, the other one [`Answer`]s:
//!
//! ```text
//! fetch:  Describe ▶  ◀ Description      Chunks ▶ Chunks ▶  ◀ Chunk ◀ Chunk …      (closed)
//! push:   Offer ▶     ◀ Lacks            Chunk ▶ Chunk ▶ …  ◀ Lacks or Stored
//! ```
//!
//! Chunks are asked for by their numbers in the description ([`Description::chunks`](super::Description::chunks)), so nobody gets a
//! chunk of an artifact that he may not have; they come in the order in which they were asked for.

mod fetch;
mod intake;
mod push;
mod serve;

pub use fetch::fetch;
pub use push::push;
pub use serve::{Policy, serve};

use super::bundle::LONGEST_DESCRIPTION;
use super::error::ArtifactError;
use super::id::ArtifactId;
use crate::codec;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::time::timeout;

/// The longest frame, in bytes: a description, and a little.
pub const LONGEST_FRAME: usize = LONGEST_DESCRIPTION + (64 << 10);
/// A peer that neither sends nor takes a frame for so long is given up.
pub const SILENCE: Duration = Duration::from_secs(30);
/// The most chunks that are asked for in one frame.
const MOST_ASKED: usize = 256;
/// How much is under way at most, in bytes: enough for 1 Gbit/s over 60 ms.
const WINDOW: usize = 8 << 20;
/// How much is read or written between stream and kernel at a time.
const BUFFER: usize = 128 << 10;
/// How often chunks are asked for: when all has come, those that were here before and turn out to be damaged are removed, and have to come,
/// too. Where that goes on, the disk is not to be relied on.
const ROUNDS: usize = 4;

/// What the one who opened the stream says.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    /// What is this artifact?
    Describe {
        artifact: ArtifactId,
        /// The description is known: only its chunks will be asked for.
        known: bool,
    },
    /// Send these chunks.
    Chunks(Vec<u32>),
    /// Take this artifact: its description.
    Offer(Bytes),
    /// The next of the chunks that were lacking.
    Chunk(Bytes),
}

/// What the other one says.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    /// The description, or nothing where it is known.
    Description(Bytes),
    /// The next of the chunks that were asked for.
    Chunk(Bytes),
    /// Send these chunks.
    Lacks(Vec<u32>),
    /// All of it is on the disk.
    Stored,
    /// No, and why. It is the last word.
    Denied(String),
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Chunks that were missing, and have come or gone.
    pub chunks: usize,
    /// Chunks that were missing.
    pub of_chunks: usize,
    /// Bytes that were missing, and have come or gone.
    pub bytes: u64,
    /// Bytes that were missing.
    pub of_bytes: u64,
}

impl Progress {
    fn of<'a>(missing: impl IntoIterator<Item = &'a usize>) -> Progress {
        let mut progress = Progress::default();
        for length in missing {
            progress.of_chunks += 1;
            progress.of_bytes += *length as u64;
        }
        progress
    }

    fn add(&mut self, length: usize) {
        self.chunks += 1;
        self.bytes += length as u64;
    }
}

struct Reader<S>(BufReader<ReadHalf<S>>);
struct Writer<S>(BufWriter<WriteHalf<S>>);

fn halves<S: AsyncRead + AsyncWrite>(stream: S) -> (Reader<S>, Writer<S>) {
    let (read, write) = tokio::io::split(stream);
    (
        Reader(BufReader::with_capacity(BUFFER, read)),
        Writer(BufWriter::with_capacity(BUFFER, write)),
    )
}

fn broken(error: &std::io::Error) -> ArtifactError {
    ArtifactError::Broken(error.to_string())
}

fn silent() -> ArtifactError {
    ArtifactError::Broken(format!("nothing moved for {} s", SILENCE.as_secs()))
}

impl<S: AsyncRead> Reader<S> {
    /// The next frame; `None` where the stream ends before one.
    async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ArtifactError> {
        let read = async {
            let mut head = [0; 4];
            let first = self.0.read(&mut head).await.map_err(|e| broken(&e))?;
            if first == 0 {
                return Ok(None);
            }
            let rest = &mut head[first..];
            self.0.read_exact(rest).await.map_err(|e| broken(&e))?;
            let length = u32::from_be_bytes(head) as usize;
            if length > LONGEST_FRAME {
                return Err(ArtifactError::Lied(format!(
                    "a frame of {length} bytes; the limit is {LONGEST_FRAME}"
                )));
            }
            // (memory is taken as bytes come, not as they are announced)
            let mut frame = Vec::with_capacity(length.min(BUFFER));
            (&mut self.0)
                .take(length as u64)
                .read_to_end(&mut frame)
                .await
                .map_err(|e| broken(&e))?;
            if frame.len() < length {
                return Err(ArtifactError::Broken("the stream ended in a frame".into()));
            }
            codec::decode(&frame).map(Some).map_err(ArtifactError::Lied)
        };
        timeout(SILENCE, read).await.map_err(|_| silent())?
    }

    /// The next frame, which has to come.
    async fn must<T: DeserializeOwned>(&mut self) -> Result<T, ArtifactError> {
        let next = self.next().await?;
        next.ok_or_else(|| ArtifactError::Broken("the stream ended".into()))
    }
}

impl<S: AsyncWrite> Writer<S> {
    /// Puts a frame into the buffer, and sends what has become too much.
    async fn put<T: Serialize>(&mut self, what: &T) -> Result<(), ArtifactError> {
        let frame = codec::encode(what).map_err(ArtifactError::Refused)?;
        let length = u32::try_from(frame.len())
            .map_err(|_| ArtifactError::Refused("a frame of more than 4 GiB".into()))?;
        let write = async {
            self.0.write_all(&length.to_be_bytes()).await?;
            self.0.write_all(&frame).await
        };
        let written = timeout(SILENCE, write).await.map_err(|_| silent())?;
        written.map_err(|e| broken(&e))
    }

    /// Sends what is in the buffer.
    async fn flush(&mut self) -> Result<(), ArtifactError> {
        let flushed = timeout(SILENCE, self.0.flush()).await;
        flushed.map_err(|_| silent())?.map_err(|e| broken(&e))
    }

    /// Sends a frame.
    async fn send<T: Serialize>(&mut self, what: &T) -> Result<(), ArtifactError> {
        self.put(what).await?;
        self.flush().await
    }

    /// Says that nothing more comes.
    async fn close(&mut self) {
        // (who has gone already need not be told)
        let _ = timeout(SILENCE, self.0.shutdown()).await;
    }
}

impl ArtifactError {
    /// Names the peer in what it has done.
    fn of_peer(self, peer: &str) -> ArtifactError {
        match self {
            ArtifactError::Lied(why) => ArtifactError::Lied(format!("{peer}: {why}")),
            ArtifactError::Denied(why) => ArtifactError::Denied(format!("{peer}: {why}")),
            ArtifactError::Broken(why) => ArtifactError::Broken(format!("{peer}: {why}")),
            other => other,
        }
    }
}

/// What came is not what was waited for.
fn out_of_turn<T>(waited_for: &str) -> Result<T, ArtifactError> {
    Err(ArtifactError::Lied(format!(
        "another message than {waited_for}"
    )))
}

/// Runs what blocks beside the other tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, ArtifactError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| {
        Err(ArtifactError::Io(format!(
            "a thread of the store ended: {e}"
        )))
    })
}
