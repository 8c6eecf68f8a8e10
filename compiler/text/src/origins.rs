//! From places in the JSON that a text became back to places in the text.

use crate::lower::json::Origin;
use vgdc_syntax::{Diagnostics, SourceId, Span};

/// Where the parts of a JSON text come from.
#[derive(Debug, Clone)]
pub struct Origins {
    source: SourceId,
    list: Vec<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    json: std::ops::Range<u32>,
    text: std::ops::Range<u32>,
    map: Vec<(u32, u32)>,
}

impl Origins {
    /// Those of a file's text.
    pub(crate) fn new(source: SourceId, origins: &[Origin]) -> Origins {
        let list = origins.iter().map(|origin| {
            let range = origin.span.byte_range();
            let text = range.start as u32..range.end as u32;
            Place {
                json: origin.json.clone(),
                text,
                map: origin.map.clone(),
            }
        });
        Origins {
            source,
            list: list.collect(),
        }
    }

    /// The source with the text.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The place in the text that a place in the JSON comes from.
    pub fn find(&self, start: u32, end: u32) -> Option<Span> {
        let holds = |place: &&Place| place.json.start <= start && end <= place.json.end;
        let place = self
            .list
            .iter()
            .filter(holds)
            .min_by_key(|place| place.json.end - place.json.start)?;
        let whole = Span::new(self.source, place.text.clone());
        if place.map.is_empty() || (start, end) == (place.json.start, place.json.end) {
            return Some(whole);
        }
        let of = |at: u32| {
            let entry = place.map.iter().rev().find(|(json, _)| *json <= at)?;
            Some(place.text.start + entry.1 + (at - entry.0))
        };
        let (Some(from), Some(to)) = (of(start), of(end)) else {
            return Some(whole);
        };
        let (from, to) = (from.min(place.text.end), to.min(place.text.end));
        Some(Span::new(self.source, from..to.max(from)))
    }

    /// Makes diagnostics about the JSON `of` diagnostics about the text.
    pub fn map(&self, diagnostics: &mut Diagnostics, of: SourceId) {
        for diagnostic in diagnostics.iter_mut() {
            diagnostic.labels.retain_mut(|label| {
                if label.span.source != of {
                    return true;
                }
                let found = self.find(label.span.start, label.span.end);
                if let Some(span) = found {
                    label.span = span;
                }
                found.is_some()
            });
            // The text has the value's lines as they are: there is nothing to show beside it.
            if let Some(body) = &mut diagnostic.body
                && body.value.is_some_and(|value| value.source == of)
            {
                body.value = None;
            }
        }
    }
}
