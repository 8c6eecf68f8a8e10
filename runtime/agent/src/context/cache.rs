//! What a user of mesh context knows: values, each with the revision that it is known for.
//!
//! A value that was learned at a revision is right until a change of its place comes with a greater one. Changes arrive later than
//! answers do, and in order; so a value that is learned at a revision before the newest change of its place is not taken.

use crate::state::audit::{Change, Event};
use crate::state::context::{Entry, Place};
use std::collections::HashMap;

/// The most values; past that, all are let go of, since which will be asked for is not known.
const MOST: usize = 10_000;
/// The most bytes of values.
const BYTES: usize = 16 << 20;

pub(super) struct Cache {
    values: HashMap<Place, Known>,
    bytes: usize,
    /// The newest change that was heard of: what is learned of a state before it may be old.
    heard: u64,
    /// The newest write of its own.
    written: u64,
    /// What was forgotten was known up to here at most.
    floor: u64,
}

struct Known {
    entry: Option<Entry>,
    /// The revision of the state that it was seen in.
    revision: u64,
}

impl Cache {
    /// A cache that knows nothing, and hears of changes after a revision.
    pub(super) fn new(heard: u64) -> Cache {
        Cache {
            values: HashMap::new(),
            bytes: 0,
            heard,
            written: 0,
            floor: 0,
        }
    }

    pub(super) fn get(&mut self, place: &Place) -> Option<Option<Entry>> {
        self.values.get(place).map(|known| known.entry.clone())
    }

    /// The revision of the newest write of its own.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Takes what a state of a revision says of a place, and answers what is best known of it.
    pub(super) fn learn(
        &mut self,
        place: &Place,
        entry: Option<Entry>,
        revision: u64,
    ) -> Option<Entry> {
        if let Some(known) = self.values.get(place)
            && known.revision > revision
        {
            return known.entry.clone();
        }
        if revision >= self.heard.max(self.floor) {
            self.put(place, entry.clone(), revision);
        }
        entry
    }

    /// It has set or deleted a value itself.
    pub(super) fn wrote(&mut self, place: &Place, entry: Option<Entry>, revision: u64) {
        self.written = self.written.max(revision);
        if self
            .values
            .get(place)
            .is_none_or(|known| known.revision <= revision)
            && revision >= self.heard
        {
            self.put(place, entry, revision);
        }
    }

    fn put(&mut self, place: &Place, entry: Option<Entry>, revision: u64) {
        if self.values.len() >= MOST || self.bytes > BYTES {
            // What has not arrived here yet stays: else an own write would not be seen.
            self.forget_before(self.heard + 1);
        }
        self.bytes += entry.as_ref().map_or(0, |entry| entry.value.len());
        if let Some(before) = self.values.insert(place.clone(), Known { entry, revision }) {
            self.bytes -= before.entry.map_or(0, |entry| entry.value.len());
        }
    }

    /// Something has changed.
    pub(super) fn changed(&mut self, change: &Change) {
        self.heard = self.heard.max(change.revision);
        match &change.event {
            Event::ContextChanged {
                scope, store, key, ..
            } => {
                let Ok(scope) = scope.parse() else {
                    return;
                };
                let place = Place {
                    scope,
                    store: store.clone(),
                    key: key.clone(),
                };
                if self
                    .values
                    .get(&place)
                    .is_some_and(|known| known.revision < change.revision)
                    && let Some(known) = self.values.remove(&place)
                {
                    self.bytes -= known.entry.map_or(0, |entry| entry.value.len());
                }
            }
            Event::ContextCleared { .. } | Event::Restored { .. } => {
                self.forget_before(change.revision)
            }
            _ => {}
        }
    }

    /// What is known from before a revision may be old, all of it.
    pub(super) fn forget(&mut self, revision: u64) {
        self.floor = self.floor.max(revision);
        self.forget_before(revision);
    }

    fn forget_before(&mut self, revision: u64) {
        self.values.retain(|_, known| known.revision >= revision);
        self.bytes = self
            .values
            .values()
            .map(|known| known.entry.as_ref().map_or(0, |entry| entry.value.len()))
            .sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Place {
        Place {
            scope: vgdc_store::Scope::Global,
            store: "default".into(),
            key: key.into(),
        }
    }

    fn entry(value: &'static str, revision: u64) -> Option<Entry> {
        Some(Entry {
            value: value.as_bytes().into(),
            revision,
        })
    }

    fn changed(key: &str, revision: u64) -> Change {
        let event = Event::ContextChanged {
            scope: "global".into(),
            store: "default".into(),
            key: key.into(),
            deleted: false,
        };
        Change {
            revision,
            by: "me".into(),
            at: 0,
            event,
        }
    }

    #[test]
    fn a_change_lets_go_of_what_was_known_before_it_and_of_nothing_else() {
        let mut cache = Cache::new(5);
        cache.learn(&place("a"), entry("a", 3), 5);
        cache.learn(&place("b"), None, 5);
        cache.changed(&changed("a", 6));
        assert_eq!(cache.get(&place("a")), None);
        assert_eq!(cache.get(&place("b")), Some(None));
        // (a state from before the change was read, and comes late)
        assert_eq!(cache.learn(&place("a"), entry("a", 3), 5), entry("a", 3));
        assert_eq!(cache.get(&place("a")), None, "it is not kept");
    }

    #[test]
    fn an_own_write_is_seen_before_it_has_arrived_here() {
        let mut cache = Cache::new(5);
        cache.wrote(&place("a"), entry("new", 8), 8);
        cache.changed(&changed("a", 7));
        cache.changed(&changed("a", 8));
        assert_eq!(cache.get(&place("a")), Some(entry("new", 8)));
        assert_eq!(
            cache.learn(&place("a"), entry("old", 7), 7),
            entry("new", 8),
            "values do not go back"
        );
        cache.changed(&changed("a", 9));
        assert_eq!(cache.get(&place("a")), None);
        cache.wrote(&place("a"), entry("late", 6), 6);
        assert_eq!(cache.get(&place("a")), None, "a write that was overtaken");
    }

    #[test]
    fn it_has_a_limit_that_own_writes_survive() {
        let mut cache = Cache::new(1);
        cache.wrote(&place("mine"), entry("m", 9), 9);
        for n in 0..=MOST {
            cache.learn(&place(&n.to_string()), entry("x", 1), 1);
        }
        assert!(cache.values.len() <= MOST);
        assert_eq!(cache.get(&place("mine")), Some(entry("m", 9)));
        cache.forget(20);
        assert!(cache.values.is_empty() && cache.bytes == 0);
    }
}
