//! Drives the compiler: what the command line, the runtime's deploy and the editor call.
//!
//! Invariants of this crate:
//! * It is glue: it decides the order of stages and nothing else.
//! * Compiling never fails half-way and never panics on a user's flow: there is always a [`Compiled`], and its diagnostics say
//!   whether its plan may run.
//! * It does no I/O.

pub use vgdc_middle::{ContextUse, Keys, NoScripts, Registry, ScriptInfo, ScriptKind, Trace};

use vgdc_ir::Graph;
use vgdc_middle::{context, islands, lower, pipeline, resolve};
use vgdc_plan::Plan;
use vgdc_spec::NodeSpec;
use vgdc_syntax::{Diagnostics, FlowDoc};

/// A compiler with its nodes and options; compiles any number of flows.
pub struct Session {
    registry: Registry,
    options: Options,
    scripts: Box<dyn ScriptInfo>,
}

/// How to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Optimise. Without it the plan is that of the graph as resolved, in one island: what the oracle runs.
    pub optimise: bool,
    /// For a runtime that starts what it can: a fault inside a node, such as bad JavaScript, is a warning that the node will
    /// fail at start. An unknown type or a subflow inside itself stays an error.
    pub deploy_mode: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            optimise: true,
            deploy_mode: false,
        }
    }
}

/// A compiled flow: each stage, and what there was to say.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The graph as resolved.
    pub graph: Graph,
    /// The graph after the passes.
    pub optimised: Graph,
    /// The plan. It may run only when the diagnostics have no error.
    pub plan: Plan,
    /// What is to be said about the flow, in the order of the file.
    pub diagnostics: Diagnostics,
    /// What the passes did.
    pub trace: Trace,
}

impl Session {
    /// A compiler with these nodes.
    pub fn new(specs: impl IntoIterator<Item = &'static NodeSpec>, options: Options) -> Session {
        Session {
            registry: Registry::new(specs),
            options,
            scripts: Box::new(NoScripts),
        }
    }

    /// The nodes.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The options.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Compiles a flow file. What the reader had to say about it is not repeated.
    pub fn compile(&self, doc: &FlowDoc) -> Compiled {
        let mut diagnostics = Diagnostics::new();
        let mut trace = Trace::default();
        let graph = resolve(doc, &self.registry, &mut diagnostics);
        let mut optimised = graph.clone();
        pipeline::normalise(&mut optimised, &mut trace);
        let islands = if self.options.optimise {
            islands::find(
                &optimised,
                &context::uses(&optimised, &self.registry, self.scripts.as_ref()),
            )
        } else {
            islands::one(&optimised)
        };
        let plan = lower(&optimised, &islands);
        diagnostics.sort();
        Compiled {
            graph,
            optimised,
            plan,
            diagnostics,
            trace,
        }
    }
}
