//! **forward** hands on what is known of the message's properties, so that a stage of a region does not look up what one before
//! it has found or put there.
//!
//! Before → after: `&1 = v0.payload; … &4 = v0.payload; n2 = ToNumber &4` goes on with `&1`; after `v3 = n1; Set v0, v3, .payload`
//! the number is `n1` still, so that `n2 = n1` and nothing is looked up. Legal: in a body without references nobody but slot 0
//! leads to the message's properties, so that only instructions that may change values inside of others, or slot 0, make known
//! things unknown; addresses are handed on only where what was found is inside the message, or in a scratch slot that is never
//! anything but undefined. Pays: a comparison of shapes and of kinds for each property of each stage, and the boxing of numbers.

use crate::{
    Access, Addr, Arg, Block, BlockId, Body, Compare, Expected, Helper, Inst, MSG, Num, Operand,
    Slot, Terminator,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn run(body: &mut Body) {
    if body.shared
        || body
            .blocks
            .iter()
            .flat_map(|block| &block.insts)
            .any(shares)
    {
        return;
    }
    forward(body);
    // (where a question has its answer, less leads to what comes after it, so that more is known there)
    if decide(body) {
        forward(body);
    }
}

fn forward(body: &mut Body) {
    let once = Once::of(body);
    let order = body.reached();
    let into = predecessors(body, &order);
    let mut after: Vec<Option<Known>> = vec![None; body.blocks.len()];
    let mut same: BTreeMap<Addr, Addr> = BTreeMap::new();
    for at in order.into_iter().map(|block| block.0 as usize) {
        // (what comes along a way that has not been looked at yet, back to the head of a loop, is not known)
        let mut known = match into[at].as_slice() {
            [] => Known::default(),
            [first, rest @ ..] => {
                let first = after[*first].clone().unwrap_or_default();
                rest.iter().fold(first, |known, from| match &after[*from] {
                    Some(other) => known.and(other),
                    None => Known::default(),
                })
            }
        };
        let block = &mut body.blocks[at];
        block
            .insts
            .retain_mut(|inst| known.step(inst, &once, &mut same));
        after[at] = Some(known);
    }
    for block in &mut body.blocks {
        for inst in &mut block.insts {
            inst.operands(|operand, access| {
                if let (Operand::Addr(addr), Access::Read | Access::Lend) = (operand, access)
                    && let Some(found) = same.get(addr)
                {
                    *addr = *found;
                }
            });
        }
    }
    drop_unused(&mut body.blocks);
}

/// Takes out branches whose flag the block itself sets to a constant; whether there were any.
fn decide(body: &mut Body) -> bool {
    let mut any = false;
    for block in &mut body.blocks {
        let Terminator::Branch(flag, yes, no) = block.end else {
            continue;
        };
        let sets = |inst: &&Inst| {
            let mut sets = false;
            (*inst).clone().operands(|operand, access| {
                sets |= access == Access::Write
                    && matches!(operand, Operand::Flag(set) if *set == flag);
            });
            sets
        };
        if let Some(Inst::Flag { value, .. }) = block.insts.iter().rev().find(sets) {
            block.end = Terminator::Jump(if *value { yes } else { no });
            any = true;
        }
    }
    any
}

/// Whether slots hold references from here on.
fn shares(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::Do {
            helper: Helper::Share | Helper::Unshare,
            ..
        }
    )
}

/// For each block, those of the blocks that are reached that lead to it.
fn predecessors(body: &Body, reached: &[BlockId]) -> Vec<Vec<usize>> {
    let mut into = vec![Vec::new(); body.blocks.len()];
    for at in reached.iter().map(|block| block.0 as usize) {
        for to in body.blocks[at].end.successors() {
            into[to.0 as usize].push(at);
        }
    }
    into
}

/// What is written by one instruction only.
struct Once {
    addrs: Vec<u32>,
    /// Slots that are never anything but undefined: so are scratch slots of lookups in the message.
    undefined: Vec<bool>,
}

impl Once {
    fn of(body: &Body) -> Once {
        let mut once = Once {
            addrs: vec![0; body.addrs as usize],
            undefined: vec![true; body.slots as usize],
        };
        for inst in body.blocks.iter().flat_map(|block| &block.insts) {
            let nothing = matches!(
                inst,
                Inst::Undefined { .. }
                    | Inst::Get {
                        base: Arg::Slot(MSG),
                        ..
                    }
                    | Inst::Do {
                        helper: Helper::Clear,
                        ..
                    }
            );
            if !nothing {
                inst.writes(|slot| once.undefined[slot.0 as usize] = false);
            }
            inst.clone().operands(|operand, access| {
                if let (Operand::Addr(addr), Access::Write) = (operand, access) {
                    once.addrs[addr.0 as usize] += 1;
                }
            });
        }
        once
    }

    fn addr(&self, addr: Addr) -> bool {
        self.addrs[addr.0 as usize] == 1
    }

    fn is_undefined(&self, slot: Slot) -> bool {
        self.undefined[slot.0 as usize]
    }
}

/// What is known at a place in the code.
#[derive(Clone, Default, PartialEq)]
struct Known {
    /// Where properties of the message, by their keys, were found.
    found: BTreeMap<u32, Addr>,
    /// Properties of the message that are the number in a register.
    numbers: BTreeMap<u32, Num>,
    /// Slots that hold the number in a register.
    boxed: BTreeMap<Slot, Num>,
    /// Addresses of the number in a register.
    at: BTreeMap<Addr, Num>,
}

fn common<K: Ord + Copy, V: PartialEq>(one: &mut BTreeMap<K, V>, other: &BTreeMap<K, V>) {
    one.retain(|key, value| other.get(key) == Some(value));
}

impl Known {
    /// What is known on both ways.
    fn and(mut self, other: &Known) -> Known {
        common(&mut self.found, &other.found);
        common(&mut self.numbers, &other.numbers);
        common(&mut self.boxed, &other.boxed);
        common(&mut self.at, &other.at);
        self
    }

    /// Goes past an instruction, which it may change; false where it is not needed.
    fn step(&mut self, inst: &mut Inst, once: &Once, same: &mut BTreeMap<Addr, Addr>) -> bool {
        if let Inst::Get {
            dst,
            base: Arg::Slot(MSG),
            key,
            scratch,
            ..
        } = inst
        {
            let (dst, key, scratch) = (*dst, *key, *scratch);
            if let Some(found) = self.found.get(&key)
                && once.addr(dst)
            {
                same.insert(dst, *found);
                return false;
            }
            self.forget(inst);
            if once.addr(dst) && once.is_undefined(scratch) {
                self.found.insert(key, dst);
            }
            if let Some(number) = self.numbers.get(&key).copied()
                && once.addr(dst)
            {
                self.at.insert(dst, number);
            }
            return true;
        }
        if let Some(simpler) = self.simpler(inst, same) {
            *inst = simpler;
        }
        let needed = !matches!(inst, Inst::Expect { kind: Expected::Number, src }
            if self.number(src, same).is_some());
        let put = match inst {
            Inst::Do {
                helper: Helper::Set,
                args,
            } => match args.as_slice() {
                [Arg::Slot(MSG), Arg::Slot(value), Arg::Const(key), _] => {
                    Some((*key, self.boxed.get(value).copied()))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((key, number)) = put {
            // (other properties keep their values, but not their places)
            self.numbers.remove(&key);
            let numbers = std::mem::take(&mut self.numbers);
            self.forget(inst);
            self.numbers = numbers;
            self.numbers.extend(number.map(|number| (key, number)));
            return true;
        }
        self.forget(inst);
        if let Inst::Box { dst, src } = inst
            && *dst != MSG
        {
            self.boxed.insert(*dst, *src);
        }
        needed
    }

    /// The register of a value that is a number for certain.
    fn number(&self, arg: &Arg, same: &BTreeMap<Addr, Addr>) -> Option<Num> {
        match arg {
            Arg::Addr(addr) => self.at.get(same.get(addr).unwrap_or(addr)).copied(),
            Arg::Slot(slot) => self.boxed.get(slot).copied(),
            Arg::Num(_) | Arg::Const(_) => None,
        }
    }

    /// The same of a number that is in a register.
    fn simpler(&self, inst: &Inst, same: &BTreeMap<Addr, Addr>) -> Option<Inst> {
        let number = |arg: &Arg| self.number(arg, same);
        Some(match inst {
            Inst::ToNumber { dst, src } => Inst::MoveNum {
                dst: *dst,
                src: number(src)?,
            },
            Inst::Copy { dst, src } => Inst::Box {
                dst: *dst,
                src: number(src)?,
            },
            Inst::Truthy { dst, src } => Inst::NumTruthy {
                dst: *dst,
                src: number(src)?,
            },
            Inst::Nullish { dst, src } | Inst::IsUndefined { dst, src } => {
                number(src)?;
                Inst::Flag {
                    dst: *dst,
                    value: false,
                }
            }
            Inst::Ask { helper, dst, args } => {
                let op = match (helper, args.get(2)) {
                    (Helper::StrictEqual | Helper::LooseEqual, None) => Compare::Eq,
                    (Helper::Less, Some(Arg::Const(0))) => Compare::Lt,
                    (Helper::Less, Some(Arg::Const(1))) => Compare::Gt,
                    (Helper::Less, Some(Arg::Const(2))) => Compare::Le,
                    (Helper::Less, Some(Arg::Const(3))) => Compare::Ge,
                    _ => return None,
                };
                Inst::Compare {
                    op,
                    dst: *dst,
                    a: number(args.first()?)?,
                    b: number(args.get(1)?)?,
                }
            }
            _ => return None,
        })
    }

    /// What an instruction makes unknown.
    fn forget(&mut self, inst: &Inst) {
        if changes_inside(inst) {
            self.found.clear();
            self.numbers.clear();
            self.at.clear();
        }
        let mut whole = false;
        inst.writes(|slot| {
            whole |= slot == MSG;
            self.boxed.remove(&slot);
        });
        if whole {
            *self = Known::default();
        }
        inst.clone()
            .operands(|operand, access| match (operand, access) {
                (Operand::Num(num), Access::Write) => {
                    let num = *num;
                    self.numbers.retain(|_, known| *known != num);
                    self.boxed.retain(|_, known| *known != num);
                    self.at.retain(|_, known| *known != num);
                }
                (Operand::Addr(addr), Access::Write) => {
                    let addr = *addr;
                    self.found.retain(|_, known| *known != addr);
                    self.at.remove(&addr);
                }
                _ => {}
            });
    }
}

/// Whether an instruction may change what is inside the message, or move it.
fn changes_inside(inst: &Inst) -> bool {
    match inst {
        Inst::Do { helper, .. } => !matches!(
            helper,
            Helper::Clear
                | Helper::Text
                | Helper::Constant
                | Helper::ToText
                | Helper::Add
                | Helper::TypeOf
                | Helper::Object
                | Helper::Array
                | Helper::Method
                | Helper::Tick
                | Helper::WriteText
                | Helper::WriteValue
                | Helper::Written
                | Helper::Expression
        ),
        Inst::Ask { helper, .. } => *helper == Helper::Identify,
        Inst::Find { helper, .. } => !matches!(
            helper,
            Helper::GetIndex | Helper::GetValue | Helper::Field | Helper::Get
        ),
        _ => false,
    }
}

/// Takes out lookups in the message that nobody uses: such a one never bails out.
fn drop_unused(blocks: &mut [Block]) {
    let mut used: BTreeSet<Addr> = BTreeSet::new();
    for inst in blocks.iter().flat_map(|block| &block.insts) {
        inst.clone().operands(|operand, access| {
            if let (Operand::Addr(addr), Access::Read | Access::Lend) = (operand, access) {
                used.insert(*addr);
            }
        });
    }
    for block in blocks {
        block.insts.retain(|inst| {
            !matches!(inst, Inst::Get { dst, base: Arg::Slot(MSG), .. } if !used.contains(dst))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arith, Builder};

    /// `msg.payload = msg.payload + 1`
    fn add_one(b: &mut Builder) {
        let scratch = b.slot();
        let found = b.get(MSG, "payload", scratch);
        let (n, one, sum) = (b.num(), b.constant(1.0), b.num());
        b.push(Inst::ToNumber {
            dst: n,
            src: found.into(),
        });
        b.push(Inst::Arith {
            op: Arith::Add,
            dst: sum,
            a: n,
            b: one,
        });
        let value = b.slot();
        b.push(Inst::Box {
            dst: value,
            src: sum,
        });
        let (key, cache) = (b.key("payload"), b.set_cache());
        b.call(
            Helper::Set,
            [MSG.into(), value.into(), key.into(), cache.into()],
        );
    }

    fn text(build: impl FnOnce(&mut Builder)) -> String {
        let mut b = Builder::new();
        build(&mut b);
        b.end(Terminator::Send(0));
        let mut body = b.finish();
        run(&mut body);
        body.to_string()
    }

    #[test]
    fn a_number_that_was_put_there_is_not_looked_up() {
        let text = text(|b| {
            add_one(b);
            add_one(b);
        });
        assert_eq!(text.matches("v0.payload").count(), 1, "{text}");
        assert_eq!(text.matches("ToNumber").count(), 1, "{text}");
    }

    #[test]
    fn a_question_about_a_number_is_answered() {
        let text = text(|b| {
            add_one(b);
            let (scratch, dst) = (b.slot(), b.flag());
            let src = b.get(MSG, "payload", scratch).into();
            b.push(Inst::IsUndefined { dst, src });
            let [yes, no] = std::array::from_fn(|_| b.block());
            b.branch(dst, yes, no);
            b.switch_to(yes);
            b.end(Terminator::Bail);
            b.switch_to(no);
            add_one(b);
        });
        assert_eq!(text.matches("v0.payload").count(), 1, "{text}");
        assert!(!text.contains("if "), "{text}");
    }

    #[test]
    fn what_was_found_is_found_again() {
        let twice = |between: fn(&mut Builder)| {
            text(|b| {
                for number in 0..2 {
                    let (scratch, dst) = (b.slot(), b.slot());
                    let src = b.get(MSG, "topic", scratch).into();
                    b.push(Inst::Copy { dst, src });
                    if number == 0 {
                        between(b);
                    }
                }
            })
            .matches("v0.topic")
            .count()
        };
        assert_eq!(twice(|_| {}), 1);
        assert_eq!(
            twice(|b| {
                let key = b.key("topic");
                b.call(Helper::Delete, [MSG.into(), key.into()])
            }),
            2
        );
        assert_eq!(twice(|b| b.push(Inst::Undefined { dst: MSG })), 2);
    }

    #[test]
    fn the_head_of_a_loop_knows_nothing() {
        let text = text(|b| {
            add_one(b);
            let [head, end] = std::array::from_fn(|_| b.block());
            b.jump(head);
            b.switch_to(head);
            add_one(b);
            let flag = b.flag();
            b.push(Inst::Flag {
                dst: flag,
                value: true,
            });
            b.branch(flag, head, end);
            b.switch_to(end);
        });
        assert_eq!(text.matches("v0.payload").count(), 2, "{text}");
    }
}
