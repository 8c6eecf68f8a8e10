//! `vgdc mesh …`: looks at a mesh, and moves what runs in it, by the agent of this machine.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;
use std::io::{IsTerminal, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use vgdc_door::admin::{Ask, Change, LinkStatus, Status};
use vgdc_door::client::{Client, door};

#[derive(clap::Args)]
pub struct Args {
    /// The door of the agent: its socket, or the folder of its sockets
    #[arg(long, value_name = "PATH", global = true)]
    agent: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Nodes, flows, and how their parts do
    Status(Watched),
    /// Nodes with their labels and addresses
    Nodes(Watched),
    /// Links between parts, and what waits in them
    Links(Watched),
    /// The last lines of a part's log
    Logs {
        /// The flow
        flow: String,
        /// The part
        part: String,
        /// How many lines
        #[arg(long, short = 'n', default_value_t = 100)]
        lines: usize,
        /// Go on as lines come
        #[arg(long, short)]
        follow: bool,
    },
    /// Take a part to another node
    Move {
        /// The flow
        flow: String,
        /// The part
        part: String,
        /// The node
        to: String,
    },
    /// Take all parts away from a node that can be elsewhere, and give it no new ones
    Drain {
        /// The node
        node: String,
    },
    /// Let a node have parts again
    Undrain {
        /// The node
        node: String,
    },
    /// Go back to the version of a flow that was active before
    Rollback {
        /// The flow
        flow: String,
    },
    /// Take a flow out of the mesh
    Remove {
        /// The flow
        flow: String,
    },
    /// Make a token, with which other machines may join
    Token {
        /// How many may come with it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how long, in hours
        #[arg(long, default_value_t = 24)]
        hours: u64,
    },
    /// Take a token back; the audit log says its id
    Revoke {
        /// Its id
        token: String,
    },
    /// Put a node out of the mesh
    Forget {
        /// The node
        node: String,
    },
    /// Who changed what
    Audit {
        /// How many changes
        #[arg(long, short = 'n', default_value_t = 100)]
        most: usize,
        /// Only those after this revision
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Write the whole control state into a file
    Backup {
        /// The file; `-` for standard output
        file: PathBuf,
    },
    /// Put a backup in the place of the control state
    Restore {
        /// The file; `-` for standard input
        file: PathBuf,
        /// Though there are flows, shared values or tokens already
        #[arg(long)]
        replace: bool,
    },
}

#[derive(clap::Args)]
struct Watched {
    /// Show it again and again
    #[arg(long)]
    watch: bool,
}

/// How often what is watched is shown.
const ROUND: Duration = Duration::from_secs(1);

pub fn run(args: &Args) -> ExitCode {
    match act(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

fn note(text: &str) {
    super::say_err(&format!("{text}\n"));
}

fn act(args: &Args) -> Result<(), String> {
    let mut agent = Client::connect(&door(args.agent.as_deref()))?;
    let agent = &mut agent;
    match &args.verb {
        Verb::Status(watched) => show(args, watched, agent, &Ask::Status {}, status),
        Verb::Nodes(watched) => show(args, watched, agent, &Ask::Status {}, nodes),
        Verb::Links(watched) => show(args, watched, agent, &Ask::Links {}, links),
        Verb::Logs {
            flow,
            part,
            lines,
            follow,
        } => logs(args, agent, (flow, part), *lines, *follow),
        Verb::Move { flow, part, to } => {
            let ask = Ask::Move {
                flow: flow.clone(),
                part: part.clone(),
                to: to.clone(),
            };
            done(args, agent, &ask, |_: ()| format!("{part} runs at {to}\n"))
        }
        Verb::Drain { node } => {
            let ask = Ask::Drain { node: node.clone() };
            done(args, agent, &ask, |stay: Vec<String>| {
                match stay.is_empty() {
                    true => format!("{node} has no parts\n"),
                    false => format!(
                        "{node} is given no new parts; these stay:\n  {}\n",
                        stay.join("\n  ")
                    ),
                }
            })
        }
        Verb::Undrain { node } => {
            let ask = Ask::Undrain { node: node.clone() };
            done(args, agent, &ask, |_: ()| {
                format!("{node} may have parts\n")
            })
        }
        Verb::Rollback { flow } => {
            let ask = Ask::Rollback { flow: flow.clone() };
            done(args, agent, &ask, |to: Option<String>| match to {
                Some(to) => format!("{flow} is back at {to}\n"),
                None => format!("{flow} is rolled back\n"),
            })
        }
        Verb::Remove { flow } => {
            let ask = Ask::Remove { flow: flow.clone() };
            done(args, agent, &ask, |_: ()| format!("{flow} is gone\n"))
        }
        Verb::Token { uses, hours } => {
            let ask = Ask::Token {
                uses: *uses,
                seconds: hours.saturating_mul(3_600),
            };
            done(args, agent, &ask, |token: String| token + "\n")
        }
        Verb::Revoke { token } => {
            let ask = Ask::Revoke {
                token: token.clone(),
            };
            done(args, agent, &ask, |_: ()| {
                format!("token {token} permits nothing any more\n")
            })
        }
        Verb::Forget { node } => {
            let ask = Ask::Forget { node: node.clone() };
            done(args, agent, &ask, |id: String| {
                format!("{node} ({id}) is no node of the mesh any more\n")
            })
        }
        Verb::Audit { most, after } => {
            let ask = Ask::Audit {
                after: *after,
                most: *most,
            };
            done(args, agent, &ask, |changes: Vec<Change>| audit(&changes))
        }
        Verb::Backup { file } => {
            let backup: String = agent.ask(&Ask::Backup {}, note)?;
            if file.as_os_str() == "-" {
                super::say(&backup);
                return Ok(());
            }
            // (it has what flows share: for its owner alone)
            vgdc_app::whole::write(file, backup.as_bytes(), 0o600)
                .map_err(|e| format!("cannot write {}: {e}", file.display()))
        }
        Verb::Restore { file, replace } => {
            let mut backup = String::new();
            let read = match file.as_os_str() == "-" {
                true => std::io::stdin().read_to_string(&mut backup).map(drop),
                false => std::fs::read_to_string(file).map(|text| backup = text),
            };
            read.map_err(|e| format!("cannot read {}: {e}", file.display()))?;
            let ask = Ask::Restore {
                backup,
                replace: *replace,
            };
            done(args, agent, &ask, |_: ()| "restored\n".to_owned())
        }
    }
}

/// Asks once, and says the answer.
fn done<T: DeserializeOwned + Serialize>(
    args: &Args,
    agent: &mut Client,
    ask: &Ask,
    text: impl FnOnce(T) -> String,
) -> Result<(), String> {
    let told: T = agent.ask(ask, note)?;
    super::say(&match args.json {
        true => json(&told)?,
        false => text(told),
    });
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, String> {
    let text = serde_json::to_string_pretty(value).map_err(|e| e.to_string())?;
    Ok(text + "\n")
}

/// Asks, and says the answer; again and again, where it is watched.
fn show<T: DeserializeOwned + Serialize>(
    args: &Args,
    watched: &Watched,
    agent: &mut Client,
    ask: &Ask,
    text: fn(&T) -> String,
) -> Result<(), String> {
    loop {
        let told: T = agent.ask(ask, note)?;
        let text = match (args.json, watched.watch) {
            // (one object a line, for programs)
            (true, true) => serde_json::to_string(&told).map_err(|e| e.to_string())? + "\n",
            (true, false) => json(&told)?,
            (false, _) => text(&told),
        };
        if watched.watch && !args.json && std::io::stdout().is_terminal() {
            super::say("\x1b[H\x1b[J");
        }
        super::say(&text);
        if !watched.watch {
            return Ok(());
        }
        std::thread::sleep(ROUND);
    }
}

fn logs(
    args: &Args,
    agent: &mut Client,
    (flow, part): (&str, &str),
    lines: usize,
    follow: bool,
) -> Result<(), String> {
    let mut shown: Vec<String> = Vec::new();
    let mut lines = lines;
    loop {
        let ask = Ask::Logs {
            flow: flow.to_owned(),
            part: part.to_owned(),
            lines,
        };
        let told: Vec<String> = agent.ask(&ask, note)?;
        let new = new_lines(&shown, &told);
        let text: String = match args.json && !follow {
            true => json(&told)?,
            false => new.iter().map(|line| format!("{line}\n")).collect(),
        };
        super::say(&text);
        if !follow {
            return Ok(());
        }
        shown = told;
        lines = lines.max(1_000);
        std::thread::sleep(ROUND);
    }
}

/// What has come to a log's last lines since they were looked at.
fn new_lines<'l>(before: &[String], now: &'l [String]) -> &'l [String] {
    // The longest end of what was there that what is there begins with, wherever in it that is.
    let overlap = (0..=before.len().min(now.len())).rev().find(|count| {
        let end = &before[before.len() - count..];
        now.windows((*count).max(1))
            .any(|part| *count == 0 || part == end)
    });
    let count = overlap.unwrap_or_default();
    if count == 0 {
        return now;
    }
    let end = &before[before.len() - count..];
    let at = now.windows(count).rposition(|part| part == end);
    now.get(at.map_or(0, |at| at + count)..).unwrap_or_default()
}

/// A table: columns as wide as what is in them.
fn table(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // (a text takes all that is written)
            let _ = write!(line, "{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn status(status: &Status) -> String {
    let mut text = format!(
        "mesh {}, revision {}, {}\n\n",
        status.mesh,
        status.revision,
        match &status.leader {
            Some(leader) => format!("led by {leader}"),
            None => "without a leader: nothing can be changed until a majority is there".to_owned(),
        }
    );
    let mut rows = vec![row([
        "NODE",
        "STATE",
        "ROLE",
        "PARTS",
        "PROCESSORS",
        "ROUND TRIP",
    ])];
    for node in &status.nodes {
        let state = match node.draining {
            true => format!("{}, drained", node.state),
            false => node.state.clone(),
        };
        let (parts, processors) = (node.parts.to_string(), node.processors.to_string());
        // (of the agent that says so)
        let trip = node.rtt_us.map(|us| format!("{:.2} ms", us as f64 / 1e3));
        let trip = trip.unwrap_or_else(|| "-".to_owned());
        rows.push(row([
            &node.name,
            &state,
            &node.role,
            &parts,
            &processors,
            &trip,
        ]));
    }
    text += &table(&rows);
    for flow in &status.flows {
        let _ = write!(text, "\nflow {}", flow.flow);
        if let Some(version) = &flow.active {
            let _ = write!(text, ", version {version}");
        }
        if let Some((version, stage)) = &flow.underway {
            let _ = write!(text, ", {version} on its way ({stage})");
        }
        text.push('\n');
        let mut rows = vec![row(["PART", "NODE", "STATE", "VERSION", "RESTARTS", ""])];
        for part in &flow.parts {
            let node = part.node.as_deref().unwrap_or("-");
            let restarts = part.restarts.to_string();
            rows.push(row([
                &part.part,
                node,
                part.phase.word(),
                &part.version,
                &restarts,
                &part.detail,
            ]));
        }
        text += &table(&rows);
    }
    text
}

fn nodes(status: &Status) -> String {
    let mut rows = vec![row([
        "NODE",
        "STATE",
        "ROLE",
        "VERSION",
        "TARGET",
        "LABELS",
        "ADDRESSES",
    ])];
    for node in &status.nodes {
        let labels: Vec<String> = (node.labels.iter())
            .map(|(key, value)| match value.as_str() {
                "true" => key.clone(),
                value => format!("{key}={value}"),
            })
            .collect();
        rows.push(row([
            &node.name,
            &node.state,
            &node.role,
            &node.version,
            &node.target,
            &labels.join(" "),
            &node.addresses.join(" "),
        ]));
    }
    table(&rows)
}

fn links(links: &Vec<LinkStatus>) -> String {
    let mut rows = vec![row([
        "FLOW", "FROM", "TO", "DELIVERY", "STATE", "WAITING", "SENT", "REPEATED",
    ])];
    let at = |(part, node): &(String, Option<String>)| match node {
        Some(node) if node == part => part.clone(),
        Some(node) => format!("{part} at {node}"),
        None => format!("{part} nowhere"),
    };
    for link in links {
        rows.push(row([
            &link.flow,
            &at(&link.from),
            &at(&link.to),
            if link.durable { "durable" } else { "fast" },
            match link.open {
                Some(true) => "open",
                Some(false) => "not open",
                None => "unknown",
            },
            &link.queued.to_string(),
            &link.sent.to_string(),
            &link.repeated.to_string(),
        ]));
    }
    table(&rows)
}

fn audit(changes: &[Change]) -> String {
    let mut rows = vec![row(["REVISION", "WHEN", "WHO", "WHAT"])];
    for change in changes {
        // (a date of JavaScript's range; later clocks are shown as their number)
        let at = vgdc_value::date::iso(change.at as f64).unwrap_or_else(|| change.at.to_string());
        rows.push(row([
            &change.revision.to_string(),
            &at,
            &change.by,
            &change.what,
        ]));
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_of_a_log_are_those_behind_what_was_shown() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let new = |before: &str, now: &str| new_lines(&lines(before), &lines(now)).concat();
        assert_eq!(new("", "abc"), "abc");
        assert_eq!(new("abc", "abc"), "");
        assert_eq!(new("abc", "abcd"), "d");
        // The first ones are gone.
        assert_eq!(new("abc", "bcde"), "de");
        // All that was shown is gone.
        assert_eq!(new("abc", "xyz"), "xyz");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = table(&[row(["A", "B"]), row(["long", "x"])]);
        assert_eq!(text, "A     B\nlong  x\n");
    }
}
