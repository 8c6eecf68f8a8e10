//! The constructs of a text, each with the place where it first appears.

use std::collections::HashMap;

use super::{Feature, Support};

/// Collects constructs.
#[derive(Default)]
pub(super) struct Features {
    first: HashMap<String, (Support, u32)>,
}

impl Features {
    /// Notes a construct at a place.
    pub(super) fn note(&mut self, name: impl Into<String>, support: Support, at: u32) {
        let entry = self.first.entry(name.into()).or_insert((support, at));
        entry.0 = entry.0.max(support);
        entry.1 = entry.1.min(at);
    }

    pub(super) fn helper(&mut self, name: impl Into<String>, at: u32) {
        self.note(name, Support::Helper, at);
    }

    pub(super) fn engine(&mut self, name: impl Into<String>, at: u32) {
        self.note(name, Support::Engine, at);
    }

    /// All of them in the order of the text. `head`: bytes before the text, which end with a line break.
    pub(super) fn listed(self, text: &str, head: usize) -> Vec<Feature> {
        let mut found: Vec<(u32, String, Support)> = self
            .first
            .into_iter()
            .map(|(name, (support, at))| (at, name, support))
            .collect();
        found.sort();
        let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + head).collect();
        let line = |at: u32| breaks.partition_point(|&end| end < at as usize) as u32 + 1;
        found
            .into_iter()
            .map(|(at, name, support)| Feature {
                name,
                support,
                line: line(at),
            })
            .collect()
    }
}
