//! The middle representation of code in nodes: basic blocks of instructions on typed registers, before any machine's.
//!
//! * Values of any type are in the slots of the function's frame; slot 0 is the message. Numbers and truth values whose type
//!   is known are in registers of their own, unboxed. Addresses point to a value in a slot or inside one, and live until the
//!   next instruction that changes a value.
//! * Registers can be assigned many times: a backend that wants static single assignment makes it so.
//! * Whatever an instruction cannot do ends the call with a bail-out (`vgdc_plan::native`): the engine does it all again.
//!   So nothing here needs to know what an exception is.

mod build;
mod node;
pub mod opt;
mod pristine;
mod probe;
mod region;
mod text;
mod visit;

use std::collections::BTreeSet;
use vgdc_plan::native::Probe;

pub use build::Builder;
pub use node::{NodeCode, NodeLowering};
pub use probe::probe;
pub use region::{Region, Stage, fuse};
pub use vgdc_plan::native::{Builtin, Form, Function, Helper, Host, Kind, Math, Method, Mutation};
pub use visit::{Access, Operand};

/// A slot of the frame, which holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);
/// A register that holds a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Num(pub u32);
/// A register that holds true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flag(pub u32);
/// A register that holds the address of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Addr(pub u32);
/// A basic block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// The slot of the message.
pub const MSG: Slot = Slot(0);

/// A function.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Body {
    /// Slots hold references to objects ([`Helper::Share`]): a change of what one slot leads to may be one of what others lead
    /// to, and no address leads into an object.
    pub shared: bool,
    /// It gives `msg` another message, whose id is not the one that what it returns gets.
    pub replaces: bool,
    /// Variables that JavaScript would keep beyond the call: no other text of the node may know them.
    pub globals: Vec<String>,
    /// Branches that are left to the engine: what is in them, and in which line of the text. They bail out when they are taken.
    pub left: Vec<(String, u32)>,
    /// What passes made of it, for people: `vgdc explain`.
    pub did: Vec<String>,
    /// How many slots its frame has.
    pub slots: u32,
    /// How many registers of numbers.
    pub nums: u32,
    /// How many registers of truth values.
    pub flags: u32,
    /// How many registers of addresses.
    pub addrs: u32,
    /// How many caches of properties' places.
    pub caches: u32,
    /// Names of properties.
    pub keys: Vec<String>,
    /// Constant texts.
    pub texts: Vec<String>,
    /// Constants of other kinds, as the control protocol writes values.
    pub values: Vec<String>,
    /// The blocks; the first is the beginning.
    pub blocks: Vec<Block>,
    /// Blocks that are hardly ever come to, by a profile. What they do is not changed by that.
    pub cold: BTreeSet<BlockId>,
    /// Slots in which a call leaves a mark where it came by.
    pub probes: Vec<Probe>,
}

impl Body {
    /// What a plan has of it, wherever its code begins.
    pub fn function(&self, offset: u32) -> Function {
        Function {
            offset,
            slots: self.slots,
            pristine: self.is_pristine(),
            replaces: self.replaces,
            caches: self.caches,
            keys: self.keys.clone(),
            texts: self.texts.clone(),
            values: self.values.clone(),
            probes: self.probes.clone(),
        }
    }

    /// The blocks that can be reached, in reverse postorder: each before those that it leads to, unless it leads back.
    pub fn reached(&self) -> Vec<BlockId> {
        let mut seen = vec![false; self.blocks.len()];
        let mut order = Vec::new();
        let mut todo = vec![(BlockId(0), false)];
        while let Some((block, done)) = todo.pop() {
            if done {
                order.push(block);
            } else if !std::mem::replace(&mut seen[block.0 as usize], true) {
                todo.push((block, true));
                let to = self.blocks[block.0 as usize].end.successors();
                todo.extend(to.map(|to| (to, false)));
            }
        }
        order.reverse();
        order
    }
}

/// A basic block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// What is done, in order.
    pub insts: Vec<Inst>,
    /// What is done then.
    pub end: Terminator,
}

/// How a block ends.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Terminator {
    /// The call is made again in the engine.
    #[default]
    Bail,
    /// Goes on there.
    Jump(BlockId),
    /// Goes on at the first when true, else at the second.
    Branch(Flag, BlockId, BlockId),
    /// Ends the call with the value in a slot: what a function node's text returns.
    Return(Slot),
    /// Ends the call: the message leaves by this output.
    Send(u32),
}

impl Terminator {
    /// Where it may go on.
    pub fn successors(&self) -> impl Iterator<Item = BlockId> + use<> {
        let (one, other) = match self {
            Terminator::Jump(to) => (Some(*to), None),
            Terminator::Branch(_, yes, no) => (Some(*yes), Some(*no)),
            Terminator::Bail | Terminator::Return(_) | Terminator::Send(_) => (None, None),
        };
        one.into_iter().chain(other)
    }
}

/// An operand of a helper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arg {
    /// The address of a slot.
    Slot(Slot),
    /// An address.
    Addr(Addr),
    /// A number.
    Num(Num),
    /// A constant.
    Const(u32),
}

impl From<Slot> for Arg {
    fn from(slot: Slot) -> Self {
        Arg::Slot(slot)
    }
}

impl From<Addr> for Arg {
    fn from(addr: Addr) -> Self {
        Arg::Addr(addr)
    }
}

impl From<Num> for Arg {
    fn from(num: Num) -> Self {
        Arg::Num(num)
    }
}

impl From<u32> for Arg {
    fn from(constant: u32) -> Self {
        Arg::Const(constant)
    }
}

/// Arithmetic on numbers that needs no helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    /// What follows works on 32-bit integers, as JavaScript converts to them.
    And,
    Or,
    Xor,
    Shl,
    Shr,
    /// `>>>`
    UShr,
}

/// Comparisons of numbers. All are false with NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Compare {
    Eq,
    Lt,
    Gt,
    Le,
    Ge,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the fields are what the names say
pub enum Inst {
    /// What follows is the code of this operator of the region.
    Stage {
        number: u32,
    },
    /// What follows is made of this line of the text, from 1: only in what is made for people to look at.
    Line {
        line: u32,
    },
    /// A constant number.
    Num {
        dst: Num,
        value: f64,
    },
    MoveNum {
        dst: Num,
        src: Num,
    },
    Arith {
        op: Arith,
        dst: Num,
        a: Num,
        b: Num,
    },
    /// One of those that machines have: absolute value, square root, rounding towards an integer.
    Unary {
        op: Unary,
        dst: Num,
        src: Num,
    },
    Flag {
        dst: Flag,
        value: bool,
    },
    MoveFlag {
        dst: Flag,
        src: Flag,
    },
    Not {
        dst: Flag,
        src: Flag,
    },
    Compare {
        op: Compare,
        dst: Flag,
        a: Num,
        b: Num,
    },
    /// True when the number is neither 0 nor NaN.
    NumTruthy {
        dst: Flag,
        src: Num,
    },
    /// 1 or 0.
    FlagNum {
        dst: Num,
        src: Flag,
    },
    /// Makes a value of a number.
    Box {
        dst: Slot,
        src: Num,
    },
    BoxFlag {
        dst: Slot,
        src: Flag,
    },
    Undefined {
        dst: Slot,
    },
    Null {
        dst: Slot,
    },
    /// `ToNumber`.
    ToNumber {
        dst: Num,
        src: Arg,
    },
    /// `ToBoolean`.
    Truthy {
        dst: Flag,
        src: Arg,
    },
    /// True for undefined and null.
    Nullish {
        dst: Flag,
        src: Arg,
    },
    /// Bails out when a value is of another kind.
    Expect {
        src: Arg,
        kind: Expected,
    },
    /// True for undefined.
    IsUndefined {
        dst: Flag,
        src: Arg,
    },
    /// Copies a value into a slot.
    Copy {
        dst: Slot,
        src: Arg,
    },
    /// Looks where the elements of the array in a slot are, if it is one: code that finds that out by itself leaves this out.
    View {
        slot: Slot,
    },
    /// A property by a constant key.
    Get {
        dst: Addr,
        base: Arg,
        scratch: Slot,
        key: u32,
        cache: u32,
    },
    /// A helper without a result.
    Do {
        helper: Helper,
        args: Vec<Arg>,
    },
    /// A helper that says true or false.
    Ask {
        helper: Helper,
        dst: Flag,
        args: Vec<Arg>,
    },
    /// A helper that gives a number.
    Calc {
        helper: Helper,
        dst: Num,
        args: Vec<Arg>,
    },
    /// A helper that finds a value.
    Find {
        helper: Helper,
        dst: Addr,
        args: Vec<Arg>,
    },
}

/// What a value is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Expected {
    Number,
    Object,
}

/// Functions of one number that machines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Abs,
    Sqrt,
    Floor,
    Ceil,
    Trunc,
}
