//! How fast the control state of a mesh is: three replicas over TCP on this machine, each with its SQLite file, synced to the disk.
//! Prints figures; `cargo bench -p vgdc-agent --bench control`.
//!
//! For the failover, each replica is a process of its own, and the leader's is killed (SIGKILL); the times are the group's defaults.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use vgdc_agent::context::{Freshness, MeshContext};
use vgdc_agent::id::NodeId;
use vgdc_agent::replica::{Options, Replica, Role, Timing};
use vgdc_agent::state::context::Place;
use vgdc_agent::wire::Peer;
use vgdc_agent::wire::tcp::{TcpServer, TcpWire};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often the leader is killed.
const KILLS: usize = 5;

fn peer(number: u8, address: &str) -> Peer {
    Peer {
        id: NodeId::from_key([number; 32]),
        addresses: vec![address.to_owned()],
    }
}

fn free_address() -> std::io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

async fn start(folder: &Path, number: u8, address: &str) -> Result<(Replica, TcpServer), Failure> {
    let options = Options {
        mesh: "bench".into(),
        id: peer(number, address).id,
        addresses: vec![address.to_owned()],
        file: folder.join(format!("{number}.sqlite")),
        timing: Timing::default(),
        snapshot_entries: None,
    };
    let replica = Replica::start(options, Arc::new(TcpWire::new())).await?;
    let server = TcpServer::listen(address, replica.service()).await?;
    Ok((replica, server))
}

fn place(number: usize) -> Place {
    Place {
        scope: vgdc_store::Scope::Global,
        store: "default".into(),
        key: format!("key {}", number % 100),
    }
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{what:<58} p50 {:7.3} ms   p99 {:7.3} ms   ({} times)",
        at(50),
        at(99),
        times.len()
    );
}

async fn one_at_a_time(what: &str, context: &MeshContext, number: usize) -> Result<(), Failure> {
    let mut times = Vec::with_capacity(number);
    for n in 0..number {
        let begin = Instant::now();
        context.set(&place(n), vec![b'x'; 200].into()).await?;
        times.push(begin.elapsed());
    }
    show(what, times);
    Ok(())
}

async fn many_at_a_time(
    what: &str,
    context: &MeshContext,
    users: usize,
    number: usize,
) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut all = JoinSet::new();
    for user in 0..users {
        let context = context.clone();
        all.spawn(async move {
            for n in 0..number / users {
                context
                    .set(&place(user * 7 + n), vec![b'x'; 200].into())
                    .await?;
            }
            Ok::<_, vgdc_agent::replica::ProposeError>(())
        });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    println!(
        "{what:<58} {:9.0} writes/s",
        number as f64 / begin.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn reads(
    what: &str,
    context: &MeshContext,
    freshness: Freshness,
    number: usize,
) -> Result<(), Failure> {
    let mut times = Vec::with_capacity(number);
    for n in 0..number {
        let begin = Instant::now();
        context.get(&place(n), freshness).await?;
        times.push(begin.elapsed());
    }
    show(what, times);
    Ok(())
}

async fn in_this_process() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (one, _first) = start(folder.path(), 1, &free_address()?).await?;
    one.bootstrap().await?;
    let (two, _second) = start(folder.path(), 2, &free_address()?).await?;
    let (three, _third) = start(folder.path(), 3, &free_address()?).await?;
    two.join(&[one.peer()]).await?;
    three.join(&[one.peer()]).await?;
    let (at_leader, at_follower) = (
        MeshContext::new(one.clone(), "bench"),
        MeshContext::new(two.clone(), "bench"),
    );
    one_at_a_time("warming up", &at_leader, 300).await?;
    one_at_a_time("a write of 200 B at the leader", &at_leader, 3_000).await?;
    one_at_a_time("a write of 200 B at a follower", &at_follower, 3_000).await?;
    many_at_a_time("64 in flight at the leader", &at_leader, 64, 64_000).await?;
    many_at_a_time("64 in flight at a follower", &at_follower, 64, 64_000).await?;
    reads(
        "a linearizable read at the leader",
        &at_leader,
        Freshness::Linearizable,
        3_000,
    )
    .await?;
    reads(
        "a linearizable read at a follower",
        &at_follower,
        Freshness::Linearizable,
        3_000,
    )
    .await?;
    reads(
        "a cached read at a follower",
        &at_follower,
        Freshness::Cached,
        100_000,
    )
    .await?;
    for replica in [one, two, three] {
        replica.stop().await;
    }
    Ok(())
}

/// A replica in a process of its own.
struct Elsewhere {
    child: Child,
    address: String,
}

impl Elsewhere {
    fn start(folder: &Path, number: u8, address: &str, join: &str) -> Result<Elsewhere, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .env("VGDC_BENCH_REPLICA", format!("{number} {address} {join}"))
            .env("VGDC_BENCH_FOLDER", folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("it has no output")?).read_line(&mut line)?;
        if line.trim() != "ready" {
            return Err("a replica does not start".into());
        }
        Ok(Elsewhere {
            child,
            address: address.to_owned(),
        })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // (it may be dead already)
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What such a process does.
async fn elsewhere(what: &str, folder: PathBuf) -> Result<(), Failure> {
    let mut words = what.split(' ');
    let mut word = || words.next().ok_or("too few words");
    let (number, address, join) = (word()?.parse()?, word()?, word()?);
    let (replica, _server) = start(&folder, number, address).await?;
    match join {
        "again" => {}
        "bootstrap" => replica.bootstrap().await?,
        other => replica.join(&[peer(1, other)]).await?,
    }
    println!("ready");
    std::io::stdout().flush()?;
    std::future::pending().await
}

async fn failover() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut replicas = Vec::new();
    for number in 1..=3u8 {
        let join = replicas
            .first()
            .map_or("bootstrap".to_owned(), |first: &Elsewhere| {
                first.address.clone()
            });
        replicas.push(Elsewhere::start(
            folder.path(),
            number,
            &free_address()?,
            &join,
        )?);
    }
    // The one who measures follows the group without a vote.
    let (me, _server) = start(folder.path(), 9, &free_address()?).await?;
    me.follow(&[peer(1, &replicas[0].address)]).await?;
    let context = MeshContext::new(me.clone(), "bench");
    let mut times = Vec::new();
    for _ in 0..KILLS {
        context.set(&place(0), "before".to_owned().into()).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let leader = me.metrics().leader.ok_or("nobody leads")?;
        let at = usize::from(leader.key()[0]) - 1;
        let begin = Instant::now();
        replicas[at].child.kill()?;
        context.set(&place(0), "after".to_owned().into()).await?;
        times.push(begin.elapsed());
        replicas[at].child.wait()?;
        let address = replicas[at].address.clone();
        replicas[at] = Elsewhere::start(folder.path(), leader.key()[0], &address, "again")?;
    }
    times.sort();
    let all: Vec<_> = times
        .iter()
        .map(|time| format!("{:.2}", time.as_secs_f64()))
        .collect();
    println!(
        "{:<58} median {:.2} s of {KILLS} ({} s); goal: under 3 s",
        "leader killed (SIGKILL), next write acknowledged",
        times[KILLS / 2].as_secs_f64(),
        all.join(", ")
    );
    assert_eq!(me.metrics().role, Role::Learner);
    Ok(())
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Ok(what) = std::env::var("VGDC_BENCH_REPLICA") {
        let folder = std::env::var_os("VGDC_BENCH_FOLDER").ok_or("no folder")?;
        return runtime.block_on(elsewhere(&what, folder.into()));
    }
    runtime.block_on(async {
        in_this_process().await?;
        failover().await
    })
}
