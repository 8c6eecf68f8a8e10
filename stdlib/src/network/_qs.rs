//! Query strings and forms as the package `qs` reads them: `a=1&a=2` is a list, `a[b]=1` an object, `a[0]=x` a list again.

use vgdc_core::value::{Array, Key, Object, Value};

/// How far a reader goes.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Names in brackets that are taken apart; what stands behind them is one name.
    pub depth: usize,
    /// Elements of a list; what has more is an object.
    pub list: usize,
}

/// Pairs beyond these are not looked at.
pub const PAIRS: usize = 1000;

/// Of the query of a URL.
pub const QUERY: Limits = Limits {
    depth: 5,
    list: 1000,
};

/// A value while it is put together.
enum Tree {
    Leaf(String),
    /// With holes, which are gone in the end.
    List(Vec<Option<Tree>>, Conflict),
    Map(Vec<(String, Tree)>, Conflict),
}

/// Where the last text stands that had to be put beside an object of the same name.
type Conflict = Option<usize>;

/// Reads a text.
pub fn parse(text: &str, limits: Limits) -> Object {
    let mut all = Tree::Map(Vec::new(), None);
    for (key, value) in pairs(text) {
        if key.is_empty() {
            continue;
        }
        let segments = segments(&key, limits.depth);
        all = merge(all, branch(&segments, value, limits), limits);
    }
    match value_of(all) {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Names with their values, in the order in which an object has them; what comes twice is a list.
fn pairs(text: &str) -> Vec<(String, Tree)> {
    let clean = text
        .replace("%5B", "[")
        .replace("%5b", "[")
        .replace("%5D", "]")
        .replace("%5d", "]");
    let mut found: Vec<(String, Tree)> = Vec::new();
    for part in clean.split('&').take(PAIRS) {
        let at = part
            .find("]=")
            .map(|at| at + 1)
            .or_else(|| part.find('='))
            .unwrap_or(part.len());
        let (key, value) = (&part[..at], part.get(at + 1..).unwrap_or_default());
        let (key, value) = (decode(key), Tree::Leaf(decode(value)));
        match found.iter_mut().find(|(known, _)| *known == key) {
            None => found.push((key, value)),
            Some((_, Tree::List(items, _))) => items.push(Some(value)),
            Some((_, before)) => {
                let first = std::mem::replace(before, Tree::List(Vec::new(), None));
                *before = Tree::List(vec![Some(first), Some(value)], None);
            }
        }
    }
    // (whole numbers come first, as everywhere in JavaScript)
    found.sort_by_key(|(key, _)| Key::from(key.as_str()).index().unwrap_or(u32::MAX));
    found
}

/// `decodeURIComponent` with `+` for a space; what it does not take stays as it is.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let bytes = spaced.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'%' {
            out.push(*byte);
            at += 1;
            continue;
        }
        let digits = spaced.get(at + 1..at + 3);
        let is_hex = |digits: &&str| digits.bytes().all(|b| b.is_ascii_hexdigit());
        match digits
            .filter(is_hex)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(byte) => out.push(byte),
            None => return spaced,
        }
        at += 3;
    }
    String::from_utf8(out).unwrap_or(spaced)
}

/// `a[b][c]` as `a`, `[b]`, `[c]`.
fn segments(key: &str, depth: usize) -> Vec<String> {
    let first = key.find('[');
    let mut segments: Vec<String> = Vec::new();
    let parent = &key[..first.unwrap_or(key.len())];
    if !parent.is_empty() {
        segments.push(parent.to_owned());
    }
    let mut open = first;
    for _ in 0..depth {
        let Some(from) = open else { return segments };
        let Some(close) = closing(key, from) else {
            break;
        };
        segments.push(key[from..=close].to_owned());
        open = key[close + 1..].find('[').map(|at| close + 1 + at);
    }
    if let Some(from) = open {
        segments.push(format!("[{}]", &key[from..]));
    }
    segments
}

/// Where the bracket that opens at `from` is closed.
fn closing(key: &str, from: usize) -> Option<usize> {
    let mut level = 0;
    for (at, byte) in key.bytes().enumerate().skip(from) {
        match byte {
            b'[' => level += 1,
            b']' => level -= 1,
            _ => continue,
        }
        if level == 0 {
            return Some(at);
        }
    }
    None
}

/// The objects and lists that lead to a value.
fn branch(segments: &[String], value: Tree, limits: Limits) -> Tree {
    let mut leaf = value;
    for segment in segments.iter().rev() {
        let inner = segment
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let name = inner.unwrap_or(segment);
        let index = inner.and_then(|name| Key::from(name).index());
        leaf = match index.map(|index| index as usize) {
            _ if segment == "[]" => match leaf {
                list @ Tree::List(..) => list,
                one => Tree::List(vec![Some(one)], None),
            },
            Some(index) if index < limits.list => {
                let mut items: Vec<Option<Tree>> = (0..index).map(|_| None).collect();
                items.push(Some(leaf));
                Tree::List(items, None)
            }
            _ if name == "__proto__" => Tree::Map(Vec::new(), None),
            _ => Tree::Map(vec![(name.to_owned(), leaf)], None),
        };
    }
    leaf
}

fn merge(target: Tree, source: Tree, limits: Limits) -> Tree {
    match (target, source) {
        (target, Tree::Leaf(text)) if text.is_empty() => target,
        (Tree::List(mut items, conflict), text @ Tree::Leaf(_)) => {
            items.push(Some(text));
            limited(items, conflict, limits)
        }
        (Tree::Map(mut pairs, Some(last)), text @ Tree::Leaf(_)) => {
            pairs.push(((last + 1).to_string(), text));
            Tree::Map(pairs, Some(last + 1))
        }
        (map @ Tree::Map(..), text @ Tree::Leaf(_)) => {
            Tree::List(vec![Some(map), Some(text)], Some(1))
        }
        (first @ Tree::Leaf(_), Tree::List(others, _)) => {
            let items = std::iter::once(Some(first)).chain(others).collect();
            limited(items, None, limits)
        }
        (first @ Tree::Leaf(_), other) => Tree::List(vec![Some(first), Some(other)], None),
        (Tree::List(mut items, conflict), Tree::List(others, _)) => {
            for (at, item) in others.into_iter().enumerate() {
                let Some(item) = item else { continue };
                match items.get_mut(at) {
                    Some(place @ None) => *place = Some(item),
                    Some(place) => match (place.take(), item) {
                        (
                            Some(known @ (Tree::List(..) | Tree::Map(..))),
                            new @ (Tree::List(..) | Tree::Map(..)),
                        ) => {
                            *place = Some(merge(known, new, limits));
                        }
                        (known, new) => {
                            *place = known;
                            items.push(Some(new));
                        }
                    },
                    None => {
                        items.resize_with(at, || None);
                        items.push(Some(item));
                    }
                }
            }
            limited(items, conflict, limits)
        }
        (Tree::List(items, conflict), Tree::Map(others, _)) => {
            let last = conflict.map(|_| items.len().saturating_sub(1));
            joined(indexed(items), last, others, limits)
        }
        (Tree::Map(pairs, conflict), Tree::List(others, _)) => {
            joined(pairs, conflict, indexed(others), limits)
        }
        (Tree::Map(pairs, conflict), Tree::Map(others, _)) => {
            joined(pairs, conflict, others, limits)
        }
    }
}

fn joined(
    mut pairs: Vec<(String, Tree)>,
    mut conflict: Conflict,
    others: Vec<(String, Tree)>,
    limits: Limits,
) -> Tree {
    for (key, value) in others {
        if let (Some(last), Some(index)) = (conflict, Key::from(key.as_str()).index()) {
            conflict = Some(last.max(index as usize));
        }
        match pairs.iter().position(|(known, _)| *known == key) {
            Some(at) => {
                let (_, before) = pairs.swap_remove(at);
                pairs.push((key, merge(before, value, limits)));
                // (back to its place)
                let last = pairs.len() - 1;
                pairs.swap(at, last);
            }
            None => pairs.push((key, value)),
        }
    }
    Tree::Map(pairs, conflict)
}

fn indexed(items: Vec<Option<Tree>>) -> Vec<(String, Tree)> {
    let items = items.into_iter().enumerate();
    items
        .filter_map(|(at, item)| Some((at.to_string(), item?)))
        .collect()
}

fn limited(items: Vec<Option<Tree>>, conflict: Conflict, limits: Limits) -> Tree {
    match items.len() > limits.list {
        true => Tree::Map(indexed(items), conflict),
        false => Tree::List(items, conflict),
    }
}

fn value_of(tree: Tree) -> Value {
    match tree {
        Tree::Leaf(text) => Value::from(text),
        Tree::List(items, _) => {
            let items = items.into_iter().flatten().map(value_of);
            Value::Array(items.collect::<Array>())
        }
        Tree::Map(pairs, _) => {
            let mut object = Object::new();
            for (key, value) in pairs {
                object.insert(key.as_str(), value_of(value));
            }
            Value::Object(object)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_core::value::control::encode;

    #[test]
    fn queries_are_read_as_qs_reads_them() {
        for (text, expected) in [
            ("a=1&b=x+y%21", r#"{"a":"1","b":"x y!"}"#),
            ("a=1&a=2", r#"{"a":["1","2"]}"#),
            ("a[b]=1&a[c][d]=2", r#"{"a":{"b":"1","c":{"d":"2"}}}"#),
            ("a[]=1&a[]=2&a[]=3", r#"{"a":["1","2","3"]}"#),
            ("a[1]=y&a[0]=x", r#"{"a":["x","y"]}"#),
            ("a[5]=x", r#"{"a":["x"]}"#),
            ("a&=b", r#"{"a":""}"#),
            ("a=1&a[b]=2", r#"{"a":["1",{"b":"2"}]}"#),
            ("a[b]=2&a=1&a=3", r#"{"a":{"0":"1","1":"3","b":"2"}}"#),
            ("a[=1", r#"{"a":{"[":"1"}}"#),
            ("[a]=1", r#"{"a":"1"}"#),
            ("a=%E4&b=%", r#"{"a":"%E4","b":"%"}"#),
            ("a[__proto__]=1", r#"{"a":{}}"#),
            (
                "a[b][c][d][e][f][g]=1",
                r#"{"a":{"b":{"c":{"d":{"e":{"f":{"[g]":"1"}}}}}}}"#,
            ),
        ] {
            assert_eq!(
                encode(&Value::Object(parse(text, QUERY))),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_long_list_is_an_object() {
        let text: Vec<String> = (0..3).map(|at| format!("a[]={at}")).collect();
        let few = Limits { depth: 5, list: 2 };
        let read = parse(&text.join("&"), few);
        assert_eq!(read.get("a").map(Value::type_of), Some("object"));
    }
}
