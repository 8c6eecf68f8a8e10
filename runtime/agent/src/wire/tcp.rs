//! Over TCP, without encryption, as `frames.rs` says.

use super::frames::{self, Lines};
use super::{Calling, Peer, Serve, Wire};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

/// How long to wait for a connection to one address.
const CONNECT: Duration = Duration::from_secs(1);
/// The most connections that are served at a time.
const MOST_CONNECTIONS: usize = 1_024;

/// Calls over TCP.
#[derive(Default)]
pub struct TcpWire {
    lines: Lines,
}

impl TcpWire {
    /// A wire without connections.
    pub fn new() -> TcpWire {
        TcpWire::default()
    }
}

async fn connect(to: &Peer) -> Result<TcpStream, String> {
    let mut why = "it has no address".to_owned();
    for address in &to.addresses {
        match timeout(CONNECT, TcpStream::connect(address.as_str())).await {
            Ok(Ok(stream)) => {
                // (a peer that cannot have it has its delays)
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(e)) => why = format!("{address}: {e}"),
            Err(_) => why = format!("{address}: no connection within {} s", CONNECT.as_secs()),
        }
    }
    Err(why)
}

impl Wire for TcpWire {
    fn call<'a>(&'a self, to: &'a Peer, request: Bytes) -> Calling<'a> {
        Box::pin(self.lines.call(to, request, connect(to)))
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
                let _ = stream.set_nodelay(true);
                connections.spawn(frames::serve(stream, to.clone()));
            }
            // No descriptors are left, or the like: that passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
