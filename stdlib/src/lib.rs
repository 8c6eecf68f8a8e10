//! The node library: one file a node, found and listed by `build.rs`.

#[cfg(test)]
mod testing;

include!(concat!(env!("OUT_DIR"), "/nodes.rs"));

/// A registry of every node of the library.
pub fn registry() -> vgdc_core::Registry {
    vgdc_core::Registry::new(NODES.iter().copied())
}

/// The constant data of every node of the library, for the compiler.
pub fn specs() -> impl Iterator<Item = &'static vgdc_spec::NodeSpec> {
    NODES.iter().map(|def| &def.spec)
}
