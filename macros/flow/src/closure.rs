//! Closures as nodes: what they take, what becomes of what they give.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprClosure, GenericArgument, Pat, PathArguments, ReturnType, Type};

/// Rust code that is a node.
pub enum Code {
    /// A closure.
    Closure(Box<Closure>),
    /// An expression that gives a flow.
    Function(Box<Expr>),
}

/// A closure, looked at.
pub struct Closure {
    closure: ExprClosure,
    takes: Type,
    /// The type that is written as what it gives; nothing for `()`.
    gives: Option<Type>,
}

/// How many outputs a flow that a function gives may have.
const MOST_OUTPUTS: u16 = 8;

impl Code {
    /// Looks at code that stands in a chain.
    ///
    /// # Errors
    /// It is none that can be a node.
    pub fn of(code: &Expr) -> syn::Result<Code> {
        match code {
            Expr::Closure(closure) => {
                Closure::of(closure).map(|closure| Code::Closure(Box::new(closure)))
            }
            Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) | Expr::Path(_) => {
                Ok(Code::Function(Box::new(code.clone())))
            }
            _ => Err(syn::Error::new(
                code.span(),
                "expected a closure, or a call of a function that gives a flow",
            )),
        }
    }

    /// How many outputs it has.
    pub fn outputs(&self) -> u16 {
        match self {
            Code::Closure(closure) => closure.carries().len().try_into().unwrap_or(u16::MAX),
            Code::Function(_) => MOST_OUTPUTS,
        }
    }
}

impl Closure {
    fn of(closure: &ExprClosure) -> syn::Result<Closure> {
        let one = match closure.inputs.first() {
            Some(Pat::Type(typed)) if closure.inputs.len() == 1 => (*typed.ty).clone(),
            _ => {
                let text =
                    "a closure in a flow takes one thing and says of which type: `|it: Reading| …`";
                let span = (closure.inputs.first()).map_or(closure.or1_token.span, |it| it.span());
                return Err(syn::Error::new(span, text));
            }
        };
        let gives = match &closure.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => match &**ty {
                Type::Tuple(tuple) if tuple.elems.is_empty() => None,
                ty => Some(ty.clone()),
            },
        };
        let mut closure = closure.clone();
        // (it lives as long as the flow)
        closure.capture.get_or_insert_with(Default::default);
        Ok(Closure {
            closure,
            takes: one,
            gives,
        })
    }

    /// The type of what it takes.
    pub fn takes(&self) -> &Type {
        &self.takes
    }

    /// What its outputs carry.
    pub fn carries(&self) -> Vec<Type> {
        fn of(ty: &Type) -> Vec<Type> {
            match Shape::of(ty) {
                Shape::Tried(inner) => of(inner),
                Shape::Several(types) => types.into_iter().flat_map(of).collect(),
                Shape::Maybe(inner) | Shape::Many(inner) | Shape::One(inner) => vec![inner.clone()],
                Shape::Nothing => Vec::new(),
            }
        }
        self.gives.as_ref().map(of).unwrap_or_default()
    }

    /// Whether another closure can follow in the same step: it runs at once, and gives at most one thing, of a type of its own.
    pub fn leads_on(&self) -> bool {
        fn is_single(ty: &Type) -> bool {
            match Shape::of(ty) {
                Shape::One(inner) | Shape::Maybe(inner) => !is_any(inner),
                Shape::Tried(inner) => is_single(inner),
                _ => false,
            }
        }
        self.closure.asyncness.is_none() && self.gives.as_ref().is_some_and(is_single)
    }

    /// Whether it can follow another closure in the same step.
    pub fn follows(&self) -> bool {
        self.closure.asyncness.is_none() && !is_any(&self.takes)
    }

    fn give(&self) -> TokenStream {
        match &self.gives {
            None => quote!(::vgdc_flow::__private::nothing),
            Some(ty) => give(ty, self.closure.or1_token.span),
        }
    }

    /// An expression: closures that follow each other, as one step of the flow. What one gives, the next one takes as it is.
    pub fn chain(all: &[&Closure]) -> TokenStream {
        let (first, last) = match all {
            [only] => return only.step(),
            [first, .., last] => (first, last),
            [] => return TokenStream::new(),
        };
        let p = quote!(::vgdc_flow::__private);
        let names: Vec<_> = (0..all.len())
            .map(|at| format_ident!("closure{at}"))
            .collect();
        let closures = all.iter().map(|closure| &closure.closure);
        let steps = all.iter().zip(&names).zip(all.iter().skip(1));
        let steps = steps.map(|((closure, name), next)| {
            let single = closure.gives.as_ref().map(|ty| single(ty, quote!(#name(it))));
            let (ty, span) = (&next.takes, next.takes.span());
            let taken = quote_spanned!(span=> let it: #ty = #p::Carries::<#ty>::hand_on(it););
            quote!(let ::core::option::Option::Some(it) = #single else { return ::core::result::Result::Ok(::core::option::Option::None) }; #taken)
        });
        let end = names.last();
        let takes = &first.takes;
        let gives = last
            .gives
            .as_ref()
            .map_or_else(|| quote!(()), |ty| quote!(#ty));
        let given =
            quote!(::core::result::Result<::core::option::Option<#gives>, ::vgdc_flow::NodeError>);
        let give = last.give();
        quote! {
            #p::sync(
                {
                    #(#[allow(unused_mut)] let mut #names = #closures;)*
                    move |it: #takes| -> #given {
                        #(#steps)*
                        ::core::result::Result::Ok(::core::option::Option::Some(#end(it)))
                    }
                },
                |it: #given, of: &mut ::vgdc_flow::Msg, out: &mut #p::Out<'_>| match it? {
                    ::core::option::Option::Some(it) => (#give)(it, of, out),
                    ::core::option::Option::None => ::core::result::Result::Ok(()),
                },
            )
        }
    }

    /// An expression: the closure as a step of the flow.
    pub fn step(&self) -> TokenStream {
        let (closure, span) = (&self.closure, self.closure.or1_token.span);
        let give = self.give();
        match closure.asyncness {
            None => quote_spanned!(span=> ::vgdc_flow::__private::sync(#closure, #give)),
            Some(_) => quote_spanned!(span=> ::vgdc_flow::__private::asynchronous(#closure, #give)),
        }
    }
}

/// What a return type means.
enum Shape<'t> {
    Nothing,
    One(&'t Type),
    Maybe(&'t Type),
    Many(&'t Type),
    Tried(&'t Type),
    Several(Vec<&'t Type>),
}

impl<'t> Shape<'t> {
    fn of(ty: &'t Type) -> Shape<'t> {
        match ty {
            Type::Tuple(tuple) if tuple.elems.is_empty() => Shape::Nothing,
            Type::Tuple(tuple) => Shape::Several(tuple.elems.iter().collect()),
            Type::Paren(inner) => Shape::of(&inner.elem),
            Type::Group(inner) => Shape::of(&inner.elem),
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else {
                    return Shape::One(ty);
                };
                let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                    return Shape::One(ty);
                };
                let first = arguments.args.iter().find_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                match (last.ident.to_string().as_str(), first) {
                    ("Option", Some(inner)) => Shape::Maybe(inner),
                    ("Vec", Some(inner)) => Shape::Many(inner),
                    ("Result", Some(inner)) => Shape::Tried(inner),
                    _ => Shape::One(ty),
                }
            }
            _ => Shape::One(ty),
        }
    }
}

/// An expression that says what becomes of what a closure gives.
fn give(ty: &Type, span: Span) -> TokenStream {
    let p = quote!(::vgdc_flow::__private);
    let rest = quote!(of: &mut ::vgdc_flow::Msg, out: &mut #p::Out<'_>);
    match Shape::of(ty) {
        Shape::Nothing => quote_spanned!(span=> #p::nothing),
        Shape::One(_) => quote_spanned!(span=> #p::one),
        Shape::Maybe(_) => quote_spanned!(span=> #p::maybe),
        Shape::Many(_) => quote_spanned!(span=> #p::many),
        Shape::Tried(inner) => {
            let inner = give(inner, span);
            quote_spanned!(span=> |it: #ty, #rest| #p::tried(it, of, out, #inner))
        }
        Shape::Several(types) => {
            let names: Vec<_> = (0..types.len()).map(|at| format_ident!("it{at}")).collect();
            let gives = types.iter().map(|ty| give(ty, span));
            let numbers = 0..types.len();
            quote_spanned! {span=>
                |(#(#names),*): #ty, #rest| {
                    #(#p::from_output(#numbers, #names, of, out, #gives)?;)*
                    Ok(())
                }
            }
        }
    }
}

/// An expression: what a closure gave as one thing or none, or the node's error.
fn single(ty: &Type, it: TokenStream) -> TokenStream {
    match Shape::of(ty) {
        Shape::Maybe(_) => it,
        Shape::Tried(inner) => {
            let error = quote!(|error| ::vgdc_flow::NodeError::new(
                ::std::string::ToString::to_string(&error)
            ));
            single(inner, quote!(#it.map_err(#error)?))
        }
        _ => quote!(::core::option::Option::Some(#it)),
    }
}

/// Whether a type is that of any message.
fn is_any(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == "Msg" || last.ident == "Value")
        }
        _ => false,
    }
}

/// A statement that has rustc check a wire; nothing where one of its ends is any message.
pub fn wire(given: &Type, taken: &Type) -> TokenStream {
    if is_any(given) || is_any(taken) {
        return TokenStream::new();
    }
    let span = taken.span();
    quote_spanned!(span=> ::vgdc_flow::__private::wire::<#given, #taken>();)
}
