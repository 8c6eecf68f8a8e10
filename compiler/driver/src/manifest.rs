//! The manifest: what a program says of itself without being run.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use vgdc_middle::fingerprint::Fingerprint;
use vgdc_middle::resolve::env;

use crate::Compiled;
use vgdc_plan::Place;

/// What a program is made of and what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The version of the compiler.
    pub vgdc: &'static str,
    /// The version of the plan's format.
    pub format: u32,
    /// Hash over the whole plan: two programs with the same one do the same.
    pub hash: String,
    /// How many operators there are of each type.
    pub types: BTreeMap<String, usize>,
    /// How many operators there are.
    pub operators: usize,
    /// How many islands they are on: what can run at the same time.
    pub islands: usize,
    /// How many edges are handled without a turn of the queue.
    pub fused: usize,
    /// What it needs beside itself: processes, and the packages that are loaded there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Variables that the flow reads and does not define: they come from the process.
    pub env: BTreeSet<String>,
    /// Ids of what takes its secrets from the credentials: levels of variables.
    pub secrets: BTreeSet<String>,
}

impl Manifest {
    /// The manifest of a compiled flow.
    pub fn of(compiled: &Compiled) -> Manifest {
        let plan = &compiled.plan;
        let mut types: BTreeMap<String, usize> = BTreeMap::new();
        for op in &plan.ops {
            *types.entry(op.ty.clone()).or_default() += 1;
        }
        let hash = Fingerprint::default().with(&String::from_utf8_lossy(&plan.to_bytes()));
        let edges = plan
            .ops
            .iter()
            .flat_map(|op| &op.ports)
            .flat_map(|port| &port.edges);
        Manifest {
            vgdc: env!("CARGO_PKG_VERSION"),
            format: plan.format,
            hash: hash.to_string(),
            types,
            operators: plan.ops.len(),
            islands: plan.islands.len(),
            fused: edges.filter(|edge| edge.fused).count(),
            places: plan.places.clone(),
            env: env::unknown_names(&compiled.optimised),
            secrets: plan
                .env
                .iter()
                .filter_map(|scope| scope.credentials_of.clone())
                .collect(),
        }
    }
}
