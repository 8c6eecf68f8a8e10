//! What the two ends of a link between machines share.

use std::sync::Arc;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, LinkEnd, LinkService, NodeError};

/// The end of a link that the compiler has written into a node's properties.
pub fn end(link: &str, peer: &str, delivery: &str) -> LinkEnd {
    LinkEnd {
        name: link.to_owned(),
        peer: peer.to_owned(),
        durable: delivery == "durable",
    }
}

/// The links of this process.
///
/// # Errors
/// It has none.
pub fn links(cx: &Cx<'_>) -> Result<Arc<LinkService>, NodeError> {
    let links = cx.services().get::<LinkService>();
    links.ok_or_else(|| {
        NodeError::new("this program is a part of a flow over several machines, and has no links to the others")
    })
}

/// A message without what cannot leave the process: things of the runtime, such as the response to a request.
pub fn that_can_leave(mut msg: Msg) -> Msg {
    let stays: Vec<String> = (msg.iter())
        .filter(|(_, value)| matches!(value, Value::Handle(_)))
        .map(|(key, _)| key.to_string())
        .collect();
    for key in stays {
        msg.remove(&key);
    }
    msg
}
