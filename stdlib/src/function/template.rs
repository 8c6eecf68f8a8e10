//! **template** — sets a property from a template.
//!
//! By default a mustache template over the message: `{{payload.name}}` is escaped for HTML, `{{{payload.name}}}` is not;
//! `{{flow.key}}`, `{{global.key}}` (`{{flow[store].key}}`) and `{{env.NAME}}` reach context and environment. `plain` takes
//! the text as it is. The result is a text, or parsed as JSON or YAML. An empty template takes `msg.template`.
//!
//! `field` is where it goes, in `fieldType` (`msg`, `flow`, `global`); `output` is `str`, `json` or `yaml`. For JSON,
//! what is put in is escaped as JSON texts need it, too. A template that cannot be read, and a result that is no JSON or
//! YAML, is an error of each message.

use crate::parsers::yaml_reader::load;
use vgdc_core::shared::NodeEnv;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Value, json};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_expr::{Target, Template};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TemplateConfig {
    #[field(default = "payload", shown = Typed("fieldType"), label = "Property", types = ["msg", "flow", "global"])]
    field: String,
    #[field(name = "fieldType", default = "msg")]
    field_type: String,
    #[field(default = "mustache", label = "Template", choices = [("mustache", "Mustache"), ("plain", "Plain text")])]
    syntax: String,
    #[field(default = "handlebars", label = "Language", choices = [("handlebars", "Mustache"), ("html", "HTML"), ("json", "JSON"), ("javascript", "JavaScript"), ("css", "CSS"), ("markdown", "Markdown"), ("text", "None"), ("php", "PHP"), ("python", "Python"), ("sql", "SQL"), ("yaml", "YAML")])]
    _format: (),
    #[field(json = "null", begin = "This is the payload: {{payload}} !", kind = Mustache, label = "Text")]
    template: Value,
    #[field(default = "str", label = "Output as", choices = [("str", "Plain text"), ("json", "Parsed JSON"), ("yaml", "Parsed YAML")])]
    output: String,
}

/// The behaviour.
pub struct TemplateNode {
    config: TemplateConfig,
    /// Where the result goes; a field that cannot be read is an error of each message, as in Node-RED.
    target: Result<Target, String>,
    parsed: Option<Template>,
    env: NodeEnv,
}

#[node(type = "template", category = "function", inputs = 1, outputs = 1, effect = State, types = types, text = First("template"), color = "#f3b567", icon = "template.svg")]
impl Node for TemplateNode {
    type Config = TemplateConfig;

    fn new(mut config: TemplateConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        if config.field.is_empty() {
            config.field = "payload".to_owned();
        }
        if config.syntax.is_empty() {
            config.syntax = "mustache".to_owned();
        }
        let target =
            Target::parse(&config.field_type, &config.field).map_err(|e| e.message.to_string());
        // A template that does not parse is an error of each message, as in Node-RED.
        let parsed = match config.template.as_str() {
            Some(template) if config.syntax == "mustache" => Template::parse(template).ok(),
            _ => None,
        };
        Ok(TemplateNode {
            target,
            parsed,
            env: cx.env(),
            config,
        })
    }
}

/// A text, or what it is parsed to.
fn types(t: &mut dyn Typing) {
    let field = match t.text("field") {
        field if field.is_empty() => "payload".to_owned(),
        field => field,
    };
    let mustache = matches!(t.text("syntax").as_str(), "" | "mustache");
    let made = match t.text("output").as_str() {
        "json" | "yaml" => "any",
        // (without a template of its own it takes the message's, whatever that is)
        _ if !mustache && t.text("template").is_empty() => "any",
        _ => "string",
    };
    let made = t.ty(made);
    match t.text("fieldType").as_str() {
        "flow" | "global" => {}
        _ => t.set(&field, made),
    }
    t.send(0);
}

impl TemplateNode {
    fn text(&self, msg: &Msg) -> Result<Value, NodeError> {
        let own = &self.config.template;
        let given = msg
            .get("template")
            .filter(|_| own.as_str().is_some_and(str::is_empty));
        let template = match given.unwrap_or(own) {
            // (a flow that has none)
            Value::Null if given.is_none() => &Value::Undefined,
            template => template,
        };
        if self.config.syntax != "mustache" {
            return Ok(template.clone());
        }
        let Some(text) = template.as_str() else {
            return Err(NodeError::new(no_template(template)));
        };
        let as_json = self.config.output == "json";
        let rendered = match (given, &self.parsed) {
            (None, Some(template)) => template.render(&self.env, msg, as_json),
            _ => {
                Template::parse(text).and_then(|template| template.render(&self.env, msg, as_json))
            }
        };
        rendered
            .map(Value::from)
            .map_err(|e| NodeError::new(e.message.to_string()))
    }

    fn value(&self, msg: &Msg) -> Result<Value, NodeError> {
        let text = self.text(msg)?;
        match self.config.output.as_str() {
            "json" => json::parse(&text.to_js_string()).map_err(|e| NodeError::new(e.message)),
            "yaml" => load(&text.to_js_string()).map_err(NodeError::new),
            _ => Ok(text),
        }
    }
}

/// What mustache says of a template that is no text.
fn no_template(given: &Value) -> String {
    if given.truthy() {
        return "this.tail.search is not a function".to_owned();
    }
    let kind = given.type_of();
    format!(
        "Invalid template! Template should be a \"string\" but \"{kind}\" was given as the first argument for mustache#render(template, view, partials)"
    )
}

impl Process for TemplateNode {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let known = matches!(
            self.config.field_type.as_str(),
            "" | "msg" | "flow" | "global"
        );
        let set = self.value(&msg).and_then(|value| {
            if !known {
                return Ok(());
            }
            let target = self
                .target
                .as_ref()
                .map_err(|why| NodeError::new(why.as_str()))?;
            // (a property's error is raised as its text, a store's as it is)
            target
                .set(&self.env, &mut msg, value)
                .map(drop)
                .map_err(|e| match target {
                    Target::Msg(_) => NodeError::new(e.message.to_string()),
                    Target::Context { .. } => NodeError::from_value(e.into()),
                })
        });
        match set {
            // (of a place that Node-RED does not know nothing comes)
            Ok(()) if !known => {}
            Ok(()) => cx.send_done(msg),
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}

/// The node's code: the text is put together, and put where it belongs.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower(config: TemplateConfig) -> Result<vgdc_mir::NodeCode, String> {
    use vgdc_mir::{Builtin, NodeCode, Terminator};
    let own = match config.template.as_str() {
        Some("") => return Err("a template that is read from the message".to_owned()),
        Some(own) => own,
        None => return Err("a template that is no text".to_owned()),
    };
    if !matches!(config.field_type.as_str(), "" | "msg" | "flow" | "global") {
        return Err("a place that is none".to_owned());
    }
    let field = match config.field.as_str() {
        "" => "payload",
        field => field,
    };
    let target = Target::parse(&config.field_type, field).map_err(|e| e.message.to_string())?;
    let as_json = config.output == "json";
    let mut code = super::lower::Code::default();
    let text = if matches!(config.syntax.as_str(), "" | "mustache") {
        let template = Template::parse(own).map_err(|e| e.message.to_string())?;
        let parts = template.parts().ok_or("a partial")?;
        super::mustache::lower(&mut code, parts, as_json)?
    } else {
        let text = code.b.slot();
        code.text(text, own);
        text
    };
    let value = match config.output.as_str() {
        "json" => {
            let parsed = code.b.slot();
            code.builtin(parsed, Builtin::JsonParse, &[text]);
            parsed
        }
        "yaml" => return Err("a text that is read as YAML".to_owned()),
        _ => text,
    };
    code.target(&target, value, false)?;
    code.b.end(Terminator::Send(0));
    Ok(NodeCode::Body(code.b.finish().into()))
}

#[cfg(all(test, feature = "lower"))]
mod tests {
    use super::*;

    fn config(template: &str, syntax: &str, output: &str) -> TemplateConfig {
        TemplateConfig {
            _format: (),
            field: String::new(),
            field_type: "msg".to_owned(),
            syntax: syntax.to_owned(),
            template: Value::from(template),
            output: output.to_owned(),
        }
    }

    #[test]
    fn what_keeps_a_template_from_becoming_code_is_said() {
        for (template, syntax, output, why) in [
            ("a {{b}}", "mustache", "str", None),
            ("a {{b}}", "mustache", "json", None),
            ("a {{", "plain", "str", None),
            (
                "",
                "mustache",
                "str",
                Some("a template that is read from the message"),
            ),
            ("{{> a}}", "mustache", "str", Some("a partial")),
            ("{{a", "mustache", "str", Some("Unclosed tag at 3")),
            ("a: 1", "plain", "yaml", Some("a text that is read as YAML")),
        ] {
            let said = lower(config(template, syntax, output)).err();
            assert_eq!(said.as_deref(), why, "{template}");
        }
    }
}
