//! A Node-RED flow file: the objects in it, with their structural properties, over the text as it is.
//!
//! Forms that are read: an array of objects (a whole flow file or an exported tab), and an object with the array in `flows`
//! (the Admin API's `{flows, rev}`, and `{flows, credentials}`). Objects that cannot be nodes (no id, no type, no object at all)
//! are reported and left out of [`FlowDoc::nodes`]; their text stays in the document.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

mod head;
mod node;

pub(crate) use head::opening;
pub use node::{EnvEntry, NodeIx, NodeKind, PortRef, RawNode, Scope};

use crate::check;
use crate::codes;
use crate::diag::{BodyPos, Diagnostic, Diagnostics};
use crate::json::{Json, JsonDoc, Kind, Limits};
use crate::source::{NodeSpan, SourceId, SourceMap, Span};
use head::{Head, read_head};

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
            let diagnostic = too_large(size as u64, limits.max_bytes as u64)
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

    /// Reads a flow file from the disk. That it cannot be read, or is too large, is a diagnostic, and the document is empty then.
    pub fn read_file(sources: &mut SourceMap, path: &Path) -> (FlowDoc, Diagnostics) {
        let name: Arc<str> = path.to_string_lossy().into();
        let limit = Limits::default().max_bytes as u64;
        // The size is asked before the file is in memory.
        let bytes = std::fs::metadata(path).and_then(|about| match about.len() {
            size if size > limit => Ok(Err(size)),
            _ => std::fs::read(path).map(Ok),
        });
        let refused = match bytes {
            Ok(Ok(bytes)) => return FlowDoc::parse_bytes(sources, name, bytes),
            Ok(Err(size)) => too_large(size, limit),
            Err(error) => {
                Diagnostic::error(codes::UNREADABLE, format!("cannot read {name}: {error}"))
            }
        };
        let source = sources.add(name, "");
        (FlowDoc::empty(source), Diagnostics::from_iter([refused]))
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
        if !self.is_faulty() {
            return;
        }
        // Where the text could not be read, its credentials are still in it.
        let text = self.to_text();
        for (at, name) in text.match_indices("\"credentials\"") {
            let start = at + name.len();
            let length = text[start..].find('}').unwrap_or(text.len() - start);
            sources.hide(Span::new(
                self.source(),
                start as u32..(start + length) as u32,
            ));
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
        let view = |(at, head)| RawNode {
            doc: self,
            head,
            ix: NodeIx(at as u32),
        };
        self.nodes.iter().enumerate().map(view)
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

fn too_large(size: u64, limit: u64) -> Diagnostic {
    let message = format!("the file has {size} bytes, and at most {limit} are read");
    Diagnostic::error(codes::TOO_LARGE, message)
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
    if root.kind() != Kind::Invalid {
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
