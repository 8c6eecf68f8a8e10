//! What two nodes say to each other before anything else, on a stream of its own (`/vgdc/hello/1`): which mesh, whether the other one is
//! admitted, and where one can be reached. The node that opens the stream speaks first.
//!
//! A hello is a length (u16, big-endian) and so many bytes: flags (bit 0: you are admitted; bit 1: you belong to another mesh), the mesh's
//! name, and addresses, each text as a length (u8) and UTF-8; a count (u8) before the addresses. A node of another mesh is
//! told neither name nor addresses, a stranger no addresses.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::error::ErrorKind;

/// The longest hello in bytes.
pub(crate) const LONGEST: usize = 4096;
/// The name of the protocol; not behind the mesh's name, as all others are, since the mesh is what it finds out.
pub(crate) const PROTOCOL: &str = "/vgdc/hello/1";

const ADMITTED: u8 = 1;
const OTHER_MESH: u8 = 2;

/// What a node says of itself, and of the one it speaks to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The one spoken to is admitted.
    pub admitted: bool,
    /// The one spoken to belongs to another mesh.
    pub other_mesh: bool,
    pub mesh: String,
    pub addresses: Vec<String>,
}

impl Hello {
    fn encode(&self) -> Vec<u8> {
        let flags =
            if self.admitted { ADMITTED } else { 0 } | if self.other_mesh { OTHER_MESH } else { 0 };
        let mut body = vec![0, 0, flags];
        let text = |body: &mut Vec<u8>, text: &str| {
            // (names of meshes and addresses are shorter than that: they have been checked)
            let bytes = &text.as_bytes()[..text.len().min(255)];
            body.push(bytes.len() as u8);
            body.extend_from_slice(bytes);
        };
        text(&mut body, &self.mesh);
        let count_at = body.len();
        body.push(0);
        for address in self.addresses.iter().take(32) {
            if body.len() + address.len() + 1 > LONGEST {
                break;
            }
            text(&mut body, address);
            body[count_at] += 1;
        }
        let length = (body.len() - 2) as u16;
        body[..2].copy_from_slice(&length.to_be_bytes());
        body
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let (&flags, mut rest) = body.split_first()?;
        let mut text = || {
            let (&length, after) = rest.split_first()?;
            let (text, after) = after.split_at_checked(length as usize)?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let mesh = text()?;
        let (&count, after) = rest.split_first()?;
        rest = after;
        let mut text = || {
            let (&length, after) = rest.split_first()?;
            let (text, after) = after.split_at_checked(length as usize)?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let addresses = (0..count).map(|_| text()).collect::<Option<Vec<_>>>()?;
        Some(Self {
            admitted: flags & ADMITTED != 0,
            other_mesh: flags & OTHER_MESH != 0,
            mesh,
            addresses,
        })
    }
}

/// Why there was no hello, or none that leads on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub kind: ErrorKind,
    pub why: String,
}

fn fault(kind: ErrorKind, why: impl Into<String>) -> Fault {
    Fault {
        kind,
        why: why.into(),
    }
}

fn ended(error: std::io::Error) -> Fault {
    fault(
        ErrorKind::Closed,
        format!("it ended the connection in the greeting ({error})"),
    )
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Hello, Fault> {
    let length = stream.read_u16().await.map_err(ended)? as usize;
    if length > LONGEST {
        return Err(fault(ErrorKind::Closed, "its greeting is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(ended)?;
    Hello::decode(&body).ok_or_else(|| fault(ErrorKind::Closed, "its greeting is no greeting"))
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), hello: &Hello) -> Result<(), Fault> {
    stream.write_all(&hello.encode()).await.map_err(ended)?;
    stream.flush().await.map_err(ended)
}

/// Speaks first. `own` is what is said, the result what the other one says.
pub(crate) async fn speak(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    own: Hello,
) -> Result<Hello, Fault> {
    write(&mut stream, &own).await?;
    let theirs = read(&mut stream).await?;
    if theirs.other_mesh || theirs.mesh != own.mesh {
        return Err(fault(
            ErrorKind::OtherMesh,
            format!("it does not belong to the mesh \"{}\"", own.mesh),
        ));
    }
    Ok(theirs)
}

/// Answers.
pub(crate) async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    own: Hello,
) -> Result<Hello, Fault> {
    let theirs = read(&mut stream).await?;
    if theirs.mesh != own.mesh {
        let refusal = Hello {
            other_mesh: true,
            ..Hello::default()
        };
        write(&mut stream, &refusal).await?;
        // (the other side reads and leaves: dropped at once, the stream might take the answer along)
        let _ = stream.shutdown().await;
        return Err(fault(
            ErrorKind::OtherMesh,
            format!("it does not belong to the mesh \"{}\"", own.mesh),
        ));
    }
    write(&mut stream, &own).await?;
    let _ = stream.shutdown().await;
    Ok(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(mesh: &str) -> Hello {
        Hello {
            admitted: true,
            other_mesh: false,
            mesh: mesh.to_owned(),
            addresses: vec!["tcp://10.0.0.1:4400".to_owned()],
        }
    }

    #[tokio::test]
    async fn both_learn_of_each_other() {
        let (one, two) = tokio::io::duplex(100);
        let stranger = Hello {
            admitted: false,
            ..hello("m")
        };
        let (said, heard) = tokio::join!(speak(one, hello("m")), answer(two, stranger.clone()));
        assert_eq!(said.unwrap(), stranger);
        assert_eq!(heard.unwrap(), hello("m"));
    }

    #[tokio::test]
    async fn another_mesh_is_told_nothing() {
        let (one, two) = tokio::io::duplex(100);
        let (said, heard) = tokio::join!(speak(one, hello("m")), answer(two, hello("n")));
        assert_eq!(said.unwrap_err().kind, ErrorKind::OtherMesh);
        assert_eq!(heard.unwrap_err().kind, ErrorKind::OtherMesh);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(admitted: bool, mesh in "[a-z]{1,64}", addresses in proptest::collection::vec("[a-z:/0-9]{1,100}", 0..32)) {
            let hello = Hello { admitted, other_mesh: false, mesh, addresses };
            let bytes = hello.encode();
            prop_assert!(bytes.len() <= LONGEST + 2);
            prop_assert_eq!(Hello::decode(&bytes[2..]), Some(hello));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Hello::decode(&bytes);
        }
    }
}
