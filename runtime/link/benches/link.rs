//! What a link costs: messages a second of 200 bytes, each in a frame and a write of its own and in batches, and how long one
//! is on its way there and back. Messages are encoded and decoded, both ends in this process, over real sockets.
//!
//!     cargo bench -p vgdc-link
//!
//! The goals: more than 80,000 a second each by itself, more than 500,000 in batches, 99 of 100 there and back in less than a
//! millisecond. A figure is the median of five runs.

use std::path::Path;
use std::time::{Duration, Instant};
use vgdc_link::frame::Delivery;
use vgdc_link::{
    Endpoint, EndpointConfig, LinkReceiver, LinkSender, ReceiverConfig, SendError, SenderConfig,
};
use vgdc_value::{Msg, cbor};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A message that takes 200 bytes as CBOR.
fn message() -> Outcome<Msg> {
    let mut msg = Msg::with_payload(21.5);
    msg.insert("topic", "plant/hall-3/line-7/press-12/temperature");
    msg.insert("_msgid", "8f3ab2c4d5e6f708");
    msg.insert("unit", "C");
    let mut bytes = Vec::new();
    cbor::encode_msg(&msg, &mut bytes)?;
    let rest = 200_usize.saturating_sub(bytes.len() + 7);
    msg.insert("note", "x".repeat(rest));
    bytes.clear();
    cbor::encode_msg(&msg, &mut bytes)?;
    match bytes.len() {
        199..=201 => Ok(msg),
        length => Err(format!("the message has {length} bytes").into()),
    }
}

/// Two endpoints, `b` connected to `a`.
async fn pair(address: &str, write_bytes: Option<usize>) -> Outcome<(Endpoint, Endpoint)> {
    let endpoint = |node: &str| {
        let mut config = EndpointConfig::new(node);
        config.write_bytes = write_bytes.unwrap_or(config.write_bytes);
        Endpoint::new(config)
    };
    let (a, b) = (endpoint("a")?, endpoint("b")?);
    let place = a.listen(address).await?;
    b.connect(Some("a"), &place)?;
    Ok((a, b))
}

async fn send_all(sender: LinkSender, msg: Msg, count: usize) -> Outcome<()> {
    for _ in 0..count {
        loop {
            match sender.try_send(&msg, None) {
                Ok(()) => break,
                Err(SendError::Full) => sender.room().await,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(sender.drained().await.map_err(|fault| fault.text)?)
}

/// Messages a second.
async fn throughput(
    address: &str,
    write_bytes: Option<usize>,
    sending: SenderConfig,
    outbox: Option<&Path>,
    count: usize,
) -> Outcome<f64> {
    let (a, b) = pair(address, write_bytes).await?;
    let receiving = ReceiverConfig {
        delivery: sending.delivery,
        ..ReceiverConfig::default()
    };
    let mut receiver = a.receiver("l", receiving)?;
    let sender = b.sender("a", "l", sending, outbox)?;
    // (the connection is no part of it)
    while !sender.is_open() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let msg = message()?;
    let begun = Instant::now();
    let sent = tokio::spawn(async move {
        send_all(sender, msg, count)
            .await
            .map_err(|e| e.to_string())
    });
    for _ in 0..count {
        let received = receiver.recv().await;
        received.msg?;
        receiver.confirm(received.token);
    }
    let took = begun.elapsed();
    sent.await??;
    b.shutdown(Duration::from_secs(1)).await;
    a.shutdown(Duration::from_secs(1)).await;
    Ok(count as f64 / took.as_secs_f64())
}

async fn echo(mut from: LinkReceiver, to: LinkSender) -> Outcome<()> {
    loop {
        let received = from.recv().await;
        to.send(&received.msg?, None).await?;
        from.confirm(received.token);
    }
}

/// There and back, in microseconds: 50 and 99 of 100.
async fn round_trip(address: &str, count: usize) -> Outcome<(f64, f64)> {
    let (a, b) = pair(address, None).await?;
    let there = a.receiver("there", ReceiverConfig::default())?;
    let mut back = b.receiver("back", ReceiverConfig::default())?;
    let ping = b.sender("a", "there", SenderConfig::default(), None)?;
    let pong = a.sender("b", "back", SenderConfig::default(), None)?;
    let echoing = tokio::spawn(async move { echo(there, pong).await.map_err(|e| e.to_string()) });
    let msg = message()?;
    let mut times = Vec::with_capacity(count);
    for n in 0..count + count / 10 {
        let begun = Instant::now();
        ping.send(&msg, None).await?;
        let received = back.recv().await;
        received.msg?;
        back.confirm(received.token);
        // (the first ones find nothing warm)
        if n >= count / 10 {
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
    }
    echoing.abort();
    drop(ping);
    b.shutdown(Duration::from_secs(1)).await;
    a.shutdown(Duration::from_secs(1)).await;
    times.sort_by(f64::total_cmp);
    let at = |part: usize| {
        times
            .get(times.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    Ok((at(50), at(99)))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let unix = format!("unix:{}", folder.path().join("s").display());
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    for (name, address) in [
        ("tcp", "tcp://127.0.0.1:0"),
        ("unix", &unix),
        ("ring", "ring:bench"),
    ] {
        let wanted = |what: &str| {
            let label = format!("{name} {what}");
            only.as_ref()
                .is_none_or(|only| label.contains(only))
                .then_some(label)
        };
        let single = || SenderConfig {
            batch_messages: 1,
            ..SenderConfig::default()
        };
        let durable = || SenderConfig {
            delivery: Delivery::Durable,
            queue_messages: 50_000,
            ..SenderConfig::default()
        };
        if let Some(label) = wanted("each") {
            let mut runs = Vec::new();
            for _ in 0..5 {
                runs.push(throughput(address, Some(1), single(), None, 200_000).await?);
            }
            println!("{label:<16} {:>12.0} messages/s", median(runs));
        }
        if let Some(label) = wanted("batched") {
            let mut runs = Vec::new();
            for _ in 0..5 {
                runs.push(
                    throughput(address, None, SenderConfig::default(), None, 1_000_000).await?,
                );
            }
            println!("{label:<16} {:>12.0} messages/s", median(runs));
        }
        if let Some(label) = wanted("durable") {
            let mut runs = Vec::new();
            for run in 0..5 {
                let outbox = folder.path().join(format!("{name}{run}"));
                runs.push(throughput(address, None, durable(), Some(&outbox), 100_000).await?);
            }
            println!("{label:<16} {:>12.0} messages/s", median(runs));
        }
        if let Some(label) = wanted("round trip") {
            let (mut halves, mut most) = (Vec::new(), Vec::new());
            for _ in 0..5 {
                let (p50, p99) = round_trip(address, 20_000).await?;
                halves.push(p50);
                most.push(p99);
            }
            println!(
                "{label:<16} {:>9.0} µs p50 {:>9.0} µs p99",
                median(halves),
                median(most)
            );
        }
    }
    Ok(())
}

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(measure())
}
