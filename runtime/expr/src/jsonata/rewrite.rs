//! What is changed in a parsed expression before it goes the long way, and what can be told from it.
//!
//! `$moment().format('L')` calls a method: in JavaScript, `format` is a property of what `$moment` gave. Here such a step
//! becomes a call of a function of Node-RED's with what it is called on as its first argument. `$now(…)` becomes
//! `$fromMillis($millis(), …)`, so that there is one place that asks the clock.

use super::host::{METHOD, is_method};
use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use std::collections::HashSet;

/// What an expression uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Something that the crate does not have by itself.
    pub(super) host: bool,
    /// Methods that it calls.
    pub(super) methods: Vec<String>,
    /// The names of the functions that it calls.
    pub(super) functions: Vec<String>,
    /// The names of properties that it can reach; `None`: any.
    pub(super) reaches: Option<HashSet<String>>,
}

/// Rewrites an expression.
pub(super) fn rewrite(ast: &mut AstNode) -> Uses {
    let mut uses = Uses {
        reaches: Some(HashSet::new()),
        ..Uses::default()
    };
    walk(ast, true, &mut uses);
    uses.functions.sort();
    uses.functions.dedup();
    uses.methods.sort();
    uses.methods.dedup();
    uses
}

/// `whole`: the node is evaluated on the whole message (or may be).
fn walk(node: &mut AstNode, whole: bool, uses: &mut Uses) {
    match node {
        AstNode::Name(name) => uses.reach(name),
        AstNode::Variable(name) if name.is_empty() => uses.reach_all_if(whole),
        AstNode::ParentVariable(_) | AstNode::Transform { .. } | AstNode::Parent(_) => {
            uses.reaches = None
        }
        AstNode::Binary {
            op: BinaryOp::ChainPipe,
            rhs,
            ..
        } => {
            if let AstNode::Variable(name) = &**rhs {
                uses.functions.push(name.clone());
            }
        }
        // (functions under other names, `($f := $each; $f(…))`: what they are given then is not looked at)
        AstNode::Variable(name) if takes_all(name) => uses.reach_all_if(whole),
        AstNode::Wildcard | AstNode::Descendant => uses.reach_all_if(whole),
        AstNode::Function {
            name,
            args,
            is_builtin,
        } => {
            call(name, args, *is_builtin, whole, uses);
            if *is_builtin && name == "now" {
                let mut args = std::mem::take(args);
                args.insert(
                    0,
                    AstNode::Function {
                        name: "millis".to_owned(),
                        args: Vec::new(),
                        is_builtin: true,
                    },
                );
                uses.host = true;
                *node = AstNode::Function {
                    name: "fromMillis".to_owned(),
                    args,
                    is_builtin: true,
                };
            }
        }
        AstNode::FunctionApplication(inner) => {
            if let AstNode::Function {
                name,
                args,
                is_builtin: is_builtin @ false,
            } = &mut **inner
                && is_method(name)
            {
                uses.host = true;
                uses.methods.push(name.clone());
                *name = format!("{METHOD}{name}");
                args.insert(0, AstNode::Variable(String::new()));
                *is_builtin = true;
            }
        }
        _ => {}
    }
    children(node, whole, uses);
}

fn call(name: &str, args: &[AstNode], is_builtin: bool, whole: bool, uses: &mut Uses) {
    if is_builtin {
        uses.functions.push(name.to_owned());
        uses.host |= matches!(
            name,
            "flowContext" | "globalContext" | "env" | "moment" | "clone" | "millis"
        );
        // Functions that take what they are evaluated on when they are given nothing (or nothing but a function), or find
        // properties by computed names.
        let by_name = matches!(name, "eval" | "lookup");
        let of_context = args.len() < 2 && takes_all(name);
        uses.reach_all_if(
            by_name
                || whole
                    && (of_context
                        || args.is_empty()
                            && !matches!(name, "now" | "millis" | "random" | "moment")),
        );
    } else {
        // (a property that is called: it may be anything)
        uses.reach(name);
    }
}

/// Functions that look at any property of what they are evaluated on, though they are given something.
fn takes_all(name: &str) -> bool {
    matches!(name, "each" | "sift" | "eval" | "lookup")
}

impl Uses {
    fn reach(&mut self, name: &str) {
        if let Some(names) = &mut self.reaches {
            names.insert(name.to_owned());
        }
    }

    fn reach_all_if(&mut self, all: bool) {
        if all {
            self.reaches = None;
        }
    }
}

/// Walks what is in a node. Only the first step of a path is evaluated on what the path is evaluated on.
fn children(node: &mut AstNode, whole: bool, uses: &mut Uses) {
    let all = |nodes: &mut Vec<AstNode>, uses: &mut Uses| {
        nodes.iter_mut().for_each(|node| walk(node, whole, uses))
    };
    match node {
        AstNode::Path { steps } => {
            for (number, step) in steps.iter_mut().enumerate() {
                walk(&mut step.node, whole && number == 0, uses);
                for stage in &mut step.stages {
                    if let Stage::Filter(inner) = stage {
                        walk(inner, false, uses);
                    }
                }
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            walk(lhs, whole, uses);
            walk(rhs, whole, uses);
        }
        AstNode::Unary { operand, .. } => walk(operand, whole, uses),
        AstNode::Function { args, .. } => all(args, uses),
        AstNode::Call { procedure, args } => {
            walk(procedure, whole, uses);
            all(args, uses);
        }
        AstNode::Lambda { body, .. } => walk(body, whole, uses),
        AstNode::Array(items) | AstNode::Block(items) | AstNode::ArrayGroup(items) => {
            all(items, uses)
        }
        AstNode::Object(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            walk(key, whole, uses);
            walk(value, whole, uses);
        }),
        AstNode::ObjectTransform { input, pattern } => {
            walk(input, whole, uses);
            pattern.iter_mut().for_each(|(key, value)| {
                walk(key, false, uses);
                walk(value, false, uses);
            });
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            walk(condition, whole, uses);
            walk(then_branch, whole, uses);
            if let Some(other) = else_branch {
                walk(other, whole, uses);
            }
        }
        AstNode::FunctionApplication(inner) => walk(inner, whole, uses),
        AstNode::Sort { input, terms } => {
            walk(input, whole, uses);
            terms
                .iter_mut()
                .for_each(|(term, _)| walk(term, false, uses));
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            walk(location, whole, uses);
            walk(update, whole, uses);
            if let Some(delete) = delete {
                walk(delete, whole, uses);
            }
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}
