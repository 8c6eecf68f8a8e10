//! QuickJS's error texts in V8's words, which Node-RED's users know and flows match on.
//!
//! V8 quotes source text in some messages ("msg.foo is not a function"); QuickJS only says where. So the words are looked up
//! in the body, where that is certain enough.

/// A place in a function node's text.
#[derive(Clone, Copy)]
pub(crate) struct Code<'a> {
    text: &'a str,
    at: usize,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

impl<'a> Code<'a> {
    /// `line` and `column` count from 1.
    pub(crate) fn at(text: &'a str, line: u32, column: u32) -> Option<Code<'a>> {
        let lines = line.checked_sub(1)? as usize;
        let start = match lines {
            0 => 0,
            lines => text.match_indices('\n').nth(lines - 1)?.0 + 1,
        };
        let source = text[start..].split('\n').next()?;
        let offset = source
            .char_indices()
            .map(|(at, _)| at)
            .nth(column.checked_sub(1)? as usize)
            .unwrap_or(source.len());
        Some(Code {
            text,
            at: start + offset,
        })
    }

    fn before(self) -> &'a str {
        &self.text[..self.at]
    }

    fn after(self) -> &'a str {
        &self.text[self.at..]
    }

    /// The rest of the line that the place is in, and what stands before it in the line.
    fn line(self) -> &'a str {
        let start = self.before().rfind('\n').map_or(0, |at| at + 1);
        self.text[start..].split('\n').next().unwrap_or_default()
    }

    /// The word that begins here.
    fn word(self) -> &'a str {
        let after = self.after();
        &after[..after.find(|c| !is_word(c)).unwrap_or(after.len())]
    }

    /// `name =`, `name +=`, `name++` in the line, and not `object.name =`.
    fn assigns_variable(self, name: &str) -> bool {
        let line = self.line();
        line.match_indices(name).any(|(at, found)| {
            let (before, after) = (line[..at].trim_end(), line[at + found.len()..].trim_start());
            let whole = !line[..at].ends_with(is_word) && !before.ends_with('.');
            let assigned =
                after.starts_with(['=', '+', '-', '*', '/', '%', '&', '|', '^', '<', '>', '?']);
            whole && (assigned || before.ends_with("++") || before.ends_with("--"))
        })
    }

    /// The expression whose call fails here: the place is at its last name, or inside the call's brackets.
    fn callee(self) -> Option<String> {
        let word = self.word();
        if !word.is_empty() && self.after()[word.len()..].trim_start().starts_with('(') {
            return path_before(&self.text[..self.at + word.len()]);
        }
        // (a bracket here may as well be the first argument's)
        if self.after().starts_with('(')
            && let Some(path) = path_before(self.before())
        {
            return Some(path);
        }
        path_before(&self.text[..unmatched_open(self.before())?])
    }

    /// The expression behind `new`.
    fn constructor(self) -> Option<String> {
        let rest = match self.before().trim_end().ends_with("new") {
            true => self.after(),
            false => self.line().split_once("new ")?.1,
        };
        let rest = rest.trim_start();
        let end = rest
            .find(|c: char| !is_word(c) && c != '.')
            .unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    }

    /// What a loop, a spread or a destructuring goes through.
    fn iterated(self) -> Option<String> {
        let line = self.line();
        let rest = [" of ", "...", "] = "]
            .iter()
            .find_map(|mark| Some(line.split_once(mark)?.1.trim_start()))?;
        let end = rest
            .find(|c: char| !is_word(c) && c != '.')
            .unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    }

    /// The line calls something with `...`.
    fn spreads_arguments(self) -> bool {
        let before = self.line().split("...").next().unwrap_or_default();
        self.line().contains("...") && before.trim_end().ends_with('(')
    }

    /// The number that is given to a method in this line.
    fn argument_of(self, method: &str) -> Option<&'a str> {
        let rest = self.line().split_once(method)?.1.strip_prefix('(')?;
        let argument = rest.split(')').next()?.trim();
        argument.parse::<f64>().is_ok().then_some(argument)
    }
}

/// The last bracket that is open at the end of a text.
fn unmatched_open(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth > 0 => depth -= 1,
            '(' => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
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
            out.push(if chars[open] == '(' {
                "(...)".to_owned()
            } else {
                chars[open..at].iter().collect()
            });
            at = open;
            continue;
        } else {
            return None;
        }
        if at > 0 && chars[at - 1] == '.' {
            at -= if at > 1 && chars[at - 2] == '?' { 2 } else { 1 };
            out.push(".".to_owned());
            // (a chain of calls is often written in several lines)
            while at > 0 && chars[at - 1].is_whitespace() {
                at -= 1;
            }
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

/// The message of an error that QuickJS threw while code ran; None where V8 says the same or what it says is not known.
pub(crate) fn runtime(message: &str, code: Option<Code<'_>>) -> Option<String> {
    with_name(message, code)
        .or_else(|| quoting(message, code))
        .or_else(|| fixed(message).map(str::to_owned))
}

/// Messages that name a property or variable.
fn with_name(message: &str, code: Option<Code<'_>>) -> Option<String> {
    if let Some(rest) = message.strip_prefix("cannot read property '") {
        let (name, of) = rest.rsplit_once("' of ")?;
        if name == "Symbol.iterator" {
            return Some(not_iterable(of, code));
        }
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
    let name = message.strip_suffix("' is read-only")?.strip_prefix('\'')?;
    Some(match code.is_some_and(|code| code.assigns_variable(name)) {
        true => "Assignment to constant variable.".to_owned(),
        false => format!("Cannot assign to read only property '{name}' of object '#<Object>'"),
    })
}

/// What V8 says of null and undefined where something that can be gone through is wanted.
fn not_iterable(of: &str, code: Option<Code<'_>>) -> String {
    match code.and_then(Code::iterated) {
        Some(what) if code.is_some_and(Code::spreads_arguments) => {
            format!("{what} is not iterable (cannot read property undefined)")
        }
        Some(what) => format!("{what} is not iterable"),
        None => format!("{of} is not iterable (cannot read property Symbol(Symbol.iterator))"),
    }
}

/// Messages in which V8 quotes the code.
fn quoting(message: &str, code: Option<Code<'_>>) -> Option<String> {
    let code = code?;
    Some(match message {
        "not a function" => format!("{} is not a function", code.callee()?),
        "not a constructor" => format!("{} is not a constructor", code.constructor()?),
        "value is not iterable" => format!("{} is not iterable", code.iterated()?),
        "invalid repeat count" => format!("Invalid count value: {}", code.argument_of("repeat")?),
        "invalid number of digits" if code.line().contains("toPrecision") => {
            "toPrecision() argument must be between 1 and 100".to_owned()
        }
        "invalid number of digits" if code.line().contains("toExponential") => {
            "toExponential() argument must be between 0 and 100".to_owned()
        }
        "cannot convert to BigInt: not an integer" => {
            let number = code.argument_of("BigInt")?;
            format!(
                "The number {number} cannot be converted to a BigInt because it is not an integer"
            )
        }
        _ => return None,
    })
}

fn fixed(message: &str) -> Option<&'static str> {
    Some(match message {
        "invalid array length" => "Invalid array length",
        "invalid string length" | "string too long" => "Invalid string length",
        "invalid repeat count" => "Invalid count value",
        "invalid number of digits" => "toFixed() digits argument must be between 0 and 100",
        "Date value is NaN" => "Invalid time value",
        "circular reference" => "Converting circular structure to JSON",
        "empty array" => "Reduce of empty array with no initial value",
        "expecting hex digit"
        | "expecting %%"
        | "expecting %"
        | "malformed UTF-8"
        | "invalid character"
        | "expecting surrogate pair" => "URI malformed",
        "BigInt division by zero" => "Division by zero",
        "BigInt are forbidden in JSON.stringify" => "Do not know how to serialize a BigInt",
        "cannot convert BigInt to number" => {
            "Cannot mix BigInt and other types, use explicit conversions"
        }
        "cannot convert symbol to string" => "Cannot convert a Symbol value to a string",
        "cannot convert symbol to number" => "Cannot convert a Symbol value to a number",
        "invalid 'instanceof' right operand" => "Right-hand side of 'instanceof' is not an object",
        "object is not extensible" => "Cannot add property, object is not extensible",
        "class constructors must be invoked with 'new'" => {
            "Class constructor cannot be invoked without 'new'"
        }
        "resolving function already set" => "Promise resolve or reject function is not callable",
        "promise self resolution" => "Chaining cycle detected for promise #<Promise>",
        "invalid regular expression flags" => "Invalid regular expression flags",
        "circular prototype chain" => "Cyclic __proto__ value",
        "could not delete property" => "Cannot delete property",
        "toPrimitive" => "Cannot convert object to primitive value",
        _ => return None,
    })
}

/// The message of a syntax error, found at this place.
pub(crate) fn syntax(message: &str, code: Option<Code<'_>>) -> String {
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
    if let Some(word) = message
        .strip_prefix("Unexpected identifier '")
        .and_then(|rest| rest.strip_suffix('\''))
    {
        return match code.is_some_and(|code| code.before().trim_end().ends_with("import")) {
            true => "Cannot use import statement outside a module".to_owned(),
            false => unexpected_word(word),
        };
    }
    if message.contains("redefinition") {
        let name = code
            .map(|code| last_word(code.before()))
            .unwrap_or_default();
        return match name {
            "" => "Identifier has already been declared".to_owned(),
            name => format!("Identifier '{name}' has already been declared"),
        };
    }
    if message == "expecting ')'" {
        return "missing ) after argument list".to_owned();
    }
    if message.starts_with("expecting '")
        || matches!(
            message,
            "expecting field name"
                | "class statement requires a name"
                | "variable name expected"
                | "identifier expected"
                | "invalid property name"
        )
    {
        return code.map_or_else(|| "Invalid or unexpected token".to_owned(), found);
    }
    syntax_fixed(message).unwrap_or(message).to_owned()
}

fn syntax_fixed(message: &str) -> Option<&'static str> {
    Some(match message {
        "unexpected end of string"
        | "unexpected end of comment"
        | "unexpected character"
        | "invalid number literal" => "Invalid or unexpected token",
        "return not in a function" => "Illegal return statement",
        "missing initializer for variable" => "Missing initializer in const declaration",
        "invalid assignment left-hand side" | "invalid assignment syntax" => {
            "Invalid left-hand side in assignment"
        }
        "invalid increment/decrement operand" => {
            "Invalid left-hand side expression in postfix operation"
        }
        "break must be inside loop or switch" => "Illegal break statement",
        "continue must be inside loop" => {
            "Illegal continue statement: no surrounding iteration statement"
        }
        "'let' is not a valid lexical identifier" | "invalid lexical variable name 'let'" => {
            "let is disallowed as a lexically bound name"
        }
        "unsupported keyword: enum" => "Unexpected reserved word",
        "unsupported keyword: import" => "Cannot use import statement outside a module",
        "unexpected line terminator in regexp" | "unexpected end of regexp" => {
            "Invalid regular expression: missing /"
        }
        "function name expected" => "Function statements require a function name",
        "expecting catch or finally" => "Missing catch or finally after try",
        "lexical declarations can't appear in single-statement context" => {
            "Lexical declaration cannot appear in a single-statement context"
        }
        "line terminator not allowed after throw" => "Illegal newline after throw",
        "rest element must be the last one" => "Rest element must be last element",
        _ => return None,
    })
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches(|c: char| !is_word(c));
    // Behind an initialiser (`let a = 1`) the name stands before the `=`.
    let statement = text.rsplit([';', '\n', '{']).next().unwrap_or(text);
    let declared = ["let ", "const ", "var ", "class ", "function "]
        .iter()
        .filter_map(|keyword| Some(statement.rsplit_once(keyword)?.1.trim_start()))
        .min_by_key(|rest| rest.len());
    match declared {
        Some(rest) => &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())],
        None => &text[text.trim_end_matches(is_word).len()..],
    }
}

/// What stands at a place where something else was expected.
fn found(code: Code<'_>) -> String {
    let after = code.after();
    let word = code.word();
    match after.chars().next() {
        None => "Unexpected end of input".to_owned(),
        Some('"' | '\'') => "Unexpected string".to_owned(),
        Some('`') => "Unexpected template string".to_owned(),
        Some(c) if c.is_ascii_digit() => "Unexpected number".to_owned(),
        Some(_) if !word.is_empty() => unexpected_word(word),
        Some(c) => format!("Unexpected token '{c}'"),
    }
}

fn unexpected_word(word: &str) -> String {
    const KEYWORDS: [&str; 24] = [
        "break",
        "case",
        "catch",
        "continue",
        "default",
        "do",
        "else",
        "extends",
        "finally",
        "for",
        "function",
        "if",
        "in",
        "instanceof",
        "new",
        "return",
        "super",
        "switch",
        "this",
        "throw",
        "try",
        "var",
        "while",
        "with",
    ];
    match word {
        "import" => "Cannot use import statement outside a module".to_owned(),
        "enum" => "Unexpected reserved word".to_owned(),
        word if KEYWORDS.contains(&word) => format!("Unexpected token '{word}'"),
        word => format!("Unexpected identifier '{word}'"),
    }
}

fn unexpected(token: &str) -> String {
    match token {
        "<eof>" | "" => "Unexpected end of input".to_owned(),
        "string" => "Unexpected string".to_owned(),
        "number" => "Unexpected number".to_owned(),
        word if word.starts_with(|c: char| c.is_ascii_digit()) => "Unexpected number".to_owned(),
        word if word.chars().all(is_word) => unexpected_word(word),
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
        let named = |text: &str, line, column| {
            Code::at(text, line, column).and_then(|code| runtime("not a function", Some(code)))
        };
        assert_eq!(
            named("  msg.payload.foo(1, 2)", 1, 15).as_deref(),
            Some("msg.payload.foo is not a function")
        );
        assert_eq!(
            named("msg.payload.map(x => x)", 1, 17).as_deref(),
            Some("msg.payload.map is not a function")
        );
        assert_eq!(
            named("let q = a.x(\n  1,\n 2)", 2, 3).as_deref(),
            Some("a.x is not a function")
        );
        assert_eq!(
            named("a.each(\n  (x) => x\n)", 2, 3).as_deref(),
            Some("a.each is not a function")
        );
        assert_eq!(
            named("a = list\n  .filter(d => d.x)\n  .map(d => 1)", 2, 11).as_deref(),
            Some("list.filter is not a function")
        );
        assert_eq!(
            named("foo()", 1, 1).as_deref(),
            Some("foo is not a function")
        );
        assert_eq!(
            named("a.b().c(2)", 1, 7).as_deref(),
            Some("a.b(...).c is not a function")
        );
    }

    #[test]
    fn syntax_errors_speak_v8() {
        let v8 = |message, text: &str, column| syntax(message, Code::at(text, 1, column));
        assert_eq!(v8("expecting ';'", "a b", 3), "Unexpected identifier 'b'");
        assert_eq!(
            v8("expecting field name", "return msg.;", 12),
            "Unexpected token ';'"
        );
        assert_eq!(
            v8(
                "invalid redefinition of lexical identifier",
                "let a = 1; let a = 2;",
                18
            ),
            "Identifier 'a' has already been declared"
        );
        assert_eq!(
            v8("unexpected token in expression: '}'", "x", 1),
            "Unexpected token '}'"
        );
    }
}
