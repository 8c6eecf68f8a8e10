//! Editing a flow file: each change touches the text of one node, and writes in the file's own manner.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::diag::Diagnostics;
use crate::flowdoc::{FlowDoc, NodeIx, RawNode};
use crate::json::{self, Json, PathError, Style};
use crate::source::SourceMap;

/// Changes to a document that have not been written yet. The document itself stays as it is; [`Edit::to_text`] gives the
/// text with the changes, [`Edit::finish`] a new document.
#[derive(Debug)]
pub struct Edit<'a> {
    doc: &'a FlowDoc,
    /// New texts of nodes; `None` for a removed one.
    changed: BTreeMap<NodeIx, Option<String>>,
    added: Vec<Value>,
}

/// Why a change was refused. Nothing was changed then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EditError {
    /// The file has faults, or no flow array: it must be put right first.
    Faulty,
    /// There is no node with this number, or it was removed.
    NoSuchNode(NodeIx),
    /// The path leads nowhere.
    Path(PathError),
    /// What is to be added is not an object with `id` and `type`.
    NotANode,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EditError::Faulty => write!(f, "the flow file has faults, so it cannot be edited"),
            EditError::NoSuchNode(ix) => write!(f, "there is no node number {}", ix.0),
            EditError::Path(error) => error.fmt(f),
            EditError::NotANode => write!(f, "a node must be an object with `id` and `type`"),
        }
    }
}

impl std::error::Error for EditError {}

impl From<PathError> for EditError {
    fn from(error: PathError) -> EditError {
        EditError::Path(error)
    }
}

impl FlowDoc {
    /// Begins an edit.
    pub fn edit(&self) -> Edit<'_> {
        Edit {
            doc: self,
            changed: BTreeMap::new(),
            added: Vec::new(),
        }
    }
}

impl Edit<'_> {
    /// Sets a property, or a value inside one: `path` goes through keys and array indices. What is missing is made.
    ///
    /// # Errors
    /// When the document is faulty, there is no such node, or the path goes through a value that is no container.
    pub fn set_property(
        &mut self,
        node: NodeIx,
        path: &[&str],
        value: &Value,
    ) -> Result<(), EditError> {
        let raw = self.raw(node)?;
        let text = self.text_of(raw)?;
        let base = indent_of(self.doc.to_text(), raw.span().range().start);
        let new = json::set_at_path(
            text,
            base,
            &node_style(raw.json(), self.doc.to_text()),
            path,
            value,
        )?;
        self.changed.insert(node, Some(new));
        Ok(())
    }

    /// Removes a property, or a value inside one; says whether it was there.
    ///
    /// # Errors
    /// When the document is faulty, or there is no such node.
    pub fn remove_property(&mut self, node: NodeIx, path: &[&str]) -> Result<bool, EditError> {
        let text = self.text_of(self.raw(node)?)?;
        let Some(new) = json::remove_member(text, path)? else {
            return Ok(false);
        };
        self.changed.insert(node, Some(new));
        Ok(true)
    }

    /// Adds a node at the end of the file.
    ///
    /// # Errors
    /// When the document is faulty, or the value is not an object with `id` and `type`.
    pub fn add(&mut self, node: &Value) -> Result<(), EditError> {
        if self.doc.is_faulty() {
            return Err(EditError::Faulty);
        }
        let named = |key| {
            node.get(key)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        if !named("id") || !named("type") {
            return Err(EditError::NotANode);
        }
        self.added.push(node.clone());
        Ok(())
    }

    /// Removes a node.
    ///
    /// # Errors
    /// When the document is faulty, or there is no such node.
    pub fn remove(&mut self, node: NodeIx) -> Result<(), EditError> {
        let raw = self.raw(node)?;
        self.text_of(raw)?;
        self.changed.insert(node, None);
        Ok(())
    }

    /// The text with the changes.
    pub fn to_text(&self) -> String {
        let text = self.doc.to_text();
        let Some(array) = self.doc.array() else {
            return text.to_owned();
        };
        let whole = array.span().range();
        let mut out = String::with_capacity(text.len() + 256);
        out.push_str(text.get(..whole.start).unwrap_or(""));
        self.write_array(&mut out, text, array);
        out.push_str(text.get(whole.end..).unwrap_or(""));
        out
    }

    /// Reads the changed text as a new document. Its source gets the name `name`.
    pub fn finish(
        self,
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
    ) -> (FlowDoc, Diagnostics) {
        FlowDoc::parse(sources, name, self.to_text())
    }

    /// Writes the flow array: kept elements with the gaps that stood before them, changed ones with their new text, then the
    /// added ones.
    fn write_array(&self, out: &mut String, text: &str, array: Json<'_>) {
        let whole = array.span().range();
        let part = |range: Range<usize>| text.get(range).unwrap_or("");
        let pieces: Vec<Range<usize>> = array
            .elements()
            .map(|element| element.span().range())
            .collect();
        let kept = self.kept(text, &pieces);
        if kept.is_empty() && self.added.is_empty() {
            out.push_str(if pieces.is_empty() { part(whole) } else { "[]" });
            return;
        }
        let layout = Layout::of(array, text);
        out.push('[');
        out.push_str(&layout.lead);
        for (at, (gap, new)) in kept.iter().enumerate() {
            out.push_str(if at > 0 { part(gap.clone()) } else { "" });
            out.push_str(new);
        }
        for (at, node) in self.added.iter().enumerate() {
            if at > 0 || !kept.is_empty() {
                out.push(',');
                out.push_str(&layout.gap);
            }
            json::write_value(out, node, &layout.style, &layout.indent);
        }
        match pieces.last() {
            Some(last) => out.push_str(part(last.end..whole.end)),
            None => out.extend([layout.style.newline, "]"]),
        }
    }

    /// The elements that stay: the gap before each, and its text.
    fn kept<'s>(&'s self, text: &'s str, pieces: &[Range<usize>]) -> Vec<(Range<usize>, &'s str)> {
        let start_of = |ix: NodeIx| self.doc.node(ix).map(|node| node.span().range().start);
        let changed: BTreeMap<usize, Option<&str>> = self
            .changed
            .iter()
            .filter_map(|(&ix, new)| Some((start_of(ix)?, new.as_deref())))
            .collect();
        let mut previous = pieces.first().map_or(0, |first| first.start);
        let mut kept = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let gap = previous..piece.start;
            previous = piece.end;
            match changed.get(&piece.start) {
                Some(None) => {}
                Some(Some(new)) => kept.push((gap, *new)),
                None => kept.push((gap, text.get(piece.clone()).unwrap_or(""))),
            }
        }
        kept
    }

    fn raw(&self, node: NodeIx) -> Result<RawNode<'_>, EditError> {
        if self.doc.is_faulty() {
            return Err(EditError::Faulty);
        }
        self.doc.node(node).ok_or(EditError::NoSuchNode(node))
    }

    /// The present text of a node.
    fn text_of<'s>(&'s self, node: RawNode<'s>) -> Result<&'s str, EditError> {
        match self.changed.get(&node.ix()) {
            None => Ok(node.text()),
            Some(Some(text)) => Ok(text),
            Some(None) => Err(EditError::NoSuchNode(node.ix())),
        }
    }
}

/// How the nodes of a file stand in their array.
pub(crate) struct Layout {
    /// White space before the first node.
    pub(crate) lead: String,
    /// White space between a comma and the next node.
    pub(crate) gap: String,
    /// Indentation of the line that a node begins in.
    pub(crate) indent: String,
    /// The manner in which a node is written.
    pub(crate) style: Style,
}

impl Layout {
    pub(crate) fn of(array: Json<'_>, text: &str) -> Layout {
        let mut elements = array.elements();
        let Some(first) = elements.next() else {
            let style = Style::node_red();
            let indent = "    ".to_owned();
            return Layout {
                lead: format!("{}{indent}", style.newline),
                gap: format!("{}{indent}", style.newline),
                indent,
                style,
            };
        };
        let (start, end) = (first.span().range().start, first.span().range().end);
        let lead = text
            .get(array.span().range().start + 1..start)
            .unwrap_or("")
            .to_owned();
        let gap = elements
            .next()
            .and_then(|second| text.get(end..second.span().range().start))
            .map(|between| {
                between
                    .split_once(',')
                    .map_or("", |(_, gap)| gap)
                    .to_owned()
            });
        Layout {
            gap: gap.unwrap_or_else(|| lead.clone()),
            lead,
            indent: indent_of(text, start).to_owned(),
            style: node_style(first, text),
        }
    }
}

/// The manner in which a node is written.
fn node_style(node: Json<'_>, text: &str) -> Style {
    json::style_of(node, text, "")
}

/// The white space at the beginning of the line that a place is in.
fn indent_of(text: &str, at: usize) -> &str {
    json::line_indent(text, at, "")
}
