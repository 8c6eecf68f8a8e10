//! What arrives of an artifact: each chunk is checked and put into the store on a thread of its own, while the next ones come.

use super::{ROUNDS, blocking};
use crate::artifacts::bundle::Description;
use crate::artifacts::disk::Put;
use crate::artifacts::error::ArtifactError;
use crate::artifacts::id::{ArtifactId, Hash};
use crate::artifacts::store::{Pin, Store};
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Chunks between the stream and the disk.
const QUEUE: usize = 32;

/// An artifact that is being received. What has come stays in the store when this is dropped.
pub(super) struct Intake {
    store: Arc<Store>,
    description: Arc<Description>,
    id: ArtifactId,
    /// All chunks, by their numbers.
    chunks: Vec<(Hash, usize)>,
    written: HashSet<Hash>,
    /// How often it was said what it lacks.
    rounds: usize,
    _pin: Pin,
}

/// The thread that checks and writes.
pub(super) struct Sink {
    chunks: mpsc::Sender<Bytes>,
    thread: JoinHandle<Result<HashSet<Hash>, ArtifactError>>,
}

impl Intake {
    /// Begins, or goes on: the description is kept, so that what has come is not collected.
    pub async fn open(
        store: Arc<Store>,
        id: ArtifactId,
        description: Description,
    ) -> Result<Intake, ArtifactError> {
        let description = Arc::new(description);
        let pin = Store::pin(&store, description.clone());
        let (keeper, kept) = (store.clone(), description.clone());
        blocking(move || keeper.keep_partial(&id, &kept)).await?;
        Ok(Intake {
            store,
            id,
            chunks: description.chunks(),
            description,
            written: HashSet::new(),
            rounds: 0,
            _pin: pin,
        })
    }

    /// What has still to come, to be taken by a [sink](Intake::sink): first what is missing, then what was here and turns out to be damaged.
    /// Nothing: all of it is here, and known.
    pub async fn lacks(&mut self) -> Result<Option<Vec<(u32, usize)>>, ArtifactError> {
        for _ in 0..2 {
            let missing = self.missing().await?;
            if !missing.is_empty() {
                self.rounds += 1;
                match self.rounds > ROUNDS {
                    true => break,
                    false => return Ok(Some(missing)),
                }
            }
            if self.commit().await? {
                return Ok(None);
            }
        }
        Err(ArtifactError::Damaged(
            "chunks that were written here are not those that are read: look after the disk".into(),
        ))
    }

    /// The numbers and lengths of the chunks that are missing.
    async fn missing(&self) -> Result<Vec<(u32, usize)>, ArtifactError> {
        let (store, chunks) = (self.store.clone(), self.chunks.clone());
        blocking(move || {
            let all = chunks.iter().enumerate();
            let missing = all.filter(|(_, (hash, length))| !store.has_chunk(hash, *length));
            // (the limits of a bundle are far below 2³² chunks)
            Ok(missing
                .map(|(number, (_, length))| (number as u32, *length))
                .collect())
        })
        .await
    }

    /// Takes these chunks, in this order.
    pub fn sink(&self, wanted: &[(u32, usize)]) -> Sink {
        let wanted: Vec<(Hash, usize)> = wanted
            .iter()
            .map(|(number, _)| self.chunks[*number as usize])
            .collect();
        let (chunks, mut arriving) = mpsc::channel::<Bytes>(QUEUE);
        let store = self.store.clone();
        let thread = tokio::task::spawn_blocking(move || {
            let mut written = HashSet::new();
            for (hash, length) in wanted {
                let Some(bytes) = arriving.blocking_recv() else {
                    return Ok(written);
                };
                if bytes.len() != length || Hash::of(&bytes) != hash {
                    return Err(ArtifactError::Lied(format!(
                        "chunk {hash} came with other bytes; they were thrown away"
                    )));
                }
                if store.put(&hash, &bytes)? == Put::Written {
                    written.insert(hash);
                }
            }
            Ok(written)
        });
        Sink { chunks, thread }
    }

    /// Waits until what the sink was given is in the store, and says how it `ended`. What has come is kept, whatever else went wrong; and
    /// if the sink has ended, that is the reason.
    pub async fn settle(
        &mut self,
        sink: Sink,
        ended: Result<(), ArtifactError>,
    ) -> Result<(), ArtifactError> {
        drop(sink.chunks);
        let thread = sink.thread.await;
        let written = thread.unwrap_or_else(|e| {
            Err(ArtifactError::Io(format!(
                "a thread of the store ended: {e}"
            )))
        })?;
        self.written.extend(written);
        ended
    }

    /// Makes the artifact known. `false`: a chunk that was there was damaged, has been removed, and has to come again.
    async fn commit(&self) -> Result<bool, ArtifactError> {
        let (store, description) = (self.store.clone(), self.description.clone());
        let written = self.written.clone();
        match blocking(move || store.commit(&description, &written)).await {
            Ok(_) => Ok(true),
            Err(ArtifactError::Damaged(_) | ArtifactError::Missing(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Ends with an error. Where there is no room, what has come goes; else it stays for the next attempt.
    pub async fn fail(self, error: ArtifactError) -> ArtifactError {
        let Intake {
            store, id, _pin, ..
        } = self;
        drop(_pin);
        if matches!(error, ArtifactError::Full(_)) {
            let done = blocking(move || {
                store.drop_partial(&id)?;
                store.take_back();
                Ok(())
            });
            // (the error that led here is the one to be told)
            let _ = done.await;
        }
        error
    }
}

impl Sink {
    /// Hands over the next chunk. `false`: the thread has ended, and [`Intake::settle`] says why.
    pub async fn take(&self, chunk: Bytes) -> bool {
        self.chunks.send(chunk).await.is_ok()
    }
}
