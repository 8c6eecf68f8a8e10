//! The node types that the compiler knows, by the tables that came with the nodes.

use std::collections::HashMap;

use vgdc_spec::{NodeSpec, Role};

/// Node types by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    by_type: HashMap<&'static str, &'static NodeSpec>,
    /// The type whose behaviour a subflow instance has.
    instance: Option<&'static str>,
}

impl Registry {
    /// A registry of these types; of two with one name the later counts.
    pub fn new(specs: impl IntoIterator<Item = &'static NodeSpec>) -> Registry {
        let mut registry = Registry::default();
        registry.extend(specs);
        registry
    }

    /// Adds types; of two with one name the later counts.
    pub fn extend(&mut self, specs: impl IntoIterator<Item = &'static NodeSpec>) {
        for spec in specs {
            if spec.role == Role::SubflowInstance {
                self.instance = Some(spec.ty);
            }
            self.by_type.insert(spec.ty, spec);
        }
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
