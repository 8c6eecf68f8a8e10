//! Puts an artifact into another store: what `vgdc deploy` does.

use super::serve::read;
use super::{Answer, Ask, Progress, ROUNDS, Writer, blocking, halves, out_of_turn};
use crate::artifacts::bundle::CHUNK;
use crate::artifacts::error::ArtifactError;
use crate::artifacts::id::{ArtifactId, Hash};
use crate::artifacts::store::Store;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

/// How many chunks are read from the disk at a time.
const GROUP: usize = (1 << 20) / CHUNK;
/// How long a peer that takes nothing more may need to say why.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Puts an artifact of this store into the one at the other end of the stream, which [serves](super::serve): what it lacks, it is sent.
/// When this returns, the other one has all of it on its disk. `peer` is what errors call it; `progress` is told of each chunk that
/// was sent.
///
/// # Errors
/// An artifact that is not here; [`ArtifactError::Denied`] with the peer's reason; [`ArtifactError::Broken`]: push again, and only what
/// is still lacking is sent.
pub async fn push<S: AsyncRead + AsyncWrite + Send>(
    store: Arc<Store>,
    stream: S,
    id: ArtifactId,
    peer: &str,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<(), ArtifactError> {
    let of = store.clone();
    let description = blocking(move || of.describe(&id)).await?;
    let description = Arc::new(description);
    let _pin = Store::pin(&store, description.clone());
    let chunks = description.chunks();
    let work = async {
        let (mut reader, mut writer) = halves(stream);
        writer
            .send(&Ask::Offer(description.encode()?.into()))
            .await?;
        let mut answer = reader.must().await?;
        for _ in 0..ROUNDS {
            let Answer::Lacks(lacks) = answer else {
                break;
            };
            let sent_all = AtomicBool::new(false);
            // (one future, so that nothing of what has come of a frame is lost)
            let mut next = pin!(reader.must());
            let sent = tokio::select! {
                sent = send(&store, &mut writer, &chunks, &lacks, &sent_all, &mut progress) => sent,
                early = &mut next => {
                    answer = early?;
                    if matches!(answer, Answer::Denied(_)) || sent_all.load(Ordering::Relaxed) {
                        continue;
                    }
                    return out_of_turn("that it takes chunks");
                }
            };
            answer = match sent {
                Ok(()) => next.await?,
                Err(error) => match timeout(LAST_WORD, next).await {
                    Ok(Ok(answer @ Answer::Denied(_))) => answer,
                    _ => return Err(error),
                },
            };
        }
        match answer {
            Answer::Stored => {
                writer.close().await;
                Ok(())
            }
            Answer::Denied(why) => Err(ArtifactError::Denied(why)),
            _ => out_of_turn("that it has all"),
        }
    };
    let done: Result<(), ArtifactError> = work.await;
    done.map_err(|e| e.of_peer(peer))
}

async fn send<S: AsyncWrite>(
    store: &Arc<Store>,
    writer: &mut Writer<S>,
    chunks: &[(Hash, usize)],
    lacks: &[u32],
    sent_all: &AtomicBool,
    progress: &mut (impl FnMut(Progress) + Send),
) -> Result<(), ArtifactError> {
    let length = |number: &u32| {
        chunks
            .get(*number as usize)
            .map_or(&0, |(_, length)| length)
    };
    let mut so_far = Progress::of(lacks.iter().map(length));
    progress(so_far);
    for group in lacks.chunks(GROUP) {
        for bytes in read(store, chunks, group).await? {
            let length = bytes.len();
            writer.put(&Ask::Chunk(bytes)).await?;
            so_far.add(length);
            progress(so_far);
        }
    }
    sent_all.store(true, Ordering::Relaxed);
    writer.flush().await
}
