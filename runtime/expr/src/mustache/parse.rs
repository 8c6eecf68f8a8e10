//! From a template's text to its parts.

use super::{Name, Part, Template};
use crate::{ExprError, error};

#[derive(Debug)]
enum Token {
    Text(String),
    Value {
        name: String,
        raw: bool,
    },
    Open {
        name: String,
        inverted: bool,
    },
    Close {
        name: String,
        at: usize,
    },
    /// A comment, a partial, a change of delimiters: prints nothing.
    Silent,
}

pub(super) fn template(text: &str) -> Result<Template, ExprError> {
    let scanned = scan(text)?;
    let parts = nest(standalone(scanned.tokens), text)?;
    let text_len = length(&parts);
    Ok(Template {
        parts,
        text_len,
        has_partials: scanned.has_partials,
    })
}

fn length(parts: &[Part]) -> usize {
    let own = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Value { .. } => 0,
        Part::Section { parts, .. } => length(parts),
    };
    parts.iter().map(own).sum()
}

/// A section that is not closed yet, and the parts before it.
struct Open {
    name: String,
    inverted: bool,
    before: Vec<Part>,
}

fn nest(tokens: Vec<Token>, text: &str) -> Result<Vec<Part>, ExprError> {
    let mut open: Vec<Open> = Vec::new();
    let mut parts = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => match parts.last_mut() {
                Some(Part::Text(last)) => last.push_str(&text),
                _ => parts.push(Part::Text(text)),
            },
            Token::Value { name, raw } => parts.push(Part::Value {
                name: Name::new(name),
                raw,
            }),
            Token::Open { name, inverted } => open.push(Open {
                name,
                inverted,
                before: std::mem::take(&mut parts),
            }),
            Token::Close { name, at } => {
                let section = open
                    .pop()
                    .ok_or_else(|| error(format!("Unopened section \"{name}\" at {at}")))?;
                if section.name != name {
                    return Err(error(format!(
                        "Unclosed section \"{}\" at {at}",
                        section.name
                    )));
                }
                let inner = std::mem::replace(&mut parts, section.before);
                parts.push(Part::Section {
                    name: Name::new(section.name),
                    inverted: section.inverted,
                    parts: inner,
                });
            }
            Token::Silent => {}
        }
    }
    match open.pop() {
        Some(section) => Err(error(format!(
            "Unclosed section \"{}\" at {}",
            section.name,
            units(text)
        ))),
        None => Ok(parts),
    }
}

/// A text's length in JavaScript.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

struct Scanned {
    tokens: Vec<Token>,
    has_partials: bool,
}

fn scan(text: &str) -> Result<Scanned, ExprError> {
    let (mut open, mut close) = ("{{".to_owned(), "}}".to_owned());
    let mut tokens = Vec::new();
    let mut has_partials = false;
    let mut at = 0;
    while at < text.len() {
        let Some(found) = text[at..].find(&open) else {
            tokens.push(Token::Text(text[at..].to_owned()));
            break;
        };
        if found > 0 {
            tokens.push(Token::Text(text[at..at + found].to_owned()));
        }
        let start = at + found;
        let inner = &text[start + open.len()..];
        let trimmed = inner.trim_start();
        let kind = trimmed
            .chars()
            .next()
            .filter(|c| matches!(c, '#' | '^' | '/' | '>' | '{' | '&' | '=' | '!'));
        let body_at = text.len() - trimmed.len() + usize::from(kind.is_some());
        let unclosed = || error(format!("Unclosed tag at {}", units(text)));
        let (body, end) = body(&text[body_at..], kind, &close).ok_or_else(unclosed)?;
        at = body_at + end;
        let name = body.to_owned();
        tokens.push(match kind {
            Some('#') => Token::Open {
                name,
                inverted: false,
            },
            Some('^') => Token::Open {
                name,
                inverted: true,
            },
            Some('/') => Token::Close {
                name,
                at: units(&text[..start]),
            },
            Some('{' | '&') => Token::Value { name, raw: true },
            None => Token::Value { name, raw: false },
            Some('=') => {
                let mut tags = body.split_whitespace();
                match (tags.next(), tags.next()) {
                    (Some(first), Some(second)) => {
                        (open, close) = (first.to_owned(), second.to_owned())
                    }
                    _ => return Err(error(format!("Invalid tags: {body}"))),
                }
                Token::Silent
            }
            Some(other) => {
                has_partials |= other == '>';
                Token::Silent
            }
        });
    }
    Ok(Scanned {
        tokens,
        has_partials,
    })
}

/// What is in a tag, and where in the text the tag ends.
fn body<'t>(text: &'t str, kind: Option<char>, close: &str) -> Option<(&'t str, usize)> {
    // `{{{name}}}` and `{{=a b=}}` have a sign of their own before the closing delimiter.
    let (body_end, sign) = match kind {
        Some('{') => (text.find(&format!("}}{close}"))?, 1),
        Some('=') => (text.find('=')?, 1),
        _ => (text.find(close)?, 0),
    };
    let after = body_end + sign;
    let end = after + text[after..].find(close)? + close.len();
    Some((text[..body_end].trim(), end))
}

/// A line that holds nothing but white space and tags that print nothing is taken away whole, with its end.
fn standalone(tokens: Vec<Token>) -> Vec<Token> {
    // Cut texts into lines, so that a line is a run of tokens.
    let mut pieces = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => pieces.extend(
                text.split_inclusive('\n')
                    .map(|line| Token::Text(line.to_owned())),
            ),
            other => pieces.push(other),
        }
    }
    let mut out = Vec::new();
    let mut line = Vec::new();
    let mut end_line = |line: &mut Vec<Token>| {
        let has_tag = line.iter().any(|token| !matches!(token, Token::Text(_)));
        let prints = line.iter().any(|token| match token {
            Token::Text(text) => !text.trim().is_empty(),
            token => matches!(token, Token::Value { .. }),
        });
        let strip = has_tag && !prints;
        out.extend(
            line.drain(..)
                .filter(|token| !(strip && matches!(token, Token::Text(_)))),
        );
    };
    for piece in pieces {
        let ends = matches!(&piece, Token::Text(text) if text.ends_with('\n'));
        line.push(piece);
        if ends {
            end_line(&mut line);
        }
    }
    end_line(&mut line);
    out
}
