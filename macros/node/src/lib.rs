//! The macros that a node's file is written with: `#[derive(Config)]` for its properties, `#[node(…)]` for its entry in the
//! node table. A leaf: knows the names of `vgdc_core`'s items and nothing else of the workspace.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitInt, LitStr, Token, Type};

/// Reads a struct from a node's properties and describes its fields.
///
/// A field may carry `#[field(name = "…", default = …, json = "…", kind = …, label = "…", required = true, choices = […], types = […])]`:
/// `name` is Node-RED's property name (else the field's own), `default` a literal (or `json` its JSON text), `kind` a
/// `FieldKind` (else by the field's type), `label` the form's label; without what is `required` the node does nothing; `choices` are the
/// values that a form offers (`[("value", "what people call it")]`), `types` the types of a typed input (`["msg", "str"]`).
#[proc_macro_derive(Config, attributes(field))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    config(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Puts `impl Node for …` into the node table: makes `pub static NODE: NodeDef`.
///
/// `#[node(type = "range", category = "function", inputs = 1, outputs = 1, effect = Pure)]`; `outputs` may be
/// `field("outputs")` or `rules("rules")`; `role` is a `Role`, `Operator` when left out. `types` is what it does to the types
/// of messages, see `Types`: a text, or a function that says it; `needs` lists what a message must have, see `Need`:
/// `needs = [("res", "there is nobody to answer")]`. `text` is what its arguments without a name are in the text language, see
/// `Text` (`First("func")`, `Conditions`; `Plain` when left out); `waits = true` says that messages wait in it; `copies` (`Yes`,
/// `Unless("clientid")`) that a configuration node may run in several processes. `color`, `icon` and `button` (`Inject`, `Toggle`) are how
/// it looks on the canvas.
#[proc_macro_attribute]
pub fn node(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = syn::parse_macro_input!(args as NodeArgs);
    let item = syn::parse_macro_input!(item as syn::ItemImpl);
    let def = args.def(&item);
    quote!(#item #def).into()
}

fn config(input: &syn::DeriveInput) -> syn::Result<Tokens> {
    let syn::Data::Struct(data) = &input.data else {
        return Err(syn::Error::new(
            input.span(),
            "Config is derived for structs with named fields",
        ));
    };
    let name = &input.ident;
    let (mut specs, mut reads) = (Vec::new(), Vec::new());
    for field in &data.fields {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new(
                field.span(),
                "Config is derived for structs with named fields",
            ));
        };
        let attr = FieldAttr::read(field)?;
        let property = attr
            .name
            .clone()
            .unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
        let default = attr
            .default
            .clone()
            .unwrap_or_else(|| default_of(&field.ty));
        let kind = attr.kind.clone().unwrap_or_else(|| kind_of(&field.ty));
        let label = attr.label.clone().unwrap_or_default();
        let required = attr.required;
        let choices = attr.choices.clone().unwrap_or_else(|| quote!(&[]));
        let types = attr.types.clone().unwrap_or_else(|| quote!(&[]));
        let ty = &field.ty;
        specs.push(quote!(::vgdc_core::spec::FieldSpec { name: #property, kind: #kind, default: #default, label: #label, required: #required, choices: #choices, types: #types }));
        reads.push(quote_spanned!(ty.span()=> #ident: ::vgdc_core::config::read_field::<#ty>(props, #property, #default)?));
    }
    Ok(quote! {
        impl ::vgdc_core::Config for #name {
            const FIELDS: &'static [::vgdc_core::spec::FieldSpec] = &[#(#specs),*];
            fn from_props(props: &::vgdc_core::value::Object) -> ::core::result::Result<Self, ::vgdc_core::NodeError> {
                let _ = props;
                ::core::result::Result::Ok(#name { #(#reads),* })
            }
        }
    })
}

#[derive(Default)]
struct FieldAttr {
    name: Option<String>,
    default: Option<String>,
    kind: Option<Tokens>,
    label: Option<String>,
    required: bool,
    choices: Option<Tokens>,
    types: Option<Tokens>,
}

impl FieldAttr {
    fn read(field: &syn::Field) -> syn::Result<FieldAttr> {
        let mut read = FieldAttr::default();
        for attr in field
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("field"))
        {
            let pairs = attr.parse_args_with(Punctuated::<Pair, Token![,]>::parse_terminated)?;
            for pair in pairs {
                match pair.key.to_string().as_str() {
                    "name" => read.name = Some(pair.text()?),
                    "label" => read.label = Some(pair.text()?),
                    "json" => read.default = Some(pair.text()?),
                    "default" => read.default = Some(json_of(&pair.value)?),
                    "kind" => read.kind = Some(variant(&pair.value)),
                    "required" => read.required = pair.is_true()?,
                    "choices" => read.choices = Some(array(&pair.value)?),
                    "types" => read.types = Some(array(&pair.value)?),
                    _ => {
                        return Err(syn::Error::new(
                            pair.key.span(),
                            "expected name, default, json, kind, label, required, choices or types",
                        ));
                    }
                }
            }
        }
        Ok(read)
    }
}

/// `key = expression`; the key may be the keyword `type`.
struct Pair {
    key: Ident,
    value: Expr,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(syn::ext::IdentExt::parse_any)?;
        input.parse::<Token![=]>()?;
        Ok(Pair {
            key,
            value: input.parse()?,
        })
    }
}

impl Pair {
    fn text(&self) -> syn::Result<String> {
        match &self.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Ok(text.value()),
            other => Err(syn::Error::new(other.span(), "expected a text in quotes")),
        }
    }

    fn is_true(&self) -> syn::Result<bool> {
        match &self.value {
            Expr::Lit(ExprLit {
                lit: Lit::Bool(it), ..
            }) => Ok(it.value),
            other => Err(syn::Error::new(other.span(), "expected true or false")),
        }
    }
}

/// A list as constant data.
fn array(value: &Expr) -> syn::Result<Tokens> {
    match value {
        Expr::Array(list) => Ok(quote!(&#list)),
        other => Err(syn::Error::new(other.span(), "expected a list")),
    }
}

/// A Rust literal as JSON text.
fn json_of(value: &Expr) -> syn::Result<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(json_string(&text.value())),
        Expr::Lit(ExprLit {
            lit: Lit::Int(n), ..
        }) => Ok(n.base10_digits().to_owned()),
        Expr::Lit(ExprLit {
            lit: Lit::Float(n), ..
        }) => Ok(n.base10_digits().to_owned()),
        Expr::Lit(ExprLit {
            lit: Lit::Bool(b), ..
        }) => Ok(b.value.to_string()),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            Ok(format!("-{}", json_of(&unary.expr)?))
        }
        other => Err(syn::Error::new(
            other.span(),
            "expected a literal; for other JSON use json = \"…\"",
        )),
    }
}

fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            c if (c as u32) < 0x20 => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// `JavaScript` or `Typed("pt")` as a `FieldKind`.
fn variant(value: &Expr) -> Tokens {
    quote!(::vgdc_core::spec::FieldKind::#value)
}

fn last_segment(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|s| s.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

fn default_of(ty: &Type) -> String {
    match last_segment(ty).as_str() {
        "String" => "\"\"",
        "bool" => "false",
        "f64" => "0",
        "Vec" => "[]",
        _ => "null",
    }
    .to_owned()
}

fn kind_of(ty: &Type) -> Tokens {
    let kind = match last_segment(ty).as_str() {
        "String" => quote!(Text),
        "bool" => quote!(Bool),
        "f64" => quote!(Number),
        "Option" => match ty {
            Type::Path(path) => match path.path.segments.last().map(|s| &s.arguments) {
                Some(syn::PathArguments::AngleBracketed(args)) => match args.args.first() {
                    Some(syn::GenericArgument::Type(inner)) => return kind_of(inner),
                    _ => quote!(Json),
                },
                _ => quote!(Json),
            },
            _ => quote!(Json),
        },
        _ => quote!(Json),
    };
    quote!(::vgdc_core::spec::FieldKind::#kind)
}

struct NodeArgs {
    ty: LitStr,
    category: LitStr,
    inputs: LitInt,
    outputs: Tokens,
    effect: Tokens,
    role: Tokens,
    types: Tokens,
    needs: Tokens,
    text: Tokens,
    waits: bool,
    copies: Tokens,
    color: String,
    icon: String,
    button: Tokens,
}

impl Parse for NodeArgs {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let (mut ty, mut category, mut inputs, mut outputs, mut effect, mut role) =
            (None, None, None, None, None, None);
        let (mut types, mut needs) = (quote!(::vgdc_core::spec::Types::Unknown), quote!(&[]));
        let (mut text, mut waits) = (quote!(::vgdc_core::spec::Text::Plain), false);
        let mut copies = quote!(::vgdc_core::spec::Copies::No);
        let (mut color, mut icon) = (String::new(), String::new());
        let mut button = quote!(::vgdc_core::spec::Button::None);
        for pair in Punctuated::<Pair, Token![,]>::parse_terminated(input)? {
            let value = &pair.value;
            match pair.key.to_string().as_str() {
                "type" => ty = Some(LitStr::new(&pair.text()?, value.span())),
                "category" => category = Some(LitStr::new(&pair.text()?, value.span())),
                "inputs" => inputs = Some(syn::parse2::<LitInt>(quote!(#value))?),
                "outputs" => outputs = Some(outputs_of(value)?),
                "effect" => effect = Some(quote!(::vgdc_core::spec::Effect::#value)),
                "role" => role = Some(quote!(::vgdc_core::spec::Role::#value)),
                "types" => types = types_of(value),
                "needs" => needs = needs_of(value)?,
                "text" => text = quote!(::vgdc_core::spec::Text::#value),
                "waits" => waits = pair.is_true()?,
                "copies" => copies = quote!(::vgdc_core::spec::Copies::#value),
                "color" => color = pair.text()?,
                "icon" => icon = pair.text()?,
                "button" => button = quote!(::vgdc_core::spec::Button::#value),
                _ => {
                    return Err(syn::Error::new(
                        pair.key.span(),
                        "expected type, category, inputs, outputs, effect, role, types, needs, text, waits, copies, color, icon or button",
                    ));
                }
            }
        }
        let missing = |what: &str| syn::Error::new(span, format!("#[node] needs {what} = …"));
        Ok(NodeArgs {
            ty: ty.ok_or_else(|| missing("type"))?,
            category: category.ok_or_else(|| missing("category"))?,
            inputs: inputs.ok_or_else(|| missing("inputs"))?,
            outputs: outputs.ok_or_else(|| missing("outputs"))?,
            effect: effect.ok_or_else(|| missing("effect"))?,
            role: role.unwrap_or_else(|| quote!(::vgdc_core::spec::Role::Operator)),
            types,
            needs,
            text,
            waits,
            copies,
            color,
            icon,
            button,
        })
    }
}

/// A text, or the path of a function.
fn types_of(value: &Expr) -> Tokens {
    match value {
        Expr::Lit(text) => quote!(::vgdc_core::spec::Types::Text(#text)),
        function => quote!(::vgdc_core::spec::Types::Code(#function)),
    }
}

/// `[("field", "what happens without it"), …]`.
fn needs_of(value: &Expr) -> syn::Result<Tokens> {
    let wrong = |at: &Expr| {
        syn::Error::new(
            at.span(),
            "expected [(\"field\", \"what happens without it\")]",
        )
    };
    let Expr::Array(list) = value else {
        return Err(wrong(value));
    };
    let mut needs = Vec::new();
    for item in &list.elems {
        let Expr::Tuple(pair) = item else {
            return Err(wrong(item));
        };
        let (Some(field), Some(without), 2) =
            (pair.elems.first(), pair.elems.last(), pair.elems.len())
        else {
            return Err(wrong(item));
        };
        needs.push(quote!(::vgdc_core::spec::Need { field: #field, without: #without }));
    }
    Ok(quote!(&[#(#needs),*]))
}

fn outputs_of(value: &Expr) -> syn::Result<Tokens> {
    match value {
        Expr::Lit(lit) => Ok(quote!(::vgdc_core::spec::Outputs::Fixed(#lit))),
        Expr::Call(call) => {
            let argument = call.args.first();
            let name = match &*call.func {
                Expr::Path(path) => path
                    .path
                    .get_ident()
                    .map(Ident::to_string)
                    .unwrap_or_default(),
                _ => String::new(),
            };
            match name.as_str() {
                "field" => Ok(quote!(::vgdc_core::spec::Outputs::Field(#argument))),
                "rules" => Ok(quote!(::vgdc_core::spec::Outputs::Rules(#argument))),
                _ => Err(syn::Error::new(
                    value.span(),
                    "expected a number, field(\"…\") or rules(\"…\")",
                )),
            }
        }
        _ => Err(syn::Error::new(
            value.span(),
            "expected a number, field(\"…\") or rules(\"…\")",
        )),
    }
}

impl NodeArgs {
    fn def(&self, item: &syn::ItemImpl) -> Tokens {
        let NodeArgs {
            ty,
            category,
            inputs,
            outputs,
            effect,
            role,
            types,
            needs,
            text,
            waits,
            copies,
            color,
            icon,
            button,
        } = self;
        let this = &item.self_ty;
        quote! {
            /// This node's entry in the node table.
            pub static NODE: ::vgdc_core::NodeDef = ::vgdc_core::NodeDef {
                spec: ::vgdc_core::spec::NodeSpec {
                    ty: #ty,
                    category: #category,
                    inputs: #inputs,
                    outputs: #outputs,
                    role: #role,
                    effect: #effect,
                    fields: <<#this as ::vgdc_core::Node>::Config as ::vgdc_core::Config>::FIELDS,
                    types: #types,
                    needs: #needs,
                    text: #text,
                    waits: #waits,
                    copies: #copies,
                    look: ::vgdc_core::spec::Look { color: #color, icon: #icon, button: #button },
                },
                create: ::vgdc_core::process::create::<#this>,
            };
        }
    }
}
