//! Mustache templates as Node-RED's template node renders them: by the specification, with mustache.js's escapes and error
//! texts, over the message, then `env.NAME`, `flow.KEY` and `global.KEY` (`flow[store].KEY`).

use crate::{CtxScope, Env, ExprError, error};
use std::borrow::Cow;
use vgdc_value::{Msg, Value};

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// `{{name}}`; `raw`: not escaped.
    Value { name: Name, raw: bool },
    Section { name: Name, inverted: bool, parts: Vec<Part> },
}

/// A name, and what it means when the message does not have it.
#[derive(Debug, Clone, PartialEq)]
struct Name {
    text: String,
    steps: Vec<String>,
    other: Other,
}

#[derive(Debug, Clone, PartialEq)]
enum Other {
    Nothing,
    Env(String),
    Context { scope: CtxScope, store: Option<String>, key: String },
}

impl Name {
    fn new(text: &str) -> Name {
        let steps = if text == "." { Vec::new() } else { text.split('.').map(str::to_owned).collect() };
        Name { text: text.to_owned(), steps, other: Other::of(text) }
    }
}

impl Other {
    fn of(text: &str) -> Other {
        if let Some(name) = text.strip_prefix("env.").filter(|name| !name.is_empty()) {
            return Other::Env(name.to_owned());
        }
        for (word, scope) in [("flow", CtxScope::Flow), ("global", CtxScope::Global)] {
            let Some(rest) = text.strip_prefix(word) else { continue };
            let (store, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((store, rest)) => (Some(store.to_owned()), rest),
                None => (None, rest),
            };
            if let Some(key) = rest.strip_prefix('.').filter(|key| !key.is_empty()) {
                return Other::Context { scope, store, key: key.to_owned() };
            }
        }
        Other::Nothing
    }
}

#[derive(Debug)]
enum Token {
    Text(String),
    Value(String, bool),
    Open(String, bool, usize),
    Close(String, usize),
    /// A comment, a partial, a change of delimiters: prints nothing.
    Silent,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// An unclosed tag or section; the text is mustache.js's.
    pub fn parse(text: &str) -> Result<Template, ExprError> {
        let tokens = standalone(tokens(text)?);
        let mut stack: Vec<(String, bool, usize, Vec<Part>)> = Vec::new();
        let mut parts = Vec::new();
        for token in tokens {
            match token {
                Token::Text(text) => match parts.last_mut() {
                    Some(Part::Text(last)) => last.push_str(&text),
                    _ => parts.push(Part::Text(text)),
                },
                Token::Value(name, raw) => parts.push(Part::Value { name: Name::new(&name), raw }),
                Token::Open(name, inverted, at) => stack.push((name, inverted, at, std::mem::take(&mut parts))),
                Token::Close(name, at) => {
                    let Some((open, inverted, _, outer)) = stack.pop() else {
                        return Err(error(format!("Unopened section \"{name}\" at {at}")));
                    };
                    if open != name {
                        return Err(error(format!("Unclosed section \"{open}\" at {at}")));
                    }
                    let inner = std::mem::replace(&mut parts, outer);
                    parts.push(Part::Section { name: Name::new(&open), inverted, parts: inner });
                }
                Token::Silent => {}
            }
        }
        match stack.pop() {
            Some((open, ..)) => Err(error(format!("Unclosed section \"{open}\" at {}", text.encode_utf16().count()))),
            None => Ok(Template { parts }),
        }
    }

    /// Renders it. `json`: texts of the message are escaped for use within JSON texts.
    ///
    /// # Errors
    /// A context store's error.
    pub fn render(&self, env: &dyn Env, msg: &Msg, json: bool) -> Result<String, ExprError> {
        let mut out = String::new();
        let root = msg.to_value();
        let view = View { value: &root, outer: None, json };
        render(&self.parts, env, &view, &mut out)?;
        Ok(out)
    }
}

/// One level of the stack of contexts.
struct View<'v> {
    value: &'v Value,
    outer: Option<&'v View<'v>>,
    json: bool,
}

fn has(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(object) => object.contains_key(key),
        Value::Str(_) | Value::Array(_) | Value::Buffer(_) if key == "length" => true,
        other => !other.get(key).is_undefined(),
    }
}

impl View<'_> {
    fn look_up(&self, name: &Name) -> Value {
        if name.steps.is_empty() {
            return self.value.clone();
        }
        let mut view = Some(self);
        while let Some(at) = view {
            if let Some(found) = at.own(name) {
                return found;
            }
            view = at.outer;
        }
        Value::Undefined
    }

    fn own(&self, name: &Name) -> Option<Value> {
        if name.steps.len() == 1 || name.text.starts_with('.') {
            return (self.value.is_object() && has(self.value, &name.text)).then(|| self.value.get(&name.text));
        }
        let mut at = self.value.clone();
        let (last, first) = name.steps.split_last()?;
        for step in first {
            if at.is_nullish() {
                return None;
            }
            at = at.get(step);
        }
        (!at.is_nullish() && has(&at, last)).then(|| at.get(last))
    }

    fn find(&self, name: &Name, env: &dyn Env) -> Result<Value, ExprError> {
        let found = self.look_up(name);
        match (&found, &name.other) {
            (Value::Undefined, Other::Env(name)) => Ok(env.env_get(name)),
            (Value::Undefined, Other::Context { scope, store, key }) => env.context_get(*scope, key, store.as_deref()),
            (Value::Undefined, Other::Nothing) => Ok(Value::from("")),
            (Value::Str(text), _) if self.json => Ok(Value::from(json_escaped(text).into_owned())),
            _ => Ok(found),
        }
    }
}

fn json_escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '\n', '\t', '\r', '\u{c}', '\u{8}']) {
        return Cow::Borrowed(text);
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
    Cow::Owned(out)
}

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

fn render(parts: &[Part], env: &dyn Env, view: &View<'_>, out: &mut String) -> Result<(), ExprError> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value { name, raw } => match view.find(name, env)? {
                Value::Undefined | Value::Null => {}
                Value::Str(text) if *raw => out.push_str(&text),
                Value::Str(text) => escape_into(out, &text),
                value if *raw || matches!(value, Value::Number(_)) => out.push_str(&value.to_js_string()),
                value => escape_into(out, &value.to_js_string()),
            },
            Part::Section { name, inverted, parts } => {
                let value = view.find(name, env)?;
                let empty = matches!(&value, Value::Array(items) if items.is_empty());
                if *inverted {
                    if !value.truthy() || empty {
                        render(parts, env, view, out)?;
                    }
                    continue;
                }
                if !value.truthy() {
                    continue;
                }
                let inner = |value: &Value, out: &mut String| {
                    render(parts, env, &View { value, outer: Some(view), json: false }, out)
                };
                match &value {
                    Value::Array(items) => items.iter().try_for_each(|item| inner(item, out))?,
                    Value::Bool(_) => render(parts, env, view, out)?,
                    other => inner(other, out)?,
                }
            }
        }
    }
    Ok(())
}

fn tokens(text: &str) -> Result<Vec<Token>, ExprError> {
    let (mut open, mut close) = ("{{".to_owned(), "}}".to_owned());
    let mut out = Vec::new();
    let mut at = 0;
    let units = |at: usize| text[..at].encode_utf16().count();
    while at < text.len() {
        let Some(found) = text[at..].find(&open) else {
            out.push(Token::Text(text[at..].to_owned()));
            break;
        };
        if found > 0 {
            out.push(Token::Text(text[at..at + found].to_owned()));
        }
        let start = at + found;
        let inner = start + open.len();
        let rest = &text[inner..];
        let trimmed = rest.trim_start();
        let skipped = rest.len() - trimmed.len();
        let kind = trimmed.chars().next();
        let (body_at, ending) = match kind {
            Some('=') => (inner + skipped + 1, format!("={close}")),
            Some('{') => (inner + skipped + 1, format!("}}{close}")),
            Some('#' | '^' | '/' | '>' | '&' | '!') => (inner + skipped + 1, close.clone()),
            _ => (inner, close.clone()),
        };
        let Some(end) = text[body_at..].find(&ending) else {
            return Err(error(format!("Unclosed tag at {}", units(text.len()))));
        };
        let body = text[body_at..body_at + end].trim();
        at = body_at + end + ending.len();
        out.push(match kind {
            Some('#') => Token::Open(body.to_owned(), false, units(start)),
            Some('^') => Token::Open(body.to_owned(), true, units(start)),
            Some('/') => Token::Close(body.to_owned(), units(start)),
            Some('!' | '>') => Token::Silent,
            Some('=') => {
                let mut tags = body.split_whitespace();
                match (tags.next(), tags.next(), tags.next()) {
                    (Some(a), Some(b), None) => (open, close) = (a.to_owned(), b.to_owned()),
                    _ => return Err(error(format!("Invalid tags: {body}"))),
                }
                Token::Silent
            }
            Some('{' | '&') => Token::Value(body.to_owned(), true),
            _ => Token::Value(body.to_owned(), false),
        });
    }
    Ok(out)
}

/// A line that holds nothing but white space and tags that print nothing is taken away whole.
fn standalone(tokens: Vec<Token>) -> Vec<Token> {
    // Cut texts into lines, so that a line is a run of tokens.
    let mut pieces = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => pieces.extend(text.split_inclusive('\n').map(|line| Token::Text(line.to_owned()))),
            other => pieces.push(other),
        }
    }
    let mut out = Vec::new();
    let mut line = Vec::new();
    let mut end_line = |line: &mut Vec<Token>| {
        let blank = |token: &Token| matches!(token, Token::Text(text) if !text.trim().is_empty());
        let has_tag = line.iter().any(|token| !matches!(token, Token::Text(_)));
        let prints = line.iter().any(|token| blank(token) || matches!(token, Token::Value(..)));
        let strip = has_tag && !prints;
        out.extend(line.drain(..).filter(|token| !(strip && matches!(token, Token::Text(_)))));
    };
    for piece in pieces {
        let ends = matches!(&piece, Token::Text(text) if text.ends_with('\n'));
        line.push(piece);
        if ends {
            end_line(&mut line);
        }
    }
    end_line(&mut line);
    out
}

/// The context keys of a template, for whoever wants to know before it is rendered.
impl Template {
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
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, msg};

    fn show(text: &str) -> String {
        let env = Fake::default();
        env.context_set(CtxScope::Flow, "k", Value::from("f<"), None).expect("sets");
        env.context_set(CtxScope::Global, "k.x", Value::from(9), Some("file")).expect("sets");
        let msg = msg(r#"{"payload":{"n":1.5,"s":"a<b>\"/=","list":[{"x":1},{"x":2}],"t":true,"z":0,"e":[],"o":{"deep":"d"}},"topic":"T\n"}"#);
        match Template::parse(text) {
            Ok(template) => template.render(&env, &msg, false).expect("renders"),
            Err(error) => format!("error: {}", error.message),
        }
    }

    #[test]
    fn renders_by_the_specification() {
        for (text, expected) in [
            ("Hello {{payload.n}}!", "Hello 1.5!"),
            ("{{payload.s}}", "a&lt;b&gt;&quot;&#x2F;&#x3D;"),
            ("{{{payload.s}}} {{&payload.s}}", "a<b>\"/= a<b>\"/="),
            ("{{#payload.list}}{{x}},{{/payload.list}}", "1,2,"),
            ("{{#payload.t}}yes {{topic}}{{/payload.t}}{{^payload.t}}no{{/payload.t}}", "yes T\n"),
            ("{{#payload.z}}x{{/payload.z}}{{^payload.z}}none{{/payload.z}}{{^payload.e}}empty{{/payload.e}}", "noneempty"),
            ("{{#payload.o}}{{deep}} {{payload.n}}{{/payload.o}}", "d 1.5"),
            ("{{payload.gone}}{{gone.gone}}|", "|"),
            ("{{! a remark }}x{{=<% %>=}}<% payload.n %>", "x1.5"),
            ("a\n{{#payload.t}}\nb\n{{/payload.t}}\nc\n", "a\nb\nc\n"),
            ("{{flow.k}} {{global[file].k.x}} {{env.NAME}}", "f&lt; 9 vgdc"),
            ("{{#payload.list}}{{.}}{{/payload.list}}", "[object Object][object Object]"),
            ("{{payload.n", "error: Unclosed tag at 11"),
            ("{{#a}}x", "error: Unclosed section \"a\" at 7"),
            ("{{/a}}", "error: Unopened section \"a\" at 0"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_escaped_for_json() {
        let template = Template::parse("{\"a\":\"{{{topic}}}\"}").expect("parses");
        assert_eq!(template.render(&Fake::default(), &msg(r#"{"topic":"x\ny\\"}"#), true).expect("renders"), "{\"a\":\"x\\ny\\\\\"}");
    }
}
