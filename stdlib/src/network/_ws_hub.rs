//! The connections of a `websocket-listener` or `websocket-client` node, shared with the nodes that use it.

use super::net;
use super::tls::Tls;
use super::ws::{self, Socket, Told, Writer};
use std::any::Any;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use vgdc_core::value::{Object, Value, generate_id, json};
use vgdc_core::{Closing, Cx, Mailbox, NodeError, Process, TimerId};
use vgdc_expr::env_property;
use vgdc_http::http::{HeaderMap, HeaderValue, Request as HttpRequest, StatusCode, header};
use vgdc_http::{Exchange, Handler, HttpServer, Raw, Response, RouteGuard, full, hyper};

/// How long a client waits before it connects again.
const RECONNECT_MS: f64 = 3000.0;

/// What the nodes that use the connections are told.
#[derive(Clone)]
#[allow(missing_docs)] // the variants say it
pub enum Event {
    /// A connection stands.
    Opened { count: Option<usize>, id: String },
    /// Something went wrong with it.
    Failed { id: String },
    /// It is gone.
    Closed { count: Option<usize>, id: String },
    /// A message of it: what the `websocket in` nodes send.
    Message { id: String, data: Value },
}

/// What the hub's own node is told.
enum Own {
    /// A node wants the connection.
    Start,
    /// A peer has connected.
    Accepted(Raw, String),
    /// The client's connection stands.
    Connected(Box<Socket>, String),
    /// The client's connection could not be made.
    Refused(String),
    /// The peer gave a sign of life.
    Alive,
    /// A connection has ended; in good order when there is no reason.
    Ended(String, Option<String>),
    /// A node says something on the hub's behalf.
    Warn(String),
}

/// What a node that uses the connections reaches.
pub struct Hub {
    /// Messages are whole, as JSON.
    pub whole: bool,
    /// Peers connect here (or: this connects to a peer).
    pub is_server: bool,
    mailbox: Mailbox,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// `websocket in` nodes: id and mailbox.
    inputs: Vec<(String, Mailbox)>,
    /// Everybody who shows the state.
    watchers: Vec<(String, Mailbox)>,
    clients: Vec<(String, Writer)>,
    started: bool,
    /// The last attempt to connect has failed: what is sent meanwhile is lost without a word.
    refused: bool,
}

impl Hub {
    /// The hub that a node's form chose: a client before a listener. That there is none is the node's error.
    pub fn chosen(server: &str, client: &str, cx: &mut Cx<'_>) -> Option<Rc<Hub>> {
        let hub = cx.config::<Hub>(if client.is_empty() { server } else { client });
        if hub.is_none() {
            cx.error("Missing server configuration", None);
        }
        hub
    }

    /// A `websocket in` node begins to listen.
    pub fn register_input(&self, id: &str, mailbox: Mailbox) {
        let mut state = self.state.borrow_mut();
        state.inputs.retain(|(known, _)| known != id);
        state.inputs.push((id.to_owned(), mailbox.clone()));
        drop(state);
        self.watch(id, mailbox);
    }

    /// A node shows the state of the connections.
    pub fn watch(&self, id: &str, mailbox: Mailbox) {
        let mut state = self.state.borrow_mut();
        state.watchers.retain(|(known, _)| known != id);
        state.watchers.push((id.to_owned(), mailbox));
        if !self.is_server && !state.started {
            state.started = true;
            self.mailbox.post(Own::Start);
        }
    }

    /// A node is gone.
    pub fn remove(&self, id: &str) {
        let mut state = self.state.borrow_mut();
        state.inputs.retain(|(known, _)| known != id);
        state.watchers.retain(|(known, _)| known != id);
    }

    /// Sends to one peer of a listener; one that is gone is passed over.
    pub fn reply(&self, id: &str, message: Message) {
        let state = self.state.borrow();
        if let Some((_, writer)) = state
            .clients
            .iter()
            .find(|(known, _)| self.is_server && known == id)
        {
            writer.send(message);
        }
    }

    /// Sends to all peers, or to the one that this connects to.
    pub fn broadcast(&self, message: Message) {
        let state = self.state.borrow();
        if state.clients.is_empty() && !self.is_server {
            if state.refused {
                return;
            }
            let text = "An error occurred while sending:  Error: WebSocket is not open: readyState 0 (CONNECTING)";
            return self.mailbox.post(Own::Warn(text.to_owned()));
        }
        for (_, writer) in &state.clients {
            writer.send(message.clone());
        }
    }

    /// Hands a message to the nodes that listen.
    fn deliver(&self, id: &str, message: Message) {
        let data = match message {
            Message::Text(text) => Value::from(text.as_str()),
            Message::Binary(bytes) => Value::from(bytes.to_vec()),
            _ => return,
        };
        for (_, input) in &self.state.borrow().inputs {
            input.post(Event::Message {
                id: id.to_owned(),
                data: data.clone(),
            });
        }
    }

    fn tell(&self, event: &Event) {
        for (_, watcher) in &self.state.borrow().watchers {
            watcher.post(event.clone());
        }
    }

    fn count(&self) -> Option<usize> {
        self.is_server.then(|| self.state.borrow().clients.len())
    }
}

/// The form's properties, as both kinds of node have them.
pub struct Form {
    /// The path to listen on, or the URL to connect to.
    pub path: String,
    /// Messages are whole.
    pub whole: Value,
    /// Subprotocols to ask for, separated by commas.
    pub subprotocol: String,
    /// The `tls-config` node.
    pub tls: String,
    /// Seconds between signs of life.
    pub heartbeat: Value,
    /// Headers for connecting.
    pub headers: Vec<Value>,
}

/// The behaviour of both kinds of node.
pub struct HubNode {
    hub: Rc<Hub>,
    path: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    tls: Option<Rc<Tls>>,
    heartbeat_ms: Option<f64>,
    _route: Option<RouteGuard>,
    reconnect: Option<TimerId>,
    beat: Option<TimerId>,
    /// A ping has not been answered yet.
    pending: bool,
    tasks: Vec<tokio::sync::oneshot::Receiver<()>>,
}

impl HubNode {
    /// Makes the node; a listener takes its path.
    ///
    /// # Errors
    /// There is no HTTP listener, or it cannot bind.
    pub fn new(form: Form, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let lower = form.path.to_ascii_lowercase();
        let is_server = !lower.starts_with("ws://") && !lower.starts_with("wss://");
        let hub = Rc::new(Hub {
            whole: form.whole.as_str() == Some("true"),
            is_server,
            mailbox: cx.mailbox(),
            state: RefCell::default(),
        });
        let heartbeat =
            vgdc_core::value::number::parse_float(&form.heartbeat.to_js_string()).trunc();
        let mut node = HubNode {
            hub: hub.clone(),
            protocols: form
                .subprotocol
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            headers: headers(cx, &form.headers),
            tls: cx.config::<Tls>(&form.tls),
            heartbeat_ms: (heartbeat > 0.0).then_some(heartbeat * 1000.0),
            path: form.path,
            _route: None,
            reconnect: None,
            beat: None,
            pending: false,
            tasks: Vec::new(),
        };
        if is_server {
            node.listen(cx)?;
        }
        cx.publish(hub);
        Ok(node)
    }

    fn listen(&mut self, cx: &mut Cx<'_>) -> Result<(), NodeError> {
        let server = cx
            .services()
            .get::<HttpServer>()
            .ok_or_else(|| NodeError::new("this program has no HTTP listener"))?;
        let root = match cx.setting("httpNodeRoot") {
            Value::Str(root) if !root.is_empty() => root.to_string(),
            _ => "/".to_owned(),
        };
        let slash = if root.ends_with('/') { "" } else { "/" };
        let path = format!(
            "{root}{slash}{}",
            self.path.strip_prefix('/').unwrap_or(&self.path)
        );
        let mailbox = cx.mailbox();
        let handler: Handler = Arc::new(move |exchange| {
            let mailbox = mailbox.clone();
            Box::pin(async move { accept(exchange, mailbox) })
        });
        self._route = server.upgrade_route(&path, handler)?;
        if self._route.is_none() {
            cx.error(
                format!(
                    "Cannot have two WebSocket listeners on the same path: {}",
                    self.path
                ),
                None,
            );
        }
        Ok(())
    }

    fn connect(&mut self, cx: &mut Cx<'_>) {
        self.hub.state.borrow_mut().refused = false;
        let id = generate_id();
        let (url, protocols, headers, tls) = (
            self.path.clone(),
            self.protocols.clone(),
            self.headers.clone(),
            self.tls.clone(),
        );
        let mailbox = cx.mailbox();
        cx.spawn(async move {
            let opened = open(&url, &protocols, &headers, tls.as_deref()).await;
            mailbox.post(match opened {
                Ok(socket) => Own::Connected(Box::new(socket), id),
                Err(_) => Own::Refused(id),
            });
        });
    }

    /// A connection stands: it is read and written from now on.
    fn open(&mut self, cx: &mut Cx<'_>, socket: Socket, id: String) {
        let (mailbox, of_message, room) = (cx.mailbox(), id.clone(), cx.mailbox());
        let (told, hub) = (mailbox.clone(), self.hub.clone());
        let room = move || {
            let room = room.clone();
            async move { room.room().await }
        };
        let (writer, task) = ws::connection(socket, room, move |what| match what {
            Told::Message(message) => hub.deliver(&of_message, message),
            Told::Alive => told.post(Own::Alive),
        });
        let (done, ended) = tokio::sync::oneshot::channel();
        self.tasks.retain_mut(|task| {
            task.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty)
        });
        self.tasks.push(ended);
        let of_end = id.clone();
        // (not a task of the node: what is queued when the node stops is still to be written)
        tokio::task::spawn_local(async move {
            let ended = task.await;
            mailbox.post(Own::Ended(of_end, ended.err()));
            // (only a stopping node waits for it)
            let _ = done.send(());
        });
        self.hub
            .state
            .borrow_mut()
            .clients
            .push((id.clone(), writer));
        if let Some(ms) = self.heartbeat_ms.filter(|_| !self.hub.is_server) {
            self.pending = false;
            self.beat = Some(cx.set_timer_ms(ms));
        }
        self.hub.tell(&Event::Opened {
            count: self.hub.count(),
            id,
        });
    }

    fn again(&mut self, cx: &mut Cx<'_>) {
        if let Some(beat) = self.beat.take() {
            cx.clear_timer(beat);
        }
        if self.hub.is_server {
            return;
        }
        if let Some(timer) = self.reconnect.take() {
            cx.clear_timer(timer);
        }
        self.reconnect = Some(cx.set_timer_ms(RECONNECT_MS));
    }

    fn ended(&mut self, cx: &mut Cx<'_>, id: String, why: Option<String>) {
        let known = {
            let mut state = self.hub.state.borrow_mut();
            let before = state.clients.len();
            state.clients.retain(|(known, _)| *known != id);
            state.clients.len() < before
        };
        if !known {
            return;
        }
        if why.is_some() {
            self.hub.tell(&Event::Failed { id: id.clone() });
        }
        self.hub.tell(&Event::Closed {
            count: self.hub.count(),
            id,
        });
        self.again(cx);
    }

    fn pulse(&mut self, cx: &mut Cx<'_>) {
        let first = self.hub.state.borrow().clients.first().cloned();
        let (Some((id, writer)), Some(ms)) = (first, self.heartbeat_ms) else {
            return;
        };
        if self.pending {
            writer.terminate();
            return self.ended(cx, id, Some("timeout".into()));
        }
        self.pending = true;
        writer.send(Message::Ping(Default::default()));
        self.beat = Some(cx.set_timer_ms(ms));
    }
}

impl Process for HubNode {
    fn input(&mut self, _: &mut Cx<'_>, _: vgdc_core::value::Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let Ok(event) = event.downcast::<Own>() else {
            return;
        };
        match *event {
            Own::Start => self.connect(cx),
            Own::Accepted(raw, id) => match adopt(raw) {
                Ok(socket) => self.open(cx, socket, id),
                Err(error) => cx.warn(format!("An error occurred on the ws connection: {error}")),
            },
            Own::Connected(socket, id) => self.open(cx, *socket, id),
            Own::Refused(id) => {
                self.hub.state.borrow_mut().refused = true;
                self.hub.tell(&Event::Failed { id: id.clone() });
                self.hub.tell(&Event::Closed {
                    count: self.hub.count(),
                    id,
                });
                self.again(cx);
            }
            Own::Alive => self.pending = false,
            Own::Ended(id, why) => self.ended(cx, id, why),
            Own::Warn(text) => cx.warn(text),
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        if self.reconnect == Some(timer) {
            self.reconnect = None;
            self.connect(cx);
        } else if self.beat == Some(timer) {
            self.beat = None;
            self.pulse(cx);
        }
    }

    fn close(&mut self, _: &mut Cx<'_>, _: bool) -> Closing {
        self._route = None;
        let clients = std::mem::take(&mut self.hub.state.borrow_mut().clients);
        for (_, writer) in &clients {
            writer.send(Message::Close(None));
        }
        let tasks = std::mem::take(&mut self.tasks);
        Some(Box::pin(async move {
            let all = async {
                for task in tasks {
                    // (one that has ended says nothing)
                    let _ = task.await;
                }
            };
            if tokio::time::timeout(ws::CLOSE_LIMIT, all).await.is_err() {
                clients.iter().for_each(|(_, writer)| writer.terminate());
            }
        }))
    }
}

/// Headers of the form, for connecting; environment variables are put in.
fn headers(cx: &Cx<'_>, form: &[Value]) -> Vec<(String, String)> {
    let env = cx.env();
    let one = |form: &Value| {
        let text = |key: &str| {
            Some(form.get(key))
                .filter(|value| value.truthy())
                .map(|value| value.to_js_string())
        };
        let name = match text("keyType")?.as_str() {
            "other" => text("keyValue")?,
            name => name.to_owned(),
        };
        let value = match text("valueType")?.as_str() {
            "other" => text("valueValue")?,
            "env" => env_property(&text("valueValue")?, &env).to_js_string(),
            value => value.to_owned(),
        };
        Some((name, value)).filter(|(_, value)| !value.is_empty())
    };
    form.iter().filter_map(one).collect()
}

/// Connects to a WebSocket server.
async fn open(
    url: &str,
    protocols: &[String],
    headers: &[(String, String)],
    tls: Option<&Tls>,
) -> Result<Socket, String> {
    let url = super::url::Url::parse(url).map_err(|_| format!("Invalid URL: {url}"))?;
    let tcp = net::connect(&url.host, url.port())
        .await
        .map_err(|e| net::connect_error(&e, &url.host, url.port()))?;
    let stream: net::Stream = if url.is_secure() {
        let (config, name) = match tls {
            Some(tls) => (
                tls.client()?,
                tls.server_name.as_deref().unwrap_or(&url.host),
            ),
            None => (super::tls::plain_client(true)?, url.host.as_str()),
        };
        Box::new(
            super::tls::connect(tcp, config, name)
                .await
                .map_err(|e| e.to_string())?,
        )
    } else {
        Box::new(tcp)
    };
    let path = url.target();
    let target = ws::Target {
        host: &url.host,
        port: url.port(),
        path: &path,
        secure: url.is_secure(),
    };
    ws::client(stream, &target, protocols, headers).await
}

/// Answers a request to upgrade, on the listener's thread, and hands the connection to the node.
fn accept(exchange: Exchange, mailbox: Mailbox) {
    let Exchange {
        request, responder, ..
    } = exchange;
    match handshake(&request) {
        Ok(response) => {
            responder.answer(response);
            tokio::spawn(async move {
                // (a peer that is gone again was never there)
                if let Ok(raw) = vgdc_http::take_over(request).await {
                    mailbox.post(Own::Accepted(raw, generate_id()));
                }
            });
        }
        Err(status) => {
            let mut response = Response::new(full(status.canonical_reason().unwrap_or_default()));
            *response.status_mut() = status;
            responder.answer(response);
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// The answer that makes a connection a WebSocket (RFC 6455, 4.2.2); the first subprotocol that is asked for is taken.
fn handshake(request: &HttpRequest<hyper::body::Incoming>) -> Result<Response, StatusCode> {
    let headers = request.headers();
    let key = text(headers, header::SEC_WEBSOCKET_KEY);
    let is_websocket = text(headers, header::UPGRADE).eq_ignore_ascii_case("websocket");
    let version = text(headers, header::SEC_WEBSOCKET_VERSION);
    if request.method() != vgdc_http::http::Method::GET
        || !is_websocket
        || key.len() != 24
        || !matches!(version.as_str(), "8" | "13")
    {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    let protocols = text(headers, header::SEC_WEBSOCKET_PROTOCOL);
    if let Some(Ok(first)) = protocols
        .split(',')
        .map(str::trim)
        .find(|name| !name.is_empty())
        .map(HeaderValue::from_str)
    {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, first);
    }
    Ok(response)
}

/// A connection that was taken over, on this island's thread.
fn adopt(raw: Raw) -> std::io::Result<Socket> {
    let (stream, read): (net::Stream, Vec<u8>) = match raw {
        Raw::Tcp(tcp, read) => {
            let tcp = TcpStream::from_std(tcp)?;
            // Where the option cannot be set, the connection works without.
            let _ = tcp.set_nodelay(true);
            (Box::new(tcp), read.to_vec())
        }
        Raw::Other(upgraded) => (Box::new(*upgraded), Vec::new()),
    };
    let made = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(ws::config()));
    let made = std::pin::pin!(made) as Pin<&mut dyn Future<Output = Socket>>;
    // (it waits for nothing: there is no handshake left to make)
    futures_util::FutureExt::now_or_never(made)
        .ok_or_else(|| std::io::Error::other("the connection could not be taken over"))
}

/// A connection's `msg._session`.
pub fn session(id: &str) -> Value {
    let session: Object = [("type", Value::from("websocket")), ("id", Value::from(id))]
        .into_iter()
        .collect();
    Value::Object(session)
}

/// Shows an event as a node's status.
pub fn show(cx: &mut Cx<'_>, event: &Event) {
    let connected = |count: &Option<usize>| {
        format!(
            "connected {}",
            count.map(|count| count.to_string()).unwrap_or_default()
        )
    };
    let (fill, shape, text, name, id) = match event {
        Event::Opened { count, id } => ("green", "dot", connected(count), "connect", id),
        Event::Failed { id } => ("red", "ring", "common.status.error".to_owned(), "error", id),
        Event::Closed { count, id } if count.is_some_and(|count| count > 0) => {
            ("green", "dot", connected(count), "disconnect", id)
        }
        Event::Closed { id, .. } => (
            "red",
            "ring",
            "common.status.disconnected".to_owned(),
            "disconnect",
            id,
        ),
        Event::Message { .. } => return,
    };
    let mut status = Object::new();
    for (key, value) in [
        ("fill", fill),
        ("shape", shape),
        ("text", &text),
        ("event", name),
    ] {
        status.insert(key, value);
    }
    status.insert("_session", session(id));
    cx.status(status);
}

/// What the data of a whole message means: an object, or the payload of one.
pub fn whole(data: &Value) -> Value {
    let text = match data {
        Value::Buffer(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.to_js_string(),
    };
    match json::parse(&text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        Ok(value) => Value::Object([("payload", value)].into_iter().collect()),
        Err(_) => Value::Object([("payload", data.clone())].into_iter().collect()),
    }
}
