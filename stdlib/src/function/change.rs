//! **change** — sets, changes, deletes or moves properties of a message, of flow context or of global context.
//!
//! The rules are applied in their order. *Set* takes a typed value; *change* searches and replaces in texts (and replaces
//! numbers and booleans that are equal); *delete* removes; *move* renames.
//!
//! A rule has `t` (`set`, `change`, `delete`, `move`), the property `p` (`pt`: `msg`, `flow`, `global`), the value `to`
//! (`tot`: `str`, `num`, `bool`, `json`, `bin`, `date`, `jsonata`, `env`, `msg`, `flow`, `global`), and for *change*
//! what is searched for, `from` (`fromt`; `re` for a regular expression). A text that is searched for is replaced
//! wherever it is in a text; a text that is all of it takes the new value with its type. `action`, `property`, `from`,
//! `to` and `reg` are those of flows with one rule.
//!
//! A rule that cannot be read (`Invalid JSONata expression`, `Invalid 'to' JSON property`) is told at the start, and the
//! node handles no message. A value whose way is not there is passed over. A JSONata expression that fails is an error
//! to catch.

use vgdc_core::shared::NodeEnv;
use vgdc_core::spec::FieldSpec;
use vgdc_core::spec::Typing;
use vgdc_core::value::{ErrorValue, Msg, Rare, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_expr::{Env, ExprError, Target, TypedValue};
use vgdc_macros_node::{Config, fields, node};

/// A rule, in forms.
const RULE: &[FieldSpec] = fields![
    (
        name = "t",
        default = "set",
        label = "Rule",
        choices = [
            ("set", "Set"),
            ("change", "Change"),
            ("delete", "Delete"),
            ("move", "Move")
        ]
    ),
    (
        name = "p",
        default = "payload",
        kind = Typed("pt"),
        label = "Property",
        required = true,
        types = ["msg", "flow", "global"]
    ),
    (
        name = "from",
        kind = Typed("fromt"),
        label = "Search for",
        when = [is("t", "change")],
        types = ["str", "re", "num", "bool", "env", "msg", "flow", "global"]
    ),
    (
        name = "to",
        kind = Typed("tot"),
        label = "to the value",
        when = [is("t", "set")],
        types = [
            "str", "num", "bool", "json", "bin", "date", "jsonata", "env", "msg", "flow", "global"
        ]
    ),
    (
        name = "to",
        kind = Typed("tot"),
        label = "Replace with",
        when = [is("t", "change")],
        types = [
            "str", "num", "bool", "json", "bin", "env", "msg", "flow", "global"
        ]
    ),
    (
        name = "to",
        kind = Typed("tot"),
        label = "to",
        required = true,
        when = [is("t", "move")],
        types = ["msg", "flow", "global"]
    ),
    (
        name = "dc",
        default = false,
        kind = Bool,
        label = "Deep copy",
        when = [is("t", "set"), is("tot", "msg", "flow", "global", "env")]
    ),
    (name = "pt", default = "msg", hidden = true),
    (name = "tot", default = "str", hidden = true),
];

/// The form's properties.
#[derive(Config)]
pub struct ChangeConfig {
    #[field(begin_json = "[{\"t\":\"set\",\"p\":\"payload\",\"pt\":\"msg\",\"to\":\"\",\"tot\":\"str\"}]", label = "Rules", items = RULE)]
    rules: Option<Value>,
    // The form of a single rule, before there were several.
    #[field(default = "", hidden = true)]
    action: String,
    #[field(default = "", hidden = true)]
    property: String,
    #[field(default = "", hidden = true)]
    from: String,
    #[field(default = "", hidden = true)]
    to: String,
    #[field(json = "null", begin = false, hidden = true)]
    reg: Value,
}

/// What a rule does.
///
/// A place or a source that cannot be read is none: as in Node-RED, what would use it is passed over in silence.
enum Rule {
    Set {
        to: Option<Target>,
        shown: String,
        value: Option<TypedValue>,
    },
    Delete(Option<Target>),
    Change {
        at: Option<Target>,
        from: Option<From>,
        value: Option<TypedValue>,
        is_bool: bool,
    },
    /// Set and delete, in the order in which Node-RED does them.
    Move(Vec<Rule>),
}

/// What is searched for.
enum From {
    Fixed(Search),
    Read(TypedValue),
}

struct Search {
    kind: Kind,
    text: Value,
    regex: Option<regress::Regex>,
    /// All occurrences, not only the first.
    all: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Num,
    Bool,
    Str,
    Regex,
    /// Nothing that can be searched for; only the text `undefined` is taken for it.
    Nothing,
}

/// The behaviour.
pub struct Change {
    /// `None`: the node is invalid and handles nothing (it has said so).
    rules: Option<Vec<Rule>>,
    env: NodeEnv,
}

/// Why a rule ends the handling of a message.
enum Stop {
    /// An error, told; the message goes no further.
    Error(NodeError),
    /// The message goes no further, and nothing is told.
    Silent,
}

#[node(type = "change", category = "function", inputs = 1, outputs = 1, effect = State, types = types, text = Assignments, color = "#e2d96e", icon = "swap.svg")]
impl Node for Change {
    type Config = ChangeConfig;

    fn new(config: ChangeConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let env = cx.env();
        let mut valid = true;
        let mut rules = Vec::new();
        for rule in rules_of(&config) {
            match Rule::parse(&rule, &env) {
                Ok(rule) => rules.push(rule),
                Err(all) => {
                    valid = false;
                    all.into_iter().for_each(|why| cx.error(why, None));
                }
            }
        }
        Ok(Change {
            rules: valid.then_some(rules),
            env,
        })
    }
}

/// The rules, in their order.
fn types(t: &mut dyn Typing) {
    let (rules, list) = (t.literal("rules"), t.ty("array<any>"));
    if !t.may_be(rules, list) {
        // (rules of flows from before there were several)
        let anything = t.ty("object{..}");
        t.set_message(anything);
    }
    for at in 0..t.count("rules") {
        rule_types(t, &format!("rules.{at}"));
    }
    t.send(0);
}

fn rule_types(t: &mut dyn Typing, rule: &str) {
    let mut text = |key: &str| t.text(&format!("{rule}.{key}"));
    let (action, path, mut place) = (text("t"), text("p"), text("pt"));
    let (mut to, mut kind) = (text("to"), text("tot"));
    if place.is_empty() {
        place = "msg".to_owned();
    }
    let on_message = place == "msg";
    match action.as_str() {
        "delete" if on_message => {
            let none = t.ty("undefined");
            t.set(&path, none);
        }
        "delete" => {}
        "move" => {
            if kind.is_empty() {
                kind = "msg".to_owned();
            }
            let mut taken = t.typed(&place, &path);
            let none = t.ty("undefined");
            let delete_first = kind == place && !(path.contains(&to) && path != to);
            if on_message && delete_first {
                t.set(&path, none);
            }
            if kind == "msg" {
                // (where the way to a value is not there, what the new place had stays)
                if !delete_first {
                    let before = t.get(&to);
                    taken = t.either(taken, before);
                }
                t.set(&to, taken);
            }
            if on_message && !delete_first {
                t.set(&path, none);
            }
        }
        _ => {
            if action == "set" && kind.is_empty() && to.starts_with("msg.") {
                to.drain(..4);
                kind = "msg".to_owned();
            }
            let value = match kind.as_str() {
                "" | "str" => {
                    let (value, null) = (t.literal(&format!("{rule}.to")), t.ty("null"));
                    let none = t.ty("undefined");
                    if t.may_be(value, null) { none } else { value }
                }
                kind => t.typed(kind, &to),
            };
            if kind == "msg" && action == "set" {
                t.reads(&format!("{rule}.to"), &to);
            }
            if !on_message {
                return;
            }
            // Where the way to a value is not there, nothing is done; nor where nothing is found to change.
            let (before, current) = (t.message(), t.get(&path));
            let is_sure = action != "change" && !(kind == "msg" && to.contains(['.', '[']));
            let mut made = value;
            if action == "change" {
                made = t.either(made, current);
                let string = t.ty("string");
                if t.may_be(current, string) {
                    made = t.either(made, string);
                }
                let (changed, number) = (t.ty("string | bool"), t.ty("number"));
                if !t.may_be(current, changed) && !t.may_be(current, number) {
                    made = current;
                }
            }
            t.set(&path, made);
            if !is_sure {
                let after = t.message();
                let either = t.either(before, after);
                t.set_message(either);
            }
        }
    }
}

fn rules_of(config: &ChangeConfig) -> Vec<Value> {
    if let Some(Value::Array(rules)) = &config.rules {
        return rules.to_vec();
    }
    let action = if config.action == "replace" {
        "set"
    } else {
        &config.action
    };
    let mut rule = vgdc_core::value::Object::new();
    rule.insert("t", action);
    rule.insert("p", config.property.as_str());
    match action {
        "set" | "move" => drop(rule.insert("to", config.to.as_str())),
        "change" => {
            rule.insert("from", config.from.as_str());
            rule.insert("to", config.to.as_str());
            rule.insert("re", config.reg.is_nullish() || config.reg.truthy());
        }
        _ => {}
    }
    vec![Value::Object(rule)]
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with the value that is searched for, and with the new one.
    fn parse(rule: &Value, env: &dyn Env) -> Result<Rule, Vec<String>> {
        let text = |key: &str| match rule.get(key) {
            Value::Undefined | Value::Null => String::new(),
            other => other.to_js_string(),
        };
        let or = |text: String, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text
            }
        };
        let (action, property, property_type) = (text("t"), text("p"), or(text("pt"), "msg"));
        let target = |ty: &str, text: &str| Target::parse(ty, text).ok();
        match action.as_str() {
            "delete" => Ok(Rule::Delete(target(&property_type, &property))),
            "move" => {
                let (to, to_type) = (text("to"), or(text("tot"), "msg"));
                let read = |ty: &str, text: &str| TypedValue::parse(ty, text).ok();
                let set = |at, shown: &str, value| Rule::Set {
                    to: at,
                    shown: shown.to_owned(),
                    value,
                };
                // Where one name is part of the other, the old one is deleted before the new one is set.
                if to_type != property_type || property.contains(&to) && property != to {
                    let first = set(target(&to_type, &to), &to, read(&property_type, &property));
                    return Ok(Rule::Move(vec![
                        first,
                        Rule::Delete(target(&property_type, &property)),
                    ]));
                }
                let taken = read(&property_type, &property);
                Ok(Rule::Move(vec![
                    Rule::Delete(target(&property_type, &property)),
                    set(target(&to_type, &to), &to, taken),
                ]))
            }
            "set" | "change" => {
                let (mut to, mut to_type) = (text("to"), text("tot"));
                if action == "set" && to_type.is_empty() && to.starts_with("msg.") {
                    to.drain(..4);
                    to_type = "msg".to_owned();
                }
                let to_type = or(to_type, "str");
                let value = to_value(rule, &to, &to_type, env);
                let is_bool = to_type == "bool";
                if action != "change" {
                    return Ok(Rule::Set {
                        to: target(&property_type, &property),
                        shown: property,
                        value: value.map_err(|why| vec![why])?,
                    });
                }
                let from_type = if rule.get("re").truthy() {
                    "re".to_owned()
                } else {
                    or(text("fromt"), "str")
                };
                let from = match from_type.as_str() {
                    "msg" | "flow" | "global" => Ok(TypedValue::parse(&from_type, &text("from"))
                        .ok()
                        .map(From::Read)),
                    ty => Search::new(ty, &text("from")).map(|search| Some(From::Fixed(search))),
                };
                let (from, value) = match (from, value) {
                    (Ok(from), Ok(value)) => (from, value),
                    (from, value) => {
                        return Err([from.err(), value.err()].into_iter().flatten().collect());
                    }
                };
                Ok(Rule::Change {
                    at: target(&property_type, &property),
                    from,
                    value,
                    is_bool,
                })
            }
            // (a rule that is none does nothing)
            _ => Ok(Rule::Move(Vec::new())),
        }
    }
}

fn to_value(rule: &Value, to: &str, ty: &str, env: &dyn Env) -> Result<Option<TypedValue>, String> {
    let constant = |value| Ok(Some(TypedValue::Constant(value)));
    match ty {
        "json" | "bin" => TypedValue::parse(ty, to)
            .map(Some)
            .map_err(|_| "Invalid 'to' JSON property".to_owned()),
        "jsonata" => TypedValue::parse(ty, to)
            .map(Some)
            .map_err(|e| format!("Invalid JSONata expression: {}", e.message)),
        "num" => constant(Value::Number(rule.get("to").to_number())),
        "env" => constant(vgdc_expr::env_property(to, env)),
        "bool" | "msg" | "flow" | "global" | "date" => Ok(TypedValue::parse(ty, to).ok()),
        // (also of types that the form does not offer)
        _ => constant(match rule.get("to") {
            Value::Undefined | Value::Null => Value::Undefined,
            given => given,
        }),
    }
}

impl Search {
    fn new(ty: &str, from: &str) -> Result<Search, String> {
        let kind = match ty {
            "num" => Kind::Num,
            "bool" => Kind::Bool,
            "re" => Kind::Regex,
            _ => Kind::Str,
        };
        let regex = match kind {
            Kind::Regex => Some(regex(from)?),
            _ => None,
        };
        Ok(Search {
            kind,
            text: Value::from(from),
            regex,
            all: true,
        })
    }

    /// What a value that was read stands for.
    fn of(value: Value) -> Result<Search, String> {
        let (kind, regex, all) = match &value {
            Value::Number(_) => (Kind::Num, None, false),
            Value::Bool(_) => (Kind::Bool, None, false),
            Value::Str(_) => (Kind::Str, None, true),
            Value::Rare(rare) => match &**rare {
                Rare::RegExp { source, flags } => {
                    let all = flags.contains('g');
                    (Kind::Regex, super::regex::compile(source, flags).ok(), all)
                }
                _ => return Err(unsupported(&value)),
            },
            _ => return Err(unsupported(&value)),
        };
        Ok(Search {
            kind,
            text: value,
            regex,
            all,
        })
    }

    /// The value in place of `current`; `None` leaves it.
    fn replace(&self, current: &Value, value: &Value, is_bool: bool) -> Option<Value> {
        match current {
            Value::Str(_) if self.kind != Kind::Regex && current.strict_eq(&self.text) => {
                Some(value.clone())
            }
            Value::Str(text) => {
                let with = value.to_js_string();
                let replaced = match (&self.regex, &self.text) {
                    (Some(regex), _) => replace(regex, text, &with, self.all),
                    (None, Value::Str(from)) => replace_text(text, from, &with),
                    // (String.prototype.replace(undefined, …) looks for this text)
                    (None, _) => replace_first(text, "undefined", &with),
                };
                Some(if is_bool && replaced == with {
                    value.clone()
                } else {
                    Value::from(replaced)
                })
            }
            Value::Number(n) if self.kind == Kind::Num && *n == self.text.to_number() => {
                Some(value.clone())
            }
            Value::Bool(b)
                if self.kind == Kind::Bool && self.text.strict_eq(&Value::from(b.to_string())) =>
            {
                Some(value.clone())
            }
            _ => None,
        }
    }
}

fn unsupported(value: &Value) -> String {
    format!(
        "Invalid 'from' property: unsupported type: {}",
        value.type_of()
    )
}

fn regex(source: &str) -> Result<regress::Regex, String> {
    super::regex::compile(source, "g")
        .map_err(|error| format!("Invalid 'from' property: {}", error.message))
}

/// `text.replace(regex, with)`, with `$1`, `$&` … in `with` for what JavaScript has.
fn replace(regex: &regress::Regex, text: &str, with: &str, all: bool) -> String {
    let mut out = String::new();
    let mut last = 0;
    for found in regex.find_iter(text).take(if all { usize::MAX } else { 1 }) {
        out.push_str(&text[last..found.start()]);
        expand(&mut out, with, text, &found);
        last = found.end();
    }
    out.push_str(&text[last..]);
    out
}

fn expand(out: &mut String, with: &str, text: &str, found: &regress::Match) {
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        // Two digits name a group if there are so many, else one does.
        let group = (1..=digits).rev().find_map(|count| {
            let number: usize = rest[..count].parse().ok()?;
            (number > 0 && number <= found.captures.len()).then_some((number, count))
        });
        match (rest.chars().next(), group) {
            (_, Some((number, count))) => {
                if let Some(range) = found.group(number) {
                    out.push_str(&text[range]);
                }
                rest = &rest[count..];
            }
            (Some('$'), _) => {
                out.push('$');
                rest = &rest[1..];
            }
            (Some('&'), _) => {
                out.push_str(&text[found.range()]);
                rest = &rest[1..];
            }
            (Some('`'), _) => {
                out.push_str(&text[..found.start()]);
                rest = &rest[1..];
            }
            (Some('\''), _) => {
                out.push_str(&text[found.end()..]);
                rest = &rest[1..];
            }
            _ => out.push('$'),
        }
    }
    out.push_str(rest);
}

/// The same for a plain text.
fn replace_text(text: &str, from: &str, with: &str) -> String {
    if !with.contains('$') && !from.is_empty() {
        return text.replace(from, with);
    }
    match regress::Regex::new(&escaped(from)) {
        Ok(regex) => replace(&regex, text, with, true),
        Err(_) => text.to_owned(),
    }
}

fn replace_first(text: &str, from: &str, with: &str) -> String {
    match regress::Regex::new(&escaped(from)) {
        Ok(regex) => replace(&regex, text, with, false),
        Err(_) => text.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if "-[]{}()*+?.,\\^$|#/".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl Change {
    fn apply(&self, rule: &Rule, msg: &mut Msg, cx: &mut Cx<'_>) -> Result<(), Stop> {
        match rule {
            Rule::Delete(target) => self.set(target.as_ref(), msg, Value::Undefined, None, cx),
            Rule::Set { to, shown, value } => match self.value(value.as_ref(), msg)? {
                Some(value) => self.set(to.as_ref(), msg, value, Some(shown), cx),
                None => Ok(()),
            },
            Rule::Move(rules) => self.apply_move(rules, msg, cx),
            Rule::Change {
                at: Some(at),
                from: Some(from),
                value,
                is_bool,
            } => self.change(at, from, value.as_ref(), *is_bool, msg, cx),
            Rule::Change { .. } => Ok(()),
        }
    }

    fn apply_move(&self, rules: &[Rule], msg: &mut Msg, cx: &mut Cx<'_>) -> Result<(), Stop> {
        if let [delete @ Rule::Delete(_), Rule::Set { to, shown, value }] = rules {
            // (what cannot be read moves as undefined)
            let taken = self.value(value.as_ref(), msg)?.unwrap_or(Value::Undefined);
            self.apply(delete, msg, cx)?;
            return self.set(to.as_ref(), msg, taken, Some(shown), cx);
        }
        rules.iter().try_for_each(|rule| self.apply(rule, msg, cx))
    }

    /// A value; `None`: the way to it is not there, and the rule does nothing.
    fn value(&self, value: Option<&TypedValue>, msg: &Msg) -> Result<Option<Value>, Stop> {
        let Some(value) = value else { return Ok(None) };
        match (value.eval(&self.env, msg), value) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(error), TypedValue::Jsonata(_)) => Err(Stop::Error(NodeError::new(format!(
                "Invalid JSONata expression: {}",
                error.message
            )))),
            (Err(_), TypedValue::Context(_)) => Ok(Some(Value::Undefined)),
            (Err(_), _) => Ok(None),
        }
    }

    fn set(
        &self,
        target: Option<&Target>,
        msg: &mut Msg,
        value: Value,
        shown: Option<&str>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let Some(target) = target else { return Ok(()) };
        match (target, target.set(&self.env, msg, value)) {
            // (what setting a property throws, Node-RED's change swallows)
            (Target::Msg(_), Ok(true) | Err(_)) | (Target::Context(_), Ok(_)) => Ok(()),
            (Target::Msg(_), Ok(false)) => {
                if let Some(property) = shown {
                    cx.warn(format!(
                        "Cannot set property of non-object type: {property}"
                    ));
                }
                Ok(())
            }
            (target, Err(error)) if unresolved(target, &error) => Ok(()),
            (Target::Context(_), Err(error)) => Err(stop(error)),
        }
    }

    fn change(
        &self,
        at: &Target,
        from: &From,
        value: Option<&TypedValue>,
        is_bool: bool,
        msg: &mut Msg,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let Some(value) = self.value(value, msg)? else {
            return Ok(());
        };
        let read;
        let search = match from {
            From::Fixed(search) => search,
            From::Read(typed) => {
                let Some(found) = self.value(Some(typed), msg)? else {
                    return Ok(());
                };
                read = Search::of(found).unwrap_or_else(|why| {
                    // (Node-RED raises this and goes on)
                    cx.error(
                        NodeError::from_value(ErrorValue::new("Error", why).into()),
                        Some(msg),
                    );
                    Search {
                        kind: Kind::Nothing,
                        text: Value::Undefined,
                        regex: None,
                        all: false,
                    }
                });
                &read
            }
        };
        let current = match at.get(&self.env, msg) {
            Ok(current) => current,
            Err(error) if matches!(at, Target::Context(_)) && !unresolved(at, &error) => {
                return Err(stop(error));
            }
            Err(_) => return Ok(()),
        };
        match search.replace(&current, &value, is_bool && matches!(at, Target::Msg(_))) {
            Some(replaced) => self.set(Some(at), msg, replaced, None, cx),
            // Node-RED's change never goes on from a context value that it leaves as it is: the message ends here.
            None if matches!(at, Target::Context(_)) => Err(Stop::Silent),
            None => Ok(()),
        }
    }
}

/// True when the error is of a key whose `[msg.…]` part the message does not have; Node-RED passes over that in silence.
fn unresolved(target: &Target, error: &ExprError) -> bool {
    let invalid = error.properties.get("code").and_then(Value::as_str) == Some("INVALID_EXPR");
    invalid && matches!(target, Target::Context(key) if key.is_dynamic())
}

fn stop(error: ExprError) -> Stop {
    Stop::Error(NodeError::from_value(error.into()))
}

impl Process for Change {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let Some(rules) = &self.rules else { return };
        for rule in rules {
            // (in neither case does Node-RED's change tell that it has finished)
            match self.apply(rule, &mut msg, cx) {
                Ok(()) => {}
                Err(Stop::Silent) => return,
                Err(Stop::Error(error)) => return cx.error(error, Some(&msg)),
            }
        }
        cx.send_done(msg);
    }
}

/// The node's code: its rules, one after the other.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower(config: ChangeConfig) -> Result<vgdc_mir::NodeCode, String> {
    let mut code = super::lower::Code::default();
    for rule in rules_of(&config) {
        let named = (rule.get("tot") == Value::from("env")).then(|| rule.get("to"));
        let mut rule = Rule::parse(&rule, &super::lower::Nowhere).map_err(|all| all.join(", "))?;
        // (nobody knows the environment here: it is asked for when a message comes)
        if let (Some(name), Rule::Set { value, .. } | Rule::Change { value, .. }) =
            (named, &mut rule)
        {
            *value = Some(TypedValue::Env(match name {
                Value::Undefined | Value::Null => String::new(),
                name => name.to_js_string(),
            }));
        }
        lower_rule(&mut code, &rule)?;
    }
    code.b.end(vgdc_mir::Terminator::Send(0));
    Ok(vgdc_mir::NodeCode::Body(code.b.finish().into()))
}

#[cfg(feature = "lower")]
fn lower_rule(code: &mut super::lower::Code, rule: &Rule) -> Result<(), String> {
    match rule {
        // (what cannot be read is passed over)
        Rule::Set { to: None, .. } | Rule::Set { value: None, .. } | Rule::Delete(None) => Ok(()),
        Rule::Set {
            to: Some(to),
            value: Some(value),
            ..
        } => {
            let (value, maybe_undefined) = code.value(value)?;
            code.target(to, value, maybe_undefined)
        }
        Rule::Delete(Some(Target::Msg(path))) => code.delete(path),
        Rule::Delete(Some(to @ Target::Context(_))) => {
            let nothing = code.b.slot();
            code.b.push(vgdc_mir::Inst::Undefined { dst: nothing });
            code.target(to, nothing, true)
        }
        Rule::Move(rules) => match rules.as_slice() {
            [
                delete @ Rule::Delete(_),
                Rule::Set {
                    to: Some(to),
                    value: Some(value),
                    ..
                },
            ] => {
                let (taken, maybe_undefined) = code.value(value)?;
                lower_rule(code, delete)?;
                code.target(to, taken, maybe_undefined)
            }
            [
                set @ Rule::Set { value: Some(_), .. },
                delete @ Rule::Delete(_),
            ] => {
                lower_rule(code, set)?;
                lower_rule(code, delete)
            }
            [] => Ok(()),
            _ => Err("moving what cannot be read".to_owned()),
        },
        Rule::Change {
            at: Some(Target::Msg(at)),
            from: Some(from),
            value: Some(value),
            is_bool,
        } => {
            let (value, maybe_undefined) = code.value(value)?;
            let mut change = Changing {
                at,
                value,
                maybe_undefined,
                is_bool: *is_bool,
                end: code.b.block(),
            };
            change.lower(code, from)
        }
        Rule::Change {
            at: Some(Target::Context(_)),
            from: Some(_),
            value: Some(_),
            ..
        } => Err("searching and replacing in a context".to_owned()),
        Rule::Change { .. } => Ok(()),
    }
}

/// A rule that searches and replaces, as code.
#[cfg(feature = "lower")]
struct Changing<'r> {
    at: &'r vgdc_core::value::Path,
    value: vgdc_mir::Slot,
    maybe_undefined: bool,
    is_bool: bool,
    /// Where the rule has done what it does.
    end: vgdc_mir::BlockId,
}

#[cfg(feature = "lower")]
impl Changing<'_> {
    /// What [`Search::replace`] does.
    fn lower(&mut self, code: &mut super::lower::Code, from: &From) -> Result<(), String> {
        use vgdc_mir::{Helper, Terminator};
        let wanted = code.b.slot();
        match from {
            From::Fixed(search) => code.constant(wanted, &search.text)?,
            From::Read(typed) => {
                let (read, _) = code.value(typed)?;
                code.b.call(Helper::Move, [wanted.into(), read.into()]);
                // (with anything else the text `undefined` is searched for, or an error told)
                let is_text = code.is_type(wanted, "string");
                let is_other = code.not(is_text);
                code.when(is_other, Terminator::Bail);
            }
        }
        let current = code.read(self.at)?;
        let is_text = code.is_type(current, "string");
        let [text, other] = std::array::from_fn(|_| code.b.block());
        code.b.branch(is_text, text, other);
        code.b.switch_to(text);
        self.in_text(code, from, current, wanted)?;
        code.b.switch_to(other);
        if let From::Fixed(search) = from {
            let same = match (search.kind, search.text.as_str()) {
                (Kind::Num, _) => Some(Value::Number(search.text.to_number())),
                (Kind::Bool, Some("true")) => Some(Value::Bool(true)),
                (Kind::Bool, Some("false")) => Some(Value::Bool(false)),
                _ => None,
            };
            if let Some(same) = same {
                code.constant(wanted, &same)?;
                let is_same = code.ask(Helper::StrictEqual, vec![current.into(), wanted.into()]);
                let put = code.b.block();
                code.b.branch(is_same, put, self.end);
                code.b.switch_to(put);
                self.put(code, self.value, self.maybe_undefined)?;
            }
        }
        code.b.jump(self.end);
        code.b.switch_to(self.end);
        Ok(())
    }

    /// Replaces in a text, or a text as a whole.
    fn in_text(
        &mut self,
        code: &mut super::lower::Code,
        from: &From,
        current: vgdc_mir::Slot,
        wanted: vgdc_mir::Slot,
    ) -> Result<(), String> {
        use vgdc_mir::{Builtin, Helper, Method};
        let is_regex = matches!(from, From::Fixed(search) if search.kind == Kind::Regex);
        if !is_regex {
            let is_same = code.ask(Helper::StrictEqual, vec![current.into(), wanted.into()]);
            let [whole, part] = std::array::from_fn(|_| code.b.block());
            code.b.branch(is_same, whole, part);
            code.b.switch_to(whole);
            self.put(code, self.value, self.maybe_undefined)?;
            code.b.switch_to(part);
        }
        let args = code.b.row(2);
        let method = if is_regex {
            let pattern = code.b.row(2);
            code.b
                .call(Helper::Move, [pattern[0].into(), wanted.into()]);
            code.text(pattern[1], "g");
            code.builtin(args[0], Builtin::RegExp, &pattern);
            Method::Replace
        } else {
            code.b.call(Helper::Move, [args[0].into(), wanted.into()]);
            Method::ReplaceAll
        };
        code.b
            .call(Helper::ToText, [args[1].into(), self.value.into()]);
        let replaced = code.b.slot();
        let with = self.is_bool.then(|| code.b.slot());
        if let Some(with) = with {
            code.b.push(vgdc_mir::Inst::Copy {
                dst: with,
                src: args[1].into(),
            });
        }
        code.method(replaced, current, method, &args);
        if let Some(with) = with {
            let is_same = code.ask(Helper::StrictEqual, vec![replaced.into(), with.into()]);
            let [whole, part] = std::array::from_fn(|_| code.b.block());
            code.b.branch(is_same, whole, part);
            code.b.switch_to(whole);
            self.put(code, self.value, self.maybe_undefined)?;
            code.b.switch_to(part);
        }
        self.put(code, replaced, false)
    }

    /// Puts a value where the rule says, which is done then.
    fn put(
        &self,
        code: &mut super::lower::Code,
        value: vgdc_mir::Slot,
        maybe_undefined: bool,
    ) -> Result<(), String> {
        code.set(self.at, value, maybe_undefined)?;
        code.b.jump(self.end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_searched_and_replaced() {
        let replace = |ty: &str, from: &str, current: Value, with: Value| {
            Search::new(ty, from)
                .ok()
                .and_then(|s| s.replace(&current, &with, false))
        };
        assert_eq!(
            replace("str", "a.c", Value::from("xa.cya.c"), Value::from("-")),
            Some(Value::from("x-y-"))
        );
        assert_eq!(
            replace("re", "(\\d+)", Value::from("a12b3"), Value::from("<$1>")),
            Some(Value::from("a<12>b<3>"))
        );
        assert_eq!(
            replace("num", "123", Value::from(123), Value::from("x")),
            Some(Value::from("x"))
        );
        assert_eq!(
            replace("num", "123", Value::from("123"), Value::from(7)),
            Some(Value::from(7))
        );
        assert_eq!(
            replace("bool", "true", Value::from(true), Value::from("on")),
            Some(Value::from("on"))
        );
        assert_eq!(replace("str", "a", Value::from(5), Value::from("x")), None);
        assert!(Search::new("re", "(").is_err());
    }
}
