//! **comment** — a remark on the canvas. It has no ports and does nothing.

use vgdc_core::value::Msg;
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
#[expect(dead_code, reason = "nothing but a remark")]
pub struct CommentConfig {
    #[field(default = "", shown = Markdown, label = "Text")]
    info: String,
}

/// Nothing.
pub struct Comment;

#[node(type = "comment", category = "common", inputs = 0, outputs = 0, effect = Pure, role = Comment, types = "msg", text = First("name"), color = "#ffffff", icon = "comment.svg")]
impl Node for Comment {
    type Config = CommentConfig;

    fn new(_config: CommentConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Comment)
    }
}

impl Process for Comment {
    fn input(&mut self, _cx: &mut Cx<'_>, _msg: Msg) {}
}
