//! What is wrong with a value that is to be of a type, or with one that is to become a value.

use serde::{de, ser};
use std::fmt;

/// Where in a value, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Names and positions from the innermost to the outermost.
    path: Vec<String>,
    what: String,
}

impl Fault {
    /// It is in this property, or at this position, of something.
    pub(super) fn within(mut self, step: impl ToString) -> Fault {
        self.path.push(step.to_string());
        self
    }

    /// Where: `a.b.0`; empty for the value itself.
    pub fn path(&self) -> String {
        let steps: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        steps.join(".")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "{}: {}", self.path(), self.what),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(what: T) -> Fault {
        Fault {
            path: Vec::new(),
            what: what.to_string(),
        }
    }
}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(what: T) -> Fault {
        de::Error::custom(what)
    }
}
