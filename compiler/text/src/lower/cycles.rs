//! Circles of wires in which nothing waits: messages would go round as fast as they can, for ever.

use super::{Draft, Lower};
use crate::fault::Fault;
use proc_macro2::Span;
use std::collections::HashMap;
use vgdc_spec::{Effect, FieldKind, FieldSpec, Outputs};
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

/// Whether all that a node gets leaves it, so that a circle of such nodes has no end: it has one output, and no code that decides.
/// (What a node does with what it cannot work on does not count.)
fn passes_all_on(draft: &Draft<'_>) -> bool {
    draft.spec.is_some_and(|spec| {
        let has_code = |field: &FieldSpec| field.kind == FieldKind::JavaScript;
        spec.outputs == Outputs::Fixed(1) && !spec.fields.iter().any(has_code) && !waits(draft)
    })
}

/// Wires that close circles, with the nodes that they lead to; `next` has the wires of each node.
fn closing(next: &[Vec<(usize, Span)>]) -> Vec<(usize, Span)> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        NotSeen,
        OnTheWay,
        Done,
    }
    let mut found = Vec::new();
    let mut state = vec![State::NotSeen; next.len()];
    for start in 0..next.len() {
        if state[start] != State::NotSeen {
            continue;
        }
        let mut way = vec![(start, 0usize)];
        state[start] = State::OnTheWay;
        while let Some((at, edge)) = way.last_mut() {
            let step = next[*at].get(*edge);
            *edge += 1;
            match step {
                None => {
                    state[*at] = State::Done;
                    way.pop();
                }
                Some(&(to, span)) => match state[to] {
                    State::NotSeen => {
                        state[to] = State::OnTheWay;
                        way.push((to, 0));
                    }
                    State::OnTheWay => found.push((to, span)),
                    State::Done => {}
                },
            }
        }
    }
    found
}

impl Lower<'_, '_> {
    pub(super) fn find_cycles(&mut self) {
        let numbered = self.drafts.iter().enumerate();
        let by_id: HashMap<&str, usize> = numbered
            .map(|(at, draft)| (draft.id.as_str(), at))
            .collect();
        let wires = |among: fn(&Draft<'_>) -> bool| -> Vec<Vec<(usize, Span)>> {
            let leads = |draft: &Draft<'_>| {
                let wires = draft.wires.iter().flatten();
                let known =
                    wires.filter_map(|wire| Some((*by_id.get(wire.id.as_str())?, wire.span)));
                known
                    .filter(|(to, _)| self.drafts.get(*to).is_some_and(among))
                    .collect()
            };
            let all = self.drafts.iter();
            all.map(|draft| {
                if among(draft) {
                    leads(draft)
                } else {
                    Vec::new()
                }
            })
            .collect()
        };
        let endless = closing(&wires(passes_all_on));
        let others = closing(&wires(|draft| !waits(draft)));
        let is_new = |(to, _): &&(usize, Span)| !endless.iter().any(|(other, _)| other == to);
        let others = others.iter().filter(is_new).map(|it| (it, Level::Warning));
        let all = endless.iter().map(|it| (it, Level::Error)).chain(others);
        let faults = all.map(|((to, span), level)| {
            let id = self.drafts.get(*to).map_or("", |draft| &draft.id);
            let message =
                format!("from `{id}` on messages come back here, and nothing on the way waits");
            let fix = match level {
                Level::Error => "put a node that waits into the circle",
                _ => "put a node that waits into the circle, unless one of its nodes lets messages out of it",
            };
            Fault::error(*span, codes::TEXT_CYCLE, message).warning(level).with_fix(fix)
        });
        let faults: Vec<Fault> = faults.collect();
        self.faults.extend(faults);
    }
}
