//! Objects: names and values in JavaScript's order.

use crate::{Key, Value};
use std::sync::Arc;

#[derive(Clone, Default)]
struct Data {
    /// Integer-like names first, ascending; then the others in the order in which they were added.
    entries: Vec<(Key, Value)>,
    /// How many of the entries have integer-like names.
    indices: usize,
    /// Where each name stands, once there are many.
    places: Option<std::collections::HashMap<Key, usize>>,
}

/// Names above which an object is searched by a table.
const MANY: usize = 24;

/// A plain object. Copied on write.
#[derive(Clone, Default)]
pub struct Object(Arc<Data>);

impl Data {
    fn place(&self, key: &str) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(key).copied(),
            None => self.entries.iter().position(|(known, _)| known.as_str() == key),
        }
    }

    fn renumber(&mut self) {
        self.places = (self.entries.len() > MANY)
            .then(|| self.entries.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect());
    }

    fn insert(&mut self, key: Key, value: Value) -> Option<Value> {
        if let Some(place) = self.place(key.as_str()) {
            return Some(std::mem::replace(&mut self.entries[place].1, value));
        }
        match key.index() {
            Some(index) => {
                let at = self.entries[..self.indices].partition_point(|(known, _)| known.index() < Some(index));
                let last = at == self.entries.len();
                self.indices += 1;
                self.entries.insert(at, (key, value));
                if last { self.added() } else { self.renumber() }
            }
            None => {
                self.entries.push((key, value));
                self.added();
            }
        }
        None
    }

    /// The last entry is new.
    fn added(&mut self) {
        let place = self.entries.len() - 1;
        match &mut self.places {
            Some(places) => drop(places.insert(self.entries[place].0.clone(), place)),
            None if self.entries.len() > MANY => self.renumber(),
            None => {}
        }
    }

    fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.place(key)?;
        if place < self.indices {
            self.indices -= 1;
        }
        let (_, value) = self.entries.remove(place);
        if self.places.is_some() {
            self.renumber();
        }
        Some(value)
    }
}

impl Object {
    /// An empty object.
    pub fn new() -> Object {
        Object::default()
    }

    /// An empty object with room for this many properties.
    pub fn with_capacity(capacity: usize) -> Object {
        Object(Arc::new(Data { entries: Vec::with_capacity(capacity), ..Data::default() }))
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// True when it has no property.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The value of a property.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.place(key).map(|place| &self.0.entries[place].1)
    }

    /// The value of a property.
    pub fn get_key(&self, key: &Key) -> Option<&Value> {
        self.get(key.as_str())
    }

    /// True when it has the property.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.place(key).is_some()
    }

    /// Sets a property; gives its value before.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        Arc::make_mut(&mut self.0).insert(key.into(), value.into())
    }

    /// The value of a property, for changing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let place = self.0.place(key)?;
        Some(&mut Arc::make_mut(&mut self.0).entries[place].1)
    }

    /// The object in a property; what is there and is no object is replaced by an empty one.
    pub fn get_or_insert_object(&mut self, key: &str) -> &mut Object {
        if !matches!(self.get(key), Some(Value::Object(_))) {
            self.insert(key, Value::Object(Object::new()));
        }
        match self.get_mut(key) {
            Some(Value::Object(object)) => object,
            _ => unreachable!("it was put there"),
        }
    }

    /// Removes a property; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.place(key)?;
        Arc::make_mut(&mut self.0).remove(key)
    }

    /// Names and values in JavaScript's order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Value)> + ExactSizeIterator {
        self.0.entries.iter().map(|(key, value)| (key, value))
    }

    /// The names in JavaScript's order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator {
        self.0.entries.iter().map(|(key, _)| key)
    }

    /// The values in the order of their names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.0.entries.iter().map(|(_, value)| value)
    }

    /// The values, for changing.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        Arc::make_mut(&mut self.0).entries.iter_mut().map(|(_, value)| value)
    }

    /// Keeps the properties for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &Value) -> bool) {
        let data = Arc::make_mut(&mut self.0);
        data.entries.retain(|(key, value)| keep(key, value));
        data.indices = data.entries.iter().take_while(|(key, _)| key.index().is_some()).count();
        data.renumber();
    }

    /// True when both are the same object in memory.
    pub fn ptr_eq(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut object = Object::new();
        object.extend(entries);
        object
    }
}

impl<K: Into<Key>, V: Into<Value>> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let data = Arc::make_mut(&mut self.0);
        for (key, value) in entries {
            data.insert(key.into(), value.into());
        }
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&Value::Object(self.clone()), f)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        Value::Object(self.clone()).deep_eq(&Value::Object(other.clone()))
    }
}
