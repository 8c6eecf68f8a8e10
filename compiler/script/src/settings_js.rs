//! A `settings.js` of Node-RED, read and not run: what is plain in it (literals, lists, tables, sums and joined texts of them,
//! constants that hold such, environment variables with what holds without them) as values, and what is not, with the
//! reason.

use crate::ScriptError;
use crate::deep::{Level, with_stack};
use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, BindingPattern, CallExpression, Expression,
    ObjectExpression, ObjectPropertyKind, Program, PropertyKey, PropertyKind, Statement,
};
use oxc_parser::Parser;
use oxc_semantic::{Scoping, SemanticBuilder};
use oxc_span::{GetSpan, SourceType, Span};
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator};
use std::collections::HashMap;
use std::ops::Range;
use vgdc_syntax::codes;

/// A plain value.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// `[…]`
    List(Vec<Plain>),
    /// `{…}`, in the order of the text.
    Table(Vec<Entry>),
    /// `process.env.NAME`, `process.env.NAME || "default"`
    Env {
        /// The variable.
        name: String,
        /// What holds without it.
        default: Option<Box<Plain>>,
    },
    /// `require("fs").readFileSync("name")`
    File(String),
}

/// A property of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Plain,
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
}

/// Something that is not plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPlain {
    /// The way to it, by names: `https.key`. Empty for what is about the file as a whole.
    pub path: String,
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
    /// Why.
    pub why: String,
}

/// What a settings file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The settings, in the order of the text.
    pub entries: Vec<Entry>,
    /// What was left out.
    pub left: Vec<NotPlain>,
}

/// Reads a settings file.
///
/// # Errors
/// It is no JavaScript, or exports no object.
pub fn read_settings(text: &str) -> Result<Settings, Vec<ScriptError>> {
    let error = |message: String, range: Range<usize>| {
        vec![ScriptError::new(
            codes::BAD_JAVASCRIPT,
            message,
            text,
            range,
        )]
    };
    let read = || {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::script()).parse();
        if let Some(fault) = parsed.diagnostics.errors().next() {
            let range = fault.labels.first().map_or(0..0, |label| {
                let start = label.offset() as usize;
                start..start + label.len() as usize
            });
            return Err(error(
                format!("this is not JavaScript: {}", fault.message),
                range,
            ));
        }
        let checked = SemanticBuilder::new().build(&parsed.program);
        Reader::new(text, checked.semantic.scoping(), &parsed.program)
            .read(&parsed.program)
            .ok_or_else(|| {
                error(
                    "the file assigns no object to `module.exports`, as a settings file does"
                        .to_owned(),
                    0..0,
                )
            })
    };
    with_stack(text, Level::Settings, read)
        .unwrap_or_else(|| Err(error("the file is nested too deep".to_owned(), 0..0)))
}

/// How deep values may be nested, constants that refer to each other included: deeper than any settings are.
const DEPTH: usize = 64;

struct Reader<'p, 'a> {
    text: &'p str,
    scoping: &'p Scoping,
    /// What top-level names are declared as.
    names: HashMap<&'p str, &'p Expression<'a>>,
    left: Vec<NotPlain>,
    depth: usize,
}

/// Why an expression is not plain, and where.
struct Odd(Range<usize>, String);

type Value = Result<Plain, Odd>;

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

impl<'p, 'a> Reader<'p, 'a> {
    fn new(text: &'p str, scoping: &'p Scoping, program: &'p Program<'a>) -> Self {
        let mut names = HashMap::new();
        for statement in &program.body {
            let Statement::VariableDeclaration(declaration) = statement else {
                continue;
            };
            for declarator in &declaration.declarations {
                if let (BindingPattern::BindingIdentifier(name), Some(value)) =
                    (&declarator.id, &declarator.init)
                {
                    names.insert(name.name.as_str(), value);
                }
            }
        }
        Reader {
            text,
            scoping,
            names,
            left: Vec::new(),
            depth: 0,
        }
    }

    fn read(mut self, program: &'p Program<'a>) -> Option<Settings> {
        let mut entries: Option<Vec<Entry>> = None;
        // (the name that the object has, where it has one: what is assigned to its properties counts, too)
        let mut own_name = None;
        for statement in &program.body {
            let Statement::ExpressionStatement(statement) = statement else {
                continue;
            };
            let Expression::AssignmentExpression(assignment) =
                statement.expression.without_parentheses()
            else {
                continue;
            };
            if !is_exports(&assignment.left) {
                continue;
            }
            let mut value = assignment.right.without_parentheses();
            // `module.exports = exports = …`
            while let Expression::AssignmentExpression(inner) = value {
                value = inner.right.without_parentheses();
            }
            if let Expression::Identifier(name) = value {
                own_name = Some(name.name.as_str());
                value = self.names.get(name.name.as_str())?.without_parentheses();
            }
            let Expression::ObjectExpression(object) = value else {
                return None;
            };
            entries = Some(self.table(object, ""));
        }
        for statement in &program.body {
            self.statement(statement, own_name, &mut entries);
        }
        Some(Settings {
            entries: entries?,
            left: self.left,
        })
    }

    /// What a statement adds to the settings; what it might do besides is said.
    fn statement(
        &mut self,
        statement: &'p Statement<'a>,
        own_name: Option<&str>,
        entries: &mut Option<Vec<Entry>>,
    ) {
        let at = range(statement.span());
        let expression = match statement {
            Statement::VariableDeclaration(_)
            | Statement::FunctionDeclaration(_)
            | Statement::ClassDeclaration(_)
            | Statement::EmptyStatement(_) => return,
            Statement::ExpressionStatement(statement) => statement.expression.without_parentheses(),
            _ => return self.skip("", at, "this statement was not run"),
        };
        match expression {
            Expression::StringLiteral(_) => {}
            // (what a package does when it is loaded, `require("dotenv").config()`, concerns the environment at most)
            Expression::CallExpression(_) => {
                self.skip("", at, "this call was not made");
            }
            Expression::AssignmentExpression(assignment) if is_exports(&assignment.left) => {}
            Expression::AssignmentExpression(assignment) => match target(assignment, own_name) {
                Some(path) if assignment.operator == AssignmentOperator::Assign => {
                    let name = path.join(".");
                    match self.value(&assignment.right, &name) {
                        Ok(value) => put(entries.get_or_insert_default(), &path, value, at),
                        Err(Odd(at, why)) => self.skip(&name, at, &why),
                    }
                }
                _ => self.skip("", at, "this statement was not run"),
            },
            _ => self.skip("", at, "this statement was not run"),
        }
    }

    fn skip(&mut self, path: &str, range: Range<usize>, why: &str) {
        self.left.push(NotPlain {
            path: path.to_owned(),
            range,
            why: why.to_owned(),
        });
    }

    /// The plain properties of an object; the others are left out, and said.
    fn table(&mut self, object: &'p ObjectExpression<'a>, path: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        let inner = |key: &str| match path {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        for property in &object.properties {
            let property = match property {
                ObjectPropertyKind::ObjectProperty(property) => property,
                ObjectPropertyKind::SpreadProperty(spread) => {
                    match self.value(&spread.argument, path) {
                        Ok(Plain::Table(more)) => {
                            more.into_iter()
                                .for_each(|entry| insert(&mut entries, entry));
                        }
                        Ok(_) => {}
                        Err(Odd(at, why)) => {
                            self.skip(path, at, &format!("of what is spread here: {why}"))
                        }
                    }
                    continue;
                }
            };
            let at = range(property.span);
            let Some(key) = key_of(&property.key, property.computed) else {
                self.skip(path, at, "the name of this property is worked out");
                continue;
            };
            if property.method || property.kind != PropertyKind::Init {
                self.skip(&inner(&key), at, "a function");
                continue;
            }
            match self.value(&property.value, &inner(&key)) {
                Ok(value) => insert(
                    &mut entries,
                    Entry {
                        key,
                        value,
                        range: at,
                    },
                ),
                Err(Odd(at, why)) => {
                    entries.retain(|entry| entry.key != key);
                    self.skip(&inner(&key), at, &why);
                }
            }
        }
        entries
    }

    fn value(&mut self, expression: &'p Expression<'a>, path: &str) -> Value {
        if self.depth >= DEPTH {
            let why = "nested too deep, or leading in a circle";
            return Err(Odd(range(expression.span()), why.to_owned()));
        }
        self.depth += 1;
        let value = self.value_of(expression, path);
        self.depth -= 1;
        value
    }

    fn value_of(&mut self, expression: &'p Expression<'a>, path: &str) -> Value {
        let expression = expression.without_parentheses();
        let at = range(expression.span());
        let odd = |why: &str| Err(Odd(at.clone(), why.to_owned()));
        match expression {
            Expression::NullLiteral(_) => Ok(Plain::Null),
            Expression::BooleanLiteral(literal) => Ok(Plain::Bool(literal.value)),
            Expression::NumericLiteral(literal) => Ok(Plain::Number(literal.value)),
            Expression::StringLiteral(literal) => Ok(Plain::Text(literal.value.to_string())),
            Expression::TemplateLiteral(template) => {
                let mut text = String::new();
                for (number, part) in template.quasis.iter().enumerate() {
                    text += part.value.cooked.as_deref().unwrap_or_default();
                    if let Some(inner) = template.expressions.get(number) {
                        match self.value(inner, path)? {
                            value @ (Plain::Text(_) | Plain::Number(_)) => text += &joined(&value),
                            _ => return odd("a text with something in it that is worked out"),
                        }
                    }
                }
                Ok(Plain::Text(text))
            }
            Expression::ArrayExpression(list) => {
                let mut items = Vec::new();
                for (number, element) in list.elements.iter().enumerate() {
                    let Some(element) = element.as_expression() else {
                        return odd("a list with holes, or with another list in it by `...`");
                    };
                    items.push(self.value(element, &format!("{path}[{number}]"))?);
                }
                Ok(Plain::List(items))
            }
            Expression::ObjectExpression(object) => Ok(Plain::Table(self.table(object, path))),
            Expression::Identifier(name) => {
                let name = name.name.as_str();
                if name == "undefined" {
                    return Ok(Plain::Undefined);
                }
                self.constant(name, path, at)
            }
            Expression::UnaryExpression(unary) => {
                let value = self.value(&unary.argument, path)?;
                match (unary.operator, value) {
                    (UnaryOperator::Void, _) => Ok(Plain::Undefined),
                    (UnaryOperator::UnaryNegation, Plain::Number(n)) => Ok(Plain::Number(-n)),
                    (UnaryOperator::UnaryPlus, value @ (Plain::Number(_) | Plain::Env { .. })) => {
                        Ok(value)
                    }
                    (UnaryOperator::LogicalNot, Plain::Bool(truth)) => Ok(Plain::Bool(!truth)),
                    (UnaryOperator::LogicalNot, Plain::Number(n)) => Ok(Plain::Bool(n == 0.0)),
                    _ => odd("it is worked out"),
                }
            }
            Expression::BinaryExpression(binary) => {
                let left = self.value(&binary.left, path)?;
                let right = self.value(&binary.right, path)?;
                calculated(binary.operator, &left, &right)
                    .map_or_else(|| odd("it is worked out"), Ok)
            }
            Expression::LogicalExpression(logical) => {
                let left = self.value(&logical.left, path)?;
                match (logical.operator, left) {
                    (
                        LogicalOperator::Or | LogicalOperator::Coalesce,
                        Plain::Env {
                            name,
                            default: None,
                        },
                    ) => {
                        let default = self.value(&logical.right, path)?;
                        Ok(Plain::Env {
                            name,
                            default: Some(Box::new(default)),
                        })
                    }
                    _ => odd("it is worked out"),
                }
            }
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => {
                odd("a function")
            }
            Expression::CallExpression(call) => self.call(call, path),
            Expression::NewExpression(_) => odd("an object that is made by `new`"),
            Expression::RegExpLiteral(_) => odd("a regular expression"),
            Expression::ConditionalExpression(_) => odd("it depends on a condition"),
            expression => match variable(expression) {
                Some(name) => Ok(Plain::Env {
                    name,
                    default: None,
                }),
                None => odd("it is worked out"),
            },
        }
    }

    /// A name that is declared at the top and never assigned to again.
    fn constant(&mut self, name: &str, path: &str, at: Range<usize>) -> Value {
        let odd = |why: String| Err(Odd(at, why));
        let Some(value) = self.names.get(name).copied() else {
            return odd(format!("`{name}` is not declared as something plain"));
        };
        let changes = self
            .scoping
            .get_root_binding(name.into())
            .is_none_or(|symbol| {
                self.scoping
                    .get_resolved_references(symbol)
                    .any(|reference| reference.is_write())
            });
        if changes {
            return odd(format!("`{name}` is assigned to more than once"));
        }
        self.value(value, path)
            .map_err(|Odd(at_value, why)| match why.strip_prefix("it ") {
                _ if why.starts_with('`') => Odd(at_value, why),
                Some(rest) => Odd(at_value, format!("`{name}` {rest}")),
                None => Odd(at_value, format!("`{name}` is {why}")),
            })
    }

    fn call(&mut self, call: &'p CallExpression<'a>, path: &str) -> Value {
        let at = range(call.span);
        let odd = |why: String| Err(Odd(at.clone(), why));
        let first = call.arguments.first().and_then(Argument::as_expression);
        match call.callee.without_parentheses() {
            Expression::Identifier(name) => match (name.name.as_str(), first) {
                ("require", Some(Expression::StringLiteral(module))) => odd(format!(
                    "the module {:?}, which is JavaScript",
                    module.value.as_str()
                )),
                ("parseInt" | "parseFloat" | "Number" | "String" | "Boolean", Some(argument)) => {
                    match self.value(argument, path)? {
                        value @ Plain::Env { .. } => Ok(value),
                        _ => odd("it is worked out".to_owned()),
                    }
                }
                _ => odd("it is worked out".to_owned()),
            },
            Expression::StaticMemberExpression(member) => {
                if member.property.name == "readFileSync" {
                    return match first {
                        Some(Expression::StringLiteral(file)) => {
                            Ok(Plain::File(file.value.to_string()))
                        }
                        _ => odd("a file whose name is worked out".to_owned()),
                    };
                }
                let shown = self.text.get(at.clone()).unwrap_or_default();
                match shown.contains("require") {
                    true => odd("what a module of JavaScript gives".to_owned()),
                    false => odd("it is worked out".to_owned()),
                }
            }
            _ => odd("it is worked out".to_owned()),
        }
    }
}

/// `module.exports`, `exports`
fn is_exports(target: &AssignmentTarget<'_>) -> bool {
    match target {
        AssignmentTarget::StaticMemberExpression(member) => {
            member.property.name == "exports" && is_name(&member.object, "module")
        }
        AssignmentTarget::AssignmentTargetIdentifier(name) => name.name == "exports",
        _ => false,
    }
}

fn is_name(expression: &Expression<'_>, name: &str) -> bool {
    matches!(expression.without_parentheses(), Expression::Identifier(found) if found.name == name)
}

/// The way to what is assigned to, where it is within the settings: `module.exports.a.b`, `exports.a`, `settings.a`.
fn target<'e>(
    assignment: &'e AssignmentExpression<'_>,
    own_name: Option<&str>,
) -> Option<Vec<&'e str>> {
    let AssignmentTarget::StaticMemberExpression(member) = &assignment.left else {
        return None;
    };
    let mut path = vec![member.property.name.as_str()];
    let mut at = member.object.without_parentheses();
    loop {
        match at {
            Expression::StaticMemberExpression(member) => {
                if member.property.name == "exports" && is_name(&member.object, "module") {
                    break;
                }
                path.push(member.property.name.as_str());
                at = member.object.without_parentheses();
            }
            Expression::Identifier(name)
                if name.name == "exports" || Some(name.name.as_str()) == own_name =>
            {
                break;
            }
            _ => return None,
        }
    }
    path.reverse();
    Some(path)
}

/// The variable that `process.env.NAME` names.
fn variable(expression: &Expression<'_>) -> Option<String> {
    let (object, name) = match expression {
        Expression::StaticMemberExpression(member) => {
            (&member.object, member.property.name.to_string())
        }
        Expression::ComputedMemberExpression(member) => match &member.expression {
            Expression::StringLiteral(name) => (&member.object, name.value.to_string()),
            _ => return None,
        },
        _ => return None,
    };
    let Expression::StaticMemberExpression(env) = object.without_parentheses() else {
        return None;
    };
    (env.property.name == "env" && is_name(&env.object, "process")).then_some(name)
}

fn key_of(key: &PropertyKey<'_>, computed: bool) -> Option<String> {
    match key {
        PropertyKey::StaticIdentifier(name) if !computed => Some(name.name.to_string()),
        PropertyKey::StringLiteral(name) => Some(name.value.to_string()),
        PropertyKey::NumericLiteral(number) => Some(vgdc_value::number::to_js_string(number.value)),
        _ => None,
    }
}

/// A later property of the same name is the one that counts.
fn insert(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|known| known.key == entry.key) {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

/// Assigns to a property of a property.
fn put(entries: &mut Vec<Entry>, path: &[&str], value: Plain, range: Range<usize>) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let whole = match rest.is_empty() {
        true => value,
        false => {
            let known = entries.iter().find(|entry| entry.key == *first);
            let mut inner = match known.map(|entry| entry.value.clone()) {
                Some(Plain::Table(inner)) => inner,
                _ => Vec::new(),
            };
            put(&mut inner, rest, value, range.clone());
            Plain::Table(inner)
        }
    };
    insert(
        entries,
        Entry {
            key: (*first).to_owned(),
            value: whole,
            range,
        },
    );
}

fn joined(value: &Plain) -> String {
    match value {
        Plain::Text(text) => text.clone(),
        Plain::Number(n) => vgdc_value::number::to_js_string(*n),
        _ => String::new(),
    }
}

fn calculated(operator: BinaryOperator, left: &Plain, right: &Plain) -> Option<Plain> {
    Some(match (operator, left, right) {
        (BinaryOperator::Addition, Plain::Text(_), Plain::Text(_) | Plain::Number(_))
        | (BinaryOperator::Addition, Plain::Number(_), Plain::Text(_)) => {
            Plain::Text(joined(left) + &joined(right))
        }
        (operator, Plain::Number(a), Plain::Number(b)) => Plain::Number(match operator {
            BinaryOperator::Addition => a + b,
            BinaryOperator::Subtraction => a - b,
            BinaryOperator::Multiplication => a * b,
            BinaryOperator::Division => a / b,
            BinaryOperator::Exponential => a.powf(*b),
            _ => return None,
        }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Plain) -> String {
        match value {
            Plain::Undefined => "undefined".to_owned(),
            Plain::Null => "null".to_owned(),
            Plain::Bool(truth) => truth.to_string(),
            Plain::Number(n) => vgdc_value::number::to_js_string(*n),
            Plain::Text(text) => format!("{text:?}"),
            Plain::List(items) => {
                let items: Vec<_> = items.iter().map(shown).collect();
                format!("[{}]", items.join(","))
            }
            Plain::Table(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| format!("{}:{}", entry.key, shown(&entry.value)))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
            Plain::Env { name, default } => match default {
                Some(default) => format!("env({name},{})", shown(default)),
                None => format!("env({name})"),
            },
            Plain::File(name) => format!("file({name})"),
        }
    }

    /// The settings, and what is left out, in short.
    fn read(text: &str) -> String {
        match read_settings(text) {
            Ok(settings) => {
                let left: Vec<_> = settings
                    .left
                    .iter()
                    .map(|left| format!(" {}@{}: {}", left.path, left.range.start, left.why))
                    .collect();
                shown(&Plain::Table(settings.entries)) + &left.join(";")
            }
            Err(errors) => format!("error: {}", errors[0].message),
        }
    }

    #[test]
    fn values_that_are_plain() {
        for (value, expected) in [
            ("1e3*60", "60000"),
            ("-0.5", "-0.5"),
            ("'a' + \"b\" + 1", "\"ab1\""),
            ("`t\\n${2}`", "\"t\\n2\""),
            ("[1,'x',[null],{}]", "[1,\"x\",[null],{}]"),
            ("{a:1,'b-c':2,[\"d\"]:3,4:4,a:5}", "{a:5,b-c:2,d:3,4:4}"),
            ("undefined", "undefined"),
            ("void 0", "undefined"),
            ("!0", "true"),
            ("(((true)))", "true"),
            ("process.env.X", "env(X)"),
            ("process.env['X'] ?? 5", "env(X,5)"),
            ("process.env.X || 'a'", "env(X,\"a\")"),
            ("parseInt(process.env.PORT || 1880, 10)", "env(PORT,1880)"),
            ("+process.env.PORT || 1880", "env(PORT,1880)"),
            ("require('fs').readFileSync('k.pem')", "file(k.pem)"),
            ("C", "7"),
            ("{...T, z: 1}", "{u:7,z:1}"),
        ] {
            let text = format!("const C = 7, T = {{u: C}};\nmodule.exports = {{x: {value}}};");
            assert_eq!(read(&text), format!("{{x:{expected}}}"), "{value}");
        }
    }

    #[test]
    fn values_that_are_not() {
        for (value, why) in [
            ("function() {}", "a function"),
            ("(a) => a", "a function"),
            ("require('os')", "the module \"os\", which is JavaScript"),
            (
                "require('path').join(__dirname, 'x')",
                "what a module of JavaScript gives",
            ),
            (
                "__dirname + '/x'",
                "`__dirname` is not declared as something plain",
            ),
            ("process.env.X === 'true'", "it is worked out"),
            ("process.env.X ? 1 : 2", "it depends on a condition"),
            ("new Date()", "an object that is made by `new`"),
            ("/x/", "a regular expression"),
            ("L", "`L` is assigned to more than once"),
            ("F", "`F` is a function"),
            ("O", "`O` is the module \"os\", which is JavaScript"),
            ("R", "is nested too deep, or leading in a circle"),
            ("1n", "it is worked out"),
            (
                "`${process.env.X}`",
                "a text with something in it that is worked out",
            ),
        ] {
            let text = format!(
                "const F = () => 1, O = require('os'); let L = 1; function f() {{ L = 2; }} var R = R2, R2 = R;\nmodule.exports = {{x: {value}, y: 1}};"
            );
            let got = read(&text);
            assert!(
                got.starts_with("{y:1} x@") && got.contains(why),
                "{value}: {got}"
            );
        }
        assert_eq!(
            read("module.exports = {a: {b: 1, c() {}, get d() { return 1 }, [e]: 1}}"),
            "{a:{b:1}} a.c@28: a function; a.d@36: a function; a@58: the name of this property is worked out"
        );
    }

    #[test]
    fn ways_to_export() {
        for (text, expected) in [
            ("module.exports = exports = {a: 1}", "{a:1}"),
            (
                "const s = {a: 1, b: {c: 1}};\ns.b.d = 2;\ns.a = 3;\nmodule.exports = s;",
                "{a:3,b:{c:1,d:2}}",
            ),
            (
                "module.exports = {};\nmodule.exports.a = 1;\nexports.b = f();",
                "{a:1} b@55: it is worked out",
            ),
            (
                "'use strict';\nmodule.exports = {a: 1};\nif (x) { y() }",
                "{a:1} @39: this statement was not run",
            ),
            (
                "require('dotenv').config();\nmodule.exports = {}",
                "{} @0: this call was not made",
            ),
            ("#!/usr/bin/env node\nmodule.exports = {a: 1,};", "{a:1}"),
            (
                "module.exports = function() {}",
                "error: the file assigns no object to `module.exports`, as a settings file does",
            ),
            (
                "",
                "error: the file assigns no object to `module.exports`, as a settings file does",
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert!(read("module.exports = {").starts_with("error: this is not JavaScript: "));
        for (depth, expected) in [(50, "{a:[[["), (5000, "{} a@")] {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            let got = read(&format!("module.exports = {{a: {open}1{close}}}"));
            assert!(got.starts_with(expected), "{got}");
        }
    }
}
