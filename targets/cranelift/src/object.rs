//! Properties of objects: where they were the last time.

use crate::emit::{Emit, flags};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder as _, Value, types};
use vgdc_mir::{Arg, Helper, Slot};
use vgdc_plan::native::layout;

impl Emit<'_> {
    /// The memory of an object; goes to `miss` when it is none.
    fn memory_of(&mut self, base: Value, miss: ir::Block) -> Value {
        let object = self.b.create_block();
        let is_object = self.is_kind(base, layout::OBJECT);
        self.branch(is_object, object, miss);
        self.enter(object);
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
        self.enter(hit);
        let distance = load(self, caches, at + layout::CACHE_DISTANCE);
        self.b.ins().iadd(memory, distance)
    }

    fn constants(&mut self, key: u32, cache: u32) -> [Value; 2] {
        [key, cache].map(|constant| self.b.ins().iconst(types::I32, i64::from(constant)))
    }

    /// A property: where it was the last time, if the object has the same names as then.
    pub(crate) fn get(&mut self, base: Arg, scratch: Slot, key: u32, cache: u32) -> Value {
        let (base, place) = (self.address(base), self.slot(scratch));
        if self.compact {
            let [key, cache] = self.constants(key, cache);
            return self.result(Helper::Get, &[base, place, key, cache]);
        }
        let [miss, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.append_block_param(end, types::I64);
        self.b.set_cold_block(miss);
        if self.length == Some(key as usize) {
            self.length_of(base, (scratch, place), end);
        }
        let memory = self.memory_of(base, miss);
        let found = self.cached(memory, cache, miss);
        self.b.ins().jump(end, &[found.into()]);
        self.enter(miss);
        let [key, cache] = self.constants(key, cache);
        let found = self.result(Helper::Get, &[base, place, key, cache]);
        self.b.ins().jump(end, &[found.into()]);
        self.enter(end);
        self.b.block_params(end)[0]
    }

    /// Sets a property: where it was the last time, if the object has the same names as then; or behind the others, if it
    /// has those names to which it was added the last time. Nobody else may have the object.
    pub(crate) fn set(&mut self, base: Value, value: Value, key: u32, cache: u32) {
        if self.compact {
            let [key, cache] = self.constants(key, cache);
            self.call_values(Helper::Set, &[base, value, key, cache]);
            return;
        }
        let [alone, other, miss, end] = std::array::from_fn(|_| self.b.create_block());
        self.b.set_cold_block(miss);
        let memory = self.memory_of(base, miss);
        let count = self.b.ins().atomic_load(types::I64, flags(), memory);
        let unique = self.b.ins().icmp_imm_u(IntCC::Equal, count, 1);
        self.branch(unique, alone, miss);
        self.enter(alone);
        let place = self.cached(memory, cache, other);
        self.make_room(place);
        self.copy_words(place, value);
        self.set_kind(value, layout::UNDEFINED);
        self.b.ins().jump(end, &[]);
        self.enter(other);
        self.append(memory, value, cache + 1, (miss, end));
        self.enter(miss);
        let [key, cache] = self.constants(key, cache);
        self.call_values(Helper::Set, &[base, value, key, cache]);
        self.b.ins().jump(end, &[]);
        self.enter(end);
    }

    /// Adds a property to an object, if it has the names that the cache was filled with, and room.
    fn append(
        &mut self,
        memory: Value,
        value: Value,
        cache: u32,
        (miss, end): (ir::Block, ir::Block),
    ) {
        let [same, room] = std::array::from_fn(|_| self.b.create_block());
        let at = cache as i32 * layout::CACHE;
        let runtime = self.runtime;
        let mut load =
            |ty, from: Value, distance: i32| self.b.ins().load(ty, flags(), from, distance);
        let caches = load(types::I64, runtime, layout::CACHES);
        let before = load(types::I64, caches, at);
        let names = load(types::I64, memory, layout::SHAPE);
        let known = self.b.ins().icmp(IntCC::Equal, before, names);
        self.branch(known, same, miss);
        self.enter(same);
        let mut load =
            |ty, from: Value, distance: i32| self.b.ins().load(ty, flags(), from, distance);
        let len = load(types::I32, memory, layout::OBJECT_LEN);
        let most = load(types::I32, memory, layout::OBJECT_ROOM);
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThan, len, most);
        self.branch(fits, room, miss);
        self.enter(room);
        let wide = self.b.ins().uextend(types::I64, len);
        let distance = self.b.ins().imul_imm_s(wide, i64::from(layout::VALUE));
        let values = self.b.ins().iadd(memory, distance);
        let place = self
            .b
            .ins()
            .iadd_imm_s(values, i64::from(layout::OBJECT_VALUES));
        self.copy_words(place, value);
        self.set_kind(value, layout::UNDEFINED);
        let more = self.b.ins().iadd_imm_s(len, 1);
        let ins = self.b.ins();
        ins.store(flags(), more, memory, layout::OBJECT_LEN);
        let distance = at + layout::CACHE_DISTANCE;
        let after = self.b.ins().load(types::I64, flags(), caches, distance);
        self.b.ins().store(flags(), after, memory, layout::SHAPE);
        self.b.ins().jump(end, &[]);
    }
}
