//! What the TCP nodes share: connections with a writer each, the pool through which a reply finds its connection, splitting.

use super::net::{self, Stream};
use super::tls::{self, Tls};
use std::borrow::Cow;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use vgdc_core::value::{ErrorValue, Msg, Object, Value};
use vgdc_core::{Cx, Level, Mailbox};
use vgdc_http::Listen;

/// Bytes that may wait for a slow peer before its connection is broken.
pub const WRITE_LIMIT: usize = 64 << 20;
/// Bytes that are read at once.
const READ_SIZE: usize = 64 << 10;

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Wish {
    GoOn,
    /// End when all is written.
    End,
    /// End now.
    Destroy,
}

struct Outgoing {
    bytes: Vec<u8>,
    wish: Wish,
    waker: Option<Waker>,
    gone: bool,
}

/// The way to write to a connection, from any thread.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<Outgoing>>);

impl Writer {
    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Outgoing)) -> bool {
        let mut outgoing = self.lock();
        if outgoing.gone {
            return false;
        }
        change(&mut outgoing);
        let waker = outgoing.waker.take();
        drop(outgoing);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Writes; false when the connection is gone. A peer that reads too slowly loses the connection.
    pub fn write(&self, bytes: &[u8]) -> bool {
        self.change(|outgoing| {
            if outgoing.bytes.len() + bytes.len() > WRITE_LIMIT {
                outgoing.wish = Wish::Destroy;
            } else {
                outgoing.bytes.extend_from_slice(bytes);
            }
        })
    }

    /// Ends the connection when all is written.
    pub fn end(&self) {
        self.wish(Wish::End);
    }

    /// Ends the connection now.
    pub fn destroy(&self) {
        self.wish(Wish::Destroy);
    }

    fn wish(&self, wish: Wish) {
        // (a connection that is gone has ended already)
        self.change(|outgoing| {
            if outgoing.wish < wish {
                outgoing.wish = wish;
            }
        });
    }
}

/// Ends connections in good order, for a stopping node; those that take too long are broken.
pub fn end_all(writers: Vec<Writer>) -> vgdc_core::Closing {
    writers.iter().for_each(Writer::end);
    let gone = |writer: &Writer| writer.lock().gone;
    if writers.iter().all(gone) {
        return None;
    }
    Some(Box::pin(async move {
        for _ in 0..40 {
            if writers.iter().all(gone) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        writers.iter().for_each(Writer::destroy);
    }))
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The peer ended it.
    ByPeer,
    /// This side did.
    ByUs,
    /// It broke; in Node.js's words.
    Broken(String),
}

/// What a connection tells its node, besides.
pub enum Told {
    /// Bytes came.
    Data(Vec<u8>),
    /// Nothing has come or gone for as long as the setting `socketTimeout` says.
    Idle,
}

/// A connection's reading and writing, to be spawned on the island's thread (not as a task of the node: what a stopping node has
/// written is still to go out): it ends with the connection. While the island is busy nothing is read: the
/// peer's window closes, and the peer waits.
pub fn connection(
    stream: Stream,
    mailbox: Mailbox,
    idle: Option<Duration>,
    each: impl FnMut(Told) + 'static,
) -> (Writer, impl Future<Output = Ended>) {
    let writer = Writer(Arc::new(Mutex::new(Outgoing {
        bytes: Vec::new(),
        wish: Wish::GoOn,
        waker: None,
        gone: false,
    })));
    let link = Link {
        stream,
        writer: writer.clone(),
        out: Vec::new(),
        written: 0,
        flushed: true,
        shut: false,
        active: false,
    };
    (writer, run(link, mailbox, idle, each))
}

struct Link {
    stream: Stream,
    writer: Writer,
    /// What is being written.
    out: Vec<u8>,
    written: usize,
    flushed: bool,
    /// This side has ended its half.
    shut: bool,
    /// Bytes have come or gone.
    active: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut outgoing = self.writer.lock();
        outgoing.gone = true;
        outgoing.bytes = Vec::new();
    }
}

async fn run(
    mut link: Link,
    mailbox: Mailbox,
    idle: Option<Duration>,
    mut each: impl FnMut(Told),
) -> Ended {
    let mut buffer = vec![0; READ_SIZE];
    let far = Duration::from_secs(86_400 * 365);
    let sleep = tokio::time::sleep(idle.unwrap_or(far));
    tokio::pin!(sleep);
    loop {
        let room = mailbox.room();
        tokio::pin!(room);
        let mut may_read = false;
        let step = poll_fn(|cx| {
            may_read = may_read || room.as_mut().poll(cx).is_ready();
            link.poll(cx, &mut buffer, may_read)
        });
        tokio::select! {
            biased;
            step = step => match step {
                Ok(Some(0)) => {
                    // (what is still to be written goes out before this side ends, too)
                    link.finish().await;
                    return Ended::ByPeer;
                }
                Ok(Some(count)) => each(Told::Data(buffer[..count].to_vec())),
                Ok(None) => return Ended::ByUs,
                Err(error) => return Ended::Broken(format!("Error: read {}", net::code(&error))),
            },
            () = &mut sleep => {
                if !std::mem::take(&mut link.active) {
                    each(Told::Idle);
                }
                sleep.as_mut().reset(tokio::time::Instant::now() + idle.unwrap_or(far));
            }
        }
    }
}

impl Link {
    /// Writes what is there, then reads. Ready with the number of bytes read (0: the peer has ended), or with `None` when this
    /// side wants the end now.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        may_read: bool,
    ) -> Poll<io::Result<Option<usize>>> {
        match self.write(cx) {
            Poll::Ready(Ok(Wish::Destroy)) => return Poll::Ready(Ok(None)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(_)) | Poll::Pending => {}
        }
        if !may_read {
            return Poll::Pending;
        }
        let mut read = ReadBuf::new(buffer);
        match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
            Poll::Ready(Ok(())) => {
                self.active = true;
                Poll::Ready(Ok(Some(read.filled().len())))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Ready with what is wished for when all has been written.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Wish>> {
        loop {
            while self.written < self.out.len() {
                match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => {
                        self.written += count;
                        (self.flushed, self.active) = (false, true);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return self.look(cx, false),
                }
            }
            self.out.clear();
            self.written = 0;
            let mut outgoing = self.writer.lock();
            if !outgoing.bytes.is_empty() && outgoing.wish != Wish::Destroy {
                std::mem::swap(&mut outgoing.bytes, &mut self.out);
                continue;
            }
            drop(outgoing);
            if self.out.capacity() > 1 << 20 {
                // (a burst's room is given back)
                self.out = Vec::new();
            }
            if !self.flushed {
                match Pin::new(&mut self.stream).poll_flush(cx) {
                    Poll::Ready(flushed) => flushed?,
                    Poll::Pending => return self.look(cx, false),
                }
                self.flushed = true;
            }
            return self.look(cx, true);
        }
    }

    /// Looks for what is wished for, and leaves word where the next wish is to be told.
    fn look(&mut self, cx: &mut Context<'_>, all_written: bool) -> Poll<io::Result<Wish>> {
        let wish = {
            let mut outgoing = self.writer.lock();
            outgoing.waker = Some(cx.waker().clone());
            if all_written && !outgoing.bytes.is_empty() {
                cx.waker().wake_by_ref();
            }
            outgoing.wish
        };
        if wish == Wish::End && all_written && !self.shut {
            match Pin::new(&mut self.stream).poll_shutdown(cx) {
                // (the peer may be gone already)
                Poll::Ready(_) => self.shut = true,
                Poll::Pending => return Poll::Pending,
            }
        }
        if all_written || wish == Wish::Destroy {
            Poll::Ready(Ok(wish))
        } else {
            Poll::Pending
        }
    }

    /// Writes what is left, and ends this side.
    async fn finish(&mut self) {
        self.writer.end();
        let all = poll_fn(|cx| match self.write(cx) {
            Poll::Ready(Ok(Wish::End)) if !self.shut => Poll::Pending,
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        });
        // (a peer that has ended and takes nothing more is left)
        let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
    }
}

/// Every connection that a `tcp in` node has open, by the id in `msg._session`.
#[derive(Default)]
pub struct Pool(Mutex<HashMap<String, Writer>>);

impl Pool {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Writer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    pub fn add(&self, id: &str, writer: Writer) {
        self.lock().insert(id.to_owned(), writer);
    }

    /// Forgets a connection.
    pub fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Does something with a connection, when it is there.
    pub fn with(&self, id: &str, act: impl FnOnce(&Writer)) {
        if let Some(writer) = self.lock().get(id) {
            act(writer);
        }
    }

    /// All connections.
    pub fn all(&self) -> Vec<Writer> {
        self.lock().values().cloned().collect()
    }
}

/// The process's pool.
pub fn pool(cx: &Cx<'_>) -> Arc<Pool> {
    cx.services().get_or_insert(Pool::default)
}

/// Small messages are never held back for more (Nagle), and a peer that says nothing is asked after 120 s, as by Node-RED.
pub fn prepare(stream: &TcpStream) {
    // Where an option cannot be set, the connection works without.
    let _ = stream.set_nodelay(true);
    let keep_alive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(120));
    let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&keep_alive);
}

/// Connects, with TLS when there is a configuration for it.
///
/// # Errors
/// In Node.js's words.
pub async fn dial(host: &str, port: u16, tls: Option<Rc<Tls>>) -> Result<Stream, ErrorValue> {
    let failed = |e: io::Error| net::connect_failure(&e, host, port);
    let other = |why: String| ErrorValue::new("Error", why);
    let tcp = net::connect(host, port).await.map_err(failed)?;
    prepare(&tcp);
    match tls {
        None => Ok(Box::new(tcp)),
        Some(tls) => {
            let name = tls.server_name.as_deref().unwrap_or(host);
            let session = tls::connect(tcp, tls.client().map_err(other)?, name).await;
            Ok(Box::new(session.map_err(|e| other(e.to_string()))?))
        }
    }
}

/// Takes connections, with TLS when there is a configuration for it; each that stands is handed on.
pub async fn accept_all(
    listener: TcpListener,
    tls: Option<Rc<Tls>>,
    mailbox: Mailbox,
    each: impl Fn(Stream, SocketAddr) + 'static,
) {
    let each = Rc::new(each);
    let server = match tls.map(|tls| tls.server()).transpose() {
        Ok(server) => server,
        // (the node has said so already)
        Err(_) => return,
    };
    loop {
        mailbox.room().await;
        match listener.accept().await {
            Ok((tcp, peer)) => {
                prepare(&tcp);
                match &server {
                    None => each(Box::new(tcp), peer),
                    Some(config) => {
                        let (config, each) = (config.clone(), each.clone());
                        tokio::task::spawn_local(async move {
                            // (a peer that speaks no TLS was never there)
                            if let Ok(Ok(session)) = tokio::time::timeout(
                                Duration::from_secs(120),
                                tls::accept(tcp, config),
                            )
                            .await
                            {
                                each(Box::new(session), peer);
                            }
                        });
                    }
                }
            }
            // Out of file descriptors, or the client was gone again: try again soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// The `tls-config` node that a form names; an error when it is not there.
///
/// # Errors
/// There is no such node.
pub fn tls_of(cx: &Cx<'_>, id: &str) -> Result<Option<Rc<Tls>>, vgdc_core::NodeError> {
    match id {
        "" => Ok(None),
        id => cx
            .config::<Tls>(id)
            .map(Some)
            .ok_or_else(|| vgdc_core::NodeError::new("the TLS configuration is missing")),
    }
}

/// How long a connection may be idle (the setting `socketTimeout`, ms).
pub fn idle_limit(cx: &Cx<'_>) -> Option<Duration> {
    cx.setting("socketTimeout")
        .as_f64()
        .filter(|ms| *ms > 0.0)
        .map(|ms| Duration::from_secs_f64(ms / 1000.0))
}

/// How long to wait before connecting again (the setting `socketReconnectTime`), in ms.
pub fn reconnect_ms(cx: &Cx<'_>) -> f64 {
    cx.setting("socketReconnectTime")
        .as_f64()
        .filter(|ms| *ms > 0.0)
        .unwrap_or(10_000.0)
}

/// A port as the form has it; 0 when it is none.
pub fn port_of(text: &str) -> u16 {
    let port = Value::from(text).to_number();
    if (0.0..=65535.0).contains(&port) {
        port as u16
    } else {
        0
    }
}

/// What a payload is on the wire.
pub fn bytes_of(payload: &Value, base64: bool) -> Cow<'_, [u8]> {
    match payload {
        Value::Buffer(bytes) => Cow::Borrowed(bytes),
        Value::Str(text) if base64 => Cow::Owned(decode_base64(text)),
        Value::Str(text) => Cow::Borrowed(text.as_bytes()),
        other => Cow::Owned(other.to_js_string().into_bytes()),
    }
}

/// How often a node tries to connect when it starts: the server may be a node of the same flow, which starts on another thread.
pub const AT_START: u32 = 5;

/// Begins to connect, with the log line and the status that a client gives; what came of it is posted to the node.
pub fn begin_connect<E: std::any::Any + Send>(
    cx: &mut Cx<'_>,
    host: &str,
    port: u16,
    tls: Option<Rc<Tls>>,
    tries: u32,
    event: impl FnOnce(Result<Stream, ErrorValue>) -> E + 'static,
) {
    cx.log(Level::Info, format!("connecting to {host}:{port}"));
    cx.set_status("grey", "dot", "common.status.connecting");
    let (host, mailbox) = (host.to_owned(), cx.mailbox());
    cx.spawn(async move {
        let mut dialled = dial(&host, port, tls.clone()).await;
        for _ in 1..tries {
            match &dialled {
                Err(why)
                    if why.properties.get("code").and_then(Value::as_str)
                        == Some("ECONNREFUSED") =>
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    dialled = dial(&host, port, tls.clone()).await;
                }
                _ => break,
            }
        }
        mailbox.post(event(dialled));
    });
}

/// Begins to listen, with the log line that a server gives; each connection is posted to the node.
pub fn begin_listen<E: std::any::Any + Send>(
    cx: &mut Cx<'_>,
    port: u16,
    tls: Option<Rc<Tls>>,
    event: impl Fn(Stream, SocketAddr) -> E + 'static,
) {
    match listen(cx, port) {
        Ok(listener) => {
            let shown = listener.local_addr().map_or(port, |addr| addr.port());
            cx.log(Level::Info, format!("listening on port {shown}"));
            let mailbox = cx.mailbox();
            let each = move |stream, peer| mailbox.post(event(stream, peer));
            cx.spawn(accept_all(listener, tls, cx.mailbox(), each));
        }
        Err(why) => cx.error(
            format!("unable to listen on port {port}, error: {why}"),
            None,
        ),
    }
}

/// Base64 as `Buffer.from(text, 'base64')` reads it: both alphabets, foreign characters passed over, no padding needed.
pub fn decode_base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// Bytes as base64.
pub fn encode_base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

/// The escapes that a delimiter may hold.
pub fn unescape(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\t", "\t")
}

/// How the bytes of a stream become payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datatype {
    /// Buffers.
    Buffer,
    /// Text.
    Utf8,
    /// Base64 text.
    Base64,
}

impl Datatype {
    /// By the form's word.
    pub fn of(text: &str) -> Datatype {
        match text {
            "utf8" => Datatype::Utf8,
            "base64" => Datatype::Base64,
            _ => Datatype::Buffer,
        }
    }

    /// Bytes as a payload.
    pub fn value(&self, bytes: Vec<u8>) -> Value {
        match self {
            Datatype::Buffer => Value::from(bytes),
            _ => self.part(&bytes),
        }
    }

    /// Some of what was read as a payload.
    fn part(&self, bytes: &[u8]) -> Value {
        match self {
            Datatype::Buffer => Value::from(bytes.to_vec()),
            Datatype::Utf8 => match std::str::from_utf8(bytes) {
                Ok(text) => Value::from(text),
                Err(_) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
            },
            Datatype::Base64 => Value::from(encode_base64(bytes)),
        }
    }
}

/// Cuts a stream into payloads.
pub struct Splitter {
    datatype: Datatype,
    /// Empty: each piece as it comes.
    delimiter: Vec<u8>,
    /// Keep the delimiter at the end of a payload.
    keep: bool,
    /// One message of all, at the end.
    single: bool,
    rest: Vec<u8>,
}

impl Splitter {
    /// A splitter for one connection.
    pub fn new(datatype: Datatype, delimiter: &str, keep: bool, single: bool) -> Splitter {
        Splitter {
            datatype,
            delimiter: delimiter.as_bytes().to_vec(),
            keep,
            single,
            rest: Vec::new(),
        }
    }

    fn by_delimiter(&self) -> bool {
        !self.single && self.datatype != Datatype::Buffer && !self.delimiter.is_empty()
    }

    /// Takes a piece of the stream and hands on the payloads that are complete.
    pub fn take(&mut self, piece: Vec<u8>, mut each: impl FnMut(Value)) {
        if self.single {
            self.rest.extend_from_slice(&piece);
            return;
        }
        if !self.by_delimiter() {
            return each(self.datatype.value(piece));
        }
        let mut from = 0;
        // What was looked at before needs no second look, but for a delimiter that was cut in two.
        let mut at = self.rest.len().saturating_sub(self.delimiter.len() - 1);
        self.rest.extend_from_slice(&piece);
        while let Some(found) = find(&self.rest[at..], &self.delimiter) {
            let (end, next) = (at + found, at + found + self.delimiter.len());
            let part = &self.rest[from..if self.keep { next } else { end }];
            each(self.datatype.part(part));
            (from, at) = (next, next);
        }
        self.rest.drain(..from);
    }

    /// The stream has ended: what is left, when it makes a message.
    pub fn finish(&mut self, server: bool) -> Option<Value> {
        let rest = std::mem::take(&mut self.rest);
        let wanted =
            self.single || self.by_delimiter() || server && self.datatype == Datatype::Base64;
        (wanted && !rest.is_empty()).then(|| self.datatype.value(rest))
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [one] => memchr::memchr(*one, hay),
        _ => memchr::memmem::find(hay, needle),
    }
}

/// What messages that come over a connection have in common. A copy of it with a payload is one: so nothing is made anew but that, and
/// there is room for the id that it gets when it is sent.
pub fn form(topic: &str, session: &Value, peer: Option<SocketAddr>) -> Msg {
    let mut msg = Msg::new();
    msg.insert("topic", topic);
    msg.insert("payload", Value::Undefined);
    if let Some(peer) = peer {
        msg.insert("ip", ip_text(peer));
        msg.insert("port", peer.port());
    }
    msg.insert("_session", session.clone());
    msg.insert("_msgid", Value::Undefined);
    msg
}

/// The message of a payload.
pub fn message(form: &Msg, payload: Value) -> Msg {
    let mut msg = form.clone();
    msg.set_payload(payload);
    msg
}

/// `msg._session` of a connection.
pub fn session(id: &str) -> Value {
    let session: Object = [("type", Value::from("tcp")), ("id", Value::from(id))]
        .into_iter()
        .collect();
    Value::Object(session)
}

/// An address as Node.js shows it on a socket that takes both families.
pub fn ip_text(peer: SocketAddr) -> String {
    match peer {
        SocketAddr::V4(v4) => format!("::ffff:{}", v4.ip()),
        SocketAddr::V6(v6) => v6.ip().to_string(),
    }
}

/// `1 connection`, `2 connections`.
pub fn connections(count: usize) -> String {
    format!("{count} connection{}", if count == 1 { "" } else { "s" })
}

/// Binds a listener to a port on all addresses.
///
/// # Errors
/// The text that Node.js gives.
fn listen(cx: &Cx<'_>, port: u16) -> Result<tokio::net::TcpListener, String> {
    let sockets = cx.services().get_or_insert(Listen::default);
    let all = [
        SocketAddr::from(([0u16; 8], port)),
        SocketAddr::from(([0u8; 4], port)),
    ];
    let bound = (sockets.at(all[0]))
        .or_else(|_| sockets.at(all[1]))
        .and_then(tokio::net::TcpListener::from_std);
    bound.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("Error: listen EADDRINUSE: address already in use :::{port}")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("Error: listen EACCES: permission denied :::{port}")
        }
        _ => format!("Error: listen {}: {e}", net::code(&e)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(splitter: &mut Splitter, pieces: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        for piece in pieces {
            splitter.take(piece.as_bytes().to_vec(), |value| {
                out.push(value.to_js_string())
            });
        }
        out
    }

    #[test]
    fn streams_are_cut_at_delimiters() {
        let mut lines = Splitter::new(Datatype::Utf8, "\n", false, false);
        assert_eq!(split(&mut lines, &["a\nb", "c\n", "\nd"]), ["a", "bc", ""]);
        assert_eq!(
            lines.finish(true).map(|v| v.to_js_string()).as_deref(),
            Some("d")
        );
        let mut crlf = Splitter::new(Datatype::Utf8, "\r\n", true, false);
        assert_eq!(split(&mut crlf, &["a\r", "\nb\r\n"]), ["a\r\n", "b\r\n"]);
        let mut single = Splitter::new(Datatype::Utf8, "", false, true);
        assert!(split(&mut single, &["a", "b"]).is_empty());
        assert_eq!(
            single.finish(false).map(|v| v.to_js_string()).as_deref(),
            Some("ab")
        );
    }

    #[test]
    fn base64_comes_and_goes() {
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(
                decode_base64(&encode_base64(text.as_bytes())),
                text.as_bytes()
            );
        }
        assert_eq!(encode_base64(b"ab"), "YWI=");
        assert_eq!(decode_base64("YW-_"), decode_base64("YW+/"));
    }
}
