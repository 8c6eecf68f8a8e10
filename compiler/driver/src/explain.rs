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
            let _ = writeln!(out, "island {number}\n  {}", names.join(" "));
        }
    }
    functions(compiled, &asked, &mut out);
    out
}

/// Which texts in nodes become machine code, and what keeps the others from it.
fn functions(compiled: &Compiled, asked: &impl Fn(&str) -> bool, out: &mut String) {
    let mut first = true;
    for text in &compiled.lowered.texts {
        let Some(op) = compiled.plan.ops.get(text.op).filter(|op| asked(&op.id)) else {
            continue;
        };
        if std::mem::take(&mut first) {
            out.push_str("code\n");
        }
        let label = op.name.as_deref().filter(|name| !name.is_empty());
        let label = label.map_or(op.id.clone(), |name| format!("{name} ({})", op.id));
        let _ = match &text.function {
            Ok(_) => writeln!(out, "  + {label}: `{}` is machine code", text.property),
            Err(refusal) => writeln!(
                out,
                "  - {label}: `{}` runs in the engine because of {} in line {}",
                text.property, refusal.construct, refusal.line
            ),
        };
    }
}
