//! From the arguments of a node to its properties.

use super::json::{Out, OutKind};
use super::rules;
use crate::ast::*;
use crate::fault::{Fault, nearest};
use vgdc_spec::{FieldKind, FieldSpec, NodeSpec, Outputs, Role, Text as Form};
use vgdc_syntax::codes;

/// Properties that every node may have, besides its own.
pub const COMMON: &[&str] = &[
    "name",
    "info",
    "icon",
    "l",
    "inputLabels",
    "outputLabels",
    "credentials",
];

/// Properties that the language says in other ways.
pub const STRUCTURAL: &[&str] = &["id", "type"];

/// What arguments are read with: names, and a place for faults.
pub struct Reader<'a> {
    /// The id that a name stands for.
    pub resolve: &'a dyn Fn(&Path) -> Result<String, Fault>,
    /// What was wrong.
    pub faults: Vec<Fault>,
}

/// What a node's arguments and arms say.
#[derive(Default)]
pub struct Props {
    /// The properties, in the order of the text.
    pub list: Vec<(String, Out)>,
    /// For each arm its output.
    pub ports: Vec<Option<usize>>,
}

impl Props {
    /// A property.
    pub fn get(&self, name: &str) -> Option<&Out> {
        self.list
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, out)| out)
    }

    /// Sets a property, unless it is there.
    pub fn fill(&mut self, name: &str, out: impl FnOnce() -> Out) {
        if self.get(name).is_none() {
            self.list.push((name.to_owned(), out()));
        }
    }
}

impl Reader<'_> {
    /// Says that something is wrong.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn wrong(&mut self, value: &Value, message: impl Into<String>) {
        self.fault(Fault::error(value.span, codes::TEXT_WRONG_VALUE, message));
    }

    /// A value as it stands, with names as ids.
    pub fn plain(&mut self, value: &Value) -> Out {
        let kind = match &value.kind {
            ValueKind::Text(text) => OutKind::Text(text.value.clone(), text.map.clone()),
            ValueKind::Number(digits) => OutKind::Raw(digits.clone()),
            ValueKind::Bool(is) => OutKind::Raw(is.to_string()),
            ValueKind::Null => OutKind::Raw("null".to_owned()),
            ValueKind::List(all) => {
                OutKind::List(all.iter().map(|value| self.plain(value)).collect())
            }
            ValueKind::Map(all) => {
                let mut members: Vec<(String, Out)> = Vec::new();
                for (key, value) in all {
                    if members.iter().any(|(name, _)| *name == key.text) {
                        let message = format!("`{}` is given twice", key.text);
                        self.fault(Fault::error(key.span, codes::TEXT_OPTION_TWICE, message));
                        continue;
                    }
                    let out = self.plain(value);
                    members.push((key.text.clone(), out));
                }
                OutKind::Map(members)
            }
            ValueKind::Path(path) => match (self.resolve)(path) {
                Ok(id) => OutKind::Text(id, Vec::new()),
                Err(fault) => {
                    self.fault(fault);
                    OutKind::Text(String::new(), Vec::new())
                }
            },
            ValueKind::Typed(name, _) => {
                let message = format!("`{}(…)` says a type, and this property has none", name.text);
                self.wrong(value, message);
                OutKind::Text(String::new(), Vec::new())
            }
        };
        Out {
            kind,
            span: Some(value.span),
        }
    }

    /// A typed value: its text, and the word for its type.
    pub fn typed(&mut self, value: &Value) -> Option<(Out, Out)> {
        let (kind, ty) = match &value.kind {
            ValueKind::Text(text) => (
                OutKind::Text(text.value.clone(), text.map.clone()),
                "str".to_owned(),
            ),
            ValueKind::Number(digits) => {
                (OutKind::Text(digits.clone(), Vec::new()), "num".to_owned())
            }
            ValueKind::Bool(is) => (OutKind::Text(is.to_string(), Vec::new()), "bool".to_owned()),
            ValueKind::Typed(name, text) => (
                OutKind::Text(text.value.clone(), text.map.clone()),
                name.text.clone(),
            ),
            ValueKind::Path(path) if is_place(path) => (
                OutKind::Text(place_text(&path.rest), Vec::new()),
                path.head.text.clone(),
            ),
            ValueKind::List(_) | ValueKind::Map(_) => (
                OutKind::Text(self.plain(value).to_json(), Vec::new()),
                "json".to_owned(),
            ),
            ValueKind::Null => (
                OutKind::Text("null".to_owned(), Vec::new()),
                "json".to_owned(),
            ),
            ValueKind::Path(path) => {
                let mut message = format!("`{}` is no value", path.head.text);
                if (self.resolve)(path).is_ok() {
                    message = format!("`{}` is a node, and no node can stand here", path.head.text);
                }
                let fix = format!(
                    "a property of the message is `msg.{}`, a text stands in quotes",
                    path.head.text
                );
                self.fault(
                    Fault::error(value.span, codes::TEXT_WRONG_VALUE, message).with_fix(fix),
                );
                return None;
            }
        };
        // (what is said of a place in the text is about the token, not about the word before it)
        let span = match &value.kind {
            ValueKind::Typed(_, text) => text.span,
            _ => value.span,
        };
        Some((
            Out {
                kind,
                span: Some(span),
            },
            Out::text(ty).at(value.span),
        ))
    }

    /// The arguments and arms of a node.
    pub fn node(
        &mut self,
        spec: Option<&'static NodeSpec>,
        args: &[Arg],
        arms: Option<&[Arm]>,
    ) -> Props {
        let mut props = Props::default();
        let mut unnamed: Vec<&Arg> = Vec::new();
        for arg in args {
            if let Some(attr) = arg.attrs.first() {
                self.fault(misplaced(attr));
            }
            match &arg.kind {
                ArgKind::Named(key, value) => self.named(spec, &mut props, key, value),
                _ => unnamed.push(arg),
            }
        }
        let form = spec.map_or(Form::Plain, |spec| spec.text);
        let explicit = props.get("rules").is_some();
        match form {
            Form::Conditions => {
                rules::conditions(self, &mut props, &unnamed, arms.unwrap_or(&[]), explicit)
            }
            Form::Assignments => rules::assignments(self, &mut props, &unnamed),
            Form::Properties => rules::properties(self, &mut props, &unnamed),
            Form::First(name) => {
                if let (Some(spec), Some(first)) = (spec, unnamed.first()) {
                    match &first.kind {
                        ArgKind::Value(value) => {
                            let key = Key {
                                text: name.to_owned(),
                                quoted: false,
                                span: value.span,
                            };
                            self.named(Some(spec), &mut props, &key, value);
                        }
                        _ => self.stray(spec.ty, first),
                    }
                }
                for arg in unnamed.iter().skip(1) {
                    self.stray(spec.map_or("node", |spec| spec.ty), arg);
                }
            }
            Form::Plain => {
                for arg in unnamed {
                    self.stray(spec.map_or("node of this type", |spec| spec.ty), arg);
                }
            }
        }
        props
    }

    /// An argument that has no name and needs one.
    pub fn stray(&mut self, what: &str, arg: &Arg) {
        let message = format!("this argument of the {what} has no name");
        let fault = Fault::error(arg.span, codes::TEXT_UNKNOWN_OPTION, message);
        self.fault(fault.with_fix("write `property = value`"));
    }

    fn named(
        &mut self,
        spec: Option<&'static NodeSpec>,
        props: &mut Props,
        key: &Key,
        value: &Value,
    ) {
        let name = key.text.as_str();
        if STRUCTURAL.contains(&name) {
            let message = format!("`{name}` is no option");
            let fault = Fault::error(key.span, codes::TEXT_UNKNOWN_OPTION, message);
            self.fault(fault.with_fix(
                "the id is said by `#[id = \"…\"]`, the type by the word before the parenthesis",
            ));
            return;
        }
        if props.get(name).is_some() {
            let message = format!("`{name}` is given twice");
            self.fault(Fault::error(key.span, codes::TEXT_OPTION_TWICE, message));
            return;
        }
        let field = spec.and_then(|spec| spec.field(name));
        if key.quoted
            || (spec.is_none() && field.is_none())
            || COMMON.contains(&name) && field.is_none()
        {
            let out = self.plain(value);
            props.list.push((name.to_owned(), out));
            return;
        }
        let Some(field) = field else {
            let spec_fields = spec
                .iter()
                .flat_map(|spec| spec.fields.iter().map(|field| field.name));
            let fix = nearest(name, spec_fields.chain(COMMON.iter().copied()));
            let ty = spec.map_or("", |spec| spec.ty);
            let message = format!("the {ty} node has no option `{name}`");
            let fix = fix.unwrap_or_else(|| {
                format!("a property that vgdc does not know is written in quotes: \"{name}\" = …")
            });
            self.fault(Fault::error(key.span, codes::TEXT_UNKNOWN_OPTION, message).with_fix(fix));
            return;
        };
        match field.kind {
            FieldKind::Typed(type_name) => {
                if let Some((out, ty)) = self.typed(value) {
                    props.list.push((name.to_owned(), out));
                    props.fill(type_name, || ty);
                }
            }
            FieldKind::Credential => {
                let message = format!("`{name}` is a secret, which does not stand in a flow");
                let fix = "secrets are kept in the credentials file beside the flow";
                self.fault(
                    Fault::error(value.span, codes::TEXT_WRONG_VALUE, message).with_fix(fix),
                );
            }
            _ => {
                if let Some(message) = refuses(field, value) {
                    self.wrong(value, message);
                }
                let mut out = self.plain_or_place(field, value);
                if let (FieldKind::NodeIds, ValueKind::Path(_)) = (field.kind, &value.kind) {
                    out = Out::list(vec![out]).at(value.span);
                }
                props.list.push((name.to_owned(), out));
            }
        }
    }

    /// `msg.payload` is a property path, too.
    fn plain_or_place(&mut self, field: &FieldSpec, value: &Value) -> Out {
        match (&field.kind, &value.kind) {
            (FieldKind::MsgPath, ValueKind::Path(path))
                if path.head.text == "msg" && is_place(path) =>
            {
                Out::text(place_text(&path.rest)).at(value.span)
            }
            _ => self.plain(value),
        }
    }
}

/// Whether a path is a place in a message or context.
pub fn is_place(path: &Path) -> bool {
    matches!(path.head.text.as_str(), "msg" | "flow" | "global") && !path.rest.is_empty()
}

/// A place as Node-RED writes it, without what it begins with.
pub fn place_text(segments: &[Segment]) -> String {
    let mut out = String::new();
    for segment in segments {
        match segment {
            Segment::Field(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&name.text);
            }
            Segment::Number(digits, _) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(digits);
            }
            Segment::Index(digits, _) => out.push_str(&format!("[{digits}]")),
            Segment::Key(text) => {
                let quote = if text.value.contains('"') { '\'' } else { '"' };
                out.push_str(&format!("[{quote}{}{quote}]", text.value));
            }
        }
    }
    out
}

/// Why a field cannot have a value, from the value's form alone.
pub fn refuses(field: &FieldSpec, value: &Value) -> Option<String> {
    let is_default = |of: &[char]| field.default.starts_with(of);
    let digits: &[char] = &['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
    let like_default = match &value.kind {
        ValueKind::Text(_) => is_default(&['"']),
        ValueKind::Number(_) => is_default(digits),
        ValueKind::Bool(_) => matches!(field.default, "true" | "false"),
        ValueKind::Null => field.default == "null",
        ValueKind::List(_) => is_default(&['[']),
        ValueKind::Map(_) => is_default(&['{']),
        ValueKind::Path(_) | ValueKind::Typed(..) => false,
    };
    if like_default {
        return None;
    }
    let wanted = match field.kind {
        FieldKind::Text | FieldKind::JavaScript | FieldKind::Jsonata | FieldKind::Mustache => {
            match value.kind {
                ValueKind::Text(_) => return None,
                _ => "a text in quotes",
            }
        }
        FieldKind::MsgPath => match &value.kind {
            ValueKind::Text(_) => return None,
            ValueKind::Path(path) if path.head.text == "msg" => return None,
            _ => "a property such as msg.payload",
        },
        FieldKind::Number => match value.kind {
            ValueKind::Number(_) | ValueKind::Text(_) => return None,
            _ => "a number",
        },
        FieldKind::Bool => match value.kind {
            ValueKind::Bool(_) | ValueKind::Text(_) => return None,
            _ => "true or false",
        },
        FieldKind::ConfigRef(_) => match value.kind {
            ValueKind::Path(_) | ValueKind::Text(_) => return None,
            _ => "the name of a configuration node",
        },
        FieldKind::NodeIds => match &value.kind {
            ValueKind::Path(_) | ValueKind::Text(_) => return None,
            ValueKind::List(all)
                if all
                    .iter()
                    .all(|v| matches!(v.kind, ValueKind::Path(_) | ValueKind::Text(_))) =>
            {
                return None;
            }
            _ => "names of nodes in [ ]",
        },
        FieldKind::Json | FieldKind::Modules | FieldKind::Typed(_) | FieldKind::Credential => {
            match value.kind {
                ValueKind::Typed(..) => "a plain value",
                _ => return None,
            }
        }
    };
    Some(format!("`{}` takes {wanted}", field.name))
}

/// An attribute that says nothing where it stands.
pub fn misplaced(attr: &Attr) -> Fault {
    let message = format!("`#[{}]` says nothing here", attr.name.text);
    Fault::error(attr.span, codes::TEXT_MISPLACED, message)
}

/// Gives a node of a known type what it has when nothing is said, as the editor does.
pub fn complete(spec: &NodeSpec, props: &mut Props) {
    for field in spec.fields {
        if field.default != "null" && field.kind != FieldKind::Credential {
            props.fill(field.name, || Out::of_json(field.default));
        }
    }
    if let Outputs::Rules(name) = spec.outputs
        && let Some(rules) = props.get(name).map(|rules| rules.elements().len())
    {
        props.fill("outputs", || Out::raw(rules.to_string()));
    }
}

/// How many outputs a node has in its file.
pub fn outputs(spec: &NodeSpec, props: &Props) -> usize {
    match (spec.outputs, spec.role) {
        // (its wires are virtual)
        (_, Role::LinkOut) => 0,
        (Outputs::Fixed(count), _) => count.into(),
        (Outputs::Field(name), _) => match props.get(name).map(|out| &out.kind) {
            Some(OutKind::Raw(text) | OutKind::Text(text, _)) => text
                .parse::<f64>()
                .map_or(0, |count| count.clamp(0.0, 10_000.0) as usize),
            _ => 1,
        },
        (Outputs::Rules(name), _) => props.get(name).map_or(0, |out| out.elements().len()),
    }
}
