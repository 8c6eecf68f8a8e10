//! What all nodes that open connections share: byte streams of any kind, connecting, the words for what goes wrong.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use vgdc_core::value::{ErrorValue, Value};

/// Anything that bytes can be read from and written to: a socket, a TLS session, a WebSocket that carries bytes.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A byte stream, whatever it runs over.
pub type Stream = Box<dyn Io>;

/// Connects, trying all addresses of the host. Small messages are never held back for more (Nagle).
///
/// # Errors
/// The host is unknown or no address takes the connection.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    // (an IPv6 address in brackets, as URLs have it)
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let stream = TcpStream::connect((host, port)).await?;
    // Where the option cannot be set, the connection works without.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// As [`connect`], but gives up in time.
///
/// # Errors
/// As [`connect`]; `TimedOut` when the time is over.
pub async fn connect_within(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    match tokio::time::timeout(limit, connect(host, port)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connect ETIMEDOUT")),
    }
}

/// The code that Node.js gives to a failure of the system.
pub fn code(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "ECONNREFUSED",
        Kind::ConnectionReset => "ECONNRESET",
        Kind::ConnectionAborted => "ECONNABORTED",
        Kind::BrokenPipe => "EPIPE",
        Kind::TimedOut => "ETIMEDOUT",
        Kind::HostUnreachable => "EHOSTUNREACH",
        Kind::NetworkUnreachable => "ENETUNREACH",
        Kind::AddrInUse => "EADDRINUSE",
        Kind::AddrNotAvailable => "EADDRNOTAVAIL",
        Kind::PermissionDenied => "EACCES",
        Kind::NotFound => "ENOENT",
        Kind::AlreadyExists => "EEXIST",
        Kind::NotADirectory => "ENOTDIR",
        Kind::IsADirectory => "EISDIR",
        Kind::StorageFull => "ENOSPC",
        Kind::QuotaExceeded => "EDQUOT",
        Kind::ReadOnlyFilesystem => "EROFS",
        Kind::FileTooLarge => "EFBIG",
        Kind::DirectoryNotEmpty => "ENOTEMPTY",
        Kind::UnexpectedEof => "ECONNRESET",
        // (a name that the resolver does not know has no kind of its own)
        _ if error.raw_os_error().is_none() && error.to_string().contains("lookup address") => {
            "ENOTFOUND"
        }
        _ => match error.raw_os_error() {
            Some(24) => "EMFILE",
            Some(5) => "EIO",
            Some(22) => "EINVAL",
            Some(40) => "ELOOP",
            Some(36) => "ENAMETOOLONG",
            _ => "EIO",
        },
    }
}

/// The error of Node.js for a connection that could not be made.
pub fn connect_failure(error: &io::Error, host: &str, port: u16) -> ErrorValue {
    let code = code(error);
    let failure = ErrorValue::new("Error", connect_error(error, host, port));
    match (code, error.raw_os_error()) {
        ("ENOTFOUND", _) => failure
            .with("errno", -3008.0)
            .with("code", code)
            .with("syscall", "getaddrinfo")
            .with("hostname", host),
        (_, number) => {
            let number = number.map_or(Value::Undefined, |number| Value::from(-f64::from(number)));
            failure
                .with("errno", number)
                .with("code", code)
                .with("syscall", "connect")
                .with("address", host)
                .with("port", f64::from(port))
        }
    }
}

/// What Node.js says of a connection that could not be made, without the word `Error`.
pub fn connect_error(error: &io::Error, host: &str, port: u16) -> String {
    match code(error) {
        "ENOTFOUND" => format!("getaddrinfo ENOTFOUND {host}"),
        "EIO" => format!("connect {host}:{port}: {error}"),
        code => format!("connect {code} {host}:{port}"),
    }
}
