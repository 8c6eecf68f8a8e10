//! What becomes of the code in one node.

use serde_json::{Value as Json, json};
use vgdc_driver::{Compiled, Session};
use vgdc_syntax::FlowDoc;
use vgdc_target_rust::External;

/// Where a line of generated text comes from: the how-manieth of the function's nodes, and the line of its text (0: the node as a whole).
type Origin = Option<(usize, u32)>;

/// The answer of `POST /vgdc/v1/code/:id`: what became of each text of the node, and of the node itself where it says how it becomes code; the
/// functions that it is in, in the compiler's own language and in Rust, with the lines that theirs come from; and what is left to the engine.
/// The session must be one [with lines](Session::with_lines).
pub(super) fn of_node(session: &Session, doc: &FlowDoc, id: &str) -> Result<Json, String> {
    let compiled = session.compile(doc);
    let is_meant = |op: usize| {
        let op = compiled.plan.ops.get(op);
        op.is_some_and(|op| op.id == id || op.alias.as_deref() == Some(id))
    };
    let (mut parts, mut left) = (Vec::new(), Vec::new());
    // The functions, with the nodes that each is made of. What is fused with others runs there, not by itself.
    let mut functions: Vec<(u32, Vec<&str>)> = Vec::new();
    for region in &compiled.plan.regions {
        let mut stages = region.stages.iter();
        if stages.clone().any(|stage| is_meant(stage.op as usize)) {
            let ops = stages.by_ref();
            let ops = ops.filter_map(|stage| compiled.plan.ops.get(stage.op as usize));
            functions.push((region.function, ops.map(|op| op.id.as_str()).collect()));
        }
    }
    let texts = compiled.lowered.texts.iter();
    for text in texts.filter(|text| is_meant(text.op)) {
        parts.push(match &text.function {
            Ok(number) => {
                let body = compiled.lowered.bodies.get(*number as usize);
                let branches = body.into_iter().flat_map(|body| &body.left);
                left.extend(branches.map(|(construct, line)| {
                    json!({"property": text.property, "line": line, "construct": construct})
                }));
                if !functions.iter().any(|(known, _)| known == number) {
                    let op = compiled.plan.ops.get(text.op);
                    functions.push((*number, vec![op.map_or(id, |op| op.id.as_str())]));
                }
                json!({"property": text.property, "function": number})
            }
            Err(why) => json!({
                "property": text.property, "function": null, "line": why.line, "construct": why.construct,
                "why": format!("runs in the engine because of {} in line {}", why.construct, why.line),
            }),
        });
    }
    let nodes = compiled.lowered.nodes.iter();
    for node in nodes.filter(|node| is_meant(node.op)) {
        parts.push(match &node.code {
            Ok(did) => json!({"property": null, "function": null, "did": did}),
            Err(why) => json!({
                "property": null, "function": null, "why": format!("is no machine code because of {why}"),
            }),
        });
    }
    if parts.is_empty() && functions.is_empty() {
        return Err(
            "no code is made of this node: it runs in vgdc's own code, or does not run".to_owned(),
        );
    }
    let made = described(&compiled, &functions);
    Ok(json!({"id": id, "parts": parts, "functions": made, "left": left}))
}

fn described(compiled: &Compiled, functions: &[(u32, Vec<&str>)]) -> Vec<Json> {
    let bodies = &compiled.lowered.bodies;
    let all = vgdc_target_rust::emit(&compiled.plan, bodies, &External::default());
    let made = functions.iter().filter_map(|(number, nodes)| {
        let mir = bodies.get(*number as usize)?.to_string();
        let (mir, mir_lines) = with_origins(mir.lines(), &|line| {
            let (word, value) = line.trim().split_once(' ')?;
            let value = value.parse().ok()?;
            match word {
                "line" => Some(Mark::Line(value)),
                "stage" => Some(Mark::Stage(value as usize)),
                _ => None,
            }
        });
        let (rust, rust_lines) = with_origins(rust(&all, *number), &|line| {
            let line = line.trim();
            let number = |before: &str, after: &str| -> Option<u32> {
                line.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
            };
            let stage = number("stage(cx, ", ");").map(|it| Mark::Stage(it as usize));
            number("__line!(", ");").map(Mark::Line).or(stage)
        });
        Some(json!({
            "number": number, "nodes": nodes, "mir": mir, "mirLines": mir_lines, "rust": rust, "rustLines": rust_lines,
        }))
    });
    made.collect()
}

/// What a line of generated text says of those after it.
enum Mark {
    /// They are the code of this node.
    Stage(usize),
    /// They are made of this line of its text.
    Line(u32),
}

/// A text without the marks of lines, and where each of its lines comes from. What a mark says holds until the next one, and not across the
/// beginning of a block.
fn with_origins<'t>(
    lines: impl IntoIterator<Item = &'t str>,
    mark: &dyn Fn(&str) -> Option<Mark>,
) -> (String, Vec<Origin>) {
    let (mut text, mut origins) = (String::new(), Vec::new());
    let (mut stage, mut at) = (0, 0);
    for line in lines {
        match mark(line) {
            Some(Mark::Line(number)) => {
                at = number;
                continue;
            }
            Some(Mark::Stage(number)) => (stage, at) = (number, 0),
            None => {}
        }
        text.push_str(line);
        text.push('\n');
        let is_structure = line.trim().len() < 2 || line.trim_end().ends_with(':');
        if is_structure && line.trim_end().ends_with(':') {
            at = 0;
        }
        origins.push((!is_structure).then_some((stage, at)));
    }
    (text, origins)
}

/// The lines of the function of this number in the generated text.
fn rust(text: &str, number: u32) -> Vec<&str> {
    let head = format!("fn code_{number}(");
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.contains(&head)) else {
        return Vec::new();
    };
    let indent = lines[at].len() - lines[at].trim_start().len();
    let is_end = |line: &&str| line.trim_end() == format!("{}}}", &lines[at][..indent]);
    let length = lines[at..].iter().position(is_end);
    let length = length.unwrap_or(lines.len() - at - 1);
    let inner = lines[at..=at + length].iter();
    inner
        .map(|line| line.get(indent..).unwrap_or(line.trim_start()))
        .collect()
}
