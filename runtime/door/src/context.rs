//! Values that flows share over all machines, as programs ask for them: a request a line, an answer a line, in order.

use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Ask {
    /// A value.
    Get {
        /// `global`, `flow:ID` or `node:ID`.
        scope: String,
        /// The store's name.
        store: String,
        /// The key.
        key: String,
        /// Whether it has to be the newest, at the price of a round trip to the other machines.
        certain: bool,
    },
    /// Gives a key a value.
    Set {
        /// `global`, `flow:ID` or `node:ID`.
        scope: String,
        /// The store's name.
        store: String,
        /// The key.
        key: String,
        /// The value's CBOR in base64; none takes the key away.
        value: Option<String>,
    },
    /// Gives a key a value if it has the one that is expected.
    Swap {
        /// `global`, `flow:ID` or `node:ID`.
        scope: String,
        /// The store's name.
        store: String,
        /// The key.
        key: String,
        /// The CBOR in base64 of the value that it is to have; none: it is to have none.
        expected: Option<String>,
        /// The new value's CBOR in base64.
        value: String,
    },
    /// The keys of a scope.
    Keys {
        /// `global`, `flow:ID` or `node:ID`.
        scope: String,
        /// The store's name.
        store: String,
    },
    /// Takes all keys of a scope away.
    Clear {
        /// `global`, `flow:ID` or `node:ID`.
        scope: String,
        /// The store's name.
        store: String,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The value's CBOR in base64; none: there is none.
    Value(Option<String>),
    /// The keys.
    Keys(Vec<String>),
    /// It is done.
    Done {},
    /// To [`Ask::Swap`]: it has another value by now.
    Stale {},
    /// It is not; why.
    Error(String),
}
