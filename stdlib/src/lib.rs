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

/// How nodes become code, by their types; nodes that do not are left out.
#[cfg(feature = "lower")]
pub fn lowerings() -> impl Iterator<Item = (&'static str, vgdc_mir::NodeLowering)> {
    LOWERINGS.iter().map(|(def, lower)| (def.spec.ty, *lower))
}

/// A node's configuration, as it is known when a flow is compiled.
#[cfg(feature = "lower")]
fn config<C: vgdc_core::Config>(
    props: &serde_json::Map<String, serde_json::Value>,
) -> Result<C, String> {
    fn names_variables(value: &serde_json::Value) -> bool {
        use serde_json::Value::{Array, Object, String};
        match value {
            String(text) => text.starts_with("${") || text.starts_with("$("),
            Array(items) => items.iter().any(names_variables),
            Object(fields) => fields.values().any(names_variables),
            _ => false,
        }
    }
    if props.values().any(names_variables) {
        return Err("an environment variable in a property".to_owned());
    }
    let props = props
        .iter()
        .map(|(key, value)| (key.as_str(), vgdc_value::Value::from_json(value)))
        .collect();
    C::from_props(&props).map_err(|error| error.text())
}
