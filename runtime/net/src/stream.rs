//! A stream of bytes between two nodes, and how many of them a peer has.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead as _, AsyncWrite as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One encrypted stream to another node, among others on the same connection: each has its own flow control. What is written may lie
/// in a buffer until it is flushed. Dropping it ends both directions at once; after `shutdown` the other side reads the end, and this one
/// can still read.
pub struct NetStream {
    inner: libp2p::Stream,
    _counted: Permit,
}

impl NetStream {
    pub(crate) fn new(inner: libp2p::Stream, counted: Permit) -> Self {
        Self {
            inner,
            _counted: counted,
        }
    }
}

impl std::fmt::Debug for NetStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NetStream")
    }
}

impl AsyncRead for NetStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = into.initialize_unfilled();
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, room))?;
        into.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for NetStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// How many streams a peer has.
#[derive(Debug, Default)]
pub(crate) struct Load(AtomicUsize);

impl Load {
    /// Counts one more, if there is room.
    pub fn take(self: &Arc<Self>, limit: usize) -> Option<Permit> {
        let more = |now: usize| (now < limit).then_some(now + 1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Permit(self.clone()))
    }
}

/// One of the streams counted by a [`Load`], until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Load>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_gets_so_many_streams_and_no_more() {
        let load = Arc::new(Load::default());
        let first = load.take(2).unwrap();
        let _second = load.take(2).unwrap();
        assert!(load.take(2).is_none());
        drop(first);
        assert!(load.take(2).is_some());
    }
}
