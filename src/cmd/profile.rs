//! `vgdc profile FILE`: what a profile says, as tables, as JSON, or as a flame graph.

use serde_json::json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vgdc::plan::profile::{Node, Profile};

#[derive(clap::Args)]
pub struct Args {
    /// A profile, as `vgdc run FLOW --profile` writes it
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write a flame graph: flow, node, and whether the node itself, machine code or the engine took the time
    #[arg(long, value_name = "SVG")]
    flame: Option<PathBuf>,
}

pub fn run(args: &Args) -> ExitCode {
    let profile = match vgdc::profile::read(&args.file) {
        Ok(profile) => profile,
        Err(error) => {
            super::print_one(&error);
            return ExitCode::FAILURE;
        }
    };
    if let Some(file) = &args.flame
        && let Err(why) = flame(&profile, file)
    {
        super::say_err(&format!("vgdc: {why}\n"));
        return ExitCode::FAILURE;
    }
    super::say(&match args.json {
        true => format!("{:#}\n", as_json(&profile)),
        false => as_text(&profile),
    });
    ExitCode::SUCCESS
}

/// The nodes, those that took most of the time first.
fn by_time(profile: &Profile) -> Vec<&Node> {
    let mut nodes: Vec<&Node> = profile.nodes.iter().collect();
    nodes.sort_by_key(|node| std::cmp::Reverse((node.self_ns, node.received)));
    nodes
}

fn share(node: &Node, profile: &Profile) -> f64 {
    match profile.total_ns() {
        0 => 0.0,
        total => node.self_ns as f64 / total as f64,
    }
}

/// Nanoseconds a message; nothing where no message came.
fn per_message(node: &Node) -> Option<f64> {
    (node.received > 0).then(|| node.self_ns as f64 / node.received as f64)
}

/// The part of a node's own time that neither machine code nor the engine took.
fn plain_ns(node: &Node) -> u64 {
    node.self_ns.saturating_sub(node.code.ns + node.engine.ns)
}

fn as_json(profile: &Profile) -> serde_json::Value {
    let node = |node: &Node| {
        json!({
            "id": node.id,
            "type": node.ty,
            "name": node.name,
            "flow": node.flow,
            "share": share(node, profile),
            "ns_per_message": per_message(node),
            "in": node.received,
            "out": node.sent,
            "errors": node.errors,
            "dropped": node.dropped,
            "largest_queue": node.largest_queue,
            "code": node.code,
            "engine": node.engine,
            "node_ns": plain_ns(node),
            "self_ns": node.self_ns,
            "total_ns": node.total_ns,
        })
    };
    let nodes: Vec<_> = by_time(profile).into_iter().map(node).collect();
    json!({
        "program": profile.program,
        "vgdc": profile.vgdc,
        "flow": profile.flow,
        "seconds": profile.seconds,
        "workers": profile.workers,
        "busy_ns": profile.total_ns(),
        "nodes": nodes,
        "wires": profile.wires,
        "regions": profile.regions,
        "islands": profile.islands,
    })
}

fn as_text(profile: &Profile) -> String {
    let mut out = format!(
        "{}: ran {:.1} s on {} thread{}, nodes took {:.1} ms\n\n",
        profile.program,
        profile.seconds,
        profile.workers,
        if profile.workers == 1 { "" } else { "s" },
        profile.total_ns() as f64 / 1e6
    );
    let mut rows = vec![
        [
            "share",
            "ns/message",
            "in",
            "out",
            "code",
            "bails",
            "engine",
            "errors",
            "queue",
            "node",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for node in by_time(profile) {
        rows.push(vec![
            format!("{:.1} %", share(node, profile) * 100.0),
            per_message(node).map_or("-".to_owned(), |ns| format!("{ns:.0}")),
            node.received.to_string(),
            node.sent.iter().sum::<u64>().to_string(),
            node.code.calls.to_string(),
            node.code.bails.to_string(),
            node.engine.calls.to_string(),
            node.errors.to_string(),
            node.largest_queue.to_string(),
            format!("{} {} [{}]", node.ty, label(node), node.flow),
        ]);
    }
    out.push_str(&table(&rows));
    let labels: HashMap<&str, String> = (profile.nodes.iter())
        .map(|node| (node.id.as_str(), label(node)))
        .collect();
    let name = |id: &str| labels.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let mut rows = vec![["messages", "wire"].map(str::to_owned).to_vec()];
    let mut wires: Vec<_> = profile.wires.iter().collect();
    wires.sort_by_key(|wire| std::cmp::Reverse(wire.messages));
    for wire in wires {
        rows.push(vec![
            wire.messages.to_string(),
            format!("{} :{} → {}", name(&wire.from), wire.output, name(&wire.to)),
        ]);
    }
    out.push('\n');
    out.push_str(&table(&rows));
    for region in profile.regions.iter().filter(|region| region.calls > 0) {
        out.push_str(&format!(
            "\none function, called {} times, {:.0} ns a call\n",
            region.calls,
            region.ns as f64 / region.calls as f64
        ));
        for stage in &region.stages {
            out.push_str(&format!(
                "  {}: {} reached it, {} ended here, {} bailed out\n",
                name(&stage.node),
                stage.reached,
                stage.ended,
                stage.bails
            ));
        }
    }
    out
}

/// What a person calls a node.
fn label(node: &Node) -> String {
    match node.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} ({})", node.id),
        None => node.id.clone(),
    }
}

/// Rows in columns, the first row being the head; all but the last column to the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            match at + 1 == columns {
                true => out.push_str(cell),
                false => out.push_str(&format!("{cell:>width$}  ", width = widths[at])),
            }
        }
        out.push('\n');
    }
    out
}

/// Stacks with their nanoseconds, a line each, as flame graphs are made of.
fn stacks(profile: &Profile) -> Vec<String> {
    // (a semicolon ends a frame)
    let frame = |text: &str| text.replace([';', '\n', '\r'], " ");
    let mut lines = Vec::new();
    for node in &profile.nodes {
        let who = frame(&format!("{} {}", node.ty, label(node)));
        let parts = [
            ("machine code", node.code.ns),
            ("engine", node.engine.ns),
            ("node", plain_ns(node)),
        ];
        for (kind, ns) in parts.into_iter().filter(|(_, ns)| *ns > 0) {
            lines.push(format!("{};{who};{kind} {ns}", frame(&node.flow)));
        }
    }
    lines
}

fn flame(profile: &Profile, file: &Path) -> Result<(), String> {
    let lines = stacks(profile);
    if lines.is_empty() {
        return Err(format!(
            "no flame graph for {}: no node of this profile took any time",
            file.display()
        ));
    }
    let mut options = inferno::flamegraph::Options::default();
    options.title = format!("{}: time in nodes", profile.program);
    options.count_name = "ns".to_owned();
    let mut svg = Vec::new();
    inferno::flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .map_err(|error| format!("cannot draw {}: {error}", file.display()))?;
    std::fs::write(file, svg).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc::plan::profile::{Code, Engine};

    fn profile() -> Profile {
        Profile {
            program: "pump".to_owned(),
            nodes: vec![
                Node {
                    id: "a".to_owned(),
                    ty: "inject".to_owned(),
                    flow: "Tab; one".to_owned(),
                    ..Node::default()
                },
                Node {
                    id: "b".to_owned(),
                    ty: "function".to_owned(),
                    name: Some("sum".to_owned()),
                    flow: "Tab; one".to_owned(),
                    received: 10,
                    self_ns: 1000,
                    code: Code {
                        calls: 10,
                        bails: 1,
                        ns: 600,
                        ..Code::default()
                    },
                    engine: Engine { calls: 1, ns: 300 },
                    ..Node::default()
                },
            ],
            ..Profile::default()
        }
    }

    #[test]
    fn stacks_are_flow_node_and_kind() {
        assert_eq!(
            stacks(&profile()),
            [
                "Tab  one;function sum (b);machine code 600",
                "Tab  one;function sum (b);engine 300",
                "Tab  one;function sum (b);node 100",
            ]
        );
    }

    #[test]
    fn the_table_has_the_costliest_node_first() {
        let text = as_text(&profile());
        let rows: Vec<&str> = text.lines().skip(2).take(3).collect();
        assert!(rows[0].contains("ns/message"), "{text}");
        assert!(
            rows[1].contains("100.0 %") && rows[1].contains("sum (b)"),
            "{text}"
        );
        assert!(
            rows[2].contains(" - ") && rows[2].contains("inject a"),
            "{text}"
        );
        assert_eq!(as_json(&profile())["nodes"][0]["ns_per_message"], 100.0);
    }
}
