//! **scratch** gives what helpers make on the way slots of their own.
//!
//! Before → after: `Clear v4; … GetIndex v1, v4, n0; Clear v4` has `v9` in the place of the scratch slot `v4`, and `v9` is never
//! cleared. Legal: what is made is there until the address that was found is no longer used, and the same slots share the same
//! new one. What is made is nobody else's, so that it may stay there until the function ends. Pays: in loops, where the code
//! asks less often what a slot holds.

use crate::{Arg, Body, Inst, Slot};
use std::collections::HashMap;

pub(super) fn run(body: &mut Body) {
    let mut own: HashMap<Slot, Slot> = HashMap::new();
    let mut slots = body.slots;
    let mut of = |slot: Slot| {
        *own.entry(slot).or_insert_with(|| {
            slots += 1;
            Slot(slots - 1)
        })
    };
    for inst in body.blocks.iter_mut().flat_map(|block| &mut block.insts) {
        match inst {
            Inst::Get { scratch, .. } => *scratch = of(*scratch),
            Inst::Find { helper, args, .. } => {
                let at = helper.scratch();
                if let Some(Arg::Slot(scratch)) = at.and_then(|at| args.get_mut(at)) {
                    *scratch = of(*scratch);
                }
            }
            _ => {}
        }
    }
    body.slots = slots;
}
