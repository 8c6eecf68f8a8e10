//! The view of one node in a document, with its structural properties.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::FlowDoc;
use super::head::{Head, is_truthy};
use crate::diag::{BodyPos, NodeRef};
use crate::json::Json;
use crate::source::{LineCol, NodeSpan, Span};

/// The number of a node in its document, in the order of the file.
///
/// An id does not do: two objects of a file may have the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeIx(pub u32);

/// What an object of a flow file is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NodeKind<'a> {
    /// A tab, which the editor calls a flow.
    Tab,
    /// A group of nodes on a tab.
    Group,
    /// The definition of a subflow.
    SubflowDef,
    /// An instance of the subflow with this id.
    SubflowInstance(&'a str),
    /// A config node: it has no place on the canvas (Node-RED's rule: not both of `x` and `y`).
    Config,
    /// A node on the canvas.
    Node,
}

/// A node of a document: a view, copied freely.
#[derive(Clone, Copy)]
pub struct RawNode<'a> {
    pub(super) doc: &'a FlowDoc,
    pub(super) head: &'a Head,
    pub(super) ix: NodeIx,
}

/// An environment variable of a tab, group, subflow definition or subflow instance, as the file has it.
#[derive(Clone, Copy, Debug)]
pub struct EnvEntry<'a> {
    /// The whole object: `name`, `type`, `value`, and in a subflow definition `ui`.
    pub json: Json<'a>,
}

impl<'a> EnvEntry<'a> {
    /// The variable's name; empty when the file has none.
    pub fn name(&self) -> Cow<'a, str> {
        self.json
            .get("name")
            .and_then(Json::scalar_text)
            .unwrap_or_default()
    }

    /// The type of the value (`str`, `num`, `env` …); empty when the file has none.
    pub fn ty(&self) -> Cow<'a, str> {
        self.json
            .get("type")
            .and_then(Json::as_str)
            .unwrap_or_default()
    }

    /// The value.
    pub fn value(&self) -> Option<Json<'a>> {
        self.json.get("value")
    }

    /// How the editor shows it on a subflow's instances.
    pub fn ui(&self) -> Option<Json<'a>> {
        self.json.get("ui")
    }
}

/// A place where the wires inside a subflow definition begin or end: which output of which inner node. For an input, `port`
/// is 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PortRef {
    /// Id of the inner node; for an output that is wired straight to the input, the id of the subflow itself.
    pub node: String,
    /// Output number of the inner node, from 0.
    pub port: usize,
}

/// What the nodes that listen to other nodes (for errors, status, completion) listen to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// All nodes of the same tab or subflow.
    Tab,
    /// The nodes of the same group.
    Group,
    /// These nodes.
    Nodes(Vec<String>),
}

impl<'a> RawNode<'a> {
    /// The number of the node in its document.
    pub fn ix(self) -> NodeIx {
        self.ix
    }

    /// Its id, never empty.
    pub fn id(self) -> &'a str {
        &self.head.id
    }

    /// Its id, shared.
    pub fn shared_id(self) -> Arc<str> {
        self.head.id.clone()
    }

    /// Its type, as in the file: `subflow:ID` for an instance. Never empty.
    pub fn ty(self) -> &'a str {
        &self.head.ty
    }

    /// The id of the tab or subflow definition that it is on.
    pub fn z(self) -> Option<&'a str> {
        self.head.z.as_deref()
    }

    /// The id of the group that it is in.
    pub fn g(self) -> Option<&'a str> {
        self.head.group.as_deref()
    }

    /// Its name (a tab's label); may be empty.
    pub fn name(self) -> &'a str {
        &self.head.name
    }

    /// What it is.
    pub fn kind(self) -> NodeKind<'a> {
        match self.ty() {
            "tab" => NodeKind::Tab,
            "group" => NodeKind::Group,
            "subflow" => NodeKind::SubflowDef,
            ty => match ty.strip_prefix("subflow:") {
                Some(id) if !id.is_empty() => NodeKind::SubflowInstance(id),
                _ if self.head.on_canvas => NodeKind::Node,
                _ => NodeKind::Config,
            },
        }
    }

    /// Whether a later object of the same id takes its place, so that Node-RED never runs this one. Two nodes with one id on
    /// different tabs both run.
    pub fn is_shadowed(self) -> bool {
        self.head.shadowed
    }

    /// Whether it has both `x` and `y`: Node-RED's rule for a node on the canvas.
    pub fn is_on_canvas(self) -> bool {
        self.head.on_canvas
    }

    /// Horizontal place on the canvas.
    pub fn x(self) -> Option<f64> {
        self.prop("x").and_then(Json::as_f64)
    }

    /// Vertical place on the canvas.
    pub fn y(self) -> Option<f64> {
        self.prop("y").and_then(Json::as_f64)
    }

    /// For each output, the ids of the nodes that it is wired to, in order.
    pub fn wires(self) -> Vec<Vec<String>> {
        let Some(wires) = self.prop("wires") else {
            return Vec::new();
        };
        wires.elements().map(ids).collect()
    }

    /// Where one wire is written in the file.
    pub fn wire_span(self, output: usize, wire: usize) -> Option<Span> {
        Some(self.prop("wires")?.at(output)?.at(wire)?.span())
    }

    /// Whether the node itself is disabled (`d`).
    pub fn d(self) -> bool {
        // Node-RED compares with `true` and nothing else.
        self.prop("d").and_then(Json::as_bool) == Some(true)
    }

    /// Whether a tab is disabled (`disabled`).
    pub fn disabled(self) -> bool {
        self.truthy("disabled")
    }

    /// Whether the editor shows the node's label (`l`), where the file says.
    pub fn l(self) -> Option<bool> {
        self.prop("l").and_then(Json::as_bool)
    }

    /// The description that the user wrote; may be empty.
    pub fn info(self) -> Cow<'a, str> {
        self.prop("info").and_then(Json::as_str).unwrap_or_default()
    }

    /// Environment variables, in the order of the file.
    pub fn env(self) -> Vec<EnvEntry<'a>> {
        let Some(env) = self.prop("env") else {
            return Vec::new();
        };
        env.elements()
            .filter(|json| json.is_object())
            .map(|json| EnvEntry { json })
            .collect()
    }

    /// Of a group, the ids of its members.
    pub fn members(self) -> Vec<String> {
        self.prop("nodes").map(ids).unwrap_or_default()
    }

    /// Of a subflow definition, for each input the inner nodes that it feeds.
    pub fn subflow_in(self) -> Vec<Vec<PortRef>> {
        self.subflow_ports("in")
    }

    /// Of a subflow definition, for each output the inner outputs that feed it.
    pub fn subflow_out(self) -> Vec<Vec<PortRef>> {
        self.subflow_ports("out")
    }

    /// Of a subflow definition, the inner outputs that set the status of its instances, if it has a status output.
    pub fn subflow_status(self) -> Option<Vec<PortRef>> {
        self.prop("status")
            .filter(|status| status.is_object())
            .map(port_wires)
    }

    /// Of a link node, the ids that it is linked with. A link call may have just one id in the place of a list.
    pub fn links(self) -> Vec<String> {
        let Some(links) = self.prop("links") else {
            return Vec::new();
        };
        match links.as_str() {
            Some(id) => Some(id.into_owned())
                .filter(|id| !id.is_empty())
                .into_iter()
                .collect(),
            None => ids(links),
        }
    }

    /// Of a node that listens to others, to which.
    pub fn scope(self) -> Scope {
        match self.prop("scope") {
            Some(scope) if scope.is_array() => Scope::Nodes(ids(scope)),
            Some(scope) if scope.is_key("group") => Scope::Group,
            _ => Scope::Tab,
        }
    }

    /// A property, if the node has it. Of duplicates the last, as in JavaScript.
    pub fn prop(self, name: &str) -> Option<Json<'a>> {
        self.json().get(name)
    }

    /// All properties in the order of the file: names, and values with their places.
    pub fn props(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.json()
            .entries()
            .map(|entry| (entry.key.as_str().unwrap_or_default(), entry.value))
    }

    /// The whole object.
    pub fn json(self) -> Json<'a> {
        self.doc.json.at(self.head.row)
    }

    /// Where the object is in the file.
    pub fn span(self) -> Span {
        self.json().span()
    }

    /// The object's text in the file.
    pub fn text(self) -> &'a str {
        self.json().text()
    }

    /// The node, for a diagnostic.
    pub fn node_ref(self) -> NodeRef {
        NodeRef {
            id: self.id().to_owned(),
            name: self.name().to_owned(),
            ty: self.ty().to_owned(),
            z: self.z().map(str::to_owned),
        }
    }

    /// A place inside a property: the form in which it travels into an artifact.
    pub fn node_span(self, property: &str, range: Range<usize>) -> NodeSpan {
        NodeSpan {
            node: self.shared_id(),
            property: property.into(),
            start: offset(range.start),
            end: offset(range.end),
        }
    }

    /// The line and column of a place inside the decoded value of a property; `range` is bytes of the decoded value.
    /// `property` is a name, or a dotted path into objects and arrays. `None` when that is no string.
    pub fn body_pos(self, property: &str, range: Range<usize>) -> Option<BodyPos> {
        let value = self.prop_at(property)?;
        let decoded = value.as_str()?;
        let LineCol { line, column } = LineCol::of(&decoded, range.start);
        Some(BodyPos {
            property: property.to_owned(),
            line,
            column,
            start: offset(range.start.min(decoded.len())),
            end: offset(range.end.min(decoded.len())),
            value: Some(value.span()),
        })
    }

    /// The bytes in the file of a place inside the decoded value of a property; see [`RawNode::body_pos`].
    pub fn body_span(self, property: &str, range: Range<usize>) -> Option<Span> {
        let value = self.prop_at(property)?;
        let map = value.decoded_map()?;
        let base = value.span().start;
        let start = base + map.to_literal(offset(range.start));
        let end = base + map.to_literal(offset(range.end));
        Some(Span::new(self.doc.source(), start..end.max(start)))
    }

    /// A property by name, or by a dotted path into objects and arrays.
    pub fn prop_at(self, path: &str) -> Option<Json<'a>> {
        self.prop(path)
            .or_else(|| self.json().at_path(&path.split('.').collect::<Vec<_>>()))
    }

    fn truthy(self, name: &str) -> bool {
        self.prop(name).is_some_and(is_truthy)
    }

    fn subflow_ports(self, side: &str) -> Vec<Vec<PortRef>> {
        self.prop(side)
            .map(|ports| ports.elements().map(port_wires).collect())
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for RawNode<'_> {
    // Not its properties: they may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawNode({} {})", self.ty(), self.id())
    }
}

/// The ids in an array; what is no id is left out.
fn ids(array: Json<'_>) -> Vec<String> {
    array
        .elements()
        .filter_map(Json::scalar_text)
        .map(Cow::into_owned)
        .collect()
}

/// The `wires` of a subflow's input, output or status.
fn port_wires(port: Json<'_>) -> Vec<PortRef> {
    let Some(wires) = port.get("wires") else {
        return Vec::new();
    };
    let read = |wire: Json<'_>| {
        let node = wire.get("id")?.scalar_text()?.into_owned();
        let port = wire
            .get("port")
            .and_then(Json::scalar_text)
            .and_then(|port| port.parse().ok())
            .unwrap_or(0);
        Some(PortRef { node, port })
    };
    wires.elements().filter_map(read).collect()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
