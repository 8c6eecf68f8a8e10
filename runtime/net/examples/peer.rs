//! One node of a mesh as a process, for measurements: `peer NAME KEYFILE MESH LISTEN [PEER …] [--no-mdns]`. It admits everybody, and
//! prints what it sees of the others, each line with the time in microseconds since 1970: `TIME joined|down|back|renewed NAME`, `TIME
//! connected KEY`, `TIME disconnected KEY REASON`.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use vgdc_net::membership::{Change, MemberInfo, Membership, Tuning};
use vgdc_net::{Event, Identity, Net, NetConfig, short};

fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_micros())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mdns = !arguments.iter().any(|a| a == "--no-mdns");
    arguments.retain(|a| a != "--no-mdns");
    let [name, key, mesh, listen, peers @ ..] = &arguments[..] else {
        return Err("peer NAME KEYFILE MESH LISTEN [PEER …] [--no-mdns]".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut config = NetConfig::new(Identity::load_or_create(Path::new(key))?, mesh);
    config.listen = vec![listen.clone()];
    config.peers = peers.to_vec();
    config.mdns = mdns;
    runtime.block_on(run(name, config))
}

async fn run(name: &str, config: NetConfig) -> Result<(), Box<dyn std::error::Error>> {
    let net = Net::start(config, Arc::new(|_: &[u8; 32]| true)).await?;
    println!("{} listens {}", now(), net.addresses().join(" "));
    let me = MemberInfo {
        key: net.key(),
        name: name.into(),
        incarnation: (now() / 1000) as u64,
    };
    let mut events = net.events();
    let membership = Membership::start(&net, me, &Tuning::default())?;
    let mut changes = membership.watch();
    loop {
        tokio::select! {
            Some(change) = changes.next() => match change {
                Change::Joined(member) => println!("{} joined {}", now(), member.name),
                Change::Down(member) => println!("{} down {}", now(), member.name),
                Change::Back(member) => println!("{} back {}", now(), member.name),
                Change::Renewed(member) => println!("{} renewed {}", now(), member.name),
                other => println!("{} {other:?}", now()),
            },
            Some(event) = events.next() => match event {
                Event::Connected { key, address } => println!("{} connected {} {address}", now(), short(&key)),
                Event::Disconnected { key, reason, .. } => println!("{} disconnected {} {reason}", now(), short(&key)),
                Event::Discovered { key, addresses } => println!("{} discovered {} {addresses:?}", now(), short(&key)),
                other => println!("{} {other:?}", now()),
            },
            else => return Ok(()),
        }
    }
}
