//! Comments and the statements that they stand at, so that they can go along into the flow file and back.

use crate::ast::*;
use crate::lex::{self, Tok};
use crate::lower::json::Out;
use std::collections::HashMap;
use std::ops::Range;

/// The comments of a text by the statements that they belong to. A macro has none: rustc does not hand them on.
#[derive(Default)]
pub struct Comments {
    by_item: HashMap<*const Item, AtItem>,
}

/// The comments at a statement.
#[derive(Default, Clone, Debug)]
pub struct AtItem {
    /// Those before it and inside of it; an empty one is an empty line.
    pub before: Vec<String>,
    /// The one behind it on its line.
    pub after: Vec<String>,
    /// Of a block: those behind its last statement.
    pub end: Vec<String>,
}

impl AtItem {
    /// The same as a property's value, none if there is nothing.
    pub fn members(&self) -> Vec<(String, Out)> {
        let list = |all: &[String]| Out::list(all.iter().map(Out::text).collect());
        [
            ("before", &self.before),
            ("after", &self.after),
            ("end", &self.end),
        ]
        .into_iter()
        .filter(|(_, all)| !all.is_empty())
        .map(|(name, all)| (name.to_owned(), list(all)))
        .collect()
    }
}

struct Found {
    at: usize,
    text: String,
    own_line: bool,
    apart: bool,
}

impl Comments {
    /// Finds the comments of a text.
    pub fn of(file: &File, text: &str, toks: &[Tok]) -> Comments {
        let mut found = Vec::new();
        let mut at = 0;
        for end in toks
            .iter()
            .map(|tok| tok.range.clone())
            .chain(std::iter::once(text.len()..text.len()))
        {
            if let Some(gap) = (at <= end.start).then_some(at..end.start) {
                for comment in lex::comments(text, gap).0 {
                    found.push(Found {
                        at: comment.range.start,
                        own_line: comment.breaks > 0 || comment.range.start == 0,
                        apart: comment.breaks > 1,
                        text: text[comment.range].to_owned(),
                    });
                }
            }
            at = end.end;
        }
        let mut comments = Comments::default();
        if !found.is_empty() {
            comments.share_out(&file.items, &found, 0..usize::MAX);
        }
        comments
    }

    /// Gives the comments in a range to the statements in it. What is left is given back: what stands behind the last one.
    fn share_out(&mut self, items: &[Item], found: &[Found], range: Range<usize>) -> Vec<String> {
        let mut rest: Vec<&Found> = found
            .iter()
            .filter(|comment| range.contains(&comment.at))
            .collect();
        let mut previous: Option<&Item> = None;
        for item in items {
            let span = item.span.byte_range();
            let mut at_item = AtItem::default();
            let split = rest
                .iter()
                .position(|comment| comment.at >= span.end)
                .unwrap_or(rest.len());
            let later = rest.split_off(split);
            let mut inside = Vec::new();
            for comment in rest {
                let behind = previous.filter(|_| !comment.own_line && comment.at < span.start);
                match behind {
                    Some(previous) => {
                        self.by_item
                            .entry(previous)
                            .or_default()
                            .after
                            .push(comment.text.clone());
                    }
                    None if comment.at < span.start => push(&mut at_item.before, comment),
                    None => inside.push(comment),
                }
            }
            if let ItemKind::Flow(block) | ItemKind::Subflow(block) | ItemKind::Group(block) =
                &item.kind
            {
                let body = block.open.byte_range().end..block.close.byte_range().start;
                inside.retain(|comment| !body.contains(&comment.at));
                at_item.end = self.share_out(&block.items, found, body);
            }
            for comment in inside {
                push(&mut at_item.before, comment);
            }
            if !at_item.before.is_empty() || !at_item.end.is_empty() {
                self.by_item.insert(item, at_item);
            }
            previous = Some(item);
            rest = later;
        }
        let mut left = Vec::new();
        for comment in rest {
            match previous.filter(|_| !comment.own_line) {
                Some(previous) => self
                    .by_item
                    .entry(previous)
                    .or_default()
                    .after
                    .push(comment.text.clone()),
                None if range.end == usize::MAX => {
                    // (behind all of a file: its last statement keeps them)
                    if let Some(previous) = previous {
                        let at_item = self.by_item.entry(previous).or_default();
                        at_item.after.push(String::new());
                        at_item.after.push(comment.text.clone());
                    }
                }
                None => push(&mut left, comment),
            }
        }
        left
    }

    /// The comments at a statement.
    pub fn at(&self, item: &Item) -> Option<&AtItem> {
        self.by_item.get(&std::ptr::from_ref(item))
    }
}

fn push(list: &mut Vec<String>, comment: &Found) {
    if comment.apart && !list.is_empty() {
        list.push(String::new());
    }
    list.push(comment.text.clone());
}
