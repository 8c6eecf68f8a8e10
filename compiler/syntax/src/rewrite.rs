//! Brings a flow file to what somebody made of its nodes elsewhere (an editor that holds them as JSON): objects that say the same keep their
//! text, byte for byte; of one that was changed, values that say the same do; what is new is written in the file's own manner.
//!
//! Two objects say the same when JavaScript would read the same from both: the order of keys, the spelling of numbers and of strings
//! do not count, and of a key that is there twice the last one does.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::edit::{EditError, Layout};
use crate::flowdoc::FlowDoc;
use crate::json::{self, Json, JsonDoc, Kind, Limits, Style};
use crate::source::SourceId;

impl FlowDoc {
    /// The text of the file with these nodes, a JSON array, in the place of its own.
    ///
    /// # Errors
    /// The file has faults, or `nodes` is no JSON array.
    pub fn rewritten(&self, nodes: &str) -> Result<String, EditError> {
        let Some(array) = self.array().filter(|_| !self.is_faulty()) else {
            return Err(EditError::Faulty);
        };
        let (new, faults) =
            JsonDoc::parse(SourceId(u32::MAX), Arc::from(nodes), &Limits::default());
        if faults.has_errors() || !new.root().is_array() {
            return Err(EditError::NotANode);
        }
        let text = self.to_text();
        let whole = array.span().range();
        let mut out = String::with_capacity(text.len() + 256);
        out.push_str(&text[..whole.start]);
        write_array(&mut out, text, array, new.root());
        out.push_str(&text[whole.end..]);
        Ok(out)
    }
}

fn write_array(out: &mut String, text: &str, array: Json<'_>, new: Json<'_>) {
    let old: Vec<Json<'_>> = array.elements().collect();
    let new: Vec<Json<'_>> = new.elements().collect();
    let kept = pair(&old, &new);
    let whole = array.span().range();
    let unchanged =
        old.len() == new.len() && kept.iter().enumerate().all(|(at, old)| *old == Some(at));
    if new.is_empty() {
        out.push_str(if old.is_empty() { &text[whole] } else { "[]" });
        return;
    }
    let layout = Layout::of(array, text);
    out.push('[');
    out.push_str(&layout.lead);
    for (at, node) in new.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| kept[at]);
        if at > 0 {
            match (before, kept[at]) {
                // (what stood between two neighbours, a blank line for example, stays between them)
                (Some(before), Some(own)) if unchanged || own == before + 1 => {
                    out.push_str(
                        &text[old[before].span().range().end..old[own].span().range().start],
                    );
                }
                _ => {
                    out.push(',');
                    out.push_str(&layout.gap);
                }
            }
        }
        match kept[at] {
            Some(own) => write_changed(out, text, old[own], *node, &layout.style),
            None => write_new(out, *node, &layout.style, &layout.indent),
        }
    }
    match old.last() {
        Some(last) => out.push_str(&text[last.span().range().end..whole.end]),
        None => out.extend([layout.style.newline, "]"]),
    }
}

/// For each new element, which old one it comes of: the one of the same id, of several in their order; without an id, one that
/// says the same.
fn pair(old: &[Json<'_>], new: &[Json<'_>]) -> Vec<Option<usize>> {
    let id = |node: &Json<'_>| node.get("id").and_then(Json::as_str).map(Cow::into_owned);
    let mut by_id: HashMap<Option<String>, VecDeque<usize>> = HashMap::new();
    for (at, node) in old.iter().enumerate() {
        by_id.entry(id(node)).or_default().push_back(at);
    }
    new.iter()
        .map(|node| {
            let candidates = by_id.get_mut(&id(node))?;
            let same = candidates
                .iter()
                .position(|at| says_the_same(old[*at], *node));
            match same {
                Some(at) => candidates.remove(at),
                None if node.get("id").is_some() => candidates.pop_front(),
                None => None,
            }
        })
        .collect()
}

/// Whether JavaScript reads the same from both.
fn says_the_same(a: Json<'_>, b: Json<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Number, Kind::Number) => a.text() == b.text() || a.as_f64() == b.as_f64(),
        (Kind::String, Kind::String) => a.text() == b.text() || a.as_str() == b.as_str(),
        (Kind::Array, Kind::Array) => {
            a.elements().count() == b.elements().count()
                && a.elements()
                    .zip(b.elements())
                    .all(|(a, b)| says_the_same(a, b))
        }
        (Kind::Object, Kind::Object) => {
            let (a, b) = (members(a), members(b));
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| says_the_same(*a, *b)))
        }
        (a_kind, b_kind) => a_kind == b_kind && a.text() == b.text(),
    }
}

fn members(object: Json<'_>) -> HashMap<String, Json<'_>> {
    let key = |key: Json<'_>| key.as_str().unwrap_or_default().into_owned();
    object
        .entries()
        .map(|entry| (key(entry.key), entry.value))
        .collect()
}

/// Writes what `new` says, with as much of the text of `old` as says the same.
fn write_changed(out: &mut String, text: &str, old: Json<'_>, new: Json<'_>, outer: &Style) {
    if says_the_same(old, new) {
        out.push_str(old.text());
        return;
    }
    let start = old.span().range().start;
    let indent = json::line_indent(text, start, "");
    if old.kind() != Kind::Object || new.kind() != Kind::Object {
        let style = json::replacement_style(old, outer);
        return write_new(out, new, &style, indent);
    }
    let style = match old.entries().next() {
        Some(_) => json::style_of(old, text, ""),
        None => outer.clone(),
    };
    if same_keys(old, new) {
        // Only values differ: everything around them stays.
        let new = members(new);
        let mut at = start;
        for entry in old.entries() {
            let range = entry.value.span().range();
            let key = entry.key.as_str().unwrap_or_default();
            out.push_str(&text[at..range.start]);
            match new.get(key.as_ref()) {
                Some(value) => write_changed(out, text, entry.value, *value, &style),
                None => out.push_str(entry.value.text()),
            }
            at = range.end;
        }
        out.push_str(&text[at..old.span().range().end]);
        return;
    }
    let old_members = members(old);
    let inner = style.indent.as_ref().map(|step| format!("{indent}{step}"));
    out.push('{');
    for (at, entry) in new.entries().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match &inner {
            Some(inner) => out.extend([style.newline, inner]),
            None if at > 0 => out.push_str(&style.comma_gap),
            None => {}
        }
        let key = entry.key.as_str().unwrap_or_default();
        json::write_key(out, &key, &style);
        match old_members.get(key.as_ref()) {
            Some(old) => write_changed(out, text, *old, entry.value, &style),
            None => write_new(out, entry.value, &style, inner.as_deref().unwrap_or(indent)),
        }
    }
    if inner.is_some() && new.entries().next().is_some() {
        out.extend([style.newline, indent]);
    }
    out.push('}');
}

/// Whether two objects have the same keys in the same order. JavaScript puts keys that look like indices first, which is no change of order.
fn same_keys(old: Json<'_>, new: Json<'_>) -> bool {
    let keys = |object: Json<'_>| -> Vec<String> {
        let all = object.entries();
        all.map(|entry| entry.key.as_str().unwrap_or_default().into_owned())
            .collect()
    };
    let is_index = |key: &String| key.parse::<u32>().is_ok_and(|n| n.to_string() == *key);
    let sorted = |keys: Vec<String>| {
        let (mut indices, others): (Vec<String>, Vec<String>) =
            keys.into_iter().partition(is_index);
        indices.sort();
        (indices, others)
    };
    let (old, new) = (keys(old), keys(new));
    let distinct = old.iter().collect::<std::collections::HashSet<_>>().len() == old.len();
    distinct && sorted(old) == sorted(new)
}

/// Writes a value of another document in this manner; numbers and strings keep their spelling.
fn write_new(out: &mut String, value: Json<'_>, style: &Style, indent: &str) {
    let filled = value.elements().next().is_some() || value.entries().next().is_some();
    if !filled {
        out.push_str(match value.kind() {
            Kind::Array => "[]",
            Kind::Object => "{}",
            _ => value.text(),
        });
        return;
    }
    let inner = style.indent.as_ref().map(|step| format!("{indent}{step}"));
    let (open, close) = match value.kind() {
        Kind::Array => ('[', ']'),
        _ => ('{', '}'),
    };
    out.push(open);
    let mut first = true;
    let mut begin = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
            if inner.is_none() {
                out.push_str(&style.comma_gap);
            }
        }
        if let Some(inner) = &inner {
            out.extend([style.newline, inner]);
        }
    };
    for element in value.elements() {
        begin(out);
        write_new(out, element, style, inner.as_deref().unwrap_or(indent));
    }
    for entry in value.entries() {
        begin(out);
        out.push_str(entry.key.text());
        out.push(':');
        out.push_str(&style.colon_gap);
        write_new(out, entry.value, style, inner.as_deref().unwrap_or(indent));
    }
    if inner.is_some() {
        out.extend([style.newline, indent]);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn rewritten(text: &str, new: &str) -> String {
        let (doc, faults) = FlowDoc::parse(&mut SourceMap::new(), "t", text);
        assert!(!doc.is_faulty(), "{faults:?}");
        doc.rewritten(new).expect("it is rewritten")
    }

    #[test]
    fn what_says_the_same_keeps_its_bytes() {
        for text in [
            "[{\"id\":\"a\",\"type\":\"t\",\"x\":1.50,\"y\":1e2}]",
            "\u{feff}[\r\n\t{\"id\":\"a\", \"type\" :\"t\"},\r\n\r\n\t{\"id\":\"b\",\"type\":\"t\"}\r\n]\r\n",
            "[\n  {\"id\": \"a\", \"type\": \"t\", \"10\": 1, \"2\": \"\\u00e9\"} ,\n {\"id\":\"a\",\"type\":\"u\"}\n]\n",
            "{\"rev\":\"x\",\"flows\":[ {\"id\":\"a\",\"type\":\"t\",\"type\":\"u\"} ] }",
            "[]",
            " [ ] ",
        ] {
            let (doc, _) = FlowDoc::parse(&mut SourceMap::new(), "t", text);
            let array = doc.array().expect("an array").to_serde().to_string();
            assert_eq!(rewritten(text, &array), text);
        }
    }

    #[test]
    fn a_changed_value_is_all_that_changes() {
        let text = "[\n  { \"id\": \"a\",\n    \"type\": \"t\", \"w\": [[\"b\"]], \"x\": 1.0 },\n  {\"id\":\"b\",\"type\":\"t\"}\n]\n";
        assert_eq!(
            rewritten(
                text,
                r#"[{"id":"a","type":"t","w":[["b","c"]],"x":1},{"id":"b","type":"t"}]"#
            ),
            text.replace("[[\"b\"]]", "[[\"b\",\"c\"]]")
        );
        assert_eq!(
            rewritten(
                text,
                r#"[{"id":"a","type":"t","w":[["b"]],"x":2.5},{"id":"b","type":"t"}]"#
            ),
            text.replace("1.0", "2.5")
        );
    }

    #[test]
    fn nodes_come_go_and_move() {
        let text = "[\n    {\n        \"id\": \"a\",\n        \"type\": \"t\"\n    },\n    {\n        \"id\": \"b\",\n        \"type\": \"t\"\n    }\n]";
        let one = |id: &str| {
            format!("    {{\n        \"id\": \"{id}\",\n        \"type\": \"t\"\n    }}")
        };
        let of = |ids: &[&str]| {
            let all: Vec<String> = ids.iter().map(|id| one(id)).collect();
            format!("[\n{}\n]", all.join(",\n"))
        };
        let json = |ids: &[&str]| {
            let all: Vec<String> = ids
                .iter()
                .map(|id| format!("{{\"id\":\"{id}\",\"type\":\"t\"}}"))
                .collect();
            format!("[{}]", all.join(","))
        };
        for ids in [
            &["a", "b"][..],
            &["b", "a"],
            &["a"],
            &["b"],
            &["a", "c", "b"],
            &["c", "a", "b"],
            &["a", "b", "c", "d"],
            &["d"],
        ] {
            assert_eq!(rewritten(text, &json(ids)), of(ids), "{ids:?}");
        }
        assert_eq!(rewritten(text, "[]"), "[]");
        assert_eq!(rewritten("[]", &json(&["a"])), of(&["a"]));
    }

    #[test]
    fn a_key_that_is_added_stands_in_the_manner_of_its_object() {
        assert_eq!(
            rewritten(
                "[{\"id\": \"a\", \"type\": \"t\", \"w\": [1,  2]}]",
                r#"[{"id":"a","type":"t","new":{"k":[1,2]},"w":[1,2]}]"#
            ),
            "[{\"id\": \"a\", \"type\": \"t\", \"new\": {\"k\": [1, 2]}, \"w\": [1,  2]}]"
        );
        assert_eq!(
            rewritten(
                "[{\"id\":\"a\",\"type\":\"t\",\"d\":true}]",
                r#"[{"id":"a","type":"t"}]"#
            ),
            "[{\"id\":\"a\",\"type\":\"t\"}]"
        );
    }

    #[test]
    fn what_is_no_array_is_refused() {
        let (doc, _) = FlowDoc::parse(&mut SourceMap::new(), "t", "[]");
        assert!(doc.rewritten("{}").is_err());
        assert!(doc.rewritten("[").is_err());
        let (doc, _) = FlowDoc::parse(&mut SourceMap::new(), "t", "[{]");
        assert_eq!(doc.rewritten("[]"), Err(EditError::Faulty));
    }
}
