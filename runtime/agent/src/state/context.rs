//! Mesh context: values that flows share over machines, as `global` and `flow` context, kept here so that all nodes see one value.
//!
//! Values are bytes. Each write goes through the log of all replicas, so this is for what is small and changes now and then: a
//! setting, a counter, a set point. What belongs to one node of a flow is better kept where it runs.

use super::command::{Refusal, Why, named};
use super::{Accepted, Event};
use crate::id::Blob;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use vgdc_store::Scope;

/// The longest key, in bytes.
pub const LONGEST_KEY: usize = 1_024;
/// The longest value, in bytes: 256 KiB.
pub const LONGEST_VALUE: usize = 256 << 10;
/// All keys and values together, in bytes: 64 MiB. Each counts [`ENTRY_COST`] more than its bytes.
pub const MOST_BYTES: u64 = 64 << 20;
/// What an entry costs beside its bytes.
pub const ENTRY_COST: u64 = 96;

/// Values by key.
type Values = BTreeMap<String, Entry>;

/// All shared values: by scope, as [`Scope`] is written, by store, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, BTreeMap<String, Values>>,
    /// What they cost together, which [`MOST_BYTES`] limits.
    bytes: u64,
}

/// A shared value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The value.
    pub value: Blob,
    /// The state's revision when it was set.
    pub revision: u64,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Whose context: `global`, `flow:ID`, `node:ID`.
    #[serde(with = "scope_as_text")]
    pub scope: Scope,
    /// The store's name, as the settings name it.
    pub store: String,
    /// The key: a plain name; paths into values are for those who know what the bytes mean.
    pub key: String,
}

/// What a value must be for a write that depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expected {
    /// There is none.
    Absent,
    /// It has these bytes.
    Value(Blob),
    /// It was set at this revision.
    Revision(u64),
}

/// What can be asked about shared values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContextCommand {
    /// Sets a value.
    Set {
        /// Where.
        place: Place,
        /// To what.
        value: Blob,
    },
    /// Deletes a value; that there is none is no error.
    Delete {
        /// Where.
        place: Place,
    },
    /// Sets or deletes a value if it is as expected; else it is refused as stale.
    CompareAndSet {
        /// Where.
        place: Place,
        /// What must be there.
        expected: Expected,
        /// What is to be there.
        value: Option<Blob>,
    },
    /// Deletes all values of a scope in a store.
    Clear {
        /// The scope.
        #[serde(with = "scope_as_text")]
        scope: Scope,
        /// The store.
        store: String,
    },
}

impl Context {
    /// A value.
    pub fn get(&self, place: &Place) -> Option<&Entry> {
        self.of(&place.scope, &place.store)?.get(&place.key)
    }

    /// The keys of a scope in a store, in the order of their bytes.
    pub fn keys(&self, scope: &Scope, store: &str) -> impl Iterator<Item = &String> {
        self.of(scope, store).into_iter().flat_map(BTreeMap::keys)
    }

    /// What all values cost together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn of(&self, scope: &Scope, store: &str) -> Option<&Values> {
        self.values.get(&scope.to_string())?.get(store)
    }

    fn counted(&self) -> u64 {
        let all = self.values.values().flat_map(BTreeMap::values).flatten();
        all.map(|(key, entry)| cost(key, &entry.value)).sum()
    }

    /// `revision` is the one that the change will have.
    pub(super) fn change(
        &mut self,
        command: &ContextCommand,
        revision: u64,
    ) -> Result<Accepted, Refusal> {
        match command {
            ContextCommand::Set { place, value } => self.put(place, Some(value), revision),
            ContextCommand::Delete { place } => self.put(place, None, revision),
            ContextCommand::CompareAndSet {
                place,
                expected,
                value,
            } => {
                let there = self.get(place);
                let as_expected = match expected {
                    Expected::Absent => there.is_none(),
                    Expected::Value(value) => there.is_some_and(|entry| entry.value == *value),
                    Expected::Revision(revision) => {
                        there.is_some_and(|entry| entry.revision == *revision)
                    }
                };
                if !as_expected {
                    let is = match there {
                        Some(entry) => format!("was set at revision {}", entry.revision),
                        None => "is not there".to_owned(),
                    };
                    return Err(Refusal::new(
                        Why::Stale,
                        format!(
                            "{:?} of {} {is}, which is not what was expected: look again",
                            place.key, place.scope
                        ),
                    ));
                }
                self.put(place, value.as_ref(), revision)
            }
            ContextCommand::Clear { scope, store } => {
                let of = scope.to_string();
                let Some(gone) = self
                    .values
                    .get_mut(&of)
                    .and_then(|stores| stores.remove(store))
                else {
                    return Ok(Accepted::silent());
                };
                self.bytes -= gone
                    .iter()
                    .map(|(key, entry)| cost(key, &entry.value))
                    .sum::<u64>();
                self.values.retain(|_, stores| !stores.is_empty());
                Ok(Accepted::done(Event::ContextCleared {
                    scope: of,
                    store: store.clone(),
                }))
            }
        }
    }

    fn put(
        &mut self,
        place: &Place,
        value: Option<&Blob>,
        revision: u64,
    ) -> Result<Accepted, Refusal> {
        named("a store's name", &place.store)?;
        let scope = place.scope.to_string();
        named("a scope", &scope)?;
        if place.key.is_empty() || place.key.len() > LONGEST_KEY {
            return Err(Refusal::new(
                Why::Invalid,
                format!(
                    "a key of {} bytes: it has 1 to {LONGEST_KEY}",
                    place.key.len()
                ),
            ));
        }
        let before = self
            .get(place)
            .map_or(0, |entry| cost(&place.key, &entry.value));
        let Some(value) = value else {
            if before == 0 {
                return Ok(Accepted::silent());
            }
            if let Some(stores) = self.values.get_mut(&scope) {
                if let Some(values) = stores.get_mut(&place.store) {
                    values.remove(&place.key);
                }
                stores.retain(|_, values| !values.is_empty());
            }
            self.values.retain(|_, stores| !stores.is_empty());
            self.bytes -= before;
            return Ok(changed(place, scope, true));
        };
        if value.len() > LONGEST_VALUE {
            return Err(Refusal::new(
                Why::Limit,
                format!(
                    "a value of {} bytes for {:?}: the limit is {LONGEST_VALUE}; keep it in a store of the machine, or in a database",
                    value.len(),
                    place.key
                ),
            ));
        }
        let bytes = self.bytes - before + cost(&place.key, value);
        if bytes > MOST_BYTES {
            return Err(Refusal::new(
                Why::Limit,
                format!(
                    "mesh context would have {bytes} bytes: the limit is {MOST_BYTES}; delete what is not needed any more"
                ),
            ));
        }
        self.bytes = bytes;
        let values = self
            .values
            .entry(scope.clone())
            .or_default()
            .entry(place.store.clone())
            .or_default();
        values.insert(
            place.key.clone(),
            Entry {
                value: value.clone(),
                revision,
            },
        );
        Ok(changed(place, scope, false))
    }
}

fn changed(place: &Place, scope: String, deleted: bool) -> Accepted {
    Accepted::done(Event::ContextChanged {
        scope,
        store: place.store.clone(),
        key: place.key.clone(),
        deleted,
    })
}

fn cost(key: &str, value: &Blob) -> u64 {
    (key.len() + value.len()) as u64 + ENTRY_COST
}

// (what it costs is counted when it is read, so that no file can say it wrong)
impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Context, D::Error> {
        let values = Deserialize::deserialize(deserializer)?;
        let mut context = Context { values, bytes: 0 };
        context.bytes = context.counted();
        Ok(context)
    }
}

mod scope_as_text {
    use super::{Deserialize, Deserializer, Scope, Serializer};

    pub fn serialize<S: Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(scope)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scope, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
