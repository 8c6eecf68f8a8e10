//! **html** — takes elements out of an HTML text by a CSS selector (its own, or `msg.select`).
//!
//! Of each element its inner HTML, its text, its attributes, or both in one object; all of them as an array in one message, or a
//! message for each. Selectors are cheerio's: CSS with `:first`, `:eq(1)`, `:contains(text)`, `:has(…)` and the like.
//!
//! `ret` is `html`, `text`, `attr` or `compl` (attributes, and the content in the property `chr`); `as` is `single` or
//! `multi` (messages with `parts`). The result goes into `outproperty`, or where the text was. A message without the
//! property is passed on as it is; a selector that cannot be read is an error to catch.

use super::html_dom::{Dom, Id};
use super::html_query::select;
use crate::function::property::Property;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value, number};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct HtmlConfig {
    #[field(default = "payload", kind = MsgPath, label = "Property")]
    property: String,
    #[field(default = "", label = "Selector")]
    tag: String,
    #[field(default = "html", label = "Output", choices = [("html", "The HTML inside"), ("text", "The text inside"), ("attr", "An object of attributes"), ("compl", "HTML, text and attributes")])]
    ret: String,
    #[field(default = "single", label = "as", choices = [("single", "One message with an array"), ("multi", "A message an element")])]
    r#as: String,
    #[field(default = "", begin = "payload", kind = MsgPath, label = "In")]
    outproperty: String,
    #[field(default = "_", label = "Property name for the content", hidden = true)]
    chr: String,
}

/// The behaviour.
pub struct Html {
    config: HtmlConfig,
    property: Property,
    out: Property,
}

#[node(type = "html", category = "parsers", inputs = 1, outputs = 1, effect = Pure, types = types, text = First("tag"), color = "#debd5c", icon = "parser-html.svg")]
impl Node for Html {
    type Config = HtmlConfig;

    fn new(mut config: HtmlConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        for (value, default) in [
            (&mut config.property, "payload"),
            (&mut config.ret, "html"),
            (&mut config.r#as, "single"),
            (&mut config.chr, "_"),
        ] {
            if value.is_empty() {
                *value = default.to_owned();
            }
        }
        let out = Property::parse(&config.outproperty, &config.property);
        Ok(Html {
            property: Property::parse(&config.property, "payload"),
            out,
            config,
        })
    }
}

/// What was found is put into the message, of several with their parts.
fn types(t: &mut dyn Typing) {
    let text = |t: &mut dyn Typing, key: &str| Some(t.text(key)).filter(|text| !text.is_empty());
    let path = text(t, "property").unwrap_or_else(|| "payload".to_owned());
    let path = text(t, "outproperty").unwrap_or(path);
    for path in ["parts", &path] {
        let any = t.ty("any");
        t.set(path, any);
    }
    t.send(0);
}

impl Html {
    /// What is taken of an element; undefined for a kind that is not known.
    fn taken(&self, dom: &Dom, id: Id) -> Value {
        let inside = || {
            let html = dom.html(id);
            html.trim_matches(number::is_js_space).to_owned()
        };
        let attributes = || {
            dom.attributes(id)
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
        };
        match self.config.ret.as_str() {
            "html" => Value::from(Dom::fragment(&inside()).xml()),
            "text" => Value::from(dom.text(id, false)),
            "attr" => Value::Object(attributes().collect()),
            "compl" => {
                let mut both = Object::new();
                both.insert(&self.config.chr, inside());
                for (name, value) in attributes() {
                    both.insert(name, value);
                }
                Value::Object(both)
            }
            _ => Value::Undefined,
        }
    }

    fn run(&self, cx: &mut Cx<'_>, msg: &mut Msg, value: &Value) -> Result<(), String> {
        let dom = document(value)?;
        let selector = match (self.config.tag.as_str(), msg.get("select")) {
            ("", Some(Value::Str(select))) => select.to_string(),
            (tag, _) => tag.to_owned(),
        };
        let found = select(&dom, &selector)?;
        let single = self.config.r#as == "single";
        let mut all = Vec::new();
        for (index, id) in found.iter().enumerate() {
            let value = self.taken(&dom, *id);
            if single {
                if !value.is_undefined() {
                    all.push(value);
                }
            } else if self.config.r#as == "multi" && value.truthy() {
                let mut one = msg.clone();
                self.out
                    .set(&mut one, value)
                    .map_err(|error| said(&error))?;
                one.insert("parts", parts(msg, index, found.len()));
                cx.send(0, one);
            }
        }
        if single {
            self.out
                .set(msg, Value::from(all))
                .map_err(|error| said(&error))?;
            cx.send(0, msg.clone());
        }
        Ok(())
    }
}

/// The message of an error that Node-RED catches here.
fn said(error: &NodeError) -> String {
    match error.value.as_error() {
        Some(error) => error.message.to_string(),
        None => error.text(),
    }
}

fn parts(msg: &Msg, index: usize, count: usize) -> Object {
    let mut parts = Object::new();
    parts.insert("id", msg.get("_msgid").cloned().unwrap_or_default());
    parts.insert("index", index);
    parts.insert("count", count);
    parts.insert("type", "string");
    parts.insert("ch", "");
    parts
}

/// What cheerio makes of a value: it reads texts and buffers, finds nothing in objects, and stumbles over the rest.
fn document(value: &Value) -> Result<Dom, String> {
    let stumbles = |value: &Value| {
        let (ty, text) = (value.type_of(), value.to_js_string());
        Err(format!("Cannot create property 'prev' on {ty} '{text}'"))
    };
    match value {
        Value::Str(text) => Ok(Dom::document(text)),
        Value::Buffer(bytes) => Ok(Dom::document(&String::from_utf8_lossy(bytes))),
        Value::Undefined | Value::Null => Err("cheerio.load() expects a string".to_owned()),
        Value::Array(items) => {
            for item in items.iter() {
                if item.is_nullish() {
                    let item = item.to_js_string();
                    return Err(format!(
                        "Cannot read properties of {item} (reading 'parent')"
                    ));
                }
                if item.type_of() != "object" {
                    return stumbles(item);
                }
            }
            Ok(Dom::nothing())
        }
        value if value.type_of() == "object" => Ok(Dom::nothing()),
        value => stumbles(value),
    }
}

impl Process for Html {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let value = match self.property.get(&msg) {
            Ok(Value::Undefined) => return cx.send_done(msg),
            Ok(value) => value,
            Err(error) => return cx.error(error, Some(&msg)),
        };
        match self.run(cx, &mut msg, &value) {
            Ok(()) => cx.done_with(&msg),
            Err(why) => cx.error(why, Some(&msg)),
        }
    }
}

#[cfg(test)]
mod tests {
    /// Texts and selectors, and what Node-RED 5.0.7 took out of them.
    const CASES: &[crate::parsers::cases::Case] = &include!("html_cases.in");

    const PAGE: &str = include_str!("html_page.html");

    #[test]
    fn as_node_red_does_it() {
        crate::parsers::cases::check("html", PAGE, CASES);
    }
}
