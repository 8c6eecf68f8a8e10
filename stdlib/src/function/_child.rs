//! Processes that nodes start: what they say, how they end, the signals that can be sent to them, and the words that Node.js
//! has for what goes wrong.

use crate::common::inspect::{cut, inspect};
use rustix::process::{Pid, Signal, kill_process};
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use vgdc_core::NodeError;
use vgdc_core::value::{ErrorValue, Value};

/// How much is read at once, as Node.js does.
const PIECE: usize = 64 << 10;

/// A process that was started. It can be told to end as long as it has not.
#[derive(Clone)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// False once the system has been asked how it ended: from then on the number may be another's.
    alive: Rc<Cell<bool>>,
}

impl Process {
    /// Sends a signal. (That it ends by itself just now is none of anybody's business.)
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let (true, Some(pid)) = (self.alive.get(), pid) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Which of its outputs a process wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it, if it has a name.
    pub signal: Option<&'static str>,
}

/// A process whose outputs are to be read.
pub struct Started {
    child: Child,
    process: Process,
}

impl Started {
    /// Starts a program. Its input is a pipe that stays open and empty.
    ///
    /// # Errors
    /// The system's.
    pub fn new(
        program: &str,
        args: &[String],
        env: HashMap<OsString, OsString>,
    ) -> io::Result<Started> {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // SAFETY: between fork and exec nothing is called but signal(2), which is async-signal-safe, allocates nothing and
        // changes the child alone.
        unsafe {
            command.pre_exec(hear_all_signals);
        }
        let child = command.spawn()?;
        let pid = child.id().unwrap_or_default();
        let alive = Rc::new(Cell::new(true));
        let process = Process { pid, alive };
        Ok(Started { child, process })
    }

    /// The process.
    pub fn process(&self) -> Process {
        self.process.clone()
    }

    /// Gives away what the process says until it has ended and nobody holds its outputs any more. When `take` says false, no
    /// more is read.
    pub async fn follow(mut self, mut take: impl AsyncFnMut(Output, Vec<u8>) -> bool) -> Exit {
        let input = self.child.stdin.take();
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let reading = async {
            let (mut out_piece, mut err_piece) = (Vec::new(), Vec::new());
            while out.is_some() || err.is_some() {
                let (of, count) = tokio::select! {
                    count = read(&mut out, &mut out_piece) => (Output::Out, count),
                    count = read(&mut err, &mut err_piece) => (Output::Err, count),
                };
                let piece = match of {
                    Output::Out => &mut out_piece,
                    Output::Err => &mut err_piece,
                };
                if count > 0 {
                    if !take(of, std::mem::take(piece)).await {
                        (out, err) = (None, None);
                    }
                } else if of == Output::Out {
                    out = None;
                } else {
                    err = None;
                }
            }
        };
        let ending = async {
            let status = self.child.wait().await;
            self.process.alive.set(false);
            drop(input);
            status
        };
        let ((), status) = tokio::join!(reading, ending);
        exit(status.ok())
    }
}

/// Signals do what they do by default in a process that Node.js starts. One that was started under `nohup`, or by a shell in the
/// background, ignores some, and what it starts would do so, too: nothing but SIGKILL would end it.
fn hear_all_signals() -> io::Result<()> {
    for signal in 1..32 {
        // (SIGKILL and SIGSTOP cannot be changed: that they are refused is no fault)
        // SAFETY: the default action is no function of this program.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
    Ok(())
}

/// Reads a piece; nothing at the end, or where reading fails. What has no pipe has nothing to say.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, piece: &mut Vec<u8>) -> usize {
    match pipe {
        Some(pipe) => {
            piece.reserve(PIECE);
            pipe.read_buf(piece).await.unwrap_or(0)
        }
        None => std::future::pending().await,
    }
}

fn exit(status: Option<ExitStatus>) -> Exit {
    let signal = status.and_then(|status| status.signal());
    Exit {
        code: status.and_then(|status| status.code()),
        signal: signal.and_then(name_of),
    }
}

/// Signals by their names, as Node.js knows them. Of two names for one signal the first is what an end by it is called.
const SIGNALS: [(&str, Signal); 33] = [
    ("SIGHUP", Signal::HUP),
    ("SIGINT", Signal::INT),
    ("SIGQUIT", Signal::QUIT),
    ("SIGILL", Signal::ILL),
    ("SIGTRAP", Signal::TRAP),
    ("SIGABRT", Signal::ABORT),
    ("SIGIOT", Signal::ABORT),
    ("SIGBUS", Signal::BUS),
    ("SIGFPE", Signal::FPE),
    ("SIGKILL", Signal::KILL),
    ("SIGUSR1", Signal::USR1),
    ("SIGSEGV", Signal::SEGV),
    ("SIGUSR2", Signal::USR2),
    ("SIGPIPE", Signal::PIPE),
    ("SIGALRM", Signal::ALARM),
    ("SIGTERM", Signal::TERM),
    ("SIGSTKFLT", Signal::STKFLT),
    ("SIGCHLD", Signal::CHILD),
    ("SIGCONT", Signal::CONT),
    ("SIGSTOP", Signal::STOP),
    ("SIGTSTP", Signal::TSTP),
    ("SIGTTIN", Signal::TTIN),
    ("SIGTTOU", Signal::TTOU),
    ("SIGURG", Signal::URG),
    ("SIGXCPU", Signal::XCPU),
    ("SIGXFSZ", Signal::XFSZ),
    ("SIGVTALRM", Signal::VTALARM),
    ("SIGPROF", Signal::PROF),
    ("SIGWINCH", Signal::WINCH),
    ("SIGIO", Signal::IO),
    ("SIGPOLL", Signal::IO),
    ("SIGPWR", Signal::POWER),
    ("SIGSYS", Signal::SYS),
];

/// The signal of this name.
///
/// # Errors
/// There is none: the `TypeError` of Node.js.
pub fn signal(name: &str) -> Result<Signal, NodeError> {
    let found = SIGNALS.iter().find(|(known, _)| *known == name);
    found.map(|(_, signal)| *signal).ok_or_else(|| {
        let error = ErrorValue::new("TypeError", format!("Unknown signal: {name}"));
        NodeError::from_value(error.with("code", "ERR_UNKNOWN_SIGNAL").into())
    })
}

fn name_of(number: i32) -> Option<&'static str> {
    let found = SIGNALS.iter().find(|(_, signal)| signal.as_raw() == number);
    found.map(|(name, _)| *name)
}

/// What Node.js says of an argument that no program can be started with: one that holds a NUL, or a program without a name.
pub fn unfit(argument: &str, text: &str) -> Option<NodeError> {
    let why = match text {
        "" if argument == "file" => "cannot be empty",
        text if text.contains('\0') => "must be a string without null bytes",
        _ => return None,
    };
    let shown = inspect(&Value::from(text), 0);
    let (shown, more) = cut(&shown, 128);
    let more = if more { "..." } else { "" };
    let message = format!("The argument '{argument}' {why}. Received {shown}{more}");
    let error = ErrorValue::new("TypeError", message).with("code", "ERR_INVALID_ARG_VALUE");
    Some(NodeError::from_value(error.into()))
}

/// A program could not be started.
pub enum Refused {
    /// What Node.js tells later, as an end of the process: the code, and its number.
    Told(&'static str, i32),
    /// What Node.js throws.
    Thrown(NodeError),
}

/// What is wrong when a program cannot be started.
pub fn refused(error: &io::Error) -> Refused {
    let number = error.raw_os_error().unwrap_or(5);
    let code = match number {
        1 => "EPERM",
        2 => "ENOENT",
        7 => "E2BIG",
        8 => "ENOEXEC",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        20 => "ENOTDIR",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        26 => "ETXTBSY",
        36 => "ENAMETOOLONG",
        40 => "ELOOP",
        _ => "EIO",
    };
    if matches!(code, "ENOENT" | "EAGAIN" | "EACCES" | "ENFILE" | "EMFILE") {
        return Refused::Told(code, -number);
    }
    let error = ErrorValue::new("Error", format!("spawn {code}"))
        .with("errno", -number)
        .with("code", code)
        .with("syscall", "spawn");
    Refused::Thrown(NodeError::from_value(error.into()))
}

/// What a process said, as a flow gets it: a text, unless there is something in it that no text has (to Node-RED's mind, control
/// characters but tabs and ends of lines are nothing for texts).
pub fn payload(bytes: Vec<u8>) -> Value {
    let odd = |byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127);
    if bytes.iter().any(odd) {
        return Value::from(bytes);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(error) => Value::from(error.into_bytes()),
    }
}

/// Bytes as characters of the same numbers.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A line as the words that a program is started with: parted at white space outside of double quotes. A word that begins and ends
/// with such loses these two; a quote that has no partner is left out.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let quoted = rest.strip_prefix('"').and_then(|inside| inside.find('"'));
        let length = quoted.map_or(c.len_utf8(), |inside| inside + 2);
        let (piece, after) = rest.split_at(length);
        if piece == "\"" || vgdc_core::value::number::is_js_space(c) {
            words.extend(unquoted(&mut word));
        } else {
            word.push_str(piece);
        }
        rest = after;
    }
    words.extend(unquoted(&mut word));
    words
}

/// The word, if there is one; takes it away.
fn unquoted(word: &mut String) -> Option<String> {
    let word = std::mem::take(word);
    // (the pattern's `.` is any character but one that ends a line)
    let whole = !word.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
    let inner = word
        .strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'));
    match inner {
        Some(inner) if whole => Some(inner.to_owned()),
        _ => (!word.is_empty()).then_some(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            ("  \t\u{a0} ", &[]),
            ("a  b\nc", &["a", "b", "c"]),
            (r#"a "b c" d"e f"g"#, &["a", "b c", r#"d"e f"g"#]),
            (r#""" a"""#, &["", r#"a"""#]),
            (r#""a"b"c""#, &[r#"a"b"c"#]),
            (r#"a "b c"#, &["a", "b", "c"]),
            (r#"a"b"#, &["a", "b"]),
            ("\"a\nb\" é\"😀 ü\"", &["\"a\nb\"", "é\"😀 ü\""]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_is_a_text() {
        assert_eq!(
            payload(b"a\t\xc3\xa9\r\n".to_vec()),
            Value::from("a\té\r\n")
        );
        for odd in [
            &b"a\0"[..],
            b"\x1b[0m",
            b"\x7f",
            b"a\xc3",
            b"\xed\xa0\x80",
            b"\xc0\x80",
        ] {
            assert_eq!(payload(odd.to_vec()), Value::from(odd.to_vec()));
        }
        assert_eq!(payload(Vec::new()), Value::from(""));
        assert_eq!(latin1("ü".as_bytes()), "Ã¼");
    }

    #[test]
    fn signals_have_names() {
        assert!(signal("SIGHUP").is_ok_and(|signal| signal.as_raw() == 1));
        assert!(signal("SIGRTMIN").is_err());
        assert_eq!(name_of(6), Some("SIGABRT"));
        assert_eq!(name_of(64), None);
    }
}
