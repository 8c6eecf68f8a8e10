//! Values, arguments, conditions and changes.

use super::{Parser, braces, brackets, is_sign, name, parens, second, word};
use crate::ast::*;
use crate::fault::join;
use crate::literal;
use proc_macro2::{Delimiter, Literal, Span, TokenTree};
use syn::parse::ParseStream;
use syn::{Token, token};
use vgdc_spec::text::{CONDITIONS, Takes};

/// A text in quotes.
pub(super) fn text(input: ParseStream<'_>) -> syn::Result<Text> {
    let token: Literal = input.parse()?;
    of_literal(&token).ok_or_else(|| syn::Error::new(token.span(), "expected a text in quotes"))
}

fn of_literal(token: &Literal) -> Option<Text> {
    let (value, map) = literal::read(&token.to_string())?;
    Some(Text {
        value,
        map,
        span: token.span(),
    })
}

/// A number's token as JSON writes it; `None` for what is no number.
fn number(token: &str) -> Option<String> {
    let plain: String = token.chars().filter(|c| *c != '_').collect();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return u128::from_str_radix(digits, radix)
                .ok()
                .map(|n| n.to_string());
        }
    }
    let mut number = match plain.trim_start_matches('0') {
        rest if rest.starts_with(|c: char| c.is_ascii_digit()) => rest.to_owned(),
        rest => format!("0{rest}"),
    };
    if number.ends_with('.') {
        number.push('0');
    }
    let is_number = serde_json::from_str::<serde_json::Value>(&number).is_ok_and(|v| v.is_number());
    // (what is too large for a number of JavaScript's is written all the same, as in JSON)
    let looks_like = number
        .split_once(['e', 'E'])
        .is_some_and(|(mantissa, exponent)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
            digits(whole) && digits(part) && digits(exponent)
        });
    (is_number || looks_like).then_some(number)
}

/// A name with what follows it.
pub(super) fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let head = name(input)?;
    let (mut rest, mut end) = (Vec::new(), head.span);
    loop {
        if input.peek(Token![.]) && !input.peek(Token![..]) {
            input.parse::<Token![.]>()?;
            if word(input).is_some() {
                let field = name(input)?;
                end = field.span;
                rest.push(Segment::Field(field));
                continue;
            }
            let Ok(token) = input.parse::<Literal>() else {
                return Err(input.error("expected a name or a number after the dot"));
            };
            end = token.span();
            // (`a.0.1` has the number 0.1 in it)
            for digits in token.to_string().split('.') {
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(syn::Error::new(
                        end,
                        "expected a name or a number after the dot",
                    ));
                }
                rest.push(Segment::Number(digits.to_owned(), end));
            }
        } else if input.peek(token::Bracket) {
            let inside = brackets(input)?;
            end = inside.span;
            let token: Literal = inside.content.parse()?;
            let segment = match of_literal(&token) {
                Some(text) => Segment::Key(text),
                None => {
                    let digits = token.to_string();
                    if !digits.bytes().all(|b| b.is_ascii_digit()) {
                        return Err(syn::Error::new(
                            token.span(),
                            "expected a whole number or a text in quotes",
                        ));
                    }
                    Segment::Index(digits, token.span())
                }
            };
            if !inside.content.is_empty() {
                return Err(inside.content.error("expected `]`"));
            }
            rest.push(segment);
        } else {
            let span = join(head.span, end);
            return Ok(Path { head, rest, span });
        }
    }
}

impl Parser {
    pub(super) fn value(&mut self, input: ParseStream<'_>) -> syn::Result<Value> {
        if input.peek(token::Bracket) {
            let inside = brackets(input)?;
            let values = self.values(&inside.content);
            return Ok(Value {
                kind: ValueKind::List(values),
                span: inside.span,
            });
        }
        if input.peek(token::Brace) {
            let inside = braces(input)?;
            let members = self.list(&inside.content, Parser::member);
            return Ok(Value {
                kind: ValueKind::Map(members),
                span: inside.span,
            });
        }
        if input.peek(Token![-]) && !input.peek(Token![->]) {
            let start = input.parse::<Token![-]>()?.span;
            let token: Literal = input.parse()?;
            let digits = self.number(&token)?;
            let span = join(start, token.span());
            return Ok(Value {
                kind: ValueKind::Number(format!("-{digits}")),
                span,
            });
        }
        if let Some((token, _)) = input.cursor().literal() {
            input.parse::<Literal>()?;
            let span = token.span();
            let kind = match of_literal(&token) {
                Some(text) => ValueKind::Text(text),
                None => ValueKind::Number(self.number(&token)?),
            };
            return Ok(Value { kind, span });
        }
        let Some(first) = word(input) else {
            return Err(input.error("expected a value"));
        };
        let follows = second(input);
        if let Some(TokenTree::Group(group)) = &follows
            && group.delimiter() == Delimiter::Parenthesis
        {
            let (name, span) = (name(input)?, group.span());
            let inside = parens(input)?;
            let text = match inside.content.is_empty() {
                true => Text {
                    value: String::new(),
                    map: Vec::new(),
                    span,
                },
                false => text(&inside.content)?,
            };
            if !inside.content.is_empty() {
                return Err(inside.content.error("expected `)`"));
            }
            let span = join(name.span, span);
            return Ok(Value {
                kind: ValueKind::Typed(name, text),
                span,
            });
        }
        let path = path(input)?;
        let span = path.span;
        let kind = match (first.as_str(), path.rest.is_empty()) {
            ("true", true) => ValueKind::Bool(true),
            ("false", true) => ValueKind::Bool(false),
            ("null", true) => ValueKind::Null,
            _ => ValueKind::Path(path),
        };
        Ok(Value { kind, span })
    }

    fn number(&mut self, token: &Literal) -> syn::Result<String> {
        number(&token.to_string())
            .ok_or_else(|| syn::Error::new(token.span(), "expected a text in quotes or a number"))
    }

    fn member(&mut self, input: ParseStream<'_>) -> syn::Result<(Key, Value)> {
        let key = self.key(input)?;
        if !input.peek(Token![:]) {
            return Err(input.error("expected `:`"));
        }
        input.parse::<Token![:]>()?;
        Ok((key, self.value(input)?))
    }

    fn key(&mut self, input: ParseStream<'_>) -> syn::Result<Key> {
        if input.peek(syn::LitStr) {
            let text = text(input)?;
            return Ok(Key {
                text: text.value,
                quoted: true,
                span: text.span,
            });
        }
        let name = name(input)?;
        Ok(Key {
            text: name.text,
            quoted: false,
            span: name.span,
        })
    }

    pub(super) fn arg_kind(&mut self, input: ParseStream<'_>) -> syn::Result<(ArgKind, Span)> {
        let follows = second(input);
        let equals = is_sign(follows.as_ref(), '=') && !is_sign(third(input).as_ref(), '=');
        if equals && (input.peek(syn::LitStr) || word(input).is_some()) {
            let key = self.key(input)?;
            input.parse::<Token![=]>()?;
            let value = self.value(input)?;
            let span = value.span;
            return Ok((ArgKind::Named(key, value), span));
        }
        let operand = matches!(follows, Some(TokenTree::Ident(_) | TokenTree::Literal(_)));
        match word(input).as_deref().filter(|_| operand) {
            Some("delete") => {
                name(input)?;
                let place = self.value(input)?;
                let span = place.span;
                return Ok((ArgKind::Change(Change::Delete(place)), span));
            }
            Some("move") => {
                name(input)?;
                let from = self.value(input)?;
                expect(input, "to")?;
                let to = self.value(input)?;
                let span = to.span;
                return Ok((ArgKind::Change(Change::Move(from, to)), span));
            }
            Some("replace") => {
                name(input)?;
                let from = self.value(input)?;
                expect(input, "with")?;
                let to = self.value(input)?;
                expect(input, "in")?;
                let place = self.value(input)?;
                let span = place.span;
                return Ok((ArgKind::Change(Change::Replace(from, to, place)), span));
            }
            _ => {}
        }
        let condition = self.condition(input)?;
        if input.peek(Token![=]) {
            if let (None, Test::Bare(place)) = (&condition.subject, condition.test) {
                input.parse::<Token![=]>()?;
                let value = self.value(input)?;
                let span = value.span;
                return Ok((ArgKind::Change(Change::Set(place, value)), span));
            }
            return Err(input.error("expected `,`"));
        }
        let span = condition.span;
        Ok(match condition {
            Condition {
                subject: None,
                test: Test::Bare(value),
                ..
            } => (ArgKind::Value(value), span),
            condition => (ArgKind::Condition(condition), span),
        })
    }

    /// A condition: `> 30`, `payload > 30`, `"on"`, `10..=20`, `not empty`, `else`.
    pub(super) fn condition(&mut self, input: ParseStream<'_>) -> syn::Result<Condition> {
        let start = input.span();
        if let Some(condition) = self.signed(input, None, start)? {
            return Ok(condition);
        }
        let value = self.value(input)?;
        if input.peek(Token![..=]) {
            input.parse::<Token![..=]>()?;
            let end = self.value(input)?;
            let span = join(start, end.span);
            let test = Test::Sign {
                sign: "..=",
                values: vec![value, end],
                any_case: false,
            };
            return Ok(Condition {
                subject: None,
                test,
                span,
            });
        }
        let span = value.span;
        let is_test = self.signs(input).is_some();
        if !is_test {
            return Ok(Condition {
                subject: None,
                test: Test::Bare(value),
                span,
            });
        }
        match self.signed(input, Some(value), start)? {
            Some(condition) => Ok(condition),
            None => Err(input.error("expected a condition")),
        }
    }

    /// The sign or words that come next, if they begin a condition.
    fn signs(&self, input: ParseStream<'_>) -> Option<(&'static str, Takes)> {
        let kind = |sign: &str| {
            let found = CONDITIONS.iter().find(|condition| condition.sign == sign);
            found.map(|condition| (condition.sign, condition.takes))
        };
        for (sign, is_there) in [
            ("==", input.peek(Token![==])),
            ("!=", input.peek(Token![!=])),
            ("<=", input.peek(Token![<=])),
            (">=", input.peek(Token![>=])),
            ("<", input.peek(Token![<])),
            (">", input.peek(Token![>])),
        ] {
            if is_there {
                return kind(sign);
            }
        }
        let first = word(input)?;
        let follows = second(input);
        match (first.as_str(), &follows) {
            ("else", _) => kind("else"),
            ("not", Some(TokenTree::Ident(next))) => kind(&format!("not {next}")),
            ("empty", None) => kind("empty"),
            ("empty", Some(TokenTree::Punct(next))) if matches!(next.as_char(), ',' | '-') => {
                kind("empty")
            }
            ("true" | "false" | "null" | "not" | "empty", _) => None,
            (word, Some(TokenTree::Ident(_) | TokenTree::Literal(_))) => kind(word),
            (word, Some(TokenTree::Punct(minus)))
                if minus.as_char() == '-' && !is_sign(third(input).as_ref(), '>') =>
            {
                kind(word)
            }
            _ => None,
        }
    }

    fn signed(
        &mut self,
        input: ParseStream<'_>,
        subject: Option<Value>,
        start: Span,
    ) -> syn::Result<Option<Condition>> {
        let Some((sign, takes)) = self.signs(input) else {
            return Ok(None);
        };
        let words = sign.split(' ').count();
        let mut end = start;
        match sign.starts_with(|c: char| c.is_alphabetic()) {
            true => {
                for _ in 0..words {
                    end = name(input)?.span;
                }
            }
            false => {
                for _ in 0..sign.len() {
                    end = input.parse::<TokenTree>()?.span();
                }
            }
        }
        let (mut values, mut any_case) = (Vec::new(), false);
        if takes != Takes::Nothing {
            values.push(self.value(input)?);
        }
        if takes == Takes::Span {
            if !input.peek(Token![..]) {
                return Err(input.error("expected `..`"));
            }
            // (`..=` is fine, too: the last one belongs to it in any case)
            match input.peek(Token![..=]) {
                true => input.parse::<Token![..=]>().map(|_| ())?,
                false => input.parse::<Token![..]>().map(|_| ())?,
            }
            values.push(self.value(input)?);
        }
        if takes == Takes::Pattern && word(input).as_deref() == Some("ignoring") {
            name(input)?;
            end = expect(input, "case")?;
            any_case = true;
        } else if let Some(last) = values.last() {
            end = last.span;
        }
        let test = Test::Sign {
            sign,
            values,
            any_case,
        };
        Ok(Some(Condition {
            subject,
            test,
            span: join(start, end),
        }))
    }
}

/// The token after the next two.
fn third(input: ParseStream<'_>) -> Option<TokenTree> {
    let (_, rest) = input.cursor().token_tree()?;
    let (_, rest) = rest.token_tree()?;
    rest.token_tree().map(|(token, _)| token)
}

fn expect(input: ParseStream<'_>, wanted: &str) -> syn::Result<Span> {
    match word(input).as_deref() == Some(wanted) {
        true => name(input).map(|name| name.span),
        false => Err(input.error(format!("expected `{wanted}`"))),
    }
}
