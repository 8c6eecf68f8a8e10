//! The flow file: all objects, in the order of the text, each flow before its groups and nodes.

use super::json::{Out, OutKind, Writer};
use super::props::{Reader, misplaced};
use super::{Container, Draft, Group, Lower, Lowered, Port, Wire, variables_of};
use crate::COMMENTS;
use crate::ast::*;
use crate::fault::Fault;
use vgdc_spec::Role;

/// Objects that grow; what is said by `"quoted" = …` or `#[prop(…)]` takes the place of what would be made.
struct Object {
    members: Vec<(String, Out)>,
    own: Vec<(String, Out)>,
}

impl Object {
    fn new(own: Vec<(String, Out)>) -> Object {
        Object {
            members: Vec::new(),
            own,
        }
    }

    fn put(&mut self, name: &str, out: Out) {
        if !self.own.iter().any(|(key, _)| key == name) {
            self.members.push((name.to_owned(), out));
        }
    }

    fn put_own(&mut self) {
        self.members.append(&mut self.own);
    }

    fn done(mut self, comments: Vec<(String, Out)>) -> Out {
        self.put_own();
        if !comments.is_empty() {
            self.members.push((COMMENTS.to_owned(), Out::map(comments)));
        }
        Out::map(self.members)
    }
}

impl Lower<'_, '_> {
    pub(super) fn emit(mut self) -> Lowered {
        let mut objects = Vec::new();
        for at in 0..self.containers.len() {
            objects.extend(self.container_object(at));
        }
        for draft in self.drafts.iter().filter(|draft| draft.container.is_none()) {
            objects.push(node_object(draft, None, None));
        }
        for at in 0..self.containers.len() {
            for group in 0..self.groups.len() {
                if self
                    .groups
                    .get(group)
                    .is_some_and(|group| group.container == at)
                {
                    objects.extend(self.group_object(group));
                }
            }
            let z = self
                .containers
                .get(at)
                .map(|container| container.id.clone());
            for draft in self
                .drafts
                .iter()
                .filter(|draft| draft.container == Some(at))
            {
                let group = draft
                    .group
                    .and_then(|group| self.groups.get(group))
                    .map(|group| group.id.as_str());
                objects.push(node_object(draft, z.as_deref(), group));
            }
        }
        let mut writer = Writer::default();
        writer.write(&Out::list(objects), 0);
        writer.text.push('\n');
        Lowered {
            json: writer.text,
            origins: writer.origins,
            secrets: self.secrets,
            faults: self.faults,
        }
    }

    /// What `#[prop("name", value)]`, and what else `attrs` say of an object.
    fn own(&mut self, attrs: &[Attr], container: usize) -> Vec<(String, Out)> {
        let resolve = |path: &Path| self.id_of(Some(container), path);
        let mut reader = Reader {
            resolve: &resolve,
            faults: Vec::new(),
        };
        let mut own = Vec::new();
        for attr in attrs.iter().filter(|attr| attr.name.text == "prop") {
            let AttrKind::List(values) = &attr.kind else {
                reader.fault(misplaced(attr));
                continue;
            };
            match values.as_slice() {
                [
                    Value {
                        kind: ValueKind::Text(name),
                        ..
                    },
                    value,
                ] if !matches!(name.value.as_str(), "id" | "type") => {
                    let out = reader.plain(value);
                    own.push((name.value.clone(), out));
                }
                _ => reader.fault(misplaced(attr)),
            }
        }
        let mut faults = reader.faults;
        self.faults.append(&mut faults);
        own
    }

    fn env(&mut self, args: &[Arg], container: usize) -> Out {
        let resolve = |path: &Path| self.id_of(Some(container), path);
        let mut reader = Reader {
            resolve: &resolve,
            faults: Vec::new(),
        };
        let env = variables_of(&mut reader, args.iter());
        let mut faults: Vec<Fault> = reader.faults;
        self.faults.append(&mut faults);
        env
    }

    fn container_object(&mut self, at: usize) -> Option<Out> {
        let (item, block) = self
            .containers
            .get(at)
            .map(|container| (container.item, container.block))?;
        let (own, env) = (self.own(&item.attrs, at), self.env(&block.env, at));
        let container = self.containers.get_mut(at)?;
        let comments = std::mem::take(&mut container.comments);
        let container = &*container;
        let mut object = Object::new(own);
        object.put("id", Out::text(container.id.clone()).at(container.id_span));
        object.put(
            "type",
            Out::text(if container.is_subflow {
                "subflow"
            } else {
                "tab"
            })
            .at(block.keyword),
        );
        let label = label_of(block);
        let disabled = item.attrs.iter().any(|attr| attr.name.text == "disabled");
        let info = info_of(&item.attrs).unwrap_or_else(|| Out::text(""));
        match container.is_subflow {
            false => {
                object.put("label", label);
                object.put("disabled", Out::raw(disabled.to_string()));
                object.put("info", info);
                object.put("env", env);
            }
            true => {
                object.put("name", label);
                object.put("info", info);
                object.put("category", Out::text(""));
                object.put("in", ports(container, Side::In));
                object.put("out", ports(container, Side::Out));
                object.put("env", env);
                object.put("meta", Out::map(Vec::new()));
                object.put("color", Out::text("#DDAA99"));
                if container.status.is_some() {
                    let status = ports(container, Side::Status);
                    object.put(
                        "status",
                        status
                            .elements()
                            .first()
                            .cloned()
                            .unwrap_or_else(|| Out::map(Vec::new())),
                    );
                }
                if disabled {
                    object.put("d", Out::raw("true"));
                }
            }
        }
        Some(object.done(comments).at(block.keyword))
    }

    fn group_object(&mut self, at: usize) -> Option<Out> {
        let (container, item, block) = self
            .groups
            .get(at)
            .map(|group| (group.container, group.item, group.block))?;
        let (own, env) = (
            self.own(&item.attrs, container),
            self.env(&block.env, container),
        );
        let z = self.containers.get(container)?.id.clone();
        let outer = self
            .groups
            .get(at)?
            .outer
            .and_then(|outer| Some(self.groups.get(outer)?.id.clone()));
        let area = self.area(self.groups.get(at)?);
        let group = self.groups.get_mut(at)?;
        let mut object = Object::new(own);
        object.put(
            "id",
            Out::text(group.id.clone())
                .at(block.name.as_ref().map_or(block.keyword, |name| name.span)),
        );
        object.put("type", Out::text("group"));
        object.put("z", Out::text(z));
        if let Some(outer) = outer {
            object.put("g", Out::text(outer));
        }
        object.put("name", label_of(block));
        if let Some(info) = info_of(&item.attrs) {
            object.put("info", info);
        }
        object.put(
            "style",
            Out::map(vec![("label".to_owned(), Out::raw("true"))]),
        );
        object.put(
            "nodes",
            Out::list(group.members.iter().map(Out::text).collect()),
        );
        if !block.env.is_empty() {
            object.put("env", env);
        }
        if let Some(place) = &block.place {
            object.put("place", Out::text(place.text.clone()).at(place.span));
        }
        if item.attrs.iter().any(|attr| attr.name.text == "disabled") {
            object.put("d", Out::raw("true"));
        }
        for (name, number) in ["x", "y", "w", "h"].into_iter().zip(area) {
            object.put(name, Out::raw(number));
        }
        Some(
            object
                .done(std::mem::take(&mut group.comments))
                .at(block.keyword),
        )
    }

    /// Where a group is: as the text says, else around its nodes.
    fn area(&self, group: &Group<'_>) -> Vec<String> {
        if let Some(at) = &group.block.at
            && at.numbers.len() == 4
        {
            return at.numbers.clone();
        }
        let places = group
            .nodes
            .iter()
            .filter_map(|at| self.drafts.get(*at)?.at.as_ref());
        let places: Vec<(f64, f64)> = places
            .filter_map(|(x, y)| Some((x.parse().ok()?, y.parse().ok()?)))
            .collect();
        if places.is_empty() {
            return ["20", "20", "200", "100"].map(str::to_owned).to_vec();
        }
        let least =
            |of: fn(&(f64, f64)) -> f64| places.iter().map(of).fold(f64::INFINITY, f64::min);
        let most =
            |of: fn(&(f64, f64)) -> f64| places.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (left, top) = (least(|p| p.0) - 100.0, least(|p| p.1) - 40.0);
        let (right, bottom) = (most(|p| p.0) + 100.0, most(|p| p.1) + 40.0);
        [left, top, right - left, bottom - top]
            .map(|number| number.to_string())
            .to_vec()
    }
}

enum Side {
    In,
    Out,
    Status,
}

/// Ports of a subflow.
fn ports(container: &Container<'_>, side: Side) -> Out {
    let one = |port: Port, wires: &[Wire]| {
        let (x, y) = container
            .ports
            .get(&port)
            .cloned()
            .unwrap_or_else(|| ("40".to_owned(), "40".to_owned()));
        let wires = wires.iter().map(|wire| {
            let mut members = vec![("id".to_owned(), Out::text(wire.id.clone()))];
            if !matches!(side, Side::In) {
                members.push(("port".to_owned(), Out::raw(wire.port.to_string())));
            }
            Out::map(members).at(wire.span)
        });
        let wires = Out::list(wires.collect());
        Out::map(vec![
            ("x".to_owned(), Out::raw(x)),
            ("y".to_owned(), Out::raw(y)),
            ("wires".to_owned(), wires),
        ])
    };
    Out::list(match side {
        Side::In if container.has_input => vec![one(Port::In, &container.input)],
        Side::In => Vec::new(),
        Side::Out => container
            .outs
            .iter()
            .enumerate()
            .map(|(at, wires)| one(Port::Out(at), wires))
            .collect(),
        Side::Status => container
            .status
            .iter()
            .map(|wires| one(Port::Status, wires))
            .collect(),
    })
}

/// What the editor shows of a block: its label, else its name.
fn label_of(block: &Block) -> Out {
    match (&block.label, &block.name) {
        (Some(label), _) => Out {
            kind: OutKind::Text(label.value.clone(), label.map.clone()),
            span: Some(label.span),
        },
        (None, Some(name)) => Out::text(name.text.clone()).at(name.span),
        (None, None) => Out::text(""),
    }
}

fn info_of(attrs: &[Attr]) -> Option<Out> {
    let docs: Vec<&Attr> = attrs
        .iter()
        .filter(|attr| attr.name.text == "doc")
        .collect();
    super::declare::documentation(&docs)
}

fn node_object(draft: &Draft<'_>, z: Option<&str>, group: Option<&str>) -> Out {
    let is_structural = |key: &str| matches!(key, "z" | "g" | "d" | "x" | "y" | "wires");
    let (own, props): (Vec<_>, Vec<_>) = draft
        .props
        .list
        .iter()
        .cloned()
        .partition(|(key, _)| is_structural(key));
    let mut object = Object::new(own);
    object.put("id", Out::text(draft.id.clone()).at(draft.id_span));
    object.put("type", Out::text(draft.ty.clone()).at(draft.ty_span));
    if let Some(z) = z {
        object.put("z", Out::text(z));
    }
    if let Some(group) = group {
        object.put("g", Out::text(group));
    }
    if draft.disabled {
        object.put("d", Out::raw("true"));
    }
    let has = |name: &str| props.iter().any(|(key, _)| key == name);
    if draft.spec.is_some_and(|spec| spec.role != Role::Junction) && !has("name") {
        object.put("name", Out::text(""));
    }
    object.members.extend(props);
    if !draft.is_config {
        let (x, y) = draft
            .at
            .clone()
            .unwrap_or_else(|| ("140".to_owned(), "60".to_owned()));
        object.put("x", Out::raw(x));
        object.put("y", Out::raw(y));
        let wires = draft.wires.iter().map(|output| {
            Out::list(
                output
                    .iter()
                    .map(|wire| Out::text(wire.id.clone()).at(wire.span))
                    .collect(),
            )
        });
        let wires = Out::list(wires.collect()).at(draft.ty_span);
        // (outside of flows nothing is connected)
        if draft.container.is_some() {
            object.put("wires", wires);
        }
    }
    object.done(draft.comments.clone()).at(draft.span)
}
