//! Replicas over real sockets, and in a process of its own that is killed.

mod common;

use bytes::Bytes;
use common::{eventually, node, set, short, value_of};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vgdc_agent::id::NodeId;
use vgdc_agent::replica::{Options, Replica, Role};
use vgdc_agent::wire::tcp::{TcpServer, TcpWire};
use vgdc_agent::wire::{Answering, LONGEST_FRAME, Peer, Serve, Wire, WireError};

/// Answers what it is asked, later if it is asked to.
struct Echo;

impl Serve for Echo {
    fn serve(self: Arc<Self>, request: Bytes) -> Answering {
        Box::pin(async move {
            let long = match request.first() {
                Some(b'w') => 200,
                // (longer than a connection on which nothing comes is kept)
                Some(b'l') => 5_000,
                _ => 0,
            };
            tokio::time::sleep(Duration::from_millis(long)).await;
            request
        })
    }
}

fn at(server: &TcpServer) -> Peer {
    Peer {
        id: node(1),
        addresses: vec![server.address().to_string()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_wait_for_each_other_and_are_not_mixed_up() {
    let server = TcpServer::listen("127.0.0.1:0", Arc::new(Echo))
        .await
        .expect("a socket");
    let (wire, to) = (Arc::new(TcpWire::new()), at(&server));
    let slow = wire.call(&to, Bytes::from_static(b"wait"));
    let fast = async {
        let mut all = tokio::task::JoinSet::new();
        for n in 0..500u32 {
            let (wire, to) = (wire.clone(), to.clone());
            let request = Bytes::from(vec![b'x'; n as usize * 10]);
            all.spawn(async move { (wire.call(&to, request.clone()).await, request) });
        }
        while let Some(done) = all.join_next().await {
            let (answer, request) = done.expect("a call");
            assert_eq!(answer, Ok(request));
        }
    };
    let (slow, ()) = tokio::join!(slow, fast);
    assert_eq!(slow, Ok(Bytes::from_static(b"wait")));
    let longest = Bytes::from(vec![b'x'; LONGEST_FRAME]);
    assert_eq!(wire.call(&to, longest.clone()).await, Ok(longest));
    let longer = wire
        .call(&to, Bytes::from(vec![b'x'; LONGEST_FRAME + 1]))
        .await;
    assert!(
        matches!(longer, Err(WireError::Unreachable(_))),
        "a request that is too long is not sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_take_long() {
    let server = TcpServer::listen("127.0.0.1:0", Arc::new(Echo))
        .await
        .expect("a socket");
    let long = Bytes::from_static(b"long");
    assert_eq!(
        TcpWire::new().call(&at(&server), long.clone()).await,
        Ok(long)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_is_told_at_once_and_called_again_when_he_is_back() {
    let server = TcpServer::listen("127.0.0.1:0", Arc::new(Echo))
        .await
        .expect("a socket");
    let (wire, to) = (Arc::new(TcpWire::new()), at(&server));
    wire.call(&to, Bytes::from_static(b"x"))
        .await
        .expect("there");
    let waiting = {
        let (wire, to) = (wire.clone(), to.clone());
        tokio::spawn(async move { wire.call(&to, Bytes::from_static(b"wait")).await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let address = server.address().to_string();
    drop(server);
    assert!(matches!(
        waiting.await.expect("a call"),
        Err(WireError::Lost(_))
    ));
    eventually("nobody is there", async || {
        matches!(
            wire.call(&to, Bytes::from_static(b"x")).await,
            Err(WireError::Unreachable(_))
        )
        .then_some(())
    })
    .await;
    let _server = TcpServer::listen(&address, Arc::new(Echo))
        .await
        .expect("the socket again");
    eventually("it is back", async || {
        wire.call(&to, Bytes::from_static(b"x")).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_frame_ends_its_connection_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (replica, server) = start(1, folder.path(), "127.0.0.1:0").await;
    replica.bootstrap().await.expect("a group");
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 9],
        &[0, 0, 0, 3, 1, 2, 3],
    ] {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("connected");
        stream.write_all(bytes).await.expect("written");
        stream.shutdown().await.expect("ended");
        let mut answer = Vec::new();
        // (whatever comes, it ends)
        let _ = stream.read_to_end(&mut answer).await;
    }
    replica
        .propose("tester", set("k", "v"))
        .await
        .expect("it goes on");
    let wire = TcpWire::new();
    for request in [&b""[..], b"\x01", b"\x01\xff\xff", b"\x02abc", &[1; 10_000]] {
        wire.call(&at(&server), Bytes::copy_from_slice(request))
            .await
            .expect("an answer, of refusal");
    }
}

async fn start(number: u8, folder: &Path, address: &str) -> (Replica, TcpServer) {
    // The address has to be known before the replica is started, and the replica before it is served: so the socket is taken twice.
    let address = match address {
        "127.0.0.1:0" => {
            let free = std::net::TcpListener::bind(address).and_then(|socket| socket.local_addr());
            free.expect("a free port").to_string()
        }
        known => known.to_owned(),
    };
    let options = Options {
        mesh: "test".into(),
        id: node(number),
        addresses: vec![address.clone()],
        file: folder.join(format!("{number}.sqlite")),
        timing: short(),
        snapshot_entries: None,
    };
    let replica = Replica::start(options, Arc::new(TcpWire::new()))
        .await
        .expect("started");
    let server = TcpServer::listen(&address, replica.service())
        .await
        .expect("a socket");
    (replica, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_over_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, first) = start(1, folder.path(), "127.0.0.1:0").await;
    let (two, _second) = start(2, folder.path(), "127.0.0.1:0").await;
    let (three, _third) = start(3, folder.path(), "127.0.0.1:0").await;
    one.bootstrap().await.expect("a group");
    two.join(&[one.peer()]).await.expect("joined");
    three
        .join(&[two.peer()])
        .await
        .expect("joined, by one that does not lead");
    let long = "x".repeat(250_000);
    for n in 0..8 {
        three
            .propose("tester", set(&n.to_string(), &long))
            .await
            .expect("done");
    }
    assert_eq!(one.metrics().role, Role::Leader);
    drop(first);
    one.stop().await;
    two.propose("tester", set("after", "1"))
        .await
        .expect("they go on");
    let state = three.certain().await.expect("read");
    assert_eq!(value_of(&state, "after"), Some("1".into()));
    assert_eq!(state.context.bytes(), 8 * (1 + 250_000 + 96) + 5 + 1 + 96);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_of_another_mesh_or_name_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, _server) = start(1, folder.path(), "127.0.0.1:0").await;
    one.bootstrap().await.expect("a group");
    let options = |mesh: &str, number: u8, file: &str| Options {
        mesh: mesh.into(),
        id: node(number),
        addresses: vec!["127.0.0.1:1".into()],
        file: folder.path().join(file),
        timing: vgdc_agent::replica::Timing {
            patience: Duration::from_millis(50),
            ..short()
        },
        snapshot_entries: None,
    };
    let stranger = Replica::start(options("another", 2, "2.sqlite"), Arc::new(TcpWire::new()))
        .await
        .expect("started");
    let why = stranger
        .follow(&[one.peer()])
        .await
        .expect_err("refused")
        .to_string();
    assert!(why.contains("of mesh \"test\""), "{why}");
    let mistaken = Peer {
        id: NodeId::from_key([9; 32]),
        ..one.peer()
    };
    let why = stranger
        .follow(&[mistaken])
        .await
        .expect_err("refused")
        .to_string();
    assert!(
        why.contains("\"test\"") || why.contains("the address is an old one"),
        "{why}"
    );
    let failed = async |options| match Replica::start(options, Arc::new(TcpWire::new())).await {
        Ok(_) => panic!("it starts"),
        Err(e) => e.to_string(),
    };
    assert!(
        failed(options("test", 1, "1.sqlite"))
            .await
            .contains("in use")
    );
    // (without being stopped)
    drop(stranger);
    let of_another = eventually("the file is free", async || {
        let why = failed(options("another", 3, "2.sqlite")).await;
        (!why.contains("in use")).then_some(why)
    });
    assert!(
        of_another.await.contains("move it away"),
        "it is another node's"
    );
}

/// Not a test of its own: what [`what_was_acknowledged_survives_a_kill`] starts and kills.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(folder) = std::env::var_os("VGDC_TEST_REPLICA") else {
        return;
    };
    let (replica, _server) = start(1, Path::new(&folder), "127.0.0.1:0").await;
    replica.bootstrap().await.expect("a group");
    for n in 0.. {
        match replica.propose("tester", set(&n.to_string(), "x")).await {
            Ok(_) => println!("acknowledged {n}"),
            Err(why) => {
                let known = value_of(&replica.local(), "0").is_some();
                println!("failed, {known}: {why}; {:?}", replica.metrics().failed);
                return;
            }
        }
    }
}

/// Starts [`child`] in a shell's process, after what the shell is told.
fn child_in(folder: &Path, before: &str) -> Command {
    let mut command = Command::new("sh");
    let program = std::env::current_exe().expect("this program");
    command
        .args([
            "-c",
            &format!("{before}; exec \"$0\" --exact child --nocapture --test-threads=1"),
        ])
        .arg(program)
        .env("VGDC_TEST_REPLICA", folder)
        .stdout(Stdio::piped());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_replica_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    // (files cannot grow past 400 blocks of 512 bytes, and who tries is told so and not killed)
    let output = child_in(folder.path(), "trap '' XFSZ; ulimit -f 400")
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = said
        .lines()
        .find(|line| line.contains("failed, "))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(
        failed.contains("failed, true: "),
        "what was known is still there: {failed}"
    );
    assert!(
        failed.contains("this replica has stopped") && failed.contains("1.sqlite"),
        "{failed}"
    );
    let acknowledged = said
        .lines()
        .filter(|line| line.contains("acknowledged "))
        .count();
    assert!(acknowledged > 10, "{said}");
    let (replica, _server) = start(1, folder.path(), "127.0.0.1:0").await;
    let state = replica.certain().await.expect("it leads again");
    for n in 0..acknowledged {
        assert!(
            value_of(&state, &n.to_string()).is_some(),
            "{n} of {acknowledged} is lost"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_is_not_started_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("1.sqlite");
    std::fs::write(
        &file,
        "this is no database, and long enough to be looked at as one",
    )
    .expect("written");
    let options = Options {
        mesh: "test".into(),
        id: node(1),
        addresses: Vec::new(),
        file: file.clone(),
        timing: short(),
        snapshot_entries: None,
    };
    match Replica::start(options, Arc::new(TcpWire::new())).await {
        Ok(_) => panic!("it starts"),
        Err(e) => assert!(e.to_string().contains("1.sqlite' is damaged"), "{e}"),
    }
    assert!(
        std::fs::read(&file)
            .expect("it is there")
            .starts_with(b"this is no database"),
        "it is as it was"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = child_in(folder.path(), "ulimit -f unlimited")
        .spawn()
        .expect("a child");
    let mut said = BufReader::new(child.stdout.take().expect("its output"))
        .lines()
        .map_while(Result::ok);
    let acknowledged = |line: &String| {
        line.rsplit_once("acknowledged ")
            .and_then(|(_, n)| n.parse::<u64>().ok())
    };
    let mut last = said
        .by_ref()
        .filter_map(|line| acknowledged(&line))
        .find(|n| *n >= 300);
    child.kill().expect("killed");
    child.wait().expect("ended");
    last = said.filter_map(|line| acknowledged(&line)).last().or(last);
    let last = last.expect("it got far enough");
    let (replica, _server) = start(1, folder.path(), "127.0.0.1:0").await;
    let known = replica.local();
    assert!(
        value_of(&known, &(last - 1).to_string()).is_some(),
        "known before anybody was asked"
    );
    let state = replica.certain().await.expect("it leads again");
    for n in 0..=last {
        assert!(
            value_of(&state, &n.to_string()).is_some(),
            "{n} of {last} is lost"
        );
    }
}
