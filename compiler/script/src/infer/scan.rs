//! What is to be known of a body before it is followed: whether it can be followed at all, and what the functions inside it
//! reach. They may run at any time, so a variable that one of them assigns is of any type; and when one of them may change an
//! object, nothing is known of what any of them reaches.

use std::collections::HashSet;

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{ScopeFlags, Scoping, SymbolId};

use super::names::{self, Callee};

/// What a body does that decides how it is followed.
#[derive(Default)]
pub(super) struct Facts {
    /// It has something that is not followed.
    pub(super) beyond: bool,
    /// Some function inside may change objects.
    pub(super) changes: bool,
    /// Variables of which nothing is known: functions inside assign them, or may change what they hold.
    pub(super) reached: HashSet<SymbolId>,
    /// Variables that functions inside reach.
    pub(super) captured: HashSet<SymbolId>,
    /// What functions inside send.
    pub(super) sent_later: Vec<Later>,
}

/// What a function inside sends.
pub(super) enum Later {
    /// Anything.
    Anything,
    /// New objects with these fields, to these outputs.
    Fields(Vec<String>),
}

/// Names with which code looks behind the language: what they do is not followed.
const BEYOND: &[&str] = &[
    "eval",
    "arguments",
    "Function",
    "Proxy",
    "Reflect",
    "defineProperty",
    "defineProperties",
    "setPrototypeOf",
    "create",
    "freeze",
    "seal",
    "preventExtensions",
    "__proto__",
    "prototype",
    "__defineGetter__",
    "__defineSetter__",
    "toString",
    "valueOf",
    "toJSON",
    "inspect",
];

/// Of these, calling a method of the name is harmless.
const HARMLESS_CALLS: &[&str] = &["toString", "valueOf", "inspect"];

/// Looks at a body.
pub(super) fn scan(statements: &[Statement<'_>], scoping: &Scoping, text: &str) -> Facts {
    let mut scan = Scan {
        scoping,
        depth: 0,
        inside_from: u32::MAX,
        referenced: HashSet::new(),
        assigned: HashSet::new(),
        facts: Facts::default(),
    };
    statements
        .iter()
        .for_each(|statement| scan.visit_statement(statement));
    let mut facts = scan.facts;
    // What a function changes after something was waited for comes when the body has been followed to its end.
    let later = ["Promise", ".then", "async", "nextTick", "queueMicrotask"];
    facts.beyond |= facts.changes && later.iter().any(|word| text.contains(word));
    facts.reached = match facts.changes {
        true => scan.referenced.clone(),
        false => scan.assigned,
    };
    facts.captured = scan.referenced;
    facts
}

struct Scan<'s> {
    scoping: &'s Scoping,
    /// How many functions there are around.
    depth: usize,
    /// Where the outermost of them begins.
    inside_from: u32,
    referenced: HashSet<SymbolId>,
    assigned: HashSet<SymbolId>,
    facts: Facts,
}

impl Scan<'_> {
    fn beyond(&mut self) {
        self.facts.beyond = true;
    }

    fn name(&mut self, name: &str) {
        if BEYOND.contains(&name) {
            self.beyond();
        }
    }

    fn inner(&mut self, start: u32, walk: impl FnOnce(&mut Self)) {
        if self.depth == 0 {
            self.inside_from = start;
        }
        self.depth += 1;
        walk(self);
        self.depth -= 1;
    }

    /// A variable of the body around, as seen from a function inside.
    fn outer(&self, name: &IdentifierReference<'_>) -> Option<SymbolId> {
        let symbol = names::symbol(self.scoping, name)?;
        let own = self.scoping.symbol_span(symbol).start >= self.inside_from;
        (self.depth > 0 && !own).then_some(symbol)
    }

    fn assigns(&mut self, target: &SimpleAssignmentTarget<'_>) {
        match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.assigned.extend(self.outer(name));
            }
            _ if self.depth > 0 => self.facts.changes = true,
            _ => {}
        }
    }

    fn later(&mut self, sent: Option<&Argument<'_>>) {
        let Some(sent) = sent else { return };
        let mut todo = vec![sent.as_expression()];
        while let Some(e) = todo.pop() {
            match e {
                Some(Expression::NullLiteral(_)) => {}
                Some(Expression::ArrayExpression(list)) => {
                    todo.extend(list.elements.iter().map(|item| item.as_expression()));
                }
                Some(Expression::ObjectExpression(object)) => {
                    let names = object.properties.iter().map(|property| match property {
                        ObjectPropertyKind::ObjectProperty(property) if !property.computed => {
                            property.key.static_name().map(|name| name.into_owned())
                        }
                        _ => None,
                    });
                    let later = names.collect::<Option<_>>().map(Later::Fields);
                    self.facts.sent_later.push(later.unwrap_or(Later::Anything));
                }
                _ => self.facts.sent_later.push(Later::Anything),
            }
        }
    }
}

impl<'a> Visit<'a> for Scan<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.inner(function.span.start, |scan| {
            walk::walk_function(scan, function, flags);
        });
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        self.inner(arrow.span.start, |scan| {
            walk::walk_arrow_function_expression(scan, arrow);
        });
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        if let Some(symbol) = self.outer(name) {
            self.referenced.insert(symbol);
        }
        match names::symbol(self.scoping, name) {
            // (what `node` can do is known; what others do with it is not)
            Some(_) if names::is_node(self.scoping, name) => self.beyond(),
            Some(_) => {}
            None => self.name(name.name.as_str()),
        }
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        self.name(member.property.name.as_str());
        match &member.object {
            Expression::Identifier(name) if names::is_node(self.scoping, name) => {
                // (a method that is not called at once could be called with anything)
                let fact = ["id", "name", "z", "path", "outputCount"];
                self.facts.beyond |= !fact.contains(&member.property.name.as_str());
            }
            _ => walk::walk_static_member_expression(self, member),
        }
    }

    fn visit_computed_member_expression(&mut self, member: &ComputedMemberExpression<'a>) {
        if let Expression::StringLiteral(name) = &member.expression {
            self.name(name.value.as_str());
        }
        walk::walk_computed_member_expression(self, member);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let callee = names::callee(self.scoping, &call.callee);
        if self.depth > 0 {
            match &callee {
                Callee::Node("send") => self.later(call.arguments.first()),
                Callee::Node(_) => {}
                Callee::World(path) if names::is_harmless(path) => {}
                Callee::Method(_, name) if names::changes_nothing(name) => {}
                _ => self.facts.changes = true,
            }
        }
        match callee {
            Callee::Node(name) if names::NODE.contains(&name) => {}
            Callee::Node(_) => self.beyond(),
            Callee::Method(of, name) if HARMLESS_CALLS.contains(&name) => self.visit_expression(of),
            _ => self.visit_expression(&call.callee),
        }
        call.arguments
            .iter()
            .for_each(|argument| self.visit_argument(argument));
    }

    fn visit_assignment_expression(&mut self, assign: &AssignmentExpression<'a>) {
        match assign.left.as_simple_assignment_target() {
            Some(target) => self.assigns(target),
            None if self.depth > 0 => self.beyond(),
            None => {}
        }
        walk::walk_assignment_expression(self, assign);
    }

    fn visit_update_expression(&mut self, update: &UpdateExpression<'a>) {
        self.assigns(&update.argument);
        walk::walk_update_expression(self, update);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        let deletes = unary.operator == UnaryOperator::Delete;
        self.facts.changes |= deletes && self.depth > 0;
        walk::walk_unary_expression(self, unary);
    }

    fn visit_for_of_statement(&mut self, of: &ForOfStatement<'a>) {
        // (a loop inside a function may assign what is outside)
        let declares = matches!(of.left, ForStatementLeft::VariableDeclaration(_));
        self.facts.beyond |= of.r#await || self.depth > 0 && !declares;
        walk::walk_for_of_statement(self, of);
    }

    fn visit_for_in_statement(&mut self, of: &ForInStatement<'a>) {
        let declares = matches!(of.left, ForStatementLeft::VariableDeclaration(_));
        self.facts.beyond |= self.depth > 0 && !declares;
        walk::walk_for_in_statement(self, of);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        if self.depth > 0 && names::made_by_new(self.scoping, new).is_none() {
            self.facts.changes = true;
        }
        walk::walk_new_expression(self, new);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if property.kind != PropertyKind::Init {
            self.beyond();
        }
        if let Some(name) = property.key.static_name() {
            self.name(&name);
        }
        walk::walk_object_property(self, property);
    }

    fn visit_tagged_template_expression(&mut self, _: &TaggedTemplateExpression<'a>) {
        self.beyond();
    }

    fn visit_class(&mut self, _: &Class<'a>) {
        self.beyond();
    }

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.beyond();
    }

    fn visit_with_statement(&mut self, _: &WithStatement<'a>) {
        self.beyond();
    }

    fn visit_yield_expression(&mut self, _: &YieldExpression<'a>) {
        self.beyond();
    }

    fn visit_await_expression(&mut self, await_: &AwaitExpression<'a>) {
        if self.depth == 0 {
            self.beyond();
        }
        walk::walk_await_expression(self, await_);
    }

    fn visit_import_expression(&mut self, _: &ImportExpression<'a>) {
        self.beyond();
    }
}
