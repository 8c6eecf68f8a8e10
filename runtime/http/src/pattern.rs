//! Route patterns as Express 4 has them, which Node-RED's `http in` offers: `/a/:id`, `/a/:id?`, `/files/*`, `/a/:n(\\d+)`,
//! `/ab?c`.
//!
//! A pattern becomes a regular expression, as path-to-regexp 0.1 makes it: what has a meaning in one keeps it. Matching
//! ignores case and a trailing slash, as Express does by default.

use regress::{Flags, Regex};

/// The values of a match, in the pattern's order; what is optional may be missing.
pub type Params = Vec<(String, Option<String>)>;

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError(pub String);

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

/// What a path is to a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// It fits, with these values.
    Yes(Params),
    /// It would fit, but this value is not percent-encoded as it should be.
    Undecodable(String),
    No,
}

/// A parsed route pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// The names of the groups.
    keys: Vec<String>,
}

impl Pattern {
    /// Parses a pattern. One without a leading slash gets it.
    ///
    /// # Errors
    /// What cannot be a regular expression.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let slash = if text.starts_with('/') { "" } else { "/" };
        let text = format!("{slash}{text}");
        let mut writer = Writer::default();
        writer.pattern(&text);
        let Writer { mut out, keys } = writer;
        out.push_str(if out.ends_with('/') { "?" } else { "/?" });
        let flags = Flags::from("i");
        let regex = Regex::with_flags(&format!("^{out}$"), flags)
            .map_err(|why| PatternError(format!("the path \"{text}\" is no pattern: {why}")))?;
        Ok(Pattern {
            keys: named(&out, keys),
            regex,
        })
    }

    /// Matches a path (percent-encoded, without the query); the values are percent-decoded.
    pub fn matches(&self, path: &str) -> Match {
        let Some(found) = self.regex.find(path) else {
            return Match::No;
        };
        let mut params = Params::new();
        for (at, name) in self.keys.iter().enumerate() {
            let raw = found.group(at + 1).map(|range| &path[range]);
            let value = match raw.map(strictly_decoded) {
                None => None,
                Some(Some(text)) => Some(text),
                Some(None) => return Match::Undecodable(raw.unwrap_or_default().to_owned()),
            };
            // (of one name the last that is there counts)
            match params.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) if value.is_some() => *known = value,
                Some(_) => {}
                None => params.push((name.clone(), value)),
            }
        }
        Match::Yes(params)
    }
}

/// Writes the regular expression of a pattern.
#[derive(Default)]
struct Writer {
    out: String,
    /// Names, and where in the expression their groups stand.
    keys: Vec<(usize, String)>,
}

impl Writer {
    fn pattern(&mut self, text: &str) {
        // (what stands before a name in the same part of the path: a value does not run into it)
        let mut before = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(name) = Name::read(rest) {
                if !name.slash.is_empty() || name.is_format {
                    before.clear();
                }
                self.name(&name, &before);
                before.clear();
                rest = &rest[name.length..];
                continue;
            }
            let escaped = rest.get(..2).filter(|pair| pair.starts_with('\\'));
            let (length, written) = match (c, escaped) {
                (_, Some(pair)) => (2, pair),
                ('.', _) => (1, "\\."),
                ('*', _) => (1, "(.*)"),
                ('/', _) if rest.starts_with("/(") => (2, "/(?:"),
                (c, _) => (c.len_utf8(), &rest[..c.len_utf8()]),
            };
            self.out.push_str(written);
            match c {
                '*' => before.clear(),
                _ if written == "/(?:" => before.push('/'),
                _ => before.push_str(written),
            }
            rest = &rest[length..];
        }
    }

    fn name(&mut self, name: &Name<'_>, before: &str) {
        let format = if name.is_format { "\\." } else { "" };
        let capture = match name.capture {
            Some(own) => with_stars(own),
            None if before.is_empty() => format!("([^/{format}]+?)"),
            None => format!("((?:(?!/|{before}).)+?)"),
        };
        let repeated = match name.star {
            true => format!("((?:[/{format}].+?)?)"),
            false => String::new(),
        };
        let optional = if name.optional { "?" } else { "" };
        let at = self.out.len();
        self.keys.push((at, name.name.to_owned()));
        self.out.push_str(&format!(
            "(?:{format}{}{capture}{repeated}){optional}",
            name.slash
        ));
    }
}

/// `/:name(\d+)*?`, with what may stand around a name.
struct Name<'p> {
    slash: &'p str,
    is_format: bool,
    name: &'p str,
    capture: Option<&'p str>,
    star: bool,
    optional: bool,
    length: usize,
}

impl<'p> Name<'p> {
    fn read(text: &'p str) -> Option<Name<'p>> {
        let mut rest = text;
        let mut take = |part: &str| {
            let after = rest.strip_prefix(part);
            rest = after.unwrap_or(rest);
            after.is_some()
        };
        let slash = if take("/") { "/" } else { "" };
        let is_format = take(".");
        if !take(":") {
            return None;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        rest = after;
        let capture = rest
            .strip_prefix('(')
            .and_then(|inner| inner.find(')'))
            .map(|at| &rest[..at + 2]);
        rest = &rest[capture.map_or(0, str::len)..];
        let mut take = |part: &str| {
            let after = rest.strip_prefix(part);
            rest = after.unwrap_or(rest);
            after.is_some()
        };
        let (star, optional) = (take("*"), take("?"));
        Some(Name {
            slash,
            is_format,
            name,
            capture,
            star,
            optional,
            length: text.len() - rest.len(),
        })
    }
}

/// A group with `*` as it is meant in a pattern.
fn with_stars(capture: &str) -> String {
    let mut out = String::new();
    let mut chars = capture.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(chars.next());
            }
            '*' => out.push_str("(.*)"),
            c => out.push(c),
        }
    }
    out
}

/// The names of all groups of an expression: those without one are counted.
fn named(out: &str, keys: Vec<(usize, String)>) -> Vec<String> {
    let mut keys = keys.into_iter().peekable();
    let mut names = Vec::new();
    let mut count = 0;
    let bytes = out.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'(' if bytes.get(at + 1) != Some(&b'?') => {
                // (a name's group is the first behind the place where the name stood)
                let name = keys.next_if(|(from, _)| *from <= at).map(|(_, name)| name);
                names.push(name.unwrap_or_else(|| {
                    count += 1;
                    (count - 1).to_string()
                }));
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// `decodeURIComponent`: `None` for what is no percent-encoded UTF-8.
fn strictly_decoded(text: &str) -> Option<String> {
    let mut after_percent = text.split('%').skip(1);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !after_percent.all(is_escape) {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.ok().map(|text| text.into_owned())
}

/// A percent-encoded text, decoded; what is not UTF-8 then becomes U+FFFD.
pub fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
        match Pattern::parse(pattern).ok()?.matches(path) {
            Match::Yes(params) => Some(
                params
                    .into_iter()
                    .map(|(name, value)| (name, value.unwrap_or_default()))
                    .collect(),
            ),
            _ => None,
        }
    }

    fn params(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn matches_as_express_does() {
        assert_eq!(matched("/a", "/a"), params(&[]));
        assert_eq!(matched("/a", "/A/"), params(&[]));
        assert_eq!(matched("a", "/a"), params(&[]));
        assert_eq!(matched("/a", "/ab"), None);
        assert_eq!(matched("/", "/"), params(&[]));
        assert_eq!(matched("/a/:id", "/a/x%20y"), params(&[("id", "x y")]));
        assert_eq!(matched("/a/:id", "/a"), None);
        assert_eq!(matched("/a/:id?", "/a"), params(&[("id", "")]));
        assert_eq!(matched("/a/*", "/a/"), params(&[("0", "")]));
        assert_eq!(matched("/n/:n(\\d+)", "/n/12"), params(&[("n", "12")]));
        assert_eq!(matched("/n/:n(\\d+)", "/n/x"), None);
        assert_eq!(matched("/ab+c", "/abbc"), params(&[]));
        assert_eq!(matched("/a(b)?c", "/abc"), params(&[("0", "b")]));
        assert_eq!(matched("/x.y", "/xay"), None);
        assert_eq!(matched("/a/:id?", "/a/7"), params(&[("id", "7")]));
        assert_eq!(matched("/:a-:b", "/1-2"), params(&[("a", "1"), ("b", "2")]));
        assert_eq!(
            matched("/files/*", "/files/x/y.z"),
            params(&[("0", "x/y.z")])
        );
        assert_eq!(matched("/a/:id/c", "/a/b/c"), params(&[("id", "b")]));
        assert!(Pattern::parse("/(").is_err());
        let odd = Pattern::parse("/:a").map(|pattern| pattern.matches("/%zz"));
        assert_eq!(odd, Ok(Match::Undecodable("%zz".to_owned())));
    }
}
