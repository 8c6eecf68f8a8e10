//! What `flow!` costs: lines of JSON by TCP, read, sorted out, changed, written and sent back, by a flow with typed closures, by one of
//! nodes alone, and by hand-written tokio. All three in turn in one run; what counts are the ratios.
//!
//! ```sh
//! cargo bench -p vgdc-flow --bench pipeline
//! ```

use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vgdc_flow::{Running, flow};

/// As in vgdc's own programs; for all three.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LINES: usize = 200_000;
const ROUNDS: usize = 7;

#[derive(Deserialize)]
struct Reading {
    id: u64,
    sensor: String,
    value: f64,
}

#[derive(Serialize)]
struct Answer {
    id: u64,
    sensor: String,
    level: &'static str,
    scaled: f64,
}

fn parse(line: &str) -> serde_json::Result<Reading> {
    serde_json::from_str(line)
}

fn judge(it: Reading) -> Answer {
    let level = match it.value {
        value if value > 80.0 => "high",
        value if value > 20.0 => "normal",
        _ => "low",
    };
    Answer {
        id: it.id,
        sensor: it.sensor,
        level,
        scaled: (it.value * 1.8 + 32.0).round(),
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

async fn closures(port: u16) -> Running {
    let flow = flow! {
        tcp_in(server = "server", port = "${PORT}", datamode = "stream", datatype = "utf8", newline = "\\n")
            -> |line: String| -> serde_json::Result<Reading> { parse(&line) }
            -> |it: Reading| -> Answer { judge(it) }
            -> |it: Answer| -> serde_json::Result<String> { serde_json::to_string(&it).map(|text| text + "\n") }
            -> tcp_out(beserver = "reply", host = "", port = "");
    };
    flow.env("PORT", port).start().await.expect("it starts")
}

async fn nodes(port: u16) -> Running {
    let flow = flow! {
        let high = change(msg.payload.level = "high");
        let normal = change(msg.payload.level = "normal");
        let low = change(msg.payload.level = "low");
        tcp_in(server = "server", port = "${PORT}", datamode = "stream", datatype = "utf8", newline = "\\n")
            -> json()
            -> switch(payload.value > 80, payload.value > 20, else, checkall = "false") { a -> high, b -> normal, else -> low };
        (high, normal, low)
            -> function(r#"
                const { id, sensor, level, value } = msg.payload;
                msg.payload = { id, sensor, level, scaled: Math.round(value * 1.8 + 32) };
                return msg;
            "#)
            -> json()
            -> function(r#"msg.payload += "\n"; return msg;"#)
            -> tcp_out(beserver = "reply", host = "", port = "");
    };
    flow.env("PORT", port).start().await.expect("it starts")
}

/// The same by hand: all lines of a read are worked off, and their answers written at once.
async fn by_hand(listener: tokio::net::TcpListener) {
    while let Ok((mut socket, _)) = listener.accept().await {
        tokio::spawn(async move {
            let (mut read, mut rest, mut out) = (vec![0; 1 << 16], String::new(), Vec::new());
            while let Ok(count) = socket.read(&mut read).await {
                if count == 0 {
                    return;
                }
                rest.push_str(&String::from_utf8_lossy(&read[..count]));
                let end = rest.rfind('\n').map_or(0, |at| at + 1);
                for line in rest[..end].lines() {
                    if let Ok(reading) = parse(line)
                        && serde_json::to_writer(&mut out, &judge(reading)).is_ok()
                    {
                        out.push(b'\n');
                    }
                }
                rest.drain(..end);
                if socket.write_all(&out).await.is_err() {
                    return;
                }
                out.clear();
            }
        });
    }
}

/// Lines a second, all answers checked.
fn drive(address: SocketAddr) -> f64 {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("can be set");
    let mut writer = stream.try_clone().expect("can be shared");
    let text: String = (0..LINES)
        .map(|id| {
            format!(
                "{{\"id\":{id},\"sensor\":\"s{}\",\"value\":{}}}\n",
                id % 100,
                id % 97
            )
        })
        .collect();
    let begin = Instant::now();
    let sender = std::thread::spawn(move || writer.write_all(text.as_bytes()));
    let mut answers = BufReader::with_capacity(1 << 16, stream).lines();
    for id in 0..LINES {
        let answer = answers.next().expect("an answer").expect("is read");
        let value = id % 97;
        let level = if value > 80 {
            "high"
        } else if value > 20 {
            "normal"
        } else {
            "low"
        };
        let begins = format!(
            "{{\"id\":{id},\"sensor\":\"s{}\",\"level\":\"{level}\"",
            id % 100
        );
        assert!(answer.starts_with(&begins), "{answer}");
    }
    let took = begin.elapsed().as_secs_f64();
    sender.join().expect("ends").expect("is written");
    LINES as f64 / took
}

fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("tokio starts");
    let (a, b) = (free_port(), free_port());
    let closures = tokio.block_on(closures(a));
    let nodes = tokio.block_on(nodes(b));
    let listener = tokio
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let own = listener.local_addr().expect("an address");
    tokio.spawn(by_hand(listener));
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let cases = [
        ("tokio by hand", own),
        ("flow!, closures", at(a)),
        ("flow!, nodes", at(b)),
    ];
    let mut rates = vec![Vec::new(); cases.len()];
    for round in 0..=ROUNDS {
        for (number, (_, address)) in cases.iter().enumerate() {
            let rate = drive(*address);
            // (the first round is for caches)
            if round > 0 {
                rates[number].push(rate);
            }
        }
    }
    let medians: Vec<f64> = rates
        .iter_mut()
        .map(|rates| {
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        })
        .collect();
    for ((name, _), rate) in cases.iter().zip(&medians) {
        println!(
            "{name:16} {:>10.0} lines/s  {:>5.1} %",
            rate,
            rate / medians[0] * 100.0
        );
    }
    tokio.block_on(async {
        closures.stop().await;
        nodes.stop().await;
    });
}
