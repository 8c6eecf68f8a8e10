//! A node's description as data that can leave the program that has the node: the compiler learns so of nodes that are not in
//! it.
//!
//! What a function says of types cannot leave; such a node is one of which nothing is known.

use crate::text::OwnText;
use crate::{
    Button, Copies, Effect, FieldKind, FieldSpec, Look, Need, NodeSpec, Outputs, Role, Types,
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
        let fields = spec.fields.iter().map(|field| OwnField {
            name: field.name.to_owned(),
            kind: field.kind.into(),
            default: field.default.to_owned(),
            label: field.label.to_owned(),
            required: field.required,
            choices: owned_pairs(field.choices),
            types: field.types.iter().map(|ty| (*ty).to_owned()).collect(),
        });
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
            fields: fields.collect(),
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

impl Described {
    /// The node's type.
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// The description as the compiler's tables hold it. Its memory is never given back: a process reads the descriptions of
    /// a project's nodes once.
    pub fn leak(self) -> &'static NodeSpec {
        let fields: Vec<FieldSpec> = self
            .fields
            .into_iter()
            .map(|field| FieldSpec {
                name: field.name.leak(),
                kind: field.kind.leak(),
                default: field.default.leak(),
                label: field.label.leak(),
                required: field.required,
                choices: leaked_pairs(field.choices),
                types: leaked(field.types),
            })
            .collect();
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
            fields: fields.leak(),
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
                button: self.look.button,
            },
        }))
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
                },
                FieldSpec {
                    name: "broker",
                    kind: FieldKind::ConfigRef("acme hub"),
                    default: "\"\"",
                    label: "",
                    required: false,
                    choices: &[],
                    types: &[],
                },
            ],
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
