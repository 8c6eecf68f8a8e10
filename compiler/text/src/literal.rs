//! Texts in quotes: what they mean, which byte of the token each byte of the value comes from, and how a value is written.
//!
//! A raw string whose first line is empty is a *block*: the indentation that its lines have in common is not part of it, nor
//! are the first line break, and the last one where only blanks follow it.

/// The value of a string token. `None` for what is no string token.
///
/// The map says of the value's byte `at` that it is the token's byte `from`, and that the bytes behind it go on one by one up
/// to the next entry.
pub fn read(token: &str) -> Option<(String, Vec<(u32, u32)>)> {
    if let Some(rest) = token.strip_prefix('r') {
        let hashes = rest.bytes().take_while(|b| *b == b'#').count();
        let inner = rest.get(hashes..)?.strip_prefix('"')?;
        let end = inner.len().checked_sub(hashes + 1)?;
        let inner = inner.get(..end)?;
        return Some(raw(inner, hashes + 2));
    }
    let inner = token.strip_prefix('"')?.strip_suffix('"')?;
    cooked(inner, 1)
}

/// A value that grows, with its map.
#[derive(Default)]
struct Mapped {
    value: String,
    map: Vec<(u32, u32)>,
    /// Where in the token the next byte is expected.
    next: usize,
}

impl Mapped {
    fn push(&mut self, text: &str, from: usize) {
        if self.map.is_empty() || self.next != from {
            self.map.push((self.value.len() as u32, from as u32));
        }
        self.value.push_str(text);
        self.next = from + text.len();
    }

    /// What one escape stands for: the bytes behind it come from elsewhere.
    fn push_char(&mut self, c: char, from: usize) {
        self.map.push((self.value.len() as u32, from as u32));
        self.value.push(c);
        self.next = usize::MAX;
    }

    fn done(mut self, end: usize) -> (String, Vec<(u32, u32)>) {
        self.map.push((self.value.len() as u32, end as u32));
        (self.value, self.map)
    }
}

fn raw(inner: &str, start: usize) -> (String, Vec<(u32, u32)>) {
    let mut out = Mapped::default();
    let end = start + inner.len();
    let first = inner
        .find('\n')
        .filter(|at| inner[..*at].trim_end_matches('\r').is_empty());
    let Some(first) = first else {
        let mut at = start;
        for line in inner.split_inclusive('\n') {
            push_line(&mut out, line, at);
            at += line.len();
        }
        return out.done(end);
    };
    let body = &inner[first + 1..];
    let mut lines: Vec<&str> = body.split_inclusive('\n').collect();
    // (the last line, where only blanks are before the closing quote)
    let closing = match lines.last() {
        Some(last) if !last.ends_with('\n') && last.trim().is_empty() => lines.pop().is_some(),
        _ => body.is_empty() || body.ends_with('\n'),
    };
    let indent = common_indent(lines.iter().copied());
    let mut at = start + first + 1;
    let count = lines.len();
    for (number, line) in lines.into_iter().enumerate() {
        let skip = line
            .bytes()
            .zip(indent.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let mut text = &line[skip..];
        if closing && number + 1 == count {
            text = text.trim_end_matches('\n').trim_end_matches('\r');
        }
        push_line(&mut out, text, at + skip);
        at += line.len();
    }
    out.done(end)
}

/// A line; as everywhere in Rust, its end is one character, however the file writes it.
fn push_line(out: &mut Mapped, line: &str, at: usize) {
    match line.strip_suffix("\r\n") {
        Some(text) => {
            out.push(text, at);
            out.push_char('\n', at + text.len());
        }
        None => out.push(line, at),
    }
}

/// What all lines begin with that are not blank: spaces and tabs.
pub fn common_indent<'a>(lines: impl Iterator<Item = &'a str>) -> &'a str {
    let mut common: Option<&str> = None;
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let own = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        common = Some(match common {
            None => own,
            Some(common) => {
                let same = own
                    .bytes()
                    .zip(common.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                &own[..same]
            }
        });
    }
    common.unwrap_or("")
}

fn cooked(inner: &str, start: usize) -> Option<(String, Vec<(u32, u32)>)> {
    let mut out = Mapped::default();
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let from = start + at;
        if c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n') {
            chars.next();
            out.push_char('\n', from);
            continue;
        }
        if c != '\\' {
            out.push(c.encode_utf8(&mut [0; 4]), from);
            continue;
        }
        let (_, escape) = chars.next()?;
        let c = match escape {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            '\\' | '"' | '\'' => escape,
            'x' => {
                let (high, low) = (chars.next()?.1.to_digit(16)?, chars.next()?.1.to_digit(16)?);
                char::from_u32(high * 16 + low)?
            }
            'u' => {
                let (_, brace) = chars.next()?;
                let mut code = 0u32;
                loop {
                    match chars.next()?.1 {
                        '}' => break,
                        '_' => {}
                        digit => code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?,
                    }
                }
                (brace == '{').then_some(())?;
                char::from_u32(code)?
            }
            // A line that goes on: the break and the blanks after it are not there.
            '\n' | '\r' => {
                while chars
                    .peek()
                    .is_some_and(|(_, c)| matches!(c, ' ' | '\t' | '\n' | '\r'))
                {
                    chars.next();
                }
                continue;
            }
            _ => return None,
        };
        out.push_char(c, from);
    }
    Some(out.done(start + inner.len()))
}

/// A value in quotes, on one line.
pub fn quoted(value: &str) -> String {
    let plain = |c: char| !c.is_control() && !is_invisible(c);
    // (a raw string where escapes would hide what it says)
    let escapes = value.chars().filter(|c| matches!(c, '"' | '\\')).count();
    if escapes > 1 && value.chars().all(plain) {
        return raw_string(value);
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if plain(c) => out.push(c),
            c => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// Characters that nobody sees, or that turn the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn raw_string(inner: &str) -> String {
    let mut hashes = 0;
    for (at, _) in inner.match_indices('"') {
        let after = inner[at + 1..].bytes().take_while(|b| *b == b'#').count();
        hashes = hashes.max(after + 1);
    }
    let hashes = "#".repeat(hashes);
    format!("r{hashes}\"{inner}\"{hashes}")
}

/// A value of several lines as a block, its lines at `indent` and the closing quote at `closing`; `None` where a block cannot
/// say it.
pub fn block(value: &str, indent: &str, closing: &str) -> Option<String> {
    let sayable = value.contains('\n')
        && !value
            .chars()
            .any(|c| c != '\n' && c != '\t' && (c.is_control() || is_invisible(c)))
        && value.lines().any(|line| !line.trim().is_empty())
        && common_indent(value.lines()).is_empty();
    if !sayable {
        return None;
    }
    let mut inner = String::from("\n");
    for line in value.split('\n') {
        if !line.is_empty() {
            inner.push_str(indent);
        }
        inner.push_str(line);
        inner.push('\n');
    }
    inner.push_str(closing);
    let written = raw_string(&inner);
    // A string without quotes in it needs no `#`, but looks more like what it is with one.
    let written = match written.starts_with("r\"") {
        true => format!("r#{}#", &written[1..]),
        false => written,
    };
    (read(&written)?.0 == value).then_some(written)
}

/// Whether a token is a block.
pub fn is_block(token: &str) -> bool {
    let inner = token
        .strip_prefix('r')
        .map(|rest| rest.trim_start_matches('#'));
    let inner = inner.and_then(|inner| inner.strip_prefix('"'));
    inner.is_some_and(|inner| inner.starts_with('\n') || inner.starts_with("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_mean_what_they_mean_in_rust() {
        for (token, value) in [
            (r#""""#, ""),
            (r#""a\n\t\"\\\u{e9}\x41""#, "a\n\t\"\\é\u{41}"),
            ("\"a\\\n    b\"", "ab"),
            ("\"a\r\nb\"", "a\nb"),
            ("r\"a\\n\"", "a\\n"),
            ("r##\"a\"#b\"##", "a\"#b"),
            ("r\"\n  a\n    b\n  \"", "a\n  b"),
            ("r\"\n  a\n\n  b\n\n  \"", "a\n\nb\n"),
            ("r\"\r\n  a\r\n  b\r\n\"", "a\nb"),
            ("r\"\n  a\n  b\"", "a\nb"),
            ("r\" \n  a\"", " \n  a"),
            ("r\"\n\"", ""),
            ("r\"\n\n\"", ""),
        ] {
            assert_eq!(
                read(token).map(|(value, _)| value).as_deref(),
                Some(value),
                "{token:?}"
            );
        }
        for wrong in ["5", "'a'", "b\"a\"", "c\"a\"", "\"\\q\"", "r", "\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_byte_knows_where_it_comes_from() {
        let token = "r#\"\n    ab\n      cd\n  \"#";
        let (value, map) = read(token).expect("a string");
        assert_eq!(value, "ab\n  cd");
        for (at, c) in value.char_indices() {
            let (of, from) = map
                .iter()
                .rev()
                .find(|(of, _)| *of as usize <= at)
                .expect("an entry");
            let from = *from as usize + at - *of as usize;
            assert_eq!(token[from..].chars().next(), Some(c), "{at}");
        }
    }

    #[test]
    fn values_are_written_as_they_are_read() {
        for value in [
            "",
            "a",
            "a\"b\"c\\",
            "\r\n",
            "\u{7}\u{200b}",
            "a\nb\n",
            "\n\na\n  b\n\n",
            "  a\n b",
            "\"#\n\"##\n",
            "a\n   \n",
        ] {
            assert_eq!(read(&quoted(value)).expect("a string").0, value);
            if let Some(block) = block(value, "    ", "  ") {
                assert_eq!(read(&block).expect("a string").0, value, "{block}");
            }
        }
        assert!(block("a\nb", "    ", "").is_some());
        assert!(
            block("  a\n  b", "    ", "").is_none(),
            "its indentation would be lost"
        );
    }
}
