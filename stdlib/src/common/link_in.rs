//! **link in** — where virtual wires end: passes on what link out and link call nodes send to it.
//!
//! Messages stay as they are. A link out names the nodes it sends to, in this flow or in another.

use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties. The compiler reads them: links are wires to it.
#[derive(Config)]
#[expect(dead_code, reason = "the compiler reads them, this node does not")]
pub struct LinkInConfig {
    #[field(json = "[]", kind = NodeIds, label = "Links", node_types = ["link out", "link call"])]
    links: Vec<String>,
}

/// Passes on what it gets.
pub struct LinkIn;

#[node(type = "link in", category = "common", inputs = 0, outputs = 1, effect = Pure, role = LinkIn, types = "msg", color = "#dddddd", icon = "link-out.svg")]
impl Node for LinkIn {
    type Config = LinkInConfig;

    fn new(_config: LinkInConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(LinkIn)
    }
}

impl Process for LinkIn {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }
}
