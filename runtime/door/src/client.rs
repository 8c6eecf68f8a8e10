//! The other side of the door, for commands: blocking, a request at a time.

use crate::admin::{Ask, Told};
use crate::{Answer, DOOR, Hello, LONGEST_LINE, VARIABLE, What, line};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// What errors begin with where the agent has gone before it has answered.
pub const HUNG_UP: &str = "the agent hung up";

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
