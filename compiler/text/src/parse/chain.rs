//! Chains, their elements, and the arms of elements.

use super::{Parser, braces, is_group, name, parens, second, value, word};
use crate::ast::*;
use crate::fault::join;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Token, token};

impl Parser {
    pub(super) fn chain(&mut self, input: ParseStream<'_>) -> syn::Result<Chain> {
        let mut steps = vec![self.step(input)?];
        while input.peek(Token![->]) {
            input.parse::<Token![->]>()?;
            steps.push(self.step(input)?);
        }
        Ok(Chain { steps })
    }

    fn step(&mut self, input: ParseStream<'_>) -> syn::Result<Step> {
        if !input.peek(token::Paren) {
            let element = self.element(input)?;
            let span = element.span;
            return Ok(Step {
                branches: vec![Branch::Element(Box::new(element))],
                span,
            });
        }
        let inside = parens(input)?;
        if inside.content.is_empty() {
            return Err(syn::Error::new(
                inside.span,
                "expected a node in the parentheses",
            ));
        }
        let branches = self.list(&inside.content, Parser::branch);
        Ok(Step {
            branches,
            span: inside.span,
        })
    }

    fn branch(&mut self, input: ParseStream<'_>) -> syn::Result<Branch> {
        let mut chain = self.chain(input)?;
        if chain.steps.len() == 1
            && let Some(step) = chain.steps.first_mut()
            && matches!(step.branches.as_slice(), [Branch::Element(_)])
            && let Some(branch) = step.branches.pop()
        {
            return Ok(branch);
        }
        Ok(Branch::Chain(chain))
    }

    pub(super) fn element(&mut self, input: ParseStream<'_>) -> syn::Result<Element> {
        let start = input.span();
        let attrs = self.attrs(input)?;
        let (kind, mut end) = self.element_kind(input)?;
        let mut at = None;
        let follows = second(input);
        if word(input).as_deref() == Some("at")
            && is_group(follows.as_ref(), Delimiter::Parenthesis)
        {
            let place = self.at(name(input)?.span, input)?;
            end = place.span;
            at = Some(place);
        }
        let mut arms = None;
        if input.peek(token::Brace) {
            let inside = braces(input)?;
            arms = Some(self.list(&inside.content, Parser::arm));
            end = inside.span;
        }
        Ok(Element {
            attrs,
            kind,
            at,
            arms,
            span: join(start, end),
        })
    }

    fn element_kind(
        &mut self,
        input: ParseStream<'_>,
    ) -> syn::Result<(ElementKind, proc_macro2::Span)> {
        let follows = second(input);
        let is_call = is_group(follows.as_ref(), Delimiter::Parenthesis);
        if input.peek(syn::LitStr) {
            let text = value::text(input)?;
            let span = text.span;
            if !is_call {
                return Ok((ElementKind::Id(text), span));
            }
            let ty = TypeName {
                text: text.value,
                quoted: true,
                span,
            };
            return self.call(ty, input);
        }
        if input.peek(Token![|])
            || input.peek(Token![||])
            || input.peek(Token![async])
            || input.peek(Token![move])
        {
            let tokens = closure_tokens(input)?;
            let closure: syn::ExprClosure = syn::parse2(tokens)?;
            let span = syn::spanned::Spanned::span(&closure);
            return Ok((
                ElementKind::Closure(Code(Box::new(syn::Expr::Closure(closure)))),
                span,
            ));
        }
        if input.peek(Token![@]) {
            let start = input.parse::<Token![@]>()?.span;
            let path = input.call(syn::Path::parse_mod_style)?;
            let content;
            let paren_token = syn::parenthesized!(content in input);
            let args =
                content.parse_terminated(<syn::Expr as syn::parse::Parse>::parse, Token![,])?;
            let func = Box::new(syn::Expr::Path(syn::ExprPath {
                attrs: Vec::new(),
                qself: None,
                path,
            }));
            let span = join(start, paren_token.span.join());
            let call = syn::ExprCall {
                attrs: Vec::new(),
                func,
                paren_token,
                args,
            };
            return Ok((
                ElementKind::Rust(Code(Box::new(syn::Expr::Call(call)))),
                span,
            ));
        }
        if word(input).is_none() {
            return Err(input.error("expected a node: its name, or its type with `(…)`"));
        }
        if is_call {
            let name = name(input)?;
            let ty = TypeName {
                text: name.text,
                quoted: false,
                span: name.span,
            };
            return self.call(ty, input);
        }
        let path = value::path(input)?;
        let span = path.span;
        Ok((ElementKind::Path(path), span))
    }

    fn call(
        &mut self,
        ty: TypeName,
        input: ParseStream<'_>,
    ) -> syn::Result<(ElementKind, proc_macro2::Span)> {
        let end = input.cursor().token_tree().map(|(token, _)| match token {
            TokenTree::Group(group) => group.span(),
            other => other.span(),
        });
        let args = self.args(input)?;
        let span = end.map_or(ty.span, |end| join(ty.span, end));
        Ok((ElementKind::Call(ty, args), span))
    }

    fn arm(&mut self, input: ParseStream<'_>) -> syn::Result<Arm> {
        let start = input.span();
        let pattern = self.condition(input)?;
        if !input.peek(Token![->]) {
            return Err(input.error("expected `->`"));
        }
        input.parse::<Token![->]>()?;
        if input.peek(token::Paren) && parens(&input.fork())?.content.is_empty() {
            let span = join(start, parens(input)?.span);
            return Ok(Arm {
                pattern,
                to: None,
                span,
            });
        }
        let chain = self.chain(input)?;
        let end = chain.steps.last().map_or(start, |step| step.span);
        Ok(Arm {
            pattern,
            to: Some(chain),
            span: join(start, end),
        })
    }

    pub(super) fn args(&mut self, input: ParseStream<'_>) -> syn::Result<Vec<Arg>> {
        let inside = parens(input)?;
        Ok(self.list(&inside.content, Parser::arg))
    }

    pub(super) fn arg(&mut self, input: ParseStream<'_>) -> syn::Result<Arg> {
        let start = input.span();
        let attrs = self.attrs(input)?;
        let (kind, end) = self.arg_kind(input)?;
        Ok(Arg {
            attrs,
            kind,
            span: join(start, end),
        })
    }
}

/// The tokens of a closure, up to the braces around its body: an arrow behind them is one of the chain.
fn closure_tokens(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    loop {
        if input.is_empty() || input.peek(Token![;]) {
            return Err(input.error("the body of a closure stands in braces"));
        }
        let token: TokenTree = input.parse()?;
        let is_body = is_group(Some(&token), Delimiter::Brace);
        tokens.extend([token]);
        if is_body {
            return Ok(tokens);
        }
    }
}
