//! **sort** — sorts the elements of an array in a property, or the messages of a sequence (`msg.parts`).
//!
//! The key of an element is its value, or what a JSONata expression makes of it; the key of a message is a property or a
//! JSONata expression. *As number* compares keys as numbers, else they are compared as JavaScript does. A sequence is sent
//! when all of it is there; at most `nodeMessageBufferMaxLength` messages wait, if that setting is given.
//!
//! `targetType` is `msg` (the array in `target`; keys by `msgKey`) or `seq` (keys by `seqKey`); `order` is `ascending`
//! or `descending`. What is no array is dropped. An expression that cannot be read is told at the start, and no message
//! is handled.

use super::delimiter::type_error;
use super::order::{self, ByName};
use crate::common::limits::most_waiting;
use crate::function::property::Property;
use vgdc_core::shared::NodeEnv;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Closing, Cx, Level, Node, NodeError, Process};
use vgdc_expr::{ExprError, Jsonata};
use vgdc_macros_node::{Config, node};

/// The form's properties. (A flow that says nothing of its target has one of the time when there were sequences alone.)
#[derive(Config)]
pub struct SortConfig {
    #[field(default = "payload", kind = MsgPath, shown = Typed("targetType"), label = "Sort", types = ["msg", "seq"], optional = true)]
    target: String,
    #[field(name = "targetType", default = "seq", begin = "msg")]
    target_type: String,
    #[field(name = "msgKey", default = "", begin = "payload", kind = Typed("msgKeyType"), label = "by", when = [not("targetType", "seq")], types = ["elem", "jsonata"], optional = true)]
    msg_key: String,
    #[field(name = "msgKeyType", default = "elem")]
    msg_key_type: String,
    #[field(name = "seqKey", default = "payload", kind = Typed("seqKeyType"), label = "by", when = [is("targetType", "seq")], types = ["msg", "jsonata"], optional = true)]
    seq_key: String,
    #[field(name = "seqKeyType", default = "msg")]
    seq_key_type: String,
    #[field(default = "ascending", label = "Order", choices = [("ascending", "Ascending"), ("descending", "Descending")])]
    order: String,
    #[field(json = "false", shown = Bool, label = "As numbers")]
    as_num: Value,
}

/// What things are sorted by.
enum KeyOf {
    /// An element itself.
    Element,
    /// A property of a message.
    Property(Property),
    Expression(Box<Jsonata>),
    /// The expression cannot be read (the node has said so); messages are left lying.
    Nothing,
}

/// The messages of a sequence that are here.
#[derive(Default)]
struct Group {
    /// How many there are to be: what the last of them said that said anything.
    count: Value,
    msgs: Vec<Msg>,
}

/// The behaviour.
pub struct Sort {
    descending: bool,
    as_number: bool,
    /// The property to be sorted; `None`: the sequence is.
    target: Option<Property>,
    key: KeyOf,
    pending: ByName<Group>,
    waiting: usize,
    max_kept: usize,
    env: NodeEnv,
}

#[node(type = "sort", category = "sequence", inputs = 1, outputs = 1, effect = State, types = types, waits = true, color = "#e2d96e", icon = "sort.svg")]
impl Node for Sort {
    type Config = SortConfig;

    fn new(config: SortConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let target =
            (config.target_type == "msg").then(|| Property::parse(&config.target, "payload"));
        let (ty, text) = match target {
            Some(_) => (config.msg_key_type, config.msg_key),
            None => (config.seq_key_type, config.seq_key),
        };
        let key = match (ty.as_str(), &target) {
            ("jsonata", _) => match Jsonata::compile(&text) {
                Ok(expression) => KeyOf::Expression(Box::new(expression)),
                Err(error) => {
                    cx.error(invalid(&error), None);
                    KeyOf::Nothing
                }
            },
            (_, Some(_)) => KeyOf::Element,
            (_, None) => KeyOf::Property(Property::parse(&text, "payload")),
        };
        Ok(Sort {
            descending: !matches!(config.order.as_str(), "ascending" | ""),
            as_number: config.as_num.truthy(),
            target,
            key,
            pending: ByName::default(),
            waiting: 0,
            max_kept: most_waiting(cx),
            env: cx.env(),
        })
    }
}

/// An array keeps what is in it; a message of a sequence gets another place in it.
fn types(t: &mut dyn Typing) {
    if t.text("targetType") != "msg" {
        let parts = t.ty("object{..}");
        t.set("parts", parts);
    }
    t.send(0);
}

fn invalid(error: &ExprError) -> String {
    format!("Invalid JSONata expression in sort node: {}", error.message)
}

impl Sort {
    /// Whether the first goes before the second: only there where JavaScript's comparison function says a negative number.
    fn before(&self, a: &Value, b: &Value) -> bool {
        // (two numbers, which is what there is most often, need no more than this)
        let greater = match (a, b) {
            (Value::Number(a), Value::Number(b)) if a == b => return false,
            (Value::Number(a), Value::Number(b)) => a > b,
            _ if a.strict_eq(b) => return false,
            _ => b.less_than(a) == Some(true),
        };
        greater == self.descending
    }

    fn sorted<T>(&self, keyed: Vec<(Value, T)>) -> Vec<T> {
        let number = |(key, item): (Value, T)| (Value::Number(key.to_number()), item);
        let keyed = if self.as_number {
            keyed.into_iter().map(number).collect()
        } else {
            keyed
        };
        let sorted = order::sort(keyed, |(a, _), (b, _)| self.before(a, b));
        sorted.into_iter().map(|(_, item)| item).collect()
    }

    /// What an expression makes of each.
    fn keys<'a>(
        &self,
        expression: &Jsonata,
        items: impl Iterator<Item = &'a Value>,
    ) -> Result<Vec<Value>, NodeError> {
        items
            .map(|item| expression.eval_with(&self.env, item, &[]))
            .collect::<Result<_, _>>()
            .map_err(|error| NodeError::new(invalid(&error)))
    }

    // ------------------------------------------------------------------------------------------------- a property

    fn sort_property(&self, target: &Property, msg: &mut Msg) -> Result<bool, NodeError> {
        let Value::Array(items) = target.get(msg)? else {
            return Ok(false);
        };
        let sorted = match &self.key {
            KeyOf::Expression(expression) => {
                let keys = self.keys(expression, items.iter())?;
                self.sorted(keys.into_iter().zip(items.into_vec()).collect())
            }
            _ => {
                // JavaScript puts what is undefined last, whatever the comparison would say.
                let (last, items): (Vec<_>, Vec<_>) =
                    items.into_vec().into_iter().partition(Value::is_undefined);
                let mut sorted =
                    self.sorted(items.into_iter().map(|item| (item.clone(), item)).collect());
                sorted.extend(last);
                sorted
            }
        };
        target.set(msg, Value::from(sorted))?;
        Ok(true)
    }

    // ------------------------------------------------------------------------------------------------- a sequence

    fn gather(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let Some(Value::Object(parts)) = msg.get("parts") else {
            return cx.done_with(&msg);
        };
        let (Some(id), true) = (parts.get("id"), parts.contains_key("index")) else {
            return cx.done_with(&msg);
        };
        let id = id.to_js_string();
        let group = self.pending.entry(&id, Group::default);
        if let Some(count) = parts.get("count") {
            group.count = count.clone();
        }
        group.msgs.push(msg);
        self.waiting += 1;
        if group.count.as_f64() == Some(group.msgs.len() as f64) {
            let complete = self.pending.remove(&id).unwrap_or_default();
            self.sort_group(cx, complete.msgs);
        } else if self.waiting > self.max_kept
            && let Some(oldest) = self.pending.remove_oldest()
        {
            self.waiting = self.waiting.saturating_sub(oldest.msgs.len());
            refuse(cx, oldest.msgs, "Too many pending messages in sort node");
        }
    }

    fn sort_group(&mut self, cx: &mut Cx<'_>, msgs: Vec<Msg>) {
        let count = msgs.len();
        let keys = match &self.key {
            KeyOf::Expression(expression) => {
                let values: Vec<Value> = msgs.iter().map(Msg::to_value).collect();
                self.keys(expression, values.iter())
            }
            // (of one message alone nobody asks for the key)
            KeyOf::Property(property) if count > 1 => {
                let keys: Result<_, _> = msgs.iter().map(|msg| property.get(msg)).collect();
                let Ok(keys) = keys else {
                    // Node-RED stumbles here: the last message gets the error, the others are never done, and all of
                    // them are counted as waiting for ever.
                    let why = "Cannot read properties of undefined (reading 'catch')";
                    return cx.error(type_error(why), msgs.last());
                };
                Ok(keys)
            }
            _ => Ok(vec![Value::Undefined; count]),
        };
        self.waiting = self.waiting.saturating_sub(count);
        let keys = match keys {
            Ok(keys) => keys,
            Err(error) => return refuse(cx, msgs, error),
        };
        let sorted = self.sorted(keys.into_iter().zip(msgs).collect());
        for (index, mut msg) in sorted.into_iter().enumerate() {
            if let Some(Value::Object(parts)) = msg.get_mut("parts") {
                parts.insert("index", index);
            }
            let completion = cx.completion(&msg);
            cx.send(0, msg);
            cx.done(completion);
        }
    }
}

/// The last message gets the error; the node has finished with the others.
fn refuse(cx: &mut Cx<'_>, mut msgs: Vec<Msg>, why: impl Into<NodeError>) {
    let last = msgs.pop();
    cx.error(why, last.as_ref());
    msgs.iter().for_each(|msg| cx.done_with(msg));
}

impl Process for Sort {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        match &self.target {
            _ if matches!(self.key, KeyOf::Nothing) => {}
            None => self.gather(cx, msg),
            Some(target) => match self.sort_property(target, &mut msg) {
                Ok(true) => cx.send_done(msg),
                Ok(false) => cx.done_with(&msg),
                Err(error) => cx.error(error, Some(&msg)),
            },
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        for group in std::mem::take(&mut self.pending).into_values() {
            cx.log(Level::Info, "clear pending message in sort node");
            group.msgs.iter().for_each(|msg| cx.done_with(msg));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::json;

    #[test]
    fn says_what_is_wrong_with_an_expression() {
        let wrong = "Invalid JSONata expression in sort node: ";
        let flow = Flow::start(json!([
            { "id": "unread", "type": "sort", "targetType": "msg", "msgKeyType": "jsonata", "msgKey": "$f(" },
            { "id": "element", "type": "sort", "targetType": "msg", "msgKeyType": "jsonata", "msgKey": "$uppercase(5)" },
            { "id": "group", "type": "sort", "seqKeyType": "jsonata", "seqKey": "$uppercase(payload)" },
        ]));
        for node in ["unread", "element"] {
            flow.receive(node, json!({ "payload": [2, 1] }));
        }
        for index in 0..3 {
            let parts = json!({ "id": "s", "index": index, "count": 3 });
            flow.receive("group", json!({ "payload": index, "parts": parts }));
        }
        for (node, finished) in [("unread", 0), ("element", 0), ("group", 2)] {
            let errors = flow.errors(node);
            assert_eq!(errors.len(), 1, "{node}");
            assert!(errors[0].to_js_string().starts_with(wrong), "{node}");
            assert_eq!(flow.finished(node).len(), finished, "{node}");
        }
        assert_eq!(flow.state("unread"), "started");
    }
}
