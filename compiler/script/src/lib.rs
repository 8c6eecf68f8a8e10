//! What the compiler knows about the texts inside nodes: whether they are well-formed, which context keys they use, and how
//! a function body could be compiled.
//!
//! Invariants of this crate:
//! * It never rejects a text that the runtime accepts.
//! * It never names fewer context keys than a text can use.
//! * Positions are bytes of the text as the user wrote it.
//! * No text makes it panic, overflow the stack, or take more than a time in proportion to its length.
//! * It knows no node: it is told the language. (Settings are the one file that it reads as such: `settings_js`.)

mod deep;
mod error;
mod field;
mod infer;
mod javascript;
mod jsonata;
mod keys;
mod lower;
mod mustache;
pub mod settings_js;
mod simple;

pub use error::{ScriptError, to_diagnostic};
pub use field::{TextKind, check_text, context_uses};
pub use infer::{Inferred, infer};
pub use javascript::{JsInfo, Phase, check_javascript};
pub use jsonata::check_jsonata;
pub use keys::{ContextUses, Keys};
pub use lower::{Refusal, lower, lower_for};
pub use mustache::check_mustache;
pub use simple::{check_json, check_path, check_regex};

/// The contexts that a JSONata expression uses.
pub fn jsonata_context_uses(text: &str) -> ContextUses {
    context_uses(TextKind::Jsonata, text)
}

/// The contexts that a mustache template uses.
pub fn mustache_context_uses(text: &str) -> ContextUses {
    context_uses(TextKind::Mustache, text)
}

/// A message of a parser as the second half of a sentence.
fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first)
            if chars
                .clone()
                .next()
                .is_some_and(|c| c.is_lowercase() || c == ' ') =>
        {
            first.to_lowercase().chain(chars).collect()
        }
        _ => message.to_owned(),
    }
}
