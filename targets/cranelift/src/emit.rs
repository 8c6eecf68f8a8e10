//! From the middle representation to Cranelift's: what is frequent stands in the code, the rest is called.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    self, AbiParam, InstBuilder as _, MemFlagsData, SigRef, Signature, Type, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::HashMap;
use vgdc_mir::{
    Addr, Arg, Arith, Body, Compare, Flag, Helper, Inst, Kind, MSG, Num, Slot, Terminator, Unary,
};
use vgdc_plan::native::{BAIL, BY_VALUE, OK, layout};

/// Makes a function.
pub(crate) fn function(
    body: &Body,
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
) -> ir::Function {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(types::I64); 2]);
    signature.returns.push(AbiParam::new(types::I32));
    let mut function = ir::Function::with_name_signature(ir::UserFuncName::default(), signature);
    let mut b = FunctionBuilder::new(&mut function, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let (runtime, frame) = (b.block_params(entry)[0], b.block_params(entry)[1]);
    let table = b.ins().load(types::I64, flags(), runtime, layout::HELPERS);
    let vars = |b: &mut FunctionBuilder<'_>, count: u32, ty: Type| -> Vec<Variable> {
        (0..count).map(|_| b.declare_var(ty)).collect()
    };
    let (nums, of_flags, addrs) = (
        vars(&mut b, body.nums, types::F64),
        vars(&mut b, body.flags, types::I8),
        vars(&mut b, body.addrs, types::I64),
    );
    let blocks: Vec<ir::Block> = body.blocks.iter().map(|_| b.create_block()).collect();
    let bail = b.create_block();
    b.ins().jump(blocks[0], &[]);
    let mut emit = Emit {
        b,
        runtime,
        frame,
        table,
        nums,
        flags: of_flags,
        addrs,
        bail,
        signatures: HashMap::new(),
        call_conv: isa.default_call_conv(),
    };
    for (block, at) in body.blocks.iter().zip(&blocks) {
        emit.b.switch_to_block(*at);
        for inst in &block.insts {
            emit.inst(inst);
        }
        emit.end(&block.end, &blocks);
    }
    emit.b.switch_to_block(bail);
    emit.b.set_cold_block(bail);
    let status = emit.b.ins().iconst(types::I32, i64::from(BAIL));
    emit.b.ins().return_(&[status]);
    emit.b.seal_all_blocks();
    emit.b.finalize(isa.frontend_config());
    function
}

/// Memory that is there and aligned.
fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

struct Emit<'f> {
    b: FunctionBuilder<'f>,
    runtime: Value,
    frame: Value,
    table: Value,
    nums: Vec<Variable>,
    flags: Vec<Variable>,
    addrs: Vec<Variable>,
    bail: ir::Block,
    signatures: HashMap<Helper, SigRef>,
    call_conv: CallConv,
}

impl Emit<'_> {
    fn num(&mut self, num: Num) -> Value {
        self.b.use_var(self.nums[num.0 as usize])
    }

    fn set_num(&mut self, num: Num, value: Value) {
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

    fn slot(&mut self, slot: Slot) -> Value {
        let distance = i64::from(slot.0) * i64::from(layout::VALUE);
        self.b.ins().iadd_imm_s(self.frame, distance)
    }

    /// The address of an argument that is a value.
    fn address(&mut self, arg: Arg) -> Value {
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

    fn set_kind(&mut self, address: Value, kind: u8) {
        let kind = self.b.ins().iconst(types::I8, i64::from(kind));
        self.b.ins().store(flags(), kind, address, 0);
    }

    fn is_kind(&mut self, address: Value, kind: u8) -> Value {
        let found = self.kind(address);
        self.b
            .ins()
            .icmp_imm_u(IntCC::Equal, found, i64::from(kind))
    }

    /// Whether a value owns memory.
    fn owns(&mut self, address: Value) -> Value {
        let kind = self.kind(address);
        let owning = self.b.ins().iconst(types::I32, i64::from(layout::OWNING));
        let bit = self.b.ins().ushr(owning, kind);
        self.b.ins().band_imm_u(bit, 1)
    }

    /// Goes on in `yes` when true, else in `no`, and adds to `yes` from now on.
    fn branch(&mut self, condition: Value, yes: ir::Block, no: ir::Block) {
        self.b.ins().brif(condition, yes, &[], no, &[]);
    }

    /// Does something only when a condition holds, which it seldom does.
    fn seldom(&mut self, condition: Value, f: impl FnOnce(&mut Self)) {
        let (rare, more) = (self.b.create_block(), self.b.create_block());
        self.branch(condition, rare, more);
        self.b.set_cold_block(rare);
        self.b.switch_to_block(rare);
        f(self);
        self.b.ins().jump(more, &[]);
        self.b.switch_to_block(more);
    }

    /// One of two values, the second being seldom wanted.
    fn choose(
        &mut self,
        condition: Value,
        ty: Type,
        often: impl FnOnce(&mut Self) -> Value,
        seldom: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let [quick, slow, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.append_block_param(end, ty);
        self.branch(condition, quick, slow);
        self.b.switch_to_block(quick);
        let value = often(self);
        self.b.ins().jump(end, &[value.into()]);
        self.b.set_cold_block(slow);
        self.b.switch_to_block(slow);
        let value = seldom(self);
        self.b.ins().jump(end, &[value.into()]);
        self.b.switch_to_block(end);
        self.b.block_params(end)[0]
    }

    fn signature(&mut self, helper: Helper) -> SigRef {
        if let Some(known) = self.signatures.get(&helper) {
            return *known;
        }
        let mut signature = Signature::new(self.call_conv);
        signature.params.push(AbiParam::new(types::I64));
        for parameter in helper.parameters() {
            signature.params.push(AbiParam::new(type_of(*parameter)));
        }
        if helper.result() != Kind::Nothing {
            signature
                .returns
                .push(AbiParam::new(type_of(helper.result())));
        }
        let made = self.b.import_signature(signature);
        self.signatures.insert(helper, made);
        made
    }

    /// Calls a helper with values that are there; gives its raw result.
    fn call_raw(&mut self, helper: Helper, values: &[Value]) -> Option<Value> {
        let signature = self.signature(helper);
        let callee = self
            .b
            .ins()
            .load(types::I64, flags(), self.table, helper as i32 * 8);
        let mut all = vec![self.runtime];
        all.extend_from_slice(values);
        let call = self.b.ins().call_indirect(signature, callee, &all);
        self.b.inst_results(call).first().copied()
    }

    /// Calls a helper, and bails out when it does; gives its result.
    fn call_values(&mut self, helper: Helper, values: &[Value]) -> Option<Value> {
        let result = self.call_raw(helper, values)?;
        let bad = match helper.result() {
            Kind::Status => self
                .b
                .ins()
                .icmp_imm_u(IntCC::NotEqual, result, i64::from(OK)),
            Kind::Flag => self
                .b
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, result, 1),
            Kind::Found => self.b.ins().icmp_imm_u(IntCC::Equal, result, 0),
            _ => return Some(result),
        };
        let more = self.b.create_block();
        self.branch(bad, self.bail, more);
        self.b.switch_to_block(more);
        Some(match helper.result() {
            Kind::Flag => self.b.ins().ireduce(types::I8, result),
            _ => result,
        })
    }

    fn call(&mut self, helper: Helper, args: &[Arg]) -> Option<Value> {
        let values: Vec<Value> = args
            .iter()
            .map(|arg| match *arg {
                Arg::Num(num) => self.num(num),
                Arg::Const(constant) => self.b.ins().iconst(types::I32, i64::from(constant)),
                address => self.address(address),
            })
            .collect();
        self.call_values(helper, &values)
    }

    fn found(&mut self, helper: Helper, args: &[Arg]) -> Value {
        match self.call(helper, args) {
            Some(value) => value,
            None => unreachable!("{helper:?} has a result"),
        }
    }

    /// Makes room for a value: what is there lets go of its memory.
    fn make_room(&mut self, address: Value) {
        let owns = self.owns(address);
        self.seldom(owns, |emit| {
            emit.call_values(Helper::Clear, &[address]);
        });
    }

    fn inst(&mut self, inst: &Inst) {
        match inst {
            Inst::Stage { number } => self.put(layout::STAGE, *number),
            Inst::Num { dst, value } => {
                let value = self.b.ins().f64const(*value);
                self.set_num(*dst, value);
            }
            Inst::MoveNum { dst, src } => {
                let value = self.num(*src);
                self.set_num(*dst, value);
            }
            Inst::Arith { op, dst, a, b } => {
                let (a, b) = (self.num(*a), self.num(*b));
                let value = self.arith(*op, a, b);
                self.set_num(*dst, value);
            }
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
                let (a, b) = (self.num(*a), self.num(*b));
                let value = self.b.ins().fcmp(condition(*op), a, b);
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
                let wide = self.b.ins().uextend(types::I32, src);
                let value = self.b.ins().fcvt_from_uint(types::F64, wide);
                self.set_num(*dst, value);
            }
            Inst::Box { dst, src } => {
                let (address, value) = (self.slot(*dst), self.num(*src));
                self.make_room(address);
                self.set_kind(address, layout::NUMBER_KIND);
                self.b.ins().store(flags(), value, address, layout::PAYLOAD);
            }
            Inst::BoxFlag { dst, src } => {
                let (address, value) = (self.slot(*dst), self.flag(*src));
                self.make_room(address);
                self.set_kind(address, layout::BOOL);
                self.b.ins().store(flags(), value, address, layout::PAYLOAD);
            }
            Inst::Undefined { dst } => {
                let address = self.slot(*dst);
                self.make_room(address);
                self.set_kind(address, layout::UNDEFINED);
            }
            Inst::Null { dst } => {
                let address = self.slot(*dst);
                self.make_room(address);
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
            Inst::Copy { dst, src } => {
                let (dst, src) = (self.slot(*dst), self.address(*src));
                let (one, other) = (self.owns(dst), self.owns(src));
                let either = self.b.ins().bor(one, other);
                let [whole, plain, end] = std::array::from_fn(|_| self.b.create_block());
                self.branch(either, whole, plain);
                self.b.switch_to_block(whole);
                self.call_values(Helper::Copy, &[dst, src]);
                self.b.ins().jump(end, &[]);
                self.b.switch_to_block(plain);
                self.copy_words(dst, src);
                self.b.ins().jump(end, &[]);
                self.b.switch_to_block(end);
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
                let value = self.found(*helper, args);
                self.set_addr(*dst, value);
            }
        }
    }

    fn result(&mut self, helper: Helper, values: &[Value]) -> Value {
        match self.call_values(helper, values) {
            Some(value) => value,
            None => unreachable!("{helper:?} has a result"),
        }
    }

    fn copy_words(&mut self, dst: Value, src: Value) {
        for at in [0, layout::PAYLOAD] {
            let word = self.b.ins().load(types::I64, flags(), src, at);
            self.b.ins().store(flags(), word, dst, at);
        }
    }

    fn number_in(&mut self, address: Value) -> Value {
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
            |emit| {
                emit.call_values(Helper::TryNumber, &[address]);
                emit.b
                    .ins()
                    .load(types::F64, flags(), emit.runtime, layout::NUMBER)
            },
        )
    }

    /// The memory of an object; goes to `miss` when it is none.
    fn memory_of(&mut self, base: Value, miss: ir::Block) -> Value {
        let object = self.b.create_block();
        let is_object = self.is_kind(base, layout::OBJECT);
        self.branch(is_object, object, miss);
        self.b.switch_to_block(object);
        let ins = self.b.ins();
        ins.load(types::I64, flags(), base, layout::PAYLOAD)
    }

    /// Where a property was the last time; goes to `miss` when the object has not the same names as then.
    fn cached(&mut self, memory: Value, cache: u32, miss: ir::Block) -> Value {
        let hit = self.b.create_block();
        let at = cache as i32 * layout::CACHE;
        let load = |emit: &mut Self, from: Value, distance: i32| {
            emit.b.ins().load(types::I64, flags(), from, distance)
        };
        let caches = load(self, self.runtime, layout::CACHES);
        let known = load(self, caches, at);
        let shape = load(self, memory, layout::SHAPE);
        let same = self.b.ins().icmp(IntCC::Equal, known, shape);
        self.branch(same, hit, miss);
        self.b.switch_to_block(hit);
        let distance = load(self, caches, at + layout::CACHE_DISTANCE);
        self.b.ins().iadd(memory, distance)
    }

    fn constants(&mut self, key: u32, cache: u32) -> [Value; 2] {
        [key, cache].map(|constant| self.b.ins().iconst(types::I32, i64::from(constant)))
    }

    /// A property: where it was the last time, if the object has the same names as then.
    fn get(&mut self, base: Arg, scratch: Slot, key: u32, cache: u32) -> Value {
        let (base, scratch) = (self.address(base), self.slot(scratch));
        let [miss, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.append_block_param(end, types::I64);
        self.b.set_cold_block(miss);
        let memory = self.memory_of(base, miss);
        let place = self.cached(memory, cache, miss);
        self.b.ins().jump(end, &[place.into()]);
        self.b.switch_to_block(miss);
        let [key, cache] = self.constants(key, cache);
        let found = self.result(Helper::Get, &[base, scratch, key, cache]);
        self.b.ins().jump(end, &[found.into()]);
        self.b.switch_to_block(end);
        self.b.block_params(end)[0]
    }

    /// Sets a property: where it was the last time, if the object has the same names as then and nobody else has it.
    fn set(&mut self, base: Value, value: Value, key: u32, cache: u32) {
        let [alone, miss, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.set_cold_block(miss);
        let memory = self.memory_of(base, miss);
        let count = self.b.ins().atomic_load(types::I64, flags(), memory);
        let unique = self.b.ins().icmp_imm_u(IntCC::Equal, count, 1);
        self.branch(unique, alone, miss);
        self.b.switch_to_block(alone);
        let place = self.cached(memory, cache, miss);
        self.make_room(place);
        self.copy_words(place, value);
        self.set_kind(value, layout::UNDEFINED);
        self.b.ins().jump(end, &[]);
        self.b.switch_to_block(miss);
        let [key, cache] = self.constants(key, cache);
        self.call_values(Helper::Set, &[base, value, key, cache]);
        self.b.ins().jump(end, &[]);
        self.b.switch_to_block(end);
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
                let fuel = self
                    .b
                    .ins()
                    .load(types::I32, flags(), self.runtime, layout::FUEL);
                let less = self.b.ins().iadd_imm_s(fuel, -1);
                self.b
                    .ins()
                    .store(flags(), less, self.runtime, layout::FUEL);
                let empty = self.b.ins().icmp_imm_u(IntCC::Equal, less, 0);
                self.seldom(empty, |emit| {
                    emit.call_values(Helper::Tick, &[]);
                });
            }
            (Helper::Clear, [Arg::Slot(slot)]) => {
                let address = self.slot(*slot);
                self.make_room(address);
            }
            (Helper::Move, [dst, src]) => {
                let (dst, src) = (self.address(*dst), self.address(*src));
                self.make_room(dst);
                self.copy_words(dst, src);
                self.set_kind(src, layout::UNDEFINED);
            }
            (Helper::Set, [base, value, Arg::Const(key), Arg::Const(cache)]) => {
                let (base, value) = (self.address(*base), self.address(*value));
                self.set(base, value, *key, *cache);
            }
            (Helper::Add, [dst, a, b]) => {
                let [dst, a, b] = [*dst, *a, *b].map(|arg| self.address(arg));
                let numbers = self.both_numbers(a, b);
                let [quick, slow, end] = std::array::from_fn(|_| self.b.create_block());
                self.branch(numbers, quick, slow);
                self.b.switch_to_block(quick);
                let (x, y) = (self.number_in(a), self.number_in(b));
                let sum = self.b.ins().fadd(x, y);
                self.make_room(dst);
                self.set_kind(dst, layout::NUMBER_KIND);
                self.b.ins().store(flags(), sum, dst, layout::PAYLOAD);
                self.b.ins().jump(end, &[]);
                self.b.switch_to_block(slow);
                self.call_values(Helper::Add, &[dst, a, b]);
                self.b.ins().jump(end, &[]);
                self.b.switch_to_block(end);
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

    fn arith(&mut self, op: Arith, a: Value, b: Value) -> Value {
        match op {
            Arith::Add => return self.b.ins().fadd(a, b),
            Arith::Sub => return self.b.ins().fsub(a, b),
            Arith::Mul => return self.b.ins().fmul(a, b),
            Arith::Div => return self.b.ins().fdiv(a, b),
            _ => {}
        }
        let (a, b) = (self.int_of(a), self.int_of(b));
        let value = match op {
            Arith::And => self.b.ins().band(a, b),
            Arith::Or => self.b.ins().bor(a, b),
            Arith::Xor => self.b.ins().bxor(a, b),
            _ => {
                let by = self.b.ins().band_imm_u(b, 31);
                match op {
                    Arith::Shl => self.b.ins().ishl(a, by),
                    Arith::Shr => self.b.ins().sshr(a, by),
                    _ => self.b.ins().ushr(a, by),
                }
            }
        };
        match op {
            Arith::UShr => self.b.ins().fcvt_from_uint(types::F64, value),
            _ => self.b.ins().fcvt_from_sint(types::F64, value),
        }
    }

    /// `ToInt32`: quick for what fits into 64 bits.
    fn int_of(&mut self, number: Value) -> Value {
        let size = self.b.ins().fabs(number);
        let limit = self.b.ins().f64const(9.0e18);
        let fits = self.b.ins().fcmp(FloatCC::LessThan, size, limit);
        self.choose(
            fits,
            types::I32,
            |emit| {
                let wide = emit.b.ins().fcvt_to_sint_sat(types::I64, number);
                emit.b.ins().ireduce(types::I32, wide)
            },
            |emit| {
                let found = emit.result(Helper::ToInt32, &[number]);
                emit.b.ins().fcvt_to_sint_sat(types::I32, found)
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

fn type_of(kind: Kind) -> Type {
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

fn condition(compare: Compare) -> FloatCC {
    match compare {
        Compare::Eq => FloatCC::Equal,

        Compare::Lt => FloatCC::LessThan,
        Compare::Gt => FloatCC::GreaterThan,
        Compare::Le => FloatCC::LessThanOrEqual,
        Compare::Ge => FloatCC::GreaterThanOrEqual,
    }
}
