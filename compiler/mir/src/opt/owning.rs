//! **owning** finds out which slots may hold a value with memory of its own, and takes out `Clear` of those that do not.
//!
//! Before → after: `v1 = n0; … Clear v1` loses its end. Legal: letting go of a number does nothing. Pays: code asks what a slot
//! holds before it writes there; backends do without where this says so ([`owners_at_entry`]).

use crate::{Arg, Body, Helper, Inst, MSG, Slot};

/// The slots that may hold a value with memory of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners(Vec<u64>);

impl Owners {
    fn none(slots: u32) -> Owners {
        Owners(vec![0; (slots as usize).div_ceil(64)])
    }

    /// Whether this one may.
    pub fn has(&self, slot: Slot) -> bool {
        self.0[slot.0 as usize / 64] >> (slot.0 % 64) & 1 == 1
    }

    fn set(&mut self, slot: Slot, owns: bool) {
        let bit = 1 << (slot.0 % 64);
        match owns {
            true => self.0[slot.0 as usize / 64] |= bit,
            false => self.0[slot.0 as usize / 64] &= !bit,
        }
    }

    /// Adds those of another way; whether there were any new.
    fn join(&mut self, other: &Owners) -> bool {
        let before = self.0.clone();
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
        self.0 != before
    }

    /// What is so after an instruction.
    pub fn apply(&mut self, inst: &Inst) {
        match inst {
            Inst::Box { dst, .. }
            | Inst::BoxFlag { dst, .. }
            | Inst::Undefined { dst }
            | Inst::Null { dst } => self.set(*dst, false),
            Inst::Copy {
                dst,
                src: Arg::Slot(src),
            } => self.set(*dst, self.has(*src)),
            Inst::Copy { dst, .. } => self.set(*dst, true),
            Inst::Get { scratch, .. } => self.set(*scratch, true),
            Inst::Do { helper, args } => match helper {
                Helper::Clear
                | Helper::Move
                | Helper::Set
                | Helper::Push
                | Helper::SetIndex
                | Helper::SetValue => self.moved(*helper, args),
                _ => inst.writes(|slot| self.set(slot, true)),
            },
            Inst::Find { .. } | Inst::Ask { .. } | Inst::Calc { .. } => {
                inst.writes(|slot| self.set(slot, true));
            }
            _ => {}
        }
    }

    fn moved(&mut self, helper: Helper, args: &[Arg]) {
        let slot = |at: usize| match args.get(at) {
            Some(Arg::Slot(slot)) => Some(*slot),
            _ => None,
        };
        let owned = |owners: &Owners, at: usize| slot(at).is_none_or(|slot| owners.has(slot));
        match helper {
            Helper::Clear => {
                if let Some(slot) = slot(0) {
                    self.set(slot, false);
                }
            }
            Helper::Move => {
                let owns = owned(self, 1);
                if let Some(dst) = slot(0) {
                    self.set(dst, owns);
                }
                if let Some(src) = slot(1) {
                    self.set(src, false);
                }
            }
            // (the value goes elsewhere)
            Helper::Set | Helper::Push | Helper::SetIndex => {
                if let Some(value) = slot(1) {
                    self.set(value, false);
                }
            }
            _ => {
                if let Some(value) = slot(2) {
                    self.set(value, false);
                }
            }
        }
    }
}

/// For each block, what is so when it begins.
pub fn owners_at_entry(body: &Body) -> Vec<Owners> {
    let mut at_entry: Vec<Option<Owners>> = vec![None; body.blocks.len()];
    let mut first = Owners::none(body.slots);
    first.set(MSG, true);
    at_entry[0] = Some(first);
    let mut todo = vec![0usize];
    while let Some(at) = todo.pop() {
        let Some(mut owners) = at_entry[at].clone() else {
            continue;
        };
        let block = &body.blocks[at];
        block.insts.iter().for_each(|inst| owners.apply(inst));
        for to in block.end.successors() {
            let known = &mut at_entry[to.0 as usize];
            let more = match known {
                Some(known) => known.join(&owners),
                None => {
                    *known = Some(owners.clone());
                    true
                }
            };
            if more {
                todo.push(to.0 as usize);
            }
        }
    }
    // (what is never reached may be anything)
    let nothing = Owners::none(body.slots);
    at_entry
        .into_iter()
        .map(|owners| owners.unwrap_or_else(|| nothing.clone()))
        .collect()
}

pub(super) fn run(body: &mut Body) {
    let at_entry = owners_at_entry(body);
    for (block, mut owners) in body.blocks.iter_mut().zip(at_entry) {
        block.insts.retain(|inst| {
            let keep = match inst {
                Inst::Do {
                    helper: Helper::Clear,
                    args,
                } => !matches!(args.first(), Some(Arg::Slot(slot)) if !owners.has(*slot)),
                _ => true,
            };
            owners.apply(inst);
            keep
        });
    }
}
