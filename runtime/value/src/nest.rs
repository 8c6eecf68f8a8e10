//! Nesting: how deep values from outside may be, and dropping ones of any depth without overflowing the stack.
//!
//! A flow can nest as deep as it likes (`msg.payload = { before: msg.payload }` in a loop). Dropping such a value
//! recursively would need a stack frame a level, so from some depth on what is to be dropped is put aside, and dropped by
//! the outermost drop of the thread.

use crate::Value;
use crate::block::Last;
use std::cell::{Cell, RefCell};

/// How deep values may be nested that are parsed: JSON, the control protocol's values, and CBOR. Values that flows
/// build may be deeper.
pub const MAX_DEPTH: usize = 512;

/// How deep drops go before they are put aside.
const DROPS: u32 = 48;

pub(crate) enum Garbage {
    #[expect(dead_code, reason = "it is there to be dropped")]
    Values(Vec<Value>),
    #[expect(dead_code, reason = "it is there to be dropped")]
    Pairs(Vec<(Value, Value)>),
    #[expect(dead_code, reason = "it is there to be dropped")]
    Block(Last),
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static ASIDE: RefCell<Vec<Garbage>> = const { RefCell::new(Vec::new()) };
}

/// Counts the drop that runs, and counts it out again however it ends.
struct Deeper;

impl Drop for Deeper {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get() - 1));
    }
}

/// Drops the contents of an object.
#[inline]
pub(crate) fn release(block: Last) {
    drop_bounded(block, Garbage::Block);
}

/// Drops the elements of an array or a set.
pub(crate) fn release_values(values: Vec<Value>) {
    drop_bounded(values, Garbage::Values);
}

/// Drops the entries of a map.
pub(crate) fn release_pairs(pairs: Vec<(Value, Value)>) {
    drop_bounded(pairs, Garbage::Pairs);
}

#[inline]
fn drop_bounded<T>(garbage: T, put: fn(T) -> Garbage) {
    let depth = DEPTH
        .try_with(|depth| depth.replace(depth.get() + 1))
        .unwrap_or(1);
    let deeper = Deeper;
    if depth < DROPS {
        drop(garbage);
    } else {
        set_aside(put(garbage));
    }
    if depth == 0 {
        drop_aside();
    }
    drop(deeper);
}

#[cold]
fn set_aside(garbage: Garbage) {
    // (a thread that ends has no list any more: then it is dropped at once)
    let _ = ASIDE.try_with(|aside| aside.borrow_mut().push(garbage));
}

/// Drops what was put aside; what that puts aside in its turn is next.
#[inline]
fn drop_aside() {
    let next = || {
        ASIDE
            .try_with(|aside| aside.borrow_mut().pop())
            .ok()
            .flatten()
    };
    while let Some(garbage) = next() {
        drop(garbage);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Array, Object, Rare, Value};
    use std::sync::Arc;

    fn nested(wrap: fn(Value) -> Value) -> Value {
        (0..200_000).fold(Value::Null, |inner, _| wrap(inner))
    }

    #[test]
    fn deep_values_are_dropped() {
        drop(nested(|inner| Value::from(vec![inner])));
        drop(nested(|inner| {
            Value::Object(Object::from_iter([("a", inner)]))
        }));
        drop(nested(|inner| {
            Value::Rare(Arc::new(Rare::Set(vec![inner])))
        }));
        drop(nested(|inner| {
            Value::Rare(Arc::new(Rare::Map(vec![(Value::Null, inner)])))
        }));
        drop(nested(|inner| {
            Value::Object(Object::from_iter([("a", Array::from(vec![inner]))]))
        }));
    }

    #[test]
    fn what_is_dropped_by_a_drop_is_dropped() {
        struct Holder(#[expect(dead_code, reason = "it is there to be dropped")] Value);
        let counted = Arc::new(());
        let handle = crate::Handle::new("test", Value::Undefined, counted.clone());
        let deep = (0..500).fold(Value::Handle(handle), |inner, _| Value::from(vec![inner]));
        let holder = crate::Handle::new("test", Value::Undefined, Arc::new(Holder(deep)));
        drop(Value::from(vec![Value::Handle(holder)]));
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
