//! The bodies of function nodes, parsed by oxc.

use crate::{ContextUses, Keys, ScriptError};
use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Argument, CallExpression, ComputedMemberExpression, Expression, IdentifierReference,
    StaticMemberExpression,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType};

/// Which of a function node's texts it is. All are bodies of an asynchronous function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What runs for each message.
    Body,
    /// What runs at start.
    Setup,
    /// What runs at the end.
    Close,
}

/// How a body could be compiled (architecture, "Function nodes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tier {
    /// Scalars, properties, literals, control flow, simple context and node calls.
    Native,
    /// With helpers of the runtime: closures, arrays, strings, dates, regular expressions, try.
    Helpers,
    /// Only by the engine: the construct that decided, and its line (from 1).
    Engine {
        /// What it is.
        construct: &'static str,
        /// The line in the body.
        line: usize,
    },
}

/// What is known about a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsInfo {
    /// The contexts that it shares with others.
    pub context: ContextUses,
    /// It calls `node.done`: it says itself when it has finished.
    pub calls_done: bool,
    /// It calls `node.send`.
    pub calls_send: bool,
    /// How it could be compiled.
    pub tier: Tier,
}

const HEAD: &str = "(async function(){\n";

/// Parses a body.
///
/// # Errors
/// What is not JavaScript.
pub fn check_javascript(text: &str, _phase: Phase) -> Result<JsInfo, Vec<ScriptError>> {
    let whole = format!("{HEAD}{text}\n}})");
    let allocator = Allocator::default();
    let options = ParseOptions {
        preserve_parens: false,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, &whole, SourceType::script())
        .with_options(options)
        .parse();
    let errors: Vec<ScriptError> = parsed
        .diagnostics
        .iter()
        .map(|error| {
            let label = error.labels.first();
            let start = label
                .map_or(0, |label| label.offset() as usize)
                .saturating_sub(HEAD.len());
            let end = label
                .map_or(0, |label| (label.offset() + label.len()) as usize)
                .saturating_sub(HEAD.len());
            ScriptError::new(
                format!("this is not JavaScript: {}", lower(&error.message)),
                text,
                start..end,
            )
        })
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    // A body that closes the function around it would be parsed as something else.
    if parsed.program.body.len() > 1 {
        return Err(vec![ScriptError::new(
            "this is not JavaScript: there is a closing brace too many",
            text,
            0..text.len(),
        )]);
    }
    let mut facts = Facts {
        text: &whole,
        ..Facts::default()
    };
    facts.visit_program(&parsed.program);
    Ok(facts.info())
}

fn lower(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) if chars.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => message.to_owned(),
    }
}

#[derive(Default)]
struct Facts<'t> {
    text: &'t str,
    context: ContextUses,
    /// Uses of the words `flow`, `global` and `context` that were understood, and all of them.
    understood: usize,
    seen: usize,
    calls_done: bool,
    calls_send: bool,
    helpers: bool,
    engine: Option<(&'static str, u32)>,
}

impl Facts<'_> {
    fn info(self) -> JsInfo {
        let mut context = self.context;
        if self.seen > self.understood {
            // The object itself is handed around: anything may be read from it.
            context = ContextUses {
                flow: Keys::All,
                global: Keys::All,
            };
        }
        let tier = match self.engine {
            Some((construct, at)) => Tier::Engine {
                construct,
                line: self.text[..at as usize].matches('\n').count(),
            },
            None if self.helpers => Tier::Helpers,
            None => Tier::Native,
        };
        JsInfo {
            context,
            calls_done: self.calls_done,
            calls_send: self.calls_send,
            tier,
        }
    }

    fn needs_engine(&mut self, construct: &'static str, at: u32) {
        if self.engine.is_none() {
            self.engine = Some((construct, at));
        }
    }

    /// `flow.get("key")`, `context.global.set(["a","b"], …)`.
    fn context_call(
        &mut self,
        keys: fn(&mut ContextUses) -> &mut Keys,
        method: &str,
        first: Option<&Argument<'_>>,
    ) {
        self.understood += 1;
        let keys = keys(&mut self.context);
        match (method, first) {
            ("get" | "set", Some(Argument::StringLiteral(key))) => keys.add_path(&key.value),
            ("get" | "set", Some(Argument::ArrayExpression(list))) => {
                for element in &list.elements {
                    match element.as_expression() {
                        Some(Expression::StringLiteral(key)) => keys.add_path(&key.value),
                        _ => *keys = Keys::All,
                    }
                }
            }
            _ => *keys = Keys::All,
        }
    }
}

fn flow_keys(uses: &mut ContextUses) -> &mut Keys {
    &mut uses.flow
}

fn global_keys(uses: &mut ContextUses) -> &mut Keys {
    &mut uses.global
}

/// `flow` and `global` as words, or as properties of `context`.
fn context_of(object: &Expression<'_>) -> Option<fn(&mut ContextUses) -> &mut Keys> {
    let name = match object {
        Expression::Identifier(word) => word.name.as_str(),
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(word) if word.name == "context" => member.property.name.as_str(),
            _ => return None,
        },
        _ => return None,
    };
    match name {
        "flow" => Some(flow_keys),
        "global" => Some(global_keys),
        _ => None,
    }
}

impl<'a> Visit<'a> for Facts<'_> {
    fn visit_identifier_reference(&mut self, word: &IdentifierReference<'a>) {
        match word.name.as_str() {
            "flow" | "global" | "context" => self.seen += 1,
            "eval" | "require" | "Proxy" | "Reflect" | "WeakMap" | "WeakSet" | "WeakRef"
            | "Symbol" => {
                self.needs_engine(
                    "a global of JavaScript that only the engine has",
                    word.span.start,
                );
            }
            "setTimeout" | "setInterval" | "setImmediate" | "clearTimeout" | "clearInterval"
            | "Promise" => {
                self.needs_engine("timers and promises", word.span.start);
            }
            _ => {}
        }
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Expression::StaticMemberExpression(member) = &call.callee {
            let method = member.property.name.as_str();
            if let Some(keys) = context_of(&member.object) {
                self.context_call(keys, method, call.arguments.first());
            } else if let Expression::Identifier(word) = &member.object {
                match (word.name.as_str(), method) {
                    ("node", "done") => self.calls_done = true,
                    ("node", "send") => self.calls_send = true,
                    // The node's own context is nobody else's.
                    ("context", "get" | "set" | "keys") => self.understood += 1,
                    _ => {}
                }
            }
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        if matches!(
            &member.object,
            Expression::ArrayExpression(_)
                | Expression::StringLiteral(_)
                | Expression::TemplateLiteral(_)
        ) {
            self.helpers = true;
        }
        walk::walk_static_member_expression(self, member);
    }

    fn visit_computed_member_expression(&mut self, member: &ComputedMemberExpression<'a>) {
        self.helpers = true;
        walk::walk_computed_member_expression(self, member);
    }

    fn visit_arrow_function_expression(
        &mut self,
        function: &oxc_ast::ast::ArrowFunctionExpression<'a>,
    ) {
        self.helpers = true;
        if function.r#async {
            self.needs_engine("an asynchronous function", function.span.start);
        }
        walk::walk_arrow_function_expression(self, function);
    }

    fn visit_function(
        &mut self,
        function: &oxc_ast::ast::Function<'a>,
        flags: oxc_syntax::scope::ScopeFlags,
    ) {
        // (the outermost one is ours)
        if function.span.start as usize > 1 {
            self.helpers = true;
            if function.r#async || function.generator {
                self.needs_engine(
                    "an asynchronous function or a generator",
                    function.span.start,
                );
            }
        }
        walk::walk_function(self, function, flags);
    }

    fn visit_await_expression(&mut self, it: &oxc_ast::ast::AwaitExpression<'a>) {
        self.needs_engine("await", it.span.start);
        walk::walk_await_expression(self, it);
    }

    fn visit_class(&mut self, it: &oxc_ast::ast::Class<'a>) {
        self.needs_engine("a class", it.span.start);
        walk::walk_class(self, it);
    }

    fn visit_import_expression(&mut self, it: &oxc_ast::ast::ImportExpression<'a>) {
        self.needs_engine("import()", it.span.start);
        walk::walk_import_expression(self, it);
    }

    fn visit_with_statement(&mut self, it: &oxc_ast::ast::WithStatement<'a>) {
        self.needs_engine("with", it.span.start);
        walk::walk_with_statement(self, it);
    }

    fn visit_try_statement(&mut self, it: &oxc_ast::ast::TryStatement<'a>) {
        self.helpers = true;
        walk::walk_try_statement(self, it);
    }

    fn visit_reg_exp_literal(&mut self, it: &oxc_ast::ast::RegExpLiteral<'a>) {
        let _ = it.span();
        self.helpers = true;
    }

    fn visit_new_expression(&mut self, it: &oxc_ast::ast::NewExpression<'a>) {
        self.helpers = true;
        walk::walk_new_expression(self, it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> JsInfo {
        check_javascript(text, Phase::Body).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    fn known(names: &[&str]) -> Keys {
        Keys::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn bodies_are_told_from_what_is_none() {
        for text in [
            "",
            "return msg;",
            "return msg // x",
            "await f(); return",
            "var a = 010; with (a) {}",
            "for (x of y) node.send(x)",
            "return {a,...b}",
        ] {
            info(text);
        }
        let wrong =
            check_javascript("var a = 1;\nreturn msg +;", Phase::Body).expect_err("is wrong");
        assert_eq!(wrong[0].range.start, "var a = 1;\nreturn msg +".len());
        for text in [
            "return msg }",
            "if (x) {",
            "}); (function(){",
            "let a; let b b",
        ] {
            assert!(check_javascript(text, Phase::Body).is_err(), "{text}");
        }
    }

    #[test]
    fn context_keys_are_found() {
        let uses = info("flow.set('a.b', global.get(\"c[0]\")); context.get('mine'); context.flow.get(['d','e'])").context;
        assert_eq!(
            uses,
            ContextUses {
                flow: known(&["a", "d", "e"]),
                global: known(&["c"])
            }
        );
        assert_eq!(info("return msg").context, ContextUses::default());
        assert_eq!(info("flow.get(msg.topic)").context.flow, Keys::All);
        assert_eq!(info("const f = flow; f.get('a')").context.global, Keys::All);
        assert_eq!(
            info("flow.keys()").context,
            ContextUses {
                flow: Keys::All,
                global: known(&[])
            }
        );
    }

    #[test]
    fn tiers_say_what_decided() {
        assert_eq!(
            info("msg.payload = msg.payload + 1; return msg").tier,
            Tier::Native
        );
        assert_eq!(
            info("msg.payload = msg.payload.map(x => x + 1); return msg").tier,
            Tier::Helpers
        );
        assert_eq!(
            info("let a = 1;\nawait f(a); return msg").tier,
            Tier::Engine {
                construct: "await",
                line: 2
            }
        );
        assert!(info("node.send(msg); node.done()").calls_done);
    }
}
