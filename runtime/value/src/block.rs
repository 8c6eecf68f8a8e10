//! The memory of an object: a reference count, the names, and the slots, in one allocation. All of the crate's handling of
//! raw memory is here.
//!
//! Invariants: `header.len` slots are initialised, `len <= capacity`; the count is at least 1 while a [`Block`] exists;
//! only a block whose count is 1 is changed.

use crate::layout::Layout;
use crate::{Value, nest};
use std::alloc::{self, Layout as Memory};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

#[repr(C)]
struct Header {
    count: AtomicUsize,
    layout: Layout,
    len: u32,
    capacity: u32,
}

pub(crate) const SLOTS: usize = std::mem::size_of::<Header>();
/// Where the number of slots is; that for which there is room follows.
pub(crate) const LEN: usize = std::mem::offset_of!(Header, len);
const _: () = assert!(std::mem::offset_of!(Header, capacity) == LEN + 4);
/// Where the address in [`Layout`] is: behind the byte that says which kind it is, aligned.
pub(crate) const NAMES: usize = std::mem::offset_of!(Header, layout) + std::mem::size_of::<usize>();
const _: () = assert!(std::mem::size_of::<Layout>() == 2 * std::mem::size_of::<usize>());
// (machine code looks at the count, too)
const _: () = assert!(std::mem::offset_of!(Header, count) == 0);
const _: () = assert!(SLOTS.is_multiple_of(std::mem::align_of::<Value>()));
const _: () = assert!(std::mem::align_of::<Header>() >= std::mem::align_of::<Value>());

/// A counted reference to names and slots.
pub(crate) struct Block(NonNull<Header>);

// SAFETY: a block is a counted reference as `Arc` is: the count is atomic, shared contents are never changed, and what it
// holds (`Layout`, `Value`) can be given to and seen by other threads (asserted below).
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

const _: () = {
    const fn threads<T: Send + Sync>() {}
    threads::<Layout>();
    threads::<Value>();
};

fn memory(capacity: usize) -> Memory {
    let size = capacity
        .checked_mul(std::mem::size_of::<Value>())
        .and_then(|slots| slots.checked_add(SLOTS));
    match size.map(|size| Memory::from_size_align(size, std::mem::align_of::<Header>())) {
        Some(Ok(memory)) if capacity <= u32::MAX as usize => memory,
        // (as Vec does: nothing can be done about memory that cannot exist)
        _ => panic!("an object's capacity overflows"),
    }
}

impl Block {
    /// No slots yet.
    pub(crate) fn new(layout: Layout, capacity: usize) -> Block {
        let memory = memory(capacity);
        // SAFETY: the size is not zero, as the header is not empty.
        let raw = unsafe { alloc::alloc(memory) };
        let Some(header) = NonNull::new(raw.cast::<Header>()) else {
            alloc::handle_alloc_error(memory)
        };
        // SAFETY: freshly allocated for a header with its alignment.
        unsafe {
            header.write(Header {
                count: AtomicUsize::new(1),
                layout,
                len: 0,
                capacity: capacity as u32,
            })
        };
        Block(header)
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the header lives while the count is not 0, and nobody changes it while it is shared.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn first(&self) -> *mut Value {
        // SAFETY: the slots begin right behind the header, in the same allocation.
        unsafe { self.0.as_ptr().byte_add(SLOTS).cast::<Value>() }
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        &self.header().layout
    }

    #[inline]
    pub(crate) fn slots(&self) -> &[Value] {
        // SAFETY: `len` slots are initialised, and are not changed while they are borrowed.
        unsafe { std::slice::from_raw_parts(self.first(), self.header().len as usize) }
    }

    #[inline]
    pub(crate) fn same(&self, other: &Block) -> bool {
        self.0 == other.0
    }

    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        // (acquires what those did who let go of it)
        self.header().count.load(Ordering::Acquire) == 1
    }

    /// For changing; copied first (with room for `more` slots) when it is shared.
    #[inline]
    pub(crate) fn make_mut(&mut self, more: usize) -> Unique<'_> {
        if !self.is_unique() {
            *self = self.copy(more);
        }
        Unique(self)
    }

    #[cold]
    #[inline(never)]
    fn copy(&self, more: usize) -> Block {
        let slots = self.slots();
        let mut copy = Block::new(self.layout().clone(), slots.len() + more);
        let mut unique = Unique(&mut copy);
        slots.iter().for_each(|value| unique.push(value.clone()));
        copy
    }
}

impl Clone for Block {
    #[inline]
    fn clone(&self) -> Block {
        // (as in `Arc`: whoever has a reference can make another without ordering anything)
        let count = self.header().count.fetch_add(1, Ordering::Relaxed);
        if count > isize::MAX as usize {
            std::process::abort();
        }
        Block(self.0)
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        if self.header().count.fetch_sub(1, Ordering::Release) == 1 {
            // What others did with it happened before it is freed.
            fence(Ordering::Acquire);
            nest::release(Last(self.0));
        }
    }
}

/// The contents of a block to which nobody refers any more. Dropping it drops the slots and frees the memory.
pub(crate) struct Last(NonNull<Header>);

impl Drop for Last {
    fn drop(&mut self) {
        // SAFETY: the count reached 0 by the drop that made this, so nobody else can reach it; the slots up to `len` and
        // the header are initialised and dropped once; the memory was allocated with this layout.
        unsafe {
            let header = self.0.as_ptr();
            let slots = header.byte_add(SLOTS).cast::<Value>();
            let (len, capacity) = ((*header).len as usize, (*header).capacity as usize);
            std::ptr::drop_in_place(std::ptr::slice_from_raw_parts_mut(slots, len));
            std::ptr::drop_in_place(header);
            alloc::dealloc(header.cast(), memory(capacity));
        }
    }
}

/// A block to which nobody else refers: it can be changed.
pub(crate) struct Unique<'b>(&'b mut Block);

impl<'b> Unique<'b> {
    #[inline]
    fn header(&mut self) -> &mut Header {
        // SAFETY: the count is 1 and the only reference is borrowed mutably.
        unsafe { self.0.0.as_mut() }
    }

    #[inline]
    pub(crate) fn layout(&mut self) -> &mut Layout {
        &mut self.header().layout
    }

    #[inline]
    pub(crate) fn slots(self) -> &'b mut [Value] {
        // SAFETY: as in `Block::slots`; the count is 1 and the only reference stays borrowed for as long.
        unsafe { std::slice::from_raw_parts_mut(self.0.first(), self.0.header().len as usize) }
    }

    #[inline]
    pub(crate) fn slot(&mut self, at: usize) -> Option<&mut Value> {
        Unique(&mut *self.0).slots().get_mut(at)
    }

    /// Appends a slot.
    #[inline]
    pub(crate) fn push(&mut self, value: Value) {
        if self.0.header().len == self.0.header().capacity {
            self.grow();
        }
        let len = self.0.header().len as usize;
        // SAFETY: `len < capacity`, so the place is within the allocation; nothing is there that would have to be dropped.
        unsafe { self.0.first().add(len).write(value) };
        self.header().len = len as u32 + 1;
    }

    #[cold]
    fn grow(&mut self) {
        let old = self.0.header().capacity as usize;
        let new = (old * 2).max(4);
        let (before, after) = (memory(old), memory(new));
        // SAFETY: the memory was allocated with `before`; the new size is not 0 and does not overflow, as `memory` checks.
        // Moving the contents is right as nothing refers to their addresses: the only reference is borrowed here.
        let raw = unsafe { alloc::realloc(self.0.0.as_ptr().cast(), before, after.size()) };
        let Some(header) = NonNull::new(raw.cast::<Header>()) else {
            alloc::handle_alloc_error(after)
        };
        self.0.0 = header;
        self.header().capacity = new as u32;
    }

    /// Takes all slots out.
    pub(crate) fn take(&mut self) -> Vec<Value> {
        let len = self.0.header().len as usize;
        self.header().len = 0;
        let first = self.0.first();
        // SAFETY: the slots up to `len` were initialised and, as `len` is 0 now, are read this once.
        (0..len).map(|at| unsafe { first.add(at).read() }).collect()
    }

    /// Removes a slot; those behind it move up.
    pub(crate) fn remove(&mut self, at: usize) -> Option<Value> {
        let len = self.0.header().len as usize;
        if at >= len {
            return None;
        }
        self.header().len = len as u32 - 1;
        // SAFETY: `at < len`: the slot is initialised and read once, as the ones behind it are moved over it.
        unsafe {
            let slot = self.0.first().add(at);
            let value = slot.read();
            std::ptr::copy(slot.add(1), slot, len - at - 1);
            Some(value)
        }
    }
}
