//! Reading again what is about to be said.

use crate::ast::{Arg, Path};
use crate::lower::json::{Out, OutKind};
use crate::lower::props::{Props, Reader};
use crate::lower::variables_of;
use crate::{Fault, lex, parse};
use vgdc_spec::NodeSpec;
use vgdc_syntax::codes;

/// Whether two values are the same: numbers by what they are, objects in whatever order.
pub fn same(a: &Out, b: &Out) -> bool {
    match (&a.kind, &b.kind) {
        (OutKind::Text(a, _), OutKind::Text(b, _)) => a == b,
        (OutKind::Raw(a), OutKind::Raw(b)) => {
            let number = |text: &str| text.parse::<f64>().ok();
            a == b
                || matches!((number(a), number(b)), (Some(a), Some(b)) if a == b && a.is_finite() && a.is_sign_negative() == b.is_sign_negative())
        }
        (OutKind::List(a), OutKind::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (OutKind::Map(a), OutKind::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.iter().any(|(other, b)| name == other && same(a, b)))
        }
        _ => false,
    }
}

/// The properties that arguments mean; `None` where something is wrong with them. Names in them mean nothing here.
pub fn props(spec: &'static NodeSpec, args: &str) -> Option<Props> {
    alone(args, |reader, args| reader.node(Some(spec), args, None))
}

/// The variables that arguments mean.
pub fn variables(args: &str) -> Option<Out> {
    alone(args, |reader, args| variables_of(reader, args.iter()))
}

/// Reads arguments without what is around them; nothing where something is wrong with them.
fn alone<T>(args: &str, read: impl FnOnce(&mut Reader<'_>, &[Arg]) -> T) -> Option<T> {
    let args = parse::args(lex::tokens(args).ok()?)?;
    let resolve = |path: &Path| Err(Fault::error(path.span, codes::TEXT_UNKNOWN_NAME, ""));
    let mut reader = Reader {
        resolve: &resolve,
        faults: Vec::new(),
    };
    let made = read(&mut reader, &args);
    reader.faults.is_empty().then_some(made)
}

/// Comments that came along, those of one kind; `None` where something else is in their place.
pub fn comments(all: &Out, which: &str) -> Option<Vec<String>> {
    let OutKind::Map(members) = &all.kind else {
        return None;
    };
    let Some((_, list)) = members.iter().find(|(name, _)| name == which) else {
        return Some(Vec::new());
    };
    let OutKind::List(list) = &list.kind else {
        return None;
    };
    list.iter()
        .map(|comment| {
            comment
                .as_text()
                .filter(|text| is_comment(text))
                .map(str::to_owned)
        })
        .collect()
}

/// Those of the statements that begin at a node.
pub fn comments_of_wires(all: &Out) -> Option<Vec<(Vec<String>, Vec<String>)>> {
    let OutKind::Map(members) = &all.kind else {
        return None;
    };
    let Some((_, list)) = members.iter().find(|(name, _)| name == "wires") else {
        return Some(Vec::new());
    };
    let OutKind::List(list) = &list.kind else {
        return None;
    };
    list.iter()
        .map(|one| Some((comments(one, "before")?, comments(one, "after")?)))
        .collect()
}

/// Whether the comments are nothing but comments.
pub fn are_comments(all: &Out) -> bool {
    let OutKind::Map(members) = &all.kind else {
        return false;
    };
    members.iter().all(|(name, _)| match name.as_str() {
        "before" | "after" | "end" => comments(all, name).is_some(),
        "wires" => comments_of_wires(all).is_some(),
        _ => false,
    })
}

/// Whether a text is one comment, or the empty line between two.
fn is_comment(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let (found, _) = lex::comments(text, 0..text.len());
    let is_doc = text.starts_with("///") && !text.starts_with("////")
        || text.starts_with("//!")
        || text.starts_with("/*!")
        || text.starts_with("/**") && !text.starts_with("/***") && text != "/**/";
    let is_closed = !text.starts_with("/*") || lex::tokens(text).is_ok();
    !is_doc
        && is_closed
        && !text.contains('\r')
        && matches!(found.as_slice(), [one] if one.range == (0..text.len()))
}
