//! **json** — converts between a JSON text and the value it stands for.
//!
//! By default the other of what the property is; `action` can ask for one of them. `pretty` formats the text. With
//! `msg.schema` (JSON Schema, draft 6 and 7) the value is checked, and an error raised when it does not fit.
//!
//! `action` is empty, `str` (to a text) or `obj` (to a value): what already is one is passed on as it is. A text that is
//! no JSON is an error to catch; a function or a big integer gets the warning `Ignored unsupported payload type`, and is
//! dropped.

use crate::function::property::Property;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Object, Value, json, number};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct JsonConfig {
    #[field(default = "", label = "Action", choices = [("", "Convert between text and object"), ("str", "Always to text"), ("obj", "Always to object")])]
    action: String,
    #[field(default = "payload", kind = MsgPath, filled = true, label = "Property")]
    property: String,
    #[field(default = false, label = "Indent the text")]
    pretty: bool,
}

/// The behaviour.
pub struct Json {
    property: Property,
    action: String,
    indent: usize,
    /// The last schema, as JSON too, and what checks it.
    schema: Option<(Value, serde_json::Value, jsonschema::Validator)>,
}

#[node(type = "json", category = "parsers", inputs = 1, outputs = 1, effect = Pure, types = types, color = "#debd5c", icon = "parser-json.svg")]
impl Node for Json {
    type Config = JsonConfig;

    fn new(config: JsonConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let property = Property::parse(&config.property, "payload");
        Ok(Json {
            property,
            action: config.action,
            indent: if config.pretty { 4 } else { 0 },
            schema: None,
        })
    }
}

/// A property is parsed or written; one that is neither text nor to be written stays.
fn types(t: &mut dyn Typing) {
    let path = match t.text("property") {
        path if path.is_empty() => "payload".to_owned(),
        path => path,
    };
    // (what has been checked by a schema has lost it)
    for field in ["schema", "schemaError"] {
        let any = t.ty("any");
        t.set(field, any);
    }
    let before = t.get(&path);
    let text = t.ty("string");
    let parsed = t.ty("any");
    let made = match t.text("action").as_str() {
        "str" => t.either(before, text),
        _ => parsed,
    };
    t.set(&path, made);
    t.send(0);
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
                if !self.wants("obj") {
                    self.check(&parsed, msg)?;
                    return Ok(Outcome::Send(None));
                }
                // (Node-RED puts the value into the message before it checks it)
                if has_schema {
                    self.property.set(msg, parsed.clone())?;
                }
                self.check(&parsed, msg)?;
                Ok(Outcome::Send(Some(parsed)))
            }
            Value::Null
            | Value::Object(_)
            | Value::Array(_)
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Date(_)
            | Value::Handle(_)
            | Value::Rare(_) => {
                if value.type_of() == "function" || value.type_of() == "bigint" {
                    return Ok(Outcome::Drop("Ignored unsupported payload type"));
                }
                let schema = msg.get("schema").cloned();
                self.check(value, msg)?;
                if !self.wants("str") {
                    return Ok(Outcome::Send(None));
                }
                let text = json::stringify(value, self.indent).map_err(|_| {
                    if let Some(schema) = schema {
                        msg.insert("schema", schema);
                    }
                    NodeError::new("Failed to convert payload")
                })?;
                Ok(Outcome::Send(text.map(Value::from)))
            }
        }
    }

    /// The schema of a message, compiled; none when it has none.
    fn compile(&mut self, msg: &Msg) -> Result<bool, NodeError> {
        let Some(wanted) = msg.get("schema").filter(|schema| schema.truthy()) else {
            return Ok(false);
        };
        if self
            .schema
            .as_ref()
            .is_none_or(|(known, ..)| !known.same(wanted))
        {
            self.schema = None;
            let json = to_json(wanted);
            let options = jsonschema::options().with_draft(jsonschema::Draft::Draft7);
            // (Node-RED's validator knows no formats, and refuses those that it does not know)
            let compiled = if has_format(&json) {
                None
            } else {
                options.build(&json).ok()
            };
            let compiled = compiled
                .ok_or_else(|| NodeError::new("JSON Schema error: failed to compile schema"))?;
            self.schema = Some((wanted.clone(), json, compiled));
        }
        Ok(true)
    }

    /// Checks a value against `msg.schema`, if there is one; then the schema has done its duty and is taken away.
    fn check(&mut self, value: &Value, msg: &mut Msg) -> Result<(), NodeError> {
        if !self.compile(msg)? {
            return Ok(());
        }
        let Some((_, schema, validator)) = &self.schema else {
            return Ok(());
        };
        let value = to_json(value);
        let mut errors: Vec<_> = validator.iter_errors(&value).collect();
        errors.sort_by_cached_key(|error| rank(&error.schema_path().to_string(), schema));
        let faults: Vec<Fault> = errors
            .iter()
            .flat_map(|error| faults(error, schema, &value))
            .collect();
        if faults.is_empty() {
            msg.remove("schema");
            return Ok(());
        }
        let texts: Vec<String> = faults
            .iter()
            .map(|fault| format!("data{} {}", fault.at, fault.message))
            .collect();
        let told: Vec<Value> = faults.into_iter().map(Fault::into_value).collect();
        msg.insert("schemaError", told);
        Err(NodeError::new(format!(
            "JSON Schema error: {}",
            texts.join(", ")
        )))
    }
}

/// Something that does not fit a schema, in the words of the validator that Node-RED has (Ajv 8).
struct Fault {
    /// The place in the value, a JSON pointer.
    at: String,
    /// The place in the schema.
    schema: String,
    keyword: String,
    params: Object,
    message: String,
}

impl Fault {
    fn into_value(self) -> Value {
        let mut told = Object::new();
        told.insert("instancePath", self.at);
        told.insert("schemaPath", self.schema);
        told.insert("keyword", self.keyword);
        told.insert("params", Value::Object(self.params));
        told.insert("message", self.message);
        Value::Object(told)
    }
}

/// Where Ajv asks for a keyword: what is of numbers, of texts, of all values, of arrays, of objects.
fn order_of(keyword: &str) -> usize {
    const ORDER: [&str; 33] = [
        "$ref",
        "type",
        "maximum",
        "minimum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "multipleOf",
        "maxLength",
        "minLength",
        "pattern",
        "const",
        "enum",
        "not",
        "anyOf",
        "oneOf",
        "allOf",
        "if",
        "then",
        "else",
        "maxItems",
        "minItems",
        "uniqueItems",
        "additionalItems",
        "items",
        "contains",
        "maxProperties",
        "minProperties",
        "required",
        "dependencies",
        "propertyNames",
        "additionalProperties",
        "properties",
        "patternProperties",
    ];
    ORDER
        .iter()
        .position(|known| *known == keyword)
        .unwrap_or(ORDER.len())
}

/// A place in a schema as what orders it among the others: keywords as Ajv asks for them, names as they are written.
fn rank(path: &str, schema: &serde_json::Value) -> Vec<usize> {
    let (mut at, mut names) = (Some(schema), false);
    path.split('/')
        .skip(1)
        .map(|step| {
            let name = step.replace("~1", "/").replace("~0", "~");
            let within = at;
            at = at.and_then(|schema| schema.pointer(&format!("/{step}")));
            if names || matches!(within, Some(serde_json::Value::Array(_))) {
                names = false;
                let keys = within.and_then(serde_json::Value::as_object);
                let place = keys.and_then(|keys| keys.keys().position(|key| *key == name));
                return place.or_else(|| name.parse().ok()).unwrap_or(0);
            }
            names = matches!(
                name.as_str(),
                "properties" | "patternProperties" | "dependencies" | "definitions"
            );
            order_of(&name)
        })
        .collect()
}

/// The faults that an error stands for: one; one for each property that may not be there; those of alternatives before the
/// alternative's own; that of a condition behind what it asked for.
fn faults(
    error: &jsonschema::ValidationError<'_>,
    schema: &serde_json::Value,
    value: &serde_json::Value,
) -> Vec<Fault> {
    use jsonschema::error::ValidationErrorKind as Kind;
    let path = error.schema_path().to_string();
    let keyword = match error.kind() {
        Kind::FalseSchema if path.ends_with("/additionalProperties") => "additionalProperties",
        Kind::FalseSchema => "false schema",
        kind => kind.keyword(),
    };
    let fault = |message: String, params: Object| Fault {
        at: error.instance_path().to_string(),
        schema: format!("#{}", error.schema_path()),
        keyword: keyword.to_owned(),
        params,
        message,
    };
    let within = |all: &[Vec<jsonschema::ValidationError<'static>>]| -> Vec<Fault> {
        let all = all.iter().flatten();
        all.flat_map(|error| faults(error, schema, value)).collect()
    };
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let mut told = within(context);
            let (message, params) = said(error);
            told.push(fault(message, params));
            return told;
        }
        Kind::UniqueItems => {
            let items = value.pointer(&error.instance_path().to_string());
            let of = path.rsplit_once('/').map_or("", |(above, _)| above);
            let ty = schema.pointer(&format!("{of}/items/type"));
            let scalar = ty
                .and_then(serde_json::Value::as_str)
                .is_some_and(|ty| !matches!(ty, "array" | "object"));
            let items = items.and_then(serde_json::Value::as_array);
            let (i, j) = twins(items.map_or(&[], Vec::as_slice), scalar);
            let mut told = params("i", i as f64);
            told.insert("j", j as f64);
            let text =
                format!("must NOT have duplicate items (items ## {j} and {i} are identical)");
            return vec![fault(text, told)];
        }
        _ => {}
    }
    // (what a condition asks for is told, and then the condition)
    let mut steps = path.rsplitn(2, '/');
    let own = (steps.next(), steps.next());
    if let (Some(_), Some(above)) = own
        && let Some((of, branch)) = above.rsplit_once('/')
        && matches!(branch, "then" | "else")
        && schema.pointer(&format!("{of}/if")).is_some()
    {
        let (message, told) = said(error);
        let condition = Fault {
            at: error.instance_path().to_string(),
            schema: format!("#{of}/if"),
            keyword: "if".to_owned(),
            params: params("failingKeyword", branch),
            message: format!("must match \"{branch}\" schema"),
        };
        return vec![fault(message, told), condition];
    }
    // (without other properties in the schema, the crate tells only of the first that may not be there, and not by name)
    let all = || {
        value
            .pointer(&error.instance_path().to_string())
            .and_then(serde_json::Value::as_object)
    };
    let unexpected: Vec<&str> = match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(String::as_str).collect()
        }
        Kind::FalseSchema if keyword == "additionalProperties" => all()
            .into_iter()
            .flat_map(|all| all.keys())
            .map(String::as_str)
            .collect(),
        Kind::Type {
            kind: jsonschema::error::TypeKind::Multiple(_),
        } => {
            let names = schema
                .pointer(&error.schema_path().to_string())
                .and_then(serde_json::Value::as_array);
            let names: Vec<&str> = names
                .into_iter()
                .flatten()
                .filter_map(serde_json::Value::as_str)
                .collect();
            let told: Vec<Value> = names.iter().map(|name| Value::from(*name)).collect();
            return vec![fault(
                format!("must be {}", names.join(",")),
                params("type", told),
            )];
        }
        _ => {
            let (message, params) = said(error);
            return vec![fault(message, params)];
        }
    };
    let text = "must NOT have additional properties";
    unexpected
        .into_iter()
        .map(|name| fault(text.to_owned(), params("additionalProperty", name)))
        .collect()
}

/// Two places with the same, as Ajv finds them: it looks from the end, and keeps a list of plain values.
fn twins(items: &[serde_json::Value], plain: bool) -> (usize, usize) {
    for i in (0..items.len()).rev() {
        let others: Vec<usize> = if plain {
            (i + 1..items.len()).collect()
        } else {
            (0..i).rev().collect()
        };
        if let Some(j) = others.into_iter().find(|j| items[*j] == items[i]) {
            return (i, j);
        }
    }
    (0, 0)
}

fn params(key: &str, value: impl Into<Value>) -> Object {
    let mut params = Object::new();
    params.insert(key, value);
    params
}

fn said(error: &jsonschema::ValidationError<'_>) -> (String, Object) {
    use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
    let limit = |sign: &str, limit: &serde_json::Value| {
        let limit = Value::from_json(limit);
        let mut told = params("comparison", sign);
        told.insert("limit", limit.clone());
        (format!("must be {sign} {}", limit.to_js_string()), told)
    };
    let count = |than: &str, limit: u64, what: &str| {
        (
            format!("must NOT have {than} than {limit} {what}"),
            params("limit", limit as f64),
        )
    };
    match error.kind() {
        Kind::Type {
            kind: TypeKind::Single(ty),
        } => (format!("must be {ty}"), params("type", ty.to_string())),
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            (
                format!("must have required property '{name}'"),
                params("missingProperty", name),
            )
        }
        Kind::Minimum { limit: at } => limit(">=", at),
        Kind::Maximum { limit: at } => limit("<=", at),
        Kind::ExclusiveMinimum { limit: at } => limit(">", at),
        Kind::ExclusiveMaximum { limit: at } => limit("<", at),
        Kind::MultipleOf { multiple_of } => (
            format!("must be multiple of {}", number::to_js_string(*multiple_of)),
            params("multipleOf", *multiple_of),
        ),
        Kind::MaxLength { limit } => count("more", *limit, "characters"),
        Kind::MinLength { limit } => count("fewer", *limit, "characters"),
        Kind::MaxItems { limit } => count("more", *limit, "items"),
        Kind::AdditionalItems { limit } => count("more", *limit as u64, "items"),
        Kind::MinItems { limit } => count("fewer", *limit, "items"),
        Kind::MaxProperties { limit } => count("more", *limit, "properties"),
        Kind::MinProperties { limit } => count("fewer", *limit, "properties"),
        Kind::Pattern { pattern } => (
            format!("must match pattern \"{pattern}\""),
            params("pattern", pattern.as_str()),
        ),
        Kind::Enum { options } => (
            "must be equal to one of the allowed values".to_owned(),
            params("allowedValues", Value::from_json(options)),
        ),
        Kind::Constant { expected_value } => (
            "must be equal to constant".to_owned(),
            params("allowedValue", Value::from_json(expected_value)),
        ),
        Kind::Contains => (
            "must contain at least 1 valid item(s)".to_owned(),
            params("minContains", 1),
        ),
        Kind::Not { .. } => ("must NOT be valid".to_owned(), Object::new()),
        Kind::AnyOf { .. } => ("must match a schema in anyOf".to_owned(), Object::new()),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => (
            "must match exactly one schema in oneOf".to_owned(),
            Object::new(),
        ),
        Kind::PropertyNames { .. } => ("property name must be valid".to_owned(), Object::new()),
        Kind::FalseSchema => ("boolean schema is false".to_owned(), Object::new()),
        _ => (error.to_string(), Object::new()),
    }
}

/// True when a schema names a format (a property of that name has a schema, not a text).
fn has_format(schema: &serde_json::Value) -> bool {
    match schema {
        serde_json::Value::Object(object) => object
            .iter()
            .any(|(key, value)| key == "format" && value.is_string() || has_format(value)),
        serde_json::Value::Array(items) => items.iter().any(has_format),
        _ => false,
    }
}

fn to_json(value: &Value) -> serde_json::Value {
    let text = json::stringify(value, 0)
        .ok()
        .flatten()
        .unwrap_or_else(|| "null".to_owned());
    serde_json::from_str(&text).unwrap_or(serde_json::Value::Null)
}

impl Process for Json {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        // (a schema that is none is told of before anything else)
        let value = self.compile(&msg).and_then(|_| self.property.get(&msg));
        let outcome = value.and_then(|value| self.convert(&value, &mut msg));
        match outcome {
            Ok(Outcome::Send(None)) => cx.send_done(msg),
            Ok(Outcome::Send(Some(value))) => match self.property.set(&mut msg, value) {
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

/// The node's code, for messages without a schema: what is not a text or a plain value bails out.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower(config: JsonConfig) -> Result<vgdc_mir::NodeCode, String> {
    use vgdc_core::value::Path;
    use vgdc_mir::{Builtin, Helper, NodeCode, Terminator};
    if config.pretty {
        return Err("a text that is formatted".to_owned());
    }
    let property = Property::parse(&config.property, "payload");
    let path = property.path.map_err(|error| error.message)?;
    let wants = |action: &str| config.action.is_empty() || config.action == action;
    let mut code = crate::function::lower::Code::default();
    let schema = code.get(&Path::key("schema"))?;
    let has_schema = code.is_truthy(schema);
    code.when(has_schema, Terminator::Bail);
    let value = code.read(&path)?;
    let missing = code.is_undefined(value);
    code.when(missing, Terminator::Send(0));
    let is_text = code.is_type(value, "string");
    let made = code.b.slot();
    if wants("obj") {
        let [parse, other] = std::array::from_fn(|_| code.b.block());
        code.b.branch(is_text, parse, other);
        code.b.switch_to(parse);
        code.builtin(made, Builtin::JsonParse, &[value]);
        code.b.call(Helper::Clear, [value.into()]);
        code.set(&path, made, false)?;
        code.b.end(Terminator::Send(0));
        code.b.switch_to(other);
    } else {
        code.when(is_text, Terminator::Send(0));
    }
    // (buffers are texts too)
    let is_buffer = code.b.slot();
    code.builtin(is_buffer, Builtin::IsBuffer, &[value]);
    let is_buffer = code.is_truthy(is_buffer);
    code.when(is_buffer, Terminator::Bail);
    if wants("str") {
        code.builtin(made, Builtin::JsonStringify, &[value]);
        let nothing = code.is_undefined(made);
        code.when(nothing, Terminator::Bail);
        code.b.call(Helper::Clear, [value.into()]);
        code.set(&path, made, false)?;
        code.b.end(Terminator::Send(0));
    } else {
        // (what JSON has no word for, such as a bigint, is refused)
        for name in ["object", "number", "boolean"] {
            let is = code.is_type(value, name);
            code.when(is, Terminator::Send(0));
        }
        code.b.end(Terminator::Bail);
    }
    Ok(NodeCode::Body(code.b.finish().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_a_schema_is_told_as_ajv_does() {
        // (texts from Ajv 8.20)
        let cases = [
            (
                r#"{"properties":{"a":{"type":"string"}}}"#,
                r#"{"a":1}"#,
                "data/a must be string",
            ),
            (
                r#"{"required":["b"]}"#,
                "{}",
                "data must have required property 'b'",
            ),
            (
                r#"{"additionalProperties":false}"#,
                r#"{"x":1,"y":2}"#,
                "data must NOT have additional properties, data must NOT have additional properties",
            ),
            (r#"{"minimum":10}"#, "5", "data must be >= 10"),
            (
                r#"{"maxLength":1}"#,
                "\"ab\"",
                "data must NOT have more than 1 characters",
            ),
            (
                r#"{"enum":[1,2]}"#,
                "3",
                "data must be equal to one of the allowed values",
            ),
            (
                r#"{"type":"string","format":"date"}"#,
                "\"x\"",
                "failed to compile schema",
            ),
        ];
        for (schema, value, text) in cases {
            let read = |text: &str| json::parse(text).unwrap_or_default();
            let mut msg = Msg::new();
            msg.insert("schema", read(schema));
            let mut node = Json {
                property: Property::parse("", "payload"),
                action: String::new(),
                indent: 0,
                schema: None,
            };
            let said = node
                .check(&read(value), &mut msg)
                .map_err(|error| error.text());
            assert_eq!(said, Err(format!("JSON Schema error: {text}")), "{schema}");
        }
    }
}
