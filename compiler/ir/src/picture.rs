//! Pictures of a graph: Mermaid, for Markdown, and DOT, for Graphviz. Flows are boxes around their operators.

use std::fmt::Write as _;

use crate::graph::{EdgeRef, Graph};
use crate::id::{FlowId, OpId};
use crate::op::{EdgeKind, Operator, Part};
use crate::ty::Ty;

/// The graph as a Mermaid flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    boxes(graph, None, 1, &mut out, &Mermaid);
    for edge in graph.all_edges() {
        let arrow = match edge.kind() {
            EdgeKind::Wire(_) | EdgeKind::Link(_) if edge.edge.fused => "==>",
            EdgeKind::Wire(_) => "-->",
            _ => "-.->",
        };
        let label = label(graph, &edge);
        let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let label = match (label.is_empty(), plain) {
            (true, _) => String::new(),
            (false, true) => format!("|{label}|"),
            (false, false) => format!("|{}|", escaped(&label)),
        };
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", edge.from.0, edge.to.0);
    }
    out
}

/// The graph in Graphviz's language.
pub fn dot(graph: &Graph) -> String {
    let mut out =
        String::from("digraph flow {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    boxes(graph, None, 1, &mut out, &Dot);
    for edge in graph.all_edges() {
        let style = match edge.kind() {
            EdgeKind::Wire(_) | EdgeKind::Link(_) if edge.edge.fused => "bold",
            EdgeKind::Wire(_) => "solid",
            _ => "dashed",
        };
        let _ = writeln!(
            out,
            "  n{} -> n{} [style={style}, label={}];",
            edge.from.0,
            edge.to.0,
            quoted(&label(graph, &edge))
        );
    }
    out.push_str("}\n");
    out
}

/// What stands at an edge: the output, where there are several; the type of its messages, where it is known and short; and
/// what it carries, where it is no message.
fn label(graph: &Graph, edge: &EdgeRef<'_>) -> String {
    let outputs = &graph.op(edge.from).outputs;
    let EdgeKind::Wire(port) = edge.kind() else {
        return edge.kind().word().to_owned();
    };
    let ty = outputs.get(usize::from(port)).and_then(short);
    match (outputs.len() > 1, ty) {
        (true, Some(ty)) => format!("{}: {ty}", port + 1),
        (true, None) => (port + 1).to_string(),
        (false, ty) => ty.unwrap_or_default(),
    }
}

/// Types that are longer stand at no edge.
const LONGEST_TYPE: usize = 36;

/// A message's type without what every message has; `None` when there is nothing to say, or too much.
fn short(ty: &Ty) -> Option<String> {
    let (_, open) = ty.fields();
    let rest = if open { Ty::ANY } else { Ty::UNDEFINED };
    let own = ty.with("_msgid", rest);
    let text = own.to_string();
    let text = text.strip_prefix("object").unwrap_or(&text);
    let says = !own.is_any() && own != Ty::any_object();
    (says && text.len() <= LONGEST_TYPE).then(|| text.to_owned())
}

trait Style {
    fn open(&self, out: &mut String, pad: &str, flow: FlowId, title: &str);
    fn close(&self) -> &'static str;
    fn node(&self, out: &mut String, pad: &str, id: OpId, op: &Operator);
}

struct Mermaid;
struct Dot;

impl Style for Mermaid {
    fn open(&self, out: &mut String, pad: &str, flow: FlowId, title: &str) {
        let _ = writeln!(out, "{pad}subgraph {flow}[{}]", escaped(title));
    }

    fn close(&self) -> &'static str {
        "end"
    }

    fn node(&self, out: &mut String, pad: &str, id: OpId, op: &Operator) {
        let text = escaped(&title(op));
        let (open, close) = match &op.part {
            Part::Listener(_) => ("([", "])"),
            Part::LinkIn(_) | Part::LinkOut(_) | Part::LinkCall(_) => ("([", "])"),
            Part::Config | Part::GlobalEnv => ("[(", ")]"),
            Part::SubflowInstance => ("[[", "]]"),
            Part::Comment => (">", "]"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "{pad}n{}{open}{text}{close}", id.0);
    }
}

impl Style for Dot {
    fn open(&self, out: &mut String, pad: &str, flow: FlowId, title: &str) {
        let _ = writeln!(
            out,
            "{pad}subgraph cluster_{flow} {{\n{pad}  label={};",
            quoted(title)
        );
    }

    fn close(&self) -> &'static str {
        "}"
    }

    fn node(&self, out: &mut String, pad: &str, id: OpId, op: &Operator) {
        let _ = writeln!(out, "{pad}n{} [label={}];", id.0, quoted(&title(op)));
    }
}

/// The flows inside `parent`, each with its operators and the flows inside it.
fn boxes(graph: &Graph, parent: Option<FlowId>, depth: usize, out: &mut String, style: &dyn Style) {
    let pad = "  ".repeat(depth);
    for (at, flow) in graph
        .flows()
        .iter()
        .enumerate()
        .filter(|(_, flow)| flow.parent == parent)
    {
        let id = FlowId(at as u32);
        let ops: Vec<_> = graph.ops().filter(|(_, op)| op.flow == id).collect();
        if ops.is_empty() {
            continue;
        }
        let title = if flow.label.is_empty() {
            &flow.id
        } else {
            &flow.label
        };
        style.open(out, &pad, id, title);
        for (id, op) in ops {
            style.node(out, &format!("{pad}  "), id, op);
        }
        boxes(graph, Some(id), depth + 1, out, style);
        let _ = writeln!(out, "{pad}{}", style.close());
    }
}

fn title(op: &Operator) -> String {
    match op.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} ({})", op.ty),
        None => op.ty.clone(),
    }
}

/// A text in Mermaid's quotes; it has entities for what it would take for its own.
fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace(['\n', '\r'], " ")
    )
}
