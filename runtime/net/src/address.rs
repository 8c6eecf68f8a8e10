//! Addresses as people write them, `tcp://HOST:PORT` and `quic://HOST:PORT`, and as libp2p does.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::error::{ErrorKind, NetError};

/// How long the system's resolver may take for a name.
const RESOLVE: Duration = Duration::from_secs(5);
/// At most so many addresses of one name are tried.
const OF_A_NAME: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    Tcp,
    Quic,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Ip(IpAddr),
    Name(String),
}

/// Where a node listens. Its text is `tcp://HOST:PORT` or `quic://HOST:PORT`; IPv6 stands in brackets, names are resolved by the system
/// whenever the address is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub transport: Transport,
    pub host: Host,
    pub port: u16,
}

impl FromStr for Address {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Self, NetError> {
        let wrong = |why: &str| {
            let text: String = text.chars().take(200).collect();
            let how = "write tcp://HOST:PORT or quic://HOST:PORT, such as tcp://10.0.0.7:4400, quic://[::1]:4400";
            NetError::new(
                ErrorKind::Invalid,
                format!("\"{text}\" is no address: {why}; {how}"),
            )
        };
        let (transport, rest) = match text.split_once("://") {
            Some(("tcp", rest)) => (Transport::Tcp, rest),
            Some(("quic", rest)) => (Transport::Quic, rest),
            Some(_) => return Err(wrong("its transport is unknown")),
            None => return Err(wrong("its transport is missing")),
        };
        let (host, port) = rest
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty())
            .ok_or_else(|| wrong("host or port is missing"))?;
        // (Rust's numbers take a sign, ports do not)
        let port = Some(port)
            .filter(|port| port.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| wrong("the port is no number up to 65535"))?;
        let host = if let Some(inside) = host.strip_prefix('[') {
            let inside = inside
                .strip_suffix(']')
                .ok_or_else(|| wrong("a bracket is missing"))?;
            let ip: Ipv6Addr = inside
                .parse()
                .map_err(|_| wrong("there is no IPv6 address in the brackets"))?;
            Host::Ip(IpAddr::V6(ip))
        } else if let Ok(ip) = host.parse::<Ipv4Addr>() {
            Host::Ip(IpAddr::V4(ip))
        } else if host.contains(':') {
            return Err(wrong("an IPv6 address has to stand in brackets"));
        } else if is_name(host) {
            Host::Name(host.to_owned())
        } else {
            return Err(wrong("its host is neither an IP address nor a name"));
        };
        Ok(Self {
            transport,
            host,
            port,
        })
    }
}

/// A host's name as RFC 1123 has it (with the underscores that are in use).
fn is_name(host: &str) -> bool {
    let of_a_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    host.len() <= 253
        && host
            .strip_suffix('.')
            .unwrap_or(host)
            .split('.')
            .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(of_a_label))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.transport {
            Transport::Tcp => "tcp://",
            Transport::Quic => "quic://",
        })?;
        match &self.host {
            Host::Ip(IpAddr::V4(ip)) => write!(f, "{ip}")?,
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            Host::Name(name) => f.write_str(name)?,
        }
        write!(f, ":{}", self.port)
    }
}

impl Address {
    /// The addresses that the host's name stands for now.
    pub async fn resolve(&self) -> Result<Vec<Multiaddr>, NetError> {
        let name = match &self.host {
            Host::Ip(ip) => return Ok(vec![multiaddr(self.transport, *ip, self.port)]),
            Host::Name(name) => name,
        };
        let looked_up = tokio::net::lookup_host((name.as_str(), self.port));
        let cannot = |why: String| {
            let text = format!(
                "the host of {self} cannot be resolved: {why}; check the name, or write its IP address"
            );
            NetError::new(ErrorKind::Unreachable, text)
        };
        let found: Vec<SocketAddr> = match tokio::time::timeout(RESOLVE, looked_up).await {
            Ok(Ok(found)) => found.take(OF_A_NAME).collect(),
            Ok(Err(e)) => return Err(cannot(e.to_string())),
            Err(_) => {
                return Err(cannot(format!("no answer within {} s", RESOLVE.as_secs())));
            }
        };
        if found.is_empty() {
            return Err(cannot("it has no address".to_owned()));
        }
        Ok(found
            .into_iter()
            .map(|at| multiaddr(self.transport, at.ip(), self.port))
            .collect())
    }

    /// The address in a libp2p address, whatever follows the transport there.
    pub fn of(address: &Multiaddr) -> Option<Self> {
        let mut parts = address.iter();
        let ip = match parts.next()? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => IpAddr::V6(ip),
            _ => return None,
        };
        let (transport, port) = match (parts.next()?, parts.next()) {
            (Protocol::Tcp(port), _) => (Transport::Tcp, port),
            (Protocol::Udp(port), Some(Protocol::QuicV1)) => (Transport::Quic, port),
            _ => return None,
        };
        Some(Self {
            transport,
            host: Host::Ip(ip),
            port,
        })
    }

    pub fn ip(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Ip(ip) => Some(*ip),
            Host::Name(_) => None,
        }
    }
}

pub(crate) fn multiaddr(transport: Transport, ip: IpAddr, port: u16) -> Multiaddr {
    let address = Multiaddr::from(ip);
    match transport {
        Transport::Tcp => address.with(Protocol::Tcp(port)),
        Transport::Quic => address.with(Protocol::Udp(port)).with(Protocol::QuicV1),
    }
}

/// A libp2p address as people read it.
pub(crate) fn text(address: &Multiaddr) -> String {
    Address::of(address).map_or_else(|| address.to_string(), |address| address.to_string())
}

/// A libp2p address without what follows the transport.
pub(crate) fn plain(address: &Multiaddr) -> Option<Multiaddr> {
    let address = Address::of(address)?;
    Some(multiaddr(address.transport, address.ip()?, address.port))
}

/// Whether only this host reaches an address.
pub(crate) fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_read_and_written_back() {
        for text in [
            "tcp://127.0.0.1:4400",
            "quic://[fe80::1]:1",
            "tcp://host-1.example.org:65535",
            "quic://0.0.0.0:0",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("127.0.0.1:1", "transport is missing"),
            ("udp://127.0.0.1:1", "transport is unknown"),
            ("tcp://127.0.0.1", "port is missing"),
            ("tcp://:1", "host or port"),
            ("tcp://h:65536", "port is no number"),
            ("tcp://h:+1", "port is no number"),
            ("tcp://::1:5", "in brackets"),
            ("tcp://[::1:5", "bracket is missing"),
            ("tcp://[1.2.3.4]:5", "no IPv6"),
            ("tcp://a b:5", "neither"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = text.parse::<Address>();
        }

        #[test]
        fn libp2p_addresses_are_the_same(v6: bool, bits: u128, port: u16, quic: bool) {
            let ip = if v6 { IpAddr::V6(bits.into()) } else { IpAddr::V4((bits as u32).into()) };
            let transport = if quic { Transport::Quic } else { Transport::Tcp };
            let address = Address::of(&multiaddr(transport, ip, port)).unwrap();
            prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
        }
    }
}
