//! From a file's text to tokens, and what lies between them: comments.

use crate::fault::Fault;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use std::ops::Range;
use vgdc_syntax::codes;

/// How deep brackets may be nested.
pub const MAX_DEPTH: usize = 64;

/// The tokens of a text.
///
/// # Errors
/// The text is not made of Rust's tokens, a bracket has no partner, or brackets are nested too deeply.
pub fn tokens(text: &str) -> Result<TokenStream, Fault> {
    let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
        let fault = |span, message: &str| Fault::error(span, codes::TEXT_SYNTAX, message);
        match unclosed(text) {
            Some((at, open)) => fault(place(text, at), &format!("`{open}` is never closed")),
            None => fault(error.span(), "this is not a token")
                .with_fix("texts stand in double quotes; see docs/flow-text.md"),
        }
    })?;
    match too_deep(stream.clone()) {
        Some(span) => Err(Fault::error(
            span,
            codes::TOO_DEEP,
            format!("brackets are nested more than {MAX_DEPTH} deep"),
        )),
        None => Ok(stream),
    }
}

/// Gives back the memory of all texts that this thread has made tokens of: their spans mean nothing from here on. Never called
/// with a macro's tokens.
pub(crate) fn forget() {
    proc_macro2::extra::invalidate_current_thread_spans();
}

/// A span of one byte of a text that has no tokens: that of a token at the same place in a text of blanks.
fn place(text: &str, at: usize) -> Span {
    let blank = |c: char| {
        if c == '\n' {
            "\n".to_owned()
        } else {
            " ".repeat(c.len_utf8())
        }
    };
    let mut stand_in: String = text[..at].chars().map(blank).collect();
    stand_in.push('#');
    let stream: Result<TokenStream, _> = stand_in.parse();
    let first = stream.ok().and_then(|stream| stream.into_iter().next());
    first.map_or_else(Span::call_site, |token| token.span())
}

fn too_deep(stream: TokenStream) -> Option<Span> {
    let mut open = vec![stream.into_iter()];
    while let Some(last) = open.last_mut() {
        match last.next() {
            None => {
                open.pop();
            }
            Some(TokenTree::Group(group)) => {
                if open.len() > MAX_DEPTH {
                    return Some(group.span_open());
                }
                open.push(group.stream().into_iter());
            }
            Some(_) => {}
        }
    }
    None
}

/// The first bracket, or beginning of a string or comment, that nothing closes.
fn unclosed(text: &str) -> Option<(usize, String)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match skip(text, at) {
            Skip::Over(end) => {
                at = end;
                continue;
            }
            Skip::Unclosed(what) => return Some((at, what.to_owned())),
            Skip::No => {}
        }
        match c {
            '(' | '[' | '{' => open.push((at, c)),
            ')' | ']' | '}' => {
                let (_, was) = open.last()?;
                if !matches!((was, c), ('(', ')') | ('[', ']') | ('{', '}')) {
                    return open.last().map(|(at, c)| (*at, c.to_string()));
                }
                open.pop();
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    open.last().map(|(at, c)| (*at, c.to_string()))
}

enum Skip {
    Over(usize),
    Unclosed(&'static str),
    No,
}

/// What is at a place if it is a comment or a string, and where it ends.
fn skip(text: &str, at: usize) -> Skip {
    let rest = &text[at..];
    if rest.starts_with("//") {
        return Skip::Over(at + rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return match comment_length(rest) {
            Some(length) => Skip::Over(at + length),
            None => Skip::Unclosed("/*"),
        };
    }
    let before = text[..at].chars().next_back();
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with('r') && !in_word {
        let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
        if rest[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            return match rest[start..].find(&end) {
                Some(found) => Skip::Over(at + start + found + end.len()),
                None => Skip::Unclosed("r\""),
            };
        }
    }
    if rest.starts_with('"') {
        let mut chars = rest.char_indices().skip(1);
        while let Some((found, c)) = chars.next() {
            match c {
                '"' => return Skip::Over(at + found + 1),
                '\\' => {
                    chars.next();
                }
                _ => {}
            }
        }
        return Skip::Unclosed("\"");
    }
    Skip::No
}

/// How long the `/* */` is that a text begins with; they may be nested.
fn comment_length(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokKind {
    /// An opening bracket.
    Open(Delimiter),
    /// A closing bracket.
    Close(Delimiter),
    /// A name or word.
    Word,
    /// A text, a number.
    Literal,
    /// A sign; `joint` where the next sign stands right behind it and belongs to it.
    Sign {
        /// Whether the next sign belongs to it.
        joint: bool,
    },
    /// `/// …` or `/** … */`
    Doc,
}

/// A token with its place.
#[derive(Debug, Clone)]
pub struct Tok {
    /// What it is.
    pub kind: TokKind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// All tokens of a text in their order, brackets among them.
pub fn flat(stream: TokenStream, text: &str) -> Vec<Tok> {
    let mut out = Vec::new();
    let mut open: Vec<(proc_macro2::token_stream::IntoIter, Option<Tok>)> =
        vec![(stream.into_iter(), None)];
    let mut docs = 0;
    while let Some((last, _)) = open.last_mut() {
        let Some(token) = last.next() else {
            if let Some((_, Some(close))) = open.pop() {
                out.push(close);
            }
            continue;
        };
        let range = token.span().byte_range();
        if docs > 0 {
            // (what else the lexer makes of a documentation's comment)
            docs -= usize::from(matches!(token, TokenTree::Group(_)));
            continue;
        }
        let kind = match token {
            TokenTree::Group(group) => {
                let (delimiter, end) = (group.delimiter(), range.end);
                let width = usize::from(delimiter != Delimiter::None);
                let close = Tok {
                    kind: TokKind::Close(delimiter),
                    range: end.saturating_sub(width)..end,
                };
                out.push(Tok {
                    kind: TokKind::Open(delimiter),
                    range: range.start..range.start + width,
                });
                open.push((group.stream().into_iter(), Some(close)));
                continue;
            }
            TokenTree::Ident(_) => TokKind::Word,
            TokenTree::Literal(_) => TokKind::Literal,
            TokenTree::Punct(_)
                if text
                    .get(range.clone())
                    .is_some_and(|t| t.starts_with('/') && t.len() > 1) =>
            {
                docs = 1;
                TokKind::Doc
            }
            TokenTree::Punct(sign) => TokKind::Sign {
                joint: sign.spacing() == proc_macro2::Spacing::Joint,
            },
        };
        out.push(Tok { kind, range });
    }
    out
}

/// A comment that is no documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its bytes.
    pub range: Range<usize>,
    /// Whether it goes to the end of its line.
    pub is_line: bool,
    /// How many line breaks are between what stands before it and it.
    pub breaks: usize,
}

/// The comments in a gap between two tokens, and the line breaks behind the last one.
pub fn comments(text: &str, gap: Range<usize>) -> (Vec<Comment>, usize) {
    let (mut out, mut breaks, mut at) = (Vec::new(), 0, gap.start);
    while at < gap.end {
        let rest = &text[at..gap.end];
        let length = if rest.starts_with("//") {
            let line = rest.find('\n').unwrap_or(rest.len());
            rest[..line].trim_end().len()
        } else if rest.starts_with("/*") {
            comment_length(rest).unwrap_or(rest.len())
        } else {
            let c = rest.chars().next().unwrap_or(' ');
            breaks += usize::from(c == '\n');
            at += c.len_utf8();
            continue;
        };
        out.push(Comment {
            range: at..at + length,
            is_line: rest.starts_with("//"),
            breaks,
        });
        breaks = 0;
        at += length;
    }
    (out, breaks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_closed_is_told_where_it_begins() {
        for (text, at, open) in [
            ("flow a { b(", 10, "("),
            ("flow a { b(; }", 10, "("),
            ("let a = \"x;\n", 8, "\""),
            ("é /* /* */", 3, "/*"),
        ] {
            let fault = tokens(text).expect_err(text);
            assert_eq!(fault.span.byte_range().start, at, "{text}");
            assert_eq!(fault.message, format!("`{open}` is never closed"));
        }
        assert_eq!(
            tokens("a ' b").expect_err("no token").message,
            "this is not a token"
        );
        assert!(tokens(&"(".repeat(100_000)).is_err());
        let deep = format!("{}{}", "(".repeat(300), ")".repeat(300));
        assert!(tokens(&deep).expect_err("deep").message.contains("64"));
    }

    #[test]
    fn all_of_a_text_is_tokens_comments_and_blanks() {
        let text = "\u{feff}/// doc é\nlet a = /* x */ b(\"é\", -1..=2); // end\n/** d */ r#\"x\n\"# // last";
        let stream = tokens(text).expect("tokens");
        let (mut at, mut seen) = (3, Vec::new());
        for token in flat(stream, text) {
            let (comments, _) = comments(text, at..token.range.start);
            seen.extend(comments.into_iter().map(|c| text[c.range].to_owned()));
            seen.push(text[token.range.clone()].to_owned());
            at = token.range.end;
        }
        seen.extend(
            comments(text, at..text.len())
                .0
                .into_iter()
                .map(|c| text[c.range].to_owned()),
        );
        let wanted = [
            "/// doc é",
            "let",
            "a",
            "=",
            "/* x */",
            "b",
            "(",
            "\"é\"",
            ",",
            "-",
            "1",
            ".",
            ".",
            "=",
            "2",
            ")",
            ";",
            "// end",
            "/** d */",
            "r#\"x\n\"#",
            "// last",
        ];
        assert_eq!(seen, wanted);
    }
}
