//! One function node's side of its JavaScript context: its host, and the JavaScript values that Rust keeps for it.
//!
//! A context can live longer than its function node (a function stored in a flow's context holds it), so the realm belongs to an
//! anchor object inside the context and goes with it. Closing the node takes the host and all kept values away.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::rc::Rc;

use crate::engine::{Inner, Rejection};
use crate::function::Completion;
use crate::host::{CallId, Host};
use crate::libs::Lib;
use crate::native::context::Tracked;
use crate::native::timers::Timer;
use crate::raw::{self, Ctx, JSValue, JsResult, Val, qjs};

/// What a function node is, for its code and for error texts.
pub(crate) struct Info {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) output_count: usize,
    /// Milliseconds a piece of code may run.
    pub(crate) limit_ms: u64,
    pub(crate) keep_message: bool,
    /// The body calls `node.done()` itself.
    pub(crate) handles_done: bool,
    /// The three texts, for error messages that quote them: setup, body, close.
    pub(crate) texts: [String; 3],
    /// How many empty lines were cut off the beginning of each.
    pub(crate) skipped: [u32; 3],
}

/// A call that has not come back to [`crate::Function::call`] yet.
pub(crate) struct Running {
    pub(crate) call: CallId,
    pub(crate) result: Option<Completion>,
}

/// JavaScript values that Rust keeps while the node runs.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) native: Option<Val>,
    pub(crate) node_prototypes: [Option<Val>; 3],
    pub(crate) buffer_prototype: Option<Val>,
    pub(crate) spread: Option<Val>,
    pub(crate) detach_node: Option<Val>,
    pub(crate) libs: HashMap<Lib, Val>,
    pub(crate) close_listeners: VecDeque<Val>,
    pub(crate) links: HashMap<u32, (Val, Val)>,
}

pub(crate) struct Realm {
    host: RefCell<Option<Rc<dyn Host>>>,
    pub(crate) info: Info,
    pub(crate) kept: RefCell<Kept>,
    pub(crate) timers: RefCell<HashMap<u32, Timer>>,
    pub(crate) tracked: RefCell<Vec<Tracked>>,
    pub(crate) running: RefCell<Option<Running>>,
    pub(crate) status_set: Cell<bool>,
    /// Asynchronous close listeners that have not called back.
    pub(crate) closing: Cell<usize>,
    /// The host was told that `close_done` follows.
    pub(crate) told_closing: Cell<bool>,
    /// Calls that ended `Pending` and have not been reported.
    pub(crate) waiting: Cell<usize>,
    pub(crate) next_link: Cell<u32>,
}

impl Realm {
    /// Makes the realm of a new context and ties it to the context's life.
    pub(crate) fn attach(
        ctx: Ctx,
        inner: &Inner,
        info: Info,
        host: Rc<dyn Host>,
    ) -> JsResult<Rc<Realm>> {
        let realm = Rc::new(Realm {
            host: RefCell::new(Some(host)),
            info,
            kept: RefCell::default(),
            timers: RefCell::default(),
            tracked: RefCell::default(),
            running: RefCell::default(),
            status_set: Cell::new(false),
            closing: Cell::new(0),
            told_closing: Cell::new(false),
            waiting: Cell::new(0),
            next_link: Cell::new(1),
        });
        // SAFETY: the class is registered.
        let anchor = ctx.check(unsafe {
            qjs::JS_NewObjectProtoClass(ctx.raw(), qjs::JS_NULL, inner.anchor_class)
        })?;
        let pointer = Rc::into_raw(realm.clone());
        // SAFETY: the anchor owns the count just made, until its finalizer; the context reaches the realm as long as it lives
        // since the anchor is a permanent property of its global object.
        unsafe {
            qjs::JS_SetOpaque(anchor.raw(), pointer.cast_mut().cast());
            qjs::JS_SetContextOpaque(ctx.raw(), pointer.cast_mut().cast());
        }
        // SAFETY: the name ends with a zero byte.
        let symbol = ctx.check(unsafe { qjs::JS_NewSymbol(ctx.raw(), c"vgdc".as_ptr(), false) })?;
        // SAFETY: the value is live; the atom is owned and freed below.
        let name = unsafe { qjs::JS_ValueToAtom(ctx.raw(), symbol.raw()) };
        let defined = ctx.define_with(ctx.global().raw(), name, anchor, 0);
        // SAFETY: frees the count made above.
        unsafe { qjs::JS_FreeAtom(ctx.raw(), name) };
        defined.map(|()| realm)
    }

    /// The realm of a function node's context. The engine's root belongs to none, but promise jobs run in it where a method of
    /// an imported value called an asynchronous function: they are of the node whose code runs.
    pub(crate) fn of(ctx: Ctx) -> Rc<Realm> {
        // SAFETY: the context is live.
        let mut pointer = unsafe { qjs::JS_GetContextOpaque(ctx.raw()) }
            .cast::<Realm>()
            .cast_const();
        if pointer.is_null() {
            pointer = Inner::of(ctx)
                .current()
                .map_or(std::ptr::null(), std::ptr::from_ref);
        }
        assert!(!pointer.is_null(), "code runs, but no node's");
        // SAFETY: what is no root has been through `attach`, and its anchor keeps the realm alive, as `State::enter` keeps that
        // of the code which runs; both come from an `Rc`. The count made here belongs to the result.
        unsafe {
            Rc::increment_strong_count(pointer);
            Rc::from_raw(pointer)
        }
    }

    /// The node, or an exception when it has been closed.
    pub(crate) fn host(&self, ctx: Ctx) -> JsResult<Rc<dyn Host>> {
        self.host_if_open()
            .ok_or_else(|| ctx.throw_error("The node has been closed"))
    }

    pub(crate) fn host_if_open(&self) -> Option<Rc<dyn Host>> {
        self.host.borrow().clone()
    }

    /// Lets go of the host and of every JavaScript value.
    pub(crate) fn close(&self) {
        let host = self.host.borrow_mut().take();
        let kept = std::mem::take(&mut *self.kept.borrow_mut());
        let timers = std::mem::take(&mut *self.timers.borrow_mut());
        let tracked = std::mem::take(&mut *self.tracked.borrow_mut());
        // Dropped outside the borrows: freeing runs finalizers.
        drop((host, kept, timers, tracked));
    }

    /// True when code of this node can run without a new message.
    pub(crate) fn expects_code(&self) -> bool {
        self.waiting.get() > 0
            || !self.timers.borrow().is_empty()
            || !self.kept.borrow().links.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.host.borrow().is_none()
    }

    /// A library's value, evaluated on first use.
    pub(crate) fn lib(&self, ctx: Ctx, lib: Lib) -> JsResult<Val> {
        if let Some(value) = self.kept.borrow().libs.get(&lib) {
            return Ok(value.clone());
        }
        let native = self
            .kept
            .borrow()
            .native
            .clone()
            .ok_or_else(|| ctx.throw_error("The node has been closed"))?;
        let factory = Inner::of(ctx).libs.load(ctx, lib)?;
        let value = ctx.call(factory.raw(), qjs::JS_UNDEFINED, &[native.raw()])?;
        self.kept.borrow_mut().libs.insert(lib, value.clone());
        Ok(value)
    }

    /// `Buffer.prototype` of this context.
    pub(crate) fn buffer_prototype(&self, ctx: Ctx) -> JsResult<Val> {
        if let Some(prototype) = &self.kept.borrow().buffer_prototype {
            return Ok(prototype.clone());
        }
        let class = match self.is_closed() {
            false => self.lib(ctx, Lib::Buffer)?,
            true => ctx.get_named(ctx.global().raw(), c"Buffer")?,
        };
        let prototype = ctx.get_named(class.raw(), c"prototype")?;
        if !self.is_closed() {
            self.kept.borrow_mut().buffer_prototype = Some(prototype.clone());
        }
        Ok(prototype)
    }

    /// The items of something iterable, as an array.
    pub(crate) fn spread(&self, ctx: Ctx, iterable: JSValue) -> JsResult<Val> {
        let spread = self
            .kept
            .borrow()
            .spread
            .clone()
            .ok_or_else(|| ctx.throw_error("The node has been closed"))?;
        ctx.call(spread.raw(), qjs::JS_UNDEFINED, &[iterable])
    }
}

/// Registers the anchor's class with a new runtime.
pub(crate) fn register(runtime: *mut qjs::JSRuntime) -> Option<qjs::JSClassID> {
    let mut class = 0;
    let definition = qjs::JSClassDef {
        class_name: c"VgdcAnchor".as_ptr(),
        finalizer: Some(finalizer),
        gc_mark: None,
        call: None,
        exotic: std::ptr::null_mut(),
    };
    // SAFETY: the runtime is live, the definition is copied.
    unsafe {
        qjs::JS_NewClassID(runtime, &mut class);
        (qjs::JS_NewClass(runtime, class, &definition) == 0).then_some(class)
    }
}

unsafe extern "C" fn finalizer(runtime: *mut qjs::JSRuntime, anchor: JSValue) {
    // SAFETY: the runtime's opaque pointer is its engine.
    let class = unsafe { Inner::of_runtime(runtime) }.anchor_class;
    // SAFETY: the anchor's opaque pointer is the count that `attach` gave it; this is its end.
    unsafe {
        let pointer = qjs::JS_GetOpaque(anchor, class)
            .cast::<Realm>()
            .cast_const();
        if !pointer.is_null() {
            drop(Rc::from_raw(pointer));
        }
    }
}

/// QuickJS tells of promises that were rejected unheard, and of those that are heard after all.
pub(crate) unsafe extern "C" fn track_rejection(
    ctx: *mut qjs::JSContext,
    promise: JSValue,
    reason: JSValue,
    handled: bool,
    opaque: *mut c_void,
) {
    // SAFETY: `opaque` is the engine, the context is live.
    let (ctx, inner) = unsafe { (Ctx::from_raw(ctx), &*opaque.cast::<Inner>()) };
    if handled {
        let mut rejections = inner.rejections.borrow_mut();
        let at = rejections
            .iter()
            .position(|rejection| raw::address(rejection.promise.raw()) == raw::address(promise));
        let heard = at.map(|at| rejections.swap_remove(at));
        drop(rejections);
        drop(heard);
    } else {
        let rejection = Rejection {
            promise: ctx.dup(promise),
            reason: ctx.dup(reason),
        };
        inner.rejections.borrow_mut().push(rejection);
    }
}
