//! The engine: one QuickJS runtime a thread, with its limits and what all its function nodes share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::time::Instant;

use crate::atoms::{AtomKey, AtomTable};
use crate::error::{CompileError, EngineError};
use crate::function::{Function, FunctionSource};
use crate::heap::Heap;
use crate::host::Host;
use crate::libs::{Lib, Libs};
use crate::message::{self, Node};
use crate::raw::{self, Ctx, JSAtom, JSValue, JsResult, Val, qjs};
use crate::realm::{self, Realm};
use crate::refs::Refs;

/// What JavaScript may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of JavaScript heap for all function nodes of the engine together.
    pub memory_bytes: usize,
    /// Bytes of the thread's stack; the thread must have them left when the engine is called.
    pub stack_bytes: usize,
    /// Milliseconds that a piece of code may run without coming back, for nodes without a time limit of their own.
    pub call_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 256 << 20,
            stack_bytes: 768 << 10,
            call_ms: 10_000,
        }
    }
}

/// What the engine's heap holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes allocated.
    pub bytes: u64,
    /// JavaScript objects alive.
    pub objects: u64,
    /// JavaScript strings alive.
    pub strings: u64,
    /// Property names alive.
    pub names: u64,
}

/// A JavaScript engine, for the thread it was made on. Cheap to clone: clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    owner: Rc<Owner>,
}

impl Engine {
    /// Starts an engine.
    ///
    /// # Errors
    /// When memory for it is refused.
    pub fn new(limits: Limits) -> Result<Engine, EngineError> {
        Owner::new(limits).map(|owner| Engine {
            owner: Rc::new(owner),
        })
    }

    /// Compiles a function node's texts into a context of their own.
    ///
    /// # Errors
    /// When one of them is no JavaScript.
    pub fn function(
        &self,
        source: &FunctionSource,
        host: Rc<dyn Host>,
    ) -> Result<Function, CompileError> {
        Function::new(self.owner.clone(), source, host)
    }

    /// What the heap holds now.
    pub fn memory(&self) -> MemoryUse {
        let mut usage = std::mem::MaybeUninit::<qjs::JSMemoryUsage>::zeroed();
        // SAFETY: the runtime is live; QuickJS fills the structure, and all-zero is a valid one.
        let usage = unsafe {
            qjs::JS_ComputeMemoryUsage(self.owner.inner().runtime, usage.as_mut_ptr());
            usage.assume_init()
        };
        MemoryUse {
            bytes: usage.malloc_size as u64,
            objects: usage.obj_count as u64,
            strings: usage.str_count as u64,
            names: usage.atom_count as u64,
        }
    }

    /// Collects cyclic garbage now instead of when the engine sees fit.
    pub fn collect(&self) {
        let inner = self.owner.inner();
        inner.refs.sweep(inner.runtime);
        // SAFETY: the runtime is live and no JavaScript is running but what may call us.
        unsafe { qjs::JS_RunGC(inner.runtime) }
    }
}

/// Numbers of QuickJS's own classes, which its header does not give.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Classes {
    pub(crate) object: u32,
    pub(crate) array: u32,
    pub(crate) number: u32,
    pub(crate) string: u32,
    pub(crate) boolean: u32,
    pub(crate) array_buffer: u32,
}

/// What the functions of an engine share. Reached from QuickJS through the runtime's opaque pointer.
pub(crate) struct Inner {
    pub(crate) runtime: *mut qjs::JSRuntime,
    root: *mut qjs::JSContext,
    pub(crate) limits: Limits,
    pub(crate) atoms: RefCell<AtomTable>,
    pub(crate) refs: Refs,
    pub(crate) libs: Libs,
    // Boxed, since a node in use is owned by its JavaScript object through a pointer.
    #[allow(clippy::vec_box)]
    pub(crate) pool: RefCell<Vec<Box<Node>>>,
    pub(crate) timers: RefCell<HashMap<u32, Weak<Realm>>>,
    pub(crate) watch: Watch,
    pub(crate) rejections: RefCell<Vec<Rejection>>,
    heap: NonNull<Heap>,
    classes: Classes,
    message_class: u32,
    pub(crate) node_class: u32,
    pub(crate) anchor_class: u32,
    pub(crate) names: Names,
    next_timer: Cell<u32>,
    depth: Cell<u32>,
    /// The function node whose code runs; null outside.
    current: Cell<*const Realm>,
    /// Where the thread's stack stood when the engine was entered.
    stack_top: Cell<usize>,
}

/// Being inside the engine; ends when dropped.
pub(crate) struct Entered<'a> {
    depth: &'a Cell<u32>,
    /// Nothing of the engine is running around this.
    pub(crate) outermost: bool,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.depth.set(self.depth.get() - 1);
    }
}

/// Atoms used on the hot path; owned by the engine.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) then: JSAtom,
    pub(crate) msgid: JSAtom,
    /// The symbol that marks timers, `Symbol.for("vgdc.timer")`.
    pub(crate) timer: JSAtom,
}

/// A promise that was rejected while nothing listened to it.
pub(crate) struct Rejection {
    pub(crate) promise: Val,
    pub(crate) reason: Val,
}

/// Owns an [`Inner`] at a fixed address and ends the runtime with it.
pub(crate) struct Owner {
    inner: NonNull<Inner>,
}

impl Owner {
    fn new(limits: Limits) -> Result<Owner, EngineError> {
        let heap = NonNull::from(Box::leak(Box::new(Heap::new(limits.memory_bytes))));
        // SAFETY: the functions follow QuickJS's contract and the heap outlives the runtime (freed in `drop`).
        let runtime = unsafe { qjs::JS_NewRuntime2(Heap::functions(), heap.as_ptr().cast()) };
        if runtime.is_null() {
            // SAFETY: nothing refers to the heap.
            drop(unsafe { Box::from_raw(heap.as_ptr()) });
            return Err(EngineError("no memory for a runtime".to_owned()));
        }
        let inner = Inner {
            runtime,
            root: std::ptr::null_mut(),
            limits,
            atoms: RefCell::default(),
            refs: Refs::new(),
            libs: Libs::default(),
            pool: RefCell::default(),
            timers: RefCell::default(),
            watch: Watch::default(),
            rejections: RefCell::default(),
            heap,
            classes: Classes::default(),
            message_class: 0,
            node_class: 0,
            anchor_class: 0,
            names: Names::default(),
            next_timer: Cell::new(1),
            depth: Cell::new(0),
            current: Cell::new(std::ptr::null()),
            stack_top: Cell::new(0),
        };
        let mut owner = Owner {
            inner: NonNull::from(Box::leak(Box::new(inner))),
        };
        owner
            .start()
            .ok_or_else(|| EngineError("no memory for its built-in objects".to_owned()))?;
        owner
            .furnish()
            .map_err(|_| EngineError(owner.pending_text()))?;
        Ok(owner)
    }

    fn start(&mut self) -> Option<()> {
        let opaque: *mut c_void = self.inner.as_ptr().cast();
        // SAFETY: nothing else refers to the inner part yet.
        let inner = unsafe { self.inner.as_mut() };
        // SAFETY: the runtime is live and `opaque` stays valid until `drop` has freed it.
        unsafe {
            qjs::JS_SetRuntimeOpaque(inner.runtime, opaque);
            qjs::JS_SetMaxStackSize(inner.runtime, inner.limits.stack_bytes as qjs::size_t);
            qjs::JS_SetInterruptHandler(inner.runtime, Some(interrupt), opaque);
            qjs::JS_SetHostPromiseRejectionTracker(
                inner.runtime,
                Some(realm::track_rejection),
                opaque,
            );
            inner.root = qjs::JS_NewContext(inner.runtime);
        }
        if inner.root.is_null() {
            return None;
        }
        inner.message_class = message::register(inner.runtime)?;
        inner.node_class = crate::native::node::register(inner.runtime)?;
        inner.anchor_class = realm::register(inner.runtime)?;
        Some(())
    }

    /// Looks around in the new runtime and compiles the sandbox.
    fn furnish(&mut self) -> JsResult<()> {
        // SAFETY: nothing else refers to the inner part yet.
        let inner = unsafe { self.inner.as_mut() };
        let ctx = inner.root();
        inner.classes = sample_classes(ctx)?;
        let timer = ctx.eval("Symbol.for('vgdc.timer')", c"vgdc:samples", 1, 0)?;
        inner.names = Names {
            then: keep(ctx.atom("then")?),
            msgid: keep(ctx.atom("_msgid")?),
            // SAFETY: the symbol is live; the atom is the engine's.
            timer: unsafe { qjs::JS_ValueToAtom(ctx.raw(), timer.raw()) },
        };
        inner.libs = Libs::compile(ctx)?;
        let native = crate::native::helpers(ctx)?;
        let stack = inner.libs.load(ctx, Lib::Stack)?;
        ctx.call(stack.raw(), qjs::JS_UNDEFINED, &[native.raw()])
            .map(drop)
    }

    /// The exception that is pending in the engine's own context, as text.
    fn pending_text(&self) -> String {
        let ctx = self.inner().root();
        let text = ctx.take_exception().map(|error| {
            let stack = ctx
                .get_named(error.raw(), c"stack")
                .and_then(|stack| ctx.text(stack.raw()))
                .unwrap_or_default();
            format!("{} {stack}", ctx.text(error.raw()).unwrap_or_default())
        });
        text.unwrap_or_else(|| "it was stopped".to_owned())
    }

    pub(crate) fn inner(&self) -> &Inner {
        // SAFETY: the pointer is valid until `drop`, and only shared references are made after `start`.
        unsafe { self.inner.as_ref() }
    }
}

fn keep(atom: raw::Atom) -> JSAtom {
    let name = atom.raw();
    std::mem::forget(atom);
    name
}

impl Drop for Owner {
    fn drop(&mut self) {
        let inner = self.inner();
        inner.rejections.borrow_mut().clear();
        inner.refs.clear(inner.runtime);
        inner.atoms.borrow_mut().clear(inner.runtime);
        let (runtime, heap) = (inner.runtime, inner.heap);
        // SAFETY: all contexts of functions are freed (each held this owner); finalizers still reach `inner`, which is freed
        // after the runtime, and the heap's account after both.
        unsafe {
            for name in [inner.names.then, inner.names.msgid, inner.names.timer] {
                qjs::JS_FreeAtomRT(runtime, name);
            }
            if !inner.root.is_null() {
                qjs::JS_FreeContext(inner.root);
            }
            qjs::JS_FreeRuntime(runtime);
            drop(Box::from_raw(self.inner.as_ptr()));
            drop(Box::from_raw(heap.as_ptr()));
        }
    }
}

fn sample_classes(ctx: Ctx) -> JsResult<Classes> {
    let samples = ctx.eval(
        "[{}, [], new Number(1), new String(''), new Boolean(true), new ArrayBuffer(1)]",
        c"vgdc:samples",
        1,
        0,
    )?;
    let class = |at| -> JsResult<u32> {
        let sample = ctx.get_index(samples.raw(), at)?;
        // SAFETY: the value is live.
        Ok(unsafe { qjs::JS_GetClassID(sample.raw()) })
    };
    Ok(Classes {
        object: class(0)?,
        array: class(1)?,
        number: class(2)?,
        string: class(3)?,
        boolean: class(4)?,
        array_buffer: class(5)?,
    })
}

impl Inner {
    /// # Safety
    /// The runtime must be one of an [`Owner`] that is alive (or in its `drop`) for as long as the result is used.
    pub(crate) unsafe fn of_runtime<'a>(runtime: *mut qjs::JSRuntime) -> &'a Inner {
        // SAFETY: `start` stored the pointer; see above for its life.
        unsafe { &*qjs::JS_GetRuntimeOpaque(runtime).cast::<Inner>() }
    }

    /// The engine a context belongs to.
    pub(crate) fn of<'a>(ctx: Ctx) -> &'a Inner {
        // SAFETY: a `Ctx` is live (its invariant), so its runtime and thereby the owner are, too.
        unsafe { Inner::of_runtime(ctx.runtime()) }
    }

    pub(crate) fn message_class(&self) -> u32 {
        self.message_class
    }

    pub(crate) fn classes(&self) -> Classes {
        self.classes
    }

    /// The message key that a property name stands for.
    pub(crate) fn key(&self, ctx: Ctx, atom: JSAtom) -> JsResult<AtomKey> {
        self.atoms.borrow_mut().key(ctx, atom)
    }

    /// A property name as text.
    pub(crate) fn name(&self, ctx: Ctx, atom: JSAtom) -> JsResult<String> {
        ctx.atom_text(atom)
    }

    /// The engine's own context. What enters a function node from outside has its prototypes, as in Node-RED, where messages come
    /// from outside the sandbox: `msg.payload instanceof Array` is false there.
    pub(crate) fn root(&self) -> Ctx {
        // SAFETY: the root context lives as long as the runtime.
        unsafe { Ctx::from_raw(self.root) }
    }

    /// True for `Object.prototype`, the context's own or the one of things from outside.
    pub(crate) fn is_object_prototype(&self, ctx: Ctx, value: JSValue) -> JsResult<bool> {
        for ctx in [ctx, self.root()] {
            // SAFETY: every context has a prototype for plain objects.
            let own =
                ctx.check(unsafe { qjs::JS_GetClassProto(ctx.raw(), self.classes.object) })?;
            if raw::address(own.raw()) == raw::address(value) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A number for a new timer, unique among those alive.
    pub(crate) fn timer_number(&self) -> u32 {
        loop {
            let number = self.next_timer.get();
            self.next_timer.set(number.wrapping_add(1).max(1));
            if !self.timers.borrow().contains_key(&number) {
                return number;
            }
        }
    }

    /// Enters the engine from outside, or again from a host's method.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        if depth == 0 {
            // SAFETY: the runtime is live. The stack limit counts from here; nested entries keep the outer one's.
            unsafe { qjs::JS_UpdateStackTop(self.runtime) }
            self.stack_top.set(here());
        }
        Entered {
            depth: &self.depth,
            outermost: depth == 0,
        }
    }

    /// True when as much of the stack is used as JavaScript may use: for recursion in Rust.
    pub(crate) fn stack_is_used_up(&self) -> bool {
        self.stack_top.get().saturating_sub(here()) > self.limits.stack_bytes
    }

    /// Says whose code runs from now on; returns whose it was.
    pub(crate) fn set_current(&self, realm: *const Realm) -> *const Realm {
        self.current.replace(realm)
    }

    /// The function node whose code runs.
    pub(crate) fn current(&self) -> Option<&Realm> {
        // SAFETY: `State::enter` sets the pointer to a realm that it holds, and sets it back before it lets go.
        unsafe { self.current.get().as_ref() }
    }

    /// True when the engine was entered only once.
    pub(crate) fn is_outermost(&self) -> bool {
        self.depth.get() == 1
    }

    fn over_memory(&self) -> bool {
        // SAFETY: the heap lives as long as the runtime.
        unsafe { self.heap.as_ref() }.is_over()
    }
}

/// The address of the current stack frame; stacks grow downwards on every platform that QuickJS supports.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    (&raw const mark).addr()
}

/// Why code was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overrun {
    /// It ran longer than this many milliseconds.
    Time(u64),
    Memory,
}

/// The clock over running code. It starts when QuickJS first asks (every ten thousand steps), so that short calls pay nothing.
#[derive(Default)]
pub(crate) struct Watch {
    limit_ms: Cell<u64>,
    started: Cell<Option<Instant>>,
    overrun: Cell<Option<Overrun>>,
}

/// What [`Watch::begin`] put aside.
pub(crate) struct Watched {
    limit_ms: u64,
    started: Option<Instant>,
}

impl Watch {
    /// Begins to watch a piece of code; the result goes to [`Watch::end`].
    pub(crate) fn begin(&self, limit_ms: u64) -> Watched {
        Watched {
            limit_ms: self.limit_ms.replace(limit_ms),
            started: self.started.take(),
        }
    }

    /// Ends watching and goes back to what was watched around it.
    pub(crate) fn end(&self, outer: Watched) {
        self.limit_ms.set(outer.limit_ms);
        self.started.set(outer.started);
    }

    /// Why the code was stopped, asked once.
    pub(crate) fn take_overrun(&self) -> Option<Overrun> {
        self.overrun.take()
    }
}

unsafe extern "C" fn interrupt(_: *mut qjs::JSRuntime, opaque: *mut c_void) -> c_int {
    // SAFETY: `opaque` is the engine, which outlives its runtime.
    let inner = unsafe { &*opaque.cast::<Inner>() };
    let watch = &inner.watch;
    if inner.over_memory() {
        watch.overrun.set(Some(Overrun::Memory));
        return 1;
    }
    let limit = watch.limit_ms.get();
    let Some(started) = watch.started.get() else {
        watch.started.set(Some(Instant::now()));
        return 0;
    };
    if limit > 0 && started.elapsed().as_millis() as u64 >= limit {
        watch.overrun.set(Some(Overrun::Time(limit)));
        return 1;
    }
    0
}
