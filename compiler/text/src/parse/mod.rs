//! From tokens to the tree. It never stops at the first fault: what cannot be read is told, and reading goes on behind the next
//! `;` or `,`.

mod chain;
mod value;

use crate::ast::*;
use crate::fault::{Fault, join};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseBuffer, ParseStream, Parser as _};
use syn::{Token, token};
use vgdc_syntax::codes;

/// What tokens say, and what is wrong with them.
pub fn parse(tokens: TokenStream) -> (File, Vec<Fault>) {
    let (mut file, mut parser) = (File::default(), Parser::default());
    let read = |input: ParseStream<'_>| {
        file.items = parser.items(input);
        Ok(())
    };
    // (its errors are about what was left unread somewhere inside: those were told)
    let outcome = read.parse2(tokens);
    if let (Err(error), true) = (outcome, parser.faults.is_empty()) {
        parser.say(&error);
    }
    (file, parser.faults)
}

/// Collects faults.
#[derive(Default)]
struct Parser {
    faults: Vec<Fault>,
}

/// A group of brackets, with what is in it.
struct Inside<'a> {
    content: ParseBuffer<'a>,
    span: Span,
    open: Span,
    close: Span,
}

impl<'a> Inside<'a> {
    fn new(content: ParseBuffer<'a>, group: &proc_macro2::extra::DelimSpan) -> Inside<'a> {
        Inside {
            content,
            span: group.join(),
            open: group.open(),
            close: group.close(),
        }
    }
}

fn parens<'a>(input: ParseStream<'a>) -> syn::Result<Inside<'a>> {
    let content;
    let group = syn::parenthesized!(content in input);
    Ok(Inside::new(content, &group.span))
}

fn brackets<'a>(input: ParseStream<'a>) -> syn::Result<Inside<'a>> {
    let content;
    let group = syn::bracketed!(content in input);
    Ok(Inside::new(content, &group.span))
}

fn braces<'a>(input: ParseStream<'a>) -> syn::Result<Inside<'a>> {
    let content;
    let group = syn::braced!(content in input);
    Ok(Inside::new(content, &group.span))
}

fn name(input: ParseStream<'_>) -> syn::Result<Name> {
    let ident = input.call(syn::Ident::parse_any)?;
    let text = ident.unraw().to_string();
    Ok(Name {
        text,
        span: ident.span(),
    })
}

/// The word that comes next.
fn word(input: ParseStream<'_>) -> Option<String> {
    input.cursor().ident().map(|(ident, _)| ident.to_string())
}

/// The token after the next one.
fn second(input: ParseStream<'_>) -> Option<TokenTree> {
    let (_, rest) = input.cursor().token_tree()?;
    rest.token_tree().map(|(token, _)| token)
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_group(token: Option<&TokenTree>, delimiter: proc_macro2::Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

impl Parser {
    fn say(&mut self, error: &syn::Error) {
        for error in error {
            let message = error.to_string();
            self.faults
                .push(Fault::error(error.span(), codes::TEXT_SYNTAX, message));
        }
    }

    fn items(&mut self, input: ParseStream<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        while !input.is_empty() {
            match self.item(input) {
                Ok(item) => items.push(item),
                Err(error) => {
                    self.say(&error);
                    skip_statement(input);
                }
            }
        }
        items
    }

    fn item(&mut self, input: ParseStream<'_>) -> syn::Result<Item> {
        let start = input.span();
        let attrs = self.attrs(input)?;
        let (kind, end) = match word(input).as_deref() {
            Some("let") => {
                name(input)?;
                let name = name(input)?;
                input.parse::<Token![=]>()?;
                let element = self.element(input)?;
                let end = self.semicolon(input)?.unwrap_or(element.span);
                (ItemKind::Let(name, element), end)
            }
            Some("flow") if begins_block(input) => {
                let block = self.block(input)?;
                let end = block.close;
                (ItemKind::Flow(block), end)
            }
            Some("subflow") if begins_block(input) => {
                let block = self.block(input)?;
                let end = block.close;
                (ItemKind::Subflow(block), end)
            }
            Some("group") if begins_block(input) => {
                let block = self.block(input)?;
                let end = block.close;
                (ItemKind::Group(block), end)
            }
            _ => {
                let chain = self.chain(input)?;
                let last = chain.steps.last().map_or(start, |step| step.span);
                let end = self.semicolon(input)?.unwrap_or(last);
                (ItemKind::Chain(chain), end)
            }
        };
        Ok(Item {
            attrs,
            kind,
            span: join(start, end),
        })
    }

    /// The end of a statement. A statement that begins without it is read all the same.
    fn semicolon(&mut self, input: ParseStream<'_>) -> syn::Result<Option<Span>> {
        if input.peek(Token![;]) {
            return input.parse::<Token![;]>().map(|sign| Some(sign.span));
        }
        let error = input.error("expected `;`");
        let begins = word(input).is_some() || input.peek(syn::LitStr) || input.peek(token::Paren);
        self.say(&error);
        if !(begins || input.is_empty() || input.peek(Token![#])) {
            skip_statement(input);
        }
        Ok(None)
    }

    fn block(&mut self, input: ParseStream<'_>) -> syn::Result<Block> {
        let keyword = name(input)?.span;
        let mut block = Block {
            keyword,
            name: None,
            label: None,
            env: Vec::new(),
            place: None,
            at: None,
            items: Vec::new(),
            open: keyword,
            close: keyword,
        };
        let is_at = |input: ParseStream<'_>| word(input).as_deref() == Some("at");
        if word(input).is_some() && !is_at(input) {
            block.name = Some(name(input)?);
        }
        if input.peek(syn::LitStr) {
            block.label = Some(value::text(input)?);
        }
        if input.peek(token::Paren) {
            block.env = self.args(input)?;
        }
        if is_at(input) {
            let start = name(input)?.span;
            if word(input).is_some() {
                block.place = Some(name(input)?);
            }
            if input.peek(token::Paren) {
                block.at = Some(self.at(start, input)?);
            }
        }
        if !input.peek(token::Brace) {
            return Err(input.error("expected `{`"));
        }
        let inside = braces(input)?;
        block.items = self.items(&inside.content);
        block.open = inside.open;
        block.close = inside.close;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        }
        Ok(block)
    }

    /// Numbers in parentheses.
    fn at(&mut self, start: Span, input: ParseStream<'_>) -> syn::Result<At> {
        let inside = parens(input)?;
        let mut numbers = Vec::new();
        while !inside.content.is_empty() {
            let value = self.value(&inside.content)?;
            let ValueKind::Number(number) = value.kind else {
                return Err(syn::Error::new(value.span, "expected a number"));
            };
            numbers.push(number);
            comma(&inside.content)?;
        }
        Ok(At {
            numbers,
            span: join(start, inside.span),
        })
    }

    fn attrs(&mut self, input: ParseStream<'_>) -> syn::Result<Vec<Attr>> {
        let mut attrs = Vec::new();
        while input.peek(Token![#]) {
            let start = input.parse::<Token![#]>()?.span;
            if input.peek(Token![!]) {
                let message = "`//!` describes nothing here: `///` stands before what it describes";
                return Err(syn::Error::new(start, message));
            }
            let inside = brackets(input)?;
            let content = &inside.content;
            let name = name(content)?;
            let kind = if content.peek(Token![=]) {
                content.parse::<Token![=]>()?;
                AttrKind::Equals(self.value(content)?)
            } else if content.peek(token::Paren) {
                let list = parens(content)?;
                AttrKind::List(self.values(&list.content))
            } else {
                AttrKind::Plain
            };
            if !content.is_empty() {
                return Err(content.error("expected `]`"));
            }
            attrs.push(Attr {
                name,
                kind,
                span: join(start, inside.span),
            });
        }
        Ok(attrs)
    }

    /// Values with commas between, up to the end.
    fn values(&mut self, input: ParseStream<'_>) -> Vec<Value> {
        self.list(input, Parser::value)
    }

    /// Parts with commas between, up to the end; one that cannot be read is left out.
    fn list<T>(
        &mut self,
        input: ParseStream<'_>,
        part: fn(&mut Parser, ParseStream<'_>) -> syn::Result<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        while !input.is_empty() {
            let read = part(self, input).and_then(|read| {
                all.push(read);
                comma(input)
            });
            if let Err(error) = read {
                self.say(&error);
                skip_part(input);
            }
        }
        all
    }
}

/// A comma, unless it is the end.
fn comma(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    if !input.peek(Token![,]) {
        return Err(input.error("expected `,`"));
    }
    input.parse::<Token![,]>().map(|_| ())
}

/// Whether `flow`, `subflow` or `group` is the keyword here and no name.
fn begins_block(input: ParseStream<'_>) -> bool {
    match second(input) {
        Some(TokenTree::Ident(_) | TokenTree::Literal(_)) => true,
        Some(TokenTree::Group(group)) => group.delimiter() != proc_macro2::Delimiter::Bracket,
        _ => false,
    }
}

/// Goes behind the next `;`, or behind the next block.
fn skip_statement(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if is_sign(Some(&token), ';') || is_group(Some(&token), proc_macro2::Delimiter::Brace) {
            break;
        }
    }
}

/// Goes behind the next comma.
fn skip_part(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if is_sign(Some(&token), ',') {
            break;
        }
    }
}

/// Arguments without the parentheses around them; `None` where something is wrong with them.
pub fn args(tokens: TokenStream) -> Option<Vec<Arg>> {
    let (mut args, mut parser) = (Vec::new(), Parser::default());
    let read = |input: ParseStream<'_>| {
        args = parser.list(input, Parser::arg);
        Ok(())
    };
    let outcome = read.parse2(tokens);
    (outcome.is_ok() && parser.faults.is_empty()).then_some(args)
}
