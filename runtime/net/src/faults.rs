//! What the transports say when something fails, in words.

use libp2p::PeerId;
use libp2p::swarm::DialError;

use crate::address;
use crate::error::{ErrorKind, NetError, io_kind};
use crate::identity::{key_of, short};

/// A node as people read it.
pub(crate) fn name(peer: &PeerId) -> String {
    key_of(peer).map_or_else(|| peer.to_string(), |key| short(&key))
}

pub(crate) fn cannot_listen(text: &str, why: &str) -> NetError {
    let text = format!("cannot listen on {text}: {why}; choose another port, or stop what has it");
    NetError::new(ErrorKind::Listen, text)
}

/// How to mend what a peer answered.
pub(crate) fn mend(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::OtherMesh => "; check the mesh's name on both nodes",
        ErrorKind::NotAdmitted => "; let this node join the mesh with a token",
        ErrorKind::NoProtocol => "; check that both nodes run the same version of vgdc",
        _ => "",
    }
}

pub(crate) fn dial_error(who: &str, error: &DialError) -> NetError {
    match error {
        DialError::Transport(tried) => {
            let mut kinds = Vec::new();
            let mut texts = Vec::new();
            for (at, error) in tried {
                let (kind, why) = transport_error(error);
                kinds.push(kind);
                texts.push(format!("{}: {why}", address::text(at)));
            }
            let kind = if kinds.iter().all(|kind| *kind == ErrorKind::Refused) {
                ErrorKind::Refused
            } else if kinds.contains(&ErrorKind::Timeout) {
                ErrorKind::Timeout
            } else {
                kinds.first().copied().unwrap_or(ErrorKind::Unreachable)
            };
            let how = match kind {
                ErrorKind::Refused => "; start the node there, or correct the address",
                ErrorKind::Timeout => "; check the host, the network between, and firewalls",
                _ => "",
            };
            NetError::new(
                kind,
                format!("cannot reach {who}: {}{how}", texts.join("; ")),
            )
        }
        DialError::WrongPeerId { obtained, address } => {
            let text = format!(
                "at {} answers node {}, not {who}: correct the address, or, if the node has a new key, let it join again",
                address::text(address),
                name(obtained)
            );
            NetError::new(ErrorKind::OtherKey, text)
        }
        DialError::LocalPeerId { address } => {
            let text = format!("{} is this node itself", address::text(address));
            NetError::new(ErrorKind::OtherKey, text)
        }
        DialError::Denied { cause } => match cause.downcast_ref::<NetError>() {
            Some(error) => error.clone(),
            None => NetError::new(ErrorKind::Limit, format!("cannot reach {who}: {cause}")),
        },
        DialError::Aborted => {
            NetError::new(ErrorKind::Closed, format!("the dial to {who} was given up"))
        }
        other => NetError::new(
            ErrorKind::Unreachable,
            format!("cannot reach {who}: {other}"),
        ),
    }
}

fn transport_error(error: &libp2p::TransportError<std::io::Error>) -> (ErrorKind, String) {
    use std::io::ErrorKind as Io;
    let io = match error {
        libp2p::TransportError::Other(io) => io,
        libp2p::TransportError::MultiaddrNotSupported(_) => {
            return (
                ErrorKind::Unreachable,
                "no transport for such an address".to_owned(),
            );
        }
    };
    match io_kind(io) {
        Some(Io::ConnectionRefused) => (ErrorKind::Refused, "nobody listens there".to_owned()),
        Some(Io::TimedOut) => (ErrorKind::Timeout, "no answer in time".to_owned()),
        Some(Io::HostUnreachable | Io::NetworkUnreachable) => {
            (ErrorKind::Unreachable, "no route to it".to_owned())
        }
        Some(Io::ConnectionReset | Io::UnexpectedEof | Io::BrokenPipe) => (
            ErrorKind::Closed,
            "it ended the connection in the handshake".to_owned(),
        ),
        _ => {
            let text = io.to_string();
            if text.contains("imeout") || text.contains("timed out") {
                (ErrorKind::Timeout, "no answer in time".to_owned())
            } else {
                (ErrorKind::Unreachable, text)
            }
        }
    }
}
