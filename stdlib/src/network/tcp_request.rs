//! **tcp request** — sends the payload to a TCP server and gives what it answers.
//!
//! The answer ends after a fixed time from its first byte, when a character comes, after a number of bytes, or never: then the
//! connection stays open and each piece (or each line) is a message. *Immediately* does not wait for an answer. Host and port are
//! the node's, or `msg.host` and `msg.port`. There is a connection for each host and port; `msg.reset` ends those that stay open
//! (true: all; `"host:port"`: one).

use super::net::Stream;
use super::tcp::{self, Ended, Told, Writer};
use super::tls::Tls;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;
use vgdc_core::value::{Msg, Object, Value, number};
use vgdc_core::{Closing, Cx, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TcpRequestConfig {
    #[field(label = "Host")]
    server: String,
    #[field(label = "Port")]
    port: String,
    #[field(kind = ConfigRef("tls-config"), label = "TLS")]
    tls: String,
    #[field(default = "time", label = "Close", choices = [("time", "after a time"), ("char", "after a character"), ("count", "after a number of bytes"), ("sit", "never"), ("immed", "at once")])]
    out: String,
    #[field(json = "\"0\"", filled = true, shown = Text, label = "Time (ms), character or count", when = [not("out", "sit", "immed")])]
    splitc: Value,
    #[field(default = "buffer", label = "Return", choices = [("buffer", "A buffer"), ("string", "A text")])]
    ret: String,
    #[field(label = "Split at")]
    newline: String,
    #[field(default = false, label = "Without the separator")]
    trim: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Until {
    /// Milliseconds after the first byte.
    Time(f64),
    /// No answer is waited for.
    Immediately,
    /// A number of bytes.
    Count(usize),
    /// This byte; `None`: one that never comes.
    Char(Option<u8>),
    /// For ever.
    Stay,
}

/// The behaviour.
pub struct TcpRequest {
    config: TcpRequestConfig,
    until: Until,
    delimiter: String,
    tls: Option<Rc<Tls>>,
    clients: HashMap<String, Client>,
    last: String,
    queue_size: usize,
    limit: Option<Duration>,
    next: u64,
}

/// A connection, or the wish for one.
struct Client {
    number: u64,
    writer: Option<Writer>,
    connecting: bool,
    queue: VecDeque<Msg>,
    last: Msg,
    answer: Vec<u8>,
    timer: Option<TimerId>,
}

enum Event {
    Open(u64, Stream),
    Refused(u64),
    Late(u64),
    Data(u64, Vec<u8>),
    Closed(u64, Ended),
}

#[node(type = "tcp request", category = "network", inputs = 1, outputs = 1, effect = Io, types = "msg{..}", color = "silver", icon = "bridge-dash.svg")]
impl Node for TcpRequest {
    type Config = TcpRequestConfig;

    fn new(config: TcpRequestConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        // (the peer's certificate is not checked, as by Node-RED)
        let tls = tcp::tls_of(cx, &config.tls)?.map(|tls| Rc::new(tls.unchecked()));
        let queue_size = cx
            .setting("tcpMsgQueueSize")
            .as_f64()
            .filter(|size| *size >= 1.0)
            .map_or(1000, |size| size as usize);
        Ok(TcpRequest {
            until: until(&config.out, &config.splitc),
            delimiter: tcp::unescape(&config.newline),
            tls,
            clients: HashMap::new(),
            last: String::new(),
            queue_size,
            limit: tcp::idle_limit(cx),
            next: 0,
            config,
        })
    }
}

fn until(out: &str, splitc: &Value) -> Until {
    match out {
        "immed" => Until::Immediately,
        "sit" => Until::Stay,
        "count" => Until::Count(splitc.to_number().max(0.0) as usize),
        "char" => Until::Char(char_of(&splitc.to_js_string())),
        _ => match splitc.to_number() {
            ms if ms < 0.0 => Until::Immediately,
            ms => Until::Time(ms),
        },
    }
}

/// A character of the form: itself, an escape, or its code in hex.
fn char_of(text: &str) -> Option<u8> {
    if text.starts_with('\\') {
        let known = [
            ("\\n", 0x0a),
            ("\\r", 0x0d),
            ("\\t", 0x09),
            ("\\e", 0x1b),
            ("\\f", 0x0c),
            ("\\0", 0x00),
        ];
        return known
            .iter()
            .find(|(escape, _)| text.starts_with(escape))
            .map(|(_, code)| *code);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u32::from_str_radix(hex, 16)
            .ok()
            .and_then(|code| u8::try_from(code).ok());
    }
    text.encode_utf16()
        .next()
        .and_then(|unit| u8::try_from(unit).ok())
}

impl TcpRequest {
    fn count(&self) -> String {
        tcp::connections(self.clients.len())
    }

    fn show_count(&self, cx: &mut Cx<'_>, shape: &str) {
        let text = self.count();
        cx.set_status("green", shape, &text);
    }

    /// Ends connections that stay open. False when the message has nothing more to say.
    fn reset(&mut self, cx: &mut Cx<'_>, msg: &Msg) -> bool {
        match msg.get("reset") {
            Some(Value::Bool(true)) => {
                self.clients
                    .values()
                    .filter_map(|client| client.writer.as_ref())
                    .for_each(Writer::destroy);
                self.clients.clear();
            }
            Some(Value::Str(id)) if id.contains(':') => {
                if let Some(writer) = self.clients.remove(&**id).and_then(|client| client.writer) {
                    writer.destroy();
                }
            }
            _ => {}
        }
        let shape = if self.clients.is_empty() {
            "ring"
        } else {
            "dot"
        };
        self.show_count(cx, shape);
        msg.contains_key("payload")
    }

    fn connect(&mut self, cx: &mut Cx<'_>, id: &str, host: String, port: u16) {
        self.next += 1;
        let number = self.next;
        if let Some(client) = self.clients.get_mut(id) {
            (client.number, client.connecting, client.writer) = (number, true, None);
            client.answer.clear();
        }
        let (mailbox, tls, limit) = (cx.mailbox(), self.tls.clone(), self.limit);
        cx.spawn(async move {
            let dialled = tcp::dial(&host, port, tls);
            let dialled = match limit {
                Some(limit) => tokio::time::timeout(limit, dialled).await,
                None => Ok(dialled.await),
            };
            mailbox.post(match dialled {
                Ok(Ok(stream)) => Event::Open(number, stream),
                Ok(Err(_)) => Event::Refused(number),
                Err(_) => Event::Late(number),
            });
        });
    }

    fn id_of(&self, number: u64) -> Option<String> {
        self.clients
            .iter()
            .find(|(_, client)| client.number == number)
            .map(|(id, _)| id.clone())
    }

    fn open(&mut self, cx: &mut Cx<'_>, number: u64, stream: Stream) {
        let Some(id) = self.id_of(number) else { return };
        let mailbox = cx.mailbox();
        let (writer, task) = tcp::connection(stream, cx.mailbox(), None, move |told| {
            if let Told::Data(bytes) = told {
                mailbox.post(Event::Data(number, bytes));
            }
        });
        let mailbox = cx.mailbox();
        tokio::task::spawn_local(async move { mailbox.post(Event::Closed(number, task.await)) });
        self.show_count(cx, "dot");
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        (client.connecting, client.writer) = (false, Some(writer.clone()));
        for msg in std::mem::take(&mut client.queue) {
            write(cx, &writer, &msg);
        }
        if self.until == Until::Immediately {
            writer.end();
            self.clients.remove(&id);
            cx.status(Value::Undefined);
        }
    }

    fn data(&mut self, cx: &mut Cx<'_>, number: u64, bytes: Vec<u8>) {
        let Some(id) = self.id_of(number) else { return };
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        match self.until {
            Until::Stay => self.piece(cx, &id, bytes),
            Until::Immediately => {}
            Until::Time(ms) => {
                if client.answer.len() + bytes.len() <= tcp::WRITE_LIMIT {
                    client.answer.extend_from_slice(&bytes);
                }
                if client.timer.is_none() {
                    client.timer = Some(cx.set_timer_ms(ms));
                }
            }
            Until::Count(count) => {
                client.answer.extend_from_slice(&bytes);
                if client.answer.len() >= count.max(1) {
                    client.answer.truncate(count.max(1));
                    self.answer(cx, &id);
                }
            }
            Until::Char(wanted) => {
                let found = bytes.iter().position(|byte| Some(*byte) == wanted);
                let end = found.map_or(bytes.len(), |at| at + 1);
                if client.answer.len() + end <= tcp::WRITE_LIMIT {
                    client.answer.extend_from_slice(&bytes[..end]);
                }
                if found.is_some() {
                    self.answer(cx, &id);
                }
            }
        }
    }

    fn value(&self, bytes: Vec<u8>) -> Value {
        if self.config.ret == "string" {
            Value::from(String::from_utf8_lossy(&bytes).into_owned())
        } else {
            Value::from(bytes)
        }
    }

    /// The answer is whole: it is sent, and the connection ends.
    fn answer(&mut self, cx: &mut Cx<'_>, id: &str) {
        let Some(client) = self.clients.remove(id) else {
            return;
        };
        let mut msg = client.last;
        msg.set_payload(self.value(client.answer));
        cx.send(0, msg);
        if let Some(writer) = client.writer {
            cx.status(Value::Undefined);
            writer.destroy();
        }
    }

    /// A piece of a connection that stays open.
    fn piece(&mut self, cx: &mut Cx<'_>, id: &str, bytes: Vec<u8>) {
        let by_lines = self.config.ret == "string" && !self.delimiter.is_empty();
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        if !by_lines {
            let mut msg = client.last.clone();
            msg.set_payload(self.value(bytes));
            return cx.send(0, msg);
        }
        client.answer.extend_from_slice(&bytes);
        let delimiter = self.delimiter.as_bytes();
        let mut from = 0;
        while let Some(at) = client.answer[from..]
            .windows(delimiter.len())
            .position(|part| part == delimiter)
        {
            let end = from + at + if self.config.trim { delimiter.len() } else { 0 };
            let mut msg = client.last.clone();
            msg.set_payload(String::from_utf8_lossy(&client.answer[from..end]).into_owned());
            cx.send(0, msg);
            from += at + delimiter.len();
        }
        client.answer.drain(..from);
    }

    fn failed(&mut self, cx: &mut Cx<'_>, number: u64) {
        let Some(id) = self.id_of(number) else { return };
        cx.set_status("red", "ring", "common.status.error");
        if let Some(client) = self.clients.remove(&id) {
            let msg = client.queue.front().unwrap_or(&client.last);
            cx.error(format!("connect failed {id}"), Some(msg));
        }
    }

    fn closed(&mut self, cx: &mut Cx<'_>, number: u64, ended: Ended) {
        let Some(id) = self.id_of(number) else {
            // (a connection that is left at once still ends)
            if self.until == Until::Immediately && ended == Ended::ByPeer {
                cx.set_status("grey", "ring", "common.status.disconnected");
            }
            return;
        };
        match ended {
            Ended::Broken(_) => self.failed(cx, number),
            Ended::ByPeer => {
                cx.set_status("grey", "ring", "common.status.disconnected");
                if let Some(client) = self.clients.get_mut(&id) {
                    client.writer = None;
                }
            }
            Ended::ByUs => {}
        }
    }
}

fn write(cx: &mut Cx<'_>, writer: &Writer, msg: &Msg) {
    if !msg.payload().is_undefined() {
        writer.write(&tcp::bytes_of(msg.payload(), false));
    }
    cx.done_with(msg);
}

impl Process for TcpRequest {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        match msg.payload() {
            Value::Undefined | Value::Buffer(_) | Value::Str(_) => {}
            Value::Null => {
                return cx.error(
                    "TypeError: Cannot read properties of null (reading 'toString')",
                    Some(&msg),
                );
            }
            other => {
                let text = other.to_js_string();
                msg.set_payload(text);
            }
        }
        if self.until == Until::Stay
            && msg.get("reset").is_some_and(Value::truthy)
            && !self.reset(cx, &msg)
        {
            return;
        }
        let text = |value: Option<&Value>| {
            value.map_or_else(|| "undefined".to_owned(), Value::to_js_string)
        };
        let host = if self.config.server.is_empty() {
            text(msg.get("host"))
        } else {
            self.config.server.clone()
        };
        let own = Value::from(self.config.port.as_str()).to_number();
        let port = if own == 0.0 || own.is_nan() {
            msg.get("port").cloned().unwrap_or(Value::Undefined)
        } else {
            Value::from(own)
        };
        let id = format!("{host}:{}", port.to_js_string());
        if id != self.last {
            cx.status(Value::Undefined);
            self.last.clone_from(&id);
        }
        let client = self.clients.entry(id.clone()).or_insert_with(|| Client {
            number: 0,
            writer: None,
            connecting: false,
            queue: VecDeque::new(),
            last: Msg::new(),
            answer: Vec::new(),
            timer: None,
        });
        client.last = msg.clone();
        if let Some(writer) = &client.writer {
            return write(cx, writer, &msg);
        }
        if client.queue.len() >= self.queue_size {
            client.queue.pop_front();
        }
        client.queue.push_back(msg);
        if client.connecting {
            return;
        }
        let number = number::parse_float(&port.to_js_string());
        if host.is_empty() || host == "undefined" || !(1.0..=65535.0).contains(&number) {
            return cx.warn("Host and/or port not set");
        }
        self.connect(cx, &id, host, number as u16);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        let found = self
            .clients
            .iter()
            .find(|(_, client)| client.timer == Some(timer))
            .map(|(id, _)| id.clone());
        if let Some(id) = found {
            self.answer(cx, &id);
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn std::any::Any>) {
        let Ok(event) = event.downcast::<Event>() else {
            return;
        };
        match *event {
            Event::Open(number, stream) => self.open(cx, number, stream),
            Event::Refused(number) => self.failed(cx, number),
            Event::Late(number) => {
                cx.set_status("grey", "dot", "tcpin.errors.connect-timeout");
                self.failed(cx, number);
            }
            Event::Data(number, bytes) => self.data(cx, number, bytes),
            Event::Closed(number, ended) => self.closed(cx, number, ended),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        self.clients
            .values()
            .filter_map(|client| client.writer.as_ref())
            .for_each(Writer::destroy);
        self.clients.clear();
        cx.status(Object::new());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_when_an_answer_ends() {
        for (out, splitc, expected) in [
            ("time", Value::from("20"), Until::Time(20.0)),
            ("immed", Value::from("x"), Until::Immediately),
            ("count", Value::from("7"), Until::Count(7)),
            ("char", Value::from("\\n"), Until::Char(Some(10))),
            ("char", Value::from("0x58"), Until::Char(Some(0x58))),
            ("char", Value::from("A"), Until::Char(Some(65))),
            ("sit", Value::from("0"), Until::Stay),
        ] {
            assert_eq!(until(out, &splitc), expected);
        }
    }
}
