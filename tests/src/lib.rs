//! What the tests that run vgdc as a process share.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program that `cargo build` has made; the tests' own executable lies beside its folder.
///
/// # Panics
/// It is not there.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this test has a file");
    let folder = own
        .parent()
        .and_then(Path::parent)
        .expect("a test lies in target/PROFILE/deps");
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is missing: cargo build --workspace --all-targets",
        path.display()
    );
    path
}

/// `vgdc` with these arguments.
pub fn vgdc(args: &[&str]) -> Command {
    let mut command = Command::new(program("vgdc"));
    command.args(args).env("NO_COLOR", "1");
    command
}

/// Runs `vgdc` to its end.
///
/// # Panics
/// It cannot be started.
pub fn run(args: &[&str]) -> Output {
    vgdc(args)
        .stdin(Stdio::null())
        .output()
        .expect("vgdc starts")
}

/// What a process printed to standard output, or to standard error.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What happened at each node, in order.
pub type Story = BTreeMap<String, Vec<Value>>;

/// Events by their node, each made comparable.
pub fn by_node(events: &[Value], comparable: impl Fn(&Value) -> Value) -> Story {
    let mut story = Story::new();
    for event in events {
        let node = event["node"].as_str().unwrap_or_default().to_owned();
        story.entry(node).or_default().push(comparable(event));
    }
    story
}

/// How many cases a test of properties tries: what `PROPTEST_CASES` says, else as many as usual.
pub fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// What `.ci/npm` has installed: Node-RED, the Node.js that it wants, packages.
///
/// # Panics
/// It has not run.
pub fn npm() -> PathBuf {
    let folder =
        std::env::var_os("VGDC_NPM").map_or_else(|| root().join("target/npm"), PathBuf::from);
    let folder = folder.canonicalize().unwrap_or(folder);
    assert!(
        folder.join("node_modules/node-red").is_dir(),
        "Node-RED is not in {}: `sh .ci/npm` installs it",
        folder.display()
    );
    folder
}

/// Has a command find Node.js and Node-RED.
pub fn with_node(command: &mut Command) -> &mut Command {
    let modules = npm().join("node_modules");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", modules.join("node/bin").display());
    command.env("PATH", path).env("NODE_PATH", modules)
}

/// A process that runs flows, ended when it is dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts a command whose output is read line by line.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(command: &mut Command) -> Running {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("it starts");
        let lines = lines_of(child.stdout.take().expect("its output is piped"));
        Running {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line that contains this, and gives it.
    ///
    /// # Panics
    /// It does not come within half a minute.
    pub fn wait_for(&mut self, part: &str) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(_) => panic!("no line with \"{part}\" came; these did: {:#?}", self.seen),
            }
        }
    }

    /// All lines that came, and those that still come until it ends.
    pub fn rest(&mut self) -> String {
        self.seen.extend(self.lines.iter());
        self.seen.join("\n")
    }

    /// The address after "Listening on http://".
    pub fn address(&mut self) -> String {
        let line = self.wait_for("Listening on http://");
        line.rsplit("http://")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// The processes that it has started and that still run.
    pub fn children(&self) -> Vec<u32> {
        let parent = format!("PPid:\t{}", self.child.id());
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_its = |pid: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
            status.is_ok_and(|status| status.lines().any(|line| line == parent))
        };
        numbers.filter(is_its).collect()
    }

    /// Sends a signal (`TERM`, `INT`, `KILL`).
    ///
    /// # Panics
    /// The process is not there any more.
    pub fn tell(&self, signal: &str) {
        let status = Command::new("kill")
            .args([format!("-{signal}"), self.child.id().to_string()])
            .status();
        assert!(
            status.is_ok_and(|s| s.success()),
            "the process could be signalled"
        );
    }

    /// Sends a signal and waits for the end; gives the exit code.
    ///
    /// # Panics
    /// It does not end within ten seconds.
    pub fn stop(&mut self, signal: &str) -> Option<i32> {
        self.tell(signal);
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the process did not stop");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // (it may have ended)
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A conversation in the control protocol with `vgdc run --control stdio`.
pub struct Control {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    next: u64,
    /// Events that came so far.
    pub events: Vec<Value>,
}

impl Control {
    /// Starts it, with more arguments.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(args: &[&str]) -> Control {
        Control::start_command(vgdc(&["run", "--control", "stdio"]).args(args))
    }

    /// The same with any program that speaks the protocol on its standard input and output.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start_command(command: &mut Command) -> Control {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let input = child.stdin.take().expect("its input is piped");
        let lines = lines_of(child.stdout.take().expect("its output is piped"));
        Control {
            child,
            input,
            lines,
            next: 0,
            events: Vec::new(),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Panics
    /// No answer comes within a minute.
    pub fn ask(&mut self, op: &str, mut fields: Value) -> Value {
        self.next += 1;
        fields["id"] = self.next.into();
        fields["op"] = op.into();
        writeln!(self.input, "{fields}").expect("it reads");
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let line = match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("no answer to {fields}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended before it answered {fields}")
                }
            };
            let value: Value =
                serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if value.get("event").is_some() {
                self.events.push(value);
            } else {
                assert_eq!(value["id"], self.next);
                return value;
            }
        }
    }

    /// The same, where the answer must be good; gives its result.
    ///
    /// # Panics
    /// The request is refused.
    pub fn good(&mut self, op: &str, fields: Value) -> Value {
        let answer = self.ask(op, fields);
        assert_eq!(answer["ok"], true, "{op}: {answer}");
        answer["result"].clone()
    }

    /// The same, where it must be refused; gives the error.
    ///
    /// # Panics
    /// The answer is good.
    pub fn bad(&mut self, op: &str, fields: Value) -> Value {
        let answer = self.ask(op, fields);
        assert_eq!(answer["ok"], false, "{op}: {answer}");
        answer["error"].clone()
    }

    /// Waits until an event is there for which `wanted` holds.
    ///
    /// # Panics
    /// It does not come within ten seconds.
    pub fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if let Some(found) = self.events.iter().find(|event| wanted(event)) {
                return found.clone();
            }
            self.good("settle", serde_json::json!({}));
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the event did not come; these did: {:#?}", self.events);
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the conversation; gives the exit code.
    ///
    /// # Panics
    /// The process does not end.
    pub fn end(self) -> Option<i32> {
        let Control {
            mut child, input, ..
        } = self;
        drop(input);
        child.wait().expect("it ends").code()
    }
}

/// A free port of 127.0.0.1.
///
/// # Panics
/// There is none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}

/// Connects, trying for ten seconds.
///
/// # Panics
/// Nobody listens.
pub fn connect(address: &str) -> TcpStream {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return stream,
            Err(error) if Instant::now() > until => panic!("{address}: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// An HTTP request; gives the status and the body.
///
/// # Panics
/// There is no answer.
pub fn http(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = connect(address);
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("{answer}"));
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (status, body.to_owned())
}
