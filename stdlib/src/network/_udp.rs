//! What the UDP nodes share: sockets by port, which a `udp in` and a `udp out` node use together, and addresses of interfaces.
//!
//! A socket that is listened on is read by a thread of its own, as the nodes that get what it reads may be on different threads.
//! While one of their islands is busy nothing is read: the system drops what does not fit into its buffer, as ever with UDP.

use super::net;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;
use vgdc_core::{Cx, Mailbox};

/// The longest datagram.
const LONGEST: usize = 64 << 10;

/// A datagram, as it is posted to each node that listens.
pub struct Datagram {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Who sent it.
    pub from: SocketAddr,
}

/// The family of addresses that a node is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `udp4`.
    V4,
    /// `udp6`; takes IPv4, too.
    V6,
}

impl Family {
    /// Of the node's property.
    pub fn of(text: &str) -> Family {
        match text {
            "udp6" => Family::V6,
            _ => Family::V4,
        }
    }

    fn any(self) -> IpAddr {
        match self {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

/// A socket, which lives as long as a node uses it.
pub struct Socket {
    socket: UdpSocket,
    family: Family,
    /// It was bound to the port by which it is known, so that what is sent there comes here.
    bound: bool,
    listeners: Mutex<Vec<Mailbox>>,
    stop: Arc<Notify>,
    stopping: AtomicBool,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

/// The sockets of the process, by the port as the nodes write it.
#[derive(Default)]
pub struct Sockets(Mutex<HashMap<String, Weak<Socket>>>);

/// The process's sockets.
pub fn sockets(cx: &Cx<'_>) -> Arc<Sockets> {
    cx.services().get_or_insert(Sockets::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sockets {
    /// The socket that is known by a port.
    pub fn get(&self, port: &str) -> Option<Arc<Socket>> {
        lock(&self.0).get(port).and_then(Weak::upgrade)
    }

    /// Makes a socket known by a port.
    pub fn put(&self, port: &str, socket: &Arc<Socket>) {
        let mut known = lock(&self.0);
        known.retain(|_, socket| socket.strong_count() > 0);
        known.insert(port.to_owned(), Arc::downgrade(socket));
    }

    /// The socket that is bound to a port, which is made when there is none; true when it was there.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listening(&self, port: &str, family: Family) -> io::Result<(Arc<Socket>, bool)> {
        if let Some(socket) = self.get(port).filter(|socket| socket.bound) {
            return Ok((socket, true));
        }
        let socket = Socket::new(family, Some(port_of(port)))?;
        self.put(port, &socket);
        Ok((socket, false))
    }
}

/// A port from a text, as Node.js takes what is handed to `bind`; 0 is any free one.
pub fn port_of(text: &str) -> u16 {
    use vgdc_core::value::number;
    number::to_uint32(number::parse(text)) as u16
}

impl Socket {
    /// A socket, bound to a port (0: any) or not bound at all. Others on this machine may use the port, too.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new(family: Family, port: Option<u16>) -> io::Result<Arc<Socket>> {
        use socket2::{Domain, Protocol, Type};
        let domain = match family {
            Family::V4 => Domain::IPV4,
            Family::V6 => Domain::IPV6,
        };
        let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        if family == Family::V6 {
            socket.set_only_v6(false)?;
        }
        if let Some(port) = port {
            socket.bind(&SocketAddr::new(family.any(), port).into())?;
        }
        socket.set_nonblocking(true)?;
        Ok(Arc::new(Socket {
            socket: socket.into(),
            family,
            bound: port.is_some_and(|port| port != 0),
            listeners: Mutex::default(),
            stop: Arc::default(),
            stopping: AtomicBool::new(false),
        }))
    }

    /// The address that it is bound to.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Posts every [`Datagram`] from now on to this node.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn listen(&self, mailbox: Mailbox, this: &Arc<Socket>) -> io::Result<()> {
        let mut listeners = lock(&self.listeners);
        listeners.push(mailbox);
        if listeners.len() > 1 {
            return Ok(());
        }
        drop(listeners);
        let (socket, stop) = (self.socket.try_clone()?, self.stop.clone());
        let shared = Arc::downgrade(this);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let thread = std::thread::Builder::new().name("udp".to_owned());
        thread.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stop.notified() => {}
                    () = receive(socket, &shared) => {}
                }
            });
        })?;
        Ok(())
    }

    /// What a node that sends to everybody, or to a group, needs. Not heard by this machine itself.
    ///
    /// # Errors
    /// The system refuses.
    pub fn broadcast(&self) -> io::Result<()> {
        self.socket.set_broadcast(true)?;
        match self.family {
            Family::V4 => self.socket.set_multicast_loop_v4(false),
            Family::V6 => self.socket.set_multicast_loop_v6(false),
        }
    }

    /// Joins a group on an interface (by its address), with packets that live long.
    ///
    /// # Errors
    /// The number that Node.js has for the failure; none where it refuses itself.
    pub fn join(&self, group: &str, interface: Option<&str>) -> Result<(), Option<i32>> {
        let number = |error: io::Error| error.raw_os_error().map(|number| -number);
        let options = socket2::SockRef::from(&self.socket);
        const INVALID: i32 = -22;
        if group.is_empty() {
            return Err(None);
        }
        match self.family {
            Family::V4 => {
                self.socket.set_multicast_ttl_v4(128).map_err(number)?;
                let group = group.parse().map_err(|_| Some(INVALID))?;
                let on = match interface {
                    Some(on) => on.parse().map_err(|_| Some(INVALID))?,
                    None => Ipv4Addr::UNSPECIFIED,
                };
                self.socket.join_multicast_v4(&group, &on).map_err(number)
            }
            Family::V6 => {
                options.set_multicast_hops_v6(128).map_err(number)?;
                let (group, zone) = zoned(group);
                let group = group.parse().map_err(|_| Some(INVALID))?;
                let (on, own) = zoned(interface.unwrap_or("::"));
                on.parse::<Ipv6Addr>().map_err(|_| Some(INVALID))?;
                let index = own.or(zone).unwrap_or(0);
                self.socket.join_multicast_v6(&group, index).map_err(number)
            }
        }
    }

    /// Leaves a group; false when it was not joined, or on an interface that is not the system's first choice.
    pub fn leave(&self, group: &str) -> bool {
        match self.family {
            Family::V4 => group.parse().is_ok_and(|group| {
                let left = self
                    .socket
                    .leave_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED);
                left.is_ok()
            }),
            Family::V6 => {
                let (group, zone) = zoned(group);
                group.parse().is_ok_and(|group| {
                    let left = self.socket.leave_multicast_v6(&group, zone.unwrap_or(0));
                    left.is_ok()
                })
            }
        }
    }

    /// True for the first node that stops of those that share the socket: that one says so.
    pub fn first_to_stop(&self) -> bool {
        !self.stopping.swap(true, Ordering::Relaxed)
    }

    /// Sends a datagram, at once where that is possible.
    ///
    /// # Errors
    /// The system refuses; `WouldBlock` when it has no room for now.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let fits = to.is_ipv4() == (self.family == Family::V4);
        if !fits {
            return Err(io::Error::from_raw_os_error(22));
        }
        self.socket.send_to(bytes, to).map(drop)
    }

    /// Sends a datagram, when the system has room for it.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn send_waiting(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        loop {
            match self.send(bytes, to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                sent => return sent,
            }
        }
    }

    /// The address of a host, of this socket's family where the name is looked up.
    ///
    /// # Errors
    /// Node.js's words for a name that is not known.
    pub async fn resolve(family: Family, host: &str, port: u16) -> Result<SocketAddr, String> {
        let known = |address: &SocketAddr| address.is_ipv4() == (family == Family::V4);
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.ok().and_then(|mut all| all.find(known));
        found.ok_or_else(|| format!("getaddrinfo ENOTFOUND {host}"))
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.family
    }
}

/// Reads datagrams until the socket breaks, or nobody has it any more.
async fn receive(socket: UdpSocket, shared: &Weak<Socket>) {
    let Ok(socket) = tokio::net::UdpSocket::from_std(socket) else {
        return;
    };
    let mut buffer = vec![0; LONGEST];
    loop {
        let (length, from) = match socket.recv_from(&mut buffer).await {
            Ok(got) => got,
            // (a peer that refused what was sent to it)
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(_) => return,
        };
        let Some(listeners) = shared
            .upgrade()
            .map(|shared| lock(&shared.listeners).clone())
        else {
            return;
        };
        let bytes: Arc<[u8]> = buffer[..length].into();
        for mailbox in listeners {
            let bytes = bytes.clone();
            mailbox.send(Datagram { bytes, from }).await;
        }
    }
}

/// An IPv6 address without its zone, and the number of the interface that the zone names.
fn zoned(address: &str) -> (&str, Option<u32>) {
    let Some((address, zone)) = address.split_once('%') else {
        return (address, None);
    };
    let index = zone.parse().ok().or_else(|| {
        let all = if_addrs::get_if_addrs().unwrap_or_default();
        all.into_iter()
            .find(|one| one.name == zone)
            .and_then(|one| one.index)
    });
    (address, index)
}

/// A peer's address as Node.js shows it.
pub fn ip_text(peer: SocketAddr) -> String {
    let SocketAddr::V6(v6) = peer else {
        return peer.ip().to_string();
    };
    let zone = (v6.scope_id() != 0).then(|| {
        let all = if_addrs::get_if_addrs().unwrap_or_default();
        all.into_iter().find(|one| one.index == Some(v6.scope_id()))
    });
    match zone.flatten() {
        Some(interface) => format!("{}%{}", v6.ip(), interface.name),
        None => v6.ip().to_string(),
    }
}

/// The address of the interface of a node's property, which can be an address already.
///
/// Node-RED takes the first or the second address of the interface, by what the first is.
///
/// # Errors
/// There is no such interface, or it has no such address; what the warning says.
pub fn interface(name: &str, family: Family) -> Result<Option<String>, String> {
    if name.is_empty() || name.contains('.') {
        return Ok(Some(name.to_owned()).filter(|name| !name.is_empty()));
    }
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses: Vec<IpAddr> = all
        .iter()
        .filter(|one| one.name == name)
        .map(if_addrs::Interface::ip)
        .collect();
    let first = addresses.first().map(IpAddr::is_ipv6);
    let wanted = match (first, family) {
        (None, _) => None,
        (Some(true), Family::V4) | (Some(false), Family::V6) => addresses.get(1),
        _ => addresses.first(),
    };
    match wanted {
        Some(address) => Ok(Some(address.to_string())),
        None => Err(format!("udp: interface {name} not found")),
    }
}

/// The code of a failure, as Node.js names it.
pub fn code(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(90) => "EMSGSIZE",
        Some(97) => "EAFNOSUPPORT",
        Some(19) => "ENODEV",
        Some(1) => "EPERM",
        _ => net::code(error),
    }
}
