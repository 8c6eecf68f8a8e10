//! As much of HTTP/1.1 as a driver needs: a request is bytes, an answer is known to be whole when its bytes say so.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer's status, where its body is and how long it is in all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Where the body begins.
    pub body: usize,
    /// Where the next answer begins.
    pub end: usize,
}

/// Reads an answer; `None` when it is not whole yet.
///
/// # Errors
/// It is no HTTP answer.
pub fn parse(bytes: &[u8]) -> Result<Option<Answer>, String> {
    let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
        return Ok(None);
    };
    let body = head + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| format!("not an HTTP answer: {first}"))?;
    let (mut length, mut chunked) = (0, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value
                .trim()
                .parse()
                .map_err(|_| format!("a bad Content-Length:{value}"))?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    let end = match chunked {
        true => end_of_chunks(bytes, body)?,
        false => Some(body + length).filter(|end| *end <= bytes.len()),
    };
    Ok(end.map(|end| Answer { status, body, end }))
}

/// Where the last chunk ends, if it is there. (Trailers are not sent to who does not ask for them.)
fn end_of_chunks(bytes: &[u8], mut at: usize) -> Result<Option<usize>, String> {
    loop {
        let rest = &bytes[at..];
        let Some(line) = rest.windows(2).position(|w| w == b"\r\n") else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&rest[..line]);
        let size = text.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)
            .map_err(|_| format!("a bad length of a chunk: {size}"))?;
        at = at
            .saturating_add(line + 2)
            .saturating_add(size)
            .saturating_add(2);
        if at > bytes.len() {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(at));
        }
    }
}

/// The bytes of a request on a connection that is kept open.
pub fn request(host: &str, method: &str, path: &str, body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    if let Some(body) = body {
        text += &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    } else {
        text += "\r\n";
    }
    text.into_bytes()
}

/// A connection that is kept open.
pub struct Connection {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(host: &str) -> Result<Connection, String> {
        let fault = |e: std::io::Error| format!("cannot connect to http://{host}: {e}");
        let stream = TcpStream::connect(host).map_err(fault)?;
        stream.set_nodelay(true).map_err(fault)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(fault)?;
        Ok(Connection {
            stream,
            bytes: Vec::new(),
        })
    }

    /// Sends a request and waits for its answer; gives the status and the body.
    ///
    /// # Errors
    /// The connection broke, no answer came in time, or it was none.
    pub fn exchange(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>), String> {
        self.stream
            .write_all(request)
            .map_err(|e| format!("the flow's HTTP connection broke: {e}"))?;
        self.bytes.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            let count = self
                .stream
                .read(&mut chunk)
                .map_err(|e| format!("the flow gave no HTTP answer: {e}"))?;
            if count == 0 {
                return Err("the flow closed the HTTP connection before it answered".to_owned());
            }
            self.bytes.extend_from_slice(&chunk[..count]);
            if let Some(answer) = parse(&self.bytes)? {
                return Ok((answer.status, self.bytes[answer.body..answer.end].to_vec()));
            }
        }
    }
}

/// GET on a connection of its own; gives the body of a good answer.
///
/// # Errors
/// There is no good answer.
pub fn get(host: &str, path: &str) -> Result<String, String> {
    let (status, body) = Connection::open(host)?.exchange(&request(host, "GET", path, None))?;
    match status {
        200..=299 => Ok(String::from_utf8_lossy(&body).into_owned()),
        _ => Err(format!("http://{host}{path} answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_when_their_bytes_say_so() {
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP";
        assert_eq!(
            parse(plain),
            Ok(Some(Answer {
                status: 200,
                body: 38,
                end: 41
            }))
        );
        assert_eq!(parse(&plain[..40]), Ok(None));
        assert_eq!(parse(&plain[..20]), Ok(None));
        let chunked = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let whole = parse(chunked).expect("an answer").expect("whole");
        assert_eq!((whole.status, whole.end), (404, chunked.len()));
        assert_eq!(parse(&chunked[..chunked.len() - 1]), Ok(None));
        assert!(parse(b"hello\r\n\r\n").is_err());
    }

    #[test]
    fn requests_say_how_long_their_body_is() {
        let text = request("h:1", "POST", "/x", Some("{}"));
        let text = String::from_utf8(text).expect("text");
        assert!(text.starts_with("POST /x HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(text.ends_with("Content-Length: 2\r\n\r\n{}"));
    }
}
