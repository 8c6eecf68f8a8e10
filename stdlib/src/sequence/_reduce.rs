//! What **join** does in *reduce* mode: the messages of a sequence become one value, by an expression that is evaluated on one
//! after the other.

use super::delimiter::type_error;
use super::order::{self, ByName};
use crate::common::limits::most_waiting;
use vgdc_core::shared::NodeEnv;
use vgdc_core::value::{ErrorValue, Msg, Object, Value};
use vgdc_core::{Cx, NodeError};
use vgdc_expr::{ExprError, Jsonata, TypedValue};

/// The form's part that says how to reduce.
pub struct Form<'a> {
    /// The expression.
    pub step: &'a str,
    /// The expression that makes the result of the last value; may be empty.
    pub fixup: &'a str,
    /// The first value, its type and text; none when the flow says nothing of it.
    pub init: Option<(&'a str, &'a str)>,
    /// From the last message to the first.
    pub right: bool,
}

/// Reduces sequences.
pub struct Reduce {
    step: Jsonata,
    fixup: Option<Jsonata>,
    /// That it cannot be read is told when it is needed.
    init: Result<TypedValue, String>,
    right: bool,
    groups: ByName<Group>,
    waiting: usize,
    max_kept: usize,
    env: NodeEnv,
}

/// The messages of a sequence that are here.
struct Group {
    count: Value,
    msgs: Vec<Msg>,
}

fn invalid(why: &str) -> String {
    format!("Invalid JSONata expression: {why}")
}

fn failed(error: &ExprError) -> NodeError {
    NodeError::new(invalid(&error.message))
}

/// A part of what says where a message is in its sequence.
fn part(msg: &Msg, key: &str) -> Value {
    msg.get("parts")
        .map_or(Value::Undefined, |parts| parts.get(key))
}

impl Reduce {
    /// Reads the form.
    ///
    /// # Errors
    /// An expression cannot be read.
    pub fn new(form: &Form<'_>, cx: &Cx<'_>) -> Result<Reduce, NodeError> {
        let compile = |text: &str| Jsonata::compile(text).map_err(|error| failed(&error));
        Ok(Reduce {
            step: compile(form.step)?,
            fixup: match form.fixup {
                "" => None,
                text => Some(compile(text)?),
            },
            init: match form.init {
                Some((ty, text)) => TypedValue::parse(ty, text).map_err(|e| e.message.to_string()),
                None => Ok(TypedValue::Constant(Value::Undefined)),
            },
            right: form.right,
            groups: ByName::default(),
            waiting: 0,
            max_kept: most_waiting(cx),
            env: cx.env(),
        })
    }

    /// Takes a message; the last of a sequence makes the others become one value.
    pub fn take(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let Some(parts) = msg.get("parts") else {
            return cx.send_done(msg);
        };
        if parts.is_nullish() {
            let what = parts.to_js_string();
            let why = format!("Cannot read properties of {what} (reading 'id')");
            return cx.error(type_error(why), Some(&msg));
        }
        let (id, count) = (parts.get("id").to_js_string(), parts.get("count"));
        let group = self.groups.entry(&id, || Group {
            count: Value::Undefined,
            msgs: Vec::new(),
        });
        if group.count.is_undefined() {
            group.count = count;
        }
        group.msgs.push(msg.clone());
        let waiting = self.waiting + 1;
        if group.count.as_f64() == Some(group.msgs.len() as f64)
            && let Some(complete) = self.groups.remove(&id)
        {
            let taken = complete.msgs.len();
            match self.send(cx, complete) {
                Ok(()) => self.waiting = waiting.saturating_sub(taken),
                // (Node-RED takes nothing off its count then)
                Err(error) => return cx.error(error, Some(&msg)),
            }
        } else {
            self.waiting = waiting;
        }
        if self.waiting > self.max_kept {
            self.waiting = 0;
            let groups = std::mem::take(&mut self.groups).into_values().into_iter();
            for known in groups.flat_map(|group| group.msgs) {
                if known.id() != msg.id() {
                    cx.done_with(&known);
                }
            }
            cx.error("too many pending messages in join node", Some(&msg));
        }
    }

    /// Sends what became of a sequence, with the message that came last in it. The node has finished with all of them; if
    /// that fails, with all but the one that arrived last.
    fn send(&self, cx: &mut Cx<'_>, group: Group) -> Result<(), NodeError> {
        let init = self
            .init
            .as_ref()
            .map_err(|why| NodeError::from_value(ErrorValue::new("Error", invalid(why)).into()))?;
        let init = init.eval(&self.env, &Msg::new()).unwrap_or_default();
        let Group { count, mut msgs } = group;
        let places = msgs
            .iter()
            .map(|msg| part(msg, "index"))
            .enumerate()
            .collect();
        let places: Vec<(usize, Value)> = order::sort(places, |(_, a): &(_, Value), (_, b)| {
            let (a, b) = if self.right { (b, a) } else { (a, b) };
            a.less_than(b) == Some(true)
        });
        match self.run(&msgs, &places, init, &count) {
            Ok(result) => {
                if let Some((last, _)) = places.last() {
                    msgs[*last].set_payload(result);
                    cx.send(0, msgs[*last].clone());
                }
                msgs.iter().for_each(|msg| cx.done_with(msg));
                Ok(())
            }
            Err(error) => {
                msgs.pop();
                msgs.iter().for_each(|msg| cx.done_with(msg));
                Err(failed(&error))
            }
        }
    }

    fn run(
        &self,
        msgs: &[Msg],
        places: &[(usize, Value)],
        init: Value,
        count: &Value,
    ) -> Result<Value, ExprError> {
        let mut so_far = init;
        for (at, index) in places {
            let variables = [("I", index.clone()), ("N", count.clone()), ("A", so_far)];
            so_far = self
                .step
                .eval_with(&self.env, &msgs[*at].to_value(), &variables)?;
        }
        if let Some(fixup) = &self.fixup {
            let variables = [("N", count.clone()), ("A", so_far)];
            so_far = fixup.eval_with(&self.env, &Value::Object(Object::new()), &variables)?;
        }
        Ok(so_far)
    }
}
