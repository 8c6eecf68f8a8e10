//! The layout of a text: the same tokens and comments in the same order, with other blanks and line breaks between them.
//!
//! A block ([`crate::literal`]) is moved to where the text around it is, which changes nothing of what it means.
//!
//! The layout hangs on the tokens, on the comments and on where the text has empty lines between statements, and on nothing
//! else; so laying out what was laid out changes nothing.

use crate::fault::Fault;
use crate::lex::{self, Comment, Tok, TokKind};
use crate::{literal, parse};
use proc_macro2::Delimiter;

/// How long a line may become, in characters.
const WIDTH: usize = 100;

/// How far what is inside is moved to the right.
const INDENT: usize = 4;

/// Lays out a text.
///
/// # Errors
/// The text does not follow the grammar.
pub fn format(text: &str) -> Result<String, Vec<Fault>> {
    let tokens = lex::tokens(text).map_err(|fault| vec![fault])?;
    let (_, faults) = parse::parse(tokens.clone());
    match faults.is_empty() {
        true => {
            let laid_out = laid_out(text, lex::flat(tokens, text));
            lex::forget();
            Ok(laid_out)
        }
        false => Err(faults),
    }
}

/// The same for a text that was made and not written by hand.
pub(crate) fn format_made(text: &str) -> Option<String> {
    let tokens = lex::tokens(text).ok()?;
    Some(laid_out(text, lex::flat(tokens, text)))
}

fn laid_out(text: &str, toks: Vec<Tok>) -> String {
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let ends = toks
        .iter()
        .map(|tok| tok.range.clone())
        .chain(std::iter::once(text.len()..text.len()));
    let mut gaps = Vec::with_capacity(toks.len() + 1);
    for range in ends {
        let (comments, breaks) = lex::comments(text, at..range.start.max(at));
        gaps.push(Gap { comments, breaks });
        at = range.end;
    }
    let mut printer = Printer {
        text,
        toks: &toks,
        gaps: &gaps,
        out: String::new(),
        previous: None,
        done: None,
    };
    let (nodes, _) = tree(&toks, 0);
    printer.statements(&nodes, 0, true);
    printer.behind(toks.len(), 0);
    let mut out = printer.out;
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    if !is_same(text, &toks, &out) {
        return text.to_owned();
    }
    out
}

/// Whether two texts have the same tokens.
fn is_same(text: &str, toks: &[Tok], other: &str) -> bool {
    let Ok(tokens) = lex::tokens(other) else {
        return false;
    };
    let others = lex::flat(tokens, other);
    let words = |text: &str, toks: &[Tok]| -> Vec<String> {
        toks.iter()
            .map(|tok| meaning(&text[tok.range.clone()]))
            .collect()
    };
    words(text, toks) == words(other, &others)
}

/// What a token says: of a block its value.
fn meaning(token: &str) -> String {
    match literal::read(token).filter(|_| literal::is_block(token)) {
        Some((value, _)) => value,
        None => token.trim_end().to_owned(),
    }
}

/// What is between a token and the one before it.
struct Gap {
    comments: Vec<Comment>,
    /// Line breaks behind the last comment.
    breaks: usize,
}

/// Tokens, brackets with what is in them.
enum Node {
    Tok(usize),
    Group(usize, Vec<Node>, usize),
}

impl Node {
    fn first(&self) -> usize {
        match self {
            Node::Tok(at) | Node::Group(at, ..) => *at,
        }
    }
}

fn tree(toks: &[Tok], start: usize) -> (Vec<Node>, usize) {
    let (mut nodes, mut at) = (Vec::new(), start);
    while let Some(tok) = toks.get(at) {
        match tok.kind {
            TokKind::Close(_) => return (nodes, at),
            TokKind::Open(_) => {
                let (kids, close) = tree(toks, at + 1);
                nodes.push(Node::Group(at, kids, close));
                at = close;
            }
            _ => nodes.push(Node::Tok(at)),
        }
        at += 1;
    }
    (nodes, at)
}

struct Printer<'t> {
    text: &'t str,
    toks: &'t [Tok],
    gaps: &'t [Gap],
    out: String,
    /// The token that was written last on this line.
    previous: Option<usize>,
    /// The token whose comments are written already.
    done: Option<usize>,
}

impl Printer<'_> {
    fn word(&self, at: usize) -> &str {
        self.toks
            .get(at)
            .and_then(|tok| self.text.get(tok.range.clone()))
            .unwrap_or("")
    }

    fn kind(&self, at: usize) -> Option<TokKind> {
        self.toks.get(at).map(|tok| tok.kind)
    }

    fn column(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[line..].chars().count()
    }

    fn line(&mut self, indent: usize) {
        self.out
            .truncate(self.out.trim_end_matches([' ', '\t']).len());
        self.out.push('\n');
        self.out.push_str(&" ".repeat(indent));
        self.previous = None;
    }

    /// Comments before something that begins a line; those on the line of what is before stay there.
    fn before(&mut self, at: usize, indent: usize, is_first: bool) {
        let Some(gap) = self.gaps.get(at) else { return };
        let mut first = is_first;
        for comment in &gap.comments {
            if comment.breaks == 0 && !self.out.is_empty() {
                self.out.push(' ');
            } else if !self.out.is_empty() {
                if comment.breaks > 1 && !first {
                    self.line(0);
                }
                self.line(indent);
            }
            self.out.push_str(&self.text[comment.range.clone()]);
            first = false;
        }
        if !self.out.is_empty() {
            if gap.breaks > 1 && !first {
                self.line(0);
            }
            self.line(indent);
        }
        self.done = Some(at);
    }

    /// Comments at the end of a block or list, before what closes it.
    fn behind(&mut self, at: usize, indent: usize) {
        let Some(gap) = self.gaps.get(at) else { return };
        for (number, comment) in gap.comments.iter().enumerate() {
            if comment.breaks == 0 && !self.out.is_empty() {
                self.out.push(' ');
            } else if !self.out.is_empty() {
                if comment.breaks > 1 && (number > 0 || !self.out.ends_with(['{', '(', '['])) {
                    self.line(0);
                }
                self.line(indent);
            }
            self.out.push_str(&self.text[comment.range.clone()]);
        }
        self.done = Some(at);
    }

    fn statements(&mut self, nodes: &[Node], indent: usize, is_file: bool) {
        let mut rest = nodes;
        let mut is_first = true;
        while let Some(start) = rest.first() {
            let length = self.statement_length(rest);
            let (statement, more) = rest.split_at(length);
            if is_file
                && is_first
                && self
                    .gaps
                    .get(start.first())
                    .is_some_and(|gap| gap.comments.is_empty())
            {
                self.done = Some(start.first());
            } else {
                self.before(start.first(), indent, is_first);
            }
            self.statement(statement, indent);
            rest = more;
            is_first = false;
        }
    }

    /// Whether a statement is a flow, subflow or group, from behind its attributes on.
    fn is_header(&self, nodes: &[Node]) -> bool {
        let keyword = matches!(nodes.first(), Some(Node::Tok(at)) if matches!(self.word(*at), "flow" | "subflow" | "group"));
        keyword
            && match nodes.get(1) {
                Some(Node::Tok(at)) => {
                    matches!(self.kind(*at), Some(TokKind::Word | TokKind::Literal))
                }
                Some(Node::Group(at, ..)) => {
                    !matches!(self.kind(*at), Some(TokKind::Open(Delimiter::Bracket)))
                }
                None => false,
            }
    }

    fn statement_length(&self, nodes: &[Node]) -> usize {
        let is_header = self.is_header(nodes.get(self.attributes(nodes)..).unwrap_or(&[]));
        for (at, node) in nodes.iter().enumerate() {
            let is_end = |node: Option<&Node>| matches!(node, Some(Node::Tok(tok)) if self.word(*tok) == ";");
            match node {
                _ if is_end(Some(node)) => return at + 1,
                Node::Group(open, ..) if is_header && self.word(*open) == "{" => {
                    return at + 1 + usize::from(is_end(nodes.get(at + 1)));
                }
                _ => {}
            }
        }
        nodes.len()
    }

    /// How many nodes the attributes and documentation before a statement are.
    fn attributes(&self, nodes: &[Node]) -> usize {
        let mut at = 0;
        loop {
            match (nodes.get(at), nodes.get(at + 1)) {
                (Some(Node::Tok(tok)), _) if self.kind(*tok) == Some(TokKind::Doc) => at += 1,
                (Some(Node::Tok(tok)), Some(Node::Group(..))) if self.word(*tok) == "#" => at += 2,
                _ => return at,
            }
        }
    }

    fn statement(&mut self, nodes: &[Node], indent: usize) {
        let attributes = self.attributes(nodes);
        let (before, rest) = nodes.split_at(attributes);
        let mut at = 0;
        while let Some(node) = before.get(at) {
            let is_doc = self.kind(node.first()) == Some(TokKind::Doc);
            let length = if is_doc { 1 } else { 2 };
            self.plain(before.get(at..at + length).unwrap_or(&[]), indent);
            at += length;
            let next_is_attribute = before
                .get(at)
                .is_some_and(|node| self.kind(node.first()) != Some(TokKind::Doc));
            match !is_doc && next_is_attribute {
                true => {
                    self.out.push(' ');
                    self.previous = None;
                }
                false => {
                    if let Some(next) = before.get(at).or(rest.first()) {
                        self.break_before(next.first(), indent);
                    }
                }
            }
        }
        if !self.is_header(rest) {
            self.sequence(rest, indent, 0);
            return;
        }
        for node in rest {
            match node {
                Node::Group(open, kids, close) if self.word(*open) == "{" => {
                    self.tok(*open, indent);
                    self.statements(kids, indent + INDENT, false);
                    self.behind(*close, indent + INDENT);
                    if !self.out.ends_with('{') {
                        self.line(indent);
                    }
                    self.tok(*close, indent);
                }
                Node::Group(open, ..) => {
                    // (the variables stand apart from the name)
                    self.comments(*open, indent);
                    if !self.out.ends_with(' ') {
                        self.out.push(' ');
                    }
                    self.previous = None;
                    self.group(node, indent);
                }
                Node::Tok(at) => self.tok(*at, indent),
            }
        }
    }

    /// A new line before a token, with the comments before it.
    fn break_before(&mut self, at: usize, indent: usize) {
        let Some(gap) = self.gaps.get(at) else { return };
        for comment in &gap.comments {
            if comment.breaks == 0 {
                self.out.push(' ');
            } else {
                self.line(indent);
            }
            self.out.push_str(&self.text[comment.range.clone()]);
        }
        // (documentation has ended its line already)
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        if line == 0 || !self.out[line..].trim().is_empty() {
            self.line(indent);
        }
        self.done = Some(at);
    }

    /// Tokens on one line, whatever its length.
    fn plain(&mut self, nodes: &[Node], indent: usize) {
        for node in nodes {
            match node {
                Node::Tok(at) => self.tok(*at, indent),
                Node::Group(open, kids, close) => {
                    self.tok(*open, indent);
                    self.plain(kids, indent);
                    self.tok(*close, indent);
                }
            }
        }
    }

    /// The same, tried out: `None` where something must have lines of its own.
    fn flat(&self, nodes: &[Node], skip: Option<usize>) -> Option<String> {
        let mut trial = Printer {
            text: self.text,
            toks: self.toks,
            gaps: self.gaps,
            out: String::new(),
            previous: None,
            done: skip,
        };
        trial.plain(nodes, 0);
        (!trial.out.contains('\n')).then_some(trial.out)
    }

    fn fits(&self, nodes: &[Node], more: usize) -> bool {
        let first = nodes.first().map(Node::first);
        let skip = self.done.filter(|done| Some(*done) == first);
        self.flat(nodes, skip)
            .is_some_and(|flat| self.column() + flat.chars().count() + more <= WIDTH)
    }

    /// A statement, an element of a list: on one line if it fits, else its arrows or brackets begin new ones. The first `kept`
    /// arrows are not those of a chain.
    fn sequence(&mut self, nodes: &[Node], indent: usize, kept: usize) {
        if self.fits(nodes, 0) {
            self.plain(nodes, indent);
            return;
        }
        let is_sign = |at: usize, sign: &str| matches!(nodes.get(at), Some(Node::Tok(tok)) if self.word(*tok) == sign);
        let arrows: Vec<usize> = (1..nodes.len())
            .filter(|at| is_sign(*at, "-") && is_sign(at + 1, ">"))
            .skip(kept)
            .collect();
        // (one arrow alone can stay, if what leads there does)
        let breaks = match arrows.as_slice() {
            [] => false,
            [one] => !self.has_room(nodes.get(*one..).unwrap_or(&[]), nodes.get(..*one)),
            _ => true,
        };
        let inner = if breaks { indent + INDENT } else { indent };
        for (at, node) in nodes.iter().enumerate() {
            if breaks && arrows.contains(&at) {
                self.comments(node.first(), inner);
                self.line(inner);
            }
            match node {
                Node::Tok(tok) => self.tok(*tok, indent + INDENT),
                Node::Group(..) => {
                    // (a place is never broken)
                    let before = at.checked_sub(1).and_then(|at| nodes.get(at));
                    match before {
                        Some(Node::Tok(tok)) if self.word(*tok) == "at" => {
                            self.plain(std::slice::from_ref(node), inner)
                        }
                        _ => self.group(node, inner),
                    }
                }
            }
        }
    }

    /// Whether what begins with an arrow can stay on the line of what is before it: all of it, or up to its first bracket.
    fn has_room(&self, part: &[Node], before: Option<&[Node]>) -> bool {
        let Some(before) = before.and_then(|before| self.flat(before, None)) else {
            return true;
        };
        let is_group = |node: &Node| matches!(node, Node::Group(..));
        let head = part.iter().position(is_group);
        let flat = self.flat(part.get(..head.unwrap_or(part.len())).unwrap_or(&[]), None);
        let more = if head.is_some() { 20 } else { 1 };
        flat.is_some_and(|flat| {
            self.column() + before.chars().count() + flat.chars().count() + more <= WIDTH
        })
    }

    fn group(&mut self, node: &Node, indent: usize) {
        let Node::Group(open, kids, close) = node else {
            return;
        };
        if self.fits(std::slice::from_ref(node), 1) {
            self.plain(std::slice::from_ref(node), indent);
            return;
        }
        let elements = self.elements(kids);
        // (the first arrow of an arm is that of its output)
        let kept = usize::from(self.word(*open) == "{");
        if self.hugs(node, &elements) {
            self.tok(*open, indent);
            for element in elements {
                self.sequence(element, indent, kept);
            }
            self.tok(*close, indent);
            return;
        }
        self.tok(*open, indent);
        let mut is_first = true;
        for element in elements {
            let Some(first) = element.first() else {
                continue;
            };
            self.before_element(first.first(), indent + INDENT);
            self.element(element, indent + INDENT, kept);
            is_first = false;
        }
        self.behind(*close, indent + INDENT);
        if !is_first || !self.out.ends_with(['(', '[', '{']) {
            self.line(indent);
        }
        self.tok(*close, indent);
    }

    /// Whether what is in brackets can begin on the line of the opening one and end on that of the closing one: the last part is
    /// a text of several lines, or the only part is in brackets itself.
    fn hugs(&self, node: &Node, elements: &[&[Node]]) -> bool {
        let Node::Group(open, kids, close) = node else {
            return false;
        };
        let has_comments = |at: usize| {
            self.gaps
                .get(at)
                .is_some_and(|gap| !gap.comments.is_empty())
        };
        if has_comments(*close) {
            return false;
        }
        match (kids.last(), elements) {
            (Some(Node::Tok(literal)), _) if self.word(*literal).contains('\n') => {
                let before = kids.split_last().map_or(&[][..], |(_, before)| before);
                let is_flat = before.is_empty() && !has_comments(*literal)
                    || self.flat(before, None).is_some();
                let length = self
                    .flat(before, None)
                    .map_or(0, |flat| flat.chars().count());
                let room = self.column() + self.word(*open).len() + length + 6;
                is_flat && !has_comments(*literal) && room <= WIDTH
            }
            (Some(group @ Node::Group(..)), [one]) => {
                one.len() == 1 && !has_comments(group.first())
            }
            _ => false,
        }
    }

    fn element(&mut self, element: &[Node], indent: usize, kept: usize) {
        let docs = element
            .iter()
            .take_while(|node| self.kind(node.first()) == Some(TokKind::Doc))
            .count();
        let (docs, rest) = element.split_at(docs);
        self.plain(docs, indent);
        self.sequence(rest, indent, kept);
    }

    fn before_element(&mut self, at: usize, indent: usize) {
        self.break_before(at, indent);
    }

    /// Parts with commas between, each with the comma behind it.
    fn elements<'n>(&self, kids: &'n [Node]) -> Vec<&'n [Node]> {
        let is_comma = |node: &Node| matches!(node, Node::Tok(tok) if self.word(*tok) == ",");
        kids.split_inclusive(is_comma).collect()
    }

    /// The comments before a token in the middle of a line.
    fn comments(&mut self, at: usize, indent: usize) {
        if self.done == Some(at) {
            return;
        }
        self.done = Some(at);
        let Some(gap) = self.gaps.get(at) else { return };
        for comment in &gap.comments {
            if self.previous.is_some() && !self.out.ends_with([' ', '\n', '(', '[']) {
                self.out.push(' ');
            }
            self.out.push_str(&self.text[comment.range.clone()]);
            match comment.is_line {
                true => self.line(indent),
                false => {
                    self.out.push(' ');
                    self.previous = None;
                }
            }
        }
    }

    fn tok(&mut self, at: usize, indent: usize) {
        self.comments(at, indent);
        if let Some(previous) = self.previous
            && self.is_space(previous, at)
        {
            self.out.push(' ');
        }
        let word = self.word(at).to_owned();
        let moved = match self.kind(at) == Some(TokKind::Literal) && literal::is_block(&word) {
            true => literal::read(&word).and_then(|(value, _)| {
                let line = self.out.rfind('\n').map_or(0, |at| at + 1);
                let own = self.out[line..].len() - self.out[line..].trim_start().len();
                literal::block(&value, &" ".repeat(own + INDENT), &" ".repeat(own))
            }),
            false => None,
        };
        match self.kind(at) {
            Some(TokKind::Doc) => {
                self.out.push_str(word.trim_end());
                self.previous = Some(at);
                // (the end of the line ends it; the next token begins a line in any case)
                if !self.out.ends_with("*/") {
                    self.line(indent);
                }
            }
            _ => {
                self.out.push_str(moved.as_deref().unwrap_or(&word));
                self.previous = Some(at);
            }
        }
    }

    /// Whether there is a blank between two tokens on one line.
    fn is_space(&self, left: usize, right: usize) -> bool {
        let (l, r) = (self.word(left), self.word(right));
        let (left, right) = (self.kind(left), self.kind(right));
        let (Some(left), Some(right)) = (left, right) else {
            return false;
        };
        let is_word = |kind| matches!(kind, TokKind::Word | TokKind::Literal | TokKind::Close(_));
        match (left, right) {
            (TokKind::Sign { joint: true }, TokKind::Sign { .. }) if is_operator(l, r) => false,
            (TokKind::Open(Delimiter::Brace), TokKind::Close(_)) => false,
            (TokKind::Open(Delimiter::Brace), _) | (_, TokKind::Close(Delimiter::Brace)) => true,
            (TokKind::Open(_), _) | (_, TokKind::Close(_)) => false,
            (_, TokKind::Sign { .. }) if matches!(r, "," | ";" | ":") => false,
            (TokKind::Literal, TokKind::Sign { joint }) if r == "." => {
                !joint && !l.ends_with('"') && !l.ends_with('#')
            }
            (_, TokKind::Sign { .. }) if r == "." => false,
            (TokKind::Sign { .. }, _) if matches!(l, "." | "@" | "#" | "!") => false,
            // (`..=` is glued to what is around it)
            (TokKind::Sign { .. }, _) if l == "=" && self.out.ends_with("..=") => false,
            (TokKind::Sign { .. }, TokKind::Literal) if l == "-" => false,
            (TokKind::Sign { .. }, _) if l == ":" && self.out.ends_with("::") => false,
            (TokKind::Sign { joint: true }, TokKind::Word) if l == "'" => false,
            (kind, TokKind::Open(Delimiter::Parenthesis)) if is_word(kind) => {
                l == "at" || !matches!(kind, TokKind::Word | TokKind::Literal)
            }
            (kind, TokKind::Open(Delimiter::Bracket)) if is_word(kind) => false,
            _ => true,
        }
    }
}

/// Whether two signs that stand side by side are one.
fn is_operator(left: &str, right: &str) -> bool {
    matches!(
        (left, right),
        ("-" | "=", ">")
            | ("." | "<" | ">" | "!" | "=", "=")
            | (".", ".")
            | (":", ":")
            | ("&", "&")
            | ("|", "|")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = format(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
        assert_eq!(
            format(&once).expect("it is still a text"),
            once,
            "once more changes nothing"
        );
        once
    }

    #[test]
    fn statements_are_laid_out() {
        for (text, wanted) in [
            ("", ""),
            (
                "let a=b( x=1,y=-2 )at(1,2);",
                "let a = b(x = 1, y = -2) at (1, 2);\n",
            ),
            ("flow a{}", "flow a {}\n"),
            (
                "flow a\"A\"(x=1){b->c;}",
                "flow a \"A\" (x = 1) {\n    b -> c;\n}\n",
            ),
            (
                "flow a{a->(b,c->d)->e . 1;}",
                "flow a {\n    a -> (b, c -> d) -> e.1;\n}\n",
            ),
            (
                "flow a{a{>30->b,10 ..= 20->c,else->()};}",
                "flow a {\n    a { > 30 -> b, 10..=20 -> c, else -> () };\n}\n",
            ),
            (
                "flow a{a->b(msg . payload>= 3,!=msg.a[ 0 ][\"x\"],index 1 .. 2,\"q\" = {a:1,b:[1,{}]});}",
                "flow a {\n    a -> b(msg.payload >= 3, != msg.a[0][\"x\"], index 1..2, \"q\" = { a: 1, b: [1, {}] });\n}\n",
            ),
            (
                "/// d\n#[id=\"x\"]#[disabled]let a=b();",
                "/// d\n#[id = \"x\"] #[disabled]\nlet a = b();\n",
            ),
            (
                "flow a{let f=g(r#\"\n  x\n\"#);}",
                "flow a {\n    let f = g(r#\"\n  x\n\"#);\n}\n",
            ),
            (
                "flow a{let f=g(r#\"\n  x\n    y\n\"#);}",
                "flow a {\n    let f = g(r#\"\n        x\n          y\n    \"#);\n}\n",
            ),
            (
                "flow a{group k \"K\" at gw(1,2,3,4){b;}\n\n\n\nc->d;}",
                "flow a {\n    group k \"K\" at gw (1, 2, 3, 4) {\n        b;\n    }\n\n    c -> d;\n}\n",
            ),
        ] {
            assert_eq!(formatted(text), wanted, "{text}");
        }
    }

    #[test]
    fn comments_stay() {
        for (text, wanted) in [
            (
                "// a\n\n\n// b\nlet a=b();// c\n// d",
                "// a\n\n// b\nlet a = b(); // c\n// d\n",
            ),
            (
                "flow a{// x\n// y\nb->c; /* z */ // q\n// end\n}// f",
                "flow a { // x\n    // y\n    b -> c; /* z */ // q\n    // end\n} // f\n",
            ),
            (
                "flow a{b /* 1 */ -> c( /* 2 */ x=1 );}",
                "flow a {\n    b /* 1 */ -> c(/* 2 */ x = 1);\n}\n",
            ),
            (
                "flow a{b -> // why\nc(x=1, // one\ny=2\n// end\n);}",
                "flow a {\n    b\n        -> // why\n        c(\n            x = 1, // one\n            y = 2\n            // end\n        );\n}\n",
            ),
            ("flow a{\n// only\n}", "flow a {\n    // only\n}\n"),
        ] {
            assert_eq!(formatted(text), wanted, "{text}");
        }
    }

    #[test]
    fn long_ones_are_broken() {
        let long = "flow a { let x = mqtt_in(topic = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", broker = local, datatype = \"json\", qos = \"2\") at (1, 2); }";
        let wanted = "flow a {\n    let x = mqtt_in(\n        topic = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\n        broker = local,\n        datatype = \"json\",\n        qos = \"2\"\n    ) at (1, 2);\n}\n";
        assert_eq!(formatted(long), wanted);
        let chain = format!("flow a {{ {}; }}", ["name_of_a_node"; 9].join(" -> "));
        let lines = formatted(&chain);
        assert!(
            lines.lines().all(|line| line.chars().count() <= WIDTH),
            "{lines}"
        );
    }
}
