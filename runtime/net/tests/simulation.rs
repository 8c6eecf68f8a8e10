//! Membership of 50 to 200 nodes on a virtual clock. (1,000: `cargo run -p vgdc-net --release --example simulate`.)

use std::time::Duration;

use vgdc_net::membership::simulation::{Simulation, Weather, number};
use vgdc_net::membership::{Change, Tuning};

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn all_know(all: &Simulation) -> bool {
    let running = all.running();
    running
        .iter()
        .all(|node| all.alive_at(*node) == running.len() - 1)
}

/// So many nodes that have all learnt of all, each through one other.
fn started(nodes: usize, seed: u64, weather: Weather) -> Simulation {
    let mut all = Simulation::new(nodes, seed, Tuning::default(), weather);
    for node in 0..nodes {
        all.start(node, &[node / 2]).unwrap();
    }
    all.until(seconds(20), all_know).expect("all learn of all");
    all.seen();
    all
}

fn lossy(loss: f64) -> Weather {
    Weather {
        loss,
        fastest: Duration::from_millis(1),
        slowest: Duration::from_millis(20),
    }
}

#[test]
fn a_crash_is_known_to_all_and_so_is_the_return() {
    for (nodes, seed) in [(50, 1), (50, 2), (100, 3)] {
        let mut all = started(nodes, seed, Weather::default());
        all.crash(7);
        let took = all.until(seconds(10), all_know).expect("all know");
        assert!(took < seconds(4), "{nodes}: {took:?}");
        all.start(7, &[0]).unwrap();
        all.until(seconds(10), all_know).expect("all know");
        let of_others = all.seen().into_iter().find(|seen| match &seen.change {
            Change::Down(member) => number(&member.key) != 7,
            _ => false,
        });
        assert!(of_others.is_none(), "{of_others:?}");
    }
}

#[test]
fn who_is_refused_is_down_for_all_within_a_second() {
    let mut all = started(200, 4, Weather::default());
    all.crash(100);
    all.refused(3, 100);
    let took = all.until(seconds(10), all_know).expect("all know");
    assert!(took < seconds(1), "{took:?}");
}

#[test]
fn nobody_is_taken_for_dead_where_one_in_a_hundred_datagrams_is_lost() {
    for (nodes, seed, time) in [(50, 5, 60), (100, 6, 10)] {
        let mut all = started(nodes, seed, lossy(0.01));
        all.pass(seconds(time));
        let dead = all
            .seen()
            .into_iter()
            .find(|seen| matches!(seen.change, Change::Down(_)));
        assert!(dead.is_none(), "{nodes}: {dead:?}");
    }
}

#[test]
fn after_a_cut_heals_everybody_is_alive_again() {
    for (nodes, seed) in [(50, 7), (80, 8)] {
        let mut all = started(nodes, seed, lossy(0.01));
        let third = nodes / 3;
        all.cut(|node| usize::from(node >= third));
        all.until(seconds(30), |all| {
            all.running().iter().all(|node| {
                let side = if *node < third { third } else { nodes - third };
                all.alive_at(*node) == side - 1
            })
        })
        .expect("each side knows");
        all.pass(seconds(5));
        all.cut(|_| 0);
        all.until(seconds(60), all_know).expect("all are back");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut all = started(50, seed, lossy(0.05));
        all.crash(3);
        all.pass(seconds(5));
        let seen = all.seen();
        (format!("{seen:?}"), all.traffic())
    };
    assert!(run(11) == run(11));
    assert!(run(11) != run(12));
}
