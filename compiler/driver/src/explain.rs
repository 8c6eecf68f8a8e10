//! `vgdc explain FLOW`: what the passes did with each node, and why not more.

use std::fmt::Write as _;

use crate::Compiled;

/// What was done, pass by pass, then the islands. `node` asks for one node only, by its id in the file or in the program.
pub fn explain(compiled: &Compiled, node: Option<&str>) -> String {
    let mut out = String::new();
    let mut last = "";
    let all = compiled.trace.entries().iter();
    let asked = |id: &str| node.is_none_or(|node| id == node || id.ends_with(&format!("-{node}")));
    for entry in all.filter(|entry| asked(&entry.node)) {
        if entry.pass != last {
            let _ = writeln!(out, "{}", entry.pass);
            last = entry.pass;
        }
        let mark = if entry.fired { '+' } else { '-' };
        let id = if entry.label == entry.node {
            String::new()
        } else {
            format!(" ({})", entry.node)
        };
        let _ = writeln!(out, "  {mark} {}{id}: {}", entry.label, entry.what);
    }
    for (number, ops) in compiled.plan.islands.iter().enumerate() {
        let ops = ops
            .iter()
            .filter_map(|&op| compiled.plan.ops.get(op as usize));
        let names: Vec<&str> = ops
            .map(|op| op.id.as_str())
            .filter(|id| asked(id))
            .collect();
        if !names.is_empty() {
            let load = load(compiled, number);
            let _ = writeln!(out, "island {number}{load}\n  {}", names.join(" "));
        }
    }
    functions(compiled, &asked, &mut out);
    out
}

/// What an island costs, where a profile says it.
fn load(compiled: &Compiled, island: usize) -> String {
    let loads = &compiled.plan.loads;
    let (Some(load), total) = (loads.get(island), loads.iter().sum::<u64>()) else {
        return String::new();
    };
    let percent = *load as f64 / total.max(1) as f64 * 100.0;
    format!(": {percent:.0} % of the time in the profile")
}

/// Which nodes and texts become machine code, what keeps the others from it, and which of them are one function.
fn functions(compiled: &Compiled, asked: &impl Fn(&str) -> bool, out: &mut String) {
    let label = |op: usize| {
        let op = compiled.plan.ops.get(op)?;
        let name = op.name.as_deref().filter(|name| !name.is_empty());
        let label = name.map_or(op.id.clone(), |name| format!("{name} ({})", op.id));
        asked(&op.id).then_some(label)
    };
    let mut lines = String::new();
    for text in &compiled.lowered.texts {
        let Some(label) = label(text.op) else {
            continue;
        };
        let _ = match &text.function {
            Ok(number) => {
                let _ = writeln!(lines, "  + {label}: `{}` is machine code", text.property);
                let body = compiled.lowered.bodies.get(*number as usize);
                for (construct, line) in body.iter().flat_map(|body| &body.left) {
                    let _ = writeln!(
                        lines,
                        "      but for the branch with {construct} in line {line}"
                    );
                }
                for done in body.iter().flat_map(|body| &body.did) {
                    let _ = writeln!(lines, "      {done}");
                }
                Ok(())
            }
            Err(refusal) => writeln!(
                lines,
                "  - {label}: `{}` runs in the engine because of {} in line {}",
                text.property, refusal.construct, refusal.line
            ),
        };
    }
    for node in &compiled.lowered.nodes {
        let Some(label) = label(node.op) else {
            continue;
        };
        let _ = match &node.code {
            Ok(did) => {
                let _ = writeln!(lines, "  + {label}: is machine code");
                did.iter()
                    .try_for_each(|done| writeln!(lines, "      {done}"))
            }
            Err(why) => writeln!(lines, "  - {label}: is no machine code because of {why}"),
        };
    }
    section(out, "code", &lines);
    let mut lines = String::new();
    for region in compiled.plan.regions.iter().filter(|r| r.stages.len() > 1) {
        let ops = region.stages.iter().map(|stage| stage.op as usize);
        let ids = ops.filter_map(|op| compiled.plan.ops.get(op).map(|op| op.id.as_str()));
        let ids: Vec<&str> = ids.collect();
        if ids.iter().any(|id| asked(id)) {
            let _ = writeln!(lines, "  + {}", ids.join(" → "));
        }
    }
    section(out, "regions of several nodes in one function", &lines);
}

fn section(out: &mut String, title: &str, lines: &str) {
    if !lines.is_empty() {
        let _ = write!(out, "{title}\n{lines}");
    }
}
