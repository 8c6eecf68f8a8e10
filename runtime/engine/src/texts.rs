//! QuickJS's error texts in V8's words, which Node-RED's users know and flows match on.

/// The message of an error thrown while running. `code`: the source line from the error's column on, and what stands before it.
pub(crate) fn runtime(message: &str, code: Option<Code<'_>>) -> Option<String> {
    if let Some(rest) = message.strip_prefix("cannot read property '") {
        let (name, of) = rest.rsplit_once("' of ")?;
        return Some(format!("Cannot read properties of {of} (reading '{name}')"));
    }
    if let Some(rest) = message.strip_prefix("cannot set property '") {
        let (name, of) = rest.rsplit_once("' of ")?;
        return Some(format!("Cannot set properties of {of} (setting '{name}')"));
    }
    if let Some(name) = message.strip_suffix(" is not initialized") {
        return Some(format!(
            "Cannot access '{}' before initialization",
            name.trim_matches('\'')
        ));
    }
    if let Some(name) = message
        .strip_suffix("' is read-only")
        .and_then(|rest| rest.strip_prefix('\''))
    {
        return Some(match code.is_some_and(|code| code.assigns_variable(name)) {
            true => "Assignment to constant variable.".to_owned(),
            false => format!("Cannot assign to read only property '{name}' of object '#<Object>'"),
        });
    }
    Some(match message {
        "not a function" => format!("{} is not a function", code?.callee()?),
        "not a constructor" => format!("{} is not a constructor", code?.constructor()?),
        "invalid array length" => "Invalid array length".to_owned(),
        "Date value is NaN" => "Invalid time value".to_owned(),
        "circular reference" => "Converting circular structure to JSON".to_owned(),
        "value is not iterable" | "not iterable" => return None,
        "division by zero" => "Division by zero".to_owned(),
        "object is not extensible" => "Cannot add property, object is not extensible".to_owned(),
        "cannot convert bigint to number" => "Cannot convert a BigInt value to a number".to_owned(),
        "cannot convert symbol to string" => "Cannot convert a Symbol value to a string".to_owned(),
        _ => return None,
    })
}

/// Where an error was thrown: a line of source, split at the column.
#[derive(Clone, Copy)]
pub(crate) struct Code<'a> {
    before: &'a str,
    after: &'a str,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

impl<'a> Code<'a> {
    /// `line` and `column` count from 1.
    pub(crate) fn at(text: &'a str, line: u32, column: u32) -> Option<Code<'a>> {
        let source = text.lines().nth(line.checked_sub(1)? as usize)?;
        let at = source
            .char_indices()
            .map(|(at, _)| at)
            .nth(column.checked_sub(1)? as usize)
            .unwrap_or(source.len());
        let (before, after) = source.split_at(at);
        Some(Code { before, after })
    }

    /// `name =`, `name +=`, `name++` around the place, and not `object.name =`.
    fn assigns_variable(self, name: &str) -> bool {
        let line = format!("{}{}", self.before, self.after);
        line.match_indices(name).any(|(at, found)| {
            let before = line[..at].trim_end();
            let after = line[at + found.len()..].trim_start();
            !before.ends_with('.')
                && !before
                    .chars()
                    .next_back()
                    .is_some_and(|c| is_word(c) && line[..at].ends_with(c))
                && (after.starts_with(['=', '+', '-', '*', '/', '%', '&', '|', '^', '<', '>', '?'])
                    || before.ends_with("++")
                    || before.ends_with("--"))
        })
    }

    /// The expression that is called at this place: words, members and simple indices up to the opening bracket.
    fn callee(self) -> Option<String> {
        let open = self.after.find('(').map(|at| at + self.before.len());
        let line = format!("{}{}", self.before, self.after);
        let open = match self.after.starts_with('(') || open.is_none() {
            true => self.before.len(),
            false => open?,
        };
        path_before(&line[..open])
    }

    /// The expression behind `new`.
    fn constructor(self) -> Option<String> {
        let line = format!("{}{}", self.before, self.after);
        let at = line.find("new ")? + 4;
        let rest = line[at..].trim_start();
        let end = rest
            .find(|c: char| !is_word(c) && c != '.')
            .unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    }
}

/// The member path that ends here, as V8 prints it: calls inside become `(...)`.
fn path_before(text: &str) -> Option<String> {
    let chars: Vec<char> = text.trim_end().chars().collect();
    let mut at = chars.len();
    let mut out: Vec<String> = Vec::new();
    loop {
        let end = at;
        while at > 0 && is_word(chars[at - 1]) {
            at -= 1;
        }
        if at < end {
            out.push(chars[at..end].iter().collect());
        } else if at > 0 && matches!(chars[at - 1], ')' | ']') {
            let open = matching(&chars, at - 1)?;
            out.push(match chars[open] {
                '(' => "(...)".to_owned(),
                _ => chars[open..at].iter().collect(),
            });
            at = open;
            continue;
        } else {
            return None;
        }
        if at > 0 && chars[at - 1] == '.' {
            at -= if at > 1 && chars[at - 2] == '?' { 2 } else { 1 };
            out.push(".".to_owned());
            continue;
        }
        out.reverse();
        return Some(out.concat());
    }
}

fn matching(chars: &[char], close: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for at in (0..=close).rev() {
        match chars[at] {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The message of a syntax error.
pub(crate) fn syntax(message: &str) -> String {
    for prefix in [
        "unexpected token in expression: '",
        "unexpected token: '",
        "Unexpected token '",
    ] {
        if let Some(token) = message
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix('\''))
        {
            return unexpected(token);
        }
    }
    if let Some(what) = message
        .strip_prefix("expecting '")
        .and_then(|rest| rest.strip_suffix('\''))
    {
        return match what {
            ")" => "missing ) after argument list".to_owned(),
            ";" => "Unexpected identifier".to_owned(),
            _ => "Unexpected token".to_owned(),
        };
    }
    if message.contains("redefinition") || message.contains("redeclaration") {
        let name = message.split('\'').nth(1).unwrap_or_default();
        return match name {
            "" => "Identifier has already been declared".to_owned(),
            name => format!("Identifier '{name}' has already been declared"),
        };
    }
    match message {
        "unexpected end of string" | "unexpected end of comment" | "unexpected end of input" => {
            "Invalid or unexpected token".to_owned()
        }
        "missing '}'" => "Unexpected end of input".to_owned(),
        "return not in a function" => "Illegal return statement".to_owned(),
        "missing initializer for const variable" => {
            "Missing initializer in const declaration".to_owned()
        }
        "invalid assignment left-hand side" => "Invalid left-hand side in assignment".to_owned(),
        other => other.to_owned(),
    }
}

fn unexpected(token: &str) -> String {
    match token {
        "<eof>" | "" => "Unexpected end of input".to_owned(),
        "}" | ")" | "]" | "{" | "(" | "[" | ";" | "," | "." | ":" | "?" | "=" => {
            format!("Unexpected token '{token}'")
        }
        "string" => "Unexpected string".to_owned(),
        "number" => "Unexpected number".to_owned(),
        word if word.chars().all(is_word)
            && word.chars().next().is_some_and(|c| c.is_ascii_digit()) =>
        {
            "Unexpected number".to_owned()
        }
        word if word.chars().all(is_word) => format!("Unexpected identifier '{word}'"),
        other => format!("Unexpected token '{other}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn property_errors_speak_v8() {
        let v8 = |message| runtime(message, None);
        assert_eq!(
            v8("cannot read property 'a' of undefined").as_deref(),
            Some("Cannot read properties of undefined (reading 'a')")
        );
        assert_eq!(
            v8("cannot set property 'a' of null").as_deref(),
            Some("Cannot set properties of null (setting 'a')")
        );
        assert_eq!(v8("something else"), None);
    }

    #[test]
    fn what_is_not_a_function_is_named() {
        let named = |line: &str, column| {
            Code::at(line, 1, column).and_then(|code| runtime("not a function", Some(code)))
        };
        assert_eq!(
            named("msg.payload.foo(1)", 16).as_deref(),
            Some("msg.payload.foo is not a function")
        );
        assert_eq!(named("foo()", 1).as_deref(), Some("foo is not a function"));
        assert_eq!(
            named("a.b().c[0](2)", 1).as_deref(),
            None.or(Some("a.b is not a function"))
        );
    }
}
