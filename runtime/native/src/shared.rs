//! What helpers do in calls that work on references (`heap.rs`). `None` is a bail-out.
//!
//! Each is a translation: references are followed as far as what is asked needs it, then the same is done as with values.

use crate::builtin;
use crate::call::{Context, Scope};
use crate::collections;
use crate::heap::{Heap, is_object, is_reference};
use crate::method;
use crate::ops::{self, Found};
use vgdc_plan::native::{Builtin, Host, Method, Mutation};
use vgdc_value::{Key, Object, Value, number};

/// Whether two values are the same object, where both are objects of the call.
fn same(a: &Value, b: &Value) -> Option<bool> {
    (is_reference(a) && is_reference(b)).then(|| a.strict_eq(b))
}

/// `a === b`
pub(crate) fn strict_equal(heap: &mut Heap, a: &Value, b: &Value) -> Option<bool> {
    match same(a, b) {
        Some(same) => Some(same),
        None => ops::strict_equal(heap.content(a), heap.content(b)),
    }
}

/// `a == b`
pub(crate) fn loose_equal(heap: &mut Heap, a: &Value, b: &Value) -> Option<bool> {
    match same(a, b) {
        Some(same) => Some(same),
        None => {
            let (a, b) = (heap.resolve(a)?, heap.resolve(b)?);
            ops::loose_equal(&a, &b)
        }
    }
}

/// `key in object`
pub(crate) fn has(heap: &mut Heap, key: &Value, object: &Value) -> Option<bool> {
    let key = heap.resolve(key)?;
    ops::has(&key, heap.content(object))
}

/// What was found inside an object, as a value that the frame may hold.
fn found(
    heap: &mut Heap,
    base: &Value,
    get: impl FnOnce(&Value) -> Option<Found<'_>>,
    place: impl FnOnce(&mut Value) -> Option<&mut Value>,
) -> Option<Value> {
    match get(heap.content(base))? {
        Found::Made(value) => Some(value),
        Found::Inside(value) if !is_object(value) => Some(value.clone()),
        Found::Inside(_) => heap.inside(base, place),
    }
}

/// Where a property is, whatever it is.
fn place<'v>(base: &'v mut Value, key: &Key) -> Option<&'v mut Value> {
    match base {
        Value::Object(object) => object.get_key_mut(key),
        Value::Array(items) => items.make_mut().get_mut(key.index()? as usize),
        _ => None,
    }
}

/// The same by an index.
fn place_index(base: &mut Value, n: f64) -> Option<&mut Value> {
    match base {
        Value::Array(items) => items.make_mut().get_mut(ops::index_of(n)?),
        other => place(other, &Key::data(&number::to_js_string(n))),
    }
}

/// `base.key`
pub(crate) fn get(heap: &mut Heap, base: &Value, key: &Key) -> Option<Value> {
    found(
        heap,
        base,
        |base| ops::get(base, key),
        |base| place(base, key),
    )
}

/// `base[key]`
pub(crate) fn get_value(heap: &mut Heap, base: &Value, key: &Value) -> Option<Value> {
    let key = heap.resolve(key)?;
    found(
        heap,
        base,
        |base| ops::get_value(base, &key),
        |base| match &key {
            Value::Number(n) => place_index(base, *n),
            other => place(base, &Key::data(&other.to_js_string())),
        },
    )
}

/// `base[n]`
pub(crate) fn get_index(heap: &mut Heap, base: &Value, n: f64) -> Option<Value> {
    found(
        heap,
        base,
        |base| ops::get_index(base, n),
        |base| place_index(base, n),
    )
}

/// `{...value}`
pub(crate) fn spread_object(heap: &mut Heap, into: &Value, value: &Value) -> Option<()> {
    heap.open(value);
    let value = heap.content(value).clone();
    ops::spread_object(heap.content_mut(into)?, &value)
}

/// `[...value]`
pub(crate) fn spread_array(heap: &mut Heap, into: &Value, value: &Value) -> Option<()> {
    heap.open(value);
    let value = heap.content(value).clone();
    ops::spread_array(heap.content_mut(into)?, &value)
}

/// Calls a function of the language.
pub(crate) fn builtin(
    context: &mut Context,
    heap: &mut Heap,
    which: Builtin,
    args: &[Value],
) -> Option<Value> {
    if let Some(made) = collections::call(heap, which, args) {
        return made;
    }
    // (a slot that is looked at keeps its reference)
    let args = &mut args.to_vec()[..];
    let shallow = |heap: &Heap, args: &mut [Value]| {
        for arg in args {
            *arg = heap.content(arg).clone();
        }
    };
    match which {
        Builtin::IsArray | Builtin::IsBuffer | Builtin::ObjectKeys => shallow(heap, args),
        Builtin::SetMessageProperty => return set_property(heap, args).map(Value::Bool),
        // (the value is in many places then)
        Builtin::FilledArray => {}
        Builtin::ArrayFrom => {
            args.iter().for_each(|arg| heap.open(arg));
            shallow(heap, args);
        }
        Builtin::ObjectFromEntries => {
            let entries = args.first()?.clone();
            heap.open(&entries);
            let Value::Array(entries) = heap.content(&entries).clone() else {
                return None;
            };
            entries.iter().for_each(|entry| heap.open(entry));
            let made = builtin::from_entries(&entries, |entry| Some(heap.content(entry).clone()))?;
            return Some(heap.own(made));
        }
        Builtin::ObjectValues | Builtin::ObjectEntries => {
            args.iter().for_each(|arg| heap.open(arg));
            shallow(heap, args);
        }
        _ => heap.resolve_all(args)?,
    }
    let mut made = builtin::call(context, which, args)?;
    if let (Builtin::ObjectEntries, Value::Array(entries)) = (which, &mut made) {
        for entry in entries.make_mut() {
            *entry = heap.own(std::mem::take(entry));
        }
    }
    Some(heap.own(made))
}

/// `RED.util.setMessageProperty`, of a path of names: whether it was set.
fn set_property(heap: &mut Heap, args: &[Value]) -> Option<bool> {
    let [object, path, value, rest @ ..] = args else {
        return None;
    };
    let create = match rest {
        [] | [Value::Undefined] => !value.is_undefined(),
        [create] => create.truthy(),
        _ => return None,
    };
    let (parents, last) = match path.as_str()?.rsplit_once('.') {
        Some((parents, last)) => (parents, last),
        None => ("", path.as_str()?),
    };
    let mut target = object.clone();
    for name in parents.split('.').filter(|name| !name.is_empty()) {
        let key = Key::from(name);
        let Value::Object(known) = heap.content(&target) else {
            return None;
        };
        if known.contains_key(name) {
            target = get(heap, &target, &key)?;
            if !is_reference(&target) {
                return Some(false);
            }
            continue;
        }
        if !create {
            return Some(false);
        }
        let made = heap.own(Value::Object(Object::new()));
        ops::set(heap.content_mut(&target)?, &key, made.clone())?;
        target = made;
    }
    let target = heap.content_mut(&target)?;
    match value.is_undefined() {
        true => ops::delete(target, last)?,
        false => ops::set(target, &Key::from(last), value.clone())?,
    }
    Some(true)
}

/// Calls a method that changes nothing.
pub(crate) fn method(
    heap: &mut Heap,
    which: Method,
    receiver: &Value,
    args: &mut [Value],
) -> Option<Value> {
    let made = match (which, heap.content(receiver)) {
        // (what is inside is in two places then)
        (Method::Slice | Method::Concat, Value::Array(_)) => {
            heap.open(receiver);
            for arg in args.iter_mut() {
                heap.open(arg);
                if let Value::Array(items) = heap.content(arg) {
                    *arg = Value::Array(items.clone());
                }
            }
            let receiver = heap.content(receiver).clone();
            method::call(which, &receiver, args)?
        }
        (Method::Flat, Value::Array(_)) => {
            heap.open(receiver);
            let Value::Array(items) = heap.content(receiver).clone() else {
                return None;
            };
            let mut whole = Vec::with_capacity(items.len());
            for item in &items {
                heap.open(item);
                match heap.content(item) {
                    Value::Array(inner) => whole.extend(inner.iter().cloned()),
                    _ => whole.push(item.clone()),
                }
            }
            args.is_empty().then(|| Value::Array(whole.into()))?
        }
        (
            Method::IndexOf | Method::LastIndexOf | Method::Includes | Method::At,
            Value::Array(_),
        ) => {
            heap.open(receiver);
            method::call(which, heap.content(receiver), args)?
        }
        (Method::HasOwnProperty, _) => {
            heap.resolve_all(args)?;
            method::call(which, heap.content(receiver), args)?
        }
        _ => {
            heap.resolve_all(args)?;
            let receiver = heap.resolve(receiver)?;
            method::call(which, &receiver, args)?
        }
    };
    Some(heap.own(made))
}

/// Calls a method that changes its receiver.
pub(crate) fn mutate(
    heap: &mut Heap,
    which: Mutation,
    receiver: &Value,
    args: &mut [Value],
) -> Option<Value> {
    if which == Mutation::SortBy
        && let Some(keys) = args.first_mut()
    {
        *keys = heap.resolve(keys)?;
    }
    let made = method::mutate(which, heap.content_mut(receiver)?, args)?;
    Some(match which {
        // (they give their receiver)
        Mutation::Reverse | Mutation::Sort | Mutation::SortBy | Mutation::Fill => receiver.clone(),
        _ => heap.own(made),
    })
}

/// Asks the node.
pub(crate) fn host(
    context: &mut Context,
    heap: &mut Heap,
    which: Host,
    args: &mut [Value],
) -> Option<Value> {
    let scope = builtin::scope(which);
    match which {
        Host::NodeGet | Host::FlowGet | Host::GlobalGet => {
            let (key, store) = (args.first()?.clone(), args.get(1).cloned());
            let (key, store) = (key.as_str()?, builtin::store_name(&store)?);
            let value = context.host().context_get(scope, key, store)?;
            heap.track(scope, key, store, value)
        }
        Host::NodeSet | Host::FlowSet | Host::GlobalSet => {
            let (key, store) = (args.first()?.clone(), args.get(2).cloned());
            let (key, store) = (key.as_str()?, builtin::store_name(&store)?);
            let object = args.get(1).cloned().unwrap_or_default();
            let value = heap.resolve(&object)?;
            heap.stored(scope, key, store, &object, value.clone())?;
            let done = context.host().context_set(scope, key, value, store);
            done.then_some(Value::Undefined)
        }
        _ => {
            heap.resolve_all(args)?;
            let made = builtin::host(context, which, args)?;
            Some(heap.adopt(made))
        }
    }
}

/// Ends a call that has ended well so far: what it gives, and what has changed in contexts is stored.
pub(crate) fn finish(context: &mut Context, heap: &mut Heap, result: &Value) -> Option<Value> {
    let result = heap.resolve(result)?;
    for changed in heap.changed()? {
        let (scope, key, store): (Scope, _, _) =
            (changed.scope, &changed.key, changed.store.as_deref());
        // Where something else was put there since, the object is no longer the context's.
        let current = context.host().context_get(scope, key, store)?;
        if crate::heap::identical(&current, &changed.stored)
            && !context.host().context_set(scope, key, changed.now, store)
        {
            return None;
        }
    }
    Some(result)
}
