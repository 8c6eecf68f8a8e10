//! **switch** — routes messages by the value of a property.
//!
//! The rules are tried in their order; a message leaves by the output of each that matches, or of the first
//! (`checkall` false). There are comparisons, ranges, texts, regular expressions, types, emptiness, positions in a message
//! sequence (`head`, `tail`, `index`), JSONata expressions and *otherwise*. With `repair` sequences are numbered anew on
//! each output.
//!
//! A rule has `t`: `eq`, `neq`, `lt`, `lte`, `gt`, `gte`, `btwn` (with `v2`), `hask`, `cont`, `regex` (`case`: of either
//! case), `true`, `false`, `null`, `nnull`, `istype`, `empty`, `nempty`, `head`, `tail`, `index`, `jsonata_exp`, `else`
//! (no rule before it matched); and where it needs one a value `v`, of the type `vt` (`str`, `num`, `jsonata`, `env`,
//! `msg`, `flow`, `global`, `prev`: the property of the message before). `tail` and `repair` wait for the whole of a
//! sequence; at most `nodeMessageBufferMaxLength` messages wait, if that setting is given.
//!
//! A JSONata expression that cannot be read is told at the start; one that fails, or a regular expression that is none,
//! is an error to catch.

use crate::common::limits::most_waiting;
use std::collections::HashMap;
use vgdc_core::shared::NodeEnv;
use vgdc_core::spec::FieldSpec;
use vgdc_core::spec::Typing;
use vgdc_core::value::{ErrorValue, Msg, Object, Value, generate_id, json};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_expr::TypedValue;
use vgdc_macros_node::{Config, fields, node};

/// A rule, in forms.
const RULE: &[FieldSpec] = fields![
    (
        name = "t",
        default = "eq",
        label = "Rule",
        choices = [
            ("eq", "=="),
            ("neq", "≠"),
            ("lt", "<"),
            ("lte", "≤"),
            ("gt", ">"),
            ("gte", "≥"),
            ("hask", "has key"),
            ("btwn", "is between"),
            ("cont", "contains"),
            ("regex", "matches regex"),
            ("true", "is true"),
            ("false", "is false"),
            ("null", "is null"),
            ("nnull", "is not null"),
            ("istype", "is of type"),
            ("empty", "is empty"),
            ("nempty", "is not empty"),
            ("head", "head"),
            ("index", "index between"),
            ("tail", "tail"),
            ("jsonata_exp", "JSONata expression"),
            ("else", "otherwise")
        ]
    ),
    (
        name = "v",
        kind = Typed("vt"),
        label = "Value",
        when = [not(
            "t",
            "true",
            "false",
            "null",
            "nnull",
            "empty",
            "nempty",
            "else",
            "istype",
            "jsonata_exp",
            "head",
            "tail",
            "index",
            "regex",
            "hask"
        )],
        types = [
            "str", "num", "env", "msg", "flow", "global", "jsonata", "prev"
        ],
        optional = true
    ),
    (
        name = "v",
        kind = Typed("vt"),
        label = "Key",
        when = [is("t", "hask")],
        types = ["str", "msg", "flow", "global", "env"]
    ),
    (
        name = "v",
        kind = Typed("vt"),
        label = "Pattern",
        when = [is("t", "regex")],
        types = ["str", "msg", "flow", "global", "env"]
    ),
    (
        name = "v",
        kind = Typed("vt"),
        label = "Count",
        when = [is("t", "head", "tail", "index")],
        types = ["num", "env", "flow", "global", "jsonata"]
    ),
    (
        name = "v",
        kind = Typed("vt"),
        label = "Expression",
        required = true,
        when = [is("t", "jsonata_exp")],
        types = ["jsonata"]
    ),
    (
        name = "v",
        label = "Type",
        when = [is("t", "istype")],
        choices = [
            ("string", "string"),
            ("number", "number"),
            ("boolean", "boolean"),
            ("array", "array"),
            ("buffer", "buffer"),
            ("object", "object"),
            ("json", "JSON string"),
            ("undefined", "undefined"),
            ("null", "null")
        ],
        also = "vt"
    ),
    (
        name = "v2",
        kind = Typed("v2t"),
        label = "and",
        when = [is("t", "btwn", "index")],
        types = [
            "str", "num", "env", "msg", "flow", "global", "jsonata", "prev"
        ]
    ),
    (
        name = "case",
        default = false,
        kind = Bool,
        label = "Ignore case",
        when = [is("t", "regex")]
    ),
    (name = "vt", default = "str", hidden = true),
];

/// The form's properties.
#[derive(Config)]
pub struct SwitchConfig {
    #[field(default = "payload", kind = Typed("propertyType"), filled = true, label = "Property", types = ["msg", "flow", "global", "jsonata", "env"])]
    property: String,
    #[field(name = "propertyType", default = "msg")]
    property_type: String,
    #[field(json = "[]", begin_json = "[{\"t\":\"eq\",\"v\":\"\",\"vt\":\"str\"}]", label = "Rules", items = RULE)]
    rules: Vec<Value>,
    #[field(default = "true", shown = Text, label = "Checking", choices = [("true", "All rules"), ("false", "Stop at the first match")])]
    checkall: Value,
    #[field(default = false, label = "Recreate message sequences")]
    repair: bool,
    #[field(default = 1, kind = Number, hidden = true)]
    _outputs: (),
}

/// A rule's operator.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    Contains,
    Regex,
    True,
    False,
    Null,
    NotNull,
    Empty,
    NotEmpty,
    IsType,
    Head,
    Tail,
    Index,
    HasKey,
    Jsonata,
    Else,
    /// None that Node-RED knows: an error of each message.
    Unknown,
}

impl Op {
    fn of(name: &str) -> Op {
        match name {
            "eq" => Op::Eq,
            "neq" => Op::Neq,
            "lt" => Op::Lt,
            "lte" => Op::Lte,
            "gt" => Op::Gt,
            "gte" => Op::Gte,
            "btwn" => Op::Between,
            "cont" => Op::Contains,
            "regex" => Op::Regex,
            "true" => Op::True,
            "false" => Op::False,
            "null" => Op::Null,
            "nnull" => Op::NotNull,
            "empty" => Op::Empty,
            "nempty" => Op::NotEmpty,
            "istype" => Op::IsType,
            "head" => Op::Head,
            "tail" => Op::Tail,
            "index" => Op::Index,
            "hask" => Op::HasKey,
            "jsonata_exp" => Op::Jsonata,
            "else" => Op::Else,
            _ => Op::Unknown,
        }
    }
}

impl Op {
    /// What the operator reads of `msg.parts` first, if it does.
    fn reads_of_parts(self) -> Option<&'static str> {
        match self {
            Op::Head | Op::Index => Some("index"),
            Op::Tail => Some("count"),
            _ => None,
        }
    }
}

/// The name of a value that has no properties.
fn nullish(value: &Value) -> Option<&'static str> {
    match value {
        Value::Undefined => Some("undefined"),
        Value::Null => Some("null"),
        _ => None,
    }
}

/// Where a rule's value comes from.
enum Operand {
    /// The property of the message before.
    Previous,
    Typed(TypedValue),
}

struct Rule {
    op: Op,
    value: Operand,
    second: Operand,
    ignore_case: bool,
    /// The pattern of a constant regular expression, compiled once.
    regex: Option<Result<regress::Regex, ErrorValue>>,
}

/// Messages of sequences that wait for their last one.
#[derive(Default)]
struct Pending {
    count: usize,
    incoming: HashMap<String, (Option<f64>, Vec<Msg>)>,
    outgoing: HashMap<String, Vec<Vec<Option<Msg>>>>,
    received: HashMap<String, usize>,
}

/// The behaviour.
pub struct Switch {
    property: TypedValue,
    /// `None`: the node is invalid and handles nothing (it has said so).
    rules: Option<Vec<Rule>>,
    all: bool,
    repair: bool,
    needs_count: bool,
    max_kept: usize,
    previous: Value,
    pending: Pending,
    env: NodeEnv,
}

#[node(type = "switch", category = "function", inputs = 1, outputs = rules("rules"), effect = State, types = types, text = Conditions, color = "#e2d96e", icon = "switch.svg")]
impl Node for Switch {
    type Config = SwitchConfig;

    fn new(config: SwitchConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let mut valid = true;
        let property = match TypedValue::parse(&config.property_type, &config.property) {
            Ok(property) => property,
            Err(error) if config.property_type == "jsonata" => {
                cx.error(
                    format!("Invalid JSONata expression: {}", error.message),
                    None,
                );
                valid = false;
                TypedValue::Constant(Value::Undefined)
            }
            // A property that cannot be read has no value.
            Err(_) => TypedValue::Constant(Value::Undefined),
        };
        let mut rules = Vec::new();
        for rule in &config.rules {
            match Rule::parse(rule) {
                Ok(rule) => rules.push(rule),
                Err(why) => {
                    cx.error(why, None);
                    valid = false;
                }
            }
        }
        Ok(Switch {
            property,
            // (the form stores a text; `false` itself is nothing that is set)
            all: config.checkall.as_str() != Some("false"),
            repair: config.repair,
            needs_count: config.repair || rules.iter().any(|rule| rule.op == Op::Tail),
            max_kept: most_waiting(cx),
            rules: valid.then_some(rules),
            previous: Value::Null,
            pending: Pending::default(),
            env: cx.env(),
        })
    }
}

/// Each output sends what its rule lets through; a rule that is tried later gets what those before it have left.
fn types(t: &mut dyn Typing) {
    let whole = t.message();
    if t.text("repair") == "true" {
        let any = t.ty("any");
        t.set("parts", any);
    }
    let (checkall, text) = (t.literal("checkall"), t.ty("string"));
    let stops = t.text("checkall") == "false" && t.may_be(checkall, text);
    let path = t.text("property");
    let of_message = matches!(t.text("propertyType").as_str(), "msg" | "");
    let path = path.strip_prefix("msg.").unwrap_or(&path).to_owned();
    let (all, mut left) = (t.message(), t.message());
    for at in 0..t.count("rules") {
        let name = t.text(&format!("rules.{at}.t"));
        t.set_message(if stops || name == "else" { left } else { all });
        let Some((only, except)) = of_message.then(|| rule_types(t, at, &name)).flatten() else {
            t.send(at);
            continue;
        };
        if let Some(only) = only {
            let ty = t.ty(only);
            t.only(&path, ty);
        }
        t.send(at);
        if let Some(except) = except {
            let ty = t.ty(except);
            t.set_message(left);
            t.except(&path, ty);
            left = t.message();
        }
    }
    t.set_message(whole);
}

/// What the property has where a rule matches, and what it has not where the rule does not.
type Narrowed = (Option<&'static str>, Option<&'static str>);

fn rule_types(t: &mut dyn Typing, at: usize, name: &str) -> Option<Narrowed> {
    const SOMETHING: &str = "any-null-undefined";
    Some(match Op::of(name) {
        Op::Null => (Some("null | undefined"), Some("null | undefined")),
        Op::NotNull => (Some(SOMETHING), Some(SOMETHING)),
        Op::True | Op::False => (Some("bool"), None),
        Op::Empty => (
            Some("string | array<any> | buffer | date | object{..} | handle | other"),
            None,
        ),
        Op::NotEmpty => (
            Some("string | array<any> | buffer | object{..} | handle | other"),
            None,
        ),
        Op::HasKey => (Some(SOMETHING), None),
        // (what is not there equals no number and no text)
        Op::Eq if matches!(t.text(&format!("rules.{at}.vt")).as_str(), "num" | "str") => {
            (Some(SOMETHING), None)
        }
        Op::IsType => match t.text(&format!("rules.{at}.v")).as_str() {
            "string" => (Some("string"), Some("string")),
            // (NaN is left)
            "number" => (Some("number"), None),
            "boolean" => (Some("bool"), Some("bool")),
            "array" => (Some("array<any>"), Some("array<any>")),
            "buffer" => (Some("buffer"), Some("buffer")),
            "undefined" => (Some("undefined"), Some("undefined")),
            "null" => (Some("null"), Some("null")),
            "object" => (Some("object{..} | date | handle | other"), None),
            _ => (None, None),
        },
        _ => (None, None),
    })
}

impl Rule {
    fn parse(rule: &Value) -> Result<Rule, String> {
        let name = rule.get("t").to_js_string();
        let op = Op::of(&name);
        let value = operand(&rule.get("v"), &rule.get("vt"))?;
        let second = match rule.get("v2") {
            Value::Undefined => Operand::Typed(TypedValue::Constant(Value::Undefined)),
            second => operand(&second, &rule.get("v2t"))?,
        };
        let ignore_case = rule.get("case").truthy();
        let regex = match &value {
            Operand::Typed(TypedValue::Constant(pattern)) if op == Op::Regex => {
                Some(compile(pattern, ignore_case))
            }
            _ => None,
        };
        Ok(Rule {
            op,
            value,
            second,
            ignore_case,
            regex,
        })
    }
}

/// What stands for a regular expression, as its source.
fn source_of(pattern: &Value) -> String {
    match pattern {
        Value::Undefined => "(?:)".to_owned(),
        Value::Rare(rare) => match &**rare {
            vgdc_core::value::Rare::RegExp { source, .. } => source.clone(),
            _ => pattern.to_js_string(),
        },
        other => other.to_js_string(),
    }
}

fn compile(pattern: &Value, ignore_case: bool) -> Result<regress::Regex, ErrorValue> {
    super::regex::compile(&source_of(pattern), if ignore_case { "i" } else { "" })
}

fn operand(value: &Value, ty: &Value) -> Result<Operand, String> {
    let text = if value.is_undefined() {
        String::new()
    } else {
        value.to_js_string()
    };
    let ty = match ty.as_str() {
        Some(ty) if !ty.is_empty() => ty.to_owned(),
        _ => (if value.to_number().is_nan() {
            "str"
        } else {
            "num"
        })
        .to_owned(),
    };
    match ty.as_str() {
        "prev" => Ok(Operand::Previous),
        "json" => Ok(Operand::Typed(TypedValue::Constant(Value::from("json")))),
        "null" => Ok(Operand::Typed(TypedValue::Constant(Value::from("null")))),
        "num" => Ok(Operand::Typed(TypedValue::Constant(Value::Number(
            value.to_number(),
        )))),
        "jsonata" => match TypedValue::parse("jsonata", &text) {
            Ok(typed) => Ok(Operand::Typed(typed)),
            Err(error) => Err(format!("Invalid JSONata expression: {}", error.message)),
        },
        // (what cannot be read has no value)
        ty => Ok(Operand::Typed(
            TypedValue::parse(ty, &text).unwrap_or(TypedValue::Constant(Value::Undefined)),
        )),
    }
}

/// `msg.parts`, when it has what a sequence needs.
fn parts_of(msg: &Msg) -> Option<&Object> {
    let parts = msg.get("parts")?.as_object()?;
    (parts.contains_key("id") && parts.contains_key("index")).then_some(parts)
}

fn compare(a: &Value, b: &Value, less: bool, or_equal: bool) -> bool {
    // a <= b is "not b < a", and false for what cannot be compared
    match (less, or_equal) {
        (true, false) => a.less_than(b) == Some(true),
        (false, false) => b.less_than(a) == Some(true),
        (true, true) => b.less_than(a) == Some(false),
        (false, true) => a.less_than(b) == Some(false),
    }
}

fn is_empty(value: &Value) -> Option<bool> {
    match value {
        Value::Str(text) => Some(text.is_empty()),
        Value::Array(items) => Some(items.is_empty()),
        Value::Buffer(bytes) => Some(bytes.is_empty()),
        Value::Object(object) => Some(object.is_empty()),
        Value::Handle(handle) => Some(handle.props().as_object().is_none_or(Object::is_empty)),
        Value::Date(_) | Value::Rare(_) => Some(true),
        _ => None,
    }
}

fn is_type(value: &Value, ty: &Value) -> bool {
    let plain = !matches!(value, Value::Array(_) | Value::Buffer(_) | Value::Null);
    match ty.as_str().unwrap_or_default() {
        "array" => matches!(value, Value::Array(_)),
        "buffer" => matches!(value, Value::Buffer(_)),
        "json" => json::parse(&value.to_js_string()).is_ok(),
        "null" => value.is_null(),
        "number" => value.as_f64().is_some_and(|n| !n.is_nan()),
        ty => value.type_of() == ty && plain,
    }
}

impl Switch {
    fn operand(&self, operand: &Operand, msg: &Msg, sequence: bool) -> Result<Value, NodeError> {
        let typed = match operand {
            Operand::Previous => return Ok(self.previous.clone()),
            Operand::Typed(TypedValue::Constant(value)) => return Ok(value.clone()),
            Operand::Typed(typed) => typed,
        };
        match typed {
            TypedValue::Jsonata(expr) => {
                let value = match parts_of(msg) {
                    Some(parts) if sequence => {
                        let part = |key: &str| parts.get(key).cloned().unwrap_or(Value::Undefined);
                        expr.eval_with(
                            &self.env,
                            &msg.to_value(),
                            &[("I", part("index")), ("N", part("count"))],
                        )
                    }
                    _ => expr.eval(&self.env, msg),
                };
                value.map_err(|e| {
                    NodeError::new(format!("Invalid JSONata expression: {}", e.message))
                })
            }
            other => Ok(other.eval(&self.env, msg).unwrap_or(Value::Undefined)),
        }
    }

    fn matches(
        &self,
        rule: &Rule,
        property: &Value,
        msg: &Msg,
        none_so_far: bool,
    ) -> Result<bool, NodeError> {
        let value = self.operand(&rule.value, msg, rule.op == Op::Jsonata)?;
        let second = self.operand(&rule.second, msg, false)?;
        let part = |key: &str| {
            msg.get("parts")
                .map_or(Value::Undefined, |parts| parts.get(key))
        };
        if let Some(wanted) = rule.op.reads_of_parts()
            && let Some(nothing) = msg.get("parts").map_or(Some("undefined"), nullish)
        {
            let text = format!("Cannot read properties of {nothing} (reading '{wanted}')");
            return Err(NodeError::from_value(
                ErrorValue::new("TypeError", text).into(),
            ));
        }
        Ok(match rule.op {
            Op::Eq => property.loose_eq(&value),
            Op::Neq => !property.loose_eq(&value),
            Op::Lt => compare(property, &value, true, false),
            Op::Lte => compare(property, &value, true, true),
            Op::Gt => compare(property, &value, false, false),
            Op::Gte => compare(property, &value, false, true),
            Op::Between => {
                compare(property, &value, false, true) && compare(property, &second, true, true)
                    || compare(property, &value, true, true)
                        && compare(property, &second, false, true)
            }
            Op::Contains => property.to_js_string().contains(&value.to_js_string()),
            Op::Regex => {
                let own;
                let regex = match &rule.regex {
                    Some(regex) => regex,
                    None => {
                        own = compile(&value, rule.ignore_case);
                        &own
                    }
                };
                let regex = regex
                    .as_ref()
                    .map_err(|why| NodeError::from_value(why.clone().into()))?;
                regex.find(&property.to_js_string()).is_some()
            }
            Op::True => *property == Value::Bool(true) && matches!(property, Value::Bool(_)),
            Op::False => matches!(property, Value::Bool(false)),
            Op::Null => property.is_nullish(),
            Op::NotNull => !property.is_nullish(),
            Op::Empty => is_empty(property) == Some(true),
            Op::NotEmpty => is_empty(property) == Some(false),
            Op::IsType => is_type(property, &value),
            Op::Head => part("index").to_number() < value.to_number(),
            Op::Tail => part("count").to_number() - value.to_number() <= part("index").to_number(),
            Op::Index => {
                let index = part("index").to_number();
                value.to_number() <= index && index <= second.to_number()
            }
            Op::HasKey => {
                let key = value.to_js_string();
                !property.is_nullish()
                    && !value.is_object()
                    && !value.is_null()
                    && match property {
                        Value::Object(object) => object.contains_key(&key),
                        // (a buffer inherits its length)
                        Value::Buffer(_) if key == "length" => false,
                        other => !other.get(&key).is_undefined(),
                    }
            }
            Op::Jsonata => matches!(value, Value::Bool(true)),
            Op::Else => none_so_far,
            Op::Unknown => {
                let text = "operators[rule.t] is not a function";
                return Err(NodeError::from_value(
                    ErrorValue::new("TypeError", text).into(),
                ));
            }
        })
    }

    /// For each rule that was tried, whether the message leaves by its output.
    fn route(&mut self, msg: &Msg) -> Result<Vec<bool>, NodeError> {
        let property = match &self.property {
            TypedValue::Jsonata(expr) => match expr.eval(&self.env, msg) {
                Ok(value) => value,
                Err(error) => {
                    return Err(NodeError::new(format!(
                        "Invalid JSONata expression: {}",
                        error.message
                    ))
                    .with_code("property"));
                }
            },
            typed => typed.eval(&self.env, msg).unwrap_or(Value::Undefined),
        };
        let rules = self.rules.as_deref().unwrap_or_default();
        let mut onward = Vec::with_capacity(rules.len());
        let mut none_so_far = true;
        for rule in rules {
            let matched = self.matches(rule, &property, msg, none_so_far)?;
            onward.push(matched);
            // (an "otherwise" before other rules holds for what none before it has taken)
            none_so_far = if matched {
                false
            } else {
                none_so_far || rule.op == Op::Else
            };
            if matched && !self.all {
                break;
            }
        }
        self.previous = property;
        Ok(onward)
    }

    fn process(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let onward = match self.route(&msg) {
            Ok(onward) => onward,
            Err(error) if error.code.as_deref() == Some("property") => {
                return cx.warn(error.text());
            }
            Err(error) => return cx.error(error, Some(&msg)),
        };
        if self.repair && parts_of(&msg).is_some() {
            return self.send_in_sequence(cx, onward, msg);
        }
        let mut outputs: Vec<usize> = onward
            .iter()
            .enumerate()
            .filter(|(_, matched)| **matched)
            .map(|(output, _)| output)
            .collect();
        let Some(last) = outputs.pop() else { return };
        for output in outputs {
            cx.send(output, msg.clone());
        }
        cx.send(last, msg);
    }

    fn too_many(&mut self, cx: &mut Cx<'_>, msg: &Msg) {
        if self.pending.count > self.max_kept {
            self.pending = Pending::default();
            cx.error("too many pending messages in switch node", Some(msg));
        }
    }

    /// A message of a sequence whose length must be known: it waits until all are there.
    fn hold(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let Some(parts) = parts_of(&msg) else { return };
        let id = parts.get("id").map(Value::to_js_string).unwrap_or_default();
        let count = parts.get("count").map(Value::to_number);
        let (known, msgs) = self.pending.incoming.entry(id.clone()).or_default();
        msgs.push(msg.clone());
        if count.is_some() {
            *known = count;
        }
        let complete = *known == Some(msgs.len() as f64);
        self.pending.count += 1;
        self.too_many(cx, &msg);
        if !complete {
            return;
        }
        let Some((count, msgs)) = self.pending.incoming.remove(&id) else {
            return;
        };
        self.pending.count = self.pending.count.saturating_sub(msgs.len());
        for mut msg in msgs {
            if let (Some(count), Some(Value::Object(parts))) = (count, msg.get_mut("parts")) {
                parts.insert("count", count);
            }
            self.process(cx, msg);
        }
    }

    fn send_in_sequence(&mut self, cx: &mut Cx<'_>, onward: Vec<bool>, msg: Msg) {
        let parts = parts_of(&msg).cloned().unwrap_or_default();
        let id = parts.get("id").map(Value::to_js_string).unwrap_or_default();
        let width = onward.len();
        let row = onward
            .into_iter()
            .map(|matched| matched.then(|| msg.clone()))
            .collect();
        let received = self.pending.received.entry(id.clone()).or_default();
        *received += 1;
        let complete = parts.get("count").map(Value::to_number) == Some(*received as f64);
        self.pending
            .outgoing
            .entry(id.clone())
            .or_default()
            .push(row);
        self.pending.count += 1;
        if complete && let Some(rows) = self.pending.outgoing.remove(&id) {
            self.pending.received.remove(&id);
            self.pending.count = self.pending.count.saturating_sub(width);
            send_group(cx, rows);
        }
        self.too_many(cx, &msg);
    }
}

/// Numbers a sequence anew on each output.
fn send_group(cx: &mut Cx<'_>, rows: Vec<Vec<Option<Msg>>>) {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let counts: Vec<usize> = (0..width)
        .map(|at| {
            rows.iter()
                .filter(|row| matches!(row.get(at), Some(Some(_))))
                .count()
        })
        .collect();
    let ids: Vec<String> = (0..width).map(|_| generate_id()).collect();
    let mut indexes = vec![0usize; width];
    for row in rows {
        let outputs = row.into_iter().enumerate().map(|(at, msg)| {
            let numbered = msg.map(|mut msg| {
                if let Some(Value::Object(parts)) = msg.get_mut("parts") {
                    parts.insert("id", ids[at].as_str());
                    parts.insert("index", indexes[at]);
                    parts.insert("count", counts[at]);
                }
                indexes[at] += 1;
                msg
            });
            numbered.into_iter().collect()
        });
        let outputs = outputs.collect();
        cx.send_all(outputs);
    }
}

impl Process for Switch {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if self.rules.is_none() {
            return;
        }
        // (Node-RED's switch never tells that it has finished with a message, so complete nodes hear nothing of it)
        if self.needs_count && parts_of(&msg).is_some() {
            self.hold(cx, msg);
        } else {
            self.process(cx, msg);
        }
    }
}
/// The node's code: a question for each rule, and a way out for each.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower(config: SwitchConfig) -> Result<vgdc_mir::NodeCode, String> {
    lower_by_use(config, &[])
}

/// The same, where it is known how many messages left by each output: of rules of which only one can match, that which
/// matches most often is tried first.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower_by_use(config: SwitchConfig, sent: &[u64]) -> Result<vgdc_mir::NodeCode, String> {
    use super::lower::Code;
    use vgdc_mir::{Helper, Inst, MSG, NodeCode, Slot, Terminator};
    if config.repair {
        return Err("recreating message sequences".to_owned());
    }
    let property = TypedValue::parse(&config.property_type, &config.property)
        .map_err(|error| error.message.to_string())?;
    let mut code = Code::default();
    let (value, _) = code.value(&property)?;
    let mut matched = Vec::new();
    let rules = config.rules.iter().map(Rule::parse);
    let rules: Vec<Rule> = rules.collect::<Result<_, _>>()?;
    let first_only = config.checkall.as_str() == Some("false");
    let order = match first_only {
        true => order_of(&rules, sent),
        _ => (0..rules.len()).collect(),
    };
    for port in order {
        let flag = lower_rule(&mut code, &rules[port], value, &matched)?;
        if first_only {
            let [out, more] = std::array::from_fn(|_| code.b.block());
            code.b.branch(flag, out, more);
            code.b.switch_to(out);
            code.b.end(Terminator::Send(port as u32));
            code.b.switch_to(more);
        }
        matched.push((rules[port].op == Op::Else, flag));
    }
    let nothing = |code: &mut Code| {
        let dst = code.b.slot();
        code.b.push(Inst::Undefined { dst });
        code.b.end(Terminator::Return(dst));
    };
    if !first_only {
        // Most often one rule matches. Where several do, each gets its own copy, by value.
        let [once, seldom, several, none] = std::array::from_fn(|_| code.b.block());
        let mut count = code.b.constant(0.0);
        let one = code.b.constant(1.0);
        for (_, flag) in &matched {
            let (more, sum) = (code.b.num(), code.b.num());
            code.b.push(Inst::FlagNum {
                dst: more,
                src: *flag,
            });
            code.b.push(Inst::Arith {
                op: vgdc_mir::Arith::Add,
                dst: sum,
                a: count,
                b: more,
            });
            count = sum;
        }
        let is = |code: &mut Code, op, b| {
            let dst = code.b.flag();
            code.b.push(Inst::Compare {
                op,
                dst,
                a: count,
                b,
            });
            dst
        };
        let single = is(&mut code, vgdc_mir::Compare::Eq, one);
        code.b.branch(single, once, seldom);
        code.b.switch_to(seldom);
        let many = is(&mut code, vgdc_mir::Compare::Gt, one);
        code.b.branch(many, several, none);
        code.b.switch_to(several);
        let (list, entry): (Slot, Slot) = (code.b.slot(), code.b.slot());
        code.b
            .call(Helper::Array, [list.into(), (matched.len() as u32).into()]);
        for (_, flag) in &matched {
            let [yes, no, add] = std::array::from_fn(|_| code.b.block());
            code.b.branch(*flag, yes, no);
            code.b.switch_to(yes);
            code.b.push(Inst::Copy {
                dst: entry,
                src: MSG.into(),
            });
            code.b.jump(add);
            code.b.switch_to(no);
            code.b.push(Inst::Null { dst: entry });
            code.b.jump(add);
            code.b.switch_to(add);
            code.b.call(Helper::Push, [list.into(), entry.into()]);
        }
        code.b.end(Terminator::Return(list));
        code.b.switch_to(once);
        for (port, (_, flag)) in matched.iter().enumerate() {
            let [out, more] = std::array::from_fn(|_| code.b.block());
            code.b.branch(*flag, out, more);
            code.b.switch_to(out);
            code.b.end(Terminator::Send(port as u32));
            code.b.switch_to(more);
        }
        code.b.jump(none);
        code.b.switch_to(none);
    }
    nothing(&mut code);
    Ok(NodeCode::Body(code.b.finish().into()))
}

/// The order in which rules are tried, the first that matches taking the message. Rules next to each other that ask for
/// different constants may change places when no value can equal two of them: it makes no difference then which is asked
/// first.
#[cfg(feature = "lower")]
fn order_of(rules: &[Rule], sent: &[u64]) -> Vec<usize> {
    let often = |rule: &usize| std::cmp::Reverse(sent.get(*rule).copied().unwrap_or_default());
    let mut order: Vec<usize> = (0..rules.len()).collect();
    let mut from = 0;
    while from < rules.len() {
        let mut to = from + 1;
        while to < rules.len() && (from..to).all(|before| exclude(&rules[before], &rules[to])) {
            to += 1;
        }
        // (those that are taken equally often stay as they are)
        order[from..to].sort_by_key(often);
        from = to;
    }
    order
}

/// Whether no value matches both rules. With `==`, a text and a number are compared as numbers: texts that are none
/// (other than "", which is 0) are equal to themselves alone.
#[cfg(feature = "lower")]
fn exclude(one: &Rule, other: &Rule) -> bool {
    let asked = |rule: &Rule| match (&rule.op, &rule.value) {
        (Op::Eq, Operand::Typed(TypedValue::Constant(value))) => Some(value.clone()),
        _ => None,
    };
    match (asked(one), asked(other)) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a != b && !a.is_nan() && !b.is_nan(),
        (Some(Value::Str(a)), Some(Value::Str(b))) => {
            let word = |text: &str| Value::from(text).to_number().is_nan();
            a != b && word(&a) && word(&b)
        }
        _ => false,
    }
}

/// Whether a rule matches. `before`: the rules before it, whether they are "otherwise", and their answers.
#[cfg(feature = "lower")]
fn lower_rule(
    code: &mut super::lower::Code,
    rule: &Rule,
    property: vgdc_mir::Slot,
    before: &[(bool, vgdc_mir::Flag)],
) -> Result<vgdc_mir::Flag, String> {
    use vgdc_mir::{Helper, Inst, Slot};
    let operand = |code: &mut super::lower::Code, operand: &Operand| match operand {
        Operand::Previous => Err("the value before".to_owned()),
        Operand::Typed(typed) => code.value(typed).map(|(slot, _)| slot),
    };
    let less = |code: &mut super::lower::Code, with: Slot, mode: u32| {
        let args = vec![property.into(), with.into(), mode.into()];
        code.ask(Helper::Less, args)
    };
    let (below, above, at_most, at_least) = (0, 1, 2, 3);
    let mut one = |mode| {
        let with = operand(code, &rule.value)?;
        Ok(less(code, with, mode))
    };
    match rule.op {
        Op::Lt => one(below),
        Op::Gt => one(above),
        Op::Lte => one(at_most),
        Op::Gte => one(at_least),
        Op::Eq | Op::Neq => {
            let with = operand(code, &rule.value)?;
            let same = code.ask(Helper::LooseEqual, vec![property.into(), with.into()]);
            Ok(match rule.op {
                Op::Eq => same,
                _ => code.not(same),
            })
        }
        Op::Between => {
            let (a, b) = (operand(code, &rule.value)?, operand(code, &rule.second)?);
            let [from_a, to_b] = [less(code, a, at_least), less(code, b, at_most)];
            let [to_a, from_b] = [less(code, a, at_most), less(code, b, at_least)];
            let (up, down) = (code.both(from_a, to_b), code.both(to_a, from_b));
            Ok(code.either(up, down))
        }
        Op::True | Op::False => {
            let with = code.b.slot();
            code.constant(with, &Value::Bool(rule.op == Op::True))?;
            Ok(code.ask(Helper::StrictEqual, vec![property.into(), with.into()]))
        }
        Op::Null | Op::NotNull => {
            let dst = code.b.flag();
            code.b.push(Inst::Nullish {
                dst,
                src: property.into(),
            });
            Ok(match rule.op {
                Op::Null => dst,
                _ => code.not(dst),
            })
        }
        // Holds for what no rule before it has taken; one that holds takes nothing from those after it.
        Op::Else => {
            let mut free = code.flag(true);
            for (is_else, flag) in before {
                let taken = *flag;
                let left = code.not(taken);
                // (see `route`: after an "otherwise" that did not match, nothing has been taken again)
                free = match is_else {
                    false => code.both(free, left),
                    true => left,
                };
            }
            Ok(free)
        }
        Op::Contains => {
            let with = operand(code, &rule.value)?;
            let [text, part, found] = std::array::from_fn(|_| code.b.slot());
            for (dst, src) in [(text, property), (part, with)] {
                code.b.call(Helper::ToText, [dst.into(), src.into()]);
            }
            code.method(found, text, vgdc_mir::Method::Includes, &[part]);
            Ok(code.is_truthy(found))
        }
        Op::Jsonata => {
            let value = operand(code, &rule.value)?;
            let with = code.b.slot();
            code.constant(with, &Value::Bool(true))?;
            // (an object is not the same as `true`, which the helper knows)
            Ok(code.ask(Helper::StrictEqual, vec![value.into(), with.into()]))
        }
        Op::Regex => lower_regex(code, rule, property),
        Op::IsType => match &rule.value {
            Operand::Typed(TypedValue::Constant(Value::Str(name))) => {
                lower_is_type(code, property, name)
            }
            _ => Err("a type that is computed".to_owned()),
        },
        Op::Empty | Op::NotEmpty => lower_is_empty(code, property, rule.op == Op::Empty),
        op => Err(format!("the rule `{op:?}`")),
    }
}

#[cfg(feature = "lower")]
fn lower_regex(
    code: &mut super::lower::Code,
    rule: &Rule,
    property: vgdc_mir::Slot,
) -> Result<vgdc_mir::Flag, String> {
    use vgdc_mir::{Builtin, Helper, Method};
    let Operand::Typed(TypedValue::Constant(pattern)) = &rule.value else {
        return Err("a regular expression that is computed".to_owned());
    };
    let source = source_of(pattern);
    let parts = code.b.row(2);
    code.text(parts[0], &source);
    code.text(parts[1], if rule.ignore_case { "i" } else { "" });
    let [regex, text, found] = std::array::from_fn(|_| code.b.slot());
    code.builtin(regex, Builtin::RegExp, &parts);
    code.b.call(Helper::ToText, [text.into(), property.into()]);
    code.method(found, regex, Method::Test, &[text]);
    Ok(code.is_truthy(found))
}

/// What [`is_type`] says.
#[cfg(feature = "lower")]
fn lower_is_type(
    code: &mut super::lower::Code,
    property: vgdc_mir::Slot,
    name: &str,
) -> Result<vgdc_mir::Flag, String> {
    use vgdc_mir::{Builtin, Helper, Inst};
    let is = |code: &mut super::lower::Code, which| {
        let dst = code.b.slot();
        code.builtin(dst, which, &[property]);
        code.is_truthy(dst)
    };
    Ok(match name {
        "array" => is(code, Builtin::IsArray),
        "buffer" => is(code, Builtin::IsBuffer),
        "null" => {
            let null = code.b.slot();
            code.b.push(Inst::Null { dst: null });
            code.ask(Helper::StrictEqual, vec![property.into(), null.into()])
        }
        "string" | "boolean" | "undefined" => code.is_type(property, name),
        "number" => {
            // (NaN is not)
            let dst = code.is_type(property, name);
            let [number, end] = std::array::from_fn(|_| code.b.block());
            code.b.branch(dst, number, end);
            code.b.switch_to(number);
            let src = code.ask(Helper::StrictEqual, vec![property.into(), property.into()]);
            code.b.push(Inst::MoveFlag { dst, src });
            code.b.jump(end);
            code.b.switch_to(end);
            dst
        }
        "object" => {
            let mut found = code.is_type(property, name);
            let nothing = code.b.flag();
            code.b.push(Inst::Nullish {
                dst: nothing,
                src: property.into(),
            });
            let others = [
                nothing,
                is(code, Builtin::IsArray),
                is(code, Builtin::IsBuffer),
            ];
            for other in others {
                let left = code.not(other);
                found = code.both(found, left);
            }
            found
        }
        other => return Err(format!("the type `{other}`")),
    })
}

/// Whether [`is_empty`] says this.
#[cfg(feature = "lower")]
fn lower_is_empty(
    code: &mut super::lower::Code,
    property: vgdc_mir::Slot,
    wanted: bool,
) -> Result<vgdc_mir::Flag, String> {
    use vgdc_mir::{Builtin, Compare, Helper, Inst};
    let dst = code.b.flag();
    let [text, other, list, object, nothing, end] = std::array::from_fn(|_| code.b.block());
    let count = |code: &mut super::lower::Code, of| {
        let (rounds, zero) = (code.b.num(), code.b.constant(0.0));
        code.b.push(Inst::Calc {
            helper: Helper::Rounds,
            dst: rounds,
            args: vec![vgdc_mir::Arg::Slot(of)],
        });
        code.compare(Compare::Eq, rounds, zero)
    };
    let answer = |code: &mut super::lower::Code, is_empty| {
        let src = match wanted {
            true => is_empty,
            false => code.not(is_empty),
        };
        code.b.push(Inst::MoveFlag { dst, src });
        code.b.jump(end);
    };
    let is_text = code.is_type(property, "string");
    code.b.branch(is_text, text, other);
    code.b.switch_to(text);
    let has_some = code.is_truthy(property);
    let is_empty = code.not(has_some);
    answer(code, is_empty);
    code.b.switch_to(other);
    let is_list = code.b.slot();
    code.builtin(is_list, Builtin::IsArray, &[property]);
    let is_list = code.is_truthy(is_list);
    let more = code.b.block();
    code.b.branch(is_list, list, more);
    code.b.switch_to(list);
    let is_empty = count(code, property);
    answer(code, is_empty);
    code.b.switch_to(more);
    let is_object = code.is_type(property, "object");
    let nullish = code.b.flag();
    code.b.push(Inst::Nullish {
        dst: nullish,
        src: property.into(),
    });
    let is_there = code.not(nullish);
    let is_object = code.both(is_object, is_there);
    code.b.branch(is_object, object, nothing);
    code.b.switch_to(object);
    // (what is no plain object bails out here)
    let keys = code.b.slot();
    code.builtin(keys, Builtin::ObjectKeys, &[property]);
    let is_empty = count(code, keys);
    answer(code, is_empty);
    code.b.switch_to(nothing);
    let number = code.is_type(property, "number");
    let truth = code.is_type(property, "boolean");
    let plain = code.either(number, truth);
    let plain = code.either(plain, nullish);
    // (a bigint or a symbol)
    let odd = code.not(plain);
    code.when(odd, vgdc_mir::Terminator::Bail);
    code.b.push(Inst::Flag { dst, value: false });
    code.b.jump(end);
    code.b.switch_to(end);
    Ok(dst)
}

#[cfg(all(test, feature = "lower"))]
mod tests {
    use super::*;

    fn rules(rules: serde_json::Value) -> Vec<Rule> {
        let rules = rules.as_array().cloned().unwrap_or_default();
        let rules = rules
            .iter()
            .map(|rule| Rule::parse(&Value::from_json(rule)));
        rules.collect::<Result<_, _>>().expect("rules")
    }

    fn eq(v: &str, vt: &str) -> serde_json::Value {
        serde_json::json!({"t": "eq", "v": v, "vt": vt})
    }

    #[test]
    fn rules_change_places_only_where_no_value_matches_two_of_them() {
        let order =
            |list: Vec<serde_json::Value>, sent: &[u64]| order_of(&rules(list.into()), sent);
        let words = vec![eq("a", "str"), eq("b", "str"), eq("c", "str")];
        assert_eq!(order(words.clone(), &[1, 5, 9]), [2, 1, 0]);
        assert_eq!(order(words.clone(), &[]), [0, 1, 2], "nothing is known");
        assert_eq!(
            order(words, &[4, 4]),
            [0, 1, 2],
            "as before where it makes no difference"
        );
        let numbers = vec![eq("1", "num"), eq("2", "num")];
        assert_eq!(order(numbers, &[0, 1]), [1, 0]);
        // ("1" and "1.0" both equal the number 1, "" and "0" the number 0, and `1 == "1"`)
        for (one, other) in [
            (("1", "str"), ("1.0", "str")),
            (("", "str"), ("a", "str")),
            (("1", "num"), ("1", "str")),
            (("7", "num"), ("7", "num")),
        ] {
            let list = vec![eq(one.0, one.1), eq(other.0, other.1)];
            assert_eq!(order(list, &[0, 9]), [0, 1], "{one:?} {other:?}");
        }
        // (what is between two runs keeps them apart)
        let mut mixed = vec![
            eq("a", "str"),
            eq("b", "str"),
            serde_json::json!({"t": "else"}),
        ];
        mixed.extend([eq("c", "str"), eq("d", "str")]);
        assert_eq!(order(mixed, &[1, 2, 3, 4, 5]), [1, 0, 2, 4, 3]);
    }
}
