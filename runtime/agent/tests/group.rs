//! Groups of replicas: elections, cuts, deaths, changes of the group, snapshots, restarts.

mod common;

use common::{Group, eventually, load, node, peer, place, set, short, value_of};
use std::collections::BTreeMap;
use std::time::Duration;
use vgdc_agent::manifest::Manifest;
use vgdc_agent::replica::{
    ChangeError, Consistency, MemberChange, ProposeError, Role, Timing, Watched,
};
use vgdc_agent::state::nodes::NodeCommand;
use vgdc_agent::state::{Answer, Command, Event, Query, Why};

#[tokio::test(flavor = "multi_thread")]
async fn a_group_elects_and_answers_everywhere() {
    let group = Group::of(5, short()).await;
    let mut watch = group.at(5).watch(0);
    for (n, replica) in group.all() {
        let key = format!("from {n}");
        replica
            .propose("tester", set(&key, "x"))
            .await
            .expect("done");
        for (_, other) in group.all() {
            let read = other
                .read(&Query::Context(place(&key)), Consistency::Linearizable)
                .await
                .expect("read");
            assert!(matches!(read.answer, Answer::Context(Some(_))) && !read.possibly_stale);
        }
    }
    let state = group.converged().await;
    assert_eq!(state.revision, 5);
    let mut seen = Vec::new();
    while seen.len() < 5 {
        match watch.next().await.expect("a change") {
            Watched::Changes(changes) => {
                seen.extend(changes.into_iter().map(|change| change.revision))
            }
            Watched::Missed { .. } => panic!("nothing was missed"),
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let leader = group.leader().await;
    let metrics = group.at(leader).metrics();
    assert_eq!(
        (metrics.voters.len(), metrics.role, metrics.failed.clone()),
        (5, Role::Leader, None)
    );
    assert_eq!(metrics.lag.len(), 4);
    let refusal = group
        .at(1)
        .propose("tester", set("", "x"))
        .await
        .expect_err("refused");
    assert!(
        matches!(refusal, ProposeError::Refused(ref why) if why.why == Why::Invalid),
        "{refusal}"
    );
    let parts = serde_json::json!([{"name": "a", "x": "x".repeat(1 << 20)}]);
    let manifest = Manifest::new(&serde_json::json!({"parts": parts}));
    assert!(manifest.expect_err("too long").contains("too long"));
    let labels = (0..10_000)
        .map(|n| (n.to_string(), "x".repeat(300)))
        .collect();
    let long = Command::Node(NodeCommand::Relabel {
        id: node(1),
        labels,
    });
    let refusal = group
        .at(3)
        .propose("tester", long)
        .await
        .expect_err("too long for the log");
    assert!(
        matches!(refusal, ProposeError::Refused(ref why) if why.why == Why::Limit),
        "{refusal}"
    );
    assert!(
        group.at(1).bootstrap().await.is_err(),
        "it belongs to a group"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minority_refuses_and_says_why_while_the_majority_goes_on() {
    let group = Group::of(
        5,
        Timing {
            patience: Duration::from_secs(4),
            ..short()
        },
    )
    .await;
    group
        .at(1)
        .propose("tester", set("before", "1"))
        .await
        .expect("done");
    group.converged().await;
    let leader = group.leader().await;
    let other = (1..=5).find(|n| *n != leader).expect("another");
    group.network.cut_off(&[node(leader), node(other)]);
    let outside = (1..=5)
        .find(|n| ![leader, other].contains(n))
        .expect("three are left");
    let (old, minority, majority) = tokio::join!(
        group.at(leader).propose("tester", set("minority", "1")),
        group.at(other).propose("tester", set("minority", "2")),
        group.at(outside).propose("tester", set("majority", "1")),
    );
    majority.expect("the majority goes on");
    for refused in [old.expect_err("cut off"), minority.expect_err("cut off")] {
        let why = refused.to_string();
        assert!(matches!(refused, ProposeError::Unavailable { .. }), "{why}");
        assert!(
            why.contains("no leader with a majority of its 5 voting replicas")
                && why.contains("goes on running"),
            "{why}"
        );
    }
    let (old, minority) = tokio::join!(
        group
            .at(leader)
            .read(&Query::Summary, Consistency::Linearizable),
        group
            .at(other)
            .read(&Query::Summary, Consistency::Linearizable)
    );
    assert!(
        old.is_err() && minority.is_err(),
        "no certain answers either"
    );
    let local = group
        .at(other)
        .read(&Query::Context(place("before")), Consistency::Local)
        .await
        .expect("local");
    assert!(local.possibly_stale && matches!(local.answer, Answer::Context(Some(_))));
    assert_eq!(value_of(&group.at(leader).local(), "majority"), None);
    group.network.heal();
    let state = eventually("the cut-off ones catch up", async || {
        let state = group.converged().await;
        value_of(&state, "majority").map(|_| state)
    })
    .await;
    assert_eq!(value_of(&state, "before"), Some("1".into()));
    group
        .at(other)
        .propose("tester", set("after", "1"))
        .await
        .expect("it takes part again");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_side_has_a_majority_all_refuse_until_it_heals() {
    let group = Group::of(
        5,
        Timing {
            patience: Duration::from_secs(2),
            ..short()
        },
    )
    .await;
    let before = group.converged().await;
    let side = |all: &[u8]| all.iter().map(|n| node(*n)).collect();
    group
        .network
        .split(&[side(&[1, 2]), side(&[3, 4]), side(&[5])]);
    for all in [[1, 3], [2, 5]] {
        let ask = |n: u8| group.at(n).propose("tester", Command::Nothing);
        let (one, two) = tokio::join!(ask(all[0]), ask(all[1]));
        assert!(one.is_err() && two.is_err(), "{one:?} {two:?}");
    }
    assert!(
        group
            .all()
            .all(|(_, replica)| replica.local().revision == before.revision)
    );
    group.network.heal();
    eventually("somebody leads again", async || {
        group.at(5).propose("tester", set("k", "v")).await.ok()
    })
    .await;
    assert_eq!(value_of(&*group.converged().await, "k"), Some("v".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn leaders_that_die_under_load_are_replaced_and_each_request_is_done_once() {
    let mut group = Group::of(5, short()).await;
    let first = group.leader().await;
    let users: Vec<u8> = (1..=5).filter(|n| *n != first).collect();
    let survivor = users[0];
    let mut watch = group.at(survivor).watch(0);
    let loads: Vec<_> = users
        .iter()
        .map(|n| load(group.at(*n), &format!("load-{n}")))
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    group.kill(first).await;
    let second = group.leader().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    group.start(first).await;
    group.network.cut_off(&[node(second)]);
    eventually("another leader", async || {
        let leads = |(n, r): (u8, &vgdc_agent::replica::Replica)| {
            n != second && r.metrics().role == Role::Leader
        };
        group.all().any(leads).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    group.network.heal();
    let mut acknowledged = Vec::new();
    for load in loads {
        let (done, refused) = load.end().await;
        // (only who led and was cut off may have been refused)
        assert!(refused.len() < 4, "{refused:?}");
        acknowledged.extend(done);
    }
    group
        .at(survivor)
        .propose("tester", set("last", "1"))
        .await
        .expect("done");
    let state = group.converged().await;
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    for key in &acknowledged {
        assert_eq!(
            value_of(&state, key).as_ref(),
            Some(key),
            "an acknowledged write is lost"
        );
    }
    let mut times = BTreeMap::new();
    while !times.contains_key("last") {
        match watch.next().await.expect("changes") {
            Watched::Changes(changes) => {
                for change in changes {
                    if let Event::ContextChanged { key, .. } = change.event {
                        *times.entry(key).or_insert(0) += 1;
                    }
                }
            }
            Watched::Missed { .. } => panic!("fewer changes than are kept"),
        }
    }
    assert!(times.values().all(|n| *n == 1), "a request was done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_group_changes_under_load_one_at_a_time() {
    let mut group = Group::of(3, short()).await;
    let running = load(group.at(2), "load");
    for n in [4, 5] {
        group.start(n).await.join(&[peer(3)]).await.expect("joined");
    }
    let leader = group.leader().await;
    group
        .at(leader)
        .leave()
        .await
        .expect("a leader may go, too");
    group.kill(leader).await;
    let next = group.leader().await;
    assert_eq!(group.at(next).metrics().voters.len(), 4);
    let demoted = (1..=5)
        .find(|n| ![leader, next, 2].contains(n))
        .expect("one");
    group
        .at(2)
        .change(MemberChange::Demote(node(demoted)))
        .await
        .expect("demoted");
    let metrics = eventually("the change arrives", async || {
        let metrics = group.at(2).metrics();
        (metrics.voters.len() == 3).then_some(metrics)
    })
    .await;
    assert!(metrics.learners.contains(&node(demoted)));
    // Two at once: one waits for the other.
    let (one, two) = (
        group.at(2).change(MemberChange::Promote(node(demoted))),
        group.at(next).change(MemberChange::Promote(node(demoted))),
    );
    let (one, two) = tokio::join!(one, two);
    one.expect("promoted");
    two.expect("promoted already");
    let (acknowledged, refused) = running.end().await;
    assert!(refused.is_empty() || leader == 2, "{refused:?}");
    let state = group.converged().await;
    assert!(
        acknowledged
            .iter()
            .all(|key| value_of(&state, key).is_some())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_leaves_a_group_without_a_majority() {
    let mut group = Group::of(3, short()).await;
    let leader = group.leader().await;
    let others: Vec<u8> = (1..=3).filter(|n| *n != leader).collect();
    group.kill(others[0]).await;
    let why = group
        .at(leader)
        .change(MemberChange::Remove(node(others[1])))
        .await
        .expect_err("refused");
    assert!(
        matches!(why, ChangeError::Refused(_)) && why.to_string().contains(", 1 without node"),
        "{why}"
    );
    group
        .at(leader)
        .change(MemberChange::Remove(node(others[0])))
        .await
        .expect("the lost one may go");
    group
        .at(leader)
        .change(MemberChange::Remove(node(others[1])))
        .await
        .expect("then the other");
    let why = group.at(leader).leave().await.expect_err("refused");
    assert!(why.to_string().contains("last replica"), "{why}");
    let why = group
        .at(leader)
        .change(MemberChange::Promote(node(9)))
        .await
        .expect_err("refused");
    assert!(why.to_string().contains("not in the group"), "{why}");
    group
        .at(leader)
        .propose("tester", set("k", "v"))
        .await
        .expect("one goes on alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_his_file_has_no_say_until_he_has_joined_anew() {
    let mut group = Group::of(3, short()).await;
    group
        .at(1)
        .propose("tester", set("k", "v"))
        .await
        .expect("done");
    let leader = group.leader().await;
    let others: Vec<u8> = (1..=3).filter(|n| *n != leader).collect();
    group.kill(others[0]).await;
    group.forget(others[0]);
    group.start(others[0]).await;
    group
        .at(leader)
        .propose("tester", set("l", "w"))
        .await
        .expect("two of three go on");
    // It holds nothing, so it must not stand for one of two: with it alone nothing can be acknowledged.
    group.network.cut_off(&[node(others[1])]);
    let why = group
        .at(leader)
        .propose("tester", set("m", "x"))
        .await
        .expect_err("no majority");
    assert!(matches!(why, ProposeError::Unavailable { .. }), "{why}");
    group.network.heal();
    let leader = group.leader().await;
    group
        .at(others[0])
        .join(&[peer(leader)])
        .await
        .expect("joined anew");
    let state = group.converged().await;
    assert_eq!(value_of(&state, "l"), Some("w".into()));
    assert_eq!(group.at(leader).metrics().voters.len(), 3);
    group.kill(leader).await;
    group
        .at(others[0])
        .propose("tester", set("n", "y"))
        .await
        .expect("it counts again");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_far_behind_is_given_a_snapshot() {
    let mut group = Group::new(short());
    group.snapshot_entries = Some(40);
    group.grow(3).await;
    let leader = group.leader().await;
    let away = (1..=3).find(|n| *n != leader).expect("a follower");
    group.kill(away).await;
    for n in 0..200 {
        group
            .at(leader)
            .propose("tester", set(&format!("k{}", n % 50), &n.to_string()))
            .await
            .expect("done");
    }
    eventually("the log is let go of", async || {
        (group.at(leader).metrics().purged > 100).then_some(())
    })
    .await;
    let back = group.start(away).await;
    let mut watch = back.watch(0);
    let new = group.start(4).await;
    new.follow(&[peer(leader)]).await.expect("it follows");
    let state = group.converged().await;
    assert_eq!(value_of(&state, "k49"), Some("199".into()));
    for replica in [&back, &new] {
        assert!(replica.metrics().snapshot > 100, "{:?}", replica.metrics());
    }
    // (first come the changes of what stood in its own log)
    while let Watched::Changes(_) = watch
        .next()
        .await
        .expect("a watcher is told that it missed something")
    {}
    assert_eq!(new.metrics().role, Role::Learner);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_start_again_from_their_files() {
    let mut group = Group::new(short());
    group.snapshot_entries = Some(30);
    group.grow(3).await;
    for n in 0..50 {
        group
            .at(1)
            .propose("tester", set(&n.to_string(), "x"))
            .await
            .expect("done");
    }
    let before = group.converged().await;
    let mut watch = group.at(1).watch(before.revision);
    for n in 1..=3 {
        group.kill(n).await;
    }
    assert_eq!(
        watch.next().await,
        None,
        "a watcher is told that nothing more comes"
    );
    let alone = group.start(1).await;
    let known = alone.local().revision;
    assert!(
        known + 1 >= before.revision,
        "one that is alone knows what it knew: {known} of {}",
        before.revision
    );
    group.start(2).await;
    group.start(3).await;
    alone
        .propose("tester", set("again", "x"))
        .await
        .expect("they go on");
    let after = group.converged().await;
    assert_eq!(after.revision, before.revision + 1);
    assert_eq!(
        after.context.bytes(),
        before.context.bytes() + ("again".len() + 1) as u64 + 96
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_from_one_mesh_to_another() {
    let old = Group::of(1, short()).await;
    let long = "x".repeat(200_000);
    for n in 0..4 {
        old.at(1)
            .propose("tester", set(&n.to_string(), &long))
            .await
            .expect("done");
    }
    let backup = old.at(1).backup().await.expect("a backup");
    let new = Group::of(3, short()).await;
    let mut cut = backup.clone();
    cut.truncate(backup.len() / 2);
    let why = new
        .at(2)
        .restore("tester", &cut, false)
        .await
        .expect_err("cut off");
    assert!(why.to_string().contains("cut off"), "{why}");
    new.at(2)
        .restore("tester", &backup, false)
        .await
        .expect("restored");
    let state = new.converged().await;
    assert_eq!(value_of(&state, "3").map(|v| v.len()), Some(200_000));
    let why = new
        .at(3)
        .restore("tester", &backup, false)
        .await
        .expect_err("not empty any more");
    assert!(why.to_string().contains("not empty"), "{why}");
    new.at(3)
        .restore("tester", &backup, true)
        .await
        .expect("forced");
}
