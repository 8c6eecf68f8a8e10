//! Changes one value inside the text of an object, and nothing else of that text.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::write::{Style, element_starts, line_indent, replacement_style, write_key, write_value};
use super::{Json, JsonDoc, Kind, Limits};
use crate::source::SourceId;

/// Why a path leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PathError {
    /// The path has no step.
    Empty,
    /// The step with this number is to go into a value that is neither array nor object.
    NotAContainer(usize),
    /// The step with this number is no index of its array, nor the one past the end.
    NoSuchIndex(usize),
    /// The text is not JSON.
    NotJson,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathError::Empty => write!(f, "the path is empty"),
            PathError::NotAContainer(step) => write!(
                f,
                "before step {} of the path is neither an object nor an array",
                step + 1
            ),
            PathError::NoSuchIndex(step) => write!(
                f,
                "step {} of the path is not an index of the array",
                step + 1
            ),
            PathError::NotJson => write!(f, "the text is not JSON"),
        }
    }
}

impl std::error::Error for PathError {}

/// Sets the value at `path` inside the object `text`, and gives the new text. Missing objects on the way are made; an index one
/// past the end of an array appends. `base` is the indentation of the line that `text` begins in; `outer` the manner to
/// write in where the text itself does not show one.
pub(crate) fn set_at_path(
    text: &str,
    base: &str,
    outer: &Style,
    path: &[&str],
    value: &Value,
) -> Result<String, PathError> {
    let doc = read(text)?;
    let mut at = doc.root();
    let mut style = outer.clone();
    for (step, name) in path.iter().enumerate() {
        if element_starts(at).next().is_some() {
            style = inherit(Style::of(at, text, base), &style);
        }
        let rest = path.get(step + 1..).unwrap_or(&[]);
        let next = match at.kind() {
            Kind::Object => at.get(name),
            Kind::Array => array_step(at, name, step)?,
            _ => return Err(PathError::NotAContainer(step)),
        };
        match next {
            Some(next) if rest.is_empty() => {
                let mut new = String::new();
                let range = next.span().range();
                write_value(
                    &mut new,
                    value,
                    &replacement_style(next, &style),
                    line_indent(text, range.start, base),
                );
                return Ok(splice(text, range, &new));
            }
            Some(next) => at = next,
            None => {
                let wrapped = rest.iter().rev().fold(value.clone(), |inner, key| {
                    Value::Object(serde_json::Map::from_iter([((*key).to_owned(), inner)]))
                });
                let key = (at.kind() == Kind::Object).then_some(*name);
                return Ok(append(text, base, at, &style, key, &wrapped));
            }
        }
    }
    Err(PathError::Empty)
}

/// Removes the value at `path` inside the object `text`, and gives the new text; `None` when there is no such value.
pub(crate) fn remove_member(text: &str, path: &[&str]) -> Result<Option<String>, PathError> {
    let doc = read(text)?;
    let (last, parents) = path.split_last().ok_or(PathError::Empty)?;
    let Some(container) = doc.root().at_path(parents) else {
        return Ok(None);
    };
    let keep: Vec<bool> = match container.kind() {
        Kind::Object => container
            .entries()
            .map(|entry| !entry.key.is_key(last))
            .collect(),
        _ => container
            .elements()
            .enumerate()
            .map(|(at, _)| Ok(at) != last.parse())
            .collect(),
    };
    if keep.iter().all(|&kept| kept) {
        return Ok(None);
    }
    let whole = container.span().range();
    let pieces: Vec<Range<usize>> = element_starts(container).collect();
    Ok(Some(splice(
        text,
        whole.clone(),
        &without(text, whole, &pieces, &keep),
    )))
}

/// The text of a container with only those of its elements that are kept, each with the gap that stood before it.
pub(crate) fn without(
    text: &str,
    whole: Range<usize>,
    pieces: &[Range<usize>],
    keep: &[bool],
) -> String {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
        return text.get(whole).unwrap_or("").to_owned();
    };
    let part = |range: Range<usize>| text.get(range).unwrap_or("");
    if !keep.contains(&true) {
        return format!(
            "{}{}",
            part(whole.start..whole.start + 1),
            part(whole.end - 1..whole.end)
        );
    }
    let mut out = part(whole.start..first.start).to_owned();
    let mut gap_start: Option<usize> = None;
    let mut any = false;
    for (piece, kept) in pieces.iter().zip(keep) {
        if *kept {
            if let (true, Some(start)) = (any, gap_start) {
                out.push_str(part(start..piece.start));
            }
            out.push_str(part(piece.clone()));
            any = true;
        }
        gap_start = Some(piece.end);
    }
    out.push_str(part(last.end..whole.end));
    out
}

fn read(text: &str) -> Result<JsonDoc, PathError> {
    // The spans of this document stay in here, so it needs no source.
    let (doc, faults) = JsonDoc::parse(SourceId(u32::MAX), Arc::from(text), &Limits::default());
    if faults.has_errors() {
        Err(PathError::NotJson)
    } else {
        Ok(doc)
    }
}

fn array_step<'a>(array: Json<'a>, name: &str, step: usize) -> Result<Option<Json<'a>>, PathError> {
    let index: usize = name.parse().map_err(|_| PathError::NoSuchIndex(step))?;
    match array.at(index) {
        Some(element) => Ok(Some(element)),
        None if index == array.elements().count() => Ok(None),
        None => Err(PathError::NoSuchIndex(step)),
    }
}

/// What an inner container does not show, its outer one may.
fn inherit(inner: Style, outer: &Style) -> Style {
    let colon_gap = if inner.colon_gap.is_empty() && inner.indent.is_some() {
        outer.colon_gap.clone()
    } else {
        inner.colon_gap.clone()
    };
    Style {
        newline: outer.newline,
        colon_gap,
        ..inner
    }
}

/// Appends a member or an element to a container.
fn append(
    text: &str,
    base: &str,
    container: Json<'_>,
    style: &Style,
    key: Option<&str>,
    value: &Value,
) -> String {
    let span = container.span().range();
    let own = line_indent(text, span.start, base);
    let last = element_starts(container).last();
    let step = style.indent.as_deref();
    let mut new = String::new();
    let indent = match (&last, step) {
        (Some(last), Some(_)) => line_indent(text, last.start, base).to_owned(),
        (None, Some(step)) => format!("{own}{step}"),
        (_, None) => own.to_owned(),
    };
    if last.is_some() {
        new.push(',');
    }
    match step {
        Some(_) => new.extend([style.newline, &indent]),
        None if last.is_some() => new.push_str(&style.comma_gap),
        None => {}
    }
    if let Some(key) = key {
        write_key(&mut new, key, style);
    }
    write_value(&mut new, value, style, &indent);
    match last {
        Some(last) => splice(text, last.end..last.end, &new),
        None => {
            if step.is_some() {
                new.extend([style.newline, own]);
            }
            splice(text, span.start + 1..span.end - 1, &new)
        }
    }
}

fn splice(text: &str, range: Range<usize>, new: &str) -> String {
    let mut out = String::with_capacity(text.len() + new.len());
    out.push_str(text.get(..range.start).unwrap_or(""));
    out.push_str(new);
    out.push_str(text.get(range.end..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(text: &str, path: &[&str], value: Value) -> String {
        let outer = Style {
            newline: "\n",
            indent: None,
            comma_gap: String::new(),
            colon_gap: String::new(),
        };
        set_at_path(text, "", &outer, path, &value).unwrap()
    }

    #[test]
    fn a_value_is_replaced_and_nothing_else() {
        assert_eq!(
            set(r#"{ "a" :1 ,"b":2}"#, &["a"], json!("x")),
            r#"{ "a" :"x" ,"b":2}"#
        );
        assert_eq!(
            set(r#"{"a":{"b":[1,2.50]}}"#, &["a", "b", "0"], json!(7.0)),
            r#"{"a":{"b":[7,2.50]}}"#
        );
        assert_eq!(
            set(r#"{"a":1,"a":2}"#, &["a"], json!(3)),
            r#"{"a":1,"a":3}"#
        );
    }

    #[test]
    fn a_member_is_appended_in_the_manner_of_its_object() {
        assert_eq!(set(r#"{"a":1}"#, &["b"], json!([1])), r#"{"a":1,"b":[1]}"#);
        assert_eq!(
            set(r#"{"a": 1, "c": 2}"#, &["b"], json!([1, 2])),
            r#"{"a": 1, "c": 2, "b": [1, 2]}"#
        );
        assert_eq!(
            set("{\n  \"a\": 1\n}", &["b", "c"], json!([])),
            "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": []\n  }\n}"
        );
        assert_eq!(
            set("{\r\n\t\"a\": 1\r\n}", &["b"], json!(1)).replace("\r\n", "|"),
            "{|\t\"a\": 1,\n\t\"b\": 1|}"
        );
        assert_eq!(set("{}", &["a"], json!(1)), r#"{"a":1}"#);
    }

    #[test]
    fn elements_are_appended_to_arrays() {
        assert_eq!(
            set(r#"{"w":[["a"]]}"#, &["w", "0", "1"], json!("b")),
            r#"{"w":[["a","b"]]}"#
        );
        assert_eq!(
            set("{\n  \"w\": [\n    1\n  ]\n}", &["w", "1"], json!({"x":1})),
            "{\n  \"w\": [\n    1,\n    {\n      \"x\": 1\n    }\n  ]\n}"
        );
        assert_eq!(
            set("{\n  \"w\": []\n}", &["w", "0"], json!(1)),
            "{\n  \"w\": [\n    1\n  ]\n}"
        );
    }

    #[test]
    fn a_short_container_stays_on_its_line() {
        assert_eq!(
            set("{\n  \"w\": [[\"a\"]]\n}", &["w"], json!([["a"], ["b"]])),
            "{\n  \"w\": [[\"a\"],[\"b\"]]\n}"
        );
    }

    #[test]
    fn members_are_removed_with_their_comma() {
        let remove = |text: &str, path: &[&str]| remove_member(text, path).unwrap();
        assert_eq!(
            remove("{\"a\":1, \"b\":2}", &["a"]).as_deref(),
            Some("{\"b\":2}")
        );
        assert_eq!(
            remove("{\"a\":1, \"b\":2 }", &["b"]).as_deref(),
            Some("{\"a\":1 }")
        );
        assert_eq!(remove("{ \"a\":1,\"a\":2 }", &["a"]).as_deref(), Some("{}"));
        assert_eq!(
            remove("{\"a\":[1,2,3]}", &["a", "1"]).as_deref(),
            Some("{\"a\":[1,3]}")
        );
        assert_eq!(remove("{\"a\":1}", &["b"]), None);
    }

    #[test]
    fn wrong_paths_are_refused() {
        let outer = Style::node_red();
        let set = |path: &[&str]| set_at_path(r#"{"a":1,"b":[1]}"#, "", &outer, path, &json!(1));
        assert_eq!(set(&[]), Err(PathError::Empty));
        assert_eq!(set(&["a", "x"]), Err(PathError::NotAContainer(1)));
        assert_eq!(set(&["b", "2"]), Err(PathError::NoSuchIndex(1)));
        assert_eq!(set(&["b", "x"]), Err(PathError::NoSuchIndex(1)));
        assert_eq!(
            set_at_path("{", "", &outer, &["a"], &json!(1)),
            Err(PathError::NotJson)
        );
    }
}
