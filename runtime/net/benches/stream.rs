//! What a stream between two nodes carries, on this host: `cargo bench -p vgdc-net --bench stream`. Messages have 200 bytes. Printed are
//! the round trip of one message at a time, messages flushed each, and messages in batches of 64 KiB.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vgdc_net::{Identity, Net, NetConfig, NetStream};

const MESSAGE: usize = 200;
const TIME: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    for transport in ["tcp", "quic"] {
        runtime.block_on(measure(transport));
    }
}

async fn net(transport: &str) -> Net {
    let mut config = NetConfig::new(Identity::generate(), "bench");
    config.listen = vec![format!("{transport}://127.0.0.1:0")];
    Net::start(config, Arc::new(|_: &[u8; 32]| true))
        .await
        .expect("a net starts")
}

async fn pair(from: &Net, to: &Net, protocol: &str) -> (NetStream, NetStream) {
    let mut incoming = to.serve(protocol).expect("it is served");
    let opened = from
        .open(&to.key(), &to.addresses(), protocol)
        .await
        .expect("it opens");
    let (_, arrived) = incoming.next().await.expect("it arrives");
    (opened, arrived)
}

async fn measure(transport: &str) {
    let (one, two) = (net(transport).await, net(transport).await);
    let name = if transport == "tcp" {
        "tcp+noise"
    } else {
        "quic"
    };

    let (mut near, mut far) = pair(&one, &two, "/bench/trip").await;
    tokio::spawn(async move {
        let mut message = [0; MESSAGE];
        while far.read_exact(&mut message).await.is_ok() {
            far.write_all(&message).await.expect("it is written");
            far.flush().await.expect("it is flushed");
        }
    });
    // (on a worker of the runtime, where streams are used)
    let mut times = tokio::spawn(async move {
        let mut message = [7; MESSAGE];
        let (mut times, begin) = (Vec::new(), Instant::now());
        while begin.elapsed() < TIME {
            let at = Instant::now();
            near.write_all(&message).await.expect("it is written");
            near.flush().await.expect("it is flushed");
            near.read_exact(&mut message).await.expect("it comes back");
            times.push(at.elapsed());
        }
        times
    })
    .await
    .expect("it ends");
    times.sort();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_micros();
    println!("{name}: round trip p50 {} us, p99 {} us", at(0.5), at(0.99));

    for (what, batch) in [("flushed each", 1), ("in 64 KiB batches", 65_536 / MESSAGE)] {
        let (mut near, mut far) = pair(&one, &two, &format!("/bench/{batch}")).await;
        let writing = tokio::spawn(async move {
            let bytes = vec![7; MESSAGE * batch];
            let begin = Instant::now();
            while begin.elapsed() < TIME {
                near.write_all(&bytes).await.expect("it is written");
                near.flush().await.expect("it is flushed");
            }
            near.shutdown().await.expect("it ends");
        });
        let read = tokio::spawn(async move {
            let mut buffer = vec![0; 256 * 1024];
            let (mut bytes, begin) = (0, Instant::now());
            loop {
                match far.read(&mut buffer).await.expect("it is read") {
                    0 => break bytes as f64 / MESSAGE as f64 / begin.elapsed().as_secs_f64(),
                    n => bytes += n,
                }
            }
        });
        writing.await.expect("it ends");
        let rate = read.await.expect("it ends");
        println!("{name}: {what}: {rate:.0} messages/s");
    }
}
