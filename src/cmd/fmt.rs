//! `vgdc fmt FILES`: lays out flows that are written as text.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vgdc::syntax::{Diagnostic, Diagnostics, SourceMap, codes, render};

#[derive(clap::Args)]
pub struct Args {
    /// .flow files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only say which files would change; exit code 1 if there are any
    #[arg(long)]
    check: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let mut all_well = true;
    for file in &args.files {
        match one(file, args.check) {
            Ok(false) => {}
            Ok(true) if args.check => {
                super::say(&format!("{}\n", file.display()));
                all_well = false;
            }
            Ok(true) => {}
            Err((sources, diagnostics)) => {
                super::say_err(&render::text(
                    &diagnostics,
                    &sources,
                    &super::text_options(),
                ));
                all_well = false;
            }
        }
    }
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Lays out one file; says whether that changes it.
fn one(file: &Path, check: bool) -> Result<bool, (SourceMap, Diagnostics)> {
    let mut sources = SourceMap::new();
    let alone = |diagnostic: Diagnostic| Diagnostics::from_iter([diagnostic]);
    let text = match vgdc_text::file::read_text(file) {
        Ok(text) => text,
        Err(error) => return Err((sources, alone(*error))),
    };
    let formatted = match vgdc_text::format::format(&text) {
        Ok(formatted) => formatted,
        Err(faults) => {
            let source = sources.add(file.to_string_lossy(), text);
            return Err((sources, vgdc_text::fault::into_diagnostics(faults, source)));
        }
    };
    if formatted == text {
        return Ok(false);
    }
    // (a link stays one, and who may read the file may read it afterwards)
    let place = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mode = std::fs::metadata(&place).map_or(0o644, |about| about.permissions().mode() & 0o777);
    if !check && let Err(e) = vgdc_app::whole::write(&place, formatted.as_bytes(), mode) {
        let message = format!("cannot write {}: {e}", file.display());
        return Err((
            sources,
            alone(Diagnostic::error(codes::CANNOT_WRITE, message)),
        ));
    }
    Ok(true)
}
