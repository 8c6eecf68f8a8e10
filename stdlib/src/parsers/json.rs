//! **json** — converts between a JSON text and the value it stands for.
//!
//! By default the other of what the property is; `action` can ask for one of them. `pretty` formats the text. With
//! `msg.schema` (JSON Schema, draft 6 and 7) the value is checked, and an error raised when it does not fit.

use vgdc_core::value::{Msg, Path, Value, json};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct JsonConfig {
    #[field(default = "payload", kind = MsgPath, label = "Property")]
    property: String,
    #[field(default = "", label = "Action")]
    action: String,
    #[field(default = false, label = "Format JSON string")]
    pretty: bool,
}

/// The behaviour.
pub struct Json {
    property: Path,
    action: String,
    indent: usize,
    /// The last schema, and what checks it.
    schema: Option<(Value, jsonschema::Validator)>,
}

#[node(type = "json", category = "parsers", inputs = 1, outputs = 1, effect = Pure)]
impl Node for Json {
    type Config = JsonConfig;

    fn new(config: JsonConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let property = if config.property.is_empty() { "payload" } else { &config.property };
        let property = Path::parse(property).map_err(|e| NodeError::new(e.message))?;
        Ok(Json { property, action: config.action, indent: if config.pretty { 4 } else { 0 }, schema: None })
    }
}

/// What becomes of a message.
enum Outcome {
    /// It goes on, with a new value if there is one.
    Send(Option<Value>),
    /// It is dropped, with a warning.
    Drop(&'static str),
}

impl Json {
    fn wants(&self, action: &str) -> bool {
        self.action.is_empty() || self.action == action
    }

    fn convert(&mut self, value: &Value, msg: &mut Msg) -> Result<Outcome, NodeError> {
        match value {
            Value::Undefined => Ok(Outcome::Send(None)),
            Value::Str(_) | Value::Buffer(_) => {
                let has_schema = msg.get("schema").is_some_and(Value::truthy);
                if !self.wants("obj") && !has_schema {
                    return Ok(Outcome::Send(None));
                }
                let parsed = match value {
                    Value::Str(text) => json::parse(text),
                    other => json::parse(&other.to_js_string()),
                };
                let parsed = parsed.map_err(|e| NodeError::new(e.message))?;
                self.check(&parsed, msg)?;
                Ok(Outcome::Send(self.wants("obj").then_some(parsed)))
            }
            Value::Null | Value::Object(_) | Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::Handle(_) | Value::Rare(_) => {
                if value.type_of() == "function" || value.type_of() == "bigint" {
                    return Ok(Outcome::Drop("Ignored unsupported payload type"));
                }
                self.check(value, msg)?;
                if !self.wants("str") {
                    return Ok(Outcome::Send(None));
                }
                let text = json::stringify(value, self.indent).map_err(|_| NodeError::new("Failed to convert payload"))?;
                Ok(Outcome::Send(text.map(Value::from)))
            }
        }
    }

    /// Checks a value against `msg.schema`, if there is one; then the schema has done its duty and is taken away.
    fn check(&mut self, value: &Value, msg: &mut Msg) -> Result<(), NodeError> {
        let Some(wanted) = msg.get("schema").filter(|schema| schema.truthy()).cloned() else { return Ok(()) };
        if self.schema.as_ref().is_none_or(|(known, _)| !known.same(&wanted)) {
            self.schema = None;
            let failed = || NodeError::new("JSON Schema error: failed to compile schema");
            let compiled = jsonschema::validator_for(&to_json(&wanted)).map_err(|_| failed())?;
            self.schema = Some((wanted, compiled));
        }
        let Some((_, validator)) = &self.schema else { return Ok(()) };
        let value = to_json(value);
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| said(&error)).collect();
        if errors.is_empty() {
            msg.remove("schema");
            return Ok(());
        }
        Err(NodeError::new(format!("JSON Schema error: {}", errors.join(", "))))
    }
}

/// An error in the words of the validator that Node-RED has.
fn said(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
    let at = format!("data{}", error.instance_path().to_string().replace('/', "."));
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(ty) } => format!("{at} should be {ty}"),
        Kind::Required { property } => format!("{at} should have required property '{}'", property.as_str().unwrap_or_default()),
        Kind::Minimum { limit } => format!("{at} should be >= {limit}"),
        Kind::Maximum { limit } => format!("{at} should be <= {limit}"),
        Kind::Enum { .. } => format!("{at} should be equal to one of the allowed values"),
        Kind::AdditionalProperties { .. } => format!("{at} should NOT have additional properties"),
        _ => format!("{at} {error}"),
    }
}

fn to_json(value: &Value) -> serde_json::Value {
    let text = json::stringify(value, 0).ok().flatten().unwrap_or_else(|| "null".to_owned());
    serde_json::from_str(&text).unwrap_or(serde_json::Value::Null)
}

impl Process for Json {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let outcome = match self.property.get_in(&msg) {
            Ok(value) => self.convert(&value, &mut msg),
            Err(error) => Err(NodeError::new(error.message)),
        };
        match outcome {
            Ok(Outcome::Send(None)) => cx.send_done(msg),
            Ok(Outcome::Send(Some(value))) => match self.property.set(&mut msg, value, true) {
                Ok(_) => cx.send_done(msg),
                Err(error) => cx.error(error.message, Some(&msg)),
            },
            Ok(Outcome::Drop(why)) => {
                cx.warn(why);
                cx.done_with(&msg);
            }
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}
