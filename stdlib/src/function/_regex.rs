//! Regular expressions as JavaScript's `new RegExp` makes them, with V8's words for what is wrong with one.

use vgdc_core::value::ErrorValue;

/// Compiles a pattern.
///
/// # Errors
/// The `SyntaxError` that `new RegExp(source, flags)` throws.
pub(crate) fn compile(source: &str, flags: &str) -> Result<regress::Regex, ErrorValue> {
    regress::Regex::with_flags(source, flags).map_err(|error| {
        let why = reason(source, &error.text);
        ErrorValue::new(
            "SyntaxError",
            format!("Invalid regular expression: /{source}/{flags}: {why}"),
        )
    })
}

/// V8's word for what `regress` says of a pattern.
fn reason(source: &str, said: &str) -> &'static str {
    match said {
        "Unbalanced parenthesis" if closes_too_often(source) => "Unmatched ')'",
        "Unbalanced parenthesis" => "Unterminated group",
        "Unbalanced bracket" => "Unterminated character class",
        "Incomplete escape" => "\\ at end of pattern",
        "Invalid atom character" | "Invalid braced quantifier" => "Nothing to repeat",
        // (a look-behind, or an assertion such as ^ and \b)
        "Quantifier not allowed here" if source.contains("(?<") => "Invalid quantifier",
        "Quantifier not allowed here" => "Nothing to repeat",
        "Invalid quantifier" => "numbers out of order in {} quantifier",
        "Range values reversed, start char code is greater than end char code." => {
            "Range out of order in character class"
        }
        "Invalid token at named capture group identifier" if source.contains("(?<") => {
            "Invalid capture group name"
        }
        "Invalid token at named capture group identifier" | "Invalid group modifier" => {
            "Invalid group"
        }
        "Duplicate capture group name" => "Duplicate capture group name",
        "Invalid named backreference syntax" => "Invalid named reference",
        "Capture group count limit exceeded" => "Too many captures",
        "Loop count limit exceeded" => "Regular expression too large",
        _ => "Invalid escape",
    }
}

/// True when a `)` stands where no group is open.
fn closes_too_often(source: &str) -> bool {
    let (mut open, mut in_class) = (0usize, false);
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => open += 1,
            ')' if !in_class && open == 0 => return true,
            ')' if !in_class => open -= 1,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_worded_as_v8_does() {
        // (from Node 20: new RegExp(source, "i"))
        let cases = [
            ("(", "Unterminated group"),
            (")", "Unmatched ')'"),
            ("[()]\\))", "Unmatched ')'"),
            ("*", "Nothing to repeat"),
            ("[", "Unterminated character class"),
            ("a**", "Nothing to repeat"),
            ("\\", "\\ at end of pattern"),
            ("(?a)", "Invalid group"),
            ("[b-a]", "Range out of order in character class"),
            ("a{2,1}", "numbers out of order in {} quantifier"),
            ("{1}", "Nothing to repeat"),
            ("(?<a", "Invalid capture group name"),
            ("(?<1>a)", "Invalid capture group name"),
            ("(?<a>x)(?<a>y)", "Duplicate capture group name"),
            ("(?", "Invalid group"),
            ("^*", "Nothing to repeat"),
            ("(?<=a)+", "Invalid quantifier"),
        ];
        for (source, why) in cases {
            let error = compile(source, "i")
                .err()
                .map(|error| error.message.to_string());
            assert_eq!(
                error,
                Some(format!("Invalid regular expression: /{source}/i: {why}"))
            );
        }
        assert!(compile("(?=a)*\\k<", "").is_ok());
    }
}
