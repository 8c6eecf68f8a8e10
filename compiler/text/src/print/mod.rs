//! From a flow file to a text. Nothing is lost: what the language has no words of its own for stands in quotes.
//!
//! The text is made without regard to its layout; [`mod@crate::format`] does that. Whatever is said in the language's own words is
//! read again before it is taken: where that does not give what the flow file has, the property is written as it stands.

mod block;
mod name;
mod node;
mod said;
mod value;
mod wires;

use crate::lower::json::Out;
use crate::{COMMENTS, Nodes, format, lex};
use name::Names;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use vgdc_syntax::{Diagnostic, FlowDoc, Json, Kind, NodeIx, NodeKind, RawNode, codes};

/// Makes a text of a flow file.
///
/// # Errors
/// Its values are nested too deeply for a text.
pub fn print(doc: &FlowDoc, nodes: &dyn Nodes) -> Result<String, TooDeep> {
    let mut printer = Printer::new(doc, nodes);
    printer.file();
    let text = format::format_made(&printer.out);
    lex::forget();
    text.ok_or(TooDeep)
}

/// A flow file has values that are nested too deeply for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooDeep;

impl TooDeep {
    /// The same as a diagnostic.
    pub fn diagnostic(self) -> Diagnostic {
        let depth = lex::MAX_DEPTH;
        let message = format!(
            "this flow cannot be written as text: its values are nested more than {depth} deep"
        );
        Diagnostic::error(codes::TOO_DEEP, message)
    }
}

/// An object of the flow file.
struct Thing<'a> {
    raw: RawNode<'a>,
    /// Its properties, each once.
    props: Vec<(String, Out)>,
    /// Of a node: the flow that it is in.
    container: Option<usize>,
}

impl Thing<'_> {
    fn get(&self, name: &str) -> Option<&Out> {
        self.props
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, out)| out)
    }

    fn id(&self) -> &str {
        self.raw.id()
    }

    /// Whether it has a place on the canvas.
    fn is_config(&self) -> bool {
        // (a group that is in no flow has nothing on a canvas, either)
        !self.raw.is_on_canvas()
            || matches!(self.raw.kind(), NodeKind::Group) && self.container.is_none()
    }

    /// The comments that came along with it.
    fn comments(&self, which: &str) -> Vec<String> {
        self.get(COMMENTS)
            .and_then(|comments| said::comments(comments, which))
            .unwrap_or_default()
    }
}

struct Printer<'a, 'n> {
    nodes: &'n dyn Nodes,
    things: Vec<Thing<'a>>,
    by_ix: HashMap<NodeIx, usize>,
    /// By flow and id, the first one.
    by_place: HashMap<(Option<usize>, &'a str), usize>,
    doc: &'a FlowDoc,
    names: Names,
    /// Groups whose nodes stand together.
    together: HashSet<usize>,
    out: String,
}

/// JSON of a document, as it was written.
fn out_of(json: Json<'_>) -> Out {
    match json.kind() {
        Kind::String => Out::text(json.as_str().unwrap_or_default()),
        Kind::Array => Out::list(json.elements().map(out_of).collect()),
        Kind::Object => {
            let mut members: Vec<(String, Out)> = Vec::new();
            for entry in json.entries() {
                let key = entry.key.as_str().unwrap_or_default().into_owned();
                // (of a key that is there twice, JavaScript takes the last)
                match members.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, out)) => *out = out_of(entry.value),
                    None => members.push((key, out_of(entry.value))),
                }
            }
            Out::map(members)
        }
        Kind::Invalid => Out::raw("null"),
        _ => Out::raw(json.text()),
    }
}

impl<'a, 'n> Printer<'a, 'n> {
    fn new(doc: &'a FlowDoc, nodes: &'n dyn Nodes) -> Printer<'a, 'n> {
        let mut things: Vec<Thing<'a>> = doc
            .nodes()
            .map(|raw| {
                let props = match out_of(raw.json()).kind {
                    crate::lower::json::OutKind::Map(members) => members,
                    _ => Vec::new(),
                };
                Thing {
                    raw,
                    props,
                    container: None,
                }
            })
            .collect();
        let by_ix: HashMap<NodeIx, usize> = things
            .iter()
            .enumerate()
            .map(|(at, thing)| (thing.raw.ix(), at))
            .collect();
        for thing in &mut things {
            if is_container(thing.raw) {
                continue;
            }
            let z = thing
                .raw
                .z()
                .and_then(|z| doc.by_id(z))
                .filter(|z| is_container(*z));
            thing.container = z.and_then(|z| by_ix.get(&z.ix()).copied());
        }
        let names = Names::assign(&things, nodes);
        let mut by_place = HashMap::with_capacity(things.len());
        for (at, thing) in things
            .iter()
            .enumerate()
            .filter(|(_, thing)| !is_container(thing.raw))
        {
            by_place
                .entry((thing.container, thing.raw.id()))
                .or_insert(at);
        }
        let mut printer = Printer {
            nodes,
            things,
            by_ix,
            by_place,
            doc,
            names,
            together: HashSet::new(),
            out: String::new(),
        };
        printer.together = printer.find_together();
        printer
    }

    fn file(&mut self) {
        let top = |thing: &Thing<'_>| thing.container.is_none() && !is_container(thing.raw);
        let all: Vec<usize> = (0..self.things.len()).collect();
        let (outside, rest): (Vec<usize>, Vec<usize>) = all
            .into_iter()
            .partition(|at| self.things.get(*at).is_some_and(top));
        for at in &outside {
            self.node(*at, None);
        }
        if !outside.is_empty() {
            self.out.push('\n');
        }
        for at in rest {
            if self
                .things
                .get(at)
                .is_some_and(|thing| is_container(thing.raw))
            {
                self.container(at);
                self.out.push('\n');
            }
        }
    }

    fn thing(&self, at: usize) -> Option<&Thing<'a>> {
        self.things.get(at)
    }

    /// Writes something, and a line break.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Comments in lines of their own; an empty one is an empty line.
    fn comment_lines(&mut self, comments: &[String]) {
        for comment in comments {
            self.line(comment);
        }
    }

    /// Comments behind a statement that ends the text so far.
    fn comments_behind(&mut self, comments: &[String]) {
        if comments.is_empty() {
            return;
        }
        self.out.truncate(self.out.trim_end().len());
        for (at, comment) in comments.iter().enumerate() {
            // (an empty one stands before those that are in lines of their own)
            let own_line = at > 0 && comments.get(at - 1).is_some_and(String::is_empty);
            self.out.push(if own_line || comment.is_empty() {
                '\n'
            } else {
                ' '
            });
            self.out.push_str(comment);
        }
        self.out.push('\n');
    }

    /// The object that an id means for a node in `container`: one beside it, if there is one.
    fn find(&self, id: &str, container: Option<usize>) -> Option<usize> {
        let last = self.by_ix.get(&self.doc.by_id(id)?.ix()).copied()?;
        if self
            .thing(last)
            .is_some_and(|thing| thing.container == container)
        {
            return Some(last);
        }
        Some(self.by_place.get(&(container, id)).copied().unwrap_or(last))
    }

    /// How an object is called in `container`.
    fn name_in(&self, at: usize, container: Option<usize>) -> Option<String> {
        let name = self.names.of(at)?;
        let own = self.thing(at)?.container;
        match own {
            Some(flow) if own != container => Some(format!("{}.{name}", self.names.of(flow)?)),
            _ => Some(name.to_owned()),
        }
    }
}

/// Whether an object is a flow or a subflow's definition.
fn is_container(raw: RawNode<'_>) -> bool {
    matches!(raw.kind(), NodeKind::Tab | NodeKind::SubflowDef)
}
