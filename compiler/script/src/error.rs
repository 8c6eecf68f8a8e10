//! What is wrong with a text, and where.

use std::ops::Range;

use vgdc_syntax::{Code, Diagnostic, Level, LineCol, RawNode};

/// Something wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// Which kind of problem.
    pub code: Code,
    /// An error means that the text cannot be used; a warning that it means something else than it seems to.
    pub level: Level,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
    /// The line of the start of the range, from 1.
    pub line: u32,
    /// The column of the start of the range, from 1, in characters.
    pub column: u32,
}

impl ScriptError {
    /// An error at a place. The place is put within the text and onto character boundaries.
    pub(crate) fn new(
        code: Code,
        message: impl Into<String>,
        text: &str,
        range: Range<usize>,
    ) -> ScriptError {
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.ceil_char_boundary(range.end.clamp(start, text.len()));
        let LineCol { line, column } = LineCol::of(text, start);
        ScriptError {
            code,
            level: Level::Error,
            message: message.into(),
            range: start..end,
            line,
            column,
        }
    }

    /// The same as a warning.
    pub(crate) fn into_warning(mut self) -> ScriptError {
        self.level = Level::Warning;
        self
    }

    /// Where the error begins, in bytes of the text.
    pub fn start(&self) -> usize {
        self.range.start
    }

    /// Where the error ends, in bytes of the text.
    pub fn end(&self) -> usize {
        self.range.end
    }
}

/// The error as a diagnostic of a node's property (a name, or a dotted path into a structured property), with its places in
/// the text and in the flow file.
pub fn to_diagnostic(error: &ScriptError, node: RawNode<'_>, property: &str) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(error.level, error.code, error.message.clone()).with_node(node.node_ref());
    if let Some(span) = node.body_span(property, error.range.clone()) {
        diagnostic = diagnostic.with_label(span, "");
    }
    match node.body_pos(property, error.range.clone()) {
        Some(place) => diagnostic.with_body(place),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_syntax::{FlowDoc, SourceMap, codes};

    #[test]
    fn a_place_is_put_onto_characters() {
        let error = ScriptError::new(codes::BAD_JSONATA, "x", "a\nbé", 4..99);
        assert_eq!(
            (error.range.clone(), error.line, error.column),
            (3..5, 2, 2)
        );
        let past = ScriptError::new(codes::BAD_JSONATA, "x", "ab", 7..8);
        assert_eq!((past.start(), past.end()), (2, 2));
    }

    #[test]
    fn a_diagnostic_knows_both_places() {
        let mut sources = SourceMap::new();
        let flow = r#"[{"id":"t","type":"tab"},{"id":"f","type":"function","z":"t","x":1,"y":1,"wires":[],"func":"a\n}b"}]"#;
        let (doc, _) = FlowDoc::parse(&mut sources, "flows.json", flow);
        let node = doc.by_id("f").expect("is there");
        let error = ScriptError::new(codes::BAD_JAVASCRIPT, "no", "a\n}b", 2..3);
        let diagnostic = to_diagnostic(&error, node, "func");
        let body = diagnostic.body.as_ref().expect("has a place in the body");
        assert_eq!(
            (body.line, body.column, diagnostic.code),
            (2, 1, codes::BAD_JAVASCRIPT)
        );
        assert_eq!(
            sources.slice(diagnostic.span().expect("has a place in the file")),
            "}"
        );
    }
}
