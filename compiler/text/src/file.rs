//! Text files: read from the disk, and made the flow files that they say.

use crate::{Nodes, Origins, read};
use std::path::Path;
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, SourceMap, codes};

/// The extension of flows that are written as text.
pub const EXTENSION: &str = "flow";

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Whether a file is a flow that is written as text, by its name.
pub fn is_text(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == EXTENSION)
}

/// A flow's text, read.
pub struct Document {
    /// The flow file that it became.
    pub doc: FlowDoc,
    /// What there is to say, at places in the text.
    pub diagnostics: Diagnostics,
    /// Where the document's parts come from; nothing where the file could not be read.
    pub origins: Option<Origins>,
}

/// Reads a text file.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Box<Diagnostic>> {
    let cannot = |e: std::io::Error| {
        let message = format!("cannot read {}: {e}", path.display());
        Box::new(Diagnostic::error(codes::UNREADABLE, message))
    };
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > MAX_BYTES as u64 {
        let message = format!("the file has {size} bytes, and at most {MAX_BYTES} are read");
        return Err(Box::new(Diagnostic::error(codes::TOO_LARGE, message)));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("byte {at} of {} is not UTF-8", path.display());
        let fault = Diagnostic::error(codes::NOT_UTF8, message);
        Box::new(fault.with_fix("save the file as UTF-8"))
    })
}

/// Reads a flow that is written as text.
pub fn read_file(sources: &mut SourceMap, path: &Path, nodes: &dyn Nodes) -> Document {
    match read_text(path) {
        Ok(text) => of_text(sources, &path.to_string_lossy(), &text, nodes),
        Err(error) => {
            let (doc, _) = FlowDoc::parse(sources, path.to_string_lossy(), "[]");
            Document {
                doc,
                diagnostics: Diagnostics::from_iter([*error]),
                origins: None,
            }
        }
    }
}

/// The flow file that a text becomes.
fn of_text(sources: &mut SourceMap, name: &str, text: &str, nodes: &dyn Nodes) -> Document {
    let read = read(sources, name, text, nodes);
    let (doc, mut found) = FlowDoc::parse(sources, format!("{name} (as JSON)"), read.json);
    let mut diagnostics = read.diagnostics;
    if !diagnostics.has_errors() {
        read.origins.map(&mut found, doc.source());
        diagnostics.append(found);
    }
    Document {
        doc,
        diagnostics,
        origins: Some(read.origins),
    }
}
