//! What becomes of the code in one node.

use serde_json::{Value as Json, json};
use vgdc_driver::Session;
use vgdc_syntax::FlowDoc;
use vgdc_target_rust::External;

/// The answer of `GET /vgdc/v1/code/:id`: each text of the node, and the node itself where it says how it becomes code, in the compiler's own
/// language and in Rust; or why not.
pub(super) fn of_node(session: &Session, doc: &FlowDoc, id: &str) -> Result<Json, String> {
    let compiled = session.compile(doc);
    let is_meant = |op: usize| {
        let op = compiled.plan.ops.get(op);
        op.is_some_and(|op| op.id == id || op.alias.as_deref() == Some(id))
    };
    let mut parts = Vec::new();
    for text in compiled
        .lowered
        .texts
        .iter()
        .filter(|text| is_meant(text.op))
    {
        parts.push(match &text.function {
            Ok(number) => {
                let body = compiled.lowered.bodies.get(*number as usize);
                json!({"property": text.property, "function": number, "mir": body.map(ToString::to_string)})
            }
            Err(why) => json!({
                "property": text.property, "function": null,
                "why": format!("runs in the engine because of {} in line {}", why.construct, why.line),
            }),
        });
    }
    for node in compiled
        .lowered
        .nodes
        .iter()
        .filter(|node| is_meant(node.op))
    {
        parts.push(match &node.code {
            Ok(did) => json!({"property": null, "did": did}),
            Err(why) => {
                json!({"property": null, "why": format!("is no machine code because of {why}")})
            }
        });
    }
    let regions: Vec<(u32, Vec<&str>)> = compiled
        .plan
        .regions
        .iter()
        .filter(|region| {
            region
                .stages
                .iter()
                .any(|stage| is_meant(stage.op as usize))
        })
        .map(|region| {
            let stages = region
                .stages
                .iter()
                .filter_map(|stage| compiled.plan.ops.get(stage.op as usize));
            (region.function, stages.map(|op| op.id.as_str()).collect())
        })
        .collect();
    let in_regions: Vec<Json> = regions
        .iter()
        .map(|(number, nodes)| {
            let body = compiled.lowered.bodies.get(*number as usize);
            json!({"function": number, "nodes": nodes, "mir": body.map(ToString::to_string)})
        })
        .collect();
    let numbers = parts.iter().filter_map(|part| part["function"].as_u64());
    let numbers: Vec<u32> = numbers
        .map(|n| n as u32)
        .chain(regions.iter().map(|(number, _)| *number))
        .collect();
    let rust = rust(
        &vgdc_target_rust::emit(
            &compiled.plan,
            &compiled.lowered.bodies,
            &External::default(),
        ),
        &numbers,
    );
    if parts.is_empty() && in_regions.is_empty() {
        return Err(
            "no code is made of this node: it runs in vgdc's own code, or does not run".to_owned(),
        );
    }
    Ok(json!({"id": id, "parts": parts, "regions": in_regions, "rust": rust}))
}

/// The functions of these numbers in the generated text.
fn rust(text: &str, numbers: &[u32]) -> String {
    let mut out = String::new();
    for number in numbers {
        let head = format!("fn code_{number}(");
        let lines: Vec<&str> = text.lines().collect();
        let Some(at) = lines.iter().position(|line| line.contains(&head)) else {
            continue;
        };
        let indent = lines[at].len() - lines[at].trim_start().len();
        let is_end = |line: &&str| line.trim_end() == format!("{}}}", &lines[at][..indent]);
        let length = lines[at..]
            .iter()
            .position(is_end)
            .unwrap_or(lines.len() - at - 1);
        for line in &lines[at..=at + length] {
            out.push_str(line.get(indent..).unwrap_or(line.trim_start()));
            out.push('\n');
        }
        out.push('\n');
    }
    out
}
