//! Evaluation of everything but paths and functions.

use super::{
    Answer, Arithmetic, Compare, Each, Item, Name, Node, Operator, Run, Stop, text, undefined,
};
use crate::jsonata::errors::{self, Fill};
use std::borrow::Cow;
use std::cmp::Ordering;
use vgdc_value::{Array, Key, Object, Value};

/// The longest list that `..` makes here; JSONata's own limit is told by the long way.
const MAX_RANGE: f64 = 100_000.0;

pub(super) fn number<'v>(n: f64) -> Item<'v> {
    Cow::Owned(Value::Number(n))
}

pub(super) fn boolean<'v>(b: bool) -> Item<'v> {
    Cow::Owned(Value::Bool(b))
}

/// A sequence as a value: nothing, the one item, or a list.
pub(super) fn sequence(mut items: Vec<Value>) -> Value {
    match items.len() {
        0 => Value::Undefined,
        1 => items.pop().unwrap_or_default(),
        _ => Value::from(items),
    }
}

fn raise<T>(error: crate::ExprError) -> Answer<T> {
    Err(Stop::Raise(error))
}

/// What JSONata takes a value for where it needs true or false; `None` for undefined.
pub(super) fn truth(value: &Value) -> Answer<Option<bool>> {
    Ok(Some(match value {
        Value::Undefined => return Ok(None),
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) if n.is_infinite() => {
            return raise(errors::made("D1001", &[("value", Fill::Json(value))]));
        }
        Value::Number(n) => *n != 0.0 && !n.is_nan(),
        Value::Str(text) => !text.is_empty(),
        Value::Object(object) => object.values().any(|value| !value.is_undefined()),
        Value::Array(items) => {
            for item in items.iter() {
                if truth(item)? == Some(true) {
                    return Ok(Some(true));
                }
            }
            false
        }
        _ => return Err(Stop::Leave),
    }))
}

/// A number to calculate with; `None` for undefined, an error for what is no number.
fn operand(value: &Value, side: &str, op: &str) -> Answer<Option<f64>> {
    match value {
        Value::Undefined => Ok(None),
        Value::Number(n) if n.is_finite() => Ok(Some(*n)),
        Value::Number(n) if n.is_infinite() => {
            raise(errors::made("D1001", &[("value", Fill::Json(value))]))
        }
        _ => raise(errors::made(side, &[("token", Fill::Text(op))])),
    }
}

impl<'v> Run<'v> {
    pub(super) fn eval(&mut self, node: &'v Node, here: &Item<'v>) -> Answer<Item<'v>> {
        Ok(match node {
            Node::Constant(value) => Cow::Borrowed(value),
            Node::Here => here.clone(),
            Node::Whole => Cow::Borrowed(self.whole),
            Node::Slot(slot) => Cow::Owned(self.slots.get(*slot).cloned().unwrap_or_default()),
            Node::Given(name) => match self.given.iter().find(|(known, _)| known == name) {
                Some((_, value)) => Cow::Borrowed(value),
                None => undefined(),
            },
            Node::Path(path) => self.path(path, here)?,
            Node::Arithmetic(op, sides) => self.arithmetic(*op, sides, here)?,
            Node::Equal { negated, sides } => {
                let (a, b) = (self.eval(&sides[0], here)?, self.eval(&sides[1], here)?);
                boolean(same(&a, &b, *negated)?)
            }
            Node::Compare(op, sides) => self.compare(*op, sides, here)?,
            Node::And(sides) => {
                boolean(self.is_true(&sides[0], here)? && self.is_true(&sides[1], here)?)
            }
            Node::Or(sides) => {
                boolean(self.is_true(&sides[0], here)? || self.is_true(&sides[1], here)?)
            }
            Node::Concat(sides) => {
                let (a, b) = (self.eval(&sides[0], here)?, self.eval(&sides[1], here)?);
                let mut out = String::new();
                text::append(&mut out, &a)?;
                text::append(&mut out, &b)?;
                Cow::Owned(Value::from(out))
            }
            Node::In(sides) => {
                let (a, b) = (self.eval(&sides[0], here)?, self.eval(&sides[1], here)?);
                boolean(is_in(&a, &b)?)
            }
            Node::Range(sides) => self.range(sides, here)?,
            Node::Negate(inner) => match &*self.eval(inner, here)? {
                Value::Undefined => undefined(),
                Value::Number(n) if n.is_finite() => number(-n),
                value @ Value::Number(n) if n.is_infinite() => {
                    return raise(errors::made("D1001", &[("value", Fill::Json(value))]));
                }
                value => return raise(errors::made("D1002", &[("value", Fill::Json(value))])),
            },
            Node::Choose { condition, yes, no } => match (self.is_true(condition, here)?, no) {
                (true, _) => self.eval(yes, here)?,
                (false, Some(no)) => self.eval(no, here)?,
                (false, None) => undefined(),
            },
            Node::Array(items) => self.array(items, here)?,
            Node::Object(pairs) => self.object(pairs, here)?,
            Node::Block(statements) => {
                let mut last = undefined();
                for statement in statements {
                    last = self.eval(statement, here)?;
                }
                last
            }
            Node::Bind(slot, value) => {
                let value = self.eval(value, here)?;
                if let Some(place) = self.slots.get_mut(*slot) {
                    *place = value.clone().into_owned();
                }
                value
            }
            Node::Call(function, args) => self.call(*function, args, here)?,
            Node::Each {
                how,
                list,
                start,
                params,
                body,
            } => {
                let list = self.eval(list, here)?;
                let start = match start {
                    Some(start) => self.eval(start, here)?.into_owned(),
                    None => Value::Undefined,
                };
                Cow::Owned(self.each(*how, &list, start, params, body, here)?)
            }
        })
    }

    fn is_true(&mut self, node: &'v Node, here: &Item<'v>) -> Answer<bool> {
        let value = self.eval(node, here)?;
        Ok(truth(&value)? == Some(true))
    }

    fn arithmetic(
        &mut self,
        op: Arithmetic,
        sides: &'v [Node; 2],
        here: &Item<'v>,
    ) -> Answer<Item<'v>> {
        let (a, b) = (self.eval(&sides[0], here)?, self.eval(&sides[1], here)?);
        let sign = match op {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Modulo => "%",
        };
        let (a, b) = (operand(&a, "T2001", sign)?, operand(&b, "T2002", sign)?);
        let (Some(a), Some(b)) = (a, b) else {
            return Ok(undefined());
        };
        Ok(number(match op {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
            Arithmetic::Modulo => a % b,
        }))
    }

    fn compare(&mut self, op: Compare, sides: &'v [Node; 2], here: &Item<'v>) -> Answer<Item<'v>> {
        let (a, b) = (self.eval(&sides[0], here)?, self.eval(&sides[1], here)?);
        Ok(Cow::Owned(ordered(op, &a, &b)?))
    }

    fn range(&mut self, sides: &'v [Node; 2], here: &Item<'v>) -> Answer<Item<'v>> {
        let (from, to) = (self.eval(&sides[0], here)?, self.eval(&sides[1], here)?);
        let end = |value: &Value| match value {
            Value::Undefined => Ok(None),
            Value::Number(n) if n.fract() == 0.0 => Ok(Some(*n)),
            _ => Err(Stop::Leave),
        };
        let (Some(from), Some(to)) = (end(&from)?, end(&to)?) else {
            return Ok(undefined());
        };
        if from > to {
            return Ok(undefined());
        }
        if to - from >= MAX_RANGE {
            return Err(Stop::Leave);
        }
        let count = (to - from) as u32 + 1;
        Ok(Cow::Owned(sequence(
            (0..count)
                .map(|n| Value::Number(from + f64::from(n)))
                .collect(),
        )))
    }

    fn array(&mut self, nodes: &'v [Node], here: &Item<'v>) -> Answer<Item<'v>> {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            let value = self.eval(node, here)?;
            match &*value {
                Value::Undefined => {}
                // (an array that is written within an array stays one)
                Value::Array(inner) if !matches!(node, Node::Array(_)) => {
                    items.extend(inner.iter().cloned())
                }
                _ => items.push(value.into_owned()),
            }
        }
        Ok(Cow::Owned(Value::from(items)))
    }

    fn object(&mut self, pairs: &'v [(Name, Node)], here: &Item<'v>) -> Answer<Item<'v>> {
        // (over a list, an object is made by grouping its items)
        if matches!(&**here, Value::Array(_)) {
            return Err(Stop::Leave);
        }
        let mut names: Vec<Option<Key>> = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            names.push(match name {
                Name::Constant(key) => Some(key.clone()),
                Name::Computed(node) => match &*self.eval(node, here)? {
                    Value::Str(text) => Some(Key::data(text)),
                    Value::Undefined => None,
                    value => return raise(errors::made("T1003", &[("value", Fill::Json(value))])),
                },
            });
        }
        let mut object = Object::with_capacity(pairs.len());
        for (name, (_, node)) in names.into_iter().zip(pairs) {
            let Some(name) = name else { continue };
            if object.get_key(&name).is_some() {
                return Err(Stop::Leave);
            }
            let value = self.eval(node, here)?;
            if !value.is_undefined() {
                object.insert(name, value.into_owned());
            }
        }
        Ok(Cow::Owned(Value::Object(object)))
    }

    fn each(
        &mut self,
        how: Each,
        list: &Value,
        start: Value,
        params: &[usize],
        body: &'v Node,
        here: &Item<'v>,
    ) -> Answer<Value> {
        let list = match list {
            Value::Undefined => return Ok(Value::Undefined),
            Value::Array(items) => items.clone(),
            single => Array::from(vec![single.clone()]),
        };
        if how == Each::Reduce {
            return self.reduce(&list, start, params, body, here);
        }
        let mut results = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let args = [item.clone(), Value::from(index), Value::Array(list.clone())];
            let result = self.apply(params, args, body, here)?;
            match how {
                Each::Map if !result.is_undefined() => results.push(result.into_owned()),
                Each::Filter if truth(&result)? == Some(true) => results.push(item.clone()),
                _ => {}
            }
        }
        Ok(sequence(results))
    }

    fn reduce(
        &mut self,
        list: &Array,
        start: Value,
        params: &[usize],
        body: &'v Node,
        here: &Item<'v>,
    ) -> Answer<Value> {
        let mut items = list.iter().enumerate();
        let mut result = match start {
            Value::Undefined => items
                .next()
                .map(|(_, first)| first.clone())
                .unwrap_or_default(),
            start => start,
        };
        for (index, item) in items {
            let args = [
                result,
                item.clone(),
                Value::from(index),
                Value::Array(list.clone()),
            ];
            result = self.apply(params, args, body, here)?.into_owned();
        }
        Ok(result)
    }

    fn apply<const N: usize>(
        &mut self,
        params: &[usize],
        args: [Value; N],
        body: &'v Node,
        here: &Item<'v>,
    ) -> Answer<Item<'v>> {
        let mut args = args.into_iter();
        for param in params {
            if let Some(place) = self.slots.get_mut(*param) {
                *place = args.next().unwrap_or_default();
            }
        }
        self.eval(body, here)
    }
}

/// `<`, `<=`, `>`, `>=`
fn ordered(op: Compare, a: &Value, b: &Value) -> Answer<Value> {
    let token = match op {
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
    };
    let order = match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Str(a), Value::Str(b)) => Some(text::order(a, b)),
        (Value::Undefined, Value::Undefined | Value::Number(_) | Value::Str(_)) => {
            return Ok(Value::Undefined);
        }
        (Value::Number(_) | Value::Str(_), Value::Undefined) => return Ok(Value::Undefined),
        (Value::Number(_), Value::Str(_)) | (Value::Str(_), Value::Number(_)) => {
            let fills = [
                ("value", Fill::Json(a)),
                ("value2", Fill::Json(b)),
                ("token", Fill::Text(token)),
            ];
            return raise(errors::made("T2009", &fills));
        }
        _ => return raise(errors::made("T2010", &[("token", Fill::Text(token))])),
    };
    Ok(Value::Bool(match op {
        Compare::Less => order == Some(Ordering::Less),
        Compare::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Compare::Greater => order == Some(Ordering::Greater),
        Compare::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }))
}

/// An operator of values that are there.
pub(super) fn operate(operator: Operator, args: &[Value]) -> Answer<Value> {
    if operator == Operator::List {
        return Ok(Value::from(listed(args)));
    }
    let [a, b] = args else {
        return Err(Stop::Leave);
    };
    let same = |negated| same(a, b, negated).map(Value::Bool);
    match operator {
        Operator::Equal => same(false),
        Operator::NotEqual => same(true),
        Operator::Less => ordered(Compare::Less, a, b),
        Operator::LessOrEqual => ordered(Compare::LessOrEqual, a, b),
        Operator::Greater => ordered(Compare::Greater, a, b),
        Operator::GreaterOrEqual => ordered(Compare::GreaterOrEqual, a, b),
        Operator::In => is_in(a, b).map(Value::Bool),
        Operator::List => Err(Stop::Leave),
    }
}

/// The items of an array that is written down, none of which is written as an array itself.
fn listed(values: &[Value]) -> Vec<Value> {
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::Undefined => {}
            Value::Array(inner) => items.extend(inner.iter().cloned()),
            other => items.push(other.clone()),
        }
    }
    items
}

/// `=`, or with `negated` `!=`.
fn same(a: &Value, b: &Value, negated: bool) -> Answer<bool> {
    Ok(!a.is_undefined() && !b.is_undefined() && equal(a, b)? != negated)
}

/// Equality through and through.
fn equal(a: &Value, b: &Value) -> Answer<bool> {
    Ok(match (a, b) {
        (Value::Null, Value::Null) | (Value::Undefined, Value::Undefined) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(a, b)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a.iter() {
                match b.get_key(key) {
                    Some(b) if equal(a, b)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (a, b) if is_plain(a) && is_plain(b) => false,
        _ => return Err(Stop::Leave),
    })
}

/// True for what JSON can say.
pub(super) fn is_plain(value: &Value) -> bool {
    !matches!(
        value,
        Value::Buffer(_) | Value::Date(_) | Value::Handle(_) | Value::Rare(_)
    )
}

/// `in`: objects are only in where they are the same.
fn is_in(item: &Value, list: &Value) -> Answer<bool> {
    if item.is_undefined() || list.is_undefined() {
        return Ok(false);
    }
    if item.is_object() {
        return Err(Stop::Leave);
    }
    Ok(match list {
        Value::Array(items) => items.iter().any(|other| other.strict_eq(item)),
        single => single.strict_eq(item),
    })
}
