//! What the compiler says to the editor (`vgdc edit`): of a flow as it is drawn, of one node's code, of a cut over machines, of the node types.

mod check;
mod code;
mod fixes;
mod origins;
mod packaged;
pub mod places;
mod plan;
pub mod trials;
mod types;

use crate::away;
use fixes::Drawn;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use vgdc_driver::{Options, Session};
use vgdc_editor::{CredentialFields, Insight, NodeSet, Stored};
use vgdc_packages::Shelf;
use vgdc_spec::{FieldKind, NodeSpec};
use vgdc_syntax::{Diagnostics, FlowDoc, Level, SourceMap};
use vgdc_text::file;

/// The compiler, for an editor of one flow file.
pub struct Compiler {
    path: PathBuf,
    packages: Arc<Shelf>,
    /// Packages are installed one after the other.
    installs: Mutex<()>,
    options: Options,
}

impl Compiler {
    /// For this flow file, with the nodes of these packages.
    pub fn new(path: &Path, packages: Arc<Shelf>, options: Options) -> Compiler {
        Compiler {
            path: path.to_owned(),
            packages,
            installs: Mutex::default(),
            options,
        }
    }

    fn session(&self) -> Session {
        away::with_packages(crate::session(self.options), &self.packages.now())
    }

    /// Reads flows that came from the editor.
    fn doc(&self, flows: &str) -> (FlowDoc, Diagnostics, SourceMap) {
        let mut sources = SourceMap::new();
        let (doc, said) = FlowDoc::parse(&mut sources, self.path.to_string_lossy(), flows);
        (doc, said, sources)
    }
}

fn spec(ty: &str) -> Option<&'static NodeSpec> {
    vgdc_stdlib::specs().find(|spec| spec.ty == ty)
}

impl Insight for Compiler {
    fn check(&self, flows: &str) -> serde_json::Value {
        let (doc, said, sources) = self.doc(flows);
        // (flows that are no JSON have nothing that could be mended so)
        let drawn = serde_json::from_str(flows).unwrap_or_default();
        check::checked(&self.session(), &doc, said, &sources, &Drawn::new(&drawn))
    }

    fn code(&self, flows: &str, id: &str) -> Result<Option<serde_json::Value>, String> {
        let (doc, said, _) = self.doc(flows);
        if let Some(fault) = said.iter().find(|d| d.level == Level::Error) {
            return Err(fault.message.clone());
        }
        if !doc.nodes().any(|node| node.id() == id) {
            return Ok(None);
        }
        code::of_node(&self.session().with_lines(), &doc, id).map(Some)
    }

    fn plan(&self, flows: &str, mesh: &str) -> Result<serde_json::Value, serde_json::Value> {
        let (doc, mut said, mut sources) = self.doc(flows);
        let (mesh, of_mesh) = self.mesh(&mut sources, mesh);
        said.append(of_mesh);
        plan::cut(&self.session().unobserved(), &doc, said, &mesh, &sources)
    }

    fn types(&self) -> serde_json::Value {
        types::descriptors(&self.packages.now())
    }

    fn node_sets(&self) -> Vec<NodeSet> {
        types::sets(&self.packages.now())
    }

    fn credentials(&self, ty: &str) -> CredentialFields {
        let Some(spec) = spec(ty) else {
            return CredentialFields::Any;
        };
        let secret = spec
            .fields
            .iter()
            .filter(|field| field.kind == FieldKind::Credential);
        let names: Vec<String> = secret.map(|field| field.name.to_owned()).collect();
        // (a node that names none may still be given some: they are kept, and do nothing)
        match names.is_empty() {
            true => CredentialFields::Any,
            false => CredentialFields::Named(names),
        }
    }

    fn read(&self, text: &str) -> Result<Stored, String> {
        let mut sources = SourceMap::new();
        let name = self.path.to_string_lossy();
        let read = vgdc_text::read(
            &mut sources,
            &name,
            text,
            &away::nodes(&self.packages.now()),
        );
        match read.diagnostics.iter().find(|d| d.level == Level::Error) {
            None => Ok(Stored { flows: read.json }),
            Some(fault) => {
                let place = fault
                    .span()
                    .map(|span| sources.line_col(span.source, span.start));
                let place = place.map(|at| format!(", line {}, column {}", at.line, at.column));
                Err(format!(
                    "{name}{}: {}",
                    place.unwrap_or_default(),
                    fault.message
                ))
            }
        }
    }

    fn write(&self, text: &str, flows: &str) -> Result<String, String> {
        let (before, nodes) = (self.read(text)?.flows, away::nodes(&self.packages.now()));
        let parse = |json: &str| FlowDoc::parse(&mut SourceMap::new(), "flow", json).0;
        if says_the_same(&before, flows) {
            return Ok(text.to_owned());
        }
        // (what comments say is in the objects that the text became; it is there again where they still are)
        let doc = parse(&before).rewritten(flows).map_err(|e| e.to_string())?;
        let printed =
            vgdc_text::print::print(&parse(&doc), &nodes).map_err(|e| e.diagnostic().message)?;
        let again = self.read(&printed)?.flows;
        match says_the_same(&again, flows) {
            true => Ok(printed),
            false => Err(format!(
                "{} is text, and text cannot say this change without losing something: save the flow as JSON (`vgdc convert {}`)",
                self.path.display(),
                self.path.display()
            )),
        }
    }
}

/// Whether two JSON texts say the same.
fn says_the_same(a: &str, b: &str) -> bool {
    match (vgdc_value::json::parse(a), vgdc_value::json::parse(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Whether a flow file is text.
pub fn is_text(path: &Path) -> bool {
    file::is_text(path)
}
