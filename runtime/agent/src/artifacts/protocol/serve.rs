//! The other end: answers a peer that fetches, and takes what a peer pushes.

use super::intake::Intake;
use super::{Answer, Ask, MOST_ASKED, Reader, Writer, blocking, halves, out_of_turn};
use crate::artifacts::bundle::{CHUNK, Description};
use crate::artifacts::error::ArtifactError;
use crate::artifacts::id::{ArtifactId, Hash};
use crate::artifacts::store::Store;
use bytes::Bytes;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// How many chunks are read from the disk at a time.
const GROUP: usize = (1 << 20) / CHUNK;

/// What the peer of one stream may.
pub trait Policy: Send + Sync {
    /// Whether it may have this artifact.
    ///
    /// # Errors
    /// Why not: the peer is told.
    fn may_fetch(&self, id: &ArtifactId) -> Result<(), String>;

    /// Whether it may put this artifact here, whose files have so many bytes together.
    ///
    /// # Errors
    /// Why not: the peer is told.
    fn may_push(&self, id: &ArtifactId, bytes: u64) -> Result<(), String>;
}

/// Serves one stream until the peer ends it. Gives the artifacts that were put here.
///
/// # Errors
/// A peer that says what it must not, or falls silent; this host's disk. The peer has been told of refusals, which are no errors here.
pub async fn serve<S: AsyncRead + AsyncWrite + Send>(
    store: Arc<Store>,
    stream: S,
    policy: &dyn Policy,
) -> Result<Vec<ArtifactId>, ArtifactError> {
    let (mut reader, mut writer) = halves(stream);
    let mut stored = Vec::new();
    let mut asked_about: Option<(ArtifactId, Vec<(Hash, usize)>)> = None;
    while let Some(ask) = reader.next::<Ask>().await? {
        let done = match ask {
            Ask::Describe { artifact, known } => {
                asked_about = None;
                describe(&store, &mut writer, policy, artifact, known)
                    .await
                    .map(|chunks| asked_about = Some((artifact, chunks)))
            }
            Ask::Chunks(numbers) => match &asked_about {
                Some((id, chunks)) => {
                    let sent = send(&store, &mut writer, chunks, &numbers).await;
                    if let Err(ArtifactError::Damaged(_) | ArtifactError::Missing(_)) = sent {
                        let (of, id) = (store.clone(), *id);
                        blocking(move || of.not_whole(&id)).await?;
                    }
                    sent
                }
                None => out_of_turn("one about a description"),
            },
            Ask::Offer(bytes) => receive(&store, &mut reader, &mut writer, policy, bytes)
                .await
                .map(|id| stored.push(id)),
            Ask::Chunk(_) => out_of_turn("an offer"),
        };
        match done {
            Ok(()) => {}
            Err(ArtifactError::Broken(why)) => return Err(ArtifactError::Broken(why)),
            Err(error) => {
                // (it may have gone, or still be sending what it is told to leave)
                let _ = writer.send(&Answer::Denied(error.to_string())).await;
                writer.close().await;
                return match error {
                    ArtifactError::Denied(_) | ArtifactError::Missing(_) => Ok(stored),
                    other => Err(other),
                };
            }
        }
    }
    Ok(stored)
}

async fn describe<S: AsyncWrite>(
    store: &Arc<Store>,
    writer: &mut Writer<S>,
    policy: &dyn Policy,
    id: ArtifactId,
    known: bool,
) -> Result<Vec<(Hash, usize)>, ArtifactError> {
    policy.may_fetch(&id).map_err(ArtifactError::Denied)?;
    let of = store.clone();
    let (description, bytes) = blocking(move || {
        let description = of.describe(&id)?;
        let bytes = description.encode()?;
        Ok((description, bytes))
    })
    .await?;
    let bytes = if known { Bytes::new() } else { bytes.into() };
    writer.send(&Answer::Description(bytes)).await?;
    Ok(description.chunks())
}

async fn send<S: AsyncWrite>(
    store: &Arc<Store>,
    writer: &mut Writer<S>,
    chunks: &[(Hash, usize)],
    numbers: &[u32],
) -> Result<(), ArtifactError> {
    if numbers.len() > MOST_ASKED {
        return Err(ArtifactError::Lied(format!(
            "it asked for {} chunks at a time; the limit is {MOST_ASKED}",
            numbers.len()
        )));
    }
    for group in numbers.chunks(GROUP) {
        for bytes in read(store, chunks, group).await? {
            writer.put(&Answer::Chunk(bytes)).await?;
        }
    }
    writer.flush().await
}

/// Reads chunks by their numbers, on a thread of its own.
pub(super) async fn read(
    store: &Arc<Store>,
    chunks: &[(Hash, usize)],
    numbers: &[u32],
) -> Result<Vec<Bytes>, ArtifactError> {
    let wanted: Option<Vec<_>> = numbers
        .iter()
        .map(|number| chunks.get(*number as usize).copied())
        .collect();
    let wanted = wanted.ok_or_else(|| {
        ArtifactError::Lied(format!("it asked for chunks beyond the {}", chunks.len()))
    })?;
    let of = store.clone();
    blocking(move || {
        let read = |(hash, length): &(Hash, usize)| of.read_chunk(hash, *length).map(Bytes::from);
        wanted.iter().map(read).collect()
    })
    .await
}

async fn receive<S: AsyncRead + AsyncWrite>(
    store: &Arc<Store>,
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
    policy: &dyn Policy,
    bytes: Bytes,
) -> Result<ArtifactId, ArtifactError> {
    let id = Description::id(&bytes);
    let description = Description::decode(&bytes, &store.limits)?;
    policy
        .may_push(&id, description.size())
        .map_err(ArtifactError::Denied)?;
    if !store.contains(&id) {
        let mut intake = Intake::open(store.clone(), id, description).await?;
        if let Err(error) = rounds(&mut intake, reader, writer).await {
            return Err(intake.fail(error).await);
        }
    }
    writer.send(&Answer::Stored).await?;
    Ok(id)
}

async fn rounds<S: AsyncRead + AsyncWrite>(
    intake: &mut Intake,
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
) -> Result<(), ArtifactError> {
    while let Some(missing) = intake.lacks().await? {
        let numbers = missing.iter().map(|(number, _)| *number).collect();
        writer.send(&Answer::Lacks(numbers)).await?;
        let sink = intake.sink(&missing);
        let ended = async {
            for _ in &missing {
                let Ask::Chunk(chunk) = reader.must().await? else {
                    return out_of_turn("a chunk");
                };
                if !sink.take(chunk).await {
                    break;
                }
            }
            Ok(())
        };
        let ended = ended.await;
        intake.settle(sink, ended).await?;
    }
    Ok(())
}
