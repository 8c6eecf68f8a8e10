//! The text of each stage: what `vgdc emit` prints.

use std::fmt::Write as _;
use std::str::FromStr;

use vgdc_ir::{picture, text};
use vgdc_syntax::FlowDoc;

use crate::{Compiled, Manifest};

/// A stage of compilation that has a text form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The flow file as it was read.
    Doc,
    /// The graph as resolved.
    Graph,
    /// The graph after the passes.
    Opt,
    /// The plan, as JSON.
    Plan,
    /// The code in nodes, as far as it has been lowered.
    Mir,
    /// What a program made of it says of itself, as JSON.
    Manifest,
    /// A picture of the graph after the passes, for Mermaid.
    Mermaid,
    /// The same for Graphviz.
    Dot,
}

impl Stage {
    /// All stages by name.
    pub const ALL: &[(&str, Stage)] = &[
        ("doc", Stage::Doc),
        ("graph", Stage::Graph),
        ("opt", Stage::Opt),
        ("plan", Stage::Plan),
        ("mir", Stage::Mir),
        ("manifest", Stage::Manifest),
        ("mermaid", Stage::Mermaid),
        ("dot", Stage::Dot),
    ];
}

/// A text that names no stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownStage(pub String);

impl std::fmt::Display for UnknownStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = Stage::ALL.iter().map(|(name, _)| *name).collect();
        write!(
            f,
            "`{}` is no stage; there are {}",
            self.0,
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownStage {}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Stage, UnknownStage> {
        let found = Stage::ALL.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, stage)| *stage)
            .ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

impl Compiled {
    /// The text of a stage. `doc` is the document that this was compiled from.
    pub fn text(&self, doc: &FlowDoc, stage: Stage) -> String {
        match stage {
            Stage::Doc => doc.to_text().to_owned(),
            Stage::Graph => text::print(&self.graph),
            Stage::Opt => text::print(&self.optimised),
            Stage::Plan => pretty(&self.plan),
            Stage::Mir => self.mir(),
            Stage::Manifest => pretty(&Manifest::of(self)),
            Stage::Mermaid => picture::mermaid(&self.optimised),
            Stage::Dot => picture::dot(&self.optimised),
        }
    }
}

impl Compiled {
    /// The operators of a region's function, or the first one that has this text.
    fn of_function(&self, number: u32) -> Vec<&str> {
        let id = |op: usize| self.plan.ops.get(op).map(|op| op.id.as_str());
        let region = self.plan.regions.iter().find(|r| r.function == number);
        if let Some(region) = region {
            let ops = region.stages.iter().map(|stage| stage.op as usize);
            return ops.filter_map(id).collect();
        }
        let texts = &self.lowered.texts;
        let text = texts.iter().find(|text| text.function == Ok(number));
        text.and_then(|text| id(text.op)).into_iter().collect()
    }

    /// Each function with its operators.
    fn mir(&self) -> String {
        let mut out = String::new();
        for (number, body) in self.lowered.bodies.iter().enumerate() {
            let names = self.of_function(number as u32).join(" → ");
            let _ = writeln!(out, "fn {number} // {names}");
            let _ = writeln!(out, "{body}");
        }
        out
    }
}

fn pretty(value: &impl serde::Serialize) -> String {
    // Neither can fail to be JSON: all their keys are texts.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
