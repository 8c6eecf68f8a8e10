//! Nets with real sockets on this host.

mod common;

use std::time::Duration;

use common::{LONG, Table, config, start, two, until, wait};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vgdc_net::{ErrorKind, Event, Gone, Identity, Net};

const ECHO: &str = "/test/echo/1";
const JOIN: &str = "/test/join/1";

/// Serves a protocol by sending back what comes.
fn echo(net: &Net, protocol: &str) {
    let mut incoming = net.serve(protocol).unwrap();
    tokio::spawn(async move {
        while let Some((_, mut stream)) = incoming.next().await {
            tokio::spawn(async move {
                let (mut read, mut write) = tokio::io::split(&mut stream);
                let _ = tokio::io::copy(&mut read, &mut write).await;
                let _ = write.shutdown().await;
            });
        }
    });
}

async fn both_ways(transport: &str) {
    let (one, two, _) = two(transport).await;
    echo(&two, ECHO);
    let mut events = two.events();
    let mut stream = one.open(&two.key(), &two.addresses(), ECHO).await.unwrap();
    // more than any window or frame, so that flow control has its part
    let sent: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let (mut read, mut write) = tokio::io::split(&mut stream);
    let writing = async {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let reading = async {
        let mut got = Vec::new();
        read.read_to_end(&mut got).await.unwrap();
        got
    };
    let ((), got) = tokio::time::timeout(LONG, async { tokio::join!(writing, reading) })
        .await
        .unwrap();
    assert!(got == sent);
    let event = wait(&mut events, |e| matches!(e, Event::Connected { .. })).await;
    assert!(matches!(event, Event::Connected { key, .. } if key == one.key()));
    // the connection serves the other direction, too, without an address
    echo(&one, ECHO);
    let mut back = two.open(&one.key(), &[], ECHO).await.unwrap();
    back.write_all(b"x").await.unwrap();
    back.flush().await.unwrap();
    assert_eq!(back.read_u8().await.unwrap(), b'x');
    assert_eq!(two.peers().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_carry_both_ways_over_tcp() {
    both_ways("tcp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_carry_both_ways_over_quic() {
    both_ways("quic").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_the_protocols_for_strangers_alone() {
    let (one, two) = (Identity::generate(), Identity::generate());
    let mut host = config(&one, "tcp://127.0.0.1:0");
    host.strangers = vec![JOIN.to_owned()];
    host.limits.stranger_time = Duration::from_secs(2);
    let gate = Table::of(&[two.key()]);
    let host = start(host, &gate).await;
    gate.remove(&two.key());
    echo(&host, ECHO);
    echo(&host, JOIN);
    let mut guest = config(&two, "tcp://127.0.0.1:0");
    guest.strangers = vec![JOIN.to_owned()];
    let guest_gate = Table::of(&[one.key()]);
    let guest = start(guest, &guest_gate).await;
    let at = &host.addresses()[0];

    let error = guest
        .open(&host.key(), &host.addresses(), ECHO)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAdmitted, "{error}");
    assert!(error.to_string().contains("join"), "{error}");

    let (key, mut stream) = guest.open_at(at, JOIN, None).await.unwrap();
    assert_eq!(key, host.key());
    stream.write_all(b"token").await.unwrap();
    stream.flush().await.unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"token");

    // and the host does not open anything else to it, either
    let error = host.open(&guest.key(), &guest.addresses(), ECHO).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::UnknownKey);
    assert!(host.peers().await.is_empty(), "a stranger is no peer");

    // admitted, it is connected without a new connection
    let mut events = host.events();
    gate.add(guest.key());
    host.recheck();
    wait(
        &mut events,
        |e| matches!(e, Event::Connected { key, .. } if *key == guest.key()),
    )
    .await;
    let mut stream = guest.open(&host.key(), &[], ECHO).await.unwrap();
    stream.write_all(b"!").await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'!');
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_has_a_short_time() {
    let (one, two) = (Identity::generate(), Identity::generate());
    let mut host = config(&one, "tcp://127.0.0.1:0");
    host.strangers = vec![JOIN.to_owned()];
    host.limits.stranger_time = Duration::from_millis(300);
    let host = start(host, &Table::default()).await;
    echo(&host, JOIN);
    let mut guest = config(&two, "tcp://127.0.0.1:0");
    guest.strangers = vec![JOIN.to_owned()];
    let guest = start(guest, &Table::of(&[one.key()])).await;
    let at = &host.addresses()[0];
    let (_, mut stream) = guest.open_at(at, JOIN, None).await.unwrap();
    let ended = tokio::time::timeout(LONG, stream.read_u8()).await.unwrap();
    assert!(ended.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_strangers_and_no_more() {
    let one = Identity::generate();
    let mut host = config(&one, "tcp://127.0.0.1:0");
    host.strangers = vec![JOIN.to_owned()];
    host.limits.strangers = 2;
    let host = start(host, &Table::default()).await;
    echo(&host, JOIN);
    let mut guests = Vec::new();
    for n in 0..3 {
        let mut guest = config(&Identity::generate(), "tcp://127.0.0.1:0");
        guest.strangers = vec![JOIN.to_owned()];
        let guest = start(guest, &Table::of(&[one.key()])).await;
        let opened = guest.open_at(&host.addresses()[0], JOIN, None).await;
        assert_eq!(opened.is_ok(), n < 2);
        guests.push((guest, opened));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_removed_loses_its_streams() {
    let (one, two, gate) = two("tcp").await;
    echo(&two, ECHO);
    let mut stream = one.open(&two.key(), &two.addresses(), ECHO).await.unwrap();
    let mut events = two.events();
    gate.remove(&one.key());
    two.recheck();
    let ended = tokio::time::timeout(LONG, stream.read_u8()).await.unwrap();
    assert!(ended.is_err());
    let gone = wait(&mut events, |e| matches!(e, Event::Disconnected { .. })).await;
    assert!(
        matches!(
            gone,
            Event::Disconnected {
                reason: Gone::Removed,
                ..
            }
        ),
        "{gone:?}"
    );
    let error = one
        .open(&two.key(), &two.addresses(), ECHO)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAdmitted, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_opens_nothing_even_before_the_recheck() {
    let (one, two, gate) = two("tcp").await;
    echo(&two, ECHO);
    let _kept = one.open(&two.key(), &two.addresses(), ECHO).await.unwrap();
    // (one has a gate of the same table: it is asked about two, who stays)
    gate.remove(&one.key());
    let opened = one.open(&two.key(), &[], ECHO).await;
    let nothing = match opened {
        Err(_) => true,
        Ok(mut stream) => {
            let _ = stream.write_all(b"x").await;
            let _ = stream.flush().await;
            tokio::time::timeout(LONG, stream.read_u8())
                .await
                .unwrap()
                .is_err()
        }
    };
    assert!(nothing);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mesh_is_refused() {
    for transport in ["tcp", "quic"] {
        let (one, two) = (Identity::generate(), Identity::generate());
        let gate = Table::of(&[one.key(), two.key()]);
        let listen = format!("{transport}://127.0.0.1:0");
        let one = start(config(&one, &listen), &gate).await;
        let mut other = config(&two, &listen);
        other.mesh = "another".to_owned();
        let two = start(other, &gate).await;
        echo(&two, ECHO);
        let error = one
            .open(&two.key(), &two.addresses(), ECHO)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OtherMesh, "{error}");
        assert!(one.peers().await.is_empty() && two.peers().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_at_an_address_is_known_and_can_be_expected() {
    let (one, two, gate) = two("tcp").await;
    echo(&two, ECHO);
    let at = two.addresses()[0].replace("127.0.0.1", "localhost");
    let (key, _stream) = one.open_at(&at, ECHO, None).await.unwrap();
    assert_eq!(key, two.key());
    let (key, _stream) = one.open_at(&at, ECHO, Some(two.key())).await.unwrap();
    assert_eq!(key, two.key());
    let third = Identity::generate();
    gate.add(third.key());
    let error = one.open_at(&at, ECHO, Some(third.key())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherKey, "{error}");
    let error = one
        .open(&third.key(), &two.addresses(), ECHO)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherKey, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_words() {
    let (one, two, _) = two("tcp").await;
    let error = one
        .open(&two.key(), &two.addresses(), ECHO)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProtocol, "{error}");

    let error = one
        .open(&two.key(), &["tcp://127.0.0.1".to_owned()], ECHO)
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);

    let at = two.addresses();
    two.stop().await;
    one.disconnect(&two.key()).await;
    until(async || one.peers().await.is_empty()).await;
    let error = one.open_at(&at[0], ECHO, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    let error = one.open(&two.key(), &at, ECHO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains(&at[0]), "{error}");

    let taken = config(&Identity::generate(), &one.addresses()[0]);
    let error = Net::start(taken, std::sync::Arc::new(Table::default())).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen, "{error}");
    assert!(error.to_string().contains("another port"), "{error}");

    one.stop().await;
    let error = one.open(&two.key(), &at, ECHO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopped, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protocol_is_served_once_and_until_it_is_dropped() {
    let (one, two, _) = two("tcp").await;
    let incoming = two.serve(ECHO).unwrap();
    assert_eq!(two.serve(ECHO).unwrap_err().kind(), ErrorKind::Invalid);
    let _stream = one.open(&two.key(), &two.addresses(), ECHO).await.unwrap();
    drop(incoming);
    echo(&two, ECHO);
    let mut stream = one.open(&two.key(), &[], ECHO).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_has_so_many_streams_and_no_more() {
    let (one, two) = (Identity::generate(), Identity::generate());
    let gate = Table::of(&[one.key(), two.key()]);
    let mut few = config(&one, "tcp://127.0.0.1:0");
    few.limits.streams_a_peer = 3;
    let one = start(few, &gate).await;
    let two = start(config(&two, "tcp://127.0.0.1:0"), &gate).await;
    echo(&two, ECHO);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(one.open(&two.key(), &two.addresses(), ECHO).await.unwrap());
    }
    let error = one.open(&two.key(), &[], ECHO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    streams.pop();
    one.open(&two.key(), &[], ECHO).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_peer_is_found_late_and_again_after_a_restart() {
    let (one, two) = (Identity::generate(), Identity::generate());
    let gate = Table::of(&[one.key(), two.key()]);
    let first = start(config(&two, "tcp://127.0.0.1:0"), &gate).await;
    let at = first.addresses()[0].clone();
    first.stop().await;

    let mut waits = config(&one, "tcp://127.0.0.1:0");
    waits.peers = vec![at.clone()];
    let waits = start(waits, &gate).await;
    let mut events = waits.events();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let late = start(config(&two, &at), &gate).await;
    let is_up = |e: &Event| matches!(e, Event::Connected { key, .. } if *key == two.key());
    wait(&mut events, is_up).await;
    late.stop().await;
    wait(&mut events, |e| matches!(e, Event::Disconnected { .. })).await;
    let again = start(config(&two, &at), &gate).await;
    wait(&mut events, is_up).await;
    echo(&again, ECHO);
    let mut stream = waits.open(&two.key(), &[], ECHO).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
}

#[tokio::test(flavor = "multi_thread")]
async fn many_opens_at_once_share_a_connection() {
    let (one, two, _) = two("tcp").await;
    echo(&two, ECHO);
    let (key, at) = (two.key(), two.addresses());
    let opens = (0..50).map(|n: u8| {
        let (one, at) = (one.clone(), at.clone());
        tokio::spawn(async move {
            let mut stream = one.open(&key, &at, ECHO).await.unwrap();
            stream.write_all(&[n]).await.unwrap();
            stream.flush().await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), n);
        })
    });
    for open in opens.collect::<Vec<_>>() {
        open.await.unwrap();
    }
}
