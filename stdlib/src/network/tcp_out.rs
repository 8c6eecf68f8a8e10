//! **tcp out** — writes to a TCP connection: as a client, as a server to all who connect, or as a reply to the connection
//! that a **tcp in** node took the message from (`msg._session`; without it, to all of them).
//!
//! Buffers are written as they are, other payloads as text; base64 text can be decoded first. `msg.reset` set to true ends
//! the connection (reply).

use super::tcp::{self, Pool, Writer};
use super::tcp_in::connect_error;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Closing, Cx, Level, Mailbox, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TcpOutConfig {
    #[field(default = "", label = "at host")]
    host: String,
    #[field(default = "", label = "port")]
    port: String,
    #[field(default = "client", label = "Type")]
    beserver: String,
    #[field(default = false, label = "Decode Base64 message?")]
    base64: bool,
    #[field(default = false, label = "Close connection after each message is sent?")]
    end: bool,
    #[field(default = "", kind = ConfigRef("tls-config"), label = "TLS")]
    tls: String,
}

enum Mode {
    Client,
    Server,
    Reply(Arc<Pool>),
}

/// The behaviour.
pub struct TcpOut {
    config: TcpOutConfig,
    mode: Mode,
    connections: HashMap<u64, (Writer, SocketAddr)>,
    next: u64,
    reconnect_ms: f64,
    /// The node itself has ended the connection: it connects again at once.
    ended: bool,
}

enum Event {
    Open(TcpStream, SocketAddr),
    Refused(String),
    Gone(u64),
}

#[node(type = "tcp out", category = "network", inputs = 1, outputs = 0, effect = Io)]
impl Node for TcpOut {
    type Config = TcpOutConfig;

    fn new(config: TcpOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        if !config.tls.is_empty() {
            return Err(NodeError::new("TLS for TCP nodes is not there yet"));
        }
        let mode = match config.beserver.as_str() {
            "" | "client" => Mode::Client,
            "reply" => Mode::Reply(tcp::pool(cx)),
            _ => Mode::Server,
        };
        let reconnect_ms = cx.setting("socketReconnectTime").as_f64().filter(|ms| *ms > 0.0).unwrap_or(10_000.0);
        let node = TcpOut { mode, connections: HashMap::new(), next: 0, reconnect_ms, ended: false, config };
        match node.mode {
            Mode::Client => node.connect(cx),
            Mode::Server => node.listen(cx),
            Mode::Reply(_) => {}
        }
        Ok(node)
    }
}

impl TcpOut {
    fn port(&self) -> u16 {
        let port = Value::from(self.config.port.as_str()).to_number();
        if (0.0..=65535.0).contains(&port) { port as u16 } else { 0 }
    }

    fn connect(&self, cx: &mut Cx<'_>) {
        let (host, port) = (self.config.host.clone(), self.port());
        cx.log(Level::Info, format!("connecting to {host}:{port}"));
        cx.set_status("grey", "dot", "common.status.connecting");
        let mailbox = cx.mailbox();
        cx.spawn(async move {
            let event = match TcpStream::connect((host.as_str(), port)).await {
                Ok(stream) => match stream.peer_addr() {
                    Ok(peer) => Event::Open(stream, peer),
                    Err(error) => Event::Refused(error.to_string()),
                },
                Err(error) => Event::Refused(connect_error(&error, &host, port)),
            };
            mailbox.post(event);
        });
    }

    fn listen(&self, cx: &mut Cx<'_>) {
        self.server_status(cx);
        let port = self.port();
        match tcp::listen(port) {
            Ok(listener) => {
                cx.log(Level::Info, format!("listening on port {port}"));
                let mailbox = cx.mailbox();
                cx.spawn(async move {
                    loop {
                        match listener.accept().await {
                            Ok((stream, peer)) => mailbox.post(Event::Open(stream, peer)),
                            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
                        }
                    }
                });
            }
            Err(why) => cx.error(format!("unable to listen on port {port}, error: {why}"), None),
        }
    }

    fn server_status(&self, cx: &mut Cx<'_>) {
        let mut status = Object::new();
        status.insert("text", tcp::connections(self.connections.len()));
        cx.status(status);
    }

    fn open(&mut self, cx: &mut Cx<'_>, stream: TcpStream, peer: SocketAddr) {
        tcp::prepare(&stream);
        self.next += 1;
        let (read, write) = stream.into_split();
        let (writer, task) = tcp::writer(write);
        self.connections.insert(self.next, (writer, peer));
        cx.spawn(task);
        cx.spawn(until_end(read, self.next, cx.mailbox()));
        match self.mode {
            Mode::Client => {
                cx.log(Level::Info, format!("connected to {}:{}", self.config.host, self.port()));
                cx.set_status("green", "dot", "common.status.connected");
            }
            _ => {
                cx.log(Level::Info, format!("connection from {}:{}", tcp::ip_text(peer), peer.port()));
                self.server_status(cx);
            }
        }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) {
        cx.set_status("red", "ring", "common.status.disconnected");
        let wait = if std::mem::take(&mut self.ended) {
            20.0
        } else {
            cx.log(Level::Info, format!("connection lost to {}:{}", self.config.host, self.port()));
            self.reconnect_ms
        };
        cx.set_timer_ms(wait);
    }

    fn write(&mut self, cx: &mut Cx<'_>, msg: &Msg) {
        if msg.payload().is_nullish() {
            return;
        }
        let bytes = tcp::bytes_of(msg.payload(), self.config.base64);
        for (writer, _) in self.connections.values() {
            writer.write(bytes.clone());
            if self.config.end {
                writer.end();
            }
        }
        if self.config.end && matches!(self.mode, Mode::Client) && !self.connections.is_empty() {
            self.ended = true;
            cx.status(Object::new());
        }
    }

    fn reply(&self, pool: &Pool, msg: &Msg) {
        let session = msg.get("_session");
        let of_tcp = session.filter(|session| session.get("type").as_str() == Some("tcp"));
        let writers = match of_tcp {
            Some(session) => pool.get(&session.get("id").to_js_string()).into_iter().collect(),
            None => pool.all(),
        };
        let reset = msg.get("reset").is_some_and(|reset| *reset == Value::Bool(true));
        for writer in writers {
            if reset {
                writer.destroy();
            } else {
                writer.write(tcp::bytes_of(msg.payload(), self.config.base64));
            }
        }
    }
}

impl Process for TcpOut {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        match &self.mode {
            Mode::Reply(pool) => self.reply(pool, &msg),
            Mode::Client | Mode::Server => self.write(cx, &msg),
        }
        cx.done_with(&msg);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, _: TimerId) {
        self.connect(cx);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn std::any::Any>) {
        let Ok(event) = event.downcast::<Event>() else { return };
        match *event {
            Event::Open(stream, peer) => self.open(cx, stream, peer),
            Event::Refused(why) => {
                cx.log(Level::Info, format!("error: {why}"));
                self.lost(cx);
            }
            Event::Gone(number) => {
                let Some((_, peer)) = self.connections.remove(&number) else { return };
                match self.mode {
                    Mode::Client => self.lost(cx),
                    _ => {
                        cx.log(Level::Info, format!("connection closed from {}:{}", tcp::ip_text(peer), peer.port()));
                        self.server_status(cx);
                    }
                }
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        for (_, (writer, _)) in self.connections.drain() {
            writer.end();
        }
        if matches!(self.mode, Mode::Server) {
            cx.log(Level::Info, "stopped listening on port");
        }
        None
    }
}

/// Reads and forgets, to learn of the end.
async fn until_end(mut read: tokio::net::tcp::OwnedReadHalf, number: u64, mailbox: Mailbox) {
    let mut buffer = [0; 4096];
    while matches!(read.read(&mut buffer).await, Ok(count) if count > 0) {}
    mailbox.post(Event::Gone(number));
}
