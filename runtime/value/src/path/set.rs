//! Setting and deleting what a path leads to, step by step as Node-RED does.

use super::{MAX_ARRAY_LEN, PathError, Step};
use crate::{Array, ErrorValue, Key, Object, Rare, Value, number};
use std::sync::Arc;

/// Where a step led.
enum Way {
    On,
    /// There is nothing, and nothing is to be made; or what is there holds no properties.
    Ends,
    /// To a property of a text, number or boolean: JavaScript sets it, forgets it, and goes on with `undefined`.
    Forgotten,
}

pub(super) fn set(
    root: &mut Object,
    steps: &[Step],
    value: Value,
    create: bool,
) -> Result<bool, PathError> {
    let Some((first, rest)) = steps.split_first() else {
        return Ok(false);
    };
    if rest.is_empty() {
        if value.is_undefined() {
            root.remove(&first.key());
        } else {
            insert(root, first, value);
        }
        return Ok(true);
    }
    // A step that is neither text nor number is passed over, as Node-RED does.
    if matches!(first, Step::Odd(_)) {
        return set(root, rest, value, create);
    }
    match object_way(root, first, rest.first(), create) {
        Way::On => {}
        Way::Ends | Way::Forgotten => return Ok(false),
    }
    match object_inner(root, first) {
        Some(inner) => walk(inner, rest, value, create),
        None => Ok(false),
    }
}

fn walk(root: &mut Value, steps: &[Step], value: Value, create: bool) -> Result<bool, PathError> {
    let Some((last, before)) = steps.split_last() else {
        return Ok(false);
    };
    let mut at = root;
    for (i, step) in before.iter().enumerate() {
        if matches!(step, Step::Odd(_)) {
            continue;
        }
        match way(at, step, steps.get(i + 1), create)? {
            Way::Ends => return Ok(false),
            Way::Forgotten if i + 1 == before.len() => return Ok(false),
            Way::Forgotten => return Err(nothing()),
            Way::On => {
                at = match inner(at, step) {
                    Some(inner) => inner,
                    None => return Err(cannot(step, "it cannot be changed here")),
                }
            }
        }
    }
    if value.is_undefined() {
        remove(at, last)
    } else {
        put(at, last, value)
    }
}

fn nothing() -> PathError {
    PathError::step("Cannot convert undefined or null to object".to_owned())
}

/// Looks whether a step can be taken; makes what is missing there with `create`.
fn way(at: &mut Value, step: &Step, next: Option<&Step>, create: bool) -> Result<Way, PathError> {
    match (&mut *at, step) {
        (Value::Object(object), _) => Ok(object_way(object, step, next, create)),
        (Value::Undefined | Value::Null, _) => Err(nothing()),
        (Value::Array(items), Step::Index(index)) => match items.get(*index) {
            None | Some(Value::Undefined) => make(at, step, next, create),
            Some(_) => Ok(Way::On),
        },
        _ => match at.get(&step.key()) {
            Value::Undefined => make(at, step, next, create),
            found if holds_properties(&found) => Ok(Way::On),
            _ => Ok(Way::Ends),
        },
    }
}

fn make(at: &mut Value, step: &Step, next: Option<&Step>, create: bool) -> Result<Way, PathError> {
    if !create {
        return Ok(Way::Ends);
    }
    Ok(if put(at, step, container(next))? {
        Way::On
    } else {
        Way::Forgotten
    })
}

fn object_way(object: &mut Object, step: &Step, next: Option<&Step>, create: bool) -> Way {
    let found = match step {
        Step::Key(key) | Step::Odd(key) => object.get_key(key),
        Step::Index(index) => object.get(&index.to_string()),
    };
    match found {
        Some(found) if holds_properties(found) => Way::On,
        Some(_) => Way::Ends,
        None if create => {
            insert(object, step, container(next));
            Way::On
        }
        None => Way::Ends,
    }
}

fn object_inner<'v>(object: &'v mut Object, step: &Step) -> Option<&'v mut Value> {
    match step {
        Step::Key(key) | Step::Odd(key) => object.get_key_mut(key),
        Step::Index(index) => object.get_mut(&index.to_string()),
    }
}

fn insert(object: &mut Object, step: &Step, value: Value) {
    match step {
        Step::Key(key) | Step::Odd(key) => object.insert(key, value),
        Step::Index(index) => object.insert(Key::data(&index.to_string()), value),
    };
}

/// JavaScript's `typeof` says `object` or `function`, and it is not null.
fn holds_properties(value: &Value) -> bool {
    value.is_object() || value.type_of() == "function"
}

fn container(next: Option<&Step>) -> Value {
    match next {
        Some(Step::Key(_)) => Value::Object(Object::new()),
        _ => Value::Array(Array::new()),
    }
}

/// What a step leads to, for changing.
fn inner<'v>(at: &'v mut Value, step: &Step) -> Option<&'v mut Value> {
    match at {
        Value::Object(object) => object_inner(object, step),
        Value::Array(items) => {
            let index = index(step)?;
            items.make_mut().get_mut(index)
        }
        Value::Rare(rare) => error_mut(rare)?.properties.get_mut(&step.key()),
        _ => None,
    }
}

fn index(step: &Step) -> Option<usize> {
    match step {
        Step::Index(index) => Some(*index),
        Step::Key(key) | Step::Odd(key) => key.index().map(|index| index as usize),
    }
}

/// An error, for changing; copied first when it is shared.
fn error_mut(rare: &mut Arc<Rare>) -> Option<&mut ErrorValue> {
    if !matches!(**rare, Rare::Error(_)) {
        return None;
    }
    match Arc::make_mut(rare) {
        Rare::Error(error) => Some(error),
        _ => None,
    }
}

fn cannot(step: &Step, why: &str) -> PathError {
    PathError::step(format!("Cannot set property '{}': {why}", step.key()))
}

/// `at[step] = value`. False: it is no object.
fn put(at: &mut Value, step: &Step, value: Value) -> Result<bool, PathError> {
    let is_object = at.is_object();
    match at {
        Value::Object(object) => {
            insert(object, step, value);
            Ok(true)
        }
        Value::Array(items) => put_element(items, step, value),
        Value::Buffer(bytes) => match index(step) {
            Some(index) => {
                // (a byte beyond the end is not stored, as JavaScript does)
                if index < bytes.len() {
                    bytes.make_mut()[index] = number::to_int32(value.to_number()) as u8;
                }
                Ok(true)
            }
            None => Err(cannot(step, "a buffer keeps no properties")),
        },
        Value::Rare(rare) => match error_mut(rare) {
            Some(error) => {
                match &*step.key() {
                    "name" => error.name = value.to_str(),
                    "message" => error.message = value.to_str(),
                    "stack" => error.stack = value.to_str(),
                    other => drop(error.properties.insert(other, value)),
                }
                Ok(true)
            }
            None if is_object => Err(cannot(step, "this kind of object keeps no properties")),
            None => Ok(false),
        },
        Value::Date(_) => Err(cannot(step, "a date keeps no properties")),
        Value::Handle(_) if is_object => Err(cannot(step, "it cannot be changed here")),
        _ => Ok(false),
    }
}

fn put_element(items: &mut Array, step: &Step, value: Value) -> Result<bool, PathError> {
    let Some(index) = index(step) else {
        return match &*step.key() {
            "length" => set_length(items, &value),
            _ => Err(cannot(
                step,
                "an array keeps no properties but its elements",
            )),
        };
    };
    if index >= MAX_ARRAY_LEN {
        return Err(cannot(
            step,
            &format!("an array can have {MAX_ARRAY_LEN} elements"),
        ));
    }
    let items = items.make_mut();
    if index >= items.len() {
        items.resize(index + 1, Value::Undefined);
    }
    items[index] = value;
    Ok(true)
}

fn set_length(items: &mut Array, value: &Value) -> Result<bool, PathError> {
    let length = value.to_number();
    if length < 0.0 || length.fract() != 0.0 || length > MAX_ARRAY_LEN as f64 || length.is_nan() {
        return Err(PathError::step("Invalid array length".to_owned()));
    }
    items.make_mut().resize(length as usize, Value::Undefined);
    Ok(true)
}

/// `delete at[step]`, or taking an array's element out.
fn remove(at: &mut Value, step: &Step) -> Result<bool, PathError> {
    match at {
        Value::Undefined | Value::Null => return Err(nothing()),
        Value::Object(object) => drop(object.remove(&step.key())),
        Value::Array(items) => match step {
            Step::Index(index) if *index < items.len() => drop(items.make_mut().remove(*index)),
            Step::Index(_) => {}
            // (a name leaves a hole)
            Step::Key(key) | Step::Odd(key) => {
                let index = key.index().map(|index| index as usize);
                if let Some(index) = index.filter(|index| *index < items.len()) {
                    items.make_mut()[index] = Value::Undefined;
                }
            }
        },
        Value::Rare(rare) => {
            if let Some(error) = error_mut(rare) {
                error.properties.remove(&step.key());
            }
        }
        _ => {}
    }
    Ok(true)
}
