//! **program in** — where a program that has the flow in it puts messages in.
//!
//! A program that uses `flow!` sends what it has to the node by its name: `running.input("readings")`. Where no program does,
//! nothing comes. (Node-RED has no such node.)

use crate::common::ends::Ends;
use std::any::Any;
use std::sync::Arc;
use vgdc_core::value::Msg;
use vgdc_core::{Closing, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct ProgramInConfig {
    #[field(default = "", label = "Name")]
    name: String,
}

/// Takes what the program sends.
pub struct ProgramIn {
    name: String,
    ends: Arc<Ends>,
}

#[node(type = "program in", category = "common", inputs = 0, outputs = 1, effect = Source, text = First("name"))]
impl Node for ProgramIn {
    type Config = ProgramInConfig;

    fn new(config: ProgramInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let ends = cx.services().get_or_insert(Ends::default);
        if !ends.add_input(&config.name, cx.mailbox()) {
            let text = format!("there is another program in named \"{}\"", config.name);
            return Err(NodeError::new(text));
        }
        Ok(ProgramIn {
            name: config.name,
            ends,
        })
    }
}

impl Process for ProgramIn {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let mut send = |mut msg: Msg| {
            msg.ensure_id();
            cx.send(0, msg);
        };
        match event.downcast::<Msg>() {
            Ok(msg) => send(*msg),
            Err(event) => {
                if let Ok(all) = event.downcast::<Vec<Msg>>() {
                    all.into_iter().for_each(send);
                }
            }
        }
    }

    fn close(&mut self, _cx: &mut Cx<'_>, _removed: bool) -> Closing {
        self.ends.remove_input(&self.name);
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn two_of_one_name_cannot_be() {
        let flow = Flow::start(json!([
            { "id": "a", "type": "program in", "name": "n", "wires": [[]] },
            { "id": "b", "type": "program in", "name": "n", "wires": [[]] },
        ]));
        let said = flow.errors("b")[0].to_js_string();
        assert!(said.contains("another program in named \"n\""), "{said}");
    }
}
