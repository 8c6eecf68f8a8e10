//! **mesh sender** — stands in for a node that runs on another machine of a mesh: sends its messages there.
//!
//! The compiler puts it into the parts that it cuts a flow into; it cannot be drawn. It has the id and name of the node that it stands
//! in for. What a message carries of this process (the response to a request) does not travel.

use super::mesh::{self, EndConfig};
use vgdc_core::value::Msg;
use vgdc_core::{Cx, LinkEnd, Node, NodeError, Outgoing, Process};
use vgdc_macros_node::node;

/// Sends what it gets.
pub struct MeshSender {
    end: LinkEnd,
    link: Box<dyn Outgoing>,
}

#[node(type = "mesh sender", category = "common", inputs = 1, outputs = 0, effect = Io, role = Sender)]
impl Node for MeshSender {
    type Config = EndConfig;

    fn new(config: EndConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let end = config.end();
        let link = mesh::links(cx)?.0.send_to(&end, cx.mailbox())?;
        Ok(MeshSender { end, link })
    }
}

impl Process for MeshSender {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let msg = mesh::that_can_leave(msg);
        let trace = cx.trace_to(&self.end, &msg);
        match self.link.send(&msg, trace) {
            Ok(()) => cx.done_with(&msg),
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn without_links_it_does_not_start() {
        let flow =
            Flow::start(json!([{ "id": "s", "type": "mesh sender", "link": "a>s", "peer": "b" }]));
        let errors = flow.errors("s");
        assert!(
            errors[0].to_js_string().contains("has no links"),
            "{errors:?}"
        );
    }
}
