//! The protocol between two stores: in order, in parts, with peers that lie.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::pin::Pin as Pinned;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;

pub(super) struct All;

impl Policy for All {
    fn may_fetch(&self, _: &ArtifactId) -> Result<(), String> {
        Ok(())
    }

    fn may_push(&self, _: &ArtifactId, _: u64) -> Result<(), String> {
        Ok(())
    }
}

struct Nothing;

impl Policy for Nothing {
    fn may_fetch(&self, _: &ArtifactId) -> Result<(), String> {
        Err("it is another mesh's".into())
    }

    fn may_push(&self, _: &ArtifactId, bytes: u64) -> Result<(), String> {
        Err(format!("no room for {bytes} bytes"))
    }
}

type Served = JoinHandle<Result<Vec<ArtifactId>, ArtifactError>>;

/// A stream to a server of this store.
pub(super) fn stream(store: &Arc<Store>, policy: impl Policy + 'static) -> (DuplexStream, Served) {
    let (here, there) = tokio::io::duplex(1_000);
    let store = store.clone();
    let served = tokio::spawn(async move { serve(store, there, &policy).await });
    (here, served)
}

/// Ends after so many bytes were read, or has one of them changed.
struct Worse<S> {
    inner: S,
    read: u64,
    end_at: u64,
    change_at: u64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Worse<S> {
    fn poll_read(
        mut self: Pinned<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.read >= self.end_at {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pinned::new(&mut self.inner).poll_read(cx, buffer);
        let came = (buffer.filled().len() - before) as u64;
        if (self.read..self.read + came).contains(&self.change_at) {
            let at = before + (self.change_at - self.read) as usize;
            buffer.filled_mut()[at] ^= 0x10;
        }
        self.read += came;
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worse<S> {
    fn poll_write(
        mut self: Pinned<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pinned::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pinned<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pinned::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: Pinned<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pinned::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

#[tokio::test]
async fn an_artifact_is_fetched_and_a_second_one_costs_its_difference() {
    let (from, a, b) = (folder(), folder(), folder());
    let (here, there) = (open(a.path()), open(b.path()));
    let kind = hosted(from.path(), 300);
    fs::write(from.path().join("big"), noise(1, 9 * CHUNK)).expect("written");
    let first = there.import(from.path(), &kind).expect("imported");
    let last = Mutex::new(Progress::default());
    let (line, served) = stream(&there, All);
    fetch(here.clone(), line, first, "b", |p| {
        *last.lock().expect("held") = p
    })
    .await
    .expect("fetched");
    assert_eq!(served.await.expect("served"), Ok(Vec::new()));
    let progress = *last.lock().expect("held");
    assert_eq!(
        (progress.chunks, progress.bytes),
        (progress.of_chunks, progress.of_bytes)
    );
    assert_eq!(progress.bytes, there.used());
    here.unpack(&trusted(first)).expect("unpacked");
    assert_eq!(here.partial(), Ok(Vec::new()));

    fs::write(from.path().join("more"), b"123").expect("written");
    let second = there.import(from.path(), &kind).expect("imported");
    let (line, _served) = stream(&there, All);
    fetch(here.clone(), line, second, "b", |p| {
        *last.lock().expect("held") = p
    })
    .await
    .expect("fetched");
    assert_eq!(last.lock().expect("held").of_bytes, 3);
    // Asked for once more, nobody is asked.
    let (line, nobody) = tokio::io::duplex(1);
    drop(nobody);
    fetch(here, line, second, "b", |_| {})
        .await
        .expect("there already");
}

#[tokio::test]
async fn an_artifact_is_pushed_and_pushed_again() {
    let (from, a, b) = (folder(), folder(), folder());
    let (here, there) = (open(a.path()), open(b.path()));
    let path = from.path().join("p");
    fs::write(&path, noise(1, 30 * CHUNK + 1)).expect("written");
    let id = here.import(&path, &Kind::Program).expect("imported");
    let sent = AtomicU64::new(0);
    for expected in [30 * CHUNK as u64 + 1, 0] {
        sent.store(0, Ordering::Relaxed);
        let (line, served) = stream(&there, All);
        push(here.clone(), line, id, "b", |p| {
            sent.store(p.bytes, Ordering::Relaxed)
        })
        .await
        .expect("pushed");
        assert_eq!(served.await.expect("served"), Ok(vec![id]));
        assert_eq!(sent.load(Ordering::Relaxed), expected);
        there.unpack(&trusted(id)).expect("unpacked");
    }
}

#[tokio::test]
async fn who_may_not_is_told_why() {
    let (from, a, b) = (folder(), folder(), folder());
    let (here, there) = (open(a.path()), open(b.path()));
    let path = from.path().join("p");
    fs::write(&path, noise(1, 10)).expect("written");
    let id = here.import(&path, &Kind::Program).expect("imported");
    let (line, served) = stream(&there, Nothing);
    let denied = push(here.clone(), line, id, "node 7", |_| {})
        .await
        .expect_err("denied");
    assert_eq!(
        denied,
        ArtifactError::Denied("node 7: the peer refused: no room for 10 bytes".into())
    );
    assert_eq!(served.await.expect("served"), Ok(Vec::new()));
    let (line, _served) = stream(&here, Nothing);
    let denied = fetch(there.clone(), line, id, "node 7", |_| {})
        .await
        .expect_err("denied");
    assert!(denied.to_string().contains("another mesh"), "{denied}");
    let (line, _served) = stream(&there, All);
    let other = ArtifactId(Hash::of(b"none"));
    let missing = fetch(here, line, other, "b", |_| {})
        .await
        .expect_err("missing");
    assert!(matches!(missing, ArtifactError::Denied(_)), "{missing}");
}

#[tokio::test]
async fn where_there_is_no_room_nothing_stays() {
    let (from, a, b) = (folder(), folder(), folder());
    let limits = Limits {
        largest_store: 5 * CHUNK as u64,
        ..Limits::default()
    };
    let (here, there) = (
        Arc::new(Store::open(a.path(), limits).expect("opened")),
        open(b.path()),
    );
    let path = from.path().join("p");
    fs::write(&path, noise(1, 60 * CHUNK)).expect("written");
    let id = there.import(&path, &Kind::Program).expect("imported");
    let (line, _served) = stream(&there, All);
    let full = fetch(here.clone(), line, id, "b", |_| {})
        .await
        .expect_err("full");
    assert!(matches!(full, ArtifactError::Full(_)), "{full}");
    assert_eq!((here.used(), here.partial()), (0, Ok(Vec::new())));
    let (line, served) = stream(&here, All);
    let full = push(there, line, id, "a", |_| {}).await.expect_err("full");
    assert!(full.to_string().contains("may hold"), "{full}");
    assert!(matches!(
        served.await.expect("served"),
        Err(ArtifactError::Full(_))
    ));
    assert_eq!((here.used(), here.partial()), (0, Ok(Vec::new())));
}

#[tokio::test]
async fn a_damaged_chunk_of_the_server_and_one_of_our_own() {
    let (from, a, b, c) = (folder(), folder(), folder(), folder());
    let (here, there, third) = (open(a.path()), open(b.path()), open(c.path()));
    let path = from.path().join("p");
    fs::write(&path, noise(1, 9 * CHUNK)).expect("written");
    let id = there.import(&path, &Kind::Program).expect("imported");
    third.import(&path, &Kind::Program).expect("imported");
    let damage = |store: &Store, number: usize| {
        let (hash, _) = store.describe(&id).expect("there").chunks()[number];
        let chunk = store.disk.chunk(&hash);
        fs::remove_file(&chunk).expect("removed");
        fs::write(&chunk, vec![0; CHUNK]).expect("written");
    };
    damage(&there, 5);
    let (line, served) = stream(&there, All);
    let denied = fetch(here.clone(), line, id, "b", |_| {})
        .await
        .expect_err("damaged");
    assert!(matches!(denied, ArtifactError::Denied(_)), "{denied}");
    assert!(matches!(
        served.await.expect("served"),
        Err(ArtifactError::Damaged(_))
    ));
    assert_eq!(here.partial(), Ok(vec![id]));
    // One of ours is damaged that has come: it comes again, and what has come from the first peer does not.
    let (hash, _) = third.describe(&id).expect("there").chunks()[0];
    if here.has_chunk(&hash, CHUNK) {
        let chunk = here.disk.chunk(&hash);
        fs::remove_file(&chunk).expect("removed");
        fs::write(&chunk, vec![0; CHUNK]).expect("written");
    }
    let (line, _served) = stream(&third, All);
    fetch(here.clone(), line, id, "c", |_| {})
        .await
        .expect("fetched");
    here.unpack(&trusted(id)).expect("whole");
}

#[tokio::test]
async fn frames_that_no_peer_may_send() {
    let at = folder();
    let store = open(at.path());
    let frames: [&[u8]; 5] = [
        &[0xff; 8],
        &[0, 0, 0, 1, 0xff],
        // (chunks of nothing, a chunk that nobody asked for, an offer that is none)
        b"\0\0\0\x0a\xa1\x66Chunks\x81\0",
        b"\0\0\0\x08\xa1\x65Chunk\x40",
        b"\0\0\0\x09\xa1\x65Offer\x41x",
    ];
    for frame in frames {
        let (mut line, served) = stream(&store, All);
        line.write_all(frame).await.expect("written");
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).await.expect("read");
        drop(line);
        let ended = served.await.expect("served").expect_err("refused");
        assert!(
            matches!(ended, ArtifactError::Lied(_) | ArtifactError::Refused(_)),
            "{ended}"
        );
    }
    assert_eq!(store.used(), 0);
}

/// A peer that answers what it is told to, whatever it is asked.
fn liar(answers: Vec<Vec<u8>>) -> DuplexStream {
    let (here, mut there) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move {
        for answer in answers {
            let length = u32::try_from(answer.len()).expect("short");
            there
                .write_all(&length.to_be_bytes())
                .await
                .expect("written");
            there.write_all(&answer).await.expect("written");
        }
        // (until the other one has gone)
        let _ = there.read_to_end(&mut Vec::new()).await;
    });
    here
}

#[tokio::test]
async fn a_peer_that_lies_is_named_and_nothing_of_it_stays() {
    let (from, a, b) = (folder(), folder(), folder());
    let (here, there) = (open(a.path()), open(b.path()));
    let import = |bytes: &[u8]| {
        let path = from.path().join("p");
        fs::write(&path, bytes).expect("written");
        there.import(&path, &Kind::Program).expect("imported")
    };
    let (id, other) = (import(b"what is asked for"), import(b"another program"));
    let frame = |word: &str, bytes: &[u8]| {
        let answer =
            std::collections::BTreeMap::from([(word, bytes::Bytes::copy_from_slice(bytes))]);
        crate::codec::encode(&answer).expect("CBOR")
    };
    let described = |id| {
        frame(
            "Description",
            &there.describe(&id).expect("there").encode().expect("short"),
        )
    };
    let lies = [
        vec![described(other)],
        vec![frame("Description", b"")],
        vec![described(id), frame("Chunk", b"what is ASKED for")],
        vec![described(id), frame("Chunk", b"short")],
        vec![described(id), described(id)],
        vec![frame("Chunk", b"what is asked for")],
        vec![b"no CBOR".to_vec()],
    ];
    for lie in lies {
        let error = fetch(here.clone(), liar(lie), id, "node 9", |_| {})
            .await
            .expect_err("a lie");
        assert!(matches!(error, ArtifactError::Lied(_)), "{error}");
        assert!(error.to_string().contains("node 9"), "{error}");
        assert_eq!((here.used(), here.list()), (0, Ok(Vec::new())));
    }
    let (line, _served) = stream(&there, All);
    fetch(here, line, id, "an honest one", |_| {})
        .await
        .expect("fetched");
}

#[tokio::test]
async fn two_fetch_the_same_at_once() {
    let (from, a, b) = (folder(), folder(), folder());
    let (here, there) = (open(a.path()), open(b.path()));
    let path = from.path().join("p");
    fs::write(&path, noise(1, 40 * CHUNK)).expect("written");
    let id = there.import(&path, &Kind::Program).expect("imported");
    let fetching = |_| {
        let (line, _served) = stream(&there, All);
        tokio::spawn(fetch(here.clone(), line, id, "b", |_| {}))
    };
    for task in [1, 2].map(fetching) {
        task.await.expect("no panic").expect("fetched");
    }
    assert_eq!(here.used(), there.used());
    here.unpack(&trusted(id)).expect("whole");
}

#[tokio::test]
async fn what_is_fetched_is_not_collected_meanwhile() {
    let (from, a, b) = (folder(), folder(), folder());
    let (here, there) = (open(a.path()), open(b.path()));
    let path = from.path().join("p");
    fs::write(&path, noise(1, 200 * CHUNK)).expect("written");
    let id = there.import(&path, &Kind::Program).expect("imported");
    let (line, _served) = stream(&there, All);
    let collecting = here.clone();
    fetch(here.clone(), line, id, "b", |p| {
        if p.chunks % 20 == 0 {
            collecting.collect(&[]).expect("collected");
        }
    })
    .await
    .expect("fetched");
    here.unpack(&trusted(id)).expect("whole");
    // Once more from nothing, broken off; then nobody is about it, and what has come of it goes.
    here.collect(&[]).expect("collected");
    let (line, _served) = stream(&there, All);
    let line = Worse {
        inner: line,
        read: 0,
        end_at: 50 * CHUNK as u64,
        change_at: u64::MAX,
    };
    fetch(here.clone(), line, id, "b", |_| {})
        .await
        .expect_err("broken off");
    assert_eq!(here.collect(&[id]).expect("collected").chunks, 0);
    assert!(here.used() > 0);
    here.collect(&[]).expect("collected");
    assert_eq!((here.used(), here.partial()), (0, Ok(Vec::new())));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes, and wherever it ends or is changed: another attempt goes on where the last one was, and what is there in
    /// the end is what was sent.
    #[test]
    fn random_bundles_random_ends_random_changes(
        files in prop::collection::vec((0..400_000_usize, any::<u64>(), any::<bool>()), 1..8),
        faults in prop::collection::vec((0.0..1.1_f64, any::<bool>()), 0..5),
    ) {
        let (from, a, b) = (folder(), folder(), folder());
        program(&from.path().join("start"), b"#!/bin/sh\n");
        for (number, (length, seed, executable)) in files.iter().enumerate() {
            let path = from.path().join(format!("f{number}"));
            fs::write(&path, noise(*seed, *length)).expect("written");
            if *executable {
                program(&path, &noise(*seed, *length));
            }
        }
        let kind = Kind::Folder { program: "start".into() };
        let (here, there) = (open(a.path()), open(b.path()));
        let id = there.import(from.path(), &kind).expect("imported");
        let total = there.used() as f64 + 1_000.0;
        runtime().block_on(async {
            let mut had = 0;
            for (place, change) in faults {
                let at = (place * total) as u64;
                let (end_at, change_at) = if change { (u64::MAX, at) } else { (at, u64::MAX) };
                let (line, _served) = stream(&there, All);
                let line = Worse { inner: line, read: 0, end_at, change_at };
                let done = fetch(here.clone(), line, id, "b", |_| {}).await;
                assert!(here.used() >= had, "what has come stays");
                had = here.used();
                if let Err(error) = done {
                    let expected = matches!(error, ArtifactError::Lied(_) | ArtifactError::Broken(_) | ArtifactError::Denied(_));
                    assert!(expected, "{error}");
                }
            }
            let (line, _served) = stream(&there, All);
            let missing = Mutex::new(None);
            fetch(here.clone(), line, id, "b", |p| { missing.lock().expect("held").get_or_insert(p.of_bytes); }).await.expect("fetched");
            let asked = missing.lock().expect("held").unwrap_or(0);
            assert_eq!(had + asked, there.used(), "nothing comes twice");
        });
        here.unpack(&trusted(id)).expect("whole");
        let chunks: HashSet<_> = here.describe(&id).expect("there").chunks().into_iter().collect();
        prop_assert_eq!(chunks, there.describe(&id).expect("there").chunks().into_iter().collect::<HashSet<_>>());
    }
}
