//! What can go wrong between hosts, in words: who, where, why, and how to mend it.

use std::fmt;

/// What kind of thing went wrong, for code that has to decide (retry, declare down, tell the user).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A text is no address, mesh name or protocol name.
    Invalid,
    /// The file of an identity cannot be read, written or understood.
    Identity,
    /// An address cannot be listened on.
    Listen,
    /// The other host answers and nobody listens there.
    Refused,
    /// The other host cannot be reached (no route, no name, no address known).
    Unreachable,
    /// Nothing came back in time.
    Timeout,
    /// The key is not admitted by this node.
    UnknownKey,
    /// The other node does not admit this node's key.
    NotAdmitted,
    /// The other node belongs to another mesh.
    OtherMesh,
    /// Another node than the expected one answers at an address.
    OtherKey,
    /// The other node does not serve the protocol.
    NoProtocol,
    /// A limit of this node or of the other one is reached.
    Limit,
    /// The connection ended before the answer came.
    Closed,
    /// This node's own net has been stopped.
    Stopped,
}

/// An error of this crate: a kind for code, a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError {
    kind: ErrorKind,
    text: String,
}

impl NetError {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for NetError {}

impl From<NetError> for std::io::Error {
    fn from(error: NetError) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind {
            ErrorKind::Refused => Io::ConnectionRefused,
            ErrorKind::Timeout => Io::TimedOut,
            ErrorKind::Closed | ErrorKind::Stopped => Io::ConnectionAborted,
            ErrorKind::UnknownKey | ErrorKind::NotAdmitted | ErrorKind::OtherMesh => {
                Io::PermissionDenied
            }
            ErrorKind::Invalid => Io::InvalidInput,
            ErrorKind::Unreachable => Io::HostUnreachable,
            _ => Io::Other,
        };
        Self::new(kind, error)
    }
}

/// The kind of a system error that lies somewhere inside what the layers of the transport made of it.
pub(crate) fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<std::io::ErrorKind> {
    let mut at = Some(error);
    let mut found = None;
    while let Some(error) = at {
        let io = error.downcast_ref::<std::io::Error>();
        if let Some(io) = io
            && io.kind() != std::io::ErrorKind::Other
        {
            found = Some(io.kind());
        }
        // (`source` of an I/O error leaves out the error that it wraps itself)
        at = match io.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    found.or_else(|| os_error(&error.to_string()))
}

/// The kind in "… (os error 111)", as the system's errors are printed: some layers hide the error itself and keep its text.
fn os_error(text: &str) -> Option<std::io::ErrorKind> {
    let number = text.rsplit_once("(os error ")?.1.split_once(')')?.0;
    Some(std::io::Error::from_raw_os_error(number.parse().ok()?).kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_error_is_found_under_wrappings() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let wrapped = std::io::Error::other(std::io::Error::other(refused));
        assert_eq!(
            io_kind(&wrapped),
            Some(std::io::ErrorKind::ConnectionRefused)
        );
        assert_eq!(io_kind(&std::io::Error::other("a text")), None);
        let text = std::io::Error::other("Connection refused (os error 111)");
        assert_eq!(io_kind(&text), Some(std::io::ErrorKind::ConnectionRefused));
    }
}
