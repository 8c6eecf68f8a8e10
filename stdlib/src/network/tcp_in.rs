//! **tcp in** — takes data from a TCP connection, as a server or as a client that connects (and connects again).
//!
//! The stream comes in pieces as they arrive, cut at a delimiter, or as one message when the connection ends; as buffers,
//! text or base64. Messages have `topic`, `ip` and `port` of the peer, and `_session`, by which a **tcp out** node replies.
//! While the flow is busy the connection is not read: the peer waits.

use super::net::Stream;
use super::tcp::{self, Datatype, Ended, Pool, Splitter, Told, Writer};
use super::tls::Tls;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value, generate_id};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, Process, TimerId};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TcpInConfig {
    #[field(json = "\"server\"", shown = Text, label = "Type", choices = [("server", "Listen on a port"), ("client", "Connect to a host")])]
    server: Value,
    #[field(default = "localhost", begin = "", label = "Host", when = [is("server", "client")])]
    host: String,
    #[field(default = "", required = true, label = "Port")]
    port: String,
    #[field(default = "", kind = ConfigRef("tls-config"), label = "TLS")]
    tls: String,
    #[field(default = "stream", label = "Output", choices = [("stream", "A stream of messages"), ("single", "One message at the end")])]
    datamode: String,
    #[field(default = "buffer", label = "as", choices = [("buffer", "Buffer"), ("utf8", "Text"), ("base64", "Base64")])]
    datatype: String,
    #[field(default = "", label = "Split at", when = [is("datamode", "stream"), is("datatype", "utf8")])]
    newline: String,
    #[field(default = "", label = "Topic")]
    topic: String,
    #[field(default = false, label = "Without the separator")]
    trim: bool,
    #[field(default = false, kind = Bool, hidden = true)]
    _base64: (),
}

/// The behaviour.
pub struct TcpIn {
    config: TcpInConfig,
    server: bool,
    port: u16,
    tls: Option<Rc<Tls>>,
    pool: Arc<Pool>,
    connections: HashMap<String, Connection>,
    reconnect_ms: f64,
    idle: Option<Duration>,
    /// The last connection brought something before it ended: the node connects again at once.
    got_something: bool,
}

struct Connection {
    splitter: Splitter,
    form: Msg,
    peer: Option<SocketAddr>,
    writer: Writer,
}

enum Event {
    /// A connection stands.
    Open(Stream, Option<SocketAddr>),
    /// It could not be made.
    Refused(Value),
    /// A piece of it.
    Data(Arc<str>, Vec<u8>),
    /// Nothing has happened on it for too long.
    Idle(Arc<str>),
    /// It has ended.
    Closed(Arc<str>, Ended),
}

#[node(type = "tcp in", category = "network", inputs = 0, outputs = 1, effect = Source, types = types, color = "silver", icon = "bridge-dash.svg")]
impl Node for TcpIn {
    type Config = TcpInConfig;

    fn new(config: TcpInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let server = match &config.server {
            Value::Bool(server) => *server,
            other => other.as_str() == Some("server"),
        };
        let node = TcpIn {
            server,
            port: tcp::port_of(&config.port),
            tls: tcp::tls_of(cx, &config.tls)?,
            pool: tcp::pool(cx),
            connections: HashMap::new(),
            reconnect_ms: tcp::reconnect_ms(cx),
            idle: if server { tcp::idle_limit(cx) } else { None },
            got_something: false,
            config,
        };
        if server {
            node.listen(cx)?;
        }
        Ok(node)
    }
}

/// What comes over a connection.
fn types(t: &mut dyn Typing) {
    let payload = match t.text("datatype").as_str() {
        "buffer" => "buffer",
        _ => "buffer | string",
    };
    let message = t.ty(&format!(
        "object{{topic: string, payload: {payload}, ip: string | undefined, port: number | undefined, _session: any}}"
    ));
    t.set_message(message);
    t.send(0);
}

impl TcpIn {
    fn listen(&self, cx: &mut Cx<'_>) -> Result<(), NodeError> {
        if let Some(tls) = &self.tls {
            tls.server().map_err(NodeError::new)?;
        }
        tcp::begin_listen(cx, self.port, self.tls.clone(), |stream, peer| {
            Event::Open(stream, Some(peer))
        });
        Ok(())
    }

    fn connect(&self, cx: &mut Cx<'_>, tries: u32) {
        tcp::begin_connect(
            cx,
            &self.config.host,
            self.port,
            self.tls.clone(),
            tries,
            |dialled| match dialled {
                Ok(stream) => Event::Open(stream, None),
                Err(why) => Event::Refused(why.into()),
            },
        );
    }

    fn open(&mut self, cx: &mut Cx<'_>, stream: Stream, peer: Option<SocketAddr>) {
        let id: Arc<str> = generate_id().into();
        let (mailbox, of_data) = (cx.mailbox(), id.clone());
        let (writer, task) = tcp::connection(stream, cx.mailbox(), self.idle, move |told| {
            mailbox.post(match told {
                Told::Data(bytes) => Event::Data(of_data.clone(), bytes),
                Told::Idle => Event::Idle(of_data.clone()),
            });
        });
        self.pool.add(&id, writer.clone());
        let single = !matches!(self.config.datamode.as_str(), "" | "stream");
        let splitter = Splitter::new(
            Datatype::of(&self.config.datatype),
            &tcp::unescape(&self.config.newline),
            self.config.trim,
            single,
        );
        let form = tcp::form(&self.config.topic, &tcp::session(&id), peer);
        self.connections.insert(
            id.to_string(),
            Connection {
                splitter,
                form,
                peer,
                writer,
            },
        );
        let (mailbox, of_end) = (cx.mailbox(), id.clone());
        tokio::task::spawn_local(async move { mailbox.post(Event::Closed(of_end, task.await)) });
        match peer {
            Some(peer) => self.server_status(cx, "connect", peer, &id),
            None => {
                cx.log(
                    Level::Info,
                    format!("connected to {}:{}", self.config.host, self.port),
                );
                self.client_status(cx, "green", "dot", "common.status.connected", &id);
            }
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
        let mut status: Object = [("fill", fill), ("shape", shape), ("text", text)]
            .into_iter()
            .collect();
        status.insert("_session", tcp::session(id));
        cx.status(status);
    }

    fn data(&mut self, cx: &mut Cx<'_>, id: &str, bytes: Vec<u8>) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Connection { splitter, form, .. } = connection;
        splitter.take(bytes, |payload| cx.send(0, tcp::message(form, payload)));
    }

    fn closed(&mut self, cx: &mut Cx<'_>, id: &str, ended: Ended) {
        self.pool.remove(id);
        let Some(mut connection) = self.connections.remove(id) else {
            return;
        };
        if let Ended::Broken(why) = &ended {
            cx.log(Level::Info, why.as_str());
        }
        if ended == Ended::ByPeer
            && let Some(payload) = connection.splitter.finish(self.server)
        {
            self.got_something = true;
            let mut msg = tcp::message(&connection.form, payload);
            // (what is left of a stream does not say whose it is, as in Node-RED)
            if self.server && matches!(self.config.datamode.as_str(), "" | "stream") {
                msg.insert("ip", Value::Undefined);
                msg.insert("port", Value::Undefined);
            }
            cx.send(0, msg);
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
            cx.log(
                Level::Info,
                format!("connection lost to {}:{}", self.config.host, self.port),
            );
            self.reconnect_ms
        };
        cx.set_timer_ms(wait);
    }
}

impl Process for TcpIn {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn started(&mut self, cx: &mut Cx<'_>) {
        if !self.server {
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
                cx.log(Level::Info, why);
                self.lost(cx, &generate_id());
            }
            Event::Data(id, bytes) => self.data(cx, &id, bytes),
            Event::Idle(id) => {
                cx.log(
                    Level::Info,
                    format!("timeout closed socket port {}", self.port),
                );
                if let Some(connection) = self.connections.get(&*id) {
                    connection.writer.end();
                }
            }
            Event::Closed(id, ended) => self.closed(cx, &id, ended),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        for id in self.connections.keys() {
            self.pool.remove(id);
        }
        let writers: Vec<Writer> = self
            .connections
            .drain()
            .map(|(_, connection)| connection.writer)
            .collect();
        if !self.server {
            writers.iter().for_each(Writer::destroy);
            return None;
        }
        cx.log(Level::Info, "stopped listening on port");
        tcp::end_all(writers)
    }
}
