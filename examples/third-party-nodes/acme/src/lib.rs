//! Nodes for the scales of the (invented) Acme company.

mod average;

/// The nodes of this crate: this is where vgdc looks.
pub static NODES: &[&vgdc_core::NodeDef] = &[&average::NODE];
