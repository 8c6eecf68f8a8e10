//! Shapes: which names an object has, in which order, shared by all objects that have the same.
//!
//! Shapes are a tree: the empty one is the root, and adding a name leads to a child. They are never freed, so their number
//! is bounded: at most [`MAX_SHAPES`] shapes with [`MAX_SHAPE_NAMES`] names altogether, half of which only programs' objects
//! may use, a shape has at most [`MAX_SHAPE_LEN`] names, and at most [`MAX_CHILDREN`] children (the root [`MAX_ROOTS`]).
//! An object that finds no shape, has a name that is not interned, or an integer-like one, keeps its names in a table of
//! its own (`table.rs`): that is where objects keyed by data end up.

use crate::{Key, hash};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

/// How many shapes the process has at most.
pub const MAX_SHAPES: usize = 16_384;
/// How many names all shapes together have at most.
pub const MAX_SHAPE_NAMES: usize = 262_144;
/// How many names a shape has at most.
pub const MAX_SHAPE_LEN: usize = 32;
/// How many children a shape has at most.
pub const MAX_CHILDREN: u32 = 128;
/// How many children the empty shape has at most.
pub const MAX_ROOTS: u32 = 2_048;

const PLACE_BITS: u32 = 15;
const PLACES: usize = 1 << PLACE_BITS;
const _: () = assert!(PLACES >= 2 * MAX_SHAPES);

/// Whose names an object gets: those of data may use only a part of the shapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Program,
    Data,
}

/// Names in their order.
pub(crate) struct Shape {
    number: u32,
    parent: Option<&'static Shape>,
    /// The interned numbers of the names, to find one by.
    ids: Box<[u32]>,
    /// A few bits of each name's text, to find one by.
    prints: Box<[u32]>,
    keys: Box<[Key]>,
    children: AtomicU32,
}

/// Where the child of a shape by a name is found. Null is free; what is there stays.
static CHILDREN: [AtomicPtr<Shape>; PLACES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; PLACES];

struct Spent {
    shapes: usize,
    names: usize,
}

/// What the shapes take. Held by who adds one.
static SPENT: Mutex<Spent> = Mutex::new(Spent {
    shapes: 1,
    names: 0,
});

/// The length and three bytes of a text: nearly always enough to tell names of an object apart.
#[inline]
fn print(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let byte = |at: usize| u32::from(bytes.get(at).copied().unwrap_or(0));
    let last = bytes.len().wrapping_sub(1);
    (bytes.len() as u32 & 0xff) | byte(0) << 8 | byte(bytes.len() / 2) << 16 | byte(last) << 24
}

/// The first place of a number, looking at eight at once.
#[inline]
fn position(numbers: &[u32], wanted: u32) -> Option<usize> {
    let (eights, rest) = numbers.as_chunks::<8>();
    for (i, eight) in eights.iter().enumerate() {
        let mut found = 0u32;
        for (bit, number) in eight.iter().enumerate() {
            found |= u32::from(*number == wanted) << bit;
        }
        if found != 0 {
            return Some(i * 8 + found.trailing_zeros() as usize);
        }
    }
    rest.iter()
        .position(|number| *number == wanted)
        .map(|at| eights.len() * 8 + at)
}

impl Shape {
    /// The shape of an empty object.
    #[inline]
    pub(crate) fn root() -> &'static Shape {
        static ROOT: LazyLock<Shape> = LazyLock::new(|| Shape {
            number: 0,
            parent: None,
            ids: Box::default(),
            prints: Box::default(),
            keys: Box::default(),
            children: AtomicU32::new(0),
        });
        &ROOT
    }

    #[inline]
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The shape with one name less.
    pub(crate) fn parent(&self) -> Option<&'static Shape> {
        self.parent
    }

    /// The slot of an interned name.
    #[inline]
    pub(crate) fn find_id(&self, id: u32) -> Option<usize> {
        position(&self.ids, id)
    }

    /// The slot of a name.
    #[inline]
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        let wanted = print(text);
        let mut from = 0;
        while let Some(at) = position(&self.prints[from..], wanted) {
            if self.keys[from + at].as_str() == text {
                return Some(from + at);
            }
            from += at + 1;
        }
        None
    }

    /// The shape with one name more, which this one does not have; `None` when there is none and none may be made.
    #[inline]
    pub(crate) fn with(&'static self, key: &Key, whose: Whose) -> Option<&'static Shape> {
        let id = key.id()?;
        self.child(id).or_else(|| self.grow(key, id, whose))
    }

    /// The places where a child is looked for, in order.
    fn places(&self, id: u32) -> impl Iterator<Item = &'static AtomicPtr<Shape>> {
        let first = hash::pair(self.number, id, PLACE_BITS);
        (0..PLACES).map(move |step| &CHILDREN[(first + step) % PLACES])
    }

    #[inline]
    fn child(&self, id: u32) -> Option<&'static Shape> {
        for place in self.places(id) {
            // SAFETY: the table holds null or what `grow` leaked: shapes that are never freed and never changed.
            let shape: &'static Shape = unsafe { place.load(Ordering::Acquire).as_ref() }?;
            if shape.ids.last() == Some(&id)
                && shape
                    .parent
                    .is_some_and(|parent| std::ptr::eq(parent, self))
            {
                return Some(shape);
            }
        }
        None
    }

    #[cold]
    fn grow(&'static self, key: &Key, id: u32, whose: Whose) -> Option<&'static Shape> {
        let len = self.keys.len() + 1;
        if len > MAX_SHAPE_LEN || key.index().is_some() {
            return None;
        }
        let mut spent = SPENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shape) = self.child(id) {
            return Some(shape); // (another thread was quicker)
        }
        let share = if whose == Whose::Data { 2 } else { 1 };
        let most = if self.keys.is_empty() {
            MAX_ROOTS
        } else {
            MAX_CHILDREN
        };
        let children = self.children.load(Ordering::Relaxed);
        if spent.shapes >= MAX_SHAPES / share
            || spent.names + len > MAX_SHAPE_NAMES / share
            || children >= most
        {
            return None;
        }
        let shape: &'static Shape = Box::leak(Box::new(Shape {
            number: spent.shapes as u32,
            parent: Some(self),
            ids: self.ids.iter().copied().chain([id]).collect(),
            prints: self
                .prints
                .iter()
                .copied()
                .chain([print(key.as_str())])
                .collect(),
            keys: self.keys.iter().cloned().chain([key.clone()]).collect(),
            children: AtomicU32::new(0),
        }));
        spent.shapes += 1;
        spent.names += len;
        self.children.store(children + 1, Ordering::Relaxed);
        let free = self
            .places(id)
            .find(|place| place.load(Ordering::Relaxed).is_null())?;
        free.store(std::ptr::from_ref(shape).cast_mut(), Ordering::Release);
        Some(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_lead_to_the_same_shape() {
        let of = |names: &[&str]| {
            names.iter().try_fold(Shape::root(), |shape, name| {
                shape.with(&Key::from(*name), Whose::Program)
            })
        };
        let (ab, again, ba) = (of(&["a", "b"]), of(&["a", "b"]), of(&["b", "a"]));
        assert!(
            ab.zip(again)
                .is_some_and(|(one, other)| std::ptr::eq(one, other))
        );
        assert!(
            ab.zip(ba)
                .is_some_and(|(one, other)| !std::ptr::eq(one, other))
        );
        assert!(
            of(&["a", "7"]).is_none(),
            "integer-like names have no shape"
        );
    }

    #[test]
    fn names_are_found() {
        let names: Vec<String> = (0..MAX_SHAPE_LEN).map(|n| format!("name{n}")).collect();
        let shape = names.iter().try_fold(Shape::root(), |shape, name| {
            shape.with(&Key::from(name), Whose::Program)
        });
        let shape = shape.expect("there is room");
        for (at, name) in names.iter().enumerate() {
            assert_eq!(shape.find(name), Some(at));
            assert_eq!(
                Key::from(name).id().and_then(|id| shape.find_id(id)),
                Some(at)
            );
        }
        assert_eq!(shape.find("name"), None);
        assert_eq!(shape.find(""), None);
        assert!(
            shape
                .with(&Key::from("one too many"), Whose::Program)
                .is_none()
        );
    }
}
