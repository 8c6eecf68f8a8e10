//! Taking a connection over: after a request to upgrade has been answered with 101, its bytes are the handler's.

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection that was taken over.
pub enum Raw {
    /// A socket that belongs to no runtime yet (non-blocking), and what had been read of it already.
    Tcp(std::net::TcpStream, Bytes),
    /// Any other stream; it goes on being driven by the listener's runtime.
    Other(Box<TokioIo<Upgraded>>),
}

/// Waits until the answer to the request has been sent, and takes the connection over. The answer must be a 101.
///
/// # Errors
/// The connection has ended before.
pub async fn take_over(request: http::Request<Incoming>) -> std::io::Result<Raw> {
    let upgraded = hyper::upgrade::on(request)
        .await
        .map_err(std::io::Error::other)?;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => Ok(Raw::Tcp(parts.io.into_inner().into_std()?, parts.read_buf)),
        Err(upgraded) => Ok(Raw::Other(Box::new(TokioIo::new(upgraded)))),
    }
}
