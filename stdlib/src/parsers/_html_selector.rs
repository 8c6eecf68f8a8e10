//! Reads CSS selectors as cheerio's reader (css-what 6) does, with its extensions and its messages.

/// A selector: what an element must fit, from left to right.
pub type Selector = Vec<Token>;

/// One condition, or a step to other elements.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// Any element.
    Universal,
    /// An element of this name.
    Tag(String),
    /// Something about an attribute.
    Attribute(Attribute),
    /// `:name`, `:name(text)`, or `:name(selectors)`.
    Pseudo(String, Data),
    /// A step.
    Step(Step),
    /// What can be written but not asked for; the message about it.
    Unsupported(&'static str),
}

/// What stands between the parentheses of a pseudo-class.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// There are none.
    None,
    /// Text.
    Text(String),
    /// Selectors.
    Selectors(Vec<Selector>),
}

/// How to get from an element to that of the condition on the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Any element around it.
    Descendant,
    /// The element around it (`>`).
    Child,
    /// An element in it (`<`).
    Parent,
    /// Any sibling before it (`~`).
    Sibling,
    /// The sibling just before it (`+`).
    Adjacent,
}

/// How an attribute's value is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Action {
    Exists,
    Equals,
    /// One of its words.
    Element,
    Start,
    End,
    Any,
    /// Not equal.
    Not,
    /// Equal, or equal up to a hyphen.
    Hyphen,
}

/// A condition on an attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// How it is compared.
    pub action: Action,
    /// With what.
    pub value: String,
    /// Whether case matters; `None` where that depends on the name.
    pub ignore_case: Option<bool>,
}

/// How deep selectors may be nested.
const DEEPEST: usize = 100;

/// Reads a list of selectors.
///
/// # Errors
/// What cannot be read.
pub fn parse(text: &str) -> Result<Vec<Selector>, String> {
    let mut reader = Reader {
        text: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    let selectors = reader.list()?;
    if reader.at < reader.text.len() {
        return Err(format!("Unmatched selector: {}", reader.rest()));
    }
    Ok(selectors)
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || c >= '\u{b0}'
}

/// Escapes taken out: a number of up to six digits, or any character.
fn unescaped(text: &[char]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] != '\\' || at + 1 == text.len() {
            out.push(text[at]);
            at += 1;
            continue;
        }
        at += 1;
        let digits = text[at..]
            .iter()
            .take(6)
            .take_while(|c| c.is_ascii_hexdigit())
            .count();
        if digits == 0 {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let number: String = text[at..at + digits].iter().collect();
        let number = u32::from_str_radix(&number, 16).unwrap_or(0);
        out.push(char::from_u32(number).unwrap_or('\u{fffd}'));
        at += digits;
        at += usize::from(text.get(at).is_some_and(|c| c.is_whitespace()));
    }
    out
}

impl Reader {
    fn peek(&self, offset: usize) -> Option<char> {
        self.text.get(self.at + offset).copied()
    }

    fn rest(&self) -> String {
        self.text[self.at.min(self.text.len())..].iter().collect()
    }

    fn skip(&mut self, offset: usize) {
        self.at += offset;
        while self.peek(0).is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn is_escaped(&self, at: usize) -> bool {
        let slashes = self.text[..at]
            .iter()
            .rev()
            .take_while(|c| **c == '\\')
            .count();
        slashes % 2 == 1
    }

    /// How long a name is here: words and escapes; its first character may be nearly any.
    fn name_length(&self, from: usize) -> Option<usize> {
        let words = |begin: usize| {
            let mut at = begin;
            loop {
                match self.text.get(at) {
                    Some('\\') => {
                        let rest = self.text.get(at + 1..).unwrap_or_default();
                        let digits = rest
                            .iter()
                            .take(6)
                            .take_while(|c| c.is_ascii_hexdigit())
                            .count();
                        match (digits, rest.first()) {
                            (0, None | Some('\n' | '\r')) => break,
                            (0, Some(_)) => at += 2,
                            (digits, _) => {
                                at += 1 + digits;
                                at += usize::from(
                                    self.text.get(at).is_some_and(|c| c.is_whitespace()),
                                );
                            }
                        }
                    }
                    Some(c) if is_word(*c) => at += 1,
                    _ => break,
                }
            }
            at - begin
        };
        let first = self.text.get(from).filter(|c| !matches!(c, '\\' | '#'));
        if first.is_some() {
            let more = words(from + 1);
            if more > 0 {
                return Some(1 + more);
            }
        }
        Some(words(from)).filter(|length| *length > 0)
    }

    fn name(&mut self, offset: usize) -> Result<String, String> {
        let from = self.at + offset;
        let length = self.name_length(from);
        let length = length.ok_or_else(|| format!("Expected name, found {}", self.rest()))?;
        self.at = from + length;
        Ok(unescaped(&self.text[from..from + length]))
    }

    fn in_parentheses(&mut self) -> Result<String, String> {
        self.at += 1;
        let start = self.at;
        let mut open = 1;
        while open > 0 && self.at < self.text.len() {
            match self.text[self.at] {
                '(' if !self.is_escaped(self.at) => open += 1,
                ')' if !self.is_escaped(self.at) => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
        if open > 0 {
            return Err("Parenthesis not matched".to_owned());
        }
        Ok(unescaped(&self.text[start..self.at - 1]))
    }

    fn list(&mut self) -> Result<Vec<Selector>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("Maximum call stack size exceeded".to_owned());
        }
        let mut selectors = Vec::new();
        let mut tokens = Selector::new();
        self.skip(0);
        if self.at == self.text.len() {
            self.depth -= 1;
            return Ok(selectors);
        }
        while let Some(c) = self.peek(0) {
            match c {
                c if is_space(c) => {
                    if tokens.first() != Some(&Token::Step(Step::Descendant)) {
                        not_after_step(&tokens)?;
                        tokens.push(Token::Step(Step::Descendant));
                    }
                    self.skip(1);
                }
                '>' => self.step(&mut tokens, Token::Step(Step::Child), 1)?,
                '<' => self.step(&mut tokens, Token::Step(Step::Parent), 1)?,
                '~' => self.step(&mut tokens, Token::Step(Step::Sibling), 1)?,
                '+' => self.step(&mut tokens, Token::Step(Step::Adjacent), 1)?,
                '.' => {
                    let name = self.name(1)?;
                    tokens.push(special("class", Action::Element, name));
                }
                '#' => {
                    let name = self.name(1)?;
                    tokens.push(special("id", Action::Equals, name));
                }
                '[' => tokens.push(self.attribute()?),
                ':' => tokens.push(self.pseudo()?),
                ',' => {
                    finish(&mut selectors, &mut tokens)?;
                    self.skip(1);
                }
                '/' if self.peek(1) == Some('*') => {
                    let end = (self.at + 2..self.text.len())
                        .find(|at| self.text[*at..].starts_with(&['*', '/']));
                    self.at = end.ok_or("Comment was not terminated")? + 2;
                    if tokens.is_empty() {
                        self.skip(0);
                    }
                }
                '|' if self.peek(1) == Some('|') => {
                    let why = "Column combinators are not yet supported by css-select";
                    self.step(&mut tokens, Token::Unsupported(why), 2)?;
                }
                c => match self.tag(c)? {
                    Some(token) => tokens.push(token),
                    None => break,
                },
            }
        }
        finish(&mut selectors, &mut tokens)?;
        self.depth -= 1;
        Ok(selectors)
    }

    fn step(&mut self, tokens: &mut Selector, step: Token, length: usize) -> Result<(), String> {
        match tokens.last_mut() {
            Some(last @ Token::Step(Step::Descendant)) => *last = step,
            _ => {
                not_after_step(tokens)?;
                tokens.push(step);
            }
        }
        self.skip(length);
        Ok(())
    }

    fn tag(&mut self, c: char) -> Result<Option<Token>, String> {
        let mut name = match c {
            '*' => {
                self.at += 1;
                "*".to_owned()
            }
            '|' => String::new(),
            _ if self.name_length(self.at).is_some() => self.name(0)?,
            _ => return Ok(None),
        };
        let mut space = None;
        if self.peek(0) == Some('|') && self.peek(1) != Some('|') {
            space = Some(name);
            if self.peek(1) == Some('*') {
                name = "*".to_owned();
                self.at += 2;
            } else {
                name = self.name(1)?;
            }
        }
        Ok(Some(match (name.as_str(), space.as_deref()) {
            ("*", None | Some("*")) => Token::Universal,
            ("*", Some(_)) => Token::Unsupported(
                "Namespaced universal selectors are not yet supported by css-select",
            ),
            (_, None) => Token::Tag(name.to_lowercase()),
            (_, Some(_)) => {
                Token::Unsupported("Namespaced tag names are not yet supported by css-select")
            }
        }))
    }

    fn attribute(&mut self) -> Result<Token, String> {
        self.skip(1);
        let mut space = false;
        let mut name;
        if self.peek(0) == Some('|') {
            name = self.name(1)?;
        } else if self.peek(0) == Some('*') && self.peek(1) == Some('|') {
            space = true;
            name = self.name(2)?;
        } else {
            name = self.name(0)?;
            if self.peek(0) == Some('|') && self.peek(1) != Some('=') {
                space = true;
                name = self.name(1)?;
            }
        }
        self.skip(0);
        let action = match self.peek(0) {
            Some('~') => Action::Element,
            Some('^') => Action::Start,
            Some('$') => Action::End,
            Some('*') => Action::Any,
            Some('!') => Action::Not,
            Some('|') => Action::Hyphen,
            Some('=') => Action::Equals,
            _ => Action::Exists,
        };
        let mut value = String::new();
        let mut ignore_case = None;
        if action != Action::Exists {
            let sign = if action == Action::Equals { 0 } else { 1 };
            if self.peek(sign) != Some('=') {
                return Err("Expected `=`".to_owned());
            }
            self.skip(sign + 1);
            value = self.value()?;
            self.skip(0);
            ignore_case = match self.peek(0) {
                Some('s' | 'S') => Some(false),
                Some('i' | 'I') => Some(true),
                _ => None,
            };
            if ignore_case.is_some() {
                self.skip(1);
            }
        }
        if self.peek(0) != Some(']') {
            return Err("Attribute selector didn't terminate".to_owned());
        }
        self.at += 1;
        if space {
            let why = "Namespaced attributes are not yet supported by css-select";
            return Ok(Token::Unsupported(why));
        }
        Ok(Token::Attribute(Attribute {
            name: name.to_lowercase(),
            action,
            value,
            ignore_case,
        }))
    }

    fn value(&mut self) -> Result<String, String> {
        let start = self.at;
        if let Some(quote @ ('"' | '\'')) = self.peek(0) {
            let ends = |at: &usize| self.text[*at] == quote && !self.is_escaped(*at);
            let end = (start + 1..self.text.len()).find(ends);
            let end = end.ok_or("Attribute value didn't end")?;
            self.at = end + 1;
            return Ok(unescaped(&self.text[start + 1..end]));
        }
        while let Some(c) = self.peek(0) {
            if (is_space(c) || c == ']') && !self.is_escaped(self.at) {
                break;
            }
            self.at += 1;
        }
        Ok(unescaped(&self.text[start..self.at]))
    }

    fn pseudo(&mut self) -> Result<Token, String> {
        if self.peek(1) == Some(':') {
            self.name(2)?;
            if self.peek(0) == Some('(') {
                self.in_parentheses()?;
            }
            let why = "Pseudo-elements are not supported by css-select";
            return Ok(Token::Unsupported(why));
        }
        let name = self.name(1)?.to_lowercase();
        if self.peek(0) != Some('(') {
            return Ok(Token::Pseudo(name, Data::None));
        }
        let takes_selectors = matches!(
            name.as_str(),
            "has" | "not" | "matches" | "is" | "where" | "host" | "host-context"
        );
        if !takes_selectors {
            let mut text = self.in_parentheses()?;
            if matches!(name.as_str(), "contains" | "icontains") {
                for quote in ['"', '\''] {
                    let inner = text
                        .strip_prefix(quote)
                        .and_then(|rest| rest.strip_suffix(quote));
                    if let Some(inner) = inner {
                        text = inner.to_owned();
                        break;
                    }
                }
            }
            let text: Vec<char> = text.chars().collect();
            return Ok(Token::Pseudo(name, Data::Text(unescaped(&text))));
        }
        if matches!(self.peek(1), Some('"' | '\'')) {
            return Err(format!("Pseudo-selector {name} cannot be quoted"));
        }
        self.at += 1;
        let selectors = self.list()?;
        if self.peek(0) != Some(')') {
            let all: String = self.text.iter().collect();
            return Err(format!("Missing closing parenthesis in :{name} ({all})"));
        }
        self.at += 1;
        Ok(Token::Pseudo(name, Data::Selectors(selectors)))
    }
}

fn special(name: &str, action: Action, value: String) -> Token {
    Token::Attribute(Attribute {
        name: name.to_owned(),
        action,
        value,
        ignore_case: Some(false),
    })
}

fn not_after_step(tokens: &Selector) -> Result<(), String> {
    match tokens.last() {
        Some(Token::Step(_)) => Err("Did not expect successive traversals.".to_owned()),
        _ => Ok(()),
    }
}

fn finish(selectors: &mut Vec<Selector>, tokens: &mut Selector) -> Result<(), String> {
    if tokens.last() == Some(&Token::Step(Step::Descendant)) {
        tokens.pop();
    }
    if tokens.is_empty() {
        return Err("Empty sub-selector".to_owned());
    }
    selectors.push(std::mem::take(tokens));
    Ok(())
}

/// `an+b` of `:nth-child` and its like.
///
/// # Errors
/// It is none.
pub fn nth(formula: &str) -> Result<(i64, i64), String> {
    let formula = formula.trim().to_lowercase();
    let wrong = || format!("n-th rule couldn't be parsed ('{formula}')");
    match formula.as_str() {
        "even" => return Ok((2, 0)),
        "odd" => return Ok((2, 1)),
        _ => {}
    }
    let sign = |text: &str| match text.as_bytes().first() {
        Some(b'-') => (-1, 1),
        Some(b'+') => (1, 1),
        _ => (1, 0),
    };
    let number = |text: &str| {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        (
            text[..length].parse::<i64>().ok().filter(|n| *n < 1 << 40),
            length,
        )
    };
    let (direction, length) = sign(&formula);
    let rest = &formula[length..];
    let (value, length) = number(rest);
    let rest = &rest[length..];
    let Some(rest) = rest.strip_prefix('n') else {
        return match value {
            Some(value) if rest.is_empty() => Ok((0, direction * value)),
            _ => Err(wrong()),
        };
    };
    let step = direction * value.unwrap_or(1);
    let rest = rest.trim_start_matches(is_space);
    if rest.is_empty() {
        return Ok((step, 0));
    }
    let (direction, length) = sign(rest);
    let rest = rest[length..].trim_start_matches(is_space);
    match number(rest) {
        (Some(value), length) if length == rest.len() => Ok((step, direction * value)),
        _ => Err(wrong()),
    }
}

/// As `parseInt(text, 10)` does it, for positions.
pub fn whole(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let value: i64 = digits[..length].parse().ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}
