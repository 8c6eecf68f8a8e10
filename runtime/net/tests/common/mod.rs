//! What the tests share: nets on free ports of this host, and a gate that can be changed.
#![allow(dead_code)]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vgdc_net::{Event, Events, Gate, Identity, Net, NetConfig};

/// Longer than anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);

/// A gate with a table.
#[derive(Clone, Default)]
pub struct Table(pub Arc<Mutex<HashSet<[u8; 32]>>>);

impl Table {
    pub fn of(keys: &[[u8; 32]]) -> Self {
        let table = Self::default();
        table.0.lock().unwrap().extend(keys);
        table
    }

    pub fn add(&self, key: [u8; 32]) {
        self.0.lock().unwrap().insert(key);
    }

    pub fn remove(&self, key: &[u8; 32]) {
        self.0.lock().unwrap().remove(key);
    }
}

impl Gate for Table {
    fn admitted(&self, key: &[u8; 32]) -> bool {
        self.0.lock().unwrap().contains(key)
    }
}

pub fn config(identity: &Identity, listen: &str) -> NetConfig {
    let mut config = NetConfig::new(identity.clone(), "test");
    config.listen = vec![listen.to_owned()];
    config.limits.retry = Duration::from_millis(500);
    config
}

pub async fn start(config: NetConfig, gate: &Table) -> Net {
    Net::start(config, Arc::new(gate.clone())).await.unwrap()
}

/// Two nets that admit each other, over a transport.
pub async fn two(transport: &str) -> (Net, Net, Table) {
    let (one, two) = (Identity::generate(), Identity::generate());
    let gate = Table::of(&[one.key(), two.key()]);
    let listen = format!("{transport}://127.0.0.1:0");
    let one = start(config(&one, &listen), &gate).await;
    let two = start(config(&two, &listen), &gate).await;
    (one, two, gate)
}

/// The first event that is wanted.
pub async fn wait(events: &mut Events, wanted: impl Fn(&Event) -> bool) -> Event {
    let found = async {
        loop {
            let event = events.next().await.expect("the net runs");
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(LONG, found)
        .await
        .expect("the event comes")
}

/// Waits until something holds.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let all = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, all).await.expect("it holds");
}
