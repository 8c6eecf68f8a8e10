//! Mustache templates as Node-RED's template node renders them: by the specification, with mustache.js's escapes, white
//! space and error texts, over the message, then `env.NAME`, `flow.KEY` and `global.KEY` (`flow[store].KEY`).
//!
//! Lambdas and partials are not there, as in Node-RED. Names of JavaScript's prototypes (`{{constructor}}`) mean nothing.

mod parse;
mod view;

use crate::{CtxScope, Env, ExprError, error};
use std::fmt::Write;
use vgdc_value::{Key, Msg, Value};
use view::View;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
    /// How many bytes of text it has itself.
    text_len: usize,
    has_partials: bool,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Part {
    Text(String),
    /// `{{name}}`; `raw`: not escaped.
    Value {
        name: Name,
        raw: bool,
    },
    Section {
        name: Name,
        inverted: bool,
        parts: Vec<Part>,
    },
}

/// A name, and what it means when the message does not have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// As it is written.
    pub text: String,
    /// The way to it.
    pub steps: Steps,
    /// What it means when there is nothing.
    pub other: Other,
}

/// The way to what has a name.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Steps {
    /// `.`: what the section is about.
    Here,
    Single(Key),
    Several(Vec<Key>),
}

/// What a name means when the message does not have it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Other {
    Nothing,
    Env(String),
    Context {
        scope: CtxScope,
        store: Option<String>,
        key: String,
    },
}

impl Name {
    fn new(text: String) -> Name {
        let steps = match text.find('.') {
            Some(0) if text == "." => Steps::Here,
            Some(0) | None => Steps::Single(Key::from(text.as_str())),
            Some(_) => Steps::Several(text.split('.').map(Key::from).collect()),
        };
        Name {
            steps,
            other: Other::of(&text),
            text,
        }
    }
}

impl Other {
    fn of(text: &str) -> Other {
        if let Some(name) = text.strip_prefix("env.").filter(|name| !name.is_empty()) {
            return Other::Env(name.to_owned());
        }
        for (word, scope) in [("flow", CtxScope::Flow), ("global", CtxScope::Global)] {
            let Some(rest) = text.strip_prefix(word) else {
                continue;
            };
            let is_word = |store: &str| {
                !store.is_empty()
                    && store
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_')
            };
            let (store, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((store, rest)) if is_word(store) => (Some(store.to_owned()), rest),
                _ => (None, rest),
            };
            if let Some(key) = rest.strip_prefix('.').filter(|key| !key.is_empty()) {
                return Other::Context {
                    scope,
                    store,
                    key: key.to_owned(),
                };
            }
        }
        Other::Nothing
    }
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// An unclosed tag or section, delimiters that are none; the text is mustache.js's, with the place in UTF-16 units.
    pub fn parse(text: &str) -> Result<Template, ExprError> {
        parse::template(text)
    }

    /// Renders it as the template node does. `json`: texts of the message are escaped for use within JSON texts.
    ///
    /// # Errors
    /// A context store's error. A partial, which Node-RED does not take either; the text is what it says then.
    pub fn render(&self, env: &dyn Env, msg: &Msg, json: bool) -> Result<String, ExprError> {
        if self.has_partials {
            return Err(error("tokens.forEach is not a function"));
        }
        self.render_over(&msg.to_value(), Some(env), json)
    }

    /// Renders it over a value alone, as nodes do that call mustache.js themselves: no context, no environment.
    pub fn render_plain(&self, over: &Value) -> String {
        // (without context there is nothing that can fail)
        self.render_over(over, None, false).unwrap_or_default()
    }

    fn render_over(
        &self,
        over: &Value,
        env: Option<&dyn Env>,
        json: bool,
    ) -> Result<String, ExprError> {
        let mut out = String::with_capacity(self.text_len + 64);
        render(&self.parts, env, &View::whole(over, json), &mut out)?;
        Ok(out)
    }

    /// Its parts; nothing for a template that cannot be rendered.
    pub fn parts(&self) -> Option<&[Part]> {
        (!self.has_partials).then_some(&self.parts)
    }

    /// Calls `each` with every path that the template looks up in the message.
    pub fn names(&self, each: &mut dyn FnMut(&str)) {
        fn walk(parts: &[Part], each: &mut dyn FnMut(&str)) {
            for part in parts {
                match part {
                    Part::Text(_) => {}
                    Part::Value { name, .. } => each(&name.text),
                    Part::Section { name, parts, .. } => {
                        each(&name.text);
                        walk(parts, each);
                    }
                }
            }
        }
        walk(&self.parts, each);
    }

    /// True when it prints the same for every message.
    pub fn is_constant(&self) -> bool {
        !self.has_partials && self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }
}

fn render(
    parts: &[Part],
    env: Option<&dyn Env>,
    view: &View<'_>,
    out: &mut String,
) -> Result<(), ExprError> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value { name, raw } => print(out, &*view.find(name, env)?, *raw),
            Part::Section {
                name,
                inverted: true,
                parts,
            } => {
                let value = view.find(name, env)?;
                if !value.truthy() || matches!(&*value, Value::Array(items) if items.is_empty()) {
                    render(parts, env, view, out)?;
                }
            }
            Part::Section {
                name,
                inverted: false,
                parts,
            } => {
                let value = view.find(name, env)?;
                match &*value {
                    Value::Array(items) => {
                        for item in items.iter() {
                            render(parts, env, &view.within(item), out)?;
                        }
                    }
                    Value::Bool(true) => render(parts, env, view, out)?,
                    value if value.truthy() => render(parts, env, &view.within(value), out)?,
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Appends a value as a template prints it: escaped for HTML unless it is `raw`; with `json` texts are escaped for use within
/// JSON texts first.
pub fn write(out: &mut String, value: &Value, raw: bool, json: bool) {
    let escaped = match value {
        Value::Str(text) if json => view::json_escaped(text),
        _ => None,
    };
    match escaped {
        Some(text) => print(out, &Value::from(text), raw),
        None => print(out, value, raw),
    }
}

/// How many times a section is shown for a value: -1 stands for once with `true`, which opens no context of its own, and
/// -2 for once with anything else.
pub fn rounds(value: &Value) -> f64 {
    match value {
        Value::Array(items) => items.len() as f64,
        Value::Bool(true) => -1.0,
        value if value.truthy() => -2.0,
        _ => 0.0,
    }
}

pub use view::property;

fn print(out: &mut String, value: &Value, raw: bool) {
    match value {
        Value::Undefined | Value::Null => {}
        Value::Str(text) if raw => out.push_str(text),
        Value::Str(text) => escape_into(out, text),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        // (a write to a text cannot fail)
        Value::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => {
            let _ = write!(out, "{}", *n as i64);
        }
        Value::Number(n) => out.push_str(&vgdc_value::number::to_js_string(*n)),
        value if raw => out.push_str(&value.to_js_string()),
        value => escape_into(out, &value.to_js_string()),
    }
}

/// Escapes for HTML what mustache.js escapes.
fn escape_into(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'/' => "&#x2F;",
            b'`' => "&#x60;",
            b'=' => "&#x3D;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(escaped);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, msg};

    // (what templates render to is in `tests/facts/template.jsonl`)

    #[test]
    fn a_template_tells_what_it_looks_up() {
        let template = Template::parse("a {{b.c}}{{#d}}{{{flow.e}}}{{/d}}{{^d}}{{! f }}{{/d}}")
            .expect("parses");
        let mut names = Vec::new();
        template.names(&mut |name| names.push(name.to_owned()));
        assert_eq!(names, ["b.c", "d", "flow.e", "d"]);
        assert!(
            !template.is_constant() && Template::parse("a{{! b }}").expect("parses").is_constant()
        );
    }

    #[test]
    fn context_is_reached_by_its_names_only() {
        let env = Fake::default();
        env.context_set(CtxScope::Flow, "k", Value::from("f<"), None)
            .expect("sets");
        env.context_set(CtxScope::Global, "k.x", Value::from(9), Some("file"))
            .expect("sets");
        let show = |text: &str| {
            Template::parse(text)
                .expect("parses")
                .render(&env, &msg("{}"), false)
                .expect("renders")
        };
        assert_eq!(
            show("{{flow.k}} {{global[file].k.x}} {{env.NAME}}|{{flow[a b].k}}{{flows.k}}{{flow}}"),
            "f&lt; 9 vgdc|"
        );
        let plain = Template::parse("{{flow.k}}{{a}}{{> partial}}").expect("parses");
        assert_eq!(plain.render_plain(&msg(r#"{"a":"<"}"#).to_value()), "&lt;");
        assert!(plain.render(&env, &msg("{}"), false).is_err());
    }
}
