//! From a text to its syntax tree, and from the parser's errors to errors about the text.

use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast::ast::{Expression, Program, Statement};
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::{AstNodes, Scoping, SemanticBuilder};
use oxc_span::SourceType;
use vgdc_syntax::codes;

use super::visit;
use super::{JsInfo, Phase};
use crate::ScriptError;
use crate::deep::{Level, with_stack};

/// What stands behind the text.
const TAIL: &str = "\n})";

/// As many errors as are worth reading: the first is the cause.
const MOST_ERRORS: usize = 5;

/// Parses a text and looks at what it does.
pub(super) fn check(text: &str, phase: Phase) -> Result<JsInfo, Vec<ScriptError>> {
    let wrapped = Wrapped::new(text, phase);
    let checked = with_stack(text, Level::Code, || wrapped.check());
    checked.unwrap_or_else(|| {
        Err(vec![
            wrapped.error("it is too long".to_owned(), 0..text.len()),
        ])
    })
}

/// A body that has been parsed.
pub(crate) struct Parsed<'a, 'w> {
    pub(crate) statements: &'w [Statement<'a>],
    pub(crate) scoping: &'w Scoping,
    /// All nodes of the tree.
    pub(crate) nodes: &'w AstNodes<'a>,
    /// The text with the function around it: positions are in this.
    pub(crate) whole: &'w str,
    /// Where the text begins in it.
    pub(crate) head: u32,
}

/// Parses the text that runs for each message; `None` when it is no JavaScript or too deep.
pub(crate) fn with_body<T: Send>(
    text: &str,
    look: impl FnOnce(Parsed<'_, '_>) -> T + Send,
) -> Option<T> {
    let wrapped = Wrapped::new(text, Phase::Body);
    with_stack(text, Level::Code, || wrapped.with_body(look)).flatten()
}

/// A text within the function around it.
struct Wrapped<'t> {
    text: &'t str,
    head: &'static str,
    whole: String,
}

/// An error as oxc has it: its message, and its place in the whole.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) range: Range<usize>,
}

impl<'t> Wrapped<'t> {
    fn new(text: &'t str, phase: Phase) -> Wrapped<'t> {
        let head = phase.head();
        Wrapped {
            text,
            head,
            whole: format!("{head}{text}{TAIL}"),
        }
    }

    fn check(&self) -> Result<JsInfo, Vec<ScriptError>> {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, &self.whole, SourceType::script())
            .with_options(options())
            .parse();
        let faults = faults(parsed.diagnostics.errors());
        if parsed.panicked || !faults.is_empty() {
            return Err(self.errors(faults));
        }
        let end = end_of_function(&parsed.program);
        if parsed.program.body.len() != 1 || end.is_none_or(|end| end + 1 != self.whole.len()) {
            return Err(vec![self.surplus(end.unwrap_or(self.whole.len()))]);
        }
        let checked = SemanticBuilder::new()
            .with_check_syntax_error(true)
            .build(&parsed.program);
        let mut faults = faults_of_meaning(checked.diagnostics.errors());
        faults.extend(visit::not_in_the_language(&parsed.program));
        if !faults.is_empty() {
            return Err(self.errors(faults));
        }
        Ok(visit::look(
            self.text,
            self.head.len(),
            &parsed.program,
            checked.semantic.scoping(),
        ))
    }

    /// Hands the statements of the body on, with what is known of its names.
    fn with_body<T>(&self, look: impl FnOnce(Parsed<'_, '_>) -> T) -> Option<T> {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, &self.whole, SourceType::script())
            .with_options(options())
            .parse();
        if parsed.panicked || parsed.diagnostics.has_errors() {
            return None;
        }
        let checked = SemanticBuilder::new()
            .with_check_syntax_error(true)
            .with_build_nodes(true)
            .build(&parsed.program);
        let Some(Statement::ExpressionStatement(first)) = parsed.program.body.first() else {
            return None;
        };
        let Expression::FunctionExpression(function) = first.expression.without_parentheses()
        else {
            return None;
        };
        let body = function.body.as_ref()?;
        let sound = parsed.program.body.len() == 1 && !checked.diagnostics.has_errors();
        sound.then(|| {
            look(Parsed {
                statements: &body.statements,
                scoping: checked.semantic.scoping(),
                nodes: checked.semantic.nodes(),
                whole: &self.whole,
                head: self.head.len() as u32,
            })
        })
    }

    fn errors(&self, faults: Vec<Fault>) -> Vec<ScriptError> {
        let mut errors: Vec<ScriptError> = faults
            .into_iter()
            .map(|fault| self.translate(fault))
            .collect();
        errors.sort_by_key(|error| error.range.start);
        errors.dedup();
        errors.truncate(MOST_ERRORS);
        if errors.is_empty() {
            errors.push(self.error("it cannot be parsed".to_owned(), 0..self.text.len()));
        }
        errors
    }

    /// What is wrong, in terms of the text: it knows nothing of the function around it.
    fn translate(&self, fault: Fault) -> ScriptError {
        let within = |at: usize| at.saturating_sub(self.head.len()).min(self.text.len());
        let range = within(fault.range.start)..within(fault.range.end);
        if let Some(end) = self.function_until(range.start) {
            return self.surplus(end);
        }
        if fault.range.start >= self.head.len() + self.text.len() {
            let end = self.text.trim_end().len();
            return self.error(
                "it ends too soon: a bracket, a brace or a quote is not closed".to_owned(),
                end..end,
            );
        }
        self.error(crate::lower_first(&fault.message), range)
    }

    /// An error at the brace that ends the function around the text too soon. `end`: the end of that function in the whole.
    fn surplus(&self, end: usize) -> ScriptError {
        let end = end.saturating_sub(self.head.len());
        self.error(
            "there is a closing brace too many".to_owned(),
            end.saturating_sub(1)..end,
        )
    }

    /// The end in the whole of the function around the text, when it ends before a place in the text.
    fn function_until(&self, at: usize) -> Option<usize> {
        let code = format!("{}{}\n)", self.head, self.text.get(..at)?);
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, &code, SourceType::script())
            .with_options(options())
            .parse();
        let whole = !parsed.panicked && !parsed.diagnostics.has_errors();
        whole.then(|| end_of_function(&parsed.program)).flatten()
    }

    fn error(&self, message: String, range: Range<usize>) -> ScriptError {
        ScriptError::new(
            codes::BAD_JAVASCRIPT,
            format!("this is not JavaScript: {message}"),
            self.text,
            range,
        )
    }
}

/// The end of the function that a program begins with, when it is called or followed by something else, too.
fn end_of_function(program: &Program<'_>) -> Option<usize> {
    let Statement::ExpressionStatement(first) = program.body.first()? else {
        return None;
    };
    let mut at = first.expression.without_parentheses();
    loop {
        at = match at {
            Expression::FunctionExpression(function) => return Some(function.span.end as usize),
            Expression::CallExpression(call) => &call.callee,
            Expression::SequenceExpression(list) => list.expressions.first()?,
            Expression::StaticMemberExpression(member) => &member.object,
            _ => return None,
        }
        .without_parentheses();
    }
}

fn options() -> ParseOptions {
    ParseOptions {
        preserve_parens: true,
        parse_regular_expression: true,
        ..ParseOptions::default()
    }
}

fn faults<'d>(diagnostics: impl Iterator<Item = &'d oxc_diagnostics::OxcDiagnostic>) -> Vec<Fault> {
    diagnostics
        .map(|diagnostic| fault(diagnostic, false))
        .collect()
}

/// Of two places that do not go together the later one is wrong.
fn faults_of_meaning<'d>(
    diagnostics: impl Iterator<Item = &'d oxc_diagnostics::OxcDiagnostic>,
) -> Vec<Fault> {
    diagnostics
        .map(|diagnostic| fault(diagnostic, true))
        .collect()
}

fn fault(diagnostic: &oxc_diagnostics::OxcDiagnostic, last: bool) -> Fault {
    let places = diagnostic.labels.iter().map(|label| {
        let start = label.offset() as usize;
        start..start + label.len() as usize
    });
    let place = if last {
        places.max_by_key(|range| range.start)
    } else {
        places.min_by_key(|_| 0)
    };
    Fault {
        message: diagnostic.message.to_string(),
        range: place.unwrap_or(0..0),
    }
}
