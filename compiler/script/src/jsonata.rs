//! JSONata expressions, by the parser that the runtime uses.

use std::ops::Range;

use jsonata_core::ast::{AstNode, PathStep, Stage};
use jsonata_core::parser::parse;
use vgdc_syntax::codes;

use crate::ScriptError;
use crate::deep::{Level, with_stack};
use crate::keys::{ContextUses, Keys, flow, global};

/// Parses a JSONata expression.
///
/// # Errors
/// What the parser says, at the first token that does not fit.
pub fn check_jsonata(text: &str) -> Result<(), ScriptError> {
    let error = |message: &str, range| {
        ScriptError::new(
            codes::BAD_JSONATA,
            format!("this is not JSONata: {message}"),
            text,
            range,
        )
    };
    let Some(parsed) = with_stack(text, Level::Code, || parse_text(text)) else {
        return Err(error("it is too long", 0..text.len()));
    };
    match parsed {
        Ok(_) => Ok(()),
        Err(message) => {
            let end = with_stack(text, Level::Code, || failing_prefix(text, &message))
                .unwrap_or(text.len());
            let (readable, range) = placed(&message, text, last_token(&text[..end])..end);
            Err(error(&readable, range))
        }
    }
}

fn parse_text(text: &str) -> Result<AstNode, String> {
    parse(text).map_err(|error| error.to_string())
}

/// What the parser says for a reader, and its place: with the text's own signs where the parser has names for its tokens,
/// without the code before the text. `range`: the last token that it read.
fn placed(message: &str, text: &str, range: Range<usize>) -> (String, Range<usize>) {
    if message.contains("S0201")
        || message.contains("S0211")
        || message.contains("as a unary operator")
    {
        return (format!("unexpected `{}`", &text[range.clone()]), range);
    }
    let end = text.trim_end().len();
    if message.contains("end of expression") {
        return ("it ends too soon".to_owned(), end..end);
    }
    if let Some((expected, _)) = message.split_once(", got ") {
        let expected = expected.rsplit(": ").next().unwrap_or(expected);
        return (
            format!("{}, got `{}`", signs(expected), &text[range.clone()]),
            range,
        );
    }
    let message = match jsonata_core::evaluator::error_code_prefix(message) {
        Some(code) => message[code.len()..].trim_start_matches(':').trim(),
        None => message,
    };
    (signs(message), range)
}

fn signs(message: &str) -> String {
    let message = TOKENS
        .iter()
        .fold(message.to_owned(), |message, (name, sign)| {
            message.replace(name, sign)
        });
    crate::lower_first(&message)
}

/// The parser's names of tokens that its messages use.
const TOKENS: &[(&str, &str)] = &[
    ("RightParen", "`)`"),
    ("LeftParen", "`(`"),
    ("RightBracket", "`]`"),
    ("LeftBracket", "`[`"),
    ("RightBrace", "`}`"),
    ("LeftBrace", "`{`"),
    ("Semicolon", "`;`"),
    ("Colon", "`:`"),
    ("Comma", "`,`"),
    ("Pipe", "`|`"),
];

/// The length of the shortest beginning of a text that fails as the whole does. The parser reads from left to right and tells
/// no position; what follows the token at which it stopped changes nothing, what is shorter ends in another way.
fn failing_prefix(text: &str, message: &str) -> usize {
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .collect();
    let at =
        ends.partition_point(|&end| parse_text(&text[..end]).err().as_deref() != Some(message));
    ends.get(at).copied().unwrap_or(text.len())
}

/// Where the last token of a text begins.
fn last_token(text: &str) -> usize {
    let text = text.trim_end();
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    match text.chars().next_back() {
        Some(c) if word(c) => text.trim_end_matches(word).len(),
        Some(c) => text.len() - c.len_utf8(),
        None => 0,
    }
}

/// The contexts that an expression uses: `$flowContext("key")`, `$globalContext("key", "store")`. One that does not parse is
/// never evaluated, and uses none.
pub(crate) fn context_uses(text: &str) -> ContextUses {
    if !text.contains("Context") && !text.contains("eval") {
        return ContextUses::default();
    }
    let found = with_stack(text, Level::Code, || {
        let mut uses = ContextUses::default();
        if let Ok(tree) = parse_text(text) {
            add(&mut uses, &tree);
        }
        uses
    });
    found.unwrap_or_else(ContextUses::any)
}

fn add(uses: &mut ContextUses, node: &AstNode) {
    match node {
        AstNode::Function { name, args, .. } => {
            call(uses, name, args);
            all(uses, args);
        }
        // The function itself as a value, to be called who knows how.
        AstNode::Variable(name) => by_name(uses, name),
        AstNode::Path { steps } => steps.iter().for_each(|step| add_step(uses, step)),
        AstNode::Binary { lhs, rhs, .. } => {
            add(uses, lhs);
            add(uses, rhs);
        }
        AstNode::Unary { operand, .. } => add(uses, operand),
        AstNode::Call { procedure, args } => {
            add(uses, procedure);
            all(uses, args);
        }
        AstNode::Lambda { body, .. } => add(uses, body),
        AstNode::Array(items) | AstNode::Block(items) | AstNode::ArrayGroup(items) => {
            all(uses, items)
        }
        AstNode::Object(pairs) => pairs_of(uses, pairs),
        AstNode::ObjectTransform { input, pattern } => {
            add(uses, input);
            pairs_of(uses, pattern);
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            add(uses, condition);
            add(uses, then_branch);
            else_branch.iter().for_each(|node| add(uses, node));
        }
        AstNode::FunctionApplication(inner) => add(uses, inner),
        AstNode::Sort { input, terms } => {
            add(uses, input);
            terms.iter().for_each(|(term, _)| add(uses, term));
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            add(uses, location);
            add(uses, update);
            delete.iter().for_each(|node| add(uses, node));
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

fn all(uses: &mut ContextUses, nodes: &[AstNode]) {
    nodes.iter().for_each(|node| add(uses, node));
}

fn pairs_of(uses: &mut ContextUses, pairs: &[(AstNode, AstNode)]) {
    for (key, value) in pairs {
        add(uses, key);
        add(uses, value);
    }
}

fn add_step(uses: &mut ContextUses, step: &PathStep) {
    add(uses, &step.node);
    for stage in &step.stages {
        if let Stage::Filter(filter) = stage {
            add(uses, filter);
        }
    }
}

fn by_name(uses: &mut ContextUses, name: &str) {
    match name {
        "flowContext" => uses.flow = Keys::All,
        "globalContext" => uses.global = Keys::All,
        // An expression that is made at run time.
        "eval" => (uses.flow, uses.global) = (Keys::All, Keys::All),
        _ => {}
    }
}

fn call(uses: &mut ContextUses, name: &str, args: &[AstNode]) {
    let pick = match name {
        "flowContext" => flow,
        "globalContext" => global,
        _ => return by_name(uses, name),
    };
    match args {
        [AstNode::String(key)] => pick(uses).add_path(key),
        [AstNode::String(key), AstNode::String(store)] => {
            pick(uses).add_path(key);
            uses.stores.insert(store.clone());
        }
        _ => *pick(uses) = Keys::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn at(text: &str) -> (String, &str) {
        let error = check_jsonata(text).expect_err(text);
        (error.message, &text[error.range])
    }

    #[test]
    fn the_place_of_an_error_is_found() {
        for text in [
            "",
            "payload.x[0] & 'a'",
            "$sum(a.b[c > 1].d) ~> $string",
            "/* x */ a",
            "$f := function($x) { $x }",
        ] {
            // (the empty expression is none)
            assert_eq!(check_jsonata(text).is_ok(), !text.is_empty(), "{text}");
        }
        insta::assert_debug_snapshot!(
            [
                "a[",
                "a b c",
                "payload + ) + 1",
                "$sum(1, 2",
                "\"abc",
                "{'a': 1,, 'b': 2}",
                "{'a' 1}",
                "$f(1; 2)",
                "a.%%",
                "é + ) 1",
                "1 + `ab",
                "/ab"
            ]
            .map(at)
        );
    }

    #[test]
    fn context_keys_are_found() {
        let uses = context_uses(
            "$flowContext('a.b') + $map(x, function($k) { $globalContext( \"c\", 'file').d[$flowContext(\"e\")] })",
        );
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(uses.flow, Keys::Known(names(&["a", "e"])));
        assert_eq!(uses.global, Keys::Known(names(&["c"])));
        assert_eq!(uses.stores, names(&["file"]));
        assert_eq!(
            context_uses("'$flowContext(x)' & `$globalContext`"),
            ContextUses::default()
        );
        assert_eq!(
            context_uses("/* $flowContext(x) */ payload"),
            ContextUses::default()
        );
        assert_eq!(context_uses("$flowContext(k)").flow, Keys::All);
        assert_eq!(context_uses("$map(keys, $globalContext)").global, Keys::All);
        assert_eq!(context_uses("keys ~> $map($flowContext)").flow, Keys::All);
        assert_eq!(context_uses("$eval(payload)"), ContextUses::any());
        assert_eq!(context_uses("$flowContext("), ContextUses::default());
    }

    #[test]
    fn deep_expressions_end() {
        for text in ["(".repeat(20_000), "-".repeat(20_000), "a[".repeat(20_000)] {
            assert!(check_jsonata(&text).is_err());
        }
    }
}
