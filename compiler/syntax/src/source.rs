//! Sources and places in them: which file, which bytes, which line and column.
//!
//! Offsets are bytes of the UTF-8 text, as read (a byte order mark counts as three bytes). Lines and columns are for people:
//! they begin at 1, a column counts characters (Unicode scalar values), a line ends at `\n` or `\r\n`, and a byte order mark is
//! not part of the first line.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// Names one source of a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SourceId(pub(crate) u32);

/// A range of bytes in a source: `start` is the first byte, `end` is one past the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Span {
    /// The source that the bytes are in.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset one past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `range` in `source`.
    pub fn new(source: SourceId, range: Range<u32>) -> Span {
        Span {
            source,
            start: range.start,
            end: range.end,
        }
    }

    /// The span as a range of byte indices.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place inside the value of a node's property, such as a line of a function body: the form in which a place travels from
/// the compiler into an artifact, where the flow file is not at hand.
///
/// `start..end` are bytes of the *decoded* property value, not of the file. [`FlowDoc::locate`](crate::FlowDoc::locate) maps
/// it back to the file through the escapes of the JSON string.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct NodeSpan {
    /// Id of the node that the user drew.
    pub node: Arc<str>,
    /// The property, `func` for example; a dotted path (`rules.0.to`) goes into objects and arrays.
    pub property: Arc<str>,
    /// First byte in the decoded value.
    pub start: u32,
    /// One past the last byte in the decoded value.
    pub end: u32,
}

/// A line and a column, both beginning at 1. The column counts characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LineCol {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl LineCol {
    /// The line and column of byte `offset` in `text`; past the end counts as the end.
    ///
    /// This walks the text: for many look-ups in a file, use [`SourceMap::line_col`], which keeps an index.
    pub fn of(text: &str, offset: usize) -> LineCol {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&b| b == b'\n').count();
        LineCol {
            line: line as u32 + 1,
            column: count_chars(&before[line_start..]) + 1,
        }
    }
}

/// The sources of one compilation, and their texts.
#[derive(Default, Debug)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a source; `name` is what people see, a path as a rule.
    ///
    /// A text of more than 4 GiB cannot be addressed by a [`Span`] and is kept as an empty text; the readers of this crate
    /// refuse far smaller ones with a diagnostic before they come here.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        let mut text = text.into();
        if u32::try_from(text.len()).is_err() {
            text = Arc::from("");
        }
        let id = SourceId(self.sources.len() as u32);
        self.sources.push(Source {
            name: name.into(),
            text,
            index: OnceLock::new(),
            hidden: Vec::new(),
        });
        id
    }

    /// The name of a source; empty for an id of another map.
    pub fn name(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.name)
    }

    /// The whole text of a source; empty for an id of another map.
    pub fn text(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.text)
    }

    /// The text of a source, shared.
    pub fn shared_text(&self, id: SourceId) -> Arc<str> {
        self.get(id)
            .map_or_else(|| Arc::from(""), |source| source.text.clone())
    }

    /// The text under a span; empty when the span does not lie in its source.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.source).get(span.range()).unwrap_or("")
    }

    /// Hides a part of a source that holds secrets: diagnostics that show the text around it show asterisks in its place.
    pub fn hide(&mut self, span: Span) {
        if let Some(source) = self.sources.get_mut(span.source.0 as usize) {
            source.hidden.push(span.range());
        }
    }

    /// A part of a source for people to see: each byte of what is hidden in it is an asterisk.
    pub fn masked(&self, id: SourceId, range: Range<usize>) -> String {
        let shown = self.text(id).get(range.clone()).unwrap_or("");
        let hidden: &[Range<usize>] = self.get(id).map_or(&[], |source| &source.hidden);
        let mut bytes = shown.as_bytes().to_vec();
        for secret in hidden
            .iter()
            .filter(|secret| secret.start < range.end && range.start < secret.end)
        {
            let from = secret.start.max(range.start) - range.start;
            let to = secret.end.min(range.end) - range.start;
            if let Some(bytes) = bytes.get_mut(from..to) {
                bytes.fill(b'*');
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Line and column of a byte offset; past the end counts as the end.
    pub fn line_col(&self, id: SourceId, offset: u32) -> LineCol {
        match self.get(id) {
            Some(source) => source.index().line_col(&source.text, offset),
            None => LineCol { line: 1, column: 1 },
        }
    }

    /// The byte range of a line (from 1), without its line break; `None` past the last line.
    pub fn line_range(&self, id: SourceId, line: u32) -> Option<Range<usize>> {
        let source = self.get(id)?;
        source.index().line_range(&source.text, line)
    }

    fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }
}

struct Source {
    name: Arc<str>,
    text: Arc<str>,
    index: OnceLock<TextIndex>,
    /// Parts that hold secrets.
    hidden: Vec<Range<usize>>,
}

impl Source {
    fn index(&self) -> &TextIndex {
        self.index.get_or_init(|| TextIndex::new(&self.text))
    }
}

impl std::fmt::Debug for Source {
    // A flow file may hold secrets in its properties, and is long: only its name and size are worth printing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name, self.text.len())
    }
}

/// Finds lines and columns without walking the text from its start, so that thousands of diagnostics about a file of 100 MB
/// on one line stay cheap.
struct TextIndex {
    /// Offset of the first byte of each line.
    lines: Vec<u32>,
    /// Characters before byte `i * BLOCK`.
    chars: Vec<u32>,
}

/// Bytes between two counts of characters.
const BLOCK: usize = 4096;

impl TextIndex {
    fn new(text: &str) -> TextIndex {
        let bytes = text.as_bytes();
        let first = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut lines = vec![first];
        lines.extend(
            bytes
                .iter()
                .enumerate()
                .filter(|&(_, &b)| b == b'\n')
                .map(|(at, _)| at as u32 + 1),
        );
        let mut chars = Vec::with_capacity(bytes.len() / BLOCK + 1);
        let mut count = 0;
        for block in bytes.chunks(BLOCK) {
            chars.push(count);
            count += count_chars(block);
        }
        TextIndex { lines, chars }
    }

    fn line_col(&self, text: &str, offset: u32) -> LineCol {
        let offset = offset.min(text.len() as u32);
        let line = self.lines.partition_point(|&start| start <= offset).max(1);
        let start = self.lines[line - 1].min(offset);
        let column = self.chars_before(text, offset) - self.chars_before(text, start);
        LineCol {
            line: line as u32,
            column: column + 1,
        }
    }

    fn line_range(&self, text: &str, line: u32) -> Option<Range<usize>> {
        let at = (line as usize).checked_sub(1)?;
        let start = *self.lines.get(at)? as usize;
        let end = self
            .lines
            .get(at + 1)
            .map_or(text.len(), |&next| next as usize);
        let line = text.get(start..end)?;
        let line = line
            .strip_suffix('\n')
            .map_or(line, |l| l.strip_suffix('\r').unwrap_or(l));
        Some(start..start + line.len())
    }

    fn chars_before(&self, text: &str, offset: u32) -> u32 {
        let offset = offset as usize;
        let block = offset / BLOCK;
        let (counted, from) = match self.chars.get(block) {
            Some(&count) => (count, block * BLOCK),
            // Only the end of a text that is a whole number of blocks long lies past the last block.
            None => (
                self.chars.last().copied().unwrap_or(0),
                block.saturating_sub(1) * BLOCK,
            ),
        };
        counted + count_chars(&text.as_bytes()[from..offset])
    }
}

/// Characters that begin in `bytes`, which are a part of a UTF-8 text.
fn count_chars(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&b| (b & 0xC0) != 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: u32) -> (u32, u32) {
        let mut map = SourceMap::new();
        let id = map.add("t", text);
        let found = map.line_col(id, offset);
        (found.line, found.column)
    }

    #[test]
    fn columns_count_characters_and_lines_end_at_crlf() {
        let text = "aé€\r\nb";
        assert_eq!(at(text, 0), (1, 1));
        assert_eq!(at(text, 3), (1, 3));
        assert_eq!(at(text, 6), (1, 4));
        assert_eq!(at(text, 8), (2, 1));
        assert_eq!(at(text, 900), (2, 2));
        assert_eq!(at("", 5), (1, 1));
    }

    #[test]
    fn a_byte_order_mark_is_not_a_column() {
        assert_eq!(at("\u{feff}[1]", 0), (1, 1));
        assert_eq!(at("\u{feff}[1]", 3), (1, 1));
        assert_eq!(at("\u{feff}[1]", 4), (1, 2));
    }

    #[test]
    fn a_long_line_is_indexed_by_blocks() {
        let text = "é".repeat(BLOCK * 2);
        assert_eq!(at(&text, text.len() as u32), (1, BLOCK as u32 * 2 + 1));
        assert_eq!(at(&text, BLOCK as u32), (1, BLOCK as u32 / 2 + 1));
    }

    #[test]
    fn a_line_range_leaves_out_the_line_break() {
        let mut map = SourceMap::new();
        let id = map.add("t", "\u{feff}ab\r\ncd\n");
        assert_eq!(map.line_range(id, 1), Some(3..5));
        assert_eq!(map.line_range(id, 2), Some(7..9));
        assert_eq!(map.line_range(id, 3), Some(10..10));
        assert_eq!(map.line_range(id, 4), None);
        assert_eq!(map.line_range(id, 0), None);
    }

    #[test]
    fn the_walking_form_agrees_with_the_index() {
        let text = "x\ny€z\r\n\nq";
        for offset in (0..=text.len()).filter(|&o| text.is_char_boundary(o)) {
            let found = LineCol::of(text, offset);
            assert_eq!((found.line, found.column), at(text, offset as u32));
        }
    }
}
