//! **udp out** — sends the payload as a datagram to a host and port: of the node, or `msg.ip` and `msg.port`.
//!
//! Buffers are sent as they are, other payloads as text; base64 can be decoded first. It can send from a port of its own, to
//! everybody (broadcast) or to a multicast group. Where a **udp in** node has the port, it sends from its socket.

use super::udp::{self, Family, Socket};
use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use vgdc_core::value::{ErrorValue, Msg, Object, Value};
use vgdc_core::{Closing, Completion, Cx, Level, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct UdpOutConfig {
    #[field(json = "\"false\"", shown = Text, label = "Send", choices = [("false", "UDP messages"), ("board", "Broadcast messages"), ("multi", "Multicast messages")])]
    multicast: Value,
    #[field(default = "", label = "Address")]
    addr: String,
    #[field(default = "", label = "Port")]
    port: String,
    #[field(default = "", label = "Local port")]
    outport: String,
    #[field(default = "", label = "Local address")]
    iface: String,
    #[field(default = "udp4", label = "Version", choices = [("udp4", "IPv4"), ("udp6", "IPv6")])]
    ipv: String,
    #[field(default = false, label = "Decode Base64")]
    base64: bool,
}

/// The behaviour.
pub struct UdpOut {
    config: UdpOutConfig,
    interface: Option<String>,
    socket: Option<Arc<Socket>>,
}

/// A datagram that had to wait has been sent, or not.
struct Sent {
    msg: Msg,
    error: Option<String>,
}

#[node(type = "udp out", category = "network", inputs = 1, outputs = 0, effect = Io, color = "silver", icon = "bridge-dash.svg")]
impl Node for UdpOut {
    type Config = UdpOutConfig;

    fn new(config: UdpOutConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let interface = udp::interface(&config.iface, Family::of(&config.ipv));
        let interface = interface.unwrap_or_else(|why| {
            cx.warn(why);
            None
        });
        Ok(UdpOut {
            config,
            interface,
            socket: None,
        })
    }
}

/// A port as a message or the form has it.
enum Port {
    Missing,
    Invalid,
    Fraction(f64),
    Good(u16),
}

impl UdpOut {
    fn casts(&self) -> bool {
        self.config.multicast.as_str() != Some("false")
    }

    fn open(&self, cx: &mut Cx<'_>) -> std::io::Result<Arc<Socket>> {
        let UdpOutConfig {
            addr,
            port,
            outport,
            ..
        } = &self.config;
        let known_by = [outport, port].into_iter().find(|port| !port.is_empty());
        let known_by = known_by.map_or("0", String::as_str);
        let sockets = udp::sockets(cx);
        let known = sockets
            .get(known_by)
            .filter(|_| udp::port_of(known_by) != 0);
        if let Some(socket) = known {
            if self.casts() {
                // (where it cannot be set, sending tells)
                let _ = socket.broadcast();
            }
            cx.log(
                Level::Info,
                format!("udp re-use socket: {outport} -> {addr}:{port}"),
            );
            self.status(cx);
            return Ok(socket);
        }
        let binds = self.casts() || !outport.is_empty();
        let own = binds.then(|| udp::port_of(outport));
        let socket = Socket::new(Family::of(&self.config.ipv), own)?;
        if self.casts() {
            self.cast(cx, &socket);
        } else if binds {
            cx.log(
                Level::Info,
                format!("udp ready: {outport} -> {addr}:{port}"),
            );
        } else {
            cx.log(Level::Info, format!("udp ready: {addr}:{port}"));
        }
        sockets.put(known_by, &socket);
        Ok(socket)
    }

    fn status(&self, cx: &mut Cx<'_>) {
        if let Some(interface) = &self.interface {
            cx.set_status("", "", &format!("{} : {interface}", self.config.iface));
        }
    }

    fn cast(&self, cx: &mut Cx<'_>, socket: &Socket) {
        let UdpOutConfig {
            addr,
            port,
            outport,
            ..
        } = &self.config;
        let _ = socket.broadcast();
        if self.config.multicast.as_str() != Some("multi") {
            cx.log(
                Level::Info,
                format!("udp broadcast ready: {outport} -> {addr}:{port}"),
            );
            return;
        }
        match socket.join(addr, self.interface.as_deref()) {
            Ok(()) => {
                self.status(cx);
                let on = self.interface.as_deref().unwrap_or_default();
                cx.log(
                    Level::Info,
                    format!("udp multicast ready: {on}:{outport} -> {addr}:{port}"),
                );
            }
            Err(number) => {
                let number = number.map(|number| number.to_string()).unwrap_or_default();
                cx.error(format!("error: {number}"), None);
            }
        }
    }

    fn target(&self, msg: &Msg) -> (String, Port) {
        let given = |key: &str| msg.get(key).filter(|value| value.truthy()).cloned();
        let host = match self.config.addr.as_str() {
            "" => given("ip").map(|ip| ip.to_js_string()).unwrap_or_default(),
            addr => addr.to_owned(),
        };
        let port = match self.config.port.as_str() {
            "" => given("port"),
            port => Some(Value::from(port)),
        };
        let port = match port.map(|port| port.to_number()) {
            None => Port::Missing,
            Some(port) if !(1.0..=65_535.0).contains(&port) => Port::Invalid,
            Some(port) if port % 1.0 != 0.0 => Port::Fraction(port),
            Some(port) => Port::Good(port as u16),
        };
        (host, port)
    }

    fn bytes(&self, payload: &Value) -> Result<Vec<u8>, NodeError> {
        match payload {
            Value::Buffer(_) | Value::Str(_) => {}
            Value::Array(items) if self.config.base64 => {
                let byte =
                    |item: &Value| vgdc_core::value::number::to_int32(item.to_number()) as u8;
                return Ok(items.iter().map(byte).collect());
            }
            other if self.config.base64 => return Err(no_bytes(other)),
            _ => {}
        }
        Ok(super::tcp::bytes_of(payload, self.config.base64).into_owned())
    }

    /// Sends; true when the message is done with.
    fn send(&self, cx: &mut Cx<'_>, msg: &Msg) -> Result<bool, NodeError> {
        let (host, port) = self.target(msg);
        let why = match port {
            _ if host.is_empty() => "udp: ip address not set",
            Port::Missing => "udp: port not set",
            Port::Invalid => "udp: port number not valid",
            Port::Fraction(port) => {
                let port = Value::from(port).to_js_string();
                let why = format!("Port should be > 0 and < 65536. Received type number ({port}).");
                let error = ErrorValue::new("RangeError", why).with("code", "ERR_SOCKET_BAD_PORT");
                return Err(NodeError::from_value(error.into()));
            }
            Port::Good(port) => {
                if let Some(other) = self.odd_address(msg) {
                    return Err(other);
                }
                return self.send_to(cx, msg, host, port);
            }
        };
        cx.warn(why);
        Ok(true)
    }

    /// What Node.js says of an address in the message that is no text.
    fn odd_address(&self, msg: &Msg) -> Option<NodeError> {
        let ip = msg.get("ip").filter(|_| self.config.addr.is_empty())?;
        let received = match ip {
            Value::Str(_) => return None,
            other => received(other),
        };
        let why = format!("The \"address\" argument must be of type string. Received {received}");
        let error = ErrorValue::new("TypeError", why).with("code", "ERR_INVALID_ARG_TYPE");
        Some(NodeError::from_value(error.into()))
    }

    fn send_to(
        &self,
        cx: &mut Cx<'_>,
        msg: &Msg,
        host: String,
        port: u16,
    ) -> Result<bool, NodeError> {
        let bytes = self.bytes(msg.payload())?;
        let Some(socket) = self.socket.clone() else {
            return Ok(true);
        };
        // (most often nothing has to be waited for, and messages stay in their order)
        let literal = host.parse::<IpAddr>().ok();
        if let Some(ip) = literal {
            match socket.send(&bytes, SocketAddr::new(ip, port)) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Ok(()) => return Ok(true),
                Err(error) => {
                    cx.error(refused(&error, &host, port), Some(msg));
                    return Ok(true);
                }
            }
        }
        let msg = msg.clone();
        cx.work(async move {
            let address = match literal {
                Some(ip) => Ok(SocketAddr::new(ip, port)),
                None => Socket::resolve(socket.family(), &host, port).await,
            };
            let error = match address {
                Err(why) => Some(format!("udp : Error: {why}")),
                Ok(address) => {
                    let sent = socket.send_waiting(&bytes, address).await;
                    sent.err().map(|error| refused(&error, &host, port))
                }
            };
            Sent { msg, error }
        });
        Ok(false)
    }
}

fn refused(error: &std::io::Error, host: &str, port: u16) -> String {
    format!("udp : Error: send {} {host}:{port}", udp::code(error))
}

/// How Node.js names a value that it cannot use.
fn received(value: &Value) -> String {
    match value {
        Value::Undefined | Value::Null => value.to_js_string(),
        Value::Array(_) => "an instance of Array".to_owned(),
        Value::Buffer(_) => "an instance of Buffer".to_owned(),
        Value::Date(_) => "an instance of Date".to_owned(),
        value if value.type_of() == "object" => "an instance of Object".to_owned(),
        value => format!("type {} ({})", value.type_of(), value.to_js_string()),
    }
}

/// What `Buffer.from` says of something that it takes for no text.
fn no_bytes(value: &Value) -> NodeError {
    let why = format!(
        "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received {}",
        received(value)
    );
    let error = ErrorValue::new("TypeError", why).with("code", "ERR_INVALID_ARG_TYPE");
    NodeError::from_value(error.into())
}

impl Process for UdpOut {
    fn started(&mut self, cx: &mut Cx<'_>) {
        // (now every node that listens has its socket; failures show when something is sent)
        self.socket = self.open(cx).ok();
    }

    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if !msg.contains_key("payload") {
            return;
        }
        let completion: Completion = cx.completion(&msg);
        match self.send(cx, &msg) {
            Ok(true) => cx.done(completion),
            Ok(false) => {}
            Err(error) => cx.error(error, Some(&msg)),
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let Ok(sent) = event.downcast::<Sent>() else {
            return;
        };
        let Sent { msg, error } = *sent;
        if let Some(error) = error {
            cx.error(error, Some(&msg));
        }
        cx.done_with(&msg);
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        let first = self
            .socket
            .take()
            .is_some_and(|socket| socket.first_to_stop());
        // (of a group Node-RED says nothing)
        if first && self.config.multicast.as_str() != Some("multi") {
            cx.log(Level::Info, "udp output stopped");
        }
        cx.status(Object::new());
        None
    }
}
