//! **udp in** — listens on a UDP port, and can join a multicast group.
//!
//! Each datagram is a message, as a buffer, text or base64, with `ip`, `port` and `fromip` (both) of the sender. Nodes with the
//! same port share one socket, which **udp out** nodes can send from, too.

use super::udp::{self, Datagram, Family, Socket};
use base64::Engine as _;
use std::any::Any;
use std::sync::Arc;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct UdpInConfig {
    #[field(json = "\"false\"", shown = Text, label = "Listen for", choices = [("false", "UDP messages"), ("true", "Multicast messages")])]
    multicast: Value,
    #[field(default = "", required = true, label = "Port")]
    port: String,
    #[field(default = "", label = "Group", when = [is("multicast", "true")])]
    group: String,
    #[field(default = "", label = "Local address")]
    iface: String,
    #[field(default = "udp4", label = "Version", choices = [("udp4", "IPv4"), ("udp6", "IPv6")])]
    ipv: String,
    #[field(default = "buffer", label = "Output", choices = [("buffer", "Buffer"), ("utf8", "Text"), ("base64", "Base64")])]
    datatype: String,
}

/// The behaviour.
pub struct UdpIn {
    config: UdpInConfig,
    socket: Option<Arc<Socket>>,
}

#[node(type = "udp in", category = "network", inputs = 0, outputs = 1, effect = Source, types = types, color = "silver", icon = "bridge-dash.svg")]
impl Node for UdpIn {
    type Config = UdpInConfig;

    fn new(config: UdpInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let family = Family::of(&config.ipv);
        let interface = udp::interface(&config.iface, family).unwrap_or_else(|why| {
            cx.warn(why);
            None
        });
        let mut node = UdpIn {
            socket: None,
            config,
        };
        if let Err(error) = node.listen(cx, family, interface.as_deref()) {
            cx.error(failure(&error, &node.config.port), None);
        }
        Ok(node)
    }
}

/// What is said of a socket that could not be bound.
fn failure(error: &std::io::Error, port: &str) -> String {
    match udp::code(error) {
        "EACCES" if vgdc_core::value::number::parse(port) < 1024.0 => {
            "UDP access error, you may need root access for ports below 1024".to_owned()
        }
        code => format!("error: {code}"),
    }
}

/// What comes in a datagram.
fn types(t: &mut dyn Typing) {
    let payload = match t.text("datatype").as_str() {
        "utf8" | "base64" => "string",
        "buffer" => "buffer",
        _ => "buffer | string",
    };
    let message = format!("object{{payload: {payload}, fromip: string, ip: string, port: number}}");
    let message = t.ty(&message);
    t.set_message(message);
    t.send(0);
}

impl UdpIn {
    fn listen(
        &mut self,
        cx: &mut Cx<'_>,
        family: Family,
        interface: Option<&str>,
    ) -> std::io::Result<()> {
        let port = &self.config.port;
        let (socket, known) = udp::sockets(cx).listening(port, family)?;
        let status = |cx: &mut Cx<'_>| {
            if let Some(interface) = interface {
                cx.set_status("", "", &format!("{} : {interface}", self.config.iface));
            }
        };
        if known {
            cx.log(Level::Info, format!("udp: port {port} already in use"));
            status(cx);
        } else if self.config.multicast.as_str() == Some("true") {
            // (what cannot be set there, joining tells)
            let _ = socket.broadcast();
            match socket.join(&self.config.group, interface) {
                Ok(()) => {
                    status(cx);
                    cx.log(
                        Level::Info,
                        format!("udp multicast group {}", self.config.group),
                    );
                }
                Err(number) => {
                    let number = number.map(|number| number.to_string()).unwrap_or_default();
                    cx.error(format!("error: {number}"), None);
                }
            }
        }
        if let Some(address) = socket.address() {
            let host = interface.map_or_else(|| address.ip().to_string(), str::to_owned);
            cx.log(
                Level::Info,
                format!("udp listener at {host}:{}", address.port()),
            );
        }
        socket.listen(cx.mailbox(), &socket)?;
        self.socket = Some(socket);
        Ok(())
    }

    fn message(&self, datagram: &Datagram) -> Msg {
        let bytes = &*datagram.bytes;
        let payload = match self.config.datatype.as_str() {
            "base64" => Value::from(base64::engine::general_purpose::STANDARD.encode(bytes)),
            "utf8" => Value::from(&*String::from_utf8_lossy(bytes)),
            _ => Value::from(bytes.to_vec()),
        };
        let (ip, port) = (udp::ip_text(datagram.from), datagram.from.port());
        let mut msg = Msg::with_payload(payload);
        msg.insert("fromip", format!("{ip}:{port}"));
        msg.insert("ip", ip);
        msg.insert("port", port);
        msg
    }
}

impl Process for UdpIn {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Ok(datagram) = event.downcast::<Datagram>() {
            let msg = self.message(&datagram);
            cx.send(0, msg);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        if let Some(socket) = self.socket.take() {
            let multicast = self.config.multicast.as_str() == Some("true");
            let left = !multicast || socket.leave(&self.config.group);
            if left && socket.first_to_stop() {
                cx.log(Level::Info, "udp listener stopped");
            }
        }
        cx.status(Object::new());
        None
    }
}
