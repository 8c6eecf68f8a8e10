//! `vgdc build FLOW -o APP`: makes one self-contained executable of a flow.
//!
//! By default a copy of the runner with the plan appended: milliseconds, and no tool but vgdc is needed. With `--release` a
//! generated crate, compiled by cargo with only the nodes that the flow uses.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use vgdc::driver::{Compiled, Options, Part, Session};
use vgdc::plan::artifact;
use vgdc::syntax::Mesh;
use vgdc::{Flow, runner};
use vgdc_target_container as container;

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one
    flow: PathBuf,
    /// The executable to write
    #[arg(short, long, value_name = "APP")]
    output: Option<PathBuf>,
    /// Compile without optimising
    #[arg(long)]
    no_optimise: bool,
    /// Keep junctions, comments and nodes that do nothing, so that `--control` of the program can address them
    #[arg(long)]
    observable: bool,
    /// Generate a crate and let cargo compile it: slower to build, smaller and quicker to run
    #[arg(long)]
    release: bool,
    /// Cut the flow over these machines, and make a program for each: `-o` names the folder
    #[arg(long, value_name = "FILE")]
    mesh: Option<PathBuf>,
    /// Write into the folder, too, what runs the programs there: docker, kubernetes or systemd; may be given several times
    #[arg(long, value_name = "KIND", requires = "mesh")]
    container: Vec<container::Kind>,
    /// Decide by this profile (`vgdc run FLOW --profile` takes it) what is worth what
    #[arg(long, value_name = "FILE", conflicts_with = "no_optimise")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    user_dir: super::UserDir,
}

pub fn run(args: &Args) -> ExitCode {
    let begin = Instant::now();
    let mut flow = args.user_dir.load(&args.flow);
    let options = Options {
        optimise: !args.no_optimise,
        ..Options::default()
    };
    let session = match args.release {
        true => super::session(&mut flow, options),
        // (the runner has the library's nodes)
        false => flow.compiler(options),
    };
    let session = match args.observable {
        true => session,
        false => session.unobserved(),
    };
    let session = match super::profiled(session, args.profile.as_deref()) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let output = args.output.clone();
    let output = output.unwrap_or_else(|| default_name(&flow.path));
    let mesh = args
        .mesh
        .as_ref()
        .map(|file| super::plan::mesh(&mut flow, file));
    let mut made = match &mesh {
        None => vec![(output.clone(), compiled(args, &mut flow, &session))],
        Some(mesh) => {
            let parts = flow.cut_in(&session, mesh).parts.into_iter();
            let name = |part: &Part| {
                mesh.nodes
                    .get(part.machine)
                    .map(|node| output.join(&node.name))
            };
            parts
                .filter_map(|part| Some((name(&part)?, part.compiled)))
                .collect()
        }
    };
    match flow.settings_to_build_in() {
        Ok(settings) => {
            for (_, compiled) in &mut made {
                compiled.plan.settings = settings.clone();
            }
        }
        Err(faults) => flow.diagnostics.extend(faults),
    }
    super::print_diagnostics(&flow);
    if flow.diagnostics.has_errors() {
        super::say_err("vgdc: nothing was built\n");
        return ExitCode::FAILURE;
    }
    for (output, compiled) in &made {
        if let Err(why) = one(args, &flow, compiled, output, begin) {
            super::say_err(&format!("vgdc: {why}\n"));
            return ExitCode::FAILURE;
        }
    }
    if !args.release && mesh.as_ref().is_some_and(|mesh| mesh.nats.is_some()) {
        super::say_err(
            "note: these parts link over NATS, which a runner can that was made so: \
             cargo build --release -p vgdc-runner --features nats\n",
        );
    }
    if let Some(mesh) = &mesh
        && let Err(why) = contain(&args.container, &flow, mesh, &made, &output)
    {
        super::say_err(&format!("vgdc: {why}\n"));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Writes what runs the programs of a mesh, and says so.
fn contain(
    kinds: &[container::Kind],
    flow: &Flow,
    mesh: &Mesh,
    made: &[(PathBuf, Compiled)],
    folder: &Path,
) -> Result<(), container::Error> {
    if kinds.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::new();
    for (program, compiled) in made {
        let plan = &compiled.plan;
        let name = plan.mesh.as_ref().map(|part| &part.node);
        let Some(node) = mesh.nodes.iter().find(|node| Some(&node.name) == name) else {
            continue;
        };
        let secrets = !flow.secrets_of(plan).is_empty();
        parts.push(container::Part::of(
            plan,
            program,
            node.capacity,
            &node.labels,
            secrets,
        )?);
    }
    for &kind in kinds {
        let written = container::write(&parts, kind, folder)?;
        for warning in container::warnings(&parts, kind) {
            super::say_err(&format!("warning: {warning}\n"));
        }
        super::say_err(&format!(
            "wrote {} files for {} into {}\n",
            written.len(),
            kind.name(),
            folder.display()
        ));
    }
    Ok(())
}

/// The whole flow, compiled for one program.
fn compiled(args: &Args, flow: &mut Flow, session: &Session) -> Compiled {
    match args.release {
        // (for a generated crate, LLVM makes the machine code)
        true => flow.lower_in(session),
        false => flow.compile_in(session),
    }
}

/// Writes one program, and what goes with it, and says so.
fn one(
    args: &Args,
    flow: &Flow,
    compiled: &Compiled,
    output: &Path,
    begin: Instant,
) -> Result<(), String> {
    if args.mesh.is_some()
        && let Some(folder) = output.parent()
    {
        std::fs::create_dir_all(folder)
            .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    }
    let (size, host) = program(args.release, flow, compiled, output)?;
    let (nodes, islands) = (compiled.plan.ops.len(), compiled.plan.islands.len());
    let took = begin.elapsed().as_millis();
    super::say_err(&format!(
        "built {}: {nodes} nodes on {islands} island{}, {:.1} MB, in {took} ms\n",
        output.display(),
        if islands == 1 { "" } else { "s" },
        size as f64 / 1e6
    ));
    if let Some(host) = host {
        super::say_err(&host);
    }
    Ok(())
}

/// Writes one program, and the folder that goes with it where it needs one. Gives its size, and what there is to say of the folder.
pub fn program(
    release: bool,
    flow: &Flow,
    compiled: &Compiled,
    output: &Path,
) -> Result<(usize, Option<String>), String> {
    let size = match release {
        true => compile(compiled, flow, output),
        false => write(&compiled.plan, output),
    }?;
    let needs = compiled.plan.ops.iter().any(|op| op.away.is_some());
    let host = needs.then(|| host_folder(flow, output)).transpose()?;
    Ok((size, host))
}

/// Writes the folder that goes with a program whose nodes are in part in Node.js. Gives what there is to say of it.
fn host_folder(flow: &Flow, output: &Path) -> Result<String, String> {
    let user_dir = &flow.packages.user_dir;
    let mut folder = output.as_os_str().to_owned();
    folder.push(".host");
    let folder = PathBuf::from(folder);
    let found = vgdc::away::found(&flow.config, user_dir);
    let runtime = found.as_ref().ok().map(|found| &*found.runtime);
    let bytes = vgdc::packages::bundle(user_dir, runtime, &folder)
        .map_err(|e| format!("cannot write {}: {e}", folder.display()))?;
    let needs = match &found {
        Ok(found) => format!(
            "the machine that runs it needs Node.js ({} here)",
            found.node.version
        ),
        Err(why) => {
            format!("Node-RED's runtime is not in it, and has to be where the program runs: {why}")
        }
    };
    Ok(format!(
        "wrote {}: {:.1} MB of packages, to be beside the program; {needs}\n",
        folder.display(),
        bytes as f64 / 1e6
    ))
}

/// `flows.json` in `pump/` makes `pump`; another file makes its own name.
pub fn default_name(flow: &Path) -> PathBuf {
    let stem = flow.file_stem().unwrap_or_default();
    if stem == "flows"
        && let Some(folder) = flow
            .canonicalize()
            .ok()
            .as_deref()
            .and_then(Path::parent)
            .and_then(Path::file_name)
    {
        return PathBuf::from(folder);
    }
    let name = PathBuf::from(stem);
    // (never over the flow itself)
    if name.as_path() == flow {
        name.with_extension("app")
    } else {
        name
    }
}

/// Generates a crate and has cargo compile it, with a line of progress.
fn compile(compiled: &vgdc::driver::Compiled, flow: &Flow, output: &Path) -> Result<usize, String> {
    let name = default_name(&flow.path).to_string_lossy().into_owned();
    let (plan, bodies) = (&compiled.plan, &compiled.lowered.bodies);
    let built = super::with_progress(|progress| {
        vgdc_target_rust::build(plan, bodies, &flow.external, &name, output, progress)
    });
    built
        .map(|report| report.bytes as usize)
        .map_err(|error| error.to_string())
}

/// Writes the artifact beside its place and then puts it there: never half a file.
fn write(plan: &vgdc::plan::Plan, output: &Path) -> Result<usize, String> {
    if output.is_dir() {
        return Err(format!(
            "{} is a folder: name the executable with -o",
            output.display()
        ));
    }
    let runner = runner::find()?;
    let bytes = std::fs::read(&runner)
        .map_err(|e| format!("cannot read the runner {}: {e}", runner.display()))?;
    let bytes = artifact::attach(&bytes, plan);
    vgdc_app::whole::write(output, &bytes, 0o755)
        .map_err(|e| format!("cannot write {}: {e}", output.display()))?;
    Ok(bytes.len())
}
