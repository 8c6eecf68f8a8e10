//! Listening sockets of programs. The agent makes them and has a copy, so that while one version of a flow takes over from another, or a
//! program is started again, who connects waits, and is not refused.

use super::instance::Key;
use super::{Node, lock};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Mutex;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpSocket, UnixStream};
use vgdc_door::Listening;

/// How many connections wait to be taken; the system may have a lower limit.
const WAITING: u32 = 1_024;

/// Those that are there.
#[derive(Default)]
pub struct Listeners(Mutex<Vec<Listener>>);

struct Listener {
    at: SocketAddr,
    /// Who asked for it last.
    by: Key,
    socket: TcpListener,
}

impl Listeners {
    /// The part has ended: what it listened at, and nobody else has asked for, is closed.
    pub fn let_go(&self, key: &Key) {
        lock(&self.0).retain(|it| it.by != *key);
    }

    /// Has one for a part, and does something with it. Another version of its flow may have had it, or it itself.
    fn with<T>(
        &self,
        key: Key,
        at: SocketAddr,
        give: impl FnOnce(&TcpListener) -> T,
    ) -> io::Result<T> {
        let mut all = lock(&self.0);
        if let Some(it) = all.iter_mut().find(|it| it.at == at) {
            let is_ours =
                it.by.flow == key.flow && (it.by.version != key.version || it.by.part == key.part);
            if !is_ours {
                return Err(io::Error::from_raw_os_error(IN_USE));
            }
            it.by = key;
            return Ok(give(&it.socket));
        }
        let socket = listen(at)?;
        let given = give(&socket);
        all.push(Listener {
            at,
            by: key,
            socket,
        });
        Ok(given)
    }
}

/// `EADDRINUSE`
const IN_USE: i32 = rustix::io::Errno::ADDRINUSE.raw_os_error();

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = match at {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // (connections of an earlier program that the system has not forgotten yet are no obstacle)
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(WAITING)
}

impl Node {
    /// Gives a program of this host a listening socket.
    pub async fn give_listener(&self, instance: &str, at: SocketAddr, program: &UnixStream) {
        let found = match self.instance(instance) {
            None => Err(Listening::Error(
                "this agent knows no such program".to_owned(),
            )),
            Some(it) => {
                let copy = |socket: &TcpListener| socket.as_fd().try_clone_to_owned();
                let had = self.listeners.with(it.key.clone(), at, copy);
                had.and_then(|copied| copied)
                    .map_err(|e| match e.raw_os_error() {
                        Some(number) => Listening::System(number),
                        None => Listening::Error(e.to_string()),
                    })
            }
        };
        let (answer, socket) = match found {
            Ok(socket) => (Listening::Ok {}, Some(socket)),
            Err(why) => (why, None),
        };
        let line = vgdc_door::line(&answer);
        let sockets: Vec<_> = socket.iter().map(AsFd::as_fd).collect();
        let sent = program.async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut with = SendAncillaryBuffer::new(&mut space);
            if !sockets.is_empty() {
                with.push(SendAncillaryMessage::ScmRights(&sockets));
            }
            let bytes = [IoSlice::new(line.as_bytes())];
            sendmsg(program, &bytes, &mut with, SendFlags::NOSIGNAL).map_err(io::Error::from)
        });
        // (a line is shorter than what a socket takes at once; who asked may have gone)
        let _ = sent.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(flow: &str, version: &str, part: &str) -> Key {
        Key {
            flow: flow.to_owned(),
            version: version.to_owned(),
            part: part.to_owned(),
            epoch: 1,
        }
    }

    #[tokio::test]
    async fn the_next_version_gets_the_same_socket_and_strangers_none() {
        let all = Listeners::default();
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = free.local_addr().expect("an address");
        drop(free);
        let number = |key: Key| {
            let had = all.with(key, at, std::os::fd::AsRawFd::as_raw_fd);
            had.map_err(|e| e.kind())
        };
        let first = number(key("f", "1", "a")).expect("a socket");
        assert_eq!(number(key("f", "1", "a")), Ok(first));
        assert_eq!(number(key("f", "1", "b")), Err(io::ErrorKind::AddrInUse));
        assert_eq!(number(key("g", "1", "a")), Err(io::ErrorKind::AddrInUse));
        assert_eq!(number(key("f", "2", "b")), Ok(first));
        // (the first one has ended, but it is the second one's by now)
        all.let_go(&key("f", "1", "a"));
        TcpListener::bind(at).await.expect_err("it is held");
        all.let_go(&key("f", "2", "b"));
        TcpListener::bind(at).await.expect("it is free");
    }
}
