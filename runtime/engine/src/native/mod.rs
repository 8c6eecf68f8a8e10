//! What JavaScript can call in Rust: one table of functions, reached through one C entry.

use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::LazyLock;

use crate::engine::Inner;
use crate::raw::{Ctx, JSValue, JsResult, Val, qjs};
use crate::realm::Realm;

pub(crate) mod context;
pub(crate) mod encoding;
pub(crate) mod node;
mod sandbox;
pub(crate) mod timers;

/// A call from JavaScript.
pub(crate) struct Call<'a> {
    pub(crate) ctx: Ctx,
    pub(crate) inner: &'a Inner,
    pub(crate) this: JSValue,
    args: &'a [JSValue],
}

impl Call<'_> {
    /// The argument at this place, undefined when it was not given.
    pub(crate) fn arg(&self, at: usize) -> JSValue {
        self.args.get(at).copied().unwrap_or(qjs::JS_UNDEFINED)
    }

    pub(crate) fn text(&self, at: usize) -> JsResult<String> {
        self.ctx.text(self.arg(at))
    }

    pub(crate) fn number(&self, at: usize) -> JsResult<f64> {
        self.ctx.number_of(self.arg(at))
    }

    pub(crate) fn realm(&self) -> Rc<Realm> {
        Realm::of(self.ctx)
    }
}

type Native = fn(&Call<'_>) -> JsResult<Val>;

/// Name, number of arguments, function.
type Entry = (&'static str, u8, Native);

/// Helpers of the JavaScript libraries, properties of their `native` object.
const HELPERS: &[&[Entry]] = &[
    sandbox::ENTRIES,
    timers::ENTRIES,
    context::ENTRIES,
    encoding::ENTRIES,
];

/// All functions, by the number that QuickJS passes back.
static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    HELPERS
        .iter()
        .copied()
        .chain(std::iter::once(node::METHODS))
        .flatten()
        .copied()
        .collect()
});

fn number_of(table: usize, at: usize) -> usize {
    HELPERS
        .iter()
        .take(table)
        .map(|entries| entries.len())
        .sum::<usize>()
        + at
}

/// The object with all helpers.
pub(crate) fn helpers(ctx: Ctx) -> JsResult<Val> {
    let object = ctx.object()?;
    for (table, entries) in HELPERS.iter().enumerate() {
        for (at, (name, arity, _)) in entries.iter().enumerate() {
            define(ctx, object.raw(), name, *arity, number_of(table, at))?;
        }
    }
    Ok(object)
}

/// Puts a method of the node object, by its place in [`node::METHODS`], on a prototype.
pub(crate) fn define_method(ctx: Ctx, prototype: JSValue, at: usize) -> JsResult<()> {
    let Some((name, arity, _)) = node::METHODS.get(at) else {
        return Ok(());
    };
    define(ctx, prototype, name, *arity, number_of(HELPERS.len(), at))
}

fn define(ctx: Ctx, object: JSValue, name: &str, arity: u8, number: usize) -> JsResult<()> {
    let c_name = CString::new(name).unwrap_or_default();
    // SAFETY: QuickJS calls a function of kind "generic magic" with the five arguments that `enter` takes; the union of function
    // types makes the cast the documented way to pass one.
    let function = unsafe {
        let entry = std::mem::transmute::<qjs::JSCFunctionMagic, qjs::JSCFunction>(Some(enter));
        let kind = qjs::JSCFunctionEnum_JS_CFUNC_generic_magic;
        ctx.check(qjs::JS_NewCFunction2(
            ctx.raw(),
            entry,
            c_name.as_ptr(),
            c_int::from(arity),
            kind,
            number as c_int,
        ))?
    };
    let atom = ctx.atom(name)?;
    ctx.define(object, atom.raw(), function)
}

unsafe extern "C" fn enter(
    ctx: *mut qjs::JSContext,
    this: JSValue,
    argc: c_int,
    argv: *mut JSValue,
    magic: c_int,
) -> JSValue {
    // SAFETY: QuickJS calls with a live context and `argc` values at `argv`.
    let (ctx, args) = unsafe {
        let args: &[JSValue] = if argc > 0 {
            std::slice::from_raw_parts(argv, argc as usize)
        } else {
            &[]
        };
        (Ctx::from_raw(ctx), args)
    };
    let call = Call {
        ctx,
        inner: Inner::of(ctx),
        this,
        args,
    };
    let Some((_, _, function)) = TABLE.get(magic as usize) else {
        return qjs::JS_UNDEFINED;
    };
    match catch_unwind(AssertUnwindSafe(|| function(&call))) {
        Ok(Ok(value)) => value.into_raw(),
        Ok(Err(_)) => qjs::JS_EXCEPTION,
        Err(_) => {
            ctx.throw_error("internal error in the sandbox");
            qjs::JS_EXCEPTION
        }
    }
}
