//! What the TCP nodes share: connections with a writer each, the pool through which a reply finds its connection, splitting.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use vgdc_core::Cx;
use vgdc_core::value::{Msg, Object, Value};

/// Bytes that may wait for a slow peer before its connection is closed.
pub const WRITE_LIMIT: usize = 64 << 20;

enum Write {
    Bytes(Vec<u8>),
    End,
    Destroy,
}

/// The way to write to a connection, from any thread.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Write>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Writes; false when the connection is gone. A peer that reads too slowly loses the connection.
    pub fn write(&self, bytes: Vec<u8>) -> bool {
        let waiting = self.waiting.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        let what = if waiting > WRITE_LIMIT { Write::Destroy } else { Write::Bytes(bytes) };
        self.queue.send(what).is_ok()
    }

    /// Ends the connection when all is written.
    pub fn end(&self) {
        // (a connection that is gone has ended already)
        let _ = self.queue.send(Write::End);
    }

    /// Ends the connection now.
    pub fn destroy(&self) {
        let _ = self.queue.send(Write::Destroy);
    }
}

/// Makes the writer of a connection, and the task that writes: it must be spawned; it ends with the connection.
pub fn writer(mut half: OwnedWriteHalf) -> (Writer, impl Future<Output = ()>) {
    let (queue, mut wanted) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = waiting.clone();
    let task = async move {
        let mut batch = Vec::new();
        let mut bytes = Vec::new();
        loop {
            if wanted.recv_many(&mut batch, 1024).await == 0 {
                break;
            }
            let mut end = None;
            for what in batch.drain(..) {
                match what {
                    Write::Bytes(more) if bytes.is_empty() => bytes = more,
                    Write::Bytes(more) => bytes.extend_from_slice(&more),
                    other => end = end.or(Some(other)),
                }
            }
            if matches!(end, Some(Write::Destroy)) {
                return;
            }
            let length = bytes.len();
            if half.write_all(&bytes).await.is_err() {
                return;
            }
            counted.fetch_sub(length, Ordering::Relaxed);
            bytes.clear();
            if end.is_some() {
                // (the peer may be gone already)
                let _ = half.shutdown().await;
                return;
            }
        }
    };
    (Writer { queue, waiting }, task)
}

/// Every connection that a `tcp in` node has open, by the id in `msg._session`.
#[derive(Default)]
pub struct Pool(Mutex<HashMap<String, Writer>>);

impl Pool {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Writer>> {
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

    /// A connection.
    pub fn get(&self, id: &str) -> Option<Writer> {
        self.lock().get(id).cloned()
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

/// `Node.js` waits 120 s before it asks whether an idle peer is still there; the option is set where the system has it.
pub fn prepare(stream: &TcpStream) {
    // Small messages are never held back for more. Where an option cannot be set, the connection works without.
    let _ = stream.set_nodelay(true);
}

/// What a payload is on the wire.
pub fn bytes_of(payload: &Value, base64: bool) -> Vec<u8> {
    match payload {
        Value::Buffer(bytes) => bytes.to_vec(),
        Value::Str(text) if base64 => decode_base64(text),
        other => other.to_js_string().into_bytes(),
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
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            let letter = if i <= chunk.len() { LETTERS[(bits >> (18 - 6 * i) & 63) as usize] } else { b'=' };
            out.push(letter as char);
        }
    }
    out
}

/// The escapes that a delimiter may hold.
pub fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
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
            Datatype::Utf8 => match String::from_utf8(bytes) {
                Ok(text) => Value::from(text),
                Err(error) => Value::from(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            },
            Datatype::Base64 => Value::from(encode_base64(&bytes)),
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
        Splitter { datatype, delimiter: delimiter.as_bytes().to_vec(), keep, single, rest: Vec::new() }
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
            let part = self.rest[from..if self.keep { next } else { end }].to_vec();
            each(self.datatype.value(part));
            (from, at) = (next, next);
        }
        self.rest.drain(..from);
    }

    /// The stream has ended: what is left, when it makes a message.
    pub fn finish(&mut self, server: bool) -> Option<Value> {
        let rest = std::mem::take(&mut self.rest);
        let wanted = self.single || self.by_delimiter() || server && self.datatype == Datatype::Base64;
        (wanted && !rest.is_empty()).then(|| self.datatype.value(rest))
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [one] => hay.iter().position(|byte| byte == one),
        _ => hay.windows(needle.len()).position(|window| window == needle),
    }
}

/// The message of a payload that came over a connection.
pub fn message(topic: &str, payload: Value, session: &Value, peer: Option<SocketAddr>) -> Msg {
    let mut msg = Msg::new();
    msg.insert("topic", topic);
    msg.insert("payload", payload);
    if let Some(peer) = peer {
        msg.insert("ip", ip_text(peer));
        msg.insert("port", peer.port());
    }
    msg.insert("_session", session.clone());
    msg
}

/// `msg._session` of a connection.
pub fn session(id: &str) -> Value {
    let session: Object = [("type", Value::from("tcp")), ("id", Value::from(id))].into_iter().collect();
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
pub fn listen(port: u16) -> Result<tokio::net::TcpListener, String> {
    let all = [SocketAddr::from(([0u16; 8], port)), SocketAddr::from(([0u8; 4], port))];
    let bound = std::net::TcpListener::bind(&all[..]).and_then(|listener| {
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    });
    bound.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => format!("Error: listen EADDRINUSE: address already in use :::{port}"),
        std::io::ErrorKind::PermissionDenied => format!("Error: listen EACCES: permission denied :::{port}"),
        _ => format!("Error: listen: {e}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(splitter: &mut Splitter, pieces: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        for piece in pieces {
            splitter.take(piece.as_bytes().to_vec(), |value| out.push(value.to_js_string()));
        }
        out
    }

    #[test]
    fn streams_are_cut_at_delimiters() {
        let mut lines = Splitter::new(Datatype::Utf8, "\n", false, false);
        assert_eq!(split(&mut lines, &["a\nb", "c\n", "\nd"]), ["a", "bc", ""]);
        assert_eq!(lines.finish(true).map(|v| v.to_js_string()).as_deref(), Some("d"));
        let mut crlf = Splitter::new(Datatype::Utf8, "\r\n", true, false);
        assert_eq!(split(&mut crlf, &["a\r", "\nb\r\n"]), ["a\r\n", "b\r\n"]);
        let mut single = Splitter::new(Datatype::Utf8, "", false, true);
        assert!(split(&mut single, &["a", "b"]).is_empty());
        assert_eq!(single.finish(false).map(|v| v.to_js_string()).as_deref(), Some("ab"));
    }

    #[test]
    fn base64_comes_and_goes() {
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(decode_base64(&encode_base64(text.as_bytes())), text.as_bytes());
        }
        assert_eq!(encode_base64(b"ab"), "YWI=");
        assert_eq!(decode_base64("YW-_"), decode_base64("YW+/"));
    }
}
