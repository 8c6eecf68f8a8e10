//! The node types that the compiler knows, by the tables that came with the nodes.

use std::collections::{HashMap, HashSet};

use vgdc_spec::{NodeSpec, Role};

/// Node types by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    by_type: HashMap<&'static str, &'static NodeSpec>,
    /// Those of the node library, which are Node-RED's own.
    library: HashSet<&'static str>,
    /// The type whose behaviour a subflow instance has.
    instance: Option<&'static str>,
    /// The type whose behaviour it is to stand in for nodes that run in other places.
    stand_in: Option<&'static str>,
    /// The types at the two ends of a link between parts of a flow.
    sender: Option<&'static str>,
    receiver: Option<&'static str>,
    /// Types whose nodes run in another place.
    away: HashMap<&'static str, Away>,
    /// A place that has modules for code in nodes, and their names.
    modules: Option<(String, HashSet<String>)>,
}

/// Where the nodes of a type run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Away {
    /// The place.
    pub place: String,
    /// What the place has to load to know the type.
    pub packages: Vec<String>,
}

impl Registry {
    /// A registry of these types; of two with one name the later counts.
    pub fn new(specs: impl IntoIterator<Item = &'static NodeSpec>) -> Registry {
        let mut registry = Registry::default();
        registry.extend(specs);
        registry.library = registry.by_type.keys().copied().collect();
        registry
    }

    /// Adds types; of two with one name the later counts.
    pub fn extend(&mut self, specs: impl IntoIterator<Item = &'static NodeSpec>) {
        for spec in specs {
            match spec.role {
                Role::SubflowInstance => self.instance = Some(spec.ty),
                Role::StandIn => self.stand_in = Some(spec.ty),
                Role::Sender => self.sender = Some(spec.ty),
                Role::Receiver => self.receiver = Some(spec.ty),
                _ => {}
            }
            self.by_type.insert(spec.ty, spec);
        }
    }

    /// Adds types whose nodes run in another place.
    pub fn extend_at(&mut self, specs: impl IntoIterator<Item = (&'static NodeSpec, Away)>) {
        for (spec, away) in specs {
            self.away.insert(spec.ty, away);
            self.extend([spec]);
        }
    }

    /// Whether a type is the node library's, and not of somebody's own crate or package.
    pub fn is_of_library(&self, ty: &str) -> bool {
        self.library.contains(ty)
    }

    /// Where nodes of a type run, where that is not the program itself.
    pub fn away(&self, ty: &str) -> Option<&Away> {
        self.away.get(ty)
    }

    /// Tells of a place that has these modules: nodes whose code uses some of them run there.
    pub fn set_modules(&mut self, place: &str, modules: HashSet<String>) {
        self.modules = Some((place.to_owned(), modules));
    }

    /// The place that has all of these modules, where there is one.
    pub fn place_with(&self, modules: &[String]) -> Option<&str> {
        let (place, known) = self.modules.as_ref()?;
        let has_all = !modules.is_empty() && modules.iter().all(|name| known.contains(name));
        has_all.then_some(place)
    }

    /// The type that stands in for nodes that run in other places.
    pub fn stand_in_type(&self) -> Option<&'static str> {
        self.stand_in
    }

    /// The types that send to another part of a flow, and that get what is sent.
    pub fn link_types(&self) -> Option<(&'static str, &'static str)> {
        self.sender.zip(self.receiver)
    }

    /// The table of a type.
    pub fn get(&self, ty: &str) -> Option<&'static NodeSpec> {
        self.by_type.get(ty).copied()
    }

    /// The type that gives subflow instances their behaviour.
    pub fn instance_type(&self) -> Option<&'static str> {
        self.instance
    }

    /// The names of all types, sorted.
    pub fn types(&self) -> Vec<&'static str> {
        let mut types: Vec<_> = self.by_type.keys().copied().collect();
        types.sort_unstable();
        types
    }
}
