//! What can be told about a body from its text alone, without a parser: enough to choose how to call it.
//!
//! A light scanner skips comments, strings, template texts and regular expressions; where it cannot be sure it errs to the side
//! that is slower and always right.

/// How a body uses `node`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeUse {
    /// Never: no `node` object is made.
    Never,
    /// Only to call its methods, as in `node.send(…)`.
    Methods,
    /// In other ways, such as `const {send} = node`: its methods must work on their own.
    Detached,
}

/// What the scanner found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits {
    /// It may wait: must run as an asynchronous function.
    pub(crate) awaits: bool,
    pub(crate) node: NodeUse,
    /// It calls `node.done()` itself, by Node-RED's own test.
    pub(crate) handles_done: bool,
}

/// Looks at a body.
pub(crate) fn scan(body: &str) -> Traits {
    let code = strip(body);
    Traits {
        awaits: body.contains("await") || body.contains("\\u"),
        node: node_use(body, &code),
        handles_done: calls_done_bare(body) && calls_done(&code),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    text.match_indices(word)
        .map(|(at, found)| (at, at + found.len()))
        .filter(move |&(from, to)| {
            !text[..from].chars().next_back().is_some_and(is_word)
                && !text[to..].chars().next().is_some_and(is_word)
        })
}

fn node_use(body: &str, code: &str) -> NodeUse {
    if words(body, "node").next().is_none()
        && !body.contains("eval")
        && !body.contains("arguments")
        && !body.contains("\\u")
    {
        return NodeUse::Never;
    }
    let template = body.contains('`')
        || body.contains("eval")
        || body.contains("arguments")
        || body.contains("\\u");
    let text = if template { body } else { code };
    let called = |&(_, to): &(usize, usize)| {
        let Some(member) = text[to..].trim_start().strip_prefix('.') else {
            return false;
        };
        let rest = member.trim_start().trim_start_matches(is_word);
        rest.len() < member.trim_start().len() && rest.trim_start().starts_with('(')
    };
    // `x.node` is another thing than `node`.
    let own = |&(from, _): &(usize, usize)| {
        !text[..from].trim_end().ends_with('.') || text[..from].trim_end().ends_with("...")
    };
    if words(text, "node").filter(own).all(|found| called(&found))
        && !body.contains("arguments")
        && !body.contains("eval")
    {
        NodeUse::Methods
    } else {
        NodeUse::Detached
    }
}

/// `node.done()` somewhere in the text, comments included.
fn calls_done_bare(body: &str) -> bool {
    body.match_indices("node.done").any(|(at, found)| {
        let rest = body[at + found.len()..].trim_start();
        rest.strip_prefix('(')
            .is_some_and(|rest| rest.trim_start().starts_with(')'))
    })
}

/// A call of `node.done` with any arguments, in code.
fn calls_done(code: &str) -> bool {
    words(code, "node").any(|(_, to)| {
        let rest = code[to..].trim_start().trim_start_matches('?');
        let Some(rest) = rest.strip_prefix('.').map(str::trim_start) else {
            return false;
        };
        rest.strip_prefix("done")
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

/// The text without comments, strings, template texts and regular expressions (each becomes a space); code inside templates'
/// `${…}` stays.
fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    // Where a template's `${` opened: the depth of braces there.
    let mut templates: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match c {
            '/' if next == Some('/') => {
                at = skip_until(&chars, at, |rest| rest.first() == Some(&'\n'))
            }
            '/' if next == Some('*') => {
                at = skip_until(&chars, at + 2, |rest| rest.starts_with(&['*', '/'])) + 2
            }
            '/' if regex_may_start(&out) => at = skip_regex(&chars, at + 1),
            '"' | '\'' => at = skip_string(&chars, at + 1, c),
            '`' => {
                let (end, code) = skip_template(&chars, at + 1);
                at = end;
                if code {
                    templates.push(depth);
                    depth += 1;
                }
            }
            '}' if templates.last().is_some_and(|&open| open + 1 == depth) => {
                depth -= 1;
                templates.pop();
                let (end, code) = skip_template(&chars, at + 1);
                at = end;
                if code {
                    templates.push(depth);
                    depth += 1;
                }
            }
            _ => {
                match c {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                out.push(c);
                at += 1;
                continue;
            }
        }
        out.push(' ');
    }
    out
}

fn skip_until(chars: &[char], from: usize, end: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len())
        .find(|&at| end(&chars[at..]))
        .unwrap_or(chars.len())
}

fn skip_string(chars: &[char], mut at: usize, quote: char) -> usize {
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            _ if c == quote => return at + 1,
            '\n' => return at,
            _ => at += 1,
        }
    }
    at
}

/// Behind a template's text; true when code follows (`${`).
fn skip_template(chars: &[char], mut at: usize) -> (usize, bool) {
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '`' => return (at + 1, false),
            '$' if chars.get(at + 1) == Some(&'{') => return (at + 2, true),
            _ => at += 1,
        }
    }
    (at, false)
}

fn skip_regex(chars: &[char], mut at: usize) -> usize {
    let mut class = false;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 1,
            '[' => class = true,
            ']' => class = false,
            '/' if !class => return at + 1,
            '\n' => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// After an operator, an opening bracket or a keyword a slash begins a regular expression; after a value it divides.
fn regex_may_start(before: &str) -> bool {
    let before = before.trim_end();
    match before.chars().next_back() {
        None => true,
        Some(c) if is_word(c) => {
            let start = before.trim_end_matches(is_word).len();
            [
                "return", "typeof", "case", "in", "of", "delete", "void", "do", "else",
            ]
            .contains(&&before[start..])
        }
        Some(c) => !matches!(c, ')' | ']' | '}' | '"' | '\'' | '`'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_made_only_where_it_is_used() {
        let node = |body| scan(body).node;
        assert_eq!(node("msg.payload = 1; return msg;"), NodeUse::Never);
        assert_eq!(node("node.send(msg); node . warn ('x')"), NodeUse::Methods);
        assert_eq!(node("// the node\nnode.send(msg)"), NodeUse::Methods);
        assert_eq!(node("const {send} = node;"), NodeUse::Detached);
        assert_eq!(node("setTimeout(node.send, 1, msg)"), NodeUse::Detached);
        assert_eq!(node("msg.id = node.id; return msg"), NodeUse::Detached);
        assert_eq!(node("return {...node}"), NodeUse::Detached);
        assert_eq!(node("`${node}`"), NodeUse::Detached);
        assert_eq!(node("msg.node.send(1)"), NodeUse::Methods);
    }

    #[test]
    fn done_is_found_as_node_red_finds_it() {
        let done = |body| scan(body).handles_done;
        assert!(done("node.done()"));
        assert!(done(
            "setTimeout(() => { node.send(msg); node.done( ); }, 1)"
        ));
        assert!(!done("node.done(err)"));
        assert!(done("if (bad) node.done(err); else node.done()"));
        assert!(!done("// node.done()"));
        assert!(!done("/* node.done() */ let s = 'node.done()';"));
        assert!(done("let u = 'http://x'; node.done()"));
        assert!(done("let r = /\"/; node.done() // \""));
        assert!(done("`${a} text` + node.done()"));
        assert!(done("`${f({a: 1})} '` ; node.done()"));
        assert!(done("let x = a / b; node.done(); let y = c / d"));
    }

    #[test]
    fn waiting_is_found() {
        assert!(scan("await x").awaits);
        assert!(!scan("return msg").awaits);
    }
}
