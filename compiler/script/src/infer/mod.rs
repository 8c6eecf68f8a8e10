//! The types of what a function body sends, given the type of its message: the body is followed once from its first statement
//! to its ends, with the types of variables and objects in the place of their values.
//!
//! Meaning: for every message of the given type, whatever the engine would send has the type that is found here. What is not
//! followed makes everything unknown; nothing is guessed. How objects that have several names are kept apart is in [`state`],
//! what functions inside a body may do to it in [`scan`].
//!
//! On the way it is found what fails for every message: only where a statement is reached by all of them.

mod cond;
mod expr;
mod names;
mod scan;
mod state;
mod stmt;

use oxc_semantic::Scoping;
use vgdc_ir::Ty;
use vgdc_syntax::codes;

use crate::javascript::parse::{self, Parsed};
use crate::{Phase, ScriptError};
use scan::{Facts, Later};
use state::{State, Val};

/// What is known of a text's types.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// The type of what it sends to each output; [`Ty::NEVER`] where it sends nothing.
    pub outputs: Vec<Ty>,
    /// What goes wrong with every message.
    pub faults: Vec<ScriptError>,
}

/// The types of what a text sends when it is called with a message of a type.
pub fn infer(text: &str, phase: Phase, message: &Ty, outputs: usize) -> Inferred {
    let known = match phase {
        Phase::Body => parse::with_body(text, |parsed| body(text, &parsed, message, outputs)),
        // (these get no message; what they send is not followed)
        Phase::Setup | Phase::Close => sends_nothing(text).then(|| Inferred {
            outputs: vec![Ty::NEVER; outputs],
            faults: Vec::new(),
        }),
    };
    known.unwrap_or_else(|| Inferred {
        outputs: vec![Ty::any_object(); outputs],
        faults: Vec::new(),
    })
}

/// Whether a text has no way to send anything, as far as its words show.
fn sends_nothing(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("node") {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + 4..];
        let in_word =
            |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if in_word(before) || in_word(rest.chars().next()) {
            continue;
        }
        let member = rest.trim_start().strip_prefix('.').unwrap_or_default();
        let member = member.trim_start();
        let end = member
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(member.len());
        let harmless = [
            "status", "log", "warn", "error", "debug", "trace", "id", "name",
        ];
        if !harmless.contains(&&member[..end]) {
            return false;
        }
    }
    !["eval", "Function", "this", "arguments"]
        .iter()
        .any(|word| text.contains(word))
}

/// Something is not followed.
pub(crate) struct Beyond;

type Res<T> = Result<T, Beyond>;

/// The name under which the message is followed that the body is called with: no place in the text is the first one.
const MESSAGE: state::Loc = 0;

/// How many statements and expressions are looked at in one body: loops are followed several times.
const STEPS: usize = 20_000;

struct Infer<'w> {
    scoping: &'w Scoping,
    text: &'w str,
    head: u32,
    facts: Facts,
    /// What is known here; `None` where the body never comes.
    state: Option<State>,
    /// What leaves the loops and switches around by `break`, and goes on with `continue`.
    breaks: Vec<Option<State>>,
    continues: Vec<Option<State>>,
    /// What is known wherever something in the `try` blocks around may throw.
    thrown: Vec<Option<State>>,
    sent: Vec<Ty>,
    /// The type of the id that the message has where something is sent.
    id: Ty,
    /// The value of the condition that was looked at last.
    value: Val,
    /// How many conditions there are around; or the body may have ended before.
    uncertain: usize,
    faults: Vec<ScriptError>,
    steps: usize,
}

fn body(text: &str, parsed: &Parsed<'_, '_>, message: &Ty, outputs: usize) -> Inferred {
    let facts = scan::scan(parsed.statements, parsed.scoping, text);
    let mut infer = Infer {
        scoping: parsed.scoping,
        text,
        head: parsed.head,
        facts,
        state: Some(State::default()),
        breaks: Vec::new(),
        continues: Vec::new(),
        thrown: Vec::new(),
        sent: vec![Ty::NEVER; outputs],
        id: Ty::NEVER,
        value: Val::never(),
        uncertain: 0,
        faults: Vec::new(),
        steps: 0,
    };
    let nothing_known = || Inferred {
        outputs: vec![Ty::any_object(); outputs],
        faults: Vec::new(),
    };
    let Some(msg) = names::message(parsed.scoping).filter(|_| !infer.facts.beyond) else {
        return nothing_known();
    };
    let message = message.meet(&Ty::any_object());
    if let Some(state) = &mut infer.state {
        let object = state.make(MESSAGE, &message, false);
        infer.assign(msg, object);
    }
    infer.later();
    match infer.statements(parsed.statements) {
        Ok(()) => Inferred {
            outputs: infer.sent.iter().map(|ty| with_id(ty, &infer.id)).collect(),
            faults: infer.faults,
        },
        Err(Beyond) => nothing_known(),
    }
}

impl Infer<'_> {
    /// What functions inside send, whenever that is.
    fn later(&mut self) {
        for later in std::mem::take(&mut self.facts.sent_later) {
            let ty = match later {
                Later::Anything => Ty::any_object(),
                Later::Fields(names) => {
                    Ty::object(names.into_iter().map(|name| (name, Ty::ANY)), false)
                }
            };
            self.sent.iter_mut().for_each(|sent| *sent = sent.join(&ty));
            self.id = Ty::ANY;
        }
    }

    /// Sends a value, as `return` and `node.send` do: a message, or an array of what goes to each output.
    fn send(&mut self, val: &Val) {
        let Some(state) = &self.state else { return };
        let ty = state.type_sent(val);
        self.id = self.id.join(&id_of_message(state));
        let message = messages(&ty);
        if let Some(first) = self.sent.first_mut() {
            *first = first.join(&message);
        }
        if let Some(element) = ty.element() {
            self.send_to_any(&element);
        }
    }

    /// Sends to one of the outputs: a message, or an array of messages.
    fn send_to(&mut self, output: usize, ty: &Ty) {
        let inside = ty.element().unwrap_or(Ty::NEVER);
        let messages = messages(&ty.join(&inside));
        if let Some(sent) = self.sent.get_mut(output) {
            *sent = sent.join(&messages);
        }
    }

    fn send_to_any(&mut self, ty: &Ty) {
        (0..self.sent.len()).for_each(|output| self.send_to(output, ty));
    }

    /// Notes what goes wrong here with every message.
    fn fault(&mut self, code: vgdc_syntax::Code, message: String, span: oxc_span::Span) {
        if self.uncertain > 0 || !self.thrown.is_empty() || self.state.is_none() {
            return;
        }
        let at = |at: u32| (at.saturating_sub(self.head) as usize).min(self.text.len());
        let error = ScriptError::new(code, message, self.text, at(span.start)..at(span.end));
        if !self.faults.contains(&error) {
            self.faults.push(error);
        }
    }

    /// Notes that reading a property of a value fails for sure.
    fn check_readable(&mut self, val: &Val, name: &str, of: &str, span: oxc_span::Span) {
        let kind = match () {
            () if val.is(&Ty::UNDEFINED) => "undefined",
            () if val.is(&Ty::NULL) => "null",
            () if val.is(&Ty::UNDEFINED.join(&Ty::NULL)) => "undefined or null",
            () => return,
        };
        let message = format!("`{of}` is always {kind} here, so reading `{name}` of it fails");
        self.fault(codes::ALWAYS_THROWS, message, span);
    }

    fn source(&self, span: oxc_span::Span) -> &str {
        let at = |at: u32| at.saturating_sub(self.head) as usize;
        self.text
            .get(at(span.start)..at(span.end))
            .unwrap_or_default()
    }

    /// One more step; a body that takes too many is not followed.
    fn step(&mut self) -> Res<()> {
        self.steps += 1;
        if self.steps > STEPS {
            Err(Beyond)
        } else {
            Ok(())
        }
    }

    /// Here something may throw: what is known may be all that is known in a `catch`.
    fn may_throw(&mut self) {
        let Some(state) = &self.state else { return };
        for thrown in &mut self.thrown {
            *thrown = Some(match thrown.take() {
                Some(known) => known.join(state),
                None => state.clone(),
            });
        }
    }
}

/// The type of the id that the message which the body was called with has now.
fn id_of_message(state: &State) -> Ty {
    state.type_of(&state.get(&Val::object(MESSAGE), "_msgid"))
}

/// A message as it is sent: one without an id gets that of the message, or a new one.
fn with_id(ty: &Ty, id: &Ty) -> Ty {
    let own = ty.field("_msgid");
    match own.is_any() || own.is(&Ty::STRING) {
        true => ty.clone(),
        false => ty.with(
            "_msgid",
            own.present().join(&Ty::STRING).join(&id.present()),
        ),
    }
}

/// What of a type can be sent as a message. Dates, errors and the like can, and are objects then.
fn messages(ty: &Ty) -> Ty {
    let odd = "date | other | handle".parse().unwrap_or_default();
    match ty.may_be(&odd) {
        true => Ty::any_object(),
        false => ty.meet(&Ty::any_object()),
    }
}

/// What is known where two ways meet.
fn meet(one: Option<State>, other: Option<State>) -> Option<State> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.join(&other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
