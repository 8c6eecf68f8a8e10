//! JSONata's errors: codes and their texts.
//!
//! The crate's own texts name the same things in other words. Where a code's text has nothing to fill in, or what there is
//! to fill in can be told from the crate's text, JSONata's text takes its place.

use crate::{ExprError, error};
use vgdc_value::{Value, json};

/// Something to fill into a text.
pub(super) enum Fill<'a> {
    /// A value, as JSON.
    Json(&'a Value),
    /// A text, as a JSON text.
    Text(&'a str),
}

/// An error of a code, with its text filled in.
pub(super) fn made(code: &str, fills: &[(&str, Fill<'_>)]) -> ExprError {
    let mut text = template(code).unwrap_or(code).to_owned();
    for (name, fill) in fills {
        let filled = match fill {
            Fill::Json(value) => json::stringify(value, 0)
                .ok()
                .flatten()
                .unwrap_or_else(|| "undefined".to_owned()),
            Fill::Text(plain) => quoted(plain),
        };
        text = text.replace(&format!("{{{name}}}"), &filled);
    }
    error(text).with("code", code)
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    json::quote_into(&mut out, text);
    out
}

/// The crate's error of a code as JSONata says it. `functions`: the names of the functions that the expression calls.
pub(super) fn said(code: &str, text: &str, functions: &[String]) -> ExprError {
    let Some(template) = template(code) else {
        return error(text).with("code", code);
    };
    if !template.contains('{') {
        return error(template).with("code", code);
    }
    let only_function = match functions {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let filled = match code {
        "S0201" => between(text, "Syntax error: ", "")
            .map(|token| template.replace("{token}", &token_text(token))),
        "S0202" => between(text, "Expected ", ", got ")
            .zip(text.rsplit_once(", got "))
            .map(|(expected, (_, got))| {
                template
                    .replace("{value}", &token_text(expected))
                    .replace("{token}", &token_text(got))
            }),
        "S0203" => between(text, "Expected ", " before end")
            .map(|token| template.replace("{value}", &token_text(token))),
        "S0102" => between(text, "out of range: ", "")
            .map(|token| template.replace("{token}", &quoted(token))),
        "T2001" | "T2002" => between(text, " side of the ", " operator")
            .map(|token| template.replace("{token}", &quoted(token.trim_matches('"')))),
        "D3030" => between(text, "convert '", "' to")
            .map(|value| template.replace("{value}", &quoted(value))),
        "T0410" | "T0411" => index_of(text).zip(only_function).map(|(index, name)| {
            template
                .replace("{index}", index)
                .replace("{token}", &quoted(name))
        }),
        "T0412" => index_of(text)
            .zip(only_function)
            .zip(element_type(text))
            .map(|((index, name), of)| {
                template
                    .replace("{index}", index)
                    .replace("{token}", &quoted(name))
                    .replace("{type}", &quoted(of))
            }),
        _ => None,
    };
    error(filled.unwrap_or_else(|| text.to_owned())).with("code", code)
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    if after.is_empty() {
        Some(rest)
    } else {
        rest.find(after).map(|end| &rest[..end])
    }
}

/// The number in "Argument 1 …".
fn index_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Argument ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    (end > 0).then(|| &rest[..end])
}

fn element_type(text: &str) -> Option<&'static str> {
    let of = text.rsplit_once("array of ")?.1;
    Some(match of.trim_matches('"') {
        "Number" | "numbers" => "numbers",
        "String" | "strings" => "strings",
        "Object" | "objects" => "objects",
        "Boolean" | "booleans" => "booleans",
        "Array" | "arrays" => "arrays",
        "Function" | "functions" => "functions",
        _ => return None,
    })
}

/// A token as the crate names it, as JSON of what stands in the expression.
fn token_text(token: &str) -> String {
    let inner = |start: &str| {
        token
            .strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(')'))
    };
    if let Some(n) = inner("Number(") {
        return n
            .parse()
            .map_or_else(|_| quoted(n), vgdc_value::number::to_js_string);
    }
    for start in ["Identifier(", "String(", "Variable("] {
        if let Some(name) = inner(start) {
            let name = name.trim_matches('"');
            return if start == "Variable(" {
                quoted(&format!("${name}"))
            } else {
                quoted(name)
            };
        }
    }
    let sign = match token {
        "LeftParen" => "(",
        "RightParen" => ")",
        "LeftBracket" => "[",
        "RightBracket" => "]",
        "LeftBrace" => "{",
        "RightBrace" => "}",
        "Comma" => ",",
        "Colon" => ":",
        "Semicolon" => ";",
        "Dot" => ".",
        "DotDot" | "Range" => "..",
        "Question" | "QuestionMark" => "?",
        "Plus" => "+",
        "Minus" => "-",
        "Star" | "Multiply" => "*",
        "Slash" | "Divide" => "/",
        "Percent" | "Modulo" => "%",
        "Ampersand" => "&",
        "Equal" | "Equals" => "=",
        "NotEqual" => "!=",
        "LessThan" => "<",
        "LessThanOrEqual" => "<=",
        "GreaterThan" => ">",
        "GreaterThanOrEqual" => ">=",
        "At" => "@",
        "Hash" => "#",
        "Caret" => "^",
        "Pipe" => "|",
        "Tilde" | "ChainPipe" => "~>",
        "ColonEqual" => ":=",
        "And" => "and",
        "Or" => "or",
        "In" => "in",
        "True" => return "true".to_owned(),
        "False" => return "false".to_owned(),
        "Null" => return "null".to_owned(),
        "Eof" => "(end)",
        other => other,
    };
    quoted(sign)
}

/// JSONata's texts; `{name}` is filled in.
fn template(code: &str) -> Option<&'static str> {
    Some(match code {
        "S0101" => "String literal must be terminated by a matching quote",
        "S0102" => "Number out of range: {token}",
        "S0103" => "Unsupported escape sequence: \\{token}",
        "S0104" => "The escape sequence \\u must be followed by 4 hex digits",
        "S0105" => "Quoted property name must be terminated with a backquote (`)",
        "S0106" => "Comment has no closing tag",
        "S0201" => "Syntax error: {token}",
        "S0202" => "Expected {value}, got {token}",
        "S0203" => "Expected {value} before end of expression",
        "S0204" => "Unknown operator: {token}",
        "S0207" => "Unexpected end of expression",
        "S0208" => {
            "Parameter {value} of function definition must be a variable name (start with $)"
        }
        "S0209" => "A predicate cannot follow a grouping expression in a step",
        "S0210" => "Each step can only have one grouping expression",
        "S0211" => "The symbol {token} cannot be used as a unary operator",
        "S0212" => "The left side of := must be a variable name (start with $)",
        "S0213" => "The literal value {value} cannot be used as a step within a path expression",
        "S0214" => "The right side of {token} must be a variable name (start with $)",
        "S0215" => "A context variable binding must precede any predicates on a step",
        "S0216" => "A context variable binding must precede the 'order-by' clause on a step",
        "S0217" => "The object representing the 'parent' cannot be derived from this expression",
        "S0301" => "Empty regular expressions are not allowed",
        "S0302" => "No terminating / in regular expression",
        "S0401" => "Type parameters can only be applied to functions and arrays",
        "S0402" => "Choice groups containing parameterized types are not supported",
        "T0410" => "Argument {index} of function {token} does not match function signature",
        "T0411" => {
            "Context value is not a compatible type with argument {index} of function {token}"
        }
        "T0412" => "Argument {index} of function {token} must be an array of {type}",
        "D1001" => "Number out of range: {value}",
        "D1002" => "Cannot negate a non-numeric value: {value}",
        "T1003" => "Key in object structure must evaluate to a string; got: {value}",
        "D1004" => "Regular expression matches zero length string",
        "T1006" => "Attempted to invoke a non-function",
        "T1008" => "Attempted to partially apply a non-function",
        "D1009" => "Multiple key definitions evaluate to same key: {value}",
        "T2001" => "The left side of the {token} operator must evaluate to a number",
        "T2002" => "The right side of the {token} operator must evaluate to a number",
        "T2003" => "The left side of the range operator (..) must evaluate to an integer",
        "T2004" => "The right side of the range operator (..) must evaluate to an integer",
        "T2006" => "The right side of the function application operator ~> must be a function",
        "T2007" => "Type mismatch when comparing values {value} and {value2} in order-by clause",
        "T2008" => {
            "The expressions within an order-by clause must evaluate to numeric or string values"
        }
        "T2009" => {
            "The values {value} and {value2} either side of operator {token} must be of the same data type"
        }
        "T2010" => {
            "The expressions either side of operator {token} must evaluate to numeric or string values"
        }
        "T2011" => {
            "The insert/update clause of the transform expression must evaluate to an object: {value}"
        }
        "T2012" => {
            "The delete clause of the transform expression must evaluate to a string or array of strings: {value}"
        }
        "D3001" => "Attempting to invoke string function on Infinity or NaN",
        "D3010" => "Second argument of replace function cannot be an empty string",
        "D3011" => "Fourth argument of replace function must evaluate to a positive number",
        "D3012" => "Attempted to replace a matched string with a non-string value",
        "D3020" => "Third argument of split function must evaluate to a positive number",
        "D3030" => "Unable to cast value to a number: {value}",
        "D3040" => "Third argument of match function must evaluate to a positive number",
        "D3050" => {
            "The second argument of reduce function must be a function with at least two arguments"
        }
        "D3060" => "The sqrt function cannot be applied to a negative number: {value}",
        "D3070" => {
            "The single argument form of the sort function can only be applied to an array of strings or an array of numbers.  Use the second argument to specify a comparison function"
        }
        "D3134" => "The timezone integer format specifier cannot have more than four digits",
        "D3135" => "No matching closing bracket ']' in date/time picture string",
        "D3136" => {
            "The date/time picture string is missing specifiers required to parse the timestamp"
        }
        "D3138" => {
            "The $single() function expected exactly 1 matching result.  Instead it matched more."
        }
        "D3139" => {
            "The $single() function expected exactly 1 matching result.  Instead it matched 0."
        }
        _ => return None,
    })
}
