//! Membership of many nodes on a virtual clock: `cargo run -p vgdc-net --release --example simulate -- --nodes 1000 [--seed N]`.
//! Prints how long it takes until all know what happened: a start of all at once, crashes, a cut and its healing, and what happens
//! when datagrams are lost.

use std::time::{Duration, Instant};

use vgdc_net::membership::simulation::{Simulation, Weather, number};
use vgdc_net::membership::{Change, Tuning};

const LONG: Duration = Duration::from_secs(120);

fn main() -> Result<(), String> {
    let mut nodes = 1000;
    let mut seed = 1;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .and_then(|value| value.parse::<u64>().ok())
            .ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--nodes" => nodes = value as usize,
            "--seed" => seed = value,
            _ => return Err(format!("{name} is unknown: there are --nodes and --seed")),
        }
    }
    if nodes < 10 {
        return Err("at least 10 nodes".to_owned());
    }
    run(nodes, seed).map_err(|e| e.to_string())
}

fn say(what: &str, took: Option<Duration>, begin: Instant) {
    let took = match took {
        Some(took) => format!("{:6.2} s", took.as_secs_f64()),
        None => format!("not within {} s", LONG.as_secs()),
    };
    println!(
        "{what:<70} {took}   ({:.0} s of this machine)",
        begin.elapsed().as_secs_f64()
    );
}

fn all_know(all: &Simulation) -> bool {
    let running = all.running();
    let others = running.len() - 1;
    running.iter().all(|node| all.alive_at(*node) == others)
}

fn run(nodes: usize, seed: u64) -> Result<(), vgdc_net::NetError> {
    let begin = Instant::now();
    println!("{nodes} nodes, seed {seed}, 0.2 to 2 ms a datagram");
    let mut all = Simulation::new(nodes, seed, Tuning::default(), Weather::default());
    for node in 0..nodes {
        all.start(node, &[node / 2])?;
    }
    let took = all.until(LONG, all_know);
    say(
        "all start at once, each meets one: all know all",
        took,
        begin,
    );

    let before = all.traffic();
    all.pass(Duration::from_secs(30));
    let (datagrams, bytes) = all.traffic();
    let each = (nodes * 30) as f64;
    println!(
        "quiet: each node sends {:.1} datagrams, {:.0} bytes a second",
        (datagrams - before.0) as f64 / each,
        (bytes - before.1) as f64 / each
    );
    all.seen();

    for (what, share) in [("one node", nodes), ("a tenth of all", 10)] {
        for node in (0..nodes).skip(5).step_by(share) {
            all.crash(node);
        }
        let took = all.until(LONG, all_know);
        say(&format!("{what} crashes silently: all know"), took, begin);
        for node in (0..nodes).skip(5).step_by(share) {
            all.start(node, &[0, 1])?;
        }
        let took = all.until(LONG, all_know);
        say(&format!("{what} comes back: all know"), took, begin);
    }
    let dead = nodes - 1;
    all.crash(dead);
    for by in 0..3 {
        all.refused(by, dead);
    }
    let took = all.until(LONG, all_know);
    say(
        "one is killed, three are refused by its host: all know",
        took,
        begin,
    );
    all.start(dead, &[0, 1])?;
    all.until(LONG, all_know);

    all.cut(|node| usize::from(node >= nodes / 3));
    let third = nodes / 3;
    let took = all.until(LONG, |all| {
        all.running().iter().all(|node| {
            let side = if *node < third { third } else { nodes - third };
            all.alive_at(*node) == side - 1
        })
    });
    say(
        "a cut of a third from the rest: each side knows",
        took,
        begin,
    );
    all.pass(Duration::from_secs(10));
    all.cut(|_| 0);
    let took = all.until(LONG, all_know);
    say("healed after 10 s: all know all again", took, begin);

    all.pass(Duration::from_secs(10));
    for loss in [0.01, 0.05] {
        all.set_weather(Weather {
            loss,
            ..Weather::default()
        });
        all.seen();
        all.pass(Duration::from_secs(60));
        let seen = all.seen();
        let mut wrong: Vec<_> = seen
            .iter()
            .filter_map(|seen| match &seen.change {
                Change::Down(member) => Some(number(&member.key)),
                _ => None,
            })
            .collect();
        let reports = wrong.len();
        wrong.sort_unstable();
        wrong.dedup();
        println!(
            "{:.0} % loss, 60 s: {} nodes falsely taken for dead ({reports} reports)   ({:.0} s of this machine)",
            loss * 100.0,
            wrong.len(),
            begin.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
