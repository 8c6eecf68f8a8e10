//! Where links go: streams of bytes, in order, both ways.
//!
//! | address | what it is |
//! | --- | --- |
//! | `tcp://HOST:PORT` | TCP, without delay; nothing on it is encrypted: for one machine, or a network of one's own |
//! | `unix:PATH` | a Unix socket, which only its owner may connect to |
//! | `ring:NAME` | within this process |

mod ring;
mod tcp;
#[cfg(unix)]
mod unix;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream of any transport.
pub type BoxStream = Box<dyn Stream>;

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes streams to a place.
pub trait Transport: Send + Sync {
    /// Makes a stream.
    fn connect(&self) -> BoxFuture<'_, io::Result<BoxStream>>;

    /// The place, for people.
    fn describe(&self) -> String;
}

/// Takes streams.
pub trait Listener: Send {
    /// The next stream.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<BoxStream>>;

    /// The address to connect to.
    fn address(&self) -> String;
}

fn unknown(address: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "'{address}' is no address of a link: write tcp://HOST:PORT, unix:PATH or ring:NAME"
        ),
    )
}

/// What makes streams to an address.
///
/// # Errors
/// It is no address.
pub fn to(address: &str) -> io::Result<Arc<dyn Transport>> {
    match address.split_once(':') {
        Some(("tcp", rest)) => Ok(Arc::new(tcp::Tcp::to(
            rest.strip_prefix("//").unwrap_or(rest),
        ))),
        #[cfg(unix)]
        Some(("unix", rest)) => Ok(Arc::new(unix::Unix::to(
            rest.strip_prefix("//").unwrap_or(rest),
        ))),
        Some(("ring", name)) => Ok(Arc::new(ring::Ring::to(name))),
        _ => Err(unknown(address)),
    }
}

/// Takes streams at an address.
///
/// # Errors
/// It is no address, or not to be had.
pub async fn at(address: &str) -> io::Result<Box<dyn Listener>> {
    match address.split_once(':') {
        Some(("tcp", rest)) => {
            let listener = tcp::TcpAt::bind(rest.strip_prefix("//").unwrap_or(rest)).await?;
            Ok(Box::new(listener))
        }
        #[cfg(unix)]
        Some(("unix", rest)) => {
            let listener = unix::UnixAt::bind(rest.strip_prefix("//").unwrap_or(rest)).await?;
            Ok(Box::new(listener))
        }
        Some(("ring", name)) => Ok(Box::new(ring::RingAt::bind(name)?)),
        _ => Err(unknown(address)),
    }
}
