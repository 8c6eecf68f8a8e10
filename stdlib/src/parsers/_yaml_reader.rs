//! Reads YAML as js-yaml 4 does: the same values, and the same words at the same places where a text is wrong.
//!
//! The libraries that read YAML in Rust follow the specification; js-yaml differs from it in many corners (tabs, tags in front of
//! keys, keys that come twice, what ends a plain scalar), and flows see its messages. So this is a reader of its own.

use super::yaml_fault::{self, Mark};
use super::yaml_types::{self, Kind};
use std::collections::HashMap;
use vgdc_core::value::Value;

/// How deep a text may be nested.
const DEEPEST: usize = 100;
/// What is said of a text that is wrong.
pub type Fault = String;

/// Reads the one document that a text has; undefined when it has none.
///
/// # Errors
/// The text is no YAML, or has more documents.
pub fn load(text: &str) -> Result<Value, Fault> {
    let mut documents = Reader::new(text)?.documents()?;
    match documents.len() {
        0 | 1 => Ok(documents.pop().unwrap_or_default()),
        _ => Err("expected a single document in the stream, but found more".to_owned()),
    }
}

pub(super) fn is_break(c: u16) -> bool {
    c == 0x0a || c == 0x0d
}

pub(super) fn is_space(c: u16) -> bool {
    c == 0x09 || c == 0x20
}

pub(super) fn is_gap(c: u16) -> bool {
    is_space(c) || is_break(c)
}

pub(super) fn is_flow_indicator(c: u16) -> bool {
    ",[]{}".encode_utf16().any(|other| other == c)
}

pub(super) fn is(c: u16, wanted: char) -> bool {
    u32::from(c) == u32::from(wanted)
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    FlowIn,
    FlowOut,
    BlockIn,
    BlockOut,
}

/// Where the reader is, and what it has found last.
#[derive(Clone)]
struct Moment {
    position: usize,
    line: usize,
    line_start: usize,
    line_indent: i64,
    first_tab: Option<usize>,
    tag: Option<String>,
    anchor: Option<String>,
    kind: Option<Kind>,
    result: Value,
}

pub(super) struct Reader {
    /// UTF-16 units, as places in messages are counted; a zero at the end.
    pub(super) text: Vec<u16>,
    pub(super) position: usize,
    pub(super) line: usize,
    pub(super) line_start: usize,
    pub(super) line_indent: i64,
    /// The first tab in front of the line's content.
    pub(super) first_tab: Option<usize>,
    depth: usize,
    pub(super) merged: usize,
    pub(super) version: bool,
    pub(super) handles: HashMap<String, String>,
    /// What anchors name; undefined while it is still being read.
    pub(super) anchors: HashMap<String, Value>,
    /// What anchors named before, for taking back what an attempt did.
    renamed: Vec<(String, Option<Value>)>,
    pub(super) tag: Option<String>,
    pub(super) anchor: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) result: Value,
}

impl Reader {
    fn new(text: &str) -> Result<Reader, Fault> {
        let mut units: Vec<u16> = text.encode_utf16().collect();
        if units.last().is_some_and(|last| !is_break(*last)) {
            units.push(0x0a);
        }
        if units.first() == Some(&0xfeff) {
            units.remove(0);
        }
        if let Some(position) = units.iter().position(|c| *c == 0) {
            let mark = Mark {
                position,
                line: 0,
                line_start: 0,
            };
            units.pop();
            return Err(yaml_fault::fault(
                "null byte is not allowed in input",
                &units,
                mark,
            ));
        }
        units.push(0);
        Ok(Reader {
            text: units,
            position: 0,
            line: 0,
            line_start: 0,
            line_indent: 0,
            first_tab: None,
            depth: 0,
            merged: 0,
            version: false,
            handles: HashMap::new(),
            anchors: HashMap::new(),
            renamed: Vec::new(),
            tag: None,
            anchor: None,
            kind: None,
            result: Value::Null,
        })
    }

    fn documents(&mut self) -> Result<Vec<Value>, Fault> {
        let mut documents = Vec::new();
        while is(self.here(), ' ') {
            self.line_indent += 1;
            self.position += 1;
        }
        while self.position + 2 < self.text.len() {
            self.document()?;
            documents.push(self.result.clone());
        }
        Ok(documents)
    }

    // ------------------------------------------------------------------------------------------------- characters

    pub(super) fn at(&self, position: usize) -> u16 {
        self.text.get(position).copied().unwrap_or(0)
    }

    pub(super) fn here(&self) -> u16 {
        self.at(self.position)
    }

    pub(super) fn next(&self) -> u16 {
        self.at(self.position + 1)
    }

    pub(super) fn before(&self) -> u16 {
        self.position.checked_sub(1).map_or(0, |at| self.at(at))
    }

    /// Goes on by one character, and gives the next.
    pub(super) fn step(&mut self) -> u16 {
        self.position += 1;
        self.here()
    }

    pub(super) fn step_while(&mut self, fits: impl Fn(u16) -> bool) -> u16 {
        while fits(self.here()) {
            self.position += 1;
        }
        self.here()
    }

    pub(super) fn since(&self, start: usize) -> String {
        String::from_utf16_lossy(self.text.get(start..self.position).unwrap_or_default())
    }

    pub(super) fn fault(&self, reason: &str) -> Fault {
        let mark = Mark {
            position: self.position,
            line: self.line,
            line_start: self.line_start,
        };
        yaml_fault::fault(reason, &self.text[..self.text.len() - 1], mark)
    }

    pub(super) fn line_break(&mut self) -> Result<(), Fault> {
        match (self.here(), self.next()) {
            (0x0d, 0x0a) => self.position += 2,
            (0x0a | 0x0d, _) => self.position += 1,
            _ => return Err(self.fault("a line break is expected")),
        }
        self.line += 1;
        self.line_start = self.position;
        self.first_tab = None;
        Ok(())
    }

    /// Skips white space, line breaks and, where they are allowed, comments; tells how many line breaks.
    pub(super) fn skip(&mut self, comments: bool) -> Result<usize, Fault> {
        let mut breaks = 0;
        while self.here() != 0 {
            while is_space(self.here()) {
                if is(self.here(), '\t') && self.first_tab.is_none() {
                    self.first_tab = Some(self.position);
                }
                self.position += 1;
            }
            if comments && is(self.here(), '#') {
                self.step_while(|c| !is_break(c) && c != 0);
            }
            if !is_break(self.here()) {
                break;
            }
            self.line_break()?;
            breaks += 1;
            self.line_indent = 0;
            while is(self.here(), ' ') {
                self.line_indent += 1;
                self.position += 1;
            }
        }
        Ok(breaks)
    }

    /// True at `---` or `...` at the begin of a line.
    pub(super) fn at_separator(&self) -> bool {
        let c = self.here();
        if self.position != self.line_start || !(is(c, '-') || is(c, '.')) {
            return false;
        }
        let behind = self.at(self.position + 3);
        c == self.next() && c == self.at(self.position + 2) && (behind == 0 || is_gap(behind))
    }

    // ------------------------------------------------------------------------------------------------- documents

    fn document(&mut self) -> Result<(), Fault> {
        self.version = false;
        self.handles.clear();
        self.anchors.clear();
        self.renamed.clear();
        let mut directives = false;
        while self.here() != 0 {
            self.skip(true)?;
            if self.line_indent > 0 || !is(self.here(), '%') {
                break;
            }
            directives = true;
            self.directive()?;
        }
        self.skip(true)?;
        let dashes = (0..3).all(|at| is(self.at(self.position + at), '-'));
        if self.line_indent == 0 && dashes {
            self.position += 3;
            self.skip(true)?;
        } else if directives {
            return Err(self.fault("directives end mark is expected"));
        }
        self.node(self.line_indent - 1, Place::BlockOut, false, true)?;
        self.skip(true)?;
        if self.at_separator() {
            if is(self.here(), '.') {
                self.position += 3;
                self.skip(true)?;
            }
        } else if self.position + 2 < self.text.len() {
            return Err(self.fault("end of the stream or a document separator is expected"));
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------- nodes

    fn moment(&self) -> Moment {
        Moment {
            position: self.position,
            line: self.line,
            line_start: self.line_start,
            line_indent: self.line_indent,
            first_tab: self.first_tab,
            tag: self.tag.clone(),
            anchor: self.anchor.clone(),
            kind: self.kind,
            result: self.result.clone(),
        }
    }

    fn go_to(&mut self, moment: Moment) {
        self.position = moment.position;
        self.line = moment.line;
        self.line_start = moment.line_start;
        self.line_indent = moment.line_indent;
        self.first_tab = moment.first_tab;
        self.tag = moment.tag;
        self.anchor = moment.anchor;
        self.kind = moment.kind;
        self.result = moment.result;
    }

    fn forget(&mut self) {
        (self.tag, self.anchor, self.kind, self.result) = (None, None, None, Value::Null);
    }

    pub(super) fn name(&mut self, value: Value) {
        if let Some(anchor) = self.anchor.clone() {
            let before = self.anchors.insert(anchor.clone(), value);
            self.renamed.push((anchor, before));
        }
    }

    /// The end of a collection: it has what stood in front of it.
    pub(super) fn end(
        &mut self,
        tag: Option<String>,
        anchor: Option<String>,
        kind: Kind,
        result: Value,
    ) {
        (self.tag, self.anchor, self.kind) = (tag, anchor, Some(kind));
        let open = |reader: &Reader| {
            let name = reader.anchor.as_ref()?;
            reader.anchors.get(name).map(Value::is_undefined)
        };
        if open(self) == Some(true) {
            self.name(result.clone());
        }
        self.result = result;
    }

    /// Reads a node; false when there is none here, which stands for null.
    pub(super) fn node(
        &mut self,
        parent: i64,
        place: Place,
        seek: bool,
        compact: bool,
    ) -> Result<bool, Fault> {
        if self.depth >= DEEPEST {
            return Err(self.fault(&format!("nesting exceeded maxDepth ({DEEPEST})")));
        }
        self.depth += 1;
        self.forget();
        let block_styles = matches!(place, Place::BlockIn | Place::BlockOut);
        let mut collections = block_styles;
        let mut new_line = false;
        let mut indent = std::cmp::Ordering::Greater;
        if seek && self.skip(true)? > 0 {
            new_line = true;
            indent = self.line_indent.cmp(&parent);
        }
        let mut front: Option<Moment> = None;
        while indent.is_gt() {
            let c = self.here();
            // (a second tag or anchor on a new line belongs to the first key of a mapping)
            let again = is(c, '!') && self.tag.is_some() || is(c, '&') && self.anchor.is_some();
            if new_line && again {
                break;
            }
            let before = self.moment();
            if !self.tag_property()? && !self.anchor_property()? {
                break;
            }
            front.get_or_insert(before);
            if self.skip(true)? > 0 {
                new_line = true;
                collections = block_styles;
                indent = self.line_indent.cmp(&parent);
            } else {
                collections = false;
            }
        }
        collections = collections && (new_line || compact);
        let mut content = false;
        if indent.is_gt() || place == Place::BlockOut {
            let flow = matches!(place, Place::FlowIn | Place::FlowOut);
            let flow_indent = if flow { parent } else { parent + 1 };
            let block_indent = self.position as i64 - self.line_start as i64;
            if indent.is_gt() {
                content = collections
                    && (self.block_sequence(block_indent)?
                        || self.block_mapping(block_indent, flow_indent)?)
                    || self.flow_collection(flow_indent)?;
                if !content {
                    content = self.content(place, front, collections, flow_indent)?;
                    self.name(self.result.clone());
                }
            } else if indent.is_eq() {
                // (a sequence may be indented as far as what it belongs to)
                content = collections && self.block_sequence(block_indent)?;
            }
        }
        self.resolve()?;
        self.depth -= 1;
        Ok(self.tag.is_some() || self.anchor.is_some() || content)
    }

    /// A scalar or an alias, or a mapping whose first key has the tag or anchor that stands here.
    fn content(
        &mut self,
        place: Place,
        front: Option<Moment>,
        collections: bool,
        flow_indent: i64,
    ) -> Result<bool, Fault> {
        let block_styles = matches!(place, Place::BlockIn | Place::BlockOut);
        let c = self.here();
        if let Some(front) = front
            && block_styles
            && !collections
            && !is(c, '|')
            && !is(c, '>')
            && self.mapping_from(front, flow_indent)?
        {
            return Ok(true);
        }
        if block_styles && self.block(flow_indent)? || self.quoted('\'')? || self.quoted('"')? {
            return Ok(true);
        }
        if self.alias()? {
            if self.tag.is_some() || self.anchor.is_some() {
                return Err(self.fault("alias node should not have any properties"));
            }
            return Ok(true);
        }
        if self.plain(flow_indent, place == Place::FlowIn)? {
            self.tag.get_or_insert_with(|| "?".to_owned());
            return Ok(true);
        }
        Ok(false)
    }

    /// Tries a mapping that begins where tag and anchor stand; where there is none, nothing has happened.
    fn mapping_from(&mut self, front: Moment, flow_indent: i64) -> Result<bool, Fault> {
        let here = self.moment();
        let known = self.renamed.len();
        let indent = front.position as i64 - front.line_start as i64;
        self.go_to(front);
        self.forget();
        if self.block_mapping(indent, flow_indent)? && self.kind == Some(Kind::Mapping) {
            return Ok(true);
        }
        for (name, before) in self.renamed.drain(known..).rev() {
            match before {
                Some(value) => self.anchors.insert(name, value),
                None => self.anchors.remove(&name),
            };
        }
        self.go_to(here);
        Ok(false)
    }

    /// What the node stands for, by its tag.
    fn resolve(&mut self) -> Result<(), Fault> {
        let Some(tag) = self.tag.clone() else {
            self.name(self.result.clone());
            return Ok(());
        };
        if tag == "!" {
            return Ok(());
        }
        let kind = self.kind.map_or("null", Kind::name);
        if tag == "?" {
            if !self.result.is_null() && self.kind != Some(Kind::Scalar) {
                return Err(self.fault(&format!(
                    "unacceptable node kind for !<?> tag; it should be \"scalar\", not \"{kind}\""
                )));
            }
            let found = match &self.result {
                Value::Str(text) => yaml_types::implicit(text),
                _ => Some(("tag:yaml.org,2002:null", Value::Null)),
            };
            if let Some((tag, value)) = found {
                self.tag = Some(tag.to_owned());
                self.result = value;
                self.name(self.result.clone());
            }
            return Ok(());
        }
        let known = yaml_types::kind_of(&tag);
        let Some(wanted) = known.filter(|_| self.kind.is_none() || self.kind == known) else {
            return Err(self.fault(&format!("unknown tag !<{tag}>")));
        };
        // (an empty node in front of which two tags stand has a value, but no kind)
        if !self.result.is_null() && self.kind.is_none() {
            let wanted = wanted.name();
            return Err(self.fault(&format!(
                "unacceptable node kind for !<{tag}> tag; it should be \"{wanted}\", not \"null\""
            )));
        }
        match yaml_types::explicit(&tag, std::mem::take(&mut self.result)) {
            Some(value) => self.result = value,
            None => {
                return Err(
                    self.fault(&format!("cannot resolve a node with !<{tag}> explicit tag"))
                );
            }
        }
        self.name(self.result.clone());
        Ok(())
    }
}
