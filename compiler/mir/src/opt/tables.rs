//! **tables** looks a text up instead of comparing it with one constant after the other.
//!
//! Before → after: `b1: Text v2, "a"; f0 = LooseEqual v1, v2; if f0 b9 else b2`, `b2: Text v2, "b"; …`, and so on: the rules of a
//! switch node, the cases of a `switch`, `if (…) … else if (…) …`. Before the first comparison now stands one search in the
//! sorted constants; a tree of comparisons of its answer leads to where the first equal one led. Legal: a text is equal,
//! strictly or loosely, to the constant text that it is, and to no other; what is no text goes the old way. What
//! the comparisons left behind is left behind as well: their flags are set, a slot that was cleared is cleared; where anybody
//! else reads a constant's slot, the chain ends. Pays: from four constants on, a call instead of three for each constant.

use crate::{
    Access, Addr, Arg, Block, BlockId, Body, Compare, Flag, Helper, Inst, Num, Operand, Slot,
    Terminator,
};
use std::collections::BTreeMap;

/// The fewest constants that make a table.
const FEWEST: usize = 4;

pub(super) fn run(body: &mut Body) {
    let reads = Reads::of(body);
    let mut inside = vec![false; body.blocks.len()];
    for at in 0..body.blocks.len() {
        if inside[at] {
            continue;
        }
        let Some(chain) = Chain::from(body, at, &reads) else {
            continue;
        };
        for test in &chain.tests[1..] {
            inside[test.block] = true;
        }
        chain.apply(body);
    }
}

/// What is compared: a slot, or a property that is found anew each time.
#[derive(Debug, Clone, PartialEq)]
enum Subject {
    Slot(Slot),
    Property { base: Arg, key: u32 },
}

/// A comparison with a constant at the end of a block.
#[derive(Debug)]
struct Test {
    block: usize,
    /// Where in the block it begins, a property's finding left out.
    begin: usize,
    subject: Subject,
    text: u32,
    slot: Slot,
    /// Whether the constant's slot is cleared behind the comparison.
    clears: bool,
    flag: Flag,
    yes: BlockId,
    no: BlockId,
}

/// How often slots and addresses are read, in the whole function.
struct Reads {
    slots: BTreeMap<Slot, u32>,
    addrs: BTreeMap<Addr, u32>,
}

impl Reads {
    fn of(body: &Body) -> Reads {
        let (mut slots, mut addrs) = (BTreeMap::new(), BTreeMap::new());
        for block in &body.blocks {
            for inst in &block.insts {
                // (a constant that is put somewhere, and letting go of it, read nothing)
                let puts = matches!(
                    inst,
                    Inst::Do {
                        helper: Helper::Text | Helper::Clear,
                        ..
                    }
                );
                inst.clone().operands(|operand, access| match operand {
                    Operand::Slot(slot) if access != Access::Write && !puts => {
                        *slots.entry(*slot).or_default() += 1;
                    }
                    Operand::Addr(addr) if access != Access::Write => {
                        *addrs.entry(*addr).or_default() += 1;
                    }
                    _ => {}
                });
                if let Inst::Do { helper, args } = inst
                    && let Some((first, count)) = helper.row()
                    && let (Some(Arg::Slot(first)), Some(Arg::Const(count))) =
                        (args.get(first), args.get(count))
                {
                    for slot in first.0..first.0 + count {
                        *slots.entry(Slot(slot)).or_default() += 1;
                    }
                }
            }
            if let Terminator::Return(slot) = block.end {
                *slots.entry(slot).or_default() += 1;
            }
        }
        Reads { slots, addrs }
    }
}

/// The comparison at the end of a block.
fn test(body: &Body, at: usize, reads: &Reads) -> Option<Test> {
    let block = &body.blocks[at];
    let Terminator::Branch(flag, yes, no) = block.end else {
        return None;
    };
    let mut end = block.insts.len();
    let mut cleared = None;
    if let Some(Inst::Do {
        helper: Helper::Clear,
        args,
    }) = block.insts.last()
        && let [Arg::Slot(slot)] = args[..]
    {
        cleared = Some(slot);
        end -= 1;
    }
    let [
        ..,
        Inst::Do {
            helper: Helper::Text,
            args: put,
        },
        Inst::Ask {
            helper: Helper::StrictEqual | Helper::LooseEqual,
            dst,
            args: asked,
        },
    ] = &block.insts[..end]
    else {
        return None;
    };
    let ([Arg::Slot(slot), Arg::Const(text)], [subject, Arg::Slot(with)]) = (&put[..], &asked[..])
    else {
        return None;
    };
    if with != slot || *dst != flag || cleared.is_some_and(|cleared| cleared != *slot) {
        return None;
    }
    // (one that is not cleared must not be read by anybody but this comparison)
    if cleared.is_none() && reads.slots.get(slot).copied().unwrap_or(0) != 1 {
        return None;
    }
    let begin = end - 2;
    let subject = match *subject {
        Arg::Slot(subject) if subject != *slot => Subject::Slot(subject),
        Arg::Addr(addr) => match block.insts[..begin].last()? {
            Inst::Get { dst, base, key, .. }
                if *dst == addr && reads.addrs.get(&addr) == Some(&1) =>
            {
                Subject::Property {
                    base: *base,
                    key: *key,
                }
            }
            _ => return None,
        },
        _ => return None,
    };
    if matches!(&subject, Subject::Property { base: Arg::Slot(base), .. } if base == slot) {
        return None;
    }
    Some(Test {
        block: at,
        begin,
        subject,
        text: *text,
        slot: *slot,
        clears: cleared.is_some(),
        flag,
        yes,
        no,
    })
}

impl Test {
    /// Whether its block does nothing else.
    fn is_all(&self) -> bool {
        match self.subject {
            Subject::Slot(_) => self.begin == 0,
            Subject::Property { .. } => self.begin == 1,
        }
    }
}

struct Chain {
    tests: Vec<Test>,
}

impl Chain {
    /// The chain that begins at the end of a block.
    fn from(body: &Body, at: usize, reads: &Reads) -> Option<Chain> {
        let mut tests = vec![test(body, at, reads)?];
        while let Some(last) = tests.last()
            && let Some(next) = test(body, last.no.0 as usize, reads)
            && next.subject == tests[0].subject
            && next.is_all()
            && tests.iter().all(|test| test.block != next.block && test.flag != next.flag)
            // (what is compared is not where the constants are put)
            && next.subject != Subject::Slot(next.slot)
        {
            tests.push(next);
        }
        let subject = &tests[0].subject;
        let overwritten = |test: &Test| match subject {
            Subject::Slot(slot) => *slot == test.slot,
            Subject::Property { base, .. } => *base == Arg::Slot(test.slot),
        };
        (tests.len() >= FEWEST && !tests.iter().any(overwritten)).then_some(Chain { tests })
    }

    fn apply(self, body: &mut Body) {
        // The constants, sorted, each with the first test that has it.
        let mut texts: BTreeMap<String, usize> = BTreeMap::new();
        for (number, test) in self.tests.iter().enumerate() {
            let text = &body.texts[test.text as usize];
            texts.entry(text.clone()).or_insert(number);
        }
        let list: Vec<&String> = texts.keys().collect();
        let Ok(list) = serde_json::to_string(&list) else {
            return;
        };
        let list = crate::build::number(&mut body.values, &list);
        body.did.push(format!(
            "tables: constant texts that are looked up at once: {}",
            texts.len()
        ));
        let tests: Vec<usize> = texts.into_values().collect();

        let first = &self.tests[0];
        let from = first.block;
        // The old way goes on in a block of its own, which finds the property anew.
        let mut old = body.blocks[from].insts.split_off(first.begin);
        let subject = match first.subject {
            Subject::Slot(slot) => slot.into(),
            Subject::Property { .. } => {
                let again = body.blocks[from].insts.last().cloned();
                let before = self.address(body, from);
                old.splice(0..0, again);
                Arg::Addr(before)
            }
        };
        let end = std::mem::take(&mut body.blocks[from].end);
        let old = add(body, old, end);
        let answer = number(body);
        body.blocks[from].insts.push(Inst::Calc {
            helper: Helper::Search,
            dst: answer,
            args: vec![subject, Arg::Const(list)],
        });
        let leaves: Vec<BlockId> = (0..tests.len())
            .map(|at| self.found(body, Some(tests[at])))
            .collect();
        let none = self.found(body, None);
        let tree = tree(body, answer, &leaves, 0);
        // -2: no text; -1: none of them.
        let texts = ask(body, answer, 0.0, none, tree);
        let (flag, block) = below(body, answer, -1.0);
        let here = &mut body.blocks[from];
        here.insts.extend(block);
        here.end = Terminator::Branch(flag, old, texts);
    }

    /// Gives the finding of the property at the end of a block an address of its own.
    fn address(&self, body: &mut Body, block: usize) -> Addr {
        let fresh = Addr(body.addrs);
        body.addrs += 1;
        if let Some(Inst::Get { dst, .. }) = body.blocks[block].insts.last_mut() {
            *dst = fresh;
        }
        fresh
    }

    /// A block that leaves behind what the tests do when this one is the first that holds, and goes on.
    fn found(&self, body: &mut Body, holds: Option<usize>) -> BlockId {
        let mut insts = Vec::new();
        let until = holds.map_or(self.tests.len(), |holds| holds + 1);
        for (at, test) in self.tests[..until].iter().enumerate() {
            insts.push(Inst::Flag {
                dst: test.flag,
                value: Some(at) == holds,
            });
            if test.clears {
                insts.push(Inst::Do {
                    helper: Helper::Clear,
                    args: vec![test.slot.into()],
                });
            }
        }
        let to = match holds {
            Some(holds) => self.tests[holds].yes,
            None => self.tests[self.tests.len() - 1].no,
        };
        add(body, insts, Terminator::Jump(to))
    }
}

fn add(body: &mut Body, insts: Vec<Inst>, end: Terminator) -> BlockId {
    body.blocks.push(Block { insts, end });
    BlockId(body.blocks.len() as u32 - 1)
}

fn number(body: &mut Body) -> Num {
    body.nums += 1;
    Num(body.nums - 1)
}

/// Asks whether the answer is below a number.
fn below(body: &mut Body, answer: Num, value: f64) -> (Flag, Vec<Inst>) {
    let limit = number(body);
    body.flags += 1;
    let flag = Flag(body.flags - 1);
    let insts = vec![
        Inst::Num { dst: limit, value },
        Inst::Compare {
            op: Compare::Lt,
            dst: flag,
            a: answer,
            b: limit,
        },
    ];
    (flag, insts)
}

fn ask(body: &mut Body, answer: Num, value: f64, yes: BlockId, no: BlockId) -> BlockId {
    let (flag, insts) = below(body, answer, value);
    add(body, insts, Terminator::Branch(flag, yes, no))
}

/// Leads from the answer to the block with its number; the first of them has the number `from`.
fn tree(body: &mut Body, answer: Num, leaves: &[BlockId], from: usize) -> BlockId {
    let [leaf] = leaves else {
        let (low, high) = leaves.split_at(leaves.len() / 2);
        let (yes, no) = (
            tree(body, answer, low, from),
            tree(body, answer, high, from + low.len()),
        );
        return ask(body, answer, (from + low.len()) as f64, yes, no);
    };
    *leaf
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, MSG};

    /// `if (topic === texts[0]) send 0; else if …; else send` the next, with the property found once or each time.
    fn chain(texts: &[&str], anew: bool, read: bool) -> Body {
        let mut b = Builder::new();
        let (subject, scratch) = (b.slot(), b.slot());
        let constants: Vec<Slot> = texts.iter().map(|_| b.slot()).collect();
        if !anew {
            let found = b.get(MSG, "topic", scratch);
            b.push(Inst::Copy {
                dst: subject,
                src: found.into(),
            });
        }
        for (at, (text, constant)) in texts.iter().zip(&constants).enumerate() {
            let asked = match anew {
                true => b.get(MSG, "topic", scratch).into(),
                false => subject.into(),
            };
            let (flag, number) = (b.flag(), b.text(text));
            b.call(Helper::Text, [(*constant).into(), Arg::Const(number)]);
            b.push(Inst::Ask {
                helper: Helper::StrictEqual,
                dst: flag,
                args: vec![asked, (*constant).into()],
            });
            let (yes, no) = (b.block(), b.block());
            b.branch(flag, yes, no);
            b.switch_to(yes);
            b.end(Terminator::Send(at as u32));
            b.switch_to(no);
        }
        b.end(match read {
            true => Terminator::Return(constants[0]),
            false => Terminator::Send(99),
        });
        let mut body = b.finish();
        run(&mut body);
        body
    }

    fn searched(body: &Body) -> Vec<&str> {
        let insts = body.blocks.iter().flat_map(|block| &block.insts);
        let lists = insts.filter_map(|inst| match inst {
            Inst::Calc {
                helper: Helper::Search,
                args,
                ..
            } => match args[..] {
                [_, Arg::Const(list)] => Some(body.values[list as usize].as_str()),
                _ => None,
            },
            _ => None,
        });
        lists.collect()
    }

    #[test]
    fn texts_are_sorted_and_found_once() {
        for anew in [false, true] {
            let body = chain(&["b", "a", "ä", "b", "Z"], anew, false);
            assert_eq!(searched(&body), [r#"["Z","a","b","ä"]"#], "{body}");
        }
    }

    #[test]
    fn few_texts_are_compared_as_before() {
        assert_eq!(searched(&chain(&["a", "b", "c"], false, false)), [""; 0]);
    }

    #[test]
    fn a_constant_that_somebody_else_reads_is_put_where_it_was() {
        // (of five the first one is left out, of four there are too few then)
        let body = chain(&["a", "b", "c", "d", "e"], false, true);
        assert_eq!(searched(&body), [r#"["b","c","d","e"]"#], "{body}");
        assert_eq!(
            searched(&chain(&["a", "b", "c", "d"], false, true)),
            [""; 0]
        );
    }

    #[test]
    fn each_answer_leads_where_the_first_equal_text_led() {
        let body = chain(&["b", "a", "c", "b"], false, false);
        // The blocks that set the flags go on to the ends; those of the first `b` are reached, those of the second are not.
        let ends: Vec<u32> = (body.blocks.iter())
            .filter(|block| matches!(block.insts.first(), Some(Inst::Flag { .. })))
            .filter_map(|block| match block.end {
                Terminator::Jump(to) => match body.blocks[to.0 as usize].end {
                    Terminator::Send(port) => Some(port),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        assert_eq!(ends, [1, 0, 2, 99], "{body}");
    }
}
