//! What the two ends of a link between machines share.

use std::sync::Arc;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, LinkEnd, LinkService, NodeError};
use vgdc_macros_node::Config;

/// What the compiler has written into the properties of an end.
#[derive(Config)]
pub struct EndConfig {
    link: String,
    peer: String,
    delivery: String,
}

impl EndConfig {
    /// The end of the link.
    pub fn end(self) -> LinkEnd {
        LinkEnd {
            name: self.link,
            peer: self.peer,
            durable: self.delivery == "durable",
        }
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
