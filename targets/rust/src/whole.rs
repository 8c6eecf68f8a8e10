//! Which numbers of a function are always whole, and small enough that an integer does what a number would do: counters,
//! what is made of them by adding and subtracting, and the results of operators on bits.
//!
//! A number is exact up to 2⁵³. How large each register can become is known in bits; the one thing that is not bounded is a
//! counter that a loop goes on adding to. Where it adds no more than [`STEP`] a turn, 2⁵⁰ is out of reach: that many turns
//! take the fastest processor hours, and calls have a limit of time. A negative zero, which no integer can be, is not made
//! of whole numbers by these operators.

use vgdc_mir::{Arith, Body, Inst, Num};

/// What a counter grows by at most.
const STEP: f64 = 1024.0;
/// How many bits a counter has at most.
const COUNTER: u32 = 50;
/// How many bits a number is exact in.
const EXACT: u32 = 53;

/// The registers that hold whole numbers only.
pub(crate) struct Whole(Vec<bool>);

/// What is known of a register.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Size {
    /// Nothing is assigned to it.
    Unknown,
    /// A whole number of so many bits.
    Bits(u32),
    /// Something else.
    Any,
}

impl Size {
    fn join(self, other: Size) -> Size {
        match (self, other) {
            (Size::Any, _) | (_, Size::Any) => Size::Any,
            (Size::Unknown, size) | (size, Size::Unknown) => size,
            (Size::Bits(one), Size::Bits(other)) => Size::Bits(one.max(other)),
        }
    }
}

impl Whole {
    pub fn of(body: &Body) -> Whole {
        let insts = || body.blocks.iter().flat_map(|block| &block.insts);
        let mut constants = vec![None; body.nums as usize];
        let mut assigned = vec![0; body.nums as usize];
        for inst in insts() {
            if let Some(dst) = written(inst) {
                assigned[dst.0 as usize] += 1;
            }
            if let Inst::Num { dst, value } = inst {
                constants[dst.0 as usize] = Some(*value);
            }
        }
        let constant =
            |num: Num| constants[num.0 as usize].filter(|_| assigned[num.0 as usize] == 1);
        let mut sizes = vec![Size::Unknown; body.nums as usize];
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for inst in insts() {
                let Some(dst) = written(inst) else { continue };
                let size = sizes[dst.0 as usize].join(result(inst, &sizes, &constant));
                changed |= std::mem::replace(&mut sizes[dst.0 as usize], size) != size;
            }
        }
        let is_whole = |size| matches!(size, &Size::Bits(_));
        Whole(sizes.iter().map(is_whole).collect())
    }

    /// Whether a register holds whole numbers only.
    pub fn has(&self, num: Num) -> bool {
        self.0[num.0 as usize]
    }
}

/// The register of a number that an instruction assigns.
fn written(inst: &Inst) -> Option<Num> {
    match inst {
        Inst::Num { dst, .. }
        | Inst::MoveNum { dst, .. }
        | Inst::Arith { dst, .. }
        | Inst::Unary { dst, .. }
        | Inst::FlagNum { dst, .. }
        | Inst::ToNumber { dst, .. }
        | Inst::Calc { dst, .. } => Some(*dst),
        _ => None,
    }
}

/// What an instruction makes.
fn result(inst: &Inst, sizes: &[Size], constant: &dyn Fn(Num) -> Option<f64>) -> Size {
    let of = |num: Num| sizes[num.0 as usize];
    match inst {
        Inst::Num { value, .. } => literal(*value),
        Inst::MoveNum { src, .. } => of(*src),
        Inst::FlagNum { .. } => Size::Bits(1),
        Inst::Arith { op, a, b, .. } => match op {
            Arith::Add | Arith::Sub => {
                let small = |num| constant(num).is_some_and(|value| value.abs() <= STEP);
                match (of(*a), of(*b)) {
                    (Size::Bits(size), Size::Bits(_)) if small(*b) && size <= COUNTER => {
                        Size::Bits(COUNTER)
                    }
                    (Size::Bits(_), Size::Bits(size))
                        if small(*a) && size <= COUNTER && *op == Arith::Add =>
                    {
                        Size::Bits(COUNTER)
                    }
                    (Size::Bits(one), Size::Bits(other)) => exact(one.max(other) + 1),
                    (Size::Any, _) | (_, Size::Any) => Size::Any,
                    _ => Size::Unknown,
                }
            }
            // (by a positive constant: zero by a negative number is a negative zero)
            Arith::Mul => {
                let positive = |num| constant(num).is_some_and(|value| value > 0.0);
                match (of(*a), of(*b)) {
                    (Size::Bits(one), Size::Bits(other)) if positive(*a) || positive(*b) => {
                        exact(one + other)
                    }
                    (Size::Unknown, _) | (_, Size::Unknown) => Size::Unknown,
                    _ => Size::Any,
                }
            }
            Arith::Div => Size::Any,
            Arith::And | Arith::Or | Arith::Xor | Arith::Shl | Arith::Shr | Arith::UShr => {
                Size::Bits(32)
            }
        },
        _ => Size::Any,
    }
}

fn literal(value: f64) -> Size {
    let is_whole = value.trunc() == value && value.abs() < 2_147_483_648.0;
    let negative_zero = value == 0.0 && value.is_sign_negative();
    if !is_whole || negative_zero {
        return Size::Any;
    }
    Size::Bits(u64::BITS - (value.abs() as u64).leading_zeros())
}

fn exact(bits: u32) -> Size {
    if bits <= EXACT {
        Size::Bits(bits)
    } else {
        Size::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_mir::Builder;

    /// Adds `op` of two registers to a third, which is assigned before.
    fn again(first: f64, step: f64, op: Arith, twice: bool) -> bool {
        let mut b = Builder::new();
        let (counter, dst) = (b.num(), b.num());
        b.push(Inst::Num {
            dst: counter,
            value: first,
        });
        let step = b.constant(step);
        b.push(Inst::Arith {
            op,
            dst,
            a: counter,
            b: if twice { counter } else { step },
        });
        b.push(Inst::MoveNum {
            dst: counter,
            src: dst,
        });
        Whole::of(&b.finish()).has(counter)
    }

    #[test]
    fn counters_are_whole() {
        assert!(again(0.0, 1.0, Arith::Add, false));
        assert!(again(100.0, 2.0, Arith::Sub, false));
        assert!(again(5.0, 7.0, Arith::Shl, false));
    }

    #[test]
    fn what_grows_quickly_or_is_no_integer_is_not() {
        assert!(!again(0.5, 1.0, Arith::Add, false));
        assert!(!again(-0.0, 1.0, Arith::Add, false));
        assert!(!again(0.0, 1e9, Arith::Add, false));
        assert!(!again(1.0, 0.0, Arith::Add, true));
        assert!(!again(1.0, 2.0, Arith::Mul, false));
        assert!(!again(1.0, -1.0, Arith::Mul, false));
        assert!(!again(1.0, 2.0, Arith::Div, false));
    }
}
