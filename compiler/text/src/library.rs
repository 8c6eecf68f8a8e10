//! Nodes by their types: what a text is read with.

use crate::Nodes;
use std::collections::HashMap;
use vgdc_spec::NodeSpec;

/// A table of nodes.
pub struct Library {
    specs: HashMap<&'static str, &'static NodeSpec>,
    /// In order, so that what is said of a text is the same each time.
    types: Vec<String>,
}

impl Library {
    /// These nodes; of two with one type the later counts.
    pub fn new(specs: impl IntoIterator<Item = &'static NodeSpec>) -> Library {
        let specs: HashMap<_, _> = specs.into_iter().map(|spec| (spec.ty, spec)).collect();
        let mut types: Vec<String> = specs.keys().map(|ty| (*ty).to_owned()).collect();
        types.sort();
        Library { specs, types }
    }

    /// With types of which nothing else is known.
    #[must_use]
    pub fn with_types<'t>(mut self, types: impl IntoIterator<Item = &'t String>) -> Library {
        let is_new = |ty: &&String| !self.specs.contains_key(ty.as_str());
        let mut more: Vec<String> = types.into_iter().filter(is_new).cloned().collect();
        more.sort();
        more.dedup();
        // (those of which more is known come first, where two types are one word)
        self.types.append(&mut more);
        self
    }
}

impl Nodes for Library {
    fn spec(&self, ty: &str) -> Option<&'static NodeSpec> {
        self.specs.get(ty).copied()
    }

    fn types(&self) -> Vec<&str> {
        self.types.iter().map(String::as_str).collect()
    }
}
