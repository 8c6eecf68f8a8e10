//! Objects: names and values in JavaScript's order, copied on write.
//!
//! An object is one pointer to a block of memory (`block.rs`): names that it nearly always shares with the other objects of
//! its kind (`shape.rs`), and a slot for each value. Cloning counts, changing a shared object copies its slots first.

use crate::block::Block;
use crate::layout::Layout;
use crate::shape::{Shape, Whose};
use crate::{ErrorValue, Key, Value};

/// A plain object. Copied on write.
#[derive(Clone)]
pub struct Object(Block);

/// Slots of an object that is made empty: most get some names at once.
const ROOM: usize = 4;

impl Object {
    /// An empty object.
    pub fn new() -> Object {
        Object::with_capacity(ROOM)
    }

    /// An empty object with room for this many properties.
    pub fn with_capacity(capacity: usize) -> Object {
        Object(Block::new(Layout::empty(), capacity))
    }

    /// An object of names and as many values; of a name that comes twice the last value counts. For parsers: names of data.
    pub(crate) fn of_data(
        keys: impl ExactSizeIterator<Item = Key>,
        values: impl Iterator<Item = Value>,
    ) -> Object {
        let mut object = Object::with_capacity(keys.len());
        keys.zip(values)
            .for_each(|(key, value)| drop(object.put(key, value, Whose::Data)));
        object
    }

    /// An object that stands for an error where only objects can be: a message that is one. It has `name`, `message` and
    /// `stack` first, then the error's properties; protocols write it as the error that it is.
    pub fn of_error(error: &ErrorValue) -> Object {
        let layout = Layout::Shape(Shape::error_root());
        let mut object = Object(Block::new(layout, ROOM));
        for (name, text) in [
            ("name", &error.name),
            ("message", &error.message),
            ("stack", &error.stack),
        ] {
            object.insert(name, Value::Str(text.clone()));
        }
        for (key, value) in error.properties.iter() {
            object.insert(key, value.clone());
        }
        object
    }

    /// Whether it stands for an error.
    pub fn is_error(&self) -> bool {
        match self.0.layout() {
            // (until one of the three is taken out)
            Layout::Shape(shape) => {
                let mut names = shape.keys().iter().map(Key::as_str);
                shape.is_error()
                    && ["name", "message", "stack"]
                        .into_iter()
                        .all(|name| names.next() == Some(name))
            }
            Layout::Table(_) => false,
        }
    }

    /// The number of properties.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.layout().len()
    }

    /// True when it has no property.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a property.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.slots().get(self.0.layout().find(key)?)
    }

    /// The value of a property. Quicker than [`Object::get`] where the key is kept.
    #[inline]
    pub fn get_key(&self, key: &Key) -> Option<&Value> {
        self.0.slots().get(self.0.layout().find_key(key)?)
    }

    /// True when it has the property.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.layout().find(key).is_some()
    }

    /// Sets a property; gives its value before.
    #[inline]
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        self.put(key.into(), value.into(), Whose::Program)
    }

    #[inline]
    fn put(&mut self, key: Key, value: Value, whose: Whose) -> Option<Value> {
        if let Some(at) = self.0.layout().find_key(&key) {
            return self
                .0
                .make_mut(0)
                .slot(at)
                .map(|slot| std::mem::replace(slot, value));
        }
        let mut block = self.0.make_mut(1);
        block.layout().push(key, whose);
        block.push(value);
        None
    }

    /// The value of a property, for changing.
    #[inline]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.0.layout().find(key)?;
        self.0.make_mut(0).slots().get_mut(at)
    }

    /// The value of a property, for changing.
    #[inline]
    pub fn get_key_mut(&mut self, key: &Key) -> Option<&mut Value> {
        let at = self.0.layout().find_key(key)?;
        self.0.make_mut(0).slots().get_mut(at)
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
        let at = self.0.layout().find(key)?;
        let mut block = self.0.make_mut(0);
        if let Layout::Shape(shape) = *block.layout()
            && let Some(shorter) = Layout::shape_without(shape, at)
        {
            *block.layout() = Layout::Shape(shorter);
            return block.remove(at);
        }
        let value = block.slot(at).map(std::mem::take);
        if block.layout().as_table().remove(at) {
            self.compact();
        }
        value
    }

    /// Brings the slots into JavaScript's order, without gaps.
    fn compact(&mut self) {
        let mut block = self.0.make_mut(0);
        let moved = block.layout().as_table().compact();
        let mut values = block.take();
        for slot in moved {
            if let Some(value) = values.get_mut(slot as usize) {
                block.push(std::mem::take(value));
            }
        }
    }

    /// Names and values in JavaScript's order.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        let order = self.0.layout().order();
        let back = order.map_or(self.0.slots().len(), <[u32]>::len);
        Iter {
            keys: self.0.layout().keys(),
            slots: self.0.slots(),
            order,
            front: 0,
            back,
        }
    }

    /// The names in JavaScript's order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.iter().map(|(_, value)| value)
    }

    /// The values in the order of their names, for changing.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        if self.0.layout().order().is_some() {
            self.compact();
        }
        self.0.make_mut(0).slots().iter_mut()
    }

    /// Keeps the properties for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &Value) -> bool) {
        if self.iter().all(|(key, value)| keep(key, value)) {
            return;
        }
        let kept = self.iter().filter(|(key, value)| keep(key, value));
        *self = kept
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
    }

    /// Where a property is, for machine code: the address that all objects with the same names in the same order have at
    /// [`Object::NAMES`], and how far from the object's memory the value is. `None` when there is no such property, or when
    /// the object's names are its own.
    pub fn place_of(&self, key: &Key) -> Option<(usize, usize)> {
        let shape = self.shape()?;
        let slot = self.0.layout().find_key(key)?;
        let distance = crate::block::SLOTS + slot * std::mem::size_of::<Value>();
        Some((std::ptr::from_ref(shape).addr(), distance))
    }

    /// For machine code: the address that all objects with the same names in the same order have at [`Object::NAMES`]; `None`
    /// when the object's names are its own.
    pub fn names(&self) -> Option<usize> {
        self.shape().map(|shape| std::ptr::from_ref(shape).addr())
    }

    /// How far from an object's memory the number of its values is, as 32 bits; that for which it has room follows.
    pub const LEN: usize = crate::block::LEN;
    /// How far from an object's memory its values begin.
    pub const VALUES: usize = crate::block::SLOTS;

    /// How far from an object's memory the address is that [`Object::place_of`] gives.
    pub const NAMES: usize = crate::block::NAMES;

    /// True when both are the same object in memory.
    pub fn ptr_eq(&self, other: &Object) -> bool {
        self.0.same(&other.0)
    }

    /// Identifies the names that the object has and their order: objects with the same identity have the same names in
    /// the same order. `None` for an object whose names are its own.
    pub(crate) fn shape(&self) -> Option<&'static Shape> {
        match self.0.layout() {
            Layout::Shape(shape) => Some(shape),
            Layout::Table(_) => None,
        }
    }

    /// The values by slot: in the order of their names, where the object has a shape.
    pub(crate) fn slots(&self) -> &[Value] {
        self.0.slots()
    }
}

impl Default for Object {
    fn default() -> Self {
        Object::new()
    }
}

/// Names and values in JavaScript's order: integer-like names ascending, then the others as they were added.
#[derive(Clone)]
pub struct Iter<'o> {
    keys: &'o [Key],
    slots: &'o [Value],
    order: Option<&'o [u32]>,
    front: usize,
    back: usize,
}

impl<'o> Iter<'o> {
    #[inline]
    fn at(&self, place: usize) -> Option<(&'o Key, &'o Value)> {
        let slot = match self.order {
            Some(order) => *order.get(place)? as usize,
            None => place,
        };
        Some((self.keys.get(slot)?, self.slots.get(slot)?))
    }
}

impl<'o> Iterator for Iter<'o> {
    type Item = (&'o Key, &'o Value);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.front == self.back {
            return None;
        }
        self.front += 1;
        self.at(self.front - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.back - self.front, Some(self.back - self.front))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front == self.back {
            return None;
        }
        self.back -= 1;
        self.at(self.back)
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'o> IntoIterator for &'o Object {
    type Item = (&'o Key, &'o Value);
    type IntoIter = Iter<'o>;
    fn into_iter(self) -> Iter<'o> {
        self.iter()
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut object = Object::with_capacity(entries.size_hint().0);
        object.extend(entries);
        object
    }
}

impl<K: Into<Key>, V: Into<Value>> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
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
        Value::Object(self.clone()) == Value::Object(other.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::MAX_SHAPE_LEN;
    use proptest::prelude::*;

    fn names(object: &Object) -> Vec<&str> {
        object.keys().map(Key::as_str).collect()
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let mut one = Object::from_iter([("a", 1), ("b", 2)]);
        let other = one.clone();
        assert!(one.ptr_eq(&other));
        one.insert("a", 3);
        one.insert("c", 4);
        one.remove("b");
        assert_eq!(names(&other), ["a", "b"]);
        assert_eq!(other.get("a"), Some(&Value::from(1)));
        assert_eq!(names(&one), ["a", "c"]);
        assert!(!one.ptr_eq(&other));
    }

    #[test]
    fn objects_of_a_kind_share_their_shape() {
        let make = || {
            Object::from_iter([("kind", 1), ("name", 2)])
                .shape()
                .map(std::ptr::from_ref)
        };
        assert!(make().is_some());
        assert_eq!(make(), make());
        let mut shorter = Object::from_iter([("kind", 1), ("other", 2), ("name", 3)]);
        shorter.remove("other");
        assert_eq!(shorter.shape().map(std::ptr::from_ref), make());
    }

    #[test]
    fn many_odd_and_integer_like_names_do_without_a_shape() {
        let many: Object = (0..=MAX_SHAPE_LEN).map(|n| (format!("n{n}"), n)).collect();
        assert!(many.shape().is_none());
        assert_eq!(many.get("n7"), Some(&Value::from(7)));
        let odd = Object::from_iter([("x".repeat(1000), 1)]);
        assert!(odd.shape().is_none());
        let mixed = Object::from_iter([("b", 1), ("10", 2), ("9", 3), ("a", 4)]);
        assert!(mixed.shape().is_none());
        assert_eq!(names(&mixed), ["9", "10", "b", "a"]);
        assert_eq!(
            mixed.iter().next_back().map(|(key, _)| key.as_str()),
            Some("a")
        );
    }

    /// What an object must do, done simply.
    #[derive(Default, Clone)]
    struct Model(Vec<(String, i32)>);

    impl Model {
        fn insert(&mut self, name: &str, value: i32) -> Option<i32> {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => Some(std::mem::replace(old, value)),
                None => {
                    self.0.push((name.to_owned(), value));
                    None
                }
            }
        }

        fn remove(&mut self, name: &str) -> Option<i32> {
            let at = self.0.iter().position(|(known, _)| known == name)?;
            Some(self.0.remove(at).1)
        }

        fn shown(&self) -> Vec<(String, i32)> {
            let mut shown = self.0.clone();
            shown.sort_by_key(|(name, _)| crate::key::index_of(name).map_or(u64::MAX, u64::from));
            shown
        }
    }

    fn shown(object: &Object) -> Vec<(String, i32)> {
        object
            .iter()
            .map(|(key, value)| (key.as_str().to_owned(), value.to_number() as i32))
            .collect()
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(String, i32),
        Remove(String),
        Clone,
        Double,
        Retain(i32),
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a-f]{0,2}", 2 => "[0-9]{1,2}", 1 => (0..200).prop_map(|n| format!("many{n}")), 1 => "é{70}[ab]"]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            10 => (name(), any::<i32>()).prop_map(|(name, value)| Step::Insert(name, value)),
            5 => name().prop_map(Step::Remove),
            1 => Just(Step::Clone),
            1 => Just(Step::Double),
            1 => (2..5).prop_map(Step::Retain),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn an_object_does_what_the_model_does(steps in proptest::collection::vec(step(), 0..150)) {
            let (mut object, mut model) = (Object::new(), Model::default());
            let mut before = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(name, value) => {
                        let old = object.insert(name.as_str(), value).map(|old| old.to_number() as i32);
                        prop_assert_eq!(old, model.insert(&name, value));
                    }
                    Step::Remove(name) => {
                        let old = object.remove(&name).map(|old| old.to_number() as i32);
                        prop_assert_eq!(old, model.remove(&name));
                    }
                    Step::Clone => before.push((object.clone(), model.shown())),
                    Step::Double => {
                        object.values_mut().for_each(|value| *value = Value::from(value.to_number() / 2.0));
                        model.0.iter_mut().for_each(|(_, value)| *value = (f64::from(*value) / 2.0) as i32);
                    }
                    Step::Retain(n) => {
                        object.retain(|_, value| value.to_number() as i32 % n != 0);
                        model.0.retain(|(_, value)| value % n != 0);
                    }
                }
                prop_assert_eq!(object.len(), model.0.len());
            }
            prop_assert_eq!(shown(&object), model.shown());
            for (name, value) in &model.0 {
                prop_assert_eq!(object.get(name).map(|v| v.to_number() as i32), Some(*value));
                prop_assert_eq!(object.get_key(&Key::from(name)).map(|v| v.to_number() as i32), Some(*value));
            }
            for (object, then) in before {
                prop_assert_eq!(shown(&object), then);
            }
        }
    }
}
