//! Flows as text: the language of `.flow` files and of `flow!` (docs/flow-text.md).
//!
//! * [`lex`] makes Rust's tokens of a file; a macro has them from rustc;
//! * [`parse`] makes the tree ([`ast`]) of tokens;
//! * [`lower`] makes Node-RED's JSON of the tree, and notes for each part of it where in the text it comes from;
//! * [`mod@print`] makes a text of a flow file;
//! * [`mod@format`] lays a text out, and changes nothing of what it says.
//!
//! A macro calls [`parse::parse`] with rustc's tokens and [`lower::lower`] with what it gets, no comments, and a [`Nodes`] that says
//! what Rust code becomes; each [`Fault`] has the span of a compile error, as has each of [`Lowered::origins`].
//!
//! Invariants of this crate:
//! * it names no node: what it knows of nodes is their constant data, by [`Nodes`];
//! * no text makes it panic, and each fault is told at the tokens that are wrong;
//! * what a text cannot say of a flow file in the language's own words, it says in quotes: printing loses nothing.

pub mod ast;
pub mod comments;
pub mod fault;
pub mod file;
pub mod format;
pub mod lex;
mod library;
pub mod literal;
pub mod lower;
pub mod names;
mod origins;
pub mod parse;
pub mod print;

pub use fault::Fault;
pub use library::Library;
pub use lower::Lowered;
pub use origins::Origins;
use vgdc_spec::NodeSpec;
use vgdc_syntax::{Diagnostics, SourceMap, Span};

/// The property of the flow file's objects that comments ride in: `before`, `after` and `end` have comments as they are written,
/// `wires` the same for the statements that begin at a node.
pub const COMMENTS: &str = "_comments";

/// What is known of nodes.
pub trait Nodes {
    /// The constant data of a type.
    fn spec(&self, ty: &str) -> Option<&'static NodeSpec>;

    /// All types that a word of the text can stand for.
    fn types(&self) -> Vec<&str>;

    /// The type of the node that Rust code in the text becomes; in a file there is none.
    fn rust(&self, code: &syn::Expr) -> Option<String> {
        let _ = code;
        None
    }
}

/// A text, read.
pub struct Read {
    /// Node-RED's flow file.
    pub json: String,
    /// Where its parts come from.
    pub origins: Origins,
    /// What is wrong with the text.
    pub diagnostics: Diagnostics,
}

/// Reads a text file. `name` is what diagnostics call it.
pub fn read(sources: &mut SourceMap, name: &str, text: &str, nodes: &dyn Nodes) -> Read {
    let source = sources.add(name, text);
    let lowered = match lex::tokens(text) {
        Err(fault) => Lowered {
            json: "[]".to_owned(),
            faults: vec![fault],
            ..Lowered::default()
        },
        Ok(tokens) => {
            let toks = lex::flat(tokens.clone(), text);
            let (file, mut faults) = parse::parse(tokens);
            let comments = comments::Comments::of(&file, text, &toks);
            let mut lowered = lower::lower(&file, nodes, &comments);
            faults.append(&mut lowered.faults);
            lowered.faults = faults;
            lowered
        }
    };
    for secret in &lowered.secrets {
        let range = secret.byte_range();
        sources.hide(Span::new(source, range.start as u32..range.end as u32));
    }
    let read = Read {
        json: lowered.json,
        origins: Origins::new(source, &lowered.origins),
        diagnostics: fault::into_diagnostics(lowered.faults, source),
    };
    lex::forget();
    read
}
