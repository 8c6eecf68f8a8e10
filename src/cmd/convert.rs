//! `vgdc convert FILE`: a flow file as text, a text as a flow file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vgdc::packages::Packages;
use vgdc::syntax::{Config, Diagnostic, Diagnostics, FlowDoc, SourceMap, codes, render};
use vgdc_text::file;

#[derive(clap::Args)]
pub struct Args {
    /// A flow file: text where its name ends in .flow, else JSON
    file: PathBuf,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to make of it [default: what it is not]
    #[arg(long, value_enum)]
    to: Option<Form>,
    #[command(flatten)]
    user_dir: super::UserDir,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Form {
    /// A .flow file
    Flow,
    /// Node-RED's flow file
    Json,
}

pub fn run(args: &Args) -> ExitCode {
    let mut sources = SourceMap::new();
    let (made, diagnostics) = convert(args, &mut sources);
    if !diagnostics.is_empty() {
        super::say_err(&render::text(
            &diagnostics,
            &sources,
            &super::text_options(),
        ));
    }
    let Some(made) = made.filter(|_| !diagnostics.has_errors()) else {
        return ExitCode::FAILURE;
    };
    let Some(output) = &args.output else {
        super::say(&made);
        return ExitCode::SUCCESS;
    };
    match vgdc_app::whole::write(output, made.as_bytes(), 0o644) {
        Ok(_) => ExitCode::SUCCESS,
        Err(e) => {
            let message = format!("cannot write {}: {e}", output.display());
            super::print_one(&Diagnostic::error(codes::CANNOT_WRITE, message));
            ExitCode::FAILURE
        }
    }
}

fn convert(args: &Args, sources: &mut SourceMap) -> (Option<String>, Diagnostics) {
    let is_text = file::is_text(&args.file);
    let named = |path: &Path| {
        if file::is_text(path) {
            Form::Flow
        } else {
            Form::Json
        }
    };
    let other = if is_text { Form::Json } else { Form::Flow };
    let to = args
        .to
        .or_else(|| args.output.as_deref().map(named))
        .unwrap_or(other);
    let (doc, diagnostics) = match is_text {
        true => {
            let (config, _) = Config::read_folder(sources, vgdc::folder_of(&args.file));
            let beside = vgdc::folder_of(&args.file);
            let packages = vgdc::away::all_packages(&config, args.user_dir.named(), beside);
            let nodes = vgdc::away::nodes(&packages);
            let read = file::read_file(sources, &args.file, &nodes);
            (read.doc, read.diagnostics)
        }
        false => FlowDoc::read_file(sources, &args.file),
    };
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    if to == Form::Json {
        return (Some(doc.to_text().to_owned()), diagnostics);
    }
    let mut diagnostics = diagnostics;
    if let Some(secrets) = doc.credentials() {
        let message = "the credentials in this file do not go along: a text has none";
        let note = Diagnostic::note(codes::BAD_CREDENTIALS, message);
        let span = secrets.span();
        let place = vgdc::syntax::Span {
            end: (span.start + 1).min(span.end),
            ..span
        };
        diagnostics.push(
            note.with_label(place, "")
                .with_fix("keep them in a file beside the flow"),
        );
    }
    // (types of packages stand in quotes: who reads the text need not have them)
    match vgdc_text::print::print(&doc, &vgdc::away::nodes(&Packages::default())) {
        Ok(text) => (Some(text), diagnostics),
        Err(error) => {
            diagnostics.push(error.diagnostic());
            (None, diagnostics)
        }
    }
}
