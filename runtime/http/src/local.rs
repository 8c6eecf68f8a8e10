//! Asks an HTTP server of another process on this machine, and relays what it answers.

use crate::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::UnixStream;

/// Asks the server that listens on this socket, on a connection for this one request.
///
/// # Errors
/// It does not answer: why, for people.
pub async fn ask<B>(
    socket: &Path,
    request: http::Request<B>,
) -> Result<http::Response<Incoming>, String>
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|e| e.to_string())?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|e| e.to_string())?;
    // (its errors are those of the answer)
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    sender
        .send_request(request)
        .await
        .map_err(|e| e.to_string())
}

/// The answer of another server as one of this.
#[must_use]
pub fn relay(answer: http::Response<Incoming>) -> Response {
    let (parts, body) = answer.into_parts();
    Response::from_parts(parts, Whole { body }.boxed())
}

/// What is said where that server does not answer.
#[must_use]
pub fn refusal(why: &str) -> Response {
    let text = format!("The host of this page does not answer: {why}\n");
    let mut answer = Response::new(Full::new(Bytes::from(text)).boxed());
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

/// A body that ends where the other server's breaks off: a client sees by its length that there is less than was said.
struct Whole {
    body: Incoming,
}

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body)
            .poll_frame(cx)
            .map(|frame| frame.and_then(Result::ok).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
