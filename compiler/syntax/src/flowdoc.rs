//! A Node-RED flow file: the objects in it, with their structural properties, over the text as it is.
//!
//! Forms that are read: an array of objects (a whole flow file or an exported tab), and an object with the array in `flows`
//! (the Admin API's `{flows, rev}`, and `{flows, credentials}`). Objects that cannot be nodes (no id, no type, no object at all)
//! are reported and left out of [`FlowDoc::nodes`]; their text stays in the document.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::check;
use crate::codes;
use crate::diag::{BodyPos, Diagnostic, Diagnostics, NodeRef};
use crate::json::{Json, JsonDoc, Limits};
use crate::source::{LineCol, NodeSpan, SourceId, SourceMap, Span};

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

/// How the file holds its flow array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// The file is the array.
    Array,
    /// The file is an object with the array in `flows`.
    Wrapped,
    /// There is no flow array; this was reported.
    None,
}

/// A flow file.
#[derive(Clone, Debug)]
pub struct FlowDoc {
    pub(crate) json: JsonDoc,
    form: Form,
    /// Whether the text has faults of JSON.
    faulty: bool,
    /// Row of the flow array in `json`.
    array: Option<u32>,
    nodes: Vec<Head>,
    /// For each id, the last node that has it.
    by_id: HashMap<Arc<str>, NodeIx>,
}

/// The properties that everything asks for, decoded once.
#[derive(Clone, Debug)]
struct Head {
    /// Row of the object in the JSON document.
    row: u32,
    id: Arc<str>,
    ty: Box<str>,
    z: Option<Box<str>>,
    group: Option<Box<str>>,
    name: Box<str>,
    on_canvas: bool,
    shadowed: bool,
}

/// In which of Node-RED's tables an object is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Container,
    Group,
    Canvas,
    Config,
}

impl FlowDoc {
    /// Reads a flow file. `name` is what diagnostics call it, a path as a rule. There is always a document.
    pub fn parse(
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
    ) -> (FlowDoc, Diagnostics) {
        FlowDoc::parse_with(sources, name, text, &Limits::default())
    }

    /// Reads a flow file with other limits than the usual ones.
    ///
    /// A text that is too large is not kept: the document is empty then.
    pub fn parse_with(
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
        limits: &Limits,
    ) -> (FlowDoc, Diagnostics) {
        let text = text.into();
        let size = text.len();
        if size > limits.max_bytes {
            let source = sources.add(name, "");
            let message = format!(
                "the file has {size} bytes, and at most {} are read",
                limits.max_bytes
            );
            let diagnostic = Diagnostic::error(codes::TOO_LARGE, message)
                .with_label(Span::new(source, 0..0), "");
            return (FlowDoc::empty(source), Diagnostics::from_iter([diagnostic]));
        }
        let source = sources.add(name, text.clone());
        let (json, mut diagnostics) = JsonDoc::parse(source, text, limits);
        let doc = FlowDoc::new(json, &mut diagnostics);
        doc.hide_credentials(sources);
        // In a file that was cut, every wire into the part that is missing would be reported.
        if !doc.is_faulty() {
            check::check(&doc, &mut diagnostics);
        }
        (doc, diagnostics)
    }

    /// Reads a flow file from bytes. Node-RED's files are UTF-8; other bytes are reported and read as `U+FFFD`.
    pub fn parse_bytes(
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
        bytes: Vec<u8>,
    ) -> (FlowDoc, Diagnostics) {
        match String::from_utf8(bytes) {
            Ok(text) => FlowDoc::parse(sources, name, text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let (doc, mut diagnostics) = FlowDoc::parse(sources, name, text);
                let end = doc
                    .json
                    .text()
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(at, |c| at + c.len_utf8());
                let message = format!("byte {at} of the file is not UTF-8");
                let span = Span::new(doc.source(), at as u32..end as u32);
                let mut found =
                    Diagnostics::from_iter([Diagnostic::error(codes::NOT_UTF8, message)
                        .with_label(span, "")
                        .with_fix("save the file as UTF-8")]);
                std::mem::swap(&mut found, &mut diagnostics);
                diagnostics.append(found);
                (doc, diagnostics)
            }
        }
    }

    fn empty(source: SourceId) -> FlowDoc {
        let (json, _) = JsonDoc::parse(source, Arc::from(""), &Limits::default());
        FlowDoc {
            json,
            form: Form::None,
            faulty: true,
            array: None,
            nodes: Vec::new(),
            by_id: HashMap::new(),
        }
    }

    fn new(json: JsonDoc, diagnostics: &mut Diagnostics) -> FlowDoc {
        let (form, array) = find_array(json.root(), diagnostics);
        let array = array.map(Json::index);
        let mut doc = FlowDoc {
            form,
            faulty: diagnostics.has_errors(),
            array,
            nodes: Vec::new(),
            by_id: HashMap::new(),
            json,
        };
        let Some(array) = array else { return doc };
        for object in doc.json.at(array).elements() {
            if let Some(head) = read_head(object, diagnostics) {
                doc.nodes.push(head);
            }
        }
        for (at, head) in doc.nodes.iter().enumerate() {
            doc.by_id.insert(head.id.clone(), NodeIx(at as u32));
        }
        doc.mark_shadowed();
        doc
    }

    /// Marks the nodes whose place a later one of the same id takes, by the rule of Node-RED's `parseConfig`: it keeps tabs and
    /// subflow definitions by id, and the nodes, config nodes and groups of each of them by id again.
    fn mark_shadowed(&mut self) {
        let is_container = |id: &str| {
            let kind = self.by_id(id).map(RawNode::kind);
            matches!(kind, Some(NodeKind::Tab | NodeKind::SubflowDef))
        };
        let mut seen: HashSet<(&str, Place, Option<&str>)> =
            HashSet::with_capacity(self.nodes.len());
        let mut shadowed = Vec::new();
        for node in self.nodes().rev() {
            let place = match node.kind() {
                NodeKind::Tab | NodeKind::SubflowDef => Place::Container,
                NodeKind::Group => Place::Group,
                _ if node.head.on_canvas => Place::Canvas,
                _ => Place::Config,
            };
            // A config node on no tab that exists is a global one.
            let z = node
                .z()
                .filter(|z| place == Place::Canvas || is_container(z));
            let z = z.filter(|_| place != Place::Container);
            if !seen.insert((node.id(), place, z)) {
                shadowed.push(node.ix());
            }
        }
        for ix in shadowed {
            if let Some(head) = self.nodes.get_mut(ix.0 as usize) {
                head.shadowed = true;
            }
        }
    }

    /// Keeps credentials that stand in the file itself out of the pieces of source that diagnostics show.
    fn hide_credentials(&self, sources: &mut SourceMap) {
        let inline = self.nodes().filter_map(|node| node.prop("credentials"));
        for secret in inline.chain(self.credentials()) {
            sources.hide(secret.span());
        }
    }

    /// Whether the text has faults of JSON; then it cannot be edited.
    pub fn is_faulty(&self) -> bool {
        self.faulty || self.array.is_none()
    }

    /// The text of the document: of one that was read, exactly the bytes that were read.
    pub fn to_text(&self) -> &str {
        self.json.text()
    }

    /// The source that this document was read from.
    pub fn source(&self) -> SourceId {
        self.json.source()
    }

    /// The JSON document underneath.
    pub fn json(&self) -> &JsonDoc {
        &self.json
    }

    /// How the file holds its flow array.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The flow array.
    pub fn array(&self) -> Option<Json<'_>> {
        self.array.map(|row| self.json.at(row))
    }

    /// The revision in a `{flows, rev}` file.
    pub fn rev(&self) -> Option<Cow<'_, str>> {
        (self.form == Form::Wrapped)
            .then(|| self.json.root().get("rev")?.as_str())
            .flatten()
    }

    /// The credentials in a `{flows, credentials}` file, as they are; see [`crate::creds`].
    pub fn credentials(&self) -> Option<Json<'_>> {
        (self.form == Form::Wrapped)
            .then(|| self.json.root().get("credentials"))
            .flatten()
    }

    /// All nodes, in the order of the file: tabs, groups, subflow definitions and config nodes among them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = RawNode<'_>> + DoubleEndedIterator {
        (0..self.nodes.len()).map(|at| RawNode {
            doc: self,
            head: &self.nodes[at],
            ix: NodeIx(at as u32),
        })
    }

    /// The node with this number.
    pub fn node(&self, ix: NodeIx) -> Option<RawNode<'_>> {
        self.nodes.get(ix.0 as usize).map(|head| RawNode {
            doc: self,
            head,
            ix,
        })
    }

    /// The node with this id; of several the last one, which is the one that Node-RED finds.
    pub fn by_id(&self, id: &str) -> Option<RawNode<'_>> {
        self.by_id.get(id).and_then(|&ix| self.node(ix))
    }

    /// Finds a place inside a node's property in the file.
    pub fn locate(&self, place: &NodeSpan) -> Option<Located> {
        let node = self.by_id(&place.node)?;
        let body = node.body_pos(&place.property, place.start as usize..place.end as usize)?;
        let span = node.body_span(&place.property, place.start as usize..place.end as usize)?;
        Some(Located { body, span })
    }
}

/// A place inside a node's property, found again in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    /// Line and column in the property's value.
    pub body: BodyPos,
    /// The bytes in the file.
    pub span: Span,
}

/// A node of a document: a view, copied freely.
#[derive(Clone, Copy)]
pub struct RawNode<'a> {
    doc: &'a FlowDoc,
    head: &'a Head,
    ix: NodeIx,
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

/// The flow array of a file.
fn find_array<'a>(root: Json<'a>, diagnostics: &mut Diagnostics) -> (Form, Option<Json<'a>>) {
    if root.is_array() {
        return (Form::Array, Some(root));
    }
    if let Some(flows) = root.get("flows").filter(|flows| flows.is_array()) {
        return (Form::Wrapped, Some(flows));
    }
    // A fault in the text that left nothing to look at was reported by the reader.
    if root.kind() != crate::json::Kind::Invalid {
        let diagnostic = Diagnostic::error(codes::NO_FLOWS, "the file has no flow array")
            .with_label(
                Span {
                    end: root.span().start + 1,
                    ..root.span()
                },
                "",
            )
            .with_note(
                "a flow file is an array of nodes, or an object with such an array in `flows`",
            );
        diagnostics.push(diagnostic);
    }
    (Form::None, None)
}

fn read_head(object: Json<'_>, diagnostics: &mut Diagnostics) -> Option<Head> {
    use crate::json::Kind;
    if !object.is_object() {
        if object.kind() != Kind::Invalid {
            diagnostics.push(
                Diagnostic::error(
                    codes::NOT_AN_OBJECT,
                    "an element of the flow array is not an object",
                )
                .with_label(object.span(), ""),
            );
        }
        return None;
    }
    let text = |name: &str| {
        object
            .get(name)
            .and_then(Json::scalar_text)
            .filter(|text| !text.is_empty())
    };
    let container = |name: &str| {
        object
            .get(name)
            .filter(|value| is_truthy(*value))
            .and_then(Json::scalar_text)
    };
    let (id, ty) = (text("id"), text("type"));
    if id.is_none() {
        let message = format!(
            "an object{} has no id",
            ty.as_ref()
                .map(|ty| format!(" of type `{ty}`"))
                .unwrap_or_default()
        );
        diagnostics.push(
            Diagnostic::error(codes::NO_ID, message).with_label(opening(object), "this object"),
        );
    }
    if ty.is_none() {
        let message = format!(
            "{} has no type",
            id.as_ref()
                .map_or("an object".into(), |id| format!("the object `{id}`"))
        );
        diagnostics.push(
            Diagnostic::error(codes::NO_TYPE, message).with_label(opening(object), "this object"),
        );
    }
    let (id, ty) = (id?, ty?);
    let name = object
        .get(if ty == "tab" { "label" } else { "name" })
        .and_then(Json::as_str)
        .unwrap_or_default();
    Some(Head {
        row: object.index(),
        id: id.as_ref().into(),
        name: name.as_ref().into(),
        z: container("z").map(|z| z.as_ref().into()),
        group: container("g").map(|g| g.as_ref().into()),
        on_canvas: object.get("x").is_some() && object.get("y").is_some(),
        shadowed: false,
        ty: ty.as_ref().into(),
    })
}

/// The opening bracket of an object: enough to point at one that may be long.
pub(crate) fn opening(object: Json<'_>) -> Span {
    let span = object.span();
    Span {
        end: (span.start + 1).min(span.end),
        ..span
    }
}

/// What JavaScript takes for true.
fn is_truthy(value: Json<'_>) -> bool {
    use crate::json::Kind;
    match value.kind() {
        Kind::Null | Kind::Invalid => false,
        Kind::Bool => value.as_bool() == Some(true),
        Kind::Number => value.as_f64().is_some_and(|n| n != 0.0),
        Kind::String => value.text().len() > 2,
        Kind::Array | Kind::Object => true,
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
