//! What programs and commands say to the agent of their machine, through its *door*: one Unix socket, which only its owner may use.
//!
//! Each connection begins with a line of JSON that says what it is for ([`Hello`]), and the agent answers with a line ([`Answer`]). What
//! follows depends on what was asked for:
//!
//! | what | then |
//! | --- | --- |
//! | `program` | the control protocol (docs/control-protocol.md), in which the agent asks and the program answers |
//! | `link` | the link protocol (docs/link-protocol.md), as with the program that is asked for, wherever it runs |
//! | `listen` | nothing: with the answer ([`Listening`]) comes a listening socket |
//! | `context` | requests for shared values and their answers, a line each ([`context`]) |
//! | `admin` | requests of people and their answers, a line each ([`admin`]) |

pub mod admin;
pub mod client;
pub mod context;
pub mod manifest;

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The version of what is said here.
pub const VERSION: u32 = 1;
/// The longest line, in bytes: 16 MiB.
pub const LONGEST_LINE: usize = 16 << 20;
/// The file of the door within an agent's folder for sockets.
pub const DOOR: &str = "agent.sock";
/// The environment variable that says where the door is.
pub const VARIABLE: &str = "VGDC_AGENT";

/// The target triple of this program: what the programs are compiled for that run beside it.
pub fn target() -> String {
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    match os {
        "linux" if cfg!(target_env = "musl") => format!("{arch}-unknown-linux-musl"),
        "linux" => format!("{arch}-unknown-linux-gnu"),
        "macos" => format!("{arch}-apple-darwin"),
        other => format!("{arch}-unknown-{other}"),
    }
}

/// The first line of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub vgdc: u32,
    /// What the connection is for.
    #[serde(flatten)]
    pub what: What,
}

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A program is there, to be controlled.
    Program {
        /// The name that the agent gave it.
        instance: String,
        /// Its process.
        pid: u32,
    },
    /// A link to another part.
    Link {
        /// The name that the agent gave the program that asks.
        instance: String,
        /// The part's name.
        to: String,
    },
    /// A listening socket, which the agent keeps for the flow's next program.
    Listen {
        /// The name that the agent gave the program that asks.
        instance: String,
        /// Where it listens; the port is none of any.
        address: SocketAddr,
    },
    /// Shared values, for a program.
    Context {
        /// The name that the agent gave it.
        instance: String,
    },
    /// Commands of people.
    Admin {},
}

/// The answer to a [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It may begin.
    Ok {},
    /// It may not; why, and what mends it.
    Error(String),
}

/// The answer to who asks for a listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listening {
    /// It comes with the first bytes of this line (`SCM_RIGHTS`).
    Ok {},
    /// The system does not give it: its number for why.
    System(i32),
    /// The agent does not, and why.
    Error(String),
}

impl Hello {
    /// For this.
    pub fn new(what: What) -> Hello {
        Hello {
            vgdc: VERSION,
            what,
        }
    }

    /// As its line, with the end of the line.
    pub fn line(&self) -> String {
        line(self)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is none, or of another version; in words.
    pub fn read(text: &str) -> Result<Hello, String> {
        #[derive(Deserialize)]
        struct Head {
            vgdc: u32,
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|_| "this is the door of a vgdc agent; a connection begins with a line that says what it is for".to_owned())?;
        if head.vgdc != VERSION {
            return Err(format!(
                "this agent speaks version {VERSION} of its door's language, and was spoken to in version {}: update the older of both",
                head.vgdc
            ));
        }
        serde_json::from_str(text).map_err(|e| format!("not a purpose that this agent knows: {e}"))
    }
}

impl Answer {
    /// As its line, with the end of the line.
    pub fn line(&self) -> String {
        line(self)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// The agent's refusal; or it is no answer.
    pub fn read(text: &str) -> Result<(), String> {
        match serde_json::from_str(text) {
            Ok(Answer::Ok {}) => Ok(()),
            Ok(Answer::Error(why)) => Err(why),
            Err(e) => Err(format!("the agent gave no answer that can be read: {e}")),
        }
    }
}

/// A value as a line of JSON, with the end of the line.
pub fn line(value: &impl Serialize) -> String {
    // (what stands in this crate has only texts for keys, so there is nothing that JSON cannot say)
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_read_back_and_a_stranger_is_told() {
        let hello = Hello::new(What::Link {
            instance: "a".into(),
            to: "b".into(),
        });
        assert_eq!(
            hello.line(),
            "{\"vgdc\":1,\"link\":{\"instance\":\"a\",\"to\":\"b\"}}\n"
        );
        assert_eq!(Hello::read(&hello.line()), Ok(hello));
        assert!(Hello::read("GET / HTTP/1.1").is_err_and(|e| e.contains("door")));
        assert!(Hello::read("{\"vgdc\":9,\"x\":{}}").is_err_and(|e| e.contains("version 9")));
        assert!(Hello::read("{\"vgdc\":1,\"x\":{}}").is_err_and(|e| e.contains("purpose")));
        assert_eq!(Answer::read(&Answer::Ok {}.line()), Ok(()));
        assert_eq!(
            Answer::read(&Answer::Error("no".into()).line()),
            Err("no".into())
        );
    }
}
