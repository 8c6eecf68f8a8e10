//! Values as text.

use super::{Printer, is_container};
use crate::literal;
use crate::lower::json::{Out, OutKind};
use crate::names::is_name;

impl Printer<'_, '_> {
    /// A value as it stands. With `names`, an id of a node is written as its name in `container`.
    pub(super) fn value(&self, out: &Out, names: bool, container: Option<usize>) -> String {
        match &out.kind {
            OutKind::Raw(text) => text.clone(),
            OutKind::Text(text, _) => {
                let name = if names && !text.is_empty() {
                    self.name_of_id(text, container)
                } else {
                    None
                };
                name.unwrap_or_else(|| string(text))
            }
            OutKind::List(all) => {
                let all: Vec<String> = all
                    .iter()
                    .map(|element| self.value(element, names, container))
                    .collect();
                format!("[{}]", all.join(", "))
            }
            OutKind::Map(all) if all.is_empty() => "{}".to_owned(),
            OutKind::Map(all) => {
                let member = |(name, value): &(String, Out)| {
                    format!("{}: {}", key(name), self.value(value, names, container))
                };
                let all: Vec<String> = all.iter().map(member).collect();
                format!("{{ {} }}", all.join(", "))
            }
        }
    }

    /// The name of the object with an id, where the name means that id.
    fn name_of_id(&self, id: &str, container: Option<usize>) -> Option<String> {
        let at = self.find(id, container)?;
        let thing = self.thing(at)?;
        // (a group that is not in this flow has no name there; a flow's name is the id that it stands for)
        let is_named = thing.id() == id
            && (thing.container.is_some()
                || !is_container(thing.raw)
                || self.names.of(at).is_some());
        is_named.then(|| self.name_in(at, container)).flatten()
    }
}

/// A text: a block where it has several lines.
pub fn string(text: &str) -> String {
    literal::block(text, "", "").unwrap_or_else(|| literal::quoted(text))
}

/// The name of a member of an object.
pub fn key(name: &str) -> String {
    match is_name(name) {
        true => name.to_owned(),
        false => literal::quoted(name),
    }
}

/// A typed value in the language's own words; what comes of it has to be looked at.
pub fn typed(text: &str, ty: &str) -> Option<String> {
    Some(match ty {
        "str" => string(text),
        "num" | "bool" => match text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
            && !text.is_empty()
        {
            true => text.to_owned(),
            false => format!("{ty}({})", string(text)),
        },
        "msg" | "flow" | "global" if is_path(text) => format!("{ty}.{text}"),
        _ if is_name(ty) && !matches!(ty, "true" | "false" | "null") => {
            format!("{ty}({})", string(text))
        }
        _ => return None,
    })
}

/// Whether a path can stand without quotes.
fn is_path(text: &str) -> bool {
    let mut rest = text;
    let mut is_first = true;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (Some(end), false) = (inner.find(']'), is_first) else {
                return false;
            };
            let (inside, more) = inner.split_at(end);
            let quoted = inside
                .strip_prefix('"')
                .and_then(|inside| inside.strip_suffix('"'));
            let is_plain = match quoted {
                Some(name) => {
                    !name.contains(['"', '\\', '\'']) && !name.chars().any(char::is_control)
                }
                None => !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_digit()),
            };
            if !is_plain {
                return false;
            }
            rest = more.get(1..).unwrap_or("");
        } else {
            let inner = if is_first {
                rest
            } else {
                match rest.strip_prefix('.') {
                    Some(inner) => inner,
                    None => return false,
                }
            };
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let (name, more) = inner.split_at(end);
            if !is_name(name) {
                return false;
            }
            rest = more;
        }
        is_first = false;
    }
    !is_first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_without_quotes_where_they_can() {
        for (text, wanted) in [
            ("payload", "msg.payload"),
            ("a.b[0][\"x y\"].c", "msg.a.b[0][\"x y\"].c"),
            ("", "msg(\"\")"),
            ("a.0", "msg(\"a.0\")"),
            ("a['b']", "msg(\"a['b']\")"),
            ("#:(file)::x", "msg(\"#:(file)::x\")"),
            ("a..b", "msg(\"a..b\")"),
            ("[0]", "msg(\"[0]\")"),
            ("a[msg.b]", "msg(\"a[msg.b]\")"),
            ("$x", "msg(\"$x\")"),
        ] {
            assert_eq!(typed(text, "msg").as_deref(), Some(wanted));
        }
    }
}
