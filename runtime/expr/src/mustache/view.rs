//! What a template is rendered over: the message, and within sections what they are about.

use super::{Name, Other, Steps};
use crate::{Env, ExprError};
use std::borrow::Cow;
use vgdc_value::{Key, Value};

/// One level of the stack of contexts.
pub(super) struct View<'v> {
    value: &'v Value,
    outer: Option<&'v View<'v>>,
    /// Texts found here are escaped for use within JSON texts.
    json: bool,
}

impl<'v> View<'v> {
    /// The outermost level.
    pub(super) fn whole(value: &'v Value, json: bool) -> View<'v> {
        View {
            value,
            outer: None,
            json,
        }
    }

    /// A section about a value. (Within sections Node-RED does not escape for JSON.)
    pub(super) fn within<'i>(&'i self, value: &'i Value) -> View<'i>
    where
        'v: 'i,
    {
        View {
            value,
            outer: Some(self),
            json: false,
        }
    }

    /// What a name means here.
    pub(super) fn find(
        &self,
        name: &Name,
        env: Option<&dyn Env>,
    ) -> Result<Cow<'_, Value>, ExprError> {
        let found = self.look_up(name);
        match (&*found, env) {
            (Value::Str(text), _) if self.json => match json_escaped(text) {
                Some(escaped) => Ok(Cow::Owned(Value::from(escaped))),
                None => Ok(found),
            },
            (Value::Undefined, Some(env)) => match &name.other {
                Other::Env(name) => Ok(Cow::Owned(crate::env_property(name, env))),
                Other::Context { scope, store, key } => env
                    .context_get(*scope, key, store.as_deref())
                    .map(Cow::Owned),
                Other::Nothing => Ok(found),
            },
            _ => Ok(found),
        }
    }

    fn look_up(&self, name: &Name) -> Cow<'_, Value> {
        let mut view = self;
        loop {
            let found = match &name.steps {
                Steps::Here => return Cow::Borrowed(view.value),
                Steps::Single(key) => property(view.value, key, false),
                Steps::Several(keys) => view.several(keys),
            };
            match (found, view.outer) {
                (Some(found), _) => return found,
                (None, Some(outer)) => view = outer,
                (None, None) => return Cow::Owned(Value::Undefined),
            }
        }
    }

    fn several(&self, keys: &[Key]) -> Option<Cow<'_, Value>> {
        let (last, first) = keys.split_last()?;
        let mut at = Cow::Borrowed(self.value);
        for key in first {
            at = step(at, key)?;
        }
        match at {
            Cow::Borrowed(value) => property(value, last, true),
            Cow::Owned(value) => {
                property(&value, last, true).map(|found| Cow::Owned(found.into_owned()))
            }
        }
    }
}

/// A step on the way; `None` where it ends.
fn step<'v>(at: Cow<'v, Value>, key: &Key) -> Option<Cow<'v, Value>> {
    let next = match at {
        Cow::Borrowed(value) => property(value, key, true)?,
        Cow::Owned(value) => Cow::Owned(property(&value, key, true)?.into_owned()),
    };
    (!next.is_nullish()).then_some(next)
}

/// A property, if it is there. `of_plain`: texts have properties too.
pub fn property<'v>(value: &'v Value, key: &Key, of_plain: bool) -> Option<Cow<'v, Value>> {
    match value {
        Value::Object(object) => object.get_key(key).map(Cow::Borrowed),
        Value::Array(items) => match key.index() {
            Some(index) => items.get(index as usize).map(Cow::Borrowed),
            None => (key.as_str() == "length").then(|| Cow::Owned(Value::from(items.len()))),
        },
        Value::Str(_) | Value::Bool(_) | Value::Number(_) if !of_plain => None,
        other => {
            let found = other.get(key.as_str());
            (!found.is_undefined()).then_some(Cow::Owned(found))
        }
    }
}

/// A text for use within a JSON text; `None`: as it is.
pub(super) fn json_escaped(text: &str) -> Option<String> {
    if !text.contains(['\\', '\n', '\t', '\r', '\u{c}', '\u{8}']) {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            c => out.push(c),
        }
    }
    Some(out)
}
