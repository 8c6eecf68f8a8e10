//! `vgdc-agent`, which is what `vgdc node` starts: the agent of a host.

use lexopt::Arg;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use vgdc_agent::daemon::Ended;
use vgdc_agent::daemon::config::{Coming, NodeConfig, Told};

const HELP: &str = "\
usage: vgdc node [OPTIONS]

Runs the agent of this machine, a node of a mesh. The first node makes the mesh, others join it; later starts need neither.

      --mesh NAME          make a mesh of this name
      --join TOKEN         join the mesh that gave this token (`vgdc mesh token`); @FILE reads it from a file
      --name NAME          what the node is called (default: the machine's name)
      --listen ADDRESS     where other nodes reach it: tcp://HOST:PORT or quic://HOST:PORT; may be given several times
                           (default tcp://0.0.0.0:7400)
      --peer ADDRESS       another node to connect to, where it is not found otherwise; may be given several times
      --label KEY[=VALUE]  what placement goes by; may be given several times
      --capacity N         processors that flows may use (default: all)
      --no-mdns            do not look for other nodes on the subnet
      --metrics ADDRESS:PORT   answer /metrics (Prometheus), /healthz and /readyz there
      --failover-after MS  how long a node that is down is waited for before its parts go elsewhere (default 300)
      --data DIR           where it keeps what outlives it (default: /var/lib/vgdc of root, else ~/.local/share/vgdc)
      --sockets DIR        where its sockets are (default: DATA/run)

What is told of name, addresses, peers, labels and capacity is remembered in DATA/node.json.
";

fn main() -> ExitCode {
    let config = match options() {
        Ok(Some(config)) => config,
        Ok(None) => return ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("vgdc node: {why}");
            return ExitCode::from(2);
        }
    };
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let tokio = match tokio {
        Ok(tokio) => tokio,
        Err(error) => {
            eprintln!("vgdc node: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ran = tokio.block_on(vgdc_agent::daemon::run(config, |text| println!("{text}")));
    tokio.shutdown_timeout(Duration::from_millis(200));
    match ran {
        Ok(Ended::Stopped) => ExitCode::SUCCESS,
        Ok(Ended::Again) => again(),
        Err(why) => {
            eprintln!("vgdc node: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Starts this program anew, in this process.
fn again() -> ExitCode {
    let error = match std::env::current_exe() {
        // (it returns only where it could not)
        Ok(own) => std::process::Command::new(own)
            .args(std::env::args_os().skip(1))
            .exec(),
        Err(error) => error,
    };
    eprintln!("vgdc node: cannot start anew: {error}");
    ExitCode::FAILURE
}

fn options() -> Result<Option<NodeConfig>, String> {
    let mut told = Told::default();
    let (mut coming, mut metrics) = (Coming::Return, None);
    let (mut data, mut sockets) = (None::<PathBuf>, None::<PathBuf>);
    let mut failover_after = Duration::from_millis(300);
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next().map_err(|e| e.to_string())? {
        let Arg::Long(name) = arg else {
            return Err(format!("{}: see --help", arg.unexpected()));
        };
        let name = name.to_owned();
        let mut value = || {
            let value = args.value().map_err(|e| e.to_string())?;
            value
                .into_string()
                .map_err(|_| "an argument is not valid UTF-8".to_owned())
        };
        match name.as_str() {
            "help" => {
                print!("{HELP}");
                return Ok(None);
            }
            "version" => {
                println!("vgdc-agent {}", env!("CARGO_PKG_VERSION"));
                return Ok(None);
            }
            "mesh" => coming = Coming::Found(value()?),
            "join" => coming = Coming::Join(text(value()?)?),
            "name" => told.name = Some(value()?),
            "listen" => told.listen.push(value()?),
            "peer" => told.peers.push(value()?),
            "label" => told.labels.get_or_insert_default().push(value()?),
            "capacity" => told.processors = Some(number(&name, &value()?)?),
            "no-mdns" => told.mdns = Some(false),
            "metrics" => {
                let text = value()?;
                let at = text.parse().map_err(|_| {
                    format!("--metrics {text}: expected ADDRESS:PORT, such as 127.0.0.1:9400")
                })?;
                metrics = Some(at);
            }
            "failover-after" => failover_after = Duration::from_millis(number(&name, &value()?)?),
            "data" => data = Some(value()?.into()),
            "sockets" => sockets = Some(value()?.into()),
            other => return Err(format!("unknown option --{other}: see --help")),
        }
    }
    let absolute =
        |path: PathBuf| std::path::absolute(&path).map_err(|e| format!("{}: {e}", path.display()));
    let data = absolute(data.unwrap_or_else(vgdc_door::client::data))?;
    let sockets = absolute(sockets.unwrap_or_else(|| vgdc_door::client::sockets(&data)))?;
    Ok(Some(NodeConfig {
        data,
        sockets,
        coming,
        told,
        metrics,
        failover_after,
    }))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("--{name} {text}: not a number that can be used"))
}

/// A text that is given, or what is in the file that `@FILE` names.
fn text(given: String) -> Result<String, String> {
    match given.strip_prefix('@') {
        None => Ok(given),
        Some(file) => std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}")),
    }
}
