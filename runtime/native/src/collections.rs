//! `Map` and `Set`, in calls that work on references (`heap.rs`): they live in the heap of the call and cannot leave it.
//!
//! `None` is a bail-out: a key that is neither a primitive nor an object of the call, or what is no such collection.

use crate::heap::{Heap, is_reference};
use std::collections::HashMap;
use vgdc_plan::native::Builtin;
use vgdc_value::{Str, Value};

/// A key, equal where JavaScript finds it again (`SameValueZero`).
#[derive(PartialEq, Eq, Hash)]
enum Id {
    Undefined,
    Null,
    Bool(bool),
    Number(u64),
    Text(Str),
    /// An object of the call.
    Object(usize),
}

impl Id {
    fn of(value: &Value) -> Option<Id> {
        Some(match value {
            Value::Undefined => Id::Undefined,
            Value::Null => Id::Null,
            Value::Bool(value) => Id::Bool(*value),
            Value::Number(n) if n.is_nan() => Id::Number(f64::NAN.to_bits()),
            // (-0 is 0)
            Value::Number(n) => Id::Number((n + 0.0).to_bits()),
            Value::Str(text) => Id::Text(text.clone()),
            other => Id::Object(crate::heap::number(other)?),
        })
    }
}

/// Keys with their values, in the order in which they came. A set has its keys as values.
#[derive(Default)]
pub(crate) struct Collection {
    is_map: bool,
    places: HashMap<Id, usize>,
    /// `None` where something was deleted.
    entries: Vec<Option<(Value, Value)>>,
}

impl Collection {
    pub(crate) fn new(is_map: bool) -> Collection {
        Collection {
            is_map,
            ..Collection::default()
        }
    }

    fn put(&mut self, key: &Value, value: Value) -> Option<()> {
        let id = Id::of(key)?;
        // (of two zeros a collection keeps the positive one)
        let key = match key {
            Value::Number(n) => Value::Number(n + 0.0),
            other => other.clone(),
        };
        let value = if self.is_map { value } else { key.clone() };
        if let Some(at) = self.places.get(&id) {
            if let Some(Some(entry)) = self.entries.get_mut(*at) {
                entry.1 = value;
            }
            return Some(());
        }
        self.places.insert(id, self.entries.len());
        self.entries.push(Some((key, value)));
        Some(())
    }

    fn get(&self, key: &Value) -> Option<Option<&Value>> {
        let at = self.places.get(&Id::of(key)?);
        let entry = at.and_then(|at| self.entries.get(*at)?.as_ref());
        Some(entry.map(|(_, value)| value))
    }

    fn delete(&mut self, key: &Value) -> Option<bool> {
        let Some(at) = self.places.remove(&Id::of(key)?) else {
            return Some(false);
        };
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = None;
        }
        Some(true)
    }

    fn list(&self, each: impl FnMut(&(Value, Value)) -> Value) -> Vec<Value> {
        self.entries.iter().flatten().map(each).collect()
    }
}

/// Makes a collection of what an array holds.
fn made(heap: &mut Heap, is_map: bool, args: &[Value]) -> Option<Value> {
    let mut collection = Collection::new(is_map);
    match args {
        [] | [Value::Undefined | Value::Null] => {}
        [items] => {
            heap.open(items);
            let Value::Array(items) = heap.content(items).clone() else {
                return None;
            };
            for item in &items {
                if !is_map {
                    collection.put(item, item.clone())?;
                    continue;
                }
                heap.open(item);
                let Value::Array(pair) = heap.content(item) else {
                    return None;
                };
                let part = |at: usize| pair.get(at).cloned().unwrap_or_default();
                collection.put(&part(0), part(1))?;
            }
        }
        _ => return None,
    }
    Some(heap.collect(collection))
}

/// Calls a function of collections; `None` in the outer place for any other.
pub(crate) fn call(heap: &mut Heap, which: Builtin, args: &[Value]) -> Option<Option<Value>> {
    match which {
        Builtin::NewSet => return Some(made(heap, false, args)),
        Builtin::NewMap => return Some(made(heap, true, args)),
        Builtin::SetAdd
        | Builtin::MapSet
        | Builtin::MapGet
        | Builtin::SetHas
        | Builtin::SetDelete
        | Builtin::SetClear
        | Builtin::SetSize
        | Builtin::SetKeys
        | Builtin::SetValues
        | Builtin::SetEntries => {}
        _ => return None,
    }
    Some(on(heap, which, args))
}

fn on(heap: &mut Heap, which: Builtin, args: &[Value]) -> Option<Value> {
    let (receiver, args) = args.split_first()?;
    let none = Value::Undefined;
    let (key, value) = (args.first().unwrap_or(&none), args.get(1).unwrap_or(&none));
    // (what is inside a collection has a name: it may be in other places, too)
    if !is_reference(key) && crate::heap::is_object(key)
        || !is_reference(value) && crate::heap::is_object(value)
    {
        return None;
    }
    let collection = heap.collection(receiver)?;
    let entries = match which {
        Builtin::SetAdd if !collection.is_map => {
            collection.put(key, key.clone())?;
            return Some(receiver.clone());
        }
        Builtin::MapSet if collection.is_map => {
            collection.put(key, value.clone())?;
            return Some(receiver.clone());
        }
        Builtin::MapGet if collection.is_map => {
            return Some(collection.get(key)?.cloned().unwrap_or_default());
        }
        Builtin::SetHas => return Some(Value::Bool(collection.get(key)?.is_some())),
        Builtin::SetDelete => return Some(Value::Bool(collection.delete(key)?)),
        Builtin::SetClear => {
            *collection = Collection::new(collection.is_map);
            return Some(Value::Undefined);
        }
        Builtin::SetSize => return Some(Value::from(collection.places.len())),
        Builtin::SetKeys => collection.list(|(key, _)| key.clone()),
        Builtin::SetValues => collection.list(|(_, value)| value.clone()),
        Builtin::SetEntries => {
            let pairs =
                collection.list(|(key, value)| Value::from(vec![key.clone(), value.clone()]));
            pairs.into_iter().map(|pair| heap.own(pair)).collect()
        }
        _ => return None,
    };
    Some(heap.own(Value::from(entries)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::Object;

    fn begun() -> Heap {
        let mut heap = Heap::default();
        heap.begin(&mut Value::Object(Object::new()));
        heap
    }

    fn list(heap: &mut Heap, which: Builtin, receiver: &Value) -> Value {
        let made = on(heap, which, std::slice::from_ref(receiver)).expect("a list");
        heap.resolve(&made).expect("plain values")
    }

    #[test]
    fn a_key_is_found_again_as_javascript_finds_it() {
        let mut heap = begun();
        let set = made(&mut heap, false, &[]).expect("a set");
        let object = heap.own(Value::Object(Object::new()));
        let twin = heap.own(Value::Object(Object::new()));
        for key in [
            Value::Number(-0.0),
            Value::Number(0.0),
            Value::Number(f64::NAN),
            Value::Number(f64::NAN),
            Value::from("0"),
            object.clone(),
            object,
            twin,
        ] {
            on(&mut heap, Builtin::SetAdd, &[set.clone(), key]).expect("is added");
        }
        assert_eq!(
            on(&mut heap, Builtin::SetSize, std::slice::from_ref(&set)),
            Some(Value::from(5))
        );
        let keys = list(&mut heap, Builtin::SetKeys, &set);
        let first = keys
            .as_array()
            .and_then(|keys| keys.first())
            .and_then(Value::as_f64);
        assert!(first.is_some_and(|n| n == 0.0 && n.is_sign_positive()));
    }

    #[test]
    fn what_was_deleted_comes_last_when_it_comes_again() {
        let mut heap = begun();
        let pair =
            |key: &str, value: f64| Value::from(vec![Value::from(key), Value::Number(value)]);
        let pairs = heap.own(Value::from(vec![
            pair("a", 1.0),
            pair("b", 2.0),
            pair("a", 3.0),
        ]));
        let map = made(&mut heap, true, &[pairs]).expect("a map");
        let call = |heap: &mut Heap, which, args: &[Value]| {
            let args: Vec<Value> = std::iter::once(map.clone())
                .chain(args.iter().cloned())
                .collect();
            on(heap, which, &args).expect("is done")
        };
        assert_eq!(
            call(&mut heap, Builtin::MapGet, &[Value::from("a")]),
            Value::Number(3.0)
        );
        assert_eq!(
            call(&mut heap, Builtin::SetDelete, &[Value::from("a")]),
            Value::Bool(true)
        );
        assert_eq!(
            call(&mut heap, Builtin::SetHas, &[Value::from("a")]),
            Value::Bool(false)
        );
        call(
            &mut heap,
            Builtin::MapSet,
            &[Value::from("a"), Value::Number(4.0)],
        );
        let entries = list(&mut heap, Builtin::SetEntries, &map);
        assert_eq!(entries, Value::from(vec![pair("b", 2.0), pair("a", 4.0)]));
    }

    #[test]
    fn a_collection_does_not_leave_the_call() {
        let mut heap = begun();
        let set = made(&mut heap, false, &[]).expect("a set");
        let around = heap.own(Value::from(vec![set.clone()]));
        assert_eq!((heap.resolve(&set), heap.resolve(&around)), (None, None));
        // (nor does what is no collection become one)
        assert_eq!(on(&mut heap, Builtin::SetHas, &[around, Value::Null]), None);
        assert_eq!(on(&mut heap, Builtin::MapGet, &[set, Value::Null]), None);
    }
}
