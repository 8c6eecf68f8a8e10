//! From the parser's tree to a [`Program`].

use super::functions::Function;
use super::{Arithmetic, Compare, Each, Name, Node, Path, Program, Stage, Step, What};
use jsonata_core::ast::{AstNode, BinaryOp, PathStep, UnaryOp};
use vgdc_value::{Key, Value};

/// How deep an expression may be nested: deeper ones go the long way, which has its own means against deep nesting.
const MAX_DEPTH: usize = 64;

/// Compiles an expression; `None` if there is something in it that is not done here.
pub(super) fn program(ast: &AstNode) -> Option<Program> {
    let mut compiler = Compiler {
        scope: Vec::new(),
        slots: 0,
        depth: 0,
    };
    let node = compiler.node(ast)?;
    Some(Program {
        node,
        slots: compiler.slots,
    })
}

struct Compiler {
    /// The variables that can be seen, innermost last.
    scope: Vec<(String, usize)>,
    slots: usize,
    depth: usize,
}

impl Compiler {
    fn node(&mut self, ast: &AstNode) -> Option<Node> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let node = self.node_here(ast);
        self.depth -= 1;
        node
    }

    fn boxed(&mut self, ast: &AstNode) -> Option<Box<Node>> {
        self.node(ast).map(Box::new)
    }

    fn node_here(&mut self, ast: &AstNode) -> Option<Node> {
        Some(match ast {
            AstNode::String(text) => Node::Constant(Value::from(text)),
            AstNode::Number(n) => Node::Constant(Value::Number(*n)),
            AstNode::Boolean(b) => Node::Constant(Value::Bool(*b)),
            AstNode::Null => Node::Constant(Value::Null),
            AstNode::Variable(name) => self.variable(name)?,
            AstNode::ParentVariable(name) if name.is_empty() => Node::Whole,
            AstNode::Path { steps } => Node::Path(self.path(steps)?),
            AstNode::Name(_) => Node::Path(Path {
                steps: vec![self.step_of(ast, &[])?],
                keeps_array: false,
            }),
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs)?,
            AstNode::Unary {
                op: UnaryOp::Negate,
                operand,
            } => match self.node(operand)? {
                Node::Constant(Value::Number(n)) => Node::Constant(Value::Number(-n)),
                other => Node::Negate(Box::new(other)),
            },
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => Node::Choose {
                condition: self.boxed(condition)?,
                yes: self.boxed(then_branch)?,
                no: match else_branch {
                    Some(no) => Some(self.boxed(no)?),
                    None => None,
                },
            },
            AstNode::Array(items) => Node::Array(self.all(items)?),
            AstNode::Object(pairs) => self.object(pairs)?,
            AstNode::Block(statements) => self.block(statements)?,
            AstNode::FunctionApplication(inner) => self.node(inner)?,
            AstNode::Function {
                name,
                args,
                is_builtin: true,
            } => self.call(name, args)?,
            _ => return None,
        })
    }

    fn all(&mut self, asts: &[AstNode]) -> Option<Vec<Node>> {
        asts.iter().map(|ast| self.node(ast)).collect()
    }

    fn variable(&mut self, name: &str) -> Option<Node> {
        if name.is_empty() {
            return Some(Node::Here);
        }
        match self.scope.iter().rev().find(|(known, _)| known == name) {
            Some((_, slot)) => Some(Node::Slot(*slot)),
            // (a function by its name)
            None if is_function(name) => None,
            None => Some(Node::Given(name.to_owned())),
        }
    }

    fn bind(&mut self, name: &str) -> usize {
        let slot = self.slots;
        self.slots += 1;
        self.scope.push((name.to_owned(), slot));
        slot
    }

    fn block(&mut self, statements: &[AstNode]) -> Option<Node> {
        let outside = self.scope.len();
        let mut nodes = Vec::with_capacity(statements.len());
        for statement in statements {
            nodes.push(match statement {
                AstNode::Binary {
                    op: BinaryOp::ColonEqual,
                    lhs,
                    rhs,
                } => {
                    let AstNode::Variable(name) = &**lhs else {
                        return None;
                    };
                    if name.is_empty() || is_function(name) {
                        return None;
                    }
                    let value = self.boxed(rhs)?;
                    Node::Bind(self.bind(name), value)
                }
                other => self.node(other)?,
            });
        }
        self.scope.truncate(outside);
        Some(match nodes.len() {
            1 => nodes.remove(0),
            _ => Node::Block(nodes),
        })
    }

    fn binary(&mut self, op: BinaryOp, lhs: &AstNode, rhs: &AstNode) -> Option<Node> {
        let arithmetic = |op| move |sides| Node::Arithmetic(op, sides);
        let compare = |op| move |sides| Node::Compare(op, sides);
        let make: &dyn Fn(Box<[Node; 2]>) -> Node = match op {
            BinaryOp::Add => &arithmetic(Arithmetic::Add),
            BinaryOp::Subtract => &arithmetic(Arithmetic::Subtract),
            BinaryOp::Multiply => &arithmetic(Arithmetic::Multiply),
            BinaryOp::Divide => &arithmetic(Arithmetic::Divide),
            BinaryOp::Modulo => &arithmetic(Arithmetic::Modulo),
            BinaryOp::Equal => &|sides| Node::Equal {
                negated: false,
                sides,
            },
            BinaryOp::NotEqual => &|sides| Node::Equal {
                negated: true,
                sides,
            },
            BinaryOp::LessThan => &compare(Compare::Less),
            BinaryOp::LessThanOrEqual => &compare(Compare::LessOrEqual),
            BinaryOp::GreaterThan => &compare(Compare::Greater),
            BinaryOp::GreaterThanOrEqual => &compare(Compare::GreaterOrEqual),
            BinaryOp::And => &Node::And,
            BinaryOp::Or => &Node::Or,
            BinaryOp::Concatenate => &Node::Concat,
            BinaryOp::In => &Node::In,
            BinaryOp::Range => &Node::Range,
            _ => return None,
        };
        Some(make(Box::new([self.node(lhs)?, self.node(rhs)?])))
    }

    fn object(&mut self, pairs: &[(AstNode, AstNode)]) -> Option<Node> {
        let mut made: Vec<(Name, Node)> = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let name = match name {
                AstNode::String(text) => Name::Constant(Key::from(text)),
                other => Name::Computed(self.node(other)?),
            };
            made.push((name, self.node(value)?));
        }
        // (two values under one name are an error with a text that is made elsewhere)
        let constant = |pair: &(Name, Node)| match &pair.0 {
            Name::Constant(key) => Some(key.clone()),
            Name::Computed(_) => None,
        };
        let mut names: Vec<Key> = made.iter().filter_map(constant).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        (names.len() == count).then_some(Node::Object(made))
    }

    fn path(&mut self, steps: &[PathStep]) -> Option<Path> {
        let mut made = Vec::with_capacity(steps.len());
        let mut keeps_array = false;
        for (number, step) in steps.iter().enumerate() {
            if step.focus.is_some()
                || step.index_var.is_some()
                || step.ancestor_label.is_some()
                || step.is_tuple
                || step.inner_tuple
            {
                return None;
            }
            let keeps = step
                .stages
                .iter()
                .any(|stage| matches!(stage, jsonata_core::ast::Stage::KeepArray));
            if keeps && (number == 0 && !matches!(step.node, AstNode::Name(_))) {
                return None;
            }
            keeps_array |= keeps;
            made.push(self.step_of(&step.node, &step.stages)?);
        }
        Some(Path {
            steps: made,
            keeps_array,
        })
    }

    fn step_of(&mut self, node: &AstNode, stages: &[jsonata_core::ast::Stage]) -> Option<Step> {
        use jsonata_core::ast::Stage as Parsed;
        let what = match node {
            AstNode::Name(name) => What::Name(Key::from(name)),
            // (an array constructor in a path is not flattened as other arrays are)
            AstNode::Array(_) | AstNode::ArrayGroup(_) => return None,
            other => What::Node(self.node(other)?),
        };
        let mut made = Vec::with_capacity(stages.len());
        for stage in stages {
            match stage {
                Parsed::Filter(inner) => made.push(match index(inner) {
                    Some(index) => Stage::Index(index),
                    None => Stage::Filter(self.node(inner)?),
                }),
                Parsed::KeepArray => {}
                Parsed::Index(_) => return None,
            }
        }
        Some(Step { what, stages: made })
    }

    fn call(&mut self, name: &str, args: &[AstNode]) -> Option<Node> {
        if self.scope.iter().any(|(known, _)| known == name) {
            return None;
        }
        let how = match name {
            "map" => Some(Each::Map),
            "filter" => Some(Each::Filter),
            "reduce" => Some(Each::Reduce),
            _ => None,
        };
        if let Some(how) = how {
            return self.each(how, args);
        }
        let function = Function::named(name, args.len())?;
        Some(Node::Call(function, self.all(args)?))
    }

    fn each(&mut self, how: Each, args: &[AstNode]) -> Option<Node> {
        let (list, function, start) = match args {
            [list, function] => (list, function, None),
            [list, function, start] if how == Each::Reduce => (list, function, Some(start)),
            _ => return None,
        };
        let AstNode::Lambda {
            params,
            body,
            signature: None,
            thunk: false,
        } = function
        else {
            return None;
        };
        if params.iter().any(|param| is_function(param))
            || how == Each::Reduce && !(2..=4).contains(&params.len())
        {
            return None;
        }
        let list = self.boxed(list)?;
        let start = match start {
            Some(start) => Some(self.boxed(start)?),
            None => None,
        };
        let outside = self.scope.len();
        let params = params.iter().map(|param| self.bind(param)).collect();
        let body = self.boxed(body);
        self.scope.truncate(outside);
        Some(Node::Each {
            how,
            list,
            start,
            params,
            body: body?,
        })
    }
}

/// The number in `[3]` and `[-1]`.
fn index(ast: &AstNode) -> Option<i64> {
    match ast {
        AstNode::Number(n) if n.abs() < 1e15 => Some(n.floor() as i64),
        AstNode::Unary {
            op: UnaryOp::Negate,
            operand,
        } => match &**operand {
            AstNode::Number(n) if n.abs() < 1e15 => Some((-n).floor() as i64),
            _ => None,
        },
        _ => None,
    }
}

/// The names of JSONata's functions and Node-RED's.
fn is_function(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "sum",
        "count",
        "max",
        "min",
        "average",
        "string",
        "substring",
        "substringBefore",
        "substringAfter",
        "lowercase",
        "uppercase",
        "length",
        "trim",
        "pad",
        "match",
        "contains",
        "replace",
        "split",
        "join",
        "formatNumber",
        "formatBase",
        "formatInteger",
        "parseInteger",
        "number",
        "floor",
        "ceil",
        "round",
        "abs",
        "sqrt",
        "power",
        "random",
        "boolean",
        "not",
        "map",
        "zip",
        "filter",
        "single",
        "reduce",
        "sift",
        "keys",
        "lookup",
        "append",
        "exists",
        "spread",
        "merge",
        "reverse",
        "each",
        "error",
        "assert",
        "type",
        "sort",
        "shuffle",
        "distinct",
        "base64encode",
        "base64decode",
        "encodeUrlComponent",
        "encodeUrl",
        "decodeUrlComponent",
        "decodeUrl",
        "eval",
        "toMillis",
        "fromMillis",
        "clone",
        "now",
        "millis",
        "flowContext",
        "globalContext",
        "env",
        "moment",
    ];
    NAMES.contains(&name)
}
