//! Regular expressions. `None` is a bail-out.
//!
//! They have no state here: what remembers where it was (`test` and `exec` with the flag `g` or `y`) is left to the engine, as
//! are texts with characters that are pairs of units, unless the flag `u` says that they count as one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use regress::{Match, Regex};
use vgdc_plan::native::Method;
use vgdc_value::{Array, Rare, Value};

/// How many compiled expressions a thread keeps.
const KEPT: usize = 1000;

/// A regular expression as a value.
pub(crate) fn value(source: &str, flags: &str) -> Option<Value> {
    compiled(source, flags)?;
    Some(Value::Rare(Arc::new(Rare::RegExp {
        source: source.to_owned(),
        flags: flags.to_owned(),
    })))
}

fn compiled(source: &str, flags: &str) -> Option<Rc<Regex>> {
    type Known = HashMap<(String, String), Option<Rc<Regex>>>;
    thread_local! {
        static KNOWN: RefCell<Known> = RefCell::default();
    }
    let plain = flags.bytes().all(|flag| b"gimsuy".contains(&flag));
    if !plain {
        return None;
    }
    KNOWN.with_borrow_mut(|known| {
        let key = (source.to_owned(), flags.to_owned());
        if let Some(found) = known.get(&key) {
            return found.clone();
        }
        if known.len() >= KEPT {
            known.clear();
        }
        let made = Regex::with_flags(source, flags).ok().map(Rc::new);
        known.insert(key, made.clone());
        made
    })
}

/// A regular expression that is about to be used on a text.
struct Use<'t> {
    regex: Rc<Regex>,
    global: bool,
    sticky: bool,
    text: &'t str,
}

impl<'t> Use<'t> {
    fn new(value: &Value, text: &'t str) -> Option<Use<'t>> {
        let Value::Rare(rare) = value else {
            return None;
        };
        let Rare::RegExp { source, flags } = &**rare else {
            return None;
        };
        let pairs = !text.is_ascii() && text.chars().any(|c| c.len_utf16() > 1);
        if pairs && !flags.contains('u') {
            return None;
        }
        Some(Use {
            regex: compiled(source, flags)?,
            global: flags.contains('g'),
            sticky: flags.contains('y'),
            text,
        })
    }

    fn from(&self, at: usize) -> Option<Match> {
        if at > self.text.len() {
            return None;
        }
        match self.text.is_ascii() {
            true => self.regex.find_from_ascii(self.text, at).next(),
            false => self.regex.find_from(self.text, at).next(),
        }
    }

    /// The place behind the character at a place.
    fn after(&self, at: usize) -> usize {
        let next = self.text[at..].chars().next();
        at + next.map_or(1, char::len_utf8)
    }

    /// All matches, one behind the other.
    fn all(&self) -> Vec<Match> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(one) = self.from(at) {
            at = match one.range() {
                range if range.is_empty() => self.after(range.end),
                range => range.end,
            };
            found.push(one);
        }
        found
    }

    fn groups(&self, one: &Match) -> Value {
        let groups = one.groups().map(|range| match range {
            Some(range) => Value::from(&self.text[range]),
            None => Value::Undefined,
        });
        Value::Array(groups.collect::<Array>())
    }
}

/// Calls a method of a regular expression.
pub(crate) fn method(which: Method, regex: &Value, args: &[Value]) -> Option<Value> {
    let [Value::Str(text)] = args else {
        return None;
    };
    let used = Use::new(regex, text)?;
    // (they remember where they were)
    if used.global || used.sticky {
        return None;
    }
    match which {
        Method::Test => Some(Value::Bool(used.from(0).is_some())),
        Method::Exec => Some(used.from(0).map_or(Value::Null, |one| used.groups(&one))),
        _ => None,
    }
}

/// Calls a method of a text with a regular expression.
pub(crate) fn of_text(which: Method, text: &str, regex: &Value, rest: &[Value]) -> Option<Value> {
    let used = Use::new(regex, text)?;
    if used.sticky {
        return None;
    }
    Some(match (which, rest) {
        (Method::Search, []) => match used.from(0) {
            Some(one) => Value::Number(text[..one.start()].encode_utf16().count() as f64),
            None => Value::Number(-1.0),
        },
        (Method::Match, []) if used.global => {
            let found = used.all();
            if found.is_empty() {
                return Some(Value::Null);
            }
            let texts = found.iter().map(|one| Value::from(&text[one.range()]));
            Value::Array(texts.collect::<Array>())
        }
        (Method::Match, []) => used.from(0).map_or(Value::Null, |one| used.groups(&one)),
        (Method::Replace | Method::ReplaceAll, [Value::Str(by)]) => {
            let found = match (which, used.global) {
                (_, true) => used.all(),
                (Method::ReplaceAll, false) => return None,
                (_, false) => used.from(0).into_iter().collect(),
            };
            let (mut made, mut at) = (String::with_capacity(text.len()), 0);
            for one in found {
                made.push_str(&text[at..one.start()]);
                expand(text, &one, by, &mut made)?;
                at = one.end();
            }
            made.push_str(&text[at..]);
            Value::from(made)
        }
        (Method::Split, []) => split(&used),
        _ => return None,
    })
}

/// A text, match by match: what stands before it, the match, its groups; and at the end what is left.
pub(crate) fn steps(text: &str, regex: &Value) -> Option<Value> {
    let used = Use::new(regex, text)?;
    let found = match (used.sticky, used.global) {
        (true, _) => return None,
        (_, true) => used.all(),
        (_, false) => used.from(0).into_iter().collect(),
    };
    let (mut steps, mut at) = (Vec::with_capacity(found.len() + 1), 0);
    for one in found {
        let mut step = vec![Value::from(&text[at..one.start()])];
        step.extend(one.groups().map(|range| match range {
            Some(range) => Value::from(&text[range]),
            None => Value::Undefined,
        }));
        steps.push(Value::from(step));
        at = one.end();
    }
    steps.push(Value::from(vec![Value::from(&text[at..])]));
    Some(Value::from(steps))
}

/// What stands in place of a match: `$&`, `$1` and so on are parts of it.
fn expand(text: &str, one: &Match, by: &str, made: &mut String) -> Option<()> {
    let group = |number: usize| one.group(number).map_or("", |range| &text[range]);
    let count = one.groups().count() - 1;
    let mut rest = by;
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        let after = &rest.as_bytes()[at + 1..];
        let digit = |at: usize| {
            after
                .get(at)
                .filter(|b| b.is_ascii_digit())
                .map(|b| usize::from(b - b'0'))
        };
        let used = match after.first() {
            Some(b'$') => {
                made.push('$');
                2
            }
            Some(b'&') => {
                made.push_str(&text[one.range()]);
                2
            }
            Some(b'`') => {
                made.push_str(&text[..one.start()]);
                2
            }
            Some(b'\'') => {
                made.push_str(&text[one.end()..]);
                2
            }
            // (names of groups)
            Some(b'<') => return None,
            _ => match (digit(0), digit(1)) {
                (Some(a), Some(b)) if (1..=count).contains(&(a * 10 + b)) => {
                    made.push_str(group(a * 10 + b));
                    3
                }
                (Some(a), _) if (1..=count).contains(&a) => {
                    made.push_str(group(a));
                    2
                }
                _ => {
                    made.push('$');
                    1
                }
            },
        };
        rest = &rest[at + used..];
    }
    made.push_str(rest);
    Some(())
}

/// The parts of a text between matches, and what the groups of each match are.
fn split(used: &Use<'_>) -> Value {
    let text = used.text;
    if text.is_empty() {
        return Value::Array(match used.from(0) {
            Some(_) => Array::new(),
            None => Array::from(vec![Value::from("")]),
        });
    }
    let (mut parts, mut begin, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let Some(one) = used.from(at).filter(|one| one.start() < text.len()) else {
            break;
        };
        if one.end() == begin {
            // (nothing, where a part begins)
            at = used.after(one.start());
            continue;
        }
        parts.push(Value::from(&text[begin..one.start()]));
        parts.extend(one.groups().skip(1).map(|range| match range {
            Some(range) => Value::from(&text[range]),
            None => Value::Undefined,
        }));
        (begin, at) = (one.end(), one.end());
        if one.range().is_empty() {
            at = used.after(at);
        }
    }
    parts.push(Value::from(&text[begin..]));
    Value::Array(Array::from(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(which: Method, text: &str, pattern: (&str, &str), rest: &[Value]) -> Option<String> {
        let regex = value(pattern.0, pattern.1)?;
        let made = of_text(which, text, &regex, rest)?;
        vgdc_value::json::stringify(&made, 0).ok()?
    }

    #[test]
    fn texts_are_split_at_matches() {
        let split = |text, pattern| on(Method::Split, text, (pattern, ""), &[]);
        assert_eq!(split("a1b22c", "\\d+").as_deref(), Some(r#"["a","b","c"]"#));
        assert_eq!(split("ab", "").as_deref(), Some(r#"["a","b"]"#));
        assert_eq!(split("", "x*").as_deref(), Some("[]"));
        assert_eq!(split("aXb", "(X)").as_deref(), Some(r#"["a","X","b"]"#));
        assert_eq!(split("äöü", "ö").as_deref(), Some(r#"["ä","ü"]"#));
    }

    #[test]
    fn replacements_name_parts_of_what_was_found() {
        let replaced = |by: &str| {
            on(
                Method::Replace,
                "x-y",
                ("(\\w)-(\\w)", ""),
                &[Value::from(by)],
            )
        };
        assert_eq!(replaced("$2$1$3$$$&$0").as_deref(), Some(r#""yx$3$x-y$0""#));
        assert_eq!(replaced("$<name>"), None);
    }

    #[test]
    fn what_remembers_where_it_was_is_left_to_the_engine() {
        for (flags, known) in [("", true), ("i", true), ("g", false), ("y", false)] {
            let regex = value("a", flags).expect("an expression");
            let tested = method(Method::Test, &regex, &[Value::from("a")]);
            assert_eq!(tested.is_some(), known, "{flags}");
        }
        // (a pair of units is one character to this, and two to JavaScript)
        assert_eq!(
            on(Method::Replace, "😀", (".", ""), &[Value::from("_")]),
            None
        );
        assert!(on(Method::Replace, "😀", (".", "u"), &[Value::from("_")]).is_some());
        assert!(value("(", "").is_none());
    }
}
