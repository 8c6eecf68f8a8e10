//! Circles of wires in which nothing waits: messages would go round as fast as they can, for ever.

use super::{Draft, Lower};
use crate::fault::Fault;
use proc_macro2::Span;
use std::collections::HashMap;
use vgdc_spec::{Effect, FieldKind};
use vgdc_syntax::{Level, codes};

/// What code that sends later has in it.
const LATER: &[&str] = &[
    "setTimeout",
    "setInterval",
    "setImmediate",
    "await",
    ".then(",
    "node.send",
];

/// Whether messages may wait in a node. Of nodes of which nothing is known, it is taken for granted.
fn waits(draft: &Draft<'_>) -> bool {
    let Some(spec) = draft.spec else { return true };
    let mut code = spec
        .fields
        .iter()
        .filter(|field| field.kind == FieldKind::JavaScript)
        .filter_map(|field| draft.props.get(field.name)?.as_text());
    spec.waits
        || matches!(spec.effect, Effect::Io | Effect::Source)
        || code.any(|text| LATER.iter().any(|word| text.contains(word)))
}

impl Lower<'_, '_> {
    pub(super) fn warn_of_cycles(&mut self) {
        let by_id: HashMap<&str, usize> = self
            .drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| (draft.id.as_str(), at))
            .collect();
        let next: Vec<Vec<(usize, Span)>> = self
            .drafts
            .iter()
            .map(|draft| match waits(draft) {
                true => Vec::new(),
                false => {
                    let wires = draft.wires.iter().flatten();
                    wires
                        .filter_map(|wire| Some((*by_id.get(wire.id.as_str())?, wire.span)))
                        .collect()
                }
            })
            .collect();
        let mut found = Vec::new();
        // 0: not seen, 1: on the way, 2: done
        let mut state = vec![0u8; self.drafts.len()];
        for start in 0..self.drafts.len() {
            if state.get(start) != Some(&0) {
                continue;
            }
            let mut way = vec![(start, 0usize)];
            if let Some(state) = state.get_mut(start) {
                *state = 1;
            }
            while let Some((at, edge)) = way.last_mut() {
                let step = next.get(*at).and_then(|edges| edges.get(*edge));
                *edge += 1;
                match step {
                    None => {
                        if let Some(state) = state.get_mut(*at) {
                            *state = 2;
                        }
                        way.pop();
                    }
                    Some((to, span)) => match state.get(*to) {
                        Some(0) => {
                            if let Some(state) = state.get_mut(*to) {
                                *state = 1;
                            }
                            way.push((*to, 0));
                        }
                        Some(1) => found.push((*to, *span)),
                        _ => {}
                    },
                }
            }
        }
        for (to, span) in found {
            let id = self.drafts.get(to).map_or("", |draft| &draft.id);
            let message =
                format!("from `{id}` on messages come back here, and nothing on the way waits");
            let mut fault = Fault::error(span, codes::TEXT_CYCLE, message)
                .with_fix("put a node that waits into the circle, unless one of its nodes lets messages out of it");
            fault.level = Level::Warning;
            self.faults.push(fault);
        }
    }
}
