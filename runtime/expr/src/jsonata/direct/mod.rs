//! The plain part of JSONata, evaluated over messages as they are.
//!
//! Most expressions in flows are paths, comparisons, arithmetic, texts put together and a few functions. Those are compiled
//! to a [`Program`] that reads a message in place and converts nothing. What is not compiled here, and what turns up values
//! that are out of the ordinary (a buffer to compare, arrays in arrays), goes the long way by the crate `jsonata-core`: an
//! evaluation that meets such a thing stops with `Stop::Leave` and is begun anew there. Nothing here has effects, so that
//! nobody sees the difference; `tests/` hold both ways against each other.
//!
//! The tree of a program can be seen by who makes code of it ([`Program::node`]); what such code calls is [`operate`].

mod compile;
mod eval;
mod functions;
mod path;
mod text;

use crate::{Env, ExprError};
pub use functions::Function;
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
pub struct Program {
    node: Node,
    /// How many variables it binds.
    slots: usize,
}

/// An expression.
#[derive(Debug)]
#[allow(missing_docs)] // the names say it
pub enum Node {
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
#[allow(missing_docs)] // the names say it
pub enum Name {
    Constant(Key),
    Computed(Node),
}

/// A path.
#[derive(Debug)]
#[allow(missing_docs)] // the names say it
pub struct Path {
    pub steps: Vec<Step>,
    /// `[]`: a single result stays an array.
    pub keeps_array: bool,
}

/// A step of a path.
#[derive(Debug)]
#[allow(missing_docs)] // the names say it
pub struct Step {
    pub what: What,
    pub stages: Vec<Stage>,
}

/// What a step leads to.
#[derive(Debug)]
#[allow(missing_docs)] // the names say it
pub enum What {
    Name(Key),
    Node(Node),
}

/// What is done with what a step leads to.
#[derive(Debug)]
#[allow(missing_docs)] // the names say it
pub enum Stage {
    Index(i64),
    Filter(Node),
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// A comparison by order.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A function that calls another for each item of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Each {
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

/// An operator, as code calls it: functions have the numbers before `OPERATORS`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(u32)]
#[allow(missing_docs)] // the names say it
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    /// An array of what is given, with arrays in it opened.
    List,
}

/// The number of the first operator.
const OPERATORS: u32 = 1_000;

impl Operator {
    const ALL: [Operator; 8] = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::In,
        Operator::List,
    ];

    /// Its number.
    pub fn number(self) -> u32 {
        OPERATORS + self as u32
    }
}

/// What an operator or a function makes of values, by its number. Nothing for an error, and for what goes the long way.
pub fn operate(which: u32, args: &[Value]) -> Option<Value> {
    let answer = match which.checked_sub(OPERATORS) {
        Some(operator) => eval::operate(*Operator::ALL.get(operator as usize)?, args),
        None => functions::of_values(*Function::ALL.get(which as usize)?, args),
    };
    answer.ok()
}

/// Appends a value as `$string` gives it. Nothing for an error, and for what goes the long way.
pub fn write(out: &mut String, value: &Value) -> Option<()> {
    text::append(out, value).ok()
}

impl Program {
    /// The expression.
    pub fn node(&self) -> &Node {
        &self.node
    }

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
