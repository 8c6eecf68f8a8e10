//! Elements of arrays.
//!
//! For a slot whose elements are read by index, the code remembers where they are and how many (a *view*) for as long as nothing
//! can have changed the array: a loop over an array looks at its kind and its memory once. No elements stands for "not known".
//! Before a loop that leaves the array as it is, an instruction fills the view; accesses inside do not fill it anew then, so
//! that nothing in the loop changes it and it can stay in registers.

use crate::emit::{Emit, flags};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder as _, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use std::collections::HashMap;
use vgdc_mir::{Addr, Arg, Body, Helper, Inst, Mutation, Num, Slot};
use vgdc_plan::native::layout;

/// Where the elements of a slot's array are, and how many.
#[derive(Clone, Copy)]
pub(crate) struct View {
    first: Variable,
    len: Variable,
}

/// The views, by slot.
pub(crate) type Views = HashMap<Slot, View>;

/// The views of a function, of which nothing is known yet.
pub(crate) fn views(body: &Body, b: &mut FunctionBuilder<'_>) -> Views {
    let mut views = Views::new();
    let insts = body.blocks.iter().flat_map(|block| &block.insts);
    for base in insts.filter_map(Inst::reads_element_of) {
        views.entry(base).or_insert_with(|| {
            let [first, len] = std::array::from_fn(|_| b.declare_var(types::I64));
            let nothing = b.ins().iconst(types::I64, 0);
            b.def_var(first, nothing);
            b.def_var(len, nothing);
            View { first, len }
        });
    }
    views
}

/// An element that is wanted as a number, and as nothing else.
pub(crate) struct NumberIn {
    base: Arg,
    scratch: Slot,
    index: Num,
    pub(crate) dst: Num,
}

impl NumberIn {
    /// What two instructions do together, if nobody else (`used` counts) wants to know where the element is.
    pub(crate) fn of(first: &Inst, second: &Inst, used: impl Fn(Addr) -> u32) -> Option<NumberIn> {
        match (first, second) {
            (
                Inst::Find {
                    helper: Helper::GetIndex,
                    dst: found,
                    args,
                },
                Inst::ToNumber {
                    dst,
                    src: Arg::Addr(src),
                },
            ) if found == src && used(*src) == 1 => match args.as_slice() {
                [base, Arg::Slot(scratch), Arg::Num(index)] => Some(NumberIn {
                    base: *base,
                    scratch: *scratch,
                    index: *index,
                    dst: *dst,
                }),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Emit<'_> {
    /// Looks where the elements of a slot's array are, if it is one.
    pub(crate) fn look(&mut self, slot: Slot) {
        let Some(view) = self.views.get(&slot).copied() else {
            return;
        };
        let base = self.slot(slot);
        let [none, end] = std::array::from_fn(|_| self.b.create_block());
        let (_, first, len) = self.elements(base, none);
        self.b.def_var(view.first, first);
        self.b.def_var(view.len, len);
        self.b.ins().jump(end, &[]);
        self.b.set_cold_block(none);
        self.enter(none);
        let nothing = self.b.ins().iconst(types::I64, 0);
        self.b.def_var(view.first, nothing);
        self.b.def_var(view.len, nothing);
        self.b.ins().jump(end, &[]);
        self.enter(end);
    }

    /// Forgets what an instruction may have changed.
    pub(crate) fn forget_views(&mut self, inst: &Inst) {
        if self.views.is_empty() {
            return;
        }
        let mut changed: Vec<Slot> = Vec::new();
        inst.writes(|slot| changed.push(slot));
        for slot in changed {
            if let Some(view) = self.views.get(&slot).copied() {
                let nothing = self.b.ins().iconst(types::I64, 0);
                self.b.def_var(view.len, nothing);
            }
        }
    }

    /// Goes to `miss` when a value is no array; gives where its elements are, and how many.
    fn elements(&mut self, base: Value, miss: ir::Block) -> (Value, Value, Value) {
        let array = self.b.create_block();
        let is_array = self.is_kind(base, layout::ARRAY);
        self.branch(is_array, array, miss);
        self.enter(array);
        let mut load = |from: Value, at: i32| self.b.ins().load(types::I64, flags(), from, at);
        let memory = load(base, layout::PAYLOAD);
        let first = load(memory, layout::ARRAY_FIRST);
        let len = load(memory, layout::ARRAY_LEN);
        (memory, first, len)
    }

    /// An index as an integer; goes to `miss` when it is not whole. (One that is too large or negative comes out as one that
    /// no array has.)
    fn index(&mut self, index: Num, miss: ir::Block) -> Value {
        if let Some(whole) = self.whole(index) {
            return whole;
        }
        let number = self.num(index);
        let whole = self.b.ins().fcvt_to_sint_sat(types::I64, number);
        let back = self.b.ins().fcvt_from_sint(types::F64, whole);
        let same = self.b.ins().fcmp(FloatCC::Equal, number, back);
        let fine = self.b.create_block();
        self.branch(same, fine, miss);
        self.enter(fine);
        whole
    }

    fn at(&mut self, first: Value, index: Value) -> Value {
        let distance = self.b.ins().imul_imm_s(index, i64::from(layout::VALUE));
        self.b.ins().iadd(first, distance)
    }

    /// Where an element is; goes to `miss` when the value is no array, or has none with this index.
    fn place(&mut self, base: Arg, index: Num, miss: ir::Block) -> Value {
        let (view, filled) = match base {
            Arg::Slot(slot) => (self.views.get(&slot).copied(), self.viewed.has(slot)),
            _ => (None, false),
        };
        let base = self.address(base);
        let whole = self.index(index, miss);
        let hit = self.b.create_block();
        let (first, len) = match view {
            Some(view) if filled => (None, self.b.use_var(view.len)),
            Some(view) => {
                let len = self.b.use_var(view.len);
                let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, whole, len);
                let look = self.b.create_block();
                self.branch(inside, hit, look);
                self.b.set_cold_block(look);
                self.enter(look);
                let (_, first, len) = self.elements(base, miss);
                self.b.def_var(view.first, first);
                self.b.def_var(view.len, len);
                (None, len)
            }
            None => {
                let (_, first, len) = self.elements(base, miss);
                (Some(first), len)
            }
        };
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, whole, len);
        self.branch(inside, hit, miss);
        self.enter(hit);
        let first = match (first, view) {
            (Some(first), _) => first,
            (None, Some(view)) => self.b.use_var(view.first),
            (None, None) => unreachable!("one of them says where the elements are"),
        };
        self.at(first, whole)
    }

    /// Adds to `miss`: an element of whatever value.
    fn missed(&mut self, base: Arg, scratch: Slot, index: Num, miss: ir::Block) -> Value {
        self.b.set_cold_block(miss);
        self.enter(miss);
        let (base, scratch) = (self.address(base), self.slot(scratch));
        let number = self.num(index);
        match self.call_values(Helper::GetIndex, &[base, scratch, number]) {
            Some(found) => found,
            None => unreachable!("{:?} has a result", Helper::GetIndex),
        }
    }

    /// An element.
    pub(crate) fn element(&mut self, base: Arg, scratch: Slot, index: Num) -> Value {
        let [miss, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.append_block_param(end, types::I64);
        let place = self.place(base, index, miss);
        self.b.ins().jump(end, &[place.into()]);
        let found = self.missed(base, scratch, index, miss);
        self.b.ins().jump(end, &[found.into()]);
        self.enter(end);
        self.b.block_params(end)[0]
    }

    /// An element that is wanted as a number: a number in an array is not asked for twice whether it is there.
    pub(crate) fn number_in_array(&mut self, wanted: &NumberIn) -> Value {
        let NumberIn {
            base,
            scratch,
            index,
            ..
        } = *wanted;
        let [number, miss, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.append_block_param(end, types::F64);
        let place = self.place(base, index, miss);
        let is_number = self.is_kind(place, layout::NUMBER_KIND);
        self.branch(is_number, number, miss);
        self.enter(number);
        let found = self.number_in(place);
        self.b.ins().jump(end, &[found.into()]);
        let found = self.missed(base, scratch, index, miss);
        let found = self.number_by_helper(found);
        self.b.ins().jump(end, &[found.into()]);
        self.enter(end);
        self.b.block_params(end)[0]
    }

    /// Goes to `miss` unless nobody else has an array.
    fn alone(&mut self, memory: Value, miss: ir::Block) {
        let alone = self.b.create_block();
        let count = self.b.ins().atomic_load(types::I64, flags(), memory);
        let unique = self.b.ins().icmp_imm_u(IntCC::Equal, count, 1);
        self.branch(unique, alone, miss);
        self.enter(alone);
    }

    /// Puts a value, which is moved, in the place of an element.
    pub(crate) fn set_element(&mut self, base: Arg, value: Arg, index: Num) {
        let (base, value) = (self.address(base), self.address(value));
        let [hit, miss, end] = std::array::from_fn(|_| self.b.create_block());
        let whole = self.index(index, miss);
        let (memory, first, len) = self.elements(base, miss);
        self.alone(memory, miss);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, whole, len);
        self.branch(inside, hit, miss);
        self.enter(hit);
        let place = self.at(first, whole);
        self.make_room(place);
        self.copy_words(place, value);
        self.set_kind(value, layout::UNDEFINED);
        self.b.ins().jump(end, &[]);
        self.b.set_cold_block(miss);
        self.enter(miss);
        let number = self.num(index);
        self.call_values(Helper::SetIndex, &[base, value, number]);
        self.b.ins().jump(end, &[]);
        self.enter(end);
    }

    /// `array.push(value)`: the new length is put into `dst`.
    pub(crate) fn push(&mut self, dst: Slot, receiver: Arg, value: Slot) {
        let (array, item) = (self.address(receiver), self.slot(value));
        let result = self.slot(dst);
        let [room, miss, end] = std::array::from_fn(|_| self.b.create_block());
        let (memory, first, len) = self.elements(array, miss);
        self.alone(memory, miss);
        let most = self
            .b
            .ins()
            .load(types::I64, flags(), memory, layout::ARRAY_ROOM);
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThan, len, most);
        self.branch(fits, room, miss);
        self.enter(room);
        let place = self.at(first, len);
        self.copy_words(place, item);
        self.set_kind(item, layout::UNDEFINED);
        let more = self.b.ins().iadd_imm_s(len, 1);
        let ins = self.b.ins();
        ins.store(flags(), more, memory, layout::ARRAY_LEN);
        self.make_room_in(dst, result);
        self.put_number(result, more);
        self.b.ins().jump(end, &[]);
        self.b.set_cold_block(miss);
        self.enter(miss);
        let which = self
            .b
            .ins()
            .iconst(types::I32, i64::from(Mutation::Push as u32));
        let count = self.b.ins().iconst(types::I32, 1);
        self.call_values(Helper::Mutate, &[result, array, item, which, count]);
        self.b.ins().jump(end, &[]);
        self.enter(end);
    }

    /// Puts a whole number, boxed, where nothing is to be let go of.
    fn put_number(&mut self, address: Value, whole: Value) {
        let number = self.b.ins().fcvt_from_sint(types::F64, whole);
        self.set_kind(address, layout::NUMBER_KIND);
        let ins = self.b.ins();
        ins.store(flags(), number, address, layout::PAYLOAD);
    }

    /// The length of an array, put into a scratch slot, with which the code goes on in `end`; what is no array is seen to by
    /// what is added next.
    pub(crate) fn length_of(&mut self, base: Value, scratch: (Slot, Value), end: ir::Block) {
        let other = self.b.create_block();
        let (_, _, len) = self.elements(base, other);
        self.make_room_in(scratch.0, scratch.1);
        self.put_number(scratch.1, len);
        self.b.ins().jump(end, &[scratch.1.into()]);
        self.enter(other);
    }
}
