//! Membership on nets with real sockets.

mod common;

use std::time::Duration;

use common::{LONG, Table, config, start, until};
use vgdc_net::membership::{Change, Changes, MemberInfo, MemberState, Membership, Tuning};
use vgdc_net::{Identity, Net};

struct Node {
    identity: Identity,
    net: Net,
    membership: Membership,
    changes: Changes,
}

async fn node(identity: Identity, n: u64, gate: &Table, peers: Vec<String>, listen: &str) -> Node {
    let mut config = config(&identity, listen);
    config.peers = peers;
    let net = start(config, gate).await;
    let me = MemberInfo {
        key: identity.key(),
        name: format!("n{n}").into(),
        incarnation: n,
    };
    let membership = Membership::start(&net, me, &Tuning::default()).unwrap();
    let changes = membership.watch();
    Node {
        identity,
        net,
        membership,
        changes,
    }
}

/// Five nodes; all but the first know the first one's address alone.
async fn five(transport: &str) -> (Vec<Node>, Table) {
    let identities: Vec<_> = (0..5).map(|_| Identity::generate()).collect();
    let keys: Vec<_> = identities.iter().map(Identity::key).collect();
    let gate = Table::of(&keys);
    let listen = format!("{transport}://127.0.0.1:0");
    let mut nodes: Vec<Node> = Vec::new();
    for (n, identity) in identities.into_iter().enumerate() {
        let peers = nodes
            .first()
            .map_or(Vec::new(), |first| first.net.addresses());
        nodes.push(node(identity, n as u64 + 1, &gate, peers, &listen).await);
    }
    for node in &nodes {
        until(async || alive(node) == 4).await;
    }
    (nodes, gate)
}

fn alive(node: &Node) -> usize {
    let members = node.membership.members();
    members
        .iter()
        .filter(|(_, state)| *state != MemberState::Down)
        .count()
}

async fn sees(node: &mut Node, wanted: impl Fn(&Change) -> bool) -> Change {
    let found = async {
        loop {
            let change = node.changes.next().await.expect("membership runs");
            if wanted(&change) {
                return change;
            }
        }
    };
    tokio::time::timeout(LONG, found).await.expect("it is seen")
}

#[tokio::test(flavor = "multi_thread")]
async fn five_find_each_other_through_one_and_see_one_die_and_come_back() {
    let (mut nodes, gate) = five("tcp").await;
    let dies = nodes.pop().unwrap();
    let (identity, key, at) = (
        dies.identity.clone(),
        dies.identity.key(),
        dies.net.addresses()[0].clone(),
    );
    // (its sockets are closed without a word, as when the process is killed)
    dies.net.stop().await;
    for node in &mut nodes {
        sees(node, |c| matches!(c, Change::Down(info) if info.key == key)).await;
    }
    let peers = nodes[1].net.addresses();
    let back = node(identity, 100, &gate, peers, &at).await;
    for node in &mut nodes {
        sees(
            node,
            |c| matches!(c, Change::Back(info) if info.key == key && info.incarnation == 100),
        )
        .await;
    }
    until(async || alive(&back) == 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_over_quic_know_how_far_they_are() {
    let (nodes, _) = five("quic").await;
    let (one, other) = (&nodes[0], nodes[1].identity.key());
    let far = async || one.membership.round_trip(&other);
    until(async || far().await.is_some()).await;
    let took = far().await.expect("measured");
    assert!(took > Duration::ZERO && took < LONG, "{took:?}");
    assert_eq!(one.membership.round_trip(&one.identity.key()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_and_who_is_removed_is_down() {
    let (mut nodes, gate) = five("tcp").await;
    let leaves = nodes.pop().unwrap();
    let key = leaves.identity.key();
    leaves.membership.leave().await;
    for node in &mut nodes {
        sees(node, |c| matches!(c, Change::Down(info) if info.key == key)).await;
    }
    let removed = nodes.pop().unwrap();
    let key = removed.identity.key();
    gate.remove(&key);
    for node in &nodes {
        node.net.recheck();
    }
    for node in &mut nodes {
        sees(node, |c| matches!(c, Change::Down(info) if info.key == key)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for node in &nodes {
        assert_eq!(alive(node), 2, "nobody else is gone");
    }
}
