//! Over the streams of the mesh, encrypted and between nodes that admit each other (`vgdc-net`), as `frames.rs` says.

use super::frames::{self, Lines};
use super::{Calling, Peer, Serve, Wire};
use bytes::Bytes;
use std::sync::Arc;
use tokio::task::JoinSet;
use vgdc_net::{Net, NetError};

/// The protocol's name.
const PROTOCOL: &str = "/vgdc/state/1";

/// Calls over the mesh.
pub struct NetWire {
    net: Net,
    lines: Lines,
}

impl NetWire {
    /// A wire without streams.
    pub fn new(net: Net) -> NetWire {
        NetWire {
            net,
            lines: Lines::default(),
        }
    }
}

impl Wire for NetWire {
    fn call<'a>(&'a self, to: &'a Peer, request: Bytes) -> Calling<'a> {
        let connect = async {
            let opened = self.net.open(to.id.key(), &to.addresses, PROTOCOL).await;
            opened.map_err(|e| e.to_string())
        };
        Box::pin(self.lines.call(to, request, connect))
    }
}

/// Answers those who call, until the future is dropped.
///
/// # Errors
/// The protocol is served already.
pub async fn serve(net: &Net, to: Arc<dyn Serve>) -> Result<(), NetError> {
    let mut incoming = net.serve(PROTOCOL)?;
    let mut streams = JoinSet::new();
    while let Some((_, stream)) = incoming.next().await {
        while streams.try_join_next().is_some() {}
        streams.spawn(frames::serve(stream, to.clone()));
    }
    Ok(())
}
