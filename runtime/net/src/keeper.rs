//! Keeps this node connected: static peers, what the subnet shows, and admitted nodes whose connection was lost are dialled until they
//! answer, with growing pauses, for ever.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::address::Address;
use crate::error::ErrorKind;
use crate::events::{Event, Events, Gone};
use crate::identity::key_of;
use crate::net::{Inner, Net};
use crate::shared::Key;

/// The first pause between attempts; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// How often a peer is looked at that needs nothing.
const IDLE: Duration = Duration::from_secs(5);

/// Who is to be connected.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Target {
    /// Whoever is at an address.
    At(Address),
    /// A node.
    Node(Key),
}

/// How it stands with a target.
struct State {
    /// Who answered at the address last.
    key: Option<Key>,
    next: Instant,
    pause: Duration,
    busy: bool,
}

/// What an attempt gave.
struct Done {
    target: Target,
    result: Result<Key, ErrorKind>,
}

/// Starts the task, which ends with the net.
pub(crate) fn start(inner: &Arc<Inner>, peers: Vec<Address>) {
    let events = inner.shared.events();
    let weak = Arc::downgrade(inner);
    let targets = peers
        .into_iter()
        .map(|address| (Target::At(address), fresh()))
        .collect();
    let own = inner.shared.key;
    tokio::spawn(keep(weak, events, targets, own));
}

fn fresh() -> State {
    State {
        key: None,
        next: Instant::now(),
        pause: FIRST,
        busy: false,
    }
}

async fn keep(
    weak: Weak<Inner>,
    mut events: Events,
    mut targets: HashMap<Target, State>,
    own: Key,
) {
    let mut up = std::collections::HashSet::new();
    let (done, mut finished) = tokio::sync::mpsc::channel::<Done>(64);
    loop {
        let now = Instant::now();
        let due = targets
            .iter_mut()
            .filter(|(_, state)| !state.busy && state.next <= now);
        let Some(inner) = weak.upgrade() else { return };
        let mut gone = Vec::new();
        for (target, state) in due {
            let key = match target {
                Target::Node(key) => Some(*key),
                Target::At(_) => state.key,
            };
            if let Some(key) = key
                && (up.contains(&key) || key == own)
            {
                state.next = now + IDLE;
                continue;
            }
            if let Target::Node(key) = target
                && !inner.shared.admitted(key)
            {
                gone.push(target.clone());
                continue;
            }
            state.busy = true;
            tokio::spawn(attempt(inner.clone(), target.clone(), done.clone()));
        }
        for target in gone {
            targets.remove(&target);
        }
        drop(inner);
        let next = targets
            .values()
            .filter(|state| !state.busy)
            .map(|state| state.next)
            .min()
            .unwrap_or(now + IDLE);
        tokio::select! {
            event = events.next() => match event {
                Some(event) => happened(&weak, event, &mut targets, &mut up).await,
                None => return,
            },
            Some(result) = finished.recv() => {
                let Some(inner) = weak.upgrade() else { return };
                finish(result, &mut targets, inner.shared.limits.retry);
            }
            () = tokio::time::sleep_until(next) => {}
        }
    }
}

/// One attempt. The handle that it holds meanwhile keeps the net for no longer than a dial takes.
async fn attempt(inner: Arc<Inner>, target: Target, done: tokio::sync::mpsc::Sender<Done>) {
    let net = Net::of(inner);
    let result = match &target {
        Target::At(address) => net.connect_at(address, None).await.and_then(|(peer, _)| {
            key_of(&peer)
                .ok_or_else(|| crate::error::NetError::new(ErrorKind::OtherMesh, "no node of vgdc"))
        }),
        Target::Node(key) => net.reach(key, &[]).await.map(|()| *key),
    };
    drop(net);
    let _ = done
        .send(Done {
            target,
            result: result.map_err(|e| e.kind()),
        })
        .await;
}

fn finish(done: Done, targets: &mut HashMap<Target, State>, longest: Duration) {
    let Some(state) = targets.get_mut(&done.target) else {
        return;
    };
    state.busy = false;
    match done.result {
        Ok(key) => {
            state.key = Some(key);
            state.pause = FIRST;
            state.next = Instant::now() + IDLE;
        }
        Err(_) => {
            // (who is there may be another one by now)
            state.key = None;
            let jitter = 0.75 + rand::random::<f64>() / 2.0;
            state.next = Instant::now() + state.pause.mul_f64(jitter);
            state.pause = (state.pause * 2).min(longest.max(FIRST));
        }
    }
}

async fn happened(
    weak: &Weak<Inner>,
    event: Event,
    targets: &mut HashMap<Target, State>,
    up: &mut std::collections::HashSet<Key>,
) {
    let Some(inner) = weak.upgrade() else { return };
    let wanted = |key: &Key| inner.shared.admitted(key) && *key != inner.shared.key;
    match event {
        Event::Connected { key, .. } => {
            up.insert(key);
            if let Some(state) = targets.get_mut(&Target::Node(key)) {
                state.pause = FIRST;
            }
        }
        Event::Disconnected { key, reason, .. } => {
            up.remove(&key);
            if reason != Gone::Removed && wanted(&key) && targets.len() < inner.shared.limits.known
            {
                targets.entry(Target::Node(key)).or_insert_with(fresh).next = Instant::now();
            }
            for state in targets.values_mut().filter(|s| s.key == Some(key)) {
                state.next = Instant::now();
            }
        }
        Event::Discovered { key, .. } => {
            let there = up.contains(&key) || !wanted(&key);
            if !there && targets.len() < inner.shared.limits.known {
                let state = targets.entry(Target::Node(key)).or_insert_with(fresh);
                state.next = Instant::now();
                state.pause = FIRST;
            }
        }
        Event::Missed(_) => {
            let peers = Net::of(inner).peers().await;
            *up = peers.into_iter().map(|(key, _)| key).collect();
        }
    }
}
