//! **probe** lets a call leave a mark at each block that a branch led it to, for a profile.
//!
//! Before → after: `b2: …` with `b1: if f b2 else b3` becomes `b2: v9 = null; …`, with a slot of its own (`v9`) that is
//! undefined when a call begins.
//! Legal: nobody else reads the slot, and null owns no memory. Last of all passes: one that saw the marks might take them for
//! something. Pays: never; it costs a store a block.

use crate::{Body, Inst, Slot, Terminator};
use std::collections::BTreeSet;
use vgdc_plan::native::Probe;

/// Puts probes into a function.
pub fn probe(body: &mut Body) {
    let branches = body.blocks.iter().filter_map(|block| match block.end {
        Terminator::Branch(_, yes, no) => Some([yes.0, no.0]),
        _ => None,
    });
    let led_to: BTreeSet<u32> = branches.flatten().collect();
    for block in led_to {
        let slot = body.slots;
        body.slots += 1;
        let mark = Inst::Null { dst: Slot(slot) };
        body.blocks[block as usize].insts.insert(0, mark);
        body.probes.push(Probe {
            slot,
            stage: 0,
            block,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, MSG, Stage, fuse};

    fn body() -> Body {
        let mut b = Builder::new();
        let [one, other] = std::array::from_fn(|_| b.block());
        let (flag, slot) = (b.flag(), b.slot());
        b.branch(flag, one, other);
        b.switch_to(one);
        b.end(Terminator::Return(MSG));
        b.switch_to(other);
        b.end(Terminator::Return(slot));
        b.finish()
    }

    #[test]
    fn each_side_of_a_branch_has_its_mark() {
        let mut body = body();
        probe(&mut body);
        let slots: Vec<(u32, u32)> = body.probes.iter().map(|p| (p.block, p.slot)).collect();
        assert_eq!(slots, [(1, 2), (2, 3)]);
        assert_eq!(body.slots, 4);
        assert_eq!(body.blocks[2].insts, [Inst::Null { dst: Slot(3) }]);
        assert!(body.blocks[0].insts.is_empty());
    }

    #[test]
    fn a_region_knows_whose_marks_are_whose() {
        let mut part = body();
        probe(&mut part);
        let stages = [None, Some((0, 0))].map(|from| Stage { body: &part, from });
        let fused = fuse(&stages);
        let stages: Vec<(u32, u32)> = (fused.body.probes.iter())
            .map(|probe| (probe.stage, probe.block))
            .collect();
        assert_eq!(stages, [(0, 1), (0, 2), (1, 1), (1, 2)]);
        for probe in &fused.body.probes {
            let mark = Inst::Null {
                dst: Slot(probe.slot),
            };
            let marked = fused
                .body
                .blocks
                .iter()
                .filter(|block| block.insts.first() == Some(&mark));
            assert_eq!(marked.count(), 1, "{probe:?}");
        }
    }
}
