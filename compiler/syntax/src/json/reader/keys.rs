//! Finds keys that an object has twice.

use std::collections::HashMap;

use super::{Item, Reader};
use crate::codes;
use crate::diag::Diagnostic;
use crate::json::string::decode;

impl Reader<'_> {
    /// Warns of keys that an object has twice.
    pub(super) fn check_keys(&mut self, row: usize) {
        let keys = self.key_rows(row);
        if keys.len() <= 24 {
            for (at, &key) in keys.iter().enumerate() {
                if let Some(&first) = keys
                    .iter()
                    .take(at)
                    .find(|&&other| self.same_key(other, key))
                {
                    self.duplicate_key(first, key);
                }
            }
            return;
        }
        let mut seen = HashMap::with_capacity(keys.len());
        let mut twice = Vec::new();
        for item in keys {
            let literal = self
                .text
                .get(item.start as usize..item.end as usize)
                .unwrap_or("");
            if let Some(first) = seen.insert(decode(literal), item) {
                twice.push((first, item));
            }
        }
        for (first, second) in twice {
            self.duplicate_key(first, second);
        }
    }

    pub(super) fn key_rows(&self, row: usize) -> Vec<Item> {
        let mut keys = Vec::with_capacity(16);
        let mut at = row + 1;
        while let (Some(&key), Some(value)) = (self.items.get(at), self.items.get(at + 1)) {
            keys.push(key);
            at = (value.next as usize).max(at + 2);
        }
        keys
    }

    pub(super) fn same_key(&self, a: Item, b: Item) -> bool {
        let literal = |item: Item| {
            self.text
                .get(item.start as usize..item.end as usize)
                .unwrap_or("")
        };
        if a.flag || b.flag {
            decode(literal(a)) == decode(literal(b))
        } else {
            literal(a) == literal(b)
        }
    }

    pub(super) fn duplicate_key(&mut self, first: Item, second: Item) {
        let literal = self
            .text
            .get(second.start as usize..second.end as usize)
            .unwrap_or("");
        let shown: String = decode(literal).chars().take(40).collect();
        self.oddity(
            Diagnostic::warning(
                codes::DUPLICATE_KEY,
                format!("the object has the key `{shown}` twice; the last one counts"),
            )
            .with_label(
                self.span(second.start as usize, second.end as usize),
                "this one counts",
            )
            .with_label(
                self.span(first.start as usize, first.end as usize),
                "this one is ignored",
            ),
        );
    }
}
