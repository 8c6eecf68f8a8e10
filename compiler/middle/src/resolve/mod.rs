//! Resolves a flow file into a graph: who stands where, who is wired to whom, which names are looked up where.
//!
//! What Node-RED does is followed, not what its documentation says: in what order nodes start, what happens to ids inside a
//! subflow instance, which of two nodes with one id a wire finds.

mod config;
mod depth;
pub mod env;
mod expand;
mod index;
mod links;
mod lookup;
mod props;
mod types;
mod wires;

pub(crate) use env::reference as env_reference;
pub(crate) use index::in_js_order;
pub use props::modules;

use vgdc_ir::Graph;
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, codes};

use crate::registry::Registry;

/// Makes a graph of a flow file. There is always one; whether it may run is for the diagnostics to say.
pub fn resolve(doc: &FlowDoc, registry: &Registry, diagnostics: &mut Diagnostics) -> Graph {
    let index = index::Index::new(doc);
    let mut expansion = expand::expand(doc, &index, registry, diagnostics);
    wires::connect(doc, &mut expansion, diagnostics);
    config::connect(doc, registry, &mut expansion, diagnostics);
    links::check(doc, &expansion, diagnostics);
    depth::check(doc, &expansion.graph, diagnostics);
    types::check(doc, registry, &expansion.graph, diagnostics);
    if expansion.graph.op_count() == 0 && !doc.is_faulty() {
        diagnostics.push(Diagnostic::warning(
            codes::EMPTY_FLOW,
            "there is no node to run in this flow file",
        ));
    }
    expansion.graph
}
