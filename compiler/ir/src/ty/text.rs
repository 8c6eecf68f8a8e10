//! Types as text: written for people, and read back.

use std::fmt;
use std::str::FromStr;

use super::{
    BOOL, BUFFER, DATE, FLOAT, Handles, INT, Kinds, NULL, OTHER, Repr, SCALARS, STRING, Ty,
    UNDEFINED,
};

/// The words for scalars, in the order in which a union names them. A word of several bits comes before those of its parts.
const WORDS: &[(&str, u16)] = &[
    ("bool", BOOL),
    ("number", INT | FLOAT),
    ("int32", INT),
    ("string", STRING),
    ("buffer", BUFFER),
    ("date", DATE),
    ("other", OTHER),
    // Said only of what is taken away.
    ("float", FLOAT),
];

/// Those that stand at the end of a union: what is perhaps not there.
const LAST: &[(&str, u16)] = &[("null", NULL), ("undefined", UNDEFINED)];

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Any => f.write_str("any"),
            Repr::Kinds(kinds) if kinds.is_full() => {
                f.write_str("any")?;
                words(SCALARS & !kinds.scalars, LAST)
                    .chain(words(SCALARS & !kinds.scalars, WORDS))
                    .try_for_each(|word| write!(f, "-{word}"))
            }
            Repr::Kinds(kinds) => union(kinds, f),
        }
    }
}

/// The words for these scalars.
fn words(
    mut scalars: u16,
    known: &'static [(&'static str, u16)],
) -> impl Iterator<Item = &'static str> {
    known.iter().filter_map(move |(word, bits)| {
        let has = scalars & bits == *bits;
        if has {
            scalars &= !bits;
        }
        has.then_some(*word)
    })
}

fn union(kinds: &Kinds, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut first = true;
    let mut next = |f: &mut fmt::Formatter<'_>| match std::mem::take(&mut first) {
        true => Ok(()),
        false => f.write_str(" | "),
    };
    for word in words(kinds.scalars, WORDS) {
        next(f)?;
        f.write_str(word)?;
    }
    if let Some(of) = &kinds.array {
        next(f)?;
        write!(f, "array<{of}>")?;
    }
    if let Some(object) = &kinds.object {
        next(f)?;
        f.write_str("object{")?;
        for (at, (name, ty)) in object.fields.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            match is_word(name) {
                true => write!(f, "{name}: {ty}")?,
                false => write!(f, "{}: {ty}", serde_json::Value::from(&**name))?,
            }
        }
        f.write_str(match (object.open, object.fields.is_empty()) {
            (true, true) => "..}",
            (true, false) => ", ..}",
            (false, _) => "}",
        })?;
    }
    match &kinds.handle {
        Handles::None => {}
        Handles::Of(kind) => {
            next(f)?;
            write!(f, "handle({})", serde_json::Value::from(&**kind))?;
        }
        Handles::All => {
            next(f)?;
            f.write_str("handle")?;
        }
    }
    for word in words(kinds.scalars, LAST) {
        next(f)?;
        f.write_str(word)?;
    }
    if first {
        f.write_str("never")?;
    }
    Ok(())
}

/// Whether a name needs no quotes.
fn is_word(name: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    name.starts_with(starts) && name.chars().all(|c| starts(c) || c.is_ascii_digit())
}

/// A text that is no type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadType(pub String);

impl fmt::Display for BadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a type", self.0)
    }
}

impl std::error::Error for BadType {}

impl FromStr for Ty {
    type Err = BadType;

    fn from_str(text: &str) -> Result<Ty, BadType> {
        let mut rest = text;
        match (read(&mut rest, 0), rest.trim()) {
            (Some(ty), "") => Ok(ty),
            _ => Err(BadType(text.to_owned())),
        }
    }
}

/// How deep a type may be nested when it is read.
const DEPTH: u32 = 64;

fn read(rest: &mut &str, depth: u32) -> Option<Ty> {
    let mut ty = read_one(rest, depth)?;
    while skip(rest, "|").is_some() {
        ty = ty.join(&read_one(rest, depth)?);
    }
    Some(ty)
}

fn read_one(rest: &mut &str, depth: u32) -> Option<Ty> {
    if depth > DEPTH {
        return None;
    }
    match read_word(rest)? {
        "never" => Some(Ty::NEVER),
        "any" => {
            let mut ty = Ty::ANY;
            while skip(rest, "-").is_some() {
                ty = ty.without(scalar_of(read_word(rest)?)?);
            }
            Some(ty)
        }
        "array" => {
            skip(rest, "<")?;
            let of = read(rest, depth + 1)?;
            skip(rest, ">")?;
            Some(Ty::array(of))
        }
        "handle" if skip(rest, "(").is_some() => {
            let kind = read_text(rest)?;
            skip(rest, ")")?;
            Some(Ty::handle(&kind))
        }
        "handle" => Some(Ty::of(Kinds {
            handle: Handles::All,
            ..Kinds::default()
        })),
        "object" => {
            skip(rest, "{")?;
            read_fields(rest, depth)
        }
        word => scalar_of(word)
            .filter(|bits| *bits != FLOAT)
            .map(super::scalar),
    }
}

fn scalar_of(word: &str) -> Option<u16> {
    let mut all = WORDS.iter().chain(LAST);
    all.find(|(known, _)| *known == word).map(|(_, bits)| *bits)
}

fn read_word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
    let (word, after) = text.split_at(end.unwrap_or(text.len()));
    *rest = after;
    (!word.is_empty()).then_some(word)
}

fn read_fields(rest: &mut &str, depth: u32) -> Option<Ty> {
    let (mut fields, mut open) = (Vec::new(), false);
    while skip(rest, "}").is_none() {
        if skip(rest, "..").is_some() {
            open = true;
            continue;
        }
        let name = match rest.trim_start().starts_with('"') {
            true => read_text(rest)?,
            false => read_word(rest)?.to_owned(),
        };
        skip(rest, ":")?;
        fields.push((name, read(rest, depth + 1)?));
        // A comma, or the end in the next round.
        if skip(rest, ",").is_none() && !rest.trim_start().starts_with('}') {
            return None;
        }
    }
    Some(Ty::object(fields, open))
}

fn read_text(rest: &mut &str) -> Option<String> {
    let text = rest.trim_start();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    *rest = text.get(values.byte_offset()..)?;
    Some(value)
}

fn skip(rest: &mut &str, token: &str) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(token)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_for_people() {
        for text in [
            "any",
            "any-null-undefined",
            "never",
            "int32",
            "number | string | undefined",
            "array<array<string>>",
            "handle(\"http response\")",
            "object{}",
            "object{..}",
            "object{a: number, \"b c\": array<date>, ..} | null",
        ] {
            assert_eq!(text.parse::<Ty>().map(|ty| ty.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [
            "",
            "text",
            "array<any",
            "object{\"a\" any}",
            "any any",
            "any-text",
            "object{\"a\": any \"b\": any}",
        ] {
            assert!(text.parse::<Ty>().is_err(), "{text}");
        }
        let deep = "array<".repeat(10_000);
        assert!(deep.parse::<Ty>().is_err());
    }
}
