//! **views** looks before a loop where the elements of arrays are that the loop reads and does not change.
//!
//! Before → after: `b1: … GetIndex v2, v5, n0 …; jump b1` has `view v2` before the loop, before the outermost one that leaves the
//! slot as it is. Legal: looking changes nothing, and an array in a slot that is not written stays where it is: whoever else
//! has it must copy it to change it. Pays: each access compares its index and no more; the kind of the value, and where its
//! elements are, is asked once.

use super::loops::{self, Loop};
use crate::{Arg, Body, Helper, Inst, Slot};
use std::collections::BTreeSet;

pub(super) fn run(body: &mut Body) {
    if body.shared {
        return;
    }
    let mut loops = loops::loops(body);
    loops.reverse();
    let mut done: Vec<(Loop, BTreeSet<Slot>)> = Vec::new();
    for found in loops {
        let mut slots = read_only(body, &found);
        for (outer, seen) in &done {
            if outer.blocks.contains(&found.head) {
                slots.retain(|slot| !seen.contains(slot));
            }
        }
        done.push((found, slots));
    }
    for (found, slots) in done {
        if !slots.is_empty() {
            let count = slots.len();
            body.did.push(format!(
                "views: before a loop, where the elements of arrays are that it reads: {count}"
            ));
            let insts = slots.into_iter().map(|slot| Inst::View { slot }).collect();
            loops::before(body, &found, insts);
        }
    }
}

/// The slots whose elements a loop reads and which it does not change.
fn read_only(body: &Body, found: &Loop) -> BTreeSet<Slot> {
    let mut slots: BTreeSet<Slot> = found
        .insts(body)
        .filter_map(Inst::reads_element_of)
        .collect();
    for inst in found.insts(body) {
        inst.writes(|slot| {
            slots.remove(&slot);
        });
    }
    slots
}

impl Inst {
    /// The slot whose element this reads.
    pub fn reads_element_of(&self) -> Option<Slot> {
        match self {
            Inst::Find {
                helper: Helper::GetIndex,
                args,
                ..
            } => match args.first() {
                Some(Arg::Slot(slot)) => Some(*slot),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The slots that have been looked at ([`Inst::View`]) on every way and not been changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewed(BTreeSet<Slot>);

impl Viewed {
    /// Whether this one has.
    pub fn has(&self, slot: Slot) -> bool {
        self.0.contains(&slot)
    }

    /// What is so after an instruction.
    pub fn apply(&mut self, inst: &Inst) {
        if let Inst::View { slot } = inst {
            self.0.insert(*slot);
        } else if !self.0.is_empty() {
            inst.writes(|slot| {
                self.0.remove(&slot);
            });
        }
    }
}

/// For each block, what is so when it begins.
pub fn viewed_at_entry(body: &Body) -> Vec<Viewed> {
    let mut at_entry: Vec<Option<Viewed>> = vec![None; body.blocks.len()];
    at_entry[0] = Some(Viewed::default());
    let mut todo = vec![0usize];
    while let Some(at) = todo.pop() {
        let Some(mut viewed) = at_entry[at].clone() else {
            continue;
        };
        let block = &body.blocks[at];
        block.insts.iter().for_each(|inst| viewed.apply(inst));
        for to in block.end.successors() {
            let known = &mut at_entry[to.0 as usize];
            let before = known.clone();
            match known {
                Some(known) => known.0.retain(|slot| viewed.has(*slot)),
                None => *known = Some(viewed.clone()),
            }
            if *known != before {
                todo.push(to.0 as usize);
            }
        }
    }
    // (of what is never reached nothing is said)
    at_entry
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockId, Builder, Compare, MSG, Terminator};

    /// `do { do { list[n] } while (…) ; other } while (…)`, where `changes` says what the outer loop does to the list.
    fn nested(changes: bool) -> Body {
        let mut b = Builder::new();
        let (list, scratch, number, flag) = (b.slot(), b.temp(), b.num(), b.flag());
        b.push(Inst::Copy {
            dst: list,
            src: MSG.into(),
        });
        b.push(Inst::Num {
            dst: number,
            value: 1.0,
        });
        let (outer, inner, between, end) = (b.block(), b.block(), b.block(), b.block());
        b.end(Terminator::Jump(outer));
        b.switch_to(outer);
        if changes {
            b.push(Inst::Copy {
                dst: list,
                src: MSG.into(),
            });
        }
        b.end(Terminator::Jump(inner));
        b.switch_to(inner);
        let found = b.addr();
        b.push(Inst::Find {
            helper: Helper::GetIndex,
            dst: found,
            args: vec![list.into(), scratch.into(), number.into()],
        });
        b.push(Inst::Compare {
            op: Compare::Lt,
            dst: flag,
            a: number,
            b: number,
        });
        b.end(Terminator::Branch(flag, inner, between));
        b.switch_to(between);
        b.end(Terminator::Branch(flag, outer, end));
        b.switch_to(end);
        b.end(Terminator::Return(MSG));
        let mut body = b.finish();
        run(&mut body);
        body
    }

    fn views(body: &Body) -> Vec<(usize, BlockId)> {
        let mut found = Vec::new();
        for (at, block) in body.blocks.iter().enumerate() {
            if let ([Inst::View { .. }], Terminator::Jump(to)) =
                (block.insts.as_slice(), &block.end)
            {
                found.push((at, *to));
            }
        }
        found
    }

    #[test]
    fn a_list_is_looked_at_before_the_outermost_loop_that_leaves_it_as_it_is() {
        let body = nested(false);
        let [(_, before)] = views(&body)[..] else {
            panic!("{body}")
        };
        assert_eq!(before, BlockId(1), "{body}");
        let body = nested(true);
        let [(_, before)] = views(&body)[..] else {
            panic!("{body}")
        };
        assert_eq!(before, BlockId(2), "{body}");
    }

    #[test]
    fn what_was_looked_at_is_known_until_it_is_written() {
        for changes in [false, true] {
            let body = nested(changes);
            let viewed = viewed_at_entry(&body);
            assert!(viewed[2].has(Slot(1)), "{body}");
            assert_eq!(viewed[1].has(Slot(1)), !changes, "{body}");
            assert!(!viewed[0].has(Slot(1)), "{body}");
        }
    }
}
