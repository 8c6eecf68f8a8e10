//! Shows diagnostics: as text for a terminal, and as JSON for tools.
//!
//! A flow file is often one line of megabytes, so the text form shows a window of a long line and gives the true line and
//! column above it. A place inside a property is shown in the property's own lines. Hidden ranges of a source
//! ([`SourceMap::hide`]) come out as asterisks.

use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic as Shown, Label as Mark, Severity};
use codespan_reporting::term::{self, termcolor};
use serde_json::{Value, json};

use crate::diag::{BodyPos, Diagnostic, Diagnostics, Label, Level, NodeRef};
use crate::excerpt::{Excerpt, Excerpts};
use crate::json::decode;
use crate::source::SourceMap;

/// How the text form looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TextOptions {
    /// Whether to use the terminal's colours.
    pub color: bool,
    /// How many diagnostics to show; of the rest, only the number is told. Errors come first then.
    pub limit: Option<usize>,
}

/// The diagnostics as text, with a blank line after each and a summary at the end; empty when there are none.
pub fn text(diagnostics: &Diagnostics, sources: &SourceMap, options: &TextOptions) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let limit = options.limit.unwrap_or(usize::MAX);
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    if shown.len() > limit {
        shown.sort_by_key(|diagnostic| diagnostic.level);
        shown.truncate(limit);
    }
    let left_out = diagnostics.len() - shown.len();
    let mut out = String::new();
    for diagnostic in shown {
        out.push_str(&one_text(diagnostic, sources, options));
        out.push_str("\n\n");
    }
    if left_out > 0 {
        out.push_str(&format!("… and {left_out} more\n\n"));
    }
    out.push_str(&summary(diagnostics));
    out.push('\n');
    out
}

/// "2 errors, 1 warning", as long as there is anything.
pub fn summary(diagnostics: &Diagnostics) -> String {
    let part = |level, name: &str| match diagnostics.count(level) {
        0 => None,
        1 => Some(format!("1 {name}")),
        count => Some(format!("{count} {name}s")),
    };
    let parts = [
        part(Level::Error, "error"),
        part(Level::Warning, "warning"),
        part(Level::Note, "note"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// One diagnostic as text, without a line break at its end.
pub fn one_text(diagnostic: &Diagnostic, sources: &SourceMap, options: &TextOptions) -> String {
    let severity = match diagnostic.level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Note => Severity::Note,
    };
    let (excerpts, marks) = places(diagnostic, sources);
    let shown = Shown::new(severity)
        .with_code(diagnostic.code)
        .with_message(&diagnostic.message)
        .with_labels(marks)
        .with_notes(remarks(diagnostic));
    let config = term::Config {
        before_label_lines: 2,
        after_label_lines: 1,
        ..term::Config::default()
    };
    let mut buffer = if options.color {
        termcolor::Buffer::ansi()
    } else {
        termcolor::Buffer::no_color()
    };
    match term::emit_to_write_style(&mut buffer, &config, &excerpts, &shown) {
        Ok(()) => String::from_utf8_lossy(buffer.as_slice())
            .trim_end()
            .to_owned(),
        // A place that cannot be drawn must not hide the message itself.
        Err(_) => format!(
            "{}[{}]: {}",
            level_name(diagnostic.level),
            diagnostic.code,
            diagnostic.message
        ),
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// What stands below the source: the node, the notes, the fix.
fn remarks(diagnostic: &Diagnostic) -> Vec<String> {
    let node = diagnostic
        .node
        .as_ref()
        .map(|node| format!("node: {}", describe_node(node)));
    let fix = diagnostic.fix.as_ref().map(|fix| format!("help: {fix}"));
    let notes = diagnostic.notes.iter().map(|note| format!("note: {note}"));
    node.into_iter().chain(notes).chain(fix).collect()
}

/// A node in words: what a user needs to find it in the editor.
fn describe_node(node: &NodeRef) -> String {
    let name = if node.name.is_empty() {
        String::new()
    } else {
        format!(" \"{}\"", node.name)
    };
    let place = node
        .z
        .as_ref()
        .map(|z| format!(" on {z}"))
        .unwrap_or_default();
    format!("{}{name} ({}){place}", node.ty, node.id)
}

/// The places of a diagnostic, with their pieces of source.
fn places(diagnostic: &Diagnostic, sources: &SourceMap) -> (Excerpts, Vec<Mark<usize>>) {
    let mut excerpts = Excerpts::default();
    let mut marks = Vec::new();
    let mut labels: &[Label] = &diagnostic.labels;
    if let Some((body, value)) = diagnostic
        .body
        .as_ref()
        .and_then(|body| Some((body, body.value?)))
    {
        // The main label is the same place in the file, where it is one escaped line: show the property's own lines in its place.
        let main = labels
            .first()
            .filter(|label| label.span.source == value.source);
        let at = sources.line_col(
            value.source,
            main.map_or(value.start, |label| label.span.start),
        );
        let name = format!(
            "{}:{}:{}: {}",
            sources.name(value.source),
            at.line,
            at.column,
            body.property
        );
        let (excerpt, range) = body_excerpt(body, name, &decode(sources.slice(value)));
        marks.push(
            Mark::primary(excerpts.push(excerpt), range)
                .with_message(main.map_or("", |label| &label.text)),
        );
        labels = labels.get(usize::from(main.is_some())..).unwrap_or(&[]);
    }
    for label in labels {
        excerpts.cover(sources, label.span);
    }
    for label in labels {
        let (file, range) = excerpts.find(sources, label.span);
        let mark = if marks.is_empty() {
            Mark::primary(file, range)
        } else {
            Mark::secondary(file, range)
        };
        marks.push(mark.with_message(&label.text));
    }
    (excerpts, marks)
}

/// The lines of a property's value around the fault, and where in them the fault is.
fn body_excerpt(body: &BodyPos, name: String, value: &str) -> (Excerpt, Range<usize>) {
    let mut map = SourceMap::new();
    let id = map.add(name, value);
    let span = crate::source::Span::new(id, body.start..body.end);
    let mut excerpt = Excerpt::around(&map, span, 2, 1);
    excerpt.fill(&map);
    let range = excerpt.place(&map, span);
    (excerpt, range)
}

/// The diagnostics as one JSON object.
///
/// `{"version": 1, "errors": n, "warnings": n, "notes": n, "diagnostics": [{"code", "level", "title", "message", "node", "labels", "body",
/// "notes", "fix"}]}`. A label is `{"file", "start", "end", "line", "column", "endLine", "endColumn", "text"}`, where `start`
/// and `end` are bytes. `node` is null or `{"id", "name", "type", "z"}`; `body` is null or `{"property", "line", "column",
/// "start", "end"}`, bytes of the decoded value. All fields are always there.
pub fn json(diagnostics: &Diagnostics, sources: &SourceMap) -> Value {
    json!({
        "version": 1,
        "errors": diagnostics.count(Level::Error),
        "warnings": diagnostics.count(Level::Warning),
        "notes": diagnostics.count(Level::Note),
        "diagnostics": diagnostics.iter().map(|diagnostic| one_json(diagnostic, sources)).collect::<Vec<_>>(),
    })
}

/// One diagnostic as a JSON object; see [`json()`].
pub fn one_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    json!({
        "code": diagnostic.code,
        "level": diagnostic.level,
        "title": diagnostic.code.title(),
        "message": diagnostic.message,
        "node": diagnostic.node,
        "labels": diagnostic.labels.iter().map(|label| label_json(label, sources)).collect::<Vec<_>>(),
        "body": diagnostic.body.as_ref().map(|body| json!({
            "property": body.property,
            "line": body.line,
            "column": body.column,
            "start": body.start,
            "end": body.end,
        })),
        "notes": diagnostic.notes,
        "fix": diagnostic.fix,
    })
}

fn label_json(label: &Label, sources: &SourceMap) -> Value {
    let span = label.span;
    let (start, end) = (
        sources.line_col(span.source, span.start),
        sources.line_col(span.source, span.end),
    );
    json!({
        "file": sources.name(span.source),
        "start": span.start,
        "end": span.end,
        "line": start.line,
        "column": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "text": label.text,
    })
}
