//! Objects that several names lead to: the heap of one call.
//!
//! Values are copied on write, and nearly all code never notices. Code that changes an object which it knows by two names
//! does, so such code works on references: each object that it meets is put into a cell of this heap, and what its frame and
//! other cells hold is the number of the cell. What comes from outside (the message, what a context holds) is put into cells
//! only as far as the code looks into it: what is further inside stays the value that it was until somebody asks for it.
//!
//! * A slot of the frame holds a primitive or a reference, never an object itself.
//! * A cell holds an object whose values are primitives, references, or objects that are in no cell and have no references
//!   in them.
//! * No reference leaves the call: what goes out (is sent, logged, stored, returned) is [resolved](Heap::resolve) to plain
//!   values. An object inside itself has none, and the call bails out.
//! * A reference is a handle, which every helper that does not know of this bails out of.
//!
//! What a context gives is the object that it holds, in JavaScript: it is tracked, and when the call has ended what was
//! changed is stored again, as the engine does it.

use crate::call::Scope;
use crate::collections::Collection;
use std::sync::Arc;
use vgdc_value::{Array, Handle, Object, Value};

/// Deeper structures are left to the engine.
const DEEPEST: u32 = 200;

/// The number of a cell, inside a handle.
struct Reference(u32);

/// What a cell holds for a map or a set: its number, inside a handle that no helper knows.
struct Collected(usize);

/// The objects of a call.
#[derive(Default)]
pub(crate) struct Heap {
    /// The references to the cells, made once for all calls.
    references: Vec<Value>,
    cells: Vec<Cell>,
    tracked: Vec<Tracked>,
    collections: Vec<Collection>,
    /// How often something was resolved.
    round: u64,
    on: bool,
}

struct Cell {
    now: Value,
    /// What it was made of, if it came from outside.
    before: Value,
    /// What it was resolved to, in that round.
    resolved: (u64, Value),
    /// It is being resolved.
    busy: bool,
}

/// An object that is also in a context.
struct Tracked {
    scope: Scope,
    key: String,
    store: Option<String>,
    object: Value,
    /// What the context holds for it.
    stored: Value,
}

impl Tracked {
    fn is(&self, scope: Scope, key: &str, store: Option<&str>) -> bool {
        self.scope == scope && self.key == key && self.store.as_deref() == store
    }
}

/// An object of a context that has changed.
pub(crate) struct Changed {
    pub(crate) scope: Scope,
    pub(crate) key: String,
    pub(crate) store: Option<String>,
    /// What the context held.
    pub(crate) stored: Value,
    pub(crate) now: Value,
}

/// Whether a value is an object, which several names can lead to.
pub(crate) fn is_object(value: &Value) -> bool {
    matches!(
        value,
        Value::Object(_) | Value::Array(_) | Value::Buffer(_) | Value::Date(_)
    )
}

/// The number of the cell that a value refers to.
pub(crate) fn number(value: &Value) -> Option<usize> {
    match value {
        Value::Handle(handle) => handle.downcast::<Reference>().map(|found| found.0 as usize),
        _ => None,
    }
}

/// Whether a value is the name of an object of a call.
pub(crate) fn is_reference(value: &Value) -> bool {
    number(value).is_some()
}

/// True when both are the same storage, or the same primitive.
pub(crate) fn identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) | (Value::Date(a), Value::Date(b)) => {
            a.to_bits() == b.to_bits()
        }
        _ => a.strict_eq(b),
    }
}

impl Heap {
    /// Whether the call works on references.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// From now on the call works on references.
    pub(crate) fn begin(&mut self, msg: &mut Value) {
        self.on = true;
        *msg = self.adopt(std::mem::take(msg));
    }

    /// The call has ended.
    pub(crate) fn end(&mut self) {
        self.on = false;
        self.cells.clear();
        self.tracked.clear();
        self.collections.clear();
    }

    /// The name of an object from outside; anything else as it is.
    pub(crate) fn adopt(&mut self, value: Value) -> Value {
        let before = value.clone();
        self.cell(value, before)
    }

    /// The name of an object that was made in this call and that nobody else has; anything else as it is.
    pub(crate) fn own(&mut self, value: Value) -> Value {
        self.cell(value, Value::Undefined)
    }

    fn cell(&mut self, now: Value, before: Value) -> Value {
        match is_object(&now) {
            true => self.name(now, before),
            false => now,
        }
    }

    /// A collection, which nobody else has.
    pub(crate) fn collect(&mut self, collection: Collection) -> Value {
        let thing = Arc::new(Collected(self.collections.len()));
        self.collections.push(collection);
        let held = Value::Handle(Handle::new("collection", Value::Undefined, thing));
        self.name(held, Value::Undefined)
    }

    /// The collection that a value refers to.
    pub(crate) fn collection(&mut self, value: &Value) -> Option<&mut Collection> {
        let Value::Handle(handle) = &self.cells.get(number(value)?)?.now else {
            return None;
        };
        let number = handle.downcast::<Collected>()?.0;
        self.collections.get_mut(number)
    }

    fn name(&mut self, now: Value, before: Value) -> Value {
        let at = self.cells.len();
        self.cells.push(Cell {
            now,
            before,
            resolved: (0, Value::Undefined),
            busy: false,
        });
        if let Some(known) = self.references.get(at) {
            return known.clone();
        }
        let thing = Arc::new(Reference(at as u32));
        let made = Value::Handle(Handle::new("reference", Value::Undefined, thing));
        self.references.push(made.clone());
        made
    }

    /// What a value is: the object that it refers to, or itself.
    pub(crate) fn content<'v>(&'v self, value: &'v Value) -> &'v Value {
        match number(value).and_then(|at| self.cells.get(at)) {
            Some(cell) => &cell.now,
            None => value,
        }
    }

    /// The object that a value refers to, for changing.
    pub(crate) fn content_mut(&mut self, value: &Value) -> Option<&mut Value> {
        Some(&mut self.cells.get_mut(number(value)?)?.now)
    }

    /// What stands at a place inside the object that a value refers to. An object gets a name there.
    pub(crate) fn inside(
        &mut self,
        base: &Value,
        place: impl FnOnce(&mut Value) -> Option<&mut Value>,
    ) -> Option<Value> {
        let at = number(base)?;
        let mut whole = std::mem::take(&mut self.cells.get_mut(at)?.now);
        let found = place(&mut whole).map(|found| {
            *found = self.adopt(std::mem::take(found));
            found.clone()
        });
        if let Some(cell) = self.cells.get_mut(at) {
            cell.now = whole;
        }
        found
    }

    /// Gives names to all objects directly inside the one that a value refers to: they are about to be in two places.
    pub(crate) fn open(&mut self, value: &Value) {
        let Some(at) = number(value) else {
            return;
        };
        let Some(cell) = self.cells.get_mut(at) else {
            return;
        };
        let mut whole = std::mem::take(&mut cell.now);
        match &mut whole {
            Value::Object(object) if object.values().any(is_object) => {
                object
                    .values_mut()
                    .for_each(|value| *value = self.adopt(std::mem::take(value)));
            }
            Value::Array(items) if items.iter().any(is_object) => {
                items
                    .make_mut()
                    .iter_mut()
                    .for_each(|value| *value = self.adopt(std::mem::take(value)));
            }
            _ => {}
        }
        self.cells[at].now = whole;
    }

    /// A value without references. `None` for an object inside itself.
    pub(crate) fn resolve(&mut self, value: &Value) -> Option<Value> {
        self.round += 1;
        self.resolve_inside(value, 0)
    }

    /// Values without references, in their places.
    pub(crate) fn resolve_all(&mut self, values: &mut [Value]) -> Option<()> {
        for value in values {
            if is_reference(value) {
                *value = self.resolve(value)?;
            }
        }
        Some(())
    }

    fn resolve_inside(&mut self, value: &Value, depth: u32) -> Option<Value> {
        let Some(at) = number(value) else {
            return Some(value.clone());
        };
        let round = self.round;
        let cell = self.cells.get_mut(at)?;
        if cell.resolved.0 == round {
            return Some(cell.resolved.1.clone());
        }
        if cell.busy || depth > DEEPEST {
            return None;
        }
        let (now, before) = (cell.now.clone(), cell.before.clone());
        // (a map or a set is left to the engine where it leaves the call)
        if matches!(now, Value::Handle(_)) {
            return None;
        }
        let has_references = match &now {
            Value::Object(object) => object.values().any(is_reference),
            Value::Array(items) => items.iter().any(is_reference),
            _ => false,
        };
        if !has_references {
            return Some(now);
        }
        cell.busy = true;
        let made = self.resolve_object(&now, depth);
        let cell = self.cells.get_mut(at)?;
        cell.busy = false;
        // (what was only looked at stays the very value that it was)
        let made = match same(&made?, &before) {
            Ok(()) => before,
            Err(made) => made,
        };
        cell.resolved = (round, made.clone());
        Some(made)
    }

    fn resolve_object(&mut self, now: &Value, depth: u32) -> Option<Value> {
        Some(match now {
            Value::Object(object) => {
                let mut made = Object::with_capacity(object.len());
                for (key, value) in object {
                    made.insert(key.clone(), self.resolve_inside(value, depth + 1)?);
                }
                Value::Object(made)
            }
            Value::Array(items) => {
                let items: Option<Vec<Value>> = items
                    .iter()
                    .map(|value| self.resolve_inside(value, depth + 1))
                    .collect();
                Value::Array(Array::from(items?))
            }
            other => other.clone(),
        })
    }

    /// The object by which the code knows what a context gave. `None`: an object that reaches into it is known already.
    pub(crate) fn track(
        &mut self,
        scope: Scope,
        key: &str,
        store: Option<&str>,
        value: Value,
    ) -> Option<Value> {
        if self.is_related(scope, key, store) {
            return None;
        }
        if !is_object(&value) {
            return Some(value);
        }
        let known = self
            .tracked
            .iter()
            .find(|tracked| tracked.is(scope, key, store) && identical(&tracked.stored, &value));
        if let Some(known) = known {
            return Some(known.object.clone());
        }
        let object = self.adopt(value.clone());
        self.put(scope, key, store, object.clone(), value);
        Some(object)
    }

    /// Notes that a context is given an object. `None`: an object that reaches into it is known already.
    pub(crate) fn stored(
        &mut self,
        scope: Scope,
        key: &str,
        store: Option<&str>,
        object: &Value,
        stored: Value,
    ) -> Option<()> {
        if self.is_related(scope, key, store) {
            return None;
        }
        self.tracked
            .retain(|tracked| !tracked.is(scope, key, store));
        if is_reference(object) {
            self.put(scope, key, store, object.clone(), stored);
        }
        Some(())
    }

    fn put(&mut self, scope: Scope, key: &str, store: Option<&str>, object: Value, stored: Value) {
        self.tracked
            .retain(|tracked| !tracked.is(scope, key, store));
        self.tracked.push(Tracked {
            scope,
            key: key.to_owned(),
            store: store.map(str::to_owned),
            object,
            stored,
        });
    }

    /// Whether an object under another key may reach into this one (`a` and `a.b`).
    fn is_related(&self, scope: Scope, key: &str, store: Option<&str>) -> bool {
        let root = |key: &str| key.split(['.', '[']).next().map(str::to_owned);
        self.tracked.iter().any(|tracked| {
            tracked.scope == scope
                && tracked.store.as_deref() == store
                && tracked.key != key
                && root(&tracked.key) == root(key)
        })
    }

    /// The objects of contexts that have changed.
    pub(crate) fn changed(&mut self) -> Option<Vec<Changed>> {
        let mut found = Vec::new();
        for tracked in std::mem::take(&mut self.tracked) {
            let now = self.resolve(&tracked.object)?;
            if !identical(&now, &tracked.stored) {
                found.push(Changed {
                    scope: tracked.scope,
                    key: tracked.key,
                    store: tracked.store,
                    stored: tracked.stored,
                    now,
                });
            }
        }
        Some(found)
    }
}

/// Whether an object has the very values that another one has; gives it back when not.
fn same(made: &Value, before: &Value) -> Result<(), Value> {
    let equal = match (made, before) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((key, value), (name, other))| key == name && identical(value, other))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| identical(a, b))
        }
        _ => false,
    };
    if equal { Ok(()) } else { Err(made.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(entries: &[(&str, Value)]) -> Value {
        Value::Object(
            entries
                .iter()
                .map(|(key, value)| (*key, value.clone()))
                .collect(),
        )
    }

    fn begun(msg: Value) -> (Heap, Value) {
        let mut heap = Heap::default();
        let mut msg = msg;
        heap.begin(&mut msg);
        (heap, msg)
    }

    fn inside(heap: &mut Heap, base: &Value, key: &str) -> Value {
        let found = heap.inside(base, |base| base.as_object_mut()?.get_mut(key));
        found.expect("is there")
    }

    #[test]
    fn a_change_shows_by_all_names() {
        let (mut heap, msg) = begun(object(&[("a", object(&[("n", Value::from(1))]))]));
        let (one, other) = (inside(&mut heap, &msg, "a"), inside(&mut heap, &msg, "a"));
        assert!(one.strict_eq(&other));
        let changed = heap.content_mut(&one).and_then(Value::as_object_mut);
        changed.expect("an object").insert("n", 2);
        assert_eq!(
            heap.resolve(&msg),
            Some(object(&[("a", object(&[("n", Value::from(2))]))]))
        );
    }

    #[test]
    fn what_was_only_looked_at_stays_the_very_value_that_it_was() {
        let deep = object(&[("a", object(&[("b", object(&[]))]))]);
        let (mut heap, msg) = begun(deep.clone());
        let a = inside(&mut heap, &msg, "a");
        inside(&mut heap, &a, "b");
        let resolved = heap.resolve(&msg).expect("no circle");
        assert!(resolved.strict_eq(&deep));
    }

    #[test]
    fn an_object_inside_itself_is_no_value() {
        let (mut heap, msg) = begun(object(&[]));
        let whole = heap.content_mut(&msg).and_then(Value::as_object_mut);
        whole.expect("an object").insert("self", msg.clone());
        assert_eq!(heap.resolve(&msg), None);
        assert_eq!(heap.resolve(&Value::from(1)), Some(Value::from(1)));
    }

    #[test]
    fn an_object_in_many_places_is_resolved_once() {
        let (mut heap, _) = begun(object(&[]));
        let mut at = heap.own(object(&[]));
        for _ in 0..100 {
            at = heap.own(Value::from(vec![at.clone(), at]));
        }
        assert!(heap.resolve(&at).is_some());
    }

    #[test]
    fn what_a_context_gave_is_stored_again_when_it_has_changed() {
        let (mut heap, _) = begun(object(&[]));
        let stored = object(&[("n", Value::from(1))]);
        let get = |heap: &mut Heap, key: &str| heap.track(Scope::Flow, key, None, stored.clone());
        let c = get(&mut heap, "c").expect("an object");
        assert!(get(&mut heap, "c").is_some_and(|again| again.strict_eq(&c)));
        // (another way into the same object)
        assert!(get(&mut heap, "c.n").is_none());
        assert!(get(&mut heap, "d").is_some_and(|other| !other.strict_eq(&c)));
        let whole = heap.content_mut(&c).and_then(Value::as_object_mut);
        whole.expect("an object").insert("n", 2);
        let changed = heap.changed().expect("no circle");
        let keys: Vec<&str> = changed.iter().map(|changed| changed.key.as_str()).collect();
        assert_eq!(keys, ["c"]);
    }
}
