//! Links over a real NATS server, which is killed, as are receivers.

use async_nats::jetstream::{self, stream};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vgdc_link::frame::{Delivery, Trace};
use vgdc_link::{
    Endpoint, EndpointConfig, LinkReceiver, LinkSender, NatsConfig, Position, ReceiverConfig,
    Refused, SendError, SenderConfig,
};
use vgdc_value::{Msg, Value};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with its own port and folder, until it is dropped.
struct Server {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Server {
    async fn start() -> Server {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Server {
            port,
            folder,
            process: None,
        };
        server.again().await;
        server
    }

    /// Starts it with what it has on its disk.
    async fn again(&mut self) {
        let program = ["/usr/sbin/nats-server", "/usr/local/bin/nats-server"]
            .into_iter()
            .find(|program| Path::new(program).exists())
            .unwrap_or("nats-server");
        let process = Command::new(program)
            .args([
                "-a",
                "127.0.0.1",
                "-js",
                "-p",
                &self.port.to_string(),
                "-sd",
            ])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server runs: .ci/run installs it");
        self.process = Some(process);
        let address = (Ipv4Addr::LOCALHOST, self.port);
        let up = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, up).await.expect("it starts");
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it runs");
            process.wait().expect("it ends");
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn endpoint(&self, node: &str) -> Endpoint {
        let endpoint = Endpoint::new(EndpointConfig::new(node)).expect("an endpoint");
        endpoint.through_nats(NatsConfig {
            servers: vec![self.url()],
            mesh: "test mesh".to_owned(),
            ..NatsConfig::default()
        });
        endpoint
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn durable(endpoint: &Endpoint, folder: &Path, link: &str, epoch: u64) -> LinkSender {
    let config = SenderConfig {
        delivery: Delivery::Durable,
        epoch,
        ..SenderConfig::default()
    };
    let outbox = folder.join(format!("{epoch}.outbox"));
    let sender = endpoint.sender("b", link, config, Some(&outbox));
    sender.expect("a sender")
}

fn receiver(
    endpoint: &Endpoint,
    link: &str,
    delivery: Delivery,
    start: Option<Position>,
) -> LinkReceiver {
    let config = ReceiverConfig {
        delivery,
        start,
        ..ReceiverConfig::default()
    };
    endpoint.receiver(link, config).expect("a receiver")
}

fn numbered(number: usize) -> Msg {
    Msg::with_payload(number as f64)
}

async fn next(receiver: &mut LinkReceiver) -> vgdc_link::Received {
    let next = tokio::time::timeout(PATIENCE, receiver.recv());
    next.await.expect("a message comes")
}

/// Takes so many numbered messages, from this one on, and confirms each.
async fn take(receiver: &mut LinkReceiver, from: usize, count: usize) -> Option<Position> {
    let mut position = None;
    for number in from..from + count {
        let received = next(receiver).await;
        let msg = received.msg.as_ref().expect("a message");
        assert_eq!(msg.payload(), &Value::from(number as f64));
        position = Some(received.next());
        receiver.confirm(received.token);
    }
    position
}

async fn send(sender: &LinkSender, numbers: std::ops::Range<usize>) {
    for number in numbers {
        sender.send(&numbered(number), None).await.expect("taken");
    }
}

async fn drained(sender: &LinkSender) {
    let drained = tokio::time::timeout(PATIENCE, sender.drained()).await;
    drained.expect("the broker takes all").expect("it goes on");
}

fn messages(count: usize) -> Vec<Msg> {
    let leaf = prop_oneof![
        any::<f64>()
            .prop_filter("equal to itself", |n| !n.is_nan())
            .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    let list = prop::collection::vec((".{1,8}", leaf), 0..6);
    let mut runner = TestRunner::deterministic();
    let mut msg = || {
        let fields = list.new_tree(&mut runner).expect("a value").current();
        let mut msg = Msg::new();
        fields.into_iter().for_each(|(key, value)| {
            msg.insert(key.as_str(), value);
        });
        msg
    };
    (0..count).map(|_| msg()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_both_ways_with_their_traces() {
    let server = Server::start().await;
    let (a, b) = (server.endpoint("a"), server.endpoint("b"));
    let folder = tempfile::tempdir().expect("a folder");
    let there = durable(&a, folder.path(), "a>b", 0);
    let back = b
        .sender("a", "b>a", SenderConfig::default(), None)
        .expect("a sender");
    let mut at_b = receiver(&b, "a>b", Delivery::Durable, None);
    let mut at_a = receiver(&a, "b>a", Delivery::Fast, None);
    let all = messages(1500);
    let trace = Trace {
        parent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01".into(),
        state: "a=b".into(),
    };
    let sending = async {
        for (at, msg) in all.iter().enumerate() {
            let trace = (at % 3 == 0).then(|| trace.clone());
            there.send(msg, trace).await.expect("taken");
            back.send(msg, None).await.expect("taken");
        }
    };
    let receiving = async {
        for (at, msg) in all.iter().enumerate() {
            let received = next(&mut at_b).await;
            assert_eq!(received.msg.as_ref(), Ok(msg));
            assert_eq!(received.trace, (at % 3 == 0).then(|| trace.clone()));
            at_b.confirm(received.token);
            let received = next(&mut at_a).await;
            assert_eq!(received.msg.as_ref(), Ok(msg));
            at_a.confirm(received.token);
        }
    };
    tokio::join!(sending, receiving);
    drained(&there).await;
    let long = Msg::with_payload("x".repeat(vgdc_link::MAX_NATS_MESSAGE));
    let refused = there.try_send(&long, None);
    assert!(matches!(
        refused,
        Err(SendError::Refused(Refused::TooLong(..)))
    ));
    assert_eq!(a.shutdown(PATIENCE).await + b.shutdown(PATIENCE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_is_killed_and_comes_back() {
    const ROUND: usize = 1500;
    let mut server = Server::start().await;
    let (a, b) = (server.endpoint("a"), server.endpoint("b"));
    let folder = tempfile::tempdir().expect("a folder");
    let sender = durable(&a, folder.path(), "a>b", 0);
    let mut at_b = receiver(&b, "a>b", Delivery::Durable, None);
    let receiving = tokio::spawn(async move {
        take(&mut at_b, 0, 4 * ROUND).await;
        (at_b.stats(), at_b)
    });
    for round in 0..3 {
        let half = round * ROUND + ROUND / 2;
        send(&sender, round * ROUND..half).await;
        tokio::time::sleep(Duration::from_millis(30 * round as u64)).await;
        server.kill();
        // (what is sent meanwhile waits)
        send(&sender, half..(round + 1) * ROUND).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.again().await;
    }
    send(&sender, 3 * ROUND..4 * ROUND).await;
    let received = tokio::time::timeout(2 * PATIENCE, receiving).await;
    let (stats, _at_b) = received.expect("all comes").expect("in order");
    assert_eq!((stats.delivered, stats.lost), (4 * ROUND as u64, 0));
    drained(&sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_killed_and_another_goes_on() {
    let server = Server::start().await;
    let a = server.endpoint("a");
    let folder = tempfile::tempdir().expect("a folder");
    let sender = durable(&a, folder.path(), "a>b", 0);
    send(&sender, 0..3000).await;
    let mut start = None;
    for round in 0..3 {
        let b = server.endpoint("b");
        let mut at_b = receiver(&b, "a>b", Delivery::Durable, start);
        start = take(&mut at_b, round * 700, 700).await;
        // (some have come that nobody has taken, and what was taken may not have been acknowledged)
        drop((b, at_b));
    }
    let b = server.endpoint("b");
    let mut at_b = receiver(&b, "a>b", Delivery::Durable, start);
    take(&mut at_b, 2100, 900).await;
    assert_eq!(at_b.stats().lost, 0);
    drained(&sender).await;
    // (one that ends in order has nothing come again, though the next one knows nothing of it)
    assert_eq!(b.shutdown(PATIENCE).await, 0);
    drop((b, at_b));
    send(&sender, 3000..3001).await;
    let b = server.endpoint("b");
    let mut at_b = receiver(&b, "a>b", Delivery::Durable, None);
    take(&mut at_b, 3000, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_full_holds_the_sender() {
    let server = Server::start().await;
    let client = async_nats::connect(server.url()).await.expect("connects");
    let made = jetstream::new(client)
        .create_stream(stream::Config {
            name: "VGDC_test_20mesh_a_3eb".to_owned(),
            subjects: vec!["vgdc.test_20mesh.a_3eb".to_owned()],
            retention: stream::RetentionPolicy::WorkQueue,
            discard: stream::DiscardPolicy::New,
            max_messages: 50,
            ..stream::Config::default()
        })
        .await;
    made.expect("a stream");
    let (a, b) = (server.endpoint("a"), server.endpoint("b"));
    let folder = tempfile::tempdir().expect("a folder");
    let sender = durable(&a, folder.path(), "a>b", 0);
    send(&sender, 0..500).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(sender.len() >= 450, "{} wait", sender.len());
    let mut at_b = receiver(&b, "a>b", Delivery::Durable, None);
    take(&mut at_b, 0, 500).await;
    drained(&sender).await;
    let stats = at_b.stats();
    assert_eq!((stats.delivered, stats.lost), (500, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_epoch_is_refused() {
    let server = Server::start().await;
    let (a, b, c) = (
        server.endpoint("a"),
        server.endpoint("b"),
        server.endpoint("c"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let mut at_b = receiver(&b, "a>b", Delivery::Durable, None);
    let old = durable(&a, folder.path(), "a>b", 1);
    send(&old, 0..10).await;
    take(&mut at_b, 0, 10).await;
    let new = durable(&c, folder.path(), "a>b", 2);
    send(&new, 10..20).await;
    take(&mut at_b, 10, 10).await;
    send(&old, 900..910).await;
    drained(&old).await;
    send(&new, 20..30).await;
    take(&mut at_b, 20, 10).await;
    assert_eq!(at_b.stats().refused, 10);
}
