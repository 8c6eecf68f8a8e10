//! Histories of mesh context under faults: what users saw must have been possible with one copy of each value.

mod common;
#[path = "common/linear.rs"]
mod linear;

use common::{Group, node, place, short};
use linear::{Call, Op, linearizable};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vgdc_agent::context::{Freshness, MeshContext};
use vgdc_agent::id::Blob;
use vgdc_agent::replica::{ProposeError, Timing};
use vgdc_agent::state::context::Expected;
use vgdc_agent::wire::memory::Faults;

const KEYS: [&str; 3] = ["a", "b", "c"];

fn blob(value: u32) -> Blob {
    value.to_string().into()
}

fn number(blob: &Blob) -> u32 {
    String::from_utf8_lossy(&blob.0).parse().expect("a number")
}

/// One user: asks one thing after the other, and notes when, what, and what was answered.
async fn user(
    context: MeshContext,
    me: u32,
    start: Instant,
    stop: Arc<AtomicBool>,
) -> Vec<(&'static str, Call)> {
    let mut calls = Vec::new();
    let now = || u64::try_from(start.elapsed().as_nanos()).expect("a short test");
    let (mut draw, mut next) = (u64::from(me) * 77 + 1, me * 100_000);
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (key, what) = (KEYS[(draw >> 33) as usize % KEYS.len()], (draw >> 45) % 10);
        let (at, begin) = (place(key), now());
        let cached = context
            .get(&at, Freshness::Cached)
            .await
            .expect("a cached read is always answered");
        let revision = cached.as_ref().map_or(0, |entry| entry.revision);
        let known = newest.entry(key).or_default();
        assert!(
            revision >= *known,
            "user {me}: {key} went back from revision {known} to {revision}"
        );
        *known = revision;
        let mut note = |op, end| calls.push((key, Call { op, begin, end }));
        if what < 4 {
            if let Ok(found) = context.get(&at, Freshness::Linearizable).await {
                note(
                    Op::Read(found.as_ref().map(|entry| number(&entry.value))),
                    Some(now()),
                );
                *known = (*known).max(found.map_or(0, |entry| entry.revision));
            }
            continue;
        }
        next += 1;
        let expected = cached.map(|entry| number(&entry.value));
        let asked = if what < 7 {
            context.set(&at, blob(next)).await
        } else {
            let expected = expected.map_or(Expected::Absent, |value| Expected::Value(blob(value)));
            context
                .compare_and_set(&at, expected, Some(blob(next)))
                .await
        };
        let write = what < 7;
        match asked {
            Ok(revision) => {
                note(
                    if write {
                        Op::Write(next)
                    } else {
                        Op::Cas(expected, next, true)
                    },
                    Some(now()),
                );
                *known = (*known).max(revision);
            }
            Err(ProposeError::Refused(_)) => note(Op::Cas(expected, next, false), Some(now())),
            // What is said not to have been done is held to that: it is left out.
            Err(ProposeError::Unavailable { unknown: false, .. }) => {}
            Err(ProposeError::Unavailable { unknown: true, .. }) => {
                note(
                    if write {
                        Op::Write(next)
                    } else {
                        Op::MaybeCas(expected, next)
                    },
                    None,
                );
            }
        }
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_under_faults_are_linearizable() {
    let mut group = Group::of(
        5,
        Timing {
            patience: Duration::from_secs(2),
            ..short()
        },
    )
    .await;
    let (start, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let spawn = |group: &Group, n: u8| {
        let context = MeshContext::new(group.at(n).clone(), "user");
        tokio::spawn(user(context, u32::from(n), start, stop.clone()))
    };
    let users: Vec<_> = (1..=4).map(|n| spawn(&group, n)).collect();
    let wait = async |millis| tokio::time::sleep(Duration::from_millis(millis)).await;
    wait(400).await;
    group.network.set_faults(Faults {
        lost_per_mille: 20,
        delay: Duration::from_millis(8),
    });
    wait(1_000).await;
    for _ in 0..3 {
        let leader = group.leader().await;
        let other = leader % 5 + 1;
        group.network.cut_off(&[node(leader), node(other)]);
        wait(2_000).await;
        group.network.heal();
        wait(700).await;
    }
    // Three sides: nobody has a majority.
    let side = |all: &[u8]| all.iter().map(|n| node(*n)).collect::<BTreeSet<_>>();
    group
        .network
        .split(&[side(&[1, 2]), side(&[3, 4]), side(&[5])]);
    wait(1_000).await;
    group.network.heal();
    group.kill(5).await;
    wait(700).await;
    group.start(5).await;
    wait(700).await;
    group.network.set_faults(Faults::default());
    wait(500).await;
    stop.store(true, Ordering::Relaxed);
    let mut by_key: BTreeMap<&str, Vec<Call>> = BTreeMap::new();
    for user in users {
        for (key, call) in user.await.expect("a user") {
            by_key.entry(key).or_default().push(call);
        }
    }
    group.converged().await;
    let all: usize = by_key.values().map(Vec::len).sum();
    let unknown = by_key
        .values()
        .flatten()
        .filter(|call| call.end.is_none())
        .count();
    println!("{all} operations, {unknown} of them without a known outcome");
    assert!(all > 200, "{all} operations");
    // (values are independent, so each may be looked at for itself)
    for (key, history) in by_key {
        assert!(linearizable(&history), "{key}: {history:?}");
    }
}
