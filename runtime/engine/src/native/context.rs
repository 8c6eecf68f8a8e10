//! `context`, `flow` and `global`: reading and writing context stores, in Node-RED's synchronous and callback forms.
//!
//! Node-RED's memory store hands out its objects themselves: `flow.get("o").n = 1` changes the store. Here values are copied on
//! write, so objects that were read or written are *tracked* for the rest of the call (or as long as JavaScript holds them), and
//! those that changed are written back when the code that changed them has run.

use vgdc_value::{ErrorValue, Value};

use super::{Call, Entry};
use crate::engine::Inner;
use crate::export::{export_tracked, identical};
use crate::host::{Host, Scope};
use crate::import::{import, import_error};
use crate::raw::{self, Ctx, JSValue, JsResult, Val, qjs};
use crate::realm::Realm;

pub(super) const ENTRIES: &[Entry] = &[
    ("contextGet0", 3, |call| get(call, Scope::Node)),
    ("contextSet0", 4, |call| set(call, Scope::Node)),
    ("contextKeys0", 2, |call| keys(call, Scope::Node)),
    ("contextGet1", 3, |call| get(call, Scope::Flow)),
    ("contextSet1", 4, |call| set(call, Scope::Flow)),
    ("contextKeys1", 2, |call| keys(call, Scope::Flow)),
    ("contextGet2", 3, |call| get(call, Scope::Global)),
    ("contextSet2", 4, |call| set(call, Scope::Global)),
    ("contextKeys2", 2, |call| keys(call, Scope::Global)),
];

/// How many objects are tracked at most between calls; the oldest are forgotten.
const MAX_TRACKED: usize = 1024;

/// An object that is also in a context store.
pub(crate) struct Tracked {
    scope: Scope,
    key: String,
    store: Option<String>,
    object: Val,
    /// What the store holds for it.
    stored: Value,
    /// The object is more than its stored value says (a class instance): the store gives it back itself.
    lossy: bool,
    /// The code that runs now has asked for it.
    used: bool,
}

/// Store and callback, whichever way they were given.
struct Options {
    store: Option<String>,
    callback: Option<Val>,
}

fn options(call: &Call<'_>, at: usize) -> JsResult<Options> {
    let ctx = call.ctx;
    let (mut store, mut callback) = (call.arg(at), call.arg(at + 1));
    if !ctx.truthy(callback) && ctx.is_function(store) {
        (store, callback) = (qjs::JS_UNDEFINED, store);
    }
    if ctx.truthy(callback) && !ctx.is_function(callback) {
        return Err(ctx.throw_error("Callback must be a function"));
    }
    let store = if ctx.truthy(store) {
        Some(ctx.text(store)?)
    } else {
        None
    };
    Ok(Options {
        store,
        callback: ctx.truthy(callback).then(|| ctx.dup(callback)),
    })
}

/// The keys asked for: one text, or an array of texts.
enum Asked {
    One(String),
    Many(Vec<String>),
}

fn asked(ctx: Ctx, key: JSValue) -> JsResult<Option<Asked>> {
    if raw::is_string(key) {
        let text = ctx.text(key)?;
        return Ok((!text.is_empty()).then_some(Asked::One(text)));
    }
    // SAFETY: the value is live.
    if !unsafe { qjs::JS_IsArray(key) } {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for at in 0..u32::try_from(ctx.length(key)?).unwrap_or_default() {
        let item = ctx.get_index(key, at)?;
        if !raw::is_string(item.raw()) {
            return Ok(None);
        }
        keys.push(ctx.text(item.raw())?);
    }
    Ok((!keys.is_empty() && keys.iter().all(|key| !key.is_empty())).then_some(Asked::Many(keys)))
}

/// `#:(store)::key`, the editor's way to name a store in a key.
fn split_store(key: &str) -> Option<(&str, &str)> {
    let (store, key) = key.strip_prefix("#:(")?.split_once(")::")?;
    (!store.is_empty() && !store.contains(char::is_whitespace)).then_some((store, key))
}

/// Hands an error to the callback, or throws it.
fn refuse(call: &Call<'_>, callback: Option<&Val>, error: &ErrorValue) -> JsResult<Val> {
    let ctx = call.ctx;
    let error = import_error(ctx, call.inner, error)?;
    match callback {
        Some(callback) => ctx.call(callback.raw(), qjs::JS_UNDEFINED, &[error.raw()]),
        None => Err(ctx.throw(error)),
    }
}

fn invalid_key() -> ErrorValue {
    crate::error::plain_error("Invalid context key")
}

fn get(call: &Call<'_>, scope: Scope) -> JsResult<Val> {
    let ctx = call.ctx;
    let Options { store, callback } = options(call, 1)?;
    let realm = call.realm();
    let host = realm.host(ctx)?;
    let Some(asked) = asked(ctx, call.arg(0))? else {
        return refuse(call, callback.as_ref(), &invalid_key());
    };
    match asked {
        Asked::One(key) => {
            let (key, store) = place(&key, store);
            match read(call, &realm, &*host, scope, key, store.as_deref())? {
                Ok(value) => answer(ctx, callback, value),
                Err(error) => refuse(call, callback.as_ref(), &error),
            }
        }
        Asked::Many(keys) => {
            let mut values = Vec::with_capacity(keys.len());
            for key in &keys {
                match read(call, &realm, &*host, scope, key, store.as_deref())? {
                    Ok(value) => values.push(value),
                    Err(error) => return refuse(call, callback.as_ref(), &error),
                }
            }
            match callback {
                None => ctx.array(values),
                Some(callback) => {
                    let mut args = vec![qjs::JS_UNDEFINED];
                    args.extend(values.iter().map(Val::raw));
                    ctx.call(callback.raw(), qjs::JS_UNDEFINED, &args)?;
                    Ok(ctx.undefined())
                }
            }
        }
    }
}

fn place(key: &str, store: Option<String>) -> (&str, Option<String>) {
    match split_store(key) {
        Some((named, key)) => (key, store.or_else(|| Some(named.to_owned()))),
        None => (key, store),
    }
}

fn answer(ctx: Ctx, callback: Option<Val>, value: Val) -> JsResult<Val> {
    match callback {
        None => Ok(value),
        Some(callback) => {
            ctx.call(
                callback.raw(),
                qjs::JS_UNDEFINED,
                &[qjs::JS_UNDEFINED, value.raw()],
            )?;
            Ok(ctx.undefined())
        }
    }
}

fn read(
    call: &Call<'_>,
    realm: &Realm,
    host: &dyn Host,
    scope: Scope,
    key: &str,
    store: Option<&str>,
) -> JsResult<Result<Val, ErrorValue>> {
    // A nested key may lead into an object that this call has changed.
    write_back_parents(call.ctx, call.inner, realm, host, scope, key, store)?;
    let value = match host.context_get(scope, key, store) {
        Ok(value) => value,
        Err(error) => return Ok(Err(error)),
    };
    if !value.is_object() {
        return import(call.ctx, call.inner, &value).map(Ok);
    }
    if let Some(object) = known(realm, scope, key, store, &value) {
        return Ok(Ok(object));
    }
    let object = import(call.ctx, call.inner, &value)?;
    if host.context_is_live(store) {
        track(
            realm,
            Tracked {
                scope,
                key: key.to_owned(),
                store: store.map(str::to_owned),
                object: object.clone(),
                stored: value,
                lossy: false,
                used: true,
            },
        );
    }
    Ok(Ok(object))
}

/// The object that this value was made into, or came from.
fn known(
    realm: &Realm,
    scope: Scope,
    key: &str,
    store: Option<&str>,
    value: &Value,
) -> Option<Val> {
    let mut list = realm.tracked.borrow_mut();
    let tracked = list
        .iter_mut()
        .find(|tracked| tracked.is(scope, key, store) && identical(&tracked.stored, value))?;
    tracked.used = true;
    Some(tracked.object.clone())
}

fn set(call: &Call<'_>, scope: Scope) -> JsResult<Val> {
    let ctx = call.ctx;
    let Options { store, callback } = options(call, 2)?;
    let realm = call.realm();
    let host = realm.host(ctx)?;
    let Some(asked) = asked(ctx, call.arg(0))? else {
        return refuse(call, callback.as_ref(), &invalid_key());
    };
    let value = call.arg(1);
    let result = match asked {
        Asked::One(key) => {
            let (key, store) = place(&key, store);
            write(call, &realm, &*host, scope, key, value, store.as_deref())?
        }
        Asked::Many(keys) => set_many(call, &realm, &*host, scope, &keys, value, store.as_deref())?,
    };
    match (result, callback) {
        (Err(error), callback) => refuse(call, callback.as_ref(), &error),
        (Ok(()), None) => Ok(ctx.undefined()),
        (Ok(()), Some(callback)) => {
            ctx.call(callback.raw(), qjs::JS_UNDEFINED, &[qjs::JS_UNDEFINED])?;
            Ok(ctx.undefined())
        }
    }
}

/// Several keys: a value each, null where there are too few; one value that is no array goes to the first.
fn set_many(
    call: &Call<'_>,
    realm: &Realm,
    host: &dyn Host,
    scope: Scope,
    keys: &[String],
    value: JSValue,
    store: Option<&str>,
) -> JsResult<Result<(), ErrorValue>> {
    let ctx = call.ctx;
    // SAFETY: the value is live.
    let list = unsafe { qjs::JS_IsArray(value) };
    let count = if list { ctx.length(value)? } else { 1 };
    for (at, key) in keys.iter().enumerate() {
        let item = match (at as i64) < count {
            true if list => ctx.get_index(value, at as u32)?,
            true => ctx.dup(value),
            false => ctx.own(qjs::JS_NULL),
        };
        if let Err(error) = write(call, realm, host, scope, key, item.raw(), store)? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

fn write(
    call: &Call<'_>,
    realm: &Realm,
    host: &dyn Host,
    scope: Scope,
    key: &str,
    value: JSValue,
    store: Option<&str>,
) -> JsResult<Result<(), ErrorValue>> {
    write_back_parents(call.ctx, call.inner, realm, host, scope, key, store)?;
    let (exported, lossy) = export_tracked(call.ctx, call.inner, value, None)?;
    if let Err(error) = host.context_set(scope, key, exported.clone(), store) {
        return Ok(Err(error));
    }
    let old: Vec<Tracked> = realm
        .tracked
        .borrow_mut()
        .extract_if(.., |tracked| tracked.is(scope, key, store))
        .collect();
    drop(old);
    if exported.is_object() && raw::is_object(value) && host.context_is_live(store) {
        let object = call.ctx.dup(value);
        track(
            realm,
            Tracked {
                scope,
                key: key.to_owned(),
                store: store.map(str::to_owned),
                object,
                stored: exported,
                lossy,
                used: true,
            },
        );
    }
    Ok(Ok(()))
}

fn keys(call: &Call<'_>, scope: Scope) -> JsResult<Val> {
    let ctx = call.ctx;
    let Options { store, callback } = options(call, 0)?;
    let host = call.realm().host(ctx)?;
    match host.context_keys(scope, store.as_deref()) {
        Err(error) => refuse(call, callback.as_ref(), &error),
        Ok(keys) => {
            let keys = keys
                .iter()
                .map(|key| ctx.string(key))
                .collect::<JsResult<Vec<_>>>()?;
            let keys = ctx.array(keys)?;
            match callback {
                None => Ok(keys),
                Some(callback) => {
                    ctx.call(
                        callback.raw(),
                        qjs::JS_UNDEFINED,
                        &[qjs::JS_NULL, keys.raw()],
                    )?;
                    Ok(ctx.undefined())
                }
            }
        }
    }
}

impl Tracked {
    fn place(&self) -> Tracked {
        Tracked {
            scope: self.scope,
            key: self.key.clone(),
            store: self.store.clone(),
            object: self.object.clone(),
            stored: self.stored.clone(),
            lossy: self.lossy,
            used: self.used,
        }
    }

    fn is(&self, scope: Scope, key: &str, store: Option<&str>) -> bool {
        self.scope == scope && self.key == key && self.store.as_deref() == store
    }
}

fn track(realm: &Realm, tracked: Tracked) {
    let mut list = realm.tracked.borrow_mut();
    let mut old: Vec<Tracked> = list
        .extract_if(.., |known| {
            known.is(tracked.scope, &tracked.key, tracked.store.as_deref())
        })
        .collect();
    if list.len() >= MAX_TRACKED {
        old.push(list.remove(0));
    }
    list.push(tracked);
    drop(list);
    // Outside the borrow: freeing runs finalizers.
    drop(old);
}

/// Before a key is used: objects under other keys that reach into it (`a` and `a.b`) are written back.
fn write_back_parents(
    ctx: Ctx,
    inner: &Inner,
    realm: &Realm,
    host: &dyn Host,
    scope: Scope,
    key: &str,
    store: Option<&str>,
) -> JsResult<()> {
    if realm.tracked.borrow().is_empty() {
        return Ok(());
    }
    let root = |key: &str| key.split(['.', '[']).next().map(str::to_owned);
    let root_of_key = root(key);
    let related = |tracked: &Tracked| {
        tracked.scope == scope
            && tracked.store.as_deref() == store
            && tracked.key != key
            && root(&tracked.key) == root_of_key
    };
    if realm.tracked.borrow().iter().any(related) {
        write_back_where(ctx, inner, realm, host, related)?;
    }
    Ok(())
}

/// Writes changed objects back to their stores. `keep`: code of this node can still run later (a timer, a promise), so its
/// objects stay tracked; else only those do that the store has to give back themselves.
pub(crate) fn write_back(ctx: Ctx, inner: &Inner, realm: &Realm, keep: bool) -> JsResult<()> {
    if realm.tracked.borrow().is_empty() {
        return Ok(());
    }
    let Some(host) = realm.host_if_open() else {
        return Ok(());
    };
    let result = write_back_where(ctx, inner, realm, &*host, |tracked| keep || tracked.used);
    let mut list = realm.tracked.borrow_mut();
    let gone: Vec<Tracked> = list
        .extract_if(.., |tracked| !keep && !tracked.lossy)
        .collect();
    for tracked in list.iter_mut() {
        tracked.used = false;
    }
    drop(list);
    drop(gone);
    result
}

fn write_back_where(
    ctx: Ctx,
    inner: &Inner,
    realm: &Realm,
    host: &dyn Host,
    which: impl Fn(&Tracked) -> bool,
) -> JsResult<()> {
    let mut at = 0;
    loop {
        // One at a time, outside the borrow: exporting can run getters, which can use the context again.
        let place = {
            let list = realm.tracked.borrow();
            let Some(tracked) = list.get(at) else {
                return Ok(());
            };
            which(tracked).then(|| tracked.place())
        };
        if let Some(place) = place {
            write_back_one(ctx, inner, realm, host, place)?;
        }
        at += 1;
    }
}

fn write_back_one(
    ctx: Ctx,
    inner: &Inner,
    realm: &Realm,
    host: &dyn Host,
    place: Tracked,
) -> JsResult<()> {
    let Tracked {
        scope,
        key,
        store,
        object,
        stored,
        ..
    } = place;
    let (value, lossy) = export_tracked(ctx, inner, object.raw(), Some(&stored))?;
    if identical(&value, &stored) {
        return Ok(());
    }
    // Somebody else may have put another value there: then the object is no longer the store's.
    let Ok(current) = host.context_get(scope, &key, store.as_deref()) else {
        return Ok(());
    };
    if !identical(&current, &stored) {
        return Ok(());
    }
    if let Err(error) = host.context_set(scope, &key, value.clone(), store.as_deref()) {
        host.error(
            Value::Rare(std::sync::Arc::new(vgdc_value::Rare::Error(error))),
            None,
        );
        return Ok(());
    }
    for tracked in realm
        .tracked
        .borrow_mut()
        .iter_mut()
        .filter(|tracked| tracked.is(scope, &key, store.as_deref()))
    {
        tracked.stored = value.clone();
        tracked.lossy = lossy;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::split_store;

    #[test]
    fn a_store_is_taken_from_a_key() {
        assert_eq!(split_store("#:(file)::a.b"), Some(("file", "a.b")));
        assert_eq!(split_store("a.b"), None);
        assert_eq!(split_store("#:(my store)::a"), None);
    }
}
