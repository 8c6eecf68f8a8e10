//! Machine code for the code in nodes.

use vgdc_driver::Compiled;
use vgdc_syntax::{Diagnostic, codes};

/// Generates machine code for what has been lowered, and puts it into the plan. Without it everything runs in the engine:
/// that it cannot be generated is a warning.
pub fn generate(compiled: &mut Compiled) {
    if compiled.lowered.bodies.is_empty() {
        return;
    }
    match vgdc_target_cranelift::compile(&compiled.lowered.bodies) {
        Ok(code) => compiled.plan.code = Some(code),
        Err(error) => {
            compiled
                .plan
                .ops
                .iter_mut()
                .for_each(|op| op.native.clear());
            compiled.plan.regions.clear();
            let warning = Diagnostic::warning(codes::VERIFIER, error.to_string());
            compiled.diagnostics.push(
                warning
                    .with_note("functions run in the JavaScript engine, as without machine code"),
            );
        }
    }
}

/// The functions of a compiled flow in Cranelift's language.
///
/// # Errors
/// Cranelift does not know this machine's architecture.
pub fn text(compiled: &Compiled) -> Result<String, vgdc_target_cranelift::Error> {
    let bodies = compiled.lowered.bodies.iter();
    bodies.map(vgdc_target_cranelift::text).collect()
}
