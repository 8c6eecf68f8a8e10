//! HTML as a tree, by html5ever, and the three ways in which it becomes text again.

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ParseOpts, QualName, local_name, ns};
use std::borrow::Cow;
use std::cell::{Ref, RefCell};

/// The number of a node.
pub type Id = usize;

/// What a node is.
#[derive(Debug)]
pub enum Kind {
    /// The document, or a fragment.
    Root,
    /// An element, with its attributes in their order, and what stands before the names of some in HTML.
    Element(QualName, Vec<(String, String)>, Vec<(usize, &'static str)>),
    /// Text.
    Text(String),
    /// A comment.
    Comment(String),
    /// A document type.
    Doctype,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// What it is in.
    pub parent: Option<Id>,
    /// What is in it.
    pub children: Vec<Id>,
}

/// A tree. The document is node 0.
#[derive(Debug)]
pub struct Dom {
    nodes: Vec<Node>,
    /// Where to begin: the document, or what holds the nodes of a fragment.
    root: Id,
}

/// How a tree is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Html,
    Xml,
}

/// A tree as the parser builds it.
struct Builder(RefCell<Vec<Node>>);

fn node(kind: Kind) -> Node {
    Node {
        kind,
        parent: None,
        children: Vec::new(),
    }
}

impl Builder {
    fn new() -> Builder {
        Builder(RefCell::new(vec![node(Kind::Root)]))
    }

    fn add(&self, kind: Kind) -> Id {
        let mut nodes = self.0.borrow_mut();
        nodes.push(node(kind));
        nodes.len() - 1
    }

    fn detach(nodes: &mut [Node], child: Id) {
        if let Some(parent) = nodes[child].parent.take() {
            nodes[parent].children.retain(|other| *other != child);
        }
    }

    /// Puts a node or a text into a parent, at a place; texts side by side are one.
    fn insert(&self, parent: Id, at: Option<usize>, new: NodeOrText<Id>) {
        let mut nodes = self.0.borrow_mut();
        let at = at.unwrap_or(nodes[parent].children.len());
        let child = match new {
            NodeOrText::AppendNode(child) => child,
            NodeOrText::AppendText(text) => {
                let before = at
                    .checked_sub(1)
                    .and_then(|at| nodes[parent].children.get(at))
                    .copied();
                if let Some(before) = before
                    && let Kind::Text(known) = &mut nodes[before].kind
                {
                    known.push_str(&text);
                    return;
                }
                nodes.push(node(Kind::Text(text.to_string())));
                nodes.len() - 1
            }
        };
        Self::detach(&mut nodes, child);
        nodes[child].parent = Some(parent);
        let at = at.min(nodes[parent].children.len());
        nodes[parent].children.insert(at, child);
    }
}

fn pairs(attributes: Vec<Attribute>) -> Vec<(String, String)> {
    let pair = |attribute: Attribute| {
        (
            attribute.name.local.to_string(),
            attribute.value.to_string(),
        )
    };
    attributes.into_iter().map(pair).collect()
}

/// The prefixes of attributes in namespaces, which are no part of their names here.
fn prefixes(attributes: &[Attribute]) -> Vec<(usize, &'static str)> {
    let prefix = |(at, attribute): (usize, &Attribute)| {
        let space = &attribute.name.ns;
        let prefix = match () {
            () if *space == ns!(xlink) => "xlink:",
            () if *space == ns!(xml) => "xml:",
            () if *space == ns!(xmlns) && &*attribute.name.local != "xmlns" => "xmlns:",
            () => return None,
        };
        Some((at, prefix))
    };
    attributes.iter().enumerate().filter_map(prefix).collect()
}

/// As the reader that Node-RED has: a byte order mark is text.
fn options() -> ParseOpts {
    let mut options = ParseOpts::default();
    options.tokenizer.discard_bom = false;
    options
}

impl TreeSink for Builder {
    type Handle = Id;
    type Output = Vec<Node>;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Vec<Node> {
        self.0.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Ref<'a, QualName> {
        Ref::map(self.0.borrow(), |nodes| match &nodes[*target].kind {
            Kind::Element(name, ..) => name,
            // (the parser asks this of elements only)
            other => unreachable!("no element: {other:?}"),
        })
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Id {
        let prefixes = prefixes(&attributes);
        self.add(Kind::Element(name, pairs(attributes), prefixes))
    }

    fn create_comment(&self, text: StrTendril) -> Id {
        self.add(Kind::Comment(text.to_string()))
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Id {
        self.add(Kind::Comment(format!("?{target} {data}")))
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        self.insert(*parent, None, child);
    }

    fn append_based_on_parent_node(&self, element: &Id, before: &Id, child: NodeOrText<Id>) {
        let has_parent = self.0.borrow()[*element].parent.is_some();
        match has_parent {
            true => self.append_before_sibling(element, child),
            false => self.append(before, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {
        let doctype = self.add(Kind::Doctype);
        self.insert(0, None, NodeOrText::AppendNode(doctype));
    }

    /// (a template holds its contents as an element does; that is how they are seen here)
    fn get_template_contents(&self, target: &Id) -> Id {
        *target
    }

    fn same_node(&self, one: &Id, other: &Id) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Id, new: NodeOrText<Id>) {
        if let NodeOrText::AppendNode(child) = &new {
            Self::detach(&mut self.0.borrow_mut(), *child);
        }
        let place = {
            let nodes = self.0.borrow();
            nodes[*sibling].parent.map(|parent| {
                let at = nodes[parent]
                    .children
                    .iter()
                    .position(|child| child == sibling);
                (parent, at)
            })
        };
        if let Some((parent, at)) = place {
            self.insert(parent, at, new);
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, attributes: Vec<Attribute>) {
        if let Kind::Element(_, known, _) = &mut self.0.borrow_mut()[*target].kind {
            for (name, value) in pairs(attributes) {
                if !known.iter().any(|(other, _)| *other == name) {
                    known.push((name, value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        Self::detach(&mut self.0.borrow_mut(), *target);
    }

    fn reparent_children(&self, from: &Id, to: &Id) {
        let mut nodes = self.0.borrow_mut();
        let children = std::mem::take(&mut nodes[*from].children);
        for child in &children {
            nodes[*child].parent = Some(*to);
        }
        nodes[*to].children.extend(children);
    }
}

impl Dom {
    /// Reads a document.
    pub fn document(text: &str) -> Dom {
        let parser = html5ever::parse_document(Builder::new(), options());
        Dom {
            nodes: parser.one(text),
            root: 0,
        }
    }

    /// A document with nothing in it, not even `html`.
    pub fn nothing() -> Dom {
        Dom {
            nodes: vec![node(Kind::Root)],
            root: 0,
        }
    }

    /// Reads a part of one.
    pub fn fragment(text: &str) -> Dom {
        let context = QualName::new(None, ns!(html), local_name!("template"));
        let parser =
            html5ever::parse_fragment(Builder::new(), options(), context, Vec::new(), true);
        let nodes: Vec<Node> = parser.one(text);
        // (the nodes are in an element that the parser has made for them)
        let holder = nodes[0].children.first().copied().unwrap_or(0);
        Dom {
            nodes,
            root: holder,
        }
    }

    /// A node.
    pub fn get(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The document's own nodes.
    pub fn roots(&self) -> &[Id] {
        &self.nodes[self.root].children
    }

    /// An element's name; `None` for what is no element.
    pub fn name(&self, id: Id) -> Option<&str> {
        match &self.nodes[id].kind {
            Kind::Element(name, ..) => Some(&name.local),
            _ => None,
        }
    }

    /// An element's attributes.
    pub fn attributes(&self, id: Id) -> &[(String, String)] {
        match &self.nodes[id].kind {
            Kind::Element(_, attributes, _) => attributes,
            _ => &[],
        }
    }

    /// Every element, each before what is in it.
    pub fn elements(&self) -> Vec<Id> {
        let mut found = Vec::new();
        let mut left: Vec<Id> = self.roots().iter().rev().copied().collect();
        while let Some(id) = left.pop() {
            if self.name(id).is_some() {
                found.push(id);
            }
            left.extend(self.nodes[id].children.iter().rev());
        }
        found
    }

    /// The text in a node. `all`: of scripts and styles, too, and a line break for each `br`.
    pub fn text(&self, id: Id, all: bool) -> String {
        let mut out = String::new();
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            match (&self.nodes[id].kind, self.name(id)) {
                (Kind::Text(text), _) => out.push_str(text),
                (_, Some("script" | "style")) if !all => {}
                (_, Some("br")) if all => out.push('\n'),
                _ => left.extend(self.nodes[id].children.iter().rev()),
            }
        }
        out
    }

    /// What is in a node as HTML.
    pub fn html(&self, id: Id) -> String {
        self.write(&self.nodes[id].children, Form::Html)
    }

    /// All of it as XML; what is not ASCII as numbers.
    pub fn xml(&self) -> String {
        self.write(self.roots(), Form::Xml)
    }

    /// Writes nodes and what is in them, without recursion, as HTML can be nested deep.
    fn write(&self, ids: &[Id], form: Form) -> String {
        let mut out = String::new();
        let mut left: Vec<(Id, bool)> = ids.iter().rev().map(|id| (*id, true)).collect();
        while let Some((id, begins)) = left.pop() {
            match (form, begins) {
                (Form::Html, true) => self.begin_html(id, &mut out),
                (Form::Html, false) => self.end_html(id, &mut out),
                (Form::Xml, true) => self.begin_xml(id, &mut out),
                (Form::Xml, false) => self.end_xml(id, &mut out),
            }
            let hidden = form == Form::Html && self.name(id).is_some_and(is_void);
            if begins {
                left.push((id, false));
                let inside = if hidden {
                    &[][..]
                } else {
                    &self.nodes[id].children
                };
                left.extend(inside.iter().rev().map(|id| (*id, true)));
            }
        }
        out
    }

    fn begin_html(&self, id: Id, out: &mut String) {
        match &self.nodes[id].kind {
            Kind::Element(name, attributes, prefixes) => {
                out.push('<');
                out.push_str(&name.local);
                for (at, (name, value)) in attributes.iter().enumerate() {
                    let prefix = prefixes.iter().find(|(other, _)| *other == at);
                    let prefix = prefix.map_or("", |(_, prefix)| prefix);
                    let value = value
                        .replace('&', "&amp;")
                        .replace('\u{a0}', "&nbsp;")
                        .replace('"', "&quot;");
                    out.extend([" ", prefix, name, "=\"", &value, "\""]);
                }
                out.push('>');
            }
            Kind::Text(text) => {
                let parent = self.nodes[id].parent.and_then(|parent| self.name(parent));
                if parent.is_some_and(is_raw) {
                    out.push_str(text);
                } else {
                    let text = text.replace('&', "&amp;").replace('\u{a0}', "&nbsp;");
                    out.push_str(&text.replace('<', "&lt;").replace('>', "&gt;"));
                }
            }
            Kind::Comment(text) => out.extend(["<!--", text, "-->"]),
            Kind::Root | Kind::Doctype => {}
        }
    }

    fn end_html(&self, id: Id, out: &mut String) {
        if let Some(name) = self.name(id).filter(|name| !is_void(name)) {
            out.extend(["</", name, ">"]);
        }
    }

    fn begin_xml(&self, id: Id, out: &mut String) {
        match &self.nodes[id].kind {
            Kind::Element(name, attributes, _) => {
                out.push('<');
                out.push_str(&name.local);
                for (name, value) in attributes {
                    out.extend([" ", name, "=\""]);
                    escape_xml(value, out);
                    out.push('"');
                }
                out.push_str(if self.nodes[id].children.is_empty() {
                    "/>"
                } else {
                    ">"
                });
            }
            Kind::Text(text) => escape_xml(text, out),
            Kind::Comment(text) => out.extend(["<!--", text, "-->"]),
            Kind::Root | Kind::Doctype => {}
        }
    }

    fn end_xml(&self, id: Id, out: &mut String) {
        if let Some(name) = self.name(id)
            && !self.nodes[id].children.is_empty()
        {
            out.extend(["</", name, ">"]);
        }
    }
}

fn escape_xml(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("&#x{:X};", u32::from(c))),
        }
    }
}

/// Elements that have no end.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements whose text is written as it is.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "style" | "script" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext" | "noscript"
    )
}
