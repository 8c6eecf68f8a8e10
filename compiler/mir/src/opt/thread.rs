//! **thread** leads jumps past blocks that do nothing but ask what is known already.
//!
//! Before → after: `b1: … f = g; if f b2 else b3` with `b3: if f b4 else b5` leads to `b5` at once; `b2: … jump b3` asks itself.
//! Legal: always. Pays: `a && b` in the condition of a loop is made of such blocks.

use crate::{BlockId, Body, Terminator};

/// How far a chain of empty blocks is followed.
const FAR: usize = 8;

pub(super) fn run(body: &mut Body) {
    let ends: Vec<Option<Terminator>> = body
        .blocks
        .iter()
        .map(|block| block.insts.is_empty().then(|| block.end.clone()))
        .collect();
    let empty = |block: BlockId| ends[block.0 as usize].as_ref();
    for block in &mut body.blocks {
        for _ in 0..FAR {
            let next =
                match &block.end {
                    Terminator::Jump(to) => empty(*to).cloned(),
                    Terminator::Branch(flag, yes, no) => {
                        let past =
                            |to: BlockId, holds: bool| match empty(to) {
                                Some(Terminator::Jump(to)) => *to,
                                Some(Terminator::Branch(same, yes, no)) if same == flag => {
                                    if holds { *yes } else { *no }
                                }
                                _ => to,
                            };
                        let led = Terminator::Branch(*flag, past(*yes, true), past(*no, false));
                        (led != block.end).then_some(led)
                    }
                    _ => None,
                };
            match next {
                Some(next) => block.end = next,
                None => break,
            }
        }
    }
}
