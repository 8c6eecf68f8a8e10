//! Nodes that are not given what they need.

use super::Draft;
use super::props::Props;
use crate::fault::Fault;
use vgdc_spec::NodeSpec;
use vgdc_syntax::{Level, codes};

/// That a node is not given an option which it cannot do without. What is given, if it is nothing, is left to the node.
pub(super) fn option(spec: &NodeSpec, given: &Props, draft: &Draft<'_>) -> Option<Fault> {
    let needed = spec.fields.iter().filter(|field| field.required);
    let missing: Vec<&str> = needed
        .filter(|field| given.get(field.name).is_none())
        .map(|field| field.name)
        .collect();
    let first = missing.first().filter(|_| !draft.disabled)?;
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("the {} node needs {}", spec.ty, names.join(", "));
    let fault = Fault::error(draft.ty_span, codes::TEXT_MISSING_OPTION, message)
        .warning(Level::Error)
        .with_fix(format!("write `{first} = …` in its parentheses"));
    Some(fault)
}
