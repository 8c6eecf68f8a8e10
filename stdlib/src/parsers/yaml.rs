//! **yaml** — converts between a YAML text and the value it stands for: a text is read, an object or array is written.
//!
//! YAML 1.2's core schema, with timestamps, merge keys (`<<`) and `!!binary`. A text must hold one document.

use super::{yaml_reader, yaml_writer};
use crate::function::property::Property;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct YamlConfig {
    #[field(default = "payload", kind = MsgPath, filled = true, label = "Property")]
    property: String,
}

/// The behaviour.
pub struct Yaml {
    property: Property,
}

#[node(type = "yaml", category = "parsers", inputs = 1, outputs = 1, effect = Pure, types = types, color = "#debd5c", icon = "parser-yaml.svg")]
impl Node for Yaml {
    type Config = YamlConfig;

    fn new(config: YamlConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let property = Property::parse(&config.property, "payload");
        Ok(Yaml { property })
    }
}

/// A text becomes any value, everything else a text.
fn types(t: &mut dyn Typing) {
    let path = match t.text("property") {
        path if path.is_empty() => "payload".to_owned(),
        path => path,
    };
    let any = t.ty("any");
    t.set(&path, any);
    t.send(0);
}

/// What becomes of a value.
enum Outcome {
    /// It goes on as it is.
    Pass,
    /// Another value in its place.
    Made(Value),
    /// It is dropped, with a warning.
    Drop(&'static str),
}

fn convert(value: &Value) -> Result<Outcome, NodeError> {
    match value {
        Value::Undefined => Ok(Outcome::Pass),
        Value::Str(text) => {
            let value = yaml_reader::load(text).map_err(NodeError::new)?;
            Ok(Outcome::Made(value))
        }
        Value::Buffer(_) => Ok(Outcome::Drop("Ignored non-object payload")),
        value if value.type_of() == "object" => {
            let text = yaml_writer::dump(value);
            let text = text.map_err(|_| NodeError::new("Failed to convert payload"))?;
            Ok(Outcome::Made(Value::from(text)))
        }
        _ => Ok(Outcome::Drop("Ignored unsupported payload type")),
    }
}

impl Process for Yaml {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let outcome = self.property.get(&msg).and_then(|value| convert(&value));
        match outcome {
            Ok(Outcome::Pass) => cx.send_done(msg),
            Ok(Outcome::Made(value)) => match self.property.set(&mut msg, value) {
                Ok(_) => cx.send_done(msg),
                Err(error) => cx.error(error, Some(&msg)),
            },
            Ok(Outcome::Drop(why)) => {
                cx.warn(why);
                cx.done_with(&msg);
            }
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}

#[cfg(test)]
mod tests {
    /// Texts and values, and what Node-RED 5.0.7 made of them.
    const CASES: &[crate::parsers::cases::Case] = &include!("yaml_cases.in");

    #[test]
    fn as_node_red_does_it() {
        crate::parsers::cases::check("yaml", "", CASES);
    }
}
