//! Operators and properties, with JavaScript's meaning. `None` is a bail-out: something rare, or an exception.

use crate::call::Context;
use vgdc_value::{Key, Value, number};

/// Names that JavaScript finds on prototypes.
fn is_inherited(name: &str) -> bool {
    matches!(
        name,
        "constructor"
            | "toString"
            | "valueOf"
            | "toLocaleString"
            | "hasOwnProperty"
            | "isPrototypeOf"
            | "propertyIsEnumerable"
            | "__proto__"
            | "__defineGetter__"
            | "__defineSetter__"
            | "__lookupGetter__"
            | "__lookupSetter__"
    )
}

/// Names that all arrays have, or (of what a regular expression found) some.
fn is_of_arrays(name: &str) -> bool {
    matches!(
        name,
        "at" | "with"
            | "concat"
            | "copyWithin"
            | "every"
            | "some"
            | "forEach"
            | "map"
            | "filter"
            | "reduce"
            | "reduceRight"
            | "fill"
            | "find"
            | "findIndex"
            | "findLast"
            | "findLastIndex"
            | "indexOf"
            | "lastIndexOf"
            | "includes"
            | "join"
            | "pop"
            | "push"
            | "shift"
            | "unshift"
            | "reverse"
            | "toReversed"
            | "sort"
            | "toSorted"
            | "slice"
            | "splice"
            | "toSpliced"
            | "flat"
            | "flatMap"
            | "values"
            | "keys"
            | "entries"
            | "index"
            | "input"
            | "groups"
            | "indices"
    ) || is_inherited(name)
}

/// Names that all texts have.
fn is_of_texts(name: &str) -> bool {
    matches!(
        name,
        "at" | "charAt"
            | "charCodeAt"
            | "codePointAt"
            | "concat"
            | "isWellFormed"
            | "toWellFormed"
            | "indexOf"
            | "lastIndexOf"
            | "includes"
            | "endsWith"
            | "startsWith"
            | "match"
            | "matchAll"
            | "search"
            | "split"
            | "substring"
            | "substr"
            | "slice"
            | "repeat"
            | "replace"
            | "replaceAll"
            | "padEnd"
            | "padStart"
            | "trim"
            | "trimEnd"
            | "trimRight"
            | "trimStart"
            | "trimLeft"
            | "toLowerCase"
            | "toUpperCase"
            | "toLocaleLowerCase"
            | "toLocaleUpperCase"
            | "normalize"
            | "localeCompare"
            | "anchor"
            | "big"
            | "blink"
            | "bold"
            | "fixed"
            | "fontcolor"
            | "fontsize"
            | "italics"
            | "link"
            | "small"
            | "strike"
            | "sub"
            | "sup"
    ) || is_inherited(name)
}

/// Names that all numbers have; truth values have some of them.
fn is_of_numbers(name: &str) -> bool {
    matches!(name, "toExponential" | "toFixed" | "toPrecision") || is_inherited(name)
}

/// The index that a number is, if it is one.
pub(crate) fn index_of(n: f64) -> Option<usize> {
    ((0.0..4_294_967_295.0).contains(&n) && n.trunc() == n).then_some(n as usize)
}

/// `ToNumber`.
pub(crate) fn to_number(value: &Value) -> Option<f64> {
    match value {
        Value::Handle(_) | Value::Rare(_) => None,
        other => Some(other.to_number()),
    }
}

/// `ToString`.
pub(crate) fn to_text(value: &Value) -> Option<Value> {
    match value {
        Value::Str(_) => Some(value.clone()),
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Buffer(_) => {
            Some(Value::from(value.to_js_string()))
        }
        Value::Object(object) => {
            let own = object.contains_key("toString") || object.contains_key("valueOf");
            (!own).then(|| Value::from("[object Object]"))
        }
        Value::Array(items) => {
            let plain = items.iter().all(|item| {
                matches!(
                    item,
                    Value::Undefined
                        | Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::Str(_)
                )
            });
            plain.then(|| Value::from(value.to_js_string()))
        }
        Value::Date(ms) => crate::dates::text(*ms).map(Value::from),
        Value::Handle(_) | Value::Rare(_) => None,
    }
}

/// `a + b`
pub(crate) fn add(a: &Value, b: &Value) -> Option<Value> {
    let primitive = |value: &Value| {
        matches!(
            value,
            Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_)
        )
    };
    if primitive(a) && primitive(b) {
        return Some(Value::Number(a.to_number() + b.to_number()));
    }
    let (a, b) = (to_text(a)?, to_text(b)?);
    let (a, b) = (a.as_str()?, b.as_str()?);
    let mut whole = String::with_capacity(a.len() + b.len());
    whole.push_str(a);
    whole.push_str(b);
    Some(Value::from(whole))
}

fn is_object(value: &Value) -> bool {
    matches!(
        value,
        Value::Object(_) | Value::Array(_) | Value::Buffer(_) | Value::Date(_)
    )
}

fn is_rare(value: &Value) -> bool {
    matches!(value, Value::Handle(_) | Value::Rare(_))
}

/// `a === b`. Which object is which, copies on write do not tell.
pub(crate) fn strict_equal(a: &Value, b: &Value) -> Option<bool> {
    let unknown = is_rare(a) || is_rare(b) || is_object(a) && is_object(b);
    (!unknown).then(|| a.strict_eq(b))
}

/// `a == b`
pub(crate) fn loose_equal(a: &Value, b: &Value) -> Option<bool> {
    if is_rare(a) || is_rare(b) || is_object(a) && is_object(b) {
        return None;
    }
    if is_object(a) || is_object(b) {
        let (object, other) = if is_object(a) { (a, b) } else { (b, a) };
        // (what is no primitive becomes a text first)
        return match other {
            Value::Undefined | Value::Null => Some(false),
            _ => Some(to_text(object)?.loose_eq(other)),
        };
    }
    Some(a.loose_eq(b))
}

/// `<`, `>`, `<=`, `>=`
pub(crate) fn less(a: &Value, b: &Value, mode: u32) -> Option<bool> {
    if is_rare(a) || is_rare(b) {
        return None;
    }
    Some(match mode {
        0 => a.less_than(b) == Some(true),
        1 => b.less_than(a) == Some(true),
        2 => b.less_than(a) == Some(false),
        _ => a.less_than(b) == Some(false),
    })
}

/// `key in object`
pub(crate) fn has(key: &Value, object: &Value) -> Option<bool> {
    let key = to_text(key)?;
    let key = key.as_str()?;
    let object = match object {
        Value::Object(object) => object,
        Value::Array(items) => {
            let index = Key::data(key).index()?;
            return Some((index as usize) < items.len());
        }
        _ => return None,
    };
    match object.contains_key(key) {
        true => Some(true),
        false if is_inherited(key) => None,
        false => Some(false),
    }
}

/// A value inside another one, or one that is made and put into the scratch slot.
pub(crate) enum Found<'v> {
    Inside(&'v Value),
    Made(Value),
}

/// `base.key`, for a key that names no method.
pub(crate) fn get<'v>(base: &'v Value, key: &Key) -> Option<Found<'v>> {
    match base {
        Value::Object(object) => Some(match object.get_key(key) {
            Some(value) => Found::Inside(value),
            None => Found::Made(Value::Undefined),
        }),
        Value::Array(items) => Some(match key.index() {
            Some(index) => items
                .get(index as usize)
                .map_or(Found::Made(Value::Undefined), Found::Inside),
            None if is_of_arrays(key.as_str()) => return None,
            None => Found::Made(base.get(key.as_str())),
        }),
        Value::Str(_) if is_of_texts(key.as_str()) => None,
        Value::Str(_) => Some(Found::Made(base.get(key.as_str()))),
        Value::Buffer(_) if key.as_str() == "length" || key.index().is_some() => {
            Some(Found::Made(base.get(key.as_str())))
        }
        Value::Bool(_) | Value::Number(_) if is_of_numbers(key.as_str()) => None,
        Value::Bool(_) | Value::Number(_) => Some(Found::Made(Value::Undefined)),
        // (what a handle has not may be a method; nothing can be changed in it)
        Value::Handle(handle) => match handle.props() {
            Value::Object(props) => props.get_key(key).map(Found::Inside),
            _ => None,
        },
        _ => None,
    }
}

/// `base[key]`
pub(crate) fn get_value<'v>(base: &'v Value, key: &Value) -> Option<Found<'v>> {
    match key {
        Value::Number(n) => get_index(base, *n),
        Value::Str(text) => {
            let key = Key::data(text);
            let own = match base {
                Value::Object(object) => object.get_key(&key).is_some() || !is_inherited(text),
                // (anything else may be a method)
                Value::Array(_) | Value::Str(_) | Value::Buffer(_) => {
                    key.index().is_some() || &**text == "length"
                }
                _ => false,
            };
            if own { get(base, &key) } else { None }
        }
        Value::Undefined | Value::Null | Value::Bool(_) => match base {
            Value::Object(_) => get(base, &Key::data(&key.to_js_string())),
            _ => None,
        },
        _ => None,
    }
}

/// `base[n]`
pub(crate) fn get_index(base: &Value, n: f64) -> Option<Found<'_>> {
    match base {
        Value::Array(items) => {
            let found = index_of(n).and_then(|index| items.get(index));
            Some(found.map_or(Found::Made(Value::Undefined), Found::Inside))
        }
        Value::Object(object) => Some(match object.get(&number::to_js_string(n)) {
            Some(value) => Found::Inside(value),
            None => Found::Made(Value::Undefined),
        }),
        Value::Str(_) => Some(Found::Made(match index_of(n) {
            Some(_) => base.get(&number::to_js_string(n)),
            None => Value::Undefined,
        })),
        Value::Buffer(bytes) => {
            let byte = index_of(n).and_then(|index| bytes.get(index)).copied();
            Some(Found::Made(byte.map_or(Value::Undefined, Value::from)))
        }
        _ => None,
    }
}

/// The place of what is to be changed inside: only what can be changed inside.
pub(crate) fn place<'v>(base: &'v mut Value, key: &Key) -> Option<&'v mut Value> {
    let found = match base {
        Value::Object(object) => object.get_key_mut(key)?,
        Value::Array(items) => items.make_mut().get_mut(key.index()? as usize)?,
        _ => return None,
    };
    matches!(found, Value::Object(_) | Value::Array(_) | Value::Buffer(_)).then_some(found)
}

/// The same by a computed key.
pub(crate) fn place_value<'v>(base: &'v mut Value, key: &Value) -> Option<&'v mut Value> {
    match key {
        Value::Number(n) => place_index(base, *n),
        Value::Str(text) => place(base, &Key::data(text)),
        _ => None,
    }
}

/// The same by an index.
pub(crate) fn place_index(base: &mut Value, n: f64) -> Option<&mut Value> {
    let found = match base {
        Value::Array(items) => items.make_mut().get_mut(index_of(n)?)?,
        Value::Object(object) => object.get_mut(&number::to_js_string(n))?,
        _ => return None,
    };
    matches!(found, Value::Object(_) | Value::Array(_) | Value::Buffer(_)).then_some(found)
}

/// `base.key = value`
pub(crate) fn set(base: &mut Value, key: &Key, value: Value) -> Option<()> {
    match base {
        Value::Object(object) => {
            object.insert(key.clone(), value);
            Some(())
        }
        Value::Array(_) => set_index(base, f64::from(key.index()?), value),
        _ => None,
    }
}

/// `base[key] = value`
pub(crate) fn set_value(base: &mut Value, key: &Value, value: Value) -> Option<()> {
    match key {
        Value::Number(n) => set_index(base, *n, value),
        Value::Str(text) if &**text != "__proto__" => set(base, &Key::data(text), value),
        Value::Undefined | Value::Null | Value::Bool(_) => {
            set(base, &Key::data(&key.to_js_string()), value)
        }
        _ => None,
    }
}

/// `base[n] = value`. A hole in an array is left to the engine.
pub(crate) fn set_index(base: &mut Value, n: f64, value: Value) -> Option<()> {
    match base {
        Value::Array(items) => {
            let index = index_of(n)?;
            if index > items.len() {
                return None;
            }
            let items = items.make_mut();
            match items.get_mut(index) {
                Some(place) => *place = value,
                None => items.push(value),
            }
            Some(())
        }
        Value::Object(object) => {
            object.insert(Key::data(&number::to_js_string(n)), value);
            Some(())
        }
        Value::Buffer(bytes) => {
            let (index, value) = (index_of(n)?, value.as_f64()?);
            if let Some(byte) = bytes.make_mut().get_mut(index) {
                *byte = number::to_uint32(value) as u8;
            }
            Some(())
        }
        _ => None,
    }
}

/// `delete base.key`
pub(crate) fn delete(base: &mut Value, key: &str) -> Option<()> {
    match base {
        Value::Object(object) => {
            object.remove(key);
            Some(())
        }
        _ => None,
    }
}

/// `{...value}`
pub(crate) fn spread_object(into: &mut Value, value: &Value) -> Option<()> {
    let Value::Object(into) = into else {
        return None;
    };
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                into.insert(key.clone(), value.clone());
            }
            Some(())
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                into.insert(Key::data(&at.to_string()), value.clone());
            }
            Some(())
        }
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) => Some(()),
        _ => None,
    }
}

/// `[...value]`
pub(crate) fn spread_array(into: &mut Value, value: &Value) -> Option<()> {
    match (into, value) {
        (Value::Array(into), Value::Array(items)) => {
            let items = items.clone();
            into.make_mut().extend(items.iter().cloned());
            Some(())
        }
        _ => None,
    }
}

/// Fills a cache with where a property was found.
pub(crate) fn remember(context: &mut Context, cache: u32, base: &Value, key: &Key) {
    if let Value::Object(object) = base
        && let Some((names, distance)) = object.place_of(key)
    {
        context.remember(cache, names, distance);
    }
}

/// The address that says which names an object has, if those are shared by others.
pub(crate) fn names_of(base: &Value) -> Option<usize> {
    match base {
        Value::Object(object) => object.names(),
        _ => None,
    }
}

/// The same for an object that does not have this name.
pub(crate) fn names_without(base: &Value, key: &Key) -> Option<usize> {
    match base {
        Value::Object(object) if object.get_key(key).is_none() => object.names(),
        _ => None,
    }
}

/// The id of a message; undefined when it has none.
pub(crate) fn id_of(msg: &Value) -> Value {
    let id = match msg {
        Value::Object(object) => object.get_key(&Key::MSGID).cloned(),
        _ => None,
    };
    id.unwrap_or_default()
}
