//! **xml** — converts between an XML text and an object, each the way that xml2js does it.
//!
//! Attributes are in the property `$`, text in `_` of an element that has something else too (both names can be chosen);
//! elements are arrays of what they hold. `msg.options` takes the options of xml2js: `explicitArray`, `mergeAttrs`,
//! `trim`, `rootName`, `renderOpts` … (those that are no functions).

use super::{xml_reader, xml_writer};
use crate::function::property::Property;
use vgdc_core::spec::Typing;
use vgdc_core::value::{ErrorValue, Msg, Object, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct XmlConfig {
    #[field(default = "payload", kind = MsgPath, filled = true, label = "Property")]
    property: String,
    #[field(default = "", label = "Key of attributes")]
    attr: String,
    #[field(default = "", label = "Key of text")]
    chr: String,
}

/// The behaviour.
pub struct Xml {
    property: Property,
    config: XmlConfig,
}

#[node(type = "xml", category = "parsers", inputs = 1, outputs = 1, effect = Pure, types = types, color = "#debd5c", icon = "parser-xml.svg")]
impl Node for Xml {
    type Config = XmlConfig;

    fn new(config: XmlConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let property = Property::parse(&config.property, "payload");
        Ok(Xml { property, config })
    }
}

/// A text becomes an object, everything else a text; the options have been completed.
fn types(t: &mut dyn Typing) {
    let path = match t.text("property") {
        path if path.is_empty() => "payload".to_owned(),
        path => path,
    };
    for path in ["options", &path] {
        let any = t.ty("any");
        t.set(path, any);
    }
    t.send(0);
}

/// What becomes of a message.
enum Outcome {
    Send,
    Drop,
}

impl Xml {
    fn convert(&self, msg: &mut Msg) -> Result<Outcome, NodeError> {
        let value = self.property.get(msg)?;
        let made = match &value {
            Value::Undefined => return Ok(Outcome::Send),
            Value::Str(text) => {
                let options = self.reading(msg)?;
                let options = xml_reader::Options::of(&options).map_err(thrown)?;
                xml_reader::load(text, &options).map_err(thrown)?
            }
            value if value.type_of() == "object" => {
                let options = writing(msg)?;
                let text = xml_writer::dump(value, &options);
                Value::from(text.map_err(|error| NodeError::from_value(error.into()))?)
            }
            _ => return Ok(Outcome::Drop),
        };
        self.property.set(msg, made)?;
        Ok(Outcome::Send)
    }

    /// The message's options, with what the node says; they go on with the message so.
    fn reading(&self, msg: &mut Msg) -> Result<Object, NodeError> {
        let mut options = given(msg)?.unwrap_or_default();
        options.insert("async", true);
        for (key, own, default) in [
            ("attrkey", &self.config.attr, "$"),
            ("charkey", &self.config.chr, "_"),
        ] {
            let key_given = options.get(key).filter(|value| value.truthy()).cloned();
            let value = match own.is_empty() {
                true => key_given.unwrap_or_else(|| Value::from(default)),
                false => Value::from(own),
            };
            options.insert(key, value);
        }
        put_back(msg, &options);
        Ok(options)
    }
}

fn writing(msg: &mut Msg) -> Result<Object, NodeError> {
    let mut options = match given(msg)? {
        Some(options) => options,
        None => {
            let plain: Object = [("pretty", false)].into_iter().collect();
            [("renderOpts", plain)].into_iter().collect()
        }
    };
    options.insert("async", false);
    put_back(msg, &options);
    Ok(options)
}

/// The message's own options. Arrays and the like have none in them.
fn given(msg: &Msg) -> Result<Option<Object>, NodeError> {
    match msg.get("options") {
        Some(Value::Object(options)) => Ok(Some(options.clone())),
        Some(Value::Null) => {
            let why = "Cannot set properties of null (setting 'async')";
            Err(NodeError::from_value(
                ErrorValue::new("TypeError", why).into(),
            ))
        }
        Some(other) if other.type_of() == "object" => Ok(Some(Object::new())),
        _ => Ok(None),
    }
}

fn put_back(msg: &mut Msg, options: &Object) {
    if msg
        .get("options")
        .is_some_and(|given| given.as_object().is_some())
    {
        msg.insert("options", options.clone());
    }
}

fn thrown(text: String) -> NodeError {
    NodeError::from_value(ErrorValue::new("Error", text).into())
}

impl Process for Xml {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        match self.convert(&mut msg) {
            Ok(Outcome::Send) => cx.send_done(msg),
            Ok(Outcome::Drop) => {
                cx.warn("This node only handles xml strings or js objects.");
                cx.done_with(&msg);
            }
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}

#[cfg(test)]
mod tests {
    /// Texts and values, and what Node-RED 5.0.7 made of them.
    const CASES: &[crate::parsers::cases::Case] = &include!("xml_cases.in");

    #[test]
    fn as_node_red_does_it() {
        crate::parsers::cases::check("xml", "", CASES);
    }
}
