//! Names, characters and entities of XML, as its reader takes them.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A name and what its prefix stands for.
#[derive(Clone, Default)]
pub struct Name {
    /// All of it.
    pub whole: String,
    /// Before the colon.
    pub prefix: String,
    /// Behind the colon.
    pub local: String,
    /// What the prefix stands for.
    pub uri: String,
}

/// XML's white space.
pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t')
}

/// What a value stands between.
pub fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// True for what a name may begin with, among characters of 16 bits.
pub fn begins_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}')
}

/// True for what may stand in a name.
pub fn in_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}' | '.' | '-' | '0'..='9')
}

/// A name in its parts.
pub fn parted(name: &str, attribute: bool) -> Name {
    let (prefix, local) = match name.split_once(':') {
        _ if attribute && name == "xmlns" => ("xmlns", ""),
        Some((prefix, rest)) => (prefix, rest.split(':').next().unwrap_or_default()),
        None => ("", name),
    };
    Name {
        whole: name.to_owned(),
        prefix: prefix.to_owned(),
        local: local.to_owned(),
        uri: String::new(),
    }
}

/// The character that an entity stands for: one of HTML 4's names, in any case, or a number.
pub fn known(entity: &str) -> Option<char> {
    static NAMES: OnceLock<HashMap<&str, u32>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let lines = include_str!("xml_entities.txt").lines();
        let pairs = lines.filter_map(|line| line.split_once(' '));
        pairs
            .filter_map(|(name, code)| Some((name, code.parse().ok()?)))
            .collect()
    });
    let lower = entity.to_lowercase();
    if let Some(code) = names.get(entity).or_else(|| names.get(&*lower)) {
        return char::from_u32(*code);
    }
    let digits = lower.strip_prefix('#')?;
    let (digits, base) = match digits.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(digits, base).ok()?)?;
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        .then_some(c)
}
