//! The plain part of JSONata, evaluated over messages as they are.
//!
//! Most expressions in flows are paths, comparisons, arithmetic, texts put together and a few functions. Those are compiled
//! to a [`Program`] that reads a message in place and converts nothing. What is not compiled here, and what turns up values
//! that are out of the ordinary (a buffer to compare, arrays in arrays), goes the long way by the crate `jsonata-core`: an
//! evaluation that meets such a thing stops with [`Stop::Leave`] and is begun anew there. Nothing here has effects, so that
//! nobody sees the difference; `tests/` hold both ways against each other.

mod compile;
mod eval;
mod functions;
mod path;
mod text;

use crate::{Env, ExprError};
use functions::Function;
use std::borrow::Cow;
use vgdc_value::{Key, Value};

/// A value in the message, or one made on the way.
type Item<'v> = Cow<'v, Value>;

static UNDEFINED: Value = Value::Undefined;

fn undefined<'v>() -> Item<'v> {
    Cow::Borrowed(&UNDEFINED)
}

/// Why an evaluation ends without a value.
pub(super) enum Stop {
    /// It has to go the long way.
    Leave,
    /// It is wrong.
    Raise(ExprError),
}

type Answer<T> = Result<T, Stop>;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program {
    node: Node,
    /// How many variables it binds.
    slots: usize,
}

#[derive(Debug)]
enum Node {
    Constant(Value),
    /// `$`: what the expression is evaluated on.
    Here,
    /// `$$`: what the whole is evaluated on.
    Whole,
    /// A variable that the expression binds.
    Slot(usize),
    /// A variable that whoever evaluates may give.
    Given(String),
    Path(Path),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Equal {
        negated: bool,
        sides: Box<[Node; 2]>,
    },
    Compare(Compare, Box<[Node; 2]>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Concat(Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Range(Box<[Node; 2]>),
    Negate(Box<Node>),
    Choose {
        condition: Box<Node>,
        yes: Box<Node>,
        no: Option<Box<Node>>,
    },
    Array(Vec<Node>),
    Object(Vec<(Name, Node)>),
    Block(Vec<Node>),
    Bind(usize, Box<Node>),
    Call(Function, Vec<Node>),
    Each {
        how: Each,
        list: Box<Node>,
        start: Option<Box<Node>>,
        params: Vec<usize>,
        body: Box<Node>,
    },
}

/// A property's name in an object constructor.
#[derive(Debug)]
enum Name {
    Constant(Key),
    Computed(Node),
}

#[derive(Debug)]
struct Path {
    steps: Vec<Step>,
    /// `[]`: a single result stays an array.
    keeps_array: bool,
}

#[derive(Debug)]
struct Step {
    what: What,
    stages: Vec<Stage>,
}

#[derive(Debug)]
enum What {
    Name(Key),
    Node(Node),
}

#[derive(Debug)]
enum Stage {
    Index(i64),
    Filter(Node),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A function that calls another for each item of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Each {
    Map,
    Filter,
    Reduce,
}

/// An evaluation under way.
struct Run<'v> {
    whole: &'v Value,
    env: &'v dyn Env,
    given: &'v [(&'v str, Value)],
    slots: Vec<Value>,
    /// The time of the evaluation, once it was asked for: it is the same throughout.
    now: Option<f64>,
}

impl Program {
    /// Compiles a parsed expression, if all of it is plain.
    pub(super) fn compile(ast: &jsonata_core::ast::AstNode) -> Option<Program> {
        compile::program(ast)
    }

    /// Evaluates it.
    pub(super) fn run(
        &self,
        env: &dyn Env,
        whole: &Value,
        given: &[(&str, Value)],
    ) -> Answer<Value> {
        let mut run = Run {
            whole,
            env,
            given,
            slots: vec![Value::Undefined; self.slots],
            now: None,
        };
        run.eval(&self.node, &Cow::Borrowed(whole))
            .map(Cow::into_owned)
    }
}
