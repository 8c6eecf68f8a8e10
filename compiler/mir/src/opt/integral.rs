//! **integral** finds the registers of numbers that are always whole and small enough to be counted in machine integers.
//!
//! A register is, when all that is ever put into it is: a whole constant, what bit operations give, a truth value as a number,
//! the sum or difference of such. What a loop adds to is so when it adds small constants: a loop that could count further than
//! 2^52 would run for days. Minus zero never comes of these, so that integers say exactly what the numbers would.

use crate::{Arith, Body, Inst, Num};

/// Bits that a constant may have.
const CONSTANT_BITS: u32 = 31;
/// Bits of what a loop counts.
const COUNTER_BITS: u32 = 50;
/// The most bits: above 2^53 not every whole number is a number.
const MOST_BITS: u32 = 52;
/// The most that a loop may add each time around.
const STEP: f64 = 16.0;
/// Functions with more registers are left as they are.
const MOST_REGISTERS: u32 = 4_000;

/// What may be put into a register.
enum Source {
    Bits(u32),
    Same(Num),
    Sum(Num, Num),
    Other,
}

/// For each register of numbers, whether it is always whole.
pub fn integral(body: &Body) -> Vec<bool> {
    let count = body.nums as usize;
    if body.nums > MOST_REGISTERS {
        return vec![false; count];
    }
    let mut sources: Vec<Vec<Source>> = (0..count).map(|_| Vec::new()).collect();
    let mut step = vec![true; count];
    for inst in body.blocks.iter().flat_map(|block| &block.insts) {
        let (dst, source) = match inst {
            Inst::Num { dst, value } => {
                step[dst.0 as usize] &= value.abs() <= STEP;
                let whole = value.trunc() == *value
                    && value.abs() < f64::from(1u32 << CONSTANT_BITS)
                    && !(*value == 0.0 && value.is_sign_negative());
                let source = if whole {
                    Source::Bits(CONSTANT_BITS)
                } else {
                    Source::Other
                };
                (*dst, source)
            }
            Inst::FlagNum { dst, .. } => (*dst, Source::Bits(1)),
            Inst::MoveNum { dst, src } => (*dst, Source::Same(*src)),
            Inst::Arith {
                op: Arith::Add | Arith::Sub,
                dst,
                a,
                b,
            } => (*dst, Source::Sum(*a, *b)),
            Inst::Arith { op, dst, .. } if op.is_bitwise() => (*dst, Source::Bits(32)),
            Inst::Arith { dst, .. }
            | Inst::Unary { dst, .. }
            | Inst::ToNumber { dst, .. }
            | Inst::Calc { dst, .. } => (*dst, Source::Other),
            _ => continue,
        };
        if !matches!(inst, Inst::Num { .. }) {
            step[dst.0 as usize] = false;
        }
        sources[dst.0 as usize].push(source);
    }
    let mut find = Find {
        sources,
        step,
        bits: vec![None; count],
        open: vec![false; count],
    };
    // (a register that turned out to be no integer takes those with it that counted on it: begin again without it)
    loop {
        find.bits.iter_mut().for_each(|bits| *bits = None);
        let found: Vec<bool> = (0..body.nums)
            .map(|num| find.bits(Num(num)).is_some_and(|bits| bits <= MOST_BITS))
            .collect();
        let mut fewer = false;
        for (num, whole) in found.iter().enumerate() {
            let known_other = matches!(find.sources[num].first(), None | Some(Source::Other));
            if !whole && !known_other {
                find.sources[num] = vec![Source::Other];
                fewer = true;
            }
        }
        if !fewer {
            return found;
        }
    }
}

struct Find {
    sources: Vec<Vec<Source>>,
    /// Registers that only ever hold small constants.
    step: Vec<bool>,
    bits: Vec<Option<Option<u32>>>,
    open: Vec<bool>,
}

impl Find {
    /// How many bits a register has at most; `None` when it may be no integer.
    fn bits(&mut self, num: Num) -> Option<u32> {
        let at = num.0 as usize;
        if let Some(known) = self.bits[at] {
            return known;
        }
        if std::mem::replace(&mut self.open[at], true) {
            // It depends on itself: it counts.
            return Some(COUNTER_BITS);
        }
        let mut most = Some(0);
        for source in 0..self.sources[at].len() {
            let bits = match self.sources[at][source] {
                Source::Bits(bits) => Some(bits),
                Source::Same(from) => self.bits(from),
                Source::Sum(a, b) => {
                    let steps = self.step[a.0 as usize] || self.step[b.0 as usize];
                    let (x, y) = (self.bits(a), self.bits(b));
                    match (x, y) {
                        // (a counter stays one when a small constant is added)
                        (Some(x), Some(y)) if steps && x.max(y) == COUNTER_BITS => {
                            Some(COUNTER_BITS)
                        }
                        // Sums of what counts must not be what is counted.
                        (Some(x), Some(y))
                            if steps || !self.leads(a, num) && !self.leads(b, num) =>
                        {
                            Some(x.max(y) + 1)
                        }
                        _ => None,
                    }
                }
                Source::Other => None,
            };
            most = most.zip(bits).map(|(most, bits)| most.max(bits));
        }
        if self.sources[at].is_empty() {
            most = None;
        }
        self.open[at] = false;
        self.bits[at] = Some(most);
        most
    }

    /// Whether what is in `from` may come of what was in `to`.
    fn leads(&self, from: Num, to: Num) -> bool {
        let mut seen = vec![false; self.sources.len()];
        let mut todo = vec![from];
        while let Some(at) = todo.pop() {
            if at == to {
                return true;
            }
            if std::mem::replace(&mut seen[at.0 as usize], true) {
                continue;
            }
            for source in &self.sources[at.0 as usize] {
                match source {
                    Source::Same(from) => todo.push(*from),
                    Source::Sum(a, b) => todo.extend([*a, *b]),
                    _ => {}
                }
            }
        }
        false
    }
}

impl Arith {
    /// Whether it works on 32-bit integers, and gives one.
    pub fn is_bitwise(self) -> bool {
        !matches!(self, Arith::Add | Arith::Sub | Arith::Mul | Arith::Div)
    }
}
