//! What steps do outside of flows: HTTP requests, TCP clients, files. (`tests/conformance/lib/outside.mjs` does the same.)

use base64::Engine as _;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long what has to come is waited for, and what was recorded not to come.
const PATIENCE: Duration = Duration::from_secs(3);
const SHORT: Duration = Duration::from_millis(150);

/// The clients of a case, by their names.
pub type Clients = HashMap<String, Client>;

/// A connection that keeps what comes; it ends when the other side does.
pub struct Client {
    stream: Option<TcpStream>,
    came: Receiver<Vec<u8>>,
    got: Vec<u8>,
    ended: bool,
}

impl Client {
    fn connect(port: &str) -> Client {
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).ok();
        let (sender, came) = channel();
        if let Some(mut reader) = stream.as_ref().and_then(|stream| stream.try_clone().ok()) {
            reader.set_nodelay(true).expect("it can be set");
            std::thread::spawn(move || {
                let mut buffer = [0; 65536];
                while let Ok(count) = reader.read(&mut buffer) {
                    if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                }
                // (it may have ended from both sides)
                let _ = reader.shutdown(Shutdown::Write);
            });
        }
        Client {
            ended: stream.is_none(),
            stream,
            came,
            got: Vec::new(),
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        if let Some(stream) = &mut self.stream {
            // (what has been closed from the other side takes nothing)
            let _ = stream.write_all(bytes);
        }
    }

    fn until(&mut self, patience: Duration, enough: impl Fn(&[u8]) -> bool) {
        let until = Instant::now() + patience;
        while !enough(&self.got) && !self.ended {
            let left = until.saturating_duration_since(Instant::now());
            match self.came.recv_timeout(left) {
                Ok(bytes) => self.got.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Err(RecvTimeoutError::Timeout) => return,
            }
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.got.drain(..length.min(self.got.len())).collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(stream) = &self.stream {
            // (it may have ended)
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A value's bytes: a text's, or a buffer's.
fn bytes_of(value: &Json) -> Vec<u8> {
    let decode = |text| base64::engine::general_purpose::STANDARD.decode(text);
    match (value.as_str(), value["base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(text)) => decode(text).expect("base64"),
        (None, None) => Vec::new(),
    }
}

/// Bytes as a text where they are one.
fn shown(bytes: Vec<u8>) -> Json {
    match String::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(error) => {
            let text = base64::engine::general_purpose::STANDARD.encode(error.as_bytes());
            json!({ "$type": "buffer", "base64": text })
        }
    }
}

/// A `$tcp` step: what was read, if something is to be.
pub fn tcp(clients: &mut Clients, step: &Json) -> Option<Json> {
    let name = step["$tcp"].as_str().unwrap_or_default().to_owned();
    let port = step["port"].as_str().unwrap_or_default();
    let client = clients
        .entry(name.clone())
        .or_insert_with(|| Client::connect(port));
    if let Some(content) = step.get("send") {
        client.send(&bytes_of(content));
    }
    if let (true, Some(stream)) = (step["end"] == true, &client.stream) {
        // (it may have ended from the other side)
        let _ = stream.shutdown(Shutdown::Write);
    }
    let seen = match (step["read"].as_str(), step["read"].as_u64()) {
        (Some("end"), _) => {
            client.until(PATIENCE, |_| false);
            let ended = if client.ended { "ended" } else { "open" };
            Some(json!([shown(client.take(usize::MAX)), ended]))
        }
        (Some("head"), _) => {
            client.until(PATIENCE, |got| find(got, b"\r\n\r\n").is_some());
            let end = find(&client.got, b"\r\n\r\n").map_or(0, |at| at + 4);
            let (status, fields) = head(&client.take(end));
            Some(json!({ "status": status, "headers": chosen(&fields, &step["show"]) }))
        }
        (Some(text), _) => {
            client.until(PATIENCE, |got| find(got, text.as_bytes()).is_some());
            let end = find(&client.got, text.as_bytes()).map_or(usize::MAX, |at| at + text.len());
            Some(shown(client.take(end)))
        }
        (None, Some(length)) => {
            let length = usize::try_from(length).expect("a length");
            client.until(PATIENCE, |got| got.len() >= length);
            Some(shown(client.take(length)))
        }
        (None, None) => None,
    };
    if step["close"] == true {
        clients.remove(&name);
    }
    seen
}

/// A `$request` step: the status, the headers asked for, the body. What was recorded not to come is not waited for long.
pub fn request(url: &str, step: &Json, is_answered: bool) -> Json {
    let host = url.trim_start_matches("http://");
    let mut client = Client::connect(host.rsplit(':').next().unwrap_or_default());
    let content = step.get("body").map(bytes_of);
    let mut headers: Map<String, Json> = Map::new();
    headers.insert("Host".to_owned(), json!(host));
    headers.insert("Connection".to_owned(), json!("close"));
    if let Some(content) = &content {
        headers.insert("Content-Length".to_owned(), json!(content.len()));
    }
    headers.extend(step["headers"].as_object().cloned().unwrap_or_default());
    let line = step["$request"].as_str().unwrap_or_default();
    let mut text = format!("{line} HTTP/1.1\r\n");
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    client.send(&[text.into_bytes(), content.unwrap_or_default()].concat());
    client.until(if is_answered { PATIENCE } else { SHORT }, |_| false);
    let all = client.take(usize::MAX);
    let Some(end) = find(&all, b"\r\n\r\n") else {
        return json!("no answer");
    };
    let (status, fields) = head(&all[..end]);
    let raw = &all[end + 4..];
    let is_chunked =
        |(name, value): &(String, String)| name == "transfer-encoding" && value == "chunked";
    let body = match fields.iter().any(is_chunked) {
        true => dechunked(raw),
        false => raw.to_vec(),
    };
    let show = match &step["show"] {
        Json::Null => json!(["content-type"]),
        show => show.clone(),
    };
    json!({ "status": status, "headers": chosen(&fields, &show), "body": shown(body) })
}

type Fields = Vec<(String, String)>;

/// The status and the headers of an answer.
fn head(bytes: &[u8]) -> (Option<u16>, Fields) {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let fields = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    (status, fields)
}

fn chosen(fields: &Fields, show: &Json) -> Json {
    let mut object = Map::new();
    for name in show
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
    {
        let values: Vec<&String> = fields
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .collect();
        match values.as_slice() {
            [] => {}
            [value] => drop(object.insert(name.to_owned(), json!(value))),
            values => drop(object.insert(name.to_owned(), json!(values))),
        }
    }
    Json::Object(object)
}

fn dechunked(raw: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), raw);
    while let Some(end) = find(rest, b"\r\n") {
        let digits = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let length = usize::from_str_radix(digits.trim(), 16).unwrap_or(0);
        let begin = end + 2;
        if length == 0 || rest.len() < begin + length {
            break;
        }
        out.extend(&rest[begin..begin + length]);
        rest = rest.get(begin + length + 2..).unwrap_or_default();
    }
    out
}

/// A `$file` step: makes a file, changes or removes it, or reads it (`null` where there is none).
pub fn file(folder: &Path, step: &Json) -> Option<Json> {
    let place = folder.join(step["$file"].as_str().unwrap_or_default());
    if let Some(content) = step.get("write") {
        let times = step["times"].as_u64().unwrap_or(1);
        let times = usize::try_from(times).expect("a number of times");
        std::fs::write(place, bytes_of(content).repeat(times)).expect("it can be written");
    } else if let Some(content) = step.get("append") {
        let file = std::fs::OpenOptions::new().append(true).open(place);
        file.and_then(|mut file| file.write_all(&bytes_of(content)))
            .expect("it can be written");
    } else if step["remove"] == true {
        // (it may be gone)
        let _ = match place.is_dir() {
            true => std::fs::remove_dir_all(place),
            false => std::fs::remove_file(place),
        };
    } else if step["folder"] == true {
        std::fs::create_dir_all(place).expect("it can be made");
    } else {
        return Some(std::fs::read(place).map_or(Json::Null, shown));
    }
    None
}
