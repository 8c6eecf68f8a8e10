//! A small HTTP/1.1 client: one request at a time over hyper's connections, kept open for the next. Header names go out in the
//! case in which they were given, since there are servers that care.

use super::net::{self, Stream};
use super::proxy::Proxy;
use super::tls;
use super::url::Url;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls;
use vgdc_http::Bytes;
use vgdc_http::http::{HeaderMap, HeaderName, HeaderValue, Method, Request as HyperRequest, Uri};
use vgdc_http::http_body_util::{BodyExt, Full, Limited};
use vgdc_http::hyper::client::conn::http1::{SendRequest, handshake};
use vgdc_http::hyper_util::rt::TokioIo;
use vgdc_macros_node::fields;

/// A header of requests, in forms.
pub const HEADER: &[vgdc_core::spec::FieldSpec] = fields![
    (
        name = "keyValue",
        kind = Typed("keyType"),
        label = "Header",
        types = ["other", "msg"]
    ),
    (
        name = "valueValue",
        kind = Typed("valueType"),
        label = "Value",
        types = ["other", "msg"]
    ),
];

/// How long an idle connection is kept, as by Node.js's usual agent.
const IDLE: Duration = Duration::from_secs(4);
/// How long, with *keep-alive* switched on.
const IDLE_LONG: Duration = Duration::from_secs(60);
/// Idle connections that are kept to one place.
const IDLE_COUNT: usize = 256;
/// An answer that is larger is an error: it would have to be held in memory.
const ANSWER_LIMIT: usize = 1 << 30;

/// A request.
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// Names in any case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, when there is one.
    pub body: Option<Bytes>,
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
    /// For `https:`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// The name to ask for in the handshake, in place of the host's.
    pub server_name: Option<String>,
    /// Keep the connection for as long as the server does.
    pub keep_alive: bool,
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone)]
pub struct Failure {
    /// A code of Node.js's.
    pub code: String,
    /// The words that go with it.
    pub message: String,
}

impl Failure {
    fn io(error: &io::Error, host: &str, port: u16) -> Failure {
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(tls) => Failure::tls(tls),
            None => Failure {
                code: net::code(error).to_owned(),
                message: net::connect_error(error, host, port),
            },
        }
    }

    /// In OpenSSL's words, where there are some for it.
    fn tls(error: &rustls::Error) -> Failure {
        use rustls::CertificateError as Cert;
        let (code, message) = match error {
            rustls::Error::InvalidCertificate(Cert::UnknownIssuer) => (
                "DEPTH_ZERO_SELF_SIGNED_CERT",
                "self-signed certificate".to_owned(),
            ),
            rustls::Error::InvalidCertificate(Cert::Expired | Cert::ExpiredContext { .. }) => {
                ("CERT_HAS_EXPIRED", "certificate has expired".to_owned())
            }
            rustls::Error::InvalidCertificate(
                Cert::NotValidForName | Cert::NotValidForNameContext { .. },
            ) => (
                "ERR_TLS_CERT_ALTNAME_INVALID",
                format!("Hostname/IP does not match certificate's altnames: {error}"),
            ),
            other => ("EPROTO", other.to_string()),
        };
        Failure {
            code: code.to_owned(),
            message,
        }
    }

    fn broken(error: &dyn std::fmt::Display) -> Failure {
        Failure {
            code: "ECONNRESET".into(),
            message: format!("socket hang up ({error})"),
        }
    }
}

type Heads = Rc<RefCell<Vec<(String, String)>>>;

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// The names of the next request's headers, as they are to be written.
    names: Heads,
    idle_since: Instant,
}

/// Connections that wait for the next request. One an island.
#[derive(Default)]
pub struct Pool(RefCell<HashMap<String, Vec<Connection>>>);

impl Pool {
    fn take(&self, key: &str, limit: Duration) -> Option<Connection> {
        let mut pool = self.0.borrow_mut();
        let waiting = pool.get_mut(key)?;
        while let Some(connection) = waiting.pop() {
            if connection.idle_since.elapsed() < limit && connection.sender.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    fn give_back(&self, key: String, mut connection: Connection) {
        let mut pool = self.0.borrow_mut();
        // (what is too old goes, wherever it is: places that are never asked again would keep their connections)
        pool.retain(|_, waiting| {
            waiting.retain(|connection| {
                connection.idle_since.elapsed() < IDLE_LONG && !connection.sender.is_closed()
            });
            !waiting.is_empty()
        });
        connection.idle_since = Instant::now();
        let waiting = pool.entry(key).or_default();
        if waiting.len() < IDLE_COUNT {
            waiting.push(connection);
        }
    }
}

fn key(request: &Request) -> String {
    let tls = request
        .tls
        .as_ref()
        .filter(|_| request.url.is_secure())
        .map_or(0, |config| Arc::as_ptr(config) as usize);
    let proxy = request
        .proxy
        .as_ref()
        .map(|proxy| format!("{} {:?}", proxy.url, proxy.authorization))
        .unwrap_or_default();
    let name = request.server_name.as_deref().unwrap_or_default();
    format!(
        "{} {} {} {tls} {name} {proxy}",
        request.url.scheme,
        request.url.host,
        request.url.port()
    )
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// There is no answer.
pub async fn send(pool: &Rc<Pool>, request: &Request) -> Result<Answer, Failure> {
    let key = key(request);
    let limit = if request.keep_alive { IDLE_LONG } else { IDLE };
    if let Some(connection) = pool.take(&key, limit) {
        match exchange(connection, request).await {
            Ok((answer, connection)) => {
                if let Some(connection) = connection {
                    pool.give_back(key, connection);
                }
                return Ok(answer);
            }
            // The server has closed the connection before it saw the request: a new one will do.
            Err((failure, true)) if failure.code == "ECONNRESET" => {}
            Err((failure, _)) => return Err(failure),
        }
    }
    let connection = connect(request).await?;
    match exchange(connection, request).await {
        Ok((answer, connection)) => {
            if let Some(connection) = connection {
                pool.give_back(key, connection);
            }
            Ok(answer)
        }
        Err((failure, _)) => Err(failure),
    }
}

async fn connect(request: &Request) -> Result<Connection, Failure> {
    let url = &request.url;
    let (host, port) = (url.host.as_str(), url.port());
    let failed = |error: io::Error| Failure::io(&error, host, port);
    let mut stream: Stream = match &request.proxy {
        Some(proxy) => {
            let failed = |error: io::Error| Failure::io(&error, &proxy.url.host, proxy.url.port());
            if url.is_secure() {
                proxy.tunnel(host, port).await.map_err(failed)?
            } else {
                proxy.connect().await.map_err(failed)?
            }
        }
        None => Box::new(net::connect(host, port).await.map_err(failed)?),
    };
    if let Some(config) = request.tls.clone().filter(|_| url.is_secure()) {
        let name = request.server_name.as_deref().unwrap_or(host);
        stream = Box::new(tls::connect(stream, config, name).await.map_err(failed)?);
    }
    let names = Heads::default();
    let cased = Cased {
        inner: stream,
        names: names.clone(),
        head: Vec::new(),
        out: Vec::new(),
        written: 0,
    };
    let (sender, connection) = handshake(TokioIo::new(cased))
        .await
        .map_err(|e| Failure::broken(&e))?;
    tokio::task::spawn_local(async move {
        // (what breaks the connection is told to who waits for an answer)
        let _ = connection.await;
    });
    Ok(Connection {
        sender,
        names,
        idle_since: Instant::now(),
    })
}

/// One request and its answer; the connection comes back when it can be used again. An error tells whether the server may not
/// have seen the request.
async fn exchange(
    mut connection: Connection,
    request: &Request,
) -> Result<(Answer, Option<Connection>), (Failure, bool)> {
    let hyper_request = build(request).map_err(|failure| (failure, false))?;
    *connection.names.borrow_mut() = request
        .headers
        .iter()
        .map(|(name, _)| (name.to_ascii_lowercase(), name.clone()))
        .collect();
    let answer = connection
        .sender
        .send_request(hyper_request)
        .await
        .map_err(|e| {
            let unseen = e.is_canceled() || e.is_closed() || e.is_incomplete_message();
            let failure = if e.is_parse() {
                Failure {
                    code: "HPE_INVALID".into(),
                    message: format!("Parse Error: {e}"),
                }
            } else {
                Failure::broken(&e)
            };
            (failure, unseen)
        })?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_LIMIT)
        .collect()
        .await
        .map_err(|e| (Failure::broken(&e), false))?;
    let answer = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.to_bytes().to_vec(),
    };
    let again = connection.sender.ready().await.is_ok();
    Ok((answer, again.then_some(connection)))
}

fn build(request: &Request) -> Result<HyperRequest<Full<Bytes>>, Failure> {
    let invalid = |message: String| Failure {
        code: "ERR_INVALID_CHAR".into(),
        message,
    };
    let method = Method::from_bytes(request.method.as_bytes());
    let method = method.map_err(|_| Failure {
        code: "ERR_INVALID_HTTP_TOKEN".into(),
        message: format!("Method must be a valid HTTP token [\"{}\"]", request.method),
    })?;
    let through_proxy = request.proxy.is_some() && !request.url.is_secure();
    let target = match through_proxy {
        true => format!("http://{}{}", request.url.authority(), request.url.target()),
        false => request.url.target(),
    };
    let uri: Uri = target.parse().map_err(|_| Failure {
        code: "ERR_INVALID_URL".into(),
        message: "Invalid URL".into(),
    })?;
    let mut built = HyperRequest::new(Full::new(request.body.clone().unwrap_or_default()));
    (*built.method_mut(), *built.uri_mut()) = (method, uri);
    let headers = built.headers_mut();
    for (name, value) in &request.headers {
        // (the length is that of the body, whatever was said)
        let length = request.body.as_ref().map_or(0, Bytes::len);
        if name.eq_ignore_ascii_case("content-length") && value.trim() != length.to_string() {
            continue;
        }
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure {
            code: "ERR_INVALID_HTTP_TOKEN".into(),
            message: format!("Header name must be a valid HTTP token [\"{name}\"]"),
        })?;
        // (a character is a byte, as Node.js writes them)
        let bytes: Option<Vec<u8>> = value
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect();
        let value = bytes
            .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
            .ok_or_else(|| invalid(format!("Invalid character in header content [\"{name}\"]")))?;
        headers.append(header, value);
    }
    Ok(built)
}

/// Writes the names of headers in the case in which they were given: hyper writes them in lower case.
struct Cased {
    inner: Stream,
    names: Heads,
    /// The beginning of a request, up to the end of its headers.
    head: Vec<u8>,
    out: Vec<u8>,
    written: usize,
}

impl Cased {
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let count =
                ready!(Pin::new(&mut self.inner).poll_write(cx, &self.out[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        self.out.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

/// A request's head with the names as they are to be.
fn recased(head: &[u8], names: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    let mut used = vec![false; names.len()];
    for (at, line) in head.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .filter(|_| at > 0);
        let fits = |name: &&str| colon.is_some_and(|colon| name.as_bytes() == &line[..colon]);
        let found = names
            .iter()
            .enumerate()
            .find(|(i, (lower, _))| !used[*i] && fits(&lower.as_str()));
        match (found, colon) {
            (Some((i, (_, name))), Some(colon)) => {
                used[i] = true;
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(&line[colon..]);
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

impl AsyncWrite for Cased {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(cx))?;
        if self.names.borrow().is_empty() {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        }
        self.head.extend_from_slice(bytes);
        if let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") {
            let names = std::mem::take(&mut *self.names.borrow_mut());
            let head = std::mem::take(&mut self.head);
            let mut out = recased(&head[..end + 4], &names);
            out.extend_from_slice(&head[end + 4..]);
            self.out = out;
            if let Poll::Ready(Err(error)) = self.poll_out(cx) {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl AsyncRead for Cased {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_case() {
        let names = [
            ("x-a".to_owned(), "X-a".to_owned()),
            ("host".to_owned(), "Host".to_owned()),
        ];
        let head = recased(
            b"GET /x-a: HTTP/1.1\r\nx-a: host: 1\r\nhost: h\r\nother: x\r\n\r\n",
            &names,
        );
        assert_eq!(
            head,
            b"GET /x-a: HTTP/1.1\r\nX-a: host: 1\r\nHost: h\r\nother: x\r\n\r\n"
        );
    }
}
