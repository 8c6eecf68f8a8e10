//! **tcp out** — writes to a TCP connection: as a client, as a server to all who connect, or as a reply to the connection
//! that a **tcp in** node took the message from (`msg._session`; without it, to all of them).
//!
//! Buffers are written as they are, other payloads as text; base64 text can be decoded first. `msg.reset` set to true ends
//! the connection (reply).

use super::net::Stream;
use super::tcp::{self, Ended, Pool, Told, Writer};
use super::tls::Tls;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TcpOutConfig {
    #[field(default = "client", label = "Type", choices = [("server", "Listen on a port"), ("client", "Connect to a host"), ("reply", "Reply to TCP")])]
    beserver: String,
    #[field(default = "", label = "Host", when = [is("beserver", "client")])]
    host: String,
    #[field(default = "", label = "Port", when = [not("beserver", "reply")])]
    port: String,
    #[field(default = false, label = "Decode Base64")]
    base64: bool,
    #[field(default = false, label = "Close after each message")]
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
    port: u16,
    tls: Option<Rc<Tls>>,
    connections: HashMap<u64, (Writer, Option<SocketAddr>)>,
    next: u64,
    reconnect_ms: f64,
    idle: Option<Duration>,
    /// The node itself has ended the connection: it connects again at once.
    ended: bool,
}

enum Event {
    Open(Stream, Option<SocketAddr>),
    Refused(String),
    Idle(u64),
    Closed(u64, Ended),
}

#[node(type = "tcp out", category = "network", inputs = 1, outputs = 0, effect = Io, color = "silver", icon = "bridge-dash.svg")]
impl Node for TcpOut {
    type Config = TcpOutConfig;

    fn new(config: TcpOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mode = match config.beserver.as_str() {
            "" | "client" => Mode::Client,
            "reply" => Mode::Reply(tcp::pool(cx)),
            _ => Mode::Server,
        };
        let node = TcpOut {
            port: tcp::port_of(&config.port),
            tls: tcp::tls_of(cx, &config.tls)?,
            connections: HashMap::new(),
            next: 0,
            reconnect_ms: tcp::reconnect_ms(cx),
            idle: if matches!(mode, Mode::Server) {
                tcp::idle_limit(cx)
            } else {
                None
            },
            ended: false,
            mode,
            config,
        };
        if matches!(node.mode, Mode::Server) {
            node.listen(cx)?;
        }
        Ok(node)
    }
}

impl TcpOut {
    fn connect(&self, cx: &mut Cx<'_>, tries: u32) {
        tcp::begin_connect(
            cx,
            &self.config.host,
            self.port,
            self.tls.clone(),
            tries,
            |dialled| match dialled {
                Ok(stream) => Event::Open(stream, None),
                Err(why) => Event::Refused(why.to_string()),
            },
        );
    }

    fn listen(&self, cx: &mut Cx<'_>) -> Result<(), NodeError> {
        if let Some(tls) = &self.tls {
            tls.server().map_err(NodeError::new)?;
        }
        self.server_status(cx);
        tcp::begin_listen(cx, self.port, self.tls.clone(), |stream, peer| {
            Event::Open(stream, Some(peer))
        });
        Ok(())
    }

    fn server_status(&self, cx: &mut Cx<'_>) {
        let mut status = Object::new();
        status.insert("text", tcp::connections(self.connections.len()));
        cx.status(status);
    }

    fn open(&mut self, cx: &mut Cx<'_>, stream: Stream, peer: Option<SocketAddr>) {
        self.next += 1;
        let number = self.next;
        let mailbox = cx.mailbox();
        let (writer, task) =
            tcp::connection(stream, cx.mailbox(), self.idle, move |told| match told {
                Told::Data(_) => {}
                Told::Idle => mailbox.post(Event::Idle(number)),
            });
        self.connections.insert(number, (writer, peer));
        let mailbox = cx.mailbox();
        tokio::task::spawn_local(async move { mailbox.post(Event::Closed(number, task.await)) });
        match peer {
            None => {
                cx.log(
                    Level::Info,
                    format!("connected to {}:{}", self.config.host, self.port),
                );
                cx.set_status("green", "dot", "common.status.connected");
            }
            Some(peer) => {
                cx.log(
                    Level::Info,
                    format!("connection from {}:{}", tcp::ip_text(peer), peer.port()),
                );
                self.server_status(cx);
            }
        }
    }

    fn lost(&mut self, cx: &mut Cx<'_>) {
        cx.set_status("red", "ring", "common.status.disconnected");
        let wait = if std::mem::take(&mut self.ended) {
            20.0
        } else {
            cx.log(
                Level::Info,
                format!("connection lost to {}:{}", self.config.host, self.port),
            );
            self.reconnect_ms
        };
        cx.set_timer_ms(wait);
    }

    fn closed(&mut self, cx: &mut Cx<'_>, number: u64, ended: Ended) {
        let Some((_, peer)) = self.connections.remove(&number) else {
            return;
        };
        match (peer, ended) {
            (None, Ended::Broken(why)) => {
                cx.log(Level::Info, format!("error: {why}"));
                self.lost(cx);
            }
            (None, ended) => {
                if ended == Ended::ByPeer && !self.ended {
                    cx.status(Object::new());
                }
                self.lost(cx);
            }
            (Some(peer), Ended::Broken(_)) => {
                cx.log(
                    Level::Info,
                    format!("socket error from {}:{}", tcp::ip_text(peer), peer.port()),
                );
                self.server_status(cx);
            }
            (Some(peer), _) => {
                cx.log(
                    Level::Info,
                    format!(
                        "connection closed from {}:{}",
                        tcp::ip_text(peer),
                        peer.port()
                    ),
                );
                self.server_status(cx);
            }
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, msg: &Msg) {
        if msg.payload().is_nullish() {
            return;
        }
        let bytes = tcp::bytes_of(msg.payload(), self.config.base64);
        for (writer, _) in self.connections.values() {
            writer.write(&bytes);
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
        let session = msg
            .get("_session")
            .filter(|session| session.get("type").as_str() == Some("tcp"));
        let reset = msg
            .get("reset")
            .is_some_and(|reset| *reset == Value::Bool(true));
        let bytes = tcp::bytes_of(msg.payload(), self.config.base64);
        let act = |writer: &Writer| {
            if reset {
                writer.destroy();
            } else {
                writer.write(&bytes);
            }
        };
        match session.map(|session| session.get("id")) {
            Some(Value::Str(id)) => pool.with(&id, act),
            Some(_) => {}
            None => pool.all().iter().for_each(act),
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

    fn started(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.mode, Mode::Client) {
            self.connect(cx, tcp::AT_START);
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, _: TimerId) {
        self.connect(cx, 1);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn std::any::Any>) {
        let Ok(event) = event.downcast::<Event>() else {
            return;
        };
        match *event {
            Event::Open(stream, peer) => self.open(cx, stream, peer),
            Event::Refused(why) => {
                cx.log(Level::Info, format!("error: {why}"));
                self.lost(cx);
            }
            Event::Idle(number) => {
                cx.log(
                    Level::Info,
                    format!("timeout closed socket port {}", self.port),
                );
                if let Some((writer, _)) = self.connections.get(&number) {
                    writer.end();
                }
            }
            Event::Closed(number, ended) => self.closed(cx, number, ended),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        let writers: Vec<Writer> = self
            .connections
            .drain()
            .map(|(_, (writer, _))| writer)
            .collect();
        if matches!(self.mode, Mode::Server) {
            cx.log(Level::Info, "stopped listening on port");
        }
        tcp::end_all(writers)
    }
}
