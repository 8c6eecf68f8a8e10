//! Reading a profile for the compiler.

use std::path::Path;
use vgdc_plan::profile::Profile;
use vgdc_syntax::{Diagnostic, codes};

/// Reads a profile.
///
/// # Errors
/// There is none, or it is not one that this vgdc can use; the diagnostic says which file, why, and how to get one.
pub fn read(file: &Path) -> Result<Profile, Box<Diagnostic>> {
    let unusable = |why: String| {
        Box::new(Diagnostic::error(
            codes::PROFILE_UNUSABLE,
            format!("{}: {why}", file.display()),
        ))
    };
    let bytes = std::fs::read(file).map_err(|error| {
        unusable(format!(
            "cannot be read: {error}; `vgdc run FLOW --profile=FILE` writes one when it is stopped"
        ))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| unusable("this is no profile: it is not even text".to_owned()))?;
    Profile::from_text(&text).map_err(|error| unusable(error.to_string()))
}
