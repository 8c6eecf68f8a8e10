//! Discovery by multicast DNS. Skipped, with the reason, on a machine that has no interface with multicast.

mod common;

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use common::{Table, config, start, until, wait};
use vgdc_net::{Event, Identity};

/// Whether what is sent to multicast DNS's group comes back to this host.
fn multicast() -> Result<(), String> {
    let group = Ipv4Addr::new(224, 0, 0, 251);
    let say = |what: &str, e: std::io::Error| format!("{what}: {e}");
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(|e| say("no socket", e))?;
    socket
        .join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)
        .map_err(|e| say("no multicast group can be joined", e))?;
    let timeout = Some(Duration::from_secs(1));
    socket
        .set_read_timeout(timeout)
        .map_err(|e| say("no timeout", e))?;
    let port = socket.local_addr().map_err(|e| say("no port", e))?.port();
    socket
        .send_to(b"?", (group, port))
        .map_err(|e| say("nothing can be sent to a group", e))?;
    socket
        .recv(&mut [0; 8])
        .map_err(|e| say("what is sent to a group does not come back", e))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_a_mesh_find_each_other_and_no_others() {
    if let Err(why) = multicast() {
        println!("skipped: no interface with multicast ({why})");
        return;
    }
    let identities = [(); 3].map(|()| Identity::generate());
    let gate = Table::of(&identities.each_ref().map(Identity::key));
    let mesh = format!("subnet-{}", std::process::id());
    let mut nets = Vec::new();
    for (n, identity) in identities.iter().enumerate() {
        let mut config = config(identity, "tcp://0.0.0.0:0");
        config.mesh = if n == 2 {
            "another".to_owned()
        } else {
            mesh.clone()
        };
        config.mdns = true;
        let net = start(config, &gate).await;
        let events = net.events();
        nets.push((net, events));
    }
    let keys = identities.each_ref().map(Identity::key);
    until(async || {
        let one = nets[0].0.peers().await;
        let two = nets[1].0.peers().await;
        one.iter().any(|(key, _)| *key == keys[1]) && two.iter().any(|(key, _)| *key == keys[0])
    })
    .await;
    assert!(nets[2].0.peers().await.is_empty());
    // one of them at least was told by the subnet
    let known = nets[1].0.known(&keys[0]).await;
    assert!(!known.is_empty());
    nets[0].0.stop().await;
    wait(
        &mut nets[1].1,
        |e| matches!(e, Event::Disconnected { key, .. } if *key == keys[0]),
    )
    .await;
}
