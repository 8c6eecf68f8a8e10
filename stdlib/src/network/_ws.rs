//! WebSocket connections: one task each, which writes what is queued and reads what comes; and streams of bytes over one.

use super::net::Stream;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// Bytes that may wait for a slow peer before its connection is broken.
const WRITE_LIMIT: usize = 64 << 20;
/// The largest message, as in Node.js's `ws`.
const MESSAGE_LIMIT: usize = 100 << 20;

/// A connection over any stream.
pub type Socket = WebSocketStream<Stream>;

/// Limits of messages. Frames are written at once: nothing waits for more.
pub fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT))
        .write_buffer_size(0)
}

/// Where a client connects to.
pub struct Target<'a> {
    /// The host, as the URL has it.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The path with its query.
    pub path: &'a str,
    /// TLS is spoken.
    pub secure: bool,
}

/// Makes a connection as the side that connects: subprotocols, further headers.
///
/// # Errors
/// What `ws` says of a handshake that fails.
pub async fn client(
    stream: Stream,
    to: &Target<'_>,
    protocols: &[String],
    headers: &[(String, String)],
) -> Result<Socket, String> {
    let request = request(to, protocols, headers)?;
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config())).await {
        Ok((socket, _)) => Ok(socket),
        Err(WsError::Http(response)) => Err(format!(
            "Unexpected server response: {}",
            response.status().as_u16()
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn request(
    to: &Target<'_>,
    protocols: &[String],
    headers: &[(String, String)],
) -> Result<Request, String> {
    let scheme = if to.secure { "wss" } else { "ws" };
    let url = format!("{scheme}://{}:{}{}", to.host, to.port, to.path);
    let mut request = url.into_client_request().map_err(|e| e.to_string())?;
    let usual = if to.secure { 443 } else { 80 };
    if to.port == usual
        && let Ok(host) = HeaderValue::from_str(to.host)
    {
        request.headers_mut().insert("host", host);
    }
    if !protocols.is_empty() {
        let value = HeaderValue::from_str(&protocols.join(",")).map_err(|e| e.to_string())?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", value);
    }
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
        let value = HeaderValue::from_str(value).map_err(|e| e.to_string())?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

// ----------------------------------------------------------------------------------------------------- messages

enum Write {
    Message(Message),
    /// Break the connection.
    Terminate,
}

/// The way to write to a connection, from any thread.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Write>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Writes a message; false when the connection is gone. A peer that reads too slowly loses the connection.
    pub fn send(&self, message: Message) -> bool {
        let waiting = self.waiting.fetch_add(message.len(), Ordering::Relaxed) + message.len();
        let what = if waiting > WRITE_LIMIT {
            Write::Terminate
        } else {
            Write::Message(message)
        };
        self.queue.send(what).is_ok()
    }

    /// Breaks the connection.
    pub fn terminate(&self) {
        // (a connection that is gone is broken already)
        let _ = self.queue.send(Write::Terminate);
    }
}

/// What a connection tells.
pub enum Told {
    /// A text or a binary message.
    Message(Message),
    /// The peer has given a sign of life.
    Alive,
}

/// A connection's reading and writing, to be spawned: it ends with the connection, with what broke it. `each` is called with
/// what comes; `room` makes what may come wait.
pub fn connection<F, R>(
    socket: Socket,
    room: impl Fn() -> R + 'static,
    each: F,
) -> (Writer, impl Future<Output = Result<(), String>>)
where
    F: FnMut(Told) + 'static,
    R: Future<Output = ()>,
{
    let (queue, wanted) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let link = Link {
        socket,
        wanted,
        queued: VecDeque::new(),
        waiting: waiting.clone(),
        closing: false,
    };
    (Writer { queue, waiting }, run(link, room, each))
}

struct Link {
    socket: Socket,
    wanted: mpsc::UnboundedReceiver<Write>,
    queued: VecDeque<Message>,
    waiting: Arc<AtomicUsize>,
    closing: bool,
}

async fn run<R: Future<Output = ()>>(
    mut link: Link,
    room: impl Fn() -> R,
    mut each: impl FnMut(Told),
) -> Result<(), String> {
    loop {
        let wait = room();
        tokio::pin!(wait);
        let mut may_read = false;
        let step = poll_fn(|cx| {
            may_read = may_read || wait.as_mut().poll(cx).is_ready();
            link.poll(cx, may_read)
        });
        match step.await {
            Step::Came(Message::Close(_)) => link.closing = true,
            Step::Came(message @ (Message::Text(_) | Message::Binary(_))) => {
                each(Told::Message(message))
            }
            Step::Came(_) => each(Told::Alive),
            Step::End => return Ok(()),
            Step::Broken(why, code) => {
                if let Some(code) = code {
                    link.refuse(code).await;
                }
                return Err(why);
            }
        }
    }
}

enum Step {
    Came(Message),
    End,
    /// Why, and the code that the peer is told, if it is one of its faults.
    Broken(String, Option<CloseCode>),
}

impl Link {
    fn poll(&mut self, cx: &mut Context<'_>, may_read: bool) -> Poll<Step> {
        loop {
            match self.wanted.poll_recv(cx) {
                Poll::Ready(Some(Write::Message(message))) => self.queued.push_back(message),
                Poll::Ready(Some(Write::Terminate)) => return Poll::Ready(Step::End),
                // (the last writer has gone: what is queued is still written)
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        if let Poll::Ready(Err(error)) = self.write(cx) {
            return Poll::Ready(ended(error));
        }
        if !may_read && !self.closing {
            return Poll::Pending;
        }
        match Pin::new(&mut self.socket).poll_next(cx) {
            Poll::Ready(Some(Ok(message))) => Poll::Ready(Step::Came(message)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(ended(error)),
            Poll::Ready(None) => Poll::Ready(Step::End),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Tells the peer why the connection ends.
    async fn refuse(&mut self, code: CloseCode) {
        let frame = CloseFrame {
            code,
            reason: "".into(),
        };
        // (a peer that does not take it is left)
        let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(Some(frame))).await;
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        while !self.queued.is_empty() {
            match Pin::new(&mut self.socket).poll_ready(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending => return Poll::Pending,
            }
            let Some(message) = self.queued.pop_front() else {
                break;
            };
            self.waiting.fetch_sub(message.len(), Ordering::Relaxed);
            Pin::new(&mut self.socket).start_send(message)?;
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }
}

fn ended(error: WsError) -> Step {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => Step::End,
        WsError::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => Step::End,
        WsError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Step::End,
        error => {
            let code = match &error {
                WsError::Protocol(_) => Some(CloseCode::Protocol),
                WsError::Utf8(_) => Some(CloseCode::Invalid),
                WsError::Capacity(_) => Some(CloseCode::Size),
                _ => None,
            };
            Step::Broken(error.to_string(), code)
        }
    }
}

// ----------------------------------------------------------------------------------------------------- bytes

/// A stream of bytes over a WebSocket, as MQTT uses one.
///
/// # Errors
/// The handshake fails.
pub async fn byte_stream(
    stream: Stream,
    to: &Target<'_>,
    protocol: &str,
) -> Result<Stream, String> {
    let socket = client(stream, to, &[protocol.to_owned()], &[]).await?;
    Ok(Box::new(Bytes {
        socket,
        rest: Default::default(),
        at: 0,
    }))
}

struct Bytes {
    socket: Socket,
    rest: tokio_tungstenite::tungstenite::Bytes,
    at: usize,
}

fn io_error(error: WsError) -> io::Error {
    match error {
        WsError::Io(error) => error,
        WsError::ConnectionClosed | WsError::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::other(other),
    }
}

impl AsyncRead for Bytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.at < self.rest.len() {
                let count = buffer.remaining().min(self.rest.len() - self.at);
                buffer.put_slice(&self.rest[self.at..self.at + count]);
                self.at += count;
                return Poll::Ready(Ok(()));
            }
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(Message::Binary(bytes)))) => (self.rest, self.at) = (bytes, 0),
                Poll::Ready(Some(Ok(Message::Close(_))) | None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(io_error(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl AsyncWrite for Bytes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.socket)
            .poll_ready(cx)
            .map_err(io_error)?
        {
            Poll::Ready(()) => {}
            Poll::Pending => return Poll::Pending,
        }
        Pin::new(&mut self.socket)
            .start_send(Message::binary(bytes.to_vec()))
            .map_err(io_error)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(io_error)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(io_error)
    }
}

/// How long a connection that is closed in good order may take.
pub const CLOSE_LIMIT: Duration = Duration::from_secs(1);
