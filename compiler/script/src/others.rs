//! The other languages: JSONata, mustache, property paths, regular expressions, JSON.

use crate::{ContextUses, Keys, ScriptError};
use vgdc_value::{Path, json};

/// Parses a JSONata expression.
///
/// # Errors
/// What the parser says.
pub fn check_jsonata(text: &str) -> Result<(), ScriptError> {
    match jsonata_core::Expression::compile(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(ScriptError::new(
            format!("this is not JSONata: {}", error.display_message()),
            text,
            0..text.len(),
        )),
    }
}

/// The contexts that a JSONata expression uses: `$flowContext("key")`, `$globalContext("key")`.
pub fn jsonata_context_uses(text: &str) -> ContextUses {
    let mut uses = ContextUses::default();
    for (word, keys) in [
        ("$flowContext", &mut uses.flow),
        ("$globalContext", &mut uses.global),
    ] {
        for (at, _) in text.match_indices(word) {
            let rest = text[at + word.len()..].trim_start();
            let literal = rest
                .strip_prefix('(')
                .map(str::trim_start)
                .and_then(|rest| {
                    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
                    let (key, after) = rest[1..].split_once(quote)?;
                    after.trim_start().starts_with([')', ',']).then_some(key)
                });
            match literal {
                Some(key) => keys.add_path(key),
                None => *keys = Keys::All,
            }
        }
    }
    uses
}

/// Checks a mustache template: every tag and section is closed.
///
/// # Errors
/// The first that is not.
pub fn check_mustache(text: &str) -> Result<(), ScriptError> {
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        let inner = &text[start + 2..];
        // Other delimiters are left to the runtime's parser.
        if inner.trim_start().starts_with('=') {
            return Ok(());
        }
        let (ending, skip) = if inner.starts_with('{') {
            ("}}}", 1)
        } else {
            ("}}", 0)
        };
        let Some(end) = inner[skip..].find(ending) else {
            return Err(ScriptError::new(
                "this template has an unclosed tag",
                text,
                start..start + 2,
            ));
        };
        let tag = inner[skip..skip + end].trim();
        at = start + 2 + skip + end + ending.len();
        if let Some(name) = tag.strip_prefix(['#', '^']) {
            open.push((name.trim().to_owned(), start));
        } else if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some((opened, _)) if opened == name.trim() => {}
                Some((opened, _)) => {
                    return Err(ScriptError::new(
                        format!(
                            "this template closes \"{}\" where \"{opened}\" is open",
                            name.trim()
                        ),
                        text,
                        start..at,
                    ));
                }
                None => {
                    return Err(ScriptError::new(
                        format!(
                            "this template closes \"{}\", which is not open",
                            name.trim()
                        ),
                        text,
                        start..at,
                    ));
                }
            }
        }
    }
    match open.pop() {
        Some((name, start)) => Err(ScriptError::new(
            format!("this template has an unclosed section \"{name}\""),
            text,
            start..start + 2,
        )),
        None => Ok(()),
    }
}

/// The contexts that a mustache template uses: `{{flow.key}}`, `{{global[store].key}}`.
pub fn mustache_context_uses(text: &str) -> ContextUses {
    let mut uses = ContextUses::default();
    for (at, _) in text.match_indices("{{") {
        let tag = text[at + 2..].trim_start_matches(['{', '#', '^', '&', ' ']);
        for (word, keys) in [("flow", &mut uses.flow), ("global", &mut uses.global)] {
            let Some(rest) = tag.strip_prefix(word) else {
                continue;
            };
            let rest = rest
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
                .map_or(rest, |(_, rest)| rest);
            if let Some(key) = rest.strip_prefix('.') {
                let end = key.find(['}', ' ']).unwrap_or(key.len());
                keys.add_path(&key[..end]);
            }
        }
    }
    // Other delimiters: the tags are not where they are looked for.
    if text.contains("{{=") && (text.contains("flow") || text.contains("global")) {
        return ContextUses {
            flow: Keys::All,
            global: Keys::All,
        };
    }
    uses
}

/// Parses a property path; of a context, perhaps with a store before it.
///
/// # Errors
/// Node-RED's text.
pub fn check_path(text: &str) -> Result<(), ScriptError> {
    let path = text
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"))
        .map_or(text, |(_, path)| path);
    match Path::parse(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(ScriptError::new(error.message, text, 0..text.len())),
    }
}

/// Parses a regular expression of JavaScript.
///
/// # Errors
/// What is wrong with it.
pub fn check_regex(pattern: &str, flags: &str) -> Result<(), ScriptError> {
    match regress::Regex::with_flags(pattern, flags) {
        Ok(_) => Ok(()),
        Err(error) => Err(ScriptError::new(
            format!("this is not a regular expression: {error}"),
            pattern,
            0..pattern.len(),
        )),
    }
}

/// Parses JSON.
///
/// # Errors
/// What is wrong with it, and where.
pub fn check_json(text: &str) -> Result<(), ScriptError> {
    match json::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(ScriptError::new(
            format!("this is not JSON: {}", error.message),
            text,
            error.position..error.position + 1,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_language_is_checked() {
        assert!(check_jsonata("payload.x[0] & 'a'").is_ok() && check_jsonata("a[").is_err());
        assert!(check_mustache("{{#a}}{{b}}{{/a}} {{{c}}}").is_ok());
        for text in ["{{a", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}"] {
            assert!(check_mustache(text).is_err(), "{text}");
        }
        assert!(
            check_path("payload.a[\"b c\"]").is_ok()
                && check_path("#:(file)::a").is_ok()
                && check_path("a.").is_err()
        );
        assert!(check_regex("(?<y>[0-9]{4})", "").is_ok() && check_regex("(", "").is_err());
        assert_eq!(check_json("{\"a\":x}").map_err(|e| e.range), Err(5..6));
    }

    #[test]
    fn context_keys_are_found() {
        let known = |name: &str| Keys::Known([name.to_owned()].into());
        assert_eq!(
            jsonata_context_uses("$flowContext('a.b') + $globalContext( \"c\", 'file')"),
            ContextUses {
                flow: known("a"),
                global: known("c")
            }
        );
        assert_eq!(jsonata_context_uses("$flowContext(k)").flow, Keys::All);
        assert_eq!(
            mustache_context_uses("{{flow.a.b}} {{{global[file].c}}} {{flower}}"),
            ContextUses {
                flow: known("a"),
                global: known("c")
            }
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,60}") {
            let _ = crate::check_javascript(&text, crate::Phase::Body);
            let _ = (check_mustache(&text), check_path(&text), check_json(&text), jsonata_context_uses(&text), mustache_context_uses(&text));
        }
    }
}
