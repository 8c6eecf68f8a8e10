//! Mustache templates, as mustache.js parses them for Node-RED's template node.

use vgdc_syntax::codes;

use crate::ScriptError;
use crate::keys::{ContextUses, Pick, flow, global};

/// A tag that means something: a name to look up, the start of a section, the end of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value,
    Section,
    End,
    Silent,
}

#[derive(Debug)]
struct Tag<'t> {
    kind: Kind,
    name: &'t str,
    start: usize,
    end: usize,
}

/// Reads the tags of a template one after the other.
struct Tags<'t> {
    text: &'t str,
    at: usize,
    open: &'t str,
    close: &'t str,
}

impl<'t> Tags<'t> {
    fn new(text: &'t str) -> Tags<'t> {
        Tags {
            text,
            at: 0,
            open: "{{",
            close: "}}",
        }
    }

    /// The next tag. `None` at the end of the text.
    fn next(&mut self) -> Option<Result<Tag<'t>, ScriptError>> {
        let start = self.at + self.text[self.at..].find(self.open)?;
        let inner = &self.text[start + self.open.len()..];
        let inner = inner.trim_start();
        let mark = inner
            .chars()
            .next()
            .filter(|c| matches!(c, '#' | '^' | '/' | '>' | '{' | '&' | '=' | '!'));
        let inner = &inner[mark.map_or(0, char::len_utf8)..];
        let found = match mark {
            Some('=') => inner.find('=').map(|end| (end, end + 1)),
            Some('{') => inner
                .find(&format!("}}{}", self.close))
                .map(|end| (end, end + 1)),
            _ => inner.find(self.close).map(|end| (end, end)),
        };
        let closed = found.and_then(|(end, rest)| {
            Some((
                end,
                rest + inner[rest..].find(self.close)? + self.close.len(),
            ))
        });
        let Some((end, rest)) = closed else {
            self.at = self.text.len();
            return Some(Err(error(
                "this template has an unclosed tag",
                self.text,
                start..start + self.open.len(),
            )));
        };
        let name = inner[..end].trim();
        self.at = self.text.len() - inner.len() + rest;
        let tag = Tag {
            kind: kind_of(mark),
            name,
            start,
            end: self.at,
        };
        if mark == Some('=') {
            let mut words = name.split_whitespace();
            let (Some(open), Some(close), None) = (words.next(), words.next(), words.next()) else {
                return Some(Err(error(
                    "a change of delimiters takes two, such as {{=<% %>=}}",
                    self.text,
                    tag.start..tag.end,
                )));
            };
            (self.open, self.close) = (open, close);
        }
        Some(Ok(tag))
    }
}

fn kind_of(mark: Option<char>) -> Kind {
    match mark {
        Some('#' | '^') => Kind::Section,
        Some('/') => Kind::End,
        Some('!' | '=' | '>') => Kind::Silent,
        _ => Kind::Value,
    }
}

fn error(message: impl Into<String>, text: &str, range: std::ops::Range<usize>) -> ScriptError {
    ScriptError::new(codes::BAD_TEMPLATE, message, text, range)
}

/// Checks a template: every tag and every section is closed.
///
/// # Errors
/// The first that is not.
pub fn check_mustache(text: &str) -> Result<(), ScriptError> {
    let mut tags = Tags::new(text);
    let mut open: Vec<Tag<'_>> = Vec::new();
    while let Some(tag) = tags.next() {
        let tag = tag?;
        match tag.kind {
            Kind::Section => open.push(tag),
            Kind::End => {
                let fault = match open.pop() {
                    Some(section) if section.name == tag.name => continue,
                    Some(section) => format!(
                        "this template closes \"{}\" where \"{}\" is open",
                        tag.name, section.name
                    ),
                    None => format!("this template closes \"{}\", which is not open", tag.name),
                };
                return Err(error(fault, text, tag.start..tag.end));
            }
            Kind::Value | Kind::Silent => {}
        }
    }
    match open.pop() {
        Some(section) => Err(error(
            format!("this template has an unclosed section \"{}\"", section.name),
            text,
            section.start..section.end,
        )),
        None => Ok(()),
    }
}

/// The contexts that a template uses: `{{flow.key}}`, `{{#global[store].key}}`. One that does not parse is never rendered,
/// and uses none. The empty one stands for any: where a node has none, its messages may bring one along.
pub(crate) fn context_uses(text: &str) -> ContextUses {
    if text.is_empty() {
        return ContextUses::any();
    }
    let mut uses = ContextUses::default();
    if check_mustache(text).is_err() {
        return uses;
    }
    let mut tags = Tags::new(text);
    while let Some(Ok(tag)) = tags.next() {
        if matches!(tag.kind, Kind::Value | Kind::Section) {
            add_name(&mut uses, tag.name);
        }
    }
    uses
}

fn add_name(uses: &mut ContextUses, name: &str) {
    let contexts: [(&str, Pick); 2] = [("flow", flow), ("global", global)];
    for (word, pick) in contexts {
        let Some(rest) = name.strip_prefix(word) else {
            continue;
        };
        let (store, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((store, rest)) => (Some(store), rest),
            None => (None, rest),
        };
        let Some(path) = rest.strip_prefix('.').filter(|path| !path.is_empty()) else {
            continue;
        };
        pick(uses).add_path(path);
        uses.stores.extend(store.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;
    use std::collections::BTreeSet;

    fn fault(text: &str) -> (String, &str) {
        let error = check_mustache(text).expect_err(text);
        (error.message, &text[error.range])
    }

    #[test]
    fn templates_are_checked() {
        for text in [
            "",
            "plain } }} text {",
            "{{#a}}{{b}}{{/a}} {{{c}}} {{& d }} {{! {{ }} {{> part}} {{}}",
            "{{# a }}{{^a}}x{{/a}}{{/ a}}",
            "{{=<% %>=}}<%#a%>{{<%/a%><%={{ }}=%>{{b}}",
            "{{ {a} }}}",
        ] {
            assert_eq!(check_mustache(text), Ok(()), "{text}");
        }
        insta::assert_debug_snapshot!(
            [
                "{{a",
                "a {{{b}}",
                "{{#a}}",
                "{{/a}}",
                "{{#a}}x{{/b}}",
                "{{=<% %>=}}<%a",
                "{{=a b c=}}",
                "{{#a}}{{#b}}{{/b}}"
            ]
            .map(fault)
        );
    }

    #[test]
    fn context_keys_are_found() {
        let known =
            |names: &[&str]| Keys::Known(names.iter().map(|name| (*name).to_owned()).collect());
        let uses = context_uses(
            "{{flow.a.b}} {{{global[file].c}}} {{#flow.d}}{{/flow.d}} {{&global.e}} {{flower}} {{x.flow.y}} {{!flow.z}}",
        );
        assert_eq!(
            (uses.flow, uses.global),
            (known(&["a", "d"]), known(&["c", "e"]))
        );
        assert_eq!(uses.stores, BTreeSet::from(["file".to_owned()]));
        assert_eq!(
            context_uses("{{=<% %>=}}<%flow.a%>{{flow.b}}").flow,
            known(&["a"])
        );
        assert_eq!(context_uses("{{flow.$parent.a}}").flow, Keys::All);
        assert_eq!(context_uses("{{flow.a}} {{"), ContextUses::default());
        assert_eq!(context_uses(""), ContextUses::any());
    }
}
