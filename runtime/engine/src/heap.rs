//! The allocator behind QuickJS: counts bytes and enforces the memory limit in two steps.
//!
//! QuickJS aborts the process when a small allocation fails at some places (settling a promise, for one). So only big requests
//! are refused at the limit, which throws "out of memory"; small ones still succeed out of a reserve, and the interrupt handler
//! then stops the code that made them. The reserve is larger than what can be asked for between two looks of the handler.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::cell::Cell;
use std::ffi::c_void;

use crate::raw::qjs;

/// Requests of up to this many bytes count as small.
const SMALL: usize = 4 << 10;
/// What small requests may take beyond the limit: ten thousand steps of the interpreter, each with a small request, and some.
const RESERVE: usize = 64 << 20;
/// Every block begins with its size; 16 bytes keep the alignment that C expects.
const HEADER: usize = 16;

/// The account of one runtime's memory.
pub(crate) struct Heap {
    limit: usize,
    used: Cell<usize>,
}

impl Heap {
    pub(crate) fn new(limit: usize) -> Self {
        Heap {
            limit,
            used: Cell::new(0),
        }
    }

    /// True when the limit has been passed.
    pub(crate) fn is_over(&self) -> bool {
        self.used.get() > self.limit
    }

    /// The functions to make a runtime with; its opaque pointer must be a `Heap`.
    pub(crate) fn functions() -> &'static qjs::JSMallocFunctions {
        static FUNCTIONS: qjs::JSMallocFunctions = qjs::JSMallocFunctions {
            js_calloc: Some(js_calloc),
            js_malloc: Some(js_malloc),
            js_free: Some(js_free),
            js_realloc: Some(js_realloc),
            js_malloc_usable_size: Some(js_malloc_usable_size),
        };
        &FUNCTIONS
    }

    fn allows(&self, more: usize) -> bool {
        let used = self.used.get().saturating_add(more);
        used <= self.limit || (more <= SMALL && used <= self.limit.saturating_add(RESERVE))
    }

    fn layout(size: usize) -> Option<Layout> {
        Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
    }

    /// # Safety
    /// `block` must be null or a fresh block of the layout for `size`.
    unsafe fn hand_out(&self, block: *mut u8, size: usize) -> *mut c_void {
        if block.is_null() {
            return std::ptr::null_mut();
        }
        self.used.set(self.used.get() + size);
        // SAFETY: the block has HEADER bytes in front, aligned for a usize.
        unsafe {
            block.cast::<usize>().write(size);
            block.add(HEADER).cast()
        }
    }

    fn allocate(&self, size: usize, zeroed: bool) -> *mut c_void {
        let Some(layout) = Self::layout(size).filter(|_| self.allows(size)) else {
            return std::ptr::null_mut();
        };
        // SAFETY: the layout has a non-zero size (the header).
        unsafe {
            self.hand_out(
                if zeroed {
                    alloc_zeroed(layout)
                } else {
                    alloc(layout)
                },
                size,
            )
        }
    }
}

/// # Safety
/// `opaque` must be the runtime's heap.
unsafe fn heap<'a>(opaque: *mut c_void) -> &'a Heap {
    // SAFETY: as the caller promises.
    unsafe { &*opaque.cast::<Heap>() }
}

/// # Safety
/// `pointer` must have been handed out by a heap.
unsafe fn size_of_block(pointer: *const c_void) -> usize {
    // SAFETY: every block handed out has its size HEADER bytes before it.
    unsafe { pointer.cast::<u8>().sub(HEADER).cast::<usize>().read() }
}

unsafe extern "C" fn js_malloc(opaque: *mut c_void, size: qjs::size_t) -> *mut c_void {
    // SAFETY: QuickJS passes what the runtime was made with.
    unsafe { heap(opaque) }.allocate(size as usize, false)
}

unsafe extern "C" fn js_calloc(
    opaque: *mut c_void,
    count: qjs::size_t,
    size: qjs::size_t,
) -> *mut c_void {
    let Some(bytes) = (count as usize).checked_mul(size as usize) else {
        return std::ptr::null_mut();
    };
    // SAFETY: QuickJS passes what the runtime was made with.
    unsafe { heap(opaque) }.allocate(bytes, true)
}

unsafe extern "C" fn js_free(opaque: *mut c_void, pointer: *mut c_void) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: QuickJS frees each block once, with the heap that handed it out; the layout is the one it was allocated with.
    unsafe {
        let heap = heap(opaque);
        let size = size_of_block(pointer);
        heap.used.set(heap.used.get().saturating_sub(size));
        if let Some(layout) = Heap::layout(size) {
            dealloc(pointer.cast::<u8>().sub(HEADER), layout);
        }
    }
}

unsafe extern "C" fn js_realloc(
    opaque: *mut c_void,
    pointer: *mut c_void,
    size: qjs::size_t,
) -> *mut c_void {
    let size = size as usize;
    if pointer.is_null() {
        // SAFETY: QuickJS passes what the runtime was made with.
        return unsafe { heap(opaque) }.allocate(size, false);
    }
    if size == 0 {
        // SAFETY: as for js_free.
        unsafe { js_free(opaque, pointer) };
        return std::ptr::null_mut();
    }
    // SAFETY: the block was handed out by this heap with the layout for its old size; on failure it stays as it is.
    unsafe {
        let heap = heap(opaque);
        let old = size_of_block(pointer);
        let (Some(from), Some(to)) = (Heap::layout(old), Heap::layout(size)) else {
            return std::ptr::null_mut();
        };
        if size > old && !heap.allows(size - old) {
            return std::ptr::null_mut();
        }
        let block = realloc(pointer.cast::<u8>().sub(HEADER), from, to.size());
        if !block.is_null() {
            heap.used.set(heap.used.get().saturating_sub(old));
        }
        heap.hand_out(block, size)
    }
}

unsafe extern "C" fn js_malloc_usable_size(pointer: *const c_void) -> qjs::size_t {
    if pointer.is_null() {
        return 0;
    }
    // SAFETY: QuickJS asks about blocks it was handed out.
    (unsafe { size_of_block(pointer) }) as qjs::size_t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_requests_outlive_the_limit_and_big_ones_do_not() {
        let heap = Heap::new(1000);
        assert!(heap.allows(1000));
        heap.used.set(1000);
        assert!(heap.allows(SMALL));
        assert!(!heap.allows(SMALL + 1));
        heap.used.set(1001);
        assert!(heap.is_over());
    }
}
