//! From the middle representation to Cranelift's: what is frequent stands in the code, the rest is called.

use crate::array::{self, NumberIn, Views};
use crate::numbers::{condition, whole_condition};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    self, AbiParam, InstBuilder as _, MemFlagsData, SigRef, Signature, Type, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::{BTreeSet, HashMap, HashSet};
use vgdc_mir::opt::{self, Owners, Viewed};
use vgdc_mir::{
    Access, Addr, Arg, BlockId, Body, Expected, Flag, Helper, Inst, Kind, MSG, Mutation, Num,
    Operand, Slot, Terminator, Unary,
};
use vgdc_plan::native::{BAIL, BY_VALUE, OK, layout};

/// A function, and what it needs.
pub(crate) struct Made {
    pub(crate) function: ir::Function,
    /// The numbers of the helpers that it calls by thunks.
    pub(crate) thunks: BTreeSet<u32>,
}

/// Makes a function. A compact one calls helpers for what is frequent, too.
pub(crate) fn function(
    body: &Body,
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
    compact: bool,
) -> Made {
    let (made, loud) = attempt(body, isa, context, compact, HashSet::new());
    if compact {
        return made;
    }
    // (which loops call nothing each time around is known when they are made)
    let quiet = opt::loops_without(body, &loud);
    match quiet.is_empty() {
        true => made,
        false => attempt(body, isa, context, compact, quiet).0,
    }
}

/// Makes a function in which the seldom calls of some blocks keep all registers; tells which blocks call helpers each time.
fn attempt(
    body: &Body,
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
    compact: bool,
    quiet: HashSet<BlockId>,
) -> (Made, HashSet<BlockId>) {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 2]);
    signature.returns.push(AbiParam::new(types::I32));
    let mut function = ir::Function::with_name_signature(ir::UserFuncName::default(), signature);
    let mut b = FunctionBuilder::new(&mut function, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let (runtime, frame) = (b.block_params(entry)[0], b.block_params(entry)[1]);
    let home = (!compact).then(|| {
        let home = ir::StackSlotData::new(ir::StackSlotKind::ExplicitSlot, 8, 3);
        let home = b.create_sized_stack_slot(home);
        b.ins().stack_store(types::I64, frame, home, 0);
        home
    });
    let table = b.ins().load(types::I64, flags(), runtime, layout::HELPERS);
    let vars = |b: &mut FunctionBuilder<'_>, count: u32, ty: Type| -> Vec<Variable> {
        (0..count).map(|_| b.declare_var(ty)).collect()
    };
    let (of_flags, addrs) = (
        vars(&mut b, body.flags, types::I8),
        vars(&mut b, body.addrs, types::I64),
    );
    let whole = opt::integral(body);
    let nums = whole
        .iter()
        .map(|whole| b.declare_var(if *whole { types::I64 } else { types::F64 }))
        .collect();
    let fuel = b.declare_var(types::I32);
    let left = b.ins().load(types::I32, flags(), runtime, layout::FUEL);
    b.def_var(fuel, left);
    let views = match compact {
        true => Views::new(),
        false => array::views(body, &mut b),
    };
    let blocks: Vec<ir::Block> = body.blocks.iter().map(|_| b.create_block()).collect();
    let bail = b.create_block();
    b.ins().jump(blocks[0], &[]);
    let mut emit = Emit {
        b,
        runtime,
        frame,
        home,
        read: None,
        table,
        nums,
        whole,
        flags: of_flags,
        addrs,
        fuel,
        views,
        owners: Owners::default(),
        viewed: Viewed::default(),
        compact,
        length: body.keys.iter().position(|key| key == "length"),
        bail,
        signatures: HashMap::new(),
        call_conv: isa.default_call_conv(),
        at: BlockId(0),
        quiet,
        loud: HashSet::new(),
        thunks: BTreeSet::new(),
    };
    let (owners, viewed) = (opt::owners_at_entry(body), opt::viewed_at_entry(body));
    let used = uses(body);
    let known: Vec<_> = owners.into_iter().zip(viewed).collect();
    for cold in &body.cold {
        emit.b.set_cold_block(blocks[cold.0 as usize]);
    }
    // A block comes before those that it leads to: where its registers come from is known then, but for what comes along ways
    // back, and nothing that is the same on all ways becomes a parameter of a block.
    let order = body.reached();
    let mut ways = ways(body, &order);
    let mut emitted = vec![false; blocks.len()];
    for at in order.iter().map(|block| block.0 as usize) {
        let block = &body.blocks[at];
        emit.at = BlockId(at as u32);
        emit.b.switch_to_block(blocks[at]);
        if ways[at] == 0 {
            emit.b.seal_block(blocks[at]);
        }
        (emit.owners, emit.viewed) = known[at].clone();
        let mut insts = block.insts.iter().peekable();
        while let Some(inst) = insts.next() {
            let used = |addr: Addr| used[addr.0 as usize];
            let next = insts.peek().filter(|_| !compact);
            if let Some(number) = next.and_then(|next| NumberIn::of(inst, next, used)) {
                let value = emit.number_in_array(&number);
                emit.set_num(number.dst, value);
                // (that a conversion was made changes nothing that is known of slots)
                insts.next();
            } else {
                emit.inst(inst);
            }
            emit.owners.apply(inst);
            emit.forget_views(inst);
            emit.viewed.apply(inst);
        }
        emit.end(&block.end, &blocks);
        emitted[at] = true;
        for to in block.end.successors().map(|to| to.0 as usize) {
            ways[to] -= 1;
            if ways[to] == 0 && emitted[to] {
                emit.b.seal_block(blocks[to]);
            }
        }
    }
    emit.enter(bail);
    emit.b.set_cold_block(bail);
    let status = emit.b.ins().iconst(types::I32, i64::from(BAIL));
    emit.b.ins().return_(&[status]);
    let Emit {
        b, loud, thunks, ..
    } = emit;
    b.finalize(isa.frontend_config());
    (Made { function, thunks }, loud)
}

/// How many ways lead to each block from those that can be reached.
fn ways(body: &Body, reached: &[BlockId]) -> Vec<u32> {
    let mut ways = vec![0; body.blocks.len()];
    for block in reached {
        for to in body.blocks[block.0 as usize].end.successors() {
            ways[to.0 as usize] += 1;
        }
    }
    ways
}

/// How many operands name each register of addresses, but for those that give it its address.
fn uses(body: &Body) -> Vec<u32> {
    let mut uses = vec![0; body.addrs as usize];
    for inst in body.blocks.iter().flat_map(|block| &block.insts) {
        inst.clone().operands(|operand, access| {
            if let (Operand::Addr(addr), Access::Read | Access::Lend) = (operand, access) {
                uses[addr.0 as usize] += 1;
            }
        });
    }
    uses
}

/// Memory that is there and aligned.
pub(crate) fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

pub(crate) struct Emit<'f> {
    pub(crate) b: FunctionBuilder<'f>,
    pub(crate) runtime: Value,
    frame: Value,
    /// Where the frame's address is kept for cold blocks, unless the code is compact.
    home: Option<ir::StackSlot>,
    /// The frame's address as a cold block has read it.
    read: Option<(ir::Block, Value)>,
    pub(crate) table: Value,
    nums: Vec<Variable>,
    /// Which of them are whole, and machine integers.
    whole: Vec<bool>,
    flags: Vec<Variable>,
    addrs: Vec<Variable>,
    /// How many times loops may still go around before they look at the clock.
    fuel: Variable,
    /// Where the elements of arrays in slots are, as far as that is known.
    pub(crate) views: Views,
    /// The slots that may hold a value with memory of its own, where code is made now.
    owners: Owners,
    /// The slots whose views are filled there.
    pub(crate) viewed: Viewed,
    /// Whether the code is to be small rather than quick.
    pub(crate) compact: bool,
    /// The number of the name `length`.
    pub(crate) length: Option<usize>,
    pub(crate) bail: ir::Block,
    pub(crate) signatures: HashMap<Helper, SigRef>,
    pub(crate) call_conv: CallConv,
    /// The block that code is made of.
    pub(crate) at: BlockId,
    /// Blocks whose seldom calls are to keep all registers.
    pub(crate) quiet: HashSet<BlockId>,
    /// Blocks that call a helper each time.
    pub(crate) loud: HashSet<BlockId>,
    /// The numbers of the helpers that are called by thunks.
    pub(crate) thunks: BTreeSet<u32>,
}

impl Emit<'_> {
    pub(crate) fn is_whole(&self, num: Num) -> bool {
        self.whole[num.0 as usize]
    }

    /// A number, as such.
    pub(crate) fn num(&mut self, num: Num) -> Value {
        let value = self.b.use_var(self.nums[num.0 as usize]);
        match self.is_whole(num) {
            true => self.b.ins().fcvt_from_sint(types::F64, value),
            false => value,
        }
    }

    /// A number that is known to be whole, as an integer.
    pub(crate) fn whole(&mut self, num: Num) -> Option<Value> {
        self.is_whole(num)
            .then(|| self.b.use_var(self.nums[num.0 as usize]))
    }

    pub(crate) fn set_num(&mut self, num: Num, value: Value) {
        self.b.def_var(self.nums[num.0 as usize], value);
    }

    fn flag(&mut self, flag: Flag) -> Value {
        self.b.use_var(self.flags[flag.0 as usize])
    }

    fn set_flag(&mut self, flag: Flag, value: Value) {
        self.b.def_var(self.flags[flag.0 as usize], value);
    }

    fn set_addr(&mut self, addr: Addr, value: Value) {
        self.b.def_var(self.addrs[addr.0 as usize], value);
    }

    pub(crate) fn slot(&mut self, slot: Slot) -> Value {
        let distance = i64::from(slot.0) * i64::from(layout::VALUE);
        let frame = self.frame_here();
        self.b.ins().iadd_imm_s(frame, distance)
    }

    pub(crate) fn is_cold_here(&self) -> bool {
        let here = self.b.current_block();
        here.is_some_and(|here| self.b.func.layout.is_cold(here))
    }

    /// The frame's address. Cold blocks read it from memory: what they make of it would be hoisted out of loops else, where
    /// it takes registers from what is frequent.
    fn frame_here(&mut self) -> Value {
        let (Some(home), Some(here)) = (self.home, self.b.current_block()) else {
            return self.frame;
        };
        if !self.is_cold_here() {
            return self.frame;
        }
        match self.read {
            Some((block, frame)) if block == here => frame,
            _ => {
                let frame = self.b.ins().stack_load(types::I64, types::I64, home, 0);
                self.read = Some((here, frame));
                frame
            }
        }
    }

    /// The address of an argument that is a value.
    pub(crate) fn address(&mut self, arg: Arg) -> Value {
        match arg {
            Arg::Slot(slot) => self.slot(slot),
            Arg::Addr(addr) => self.b.use_var(self.addrs[addr.0 as usize]),
            Arg::Num(_) | Arg::Const(_) => {
                unreachable!("the middle representation gives addresses here")
            }
        }
    }

    fn kind(&mut self, address: Value) -> Value {
        self.b.ins().uload8(types::I32, flags(), address, 0)
    }

    pub(crate) fn set_kind(&mut self, address: Value, kind: u8) {
        let kind = self.b.ins().iconst(types::I8, i64::from(kind));
        self.b.ins().store(flags(), kind, address, 0);
    }

    pub(crate) fn is_kind(&mut self, address: Value, kind: u8) -> Value {
        let found = self.kind(address);
        self.b
            .ins()
            .icmp_imm_u(IntCC::Equal, found, i64::from(kind))
    }

    /// Whether a value owns memory.
    pub(crate) fn owns(&mut self, address: Value) -> Value {
        let kind = self.kind(address);
        let owning = self.b.ins().iconst(types::I32, i64::from(layout::OWNING));
        let bit = self.b.ins().ushr(owning, kind);
        self.b.ins().band_imm_u(bit, 1)
    }

    /// Goes on in `yes` when true, else in `no`, and adds to `yes` from now on.
    pub(crate) fn branch(&mut self, condition: Value, yes: ir::Block, no: ir::Block) {
        self.b.ins().brif(condition, yes, &[], no, &[]);
    }

    /// Goes on in a block of which it is known where it is reached from: that keeps the code free of parameters of blocks, which
    /// are registers, for what is the same on all ways.
    pub(crate) fn enter(&mut self, block: ir::Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    /// A block that code goes on in: seldom reached, where the block at hand is.
    pub(crate) fn more(&mut self) -> ir::Block {
        let more = self.b.create_block();
        if self.is_cold_here() {
            self.b.set_cold_block(more);
        }
        more
    }

    /// Does something only when a condition holds, which it seldom does.
    pub(crate) fn seldom(&mut self, condition: Value, f: impl FnOnce(&mut Self)) {
        let (rare, more) = (self.b.create_block(), self.more());
        self.branch(condition, rare, more);
        self.b.set_cold_block(rare);
        self.enter(rare);
        f(self);
        self.b.ins().jump(more, &[]);
        self.enter(more);
    }

    /// One of two values, the second being seldom wanted.
    pub(crate) fn choose(
        &mut self,
        condition: Value,
        ty: Type,
        often: impl FnOnce(&mut Self) -> Value,
        seldom: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let [quick, slow, end] = std::array::from_fn(|_| self.more());
        self.b.append_block_param(end, ty);
        self.branch(condition, quick, slow);
        self.enter(quick);
        let value = often(self);
        self.b.ins().jump(end, &[value.into()]);
        self.b.set_cold_block(slow);
        self.enter(slow);
        let value = seldom(self);
        self.b.ins().jump(end, &[value.into()]);
        self.enter(end);
        self.b.block_params(end)[0]
    }

    /// Makes room for a value: what is there lets go of its memory.
    pub(crate) fn make_room(&mut self, address: Value) {
        let owns = self.owns(address);
        self.seldom(owns, |emit| {
            emit.call_values(Helper::Clear, &[address]);
        });
    }

    /// The same for a slot of the frame, of which more may be known.
    pub(crate) fn make_room_in(&mut self, slot: Slot, address: Value) {
        if self.owners.has(slot) {
            self.make_room(address);
        }
    }

    fn inst(&mut self, inst: &Inst) {
        match inst {
            Inst::Stage { number } => self.put(layout::STAGE, *number),
            Inst::Line { .. } => {}
            Inst::View { slot } => self.look(*slot),
            Inst::Num { dst, value } => {
                let value = match self.is_whole(*dst) {
                    true => self.b.ins().iconst(types::I64, *value as i64),
                    false => self.b.ins().f64const(*value),
                };
                self.set_num(*dst, value);
            }
            Inst::MoveNum { dst, src } => {
                // (a whole one can go where others do, but not the other way around)
                let value = match self.is_whole(*dst) {
                    true => self.b.use_var(self.nums[src.0 as usize]),
                    false => self.num(*src),
                };
                self.set_num(*dst, value);
            }
            Inst::Arith { op, dst, a, b } => self.arith(*op, *dst, *a, *b),
            Inst::Unary { op, dst, src } => {
                let src = self.num(*src);
                let value = match op {
                    Unary::Neg => self.b.ins().fneg(src),
                    Unary::Abs => self.b.ins().fabs(src),
                    Unary::Sqrt => self.b.ins().sqrt(src),
                    Unary::Floor => self.b.ins().floor(src),
                    Unary::Ceil => self.b.ins().ceil(src),
                    Unary::Trunc => self.b.ins().trunc(src),
                };
                self.set_num(*dst, value);
            }
            Inst::Flag { dst, value } => {
                let value = self.b.ins().iconst(types::I8, i64::from(*value));
                self.set_flag(*dst, value);
            }
            Inst::MoveFlag { dst, src } => {
                let value = self.flag(*src);
                self.set_flag(*dst, value);
            }
            Inst::Not { dst, src } => {
                let src = self.flag(*src);
                let value = self.b.ins().icmp_imm_u(IntCC::Equal, src, 0);
                self.set_flag(*dst, value);
            }
            Inst::Compare { op, dst, a, b } => {
                let value = match (self.whole(*a), self.whole(*b)) {
                    (Some(a), Some(b)) => self.b.ins().icmp(whole_condition(*op), a, b),
                    _ => {
                        let (a, b) = (self.num(*a), self.num(*b));
                        self.b.ins().fcmp(condition(*op), a, b)
                    }
                };
                self.set_flag(*dst, value);
            }
            Inst::NumTruthy { dst, src } => {
                let src = self.num(*src);
                let zero = self.b.ins().f64const(0.0);
                let value = self.b.ins().fcmp(FloatCC::OrderedNotEqual, src, zero);
                self.set_flag(*dst, value);
            }
            Inst::FlagNum { dst, src } => {
                let src = self.flag(*src);
                let wide = self.b.ins().uextend(types::I64, src);
                self.set_whole(*dst, wide);
            }
            Inst::Box { dst, src } => {
                let (address, value) = (self.slot(*dst), self.num(*src));
                self.make_room_in(*dst, address);
                self.set_kind(address, layout::NUMBER_KIND);
                self.b.ins().store(flags(), value, address, layout::PAYLOAD);
            }
            Inst::BoxFlag { dst, src } => {
                let (address, value) = (self.slot(*dst), self.flag(*src));
                self.make_room_in(*dst, address);
                self.set_kind(address, layout::BOOL);
                self.b.ins().store(flags(), value, address, layout::PAYLOAD);
            }
            Inst::Undefined { dst } => {
                let address = self.slot(*dst);
                self.make_room_in(*dst, address);
                self.set_kind(address, layout::UNDEFINED);
            }
            Inst::Null { dst } => {
                let address = self.slot(*dst);
                self.make_room_in(*dst, address);
                self.set_kind(address, layout::NULL);
            }
            Inst::ToNumber { dst, src } => {
                let address = self.address(*src);
                let value = self.number_of(address);
                self.set_num(*dst, value);
            }
            Inst::Truthy { dst, src } => {
                let address = self.address(*src);
                let is_bool = self.is_kind(address, layout::BOOL);
                let value = self.choose(
                    is_bool,
                    types::I8,
                    |emit| {
                        emit.b
                            .ins()
                            .load(types::I8, flags(), address, layout::PAYLOAD)
                    },
                    |emit| emit.result(Helper::Truthy, &[address]),
                );
                self.set_flag(*dst, value);
            }
            Inst::Nullish { dst, src } => {
                let address = self.address(*src);
                let kind = self.kind(address);
                let value = self.b.ins().icmp_imm_u(
                    IntCC::UnsignedLessThanOrEqual,
                    kind,
                    i64::from(layout::NULL),
                );
                self.set_flag(*dst, value);
            }
            Inst::IsUndefined { dst, src } => {
                let address = self.address(*src);
                let value = self.is_kind(address, layout::UNDEFINED);
                self.set_flag(*dst, value);
            }
            Inst::Expect { src, kind } => {
                let address = self.address(*src);
                let kind = match kind {
                    Expected::Number => layout::NUMBER_KIND,
                    Expected::Object => layout::OBJECT,
                };
                let right = self.is_kind(address, kind);
                let more = self.b.create_block();
                self.branch(right, more, self.bail);
                self.enter(more);
            }
            Inst::Copy { dst, src } => {
                let (to, from) = (self.slot(*dst), self.address(*src));
                let may_own = |arg: &Arg| match arg {
                    Arg::Slot(slot) => self.owners.has(*slot),
                    _ => true,
                };
                let owned = [may_own(&Arg::Slot(*dst)), may_own(src)];
                let owns = match owned {
                    [false, false] => None,
                    [true, false] => Some(self.owns(to)),
                    [false, true] => Some(self.owns(from)),
                    [true, true] => {
                        let (one, other) = (self.owns(to), self.owns(from));
                        Some(self.b.ins().bor(one, other))
                    }
                };
                let Some(owns) = owns else {
                    return self.copy_words(to, from);
                };
                if self.compact {
                    self.call_values(Helper::Copy, &[to, from]);
                    return;
                }
                let [whole, plain, end] = std::array::from_fn(|_| self.b.create_block());
                self.branch(owns, whole, plain);
                self.enter(whole);
                self.call_values(Helper::Copy, &[to, from]);
                self.b.ins().jump(end, &[]);
                self.enter(plain);
                self.copy_words(to, from);
                self.b.ins().jump(end, &[]);
                self.enter(end);
            }
            Inst::Get {
                dst,
                base,
                scratch,
                key,
                cache,
            } => {
                let value = self.get(*base, *scratch, *key, *cache);
                self.set_addr(*dst, value);
            }
            Inst::Do { helper, args } => self.action(*helper, args),
            Inst::Ask { helper, dst, args } => {
                let value = self.question(*helper, args);
                self.set_flag(*dst, value);
            }
            Inst::Calc { helper, dst, args } => {
                let value = self.found(*helper, args);
                self.set_num(*dst, value);
            }
            Inst::Find { helper, dst, args } => {
                let value = match (helper, args.as_slice()) {
                    (Helper::GetIndex, [base, Arg::Slot(scratch), Arg::Num(index)])
                        if !self.compact =>
                    {
                        self.element(*base, *scratch, *index)
                    }
                    _ => self.found(*helper, args),
                };
                self.set_addr(*dst, value);
            }
        }
    }

    pub(crate) fn copy_words(&mut self, dst: Value, src: Value) {
        for at in [0, layout::PAYLOAD] {
            let word = self.b.ins().load(types::I64, flags(), src, at);
            self.b.ins().store(flags(), word, dst, at);
        }
    }

    pub(crate) fn number_in(&mut self, address: Value) -> Value {
        self.b
            .ins()
            .load(types::F64, flags(), address, layout::PAYLOAD)
    }

    fn number_of(&mut self, address: Value) -> Value {
        let is_number = self.is_kind(address, layout::NUMBER_KIND);
        self.choose(
            is_number,
            types::F64,
            |emit| emit.number_in(address),
            |emit| emit.number_by_helper(address),
        )
    }

    /// What `ToNumber` makes of what is seldom met: no number.
    pub(crate) fn number_by_helper(&mut self, address: Value) -> Value {
        self.call_values(Helper::TryNumber, &[address]);
        let runtime = self.runtime;
        self.b
            .ins()
            .load(types::F64, flags(), runtime, layout::NUMBER)
    }

    fn both_numbers(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = (
            self.is_kind(a, layout::NUMBER_KIND),
            self.is_kind(b, layout::NUMBER_KIND),
        );
        self.b.ins().band(a, b)
    }

    fn action(&mut self, helper: Helper, args: &[Arg]) {
        match (helper, args) {
            (Helper::Tick, _) => {
                let fuel = self.b.use_var(self.fuel);
                let less = self.b.ins().iadd_imm_s(fuel, -1);
                self.b.def_var(self.fuel, less);
                let empty = self.b.ins().icmp_imm_u(IntCC::Equal, less, 0);
                self.seldom(empty, |emit| {
                    emit.call_values(Helper::Tick, &[]);
                    let runtime = emit.runtime;
                    let fuel = emit
                        .b
                        .ins()
                        .load(types::I32, flags(), runtime, layout::FUEL);
                    emit.b.def_var(emit.fuel, fuel);
                });
            }
            (Helper::Clear, [Arg::Slot(slot)]) => {
                let address = self.slot(*slot);
                self.make_room_in(*slot, address);
            }
            (Helper::Move, [to, src]) => {
                let (dst, src) = (self.address(*to), self.address(*src));
                match to {
                    Arg::Slot(slot) => self.make_room_in(*slot, dst),
                    _ => self.make_room(dst),
                }
                self.copy_words(dst, src);
                self.set_kind(src, layout::UNDEFINED);
            }
            (Helper::Set, [base, value, Arg::Const(key), Arg::Const(cache)]) => {
                let (base, value) = (self.address(*base), self.address(*value));
                self.set(base, value, *key, *cache);
            }
            (Helper::SetIndex, [base, value, Arg::Num(index)]) if !self.compact => {
                self.set_element(*base, *value, *index);
            }
            (
                Helper::Mutate,
                [
                    Arg::Slot(dst),
                    receiver,
                    Arg::Slot(value),
                    Arg::Const(which),
                    Arg::Const(1),
                ],
            ) if *which == Mutation::Push as u32 && !self.compact => {
                self.push(*dst, *receiver, *value);
            }
            (Helper::Add, [dst, a, b]) if !self.compact => {
                let [dst, a, b] = [*dst, *a, *b].map(|arg| self.address(arg));
                let numbers = self.both_numbers(a, b);
                let [quick, slow, end] = std::array::from_fn(|_| self.b.create_block());
                self.branch(numbers, quick, slow);
                self.enter(quick);
                let (x, y) = (self.number_in(a), self.number_in(b));
                let sum = self.b.ins().fadd(x, y);
                self.make_room(dst);
                self.set_kind(dst, layout::NUMBER_KIND);
                self.b.ins().store(flags(), sum, dst, layout::PAYLOAD);
                self.b.ins().jump(end, &[]);
                self.enter(slow);
                self.call_values(Helper::Add, &[dst, a, b]);
                self.b.ins().jump(end, &[]);
                self.enter(end);
            }
            _ => {
                self.call(helper, args);
            }
        }
    }

    fn question(&mut self, helper: Helper, args: &[Arg]) -> Value {
        let compare = match (helper, args) {
            (Helper::StrictEqual | Helper::LooseEqual, _) => FloatCC::Equal,
            (Helper::Less, [_, _, Arg::Const(mode)]) => match mode {
                0 => FloatCC::LessThan,
                1 => FloatCC::GreaterThan,
                2 => FloatCC::LessThanOrEqual,
                _ => FloatCC::GreaterThanOrEqual,
            },
            _ => return self.found(helper, args),
        };
        let (a, b) = (self.address(args[0]), self.address(args[1]));
        let numbers = self.both_numbers(a, b);
        let rest: Vec<Arg> = args[2..].to_vec();
        self.choose(
            numbers,
            types::I8,
            |emit| {
                let (x, y) = (emit.number_in(a), emit.number_in(b));
                emit.b.ins().fcmp(compare, x, y)
            },
            |emit| {
                let mut values = vec![a, b];
                for arg in &rest {
                    if let Arg::Const(constant) = arg {
                        values.push(emit.b.ins().iconst(types::I32, i64::from(*constant)));
                    }
                }
                emit.result(helper, &values)
            },
        )
    }

    fn end(&mut self, end: &Terminator, blocks: &[ir::Block]) {
        match end {
            Terminator::Bail => {
                self.b.ins().jump(self.bail, &[]);
            }
            Terminator::Jump(to) => {
                self.b.ins().jump(blocks[to.0 as usize], &[]);
            }
            Terminator::Branch(flag, yes, no) => {
                let flag = self.flag(*flag);
                self.branch(flag, blocks[yes.0 as usize], blocks[no.0 as usize]);
            }
            Terminator::Return(slot) => {
                self.put(layout::RESULT, slot.0);
                self.leave(BY_VALUE);
            }
            Terminator::Send(port) => {
                self.put(layout::RESULT, MSG.0);
                self.leave(*port);
            }
        }
    }

    /// Puts a constant into the context.
    fn put(&mut self, at: i32, constant: u32) {
        let value = self.b.ins().iconst(types::I32, i64::from(constant));
        self.b.ins().store(flags(), value, self.runtime, at);
    }

    /// Ends the call well.
    fn leave(&mut self, port: u32) {
        self.put(layout::PORT, port);
        let status = self.b.ins().iconst(types::I32, i64::from(OK));
        self.b.ins().return_(&[status]);
    }
}

pub(crate) fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Address | Kind::Found => types::I64,
        Kind::Number => types::F64,
        Kind::Constant
        | Kind::Key
        | Kind::Text
        | Kind::Value
        | Kind::Cache
        | Kind::Status
        | Kind::Flag
        | Kind::Nothing => types::I32,
    }
}
