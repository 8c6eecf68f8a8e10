//! Functions that are handed to functions of the text, and functions that are called where they stand.
//!
//! A parameter that is only called stands for the function that it is called with: where the function of the text is put in,
//! that one is put in, too, wherever the parameter is called. (It sees the variables around it as they are then, and the
//! call that they belong to has not ended.)

use std::collections::{HashMap, HashSet};

use oxc_ast::ast::*;
use oxc_semantic::SymbolId;
use oxc_span::Span;

use super::callback::{Functions, Inner};

/// What an argument is, where it may be a function.
#[derive(Clone, Copy)]
pub(super) enum Passed {
    Name(SymbolId),
    Function(Span),
}

impl Passed {
    /// The function that a text function may be called with.
    pub(super) fn of(
        e: &Expression<'_>,
        local: impl Fn(&IdentifierReference<'_>) -> Option<SymbolId>,
    ) -> Option<Passed> {
        match e {
            Expression::ParenthesizedExpression(inner) => Passed::of(&inner.expression, local),
            Expression::Identifier(name) => local(name).map(Passed::Name),
            other => {
                let inner = Inner::of(other).filter(Inner::fits)?;
                Some(Passed::Function(inner.span))
            }
        }
    }
}

/// Which parameters stand for functions, and where functions are that have no names.
#[derive(Clone, Default)]
pub(crate) struct Handed {
    params: HashSet<SymbolId>,
    /// A function may come to its own call again.
    pub(super) in_circles: bool,
    /// Functions that are put in where they, or the parameters that they are handed to, are called.
    pub(crate) spans: Vec<Span>,
}

impl Handed {
    /// `calls` and `all`: how often names are called, and how often they are used at all; `passed`: what the functions are
    /// called with, and in which place; `immediate`: functions that are called where they stand.
    pub(super) fn find(
        functions: &Functions<'_, '_>,
        calls: &HashMap<SymbolId, u32>,
        all: &HashMap<SymbolId, u32>,
        passed: &[(SymbolId, usize, Passed)],
        immediate: Vec<Span>,
    ) -> Handed {
        let living = functions.values().filter(|inner| !inner.dead);
        let plain = living.flat_map(|inner| {
            let count = inner.params().len();
            (0..count).filter_map(|at| inner.plain_param(at))
        });
        let mut handed = Handed {
            params: plain.filter(|symbol| all.contains_key(symbol)).collect(),
            spans: immediate,
            in_circles: false,
        };
        // (one that is handed on is called as little as the parameter that it is handed to)
        loop {
            let known = handed.params.len();
            let kept = handed.params.iter().copied().filter(|symbol| {
                let called = calls.get(symbol).copied().unwrap_or_default();
                called + handed.times(*symbol, functions, passed)
                    == all.get(symbol).copied().unwrap_or_default()
            });
            handed.params = kept.collect();
            if handed.params.len() == known {
                break;
            }
        }
        let spans = passed.iter().filter_map(|(callee, at, what)| match what {
            Passed::Function(span) => handed.takes(functions.get(callee)?, *at).map(|_| *span),
            Passed::Name(_) => None,
        });
        let spans: Vec<Span> = spans.collect();
        handed.spans.extend(spans);
        handed
    }

    /// Whether what calls do cannot be followed through the functions of the text.
    pub(super) fn hides(&self) -> bool {
        self.in_circles || !self.params.is_empty() || !self.spans.is_empty()
    }

    /// The parameter that stands for a function.
    pub(super) fn takes(&self, inner: &Inner<'_, '_>, at: usize) -> Option<SymbolId> {
        let symbol = inner.plain_param(at)?;
        self.params.contains(&symbol).then_some(symbol)
    }

    /// How often a name is handed to such a parameter.
    pub(super) fn times(
        &self,
        symbol: SymbolId,
        functions: &Functions<'_, '_>,
        passed: &[(SymbolId, usize, Passed)],
    ) -> u32 {
        let fits = passed.iter().filter(|(callee, at, what)| {
            let takes = functions.get(callee).and_then(|f| self.takes(f, *at));
            matches!(what, Passed::Name(name) if *name == symbol) && takes.is_some()
        });
        fits.count() as u32
    }
}
