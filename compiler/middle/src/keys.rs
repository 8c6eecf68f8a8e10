//! Sets of names that a text may use, where not all of them may be known.

use std::collections::BTreeSet;

/// Names: keys of a context, link-ins that code calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// These, by the first part of their paths.
    Known(BTreeSet<String>),
    /// Not known: any.
    All,
}

impl Default for Keys {
    fn default() -> Self {
        Keys::Known(BTreeSet::new())
    }
}

impl Keys {
    /// Whether no key at all is used.
    pub fn is_empty(&self) -> bool {
        matches!(self, Keys::Known(names) if names.is_empty())
    }

    /// Whether this key may be used.
    pub fn may_be(&self, name: &str) -> bool {
        match self {
            Keys::Known(names) => names.contains(name),
            Keys::All => true,
        }
    }

    /// Adds a key.
    pub fn add(&mut self, key: impl Into<String>) {
        if let Keys::Known(names) = self {
            names.insert(key.into());
        }
    }

    /// Adds all keys of another use.
    pub fn merge(&mut self, other: Keys) {
        match (&mut *self, other) {
            (Keys::Known(mine), Keys::Known(theirs)) => mine.extend(theirs),
            _ => *self = Keys::All,
        }
    }
}

/// The contexts that an operator shares with others. Its own, which no other can reach, does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextUse {
    /// Keys of its flow's context. A key of a flow around a subflow instance begins with `$parent.`.
    pub flow: Keys,
    /// Keys of the global context.
    pub global: Keys,
    /// The stores in which they may be: the default one is an empty text, one that is not known [`ANY_STORE`].
    pub stores: BTreeSet<String>,
}

/// Stands for a store of which it is not known which it is: no store has this name.
pub const ANY_STORE: &str = "*";

impl ContextUse {
    /// Any key of both contexts.
    pub fn all() -> ContextUse {
        ContextUse {
            flow: Keys::All,
            global: Keys::All,
            stores: BTreeSet::from([ANY_STORE.to_owned()]),
        }
    }

    /// Whether all that it uses is in these stores.
    pub fn is_in(&self, stores: &BTreeSet<String>) -> bool {
        !self.stores.is_empty() && self.stores.is_subset(stores)
    }

    /// Whether it uses neither.
    pub fn is_empty(&self) -> bool {
        self.flow.is_empty() && self.global.is_empty()
    }

    /// Adds another use.
    pub fn merge(&mut self, other: ContextUse) {
        self.flow.merge(other.flow);
        self.global.merge(other.global);
        self.stores.extend(other.stores);
    }

    /// Whether it may reach the contexts of the flows around a subflow instance.
    pub(crate) fn reaches_out(&self) -> bool {
        match &self.flow {
            Keys::All => true,
            Keys::Known(names) => names.iter().any(|name| name.starts_with('$')),
        }
    }
}
