//! Which name has which slot: by a shared shape, or by a table of the object's own.

use crate::Key;
use crate::shape::{Shape, Whose};
use crate::table::Table;
use std::sync::Arc;

/// The names of an object.
///
/// Machine code compares the address in it: one of a shape, which is never freed, is no table's.
#[derive(Clone)]
#[repr(C, u8)]
pub(crate) enum Layout {
    Shape(&'static Shape),
    Table(Arc<Table>),
}

impl Layout {
    pub(crate) fn empty() -> Layout {
        Layout::Shape(Shape::root())
    }

    /// The names by slot; a removed one is [`Key::GONE`].
    #[inline]
    pub(crate) fn keys(&self) -> &[Key] {
        match self {
            Layout::Shape(shape) => shape.keys(),
            Layout::Table(table) => table.keys(),
        }
    }

    /// The slots in JavaScript's order; `None`: as they are.
    #[inline]
    pub(crate) fn order(&self) -> Option<&[u32]> {
        match self {
            Layout::Shape(_) => None,
            Layout::Table(table) => table.order(),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Layout::Shape(shape) => shape.keys().len(),
            Layout::Table(table) => table.len(),
        }
    }

    #[inline]
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        match self {
            Layout::Shape(shape) => shape.find(text),
            Layout::Table(table) => table.find(text),
        }
    }

    #[inline]
    pub(crate) fn find_key(&self, key: &Key) -> Option<usize> {
        match (self, key.id()) {
            (Layout::Shape(shape), Some(id)) => shape.find_id(id),
            (Layout::Shape(shape), None) => shape.find(key.as_str()),
            (Layout::Table(table), _) => table.find_key(key),
        }
    }

    /// Adds a name that is not there; it gets the next slot.
    #[inline]
    pub(crate) fn push(&mut self, key: Key, whose: Whose) {
        match self {
            Layout::Shape(shape) => match shape.with(&key, whose) {
                Some(longer) => *shape = longer,
                None => self.as_table().push(key),
            },
            Layout::Table(table) => Arc::make_mut(table).push(key),
        }
    }

    /// The names as a table of the object's own.
    pub(crate) fn as_table(&mut self) -> &mut Table {
        if let Layout::Shape(shape) = self {
            let mut table = Table::new();
            shape.keys().iter().for_each(|key| table.push(key.clone()));
            *self = Layout::Table(Arc::new(table));
        }
        match self {
            Layout::Table(table) => Arc::make_mut(table),
            Layout::Shape(_) => unreachable!("it was made a table"),
        }
    }

    /// The shape without one of its names, when there is one.
    pub(crate) fn shape_without(shape: &'static Shape, slot: usize) -> Option<&'static Shape> {
        let mut shorter = shape;
        for _ in slot..shape.keys().len() {
            shorter = shorter.parent()?;
        }
        let behind = shape.keys().get(slot + 1..)?;
        behind
            .iter()
            .try_fold(shorter, |shape, key| shape.with(key, Whose::Program))
    }
}
