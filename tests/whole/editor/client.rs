//! `vgdc edit` as a process, and a client of HTTP and WebSocket that sends what it is told to, headers and paths as they are.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use vgdc_tests::{Running, vgdc};

/// What tools show.
pub const TOKEN: &str = "token-of-these-tests";

/// An editor that runs.
pub struct Editor {
    pub process: Running,
    pub address: String,
    /// The link that lets in once.
    pub link: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

impl Editor {
    /// Opens a flow file, with more arguments.
    pub fn open(flow: &Path, more: &[&str]) -> Editor {
        let flow = flow.to_string_lossy().into_owned();
        let mut args = vec!["edit", &flow, "--port", "0", "--no-open"];
        args.extend(more);
        Editor::of(Running::start(vgdc(&args).env("VGDC_EDITOR_TOKEN", TOKEN)))
    }

    /// Of a process that serves one, by the link that it prints.
    pub fn of(mut process: Running) -> Editor {
        let line = process.wait_for("The editor is at http://");
        let link = line
            .split(' ')
            .find(|word| word.starts_with("http://"))
            .unwrap_or_default()
            .to_owned();
        let address = link
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        Editor {
            process,
            address,
            link,
        }
    }

    /// Sends a request as it stands.
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a timeout");
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all((text + "\r\n" + body).as_bytes())
            .expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        parse(&answer)
    }

    /// The same as a tool with the token.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        self.raw(method, path, &all, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// The flows with their revision.
    pub fn flows(&self) -> (Value, String) {
        let answer = self.ask("GET", "/flows", &[("Node-RED-API-Version", "v2")], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json();
        (
            json["flows"].clone(),
            json["rev"].as_str().expect("a revision").to_owned(),
        )
    }

    /// Deploys flows that were made of a revision.
    pub fn deploy(&self, flows: &Value, rev: &str) -> Answer {
        let body = serde_json::json!({"flows": flows, "rev": rev}).to_string();
        self.ask(
            "POST",
            "/flows",
            &[
                ("Node-RED-API-Version", "v2"),
                ("Content-Type", "application/json"),
            ],
            &body,
        )
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked");
    assert!(!chunked, "answers say how long they are");
    Answer {
        status: status.unwrap_or(0),
        headers,
        body: body.to_owned(),
    }
}

/// A conversation on comms.
pub struct Comms {
    stream: TcpStream,
    read: Vec<u8>,
    seen: Vec<Value>,
}

impl Comms {
    /// Begins one; where it is refused, the answer.
    pub fn open(editor: &Editor, headers: &[(&str, &str)]) -> Result<Comms, Answer> {
        Comms::open_at(editor, "/comms", headers)
    }

    /// The same at another path.
    pub fn open_at(editor: &Editor, path: &str, headers: &[(&str, &str)]) -> Result<Comms, Answer> {
        let mut stream = TcpStream::connect(&editor.address).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .expect("a timeout");
        let mut text = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            editor.address
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all((text + "\r\n").as_bytes())
            .expect("it reads");
        let mut comms = Comms {
            stream,
            read: Vec::new(),
            seen: Vec::new(),
        };
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            comms.fill();
            let end = comms.read.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let Some(end) = end {
                let answer = parse(&comms.read);
                if answer.status != 101 {
                    return Err(answer);
                }
                assert_eq!(
                    answer.header("Sec-WebSocket-Accept"),
                    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                );
                comms.read.drain(..end + 4);
                return Ok(comms);
            }
            assert!(Instant::now() < until, "no answer to the upgrade");
        }
    }

    fn fill(&mut self) {
        let mut bytes = [0; 65536];
        if let Ok(count) = self.stream.read(&mut bytes) {
            self.read.extend(&bytes[..count]);
        }
    }

    /// Sends a message.
    pub fn say(&mut self, message: Value) {
        let text = message.to_string();
        assert!(text.len() < 126, "a short frame");
        let mut frame = vec![0x81, 0x80 | text.len() as u8, 1, 2, 3, 4];
        frame.extend(
            text.bytes()
                .enumerate()
                .map(|(at, byte)| byte ^ [1, 2, 3, 4][at % 4]),
        );
        self.stream.write_all(&frame).expect("it reads");
    }

    /// Waits for a message on this topic (`auth` for what is said of letting in), and gives it.
    pub fn wait_for(&mut self, topic: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            self.frames();
            let at = self
                .seen
                .iter()
                .position(|it| it["topic"] == topic || it.get(topic).is_some());
            if let Some(at) = at {
                return self.seen.remove(at);
            }
        }
        panic!("nothing came on {topic}; these did: {:#?}", self.seen);
    }

    /// What came within this time.
    pub fn within(&mut self, time: Duration) -> Vec<Value> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.frames();
        }
        std::mem::take(&mut self.seen)
    }

    fn frames(&mut self) {
        self.fill();
        while let Some((text, length)) = frame(&self.read) {
            self.read.drain(..length);
            match serde_json::from_str(&text) {
                Ok(Value::Array(all)) => {
                    assert!(all.len() <= 50, "{} messages in a frame", all.len());
                    self.seen.extend(all);
                }
                Ok(one) => self.seen.push(one),
                Err(_) => {}
            }
        }
    }
}

/// The text of the first frame, and how many bytes it takes.
fn frame(bytes: &[u8]) -> Option<(String, usize)> {
    let (head, length) = match *bytes.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        ),
        127 => (
            10,
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
        ),
        short => (2, usize::from(short)),
    };
    let text = bytes.get(head..head + length)?;
    Some((String::from_utf8_lossy(text).into_owned(), head + length))
}
