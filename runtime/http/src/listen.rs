//! Where listening sockets come from: the system, or whoever keeps them beyond the life of this process, so that connections that are made
//! while one process takes over from another wait instead of being refused.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

type Give = dyn Fn(SocketAddr) -> io::Result<TcpListener> + Send + Sync;

/// Gives listening sockets. By default the system does.
#[derive(Clone)]
pub struct Listen(Arc<Give>);

impl Listen {
    /// By this function.
    pub fn new(
        give: impl Fn(SocketAddr) -> io::Result<TcpListener> + Send + Sync + 'static,
    ) -> Listen {
        Listen(Arc::new(give))
    }

    /// A socket that listens at this address (port 0: a free one), and does not block.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn at(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let listener = (self.0)(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

impl Default for Listen {
    fn default() -> Listen {
        Listen::new(TcpListener::bind)
    }
}

impl fmt::Debug for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listen")
    }
}
