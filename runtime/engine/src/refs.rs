//! JavaScript functions (and timers) that leave the engine inside values: handles that find their way back.
//!
//! A value is `Send` and may be dropped on any thread, a JavaScript function lives on its engine's thread. So the handle carries
//! a number; the function stays in the engine's table until the last handle is gone, which the engine learns from a queue.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use vgdc_value::{Handle, Value};

use crate::raw::{self, Ctx, JSValue, Val, qjs};

/// What a handle to a JavaScript object carries.
pub(crate) struct JsRef {
    engine: u64,
    number: u64,
    dropped: Arc<Mutex<Vec<u64>>>,
}

impl Drop for JsRef {
    fn drop(&mut self) {
        self.dropped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.number);
    }
}

/// The objects that handles outside refer to.
pub(crate) struct Refs {
    engine: u64,
    next: AtomicU64,
    live: RefCell<HashMap<u64, JSValue>>,
    dropped: Arc<Mutex<Vec<u64>>>,
}

impl Refs {
    pub(crate) fn new() -> Self {
        static ENGINES: AtomicU64 = AtomicU64::new(1);
        Refs {
            engine: ENGINES.fetch_add(1, Ordering::Relaxed),
            next: AtomicU64::new(1),
            live: RefCell::default(),
            dropped: Arc::default(),
        }
    }

    /// A handle to this object. `hint`: what stands where the value will be put; a handle to the same object is used again.
    pub(crate) fn handle(
        &self,
        ctx: Ctx,
        object: JSValue,
        kind: &'static str,
        hint: Option<&Value>,
    ) -> Value {
        if let Some(Value::Handle(handle)) = hint
            && handle
                .downcast::<JsRef>()
                .is_some_and(|js| self.is(js, object))
        {
            return Value::Handle(handle.clone());
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.live
            .borrow_mut()
            .insert(number, ctx.dup(object).into_raw());
        let inner = JsRef {
            engine: self.engine,
            number,
            dropped: self.dropped.clone(),
        };
        Value::Handle(Handle::new(kind, Value::Undefined, Arc::new(inner)))
    }

    fn is(&self, js: &JsRef, object: JSValue) -> bool {
        js.engine == self.engine
            && self
                .live
                .borrow()
                .get(&js.number)
                .is_some_and(|&live| raw::address(live) == raw::address(object))
    }

    /// The object itself, when the handle came from this engine.
    pub(crate) fn resolve(&self, ctx: Ctx, js: &JsRef) -> Option<Val> {
        if js.engine != self.engine {
            return None;
        }
        self.live
            .borrow()
            .get(&js.number)
            .map(|&object| ctx.dup(object))
    }

    /// Lets go of the objects whose last handle is gone.
    pub(crate) fn sweep(&self, runtime: *mut qjs::JSRuntime) {
        let Ok(mut dropped) = self.dropped.try_lock() else {
            return;
        };
        if dropped.is_empty() {
            return;
        }
        let numbers = std::mem::take(&mut *dropped);
        drop(dropped);
        for number in numbers {
            let object = self.live.borrow_mut().remove(&number);
            if let Some(object) = object {
                // SAFETY: the table owned one count of the object.
                unsafe { qjs::JS_FreeValueRT(runtime, object) };
            }
        }
    }

    /// Lets go of everything: the engine ends.
    pub(crate) fn clear(&self, runtime: *mut qjs::JSRuntime) {
        let live = std::mem::take(&mut *self.live.borrow_mut());
        for object in live.into_values() {
            // SAFETY: the table owned one count of each object.
            unsafe { qjs::JS_FreeValueRT(runtime, object) };
        }
    }
}
