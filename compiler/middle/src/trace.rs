//! What the passes did, node by node: what `vgdc explain` prints.

use std::fmt;

use vgdc_ir::Operator;

/// Everything that passes did to a graph, in the order in which they did it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<Entry>,
}

/// One thing that a pass did to a node, or did not and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The pass.
    pub pass: &'static str,
    /// Id of the operator.
    pub node: String,
    /// What a person calls it.
    pub label: String,
    /// Whether it was done; else `what` says why not.
    pub fired: bool,
    /// What was done, as a part of a sentence about the node.
    pub what: String,
}

impl Trace {
    /// Notes that a pass did something to an operator.
    pub fn did(&mut self, pass: &'static str, op: &Operator, what: impl Into<String>) {
        self.note(pass, op, true, what.into());
    }

    /// Notes why a pass did nothing to an operator.
    pub fn left(&mut self, pass: &'static str, op: &Operator, why: impl Into<String>) {
        self.note(pass, op, false, why.into());
    }

    fn note(&mut self, pass: &'static str, op: &Operator, fired: bool, what: String) {
        let (node, label) = (op.id.clone(), op.label().to_owned());
        self.entries.push(Entry {
            pass,
            node,
            label,
            fired,
            what,
        });
    }

    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was done to one node, by its id; for a node of a template also by its id in there.
    pub fn of<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Entry> {
        let inner = format!("-{node}");
        self.entries
            .iter()
            .filter(move |entry| entry.node == node || entry.node.ends_with(&inner))
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.fired { "+" } else { "-" };
        write!(f, "{mark} {:<16} {}", self.pass, self.label)?;
        if self.label != self.node {
            write!(f, " ({})", self.node)?;
        }
        write!(f, ": {}", self.what)
    }
}
