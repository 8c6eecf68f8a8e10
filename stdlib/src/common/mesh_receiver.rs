//! **mesh receiver** — gets what parts of a flow on another machine of a mesh send to a node here, and passes it on to that node.
//!
//! The compiler puts it into the parts that it cuts a flow into; it cannot be drawn.

use super::mesh::{self, EndConfig};
use std::any::Any;
use vgdc_core::value::Msg;
use vgdc_core::{Arrived, Cx, LinkEnd, Node, NodeError, Process};
use vgdc_macros_node::node;

/// Passes on what comes.
pub struct MeshReceiver {
    end: LinkEnd,
    /// The link is open as long as this lives.
    _link: Box<dyn Any>,
}

#[node(type = "mesh receiver", category = "common", inputs = 0, outputs = 1, effect = Source, role = Receiver)]
impl Node for MeshReceiver {
    type Config = EndConfig;

    fn new(config: EndConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let end = config.end();
        let link = mesh::links(cx)?.0.receive_from(&end, cx.mailbox())?;
        Ok(MeshReceiver { end, _link: link })
    }
}

impl Process for MeshReceiver {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Ok(arrived) = event.downcast::<Arrived>() {
            for (msg, trace) in arrived.msgs {
                cx.send_arrived(&self.end, msg, trace);
            }
            // (so that what a machine had taken and not worked on is sent again when it is lost)
            cx.when_quiet(arrived.taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn without_links_it_does_not_start() {
        let flow = Flow::start(
            json!([{ "id": "r", "type": "mesh receiver", "link": "a>r", "peer": "b", "wires": [[]] }]),
        );
        let errors = flow.errors("r");
        assert!(
            errors[0].to_js_string().contains("has no links"),
            "{errors:?}"
        );
    }
}
