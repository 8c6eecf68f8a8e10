//! The flow file: what is in it, its revision, and how it is saved: whole or not at all, and never over what somebody else has written
//! since it was read.

use crate::insight::Insight;
use crate::rev::{rev, stringify};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vgdc_syntax::{FlowDoc, Level, SourceMap};
use vgdc_value::{Array, Value, json};

/// Flows at one revision.
#[derive(Clone)]
pub(crate) struct Document {
    /// The nodes, without credentials.
    pub flows: Array,
    /// The same as JavaScript writes it.
    pub json: Arc<str>,
    /// What Node-RED calls this state of the flows.
    pub rev: Arc<str>,
}

impl Document {
    /// The document of these nodes.
    ///
    /// # Errors
    /// They are nested too deeply.
    pub(crate) fn new(flows: Array) -> Result<Document, String> {
        let text = stringify(&Value::Array(flows.clone()))?;
        let rev = rev(&text);
        Ok(Document {
            flows,
            json: text.into(),
            rev: rev.into(),
        })
    }

    /// The document of a JSON array.
    fn parse(text: &str) -> Result<Document, String> {
        match json::parse(text) {
            Ok(Value::Array(flows)) => Document::new(flows),
            Ok(_) => Err("the flows are no array".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The types of its nodes; one that several have comes several times.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        let nodes = self.flows.iter().filter_map(Value::as_object);
        nodes.filter_map(|node| node.get("type")?.as_str())
    }
}

/// Why flows were not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotSaved {
    /// The file is not as it was when it was read.
    Changed,
    /// It cannot be written, or not so that nothing is lost.
    Failed(String),
}

/// The file, and what is known of its bytes.
pub(crate) struct FlowFile {
    path: PathBuf,
    /// It is text, which a compiler reads and writes.
    is_text: bool,
    /// Of the bytes that were read or written last; `None` while there is no file.
    seen: Option<[u8; 32]>,
}

impl FlowFile {
    pub(crate) fn new(path: PathBuf, is_text: bool) -> FlowFile {
        FlowFile {
            path,
            is_text,
            seen: None,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; without a file there are no flows.
    ///
    /// # Errors
    /// It cannot be read, or is no flow file.
    pub(crate) fn read(&mut self, insight: &dyn Insight) -> Result<Document, String> {
        let Some(text) = self.text()? else {
            self.seen = None;
            return Document::new(Array::new());
        };
        let document = match self.is_text {
            true => Document::parse(&insight.read(&text)?.flows),
            false => of_json(&self.path, &text),
        }?;
        self.seen = Some(digest(&text));
        Ok(document)
    }

    /// Whether somebody else has written it since. (One that was removed is in nobody's way.)
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn has_changed(&self) -> Result<bool, String> {
        let text = self.text()?;
        Ok(text.is_some_and(|text| self.seen != Some(digest(&text))))
    }

    /// Writes these nodes into it.
    ///
    /// # Errors
    /// What was there is as it was.
    pub(crate) fn save(
        &mut self,
        document: &Document,
        insight: &dyn Insight,
    ) -> Result<(), NotSaved> {
        let old = self.text().map_err(NotSaved::Failed)?;
        if old
            .as_ref()
            .is_some_and(|text| self.seen != Some(digest(text)))
        {
            return Err(NotSaved::Changed);
        }
        let before = old
            .as_deref()
            .unwrap_or(if self.is_text { "" } else { "[]" });
        let after = match self.is_text {
            true => insight
                .write(before, &document.json)
                .map_err(NotSaved::Failed)?,
            false => rewritten(&self.path, before, &document.json).map_err(NotSaved::Failed)?,
        };
        if old.as_ref() != Some(&after) {
            write(&self.path, after.as_bytes(), 0o644).map_err(NotSaved::Failed)?;
        }
        self.seen = Some(digest(&after));
        Ok(())
    }

    fn text(&self) -> Result<Option<String>, String> {
        read(&self.path)
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn of_json(path: &Path, text: &str) -> Result<Document, String> {
    let (doc, said) = FlowDoc::parse(&mut SourceMap::new(), path.to_string_lossy(), text);
    match doc.array().filter(|_| !doc.is_faulty()) {
        Some(array) => Document::parse(array.text()),
        None => {
            let fault = said.iter().find(|d| d.level == Level::Error);
            let why = fault.map_or("it is no flow file", |d| &d.message);
            Err(format!("{}: {why}", path.display()))
        }
    }
}

fn rewritten(path: &Path, text: &str, flows: &str) -> Result<String, String> {
    let (doc, _) = FlowDoc::parse(&mut SourceMap::new(), path.to_string_lossy(), text);
    doc.rewritten(flows)
        .map_err(|e| format!("{}: {e}", path.display()))
}

/// The text of a file that may be missing.
///
/// # Errors
/// It cannot be read, or is no UTF-8.
pub(crate) fn read(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Writes a file whole or not at all; who may read it stays as it was, `mode` is a new file's.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    // (a link stays one: what it leads to is replaced)
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mode = std::fs::metadata(&path).map_or(mode, |about| about.permissions().mode() & 0o777);
    vgdc_app::whole::write(&path, bytes, mode)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
