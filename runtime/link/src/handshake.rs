//! How a connection begins: both sides say who they are, and agree on a version.

use crate::frame::{Code, Fault, Frame, FrameError, Hello, Reader, VERSIONS, Welcome, agree};
use crate::transport::BoxStream;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use vgdc_value::Object;

/// Which side of the connection this is.
pub(crate) enum Side {
    /// It made the connection, to this node (if it knows whom it wants).
    Caller(Option<String>),
    /// It took the connection.
    Called,
}

pub(crate) fn bad(error: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.into())
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> io::Error {
        bad(error.message)
    }
}

/// The next frame that may not be skipped.
async fn next(stream: &mut (impl AsyncRead + Unpin), reader: &mut Reader) -> io::Result<Frame> {
    loop {
        match reader.frame()? {
            Some(Frame::Skipped(_)) => {}
            Some(frame) => return Ok(frame),
            None => {
                if stream.read_buf(reader.buffer()).await? == 0 {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the other side hung up before it said who it is",
                    ));
                }
            }
        }
    }
}

/// Says who we are and hears who they are: the peer's name.
pub(crate) async fn shake_hands(
    stream: &mut BoxStream,
    reader: &mut Reader,
    node: &str,
    side: &Side,
) -> io::Result<String> {
    let send = async |stream: &mut BoxStream, frame: Frame| {
        let mut out = Vec::new();
        frame.encode(&mut out);
        stream.write_all(&out).await
    };
    match side {
        Side::Caller(wanted) => {
            let hello = Hello {
                versions: VERSIONS,
                node: node.to_owned(),
                can: Object::new(),
            };
            send(stream, Frame::Hello(hello)).await?;
            let welcome = match next(stream, reader).await? {
                Frame::Welcome(welcome) => welcome,
                Frame::Fault(fault) => return Err(bad(fault.text)),
                _ => return Err(bad("the other side does not answer with its name")),
            };
            if agree((welcome.version, welcome.version)).is_none() {
                return Err(bad(format!(
                    "the other side chose version {} of the link protocol, which this one does not speak",
                    welcome.version
                )));
            }
            match wanted {
                Some(wanted) if *wanted != welcome.node => {
                    let text = format!("'{}' answered where '{wanted}' was expected", welcome.node);
                    let fault = Fault::of_connection(Code::Refused, text.clone());
                    send(stream, Frame::Fault(fault)).await?;
                    Err(bad(text))
                }
                _ => Ok(welcome.node),
            }
        }
        Side::Called => {
            let Frame::Hello(hello) = next(stream, reader).await? else {
                return Err(bad("the other side does not begin with its name"));
            };
            let Some(version) = agree(hello.versions) else {
                let text = format!(
                    "no version of the link protocol that both speak: here {} to {}, there {} to {}",
                    VERSIONS.0, VERSIONS.1, hello.versions.0, hello.versions.1
                );
                send(
                    stream,
                    Frame::Fault(Fault::of_connection(Code::Version, text.clone())),
                )
                .await?;
                return Err(bad(text));
            };
            let welcome = Welcome {
                version,
                node: node.to_owned(),
                can: Object::new(),
            };
            send(stream, Frame::Welcome(welcome)).await?;
            Ok(hello.node)
        }
    }
}
