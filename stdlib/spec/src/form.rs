//! What only forms ask of a field: how it is shown, and when. Nothing here changes what a node does, or what a compiler makes of it.

use crate::{FieldKind, FieldSpec};

/// How a form shows a field, where that does not follow from its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Form {
    /// The widget.
    pub shown: Shown,
    /// What a new node has, as JSON text; empty: the field's default.
    pub begin: &'static str,
    /// The form wants it filled in, though the node can do without it.
    pub filled: bool,
    /// Conditions under which the field is there; all must hold.
    pub when: &'static [When],
    /// The field is in no form: others stand for it, or nobody sets it by hand.
    pub hidden: bool,
    /// Words under the field.
    pub hint: &'static str,
    /// Of an array of objects: the fields of each element. Several may be of the same property, under different conditions.
    pub items: &'static [FieldSpec],
    /// Of a typed input: a value may be missing whatever its type.
    pub optional: bool,
    /// Of a typed input: what old files have as the type, and what it means.
    pub type_map: &'static [(&'static str, &'static str)],
    /// Of ids of nodes: the types that may be chosen; none: all nodes of the same flow.
    pub node_types: &'static [&'static str],
    /// Of ids of nodes: that there are none means all nodes.
    pub empty_is_all: bool,
    /// Of a choice: another property that always has the same value; empty: none.
    pub also: &'static str,
    /// Of structured data: the property is a text that holds JSON.
    pub text: bool,
    /// Of a credential: it may be read while it is typed (a user's name).
    pub legible: bool,
}

impl Form {
    /// As the kind is usually shown.
    pub const PLAIN: Form = Form {
        shown: Shown::AsItIs,
        begin: "",
        filled: false,
        when: &[],
        hidden: false,
        hint: "",
        items: &[],
        optional: false,
        type_map: &[],
        node_types: &[],
        empty_is_all: false,
        also: "",
        text: false,
        legible: false,
    };
}

/// What a field is to forms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown {
    /// Its kind, or a list where it has items.
    AsItIs,
    /// Another kind.
    As(FieldKind),
    /// A text in Markdown.
    Markdown,
}

/// A condition on another property of the same object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The other property.
    pub field: &'static str,
    /// Whether it must have one of the values, or none of them.
    pub is: bool,
    /// The values, each as JSON text.
    pub values: &'static [&'static str],
}
