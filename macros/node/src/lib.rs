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
///
/// The rest is for forms alone (see `Form`): `begin` is what a new node has, where that is not the default (`begin_json` its JSON text);
/// `shown` the kind that the form shows it as (`Number`, `Markdown`); `when` the conditions under which it is there
/// (`[is("mode", "a", "b"), not("kind", true)]`); `items = CONSTANT` the fields of an array's elements (see `fields!`); `hidden`, `filled`,
/// `optional`, `empty_is_all`, `text` and `legible` are true or left out; `hint`, `also`, `type_map` and `node_types` say what they say
/// there. The form has the fields in the order of the struct. A field of the type `()` is one that only forms know: neither node nor
/// compiler gets it (a `_` before its name is not the property's).
#[proc_macro_derive(Config, attributes(field))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    config(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Fields of an array's elements, for forms: `&[FieldSpec]` of what `#[field(…)]` says of a struct's fields, each in parentheses.
///
/// `const RULE: &[FieldSpec] = fields![(name = "t", default = "set", label = "Rule"), (name = "p", label = "Property")];`
#[proc_macro]
pub fn fields(input: TokenStream) -> TokenStream {
    let parser = Punctuated::<Element, Token![,]>::parse_terminated;
    let all = syn::parse_macro_input!(input with parser);
    let specs = all.iter().map(|Element(attr)| {
        let text = quote!(::vgdc_core::spec::FieldKind::Text);
        attr.spec(&attr.name.clone().unwrap_or_default(), "\"\"", &text)
    });
    quote!(&[#(#specs),*]).into()
}

/// One field of `fields!`.
struct Element(FieldAttr);

impl Parse for Element {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let inner;
        let around = syn::parenthesized!(inner in input);
        let mut attr = FieldAttr::default();
        attr.add(Punctuated::parse_terminated(&inner)?)?;
        match attr.name {
            Some(_) => Ok(Element(attr)),
            None => Err(syn::Error::new(around.span.join(), "expected name = \"…\"")),
        }
    }
}

/// Puts `impl Node for …` into the node table: makes `pub static NODE: NodeDef`.
///
/// `#[node(type = "range", category = "function", inputs = 1, outputs = 1, effect = Pure)]`; `outputs` may be
/// `field("outputs")` or `rules("rules")`; `role` is a `Role`, `Operator` when left out. `types` is what it does to the types
/// of messages, see `Types`: a text, or a function that says it; `needs` lists what a message must have, see `Need`:
/// `needs = [("res", "there is nobody to answer")]`. `text` is what its arguments without a name are in the text language, see
/// `Text` (`First("func")`, `Conditions`; `Plain` when left out); `waits = true` says that messages wait in it; `copies` (`Yes`,
/// `Unless("clientid")`) that a configuration node may run in several processes. `color`, `icon` and `button` (`Inject`, `Toggle`) are how
/// it looks on the canvas; `label` is what the palette calls it, where that is not the type.
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
    let (mut specs, mut form, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for field in &data.fields {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new(
                field.span(),
                "Config is derived for structs with named fields",
            ));
        };
        let attr = FieldAttr::read(field)?;
        let ty = &field.ty;
        let of_forms = matches!(ty, Type::Tuple(unit) if unit.elems.is_empty());
        let own = ident.to_string();
        let own = own.trim_start_matches("r#");
        let property = attr.name.clone().unwrap_or_else(|| match of_forms {
            true => own.trim_start_matches('_').to_owned(),
            false => own.to_owned(),
        });
        let usual = match of_forms {
            true => "\"\"".to_owned(),
            false => default_of(ty),
        };
        let kind = match of_forms {
            true => quote!(::vgdc_core::spec::FieldKind::Text),
            false => kind_of(ty),
        };
        let spec = attr.spec(&property, &usual, &kind);
        form.push(spec.clone());
        if of_forms {
            reads.push(quote!(#ident: ()));
            continue;
        }
        let default = attr.default.as_ref().unwrap_or(&usual);
        specs.push(spec);
        reads.push(quote_spanned!(ty.span()=> #ident: ::vgdc_core::config::read_field::<#ty>(props, #property, #default)?));
    }
    let form = match form.len() == specs.len() {
        true => quote!(Self::FIELDS),
        false => quote!(&[#(#form),*]),
    };
    Ok(quote! {
        impl ::vgdc_core::Config for #name {
            const FIELDS: &'static [::vgdc_core::spec::FieldSpec] = &[#(#specs),*];
            const FORM: &'static [::vgdc_core::spec::FieldSpec] = #form;
            fn from_props(props: &::vgdc_core::value::Object) -> ::core::result::Result<Self, ::vgdc_core::NodeError> {
                let _ = props;
                ::core::result::Result::Ok(#name { #(#reads),* })
            }
        }
    })
}

/// What `#[field(…)]` says.
#[derive(Default)]
struct FieldAttr {
    name: Option<String>,
    default: Option<String>,
    kind: Option<Tokens>,
    label: Option<String>,
    required: bool,
    choices: Option<Tokens>,
    types: Option<Tokens>,
    /// The members of `Form` that are not as in `Form::PLAIN`.
    form: Vec<Tokens>,
}

impl FieldAttr {
    fn read(field: &syn::Field) -> syn::Result<FieldAttr> {
        let mut read = FieldAttr::default();
        for attr in field
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("field"))
        {
            read.add(attr.parse_args_with(Punctuated::parse_terminated)?)?;
        }
        Ok(read)
    }

    fn add(&mut self, pairs: Punctuated<Pair, Token![,]>) -> syn::Result<()> {
        for pair in pairs {
            let (key, value) = (&pair.key, &pair.value);
            match key.to_string().as_str() {
                "name" => self.name = Some(pair.text()?),
                "label" => self.label = Some(pair.text()?),
                "json" => self.default = Some(pair.text()?),
                "default" => self.default = Some(json_of(value)?),
                "kind" => self.kind = Some(variant(value)),
                "required" => self.required = pair.is_true()?,
                "choices" => self.choices = Some(array(value)?),
                "types" => self.types = Some(array(value)?),
                "begin" => {
                    let json = json_of(value)?;
                    self.form.push(quote!(begin: #json));
                }
                "begin_json" => self.form.push(quote!(begin: #value)),
                "shown" => {
                    let shown = shown(value);
                    self.form.push(quote!(shown: #shown));
                }
                "when" => {
                    let when = conditions(value)?;
                    self.form.push(quote!(when: #when));
                }
                "items" => self.form.push(quote!(items: #value)),
                "type_map" | "node_types" => {
                    let list = array(value)?;
                    self.form.push(quote!(#key: #list));
                }
                "hint" | "also" => {
                    let text = pair.text()?;
                    self.form.push(quote!(#key: #text));
                }
                "hidden" | "filled" | "optional" | "empty_is_all" | "text" | "legible" => {
                    let is = pair.is_true()?;
                    self.form.push(quote!(#key: #is));
                }
                _ => {
                    return Err(syn::Error::new(
                        key.span(),
                        "expected name, default, json, kind, label, required, choices, types, begin, begin_json, shown, when, items, hidden, \
                         filled, hint, optional, type_map, node_types, empty_is_all, also, text or legible",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The field as constant data; what it does not say itself is given.
    fn spec(&self, property: &str, default: &str, kind: &Tokens) -> Tokens {
        let default = self.default.as_deref().unwrap_or(default);
        let kind = self.kind.as_ref().unwrap_or(kind);
        let label = self.label.as_deref().unwrap_or_default();
        let required = self.required;
        let nothing = quote!(&[]);
        let choices = self.choices.as_ref().unwrap_or(&nothing);
        let types = self.types.as_ref().unwrap_or(&nothing);
        let (said, plain) = (&self.form, quote!(::vgdc_core::spec::Form::PLAIN));
        let form = match said.is_empty() {
            true => plain,
            false => quote!(::vgdc_core::spec::Form { #(#said,)* ..#plain }),
        };
        quote!(::vgdc_core::spec::FieldSpec { name: #property, kind: #kind, default: #default, label: #label, required: #required, choices: #choices, types: #types, form: #form })
    }
}

/// `Markdown`, or a `FieldKind`.
fn shown(value: &Expr) -> Tokens {
    match value {
        Expr::Path(path) if path.path.is_ident("Markdown") => {
            quote!(::vgdc_core::spec::Shown::Markdown)
        }
        _ => {
            let kind = variant(value);
            quote!(::vgdc_core::spec::Shown::As(#kind))
        }
    }
}

/// `[is("field", "value", …), not("field", true)]`.
fn conditions(value: &Expr) -> syn::Result<Tokens> {
    let wrong =
        |at: &Expr| syn::Error::new(at.span(), "expected [is(\"field\", value, …), not(…)]");
    let Expr::Array(list) = value else {
        return Err(wrong(value));
    };
    let mut all = Vec::new();
    for item in &list.elems {
        let Expr::Call(call) = item else {
            return Err(wrong(item));
        };
        let is = match &*call.func {
            Expr::Path(path) if path.path.is_ident("is") => true,
            Expr::Path(path) if path.path.is_ident("not") => false,
            _ => return Err(wrong(item)),
        };
        let mut arguments = call.args.iter();
        let field = arguments.next().ok_or_else(|| wrong(item))?;
        let values: Vec<String> = arguments.map(json_of).collect::<syn::Result<_>>()?;
        all.push(
            quote!(::vgdc_core::spec::When { field: #field, is: #is, values: &[#(#values),*] }),
        );
    }
    Ok(quote!(&[#(#all),*]))
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

/// A list as constant data, or the name of one.
fn array(value: &Expr) -> syn::Result<Tokens> {
    match value {
        Expr::Array(list) => Ok(quote!(&#list)),
        Expr::Path(constant) => Ok(quote!(#constant)),
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
    label: String,
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
        let (mut color, mut icon, mut label) = (String::new(), String::new(), String::new());
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
                "label" => label = pair.text()?,
                "button" => button = quote!(::vgdc_core::spec::Button::#value),
                _ => {
                    return Err(syn::Error::new(
                        pair.key.span(),
                        "expected type, category, inputs, outputs, effect, role, types, needs, text, waits, copies, color, icon, label or button",
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
            label,
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
            label,
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
                    form: <<#this as ::vgdc_core::Node>::Config as ::vgdc_core::Config>::FORM,
                    types: #types,
                    needs: #needs,
                    text: #text,
                    waits: #waits,
                    copies: #copies,
                    look: ::vgdc_core::spec::Look { color: #color, icon: #icon, label: #label, button: #button },
                },
                create: ::vgdc_core::process::create::<#this>,
            };
        }
    }
}
