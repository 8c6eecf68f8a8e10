//! Endpoints over real connections: what programs see of links.

mod cable;

use cable::Cable;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vgdc_link::frame::{Code, Delivery, Trace};
use vgdc_link::{
    Endpoint, EndpointConfig, LinkReceiver, LinkSender, ReceiverConfig, Refused, SendError,
    SenderConfig,
};
use vgdc_value::Msg;

const PATIENCE: Duration = Duration::from_secs(30);

fn endpoint(node: &str) -> Endpoint {
    Endpoint::new(EndpointConfig::new(node)).expect("an endpoint")
}

fn durable() -> (SenderConfig, ReceiverConfig) {
    let sender = SenderConfig {
        delivery: Delivery::Durable,
        ..SenderConfig::default()
    };
    let receiver = ReceiverConfig {
        delivery: Delivery::Durable,
        ..ReceiverConfig::default()
    };
    (sender, receiver)
}

async fn send(sender: &LinkSender, numbers: std::ops::Range<u32>) {
    for n in numbers {
        sender
            .send(&Msg::with_payload(n), None)
            .await
            .expect("it is taken");
    }
}

/// The payloads of the next messages.
async fn receive(receiver: &mut LinkReceiver, count: usize) -> Vec<u32> {
    let all = async {
        let mut all = Vec::new();
        while all.len() < count {
            let received = receiver.recv().await;
            let payload = received.msg.expect("a message").payload().as_f64();
            all.push(payload.expect("a number") as u32);
            receiver.confirm(received.token);
        }
        all
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("they come")
}

fn all(numbers: std::ops::Range<u32>) -> Vec<u32> {
    numbers.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_both_ways_over_every_transport() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    for address in [
        "ring:both-ways",
        "tcp://127.0.0.1:0",
        &format!("unix:{}", path.display()),
    ] {
        let (a, b) = (endpoint("a"), endpoint("b"));
        let place = a.listen(address).await.expect("it listens");
        b.connect(Some("a"), &place).expect("an address");
        let (sending, receiving) = durable();
        let outbox = folder.path().join(address.get(..4).expect("a word"));
        let mut at_a = a
            .receiver("up", ReceiverConfig::default())
            .expect("a receiver");
        let mut at_b = b.receiver("down", receiving).expect("a receiver");
        let up = b
            .sender("a", "up", SenderConfig::default(), None)
            .expect("a sender");
        let down = a
            .sender("b", "down", sending, Some(outbox.as_path()))
            .expect("a sender");
        let sent = async {
            tokio::join!(send(&up, 0..3000), send(&down, 0..3000));
            down.persisted().await.expect("they are on the disk");
            down.drained().await.expect("they are confirmed");
            up.drained().await.expect("they are sent");
        };
        let (_, at_a_came, at_b_came) =
            tokio::join!(sent, receive(&mut at_a, 3000), receive(&mut at_b, 3000));
        assert_eq!(at_a_came, all(0..3000), "{address}");
        assert_eq!(at_b_came, all(0..3000), "{address}");
        assert_eq!(down.stats().confirmed, 3000);
        assert!(up.stats().batches < 3000, "{:?}", up.stats());
        let trace = Trace {
            parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
            state: "".into(),
        };
        up.try_send(&Msg::with_payload("traced"), Some(trace.clone()))
            .expect("it is taken");
        let received = tokio::time::timeout(PATIENCE, at_a.recv())
            .await
            .expect("it comes");
        assert_eq!(received.trace, Some(trace));
        let (left_b, left_a) = tokio::join!(b.shutdown(PATIENCE), a.shutdown(PATIENCE));
        assert_eq!((left_a, left_b), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_link_survives_breaks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (a, b) = (endpoint("a"), endpoint("b"));
    let cable = Cable::to(&a.listen("tcp://127.0.0.1:0").await.expect("it listens")).await;
    b.connect(Some("a"), &cable.address).expect("an address");
    let (sending, receiving) = durable();
    let mut receiver = a.receiver("l", receiving).expect("a receiver");
    let outbox = folder.path().join("o");
    let sender = b
        .sender("a", "l", sending, Some(&outbox))
        .expect("a sender");
    for round in 0..6 {
        let numbers = round * 500..round * 500 + 500;
        let cut = async {
            tokio::time::sleep(Duration::from_millis(3)).await;
            cable.cut();
        };
        let (_, came, _) = tokio::join!(
            send(&sender, numbers.clone()),
            receive(&mut receiver, 500),
            cut
        );
        assert_eq!(came, all(numbers));
    }
    let drained = tokio::time::timeout(PATIENCE, sender.drained()).await;
    assert_eq!(drained, Ok(Ok(())));
    assert_eq!(receiver.stats().lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_is_taken_for_dead_and_comes_back() {
    let config = EndpointConfig {
        ping_after: Duration::from_millis(50),
        dead_after: Duration::from_millis(200),
        ..EndpointConfig::new("b")
    };
    let (a, b) = (endpoint("a"), Endpoint::new(config).expect("an endpoint"));
    let cable = Cable::to(&a.listen("tcp://127.0.0.1:0").await.expect("it listens")).await;
    b.connect(Some("a"), &cable.address).expect("an address");
    let mut receiver = a
        .receiver("l", ReceiverConfig::default())
        .expect("a receiver");
    let sender = b
        .sender("a", "l", SenderConfig::default(), None)
        .expect("a sender");
    send(&sender, 0..1).await;
    assert_eq!(receive(&mut receiver, 1).await, [0]);
    cable.silent.store(true, Ordering::Relaxed);
    let gone = async {
        while b.connections() > 0 || sender.is_open() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("it is taken for dead");
    cable.silent.store(false, Ordering::Relaxed);
    send(&sender, 1..2).await;
    assert_eq!(receive(&mut receiver, 1).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("o");
    let outbox = || Some(file.as_path());
    let (sending, receiving) = durable();
    // nobody is there yet
    let b = endpoint("b");
    let sender = b
        .sender("a", "l", sending.clone(), outbox())
        .expect("a sender");
    send(&sender, 0..100).await;
    sender.persisted().await.expect("they are on the disk");
    assert!(
        b.sender("a", "l", sending.clone(), outbox()).is_err(),
        "one sender a link"
    );
    drop(sender);
    assert_eq!(b.shutdown(Duration::ZERO).await, 100);
    // another process, as it were
    let (a, b) = (endpoint("a"), endpoint("b"));
    let place = a.listen("tcp://127.0.0.1:0").await.expect("it listens");
    b.connect(None, &place).expect("an address");
    let sender = b.sender("a", "l", sending, outbox()).expect("a sender");
    let mut receiver = a.receiver("l", receiving).expect("a receiver");
    send(&sender, 100..200).await;
    assert_eq!(receive(&mut receiver, 200).await, all(0..200));
    drop(sender);
    assert_eq!(b.shutdown(PATIENCE).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_may_come_later_and_a_full_queue_says_so() {
    let (a, b) = (endpoint("a"), endpoint("b"));
    let place = a.listen("ring:later").await.expect("it listens");
    b.connect(Some("a"), &place).expect("an address");
    let config = SenderConfig {
        queue_messages: 10,
        retry: Duration::from_millis(20),
        ..SenderConfig::default()
    };
    let sender = b.sender("a", "l", config, None).expect("a sender");
    send(&sender, 0..10).await;
    let refused = sender.try_send(&Msg::new(), None);
    assert_eq!(refused, Err(SendError::Full));
    assert!(!sender.has_room());
    let mut receiver = a
        .receiver("l", ReceiverConfig::default())
        .expect("a receiver");
    assert!(
        a.receiver("l", ReceiverConfig::default()).is_err(),
        "one receiver a link"
    );
    assert_eq!(receive(&mut receiver, 10).await, all(0..10));
    tokio::time::timeout(PATIENCE, sender.room())
        .await
        .expect("there is room");
    // what cannot leave the process, and what is too long
    let handle = vgdc_value::Handle::new("Socket", Default::default(), Arc::new(()));
    let error = sender
        .try_send(&Msg::with_payload(handle), None)
        .expect_err("a handle");
    assert!(
        error.to_string().starts_with("'payload' is a Socket"),
        "{error}"
    );
    let long = Msg::with_payload(vec![0_u8; 17 << 20]);
    let error = sender.try_send(&long, None).expect_err("too long");
    assert!(
        matches!(error, SendError::Refused(Refused::TooLong(..))),
        "{error}"
    );
    // a receiver that goes, and another one
    drop(receiver);
    let mut receiver = a
        .receiver("l", ReceiverConfig::default())
        .expect("a receiver");
    // (what is sent before the sender has heard of it is lost: the link is fast)
    let came = async {
        loop {
            send(&sender, 10..11).await;
            let received = tokio::time::timeout(Duration::from_millis(50), receiver.recv());
            if let Ok(received) = received.await {
                break received;
            }
        }
    };
    let came = tokio::time::timeout(PATIENCE, came)
        .await
        .expect("it comes");
    assert_eq!(came.msg.map(|msg| msg.payload().clone()), Ok(10.into()));
    sender.close();
    let refused = sender.try_send(&Msg::new(), None);
    assert_eq!(refused, Err(SendError::Refused(Refused::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_owner_learns_that_it_is_one() {
    let hub = endpoint("hub");
    let place = hub.listen("ring:owners").await.expect("it listens");
    let mut receiver = hub
        .receiver("l", ReceiverConfig::default())
        .expect("a receiver");
    let (old, new) = (endpoint("old"), endpoint("new"));
    let in_epoch = |epoch| SenderConfig {
        epoch,
        ..SenderConfig::default()
    };
    old.connect(Some("hub"), &place).expect("an address");
    let first = old.sender("hub", "l", in_epoch(1), None).expect("a sender");
    send(&first, 0..5).await;
    assert_eq!(receive(&mut receiver, 5).await, all(0..5));
    new.connect(Some("hub"), &place).expect("an address");
    let second = new.sender("hub", "l", in_epoch(2), None).expect("a sender");
    send(&second, 5..10).await;
    assert_eq!(receive(&mut receiver, 5).await, all(5..10));
    let told = async {
        while first.ended().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, told)
        .await
        .expect("it is told");
    assert_eq!(
        first.ended().map(|fault| fault.code),
        Some(Code::StaleEpoch)
    );
    let refused = first.send(&Msg::new(), None).await;
    assert!(
        matches!(refused, Err(SendError::Refused(Refused::Fault(_)))),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_speak_the_protocol_is_put_off() {
    let a = endpoint("a");
    let place = a.listen("tcp://127.0.0.1:0").await.expect("it listens");
    let port = place.strip_prefix("tcp://").expect("TCP");
    for said in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[3, 0, 0, 0, 0x82, 8, 1],
        &[0xff; 8],
    ] {
        let mut stream = TcpStream::connect(port).await.expect("it connects");
        stream.write_all(said).await.expect("it is written");
        let mut answer = Vec::new();
        let hung_up = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(hung_up.is_ok(), "it hangs up");
    }
    assert!(a.connect(None, "ftp://x").is_err());
    assert!(a.listen(&place).await.is_err(), "it is in use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_outbox_goes_on_in_a_new_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("o");
    let (a, b) = (endpoint("a"), endpoint("b"));
    let place = a.listen("ring:fenced").await.expect("it listens");
    let (sending, receiving) = durable();
    let start = Some(vgdc_link::Position {
        epoch: 5,
        ..Default::default()
    });
    let mut receiver = a
        .receiver("l", ReceiverConfig { start, ..receiving })
        .expect("a receiver");
    let sender = b
        .sender("a", "l", sending.clone(), Some(&file))
        .expect("a sender");
    send(&sender, 0..20).await;
    b.connect(Some("a"), &place).expect("an address");
    let fault = tokio::time::timeout(PATIENCE, sender.drained())
        .await
        .expect("it is told");
    assert_eq!(fault.map_err(|fault| fault.code), Err(Code::StaleEpoch));
    sender
        .persisted()
        .await
        .expect("they are on the disk all the same");
    drop(sender);
    let config = SenderConfig {
        epoch: 6,
        ..sending
    };
    let sender = b.sender("a", "l", config, Some(&file)).expect("a sender");
    assert_eq!(receive(&mut receiver, 20).await, all(0..20));
    tokio::time::timeout(PATIENCE, sender.drained())
        .await
        .expect("it ends")
        .expect("confirmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_somebody_else_is_not_sent_to() {
    let (say, mut said) = tokio::sync::mpsc::unbounded_channel();
    let config = EndpointConfig {
        log: Some(Arc::new(move |line| drop(say.send(line.to_owned())))),
        ..EndpointConfig::new("b")
    };
    let (a, b) = (endpoint("a"), Endpoint::new(config).expect("an endpoint"));
    let place = a.listen("ring:somebody-else").await.expect("it listens");
    let mut receiver = a
        .receiver("l", ReceiverConfig::default())
        .expect("a receiver");
    let sender = b
        .sender("x", "l", SenderConfig::default(), None)
        .expect("a sender");
    send(&sender, 0..1).await;
    b.connect(Some("x"), &place).expect("an address");
    let line = tokio::time::timeout(PATIENCE, said.recv())
        .await
        .expect("it is said");
    let line = line.expect("it is said");
    assert!(
        line.contains("'a' answered where 'x' was expected"),
        "{line}"
    );
    assert!(receiver.try_recv().is_none() && sender.len() == 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_and_slow_consumers_get_through() {
    let (a, b) = (endpoint("a"), endpoint("b"));
    let place = a.listen("tcp://127.0.0.1:0").await.expect("it listens");
    b.connect(Some("a"), &place).expect("an address");
    let mut receiver = a
        .receiver("l", ReceiverConfig::default())
        .expect("a receiver");
    let sender = b
        .sender("a", "l", SenderConfig::default(), None)
        .expect("a sender");
    let sent = async {
        for n in 0..12_u8 {
            let msg = Msg::with_payload(vec![n; 15 << 20]);
            sender.send(&msg, None).await.expect("it is taken");
        }
    };
    let came = async {
        for n in 0..12_u8 {
            let received = receiver.recv().await;
            let msg = received.msg.expect("a message");
            assert_eq!(
                msg.payload().as_buffer().and_then(|b| b.first().copied()),
                Some(n)
            );
            receiver.confirm(received.token);
        }
    };
    let both = async { tokio::join!(sent, came) };
    tokio::time::timeout(PATIENCE, both)
        .await
        .expect("they come");
}
