//! Paths: names, filters and mappings over objects and lists of objects.

use super::eval::{sequence, truth};
use super::{Answer, Item, Node, Path, Run, Stage, Step, Stop, UNDEFINED, What, undefined};
use std::borrow::Cow;
use vgdc_value::{Key, Value};

/// What a step is taken from.
enum Source<'v> {
    One(Item<'v>),
    Many(Vec<Item<'v>>),
}

/// What a step gives for one value.
enum Found<'v> {
    /// A value; an array is one of the message's, or made by an expression.
    Value(Item<'v>),
    /// What a filter left.
    Sequence(Vec<Item<'v>>),
}

/// The property of an object, `None` where there is none.
fn property<'v>(of: &Item<'v>, name: &Key) -> Answer<Option<Item<'v>>> {
    match of {
        Cow::Borrowed(Value::Object(object)) => Ok(object.get_key(name).map(Cow::Borrowed)),
        Cow::Owned(Value::Object(object)) => Ok(object.get_key(name).cloned().map(Cow::Owned)),
        other => match &**other {
            Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) => {
                Ok(None)
            }
            // (lists in lists, and what JSON cannot say)
            _ => Err(Stop::Leave),
        },
    }
}

/// The items of a list.
fn items<'v>(list: Item<'v>) -> Vec<Item<'v>> {
    match list {
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(items)) => items.into_vec().into_iter().map(Cow::Owned).collect(),
        single => vec![single],
    }
}

fn is_list(item: &Item<'_>) -> bool {
    matches!(&**item, Value::Array(_))
}

impl<'v> Run<'v> {
    pub(super) fn path(&mut self, path: &'v Path, here: &Item<'v>) -> Answer<Item<'v>> {
        let absolute = |step: &Step| {
            matches!(
                &step.what,
                What::Node(Node::Here | Node::Whole | Node::Slot(_) | Node::Given(_))
            )
        };
        if is_list(here) && !path.steps.first().is_some_and(absolute) {
            return Err(Stop::Leave);
        }
        // The common case: names through objects.
        if let Some(found) = plain_names(path, here) {
            return Ok(found);
        }
        let mut from = Source::One(here.clone());
        for (number, step) in path.steps.iter().enumerate() {
            let last = number + 1 == path.steps.len();
            let mut found = Vec::new();
            match from {
                Source::One(item) => found.extend(self.step(step, &item)?),
                Source::Many(items) => {
                    for item in &items {
                        found.extend(self.step(step, item)?);
                    }
                }
            }
            if last
                && let [Found::Value(single)] = found.as_slice()
                && is_list(single)
            {
                return Ok(single.clone());
            }
            let mut flat = flattened(found);
            if last {
                return Ok(joined(flat, path.keeps_array));
            }
            from = match flat.len() {
                0 => return Ok(undefined()),
                1 => Source::One(flat.pop().unwrap_or_else(undefined)),
                _ => Source::Many(flat),
            };
        }
        Ok(undefined())
    }

    fn step(&mut self, step: &'v Step, item: &Item<'v>) -> Answer<Option<Found<'v>>> {
        let value = match &step.what {
            What::Name(name) => property(item, name)?,
            What::Node(node) => Some(self.eval(node, item)?),
        };
        let value = value.filter(|value| !value.is_undefined());
        let Some((first, rest)) = step.stages.split_first() else {
            return Ok(value.map(Found::Value));
        };
        let mut found = self.stage(first, Found::Value(value.unwrap_or_else(undefined)))?;
        for stage in rest {
            found = self.stage(stage, found)?;
        }
        Ok(Some(found))
    }

    fn stage(&mut self, stage: &'v Stage, input: Found<'v>) -> Answer<Found<'v>> {
        let input = match input {
            Found::Value(value) => items(value),
            Found::Sequence(items) => items,
        };
        match stage {
            Stage::Index(index) => {
                let place = if *index < 0 {
                    input.len() as i64 + index
                } else {
                    *index
                };
                let item = usize::try_from(place)
                    .ok()
                    .and_then(|place| input.get(place))
                    .filter(|item| !item.is_undefined());
                Ok(match item {
                    Some(list) if is_list(list) => Found::Value(list.clone()),
                    Some(item) => Found::Sequence(vec![item.clone()]),
                    None => Found::Sequence(Vec::new()),
                })
            }
            Stage::Filter(predicate) => {
                let count = input.len() as f64;
                let mut kept = Vec::new();
                for (place, item) in input.into_iter().enumerate() {
                    let result = self.eval(predicate, &item)?;
                    let keep = match &*result {
                        Value::Number(n) if n.is_finite() => {
                            let wanted = n.floor();
                            place as f64 == if wanted < 0.0 { count + wanted } else { wanted }
                        }
                        Value::Array(_) => return Err(Stop::Leave),
                        other => truth(other)? == Some(true),
                    };
                    if keep {
                        // (nothing that is kept is still something to JSONata)
                        if item.is_undefined() {
                            return Err(Stop::Leave);
                        }
                        kept.push(item);
                    }
                }
                Ok(Found::Sequence(kept))
            }
        }
    }
}

/// A path of nothing but names, as long as it leads through objects to what is no list on the way.
fn plain_names<'v>(path: &'v Path, here: &Item<'v>) -> Option<Item<'v>> {
    let Cow::Borrowed(start) = here else {
        return None;
    };
    let mut at: &'v Value = start;
    for (number, step) in path.steps.iter().enumerate() {
        if !step.stages.is_empty() {
            return None;
        }
        at = match (&step.what, at) {
            (What::Name(name), Value::Object(object)) => object.get_key(name).unwrap_or(&UNDEFINED),
            (
                What::Name(_),
                Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_),
            ) => return Some(undefined()),
            (What::Node(Node::Here), _) if number == 0 => at,
            _ => return None,
        };
    }
    (!path.keeps_array || matches!(at, Value::Array(_) | Value::Undefined))
        .then_some(Cow::Borrowed(at))
}

/// What steps found, one after the other, with lists in it opened.
fn flattened<'v>(found: Vec<Found<'v>>) -> Vec<Item<'v>> {
    let mut flat = Vec::with_capacity(found.len());
    for one in found {
        match one {
            Found::Value(list) if is_list(&list) => flat.extend(items(list)),
            Found::Value(item) => flat.push(item),
            Found::Sequence(items) => flat.extend(items),
        }
    }
    flat
}

fn joined<'v>(mut flat: Vec<Item<'v>>, keeps_array: bool) -> Item<'v> {
    if flat.len() == 1 && !keeps_array {
        return flat.pop().unwrap_or_else(undefined);
    }
    let values: Vec<Value> = flat.into_iter().map(Cow::into_owned).collect();
    match values.len() {
        0 => undefined(),
        1 => Cow::Owned(Value::from(values)),
        _ => Cow::Owned(sequence(values)),
    }
}
