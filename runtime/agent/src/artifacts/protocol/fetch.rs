//! Gets an artifact of another store.

use super::intake::Intake;
use super::{
    Answer, Ask, MOST_ASKED, Progress, Reader, WINDOW, Writer, blocking, halves, out_of_turn,
};
use crate::artifacts::bundle::Description;
use crate::artifacts::error::ArtifactError;
use crate::artifacts::id::ArtifactId;
use crate::artifacts::store::Store;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// Gets an artifact from the peer at the other end of the stream, which [serves](super::serve). Chunks that are here already are not
/// asked for; what arrives is checked, and stays when this is broken off or dropped, so the next call goes on, with whatever peer.
/// `peer` is what errors call it. `progress` is told of each chunk.
///
/// # Errors
/// [`ArtifactError::Lied`] where the peer sent anything else than it was asked for: nothing of that stays;
/// [`ArtifactError::Denied`], [`ArtifactError::Broken`]: ask another peer; errors of this host's disk.
pub async fn fetch<S: AsyncRead + AsyncWrite + Send>(
    store: Arc<Store>,
    stream: S,
    id: ArtifactId,
    peer: &str,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<(), ArtifactError> {
    if store.contains(&id) {
        return Ok(());
    }
    let (mut reader, mut writer) = halves(stream);
    let description = describe(&store, &mut reader, &mut writer, id).await;
    let description = description.map_err(|e| e.of_peer(peer))?;
    let mut intake = Intake::open(store, id, description).await?;
    match rounds(&mut intake, &mut reader, &mut writer, &mut progress).await {
        Ok(()) => {
            writer.close().await;
            Ok(())
        }
        Err(error) => Err(intake.fail(error.of_peer(peer)).await),
    }
}

async fn describe<S: AsyncRead + AsyncWrite>(
    store: &Arc<Store>,
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
    artifact: ArtifactId,
) -> Result<Description, ArtifactError> {
    let of = store.clone();
    let known = blocking(move || of.read_description("partial", &artifact)).await;
    writer
        .send(&Ask::Describe {
            artifact,
            known: known.is_ok(),
        })
        .await?;
    let bytes = match reader.must().await? {
        Answer::Description(bytes) => bytes,
        Answer::Denied(why) => return Err(ArtifactError::Denied(why)),
        _ => return out_of_turn("the description"),
    };
    if let Ok(known) = known {
        return Ok(known);
    }
    if Description::id(&bytes) != artifact {
        return Err(ArtifactError::Lied(format!(
            "it sent the description of {} for {artifact}",
            Description::id(&bytes)
        )));
    }
    // (it has the right hash: the limits are what it may still break, and that is not the peer's fault)
    Description::decode(&bytes, &store.limits)
}

async fn rounds<S: AsyncRead + AsyncWrite>(
    intake: &mut Intake,
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
    progress: &mut (impl FnMut(Progress) + Send),
) -> Result<(), ArtifactError> {
    while let Some(missing) = intake.lacks().await? {
        let sink = intake.sink(&missing);
        let room = Semaphore::new(WINDOW);
        // Both at a time: else each side could wait until the other one reads.
        let ended = tokio::try_join!(ask(writer, &missing, &room), async {
            let mut so_far = Progress::of(missing.iter().map(|(_, length)| length));
            progress(so_far);
            for (_, length) in &missing {
                let chunk = match reader.must().await? {
                    Answer::Chunk(chunk) => chunk,
                    Answer::Denied(why) => return Err(ArtifactError::Denied(why)),
                    _ => return out_of_turn("a chunk"),
                };
                if !sink.take(chunk).await {
                    break;
                }
                room.add_permits(*length);
                so_far.add(*length);
                progress(so_far);
            }
            // (should the disk be why it has ended, nobody need be asked for more)
            room.close();
            Ok(())
        });
        intake.settle(sink, ended.map(|_| ())).await?;
    }
    Ok(())
}

/// Asks for chunks, so that not more than the window is under way.
async fn ask<S: AsyncWrite>(
    writer: &mut Writer<S>,
    missing: &[(u32, usize)],
    room: &Semaphore,
) -> Result<(), ArtifactError> {
    let (mut numbers, mut bytes) = (Vec::new(), 0);
    for (at, (number, length)) in missing.iter().enumerate() {
        numbers.push(*number);
        bytes += *length;
        let last = at + 1 == missing.len();
        if last || numbers.len() == MOST_ASKED || bytes >= WINDOW / 4 {
            // (at most WINDOW / 4 and a chunk)
            let Ok(permit) = room
                .acquire_many(u32::try_from(bytes).unwrap_or(u32::MAX))
                .await
            else {
                return Ok(());
            };
            permit.forget();
            let asked = Ask::Chunks(std::mem::take(&mut numbers));
            writer.send(&asked).await?;
            bytes = 0;
        }
    }
    Ok(())
}
