//! The compiler behind the control protocol's `deploy`.

use std::sync::Arc;
use vgdc_driver::Options;
use vgdc_packages::Shelf;
use vgdc_probe::{Compiled, Deployer, Refusal};
use vgdc_syntax::{Diagnostics, FlowDoc, Level, SourceMap, render};

/// Compiles what a `deploy` request brings.
pub struct Compiler {
    /// How it compiles.
    pub options: Options,
    /// The packages whose nodes may be deployed.
    pub packages: Arc<Shelf>,
    /// For a run that takes a profile: code leaves marks where it comes by.
    pub probes: bool,
}

impl Deployer for Compiler {
    fn compile(&self, flows: &str) -> Result<Compiled, Refusal> {
        let mut sources = SourceMap::new();
        let (doc, mut diagnostics) = FlowDoc::parse(&mut sources, "deploy", flows);
        let mut compiled =
            crate::away::with_packages(crate::session(self.options), &self.packages.now())
                .with_probes(self.probes)
                .compile(&doc);
        crate::native::generate(&mut compiled);
        diagnostics.append(std::mem::take(&mut compiled.diagnostics));
        let texts = texts(&diagnostics, &sources);
        if let Some(first) = diagnostics.iter().find(|d| d.level == Level::Error) {
            let message = first.message.clone();
            return Err(Refusal {
                code: "invalid-flows".to_owned(),
                message,
                diagnostics: texts,
            });
        }
        Ok(Compiled {
            plan: compiled.plan,
            diagnostics: texts,
        })
    }
}

fn texts(diagnostics: &Diagnostics, sources: &SourceMap) -> Vec<String> {
    diagnostics
        .iter()
        .map(|d| render::one_json(d, sources).to_string())
        .collect()
}
