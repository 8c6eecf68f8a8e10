//! Which names a text uses of a context, as far as that can be told without running it.

use std::collections::BTreeSet;

use vgdc_value::{Path, PathSegment};

/// Names of one kind: of a context's keys, of environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// These and no others; of context keys the first parts of their paths, whatever their store.
    Known(BTreeSet<String>),
    /// Not known: any.
    All,
}

impl Default for Keys {
    fn default() -> Self {
        Keys::Known(BTreeSet::new())
    }
}

impl Keys {
    /// True when no name is used.
    pub fn is_none(&self) -> bool {
        matches!(self, Keys::Known(names) if names.is_empty())
    }

    /// True when the name may be used.
    pub fn may_be(&self, name: &str) -> bool {
        match self {
            Keys::Known(names) => names.contains(name),
            Keys::All => true,
        }
    }

    /// Adds a name.
    pub(crate) fn add(&mut self, name: impl Into<String>) {
        if let Keys::Known(names) = self {
            names.insert(name.into());
        }
    }

    /// Adds the key that a path begins with; one that cannot be told means all.
    pub(crate) fn add_path(&mut self, path: &str) {
        match top_level(path) {
            Some(name) => self.add(name),
            None => *self = Keys::All,
        }
    }
}

/// The contexts that a text uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextUses {
    /// Keys of the flow's context. Any, where a context around a subflow instance is asked (`$parent.key`).
    pub flow: Keys,
    /// Keys of the global context.
    pub global: Keys,
    /// Keys of the node's own context, which is nobody else's.
    pub node: Keys,
    /// Names of the stores that are named as such, in any of the contexts.
    pub stores: BTreeSet<String>,
}

impl ContextUses {
    /// Any key of both contexts that are shared.
    pub fn any() -> ContextUses {
        ContextUses {
            flow: Keys::All,
            global: Keys::All,
            ..ContextUses::default()
        }
    }

    /// Adds a key as typed inputs have it: `#:(store)::path`.
    pub(crate) fn add_stored(&mut self, pick: Pick, text: &str) {
        let (store, path) = split_store(text);
        if let Some(store) = store {
            self.stores.insert(store.to_owned());
        }
        pick(self).add_path(path);
    }
}

/// Which of the contexts is meant.
pub(crate) type Pick = fn(&mut ContextUses) -> &mut Keys;

/// The flow's keys, for functions that work on either context.
pub(crate) fn flow(uses: &mut ContextUses) -> &mut Keys {
    &mut uses.flow
}

/// The global keys, for functions that work on either context.
pub(crate) fn global(uses: &mut ContextUses) -> &mut Keys {
    &mut uses.global
}

/// Splits `#:(store)::path`, Node-RED's form of a context key with its store.
pub(crate) fn split_store(text: &str) -> (Option<&str>, &str) {
    match text
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"))
    {
        Some((store, path)) if !store.is_empty() && !store.contains(char::is_whitespace) => {
            (Some(store), path)
        }
        _ => (None, text),
    }
}

/// The first part of a path, if it is a name that can be told. A path that is none names nothing: its plain beginning stands.
fn top_level(path: &str) -> Option<String> {
    let plain = || {
        path[..path.find(['.', '[']).unwrap_or(path.len())]
            .trim()
            .to_owned()
    };
    let name = match Path::parse(path).as_ref().map(|path| path.segments()) {
        Ok([PathSegment::Key(key), ..]) => key.as_str().to_owned(),
        Ok([PathSegment::Index(index), ..]) => index.to_string(),
        Ok(_) => return None,
        Err(_) => plain(),
    };
    (!name.is_empty() && name != "$parent").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_a_key() {
        for (path, expected) in [
            ("a", Some("a")),
            ("a.b[0]", Some("a")),
            ("a[\"b c\"].d", Some("a")),
            (r#"["b c"].d"#, None),
            ("a[msg.topic]", Some("a")),
            ("a b", Some("a b")),
            ("$x", Some("$x")),
            ("", None),
            ("$parent.a", None),
            ("$parent", None),
            (".a", None),
        ] {
            assert_eq!(top_level(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn stores_are_told_from_keys() {
        let mut uses = ContextUses::default();
        uses.add_stored(flow, "#:(file)::a.b");
        uses.add_stored(global, "#:()::a");
        assert_eq!(uses.stores, BTreeSet::from(["file".to_owned()]));
        assert!(uses.flow.may_be("a") && !uses.flow.may_be("b") && uses.global.may_be("#:()::a"));
    }
}
