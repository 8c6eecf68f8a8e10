//! **ticks** takes the look at the clock out of loops that end soon by themselves.
//!
//! Before → after: `b1: Tick; f = Lt n1, n2; if f b2 else b3; b2: …; n1 = Add n1, n3; jump b1`, where `n1` begins with a small constant, `n2`
//! and `n3` are such, has no `Tick`. Legal: it goes around [`MOST`] times at most, has no loop inside, and the loop around it, if there
//! is one, looks at the clock. Pays: a register and a comparison each time around.

use super::loops::{self, Loop};
use crate::{
    Access, Arith, Block, BlockId, Body, Compare, Flag, Helper, Inst, Num, Operand, Terminator,
};

/// How many times a loop may go around without a look at the clock.
const MOST: f64 = 1_000.0;

pub(super) fn run(body: &mut Body) {
    let loops = loops::loops(body);
    if loops.is_empty() {
        return;
    }
    let writes = Writes::of(body);
    let heads: Vec<BlockId> = loops.iter().map(|found| found.head).collect();
    let mut short = 0;
    for found in loops {
        let inside = |head: &&BlockId| **head != found.head && found.blocks.contains(head);
        if heads.iter().any(|head| inside(&head)) || !ends_soon(body, &found, &writes) {
            continue;
        }
        for block in &found.blocks {
            let insts = &mut body.blocks[block.0 as usize].insts;
            let before = insts.len();
            insts.retain(|inst| !is_tick(inst));
            short += before - insts.len();
        }
    }
    if short > 0 {
        body.did.push(format!(
            "ticks: loops that end soon and do not look at the clock: {short}"
        ));
    }
}

fn is_tick(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::Do {
            helper: Helper::Tick,
            ..
        }
    )
}

/// Whether a loop counts up from a constant to a constant, not far away.
fn ends_soon(body: &Body, found: &Loop, writes: &Writes) -> bool {
    let Some((counter, bound)) = condition(&body.blocks[found.head.0 as usize], found) else {
        return false;
    };
    // (all ways back lead through one block, so that what it does is done each time around)
    let mut back = found.blocks.iter().filter(|block| {
        let mut to = body.blocks[block.0 as usize].end.successors();
        to.any(|to| to == found.head)
    });
    let (Some(last), None) = (back.next(), back.next()) else {
        return false;
    };
    let (inside, outside): (Vec<&Write>, Vec<&Write>) = writes
        .of_num(counter)
        .partition(|write| found.blocks.contains(&write.block));
    let [counts] = inside[..] else {
        return false;
    };
    let Some(step) = writes
        .step(counts, counter)
        .filter(|_| counts.block == *last)
    else {
        return false;
    };
    let mut begins = f64::INFINITY;
    for write in outside {
        match writes.range_of_write(write, 0) {
            Some((low, _)) => begins = begins.min(low),
            None => return false,
        }
    }
    match (writes.range(step, 0), writes.range(bound, 0)) {
        (Some((least, _)), Some((_, end))) => least >= 1.0 && (end - begins) / least < MOST,
        _ => false,
    }
}

/// The counter and its bound, when a loop goes on only while one is below the other.
fn condition(head: &Block, found: &Loop) -> Option<(Num, Num)> {
    let Terminator::Branch(flag, yes, no) = head.end else {
        return None;
    };
    if !found.blocks.contains(&yes) || found.blocks.contains(&no) {
        return None;
    }
    let mut flag = flag;
    for inst in head.insts.iter().rev() {
        match inst {
            Inst::MoveFlag { dst, src } if *dst == flag => flag = *src,
            Inst::Compare {
                op: Compare::Lt | Compare::Le,
                dst,
                a,
                b,
            } if *dst == flag => return Some((*a, *b)),
            _ if sets(inst, flag) => return None,
            _ => {}
        }
    }
    None
}

fn sets(inst: &Inst, flag: Flag) -> bool {
    let mut sets = false;
    inst.clone().operands(|operand, access| {
        sets |= access == Access::Write && matches!(operand, Operand::Flag(set) if *set == flag);
    });
    sets
}

/// What is put into a register of numbers, and where.
struct Write {
    dst: Num,
    block: BlockId,
    at: usize,
    what: What,
}

enum What {
    Constant(f64),
    Same(Num),
    Sum(Num, Num),
    Other,
}

/// All that is put into registers of numbers.
struct Writes(Vec<Write>);

/// How far is followed where a number comes from.
const DEPTH: u32 = 4;

impl Writes {
    fn of(body: &Body) -> Writes {
        let mut all = Vec::new();
        for (block, insts) in body.blocks.iter().enumerate() {
            for (at, inst) in insts.insts.iter().enumerate() {
                inst.clone().operands(|operand, access| {
                    if let (Operand::Num(dst), Access::Write) = (operand, access) {
                        let what = match inst {
                            Inst::Num { value, .. } => What::Constant(*value),
                            Inst::MoveNum { src, .. } => What::Same(*src),
                            Inst::Arith {
                                op: Arith::Add,
                                a,
                                b,
                                ..
                            } => What::Sum(*a, *b),
                            _ => What::Other,
                        };
                        let block = BlockId(block as u32);
                        all.push(Write {
                            dst: *dst,
                            block,
                            at,
                            what,
                        });
                    }
                });
            }
        }
        Writes(all)
    }

    fn of_num(&self, num: Num) -> impl Iterator<Item = &Write> {
        self.0.iter().filter(move |write| write.dst == num)
    }

    /// The write of a register that is written once, when that is before another one in its block.
    fn before(&self, num: Num, other: &Write) -> Option<&Write> {
        let mut all = self.of_num(num);
        match (all.next(), all.next()) {
            (Some(write), None) if write.block == other.block && write.at < other.at => Some(write),
            _ => None,
        }
    }

    /// What this write, the only one of a counter in a loop, adds to what the counter was.
    fn step(&self, counts: &Write, counter: Num) -> Option<Num> {
        let sum = match counts.what {
            What::Sum(..) => counts,
            What::Same(sum) => self.before(sum, counts)?,
            _ => return None,
        };
        let What::Sum(base, step) = sum.what else {
            return None;
        };
        let is_counter = base == counter
            || matches!(self.before(base, sum)?.what, What::Same(from) if from == counter);
        is_counter.then_some(step)
    }

    /// Between which constants a number is, if it is made of constants alone.
    fn range(&self, num: Num, depth: u32) -> Option<(f64, f64)> {
        let mut range: Option<(f64, f64)> = None;
        for write in self.of_num(num) {
            let (low, high) = self.range_of_write(write, depth)?;
            range = Some(match range {
                Some((least, most)) => (least.min(low), most.max(high)),
                None => (low, high),
            });
        }
        range
    }

    fn range_of_write(&self, write: &Write, depth: u32) -> Option<(f64, f64)> {
        match write.what {
            What::Constant(value) if value.is_finite() => Some((value, value)),
            What::Same(from) if depth < DEPTH => self.range(from, depth + 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arg, Builder, MSG};

    /// `for (let n = 0; n < end; n += step)`, where `counts` is whether the counting is on every way.
    fn counting(end: f64, step: f64, counts: bool) -> Body {
        let mut b = Builder::new();
        let [n, bound, by, next] = std::array::from_fn(|_| b.num());
        let flag = b.flag();
        b.push(Inst::Num { dst: n, value: 0.0 });
        b.push(Inst::Num {
            dst: bound,
            value: end,
        });
        let [head, more, skip, done] = std::array::from_fn(|_| b.block());
        b.jump(head);
        b.switch_to(head);
        b.call(Helper::Tick, Vec::<Arg>::new());
        b.push(Inst::Compare {
            op: Compare::Lt,
            dst: flag,
            a: n,
            b: bound,
        });
        b.end(Terminator::Branch(flag, more, done));
        b.switch_to(more);
        b.push(Inst::Num {
            dst: by,
            value: step,
        });
        b.push(Inst::Arith {
            op: Arith::Add,
            dst: next,
            a: n,
            b: by,
        });
        b.push(Inst::MoveNum { dst: n, src: next });
        b.end(match counts {
            true => Terminator::Jump(head),
            false => Terminator::Branch(flag, head, skip),
        });
        b.switch_to(skip);
        b.end(Terminator::Jump(head));
        b.switch_to(done);
        b.end(Terminator::Return(MSG));
        let mut body = b.finish();
        run(&mut body);
        body
    }

    fn ticks(body: &Body) -> usize {
        let insts = body.blocks.iter().flat_map(|block| &block.insts);
        insts.filter(|inst| is_tick(inst)).count()
    }

    #[test]
    fn what_ends_soon_does_not_look_at_the_clock() {
        assert_eq!(ticks(&counting(32.0, 1.0, true)), 0);
        assert_eq!(ticks(&counting(900.0, 1.0, true)), 0);
        assert_eq!(ticks(&counting(5_000.0, 10.0, true)), 0);
    }

    #[test]
    fn what_may_go_on_does() {
        for (end, step, counts) in [
            (5_000.0, 1.0, true),
            (32.0, 0.0, true),
            (32.0, -1.0, true),
            (32.0, f64::NAN, true),
            (f64::INFINITY, 1.0, true),
            (32.0, 1.0, false),
        ] {
            let body = counting(end, step, counts);
            assert_eq!(ticks(&body), 1, "{body}");
        }
    }
}
