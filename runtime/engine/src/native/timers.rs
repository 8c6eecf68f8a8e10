//! Timers: kept here, run by the host's clock.

use std::rc::Rc;

use vgdc_value::{Object, Value};

use super::{Call, Entry};
use crate::export::export;
use crate::failure;
use crate::raw::{Ctx, JsResult, Val, qjs};
use crate::realm::Realm;

pub(super) const ENTRIES: &[Entry] = &[
    ("setTimer", 4, set),
    ("clearTimer", 1, clear),
    ("refreshTimer", 1, refresh),
];

/// The longest delay that Node's timers take; longer ones fire at once, as Node does it.
const MAX_DELAY: f64 = 2_147_483_647.0;

/// A timer that waits.
pub(crate) struct Timer {
    function: Val,
    args: Vec<Val>,
    delay: f64,
    repeat: bool,
}

/// `setTimer(function, delay, kind, args)`; kind: 0 once, 1 again and again, 2 as soon as possible.
fn set(call: &Call<'_>) -> JsResult<Val> {
    let ctx = call.ctx;
    let realm = call.realm();
    let host = realm.host(ctx)?;
    let kind = call.number(2)? as i32;
    let delay = if kind == 2 {
        0.0
    } else {
        delay(call.number(1)?)
    };
    let args = call.arg(3);
    let count = u32::try_from(ctx.length(args)?).unwrap_or_default();
    let args = (0..count)
        .map(|at| ctx.get_index(args, at))
        .collect::<JsResult<Vec<_>>>()?;
    let id = call.inner.timer_number();
    call.inner
        .timers
        .borrow_mut()
        .insert(id, Rc::downgrade(&realm));
    let timer = Timer {
        function: ctx.dup(call.arg(0)),
        args,
        delay,
        repeat: kind == 1,
    };
    realm.timers.borrow_mut().insert(id, timer);
    host.set_timer(id, delay);
    Ok(ctx.own(crate::raw::number(f64::from(id))))
}

fn delay(ms: f64) -> f64 {
    if (1.0..=MAX_DELAY).contains(&ms) {
        ms.trunc()
    } else {
        1.0
    }
}

fn id_of(call: &Call<'_>) -> JsResult<u32> {
    Ok(call.number(0)? as u32)
}

/// Clears a timer of any function node of the engine: ids travel through flow context.
fn clear(call: &Call<'_>) -> JsResult<Val> {
    let id = id_of(call)?;
    let owner = call
        .inner
        .timers
        .borrow_mut()
        .remove(&id)
        .and_then(|realm| realm.upgrade());
    if let Some(owner) = owner {
        let timer = owner.timers.borrow_mut().remove(&id);
        drop(timer);
        if let Some(host) = owner.host_if_open() {
            host.clear_timer(id);
        }
    }
    Ok(call.ctx.undefined())
}

fn refresh(call: &Call<'_>) -> JsResult<Val> {
    let id = id_of(call)?;
    let owner = call
        .inner
        .timers
        .borrow()
        .get(&id)
        .and_then(|realm| realm.upgrade());
    if let Some(owner) = owner
        && let Some(delay) = owner.timers.borrow().get(&id).map(|timer| timer.delay)
        && let Some(host) = owner.host_if_open()
    {
        host.clear_timer(id);
        host.set_timer(id, delay);
    }
    Ok(call.ctx.undefined())
}

/// Runs a timer that is due. What it throws is raised as Node-RED raises it: with an empty message.
pub(crate) fn fire(ctx: Ctx, inner: &crate::engine::Inner, realm: &Rc<Realm>, id: u32) {
    let Some(host) = realm.host_if_open() else {
        return;
    };
    let timer = realm.timers.borrow_mut().remove(&id);
    let Some(timer) = timer else { return };
    let (function, args) = (timer.function.clone(), timer.args.clone());
    if timer.repeat {
        host.set_timer(id, timer.delay);
        realm.timers.borrow_mut().insert(id, timer);
    } else {
        inner.timers.borrow_mut().remove(&id);
    }
    let raws: Vec<_> = args.iter().map(Val::raw).collect();
    if ctx.call(function.raw(), qjs::JS_UNDEFINED, &raws).is_err() {
        let value = match ctx.take_exception() {
            Some(error) => export(ctx, inner, error.raw(), None).unwrap_or(Value::Undefined),
            None => failure::overrun(inner),
        };
        host.error(value, Some(Value::Object(Object::new())));
    }
}
