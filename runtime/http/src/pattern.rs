//! Route patterns as Express 4 has them, which Node-RED's `http in` offers: `/a/:id`, `/a/:id?`, `/files/*`, `/a/:n(\\d+)`
//! without the regular expression's own groups.
//!
//! Source: the documentation of path-to-regexp 0.1. Matching ignores case and a trailing slash, as Express does by default.

/// The values of a match, in the pattern's order.
pub type Params = Vec<(String, String)>;

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError(pub String);

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Text, in lower case.
    Text(String),
    /// `:name`: one or more characters that are no slash. `optional`: with the slash before it, it may be absent.
    Param { name: String, optional: bool },
    /// `*`: anything, slashes too.
    Rest { name: String },
}

/// A parsed route pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    /// Parses a pattern. One without a leading slash gets it.
    ///
    /// # Errors
    /// A colon without a name.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let text = if text.starts_with('/') {
            text.to_owned()
        } else {
            format!("/{text}")
        };
        let trimmed = if text.len() > 1 {
            text.trim_end_matches('/')
        } else {
            &text
        };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = trimmed.chars().peekable();
        let mut stars = 0;
        while let Some(c) = rest.next() {
            match c {
                ':' => {
                    let mut name = String::new();
                    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                        name.push(c);
                    }
                    if name.is_empty() {
                        return Err(PatternError(format!(
                            "the path \"{text}\" has a colon without a name after it"
                        )));
                    }
                    let optional = rest.next_if_eq(&'?').is_some();
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Param { name, optional });
                }
                '*' => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Rest {
                        name: stars.to_string(),
                    });
                    stars += 1;
                }
                c => literal.extend(c.to_lowercase()),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Pattern { parts })
    }

    /// Matches a path (percent-encoded, without the query); the values are percent-decoded.
    pub fn matches(&self, path: &str) -> Option<Params> {
        let path = if path.len() > 1 {
            path.strip_suffix('/').unwrap_or(path)
        } else {
            path
        };
        let mut params = Vec::new();
        match_parts(
            &self.parts,
            if path.is_empty() { "/" } else { path },
            &mut params,
        )
        .then_some(params)
    }
}

fn match_parts(parts: &[Part], path: &str, params: &mut Params) -> bool {
    let Some((part, later)) = parts.split_first() else {
        return path.is_empty();
    };
    match part {
        Part::Text(text) => {
            if let Some(at) = prefix_ignoring_case(path, text)
                && match_parts(later, &path[at..], params)
            {
                return true;
            }
            // "/a/:id?" matches "/a": the slash before an absent parameter goes with it
            let optional_next = matches!(later.first(), Some(Part::Param { optional: true, .. }));
            match text.strip_suffix('/') {
                Some(short) if optional_next => prefix_ignoring_case(path, short)
                    .is_some_and(|at| match_parts(&later[1..], &path[at..], params)),
                _ => false,
            }
        }
        Part::Param { name, optional } => {
            let end = path.find('/').unwrap_or(path.len());
            // Shorter values too, where a text follows within the same segment ("/:a-:b").
            for at in path
                .char_indices()
                .map(|(at, c)| at + c.len_utf8())
                .filter(|at| *at <= end)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
            {
                params.push((name.clone(), percent_decode(&path[..at])));
                if match_parts(later, &path[at..], params) {
                    return true;
                }
                params.pop();
            }
            *optional && match_parts(later, path, params)
        }
        Part::Rest { name } => {
            let ends: Vec<usize> = path
                .char_indices()
                .map(|(at, _)| at)
                .chain([path.len()])
                .collect();
            for at in ends.into_iter().rev() {
                params.push((name.clone(), percent_decode(&path[..at])));
                if match_parts(later, &path[at..], params) {
                    return true;
                }
                params.pop();
            }
            false
        }
    }
}

/// The length of the prefix of `path` that equals `text` (which is in lower case).
fn prefix_ignoring_case(path: &str, text: &str) -> Option<usize> {
    let head = path.get(..text.len())?;
    (head.to_lowercase() == text).then_some(text.len())
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
        Pattern::parse(pattern).ok()?.matches(path)
    }

    fn params(pairs: &[(&str, &str)]) -> Option<Params> {
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
        assert_eq!(matched("/a/:id?", "/a"), params(&[]));
        assert_eq!(matched("/a/:id?", "/a/7"), params(&[("id", "7")]));
        assert_eq!(matched("/:a-:b", "/1-2"), params(&[("a", "1"), ("b", "2")]));
        assert_eq!(
            matched("/files/*", "/files/x/y.z"),
            params(&[("0", "x/y.z")])
        );
        assert_eq!(matched("/a/:id/c", "/a/b/c"), params(&[("id", "b")]));
        assert!(Pattern::parse("/:").is_err());
    }
}
