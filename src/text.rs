//! Flows written as text (`.flow` files): what the text language's crate has to know of nodes, and reading such a file.

use crate::away;
use crate::load::folder_of;
use std::collections::HashMap;
use std::path::Path;
use vgdc_core::spec::NodeSpec;
use vgdc_packages::Packages;
use vgdc_syntax::{Config, Diagnostic, Diagnostics, FlowDoc, SourceMap, codes};
use vgdc_text::{Nodes, Origins};

/// The extension of flows that are written as text.
pub const EXTENSION: &str = "flow";

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Whether a file is a flow that is written as text, by its name.
pub fn is_text(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == EXTENSION)
}

/// The nodes of the library, and the types of packages.
pub struct Known {
    specs: HashMap<&'static str, &'static NodeSpec>,
    types: Vec<String>,
}

impl Known {
    /// The nodes of the library.
    pub fn library() -> Known {
        let specs: HashMap<_, _> = vgdc_stdlib::specs().map(|spec| (spec.ty, spec)).collect();
        let mut types: Vec<String> = specs.keys().map(|ty| (*ty).to_owned()).collect();
        types.sort();
        Known { specs, types }
    }

    /// The same, and those in a user folder: of them nothing but their types is known.
    #[must_use]
    pub fn with_packages(mut self, packages: &Packages) -> Known {
        let all = packages.list.iter().flat_map(|package| &package.types);
        let mut more: Vec<String> = all
            .filter(|ty| !self.specs.contains_key(ty.as_str()))
            .cloned()
            .collect();
        more.sort();
        more.dedup();
        // (the library's come first, where two types are one word)
        self.types.append(&mut more);
        self
    }
}

impl Nodes for Known {
    fn spec(&self, ty: &str) -> Option<&'static NodeSpec> {
        self.specs.get(ty).copied()
    }

    fn types(&self) -> Vec<&str> {
        self.types.iter().map(String::as_str).collect()
    }
}

/// A flow's text, read.
pub struct Read {
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
pub fn read(
    sources: &mut SourceMap,
    path: &Path,
    config: &Config,
    user_dir: Option<&Path>,
) -> Read {
    let mut known = Known::library();
    if let Some(folder) = away::user_folder(config, user_dir, folder_of(path)) {
        known = known.with_packages(&Packages::read(&folder));
    }
    match read_text(path) {
        Ok(text) => of_text(sources, &path.to_string_lossy(), &text, &known),
        Err(error) => {
            let (doc, _) = FlowDoc::parse(sources, path.to_string_lossy(), "[]");
            Read {
                doc,
                diagnostics: Diagnostics::from_iter([*error]),
                origins: None,
            }
        }
    }
}

/// The flow file that a text becomes.
pub fn of_text(sources: &mut SourceMap, name: &str, text: &str, known: &Known) -> Read {
    let read = vgdc_text::read(sources, name, text, known);
    let (doc, mut found) = FlowDoc::parse(sources, format!("{name} (as JSON)"), read.json);
    let mut diagnostics = read.diagnostics;
    if !diagnostics.has_errors() {
        read.origins.map(&mut found, doc.source());
        diagnostics.append(found);
    }
    Read {
        doc,
        diagnostics,
        origins: Some(read.origins),
    }
}
