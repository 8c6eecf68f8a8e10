//! A node's description as data that can leave the program that has the node: the compiler learns so of nodes that are not in
//! it.
//!
//! What a function says of types cannot leave; such a node is one of which nothing is known.

use crate::text::OwnText;
use crate::{
    Button, Copies, Effect, FieldKind, FieldSpec, Form, Look, Need, NodeSpec, Outputs, Role, Shown,
    Types, When,
};
use serde::{Deserialize, Serialize};

/// A [`NodeSpec`] that owns what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Described {
    ty: String,
    category: String,
    inputs: u8,
    outputs: OwnOutputs,
    role: Role,
    effect: Effect,
    fields: Vec<OwnField>,
    /// None: the same as `fields`.
    #[serde(default)]
    form: Option<Vec<OwnField>>,
    types: Option<String>,
    needs: Vec<(String, String)>,
    text: OwnText,
    waits: bool,
    copies: OwnCopies,
    #[serde(default)]
    look: OwnLook,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OwnLook {
    color: String,
    icon: String,
    #[serde(default)]
    label: String,
    button: Button,
}

impl Default for OwnLook {
    fn default() -> OwnLook {
        Look::PLAIN.into()
    }
}

impl From<Look> for OwnLook {
    fn from(look: Look) -> OwnLook {
        OwnLook {
            color: look.color.to_owned(),
            icon: look.icon.to_owned(),
            label: look.label.to_owned(),
            button: look.button,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum OwnCopies {
    No,
    Yes,
    Unless(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum OwnOutputs {
    Fixed(u16),
    Field(String),
    Rules(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OwnField {
    name: String,
    kind: OwnKind,
    default: String,
    label: String,
    required: bool,
    #[serde(default)]
    choices: Vec<(String, String)>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Box<OwnForm>>,
}

/// What a field says to forms, if it says anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OwnForm {
    shown: OwnShown,
    begin: String,
    filled: bool,
    when: Vec<(String, bool, Vec<String>)>,
    hidden: bool,
    hint: String,
    items: Vec<OwnField>,
    optional: bool,
    type_map: Vec<(String, String)>,
    node_types: Vec<String>,
    empty_is_all: bool,
    also: String,
    text: bool,
    legible: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum OwnShown {
    AsItIs,
    As(OwnKind),
    Markdown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum OwnKind {
    Text,
    Number,
    Bool,
    Json,
    Typed(String),
    MsgPath,
    JavaScript,
    Jsonata,
    Mustache,
    ConfigRef(String),
    NodeIds,
    Modules,
    Credential,
}

impl From<&NodeSpec> for Described {
    fn from(spec: &NodeSpec) -> Self {
        let needs = spec.needs.iter();
        Described {
            ty: spec.ty.to_owned(),
            category: spec.category.to_owned(),
            inputs: spec.inputs,
            outputs: match spec.outputs {
                Outputs::Fixed(count) => OwnOutputs::Fixed(count),
                Outputs::Field(name) => OwnOutputs::Field(name.to_owned()),
                Outputs::Rules(name) => OwnOutputs::Rules(name.to_owned()),
            },
            role: spec.role,
            effect: spec.effect,
            fields: spec.fields.iter().map(OwnField::from).collect(),
            form: (spec.form != spec.fields)
                .then(|| spec.form.iter().map(OwnField::from).collect()),
            types: match spec.types {
                Types::Text(text) => Some(text.to_owned()),
                Types::Unknown | Types::Code(_) => None,
            },
            needs: needs
                .map(|need| (need.field.to_owned(), need.without.to_owned()))
                .collect(),
            text: spec.text.into(),
            waits: spec.waits,
            copies: match spec.copies {
                Copies::No => OwnCopies::No,
                Copies::Yes => OwnCopies::Yes,
                Copies::Unless(field) => OwnCopies::Unless(field.to_owned()),
            },
            look: spec.look.into(),
        }
    }
}

impl From<&FieldSpec> for OwnField {
    fn from(field: &FieldSpec) -> Self {
        OwnField {
            name: field.name.to_owned(),
            kind: field.kind.into(),
            default: field.default.to_owned(),
            label: field.label.to_owned(),
            required: field.required,
            choices: owned_pairs(field.choices),
            types: owned(field.types),
            form: (field.form != Form::PLAIN).then(|| Box::new(field.form.into())),
        }
    }
}

impl From<Form> for OwnForm {
    fn from(form: Form) -> Self {
        let when = form.when.iter();
        OwnForm {
            shown: match form.shown {
                Shown::AsItIs => OwnShown::AsItIs,
                Shown::As(kind) => OwnShown::As(kind.into()),
                Shown::Markdown => OwnShown::Markdown,
            },
            begin: form.begin.to_owned(),
            filled: form.filled,
            when: when
                .map(|when| (when.field.to_owned(), when.is, owned(when.values)))
                .collect(),
            hidden: form.hidden,
            hint: form.hint.to_owned(),
            items: form.items.iter().map(OwnField::from).collect(),
            optional: form.optional,
            type_map: owned_pairs(form.type_map),
            node_types: owned(form.node_types),
            empty_is_all: form.empty_is_all,
            also: form.also.to_owned(),
            text: form.text,
            legible: form.legible,
        }
    }
}

impl From<FieldKind> for OwnKind {
    fn from(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Text => OwnKind::Text,
            FieldKind::Number => OwnKind::Number,
            FieldKind::Bool => OwnKind::Bool,
            FieldKind::Json => OwnKind::Json,
            FieldKind::Typed(name) => OwnKind::Typed(name.to_owned()),
            FieldKind::MsgPath => OwnKind::MsgPath,
            FieldKind::JavaScript => OwnKind::JavaScript,
            FieldKind::Jsonata => OwnKind::Jsonata,
            FieldKind::Mustache => OwnKind::Mustache,
            FieldKind::ConfigRef(name) => OwnKind::ConfigRef(name.to_owned()),
            FieldKind::NodeIds => OwnKind::NodeIds,
            FieldKind::Modules => OwnKind::Modules,
            FieldKind::Credential => OwnKind::Credential,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn owned_pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
    owned.collect()
}

fn leaked_pairs(pairs: Vec<(String, String)>) -> &'static [(&'static str, &'static str)] {
    let all = pairs.into_iter().map(|(a, b)| (&*a.leak(), &*b.leak()));
    all.collect::<Vec<(&'static str, &'static str)>>().leak()
}

fn leaked(texts: Vec<String>) -> &'static [&'static str] {
    let all = texts.into_iter().map(|text| &*text.leak());
    all.collect::<Vec<&'static str>>().leak()
}

fn leaked_fields(fields: Vec<OwnField>) -> &'static [FieldSpec] {
    let all = fields.into_iter().map(OwnField::leak);
    all.collect::<Vec<FieldSpec>>().leak()
}

impl Described {
    /// The node's type.
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// The description as the compiler's tables hold it. Its memory is never given back: a process reads the descriptions of
    /// a project's nodes once.
    pub fn leak(self) -> &'static NodeSpec {
        let fields = leaked_fields(self.fields);
        let needs = self.needs.into_iter().map(|(field, without)| Need {
            field: field.leak(),
            without: without.leak(),
        });
        Box::leak(Box::new(NodeSpec {
            ty: self.ty.leak(),
            category: self.category.leak(),
            inputs: self.inputs,
            outputs: match self.outputs {
                OwnOutputs::Fixed(count) => Outputs::Fixed(count),
                OwnOutputs::Field(name) => Outputs::Field(name.leak()),
                OwnOutputs::Rules(name) => Outputs::Rules(name.leak()),
            },
            role: self.role,
            effect: self.effect,
            fields,
            form: self.form.map_or(fields, leaked_fields),
            types: match self.types {
                Some(text) => Types::Text(text.leak()),
                None => Types::Unknown,
            },
            needs: needs.collect::<Vec<_>>().leak(),
            text: self.text.leak(),
            waits: self.waits,
            copies: match self.copies {
                OwnCopies::No => Copies::No,
                OwnCopies::Yes => Copies::Yes,
                OwnCopies::Unless(field) => Copies::Unless(field.leak()),
            },
            look: Look {
                color: self.look.color.leak(),
                icon: self.look.icon.leak(),
                label: self.look.label.leak(),
                button: self.look.button,
            },
        }))
    }
}

impl OwnField {
    fn leak(self) -> FieldSpec {
        FieldSpec {
            name: self.name.leak(),
            kind: self.kind.leak(),
            default: self.default.leak(),
            label: self.label.leak(),
            required: self.required,
            choices: leaked_pairs(self.choices),
            types: leaked(self.types),
            form: self.form.map_or(Form::PLAIN, |form| form.leak()),
        }
    }
}

impl OwnForm {
    fn leak(self) -> Form {
        let when = self.when.into_iter().map(|(field, is, values)| When {
            field: field.leak(),
            is,
            values: leaked(values),
        });
        Form {
            shown: match self.shown {
                OwnShown::AsItIs => Shown::AsItIs,
                OwnShown::As(kind) => Shown::As(kind.leak()),
                OwnShown::Markdown => Shown::Markdown,
            },
            begin: self.begin.leak(),
            filled: self.filled,
            when: when.collect::<Vec<_>>().leak(),
            hidden: self.hidden,
            hint: self.hint.leak(),
            items: leaked_fields(self.items),
            optional: self.optional,
            type_map: leaked_pairs(self.type_map),
            node_types: leaked(self.node_types),
            empty_is_all: self.empty_is_all,
            also: self.also.leak(),
            text: self.text,
            legible: self.legible,
        }
    }
}

impl OwnKind {
    fn leak(self) -> FieldKind {
        match self {
            OwnKind::Text => FieldKind::Text,
            OwnKind::Number => FieldKind::Number,
            OwnKind::Bool => FieldKind::Bool,
            OwnKind::Json => FieldKind::Json,
            OwnKind::Typed(name) => FieldKind::Typed(name.leak()),
            OwnKind::MsgPath => FieldKind::MsgPath,
            OwnKind::JavaScript => FieldKind::JavaScript,
            OwnKind::Jsonata => FieldKind::Jsonata,
            OwnKind::Mustache => FieldKind::Mustache,
            OwnKind::ConfigRef(name) => FieldKind::ConfigRef(name.leak()),
            OwnKind::NodeIds => FieldKind::NodeIds,
            OwnKind::Modules => FieldKind::Modules,
            OwnKind::Credential => FieldKind::Credential,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_comes_and_goes() {
        static SPEC: NodeSpec = NodeSpec {
            ty: "acme scale",
            category: "acme",
            inputs: 1,
            outputs: Outputs::Rules("rules"),
            role: Role::Operator,
            effect: Effect::Pure,
            fields: &[
                FieldSpec {
                    name: "value",
                    kind: FieldKind::Typed("valueType"),
                    default: "\"a \\\"b\\\"\"",
                    label: "Value",
                    required: true,
                    choices: &[("a", "A")],
                    types: &["msg", "num"],
                    form: Form {
                        shown: Shown::As(FieldKind::Number),
                        when: &[When {
                            field: "broker",
                            is: false,
                            values: &["\"\""],
                        }],
                        items: &[FieldSpec {
                            name: "each",
                            kind: FieldKind::Text,
                            default: "\"\"",
                            label: "Each",
                            required: false,
                            choices: &[],
                            types: &[],
                            form: Form::PLAIN,
                        }],
                        type_map: &[("val", "str")],
                        ..Form::PLAIN
                    },
                },
                FieldSpec {
                    name: "broker",
                    kind: FieldKind::ConfigRef("acme hub"),
                    default: "\"\"",
                    label: "",
                    required: false,
                    choices: &[],
                    types: &[],
                    form: Form::PLAIN,
                },
            ],
            form: &[],
            types: Types::Text("msg{payload: number}"),
            needs: &[Need {
                field: "payload",
                without: "there is nothing to scale",
            }],
            text: crate::Text::First("value"),
            waits: true,
            copies: Copies::Unless("name"),
            look: Look {
                color: "#abc",
                icon: "scale.svg",
                label: "scale",
                button: Button::Toggle,
            },
        };
        let described = Described::from(&SPEC);
        let text = serde_json::to_string(&described).expect("it is data");
        let back: Described = serde_json::from_str(&text).expect("it is read");
        assert_eq!(back, described);
        assert_eq!(format!("{:?}", back.leak()), format!("{SPEC:?}"));
    }
}
