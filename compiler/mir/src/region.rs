//! Several operators in one function: where the first sends a message on, the code of the next goes on with it.
//!
//! Each operator is a *stage*. The message is in slot 0 in all of them. A stage that may have changed the message when it
//! bails out keeps a copy of it as it came; the stages before it have done what they do, and nobody does that again.

use crate::build::number;
use crate::{Arg, Block, BlockId, Body, Flag, Helper, Host, Inst, MSG, Operand, Slot, Terminator};
use vgdc_plan::native::Probe;

/// An operator of a region.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'b> {
    /// Its code.
    pub body: &'b Body,
    /// The stage before, and the output by which the message leaves that one; nothing for the first.
    pub from: Option<(u32, u32)>,
}

/// A region's function.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The code.
    pub body: Body,
    /// For each stage the slot in which the message is as it came, when the stage bails out.
    pub kept: Vec<Slot>,
}

/// Makes one function of operators. The first is the first in the list, and each stands after the one that it follows.
pub fn fuse(stages: &[Stage<'_>]) -> Region {
    // (the blocks of a stage stand together, after one of its own in which it begins)
    let mut entries = Vec::with_capacity(stages.len());
    let mut next = 0;
    for stage in stages {
        entries.push(BlockId(next));
        next += stage.body.blocks.len() as u32 + 1;
    }
    let mut fused = Fused {
        stages,
        entries,
        body: Body {
            slots: 1,
            ..Body::default()
        },
        more: Vec::new(),
        first_of_more: next,
    };
    let kept = (0..stages.len()).map(|at| fused.stage(at)).collect();
    fused.body.blocks.append(&mut fused.more);
    Region {
        body: fused.body,
        kept,
    }
}

struct Fused<'s> {
    stages: &'s [Stage<'s>],
    /// Where each stage begins.
    entries: Vec<BlockId>,
    body: Body,
    /// Blocks that belong between stages; they come after those of all stages.
    more: Vec<Block>,
    first_of_more: u32,
}

impl Fused<'_> {
    /// Adds a stage; gives the slot in which its message is kept.
    fn stage(&mut self, at: usize) -> Slot {
        let stage = self.stages[at].body;
        let body = &mut self.body;
        let shift = Shift {
            slots: body.slots - 1,
            nums: body.nums,
            flags: body.flags,
            addrs: body.addrs,
            caches: body.caches,
            blocks: self.entries[at].0 + 1,
            keys: numbers(&mut body.keys, &stage.keys),
            texts: numbers(&mut body.texts, &stage.texts),
            values: numbers(&mut body.values, &stage.values),
        };
        body.slots += stage.slots - 1;
        body.nums += stage.nums;
        body.flags += stage.flags;
        body.addrs += stage.addrs;
        body.caches += stage.caches;
        body.probes.extend(stage.probes.iter().map(|probe| Probe {
            slot: shift.slot(Slot(probe.slot)).0,
            stage: at as u32,
            block: probe.block,
        }));
        let mut entry = Block {
            insts: vec![Inst::Stage { number: at as u32 }],
            end: Terminator::Jump(BlockId(shift.blocks)),
        };
        let mut held: Vec<Slot> = owners(stage).iter().map(|slot| shift.slot(*slot)).collect();
        let kept = if stage.is_pristine() {
            MSG
        } else {
            let kept = Slot(body.slots);
            body.slots += 1;
            held.push(kept);
            entry.insts.push(Inst::Copy {
                dst: kept,
                src: MSG.into(),
            });
            kept
        };
        body.blocks.push(entry);
        for block in &stage.blocks {
            let mut made = Block {
                insts: block.insts.iter().map(|inst| shift.inst(inst)).collect(),
                end: shift.end(&block.end),
            };
            match (&block.end, self.next(at, &block.end)) {
                (Terminator::Send(_), Some(to)) => leave(&mut made, &held, to),
                (Terminator::Return(slot), Some(to)) if !is_nothing(block, *slot) => {
                    if *slot == MSG && !stage.may_change_id() {
                        leave(&mut made, &held, to);
                    } else {
                        self.returned(&mut made, shift.slot(*slot), &held, to);
                    }
                }
                _ => {}
            }
            self.body.blocks.push(made);
        }
        kept
    }

    /// What is returned becomes the message when it can be one; anything else is seen to by the caller.
    fn returned(&mut self, block: &mut Block, value: Slot, held: &[Slot], to: BlockId) {
        let is_message = Flag(self.body.flags);
        self.body.flags += 1;
        block.insts.push(Inst::Ask {
            helper: Helper::Identify,
            dst: is_message,
            args: vec![value.into(), MSG.into()],
        });
        let mut go_on = Block::default();
        if value != MSG {
            go_on.insts.push(Inst::Do {
                helper: Helper::Move,
                args: vec![MSG.into(), value.into()],
            });
        }
        leave(&mut go_on, held, to);
        let end = Block {
            insts: Vec::new(),
            end: Terminator::Return(value),
        };
        let first = self.first_of_more + self.more.len() as u32;
        block.end = Terminator::Branch(is_message, BlockId(first), BlockId(first + 1));
        self.more.extend([go_on, end]);
    }

    /// Where the message goes on when a stage ends so.
    fn next(&self, stage: usize, end: &Terminator) -> Option<BlockId> {
        let port = match end {
            Terminator::Send(port) => *port,
            Terminator::Return(_) => 0,
            _ => return None,
        };
        let from = Some((stage as u32, port));
        let next = self.stages.iter().position(|next| next.from == from)?;
        Some(self.entries[next])
    }
}

/// Ends a stage: what it still holds of the message would make the next one copy what it changes.
fn leave(block: &mut Block, held: &[Slot], to: BlockId) {
    block.insts.extend(held.iter().map(|slot| Inst::Do {
        helper: Helper::Clear,
        args: vec![(*slot).into()],
    }));
    block.end = Terminator::Jump(to);
}

/// Whether the last thing in a block is to put nothing into this slot.
fn is_nothing(block: &Block, slot: Slot) -> bool {
    let last = block.insts.last();
    last.is_some_and(
        |inst| matches!(inst, Inst::Undefined { dst } | Inst::Null { dst } if *dst == slot),
    )
}

/// The slots besides the message's that may come to hold a value with memory of its own.
fn owners(body: &Body) -> Vec<Slot> {
    let mut owns = vec![false; body.slots as usize];
    for inst in body.blocks.iter().flat_map(|block| &block.insts) {
        let plain = matches!(
            inst,
            Inst::Box { .. }
                | Inst::BoxFlag { .. }
                | Inst::Undefined { .. }
                | Inst::Null { .. }
                | Inst::Do {
                    helper: Helper::Clear,
                    ..
                }
        );
        if !plain {
            inst.writes(|slot| owns[slot.0 as usize] = true);
        }
    }
    (1..body.slots)
        .map(Slot)
        .filter(|slot| owns[slot.0 as usize])
        .collect()
}

fn numbers(list: &mut Vec<String>, texts: &[String]) -> Vec<u32> {
    texts.iter().map(|text| number(list, text)).collect()
}

/// How the registers of a stage are called in the whole.
struct Shift {
    slots: u32,
    nums: u32,
    flags: u32,
    addrs: u32,
    caches: u32,
    blocks: u32,
    keys: Vec<u32>,
    texts: Vec<u32>,
    values: Vec<u32>,
}

impl Shift {
    fn slot(&self, slot: Slot) -> Slot {
        if slot == MSG {
            MSG
        } else {
            Slot(slot.0 + self.slots)
        }
    }

    fn flag(&self, flag: Flag) -> Flag {
        Flag(flag.0 + self.flags)
    }

    fn block(&self, block: BlockId) -> BlockId {
        BlockId(block.0 + self.blocks)
    }

    fn inst(&self, inst: &Inst) -> Inst {
        let mut inst = inst.clone();
        inst.operands(|operand, _| match operand {
            Operand::Slot(slot) => *slot = self.slot(*slot),
            Operand::Num(num) => num.0 += self.nums,
            Operand::Flag(flag) => *flag = self.flag(*flag),
            Operand::Addr(addr) => addr.0 += self.addrs,
            Operand::Key(key) => *key = self.keys[*key as usize],
            Operand::Text(text) => *text = self.texts[*text as usize],
            Operand::Value(value) => *value = self.values[*value as usize],
            Operand::Cache(cache) => *cache += self.caches,
        });
        inst
    }

    fn end(&self, end: &Terminator) -> Terminator {
        match end {
            Terminator::Bail => Terminator::Bail,
            Terminator::Jump(to) => Terminator::Jump(self.block(*to)),
            Terminator::Branch(flag, yes, no) => {
                Terminator::Branch(self.flag(*flag), self.block(*yes), self.block(*no))
            }
            Terminator::Return(slot) => Terminator::Return(self.slot(*slot)),
            Terminator::Send(port) => Terminator::Send(*port),
        }
    }
}

impl Body {
    /// Whether the message that it returns may have got another `_msgid` than it came with.
    pub fn may_change_id(&self) -> bool {
        let by_name = self.keys.iter().any(|key| key == "_msgid");
        // (with references nobody can tell which object is the message)
        by_name
            || self.shared
            || self
                .blocks
                .iter()
                .flat_map(|block| &block.insts)
                .any(|inst| {
                    let Inst::Do { helper, args } = inst else {
                        return false;
                    };
                    matches!(
                        helper,
                        Helper::SetValue | Helper::DeleteValue | Helper::SpreadObject
                    ) && args.first() == Some(&Arg::Slot(MSG))
                })
    }

    /// Whether it asks this of the node that it is in.
    pub fn asks(&self, host: Host) -> bool {
        self.blocks.iter().flat_map(|block| &block.insts).any(|inst| {
            matches!(inst, Inst::Do { helper: Helper::Host, args } if args.get(2) == Some(&Arg::Const(host as u32)))
        })
    }
}
