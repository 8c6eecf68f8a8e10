//! Names: of types in the text, and names made of labels.

/// A type as a word of the text: blanks, dashes and whatever else no word can have are `_`.
pub fn word(ty: &str) -> String {
    let letter = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    let word: String = ty.chars().map(letter).collect();
    match word.starts_with(|c: char| c.is_numeric()) {
        true => format!("_{word}"),
        false => word,
    }
}

/// A name made of a label: small letters and figures with `_` between; empty where nothing is left.
pub fn slug(label: &str) -> String {
    let mut out = String::new();
    for c in label.chars().take(40) {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            '\'' => {}
            _ if out.ends_with('_') || out.is_empty() => {}
            _ => out.push('_'),
        }
    }
    let name = out.trim_end_matches('_');
    match name.chars().next() {
        Some(c) if c.is_ascii_digit() => format!("_{name}"),
        _ => name.to_owned(),
    }
}

/// Whether a text can stand as a name.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text != "_" && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_labels() {
        for (label, name) in [
            ("Kitchen", "kitchen"),
            ("Too  hot!", "too_hot"),
            ("  é x", "x"),
            ("3D printer's", "_3d_printers"),
            ("--", ""),
            ("", ""),
        ] {
            assert_eq!(slug(label), name);
        }
        assert_eq!(word("mqtt in"), "mqtt_in");
        assert_eq!(word("ui-button"), "ui_button");
        assert!(is_name("a_1") && !is_name("1a") && !is_name("_") && !is_name("é") && !is_name(""));
    }
}
