//! `vgdc deploy FLOW`: cuts a flow over the machines of a mesh, makes a program for each part, and has the agents run them in the place of
//! what ran before. Whatever goes wrong, what ran before runs on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use vgdc::Flow;
use vgdc::driver::{Cut, Options, Part};
use vgdc::insight::places::{fits, machines};
use vgdc::syntax::{Diagnostics, Mesh};
use vgdc_door::admin::{Ask, Status};
use vgdc_door::client::{Client, HUNG_UP, door};
use vgdc_door::manifest::{FlowManifest, LinkManifest, PartManifest, Program};

/// The option of programs that names a file with credentials.
const CREDENTIALS: &str = "--credentials";

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one
    flow: PathBuf,
    /// What is to run where; without it, what the flow says, over all machines of the mesh
    #[arg(long, value_name = "FILE")]
    mesh: Option<PathBuf>,
    /// What the flow is called in the mesh [default: the flow file's name]
    #[arg(long)]
    name: Option<String>,
    /// Only show the cut, what it is predicted to be like, and what would start and stop
    #[arg(long)]
    plan: bool,
    /// Generate crates and let cargo compile them: slower to build, quicker to run
    #[arg(long)]
    release: bool,
    /// Decide by the traffic and loads of this profile (`vgdc run FLOW --profile` takes it)
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Seconds until all has to run, else all goes back
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    /// The door of the agent: its socket, or the folder of its sockets
    #[arg(long, value_name = "PATH")]
    agent: Option<PathBuf>,
    #[command(flatten)]
    user_dir: super::UserDir,
}

pub fn run(args: &Args) -> ExitCode {
    match deploy(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            if !why.is_empty() {
                super::say_err(&format!("vgdc: {why}\n"));
            }
            super::say_err(match args.plan {
                true => "vgdc: no plan was made\n",
                false => "vgdc: nothing was deployed\n",
            });
            ExitCode::FAILURE
        }
    }
}

fn deploy(args: &Args) -> Result<(), String> {
    let begin = Instant::now();
    let mut agent = Client::connect(&door(args.agent.as_deref()))?;
    let status: Status = agent.ask(&Ask::Status {}, |_| {})?;
    let mut flow = args.user_dir.load(&args.flow);
    let options = Options::default();
    let session = match args.release {
        true => super::session(&mut flow, options),
        false => flow.compiler(options),
    };
    // (what is wrong with the profile has been said)
    let session = super::profiled(session.unobserved(), args.profile.as_deref())
        .map_err(|_| String::new())?;
    let mesh = mesh(&mut flow, args.mesh.as_deref(), &status);
    let mut cut = flow.cut_in(&session, &mesh);
    match flow.settings_to_build_in() {
        Ok(settings) => {
            for part in &mut cut.parts {
                part.compiled.plan.settings = settings.clone();
            }
        }
        Err(faults) => flow.diagnostics.extend(faults),
    }
    super::print_diagnostics(&flow);
    if flow.diagnostics.has_errors() {
        return Err(String::new());
    }
    let name = args.name.clone().unwrap_or_else(|| {
        let name = super::build::default_name(&flow.path);
        let name = name.file_stem().unwrap_or_default().to_string_lossy();
        name.into_owned()
    });
    let mut manifest = manifest(args, &name, &status, &mesh, &cut)?;
    if args.plan {
        super::say(&cut.text(&mesh));
        super::say(&changes(&status, &manifest));
        return Ok(());
    }
    let folder = tempfile::tempdir().map_err(|e| format!("cannot make a folder: {e}"))?;
    let own = vgdc_door::target();
    for part in &cut.parts {
        let it = manifest.parts.iter_mut();
        let Some(it) = it
            .into_iter()
            .find(|it| Some(&it.name) == name_of(&mesh, part))
        else {
            continue;
        };
        let program = import(args, &mut agent, &flow, part, &folder.path().join(&it.name))?;
        super::say_err(&format!(
            "{}: {} nodes, {:.1} MB, for {}\n",
            it.name,
            it.nodes.len(),
            program.bytes as f64 / 1e6,
            it.on.join(" or ")
        ));
        it.programs.insert(own.clone(), program);
        let secrets = flow.secrets_of(&part.compiled.plan);
        // (a file on the host that is named is meant)
        if !secrets.is_empty() && !it.args.iter().any(|arg| arg.starts_with(CREDENTIALS)) {
            let ask = Ask::Secrets {
                credentials: secrets,
            };
            it.secrets = Some(agent.ask(&ask, |_| {})?);
        }
    }
    let places = manifest.parts.iter();
    let places = places
        .map(|part| (part.name.clone(), part.name.clone()))
        .collect();
    let ask = Ask::Deploy { manifest, places };
    let note = |note: &str| super::say_err(&format!("{note}\n"));
    let version: String = match agent.ask(&ask, note) {
        // What an agent has begun, the mesh brings to its end without it.
        Err(why) if why.starts_with(HUNG_UP) => {
            note(&why);
            outcome(args, &name, &status)?
        }
        told => told?,
    };
    super::say_err(&format!(
        "deployed {name} {version} in {} ms\n",
        begin.elapsed().as_millis()
    ));
    Ok(())
}

/// What became of a deployment whose agent has gone: asked of the agent that answers now.
fn outcome(args: &Args, name: &str, before: &Status) -> Result<String, String> {
    let active = |status: &Status| {
        let mut flows = status.flows.iter();
        let flow = flows.find(|flow| flow.flow == name)?;
        Some((flow.active.clone(), flow.underway.is_some()))
    };
    let until = Instant::now() + Duration::from_secs(args.patience + 30);
    loop {
        let asked = Client::connect(&door(args.agent.as_deref()));
        let status = asked.and_then(|mut agent| agent.ask::<Status>(&Ask::Status {}, |_| {}));
        match status.as_ref().map(active) {
            Ok(Some((Some(version), false))) => {
                return match active(before) {
                    Some((Some(old), _)) if old == version => {
                        Err(format!("version {old} of {name} runs on"))
                    }
                    _ => Ok(version),
                };
            }
            Ok(None | Some((None, false))) => return Err(format!("no version of {name} runs")),
            _ if Instant::now() > until => {
                return Err("what became of it is not known: `vgdc mesh status` says it".to_owned());
            }
            _ => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

fn name_of<'m>(mesh: &'m Mesh, part: &Part) -> Option<&'m String> {
    mesh.nodes.get(part.machine).map(|node| &node.name)
}

/// The machines of the mesh that can have parts, as the compiler knows machines, with what the file says of them.
fn mesh(flow: &mut Flow, file: Option<&Path>, status: &Status) -> Mesh {
    let there = machines(status);
    let (mut mesh, said): (Mesh, Diagnostics) = match file {
        Some(file) => Mesh::read_file(&mut flow.sources, file, Some(&there)),
        None => Mesh::parse_for(&mut flow.sources, "the mesh", "", Some(&there)),
    };
    for node in status.nodes.iter().filter(|node| !fits(node)) {
        let why = match (node.state.as_str(), node.draining) {
            ("down", _) => "is down".to_owned(),
            (_, true) => "is being drained".to_owned(),
            _ => format!(
                "has the target {}, for which this vgdc makes no programs",
                node.target
            ),
        };
        super::say_err(&format!(
            "note: {} {why}, and is given nothing\n",
            node.name
        ));
    }
    flow.diagnostics.append(said);
    mesh.name.clone_from(&status.mesh);
    mesh.shared = flow.config.shared_stores();
    mesh
}

fn manifest(
    args: &Args,
    name: &str,
    status: &Status,
    mesh: &Mesh,
    cut: &Cut,
) -> Result<FlowManifest, String> {
    let machine = |at: usize| mesh.nodes.get(at).map(|node| node.name.clone());
    let mut parts = Vec::new();
    for part in &cut.parts {
        let Some(node) = mesh.nodes.get(part.machine) else {
            continue;
        };
        let moves = cut
            .assignment
            .moves
            .get(&part.machine)
            .cloned()
            .unwrap_or_default();
        let mut on = vec![node.name.clone()];
        on.extend(
            moves
                .on
                .iter()
                .filter(|at| **at != part.machine)
                .filter_map(|at| machine(*at)),
        );
        let plan = &part.compiled.plan;
        let load = cut.prediction.load.get(part.machine).copied();
        parts.push(PartManifest {
            name: node.name.clone(),
            on,
            single: moves.single,
            apart: moves.apart.iter().filter_map(|at| machine(*at)).collect(),
            processors: load.filter(|load| load.is_finite()).unwrap_or_default(),
            node_js: plan.ops.iter().any(|op| op.away.is_some()),
            programs: BTreeMap::new(),
            args: node.args.clone(),
            secrets: None,
            memory: node.memory_mb.map(|mb| mb << 20),
            nodes: plan
                .ops
                .iter()
                .map(|op| op.name.clone().unwrap_or_else(|| op.ty.clone()))
                .collect(),
        });
    }
    if parts.is_empty() {
        return Err("the flow has nothing to run".to_owned());
    }
    let links = cut.links.iter().filter_map(|link| {
        Some(LinkManifest {
            name: link.name.clone(),
            from: machine(link.from)?,
            to: machine(link.to)?,
            durable: link.delivery == vgdc::syntax::mesh::Delivery::Durable,
        })
    });
    Ok(FlowManifest {
        flow: name.to_owned(),
        mesh: status.mesh.clone(),
        vgdc: env!("CARGO_PKG_VERSION").to_owned(),
        links: links.collect(),
        parts,
        patience: args.patience,
    })
}

/// What would start and stop.
fn changes(status: &Status, manifest: &FlowManifest) -> String {
    let mut text = String::from("\nwhat changes:\n");
    let there = status.flows.iter().find(|flow| flow.flow == manifest.flow);
    let there = there.map(|flow| flow.parts.as_slice()).unwrap_or_default();
    for part in &manifest.parts {
        let before = there.iter().find(|it| it.part == part.name);
        let what = match before {
            Some(it) => format!(
                "replaces version {} at {}",
                it.version,
                it.node.as_deref().unwrap_or("no node")
            ),
            None => "starts".to_owned(),
        };
        let others = match part.on.as_slice() {
            [] | [_] => "nowhere else".to_owned(),
            [_, others @ ..] => format!("or {}, where that is lost", others.join(", ")),
        };
        // (a text takes all that is written)
        let _ = writeln!(text, "  {}: {what}; {others}", part.name);
    }
    for it in there.iter().filter(|it| manifest.part(&it.part).is_none()) {
        let at = it.node.as_deref().unwrap_or("no node");
        let _ = writeln!(text, "  {}: stops at {at}", it.part);
    }
    text
}

/// Makes the program of a part, and has the agent take it.
fn import(
    args: &Args,
    agent: &mut Client,
    flow: &Flow,
    part: &Part,
    folder: &Path,
) -> Result<Program, String> {
    std::fs::create_dir_all(folder)
        .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let file = folder.join("part");
    let (bytes, host) = super::build::program(args.release, flow, &part.compiled, &file)?;
    let ask = match host {
        None => Ask::Import {
            from: file,
            program: None,
        },
        Some(_) => Ask::Import {
            from: folder.to_owned(),
            program: Some("part".to_owned()),
        },
    };
    let artifact: String = agent.ask(&ask, |_| {})?;
    Ok(Program {
        artifact,
        bytes: bytes as u64,
        signature: String::new(),
    })
}
