//! Stack for parsers that recurse as deep as a text is nested.
//!
//! A text of n tokens nests at most n deep, so a stack for that many levels is set aside before it is parsed: the stack of a
//! thread, of which only the part that is used is ever touched. Nothing that a user writes can overflow it.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// What a parser takes of the stack for one level of nesting, in bytes. Measured with unoptimised builds of this crate, the
/// parsers at `opt-level = 1` as the workspace has it; four times and twice that is set aside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// JavaScript, with the analysis and the walk over the tree (measured: 1 KB), and JSONata (less).
    Code = 4 * 1024,
    /// Regular expressions (measured: 4 KB).
    Regex = 8 * 1024,
    /// The values of a settings file (measured: 10 KB, down to the depth that is read).
    Settings = 16 * 1024,
}

/// Stack for a text that is not nested, in bytes.
const BASE: usize = 256 * 1024;

/// The most that is set aside, in bytes.
const MOST: usize = 4 << 30;

/// A text that needs no more than this, in bytes, is parsed on the stack that is there.
const SMALL: usize = 64 * 1024;

/// Runs a parser with a stack that suffices for the text. `None`: the text may be nested too deep for any stack that can be
/// had.
pub(crate) fn with_stack<T: Send>(
    text: &str,
    level: Level,
    parse: impl FnOnce() -> T + Send,
) -> Option<T> {
    let size = nesting(text).checked_mul(level as usize)?;
    if size <= SMALL {
        return Some(parse());
    }
    if size > MOST {
        return None;
    }
    scope(|threads| {
        let thread = Builder::new()
            .stack_size(BASE + size)
            .spawn_scoped(threads, parse)
            .ok()?;
        Some(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// The deepest that a text may be nested: all tokens of it that can hold others, by characters.
fn nesting(text: &str) -> usize {
    let mut count = 0;
    let mut in_word = false;
    for byte in text.bytes() {
        let word = byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'$');
        let starts_word = word && !in_word;
        in_word = word;
        if starts_word || (!word && !byte.is_ascii_whitespace()) {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_never_more_than_the_tokens() {
        assert_eq!(nesting(""), 0);
        assert_eq!(nesting("((a))"), 5);
        assert_eq!(nesting("typeof  typeof x"), 3);
    }

    #[test]
    fn a_text_beyond_any_stack_is_refused() {
        assert_eq!(with_stack("a", Level::Code, || 1), Some(1));
        assert_eq!(with_stack(&"(".repeat(1000), Level::Regex, || 1), Some(1));
        assert_eq!(with_stack(&"(".repeat(3_000_000), Level::Code, || 1), None);
    }
}
