//! A program with a durable link is killed, again and again: what its outbox had taken arrives, once and in order.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use vgdc_link::frame::Delivery;
use vgdc_link::{Endpoint, EndpointConfig, ReceiverConfig, SenderConfig};
use vgdc_value::Msg;

const PATIENCE: Duration = Duration::from_secs(30);
const ROUNDS: u32 = 4;
const ADDRESS: &str = "VGDC_TEST_ADDRESS";
const OUTBOX: &str = "VGDC_TEST_OUTBOX";
const ROUND: &str = "VGDC_TEST_ROUND";

/// The program that is killed: this test, called by the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_that_is_killed() {
    let (Ok(address), Some(outbox), Ok(round)) = (
        std::env::var(ADDRESS),
        std::env::var_os(OUTBOX),
        std::env::var(ROUND),
    ) else {
        return;
    };
    let round: u32 = round.parse().expect("a number");
    let endpoint = Endpoint::new(EndpointConfig::new("killed")).expect("an endpoint");
    endpoint
        .connect(Some("test"), &address)
        .expect("an address");
    let config = SenderConfig {
        delivery: Delivery::Durable,
        ..SenderConfig::default()
    };
    let sender = endpoint
        .sender("test", "l", config, Some(Path::new(&outbox)))
        .expect("a sender");
    if round == ROUNDS {
        // the last one sends what is left
        sender.drained().await.expect("all is confirmed");
        return;
    }
    for n in 0_u32.. {
        let mut msg = Msg::with_payload(n);
        msg.insert("round", round);
        sender.send(&msg, None).await.expect("it is taken");
        if n % 10 == 9 {
            sender.persisted().await.expect("it is on the disk");
            println!("has {n}");
        }
    }
}

fn child(address: &str, outbox: &Path, round: u32) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "the_one_that_is_killed", "--nocapture"])
        .env(ADDRESS, address)
        .env(OUTBOX, outbox)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Runs a round until enough is said to be on the disk; gives the last number of which that was said.
fn round(address: &str, outbox: &Path, round: u32) -> u32 {
    let mut child = child(address, outbox, round);
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut has = 0;
    let said = lines.map_while(Result::ok);
    for number in said.filter_map(|line| line.rsplit_once("has ")?.1.parse().ok()) {
        has = number;
        if has > 200 + 100 * round {
            break;
        }
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    has
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_the_disk_arrives_once_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = folder.path().join("o");
    let test = Endpoint::new(EndpointConfig::new("test")).expect("an endpoint");
    let address = test.listen("tcp://127.0.0.1:0").await.expect("it listens");
    let config = ReceiverConfig {
        delivery: Delivery::Durable,
        ..ReceiverConfig::default()
    };
    let mut receiver = test.receiver("l", config).expect("a receiver");
    let (sent_all, mut all_sent) = tokio::sync::oneshot::channel::<()>();
    let consumer = tokio::spawn(async move {
        let mut came: Vec<Vec<u32>> = vec![Vec::new(); ROUNDS as usize];
        // (what the last child has sent is confirmed when it ends)
        loop {
            let received = tokio::select! {
                received = receiver.recv() => received,
                _ = &mut all_sent => break,
            };
            let msg = received.msg.expect("a message");
            let number = |value: Option<&vgdc_value::Value>| {
                value.and_then(vgdc_value::Value::as_f64).expect("a number") as u32
            };
            came[number(msg.get("round")) as usize].push(number(Some(msg.payload())));
            receiver.confirm(received.token);
        }
        (came, receiver.stats())
    });
    let sent = tokio::task::spawn_blocking(move || {
        let said: Vec<u32> = (0..ROUNDS).map(|n| round(&address, &outbox, n)).collect();
        let ended = child(&address, &outbox, ROUNDS).wait().expect("it ends");
        assert!(ended.success());
        said
    });
    let sent = tokio::time::timeout(PATIENCE, sent)
        .await
        .expect("it ends")
        .expect("it ends");
    sent_all.send(()).expect("somebody waits");
    let (came, stats) = tokio::time::timeout(PATIENCE, consumer)
        .await
        .expect("it ends")
        .expect("it ends");
    for (came, said) in came.into_iter().zip(sent) {
        assert!(came.len() as u32 > said, "{} of {said}", came.len());
        assert!(came.iter().copied().eq(0..came.len() as u32), "{came:?}");
    }
    assert_eq!(stats.lost, 0);
}
