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
pub const MAX_SHAPE_NAMES: usize = 131_072;
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
    /// The number of the last name.
    last: u32,
    parent: Option<&'static Shape>,
    /// Objects of it stand for JavaScript's errors.
    is_error: bool,
    /// The interned numbers of the names, and where each is.
    ids: Box<[u32]>,
    by_id: Index,
    texts: Box<[&'static str]>,
    by_text: Index,
    keys: Box<[Key]>,
    children: AtomicU32,
}

/// Slots by a number made of what is looked for: open addressing, at most half full.
struct Index([u8; INDEX_PLACES]);

const INDEX_BITS: u32 = 6;
const INDEX_PLACES: usize = 1 << INDEX_BITS;
const FREE: u8 = u8::MAX;
const _: () = assert!(INDEX_PLACES >= 2 * MAX_SHAPE_LEN && MAX_SHAPE_LEN < FREE as usize);

impl Index {
    fn new(numbers: impl Iterator<Item = u32>) -> Index {
        let mut index = Index([FREE; INDEX_PLACES]);
        for (slot, number) in numbers.enumerate() {
            let mut at = Index::first(number);
            while index.0[at] != FREE {
                at = (at + 1) % INDEX_PLACES;
            }
            index.0[at] = slot as u8;
        }
        index
    }

    #[inline]
    fn first(number: u32) -> usize {
        (number.wrapping_mul(0x9e37_79b1) >> (32 - INDEX_BITS)) as usize
    }

    #[inline]
    fn find(&self, number: u32, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = Index::first(number);
        loop {
            let slot = self.0[at];
            if slot == FREE {
                return None;
            }
            if is(usize::from(slot)) {
                return Some(usize::from(slot));
            }
            at = (at + 1) % INDEX_PLACES;
        }
    }
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
    let length = bytes.len() as u32;
    match (bytes.first(), bytes.get(bytes.len() / 2), bytes.last()) {
        (Some(first), Some(middle), Some(last)) => {
            length ^ u32::from(*first) << 8 ^ u32::from(*middle) << 16 ^ u32::from(*last) << 24
        }
        _ => length,
    }
}

impl Shape {
    /// The shape of an empty object.
    #[inline]
    pub(crate) fn root() -> &'static Shape {
        static ROOT: LazyLock<Shape> = LazyLock::new(|| Shape::empty(0, false));
        &ROOT
    }

    /// The shape that those of objects which stand for errors begin with.
    pub(crate) fn error_root() -> &'static Shape {
        static ROOT: LazyLock<Shape> = LazyLock::new(|| Shape::empty(u32::MAX, true));
        &ROOT
    }

    fn empty(number: u32, is_error: bool) -> Shape {
        Shape {
            number,
            last: u32::MAX,
            parent: None,
            is_error,
            ids: Box::default(),
            by_id: Index::new(std::iter::empty()),
            texts: Box::default(),
            by_text: Index::new(std::iter::empty()),
            keys: Box::default(),
            children: AtomicU32::new(0),
        }
    }

    /// Whether objects of it stand for JavaScript's errors.
    pub(crate) fn is_error(&self) -> bool {
        self.is_error
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
        self.by_id.find(id, |slot| self.ids.get(slot) == Some(&id))
    }

    /// The slot of a name.
    #[inline]
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        self.by_text
            .find(print(text), |slot| self.texts.get(slot) == Some(&text))
    }

    /// The shape with one name more, which this one does not have; `None` when there is none and none may be made.
    #[inline]
    pub(crate) fn with(&'static self, key: &Key, whose: Whose) -> Option<&'static Shape> {
        let id = key.id()?;
        self.child(id).or_else(|| self.grow(key, id, whose))
    }

    #[inline]
    fn child(&self, id: u32) -> Option<&'static Shape> {
        let mut at = hash::pair(self.number, id, PLACE_BITS);
        loop {
            // SAFETY: the table holds null or what `grow` leaked: shapes that are never freed and never changed.
            let shape: &'static Shape = unsafe { CHILDREN[at].load(Ordering::Acquire).as_ref() }?;
            if shape.last == id
                && shape
                    .parent
                    .is_some_and(|parent| std::ptr::eq(parent, self))
            {
                return Some(shape);
            }
            // (at most half of the places are taken)
            at = (at + 1) % PLACES;
        }
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
        let shape: &'static Shape =
            Box::leak(Box::new(self.longer(key, id, spent.shapes as u32)?));
        spent.shapes += 1;
        spent.names += len;
        self.children.store(children + 1, Ordering::Relaxed);
        let mut at = hash::pair(self.number, id, PLACE_BITS);
        while !CHILDREN[at].load(Ordering::Relaxed).is_null() {
            at = (at + 1) % PLACES;
        }
        CHILDREN[at].store(std::ptr::from_ref(shape).cast_mut(), Ordering::Release);
        Some(shape)
    }

    /// A shape with one name more.
    fn longer(&'static self, key: &Key, id: u32, number: u32) -> Option<Shape> {
        let ids: Box<[u32]> = self.ids.iter().copied().chain([id]).collect();
        let texts: Box<[&'static str]> = self
            .texts
            .iter()
            .copied()
            .chain([key.interned()?])
            .collect();
        Some(Shape {
            number,
            last: id,
            parent: Some(self),
            is_error: self.is_error,
            by_id: Index::new(ids.iter().copied()),
            ids,
            by_text: Index::new(texts.iter().map(|text| print(text))),
            texts,
            keys: self.keys.iter().cloned().chain([key.clone()]).collect(),
            children: AtomicU32::new(0),
        })
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
