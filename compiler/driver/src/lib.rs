//! Drives the compiler: what the command line, the runtime's deploy and the editor call.
//!
//! Invariants of this crate:
//! * It is glue: it decides the order of stages and nothing else.
//! * Compiling never fails half-way and never panics on a user's flow: there is always a [`Compiled`], and its diagnostics say
//!   whether its plan may run.
//! * It does no I/O.

mod explain;
mod languages;
mod manifest;
mod mesh;
pub mod native;
mod profile;
mod regions;
mod stage;

pub use explain::explain;
pub use manifest::Manifest;
pub use mesh::{Cut, Part};
pub use profile::NAME as PROFILE;
pub use regions::Node;
pub use stage::Stage;
pub use vgdc_middle::passes::pull_away::NAME as PULL_AWAY;
pub use vgdc_middle::trace::Entry;
pub use vgdc_middle::{
    Away, ContextUse, Keys, NoScripts, Registry, ScriptFault, ScriptInfo, ScriptKind, Trace,
    modules,
};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use profile::Usage;
use vgdc_ir::{Graph, OpId, Operator, verify};
use vgdc_middle::plan::flow_hash;
use vgdc_middle::{context, islands, lower, pipeline, resolve, scripts};
use vgdc_mir::NodeLowering;
use vgdc_plan::profile::Profile;
use vgdc_plan::{Place, Plan};
use vgdc_spec::{NodeSpec, Role};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, codes};

/// A compiler with its nodes and options; compiles any number of flows.
pub struct Session {
    registry: Registry,
    options: Options,
    scripts: Box<dyn ScriptInfo>,
    lowerings: HashMap<&'static str, NodeLowering>,
    observable: bool,
    profile: Option<Profile>,
    probes: bool,
    lines: bool,
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
    /// The texts in nodes that can become machine code.
    pub lowered: native::Lowered,
    /// The plan. It may run only when the diagnostics have no error.
    pub plan: Plan,
    /// What is to be said about the flow, in the order of the file.
    pub diagnostics: Diagnostics,
    /// What the passes did.
    pub trace: Trace,
}

/// A flow before anything is optimised, or a part of it.
#[derive(Clone)]
struct Front {
    /// As resolved.
    graph: Graph,
    /// Normalised, with types.
    normal: Graph,
    usage: Usage,
    diagnostics: Diagnostics,
    trace: Trace,
}

impl Session {
    /// A compiler with these nodes.
    pub fn new(specs: impl IntoIterator<Item = &'static NodeSpec>, options: Options) -> Session {
        let registry = Registry::new(specs);
        Session {
            registry,
            options,
            scripts: Box::new(languages::Scripts::default()),
            lowerings: HashMap::new(),
            observable: true,
            profile: None,
            probes: false,
            lines: false,
        }
    }

    /// With something else that knows about scripts.
    #[must_use]
    pub fn with_scripts(mut self, scripts: Box<dyn ScriptInfo>) -> Session {
        self.scripts = scripts;
        self
    }

    /// With what nodes, by their types, say of how they become code.
    #[must_use]
    pub fn with_lowerings(
        mut self,
        lowerings: impl IntoIterator<Item = (&'static str, NodeLowering)>,
    ) -> Session {
        self.lowerings.extend(lowerings);
        self
    }

    /// With nodes that are not the library's.
    #[must_use]
    pub fn with_nodes(mut self, specs: impl IntoIterator<Item = &'static NodeSpec>) -> Session {
        self.registry.extend(specs);
        self
    }

    /// With nodes that run in another place, for which the program has stand-ins.
    #[must_use]
    pub fn with_nodes_at(
        mut self,
        specs: impl IntoIterator<Item = (&'static NodeSpec, Away)>,
    ) -> Session {
        self.registry.extend_at(specs);
        self
    }

    /// With a place that has modules for code in nodes.
    #[must_use]
    pub fn with_modules_at(mut self, place: &str, modules: HashSet<String>) -> Session {
        self.registry.set_modules(place, modules);
        self
    }

    /// For a program of which nobody watches or addresses single nodes: junctions and remarks are left out of it.
    #[must_use]
    pub fn unobserved(mut self) -> Session {
        self.observable = false;
        self
    }

    /// With what was measured of a run of the flow: it decides what is worth what.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<Profile>) -> Session {
        self.profile = profile;
        self
    }

    /// For a run that takes a profile: code leaves marks where it comes by.
    #[must_use]
    pub fn with_probes(mut self, probes: bool) -> Session {
        self.probes = probes;
        self
    }

    /// For people who look at what becomes of code: functions say of which lines they are made.
    #[must_use]
    pub fn with_lines(mut self) -> Session {
        self.lines = true;
        self
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
        let front = self.front(doc);
        let uses = self.uses(&front.normal);
        self.back(front, &uses)
    }

    /// The stages before anything is optimised.
    fn front(&self, doc: &FlowDoc) -> Front {
        let (mut diagnostics, mut trace) = (Diagnostics::new(), Trace::default());
        let graph = resolve(doc, &self.registry, &mut diagnostics);
        self.check_scripts(doc, &graph, &mut diagnostics);
        let mut normal = graph.clone();
        let calls = scripts::link_calls(&normal, &self.registry, self.scripts.as_ref());
        pipeline::normalise(&mut normal, &calls, &mut trace);
        let found = pipeline::infer(
            &mut normal,
            &self.registry,
            self.scripts.as_ref(),
            &mut trace,
        );
        scripts::warn(doc, &normal, &found, &mut diagnostics);
        let usage = match &self.profile {
            Some(profile) => Usage::of(profile, &graph, &normal, &mut diagnostics),
            None => Usage::default(),
        };
        Front {
            graph,
            normal,
            usage: usage.with_probes(self.probes),
            diagnostics,
            trace,
        }
    }

    /// Which contexts operators use; only an optimised program asks for it.
    fn uses(&self, graph: &Graph) -> HashMap<OpId, ContextUse> {
        match self.options.optimise {
            true => context::uses(graph, &self.registry, self.scripts.as_ref()),
            false => HashMap::new(),
        }
    }

    /// The stages from a normalised graph, of the whole flow or of a part of it, to the plan.
    fn back(&self, front: Front, uses: &HashMap<OpId, ContextUse>) -> Compiled {
        let Front {
            graph,
            normal: mut optimised,
            usage,
            mut diagnostics,
            mut trace,
        } = front;
        let islands = if self.options.optimise {
            pipeline::optimise(
                &mut optimised,
                &self.registry,
                uses,
                self.observable,
                &mut trace,
            );
            islands::find(&optimised, uses)
        } else {
            islands::one(&optimised)
        };
        let mut plan = lower(&optimised, &islands);
        plan.hash = flow_hash(&graph);
        plan.places = self.places(&plan);
        self.twins(&mut plan);
        let mut lowered = native::Lowered::default();
        if self.options.optimise {
            let ids = optimised.op_ids().iter();
            let ops: Vec<&Operator> = ids.map(|id| optimised.op(*id)).collect();
            lowered = native::lower(
                &mut plan,
                &self.registry,
                &self.lowerings,
                &usage,
                self.lines,
            );
            self.note_decisions(&lowered, &ops, &mut trace);
            usage.cool(&plan, &mut lowered, &ops, &mut trace);
            usage.load(&mut plan);
        }
        verify_all(&optimised, &plan, &mut diagnostics);
        diagnostics.sort();
        Compiled {
            graph,
            optimised,
            lowered,
            plan,
            diagnostics,
            trace,
        }
    }

    /// Has those run in another place, too, that may get what cannot leave it.
    fn twins(&self, plan: &mut Plan) {
        let places: Vec<String> = plan.places.iter().map(|place| place.name.clone()).collect();
        if places.is_empty() {
            return;
        }
        for op in plan.ops.iter_mut().filter(|op| op.away.is_none()) {
            let spec = self.registry.get(op.process.as_deref().unwrap_or(&op.ty));
            if spec.is_some_and(|spec| spec.role == Role::Answer) {
                op.twins.clone_from(&places);
            }
        }
    }

    /// The other places, and what they have to load.
    fn places(&self, plan: &Plan) -> Vec<Place> {
        let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for op in &plan.ops {
            let Some(away) = &op.away else { continue };
            let packages = places.entry(&away.place).or_default();
            let named = self.registry.away(&op.ty);
            packages.extend(named.iter().flat_map(|of| &of.packages).map(String::as_str));
        }
        let place = |(name, packages): (&str, BTreeSet<&str>)| Place {
            name: name.to_owned(),
            packages: packages.into_iter().map(str::to_owned).collect(),
        };
        places.into_iter().map(place).collect()
    }

    /// Notes what the profile decided about the code of nodes.
    fn note_decisions(&self, lowered: &native::Lowered, ops: &[&Operator], trace: &mut Trace) {
        for (op, why) in &lowered.left {
            trace.left(
                profile::NAME,
                ops[*op],
                format!("no code is made of it: {why}"),
            );
        }
        for op in &lowered.by_use {
            let text = "its code asks first what is taken most often";
            trace.did(profile::NAME, ops[*op], text);
        }
    }

    fn check_scripts(&self, doc: &FlowDoc, graph: &Graph, diagnostics: &mut Diagnostics) {
        let deploy_mode = self.options.deploy_mode;
        scripts::check(
            doc,
            &self.registry,
            graph,
            self.scripts.as_ref(),
            deploy_mode,
            diagnostics,
        );
    }
}

/// A fault of the compiler itself must not reach a running program.
fn verify_all(graph: &Graph, plan: &Plan, diagnostics: &mut Diagnostics) {
    let graph_faults = verify::verify(graph, verify::Stage::Normal)
        .err()
        .unwrap_or_default();
    let faults = graph_faults.iter().map(ToString::to_string);
    let faults = faults.chain(plan.verify().err().map(|fault| fault.to_string()));
    diagnostics.extend(faults.map(|fault| {
        Diagnostic::error(codes::VERIFIER, fault).with_note(
            "this is a fault of vgdc and not of the flow: please report it with the flow",
        )
    }));
}
