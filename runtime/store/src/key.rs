//! Keys: property paths, with a store (`#:(file)::a.b`) or a flow further out (`$parent.a`) before them.

use std::cell::RefCell;
use std::rc::Rc;
use vgdc_value::{Object, Path, PathError, Value};

/// Splits `#:(store)::key`, as typed inputs write it, into the store and the key; a text of no such form is a key.
pub fn parse_store_key(text: &str) -> (Option<&str>, &str) {
    let split = || {
        let rest = text.strip_prefix("#:(")?;
        // The name ends at the first `)::`, has at least one character and no white space.
        let end = 1 + rest.get(1..)?.find(")::")?;
        let (store, key) = (&rest[..end], &rest[end + 3..]);
        let one_line = !key.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
        (!store.contains(char::is_whitespace) && one_line).then_some((store, key))
    };
    match split() {
        Some((store, key)) => (Some(store), key),
        None => (None, text),
    }
}

/// How many flows further out a key of flow context leads (`$parent.$parent.a`: two), and the key there; `None` for a key
/// of the flow itself. The key is empty for a bare `$parent`, which names nothing.
pub fn parent_key(key: &str) -> Option<(usize, &str)> {
    if key == "$parent" {
        return Some((1, ""));
    }
    let mut rest = key.strip_prefix("$parent.")?;
    let mut levels = 1;
    while let Some(inner) = rest.strip_prefix("$parent.") {
        rest = inner;
        levels += 1;
    }
    if rest == "$parent" {
        return Some((levels + 1, ""));
    }
    Some((levels, rest))
}

/// True for a key that is a single name, which needs no parsing.
pub(crate) fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'-'))
}

/// Parsed keys that a thread remembers.
const REMEMBERED: usize = 256;

thread_local! {
    static PARSED: RefCell<std::collections::HashMap<Box<str>, Rc<Path>, rustc_hash::FxBuildHasher>> =
        RefCell::new(std::collections::HashMap::default());
}

/// A key as a path. Flows use few keys, over and over.
fn parsed(key: &str) -> Result<Rc<Path>, PathError> {
    PARSED.with_borrow_mut(|parsed| {
        if let Some(path) = parsed.get(key) {
            return Ok(path.clone());
        }
        let path = Rc::new(Path::parse(key)?);
        if parsed.len() >= REMEMBERED {
            parsed.clear();
        }
        parsed.insert(key.into(), path.clone());
        Ok(path)
    })
}

/// The name that a key begins with: what is read and written under it lies there. None: it cannot be told.
pub(crate) fn root(key: &str) -> Result<Option<String>, PathError> {
    use vgdc_value::PathSegment;
    if is_plain(key) {
        return Ok(Some(key.to_owned()));
    }
    Ok(match parsed(key)?.segments().first() {
        Some(PathSegment::Key(name)) => Some(name.as_str().to_owned()),
        Some(PathSegment::Index(index)) => Some(index.to_string()),
        Some(PathSegment::Nested(_)) | None => None,
    })
}

/// Reads a key from what is there; `undefined` where the way does not lead.
pub(crate) fn read(all: &Object, key: &str) -> Result<Value, PathError> {
    if is_plain(key) {
        return Ok(all.get(key).cloned().unwrap_or(Value::Undefined));
    }
    let path = parsed(key)?;
    if let Some(found) = path.get_ref(all) {
        return Ok(found.clone());
    }
    match path.get(&Value::Object(all.clone())) {
        Err(error) if error.code.is_empty() => Ok(Value::Undefined),
        other => other,
    }
}

/// Writes a key; where the way does not lead, nothing.
pub(crate) fn write(all: &mut Object, key: &str, value: Value) -> Result<(), PathError> {
    if is_plain(key) {
        if value.is_undefined() {
            all.remove(key);
        } else {
            all.insert(key, value);
        }
        return Ok(());
    }
    match parsed(key)?.set(all, value, true) {
        Err(error) if !error.code.is_empty() => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_split_off() {
        for (text, expected) in [
            ("foo", (None, "foo")),
            ("#:(file)::foo", (Some("file"), "foo")),
            ("#:(file)::", (Some("file"), "")),
            ("#:()::foo", (None, "#:()::foo")),
            ("#:(a b)::foo", (None, "#:(a b)::foo")),
            ("#:(a)::b::c", (Some("a"), "b::c")),
            ("#:(a)b)::c", (Some("a)b"), "c")),
            (" #:(a)::b", (None, " #:(a)::b")),
            ("#:(a)::#:(b)::c", (Some("a"), "#:(b)::c")),
            ("#:(a)::x\ny", (None, "#:(a)::x\ny")),
            ("#:(", (None, "#:(")),
        ] {
            assert_eq!(parse_store_key(text), expected, "{text}");
        }
    }

    #[test]
    fn flows_further_out_are_counted() {
        for (key, expected) in [
            ("a", None),
            ("$parents", None),
            ("$parent", Some((1, ""))),
            ("$parent.", Some((1, ""))),
            ("$parent.a.b", Some((1, "a.b"))),
            ("$parent.$parent.a", Some((2, "a"))),
            ("$parent.$parent", Some((2, ""))),
            ("$parent.$parents", Some((1, "$parents"))),
        ] {
            assert_eq!(parent_key(key), expected, "{key}");
        }
    }

    #[test]
    fn remembered_keys_are_bounded() {
        let all = Object::new();
        for n in 0..REMEMBERED * 3 {
            assert_eq!(read(&all, &format!("a.k{n}")), Ok(Value::Undefined));
        }
        assert!(PARSED.with_borrow(|parsed| parsed.len()) <= REMEMBERED);
    }
}
