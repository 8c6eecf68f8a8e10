//! What an evaluation on the long way has at hand: the environment, values that JSON cannot say, an error that a function
//! of Node-RED's raised. The crate's functions are told nothing but their arguments, so that it is kept by the thread.

use crate::moment::Moment;
use crate::{Env, ExprError};
use std::cell::RefCell;
use vgdc_value::Value;

/// A value that stands in an expression's values by its number.
#[derive(Clone)]
pub(super) enum Kept {
    Value(Value),
    /// What `$moment` gives.
    Moment(Moment),
}

impl Kept {
    pub(super) fn into_value(self) -> Value {
        match self {
            Kept::Value(value) => value,
            Kept::Moment(moment) => Value::Date(moment.ms()),
        }
    }
}

struct Session {
    env: *const dyn Env,
    kept: Vec<Kept>,
    failed: Option<ExprError>,
    now: Option<f64>,
}

thread_local! {
    static CURRENT: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Puts back what was there before, in a panic too.
struct Restore(Option<Session>);

impl Drop for Restore {
    fn drop(&mut self) {
        let before = self.0.take();
        CURRENT.with_borrow_mut(|current| *current = before);
    }
}

/// Runs an evaluation with an environment at hand.
pub(super) fn with<T>(env: &dyn Env, act: impl FnOnce() -> T) -> T {
    // SAFETY: only the lifetime is taken away. The pointer is followed only by `env`, which only finds it while this
    // function runs, that is while `env` is borrowed: `Restore` takes it out of `CURRENT` before this ends.
    let env: *const (dyn Env + 'static) =
        unsafe { std::mem::transmute(std::ptr::from_ref::<dyn Env + '_>(env)) };
    let session = Session {
        env,
        kept: Vec::new(),
        failed: None,
        now: None,
    };
    let _restore = Restore(CURRENT.with_borrow_mut(|current| current.replace(session)));
    act()
}

/// Asks the environment of the evaluation that runs on this thread.
pub(super) fn env<T>(ask: impl FnOnce(&dyn Env) -> T) -> Option<T> {
    let pointer = CURRENT.with_borrow(|current| current.as_ref().map(|session| session.env))?;
    // SAFETY: it is there only while the environment is borrowed; see `with`.
    Some(ask(unsafe { &*pointer }))
}

/// The time of the evaluation: the same throughout.
pub(super) fn now() -> f64 {
    let known = CURRENT.with_borrow(|current| current.as_ref().and_then(|session| session.now));
    known.unwrap_or_else(|| {
        let now = env(|env| env.now_ms().floor()).unwrap_or(f64::NAN);
        CURRENT.with_borrow_mut(|current| current.as_mut().map(|session| session.now = Some(now)));
        now
    })
}

/// Keeps a value; gives its number.
pub(super) fn keep(kept: Kept) -> usize {
    CURRENT.with_borrow_mut(|current| match current {
        Some(session) => {
            session.kept.push(kept);
            session.kept.len() - 1
        }
        None => usize::MAX,
    })
}

/// The value of a number.
pub(super) fn kept(number: usize) -> Option<Kept> {
    CURRENT.with_borrow(|current| {
        current
            .as_ref()
            .and_then(|session| session.kept.get(number).cloned())
    })
}

/// Remembers the error that a function raised, which the crate can only carry as a text.
pub(super) fn fail(error: ExprError) -> String {
    let text = error.message.to_string();
    CURRENT.with_borrow_mut(|current| current.as_mut().map(|session| session.failed = Some(error)));
    text
}

/// The error of that text, if a function raised one.
pub(super) fn failed(text: &str) -> Option<ExprError> {
    let failed = CURRENT
        .with_borrow_mut(|current| current.as_mut().and_then(|session| session.failed.take()));
    failed.filter(|error| &*error.message == text)
}
