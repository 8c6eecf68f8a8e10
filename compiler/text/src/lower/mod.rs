//! From the tree to Node-RED's JSON. All that can be wrong is told; what is wrong is left out.
//!
//! 1. `declare` finds all flows, groups and nodes, and gives them ids;
//! 2. [`props`] makes properties of arguments, when all names are known;
//! 3. `wires` connects;
//! 4. `layout` gives places to nodes that have none;
//! 5. `emit` writes.

mod cycles;
mod declare;
mod emit;
pub mod json;
mod layout;
mod missing;
pub mod props;
mod remember;
pub mod rules;
mod wires;

use crate::Nodes;
use crate::ast::*;
use crate::comments::Comments;
use crate::fault::{Fault, nearest};
use json::{Origin, Out};
use proc_macro2::Span;
use props::{Props, Reader};
use std::collections::HashMap;
use vgdc_spec::NodeSpec;
use vgdc_syntax::codes;

/// What a text becomes.
#[derive(Debug, Default)]
pub struct Lowered {
    /// Node-RED's flow file.
    pub json: String,
    /// Where its parts come from: the inner ones before those around them.
    pub origins: Vec<Origin>,
    /// Parts of it that are secrets.
    pub secrets: Vec<Span>,
    /// What is wrong with the text.
    pub faults: Vec<Fault>,
}

/// Makes JSON of a tree.
pub fn lower(file: &File, nodes: &dyn Nodes, comments: &Comments) -> Lowered {
    let mut lower = Lower::new(nodes);
    lower.declare(file);
    lower.read_all();
    lower.connect(file);
    lower.find_cycles();
    lower.place();
    lower.remember(file, comments);
    lower.emit()
}

/// A flow or subflow.
pub(crate) struct Container<'a> {
    is_subflow: bool,
    name: Option<String>,
    id: String,
    id_span: Span,
    item: &'a Item,
    block: &'a Block,
    /// Its nodes and groups by their names.
    names: HashMap<&'a str, Target>,
    /// Names in their order, for "did you mean".
    name_list: Vec<&'a str>,
    /// Where the wires of a subflow's input lead.
    input: Vec<Wire>,
    has_input: bool,
    /// What leads to a subflow's outputs.
    outs: Vec<Vec<Wire>>,
    status: Option<Vec<Wire>>,
    ports: HashMap<Port, (String, String)>,
    comments: Vec<(String, Out)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Port {
    In,
    Out(usize),
    Status,
}

/// A wire: to a node, or (of a subflow's ports) from one of its outputs.
#[derive(Clone)]
pub(crate) struct Wire {
    id: String,
    port: usize,
    span: Span,
}

/// A group.
pub(crate) struct Group<'a> {
    container: usize,
    /// The group around it.
    outer: Option<usize>,
    outer_name: Option<&'a Name>,
    id: String,
    item: &'a Item,
    block: &'a Block,
    members: Vec<String>,
    /// Nodes in it, for its place.
    nodes: Vec<usize>,
    comments: Vec<(String, Out)>,
}

/// A node.
pub(crate) struct Draft<'a> {
    container: Option<usize>,
    group: Option<usize>,
    group_name: Option<&'a Name>,
    name: Option<&'a Name>,
    id: String,
    id_span: Span,
    ty: String,
    ty_span: Span,
    spec: Option<&'static NodeSpec>,
    /// The subflow that it is an instance of.
    instance: Option<usize>,
    args: &'a [Arg],
    arms: Option<&'a [Arm]>,
    is_config: bool,
    disabled: bool,
    info: Option<Out>,
    at: Option<(String, String)>,
    props: Props,
    /// How many outputs it is said to have, or what is known of its type.
    outputs: Option<usize>,
    wires: Vec<Vec<Wire>>,
    span: Span,
    comments: Vec<(String, Out)>,
}

/// What a name stands for.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    Node(usize),
    Group(usize),
    Container(usize),
}

pub(crate) struct Lower<'a, 'n> {
    nodes: &'n dyn Nodes,
    faults: Vec<Fault>,
    containers: Vec<Container<'a>>,
    groups: Vec<Group<'a>>,
    drafts: Vec<Draft<'a>>,
    /// Flows, subflows and nodes outside of flows, by name.
    top: HashMap<&'a str, Target>,
    top_list: Vec<&'a str>,
    /// The nodes of elements that make one, by the element's address.
    made: HashMap<*const Element, usize>,
    secrets: Vec<Span>,
}

impl<'a, 'n> Lower<'a, 'n> {
    fn new(nodes: &'n dyn Nodes) -> Lower<'a, 'n> {
        Lower {
            nodes,
            faults: Vec::new(),
            containers: Vec::new(),
            groups: Vec::new(),
            drafts: Vec::new(),
            top: HashMap::new(),
            top_list: Vec::new(),
            made: HashMap::new(),
            secrets: Vec::new(),
        }
    }

    /// What a path begins with, and what is left of it.
    fn find<'p>(
        &self,
        container: Option<usize>,
        path: &'p Path,
    ) -> Result<(Target, &'p [Segment]), Fault> {
        let name = path.head.text.as_str();
        let inside = container.and_then(|at| self.containers.get(at));
        if let Some(target) = inside.and_then(|inside| inside.names.get(name)) {
            return Ok((*target, &path.rest));
        }
        match (self.top.get(name), path.rest.split_first()) {
            (Some(Target::Container(at)), Some((Segment::Field(inner), rest))) => {
                let flow = self.containers.get(*at);
                match flow.and_then(|flow| flow.names.get(inner.text.as_str())) {
                    Some(target) => Ok((*target, rest)),
                    None => {
                        let message = format!("`{name}` has no node `{}`", inner.text);
                        let known = flow
                            .into_iter()
                            .flat_map(|flow| flow.name_list.iter().copied());
                        let fix = nearest(&inner.text, known);
                        Err(Fault::error(inner.span, codes::TEXT_UNKNOWN_NAME, message)
                            .with_fix_if(fix))
                    }
                }
            }
            (Some(target), _) => Ok((*target, &path.rest)),
            (None, _) => {
                let known = inside
                    .into_iter()
                    .flat_map(|inside| inside.name_list.iter().copied());
                let fix = nearest(name, known.chain(self.top_list.iter().copied()));
                let message = format!("there is no node `{name}`");
                Err(
                    Fault::error(path.head.span, codes::TEXT_UNKNOWN_NAME, message)
                        .with_fix_if(fix),
                )
            }
        }
    }

    /// The id that a path in a value stands for.
    fn id_of(&self, container: Option<usize>, path: &Path) -> Result<String, Fault> {
        let (target, rest) = self.find(container, path)?;
        if !rest.is_empty() {
            let message = "a value is a node, not an output of one";
            return Err(Fault::error(path.span, codes::TEXT_WRONG_VALUE, message));
        }
        let id = match target {
            Target::Node(at) => self.drafts.get(at).map(|draft| draft.id.clone()),
            Target::Group(at) => self.groups.get(at).map(|group| group.id.clone()),
            Target::Container(at) => self
                .containers
                .get(at)
                .map(|container| container.id.clone()),
        };
        Ok(id.unwrap_or_default())
    }

    /// Reads the arguments of all nodes.
    fn read_all(&mut self) {
        for at in 0..self.drafts.len() {
            let Some(draft) = self.drafts.get(at) else {
                continue;
            };
            let (container, spec, args, arms, instance) = (
                draft.container,
                draft.spec,
                draft.args,
                draft.arms,
                draft.instance,
            );
            let resolve = |path: &Path| self.id_of(container, path);
            let mut reader = Reader {
                resolve: &resolve,
                faults: Vec::new(),
            };
            let mut read = match instance {
                Some(of) => self.instance(&mut reader, of, args),
                None => reader.node(spec, args, arms),
            };
            let mut faults = reader.faults;
            if let Some(info) = self.drafts.get(at).and_then(|draft| draft.info.clone()) {
                read.fill("info", || info);
            }
            if let Some(spec) = spec {
                faults.extend(missing::option(spec, &read, draft));
                props::complete(spec, &mut read);
            }
            if let Some(secret) = read.get("credentials").and_then(|out| out.span) {
                self.secrets.push(secret);
            }
            self.faults.append(&mut faults);
            let Some(draft) = self.drafts.get_mut(at) else {
                continue;
            };
            if draft.outputs.is_none() {
                draft.outputs = spec.map(|spec| props::outputs(spec, &read));
            }
            draft.props = read;
        }
    }

    /// The arguments of a subflow's instance: values of its variables, and what every node has.
    fn instance(&self, reader: &mut Reader<'_>, of: usize, args: &[Arg]) -> Props {
        let mut props = Props::default();
        let mut variables: Vec<&Arg> = Vec::new();
        let known: Vec<&str> = self
            .containers
            .get(of)
            .into_iter()
            .flat_map(|subflow| subflow.block.env.iter())
            .filter_map(|arg| match &arg.kind {
                ArgKind::Named(key, _) => Some(key.text.as_str()),
                _ => None,
            })
            .collect();
        for arg in args {
            match &arg.kind {
                ArgKind::Named(key, value) => {
                    let is_property = key.quoted
                        || props::COMMON.contains(&key.text.as_str())
                        || key.text == "env";
                    if props.get(&key.text).is_some() {
                        let message = format!("`{}` is given twice", key.text);
                        reader.fault(Fault::error(key.span, codes::TEXT_OPTION_TWICE, message));
                    } else if is_property {
                        let out = reader.plain(value);
                        props.list.push((key.text.clone(), out));
                    } else if known.contains(&key.text.as_str()) {
                        variables.push(arg);
                    } else {
                        let message = format!("the subflow has no variable `{}`", key.text);
                        let fix = nearest(&key.text, known.iter().copied());
                        reader.fault(
                            Fault::error(key.span, codes::TEXT_UNKNOWN_OPTION, message)
                                .with_fix_if(fix),
                        );
                    }
                }
                _ => reader.stray("subflow", arg),
            }
        }
        let env = variables_of(reader, variables.into_iter());
        if props.get("env").is_none() {
            props.list.push(("env".to_owned(), env));
        }
        props.fill("name", || Out::text(""));
        props
    }
}

/// Variables of a flow, group or subflow, as Node-RED keeps them.
pub(crate) fn variables_of<'a>(
    reader: &mut Reader<'_>,
    args: impl Iterator<Item = &'a Arg>,
) -> Out {
    let (mut list, mut seen) = (Vec::new(), Vec::new());
    for arg in args {
        let ArgKind::Named(key, value) = &arg.kind else {
            let message = "expected `name = value`";
            reader.fault(Fault::error(arg.span, codes::TEXT_UNKNOWN_OPTION, message));
            continue;
        };
        if seen.contains(&key.text.as_str()) {
            let message = format!("`{}` is given twice", key.text);
            reader.fault(Fault::error(key.span, codes::TEXT_OPTION_TWICE, message));
            continue;
        }
        seen.push(&key.text);
        let Some((value, ty)) = reader.typed(value) else {
            continue;
        };
        let mut members = vec![
            ("name".to_owned(), Out::text(key.text.clone()).at(key.span)),
            ("type".to_owned(), ty),
            ("value".to_owned(), value),
        ];
        for attr in &arg.attrs {
            match (attr.name.text.as_str(), &attr.kind) {
                ("prop", AttrKind::List(values)) => match values.as_slice() {
                    [
                        Value {
                            kind: ValueKind::Text(name),
                            ..
                        },
                        value,
                    ] => {
                        let out = reader.plain(value);
                        members.push((name.value.clone(), out));
                    }
                    _ => reader.fault(props::misplaced(attr)),
                },
                _ => reader.fault(props::misplaced(attr)),
            }
        }
        list.push(Out::map(members).at(arg.span));
    }
    Out::list(list)
}
