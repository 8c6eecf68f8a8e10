//! The names of an object that has no shape: many, integer-like, or not interned.
//!
//! Names stand in the order in which they were added, removed ones leave a gap until there are many, and a hash index
//! leads from a name to its slot. What JavaScript shows (integer-like names first, ascending) is worked out when somebody
//! looks, so that neither adding nor removing ever costs more than a few steps.

use crate::{Key, hash};
use std::sync::OnceLock;

/// Up to this many names are found by comparing, without an index.
const FEW: usize = 8;
/// In an index: a name that was removed.
const REMOVED: u32 = u32::MAX;

/// Names and the slots that they have.
#[derive(Clone, Default)]
pub(crate) struct Table {
    keys: Vec<Key>,
    index: Index,
    gone: usize,
    /// Integer-like names ascend and come before the others.
    in_order: bool,
    texts: usize,
    last_integer: Option<u32>,
    /// The slots in JavaScript's order, once asked for, where that is not the order of the slots.
    order: OnceLock<Box<[u32]>>,
}

/// Slots by the hash of their names: open addressing, at most three quarters full.
#[derive(Clone, Default)]
struct Index {
    /// The upper half of the hash, and the slot + 1 (0 is free).
    places: Vec<(u32, u32)>,
    used: usize,
}

impl Index {
    fn places(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let count = self.places.len();
        let first = hash as usize;
        (0..count).map(move |step| first.wrapping_add(step) & (count - 1))
    }

    fn find(&self, hash: u64, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
        let upper = (hash >> 32) as u32;
        for at in self.places(hash) {
            match self.places[at] {
                (_, 0) => return None,
                (_, REMOVED) => {}
                (known, slot) => {
                    if known == upper && is(slot as usize - 1) {
                        return Some(at);
                    }
                }
            }
        }
        None
    }

    fn add(&mut self, hash: u64, slot: usize) {
        let free = self.places(hash).find(|at| self.places[*at].1 == 0);
        if let Some(at) = free {
            self.places[at] = ((hash >> 32) as u32, slot as u32 + 1);
            self.used += 1;
        }
    }

    fn is_full(&self) -> bool {
        (self.used + 1) * 4 > self.places.len() * 3
    }
}

impl Table {
    pub(crate) fn new() -> Table {
        Table {
            in_order: true,
            ..Table::default()
        }
    }

    /// The names by slot. Where one was removed stands [`Key::GONE`].
    #[inline]
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// How many names there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.keys.len() - self.gone
    }

    /// The slots in JavaScript's order; `None`: as they are.
    pub(crate) fn order(&self) -> Option<&[u32]> {
        if self.in_order && self.gone == 0 {
            return None;
        }
        Some(self.order.get_or_init(|| self.sorted()))
    }

    fn sorted(&self) -> Box<[u32]> {
        let mut slots: Vec<u32> = (0..self.keys.len() as u32)
            .filter(|slot| !self.is_gone(*slot as usize))
            .collect();
        if !self.in_order {
            slots.sort_by_cached_key(|slot| {
                self.keys[*slot as usize]
                    .index()
                    .map_or(u64::MAX, u64::from)
            });
        }
        slots.into()
    }

    fn is_gone(&self, slot: usize) -> bool {
        self.keys[slot].id() == Key::GONE.id()
    }

    /// The slot of a name.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        self.find_with(|| hash::text(text), |key| key.as_str() == text)
    }

    /// The slot of a name.
    pub(crate) fn find_key(&self, key: &Key) -> Option<usize> {
        self.find_with(|| key.hash(), |known| known == key)
    }

    fn find_with(&self, hash: impl FnOnce() -> u64, is: impl Fn(&Key) -> bool) -> Option<usize> {
        if self.index.places.is_empty() {
            return self
                .keys
                .iter()
                .enumerate()
                .position(|(slot, key)| is(key) && !self.is_gone(slot));
        }
        let at = self.index.find(hash(), |slot| is(&self.keys[slot]))?;
        Some(self.index.places[at].1 as usize - 1)
    }

    /// Adds a name that is not there; it gets the next slot.
    pub(crate) fn push(&mut self, key: Key) {
        self.order.take();
        match key.index() {
            Some(index) => {
                self.in_order &=
                    self.texts == 0 && self.last_integer.is_none_or(|last| last < index);
                self.last_integer = Some(index);
            }
            None => self.texts += 1,
        }
        let hash = key.hash();
        self.keys.push(key);
        if self.keys.len() <= FEW {
            return;
        }
        if self.index.is_full() {
            self.reindex();
        } else {
            self.index.add(hash, self.keys.len() - 1);
        }
    }

    fn reindex(&mut self) {
        let count = if self.keys.len() > FEW {
            (self.len() * 2).next_power_of_two()
        } else {
            0
        };
        self.index = Index {
            places: vec![(0, 0); count],
            used: 0,
        };
        if count > 0 {
            for (slot, key) in self
                .keys
                .iter()
                .enumerate()
                .filter(|(_, key)| key.id() != Key::GONE.id())
            {
                self.index.add(key.hash(), slot);
            }
        }
    }

    /// Removes the name of a slot. True: the slots have to be compacted now.
    pub(crate) fn remove(&mut self, slot: usize) -> bool {
        self.order.take();
        let key = std::mem::replace(&mut self.keys[slot], Key::GONE);
        self.gone += 1;
        if !self.index.places.is_empty()
            && let Some(at) = self.index.find(key.hash(), |found| found == slot)
        {
            self.index.places[at].1 = REMOVED;
        }
        self.gone > FEW.max(self.keys.len() / 2) || self.keys.len() <= FEW
    }

    /// Closes the gaps and brings the names into JavaScript's order. Gives which slot each new one was before.
    pub(crate) fn compact(&mut self) -> Box<[u32]> {
        let slots = self.sorted();
        let keys: Vec<Key> = slots
            .iter()
            .map(|slot| std::mem::replace(&mut self.keys[*slot as usize], Key::GONE))
            .collect();
        let integers = keys.iter().map_while(Key::index);
        let (last_integer, count) = (integers.clone().last(), integers.count());
        *self = Table {
            texts: keys.len() - count,
            last_integer,
            keys,
            in_order: true,
            ..Table::default()
        };
        self.reindex();
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(table: &Table) -> Vec<&str> {
        match table.order() {
            Some(order) => order
                .iter()
                .map(|slot| table.keys()[*slot as usize].as_str())
                .collect(),
            None => table.keys().iter().map(Key::as_str).collect(),
        }
    }

    #[test]
    fn integer_like_names_come_first() {
        let mut table = Table::new();
        for name in ["b", "10", "a", "2"] {
            table.push(Key::from(name));
        }
        assert_eq!(shown(&table), ["2", "10", "b", "a"]);
        assert_eq!(table.find("2"), Some(3));
        assert_eq!(&*table.compact(), [3, 1, 0, 2]);
        assert_eq!(
            (shown(&table), table.find("2")),
            (vec!["2", "10", "b", "a"], Some(0))
        );
    }

    #[test]
    fn names_are_found_among_many_and_not_after_removal() {
        let mut table = Table::new();
        let names: Vec<String> = (0..500).map(|n| format!("name {n}")).collect();
        names.iter().for_each(|name| table.push(Key::data(name)));
        for (slot, name) in names.iter().enumerate() {
            assert_eq!(table.find(name), Some(slot));
        }
        for slot in (0..500).step_by(3) {
            assert!(!table.remove(slot));
        }
        for (slot, name) in names.iter().enumerate() {
            assert_eq!(table.find(name), (slot % 3 != 0).then_some(slot));
        }
        assert_eq!(table.len(), shown(&table).len());
        table.compact();
        assert_eq!(table.find("name 1"), Some(0));
    }
}
