//! Which variables hold nothing but numbers, or nothing but truth values: they are kept unboxed.
//!
//! A variable is assumed to be of its best type, and loses it when something else is assigned to it, until nothing changes.
//! One that can be read before it has a value is of any type, since `undefined` is in it then.

use std::collections::{HashMap, HashSet};

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, UnaryOperator};
use vgdc_mir::{Builtin, Math, Method};

use super::callback::{Functions, loop_of};
use super::calls::dotted;
use super::handed::Handed;
use super::language::handed_over;
use super::{Name, Res, name_of, refuse};
use crate::javascript::parse::Parsed;

/// What an expression can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ty {
    Num,
    Flag,
    /// A primitive of any type, which nobody can change.
    Prim,
    Any,
}

impl Ty {
    /// What is this or that.
    fn or(self, other: Ty) -> Ty {
        match (self, other) {
            (one, other) if one == other => one,
            (Ty::Any, _) | (_, Ty::Any) => Ty::Any,
            _ => Ty::Prim,
        }
    }
}

/// The types of the variables of a text.
#[derive(Clone)]
pub(crate) struct Types {
    of: HashMap<SymbolId, Ty>,
    /// All variables, each once.
    pub(crate) declared: Vec<SymbolId>,
    /// Variables that may be read before they have a value.
    pub(crate) unset: HashSet<SymbolId>,
}

impl Types {
    /// The type of a variable.
    pub(crate) fn of(&self, symbol: SymbolId) -> Ty {
        self.of.get(&symbol).copied().unwrap_or(Ty::Any)
    }

    /// What an expression gives.
    pub(crate) fn expr(&self, scoping: &Scoping, head: u32, e: &Expression<'_>) -> Ty {
        let ty = |e: &Expression<'_>| self.expr(scoping, head, e);
        match e {
            Expression::NumericLiteral(_) | Expression::UpdateExpression(_) => Ty::Num,
            Expression::BooleanLiteral(_) => Ty::Flag,
            Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::NullLiteral(_) => Ty::Prim,
            Expression::ParenthesizedExpression(inner) => ty(&inner.expression),
            Expression::Identifier(name) => match name_of(scoping, head, name) {
                Name::Local(symbol) => self.of(symbol),
                Name::World("NaN" | "Infinity") => Ty::Num,
                Name::World("undefined") => Ty::Prim,
                _ => Ty::Any,
            },
            Expression::UnaryExpression(unary) => match unary.operator {
                UnaryOperator::UnaryPlus
                | UnaryOperator::UnaryNegation
                | UnaryOperator::BitwiseNot => Ty::Num,
                UnaryOperator::LogicalNot | UnaryOperator::Delete => Ty::Flag,
                UnaryOperator::Typeof | UnaryOperator::Void => Ty::Prim,
            },
            Expression::BinaryExpression(binary) => match binary.operator {
                BinaryOperator::Addition => match (ty(&binary.left), ty(&binary.right)) {
                    (Ty::Num | Ty::Flag, Ty::Num | Ty::Flag) => Ty::Num,
                    _ => Ty::Prim,
                },
                operator if is_comparison(operator) => Ty::Flag,
                _ => Ty::Num,
            },
            Expression::LogicalExpression(logical) => ty(&logical.left).or(ty(&logical.right)),
            Expression::ConditionalExpression(conditional) => {
                ty(&conditional.consequent).or(ty(&conditional.alternate))
            }
            Expression::SequenceExpression(list) => list.expressions.last().map_or(Ty::Any, ty),
            Expression::AssignmentExpression(assign) => match assign.operator {
                AssignmentOperator::Assign => ty(&assign.right),
                AssignmentOperator::Addition => match &assign.left {
                    AssignmentTarget::AssignmentTargetIdentifier(name) => {
                        let left = match name_of(scoping, head, name) {
                            Name::Local(symbol) => self.of(symbol),
                            _ => Ty::Any,
                        };
                        match (left, ty(&assign.right)) {
                            (Ty::Num, Ty::Num | Ty::Flag) => Ty::Num,
                            _ => Ty::Prim,
                        }
                    }
                    _ => Ty::Prim,
                },
                operator if operator.is_logical() => Ty::Any,
                _ => Ty::Num,
            },
            Expression::CallExpression(call) => match dotted(scoping, head, &call.callee) {
                Some(name) if Math::named(&name).is_some() => Ty::Num,
                Some(name) => match Builtin::named(&name) {
                    Some(builtin) => result_of(builtin),
                    None => Ty::Any,
                },
                None => match &call.callee {
                    Expression::StaticMemberExpression(member) => {
                        method_gives(member.property.name.as_str())
                    }
                    _ => Ty::Any,
                },
            },
            _ => Ty::Any,
        }
    }
}

/// What a method gives, whatever its receiver: one that has no such method bails out.
fn method_gives(name: &str) -> Ty {
    match Method::named(name) {
        None
        | Some(
            Method::Slice
            | Method::Concat
            | Method::Split
            | Method::Match
            | Method::Exec
            | Method::At
            | Method::Flat,
        ) => Ty::Any,
        Some(_) => Ty::Prim,
    }
}

/// What a function of the language gives.
pub(crate) fn result_of(builtin: Builtin) -> Ty {
    match builtin {
        Builtin::Number
        | Builtin::ParseInt
        | Builtin::ParseFloat
        | Builtin::NumberParseFloat
        | Builtin::NumberParseInt
        | Builtin::DateNow
        | Builtin::DateParse
        | Builtin::DateUtc
        | Builtin::BufferByteLength
        | Builtin::Random => Ty::Num,
        Builtin::Boolean
        | Builtin::IsNaN
        | Builtin::IsFinite
        | Builtin::NumberIsNaN
        | Builtin::NumberIsFinite
        | Builtin::NumberIsInteger
        | Builtin::IsSafeInteger
        | Builtin::IsArray
        | Builtin::IsBuffer => Ty::Flag,
        Builtin::String
        | Builtin::JsonStringify
        | Builtin::FromCharCode
        | Builtin::DateText
        | Builtin::EncodeUriComponent
        | Builtin::DecodeUriComponent
        | Builtin::EncodeUri
        | Builtin::DecodeUri
        | Builtin::ConsoleText => Ty::Prim,
        _ => Ty::Any,
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    operator.is_equality()
        || operator.is_compare()
        || matches!(operator, BinaryOperator::In | BinaryOperator::Instanceof)
}

/// Infers the types of all variables of a text.
pub(crate) fn infer(
    parsed: &Parsed<'_, '_>,
    functions: &Functions<'_, '_>,
    handed: &Handed,
) -> Res<Types> {
    let mut find = Find {
        scoping: parsed.scoping,
        head: parsed.head,
        declarations: Vec::new(),
        sets: Vec::new(),
        uses: Vec::new(),
        put_in: functions
            .values()
            .map(|inner| inner.span)
            .chain(handed.spans.iter().copied())
            .collect(),
        dead: functions
            .values()
            .filter(|inner| inner.dead)
            .map(|inner| inner.span)
            .collect(),
        blocks: vec![Span::new(0, u32::MAX)],
        of_loop: false,
        refused: None,
    };
    for statement in parsed.statements {
        find.visit_statement(statement);
    }
    if let Some((what, at)) = find.refused {
        return refuse(what, at);
    }
    let mut types = Types {
        of: HashMap::new(),
        declared: Vec::new(),
        unset: HashSet::new(),
    };
    for declaration in &find.declarations {
        let symbol = declaration.symbol;
        if types.declared.contains(&symbol) {
            continue;
        }
        types.declared.push(symbol);
        let mut uses = find.uses.iter().filter(|(used, _)| *used == symbol);
        let has_value = |at: u32| {
            let mut all = find.declarations.iter().chain(&find.sets);
            all.any(|d| {
                let first = first_reached(&find, functions, at, d.at);
                let after = |at: u32| d.at <= at && d.block.start <= at && at < d.block.end;
                d.symbol == symbol && d.is_set && first.is_none_or(after)
            })
        };
        let too_soon = |at: u32| {
            first_reached(&find, functions, at, declaration.at)
                .is_some_and(|first| first < declaration.at)
                || (declaration.init.start..declaration.init.end).contains(&at)
        };
        if declaration.lexical
            && let Some((_, at)) = uses.clone().find(|(_, at)| too_soon(*at))
        {
            return refuse("a variable before its declaration", *at);
        }
        if !uses.all(|(_, at)| has_value(*at)) {
            types.of.insert(symbol, Ty::Prim);
            types.unset.insert(symbol);
        }
    }
    let mut assigned = Assigned {
        scoping: parsed.scoping,
        head: parsed.head,
        types,
        changed: true,
    };
    while assigned.changed {
        assigned.changed = false;
        for statement in parsed.statements {
            assigned.visit_statement(statement);
        }
    }
    Ok(assigned.types)
}

/// Where the text is, outside of functions that are put in, when it comes to a place for the first time; as seen from another
/// place, which may be inside the same functions. `None`: it never comes there.
fn first_reached(
    find: &Find<'_>,
    functions: &Functions<'_, '_>,
    at: u32,
    seen_from: u32,
) -> Option<u32> {
    let mut at = at;
    let within = |span: Span, at: u32| span.start <= at && at < span.end;
    for _ in 0..=functions.len() {
        let around = functions
            .iter()
            .filter(|(_, inner)| within(inner.span, at) && !within(inner.span, seen_from));
        let Some((symbol, inner)) = around.min_by_key(|(_, inner)| inner.span.size()) else {
            break;
        };
        let uses = find.uses.iter().filter(|(used, _)| used == symbol);
        at = uses
            .map(|(_, at)| *at)
            .filter(|at| !within(inner.span, *at))
            .min()?;
    }
    Some(at)
}

/// What gives a variable a value, or declares that it is there.
struct Declaration {
    symbol: SymbolId,
    /// It is given a value where it is declared.
    is_set: bool,
    /// `let` and `const`.
    lexical: bool,
    /// The block in which the declaration stands.
    block: Span,
    at: u32,
    /// What makes its value: until that is done, `let` and `const` have none. (A function looks only when it is called.)
    init: Span,
}

/// Finds the variables and where they are used.
struct Find<'s> {
    scoping: &'s Scoping,
    head: u32,
    declarations: Vec<Declaration>,
    /// Assignments that are statements of their own.
    sets: Vec<Declaration>,
    uses: Vec<(SymbolId, u32)>,
    /// Functions that are put in where they are called.
    put_in: Vec<Span>,
    /// Functions that nobody calls.
    dead: Vec<Span>,
    blocks: Vec<Span>,
    /// What is declared now gets its value from the loop.
    of_loop: bool,
    refused: Option<(String, u32)>,
}

impl Find<'_> {
    fn refuse(&mut self, what: &str, span: Span) {
        self.refused.get_or_insert((what.to_owned(), span.start));
    }

    /// What is assigned to by a statement has a value afterwards.
    fn sets(&mut self, e: &Expression<'_>) {
        match e {
            Expression::ParenthesizedExpression(inner) => self.sets(&inner.expression),
            Expression::SequenceExpression(list) => {
                list.expressions.iter().for_each(|e| self.sets(e))
            }
            Expression::AssignmentExpression(assign)
                if assign.operator == AssignmentOperator::Assign =>
            {
                self.sets(&assign.right);
                if let AssignmentTarget::AssignmentTargetIdentifier(name) = &assign.left
                    && let Name::Local(symbol) = name_of(self.scoping, self.head, name)
                {
                    self.sets.push(Declaration {
                        symbol,
                        is_set: true,
                        lexical: false,
                        block: self.blocks.last().copied().unwrap_or_default(),
                        at: assign.span.end,
                        init: Span::default(),
                    });
                }
            }
            _ => {}
        }
    }

    fn within(&mut self, span: Span, walk: impl FnOnce(&mut Self)) {
        self.blocks.push(span);
        walk(self);
        self.blocks.pop();
    }
}

impl<'a> Visit<'a> for Find<'_> {
    fn visit_variable_declaration(&mut self, declaration: &VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            let Some(names) = names_of(&declarator.id) else {
                self.refuse("destructuring of a rare kind", declarator.span);
                continue;
            };
            for symbol in names {
                // (`var msg` is the message)
                if self.scoping.symbol_span(symbol).start >= self.head {
                    self.declarations.push(Declaration {
                        symbol,
                        is_set: declarator.init.is_some() || self.of_loop,
                        lexical: declaration.kind != VariableDeclarationKind::Var,
                        block: self.blocks.last().copied().unwrap_or_default(),
                        at: declarator.span.start,
                        init: match &declarator.init {
                            None
                            | Some(
                                Expression::ArrowFunctionExpression(_)
                                | Expression::FunctionExpression(_),
                            ) => Span::default(),
                            Some(init) => init.span(),
                        },
                    });
                }
            }
        }
        walk::walk_variable_declaration(self, declaration);
    }

    fn visit_expression_statement(&mut self, statement: &ExpressionStatement<'a>) {
        walk::walk_expression_statement(self, statement);
        self.sets(&statement.expression);
    }

    fn visit_while_statement(&mut self, of: &WhileStatement<'a>) {
        self.within(of.span, |find| walk::walk_while_statement(find, of));
    }

    fn visit_do_while_statement(&mut self, of: &DoWhileStatement<'a>) {
        self.within(of.span, |find| walk::walk_do_while_statement(find, of));
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        if let Name::Local(symbol) = name_of(self.scoping, self.head, name)
            && reads(self.scoping, name)
        {
            self.uses.push((symbol, name.span.start));
        }
    }

    fn visit_for_statement_left(&mut self, left: &ForStatementLeft<'a>) {
        self.of_loop = true;
        walk::walk_for_statement_left(self, left);
        self.of_loop = false;
    }

    fn visit_for_of_statement(&mut self, of: &ForOfStatement<'a>) {
        self.within(of.span, |find| walk::walk_for_of_statement(find, of));
    }

    fn visit_for_in_statement(&mut self, of: &ForInStatement<'a>) {
        self.within(of.span, |find| walk::walk_for_in_statement(find, of));
    }

    fn visit_for_statement(&mut self, of: &ForStatement<'a>) {
        if let Some(init) = of.init.as_ref().and_then(|init| init.as_expression()) {
            self.sets(init);
        }
        self.within(of.span, |find| walk::walk_for_statement(find, of));
    }

    fn visit_block_statement(&mut self, block: &BlockStatement<'a>) {
        self.within(block.span, |find| walk::walk_block_statement(find, block));
    }

    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        // (`if (x) var y = 1;` has no block of its own)
        self.visit_expression(&statement.test);
        for branch in [Some(&statement.consequent), statement.alternate.as_ref()]
            .into_iter()
            .flatten()
        {
            self.within(branch.span(), |find| find.visit_statement(branch));
        }
    }

    fn visit_switch_case(&mut self, case: &SwitchCase<'a>) {
        self.within(case.span, |find| walk::walk_switch_case(find, case));
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: oxc_syntax::scope::ScopeFlags) {
        if self.dead.contains(&function.span) {
            return;
        }
        if self.put_in.contains(&function.span) {
            self.within(function.span, |find| {
                walk::walk_function(find, function, flags)
            });
        }
        // (one that is a value is refused where it is one)
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        if self.dead.contains(&function.span) {
            return;
        }
        if self.put_in.contains(&function.span) {
            self.within(function.span, |find| {
                walk::walk_arrow_function_expression(find, function)
            });
        }
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let inner = loop_of(call).map(|(.., inner)| inner);
        if let Some(inner) = inner.or_else(|| handed_over(self.scoping, self.head, call)) {
            self.put_in.push(inner.span);
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_formal_parameter(&mut self, param: &FormalParameter<'a>) {
        for symbol in names_of(&param.pattern).unwrap_or_default() {
            self.declarations.push(Declaration {
                symbol,
                is_set: true,
                lexical: false,
                block: self.blocks.last().copied().unwrap_or_default(),
                at: param.span.start,
                init: Span::default(),
            });
        }
        walk::walk_formal_parameter(self, param);
    }

    fn visit_class(&mut self, _: &Class<'a>) {}
}

/// Whether a name is read where it stands, or written in a way that reads it.
fn reads(scoping: &Scoping, name: &IdentifierReference<'_>) -> bool {
    name.reference_id
        .get()
        .is_none_or(|id| scoping.get_reference(id).is_read())
}

/// The variables of a pattern; `None` for one of a rare kind.
pub(crate) fn names_of(pattern: &BindingPattern<'_>) -> Option<Vec<SymbolId>> {
    fn add(pattern: &BindingPattern<'_>, found: &mut Vec<SymbolId>) -> Option<()> {
        match pattern {
            BindingPattern::BindingIdentifier(name) => found.push(name.symbol_id.get()?),
            BindingPattern::AssignmentPattern(with) => add(&with.left, found)?,
            BindingPattern::ObjectPattern(object) => {
                let plain = object.rest.is_none();
                for property in &object.properties {
                    let named = plain && !property.computed;
                    named.then(|| add(&property.value, found))??;
                }
                plain.then_some(())?;
            }
            BindingPattern::ArrayPattern(array) => {
                for element in array.elements.iter().flatten() {
                    add(element, found)?;
                }
                if let Some(rest) = &array.rest {
                    add(&rest.argument, found)?;
                }
            }
        }
        Some(())
    }
    let mut found = Vec::new();
    add(pattern, &mut found)?;
    Some(found)
}

/// Looks at what is assigned to variables.
struct Assigned<'s> {
    scoping: &'s Scoping,
    head: u32,
    types: Types,
    changed: bool,
}

impl Assigned<'_> {
    fn assigned(&mut self, symbol: SymbolId, ty: Ty) {
        let known = self.types.of.get(&symbol).copied();
        let now = match known {
            None => ty,
            Some(known) => known.or(ty),
        };
        if known != Some(now) {
            self.types.of.insert(symbol, now);
            self.changed = true;
        }
    }

    fn expr(&self, e: &Expression<'_>) -> Ty {
        self.types.expr(self.scoping, self.head, e)
    }
}

impl<'a> Visit<'a> for Assigned<'_> {
    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        walk::walk_variable_declarator(self, declarator);
        if let (BindingPattern::BindingIdentifier(name), Some(init)) =
            (&declarator.id, &declarator.init)
            && let Some(symbol) = name.symbol_id.get()
        {
            let ty = self.expr(init);
            self.assigned(symbol, ty);
        } else if !matches!(declarator.id, BindingPattern::BindingIdentifier(_)) {
            for symbol in names_of(&declarator.id).unwrap_or_default() {
                self.assigned(symbol, Ty::Any);
            }
        }
    }

    fn visit_assignment_expression(&mut self, assign: &AssignmentExpression<'a>) {
        walk::walk_assignment_expression(self, assign);
        if let AssignmentTarget::AssignmentTargetIdentifier(name) = &assign.left
            && let Name::Local(symbol) = name_of(self.scoping, self.head, name)
        {
            let ty = match assign.operator {
                AssignmentOperator::Assign => self.expr(&assign.right),
                AssignmentOperator::Addition => {
                    match (self.types.of(symbol), self.expr(&assign.right)) {
                        (Ty::Num, Ty::Num | Ty::Flag) => Ty::Num,
                        _ => Ty::Prim,
                    }
                }
                operator if operator.is_logical() => Ty::Any,
                _ => Ty::Num,
            };
            self.assigned(symbol, ty);
        }
    }

    fn visit_update_expression(&mut self, update: &UpdateExpression<'a>) {
        if let SimpleAssignmentTarget::AssignmentTargetIdentifier(name) = &update.argument
            && let Name::Local(symbol) = name_of(self.scoping, self.head, name)
        {
            self.assigned(symbol, Ty::Num);
        }
    }

    fn visit_formal_parameter(&mut self, param: &FormalParameter<'a>) {
        for symbol in names_of(&param.pattern).unwrap_or_default() {
            self.assigned(symbol, Ty::Any);
        }
        walk::walk_formal_parameter(self, param);
    }

    fn visit_for_statement_left(&mut self, left: &ForStatementLeft<'a>) {
        if let ForStatementLeft::VariableDeclaration(declaration) = left {
            for declarator in &declaration.declarations {
                for symbol in names_of(&declarator.id).unwrap_or_default() {
                    self.assigned(symbol, Ty::Any);
                }
            }
        }
    }
}
