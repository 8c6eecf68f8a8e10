//! What a text says, with the place of each part; nothing is looked up yet.

use proc_macro2::Span;

/// A whole text.
#[derive(Debug, Default)]
pub struct File {
    /// What it says, in order.
    pub items: Vec<Item>,
}

/// A statement.
#[derive(Debug)]
pub struct Item {
    /// What stands before it in `#[…]`, documentation among it.
    pub attrs: Vec<Attr>,
    /// What it is.
    pub kind: ItemKind,
    /// All of it.
    pub span: Span,
}

/// What a statement is.
#[derive(Debug)]
pub enum ItemKind {
    /// `let NAME = TYPE(…);`
    Let(Name, Element),
    /// `a -> b;`, or a single element with its place: `out at (x, y);`
    Chain(Chain),
    /// `flow NAME "LABEL" (…) { … }`
    Flow(Block),
    /// `subflow NAME "LABEL" (…) { … }`
    Subflow(Block),
    /// `group NAME "LABEL" (…) at PLACE (x, y, w, h) { … }`
    Group(Block),
}

/// A flow, a subflow or a group.
#[derive(Debug)]
pub struct Block {
    /// The word that it begins with.
    pub keyword: Span,
    /// Its name.
    pub name: Option<Name>,
    /// What the editor shows.
    pub label: Option<Text>,
    /// Its variables.
    pub env: Vec<Arg>,
    /// Of a group: the property `place`.
    pub place: Option<Name>,
    /// Of a group: its place on the canvas.
    pub at: Option<At>,
    /// What is in it.
    pub items: Vec<Item>,
    /// The brace before that.
    pub open: Span,
    /// The brace behind it.
    pub close: Span,
}

/// A name: an identifier.
#[derive(Debug, Clone)]
pub struct Name {
    /// Without `r#`.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A text in quotes.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it means.
    pub value: String,
    /// From which bytes of the value on which bytes of the token go along with it; see [`crate::literal`].
    pub map: Vec<(u32, u32)>,
    /// Where.
    pub span: Span,
}

/// `#[…]`.
#[derive(Debug)]
pub struct Attr {
    /// The word.
    pub name: Name,
    /// What comes after it.
    pub kind: AttrKind,
    /// All of it.
    pub span: Span,
}

impl Attr {
    /// The id that it gives, and where: `#[id = "…"]`.
    pub fn id(&self) -> Option<(&str, Span)> {
        match &self.kind {
            AttrKind::Equals(Value {
                kind: ValueKind::Text(text),
                span,
            }) if self.name.text == "id" => Some((&text.value, *span)),
            _ => None,
        }
    }
}

/// What comes after the word of an attribute.
#[derive(Debug)]
pub enum AttrKind {
    /// Nothing.
    Plain,
    /// `= value`; of documentation the text of one line.
    Equals(Value),
    /// `(value, …)`.
    List(Vec<Value>),
}

/// `at (x, y)`.
#[derive(Debug)]
pub struct At {
    /// The numbers, as they are written.
    pub numbers: Vec<String>,
    /// All of it.
    pub span: Span,
}

/// Steps, one after the other.
#[derive(Debug)]
pub struct Chain {
    /// There is at least one.
    pub steps: Vec<Step>,
}

/// What stands between two arrows.
#[derive(Debug)]
pub struct Step {
    /// Side by side; one unless there are parentheses.
    pub branches: Vec<Branch>,
    /// All of it.
    pub span: Span,
}

/// One of the things that stand side by side.
#[derive(Debug)]
pub enum Branch {
    /// One element.
    Element(Box<Element>),
    /// A chain in parentheses.
    Chain(Chain),
}

/// A node in a chain, or behind `let NAME =`.
#[derive(Debug)]
pub struct Element {
    /// What stands before it.
    pub attrs: Vec<Attr>,
    /// What it is.
    pub kind: ElementKind,
    /// Its place.
    pub at: Option<At>,
    /// Where its outputs lead.
    pub arms: Option<Vec<Arm>>,
    /// All of it.
    pub span: Span,
}

/// What an element is.
#[derive(Debug)]
pub enum ElementKind {
    /// A node that has a name, or one of its outputs.
    Path(Path),
    /// A node by its id.
    Id(Text),
    /// A new node.
    Call(TypeName, Vec<Arg>),
    /// A Rust closure.
    Closure(Code),
    /// `@path::to::f(…)`: what a Rust function gives.
    Rust(Code),
}

/// Rust code, for `flow!` in a Rust program.
pub struct Code(pub Box<syn::Expr>);

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code")
    }
}

/// The type of a new node.
#[derive(Debug, Clone)]
pub struct TypeName {
    /// As written.
    pub text: String,
    /// Whether it is in quotes, and so the type itself.
    pub quoted: bool,
    /// Where.
    pub span: Span,
}

/// Where messages of one output go.
#[derive(Debug)]
pub struct Arm {
    /// The output.
    pub pattern: Condition,
    /// Where; nothing for `()`.
    pub to: Option<Chain>,
    /// All of it.
    pub span: Span,
}

/// An argument.
#[derive(Debug)]
pub struct Arg {
    /// What stands before it.
    pub attrs: Vec<Attr>,
    /// What it is.
    pub kind: ArgKind,
    /// All of it.
    pub span: Span,
}

/// What an argument is.
#[derive(Debug)]
pub enum ArgKind {
    /// `name = value`, `"name" = value`.
    Named(Key, Value),
    /// A value without a name.
    Value(Value),
    /// A condition without a name.
    Condition(Condition),
    /// `msg.payload = 5`, `delete msg.x` …
    Change(Change),
}

/// The name of an argument, or of a member of `{ … }`.
#[derive(Debug, Clone)]
pub struct Key {
    /// The name.
    pub text: String,
    /// Whether it is in quotes.
    pub quoted: bool,
    /// Where.
    pub span: Span,
}

/// A value.
#[derive(Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where.
    pub span: Span,
}

/// What a value is.
#[derive(Debug)]
pub enum ValueKind {
    /// A text.
    Text(Text),
    /// A number, as JSON writes it.
    Number(String),
    /// `true`, `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// `[…]`.
    List(Vec<Value>),
    /// `{ key: value }`.
    Map(Vec<(Key, Value)>),
    /// The name of a node, or `msg.a.b`.
    Path(Path),
    /// `TYPE("text")`.
    Typed(Name, Text),
}

/// `a`, `a.b`, `msg.a["b"][0]`.
#[derive(Debug, Clone)]
pub struct Path {
    /// The first name.
    pub head: Name,
    /// What follows.
    pub rest: Vec<Segment>,
    /// All of it.
    pub span: Span,
}

/// A step of a path.
#[derive(Debug, Clone)]
pub enum Segment {
    /// `.name`
    Field(Name),
    /// `.0`
    Number(String, Span),
    /// `[0]`
    Index(String, Span),
    /// `["name"]`
    Key(Text),
}

/// A condition, as an argument or before the arrow of an arm.
#[derive(Debug)]
pub struct Condition {
    /// What is compared, where it is said.
    pub subject: Option<Value>,
    /// The comparison.
    pub test: Test,
    /// All of it.
    pub span: Span,
}

/// A comparison.
#[derive(Debug)]
pub enum Test {
    /// A value alone: the value that is expected, or an output's label or number.
    Bare(Value),
    /// A sign or words with what follows, as [`vgdc_spec::text::CONDITIONS`] has it.
    Sign {
        /// The sign or words.
        sign: &'static str,
        /// What follows.
        values: Vec<Value>,
        /// `ignoring case` behind it.
        any_case: bool,
    },
}

/// A change of a message.
#[derive(Debug)]
pub enum Change {
    /// `place = value`
    Set(Value, Value),
    /// `delete place`
    Delete(Value),
    /// `move place to place`
    Move(Value, Value),
    /// `replace value with value in place`
    Replace(Value, Value, Value),
}

impl Element {
    /// Its name, if it is nothing else.
    pub fn as_path(&self) -> Option<&Path> {
        match &self.kind {
            ElementKind::Path(path) => Some(path),
            _ => None,
        }
    }
}

impl Path {
    /// The name, if it is one name alone.
    pub fn as_name(&self) -> Option<&Name> {
        self.rest.is_empty().then_some(&self.head)
    }
}
