//! The other side of the door, for commands: blocking, a request at a time.

use crate::admin::{Ask, Told};
use crate::{Answer, DOOR, Hello, LONGEST_LINE, Listening, VARIABLE, What, line};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::{BufRead, BufReader, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What errors begin with where the agent has gone before it has answered.
pub const HUNG_UP: &str = "the agent hung up";

/// How long an agent may take to give a listening socket.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer with one, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// A connection to an agent, for requests of people.
pub struct Client {
    read: BufReader<UnixStream>,
    write: UnixStream,
}

/// Where the door of this machine's agent is: what `asked` says, else the environment, else where an agent has it that was told nothing.
pub fn door(asked: Option<&Path>) -> PathBuf {
    let told = asked.map(Path::to_owned);
    let told = told.or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    match told {
        Some(path) if path.is_dir() => path.join(DOOR),
        Some(path) => path,
        None => sockets(&data()).join(DOOR),
    }
}

/// The folder of an agent's data where nothing else is said: `/var/lib/vgdc` of root, else `vgdc` in the user's folder for data.
pub fn data() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let of_user = || match std::env::var_os("XDG_DATA_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => home().join(".local/share"),
    };
    match std::env::var("USER").as_deref() {
        Ok("root") => PathBuf::from("/var/lib/vgdc"),
        _ if home() == Path::new("/root") => PathBuf::from("/var/lib/vgdc"),
        _ => of_user().join("vgdc"),
    }
}

/// The folder of an agent's sockets, for its folder of data.
pub fn sockets(data: &Path) -> PathBuf {
    data.join("run")
}

/// Opens a connection for a purpose.
///
/// # Errors
/// There is no agent, or it refuses; in words.
pub fn open(door: &Path, what: What) -> Result<(BufReader<UnixStream>, UnixStream), String> {
    let mut write = UnixStream::connect(door).map_err(|e| {
        format!(
            "no agent answers at {}: {e}\n  `vgdc node` starts one; `--agent PATH` or {VARIABLE} says where another one is",
            door.display()
        )
    })?;
    let hung_up = |e| format!("the agent at {} hung up: {e}", door.display());
    let read = write.try_clone().map_err(hung_up)?;
    write
        .write_all(Hello::new(what).line().as_bytes())
        .map_err(hung_up)?;
    let mut read = BufReader::new(read);
    let answer = read_line(&mut read).map_err(hung_up)?;
    Answer::read(&answer)?;
    Ok((read, write))
}

/// A listening socket, by the agent, which keeps it for the program after this one.
///
/// # Errors
/// The address cannot be had, with the system's reason; or there is no agent, or it refuses, in words.
pub fn listen(door: &Path, instance: &str, address: SocketAddr) -> std::io::Result<TcpListener> {
    let mut stream = UnixStream::connect(door)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let hello = Hello::new(What::Listen {
        instance: instance.to_owned(),
        address,
    });
    stream.write_all(hello.line().as_bytes())?;
    let (mut text, mut socket) = (Vec::new(), None);
    while !text.ends_with(b"\n") {
        let mut bytes = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut with = RecvAncillaryBuffer::new(&mut space);
        let mut into = [std::io::IoSliceMut::new(&mut bytes)];
        let got = match recvmsg(&stream, &mut into, &mut with, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => continue,
            got => got?.bytes,
        };
        for message in with.drain() {
            if let RecvAncillaryMessage::ScmRights(mut sockets) = message {
                socket = sockets.next().or(socket);
            }
        }
        text.extend_from_slice(&bytes[..got]);
        if got == 0 || text.len() > LONGEST_ANSWER {
            return Err(std::io::Error::other(HUNG_UP));
        }
    }
    let other = |why: String| std::io::Error::other(why);
    match (serde_json::from_slice(&text), socket) {
        (Ok(Listening::Ok {}), Some(socket)) => Ok(socket.into()),
        (Ok(Listening::System(number)), _) => Err(std::io::Error::from_raw_os_error(number)),
        (Ok(Listening::Error(why)), _) => Err(other(why)),
        (Ok(Listening::Ok {}), None) => Err(other("no socket came from the agent".to_owned())),
        (Err(_), _) => {
            // (one that does not know the purpose, or speaks another version)
            Answer::read(&String::from_utf8_lossy(&text)).map_err(other)?;
            Err(other("the agent's answer cannot be read".to_owned()))
        }
    }
}

fn read_line(read: &mut BufReader<UnixStream>) -> std::io::Result<String> {
    let mut text = String::new();
    read.by_ref()
        .take(LONGEST_LINE as u64)
        .read_line(&mut text)?;
    match text.ends_with('\n') {
        true => Ok(text),
        false => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// There is no agent; in words.
    pub fn connect(door: &Path) -> Result<Client, String> {
        let (read, write) = open(door, What::Admin {})?;
        Ok(Client { read, write })
    }

    /// Asks, and waits for the answer; `note` is given what comes before it.
    ///
    /// # Errors
    /// The agent's refusal; or it has gone.
    pub fn ask<T: serde::de::DeserializeOwned>(
        &mut self,
        ask: &Ask,
        mut note: impl FnMut(&str),
    ) -> Result<T, String> {
        let gone = |e| format!("{HUNG_UP}: {e}");
        self.write.write_all(line(ask).as_bytes()).map_err(gone)?;
        loop {
            let text = read_line(&mut self.read).map_err(gone)?;
            match serde_json::from_str(&text) {
                Ok(Told::Done(value)) => {
                    return serde_json::from_value(value)
                        .map_err(|e| format!("the agent's answer cannot be read: {e}"));
                }
                Ok(Told::Error(why)) => return Err(why),
                Ok(Told::Note(text)) => note(&text),
                Err(e) => return Err(format!("the agent's answer cannot be read: {e}")),
            }
        }
    }
}
