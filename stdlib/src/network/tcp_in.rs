//! **tcp in** — takes data from a TCP connection, as a server or as a client that connects (and connects again).
//!
//! The stream comes in pieces as they arrive, cut at a delimiter, or as one message when the connection ends; as buffers,
//! text or base64. Messages have `topic`, `ip` and `port` of the peer, and `_session`, by which a **tcp out** node replies.
//! While the flow is busy the connection is not read: the peer waits.

use super::tcp::{self, Datatype, Pool, Splitter, Writer};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use vgdc_core::value::{Msg, Object, Value, generate_id};
use vgdc_core::{Closing, Cx, Level, Mailbox, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TcpInConfig {
    #[field(json = "\"server\"", label = "Type")]
    server: Value,
    #[field(default = "localhost", label = "at host")]
    host: String,
    #[field(default = "", label = "port")]
    port: String,
    #[field(default = "stream", label = "Output")]
    datamode: String,
    #[field(default = "buffer")]
    datatype: String,
    #[field(default = "", label = "delimited by")]
    newline: String,
    #[field(default = "", label = "Topic")]
    topic: String,
    #[field(default = false)]
    trim: bool,
    #[field(default = "", kind = ConfigRef("tls-config"), label = "TLS")]
    tls: String,
}

/// The behaviour.
pub struct TcpIn {
    config: TcpInConfig,
    server: bool,
    pool: Arc<Pool>,
    connections: HashMap<String, Connection>,
    reconnect: Option<TimerId>,
    reconnect_ms: f64,
    got_something: bool,
}

struct Connection {
    splitter: Splitter,
    session: Value,
    peer: Option<SocketAddr>,
    writer: Writer,
}

enum Event {
    /// A connection stands.
    Open(TcpStream, SocketAddr),
    /// It could not be made.
    Refused(String),
    /// A piece of it.
    Data(String, Vec<u8>),
    /// The peer has ended it.
    End(String),
    /// It broke.
    Broken(String, String),
}

#[node(type = "tcp in", category = "network", inputs = 0, outputs = 1, effect = Source)]
impl Node for TcpIn {
    type Config = TcpInConfig;

    fn new(config: TcpInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let server = match &config.server {
            Value::Bool(server) => *server,
            other => other.as_str() == Some("server"),
        };
        if !config.tls.is_empty() {
            return Err(NodeError::new("TLS for TCP nodes is not there yet"));
        }
        let reconnect_ms = cx.setting("socketReconnectTime").as_f64().filter(|ms| *ms > 0.0).unwrap_or(10_000.0);
        let node = TcpIn { server, pool: tcp::pool(cx), connections: HashMap::new(), reconnect: None, reconnect_ms, got_something: false, config };
        if server { node.listen(cx) } else { node.connect(cx) }
        Ok(node)
    }
}

impl TcpIn {
    fn port(&self) -> u16 {
        let port = Value::from(self.config.port.as_str()).to_number();
        if (0.0..=65535.0).contains(&port) { port as u16 } else { 0 }
    }

    fn listen(&self, cx: &mut Cx<'_>) {
        let port = self.port();
        match tcp::listen(port) {
            Ok(listener) => {
                let shown = listener.local_addr().map_or(port, |addr| addr.port());
                cx.log(Level::Info, format!("listening on port {shown}"));
                cx.spawn(accept(listener, cx.mailbox()));
            }
            Err(why) => cx.error(format!("unable to listen on port {port}, error: {why}"), None),
        }
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

    fn open(&mut self, cx: &mut Cx<'_>, stream: TcpStream, peer: SocketAddr) {
        tcp::prepare(&stream);
        let id = generate_id();
        let (read, write) = stream.into_split();
        let (writer, task) = tcp::writer(write);
        self.pool.add(&id, writer.clone());
        let single = self.config.datamode == "single";
        let splitter = Splitter::new(Datatype::of(&self.config.datatype), &tcp::unescape(&self.config.newline), self.config.trim, single);
        let session = tcp::session(&id);
        let shown = self.server.then_some(peer);
        self.connections.insert(id.clone(), Connection { splitter, session, peer: shown, writer });
        cx.spawn(task);
        cx.spawn(read_all(read, id.clone(), cx.mailbox()));
        if self.server {
            self.server_status(cx, "connect", peer, &id);
        } else {
            cx.log(Level::Info, format!("connected to {}:{}", self.config.host, self.port()));
            self.client_status(cx, "green", "dot", "common.status.connected", &id);
        }
    }

    fn server_status(&self, cx: &mut Cx<'_>, event: &str, peer: SocketAddr, id: &str) {
        let mut status = Object::new();
        status.insert("text", tcp::connections(self.connections.len()));
        status.insert("event", event);
        status.insert("ip", tcp::ip_text(peer));
        status.insert("port", peer.port());
        status.insert("_session", tcp::session(id));
        cx.status(status);
    }

    fn client_status(&self, cx: &mut Cx<'_>, fill: &str, shape: &str, text: &str, id: &str) {
        let mut status: Object = [("fill", fill), ("shape", shape), ("text", text)].into_iter().collect();
        status.insert("_session", tcp::session(id));
        cx.status(status);
    }

    fn data(&mut self, cx: &mut Cx<'_>, id: &str, bytes: Vec<u8>) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let Connection { splitter, session, peer, .. } = connection;
        let topic = &self.config.topic;
        splitter.take(bytes, |payload| cx.send(0, tcp::message(topic, payload, session, *peer)));
    }

    fn gone(&mut self, cx: &mut Cx<'_>, id: &str) {
        self.pool.remove(id);
        let Some(mut connection) = self.connections.remove(id) else { return };
        if let Some(payload) = connection.splitter.finish(self.server) {
            self.got_something = true;
            cx.send(0, tcp::message(&self.config.topic, payload, &connection.session, connection.peer));
        }
        match connection.peer {
            Some(peer) => self.server_status(cx, "disconnect", peer, id),
            None => self.lost(cx, id),
        }
    }

    /// The client has lost its connection, or got none: it tries again.
    fn lost(&mut self, cx: &mut Cx<'_>, id: &str) {
        self.client_status(cx, "red", "ring", "common.status.disconnected", id);
        let wait = if std::mem::take(&mut self.got_something) {
            20.0
        } else {
            cx.log(Level::Info, format!("connection lost to {}:{}", self.config.host, self.port()));
            self.reconnect_ms
        };
        self.reconnect = Some(cx.set_timer_ms(wait));
    }
}

impl Process for TcpIn {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn timer(&mut self, cx: &mut Cx<'_>, _: TimerId) {
        self.reconnect = None;
        self.connect(cx);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn std::any::Any>) {
        let Ok(event) = event.downcast::<Event>() else { return };
        match *event {
            Event::Open(stream, peer) => self.open(cx, stream, peer),
            Event::Refused(why) => {
                cx.log(Level::Info, why);
                self.lost(cx, &generate_id());
            }
            Event::Data(id, bytes) => self.data(cx, &id, bytes),
            Event::End(id) => self.gone(cx, &id),
            Event::Broken(id, why) => {
                cx.log(Level::Info, why);
                self.gone(cx, &id);
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        for (id, connection) in self.connections.drain() {
            connection.writer.end();
            self.pool.remove(&id);
        }
        if self.server {
            cx.log(Level::Info, "stopped listening on port");
        }
        None
    }
}

/// What Node.js says of a connection that could not be made.
pub fn connect_error(error: &std::io::Error, host: &str, port: u16) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => format!("Error: connect ECONNREFUSED {host}:{port}"),
        std::io::ErrorKind::TimedOut => format!("Error: connect ETIMEDOUT {host}:{port}"),
        _ => format!("Error: connect {host}:{port}: {error}"),
    }
}

async fn accept(listener: TcpListener, mailbox: Mailbox) {
    loop {
        mailbox.room().await;
        match listener.accept().await {
            Ok((stream, peer)) => mailbox.post(Event::Open(stream, peer)),
            // Out of file descriptors, or the client was gone again: try again soon.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

async fn read_all(mut read: tokio::net::tcp::OwnedReadHalf, id: String, mailbox: Mailbox) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        // While the island is busy nothing is read: the peer's window closes, and the peer waits.
        mailbox.room().await;
        match read.read(&mut buffer).await {
            Ok(0) => return mailbox.post(Event::End(id)),
            Ok(count) => mailbox.post(Event::Data(id.clone(), buffer[..count].to_vec())),
            Err(error) => return mailbox.post(Event::Broken(id, format!("Error: read: {error}"))),
        }
    }
}
