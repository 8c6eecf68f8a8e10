//! The small languages: property paths, regular expressions, JSON, and the values of typed inputs.

use vgdc_syntax::codes;
use vgdc_value::{Path, Value, json, number};

use crate::ScriptError;
use crate::deep::{Level, with_stack};
use crate::keys::split_store;

/// Parses a property path; of a context, perhaps with a store before it (`#:(store)::a.b`).
///
/// # Errors
/// Node-RED's text, at the place that it names.
pub fn check_path(text: &str) -> Result<(), ScriptError> {
    let (_, path) = split_store(text);
    let Err(error) = Path::parse(path) else {
        return Ok(());
    };
    let before = text.len() - path.len();
    let range = match position(&error.message) {
        // (Node-RED counts UTF-16 code units)
        Some(units) => {
            let at = before + bytes_of(path, units);
            at..at + 1
        }
        None => before..text.len(),
    };
    Err(ScriptError::new(
        codes::BAD_PROPERTY_PATH,
        error.message,
        text,
        range,
    ))
}

/// The position that a message of Node-RED's ends with: `… at position 3`.
fn position(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once(" at position ")?;
    rest.split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn bytes_of(text: &str, units: usize) -> usize {
    let mut left = units;
    let end = text.char_indices().find(|(_, c)| {
        let here = left == 0;
        left = left.saturating_sub(c.len_utf16());
        here
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// Parses a regular expression of JavaScript.
///
/// # Errors
/// What is wrong with it, or with its flags.
pub fn check_regex(pattern: &str, flags: &str) -> Result<(), ScriptError> {
    let error = |message: String| {
        ScriptError::new(
            codes::BAD_REGEX,
            format!("this is not a regular expression: {message}"),
            pattern,
            0..pattern.len(),
        )
    };
    let known = |flag: &char| "dgimsuvy".contains(*flag);
    if let Some(flag) = flags
        .chars()
        .find(|flag| !known(flag) || flags.matches(*flag).count() > 1)
    {
        return Err(error(format!(
            "the flag \"{flag}\" is unknown or given twice"
        )));
    }
    match with_stack(pattern, Level::Regex, || {
        regress::Regex::with_flags(pattern, flags).map(drop)
    }) {
        Some(Ok(())) => Ok(()),
        Some(Err(fault)) => Err(error(crate::lower_first(&fault.to_string()))),
        None => Err(error("it is too long".to_owned())),
    }
}

/// Parses JSON.
///
/// # Errors
/// What is wrong with it, and where.
pub fn check_json(text: &str) -> Result<(), ScriptError> {
    match json::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let range = error.position..error.position + 1;
            Err(ScriptError::new(
                codes::BAD_JSON_VALUE,
                format!("this is not JSON: {}", error.message),
                text,
                range,
            ))
        }
    }
}

/// Checks the text of a typed input that is a value of its own: a number, a boolean, bytes.
///
/// # Errors
/// A list of bytes that is none; a warning where the text is read as something else than it seems to be.
pub(crate) fn check_value(ty: &str, text: &str) -> Result<(), ScriptError> {
    let fault = |message: String| {
        Err(ScriptError::new(
            codes::BAD_TYPED_INPUT,
            message,
            text,
            0..text.len(),
        ))
    };
    let warning = |message: String| fault(message).map_err(ScriptError::into_warning);
    match ty {
        "num" if number::parse(text).is_nan() && text.trim() != "NaN" => {
            warning(format!("\"{text}\" is no number: it is read as NaN"))
        }
        "num" if text.trim().is_empty() => {
            warning("there is no number: it is read as 0".to_owned())
        }
        "bool"
            if !["true", "false"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word)) =>
        {
            warning(format!(
                "\"{text}\" is neither true nor false: it is read as false"
            ))
        }
        "bin" => match json::parse(text) {
            Ok(Value::Array(_) | Value::Str(_)) => Ok(()),
            Ok(_) => fault(
                "a buffer is a list of bytes, such as [72, 105], or a text in quotes".to_owned(),
            ),
            Err(error) => {
                let range = error.position..error.position + 1;
                let message = format!(
                    "a buffer is JSON, a list of bytes or a text: {}",
                    error.message
                );
                Err(ScriptError::new(
                    codes::BAD_TYPED_INPUT,
                    message,
                    text,
                    range,
                ))
            }
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_checked_where_node_red_says() {
        for text in [
            "payload.a[\"b c\"][0]",
            "#:(file)::a.b",
            "msg.payload",
            "a[msg.b[msg.c]]",
            "é.x",
        ] {
            assert_eq!(check_path(text), Ok(()), "{text}");
        }
        let fault = |text: &'static str| {
            let error = check_path(text).expect_err(text);
            (error.message, error.range)
        };
        insta::assert_debug_snapshot!(
            [
                "",
                "a.",
                "a..b",
                "a b",
                "#:(file)::a b",
                "é😀 b",
                "a[",
                "a['b]",
                "a[b]",
                "['a']"
            ]
            .map(fault)
        );
    }

    #[test]
    fn expressions_are_checked() {
        for (pattern, flags) in [
            ("(?<y>[0-9]{4})\\k<y>", ""),
            ("[", ""),
            ("(", "gi"),
            ("a{2,1}", ""),
            ("\\p{Lu}", "u"),
            ("a", "gg"),
            ("a", "x"),
        ] {
            let expected = matches!(pattern.as_bytes(), [b'(', b'?', ..] | [b'\\', ..]);
            assert_eq!(
                check_regex(pattern, flags).is_ok(),
                expected,
                "{pattern} {flags}"
            );
        }
    }

    #[test]
    fn json_is_checked_where_it_ends() {
        assert_eq!(check_json("{\"a\":x}").map_err(|e| e.range), Err(5..6));
        assert_eq!(check_json(" [1, null] "), Ok(()));
    }

    #[test]
    fn values_are_compared_with_their_types() {
        for (ty, text) in [
            ("num", "1e3"),
            ("num", "0x10"),
            ("num", "NaN"),
            ("bool", "True"),
            ("bin", "[1,2]"),
            ("bin", "\"a\""),
            ("str", ""),
        ] {
            assert_eq!(check_value(ty, text), Ok(()), "{ty} {text}");
        }
        let fault = |(ty, text): (&str, &str)| {
            let error = check_value(ty, text).expect_err(text);
            (error.level, error.message, error.range)
        };
        insta::assert_debug_snapshot!(
            [
                ("num", "1,5"),
                ("num", ""),
                ("bool", "yes"),
                ("bin", "{}"),
                ("bin", "[1,"),
                ("bin", "1")
            ]
            .map(fault)
        );
    }

    #[test]
    fn deep_texts_end() {
        let open = "(".repeat(20_000);
        assert!(check_regex(&open, "").is_err());
        assert!(check_json(&"[".repeat(50_000)).is_err());
        assert!(check_path(&"a[msg.".repeat(20_000)).is_err());
    }
}
