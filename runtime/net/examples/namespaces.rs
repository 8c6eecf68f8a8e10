//! Measures discovery and failure detection as they are between hosts: five processes of the example `peer` in five network namespaces on
//! one bridge. Needs root and `ip` (iproute2):
//!
//! `cargo build -p vgdc-net --release --examples && target/release/examples/namespaces [RUNS]`
//!
//! Each figure is the time until the last node has seen it; printed are all runs and their median.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NODES: usize = 5;
const BRIDGE: &str = "vgdcbr0";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let runs = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 5,
    };
    let peer = std::env::current_exe()?.with_file_name("peer");
    let folder = std::env::temp_dir().join(format!("vgdc-namespaces-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let _network = Network::make()?;
    let mut all: Vec<Figures> = Vec::new();
    for run in 0..runs {
        let figures = measure(&peer, &folder.join(run.to_string()))?;
        println!("run {}: {figures:?}", run + 1);
        all.push(figures);
    }
    std::fs::remove_dir_all(&folder)?;
    let median = |of: fn(&Figures) -> Duration| {
        let mut times: Vec<_> = all.iter().map(of).collect();
        times.sort();
        times[times.len() / 2]
    };
    println!("median: five find each other   {:?}", median(|f| f.found));
    println!("median: kill -9 seen by all    {:?}", median(|f| f.killed));
    println!(
        "median: restart seen by all    {:?}",
        median(|f| f.restarted)
    );
    println!("median: silent cut seen by all {:?}", median(|f| f.cut));
    println!("median: healed, seen by all    {:?}", median(|f| f.healed));
    Ok(())
}

#[derive(Debug)]
struct Figures {
    found: Duration,
    killed: Duration,
    restarted: Duration,
    cut: Duration,
    healed: Duration,
}

fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("ip {arguments}: {}", error.trim()).into());
    }
    Ok(())
}

/// The bridge and the namespaces; gone when dropped.
struct Network;

impl Network {
    fn make() -> Result<Self> {
        let network = Self;
        ip(&format!("link add {BRIDGE} type bridge"))?;
        ip(&format!("link set {BRIDGE} up"))?;
        for n in 1..=NODES {
            ip(&format!("netns add vgdcn{n}"))?;
            ip(&format!(
                "link add vgdcb{n} type veth peer name eth0 netns vgdcn{n}"
            ))?;
            ip(&format!("link set vgdcb{n} master {BRIDGE} up"))?;
            ip(&format!("-n vgdcn{n} addr add 10.77.0.{n}/24 dev eth0"))?;
            ip(&format!("-n vgdcn{n} link set lo up"))?;
            ip(&format!("-n vgdcn{n} link set eth0 up"))?;
        }
        // (a bridge's ports learn first)
        std::thread::sleep(Duration::from_secs(3));
        Ok(network)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for n in 1..=NODES {
            let _ = ip(&format!("netns del vgdcn{n}"));
        }
        let _ = ip(&format!("link del {BRIDGE}"));
    }
}

/// A line that a node printed: the node, when, the rest.
type Line = (usize, Duration, String);

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn start(peer: &Path, folder: &Path, n: usize, lines: &Sender<Line>) -> Result<Node> {
    let key: PathBuf = folder.join(format!("key{n}"));
    let mut child = Command::new("ip")
        .args(["netns", "exec", &format!("vgdcn{n}")])
        .arg(peer)
        .arg(format!("n{n}"))
        .arg(key)
        .args(["namespaces", "tcp://0.0.0.0:4400"])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    let lines = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(|line| line.ok()) {
            if std::env::var_os("VERBOSE").is_some() {
                eprintln!("n{n}: {line}");
            }
            if let Some((time, rest)) = line.split_once(' ')
                && let Ok(time) = time.parse()
                && lines
                    .send((n, Duration::from_micros(time), rest.to_owned()))
                    .is_err()
            {
                return;
            }
        }
    });
    Ok(Node(child))
}

/// Waits until each of the given nodes has printed one of the given words about each of the given others; when the last one did.
fn all_see(lines: &Receiver<Line>, by: &[usize], words: &[&str], of: &[usize]) -> Result<Duration> {
    let mut missing: HashSet<(usize, usize)> = by
        .iter()
        .flat_map(|by| of.iter().map(move |of| (*by, *of)))
        .filter(|(by, of)| by != of)
        .collect();
    let give_up = Instant::now() + Duration::from_secs(60);
    let mut last = Duration::ZERO;
    while !missing.is_empty() {
        let left = give_up.saturating_duration_since(Instant::now());
        let (by, at, line) = lines
            .recv_timeout(left)
            .map_err(|_| format!("{words:?} was not seen (by, of): {missing:?}"))?;
        let Some((word, name)) = line.split_once(' ') else {
            continue;
        };
        let of = name.strip_prefix('n').and_then(|n| n.parse().ok());
        if let (true, Some(of)) = (words.contains(&word), of)
            && missing.remove(&(by, of))
        {
            last = last.max(at);
        }
    }
    Ok(last)
}

fn measure(peer: &Path, folder: &Path) -> Result<Figures> {
    std::fs::create_dir_all(folder)?;
    let (sender, lines) = channel();
    let everyone: Vec<usize> = (1..=NODES).collect();
    let begin = now();
    let mut nodes = everyone
        .iter()
        .map(|n| start(peer, folder, *n, &sender))
        .collect::<Result<Vec<_>>>()?;
    let found = all_see(&lines, &everyone, &["joined"], &everyone)? - begin;
    std::thread::sleep(Duration::from_secs(3));

    let rest: Vec<usize> = everyone.iter().copied().filter(|n| *n != 5).collect();
    let begin = now();
    drop(nodes.pop());
    let killed = all_see(&lines, &rest, &["down"], &[5])?.saturating_sub(begin);
    std::thread::sleep(Duration::from_secs(1));
    let begin = now();
    nodes.push(start(peer, folder, 5, &sender)?);
    let restarted = all_see(&lines, &rest, &["back"], &[5])? - begin;
    std::thread::sleep(Duration::from_secs(3));

    let rest: Vec<usize> = everyone.iter().copied().filter(|n| *n != 3).collect();
    let begin = now();
    ip("link set vgdcb3 nomaster")?;
    let cut = all_see(&lines, &rest, &["down"], &[3])? - begin;
    std::thread::sleep(Duration::from_secs(3));
    let begin = now();
    ip(&format!("link set vgdcb3 master {BRIDGE}"))?;
    let healed = all_see(&lines, &rest, &["back"], &[3])? - begin;
    Ok(Figures {
        found,
        killed,
        restarted,
        cut,
        healed,
    })
}
